// BGP-LS: what NLRI of link state name (a node, a link, a prefix), and what the BGP-LS attribute says of it.
//
//     for (const NlriSection& section : update.announced()) {
//       if (section.afi != kAfiLinkState) continue;
//       VisitLinkStateNlri(section.octets, section.safi == kSafiLinkStateVpn, section.add_path,
//                          [&](const base::DecodeResult& result, const LinkStateNlri& nlri) { ... });
//     }
//
// Standards: RFC 9552 (NLRI 5.2, attribute 5.3, what is malformed 8.2.2; code points 8), RFC 9085 (segment routing,
// indexes alone). TLVs that are not named here are passed over, as 5.1 asks; within an NLRI they must be in order, and
// those that describe a node come once each (5.1, 8.2.2). Guaranteed: every octet is read within bounds. Ownership:
// borrows the octets. Threads: any. Errors: kTruncated, kBadLength, kBadValue, kUnsupported (a type of NLRI that has no
// row) with the offset: the NLRI is to be left, and those behind it read ("NLRI discard"); an attribute is to be left
// whole ("attribute discard"). Cost: one pass; the attribute's lists allocate.

#ifndef FLOWACCT_BGP_LINK_STATE_H_
#define FLOWACCT_BGP_LINK_STATE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/base/octets.h"

namespace flowacct::bgp {

inline constexpr uint16_t kAfiLinkState = 16388;
inline constexpr uint8_t kSafiLinkState = 71, kSafiLinkStateVpn = 72;

enum class LinkStateType : uint16_t { kNode = 1, kLink = 2, kIpv4Prefix = 3, kIpv6Prefix = 4 };

// Where it was learned (RFC 9552, 8.3.2).
// number, name, text
#define FLOWACCT_BGP_LINK_STATE_PROTOCOLS(X) \
  X(1, kIsisLevel1, "isis_level_1")          \
  X(2, kIsisLevel2, "isis_level_2")          \
  X(3, kOspfV2, "ospf_v2")                   \
  X(4, kDirect, "direct")                    \
  X(5, kStatic, "static")                    \
  X(6, kOspfV3, "ospf_v3")                   \
  X(7, kBgp, "bgp")

enum class LinkStateProtocol : uint8_t {
#define X(number, name, text) name = number,
  FLOWACCT_BGP_LINK_STATE_PROTOCOLS(X)
#undef X
};
absl::string_view LinkStateProtocolName(LinkStateProtocol protocol);  // "isis_level_2"; "unknown"

// RFC 9552, 5.2.1.4.
struct LinkStateNode {
  std::optional<uint32_t> as, bgp_ls_identifier, ospf_area;
  // IS-IS: a system identifier, with the pseudonode's octet if it is one; OSPF: a router identifier, with the
  // designated router's address if it is a pseudonode.
  std::array<uint8_t, 8> router_id{};
  uint8_t router_id_size = 0;

  friend bool operator==(const LinkStateNode& a, const LinkStateNode& b) {
    return a.as == b.as && a.bgp_ls_identifier == b.bgp_ls_identifier && a.ospf_area == b.ospf_area &&
           a.router_id_size == b.router_id_size && a.router_id == b.router_id;
  }
};

struct LinkStateNlri {
  LinkStateType type = LinkStateType::kNode;
  LinkStateProtocol protocol = LinkStateProtocol::kDirect;
  uint64_t identifier = 0;  // of the instance of the protocol
  uint64_t rd = 0;          // of VPNs
  LinkStateNode local;
  // Links.
  LinkStateNode remote;
  uint32_t local_id = 0, remote_id = 0;
  base::IpAddress interface_v4, neighbor_v4, interface_v6, neighbor_v6;  // unspecified if not said
  // Links and prefixes: RFC 5120's number.
  uint16_t topology = 0;
  // Prefixes.
  base::IpPrefix prefix;
  uint8_t ospf_route_type = 0;

  base::Octets octets;  // the NLRI whole: equal octets are the same object
};

// RFC 9552, 5.3.1.1 and 5.3.3.1.
inline constexpr uint8_t kLinkStateOverload = 0x80, kLinkStateAttached = 0x40, kLinkStatePrefixDown = 0x80;

struct LinkStateAttribute {
  uint8_t node_flags = 0;
  absl::string_view node_name;  // borrowed
  std::vector<base::Octets> isis_areas;
  std::vector<uint16_t> topologies;
  std::optional<base::IpAddress> local_router_id, local_router_id_v6, remote_router_id, remote_router_id_v6;

  std::optional<uint32_t> administrative_group, te_metric, igp_metric;
  std::optional<float> max_bandwidth;  // octets per second
  std::vector<uint32_t> shared_risk_groups;
  absl::string_view link_name;  // borrowed

  uint8_t prefix_flags = 0;
  std::optional<uint32_t> prefix_metric, route_tag, prefix_segment_index;
};

// The first NLRI of `octets`. *size: its octets, whether the result is ok or not; 0 if that cannot be said.
base::DecodeResult ReadLinkStateNlri(base::Octets octets, bool vpn, LinkStateNlri* nlri, size_t* size);

// visit(const base::DecodeResult&, const LinkStateNlri&) for each NLRI of a run, as long as their lengths are right,
// which DecodeUpdate has checked (update.h). Returns whether they are. Without ok() the NLRI says nothing.
template <typename Visitor>
bool VisitLinkStateNlri(base::Octets octets, bool vpn, bool add_path, Visitor&& visit) {
  while (!octets.empty()) {
    const size_t path_id = add_path ? 4 : 0;  // RFC 7911, 3
    if (octets.size() < path_id) return false;
    LinkStateNlri nlri;
    size_t size;
    const base::DecodeResult result = ReadLinkStateNlri(octets.subspan(path_id), vpn, &nlri, &size);
    if (size == 0) return false;
    visit(result, static_cast<const LinkStateNlri&>(nlri));
    octets = octets.subspan(path_id + size);
  }
  return true;
}

// `value`: of path attribute 29.
base::DecodeResult ReadLinkStateAttribute(base::Octets value, LinkStateAttribute* attribute);

}  // namespace flowacct::bgp

#endif  // FLOWACCT_BGP_LINK_STATE_H_
