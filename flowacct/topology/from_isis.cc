#include "flowacct/topology/from_isis.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "flowacct/base/mac_address.h"
#include "flowacct/isis/trill.h"

namespace flowacct::topology {
namespace {

// ISO 10589, 9.8: the attached flag of the default metric, the only one that IP knows (RFC 1195, 3.2); overload.
constexpr uint8_t kAttached = 0x08, kOverload = 0x04;
constexpr uint8_t kExternalPrefix = 0x80;  // RFC 7794, 2.1: X
constexpr uint8_t kSegmentValue = 0x08;    // RFC 8667, 2.1: V, a label and no index

const base::IpAddress& FirstOf(const base::IpAddress& v4, const base::IpAddress& v6) {
  static const base::IpAddress kUnspecified;
  return v4 != kUnspecified ? v4 : v6;
}

std::string NicknameText(isis::Nickname nickname) { return absl::StrCat("0x", absl::Hex(nickname, absl::kZeroPad4)); }

std::string RangeText(isis::VlanRange said) {
  const auto meant = isis::EffectiveVlans(said);
  if (!meant) return absl::StrCat(said.first, "-", said.last, " (ignored)");
  return meant->first == meant->last ? absl::StrCat(meant->first) : absl::StrCat(meant->first, "-", meant->last);
}

std::string TreesText(const isis::TreeRoots& trees) {
  return absl::StrCat(trees.first, ": ", absl::StrJoin(trees.roots, " ", [](std::string* out, isis::Nickname root) {
                        out->append(NicknameText(root));
                      }));
}

std::string AddressText(const isis::GroupMembership::Address& address) {
  if (const auto* mac = std::get_if<base::MacAddress>(&address)) return mac->ToString();
  return std::get<base::IpAddress>(address).ToString();
}

std::string InterestedText(const isis::InterestedVlans& interested) {
  std::string text = absl::StrCat(RangeText(interested.vlans), " nickname ", NicknameText(interested.nickname));
  if ((interested.flags & isis::InterestedVlans::kV4Router) != 0) text.append(" ipv4_multicast");
  if ((interested.flags & isis::InterestedVlans::kV6Router) != 0) text.append(" ipv6_multicast");
  absl::StrAppend(&text, " lost ", interested.appointed_lost);
  for (const base::MacAddress& root : interested.roots) absl::StrAppend(&text, " root ", root.ToString());
  return text;
}

// Of several ranges the later ones are used as if they went on with the earlier ones (RFC 8667, 3.1).
std::string RangesText(const std::vector<isis::LabelRange>& ranges) {
  return absl::StrJoin(ranges, " ", [](std::string* out, const isis::LabelRange& range) {
    absl::StrAppend(out, range.first, "+", range.size);
  });
}

void AppendFacts(const isis::RouterCapability& capability, std::vector<AdvertisedFact>* facts) {
  const auto add = [&](const char* what, std::string text) {
    facts->push_back({what, std::move(text), capability.topology});
  };
  if (!capability.segment_routing_blocks.empty()) add("segment_routing", RangesText(capability.segment_routing_blocks));
  if (!capability.segment_routing_local_blocks.empty()) {
    add("segment_routing_local", RangesText(capability.segment_routing_local_blocks));
  }
  if (!capability.algorithms.empty()) add("algorithms", absl::StrJoin(capability.algorithms, " "));
  const isis::TrillSwitch& trill = capability.trill;
  for (const isis::HeldNickname& n : trill.nicknames) {
    add("nickname", absl::StrCat(NicknameText(n.nickname), " priority ", n.priority, " root ", n.root_priority));
  }
  if (trill.trees) {
    add("trees", absl::StrCat("computes ", trill.trees->to_compute, " of ", trill.trees->can_compute, ", uses ",
                              trill.trees->to_use));
  }
  for (const isis::TreeRoots& trees : trill.tree_roots) add("tree_roots", TreesText(trees));
  for (const isis::TreeRoots& trees : trill.trees_used) add("trees_used", TreesText(trees));
  for (const isis::InterestedVlans& interested : trill.interested_vlans) {
    add("interested_vlans", InterestedText(interested));
  }
  for (const isis::VlanGroup& group : trill.vlan_groups) {
    add("vlan_group",
        absl::StrCat(group.primary, group.secondaries.empty() ? "" : ": ", absl::StrJoin(group.secondaries, " ")));
  }
  if (trill.version) {
    add("trill_version", absl::StrCat(trill.version->max_version, " capabilities 0x",
                                      absl::Hex(trill.version->capabilities, absl::kZeroPad8)));
  }
}

AdvertisedFact FactOf(const isis::GroupMembership& group) {
  std::string text = absl::StrCat(AddressText(group.group), group.labeled ? " label " : " vlan ", group.vlan);
  for (const auto& source : group.sources) absl::StrAppend(&text, " from ", AddressText(source));
  return {"multicast_group", std::move(text), group.topology};
}

}  // namespace

NodeKey KeyOf(const isis::NodeId& node) {
  uint64_t value = 0;
  for (const uint8_t octet : node.system.octets) value = value << 8 | octet;
  return {value << 16 | uint64_t{node.pseudonode} << 8};
}

isis::NodeId IsisNode(NodeKey key) {
  isis::NodeId node;
  for (size_t i = 0; i < node.system.octets.size(); ++i) {
    node.system.octets[i] = static_cast<uint8_t>(key.value >> (56 - 8 * i));
  }
  node.pseudonode = static_cast<uint8_t>(key.value >> 8);
  return node;
}

AdvertisementKey KeyOf(isis::Level level, const isis::LspId& id) {
  return {static_cast<uint8_t>(level), KeyOf(id.node), id.fragment};
}

Advertisement AdvertisementOf(isis::Level level, const isis::LspId& id, uint32_t sequence, uint8_t flags,
                              const isis::LspContent& content) {
  Advertisement a;
  a.key = KeyOf(level, id);
  a.sequence = sequence;
  a.overload = (flags & kOverload) != 0;
  a.attached = (flags & kAttached) != 0;
  for (const isis::TopologyMembership& m : content.topologies) {
    if (m.topology != isis::kStandardTopology) a.topologies.push_back({m.topology, m.overload, m.attached});
  }
  a.name = content.hostname;
  a.router_id = content.router_id;
  a.router_id_v6 = content.router_id_v6;
  for (const isis::AreaAddress& area : content.areas) a.areas.push_back(area.ToString());
  a.addresses = content.interface_addresses;

  std::set<isis::NodeId> wide_nodes;
  for (const isis::Neighbor& n : content.neighbors) {
    if (n.wide && n.topology == isis::kStandardTopology) wide_nodes.insert(n.node);
  }
  a.links.reserve(content.neighbors.size());
  for (const isis::Neighbor& n : content.neighbors) {
    if (!n.wide && wide_nodes.count(n.node) != 0) continue;
    AdvertisedLink link;
    link.to = KeyOf(n.node);
    link.topology = n.topology;
    link.metric = n.metric;
    link.local_address = FirstOf(n.local_address, n.local_address_v6);
    link.remote_address = FirstOf(n.remote_address, n.remote_address_v6);
    link.local_id = n.local_link_id;
    link.remote_id = n.remote_link_id;
    if (n.max_bandwidth && std::isfinite(*n.max_bandwidth) && *n.max_bandwidth >= 0) link.bandwidth = n.max_bandwidth;
    a.links.push_back(std::move(link));
  }
  a.links.shrink_to_fit();

  std::set<base::IpPrefix> wide_prefixes;
  for (const isis::Reachability& r : content.prefixes) {
    if (r.wide && r.topology == isis::kStandardTopology) wide_prefixes.insert(r.prefix);
  }
  a.prefixes.reserve(content.prefixes.size());
  for (const isis::Reachability& r : content.prefixes) {
    if (!r.wide && wide_prefixes.count(r.prefix) != 0) continue;
    AdvertisedPrefix prefix;
    prefix.prefix = r.prefix;
    prefix.topology = r.topology;
    prefix.metric = r.metric;
    prefix.down = r.down;
    prefix.external = r.external || (r.attribute_flags.value_or(0) & kExternalPrefix) != 0;
    prefix.external_metric = r.external_metric;
    for (const isis::SegmentId& sid : r.prefix_sids) {
      if ((sid.flags & kSegmentValue) != 0 || prefix.segment_index) continue;
      prefix.segment_index = sid.value;
    }
    a.prefixes.push_back(std::move(prefix));
  }
  a.prefixes.shrink_to_fit();

  for (const isis::Neighbor& n : content.neighbors) {
    if (!n.mtu) continue;
    a.facts.push_back(
        {"link_mtu", absl::StrCat(n.node.ToString(), " ", n.mtu->octets, n.mtu->failed ? " failed" : ""), n.topology});
  }
  for (const isis::RouterCapability& capability : content.capabilities) AppendFacts(capability, &a.facts);
  for (const isis::GroupMembership& group : content.groups) a.facts.push_back(FactOf(group));
  a.facts.shrink_to_fit();
  return a;
}

}  // namespace flowacct::topology
