#include "flowacct/aggregate/batch_rows.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "flowacct/aggregate/aggregate_test_rows.h"
#include "flowacct/aggregate/aggregator.h"
#include "flowacct/base/octets.h"

namespace flowacct::aggregate {
namespace {

using F = record::FieldId;

AggregatorOptions Options(std::vector<std::string> by, std::vector<std::string> values) {
  AggregatorOptions options;
  options.by = std::move(by);
  options.values = std::move(values);
  options.every = absl::Minutes(1);
  return options;
}

TEST(BatchRows, SummedFurtherTheyAreWhatTheRecordsSumTo) {
  Bench fine(Options({"src_as", "vrf_name", "dst_port"}, {"packets", "bytes", "min(ttl)", "distinct(dst_port)"}));
  std::map<std::string, uint64_t> bytes_by_vrf;
  for (uint32_t i = 0; i < 1000; ++i) {
    const std::string vrf = "vrf-" + std::to_string(i % 7);
    auto row = fine.Row();
    row.Set<F::kSrcAs>(64496 + i % 10);
    row.Set<F::kVrfName>(fine.interner.Intern(vrf));
    row.Set<F::kDstPort>(static_cast<uint16_t>(i % 50));
    row.Set<F::kPackets>(1);
    row.Set<F::kBytes>(i);
    row.Set<F::kTtl>(static_cast<uint8_t>(i % 64 + 1));
    row.Set<F::kStartTime>(Seconds(i % 120));
    bytes_by_vrf[vrf] += i;
  }
  fine.Flush();
  Bench coarse(Options({"vrf_name"}, {"packets", "bytes", "min(ttl)"}));
  for (const AggregateBatch& batch : fine.aggregator->Close()) {
    const BatchRows rows(batch.schema(), *coarse.layout);
    for (size_t first = 0; first < batch.size(); first += 64) rows.Append(batch, first, 64, coarse.batch.get());
  }
  coarse.Flush();
  const auto batches = coarse.aggregator->Close();
  ASSERT_EQ(batches.size(), 2u);
  uint64_t packets = 0, smallest = 255;
  std::map<std::string, uint64_t> found;
  for (const AggregateBatch& batch : batches) {
    EXPECT_EQ(batch.size(), 7u);
    for (size_t i = 0; i < batch.size(); ++i) {
      packets += batch.value(i, 0);
      found[std::string(base::AsText(batch.interner().Find(batch.key(i).Get<F::kVrfName>())))] += batch.value(i, 1);
      smallest = std::min(smallest, batch.value(i, 2));
    }
  }
  EXPECT_EQ(packets, 1000u);
  EXPECT_EQ(found, bytes_by_vrf);
  EXPECT_EQ(smallest, 1u);
}

TEST(BatchRows, ASumBeyond64BitsBecomesSeveralRecords) {
  Bench bench(Options({"src_as"}, {"bytes"}));
  for (int i = 0; i < 3; ++i) bench.Row().Set<F::kBytes>(UINT64_MAX);
  bench.Flush();
  const auto batches = bench.aggregator->Close();
  ASSERT_EQ(batches.size(), 1u);
  const BatchRows rows(batches[0].schema(), *bench.layout);
  rows.Append(batches[0], 0, 10, bench.batch.get());
  ASSERT_EQ(bench.batch->size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(bench.batch->row(i).Get<F::kBytes>(), UINT64_MAX);
    EXPECT_FALSE(bench.batch->row(i).Has(F::kSrcAs));
    EXPECT_TRUE(bench.batch->row(i).Has(F::kStartTime));
  }
}

TEST(BatchRows, FieldsNameAllThatCanBeKept) {
  Bench bench(Options({"src_as"}, {"bytes", "max(ttl)", "distinct(dst_port)", "top(src_port)"}));
  const std::vector<F> fields = BatchRows::Fields(bench.aggregator->schema());
  EXPECT_EQ(fields, (std::vector<F>{F::kSrcAs, F::kBytes, F::kTtl, F::kStartTime, F::kEndTime}));
}

}  // namespace
}  // namespace flowacct::aggregate
