// A MongoDB server, started here, stores and answers: mongod if there is one, else CongoServer (testing/server.h).

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "flowacct/filter/filter.h"
#include "flowacct/query/memory_store.h"
#include "flowacct/query/testing/conformance.h"
#include "flowacct/sink/mongodb/document.h"
#include "flowacct/sink/mongodb/mongodb_connection.h"
#include "flowacct/sink/mongodb/mongodb_sink.h"
#include "flowacct/sink/mongodb/mongodb_store.h"
#include "flowacct/sink/mongodb/testing/server.h"
#include "flowacct/sink/print/batch_builder.h"
#include "flowacct/sink/testing/port_flows.h"
#include "gtest/gtest.h"

namespace flowacct::sink::mongodb {
namespace {

using aggregate::AggregateBatch;
using aggregate::Function;
using base::IpAddress;
using print::BatchBuilder;
using record::FieldId;

constexpr int64_t kDay = kPortFlowsDay;

class Mongodb : public testing::Test {
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
    if (server_ == nullptr && absl::StrContains(*why_, "not here")) GTEST_SKIP() << *why_;
    ASSERT_NE(server_, nullptr) << *why_;
    database_ = testing::UnitTest::GetInstance()->current_test_info()->name();
    connection_ = *MongodbConnection::New(Connection());
  }
  void TearDown() override {
    if (connection_ != nullptr && server_ != nullptr) (void)connection_->Command(Document().Integer("dropDatabase", 1));
  }

  ConnectionOptions Connection() const {
    ConnectionOptions options = server_->options();
    options.database = database_;
    return options;
  }

  MongodbOptions Options() const {
    MongodbOptions options;
    options.connection = Connection();
    options.writer_timeout = absl::Milliseconds(300);
    options.now = [] { return absl::FromUnixSeconds(kDay + 2 * 86400); };
    return options;
  }

  static std::unique_ptr<StoreSink> Open(MongodbOptions options) {
    auto sink = NewMongodbSink(std::move(options));
    EXPECT_TRUE(sink.ok()) << sink.status();
    return sink.ok() ? *std::move(sink) : nullptr;
  }
  std::unique_ptr<StoreSink> Open() const { return Open(Options()); }

  // Documents of a collection as JSON, without _id; all of them: also what does not count.
  std::vector<std::string> Documents(const std::string& collection, const Document& filter = Document()) {
    std::vector<std::string> texts;
    const Document options =
        Document().Add("projection", Document().Integer("_id", 0)).Add("sort", Document().Integer("_id", 1));
    const auto connection = *MongodbConnection::New(Connection());  // one that nobody cut
    const absl::Status status = connection->Find(collection, filter, options, [&](const bson_t& document) {
      char* const text = bson_as_canonical_extended_json(&document, nullptr);
      texts.emplace_back(text);
      bson_free(text);
      return true;
    });
    EXPECT_TRUE(status.ok()) << status;
    return texts;
  }

  using Sums = PortSums;
  Sums Ask(const std::string& table, std::vector<size_t> values) {
    return AskByPort(OpenMongodbStore(Connection()), table, std::move(values));
  }
  // The sum of value 0 over all groups: of PortFlows, how many rows count.
  absl::uint128 Total(const std::string& table, size_t value = 0) {
    absl::uint128 total = 0;
    for (const auto& [key, sums] : Ask(table, {value})) total += sums[0];
    return total;
  }

  // The server cuts all connections at the command after so many (server.mjs); -1: not at all.
  absl::Status CutAfter(int skip, bool executed) const {
    return (*MongodbConnection::New(Connection()))
        ->Command(Document().Integer("cutConnections", skip).Bool("after", executed));
  }

