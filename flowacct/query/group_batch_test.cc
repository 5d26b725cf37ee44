#include "flowacct/query/group_batch.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "flowacct/aggregate/aggregator.h"
#include "flowacct/query/memory_store.h"
#include "flowacct/query/testing/conformance.h"
#include "flowacct/record/flow_batch.h"
#include "gtest/gtest.h"

namespace flowacct::query {
namespace {

using F = record::FieldId;

// All of `from`, bin by bin.
void CopyAll(GroupStore& from, MemoryStore* to) {
  const auto tables = from.Tables();
  ASSERT_TRUE(tables.ok()) << tables.status();
  for (const TableInfo& table : *tables) {
    const auto schema = SchemaOf(table);
    ASSERT_TRUE(schema.ok()) << schema.status();
    const auto bins = BinsOf(from, table);
    ASSERT_TRUE(bins.ok()) << bins.status();
    GroupBatch rows(*schema);
    for (const TableBin& bin : *bins) {
      const absl::Status status = from.Sum(AllOf(table, bin), [&rows](const GroupRow& row) {
        const absl::Status added = rows.Add(row);
        EXPECT_TRUE(added.ok()) << added;
        return added.ok();
      });
      ASSERT_TRUE(status.ok()) << status;
      EXPECT_GT(rows.size(), 0u);
      to->Add(table.name, std::make_shared<const aggregate::AggregateBatch>(
                              rows.Take(bin, {"copy", table.name, 1, static_cast<uint64_t>(bin.begin_seconds) + 1})));
    }
  }
}

TEST(GroupBatchTest, ACopyAnswersAsTheFirst) {
  const ConformanceData data;
  MemoryStore first, copy;
  for (const auto& [table, batch] : data.batches()) first.Add(table, batch);
  CopyAll(first, &copy);
  ExpectConforms(copy, first, IsCopy::kYes);
  // Each group of a bin once.
  MemoryStore again;
  CopyAll(copy, &again);
  ExpectConforms(again, first, IsCopy::kYes);
}

// Days of a zone whose clocks are moved.
TEST(GroupBatchTest, BinsAreAsLongAsTheyAre) {
  absl::TimeZone berlin;
  ASSERT_TRUE(absl::LoadTimeZone("Europe/Berlin", &berlin));
  aggregate::AggregatorOptions options;
  options.by = {"dst_as"};
  options.values = {"bytes", "distinct(src_addr)", "top(dst_port)"};
  options.every = absl::Hours(24);
  options.time_zone = berlin;
  base::Interner interner;
  auto aggregator = *aggregate::Aggregator::New(options, &interner);
  const record::Layout layout(aggregator->RequiredFields());
  aggregator->Bind(layout);
  record::FlowBatch batch(&layout, &interner);
  std::vector<int64_t> days;
  for (const absl::CivilDay day : {absl::CivilDay(2026, 3, 28), absl::CivilDay(2026, 3, 29),
                                   absl::CivilDay(2026, 3, 30), absl::CivilDay(2026, 4, 5)}) {
    days.push_back(absl::ToUnixSeconds(absl::FromCivil(day, berlin)));
    auto row = batch.Append();
    row.Set<F::kStartTime>((days.back() + 7200) * 1000000000);
    row.Set<F::kDstAs>(1);
    row.Set<F::kBytes>(1);
  }
  aggregator->Add(batch);
  MemoryStore store;
  for (auto& closed : aggregator->Close()) {
    store.Add("days", std::make_shared<const aggregate::AggregateBatch>(std::move(closed)));
  }
  const auto tables = store.Tables();
  ASSERT_EQ(tables->size(), 1u);
  EXPECT_EQ(tables->at(0).left_out, (std::vector<std::string>{"distinct(src_addr)", "top(dst_port)"}));
  TableInfo table = tables->at(0);
  table.bin_seconds = 86400;
  const auto bins = BinsOf(store, table);
  ASSERT_TRUE(bins.ok());
  ASSERT_EQ(bins->size(), 4u);
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(bins->at(i).begin_seconds, days[i]);
  EXPECT_EQ(bins->at(0).end_seconds, days[1]);
  EXPECT_EQ(bins->at(1).end_seconds, days[2]);
  EXPECT_EQ(bins->at(2).end_seconds, days[2] + 86400);
  EXPECT_EQ(BinsOf(store, table, days[1], days[2])->size(), 1u);
}

TEST(GroupBatchTest, IsBoundedAndTakesOnlyWhatIsOfTheField) {
  TableInfo table;
  table.name = "t";
  table.keys = {F::kAsPath};
  table.values = {{F::kBytes, aggregate::Function::kSum, "bytes"}};
  GroupBatch small(*SchemaOf(table), 100);
  const absl::uint128 values[] = {1};
  const bool present[] = {true};
  record::StoredValue path;
  path.present = true;
  path.octets = "no path";
  GroupRow row;
  row.group = absl::MakeConstSpan(&path, 1);
  row.values = values;
  row.present = present;
  EXPECT_TRUE(absl::IsResourceExhausted(small.Add(row)));
  GroupBatch large(*SchemaOf(table));
  EXPECT_EQ(large.Add(row), absl::InvalidArgumentError("what the store has of as_path is no such value"));
}

}  // namespace
}  // namespace flowacct::query
