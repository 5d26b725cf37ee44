// What the TLVs of one LSP tell, decoded: the value that goes from IS-IS to the topology.
//
// Standards: ISO 10589 (areas, narrow neighbours), RFC 1195 (IP), 5120 (multi-topology), 5301 (host names), 5302
// (up/down), 5305 and 5308 (wide metrics, IPv6), 5307 (link identifiers), 7981 (router capability), 7794 (prefix
// attributes), 8667 (segment routing), 6232 (purge originator), 7176 (TRILL). What is not decoded stays as raw TLVs, in
// their order; sub-TLVs that are not decoded are in the octets of the LSP alone. Ownership: values; the lists keep
// their room when an LspContent is used again. Threads: one at a time. Errors: the first one is the DecodeResult. A TLV
// that reaches beyond the LSP ends the reading; of one that lies within itself, what stood before the lie is kept, the
// whole is among the raw TLVs, and the next TLV is read, as routers do. Bounds: an LSP of 64 KiB gives at most 64 Ki
// values. Cost: one pass over the octets.

#ifndef FLOWACCT_ISIS_LSP_CONTENT_H_
#define FLOWACCT_ISIS_LSP_CONTENT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "flowacct/base/decode_result.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/base/octets.h"
#include "flowacct/isis/identifiers.h"
#include "flowacct/isis/pdu_view.h"
#include "flowacct/isis/trill.h"

namespace flowacct::isis {

// ISO 10589, 7.2.9: narrow links of more are not used; RFC 5305, 3 and 4: wide links of 2^24-1 are not used by SPF, and
// prefixes of more than 0xFE000000 neither.
inline constexpr uint32_t kMaxLinkMetric = 0xffffff, kMaxPathMetric = 0xfe000000;

// RFC 8667, 2.2: flags as they lie; `value` is an index into the block, or a label if the flags say so.
struct SegmentId {
  uint8_t flags = 0, algorithm_or_weight = 0;
  uint32_t value = 0;
};

struct Neighbor {
  TopologyNumber topology = kStandardTopology;
  NodeId node;
  uint32_t metric = 0;
  bool wide = false;
  base::IpAddress local_address, remote_address;  // unspecified where the LSP has none; the first of each
  base::IpAddress local_address_v6, remote_address_v6;
  uint32_t local_link_id = 0, remote_link_id = 0;  // RFC 5307, 1.1
  std::optional<uint32_t> administrative_group, te_metric;
  std::optional<float> max_bandwidth, max_reservable_bandwidth;  // octets per second
  std::vector<SegmentId> adjacency_sids;
  std::optional<LinkMtu> mtu;  // of TRILL
};

struct Reachability {
  TopologyNumber topology = kStandardTopology;
  base::IpPrefix prefix;
  uint32_t metric = 0;
  bool wide = false;
  bool down = false;                       // RFC 5302: leaked from level 2 into level 1
  bool external = false;                   // from another protocol
  bool external_metric = false;            // RFC 1195, 3.10.2: narrow metrics that count after all internal ones
  std::optional<uint32_t> tag;             // RFC 5130, the first
  std::optional<uint8_t> attribute_flags;  // RFC 7794: X, R, N
  std::optional<base::IpAddress> source_router_id;
  std::vector<SegmentId> prefix_sids;
};

struct TopologyMembership {  // RFC 5120, 7.1
  TopologyNumber topology = 0;
  bool overload = false, attached = false;
};

struct LabelRange {  // RFC 8667, 3.1
  uint32_t first = 0, size = 0;
};

struct RouterCapability {  // RFC 7981; of TRILL also TLV 144, which has a topology instead of a router id
  TopologyNumber topology = kStandardTopology;
  base::IpAddress router_id;
  uint8_t flags = 0;
  std::vector<LabelRange> segment_routing_blocks, segment_routing_local_blocks;
  std::vector<uint8_t> algorithms;
  bool segment_routing_v4 = false, segment_routing_v6 = false;
  TrillSwitch trill;
};

// RFC 7981, 2: the flags of the capability TLV. RFC 7794, 2.1: those of a prefix.
inline constexpr uint8_t kCapabilityDown = 0x02, kCapabilityFloodDomain = 0x01;
inline constexpr uint8_t kPrefixExternal = 0x80, kPrefixReadvertised = 0x40, kPrefixNode = 0x20;
// RFC 8667, 2.1 and 2.2: the value is no index, of prefixes and of adjacencies.
inline constexpr uint8_t kPrefixSidIsValue = 0x08, kAdjacencySidIsValue = 0x20;

struct LspContent {
  std::vector<AreaAddress> areas;
  std::vector<uint8_t> protocols;  // NLPIDs: 0xCC IPv4, 0x8E IPv6, 0xC0 TRILL
  std::string hostname;
  std::vector<TopologyMembership> topologies;  // none said: the standard topology alone
  std::vector<base::IpAddress> interface_addresses;
  std::optional<base::IpAddress> router_id, router_id_v6;
  std::vector<Neighbor> neighbors;
  std::vector<Reachability> prefixes;
  std::vector<RouterCapability> capabilities;
  std::vector<GroupMembership> groups;                     // of TRILL
  std::optional<SystemId> purge_originator, purge_source;  // who purged; from whom that one had it
  std::vector<RawTlv> others;

  void Clear();
};

// `tlvs`: an LSP's octets behind its header. Offsets of errors count from there.
base::DecodeResult ReadLspContent(base::Octets tlvs, LspContent* content);

// The values of TLVs that hellos have as well; `offset` of the value is added to those of errors.
base::DecodeResult ReadAreaAddresses(base::Octets value, size_t offset, std::vector<AreaAddress>* areas);
base::DecodeResult ReadAddresses(base::Octets value, bool v4, size_t offset, std::vector<base::IpAddress>* addresses);
base::DecodeResult ReadTopologies(base::Octets value, size_t offset, std::vector<TopologyMembership>* topologies);

}  // namespace flowacct::isis

#endif  // FLOWACCT_ISIS_LSP_CONTENT_H_
