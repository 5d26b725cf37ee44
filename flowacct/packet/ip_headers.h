// Typed views of network and transport headers.
//
// Each borrows the header's octets (header_view.h). Field names are those of the standards named in layer.h.

#ifndef FLOWACCT_PACKET_IP_HEADERS_H_
#define FLOWACCT_PACKET_IP_HEADERS_H_

#include <cstdint>

#include "flowacct/base/ip_address.h"
#include "flowacct/packet/header_view.h"

namespace flowacct::packet {

class Ipv4View : public HeaderView {
 public:
  using HeaderView::HeaderView;
  uint8_t tos() const { return U8(1); }
  // As on the wire: zero with segmentation offload. IpLevel::ip_length has it resolved.
  uint16_t total_length() const { return U16(2); }
  uint16_t id() const { return U16(4); }
  bool dont_fragment() const { return (U8(6) & 0x40) != 0; }
  bool more_fragments() const { return (U8(6) & 0x20) != 0; }
  uint32_t fragment_offset() const { return 8u * (U16(6) & 0x1fff); }  // in octets
  uint8_t ttl() const { return U8(8); }
  uint8_t protocol() const { return U8(9); }
  uint16_t checksum() const { return U16(10); }
  base::IpAddress source() const { return base::IpAddress::FromV4(p() + 12); }
  base::IpAddress destination() const { return base::IpAddress::FromV4(p() + 16); }
  base::Octets options() const { return Rest(20); }
};

class Ipv6View : public HeaderView {
 public:
  using HeaderView::HeaderView;
  uint8_t traffic_class() const { return static_cast<uint8_t>(U16(0) >> 4); }
  uint32_t flow_label() const { return U32(0) & 0xfffff; }
  uint16_t payload_length() const { return U16(4); }
  uint8_t next_header() const { return U8(6); }
  uint8_t hop_limit() const { return U8(7); }
  base::IpAddress source() const { return base::IpAddress::FromV6(p() + 8); }
  base::IpAddress destination() const { return base::IpAddress::FromV6(p() + 24); }
};

// Hop-by-hop and destination options, routing, mobility, HIP and Shim6 headers.
class Ipv6ExtensionView : public HeaderView {
 public:
  using HeaderView::HeaderView;
  uint8_t next_header() const { return U8(0); }
  base::Octets body() const { return Rest(2); }
};

class RoutingView : public Ipv6ExtensionView {
 public:
  using Ipv6ExtensionView::Ipv6ExtensionView;
  static constexpr uint8_t kSegmentRouting = 4;  // RFC 8754, 2
  uint8_t routing_type() const { return U8(2); }
  uint8_t segments_left() const { return U8(3); }
  // Of a segment routing header. Segment 0 is the last of the path.
  uint8_t last_entry() const { return U8(4); }
  uint16_t tag() const { return U16(6); }
  size_t segments() const {
    const size_t there = (header_.size() - 8) / 16;
    return there < last_entry() + size_t{1} ? there : last_entry() + size_t{1};
  }
  base::IpAddress segment(size_t i) const { return base::IpAddress::FromV6(p() + 8 + 16 * i); }  // i < segments()
};

class Ipv6FragmentView : public HeaderView {
 public:
  using HeaderView::HeaderView;
  uint8_t next_header() const { return U8(0); }
  uint32_t fragment_offset() const { return U16(2) & 0xfff8u; }  // in octets
  bool more_fragments() const { return (U8(3) & 1) != 0; }
  uint32_t id() const { return U32(4); }
};

class AhView : public HeaderView {
 public:
  using HeaderView::HeaderView;
  uint8_t next_header() const { return U8(0); }
  uint32_t spi() const { return U32(4); }
  uint32_t sequence() const { return U32(8); }
};

class EspView : public HeaderView {
 public:
  using HeaderView::HeaderView;
  uint32_t spi() const { return U32(0); }
  uint32_t sequence() const { return U32(4); }
};

class TcpView : public HeaderView {
 public:
  using HeaderView::HeaderView;
  uint16_t source_port() const { return U16(0); }
  uint16_t destination_port() const { return U16(2); }
  uint32_t sequence() const { return U32(4); }
  uint32_t acknowledgement() const { return U32(8); }
  uint16_t control_bits() const { return U16(12) & 0x0fff; }  // as IPFIX's tcpControlBits: the reserved ones too
  uint16_t window() const { return U16(14); }
  uint16_t checksum() const { return U16(16); }
  base::Octets options() const { return Rest(20); }  // what was captured of them
};

// UDP and UDP-Lite (whose length is its checksum coverage).
class UdpView : public HeaderView {
 public:
  using HeaderView::HeaderView;
  uint16_t source_port() const { return U16(0); }
  uint16_t destination_port() const { return U16(2); }
  uint16_t length() const { return U16(4); }
  uint16_t checksum() const { return U16(6); }
};

class SctpView : public HeaderView {
 public:
  using HeaderView::HeaderView;
  uint16_t source_port() const { return U16(0); }
  uint16_t destination_port() const { return U16(2); }
  uint32_t verification_tag() const { return U32(4); }
};

// ICMP and ICMPv6.
class IcmpView : public HeaderView {
 public:
  using HeaderView::HeaderView;
  uint8_t type() const { return U8(0); }
  uint8_t code() const { return U8(1); }
  uint16_t checksum() const { return U16(2); }
};

}  // namespace flowacct::packet

#endif  // FLOWACCT_PACKET_IP_HEADERS_H_
