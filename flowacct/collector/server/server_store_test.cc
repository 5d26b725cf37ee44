// The collector into a store: all that was accounted is there, once, whatever happens to the store or the collector.

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <string>

#include "flowacct/collector/generate/workload.h"
#include "flowacct/collector/server/server_fixture.h"
#include "flowacct/collector/server/sink_queue.h"
#include "flowacct/query/group_store.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/layout.h"
#include "flowacct/sink/sqlite/sqlite_sink.h"
#include "flowacct/sink/sqlite/sqlite_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

using F = record::FieldId;

std::string NewFolder() {
  std::string folder = testing::TempDir() + "storeXXXXXX";
  EXPECT_NE(mkdtemp(folder.data()), nullptr);
  return folder;
}

// What a table has of packets, bytes and flows, and in how many groups of `by`.
Totals StoredTotals(const std::string& path, const std::string& table) {
  Totals totals;
  auto store = sink::sqlite::OpenSqliteStore(path);
  EXPECT_TRUE(store.ok()) << store.status();
  if (!store.ok()) return totals;
  const auto tables = (*store)->Tables();
  EXPECT_TRUE(tables.ok()) << tables.status();
  if (!tables.ok()) return totals;
  query::GroupRequest request;
  request.table = table;
  for (const query::TableInfo& info : *tables) {
    if (info.name != table) continue;
    for (const char* name : {"packets", "bytes", "flows"}) {
      for (size_t i = 0; i < info.values.size(); ++i) {
        if (info.values[i].name == name) request.values.push_back(i);
      }
    }
    for (const F field : info.keys) request.by.push_back({field, -1, -1});
  }
  EXPECT_EQ(request.values.size(), 3u);
  const absl::Status status = (*store)->Sum(request, [&](const query::GroupRow& row) {
    totals.packets += static_cast<uint64_t>(row.values[0]);
    totals.bytes += static_cast<uint64_t>(row.values[1]);
    totals.flows += static_cast<uint64_t>(row.values[2]);
    ++totals.rows;
    return true;
  });
  EXPECT_TRUE(status.ok()) << status;
  return totals;
}

