// Debian's MariaDB server, started here, stores and answers.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
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
#include "flowacct/sink/mariadb/mariadb_sink.h"
#include "flowacct/sink/mariadb/mariadb_store.h"
#include "flowacct/sink/mariadb/testing/server.h"
#include "flowacct/sink/print/batch_builder.h"
#include "flowacct/sink/sql/group_select.h"
#include "flowacct/sink/testing/port_flows.h"
#include "gtest/gtest.h"

namespace flowacct::sink::mariadb {
namespace {

using aggregate::AggregateBatch;
using aggregate::Function;
using base::IpAddress;
using print::BatchBuilder;
using record::FieldId;

constexpr int64_t kDay = kPortFlowsDay;

class Mariadb : public testing::Test {
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
    ASSERT_EQ(server_->Clear(), "");
  }

  void TearDown() override {
    if (!HasFailure() || server_ == nullptr) return;
    const std::string log = server_->Log();
    printf("The server's log ends with:\n%s\n", log.substr(log.size() - std::min<size_t>(log.size(), 20000)).c_str());
  }

  static std::string Shell(const std::string& sql) { return server_->Shell(sql); }

  static MariadbOptions Options() {
    MariadbOptions options;
    options.connection = server_->options();
    options.connection.timeout = absl::Seconds(20);
    options.now = [] { return absl::FromUnixSeconds(kDay + 2 * 86400); };
    return options;
  }

  static std::unique_ptr<StoreSink> Open(MariadbOptions options = Options()) {
    auto sink = NewMariadbSink(std::move(options));
    EXPECT_TRUE(sink.ok()) << sink.status();
    return sink.ok() ? *std::move(sink) : nullptr;
  }

  using Sums = PortSums;
  static Sums Ask(const std::string& table, std::vector<size_t> values) {
    return AskByPort(OpenMariadbStore(server_->options()), table, std::move(values));
  }

  static Server* server_;
  static std::string* why_;
};
Server* Mariadb::server_ = nullptr;
std::string* Mariadb::why_ = nullptr;

TEST_F(Mariadb, AnswersAsItsTwin) {
  const auto sink = Open();
  ExpectAnswersAsItsTwin(sink.get(), [] { return OpenMariadbStore(server_->options()); });
}

TEST_F(Mariadb, CountsABatchOnceAndShowsTexts) {
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
  EXPECT_EQ(Shell("SELECT DISTINCT src_addr, UNIX_TIMESTAMP(bin_start) FROM flows_text"),
            absl::StrCat("10.0.0.1|", kDay));
}

TEST_F(Mariadb, LargeSumsAndHostileTexts) {
  const std::string name = "flows`; DROP TABLE flowacct_batches; --'\\?";
  for (const bool arrays : {true, false}) {
    ASSERT_EQ(server_->Clear(), "");
    MariadbOptions options = Options();
    options.arrays = arrays;
    auto sink = Open(options);
    BatchBuilder builder({FieldId::kVrfName, FieldId::kApplicationId, FieldId::kDstNet, FieldId::kDstPort},
                         {{FieldId::kBytes, Function::kSum, "bytes' BIGINT)`; --?"},
                          {FieldId::kDstPort, Function::kTop, "top(dst_port)"}});
    auto row = builder.Add({UINT64_MAX, 0});
    row.Set<FieldId::kVrfName>(builder.interner().Intern(absl::string_view("\\.\n\t\\N'; --\0\xff", 13)));
    row.Set<FieldId::kApplicationId>(builder.interner().Intern(absl::string_view("\0'\"", 3)));
    row.Set<FieldId::kDstNet>(*base::IpPrefix::Parse("2001:db8::/32"));
    builder.Add({1, 0}).Set<FieldId::kVrfName>(builder.interner().Intern(absl::string_view("")));
    AggregateBatch batch = PortFlowsBatch(builder, kDay, 1, name);
    batch.set_texts({{}, {"443:1' \\.", "\""}});
    const absl::Status status = sink->Write(batch);
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(Ask(name, {0}), (Sums{{"-", {absl::MakeUint128(1, 0)}}}));
    EXPECT_EQ(Shell("SELECT vrf_name, HEX(application_id), `top(dst_port)`, dst_net FROM `flows``; DROP TABLE "
                    "flowacct_batches; --'\\?_text` ORDER BY 3 DESC LIMIT 1"),
              "\\.\n\t\\N'; --\xef\xbf\xbd\xef\xbf\xbd|002722|443:1' \\.|2001:db8::/32");
    // Names that the server does not take.
    for (const std::string& wrong : {std::string(65, 'x'), std::string("\xf0\x9f\x8c\x8a"), std::string("ends ")}) {
      const absl::Status refused = sink->Write(PortFlowsBatch(builder, kDay, 2, wrong));
      EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument) << refused;
    }
  }
}

