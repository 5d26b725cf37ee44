// One collector exports to another, over real sockets on loopback: what the second accounts is what the first did.

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/collector/connection/testing/certificates.h"
#include "flowacct/collector/generate/workload.h"
#include "flowacct/collector/listen/testing/udp_sender.h"
#include "flowacct/collector/server/collector_status.h"
#include "flowacct/collector/server/server_fixture.h"
#include "flowacct/collector/socket/endpoint.h"
#include "flowacct/record/exporter_report.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

std::vector<std::string> SortedLines(const std::string& path) {
  std::ifstream in(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::string CsvSink(const std::string& path) {
  return absl::Substitute(R"(sink { print { format: CSV output: "$0" } })", path);
}

class ServerExportTest : public ServerTest {
 protected:
  // A pipeline that keeps its bins open until the end; `input` and `sinks` are parts of the configuration.
  std::unique_ptr<Server> StartServer(absl::string_view input, absl::string_view sinks, absl::string_view by) {
    return ServerTest::StartServer(absl::Substitute(R"(input { name: "in" $0 }
                            pipeline { name: "all" by: "$1" sum: "packets,bytes" lateness: "2h"
                                       scale_sampled: false $2 })",
                                                    input, by, sinks));
  }

  // Flows of the last minutes, told to the server by another exporter.
  WorkloadTruth Feed(Server& server, WorkloadKind kind, uint64_t records = 20000) {
    WorkloadOptions options;
    options.kind = kind;
    options.records = records;
    options.distinct_keys = 5000;
    options.records_per_second = 200;
    options.start_seconds = static_cast<uint32_t>(absl::ToUnixSeconds(absl::Now())) - 300;
    WorkloadTruth truth;
    auto datagrams = DatagramsOfWorkload(options, &truth);
    EXPECT_TRUE(datagrams.ok()) << datagrams.status();
    auto endpoint = ParseEndpoint(server.Status().inputs[0].listen, {EndpointScheme::kUdp});
    EXPECT_TRUE(endpoint.ok()) << endpoint.status();
    auto sender = UdpSender::New(*endpoint, "udp://127.0.0.2:0");
    EXPECT_TRUE(sender.ok()) << sender.status();
    UdpSenderPace pace;
    pace.datagrams_per_second = 20000;
    EXPECT_TRUE((*sender)->Send(*datagrams, pace).ok());
    WaitForRecords(server, truth.records);
    return truth;
  }

  static void WaitForRecords(Server& server, uint64_t records) {
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    while (server.Status().inputs[0].records < records && absl::Now() < deadline) {
      absl::SleepFor(absl::Milliseconds(10));
    }
    EXPECT_EQ(server.Status().inputs[0].records, records);
    EXPECT_EQ(server.Status().inputs[0].kernel_dropped, 0u) << "the test's rate is too high for this machine";
  }
};

constexpr absl::string_view kUdpInput = R"(udp { listen: "127.0.0.1:0" })";

struct Case {
  const char* name;
  WorkloadKind kind;
  const char* protocol;
  const char* transport;
  const char* by;
};

class ServerExportCasesTest : public ServerExportTest, public testing::WithParamInterface<Case> {};

TEST_P(ServerExportCasesTest, TheSecondCollectorAccountsTheSame) {
  const Case& c = GetParam();
  const bool tls = c.transport == absl::string_view("TLS"), udp = c.transport == absl::string_view("UDP");
  CertificateFolder folder;
  std::string input(kUdpInput), trust;
  if (!udp) input = R"(stream { listen: "127.0.0.1:0" })";
  if (tls) {
    const CertificateFiles authority = folder.NewAuthority("authority");
    const CertificateFiles server = folder.NewCertificate("server", authority, {"", "127.0.0.1"});
    const CertificateFiles client = folder.NewCertificate("client", authority, {"probe.example"});
    const auto text = [&](const CertificateFiles& files) {
      return absl::Substitute(R"(tls { certificate: "$0" key: "$1" authority: "$2" })", files.certificate_file,
                              files.key_file, authority.certificate_file);
    };
    input = absl::Substitute(R"(stream { listen: "127.0.0.1:0" $0 })", text(server));
    trust = text(client);
  }
  const std::string first_csv = File("first.csv"), second_csv = File("second.csv");
  auto second = StartServer(input, CsvSink(second_csv), c.by);
  ASSERT_NE(second, nullptr);
  const std::string to = second->Status().inputs[0].listen;
  auto first = StartServer(
      kUdpInput,
      absl::StrCat(CsvSink(first_csv), absl::Substitute(R"(sink { export { protocol: $0 transport: $1 to: "$2" $3 } })",
                                                        c.protocol, c.transport, to, trust)),
      c.by);
  ASSERT_NE(first, nullptr);
  const WorkloadTruth truth = Feed(*first, c.kind);
  ASSERT_TRUE(first->Stop(absl::Seconds(20)).ok());
  const SinkStatus sink = first->Status().pipelines[0].sinks[1];
  EXPECT_TRUE(absl::StrContains(sink.name, absl::StrCat("export 2 to ", to))) << sink.name;
  EXPECT_EQ(sink.rows_lost, 0u) << sink.last_error;
  EXPECT_EQ(sink.last_error, "");
  EXPECT_EQ(sink.batches, sink.written);
  EXPECT_EQ(sink.rows_written, first->Status().pipelines[0].sinks[0].rows_written);
  WaitForRecords(*second, sink.rows_written);
  for (const record::ExporterReport& report : second->Exporters(false)) {
    EXPECT_EQ(report.sequence.gaps + report.sequence.restarts, 0u);
    EXPECT_EQ(report.pending_sets + report.rejected_sets, 0u);
  }
  ASSERT_TRUE(second->Stop(absl::Seconds(20)).ok());
  const Totals accounted = TotalsOf(second_csv);
  EXPECT_EQ(accounted.packets, truth.packets);
  EXPECT_EQ(accounted.bytes, truth.bytes);
  const std::vector<std::string> expected = SortedLines(first_csv), told = SortedLines(second_csv);
  ASSERT_EQ(told.size(), expected.size());
  EXPECT_GT(told.size(), 1000u);
  for (size_t i = 0; i < told.size(); ++i) ASSERT_EQ(told[i], expected[i]) << i;
}

constexpr const char* kFiveTuple = "src_addr,dst_addr,protocol,src_port,dst_port";
INSTANTIATE_TEST_SUITE_P(All, ServerExportCasesTest,
                         testing::Values(Case{"v5", WorkloadKind::kNetFlow5, "NETFLOW5", "UDP", kFiveTuple},
                                         Case{"v9", WorkloadKind::kNetFlow9, "NETFLOW9", "UDP", kFiveTuple},
                                         Case{"ipfix", WorkloadKind::kIpfix, "IPFIX", "UDP", kFiveTuple},
                                         Case{"ipfix_tcp", WorkloadKind::kIpfix, "IPFIX", "TCP", kFiveTuple},
                                         Case{"ipfix_tls", WorkloadKind::kNetFlow9, "IPFIX", "TLS",
                                              "src_as,dst_as,src_port,tcp_flags"}),
                         [](const testing::TestParamInfo<Case>& info) { return info.param.name; });

TEST_F(ServerExportTest, SflowTellsSinglePacketsAndCountsTheOthers) {
  const std::string csv = File("second.csv");
  auto second = StartServer(kUdpInput, CsvSink(csv), kFiveTuple);
  auto first = StartServer(
      kUdpInput,
      absl::Substitute(R"(sink { export { protocol: SFLOW5 to: "$0" } })", second->Status().inputs[0].listen),
      "src_addr,dst_addr,protocol,src_port,dst_port,tos,tcp_flags,in_if,out_if");
  Feed(*first, WorkloadKind::kSflow, 5000);
  ASSERT_TRUE(first->Stop(absl::Seconds(20)).ok());
  const SinkStatus sink = first->Status().pipelines[0].sinks[0];
  EXPECT_GT(sink.rows_written, 100u);
  EXPECT_GT(sink.rows_lost, 0u);
  WaitForRecords(*second, sink.rows_written);
  ASSERT_TRUE(second->Stop(absl::Seconds(20)).ok());
  EXPECT_EQ(TotalsOf(csv).packets, sink.rows_written);
}

// The key and the sampling rate of each record, and of what is asked for only that.
TEST_F(ServerExportTest, FieldsAndSamplingAreToldAsAsked) {
  const std::string csv = File("second.csv");
  auto second = StartServer(kUdpInput, CsvSink(csv), "src_addr,dst_addr,protocol,sampling_rate");
  auto first =
      StartServer(kUdpInput,
                  absl::Substitute(R"(sink { export { to: "$0" fields: "src_addr, packets" sampling_rate: 7 domain: 3
                                                      template_refresh: "1s" max_datagram: 600 } })",
                                   second->Status().inputs[0].listen),
                  "src_addr,dst_addr,protocol");
  const WorkloadTruth truth = Feed(*first, WorkloadKind::kNetFlow9, 5000);
  ASSERT_TRUE(first->Stop(absl::Seconds(20)).ok());
  const SinkStatus sink = first->Status().pipelines[0].sinks[0];
  EXPECT_EQ(sink.rows_lost, 0u) << sink.last_error;
  WaitForRecords(*second, sink.rows_written);
  ASSERT_EQ(second->Exporters(false).size(), 1u);
  EXPECT_EQ(second->Exporters(false)[0].domain, 3u);
  ASSERT_TRUE(second->Stop(absl::Seconds(20)).ok());
  EXPECT_EQ(TotalsOf(csv).packets, truth.packets);
  size_t rows = 0;
  for (const std::string& line : SortedLines(csv)) {
    if (!absl::StrContains(line, ",7,")) continue;
    ++rows;
    EXPECT_TRUE(absl::StrContains(line, ",,,7,")) << line;  // no dst_addr, no protocol
  }
  EXPECT_GT(rows, 100u);
}

