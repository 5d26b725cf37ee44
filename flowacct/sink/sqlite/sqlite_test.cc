#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

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
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "flowacct/filter/filter.h"
#include "flowacct/query/group_store.h"
#include "flowacct/sink/print/batch_builder.h"
#include "flowacct/sink/sqlite/sqlite_sink.h"
#include "flowacct/sink/sqlite/sqlite_store.h"
#include "flowacct/sink/testing/store_faults.h"
#include "gtest/gtest.h"

namespace flowacct::sink::sqlite {
namespace {

using aggregate::AggregateBatch;
using aggregate::Function;
using aggregate::ValueColumn;
using base::IpAddress;
using print::BatchBuilder;
using record::FieldId;

constexpr int64_t kNanos = 1000000000;
constexpr int64_t kHour = 1700002800;  // 2023-11-14T23:00:00Z

std::string Scratch(absl::string_view name) {
  static int number = 0;
  const char* const folder = std::getenv("TEST_TMPDIR");
  const std::string path =
      absl::StrCat(folder != nullptr ? folder : "/tmp", "/", name, "_", getpid(), "_", ++number, ".db");
  std::filesystem::remove(path);
  return path;
}

aggregate::TimeBin Bin(int64_t start, int64_t seconds = 300) { return {start * kNanos, (start + seconds) * kNanos}; }

BatchBuilder Flows() {
  return BatchBuilder({FieldId::kSrcAddr, FieldId::kDstPort, FieldId::kProtocol},
                      {{FieldId::kPackets, Function::kSum, ""}, {FieldId::kBytes, Function::kSum, ""}});
}

AggregateBatch Batch(BatchBuilder& builder, int64_t start, uint64_t number, absl::string_view pipeline = "flows") {
  AggregateBatch batch = builder.Build(Bin(start));
  batch.set_identity({"edge", std::string(pipeline), 7, number});
  return batch;
}

// `rows` rows with one packet and 100 octets each, of so many ports.
AggregateBatch Simple(BatchBuilder& builder, int64_t start, uint64_t number, int rows, int ports = 1000) {
  for (int i = 0; i < rows; ++i) {
    auto row = builder.Add({1, 100});
    row.Set<FieldId::kSrcAddr>(IpAddress::V4(0x0a000001));
    row.Set<FieldId::kDstPort>(static_cast<uint16_t>(i % ports));
    row.Set<FieldId::kProtocol>(6);
  }
  return Batch(builder, start, number);
}

SqliteOptions Options(const std::string& path) {
  SqliteOptions options;
  options.path = path;
  options.durable = false;
  options.now = [] { return absl::FromUnixSeconds(kHour + 86400); };
  return options;
}

std::unique_ptr<StoreSink> Open(SqliteOptions options) {
  auto sink = NewSqliteSink(std::move(options));
  EXPECT_TRUE(sink.ok()) << sink.status();
  return sink.ok() ? *std::move(sink) : nullptr;
}

// What a person sees: the cells of a statement, rows by newlines.
std::string Shell(const std::string& path, const std::string& sql) {
  sqlite3* database = nullptr;
  EXPECT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  sqlite3_busy_timeout(database, 5000);
  std::string out;
  char* error = nullptr;
  const auto row = [](void* context, int count, char** cells, char**) {
    std::string& text = *static_cast<std::string*>(context);
    if (!text.empty()) text += "\n";
    for (int i = 0; i < count; ++i) absl::StrAppend(&text, i == 0 ? "" : "|", cells[i] == nullptr ? "-" : cells[i]);
    return 0;
  };
  if (sqlite3_exec(database, sql.c_str(), row, &out, &error) != SQLITE_OK) out = absl::StrCat("error: ", error);
  sqlite3_free(error);
  sqlite3_close(database);
  return out;
}

using Sums = std::map<std::string, std::vector<absl::uint128>>;

Sums Ask(const std::string& path, const query::GroupRequest& request) {
  auto store = OpenSqliteStore(path);
  EXPECT_TRUE(store.ok()) << store.status();
  Sums sums;
  absl::Status status = (*store)->Sum(request, [&](const query::GroupRow& row) {
    std::string key = absl::StrCat(row.step_seconds);
    for (size_t i = 0; i < row.group.size(); ++i) {
      absl::StrAppend(&key, " ");
      const bool network = request.by[i].v4_length >= 0;
      record::AppendStoredText(network ? record::FieldType::kPrefix : record::Info(request.by[i].field).type,
                               row.group[i], &key);
    }
    EXPECT_TRUE(sums.emplace(key, std::vector<absl::uint128>(row.values.begin(), row.values.end())).second) << key;
    return true;
  });
  EXPECT_TRUE(status.ok()) << status;
  return sums;
}

query::GroupRequest Request(std::string table, std::vector<FieldId> by, std::vector<size_t> values,
                            absl::string_view where = "") {
  query::GroupRequest request;
  request.table = std::move(table);
  for (const FieldId field : by) request.by.push_back({field, -1, -1});
  request.values = std::move(values);
  const auto filter = filter::Filter::Parse(where);
  EXPECT_TRUE(filter.ok()) << filter.status();
  if (filter.ok()) request.where = *filter;
  return request;
}

TEST(SqliteSink, WritesWhatCanBeAskedAndRead) {
  const std::string path = Scratch("plain");
  auto sink = Open(Options(path));
  BatchBuilder builder = Flows();
  auto row = builder.Add({2, 300});
  row.Set<FieldId::kSrcAddr>(IpAddress::V4(0xc0000201));
  row.Set<FieldId::kDstPort>(443);
  row.Set<FieldId::kProtocol>(6);
  row = builder.Add({1, 60});
  row.Set<FieldId::kSrcAddr>(*IpAddress::Parse("2001:db8::1"));
  AggregateBatch batch = Batch(builder, kHour, 1);
  ASSERT_TRUE(sink->Write(batch).ok());
  EXPECT_EQ(Shell(path, "SELECT * FROM flows_text"),
            "2023-11-14T23:00:00Z|2023-11-14T23:05:00Z|1|192.0.2.1|443|6|2|300\n"
            "2023-11-14T23:00:00Z|2023-11-14T23:05:00Z|1|2001:0db8:0000:0000:0000:0000:0000:0001|-|-|1|60");
  EXPECT_EQ(Shell(path, "SELECT * FROM flowacct_batches"),
            absl::StrCat("1|edge|7|flows|1|flows|", kHour, "|", kHour + 300, "|2|0|0|", kHour + 86400));
  EXPECT_EQ(Ask(path, Request("flows", {FieldId::kSrcAddr}, {1, 0})),
            (Sums{{"0 192.0.2.1", {300, 2}}, {"0 2001:db8::1", {60, 1}}}));
  auto tables = (*OpenSqliteStore(path))->Tables();
  ASSERT_TRUE(tables.ok()) << tables.status();
  ASSERT_EQ(tables->size(), 1u);
  EXPECT_EQ((*tables)[0].name, "flows");
  EXPECT_EQ((*tables)[0].bin_seconds, 300);
  EXPECT_EQ((*tables)[0].first_seconds, kHour);
  EXPECT_EQ((*tables)[0].last_seconds, kHour + 300);
  EXPECT_EQ((*tables)[0].keys, (std::vector<FieldId>{FieldId::kSrcAddr, FieldId::kDstPort, FieldId::kProtocol}));
}

TEST(SqliteSink, CountsABatchOnce) {
  const std::string path = Scratch("once");
  BatchBuilder builder = Flows();
  const AggregateBatch batch = Simple(builder, kHour, 1, 10);
  auto sink = Open(Options(path));
  ASSERT_TRUE(sink->Write(batch).ok());
  ASSERT_TRUE(sink->Write(batch).ok());
  EXPECT_EQ(sink->counters().batches_skipped, 1u);
  sink = Open(Options(path));
  ASSERT_TRUE(sink->Write(batch).ok());
  EXPECT_EQ(sink->counters().batches_skipped, 1u);
  EXPECT_EQ(sink->counters().rows, 0u);
  EXPECT_EQ(Shell(path, "SELECT COUNT(*), SUM(packets) FROM flows"), "10|10");
  // The same number of another run, collector or pipeline is another batch.
  AggregateBatch other = builder.Build(Bin(kHour));
  for (const aggregate::BatchIdentity& identity :
       {aggregate::BatchIdentity{"edge", "flows", 8, 1}, {"core", "flows", 7, 1}, {"edge", "other", 7, 1}}) {
    other.set_identity(identity);
    ASSERT_TRUE(sink->Write(other).ok());
  }
  EXPECT_EQ(Shell(path, "SELECT COUNT(*) FROM flows"), "30");
  // Nobody said which it is: it is written.
  other.set_identity({"edge", "flows", 7, 0});
  ASSERT_TRUE(sink->Write(other).ok());
  ASSERT_TRUE(sink->Write(other).ok());
  EXPECT_EQ(Shell(path, "SELECT COUNT(*) FROM flows"), "50");
}

TEST(SqliteSink, SplitsSumsThatAreTooLarge) {
  const std::string path = Scratch("split");
  auto sink = Open(Options(path));
  BatchBuilder builder = Flows();
  builder.Add({UINT64_MAX, UINT64_MAX});
  builder.Add({1, uint64_t{1} << 63});
  AggregateBatch batch = Batch(builder, kHour, 1);
  batch.set_carries({{1, 2}});  // bytes of the first row: 3 * 2^64 - 1
  ASSERT_TRUE(sink->Write(batch).ok());
  const absl::uint128 bytes = absl::MakeUint128(2, UINT64_MAX) + (absl::uint128(1) << 63);
  EXPECT_EQ(Ask(path, Request("flows", {}, {0, 1})), (Sums{{"0", {absl::MakeUint128(1, 0), bytes}}}));
  EXPECT_EQ(sink->counters().rows, 7u + 2u);
  EXPECT_EQ(Shell(path, "SELECT MIN(bytes) >= 0 FROM flows"), "1");
}

void ExpectRollsUpExactly(size_t groups_in_memory) {
  const std::string path = Scratch("rollup");
  SqliteOptions options = Options(path);
  options.max_groups_in_memory = groups_in_memory;
  options.rollups = {{3600, absl::InfiniteDuration()}, {86400, absl::InfiniteDuration()}};
  auto sink = Open(options);
  std::mt19937_64 random(1);
  uint64_t number = 0;
  const auto expect_alike = [&] {
    for (const char* where : {"", "dst_port < 5"}) {
      query::GroupRequest base = Request("flows", {FieldId::kDstPort, FieldId::kSrcAddr}, {0, 1, 2, 3}, where);
      for (const int64_t step : {int64_t{0}, int64_t{3600}, int64_t{86400}}) {
        base.step_seconds = step;
        const Sums expected = Ask(path, base);
        query::GroupRequest rolled = base;
        for (const char* name : {"flows_1h", "flows_1d"}) {
          if (step == 3600 && name == std::string("flows_1d")) continue;
          rolled.table = name;
          ASSERT_EQ(Ask(path, rolled), expected) << name << " " << step << " " << where;
        }
      }
      base.from_seconds = kHour + 3600;
      base.to_seconds = kHour + 7 * 3600;
      query::GroupRequest rolled = base;
      rolled.table = "flows_1h";
      base.step_seconds = rolled.step_seconds = 0;
      ASSERT_EQ(Ask(path, rolled), Ask(path, base)) << where;
    }
  };
  for (int bin = 0; bin < 40; ++bin) {
    // Mostly forward, sometimes long after.
    const int64_t start = kHour + (bin % 7 == 6 ? 1 : bin) * 900;
    BatchBuilder builder({FieldId::kSrcAddr, FieldId::kDstPort},
                         {{FieldId::kPackets, Function::kSum, ""},
                          {FieldId::kBytes, Function::kSum, ""},
                          {FieldId::kTtl, Function::kMin, "min(ttl)"},
                          {FieldId::kTag, Function::kMax, "max(tag)"},
                          {FieldId::kDstAddr, Function::kDistinct, "distinct(dst_addr)"}});
    for (int i = 0; i < 20; ++i) {
      auto row = builder.Add(
          {random() % 1000, random() % 5 == 0 ? random() : random() % 100000, random() % 256, random(), random() % 9});
      if (random() % 4 != 0) row.Set<FieldId::kSrcAddr>(IpAddress::V4(static_cast<uint32_t>(random() % 3)));
      if (random() % 4 != 0) row.Set<FieldId::kDstPort>(static_cast<uint16_t>(random() % 8));
    }
    AggregateBatch batch = builder.Build(Bin(start, 900));
    batch.set_identity({"edge", "flows", 7, ++number});
    ASSERT_TRUE(sink->Write(batch).ok());
    if (bin % 9 == 0 || bin == 39) expect_alike();
  }
  // Nothing is summed before its bin is over by the clock, and what was is fewer rows.
  EXPECT_EQ(Shell(path, "SELECT rolled_until FROM flowacct_tables WHERE name = 'flows_1h'"),
            absl::StrCat(kHour + 9 * 3600));
  EXPECT_EQ(Shell(path, "SELECT COUNT(*) > 0 FROM flows_1h"), "1");
  EXPECT_EQ(Shell(path, "SELECT COUNT(*) FROM flows_1h WHERE bin_start % 3600 <> 0 OR bin_end <> bin_start + 3600"),
            "0");
  // A rollup that comes later catches up.
  options.rollups.insert(options.rollups.begin(), {1800, absl::InfiniteDuration()});
  sink = Open(options);
  BatchBuilder builder({FieldId::kSrcAddr, FieldId::kDstPort}, {{FieldId::kPackets, Function::kSum, ""},
                                                                {FieldId::kBytes, Function::kSum, ""},
                                                                {FieldId::kTtl, Function::kMin, "min(ttl)"},
                                                                {FieldId::kTag, Function::kMax, "max(tag)"}});
  for (int i = 0; i < 4; ++i) {
    AggregateBatch batch = builder.Build(Bin(kHour + 40 * 900, 900));
    batch.set_identity({"edge", "flows", 7, ++number});
    ASSERT_TRUE(sink->Write(batch).ok());
    EXPECT_EQ(Ask(path, Request("flows_30m", {FieldId::kDstPort}, {0, 1, 2, 3})),
              Ask(path, Request("flows", {FieldId::kDstPort}, {0, 1, 2, 3})));
  }
}

TEST(SqliteSink, RollsUpExactly) { ExpectRollsUpExactly(size_t{1} << 20); }
TEST(SqliteSink, RollsUpExactlyWhatIsTooMuchForMemory) { ExpectRollsUpExactly(5); }

TEST(SqliteSink, HostileNamesAndTextsStayTexts) {
  const std::string path = Scratch("hostile");
  SqliteOptions options = Options(path);
  for (const std::string& name :
       {std::string("flows\"; DROP TABLE flowacct_batches; --"), std::string("it's"), std::string("select"),
        std::string("a b\tc\n"), std::string("%s?1"), std::string("[x]`y`")}) {
    auto sink = Open(options);
    BatchBuilder builder(
        {FieldId::kVrfName, FieldId::kApplicationId, FieldId::kAsPath},
        {{FieldId::kBytes, Function::kSum, "bytes\" INTEGER); --"}, {FieldId::kDstPort, Function::kTop, "top('dst')"}});
    auto row = builder.Add({1, 0});
    row.Set<FieldId::kVrfName>(builder.interner().Intern(absl::string_view("'; DROP TABLE x; --\0\xff", 21)));
    row.Set<FieldId::kApplicationId>(builder.interner().Intern(absl::string_view("\0'\"", 3)));
    row = builder.Add({2, 0});
    row.Set<FieldId::kVrfName>(builder.interner().Intern(absl::string_view("")));
    AggregateBatch batch = Batch(builder, kHour, 1, name);
    batch.set_texts({{}, {"443:1' 80:2", "\""}});
    absl::Status status = sink->Write(batch);
    ASSERT_TRUE(status.ok()) << status;
    auto tables = (*OpenSqliteStore(path))->Tables();
    ASSERT_TRUE(tables.ok());
    EXPECT_TRUE(std::any_of(tables->begin(), tables->end(), [&](const auto& t) { return t.name == name; })) << name;
    query::GroupRequest request = Request(name, {FieldId::kVrfName}, {0});
    EXPECT_EQ(Ask(path, request), (Sums{{"0 '; DROP TABLE x; --\xef\xbf\xbd\xef\xbf\xbd", {1}}, {"0 ", {2}}}));
    request.where = *filter::Filter::Parse("vrf_name = \"' OR 1=1 --\"");
    EXPECT_EQ(Ask(path, request), Sums{});
  }
  auto sink = Open(options);
  BatchBuilder builder = Flows();
  for (const absl::string_view name : {absl::string_view("a\0b", 3), absl::string_view("\xff"), absl::string_view(""),
                                       absl::string_view("flowacct_batches"), absl::string_view("sqlite_x")}) {
    EXPECT_EQ(sink->Write(Batch(builder, kHour, 9, name)).code(), absl::StatusCode::kInvalidArgument) << name;
  }
}

TEST(SqliteSink, TablesGetColumns) {
  const std::string path = Scratch("columns");
  auto sink = Open(Options(path));
  BatchBuilder before({FieldId::kDstPort}, {{FieldId::kBytes, Function::kSum, ""}});
  before.Add({5}).Set<FieldId::kDstPort>(80);
  ASSERT_TRUE(sink->Write(Batch(before, kHour, 1)).ok());
  BatchBuilder after({FieldId::kSrcAddr, FieldId::kProtocol},
                     {{FieldId::kPackets, Function::kSum, ""}, {FieldId::kBytes, Function::kSum, ""}});
  after.Add({1, 7}).Set<FieldId::kProtocol>(17);
  ASSERT_TRUE(sink->Write(Batch(after, kHour, 2)).ok());
  ASSERT_TRUE(sink->Write(Batch(before, kHour, 3)).ok());
  EXPECT_EQ(Shell(path, "SELECT batch, dst_port, protocol, packets, bytes FROM flows"),
            "1|80|-|-|5\n2|-|17|1|7\n3|80|-|-|5");
  EXPECT_EQ(Ask(path, Request("flows", {FieldId::kDstPort, FieldId::kProtocol}, {0, 1})),
            (Sums{{"0 80 ", {10, 0}}, {"0  udp", {7, 1}}}));
  EXPECT_EQ(Shell(path, "SELECT COUNT(src_addr) FROM flows_text"), "0");
}

TEST(SqliteSink, SaysWhatIsWrongWithATable) {
  const std::string path = Scratch("wrong");
  BatchBuilder builder = Flows();
  const AggregateBatch batch = Simple(builder, kHour, 1, 3);
  Shell(path, "CREATE TABLE flows (a); INSERT INTO flows VALUES (1)");
  auto sink = Open(Options(path));
  absl::Status status = sink->Write(batch);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(status.message(), "ALTER TABLE \"flows\" RENAME TO \"flows_old\"")) << status;
  EXPECT_EQ(Shell(path, "ALTER TABLE flows RENAME TO flows_old"), "");
  status = sink->Write(batch);
  ASSERT_TRUE(status.ok()) << status;
  // Another meaning of a column.
  BatchBuilder other({FieldId::kDstPort}, {{FieldId::kPackets, Function::kMax, "bytes"}});
  other.Add({1});
  status = sink->Write(Batch(other, kHour, 2));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(status.message(), "ALTER TABLE \"flows\" RENAME COLUMN \"bytes\" TO \"bytes_old\""))
      << status;
  EXPECT_EQ(Shell(path, "DROP VIEW flows_text; ALTER TABLE flows RENAME COLUMN bytes TO bytes_old"), "");
  status = sink->Write(Batch(other, kHour, 2));
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(Shell(path, "SELECT SUM(bytes_old), SUM(bytes) FROM flows"), "300|1");
  // At once, if the options say what comes.
  SqliteOptions options = Options(path);
  options.table = "flows_old";
  options.schema = std::make_shared<aggregate::Schema>(batch.schema());
  EXPECT_EQ(NewSqliteSink(options).status().code(), absl::StatusCode::kFailedPrecondition);
  options.table = "fresh";
  options.bin_seconds = 60;
  ASSERT_TRUE(NewSqliteSink(options).ok());
  EXPECT_EQ(Shell(path, "SELECT bin_seconds FROM flowacct_tables WHERE name = 'fresh'"), "60");
  // What a newer program made is left alone.
  Shell(path, "UPDATE flowacct_tables SET version = 99");
  EXPECT_EQ(sink->Write(Batch(other, kHour, 3)).code(), absl::StatusCode::kFailedPrecondition);
  options.rollups = {{90, absl::InfiniteDuration()}};
  options.table = "fresh2";
  EXPECT_EQ(NewSqliteSink(options).status().code(), absl::StatusCode::kInvalidArgument);
  options.rollups = {{120, absl::ZeroDuration()}};
  EXPECT_EQ(NewSqliteSink(options).status().code(), absl::StatusCode::kInvalidArgument);
  options.path = path + "/no/such";
  options.rollups = {};
  EXPECT_EQ(NewSqliteSink(options).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(OpenSqliteStore(path + ".none").status().code(), absl::StatusCode::kNotFound);
}

TEST(SqliteSink, RemovesWhatIsOld) {
  const std::string path = Scratch("old");
  SqliteOptions options = Options(path);
  absl::Time now = absl::FromUnixSeconds(kHour + 300);
  options.now = [&now] { return now; };
  options.retention = absl::Hours(2);
  options.rollups = {{3600, absl::Hours(5)}};
  auto sink = Open(options);
  for (int bin = 0; bin < 12 * 10; ++bin) {
    BatchBuilder builder = Flows();
    ASSERT_TRUE(sink->Write(Simple(builder, kHour + bin * 300, static_cast<uint64_t>(bin + 1), 5)).ok());
    now += absl::Minutes(5);
  }
  // The last batch was written at 9:55 of ten hours, by a clock that is at its end.
  EXPECT_EQ(Shell(path, "SELECT MIN(bin_start), COUNT(*) FROM flows"), absl::StrCat(kHour + 96 * 300, "|", 24 * 5));
  EXPECT_EQ(Shell(path, "SELECT MIN(bin_start) FROM flows_1h"), absl::StrCat(kHour + 5 * 3600));
  EXPECT_EQ(sink->counters().bins_removed, 96u + 5u);
  EXPECT_EQ(sink->counters().rows_removed, 96u * 5 + 5u * 5);
  EXPECT_EQ(sink->trouble(), "");
}

TEST(SqliteSink, RemovesWhatIsTooMuch) {
  const std::string path = Scratch("much");
  SqliteOptions options = Options(path);
  options.max_octets = 2 << 20;
  auto sink = Open(options);
  uint64_t number = 0;
  for (int bin = 0; bin < 60; ++bin) {
    BatchBuilder builder = Flows();
    ASSERT_TRUE(sink->Write(Simple(builder, kHour + bin * 300, ++number, 2000)).ok());
  }
  EXPECT_GT(sink->counters().bins_removed, 10u);
  EXPECT_LT(std::filesystem::file_size(path), 4u << 20);
  EXPECT_EQ(Shell(path, "SELECT MAX(bin_start) FROM flows"), absl::StrCat(kHour + 59 * 300));
  EXPECT_EQ(sink->trouble(), "");
}

TEST(SqliteSink, AFileThatMayNotGrowKeepsNothingOfABatch) {
  const std::string path = Scratch("full");
  auto sink = Open(Options(path));
  BatchBuilder small = Flows(), large = Flows();
  ASSERT_TRUE(sink->Write(Simple(small, kHour, 1, 10)).ok());
  sink.reset();
  // A process whose files may not grow.
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto limited = NewSqliteSink(Options(path));
    if (!limited.ok()) _exit(1);
    const AggregateBatch batch = Simple(large, kHour, 2, 200000);
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {1 << 20, 1 << 20};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(2);
    const absl::Status status = (*limited)->Write(batch);
    if (status.code() != absl::StatusCode::kResourceExhausted && status.code() != absl::StatusCode::kUnavailable) {
      _exit(3);
    }
    // What fits still gets in.
    BatchBuilder tiny = Flows();
    _exit((*limited)->Write(Simple(tiny, kHour, 3, 10)).ok() ? 0 : 4);
  }
  int state = 0;
  ASSERT_EQ(waitpid(child, &state, 0), child);
  EXPECT_TRUE(WIFEXITED(state));
  EXPECT_EQ(WEXITSTATUS(state), 0);
  EXPECT_EQ(Shell(path, "SELECT COUNT(*) FROM flows"), "20");
  sink = Open(Options(path));
  ASSERT_TRUE(sink->Write(Batch(large, kHour, 2)).ok());
  EXPECT_EQ(Shell(path, "PRAGMA integrity_check"), "ok");
}

