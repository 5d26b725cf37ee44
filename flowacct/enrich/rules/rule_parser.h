// Reads a rules file, a statement at a time. The language is described in docs/reference/rules.md.
//
//     list customers                                          what follows is a list of its own
//     set tag 100, label "customer A" where exporter = 192.0.2.1 and in_if = 5
//     set tag 200, continue where src_addr in 198.51.100.0/24
//         and dst_port in (80, 443)                           a line that begins with a blank goes on
//     out: add tag 7 where out_if = 3                         a rule with a name, for goto
//     drop where direction = 1                                # a comment
//
// Errors: the first one, with line and column, "FILE:LINE:COLUMN: what"; after it nothing more is read.
// Threads: one at a time. Cost: some microseconds a rule.

#ifndef FLOWACCT_ENRICH_RULES_RULE_PARSER_H_
#define FLOWACCT_ENRICH_RULES_RULE_PARSER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "flowacct/enrich/field_value.h"
#include "flowacct/filter/filter.h"
#include "flowacct/record/custom_fields.h"
#include "flowacct/record/field.h"

namespace flowacct::enrich {

struct RuleAction {
  enum class Op : uint8_t {
    kSet,
    kFill,    // only if the record has none
    kAdd,     // to a number, held at the largest
    kOr,      // bits of a number
    kAppend,  // to a text, after a comma
    kUnset,
    kCopy,  // from `source`
    kDrop,
  };
  Op op = Op::kSet;
  record::FieldId field{};
  record::FieldId source{};
  FieldValue value;
};

struct RuleStatement {
  enum class Kind : uint8_t { kList, kRule };
  enum class Next : uint8_t { kStop, kContinue, kGoto };

  Kind kind = Kind::kRule;
  size_t line = 0;
  std::string name;  // of the list, or of the rule: its label, if it has one
  std::vector<RuleAction> actions;
  Next next = Next::kStop;
  std::string target;  // of kGoto
  size_t target_column = 0;
  filter::Filter where;
};

class RuleParser {
 public:
  // `name` stands for the file in errors; `names`, of fields beside the registry's, may be null. All outlive the
  // parser.
  RuleParser(absl::string_view text, absl::string_view name, const record::FieldNames* names = nullptr)
      : text_(text), name_(name), names_(names) {}

  // False at the end and after an error, which status() tells.
  bool Next(RuleStatement* statement);
  const absl::Status& status() const { return status_; }
  absl::Status ErrorAt(size_t line, size_t column, absl::string_view message) const;

 private:
  class Statement;

  // The lines of the next statement to lines_, comments blanked.
  bool NextLines();

  absl::string_view text_, name_;
  const record::FieldNames* names_;
  size_t line_ = 0;        // that were read
  size_t first_line_ = 0;  // of lines_
  std::string lines_;
  absl::Status status_;
};

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_RULES_RULE_PARSER_H_