// Texts are apart by each of their octets: case, spaces at the end, far behind.
TEST_F(Mariadb, TextsAreNeitherCutNorAlike) {
  auto sink = Open();
  BatchBuilder builder({FieldId::kVrfName, FieldId::kHttpUrl}, {{FieldId::kBytes, Function::kSum, ""}});
  const std::string lead(60000, 'x');
  std::vector<std::string> texts = {"a", "A", "a ", "a\t", "\xc3\xa4", lead, lead + "1", lead + "2", lead + " "};
  for (const std::string& text : texts) {
    for (int i = 0; i < 2; ++i) {
      auto row = builder.Add({1});
      row.Set<FieldId::kVrfName>(builder.interner().Intern(absl::string_view(text)));
      row.Set<FieldId::kHttpUrl>(builder.interner().Intern(absl::string_view(text + "?")));
    }
  }
  const absl::Status written = sink->Write(PortFlowsBatch(builder, kDay, 1));
  ASSERT_TRUE(written.ok()) << written;
  auto store = OpenMariadbStore(server_->options());
  for (const std::vector<query::GroupColumn>& by :
       {std::vector<query::GroupColumn>{{FieldId::kVrfName, -1, -1}},
        std::vector<query::GroupColumn>{{FieldId::kHttpUrl, -1, -1}, {FieldId::kVrfName, -1, -1}}}) {
    for (const size_t limit : {0, 100}) {
      query::GroupRequest request;
      request.table = "flows";
      request.by = by;
      request.values = {0};
      request.limit = limit;
      std::map<std::string, int> groups;
      const absl::Status status = (*store)->Sum(request, [&](const query::GroupRow& row) {
        EXPECT_EQ(row.values[0], 2u) << row.group.back().octets.size();
        ++groups[std::string(row.group.back().octets)];
        return true;
      });
      EXPECT_TRUE(status.ok()) << status;
      EXPECT_EQ(groups.size(), texts.size());
      for (const std::string& text : texts) EXPECT_EQ(groups[text], 1) << text.size();
    }
  }
}

TEST_F(Mariadb, TablesGetColumnsOrSayWhatIsWrong) {
  auto sink = Open();
  BatchBuilder before({FieldId::kDstPort}, {{FieldId::kBytes, Function::kSum, ""}});
  before.Add({5}).Set<FieldId::kDstPort>(80);
  ASSERT_TRUE(sink->Write(PortFlowsBatch(before, kDay, 1)).ok());
  const absl::Status widened = sink->Write(PortFlowsBatch(PortFlows(1), kDay, 2));
  ASSERT_TRUE(widened.ok()) << widened;
  ASSERT_TRUE(sink->Write(PortFlowsBatch(before, kDay, 3)).ok());
  EXPECT_EQ(Shell("SELECT dst_port, HEX(src_addr), packets, bytes FROM flows ORDER BY batch"),
            "80|-|-|5\n0|00000000000000000000FFFF0A000001|1|100\n80|-|-|5");
  BatchBuilder other({FieldId::kDstPort}, {{FieldId::kPackets, Function::kMax, "bytes"}});
  other.Add({1});
  absl::Status status = sink->Write(PortFlowsBatch(other, kDay, 4));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(status.message(), "ALTER TABLE `flows` RENAME COLUMN `bytes` TO `bytes_old`"))
      << status;
  ASSERT_EQ(Shell("ALTER TABLE flows RENAME COLUMN bytes TO bytes_old"), "");
  status = sink->Write(PortFlowsBatch(other, kDay, 4));
  EXPECT_TRUE(status.ok()) << status;
  ASSERT_EQ(Shell("CREATE TABLE theirs (a INTEGER)"), "");
  status = sink->Write(PortFlowsBatch(other, kDay, 5, "theirs"));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(status.message(), "ALTER TABLE `theirs` RENAME TO `theirs_old`")) << status;
}

