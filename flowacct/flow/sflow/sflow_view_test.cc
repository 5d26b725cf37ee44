#include "flowacct/flow/sflow/sflow_view.h"

#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/flow/sflow/flow_record_view.h"
#include "flowacct/flow/sflow/record_format.h"
#include "flowacct/flow/sflow/record_walk.h"
#include "flowacct/flow/sflow/testing/sflow_builder.h"
#include "gtest/gtest.h"

namespace flowacct::sflow {
namespace {

using base::DecodeCode;
using base::IpAddress;
using base::Octets;

// One record of a datagram with one flow sample; the octets stay with the holder.
class OneRecord {
 public:
  explicit OneRecord(const BuiltRecord& built, uint32_t version = 5) : builder_(version) {
    std::vector<BuiltRecord> records;
    if (version != 5 && built.data_format > 1000) records.push_back(IpRecord(PacketFields(), 40));
    records.push_back(built);
    builder_.AddFlowSample(FlowSampleFields(), records);
    DatagramView datagram;
    EXPECT_TRUE(DatagramView::Parse(builder_.octets(), &datagram).ok());
    SampleReader samples(datagram);
    SampleView sample;
    EXPECT_TRUE(samples.Next(&sample)) << static_cast<int>(samples.result().code);
    RecordReader reader(sample);
    while (reader.Next(&record_)) {
    }
    EXPECT_TRUE(reader.result().ok());
    EXPECT_EQ(record_.data_format(), built.data_format);
  }
  const RecordView& operator*() const { return record_; }