  static Server* server_;
  static std::string* why_;
  std::string database_;
  std::unique_ptr<MongodbConnection> connection_;
};
Server* Mongodb::server_ = nullptr;
std::string* Mongodb::why_ = nullptr;

TEST_F(Mongodb, AnswersAsTheMemoryStoreDoes) {
  const auto sink = Open();
  ExpectAnswersAsItsTwin(sink.get(), [this] { return OpenMongodbStore(Connection()); });
  EXPECT_EQ(sink->counters().batches_skipped, 1u);
  EXPECT_EQ(sink->trouble(), "");
}

TEST_F(Mongodb, ADocumentARowEachBatchOnce) {
  auto sink = Open();
  BatchBuilder builder({FieldId::kSrcAddr, FieldId::kDstPort}, {{FieldId::kBytes, Function::kSum, ""}});
  builder.Add({UINT64_MAX}).Set<FieldId::kDstPort>(443);
  builder.Add({5}).Set<FieldId::kSrcAddr>(IpAddress::V4(0xc0000201));
  for (int i = 0; i < 2; ++i) {
    const absl::Status status = sink->Write(PortFlowsBatch(builder, kDay, 1));
    ASSERT_TRUE(status.ok()) << status;
  }
  ASSERT_TRUE(Open()->Write(PortFlowsBatch(builder, kDay, 1)).ok());
  EXPECT_EQ(sink->counters().batches, 1u);
  EXPECT_EQ(sink->counters().batches_skipped, 1u);
  EXPECT_EQ(sink->counters().rows, 4u);  // the first one's sum is split
  EXPECT_EQ(Ask("flows", {0}), (Sums{{"443", {UINT64_MAX}}, {"-", {5}}}));
  // The server that stands in tells small int64 as doubles or int32.
  const std::vector<std::string> rows = Documents("flows");
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_TRUE(absl::StrContains(rows[0], "\"bin_start\" : { \"$date\" : { \"$numberLong\" : \"1699920000000\" } }"))
      << rows[0];
  EXPECT_TRUE(absl::StrContains(rows[0], "\"bytes_2e53\"")) << rows[0];
  EXPECT_FALSE(absl::StrContains(rows[0], "src_addr")) << rows[0];
  EXPECT_TRUE(absl::StrContains(
      rows[3], "\"src_addr\" : { \"$binary\" : { \"base64\" : \"AAAAAAAAAAAAAP//wAACAQ==\", \"subType\" : \"00\" } }"))
      << rows[3];
  EXPECT_FALSE(absl::StrContains(rows[3], "bytes_2e53")) << rows[3];
  const std::vector<std::string> batches = Documents("flowacct_batches");
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_TRUE(absl::StrContains(batches[0], "\"table\" : \"flows\"")) << batches[0];
  // Of nobody.
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(sink->Write(PortFlowsBatch(builder, kDay, 0)).ok());
  EXPECT_EQ(Total("flows"), 3 * (absl::uint128(UINT64_MAX) + 5));
}

TEST_F(Mongodb, HostileNamesAndTextsStayWhatTheyAre) {
  auto sink = Open();
  const std::string table = "fl'ows\"; {} (\\) \xc3\xbc";
  BatchBuilder builder({FieldId::kVrfName, FieldId::kApplicationId, FieldId::kDstPort},
                       {{FieldId::kBytes, Function::kSum, "$where.x"},
                        {FieldId::kPackets, Function::kSum, "_id"},
                        {FieldId::kDstPort, Function::kTop, "$top"}});
  const absl::string_view hostile[] = {
      "$where", "{\"$ne\": null}", "$$ROOT", "a.b", "", absl::string_view("a\0$b\xff", 5)};
  for (const absl::string_view text : hostile) {
    auto row = builder.Add({7, 1, 0});
    row.Set<FieldId::kVrfName>(builder.interner().Intern(text));
    row.Set<FieldId::kApplicationId>(builder.interner().Intern(text));
  }
  AggregateBatch batch = PortFlowsBatch(builder, kDay, 1, table);
  batch.set_texts({{}, {}, {"$x", "{}", "", "443:1", "$$NOW", "."}});
  absl::Status status = sink->Write(batch);
  ASSERT_TRUE(status.ok()) << status;
  auto store = *OpenMongodbStore(Connection());
  const auto tables = store->Tables();
  ASSERT_TRUE(tables.ok()) << tables.status();
  ASSERT_EQ(tables->size(), 1u);
  EXPECT_EQ((*tables)[0].name, table);
  ASSERT_EQ((*tables)[0].values.size(), 2u);
  EXPECT_EQ((*tables)[0].values[0].name, "_where_x");
  EXPECT_EQ((*tables)[0].values[1].name, "_id_");
  query::GroupRequest request;
  request.table = table;
  request.by = {{FieldId::kVrfName, -1, -1}};
  request.values = {0, 1};
  std::map<std::string, absl::uint128> groups;
  const auto ask = [&](absl::string_view where) {
    groups.clear();
    request.where = *filter::Filter::Parse(where);
    const absl::Status told = store->Sum(request, [&](const query::GroupRow& row) {
      groups[std::string(row.group[0].octets)] = row.values[0];
      return true;
    });
    EXPECT_TRUE(told.ok()) << told;
    return groups.size();
  };
  EXPECT_EQ(ask(""), 6u);
  EXPECT_EQ(groups["a\xef\xbf\xbd$b\xef\xbf\xbd"], 7);
  EXPECT_EQ(groups["$where"], 7);
  EXPECT_EQ(ask("vrf_name = '$where'"), 1u);
  EXPECT_EQ(ask("vrf_name = '{\"$ne\": null}'"), 1u);
  EXPECT_EQ(ask("vrf_name in ('$$ROOT', 'a.b', '')"), 3u);
  EXPECT_EQ(ask("vrf_name = '$vrf_name'"), 0u);
  for (const absl::string_view name :
       {absl::string_view("a$b"), absl::string_view("system.users"), absl::string_view("flowacct_batches"),
        absl::string_view("a\0b", 3), absl::string_view("\xff")}) {
    EXPECT_EQ(sink->Write(PortFlowsBatch(builder, kDay, 2, name)).code(), absl::StatusCode::kInvalidArgument) << name;
  }
  EXPECT_EQ(sink->Write(PortFlowsBatch(builder, kDay, 2, std::string(101, 'x'))).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(Mongodb, TablesGetFieldsOrSayWhatIsWrong) {
  auto sink = Open();
  BatchBuilder before({FieldId::kDstPort}, {{FieldId::kBytes, Function::kSum, ""}});
  before.Add({5}).Set<FieldId::kDstPort>(80);
  ASSERT_TRUE(sink->Write(PortFlowsBatch(before, kDay, 1)).ok());
  const absl::Status widened = sink->Write(PortFlowsBatch(PortFlows(1), kDay, 2));
  ASSERT_TRUE(widened.ok()) << widened;
  ASSERT_TRUE(sink->Write(PortFlowsBatch(before, kDay, 3)).ok());
  EXPECT_EQ(Ask("flows", {0, 1}), (Sums{{"80", {10, 0}}, {"0", {100, 1}}}));
  BatchBuilder other({FieldId::kDstPort}, {{FieldId::kPackets, Function::kMax, "bytes"}});
  other.Add({1});
  absl::Status status = sink->Write(PortFlowsBatch(other, kDay, 4));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "field \"bytes\" of table \"flows\"")) << status;
  // Others need not wait for who failed so.
  EXPECT_TRUE(Open()->Write(PortFlowsBatch(before, kDay, 5)).ok());
  EXPECT_EQ(Ask("flows", {0, 1}), (Sums{{"80", {15, 0}}, {"0", {100, 1}}}));
  ASSERT_TRUE(connection_->Insert("theirs", Document().Integer("a", 1)).ok());
  status = sink->Write(PortFlowsBatch(other, kDay, 5, "theirs"));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "db.getCollection(\"theirs\").renameCollection(\"theirs_old\")"))
      << status;
  // Made and checked at once.
  MongodbOptions options = Options();
  options.table = "ready";
  options.bin_seconds = 300;
  options.schema = std::make_shared<const aggregate::Schema>(PortFlowsBatch(before, kDay, 1).schema());
  Open(options);
  const auto tables = (*OpenMongodbStore(Connection()))->Tables();
  ASSERT_TRUE(tables.ok()) << tables.status();
  ASSERT_EQ(tables->size(), 2u);
  EXPECT_EQ((*tables)[1].name, "ready");
  EXPECT_EQ((*tables)[1].bin_seconds, 300);
}