TEST_F(Mariadb, RollsUpExactly) {
  MariadbOptions options = Options();
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
  EXPECT_EQ(Shell("SELECT COUNT(*) > 0 FROM flows_1h"), "1");
}

constexpr char kPartitions[] =
    "SELECT GROUP_CONCAT(PARTITION_NAME ORDER BY PARTITION_NAME SEPARATOR ' ') FROM information_schema.PARTITIONS "
    "WHERE "
    "TABLE_SCHEMA = 'flows' AND TABLE_NAME = 'flows'";

TEST_F(Mariadb, PartitionsComeAheadAndGo) {
  MariadbOptions options = Options();
  absl::Time now = absl::FromUnixSeconds(kDay + 3600);
  options.now = [&now] { return now; };
  options.retention = absl::Hours(48);
  auto sink = Open(options);
  const BatchBuilder builder = PortFlows(20);
  uint64_t number = 0;
  ASSERT_TRUE(sink->Write(PortFlowsBatch(builder, kDay, ++number)).ok());
  EXPECT_EQ(Shell(kPartitions), "p20231114 p20231115 p20231116 rest");
  // Clocks of exporters that are wrong make no days.
  ASSERT_TRUE(sink->Write(PortFlowsBatch(builder, kDay + 86400 * 5, ++number)).ok());
  ASSERT_TRUE(sink->Write(PortFlowsBatch(builder, 300, ++number)).ok());
  EXPECT_EQ(Shell("SELECT COUNT(*) FROM flows PARTITION (rest)"), "40");
  for (int day = 1; day < 7; ++day) {
    now += absl::Hours(24);
    const absl::Status status = sink->Write(PortFlowsBatch(builder, kDay + 86400 * day, ++number));
    ASSERT_TRUE(status.ok()) << status;
  }
  EXPECT_EQ(Shell(kPartitions), "p20231118 p20231119 p20231120 p20231121 p20231122 rest");
  EXPECT_EQ(Shell("SELECT COUNT(*), COUNT(DISTINCT bin_start), MIN(bin_start) FROM flows"),
            absl::StrCat("80|3|", kDay + 4 * 86400));
  EXPECT_EQ(sink->counters().rows_removed, 5u * 20);
  EXPECT_EQ(sink->counters().bins_removed, 4u);  // of days
  EXPECT_EQ(sink->trouble(), "");
  EXPECT_EQ(Shell("SELECT COUNT(*) FROM flows PARTITION (p20231119)"), "20");
}

TEST_F(Mariadb, WithoutPartitionsRowsGo) {
  MariadbOptions options = Options();
  options.retention = absl::Hours(48);
  options.partitions = false;
  options.rollups = {{3600, absl::Hours(24 * 30)}};
  options.table = "flows";
  auto sink = Open(options);
  const BatchBuilder builder = PortFlows(20);
  for (int day = 0; day < 5; ++day) {
    const absl::Status status =
        sink->Write(PortFlowsBatch(builder, kDay + 86400 * (day - 2), static_cast<uint64_t>(day + 1)));
    ASSERT_TRUE(status.ok()) << status;
  }
  ASSERT_TRUE(Open(options)->Retain().ok());
  EXPECT_EQ(Shell(kPartitions), "-");
  EXPECT_EQ(Shell("SELECT COUNT(*), MIN(bin_start) FROM flows"), absl::StrCat("60|", kDay));
  EXPECT_EQ(Shell("SELECT COUNT(*) FROM flows_1h"), "80");
}