std::string FreePort(absl::string_view input) {
  auto file = config::ConfigFile::Parse(
      absl::Substitute(R"(input { name: "in" $0 } pipeline { name: "p" sink { memory {} } })", input), "test.conf");
  auto server = Server::New(*std::move(file), {});
  EXPECT_TRUE((*server)->Start().ok());
  return (*server)->Status().inputs[0].listen;
}

TEST_F(ServerExportTest, AReceiverThatIsNotThereLosesNothingInSilence) {
  const std::string udp = FreePort(kUdpInput), tcp = FreePort(R"(stream { listen: "127.0.0.1:0" })");
  const std::string csv = File("second.csv");
  auto second = StartServer(kUdpInput, CsvSink(csv), kFiveTuple);
  // One of three is there, and gets all.
  auto first = StartServer(
      kUdpInput,
      absl::Substitute(R"(sink { export { to: "$0" to: "$1" } } sink { export { transport: TCP to: "$2" } })", udp,
                       second->Status().inputs[0].listen, tcp),
      kFiveTuple);
  const WorkloadTruth truth = Feed(*first, WorkloadKind::kNetFlow9, 5000);
  ASSERT_TRUE(first->Stop(absl::Seconds(20)).ok());
  const std::vector<SinkStatus> sinks = first->Status().pipelines[0].sinks;
  ASSERT_EQ(sinks.size(), 3u);
  const uint64_t rows = sinks[1].rows_written;
  EXPECT_GT(rows, 1000u);
  EXPECT_EQ(sinks[1].rows_lost, 0u);
  EXPECT_EQ(sinks[0].rows_lost, rows);
  EXPECT_EQ(sinks[0].rows_written, 0u);
  EXPECT_TRUE(absl::StrContains(sinks[0].last_error, "nobody listens there")) << sinks[0].last_error;
  EXPECT_EQ(sinks[2].rows_lost, rows);
  EXPECT_EQ(sinks[2].rows_written, 0u);
  EXPECT_TRUE(absl::StrContains(sinks[2].last_error, "not connected: Connection refused")) << sinks[2].last_error;
  WaitForRecords(*second, rows);
  ASSERT_TRUE(second->Stop(absl::Seconds(20)).ok());
  EXPECT_EQ(TotalsOf(csv).bytes, truth.bytes);
}

