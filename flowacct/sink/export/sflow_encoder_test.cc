#include "flowacct/sink/export/sflow_encoder.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/record/row.h"
#include "flowacct/sink/export/testing/exported.h"
#include "flowacct/testing/allocation_counter.h"

namespace flowacct::sink {
namespace {

using base::IpAddress;
using record::FieldId;
using record::MutableRow;

constexpr int64_t kNow = 1700000000250000000;

// Ethernet, IPv4, UDP from 10.0.0.1:1234 to 10.0.0.2:53; the IP packet has 100 octets.
std::vector<uint8_t> Frame() {
  std::vector<uint8_t> frame = {2, 0,  0,  0, 0, 1,  2, 0, 0, 0,  0, 2, 8, 0,    0x45, 0x10, 0,  100, 0,  0, 0,
                                0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0x04, 0xd2, 0,    53, 0,   80, 0, 0};
  frame.resize(114, 0xaa);
  return frame;
}

class SflowEncoderTest : public ::testing::Test {
 protected:
  void Make(ExportOptions options = {}) {
    options.format = ExportFormat::kSflow5;
    options.agent = agent_;
    options.boot_time = absl::FromUnixNanos(kNow) - absl::Seconds(60);
    auto encoder = SflowEncoder::New(std::move(options), &transport_);
    ASSERT_TRUE(encoder.ok()) << encoder.status();
    encoder_ = *std::move(encoder);
  }
  void AddFrame(const record::RowView& row, uint32_t pool = 0) {
    const std::vector<uint8_t> frame = Frame();
    SampledPacket packet;
    packet.octets = frame;
    packet.length = static_cast<uint32_t>(frame.size());
    packet.pool = pool;
    encoder_->AddPacket(packet, row, interner_, absl::FromUnixNanos(kNow));
  }
  MutableRow Packet(bool v6 = false) {
    MutableRow row = batch_.Append();
    row.Set<FieldId::kSrcAddr>(v6 ? *IpAddress::Parse("2001:db8::1") : IpAddress::V4(0xc0000201));
    row.Set<FieldId::kDstAddr>(v6 ? *IpAddress::Parse("2001:db8::2") : IpAddress::V4(0xc6336402));
    row.Set<FieldId::kProtocol>(6);
    row.Set<FieldId::kSrcPort>(1234);
    row.Set<FieldId::kDstPort>(443);
    row.Set<FieldId::kTcpFlags>(0x12);
    row.Set<FieldId::kTos>(0xb8);
    row.Set<FieldId::kPackets>(1);
    row.Set<FieldId::kBytes>(1500);
    return row;
  }
  void Flush() {
    encoder_->Flush(absl::FromUnixNanos(kNow));
    const ExportCounters& c = encoder_->counters();
    EXPECT_EQ(c.rows_in, c.rows_exported + c.refused() + c.rows_lost + c.rows_waiting);
    EXPECT_EQ(c.rows_waiting, 0u);
  }
  void Export() {
    encoder_->Add(batch_, absl::FromUnixNanos(kNow));
    Flush();
  }

