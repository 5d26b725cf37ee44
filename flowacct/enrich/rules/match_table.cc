#include "flowacct/enrich/rules/match_table.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/enrich/rules/key_hash.h"

namespace flowacct::enrich {
namespace {

using Hit = MatchTable::Hit;
using Kind = KeyPart::Kind;
using Piece = MatchTable::Piece;

// From this many prefix lengths of an address field on, a longest-prefix match pays.
constexpr size_t kPrunedLengths = 4;

bool IsAddress(const KeyPart& part) { return part.kind == Kind::kV4 || part.kind == Kind::kV6; }

unsigned BitsOf(uint64_t number) { return number == 0 ? 0 : 64 - static_cast<unsigned>(__builtin_clzll(number)); }

// The prefix as numbers whose upper bits are the prefix'.
std::pair<uint64_t, uint64_t> NumbersOf(const KeyValue& value) {
  switch (value.part.kind) {
    case Kind::kV4:
      return {value.address.v4(), 0};
    case Kind::kV6:
      return {base::LoadBe64(value.address.data()), base::LoadBe64(value.address.data() + 8)};
    default:
      return {value.number, 0};
  }
}

// Where the parts lie in a key: the widest first, none across words. `largest`: what each part's value is at most.
size_t Pack(const std::vector<KeyPart>& parts, const std::vector<uint64_t>& largest, std::vector<Piece>* pieces) {
  for (size_t i = 0; i < parts.size(); ++i) {
    const KeyPart& part = parts[i];
    Piece piece;
    piece.part = i;
    if (part.kind == Kind::kV4) {
      piece.width = part.length;
      piece.drop = static_cast<uint8_t>(32 - part.length);
    } else if (part.kind == Kind::kV6) {
      piece.width = std::min<uint8_t>(part.length, 64);
      piece.drop = static_cast<uint8_t>(64 - piece.width);
      if (part.length > 64) {
        Piece low = piece;
        low.low = true;
        low.width = static_cast<uint8_t>(part.length - 64);
        low.drop = static_cast<uint8_t>(64 - low.width);
        pieces->push_back(low);
      }
    } else {
      piece.width = static_cast<uint8_t>(std::max(1u, BitsOf(largest[i])));
    }
    if (piece.width > 0) pieces->push_back(piece);
  }
  std::stable_sort(pieces->begin(), pieces->end(), [](const Piece& a, const Piece& b) { return a.width > b.width; });
  std::vector<unsigned> used;
  for (Piece& piece : *pieces) {
    size_t word = 0;
    while (word < used.size() && used[word] + piece.width > 64) ++word;
    if (word == used.size()) used.push_back(0);
    piece.word = static_cast<uint8_t>(word);
    piece.shift = static_cast<uint8_t>(used[word]);
    used[word] += piece.width;
  }
  return used.size();
}

// The slot of a key, or the free one where it belongs.
size_t FindSlot(const MatchTable::Signature& signature, const uint64_t* key) {
  const uint64_t hash = HashKey(key, signature.words);
  for (size_t group = hash & signature.group_mask;; group = (group + 1) & signature.group_mask) {
    for (size_t slot = group * MatchTable::kGroup; slot < (group + 1) * MatchTable::kGroup; ++slot) {
      if (signature.tags[slot] == 0) return slot;
      if (std::equal(key, key + signature.words, &signature.slots[slot * (signature.words + 1)])) return slot;
    }
  }
}

}  // namespace

size_t MatchTable::octets() const {
  size_t octets = hits_.capacity() * sizeof(Hit);
  for (const Signature& signature : signatures_) {
    octets += sizeof(Signature) + signature.tags.capacity() + 8 * signature.slots.capacity();
  }
  for (const Pruner& pruner : pruners_) octets += pruner.table.octets() + 8 * pruner.sets.capacity();
  return octets;
}

void MatchTableBuilder::Add(uint32_t rule, const Key& key, bool check) {
  std::vector<KeyPart> parts;
  for (const KeyValue& value : key) parts.push_back(value.part);
  const auto [place, is_new] = numbers_.emplace(parts, pending_.size());
  if (is_new) {
    pending_.push_back(std::make_unique<Pending>());
    pending_.back()->parts = std::move(parts);
  }
  Pending& pending = *pending_[place->second];
  for (const KeyValue& value : key) {
    const auto [first, second] = NumbersOf(value);
    pending.values.push_back(first);
    pending.values.push_back(second);
  }
  pending.hits.push_back(Hit{rule, check ? 1u : 0u});
  ++entries_;
}

void MatchTableBuilder::BuildSignature(const Pending& pending, MatchTable* table) {
  MatchTable::Signature signature;
  signature.parts = pending.parts;
  signature.first_rule = pending.hits.front().rule;
  const size_t parts = pending.parts.size(), keys = pending.hits.size();
  std::vector<uint64_t> largest(parts);
  for (size_t i = 0; i < keys; ++i) {
    for (size_t p = 0; p < parts; ++p) largest[p] = std::max(largest[p], pending.values[2 * (i * parts + p)]);
  }
  signature.words = Pack(signature.parts, largest, &signature.pieces);
  const size_t words = signature.words;
  std::vector<uint64_t> packed(keys * words);
  for (size_t i = 0; i < keys; ++i) {
    for (const Piece& piece : signature.pieces) {
      const uint64_t value = pending.values[2 * (i * parts + piece.part) + (piece.low ? 1 : 0)];
      packed[i * words + piece.word] |= value >> piece.drop << piece.shift;
    }
  }
  const auto key = [&](uint32_t i) { return packed.data() + i * words; };
  // Equal keys side by side, each in the order of the rules.
  std::vector<uint32_t> order(keys);
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return std::lexicographical_compare(key(a), key(a) + words, key(b), key(b) + words);
  });
  const auto same_key = [&](uint32_t a, uint32_t b) { return std::equal(key(a), key(a) + words, key(b)); };
  size_t distinct = 0;
  for (size_t i = 0; i < keys; ++i) distinct += i == 0 || !same_key(order[i - 1], order[i]) ? 1 : 0;
  size_t groups = 1;
  while (distinct * 5 > groups * MatchTable::kGroup * 4) groups *= 2;
  signature.group_mask = groups - 1;
  signature.tags.assign(groups * MatchTable::kGroup, 0);
  signature.slots.assign(groups * MatchTable::kGroup * (words + 1), 0);
  for (size_t begin = 0, end = 0; begin < keys; begin = end) {
    std::vector<Hit> chain;
    for (end = begin; end < keys && same_key(order[begin], order[end]); ++end) {
      const Hit hit = pending.hits[order[end]];
      if (chain.empty() || chain.back().rule != hit.rule) chain.push_back(hit);  // a rule may come to a key twice
    }
    const size_t slot = FindSlot(signature, key(order[begin]));
    signature.tags[slot] = TagOf(HashKey(key(order[begin]), words));
    uint64_t* const at = &signature.slots[slot * (words + 1)];
    std::copy(key(order[begin]), key(order[begin]) + words, at);
    uint32_t what;
    if (chain.size() == 1) {
      std::memcpy(&what, &chain[0], sizeof(what));
    } else {
      what = static_cast<uint32_t>(table->hits_.size());
      table->hits_.insert(table->hits_.end(), chain.begin(), chain.end());
    }
    at[words] = uint64_t{chain.size()} << 32 | what;
    table->longest_chain_ = std::max(table->longest_chain_, chain.size());
  }
  table->keys_ += distinct;
  table->signatures_.push_back(std::move(signature));
}

