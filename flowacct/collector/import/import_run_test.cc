// What is imported runs: configurations like those of pmacct's quick start, through the import, into the collector.

#include <sqlite3.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/base/mutex.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/config/config_file.h"
#include "flowacct/collector/generate/workload.h"
#include "flowacct/collector/import/pmacct_import.h"
#include "flowacct/collector/listen/testing/udp_sender.h"
#include "flowacct/collector/listen/udp_listener.h"
#include "flowacct/collector/server/collector_status.h"
#include "flowacct/collector/server/server.h"
#include "flowacct/collector/socket/endpoint.h"
#include "flowacct/record/datagram.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

struct QuickStart {
  const char* name;  // of the file
  const char* text;
  // Why the collector does not take it yet, as it says itself; empty: it takes it. Whoever builds what is missing
  // empties it.
  const char* refused;
};

constexpr QuickStart kQuickStarts[] = {
    {"nfacctd_print",
     "daemonize: false\nnfacctd_ip: 127.0.0.1\nnfacctd_port: 2100\nplugins: print[hosts]\n"
     "aggregate[hosts]: src_host, dst_host, flows\nprint_refresh_time[hosts]: 300\nprint_history[hosts]: 5m\n"
     "print_history_roundoff[hosts]: m\nprint_output[hosts]: csv\nprint_output_file[hosts]: FOLDER/hosts.csv\n"
     "print_output_file_append[hosts]: true\n",
     ""},
    {"nfacctd_memory",
     "daemonize: true\nnfacctd_port: 2055\nplugins: memory[in], memory[out]\naggregate[in]: dst_as\n"
     "aggregate[out]: src_as\naggregate_filter[in]: dst net 192.0.2.0/24\naggregate_filter[out]: src net 192.0.2.0/24\n"
     "imt_path[in]: /run/in.pipe\nimt_path[out]: /run/out.pipe\n",
     ""},
    {"nfacctd_capture",
     "pcap_savefile: testdata/quickstart.pcap\nplugins: print\naggregate: dst_as, flows\nprint_history: 5m\n"
     "print_output: csv\nprint_output_file: FOLDER/as.csv\nprint_output_file_append: true\n",
     ""},
    {"sfacctd_memory", "sfacctd_port: 6343\nsfacctd_renormalize: true\nplugins: memory\naggregate: vlan, src_mac\n",
     ""},
    {"pmacctd_print",
     "daemonize: false\npcap_interface: eth0\nplugins: print\naggregate: src_host, dst_host, src_port, dst_port, "
     "proto\n"
     "print_refresh_time: 60\nprint_output: json\n",
     ""},
    {"pmacctd_nfprobe",
     "daemonize: true\npcap_interface: eth0\nplugins: nfprobe\naggregate: src_host, dst_host, src_port, dst_port, "
     "proto, tos\nnfprobe_receiver: 192.0.2.1:2100\nnfprobe_version: 10\nnfprobe_timeouts: tcp=120:maxlife=3600\n",
     ""},
    {"pmacctd_sfprobe",
     "daemonize: true\npcap_interface: eth0\nplugins: sfprobe\nsampling_rate: 20\nsfprobe_agentsubid: 1402\n"
     "sfprobe_receiver: 192.0.2.1:6343\n",
     ""},
    {"nfacctd_tee",
     "nfacctd_ip: 127.0.0.1\nnfacctd_port: 2100\nplugins: tee[a]\ntee_receivers[a]: receivers.lst\n"
     "tee_source_ip[a]: 127.0.0.3\n",
     ""},
    {"nfacctd_tags", "nfacctd_port: 2100\nplugins: print\naggregate: tag\npre_tag_map: pretag.map\nprint_output: csv\n",
     ""},
    {"nfacctd_geoip", "nfacctd_port: 2100\nplugins: print\naggregate: src_host_country\ngeoipv2_file: c.mmdb\n",
     "geoip: c.mmdb: cannot be opened"},
    {"nfacctd_sqlite3",
     "nfacctd_ip: 127.0.0.1\nnfacctd_port: 2100\nplugins: sqlite3[hosts]\nsql_db[hosts]: FOLDER/pmacct.db\n"
     "sql_table[hosts]: acct_v9\nsql_table_version[hosts]: 9\nsql_history[hosts]: 5m\nsql_history_roundoff[hosts]: m\n"
     "sql_refresh_time[hosts]: 300\naggregate[hosts]: src_host, dst_host, flows\n"
     "sql_recovery_backup_host[hosts]: FOLDER/backup.db\n",
     ""},
    {"nfacctd_mysql",
     "nfacctd_port: 2100\nplugins: mysql[in], mysql[out]\naggregate[in]: dst_host\naggregate[out]: src_host\n"
     "aggregate_filter[in]: dst net 192.0.2.0/24\naggregate_filter[out]: src net 192.0.2.0/24\nsql_host: localhost\n"
     "sql_passwd: arealsmartpwd\nsql_table[in]: acct_in\nsql_table[out]: acct_out\nsql_refresh_time: 60\n"
     "sql_optimize_clauses: true\nsql_history: 10m\nsql_history_roundoff: mh\n",
     ""},
    {"nfacctd_mongodb",
     "nfacctd_port: 2100\nplugins: mongodb\naggregate: src_host, dst_host\nmongo_host: 127.0.0.1\n"
     "mongo_table: test.acct\nmongo_history: 5m\nmongo_history_roundoff: m\nmongo_refresh_time: 300\n",
     ""},
    {"nfacctd_pgsql",
     "nfacctd_port: 2100\nplugins: pgsql\naggregate: src_host, dst_host\nsql_host: 127.0.0.1\nsql_db: pmacct\n"
     "sql_table: acct_v9\nsql_table_version: 9\nsql_passwd: arealsmartpwd\nsql_user: pmacct\nsql_refresh_time: 60\n"
     "sql_history: 10m\nsql_history_roundoff: mh\n",
     ""},
    {"nfacctd_amqp",
     "nfacctd_port: 2100\nplugins: amqp\naggregate: src_host, dst_host, src_port, dst_port, proto, tos\n"
     "amqp_exchange: pmacct\namqp_routing_key: acct\namqp_refresh_time: 300\namqp_history: 5m\n"
     "amqp_history_roundoff: m\n",
     ""},
    {"nfacctd_kafka",
     "nfacctd_port: 2100\nplugins: kafka\naggregate: src_host, dst_host, src_port, dst_port, proto, tos\n"
     "kafka_output: json\nkafka_topic: pmacct.acct\nkafka_refresh_time: 300\nkafka_history: 5m\n"
     "kafka_history_roundoff: m\n",
     ""},
    {"uacctd_print", "uacctd_group: 5\nplugins: print\naggregate: src_host, dst_host\n", ""},
};

