// Bins that are taken out of one aggregator and merged into another.

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "flowacct/aggregate/aggregate_test_rows.h"
#include "flowacct/aggregate/aggregator.h"
#include "flowacct/aggregate/totals.h"

namespace flowacct::aggregate {
namespace {

using F = record::FieldId;

AggregatorOptions ByVrfInMinutes() {
  AggregatorOptions options = By({"vrf_name"}, {"bytes", "distinct(dst_port)", "top(dst_port)", "max(ttl)"});
  options.every = absl::Minutes(1);
  options.lateness = absl::Seconds(10);
  return options;
}

void AddTraffic(Bench* bench, uint32_t seed, int64_t from_seconds, int64_t to_seconds) {
  std::mt19937 random(seed);
  for (int i = 0; i < 2000; ++i) {
    auto row = bench->Row();
    row.Set<F::kVrfName>(bench->interner.Intern("vrf-" + std::to_string(random() % 20)));
    row.Set<F::kDstPort>(static_cast<uint16_t>(random() % 5));  // few, so that top() is exact
    row.Set<F::kBytes>(random());
    row.Set<F::kTtl>(static_cast<uint8_t>(random() % 255));
    row.Set<F::kStartTime>(Seconds(from_seconds + static_cast<int64_t>(random() % (to_seconds - from_seconds))));
  }
  bench->Flush();
}

// Rows as text, without the order in which they lie.
std::multiset<std::string> Texts(const std::vector<AggregateBatch>& batches) {
  std::multiset<std::string> texts;
  for (const AggregateBatch& batch : batches) {
    for (size_t i = 0; i < batch.size(); ++i) {
      std::string text = std::to_string(batch.bin().start_nanos) + (batch.correction() ? " correction " : " ");
      text += std::string(base::AsText(batch.interner().Find(batch.key(i).Get<F::kVrfName>())));
      for (size_t column : {0, 1, 3}) text += " " + std::to_string(batch.value(i, column));
      texts.insert(text + " " + batch.text(i, 2));
    }
  }
  return texts;
}

TEST(AggregatorPartials, BinsTakenInPartsMergeToWhatOneWouldHave) {
  Bench whole(ByVrfInMinutes()), parts(ByVrfInMinutes()), merged(ByVrfInMinutes());
  for (uint32_t round = 0; round < 5; ++round) {
    for (Bench* bench : {&whole, &parts}) AddTraffic(bench, round, 0, 300);
    if (round % 2 == 1) {
      ASSERT_TRUE(merged.aggregator->Merge(std::move(*parts.aggregator->TakeAll())).ok());
      EXPECT_EQ(parts.aggregator->open_groups(), 0u);
      EXPECT_FALSE(parts.aggregator->first_bin_end().has_value());
    }
  }
  ASSERT_TRUE(merged.aggregator->Merge(std::move(*parts.aggregator->TakeAll())).ok());
  EXPECT_EQ(parts.aggregator->TakeAll(), nullptr);
  EXPECT_EQ(parts.aggregator->counters().records_aggregated, 10000u);
  EXPECT_EQ(Texts(merged.aggregator->Close()), Texts(whole.aggregator->Close()));
}

TEST(AggregatorPartials, TakeClosedTakesWhatHasEndedAndLeavesTheRest) {
  Bench bench(ByVrfInMinutes());
  AddTraffic(&bench, 1, 0, 180);
  EXPECT_EQ(bench.aggregator->TakeClosed(absl::FromUnixSeconds(69)), nullptr);
  auto ended = bench.aggregator->TakeClosed(absl::FromUnixSeconds(70));
  ASSERT_NE(ended, nullptr);
  EXPECT_EQ(ended->first_bin_end(), Seconds(60));
  EXPECT_EQ(bench.aggregator->first_bin_end(), Seconds(120));
  const auto batches = ended->Close();
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_EQ(batches[0].size(), 20u);
  // What comes for it now is late, also where no bin was open.
  AddTraffic(&bench, 2, 0, 60);
  EXPECT_EQ(bench.aggregator->counters().records_late, 2000u);
}

TEST(AggregatorPartials, RestatedRecordsAreACorrection) {
  AggregatorOptions options = ByVrfInMinutes();
  options.late = AggregatorOptions::Late::kRestate;
  Bench bench(options);
  AddTraffic(&bench, 1, 0, 60);
  EXPECT_EQ(bench.aggregator->CloseBefore(absl::FromUnixSeconds(70)).size(), 1u);
  AddTraffic(&bench, 2, 0, 120);
  const auto batches = bench.aggregator->CloseBefore(absl::FromUnixSeconds(130));
  ASSERT_EQ(batches.size(), 2u);
  EXPECT_TRUE(batches[0].correction());
  EXPECT_EQ(batches[0].bin().start_nanos, 0);
  EXPECT_FALSE(batches[1].correction());
  EXPECT_EQ(bench.aggregator->counters().records_late, 0u);
  EXPECT_EQ(bench.aggregator->counters().records_aggregated, 4000u);
}

TEST(AggregatorPartials, ASnapshotIsWhatCloseWouldGiveAndChangesNothing) {
  Bench bench(ByVrfInMinutes());
  AddTraffic(&bench, 1, 0, 120);
  const auto before = Texts(bench.aggregator->Snapshot());
  EXPECT_EQ(before, Texts(bench.aggregator->Snapshot()));
  EXPECT_EQ(before, Texts(bench.aggregator->Close()));
}

TEST(AggregatorPartials, ABatchKeepsTheInternerThatIsShared) {
  auto interner = std::make_shared<base::Interner>();
  std::vector<AggregateBatch> batches;
  {
    auto aggregator = Aggregator::New(By({"vrf_name"}), interner);
    ASSERT_TRUE(aggregator.ok());
    const record::Layout layout((*aggregator)->RequiredFields());
    (*aggregator)->Bind(layout);
    record::FlowBatch rows(&layout, interner.get());
    rows.Append().Set<F::kVrfName>(interner->Intern("red"));
    (*aggregator)->Add(rows);
    batches = (*aggregator)->Close();
    interner.reset();
  }
  EXPECT_EQ(base::AsText(batches[0].interner().Find(batches[0].key(0).Get<F::kVrfName>())), "red");
}

TEST(AggregatorPartials, MergeTranslatesInternedKeysAndValues) {
  const AggregatorOptions options = By({"user_name"}, {"packets", "distinct(http_host)", "top(http_host)"});
  Bench ours(options), theirs(options);
  theirs.interner.Intern("something else first, so that ids differ");
  for (Bench* bench : {&ours, &theirs}) {
    for (const char* user : {"ada", "bob"}) {
      for (const char* host : {"a.example", "b.example", "a.example"}) {
        auto row = bench->Row();
        row.Set<F::kUserName>(bench->interner.Intern(user));
        row.Set<F::kHttpHost>(bench->interner.Intern(host));
        row.Set<F::kPackets>(1);
      }
    }
    bench->Flush();
  }
  ASSERT_TRUE(ours.aggregator->Merge(std::move(*theirs.aggregator)).ok());
  const auto batches = ours.aggregator->Close();
  ASSERT_EQ(batches[0].size(), 2u);
  EXPECT_EQ(base::AsText(ours.interner.Find(batches[0].key(1).Get<F::kUserName>())), "bob");
  EXPECT_EQ(batches[0].value(1, 0), 6u);
  EXPECT_EQ(batches[0].value(1, 1), 2u);
  EXPECT_EQ(batches[0].text(1, 2), "a.example:4 b.example:2");
}

TEST(AggregatorPartials, MergeKeepsBinsOverflowAndLateness) {
  AggregatorOptions options = By({"dst_port"}, {"packets"});
  options.every = absl::Seconds(10);
  options.max_groups = 4;
  Bench ours(options), theirs(options);
  uint64_t in = 0;
  for (Bench* bench : {&ours, &theirs}) {
    for (uint16_t i = 0; i < 20; ++i) {
      auto row = bench->Row();
      row.Set<F::kStartTime>(Seconds(i));
      row.Set<F::kDstPort>(static_cast<uint16_t>(i % 7));
      row.Set<F::kPackets>(i);
      in += i;
    }
    bench->Flush();
  }
  Totals totals;
  for (const auto& batch : ours.aggregator->CloseBefore(absl::FromUnixSeconds(10))) totals.Add(batch);
  ASSERT_TRUE(ours.aggregator->Merge(std::move(*theirs.aggregator)).ok());
  for (const auto& batch : ours.aggregator->Close()) totals.Add(batch);
  EXPECT_EQ(totals.sums[0] + ours.aggregator->late().sums[0], absl::uint128(in));
  EXPECT_EQ(ours.aggregator->late().sums[0], absl::uint128(45));
  Bench other(By({"src_port"}, {"packets"}));
  EXPECT_EQ(ours.aggregator->Merge(std::move(*other.aggregator)).code(), absl::StatusCode::kInvalidArgument);
}

// What neither has interned moves over as it is; what has is carried over. Either way nothing of the old one stays.
TEST(AggregatorPartials, AfterAMergeTheOldAggregatorAndItsInternerCanGo) {
  for (const char* key : {"dst_port", "vrf_name"}) {
    AggregatorOptions options = By({key}, {"packets"});
    const auto fill = [](Aggregator* aggregator, base::Interner* interner) {
      const record::Layout layout({F::kDstPort, F::kVrfName, F::kPackets});
      aggregator->Bind(layout);
      record::FlowBatch rows(&layout, interner);
      for (uint16_t i = 0; i < 5000; ++i) {
        auto row = rows.Append();
        row.Set<F::kDstPort>(i);
        row.Set<F::kVrfName>(interner->Intern("a name that is long enough " + std::to_string(i)));
        row.Set<F::kPackets>(1);
      }
      aggregator->Add(rows);
    };
    auto old_interner = std::make_shared<base::Interner>();
    auto old = *Aggregator::New(options, old_interner);
    fill(old.get(), old_interner.get());
    auto interner = std::make_shared<base::Interner>();
    interner->Intern("so that ids differ");
    auto fresh = *Aggregator::New(options, interner);
    const std::weak_ptr<base::Interner> watched = old_interner;
    ASSERT_TRUE(fresh->Merge(std::move(*old)).ok());
    EXPECT_EQ(old->octets(), 0u);
    old.reset();
    old_interner.reset();
    EXPECT_TRUE(watched.expired()) << key;
    fill(fresh.get(), interner.get());
    EXPECT_EQ(fresh->open_groups(), 5000u);
    EXPECT_EQ(fresh->counters().groups, 5000u);
    const auto batches = fresh->Close();
    ASSERT_EQ(batches[0].size(), 5000u);
    for (size_t i = 0; i < 5000; ++i) EXPECT_EQ(batches[0].value(i, 0), 2u);
    if (key == std::string("vrf_name")) {
      EXPECT_EQ(base::AsText(batches[0].interner().Find(batches[0].key(17).Get<F::kVrfName>())),
                "a name that is long enough 17");
    }
  }
}

TEST(AggregatorPartials, MergeCarriesSumsBeyond64Bits) {
  const AggregatorOptions options = By({"dst_port"}, {"packets", "bytes"});
  Bench ours(options), theirs(options);
  for (Bench* bench : {&ours, &theirs}) {
    for (int i = 0; i < 3; ++i) {
      auto row = bench->Row();
      row.Set<F::kPackets>(1);
      row.Set<F::kBytes>(UINT64_MAX);
    }
    bench->Flush();
  }
  ASSERT_TRUE(ours.aggregator->Merge(std::move(*theirs.aggregator)).ok());
  const auto batches = ours.aggregator->Close();
  EXPECT_EQ(batches[0].wide_value(0, 0), absl::uint128(6));
  EXPECT_EQ(batches[0].wide_value(0, 1), absl::uint128(UINT64_MAX) * 6);
}

TEST(AggregatorPartials, WhatIsOlderThanTheHorizonIsNotRestated) {
  AggregatorOptions options = ByVrfInMinutes();
  options.late = AggregatorOptions::Late::kRestate;
  options.restate_for = absl::Minutes(5);
  Bench bench(options);
  AddTraffic(&bench, 1, 3600, 3660);
  EXPECT_EQ(bench.aggregator->CloseBefore(absl::FromUnixSeconds(3670)).size(), 1u);
  AddTraffic(&bench, 2, 3360, 3420);  // ended four minutes before what is closed does
  AddTraffic(&bench, 3, 3240, 3300);  // six
  EXPECT_EQ(bench.aggregator->counters().records_late, 2000u);
  const auto batches = bench.aggregator->CloseBefore(absl::FromUnixSeconds(3670));
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_TRUE(batches[0].correction());
  EXPECT_EQ(batches[0].bin().start_nanos, Seconds(3360));
}

}  // namespace
}  // namespace flowacct::aggregate
