// Link headers: what a frame begins with.

#include <cstring>

#include "flowacct/packet/next_protocol.h"
#include "flowacct/packet/packet_parser.h"

namespace flowacct::packet {

using base::DecodeCode;

LayerKind PacketParser::Ethernet() {
  if (!Need(14)) return LayerKind::kNone;
  const uint16_t type_or_length = U16(12);
  if (!Add(LayerKind::kEthernet, 14)) return LayerKind::kNone;
  if (type_or_length >= 0x600) return EtherTyped(type_or_length);
  // IEEE 802.3, 3.2.6: a length, with LLC behind it; padding lies beyond.
  Limit(type_or_length);
  return LayerKind::kLlc;
}

LayerKind PacketParser::Fddi() {
  if (!Need(13)) return LayerKind::kNone;
  const bool llc = (U8(0) & 0x30) == 0x10;  // frame control: LLC frame
  if (!Add(LayerKind::kFddi, 13)) return LayerKind::kNone;
  return llc ? LayerKind::kLlc : LayerKind::kNone;
}

// radiotap.org: version, pad, length, presence words; all in little endian.
LayerKind PacketParser::Radiotap() {
  if (!Need(8)) return LayerKind::kNone;
  const uint32_t length = base::LoadHost<uint16_t>(header() + 2);
  if (U8(0) != 0) return Fail(DecodeCode::kBadVersion);
  if (length < 8) return Fail(DecodeCode::kBadLength);
  if (!Need(length)) return LayerKind::kNone;
  const uint32_t present = base::LoadHost<uint32_t>(header() + 4);
  uint32_t field = 8;
  // Bit 31: another word of presence bits follows.
  for (uint32_t word = present; (word & 0x80000000u) != 0 && field + 4 <= length; field += 4) {
    word = base::LoadHost<uint32_t>(header() + field);
  }
  uint8_t flags = 0;
  if ((present & 1) != 0) field = (field + 7) / 8 * 8 + 8;  // TSFT, aligned to its size
  if ((present & 2) != 0 && field < length) flags = U8(field);
  if (!Add(LayerKind::kRadiotap, length)) return LayerKind::kNone;
  ieee80211_padded_ = (flags & 0x20) != 0;
  if ((flags & 0x10) != 0 && wire_remaining() >= 4) Limit(wire_remaining() - 4);  // frame check sequence
  return LayerKind::kIeee80211;
}

// IEEE 802.11-2020, 9.2.3. Data frames go on with LLC; management, control and protected ones end here.
LayerKind PacketParser::Ieee80211() {
  if (!Need(10)) return LayerKind::kNone;
  uint8_t control = U8(0);
  uint8_t flags = U8(1);
  // Cisco's access points swap the two octets of frame control inside CAPWAP.
  const uint32_t layers = view_->layer_count_;
  if (layers > 0 && view_->layers_[layers - 1].kind == LayerKind::kCapwap && (control & 0x0f) != 0x08 &&
      (flags & 0x0f) == 0x08) {
    std::swap(control, flags);
  }
  if ((control & 0x0c) != 0x08) {  // no data frame
    Add(LayerKind::kIeee80211, 10);
    return LayerKind::kNone;
  }
  const bool qos = (control & 0x80) != 0;
  uint32_t length = 24;
  if ((flags & 0x03) == 0x03) length += 6;  // to and from the distribution system: a fourth address
  const uint32_t qos_at = length;
  if (qos) length += 2;
  if (qos && (flags & 0x80) != 0) length += 4;  // HT control
  if (ieee80211_padded_) length = (length + 3) / 4 * 4;
  if (!Need(length)) return LayerKind::kNone;
  const bool aggregate = qos && (U8(qos_at) & 0x80) != 0;  // A-MSDU
  const bool has_data = (control & 0x40) == 0;
  const bool is_protected = (flags & 0x40) != 0;
  if (!Add(LayerKind::kIeee80211, length)) return LayerKind::kNone;
  return has_data && !is_protected && !aggregate ? LayerKind::kLlc : LayerKind::kNone;
}

namespace {

constexpr uint16_t kArphrdNetlink = 824;
constexpr uint16_t kArphrdRadiotap = 803;
constexpr uint16_t kArphrdFrameRelay = 770;

}  // namespace

LayerKind PacketParser::LinuxSll() {
  if (!Need(16)) return LayerKind::kNone;
  const uint16_t hardware = U16(2);
  const uint16_t protocol = U16(14);
  if (!Add(LayerKind::kLinuxSll, 16)) return LayerKind::kNone;
  // With these the protocol is no EtherType (LINKTYPE_LINUX_SLL).
  if (hardware == kArphrdNetlink || hardware == kArphrdRadiotap || hardware == kArphrdFrameRelay) {
    return LayerKind::kNone;
  }
  if (protocol == 0x0004) return LayerKind::kLlc;  // 802.2
  return EtherTyped(protocol);
}

LayerKind PacketParser::LinuxSll2() {
  if (!Need(20)) return LayerKind::kNone;
  const uint16_t protocol = U16(0);
  const uint16_t hardware = U16(8);
  if (!Add(LayerKind::kLinuxSll2, 20)) return LayerKind::kNone;
  if (hardware == kArphrdNetlink || hardware == kArphrdRadiotap || hardware == kArphrdFrameRelay) {
    return LayerKind::kNone;
  }
  if (protocol == 0x0004) return LayerKind::kLlc;
  return EtherTyped(protocol);
}

// The address family in the order of the host that captured (null) or in network order (loop): small either way.
LayerKind PacketParser::BsdLoopback() {
  if (!Need(4)) return LayerKind::kNone;
  uint32_t family = U32(0);
  if (family > 0xffff) family = __builtin_bswap32(family);
  const uint16_t ether_type = U16(2);  // where some writers put it, with something else before it
  if (!Add(LayerKind::kBsdLoopback, 4)) return LayerKind::kNone;
  switch (family) {
    case 2:  // AF_INET everywhere
      return EtherTyped(0x0800);
    case 10:  // AF_INET6: Linux
    case 24:  // NetBSD, OpenBSD, BSD/OS
    case 28:  // FreeBSD
    case 30:  // macOS
      return EtherTyped(0x86dd);
    default:
      return EtherTyped(ether_type);
  }
}

// RFC 1661, 2 with address and control (RFC 1662, 3.1) or without, and with a protocol compressed to one octet or not.
LayerKind PacketParser::Ppp() {
  if (!Need(1)) return LayerKind::kNone;
  if (U8(0) == 0xff && !Need(2)) return LayerKind::kNone;
  uint32_t at = U8(0) == 0xff && U8(1) == 0x03 ? 2 : 0;
  if (!Need(at + 1)) return LayerKind::kNone;
  uint16_t protocol = U8(at);
  if ((protocol & 1) != 0) {
    at += 1;
  } else {
    if (!Need(at + 2)) return LayerKind::kNone;
    protocol = U16(at);
    at += 2;
  }
  if (!Add(LayerKind::kPpp, at)) return LayerKind::kNone;
  const LayerKind next = FromPppProtocol(protocol);
  if (view_->level_count_ == 0) {
    // Told as an EtherType where there is one.
    view_->ether_type_ = next == LayerKind::kIpv4 ? 0x0800 : next == LayerKind::kIpv6 ? 0x86dd : 0;
  }
  return next;
}

LayerKind PacketParser::PppHdlc() {
  if (!Need(1)) return LayerKind::kNone;
  const bool cisco = U8(0) == 0x0f || U8(0) == 0x8f;
  return cisco ? LayerKind::kCiscoHdlc : LayerKind::kPpp;
}

LayerKind PacketParser::CiscoHdlc() {
  if (!Need(4)) return LayerKind::kNone;
  const uint16_t protocol = U16(2);
  if (!Add(LayerKind::kCiscoHdlc, 4)) return LayerKind::kNone;
  if (protocol == 0xfefe) return LayerKind::kLlc;  // OSI
  return EtherTyped(protocol);
}

// RFC 2427, 3: address, control, NLPID; or, as Cisco has it, address and EtherType.
LayerKind PacketParser::FrameRelay() {
  uint32_t at = 0;
  do {
    if (!Need(at + 1)) return LayerKind::kNone;
    if (at == 4) return Fail(DecodeCode::kBadValue);  // Q.922: four octets at most
  } while ((U8(at++) & 1) == 0);
  if (at < 2) return Fail(DecodeCode::kBadValue);
  if (!Need(at + 2)) return LayerKind::kNone;
  uint16_t ether_type = 0;
  LayerKind next = LayerKind::kNone;
  if (U8(at) != 0x03) {
    ether_type = U16(at);
    at += 2;
  } else {
    ++at;
    if (U8(at) == 0) ++at;  // padding
    if (!Need(at + 1)) return LayerKind::kNone;
    const uint8_t nlpid = U8(at++);
    switch (nlpid) {
      case 0xcc:
        ether_type = 0x0800;
        break;
      case 0x8e:
        ether_type = 0x86dd;
        break;
      case 0xcf:
        next = LayerKind::kPpp;
        break;
      case 0x80:  // SNAP
        if (!Need(at + 5)) return LayerKind::kNone;
        if (base::LoadBe24(header() + at) == 0) ether_type = U16(at + 3);
        at += 5;
        break;
      default:
        break;
    }
  }
  if (!Add(LayerKind::kFrameRelay, at)) return LayerKind::kNone;
  return ether_type != 0 ? EtherTyped(ether_type) : next;
}

// LINKTYPE_NFLOG: family, version, resource; then attributes in the order of the host that captured.
LayerKind PacketParser::Nflog() {
  if (!Need(4)) return LayerKind::kNone;
  const uint8_t family = U8(0);
  if (U8(1) != 0) return Fail(DecodeCode::kBadVersion);
  constexpr uint16_t kPayload = 9;  // NFULA_PAYLOAD
  for (uint32_t at = 4;;) {
    if (!Need(at + 4)) return LayerKind::kNone;
    uint32_t length = base::LoadHost<uint16_t>(header() + at);
    uint16_t type = base::LoadHost<uint16_t>(header() + at + 2);
    if (length > 0xff && type > 0xff && (type & 0xff) == 0) {  // big endian: small types look large
      length = base::LoadBe16(header() + at);
      type = base::LoadBe16(header() + at + 2);
    }
    if (length < 4) return Fail(DecodeCode::kBadLength, at_ + at);
    if ((type & 0x7fff) == kPayload) {
      if (!Add(LayerKind::kNflog, at + 4)) return LayerKind::kNone;
      Limit(length - 4);
      if (family == 2) return EtherTyped(0x0800);
      if (family == 10) return EtherTyped(0x86dd);
      return LayerKind::kNone;
    }
    at += (length + 3) / 4 * 4;
  }
}

// "MGC", flags, and with flag 0x80 extensions after their length; then, unless flag 0x02 says otherwise, Ethernet.
LayerKind PacketParser::JuniperEthernet() {
  if (!Need(4)) return LayerKind::kNone;
  if (base::LoadBe24(header()) != 0x4d4743) return Fail(DecodeCode::kBadValue);
  const uint8_t flags = U8(3);
  uint32_t length = 4;
  if ((flags & 0x80) != 0) {
    if (!Need(6)) return LayerKind::kNone;
    length = 6u + U16(4);
    if (!Need(length)) return LayerKind::kNone;
  }
  if (!Add(LayerKind::kJuniperEthernet, length)) return LayerKind::kNone;
  return (flags & 0x02) == 0 ? LayerKind::kEthernet : LayerKind::kNone;
}

}  // namespace flowacct::packet
