// Tables between stores: SQLite and memory.

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "flowacct/aggregate/aggregator.h"
#include "flowacct/collector/stores/table_check.h"
#include "flowacct/collector/stores/table_copy.h"
#include "flowacct/collector/stores/table_export.h"
#include "flowacct/query/memory_store.h"
#include "flowacct/query/testing/conformance.h"
#include "flowacct/sink/sqlite/sqlite_sink.h"
#include "flowacct/sink/sqlite/sqlite_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using F = record::FieldId;

class StoresTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "storesXXXXXX";
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
    for (const auto& [table, batch] : data_.batches()) twin_.Add(table, batch);
  }
  std::unique_ptr<sink::StoreSink> NewSink(const std::string& file, const query::TableInfo& table) {
    sink::sqlite::SqliteOptions options;
    options.path = folder_ + "/" + file;
    options.table = table.name;
    options.bin_seconds = table.bin_seconds;
    options.durable = false;
    auto sink = sink::sqlite::NewSqliteSink(options);
    EXPECT_TRUE(sink.ok()) << sink.status();
    return *std::move(sink);
  }
  std::unique_ptr<query::GroupStore> Open(const std::string& file) {
    auto store = sink::sqlite::OpenSqliteStore(folder_ + "/" + file);
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }
  absl::StatusOr<CopyOutcome> Copy(query::GroupStore& source, const query::TableInfo& table, const std::string& file,
                                   const TableCopyOptions& options = {}) {
    auto sink = NewSink(file, table);
    return CopyTable(
        source, table, *sink, table.name, [&] { return sink::sqlite::OpenSqliteStore(folder_ + "/" + file); }, options);
  }

  std::string folder_;
  query::ConformanceData data_;
  query::MemoryStore twin_;
};

TEST_F(StoresTest, ACopyOfACopyAnswersAsTheFirst) {
  const auto tables = twin_.Tables();
  for (const query::TableInfo& table : *tables) {
    const auto outcome = Copy(twin_, table, "a.db");
    ASSERT_TRUE(outcome.ok()) << outcome.status();
    EXPECT_TRUE(outcome->same());
    EXPECT_EQ(outcome->totals.size(), table.values.size());
    EXPECT_GT(outcome->done.rows, 0u);
    EXPECT_EQ(outcome->done.bins, outcome->done.bins_total);
  }
  const auto a = Open("a.db");
  query::ExpectConforms(*a, twin_, query::IsCopy::kYes);
  const auto copied = a->Tables();
  for (const query::TableInfo& table : *copied) {
    const auto outcome = Copy(*a, table, "b.db");
    ASSERT_TRUE(outcome.ok()) << outcome.status();
    EXPECT_TRUE(outcome->same());
  }
  const auto b = Open("b.db");
  query::ExpectConforms(*b, twin_, query::IsCopy::kYes);
}

TEST_F(StoresTest, ACopyThatIsBrokenOffAndRepeatedCountsOnce) {
  const query::TableInfo table = twin_.Tables()->front();
  TableCopyOptions options;
  uint64_t bins = 0;
  for (uint64_t until = 1; bins == 0 || until <= bins; ++until) {
    TableProgress seen;
    options.progress = [&seen](const TableProgress& progress) { seen = progress; };
    options.interrupted = [&seen, until] { return seen.bins == until; };
    const auto broken = Copy(twin_, table, "a.db", options);
    EXPECT_TRUE(absl::IsCancelled(broken.status())) << broken.status();
    EXPECT_EQ(seen.bins, until);
    bins = seen.bins_total;
  }
  EXPECT_GT(bins, 2u);
  const auto whole = Copy(twin_, table, "a.db");
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_TRUE(whole->same());
  EXPECT_EQ(whole->bins_skipped, bins);
  // As another one it counts again, and that is told.
  options = {};
  options.run = 2;
  const auto twice = Copy(twin_, table, "a.db", options);
  ASSERT_TRUE(twice.ok()) << twice.status();
  EXPECT_FALSE(twice->same());
  EXPECT_EQ(twice->totals[0].target, 2 * twice->totals[0].source);
}