 private:
  SflowBuilder builder_;
  RecordView record_;
};

template <typename View>
View ParseOk(const BuiltRecord& built, uint32_t version = 5) {
  const OneRecord record(built, version);
  View view;
  EXPECT_TRUE(View::Parse(*record, &view).ok());
  return view;
}

TEST(DatagramViewTest, HeadersOfAllVersionsAndAddresses) {
  const IpAddress v6 = *IpAddress::Parse("2001:db8::1");
  for (uint32_t version : {2u, 4u, 5u}) {
    for (const IpAddress& agent : {IpAddress::V4(0x0a010203), v6}) {
      SflowBuilder builder(version, agent, 77, version == 5 ? 3 : 0, 12345);
      DatagramView view;
      ASSERT_TRUE(DatagramView::Parse(builder.octets(), &view).ok());
      EXPECT_EQ(view.version(), version);
      EXPECT_EQ(view.agent_address(), agent);
      EXPECT_EQ(view.sub_agent_id(), version == 5 ? 3 : 0);
      EXPECT_EQ(view.sequence_number(), 77);
      EXPECT_EQ(view.uptime_milliseconds(), 12345);
      EXPECT_EQ(view.sample_count(), 0);
    }
  }
}

TEST(DatagramViewTest, WhatIsNoDatagram) {
  struct Case {
    std::vector<uint32_t> words;
    DecodeCode code;
    uint32_t offset;
  };
  const Case kCases[] = {
      {{}, DecodeCode::kTruncated, 0},
      {{3, 1, 0x0a000001, 0, 0, 0, 0}, DecodeCode::kBadVersion, 0},
      {{6, 1, 0x0a000001, 0, 0, 0, 0}, DecodeCode::kBadVersion, 0},
      {{5, 3, 0x0a000001, 0, 0, 0, 0}, DecodeCode::kBadValue, 4},
      {{5, 1, 0x0a000001, 0, 0, 0}, DecodeCode::kTruncated, 24},
      {{5, 2, 0x0a000001, 0, 0}, DecodeCode::kTruncated, 8},
  };
  for (const Case& c : kCases) {
    base::OctetWriter writer;
    for (uint32_t word : c.words) writer.U32(word);
    DatagramView view;
    const base::DecodeResult result = DatagramView::Parse(writer.octets(), &view);
    EXPECT_EQ(result.code, c.code);
    EXPECT_EQ(result.offset, c.offset);
  }
  // Address type 0: the agent does not know.
  base::OctetWriter writer;
  for (uint32_t word : {5u, 0u, 1u, 2u, 3u, 0u}) writer.U32(word);
  DatagramView view;
  EXPECT_TRUE(DatagramView::Parse(writer.octets(), &view).ok());
  EXPECT_EQ(view.agent_address(), IpAddress());
}

TEST(SampleReaderTest, CompactAndExpandedSamplesReadAlike) {
  for (bool expanded : {false, true}) {
    FlowSampleFields fields;
    fields.sequence = 11;
    fields.source = {2, 0x123456};
    fields.rate = 512;
    fields.pool = 5120;
    fields.drops = 7;
    fields.input = {Interface::kSingle, 42};
    fields.output = {Interface::kMultiple, 3};
    fields.expanded = expanded;
    SflowBuilder builder;
    builder.AddFlowSample(fields, {SwitchRecord(1, 2, 3, 4)});
    DatagramView datagram;
    ASSERT_TRUE(DatagramView::Parse(builder.octets(), &datagram).ok());
    SampleReader samples(datagram);
    SampleView sample;
    ASSERT_TRUE(samples.Next(&sample));
    EXPECT_EQ(sample.kind(), SampleKind::kFlow);
    EXPECT_EQ(sample.format(), expanded ? 3 : 1);
    EXPECT_EQ(sample.sequence_number(), 11);
    EXPECT_EQ(sample.source(), (DataSource{2, 0x123456}));
    EXPECT_EQ(sample.sampling_rate(), 512);
    EXPECT_EQ(sample.sample_pool(), 5120);
    EXPECT_EQ(sample.drops(), 7);
    EXPECT_EQ(sample.input().IfIndex(), 42);
    EXPECT_EQ(sample.output().format, Interface::kMultiple);
    EXPECT_EQ(sample.output().value, 3);
    EXPECT_EQ(sample.output().IfIndex(), std::nullopt);
    EXPECT_EQ(sample.record_count(), 1);
    EXPECT_FALSE(samples.Next(&sample));
    EXPECT_TRUE(samples.result().ok());
  }
}

TEST(InterfaceTest, OnlyOneKnownPortHasAnIndex) {
  struct Case {
    Interface interface;
    std::optional<uint32_t> index;
    bool local;
  };
  const Case kCases[] = {
      {{Interface::kSingle, 0}, std::nullopt, false},
      {{Interface::kSingle, 5}, 5, false},
      {{Interface::kSingle, 0x3fffffff}, std::nullopt, true},
      {{Interface::kSingle, 0xffffffff}, std::nullopt, true},
      {{Interface::kSingle, 1285816721}, 1285816721, false},  // expanded: all 32 bits
      {{Interface::kDiscarded, 258}, std::nullopt, false},
      {{Interface::kMultiple, 5}, std::nullopt, false},
      {{3, 5}, std::nullopt, false},
  };
  for (const Case& c : kCases) {
    EXPECT_EQ(c.interface.IfIndex(), c.index) << c.interface.format << " " << c.interface.value;
    EXPECT_EQ(c.interface.IsLocal(), c.local);
  }
}

TEST(SampleReaderTest, UnknownSamplesAreSkippedByTheirLength) {
  SflowBuilder builder;
  const std::vector<uint8_t> odd = {1, 2, 3, 4, 5};  // padded to 8
  builder.AddSample(DataFormat(4300, 1002), odd).AddFlowSample(FlowSampleFields(), {});
  DatagramView datagram;
  ASSERT_TRUE(DatagramView::Parse(builder.octets(), &datagram).ok());
  SampleReader samples(datagram);
  SampleView sample;
  ASSERT_TRUE(samples.Next(&sample));
  EXPECT_EQ(sample.kind(), SampleKind::kUnknown);
  EXPECT_EQ(sample.enterprise(), 4300);
  EXPECT_EQ(sample.format(), 1002);
  EXPECT_EQ(sample.octets(), Octets(odd));
  RecordReader records(sample);
  RecordView record;
  EXPECT_FALSE(records.Next(&record));
  EXPECT_TRUE(records.result().ok());
  ASSERT_TRUE(samples.Next(&sample));
  EXPECT_EQ(sample.kind(), SampleKind::kFlow);
  EXPECT_FALSE(samples.Next(&sample));
  EXPECT_TRUE(samples.result().ok());
}

TEST(SampleReaderTest, CountsThatLie) {
  SflowBuilder builder;
  builder.AddFlowSample(FlowSampleFields(), {}).ClaimSamples(2);
  DatagramView datagram;
  ASSERT_TRUE(DatagramView::Parse(builder.octets(), &datagram).ok());
  SampleView sample;
  SampleReader more(datagram);
  EXPECT_TRUE(more.Next(&sample));
  EXPECT_FALSE(more.Next(&sample));
  EXPECT_EQ(more.result().code, DecodeCode::kTruncated);
  EXPECT_EQ(more.result().offset, builder.octets().size());

  builder.AddFlowSample(FlowSampleFields(), {}).ClaimSamples(1);
  ASSERT_TRUE(DatagramView::Parse(builder.octets(), &datagram).ok());
  SampleReader fewer(datagram);
  EXPECT_TRUE(fewer.Next(&sample));
  EXPECT_FALSE(fewer.Next(&sample));
  EXPECT_EQ(fewer.result().code, DecodeCode::kTrailingOctets);
}

TEST(SampleReaderTest, DiscardedPacket) {
  DiscardedPacketFields fields;
  fields.sequence = 5;
  fields.source = {0, 9};
  fields.drops = 3;
  fields.input_ifindex = 9;
  fields.output_ifindex = 10;
  fields.reason = 258;
  SflowBuilder builder;
  builder.AddDiscardedPacket(fields, {NumbersRecord(NumberView::kEgressQueue, {4})});
  DatagramView datagram;
  ASSERT_TRUE(DatagramView::Parse(builder.octets(), &datagram).ok());
  SampleReader samples(datagram);
  SampleView sample;
  ASSERT_TRUE(samples.Next(&sample));
  EXPECT_EQ(sample.kind(), SampleKind::kDiscardedPacket);
  EXPECT_EQ(sample.drops(), 3);
  EXPECT_EQ(sample.input().IfIndex(), 9);
  EXPECT_EQ(sample.output().IfIndex(), 10);
  EXPECT_EQ(sample.drop_reason(), 258);
  EXPECT_EQ(FindDropReason(sample.drop_reason())->name, "acl");
  RecordReader records(sample);
  RecordView record;
  ASSERT_TRUE(records.Next(&record));
  NumberView queue;
  ASSERT_TRUE(NumberView::Parse(record, &queue).ok());
  EXPECT_EQ(queue.value, 4);
}

TEST(LegacySampleTest, SamplesWithoutLengthsAreWalked) {
  for (uint32_t version : {2u, 4u}) {
    SflowBuilder builder(version);
    const std::vector<uint8_t> frame = EthernetPacket(PacketFields());
    builder.AddFlowSample(FlowSampleFields(), {HeaderRecord(frame, 61, version), SwitchRecord(10, 1, 20, 2),
                                               GatewayRecord(GatewayFields(), version), UserRecord("a", "bc", version),
                                               UrlRecord("/x", "", version)});
    builder.AddCountersSample(4, {0, 3}, {IfCountersRecord(3, 1000), NumbersRecord(2, std::vector<uint32_t>(13, 1))});
    builder.AddFlowSample(FlowSampleFields(), {IpRecord(PacketFields(), 99)});
    DatagramView datagram;
    ASSERT_TRUE(DatagramView::Parse(builder.octets(), &datagram).ok());
    SampleReader samples(datagram);
    SampleView sample;
    std::vector<std::vector<uint32_t>> formats;
    while (samples.Next(&sample)) {
      formats.emplace_back();
      RecordReader records(sample);
      for (RecordView record; records.Next(&record);) formats.back().push_back(record.data_format());
      EXPECT_TRUE(records.result().ok());
      EXPECT_EQ(sample.record_count(), formats.back().size());
    }
    EXPECT_TRUE(samples.result().ok()) << version << " at " << samples.result().offset;
    EXPECT_EQ(formats, (std::vector<std::vector<uint32_t>>{{1, 1001, 1003, 1004, 1005}, {1, 2}, {3}}));
  }
}

TEST(LegacySampleTest, CounterTypes) {
  struct Case {
    uint32_t type;
    std::vector<uint32_t> formats;
  };
  const Case kCases[] = {{1, {1}}, {2, {1, 2}}, {3, {1, 3}}, {4, {1}}, {5, {1, 4}}, {6, {1}}, {7, {5}}};
  for (const Case& c : kCases) {
    std::vector<BuiltRecord> records;
    for (uint32_t format : c.formats) {
      // As many octets as the table says.
      size_t words = 0;
      for (const XdrField& field : FindCounterFormat(format)->fields) words += field.type == XdrType::kU64 ? 2 : 1;
      records.push_back(NumbersRecord(format, std::vector<uint32_t>(words, 1)));
    }
    SflowBuilder builder(4);
    builder.AddCountersSample(1, {0, 1}, records, false, c.type);
    DatagramView datagram;
    ASSERT_TRUE(DatagramView::Parse(builder.octets(), &datagram).ok());
    SampleReader samples(datagram);
    SampleView sample;
    ASSERT_TRUE(samples.Next(&sample)) << c.type;
    EXPECT_EQ(sample.sampling_interval_seconds(), 30);
    RecordReader reader(sample);
    std::vector<uint32_t> formats;
    for (RecordView record; reader.Next(&record);) formats.push_back(record.data_format());
    EXPECT_EQ(formats, c.formats);
    EXPECT_FALSE(samples.Next(&sample));
    EXPECT_TRUE(samples.result().ok());
  }
}

TEST(FlowRecordViewTest, SampledHeader) {
  const std::vector<uint8_t> frame = EthernetPacket(PacketFields());
  for (uint32_t version : {4u, 5u}) {
    const OneRecord record(HeaderRecord(frame, 61, version), version);
    SampledHeaderView view;
    ASSERT_TRUE(SampledHeaderView::Parse(*record, &view).ok());
    EXPECT_EQ(view.protocol, 1);
    EXPECT_EQ(view.frame_length, frame.size() + 4);
    EXPECT_EQ(view.stripped, version == 5 ? 4 : 0);
    EXPECT_EQ(view.header, Octets(frame).subspan(0, 61));
  }
}

TEST(FlowRecordViewTest, Gateway) {
  GatewayFields fields;
  fields.segments = {{2, {64503, 64504}}, {1, {4200000001, 7, 8}}};
  for (uint32_t version : {2u, 4u, 5u}) {
    const OneRecord record(GatewayRecord(fields, version), version);
    ExtendedGatewayView view;
    ASSERT_TRUE(ExtendedGatewayView::Parse(*record, &view).ok());
    EXPECT_EQ(view.next_hop.has_value(), version == 5);
    if (version == 5) {
      EXPECT_EQ(view.next_hop->ToString(), "192.0.2.99");
    }
    EXPECT_EQ(view.as, 64500);
    EXPECT_EQ(view.source_as, 64501);
    EXPECT_EQ(view.source_peer_as, 64502);
    std::vector<std::pair<uint32_t, std::vector<uint32_t>>> segments;
    AsPathReader reader(view);
    for (AsPathSegment segment; reader.Next(&segment);) {
      segments.emplace_back(segment.type, std::vector<uint32_t>());
      for (size_t i = 0; i < segment.size(); ++i) segments.back().second.push_back(segment[i]);
    }
    if (version == 2) {
      EXPECT_EQ(segments, (decltype(segments){{AsPathSegment::kSequence, {64503, 64504, 4200000001, 7, 8}}}));
      EXPECT_TRUE(view.communities.empty());
      EXPECT_EQ(view.local_pref, std::nullopt);
    } else {
      EXPECT_EQ(segments, fields.segments);
      EXPECT_EQ(view.communities.size(), 8);
      EXPECT_EQ(view.local_pref, 100);
    }
  }
}

TEST(FlowRecordViewTest, TheOthers) {
  const IpAddress v6 = *IpAddress::Parse("2001:db8::7");
  const auto user = ParseOk<ExtendedUserView>(UserRecord("alice", "bob"));
  EXPECT_EQ(user.source_charset, 106);
  const OneRecord url_record(UrlRecord("/index.html", "example.org"));
  ExtendedUrlView url;
  ASSERT_TRUE(ExtendedUrlView::Parse(*url_record, &url).ok());
  EXPECT_EQ(url.url, "/index.html");
  EXPECT_EQ(url.host, "example.org");
  const auto router = ParseOk<ExtendedRouterView>(RouterRecord(v6, 48, 64));
  EXPECT_EQ(router.next_hop, v6);
  EXPECT_EQ(router.source_mask_length, 48);
  EXPECT_EQ(router.destination_mask_length, 64);
  const auto nat = ParseOk<ExtendedNatView>(NatRecord(v6, IpAddress::V4(1)));
  EXPECT_EQ(nat.source, v6);
  EXPECT_EQ(nat.destination, IpAddress::V4(1));
  PacketFields packet;
  packet.source = packet.destination = v6;
  const auto ip = ParseOk<SampledIpView>(IpRecord(packet, 1234));
  EXPECT_EQ(ip.version, 6);
  EXPECT_EQ(ip.length, 1234);
  EXPECT_EQ(ip.source, v6);
  EXPECT_EQ(ip.destination_port, 53);
  const auto tunnel = ParseOk<SampledIpView>(IpRecord(PacketFields(), 77, SampledIpView::kIpv4TunnelIngress));
  EXPECT_EQ(tunnel.version, 4);
  EXPECT_EQ(tunnel.source.ToString(), "10.0.0.1");
  const OneRecord http_record(HttpRecord("/a", "h", "u"));
  HttpRequestView http;
  ASSERT_TRUE(HttpRequestView::Parse(*http_record, &http).ok());
  EXPECT_EQ(http.uri, "/a");
  EXPECT_EQ(http.mime_type, "text/html");
  EXPECT_EQ(http.response_bytes, 2000);
  EXPECT_EQ(http.status, 200);
}

// Each record cut at every octet: never ok but where nothing that is read is missing, never beyond the octets.
TEST(FlowRecordViewTest, CutRecordsAreTold) {
  const std::vector<BuiltRecord> kRecords = {HeaderRecord(EthernetPacket(PacketFields()), 62),
                                             SwitchRecord(1, 2, 3, 4),
                                             RouterRecord(IpAddress::V4(1), 8, 9),
                                             GatewayRecord(GatewayFields()),
                                             UserRecord("alice", "bob"),
                                             UrlRecord("/", "example"),
                                             MplsRecord(IpAddress::V4(1), {1, 2}, {3}),
                                             NatRecord(IpAddress::V4(1), IpAddress::V4(2)),
                                             IpRecord(PacketFields(), 1),
                                             HttpRecord("/a", "h", "u"),
                                             SocketRecord(PacketFields())};
  for (const BuiltRecord& whole : kRecords) {
    const RecordFormat* format = FindFlowFormat(5, whole.data_format);
    ASSERT_NE(format, nullptr);
    size_t walked = 0;
    EXPECT_TRUE(WalkFields(format->fields, whole.octets, nullptr, &walked).ok()) << format->name;
    EXPECT_EQ(walked, whole.octets.size()) << format->name;
    for (size_t size = 0; size < whole.octets.size(); ++size) {
      const std::vector<uint8_t> cut(whole.octets.begin(), whole.octets.begin() + static_cast<ptrdiff_t>(size));
      const base::DecodeResult result = WalkFields(format->fields, cut, nullptr, &walked);
      // Up to three octets of padding may be missing.
      if (size + 3 < whole.octets.size()) {
        EXPECT_FALSE(result.ok()) << format->name << " cut to " << size;
      }
      EXPECT_LE(walked, size);
      EXPECT_LE(result.offset, size);
    }
  }
}

TEST(WalkTest, CountsAndLengthsThatLie) {
  // 2^31 segments; a string of 2^32 - 1 octets; an address of an unknown type.
  const RecordFormat* vlan = FindFlowFormat(5, 1012);
  size_t walked = 0;
  EXPECT_EQ(WalkFields(vlan->fields, NumbersRecord(0, {0x80000000, 1}).octets, nullptr, &walked).code,
            DecodeCode::kBadCount);
  const RecordFormat* function = FindFlowFormat(5, 1038);
  EXPECT_EQ(WalkFields(function->fields, NumbersRecord(0, {0xffffffff, 1}).octets, nullptr, &walked).code,
            DecodeCode::kTruncated);
  const RecordFormat* nat = FindFlowFormat(5, 1007);
  EXPECT_EQ(WalkFields(nat->fields, NumbersRecord(0, {9, 1, 1, 1}).octets, nullptr, &walked).code,
            DecodeCode::kTruncated);
}

TEST(RecordFormatTest, TablesAreOrderedAndUnambiguous) {
  for (const auto& formats : {FlowFormats(), CounterFormats()}) {
    std::set<absl::string_view> names;
    uint32_t last = 0;
    for (const RecordFormat& format : formats) {
      const uint32_t data_format = DataFormat(format.enterprise, format.format);
      EXPECT_GT(data_format, last) << format.name;
      last = data_format;
      EXPECT_TRUE(names.insert(format.name).second) << format.name;
      int depth = 0;
      for (const XdrField& field : format.fields) {
        if (field.type == XdrType::kListBegin) ++depth;
        if (field.type == XdrType::kListEnd) --depth;
        ASSERT_GE(depth, 0) << format.name;
      }
      EXPECT_EQ(depth, 0) << format.name;
    }
  }
  std::set<absl::string_view> counters;
  for (const RecordFormat& format : CounterFormats()) {
    EXPECT_EQ(FindCounterFormat(DataFormat(format.enterprise, format.format)), &format);
    for (const XdrField& field : format.fields) {
      if (!field.counter.empty()) {
        EXPECT_TRUE(counters.insert(field.counter).second) << field.counter;
      }
    }
  }
  EXPECT_EQ(FindFlowFormat(5, 999), nullptr);
  EXPECT_EQ(FindCounterFormat(DataFormat(9, 1)), nullptr);
}

TEST(RecordFormatTest, LengthsOfTheDocuments) {
  // Octets of the formats that have a fixed length, as agents send them.
  struct Case {
    uint32_t data_format;
    size_t size;
  };
  const Case kCases[] = {{1, 88},     {2, 52},    {3, 72},    {4, 80},    {5, 28},    {7, 56},     {1001, 28},
                         {2003, 68},  {2004, 72}, {2005, 52}, {2006, 40}, {2007, 76}, {2008, 100}, {2009, 60},
                         {2010, 28},  {2100, 28}, {2101, 12}, {2102, 16}, {2103, 52}, {2104, 40},  {2201, 60},
                         {2204, 140}, {2206, 20}, {6, 80},    {1002, 12}};
  for (const Case& c : kCases) {
    size_t walked = 0;
    const std::vector<uint8_t> zeros(c.size);
    const RecordFormat* format = FindCounterFormat(c.data_format);
    ASSERT_NE(format, nullptr) << c.data_format;
    EXPECT_TRUE(WalkFields(format->fields, zeros, nullptr, &walked).ok()) << format->name;
    EXPECT_EQ(walked, c.size) << format->name;
    if (c.size == 0) continue;
    EXPECT_FALSE(WalkFields(format->fields, Octets(zeros).subspan(4), nullptr, &walked).ok()) << format->name;
  }
}

TEST(DropReasonTest, BecomesForwardingStatus) {
  EXPECT_EQ(ForwardingStatusOf(0), 131);
  EXPECT_EQ(ForwardingStatusOf(4), 133);
  EXPECT_EQ(ForwardingStatusOf(256), 128);
  EXPECT_EQ(ForwardingStatusOf(257), 137);
  EXPECT_EQ(ForwardingStatusOf(258), 130);
  EXPECT_EQ(ForwardingStatusOf(260), 139);
  EXPECT_EQ(ForwardingStatusOf(9999), 128);
  EXPECT_EQ(FindDropReason(16), nullptr);
  EXPECT_EQ(FindDropReason(371)->name, "socket_filter");
}

// A datagram of every kind of sample, cut at every octet, through both readers.
TEST(SampleReaderTest, CutDatagramsAreTold) {
  for (uint32_t version : {2u, 4u, 5u}) {
    SflowBuilder builder(version);
    builder.AddFlowSample(FlowSampleFields(), {HeaderRecord(EthernetPacket(PacketFields()), 62, version),
                                               GatewayRecord(GatewayFields(), version)});
    builder.AddCountersSample(1, {0, 1}, {IfCountersRecord(1, 5), NumbersRecord(2, std::vector<uint32_t>(13, 1))});
    const std::vector<uint8_t> whole(builder.octets().begin(), builder.octets().end());
    for (size_t size = 0; size <= whole.size(); ++size) {
      const std::vector<uint8_t> cut(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));
      DatagramView datagram;
      base::DecodeResult result = DatagramView::Parse(cut, &datagram);
      int count = 0;
      if (result.ok()) {
        SampleReader samples(datagram);
        for (SampleView sample; samples.Next(&sample); ++count) {
          RecordReader records(sample);
          for (RecordView record; records.Next(&record);) {
            ASSERT_GE(record.octets().data(), cut.data());
            ASSERT_LE(record.octets().data() + record.octets().size(), cut.data() + cut.size());
          }
        }
        result = samples.result();
      }
      EXPECT_EQ(result.ok(), size == whole.size()) << version << " " << size;
      if (size == whole.size()) {
        EXPECT_EQ(count, 2);
      }
    }
  }
}

}  // namespace
}  // namespace flowacct::sflow
