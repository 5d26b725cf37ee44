// Debian's ClickHouse server, started here, stores and answers.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "flowacct/filter/filter.h"
#include "flowacct/query/memory_store.h"
#include "flowacct/query/testing/conformance.h"
#include "flowacct/sink/clickhouse/clickhouse_sink.h"
#include "flowacct/sink/clickhouse/clickhouse_store.h"
#include "flowacct/sink/clickhouse/size_estimate.h"
#include "flowacct/sink/clickhouse/stored_table.h"
#include "flowacct/sink/clickhouse/testing/server.h"
#include "flowacct/sink/print/batch_builder.h"
#include "flowacct/sink/testing/fault_proxy.h"
#include "flowacct/sink/testing/port_flows.h"
#include "gtest/gtest.h"

namespace flowacct::sink::clickhouse {
namespace {

using aggregate::AggregateBatch;
using aggregate::Function;
using base::IpAddress;
using print::BatchBuilder;
using record::FieldId;

constexpr int64_t kNanos = 1000000000;
constexpr int64_t kDay = kPortFlowsDay;

class Clickhouse : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    why_ = new std::string();
    server_ = Server::Start(why_).release();
  }
  static void TearDownTestSuite() {
    delete server_;
    delete why_;
    server_ = nullptr;
  }
  void SetUp() override {
    if (server_ == nullptr && absl::StrContains(*why_, "not installed")) GTEST_SKIP() << *why_;
    ASSERT_NE(server_, nullptr) << *why_;
    ASSERT_EQ(Shell("DROP DATABASE IF EXISTS flows"), "");
    ASSERT_EQ(Shell("CREATE DATABASE flows"), "");
  }

  static std::string Shell(const std::string& sql) { return server_->Shell(sql); }

  static ConnectionOptions Connection() {
    ConnectionOptions options = server_->options();
    options.url = options.url.substr(0, options.url.rfind('/')) + "/flows";
    options.timeout = absl::Seconds(20);
    return options;
  }

  static ClickhouseOptions Options() {
    ClickhouseOptions options;
    options.connection = Connection();
    options.now = [] { return absl::FromUnixSeconds(kDay + 2 * 86400); };
    return options;
  }

  static std::unique_ptr<StoreSink> Open(ClickhouseOptions options = Options()) {
    auto sink = NewClickhouseSink(std::move(options));
    EXPECT_TRUE(sink.ok()) << sink.status();
    return sink.ok() ? *std::move(sink) : nullptr;
  }

  using Sums = PortSums;
  static Sums Ask(const std::string& table, std::vector<size_t> values, bool by_port = true) {
    return AskByPort(OpenClickhouseStore(Connection()), table, std::move(values), by_port);
  }

  static Server* server_;
  static std::string* why_;
};
Server* Clickhouse::server_ = nullptr;
std::string* Clickhouse::why_ = nullptr;

TEST_F(Clickhouse, AnswersAsItsTwin) {
  const auto sink = Open();
  ExpectAnswersAsItsTwin(sink.get(), [] { return OpenClickhouseStore(Connection()); });
}

TEST_F(Clickhouse, CountsABatchOnceAndShowsTexts) {
  const BatchBuilder builder = PortFlows(10);
  auto sink = Open();
  for (int i = 0; i < 2; ++i) {
    const absl::Status status = sink->Write(PortFlowsBatch(builder, kDay, 1));
    ASSERT_TRUE(status.ok()) << status;
  }
  sink = Open();
  ASSERT_TRUE(sink->Write(PortFlowsBatch(builder, kDay, 1)).ok());
  EXPECT_EQ(sink->counters().batches_skipped, 1u);
  EXPECT_EQ(Shell("SELECT count(), sum(packets) FROM flows.flows"), "10|10");
  ASSERT_TRUE(sink->Write(PortFlowsBatch(builder, kDay, 0)).ok());
  ASSERT_TRUE(sink->Write(PortFlowsBatch(builder, kDay, 0)).ok());
  EXPECT_EQ(Shell("SELECT count(), sum(packets) FROM flows.flows"), "30|30");
  EXPECT_EQ(Shell("SELECT DISTINCT src_addr, bin_start FROM flows.flows_text"), "10.0.0.1|2023-11-14 00:00:00");
}

