#include "flowacct/packet/testing/sample_packets.h"

#include <utility>

#include "flowacct/packet/testing/packet_builder.h"

namespace flowacct::packet {

namespace {

using P = PacketBuilder;
constexpr LinkType kEthernet = LinkType::kEthernet;

// A link header that the builder has no method for, then IPv4 and UDP.
std::vector<uint8_t> Behind(std::vector<uint8_t> link) {
  return P().Octets(link).Ipv4().Udp(5000, 53).Payload(4).Build();
}

std::vector<uint8_t> Behind6(std::vector<uint8_t> link) {
  return P().Octets(link).Ipv6().Udp(5000, 53).Payload(4).Build();
}

std::vector<uint8_t> Concat(std::vector<uint8_t> a, const std::vector<uint8_t>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

std::vector<uint8_t> WithMacs(std::vector<uint8_t> rest) {
  std::vector<uint8_t> octets(12, 2);
  return Concat(octets, rest);
}

P Outer(uint16_t port = 0) { return std::move(P().Ethernet().Ipv4().Udp(40000, port)); }

}  // namespace

std::vector<SamplePacket> SamplePackets() {
  P::Ip options;
  options.options = {0x94, 4, 0, 0};
  P::Ip first;
  first.id = 77;
  first.more_fragments = true;
  P::Ip later = first;
  later.fragment_offset = 16;
  P::GreFields nvgre;
  nvgre.has_key = true;
  nvgre.key = 0x00123400;
  P::GreFields full;
  full.checksum = full.has_key = full.sequence = true;
  P::GreFields sequence;
  sequence.sequence = true;
  std::vector<uint8_t> wireless = {0x88, 0x01, 0, 0, 2, 2, 2, 2, 2, 2, 4, 4, 4, 4, 4, 4, 6, 6, 6, 6, 6, 6, 0, 0, 0, 0};
  const std::vector<uint8_t> llc_snap_ipv4 = {0xaa, 0xaa, 3, 0, 0, 0, 8, 0};
  const std::vector<uint8_t> radiotap = {0, 0, 9, 0, 2, 0, 0, 0, 0};
  std::vector<uint8_t> capwap = {0x00, 0x10, 0x03, 0x00, 0, 0, 0, 0};  // 8 octets, binding 1, native
  std::vector<uint8_t> nflog = {2, 0, 0, 0, 5, 0, 10, 0, 0, 0, 0, 0};

  std::vector<SamplePacket> samples = {
      {"tcp", kEthernet, P().Ethernet().Ipv4().Tcp(1234, 80, 0x12, 8).Payload(5).Build(), "ethernet:ipv4:tcp", 53},
      {"udp", kEthernet, P().Ethernet().Ipv4().Udp(1234, 53).Payload(5).Padding(13).Build(), "ethernet:ipv4:udp", 33},
      {"icmp", kEthernet, P().Ethernet().Ipv4().Icmp(8, 0).Build(), "ethernet:ipv4:icmp", 28},
      {"sctp", kEthernet, P().Ethernet().Ipv4().Sctp(1, 2).Build(), "ethernet:ipv4:sctp", 32},
      {"ipv4_options", kEthernet, P().Ethernet().Ipv4("192.0.2.1", "192.0.2.2", options).Udp(1, 2).Build(),
       "ethernet:ipv4:udp", 32},
      {"ipv4_first_fragment", kEthernet,
       P().Ethernet().Ipv4("192.0.2.1", "192.0.2.2", first).Udp(1, 2).Payload(8).Build(), "ethernet:ipv4:udp", 36},
      {"ipv4_later_fragment", kEthernet, P().Ethernet().Ipv4("192.0.2.1", "192.0.2.2", later).Payload(16).Build(),
       "ethernet:ipv4", 36},
      {"tcp6", kEthernet, P().Ethernet().Ipv6().Tcp(1234, 80).Payload(5).Build(), "ethernet:ipv6:tcp", 65},
      {"icmp6", kEthernet, P().Ethernet().Ipv6().Icmpv6(135, 0).Build(), "ethernet:ipv6:icmpv6", 48},
      {"ipv6_extensions", kEthernet,
       P().Ethernet().Ipv6().HopByHop().SegmentRouting({"2001:db8::9"}).DestinationOptions().Udp(1, 2).Build(),
       "ethernet:ipv6:hop_by_hop:routing:destination_options:udp", 40 + 8 + 24 + 8 + 8},
      {"ipv6_first_fragment", kEthernet, P().Ethernet().Ipv6().Fragment(9, 0, true).Udp(1, 2).Payload(8).Build(),
       "ethernet:ipv6:fragment:udp", 64},
      {"ipv6_later_fragment", kEthernet, P().Ethernet().Ipv6().Fragment(9, 16, false).Payload(8).Build(),
       "ethernet:ipv6:fragment", 56},
      {"ipv6_jumbo", kEthernet, P().Ethernet().Ipv6().HopByHopJumbo().Tcp(1, 2).Payload(30).Build(),
       "ethernet:ipv6:hop_by_hop:tcp", 98},
      {"ipv4_ah_esp", kEthernet, P().Ethernet().Ipv4().Ah().Esp().Payload(8).Build(), "ethernet:ipv4:ah:esp", 60},
      {"ipv6_ah", kEthernet, P().Ethernet().Ipv6().Ah().Tcp(1, 2).Build(), "ethernet:ipv6:ah:tcp", 84},
      {"vlan", kEthernet, P().Ethernet().Vlan(100, 5).Ipv4().Udp(1, 2).Build(), "ethernet:vlan:ipv4:udp", 28},
      {"qinq", kEthernet, P().Ethernet().Vlan(100, 5, 0x88a8).Vlan(200).Ipv6().Udp(1, 2).Build(),
       "ethernet:vlan:vlan:ipv6:udp", 48},
      {"three_tags", kEthernet, P().Ethernet().Vlan(1).Vlan(2).Vlan(3).Ipv4().Tcp(1, 2).Build(),
       "ethernet:vlan:vlan:vlan:ipv4:tcp", 40},
      {"mpls", kEthernet, P().Ethernet().Mpls({1000, 2000, 3000}).Ipv4().Tcp(1, 2).Build(), "ethernet:mpls:ipv4:tcp",
       40},
      {"mpls_ipv6", kEthernet, P().Ethernet().Mpls({2}).Ipv6().Tcp(1, 2).Build(), "ethernet:mpls:ipv6:tcp", 60},
      {"pseudowire", kEthernet, P().Ethernet().Mpls({16}).PwControlWord().Ethernet().Ipv4().Tcp(1, 2).Build(),
       "ethernet:mpls:pw_control_word:ethernet:ipv4:tcp", 40},
      {"pseudowire_raw", kEthernet, P().Ethernet().Mpls({16}).Ethernet().Vlan(5).Ipv4().Tcp(1, 2).Build(),
       "ethernet:mpls:ethernet:vlan:ipv4:tcp", 40},
      {"pppoe", kEthernet, P().Ethernet().Pppoe().Ppp().Ipv4().Tcp(1, 2).Build(), "ethernet:pppoe:ppp:ipv4:tcp", 40},
      {"pbb", kEthernet, P().Ethernet().Pbb(7).Ethernet().Ipv4().Tcp(1, 2).Build(), "ethernet:pbb:ethernet:ipv4:tcp",
       40},
      {"snap", kEthernet, P().Ieee8023().Snap().Ipv4().Udp(1, 2).Padding(9).Build(), "ethernet:llc:ipv4:udp", 28},
      {"gre", kEthernet, P().Ethernet().Ipv4().Gre(full).Ipv4("10.0.0.1", "10.0.0.2").Tcp(5, 6).Build(),
       "ethernet:ipv4:gre:ipv4:tcp", 20 + 16 + 40},
      {"nvgre", kEthernet, P().Ethernet().Ipv4().Gre(nvgre).Ethernet().Ipv4("10.0.0.1", "10.0.0.2").Tcp(5, 6).Build(),
       "ethernet:ipv4:gre:ethernet:ipv4:tcp", 20 + 8 + 14 + 40},
      {"erspan1", kEthernet, P().Ethernet().Ipv4().Gre().Erspan(1).Ethernet().Ipv4().Tcp(5, 6).Build(),
       "ethernet:ipv4:gre:erspan:ethernet:ipv4:tcp", 20 + 4 + 14 + 40},
      {"erspan2", kEthernet, P().Ethernet().Ipv4().Gre(sequence).Erspan(2).Ethernet().Ipv4().Tcp(5, 6).Build(),
       "ethernet:ipv4:gre:erspan:ethernet:ipv4:tcp", 20 + 8 + 8 + 14 + 40},
      {"erspan3", kEthernet, P().Ethernet().Ipv4().Gre(sequence).Erspan(3).Ethernet().Ipv4().Tcp(5, 6).Build(),
       "ethernet:ipv4:gre:erspan:ethernet:ipv4:tcp", 20 + 8 + 12 + 14 + 40},
      {"ipip", kEthernet, P().Ethernet().Ipv4().Ipv4("10.0.0.1", "10.0.0.2").Udp(5, 6).Build(),
       "ethernet:ipv4:ipv4:udp", 48},
      {"6in4", kEthernet, P().Ethernet().Ipv4().Ipv6().Udp(5, 6).Build(), "ethernet:ipv4:ipv6:udp", 68},
      {"4in6", kEthernet, P().Ethernet().Ipv6().Ipv4().Udp(5, 6).Build(), "ethernet:ipv6:ipv4:udp", 68},
      {"srv6_ethernet", kEthernet, P().Ethernet().Ipv6().Ethernet().Ipv4().Udp(5, 6).Build(),
       "ethernet:ipv6:ethernet:ipv4:udp", 82},
      {"vxlan", kEthernet,
       Outer()
           .Vxlan(5001)
           .Ethernet("02:00:00:00:00:0a", "02:00:00:00:00:0b")
           .Ipv4("10.0.0.1", "10.0.0.2")
           .Tcp(5, 6, 2)
           .Build(),
       "ethernet:ipv4:udp:vxlan:ethernet:ipv4:tcp", 28 + 8 + 14 + 40},
      {"vxlan_arp", kEthernet, Outer().Vxlan(5001).Ethernet().Arp().Build(), "ethernet:ipv4:udp:vxlan:ethernet:arp",
       28 + 8 + 14 + 28},
      {"vxlan_8472", kEthernet, Outer(8472).Vxlan(1).Ethernet().Ipv6().Udp(1, 2).Build(),
       "ethernet:ipv4:udp:vxlan:ethernet:ipv6:udp", 28 + 8 + 14 + 48},
      {"vxlan_gpe_nsh", kEthernet, Outer().VxlanGpe(5001).Nsh().Ipv4("10.0.0.1", "10.0.0.2").Udp(5, 6).Build(),
       "ethernet:ipv4:udp:vxlan_gpe:nsh:ipv4:udp", 28 + 8 + 8 + 28},
      {"geneve", kEthernet, Outer().Geneve(77, 5).Ethernet().Ipv4("10.0.0.1", "10.0.0.2").Udp(5, 6).Build(),
       "ethernet:ipv4:udp:geneve:ethernet:ipv4:udp", 28 + 28 + 14 + 28},
      {"gtpu", kEthernet, Outer().GtpU(0xabcdef01).Ipv4("10.0.0.1", "10.0.0.2").Udp(5, 6).Build(),
       "ethernet:ipv4:udp:gtpu:ipv4:udp", 28 + 8 + 28},
      {"gtpu_extensions", kEthernet, Outer().GtpU(0xabcdef01, 3).Ipv6().Udp(5, 6).Build(),
       "ethernet:ipv4:udp:gtpu:ipv6:udp", 28 + 12 + 12 + 48},
      {"gtpv0", kEthernet,
       Outer(3386).Octets(Concat({0x1e, 255, 0, 32}, std::vector<uint8_t>(16, 0x45))).Octets(Behind({})).Build(),
       "ethernet:ipv4:udp:gtpv0:ipv4:udp", 28 + 20 + 32},
      {"gtpv0_message", kEthernet, Outer(3386).Octets(std::vector<uint8_t>{0x1e, 16, 0, 28}).Payload(44, 0x45).Build(),
       "ethernet:ipv4:udp", 28 + 48},
      {"l2tp", kEthernet, Outer().L2tp(1, 2).Ppp().Ipv4("10.0.0.1", "10.0.0.2").Udp(5, 6).Build(),
       "ethernet:ipv4:udp:l2tp:ppp:ipv4:udp", 28 + 6 + 2 + 28},
      {"teredo", kEthernet, Outer().Teredo().Ipv6().Icmpv6(128, 0).Build(), "ethernet:ipv4:udp:teredo:ipv6:icmpv6",
       28 + 8 + 48},
      {"mpls_in_udp", kEthernet, Outer().Mpls({100}).Ipv4("10.0.0.1", "10.0.0.2").Udp(5, 6).Build(),
       "ethernet:ipv4:udp:mpls:ipv4:udp", 28 + 4 + 28},
      {"capwap", kEthernet,
       Outer(5247).Octets(capwap).Octets({wireless}).Octets(llc_snap_ipv4).Octets(Behind({})).Build(),
       "ethernet:ipv4:udp:capwap:ieee80211:llc:ipv4:udp", 28 + 8 + 26 + 8 + 32},
      {"not_vxlan", kEthernet, Outer(4789).Payload(20, 0).Build(), "ethernet:ipv4:udp", 48},
      {"vxlan_in_gre_in_qinq", kEthernet,
       P().Ethernet().Vlan(1).Vlan(2).Ipv6().Gre().Ipv4().Udp(9, 0).Vxlan(3).Ethernet().Ipv6().Tcp(1, 2).Build(),
       "ethernet:vlan:vlan:ipv6:gre:ipv4:udp:vxlan:ethernet:ipv6:tcp", 40 + 4 + 28 + 8 + 14 + 60},
      {"arp", kEthernet, P().Ethernet().Arp().Padding(18).Build(), "ethernet:arp", 0},
      {"lldp", kEthernet, WithMacs({0x88, 0xcc, 2, 7, 4, 0, 0, 0, 0, 0, 1}), "ethernet", 0},
      {"stp", kEthernet, WithMacs({0, 4, 0x42, 0x42, 3, 0, 0, 0, 0}), "ethernet:llc", 0},
      {"vntag", kEthernet, Behind(WithMacs({0x89, 0x26, 0, 1, 0, 2, 8, 0})), "ethernet:vntag:ipv4:udp", 32},
      {"etag", kEthernet, Behind(WithMacs({0x89, 0x3f, 0, 1, 0, 2, 0, 0, 8, 0})), "ethernet:etag:ipv4:udp", 32},
      {"cisco_metadata", kEthernet, Behind(WithMacs({0x89, 0x09, 1, 1, 0, 1, 0, 9, 8, 0})),
       "ethernet:cisco_metadata:ipv4:udp", 32},
      {"fabricpath", kEthernet, Behind(WithMacs(Concat({0x89, 0x03, 0, 0x7f}, WithMacs({8, 0})))),
       "ethernet:fabricpath:ethernet:ipv4:udp", 32},
      {"raw4", LinkType::kRaw, Behind({}), "ipv4:udp", 32},
      {"raw6", LinkType::kRaw, Behind6({}), "ipv6:udp", 52},
      {"raw12", LinkType::kDltRaw12, Behind({}), "ipv4:udp", 32},
      {"ipv4", LinkType::kIpv4, Behind({}), "ipv4:udp", 32},
      {"ipv6", LinkType::kIpv6, Behind6({}), "ipv6:udp", 52},
      {"null_little", LinkType::kNull, Behind({2, 0, 0, 0}), "bsd_loopback:ipv4:udp", 32},
      {"null_big", LinkType::kNull, Behind6({0, 0, 0, 30}), "bsd_loopback:ipv6:udp", 52},
      {"loop", LinkType::kLoop, Behind({0, 0, 0, 2}), "bsd_loopback:ipv4:udp", 32},
      {"ppp", LinkType::kPpp, Behind({0xff, 3, 0, 0x21}), "ppp:ipv4:udp", 32},
      {"ppp_compressed", LinkType::kPpp, Behind({0x21}), "ppp:ipv4:udp", 32},
      {"ppp_hdlc_cisco", LinkType::kPppHdlc, Behind({0x0f, 0, 8, 0}), "cisco_hdlc:ipv4:udp", 32},
      {"ppp_ether", LinkType::kPppEther, P().Pppoe().Ppp().Ipv4().Udp(1, 2).Build(), "pppoe:ppp:ipv4:udp", 28},
      {"chdlc", LinkType::kCiscoHdlc, Behind6({0x0f, 0, 0x86, 0xdd}), "cisco_hdlc:ipv6:udp", 52},
      {"frelay_nlpid", LinkType::kFrameRelay, Behind({0x04, 0x01, 3, 0xcc}), "frame_relay:ipv4:udp", 32},
      {"frelay_cisco", LinkType::kFrameRelay, Behind({0x04, 0x01, 8, 0}), "frame_relay:ipv4:udp", 32},
      {"frelay_snap", LinkType::kFrameRelay, Behind6({0x04, 0x01, 3, 0, 0x80, 0, 0, 0, 0x86, 0xdd}),
       "frame_relay:ipv6:udp", 52},
      {"fddi", LinkType::kFddi, Behind(Concat(Concat({0x50}, std::vector<uint8_t>(12, 2)), llc_snap_ipv4)),
       "fddi:llc:ipv4:udp", 32},
      {"wireless", LinkType::kIeee80211, Behind(Concat(wireless, llc_snap_ipv4)), "ieee80211:llc:ipv4:udp", 32},
      {"radiotap", LinkType::kIeee80211Radiotap, Behind(Concat(radiotap, Concat(wireless, llc_snap_ipv4))),
       "radiotap:ieee80211:llc:ipv4:udp", 32},
      {"beacon", LinkType::kIeee80211, std::vector<uint8_t>(40, 0), "ieee80211", 0},
      {"sll", LinkType::kLinuxSll, Behind({0, 0, 0, 1, 0, 6, 2, 2, 2, 2, 2, 2, 0, 0, 8, 0}), "linux_sll:ipv4:udp", 32},
      {"sll2", LinkType::kLinuxSll2, Behind({8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 2, 2, 2, 2, 2, 2, 0, 0}),
       "linux_sll2:ipv4:udp", 32},
      {"nflog", LinkType::kNflog, Concat(nflog, Behind({36, 0, 9, 0})), "nflog:ipv4:udp", 32},
      {"juniper", LinkType::kJuniperEther,
       Concat({0x4d, 0x47, 0x43, 0x80, 0, 2, 1, 1}, P().Ethernet().Ipv4().Udp(1, 2).Build()),
       "juniper_ethernet:ethernet:ipv4:udp", 28},
      {"mpls_link", LinkType::kMpls, P().Mpls({5}).Ipv4().Udp(1, 2).Build(), "mpls:ipv4:udp", 28},
  };
  return samples;
}

}  // namespace flowacct::packet
