// Tags: what lies between a link and the network layer.

#include "flowacct/packet/next_protocol.h"
#include "flowacct/packet/packet_parser.h"

namespace flowacct::packet {

using base::DecodeCode;

// IEEE 802.2, 3.2; SNAP: RFC 1042.
LayerKind PacketParser::Llc() {
  if (!Need(3)) return LayerKind::kNone;
  const uint8_t dsap = U8(0);
  const uint8_t ssap = U8(1);
  const bool unnumbered = (U8(2) & 0x03) == 0x03;
  if (dsap == 0xff && ssap == 0xff) return LayerKind::kNone;  // Novell's raw 802.3: no LLC at all
  if (dsap == 0xaa && ssap == 0xaa && unnumbered) {
    if (!Need(8)) return LayerKind::kNone;
    const uint32_t oui = base::LoadBe24(header() + 3);
    const uint16_t pid = U16(6);
    if (!Add(LayerKind::kLlc, 8)) return LayerKind::kNone;
    if (oui == 0x000000 || oui == 0x0000f8) return EtherTyped(pid);  // RFC 1042; 802.1H
    if (oui == 0x0080c2 && (pid == 0x0001 || pid == 0x0007)) {       // RFC 2684, 5.2: bridged Ethernet
      return LayerKind::kEthernet;
    }
    return LayerKind::kNone;
  }
  const uint32_t length = unnumbered ? 3 : 4;
  if (!Need(length)) return LayerKind::kNone;
  if (!Add(LayerKind::kLlc, length)) return LayerKind::kNone;
  if (dsap == 0x06 && ssap == 0x06 && unnumbered) return EtherTyped(0x0800);
  return LayerKind::kNone;
}

// IEEE 802.1Q, 9.6: what follows the tag's own EtherType: control information, and the EtherType of what it tags.
LayerKind PacketParser::Vlan() {
  if (!Need(4)) return LayerKind::kNone;
  const uint16_t type_or_length = U16(2);
  if (!Add(LayerKind::kVlan, 4)) return LayerKind::kNone;
  if (type_or_length >= 0x600) return EtherTyped(type_or_length);
  Limit(type_or_length);
  return LayerKind::kLlc;
}

namespace {

// Label stacks deeper than this are loops or attacks.
constexpr uint32_t kMaxLabels = 32;
constexpr uint32_t kLabelGal = 13;  // RFC 5586: a channel of the label switched path, not traffic

}  // namespace

// RFC 3032. The stack does not tell what it carries; RFC 4928, 3 and RFC 4385, 3 let the first nibble tell.
LayerKind PacketParser::Mpls() {
  uint32_t length = 0;
  uint32_t entry;
  do {
    if (!Need(length + 4)) return LayerKind::kNone;
    if (length == 4 * kMaxLabels) return Fail(DecodeCode::kTooDeep);
    entry = U32(length);
    length += 4;
  } while ((entry & 0x100) == 0);
  if (!Add(LayerKind::kMpls, length)) return LayerKind::kNone;
  const uint32_t label = entry >> 12;
  if (label == kLabelGal || wire_remaining() == 0) return LayerKind::kNone;
  if (!Need(1)) return LayerKind::kNone;
  const uint8_t nibble = U8(0) >> 4;
  // A MAC address may begin with 4 or 6 as well, so the length must fit.
  if (nibble == 4) {
    const bool fits = remaining() < 4 || ((U8(0) & 0x0f) >= 5 && U16(2) <= wire_remaining());
    return fits || label == 0 ? EtherTyped(0x0800) : LayerKind::kEthernet;
  }
  if (nibble == 6) {
    const bool fits = remaining() < 6 || U16(4) + 40u <= wire_remaining();
    return fits || label == 2 ? EtherTyped(0x86dd) : LayerKind::kEthernet;
  }
  if (nibble == 1) return LayerKind::kNone;  // associated channel, RFC 5586
  // A pseudowire. Which kind was signalled, not told: Ethernet with a control word, or without one, if its EtherType
  // or length lies where it would.
  const auto is_ethernet = [this](uint32_t at) {
    if (remaining() < at + 14) return false;
    const uint16_t type_or_length = U16(at + 12);
    return FromEtherType(type_or_length) != LayerKind::kNone ||
           (type_or_length < 0x600 && type_or_length > 2 && type_or_length + at + 14 <= wire_remaining());
  };
  if (wire_remaining() >= 18 && !Need(18)) return LayerKind::kNone;  // cut before it can be told
  // RFC 4385, 3: no flags, no fragmentation, and a length only if it is that of a short payload.
  const bool control_word = U8(0) == 0 && remaining() >= 4 && (U8(1) == 0 || U8(1) == wire_remaining());
  if (control_word && is_ethernet(4)) return LayerKind::kPwControlWord;
  if (is_ethernet(0)) return LayerKind::kEthernet;
  return nibble == 0 ? LayerKind::kPwControlWord : LayerKind::kNone;
}

LayerKind PacketParser::PwControlWord() {
  if (!Need(4)) return LayerKind::kNone;
  const bool ethernet = remaining() >= 18;
  if (!Add(LayerKind::kPwControlWord, 4)) return LayerKind::kNone;
  return ethernet ? LayerKind::kEthernet : LayerKind::kNone;
}

LayerKind PacketParser::Pppoe() {
  if (!Need(6)) return LayerKind::kNone;
  if (U8(0) != 0x11) return Fail(DecodeCode::kBadVersion);  // RFC 2516, 4: version 1, type 1
  const bool session = U8(1) == 0;
  const uint16_t length = U16(4);
  if (!Add(LayerKind::kPppoe, 6)) return LayerKind::kNone;
  Limit(length);
  return session ? LayerKind::kPpp : LayerKind::kNone;
}

// IEEE 802.1ah: I-TAG control information, then the customer's frame.
LayerKind PacketParser::Pbb() {
  if (!Need(4)) return LayerKind::kNone;
  return Add(LayerKind::kPbb, 4) ? LayerKind::kEthernet : LayerKind::kNone;
}

LayerKind PacketParser::VnTag() {
  if (!Need(6)) return LayerKind::kNone;
  const uint16_t ether_type = U16(4);
  return Add(LayerKind::kVnTag, 6) ? EtherTyped(ether_type) : LayerKind::kNone;
}

LayerKind PacketParser::ETag() {
  if (!Need(8)) return LayerKind::kNone;
  const uint16_t ether_type = U16(6);
  return Add(LayerKind::kETag, 8) ? EtherTyped(ether_type) : LayerKind::kNone;
}

// The Ethernet header before it has switch addresses; here are the tree and the time to live, then the frame.
LayerKind PacketParser::FabricPath() {
  if (!Need(2)) return LayerKind::kNone;
  return Add(LayerKind::kFabricPath, 2) ? LayerKind::kEthernet : LayerKind::kNone;
}

// Version, number of options, options of four octets each (at least one), EtherType; in GRE the EtherType comes first.
LayerKind PacketParser::CiscoMetadata() {
  if (!Need(8)) return LayerKind::kNone;
  const bool in_gre = view_->layer_count_ > 0 && view_->layers_[view_->layer_count_ - 1].kind == LayerKind::kGre;
  const uint32_t options = std::max<uint32_t>(U8(in_gre ? 3 : 1), 1);
  const uint32_t length = 4 + 4 * options;
  if (!Need(length)) return LayerKind::kNone;
  const uint16_t ether_type = U16(in_gre ? 0 : length - 2);
  return Add(LayerKind::kCiscoMetadata, length) ? EtherTyped(ether_type) : LayerKind::kNone;
}

LayerKind PacketParser::Nsh() {
  if (!Need(8)) return LayerKind::kNone;
  if (U8(0) >> 6 != 0) return Fail(DecodeCode::kBadVersion);  // RFC 8300, 2.2
  const uint32_t length = 4u * (U8(1) & 0x3f);
  if (length < 8) return Fail(DecodeCode::kBadLength);
  if (!Need(length)) return LayerKind::kNone;
  const LayerKind next = FromNshProtocol(U8(3));
  return Add(LayerKind::kNsh, length) ? next : LayerKind::kNone;
}

// IEEE 802.1AE, 9.3: a SecTAG of 6 octets, with a channel identifier 14. What follows is protected. Cut or not, neither
// this nor ARP leads to IP, so what is missing of them is no trouble.
LayerKind PacketParser::Macsec() {
  if (remaining() < 6) return LayerKind::kNone;
  const uint32_t length = (U8(0) & 0x20) != 0 ? 14 : 6;
  if (length <= remaining()) Add(LayerKind::kMacsec, length);
  return LayerKind::kNone;
}

LayerKind PacketParser::Arp() {
  if (remaining() < 8) return LayerKind::kNone;
  const uint32_t length = 8u + 2u * U8(4) + 2u * U8(5);
  if (length <= remaining()) Add(LayerKind::kArp, length);
  return LayerKind::kNone;
}

}  // namespace flowacct::packet
