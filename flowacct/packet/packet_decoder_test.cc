#include "flowacct/packet/packet_decoder.h"

#include <memory>
#include <string>
#include <vector>

#include "flowacct/packet/testing/packet_builder.h"
#include "flowacct/packet/testing/sample_packets.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/testing/allocation_counter.h"
#include "gtest/gtest.h"

namespace flowacct::packet {
namespace {

using base::DecodeCode;
using record::FieldId;
using P = PacketBuilder;

constexpr int64_t kSecond = 1000 * 1000 * 1000;
constexpr int64_t kTime = 1700000000 * kSecond;

// A decoder with a batch of all fields.
class PacketDecoderTest : public ::testing::Test {
 protected:
  record::RowView Decode(const std::vector<uint8_t>& octets, PacketDecoderOptions options = {},
                         LinkType link_type = LinkType::kEthernet) {
    decoder_ = std::make_unique<PacketDecoder>(&layout_, &interner_, options);
    return Again(octets, kTime, link_type);
  }
  record::RowView Again(const std::vector<uint8_t>& octets, int64_t time = kTime,
                        LinkType link_type = LinkType::kEthernet) {
    record::MutableRow row = batch_.Append();
    result_ = decoder_->Decode(link_type, octets, static_cast<uint32_t>(octets.size()), time, row);
    return row;
  }
  std::string Interned(uint64_t id) {
    return std::string(base::AsText(interner_.Find(static_cast<base::InternId>(id))));
  }

