#include "flowacct/enrich/igp/testing/slow_igp.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/topology/equal_ways.h"

namespace flowacct::enrich {
namespace {

using topology::Graph;
using topology::LinkIndex;
using topology::NodeIndex;
using topology::NodeKey;

const base::IpAddress kUnspecified;

struct Way {
  std::vector<LinkIndex> links;
  uint64_t parts = 1;
};

// Every way from `at`, each step of which leads to an end in the end.
class Walker {
 public:
  Walker(const Graph& graph, const topology::ShortestPaths& paths, std::set<NodeIndex> ends)
      : graph_(graph), paths_(paths), ends_(std::move(ends)) {}

  bool Leads(NodeIndex n) {
    if (ends_.count(n) != 0) return true;
    const auto known = leads_.find(n);
    if (known != leads_.end()) return known->second;
    bool leads = false;
    for (LinkIndex l = graph_.first_link(n); l < graph_.first_link(n) + graph_.links_of(n).size(); ++l) {
      leads |= paths_.OnShortestPath(l) && Leads(graph_.link(l).to);
    }
    return leads_[n] = leads;
  }
  std::vector<LinkIndex> Next(NodeIndex n) {
    std::vector<LinkIndex> next;
    if (ends_.count(n) != 0) return next;
    for (LinkIndex l = graph_.first_link(n); l < graph_.first_link(n) + graph_.links_of(n).size(); ++l) {
      if (paths_.OnShortestPath(l) && Leads(graph_.link(l).to)) next.push_back(l);
    }
    return next;
  }
  void Walk(NodeIndex n, Way way, const std::function<void(NodeIndex, const Way&)>& end) {
    if (ends_.count(n) != 0) return end(n, way);
    uint64_t parts = 0;
    for (const LinkIndex l : Next(n)) {
      const NodeIndex to = graph_.link(l).to;
      parts += graph_.node(to).pseudonode && ends_.count(to) == 0 ? Next(to).size() : 1;
    }
    if (!graph_.node(n).pseudonode) way.parts *= parts;
    for (const LinkIndex l : Next(n)) {
      Way longer = way;
      longer.links.push_back(l);
      Walk(graph_.link(l).to, std::move(longer), end);
    }
  }

