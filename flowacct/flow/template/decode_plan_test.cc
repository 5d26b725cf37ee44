#include "flowacct/flow/template/decode_plan.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "flowacct/base/octet_writer.h"
#include "flowacct/flow/template/compiled_template.h"
#include "flowacct/flow/template/plan_interpreter.h"
#include "flowacct/record/custom_fields.h"

namespace flowacct::flow {
namespace {

using record::FieldId;

constexpr int64_t kSecond = 1000000000;
constexpr int64_t kExport = 1700000000 * kSecond;

struct Field {
  uint16_t id;
  uint16_t length;
  uint32_t pen = 0;
};

Template Make(const std::vector<Field>& fields) {
  std::vector<TemplateField> made;
  for (const Field& field : fields) made.push_back(MakeTemplateField(field.pen, field.id, field.length));
  Template format;
  EXPECT_EQ(MakeTemplate(record::RecordKind::kFlow, std::move(made), TemplateOptions(), &format),
            base::DecodeCode::kOk);
  return format;
}

// One template's records, decoded to rows with all fields.
class PlanTest : public ::testing::Test {
 protected:
  PlanTest() : layout_(record::Layout::All()), rows_(&layout_, &interner_), names_(100), sampling_(100) {
    context_.has_uptime = true;
    context_.uptime_millis = 1000000;
    context_.export_nanos = kExport;
    context_.latest_nanos = kExport + 3600 * kSecond;
    context_.names = &names_;
    context_.sampling = &sampling_;
  }

  // The rows are in rows_.
  void Decode(const std::vector<Field>& fields, const base::OctetWriter& records, uint16_t version = 10) {
    rows_.Clear();
    CompiledTemplates table(&layout_, version);
    record::DecodeOutput output;
    output.flows = &rows_;
    EXPECT_EQ(table.Intern(Make(fields))->DecodeFlows(256, records.octets(), &context_, output, nullptr).octets,
              records.size());
  }
  record::RowView Row(size_t i = 0) { return rows_.row(i); }