  const record::Layout layout_ = record::Layout::All();
  base::Interner interner_;
  record::FlowBatch batch_{&layout_, &interner_};
  std::unique_ptr<PacketDecoder> decoder_;
  base::DecodeResult result_;
};

TEST_F(PacketDecoderTest, FillsATcpPacket) {
  P::Ip fields;
  fields.tos = 0x48;
  fields.ttl = 17;
  const auto row = Decode(P().Ethernet("02:00:00:00:00:01", "02:00:00:00:00:02")
                              .Vlan(100, 5)
                              .Vlan(200, 1)
                              .Ipv4("192.0.2.1", "198.51.100.2", fields)
                              .Tcp(1234, 443, 0x112)
                              .Payload(3)
                              .Padding(20)
                              .Build());
  ASSERT_TRUE(result_.ok());
  EXPECT_EQ(row.Get<FieldId::kSrcMac>().ToString(), "02:00:00:00:00:01");
  EXPECT_EQ(row.Get<FieldId::kDstMac>().ToString(), "02:00:00:00:00:02");
  EXPECT_EQ(row.Get<FieldId::kVlan>(), 100);
  EXPECT_EQ(row.Get<FieldId::kInVlan>(), 100);
  EXPECT_EQ(row.Get<FieldId::kInCvlan>(), 200);
  EXPECT_EQ(row.Get<FieldId::kCos>(), 5);
  EXPECT_EQ(row.Get<FieldId::kEtype>(), 0x0800);
  EXPECT_EQ(row.Get<FieldId::kIpVersion>(), 4);
  EXPECT_EQ(row.Get<FieldId::kSrcAddr>().ToString(), "192.0.2.1");
  EXPECT_EQ(row.Get<FieldId::kDstAddr>().ToString(), "198.51.100.2");
  EXPECT_EQ(row.Get<FieldId::kProtocol>(), 6);
  EXPECT_EQ(row.Get<FieldId::kTos>(), 0x48);
  EXPECT_EQ(row.Get<FieldId::kTtl>(), 17);
  EXPECT_EQ(row.Get<FieldId::kSrcPort>(), 1234);
  EXPECT_EQ(row.Get<FieldId::kDstPort>(), 443);
  EXPECT_EQ(row.Get<FieldId::kTcpFlags>(), 0x112);
  EXPECT_EQ(row.Get<FieldId::kPackets>(), 1u);
  EXPECT_EQ(row.Get<FieldId::kBytes>(), 43u);  // without the padding
  EXPECT_EQ(row.Get<FieldId::kStartTime>(), kTime);
  EXPECT_EQ(row.Get<FieldId::kEndTime>(), kTime);
  for (FieldId absent : {FieldId::kFlowLabel, FieldId::kIcmpType, FieldId::kFragmentId, FieldId::kFlows,
                         FieldId::kMplsLabelTop, FieldId::kTunnelSrcAddr, FieldId::kTunnelKind, FieldId::kVxlan}) {
    EXPECT_FALSE(row.Has(absent)) << record::Info(absent).name;
  }
  EXPECT_EQ(decoder_->counters().frames, 1u);
  EXPECT_EQ(decoder_->counters().accounted, 1u);
}

TEST_F(PacketDecoderTest, FillsAnIcmpv6PacketBehindExtensionHeaders) {
  P::Ip fields;
  fields.flow_label = 0x12345;
  const auto row = Decode(P().Ethernet()
                              .Mpls({1000, 2000})
                              .Ipv6("2001:db8::1", "2001:db8::2", fields)
                              .HopByHop()
                              .DestinationOptions()
                              .Icmpv6(135, 1)
                              .Build());
  ASSERT_TRUE(result_.ok());
  EXPECT_EQ(row.Get<FieldId::kProtocol>(), 58);
  EXPECT_EQ(row.Get<FieldId::kIcmpType>(), 135);
  EXPECT_EQ(row.Get<FieldId::kIcmpCode>(), 1);
  EXPECT_EQ(row.Get<FieldId::kFlowLabel>(), 0x12345u);
  EXPECT_EQ(row.Get<FieldId::kEtype>(), 0x86dd);
  EXPECT_EQ(row.Get<FieldId::kBytes>(), 64u);
  EXPECT_EQ(row.Get<FieldId::kMplsLabelTop>(), 1000u);
  EXPECT_EQ(row.Get<FieldId::kMplsLabelBottom>(), 2000u);
  const std::string stack = Interned(row.Get<FieldId::kMplsLabelStack>());
  EXPECT_EQ(stack, std::string("\x00\x3e\x80\x00\x7d\x01", 6));  // 1000; 2000 with the bottom bit
  EXPECT_FALSE(row.Has(FieldId::kSrcPort));
}

TEST_F(PacketDecoderTest, DepthChoosesTheIpHeader) {
  const auto octets = P().Ethernet("02:00:00:00:00:01", "02:00:00:00:00:02")
                          .Vlan(7)
                          .Ipv4("192.0.2.1", "192.0.2.2")
                          .Udp(40000, 0)
                          .Vxlan(5001)
                          .Ethernet("02:00:00:00:00:0a", "02:00:00:00:00:0b")
                          .Ipv6("2001:db8::1", "2001:db8::2")
                          .Gre()
                          .Ipv4("10.0.0.1", "10.0.0.2")
                          .Tcp(5, 6, 2)
                          .Build();
  PacketDecoderOptions options;
  auto row = Decode(octets, options);
  EXPECT_EQ(row.Get<FieldId::kSrcAddr>().ToString(), "192.0.2.1");
  EXPECT_EQ(row.Get<FieldId::kDstPort>(), 4789);
  EXPECT_EQ(row.Get<FieldId::kBytes>(), 28u + 8 + 14 + 40 + 4 + 40);
  EXPECT_EQ(row.Get<FieldId::kVlan>(), 7);
  EXPECT_EQ(row.Get<FieldId::kVxlan>(), 5001u);
  EXPECT_EQ(Interned(row.Get<FieldId::kTunnelKind>()), "vxlan");
  EXPECT_EQ(row.Get<FieldId::kTunnelSrcMac>().ToString(), "02:00:00:00:00:0a");
  EXPECT_EQ(row.Get<FieldId::kTunnelDstMac>().ToString(), "02:00:00:00:00:0b");
  EXPECT_EQ(row.Get<FieldId::kTunnelSrcAddr>().ToString(), "2001:db8::1");
  EXPECT_EQ(row.Get<FieldId::kTunnelProtocol>(), 47);
  EXPECT_FALSE(row.Has(FieldId::kTunnelSrcPort));

  options.depth = 1;
  row = Decode(octets, options);
  EXPECT_EQ(row.Get<FieldId::kSrcAddr>().ToString(), "2001:db8::1");
  EXPECT_EQ(row.Get<FieldId::kSrcMac>().ToString(), "02:00:00:00:00:0a");
  EXPECT_EQ(row.Get<FieldId::kProtocol>(), 47);
  EXPECT_EQ(row.Get<FieldId::kBytes>(), 40u + 4 + 40);
  EXPECT_FALSE(row.Has(FieldId::kVlan));
  EXPECT_FALSE(row.Has(FieldId::kVxlan));
  EXPECT_EQ(Interned(row.Get<FieldId::kTunnelKind>()), "gre");
  EXPECT_EQ(row.Get<FieldId::kTunnelDstAddr>().ToString(), "10.0.0.2");
  EXPECT_EQ(row.Get<FieldId::kTunnelDstPort>(), 6);
  EXPECT_EQ(row.Get<FieldId::kTunnelTcpFlags>(), 2);

  for (int depth : {-1, 2, 9}) {
    options.depth = depth;
    row = Decode(octets, options);
    EXPECT_EQ(row.Get<FieldId::kSrcAddr>().ToString(), "10.0.0.1");
    EXPECT_EQ(row.Get<FieldId::kSrcPort>(), 5);
    EXPECT_EQ(row.Get<FieldId::kBytes>(), 40u);
    EXPECT_EQ(Interned(row.Get<FieldId::kTunnelKind>()), "gre");  // what it came in
    EXPECT_FALSE(row.Has(FieldId::kTunnelSrcAddr));
    EXPECT_EQ(decoder_->counters().depth_not_reached, 0u);
  }
}

TEST_F(PacketDecoderTest, TunnelIdentifiers) {
  P::GreFields nvgre;
  nvgre.has_key = true;
  nvgre.key = 0xabcdef77;
  auto row = Decode(P().Ethernet().Ipv4().Gre(nvgre).Ethernet().Ipv4().Udp(1, 2).Build());
  EXPECT_EQ(row.Get<FieldId::kNvgre>(), 0xabcdefu);
  row = Decode(P().Ethernet().Ipv4().Udp(1, 0).GtpU(0xfedcba98, 2).Ipv4("10.0.0.1", "10.0.0.2").Udp(1, 2).Build());
  EXPECT_EQ(row.Get<FieldId::kTeid>(), 0xfedcba98u);
  EXPECT_EQ(Interned(row.Get<FieldId::kTunnelKind>()), "gtpu");
  row = Decode(P().Ethernet().Ipv4().Udp(1, 0).Geneve(77).Ethernet().Ipv4().Udp(1, 2).Build());
  EXPECT_EQ(row.Get<FieldId::kVxlan>(), 77u);
  row = Decode(P().Ethernet().Ipv4().Udp(1, 0).Vxlan(78).Ethernet().Arp().Build());
  EXPECT_EQ(row.Get<FieldId::kVxlan>(), 78u);  // also without IP inside
  EXPECT_FALSE(row.Has(FieldId::kTunnelSrcAddr));
  row = Decode(P().Ethernet().Ipv6().Ipv4().Udp(1, 2).Build());
  EXPECT_EQ(Interned(row.Get<FieldId::kTunnelKind>()), "ipip");
  row = Decode(P().Ethernet().Ipv4().Udp(1, 0).Mpls({5}).Ipv4().Udp(1, 2).Build());
  EXPECT_EQ(Interned(row.Get<FieldId::kTunnelKind>()), "mpls");
  EXPECT_FALSE(row.Has(FieldId::kMplsLabelTop));  // that lies inside
}

// The identity of the header comment: each frame is counted once.
TEST_F(PacketDecoderTest, RefusesAndCountsWhatIsNotIp) {
  decoder_ = std::make_unique<PacketDecoder>(&layout_, &interner_);
  const auto arp = P().Ethernet().Vlan(9).Arp().Padding(14).Build();
  EXPECT_FALSE(Again(arp).Has(FieldId::kSrcMac));
  EXPECT_EQ(result_.code, DecodeCode::kUnsupported);
  auto bad = P().Ethernet().Ipv4().Udp(1, 2).Build();
  bad[14] = 0x35;
  Again(bad);
  EXPECT_EQ(result_.code, DecodeCode::kBadVersion);
  Again({1, 2, 3});
  EXPECT_EQ(result_.code, DecodeCode::kTruncated);
  Again(arp, kTime, static_cast<LinkType>(4711));
  EXPECT_EQ(result_.code, DecodeCode::kUnsupported);
  Again(P().Ethernet().Ipv4().Udp(1, 2).Build());
  EXPECT_TRUE(result_.ok());
  const PacketCounters& counters = decoder_->counters();
  EXPECT_EQ(counters.frames, 5u);
  EXPECT_EQ(counters.not_ip, 2u);
  EXPECT_EQ(counters.accounted, 1u);
  EXPECT_EQ(counters.errors[DecodeCode::kBadVersion], 1u);
  EXPECT_EQ(counters.errors[DecodeCode::kTruncated], 1u);
  EXPECT_EQ(counters.frames, counters.accounted + counters.not_ip + counters.errors.errors());

  PacketDecoderOptions keep;
  keep.keep_not_ip = true;
  const auto row = Decode(arp, keep);
  ASSERT_TRUE(result_.ok());
  EXPECT_EQ(row.Get<FieldId::kEtype>(), 0x0806);
  EXPECT_EQ(row.Get<FieldId::kVlan>(), 9);
  EXPECT_EQ(row.Get<FieldId::kBytes>(), 28u + 14);  // padding cannot be told here
  EXPECT_FALSE(row.Has(FieldId::kSrcAddr));
  EXPECT_EQ(decoder_->counters().kept_not_ip, 1u);
  EXPECT_EQ(decoder_->counters().accounted, 1u);
}

TEST_F(PacketDecoderTest, SnappedPacketsAreAccounted) {
  auto octets = P().Ethernet().Ipv4().Tcp(1234, 80).Payload(1000).Build();
  const uint32_t wire = static_cast<uint32_t>(octets.size());
  decoder_ = std::make_unique<PacketDecoder>(&layout_, &interner_);
  for (size_t n = 34; n < 60; ++n) {
    record::MutableRow row = batch_.Append();
    ASSERT_TRUE(decoder_->Decode(LinkType::kEthernet, base::Octets(octets).first(n), wire, kTime, row).ok());
    EXPECT_EQ(row.Get<FieldId::kBytes>(), 1040u);
    EXPECT_EQ(row.Has(FieldId::kSrcPort), n >= 38);
    EXPECT_EQ(row.Has(FieldId::kTcpFlags), n >= 48);
  }
  EXPECT_EQ(decoder_->counters().snapped, 14u);
  EXPECT_FALSE(
      decoder_->Decode(LinkType::kEthernet, base::Octets(octets).first(33), wire, kTime, batch_.Append()).ok());
}

TEST_F(PacketDecoderTest, MalformedInsideDoesNotHideTheOutside) {
  auto octets = P().Ethernet().Ipv4().Udp(1, 0).Vxlan(1).Ethernet().Ipv4("10.0.0.1", "10.0.0.2").Udp(1, 2).Build();
  octets[14 + 28 + 8 + 14] = 0x41;  // the inner header length
  PacketDecoderOptions options;
  options.depth = 1;
  const auto row = Decode(octets, options);
  ASSERT_TRUE(result_.ok());
  EXPECT_EQ(row.Get<FieldId::kSrcAddr>().ToString(), "192.0.2.1");
  EXPECT_EQ(decoder_->counters().depth_not_reached, 1u);
}

TEST_F(PacketDecoderTest, LaterFragmentsHaveThePortsOfTheFirst) {
  P::Ip first, later;
  first.id = later.id = 42;
  first.more_fragments = true;
  later.fragment_offset = 32;
  const auto first4 = P().Ethernet().Ipv4("192.0.2.1", "192.0.2.2", first).Tcp(1234, 80, 0x12).Payload(12).Build();
  const auto later4 = P().Ethernet().Ipv4("192.0.2.1", "192.0.2.2", later);
  auto tcp4 = later4;
  // A later fragment names the protocol, too.
  auto octets4 = tcp4.Payload(8).Build();
  octets4[14 + 9] = 6;
  decoder_ = std::make_unique<PacketDecoder>(&layout_, &interner_);
  auto row = Again(octets4);
  EXPECT_FALSE(row.Has(FieldId::kSrcPort));
  EXPECT_EQ(decoder_->counters().fragments_without_first, 1u);
  Again(first4);
  row = Again(octets4, kTime + kSecond);
  EXPECT_EQ(row.Get<FieldId::kSrcPort>(), 1234);
  EXPECT_EQ(row.Get<FieldId::kDstPort>(), 80);
  EXPECT_EQ(row.Get<FieldId::kTcpFlags>(), 0x12);
  EXPECT_EQ(row.Get<FieldId::kFragmentId>(), 42u);
  EXPECT_EQ(row.Get<FieldId::kFragmentOffset>(), 32);
  EXPECT_EQ(row.Get<FieldId::kBytes>(), 28u);
  EXPECT_EQ(decoder_->counters().fragments_followed, 1u);
  EXPECT_EQ(decoder_->counters().fragments, 3u);
  // Too old.
  row = Again(octets4, kTime + 100 * kSecond);
  EXPECT_FALSE(row.Has(FieldId::kSrcPort));

  // IPv6: the first alone knows the protocol behind destination options.
  Again(P().Ethernet().Ipv6().Fragment(7, 0, true).DestinationOptions().Udp(53, 99).Payload(8).Build());
  auto later6 = P().Ethernet().Ipv6().Fragment(7, 24, false).Payload(8).Build();
  later6[14 + 40] = 60;
  row = Again(later6);
  EXPECT_EQ(row.Get<FieldId::kProtocol>(), 17);
  EXPECT_EQ(row.Get<FieldId::kSrcPort>(), 53);
  EXPECT_EQ(row.Get<FieldId::kDstPort>(), 99);
  EXPECT_EQ(row.Get<FieldId::kFragmentId>(), 7u);
}

TEST(FragmentTable, IsBoundedAndPrefersTheNewer) {
  FragmentTableOptions options;
  options.max_datagrams = 4;
  FragmentTable table(options);
  const auto key = [](uint32_t id) {
    return FragmentKey{base::IpAddress::V4(1), base::IpAddress::V4(2), id, uint8_t{17}};
  };
  for (uint32_t id = 0; id < 10; ++id) {
    FragmentTransport transport;
    transport.source_port = static_cast<uint16_t>(id);
    table.Remember(key(id), transport, id);
  }
  EXPECT_EQ(table.evictions(), 6u);
  for (uint32_t id = 0; id < 6; ++id) EXPECT_EQ(table.Find(key(id), 10), nullptr);
  for (uint32_t id = 6; id < 10; ++id) {
    ASSERT_NE(table.Find(key(id), 10), nullptr);
    EXPECT_EQ(table.Find(key(id), 10)->source_port, id);
  }
  EXPECT_EQ(table.Find(key(9), 9 + options.timeout_nanos + 1), nullptr);
  options.max_datagrams = 0;
  FragmentTable off(options);
  off.Remember(key(1), FragmentTransport(), 1);
  EXPECT_EQ(off.Find(key(1), 1), nullptr);
}

TEST_F(PacketDecoderTest, HeaderSectionLeavesCountersToTheCaller) {
  decoder_ = std::make_unique<PacketDecoder>(&layout_, &interner_);
  for (bool fast : {true, false}) {
    PacketDecoderOptions options;
    options.fast_path = fast;
    PacketDecoder decoder(&layout_, &interner_, options);
    const auto octets = P().Ethernet().Vlan(1).Ipv6().Udp(1, 2).Payload(200).Build();
    record::MutableRow row = batch_.Append();
    row.Set<FieldId::kPackets>(1000);
    PacketSummary summary;
    ASSERT_TRUE(
        decoder.DecodeHeaderSection(LinkType::kEthernet, base::Octets(octets).first(128), 270, kTime, row, &summary)
            .ok());
    EXPECT_EQ(summary.ip_length, 248u);
    EXPECT_EQ(summary.ip_offset, 18u);
    EXPECT_EQ(summary.ip_version, 6);
    EXPECT_EQ(summary.protocol, 17);
    EXPECT_EQ(row.Get<FieldId::kPackets>(), 1000u);
    EXPECT_FALSE(row.Has(FieldId::kBytes));
    EXPECT_FALSE(row.Has(FieldId::kStartTime));
    EXPECT_EQ(row.Get<FieldId::kDstPort>(), 2);
  }
}

TEST(PacketDecoder, AllocatesNothingInSteadyState) {
  FLOWACCT_REQUIRE_ALLOCATION_COUNT();
  const record::Layout layout = record::Layout::All();
  base::Interner interner;
  PacketDecoderOptions options;
  options.depth = 1;
  PacketDecoder decoder(&layout, &interner, options);
  const auto samples = SamplePackets();
  std::vector<uint8_t> octets(layout.row_size());
  const auto decode_all = [&] {
    for (const SamplePacket& sample : samples) {
      (void)decoder.Decode(sample.link_type, sample.octets, static_cast<uint32_t>(sample.octets.size()), kTime,
                           record::MutableRow(&layout, octets.data()));
    }
  };
  decode_all();
  flowacct::testing::AllocationCounter counter;
  for (int i = 0; i < 100; ++i) decode_all();
  EXPECT_EQ(counter.allocations(), 0);
}

// The fast path against the general one: the same rows, results and counters, for every sample, cut at every octet,
// over layouts that ask little, something deep, and everything.
TEST(FastPath, GivesWhatTheGeneralPathGives) {
  const record::Layout layouts[] = {
      record::Layout({FieldId::kSrcAddr, FieldId::kDstAddr, FieldId::kSrcPort, FieldId::kDstPort, FieldId::kProtocol,
                      FieldId::kPackets, FieldId::kBytes}),
      record::Layout({FieldId::kTcpFlags, FieldId::kVlan, FieldId::kTunnelSrcAddr, FieldId::kStartTime, FieldId::kCos,
                      FieldId::kIcmpType, FieldId::kSrcMac, FieldId::kFlowLabel, FieldId::kTtl}),
      record::Layout::All()};
  base::Interner interner;
  uint64_t fast_rows = 0;
  for (const record::Layout& layout : layouts) {
    for (int depth : {0, 1, -1}) {
      for (bool keep : {false, true}) {
        PacketDecoderOptions options;
        options.depth = depth;
        options.keep_not_ip = keep;
        PacketDecoder fast(&layout, &interner, options);
        options.fast_path = false;
        PacketDecoder slow(&layout, &interner, options);
        for (const SamplePacket& sample : SamplePackets()) {
          for (size_t n = sample.octets.size() + 1; n-- > 0;) {
            const auto octets = base::Octets(sample.octets).first(n);
            const uint32_t wire = static_cast<uint32_t>(sample.octets.size());
            // A field that was there before stays.
            std::vector<uint8_t> a(layout.row_size(), 0), b(layout.row_size(), 0);
            record::MutableRow row_a(&layout, a.data()), row_b(&layout, b.data());
            row_a.Set<FieldId::kFlows>(7);
            row_b.Set<FieldId::kFlows>(7);
            const auto result_a = fast.Decode(sample.link_type, octets, wire, kTime, row_a);
            const auto result_b = slow.Decode(sample.link_type, octets, wire, kTime, row_b);
            ASSERT_EQ(result_a.code, result_b.code) << sample.name << " cut to " << n;
            ASSERT_EQ(a, b) << sample.name << " cut to " << n;
            fast_rows += result_a.ok();
          }
        }
        const PacketCounters& x = fast.counters();
        const PacketCounters& y = slow.counters();
        EXPECT_EQ(x.accounted, y.accounted);
        EXPECT_EQ(x.not_ip, y.not_ip);
        EXPECT_EQ(x.snapped, y.snapped);
        EXPECT_EQ(x.depth_not_reached, y.depth_not_reached);
        EXPECT_EQ(x.fragments, y.fragments);
        EXPECT_EQ(x.errors.errors(), y.errors.errors());
        EXPECT_EQ(x.frames, x.accounted + x.not_ip + x.errors.errors());
      }
    }
  }
  EXPECT_GT(fast_rows, 10000u);
}

}  // namespace
}  // namespace flowacct::packet
