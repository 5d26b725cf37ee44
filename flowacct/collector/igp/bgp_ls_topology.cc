#include "flowacct/collector/igp/bgp_ls_topology.h"

#include <algorithm>
#include <iterator>
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

// RFC 9552, 5.2.1.4: IS-IS six octets or seven, OSPF four or eight.
std::optional<topology::NodeKey> NodeOf(const bgp::LinkStateNode& node, NodeStyle style) {
  const uint8_t router = style == NodeStyle::kIsis ? 6 : 4, pseudonode = style == NodeStyle::kIsis ? 7 : 8;
  if (node.router_id_size != router && node.router_id_size != pseudonode) return std::nullopt;
  return topology::NodeKey{base::LoadBe64(node.router_id.data())};
}

// Where OSPFv2 and OSPFv3 run side by side their links are the same ones: OSPFv3 is the topology of IPv6, as with RFC
// 5120.
topology::TopologyNumber TopologyOf(const bgp::LinkStateNlri& nlri) {
  const bool v6 = nlri.protocol == LinkStateProtocol::kOspfV3 && nlri.type != LinkStateType::kIpv4Prefix;
  return v6 && nlri.topology == 0 ? 2 : nlri.topology;
}

// What one router says by several objects: of several areas, protocols or instances. The first has the last word.
void Merge(const Advertisement& node, Advertisement* a) {
  a->overload |= node.overload;
  a->attached |= node.attached;
  if (a->name.empty()) a->name = node.name;
  if (!a->router_id) a->router_id = node.router_id;
  if (!a->router_id_v6) a->router_id_v6 = node.router_id_v6;
  for (const topology::TopologyFlags& flags : node.topologies) {
    const auto known = std::find_if(a->topologies.begin(), a->topologies.end(),
                                    [&](const topology::TopologyFlags& f) { return f.topology == flags.topology; });
    if (known == a->topologies.end()) a->topologies.push_back(flags);
  }
  for (const std::string& area : node.areas) {
    if (std::find(a->areas.begin(), a->areas.end(), area) == a->areas.end()) a->areas.push_back(area);
  }
}

bool Same(const Advertisement& a, const Advertisement& b) { return topology::SameContent(a, b); }
template <typename T>
bool Same(const T& a, const T& b) {
  return a == b;
}

}  // namespace

std::optional<AdvertisementKey> BgpLsTopology::KeyOf(const bgp::LinkStateNlri& nlri, bool is_new) {
  if (nlri.rd != options_.rd) {
    ++counters_.other_vpn;
    return std::nullopt;
  }
  if (options_.instance && nlri.identifier != *options_.instance) {
    ++counters_.other_instance;
    return std::nullopt;
  }
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
    case LinkStateProtocol::kOspfV3:
      style = NodeStyle::kOspf;
      key.level = nlri.local.ospf_area.value_or(0) == 0 ? 2 : 1;
      break;
    default:
      ++counters_.other_protocol;
      return std::nullopt;
  }
  if (style_.value_or(style) != style) {
    ++counters_.other_style;
    return std::nullopt;
  }
  const auto origin = NodeOf(nlri.local, style);
  if (!origin) {
    ++counters_.no_router;
    return std::nullopt;
  }
  key.origin = *origin;
  if (is_new) style_ = style;
  return key;
}

void BgpLsTopology::Announce(const bgp::LinkStateNlri& nlri, const bgp::LinkStateAttribute& attribute,
                             BgpLsSource source) {
  ++counters_.announced;
  const auto key = KeyOf(nlri, true);
  if (!key) return;
  std::string name(base::AsText(nlri.octets));
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
      if (nlri.protocol == LinkStateProtocol::kOspfV3) node.topologies.push_back({2, node.overload, node.attached});
      for (const base::Octets area : attribute.isis_areas) node.areas.push_back(AreaText(area));
      if (nlri.local.ospf_area) node.areas.push_back(base::IpAddress::V4(*nlri.local.ospf_area).ToString());
      // An OSPF router's identifier is an address as a rule, and nothing else says where it is.
      if (*style_ == NodeStyle::kOspf && nlri.local.router_id_size == 4 && !node.router_id) {
        node.router_id = base::IpAddress::FromV4(nlri.local.router_id.data());
      }
      Put(*key, &Router::nodes, std::move(name), source, std::move(node));
      break;
    }
    case LinkStateType::kLink: {
      const auto to = NodeOf(nlri.remote, *style_);
      if (!to) {
        ++counters_.no_router;
        return;
      }
      // From a pseudonode nothing costs anything, and OSPF's network LSAs have no metric to tell.
      if (!attribute.igp_metric && !topology::IsPseudonode(*style_, key->origin)) {
        ++counters_.no_metric;
        Erase(*key, nlri, source);
        return;
      }
      topology::AdvertisedLink link;
      link.to = *to;
      link.topology = TopologyOf(nlri);
      link.metric = attribute.igp_metric.value_or(0);
      const bool v4 = nlri.interface_v4 != base::IpAddress() || nlri.neighbor_v4 != base::IpAddress();
      link.local_address = v4 ? nlri.interface_v4 : nlri.interface_v6;
      link.remote_address = v4 ? nlri.neighbor_v4 : nlri.neighbor_v6;
      link.local_id = nlri.local_id;
      link.remote_id = nlri.remote_id;
      link.bandwidth = attribute.max_bandwidth;
      Put(*key, &Router::links, std::move(name), source, link);
      break;
    }
    case LinkStateType::kIpv4Prefix:
    case LinkStateType::kIpv6Prefix: {
      topology::AdvertisedPrefix prefix;
      prefix.prefix = nlri.prefix;
      prefix.topology = TopologyOf(nlri);
      prefix.metric = attribute.prefix_metric.value_or(0);
      prefix.down = (attribute.prefix_flags & bgp::kLinkStatePrefixDown) != 0 && *style_ == NodeStyle::kIsis;
      // RFC 9552, 5.2.3.1: 3 to 6 are external of type 1 and 2, and the same of stub areas.
      prefix.external = nlri.ospf_route_type >= 3;
      prefix.external_metric = nlri.ospf_route_type == 4 || nlri.ospf_route_type == 6;
      prefix.segment_index = attribute.prefix_segment_index;
      Put(*key, &Router::prefixes, std::move(name), source, prefix);
      break;
    }
  }
}

