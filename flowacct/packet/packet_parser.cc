#include "flowacct/packet/packet_parser.h"

#include "flowacct/packet/next_protocol.h"

namespace flowacct::packet {

using base::DecodeCode;
using base::DecodeResult;

PacketParser::PacketParser(base::Octets captured, uint32_t wire_length, absl::Span<const uint16_t> gtp_u_ports,
                           PacketView* view)
    : octets_(captured.data()), gtp_u_ports_(gtp_u_ports), view_(view), end_(static_cast<uint32_t>(captured.size())) {
  wire_end_ = std::max(end_, wire_length);
  view->octets_ = captured;
  view->wire_length_ = wire_end_;
  view->layer_count_ = 0;
  view->level_count_ = 0;
  view->ether_type_ = 0;
  view->snapped_ = false;
  view->result_ = DecodeResult::Ok();
}

DecodeResult PacketParser::Run(LayerKind next) {
  // Ends: each method adds a layer, of which there are kMaxLayers, or ends parsing, or (kIp) chooses another method.
  for (;;) {
    switch (next) {
      case LayerKind::kNone:
        return view_->result_;
#define CASE(kind, method) \
  case LayerKind::kind:    \
    next = method();       \
    break;
        CASE(kEthernet, Ethernet)
        CASE(kFddi, Fddi)
        CASE(kRadiotap, Radiotap)
        CASE(kIeee80211, Ieee80211)
        CASE(kLinuxSll, LinuxSll)
        CASE(kLinuxSll2, LinuxSll2)
        CASE(kBsdLoopback, BsdLoopback)
        CASE(kPpp, Ppp)
        CASE(kPppHdlc, PppHdlc)
        CASE(kCiscoHdlc, CiscoHdlc)
        CASE(kFrameRelay, FrameRelay)
        CASE(kNflog, Nflog)
        CASE(kJuniperEthernet, JuniperEthernet)
        CASE(kLlc, Llc)
        CASE(kVlan, Vlan)
        CASE(kMpls, Mpls)
        CASE(kPwControlWord, PwControlWord)
        CASE(kPppoe, Pppoe)
        CASE(kPbb, Pbb)
        CASE(kVnTag, VnTag)
        CASE(kETag, ETag)
        CASE(kFabricPath, FabricPath)
        CASE(kCiscoMetadata, CiscoMetadata)
        CASE(kNsh, Nsh)
        CASE(kMacsec, Macsec)
        CASE(kArp, Arp)
        CASE(kIp, Ip)
        CASE(kIpv4, Ipv4)
        CASE(kIpv6, Ipv6)
        CASE(kHopByHop, HopByHop)
        CASE(kDestinationOptions, DestinationOptions)
        CASE(kRouting, Routing)
        CASE(kFragment, Fragment)
        CASE(kMobility, Mobility)
        CASE(kHip, Hip)
        CASE(kShim6, Shim6)
        CASE(kAh, Ah)
        CASE(kTcp, Tcp)
        CASE(kUdp, Udp)
        CASE(kUdpLite, UdpLite)
        CASE(kSctp, Sctp)
        CASE(kDccp, Dccp)
        CASE(kIcmp, Icmp)
        CASE(kIcmpv6, Icmpv6)
        CASE(kIgmp, Igmp)
        CASE(kEsp, Esp)
        CASE(kGre, Gre)
        CASE(kErspan, Erspan)
        CASE(kEtherIp, EtherIp)
        CASE(kVxlan, Vxlan)
        CASE(kVxlanGpe, VxlanGpe)
        CASE(kGeneve, Geneve)
        CASE(kGtpU, GtpU)
        CASE(kGtpV0, GtpV0)
        CASE(kL2tp, L2tp)
        CASE(kTeredo, Teredo)
        CASE(kAyiya, Ayiya)
        CASE(kCapwap, Capwap)
#undef CASE
    }
  }
}

void PacketParser::Cut(uint32_t n) {
  view_->snapped_ = n <= wire_remaining();
  view_->result_ = DecodeResult::Error(DecodeCode::kTruncated, at_);
}

LayerKind PacketParser::Fail(DecodeCode code, uint32_t at) {
  view_->result_ = DecodeResult::Error(code, at);
  return LayerKind::kNone;
}

bool PacketParser::Add(LayerKind kind, uint32_t length, uint32_t extent) {
  if (view_->layer_count_ == PacketView::kMaxLayers) {
    Fail(DecodeCode::kTooDeep);
    return false;
  }
  const LayerCategory category = CategoryOf(kind);
  if (level_open_ && category != LayerCategory::kExtension && category != LayerCategory::kTransport) {
    level_open_ = false;
    first_layer_ = static_cast<uint8_t>(view_->layer_count_);
  }
  view_->layers_[view_->layer_count_++] = Layer{kind, at_, length, extent};
  at_ += length;
  return true;
}

// EtherType of a link or tag; also tells it to those who account frames without IP.
LayerKind PacketParser::EtherTyped(uint16_t ether_type) {
  if (view_->level_count_ == 0) view_->ether_type_ = ether_type;
  return FromEtherType(ether_type);
}

DecodeResult Parse(LinkType link_type, base::Octets captured, uint32_t wire_length, PacketView* view,
                   absl::Span<const uint16_t> gtp_u_ports) {
  // Offsets are 32-bit; no capture format has longer packets.
  if (captured.size() > 0x7fffffff) captured = captured.first(0x7fffffff);
  PacketParser parser(captured, std::min<uint32_t>(wire_length, 0x7fffffff), gtp_u_ports, view);
  const LayerKind first = FirstLayer(link_type);
  return first == LayerKind::kNone ? parser.Unsupported() : parser.Run(first);
}

}  // namespace flowacct::packet
