// Random rules on random rows, compiled and beside it the slow way: one rule after another, each condition tried.

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/enrich/rules/rule_parser.h"
#include "flowacct/enrich/rules/rules.h"
#include "flowacct/enrich/rules/rules_enricher.h"
#include "flowacct/filter/filter.h"
#include "flowacct/record/field_set.h"
#include "flowacct/record/flow_batch.h"

namespace flowacct::enrich {
namespace {

using F = record::FieldId;

class Random {
 public:
  explicit Random(uint32_t seed) : engine_(seed) {}
  uint32_t Below(uint32_t n) { return static_cast<uint32_t>(engine_() % n); }
  bool OneIn(uint32_t n) { return Below(n) == 0; }
  template <typename T>
  const T& Of(const std::vector<T>& values) {
    return values[Below(static_cast<uint32_t>(values.size()))];
  }

 private:
  std::mt19937 engine_;
};

// Few values of each field, so that rules and rows meet.
std::string SomeAddress(Random& random) {
  if (random.OneIn(3)) return absl::StrCat("2001:db8:", random.Below(3), ":", random.Below(3), "::", random.Below(3));
  return absl::StrCat("10.", random.Below(2), ".", random.Below(3), ".", random.Below(4));
}

std::string SomePrefix(Random& random) {
  const std::string address = SomeAddress(random);
  const bool v6 = address.find(':') != std::string::npos;
  static const std::vector<uint32_t> kV4 = {0, 8, 15, 16, 23, 24, 30, 31, 32}, kV6 = {0, 32, 47, 48, 64, 127, 128};
  return absl::StrCat(address, "/", random.Of(v6 ? kV6 : kV4));
}

std::string SomeCondition(Random& random, int depth) {
  switch (random.Below(depth > 2 ? 14 : 18)) {
    case 0:
      return absl::StrCat("exporter = ", SomeAddress(random));
    case 1:
      return absl::StrCat("in_if = ", random.Below(4));
    case 2:
      return absl::StrCat("out_if in (", random.Below(4), ", ", random.Below(4), ", 2-3)");
    case 3:
      return absl::StrCat("src_addr in ", SomePrefix(random));
    case 4:
      return absl::StrCat("dst_addr in (", SomePrefix(random), ", ", SomePrefix(random), ")");
    case 5:
      return absl::StrCat("src_net ", random.OneIn(2) ? "= " : "in ", SomePrefix(random));
    case 6:
      return absl::StrCat("tcp_flags ", random.OneIn(2) ? "has syn" : "& 0x12 = 0x10");
    case 7:
      return absl::StrCat("in_if_name ", random.OneIn(4) ? "!= " : "= ", "if", random.Below(3));
    case 8:
      return absl::StrCat("src_mac = 02:00:00:00:00:0", random.Below(3));
    case 9:
      return absl::StrCat("dst_port in (", random.Below(3), "-", 3 + random.Below(2000), ", 5000-70", random.Below(10),
                          "0)");
    case 10:
      return absl::StrCat("bytes > ", random.Below(3));
    case 11:
      return absl::StrCat("host ", SomeAddress(random));
    case 12:
      return absl::StrCat("tag ", random.OneIn(2) ? "= " : "!= ", random.Below(5));
    case 13:
      return absl::StrCat("exists(", random.OneIn(2) ? "src_addr" : "in_if", ")");
    case 14:
      return absl::StrCat("not (", SomeCondition(random, depth + 1), ")");
    case 15:
    case 16:
      return absl::StrCat(SomeCondition(random, depth + 1), " and ", SomeCondition(random, depth + 1));
    default:
      return absl::StrCat("(", SomeCondition(random, depth + 1), " or ", SomeCondition(random, depth + 1), ")");
  }
}

std::string SomeRules(Random& random) {
  std::string text;
  const uint32_t lists = 1 + random.Below(3);
  for (uint32_t l = 0; l < lists; ++l) {
    absl::StrAppend(&text, "list l", l, "\n");
    const uint32_t rules = 1 + random.Below(40);
    for (uint32_t i = 0; i < rules; ++i) {
      std::vector<std::string> actions = {absl::StrCat(random.OneIn(3) ? "add" : "set", " tag ", random.Below(5))};
      if (random.OneIn(3)) actions.push_back(absl::StrCat("append label t", random.Below(3)));
      if (random.OneIn(4)) actions.push_back(absl::StrCat("fill tag2 ", i));
      if (random.OneIn(12)) {
        actions.push_back("drop");
      } else if (random.OneIn(4)) {
        actions.push_back("continue");
      } else if (random.OneIn(4)) {
        actions.push_back("goto end");
      }
      absl::StrAppend(&text, absl::StrJoin(actions, ", "));
      if (!random.OneIn(20)) absl::StrAppend(&text, " where ", SomeCondition(random, 0));
      text += '\n';
    }
    absl::StrAppend(&text, "end: append label end where in_if != 1\n");
  }
  return text;
}

void AddRow(Random& random, record::FlowBatch& batch) {
  record::MutableRow row = batch.Append();
  const auto address = [&] { return *base::IpAddress::Parse(SomeAddress(random)); };
  if (!random.OneIn(10)) row.Set<F::kExporter>(address());
  if (!random.OneIn(10)) row.Set<F::kInIf>(random.Below(4));
  if (!random.OneIn(10)) row.Set<F::kOutIf>(random.Below(4));
  if (!random.OneIn(10)) row.Set<F::kSrcAddr>(address());
  if (!random.OneIn(10)) row.Set<F::kDstAddr>(address());
  if (!random.OneIn(4)) row.Set<F::kSrcNet>(*base::IpPrefix::Parse(SomePrefix(random)));
  if (!random.OneIn(4)) row.Set<F::kTcpFlags>(static_cast<uint16_t>(random.Below(32)));
  if (!random.OneIn(4)) row.Set<F::kInIfName>(batch.interner().Intern(absl::StrCat("if", random.Below(4))));
  if (!random.OneIn(4)) {
    row.Set<F::kSrcMac>(*base::MacAddress::Parse(absl::StrCat("02:00:00:00:00:0", random.Below(4))));
  }
  if (!random.OneIn(4)) row.Set<F::kDstPort>(static_cast<uint16_t>(random.Below(10) * 700));
  if (!random.OneIn(4)) row.Set<F::kBytes>(random.Below(4));
}

// One rule after another.
class SlowRules {
 public:
  SlowRules(absl::string_view text, const record::Layout& layout) {
    RuleParser parser(text, "r");
    RuleStatement statement;
    while (parser.Next(&statement)) {
      if (statement.kind == RuleStatement::Kind::kList) {
        lists_.emplace_back();
        continue;
      }
      lists_.back().push_back({statement, statement.where.Bind(layout)});
    }
    EXPECT_TRUE(parser.status().ok()) << parser.status();
  }

