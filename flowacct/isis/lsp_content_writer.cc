#include "flowacct/isis/lsp_content_writer.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "flowacct/base/octet_writer.h"
#include "flowacct/isis/tlv_types.h"

namespace flowacct::isis {

using base::IpAddress;
using base::Octets;
using base::OctetWriter;

namespace {

constexpr uint8_t kNarrowExternal = 0x40, kNarrowDown = 0x80, kNarrowUnsupported = 0x80, kMaxNarrowMetric = 0x3f;
constexpr uint8_t kDown = 0x80, kV4SubTlvs = 0x40, kV6External = 0x40, kV6SubTlvs = 0x20;
constexpr uint32_t kMaxLabel = 0xfffff;
constexpr uint8_t kMtuFailed = 0x80;

void PutSub(uint8_t type, Octets value, OctetWriter* out) {
  out->U8(type).U8(static_cast<uint8_t>(value.size())).Bytes(value);
}

void PutSubNumber(uint8_t type, uint64_t value, size_t size, OctetWriter* out) {
  out->U8(type).U8(static_cast<uint8_t>(size)).Number(value, size);
}

void PutSubAddress(uint8_t v4_type, uint8_t v6_type, const IpAddress& address, OctetWriter* out) {
  if (address == IpAddress()) return;
  if (address.IsV4()) {
    PutSubNumber(v4_type, address.v4(), 4, out);
  } else {
    PutSub(v6_type, address.octets(), out);
  }
}

uint32_t BitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

void PutSid(uint8_t type, const SegmentId& sid, uint8_t value_flag, OctetWriter* out) {
  const size_t size = (sid.flags & value_flag) != 0 ? 3 : 4;
  out->U8(type).U8(static_cast<uint8_t>(2 + size)).U8(sid.flags).U8(sid.algorithm_or_weight).Number(sid.value, size);
}

void PutNode(const NodeId& node, OctetWriter* out) { out->Bytes(node.system.octets).U8(node.pseudonode); }

// Of a topology other than the standard one.
std::vector<uint8_t> TopologyHead(TopologyNumber topology) {
  return {static_cast<uint8_t>(topology >> 8 & 0x0f), static_cast<uint8_t>(topology)};
}

// A list of ranges behind their flags.
void PutLabelRanges(uint8_t type, uint8_t flags, const std::vector<LabelRange>& ranges, OctetWriter* out) {
  OctetWriter value;
  value.U8(flags);
  for (const LabelRange& range : ranges) {
    value.U24(range.size);
    PutSubNumber(kSubTlvSidLabel, range.first, range.first > kMaxLabel ? 4 : 3, &value);
  }
  PutSub(type, value.octets(), out);
}

}  // namespace

bool AddNeighbor(const Neighbor& neighbor, PduWriter* writer) {
  OctetWriter out;
  if (!neighbor.wide) {
    out.U8(static_cast<uint8_t>(std::min<uint32_t>(neighbor.metric, kMaxNarrowMetric)));
    out.U8(kNarrowUnsupported).U8(kNarrowUnsupported).U8(kNarrowUnsupported);
    PutNode(neighbor.node, &out);
    const uint8_t is_virtual = 0;
    return writer->AddItem(kTlvIsNeighbors, out.octets(), Octets(&is_virtual, 1));
  }
  OctetWriter subs;
  if (neighbor.administrative_group) {
    PutSubNumber(kSubTlvAdministrativeGroup, *neighbor.administrative_group, 4, &subs);
  }
  if (neighbor.local_link_id != 0 || neighbor.remote_link_id != 0) {
    PutSubNumber(kSubTlvLinkIdentifiers, uint64_t{neighbor.local_link_id} << 32 | neighbor.remote_link_id, 8, &subs);
  }
  for (const IpAddress* address : {&neighbor.local_address, &neighbor.local_address_v6}) {
    PutSubAddress(kSubTlvIpv4InterfaceAddress, kSubTlvIpv6InterfaceAddress, *address, &subs);
  }
  for (const IpAddress* address : {&neighbor.remote_address, &neighbor.remote_address_v6}) {
    PutSubAddress(kSubTlvIpv4NeighborAddress, kSubTlvIpv6NeighborAddress, *address, &subs);
  }
  if (neighbor.max_bandwidth) PutSubNumber(kSubTlvMaximumBandwidth, BitsOf(*neighbor.max_bandwidth), 4, &subs);
  if (neighbor.max_reservable_bandwidth) {
    PutSubNumber(kSubTlvMaximumReservableBandwidth, BitsOf(*neighbor.max_reservable_bandwidth), 4, &subs);
  }
  if (neighbor.te_metric) PutSubNumber(kSubTlvTeDefaultMetric, *neighbor.te_metric, 3, &subs);
  if (neighbor.mtu) {
    PutSubNumber(kSubTlvMtu, (neighbor.mtu->failed ? uint64_t{kMtuFailed} : 0) << 16 | neighbor.mtu->octets, 3, &subs);
  }
  for (const SegmentId& sid : neighbor.adjacency_sids) PutSid(kSubTlvAdjacencySid, sid, kAdjacencySidIsValue, &subs);
  if (subs.size() > 255) return false;
  PutNode(neighbor.node, &out);
  out.U24(neighbor.metric).U8(static_cast<uint8_t>(subs.size())).Bytes(subs.octets());
  if (neighbor.topology == kStandardTopology) return writer->AddItem(kTlvExtendedIsReachability, out.octets());
  return writer->AddItem(kTlvMtIsReachability, out.octets(), TopologyHead(neighbor.topology));
}

bool AddReachability(const Reachability& reachability, PduWriter* writer) {
  const IpAddress& address = reachability.prefix.address();
  const bool v4 = address.IsV4();
  const uint8_t length = reachability.prefix.length();
  OctetWriter out;
  if (!reachability.wide && v4) {
    out.U8(static_cast<uint8_t>(std::min<uint32_t>(reachability.metric, kMaxNarrowMetric) |
                                (reachability.down ? kNarrowDown : 0) |
                                (reachability.external_metric ? kNarrowExternal : 0)));
    out.U8(kNarrowUnsupported).U8(kNarrowUnsupported).U8(kNarrowUnsupported).U32(address.v4());
    out.U32(length == 0 ? 0 : ~uint32_t{0} << (32 - length));
    return writer->AddItem(reachability.external ? kTlvIpExternalReachability : kTlvIpInternalReachability,
                           out.octets());
  }
  OctetWriter subs;
  if (reachability.tag) PutSubNumber(kSubTlvTag32, *reachability.tag, 4, &subs);
  for (const SegmentId& sid : reachability.prefix_sids) PutSid(kSubTlvPrefixSid, sid, kPrefixSidIsValue, &subs);
  std::optional<uint8_t> flags = reachability.attribute_flags;
  if (v4 && reachability.external) flags = flags.value_or(0) | kPrefixExternal;
  if (flags) PutSubNumber(kSubTlvPrefixAttributeFlags, *flags, 1, &subs);
  if (reachability.source_router_id) {
    PutSubAddress(kSubTlvIpv4SourceRouterId, kSubTlvIpv6SourceRouterId, *reachability.source_router_id, &subs);
  }
  if (subs.size() > 255) return false;
  uint8_t control = reachability.down ? kDown : 0;
  if (subs.size() > 0) control |= v4 ? kV4SubTlvs : kV6SubTlvs;
  if (!v4 && reachability.external) control |= kV6External;
  out.U32(reachability.metric);
  if (v4) {
    out.U8(control | length);
  } else {
    out.U8(control).U8(length);
  }
  out.Bytes(address.octets().subspan(v4 ? 12 : 0, (length + 7u) / 8));
  if (subs.size() > 0) out.U8(static_cast<uint8_t>(subs.size())).Bytes(subs.octets());
  if (reachability.topology == kStandardTopology) {
    return writer->AddItem(v4 ? kTlvExtendedIpReachability : kTlvIpv6Reachability, out.octets());
  }
  return writer->AddItem(v4 ? kTlvMtIpReachability : kTlvMtIpv6Reachability, out.octets(),
                         TopologyHead(reachability.topology));
}

bool AddCapability(const RouterCapability& capability, PduWriter* writer) {
  OctetWriter out;
  const bool standard = capability.topology == kStandardTopology;
  if (standard) {
    out.U32(capability.router_id.IsV4() ? capability.router_id.v4() : 0).U8(capability.flags);
  } else {
    out.Bytes(TopologyHead(capability.topology));
  }
  if (standard) {
    if (!capability.segment_routing_blocks.empty()) {
      PutLabelRanges(
          kSubTlvSegmentRouting,
          static_cast<uint8_t>((capability.segment_routing_v4 ? 0x80 : 0) | (capability.segment_routing_v6 ? 0x40 : 0)),
          capability.segment_routing_blocks, &out);
    }
    if (!capability.algorithms.empty()) PutSub(kSubTlvSegmentRoutingAlgorithm, capability.algorithms, &out);
    if (!capability.segment_routing_local_blocks.empty()) {
      PutLabelRanges(kSubTlvSegmentRoutingLocalBlock, 0, capability.segment_routing_local_blocks, &out);
    }
  }
  WriteTrillSubTlvs(capability.trill, &out);
  return writer->Add(standard ? kTlvRouterCapability : kTlvMtCapability, out.octets());
}

bool AddLspContent(const LspContent& content, PduWriter* writer) {
  bool fits = writer->AddAreas(content.areas);
  if (!content.protocols.empty()) fits = fits && writer->AddProtocols(content.protocols);
  if (!content.hostname.empty()) fits = fits && writer->AddHostname(content.hostname);
  fits =
      fits && writer->AddTopologies(content.topologies) && writer->AddInterfaceAddresses(content.interface_addresses);
  if (content.router_id) fits = fits && writer->Add(kTlvTeRouterId, content.router_id->octets().subspan(12));
  if (content.router_id_v6) fits = fits && writer->Add(kTlvIpv6TeRouterId, content.router_id_v6->octets());
  for (const Neighbor& neighbor : content.neighbors) fits = fits && AddNeighbor(neighbor, writer);
  for (const Reachability& reachability : content.prefixes) fits = fits && AddReachability(reachability, writer);
  for (const RouterCapability& capability : content.capabilities) fits = fits && AddCapability(capability, writer);
  for (const GroupMembership& group : content.groups) {
    OctetWriter value;
    WriteGroupMembership(group, &value);
    fits = fits && writer->Add(kTlvGroupAddress, value.octets());
  }
  if (content.purge_originator) {
    OctetWriter value;
    value.U8(content.purge_source ? 2 : 1).Bytes(content.purge_originator->octets);
    if (content.purge_source) value.Bytes(content.purge_source->octets);
    fits = fits && writer->Add(kTlvPurgeOriginator, value.octets());
  }
  for (const RawTlv& tlv : content.others) fits = fits && writer->Add(tlv.type, tlv.value);
  return fits;
}

}  // namespace flowacct::isis
