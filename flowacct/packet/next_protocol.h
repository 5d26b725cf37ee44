// What follows a header: the tables from the numbers that headers carry to the layer that they announce. To make one
// more protocol known is to add a row here and its parser in parse_*.cc.
//
// Internal to the room. Standards: IEEE 802 numbers, IANA protocol numbers, PPP numbers and service names registries.

#ifndef FLOWACCT_PACKET_NEXT_PROTOCOL_H_
#define FLOWACCT_PACKET_NEXT_PROTOCOL_H_

#include <cstdint>

#include "absl/types/span.h"
#include "flowacct/packet/layer.h"

namespace flowacct::packet {

// X(EtherType, layer). Also what GRE, GENEVE, SNAP, Cisco HDLC and the cooked links carry.
#define FLOWACCT_ETHER_TYPES(X)                              \
  X(0x0800, kIpv4)                                           \
  X(0x0806, kArp)                                            \
  X(0x8100, kVlan)                                           \
  X(0x86dd, kIpv6)                                           \
  X(0x8847, kMpls)                                           \
  X(0x8848, kMpls)  /* upstream-assigned labels, RFC 5332 */ \
  X(0x8864, kPppoe) /* session stage */                      \
  X(0x880b, kPpp)   /* in GRE version 1, RFC 2637 */         \
  X(0x8870, kLlc)   /* jumbo frames */                       \
  X(0x88a8, kVlan)  /* 802.1ad service tag */                \
  X(0x9100, kVlan)  /* QinQ before 802.1ad */                \
  X(0x9200, kVlan)  /* the same */                           \
  X(0x9300, kVlan)  /* the same */                           \
  X(0x88e5, kMacsec)                                         \
  X(0x88e7, kPbb)                                            \
  X(0x8903, kFabricPath)                                     \
  X(0x8909, kCiscoMetadata)                                  \
  X(0x8926, kVnTag)                                          \
  X(0x893f, kETag)                                           \
  X(0x894f, kNsh)                                            \
  X(0x6558, kEthernet) /* transparent bridging, RFC 1701 */

// X(IP protocol, layer, only after an IPv6 header)
#define FLOWACCT_IP_PROTOCOLS(X)                     \
  X(0, kHopByHop, true)                              \
  X(1, kIcmp, false)                                 \
  X(2, kIgmp, false)                                 \
  X(4, kIpv4, false)                                 \
  X(6, kTcp, false)                                  \
  X(17, kUdp, false)                                 \
  X(33, kDccp, false)                                \
  X(41, kIpv6, false)                                \
  X(43, kRouting, true)                              \
  X(44, kFragment, true)                             \
  X(47, kGre, false)                                 \
  X(50, kEsp, false)                                 \
  X(51, kAh, false)                                  \
  X(58, kIcmpv6, false)                              \
  X(60, kDestinationOptions, true)                   \
  X(94, kIpv4, false) /* IPIP as KA9Q numbered it */ \
  X(97, kEtherIp, false)                             \
  X(132, kSctp, false)                               \
  X(135, kMobility, true)                            \
  X(136, kUdpLite, false)                            \
  X(137, kMpls, false) /* RFC 4023 */                \
  X(139, kHip, true)                                 \
  X(140, kShim6, true)                               \
  X(143, kEthernet, false) /* RFC 8986, 10.1 */      \
  X(145, kNsh, false)

// X(UDP port, layer, also as the source port). A port is a hint: what does not look like the tunnel is payload.
#define FLOWACCT_UDP_TUNNELS(X)         \
  X(1701, kL2tp, true)                  \
  X(2152, kGtpU, true)                  \
  X(3386, kGtpV0, true)                 \
  X(3544, kTeredo, true)                \
  X(4789, kVxlan, false)                \
  X(4790, kVxlanGpe, false)             \
  X(5072, kAyiya, true)                 \
  X(5247, kCapwap, true)                \
  X(6081, kGeneve, false)               \
  X(6635, kMpls, false)  /* RFC 7510 */ \
  X(8472, kVxlan, false) /* Linux before IANA gave 4789 */

// X(PPP protocol, layer)
#define FLOWACCT_PPP_PROTOCOLS(X) \
  X(0x0021, kIpv4)                \
  X(0x0057, kIpv6)                \
  X(0x0281, kMpls)                \
  X(0x0283, kMpls)

// X(next protocol of NSH (RFC 8300, 2.2) and VXLAN-GPE, layer)
#define FLOWACCT_NSH_PROTOCOLS(X) \
  X(1, kIpv4)                     \
  X(2, kIpv6)                     \
  X(3, kEthernet)                 \
  X(4, kNsh)                      \
  X(5, kMpls)

inline LayerKind FromEtherType(uint16_t ether_type) {
  switch (ether_type) {
#define X(number, layer) \
  case number:           \
    return LayerKind::layer;
    FLOWACCT_ETHER_TYPES(X)
#undef X
    default:
      return LayerKind::kNone;
  }
}

// For next headers of IPv4 and IPv6.
inline LayerKind FromIpProtocol(uint8_t protocol, bool ipv6) {
  switch (protocol) {
#define X(number, layer, only_ipv6) \
  case number:                      \
    return only_ipv6 && !ipv6 ? LayerKind::kNone : LayerKind::layer;
    FLOWACCT_IP_PROTOCOLS(X)
#undef X
    default:
      return LayerKind::kNone;
  }
}

inline LayerKind FromUdpPorts(uint16_t source, uint16_t destination) {
  switch (destination) {
#define X(port, layer, source_too) \
  case port:                       \
    return LayerKind::layer;
    FLOWACCT_UDP_TUNNELS(X)
#undef X
    default:
      break;
  }
  switch (source) {
#define X(port, layer, source_too) \
  case port:                       \
    return source_too ? LayerKind::layer : LayerKind::kNone;
    FLOWACCT_UDP_TUNNELS(X)
#undef X
    default:
      return LayerKind::kNone;
  }
}

// `gtp_u_ports` go before the table.
inline LayerKind FromUdpPorts(uint16_t source, uint16_t destination, absl::Span<const uint16_t> gtp_u_ports) {
  for (const uint16_t port : gtp_u_ports) {
    if (port == source || port == destination) return LayerKind::kGtpU;
  }
  return FromUdpPorts(source, destination);
}

// GTP-C, and GTPv0 with GTP': ports of messages that no layer reads.
inline bool IsGtpControlPort(uint16_t port) { return port == 2123 || port == 3386; }

inline LayerKind FromPppProtocol(uint16_t protocol) {
  switch (protocol) {
#define X(number, layer) \
  case number:           \
    return LayerKind::layer;
    FLOWACCT_PPP_PROTOCOLS(X)
#undef X
    default:
      return LayerKind::kNone;
  }
}

inline LayerKind FromNshProtocol(uint8_t protocol) {
  switch (protocol) {
#define X(number, layer) \
  case number:           \
    return LayerKind::layer;
    FLOWACCT_NSH_PROTOCOLS(X)
#undef X
    default:
      return LayerKind::kNone;
  }
}

}  // namespace flowacct::packet

#endif  // FLOWACCT_PACKET_NEXT_PROTOCOL_H_
