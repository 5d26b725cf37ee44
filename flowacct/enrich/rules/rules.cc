#include "flowacct/enrich/rules/rules.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "flowacct/base/near_miss.h"

namespace flowacct::enrich {
namespace {

using F = record::FieldId;
using Op = RuleAction::Op;

constexpr size_t kMaxWarnings = 10;

void AddOnce(F field, std::vector<F>* fields) {
  if (std::find(fields->begin(), fields->end(), field) == fields->end()) fields->push_back(field);
}

}  // namespace

// From statements to lists.
class Rules::Compiler {
 public:
  Compiler(const RulesOptions& options, Rules* rules) : options_(options), rules_(*rules) {}

  absl::Status Add(const RulesFile& file) {
    RuleParser parser(file.text, file.name, options_.names);
    RuleStatement statement;
    while (parser.Next(&statement)) {
      if (statement.kind == RuleStatement::Kind::kList) {
        if (absl::Status status = EndList(parser); !status.ok()) return status;
        list_.name = statement.name;
        continue;
      }
      if (absl::Status status = Add(parser, file, std::move(statement)); !status.ok()) return status;
    }
    if (!parser.status().ok()) return parser.status();
    return EndList(parser);
  }

 private:
  struct Jump {
    uint32_t from;
    std::string target;
    size_t line, column;
  };
  struct Label {
    std::string name;
    uint32_t rule;
  };

  absl::Status Add(const RuleParser& parser, const RulesFile& file, RuleStatement statement) {
    if (++count_ > options_.max_rules) {
      return parser.ErrorAt(statement.line, 1,
                            absl::StrCat("more than max_rules = ", options_.max_rules, " rules; raise it"));
    }
    const uint32_t number = static_cast<uint32_t>(list_.rules.size());
    if (!statement.name.empty()) labels_.push_back({statement.name, number});
    Rule rule;
    rule.more = static_cast<uint32_t>(list_.actions.size());
    for (const RuleAction& action : statement.actions) AddAction(action, &rule);
    AddSamplingSource(statement.actions, &rule);
    if (statement.next == RuleStatement::Next::kContinue) rule.next = number + 1;
    if (statement.next == RuleStatement::Next::kGoto) {
      jumps_.push_back({number, statement.target, statement.line, statement.target_column});
    }
    const KeyTerms terms = KeysOf(statement.where.program(), options_.keys, &rules_.key_texts_);
    for (const Key& key : terms.keys) builder_.Add(number, key, !terms.exact);
    keys_ += terms.keys.size();
    if (keys_ > options_.max_keys) {
      return parser.ErrorAt(statement.line, 1,
                            absl::StrCat("more than max_keys = ", options_.max_keys, " values to look up; raise it"));
    }
    if (!terms.exact) {
      rule.check = static_cast<uint32_t>(list_.checks.size());
      list_.checks.push_back(statement.where);
      if (std::any_of(terms.keys.begin(), terms.keys.end(), [](const Key& key) { return key.empty(); })) {
        ++rules_.tried_;
        Warn(absl::StrCat(file.name, ":", statement.line,
                          ": nothing of this condition can be looked up (no =, no in, no prefix): it is tried on each "
                          "record"));
      }
    }
    for (F field : statement.where.fields()) AddOnce(field, &list_.reads);
    list_.rules.push_back(rule);
    return absl::OkStatus();
  }

  void AddAction(const RuleAction& action, Rule* rule) {
    Action compiled = Compile(action);
    if (rule->action_count++ == 0) {
      rule->first = compiled;
    } else {
      list_.actions.push_back(compiled);
    }
  }

