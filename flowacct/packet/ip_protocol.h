// What the first octets of a transport header hold, by IP protocol: all that accounting asks of it.
//
// Internal to the room.

#ifndef FLOWACCT_PACKET_IP_PROTOCOL_H_
#define FLOWACCT_PACKET_IP_PROTOCOL_H_

#include <cstddef>
#include <cstdint>

#include "flowacct/packet/next_protocol.h"

namespace flowacct::packet {

struct TransportClass {
  bool ports = false;       // source and destination port in the first four octets
  bool tcp = false;         // control bits in octets 12 and 13
  bool icmp = false;        // type and code in the first two octets
  bool may_tunnel = false;  // carries another packet without asking a port
  bool extension = false;   // after IPv6: an extension header
};

constexpr TransportClass MakeTransportClass(LayerKind kind, bool only_ipv6) {
  TransportClass c;
  switch (kind) {
    case LayerKind::kTcp:
      c.ports = c.tcp = true;
      break;
    case LayerKind::kUdp:
    case LayerKind::kUdpLite:
    case LayerKind::kSctp:
    case LayerKind::kDccp:
      c.ports = true;
      break;
    case LayerKind::kIcmp:
    case LayerKind::kIcmpv6:
      c.icmp = true;
      break;
    case LayerKind::kIgmp:
    case LayerKind::kEsp:
      break;
    default:
      c.may_tunnel = !only_ipv6;
      c.extension = CategoryOf(kind) == LayerCategory::kExtension;
  }
  return c;
}

struct TransportClasses {
  TransportClass by_protocol[256];
  constexpr TransportClasses() : by_protocol{} {
#define X(number, layer, only_ipv6) by_protocol[number] = MakeTransportClass(LayerKind::layer, only_ipv6);
    FLOWACCT_IP_PROTOCOLS(X)
#undef X
  }
};

inline constexpr TransportClasses kTransportClasses;

inline TransportClass TransportClassOf(uint8_t protocol) { return kTransportClasses.by_protocol[protocol]; }

// How many octets of the transport header accounting reads.
inline size_t TransportOctets(TransportClass c) { return c.tcp ? 14 : c.ports ? 4 : c.icmp ? 2 : 0; }

}  // namespace flowacct::packet

#endif  // FLOWACCT_PACKET_IP_PROTOCOL_H_