// Old traffic is read in beside that of today; a question that runs does not stop the writing.
TEST_F(Mariadb, OldDaysAndAQuestionThatRuns) {
  MariadbOptions options = Options();
  absl::Time now = absl::FromUnixSeconds(kDay + 3600);
  options.now = [&now] { return now; };
  options.partitions_ahead = 0;
  auto sink = Open(options);
  const BatchBuilder builder = PortFlows(20);
  uint64_t number = 0;
  ASSERT_TRUE(sink->Write(PortFlowsBatch(builder, kDay, ++number)).ok());
  for (int day = 10; day >= 8; --day)
    ASSERT_TRUE(sink->Write(PortFlowsBatch(builder, kDay - 86400 * day, ++number)).ok());
  EXPECT_EQ(Shell(kPartitions), "p20231104 p20231105 p20231106 p20231114 rest");
  EXPECT_EQ(Shell("SELECT COUNT(*) FROM flows PARTITION (rest)"), "0");
  const pid_t asking = fork();
  ASSERT_GE(asking, 0);
  if (asking == 0) _exit(Shell("SELECT SLEEP(0.2) FROM flows LIMIT 20").size() == 39 ? 0 : 1);
  absl::SleepFor(absl::Milliseconds(300));
  now += absl::Hours(24);
  const absl::Status status = sink->Write(PortFlowsBatch(builder, kDay + 86400, ++number));
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_TRUE(absl::StrContains(sink->trouble(), "gets no partition")) << sink->trouble();
  int state = 0;
  ASSERT_EQ(waitpid(asking, &state, 0), asking);
  EXPECT_EQ(state, 0);
  now += absl::Minutes(2);
  ASSERT_TRUE(sink->Write(PortFlowsBatch(builder, kDay + 86400, ++number)).ok());
  EXPECT_EQ(sink->trouble(), "");
  EXPECT_EQ(Shell(kPartitions), "p20231104 p20231105 p20231106 p20231114 p20231115 rest");
  EXPECT_EQ(Shell("SELECT (SELECT COUNT(*) FROM flows PARTITION (rest)), (SELECT COUNT(*) FROM flows PARTITION "
                  "(p20231115))"),
            "20|20");
}

