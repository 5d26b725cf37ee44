#include "flowacct/bgp/link_state.h"

#include <cmath>
#include <cstring>
#include <utility>

namespace flowacct::bgp {
namespace {

using base::DecodeCode;
using base::DecodeResult;
using base::IpAddress;
using base::Octets;

constexpr size_t kHeader = 4;    // of an NLRI and of a TLV: type, length
constexpr size_t kPreamble = 9;  // protocol, identifier

// RFC 9552, 8.2 and 8.4.
enum Code : uint16_t {
  kLocalNode = 256,
  kRemoteNode = 257,
  kLinkIds = 258,
  kInterfaceV4 = 259,
  kNeighborV4 = 260,
  kInterfaceV6 = 261,
  kNeighborV6 = 262,
  kTopologies = 263,
  kOspfRouteType = 264,
  kReachability = 265,
  kAs = 512,
  kBgpLsIdentifier = 513,
  kOspfArea = 514,
  kRouterId = 515,
  kNodeFlags = 1024,
  kNodeName = 1026,
  kIsisArea = 1027,
  kLocalRouterIdV4 = 1028,
  kLocalRouterIdV6 = 1029,
  kRemoteRouterIdV4 = 1030,
  kRemoteRouterIdV6 = 1031,
  kAdministrativeGroup = 1088,
  kMaxBandwidth = 1089,
  kTeMetric = 1092,
  kIgpMetric = 1095,
  kSharedRiskGroups = 1096,
  kLinkName = 1098,
  kPrefixFlags = 1152,
  kRouteTags = 1153,
  kPrefixMetric = 1155,
  kPrefixSid = 1158,
};

DecodeResult At(DecodeCode code, const uint8_t* where, Octets whole) {
  return {code, static_cast<uint32_t>(where - whole.data())};
}

// Calls take(code, value) for each TLV; it returns a DecodeResult.
template <typename Take>
DecodeResult ForEachTlv(Octets tlvs, Octets whole, Take take) {
  while (!tlvs.empty()) {
    if (tlvs.size() < kHeader) return At(DecodeCode::kTruncated, tlvs.data(), whole);
    const uint16_t code = base::LoadBe16(tlvs.data());
    const size_t size = base::LoadBe16(tlvs.data() + 2);
    if (size > tlvs.size() - kHeader) return At(DecodeCode::kBadLength, tlvs.data(), whole);
    const DecodeResult taken = take(code, tlvs.subspan(kHeader, size));
    if (!taken.ok()) return taken;
    tlvs = tlvs.subspan(kHeader + size);
  }
  return {};
}

// RFC 9552, 5.1: TLVs of an NLRI ascend by type, those of one type by length, then by value, so that one object has one
// name.
class TlvOrder {
 public:
  explicit TlvOrder(bool once) : once_(once) {}
  bool Accept(uint16_t code, Octets value) {
    const bool ascends = first_ || code > code_ ||
                         (!once_ && code == code_ &&
                          (value.size() > value_.size() ||
                           (value.size() == value_.size() && base::AsText(value) >= base::AsText(value_))));
    first_ = false;
    code_ = code;
    value_ = value;
    return ascends;
  }