TEST(SqliteSink, AFullDiskIsSaidToBeFull) {
  const std::string folder = Scratch("disk");
  std::filesystem::create_directory(folder);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // A small disk of its own, which nobody else sees and which ends with this process.
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("none", folder.c_str(), "tmpfs", 0, "size=3m") != 0) {
      _exit(99);
    }
    const std::string path = folder + "/flows.db";
    auto sink = NewSqliteSink(Options(path));
    if (!sink.ok()) _exit(1);
    BatchBuilder first = Flows(), large = Flows(), last = Flows();
    if (!(*sink)->Write(Simple(first, kHour, 1, 100)).ok()) _exit(2);
    if ((*sink)->Write(Simple(large, kHour, 2, 100000)).code() != absl::StatusCode::kResourceExhausted) _exit(3);
    if (!(*sink)->Write(Simple(last, kHour, 3, 100)).ok()) _exit(4);
    _exit(Shell(path, "SELECT COUNT(*), COUNT(DISTINCT batch) FROM flows") == "200|2" ? 0 : 5);
  }
  int state = 0;
  ASSERT_EQ(waitpid(child, &state, 0), child);
  std::filesystem::remove_all(folder);
  ASSERT_TRUE(WIFEXITED(state));
  if (WEXITSTATUS(state) == 99) GTEST_SKIP() << "no disk can be mounted here";
  EXPECT_EQ(WEXITSTATUS(state), 0);
}