 private:
  const Graph& graph_;
  const topology::ShortestPaths& paths_;
  const std::set<NodeIndex> ends_;
  std::map<NodeIndex, bool> leads_;
};

}  // namespace

std::string SlowIgp::Name(NodeKey key) const {
  const topology::NodeStyle style = snapshot_->state.style();
  const NodeKey router = topology::RouterOf(style, key);
  std::string name;
  for (const auto& a : snapshot_->state.advertisements()) {
    if (a->key.origin == router && !a->name.empty() && name.empty()) name = a->name;
  }
  const std::string text = topology::NodeText(style, key);
  if (name.empty()) return text;
  return topology::IsPseudonode(style, key) ? name + text.substr(text.rfind('.')) : name;
}

std::optional<NodeKey> SlowIgp::RouterOf(const base::IpAddress& exporter) const {
  std::set<NodeKey> tell, own, leaked;
  for (const auto& a : snapshot_->state.advertisements()) {
    if (topology::IsPseudonode(snapshot_->state.style(), a->key.origin)) continue;
    bool told = a->router_id == exporter || a->router_id_v6 == exporter;
    for (const auto& address : a->addresses) told |= address == exporter;
    for (const auto& link : a->links) told |= link.local_address == exporter;
    if (told) tell.insert(a->key.origin);
  }
  if (tell.size() == 1) return *tell.begin();
  const uint8_t whole = exporter.IsV4() ? 32 : 128;
  for (const topology::ReachCandidate& c : reach_.FindPrefix({exporter, whole}).candidates) {
    (c.level == 1 && (c.flags & topology::ReachCandidate::kDown) == 0 ? own : leaked).insert(c.node);
  }
  const std::set<NodeKey>& those = own.empty() ? leaked : own;
  if (those.size() == 1) return *those.begin();
  return std::nullopt;
}

void SlowIgp::TellRoute(const topology::RouterRoute& route, const base::IpAddress& address, uint8_t length,
                        Told* told) {
  const Graph& graph = paths_->graphs().of(route.level, route.topology);
  const topology::ShortestPaths& paths = paths_->paths(route.level, route.topology);
  (*told)["igp_level"] = absl::StrCat(route.level);
  (*told)["igp_route"] = std::string(topology::RouteKindName(route.kind));
  (*told)["igp_metric"] = absl::StrCat(route.metric);
  std::set<NodeIndex> ends(route.egress.begin(), route.egress.end()), met;
  std::vector<std::string> ways, links, shares;
  uint64_t count = 0;
  const auto end = [&](NodeIndex n, const Way& way) {
    met.insert(n);
    if (count++ >= max_ways_) return;
    std::string names = Name(paths_->root());
    std::vector<std::string> its_links;
    for (const LinkIndex l : way.links) {
      const topology::GraphLink& link = graph.link(l);
      if (!graph.node(link.to).pseudonode) absl::StrAppend(&names, " ", Name(graph.node(link.to).key));
      its_links.push_back(absl::StrCat(Name(graph.node(link.from).key), "-", Name(graph.node(link.to).key)));
    }
    ways.push_back(names);
    links.push_back(absl::StrJoin(its_links, " "));
    shares.push_back(topology::PercentOfOne(way.parts));
  };
  Walker(graph, paths, ends).Walk(paths.root(), {}, end);
  const bool local = ends.count(paths.root()) != 0;
  (*told)["outcome"] = local ? "records_local" : "records_joined";
  const auto names = [&](bool identifiers) {
    return absl::StrJoin(met, "|", [&](std::string* out, NodeIndex n) {
      const NodeKey key = graph.node(n).key;
      out->append(identifiers ? topology::NodeText(graph.style(), key) : Name(key));
    });
  };
  (*told)["igp_egress"] = names(false);
  (*told)["igp_egress_id"] = names(true);
  (*told)["igp_path"] = absl::StrJoin(ways, "|");
  if (!local) (*told)["igp_links"] = absl::StrJoin(links, "|");
  (*told)["igp_ecmp_ways"] = absl::StrCat(count);
  (*told)["igp_ecmp_shares"] = absl::StrJoin(shares, "|");

  if (local) {
    (*told)["igp_protection"] = "local";
    return;
  }
  auto& alternates = alternates_[paths_->root()];
  if (alternates == nullptr) {
    alternates = std::make_shared<const topology::RouterAlternates>(snapshot_->graphs, paths_->root());
  }
  const auto& its = *alternates->of_graph[topology::TopologyGraphs::PlaceOf(route.level, route.topology)];
  // The candidates that could take the route's place.
  std::vector<topology::Target> targets;
  for (const auto& c : reach_.FindPrefix({address, length}).candidates) {
    if (c.level != route.level || c.topology != route.topology || topology::KindOf(c) != route.kind) continue;
    const NodeIndex node = graph.Find(c.node);
    if (node == topology::kNoIndex) continue;
    const bool egress = std::count(route.egress.begin(), route.egress.end(), node) != 0;
    if (!egress && ((c.flags & topology::ReachCandidate::kAttached) != 0) != route.attached) continue;
    if (route.kind >= topology::RouteKind::kLevel1External) {
      if (c.metric == route.external_metric) targets.push_back({node, 0});
    } else {
      targets.push_back({node, c.metric});
    }
  }
  bool link = true, node = true;
  std::vector<std::string> neighbors;
  size_t primaries = 0;
  for (size_t a = 0; a < its.adjacencies().size(); ++a) {
    if (!its.IsPrimary(a, targets)) continue;
    ++primaries;
    const auto best = its.Best(a, targets);
    link &= best && best->link;
    node &= best && best->node;
    if (!best) continue;
    const std::string name = Name(graph.node(its.adjacencies()[best->adjacency].neighbor).key);
    if (std::find(neighbors.begin(), neighbors.end(), name) == neighbors.end()) neighbors.push_back(name);
  }
  if (primaries == 0) return;
  (*told)["igp_protection"] = link && node ? "link_and_node" : link ? "link" : node ? "node" : "none";
  if (!neighbors.empty()) (*told)["igp_alternate"] = absl::StrJoin(neighbors, "|");
}

SlowIgp::Told SlowIgp::Tell(const Record& record) {
  Told told;
  const auto router = record.exporter ? RouterOf(*record.exporter) : std::nullopt;
  if (!router) return {{"outcome", "records_without_router"}};
  auto& paths = all_paths_[*router];
  if (paths == nullptr) paths = std::make_shared<const topology::RouterPaths>(snapshot_->graphs, *router);
  paths_ = paths.get();
  told["igp_ingress"] = Name(*router);
  told["igp_ingress_id"] = topology::NodeText(snapshot_->state.style(), *router);
  const auto tell_net = [&](const std::string& net, const std::string& mask, const base::IpAddress& address,
                            uint8_t length) {
    told[net] = base::IpPrefix(address, length).ToString();
    told[mask] = absl::StrCat(length);
  };
  if (record.src) {
    uint8_t length = 0;
    const topology::RouterRoute route = paths_->Find(reach_, *record.src, &length);
    if (route.found()) {
      const Graph& graph = paths_->graphs().of(route.level, route.topology);
      tell_net("igp_src_net", "igp_src_mask", *record.src, length);
      if (!record.src_mask || *record.src_mask < length) tell_net("src_net", "src_mask", *record.src, length);
      std::vector<std::string> names, identifiers;
      for (const NodeIndex n : route.egress) {
        names.push_back(Name(graph.node(n).key));
        identifiers.push_back(topology::NodeText(graph.style(), graph.node(n).key));
      }
      told["igp_src_router"] = absl::StrJoin(names, "|");
      told["igp_src_router_id"] = absl::StrJoin(identifiers, "|");
    }
  }
  const bool has_hop =
      record.next_hop && *record.next_hop != kUnspecified && *record.next_hop != base::IpAddress::V4(0);
  told["outcome"] = "records_without_address";
  if (!record.dst && !has_hop) return told;
  topology::RouterRoute route;
  uint8_t length = 0;
  base::IpAddress resolved;
  if (record.dst) {
    route = paths_->Find(reach_, *record.dst, &length);
    resolved = *record.dst;
    if (route.found()) tell_net("igp_dst_net", "igp_dst_mask", *record.dst, length);
  }
  const bool longer = route.found() && (!has_hop || length > record.dst_mask.value_or(0));
  if (longer && (!record.dst_mask || *record.dst_mask < length)) {
    tell_net("dst_net", "dst_mask", *record.dst, length);
  }
  told["outcome"] = "records_without_route";
  if (has_hop && !longer) {
    told["outcome"] = "records_without_next_hop";
    route = paths_->Find(reach_, *record.next_hop, &length);
    resolved = *record.next_hop;
  }
  if (route.found()) TellRoute(route, resolved, length, &told);
  return told;
}

}  // namespace flowacct::enrich