 private:
  const bool once_;  // each type
  bool first_ = true;
  uint16_t code_ = 0;
  Octets value_;
};

bool TakeU32(Octets value, std::optional<uint32_t>* number) {
  if (value.size() != 4) return false;
  *number = base::LoadBe32(value.data());
  return true;
}
bool TakeV4(Octets value, IpAddress* address) {
  if (value.size() != 4) return false;
  *address = IpAddress::FromV4(value.data());
  return true;
}
bool TakeV6(Octets value, IpAddress* address) {
  if (value.size() != 16) return false;
  *address = IpAddress::FromV6(value.data());
  return true;
}
// The first of a list: an NLRI of a link or prefix has one (5.2.2.1).
bool TakeTopology(Octets value, uint16_t* topology) {
  if (value.empty() || value.size() % 2 != 0) return false;
  *topology = base::LoadBe16(value.data()) & 0x0fff;
  return true;
}

DecodeResult ReadNode(Octets value, Octets whole, LinkStateNode* node) {
  TlvOrder order(/*once=*/true);
  const DecodeResult result = ForEachTlv(value, whole, [&](uint16_t code, Octets v) -> DecodeResult {
    if (!order.Accept(code, v)) return At(DecodeCode::kBadValue, v.data(), whole);
    bool right = true;
    switch (code) {
      case kAs:
        right = TakeU32(v, &node->as);
        break;
      case kBgpLsIdentifier:
        right = TakeU32(v, &node->bgp_ls_identifier);
        break;
      case kOspfArea:
        right = TakeU32(v, &node->ospf_area);
        break;
      case kRouterId:
        right = !v.empty() && v.size() <= node->router_id.size();
        if (!right) break;
        node->router_id = {};
        std::memcpy(node->router_id.data(), v.data(), v.size());
        node->router_id_size = static_cast<uint8_t>(v.size());
        break;
      default:
        break;
    }
    return right ? DecodeResult{} : At(DecodeCode::kBadLength, v.data(), whole);
  });
  if (result.ok() && node->router_id_size == 0) return At(DecodeCode::kBadValue, value.data(), whole);  // 5.2.1.4
  return result;
}

bool TakePrefix(Octets value, bool v6, base::IpPrefix* prefix) {
  if (value.empty()) return false;
  const uint8_t length = value[0];
  const size_t octets = (length + 7u) / 8;
  if (length > (v6 ? 128 : 32) || value.size() - 1 < octets) return false;
  uint8_t address[16] = {};
  if (octets > 0) std::memcpy(address, value.data() + 1, octets);
  *prefix = base::IpPrefix(v6 ? IpAddress::FromV6(address) : IpAddress::FromV4(address), length);
  // An IPv4 address in IPv6's form is no network of IPv6 that anybody routes.
  return prefix->address().IsV4() != v6;
}

}  // namespace

absl::string_view LinkStateProtocolName(LinkStateProtocol protocol) {
  switch (protocol) {
#define X(number, name, text)   \
  case LinkStateProtocol::name: \
    return text;
    FLOWACCT_BGP_LINK_STATE_PROTOCOLS(X)
#undef X
  }
  return "unknown";
}

DecodeResult ReadLinkStateNlri(Octets octets, bool vpn, LinkStateNlri* nlri, size_t* size) {
  *size = 0;
  if (octets.size() < kHeader) return {DecodeCode::kTruncated, 0};
  const uint16_t type = base::LoadBe16(octets.data());
  const size_t length = base::LoadBe16(octets.data() + 2);
  if (length > octets.size() - kHeader) return {DecodeCode::kBadLength, 2};
  *size = kHeader + length;
  if (type < static_cast<uint16_t>(LinkStateType::kNode) || type > static_cast<uint16_t>(LinkStateType::kIpv6Prefix)) {
    return {DecodeCode::kUnsupported, 0};
  }
  *nlri = LinkStateNlri();
  nlri->octets = octets.subspan(0, *size);
  nlri->type = static_cast<LinkStateType>(type);
  Octets value = octets.subspan(kHeader, length);
  if (vpn) {
    if (value.size() < 8) return {DecodeCode::kTruncated, kHeader};
    nlri->rd = base::LoadBe64(value.data());
    value = value.subspan(8);
  }
  if (value.size() < kPreamble) return At(DecodeCode::kTruncated, value.data(), octets);
  nlri->protocol = static_cast<LinkStateProtocol>(value[0]);
  nlri->identifier = base::LoadBe64(value.data() + 1);
  const Octets tlvs = value.subspan(kPreamble);
  const bool v6 = nlri->type == LinkStateType::kIpv6Prefix;
  bool has_local = false, has_remote = false, has_prefix = false;
  TlvOrder order(/*once=*/false);
  const DecodeResult result = ForEachTlv(tlvs, octets, [&](uint16_t code, Octets v) -> DecodeResult {
    if (!order.Accept(code, v)) return At(DecodeCode::kBadValue, v.data(), octets);
    bool right = true;
    switch (code) {
      case kLocalNode:
        if (std::exchange(has_local, true)) return At(DecodeCode::kBadValue, v.data(), octets);
        return ReadNode(v, octets, &nlri->local);
      case kRemoteNode:
        if (std::exchange(has_remote, true)) return At(DecodeCode::kBadValue, v.data(), octets);
        return ReadNode(v, octets, &nlri->remote);
      case kLinkIds:
        right = v.size() == 8;
        if (!right) break;
        nlri->local_id = base::LoadBe32(v.data());
        nlri->remote_id = base::LoadBe32(v.data() + 4);
        break;
      case kInterfaceV4:
        right = TakeV4(v, &nlri->interface_v4);
        break;
      case kNeighborV4:
        right = TakeV4(v, &nlri->neighbor_v4);
        break;
      case kInterfaceV6:
        right = TakeV6(v, &nlri->interface_v6);
        break;
      case kNeighborV6:
        right = TakeV6(v, &nlri->neighbor_v6);
        break;
      case kTopologies:
        right = TakeTopology(v, &nlri->topology);
        break;
      case kOspfRouteType:
        right = v.size() == 1;
        if (right) nlri->ospf_route_type = v[0];
        break;
      case kReachability:
        right = has_prefix = TakePrefix(v, v6, &nlri->prefix);
        break;
      default:
        break;
    }
    return right ? DecodeResult{} : At(DecodeCode::kBadLength, v.data(), octets);
  });
  if (!result.ok()) return result;
  const bool is_prefix = nlri->type == LinkStateType::kIpv4Prefix || v6;
  if (!has_local || (nlri->type == LinkStateType::kLink && !has_remote) || (is_prefix && !has_prefix)) {
    return At(DecodeCode::kBadValue, value.data(), octets);
  }
  return {};
}

DecodeResult ReadLinkStateAttribute(Octets value, LinkStateAttribute* attribute) {
  *attribute = LinkStateAttribute();
  return ForEachTlv(value, value, [&](uint16_t code, Octets v) -> DecodeResult {
    LinkStateAttribute& a = *attribute;
    bool right = true;
    const auto take_address = [&](bool v6, std::optional<IpAddress>* address) {
      IpAddress taken;
      right = v6 ? TakeV6(v, &taken) : TakeV4(v, &taken);
      if (right) *address = taken;
    };
    switch (code) {
      case kTopologies:
        right = v.size() % 2 == 0;
        for (size_t i = 0; right && i < v.size(); i += 2) {
          a.topologies.push_back(base::LoadBe16(v.data() + i) & 0x0fff);
        }
        break;
      case kNodeFlags:
        right = !v.empty();
        if (right) a.node_flags = v[0];
        break;
      case kNodeName:
        a.node_name = base::AsText(v);
        break;
      case kIsisArea:
        a.isis_areas.push_back(v);
        break;
      case kLocalRouterIdV4:
        take_address(false, &a.local_router_id);
        break;
      case kLocalRouterIdV6:
        take_address(true, &a.local_router_id_v6);
        break;
      case kRemoteRouterIdV4:
        take_address(false, &a.remote_router_id);
        break;
      case kRemoteRouterIdV6:
        take_address(true, &a.remote_router_id_v6);
        break;
      case kAdministrativeGroup:
        right = TakeU32(v, &a.administrative_group);
        break;
      case kMaxBandwidth: {
        std::optional<uint32_t> bits;
        right = TakeU32(v, &bits);
        if (!right) break;
        float bandwidth;
        std::memcpy(&bandwidth, &*bits, sizeof(bandwidth));
        if (std::isfinite(bandwidth) && bandwidth >= 0) a.max_bandwidth = bandwidth;  // else it says nothing
        break;
      }
      case kTeMetric:
        right = TakeU32(v, &a.te_metric);
        break;
      case kIgpMetric:
        // 5.3.2.4: one octet of narrow IS-IS, of which six bits count, two of OSPF, three of wide IS-IS; some send
        // four.
        right = !v.empty() && v.size() <= 4;
        if (!right) break;
        a.igp_metric = 0;
        for (const uint8_t octet : v) a.igp_metric = *a.igp_metric << 8 | octet;
        if (v.size() == 1) a.igp_metric = *a.igp_metric & 0x3f;
        break;
      case kSharedRiskGroups:
        right = v.size() % 4 == 0;
        for (size_t i = 0; right && i < v.size(); i += 4) a.shared_risk_groups.push_back(base::LoadBe32(v.data() + i));
        break;
      case kLinkName:
        a.link_name = base::AsText(v);
        break;
      case kPrefixFlags:
        right = !v.empty();
        if (right) a.prefix_flags = v[0];
        break;
      case kRouteTags:
        right = !v.empty() && v.size() % 4 == 0;
        if (right) a.route_tag = base::LoadBe32(v.data());
        break;
      case kPrefixMetric:
        right = TakeU32(v, &a.prefix_metric);
        break;
      case kPrefixSid:
        // RFC 9085, 2.3.1: flags, algorithm, two reserved octets, then an index, or a label in three octets.
        if (v.size() == 8 && !a.prefix_segment_index) a.prefix_segment_index = base::LoadBe32(v.data() + 4);
        break;
      default:
        break;
    }
    return right ? DecodeResult{} : At(DecodeCode::kBadLength, v.data(), value);
  });
}

}  // namespace flowacct::bgp
