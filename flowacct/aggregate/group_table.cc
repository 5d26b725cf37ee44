#include "flowacct/aggregate/group_table.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace flowacct::aggregate {
namespace {

constexpr unsigned kFirstLog2Slots = 10;
// Moved by each batch: four slots for each row that it may insert, so a move of N slots ends after N / 4 insertions,
// long before the new index, which has room for 11 N / 16 more, is full.
constexpr size_t kMovedPerBatch = 4 * GroupTable::kBatch;
// A huge page, so that a large table needs few of the processor's address translations. Of the first chunk the system
// only gives what is touched, so that a bin of few groups costs little.
constexpr size_t kChunkOctets = base::kHugePageOctets;

constexpr size_t GrowAt(size_t slots) { return slots / 16 * 11; }

uint32_t Tag(uint64_t slot) { return static_cast<uint32_t>(slot >> 32); }
uint32_t RowOf(uint64_t slot) { return static_cast<uint32_t>(slot) - 1; }

}  // namespace

GroupTable::GroupTable(size_t key_octets, size_t payload_octets, uint64_t seed)
    : key_octets_(key_octets), stride_(std::max<size_t>(key_octets + payload_octets, 8)), hash_(seed, key_octets / 8) {
  chunk_shift_ = 4;
  while (((size_t{2} << chunk_shift_) * stride_) <= kChunkOctets) ++chunk_shift_;
  chunk_mask_ = (size_t{1} << chunk_shift_) - 1;
  index_ = NewIndex(kFirstLog2Slots);
  grow_at_ = GrowAt(index_.size());
  switch (key_octets / 8) {
    case 1:
      find_or_insert_ = &GroupTable::FindOrInsertWords<1>;
      break;
    case 2:
      find_or_insert_ = &GroupTable::FindOrInsertWords<2>;
      break;
    case 3:
      find_or_insert_ = &GroupTable::FindOrInsertWords<3>;
      break;
    case 5:  // two addresses, or the 5-tuple
      find_or_insert_ = &GroupTable::FindOrInsertWords<5>;
      break;
    default:
      find_or_insert_ = &GroupTable::FindOrInsertWords<0>;
  }
}

GroupTable::Index GroupTable::NewIndex(unsigned log2_slots) {
  Index index;
  const size_t slots = size_t{1} << log2_slots;
  index.memory = base::ZeroedMemory(slots * sizeof(uint64_t));
  index.slots = reinterpret_cast<uint64_t*>(index.memory.data());
  index.shift = 32 - log2_slots;
  index.mask = slots - 1;
  return index;
}

size_t GroupTable::octets() const { return size_ * stride_ + 8 * (index_.size() + old_.size()); }

template <size_t kWords>
bool GroupTable::KeyEquals(const uint8_t* row, const uint8_t* key) const {
  const size_t words = kWords != 0 ? kWords : key_octets_ / 8;
  uint64_t difference = 0;
  for (size_t i = 0; i < words; ++i) {
    difference |= base::LoadHost<uint64_t>(row + 8 * i) ^ base::LoadHost<uint64_t>(key + 8 * i);
  }
  return difference == 0;
}

template <size_t kWords>
uint32_t GroupTable::Find(const Index& index, uint32_t tag, const uint8_t* key) {
  for (size_t at = tag >> index.shift;; ++at) {
    const uint64_t slot = index.slots[at & index.mask];
    if (slot == 0) return kNone;
    if (Tag(slot) == tag && KeyEquals<kWords>(row(RowOf(slot)), key)) return RowOf(slot);
  }
}

// The row of the first slot with these bits of hash.
uint32_t GroupTable::Candidate(const Index& index, uint32_t tag) {
  for (size_t at = tag >> index.shift;; ++at) {
    const uint64_t slot = index.slots[at & index.mask];
    if (slot == 0) return kNone;
    if (Tag(slot) == tag) return RowOf(slot);
  }
}

void GroupTable::Place(Index* index, uint64_t slot) {
  size_t at = Tag(slot) >> index->shift;
  while (index->slots[at & index->mask] != 0) ++at;
  index->slots[at & index->mask] = slot;
}

uint32_t GroupTable::NewRow(const uint8_t* key) {
  const uint32_t number = static_cast<uint32_t>(size_++);
  if (number >> chunk_shift_ == chunks_.size()) chunks_.push_back(NewChunk(kChunkOctets, /*huge=*/!chunks_.empty()));
  uint8_t* octets = row(number);
  std::memcpy(octets, key, key_octets_);
  std::memset(octets + key_octets_, 0, stride_ - key_octets_);
  return number;
}

uint32_t GroupTable::AppendUnindexed() {
  const std::vector<uint8_t> zero(key_octets_ + 1);
  return NewRow(zero.data());
}