TEST_F(Mongodb, RollsUpExactly) {
  MongodbOptions options = Options();
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
  EXPECT_GT(Documents("flows_1h").size(), 0u);
  EXPECT_GT(sink->counters().rollup_rows, 0u);
}

TEST_F(Mongodb, RetentionRemovesWholeBins) {
  MongodbOptions options = Options();
  absl::Time now = absl::FromUnixSeconds(kDay + 3600);
  options.now = [&now] { return now; };
  options.table = "flows";
  options.retention = absl::Hours(48);
  options.rollups = {{3600, absl::Hours(24 * 30)}};
  options.ttl_index = false;  // the server's clock is another
  auto sink = Open(options);
  const BatchBuilder builder = PortFlows(20);
  uint64_t number = 0;
  for (int day = 0; day < 7; ++day) {
    for (int bin = 0; bin < 3; ++bin) {
      const absl::Status status = sink->Write(PortFlowsBatch(builder, kDay + 86400 * day + bin * 300, ++number));
      ASSERT_TRUE(status.ok()) << status;
    }
    now += absl::Hours(24);
  }
  EXPECT_EQ(sink->trouble(), "");
  absl::Status status = sink->Retain();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(Total("flows"), 3 * 20);
  EXPECT_EQ(Total("flows_1h"), 7 * 3 * 20);
  EXPECT_EQ(sink->counters().rows_removed, 6u * 3 * 20);
  EXPECT_EQ(sink->counters().bins_removed, 6u * 3);
  EXPECT_EQ(Documents("flows").size(), 3u * 20);
  const auto infos = (*OpenMongodbStore(Connection()))->Tables();
  ASSERT_TRUE(infos.ok());
  EXPECT_EQ((*infos)[0].first_seconds, kDay + 6 * 86400);
  // Identities stay a week longer than the longest.
  EXPECT_EQ(Documents("flowacct_batches").size(), 21u);
  now += absl::Hours(24 * 60);
  ASSERT_TRUE(sink->Retain().ok());
  EXPECT_EQ(Documents("flowacct_batches").size(), 0u);
  // The last hour was never summed, so it is there still, and what was is gone.
  EXPECT_EQ(Total("flows"), 3 * 20);
  EXPECT_EQ(Total("flows_1h"), 3 * 20);
  MongodbOptions none = Options();
  none.table = "no_such";
  EXPECT_EQ(Open(none)->Retain().code(), absl::StatusCode::kNotFound);
}

