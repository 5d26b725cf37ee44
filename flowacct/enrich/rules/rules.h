// Rules: what a record is called, classed, sampled at or dropped for, by conditions on its fields. One engine for what
// others keep in many maps: tags and labels, interface and exporter names and classes, sampling rates, peer AS numbers,
// VRFs and route distinguishers, duplicates. The language: docs/reference/rules.md.
//
// Rules are in lists. Of a list, a record takes the first rule whose condition it meets, unless that rule lets it go
// on: to the next (`continue`) or to a later one (`goto`). Lists apply one after another, each sees what those before
// it set.
//
// Guaranteed: the outcome is that of trying one rule after another. Compiled, so that the cost does not grow with the
// number of rules (match_table.h); rules that nothing can be looked up for are tried on each record, and `Report()` and
// `warnings()` tell of them.
//
// Ownership: owns all that it was made of. Threads: immutable, for any; a RulesEnricher is of one worker. Errors:
// InvalidArgument "FILE:LINE:COLUMN: what", the first one. Cost: some 10 microseconds a rule to compile; a rule 32
// octets, a key some 22.

#ifndef FLOWACCT_ENRICH_RULES_RULES_H_
#define FLOWACCT_ENRICH_RULES_RULES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/enrich/rules/key_terms.h"
#include "flowacct/enrich/rules/match_table.h"
#include "flowacct/enrich/rules/rule_parser.h"
#include "flowacct/enrich/text_table.h"
#include "flowacct/filter/filter.h"
#include "flowacct/record/custom_fields.h"
#include "flowacct/record/field.h"
#include "flowacct/record/field_set.h"

namespace flowacct::enrich {

struct RulesOptions {
  // Files beyond are more likely a mistake than rules.
  size_t max_rules = 1000000;
  // Keys of all rules: 8 million take some 400 MB.
  size_t max_keys = size_t{8} << 20;
  KeyOptions keys;
  // Names of fields beside the registry's; null: none. Borrowed while files are parsed.
  const record::FieldNames* names = nullptr;
};

struct RulesFile {
  std::string name;  // for errors and warnings
  std::string text;
};

struct RulesReport {
  size_t lists = 0;
  size_t rules = 0;
  size_t keys = 0;
  size_t signatures = 0;     // look-ups a record at most
  size_t tried = 0;          // rules that are tried on each record of their list
  size_t longest_chain = 0;  // rules that one look-up may lead to
  size_t octets = 0;
};

class Rules {
 public:
  // Each file begins a list of its own.
  static absl::StatusOr<std::shared_ptr<const Rules>> Parse(absl::Span<const RulesFile> files,
                                                            const RulesOptions& options = {});

  RulesReport Report() const;
  // What the writer of the rules should know: rules that are tried on each record. At most some ten lines.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  friend class RulesEnricher;

  // An action, its value in the smallest form.
  struct Action {
    uint64_t number = 0;       // also the number of a text, or of a wide value
    record::FieldId field{};   // that is set
    record::FieldId source{};  // of kCopy
    RuleAction::Op op{};
    uint8_t size = 0;  // of the field in a row; 0: an interned text
  };
  // Half a cache line: what is met is most often the only thing that is looked at.
  struct Rule {
    static constexpr uint32_t kStop = 0xffffffff;
    Action first;  // if it has actions
    uint32_t action_count = 0;
    uint32_t more = 0;      // the place of the other actions in `actions`
    uint32_t next = kStop;  // the rule of its list from which the search goes on; kStop: it ends
    uint32_t check = 0;     // its place in `checks`, if its keys do not say all
  };
  struct List {
    std::string name;
    std::vector<Rule> rules;
    std::vector<Action> actions;
    MatchTable table;
    std::vector<filter::Filter> checks;
    std::vector<record::FieldId> reads;  // the fields of conditions
    std::vector<record::FieldId> sets;
    std::vector<std::pair<record::FieldId, record::FieldId>> copies;  // from, to
    bool drops = false;
  };
  class Compiler;

  std::vector<List> lists_;
  std::vector<std::array<uint8_t, 17>> wide_;  // addresses, prefixes: what does not fit into a number
  TextTable texts_;                            // that are set
  TextTable key_texts_;                        // that are compared with
  std::vector<std::string> warnings_;
  size_t tried_ = 0;
};

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_RULES_RULES_H_
