#include "flowacct/isis/testing/content_text.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "flowacct/base/octets.h"
#include "flowacct/isis/trill.h"

namespace flowacct::isis::testing {
namespace {

std::string Hex(const std::vector<uint8_t>& octets) { return absl::BytesToHexString(base::AsText(octets)); }

template <typename T>
std::string Text(const std::optional<T>& value) {
  return value ? absl::StrCat(*value) : "-";
}

void AppendAreas(const std::vector<AreaAddress>& areas, std::string* text) {
  for (const AreaAddress& area : areas) absl::StrAppend(text, "area ", area.ToString(), "\n");
}

void AppendTopologies(const std::vector<TopologyMembership>& topologies, std::string* text) {
  for (const TopologyMembership& t : topologies) {
    absl::StrAppend(text, "topology ", t.topology, " ", t.overload, " ", t.attached, "\n");
  }
}

void AppendAddresses(absl::string_view what, const std::vector<base::IpAddress>& addresses, std::string* text) {
  for (const base::IpAddress& address : addresses) absl::StrAppend(text, what, " ", address.ToString(), "\n");
}

void AppendSids(const std::vector<SegmentId>& sids, std::string* text) {
  for (const SegmentId& sid : sids) {
    absl::StrAppend(text, " sid ", sid.flags, ":", sid.algorithm_or_weight, ":", sid.value);
  }
}

void AppendRaw(const std::vector<RawTlv>& tlvs, std::string* text) {
  for (const RawTlv& tlv : tlvs) absl::StrAppend(text, "tlv ", tlv.type, " ", Hex(tlv.value), "\n");
}

void AppendRanges(absl::string_view what, const std::vector<LabelRange>& ranges, std::string* text) {
  for (const LabelRange& range : ranges) absl::StrAppend(text, " ", what, " ", range.first, "+", range.size);
}

std::string Text(const GroupMembership::Address& address) {
  if (const auto* mac = std::get_if<base::MacAddress>(&address)) return mac->ToString();
  return std::get<base::IpAddress>(address).ToString();
}

void AppendVersion(const std::optional<TrillVersion>& version, std::string* text) {
  if (version) absl::StrAppend(text, " version ", version->max_version, ":", absl::Hex(version->capabilities));
}

void AppendVlans(absl::string_view what, const VlanMap& map, std::string* text) {
  absl::StrAppend(text, what, " ", map.first, ":", Hex(map.bits));
  for (const VlanRange range : VlansOf(map)) absl::StrAppend(text, " ", range.first, "-", range.last);
}

void AppendTrill(const TrillSwitch& trill, std::string* text) {
  for (const HeldNickname& n : trill.nicknames) {
    absl::StrAppend(text, " nickname ", n.nickname, ":", n.priority, ":", n.root_priority);
  }
  if (trill.trees) {
    absl::StrAppend(text, " trees ", trill.trees->to_compute, ":", trill.trees->can_compute, ":", trill.trees->to_use);
  }
  for (const TreeRoots& t : trill.tree_roots) {
    absl::StrAppend(text, " roots ", t.first);
    for (const Nickname root : t.roots) absl::StrAppend(text, ":", root);
  }
  for (const TreeRoots& t : trill.trees_used) {
    absl::StrAppend(text, " used ", t.first);
    for (const Nickname root : t.roots) absl::StrAppend(text, ":", root);
  }
  for (const InterestedVlans& i : trill.interested_vlans) {
    absl::StrAppend(text, " interested ", i.nickname, ":", i.flags, ":", i.vlans.first, "-", i.vlans.last, ":",
                    i.appointed_lost);
    for (const base::MacAddress& root : i.roots) absl::StrAppend(text, " root ", root.ToString());
  }
  for (const VlanGroup& g : trill.vlan_groups) {
    absl::StrAppend(text, " group ", g.primary);
    for (const uint16_t vlan : g.secondaries) absl::StrAppend(text, ":", vlan);
  }
  AppendVersion(trill.version, text);
}

}  // namespace

std::string AsText(const LspContent& content) {
  std::string text;
  AppendAreas(content.areas, &text);
  absl::StrAppend(&text, "protocols ", Hex(content.protocols), "\nname ", content.hostname, "\n");
  AppendTopologies(content.topologies, &text);
  AppendAddresses("address", content.interface_addresses, &text);
  if (content.router_id) absl::StrAppend(&text, "router ", content.router_id->ToString(), "\n");
  if (content.router_id_v6) absl::StrAppend(&text, "router ", content.router_id_v6->ToString(), "\n");
  for (const Neighbor& n : content.neighbors) {
    absl::StrAppend(&text, "neighbor ", n.node.ToString(), " topology ", n.topology, " metric ", n.metric, " wide ",
                    n.wide, " ", n.local_address.ToString(), " ", n.remote_address.ToString(), " ");
    absl::StrAppend(&text, n.local_address_v6.ToString(), " ", n.remote_address_v6.ToString(), " ids ", n.local_link_id,
                    " ", n.remote_link_id, " group ", Text(n.administrative_group), " te ", Text(n.te_metric));
    absl::StrAppend(&text, " bandwidth ", Text(n.max_bandwidth), " ", Text(n.max_reservable_bandwidth));
    if (n.mtu) absl::StrAppend(&text, " mtu ", n.mtu->octets, n.mtu->failed ? " failed" : "");
    AppendSids(n.adjacency_sids, &text);
    text.push_back('\n');
  }
  for (const Reachability& r : content.prefixes) {
    absl::StrAppend(&text, "prefix ", r.prefix.ToString(), " topology ", r.topology, " metric ", r.metric, " wide ",
                    r.wide, " down ", r.down, " external ", r.external, " ", r.external_metric);
    absl::StrAppend(&text, " tag ", Text(r.tag), " flags ", r.attribute_flags ? int{*r.attribute_flags} : -1,
                    " source ", r.source_router_id ? r.source_router_id->ToString() : "-");
    AppendSids(r.prefix_sids, &text);
    text.push_back('\n');
  }
  for (const RouterCapability& c : content.capabilities) {
    absl::StrAppend(&text, "capability topology ", c.topology, " router ", c.router_id.ToString(), " flags ", c.flags,
                    " sr ", c.segment_routing_v4, c.segment_routing_v6, " algorithms ", Hex(c.algorithms));
    AppendRanges("block", c.segment_routing_blocks, &text);
    AppendRanges("local", c.segment_routing_local_blocks, &text);
    AppendTrill(c.trill, &text);
    text.push_back('\n');
  }
  for (const GroupMembership& g : content.groups) {
    absl::StrAppend(&text, "group ", Text(g.group), " topology ", g.topology, g.labeled ? " label " : " vlan ", g.vlan);
    for (const GroupMembership::Address& source : g.sources) absl::StrAppend(&text, " from ", Text(source));
    text.push_back('\n');
  }
  if (content.purge_originator) absl::StrAppend(&text, "purged by ", content.purge_originator->ToString(), "\n");
  if (content.purge_source) absl::StrAppend(&text, "purge from ", content.purge_source->ToString(), "\n");
  AppendRaw(content.others, &text);
  return text;
}

std::string AsText(const HelloContent& content) {
  std::string text;
  AppendAreas(content.areas, &text);
  absl::StrAppend(&text, "protocols ", Hex(content.protocols), "\n");
  for (const base::MacAddress& mac : content.lan_neighbors) absl::StrAppend(&text, "neighbor ", mac.ToString(), "\n");
  AppendAddresses("address", content.interface_addresses, &text);
  AppendAddresses("global", content.global_addresses_v6, &text);
  AppendTopologies(content.topologies, &text);
  if (content.three_way) {
    const ThreeWayState& s = *content.three_way;
    absl::StrAppend(&text, "three-way ", static_cast<int>(s.state), " ", Text(s.local_circuit), " ",
                    s.neighbor ? s.neighbor->ToString() : "-", " ", Text(s.neighbor_circuit), "\n");
  }
  if (content.restart) {
    const RestartState& r = *content.restart;
    absl::StrAppend(&text, "restart ", r.flags, " ", Text(r.remaining_seconds), " ",
                    r.neighbor ? r.neighbor->ToString() : "-", "\n");
  }
  for (const BfdEnabled& bfd : content.bfd) absl::StrAppend(&text, "bfd ", bfd.topology, " ", bfd.protocol, "\n");
  if (content.instance) absl::StrAppend(&text, "instance ", *content.instance, "\n");
  absl::StrAppend(&text, "padding ", content.padding_octets, "\n");
  for (const TrillPort& p : content.trill_ports) {
    absl::StrAppend(&text, "port topology ", p.topology);
    if (p.special) {
      absl::StrAppend(&text, " id ", p.special->port, " nickname ", p.special->nickname, " flags ", p.special->flags,
                      " vlans ", p.special->outer_vlan, " ", p.special->designated_vlan);
    }
    for (const VlanMap& map : p.enabled) AppendVlans(" enabled", map, &text);
    for (const VlanMap& map : p.appointed) AppendVlans(" appointed", map, &text);
    for (const AppointedForwarder& f : p.forwarders) {
      absl::StrAppend(&text, " forwarder ", f.nickname, ":", f.vlans.first, "-", f.vlans.last);
    }
    AppendVersion(p.version, &text);
    text.push_back('\n');
    AppendRaw(p.others, &text);
  }
  for (const TrillNeighbors& neighbors : content.trill_neighbors) {
    absl::StrAppend(&text, "heard", neighbors.holds_smallest ? " smallest" : "",
                    neighbors.holds_largest ? " largest" : "");
    for (const TrillNeighbor& n : neighbors.neighbors) {
      absl::StrAppend(&text, " ", n.mac.ToString(), ":", n.mtu, n.failed ? "!" : "", n.offers_oomf ? "+" : "");
    }
    text.push_back('\n');
  }
  AppendRaw(content.others, &text);
  return text;
}

}  // namespace flowacct::isis::testing
