// The general parser: one method a header, called in wire order.
//
// Internal to the room; the door is Parse() of packet_view.h. Each method reads the header at at_, adds its layer and
// returns the kind of the next one: kNone where parsing ends. Two limits go with it: end_, behind the last captured
// octet that belongs to what is parsed, and wire_end_, the same as the lengths on the wire have it (end_ <= wire_end_).

#ifndef FLOWACCT_PACKET_PACKET_PARSER_H_
#define FLOWACCT_PACKET_PACKET_PARSER_H_

#include <algorithm>
#include <cstdint>

#include "absl/types/span.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/base/octets.h"
#include "flowacct/packet/layer.h"
#include "flowacct/packet/packet_view.h"

namespace flowacct::packet {

class PacketParser {
 public:
  PacketParser(base::Octets captured, uint32_t wire_length, absl::Span<const uint16_t> gtp_u_ports, PacketView* view);

  base::DecodeResult Run(LayerKind first);
  // For a link type of which nothing is known.
  base::DecodeResult Unsupported() {
    Fail(base::DecodeCode::kUnsupported);
    return view_->result_;
  }

 private:
  // parse_link.cc
  LayerKind Ethernet();
  LayerKind Fddi();
  LayerKind Radiotap();
  LayerKind Ieee80211();
  LayerKind LinuxSll();
  LayerKind LinuxSll2();
  LayerKind BsdLoopback();
  LayerKind Ppp();
  LayerKind PppHdlc();
  LayerKind CiscoHdlc();
  LayerKind FrameRelay();
  LayerKind Nflog();
  LayerKind JuniperEthernet();
  // parse_tag.cc
  LayerKind Llc();
  LayerKind Vlan();
  LayerKind Mpls();
  LayerKind PwControlWord();
  LayerKind Pppoe();
  LayerKind Pbb();
  LayerKind VnTag();
  LayerKind ETag();
  LayerKind FabricPath();
  LayerKind CiscoMetadata();
  LayerKind Nsh();
  LayerKind Macsec();
  LayerKind Arp();
  // parse_ip.cc
  LayerKind Ip();
  LayerKind Ipv4();
  LayerKind Ipv6();
  LayerKind HopByHop() { return Extension(LayerKind::kHopByHop); }
  LayerKind DestinationOptions() { return Extension(LayerKind::kDestinationOptions); }
  LayerKind Routing() { return Extension(LayerKind::kRouting); }
  LayerKind Mobility() { return Extension(LayerKind::kMobility); }
  LayerKind Hip() { return Extension(LayerKind::kHip); }
  LayerKind Shim6() { return Extension(LayerKind::kShim6); }
  LayerKind Fragment();
  LayerKind Ah();
  LayerKind Tcp();
  LayerKind Udp();
  LayerKind UdpLite() { return Transport(LayerKind::kUdpLite, 8); }
  LayerKind Sctp() { return Transport(LayerKind::kSctp, 12); }
  LayerKind Dccp() { return Transport(LayerKind::kDccp, 12); }
  LayerKind Icmp() { return Transport(LayerKind::kIcmp, 4); }
  LayerKind Icmpv6() { return Transport(LayerKind::kIcmpv6, 4); }
  LayerKind Igmp() { return Transport(LayerKind::kIgmp, 8); }
  LayerKind Esp() { return Transport(LayerKind::kEsp, 8); }
  LayerKind Extension(LayerKind kind);
  LayerKind Transport(LayerKind kind, uint32_t length);
  uint32_t JumboPayloadLength() const;
  // parse_tunnel.cc
  LayerKind Gre();
  LayerKind GrePptp(uint16_t flags);
  LayerKind Erspan();
  LayerKind EtherIp();
  LayerKind Vxlan();
  LayerKind VxlanGpe();
  LayerKind Geneve();
  LayerKind GtpU();
  LayerKind GtpV0();
  LayerKind L2tp();
  LayerKind Teredo();
  LayerKind Ayiya();
  LayerKind Capwap();

  const uint8_t* header() const { return octets_ + at_; }
  uint8_t U8(uint32_t i) const { return octets_[at_ + i]; }
  uint16_t U16(uint32_t i) const { return base::LoadBe16(octets_ + at_ + i); }
  uint32_t U32(uint32_t i) const { return base::LoadBe32(octets_ + at_ + i); }
  uint32_t remaining() const { return end_ - at_; }
  uint32_t wire_remaining() const { return wire_end_ - at_; }
  // Whether `n` octets are here; if not, parsing ends as truncated, and as snapped if only the capture lacks them.
  bool Need(uint32_t n) {
    if (n <= remaining()) return true;
    Cut(n);
    return false;
  }
  // The same for a header that is only guessed from a UDP port: what is too short for it is payload, not an error.
  bool Want(uint32_t n) { return n <= wire_remaining() && Need(n); }
  void Cut(uint32_t n);
  LayerKind Fail(base::DecodeCode code, uint32_t at);
  LayerKind Fail(base::DecodeCode code) { return Fail(code, at_); }
  // Appends a layer of `length` octets (which are here) and steps over it; false if there are too many.
  bool Add(LayerKind kind, uint32_t length) { return Add(kind, length, wire_remaining()); }
  bool Add(LayerKind kind, uint32_t length, uint32_t extent);
  // Ends what is parsed `length` octets from at_, if it does not end before.
  void Limit(uint32_t length) {
    if (length < wire_remaining()) wire_end_ = at_ + length;
    end_ = std::min(end_, wire_end_);
  }
  LayerKind EtherTyped(uint16_t ether_type);
  IpLevel& level() { return view_->levels_[view_->level_count_ - 1]; }
  bool AddLevel(uint8_t version, uint8_t protocol, uint32_t ip_length);
  void MarkPayload();

  const uint8_t* octets_;
  const absl::Span<const uint16_t> gtp_u_ports_;
  PacketView* view_;
  uint32_t at_ = 0;
  uint32_t end_;
  uint32_t wire_end_;
  uint8_t first_layer_ = 0;        // of the level that is being read
  bool level_open_ = false;        // its IP header was read
  bool ieee80211_padded_ = false;  // radiotap: the 802.11 header is padded to a multiple of four
  uint16_t gre_protocol_ = 0;
  bool gre_sequence_ = false;
};

}  // namespace flowacct::packet

#endif  // FLOWACCT_PACKET_PACKET_PARSER_H_
