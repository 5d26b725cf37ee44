#include "flowacct/enrich/rules/rules.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/enrich/rules/rules_enricher.h"
#include "flowacct/record/field_set.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/testing/allocation_counter.h"

namespace flowacct::enrich {
namespace {

using F = record::FieldId;
using record::FieldSet;

base::IpAddress Address(absl::string_view text) { return *base::IpAddress::Parse(text); }

std::shared_ptr<const Rules> MustParse(absl::string_view text) {
  auto rules = Rules::Parse({{"r", std::string(text)}});
  EXPECT_TRUE(rules.ok()) << rules.status();
  return rules.ok() ? *rules : *Rules::Parse({});
}

class RulesTest : public ::testing::Test {
 protected:
  RulesTest() : layout_(record::Layout::All()), batch_(&layout_, &interner_) {}

  record::MutableRow Add(absl::string_view exporter, uint32_t in_if, uint32_t out_if = 0) {
    record::MutableRow row = batch_.Append();
    row.Set<F::kExporter>(Address(exporter));
    row.Set<F::kInIf>(in_if);
    if (out_if != 0) row.Set<F::kOutIf>(out_if);
    return row;
  }
  void Apply(absl::string_view text) {
    RulesEnricher enricher(MustParse(text));
    enricher.Bind(layout_, FieldSet(layout_.fields()));
    enricher.Apply(batch_);
    counters_ = enricher.counters();
  }
  // "100 - 7": the tag of each row.
  std::string Tags(F field = F::kTag) {
    std::string tags;
    for (size_t i = 0; i < batch_.size(); ++i) {
      absl::StrAppend(&tags, i == 0 ? "" : " ");
      if (batch_.row(i).Has(field)) {
        absl::StrAppend(&tags, batch_.row(i).GetNumber(field));
      } else {
        tags += '-';
      }
    }
    return tags;
  }
  std::string Text(size_t row, F field) {
    if (!batch_.row(row).Has(field)) return "-";
    return std::string(base::AsText(interner_.Find(static_cast<base::InternId>(batch_.row(row).GetNumber(field)))));
  }
  uint64_t Counter(absl::string_view name) {
    for (const EnricherCounter& counter : counters_) {
      if (counter.name == name) return counter.value;
    }
    ADD_FAILURE() << name;
    return 0;
  }

