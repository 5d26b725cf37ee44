// The look-ups in a MatchTable, 64 rows at a time: what one worker needs to ask about batches of one layout.
//
// Ownership: borrows the table. Threads: one at a time. Cost: see match_table.h; no allocation but for texts that were
// not met before.

#ifndef FLOWACCT_ENRICH_RULES_MATCH_STATE_H_
#define FLOWACCT_ENRICH_RULES_MATCH_STATE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "flowacct/base/interner.h"
#include "flowacct/enrich/rules/match_table.h"
#include "flowacct/enrich/text_table.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/layout.h"

namespace flowacct::enrich {

// Asked for rules whose keys do not say all.
class RuleChecker {
 public:
  virtual ~RuleChecker() = default;
  virtual bool Passes(uint32_t rule, const record::FlowBatch& batch, size_t row) = 0;
};

// The numbers in keys, which are those of a table plus 1, of the texts of an interner, by id; of one worker.
class TextNumbers {
 public:
  // Before each batch: forgets the ids of another interner.
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
  // What the presence bits of a row must be, eight octets of them at a time.
  struct Presence {
    uint16_t offset;
    uint64_t bits;
  };
  struct Bound {
    std::vector<Presence> presence;
    std::vector<uint16_t> offsets;  // of the parts
    bool impossible = false;        // the layout lacks a field
  };

  void Prune(const record::FlowBatch& batch, size_t first, uint64_t rows);
  // Of the rows at `at`, n of them: their keys to keys_; a bit for each that can be a key of the signature.
  uint64_t FillKeys(const MatchTable::Signature& signature, const Bound& bound, const uint8_t* const* at, size_t n,
                    const base::Interner& interner, TextNumbers* numbers);
  void PrefetchSlots(const MatchTable::Signature& signature, const uint64_t* hashes, uint64_t keys) const;
  // The slot of the key of row `j`, or null.
  const uint64_t* FindSlot(const MatchTable::Signature& signature, size_t j, uint64_t hash) const;

  const MatchTable* table_;
  const TextTable* texts_;
  std::vector<Bound> bound_;
  std::vector<uint16_t> pruner_offsets_;
  std::vector<uint64_t> rows_of_;  // of each signature that is pruned
  uint64_t keys_[MatchTable::kMaxKeyWords][kBlock];
};

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_RULES_MATCH_STATE_H_