// Whoever was killed between two statements: what is described is completed, whatever of it is there.
TEST_F(Mariadb, WhatWasHalfMadeIsCompleted) {
  const BatchBuilder builder = PortFlows(5);
  ASSERT_TRUE(Open()->Write(PortFlowsBatch(builder, kDay, 1)).ok());
  const std::string unmade =
      "INSERT INTO flowacct_tables SELECT 'half', columns, bin_seconds, 0, '', 0 FROM flowacct_tables WHERE name = "
      "'flows'";
  for (const char* there : {"", "CREATE TABLE half (a INTEGER)", "CREATE TABLE half LIKE flows"}) {
    ASSERT_EQ(Shell(unmade), "");
    if (*there != '\0') {
      ASSERT_EQ(Shell(there), "");
    }
    auto store = OpenMariadbStore(server_->options());
    EXPECT_EQ((*store)->Tables()->size(), 1u);  // not yet
    const absl::Status status = Open()->Write(PortFlowsBatch(builder, kDay, 2, "half"));
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(Ask("half", {0}), Ask("flows", {0}));
    EXPECT_EQ(Shell("SELECT COUNT(*), MAX(src_addr) FROM half_text"), "5|10.0.0.1");
    ASSERT_EQ(Shell("DROP TABLE half"), "");
    ASSERT_EQ(Shell("DROP VIEW half_text"), "");
    ASSERT_EQ(Shell("DELETE FROM flowacct_tables WHERE name = 'half'"), "");
    ASSERT_EQ(Shell("DELETE FROM flowacct_batches WHERE table_name = 'half'"), "");
  }
  // A column that is described, and not there.
  ASSERT_EQ(Shell("UPDATE flowacct_tables SET columns = CONCAT('key protocol protocol\n', columns)"), "");
  auto store = OpenMariadbStore(server_->options());
  EXPECT_EQ((*store)->Tables()->at(0).keys.size(), 2u);
  BatchBuilder wide({FieldId::kProtocol, FieldId::kSrcAddr, FieldId::kDstPort},
                    {{FieldId::kPackets, Function::kSum, ""}, {FieldId::kBytes, Function::kSum, ""}});
  wide.Add({1, 1}).Set<FieldId::kProtocol>(17);
  const absl::Status status = Open()->Write(PortFlowsBatch(wide, kDay, 3));
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ((*store)->Tables()->at(0).keys.size(), 3u);
  EXPECT_EQ(Shell("SELECT MAX(protocol) FROM flows_text"), "17");
}

// A server that was killed while it divided a table, as it comes back: the table has lost the list of its partitions;
// and after a DROP of that, InnoDB keeps the partition of a table that is not there.
TEST_F(Mariadb, ATableThatWasLostWhileItWasMadeIsMadeAnew) {
  const BatchBuilder builder = PortFlows(5);
  const std::string longest(57, 'x');  // and "#P#rest": 64
  const std::vector<std::string> tables = {"half", "`h-a\\l'\xc3\xa4 f", longest, longest + "x"};
  for (const bool dropped : {false, true}) {
    ASSERT_EQ(server_->Clear(), "");
    ASSERT_TRUE(Open()->Write(PortFlowsBatch(builder, kDay, 1)).ok());
    const auto quoted = [](const std::string& name) { return sql::Quoted(sql::kMariadb, name); };
    for (const std::string& table : tables) {
      std::string hex;
      for (const char c : table) absl::StrAppend(&hex, absl::Hex(static_cast<uint8_t>(c), absl::kZeroPad2));
      ASSERT_EQ(Shell(absl::StrCat("INSERT INTO flowacct_tables SELECT x'", hex,
                                   "', columns, bin_seconds, 0, '', 0 FROM flowacct_tables WHERE name = 'flows'")),
                "");
      ASSERT_EQ(Shell(absl::StrCat("CREATE TABLE ", quoted(table),
                                   " (day BIGINT NOT NULL) ENGINE = InnoDB PARTITION "
                                   "BY LIST (day) (PARTITION rest VALUES IN (-1))")),
                "");
    }
    server_->Kill();
    int lost = 0;
    for (const auto& file : std::vector<std::filesystem::path>(
             std::filesystem::directory_iterator(server_->DatabaseFolder()), std::filesystem::directory_iterator())) {
      if (file.extension() != ".par" || file.stem() == "flows") continue;
      if (dropped) std::filesystem::remove(std::filesystem::path(file).replace_extension(".frm"));
      std::filesystem::rename(file, absl::StrCat(server_->DatabaseFolder(), "/#sql-alter-1-", ++lost, ".par"));
    }
    ASSERT_EQ(lost, 4);
    ASSERT_TRUE(server_->Restart());
    for (const std::string& table : tables) {
      const std::string told = Shell("SELECT * FROM " + quoted(table));
      ASSERT_TRUE(absl::StrContains(told, dropped ? "doesn't exist" : ".par")) << told;
    }
    auto sink = Open();
    for (size_t i = 0; i < tables.size(); ++i) {
      for (const uint64_t number : {2, 3}) {
        const absl::Status status = sink->Write(PortFlowsBatch(builder, kDay, 2 * i + number, tables[i]));
        if (i < 3) {
          ASSERT_TRUE(status.ok()) << tables[i] << ": " << status;
          EXPECT_EQ(sink->trouble(), "");
        } else {  // a name that DROP does not take
          EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
          EXPECT_TRUE(absl::StrContains(status.message(), "drops none of that name; choose another name")) << status;
        }
      }
      if (i == 3) continue;
      EXPECT_EQ(Shell("SELECT COUNT(*), SUM(packets) FROM " + quoted(tables[i])), "10|10");
      EXPECT_EQ(Shell(absl::StrCat("SELECT COUNT(*) FROM ", quoted(tables[i]), " PARTITION (rest)")), "0");
      EXPECT_EQ(Shell(absl::StrCat("SELECT COUNT(*) FROM ", quoted(tables[i]), " PARTITION (p20231114)")), "10");
    }
    EXPECT_EQ(Shell("SELECT COUNT(*), SUM(packets) FROM flows"), "5|5");  // beside them
  }
}

