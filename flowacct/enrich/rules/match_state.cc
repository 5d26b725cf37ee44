#include "flowacct/enrich/rules/match_state.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "flowacct/base/octets.h"
#include "flowacct/enrich/rules/key_hash.h"

namespace flowacct::enrich {
namespace {

using Hit = MatchTable::Hit;
using Kind = KeyPart::Kind;

size_t LowestBit(uint64_t bits) { return static_cast<size_t>(__builtin_ctzll(bits)); }

bool IsV4(const uint8_t* address) {
  return base::LoadHost<uint64_t>(address) == 0 && base::LoadBe32(address + 8) == 0xffff;
}

// Above some 64 KiB of slots.
constexpr size_t kPrefetchedWords = 8192;

constexpr uint64_t kLow = 0x0101010101010101, kHigh = 0x8080808080808080;

// The upper bits of those of eight tags that are the hash's; also of some that are not, which their keys tell.
uint64_t SameTags(uint64_t tags, uint64_t hash) {
  const uint64_t differ = tags ^ (kLow * TagOf(hash));
  return (differ - kLow) & ~differ & kHigh;
}

// Packs `load(row)`, of which the piece drops its lowest bits, into the keys; returns a bit for each row whose value
// has more bits than any key's.
template <typename Load>
uint64_t Pack(const MatchTable::Piece& piece, const uint8_t* const* at, size_t n, uint64_t* word, Load load) {
  uint64_t wider = 0;
  const uint64_t largest = ~uint64_t{0} >> (64 - piece.width);
  for (size_t j = 0; j < n; ++j) {
    const uint64_t value = load(at[j]) >> piece.drop;
    wider |= uint64_t{value > largest} << j;
    word[j] |= value << piece.shift;
  }
  return wider;
}

template <typename T>
uint64_t PackNumbers(const MatchTable::Piece& piece, const uint8_t* const* at, size_t n, uint64_t* word, size_t offset,
                     uint64_t mask) {
  return Pack(piece, at, n, word,
              [offset, mask](const uint8_t* row) { return base::LoadHost<T>(row + offset) & mask; });
}

}  // namespace

uint32_t TextNumbers::Number(const TextTable& texts, base::InternId id, const base::Interner& interner) {
  if (id < numbers_.size() && numbers_[id] != kUnasked) return numbers_[id];
  const std::optional<uint32_t> known = texts.Find(base::AsText(interner.Find(id)));
  const uint32_t number = known ? *known + 1 : 0;
  if (id < interner.size()) {  // which any id of this interner is
    if (id >= numbers_.size()) numbers_.resize(interner.size(), kUnasked);
    numbers_[id] = number;
  }
  return number;
}

MatchState::MatchState(const MatchTable* table, const TextTable* texts, const record::Layout& layout)
    : table_(table), texts_(texts) {
  for (const MatchTable::Signature& signature : table->signatures()) {
    Bound bound;
    for (const KeyPart& part : signature.parts) {
      if (!layout.Has(part.field)) {
        bound.impossible = true;
        break;
      }
      bound.offsets.push_back(layout.offset(part.field));
      // Rows are whole eights of octets, so that eight of them can be loaded.
      const uint16_t index = layout.index(part.field), offset = static_cast<uint16_t>(index / 64 * 8);
      auto presence = std::find_if(bound.presence.begin(), bound.presence.end(),
                                   [offset](const Presence& known) { return known.offset == offset; });
      if (presence == bound.presence.end()) presence = bound.presence.insert(presence, {offset, 0});
      presence->bits |= uint64_t{1} << (index % 64);  // little endian: the low octets come first
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
  uint64_t masks[kBlock];
  for (size_t word = 0; word < words; ++word) {
    std::fill(masks, masks + n, ~uint64_t{0});
    for (size_t p = 0; p < pruners.size(); ++p) {
      if (pruner_offsets_[p] == record::Layout::kAbsent) continue;  // then its signatures are impossible
      // Done again for each word: lists with more than 64 signatures are rare.
      pruners[p].table.FindBatch(base + pruner_offsets_[p], batch.stride(), n, found);
      for (size_t i = 0; i < n; ++i) {
        masks[i] &= pruners[p].sets[(found[i] == nullptr ? 0 : *found[i]) * words + word];
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

uint64_t MatchState::FillKeys(const MatchTable::Signature& signature, const Bound& bound, const uint8_t* const* at,
                              size_t n, const base::Interner& interner, TextNumbers* numbers) {
  for (size_t word = 0; word < signature.words; ++word) std::fill(keys_[word], keys_[word] + n, 0);
  uint64_t unfit = 0;
  for (size_t p = 0; p < signature.parts.size(); ++p) {
    const Kind kind = signature.parts[p].kind;
    if (kind != Kind::kV4 && kind != Kind::kV6) continue;
    for (size_t j = 0; j < n; ++j) {
      unfit |= uint64_t{IsV4(at[j] + bound.offsets[p]) != (kind == Kind::kV4)} << j;
    }
  }
  for (const MatchTable::Piece& piece : signature.pieces) {
    const KeyPart& part = signature.parts[piece.part];
    const size_t offset = bound.offsets[piece.part];
    uint64_t* const word = keys_[piece.word];
    switch (part.kind) {
      case Kind::kNumber:
        switch (record::FieldTypeSize(record::Info(part.field).type)) {
          case 1:
            unfit |= PackNumbers<uint8_t>(piece, at, n, word, offset, part.mask);
            break;
          case 2:
            unfit |= PackNumbers<uint16_t>(piece, at, n, word, offset, part.mask);
            break;
          case 4:
            unfit |= PackNumbers<uint32_t>(piece, at, n, word, offset, part.mask);
            break;
          default:
            unfit |= PackNumbers<uint64_t>(piece, at, n, word, offset, part.mask);
            break;
        }
        break;
      case Kind::kMac:
        unfit |= Pack(piece, at, n, word, [offset](const uint8_t* row) {
          uint64_t mac = 0;
          std::memcpy(&mac, row + offset, 6);
          return mac;
        });
        break;
      case Kind::kText:
        unfit |= Pack(piece, at, n, word, [&](const uint8_t* row) {
          return uint64_t{numbers->Number(*texts_, base::LoadHost<base::InternId>(row + offset), interner)};
        });
        break;
      case Kind::kV4:
        Pack(piece, at, n, word, [offset](const uint8_t* row) { return uint64_t{base::LoadBe32(row + offset + 12)}; });
        break;
      case Kind::kV6: {
        const size_t half = offset + (piece.low ? 8 : 0);
        Pack(piece, at, n, word, [half](const uint8_t* row) { return base::LoadBe64(row + half); });
        break;
      }
    }
  }
  return ~unfit & (~uint64_t{0} >> (kBlock - n));
}

void MatchState::PrefetchSlots(const MatchTable::Signature& signature, const uint64_t* hashes, uint64_t keys) const {
  for (uint64_t left = keys; left != 0; left &= left - 1) {
    const uint64_t hash = hashes[LowestBit(left)];
    const size_t group = (hash & signature.group_mask) * MatchTable::kGroup;
    const uint64_t same = SameTags(base::LoadHost<uint64_t>(&signature.tags[group]), hash);
    if (same != 0) __builtin_prefetch(&signature.slots[(group + LowestBit(same) / 8) * (signature.words + 1)]);
  }
}

const uint64_t* MatchState::FindSlot(const MatchTable::Signature& signature, size_t j, uint64_t hash) const {
  for (size_t group = hash & signature.group_mask;; group = (group + 1) & signature.group_mask) {
    const uint64_t tags = base::LoadHost<uint64_t>(&signature.tags[group * MatchTable::kGroup]);
    for (uint64_t same = SameTags(tags, hash); same != 0; same &= same - 1) {
      const size_t slot = group * MatchTable::kGroup + LowestBit(same) / 8;
      const uint64_t* const at = &signature.slots[slot * (signature.words + 1)];
      size_t word = 0;
      while (word < signature.words && at[word] == keys_[word][j]) ++word;
      if (word == signature.words) return at;
    }
    if ((~tags & kHigh) != 0) return nullptr;  // a free slot: what belongs here is not further on
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
    const Bound& bound = bound_[s];
    if (bound.impossible) continue;
    // Rows that have found an earlier rule than any of these are done; so are those that lack a field.
    const uint8_t* at[kBlock];
    uint8_t row_of[kBlock];
    size_t n = 0;
    for (uint64_t left = signature.pruned ? rows_of_[s] : rows; left != 0; left &= left - 1) {
      const size_t i = LowestBit(left);
      const uint8_t* const row = base + i * batch.stride();
      bool asked = rule[i] > signature.first_rule;
      for (const Presence& presence : bound.presence) {
        asked = asked && (base::LoadHost<uint64_t>(row + presence.offset) & presence.bits) == presence.bits;
      }
      at[n] = row;
      row_of[n] = static_cast<uint8_t>(i);
      n += asked ? 1 : 0;
    }
    if (n == 0) continue;
    const uint64_t fit = FillKeys(signature, bound, at, n, batch.interner(), numbers);
    uint64_t hashes[kBlock];
    for (size_t j = 0; j < n; ++j) {
      hashes[j] = HashKey(&keys_[0][j], signature.words, kBlock);
      __builtin_prefetch(&signature.tags[(hashes[j] & signature.group_mask) * MatchTable::kGroup]);
    }
    // Small tables are in the cache anyway.
    if (signature.slots.size() > kPrefetchedWords) PrefetchSlots(signature, hashes, fit);
    const uint64_t* slots[kBlock];
    uint64_t found = 0;
    for (uint64_t left = fit; left != 0; left &= left - 1) {
      const size_t j = LowestBit(left);
      slots[j] = FindSlot(signature, j, hashes[j]);
      found |= uint64_t{slots[j] != nullptr} << j;
    }
    for (; found != 0; found &= found - 1) {
      const size_t j = LowestBit(found), i = row_of[j];
      const uint64_t what = slots[j][signature.words];
      const uint32_t low = static_cast<uint32_t>(what);
      const size_t count = static_cast<size_t>(what >> 32);
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
