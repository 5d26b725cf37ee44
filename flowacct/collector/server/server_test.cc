// The whole collector within the test: real sockets on loopback, generated exports, sinks that keep what they get.

#include "flowacct/collector/server/server.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/substitute.h"
#include "absl/time/clock.h"
#include "flowacct/base/mutex.h"
#include "flowacct/collector/generate/workload.h"
#include "flowacct/collector/listen/testing/udp_sender.h"
#include "flowacct/collector/server/server_fixture.h"
#include "flowacct/collector/stream/stream_client.h"
#include "flowacct/record/exporter_report.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

class ServerWorkersTest : public ServerTest, public testing::WithParamInterface<int> {};

TEST_P(ServerWorkersTest, WhatWasSentIsWhatIsWritten) {
  const std::string csv = File("out.csv"), filtered = File("tcp.csv");
  auto server = StartServer(absl::Substitute(
      R"(workers: $0
         input { name: "in" udp { listen: "127.0.0.1:0" } }
         pipeline { name: "all" by: "src_addr,dst_addr" sink { print { format: CSV output: "$1" } } }
         pipeline { name: "tcp" by: "src_as" where: "proto tcp" sink { print { format: CSV output: "$2" } } })",
      GetParam(), csv, filtered));
  ASSERT_NE(server, nullptr);
  WorkloadOptions options;
  options.records = 20000;
  WorkloadTruth truth;
  uint64_t datagrams = 0, packets = 0, bytes = 0, records = 0;
  for (int exporter = 1; exporter <= 5; ++exporter) {
    options.seed = static_cast<uint64_t>(exporter);
    auto made = DatagramsOfWorkload(options, &truth);
    ASSERT_TRUE(made.ok()) << made.status();
    datagrams += made->size();
    packets += truth.packets;
    bytes += truth.bytes;
    records += truth.records;
    Send(*server, *made, absl::StrCat("127.0.0.", exporter + 1), datagrams);
  }
  CollectorStatus status = server->Status();
  ExpectIdentity(status);
  EXPECT_EQ(status.inputs[0].records, records);
  EXPECT_EQ(status.pipelines[0].packets, packets);
  EXPECT_EQ(status.pipelines[0].bytes, bytes);
  EXPECT_EQ(server->Exporters(false).size(), 5u);
  ASSERT_TRUE(server->Stop(absl::Seconds(20)).ok());
  const Totals all = TotalsOf(csv);
  EXPECT_EQ(all.packets, packets);
  EXPECT_EQ(all.bytes, bytes);
  EXPECT_EQ(all.flows, records);
  const Totals tcp = TotalsOf(filtered);
  status = server->Status();
  ExpectIdentity(status);
  EXPECT_EQ(tcp.flows, status.pipelines[1].records_aggregated);
  EXPECT_EQ(tcp.packets, status.pipelines[1].packets);
  EXPECT_GT(status.pipelines[1].records_filtered, 0u);
}

INSTANTIATE_TEST_SUITE_P(OneAndTwo, ServerWorkersTest, testing::Values(1, 2));

TEST_F(ServerTest, ReloadLosesNothingAndResetsNothing) {
  const std::string csv = File("out.csv"), added = File("added.csv");
  const std::string before = absl::Substitute(
      R"(input { name: "in" udp { listen: "127.0.0.1:0" } }
         pipeline { name: "kept" by: "src_as,protocol" sink { print { format: CSV output: "$0" } } })",
      csv);
  const std::string after = absl::StrCat(
      before,
      absl::Substitute(
          R"(pipeline { name: "added" by: "src_port,tcp_flags" where: "proto tcp" sink { print { format: CSV output: "$0" } } })",
          added));
  auto server = StartServer(before);
  WorkloadOptions options;
  options.records = 30000;
  WorkloadTruth truth;
  auto made = DatagramsOfWorkload(options, &truth);
  ASSERT_TRUE(made.ok());
  // Templates come in the first datagrams alone, so that what was known before the reload is needed after it, also for
  // fields that nobody had asked for.
  const size_t third = made->size() / 3;
  const std::vector<std::string> first(made->begin(), made->begin() + static_cast<long>(third));
  const std::vector<std::string> second(first.size() + made->begin(), made->begin() + static_cast<long>(2 * third));
  const std::vector<std::string> last(made->begin() + static_cast<long>(2 * third), made->end());
  Send(*server, first, "127.0.0.2", first.size());
  ASSERT_TRUE(server->Reload(Parse(after)).ok());
  Send(*server, second, "127.0.0.2", first.size() + second.size());
  // One that cannot be changes nothing.
  EXPECT_FALSE(server->Reload(Parse(absl::StrCat(before, R"(pipeline { name: "x" by: "nosuch" })"))).ok());
  // Nothing waits for templates.
  ASSERT_EQ(server->Exporters(false).size(), 1u);
  EXPECT_EQ(server->Exporters(false)[0].pending_sets, 0u);
  EXPECT_EQ(server->Exporters(false)[0].flow_records, server->Status().pipelines[0].records_in);
  ASSERT_TRUE(server->Reload(Parse(before)).ok());
  Send(*server, last, "127.0.0.2", made->size());
  const CollectorStatus status = server->Status();
  ExpectIdentity(status);
  EXPECT_EQ(status.reloads, 2u);
  EXPECT_EQ(status.reloads_failed, 1u);
  EXPECT_EQ(status.pipelines[0].records_in, truth.records);
  ASSERT_TRUE(server->Stop(absl::Seconds(20)).ok());
  EXPECT_EQ(TotalsOf(csv).bytes, truth.bytes);
  EXPECT_GT(TotalsOf(added).flows, 0u);
  EXPECT_LT(TotalsOf(added).flows, truth.records);
}