// What a request that was given up may still do, and what a writer that was killed leaves behind.
TEST_F(Clickhouse, OneAttemptAtABatchCounts) {
  auto sink = Open();
  ASSERT_TRUE(sink->Write(PortFlowsBatch(PortFlows(10), kDay, 1)).ok());
  const Sums expected = Ask("flows", {0, 1});
  // Rows of an attempt that never counted, then such whose count comes late: the earlier one counts, once.
  ASSERT_EQ(Shell("INSERT INTO flows.flows (bin_start, bin_end, batch, src_addr, dst_port, packets, bytes) SELECT "
                  "bin_start, bin_end, toUInt64(5), src_addr, dst_port, packets, bytes FROM flows.flows"),
            "");
  EXPECT_EQ(Ask("flows", {0, 1}), expected);
  ASSERT_EQ(Shell("INSERT INTO flows.flowacct_batches SELECT table_name, bin_start, bin_end, toUInt64(5), collector, "
                  "run, pipeline, number, row_count, incomplete, correction, written_at, includes FROM "
                  "flows.flowacct_batches"),
            "");
  EXPECT_EQ(Ask("flows", {0, 1}), expected);
  EXPECT_EQ(Shell("SELECT count() FROM flows.flows_text"), "10");
  ASSERT_TRUE(sink->Write(PortFlowsBatch(PortFlows(10), kDay, 1)).ok());
  EXPECT_EQ(sink->counters().batches_skipped, 1u);
  EXPECT_EQ(Ask("flows", {0, 1}), expected);
}

TEST_F(Clickhouse, LargeSumsAndHostileTexts) {
  auto sink = Open();
  const std::string name = "flows`; DROP TABLE flowacct_batches; --'\\";
  BatchBuilder builder({FieldId::kVrfName, FieldId::kApplicationId, FieldId::kDstPort},
                       {{FieldId::kBytes, Function::kSum, "bytes` UInt64) -- \\'"},
                        {FieldId::kDstPort, Function::kTop, "top(dst_port)"}});
  auto row = builder.Add({UINT64_MAX, 0});
  row.Set<FieldId::kVrfName>(builder.interner().Intern(absl::string_view("\\.\n\t\\N'; --\0\xff", 13)));
  row.Set<FieldId::kApplicationId>(builder.interner().Intern(absl::string_view("\0'\"", 3)));
  builder.Add({1, 0}).Set<FieldId::kVrfName>(builder.interner().Intern(absl::string_view("")));
  AggregateBatch batch = PortFlowsBatch(builder, kDay, 1, name);
  batch.set_texts({{}, {"443:1' \\.", "\""}});
  absl::Status status = sink->Write(batch);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(Ask(name, {0}), (Sums{{"-", {absl::MakeUint128(1, 0)}}}));
  EXPECT_EQ(Shell("SELECT hex(vrf_name), hex(application_id), hex(`top(dst_port)`) FROM flows.`flows\\`; DROP TABLE "
                  "flowacct_batches; --'\\\\` ORDER BY `top(dst_port)` LIMIT 1"),
            "|-|22");
  EXPECT_EQ(Shell("SELECT hex(vrf_name), hex(application_id) FROM flows.`flows\\`; DROP TABLE flowacct_batches; "
                  "--'\\\\` WHERE application_id IS NOT NULL"),
            "5C2E0A095C4E273B202D2DEFBFBDEFBFBD|002722");
  status = sink->Write(PortFlowsBatch(builder, kDay, 2, std::string(201, 'x')));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  // As a filter has them.
  query::GroupRequest request;
  request.table = name;
  request.values = {0};
  for (const char* where : {"vrf_name = 'a\\' OR 1 = 1 --'", "vrf_name = \"x\\\\' OR ''='\""}) {
    auto filter = filter::Filter::Parse(where);
    ASSERT_TRUE(filter.ok()) << filter.status();
    request.where = *filter;
    int told = 0;
    status = (*OpenClickhouseStore(Connection()))->Sum(request, [&](const query::GroupRow&) { return ++told > 0; });
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(told, 0) << where;
  }
}

