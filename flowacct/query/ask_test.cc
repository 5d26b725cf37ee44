#include "flowacct/query/ask.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "flowacct/aggregate/aggregator.h"
#include "flowacct/query/memory_store.h"
#include "flowacct/query/question.h"
#include "flowacct/query/testing/conformance.h"
#include "flowacct/record/flow_batch.h"
#include "gtest/gtest.h"

namespace flowacct::query {
namespace {

using F = record::FieldId;

absl::TimeZone Berlin() {
  absl::TimeZone zone;
  EXPECT_TRUE(absl::LoadTimeZone("Europe/Berlin", &zone));
  return zone;
}

struct Traffic {
  int64_t seconds;
  uint32_t dst_as;
  uint64_t bytes;
};

// Tables of traffic by AS in memory.
class AskTest : public testing::Test {
 protected:
  void AddTable(absl::string_view table, absl::Duration bin, const std::vector<Traffic>& traffic,
                absl::TimeZone zone = absl::UTCTimeZone(), std::vector<std::string> by = {"dst_as", "src_addr"}) {
    aggregate::AggregatorOptions options;
    options.by = std::move(by);
    options.values = {"bytes", "packets", "max(ttl)"};
    options.every = bin;
    options.time_zone = zone;
    options.seed = 1;
    auto aggregator = *aggregate::Aggregator::New(options, &interner_);
    const record::Layout layout(aggregator->RequiredFields());
    aggregator->Bind(layout);
    record::FlowBatch batch(&layout, &interner_);
    for (const Traffic& one : traffic) {
      auto row = batch.Append();
      row.Set<F::kStartTime>(one.seconds * 1000000000);
      row.Set<F::kDstAs>(one.dst_as);
      row.Set<F::kSrcAddr>(base::IpAddress::V4(0xc0000200 + one.dst_as % 7));
      row.Set<F::kBytes>(one.bytes);
      row.Set<F::kPackets>(1);
      row.Set<F::kTtl>(static_cast<uint8_t>(one.bytes));
    }
    aggregator->Add(batch);
    for (auto& closed : aggregator->Close()) {
      store_.Add(table, std::make_shared<const aggregate::AggregateBatch>(std::move(closed)));
    }
  }

  absl::StatusOr<Answer> TryAsk(absl::string_view text, int64_t now = 0, const AskOptions& options = {}) {
    const auto question = ParseQuestion(text);
    EXPECT_TRUE(question.ok()) << question.status();
    return Ask(*question, store_, absl::FromUnixSeconds(now), options);
  }
  // Rows of CSV without header, joined by '|'.
  std::string AskCsv(absl::string_view text, int64_t now = 0) {
    const auto answer = TryAsk(text, now);
    if (!answer.ok()) return std::string(answer.status().message());
    std::string csv = answer->AsCsv();
    csv = csv.substr(csv.find("\r\n") + 2);
    std::string out;
    for (size_t end; (end = csv.find("\r\n")) != std::string::npos; csv = csv.substr(end + 2)) {
      absl::StrAppend(&out, out.empty() ? "" : "|", csv.substr(0, end));
    }
    return out;
  }