void GroupTable::Grow() {
  Migrate(old_.size());  // never much: the last move ended long ago
  old_ = std::move(index_);
  moved_ = 0;
  index_ = NewIndex(32 - old_.shift + 1);
  grow_at_ = GrowAt(index_.size());
}

void GroupTable::Migrate(size_t slots) {
  const size_t end = std::min(old_.size(), moved_ + slots);
  for (; moved_ < end; ++moved_) {
    if (old_.slots[moved_] != 0) Place(&index_, old_.slots[moved_]);
  }
  if (moved_ == old_.size()) {
    old_ = Index();
    moved_ = 0;
  }
}

void GroupTable::Prefetch(const uint8_t* row) const {
  __builtin_prefetch(row, 1);
  for (size_t line = 64; line < stride_; line += 64) __builtin_prefetch(row + line, 1);
  __builtin_prefetch(row + stride_ - 1, 1);  // a row may begin in the middle of a line
}

template <size_t kWords>
GroupTable::Outcome GroupTable::FindOrInsertWords(const uint8_t* keys, size_t n, size_t budget, uint32_t* rows,
                                                  uint8_t** octets) {
  const size_t key_octets = kWords != 0 ? kWords * 8 : key_octets_;
  if (old_.size() != 0) Migrate(kMovedPerBatch);

  const uint64_t* const slots = index_.slots;
  const uint32_t shift = index_.shift;
  const size_t mask = index_.mask;
  uint32_t tags[kBatch];
  for (size_t i = 0; i < n; ++i) {
    const uint32_t tag = static_cast<uint32_t>(hash_.Hash<kWords>(keys + i * key_octets, key_octets / 8) >> 32);
    __builtin_prefetch(&slots[tag >> shift]);
    tags[i] = tag;
  }
  if (old_.size() != 0) {
    for (size_t i = 0; i < n; ++i) __builtin_prefetch(&old_.slots[tags[i] >> old_.shift]);
  }
  // The first slot with the same bits of hash is nearly always the right one.
  Chunk* const chunks = chunks_.data();
  for (size_t i = 0; i < n; ++i) {
    const uint32_t tag = tags[i];
    size_t at = tag >> shift;
    uint64_t slot = slots[at];
    while (Tag(slot) != tag && slot != 0) slot = slots[++at & mask];
    uint32_t candidate = slot == 0 ? kNone : RowOf(slot);
    if (candidate == kNone && old_.size() != 0) candidate = Candidate(old_, tag);
    uint8_t* row = nullptr;
    if (candidate != kNone) {
      row = chunks[candidate >> chunk_shift_].get() + (candidate & chunk_mask_) * stride_;
      Prefetch(row);
    }
    rows[i] = candidate;
    octets[i] = row;
  }
  Outcome outcome;
  for (size_t i = 0; i < n; ++i) {
    const uint8_t* key = keys + i * key_octets;
    if (octets[i] != nullptr && KeyEquals<kWords>(octets[i], key)) continue;
    uint32_t found = Find<kWords>(index_, tags[i], key);
    if (found == kNone && old_.size() != 0) found = Find<kWords>(old_, tags[i], key);
    if (found == kNone && outcome.made < budget) {
      if (indexed_ == grow_at_) Grow();
      found = NewRow(key);
      Place(&index_, uint64_t{tags[i]} << 32 | (found + 1));
      ++indexed_;
      ++outcome.made;
    }
    rows[i] = found;
    octets[i] = found != kNone ? row(found) : nullptr;
    outcome.refused += found == kNone ? 1 : 0;
  }
  return outcome;
}

AggregateBatch::Rows GroupTable::Copy() const {
  AggregateBatch::Rows rows;
  rows.rows_per_chunk = chunk_mask_ + 1;
  rows.size = size_;
  rows.stride = stride_;
  rows.values_offset = key_octets_;
  const size_t chunk_octets = rows.rows_per_chunk * stride_;
  for (size_t first = 0; first < size_; first += rows.rows_per_chunk) {
    const size_t octets = std::min(size_ - first, rows.rows_per_chunk) * stride_;
    rows.chunks.push_back(base::NewChunk(chunk_octets));
    std::memcpy(rows.chunks.back().get(), chunks_[first >> chunk_shift_].get(), octets);
  }
  return rows;
}

AggregateBatch::Rows GroupTable::Release() {
  AggregateBatch::Rows rows;
  rows.chunks = std::move(chunks_);
  rows.rows_per_chunk = chunk_mask_ + 1;
  rows.size = size_;
  rows.stride = stride_;
  rows.values_offset = key_octets_;
  chunks_.clear();
  size_ = 0;
  indexed_ = 0;
  old_ = Index();
  moved_ = 0;
  index_ = NewIndex(kFirstLog2Slots);
  grow_at_ = GrowAt(index_.size());
  return rows;
}

}  // namespace flowacct::aggregate
