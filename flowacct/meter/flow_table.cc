#include "flowacct/meter/flow_table.h"

#include <utility>

#include "flowacct/base/octets.h"

namespace flowacct::meter {
namespace {

uint32_t Tag(uint64_t slot) { return static_cast<uint32_t>(slot >> 32); }
uint32_t RowOf(uint64_t slot) { return static_cast<uint32_t>(slot) - 1; }

}  // namespace

FlowTable::FlowTable(size_t row_octets, std::vector<uint64_t> key_mask, size_t max_rows, uint64_t seed)
    : row_octets_(row_octets),
      key_mask_(std::move(key_mask)),
      words_(key_mask_.size()),
      max_rows_(max_rows),
      hash_(seed, words_),
      keys_(kBlock * words_ * 8 + 8),  // never null
      erased_key_(words_ * 8 + 8) {
  chunk_shift_ = 4;
  while (((size_t{2} << chunk_shift_) * row_octets_) <= base::kHugePageOctets) ++chunk_shift_;
  chunk_mask_ = (size_t{1} << chunk_shift_) - 1;
  unsigned log2_slots = 6;
  while (((size_t{1} << log2_slots) / 16 * 11) < max_rows) ++log2_slots;
  index_memory_ = base::ZeroedMemory((size_t{1} << log2_slots) * sizeof(uint64_t));
  slots_ = reinterpret_cast<uint64_t*>(index_memory_.data());
  slot_shift_ = 32 - log2_slots;
  slot_mask_ = (size_t{1} << log2_slots) - 1;
}

size_t FlowTable::octets() const { return made_ * row_octets_ + (slot_mask_ + 1) * 8 + free_.capacity() * 4; }

void FlowTable::CutKey(const uint8_t* row, uint8_t* key) const {
  for (size_t i = 0; i < words_; ++i) {
    base::StoreHost<uint64_t>(key + 8 * i, base::LoadHost<uint64_t>(row + 8 * i) & key_mask_[i]);
  }
}

bool FlowTable::KeyEquals(const uint8_t* row, const uint8_t* key) const {
  uint64_t difference = 0;
  for (size_t i = 0; i < words_; ++i) {
    difference |= (base::LoadHost<uint64_t>(row + 8 * i) & key_mask_[i]) ^ base::LoadHost<uint64_t>(key + 8 * i);
  }
  return difference == 0;
}

void FlowTable::Begin(const uint8_t* packets, size_t n) {
  erased_ = false;
  for (size_t i = 0; i < n; ++i) {
    uint8_t* key = keys_.data() + i * words_ * 8;
    CutKey(packets + i * row_octets_, key);
    tags_[i] = TagOf(key);
    __builtin_prefetch(&slots_[tags_[i] >> slot_shift_], 1);
  }
  // The first slot with the same bits of hash is nearly always the right one.
  for (size_t i = 0; i < n; ++i) {
    candidates_[i] = kNone;
    for (size_t at = tags_[i] >> slot_shift_;; ++at) {
      const uint64_t slot = slots_[at & slot_mask_];
      if (slot == 0) break;
      if (Tag(slot) != tags_[i]) continue;
      candidates_[i] = RowOf(slot);
      Prefetch(candidates_[i]);
      break;
    }
  }
}

uint32_t FlowTable::Find(size_t i) {
  const uint8_t* key = keys_.data() + i * words_ * 8;
  if (!erased_ && candidates_[i] != kNone && KeyEquals(row(candidates_[i]), key)) return candidates_[i];
  for (size_t at = tags_[i] >> slot_shift_;; ++at) {
    const uint64_t slot = slots_[at & slot_mask_];
    if (slot == 0) return kNone;
    if (Tag(slot) == tags_[i] && KeyEquals(row(RowOf(slot)), key)) return RowOf(slot);
  }
}

uint32_t FlowTable::Insert(size_t i) {
  uint32_t number;
  if (!free_.empty()) {
    number = free_.back();
    free_.pop_back();
  } else {
    number = static_cast<uint32_t>(made_++);
    // Of the first chunk the system only gives what is touched, so that few flows cost little.
    if (number >> chunk_shift_ == chunks_.size()) {
      chunks_.push_back(base::NewChunk(((size_t{1} << chunk_shift_) * row_octets_ + base::kHugePageOctets - 1) /
                                           base::kHugePageOctets * base::kHugePageOctets,
                                       /*huge=*/!chunks_.empty()));
      free_.reserve(chunks_.size() << chunk_shift_);
    }
  }
  size_t at = tags_[i] >> slot_shift_;
  while (slots_[at & slot_mask_] != 0) ++at;
  slots_[at & slot_mask_] = uint64_t{tags_[i]} << 32 | (number + 1);
  return number;
}

void FlowTable::Erase(uint32_t number) {
  erased_ = true;
  CutKey(row(number), erased_key_.data());
  size_t at = TagOf(erased_key_.data()) >> slot_shift_;
  while (RowOf(slots_[at & slot_mask_]) != number) ++at;
  // What was pushed beyond its place by this one moves back, so that no probe meets a gap (Knuth, volume 3, 6.4, R).
  size_t gap = at & slot_mask_;
  for (at = gap + 1;; ++at) {
    const uint64_t slot = slots_[at & slot_mask_];
    if (slot == 0) break;
    const size_t home = Tag(slot) >> slot_shift_;
    if (((at - home) & slot_mask_) >= ((at - gap) & slot_mask_)) {
      slots_[gap] = slot;
      gap = at & slot_mask_;
    }
  }
  slots_[gap] = 0;
  free_.push_back(number);
}

}  // namespace flowacct::meter