  base::Interner interner_;
  MemoryStore store_;
};

constexpr int64_t kDay = 1774742400;  // 2026-03-29T00:00:00Z

TEST_F(AskTest, TopWithOthersAndTotal) {
  AddTable("flows", absl::Minutes(5),
           {{kDay, 1, 100}, {kDay, 2, 300}, {kDay + 300, 3, 50}, {kDay + 600, 1, 250}, {kDay + 600, 4, 50}});
  EXPECT_EQ(AskCsv("dst_as by bytes"), "1,350|2,300|3,50|4,50");
  EXPECT_EQ(AskCsv("dst_as by bytes asc"), "3,50|4,50|2,300|1,350");
  EXPECT_EQ(AskCsv("top 2 dst_as by bytes"), "1,350|2,300");
  EXPECT_EQ(AskCsv("top 3 dst_as by bytes"), "1,350|2,300|3,50");  // of equals, the first
  EXPECT_EQ(AskCsv("top 2 with others dst_as by bytes, packets, max(ttl) total"),
            ",1,350,2,250|,2,300,1,44|others,,100,2,|total,,750,5,250");
  EXPECT_EQ(AskCsv("top 1 with others dst_as by share(bytes)"), ",1,46.67|others,,53.33");
  EXPECT_EQ(AskCsv("by bytes"), "750");
  EXPECT_EQ(AskCsv("dst_as by bytes where dst_as > 2"), "3,50|4,50");
  EXPECT_EQ(AskCsv("dst_as by bytes order max(ttl)"), "1,350,250|3,50,50|4,50,50|2,300,44");
  EXPECT_EQ(AskCsv("src_addr/24 by bytes"), "192.0.2.0/24,750");
  EXPECT_EQ(AskCsv("top 2 dst_as"), "1,350,2|2,300,1");  // every sum
}

TEST_F(AskTest, TimesAndRates) {
  AddTable("flows", absl::Minutes(5), {{kDay, 1, 100}, {kDay, 2, 300}, {kDay + 300, 3, 50}, {kDay + 600, 1, 275}});
  EXPECT_EQ(AskCsv("by bytes, bps"), "725,6.44");  // over 900 s
  EXPECT_EQ(AskCsv("by bps from -1h to now", kDay + 900), "1.61");
  EXPECT_EQ(AskCsv("by bytes, bps from -10m", kDay + 961), "325,4.33");  // whole bins: 00:05 to 00:15
  EXPECT_EQ(AskCsv("by bytes from 2026-03-29T00:05 to 2026-03-29T00:10"), "50");
  EXPECT_EQ(AskCsv("by bytes in Europe/Berlin from 2026-03-29T01:05 to 2026-03-29T01:10"), "50");
  const auto moved = TryAsk("by bytes from 2026-03-29T00:06 to 2026-03-29T00:10");
  ASSERT_TRUE(moved.ok());
  ASSERT_EQ(moved->notes.size(), 1u);
  EXPECT_EQ(moved->notes[0],
            "from was moved from 2026-03-29T00:06:00+00:00 back to 2026-03-29T00:05:00+00:00, where a bin begins");
  EXPECT_EQ(AskCsv("by bytes every 10m"), "2026-03-29T00:00:00+00:00,450|2026-03-29T00:10:00+00:00,275");
  EXPECT_EQ(AskCsv("by bps every 10m"), "2026-03-29T00:00:00+00:00,6|2026-03-29T00:10:00+00:00,7.33");
  EXPECT_EQ(AskCsv("top 1 with others dst_as by bytes every 5m"),
            ",2026-03-29T00:00:00+00:00,1,100|others,2026-03-29T00:00:00+00:00,,300|"
            ",2026-03-29T00:05:00+00:00,1,0|others,2026-03-29T00:05:00+00:00,,50|"
            ",2026-03-29T00:10:00+00:00,1,275|others,2026-03-29T00:10:00+00:00,,0");
}

TEST_F(AskTest, Percentiles) {
  // 20 bins of which 3 have traffic: the 95th percentile is the second largest, the 85th zero.
  AddTable("flows", absl::Minutes(5),
           {{kDay, 1, 300}, {kDay + 600, 1, 600}, {kDay + 1200, 1, 900}, {kDay + 1200, 2, 300}});
  const std::string hours = " from 2026-03-29 to 2026-03-29T01:40";
  EXPECT_EQ(AskCsv("dst_as by p95(bps), p85(bps), p100(bps), p90(pps)" + hours), "1,16,0,24,0.00|2,0,0,8,0");
  EXPECT_EQ(AskCsv("by p95(bps)" + hours), "16");
  EXPECT_EQ(AskCsv("top 1 with others dst_as by p100(bps)" + hours), ",1,24|others,,8");
  EXPECT_EQ(AskCsv("dst_as by p50(bps) where dst_as = 1 every 10m from 2026-03-29 to 2026-03-29T00:20"),
            "2026-03-29T00:00:00+00:00,1,0|2026-03-29T00:10:00+00:00,1,0");
  EXPECT_EQ(AskCsv("dst_as by p51(bps) where dst_as = 1 every 10m from 2026-03-29 to 2026-03-29T00:20"),
            "2026-03-29T00:00:00+00:00,1,8|2026-03-29T00:10:00+00:00,1,16");
}

TEST_F(AskTest, DaysOfAZone) {
  const absl::TimeZone zone = Berlin();
  std::vector<Traffic> traffic;
  // A packet an hour over three days, of which the second has 23 hours.
  const int64_t first = absl::ToUnixSeconds(absl::FromCivil(absl::CivilDay(2026, 3, 28), zone));
  for (int hour = 0; hour < 24 + 23 + 24; ++hour) traffic.push_back({first + 3600 * hour, 1, 10});
  AddTable("flows", absl::Hours(1), traffic, zone);
  EXPECT_EQ(AskCsv("by packets, pps in Europe/Berlin every 1d"),
            "2026-03-28T00:00:00+01:00,24,0.00|2026-03-29T00:00:00+01:00,23,0.00|2026-03-30T00:00:00+02:00,24,0.00");
  EXPECT_EQ(AskCsv("by packets in Europe/Berlin every 6h from 2026-03-29 to 2026-03-30"),
            "2026-03-29T00:00:00+01:00,6|2026-03-29T07:00:00+02:00,6|2026-03-29T13:00:00+02:00,6|"
            "2026-03-29T19:00:00+02:00,5");
  EXPECT_EQ(AskCsv("by packets in Europe/Berlin every 1mo"), "2026-03-01T00:00:00+01:00,71");
  EXPECT_EQ(AskCsv("by packets in Europe/Berlin from yesterday to today compare -1d",
                   absl::ToUnixSeconds(absl::FromCivil(absl::CivilDay(2026, 3, 30), zone)) + 5000),
            "23,24,-4.17");
}

TEST_F(AskTest, Months) {
  std::vector<Traffic> traffic;
  const absl::TimeZone utc = absl::UTCTimeZone();
  const absl::CivilDay first(2026, 1, 1);
  for (int day = 0; day < 90; ++day) {
    traffic.push_back({absl::ToUnixSeconds(absl::FromCivil(first + day, utc)), 1, 1});
  }
  AddTable("days", absl::Hours(24), traffic);
  EXPECT_EQ(AskCsv("by bytes every 1mo"),
            "2026-01-01T00:00:00+00:00,31|2026-02-01T00:00:00+00:00,28|2026-03-01T00:00:00+00:00,31");
  EXPECT_EQ(AskCsv("by bytes every 1mo from 2026-03-01 to 2026-04-01 compare -1mo"),
            "2026-03-01T00:00:00+00:00,31,28,10.71");
}

TEST_F(AskTest, Compares) {
  AddTable(
      "flows", absl::Minutes(5),
      {{kDay, 1, 100}, {kDay, 2, 30}, {kDay, 3, 30}, {kDay + 3600, 1, 150}, {kDay + 3600, 2, 30}, {kDay + 3600, 4, 5}});
  EXPECT_EQ(AskCsv("top 2 with others dst_as by bytes from 2026-03-29T01:00 to 2026-03-29T02:00 compare -1h"),
            ",1,150,100,50|,2,30,30,0|others,,5,30,-83.33");
  EXPECT_EQ(
      AskCsv("dst_as by share(bytes) where dst_as in (1, 4) from 2026-03-29T01:00 to 2026-03-29T02:00 compare -1h"),
      "1,96.77,100,-3.23|4,3.23,0,");
}

TEST_F(AskTest, TheCoarsestExactRollup) {
  std::vector<Traffic> traffic;
  for (int i = 0; i < 12 * 6; ++i) traffic.push_back({kDay + 300 * i, 1u + i % 2, 10});
  AddTable("flows", absl::Minutes(5), traffic);
  AddTable("flows_1h", absl::Hours(1), traffic);
  AddTable("flows_3h", absl::Hours(3), traffic, absl::UTCTimeZone(), {"dst_as"});
  store_.SetRollup("flows_1h", "flows");
  store_.SetRollup("flows_3h", "flows_1h");
  const struct {
    const char* question;
    const char* table;
    const char* bytes;
  } kCases[] = {
      {"by bytes", "flows_3h", "720"},
      {"by bytes where dst_as = 1", "flows_3h", "360"},
      {"by bytes where src_addr = 192.0.2.1", "flows_1h", "360"},
      {"by bytes from 2026-03-29T01:00", "flows_1h", "600"},
      {"by bytes from 2026-03-29T03:00", "flows_3h", "360"},
      {"by bytes from 2026-03-29T01:05", "flows", "590"},
      {"by bytes to 2026-03-29T02:55", "flows", "350"},
      {"by p50(bps) where dst_as = 1", "flows", "0"},
      {"by bytes table flows_1h", "flows_3h", "720"},
      {"by bytes from 2026-03-28T23:50 to 2026-03-29T12:00", "flows_3h", "720"},
  };
  for (const auto& c : kCases) {
    const auto answer = TryAsk(c.question);
    ASSERT_TRUE(answer.ok()) << c.question << answer.status();
    EXPECT_EQ(answer->table, c.table) << c.question;
    EXPECT_EQ(AskCsv(c.question), c.bytes) << c.question;
  }
  EXPECT_EQ(TryAsk("by bytes every 3h")->table, "flows_3h");
  EXPECT_EQ(TryAsk("by bytes every 2h")->table, "flows_1h");
  EXPECT_EQ(TryAsk("by bytes every 15m")->table, "flows");
  EXPECT_EQ(TryAsk("by bytes from 2026-03-29T04:00 to 2026-03-29T05:00 compare -10m")->table, "flows");
}

// Bins that the rollup lacks are not left out.
TEST_F(AskTest, ARollupThatIsBehindIsNotAsked) {
  AddTable("flows", absl::Minutes(5), {{kDay, 1, 1}, {kDay + 3600, 1, 2}, {kDay + 7200, 1, 4}});
  AddTable("hours", absl::Hours(1), {{kDay, 1, 1}, {kDay + 3600, 1, 2}});
  store_.SetRollup("hours", "flows");
  EXPECT_EQ(AskCsv("by bytes"), "7");
  EXPECT_EQ(TryAsk("by bytes to 2026-03-29T02:00")->table, "hours");
}

TEST_F(AskTest, Errors) {
  EXPECT_EQ(AskCsv("by bytes"), "memory has no table yet");
  AddTable("flows", absl::Minutes(5), {{kDay, 1, 1}});
  AddTable("all", absl::ZeroDuration(), {{kDay, 1, 1}}, absl::UTCTimeZone(), {"dst_as"});
  EXPECT_EQ(AskCsv("dst_as by bytes"), "question: several tables can answer it; say which: table all, or table flows");
  EXPECT_EQ(AskCsv("dst_as by bytes table flows where dst_port 443"),
            "question: table flows has no field dst_port; its fields are dst_as, src_addr");
  EXPECT_EQ(AskCsv("by fps table flows"),
            "question: table flows has no value flows, which fps is made of; its values are bytes, packets, max(ttl)");
  EXPECT_EQ(AskCsv("by bytes table flow"), "question: memory has no table flow; there are all, flows");
  EXPECT_EQ(AskCsv("by bps table all"), "question: rows of table all have no time, so it cannot be asked for bps");
  EXPECT_EQ(AskCsv("by bytes from -1h table all"),
            "question: rows of table all have no time, so it cannot be asked for a time");
  EXPECT_EQ(AskCsv("by bytes every 7m table flows"),
            "question: every 7m does not fit the bins of table flows, which are 5m long; ask for a multiple of that");
  EXPECT_EQ(AskCsv("by bytes from now to yesterday table flows", kDay),
            "question: no bin lies between from 2026-03-29T00:00:00+00:00 and to 2026-03-28T00:00:00+00:00");
}

TEST_F(AskTest, MemoryIsBounded) {
  std::vector<Traffic> traffic;
  for (uint32_t as = 0; as < 500; ++as) traffic.push_back({kDay + 300 * (as % 2), as, 1 + as});
  AddTable("flows", absl::Minutes(5), traffic);
  AskOptions options;
  options.max_groups = 100;
  EXPECT_EQ(TryAsk("dst_as by bytes", 0, options).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(TryAsk("top 10 dst_as by bytes", 0, options).ok());
  options = {};
  options.max_cells = 400;
  EXPECT_EQ(TryAsk("dst_as by p95(bps)", 0, options).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(TryAsk("dst_as by bytes every 5m", 0, options).status().code(), absl::StatusCode::kResourceExhausted);
  options.max_steps = 1;
  EXPECT_EQ(TryAsk("by bytes every 5m", 0, options).status().code(), absl::StatusCode::kInvalidArgument);
}

// Sums beyond 64 bits and values of every kind, against a walk over the raw rows.
TEST_F(AskTest, AsRawRowsSay) {
  const ConformanceData data;
  std::map<uint32_t, absl::uint128> bytes;
  absl::uint128 total = 0;
  std::map<const void*, bool> seen;
  for (const auto& [table, batch] : data.batches()) {
    store_.Add(table, batch);
    if (table != "flows" || seen[batch.get()]) continue;
    seen[batch.get()] = true;
    for (size_t row = 0; row < batch->size(); ++row) {
      total += batch->wide_value(row, 1);
      if (batch->key(row).Has(F::kDstAs)) bytes[batch->key(row).Get<F::kDstAs>()] += batch->wide_value(row, 1);
    }
  }
  const auto answer =
      TryAsk("top 3 with others dst_as by bytes total where exists(dst_as) or not exists(dst_as) table flows");
  ASSERT_TRUE(answer.ok()) << answer.status();
  ASSERT_EQ(answer->rows.size(), 5u);
  absl::uint128 sum = 0;
  for (size_t i = 0; i < 4; ++i) sum += answer->rows[i].cells[1].number;
  EXPECT_EQ(sum, total);
  EXPECT_EQ(answer->rows[4].cells[1].number, total);
  EXPECT_GT(total, absl::uint128(UINT64_MAX));
  for (size_t i = 0; i < 3; ++i) {
    const AnswerRow& row = answer->rows[i];
    if (row.cells[0].present) {
      EXPECT_EQ(row.cells[1].number, bytes[static_cast<uint32_t>(row.cells[0].value.integer)]);
    }
  }
  // With steps the same sums, cut.
  const auto steps = TryAsk("top 3 with others dst_as by bytes every 10m table flows");
  ASSERT_TRUE(steps.ok()) << steps.status();
  sum = 0;
  for (const AnswerRow& row : steps->rows) sum += row.cells[2].number;
  EXPECT_EQ(sum, total);
}

// Names that configurations gave: of one table they mean what they mean there.
class NamesTest : public testing::Test {
 protected:
  void AddTable(absl::string_view table, const std::vector<std::pair<std::string, F>>& names,
                std::vector<std::string> by, std::vector<std::string> values, uint64_t first, uint64_t second) {
    aggregate::AggregatorOptions options;
    options.custom_fields = std::make_shared<const record::CustomFields>(*record::CustomFields::OfNames(names));
    options.by = std::move(by);
    options.values = std::move(values);
    options.every = absl::Minutes(5);
    auto aggregator = aggregate::Aggregator::New(options, &interner_);
    ASSERT_TRUE(aggregator.ok()) << aggregator.status();
    const record::Layout layout((*aggregator)->RequiredFields());
    (*aggregator)->Bind(layout);
    record::FlowBatch batch(&layout, &interner_);
    auto row = batch.Append();
    row.Set<F::kStartTime>(kDay * 1000000000);
    row.Set<F::kBytes>(10);
    row.Set<F::kDstAs>(64496);
    row.Set<F::kCustom1>(first);
    row.Set<F::kCustom2>(second);
    row.Set<F::kCustomAddr1>(base::IpAddress::V4(0xc0000201));
    (*aggregator)->Add(batch);
    for (auto& closed : (*aggregator)->Close()) {
      store_.Add(table, std::make_shared<const aggregate::AggregateBatch>(std::move(closed)));
    }
  }
  std::string AskCsv(absl::string_view text) {
    const auto answer = Ask(text, store_, absl::FromUnixSeconds(kDay + 300));
    return answer.ok() ? answer->AsCsv() : std::string(answer.status().message());
  }

  base::Interner interner_;
  MemoryStore store_;
};

TEST_F(NamesTest, AreAskedAndShownAsTheyWereGiven) {
  AddTable("flows", {{"window", F::kCustom1}, {"mtla", F::kCustomAddr1}}, {"window", "mtla"}, {"bytes", "max(window)"},
           7, 8);
  EXPECT_EQ(AskCsv("window, MTLA/24 by bytes, max(window) where mtla in 192.0.2.0/24 and window = 7 order max(Window)"),
            "window,\"mtla/24,64\",bytes,max(window)\r\n7,192.0.2.0/24,10,7\r\n");
  EXPECT_EQ(AskCsv("custom_1 by bytes, max(custom_1) where custom_1 = 7"),
            "custom_1,bytes,max(custom_1)\r\n7,10,7\r\n");
  EXPECT_EQ(AskCsv("windw by bytes"), "question, column 1: no field is called \"windw\"; did you mean window?");
  EXPECT_EQ(AskCsv("dst_as by bytes"), "question: table flows has no field dst_as; its fields are window, mtla");
  const auto answer = Ask("window where mtla = 192.0.2.1", store_, absl::FromUnixSeconds(kDay));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->question, "window where mtla = 192.0.2.1");
}

TEST_F(NamesTest, MeanWhatTheyMeanInTheTable) {
  AddTable("a", {{"window", F::kCustom1}}, {"window"}, {"bytes"}, 7, 8);
  AddTable("b", {{"depth", F::kCustom1}, {"window", F::kCustom2}}, {"depth", "window", "dst_as"}, {"bytes"}, 7, 8);
  AddTable("c", {}, {"dst_as"}, {"bytes"}, 7, 8);
  EXPECT_EQ(AskCsv("window by bytes table a"), "window,bytes\r\n7,10\r\n");
  EXPECT_EQ(AskCsv("window by bytes table b"), "window,bytes\r\n8,10\r\n");
  EXPECT_EQ(AskCsv("window, dst_as by bytes"), "window,dst_as,bytes\r\n8,64496,10\r\n");
  EXPECT_EQ(AskCsv("depth by bytes"), "depth,bytes\r\n7,10\r\n");
  EXPECT_EQ(AskCsv("by bytes where depth = 7"), "bytes\r\n10\r\n");
  EXPECT_EQ(AskCsv("window by bytes"), "question: several tables can answer it; say which: table a, or table b");
  EXPECT_EQ(AskCsv("window by bytes table c"),
            "question, column 1: no field is called \"window\"; `flowacct fields` lists them");
  EXPECT_EQ(AskCsv("dst_as by bytes table d"), "question: memory has no table d; there are a, b, c");
}

}  // namespace
}  // namespace flowacct::query