  Action Compile(const RuleAction& action) {
    Action compiled;
    compiled.op = action.op;
    compiled.field = action.field;
    compiled.source = action.source;
    if (action.op == Op::kDrop) {
      list_.drops = true;
      return compiled;
    }
    AddOnce(action.field, &list_.sets);
    compiled.size = static_cast<uint8_t>(record::FieldTypeSize(record::Info(action.field).type));
    if (action.op == Op::kCopy) {
      list_.copies.emplace_back(action.source, action.field);
    } else if (action.value.interned) {
      compiled.size = 0;
      compiled.number = rules_.texts_.Add(action.value.text);
    } else if (compiled.size > 8) {
      compiled.number = rules_.wide_.size();
      rules_.wide_.push_back(action.value.octets);
    } else {
      compiled.number = action.value.number();
    }
    return compiled;
  }

  // Who sets a sampling rate is who told it.
  void AddSamplingSource(absl::Span<const RuleAction> actions, Rule* rule) {
    const auto acts_on = [&actions](F field) {
      return std::find_if(actions.begin(), actions.end(), [field](const RuleAction& action) {
        return action.op != Op::kDrop && action.field == field;
      });
    };
    const auto rate = acts_on(F::kSamplingRate);
    if (rate == actions.end() || rate->op != Op::kSet || acts_on(F::kSamplingSource) != actions.end()) return;
    RuleAction source;
    source.field = F::kSamplingSource;
    source.value.octets[0] = static_cast<uint8_t>(record::SamplingSource::kConfigured);
    AddAction(source, rule);
  }

  absl::Status EndList(const RuleParser& parser) {
    for (const Jump& jump : jumps_) {
      const auto label = std::find_if(labels_.begin(), labels_.end(), [&jump](const Label& label) {
        return label.rule > jump.from && label.name == jump.target;
      });
      if (label == labels_.end()) {
        std::vector<absl::string_view> words;
        for (const Label& known : labels_) {
          if (known.rule > jump.from) words.push_back(known.name);
        }
        const std::vector<std::string> near = base::NearestWords(jump.target, words);
        return parser.ErrorAt(jump.line, jump.column,
                              absl::StrCat("no later rule of this list is called \"", jump.target, "\"",
                                           near.empty() ? "" : absl::StrCat("; did you mean ", near[0], "?")));
      }
      list_.rules[jump.from].next = label->rule;
    }
    jumps_.clear();
    labels_.clear();
    if (!list_.rules.empty()) {
      list_.table = std::move(builder_).Build();
      rules_.lists_.push_back(std::move(list_));
    }
    builder_ = MatchTableBuilder();
    list_ = List();
    return absl::OkStatus();
  }

  void Warn(std::string warning) {
    if (rules_.warnings_.size() < kMaxWarnings) rules_.warnings_.push_back(std::move(warning));
    if (rules_.warnings_.size() == kMaxWarnings)
      rules_.warnings_.push_back("further rules that are tried are not named");
  }

  const RulesOptions& options_;
  Rules& rules_;
  List list_;
  MatchTableBuilder builder_;
  std::vector<Jump> jumps_;
  std::vector<Label> labels_;
  size_t count_ = 0;
  size_t keys_ = 0;
};

absl::StatusOr<std::shared_ptr<const Rules>> Rules::Parse(absl::Span<const RulesFile> files,
                                                          const RulesOptions& options) {
  auto rules = std::make_shared<Rules>();
  Compiler compiler(options, rules.get());
  for (const RulesFile& file : files) {
    if (absl::Status status = compiler.Add(file); !status.ok()) return status;
  }
  rules->texts_.Finish();
  return rules;
}

RulesReport Rules::Report() const {
  RulesReport report;
  report.lists = lists_.size();
  report.tried = tried_;
  report.octets = wide_.capacity() * sizeof(wide_[0]) + texts_.octets() + key_texts_.octets();
  for (const List& list : lists_) {
    report.rules += list.rules.size();
    report.keys += list.table.keys();
    report.signatures += list.table.signatures().size();
    report.longest_chain = std::max(report.longest_chain, list.table.longest_chain());
    report.octets +=
        list.rules.capacity() * sizeof(Rule) + list.actions.capacity() * sizeof(Action) + list.table.octets();
  }
  return report;
}

}  // namespace flowacct::enrich
