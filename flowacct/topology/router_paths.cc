#include "flowacct/topology/router_paths.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace flowacct::topology {

TopologyGraphs GraphsOf(const TopologyState& state) {
  TopologyGraphs graphs;
  for (const uint8_t level : {uint8_t{1}, uint8_t{2}}) {
    for (const TopologyNumber topology : {TopologyNumber{0}, TopologyNumber{2}}) {
      graphs.graphs[TopologyGraphs::PlaceOf(level, topology)] =
          std::make_shared<const Graph>(state.GraphOf(level, topology));
    }
  }
  return graphs;
}

absl::string_view RouteKindName(RouteKind kind) {
  static constexpr absl::string_view kNames[] = {
#define X(kind, text) text,
      FLOWACCT_TOPOLOGY_ROUTE_KINDS(X)
#undef X
  };
  return kNames[static_cast<size_t>(kind)];
}

RouteKind KindOf(const ReachCandidate& c) {
  const bool external = (c.flags & ReachCandidate::kExternalMetric) != 0;
  // RFC 7775, 4: of level 2 the up/down bit makes no difference.
  if (c.level == 2) return external ? RouteKind::kLevel2External : RouteKind::kLevel2;
  if ((c.flags & ReachCandidate::kDown) != 0) return external ? RouteKind::kInterAreaExternal : RouteKind::kInterArea;
  return external ? RouteKind::kLevel1External : RouteKind::kLevel1;
}

RouterPaths::RouterPaths(TopologyGraphs graphs, NodeKey root, const RouterPaths* before)
    : graphs_(std::move(graphs)), root_(root) {
  for (size_t i = 0; i < TopologyGraphs::kCount; ++i) {
    const Graph& graph = *graphs_.graphs[i];
    const bool known = before != nullptr && before->root_ == root;
    if (known && before->graphs_.graphs[i] == graphs_.graphs[i]) {
      trees_[i] = before->trees_[i];
      continue;
    }
    auto tree = std::make_shared<Tree>();
    tree->root = graph.Find(root);
    if (tree->root != kNoIndex) {
      std::optional<std::vector<NodePair>> changed;
      if (known && before->trees_[i]->root == tree->root) changed = ChangedLinks(*before->graphs_.graphs[i], graph);
      if (changed) {
        tree->paths = before->trees_[i]->paths;
        tree->paths.Update(graph, *changed);
      } else {
        tree->paths.Compute(graph, tree->root);
      }
      FindFirstHops(graph, tree.get());
    }
    trees_[i] = std::move(tree);
  }
  const Tree& level_2 = at(2, 0);
  const Tree& level_2_v6 = at(2, 2);
  level_2_ = (level_2.root != kNoIndex && !graphs_.of(2, 0).links_of(level_2.root).empty()) ||
             (level_2_v6.root != kNoIndex && !graphs_.of(2, 2).links_of(level_2_v6.root).empty());
  for (const uint8_t level : {uint8_t{1}, uint8_t{2}}) v6_topology_[level] = has(level, 2) ? 2 : 0;
}

void RouterPaths::FindFirstHops(const Graph& graph, Tree* tree) {
  const ShortestPaths& paths = tree->paths;
  tree->set_of.assign(graph.node_count(), 0);
  tree->first_of_set = {0, 0};  // set 0 is empty
  tree->hops.clear();
  const auto set = [&](uint32_t number) {
    return absl::MakeConstSpan(tree->hops)
        .subspan(tree->first_of_set[number], tree->first_of_set[number + 1] - tree->first_of_set[number]);
  };
  absl::flat_hash_map<std::vector<std::pair<LinkIndex, NodeIndex>>, uint32_t> numbers;
  std::vector<FirstHop> hops;
  std::vector<std::pair<LinkIndex, NodeIndex>> key;
  std::vector<bool> own_lan(graph.node_count(), false);  // on a shortest path just behind the root
  for (const NodeIndex n : paths.order()) {
    if (n == tree->root) continue;
    hops.clear();
    uint32_t only = 0;  // the one set that it has, if no other came
    size_t sets = 0;
    for (const LinkIndex l : graph.incoming(n)) {
      if (!paths.OnShortestPath(l)) continue;
      const NodeIndex from = graph.link(l).from;
      if (from == tree->root) {
        hops.push_back({l, n});
        if (graph.node(n).pseudonode) own_lan[n] = true;
        ++sets;
        only = 0;
        continue;
      }
      const uint32_t number = tree->set_of[from];
      if (own_lan[from]) {  // the routers behind it are hops
        for (const FirstHop hop : set(number)) {
          hops.push_back(hop.router == from ? FirstHop{hop.link, n} : hop);
        }
        sets += 2;
        continue;
      }
      if (sets == 1 && only == number) continue;
      const absl::Span<const FirstHop> theirs = set(number);
      hops.insert(hops.end(), theirs.begin(), theirs.end());
      ++sets;
      only = number;
    }
    if (sets == 1 && only != 0) {
      tree->set_of[n] = only;
      continue;
    }
    std::sort(hops.begin(), hops.end());
    hops.erase(std::unique(hops.begin(), hops.end()), hops.end());
    key.clear();
    for (const FirstHop hop : hops) key.emplace_back(hop.link, hop.router);
    const auto [it, first] = numbers.emplace(key, static_cast<uint32_t>(tree->first_of_set.size() - 1));
    if (first) {
      tree->hops.insert(tree->hops.end(), hops.begin(), hops.end());
      tree->first_of_set.push_back(static_cast<uint32_t>(tree->hops.size()));
    }
    tree->set_of[n] = it->second;
  }
}