  // False: dropped.
  bool Apply(record::FlowBatch& batch, size_t row) {
    for (std::vector<SlowRule>& list : lists_) {
      for (size_t i = 0; i < list.size(); ++i) {
        if (!list[i].where.Passes(batch, row)) continue;
        for (const RuleAction& action : list[i].statement.actions) {
          if (action.op == RuleAction::Op::kDrop) return false;
          Act(action, batch, row);
        }
        if (list[i].statement.next == RuleStatement::Next::kStop) break;
        if (list[i].statement.next == RuleStatement::Next::kContinue) continue;
        size_t target = i + 1;
        while (list[target].statement.name != list[i].statement.target) ++target;
        i = target - 1;
      }
    }
    return true;
  }

 private:
  struct SlowRule {
    RuleStatement statement;
    filter::BoundFilter where;
  };

  static void Act(const RuleAction& action, record::FlowBatch& batch, size_t i) {
    record::MutableRow row = batch.row(i);
    switch (action.op) {
      case RuleAction::Op::kSet:
        row.SetNumber(action.field, action.value.number());
        break;
      case RuleAction::Op::kFill:
        if (!row.Has(action.field)) row.SetNumber(action.field, action.value.number());
        break;
      case RuleAction::Op::kAdd:
        row.SetNumber(action.field, row.GetNumber(action.field) + action.value.number());
        break;
      case RuleAction::Op::kAppend: {
        const auto old = base::AsText(batch.interner().Find(row.Get<F::kLabel>()));
        row.Set<F::kLabel>(batch.interner().Intern(row.Has(F::kLabel) ? absl::StrCat(old, ",", action.value.text)
                                                                      : action.value.text));
        break;
      }
      default:
        FAIL() << "not made here";
    }
  }

  std::vector<std::vector<SlowRule>> lists_;
};

TEST(RulesTwin, CompiledRulesDoWhatOneAfterAnotherDoes) {
  const record::Layout layout({F::kExporter, F::kInIf, F::kOutIf, F::kSrcAddr, F::kDstAddr, F::kSrcNet, F::kTcpFlags,
                               F::kInIfName, F::kSrcMac, F::kDstPort, F::kBytes, F::kTag, F::kTag2, F::kLabel});
  size_t keyed = 0, pruned = 0, dropped = 0;
  for (uint32_t seed = 0; seed < 150; ++seed) {
    Random random(seed);
    const std::string text = SomeRules(random);
    const auto rules = Rules::Parse({{"r", text}});
    ASSERT_TRUE(rules.ok()) << rules.status() << "\n" << text;
    keyed += (*rules)->Report().rules - (*rules)->Report().tried;
    pruned += (*rules)->Report().octets > (512 << 10) ? 1 : 0;
    base::Interner interner;
    record::FlowBatch fast(&layout, &interner), slow(&layout, &interner);
    for (int i = 0; i < 150; ++i) AddRow(random, fast);
    slow.AppendCopies(fast.size(), fast.data());
    std::copy(fast.data(), fast.data() + fast.size() * fast.stride(), slow.data());
    RulesEnricher enricher(*rules);
    enricher.Bind(layout, record::FieldSet(layout.fields()));
    enricher.Apply(fast);
    SlowRules twin(text, layout);
    size_t at = 0;
    for (size_t i = 0; i < slow.size(); ++i) {
      if (!twin.Apply(slow, i)) {
        ++dropped;
        continue;
      }
      ASSERT_LT(at, fast.size()) << text;
      const std::string ours(base::AsText(base::Octets(fast.row(at).octets(), fast.stride())));
      const std::string theirs(base::AsText(base::Octets(slow.row(i).octets(), slow.stride())));
      ASSERT_EQ(ours, theirs) << "seed " << seed << ", row " << i << ": tag " << fast.row(at).Get<F::kTag>() << " and "
                              << slow.row(i).Get<F::kTag>() << "\n"
                              << text;
      ++at;
    }
    EXPECT_EQ(at, fast.size());
  }
  EXPECT_GT(keyed, 1000u);
  EXPECT_GT(pruned, 50u);
  EXPECT_GT(dropped, 100u);
}

}  // namespace
}  // namespace flowacct::enrich