TEST_F(Mongodb, TheServerIsAskedToRemoveLater) {
  MongodbOptions options = Options();
  options.retention = absl::Hours(48);
  ASSERT_TRUE(Open(options)->Write(PortFlowsBatch(PortFlows(1), kDay + 86400, 1)).ok());
  const auto ttl_seconds = [&] {
    int64_t found = -1;
    const auto state = connection_->FindOne("flowacct_tables", Document());
    if (state.ok() && *state) found = IntegerOf(*(*state)->get(), "ttl_seconds").value_or(-2);
    return found;
  };
  EXPECT_EQ(ttl_seconds(), 48 * 3600 + 300 + 86400);
  // These rows are of 2023: the server may remove them while we ask, so that they do not count.
  EXPECT_EQ(Total("flows"), 0);
  options.retention = absl::InfiniteDuration();
  ASSERT_TRUE(Open(options)->Write(PortFlowsBatch(PortFlows(1), kDay + 86400, 2)).ok());
  EXPECT_EQ(ttl_seconds(), 0);
  if (server_->is_stand_in()) {
    EXPECT_EQ(Total("flows"), 2);
  }
}

TEST_F(Mongodb, ALostOrHungServerIsUnavailableAndComesBack) {
  MongodbOptions options = Options();
  options.connection.timeout = absl::Seconds(2);
  auto sink = Open(options);
  const BatchBuilder builder = PortFlows(2000);
  ASSERT_TRUE(sink->Write(PortFlowsBatch(builder, kDay, 1)).ok());
  auto store = *OpenMongodbStore(options.connection);
  query::GroupRequest request;
  request.table = "flows";
  request.values = {0};
  const auto nothing = [](const query::GroupRow&) { return true; };
  ASSERT_TRUE(store->Sum(request, nothing).ok());
  // Hung.
  ASSERT_EQ(kill(server_->pid(), SIGSTOP), 0);
  for (const auto& call : {std::function<absl::Status()>([&] { return sink->Write(PortFlowsBatch(builder, kDay, 2)); }),
                           std::function<absl::Status()>([&] { return store->Sum(request, nothing); })}) {
    const absl::Time begin = absl::Now();
    const absl::Status status = call();
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
    EXPECT_GT(absl::Now() - begin, absl::Milliseconds(1800));
    EXPECT_LT(absl::Now() - begin, absl::Seconds(8));
  }
  ASSERT_EQ(kill(server_->pid(), SIGCONT), 0);
  absl::Status status = sink->Write(PortFlowsBatch(builder, kDay, 2));
  EXPECT_TRUE(status.ok()) << status;
  // Gone.
  server_->Kill();
  status = sink->Write(PortFlowsBatch(builder, kDay, 3));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_EQ(sink->Write(PortFlowsBatch(builder, kDay, 3)).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(store->Sum(request, nothing).code(), absl::StatusCode::kUnavailable);
  // Not there at the start.
  auto early = Open(options);
  EXPECT_EQ(early->Write(PortFlowsBatch(builder, kDay, 4)).code(), absl::StatusCode::kUnavailable);
  MongodbOptions at_once = options;
  at_once.table = "flows";
  at_once.schema = std::make_shared<const aggregate::Schema>(PortFlowsBatch(builder, kDay, 1).schema());
  EXPECT_EQ(NewMongodbSink(at_once).status().code(), absl::StatusCode::kUnavailable);
  ASSERT_TRUE(server_->Restart());
  status = sink->Write(PortFlowsBatch(builder, kDay, 3));
  EXPECT_TRUE(status.ok()) << status;
  status = early->Write(PortFlowsBatch(builder, kDay, 4));
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_TRUE(store->Sum(request, nothing).ok());
  EXPECT_EQ(Total("flows"), 8000);
}

// Each command of a batch fails, before it is executed or with its answer lost; then the batch is written again. The
// first batch makes the table; the second, of a new sink, ends an hour of the rollup and lets the first one's bin go.
TEST_F(Mongodb, CutAtEachCommand) {
  if (!server_->is_stand_in()) GTEST_SKIP() << "mongod has no such command";
  MongodbOptions options = Options();
  options.retention = absl::Hours(24);
  options.rollups = {{3600, absl::InfiniteDuration()}};
  options.ttl_index = false;
  options.rows_a_message = 60;
  options.now = [] { return absl::FromUnixSeconds(kDay + 5 * 86400); };
  const BatchBuilder builder = PortFlows(100);  // two messages
  int cuts = 0;
  for (int i = 0; i < 2 * 24; ++i) {
    const std::string table = absl::StrCat("flows", i), rollup = table + "_1h";
    for (const uint64_t number : {1, 2}) {
      const AggregateBatch batch =
          PortFlowsBatch(builder, kDay + static_cast<int64_t>(number) * 2 * 86400, number, table);
      auto sink = Open(options);
      ASSERT_TRUE(CutAfter(i / 2, i % 2 != 0).ok());
      absl::Status status = sink->Write(batch);
      ASSERT_TRUE(CutAfter(-1, false).ok());
      if (!status.ok()) {
        ++cuts;
        EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
        // Whole or not at all.
        const auto tables = (*OpenMongodbStore(Connection()))->Tables();
        ASSERT_TRUE(tables.ok()) << tables.status();
        if (std::any_of(tables->begin(), tables->end(), [&](const auto& t) { return t.name == rollup; })) {
          const absl::uint128 total = Total(rollup);
          EXPECT_TRUE(total == number * 100 || total == (number - 1) * 100) << total;
        }
        status = sink->Write(batch);
        ASSERT_TRUE(status.ok()) << status;
      }
      EXPECT_EQ(Total(rollup), number * 100) << i;
      const absl::uint128 kept = Total(table);
      EXPECT_TRUE(kept == 100 || kept == number * 100) << kept;
      EXPECT_EQ(Documents("flowacct_batches", Document().Text("table", table)).size(), number) << i;
    }
    ASSERT_TRUE(Open(options)->Write(PortFlowsBatch(builder, kDay + 6 * 86400, 3, table)).ok());
    EXPECT_EQ(Total(rollup), 300) << i;
    EXPECT_EQ(Total(table), 200) << i;
    EXPECT_EQ(Documents(table).size(), 200u) << i;  // what failed was removed, and what was old
  }
  EXPECT_GE(cuts, 40);
}

void KillAndWait(pid_t child) {
  ASSERT_EQ(kill(child, SIGKILL), 0);
  int state = 0;
  ASSERT_EQ(waitpid(child, &state, 0), child);
  ASSERT_TRUE(WIFSIGNALED(state)) << "the child ended by itself with " << WEXITSTATUS(state);
}

// With sanitizers the same in a fifth of the time; without them as often as it takes.
#ifdef FLOWACCT_SANITIZED
constexpr int kKills = 10;
#else
constexpr int kKills = 50;
#endif

TEST_F(Mongodb, WriterKilledInTheMiddle) {
  MongodbOptions options = Options();
  options.rollups = {{3600, absl::InfiniteDuration()}};
  options.writer_timeout = absl::Milliseconds(20);
  const BatchBuilder builder = PortFlows(500);
  const auto batch = [&](uint64_t number) {
    return PortFlowsBatch(builder, kDay + static_cast<int64_t>(number) * 300, number);
  };
  std::mt19937 random(5);
  uint64_t from = 1;
  ASSERT_TRUE(Open(options)->Write(batch(1)).ok());
  for (int i = 0; i < kKills; ++i) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto sink = NewMongodbSink(options);
      if (!sink.ok()) _exit(1);
      for (uint64_t number = from > 3 ? from - 3 : 1;; ++number) {
        const absl::Status status = (*sink)->Write(batch(number));
        if (!status.ok()) fprintf(stderr, "%s\n", status.ToString().c_str());
        if (!status.ok()) _exit(2);
      }
    }
    usleep(40000 + random() % 60000);
    ASSERT_NO_FATAL_FAILURE(KillAndWait(child));
    const absl::uint128 total = Total("flows");
    ASSERT_EQ(total % 500, 0);
    const uint64_t batches = absl::Uint128Low64(total / 500);
    ASSERT_GE(batches, from);
    // Those that count, and perhaps one that was about to.
    const size_t entered = Documents("flowacct_batches").size();
    ASSERT_TRUE(entered == batches || entered == batches + 1) << entered << " and " << batches;
    ASSERT_EQ(Total("flows_1h"), total);
    from = batches;
  }
  ASSERT_TRUE(Open(options)->Write(batch(from + 1)).ok());
  EXPECT_EQ(Ask("flows_1h", {0, 1}), Ask("flows", {0, 1}));
  EXPECT_EQ(Documents("flows").size(), (from + 1) * 500);
  EXPECT_EQ(Documents("flowacct_batches").size(), from + 1);
}