TEST_F(Clickhouse, TablesGetColumnsOrSayWhatIsWrong) {
  auto sink = Open();
  BatchBuilder before({FieldId::kDstPort}, {{FieldId::kBytes, Function::kSum, ""}});
  before.Add({5}).Set<FieldId::kDstPort>(80);
  ASSERT_TRUE(sink->Write(PortFlowsBatch(before, kDay, 1)).ok());
  const absl::Status widened = sink->Write(PortFlowsBatch(PortFlows(1), kDay, 2));
  ASSERT_TRUE(widened.ok()) << widened;
  ASSERT_TRUE(sink->Write(PortFlowsBatch(before, kDay, 3)).ok());
  EXPECT_EQ(Shell("SELECT dst_port, hex(src_addr), packets, bytes FROM flows.flows ORDER BY batch"),
            "80|-|0|5\n0|00000000000000000000FFFF0A000001|1|100\n80|-|0|5");
  EXPECT_EQ(Shell("SELECT dst_port, src_addr FROM flows.flows_text WHERE src_addr IS NOT NULL"), "0|10.0.0.1");
  BatchBuilder other({FieldId::kDstPort}, {{FieldId::kPackets, Function::kMax, "bytes"}});
  other.Add({1});
  absl::Status status = sink->Write(PortFlowsBatch(other, kDay, 4));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(status.message(), "RENAME TABLE `flows` TO `flows_old`")) << status;
  ASSERT_EQ(Shell("RENAME TABLE flows.flows TO flows.flows_old"), "");
  status = sink->Write(PortFlowsBatch(other, kDay, 4));
  EXPECT_TRUE(status.ok()) << status;
  ASSERT_EQ(Shell("CREATE TABLE flows.theirs (a UInt8) ENGINE = Memory"), "");
  status = sink->Write(PortFlowsBatch(other, kDay, 5, "theirs"));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(status.message(), "RENAME TABLE `theirs` TO `theirs_old`")) << status;
  // A column or table that somebody takes away while the sink is open.
  ASSERT_EQ(Shell("ALTER TABLE flows.flows DROP COLUMN bytes"), "");
  status = sink->Write(PortFlowsBatch(other, kDay, 6));
  EXPECT_TRUE(status.ok()) << status;
  ASSERT_EQ(Shell("DROP TABLE flows.flows"), "");
  status = sink->Write(PortFlowsBatch(other, kDay, 7));
  EXPECT_TRUE(status.ok()) << status;
  ASSERT_EQ(Shell("ALTER TABLE flows.flows MODIFY COLUMN dst_port Nullable(UInt32)"), "");
  status = sink->Write(PortFlowsBatch(other, kDay, 8));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  ASSERT_EQ(Shell("ALTER TABLE flows.flows MODIFY COLUMN dst_port Nullable(UInt16)"), "");
  status = sink->Write(PortFlowsBatch(other, kDay, 8));
  EXPECT_TRUE(status.ok()) << status;
  // No database.
  ASSERT_EQ(Shell("DROP DATABASE flows"), "");
  status = Open()->Write(PortFlowsBatch(other, kDay, 7));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(status.message(), "CREATE DATABASE `flows`")) << status;
}

TEST_F(Clickhouse, RollsUpExactly) {
  ClickhouseOptions options = Options();
  options.rollups = {{3600, absl::InfiniteDuration()}, {86400, absl::InfiniteDuration()}};
  absl::Time now = absl::FromUnixSeconds(kDay + 2 * 86400);
  options.now = [&now] { return now; };
  auto sink = Open(options);
  std::mt19937_64 random(1);
  const auto same = [&] {
    EXPECT_EQ(Ask("flows_1h", {0, 1, 2}), Ask("flows", {0, 1, 2}));
    EXPECT_EQ(Ask("flows_1d", {0, 1, 2}), Ask("flows", {0, 1, 2}));
  };
  for (uint64_t bin = 0; bin < 60; ++bin) {
    BatchBuilder builder({FieldId::kDstPort}, {{FieldId::kBytes, Function::kSum, ""},
                                               {FieldId::kTag, Function::kMax, "max(tag)"},
                                               {FieldId::kTag, Function::kMin, "min(tag)"}});
    for (int i = 0; i < 30; ++i) {
      auto row = builder.Add({random() % 9 == 0 ? random() : random() % 1000, random(), random()});
      if (i % 3 != 0) row.Set<FieldId::kDstPort>(static_cast<uint16_t>(random() % 8));
    }
    const AggregateBatch batch =
        PortFlowsBatch(builder, kDay + static_cast<int64_t>(bin % 7 == 6 ? 1 : bin) * 1800, bin + 1);
    for (int twice = 0; twice < (bin % 5 == 0 ? 2 : 1); ++twice) {
      const absl::Status status = sink->Write(batch);
      ASSERT_TRUE(status.ok()) << status;
      ASSERT_EQ(sink->trouble(), "");
    }
    if (bin % 20 == 15) now += absl::Hours(2);  // what came late is summed into its bin now
    if (bin == 30) sink = Open(options);
    if (bin % 13 == 0 || bin == 59) same();
  }
  // The first hour came first, and was summed anew with what came late; its day likewise.
  EXPECT_EQ(Shell("SELECT count() > 2 FROM flows.flowacct_batches WHERE table_name = 'flows_1h' AND bin_start = " +
                  absl::StrCat(kDay)),
            "1");
  EXPECT_EQ(Shell("SELECT count() > 0 FROM flows.flows_1d"), "1");
  // The view tells of each bin what it was last.
  EXPECT_EQ(Shell("SELECT max(n) FROM (SELECT uniqExact(batch) AS n FROM flows.flows_1h WHERE batch IN (SELECT "
                  "argMax(id, tuple(length(includes), id)) FROM flows.flowacct_batches WHERE table_name = 'flows_1h' "
                  "GROUP BY bin_start) GROUP BY bin_start)"),
            "1");
  // What counts no more goes, and no answer changes.
  const Sums before = Ask("flows_1h", {0, 1, 2});
  now += absl::Hours(2);
  BatchBuilder none({FieldId::kDstPort}, {{FieldId::kBytes, Function::kSum, ""}});
  ASSERT_TRUE(sink->Write(PortFlowsBatch(none, kDay, 1000)).ok());
  const std::string mutations = "SELECT count() > 0, min(is_done) FROM system.mutations WHERE database = 'flows'";
  for (int i = 0; i < 200 && Shell(mutations) != "1|1"; ++i) absl::SleepFor(absl::Milliseconds(50));
  EXPECT_EQ(Shell(mutations), "1|1");
  EXPECT_EQ(Ask("flows_1h", {0, 1, 2}), before);
  same();
}

