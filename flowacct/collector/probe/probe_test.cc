#include "flowacct/collector/probe/probe.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/base/interner.h"
#include "flowacct/collector/generate/pcap_writer.h"
#include "flowacct/collector/generate/workload.h"
#include "flowacct/collector/replay/capture_input.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/layout.h"

namespace flowacct::collector {
namespace {

using record::FieldId;
using sink::ExportFormat;

struct Sums {
  uint64_t rows = 0, packets = 0, bytes = 0, scaled_packets = 0;
};

class ProbeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = absl::StrCat(::testing::TempDir(), "/probe_", getpid(), "_",
                         ::testing::UnitTest::GetInstance()->current_test_info()->name());
  }
  void TearDown() override {
    unlink(Packets().c_str());
    unlink(Exports().c_str());
  }
  std::string Packets() const { return path_ + "_packets.pcap"; }
  std::string Exports() const { return path_ + "_exports.pcap"; }

  WorkloadTruth Generate(uint64_t packets, WorkloadKind kind = WorkloadKind::kPackets) {
    WorkloadOptions options;
    options.kind = kind;
    options.records = packets;
    options.distinct_keys = 2000;
    options.records_per_second = 500;
    auto generator = *NewWorkloadGenerator(options);
    auto writer = *PcapWriter::New(Packets());
    CapturedPacket packet;
    while (generator->Next(&packet)) EXPECT_TRUE(writer->Write(packet).ok());
    EXPECT_TRUE(writer->Close().ok());
    return generator->Truth();
  }
  ProbeOptions Options(ExportFormat format) {
    ProbeOptions options;
    options.files = {Packets()};
    options.exports.format = format;
    options.output = Exports();
    return options;
  }
  // What this project's decoders read of the exports.
  Sums Read() {
    const record::Layout layout({FieldId::kPackets, FieldId::kBytes, FieldId::kSamplingRate});
    base::Interner interner;
    CaptureInput input(&layout, &interner, {});
    EXPECT_TRUE(input.Open(Exports()).ok());
    record::FlowBatch batch(&layout, &interner);
    const record::DecodeOutput output{&batch, nullptr, nullptr};
    Sums sums;
    while (*input.Decode(output)) {
      for (size_t i = 0; i < batch.size(); ++i) {
        const record::RowView row = batch.row(i);
        const uint64_t rate = row.Has(FieldId::kSamplingRate) ? row.Get<FieldId::kSamplingRate>() : 1;
        ++sums.rows;
        sums.packets += row.Get<FieldId::kPackets>();
        sums.bytes += row.Get<FieldId::kBytes>();
        sums.scaled_packets += row.Get<FieldId::kPackets>() * rate;
      }
      batch.Clear();
    }
    const InputCounters counters = input.counters();
    EXPECT_EQ(counters.datagram_errors.errors(), 0u);
    for (const record::ExporterReport& report : input.Report()) {
      EXPECT_EQ(report.sequence.gaps + report.sequence.restarts, 0u);
      EXPECT_EQ(report.pending_sets + report.rejected_sets, 0u);
    }
    return sums;
  }

  std::string path_;
};

TEST_F(ProbeTest, WhatWentInCameOutInEveryFormat) {
  const WorkloadTruth truth = Generate(30000);
  for (const ExportFormat format : {ExportFormat::kIpfix, ExportFormat::kNetflow9, ExportFormat::kSflow5}) {
    const auto outcome = RunProbe(Options(format));
    ASSERT_TRUE(outcome.ok()) << outcome.status();
    EXPECT_TRUE(outcome->failures.empty());
    const Sums sums = Read();
    EXPECT_EQ(sums.packets, truth.packets) << sink::ExportFormatName(format);
    EXPECT_EQ(sums.bytes, truth.bytes) << sink::ExportFormatName(format);
    EXPECT_EQ(sums.rows, outcome->exports.records);
    EXPECT_EQ(outcome->exports.rows_in, outcome->exports.rows_exported);
    if (format == ExportFormat::kSflow5) {
      EXPECT_EQ(sums.rows, truth.packets);
    } else {
      EXPECT_GT(sums.rows, truth.distinct_five_tuples);
      EXPECT_LT(sums.rows, truth.packets);
      EXPECT_EQ(sums.rows, outcome->meter.flows_started);
    }
    EXPECT_EQ(Summary(*outcome).size(), 1u) << Summary(*outcome)[1];
  }
}

TEST_F(ProbeTest, NetflowVersion5LeavesOutIpv6AndSaysSo) {
  const WorkloadTruth truth = Generate(10000);
  const auto outcome = RunProbe(Options(ExportFormat::kNetflow5));
  ASSERT_TRUE(outcome.ok());
  const Sums sums = Read();
  const uint64_t refused = outcome->exports.rows_refused[static_cast<size_t>(sink::ExportRefusal::kNotIpv4)];
  EXPECT_GT(refused, 0u);
  EXPECT_EQ(outcome->exports.rows_in, refused + sums.rows);
  EXPECT_LT(sums.packets, truth.packets);
  EXPECT_EQ(Summary(*outcome).size(), 2u);
}