// Files that they name.
const std::pair<const char*, const char*> kMaps[] = {
    {"receivers.lst", "id=1 ip=127.0.0.1:2101\n"},
    {"pretag.map", "set_tag=1 ip=192.0.2.1 in=4\nset_tag=2 ip=192.0.2.2\n"},
};

// Where this test's files are, as the beginning of a path.
std::string Folder() {
  const std::string test = testing::UnitTest::GetInstance()->current_test_info()->name();
  return absl::StrCat(testing::TempDir(), "/", absl::StrReplaceAll(test, {{"/", "-"}}), "-");
}

// The configuration after the import, with its files written; `changes` to what pmacct would have read.
absl::StatusOr<config::ConfigFile> Imported(const QuickStart& start,
                                            std::vector<std::pair<std::string, std::string>> changes = {}) {
  changes.emplace_back("FOLDER/", Folder());
  PmacctImportOptions options;
  options.rules_stem = absl::StrCat(Folder(), start.name);
  options.read_file = [&](const std::string& path) -> absl::StatusOr<std::string> {
    for (const auto& [name, text] : kMaps) {
      if (path == name) return absl::StrReplaceAll(text, changes);
    }
    return absl::NotFoundError("no such file");
  };
  const auto imported = ImportPmacct(absl::StrReplaceAll(start.text, changes), start.name, options);
  if (!imported.ok()) return imported.status();
  EXPECT_TRUE(imported->runs);
  for (const ImportedFile& file : imported->files) std::ofstream(file.path, std::ios::binary) << file.text;
  return config::ConfigFile::Parse(imported->text, "imported.conf");
}