TEST_F(Clickhouse, RetentionWaitsForRollupsAndTakesDays) {
  ClickhouseOptions options = Options();
  absl::Time now = absl::FromUnixSeconds(kDay + 3600);
  options.now = [&now] { return now; };
  options.table = "flows";
  options.retention = absl::Hours(48);
  options.rollups = {{3600, absl::InfiniteDuration()}};
  auto sink = Open(options);
  const BatchBuilder builder = PortFlows(20);
  uint64_t number = 0;
  for (int day = 0; day < 7; ++day) {
    for (int bin = 0; bin < 3; ++bin) {
      const absl::Status status = sink->Write(PortFlowsBatch(builder, kDay + 86400 * day + 300 * bin, ++number));
      ASSERT_TRUE(status.ok()) << status;
    }
    now += absl::Hours(24);
  }
  EXPECT_EQ(sink->trouble(), "");
  EXPECT_EQ(Shell("SELECT min(bin_start), count() FROM flows.flows"), absl::StrCat(kDay + 4 * 86400, "|180"));
  EXPECT_EQ(sink->counters().rows_removed, 4u * 60);
  EXPECT_EQ(sink->counters().bins_removed, 4u * 3);
  // Seven days: six that were summed, and what was not yet.
  EXPECT_EQ(Ask("flows_1h", {0}, false), (Sums{{"-", {7 * 60}}}));
  const auto tables = (*OpenClickhouseStore(Connection()))->Tables();
  ASSERT_TRUE(tables.ok());
  EXPECT_EQ((*tables)[0].first_seconds, kDay + 4 * 86400);
  EXPECT_EQ((*tables)[1].first_seconds, kDay);
  // By hand: the day that is not summed yet stays though it is old.
  now += absl::Hours(24 * 30);
  options.now = [&now] { return now; };
  sink = Open(options);
  const absl::Status status = sink->Retain();
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(Shell("SELECT count() FROM flows.flows"), "60");
  EXPECT_EQ(Ask("flows_1h", {0}, false), (Sums{{"-", {7 * 60}}}));
  options.table = "nothing";
  EXPECT_EQ(Open(options)->Retain().code(), absl::StatusCode::kNotFound);
}

TEST_F(Clickhouse, RetainRemovesWhatNeverCounted) {
  ClickhouseOptions options = Options();
  options.table = "flows";
  auto sink = Open(options);
  ASSERT_TRUE(sink->Write(PortFlowsBatch(PortFlows(10), kDay, 1)).ok());
  ASSERT_EQ(Shell("INSERT INTO flows.flows (bin_start, bin_end, batch, packets) VALUES (300, 600, 5, 1)"), "");
  ASSERT_TRUE(sink->Retain().ok());
  for (int i = 0; i < 200 && Shell("SELECT count() FROM flows.flows") != "10"; ++i) {
    absl::SleepFor(absl::Milliseconds(50));
  }
  EXPECT_EQ(Shell("SELECT count(), min(bin_start) FROM flows.flows"), absl::StrCat("10|", kDay));
}

TEST_F(Clickhouse, ALostOrHungServerIsUnavailableAndComesBack) {
  ClickhouseOptions options = Options();
  options.connection.timeout = absl::Seconds(1);
  auto sink = Open(options);
  const BatchBuilder builder = PortFlows(20000);
  ASSERT_TRUE(sink->Write(PortFlowsBatch(builder, kDay, 1)).ok());
  // Hung: what it was told in the meantime it may do afterwards.
  ASSERT_EQ(kill(server_->pid(), SIGSTOP), 0);
  for (int i = 0; i < 2; ++i) {
    const absl::Time begin = absl::Now();
    const absl::Status status = sink->Write(PortFlowsBatch(builder, kDay, 2));
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
    EXPECT_LT(absl::Now() - begin, absl::Seconds(5));
  }
  ASSERT_EQ(kill(server_->pid(), SIGCONT), 0);
  absl::Status status = sink->Write(PortFlowsBatch(builder, kDay, 2));
  EXPECT_TRUE(status.ok()) << status;
  // Gone.
  server_->Kill();
  status = sink->Write(PortFlowsBatch(builder, kDay, 3));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_EQ(sink->Write(PortFlowsBatch(builder, kDay, 3)).code(), absl::StatusCode::kUnavailable);
  auto early = Open(options);  // unreachable at its begin
  EXPECT_EQ(early->Write(PortFlowsBatch(builder, kDay, 4)).code(), absl::StatusCode::kUnavailable);
  query::GroupRequest request;
  request.table = "flows";
  EXPECT_EQ((*OpenClickhouseStore(options.connection))->Sum(request, [](const auto&) { return true; }).code(),
            absl::StatusCode::kUnavailable);
  ASSERT_TRUE(server_->Restart());
  status = sink->Write(PortFlowsBatch(builder, kDay, 3));
  EXPECT_TRUE(status.ok()) << status;
  status = early->Write(PortFlowsBatch(builder, kDay, 4));
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(Ask("flows", {0}, false), (Sums{{"-", {80000}}}));
}

