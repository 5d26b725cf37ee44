#include "flowacct/topology/from_isis.h"

#include <algorithm>
#include <set>
#include <utility>

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
    link.bandwidth = n.max_bandwidth;
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
  return a;
}

}  // namespace flowacct::topology
