// The table of groups: finds the row of each of a batch of keys, or makes it.
//
//     index:  8 octets a slot: 32 bits of the key's hash, 32 bits of row number + 1; linear probing
//     rows:   key | payload, in chunks that never move, in the order in which their keys came
//
// A batch is worked off in passes, so that the memory it needs is on its way before it is touched: hash all keys and
// prefetch their slots; look at the slots and prefetch the rows; compare, and insert what is new. The place of a slot
// follows from the bits of the hash that it holds, so the index grows without reading a row, and it grows step by
// step: each batch moves a few slots of the old index, and no batch waits for all of them.
//
// Threads: one at a time. Cost: some 15-25 ns a key of 40 octets that is in memory, not in cache. Memory: key and
// payload, plus 12 to 23 octets of index a row (half of that again while the index grows).

#ifndef FLOWACCT_AGGREGATE_GROUP_TABLE_H_
#define FLOWACCT_AGGREGATE_GROUP_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/base/chunk.h"
#include "flowacct/base/octet_hash.h"

namespace flowacct::aggregate {

class GroupTable {
 public:
  static constexpr size_t kBatch = 64;
  static constexpr uint32_t kNone = 0xffffffff;
  // Row numbers and slots share 64 bits with the hash.
  static constexpr size_t kMaxRows = size_t{1} << 30;

  // Both sizes in whole 8 octets; `key_octets` may be 0. A new row's payload is zero.
  GroupTable(size_t key_octets, size_t payload_octets, uint64_t seed);

  size_t size() const { return size_; }
  size_t stride() const { return stride_; }
  uint8_t* row(uint32_t number) { return chunks_[number >> chunk_shift_].get() + (number & chunk_mask_) * stride_; }
  // Rows and index.
  size_t octets() const;

  struct Outcome {
    size_t made = 0;     // rows
    size_t refused = 0;  // keys that found no place
  };
  // For each of `n` (at most kBatch) keys, side by side at `keys`: the number of its row in `rows`, and in `octets`
  // where it lies. At most `budget` new rows are made; what finds no place gets kNone, and no octets.
  Outcome FindOrInsert(const uint8_t* keys, size_t n, size_t budget, uint32_t* rows, uint8_t** octets) {
    return (this->*find_or_insert_)(keys, n, budget, rows, octets);
  }
  // A row that no key leads to: for the overflow group. Its key is zero.
  uint32_t AppendUnindexed();

  // Hands over the rows; the table is empty afterwards, and as new.
  AggregateBatch::Rows Release();
  // A copy of the rows.
  AggregateBatch::Rows Copy() const;

 private:
  struct Index {
    base::ZeroedMemory memory;
    uint64_t* slots = nullptr;
    uint32_t shift = 32;  // of the hash, to the place of its first slot
    size_t mask = 0;
    size_t size() const { return slots == nullptr ? 0 : mask + 1; }
  };

  static Index NewIndex(unsigned log2_slots);
  template <size_t kWords>
  Outcome FindOrInsertWords(const uint8_t* keys, size_t n, size_t budget, uint32_t* rows, uint8_t** octets);
  template <size_t kWords>
  bool KeyEquals(const uint8_t* row, const uint8_t* key) const;
  template <size_t kWords>
  uint32_t Find(const Index& index, uint32_t tag, const uint8_t* key);
  static uint32_t Candidate(const Index& index, uint32_t tag);
  void Prefetch(const uint8_t* row) const;
  uint32_t NewRow(const uint8_t* key);
  static void Place(Index* index, uint64_t slot);
  void Grow();
  void Migrate(size_t slots);

  size_t key_octets_;
  size_t stride_;
  unsigned chunk_shift_;
  size_t chunk_mask_;
  base::KeyHash hash_;
  Outcome (GroupTable::*find_or_insert_)(const uint8_t*, size_t, size_t, uint32_t*, uint8_t**);

  std::vector<Chunk> chunks_;
  size_t size_ = 0;
  Index index_;
  size_t indexed_ = 0;  // rows in index_ and old_
  size_t grow_at_ = 0;
  Index old_;  // while it is being moved: slots before moved_ are in index_, too
  size_t moved_ = 0;
};

}  // namespace flowacct::aggregate

#endif  // FLOWACCT_AGGREGATE_GROUP_TABLE_H_
