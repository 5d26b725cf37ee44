#include "flowacct/flow/sflow/sflow_decoder.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/flow/sflow/flow_record_view.h"
#include "flowacct/flow/sflow/testing/sflow_builder.h"
#include "flowacct/flow/sflow/testing/sflow_decoder_fixture.h"
#include "gtest/gtest.h"

namespace flowacct::sflow {
namespace {

using base::DecodeCode;
using base::DecodeResult;
using base::IpAddress;
using record::FieldId;

// Writes down what it hears.
class Transcript : public record::ElementListener {
 public:
  void OnRecord(record::RecordKind kind, uint16_t) override {
    absl::StrAppend(&text_, record::RecordKindName(kind), "{");
    elements_.clear();
  }
  void OnElement(const record::Element& element) override {
    elements_[std::string(element.name)] = {element.octets.begin(), element.octets.end()};
  }
  void OnListBegin(absl::string_view name) override { absl::StrAppend(&text_, name, "["); }
  void OnListEnd() override { absl::StrAppend(&text_, "]"); }
  void OnRecordEnd(size_t rows) override { absl::StrAppend(&text_, "}", rows, " "); }

  const std::string& text() const { return text_; }
  // Of the last record.
  bool Has(const std::string& name) const { return elements_.count(name) != 0; }
  uint64_t Number(const std::string& name) const {
    const auto it = elements_.find(name);
    return it == elements_.end() ? UINT64_MAX : base::LoadBe(it->second.data(), it->second.size());
  }
  std::string Text(const std::string& name) const {
    const auto it = elements_.find(name);
    return it == elements_.end() ? "(none)" : std::string(it->second.begin(), it->second.end());
  }

