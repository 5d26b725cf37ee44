// The kinds of headers that are found in packets, and where one lies.

#ifndef FLOWACCT_PACKET_LAYER_H_
#define FLOWACCT_PACKET_LAYER_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace flowacct::packet {

// X(kind, name, category, standard)
#define FLOWACCT_LAYER_KINDS(X)                                                          \
  X(kNone, "none", kStop, "")                                                            \
  /* Links: what a frame begins with, or what a tunnel carries. */                       \
  X(kEthernet, "ethernet", kLink, "IEEE 802.3")                                          \
  X(kFddi, "fddi", kLink, "ISO 9314-2")                                                  \
  X(kRadiotap, "radiotap", kLink, "radiotap.org")                                        \
  X(kIeee80211, "ieee80211", kLink, "IEEE 802.11")                                       \
  X(kLinuxSll, "linux_sll", kLink, "LINKTYPE_LINUX_SLL")                                 \
  X(kLinuxSll2, "linux_sll2", kLink, "LINKTYPE_LINUX_SLL2")                              \
  X(kBsdLoopback, "bsd_loopback", kLink, "LINKTYPE_NULL, LINKTYPE_LOOP")                 \
  X(kPpp, "ppp", kLink, "RFC 1661")                                                      \
  X(kPppHdlc, "ppp_hdlc", kLink, "RFC 1662")                                             \
  X(kCiscoHdlc, "cisco_hdlc", kLink, "RFC 1547, 4.3.1")                                  \
  X(kFrameRelay, "frame_relay", kLink, "RFC 2427")                                       \
  X(kNflog, "nflog", kLink, "LINKTYPE_NFLOG")                                            \
  X(kJuniperEthernet, "juniper_ethernet", kLink, "LINKTYPE_JUNIPER_ETHER")               \
  /* Between a link and the network layer. */                                            \
  X(kLlc, "llc", kTag, "IEEE 802.2, RFC 1042")                                           \
  X(kVlan, "vlan", kTag, "IEEE 802.1Q, 802.1ad")                                         \
  X(kMpls, "mpls", kTag, "RFC 3032: the whole label stack")                              \
  X(kPwControlWord, "pw_control_word", kTag, "RFC 4385")                                 \
  X(kPppoe, "pppoe", kTag, "RFC 2516")                                                   \
  X(kPbb, "pbb", kTag, "IEEE 802.1ah")                                                   \
  X(kVnTag, "vntag", kTag, "Cisco VN-tag")                                               \
  X(kETag, "etag", kTag, "IEEE 802.1BR")                                                 \
  X(kFabricPath, "fabricpath", kTag, "Cisco FabricPath")                                 \
  X(kCiscoMetadata, "cisco_metadata", kTag, "Cisco MetaData, EtherType 0x8909")          \
  X(kNsh, "nsh", kTag, "RFC 8300")                                                       \
  X(kMacsec, "macsec", kTag, "IEEE 802.1AE")                                             \
  X(kArp, "arp", kTag, "RFC 826")                                                        \
  /* Network. kIp stands for either until the version is read; it is never in a list. */ \
  X(kIp, "ip", kNetwork, "")                                                             \
  X(kIpv4, "ipv4", kNetwork, "RFC 791")                                                  \
  X(kIpv6, "ipv6", kNetwork, "RFC 8200")                                                 \
  X(kHopByHop, "hop_by_hop", kExtension, "RFC 8200, 4.3")                                \
  X(kDestinationOptions, "destination_options", kExtension, "RFC 8200, 4.6")             \
  X(kRouting, "routing", kExtension, "RFC 8200, 4.4; SRH: RFC 8754")                     \
  X(kFragment, "fragment", kExtension, "RFC 8200, 4.5")                                  \
  X(kMobility, "mobility", kExtension, "RFC 6275")                                       \
  X(kHip, "hip", kExtension, "RFC 7401")                                                 \
  X(kShim6, "shim6", kExtension, "RFC 5533")                                             \
  X(kAh, "ah", kExtension, "RFC 4302")                                                   \
  /* Transport. */                                                                       \
  X(kTcp, "tcp", kTransport, "RFC 9293")                                                 \
  X(kUdp, "udp", kTransport, "RFC 768")                                                  \
  X(kUdpLite, "udp_lite", kTransport, "RFC 3828")                                        \
  X(kSctp, "sctp", kTransport, "RFC 9260")                                               \
  X(kDccp, "dccp", kTransport, "RFC 4340")                                               \
  X(kIcmp, "icmp", kTransport, "RFC 792")                                                \
  X(kIcmpv6, "icmpv6", kTransport, "RFC 4443")                                           \
  X(kIgmp, "igmp", kTransport, "RFC 3376")                                               \
  X(kEsp, "esp", kTransport, "RFC 4303")                                                 \
  /* Tunnels. */                                                                         \
  X(kGre, "gre", kTunnel, "RFC 2784, 2890, 1701; version 1: RFC 2637")                   \
  X(kErspan, "erspan", kTunnel, "draft-foschiano-erspan")                                \
  X(kEtherIp, "etherip", kTunnel, "RFC 3378")                                            \
  X(kVxlan, "vxlan", kTunnel, "RFC 7348")                                                \
  X(kVxlanGpe, "vxlan_gpe", kTunnel, "draft-ietf-nvo3-vxlan-gpe")                        \
  X(kGeneve, "geneve", kTunnel, "RFC 8926")                                              \
  X(kGtpU, "gtpu", kTunnel, "3GPP TS 29.281")                                            \
  X(kGtpV0, "gtpv0", kTunnel, "3GPP TS 09.60")                                           \
  X(kL2tp, "l2tp", kTunnel, "RFC 2661")                                                  \
  X(kTeredo, "teredo", kTunnel, "RFC 4380")                                              \
  X(kAyiya, "ayiya", kTunnel, "draft-massar-v6ops-ayiya")                                \
  X(kCapwap, "capwap", kTunnel, "RFC 5415")

enum class LayerKind : uint8_t {
#define X(kind, name, category, standard) kind,
  FLOWACCT_LAYER_KINDS(X)
#undef X
};

inline constexpr size_t kLayerKindCount = 0
#define X(kind, name, category, standard) +1
    FLOWACCT_LAYER_KINDS(X)
#undef X
    ;

enum class LayerCategory : uint8_t { kStop, kLink, kTag, kNetwork, kExtension, kTransport, kTunnel };

struct LayerKindInfo {
  absl::string_view name;
  LayerCategory category;
  absl::string_view standard;
};

inline constexpr LayerKindInfo kLayerKinds[kLayerKindCount] = {
#define X(kind, name, category, standard) {name, LayerCategory::category, standard},
    FLOWACCT_LAYER_KINDS(X)
#undef X
};

inline absl::string_view LayerName(LayerKind kind) { return kLayerKinds[static_cast<size_t>(kind)].name; }
inline constexpr LayerCategory CategoryOf(LayerKind kind) { return kLayerKinds[static_cast<size_t>(kind)].category; }

// One header of a packet. It lies wholly within the captured octets.
struct Layer {
  LayerKind kind;
  uint32_t offset;  // of the header, from the start of the frame
  uint32_t length;  // of the header
  // Header and what it carries, as on the wire: IP's total length; else up to the end of what encloses it. It may
  // reach beyond the captured octets (a snapped packet), never into Ethernet's padding once an IP header was read.
  uint32_t extent;
};

}  // namespace flowacct::packet

#endif  // FLOWACCT_PACKET_LAYER_H_