TEST_F(ProbeTest, SamplingIsToldToTheCollector) {
  const WorkloadTruth truth = Generate(40000);
  for (const ExportFormat format : {ExportFormat::kIpfix, ExportFormat::kNetflow9, ExportFormat::kSflow5}) {
    ProbeOptions options = Options(format);
    options.sample = 10;
    options.exports.sampling_rate = 3;  // of the capture
    const auto outcome = RunProbe(options);
    ASSERT_TRUE(outcome.ok()) << outcome.status();
    const Sums sums = Read();
    EXPECT_EQ(sums.packets + outcome->passed_over, truth.packets);
    EXPECT_EQ(outcome->records, truth.packets);
    EXPECT_EQ(sums.scaled_packets, 30 * sums.packets) << sink::ExportFormatName(format);
    EXPECT_NEAR(static_cast<double>(sums.packets), 4000, 250);
  }
}

TEST_F(ProbeTest, CapturesOfExportsAreMeteredToo) {
  const WorkloadTruth truth = Generate(5000, WorkloadKind::kSflow);
  const auto outcome = RunProbe(Options(ExportFormat::kIpfix));
  ASSERT_TRUE(outcome.ok());
  const Sums sums = Read();
  EXPECT_EQ(sums.packets, truth.packets);
  EXPECT_EQ(sums.bytes, truth.bytes);
  EXPECT_EQ(sums.scaled_packets, 1000 * truth.packets);  // in each record
}

TEST_F(ProbeTest, FieldsThatAreAskedForAreMeteredAndTold) {
  Generate(2000);
  ProbeOptions options = Options(ExportFormat::kIpfix);
  options.exports.fields = {"src_host", "dst_addr", "src_mac", "min_ttl", "max_packet_length", "bytes", "packets"};
  ASSERT_TRUE(RunProbe(options).ok());
  const record::Layout layout(
      {FieldId::kSrcAddr, FieldId::kSrcMac, FieldId::kMinTtl, FieldId::kMaxPacketLength, FieldId::kSrcPort});
  base::Interner interner;
  CaptureInput input(&layout, &interner, {});
  ASSERT_TRUE(input.Open(Exports()).ok());
  record::FlowBatch batch(&layout, &interner);
  ASSERT_TRUE(*input.Decode({&batch, nullptr, nullptr}));
  EXPECT_TRUE(batch.row(0).Has(FieldId::kSrcAddr));
  EXPECT_EQ(batch.row(0).Get<FieldId::kMinTtl>(), 64);
  EXPECT_GT(batch.row(0).Get<FieldId::kMaxPacketLength>(), 0u);
  EXPECT_EQ(batch.row(0).Get<FieldId::kSrcMac>().ToString(), "02:00:00:00:00:02");
  EXPECT_FALSE(batch.row(0).Has(FieldId::kSrcPort));
}

TEST_F(ProbeTest, SendsToACollector) {
  Generate(2000);
  const int receiver = socket(AF_INET, SOCK_DGRAM, 0);
  ASSERT_GE(receiver, 0);
  const int octets = 4 << 20;
  setsockopt(receiver, SOL_SOCKET, SO_RCVBUF, &octets, sizeof(octets));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(receiver, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  socklen_t length = sizeof(address);
  ASSERT_EQ(getsockname(receiver, reinterpret_cast<sockaddr*>(&address), &length), 0);
  ProbeOptions options = Options(ExportFormat::kNetflow9);
  options.output = absl::StrCat("udp://127.0.0.1:", ntohs(address.sin_port));
  options.datagrams_per_second = 5000;
  const auto outcome = RunProbe(options);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  uint64_t received = 0;
  uint8_t buffer[2000];
  while (recv(receiver, buffer, sizeof(buffer), MSG_DONTWAIT) > 0) ++received;
  close(receiver);
  EXPECT_EQ(received, outcome->exports.datagrams);
  EXPECT_GT(received, 10u);
}

TEST_F(ProbeTest, WhatFailsIsTold) {
  Generate(1000);
  ProbeOptions options = Options(ExportFormat::kIpfix);
  options.files = {"/nonexistent.pcap", Packets()};
  const auto outcome = RunProbe(options);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->failures.size(), 1u);
  EXPECT_EQ(Read().packets, 1000u);

  options = Options(ExportFormat::kIpfix);
  options.output = "/nonexistent/folder/x.pcap";
  EXPECT_EQ(RunProbe(options).status().code(), absl::StatusCode::kUnknown);
  for (const char* target :
       {"udp://", "udp://127.0.0.1", "udp://:1", "udp://127.0.0.1:", "udp://::1:2055", "udp://127.0.0.1:notaport"}) {
    options.output = target;
    EXPECT_EQ(RunProbe(options).status().code(), absl::StatusCode::kInvalidArgument) << target;
  }
  options = Options(ExportFormat::kIpfix);
  options.sample = 0;
  EXPECT_EQ(RunProbe(options).status().code(), absl::StatusCode::kInvalidArgument);
  options = Options(ExportFormat::kIpfix);
  options.exports.max_datagram_octets = 65535;
  EXPECT_EQ(RunProbe(options).status().code(), absl::StatusCode::kInvalidArgument);
  options = Options(ExportFormat::kIpfix);
  options.meter.key = {"nothing"};
  EXPECT_EQ(RunProbe(options).status().code(), absl::StatusCode::kInvalidArgument);
  if (access("/dev/full", W_OK) == 0) {
    options = Options(ExportFormat::kIpfix);
    options.output = "/dev/full";
    const auto full = RunProbe(options);
    ASSERT_TRUE(full.ok());
    EXPECT_EQ(full->failures.size(), 1u);
  }
}

}  // namespace
}  // namespace flowacct::collector