TEST_F(Mongodb, ServerKilledInTheMiddle) {
  MongodbOptions options = Options();
  options.rollups = {{3600, absl::InfiniteDuration()}};
  options.connection.timeout = absl::Seconds(5);
  auto sink = Open(options);
  const BatchBuilder builder = PortFlows(500);
  const auto batch = [&](uint64_t number) {
    return PortFlowsBatch(builder, kDay + static_cast<int64_t>(number) * 300, number);
  };
  std::mt19937 random(6);
  uint64_t number = 1;
  ASSERT_TRUE(sink->Write(batch(number)).ok());
  for (int i = 0; i < kKills; ++i) {
    std::thread killer([&, wait = 2000 + random() % 40000] {
      usleep(wait);
      server_->Kill();
    });
    absl::Status status;
    while ((status = sink->Write(batch(number))).ok()) ++number;
    killer.join();
    ASSERT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
    ASSERT_TRUE(server_->Restart());
    const absl::uint128 total = Total("flows");
    ASSERT_TRUE(total == 500 * number || total == 500 * (number - 1)) << total << " at " << number;
    ASSERT_EQ(Total("flows_1h"), total);
  }
  ASSERT_TRUE(sink->Write(batch(number)).ok());
  EXPECT_EQ(Total("flows"), 500 * number);
  EXPECT_EQ(Ask("flows_1h", {0, 1}), Ask("flows", {0, 1}));
  EXPECT_EQ(Documents("flows").size(), number * 500);
}