TEST(SqliteSink, AnotherWriterIsWaitedForAndThenToldOf) {
  const std::string path = Scratch("busy");
  SqliteOptions options = Options(path);
  options.busy_timeout = absl::Milliseconds(50);
  auto sink = Open(options);
  BatchBuilder builder = Flows();
  AggregateBatch batch = Simple(builder, kHour, 1, 10);
  ASSERT_TRUE(sink->Write(batch).ok());
  batch.set_identity({"edge", "flows", 7, 2});
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_EQ(sink->Write(batch).code(), absl::StatusCode::kUnavailable);
  ASSERT_EQ(sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_TRUE(sink->Write(batch).ok());
  // A reader in the middle of its question sees what was there when it began.
  ASSERT_EQ(sqlite3_exec(other, "BEGIN; SELECT COUNT(*) FROM flows", nullptr, nullptr, nullptr), SQLITE_OK);
  batch.set_identity({"edge", "flows", 7, 3});
  EXPECT_TRUE(sink->Write(batch).ok());
  std::string count;
  sqlite3_exec(
      other, "SELECT COUNT(*) FROM flows",
      [](void* out, int, char** cells, char**) {
        *static_cast<std::string*>(out) = cells[0];
        return 0;
      },
      &count, nullptr);
  EXPECT_EQ(count, "20");
  sqlite3_close(other);
  EXPECT_EQ(Shell(path, "SELECT COUNT(*) FROM flows"), "30");
}

// What may pass is for the first batch; what will not is said at once.
TEST(SqliteSink, AFileThatIsBusyWhenItIsOpened) {
  const std::string path = Scratch("busy_new");
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "CREATE TABLE theirs (x); BEGIN EXCLUSIVE", nullptr, nullptr, nullptr), SQLITE_OK);
  SqliteOptions options = Options(path);
  options.busy_timeout = absl::Milliseconds(50);
  auto sink = Open(options);
  ASSERT_NE(sink, nullptr);
  BatchBuilder builder = Flows();
  const AggregateBatch batch = Simple(builder, kHour, 1, 10);
  EXPECT_EQ(sink->Write(batch).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(sink->Retain().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(Open(options)->Close().ok());
  // A table that is to be made at once.
  SqliteOptions at_once = options;
  at_once.table = "flows";
  at_once.schema = std::make_shared<aggregate::Schema>(batch.schema());
  EXPECT_EQ(NewSqliteSink(at_once).status().code(), absl::StatusCode::kUnavailable);
  ASSERT_EQ(sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(other);
  EXPECT_TRUE(sink->Write(batch).ok());
  EXPECT_EQ(Shell(path, "PRAGMA journal_mode; SELECT COUNT(*) FROM flows"), "wal\n10");

  std::ofstream(path + ".txt") << "no database, and longer than the header of one would be: " << std::string(100, '.');
  options.path = path + ".txt";
  EXPECT_EQ(NewSqliteSink(options).status().code(), absl::StatusCode::kDataLoss);
}

TEST(SqliteSink, SurvivesItsWritersDeaths) {
  const std::string path = Scratch("killed");
  SqliteOptions options = Options(path);
  options.rollups = {{3600, absl::InfiniteDuration()}, {86400, absl::InfiniteDuration()}};
  StoreUnderTest store;
  store.name = "sqlite";
  store.make_sink = [&](const std::string&, int, absl::Duration) { return NewSqliteSink(options); };
  store.open_store = [&] { return OpenSqliteStore(path); };
  ExpectSurvivesWriterKills(store);
  EXPECT_EQ(Shell(path, "PRAGMA integrity_check"), "ok");
}

// Collectors that are started together: each waits for the others while the file is made, and each table once.
TEST(SqliteSink, ManyOpenTheSameNewFileAtOnce) {
  constexpr int kRounds = 24, kProcesses = 8;
  BatchBuilder builder = Flows();
  const AggregateBatch batch = Simple(builder, kHour, 1, 1);
  for (int round = 0; round < kRounds; ++round) {
    SqliteOptions options = Options(Scratch("new"));
    if (round % 2 == 1) {  // else they only open it
      options.table = "flows";
      options.schema = std::make_shared<aggregate::Schema>(batch.schema());
      options.bin_seconds = 300;
    }
    int gate[2], said[2];
    ASSERT_EQ(pipe(gate), 0);
    ASSERT_EQ(pipe(said), 0);
    std::vector<pid_t> children;
    for (int i = 0; i < kProcesses; ++i) {
      children.push_back(fork());
      ASSERT_GE(children.back(), 0);
      if (children.back() != 0) continue;
      close(gate[1]);
      char octet = 0;
      (void)!read(gate[0], &octet, 1);  // until the parent closes its end: all go at once
      const absl::Status status = NewSqliteSink(options).status();
      if (status.ok()) _exit(0);
      const std::string text = absl::StrCat(status.ToString(), "\n");
      (void)!write(said[1], text.data(), text.size());
      _exit(1);
    }
    close(gate[0]);
    close(gate[1]);
    close(said[1]);
    std::string errors;
    char octets[4096];
    for (ssize_t size; (size = read(said[0], octets, sizeof(octets))) > 0;) errors.append(octets, size);
    close(said[0]);
    for (const pid_t child : children) {
      int state = 0;
      ASSERT_EQ(waitpid(child, &state, 0), child);
      EXPECT_TRUE(WIFEXITED(state) && WEXITSTATUS(state) == 0) << "round " << round << ": " << errors;
    }
    ASSERT_EQ(Shell(options.path, "PRAGMA journal_mode; PRAGMA page_size; PRAGMA integrity_check"), "wal\n8192\nok");
    std::filesystem::remove(options.path);
  }
}

// Two collectors, each with bins and late records of its own, into one table that neither has made yet.
TEST(SqliteSink, TwoWritersAtOnce) {
  const std::string path = Scratch("two");
  SqliteOptions options = Options(path);
  options.rollups = {{3600, absl::InfiniteDuration()}, {86400, absl::InfiniteDuration()}};
  BatchBuilder builder = Flows();
  for (int i = 0; i < 200; ++i) builder.Add({1, 100}).Set<FieldId::kDstPort>(static_cast<uint16_t>(i % 50));
  constexpr int kWriters = 2, kBatches = 60;
  std::vector<pid_t> children;
  for (int writer = 0; writer < kWriters; ++writer) {
    children.push_back(fork());
    ASSERT_GE(children.back(), 0);
    if (children.back() != 0) continue;
    std::unique_ptr<StoreSink> sink;
    for (int number = 1; number <= kBatches;) {
      if (sink == nullptr) {
        auto opened = NewSqliteSink(options);
        if (!opened.ok() && !absl::IsUnavailable(opened.status())) _exit(1);
        if (!opened.ok()) continue;
        sink = *std::move(opened);
      }
      AggregateBatch batch = builder.Build(Bin(kHour + (number % 9 == 8 ? 0 : number) * 900, 900));
      batch.set_identity({absl::StrCat("edge", writer), "flows", 7, static_cast<uint64_t>(number)});
      const absl::Status status = sink->Write(batch);
      if (!status.ok() && !absl::IsUnavailable(status)) _exit(2);
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
  EXPECT_EQ(Shell(path, "SELECT COUNT(*), SUM(bytes) FROM flows"),
            absl::StrCat(kWriters * kBatches * 200, "|", kWriters * kBatches * 20000));
  const query::GroupRequest request = Request("flows", {FieldId::kDstPort}, {0, 1});
  for (const char* rollup : {"flows_1h", "flows_1d"}) {
    query::GroupRequest rolled = request;
    rolled.table = rollup;
    EXPECT_EQ(Ask(path, rolled), Ask(path, request)) << rollup;
  }
}

TEST(SqliteStore, AsksWhatRoutesTell) {
  const std::string path = Scratch("routes");
  auto sink = Open(Options(path));
  BatchBuilder builder({FieldId::kAsPath, FieldId::kStdComm}, {{FieldId::kBytes, Function::kSum, ""}});
  const auto path_of = [&](std::vector<uint32_t> numbers, uint8_t type) {
    std::string octets = {static_cast<char>(type), static_cast<char>(numbers.size())};
    for (const uint32_t n : numbers) {
      for (int shift = 24; shift >= 0; shift -= 8) octets.push_back(static_cast<char>(n >> shift));
    }
    return octets;
  };
  auto row = builder.Add({1});
  row.Set<FieldId::kAsPath>(builder.interner().Intern(path_of({64496, 64497}, 2)));
  row.Set<FieldId::kStdComm>(builder.interner().Intern(absl::string_view("\xfb\xf0\x00\x64", 4)));
  builder.Add({2}).Set<FieldId::kAsPath>(builder.interner().Intern(path_of({64496}, 2) + path_of({1, 2}, 1)));
  builder.Add({4}).Set<FieldId::kAsPath>(base::Interner::kOverflowId);
  builder.Add({8});
  ASSERT_TRUE(sink->Write(Batch(builder, kHour, 1)).ok());
  const struct {
    const char* where;
    uint64_t bytes;
  } kCases[] = {
      {"as_path contains 64497", 1},    {"as_path not contains 64497", 2},      {"not as_path contains 64497", 14},
      {"as_path origin = 64497", 1},    {"as_path origin != 64496", 1},         {"as_path first = 64496", 3},
      {"as_path length = 2", 3},        {"as_path matches \"^64496_\"", 3},     {"as_path not matches \"_2[}]\"", 1},
      {"std_comm contains 64496:*", 1}, {"std_comm not contains 64496:100", 0}, {"exists(as_path)", 7},
  };
  for (const auto& c : kCases) {
    query::GroupRequest request = Request("flows", {}, {0}, c.where);
    EXPECT_EQ(Ask(path, request), c.bytes == 0 ? Sums{} : (Sums{{"0", {c.bytes}}})) << c.where;
  }
}

TEST(SqliteStore, LongFiltersAreAsked) {
  const std::string path = Scratch("long");
  auto sink = Open(Options(path));
  BatchBuilder builder = Flows();
  ASSERT_TRUE(sink->Write(Simple(builder, kHour, 1, 1000)).ok());
  std::string chain = "dst_port = 0", list = "src_addr in (10.0.0.1", both;
  for (int i = 1; i < 3000; ++i) absl::StrAppend(&list, ", 192.", i / 256, ".", i % 256, ".0/24");
  for (int i = 1; i < 2000; ++i) absl::StrAppend(&chain, " or dst_port = ", i * 2);
  EXPECT_EQ(Ask(path, Request("flows", {}, {0}, list + ")")), (Sums{{"0", {1000}}}));
  EXPECT_EQ(Ask(path, Request("flows", {}, {0}, chain)), (Sums{{"0", {500}}}));
}

}  // namespace
}  // namespace flowacct::sink::sqlite