// A server that was killed while a table with partitions got a column, as it comes back: what it knows of columns is
// new, and the table is not. No statement opens that; what docs/how-to/mariadb.md says does.
TEST_F(Mariadb, ATableThatIsNotAsItsFileSaysIsMended) {
  const BatchBuilder builder = PortFlows(5);
  ASSERT_TRUE(Open()->Write(PortFlowsBatch(builder, kDay, 1)).ok());
  ASSERT_EQ(Shell("CREATE TABLE flows_before LIKE flows"), "");
  ASSERT_EQ(Shell("CREATE TABLE wider LIKE flows"), "");
  ASSERT_EQ(Shell("ALTER TABLE wider ADD COLUMN protocol BIGINT"), "");
  const auto give = [](const char* file) {
    server_->Kill();
    const std::string folder = server_->DatabaseFolder() + "/";
    return std::filesystem::copy_file(folder + file, folder + "flows.frm",
                                      std::filesystem::copy_options::overwrite_existing) &&
           server_->Restart();
  };
  BatchBuilder wide({FieldId::kProtocol, FieldId::kSrcAddr, FieldId::kDstPort},
                    {{FieldId::kPackets, Function::kSum, ""}, {FieldId::kBytes, Function::kSum, ""}});
  wide.Add({1, 1}).Set<FieldId::kProtocol>(17);
  ASSERT_TRUE(give("wider.frm"));
  for (int i = 0; i < 2; ++i) {
    const absl::Status status = Open()->Write(PortFlowsBatch(wide, kDay, 2));
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "give it the .frm back")) << status;
  }
  ASSERT_TRUE(give("flows_before.frm"));
  const absl::Status status = Open()->Write(PortFlowsBatch(wide, kDay, 2));
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(Shell("SELECT COUNT(*), SUM(packets), SUM(protocol) FROM flows"), "6|6|17");
}