// A writer that was only asleep wakes up after another one took its place: nothing of it counts, then or later.
TEST_F(Mongodb, ASleepingWriterIsPassed) {
  MongodbOptions options = Options();
  options.writer_timeout = absl::Milliseconds(100);
  constexpr int kRows = 5000;
  options.rows_a_message = 50;
  const BatchBuilder builder = PortFlows(kRows);
  for (uint64_t number = 1; number <= 2; ++number) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto sink = NewMongodbSink(options);
      _exit(sink.ok() && absl::IsUnavailable((*sink)->Write(PortFlowsBatch(builder, kDay, number))) ? 7 : 1);
    }
    const auto written = [&] {
      const auto row = connection_->FindOne("flows", Document().Integer("batch", static_cast<int64_t>(2 * number - 1)));
      return row.ok() && row->has_value();
    };
    while (!written()) usleep(1000);
    ASSERT_EQ(kill(child, SIGSTOP), 0);
    ASSERT_EQ(Total("flows"), (number - 1) * kRows);
    const absl::Status status = Open(options)->Write(PortFlowsBatch(builder, kDay, number));
    ASSERT_TRUE(status.ok()) << status;
    ASSERT_EQ(kill(child, SIGCONT), 0);
    int state = 0;
    ASSERT_EQ(waitpid(child, &state, 0), child);
    ASSERT_TRUE(WIFEXITED(state));
    EXPECT_EQ(WEXITSTATUS(state), 7) << "it wrote, or failed otherwise";
    ASSERT_EQ(Total("flows"), number * kRows);
  }
}

