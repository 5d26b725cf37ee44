#include "flowacct/collector/igp/bgp_ls_topology.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "flowacct/base/octets.h"

namespace flowacct::collector {
namespace {

using bgp::LinkStateProtocol;
using bgp::LinkStateType;
using topology::Advertisement;
using topology::AdvertisementKey;
using topology::NodeStyle;

// "49.0001": ISO 10589, 7.1.1, as people write it.
std::string AreaText(base::Octets area) {
  std::string text;
  for (size_t i = 0; i < area.size(); ++i) {
    absl::StrAppend(&text, i % 2 == 1 ? "." : "", absl::BytesToHexString(base::AsText(area.subspan(i, 1))));
  }
  return text;
}

}  // namespace

std::optional<topology::NodeKey> BgpLsTopology::NodeOf(const bgp::LinkStateNode& node) const {
  // RFC 9552, 5.2.1.4: IS-IS six octets or seven, OSPF four or eight.
  const bool right = *style_ == NodeStyle::kIsis ? node.router_id_size == 6 || node.router_id_size == 7
                                                 : node.router_id_size == 4 || node.router_id_size == 8;
  if (!right) return std::nullopt;
  return topology::NodeKey{base::LoadBe64(node.router_id.data())};
}

std::optional<AdvertisementKey> BgpLsTopology::KeyOf(const bgp::LinkStateNlri& nlri) {
  AdvertisementKey key;
  NodeStyle style = NodeStyle::kIsis;
  switch (nlri.protocol) {
    case LinkStateProtocol::kIsisLevel1:
      key.level = 1;
      break;
    case LinkStateProtocol::kIsisLevel2:
      key.level = 2;
      break;
    case LinkStateProtocol::kOspfV2:
    case LinkStateProtocol::kOspfV3: {
      style = NodeStyle::kOspf;
      const uint32_t area = nlri.local.ospf_area.value_or(0);
      key.level = area == 0 ? 2 : 1;
      if (area == 0) break;
      const auto [known, is_new] = areas_.try_emplace(area, static_cast<uint8_t>(areas_.size()));
      if (is_new && areas_.size() > 256) {
        areas_.erase(known);
        ++counters_.beyond_bound;
        return std::nullopt;
      }
      key.fragment = known->second;
      break;
    }
    default:
      ++counters_.other_protocol;
      return std::nullopt;
  }
  if (!style_) style_ = style;
  if (*style_ != style) {
    ++counters_.other_style;
    return std::nullopt;
  }
  const auto origin = NodeOf(nlri.local);
  if (!origin) {
    ++counters_.no_router;
    return std::nullopt;
  }
  key.origin = *origin;
  return key;
}

void BgpLsTopology::Announce(const bgp::LinkStateNlri& nlri, const bgp::LinkStateAttribute& attribute) {
  ++counters_.announced;
  const auto key = KeyOf(nlri);
  if (!key) return;
  std::optional<topology::NodeKey> to;
  if (nlri.type == LinkStateType::kLink && !(to = NodeOf(nlri.remote))) {
    ++counters_.no_router;
    return;
  }
  const std::string name(base::AsText(nlri.octets));
  Erase(*key, name);
  if (objects_ >= options_.max_objects) {
    ++counters_.beyond_bound;
    return;
  }
  Router& router = routers_[*key];
  switch (nlri.type) {
    case LinkStateType::kNode: {
      Advertisement node;
      node.overload = (attribute.node_flags & bgp::kLinkStateOverload) != 0;
      node.attached = (attribute.node_flags & bgp::kLinkStateAttached) != 0;
      node.name = std::string(attribute.node_name);
      node.router_id = attribute.local_router_id;
      node.router_id_v6 = attribute.local_router_id_v6;
      for (const uint16_t number : attribute.topologies) {
        if (number != 0) node.topologies.push_back({number, node.overload, node.attached});
      }
      for (const base::Octets area : attribute.isis_areas) node.areas.push_back(AreaText(area));
      // An OSPF router's identifier is an address as a rule, and nothing else says where it is.
      if (*style_ == NodeStyle::kOspf && nlri.local.router_id_size == 4 && !node.router_id) {
        node.router_id = base::IpAddress::FromV4(nlri.local.router_id.data());
      }
      router.nodes.emplace(name, std::move(node));
      break;
    }
    case LinkStateType::kLink: {
      topology::AdvertisedLink link;
      link.to = *to;
      link.topology = nlri.topology;
      link.metric = attribute.igp_metric.value_or(0);
      const bool v4 = nlri.interface_v4 != base::IpAddress() || nlri.neighbor_v4 != base::IpAddress();
      link.local_address = v4 ? nlri.interface_v4 : nlri.interface_v6;
      link.remote_address = v4 ? nlri.neighbor_v4 : nlri.neighbor_v6;
      link.local_id = nlri.local_id;
      link.remote_id = nlri.remote_id;
      link.bandwidth = attribute.max_bandwidth;
      router.links.emplace(name, link);
      break;
    }
    case LinkStateType::kIpv4Prefix:
    case LinkStateType::kIpv6Prefix: {
      topology::AdvertisedPrefix prefix;
      prefix.prefix = nlri.prefix;
      prefix.topology = nlri.topology;
      prefix.metric = attribute.prefix_metric.value_or(0);
      prefix.down = (attribute.prefix_flags & bgp::kLinkStatePrefixDown) != 0 && *style_ == NodeStyle::kIsis;
      // RFC 9552, 5.2.3.1: 3 to 6 are external of type 1 and 2, and the same of stub areas.
      prefix.external = nlri.ospf_route_type >= 3;
      prefix.external_metric = nlri.ospf_route_type == 4 || nlri.ospf_route_type == 6;
      prefix.segment_index = attribute.prefix_segment_index;
      router.prefixes.emplace(name, prefix);
      break;
    }
  }
  ++objects_;
  changed_.insert(*key);
}

void BgpLsTopology::Withdraw(const bgp::LinkStateNlri& nlri) {
  ++counters_.withdrawn;
  const auto key = KeyOf(nlri);
  if (key) Erase(*key, std::string(base::AsText(nlri.octets)));
}

void BgpLsTopology::Erase(const AdvertisementKey& key, const std::string& name) {
  const auto router = routers_.find(key);
  if (router == routers_.end()) return;
  Router& r = router->second;
  if (r.nodes.erase(name) + r.links.erase(name) + r.prefixes.erase(name) == 0) return;
  --objects_;
  changed_.insert(key);
}

void BgpLsTopology::TakeChanges(absl::FunctionRef<void(const Advertisement& changed)> changed,
                                absl::FunctionRef<void(const AdvertisementKey& gone)> gone) {
  for (const AdvertisementKey& key : changed_) {
    const auto found = routers_.find(key);
    if (found == routers_.end()) continue;
    const Router& router = found->second;
    if (router.empty()) {
      routers_.erase(found);
      gone(key);
      continue;
    }
    // Several instances may tell of one router: the first counts, as long as it is there.
    Advertisement advertisement = router.nodes.empty() ? Advertisement() : router.nodes.begin()->second;
    advertisement.key = key;
    for (const auto& [name, link] : router.links) advertisement.links.push_back(link);
    for (const auto& [name, prefix] : router.prefixes) advertisement.prefixes.push_back(prefix);
    changed(advertisement);
  }
  changed_.clear();
}

}  // namespace flowacct::collector