TEST_F(ServerTest, AnswersQuestionsWhileBinsFill) {
  auto server = StartServer(
      R"(workers: 2
         input { name: "in" udp { listen: "127.0.0.1:0" } }
         pipeline { name: "p" by: "src_as,dst_as" sink { memory {} } })");
  WorkloadOptions options;
  options.records = 10000;
  WorkloadTruth truth;
  auto made = DatagramsOfWorkload(options, &truth);
  ASSERT_TRUE(made.ok());
  Send(*server, *made, "127.0.0.3", made->size());
  MemoryQuestion question;
  question.pipeline = "p";
  question.where = "src_as > 0 or src_as = 0";
  question.by = "src_as";
  question.top = 1;
  question.since = absl::Minutes(10);  // some bins are closed already
  auto answer = server->Query(question);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_TRUE(absl::StrContains(*answer, R"("columns": ["src_as", "packets", "bytes", "flows"])")) << *answer;
  const size_t rows = answer->find("\"rows\": [[");
  EXPECT_NE(rows, std::string::npos) << *answer;
  // The sums over all groups, asked twice: asking changes nothing.
  for (int i = 0; i < 2; ++i) {
    uint64_t flows = 0;
    question.top = 0;
    answer = server->Query(question);
    ASSERT_TRUE(answer.ok());
    const absl::string_view all = absl::string_view(*answer).substr(answer->find("\"rows\": [[") + 10);
    for (absl::string_view row : absl::StrSplit(all.substr(0, all.find("]]")), "], [")) {
      uint64_t n = 0;
      ASSERT_TRUE(absl::SimpleAtoi(row.substr(row.rfind(' ') + 1), &n)) << row;
      flows += n;
    }
    EXPECT_EQ(flows, truth.records);
  }
  question.by = "src_addr";
  EXPECT_EQ(std::string(server->Query(question).status().message()),
            "by: the bins have no src_addr; their key is src_as, dst_as");
  question.pipeline = "q";
  EXPECT_EQ(std::string(server->Query(question).status().message()), "no pipeline is called \"q\"; there are p");
  EXPECT_TRUE(server->Stop(absl::Seconds(5)).ok());
}

TEST_F(ServerTest, CapturesGoThroughToTheEnd) {
  const std::string csv = File("out.csv");
  base::Notification ended;
  ServerOptions options;
  options.on_end = [&ended] { ended.Notify(); };
  auto server = Server::New(Parse(absl::Substitute(
                                R"(workers: 2
             input { name: "files" captures { path: "testdata/quickstart.pcap" exit_at_end: true } }
             pipeline { name: "p" by: "dst_as" every: "5m" lateness: "30m" sink { print { format: CSV output: "$0" } } })",
                                csv)),
                            std::move(options));
  ASSERT_TRUE(server.ok()) << server.status();
  ASSERT_TRUE((*server)->Start().ok());
  ASSERT_TRUE(ended.WaitFor(absl::Seconds(30)));
  const CollectorStatus status = (*server)->Status();
  ExpectIdentity(status);
  EXPECT_GT(status.inputs[0].records, 0u);
  ASSERT_TRUE((*server)->Stop(absl::Seconds(10)).ok());
  const CollectorStatus after = (*server)->Status();
  EXPECT_EQ(TotalsOf(csv).flows, after.pipelines[0].records_aggregated);
}

TEST_F(ServerTest, CountersOutliveTheirInput) {
  const std::string pipeline = R"(pipeline { name: "p" by: "src_as" })";
  auto server = StartServer(absl::StrCat(R"(input { name: "a" udp { listen: "127.0.0.1:0" } })", pipeline));
  WorkloadOptions options;
  options.records = 1000;
  auto made = DatagramsOfWorkload(options);
  ASSERT_TRUE(made.ok());
  Send(*server, *made, "127.0.0.2", made->size());
  EXPECT_EQ(server->Status().exporters, 1u);
  ASSERT_TRUE(
      server->Reload(Parse(absl::StrCat(R"(input { name: "b" udp { listen: "127.0.0.1:0" } })", pipeline))).ok());
  const std::vector<record::ExporterReport> reports = server->Exporters(false);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].scope, record::ExporterScope::kForgotten);
  EXPECT_EQ(reports[0].flow_records, 1000u);
  EXPECT_EQ(reports[0].datagrams, made->size());
  EXPECT_EQ(server->Status().exporters, 0u);
}