// Two collectors, each with bins and late records of its own, into one table that neither has made yet.
TEST_F(Mongodb, TwoWritersAtOnceAndWhoAsksMeanwhile) {
  MongodbOptions options = Options();
  options.rollups = {{3600, absl::InfiniteDuration()}, {86400, absl::InfiniteDuration()}};
  options.writer_timeout = absl::Seconds(5);
  const BatchBuilder builder = PortFlows(200);
  constexpr int kWriters = 2, kBatches = 24;
  std::vector<pid_t> children;
  for (int writer = 0; writer < kWriters; ++writer) {
    children.push_back(fork());
    ASSERT_GE(children.back(), 0);
    if (children.back() != 0) continue;
    auto sink = NewMongodbSink(options);
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
  auto store = *OpenMongodbStore(Connection());
  size_t running = children.size();
  absl::uint128 before = 0;
  while (running > 0) {
    for (const char* table : {"flows", "flows_1h", "flows_1d"}) {
      query::GroupRequest request;
      request.table = table;
      request.values = {0};
      absl::uint128 total = 0;
      const absl::Status status = store->Sum(request, [&](const query::GroupRow& row) {
        total += row.values[0];
        return true;
      });
      EXPECT_TRUE(status.ok() || absl::IsNotFound(status)) << status;
      EXPECT_EQ(total % 200, 0) << table << " has a part of a batch";
      EXPECT_GE(total, before) << table << " has less than before";
      if (status.ok()) before = total;
    }
    usleep(20000);
    int state = 0;
    if (waitpid(children[running - 1], &state, WNOHANG) == children[running - 1]) {
      EXPECT_TRUE(WIFEXITED(state));
      EXPECT_EQ(WEXITSTATUS(state), 0);
      --running;
    }
  }
  EXPECT_EQ(Total("flows", 0), kWriters * kBatches * 200);
  EXPECT_EQ(Ask("flows_1h", {0, 1}), Ask("flows", {0, 1}));
  EXPECT_EQ(Ask("flows_1d", {0, 1}), Ask("flows", {0, 1}));
}

TEST_F(Mongodb, ThePasswordIsNeverTold) {
  MongodbOptions options = Options();
  const std::string host = options.connection.uri.substr(10);
  options.connection.uri = "mongodb://flowacct:hunter2@" + host;
  absl::Status status = NewMongodbSink(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(absl::StrContains(status.message(), "hunter2")) << status;
  options.connection.uri = "hunter2 is no uri";
  status = NewMongodbSink(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(absl::StrContains(status.message(), "hunter2")) << status;
  // The server that stands in lets nobody in who names a user; a mongod knows none.
  options.connection.uri = "mongodb://flowacct@" + host;
  const std::string file = absl::StrCat(testing::TempDir(), "/password");
  FILE* const out = fopen(file.c_str(), "w");
  ASSERT_NE(out, nullptr);
  fputs("hunter2\n", out);
  fclose(out);
  options.connection.password_file = file;
  status = Open(options)->Write(PortFlowsBatch(PortFlows(1), kDay, 1));
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << status;
  EXPECT_FALSE(absl::StrContains(status.message(), "hunter2")) << status;
  options.connection.password_file = "/no/such/file";
  EXPECT_EQ(Open(options)->Write(PortFlowsBatch(PortFlows(1), kDay, 1)).code(), absl::StatusCode::kFailedPrecondition);
  for (const char* name : {"", "a b", "a.b", "a$b"}) {
    options = Options();
    options.connection.database = name;
    EXPECT_EQ(NewMongodbSink(options).status().code(), absl::StatusCode::kInvalidArgument) << name;
  }
}

TEST(MongodbRouter, IsAskedToShard) {
  std::string why;
  const std::unique_ptr<Server> server = Server::Start(&why, "mongos");
  if (server == nullptr && absl::StrContains(why, "not here")) GTEST_SKIP() << why;
  ASSERT_NE(server, nullptr) << why;
  MongodbOptions options;
  options.connection = server->options();
  options.rollups = {{3600, absl::InfiniteDuration()}};
  auto sink = *NewMongodbSink(options);
  const absl::Status status = sink->Write(PortFlowsBatch(PortFlows(3), kDay, 1));
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(sink->trouble(), "");
  ConnectionOptions admin = server->options();
  admin.database = "admin";
  auto connection = *MongodbConnection::New(admin);
  std::vector<std::string> sharded;
  ASSERT_TRUE(connection
                  ->Find("sharded", Document(), Document(),
                         [&](const bson_t& command) {
                           const std::string collection = TextOf(command, "shardCollection");
                           if (collection.empty()) return true;
                           const auto key = DocumentOf(command, "key");
                           sharded.push_back(absl::StrCat(collection, " ", key ? TextOf(*key->get(), "_id") : ""));
                           return true;
                         })
                  .ok());
  EXPECT_EQ(sharded, (std::vector<std::string>{"flowacct.flows hashed", "flowacct.flows_1h hashed"}));
}

}  // namespace
}  // namespace flowacct::sink::mongodb
