// What the first octets of a captured frame are: the LINKTYPE_ numbers that pcap and pcapng files carry.
//
// Standard: the registry at https://www.tcpdump.org/linktypes.html. The numbers are those of files; on some systems
// libpcap's DLT_ numbers differ (DLT_RAW is 12 or 14 where the file says 101), and both are rows here.
// Any number may be cast to LinkType: one without a row is parsed as nothing (kUnsupported), never a fault.

#ifndef FLOWACCT_PACKET_LINK_TYPE_H_
#define FLOWACCT_PACKET_LINK_TYPE_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/packet/layer.h"

namespace flowacct::packet {

// X(id, LINKTYPE_ number, name, the layer that a frame begins with)
#define FLOWACCT_LINK_TYPES(X)                                                       \
  X(kNull, 0, "null", kBsdLoopback)                                                  \
  X(kEthernet, 1, "ethernet", kEthernet)                                             \
  X(kPpp, 9, "ppp", kPpp)                                                            \
  X(kFddi, 10, "fddi", kFddi)                                                        \
  X(kDltRaw12, 12, "dlt_raw12", kIp) /* DLT_RAW of most systems, found in files */   \
  X(kDltRaw14, 14, "dlt_raw14", kIp) /* DLT_RAW of OpenBSD */                        \
  X(kPppHdlc, 50, "ppp_hdlc", kPppHdlc)                                              \
  X(kPppEther, 51, "ppp_ether", kPppoe)                                              \
  X(kRaw, 101, "raw", kIp)                                                           \
  X(kCiscoHdlc, 104, "c_hdlc", kCiscoHdlc)                                           \
  X(kIeee80211, 105, "ieee802_11", kIeee80211)                                       \
  X(kFrameRelay, 107, "frelay", kFrameRelay)                                         \
  X(kLoop, 108, "loop", kBsdLoopback)                                                \
  X(kLinuxSll, 113, "linux_sll", kLinuxSll)                                          \
  X(kIeee80211Radiotap, 127, "ieee802_11_radiotap", kRadiotap)                       \
  X(kJuniperEther, 178, "juniper_ether", kJuniperEthernet)                           \
  X(kIpv4, 228, "ipv4", kIpv4)                                                       \
  X(kIpv6, 229, "ipv6", kIpv6)                                                       \
  X(kNflog, 239, "nflog", kNflog)                                                    \
  X(kLinuxSll2, 276, "linux_sll2", kLinuxSll2)                                       \
  /* Not files' numbers: frames that begin higher up, as sFlow and IPFIX hand on. */ \
  X(kMpls, 0x10000, "mpls", kMpls)                                                   \
  X(kIeee8022, 0x10001, "ieee802_2", kLlc)

enum class LinkType : uint32_t {
#define X(id, number, name, layer) id = number,
  FLOWACCT_LINK_TYPES(X)
#undef X
};

struct LinkTypeInfo {
  LinkType type;
  absl::string_view name;
  LayerKind first_layer;
};

absl::Span<const LinkTypeInfo> LinkTypes();
// "ethernet"; empty for a number without a row.
absl::string_view LinkTypeName(LinkType type);
// kNone for a number without a row.
LayerKind FirstLayer(LinkType type);

}  // namespace flowacct::packet

#endif  // FLOWACCT_PACKET_LINK_TYPE_H_