void MatchTableBuilder::BuildPruners(const std::vector<const Pending*>& order, MatchTable* table) {
  const size_t words = table->words();
  // The lengths of each address field.
  std::map<record::FieldId, std::vector<std::pair<Kind, uint8_t>>> lengths;
  for (const MatchTable::Signature& signature : table->signatures_) {
    for (const KeyPart& part : signature.parts) {
      if (!IsAddress(part)) continue;
      auto& known = lengths[part.field];
      if (std::find(known.begin(), known.end(), std::make_pair(part.kind, part.length)) == known.end()) {
        known.emplace_back(part.kind, part.length);
      }
    }
  }
  for (const auto& [field, known] : lengths) {
    if (known.size() < kPrunedLengths) continue;
    std::vector<std::pair<base::IpPrefix, uint32_t>> prefixes;  // with the signature that has it
    std::vector<uint64_t> without(words);                       // signatures that do not ask for this field
    for (uint32_t s = 0; s < order.size(); ++s) {
      const std::vector<KeyPart>& parts = order[s]->parts;
      const auto part = std::find_if(parts.begin(), parts.end(),
                                     [field = field](const KeyPart& candidate) { return candidate.field == field; });
      if (part == parts.end()) {
        without[s / 64] |= uint64_t{1} << (s % 64);
        continue;
      }
      table->signatures_[s].pruned = true;
      const size_t stride = 2 * parts.size();
      for (size_t i = 2 * static_cast<size_t>(part - parts.begin()); i < order[s]->values.size(); i += stride) {
        base::IpAddress address;
        if (part->kind == Kind::kV4) {
          address = base::IpAddress::V4(static_cast<uint32_t>(order[s]->values[i]));
        } else {
          base::StoreBe64(address.data(), order[s]->values[i]);
          base::StoreBe64(address.data() + 8, order[s]->values[i + 1]);
        }
        prefixes.emplace_back(base::IpPrefix(address, part->length), s);
      }
    }
    // IPv4 apart: its addresses lie in the midst of those of IPv6, but in none of its prefixes.
    std::sort(prefixes.begin(), prefixes.end(), [](const auto& a, const auto& b) {
      const bool a_is_v4 = a.first.address().IsV4(), b_is_v4 = b.first.address().IsV4();
      return a_is_v4 != b_is_v4 ? a_is_v4 : a < b;
    });
    MatchTable::Pruner pruner;
    pruner.field = field;
    std::map<std::vector<uint64_t>, uint32_t> numbers;
    const auto number_of = [&](const std::vector<uint64_t>& set) {
      const auto [place, is_new] = numbers.emplace(set, static_cast<uint32_t>(numbers.size()));
      if (is_new) pruner.sets.insert(pruner.sets.end(), set.begin(), set.end());
      return place->second;
    };
    number_of(without);
    lpm::LpmBuilder<uint32_t> builder;
    // Shorter prefixes come before those inside of them: what lies around the current one is on the stack.
    std::vector<std::pair<base::IpPrefix, std::vector<uint64_t>>> around;
    for (size_t i = 0; i < prefixes.size();) {
      const base::IpPrefix prefix = prefixes[i].first;
      while (!around.empty() && !around.back().first.Contains(prefix.address())) around.pop_back();
      std::vector<uint64_t> set = around.empty() ? without : around.back().second;
      for (; i < prefixes.size() && prefixes[i].first == prefix; ++i) {
        set[prefixes[i].second / 64] |= uint64_t{1} << (prefixes[i].second % 64);
      }
      builder.Add(prefix, number_of(set));
      around.emplace_back(prefix, std::move(set));
    }
    pruner.table = std::move(builder).Build();
    table->pruners_.push_back(std::move(pruner));
  }
}

MatchTable MatchTableBuilder::Build() && {
  MatchTable table;
  std::vector<const Pending*> order;
  for (const auto& pending : pending_) order.push_back(pending.get());
  std::stable_sort(order.begin(), order.end(),
                   [](const Pending* a, const Pending* b) { return a->hits.front().rule < b->hits.front().rule; });
  for (const Pending* pending : order) BuildSignature(*pending, &table);
  BuildPruners(order, &table);
  table.hits_.shrink_to_fit();
  return table;
}

}  // namespace flowacct::enrich