// Stopped at any moment, given up, and then carried on: the requests that were given up are carried out, too.
TEST_F(Clickhouse, WhatWasGivenUpAndDoneAllTheSameCountsOnce) {
  ClickhouseOptions options = Options();
  options.connection.timeout = absl::Milliseconds(300);
  auto sink = Open(options);
  const BatchBuilder builder = PortFlows(3000);
  std::mt19937 random(7);
  uint64_t number = 1;
  for (int i = 0; i < 5; ++i) {
    std::thread stopper([&, wait = random() % 20000] {
      usleep(static_cast<useconds_t>(wait));
      kill(server_->pid(), SIGSTOP);
      usleep(1000000);
      kill(server_->pid(), SIGCONT);
    });
    for (int done = 0; done < 6;) {
      const absl::Status status =
          sink->Write(PortFlowsBatch(builder, kDay + static_cast<int64_t>(number) * 300, number));
      if (status.ok()) {
        ++done;
        ++number;
      } else {
        EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
      }
    }
    stopper.join();
    EXPECT_EQ(Ask("flows", {0}, false), (Sums{{"-", {(number - 1) * 3000}}})) << i;
  }
}

TEST_F(Clickhouse, ConnectionsAreCutAtAnyOctet) {
  ClickhouseOptions options = Options();
  options.rollups = {{3600, absl::InfiniteDuration()}};
  ASSERT_TRUE(Open(options)->Write(PortFlowsBatch(PortFlows(1), kDay - 7200, 1000)).ok());
  int port = 0;
  ASSERT_TRUE(absl::SimpleAtoi(absl::string_view(options.connection.url).substr(17, 5), &port));
  const std::unique_ptr<FaultProxy> proxy = FaultProxy::Start("127.0.0.1", port);
  ASSERT_NE(proxy, nullptr);
  options.connection.url = absl::StrCat("http://127.0.0.1:", proxy->port(), "/flows");
  auto sink = Open(options);
  const BatchBuilder builder = PortFlows(50);
  ASSERT_TRUE(sink->Write(PortFlowsBatch(builder, kDay, 1)).ok());
  proxy->Clear();
  ASSERT_TRUE(sink->Write(PortFlowsBatch(builder, kDay + 300, 2)).ok());
  const uint64_t whole[] = {proxy->passed(FaultProxy::kToServer), proxy->passed(FaultProxy::kToClient)};
  int cuts = 0, tries = 0;
  for (uint64_t number = 3; number <= 40; ++tries) {
    // Over a whole batch in either direction, and time and again within its last answer.
    const auto direction = tries % 2 == 0 ? FaultProxy::kToServer : FaultProxy::kToClient;
    const uint64_t place = whole[direction] * (tries / 2 % 20) / 20;
    proxy->CutAfter(direction, tries % 7 == 6 && direction == FaultProxy::kToClient ? whole[direction] - 8 : place);
    const absl::Status status = sink->Write(PortFlowsBatch(builder, kDay + static_cast<int64_t>(number) * 300, number));
    cuts += proxy->WaitForFault(absl::ZeroDuration()) ? 1 : 0;
    if (status.ok()) {
      ++number;
    } else {
      ASSERT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
    }
  }
  EXPECT_GT(cuts, 15);
  EXPECT_EQ(Ask("flows", {0}, false), (Sums{{"-", {40 * 50 + 1}}}));
  EXPECT_EQ(Ask("flows_1h", {0, 1}), Ask("flows", {0, 1}));
  // Attempts whose rows came, and did not count; and such that counted though nobody heard of it.
  EXPECT_EQ(Shell("SELECT (SELECT uniqExact(batch) FROM flows.flows) > 41"), "1");
  EXPECT_GT(sink->counters().batches_skipped, 0u);
}