TEST_F(StoresTest, ABoundedCopyIsOfItsBinsAlone) {
  const query::TableInfo table = twin_.Tables()->front();
  TableCopyOptions options;
  options.from_seconds = query::kConformanceStart + 300;
  options.to_seconds = query::kConformanceStart + 900;
  const auto outcome = Copy(twin_, table, "a.db", options);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_TRUE(outcome->same());
  EXPECT_EQ(outcome->done.bins, 2u);
  const query::TableInfo copied = Open("a.db")->Tables()->front();
  EXPECT_EQ(copied.first_seconds, options.from_seconds);
  EXPECT_EQ(copied.last_seconds, options.to_seconds);
}

TEST_F(StoresTest, RunsAreOfTheirTexts) {
  EXPECT_EQ(RunOf("sqlite:/a.db"), RunOf("sqlite:/a.db"));
  EXPECT_NE(RunOf("sqlite:/a.db"), RunOf("sqlite:/b.db"));
  EXPECT_EQ(RunOf(""), 0xcbf29ce484222325u >> 1);  // the same in every program
}

std::vector<std::string> Lines(const std::string& text, absl::string_view end) {
  std::vector<std::string> lines = absl::StrSplit(text, std::string(end));
  EXPECT_EQ(lines.back(), "");
  lines.pop_back();
  return lines;
}

// Rows of a file that are as they were written.
TEST_F(StoresTest, ExportsEachGroupOfEachBin) {
  base::Interner interner;
  aggregate::AggregatorOptions options;
  options.by = {"dst_as", "vrf_name"};
  options.values = {"bytes", "max(end_time)"};
  options.every = absl::Minutes(1);
  auto aggregator = *aggregate::Aggregator::New(options, &interner);
  const record::Layout layout(aggregator->RequiredFields());
  aggregator->Bind(layout);
  record::FlowBatch records(&layout, &interner);
  for (int i = 0; i < 5000; ++i) {
    auto row = records.Append();
    row.Set<F::kStartTime>((int64_t{1774742400} + i % 2 * 60) * 1000000000);
    row.Set<F::kDstAs>(static_cast<uint32_t>(i));
    row.Set<F::kBytes>(7);
    if (i == 0) row.Set<F::kVrfName>(interner.Intern("a,\"b\"\n"));
    if (i == 0) row.Set<F::kEndTime>(int64_t{1774742401} * 1000000000);
  }
  aggregator->Add(records);
  query::MemoryStore store;
  for (auto& closed : aggregator->Close()) {
    store.Add("flows", std::make_shared<const aggregate::AggregateBatch>(std::move(closed)));
  }
  const query::TableInfo table = store.Tables()->front();
  TableExportOptions how;
  std::string text;
  const auto write = [&text](absl::string_view more) {
    absl::StrAppend(&text, more);
    return absl::OkStatus();
  };
  auto done = ExportTable(store, table, how, write);
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_EQ(done->rows, 5000u);
  EXPECT_EQ(done->bins, 2u);
  std::vector<std::string> lines = Lines(text, "\r\n");
  ASSERT_EQ(lines.size(), 5001u);
  EXPECT_EQ(lines[0], "bin_start,bin_end,dst_as,vrf_name,bytes,max(end_time)");
  EXPECT_THAT(text, HasSubstr("2026-03-29T00:00:00+00:00,2026-03-29T00:01:00+00:00,0,\"a,\"\"b\"\"\n\",7,"
                              "2026-03-29T00:00:01Z\r\n"));
  EXPECT_THAT(text, HasSubstr("2026-03-29T00:01:00+00:00,2026-03-29T00:02:00+00:00,1,,7,\r\n"));
  // The older bin comes first.
  EXPECT_TRUE(absl::StartsWith(lines[2500], "2026-03-29T00:00:00"));
  EXPECT_TRUE(absl::StartsWith(lines[2501], "2026-03-29T00:01:00"));

  text.clear();
  how.format = ExportFormat::kJson;
  how.from_seconds = 1774742460;
  how.where = *filter::Filter::Parse("dst_as < 4");
  done = ExportTable(store, table, how, write);
  ASSERT_TRUE(done.ok()) << done.status();
  lines = Lines(text, "\n");
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_THAT(text, HasSubstr("{\"bin_start\":\"2026-03-29T00:01:00+00:00\",\"bin_end\":\"2026-03-29T00:02:00+00:00\","
                              "\"dst_as\":3,\"bytes\":7}"));

  how.where = filter::Filter();
  how.from_seconds = INT64_MAX;
  text.clear();
  how.format = ExportFormat::kCsv;
  ASSERT_TRUE(ExportTable(store, table, how, write).ok());
  EXPECT_EQ(text, "bin_start,bin_end,dst_as,vrf_name,bytes,max(end_time)\r\n");
  how = {};
  EXPECT_EQ(ExportTable(store, table, how, [](absl::string_view) { return absl::UnavailableError("full"); }).status(),
            absl::UnavailableError("full"));
  how.interrupted = [] { return true; };
  EXPECT_TRUE(absl::IsCancelled(ExportTable(store, table, how, write).status()));
}

