// Rows that never move, numbered from 1 on, for one writer and readers that come by a number.
//
// Rows lie in blocks, each twice as large as the one before, of memory that the system gives as it is touched. A row
// that readers may still see is retired, and is free after their epoch (lpm/reader_epochs.h).
// Threads: At is anyone's who has the number from something that synchronises; all else is the writer's.
// Errors: New gives 0 beyond the bound. Cost: At is a count of leading zeros and a load of the block's address.

#ifndef FLOWACCT_SESSION_ROW_STORE_H_
#define FLOWACCT_SESSION_ROW_STORE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <new>
#include <vector>

#include "flowacct/base/chunk.h"

namespace flowacct::session {

template <typename Row>
class RowStore {
 public:
  explicit RowStore(size_t max_rows) : max_rows_(max_rows) {
    for (std::atomic<Row*>& block : blocks_) block.store(nullptr, std::memory_order_relaxed);
  }

  Row& At(uint32_t number) const {
    const uint64_t place = uint64_t{number} + kFirst;
    const unsigned bit = 63 - static_cast<unsigned>(__builtin_clzll(place));
    return blocks_[bit - kFirstBit].load(std::memory_order_acquire)[place - (uint64_t{1} << bit)];
  }
  Row& operator[](uint32_t number) const { return At(number); }

  // The number of a row as new; 0: there are `max_rows`.
  uint32_t New() {
    uint32_t number;
    if (!free_.empty()) {
      number = free_.back();
      free_.pop_back();
    } else {
      if (size_ >= max_rows_) return 0;
      number = static_cast<uint32_t>(++size_);
      Reach(number);
    }
    new (&At(number)) Row();
    return number;
  }
  // As new, at a number that somebody else gives.
  Row& Reach(uint32_t number) {
    const unsigned bit = 63 - static_cast<unsigned>(__builtin_clzll(uint64_t{number} + kFirst));
    if (memory_.size() <= bit - kFirstBit) memory_.resize(bit - kFirstBit + 1);
    base::ZeroedMemory& memory = memory_[bit - kFirstBit];
    if (memory.data() == nullptr) {
      memory = base::ZeroedMemory((size_t{1} << bit) * sizeof(Row));
      blocks_[bit - kFirstBit].store(reinterpret_cast<Row*>(memory.data()), std::memory_order_release);
    }
    return At(number);
  }
  // Nobody comes by it any more, but some may be there.
  void Retire(uint32_t number, uint64_t epoch) { retired_.push_back({epoch, number}); }
  // Nobody is there.
  void Free(uint32_t number) { free_.push_back(number); }
  // Frees up to `steps` of those that were retired before the epoch `safe`; returns how many.
  size_t Reclaim(uint64_t safe, size_t steps) {
    size_t done = 0;
    for (; done < steps && !retired_.empty() && retired_.front().epoch < safe; ++done) {
      free_.push_back(retired_.front().number);
      retired_.pop_front();
    }
    return done;
  }

  // Numbers up to this one were ever in use.
  uint32_t size() const { return static_cast<uint32_t>(size_); }
  size_t in_use() const { return size_ - free_.size() - retired_.size(); }
  size_t octets() const {
    return size_ * sizeof(Row) + free_.capacity() * sizeof(uint32_t) + retired_.size() * sizeof(Retired);
  }

 private:
  static constexpr unsigned kFirstBit = 10;
  static constexpr uint64_t kFirst = uint64_t{1} << kFirstBit;

  struct Retired {
    uint64_t epoch;
    uint32_t number;
  };

  size_t max_rows_;
  size_t size_ = 0;
  std::array<std::atomic<Row*>, 33 - kFirstBit> blocks_;
  std::vector<base::ZeroedMemory> memory_;
  std::vector<uint32_t> free_;
  std::deque<Retired> retired_;
};

}  // namespace flowacct::session

#endif  // FLOWACCT_SESSION_ROW_STORE_H_
