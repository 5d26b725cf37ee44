#include "flowacct/collector/explain/rule_trace.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "flowacct/enrich/rules/rules_enricher.h"
#include "flowacct/record/field_set.h"

namespace flowacct::collector {

absl::StatusOr<std::unique_ptr<RuleTrace>> RuleTrace::New(absl::Span<const enrich::RulesFile> files,
                                                          const record::Layout* layout) {
  std::unique_ptr<RuleTrace> trace(new RuleTrace(layout));
  for (const enrich::RulesFile& file : files) {
    const std::vector<absl::string_view> lines = absl::StrSplit(file.text, '\n');
    trace->lists_.emplace_back();
    enrich::RuleParser parser(file.text, file.name);
    enrich::RuleStatement statement;
    Rule* before = nullptr;
    size_t first = 0;
    // A rule's text ends where the next statement begins.
    const auto finish = [&](size_t end) {
      if (before == nullptr) return;
      before->text = absl::StrJoin(absl::MakeConstSpan(lines).subspan(first, end - first), "\n");
      absl::StripTrailingAsciiWhitespace(&before->text);
    };
    while (parser.Next(&statement)) {
      finish(statement.line - 1);
      before = nullptr;
      first = statement.line - 1;
      if (statement.kind == enrich::RuleStatement::Kind::kList) {
        trace->lists_.emplace_back();
        continue;
      }
      filter::BoundFilter where = statement.where.Bind(*layout);
      trace->lists_.back().push_back(
          {absl::StrCat(file.name, ":", statement.line), "", std::move(statement), std::move(where)});
      before = &trace->lists_.back().back();
      statement = enrich::RuleStatement();
    }
    if (!parser.status().ok()) return parser.status();
    finish(lines.size());
  }
  return trace;
}

void RuleTrace::Apply(record::FlowBatch* batch,
                      absl::FunctionRef<void(const std::string& place, const std::string& text)> done) {
  using Next = enrich::RuleStatement::Next;
  for (std::vector<Rule>& list : lists_) {
    for (size_t i = 0; i < list.size(); ++i) {
      Rule& rule = list[i];
      if (!rule.where.Passes(*batch, 0)) continue;
      std::string alone = rule.text;
      // Where it sends the record on to, so that it can be read alone.
      if (rule.statement.next == Next::kGoto) absl::StrAppend(&alone, "\n", rule.statement.target, ": stop");
      const enrich::RulesFile file = {rule.place, std::move(alone)};
      const auto rules = enrich::Rules::Parse({&file, 1});
      if (rules.ok()) {
        enrich::RulesEnricher enricher(*rules);
        enricher.Bind(*layout_, record::FieldSet(layout_->fields()));
        enricher.Apply(*batch);
      }
      done(rule.place, rule.text);
      if (batch->empty()) return;
      if (rule.statement.next == Next::kStop) break;
      if (rule.statement.next == Next::kContinue) continue;
      const auto target =
          std::find_if(list.begin() + static_cast<ptrdiff_t>(i) + 1, list.end(),
                       [&](const Rule& later) { return later.statement.name == rule.statement.target; });
      if (target == list.end()) break;
      i = static_cast<size_t>(target - list.begin()) - 1;
    }
  }
}

bool RuleTrace::Sets(record::FieldId field) const {
  using Op = enrich::RuleAction::Op;
  const auto sets = [field](const Rule& rule) {
    return std::any_of(rule.statement.actions.begin(), rule.statement.actions.end(), [field](const auto& action) {
      return action.field == field && action.op != Op::kUnset && action.op != Op::kDrop;
    });
  };
  return std::any_of(lists_.begin(), lists_.end(),
                     [&](const auto& list) { return std::any_of(list.begin(), list.end(), sets); });
}

}  // namespace flowacct::collector
