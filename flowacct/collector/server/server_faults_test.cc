// What goes wrong around a collector, each with its outcome: ports that are taken, disks that are full, floods of
// octets that mean nothing, storms of templates, exporters that begin anew.

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/server/server_fixture.h"
#include "flowacct/record/exporter_report.h"

namespace flowacct::collector {
namespace {

using ServerFaultsTest = ServerTest;

constexpr char kInput[] = R"(workers: 1 input { name: "in" udp { listen: "127.0.0.1:0" } })";

TEST_F(ServerFaultsTest, APortThatIsTakenIsNamed) {
  auto first = StartServer(absl::StrCat(kInput, R"(pipeline { name: "p" })"));
  const std::string listen = first->Status().inputs[0].listen;
  const std::string text =
      absl::Substitute("input { name: \"in\" udp { listen: \"$0\" } }\npipeline { name: \"p\" }", listen);
  auto second = Server::New(Parse(text), {});
  ASSERT_TRUE(second.ok());
  const absl::Status status = (*second)->Start();
  EXPECT_TRUE(absl::StartsWith(status.message(), "test.conf:1:26: listen: ")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), listen)) << status;
  // A reload that asks for it is refused, and what runs goes on.
  auto third = StartServer(absl::StrCat(kInput, R"(pipeline { name: "p" })"));
  EXPECT_FALSE(third->Reload(Parse(text)).ok());
  WorkloadOptions options;
  options.records = 240;
  auto made = DatagramsOfWorkload(options);
  ASSERT_TRUE(made.ok());
  Send(*third, *made, "127.0.0.2", made->size());
  EXPECT_EQ(third->Status().pipelines[0].records_in, 240u);
  ExpectIdentity(third->Status());
}

TEST_F(ServerFaultsTest, AFullDiskIsToldAndCounted) {
  auto server = StartServer(absl::StrCat(
      kInput, R"(pipeline { name: "p" by: "src_as" every: "1h" sink { print { format: CSV output: "/dev/full" } } })"));
  WorkloadOptions options;
  options.records = 2400;
  auto made = DatagramsOfWorkload(options);
  ASSERT_TRUE(made.ok());
  Send(*server, *made, "127.0.0.2", made->size());
  (void)server->Stop(absl::Seconds(10));
  const CollectorStatus status = server->Status();
  ExpectIdentity(status);
  const SinkStatus& sink = status.pipelines[0].sinks[0];
  EXPECT_GT(sink.failed, 0u);
  EXPECT_EQ(sink.written, 0u);
  EXPECT_GT(sink.rows_lost, 0u);
  EXPECT_TRUE(absl::StrContains(sink.last_error, "/dev/full")) << sink.last_error;
  EXPECT_TRUE(absl::StrContains(sink.last_error, "No space left on device")) << sink.last_error;
  base::MutexLock lock(&mutex_);
  size_t told = 0;
  for (const std::string& line : log_) told += absl::StrContains(line, "No space left on device");
  EXPECT_EQ(told, 1u);
}

TEST_F(ServerFaultsTest, AFloodOfGarbageIsCountedByReasonAndAccountsNothing) {
  auto server = StartServer(absl::StrCat(kInput, R"(pipeline { name: "p" })"));
  std::mt19937 random(1);
  std::vector<std::string> garbage;
  for (int i = 0; i < 20000; ++i) {
    std::string octets(random() % 200, '\0');
    for (char& octet : octets) octet = static_cast<char>(random());
    // Half of them claim to be something.
    if (octets.size() > 4 && i % 2 == 0) {
      octets[0] = 0;
      octets[1] = static_cast<char>(i % 4 == 0 ? 9 : 10);
    }
    garbage.push_back(std::move(octets));
  }
  WorkloadOptions options;
  options.records = 240;
  auto made = DatagramsOfWorkload(options);
  ASSERT_TRUE(made.ok());
  Send(*server, garbage, "127.0.0.9", garbage.size());
  Send(*server, *made, "127.0.0.2", garbage.size() + made->size());
  const CollectorStatus status = server->Status();
  ExpectIdentity(status);
  EXPECT_EQ(status.inputs[0].received, garbage.size() + made->size());
  EXPECT_GT(status.inputs[0].decoded.errors(), 19000u);
  EXPECT_EQ(status.pipelines[0].records_in, status.inputs[0].records);
  uint64_t of_exporters = 0, good = 0;
  for (const record::ExporterReport& exporter : server->Exporters(false)) {
    of_exporters += exporter.datagrams;
    if (exporter.exporter == *base::IpAddress::Parse("127.0.0.2")) good += exporter.flow_records;
  }
  EXPECT_EQ(good, 240u);
  EXPECT_LE(of_exporters, status.inputs[0].received);
}