absl::Span<const FirstHop> RouterPaths::first_hops(uint8_t level, TopologyNumber topology, NodeIndex node) const {
  const Tree& tree = at(level, topology);
  if (node >= tree.set_of.size()) return {};
  const uint32_t number = tree.set_of[node];
  return absl::MakeConstSpan(tree.hops).subspan(tree.first_of_set[number],
                                                tree.first_of_set[number + 1] - tree.first_of_set[number]);
}

RouterRoute RouterPaths::Choose(absl::Span<const ReachCandidate> candidates, bool v6) const {
  RouterRoute route;
  std::tuple<RouteKind, uint32_t, uint32_t> best;
  for (const ReachCandidate& c : candidates) {
    if (c.level != 1 && c.level != 2) continue;
    if (c.topology != (v6 ? v6_topology_[c.level] : 0) || c.metric > kMaxDistance) continue;
    const bool attached = (c.flags & ReachCandidate::kAttached) != 0;
    if (attached && (level_2_ || c.node == root_)) continue;
    const Tree& tree = at(c.level, c.topology);
    if (tree.root == kNoIndex) continue;
    const NodeIndex node = graphs_.of(c.level, c.topology).Find(c.node);
    if (node == kNoIndex || !tree.paths.reached(node)) continue;
    const RouteKind kind = KindOf(c);
    const Distance distance = tree.paths.distance(node);
    const bool external = kind >= RouteKind::kLevel1External;
    // RFC 1195, 3.10.2: external metrics count before the way to who tells them.
    const std::tuple<RouteKind, uint32_t, uint32_t> rank(kind, external ? c.metric : AddMetric(distance, c.metric),
                                                         external ? distance : 0);
    if (!route.egress.empty()) {
      if (best < rank) continue;
      if (best == rank) {
        route.egress.push_back(node);
        route.attached = route.attached && attached;
        continue;
      }
    }
    best = rank;
    route.kind = kind;
    route.level = c.level;
    route.topology = c.topology;
    route.attached = attached;
    route.metric = external ? distance : std::get<1>(rank);
    route.external_metric = external ? c.metric : 0;
    route.egress.assign(1, node);
  }
  std::sort(route.egress.begin(), route.egress.end());
  route.egress.erase(std::unique(route.egress.begin(), route.egress.end()), route.egress.end());
  return route;
}

RouterRoute RouterPaths::Find(const ReachReader& reader, const base::IpAddress& address, uint8_t* length) const {
  const bool v6 = !address.IsV4();
  ReachView view = reader.Find(address);
  while (view.found()) {
    RouterRoute route = Choose(view.candidates, v6);
    if (route.found() || view.length == 0) {
      *length = view.length;
      return route;
    }
    view = reader.FindShorter(address, view.length);
  }
  *length = 0;
  return {};
}

std::vector<FirstHop> RouterPaths::FirstHopsOf(const RouterRoute& route) const {
  std::vector<FirstHop> all;
  for (const NodeIndex node : route.egress) {
    const absl::Span<const FirstHop> hops = first_hops(route.level, route.topology, node);
    all.insert(all.end(), hops.begin(), hops.end());
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

size_t RouterPaths::octets() const {
  size_t octets = sizeof(*this);
  for (const auto& tree : trees_) {
    octets += tree->paths.octets() + (tree->set_of.capacity() + tree->first_of_set.capacity()) * sizeof(uint32_t) +
              tree->hops.capacity() * sizeof(FirstHop);
  }
  return octets;
}

std::vector<std::vector<LinkIndex>> PathsTo(const Graph& graph, const ShortestPaths& paths, NodeIndex to, size_t max) {
  std::vector<std::vector<LinkIndex>> all;
  if (to >= graph.node_count() || !paths.reached(to) || max == 0) return all;
  // Backwards from the end, depth first; `next` is the incoming link that is tried next at each node of the way.
  std::vector<LinkIndex> way;
  std::vector<size_t> next = {0};
  NodeIndex at = to;
  for (;;) {
    if (at == paths.root()) {
      all.emplace_back(way.rbegin(), way.rend());
      if (all.size() == max) return all;
    } else {
      const absl::Span<const LinkIndex> incoming = graph.incoming(at);
      size_t& i = next.back();
      while (i < incoming.size() && !paths.OnShortestPath(incoming[i])) ++i;
      if (i < incoming.size()) {
        const LinkIndex l = incoming[i++];
        way.push_back(l);
        next.push_back(0);
        at = graph.link(l).from;
        continue;
      }
    }
    if (way.empty()) return all;
    at = graph.link(way.back()).to;
    way.pop_back();
    next.pop_back();
  }
}

}  // namespace flowacct::topology
