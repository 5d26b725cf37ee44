// Finds rows by a hash of their key: open addressing with linear probing, for one writer and readers that never wait.
//
//     slot:  32 bits of the hash | 32 bits of the row's number; 0: empty
//
// The index has no keys: who looks up says whether a row is the one. Several rows may have the same key. A slot's place
// follows from the bits of the hash that it holds, so the index grows without a look at any row; it grows (and, when
// most of it was erased, shrinks) step by step, a few slots of the old array with each insertion. Readers look into
// the new array and then into the old one, whose slots stay until all are moved.
//
// Threads: Find, Visit and Prefetch are anyone's who is online in the epochs; all else is the writer's. Cost: one cache
// line, seldom two. Memory: 9.1 to 10.7 octets a row, and as
// much again while it grows.

#ifndef FLOWACCT_SESSION_KEY_INDEX_H_
#define FLOWACCT_SESSION_KEY_INDEX_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>

#include "flowacct/base/chunk.h"

namespace flowacct::session {

class KeyIndex {
 public:
  KeyIndex();
  KeyIndex(const KeyIndex&) = delete;
  KeyIndex& operator=(const KeyIndex&) = delete;

  // The first row of that hash for which `is_it(row)` is true; 0: none.
  template <typename IsIt>
  uint32_t Find(uint32_t hash, IsIt is_it) const {
    const View* view = view_.load(std::memory_order_acquire);
    const uint32_t row = Probe(view->now, hash, is_it);
    return row != 0 || view->before.slots == nullptr ? row : Probe(view->before, hash, is_it);
  }
  // Calls `visit(row)` with each row of that hash; while the index grows, with some of them twice.
  template <typename Visit>
  void VisitAll(uint32_t hash, Visit visit) const {
    (void)Find(hash, [&visit](uint32_t row) {
      visit(row);
      return false;
    });
  }
  void Prefetch(uint32_t hash) const {
    const Array& array = view_.load(std::memory_order_acquire)->now;
    __builtin_prefetch(array.slots + PlaceOf(array, hash));
  }

  // `epoch`: what is taken out of sight now belongs to it.
  void Insert(uint32_t hash, uint32_t row, uint64_t epoch);
  void Erase(uint32_t hash, uint32_t row);
  // `with` instead of `row`.
  void Replace(uint32_t hash, uint32_t row, uint32_t with);
  // Frees arrays that were taken out of sight before the epoch `safe`.
  void Reclaim(uint64_t safe);

  size_t size() const { return live_; }
  size_t octets() const;

 private:
  using Slot = std::atomic<uint64_t>;

  static constexpr size_t kFirstSlots = 64;
  static constexpr uint32_t kErased = 0xffffffff;  // as a row's number
  // Of the old array with each insertion: it is moved long before an eighth of its slots' number has come, which is
  // when the new one grows.
  static constexpr size_t kMovedSlots = 32;

  struct Array {
    Slot* slots = nullptr;
    size_t size = 0;
  };
  struct View {
    Array now, before;
  };
  struct Retired {
    uint64_t epoch;
    std::unique_ptr<View> view;
    base::ZeroedMemory memory;
  };

  static size_t PlaceOf(const Array& array, uint32_t hash) {
    return static_cast<size_t>(uint64_t{hash} * array.size >> 32);
  }
  static uint64_t SlotOf(uint32_t hash, uint32_t row) { return uint64_t{hash} << 32 | row; }

  template <typename IsIt>
  static uint32_t Probe(const Array& array, uint32_t hash, IsIt& is_it) {
    for (size_t i = PlaceOf(array, hash);; i = i + 1 == array.size ? 0 : i + 1) {
      const uint64_t slot = array.slots[i].load(std::memory_order_acquire);
      if (slot == 0) return 0;
      const uint32_t row = static_cast<uint32_t>(slot);
      if (static_cast<uint32_t>(slot >> 32) == hash && row != kErased && is_it(row)) return row;
    }
  }
  static Slot* SlotWith(const Array& array, uint64_t slot);
  void Place(uint64_t slot);
  void Move(size_t slots, uint64_t epoch);
  void Grow(uint64_t epoch);
  void Publish(Array now, Array before, base::ZeroedMemory unused, uint64_t epoch);

  std::atomic<const View*> view_;
  std::unique_ptr<View> shown_;
  base::ZeroedMemory memory_, memory_before_;
  size_t live_ = 0;
  size_t used_ = 0;   // slots of the new array that are not empty
  size_t moved_ = 0;  // slots of the old one before this are in the new one
  std::deque<Retired> retired_;
};

}  // namespace flowacct::session

#endif  // FLOWACCT_SESSION_KEY_INDEX_H_
