// Network and transport headers.

#include "flowacct/packet/next_protocol.h"
#include "flowacct/packet/packet_parser.h"

namespace flowacct::packet {

using base::DecodeCode;

bool PacketParser::AddLevel(uint8_t version, uint8_t protocol, uint32_t ip_length) {
  if (view_->level_count_ == PacketView::kMaxLevels) {
    Fail(DecodeCode::kTooDeep);
    return false;
  }
  const uint32_t header_length = version == 4 ? 4u * (U8(0) & 0x0f) : 40u;
  if (!Add(version == 4 ? LayerKind::kIpv4 : LayerKind::kIpv6, header_length, ip_length)) return false;
  IpLevel& level = view_->levels_[view_->level_count_++];
  level = IpLevel();
  level.first_layer = first_layer_;
  level.ip_layer = static_cast<uint8_t>(view_->layer_count_ - 1);
  level.version = version;
  level.protocol = protocol;
  level.ip_length = ip_length;
  level_open_ = true;
  // From here on the IP length is the limit; what lies beyond is padding.
  Limit(ip_length - header_length);
  MarkPayload();
  return true;
}

// What is behind at_ is the payload of the level, as far as is known by now.
void PacketParser::MarkPayload() {
  IpLevel& level = this->level();
  const uint32_t headers = at_ - view_->layers_[level.ip_layer].offset;
  level.payload_offset = at_;
  level.payload_captured = remaining();
  level.payload_length = level.ip_length > headers ? level.ip_length - headers : 0;
}

LayerKind PacketParser::Ip() {
  if (!Need(1)) return LayerKind::kNone;
  switch (U8(0) >> 4) {
    case 4:
      return EtherTyped(0x0800);
    case 6:
      return EtherTyped(0x86dd);
    default:
      return Fail(DecodeCode::kBadVersion);
  }
}

// RFC 791, 3.1.
LayerKind PacketParser::Ipv4() {
  if (!Need(20)) return LayerKind::kNone;
  if (U8(0) >> 4 != 4) return Fail(DecodeCode::kBadVersion);
  const uint32_t header_length = 4u * (U8(0) & 0x0f);
  if (header_length < 20) return Fail(DecodeCode::kBadLength);
  uint32_t total_length = U16(2);
  // Segmentation offload and BIG TCP leave the field zero; then the packet is all that the frame has.
  if (total_length == 0) total_length = wire_remaining();
  if (total_length < header_length) return Fail(DecodeCode::kBadLength, at_ + 2);
  if (!Need(header_length)) return LayerKind::kNone;
  const uint16_t fragment = U16(6);
  const uint16_t id = U16(4);
  const uint8_t protocol = U8(9);
  if (!AddLevel(4, protocol, total_length)) return LayerKind::kNone;
  if ((fragment & 0x3fff) != 0) {
    IpLevel& level = this->level();
    level.fragment = true;
    level.more_fragments = (fragment & 0x2000) != 0;
    level.fragment_offset = 8u * (fragment & 0x1fff);
    level.fragment_id = id;
    if (level.fragment_offset != 0) return LayerKind::kNone;
  }
  return FromIpProtocol(protocol, /*ipv6=*/false);
}

// The jumbo payload option (RFC 2675, 2) of the hop-by-hop header that follows the IPv6 header at at_; else 0.
uint32_t PacketParser::JumboPayloadLength() const {
  if (remaining() < 48) return 0;
  const uint32_t end = std::min(remaining(), 40u + 8u * (U8(41) + 1u));
  for (uint32_t at = 42; at + 2 <= end;) {
    const uint8_t type = U8(at);
    if (type == 0) {  // Pad1
      ++at;
      continue;
    }
    if (type == 0xc2 && U8(at + 1) == 4 && at + 6 <= end) return U32(at + 2);
    at += 2u + U8(at + 1);
  }
  return 0;
}

// RFC 8200, 3.
LayerKind PacketParser::Ipv6() {
  if (!Need(40)) return LayerKind::kNone;
  if (U8(0) >> 4 != 6) return Fail(DecodeCode::kBadVersion);
  uint32_t payload_length = U16(4);
  const uint8_t next_header = U8(6);
  if (payload_length == 0) {
    if (next_header == 0) payload_length = JumboPayloadLength();
    // Recent Linux leaves the option out of its own BIG TCP packets; nothing else is that long.
    if (payload_length == 0 && wire_remaining() > 40 + 65535) payload_length = wire_remaining() - 40;
    if (payload_length > 0x7fffffff - 40) return Fail(DecodeCode::kBadLength, at_ + 4);
  }
  if (!AddLevel(6, next_header, 40 + payload_length)) return LayerKind::kNone;
  return FromIpProtocol(next_header, /*ipv6=*/true);
}

// RFC 8200, 4: next header, length in units of eight octets beyond the first.
LayerKind PacketParser::Extension(LayerKind kind) {
  level().payload_captured = 0;  // until it is known whether the header is here
  if (!Need(8)) return LayerKind::kNone;
  const uint32_t length = 8u * (U8(1) + 1u);
  const uint8_t next_header = U8(0);
  if (!Need(length)) return LayerKind::kNone;
  if (!Add(kind, length)) return LayerKind::kNone;
  level().protocol = next_header;
  MarkPayload();
  return FromIpProtocol(next_header, /*ipv6=*/true);
}

LayerKind PacketParser::Fragment() {
  level().payload_captured = 0;
  if (!Need(8)) return LayerKind::kNone;
  const uint8_t next_header = U8(0);
  const uint16_t offset_and_more = U16(2);
  const uint32_t id = U32(4);
  if (!Add(LayerKind::kFragment, 8)) return LayerKind::kNone;
  MarkPayload();
  IpLevel& level = this->level();
  level.protocol = next_header;
  level.fragment_offset = offset_and_more & 0xfff8u;
  level.more_fragments = (offset_and_more & 1) != 0;
  level.fragment_id = id;
  // Neither: an atomic fragment (RFC 6946), whole in itself.
  level.fragment = level.fragment_offset != 0 || level.more_fragments;
  if (level.fragment_offset != 0) return LayerKind::kNone;
  return FromIpProtocol(next_header, /*ipv6=*/true);
}

// RFC 4302, 2: next header, length in units of four octets beyond the first two. To IPv6 it is an extension header
// (RFC 8200, 4.1); to IPv4 it is the protocol, and stays so for accounting.
LayerKind PacketParser::Ah() {
  const bool ipv6 = level().version == 6;
  if (ipv6) level().payload_captured = 0;
  if (!Need(12)) return LayerKind::kNone;
  const uint8_t next_header = U8(0);
  const uint32_t length = 4u * (U8(1) + 2u);
  if (length < 12) return Fail(DecodeCode::kBadLength);
  if (!Need(length)) return LayerKind::kNone;
  if (!Add(LayerKind::kAh, length)) return LayerKind::kNone;
  if (ipv6) {
    level().protocol = next_header;
    MarkPayload();
  }
  return FromIpProtocol(next_header, ipv6);
}

LayerKind PacketParser::Transport(LayerKind kind, uint32_t length) {
  if (!Need(length)) return LayerKind::kNone;
  if (Add(kind, length)) level().transport_layer = static_cast<uint8_t>(view_->layer_count_ - 1);
  return LayerKind::kNone;
}

// RFC 9293, 3.1. Of the options the layer has what was captured.
LayerKind PacketParser::Tcp() {
  if (!Need(20)) return LayerKind::kNone;
  const uint32_t length = 4u * (U8(12) >> 4);
  if (length < 20) Fail(DecodeCode::kBadLength, at_ + 12);
  return Transport(LayerKind::kTcp, std::clamp(length, 20u, remaining()));
}

LayerKind PacketParser::Udp() {
  if (!Need(8)) return LayerKind::kNone;
  const uint16_t source_port = U16(0);
  const uint16_t destination_port = U16(2);
  const uint16_t length = U16(4);
  const uint32_t at = at_;
  Transport(LayerKind::kUdp, 8);
  if (!view_->result_.ok()) return LayerKind::kNone;
  if (length >= 8) {
    Limit(length - 8u);
  } else if (length != 0) {  // 0: a jumbogram (RFC 2675, 4), or segmentation offload
    return Fail(DecodeCode::kBadLength, at + 4);
  }
  return FromUdpPorts(source_port, destination_port, gtp_u_ports_);
}

}  // namespace flowacct::packet