TEST_F(Clickhouse, TheServerIsKilledInTheMiddle) {
  ClickhouseOptions options = Options();
  options.rollups = {{3600, absl::InfiniteDuration()}};
  const BatchBuilder builder = PortFlows(2000);
  std::mt19937 random(5);
  uint64_t number = 1;
  auto sink = Open(options);
  for (int i = 0; i < 50; ++i) {
    std::atomic<bool> dead{false};
    std::thread killer([&, wait = random() % 60000] {
      usleep(static_cast<useconds_t>(wait));
      server_->Kill();
      dead = true;
    });
    bool back = false;
    for (int after = 0; after < 2;) {
      const absl::Status status =
          sink->Write(PortFlowsBatch(builder, kDay + static_cast<int64_t>(number) * 300, number));
      if (status.ok()) {
        ++number;
        if (back) ++after;
        continue;
      }
      ASSERT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
      if (!dead) continue;
      // Here, since it ends with the thread that starts it.
      ASSERT_TRUE(server_->Restart());
      back = true;
    }
    killer.join();
    ASSERT_EQ(Ask("flows", {0}, false), (Sums{{"-", {(number - 1) * 2000}}})) << i;
  }
  EXPECT_EQ(Ask("flows_1h", {0, 1}), Ask("flows", {0, 1}));
  EXPECT_EQ(
      Shell("SELECT count() FROM (SELECT 1 FROM flows.flowacct_batches WHERE table_name = 'flows' GROUP BY number "
            "HAVING uniqExact(row_count) != 1 OR max(row_count) != 2000)"),
      "0");
}

TEST_F(Clickhouse, TheWriterIsKilledInTheMiddle) {
  ClickhouseOptions options = Options();
  options.rollups = {{3600, absl::InfiniteDuration()}};
  const BatchBuilder builder = PortFlows(500);
  const auto batch = [&](uint64_t number) {
    return PortFlowsBatch(builder, kDay + static_cast<int64_t>(number) * 300, number);
  };
  std::mt19937 random(5);
  uint64_t from = 1;
  ASSERT_TRUE(Open(options)->Write(batch(1)).ok());
  for (int i = 0; i < 50; ++i) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto sink = NewClickhouseSink(options);
      if (!sink.ok()) _exit(1);
      for (uint64_t number = from > 3 ? from - 3 : 1;; ++number) {
        for (;;) {
          const absl::Status status = (*sink)->Write(batch(number));
          if (status.ok()) break;
          if (!absl::IsUnavailable(status)) {
            fprintf(stderr, "%s\n", status.ToString().c_str());
            _exit(2);
          }
        }
      }
    }
    usleep(20000 + random() % 100000);
    ASSERT_EQ(kill(child, SIGKILL), 0);
    int state = 0;
    ASSERT_EQ(waitpid(child, &state, 0), child);
    ASSERT_TRUE(WIFSIGNALED(state)) << "the child ended by itself with " << WEXITSTATUS(state);
    // What it has sent comes to its end, some of it after it.
    const auto last = [] { return Shell("SELECT max(number) FROM flows.flowacct_batches WHERE table_name = 'flows'"); };
    Sums told;
    std::string before;
    do {
      before = last();
      told = Ask("flows", {0}, false);
    } while (last() != before);
    ASSERT_TRUE(absl::SimpleAtoi(before, &from));
    ASSERT_EQ(told, (Sums{{"-", {from * 500}}})) << i;
  }
  EXPECT_EQ(Ask("flows_1h", {0, 1}), Ask("flows", {0, 1}));
}

// A writer that was there before the rollup was, and one that keeps it: what the first adds later is not lost with its
// day.
TEST_F(Clickhouse, RetentionLooksAtWhatOthersWrote) {
  ClickhouseOptions options = Options();
  absl::Time now = absl::FromUnixSeconds(kDay + 7200);
  options.now = [&now] { return now; };
  options.table = "flows";
  options.retention = absl::Hours(24);
  const BatchBuilder builder = PortFlows(10);
  const auto batch = [&](int64_t start, uint64_t number, const char* collector) {
    AggregateBatch made = PortFlowsBatch(builder, start, number);
    made.set_identity({collector, "flows", 7, number});
    return made;
  };
  auto first = Open(options);
  ASSERT_TRUE(first->Write(batch(kDay, 1, "a")).ok());
  options.rollups = {{3600, absl::InfiniteDuration()}};
  auto second = Open(options);
  ASSERT_TRUE(second->Write(batch(kDay, 1, "b")).ok());
  ASSERT_TRUE(second->Write(batch(kDay + 3600, 2, "b")).ok());
  ASSERT_EQ(Shell("SELECT sum(packets) FROM flows.flows_1h_text"), "20");
  ASSERT_TRUE(first->Write(batch(kDay + 300, 2, "a")).ok());
  now += absl::Hours(72);
  for (uint64_t number = 3; number < 6; ++number) {
    ASSERT_TRUE(first->Write(batch(kDay + 3 * 86400, number, "a")).ok());
    EXPECT_EQ(first->trouble(), "");
    now += absl::Minutes(2);
  }
  EXPECT_EQ(Shell("SELECT min(bin_start) FROM flows.flows"), absl::StrCat(kDay + 3 * 86400));
  EXPECT_EQ(Ask("flows_1h", {0}, false), (Sums{{"-", {70}}}));
}

