#include "flowacct/flow/netflow/netflow_decoder.h"

#include <gtest/gtest.h>

#include "flowacct/base/octet_writer.h"
#include "flowacct/flow/netflow/fixed_format.h"

namespace flowacct::netflow {
namespace {

using base::DecodeCode;
using record::FieldId;

constexpr uint32_t kExportSeconds = 1700000000;
constexpr int64_t kSecond = 1000000000;

std::vector<uint8_t> V5(uint16_t records, uint32_t sequence, uint16_t sampling = 0) {
  base::OctetWriter w;
  w.U16(5).U16(records).U32(3600000).U32(kExportSeconds).U32(250000000).U32(sequence).U8(1).U8(2).U16(sampling);
  for (uint16_t i = 0; i < records; ++i) {
    w.U32(0xc0000201 + i).U32(0xc6336401).U32(0xcb007101).U16(3).U16(4).U32(10 + i).U32(1000 + i);
    w.U32(3590000).U32(3599000).U16(1024).U16(443).U8(0).U8(0x1b).U8(6).U8(0xb8).U16(64500).U16(64501).U8(24).U8(16);
    w.U16(0);
  }
  return std::vector<uint8_t>(w.octets().begin(), w.octets().end());
}

record::Datagram From(const std::vector<uint8_t>& octets) {
  record::Datagram datagram;
  datagram.octets = octets;
  datagram.source = base::IpAddress::V4(0x0a000001);
  datagram.arrival_nanos = kExportSeconds * kSecond + kSecond;
  return datagram;
}

TEST(FixedFormatTest, RecordOctetsAgreeWithTheirFields) {
  for (const FixedFormat& format : FixedFormats()) {
    const flow::Template made = MakeFixedTemplate(format);
    EXPECT_EQ(made.record_octets, format.record_octets) << format.version << "/" << int{format.aggregation};
    EXPECT_EQ(FindFixedFormat(format.version, format.aggregation), &format);
  }
}

TEST(NetflowDecoderTest, DecodesV5) {
  const record::Layout layout = record::Layout::All();
  base::Interner interner;
  record::FlowBatch flows(&layout, &interner);
  NetflowDecoder decoder(&layout);
  record::DecodeOutput output;
  output.flows = &flows;
  const auto octets = V5(2, 100, (1 << 14) | 512);
  ASSERT_TRUE(decoder.Decode(From(octets), output).ok());
  ASSERT_EQ(flows.size(), 2u);
  const record::RowView row = flows.row(1);
  EXPECT_EQ(row.Get<FieldId::kSrcAddr>().ToString(), "192.0.2.2");
  EXPECT_EQ(row.Get<FieldId::kDstAddr>().ToString(), "198.51.100.1");
  EXPECT_EQ(row.Get<FieldId::kNextHop>().ToString(), "203.0.113.1");
  EXPECT_EQ(row.Get<FieldId::kInIf>(), 3u);
  EXPECT_EQ(row.Get<FieldId::kOutIf>(), 4u);
  EXPECT_EQ(row.Get<FieldId::kPackets>(), 11u);
  EXPECT_EQ(row.Get<FieldId::kBytes>(), 1001u);
  EXPECT_EQ(row.Get<FieldId::kFlows>(), 1u);
  EXPECT_EQ(row.Get<FieldId::kSrcPort>(), 1024);
  EXPECT_EQ(row.Get<FieldId::kDstPort>(), 443);
  EXPECT_EQ(row.Get<FieldId::kTcpFlags>(), 0x1b);
  EXPECT_EQ(row.Get<FieldId::kProtocol>(), 6);
  EXPECT_EQ(row.Get<FieldId::kTos>(), 0xb8);
  EXPECT_EQ(row.Get<FieldId::kSrcAs>(), 64500u);
  EXPECT_EQ(row.Get<FieldId::kDstAs>(), 64501u);
  EXPECT_EQ(row.Get<FieldId::kSrcMask>(), 24);
  EXPECT_EQ(row.Get<FieldId::kDstMask>(), 16);
  EXPECT_EQ(row.Get<FieldId::kIpVersion>(), 4);
  EXPECT_EQ(row.Get<FieldId::kExporter>().ToString(), "10.0.0.1");
  EXPECT_EQ(row.Get<FieldId::kObservationDomain>(), 0x0102u);
  EXPECT_EQ(row.Get<FieldId::kExportVersion>(), 5);
  EXPECT_EQ(row.Get<FieldId::kExportSequence>(), 100u);
  EXPECT_EQ(row.Get<FieldId::kSamplingRate>(), 512u);
  EXPECT_EQ(row.Get<FieldId::kSamplingSource>(), static_cast<uint8_t>(record::SamplingSource::kHeader));
  const int64_t export_nanos = kExportSeconds * kSecond + kSecond / 4;
  EXPECT_EQ(row.Get<FieldId::kExportTime>(), export_nanos);
  EXPECT_EQ(row.Get<FieldId::kStartTime>(), export_nanos - 10 * kSecond);
  EXPECT_EQ(row.Get<FieldId::kEndTime>(), export_nanos - 1 * kSecond);
  EXPECT_FALSE(row.Has(FieldId::kIcmpType));
  EXPECT_FALSE(row.Has(FieldId::kVlan));
  EXPECT_FALSE(row.Has(FieldId::kTemplateId));
}

TEST(NetflowDecoderTest, CutsOfV5KeepTheWholeRecords) {
  const record::Layout layout({FieldId::kSrcAddr, FieldId::kBytes});
  const auto whole = V5(3, 0);
  for (size_t cut = 0; cut < whole.size(); ++cut) {
    base::Interner interner;
    record::FlowBatch flows(&layout, &interner);
    NetflowDecoder decoder(&layout);
    record::DecodeOutput output;
    output.flows = &flows;
    // A copy of its own, so that a sanitizer sees a read past the end.
    const std::vector<uint8_t> octets(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(cut));
    const base::DecodeResult result = decoder.Decode(From(octets), output);
    EXPECT_EQ(result.code, DecodeCode::kTruncated) << cut;
    EXPECT_EQ(flows.size(), cut < 24 ? 0 : (cut - 24) / 48) << cut;
    EXPECT_EQ(decoder.Report().at(0).errors[DecodeCode::kTruncated], 1u);
  }
}

TEST(NetflowDecoderTest, FollowsTheSequenceOfV5) {
  const record::Layout layout({FieldId::kBytes});
  base::Interner interner;
  record::FlowBatch flows(&layout, &interner);
  NetflowDecoder decoder(&layout);
  record::DecodeOutput output;
  output.flows = &flows;
  for (uint32_t sequence : {10u, 13u, 19u, 16u, 22u}) {  // 16 to 18 came late
    const auto octets = V5(3, sequence);
    EXPECT_TRUE(decoder.Decode(From(octets), output).ok());
  }
  const record::SequenceReport report = decoder.Report().at(0).sequence;
  EXPECT_EQ(report.unit, "records");
  EXPECT_EQ(report.gaps, 1u);
  EXPECT_EQ(report.lost, 0u);
  EXPECT_EQ(report.reordered, 1u);
  EXPECT_EQ(report.restarts, 0u);
  EXPECT_EQ(flows.size(), 15u);
}

}  // namespace
}  // namespace flowacct::netflow
