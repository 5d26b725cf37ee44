// Finds the first rule of a list whose condition a record meets, with a cost that does not grow with the rules.
//
// Tuple space search (Srinivasan, Suri, Varghese 1999): keys with the same parts (fields, prefix lengths, bits) make
// one hash table, a *signature*, so that a look-up a signature finds all of its rules. Signatures are asked in the
// order of their first rules, and no longer once an earlier rule was found. Where an address field has many prefix
// lengths, a longest-prefix match tells first which signatures can know the address at all, so that a record is looked
// up in few of them ("tuple pruning").
//
// Ownership, threads: built by one, then immutable and for any. Cost: MatchState::Find works on 64 rows at a time; a
// look-up is a hash and a prefetched cache line. Memory: a key takes its octets in whole 8 and 8 more, at a load of at
// most 0.6; a field that is pruned takes an lpm::LpmTable, at least 512 KiB.

#ifndef FLOWACCT_ENRICH_RULES_MATCH_TABLE_H_
#define FLOWACCT_ENRICH_RULES_MATCH_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "flowacct/base/interner.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/enrich/rules/key_terms.h"
#include "flowacct/enrich/text_table.h"
#include "flowacct/lpm/lpm_table.h"
#include "flowacct/record/field.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/layout.h"

namespace flowacct::enrich {

class MatchTable {
 public:
  static constexpr uint32_t kNoRule = 0xffffffff;
  static constexpr uint32_t kMaxRules = 0x7fffffff;
  static constexpr size_t kMaxKeyWords = 8;

  // A rule that a key leads to. `check`: its condition asks for more than the key.
  struct Hit {
    uint32_t rule : 31;
    uint32_t check : 1;
  };
  struct Signature {
    std::vector<KeyPart> parts;
    size_t words = 0;         // of a key
    uint32_t first_rule = 0;  // that any of its keys leads to
    // Open addressing; a slot is the key's words and one that says where its rules are: the number of rules (0: free)
    // and either the only one or the place of the first in hits_.
    std::vector<uint64_t> slots;
    size_t slot_mask = 0;
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
  struct Pending {
    std::vector<KeyPart> parts;
    std::vector<uint64_t> keys;
    std::vector<MatchTable::Hit> hits;
    std::vector<base::IpPrefix> prefixes;  // of each key, for each of its parts that is an address
    size_t words = 0;
    size_t addresses = 0;
  };
  void BuildSignature(Pending& pending, MatchTable* table);
  static void BuildPruners(const std::vector<Pending*>& order, MatchTable* table);

  std::map<std::vector<KeyPart>, size_t> numbers_;
  std::vector<std::unique_ptr<Pending>> pending_;
  size_t entries_ = 0;
};

// Asked for rules whose keys do not say all.
class RuleChecker {
 public:
  virtual ~RuleChecker() = default;
  virtual bool Passes(uint32_t rule, const record::FlowBatch& batch, size_t row) = 0;
};

// The numbers in keys, which are those of a table plus 1, of the texts of an interner, by id; of one worker.
class TextNumbers {
 public:
  void Meet(const base::Interner& interner) {
    if (identity_ == interner.identity()) return;
    identity_ = interner.identity();
    numbers_.clear();
  }
  // 0: none.
  uint32_t Number(const TextTable& texts, base::InternId id, const base::Interner& interner);

 private:
  static constexpr uint32_t kUnasked = 0xffffffff;
  std::shared_ptr<const void> identity_;
  std::vector<uint32_t> numbers_;
};

// What one worker needs to ask a table about batches of one layout. One at a time.
class MatchState {
 public:
  static constexpr size_t kBlock = 64;

  // `table` and `texts`, which KeysOf was given, outlive it.
  MatchState(const MatchTable* table, const TextTable* texts, const record::Layout& layout);

  // For each of the rows first + i, i of the bits of `rows`: sets rule[i] to the first rule from from[i] on that it
  // meets, or to kNoRule.
  void Find(const record::FlowBatch& batch, size_t first, uint64_t rows, const uint32_t* from, TextNumbers* numbers,
            RuleChecker* checker, uint32_t* rule);

 private:
  struct Place {
    uint16_t offset;
    uint16_t presence_octet;
    uint8_t presence_bit;
    uint8_t size;  // in the row
    uint16_t at;   // in the key
    KeyPart part;
    uint64_t v6_mask[2];  // as it lies in memory
  };
  struct Bound {
    std::vector<Place> places;
    bool impossible = false;  // the layout lacks a field
  };

  void Prune(const record::FlowBatch& batch, size_t first, uint64_t rows);
  // Those of `rows` that have all fields of the signature, of the right family.
  static uint64_t Present(const Bound& bound, const uint8_t* base, size_t stride, uint64_t rows);
  void FillKeys(const Bound& bound, size_t words, const record::FlowBatch& batch, size_t first, const uint8_t* indices,
                size_t n, TextNumbers* numbers);

  const MatchTable* table_;
  const TextTable* texts_;
  std::vector<Bound> bound_;
  std::vector<uint16_t> pruner_offsets_;
  std::vector<uint64_t> rows_of_;  // of each signature that is pruned
  uint64_t keys_[kBlock * MatchTable::kMaxKeyWords];
};

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_RULES_MATCH_TABLE_H_