TEST_F(StoresTest, ChecksWhatIsThere) {
  const query::TableInfo table = twin_.Tables()->front();
  const auto copied = Copy(twin_, table, "a.db");
  ASSERT_TRUE(copied.ok());
  const auto store = Open("a.db");
  const auto contents = CheckTable(*store, store->Tables()->front());
  ASSERT_TRUE(contents.ok()) << contents.status();
  EXPECT_EQ(contents->bins, copied->done.bins);
  EXPECT_EQ(contents->rows, copied->done.rows);

  const auto schema = [](const record::Layout& key, std::vector<aggregate::ValueColumn> values) {
    return aggregate::Schema{key, std::move(values)};
  };
  query::TableInfo flows;
  flows.name = "flows";
  flows.keys = {F::kSrcAs, F::kCustom1};
  flows.key_names = {"src_as", "window"};
  flows.values = {{F::kBytes, aggregate::Function::kSum, "bytes"}};
  flows.left_out = {"top(dst_port)"};
  flows.bin_seconds = 60;
  const auto of = [&](const aggregate::Schema& wanted, int64_t bin, absl::string_view kind = "sqlite") {
    return Misfits({flows}, kind, "flows", wanted, bin);
  };
  const std::vector<std::pair<std::string, F>> window1 = {{"window", F::kCustom1}}, window2 = {{"window", F::kCustom2}};
  const auto names = [](const std::vector<std::pair<std::string, F>>& of_fields) {
    return std::make_shared<const record::CustomFields>(*record::CustomFields::OfNames(of_fields));
  };
  const aggregate::ValueColumn bytes{F::kBytes, aggregate::Function::kSum, "bytes"};
  const aggregate::ValueColumn top{F::kDstPort, aggregate::Function::kTop, "top(dst_port)"};
  EXPECT_THAT(of(schema(record::Layout({F::kSrcAs, F::kCustom1}, names(window1)), {bytes, top}), 60), ElementsAre());
  EXPECT_THAT(of(schema(record::Layout({F::kSrcAs}), {bytes}), 60), ElementsAre());
  EXPECT_THAT(of(schema(record::Layout({F::kSrcAs, F::kDstAs}), {bytes}), 60),
              ElementsAre("table flows has no column dst_as; flowacct store init adds it, of old rows it is not told"));
  EXPECT_THAT(of(schema(record::Layout({F::kCustom2}, names(window2)), {bytes}), 60),
              ElementsAre("table flows has a column window that stands for something else; keep it under another name: "
                          "ALTER TABLE \"flows\" RENAME COLUMN \"window\" TO \"window_old\""));
  EXPECT_THAT(of(schema(record::Layout({F::kSrcAs}), {bytes}), 300, "mariadb"),
              ElementsAre("table flows has bins of 60 s, the pipeline's are of 300 s; keep it under another name: "
                          "ALTER TABLE `flows` RENAME TO `flows_old`"));
  EXPECT_THAT(Misfits({}, "sqlite", "flows", schema(record::Layout({F::kSrcAs}), {bytes}), 60),
              ElementsAre("table flows is not there; flowacct store init makes it"));
}

}  // namespace
}  // namespace flowacct::collector