// Two collectors, each with bins and late records of its own, into one table that neither has made yet.
TEST_F(Clickhouse, TwoWritersAtOnce) {
  ClickhouseOptions options = Options();
  options.rollups = {{3600, absl::InfiniteDuration()}, {86400, absl::InfiniteDuration()}};
  const BatchBuilder builder = PortFlows(200);
  constexpr int kWriters = 2, kBatches = 60;
  std::vector<pid_t> children;
  for (int writer = 0; writer < kWriters; ++writer) {
    children.push_back(fork());
    ASSERT_GE(children.back(), 0);
    if (children.back() != 0) continue;
    auto sink = NewClickhouseSink(options);
    if (!sink.ok()) _exit(1);
    for (int number = 1; number <= kBatches;) {
      AggregateBatch batch =
          PortFlowsBatch(builder, kDay + (number % 9 == 8 ? 0 : number) * 900, static_cast<uint64_t>(number));
      aggregate::BatchIdentity identity = batch.identity();
      identity.collector = absl::StrCat("edge", writer);
      batch.set_identity(identity);
      const absl::Status status = (*sink)->Write(batch);
      if (!status.ok() && !absl::IsUnavailable(status)) {
        fprintf(stderr, "%s\n", status.ToString().c_str());
        _exit(2);
      }
      if (!(*sink)->trouble().empty()) fprintf(stderr, "%s\n", (*sink)->trouble().c_str());
      if (status.ok()) ++number;
    }
    _exit(0);
  }
  for (const pid_t child : children) {
    int state = 0;
    ASSERT_EQ(waitpid(child, &state, 0), child);
    EXPECT_TRUE(WIFEXITED(state));
    EXPECT_EQ(WEXITSTATUS(state), 0);
  }
  EXPECT_EQ(Shell("SELECT count(), sum(bytes) FROM flows.flows_text"),
            absl::StrCat(kWriters * kBatches * 200, "|", kWriters * kBatches * 20000));
  EXPECT_EQ(Ask("flows_1h", {0, 1}), Ask("flows", {0, 1}));
  EXPECT_EQ(Ask("flows_1d", {0, 1}), Ask("flows", {0, 1}));
}

TEST_F(Clickhouse, TheEstimateIsNear) {
  BatchBuilder builder(
      {FieldId::kSrcAddr, FieldId::kDstAddr, FieldId::kDstPort, FieldId::kProtocol, FieldId::kVrfName, FieldId::kSrcAs},
      {{FieldId::kPackets, Function::kSum, ""}, {FieldId::kBytes, Function::kSum, ""}});
  std::mt19937 random(3);
  for (int i = 0; i < 50000; ++i) {
    auto row = builder.Add({random() % 1000, random() % 1000000});
    row.Set<FieldId::kSrcAddr>(IpAddress::V4(random()));
    row.Set<FieldId::kDstAddr>(IpAddress::V4(random() % 65536));
    row.Set<FieldId::kDstPort>(static_cast<uint16_t>(random()));
    row.Set<FieldId::kProtocol>(random() % 3 == 0 ? 17 : 6);
    row.Set<FieldId::kVrfName>(builder.interner().Intern(absl::StrCat("customer-", 100000 + random() % 1000)));
    row.Set<FieldId::kSrcAs>(64000 + random() % 5000);
  }
  const AggregateBatch batch = PortFlowsBatch(builder, kDay, 1);
  const absl::Status status = Open()->Write(batch);
  ASSERT_TRUE(status.ok()) << status;
  const SizeEstimate estimate = EstimateOctets(batch.schema(), 1);
  double disk = 0, memory = 0;
  ASSERT_TRUE(absl::SimpleAtod(
      Shell("SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'flows' AND table = 'flows'"),
      &disk));
  ASSERT_TRUE(absl::SimpleAtod(Shell("SELECT sum(data_uncompressed_bytes) FROM system.columns WHERE database = 'flows' "
                                     "AND table = 'flows'"),
                               &memory));
  EXPECT_GT(estimate.row_octets, disk / 50000 * 0.8);
  EXPECT_LT(estimate.row_octets, disk / 50000 * 1.5);
  EXPECT_GT(estimate.row_octets_in_memory, memory / 50000 * 0.8);
  EXPECT_LT(estimate.row_octets_in_memory, memory / 50000 * 1.25);
}