  IpAddress agent_ = IpAddress::V4(0xc0000263);
  record::Layout layout_ = record::Layout::All();
  base::Interner interner_;
  record::FlowBatch batch_{&layout_, &interner_};
  KeepingTransport transport_;
  std::unique_ptr<SflowEncoder> encoder_;
};

TEST_F(SflowEncoderTest, GoldenOfAPacket) {
  ExportOptions options;
  options.domain = 3;
  options.sampling_rate = 100;
  options.max_header_octets = 42;
  Make(options);
  MutableRow row = batch_.Append();
  row.Set<FieldId::kInIf>(7);
  row.Set<FieldId::kOutIf>(8);
  row.Set<FieldId::kNextHop>(IpAddress::V4(0xcb007101));
  row.Set<FieldId::kSrcMask>(24);
  row.Set<FieldId::kDstMask>(16);
  AddFrame(row, 93);
  Flush();
  ASSERT_EQ(transport_.datagrams.size(), 1u);
  EXPECT_EQ(Hex(transport_.datagrams[0]),
            // version, agent, sub-agent, sequence, uptime, samples
            "0000 0005 0000 0001 c000 0263 0000 0003 0000 0001 0000 ea60 0000 0001 "
            // flow_sample: length, sequence, source, rate, pool, drops, input, output, records
            "0000 0001 0000 007c 0000 0001 0000 0007 0000 0064 0000 005d 0000 0000 0000 0007 0000 0008 0000 0002 "
            // sampled_header: length, Ethernet, frame length, stripped, octets
            "0000 0001 0000 003c 0000 0001 0000 0076 0000 0004 0000 002a "
            "0200 0000 0001 0200 0000 0002 0800 4510 0064 0000 0000 4011 0000 0a00 0001 0a00 0002 04d2 0035 0050 0000 "
            "0000 "
            // extended_router
            "0000 03ea 0000 0010 0000 0001 cb00 7101 0000 0018 0000 0010");
}

TEST_F(SflowEncoderTest, EveryValueOfAPacketComesBack) {
  Make();
  MutableRow row = batch_.Append();
  row.Set<FieldId::kInIf>(7);
  row.Set<FieldId::kOutIf>(8);
  row.Set<FieldId::kInVlan>(100);
  row.Set<FieldId::kOutVlan>(200);
  row.Set<FieldId::kCos>(5);
  row.Set<FieldId::kNextHop>(*IpAddress::Parse("2001:db8::9"));
  row.Set<FieldId::kSrcMask>(24);
  row.Set<FieldId::kDstMask>(16);
  row.Set<FieldId::kBgpNextHop>(IpAddress::V4(0xcb007102));
  row.Set<FieldId::kSrcAs>(64496);
  row.Set<FieldId::kPeerSrcAs>(64497);
  row.Set<FieldId::kPeerDstAs>(64498);
  row.Set<FieldId::kDstAs>(4200000000);
  std::string path("\x02\x02\x00\x00\xfb\xf2\x00\x00\xfb\xf3\x01\x01\x00\x00\xfb\xf4\x02\x01\xfa\x56\xea\x00", 22);
  row.Set<FieldId::kAsPath>(interner_.Intern(path));
  row.Set<FieldId::kStdComm>(interner_.Intern("abcdefgh"));
  row.Set<FieldId::kLocalPref>(150);
  row.Set<FieldId::kSamplingRate>(512);
  AddFrame(row);
  Flush();
  ExportReader reader(ExportFormat::kSflow5);
  reader.Read(transport_.datagrams, absl::FromUnixNanos(kNow));
  ASSERT_EQ(reader.rows().size(), 1u);
  for (const FieldId field : {FieldId::kInIf, FieldId::kOutIf, FieldId::kInVlan, FieldId::kOutVlan, FieldId::kCos,
                              FieldId::kNextHop, FieldId::kSrcMask, FieldId::kDstMask, FieldId::kBgpNextHop,
                              FieldId::kSrcAs, FieldId::kPeerSrcAs, FieldId::kPeerDstAs, FieldId::kDstAs,
                              FieldId::kAsPath, FieldId::kStdComm, FieldId::kLocalPref, FieldId::kSamplingRate}) {
    EXPECT_EQ(reader.Text(0, field), TextOf(batch_, 0, field)) << record::Info(field).name;
  }
  EXPECT_EQ(reader.Text(0, FieldId::kSrcAddr), "10.0.0.1");
  EXPECT_EQ(reader.Text(0, FieldId::kDstPort), "53");
  EXPECT_EQ(reader.Text(0, FieldId::kBytes), "100");
  EXPECT_EQ(reader.Text(0, FieldId::kSrcMac), "02:00:00:00:00:02");
  EXPECT_EQ(reader.Text(0, FieldId::kExporter), "192.0.2.99");
}

TEST_F(SflowEncoderTest, RowsWithoutOctetsComeBackToo) {
  agent_ = *IpAddress::Parse("2001:db8::63");
  Make();
  Packet(false).Set<FieldId::kDstAs>(64500);
  MutableRow row = Packet(true);
  row.Set<FieldId::kDstAs>(64500);
  row.Set<FieldId::kPeerDstAs>(64501);
  Packet().Set<FieldId::kInIf>(uint32_t{1} << 25);  // beyond a compact source
  Packet().Set<FieldId::kOutIf>(0x40000001);        // beyond a compact interface
  Export();
  ExportReader reader(ExportFormat::kSflow5);
  reader.Read(transport_.datagrams, absl::FromUnixNanos(kNow));
  ASSERT_EQ(reader.rows().size(), 4u);
  for (size_t i = 0; i < 4; ++i) {
    for (const FieldId field : {FieldId::kSrcAddr, FieldId::kDstAddr, FieldId::kProtocol, FieldId::kSrcPort,
                                FieldId::kDstPort, FieldId::kTcpFlags, FieldId::kTos, FieldId::kPackets,
                                FieldId::kBytes, FieldId::kInIf, FieldId::kOutIf, FieldId::kDstAs}) {
      EXPECT_EQ(reader.Text(i, field), TextOf(batch_, i, field)) << i << " " << record::Info(field).name;
    }
  }
  EXPECT_EQ(reader.Text(1, FieldId::kPeerDstAs), "64501");
  EXPECT_EQ(reader.Text(0, FieldId::kExporter), "2001:db8::63");
}

TEST_F(SflowEncoderTest, RefusesWhatIsNoPacket) {
  Make();
  Packet().Set<FieldId::kPackets>(2);
  batch_.Append().Set<FieldId::kPackets>(1);
  Packet().Set<FieldId::kDstAddr>(*IpAddress::Parse("2001:db8::1"));
  Packet();
  Packet().Set<FieldId::kStdComm>(interner_.Intern(std::string(2000, 'c')));
  Export();
  const ExportCounters& c = encoder_->counters();
  EXPECT_EQ(c.rows_refused[static_cast<size_t>(ExportRefusal::kNotOnePacket)], 1u);
  EXPECT_EQ(c.rows_refused[static_cast<size_t>(ExportRefusal::kNoAddresses)], 2u);
  EXPECT_EQ(c.rows_refused[static_cast<size_t>(ExportRefusal::kTooLong)], 1u);
  EXPECT_EQ(c.rows_exported, 1u);
}

TEST_F(SflowEncoderTest, SequencesAndPoolsAreOfEachSource) {
  ExportOptions options;
  options.sampling_rate = 10;
  options.max_sources = 2;
  Make(options);
  for (int i = 0; i < 600; ++i) {
    MutableRow row = Packet();
    row.Set<FieldId::kInIf>(static_cast<uint32_t>(1 + i % 3));
  }
  Export();
  EXPECT_GT(transport_.datagrams.size(), 10u);
  for (size_t i = 0; i + 1 < transport_.datagrams.size(); ++i) {
    EXPECT_LE(transport_.datagrams[i].size(), 1452u);
    EXPECT_GT(transport_.datagrams[i].size(), 1300u);
    EXPECT_EQ(base::LoadBe32(transport_.datagrams[i].data() + 16), i + 1);
  }
  ExportReader reader(ExportFormat::kSflow5);
  reader.Read(transport_.datagrams, absl::FromUnixNanos(kNow));
  EXPECT_EQ(reader.rows().size(), 600u);
  const record::ExporterReport report = reader.report();
  EXPECT_EQ(report.sequence.gaps + report.sequence.restarts, 0u);
  EXPECT_EQ(report.sample_sequence.gaps + report.sample_sequence.restarts, 0u);
  EXPECT_EQ(reader.Text(2, FieldId::kInIf), "3");  // told, though its source is not its own
}

TEST_F(SflowEncoderTest, NothingIsAllocatedInSteadyState) {
  FLOWACCT_REQUIRE_ALLOCATION_COUNT();
  class Dropping : public ExportTransport {
    absl::Status Send(base::Octets, uint64_t) override { return absl::OkStatus(); }
  } dropping;
  ExportOptions options;
  options.format = ExportFormat::kSflow5;
  auto encoder = *SflowEncoder::New(options, &dropping);
  for (int i = 0; i < 100; ++i) Packet(i % 2 != 0).Set<FieldId::kDstAs>(64500);
  encoder->Add(batch_, absl::FromUnixNanos(kNow));
  ::flowacct::testing::AllocationCounter counter;
  for (int i = 0; i < 10; ++i) encoder->Add(batch_, absl::FromUnixNanos(kNow));
  EXPECT_EQ(counter.allocations(), 0);
}

TEST(SflowEncoderOptions, ErrorsNameOptionValueAndRemedy) {
  KeepingTransport transport;
  struct Case {
    void (*spoil)(ExportOptions&);
    std::string text;
  };
  for (const Case& c : std::vector<Case>{
           {[](ExportOptions& o) { o.sampling_rate = uint64_t{1} << 32; }, "sampling_rate = 4294967296"},
           {[](ExportOptions& o) { o.fields = {"src_addr"}; }, "fields: sflow"},
           {[](ExportOptions& o) {
              o.interfaces = {{1, "a", ""}};
            },
            "interfaces: sflow"},
           {[](ExportOptions& o) { o.times = ExportTimes::kSeconds; }, "times: sflow"},
           {[](ExportOptions& o) { o.max_datagram_octets = 71; }, "max_datagram_octets = 71"},
           {[](ExportOptions& o) { o.max_header_octets = 1000; }, "max_header_octets = 1000"},
           {[](ExportOptions& o) { o.max_sources = 0; }, "max_sources = 0"},
       }) {
    ExportOptions options;
    c.spoil(options);
    const auto encoder = SflowEncoder::New(options, &transport);
    ASSERT_FALSE(encoder.ok()) << c.text;
    EXPECT_NE(std::string(encoder.status().message()).find(c.text), std::string::npos) << encoder.status();
  }
}

}  // namespace
}  // namespace flowacct::sink
