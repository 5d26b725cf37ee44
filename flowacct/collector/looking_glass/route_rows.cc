#include "flowacct/collector/looking_glass/route_rows.h"

namespace flowacct::collector {

using record::FieldType;

void AppendAttributes(bgp::AttributeSetView set, JsonRows* rows) {
  if (const auto next_hop = set.next_hop()) {
    rows->Text(next_hop->ToString());
  } else {
    rows->Absent();
  }
  rows->Octets(FieldType::kAsPath, set.as_path().octets());
  const auto origin = set.origin();
  const auto names = record::EnumerationNames(FieldType::kBgpOrigin);
  if (origin && static_cast<size_t>(*origin) < names.size()) {
    rows->Text(names[static_cast<size_t>(*origin)]);
  } else {
    rows->Absent();
  }
  rows->Number(set.local_pref());
  rows->Number(set.med());
  rows->Octets(FieldType::kCommunities, set.communities().octets());
  rows->Octets(FieldType::kExtCommunities, set.extended_communities().octets());
  rows->Octets(FieldType::kLargeCommunities, set.large_communities().octets());
}

void AppendNoAttributes(JsonRows* rows) {
  for (int i = 0; i < 8; ++i) rows->Absent();
}

void AppendRoute(const rib::PeerKey& peer, const base::IpPrefix& prefix, const rib::RouteView& route, JsonRows* rows) {
  rows->Row();
  rows->Text(prefix.ToString());
  rows->Text(peer.address.ToString());
  AppendAttributes(bgp::AttributeSetView(route.octets), rows);
  route.path_id != 0 ? rows->Number(uint64_t{route.path_id}) : rows->Absent();
  route.label != rib::Announcement::kNoLabel ? rows->Number(uint64_t{route.label}) : rows->Absent();
  rows->Number(uint64_t{route.stale});
  rows->Text(rib::RibViewName(peer.view));
  peer.told_by == base::IpAddress() ? rows->Absent() : rows->Text(peer.told_by.ToString());
}

}  // namespace flowacct::collector