TEST(ServerExportConfigTest, ErrorsNamePlaceOptionAndRemedy) {
  struct Wrong {
    const char* exports;
    const char* error;
  };
  for (const Wrong& wrong : {
           Wrong{R"(protocol: NETFLOW9 transport: TCP to: "192.0.2.1:2055")",
                 "c.conf:3:31: transport: NETFLOW9 goes over UDP alone; IPFIX goes over TCP and TLS too"},
           Wrong{R"(to: "192.0.2.1:4739" tls { })", "c.conf:3:33: tls: is for transport: TLS"},
           Wrong{R"(to: "192.0.2.1:4739" to: "192.0.2.2")", "c.conf:3:33: to: 'udp://192.0.2.2' has no port"},
           Wrong{R"(to: "tcp://192.0.2.1:4739")", "c.conf:3:12: to: 'tcp://192.0.2.1:4739' has the transport 'tcp'"},
           Wrong{R"(to: "collector.example:4739")", "c.conf:3:12: to: "},
           Wrong{R"(to: "0.0.0.0:4739")", "c.conf:3:12: to: 0.0.0.0:4739 is no address that can be sent to"},
           Wrong{R"(to: "192.0.2.1:1" fields: "src_addr,dst_as")",
                 "c.conf:3:30: fields: dst_as is in neither by nor sum of the pipeline"},
           Wrong{R"(to: "192.0.2.1:1" fields: "src_adr")", "c.conf:3:30: fields: "},
           Wrong{R"(to: "192.0.2.1:1" fields: "local_pref")",
                 "c.conf:3:30: fields: local_pref: ipfix has no information element for it"},
           Wrong{R"(to: "192.0.2.1:1" max_datagram: 100)", "c.conf:3:30: max_datagram: 100: is between 512 and"},
           Wrong{R"(protocol: NETFLOW5 to: "192.0.2.1:1" sampling_rate: 20000)",
                 "c.conf:3:49: sampling_rate: 20000: v5 tells at most 16383; use v9 or ipfix"},
           Wrong{R"(protocol: NETFLOW5 to: "192.0.2.1:1" domain: 70000)", "c.conf:3:49: domain: 70000: "},
           Wrong{R"(transport: TLS to: "192.0.2.1:1" tls { authority: "/nonexistent.pem" })", "c.conf:3:45: tls: "},
       }) {
    auto file = config::ConfigFile::Parse(absl::Substitute(R"(input { name: "in" udp { listen: "127.0.0.1:0" } }
pipeline { name: "p" by: "src_addr" sink {
  export { $0 } } })",
                                                           wrong.exports),
                                          "c.conf");
    ASSERT_TRUE(file.ok()) << file.status();
    const auto server = Server::New(*std::move(file), {});
    ASSERT_FALSE(server.ok()) << wrong.exports;
    EXPECT_EQ(server.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_TRUE(absl::StrContains(server.status().message(), wrong.error)) << server.status();
  }
}

}  // namespace
}  // namespace flowacct::collector
