// The flows that go on: finds the row of each of a block of packets by their key, makes rows and gives them up again.
//
//     index: 8 octets a slot: 32 bits of the key's hash, 32 bits of row number + 1; linear probing
//     rows:  as packets lie in their batch, in chunks that never move; what was given up is used again
//
// aggregate/group_table.h is its sibling, whose rows stay until all of them are handed over and whose index grows. Here
// rows come and go, and their number is bounded beforehand: the index has its full size from the start (of which the
// system gives what is touched), and a row that goes closes its gap, so that nothing piles up over the years.
//
// A packet's row is a flow's row: what belongs to the key is told by a mask over its first words, as presence bits of
// other fields lie among them. A block is worked off in passes, so that memory is on its way before it is touched.
//
// Not checked: that numbers are of rows in use. Threads: one at a time. Cost: one hash, two prefetched look-ups and a
// compare a packet. Memory: row_octets a row (those in use at the busiest time), 16 to 24 octets of index a row of
// max_rows.

#ifndef FLOWACCT_METER_FLOW_TABLE_H_
#define FLOWACCT_METER_FLOW_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "flowacct/base/chunk.h"
#include "flowacct/base/octet_hash.h"

namespace flowacct::meter {

class FlowTable {
 public:
  static constexpr size_t kBlock = 64;
  static constexpr uint32_t kNone = 0xffffffff;
  static constexpr size_t kMaxRows = size_t{1} << 30;

  // `row_octets` in whole 8 octets, not 0. `key_mask`: of each 8 octets of a row, from the first to the last that hold
  // any of the key, the bits that do.
  FlowTable(size_t row_octets, std::vector<uint64_t> key_mask, size_t max_rows, uint64_t seed);

  size_t size() const { return made_ - free_.size(); }
  size_t max_rows() const { return max_rows_; }
  uint8_t* row(uint32_t number) { return chunks_[number >> chunk_shift_].get() + (number & chunk_mask_) * row_octets_; }
  // Rows and index.
  size_t octets() const;
  // The most that were in use at once.
  size_t rows_made() const { return made_; }
  // Calls visit(row) for each row in use, in no order.
  template <typename Visit>
  void ForEach(Visit visit) {
    for (size_t at = 0; at <= slot_mask_; ++at) {
      if (slots_[at] != 0) visit(static_cast<const uint8_t*>(row(static_cast<uint32_t>(slots_[at]) - 1)));
    }
  }

  // Takes the keys of `n` (at most kBlock) packets' rows, side by side, and sees to it that what Find needs is near.
  void Begin(const uint8_t* packets, size_t n);
  // The row of the `i`-th packet of the block; kNone if there is none.
  uint32_t Find(size_t i);
  // A new row for it, to which the caller copies the packet before anything else is asked; there was none, and there is
  // room.
  uint32_t Insert(size_t i);
  // Gives up a row, in a block or outside.
  void Erase(uint32_t number);

  void Prefetch(uint32_t number) {
    const uint8_t* octets = row(number);
    for (size_t line = 0; line < row_octets_; line += 64) __builtin_prefetch(octets + line, 1);
  }

 private:
  void CutKey(const uint8_t* row, uint8_t* key) const;
  bool KeyEquals(const uint8_t* row, const uint8_t* key) const;
  uint32_t TagOf(const uint8_t* key) const { return static_cast<uint32_t>(hash_.Hash<0>(key, words_) >> 32); }

  const size_t row_octets_;
  const std::vector<uint64_t> key_mask_;
  const size_t words_;
  const size_t max_rows_;
  unsigned chunk_shift_;
  size_t chunk_mask_;
  base::KeyHash hash_;

  std::vector<base::Chunk> chunks_;
  size_t made_ = 0;             // rows that the chunks hold, in use or not
  std::vector<uint32_t> free_;  // of these, those not in use
  base::ZeroedMemory index_memory_;
  uint64_t* slots_;
  unsigned slot_shift_;  // of the hash, to the place of its first slot
  size_t slot_mask_;

  // Of the block.
  std::vector<uint8_t> keys_;
  std::vector<uint8_t> erased_key_;
  uint32_t tags_[kBlock];
  uint32_t candidates_[kBlock];
  bool erased_ = false;  // something was given up: a candidate may be another flow by now
};

}  // namespace flowacct::meter

#endif  // FLOWACCT_METER_FLOW_TABLE_H_
