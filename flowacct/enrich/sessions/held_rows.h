// Rows that wait, the one that came first before the others, and since when each does.
//
// Ownership: copies of rows of one size. Threads: one. Errors: none; who pushes minds the bound. Cost: a copy a row;
// memory grows to the most that ever waited, and is kept.

#ifndef FLOWACCT_ENRICH_SESSIONS_HELD_ROWS_H_
#define FLOWACCT_ENRICH_SESSIONS_HELD_ROWS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

namespace flowacct::enrich {

class HeldRows {
 public:
  // Forgets all that waits.
  void Reset(size_t row_size) {
    *this = HeldRows();
    row_size_ = row_size;
  }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  void Push(const uint8_t* row, int64_t since) {
    if (size_ == since_.size()) Grow();
    const size_t place = (first_ + size_++) & (since_.size() - 1);
    std::memcpy(rows_.data() + place * row_size_, row, row_size_);
    since_[place] = since;
  }
  // Of the `i`th that waits. Valid until the next Push.
  const uint8_t* row(size_t i) const { return rows_.data() + Place(i) * row_size_; }
  int64_t since(size_t i) const { return since_[Place(i)]; }
  // Forgets the first `n`.
  void Pop(size_t n) {
    first_ = Place(n);
    size_ -= n;
  }

 private:
  size_t Place(size_t i) const { return (first_ + i) & (since_.size() - 1); }
  void Grow() {
    const size_t capacity = std::max<size_t>(64, 2 * since_.size());  // a power of two
    std::vector<uint8_t> rows(capacity * row_size_);
    std::vector<int64_t> since(capacity);
    for (size_t i = 0; i < size_; ++i) {
      std::memcpy(rows.data() + i * row_size_, row(i), row_size_);
      since[i] = this->since(i);
    }
    rows_ = std::move(rows);
    since_ = std::move(since);
    first_ = 0;
  }

  size_t row_size_ = 0;
  std::vector<uint8_t> rows_;
  std::vector<int64_t> since_;
  size_t first_ = 0, size_ = 0;
};

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_SESSIONS_HELD_ROWS_H_
