#include "flowacct/packet/packet_view.h"

#include <memory>
#include <string>
#include <vector>

#include "flowacct/packet/ip_headers.h"
#include "flowacct/packet/link_headers.h"
#include "flowacct/packet/testing/layer_chain.h"
#include "flowacct/packet/testing/packet_builder.h"
#include "flowacct/packet/testing/sample_packets.h"
#include "flowacct/packet/tunnel_headers.h"
#include "gtest/gtest.h"

namespace flowacct::packet {
namespace {

using base::DecodeCode;

TEST(PacketView, SamplesHaveTheirLayers) {
  PacketView view;
  for (const SamplePacket& sample : SamplePackets()) {
    SCOPED_TRACE(sample.name);
    const auto result = Parse(sample.link_type, sample.octets, sample.octets.size(), &view);
    EXPECT_TRUE(result.ok()) << base::DecodeCodeName(result.code) << " at " << result.offset;
    EXPECT_EQ(LayerChain(view), sample.chain);
    if (sample.ip_length == 0) {
      EXPECT_EQ(view.level(0), nullptr);
    } else {
      ASSERT_NE(view.level(0), nullptr);
      EXPECT_EQ(view.level(0)->ip_length, sample.ip_length);
    }
    EXPECT_FALSE(view.snapped());
  }
}

// Cut anywhere, the layers are a prefix of those of the whole, lie within what is there, and the result says so.
TEST(PacketView, SamplesCutAtEveryOctet) {
  PacketView whole, view;
  for (const SamplePacket& sample : SamplePackets()) {
    (void)Parse(sample.link_type, sample.octets, sample.octets.size(), &whole);
    for (size_t n = 0; n < sample.octets.size(); ++n) {
      SCOPED_TRACE(sample.name + " cut to " + std::to_string(n));
      // A buffer of exactly that size, so that a sanitizer sees what reads beyond it.
      const std::unique_ptr<uint8_t[]> exact(new uint8_t[n]);
      std::copy_n(sample.octets.begin(), n, exact.get());
      for (const size_t wire : {n, sample.octets.size()}) {
        const auto result = Parse(sample.link_type, {exact.get(), n}, wire, &view);
        ASSERT_LE(view.layers().size(), whole.layers().size());
        for (size_t i = 0; i < view.layers().size(); ++i) {
          const Layer& layer = view.layers()[i];
          ASSERT_LE(layer.offset + layer.length, n);
          if (wire == n) continue;  // without the wire's length a guess (pseudowires) may go another way
          EXPECT_EQ(layer.kind, whole.layers()[i].kind);
          EXPECT_EQ(layer.offset, whole.layers()[i].offset);
        }
        if (wire != n && view.layers().size() < whole.layers().size()) {
          EXPECT_TRUE(!result.ok() || whole.layers().back().kind == LayerKind::kArp ||
                      whole.layers()[view.layers().size()].kind == LayerKind::kEthernet)
              << LayerChain(view);
        }
        UdpDatagram datagram;
        FindUdp(view, &datagram);
        for (const Layer& layer : view.layers()) EXPECT_LE(view.payload(layer).size(), n);
      }
    }
  }
}

struct Malformed {
  const char* name;
  std::vector<uint8_t> octets;
  DecodeCode code;
  const char* chain;
};

std::vector<uint8_t> Patched(std::vector<uint8_t> octets, size_t at, uint8_t value) {
  octets.at(at) = value;
  return octets;
}

TEST(PacketView, Malformed) {
  using P = PacketBuilder;
  const auto udp = P().Ethernet().Ipv4().Udp(1, 2).Payload(4).Build();
  const auto tcp = P().Ethernet().Ipv4().Tcp(1, 2).Build();
  const auto srh = P().Ethernet().Ipv6().SegmentRouting({"2001:db8::9"}).Udp(1, 2).Build();
  const auto gtpu = P().Ethernet().Ipv4().Udp(1, 0).GtpU(1, 1).Ipv4().Udp(1, 2).Build();
  const auto geneve = P().Ethernet().Ipv4().Udp(1, 0).Geneve(1, 2).Ethernet().Ipv4().Udp(1, 2).Build();
  const auto gre = P().Ethernet().Ipv4().Gre().Ipv4().Udp(1, 2).Build();
  const Malformed cases[] = {
      {"IPv4 version", Patched(udp, 14, 0x55), DecodeCode::kBadVersion, "ethernet"},
      {"IPv4 header length 16", Patched(udp, 14, 0x44), DecodeCode::kBadLength, "ethernet"},
      {"IPv4 header length beyond the packet", Patched(udp, 14, 0x4f), DecodeCode::kBadLength, "ethernet"},
      {"IPv4 total length 19", Patched(udp, 17, 19), DecodeCode::kBadLength, "ethernet"},
      {"IPv4 total length cuts UDP", Patched(udp, 17, 24), DecodeCode::kTruncated, "ethernet:ipv4"},
      {"UDP length 7", Patched(udp, 14 + 20 + 5, 7), DecodeCode::kBadLength, "ethernet:ipv4:udp"},
      {"TCP data offset 16", Patched(tcp, 14 + 20 + 12, 0x40), DecodeCode::kBadLength, "ethernet:ipv4:tcp"},
      {"extension header beyond the packet", Patched(srh, 14 + 40 + 1, 200), DecodeCode::kTruncated, "ethernet:ipv6"},
      {"GTP-U extension of length 0", Patched(gtpu, 14 + 28 + 12, 0), DecodeCode::kBadLength, "ethernet:ipv4:udp"},
      {"GENEVE option beyond the options", Patched(geneve, 14 + 28 + 8 + 3, 31), DecodeCode::kBadLength,
       "ethernet:ipv4:udp"},
      {"GRE version 2", Patched(gre, 14 + 20 + 1, 2), DecodeCode::kBadVersion, "ethernet:ipv4"},
  };
  PacketView view;
  for (const Malformed& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(Parse(LinkType::kEthernet, c.octets, c.octets.size(), &view).code, c.code);
    EXPECT_EQ(LayerChain(view), c.chain);
    EXPECT_FALSE(view.snapped());
  }
}

TEST(PacketView, TooDeep) {
  PacketBuilder tags;
  tags.Ethernet();
  for (int i = 0; i < 40; ++i) tags.Vlan(1);
  PacketView view;
  EXPECT_EQ(Parse(LinkType::kEthernet, tags.Ipv4().Build(), 500, &view).code, DecodeCode::kTooDeep);
  EXPECT_EQ(view.layers().size(), PacketView::kMaxLayers);

  PacketBuilder tunnels;
  for (int i = 0; i < 12; ++i) tunnels.Ipv4();
  const auto octets = tunnels.Udp(1, 2).Build();
  EXPECT_EQ(Parse(LinkType::kRaw, octets, octets.size(), &view).code, DecodeCode::kTooDeep);
  EXPECT_EQ(view.levels().size(), PacketView::kMaxLevels);

  PacketBuilder labels;
  labels.Ethernet().Mpls({1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17,
                          18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33});
  EXPECT_EQ(Parse(LinkType::kEthernet, labels.Ipv4().Build(), 500, &view).code, DecodeCode::kTooDeep);
}

TEST(PacketView, UnknownLinkType) {
  PacketView view;
  const std::vector<uint8_t> octets(60, 0x45);
  EXPECT_EQ(Parse(static_cast<LinkType>(147), octets, 60, &view).code, DecodeCode::kUnsupported);
  EXPECT_TRUE(view.layers().empty());
  EXPECT_EQ(LinkTypeName(static_cast<LinkType>(147)), "");
  EXPECT_EQ(LinkTypeName(LinkType::kLinuxSll2), "linux_sll2");
}

TEST(PacketView, TypedViews) {
  PacketBuilder::Ip fields;
  fields.tos = 0xb8;
  fields.ttl = 3;
  fields.flow_label = 0xabcde;
  const auto octets = PacketBuilder()
                          .Ethernet("02:00:00:00:00:01", "02:00:00:00:00:02")
                          .Vlan(4000, 6)
                          .Mpls({1048575, 17})
                          .Ipv6("2001:db8::1", "2001:db8::2", fields)
                          .SegmentRouting({"2001:db8::8", "2001:db8::9"})
                          .Udp(7, 0)
                          .Geneve(0xabcdef, 3)
                          .Ethernet()
                          .Ipv4("10.1.2.3", "10.3.2.1", fields)
                          .Tcp(1, 2, 0x1ff)
                          .Build();
  PacketView view;
  ASSERT_TRUE(Parse(LinkType::kEthernet, octets, octets.size(), &view).ok());
  EXPECT_EQ(view.As<EthernetView>(*view.Find(LayerKind::kEthernet)).source().ToString(), "02:00:00:00:00:01");
  EXPECT_EQ(view.As<VlanView>(*view.Find(LayerKind::kVlan)).vlan(), 4000);
  EXPECT_EQ(view.As<VlanView>(*view.Find(LayerKind::kVlan)).priority(), 6);
  const auto mpls = view.As<MplsView>(*view.Find(LayerKind::kMpls));
  ASSERT_EQ(mpls.size(), 2u);
  EXPECT_EQ(mpls.label(0), 1048575u);
  EXPECT_EQ(mpls.label(1), 17u);
  EXPECT_FALSE(mpls.bottom_of_stack(0));
  EXPECT_TRUE(mpls.bottom_of_stack(1));
  const auto ip6 = view.As<Ipv6View>(*view.Find(LayerKind::kIpv6));
  EXPECT_EQ(ip6.traffic_class(), 0xb8);
  EXPECT_EQ(ip6.flow_label(), 0xabcdeu);
  EXPECT_EQ(ip6.hop_limit(), 3);
  const auto routing = view.As<RoutingView>(*view.Find(LayerKind::kRouting));
  ASSERT_EQ(routing.segments(), 2u);
  EXPECT_EQ(routing.segment(1).ToString(), "2001:db8::9");
  const auto geneve = view.As<GeneveView>(*view.Find(LayerKind::kGeneve));
  EXPECT_EQ(geneve.vni(), 0xabcdefu);
  base::Octets options = geneve.options();
  GeneveView::Option option;
  size_t count = 0;
  while (GeneveView::NextOption(&options, &option)) ++count;
  EXPECT_EQ(count, 2u);
  EXPECT_EQ(option.option_class, 0x0102);
  const IpLevel& inner = *view.level(1);
  EXPECT_EQ(view.source(inner).ToString(), "10.1.2.3");
  EXPECT_EQ(view.destination(inner).ToString(), "10.3.2.1");
  EXPECT_EQ(view.As<TcpView>(view.layers()[inner.transport_layer]).control_bits(), 0x1ff);
  EXPECT_EQ(view.level(0)->protocol, 17);
  EXPECT_EQ(LayerName(view.layers()[inner.first_layer].kind), "geneve");
}

TEST(PacketView, OffloadedLengths) {
  // IPv4 total length 0: all that the frame has.
  auto octets = PacketBuilder().Ethernet().Ipv4().Tcp(1, 2).Payload(100).Build();
  octets[16] = octets[17] = 0;
  PacketView view;
  ASSERT_TRUE(Parse(LinkType::kEthernet, octets, 80000, &view).ok());
  EXPECT_EQ(view.level(0)->ip_length, 80000u - 14);
  // IPv6 payload length 0 without the option: only beyond what the field can say.
  octets = PacketBuilder().Ethernet().Ipv6().Tcp(1, 2).Payload(100).Build();
  octets[18] = octets[19] = 0;
  ASSERT_TRUE(Parse(LinkType::kEthernet, octets, 80000, &view).ok());
  EXPECT_EQ(view.level(0)->ip_length, 80000u - 14);
  EXPECT_FALSE(Parse(LinkType::kEthernet, octets, octets.size(), &view).ok());
  EXPECT_EQ(view.level(0)->ip_length, 40u);
}

TEST(PacketView, FindUdp) {
  const std::vector<uint8_t> payload = {1, 2, 3, 4, 5};
  const auto octets =
      PacketBuilder().Ethernet().Vlan(1).Ipv6().DestinationOptions().Udp(2055, 9995).Octets(payload).Padding(7).Build();
  PacketView view;
  UdpDatagram datagram;
  (void)Parse(LinkType::kEthernet, octets, octets.size(), &view);
  ASSERT_TRUE(FindUdp(view, &datagram));
  EXPECT_EQ(datagram.source.ToString(), "2001:db8::1");
  EXPECT_EQ(datagram.destination.ToString(), "2001:db8::2");
  EXPECT_EQ(datagram.source_port, 2055);
  EXPECT_EQ(datagram.destination_port, 9995);
  EXPECT_EQ(datagram.payload, base::Octets(payload));
  EXPECT_FALSE(datagram.truncated);
  (void)Parse(LinkType::kEthernet, base::Octets(octets).first(octets.size() - 9), octets.size(), &view);
  ASSERT_TRUE(FindUdp(view, &datagram));
  EXPECT_EQ(datagram.payload.size(), 3u);
  EXPECT_TRUE(datagram.truncated);
  const auto tcp = PacketBuilder().Ethernet().Ipv4().Tcp(1, 2).Build();
  (void)Parse(LinkType::kEthernet, tcp, tcp.size(), &view);
  EXPECT_FALSE(FindUdp(view, &datagram));
}

}  // namespace
}  // namespace flowacct::packet