  record::Layout layout_;
  base::Interner interner_;
  record::FlowBatch rows_;
  NameTable names_;
  SamplingTable sampling_;
  MessageContext context_;
};

TEST_F(PlanTest, AReducedOrWiderNumberFitsOrIsAbsentAndCounted) {
  base::OctetWriter w;
  w.Number(5, 3).U64(7).U32(80);
  w.Number(6, 3).U64(8).U32(70000);  // not a port
  Decode({{1, 3}, {2, 8}, {11, 4}}, w);
  EXPECT_EQ(Row(0).Get<FieldId::kBytes>(), 5u);
  EXPECT_EQ(Row(1).Get<FieldId::kPackets>(), 8u);
  EXPECT_EQ(Row(0).Get<FieldId::kDstPort>(), 80);
  EXPECT_FALSE(Row(1).Has(FieldId::kDstPort));
  EXPECT_EQ(context_.misfits, 1u);
}

TEST_F(PlanTest, AConfigurationAsksForAnyElement) {
  record::CustomFieldOptions inside, label, wide;
  inside.name = "inside";
  inside.element = "637:91";  // of an enterprise, known to nobody
  label.name = "port_label";
  label.element = "82";  // interfaceName, which fills a field of its own, too
  label.type = record::CustomFieldOptions::Type::kText;
  wide.name = "wide";
  wide.element = "637:92";
  auto custom = record::CustomFields::New({inside, label, wide});
  ASSERT_TRUE(custom.ok()) << custom.status();
  std::vector<FieldId> fields(layout_.fields().begin(), layout_.fields().end());
  layout_ = record::Layout(fields, std::make_shared<const record::CustomFields>(*std::move(custom)));
  base::OctetWriter w;
  w.U64(100).U32(7).U8(4).Text("eth0").U64(0).U8(1);
  Decode({{1, 8}, {91, 4, 637}, {82, kVariableLength}, {92, 9, 637}}, w);
  EXPECT_EQ(Row().Get<FieldId::kBytes>(), 100u);
  EXPECT_EQ(Row().Get<FieldId::kCustom1>(), 7u);
  EXPECT_EQ(base::AsText(interner_.Find(Row().Get<FieldId::kCustomText1>())), "eth0");
  EXPECT_FALSE(Row().Has(FieldId::kCustom2));  // more than eight octets are no number
  EXPECT_EQ(context_.misfits, 1u);
}

TEST_F(PlanTest, TheElementOfTheLowestRankWins) {
  base::OctetWriter w;
  w.U32(1).U32(2).U32(3);
  Decode({{85, 4}, {1, 4}, {23, 4}}, w);
  EXPECT_EQ(Row().Get<FieldId::kBytes>(), 2u);
  EXPECT_EQ(Row().Get<FieldId::kPostBytes>(), 3u);
}

TEST_F(PlanTest, CountersOfTheWayOutStandInForThoseOfTheWayIn) {
  base::OctetWriter w;
  w.U32(0).U32(32);
  w.U32(40).U32(99);
  Decode({{1, 4}, {23, 4}}, w);
  EXPECT_EQ(Row(0).Get<FieldId::kBytes>(), 32u);
  EXPECT_EQ(Row(1).Get<FieldId::kBytes>(), 40u);
}

TEST_F(PlanTest, ARecordWithBothFamiliesHasTheOneThatIsNotZero) {
  base::OctetWriter w;
  w.U32(0xc0000201).Fill(16).U8(24).U8(0);
  w.U32(0).U32(0x20010db8).Fill(11).U8(9).U8(0).U8(48);
  Decode({{8, 4}, {27, 16}, {9, 1}, {29, 1}}, w);
  EXPECT_EQ(Row(0).Get<FieldId::kSrcAddr>().ToString(), "192.0.2.1");
  EXPECT_EQ(Row(0).Get<FieldId::kIpVersion>(), 4);
  EXPECT_EQ(Row(0).Get<FieldId::kSrcMask>(), 24);
  EXPECT_EQ(Row(1).Get<FieldId::kSrcAddr>().ToString(), "2001:db8::9");
  EXPECT_EQ(Row(1).Get<FieldId::kIpVersion>(), 6);
  EXPECT_EQ(Row(1).Get<FieldId::kSrcMask>(), 48);
}

TEST_F(PlanTest, ASecondOccurrenceIsOfTheHeaderInside) {
  base::OctetWriter w;
  w.Number(0x020000000001, 6)
      .Number(0x020000000002, 6)
      .U32(0xc0000201)
      .U32(0xc0000202)
      .U8(17)
      .U8(1)
      .U16(1000)
      .U16(4789);
  w.Number(0x020000000003, 6)
      .Number(0x020000000004, 6)
      .U32(0xc6336401)
      .U32(0xc6336402)
      .U8(6)
      .U8(2)
      .U16(2000)
      .U16(443)
      .U16(0x12);
  w.U16(0x18).U32(7).U32(8).U32(500);
  w.U8(99).U32(0xcb007101);  // a third header, of which nothing is kept
  Decode({{56, 6}, {80, 6}, {8, 4}, {12, 4}, {4, 1}, {5, 1}, {7, 2},  {11, 2}, {56, 6}, {80, 6}, {8, 4}, {12, 4},
          {4, 1},  {5, 1},  {7, 2}, {11, 2}, {6, 2}, {6, 2}, {31, 4}, {31, 4}, {1, 4},  {4, 1},  {8, 4}},
         w);
  const record::RowView row = Row();
  EXPECT_EQ(row.Get<FieldId::kSrcMac>().ToString(), "02:00:00:00:00:01");
  EXPECT_EQ(row.Get<FieldId::kSrcAddr>().ToString(), "192.0.2.1");
  EXPECT_EQ(row.Get<FieldId::kDstAddr>().ToString(), "192.0.2.2");
  EXPECT_EQ(row.Get<FieldId::kProtocol>(), 17);
  EXPECT_EQ(row.Get<FieldId::kTos>(), 1);
  EXPECT_EQ(row.Get<FieldId::kSrcPort>(), 1000);
  EXPECT_EQ(row.Get<FieldId::kDstPort>(), 4789);
  EXPECT_EQ(row.Get<FieldId::kTcpFlags>(), 0x12);
  EXPECT_EQ(row.Get<FieldId::kFlowLabel>(), 7u);
  EXPECT_EQ(row.Get<FieldId::kTunnelSrcMac>().ToString(), "02:00:00:00:00:03");
  EXPECT_EQ(row.Get<FieldId::kTunnelDstMac>().ToString(), "02:00:00:00:00:04");
  EXPECT_EQ(row.Get<FieldId::kTunnelSrcAddr>().ToString(), "198.51.100.1");
  EXPECT_EQ(row.Get<FieldId::kTunnelDstAddr>().ToString(), "198.51.100.2");
  EXPECT_EQ(row.Get<FieldId::kTunnelProtocol>(), 6);
  EXPECT_EQ(row.Get<FieldId::kTunnelTos>(), 2);
  EXPECT_EQ(row.Get<FieldId::kTunnelSrcPort>(), 2000);
  EXPECT_EQ(row.Get<FieldId::kTunnelDstPort>(), 443);
  EXPECT_EQ(row.Get<FieldId::kTunnelTcpFlags>(), 0x18);
  EXPECT_EQ(row.Get<FieldId::kTunnelFlowLabel>(), 8u);
  EXPECT_EQ(row.Get<FieldId::kBytes>(), 500u);
}

// Cisco's template for SRv6: an IPv6 header with IPv4 inside, each of whose addresses is there once.
TEST_F(PlanTest, AddressesOfTheOtherFamilyAreInsideWhereThereAreTwoProtocols) {
  base::OctetWriter w;
  w.U64(0x20010db800000000).U64(1).U64(0x20010db800000000).U64(2).U8(4).U32(0xc6336401).U32(0xc6336402).U8(6);
  Decode({{27, 16}, {28, 16}, {4, 1}, {8, 4}, {12, 4}, {4, 1}}, w);
  EXPECT_EQ(Row().Get<FieldId::kSrcAddr>().ToString(), "2001:db8::1");
  EXPECT_EQ(Row().Get<FieldId::kProtocol>(), 4);
  EXPECT_EQ(Row().Get<FieldId::kTunnelSrcAddr>().ToString(), "198.51.100.1");
  EXPECT_EQ(Row().Get<FieldId::kTunnelDstAddr>().ToString(), "198.51.100.2");
  EXPECT_EQ(Row().Get<FieldId::kTunnelProtocol>(), 6);
  EXPECT_EQ(Row().Get<FieldId::kIpVersion>(), 6);

  // With one protocol they are the two families of one header, of which a record has one.
  base::OctetWriter both;
  both.Fill(32).U8(6).U32(0xc6336401).U32(0xc6336402);
  Decode({{27, 16}, {28, 16}, {4, 1}, {8, 4}, {12, 4}}, both);
  EXPECT_EQ(Row().Get<FieldId::kSrcAddr>().ToString(), "198.51.100.1");
  EXPECT_FALSE(Row().Has(FieldId::kTunnelSrcAddr));
}

TEST_F(PlanTest, ABiflowOfATunnelIsTurnedRoundInsideToo) {
  base::OctetWriter w;
  w.U32(1).U32(2).U32(3).U32(4).U32(50).U32(60);
  Decode({{8, 4}, {12, 4}, {8, 4}, {12, 4}, {1, 4}, {1, 4, kReversePen}}, w);
  ASSERT_EQ(rows_.size(), 2u);
  EXPECT_EQ(Row(1).Get<FieldId::kSrcAddr>(), base::IpAddress::V4(2));
  EXPECT_EQ(Row(1).Get<FieldId::kTunnelSrcAddr>(), base::IpAddress::V4(4));
  EXPECT_EQ(Row(1).Get<FieldId::kTunnelDstAddr>(), base::IpAddress::V4(3));
  EXPECT_EQ(Row(1).Get<FieldId::kBytes>(), 60u);
}

TEST_F(PlanTest, ReadsEveryFormOfTime) {
  struct Case {
    uint16_t element, length;
    uint64_t wire;
    int64_t nanos;  // 0: absent
  };
  constexpr uint64_t kNtp = (uint64_t{1700000000 - 100} + 2208988800) << 32;
  const Case kCases[] = {
      {150, 4, 1700000000 - 100, kExport - 100 * kSecond},
      {152, 8, 1700000000000 - 1500, kExport - 1500000000},
      {154, 8, kNtp | 0x80000000, kExport - 100 * kSecond + kSecond / 2},
      {156, 8, kNtp | 0x40000000, kExport - 100 * kSecond + kSecond / 4},
      {158, 4, 2500000, kExport - 2500000000},
      {22, 4, 1000000 - 2000, kExport - 2 * kSecond},
      {22, 4, 0xffffffff, kExport - 1000001 * int64_t{1000000}},  // the counter wrapped in between
      {152, 8, 0, 0},
      {152, 8, 1700000000000 + 3601000, kExport},             // more than an hour ahead: repaired
      {150, 4, 1700000000 + 3500, kExport + 3500 * kSecond},  // less: believed
      {152, 8, UINT64_MAX, kExport},
  };
  for (const Case& c : kCases) {
    base::OctetWriter w;
    w.Number(c.wire, c.length);
    Decode({{c.element, c.length}}, w);
    EXPECT_EQ(Row().Get<FieldId::kStartTime>(), c.nanos) << c.element << " " << c.wire;
    EXPECT_EQ(Row().Has(FieldId::kStartTime), c.nanos != 0);
  }
  EXPECT_EQ(context_.clock_repairs, 2u);
}

TEST_F(PlanTest, TimesMoveWithARepairedClockAndTheDeviceStartCounts) {
  context_.shift_nanos = 50 * kSecond;
  base::OctetWriter w;
  w.U64(1700000000000 - 60000).U32(1500);
  Decode({{152, 8}, {161, 4}}, w);
  EXPECT_EQ(Row().Get<FieldId::kStartTime>(), kExport - 10 * kSecond);
  EXPECT_EQ(Row().Get<FieldId::kEndTime>(), kExport - 10 * kSecond + 1500000000);

  // Milliseconds whose nanoseconds fit 64 bits, but not with the shift too.
  base::OctetWriter absurd;
  absurd.U64(INT64_MAX / 1000000).U64(INT64_MAX / 1000000 - 1);
  Decode({{152, 8}, {153, 8}}, absurd);
  EXPECT_EQ(Row().Get<FieldId::kStartTime>(), kExport);
  EXPECT_EQ(Row().Get<FieldId::kEndTime>(), kExport);
  EXPECT_EQ(context_.clock_repairs, 2u);

  context_.shift_nanos = 0;
  context_.has_uptime = false;
  base::OctetWriter v;
  v.U64(1700000000000 - 3600000).U32(1000).U32(2000);
  Decode({{160, 8}, {22, 4}, {21, 4}}, v);
  EXPECT_EQ(Row().Get<FieldId::kStartTime>(), kExport - 3599 * kSecond);
  EXPECT_EQ(Row().Get<FieldId::kEndTime>(), kExport - 3598 * kSecond);
}

TEST_F(PlanTest, IcmpComesFromItsElementsOrFromTheDestinationPortOfNetFlow) {
  base::OctetWriter w;
  w.U8(1).U16(0x0301).U8(6).U16(0x0301);
  Decode({{4, 1}, {32, 2}}, w);
  EXPECT_EQ(Row(0).Get<FieldId::kIcmpType>(), 3);
  EXPECT_EQ(Row(0).Get<FieldId::kIcmpCode>(), 1);
  EXPECT_FALSE(Row(1).Has(FieldId::kIcmpType));

  Decode({{4, 1}, {11, 2}}, w, 9);
  EXPECT_EQ(Row(0).Get<FieldId::kIcmpType>(), 3);
  EXPECT_EQ(Row(0).Get<FieldId::kIcmpCode>(), 1);
  EXPECT_FALSE(Row(1).Has(FieldId::kIcmpCode));
  Decode({{4, 1}, {11, 2}}, w, 10);
  EXPECT_FALSE(Row(0).Has(FieldId::kIcmpType));
}

TEST_F(PlanTest, ReadsALabelStack) {
  base::OctetWriter w;
  w.U24(16 << 4).U24((17 << 4) | 1).U24(0);
  w.U24(0).U24(0).U24(0);
  Decode({{70, 3}, {71, 3}, {72, 3}}, w);
  EXPECT_EQ(Row(0).Get<FieldId::kMplsLabelTop>(), 16u);
  EXPECT_EQ(Row(0).Get<FieldId::kMplsLabelBottom>(), 17u);
  EXPECT_EQ(interner_.Find(Row(0).Get<FieldId::kMplsLabelStack>()).size(), 6u);
  EXPECT_FALSE(Row(1).Has(FieldId::kMplsLabelTop));
  EXPECT_FALSE(Row(1).Has(FieldId::kMplsLabelStack));
}

TEST_F(PlanTest, TheNearestWordOnSamplingCounts) {
  const auto source = [](record::SamplingSource s) { return static_cast<uint8_t>(s); };
  sampling_.SetAll(1000);
  sampling_.SetSelector(3, 300);
  sampling_.SetInterface(7, 70);
  base::OctetWriter w;
  w.U32(5).U8(3).U16(7);  // the record itself
  w.U32(0).U8(3).U16(7);  // its selector
  w.U32(0).U8(9).U16(7);  // its interface
  w.U32(0).U8(9).U16(8);  // all
  Decode({{34, 4}, {48, 1}, {10, 2}}, w);
  const uint64_t kRates[] = {5, 300, 70, 1000};
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(Row(i).Get<FieldId::kSamplingRate>(), kRates[i]) << i;
  EXPECT_EQ(Row(0).Get<FieldId::kSamplingSource>(), source(record::SamplingSource::kRecord));
  EXPECT_EQ(Row(1).Get<FieldId::kSamplingSource>(), source(record::SamplingSource::kOptions));
  EXPECT_EQ(Row(3).Get<FieldId::kSamplingSource>(), source(record::SamplingSource::kOptions));

  base::OctetWriter psamp;
  psamp.U32(1).U32(99);
  Decode({{305, 4}, {306, 4}}, psamp);
  EXPECT_EQ(Row().Get<FieldId::kSamplingRate>(), 100u);
}

TEST_F(PlanTest, ABiflowIsTwoRowsUnlessNothingCameBack) {
  base::OctetWriter w;
  w.U32(0xc0000201).U32(0xc6336401).U16(1024).U16(443).U64(100).U64(200).U16(0x1b).U16(0x12);
  w.U32(0xc0000202).U32(0xc6336402).U16(1025).U16(444).U64(50).U64(0).U16(2).U16(0);
  Decode({{8, 4}, {12, 4}, {7, 2}, {11, 2}, {1, 8}, {1, 8, kReversePen}, {6, 2}, {6, 2, kReversePen}}, w);
  ASSERT_EQ(rows_.size(), 3u);
  EXPECT_EQ(Row(2).Get<FieldId::kSrcAddr>().ToString(), "198.51.100.1");
  EXPECT_EQ(Row(2).Get<FieldId::kDstAddr>().ToString(), "192.0.2.1");
  EXPECT_EQ(Row(2).Get<FieldId::kSrcPort>(), 443);
  EXPECT_EQ(Row(2).Get<FieldId::kDstPort>(), 1024);
  EXPECT_EQ(Row(2).Get<FieldId::kBytes>(), 200u);
  EXPECT_EQ(Row(2).Get<FieldId::kTcpFlags>(), 0x12);
  EXPECT_EQ(Row(0).Get<FieldId::kBytes>(), 100u);
  EXPECT_EQ(Row(0).Get<FieldId::kTcpFlags>(), 0x1b);

  base::OctetWriter nsel;  // Cisco ASA
  nsel.U32(1).U32(2).U32(500).U32(600);
  Decode({{8, 4}, {12, 4}, {231, 4}, {232, 4}}, nsel);
  ASSERT_EQ(rows_.size(), 2u);
  EXPECT_EQ(Row(0).Get<FieldId::kBytes>(), 500u);
  EXPECT_EQ(Row(1).Get<FieldId::kBytes>(), 600u);
}

TEST_F(PlanTest, NamesComeFromOptions) {
  names_.Set(NameKind::kInterface, 7, "ge-0/0/1");
  names_.Set(NameKind::kApplication, 0x03000050, "http");
  base::OctetWriter w;
  w.U16(7).U32(0x03000050).U16(8).U32(1);
  Decode({{10, 2}, {95, 4}}, w);
  EXPECT_EQ(base::AsText(interner_.Find(Row(0).Get<FieldId::kInIfName>())), "ge-0/0/1");
  EXPECT_EQ(base::AsText(interner_.Find(Row(0).Get<FieldId::kApplication>())), "http");
  EXPECT_FALSE(Row(1).Has(FieldId::kInIfName));
  EXPECT_FALSE(Row(1).Has(FieldId::kApplication));
}

// Random templates of known elements in lengths right and wrong, with random octets.
TEST_F(PlanTest, ListsOfCommunitiesAndAsNumbersFillTheirFields) {
  const std::vector<Field> fields = {{484, kVariableLength}, {485, kVariableLength}, {487, kVariableLength},
                                     {488, kVariableLength}, {490, kVariableLength}, {491, kVariableLength},
                                     {511, kVariableLength}, {512, kVariableLength}};
  auto list = [](uint16_t id, uint16_t length, const base::OctetWriter& members) {
    base::OctetWriter w;
    w.U8(static_cast<uint8_t>(5 + members.size())).U8(0xff).U16(id).U16(length).Bytes(members.octets());
    return w;
  };
  auto text = [&](FieldId field) {
    return Row().Has(field) ? base::AsText(interner_.Find(static_cast<base::InternId>(Row().GetNumber(field)))) : "";
  };
  using W = base::OctetWriter;
  W w;
  w.Bytes(list(483, 4, W().U32(0xfc000001).U32(0xfc000002)).octets());
  w.Bytes(list(483, 2, W().U16(7)).octets());  // reduced size
  w.Bytes(list(486, 8, W().U64(1).U64(2)).octets());
  w.Bytes(list(486, kVariableLength, W().U8(8).U64(3)).octets());
  w.Bytes(list(489, 12, W().U32(1).U32(2).U32(3)).octets());
  w.Bytes(list(489, 12, W()).octets());  // no members: absent
  w.Bytes(list(16, 2, W().U16(64500).U16(64501)).octets());
  w.Bytes(list(17, 4, W().U32(4200000000)).octets());
  Decode(fields, w);
  EXPECT_EQ(text(FieldId::kSrcStdComm), base::AsText(W().U32(0xfc000001).U32(0xfc000002).octets()));
  EXPECT_EQ(text(FieldId::kStdComm), base::AsText(W().U32(7).octets()));
  EXPECT_EQ(text(FieldId::kSrcExtComm), base::AsText(W().U64(1).U64(2).octets()));
  EXPECT_EQ(text(FieldId::kExtComm), base::AsText(W().U64(3).octets()));
  EXPECT_EQ(text(FieldId::kSrcLrgComm), base::AsText(W().U32(1).U32(2).U32(3).octets()));
  EXPECT_FALSE(Row().Has(FieldId::kLrgComm));
  EXPECT_EQ(text(FieldId::kSrcAsPath), base::AsText(W().U8(2).U8(2).U32(64500).U32(64501).octets()));
  EXPECT_EQ(text(FieldId::kAsPath), base::AsText(W().U8(2).U8(1).U32(4200000000).octets()));
  EXPECT_EQ(context_.misfits, 0u);

  // Members of another length, a member that is cut, a header that is cut, too many AS numbers; and nothing at all.
  const struct {
    uint16_t element;
    W field;
    uint64_t misfits;
  } kBad[] = {
      {488, list(486, 4, W().U32(1)), 1},
      {485, list(483, 4, W().U32(1).U16(2)), 1},
      {485, W().U8(4).U8(3).U16(483).U8(0), 1},
      {512, W().U8(255).U16(5 + 256 * 2).U8(4).U16(17).U16(2).Fill(256 * 2, 1), 1},
      {485, W().U8(0), 0},
  };
  for (const auto& bad : kBad) {
    context_.misfits = 0;
    Decode({{bad.element, kVariableLength}}, bad.field);
    EXPECT_FALSE(Row().Has(FieldId::kStdComm));
    EXPECT_FALSE(Row().Has(FieldId::kExtComm));
    EXPECT_FALSE(Row().Has(FieldId::kAsPath));
    EXPECT_EQ(context_.misfits, bad.misfits) << bad.element;
  }
}

TEST_F(PlanTest, AgreesWithItsSlowTwin) {
  constexpr uint16_t kElements[] = {1,  2,   4,   5,   6,   7,   8,   9,   10,  11,  12,  13,  14,  15,
                                    16, 17,  21,  22,  27,  28,  29,  30,  56,  58,  61,  62,  85,  86,
                                    89, 136, 150, 151, 152, 153, 158, 159, 182, 183, 192, 371, 210, 9999};
  constexpr uint16_t kLengths[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 16, kVariableLength};
  // Fields with rules of their own have tests above.
  std::vector<FieldId> fields;
  for (FieldId field : layout_.fields()) {
    switch (field) {
      case FieldId::kIcmpType:
      case FieldId::kIcmpCode:
      case FieldId::kIpVersion:
      case FieldId::kExporter:
      case FieldId::kObservationDomain:
      case FieldId::kExportVersion:
      case FieldId::kArrivalTime:
      case FieldId::kExportTime:
      case FieldId::kTemplateId:
        break;
      default:
        fields.push_back(field);
    }
  }
  const record::Layout layout(fields);
  std::mt19937 random(20240501);
  auto pick = [&](size_t n) { return static_cast<size_t>(random() % n); };
  int compared = 0;
  for (int round = 0; round < 1500; ++round) {
    std::vector<Field> spec;
    const size_t n = 1 + pick(12);
    for (size_t i = 0; i < n; ++i) {
      const uint16_t id = kElements[pick(std::size(kElements))];
      const InformationElement* element = FindInformationElement(kIanaPen, id);
      const uint16_t right = element == nullptr ? 4 : AbstractTypeSize(element->type);
      uint16_t length = pick(3) == 0 || right == 0 ? kLengths[pick(std::size(kLengths))] : right;
      // Times and addresses in variable length are tested by hand.
      if (length == kVariableLength && id != 371 && id != 1 && id != 2 && id != 210) length = 4;
      spec.push_back({id, length});
    }
    std::vector<TemplateField> made;
    for (const Field& field : spec) made.push_back(MakeTemplateField(0, field.id, field.length));
    Template format;
    if (MakeTemplate(record::RecordKind::kFlow, made, TemplateOptions(), &format) != base::DecodeCode::kOk) {
      continue;
    }
    base::OctetWriter records;
    std::vector<std::pair<size_t, size_t>> places;
    for (int r = 0; r < 3; ++r) {
      const size_t begin = records.size();
      for (const Field& field : spec) {
        size_t length = field.length;
        if (length == kVariableLength) {
          length = pick(field.id == 371 ? 300 : 9);
          if (length >= 255) {
            records.U8(255).U16(static_cast<uint16_t>(length));
          } else {
            records.U8(static_cast<uint8_t>(length));
          }
        }
        const bool zero = pick(4) == 0;
        for (size_t i = 0; i < length; ++i) records.U8(zero ? 0 : static_cast<uint8_t>(random() >> (pick(3) * 8)));
      }
      places.emplace_back(begin, records.size() - begin);
    }
    record::FlowBatch rows(&layout, &interner_);
    CompiledTemplates table(&layout, 10);
    record::DecodeOutput output;
    output.flows = &rows;
    ASSERT_EQ(table.Intern(format)->DecodeFlows(256, records.octets(), &context_, output, nullptr).octets,
              records.size());
    ASSERT_EQ(rows.size(), 3u);
    for (size_t r = 0; r < 3; ++r) {
      std::vector<uint8_t> expected(layout.row_size());
      record::MutableRow row(&layout, expected.data());
      const base::Octets octets = records.octets().subspan(places[r].first, places[r].second);
      testing::InterpretRecord(format, octets, context_, &interner_, row);
      for (FieldId field : layout.fields()) {
        // Substitutes have a test above.
        const FieldId f = field;
        ASSERT_EQ(rows.row(r).Has(f), row.Has(f)) << record::Info(f).name << " round " << round << " record " << r;
        const size_t size = record::FieldTypeSize(record::Info(f).type);
        if (!row.Has(f)) continue;
        ASSERT_EQ(std::memcmp(rows.row(r).octets() + layout.offset(f), expected.data() + layout.offset(f), size), 0)
            << record::Info(f).name << " round " << round << " record " << r;
        ++compared;
      }
    }
  }
  EXPECT_GT(compared, 10000);
}

}  // namespace
}  // namespace flowacct::flow