// Two servers that know one another. ON CLUSTER needs ZooKeeper, so that the tables are made on each by hand.
TEST_F(Clickhouse, ShardsAnswerAsOne) {
  std::string why;
  const std::vector<std::unique_ptr<Server>> shards = Server::StartShards(2, &why);
  ASSERT_EQ(shards.size(), 2u) << why;
  ClickhouseOptions options = Options();
  options.connection = shards[0]->options();
  options.cluster = "shards";
  options.now = [] { return absl::FromUnixSeconds(query::kConformanceStart + 86400); };
  TableShape shape;
  shape.cluster = options.cluster;
  shape.database = "default";
  const auto make = [&](const std::vector<std::string>& statements) {
    for (std::string statement : statements) {
      for (const auto& shard : shards) {
        ASSERT_EQ(shard->Shell(absl::StrReplaceAll(statement, {{OnCluster(shape), ""}})), "") << statement;
      }
    }
  };
  make(CreateBatches(shape));
  const query::ConformanceData data;
  query::MemoryStore twin;
  std::map<std::string, bool> made;
  auto sink = Open(options);
  for (const auto& [table, batch] : data.batches()) {
    if (!made[table]) {
      made[table] = true;
      sql::TableSchema schema;
      schema.name = table;
      schema.columns = *sql::ColumnsOf(kDialect, batch->schema());
      schema.bin_seconds = (batch->bin().end_nanos - batch->bin().start_nanos) / kNanos;
      make(CreateTable(shape, schema));
      if (table == "flows") {
        schema.name = "flows_1h";
        schema.rollup_of = "flows";
        schema.bin_seconds = 3600;
        make(CreateTable(shape, schema));
      }
    }
    const absl::Status status = sink->Write(*batch);
    ASSERT_TRUE(status.ok()) << status;
    ASSERT_EQ(sink->trouble(), "");
    twin.Add(table, batch);
  }
  EXPECT_EQ(sink->counters().batches_skipped, 1u);
  // Each has some of it, and either answers for both.
  for (const auto& shard : shards) {
    EXPECT_EQ(shard->Shell("SELECT count() > 0 FROM flows_local"), "1");
    auto store = OpenClickhouseStore(shard->options());
    ASSERT_TRUE(store.ok()) << store.status();
    query::ExpectConforms(**store, twin);
  }
  EXPECT_EQ(shards[1]->Shell("SELECT count() > 0 FROM flows_1h"), "1");
  auto store = OpenClickhouseStore(shards[1]->options());
  absl::uint128 sums[2];
  for (int i = 0; i < 2; ++i) {
    query::GroupRequest request;
    request.table = i == 0 ? "flows" : "flows_1h";
    request.values = {1};
    const absl::Status status = (*store)->Sum(request, [&](const query::GroupRow& row) {
      sums[i] = row.values[0];
      return true;
    });
    EXPECT_TRUE(status.ok()) << status;
  }
  EXPECT_EQ(sums[0], sums[1]);
  EXPECT_GT(sums[0], absl::uint128(UINT64_MAX));
}

TEST_F(Clickhouse, ByTlsToWhomIsTrusted) {
  ASSERT_EQ(Shell("DROP TABLE IF EXISTS default.secure"), "");
  ClickhouseOptions options = Options();
  options.connection = server_->secure_options();
  absl::Status status = Open(options)->Write(PortFlowsBatch(PortFlows(10), kDay, 1, "secure"));
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(Shell("SELECT count() FROM default.secure_text"), "10");
  options.connection.ca_file.clear();
  status = Open(options)->Write(PortFlowsBatch(PortFlows(10), kDay, 2, "secure"));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "ca_file")) << status;
}

TEST_F(Clickhouse, ThePasswordIsNeverTold) {
  ClickhouseOptions options = Options();
  for (const char* url : {"http://flowacct:hunter2@127.0.0.1/flows", "http://127.0.0.1/flows?password=hunter2",
                          "hunter2 is no url", "ftp://hunter2/", "http://127.0.0.1/flows/hunter2"}) {
    options.connection.url = url;
    const absl::Status status = NewClickhouseSink(options).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << url;
    EXPECT_FALSE(absl::StrContains(status.message(), "hunter2")) << status;
  }
  options = Options();
  options.connection.password_file.clear();
  ASSERT_EQ(setenv("CLICKHOUSE_PASSWORD", "hunter2", 1), 0);
  absl::Status status = Open(options)->Write(PortFlowsBatch(PortFlows(1), kDay, 1));
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << status;
  EXPECT_FALSE(absl::StrContains(status.message(), "hunter2")) << status;
  ASSERT_EQ(setenv("CLICKHOUSE_PASSWORD", "open sesame 7", 1), 0);
  status = Open(options)->Write(PortFlowsBatch(PortFlows(1), kDay, 1));
  EXPECT_TRUE(status.ok()) << status;
  ASSERT_EQ(unsetenv("CLICKHOUSE_PASSWORD"), 0);
  options.connection.password_file = "/no/such/file";
  EXPECT_EQ(Open(options)->Write(PortFlowsBatch(PortFlows(1), kDay, 1)).code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace flowacct::sink::clickhouse
