#include "flowacct/isis/tlv_types.h"

namespace flowacct::isis {
namespace {

constexpr TlvTypeInfo kTlvTypes[] = {
#define X(number, name, text, where, reference) {number, text, where, reference},
    FLOWACCT_ISIS_TLV_TYPES(X)
#undef X
};

constexpr SubTlvTypeInfo kSubTlvTypes[] = {
#define X(registry, number, name, text, reference) {SubTlvs::k##registry, number, text, reference},
    FLOWACCT_ISIS_SUB_TLV_TYPES(X)
#undef X
};

struct Registry {
  uint8_t tlv;
  SubTlvs sub_tlvs;
};
constexpr Registry kRegistries[] = {
    {kTlvReverseMetric, SubTlvs::kReverseMetric},
    {kTlvExtendedIsReachability, SubTlvs::kNeighbor},
    {kTlvIsNeighborAttribute, SubTlvs::kNeighbor},
    {kTlvL2BundleMemberAttributes, SubTlvs::kNeighbor},
    {kTlvInterAsReachability, SubTlvs::kNeighbor},
    {kTlvMtIsReachability, SubTlvs::kNeighbor},
    {kTlvMtIsNeighborAttribute, SubTlvs::kNeighbor},
    {kTlvSrv6Locator, SubTlvs::kPrefix},
    {kTlvExtendedIpReachability, SubTlvs::kPrefix},
    {kTlvMtIpReachability, SubTlvs::kPrefix},
    {kTlvIpv6Reachability, SubTlvs::kPrefix},
    {kTlvMtIpv6Reachability, SubTlvs::kPrefix},
    {kTlvMtCapability, SubTlvs::kMtCapability},
    {kTlvSidLabelBinding, SubTlvs::kBinding},
    {kTlvMtSidLabelBinding, SubTlvs::kBinding},
    {kTlvRouterCapability, SubTlvs::kCapability},
    {kTlvMtPortCapability, SubTlvs::kMtPortCapability},
    {kTlvGroupAddress, SubTlvs::kGroupAddress},
    {kTlvAreaProxy, SubTlvs::kAreaProxy},
};

}  // namespace

absl::Span<const TlvTypeInfo> TlvTypes() { return kTlvTypes; }
absl::Span<const SubTlvTypeInfo> SubTlvTypes() { return kSubTlvTypes; }

const TlvTypeInfo* FindTlvType(uint8_t type) {
  for (const TlvTypeInfo& info : kTlvTypes) {
    if (info.type == type) return &info;
  }
  return nullptr;
}

const SubTlvTypeInfo* FindSubTlvType(SubTlvs registry, uint8_t type) {
  for (const SubTlvTypeInfo& info : kSubTlvTypes) {
    if (info.registry == registry && info.type == type) return &info;
  }
  return nullptr;
}

std::optional<SubTlvs> SubTlvsOf(uint8_t tlv_type) {
  for (const Registry& registry : kRegistries) {
    if (registry.tlv == tlv_type) return registry.sub_tlvs;
  }
  return std::nullopt;
}

}  // namespace flowacct::isis
