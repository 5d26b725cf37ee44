#include "flowacct/enrich/networks_enricher.h"

#include <gtest/gtest.h>

#include "flowacct/record/layout.h"

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
