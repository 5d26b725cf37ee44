#include "flowacct/flow/ipfix/ipfix_decoder.h"

#include <gtest/gtest.h>

#include <vector>

#include "flowacct/base/octet_writer.h"
#include "flowacct/flow/template/testing/decode_run.h"
#include "flowacct/flow/template/testing/message_builder.h"
#include "flowacct/testing/allocation_counter.h"

namespace flowacct::ipfix {
namespace {

using base::DecodeCode;
using flow::testing::kVariable;
using flow::testing::MessageBuilder;
using flow::testing::Transcript;
using record::FieldId;
using record::Transport;

constexpr int64_t kSecond = 1000000000;

// A decoder with what it gave.
struct Decoding {
  explicit Decoding(IpfixOptions options = {})
      : layout(record::Layout::All()), rows(&layout, &interner), decoder(&layout, options) {
    output.flows = &rows;
  }
  base::DecodeResult Decode(MessageBuilder& message, Transport transport = Transport::kUdp) {
    record::Datagram datagram = message.Datagram();
    datagram.transport = transport;
    return decoder.Decode(datagram, output);
  }
  record::ExporterReport Report() { return decoder.Report().at(0); }

  record::Layout layout;
  base::Interner interner;
  record::FlowBatch rows;
  IpfixDecoder decoder;
  record::DecodeOutput output;
};

TEST(IpfixDecoderTest, ReadsFieldsOfVariableLength) {
  Decoding run;
  MessageBuilder message(10);
  message.Template(256, {{371, kVariable}, {1, 4}, {460, kVariable}, {27, 16}});
  message.BeginSet(256);
  message.body().U8(3).Text("ann").U32(100).U8(255).U16(300).Fill(300, 'x').U64(0x20010db800000000).U64(1);
  message.body().U8(0).U32(200).U8(1).Text("y").U64(0x20010db800000000).U64(2);
  message.EndSet(2);
  EXPECT_TRUE(run.Decode(message).ok());
  ASSERT_EQ(run.rows.size(), 2u);
  EXPECT_EQ(base::AsText(run.interner.Find(run.rows.row(0).Get<FieldId::kUserName>())), "ann");
  EXPECT_EQ(run.interner.Find(run.rows.row(0).Get<FieldId::kHttpHost>()).size(), 300u);
  EXPECT_FALSE(run.rows.row(1).Has(FieldId::kUserName));
  EXPECT_EQ(run.rows.row(1).Get<FieldId::kBytes>(), 200u);
  EXPECT_EQ(run.rows.row(1).Get<FieldId::kSrcAddr>().ToString(), "2001:db8::2");
  EXPECT_EQ(run.rows.row(1).Get<FieldId::kExportVersion>(), 10);
}

TEST(IpfixDecoderTest, CutsAtEveryOctetKeepWhatIsWhole) {
  MessageBuilder message(10);
  message.Template(256, {{371, kVariable}, {1, 4}});
  message.Template(257, {{8, 4}, {1, 8}, {1, 8, 29305}});
  message.BeginSet(256).body().U8(3).Text("ann").U32(100).U8(2).Text("bo").U32(200);
  message.EndSet();
  message.BeginSet(257).body().U32(1).U64(2).U64(3).U32(4).U64(5).U64(6);
  message.EndSet();
  const std::vector<uint8_t> whole = message.Copy();
  size_t rows_before = 0;
  for (size_t cut = 0; cut <= whole.size(); ++cut) {
    Decoding run;
    Transcript transcript;
    if (cut % 2 == 0) run.output.listener = &transcript;
    const std::vector<uint8_t> octets(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(cut));
    record::Datagram datagram = message.Datagram();
    datagram.octets = octets;
    const base::DecodeResult result = run.decoder.Decode(datagram, run.output);
    EXPECT_EQ(result.ok(), cut == whole.size()) << cut;
    EXPECT_GE(run.rows.size(), rows_before) << cut;
    rows_before = run.rows.size();
  }
  EXPECT_EQ(rows_before, 6u);
}

TEST(IpfixDecoderTest, TemplatesLiveUntilWithdrawnOnStreamsAndSequencesCountRecords) {
  Decoding run;
  MessageBuilder first(10, 0);
  first.Template(256, {{1, 4}});
  first.BeginSet(256).body().U32(1).U32(2);
  first.EndSet();
  EXPECT_TRUE(run.Decode(first, Transport::kTcp).ok());
  MessageBuilder second(10, 5);  // three are missing
  second.Withdraw(256);
  EXPECT_TRUE(run.Decode(second, Transport::kTcp).ok());
  MessageBuilder third(10, 5);
  third.BeginSet(256).body().U32(3);
  third.EndSet();
  EXPECT_TRUE(run.Decode(third, Transport::kTcp).ok());
  EXPECT_EQ(run.rows.size(), 2u);
  EXPECT_EQ(run.Report().pending_sets, 1u);
  EXPECT_EQ(run.Report().sequence.unit, "records");
  EXPECT_EQ(run.Report().sequence.gaps, 1u);
  EXPECT_EQ(run.Report().sequence.lost, 3u);

  // Over UDP a withdrawal is an error, and nothing is withdrawn.
  Decoding udp;
  EXPECT_TRUE(udp.Decode(first).ok());
  EXPECT_EQ(udp.Decode(second).code, DecodeCode::kBadTemplate);
  EXPECT_TRUE(udp.Decode(third).ok());
  EXPECT_EQ(udp.rows.size(), 3u);
}

TEST(IpfixDecoderTest, VrfsHaveNamesAndRouteDistinguishersThatOptionsTold) {
  Decoding run;
  MessageBuilder message(10);
  message.OptionsTemplate(300, 1, {{234, 4}, {236, 8}, {234, 4}, {235, 4}, {90, 8}});  // as IOS XR has them
  message.Template(256, {{234, 4}, {235, 4}, {1, 4}});
  message.Template(257, {{235, 4}, {1, 4}});
  message.Template(258, {{234, 4}, {90, 8}, {1, 4}});
  message.Template(259, {{234, 4}, {235, 4}, {1, 4}, {1, 4, 29305}});
  message.BeginSet(300);
  message.body().U32(7).Text("customer").U32(7).U32(7).U64(0x0000fde900000007);
  message.body().U32(8).Text("internet").U32(8).U32(8).U64(0x0000fde900000008);
  message.body().U32(9).Text("no rd   ").U32(9).U32(9).U64(0);
  message.EndSet();
  message.BeginSet(256).body().U32(7).U32(8).U32(1).U32(9).U32(8).U32(2).U32(1).U32(2).U32(3);
  message.EndSet();
  message.BeginSet(257).body().U32(8).U32(4);
  message.EndSet();
  message.BeginSet(258).body().U32(7).U64(0x0000fde900000063).U32(5);
  message.EndSet();
  message.BeginSet(259).body().U32(7).U32(8).U32(6).U32(7);
  message.EndSet();
  EXPECT_TRUE(run.Decode(message).ok());
  ASSERT_EQ(run.rows.size(), 7u);
  const struct {
    const char *what, *in_name, *out_name;
    uint64_t rd;
  } kExpected[] = {
      {"that of the way in", "customer", "internet", 0x0000fde900000007},
      {"of the way out, as none was told of the way in", "no rd   ", "internet", 0x0000fde900000008},
      {"of VRFs that nobody told of", "", "", 0},
      {"of the only VRF", "", "internet", 0x0000fde900000008},
      {"the record's own", "customer", "", 0x0000fde900000063},
      {"forward", "customer", "internet", 0x0000fde900000007},
      {"reverse", "internet", "customer", 0x0000fde900000008},
  };
  for (size_t i = 0; i < run.rows.size(); ++i) {
    const record::RowView row = run.rows.row(i);
    EXPECT_EQ(row.GetNumber(FieldId::kMplsVpnRd), kExpected[i].rd) << kExpected[i].what;
    EXPECT_EQ(row.Has(FieldId::kMplsVpnRd), kExpected[i].rd != 0) << kExpected[i].what;
    EXPECT_EQ(base::AsText(run.interner.Find(row.Get<FieldId::kInVrfName>())), kExpected[i].in_name);
    EXPECT_EQ(base::AsText(run.interner.Find(row.Get<FieldId::kOutVrfName>())), kExpected[i].out_name);
  }
}

TEST(IpfixDecoderTest, UptimesCountFromTheStartThatOptionsTold) {
  Decoding run;
  MessageBuilder message(10);
  message.OptionsTemplate(300, 1, {{144, 4}, {160, 8}});
  message.Template(256, {{22, 4}, {21, 4}});
  message.BeginSet(300).body().U32(1).U64(uint64_t{flow::testing::kExportSeconds} * 1000 - 3600000 + 7);
  message.EndSet();
  EXPECT_TRUE(run.Decode(message).ok());
  MessageBuilder data(10, 1);
  data.BeginSet(256).body().U32(1000).U32(2000);
  data.EndSet();
  EXPECT_TRUE(run.Decode(data).ok());
  ASSERT_EQ(run.rows.size(), 1u);
  const int64_t start = (int64_t{flow::testing::kExportSeconds} - 3600) * kSecond + 7000000;
  EXPECT_EQ(run.rows.row(0).Get<FieldId::kStartTime>(), start + kSecond);
  EXPECT_EQ(run.rows.row(0).Get<FieldId::kEndTime>(), start + 2 * kSecond);
}

TEST(IpfixDecoderTest, TellsStructuredDataAndLearnsNames) {
  Decoding run;
  MessageBuilder message(10);
  message.OptionsTemplate(300, 2, {{346, 4}, {303, 2}, {339, 1}, {341, kVariable}});
  message.BeginSet(300).body().U32(32473).U16(5).U8(13).U8(5).Text("motto");
  message.EndSet();
  message.Template(256, {{5, 2, 32473}, {6, 1, 32473}, {291, kVariable}, {292, kVariable}, {293, kVariable}});
  message.Template(257, {{4, 1}, {1, 2}});
  message.BeginSet(256).body().Text("hi").U8(9);
  message.body().U8(9).U8(3).U16(10).U16(2).U16(5).U16(6);
  message.body().U8(9).U8(3).U16(257).U8(6).U16(70).U8(17).U16(80);
  message.body().U8(8).U8(3).U16(257).U16(7).U8(6).U16(90);
  message.EndSet();
  EXPECT_TRUE(run.Decode(message).ok());
  Transcript transcript;
  run.output.listener = &transcript;
  EXPECT_TRUE(run.Decode(message).ok());
  EXPECT_EQ(transcript.text(),
            "option 300 { privateEnterpriseNumber=00007ed9 informationElementId=0005 informationElementDataType=0d "
            "informationElementName='motto' } 0\n"
            "flow 256 { motto='hi' 32473:6=09 basicList[ ingressInterface=0005 ingressInterface=0006 ] "
            "subTemplateList[ record[ protocolIdentifier=06 octetDeltaCount=0046 ] "
            "record[ protocolIdentifier=11 octetDeltaCount=0050 ] ] "
            "subTemplateMultiList[ record[ protocolIdentifier=06 octetDeltaCount=005a ] ] } 1\n");
}

TEST(IpfixDecoderTest, ListsInsideListsEndAtTheBound) {
  Decoding run;
  Transcript transcript;
  run.output.listener = &transcript;
  MessageBuilder message(10);
  message.Template(256, {{291, kVariable}});
  // Twenty basicLists, each the one element of the one around it.
  std::vector<uint8_t> list = {3, 0, 4, 0, 1, 6};
  for (int i = 0; i < 20; ++i) {
    base::OctetWriter outer;
    outer.U8(3).U16(291).U16(kVariable).U8(static_cast<uint8_t>(list.size())).Bytes(list);
    list.assign(outer.octets().begin(), outer.octets().end());
  }
  message.BeginSet(256).body().U8(static_cast<uint8_t>(list.size())).Bytes(list);
  message.EndSet();
  EXPECT_TRUE(run.Decode(message).ok());
  size_t opened = 0;
  for (char c : transcript.text()) opened += c == '[';
  EXPECT_EQ(opened, 4u);
}

TEST(IpfixDecoderTest, ASectionOfAFrameIsAPacket) {
  Decoding run;
  MessageBuilder message(10);
  message.Template(256, {{312, 2}, {315, kVariable}});
  base::OctetWriter frame;
  frame.Fill(12).U16(0x0800);
  frame.U8(0x45).U8(0).U16(1000).U32(0).U8(64).U8(17).U16(0).U32(0xc0000201).U32(0xc6336401);
  frame.U16(53).U16(5353).U16(980).U16(0);
  message.BeginSet(256).body().U16(1014).U8(static_cast<uint8_t>(frame.size())).Bytes(frame.octets());
  message.body().U16(60).U8(2).U16(0);  // too short to be a frame
  message.body().U16(60).U8(0);         // none was told
  base::OctetWriter arp;
  arp.Fill(12).U16(0x0806).U16(1).U16(0x0800).Fill(24);
  message.body().U16(60).U8(static_cast<uint8_t>(arp.size())).Bytes(arp.octets());
  message.EndSet();
  EXPECT_TRUE(run.Decode(message).ok());
  ASSERT_EQ(run.rows.size(), 4u);
  const record::RowView row = run.rows.row(0);
  EXPECT_EQ(row.Get<FieldId::kSrcAddr>().ToString(), "192.0.2.1");
  EXPECT_EQ(row.Get<FieldId::kDstPort>(), 5353);
  EXPECT_EQ(row.Get<FieldId::kBytes>(), 1000u);
  EXPECT_EQ(row.Get<FieldId::kPackets>(), 1u);
  EXPECT_FALSE(row.Has(FieldId::kFlows));
  EXPECT_FALSE(run.rows.row(1).Has(FieldId::kSrcAddr));
  EXPECT_FALSE(run.rows.row(1).Has(FieldId::kBytes));
  EXPECT_EQ(run.rows.row(1).Get<FieldId::kPackets>(), 1u);
  EXPECT_FALSE(run.rows.row(2).Has(FieldId::kBytes));
  EXPECT_EQ(run.rows.row(2).Get<FieldId::kPackets>(), 1u);
  EXPECT_EQ(run.rows.row(3).Get<FieldId::kEtype>(), 0x0806);
  EXPECT_EQ(run.rows.row(3).Get<FieldId::kBytes>(), 46u) << "behind the link header, as of sFlow's frames without IP";
  EXPECT_EQ(run.Report().unread_sections, 1u);
  EXPECT_EQ(run.Report().flow_records, 4u);
}

// softflowd pads sections to the template's length.
TEST(IpfixDecoderTest, PaddingOfASectionIsNoPacket) {
  Decoding run;
  MessageBuilder message(10);
  message.Template(256, {{410, 2}, {313, 40}});
  message.BeginSet(256);
  for (uint16_t exported : {28, 20, 0}) {
    message.body().U16(exported);
    message.body().U8(0x45).U8(0).U16(100).U32(0).U8(64).U8(17).U16(0).U32(0xc0000201).U32(0xc6336401);
    message.body().U16(exported == 28 ? 53 : 0).U16(exported == 28 ? 5353 : 0).U32(0).Fill(12);
  }
  message.EndSet();
  EXPECT_TRUE(run.Decode(message).ok());
  ASSERT_EQ(run.rows.size(), 3u);
  EXPECT_EQ(run.rows.row(0).Get<FieldId::kDstPort>(), 5353);
  EXPECT_TRUE(run.rows.row(1).Has(FieldId::kSrcAddr));
  EXPECT_FALSE(run.rows.row(1).Has(FieldId::kDstPort));
  EXPECT_FALSE(run.rows.row(2).Has(FieldId::kSrcAddr)) << "none was exported";
  EXPECT_EQ(run.Report().unread_sections, 0u);
}

TEST(IpfixDecoderTest, SectionsOfPacketsAndLabelsThatCannotBeReadAreCounted) {
  Decoding run;
  MessageBuilder message(10);
  message.Template(256, {{313, kVariable}, {10, 4}});
  message.Template(257, {{316, kVariable}, {1, 4}});
  message.BeginSet(256).body().U8(4).U32(0xf0000000).U32(7);  // of IP version 15
  message.EndSet();
  message.BeginSet(257).body().U8(2).U16(0x1234).U32(90);
  message.EndSet();
  EXPECT_TRUE(run.Decode(message).ok());
  ASSERT_EQ(run.rows.size(), 2u);
  EXPECT_EQ(run.rows.row(0).Get<FieldId::kInIf>(), 7u) << "what the record itself tells stays";
  EXPECT_EQ(run.rows.row(0).Get<FieldId::kPackets>(), 1u);
  EXPECT_FALSE(run.rows.row(0).Has(FieldId::kBytes));
  EXPECT_EQ(run.rows.row(1).Get<FieldId::kBytes>(), 90u);
  EXPECT_FALSE(run.rows.row(1).Has(FieldId::kMplsLabelTop));
  EXPECT_EQ(run.Report().unread_sections, 2u);
}

TEST(IpfixDecoderTest, FindsTheEndOfAMessage) {
  MessageBuilder message(10);
  message.Template(256, {{1, 4}});
  const std::vector<uint8_t> whole = message.Copy();
  for (size_t cut = 0; cut < whole.size(); ++cut) {
    const MessageBoundary boundary = NextMessage(base::Octets(whole).first(cut));
    EXPECT_EQ(boundary.code, DecodeCode::kTruncated);
    EXPECT_EQ(boundary.length, cut < 4 ? 0 : whole.size());
  }
  EXPECT_EQ(NextMessage(whole).code, DecodeCode::kOk);
  EXPECT_EQ(NextMessage(whole).length, whole.size());
  const uint8_t kOther[] = {0, 9, 0, 20};
  EXPECT_EQ(NextMessage(kOther).code, DecodeCode::kBadVersion);
  const uint8_t kShort[] = {0, 10, 0, 15};
  EXPECT_EQ(NextMessage(kShort).code, DecodeCode::kBadLength);
}

TEST(IpfixDecoderTest, AllocatesNothingInSteadyState) {
  FLOWACCT_REQUIRE_ALLOCATION_COUNT();
  Decoding run;
  MessageBuilder templates(10), data(10);
  templates.Template(256, {{371, kVariable}, {1, 4}, {8, 4}, {1, 4, 29305}});
  data.BeginSet(256);
  for (int i = 0; i < 20; ++i) data.body().U8(3).Text("ann").U32(100).U32(1).U32(5);
  data.EndSet();
  ASSERT_TRUE(run.Decode(templates).ok());
  ASSERT_TRUE(run.Decode(data).ok());
  ASSERT_EQ(run.rows.size(), 40u);
  ASSERT_EQ(run.Report().flow_records, 20u);
  ASSERT_EQ(run.Report().reverse_records, 20u);
  flowacct::testing::AllocationCounter counter;
  for (int i = 0; i < 100; ++i) {
    run.rows.Clear();
    static_cast<void>(run.Decode(data));
  }
  EXPECT_EQ(counter.allocations(), 0);
}

}  // namespace
}  // namespace flowacct::ipfix
