// Applies rules to records.
//
// What nobody wants is not set, and a list all of whose rules set nothing that is wanted, nor drop, is not asked.
// Threads, ownership: as every enricher (enricher.h); the rules are shared. Cost: see match_table.h; a rule with
// `continue` or `goto` costs a further look-up in its list.

#ifndef FLOWACCT_ENRICH_RULES_RULES_ENRICHER_H_
#define FLOWACCT_ENRICH_RULES_RULES_ENRICHER_H_

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "flowacct/enrich/enricher.h"
#include "flowacct/enrich/field_place.h"
#include "flowacct/enrich/rules/match_state.h"
#include "flowacct/enrich/rules/match_table.h"
#include "flowacct/enrich/rules/rules.h"
#include "flowacct/enrich/text_table.h"
#include "flowacct/filter/filter.h"

namespace flowacct::enrich {

class RulesEnricher : public Enricher {
 public:
  explicit RulesEnricher(std::shared_ptr<const Rules> rules) : rules_(std::move(rules)) {}
  static EnricherFactory Factory(std::shared_ptr<const Rules> rules);

  absl::string_view name() const override { return "rules"; }
  std::vector<record::FieldId> RequiredFields(const record::FieldSet& wanted) const override;
  void Bind(const record::Layout& layout, const record::FieldSet& wanted) override;
  void Apply(record::FlowBatch& batch) override;
  std::vector<EnricherCounter> counters() const override;

 private:
  // Of a list: whether it is asked, and what of that which it sets is wanted.
  struct Demand {
    bool active = false;
    record::FieldSet needed;
  };
  // Asks the conditions that keys do not tell whole; bound when they are first asked.
  class Checker : public RuleChecker {
   public:
    Checker(const Rules::List* list, const record::Layout* layout) : list_(list), layout_(layout) {
      bound_.resize(list->checks.size());
    }
    bool Passes(uint32_t rule, const record::FlowBatch& batch, size_t row) override;
    uint64_t asked() const { return asked_; }

   private:
    const Rules::List* list_;
    const record::Layout* layout_;
    std::vector<std::unique_ptr<filter::BoundFilter>> bound_;
    uint64_t asked_ = 0;
  };
  struct BoundList {
    const Rules::List* list;
    MatchState state;
    Checker checker;
    // Where each field lies that is wanted and that the layout has.
    std::array<FieldPlace, record::kFieldCount> places;
  };

  std::vector<Demand> DemandOf(const record::FieldSet& wanted, std::vector<record::FieldId>* required) const;
  // False: the row is dropped.
  bool Act(const Rules::Rule& rule, BoundList& list, record::FlowBatch& batch, size_t row);
  bool Act(const Rules::Action& action, BoundList& list, record::FlowBatch& batch, size_t row);
  void Put(const Rules::Action& action, const FieldPlace& place, uint8_t* octets, record::FlowBatch& batch);
  base::InternId Append(base::InternId to, const Rules::Action& action, base::Interner& interner);

  std::shared_ptr<const Rules> rules_;
  std::vector<std::unique_ptr<BoundList>> lists_;
  TextNumbers numbers_;
  InternedTexts texts_;
  std::shared_ptr<const void> appended_of_;
  absl::flat_hash_map<uint64_t, base::InternId> appended_;  // by the old text's id and the number of the new one
  std::vector<uint64_t> alive_;                             // a bit a row of the batch
  std::vector<uint32_t> kept_;
  uint64_t records_ = 0, matched_ = 0, dropped_ = 0, checks_ = 0;
};

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_RULES_RULES_ENRICHER_H_