  record::Layout layout_;
  base::Interner interner_;
  record::FlowBatch batch_;
  std::vector<EnricherCounter> counters_;
};

TEST_F(RulesTest, TheFirstRuleThatIsMetCounts) {
  Add("192.0.2.1", 4);
  Add("192.0.2.1", 5);
  Add("192.0.2.2", 4);
  Add("198.51.100.1", 4);
  batch_.Append();
  Apply(
      "set tag 1 where exporter = 192.0.2.1 and in_if = 4\n"
      "set tag 2 where exporter in 192.0.2.0/24 and in_if = 4\n"
      "set tag 3, label \"all others\" where exporter in 0.0.0.0/0\n");
  EXPECT_EQ(Tags(), "1 3 2 3 -");
  EXPECT_EQ(Text(0, F::kLabel), "-");
  EXPECT_EQ(Text(1, F::kLabel), "all others");
  EXPECT_EQ(Counter("records"), 5u);
  EXPECT_EQ(Counter("rules_met"), 4u);
  EXPECT_EQ(Counter("conditions_tried"), 0u);
}

TEST_F(RulesTest, ListsApplyOneAfterAnother) {
  Add("192.0.2.1", 4, 9);
  Add("192.0.2.1", 5, 9);
  Apply(
      "set tag 1 where in_if = 4\n"
      "set tag 2\n"
      "list out\n"
      "set tag2 11 where tag = 1 and out_if = 9\n"
      "set tag2 12 where out_if = 9\n");
  EXPECT_EQ(Tags(), "1 2");
  EXPECT_EQ(Tags(F::kTag2), "11 12");
}

TEST_F(RulesTest, ContinueAndGotoGoOn) {
  // The examples of pmacct's pretag.map: tags for the input, then for the output interface, summed.
  Add("192.0.2.1", 1, 2);
  Add("192.0.2.1", 2, 9);
  Add("192.0.2.1", 9, 1);
  Apply(
      "set tag 11000, goto eval_out where exporter = 192.0.2.1 and in_if = 1\n"
      "set tag 12000, goto eval_out where exporter = 192.0.2.1 and in_if = 2\n"
      "set tag 7, continue\n"
      "set tag2 3, continue where tag = 7\n"
      "eval_out: add tag 100 where exporter = 192.0.2.1 and out_if = 1\n"
      "add tag 101 where exporter = 192.0.2.1 and out_if = 2\n");
  EXPECT_EQ(Tags(), "11101 12000 107");
  EXPECT_EQ(Tags(F::kTag2), "- - 3");
}

TEST_F(RulesTest, Actions) {
  auto row = Add("192.0.2.1", 4, 70000);
  row.Set<F::kTag>(5);
  row.Set<F::kTag2>(~uint64_t{0} - 1);
  row.Set<F::kLabel>(interner_.Intern("a"));
  row.Set<F::kVlan>(7);
  row.Set<F::kSrcAs>(64496);
  Add("192.0.2.1", 4);
  Apply(
      "or tag 0x12, add tag2 7, append label b, append label \"c d\", fill vlan 9, unset in_if,\n"
      "  set bgp_next_hop 2001:db8::1, set src_net 192.0.2.0/24, set sampling_rate 1000, copy src_as to peer_src_as,\n"
      "  copy out_if to src_port, copy exporter to next_hop, set src_coords \"1.5,2.5\", set src_mac "
      "02:00:00:00:00:01");
  EXPECT_EQ(Tags(), "23 18");
  EXPECT_EQ(Tags(F::kTag2), "18446744073709551615 7");
  EXPECT_EQ(Text(0, F::kLabel), "a,b,c d");
  EXPECT_EQ(Text(1, F::kLabel), "b,c d");
  EXPECT_EQ(Tags(F::kVlan), "7 9");
  EXPECT_EQ(Tags(F::kInIf), "- -");
  EXPECT_EQ(batch_.row(0).Get<F::kBgpNextHop>(), Address("2001:db8::1"));
  EXPECT_EQ(batch_.row(0).Get<F::kSrcNet>().ToString(), "192.0.2.0/24");
  EXPECT_EQ(Tags(F::kSamplingRate), "1000 1000");
  EXPECT_EQ(batch_.row(0).Get<F::kSamplingSource>(), static_cast<uint8_t>(record::SamplingSource::kConfigured));
  EXPECT_EQ(Tags(F::kPeerSrcAs), "64496 -");
  EXPECT_EQ(Tags(F::kSrcPort), "- -") << "70000 does not fit";
  EXPECT_EQ(batch_.row(1).Get<F::kNextHop>(), Address("192.0.2.1"));
  EXPECT_EQ(batch_.row(1).Get<F::kSrcMac>().ToString(), "02:00:00:00:00:01");
}

TEST_F(RulesTest, DroppedRecordsVanishAndLaterListsDoNotSeeThem) {
  for (uint32_t i = 0; i < 200; ++i) Add("192.0.2.1", i % 3);
  Apply(
      "drop where in_if = 1\n"
      "list b\n"
      "set tag 1\n");
  EXPECT_EQ(batch_.size(), 133u);
  for (size_t i = 0; i < batch_.size(); ++i) {
    EXPECT_EQ(batch_.row(i).Get<F::kInIf>(), i % 2 == 0 ? 0u : 2u);
    EXPECT_EQ(batch_.row(i).Get<F::kTag>(), 1u);
  }
  EXPECT_EQ(Counter("records_dropped"), 67u);
  EXPECT_EQ(Counter("rules_met"), 200u);
}

TEST_F(RulesTest, TextsNamesAndMacs) {
  Add("192.0.2.1", 1).Set<F::kInIfName>(interner_.Intern("ae0"));
  Add("192.0.2.1", 1).Set<F::kInIfName>(interner_.Intern("ae1"));
  Add("192.0.2.1", 1).Set<F::kSrcMac>(*base::MacAddress::Parse("02:00:00:00:00:01"));
  Apply(
      "set in_if_class transit where in_if_name in (ae0, \"ae 2\")\n"
      "set in_if_class other where in_if_name != ae0\n"
      "set peer_src_as 64500 where src_mac = 02:00:00:00:00:01 and exporter = 192.0.2.1\n");
  EXPECT_EQ(Text(0, F::kInIfClass), "transit");
  EXPECT_EQ(Text(1, F::kInIfClass), "other");
  EXPECT_EQ(batch_.row(2).Get<F::kPeerSrcAs>(), 64500u);
}

TEST_F(RulesTest, AnotherInternerIsNoticed) {
  RulesEnricher enricher(MustParse("set label seen where in_if_name = ae0\nset label other\nlist b\nappend label x"));
  enricher.Bind(layout_, FieldSet(layout_.fields()));
  for (int round = 0; round < 3; ++round) {
    base::Interner interner;
    for (int i = 0; i < round * 5; ++i) interner.Intern(absl::StrCat("before ", i));
    record::FlowBatch batch(&layout_, &interner);
    batch.Append().Set<F::kInIfName>(interner.Intern("ae0"));
    batch.Append();
    enricher.Apply(batch);
    EXPECT_EQ(base::AsText(interner.Find(batch.row(0).Get<F::kLabel>())), "seen,x");
    EXPECT_EQ(base::AsText(interner.Find(batch.row(1).Get<F::kLabel>())), "other,x");
  }
}

TEST(Rules, OnlyWhatIsWantedIsAskedFor) {
  const auto rules = MustParse(
      "set exporter_name core where exporter = 192.0.2.1\n"
      "list tags\n"
      "set tag 1 where exporter_name = core and in_if = 1\n"
      "set tag2 2 where src_mac = 02:00:00:00:00:01\n"
      "list other\n"
      "set vrf_name blue where out_if = 7\n"
      "list copies\n"
      "copy vrf_name to label where vlan = 1\n");
  const auto required = [&](std::vector<F> wanted) { return RulesEnricher(rules).RequiredFields(FieldSet(wanted)); };
  EXPECT_EQ(required({F::kSrcAs}), std::vector<F>{});
  EXPECT_EQ(required({F::kTag}), (std::vector<F>{F::kExporterName, F::kInIf, F::kSrcMac, F::kExporter}));
  EXPECT_EQ(required({F::kVrfName}), (std::vector<F>{F::kOutIf}));
  EXPECT_EQ(required({F::kLabel}), (std::vector<F>{F::kVlan, F::kVrfName, F::kOutIf}));
  EXPECT_EQ(required({F::kExporterName}), (std::vector<F>{F::kExporter}));
  const auto drops = MustParse("set tag 1 where in_if = 1\ndrop where out_if = 1");
  EXPECT_EQ(RulesEnricher(drops).RequiredFields(FieldSet()), (std::vector<F>{F::kInIf, F::kOutIf}));
  // A layout that others share: what this pipeline does not want stays as it is.
  const record::Layout layout({F::kTag, F::kTag2, F::kInIf, F::kSrcMac, F::kExporter, F::kExporterName});
  base::Interner interner;
  record::FlowBatch batch(&layout, &interner);
  auto row = batch.Append();
  row.Set<F::kExporter>(Address("192.0.2.1"));
  row.Set<F::kInIf>(1);
  RulesEnricher enricher(rules);
  enricher.Bind(layout, FieldSet({F::kTag2, F::kExporterName, F::kInIf, F::kSrcMac, F::kExporter}));
  enricher.Apply(batch);
  EXPECT_FALSE(batch.row(0).Has(F::kTag));
  EXPECT_TRUE(batch.row(0).Has(F::kExporterName));
}

TEST(Rules, AConfigurationHasNamesOfItsOwn) {
  record::FieldNames names;
  ASSERT_TRUE(names.Add("window", F::kCustom1).ok());
  ASSERT_TRUE(names.Add("class_of_window", F::kCustomText1).ok());
  RulesOptions options;
  options.names = &names;
  const auto rules = Rules::Parse({{"r", "set class_of_window small where window in (1, 2)"}}, options);
  ASSERT_TRUE(rules.ok()) << rules.status();
  EXPECT_EQ(RulesEnricher(*rules).RequiredFields(FieldSet({F::kCustomText1})), (std::vector<F>{F::kCustom1}));
}

TEST_F(RulesTest, DuplicatesAreMarkedOrDropped) {
  // The first hop: only the exporter that is the home of the source's network counts.
  for (const char* exporter : {"192.0.2.1", "192.0.2.2", "192.0.2.3"}) {
    auto row = Add(exporter, 1);
    row.Set<F::kCustomAddr1>(Address("192.0.2.2"));
    row.Set<F::kDirection>(exporter[8] == '3' ? 1 : 0);
  }
  Apply(
      "set duplicate 1 where exporter != field(custom_addr_1)\n"
      "list of_egress\n"
      "drop where direction = 1\n");
  EXPECT_EQ(Tags(F::kDuplicate), "1 -");
  EXPECT_EQ(Counter("records_dropped"), 1u);
}

TEST(Rules, ErrorsAndBounds) {
  const auto error = [](absl::string_view text, RulesOptions options = {}) {
    return std::string(Rules::Parse({{"ok", "set tag 1"}, {"r", std::string(text)}}, options).status().message());
  };
  EXPECT_EQ(error("set tag 1\nset tga 2"), "r:2:5: no field is called \"tga\"; did you mean tag?");
  EXPECT_EQ(error("out: set tag 1\nset tag 2, goto oter\nouter: set tag 3"),
            "r:2:17: no later rule of this list is called \"oter\"; did you mean outer?");
  EXPECT_EQ(error("out: set tag 1\nset tag 2, goto out"), "r:2:17: no later rule of this list is called \"out\"");
  EXPECT_EQ(error("set tag 1, goto x\nlist b\nx: set tag 2"), "r:1:17: no later rule of this list is called \"x\"");
  RulesOptions options;
  options.max_rules = 2;
  EXPECT_EQ(error("set tag 1", options), "");
  EXPECT_EQ(error("set tag 1\nset tag 2", options), "r:2:1: more than max_rules = 2 rules; raise it");
  options = {};
  options.max_keys = 3;
  EXPECT_EQ(error("set tag 1 where in_if in (1, 2, 3)", options),
            "r:1:1: more than max_keys = 3 values to look up; raise it");
}

TEST(Rules, WhatIsTriedIsTold) {
  const auto rules = MustParse(
      "set tag 1 where bytes > 1000\n"
      "set tag 2 where in_if = 1 and bytes > 1000\n"
      "set tag 3 where not in_if = 1\n"
      "set tag 4\n");
  const RulesReport report = rules->Report();
  EXPECT_EQ(report.lists, 1u);
  EXPECT_EQ(report.rules, 4u);
  EXPECT_EQ(report.signatures, 2u);
  EXPECT_EQ(report.keys, 2u);
  EXPECT_EQ(report.tried, 2u);
  EXPECT_EQ(report.longest_chain, 3u);
  EXPECT_GT(report.octets, 100u);
  ASSERT_EQ(rules->warnings().size(), 2u);
  EXPECT_EQ(rules->warnings()[1],
            "r:3: nothing of this condition can be looked up (no =, no in, no prefix): it is tried on each record");
}

TEST(Rules, ManyPrefixLengthsArePruned) {
  std::string text;
  for (int i = 8; i <= 32; ++i) absl::StrAppend(&text, "set tag ", 100 - i, " where src_addr in 10.1.2.3/", i, "\n");
  // The most specific comes last: the first in the file wins, which is the /8.
  absl::StrAppend(&text, "set tag 1 where src_addr in 10.0.0.0/7\nset tag 2 where src_addr in 2001:db8::/32\n");
  const auto rules = MustParse(text);
  EXPECT_EQ(rules->Report().signatures, 27u);
  const record::Layout layout({F::kSrcAddr, F::kTag});
  base::Interner interner;
  record::FlowBatch batch(&layout, &interner);
  for (const char* address : {"10.1.2.3", "11.0.0.1", "12.0.0.1", "2001:db8::1", "::"}) {
    batch.Append().Set<F::kSrcAddr>(Address(address));
  }
  RulesEnricher enricher(rules);
  enricher.Bind(layout, FieldSet(layout.fields()));
  enricher.Apply(batch);
  EXPECT_EQ(batch.row(0).Get<F::kTag>(), 92u);
  EXPECT_EQ(batch.row(1).Get<F::kTag>(), 1u);
  EXPECT_FALSE(batch.row(2).Has(F::kTag));
  EXPECT_EQ(batch.row(3).Get<F::kTag>(), 2u);
  EXPECT_FALSE(batch.row(4).Has(F::kTag));
}

TEST_F(RulesTest, NoAllocationInSteadyState) {
  RulesEnricher enricher(
      MustParse("set tag 1, append label x, continue where in_if = 1 and bytes < 100 and in_if_name = ae0\n"
                "append label y where exporter in 192.0.2.0/24\n"
                "list d\n"
                "drop where out_if = 3\n"));
  enricher.Bind(layout_, FieldSet(layout_.fields()));
  const base::InternId name = interner_.Intern("ae0");
  const auto fill = [&] {
    batch_.Clear();
    for (uint32_t i = 0; i < 100; ++i) {
      auto row = Add("192.0.2.1", i % 2, 1 + i % 4);
      row.Set<F::kBytes>(i);
      row.Set<F::kInIfName>(name);
    }
  };
  fill();
  enricher.Apply(batch_);
  EXPECT_EQ(batch_.size(), 75u);
  FLOWACCT_REQUIRE_ALLOCATION_COUNT();
  fill();
  const testing::AllocationCounter counter;
  enricher.Apply(batch_);
  EXPECT_EQ(counter.allocations(), 0);
}

}  // namespace
}  // namespace flowacct::enrich