TEST_F(Mariadb, ALostOrHungServerIsUnavailableAndComesBack) {
  MariadbOptions options = Options();
  options.connection.timeout = absl::Seconds(1);
  auto sink = Open(options);
  auto store = OpenMariadbStore(options.connection);
  const BatchBuilder builder = PortFlows(20000);
  ASSERT_TRUE(sink->Write(PortFlowsBatch(builder, kDay, 1)).ok());
  ASSERT_TRUE((*store)->Tables().ok());
  // Hung; also for who connects now.
  server_->Stop();
  const absl::Time begin = absl::Now();
  absl::Status status = sink->Write(PortFlowsBatch(builder, kDay, 2));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  status = sink->Write(PortFlowsBatch(builder, kDay, 2));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "said nothing for 1s")) << status;
  status = (*store)->Tables().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_LT(absl::Now() - begin, absl::Seconds(12));
  server_->Continue();
  status = sink->Write(PortFlowsBatch(builder, kDay, 2));
  EXPECT_TRUE(status.ok()) << status;
  // Gone, and not there when somebody starts.
  server_->Kill();
  EXPECT_EQ(sink->Write(PortFlowsBatch(builder, kDay, 3)).code(), absl::StatusCode::kUnavailable);
  auto late = Open(options);
  ASSERT_NE(late, nullptr);
  EXPECT_EQ(late->Write(PortFlowsBatch(builder, kDay, 3)).code(), absl::StatusCode::kUnavailable);
  ASSERT_TRUE(server_->Restart());
  status = late->Write(PortFlowsBatch(builder, kDay, 3));
  EXPECT_TRUE(status.ok()) << status;
  status = sink->Write(PortFlowsBatch(builder, kDay, 3));
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(sink->counters().batches_skipped, 1u);
  EXPECT_TRUE((*store)->Tables().ok());
  // Ended by an administrator between two batches: nobody notices.
  Shell("KILL USER flowacct");
  status = sink->Write(PortFlowsBatch(builder, kDay, 4));
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(Shell("SELECT COUNT(*) FROM flows"), "80000");
}

// The server is killed in the middle of anything, tables that are made and days that come and go among it. (Not while a
// column is added to a table with partitions: MariaDB cannot open the table afterwards, once in some 40 times.)
TEST_F(Mariadb, TheServerIsKilledInTheMiddle) {
  MariadbOptions options = Options();
  options.rollups = {{3600, absl::InfiniteDuration()}};
  options.retention = absl::Hours(72);
  const BatchBuilder builder = PortFlows(500);
  absl::Time now = absl::FromUnixSeconds(kDay);
  options.now = [&now] { return now; };
  std::mt19937 random(5);
  uint64_t number = 0;
  for (int i = 0; i < 50; ++i) {
    // A new table now and then, so that many are killed while it is made.
    const std::string table = absl::StrCat("flows", i / 5);
    const pid_t killer = fork();
    ASSERT_GE(killer, 0);
    if (killer == 0) {
      usleep(1000 + random() % (i % 5 == 0 ? 60000 : 30000));
      server_->Signal(SIGKILL);
      _exit(0);
    }
    random();
    auto sink = Open(options);
    const uint64_t first = number + 1;
    absl::Status status;
    while (status.ok()) {
      ++number;
      now += absl::Hours(3);
      const int64_t bin = sql::FloorTo(absl::ToUnixSeconds(now), 300);
      status = sink->Write(PortFlowsBatch(builder, bin, number, table));
    }
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
    int state = 0;
    ASSERT_EQ(waitpid(killer, &state, 0), killer);
    server_->Kill();
    ASSERT_TRUE(server_->Restart());
    // What was told not to be in is written again; the one before for good measure.
    if (number > first) {
      const int64_t bin = sql::FloorTo(absl::ToUnixSeconds(now - absl::Hours(3)), 300);
      ASSERT_TRUE(Open(options)->Write(PortFlowsBatch(builder, bin, number - 1, table)).ok());
    }
    status = sink->Write(PortFlowsBatch(builder, sql::FloorTo(absl::ToUnixSeconds(now), 300), number, table));
    ASSERT_TRUE(status.ok()) << status;
    ASSERT_EQ(Shell(absl::StrCat("SELECT COUNT(*) FROM (SELECT batch FROM ", table,
                                 " GROUP BY batch HAVING COUNT(*) <> 500 OR SUM(packets) <> 500) AS wrong")),
              "0");
    const std::string batches = absl::StrCat("FROM flowacct_batches WHERE table_name = '", table, "'");
    ASSERT_EQ(Shell(absl::StrCat("SELECT COUNT(DISTINCT batch) = (SELECT COUNT(*) ", batches,
                                 " AND bin_start >= (SELECT MIN(bin_start) FROM ", table, ")) FROM ", table)),
              "1");
    if (i % 5 == 4) {
      absl::uint128 packets = 0;
      for (const auto& [port, sums] : Ask(table + "_1h", {0})) packets += sums[0];
      EXPECT_EQ(absl::StrCat(absl::Uint128Low64(packets)), Shell("SELECT 500 * COUNT(*) " + batches));
      EXPECT_EQ(Shell(absl::StrCat("SELECT COUNT(*) > 0 FROM ", table, "_1h_text")), "1");
    }
  }
  EXPECT_EQ(Shell("SELECT COUNT(*), MIN(number), MAX(number) FROM flowacct_batches"),
            absl::StrCat(number, "|1|", number));
}

