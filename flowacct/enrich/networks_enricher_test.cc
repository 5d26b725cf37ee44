#include "flowacct/enrich/networks_enricher.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "flowacct/record/layout.h"
#include "flowacct/testing/allocation_counter.h"

namespace flowacct::enrich {
namespace {

using F = record::FieldId;
using record::FieldSet;

base::IpAddress Address(absl::string_view text) { return *base::IpAddress::Parse(text); }

std::shared_ptr<const Networks> SomeNetworks() {
  auto networks = Networks::Parse(
      "64497,198.51.100.128/25\n"
      "203.0.113.1,64498,2001:db8::/32\n",
      "networks.txt");
  EXPECT_TRUE(networks.ok()) << networks.status();
  return std::make_shared<const Networks>(*std::move(networks));
}

TEST(NetworksEnricher, FillKeepsAndReplaceOverwrites) {
  const record::Layout layout(
      {F::kSrcAddr, F::kDstAddr, F::kSrcNet, F::kDstNet, F::kSrcMask, F::kSrcAs, F::kDstAs, F::kBgpNextHop});
  base::Interner interner;
  for (const bool replace : {false, true}) {
    record::FlowBatch batch(&layout, &interner);
    for (int i = 0; i < 100; ++i) {
      auto row = batch.Append();
      row.Set<F::kSrcAddr>(Address("198.51.100.200"));
      row.Set<F::kDstAddr>(Address("2001:db8::1"));
      row.Set<F::kSrcAs>(1);
    }
    batch.Append().Set<F::kSrcAddr>(Address("10.0.0.1"));
    batch.Append();
    NetworksEnricher enricher(SomeNetworks(), replace ? NetworksPolicy::kReplace : NetworksPolicy::kFill);
    enricher.Bind(layout, FieldSet(layout.fields()));
    enricher.Apply(batch);
    const auto row = batch.row(99);
    EXPECT_EQ(row.Get<F::kSrcNet>().ToString(), "198.51.100.128/25");
    EXPECT_EQ(row.Get<F::kSrcMask>(), 25);
    EXPECT_EQ(row.Get<F::kSrcAs>(), replace ? 64497u : 1u);
    EXPECT_EQ(row.Get<F::kDstAs>(), 64498u);
    EXPECT_EQ(row.Get<F::kDstNet>().ToString(), "2001:db8::/32");
    EXPECT_EQ(row.Get<F::kBgpNextHop>().ToString(), "203.0.113.1");
    EXPECT_FALSE(batch.row(100).Has(F::kSrcNet));
    EXPECT_FALSE(batch.row(101).Has(F::kSrcNet)) << "an absent address is in no network";
    ASSERT_EQ(enricher.counters().size(), 2u);
    EXPECT_EQ(enricher.counters()[0].value, 201u);
    EXPECT_EQ(enricher.counters()[1].value, 1u);
  }
}

TEST(NetworksEnricher, LongestTakesTheMoreSpecificTeller) {
  const record::Layout layout({F::kSrcAddr, F::kSrcMask, F::kSrcAs, F::kSrcNet});
  base::Interner interner;
  record::FlowBatch batch(&layout, &interner);
  const auto add = [&](int mask, uint32_t as) {
    auto row = batch.Append();
    row.Set<F::kSrcAddr>(Address("198.51.100.200"));  // the file: /25, AS 64497
    if (mask >= 0) row.Set<F::kSrcMask>(static_cast<uint8_t>(mask));
    if (as != 0) row.Set<F::kSrcAs>(as);
  };
  add(24, 1);
  add(25, 1);
  add(26, 1);
  add(26, 0);
  add(-1, 1);
  NetworksEnricher enricher(SomeNetworks(), NetworksPolicy::kLongest);
  EXPECT_EQ(enricher.RequiredFields(FieldSet({F::kSrcAs})), (std::vector<F>{F::kSrcAddr, F::kSrcMask}));
  enricher.Bind(layout, FieldSet(layout.fields()));
  enricher.Apply(batch);
  const std::vector<uint32_t> as = {64497, 1, 1, 64497, 64497};
  const std::vector<int> masks = {25, 25, 26, 26, 25};
  for (size_t i = 0; i < as.size(); ++i) {
    EXPECT_EQ(batch.row(i).Get<F::kSrcAs>(), as[i]) << i;
    EXPECT_EQ(batch.row(i).Get<F::kSrcMask>(), masks[i]) << i;
    EXPECT_EQ(batch.row(i).Get<F::kSrcNet>().ToString(), "198.51.100.128/25") << i;
  }
}

TEST(NetworksEnricher, ColumnsSetTheFieldsOfTheirSide) {
  auto networks = Networks::Parse(
      "prefix,name,country,src:tag,dst:tag2,peer_as,next_hop,dst:custom_addr_1,coords\n"
      "192.0.2.0/24,ours,NL,7,8,64500,203.0.113.1,203.0.113.2,\"1,2\"\n"
      "198.51.100.0/24,theirs,,,,,,,\n",
      "n");
  ASSERT_TRUE(networks.ok()) << networks.status();
  const record::Layout layout = record::Layout::All();
  NetworksEnricher enricher(std::make_shared<const Networks>(*std::move(networks)));
  enricher.Bind(layout, FieldSet(layout.fields()));
  for (int round = 0; round < 2; ++round) {  // a second interner, with other ids
    base::Interner interner;
    if (round == 1) interner.Intern("another");
    record::FlowBatch batch(&layout, &interner);
    for (const bool turned : {false, true}) {
      auto row = batch.Append();
      row.Set<F::kSrcAddr>(Address(turned ? "198.51.100.1" : "192.0.2.1"));
      row.Set<F::kDstAddr>(Address(turned ? "192.0.2.1" : "198.51.100.1"));
    }
    enricher.Apply(batch);
    const auto text = [&](base::InternId id) { return std::string(base::AsText(interner.Find(id))); };
    const auto from = batch.row(0), to = batch.row(1);
    EXPECT_EQ(text(from.Get<F::kSrcNetName>()) + " " + text(from.Get<F::kDstNetName>()), "ours theirs");
    EXPECT_EQ(text(to.Get<F::kSrcNetName>()) + " " + text(to.Get<F::kDstNetName>()), "theirs ours");
    EXPECT_EQ(text(from.Get<F::kSrcCountry>()), "NL");
    EXPECT_FALSE(from.Has(F::kDstCountry) || to.Has(F::kSrcCountry));
    EXPECT_EQ(from.Get<F::kTag>(), 7u);
    EXPECT_FALSE(from.Has(F::kTag2) || to.Has(F::kTag));
    EXPECT_EQ(to.Get<F::kTag2>(), 8u);
    EXPECT_EQ(from.Get<F::kPeerSrcAs>(), 64500u);
    EXPECT_EQ(to.Get<F::kPeerDstAs>(), 64500u);
    EXPECT_FALSE(from.Has(F::kBgpNextHop));
    EXPECT_EQ(to.Get<F::kBgpNextHop>().ToString(), "203.0.113.1");
    EXPECT_EQ(to.Get<F::kCustomAddr1>().ToString(), "203.0.113.2");
    EXPECT_TRUE(from.Has(F::kSrcCoords) && to.Has(F::kDstCoords));
    FLOWACCT_REQUIRE_ALLOCATION_COUNT();
    const testing::AllocationCounter counter;
    enricher.Apply(batch);
    EXPECT_EQ(counter.allocations(), 0);
  }
}

TEST(NetworksEnricher, WhatNobodyWantsIsNotLookedUp) {
  NetworksEnricher enricher(SomeNetworks());
  EXPECT_TRUE(enricher.RequiredFields(FieldSet({F::kSrcAddr, F::kBytes})).empty());
  EXPECT_EQ(enricher.RequiredFields(FieldSet({F::kDstAs})), (std::vector<F>{F::kDstAddr}));
  // The layout is shared with somebody who wants src_as; this pipeline does not.
  const record::Layout layout({F::kSrcAddr, F::kDstAddr, F::kSrcAs, F::kDstAs});
  base::Interner interner;
  record::FlowBatch batch(&layout, &interner);
  auto row = batch.Append();
  row.Set<F::kSrcAddr>(Address("198.51.100.200"));
  row.Set<F::kDstAddr>(Address("2001:db8::1"));
  enricher.Bind(layout, FieldSet({F::kDstAs}));
  enricher.Apply(batch);
  EXPECT_FALSE(batch.row(0).Has(F::kSrcAs));
  EXPECT_EQ(batch.row(0).Get<F::kDstAs>(), 64498u);
  EXPECT_EQ(enricher.counters()[0].value, 1u);
}

}  // namespace
}  // namespace flowacct::enrich
