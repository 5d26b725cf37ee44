// Debian's PostgreSQL server, started here, stores and answers.

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "flowacct/filter/filter.h"
#include "flowacct/query/memory_store.h"
#include "flowacct/query/testing/conformance.h"
#include "flowacct/sink/postgresql/postgresql_sink.h"
#include "flowacct/sink/postgresql/postgresql_store.h"
#include "flowacct/sink/postgresql/testing/server.h"
#include "flowacct/sink/print/batch_builder.h"
#include "flowacct/sink/testing/port_flows.h"
#include "flowacct/sink/testing/store_faults.h"
#include "gtest/gtest.h"

namespace flowacct::sink::postgresql {
namespace {

using aggregate::AggregateBatch;
using aggregate::Function;
using base::IpAddress;
using print::BatchBuilder;
using record::FieldId;

constexpr int64_t kDay = kPortFlowsDay;

class Postgresql : public testing::Test {
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
    ASSERT_EQ(Shell("DROP SCHEMA public CASCADE; CREATE SCHEMA public"), "");
  }

  static std::string Shell(const std::string& sql) { return server_->Shell(sql); }

  static PostgresqlOptions Options() {
    PostgresqlOptions options;
    options.connection = server_->options();
    options.connection.timeout = absl::Seconds(20);
    options.now = [] { return absl::FromUnixSeconds(kDay + 2 * 86400); };
    return options;
  }

  static std::unique_ptr<StoreSink> Open(PostgresqlOptions options = Options()) {
    auto sink = NewPostgresqlSink(std::move(options));
    EXPECT_TRUE(sink.ok()) << sink.status();
    return sink.ok() ? *std::move(sink) : nullptr;
  }

  using Sums = PortSums;
  static Sums Ask(const std::string& table, std::vector<size_t> values) {
    return AskByPort(OpenPostgresqlStore(server_->options()), table, std::move(values));
  }