// A database that somebody else has locked.
class Lock {
 public:
  explicit Lock(const std::string& path) {
    EXPECT_EQ(sqlite3_open(path.c_str(), &database_), SQLITE_OK);
    sqlite3_busy_timeout(database_, 5000);
    EXPECT_EQ(sqlite3_exec(database_, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  }
  ~Lock() {
    EXPECT_EQ(sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(database_);
  }

 private:
  sqlite3* database_ = nullptr;
};

class ServerStoreTest : public ServerTest {
 protected:
  void SetUp() override { folder_ = NewFolder(); }

  std::string Config(absl::string_view more = "") {
    return absl::StrCat(
        "name: \"edge-1\"\n"
        "input { name: \"in\" udp { listen: \"127.0.0.1:0\" } }\n"
        "pipeline { name: \"flows\" by: \"src_addr,dst_port\" every: \"1m\" lateness: \"1s\"\n"
        "  sink { sqlite { path: \"",
        folder_, "/flows.db\" } spool { folder: \"", folder_, "/spool\" } retry_after: \"10ms\" }\n",
        "  sink { print { format: CSV output: \"", folder_, "/rows.csv\" } } }\n", more);
  }

  // NetFlow v9 of some minutes.
  std::vector<std::string> Datagrams(uint64_t seed) {
    WorkloadOptions options;
    options.records = 20000;
    options.distinct_keys = 500;
    options.records_per_second = 100;
    options.seed = seed;
    WorkloadTruth truth;
    auto datagrams = DatagramsOfWorkload(options, &truth);
    EXPECT_TRUE(datagrams.ok()) << datagrams.status();
    return *std::move(datagrams);
  }

  std::string folder_;
};

void ExpectEqual(const Totals& a, const Totals& b) {
  EXPECT_EQ(a.packets, b.packets);
  EXPECT_EQ(a.bytes, b.bytes);
  EXPECT_EQ(a.flows, b.flows);
}

TEST_F(ServerStoreTest, WhatWasAccountedIsInTheStore) {
  auto server = StartServer(Config());
  const std::vector<std::string> datagrams = Datagrams(1);
  Send(*server, datagrams, "127.0.0.2", datagrams.size());
  EXPECT_TRUE(server->Stop(absl::Seconds(20)).ok());
  const CollectorStatus status = server->Status();
  ExpectIdentity(status);
  const Totals printed = TotalsOf(folder_ + "/rows.csv");
  EXPECT_GT(printed.flows, 19000u);
  ExpectEqual(StoredTotals(folder_ + "/flows.db", "flows"), printed);
  ASSERT_EQ(status.pipelines[0].sinks.size(), 2u);
  EXPECT_EQ(status.pipelines[0].sinks[0].rows_lost, 0u);
}

TEST_F(ServerStoreTest, AStoreThatIsAwayLosesNothingOverAReloadAndARestart) {
  {
    auto server = StartServer(Config());
    const std::vector<std::string> datagrams = Datagrams(1);
    Send(*server, datagrams, "127.0.0.2", datagrams.size() / 2);
    EXPECT_TRUE(server->Stop(absl::Seconds(20)).ok());
  }
  const Totals before = TotalsOf(folder_ + "/rows.csv");
  {
    const Lock lock(folder_ + "/flows.db");
    auto server = StartServer(Config());
    const std::vector<std::string> datagrams = Datagrams(2);
    Send(*server, datagrams, "127.0.0.2", datagrams.size());
    // Another configuration of the sinks, while it waits.
    EXPECT_TRUE(server->Reload(Parse(absl::StrReplaceAll(Config(), {{"10ms", "20ms"}}))).ok());
    EXPECT_TRUE(server->Stop(absl::Milliseconds(200)).ok());
    const SinkStatus sink = server->Status().pipelines[0].sinks[0];
    EXPECT_GT(sink.spooled, 0u);
    EXPECT_EQ(sink.rows_lost, 0u);
    EXPECT_NE(sink.last_error, "");
  }
  ExpectEqual(StoredTotals(folder_ + "/flows.db", "flows"), before);
  {
    auto server = StartServer(Config());
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    while (server->Status().pipelines[0].sinks[0].waiting > 0 && absl::Now() < deadline) {
      absl::SleepFor(absl::Milliseconds(10));
    }
    ExpectIdentity(server->Status());
    EXPECT_TRUE(server->Stop(absl::Seconds(20)).ok());
  }
  const Totals printed = TotalsOf(folder_ + "/rows.csv");
  EXPECT_GT(printed.flows, before.flows);
  ExpectEqual(StoredTotals(folder_ + "/flows.db", "flows"), printed);
}

// As when another collector makes the same new file: no journal can be chosen then.
TEST_F(ServerStoreTest, AStoreThatIsLockedKeepsNobodyFromStarting) {
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open((folder_ + "/flows.db").c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "CREATE TABLE theirs (x); BEGIN EXCLUSIVE", nullptr, nullptr, nullptr), SQLITE_OK);
  {
    auto server = StartServer(Config());
    const std::vector<std::string> datagrams = Datagrams(1);
    Send(*server, datagrams, "127.0.0.2", datagrams.size());
    EXPECT_TRUE(server->Stop(absl::Milliseconds(200)).ok());
    const SinkStatus sink = server->Status().pipelines[0].sinks[0];
    EXPECT_GT(sink.spooled, 0u);
    EXPECT_EQ(sink.rows_lost, 0u);
    EXPECT_THAT(sink.last_error, testing::HasSubstr("try again"));
  }
  // Now while it runs.
  auto server = StartServer(Config());
  ASSERT_EQ(sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(other);
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (server->Status().pipelines[0].sinks[0].waiting > 0 && absl::Now() < deadline) {
    absl::SleepFor(absl::Milliseconds(10));
  }
  EXPECT_TRUE(server->Stop(absl::Seconds(20)).ok());
  ExpectEqual(StoredTotals(folder_ + "/flows.db", "flows"), TotalsOf(folder_ + "/rows.csv"));
}

TEST_F(ServerStoreTest, WhatCannotBeIsSaidWithItsPlace) {
  const auto error_of = [&](const std::string& sink) {
    auto file = config::ConfigFile::Parse(
        absl::StrCat("input { name: \"in\" udp { listen: \"127.0.0.1:0\" } }\npipeline { name: \"p\" by: \"src_as\" "
                     "every: \"1m\"\n",
                     sink, "\n}"),
        "test.conf");
    if (!file.ok()) return std::string(file.status().message());
    auto server = Server::New(*std::move(file), {});
    if (!server.ok()) return std::string(server.status().message());
    return std::string((*server)->Start().message());
  };
  EXPECT_THAT(error_of("sink { sqlite { path: \"/nonexistent/flows.db\" } }"), testing::StartsWith("test.conf:3:"));
  EXPECT_THAT(error_of("sink { sqlite { path: \"/tmp/f.db\" rollup { every: \"90s\" } } }"),
              testing::HasSubstr("multiple"));
  EXPECT_THAT(error_of("sink { print {} spool { folder: \"/a\" } } sink { print {} spool { folder: \"/a\" } }"),
              testing::HasSubstr("another sink has it"));
  EXPECT_THAT(error_of("sink { memory {} spool { folder: \"/a\" } }"), testing::HasSubstr("no spool"));
  EXPECT_THAT(error_of("sink { sqlite { path: \"/tmp/f.db\" keep: \"soon\" } }"), testing::HasSubstr("no duration"));
}

// A process that writes batches through spool and store is killed again and again: each batch counts once.
class KillTest : public testing::Test {
 protected:
  static constexpr uint64_t kBatches = 1500;
  static constexpr uint32_t kRows = 20;

  static std::shared_ptr<const aggregate::AggregateBatch> Batch(uint64_t number) {
    auto interner = std::make_shared<base::Interner>();
    aggregate::AggregatorOptions options;
    options.by = {"src_as", "dst_port"};
    options.every = absl::Minutes(1);
    auto aggregator = aggregate::Aggregator::New(options, interner);
    const record::Layout layout((*aggregator)->RequiredFields());
    (*aggregator)->Bind(layout);
    record::FlowBatch records(&layout, interner.get());
    for (uint32_t i = 0; i < kRows; ++i) {
      record::MutableRow row = records.Append();
      row.Set<F::kSrcAs>(static_cast<uint32_t>(number));
      row.Set<F::kDstPort>(static_cast<uint16_t>(i));
      row.Set<F::kStartTime>(static_cast<int64_t>(1768435200 + 60 * (number % 7)) * 1000000000);
      row.Set<F::kPackets>(1);
      row.Set<F::kBytes>(number);
      row.Set<F::kFlows>(1);
    }
    (*aggregator)->Add(records);
    aggregate::AggregateBatch batch = std::move((*aggregator)->Close()[0]);
    batch.set_identity({"edge", "flows", 1, number});
    return std::make_shared<const aggregate::AggregateBatch>(std::move(batch));
  }

  // Goes on where the last one was killed: with the batch behind the last that it was told is kept.
  static int Run(const std::string& folder) {
    auto spool = Spool::Open({folder + "/spool"});
    sink::sqlite::SqliteOptions store;
    store.path = folder + "/flows.db";
    store.durable = false;
    auto sink = sink::sqlite::NewSqliteSink(store);
    if (!spool.ok() || !sink.ok()) return 2;
    const int progress = open((folder + "/progress").c_str(), O_RDWR | O_CREAT, 0600);
    uint64_t done = 0;
    (void)!pread(progress, &done, sizeof(done), 0);
    SinkQueueOptions options;
    options.name = "db";
    options.spool = *spool;
    options.retry_after = absl::Milliseconds(1);
    options.on_done = [progress](const aggregate::AggregateBatch& batch) {
      const uint64_t number = batch.identity().number;
      (void)!pwrite(progress, &number, sizeof(number), 0);
    };
    SinkQueue queue(*std::move(sink), options);
    for (uint64_t number = done + 1; number <= kBatches; ++number) {
      while (queue.status().waiting > queue.status().spooled + 10) usleep(100);
      queue.Push(Batch(number));
    }
    return queue.Close(absl::Seconds(60)) && queue.status().waiting == 0 && queue.status().rows_lost == 0 ? 0 : 3;
  }
};

TEST_F(KillTest, EachBatchCountsOnce) {
  const std::string folder = NewFolder();
  std::mt19937 random(7);
  int kills = 0, code = -1;
  for (int round = 0; round < 200; ++round) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) _exit(Run(folder));
    // After fifty kills it may end.
    if (kills < 50) {
      usleep(1000 + random() % 30000);
      kill(child, SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status)) {
      ++kills;
      continue;
    }
    code = WEXITSTATUS(status);
    break;
  }
  EXPECT_EQ(code, 0);
  EXPECT_GE(kills, 50);

  auto store = sink::sqlite::OpenSqliteStore(folder + "/flows.db");
  ASSERT_TRUE(store.ok()) << store.status();
  query::GroupRequest request;
  request.table = "flows";
  request.by = {{F::kSrcAs, -1, -1}};
  request.values = {0, 1, 2};
  std::map<int64_t, uint64_t> flows;
  ASSERT_TRUE((*store)
                  ->Sum(request,
                        [&](const query::GroupRow& row) {
                          EXPECT_EQ(row.values[1], static_cast<uint64_t>(row.group[0].integer) * kRows);
                          flows[row.group[0].integer] = static_cast<uint64_t>(row.values[2]);
                          return true;
                        })
                  .ok());
  EXPECT_EQ(flows.size(), kBatches);
  for (const auto& [number, count] : flows) EXPECT_EQ(count, kRows) << number;
}

}  // namespace
}  // namespace flowacct::collector
