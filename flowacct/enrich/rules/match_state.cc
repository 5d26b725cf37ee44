// The look-ups of MatchTable, 64 rows at a time.

#include <algorithm>
#include <cstring>

#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/enrich/rules/key_hash.h"
#include "flowacct/enrich/rules/match_table.h"

namespace flowacct::enrich {
namespace {

using Hit = MatchTable::Hit;

size_t LowestBit(uint64_t bits) { return static_cast<size_t>(__builtin_ctzll(bits)); }

// Numbers of `sizeof(T)` octets, masked, from rows to keys.
template <typename T>
void FillNumbers(const uint8_t* field, size_t stride, const uint8_t* rows, size_t n, uint64_t mask, uint8_t* keys,
                 size_t key_stride) {
  const T bits = static_cast<T>(mask);
  for (size_t j = 0; j < n; ++j) {
    base::StoreHost<T>(keys + j * key_stride, base::LoadHost<T>(field + rows[j] * stride) & bits);
  }
}

}  // namespace

MatchState::MatchState(const MatchTable* table, const TextTable* texts, const record::Layout& layout)
    : table_(table), texts_(texts) {
  for (const MatchTable::Signature& signature : table->signatures()) {
    Bound bound;
    uint16_t at = 0;
    for (const KeyPart& part : signature.parts) {
      Place place{};
      place.part = part;
      place.at = at;
      at = static_cast<uint16_t>(at + part.size());
      if (!layout.Has(part.field)) {
        bound.impossible = true;
        break;
      }
      place.offset = layout.offset(part.field);
      place.presence_octet = static_cast<uint16_t>(layout.index(part.field) >> 3);
      place.presence_bit = static_cast<uint8_t>(layout.index(part.field) & 7);
      place.size = static_cast<uint8_t>(record::FieldTypeSize(record::Info(part.field).type));
      if (part.kind == KeyPart::Kind::kV4) {
        const uint32_t mask = part.length == 0 ? 0 : ~uint32_t{0} << (32 - part.length);
        place.part.mask = __builtin_bswap32(mask);  // as it lies in memory
      } else if (part.kind == KeyPart::Kind::kV6) {
        uint8_t octets[16];
        for (unsigned i = 0; i < 16; ++i) {
          const unsigned of_octet = part.length > 8 * i ? std::min(part.length - 8 * i, 8u) : 0;
          octets[i] = static_cast<uint8_t>(0xff00 >> of_octet);
        }
        std::memcpy(place.v6_mask, octets, 16);
      }
      bound.places.push_back(place);
    }
    bound_.push_back(std::move(bound));
  }
  for (const MatchTable::Pruner& pruner : table->pruners()) pruner_offsets_.push_back(layout.offset(pruner.field));
  rows_of_.resize(table->signatures().size());
}

void MatchState::Prune(const record::FlowBatch& batch, size_t first, uint64_t rows) {
  std::fill(rows_of_.begin(), rows_of_.end(), 0);
  const size_t n = std::min(kBlock, batch.size() - first);
  const uint8_t* const base = batch.data() + first * batch.stride();
  const size_t words = table_->words();
  const std::vector<MatchTable::Pruner>& pruners = table_->pruners();
  const uint32_t* found[kBlock];
  const uint64_t* sets[kBlock];
  uint64_t possible = ~uint64_t{0};
  for (size_t word = 0; word < words; ++word) {
    uint64_t masks[kBlock];
    std::fill(masks, masks + n, possible);
    for (size_t p = 0; p < pruners.size(); ++p) {
      if (pruner_offsets_[p] == record::Layout::kAbsent) continue;  // then its signatures are impossible
      // Of one word, the look-up is done once; of several, once a word: lists with more than 64 signatures are rare.
      pruners[p].table.FindBatch(base + pruner_offsets_[p], batch.stride(), n, found);
      for (size_t i = 0; i < n; ++i) {
        sets[i] = pruners[p].sets.data() + (found[i] == nullptr ? 0 : *found[i] * words);
        masks[i] &= sets[i][word];
      }
    }
    for (uint64_t left = rows; left != 0; left &= left - 1) {
      const size_t i = LowestBit(left);
      for (uint64_t set = masks[i]; set != 0; set &= set - 1) {
        const size_t signature = word * 64 + LowestBit(set);
        if (signature >= rows_of_.size()) break;
        rows_of_[signature] |= uint64_t{1} << i;
      }
    }
  }
}

uint64_t MatchState::Present(const Bound& bound, const uint8_t* base, size_t stride, uint64_t rows) {
  for (const Place& place : bound.places) {
    const uint8_t* const presence = base + place.presence_octet;
    const uint8_t* const value = base + place.offset;
    uint64_t present = 0;
    if (place.part.kind == KeyPart::Kind::kV4 || place.part.kind == KeyPart::Kind::kV6) {
      const bool v4 = place.part.kind == KeyPart::Kind::kV4;
      for (uint64_t left = rows; left != 0; left &= left - 1) {
        const size_t i = LowestBit(left);
        const bool is_v4 =
            base::LoadHost<uint64_t>(value + i * stride) == 0 && base::LoadBe32(value + i * stride + 8) == 0xffff;
        present |= uint64_t{(presence[i * stride] >> place.presence_bit & 1) != 0 && is_v4 == v4} << i;
      }
    } else {
      for (uint64_t left = rows; left != 0; left &= left - 1) {
        const size_t i = LowestBit(left);
        present |= uint64_t{static_cast<uint64_t>(presence[i * stride] >> place.presence_bit & 1)} << i;
      }
    }
    rows = present;
  }
  return rows;
}

void MatchState::FillKeys(const Bound& bound, size_t words, const record::FlowBatch& batch, size_t first,
                          const uint8_t* indices, size_t n, TextNumbers* numbers) {
  const size_t key_stride = words * 8;
  uint8_t* const keys = reinterpret_cast<uint8_t*>(keys_);
  if (words > 0) {
    for (size_t j = 0; j < n; ++j) keys_[j * words + words - 1] = 0;  // only the last word may have octets to spare
  }
  const uint8_t* const base = batch.data() + first * batch.stride();
  const size_t stride = batch.stride();
  for (const Place& place : bound.places) {
    const uint8_t* const field = base + place.offset;
    uint8_t* const out = keys + place.at;
    switch (place.part.kind) {
      case KeyPart::Kind::kNumber:
        switch (place.size) {
          case 1:
            FillNumbers<uint8_t>(field, stride, indices, n, place.part.mask, out, key_stride);
            break;
          case 2:
            FillNumbers<uint16_t>(field, stride, indices, n, place.part.mask, out, key_stride);
            break;
          case 4:
            FillNumbers<uint32_t>(field, stride, indices, n, place.part.mask, out, key_stride);
            break;
          default:
            FillNumbers<uint64_t>(field, stride, indices, n, place.part.mask, out, key_stride);
            break;
        }
        break;
      case KeyPart::Kind::kMac:
        for (size_t j = 0; j < n; ++j) {
          uint64_t mac = 0;
          std::memcpy(&mac, field + indices[j] * stride, 6);
          base::StoreHost(out + j * key_stride, mac);
        }
        break;
      case KeyPart::Kind::kText:
        for (size_t j = 0; j < n; ++j) {
          const auto id = base::LoadHost<base::InternId>(field + indices[j] * stride);
          base::StoreHost(out + j * key_stride, numbers->Number(*texts_, id, batch.interner()));
        }
        break;
      case KeyPart::Kind::kV4:
        FillNumbers<uint32_t>(field + 12, stride, indices, n, place.part.mask, out, key_stride);
        break;
      case KeyPart::Kind::kV6:
        for (size_t j = 0; j < n; ++j) {
          const uint8_t* const address = field + indices[j] * stride;
          base::StoreHost(out + j * key_stride, base::LoadHost<uint64_t>(address) & place.v6_mask[0]);
          base::StoreHost(out + j * key_stride + 8, base::LoadHost<uint64_t>(address + 8) & place.v6_mask[1]);
        }
        break;
    }
  }
}

void MatchState::Find(const record::FlowBatch& batch, size_t first, uint64_t rows, const uint32_t* from,
                      TextNumbers* numbers, RuleChecker* checker, uint32_t* rule) {
  const std::vector<MatchTable::Signature>& signatures = table_->signatures();
  std::fill(rule, rule + kBlock, MatchTable::kNoRule);
  if (!table_->pruners().empty()) Prune(batch, first, rows);
  const uint8_t* const base = batch.data() + first * batch.stride();
  for (size_t s = 0; s < signatures.size(); ++s) {
    const MatchTable::Signature& signature = signatures[s];
    if (bound_[s].impossible) continue;
    uint64_t asked = signature.pruned ? rows_of_[s] : rows;
    // Rows that have found an earlier rule than any of these are done.
    uint64_t open = 0;
    for (uint64_t left = asked; left != 0; left &= left - 1) {
      const size_t i = LowestBit(left);
      open |= uint64_t{rule[i] > signature.first_rule} << i;
    }
    if (open == 0) continue;
    asked = Present(bound_[s], base, batch.stride(), open);
    if (asked == 0) continue;
    uint8_t indices[kBlock];
    size_t n = 0;
    for (uint64_t left = asked; left != 0; left &= left - 1) indices[n++] = static_cast<uint8_t>(LowestBit(left));
    const size_t words = signature.words, stride = words + 1;
    FillKeys(bound_[s], words, batch, first, indices, n, numbers);
    size_t slots[kBlock];
    for (size_t j = 0; j < n; ++j) {
      slots[j] = HashKey(keys_ + j * words, words) & signature.slot_mask;
      __builtin_prefetch(&signature.slots[slots[j] * stride]);
    }
    for (size_t j = 0; j < n; ++j) {
      const uint64_t* const key = keys_ + j * words;
      size_t slot = slots[j];
      uint64_t what;
      while ((what = signature.slots[slot * stride + words]) != 0 &&
             !std::equal(key, key + words, &signature.slots[slot * stride])) {
        slot = (slot + 1) & signature.slot_mask;
      }
      if (what == 0) continue;
      const size_t i = indices[j];
      const size_t count = static_cast<size_t>(what >> 32);
      const uint32_t low = static_cast<uint32_t>(what);
      Hit only;
      std::memcpy(&only, &low, sizeof(only));
      const Hit* const hits = count == 1 ? &only : table_->hits().data() + low;
      for (size_t h = 0; h < count && hits[h].rule < rule[i]; ++h) {
        if (hits[h].rule < from[i]) continue;
        if (hits[h].check != 0 && !checker->Passes(hits[h].rule, batch, first + i)) continue;
        rule[i] = hits[h].rule;
        break;
      }
    }
  }
}

}  // namespace flowacct::enrich
