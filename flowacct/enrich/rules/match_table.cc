#include "flowacct/enrich/rules/match_table.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <optional>

#include "flowacct/base/octets.h"
#include "flowacct/enrich/rules/key_hash.h"

namespace flowacct::enrich {
namespace {

using Hit = MatchTable::Hit;

// From this many prefix lengths of an address field on, a longest-prefix match pays.
constexpr size_t kPrunedLengths = 4;

bool IsAddress(const KeyPart& part) { return part.kind == KeyPart::Kind::kV4 || part.kind == KeyPart::Kind::kV6; }

// Where each part lies in a key, and how many words a key has.
size_t WordsOf(const std::vector<KeyPart>& parts) {
  size_t octets = 0;
  for (const KeyPart& part : parts) octets += part.size();
  return (octets + 7) / 8;
}

size_t FindSlot(const MatchTable::Signature& signature, const uint64_t* key) {
  size_t slot = HashKey(key, signature.words) & signature.slot_mask;
  const size_t stride = signature.words + 1;
  while (signature.slots[slot * stride + signature.words] != 0 &&
         !std::equal(key, key + signature.words, &signature.slots[slot * stride])) {
    slot = (slot + 1) & signature.slot_mask;
  }
  return slot;
}

}  // namespace

size_t MatchTable::octets() const {
  size_t octets = hits_.capacity() * sizeof(Hit);
  for (const Signature& signature : signatures_) octets += sizeof(Signature) + 8 * signature.slots.capacity();
  for (const Pruner& pruner : pruners_) octets += pruner.table.octets() + 8 * pruner.sets.capacity();
  return octets;
}

void MatchTableBuilder::Add(uint32_t rule, const Key& key, bool check) {
  std::vector<KeyPart> parts;
  for (const KeyValue& value : key) parts.push_back(value.part);
  const auto [place, is_new] = numbers_.emplace(parts, pending_.size());
  if (is_new) {
    pending_.push_back(std::make_unique<Pending>());
    pending_.back()->words = WordsOf(parts);
    pending_.back()->addresses = static_cast<size_t>(std::count_if(parts.begin(), parts.end(), IsAddress));
    pending_.back()->parts = std::move(parts);
  }
  Pending& pending = *pending_[place->second];
  pending.keys.resize(pending.keys.size() + pending.words);
  uint8_t* at = reinterpret_cast<uint8_t*>(pending.keys.data() + pending.keys.size() - pending.words);
  for (const KeyValue& value : key) {
    if (value.part.kind == KeyPart::Kind::kV4) {
      std::memcpy(at, value.address.data() + 12, 4);
    } else if (value.part.kind == KeyPart::Kind::kV6) {
      std::memcpy(at, value.address.data(), 16);
    } else {
      std::memcpy(at, &value.number, value.part.size());  // little endian: the low octets come first
    }
    at += value.part.size();
    if (IsAddress(value.part)) pending.prefixes.emplace_back(value.address, value.part.length);
  }
  pending.hits.push_back(Hit{rule, check ? 1u : 0u});
  ++entries_;
}

void MatchTableBuilder::BuildSignature(Pending& pending, MatchTable* table) {
  MatchTable::Signature signature;
  signature.parts = pending.parts;
  signature.words = pending.words;
  signature.first_rule = pending.hits.front().rule;
  const auto key = [&](size_t i) { return pending.keys.data() + i * pending.words; };
  // Equal keys side by side, each in the order of the rules.
  std::vector<uint32_t> order(pending.hits.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return std::lexicographical_compare(key(a), key(a) + pending.words, key(b), key(b) + pending.words);
  });
  const auto same_key = [&](uint32_t a, uint32_t b) { return std::equal(key(a), key(a) + pending.words, key(b)); };
  size_t distinct = 0;
  for (size_t i = 0; i < order.size(); ++i) distinct += i == 0 || !same_key(order[i - 1], order[i]) ? 1 : 0;
  size_t slots = 2;
  while (distinct * 5 > slots * 3) slots *= 2;
  signature.slot_mask = slots - 1;
  const size_t stride = signature.words + 1;
  signature.slots.assign(slots * stride, 0);
  for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    std::vector<Hit> chain;
    for (end = begin; end < order.size() && same_key(order[begin], order[end]); ++end) {
      const Hit hit = pending.hits[order[end]];
      // A rule that comes to the same key twice is asked once; a rule that passes for sure ends the chain.
      if (!chain.empty() && chain.back().rule == hit.rule) continue;
      chain.push_back(hit);
    }
    const size_t slot = FindSlot(signature, key(order[begin]));
    uint64_t* const at = &signature.slots[slot * stride];
    std::copy(key(order[begin]), key(order[begin]) + signature.words, at);
    uint32_t what;
    if (chain.size() == 1) {
      std::memcpy(&what, &chain[0], sizeof(what));
    } else {
      what = static_cast<uint32_t>(table->hits_.size());
      table->hits_.insert(table->hits_.end(), chain.begin(), chain.end());
    }
    at[signature.words] = uint64_t{chain.size()} << 32 | what;
    table->longest_chain_ = std::max(table->longest_chain_, chain.size());
  }
  table->keys_ += distinct;
  table->signatures_.push_back(std::move(signature));
}

void MatchTableBuilder::BuildPruners(const std::vector<Pending*>& order, MatchTable* table) {
  const size_t words = table->words();
  // The lengths of each address field.
  std::map<record::FieldId, std::vector<std::pair<KeyPart::Kind, uint8_t>>> lengths;
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
      const Pending& pending = *order[s];
      size_t address = 0;
      bool asks = false;
      for (const KeyPart& part : pending.parts) {
        if (part.field == field) {
          asks = true;
          for (size_t i = address; i < pending.prefixes.size(); i += pending.addresses) {
            prefixes.emplace_back(pending.prefixes[i], s);
          }
        }
        address += IsAddress(part) ? 1 : 0;
      }
      if (asks) {
        table->signatures_[s].pruned = true;
      } else {
        without[s / 64] |= uint64_t{1} << (s % 64);
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
  std::vector<Pending*> order;
  for (const auto& pending : pending_) order.push_back(pending.get());
  std::stable_sort(order.begin(), order.end(),
                   [](const Pending* a, const Pending* b) { return a->hits.front().rule < b->hits.front().rule; });
  for (Pending* pending : order) BuildSignature(*pending, &table);
  BuildPruners(order, &table);
  table.hits_.shrink_to_fit();
  return table;
}

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

}  // namespace flowacct::enrich
