#include <gtest/gtest.h>

#include <vector>

#include "flowacct/base/octet_writer.h"
#include "flowacct/flow/netflow/fixed_view.h"
#include "flowacct/flow/netflow/v9_view.h"
#include "flowacct/flow/template/testing/message_builder.h"

namespace flowacct::netflow {
namespace {

using base::DecodeCode;
using base::Octets;
using base::OctetWriter;
using flow::testing::MessageBuilder;

// A header of `version`, then `count` records whose octets count up from `first` on.
std::vector<uint8_t> Datagram(uint16_t version, uint8_t aggregation, uint16_t count) {
  const FixedFormat* format = FindFixedFormat(version, aggregation);
  OctetWriter writer;
  writer.U16(version).U16(count).U32(0x11111111).U32(0x22222222).U32(0x333333);
  if (version != 1) writer.U32(0x44444444);
  if (version == 5) writer.U8(1).U8(2).U16(0x4064);
  if (version == 7) writer.U32(0);
  if (version == 8) writer.U8(1).U8(2).U8(aggregation).U8(2).U32(0);
  for (uint16_t i = 0; i < count; ++i) {
    for (uint16_t at = 0; at < format->record_octets; ++at) writer.U8(static_cast<uint8_t>(100 * i + at));
  }
  return std::vector<uint8_t>(writer.octets().begin(), writer.octets().end());
}

TEST(FixedViewTest, ReadsHeaders) {
  const std::vector<uint8_t> v5 = Datagram(5, 0, 2);
  FixedView view;
  ASSERT_TRUE(FixedView::Parse(v5, &view).ok());
  EXPECT_EQ(view.version(), 5);
  EXPECT_EQ(view.count(), 2);
  EXPECT_EQ(view.sys_uptime_milliseconds(), 0x11111111u);
  EXPECT_EQ(view.unix_seconds(), 0x22222222u);
  EXPECT_EQ(view.unix_nanoseconds(), 0x333333u);
  EXPECT_EQ(view.flow_sequence(), 0x44444444u);
  EXPECT_EQ(view.engine_type(), 1);
  EXPECT_EQ(view.engine_id(), 2);
  EXPECT_EQ(view.sampling_mode(), 1);
  EXPECT_EQ(view.sampling_interval(), 100);
  EXPECT_EQ(view.aggregation(), 0);

  const std::vector<uint8_t> v1 = Datagram(1, 0, 1);
  ASSERT_TRUE(FixedView::Parse(v1, &view).ok());
  EXPECT_EQ(view.flow_sequence(), 0u);
  EXPECT_EQ(view.engine_id(), 0);
  EXPECT_EQ(view.sampling_interval(), 0);

  const std::vector<uint8_t> v8 = Datagram(8, 3, 1);
  ASSERT_TRUE(FixedView::Parse(v8, &view).ok());
  EXPECT_EQ(view.engine_id(), 2);
  EXPECT_EQ(view.aggregation(), 3);
  EXPECT_EQ(view.aggregation_version(), 2);
  EXPECT_EQ(view.format(), FindFixedFormat(8, 3));
}

TEST(FixedViewTest, NamesTheFieldsOfRecords) {
  FixedView view;
  const std::vector<uint8_t> v5 = Datagram(5, 0, 2);
  ASSERT_TRUE(FixedView::Parse(v5, &view).ok());
  ASSERT_EQ(view.record_count(), 2u);
  const V5RecordView first(view.record(0));
  EXPECT_EQ(first.srcaddr().ToString(), "0.1.2.3");
  EXPECT_EQ(first.dstaddr().ToString(), "4.5.6.7");
  EXPECT_EQ(first.nexthop().ToString(), "8.9.10.11");
  EXPECT_EQ(first.input(), 0x0c0d);
  EXPECT_EQ(first.output(), 0x0e0f);
  EXPECT_EQ(first.dPkts(), 0x10111213u);
  EXPECT_EQ(first.dOctets(), 0x14151617u);
  EXPECT_EQ(first.first(), 0x18191a1bu);
  EXPECT_EQ(first.last(), 0x1c1d1e1fu);
  EXPECT_EQ(first.srcport(), 0x2021);
  EXPECT_EQ(first.dstport(), 0x2223);
  EXPECT_EQ(first.tcp_flags(), 0x25);
  EXPECT_EQ(first.prot(), 0x26);
  EXPECT_EQ(first.tos(), 0x27);
  EXPECT_EQ(first.src_as(), 0x2829);
  EXPECT_EQ(first.dst_as(), 0x2a2b);
  EXPECT_EQ(first.src_mask(), 0x2c);
  EXPECT_EQ(first.dst_mask(), 0x2d);
  EXPECT_EQ(V5RecordView(view.record(1)).srcaddr().ToString(), "100.101.102.103");

  const std::vector<uint8_t> v1 = Datagram(1, 0, 1);
  ASSERT_TRUE(FixedView::Parse(v1, &view).ok());
  const V1RecordView old(view.record(0));
  EXPECT_EQ(old.prot(), 38);
  EXPECT_EQ(old.tos(), 39);
  EXPECT_EQ(old.flags(), 40);
  EXPECT_EQ(old.pad2().size(), 7u);

  const std::vector<uint8_t> v7 = Datagram(7, 0, 1);
  ASSERT_TRUE(FixedView::Parse(v7, &view).ok());
  const V7RecordView catalyst(view.record(0));
  EXPECT_EQ(catalyst.flags(), 36);
  EXPECT_EQ(catalyst.dst_mask(), 45);
  EXPECT_EQ(catalyst.flags2(), 0x2e2f);
  EXPECT_EQ(catalyst.router_sc().ToString(), "48.49.50.51");
}

// What the table says of offsets must be what its order says: the decoder goes by the order.
TEST(FixedViewTest, OffsetsFollowFromTheOrder) {
#define X(name, type, offset, element) \
  EXPECT_EQ(at, offset) << #name;      \
  at += type::kOctets;
  int at = 0;
  FLOWACCT_NETFLOW_V1_FIELDS(X)
  EXPECT_EQ(at, V1RecordView::kOctets);
  at = 0;
  FLOWACCT_NETFLOW_V5_FIELDS(X)
  EXPECT_EQ(at, V5RecordView::kOctets);
  at = 0;
  FLOWACCT_NETFLOW_V7_FIELDS(X)
  EXPECT_EQ(at, V7RecordView::kOctets);
#undef X
}

TEST(FixedViewTest, CutsAtEveryOctetKeepWholeRecords) {
  for (const FixedFormat& format : FixedFormats()) {
    const std::vector<uint8_t> whole = Datagram(format.version, format.aggregation, 3);
    for (size_t cut = 0; cut <= whole.size(); ++cut) {
      const std::vector<uint8_t> octets(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(cut));
      FixedView view;
      const base::DecodeResult result = FixedView::Parse(octets, &view);
      ASSERT_EQ(result.ok(), cut >= format.header_octets) << format.version << " " << cut;
      if (!result.ok()) {
        EXPECT_EQ(result.code, DecodeCode::kTruncated);
        continue;
      }
      EXPECT_EQ(view.record_count(), (cut - format.header_octets) / format.record_octets);
      uint64_t sum = 0;
      for (size_t i = 0; i < view.record_count(); ++i) {
        for (uint8_t octet : view.record(i)) sum += octet;
      }
      EXPECT_EQ(sum > 0, view.record_count() > 0);
      EXPECT_EQ(view.result().code, cut == whole.size() ? DecodeCode::kOk : DecodeCode::kTruncated);
    }
    std::vector<uint8_t> longer = whole;
    longer.push_back(1);
    FixedView view;
    ASSERT_TRUE(FixedView::Parse(longer, &view).ok());
    EXPECT_EQ(view.result().code, DecodeCode::kTrailingOctets);
    EXPECT_EQ(view.result().offset, whole.size());
  }
}

TEST(FixedViewTest, SaysWhatItDoesNotRead) {
  FixedView view;
  EXPECT_EQ(view.record_count(), 0u) << "before Parse";
  std::vector<uint8_t> octets = Datagram(8, 1, 1);
  octets[22] = 15;
  EXPECT_EQ(FixedView::Parse(octets, &view).code, DecodeCode::kUnsupported);
  EXPECT_EQ(view.aggregation(), 15);
  EXPECT_EQ(view.record_count(), 0u);
  EXPECT_TRUE(view.records().empty());
  for (uint8_t version : {0, 2, 3, 4, 6, 9, 10}) {
    octets[1] = version;
    EXPECT_EQ(FixedView::Parse(octets, &view).code, DecodeCode::kBadVersion) << int{version};
  }
}

TEST(V9ViewTest, ReadsFlowSets) {
  MessageBuilder message(9, /*sequence=*/5, /*domain=*/7);
  message.Template(256, {{8, 4}, {40001, 2}});
  message.OptionsTemplate(300, 1, {{1, 4}, {34, 2}});
  message.BeginSet(256).body().U32(1).U16(2).U32(3).U16(4);
  message.EndSet();
  message.BeginSet(300).body().U32(9).U16(100);
  message.EndSet(2);
  const std::vector<uint8_t> whole = message.Copy();
  size_t records_before = 0;
  for (size_t cut = 0; cut <= whole.size(); ++cut) {
    const std::vector<uint8_t> octets(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(cut));
    V9View packet;
    ASSERT_EQ(V9View::Parse(octets, &packet).ok(), cut >= kV9HeaderOctets) << cut;
    if (cut < kV9HeaderOctets) continue;
    EXPECT_EQ(packet.sequence_number(), 5u);
    EXPECT_EQ(packet.source_id(), 7u);
    EXPECT_EQ(packet.unix_seconds(), flow::testing::kExportSeconds);
    EXPECT_EQ(packet.sys_uptime_milliseconds(), flow::testing::kUptimeMillis);
    std::vector<TemplateView> templates;
    std::vector<uint64_t> values;
    SetReader sets = packet.flow_sets();
    for (SetView set; sets.Next(&set);) {
      TemplateReader reader(set);
      for (TemplateView format; reader.Next(&format);) templates.push_back(format);
      for (const TemplateView& format : templates) {
        if (format.id() != set.id()) continue;
        RecordReader records(format, set);
        for (RecordView record; records.Next(&record);) {
          ValueReader fields(record);
          for (FieldView field; fields.Next(&field);) values.push_back(field.Unsigned().value_or(0));
        }
      }
    }
    EXPECT_GE(values.size(), records_before) << cut;
    records_before = values.size();
    if (cut < whole.size()) continue;
    EXPECT_TRUE(sets.result().ok());
    ASSERT_EQ(templates.size(), 2u);
    EXPECT_EQ(values, (std::vector<uint64_t>{1, 2, 3, 4, 9, 100}));
    SpecifierReader fields = templates[0].fields();
    FieldSpecifier field;
    ASSERT_TRUE(fields.Next(&field) && fields.Next(&field));
    EXPECT_EQ(field.id, 40001) << "no enterprise bit in NetFlow v9";
    EXPECT_EQ(field.enterprise_number, 0u);
    EXPECT_TRUE(templates[1].options());
    EXPECT_EQ(templates[1].scope_field_count(), 1u);
    EXPECT_EQ(templates[1].field_count(), 2u);
  }
}

TEST(V9ViewTest, SaysWhatItDoesNotRead) {
  V9View packet;
  EXPECT_EQ(V9View::Parse(MessageBuilder(10).octets(), &packet).code, DecodeCode::kTruncated);
  std::vector<uint8_t> octets(kV9HeaderOctets);
  EXPECT_EQ(V9View::Parse(octets, &packet).code, DecodeCode::kBadVersion);
  SetReader sets = packet.flow_sets();
  SetView set;
  EXPECT_FALSE(sets.Next(&set)) << "a view of nothing has no sets";
}

}  // namespace
}  // namespace flowacct::netflow
