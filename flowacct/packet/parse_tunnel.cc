// Tunnel headers: what carries another packet.
//
// Those that only a UDP port announces end without an error where the octets do not look like the tunnel: a port is a
// hint, and the payload of some other application is nobody's fault.

#include "flowacct/packet/next_protocol.h"
#include "flowacct/packet/packet_parser.h"
#include "flowacct/packet/tunnel_headers.h"

namespace flowacct::packet {

using base::DecodeCode;

namespace {

constexpr uint16_t kGreErspan = 0x88be;  // types I and II
constexpr uint16_t kGreErspanIii = 0x22eb;
constexpr uint16_t kGrePpp = 0x880b;

}  // namespace

// RFC 2784, 2; key and sequence number: RFC 2890; routing: RFC 1701.
LayerKind PacketParser::Gre() {
  if (!Need(4)) return LayerKind::kNone;
  const uint16_t flags = U16(0);
  const uint16_t protocol = U16(2);
  const uint8_t version = flags & 0x07;
  if (version == 1) return GrePptp(flags);
  if (version != 0) return Fail(DecodeCode::kBadVersion);
  const bool routing = (flags & 0x4000) != 0;
  uint32_t length = 4;
  if ((flags & 0xc000) != 0) length += 4;  // checksum and offset, for either bit
  if ((flags & 0x2000) != 0) length += 4;  // key
  if ((flags & 0x1000) != 0) length += 4;  // sequence number
  if (!Need(length)) return LayerKind::kNone;
  if (routing) {
    // Source route entries: address family, offset, length, octets; the last is all zero.
    for (bool last = false; !last;) {
      if (!Need(length + 4)) return LayerKind::kNone;
      last = U16(length) == 0 && U8(length + 3) == 0;
      length += 4u + U8(length + 3);
    }
    if (!Need(length)) return LayerKind::kNone;
  }
  if (!Add(LayerKind::kGre, length)) return LayerKind::kNone;
  gre_protocol_ = protocol;
  gre_sequence_ = (flags & 0x1000) != 0;
  if (protocol == kGreErspan || protocol == kGreErspanIii) return LayerKind::kErspan;
  return FromEtherType(protocol);  // 0: a keepalive, whose reply lies inside unannounced
}

// RFC 2637, 4.1: enhanced GRE of PPTP; the key is payload length and call identifier.
LayerKind PacketParser::GrePptp(uint16_t flags) {
  if (U16(2) != kGrePpp || (flags & 0x2000) == 0) return Fail(DecodeCode::kBadValue);
  uint32_t length = 8;
  if ((flags & 0x1000) != 0) length += 4;  // sequence number
  if ((flags & 0x0080) != 0) length += 4;  // acknowledgement number
  if (!Need(length)) return LayerKind::kNone;
  const uint16_t payload_length = U16(4);
  const bool payload = (flags & 0x1000) != 0 && payload_length > 0;
  if (!Add(LayerKind::kGre, length)) return LayerKind::kNone;
  Limit(payload_length);
  return payload ? LayerKind::kPpp : LayerKind::kNone;
}

// draft-foschiano-erspan-03, 4: type I has no header (and GRE no sequence number), type II eight octets, type III
// twelve and, with the O bit, eight more.
LayerKind PacketParser::Erspan() {
  if (gre_protocol_ == kGreErspan && !gre_sequence_) {
    return Add(LayerKind::kErspan, 0) ? LayerKind::kEthernet : LayerKind::kNone;
  }
  if (!Need(8)) return LayerKind::kNone;
  const uint8_t version = U8(0) >> 4;
  if (gre_protocol_ == kGreErspan) {
    if (version != 1) return Fail(DecodeCode::kBadVersion);
    return Add(LayerKind::kErspan, 8) ? LayerKind::kEthernet : LayerKind::kNone;
  }
  if (version != 2) return Fail(DecodeCode::kBadVersion);
  if (!Need(12)) return LayerKind::kNone;
  const uint16_t last = U16(10);
  const uint32_t length = (last & 0x0001) != 0 ? 20 : 12;
  if (!Need(length)) return LayerKind::kNone;
  const uint8_t frame_type = (last >> 10) & 0x1f;
  if (!Add(LayerKind::kErspan, length)) return LayerKind::kNone;
  if (frame_type == 0) return LayerKind::kEthernet;
  if (frame_type == 2) return LayerKind::kIp;
  return LayerKind::kNone;
}

LayerKind PacketParser::EtherIp() {
  if (!Need(2)) return LayerKind::kNone;
  if (U8(0) >> 4 != 3) return Fail(DecodeCode::kBadVersion);  // RFC 3378, 3
  return Add(LayerKind::kEtherIp, 2) ? LayerKind::kEthernet : LayerKind::kNone;
}

// RFC 7348, 5: the I flag must be set.
LayerKind PacketParser::Vxlan() {
  if (!Want(8) || (U8(0) & 0x08) == 0) return LayerKind::kNone;
  return Add(LayerKind::kVxlan, 8) ? LayerKind::kEthernet : LayerKind::kNone;
}

// The P bit says that the next protocol is told; some senders tell it without the bit, others use the port for VXLAN.
LayerKind PacketParser::VxlanGpe() {
  if (!Want(8) || (U8(0) & 0x30) != 0) return LayerKind::kNone;  // version 0
  const bool typed = (U8(0) & 0x04) != 0 || U8(3) != 0;
  const LayerKind next = typed ? FromNshProtocol(U8(3)) : LayerKind::kEthernet;
  return Add(LayerKind::kVxlanGpe, 8) ? next : LayerKind::kNone;
}

// RFC 8926, 3.4 and 3.5.
LayerKind PacketParser::Geneve() {
  if (!Want(8) || U8(0) >> 6 != 0) return LayerKind::kNone;
  const uint32_t length = 8u + 4u * (U8(0) & 0x3f);
  const bool control = (U8(1) & 0x80) != 0;
  const uint16_t protocol = U16(2);
  if (!Want(length)) return LayerKind::kNone;
  for (uint32_t at = 8; at < length;) {
    at += 4u + 4u * (U8(at + 3) & 0x1f);
    if (at > length) return Fail(DecodeCode::kBadLength, at_);
  }
  if (!Add(LayerKind::kGeneve, length)) return LayerKind::kNone;
  return control ? LayerKind::kNone : FromEtherType(protocol);
}

// 3GPP TS 29.281, 5.1 and 5.2: if any of the flags E, S, PN is set there are four octets more, and with E a chain of
// extension headers. Only a G-PDU carries a packet.
LayerKind PacketParser::GtpU() {
  if (!Want(8) || (U8(0) & 0xf0) != 0x30) return LayerKind::kNone;  // version 1, protocol type GTP
  const uint8_t flags = U8(0);
  const uint8_t type = U8(1);
  const uint16_t payload_length = U16(2);
  uint32_t length = 8;
  if ((flags & 0x07) != 0) {
    if (!Want(12)) return LayerKind::kNone;
    length = 12;
    uint8_t next = (flags & 0x04) != 0 ? U8(11) : 0;
    while (next != 0) {
      if (!Need(length + 4)) return LayerKind::kNone;
      const uint32_t units = U8(length);
      if (units == 0) return Fail(DecodeCode::kBadLength, at_ + length);
      length += 4 * units;
      if (!Need(length)) return LayerKind::kNone;
      next = U8(length - 1);
    }
  }
  if (payload_length + 8u < length) return Fail(DecodeCode::kBadLength, at_ + 2);
  if (!Add(LayerKind::kGtpU, length)) return LayerKind::kNone;
  Limit(payload_length + 8u - length);
  if (type != GtpUView::kGPdu || wire_remaining() == 0) return LayerKind::kNone;
  if (!Need(1)) return LayerKind::kNone;
  // The tunnel's endpoints know what it carries; an IP version tells an IP packet from Ethernet and PPP.
  const uint8_t ip_version = U8(0) >> 4;
  return ip_version == 4 || ip_version == 6 ? LayerKind::kIp : LayerKind::kNone;
}

// 3GPP TS 09.60, 6: 20 octets; a T-PDU carries a packet. Its messages, and those of GTP' on the same port, are nobody's
// layer.
LayerKind PacketParser::GtpV0() {
  if (!Want(20) || U8(0) >> 5 != 0 || (U8(0) & 0x10) == 0 || U8(1) != GtpUView::kGPdu) return LayerKind::kNone;
  const uint16_t payload_length = U16(2);
  if (!Add(LayerKind::kGtpV0, 20)) return LayerKind::kNone;
  Limit(payload_length);
  if (wire_remaining() == 0 || !Need(1)) return LayerKind::kNone;
  const uint8_t ip_version = U8(0) >> 4;
  return ip_version == 4 || ip_version == 6 ? LayerKind::kIp : LayerKind::kNone;
}

// RFC 2661, 3.1: version 2; control messages end here.
LayerKind PacketParser::L2tp() {
  if (!Want(6) || (U8(1) & 0x0f) != 2) return LayerKind::kNone;
  const uint16_t flags = U16(0);
  const bool control = (flags & 0x8000) != 0;
  uint32_t length = 2;
  uint16_t total_length = 0;
  if ((flags & 0x4000) != 0) {  // length
    total_length = U16(2);
    length += 2;
  }
  length += 4;                             // tunnel and session identifiers
  if ((flags & 0x0800) != 0) length += 4;  // Ns and Nr
  if ((flags & 0x0200) != 0) {             // offset
    length += 2;
    if (!Want(length)) return LayerKind::kNone;
    length += U16(length - 2);
  }
  if (!Want(length)) return LayerKind::kNone;
  if (total_length != 0 && total_length < length) return Fail(DecodeCode::kBadLength, at_ + 2);
  if (!Add(LayerKind::kL2tp, length)) return LayerKind::kNone;
  if (total_length != 0) Limit(total_length - length);
  return control || wire_remaining() == 0 ? LayerKind::kNone : LayerKind::kPpp;
}

// RFC 4380, 5.1.1: authentication and origin indications, both optional, then IPv6.
LayerKind PacketParser::Teredo() {
  uint32_t length = 0;
  if (!Want(2)) return LayerKind::kNone;
  if (U16(0) == 0x0001) {  // authentication
    if (!Want(4)) return LayerKind::kNone;
    length = 4u + U8(2) + U8(3) + 8 + 1;
    if (!Want(length + 2)) return LayerKind::kNone;
  }
  if (U16(length) == 0x0000) length += 8;  // origin indication
  if (!Want(length + 40)) return LayerKind::kNone;
  if (U8(length) >> 4 != 6 || length + 40u + U16(length + 4) > wire_remaining()) return LayerKind::kNone;
  return Add(LayerKind::kTeredo, length) ? LayerKind::kIpv6 : LayerKind::kNone;
}

// draft-massar-v6ops-ayiya-02, 3: identity of 2^n octets, signature in units of four, then what "next header" says.
LayerKind PacketParser::Ayiya() {
  if (!Want(8)) return LayerKind::kNone;
  const uint32_t length = 8u + (1u << (U8(0) >> 4)) + 4u * (U8(1) >> 4);
  const uint8_t opcode = U8(2) & 0x0f;
  constexpr uint8_t kForward = 1;
  const LayerKind next = FromIpProtocol(U8(3), /*ipv6=*/false);
  if (!Want(length)) return LayerKind::kNone;
  if (!Add(LayerKind::kAyiya, length)) return LayerKind::kNone;
  const bool ip = next == LayerKind::kIpv4 || next == LayerKind::kIpv6;
  return opcode == kForward && ip ? next : LayerKind::kNone;
}

// RFC 5415, 4.1 to 4.4. DTLS, keep-alives and later fragments end here.
LayerKind PacketParser::Capwap() {
  if (!Want(8)) return LayerKind::kNone;
  if (U8(0) != 0) return LayerKind::kNone;  // version 0, type 0: a CAPWAP header follows in the clear
  const uint32_t bits = U32(0);
  const uint32_t length = 4u * (bits >> 19 & 0x1f);
  const uint32_t binding = bits >> 9 & 0x1f;
  const bool native = (bits & 0x100) != 0;
  const bool fragment = (bits & 0x80) != 0;
  const bool keep_alive = (bits & 0x08) != 0;
  const uint32_t offset = U16(6) >> 3;
  if (length < 8 || !Want(length)) return LayerKind::kNone;
  if (!Add(LayerKind::kCapwap, length)) return LayerKind::kNone;
  if (keep_alive || (fragment && offset != 0)) return LayerKind::kNone;
  if (!native) return LayerKind::kEthernet;
  return binding == 1 ? LayerKind::kIeee80211 : LayerKind::kNone;  // IEEE 802.11
}

}  // namespace flowacct::packet