template <typename T>
void BgpLsTopology::Put(const AdvertisementKey& key, Objects<T> Router::*objects, std::string name, BgpLsSource source,
                        T value) {
  const auto known = routers_.find(key);
  if (known != routers_.end()) {
    Objects<T>& all = known->second.*objects;
    if (const auto object = all.find(name); object != all.end()) {
      Words<T>& words = object->second;
      const auto word = std::find_if(words.begin(), words.end(), [&](const auto& w) { return w.first == source; });
      if (word != words.end() && Same(word->second, value)) return;
      const bool counted = word != words.end();
      if (!counted && tellings_ >= options_.max_objects) {
        ++counters_.beyond_bound;
        return;
      }
      const bool news = !Same(words.back().second, value);
      if (counted) {
        words.erase(word);
      } else {
        Counted(source, true);
      }
      words.emplace_back(source, std::move(value));
      if (news) changed_.insert(key);
      return;
    }
  }
  if (tellings_ >= options_.max_objects) {
    ++counters_.beyond_bound;
    return;
  }
  (routers_[key].*objects)[std::move(name)].emplace_back(source, std::move(value));
  Counted(source, true);
  ++objects_;
  changed_.insert(key);
}

void BgpLsTopology::Counted(BgpLsSource source, bool more) {
  if (more) {
    ++tellings_;
    ++of_source_[source];
    return;
  }
  --tellings_;
  const auto found = of_source_.find(source);
  if (--found->second == 0) of_source_.erase(found);
}

void BgpLsTopology::Withdraw(const bgp::LinkStateNlri& nlri, BgpLsSource source) {
  const BgpLsCounters before = counters_;
  const auto key = KeyOf(nlri, false);
  counters_ = before;  // what is refused is what was announced
  ++counters_.withdrawn;
  if (key) Erase(*key, nlri, source);
}

template <typename T>
bool BgpLsTopology::EraseWord(Words<T>* words, BgpLsSource source, const AdvertisementKey& key) {
  const auto word = std::find_if(words->begin(), words->end(), [&](const auto& w) { return w.first == source; });
  if (word == words->end()) return false;
  const bool last = words->size() == 1;
  const bool counted = word + 1 == words->end();
  if (last || (counted && !Same((word - 1)->second, word->second))) changed_.insert(key);
  words->erase(word);
  Counted(source, false);
  if (last) --objects_;
  return last;
}

void BgpLsTopology::Erase(const AdvertisementKey& key, const bgp::LinkStateNlri& nlri, BgpLsSource source) {
  const auto router = routers_.find(key);
  if (router == routers_.end()) return;
  const std::string name(base::AsText(nlri.octets));
  const auto erase = [&](auto& objects) {
    const auto object = objects.find(name);
    if (object != objects.end() && EraseWord(&object->second, source, key)) objects.erase(object);
  };
  switch (nlri.type) {
    case LinkStateType::kNode:
      return erase(router->second.nodes);
    case LinkStateType::kLink:
      return erase(router->second.links);
    case LinkStateType::kIpv4Prefix:
    case LinkStateType::kIpv6Prefix:
      return erase(router->second.prefixes);
  }
}

template <typename T>
void BgpLsTopology::EraseAll(Objects<T>* objects, BgpLsSource source, const AdvertisementKey& key) {
  for (auto object = objects->begin(); object != objects->end();) {
    object = EraseWord(&object->second, source, key) ? objects->erase(object) : std::next(object);
  }
}

void BgpLsTopology::WithdrawAll(BgpLsSource source) {
  if (objects_of(source) == 0) return;
  for (auto& [key, router] : routers_) {
    EraseAll(&router.nodes, source, key);
    EraseAll(&router.links, source, key);
    EraseAll(&router.prefixes, source, key);
  }
}

bool BgpLsTopology::TakeChanges(absl::FunctionRef<void(const Advertisement& changed)> changed,
                                absl::FunctionRef<void(const AdvertisementKey& gone)> gone, size_t max) {
  for (; max > 0 && !changed_.empty(); --max) {
    const AdvertisementKey key = *changed_.begin();
    changed_.erase(changed_.begin());
    const auto found = routers_.find(key);
    if (found == routers_.end()) continue;
    const Router& router = found->second;
    if (router.empty()) {
      routers_.erase(found);
      gone(key);
      continue;
    }
    Advertisement advertisement;
    advertisement.key = key;
    for (const auto& [name, words] : router.nodes) Merge(words.back().second, &advertisement);
    for (const auto& [name, words] : router.links) advertisement.links.push_back(words.back().second);
    for (const auto& [name, words] : router.prefixes) advertisement.prefixes.push_back(words.back().second);
    changed(advertisement);
  }
  return !changed_.empty();
}

}  // namespace flowacct::collector