TEST_F(Mariadb, TheWriterIsKilledInTheMiddle) {
  MariadbOptions options = Options();
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
      auto sink = NewMariadbSink(options);
      if (!sink.ok()) _exit(1);
      for (uint64_t number = from > 3 ? from - 3 : 1;; ++number) {
        if (!(*sink)->Write(batch(number)).ok()) _exit(2);
      }
    }
    usleep(10000 + random() % 60000);
    ASSERT_EQ(kill(child, SIGKILL), 0);
    int state = 0;
    ASSERT_EQ(waitpid(child, &state, 0), child);
    ASSERT_TRUE(WIFSIGNALED(state)) << "the child ended by itself with " << WEXITSTATUS(state);
    // Its session ends on its own, after what it was doing.
    for (int wait = 0; wait < 500; ++wait) {
      if (Shell("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'flowacct'") == "1") break;
      usleep(10000);
    }
    ASSERT_EQ(Shell("SELECT COUNT(*) FROM (SELECT batch FROM flows GROUP BY batch HAVING COUNT(*) <> 500 OR "
                    "SUM(packets) <> 500 OR COUNT(DISTINCT bin_start) <> 1) AS wrong"),
              "0");
    ASSERT_EQ(Shell("SELECT (SELECT COUNT(DISTINCT batch) FROM flows) = COUNT(*) AND COUNT(*) = MAX(number) FROM "
                    "flowacct_batches"),
              "1");
    ASSERT_TRUE(absl::SimpleAtoi(Shell("SELECT MAX(number) FROM flowacct_batches"), &from));
  }
  EXPECT_EQ(Ask("flows_1h", {0, 1}), Ask("flows", {0, 1}));
}

// Two collectors, each with bins and late records of its own, into one table that neither has made yet.
TEST_F(Mariadb, TwoWritersAtOnce) {
  MariadbOptions options = Options();
  options.rollups = {{3600, absl::InfiniteDuration()}, {86400, absl::InfiniteDuration()}};
  const BatchBuilder builder = PortFlows(200);
  constexpr int kWriters = 2, kBatches = 60;
  std::vector<pid_t> children;
  for (int writer = 0; writer < kWriters; ++writer) {
    children.push_back(fork());
    ASSERT_GE(children.back(), 0);
    if (children.back() != 0) continue;
    auto sink = NewMariadbSink(options);
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

TEST_F(Mariadb, ThePasswordIsNeverTold) {
  MariadbOptions options = Options();
  options.connection.password_file.clear();
  setenv("MYSQL_PWD", "hunter2", 1);
  const absl::Status status = Open(options)->Write(PortFlowsBatch(PortFlows(1), kDay, 1));
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << status;
  EXPECT_FALSE(absl::StrContains(status.message(), "hunter2")) << status;
  std::string password;
  std::getline(std::ifstream(server_->options().password_file) >> std::ws, password);
  setenv("MYSQL_PWD", password.c_str(), 1);
  EXPECT_TRUE(Open(options)->Write(PortFlowsBatch(PortFlows(1), kDay, 1)).ok());
  unsetenv("MYSQL_PWD");
  options.connection.password_file = "/no/such/file";
  EXPECT_EQ(Open(options)->Write(PortFlowsBatch(PortFlows(1), kDay, 1)).code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace flowacct::sink::mariadb