  static Server* server_;
  static std::string* why_;
};
Server* Postgresql::server_ = nullptr;
std::string* Postgresql::why_ = nullptr;

TEST_F(Postgresql, AnswersAsItsTwin) {
  const auto sink = Open();
  ExpectAnswersAsItsTwin(sink.get(), [] { return OpenPostgresqlStore(server_->options()); });
}

TEST_F(Postgresql, CountsABatchOnceAndShowsTexts) {
  const BatchBuilder builder = PortFlows(10);
  auto sink = Open();
  for (int i = 0; i < 2; ++i) {
    const absl::Status status = sink->Write(PortFlowsBatch(builder, kDay, 1));
    ASSERT_TRUE(status.ok()) << status;
  }
  sink = Open();
  ASSERT_TRUE(sink->Write(PortFlowsBatch(builder, kDay, 1)).ok());
  EXPECT_EQ(sink->counters().batches_skipped, 1u);
  EXPECT_EQ(Shell("SELECT COUNT(*), SUM(packets) FROM flows"), "10|10");
  ASSERT_TRUE(sink->Write(PortFlowsBatch(builder, kDay, 0)).ok());
  ASSERT_TRUE(sink->Write(PortFlowsBatch(builder, kDay, 0)).ok());
  EXPECT_EQ(Shell("SELECT COUNT(*), SUM(packets) FROM flows"), "30|30");
  EXPECT_EQ(Shell("SELECT DISTINCT src_addr, extract(epoch FROM bin_start)::bigint FROM flows_text"),
            absl::StrCat("10.0.0.1|", kDay));
}

TEST_F(Postgresql, LargeSumsAndHostileTexts) {
  auto sink = Open();
  const std::string name = "flows\"; DROP TABLE flowacct_batches; --";
  BatchBuilder builder(
      {FieldId::kVrfName, FieldId::kApplicationId, FieldId::kDstPort},
      {{FieldId::kBytes, Function::kSum, "bytes' BIGINT); --"}, {FieldId::kDstPort, Function::kTop, "top(dst_port)"}});
  auto row = builder.Add({UINT64_MAX, 0});
  row.Set<FieldId::kVrfName>(builder.interner().Intern(absl::string_view("\\.\n\t\\N'; --\0\xff", 13)));
  row.Set<FieldId::kApplicationId>(builder.interner().Intern(absl::string_view("\0'\"", 3)));
  builder.Add({1, 0}).Set<FieldId::kVrfName>(builder.interner().Intern(absl::string_view("")));
  AggregateBatch batch = PortFlowsBatch(builder, kDay, 1, name);
  batch.set_texts({{}, {"443:1' \\.", "\""}});
  absl::Status status = sink->Write(batch);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(Ask(name, {0}), (Sums{{"-", {absl::MakeUint128(1, 0)}}}));
  EXPECT_EQ(Shell("SELECT vrf_name, application_id, \"top(dst_port)\" FROM \"flows\"\"; DROP TABLE flowacct_batches; "
                  "--\" ORDER BY 3 DESC NULLS LAST LIMIT 1"),
            "\\.\n\t\\N'; --\xef\xbf\xbd\xef\xbf\xbd|\\x002722|443:1' \\.");
  EXPECT_EQ(sink->Write(PortFlowsBatch(builder, kDay, 2, std::string(60, 'x'))).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(Postgresql, TablesGetColumnsOrSayWhatIsWrong) {
  auto sink = Open();
  BatchBuilder before({FieldId::kDstPort}, {{FieldId::kBytes, Function::kSum, ""}});
  before.Add({5}).Set<FieldId::kDstPort>(80);
  ASSERT_TRUE(sink->Write(PortFlowsBatch(before, kDay, 1)).ok());
  const absl::Status widened = sink->Write(PortFlowsBatch(PortFlows(1), kDay, 2));
  ASSERT_TRUE(widened.ok()) << widened;
  ASSERT_TRUE(sink->Write(PortFlowsBatch(before, kDay, 3)).ok());
  EXPECT_EQ(Shell("SELECT dst_port, src_addr, packets, bytes FROM flows ORDER BY batch"),
            "80|-|-|5\n0|\\x00000000000000000000ffff0a000001|1|100\n80|-|-|5");
  BatchBuilder other({FieldId::kDstPort}, {{FieldId::kPackets, Function::kMax, "bytes"}});
  other.Add({1});
  absl::Status status = sink->Write(PortFlowsBatch(other, kDay, 4));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(status.message(), "ALTER TABLE \"flows\" RENAME COLUMN \"bytes\" TO \"bytes_old\""))
      << status;
  ASSERT_EQ(Shell("ALTER TABLE flows RENAME COLUMN bytes TO bytes_old"), "");
  status = sink->Write(PortFlowsBatch(other, kDay, 4));
  EXPECT_TRUE(status.ok()) << status;
  ASSERT_EQ(Shell("CREATE TABLE theirs (a INTEGER)"), "");
  status = sink->Write(PortFlowsBatch(other, kDay, 5, "theirs"));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(status.message(), "ALTER TABLE \"theirs\" RENAME TO \"theirs_old\"")) << status;
}

TEST_F(Postgresql, RollsUpExactly) {
  PostgresqlOptions options = Options();
  options.rollups = {{3600, absl::InfiniteDuration()}, {86400, absl::InfiniteDuration()}};
  auto sink = Open(options);
  std::mt19937_64 random(1);
  for (uint64_t bin = 0; bin < 40; ++bin) {
    BatchBuilder builder({FieldId::kDstPort}, {{FieldId::kBytes, Function::kSum, ""},
                                               {FieldId::kTag, Function::kMax, "max(tag)"},
                                               {FieldId::kTag, Function::kMin, "min(tag)"}});
    for (int i = 0; i < 30; ++i) {
      auto row = builder.Add({random() % 9 == 0 ? random() : random() % 1000, random(), random()});
      if (i % 3 != 0) row.Set<FieldId::kDstPort>(static_cast<uint16_t>(random() % 8));
    }
    const absl::Status status =
        sink->Write(PortFlowsBatch(builder, kDay + static_cast<int64_t>(bin % 7 == 6 ? 1 : bin) * 1800, bin + 1));
    ASSERT_TRUE(status.ok()) << status;
    if (bin % 13 != 0 && bin != 39) continue;
    EXPECT_EQ(Ask("flows_1h", {0, 1, 2}), Ask("flows", {0, 1, 2}));
    EXPECT_EQ(Ask("flows_1d", {0, 1, 2}), Ask("flows", {0, 1, 2}));
  }
  EXPECT_EQ(Shell("SELECT COUNT(*) > 0 FROM flows_1h"), "t");
}

TEST_F(Postgresql, PartitionsComeAheadAndGo) {
  PostgresqlOptions options = Options();
  absl::Time now = absl::FromUnixSeconds(kDay + 3600);
  options.now = [&now] { return now; };
  options.retention = absl::Hours(48);
  auto sink = Open(options);
  const BatchBuilder builder = PortFlows(20);
  uint64_t number = 0;
  ASSERT_TRUE(sink->Write(PortFlowsBatch(builder, kDay, ++number)).ok());
  const std::string partitions =
      "SELECT string_agg(c.relname, ' ' ORDER BY c.relname) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
      "JOIN pg_class p ON p.oid = i.inhparent WHERE p.relname = 'flows' AND p.relkind = 'p'";
  EXPECT_EQ(Shell(partitions), "flows_p20231114 flows_p20231115 flows_p20231116 flows_rest");
  // Clocks of exporters that are wrong make no partitions; a day whose rows came before it has none either.
  ASSERT_TRUE(sink->Write(PortFlowsBatch(builder, kDay + 86400 * 5, ++number)).ok());
  ASSERT_TRUE(sink->Write(PortFlowsBatch(builder, 300, ++number)).ok());
  EXPECT_EQ(Shell("SELECT COUNT(*) FROM flows_rest"), "40");
  for (int day = 1; day < 7; ++day) {
    now += absl::Hours(24);
    const absl::Status status = sink->Write(PortFlowsBatch(builder, kDay + 86400 * day, ++number));
    ASSERT_TRUE(status.ok()) << status;
  }
  EXPECT_EQ(Shell(partitions), "flows_p20231118 flows_p20231120 flows_p20231121 flows_p20231122 flows_rest");
  EXPECT_EQ(Shell("SELECT COUNT(*), COUNT(DISTINCT bin_start), MIN(bin_start) FROM flows"),
            absl::StrCat("80|3|", kDay + 4 * 86400));
  EXPECT_EQ(sink->counters().rows_removed, 5u * 20);
  EXPECT_EQ(sink->trouble(), "");
}

TEST_F(Postgresql, ASessionThatWasEndedBetweenTwoBatchesIsReplaced) {
  auto sink = Open();
  const BatchBuilder builder = PortFlows(100);
  ASSERT_TRUE(sink->Write(PortFlowsBatch(builder, kDay, 1)).ok());
  ASSERT_EQ(Shell("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'flowacct'"), "t");
  absl::SleepFor(absl::Milliseconds(100));
  const absl::Status status = sink->Write(PortFlowsBatch(builder, kDay, 2));
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(Shell("SELECT COUNT(*) FROM flows"), "200");
}

StoreUnderTest UnderTest(Server* server, PostgresqlOptions options) {
  options.rollups = {{3600, absl::InfiniteDuration()}, {86400, absl::InfiniteDuration()}};
  StoreUnderTest store;
  store.name = "postgresql";
  store.port = server->port();
  store.start = [server] { return server->Restart(); };
  store.kill = [server] { server->Kill(); };
  store.stop = [server] { server->Stop(); };
  store.go_on = [server] { server->GoOn(); };
  store.make_sink = [=](const std::string& host, int port, absl::Duration timeout) {
    PostgresqlOptions to = options;
    to.connection = server->options(port);
    to.connection.timeout = timeout;
    return NewPostgresqlSink(to);
  };
  store.open_store = [server] { return OpenPostgresqlStore(server->options()); };
  return store;
}

TEST_F(Postgresql, SurvivesItsServersDeaths) { ExpectSurvivesServerKills(UnderTest(server_, Options())); }
TEST_F(Postgresql, SurvivesItsServersAbsence) { ExpectSurvivesAbsence(UnderTest(server_, Options())); }
TEST_F(Postgresql, SurvivesSlowness) { ExpectSurvivesSlowness(UnderTest(server_, Options())); }
TEST_F(Postgresql, SurvivesCutConnections) {
  // Of some the commit was done, and the answer lost.
  EXPECT_GT(ExpectSurvivesCuts(UnderTest(server_, Options())).skipped, 0u);
}
TEST_F(Postgresql, SurvivesItsWritersDeaths) { ExpectSurvivesWriterKills(UnderTest(server_, Options())); }
TEST_F(Postgresql, SurvivesItsServersHangs) { ExpectSurvivesHangs(UnderTest(server_, Options())); }

// Two collectors, each with bins and late records of its own, into one table that neither has made yet.
TEST_F(Postgresql, TwoWritersAtOnce) {
  PostgresqlOptions options = Options();
  options.rollups = {{3600, absl::InfiniteDuration()}, {86400, absl::InfiniteDuration()}};
  const BatchBuilder builder = PortFlows(200);
  constexpr int kWriters = 2, kBatches = 60;
  std::vector<pid_t> children;
  for (int writer = 0; writer < kWriters; ++writer) {
    children.push_back(fork());
    ASSERT_GE(children.back(), 0);
    if (children.back() != 0) continue;
    auto sink = NewPostgresqlSink(options);
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
  EXPECT_EQ(Shell("SELECT COUNT(*), SUM(bytes) FROM flows"),
            absl::StrCat(kWriters * kBatches * 200, "|", kWriters * kBatches * 20000));
  EXPECT_EQ(Ask("flows_1h", {0, 1}), Ask("flows", {0, 1}));
  EXPECT_EQ(Ask("flows_1d", {0, 1}), Ask("flows", {0, 1}));
}

TEST_F(Postgresql, ThePasswordIsNeverTold) {
  PostgresqlOptions options = Options();
  options.connection.conninfo += " password=hunter2";
  absl::Status status = NewPostgresqlSink(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(absl::StrContains(status.message(), "hunter2")) << status;
  options.connection.conninfo = "hunter2 is no conninfo";
  status = NewPostgresqlSink(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(absl::StrContains(status.message(), "hunter2")) << status;
  options = Options();
  options.connection.password_file.clear();
  status = Open(options)->Write(PortFlowsBatch(PortFlows(1), kDay, 1));
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << status;
  options.connection.password_file = "/no/such/file";
  EXPECT_EQ(Open(options)->Write(PortFlowsBatch(PortFlows(1), kDay, 1)).code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace flowacct::sink::postgresql
