// Finds the first rule of a list whose condition a record meets, with a cost that does not grow with the rules.
//
// Tuple space search (Srinivasan, Suri, Varghese 1999): keys with the same parts (fields, prefix lengths, bits) make
// one hash table, a *signature*, so that a look-up a signature finds all of its rules. Signatures are asked in the
// order of their first rules, and no longer once an earlier rule was found. Where an address field has many prefix
// lengths, a longest-prefix match tells first which signatures can know the address at all, so that a record is looked
// up in few of them ("tuple pruning").
//
// Keys are packed: a part takes no more bits than the largest value that rules have of it, and a record whose value has
// more is not looked up. So most keys are one word.
//
// Ownership, threads: built by one, then immutable and for any. Cost: MatchState::Find (match_state.h) works on 64 rows
// at a time; a look-up is a hash, an octet a key to know that there is none, and a cache line if there is one. Memory:
// a key takes its words, a word that says where its rules are, and an octet, at a load of at most 0.8; a field that is
// pruned takes an lpm::LpmTable, at least 512 KiB.

#ifndef FLOWACCT_ENRICH_RULES_MATCH_TABLE_H_
#define FLOWACCT_ENRICH_RULES_MATCH_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "flowacct/base/ip_prefix.h"
#include "flowacct/enrich/rules/key_terms.h"
#include "flowacct/lpm/lpm_table.h"
#include "flowacct/record/field.h"

namespace flowacct::enrich {

class MatchTable {
 public:
  static constexpr uint32_t kNoRule = 0xffffffff;
  static constexpr uint32_t kMaxRules = 0x7fffffff;
  static constexpr size_t kMaxKeyWords = 16;
  static constexpr size_t kGroup = 8;  // slots whose tags are looked at together

  // A rule that a key leads to. `check`: its condition asks for more than the key.
  struct Hit {
    uint32_t rule : 31;
    uint32_t check : 1;
  };
  // Where a part, or one of the two halves of an IPv6 prefix, lies in a key.
  struct Piece {
    size_t part;       // of the signature
    bool low = false;  // the second half of an IPv6 prefix
    uint8_t drop = 0;  // low bits of what is loaded that are no part of the prefix
    uint8_t width = 0;
    uint8_t word = 0;
    uint8_t shift = 0;
  };
  struct Signature {
    std::vector<KeyPart> parts;
    std::vector<Piece> pieces;
    size_t words = 0;         // of a key
    uint32_t first_rule = 0;  // that any of its keys leads to
    // Open addressing by groups of slots. A tag is an octet: 0 of a free slot, else the upper bit and 7 bits of the
    // hash. A slot is the key's words and one that says where its rules are: their number, and either the only one or
    // the place of the first in hits().
    std::vector<uint8_t> tags;
    std::vector<uint64_t> slots;
    size_t group_mask = 0;
    bool pruned = false;  // asked only if the longest prefixes of the record's addresses say so
  };
  // Of one address field: which signatures may know an address.
  struct Pruner {
    record::FieldId field{};
    lpm::LpmTable<uint32_t> table;  // numbers of sets
    std::vector<uint64_t> sets;     // words() each; 0 is that of an address that no prefix holds
  };

  const std::vector<Signature>& signatures() const { return signatures_; }
  const std::vector<Pruner>& pruners() const { return pruners_; }
  const std::vector<Hit>& hits() const { return hits_; }
  // Of a set of signatures.
  size_t words() const { return (signatures_.size() + 63) / 64; }
  size_t keys() const { return keys_; }
  // The most rules that one key leads to.
  size_t longest_chain() const { return longest_chain_; }
  size_t octets() const;

 private:
  friend class MatchTableBuilder;
  std::vector<Signature> signatures_;  // by first_rule
  std::vector<Pruner> pruners_;
  std::vector<Hit> hits_;
  size_t keys_ = 0;
  size_t longest_chain_ = 0;
};

class MatchTableBuilder {
 public:
  // `rule` ascends from call to call.
  void Add(uint32_t rule, const Key& key, bool check);
  size_t size() const { return entries_; }
  MatchTable Build() &&;

 private:
  // The keys of one signature, not packed yet.
  struct Pending {
    std::vector<KeyPart> parts;
    std::vector<uint64_t> values;  // of each key, two for each part
    std::vector<MatchTable::Hit> hits;
  };
  static void BuildSignature(const Pending& pending, MatchTable* table);
  static void BuildPruners(const std::vector<const Pending*>& order, MatchTable* table);

  std::map<std::vector<KeyPart>, size_t> numbers_;
  std::vector<std::unique_ptr<Pending>> pending_;
  size_t entries_ = 0;
};

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_RULES_MATCH_TABLE_H_
