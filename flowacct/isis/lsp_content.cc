#include "flowacct/isis/lsp_content.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "flowacct/base/octet_reader.h"
#include "flowacct/isis/pdu_view.h"
#include "flowacct/isis/tlv_types.h"

namespace flowacct::isis {

using base::DecodeCode;
using base::DecodeResult;
using base::IpAddress;
using base::IpPrefix;
using base::LoadBe16;
using base::LoadBe24;
using base::LoadBe32;
using base::OctetReader;
using base::Octets;

namespace {

constexpr uint16_t kTopologyOverload = 0x8000, kTopologyAttached = 0x4000, kTopologyMask = 0x0fff;  // RFC 5120, 7.1
constexpr uint8_t kNarrowMetric = 0x3f, kNarrowExternal = 0x40, kNarrowDown = 0x80;                 // RFC 5302, 2
constexpr uint8_t kWideDown = 0x80, kWideSubTlvs = 0x40, kWideLength = 0x3f;                        // RFC 5305, 4
constexpr uint8_t kV6Down = 0x80, kV6External = 0x40, kV6SubTlvs = 0x20;                            // RFC 5308, 2
constexpr size_t kNarrowNeighborSize = 11, kNarrowPrefixSize = 12;
constexpr uint32_t kLabelMask = 0xfffff;
constexpr uint8_t kMtuFailed = 0x80;  // RFC 7176, 2.4

DecodeResult BadLength(size_t at) { return DecodeResult::Error(DecodeCode::kBadLength, at); }
DecodeResult BadValue(size_t at) { return DecodeResult::Error(DecodeCode::kBadValue, at); }

NodeId LoadNode(const uint8_t* p) {
  NodeId node;
  std::memcpy(node.system.octets.data(), p, 6);
  node.pseudonode = p[6];
  return node;
}

SystemId LoadSystem(const uint8_t* p) {
  SystemId system;
  std::memcpy(system.octets.data(), p, 6);
  return system;
}

float LoadFloat(const uint8_t* p) {
  const uint32_t bits = LoadBe32(p);
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

// An index of four octets or a label in the low 20 bits of three (RFC 8667, 2.1.1.1); nothing of other lengths.
std::optional<uint32_t> LoadSid(Octets octets) {
  if (octets.size() == 4) return LoadBe32(octets.data());
  if (octets.size() == 3) return LoadBe24(octets.data()) & kLabelMask;
  return std::nullopt;
}

// Everything of one TLV is read through this: where it lies in the LSP is known, so that errors can say it.
struct Reading {
  Octets value;
  size_t offset;  // of the value in the TLVs

  DecodeResult At(DecodeResult (*error)(size_t), size_t at) const { return error(offset + at); }
};

void ReadNeighborSubTlv(const Tlv& sub, Neighbor* neighbor) {
  const uint8_t* p = sub.value.data();
  const size_t size = sub.value.size();
  switch (sub.type) {
    case kSubTlvAdministrativeGroup:
      if (size == 4) neighbor->administrative_group = LoadBe32(p);
      break;
    case kSubTlvLinkIdentifiers:
      if (size != 8) break;
      neighbor->local_link_id = LoadBe32(p);
      neighbor->remote_link_id = LoadBe32(p + 4);
      break;
    case kSubTlvIpv4InterfaceAddress:
      if (size == 4 && neighbor->local_address == IpAddress()) neighbor->local_address = IpAddress::FromV4(p);
      break;
    case kSubTlvIpv4NeighborAddress:
      if (size == 4 && neighbor->remote_address == IpAddress()) neighbor->remote_address = IpAddress::FromV4(p);
      break;
    case kSubTlvMaximumBandwidth:
      if (size == 4) neighbor->max_bandwidth = LoadFloat(p);
      break;
    case kSubTlvMaximumReservableBandwidth:
      if (size == 4) neighbor->max_reservable_bandwidth = LoadFloat(p);
      break;
    case kSubTlvIpv6InterfaceAddress:
      if (size == 16 && neighbor->local_address_v6 == IpAddress()) neighbor->local_address_v6 = IpAddress::FromV6(p);
      break;
    case kSubTlvIpv6NeighborAddress:
      if (size == 16 && neighbor->remote_address_v6 == IpAddress()) neighbor->remote_address_v6 = IpAddress::FromV6(p);
      break;
    case kSubTlvTeDefaultMetric:
      if (size == 3) neighbor->te_metric = LoadBe24(p);
      break;
    case kSubTlvMtu:
      if (size == 3) neighbor->mtu = LinkMtu{LoadBe16(p + 1), (p[0] & kMtuFailed) != 0};
      break;
    case kSubTlvAdjacencySid:
    case kSubTlvLanAdjacencySid: {
      // Flags, weight, on a LAN the neighbour's system identifier, then the value.
      const size_t at = sub.type == kSubTlvAdjacencySid ? 2 : 8;
      if (size < at) break;
      if (const std::optional<uint32_t> sid = LoadSid(sub.value.subspan(at))) {
        neighbor->adjacency_sids.push_back({p[0], p[1], *sid});
      }
      break;
    }
    default:
      break;
  }
}

void ReadPrefixSubTlv(const Tlv& sub, Reachability* reachability) {
  const uint8_t* p = sub.value.data();
  const size_t size = sub.value.size();
  switch (sub.type) {
    case kSubTlvTag32:
      if (size >= 4 && !reachability->tag) reachability->tag = LoadBe32(p);
      break;
    case kSubTlvPrefixSid:
      if (size < 2) break;
      if (const std::optional<uint32_t> sid = LoadSid(sub.value.subspan(2))) {
        reachability->prefix_sids.push_back({p[0], p[1], *sid});
      }
      break;
    case kSubTlvPrefixAttributeFlags:
      if (size < 1) break;
      reachability->attribute_flags = p[0];
      if ((p[0] & kPrefixExternal) != 0) reachability->external = true;
      break;
    case kSubTlvIpv4SourceRouterId:
      if (size == 4 && !reachability->source_router_id) reachability->source_router_id = IpAddress::FromV4(p);
      break;
    case kSubTlvIpv6SourceRouterId:
      if (size == 16 && !reachability->source_router_id) reachability->source_router_id = IpAddress::FromV6(p);
      break;
    default:
      break;
  }
}

DecodeResult ReadNarrowNeighbors(const Reading& tlv, LspContent* content) {
  // ISO 10589, 9.8: a virtual flag, then entries.
  if (tlv.value.empty() || (tlv.value.size() - 1) % kNarrowNeighborSize != 0) return tlv.At(BadLength, 0);
  for (Octets rest = tlv.value.subspan(1); !rest.empty(); rest.remove_prefix(kNarrowNeighborSize)) {
    Neighbor neighbor;
    neighbor.metric = rest[0] & kNarrowMetric;
    neighbor.node = LoadNode(rest.data() + 4);
    content->neighbors.push_back(std::move(neighbor));
  }
  return DecodeResult::Ok();
}

DecodeResult ReadWideNeighbors(const Reading& tlv, TopologyNumber topology, size_t at, LspContent* content) {
  OctetReader reader(tlv.value);
  reader.Skip(at);
  while (reader.remaining() > 0) {
    const size_t begin = reader.offset();
    if (!reader.Has(11)) return tlv.At(BadLength, begin);
    Neighbor neighbor;
    neighbor.topology = topology;
    neighbor.wide = true;
    neighbor.node = LoadNode(reader.Bytes(7).data());
    neighbor.metric = reader.U24();
    const size_t size = reader.U8();
    if (!reader.Has(size)) return tlv.At(BadLength, begin);
    TlvReader subs(reader.Bytes(size));
    for (Tlv sub; subs.Next(&sub);) ReadNeighborSubTlv(sub, &neighbor);
    content->neighbors.push_back(std::move(neighbor));
    if (!subs.result().ok()) return tlv.At(BadLength, begin);
  }
  return DecodeResult::Ok();
}

DecodeResult ReadNarrowPrefixes(const Reading& tlv, bool external, LspContent* content) {
  if (tlv.value.size() % kNarrowPrefixSize != 0) return tlv.At(BadLength, 0);
  DecodeResult result;
  for (size_t at = 0; at < tlv.value.size(); at += kNarrowPrefixSize) {
    const uint8_t* p = tlv.value.data() + at;
    const uint32_t mask = LoadBe32(p + 8);
    if ((~mask & (~mask + 1)) != 0) {  // ones behind a zero
      if (result.ok()) result = tlv.At(BadValue, at + 8);
      continue;
    }
    Reachability reachability;
    reachability.metric = p[0] & kNarrowMetric;
    reachability.down = (p[0] & kNarrowDown) != 0;
    reachability.external = external;
    reachability.external_metric = external && (p[0] & kNarrowExternal) != 0;
    reachability.prefix = IpPrefix(IpAddress::FromV4(p + 4), static_cast<uint8_t>(__builtin_popcount(mask)));
    content->prefixes.push_back(std::move(reachability));
  }
  return result;
}

// The octets of a prefix that are there, and zeros.
IpAddress LoadPrefix(Octets octets, bool v4) {
  uint8_t whole[16] = {};
  std::copy(octets.begin(), octets.end(), whole);
  return v4 ? IpAddress::FromV4(whole) : IpAddress::FromV6(whole);
}

DecodeResult ReadWidePrefixes(const Reading& tlv, TopologyNumber topology, bool v4, size_t at, LspContent* content) {
  OctetReader reader(tlv.value);
  reader.Skip(at);
  while (reader.remaining() > 0) {
    const size_t begin = reader.offset();
    Reachability reachability;
    reachability.topology = topology;
    reachability.wide = true;
    reachability.metric = reader.U32();
    const uint8_t control = reader.U8();
    const size_t length = v4 ? control & kWideLength : reader.U8();
    if (!reader.ok()) return tlv.At(BadLength, begin);
    if (length > (v4 ? 32 : 128)) return tlv.At(BadValue, begin + (v4 ? 4 : 5));
    static_assert(kWideDown == kV6Down, "of both families");
    reachability.down = (control & kWideDown) != 0;
    reachability.external = !v4 && (control & kV6External) != 0;
    const Octets octets = reader.Bytes((length + 7) / 8);
    if (!reader.ok()) return tlv.At(BadLength, begin);
    reachability.prefix = IpPrefix(LoadPrefix(octets, v4), static_cast<uint8_t>(length));
    bool bad = false;
    if ((control & (v4 ? kWideSubTlvs : kV6SubTlvs)) != 0) {
      const size_t size = reader.U8();
      if (!reader.Has(size)) return tlv.At(BadLength, begin);
      TlvReader subs(reader.Bytes(size));
      for (Tlv sub; subs.Next(&sub);) ReadPrefixSubTlv(sub, &reachability);
      bad = !subs.result().ok();
    }
    // An IPv4 address in IPv6's form is no network of IPv6 that anybody routes.
    if (v4 || !reachability.prefix.address().IsV4()) content->prefixes.push_back(std::move(reachability));
    if (bad) return tlv.At(BadLength, begin);
  }
  return DecodeResult::Ok();
}

// RFC 8667, 3.1 and 3.3: flags, then ranges, each of a size and a SID/Label sub-TLV.
void ReadLabelRanges(Octets value, std::vector<LabelRange>* ranges) {
  OctetReader reader(value);
  reader.Skip(1);
  while (reader.remaining() > 0) {
    LabelRange range;
    range.size = reader.U24();
    const uint8_t type = reader.U8(), size = reader.U8();
    const Octets sid = reader.Bytes(size);
    const std::optional<uint32_t> first = LoadSid(sid);
    if (!reader.ok() || type != kSubTlvSidLabel || !first) return;
    range.first = *first;
    ranges->push_back(range);
  }
}

void ReadCapabilitySubTlv(const Tlv& sub, RouterCapability* capability) {
  if (ReadTrillSubTlv(sub, &capability->trill)) return;
  switch (sub.type) {
    case kSubTlvSegmentRouting:
      if (sub.value.empty()) break;
      capability->segment_routing_v4 = (sub.value[0] & 0x80) != 0;
      capability->segment_routing_v6 = (sub.value[0] & 0x40) != 0;
      ReadLabelRanges(sub.value, &capability->segment_routing_blocks);
      break;
    case kSubTlvSegmentRoutingLocalBlock:
      ReadLabelRanges(sub.value, &capability->segment_routing_local_blocks);
      break;
    case kSubTlvSegmentRoutingAlgorithm:
      capability->algorithms.insert(capability->algorithms.end(), sub.value.begin(), sub.value.end());
      break;
    default:
      break;
  }
}

DecodeResult ReadCapability(const Reading& tlv, LspContent* content) {
  if (tlv.value.size() < 5) return tlv.At(BadLength, 0);
  RouterCapability capability;
  capability.router_id = IpAddress::FromV4(tlv.value.data());
  capability.flags = tlv.value[4];
  TlvReader subs(tlv.value.subspan(5));
  for (Tlv sub; subs.Next(&sub);) ReadCapabilitySubTlv(sub, &capability);
  content->capabilities.push_back(std::move(capability));
  return subs.result().ok() ? DecodeResult::Ok() : tlv.At(BadLength, 5 + subs.result().offset);
}

DecodeResult ReadMtCapability(const Reading& tlv, LspContent* content) {
  if (tlv.value.size() < 2) return tlv.At(BadLength, 0);
  RouterCapability capability;
  capability.topology = LoadBe16(tlv.value.data()) & kTopologyMask;
  bool trill = false;
  TlvReader subs(tlv.value.subspan(2));
  for (Tlv sub; subs.Next(&sub);) trill |= ReadTrillSubTlv(sub, &capability.trill);
  if (trill) content->capabilities.push_back(std::move(capability));
  if (!subs.result().ok()) return tlv.At(BadLength, 2 + subs.result().offset);
  // Shortest path bridging has its own here (RFC 6329).
  if (!trill) content->others.push_back({kTlvMtCapability, {tlv.value.begin(), tlv.value.end()}});
  return DecodeResult::Ok();
}

DecodeResult ReadPurgeOriginator(const Reading& tlv, LspContent* content) {
  // RFC 6232, 3: how many identifiers, one or two.
  const size_t count = tlv.value.empty() ? 0 : tlv.value[0];
  if (count == 0 || count > 2) return tlv.At(BadValue, 0);
  if (tlv.value.size() < 1 + 6 * count) return tlv.At(BadLength, 0);
  content->purge_originator = LoadSystem(tlv.value.data() + 1);
  if (count == 2) content->purge_source = LoadSystem(tlv.value.data() + 7);
  return DecodeResult::Ok();
}

DecodeResult ReadRouterId(const Reading& tlv, bool v4, std::optional<IpAddress>* id) {
  if (tlv.value.size() != (v4 ? 4 : 16)) return tlv.At(BadLength, 0);
  *id = v4 ? IpAddress::FromV4(tlv.value.data()) : IpAddress::FromV6(tlv.value.data());
  return DecodeResult::Ok();
}

// The topology of TLVs 222, 235 and 237, which stands first. RFC 5120, 7.2 to 7.4: such a TLV of topology 0 is ignored.
DecodeResult ReadMultiTopology(const Reading& tlv, uint8_t type, LspContent* content) {
  if (tlv.value.size() < 2) return tlv.At(BadLength, 0);
  const TopologyNumber topology = LoadBe16(tlv.value.data()) & kTopologyMask;
  if (topology == kStandardTopology) return tlv.At(BadValue, 0);
  if (type == kTlvMtIsReachability) return ReadWideNeighbors(tlv, topology, 2, content);
  return ReadWidePrefixes(tlv, topology, type == kTlvMtIpReachability, 2, content);
}

DecodeResult ReadTlv(const Tlv& raw, size_t offset, LspContent* content) {
  const Reading tlv{raw.value, offset};
  switch (raw.type) {
    case kTlvAreaAddresses:
      return ReadAreaAddresses(raw.value, offset, &content->areas);
    case kTlvIsNeighbors:
      return ReadNarrowNeighbors(tlv, content);
    case kTlvExtendedIsReachability:
      return ReadWideNeighbors(tlv, kStandardTopology, 0, content);
    case kTlvIpInternalReachability:
    case kTlvIpExternalReachability:
      return ReadNarrowPrefixes(tlv, raw.type == kTlvIpExternalReachability, content);
    case kTlvExtendedIpReachability:
    case kTlvIpv6Reachability:
      return ReadWidePrefixes(tlv, kStandardTopology, raw.type == kTlvExtendedIpReachability, 0, content);
    case kTlvMtIsReachability:
    case kTlvMtIpReachability:
    case kTlvMtIpv6Reachability:
      return ReadMultiTopology(tlv, raw.type, content);
    case kTlvProtocolsSupported:
      content->protocols.insert(content->protocols.end(), raw.value.begin(), raw.value.end());
      return DecodeResult::Ok();
    case kTlvIpInterfaceAddress:
    case kTlvIpv6InterfaceAddress:
      return ReadAddresses(raw.value, raw.type == kTlvIpInterfaceAddress, offset, &content->interface_addresses);
    case kTlvTeRouterId:
      return ReadRouterId(tlv, true, &content->router_id);
    case kTlvIpv6TeRouterId:
      return ReadRouterId(tlv, false, &content->router_id_v6);
    case kTlvDynamicHostname:
      content->hostname = std::string(base::AsText(raw.value));
      return DecodeResult::Ok();
    case kTlvMultiTopology:
      return ReadTopologies(raw.value, offset, &content->topologies);
    case kTlvRouterCapability:
      return ReadCapability(tlv, content);
    case kTlvMtCapability:
      return ReadMtCapability(tlv, content);
    case kTlvGroupAddress:
      return ReadGroupMemberships(raw.value, offset, &content->groups);
    case kTlvPurgeOriginator:
      return ReadPurgeOriginator(tlv, content);
    default:
      content->others.push_back({raw.type, {raw.value.begin(), raw.value.end()}});
      return DecodeResult::Ok();
  }
}

}  // namespace

DecodeResult ReadAreaAddresses(Octets value, size_t offset, std::vector<AreaAddress>* areas) {
  for (size_t at = 0; at < value.size();) {
    AreaAddress area;
    area.size = value[at];
    if (area.size > value.size() - at - 1) return BadLength(offset + at);
    // ISO 10589, 7.1.1: an NSAP has at most 20 octets; of these an area has no more than 13.
    if (area.size == 0 || area.size > area.octets.size()) return BadValue(offset + at);
    std::copy_n(value.begin() + static_cast<ptrdiff_t>(at) + 1, area.size, area.octets.begin());
    areas->push_back(area);
    at += 1 + size_t{area.size};
  }
  return DecodeResult::Ok();
}

DecodeResult ReadAddresses(Octets value, bool v4, size_t offset, std::vector<IpAddress>* addresses) {
  const size_t size = v4 ? 4 : 16;
  if (value.size() % size != 0) return BadLength(offset);
  for (; !value.empty(); value.remove_prefix(size)) {
    addresses->push_back(v4 ? IpAddress::FromV4(value.data()) : IpAddress::FromV6(value.data()));
  }
  return DecodeResult::Ok();
}

DecodeResult ReadTopologies(Octets value, size_t offset, std::vector<TopologyMembership>* topologies) {
  if (value.size() % 2 != 0) return BadLength(offset);
  for (; !value.empty(); value.remove_prefix(2)) {
    const uint16_t v = LoadBe16(value.data());
    topologies->push_back(
        {static_cast<TopologyNumber>(v & kTopologyMask), (v & kTopologyOverload) != 0, (v & kTopologyAttached) != 0});
  }
  return DecodeResult::Ok();
}

void LspContent::Clear() {
  areas.clear();
  protocols.clear();
  hostname.clear();
  topologies.clear();
  interface_addresses.clear();
  router_id.reset();
  router_id_v6.reset();
  neighbors.clear();
  prefixes.clear();
  capabilities.clear();
  groups.clear();
  purge_originator.reset();
  purge_source.reset();
  others.clear();
}

DecodeResult ReadLspContent(Octets tlvs, LspContent* content) {
  content->Clear();
  DecodeResult first;
  TlvReader reader(tlvs);
  for (Tlv tlv; reader.Next(&tlv);) {
    const DecodeResult result = ReadTlv(tlv, reader.value_offset(), content);
    if (result.ok()) continue;
    content->others.push_back({tlv.type, {tlv.value.begin(), tlv.value.end()}});
    if (first.ok()) first = result;
  }
  return first.ok() ? reader.result() : first;
}

}  // namespace flowacct::isis