const QuickStart& Find(absl::string_view name) {
  return *std::find_if(std::begin(kQuickStarts), std::end(kQuickStarts),
                       [name](const QuickStart& start) { return start.name == name; });
}

class QuickStartTest : public testing::TestWithParam<QuickStart> {};

// As flowacct-collector --check does.
TEST_P(QuickStartTest, IsTakenByTheCollector) {
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
  if (std::string(GetParam().name) == "nfacctd_kafka") {
    GTEST_SKIP() << "librdkafka makes its threads by C11's thrd_create, which ThreadSanitizer does not know of";
  }
#endif
#endif
  auto file = Imported(GetParam());
  ASSERT_TRUE(file.ok()) << file.status();
  const auto server = Server::New(*std::move(file), {});
  const absl::string_view refused = GetParam().refused;
  if (refused.empty()) {
    EXPECT_TRUE(server.ok()) << server.status();
  } else {
    ASSERT_FALSE(server.ok()) << "the collector takes it now: empty `refused` in this row";
    EXPECT_TRUE(absl::StrContains(server.status().message(), refused)) << server.status();
  }
}

INSTANTIATE_TEST_SUITE_P(All, QuickStartTest, testing::ValuesIn(kQuickStarts),
                         [](const auto& info) { return std::string(info.param.name); });

// The sums of a column of CSV with a header.
uint64_t SumOf(const std::string& path, absl::string_view column) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  const std::vector<std::string> header = absl::StrSplit(line, ',');
  const auto index = static_cast<size_t>(std::find(header.begin(), header.end(), column) - header.begin());
  EXPECT_LT(index, header.size()) << line;
  uint64_t sum = 0;
  while (std::getline(in, line)) {
    const std::vector<absl::string_view> values = absl::StrSplit(line, ',');
    uint64_t value = 0;
    EXPECT_TRUE(index < values.size() && absl::SimpleAtoi(values[index], &value)) << line;
    sum += value;
  }
  return sum;
}

std::unique_ptr<UdpListener> NewListener() {
  UdpListenerOptions options;
  options.address = "udp://127.0.0.1:0";
  auto group = UdpListener::NewGroup(options, 1);
  EXPECT_TRUE(group.ok()) << group.status();
  return group.ok() ? std::move(group->listeners[0]) : nullptr;
}

// One that nobody else is likely to take meanwhile.
std::string FreePort() { return absl::StrCat(NewListener()->endpoint().port); }

std::vector<std::string> SomeExports(WorkloadTruth* truth) {
  WorkloadOptions options;
  options.records = 2000;
  auto made = DatagramsOfWorkload(options, truth);
  EXPECT_TRUE(made.ok()) << made.status();
  return made.ok() ? *std::move(made) : std::vector<std::string>();
}

void SendTo(Server& server, const std::vector<std::string>& datagrams) {
  const auto endpoint = ParseEndpoint(server.Status().inputs[0].listen, {EndpointScheme::kUdp});
  ASSERT_TRUE(endpoint.ok()) << endpoint.status();
  auto sender = UdpSender::New(*endpoint, "udp://127.0.0.2:0");
  ASSERT_TRUE(sender.ok()) << sender.status();
  UdpSenderPace pace;
  pace.datagrams_per_second = 20000;
  ASSERT_TRUE((*sender)->Send(datagrams, pace).ok());
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (absl::Now() < deadline && server.Status().inputs[0].received < datagrams.size()) {
    absl::SleepFor(absl::Milliseconds(10));
  }
  EXPECT_EQ(server.Status().inputs[0].received, datagrams.size());
}

TEST(ImportRunTest, ACollectorWritesWhatCame) {
  auto file = Imported(Find("nfacctd_print"), {{"2100", FreePort()}});
  ASSERT_TRUE(file.ok()) << file.status();
  auto server = Server::New(*std::move(file), {});
  ASSERT_TRUE(server.ok()) << server.status();
  ASSERT_TRUE((*server)->Start().ok());
  WorkloadTruth truth;
  SendTo(**server, SomeExports(&truth));
  ASSERT_TRUE((*server)->Stop(absl::Seconds(20)).ok());
  const std::string csv = absl::StrCat(Folder(), "hosts.csv");
  EXPECT_EQ(SumOf(csv, "PACKETS"), truth.packets);
  EXPECT_EQ(SumOf(csv, "BYTES"), truth.bytes);
  EXPECT_EQ(SumOf(csv, "FLOWS"), truth.records);
}