// A v9 datagram that defines `templates` templates of three fields, from `id` on, for a source id.
std::string TemplateStorm(uint32_t source_id, uint16_t id, uint16_t templates) {
  base::OctetWriter out;
  out.U16(9).U16(1).U32(1000).U32(1700000000).U32(0).U32(source_id);
  out.U16(0).U16(static_cast<uint16_t>(4 + templates * 16));
  for (uint16_t i = 0; i < templates; ++i) {
    out.U16(static_cast<uint16_t>(id + i))
        .U16(3)
        .U16(8)
        .U16(4)
        .U16(2)
        .U16(4)
        .U16(1)
        .U16(static_cast<uint16_t>(1 + i % 8));
  }
  return std::string(base::AsText(out.octets()));
}

TEST_F(ServerFaultsTest, AStormOfTemplatesIsBounded) {
  auto server = StartServer(
      absl::StrCat(kInput, R"(pipeline { name: "p" } limits { max_domains: 50 max_template_memory: "1MiB" })"));
  std::vector<std::string> storm;
  for (uint32_t domain = 0; domain < 500; ++domain) {
    for (uint16_t block = 0; block < 4; ++block) {
      storm.push_back(TemplateStorm(domain, static_cast<uint16_t>(256 + 80 * block), 80));
    }
  }
  Send(*server, storm, "127.0.0.9", storm.size());
  const CollectorStatus status = server->Status();
  ExpectIdentity(status);
  EXPECT_LE(status.domains, 50u);
  EXPECT_GT(status.inputs[0].decoded[base::DecodeCode::kLimitExceeded], 0u);
  uint64_t beyond = 0, templates = 0;
  for (const record::ExporterReport& exporter : server->Exporters(false)) {
    if (exporter.scope == record::ExporterScope::kBeyond) beyond += exporter.datagrams;
    templates += exporter.template_count;
  }
  EXPECT_GT(beyond, 0u);
  EXPECT_LT(templates, 50u * 320);
}

TEST_F(ServerFaultsTest, AnExporterThatBeginsAnewLosesNothing) {
  auto server = StartServer(absl::StrCat(kInput, R"(pipeline { name: "p" })"));
  WorkloadOptions options;
  options.records = 24000;
  WorkloadTruth truth;
  auto made = DatagramsOfWorkload(options, &truth);
  ASSERT_TRUE(made.ok());
  for (int boot = 1; boot <= 3; ++boot) {
    Send(*server, *made, "127.0.0.2", static_cast<uint64_t>(boot) * made->size());
  }
  const std::vector<record::ExporterReport> exporters = server->Exporters(false);
  ASSERT_EQ(exporters.size(), 1u);
  EXPECT_EQ(exporters[0].flow_records, 3 * truth.records);
  EXPECT_EQ(exporters[0].sequence.lost, 0u);
  EXPECT_EQ(server->Status().pipelines[0].records_in, 3 * truth.records);
  ExpectIdentity(server->Status());
}

}  // namespace
}  // namespace flowacct::collector
