#include "flowacct/aggregate/aggregator.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <tuple>

#include "flowacct/aggregate/aggregate_test_rows.h"
#include "flowacct/testing/allocation_counter.h"

namespace flowacct::aggregate {
namespace {

using F = record::FieldId;

TEST(Aggregator, SumsByKeyInTheOrderOfArrival) {
  Bench bench(By({"src_as", "dst_port"}));
  for (const auto& [as, port, packets, bytes] : std::vector<std::array<uint64_t, 4>>{
           {64497, 443, 3, 1500}, {64496, 80, 1, 40}, {64497, 443, 2, 100}, {64497, 80, 5, 500}}) {
    auto row = bench.Row();
    row.Set<F::kSrcAs>(static_cast<uint32_t>(as));
    row.Set<F::kDstPort>(static_cast<uint16_t>(port));
    row.Set<F::kPackets>(packets);
    row.Set<F::kBytes>(bytes);
    row.Set<F::kFlows>(1);
  }
  bench.Flush();
  const auto batches = bench.aggregator->Close();
  ASSERT_EQ(batches.size(), 1u);
  const AggregateBatch& batch = batches[0];
  ASSERT_EQ(batch.size(), 3u);
  EXPECT_EQ(batch.bin().end_nanos, 0);
  EXPECT_EQ(batch.key(0).Get<F::kSrcAs>(), 64497u);
  EXPECT_EQ(batch.key(0).Get<F::kDstPort>(), 443u);
  EXPECT_EQ(batch.value(0, 0), 5u);
  EXPECT_EQ(batch.value(0, 1), 1600u);
  EXPECT_EQ(batch.value(0, 2), 2u);
  EXPECT_EQ(batch.key(1).Get<F::kSrcAs>(), 64496u);
  EXPECT_EQ(batch.value(2, 0), 5u);
  EXPECT_FALSE(batch.has_overflow());
  EXPECT_EQ(bench.aggregator->counters().records_in, 4u);
  EXPECT_EQ(bench.aggregator->counters().records_aggregated, 4u);
  EXPECT_EQ(bench.aggregator->counters().groups, 3u);
}

TEST(Aggregator, AbsentIsAGroupOfItsOwnAndAddsNothing) {
  Bench bench(By({"src_as"}));
  bench.Row().Set<F::kSrcAs>(0);
  bench.Row().Set<F::kPackets>(7);
  bench.Flush();
  const auto batches = bench.aggregator->Close();
  ASSERT_EQ(batches[0].size(), 2u);
  EXPECT_TRUE(batches[0].key(0).Has(F::kSrcAs));
  EXPECT_FALSE(batches[0].key(1).Has(F::kSrcAs));
  EXPECT_EQ(batches[0].value(0, 0), 0u);
  EXPECT_EQ(batches[0].value(1, 0), 7u);
}

TEST(Aggregator, WithoutKeysThereIsOneGroupAndWithoutRecordsNone) {
  Bench bench(By({}));
  EXPECT_EQ(bench.aggregator->Close().at(0).size(), 0u);
  for (uint64_t i = 1; i <= 100; ++i) bench.Row().Set<F::kBytes>(i);
  bench.Flush();
  const auto batches = bench.aggregator->Close();
  ASSERT_EQ(batches[0].size(), 1u);
  EXPECT_EQ(batches[0].value(0, 1), 5050u);
}

TEST(Aggregator, NetworksByMask) {
  Bench bench(By({"src_addr/24,48", "dst_net", "exporter/16"}));
  const auto add = [&](absl::string_view source) {
    auto row = bench.Row();
    row.Set<F::kSrcAddr>(Address(source));
    row.Set<F::kDstAddr>(Address("198.51.100.77"));
    row.Set<F::kDstMask>(22);
    row.Set<F::kExporter>(Address("203.0.113.9"));
    row.Set<F::kPackets>(1);
  };
  add("192.0.2.1");
  add("192.0.2.200");
  add("192.0.3.1");
  add("2001:db8:1:2::3");
  add("2001:db8:1:3::4");
  bench.Flush();
  {
    auto row = bench.Row();  // the exporter told the network: its mask is not asked
    row.Set<F::kDstNet>(*base::IpPrefix::Parse("198.51.100.0/25"));
    row.Set<F::kDstAddr>(Address("198.51.100.77"));
    row.Set<F::kDstMask>(22);
    bench.Row();  // nothing is known
  }
  bench.Flush();
  const auto batches = bench.aggregator->Close();
  const AggregateBatch& batch = batches[0];
  ASSERT_EQ(batch.size(), 5u);
  EXPECT_EQ(batch.key(0).Get<F::kSrcNet>().ToString(), "192.0.2.0/24");
  EXPECT_EQ(batch.key(0).Get<F::kDstNet>().ToString(), "198.51.100.0/22");
  EXPECT_EQ(batch.key(0).Get<F::kExporter>().ToString(), "203.0.0.0");
  EXPECT_EQ(batch.value(0, 0), 2u);
  EXPECT_EQ(batch.key(1).Get<F::kSrcNet>().ToString(), "192.0.3.0/24");
  EXPECT_EQ(batch.key(2).Get<F::kSrcNet>().ToString(), "2001:db8:1::/48");
  EXPECT_EQ(batch.value(2, 0), 2u);
  EXPECT_EQ(batch.key(3).Get<F::kDstNet>().ToString(), "198.51.100.0/25");
  EXPECT_FALSE(batch.key(3).Has(F::kSrcNet));
  EXPECT_FALSE(batch.key(4).Has(F::kDstNet));
}

TEST(Aggregator, AMaskWinsOverTheNetworkThatTheExporterTold) {
  Bench bench(By({"src_addr/24"}), {F::kSrcNet});
  auto row = bench.Row();
  row.Set<F::kSrcNet>(*base::IpPrefix::Parse("10.0.0.0/8"));
  row.Set<F::kSrcAddr>(Address("10.1.2.3"));
  bench.Row().Set<F::kSrcNet>(*base::IpPrefix::Parse("10.0.0.0/8"));
  bench.Flush();
  const auto batches = bench.aggregator->Close();
  EXPECT_EQ(batches[0].key(0).Get<F::kSrcNet>().ToString(), "10.1.2.0/24");
  EXPECT_FALSE(batches[0].key(1).Has(F::kSrcNet));
}

TEST(Aggregator, MinMaxDistinctTop) {
  Bench bench(By({"protocol"}, {"min(ttl)", "bytes", "max(ttl)", "distinct(src_addr)", "top2(dst_port)"}));
  for (int i = 0; i < 100; ++i) {
    auto row = bench.Row();
    row.Set<F::kProtocol>(6);
    row.Set<F::kTtl>(static_cast<uint8_t>(50 + i % 7));
    row.Set<F::kBytes>(10);
    row.Set<F::kSrcAddr>(base::IpAddress::V4(0xc0000200u + static_cast<uint32_t>(i) % 13));
    row.Set<F::kDstPort>(i % 10 < 6 ? 443 : i % 10 < 9 ? 80 : 22);
  }
  bench.Row().Set<F::kProtocol>(17);
  bench.Flush();
  const auto batches = bench.aggregator->Close();
  const AggregateBatch& batch = batches[0];
  EXPECT_EQ(batch.schema().values[0].name, "min(ttl)");
  EXPECT_TRUE(batch.has_value(0, 0));
  EXPECT_EQ(batch.value(0, 0), 50u);
  EXPECT_EQ(batch.value(0, 1), 1000u);
  EXPECT_EQ(batch.value(0, 2), 56u);
  EXPECT_EQ(batch.value(0, 3), 13u);
  EXPECT_EQ(batch.text(0, 4), "443:60 80:30");
  EXPECT_FALSE(batch.has_value(1, 0));
  EXPECT_FALSE(batch.has_value(1, 2));
  EXPECT_TRUE(batch.has_value(1, 1));
  EXPECT_EQ(batch.value(1, 3), 0u);
  EXPECT_EQ(batch.text(1, 4), "");
}

TEST(Aggregator, TimesBefore1970AreLessThanThoseAfter) {
  Bench bench(By({"dst_port"}, {"min(start_time)", "max(start_time)"}));
  const auto add = [&](uint16_t port, std::vector<int64_t> times) {
    for (int64_t t : times) {
      auto row = bench.Row();
      row.Set<F::kDstPort>(port);
      row.Set<F::kStartTime>(Seconds(t));
    }
  };
  add(1, {5, -7, 3});
  add(2, {-7, -2});
  add(3, {2, 9});
  bench.Row().Set<F::kDstPort>(4);  // has none
  bench.Flush();
  const auto batches = bench.aggregator->Close();
  const AggregateBatch& batch = batches[0];
  const auto seconds = [&](size_t row, size_t column) {
    return static_cast<int64_t>(batch.value(row, column)) / Seconds(1);
  };
  EXPECT_EQ(seconds(0, 0), -7);
  EXPECT_EQ(seconds(0, 1), 5);
  EXPECT_EQ(seconds(1, 0), -7);
  EXPECT_EQ(seconds(1, 1), -2);
  EXPECT_EQ(seconds(2, 0), 2);
  EXPECT_EQ(TopRows(batch, 1, 10), (std::vector<uint32_t>{2, 0, 1, 3}));
}

TEST(Aggregator, WhatIsBeyondTheBoundIsSummedInTheOverflowGroup) {
  AggregatorOptions options = By({"dst_port"}, {"packets", "distinct(src_as)", "max(ttl)"});
  options.max_groups = 100;
  Bench bench(options);
  for (uint32_t i = 0; i < 1000; ++i) {
    auto row = bench.Row();
    row.Set<F::kDstPort>(static_cast<uint16_t>(i % 250));
    row.Set<F::kPackets>(i);
    row.Set<F::kSrcAs>(i % 5);
    row.Set<F::kTtl>(static_cast<uint8_t>(i % 250));
  }
  bench.Flush();
  EXPECT_EQ(bench.aggregator->counters().records_overflowed, 600u);
  EXPECT_EQ(bench.aggregator->counters().groups, 100u);
  const auto batches = bench.aggregator->Close();
  const AggregateBatch& batch = batches[0];
  ASSERT_EQ(batch.size(), 101u);
  ASSERT_TRUE(batch.has_overflow());
  Totals totals;
  totals.Add(batch);
  EXPECT_EQ(totals.sums[0], absl::uint128(999 * 1000 / 2));
  for (size_t row = 0; row < batch.size(); ++row) {
    if (!batch.is_overflow(row)) continue;
    EXPECT_FALSE(batch.key(row).Has(F::kDstPort));
    EXPECT_EQ(batch.value(row, 1), 5u);
    EXPECT_EQ(batch.value(row, 2), 249u);
  }
  // After the bin is closed there is room again.
  bench.Row().Set<F::kDstPort>(60000);
  bench.Flush();
  EXPECT_FALSE(bench.aggregator->Close()[0].has_overflow());
}

TEST(Aggregator, SumsBeyond64BitsStayExact) {
  Bench bench(By({"protocol"}, {"bytes"}));
  for (int i = 0; i < 5; ++i) bench.Row().Set<F::kBytes>(UINT64_MAX);
  bench.Flush();
  EXPECT_EQ(bench.aggregator->counters().sum_carries, 4u);
  const auto batches = bench.aggregator->Close();
  EXPECT_EQ(batches[0].value(0, 0), UINT64_MAX);
  EXPECT_EQ(batches[0].wide_value(0, 0), absl::uint128(UINT64_MAX) * 5);
  Totals totals;
  totals.Add(batches[0]);
  EXPECT_EQ(totals.sums[0], absl::uint128(UINT64_MAX) * 5);
}

// Key fields and values of a record, as the slow twin keeps them.
using Key = std::tuple<std::string, uint64_t, bool>;
struct Sums {
  uint64_t packets = 0, min_ttl = UINT64_MAX;
  std::set<uint64_t> ports;
};

std::map<Key, Sums> AsMap(const AggregateBatch& batch) {
  std::map<Key, Sums> map;
  for (size_t i = 0; i < batch.size(); ++i) {
    const auto key = batch.key(i);
    Sums& sums = map[Key(key.Get<F::kSrcAddr>().ToString(), key.Get<F::kProtocol>(), key.Has(F::kProtocol))];
    EXPECT_EQ(sums.packets, 0u) << "a key came twice";
    sums.packets = batch.value(i, 0);
    sums.min_ttl = batch.has_value(i, 1) ? batch.value(i, 1) : UINT64_MAX;
    for (uint64_t p = 0; p < batch.value(i, 2); ++p) sums.ports.insert(p);  // only their number is known
  }
  return map;
}

TEST(Aggregator, EqualsTheSlowTwin) {
  for (uint64_t seed : {1, 2, 3, 4}) {
    AggregatorOptions options = By({"src_addr", "protocol"}, {"packets", "min(ttl)", "distinct(dst_port)"});
    options.seed = seed;
    // Two workers, whose parts merge.
    Bench first(options), second(options);
    std::mt19937_64 random(seed);
    std::map<Key, Sums> twin;
    const uint64_t keys = uint64_t{10} << (4 * seed);
    for (int i = 0; i < 60000; ++i) {
      Bench& bench = random() % 3 != 0 ? first : second;
      auto row = bench.Row();
      const auto address = base::IpAddress::V4(static_cast<uint32_t>(random() % keys));
      row.Set<F::kSrcAddr>(address);
      const uint64_t protocol = random() % 3;
      if (protocol > 0) row.Set<F::kProtocol>(static_cast<uint8_t>(protocol - 1));
      Sums& sums = twin[Key(address.ToString(), protocol > 0 ? protocol - 1 : 0, protocol > 0)];
      const uint64_t packets = 1 + random() % 100;
      row.Set<F::kPackets>(packets);
      sums.packets += packets;
      if (random() % 2 == 0) {
        const uint8_t ttl = static_cast<uint8_t>(random());
        row.Set<F::kTtl>(ttl);
        sums.min_ttl = std::min<uint64_t>(sums.min_ttl, ttl);
      }
      const uint16_t port = static_cast<uint16_t>(random() % 20);
      row.Set<F::kDstPort>(port);
      sums.ports.insert(port);
      if (random() % 50 == 0) bench.Flush();
    }
    first.Flush();
    second.Flush();
    ASSERT_TRUE(first.aggregator->Merge(std::move(*second.aggregator)).ok());
    EXPECT_EQ(first.aggregator->counters().records_in, 60000u);
    EXPECT_EQ(first.aggregator->counters().groups, twin.size());
    const auto batches = first.aggregator->Close();
    const auto map = AsMap(batches[0]);
    ASSERT_EQ(map.size(), twin.size());
    for (const auto& [key, sums] : twin) {
      const auto it = map.find(key);
      ASSERT_NE(it, map.end());
      EXPECT_EQ(it->second.packets, sums.packets);
      EXPECT_EQ(it->second.min_ttl, sums.min_ttl);
      EXPECT_EQ(it->second.ports.size(), sums.ports.size());
    }
    EXPECT_EQ(second.aggregator->Close().at(0).size(), 0u);
  }
}

TEST(Aggregator, TheOrderOfRowsDoesNotDependOnTheSeed) {
  std::vector<std::string> texts;
  for (uint64_t seed : {1, 99}) {
    AggregatorOptions options = By({"src_port"});
    options.seed = seed;
    Bench bench(options);
    for (uint32_t i = 0; i < 5000; ++i) bench.Row().Set<F::kSrcPort>(static_cast<uint16_t>(i * 40503u));
    bench.Flush();
    const auto batches = bench.aggregator->Close();
    std::string text;
    for (size_t i = 0; i < batches[0].size(); ++i) {
      text.append(std::to_string(batches[0].key(i).Get<F::kSrcPort>())).append(" ");
    }
    texts.push_back(text);
  }
  EXPECT_EQ(texts[0], texts[1]);
}

TEST(Aggregator, OnlySelectedRowsCount) {
  Bench bench(By({"dst_port"}, {"packets"}));
  for (uint16_t i = 0; i < 300; ++i) {
    auto row = bench.Row();
    row.Set<F::kDstPort>(static_cast<uint16_t>(i / 100));
    row.Set<F::kPackets>(i);
  }
  bench.aggregator->Add(*bench.batch, {0, 1, 2, 150, 299});
  const auto batches = bench.aggregator->Close();
  ASSERT_EQ(batches[0].size(), 3u);
  EXPECT_EQ(batches[0].value(0, 0), 3u);
  EXPECT_EQ(batches[0].value(1, 0), 150u);
  EXPECT_EQ(batches[0].value(2, 0), 299u);
  EXPECT_EQ(bench.aggregator->counters().records_in, 5u);
}

TEST(Aggregator, NothingIsAllocatedInSteadyState) {
  FLOWACCT_REQUIRE_ALLOCATION_COUNT();
  AggregatorOptions options =
      By({"src_addr", "dst_addr"}, {"packets", "max(bytes)", "distinct(dst_port)", "top(dst_port)"});
  options.every = absl::Hours(1);
  Bench bench(options);
  for (uint32_t i = 0; i < 1000; ++i) {
    auto row = bench.Row();
    row.Set<F::kSrcAddr>(base::IpAddress::V4(i));
    row.Set<F::kDstPort>(static_cast<uint16_t>(i));
    row.Set<F::kStartTime>(Seconds(i % 2 * 3600));
    row.Set<F::kBytes>(i);
  }
  bench.aggregator->Add(*bench.batch);
  const testing::AllocationCounter counter;
  for (int i = 0; i < 20; ++i) bench.aggregator->Add(*bench.batch);
  EXPECT_EQ(counter.allocations(), 0);
}

TEST(Aggregator, WrongOptionsAreTold) {
  const auto error = [](const AggregatorOptions& options) { return Bench(options).error; };
  EXPECT_EQ(error(By({"src_adr"})),
            "key \"src_adr\": no field is called \"src_adr\"; did you mean src_addr or src_as?");
  EXPECT_EQ(error(By({}, {"byte"})), "value \"byte\": no field is called \"byte\"; did you mean bytes?");
  AggregatorOptions options;
  options.every = absl::Microseconds(1);
  EXPECT_EQ(error(options), "every = 1us: a time bin is between 1ms and 366 days wide; 0 asks for no bins");
  options = {};
  options.prorate = true;
  EXPECT_EQ(error(options), "prorate: there are no time bins to split over; set every, for example to 5m");
  options = {};
  options.max_groups = 0;
  EXPECT_EQ(error(options), "max_groups = 0: between 1 and 1073741824");
}

TEST(Aggregator, AKeyIsNotSummedUnderTheSameName) {
  base::Interner interner;
  AggregatorOptions options;
  options.by = {"src_as", "bytes"};
  const absl::Status status = Aggregator::New(options, &interner).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("\"bytes\""), absl::string_view::npos) << status;
  options.values = {"packets", "max(bytes)"};
  EXPECT_TRUE(Aggregator::New(options, &interner).ok());
}

TEST(Aggregator, RequiredFieldsHaveTheKeyFirst) {
  Bench bench(By({"dst_port", "src_addr/24", "src_as", "dst_net"}, {"bytes"}));
  const auto fields = bench.aggregator->RequiredFields();
  EXPECT_EQ(std::vector<F>(fields.begin(), fields.end()),
            (std::vector<F>{F::kDstPort, F::kSrcAddr, F::kSrcAs, F::kDstNet, F::kDstAddr, F::kDstMask, F::kBytes}));
}

}  // namespace
}  // namespace flowacct::aggregate