 private:
  std::string text_;
  std::map<std::string, std::vector<uint8_t>> elements_;
};

TEST_F(SflowDecoderTest, SampledHeaderBecomesARow) {
  PacketFields packet;
  packet.protocol = 6;
  packet.source_port = 443;
  packet.destination_port = 50000;
  packet.tos = 8;
  packet.tcp_flags = 0x18;
  packet.vlan = 100;
  packet.priority = 5;
  packet.payload = 1000;
  for (uint32_t version : {2u, 4u, 5u}) {
    flows_.Clear();
    SflowBuilder builder(version, IpAddress::V4(0x0a0a0a0a), 9, version == 5 ? 2 : 0);
    FlowSampleFields fields;
    fields.rate = 2048;
    builder.AddFlowSample(fields, {HeaderRecord(EthernetPacket(packet), 128, version)});
    ASSERT_TRUE(Decode(builder).ok());
    ASSERT_EQ(flows_.size(), 1);
    const record::RowView row = Row();
    EXPECT_EQ(row.Get<FieldId::kExporter>().ToString(), "10.10.10.10");  // the agent, not the UDP source
    EXPECT_EQ(row.Get<FieldId::kObservationDomain>(), version == 5 ? 2 : 0);
    EXPECT_EQ(row.Get<FieldId::kExportVersion>(), version);
    EXPECT_EQ(row.Get<FieldId::kExportSequence>(), 9);
    EXPECT_EQ(row.Get<FieldId::kSrcAddr>().ToString(), "10.0.0.1");
    EXPECT_EQ(row.Get<FieldId::kDstAddr>().ToString(), "10.0.0.2");
    EXPECT_EQ(row.Get<FieldId::kProtocol>(), 6);
    EXPECT_EQ(row.Get<FieldId::kSrcPort>(), 443);
    EXPECT_EQ(row.Get<FieldId::kDstPort>(), 50000);
    EXPECT_EQ(row.Get<FieldId::kTos>(), 8);
    EXPECT_EQ(row.Get<FieldId::kTcpFlags>(), 0x18);
    EXPECT_EQ(row.Get<FieldId::kVlan>(), 100);
    EXPECT_EQ(row.Get<FieldId::kCos>(), 5);
    EXPECT_EQ(row.Get<FieldId::kSrcMac>().ToString(), "02:00:00:00:00:01");
    EXPECT_EQ(row.Get<FieldId::kPackets>(), 1);
    EXPECT_EQ(row.Get<FieldId::kBytes>(), 1040);  // the IP packet, not the frame
    EXPECT_EQ(row.Get<FieldId::kSamplingRate>(), 2048);
    EXPECT_EQ(row.Get<FieldId::kSamplingSource>(), static_cast<uint8_t>(record::SamplingSource::kSflow));
    EXPECT_EQ(row.Get<FieldId::kInIf>(), 1);
    EXPECT_EQ(row.Get<FieldId::kOutIf>(), 2);
    EXPECT_EQ(row.Get<FieldId::kDirection>(), 0);
    EXPECT_TRUE(row.Has(FieldId::kDirection));
    EXPECT_EQ(row.Get<FieldId::kStartTime>(), kArrival);
    EXPECT_EQ(row.Get<FieldId::kEndTime>(), kArrival);
    EXPECT_EQ(row.Get<FieldId::kArrivalTime>(), kArrival);
    EXPECT_FALSE(row.Has(FieldId::kFlows));
    EXPECT_FALSE(row.Has(FieldId::kFwdStatus));
    EXPECT_FALSE(row.Has(FieldId::kSrcAs));
  }
}

TEST_F(SflowDecoderTest, HeaderProtocols) {
  PacketFields packet;
  const std::vector<uint8_t> frame = EthernetPacket(packet);
  const base::Octets ip = base::Octets(frame).subspan(14);
  base::OctetWriter ppp, mpls, chdlc;
  ppp.U8(0xff).U8(0x03).U16(0x0021).Bytes(ip);
  mpls.U32(16u << 12 | 1u << 8 | 64).Bytes(ip);
  struct Case {
    uint32_t protocol;
    std::vector<uint8_t> octets;
    bool decoded;
  };
  const std::vector<uint8_t> ip_only(ip.begin(), ip.end());
  packet.source = *IpAddress::Parse("2001:db8::1");
  packet.destination = *IpAddress::Parse("2001:db8::2");
  const std::vector<uint8_t> frame6 = EthernetPacket(packet);
  const Case kCases[] = {
      {1, frame, true},
      {7, {ppp.octets().begin(), ppp.octets().end()}, true},
      {10, ip_only, true},
      {11, ip_only, true},
      {12, {frame6.begin() + 14, frame6.end()}, true},
      {13, {mpls.octets().begin(), mpls.octets().end()}, true},
      {2, frame, false},
      {6, frame, false},
      {99, frame, false},
  };
  for (const Case& c : kCases) {
    flows_.Clear();
    const DecodeResult result =
        DecodeOne({HeaderRecord(c.octets, static_cast<uint32_t>(c.octets.size()), c.protocol, 0)});
    ASSERT_EQ(flows_.size(), 1);
    EXPECT_EQ(Row().Get<FieldId::kPackets>(), 1);
    if (c.decoded) {
      EXPECT_TRUE(result.ok()) << c.protocol;
      EXPECT_EQ(Row().Get<FieldId::kDstPort>(), 53) << c.protocol;
      EXPECT_EQ(Row().Get<FieldId::kBytes>(), c.protocol == 12 ? 148 : 128) << c.protocol;
      EXPECT_EQ(Row().Get<FieldId::kIpVersion>(), c.protocol == 12 ? 6 : 4);
    } else {
      EXPECT_EQ(result.code, DecodeCode::kUnsupported) << c.protocol;
      EXPECT_FALSE(Row().Has(FieldId::kBytes));
      EXPECT_FALSE(Row().Has(FieldId::kSrcAddr));
    }
    if (c.protocol == 13) {
      EXPECT_EQ(Row().Get<FieldId::kMplsLabelTop>(), 16);
    }
  }
}

TEST_F(SflowDecoderTest, FramesWithoutIpAreRowsToo) {
  base::OctetWriter arp;
  arp.Fill(6, 0xff).Bytes(std::vector<uint8_t>{2, 0, 0, 0, 0, 1}).U16(0x0806).Fill(46);
  ASSERT_TRUE(DecodeOne({HeaderRecord(arp.octets(), 64)}).ok());
  ASSERT_EQ(flows_.size(), 1);
  EXPECT_EQ(Row().Get<FieldId::kEtype>(), 0x0806);
  EXPECT_EQ(Row().Get<FieldId::kPackets>(), 1);
  EXPECT_EQ(Row().Get<FieldId::kBytes>(), 46);  // 64 without FCS and Ethernet's header
  EXPECT_FALSE(Row().Has(FieldId::kSrcAddr));
}

TEST_F(SflowDecoderTest, DecodedFieldsStandInForAHeader) {
  PacketFields packet;
  packet.protocol = 6;
  packet.tcp_flags = 2;
  packet.tos = 0x20;
  const base::MacAddress a = *base::MacAddress::Parse("02:00:00:00:00:0a");
  const base::MacAddress b = *base::MacAddress::Parse("02:00:00:00:00:0b");
  ASSERT_TRUE(DecodeOne({EthernetRecord(1518, a, b, 0x0800), IpRecord(packet, 1480)}).ok());
  EXPECT_EQ(Row().Get<FieldId::kSrcMac>(), a);
  EXPECT_EQ(Row().Get<FieldId::kDstMac>(), b);
  EXPECT_EQ(Row().Get<FieldId::kBytes>(), 1480);
  EXPECT_EQ(Row().Get<FieldId::kPackets>(), 1);
  EXPECT_EQ(Row().Get<FieldId::kTcpFlags>(), 2);
  EXPECT_EQ(Row().Get<FieldId::kTos>(), 0x20);
  EXPECT_EQ(Row().Get<FieldId::kSrcPort>(), 1234);
  EXPECT_EQ(Row().Get<FieldId::kEtype>(), 0x0800);
  // Beside a header that can be read they change nothing.
  PacketFields other = packet;
  other.source = IpAddress::V4(0x01010101);
  flows_.Clear();
  ASSERT_TRUE(DecodeOne({IpRecord(other, 9999), HeaderRecord(EthernetPacket(packet))}).ok());
  EXPECT_EQ(Row().Get<FieldId::kSrcAddr>().ToString(), "10.0.0.1");
  EXPECT_EQ(Row().Get<FieldId::kBytes>(), 140);
  // Beside one that cannot, they are what there is.
  flows_.Clear();
  const std::vector<uint8_t> frame = EthernetPacket(packet);
  EXPECT_FALSE(DecodeOne({HeaderRecord(frame, 20), IpRecord(other, 9999)}).ok());
  EXPECT_EQ(Row().Get<FieldId::kSrcAddr>().ToString(), "1.1.1.1");
  EXPECT_EQ(Row().Get<FieldId::kBytes>(), 9999);
}

TEST_F(SflowDecoderTest, Interfaces) {
  struct Case {
    Interface input, output;
    std::optional<uint32_t> in_if, out_if;
    std::optional<uint8_t> status;
  };
  const Case kCases[] = {
      {{0, 27}, {0, 28}, 27, 28, std::nullopt},
      {{0, 0}, {0, 0}, std::nullopt, std::nullopt, std::nullopt},
      {{0, 27}, {Interface::kDiscarded, 258}, 27, std::nullopt, 130},
      {{0, 27}, {Interface::kDiscarded, 3}, 27, std::nullopt, 128},
      {{0, 27}, {Interface::kDiscarded, 257}, 27, std::nullopt, 137},
      {{0, 27}, {Interface::kMultiple, 7}, 27, std::nullopt, std::nullopt},
      {{0, 27}, {0, Interface::kLocal}, 27, std::nullopt, 195},
      {{0, Interface::kLocal}, {0, 5}, std::nullopt, 5, std::nullopt},
  };
  for (bool expanded : {false, true}) {
    for (const Case& c : kCases) {
      flows_.Clear();
      FlowSampleFields fields;
      fields.input = c.input;
      fields.output = c.output;
      fields.expanded = expanded;
      ASSERT_TRUE(DecodeOne({HeaderRecord(EthernetPacket(PacketFields()))}, fields).ok());
      EXPECT_EQ(Row().Has(FieldId::kInIf), c.in_if.has_value());
      EXPECT_EQ(Row().Get<FieldId::kInIf>(), c.in_if.value_or(0));
      EXPECT_EQ(Row().Has(FieldId::kOutIf), c.out_if.has_value());
      EXPECT_EQ(Row().Get<FieldId::kOutIf>(), c.out_if.value_or(0));
      EXPECT_EQ(Row().Has(FieldId::kFwdStatus), c.status.has_value());
      EXPECT_EQ(Row().Get<FieldId::kFwdStatus>(), c.status.value_or(0));
    }
  }
}

TEST_F(SflowDecoderTest, SwitchRouterAndGateway) {
  const IpAddress hop = *IpAddress::Parse("2001:db8::9");
  ASSERT_TRUE(DecodeOne({SwitchRecord(100, 3, 200, 4), HeaderRecord(EthernetPacket(PacketFields())),
                         RouterRecord(hop, 24, 17), GatewayRecord(GatewayFields())})
                  .ok());
  const record::RowView row = Row();
  EXPECT_EQ(row.Get<FieldId::kInVlan>(), 100);
  EXPECT_EQ(row.Get<FieldId::kVlan>(), 100);
  EXPECT_EQ(row.Get<FieldId::kOutVlan>(), 200);
  EXPECT_EQ(row.Get<FieldId::kCos>(), 3);
  EXPECT_EQ(row.Get<FieldId::kNextHop>(), hop);
  EXPECT_EQ(row.Get<FieldId::kSrcMask>(), 24);
  EXPECT_EQ(row.Get<FieldId::kDstMask>(), 17);
  EXPECT_EQ(row.Get<FieldId::kBgpNextHop>().ToString(), "192.0.2.99");
  EXPECT_EQ(row.Get<FieldId::kSrcAs>(), 64501);
  EXPECT_EQ(row.Get<FieldId::kPeerSrcAs>(), 64502);
  EXPECT_EQ(row.Get<FieldId::kPeerDstAs>(), 64503);
  EXPECT_EQ(row.Get<FieldId::kDstAs>(), 64505);
  EXPECT_EQ(row.Get<FieldId::kLocalPref>(), 100);
  EXPECT_EQ(Interned<FieldId::kAsPath>(), "02030000fbf70000fbf80000fbf9");
  EXPECT_EQ(Interned<FieldId::kStdComm>(), "fbf40001fbf40002");
  // A tag in the header is the frame's own; the switch still says where it came in. 4,294,967,295 is "unknown".
  flows_.Clear();
  PacketFields tagged;
  tagged.vlan = 7;
  ASSERT_TRUE(DecodeOne({SwitchRecord(100, 3, 0xffffffff, 0), HeaderRecord(EthernetPacket(tagged))}).ok());
  EXPECT_EQ(Row().Get<FieldId::kVlan>(), 7);
  EXPECT_EQ(Row().Get<FieldId::kInVlan>(), 100);
  EXPECT_FALSE(Row().Has(FieldId::kOutVlan));
}

TEST_F(SflowDecoderTest, GatewayPaths) {
  GatewayFields fields;
  fields.segments = {{2, {1, 2}}, {1, {3, 4}}};
  ASSERT_TRUE(DecodeOne({GatewayRecord(fields)}).ok());
  EXPECT_EQ(Interned<FieldId::kAsPath>(), "0202000000010000000201020000000300000004");
  EXPECT_EQ(Row().Get<FieldId::kDstAs>(), 4);
  // The router's own AS: no source AS, an empty path.
  fields.segments = {};
  fields.source_as = fields.source_peer_as = 0;
  fields.communities = {};
  flows_.Clear();
  ASSERT_TRUE(DecodeOne({GatewayRecord(fields)}).ok());
  EXPECT_EQ(Row().Get<FieldId::kSrcAs>(), 64500);
  EXPECT_EQ(Row().Get<FieldId::kDstAs>(), 64500);
  EXPECT_FALSE(Row().Has(FieldId::kPeerSrcAs));
  EXPECT_FALSE(Row().Has(FieldId::kPeerDstAs));
  EXPECT_FALSE(Row().Has(FieldId::kAsPath));
  EXPECT_FALSE(Row().Has(FieldId::kStdComm));
  // More than 255 numbers go on in a second segment; beyond the bound the path is left out.
  std::vector<uint32_t> numbers(300);
  for (uint32_t i = 0; i < 300; ++i) numbers[i] = i + 1;
  fields.segments = {{2, numbers}};
  flows_.Clear();
  ASSERT_TRUE(DecodeOne({GatewayRecord(fields)}).ok());
  const std::string path = Interned<FieldId::kAsPath>();
  EXPECT_EQ(path.size(), 2 * (2 + 4 * 255 + 2 + 4 * 45));
  EXPECT_EQ(path.substr(0, 12), "02ff00000001");
  EXPECT_EQ(path.substr(2 * (2 + 4 * 255), 12), "022d00000100");
  fields.segments = {{2, numbers}, {2, numbers}};
  flows_.Clear();
  EXPECT_EQ(DecodeOne({GatewayRecord(fields)}).code, DecodeCode::kLimitExceeded);
  EXPECT_EQ(Row().Get<FieldId::kDstAs>(), 300);
  EXPECT_FALSE(Row().Has(FieldId::kAsPath));
  // Version 2: numbers without segments.
  SflowBuilder builder(2);
  builder.AddFlowSample(FlowSampleFields(), {IpRecord(PacketFields(), 50), GatewayRecord(GatewayFields(), 2)});
  flows_.Clear();
  ASSERT_TRUE(Decode(builder).ok());
  EXPECT_EQ(Interned<FieldId::kAsPath>(), "02030000fbf70000fbf80000fbf9");
  EXPECT_FALSE(Row().Has(FieldId::kLocalPref));
}

TEST_F(SflowDecoderTest, UserUrlMplsNatTunnelsAndVlanStacks) {
  ASSERT_TRUE(
      DecodeOne({HeaderRecord(EthernetPacket(PacketFields())), UserRecord("alice", "bob"),
                 UrlRecord("/index.html", "example.org"),
                 MplsRecord(IpAddress::V4(0x01020304), {100u << 12 | 5 << 9 | 64, 200u << 12 | 1 << 8 | 63}, {}),
                 NatRecord(IpAddress::V4(0x0b000001), IpAddress::V4(0x0b000002)),
                 NumbersRecord(ExtendedNatPortView::kFormat, {1111, 2222}), NumbersRecord(NumberView::kVniEgress, {5}),
                 NumbersRecord(NumberView::kVniIngress, {6}), NumbersRecord(NumberView::kVniEgress, {7}),
                 VlanStackRecord(ExtendedVlanStackView::kIn, {0x8100000a, 0x8100000b}),
                 VlanStackRecord(ExtendedVlanStackView::kOut, {0x88a80014})})
          .ok());
  EXPECT_EQ(InternedText<FieldId::kUserName>(), "alice");
  EXPECT_EQ(InternedText<FieldId::kHttpUrl>(), "/index.html");
  EXPECT_EQ(InternedText<FieldId::kHttpHost>(), "example.org");
  EXPECT_EQ(Row().Get<FieldId::kNextHop>().ToString(), "1.2.3.4");
  EXPECT_EQ(Row().Get<FieldId::kMplsLabelTop>(), 100);
  EXPECT_EQ(Row().Get<FieldId::kMplsLabelBottom>(), 200);
  EXPECT_EQ(Interned<FieldId::kMplsLabelStack>(), "00064a000c81");
  EXPECT_EQ(Row().Get<FieldId::kPostNatSrcAddr>().ToString(), "11.0.0.1");
  EXPECT_EQ(Row().Get<FieldId::kPostNatDstAddr>().ToString(), "11.0.0.2");
  EXPECT_EQ(Row().Get<FieldId::kPostNatSrcPort>(), 1111);
  EXPECT_EQ(Row().Get<FieldId::kPostNatDstPort>(), 2222);
  EXPECT_EQ(Row().Get<FieldId::kVxlan>(), 6);
  EXPECT_EQ(Row().Get<FieldId::kInVlan>(), 10);
  EXPECT_EQ(Row().Get<FieldId::kInCvlan>(), 11);
  EXPECT_EQ(Row().Get<FieldId::kOutVlan>(), 20);
  EXPECT_FALSE(Row().Has(FieldId::kOutCvlan));
}

TEST_F(SflowDecoderTest, TransactionsOfApplicationsCountNoPackets) {
  PacketFields local_to_remote;
  local_to_remote.protocol = 6;
  ASSERT_TRUE(DecodeOne({HttpRecord("/a?b", "www.example", "carol"), SocketRecord(local_to_remote)}).ok());
  EXPECT_EQ(InternedText<FieldId::kHttpUrl>(), "/a?b");
  EXPECT_EQ(InternedText<FieldId::kHttpHost>(), "www.example");
  EXPECT_EQ(InternedText<FieldId::kUserName>(), "carol");
  EXPECT_EQ(Row().Get<FieldId::kDstAddr>().ToString(), "10.0.0.1");
  EXPECT_EQ(Row().Get<FieldId::kDstPort>(), 1234);
  EXPECT_FALSE(Row().Has(FieldId::kPackets));
  EXPECT_FALSE(Row().Has(FieldId::kBytes));
}

TEST_F(SflowDecoderTest, DiscardedPacketsAreDrops) {
  DiscardedPacketFields fields;
  fields.reason = 257;
  fields.input_ifindex = 4;
  SflowBuilder builder;
  builder.AddDiscardedPacket(fields, {HeaderRecord(EthernetPacket(PacketFields()))});
  Transcript transcript;
  ASSERT_TRUE(Decode(builder, &transcript).ok());
  ASSERT_EQ(flows_.size(), 1);
  EXPECT_EQ(Row().Get<FieldId::kDroppedPackets>(), 1);
  EXPECT_EQ(Row().Get<FieldId::kDroppedBytes>(), 128);
  EXPECT_EQ(Row().Get<FieldId::kFwdStatus>(), 137);
  EXPECT_EQ(Row().Get<FieldId::kInIf>(), 4);
  EXPECT_FALSE(Row().Has(FieldId::kOutIf));
  EXPECT_FALSE(Row().Has(FieldId::kPackets));
  EXPECT_FALSE(Row().Has(FieldId::kBytes));
  EXPECT_FALSE(Row().Has(FieldId::kSamplingRate));
  EXPECT_EQ(transcript.Text("sample.reason_name"), "ttl_exceeded");
}

TEST_F(SflowDecoderTest, CountersBecomeNarrowRows) {
  SflowBuilder builder(5, IpAddress::V4(0x0a0a0a0a), 3, 1);
  const uint32_t half = 0x3f000000;  // 0.5
  builder.AddCountersSample(8, {0, 101},
                            {IfCountersRecord(101, 1000), NumbersRecord(2, std::vector<uint32_t>(13, 0xffffffff))});
  std::vector<uint32_t> cpu(17, 4);
  cpu[0] = half;
  cpu[1] = 0xbf800000;  // -1: unknown
  builder.AddCountersSample(9, {2, 1}, {NumbersRecord(2003, cpu)}, true);
  Transcript transcript;
  ASSERT_TRUE(Decode(builder, &transcript).ok());
  EXPECT_EQ(flows_.size(), 0);
  std::map<std::string, uint64_t> values;
  for (size_t i = 0; i < counters_.size(); ++i) {
    const record::RowView row = counters_.row(i);
    const std::string name(base::AsText(interner_.Find(row.Get<FieldId::kCounter>())));
    EXPECT_TRUE(values.emplace(name, row.Get<FieldId::kValue>()).second) << name;
    EXPECT_EQ(row.Get<FieldId::kExporter>().ToString(), "10.10.10.10");
    EXPECT_EQ(row.Get<FieldId::kObservationDomain>(), 1);
    EXPECT_EQ(row.Get<FieldId::kSourceId>(), name.substr(0, 5) == "host_" ? 1 : 101);
    EXPECT_EQ(row.Get<FieldId::kArrivalTime>(), kArrival);
  }
  EXPECT_EQ(values.size(), 17 + 16);  // if_counters without index and type, none of Ethernet's, host_cpu without one
  EXPECT_EQ(values["if_speed"], 1000000000);
  EXPECT_EQ(values["if_in_octets"], 1000);
  EXPECT_EQ(values["if_in_ucast_pkts"], 1001);
  EXPECT_EQ(values["if_out_octets"], 1007);
  EXPECT_EQ(values["if_promiscuous_mode"], 1013);
  EXPECT_EQ(values["host_load_one_milli"], 500);
  EXPECT_EQ(values.count("host_load_five_milli"), 0);
  EXPECT_EQ(values["host_contexts"], 4);
  EXPECT_EQ(transcript.text(), "counter{}17 counter{}0 counter{}16 ");
  EXPECT_EQ(decoder_.Report()[0].counter_records, 3);
}

TEST_F(SflowDecoderTest, ListenersHearEverything) {
  SflowBuilder builder;
  const std::vector<uint8_t> odd = {1, 2, 3};
  GatewayFields gateway;
  gateway.segments = {{2, {1, 2}}, {1, {3}}};
  builder
      .AddFlowSample(FlowSampleFields(), {HeaderRecord(EthernetPacket(PacketFields())), GatewayRecord(gateway),
                                          BuiltRecord{DataFormat(9, 17), odd}, NumbersRecord(1011, {24, 99})})
      .AddSample(DataFormat(4300, 1003), odd);
  Transcript transcript;
  ASSERT_TRUE(Decode(builder, &transcript).ok());
  EXPECT_EQ(transcript.text(),
            "flow{extended_gateway.dst_as_path[extended_gateway.as_numbers[]extended_gateway.as_numbers[]]"
            "extended_gateway.communities[]}1 option{}0 ");
  EXPECT_EQ(transcript.Text("4300:1003"), std::string("\1\2\3"));
  EXPECT_EQ(transcript.Text("sample.type"), "4300:1003");
  flows_.Clear();
  SflowBuilder first;
  first.AddFlowSample(FlowSampleFields(), {HeaderRecord(EthernetPacket(PacketFields())),
                                           BuiltRecord{DataFormat(9, 17), odd}, NumbersRecord(1011, {24, 99})});
  ASSERT_TRUE(Decode(first, &transcript).ok());
  EXPECT_EQ(transcript.Number("datagram.sequence_number"), 1);
  EXPECT_EQ(transcript.Text("sample.type"), "flow_sample");
  EXPECT_EQ(transcript.Number("sample.sampling_rate"), 1000);
  EXPECT_EQ(transcript.Number("sample.output_value"), 2);
  EXPECT_EQ(transcript.Number("sampled_header.protocol"), 1);
  EXPECT_EQ(transcript.Text("sampled_header.header").size(), 128);
  EXPECT_EQ(transcript.Text("9:17"), std::string("\1\2\3"));
  EXPECT_EQ(transcript.Number("extended_mpls_LDP_FEC.mplsFecAddrPrefixLength"), 24);
  EXPECT_EQ(transcript.Number("extended_mpls_LDP_FEC.rest"), 99);  // a later revision's
}

TEST_F(SflowDecoderTest, ABadRecordCostsItsOwnFieldsOnly) {
  BuiltRecord cut = RouterRecord(IpAddress::V4(1), 8, 9);
  cut.octets.resize(8);
  SflowBuilder builder;
  builder.AddFlowSample(FlowSampleFields(),
                        {HeaderRecord(EthernetPacket(PacketFields())), cut, SwitchRecord(5, 0, 6, 0)});
  builder.AddFlowSample(FlowSampleFields(), {HeaderRecord(EthernetPacket(PacketFields()))});
  Transcript transcript;
  EXPECT_EQ(Decode(builder, &transcript).code, DecodeCode::kTruncated);
  ASSERT_EQ(flows_.size(), 2);
  EXPECT_FALSE(Row().Has(FieldId::kSrcMask));
  EXPECT_EQ(Row().Get<FieldId::kOutVlan>(), 6);
  EXPECT_EQ(Row().Get<FieldId::kBytes>(), 128);
  const record::ExporterReport report = decoder_.Report()[0];
  EXPECT_EQ(report.errors[DecodeCode::kTruncated], 1);
  EXPECT_EQ(report.errors[DecodeCode::kOk], 0);
  EXPECT_EQ(report.flow_records, 2);
  EXPECT_EQ(report.rejected_sets, 0);
}

// Cut at every octet: whole samples are told, the rest is counted.
TEST_F(SflowDecoderTest, CutDatagrams) {
  for (uint32_t version : {2u, 4u, 5u}) {
    SflowBuilder builder(version);
    std::vector<size_t> ends;
    for (int i = 0; i < 2; ++i) {
      builder.AddFlowSample(FlowSampleFields(),
                            {HeaderRecord(EthernetPacket(PacketFields()), 64, version), SwitchRecord(1, 2, 3, 4),
                             GatewayRecord(GatewayFields(), version), UserRecord("alice", "bobo", version)});
      ends.push_back(builder.octets().size());
    }
    builder.AddCountersSample(1, {0, 1}, {IfCountersRecord(1, 5), NumbersRecord(2, std::vector<uint32_t>(13, 1))});
    const std::vector<uint8_t> whole(builder.octets().begin(), builder.octets().end());
    for (size_t size = 0; size <= whole.size(); ++size) {
      flows_.Clear();
      counters_.Clear();
      const std::vector<uint8_t> cut(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));
      Transcript transcript;
      EXPECT_EQ(Decode(cut, &transcript).ok(), size == whole.size()) << version << " " << size;
      EXPECT_EQ(flows_.size(), size >= ends[1] ? 2 : size >= ends[0] ? 1 : 0) << version << " " << size;
      EXPECT_EQ(counters_.size(), size == whole.size() ? 30 : 0);
    }
  }
}

}  // namespace
}  // namespace flowacct::sflow
