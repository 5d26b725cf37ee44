// Which rules a record met, one after another, and what each did to it.
//
// Each rule that is met is applied by the engine itself (enrich/rules), as if it were the only one of its file.
// Ownership: owns the rules; the layout outlives it. Threads: one at a time. Errors: those of enrich::Rules::Parse.
// Cost: each condition is tried, and a rule that is met is compiled anew: for a few records.

#ifndef FLOWACCT_COLLECTOR_EXPLAIN_RULE_TRACE_H_
#define FLOWACCT_COLLECTOR_EXPLAIN_RULE_TRACE_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "flowacct/enrich/rules/rule_parser.h"
#include "flowacct/enrich/rules/rules.h"
#include "flowacct/filter/filter.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/layout.h"

namespace flowacct::collector {

class RuleTrace {
 public:
  static absl::StatusOr<std::unique_ptr<RuleTrace>> New(absl::Span<const enrich::RulesFile> files,
                                                        const record::Layout* layout);

  // Applies all lists to the only row of `batch`. `done` is told after each rule that was met, with its place
  // ("customers.rules:12") and its text; the row is gone if it was dropped.
  void Apply(record::FlowBatch* batch, absl::FunctionRef<void(const std::string& place, const std::string& text)> done);

  // Whether any rule would give `field` a value.
  bool Sets(record::FieldId field) const;

 private:
  struct Rule {
    std::string place;
    std::string text;
    enrich::RuleStatement statement;
    filter::BoundFilter where;
  };
  explicit RuleTrace(const record::Layout* layout) : layout_(layout) {}

  const record::Layout* layout_;
  std::vector<std::vector<Rule>> lists_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_EXPLAIN_RULE_TRACE_H_
