// Time bins of an aggregator: which one a record falls into, lateness, and records that are split over several.

#include "flowacct/aggregate/time_bins.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>
#include <utility>

#include "flowacct/aggregate/aggregate_test_rows.h"
#include "flowacct/aggregate/aggregator.h"
#include "flowacct/aggregate/totals.h"

namespace flowacct::aggregate {
namespace {

using F = record::FieldId;

TEST(TimeBins, Bins) {
  AggregatorOptions options = By({}, {"packets"});
  options.every = absl::Minutes(5);
  options.lateness = absl::Minutes(1);
  Bench bench(options);
  for (int64_t t : {0, 299, 300, 10, 600}) {
    auto row = bench.Row();
    row.Set<F::kStartTime>(Seconds(t));
    row.Set<F::kPackets>(1);
  }
  bench.Flush();
  EXPECT_TRUE(bench.aggregator->CloseBefore(absl::FromUnixSeconds(359)).empty());
  auto closed = bench.aggregator->CloseBefore(absl::FromUnixSeconds(360));
  ASSERT_EQ(closed.size(), 1u);
  EXPECT_EQ(closed[0].bin().start_nanos, 0);
  EXPECT_EQ(closed[0].bin().end_nanos, Seconds(300));
  EXPECT_EQ(closed[0].value(0, 0), 3u);
  {
    auto row = bench.Row();  // too late
    row.Set<F::kStartTime>(Seconds(1));
    row.Set<F::kPackets>(50);
    auto fallback = bench.Row();
    fallback.Set<F::kArrivalTime>(Seconds(601));
    fallback.Set<F::kPackets>(7);
  }
  bench.Flush();
  EXPECT_EQ(bench.aggregator->counters().records_late, 1u);
  EXPECT_EQ(bench.aggregator->counters().records_in, 7u);
  EXPECT_EQ(bench.aggregator->counters().records_aggregated, 6u);
  EXPECT_EQ(bench.aggregator->late().sums[0], absl::uint128(50));
  closed = bench.aggregator->Close();
  ASSERT_EQ(closed.size(), 2u);
  EXPECT_EQ(closed[0].bin().start_nanos, Seconds(300));
  EXPECT_EQ(closed[1].value(0, 0), 8u);
}

TEST(TimeBins, TooManyOpenBinsCloseTheOldest) {
  AggregatorOptions options = By({}, {"packets"});
  options.every = absl::Seconds(1);
  options.max_open_bins = 3;
  Bench bench(options);
  for (int64_t t : {10, 11, 12, 13, 10, 5}) {
    auto row = bench.Row();
    row.Set<F::kStartTime>(Seconds(t));
    row.Set<F::kPackets>(1);
    bench.Flush();
  }
  EXPECT_EQ(bench.aggregator->counters().bins_evicted, 1u);
  EXPECT_EQ(bench.aggregator->counters().records_late, 2u);
  EXPECT_EQ(bench.aggregator->Close().size(), 4u);
}

TEST(TimeBins, TimesAtTheEndsOfTheirTypeAreHarmless) {
  AggregatorOptions options = By({}, {"packets", "flows"});
  options.every = absl::Hours(24 * 7);
  options.prorate = true;
  Bench bench(options);
  for (int64_t start : {INT64_MIN, int64_t{-1}, int64_t{0}, INT64_MAX}) {
    for (int64_t end : {INT64_MIN, int64_t{0}, INT64_MAX}) {
      auto row = bench.Row();
      row.Set<F::kStartTime>(start);
      row.Set<F::kEndTime>(end);
      row.Set<F::kPackets>(UINT64_MAX);
      bench.Flush();
    }
  }
  Totals totals;
  for (const AggregateBatch& batch : bench.aggregator->Close()) totals.Add(batch);
  EXPECT_EQ(totals.sums[0], absl::uint128(UINT64_MAX) * 12);
  EXPECT_GT(bench.aggregator->counters().records_not_split, 0u);
}

TEST(TimeBins, ProratedPartsSumToTheWhole) {
  AggregatorOptions options = By({}, {"packets", "bytes", "flows", "max(bytes)"});
  options.every = absl::Seconds(60);
  options.prorate = true;
  Bench bench(options);
  auto row = bench.Row();  // 30 s in the first minute, 60 in the second, 10 in the third
  row.Set<F::kStartTime>(Seconds(30));
  row.Set<F::kEndTime>(Seconds(130));
  row.Set<F::kPackets>(7);
  row.Set<F::kBytes>(1000);
  row.Set<F::kFlows>(1);
  bench.Flush();
  const auto batches = bench.aggregator->Close();
  ASSERT_EQ(batches.size(), 3u);
  EXPECT_EQ(batches[0].value(0, 0), 2u);  // floor(2.1), then floor(6.3) - 2, then the rest
  EXPECT_EQ(batches[1].value(0, 0), 4u);
  EXPECT_EQ(batches[2].value(0, 0), 1u);
  EXPECT_EQ(batches[0].value(0, 1), 300u);
  EXPECT_EQ(batches[1].value(0, 1), 600u);
  EXPECT_EQ(batches[2].value(0, 1), 100u);
  EXPECT_EQ(batches[0].value(0, 2), 1u);
  EXPECT_EQ(batches[1].value(0, 2), 0u);
  EXPECT_EQ(batches[1].value(0, 3), 1000u);
  EXPECT_EQ(bench.aggregator->counters().records_aggregated, 1u);
}

TEST(TimeBins, ProratedRandomRecordsKeepTheirSums) {
  AggregatorOptions options = By({"dst_port"}, {"packets", "bytes", "flows"});
  options.every = absl::Seconds(7);
  options.prorate = true;
  options.max_open_bins = 20;
  Bench bench(options);
  std::mt19937_64 random(4);
  absl::uint128 in[3] = {0, 0, 0};
  Totals out;
  for (int i = 0; i < 20000; ++i) {
    auto row = bench.Row();
    const int64_t start = static_cast<int64_t>(random() % 1000000000) * 200 + int64_t{i} * 10000000;
    row.Set<F::kDstPort>(static_cast<uint16_t>(random() % 3));
    row.Set<F::kStartTime>(start);
    row.Set<F::kEndTime>(start + static_cast<int64_t>(random() % Seconds(200)));
    const uint64_t values[3] = {random() % 10, random() >> random() % 64, 1};
    row.Set<F::kPackets>(values[0]);
    row.Set<F::kBytes>(values[1]);
    row.Set<F::kFlows>(values[2]);
    for (int v = 0; v < 3; ++v) in[v] += values[v];
    if (i % 37 == 0) bench.Flush();
    if (i % 1000 == 0) {
      for (const auto& batch : bench.aggregator->CloseBefore(absl::FromUnixNanos(start))) out.Add(batch);
    }
  }
  bench.Flush();
  for (const auto& batch : bench.aggregator->Close()) out.Add(batch);
  const AggregatorCounters& c = bench.aggregator->counters();
  for (int v = 0; v < 3; ++v) EXPECT_EQ(in[v], out.sums[v] + bench.aggregator->late().sums[v]) << v;
  EXPECT_EQ(c.records_in, c.records_aggregated + c.records_late);
  EXPECT_GT(c.parts_late, 0u);
  EXPECT_GT(c.records_not_split, 0u);
}

// Each part is what floor(number * time / whole) says, whatever the width of the bins on the way.
TEST(TimeBins, ProratedPartsEqualTheSlowTwin) {
  std::mt19937_64 random(11);
  const int64_t day = Seconds(86400);
  for (const absl::Duration every : {absl::Seconds(7), absl::Minutes(13), absl::Hours(7), absl::Hours(48)}) {
    AggregatorOptions options = By({"dst_port"}, {"packets", "bytes", "flows"});
    options.every = every;
    options.prorate = true;
    options.max_open_bins = 100000;
    Bench bench(options);
    TimeBins bins(every, options.time_zone);
    std::map<std::pair<uint16_t, int64_t>, std::array<uint64_t, 3>> twin;  // by port and bin
    const int64_t width = absl::ToInt64Nanoseconds(every);
    for (uint16_t port = 0; port < 500; ++port) {  // one record a group, near an end of a day, where a bin is shorter
      const int64_t from = day * 20000 + static_cast<int64_t>(random() % Seconds(3600)) - Seconds(1800);
      const int64_t to = from + 1 + static_cast<int64_t>(random() % static_cast<uint64_t>(width * 30));
      const uint64_t numbers[3] = {random() % 50, random() >> random() % 64, 1};
      auto row = bench.Row();
      row.Set<F::kDstPort>(port);
      row.Set<F::kStartTime>(from);
      row.Set<F::kEndTime>(to);
      row.Set<F::kPackets>(numbers[0]);
      row.Set<F::kBytes>(numbers[1]);
      row.Set<F::kFlows>(numbers[2]);
      const absl::uint128 whole = static_cast<uint64_t>(to - from);
      uint64_t before[2] = {0, 0};
      for (int64_t at = from; at < to;) {
        const TimeBin bin = bins.Find(at);
        std::array<uint64_t, 3> parts{};
        for (int v = 0; v < 2; ++v) {
          const absl::uint128 time = static_cast<uint64_t>(std::min(bin.end_nanos, to) - from);
          const uint64_t so_far = static_cast<uint64_t>(absl::uint128(numbers[v]) * time / whole);
          parts[v] = so_far - before[v];
          before[v] = so_far;
        }
        parts[2] = at == from ? 1 : 0;
        if (parts != std::array<uint64_t, 3>{}) twin[{port, bin.start_nanos}] = parts;
        at = bin.end_nanos;
      }
      if (port % 90 == 0) bench.Flush();
    }
    bench.Flush();
    size_t rows = 0;
    for (const AggregateBatch& batch : bench.aggregator->Close()) {
      for (size_t i = 0; i < batch.size(); ++i, ++rows) {
        const auto expected = twin.find({batch.key(i).Get<F::kDstPort>(), batch.bin().start_nanos});
        ASSERT_NE(expected, twin.end());
        for (size_t v = 0; v < 3; ++v) EXPECT_EQ(batch.value(i, v), expected->second[v]);
      }
    }
    EXPECT_EQ(rows, twin.size());
    EXPECT_EQ(bench.aggregator->counters().records_aggregated, 500u);
  }
}

}  // namespace
}  // namespace flowacct::aggregate