TEST_F(ServerTest, ASessionEndsWithItsFirstBadMessage) {
  auto server = StartServer(
      R"(workers: 1
         input { name: "in" stream { listen: "127.0.0.1:0" } }
         pipeline { name: "p" by: "src_as" })");
  auto endpoint = ParseEndpoint(server->Status().inputs[0].listen, {EndpointScheme::kTcp});
  ASSERT_TRUE(endpoint.ok()) << endpoint.status();
  WorkloadOptions options;
  options.kind = WorkloadKind::kIpfix;
  options.records = 1000;
  auto made = DatagramsOfWorkload(options);
  ASSERT_TRUE(made.ok());
  const Descriptor good = ConnectTo(*endpoint), bad = ConnectTo(*endpoint, "127.0.0.7");
  for (const std::string& message : *made) SendAll(good, message);
  // A template set that ends within its template, and good messages behind it.
  std::string broken = made->front().substr(0, 16);
  broken.append("\x00\x02\x00\x08\x01\x00\x00\x05", 8);
  broken[2] = 0;
  broken[3] = static_cast<char>(broken.size());
  SendAll(bad, absl::StrCat(made->front(), broken, made->front(), made->front()));
  EXPECT_TRUE(IsClosedByPeer(bad));
  CollectorStatus status;
  for (int i = 0; i < 1000 && status.inputs.empty(); ++i) {
    status = server->Status();
    if (status.inputs[0].received == made->size() + 4) break;
    status.inputs.clear();
    absl::SleepFor(absl::Milliseconds(10));
  }
  ASSERT_FALSE(status.inputs.empty());
  ExpectIdentity(status);
  const uint64_t of_first = status.inputs[0].records - 1000;
  EXPECT_GT(of_first, 0u);
  EXPECT_LT(of_first, 100u);
  // The bad one, and the two behind it.
  EXPECT_EQ(status.inputs[0].decoded.errors(), 3u);
  EXPECT_EQ(status.inputs[0].connections_open, 1u);
  EXPECT_EQ(status.inputs[0].connections_failed, 1u);
}

TEST_F(ServerTest, AdmissionRefusesByCount) {
  auto server = StartServer(
      R"(input { name: "in" udp { listen: "127.0.0.1:0" } admission { allow: "127.0.0.2" } }
         pipeline { name: "p" by: "src_as" })");
  WorkloadOptions options;
  options.records = 1000;
  auto made = DatagramsOfWorkload(options);
  ASSERT_TRUE(made.ok());
  Send(*server, *made, "127.0.0.2", made->size());
  Send(*server, *made, "127.0.0.9", 2 * made->size());
  const CollectorStatus status = server->Status();
  ExpectIdentity(status);
  EXPECT_EQ(status.inputs[0].refused_not_allowed, made->size());
  EXPECT_EQ(status.inputs[0].records, 1000u);
}

struct Wrong {
  const char* text;
  const char* error;
};

TEST_F(ServerTest, WhatCannotBeIsToldWithItsPlace) {
  const std::string input = "input { name: \"in\" udp { listen: \"127.0.0.1:0\" } }\n";
  for (const auto& [text, error] : std::vector<std::pair<std::string, std::string>>{
           {input + "pipeline { name: \"p\" by: \"src_ass\" }",
            "test.conf:2:22: by: key \"src_ass\": no field is called \"src_ass\"; did you mean "},
           {input + "pipeline { name: \"p\" where: \"proto tcpp\" }", "test.conf:2:22: where: filter, column 7: "},
           {input + "pipeline { name: \"p\" sum: \"bites\" }", "test.conf:2:22: sum: "},
           {input + "pipeline { name: \"p\" time_zone: \"Mars/Base\" }",
            "test.conf:2:22: time_zone: \"Mars/Base\" is not"},
           {input + "pipeline { name: \"p\" sink { print { order: \"ttl\" } } }",
            "test.conf:2:37: order: \"ttl\" is not among"},
           {input + "pipeline { name: \"p\" enrich { networks { file: \"/nosuch\" } } }",
            "test.conf:2:42: file: /nosuch: "},
           {"input { name: \"in\" udp { listen: \"127.0.0.1:0\" } admission { allow: \"x\" } } pipeline { name: \"p\" "
            "}",
            "test.conf:1:62: allow: \"x\" is no prefix"}}) {
    auto server = Server::New(Parse(text), {});
    ASSERT_FALSE(server.ok()) << text;
    EXPECT_TRUE(absl::StartsWith(server.status().message(), error)) << server.status().message();
  }
}

}  // namespace
}  // namespace flowacct::collector