uint64_t NumberOf(sqlite3* database, const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  EXPECT_EQ(sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr), SQLITE_OK) << sqlite3_errmsg(database);
  EXPECT_EQ(sqlite3_step(statement), SQLITE_ROW) << sql;
  const auto number = static_cast<uint64_t>(sqlite3_column_int64(statement, 0));
  sqlite3_finalize(statement);
  return number;
}

// In the file that pmacct wrote, beside its table.
TEST(ImportRunTest, ADatabaseHasWhatCame) {
  const std::string path = absl::StrCat(Folder(), "pmacct.db");
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(database, "CREATE TABLE acct_v9 (ip_src CHAR(45)); INSERT INTO acct_v9 VALUES ('192.0.2.1')",
                         nullptr, nullptr, nullptr),
            SQLITE_OK);
  auto file = Imported(Find("nfacctd_sqlite3"), {{"2100", FreePort()}});
  ASSERT_TRUE(file.ok()) << file.status();
  auto server = Server::New(*std::move(file), {});
  ASSERT_TRUE(server.ok()) << server.status();
  ASSERT_TRUE((*server)->Start().ok());
  WorkloadTruth truth;
  SendTo(**server, SomeExports(&truth));
  ASSERT_TRUE((*server)->Stop(absl::Seconds(20)).ok());
  EXPECT_EQ(NumberOf(database, "SELECT SUM(packets) FROM acct_v9_flowacct"), truth.packets);
  EXPECT_EQ(NumberOf(database, "SELECT SUM(bytes) FROM acct_v9_flowacct"), truth.bytes);
  EXPECT_EQ(NumberOf(database, "SELECT SUM(flows) FROM acct_v9_flowacct"), truth.records);
  EXPECT_EQ(NumberOf(database, "SELECT MAX(bin_end - bin_start) FROM acct_v9_flowacct"), 300u);
  EXPECT_EQ(NumberOf(database, "SELECT COUNT(*) FROM acct_v9"), 1u);
  sqlite3_close(database);
}

TEST(ImportRunTest, ACaptureIsReadToItsEnd) {
  auto file = Imported(Find("nfacctd_capture"));
  ASSERT_TRUE(file.ok()) << file.status();
  base::Notification ended;
  ServerOptions options;
  options.on_end = [&ended] { ended.Notify(); };
  auto server = Server::New(*std::move(file), std::move(options));
  ASSERT_TRUE(server.ok()) << server.status();
  ASSERT_TRUE((*server)->Start().ok());
  ASSERT_TRUE(ended.WaitFor(absl::Seconds(30)));
  ASSERT_TRUE((*server)->Stop(absl::Seconds(20)).ok());
  const CollectorStatus status = (*server)->Status();
  EXPECT_GT(status.inputs[0].records, 0u);
  EXPECT_EQ(SumOf(absl::StrCat(Folder(), "as.csv"), "FLOWS"), status.inputs[0].records);
}

TEST(ImportRunTest, AReplicatorSendsOnFromWhereItIsTold) {
  const auto receiver = NewListener();
  auto file =
      Imported(Find("nfacctd_tee"),
               {{"2100", FreePort()}, {"127.0.0.1:2101", absl::StrCat("127.0.0.1:", receiver->endpoint().port)}});
  ASSERT_TRUE(file.ok()) << file.status();
  auto server = Server::New(*std::move(file), {});
  ASSERT_TRUE(server.ok()) << server.status();
  const absl::Status started = (*server)->Start();
  ASSERT_TRUE(started.ok()) << started;
  WorkloadTruth truth;
  const std::vector<std::string> sent = SomeExports(&truth);
  SendTo(**server, sent);
  std::vector<std::string> received;
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (received.size() < sent.size() && absl::Now() < deadline) {
    for (const record::Datagram& datagram : receiver->Receive()) {
      EXPECT_EQ(datagram.source.ToString(), "127.0.0.3");
      received.emplace_back(base::AsText(datagram.octets));
    }
  }
  EXPECT_EQ(received, sent);
  EXPECT_TRUE((*server)->Stop(absl::Seconds(20)).ok());
}

}  // namespace
}  // namespace flowacct::collector
