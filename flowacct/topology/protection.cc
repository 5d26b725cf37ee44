#include "flowacct/topology/protection.h"

#include <algorithm>
#include <tuple>

#include "absl/container/flat_hash_map.h"

namespace flowacct::topology {

std::vector<Adjacency> AdjacenciesOf(const Graph& graph, NodeIndex router) {
  std::vector<Adjacency> adjacencies;
  LinkIndex l = graph.first_link(router);
  for (const GraphLink& link : graph.links_of(router)) {
    if (!graph.node(link.to).pseudonode) {
      adjacencies.push_back({l, link.to, kNoIndex, kNoIndex, link.metric});
    } else {
      LinkIndex onward = graph.first_link(link.to);
      for (const GraphLink& member : graph.links_of(link.to)) {
        if (member.to != router) {
          adjacencies.push_back({l, member.to, link.to, onward, AddMetric(link.metric, member.metric)});
        }
        ++onward;
      }
    }
    ++l;
  }
  return adjacencies;
}

void LoopFreeAlternates::Compute(const Graph& graph, NodeIndex router) {
  graph_ = &graph;
  adjacencies_ = AdjacenciesOf(graph, router);
  paths_.Compute(graph, router);
  roots_.clear();
  neighbor_root_.assign(adjacencies_.size(), kNoIndex);
  lan_root_.assign(adjacencies_.size(), kNoIndex);
  absl::flat_hash_map<NodeIndex, uint32_t> root_of;
  const auto root = [&](NodeIndex n) {
    const auto [it, is_new] = root_of.try_emplace(n, static_cast<uint32_t>(roots_.size()));
    if (is_new) {
      roots_.emplace_back();
      roots_.back().Compute(graph, n);
    }
    return it->second;
  };
  for (size_t a = 0; a < adjacencies_.size(); ++a) {
    neighbor_root_[a] = root(adjacencies_[a].neighbor);
    if (adjacencies_[a].pseudonode != kNoIndex) lan_root_[a] = root(adjacencies_[a].pseudonode);
  }
  FindFirstHops();
}

void LoopFreeAlternates::FindFirstHops() {
  words_ = (adjacencies_.size() + 63) / 64;
  first_hops_.assign(graph_->node_count() * words_, 0);
  const auto set = [&](NodeIndex n, size_t a) { first_hops_[n * words_ + a / 64] |= uint64_t{1} << (a % 64); };
  const NodeIndex router = paths_.root();
  for (size_t a = 0; a < adjacencies_.size(); ++a) {
    const Adjacency& adjacency = adjacencies_[a];
    if (!paths_.OnShortestPath(adjacency.link)) continue;
    if (adjacency.onward == kNoIndex || paths_.OnShortestPath(adjacency.onward)) set(adjacency.neighbor, a);
  }
  for (const NodeIndex n : paths_.order()) {
    for (const LinkIndex l : graph_->incoming(n)) {
      const NodeIndex from = graph_->link(l).from;
      if (from == router || !paths_.OnShortestPath(l)) continue;
      for (size_t w = 0; w < words_; ++w) first_hops_[n * words_ + w] |= first_hops_[from * words_ + w];
    }
  }
}

Distance LoopFreeAlternates::DistanceTo(const ShortestPaths& from, Destination destination) const {
  Distance least = kUnreached;
  for (const Target& target : destination) {
    if (!from.reached(target.node)) continue;
    least = std::min(least, AddMetric(from.distance(target.node), target.metric));
  }
  return least;
}

Distance LoopFreeAlternates::Through(const ShortestPaths& from, const ShortestPaths& through,
                                     Destination destination) const {
  const NodeIndex x = through.root();
  if (!from.reached(x)) return kUnreached;
  const Distance to_x = from.distance(x);
  Distance least = kUnreached;
  // What is overloaded is a destination, but on the way to none; a root that leaves itself is on its own way.
  const bool transit = !graph_->node(x).overload || from.root() == x;
  for (const Target& target : destination) {
    if ((!transit && target.node != x) || !through.reached(target.node)) continue;
    least = std::min(least, AddMetric(AddMetric(to_x, through.distance(target.node)), target.metric));
  }
  return least;
}

bool LoopFreeAlternates::IsPrimary(size_t adjacency, Destination destination) const {
  const Distance least = DistanceTo(paths_, destination);
  for (const Target& target : destination) {
    if (paths_.reached(target.node) && AddMetric(paths_.distance(target.node), target.metric) == least &&
        IsPrimary(adjacency, target.node)) {
      return true;
    }
  }
  return false;
}

Alternate LoopFreeAlternates::Judge(size_t primary, size_t candidate, Destination destination) const {
  Alternate alternate;
  alternate.adjacency = static_cast<uint32_t>(candidate);
  const Adjacency& p = adjacencies_[primary];
  const Adjacency& c = adjacencies_[candidate];
  const ShortestPaths& n = neighbor_paths(candidate);
  const Distance distance = DistanceTo(n, destination);
  alternate.distance = distance == kUnreached ? kUnreached : AddMetric(c.metric, distance);
  if (candidate == primary || distance == kUnreached) return alternate;
  if (graph_->node(c.neighbor).overload) {
    const bool own = std::any_of(destination.begin(), destination.end(), [&](const Target& target) {
      return target.node == c.neighbor && target.metric == distance;
    });
    if (!own) return alternate;
  }
  alternate.loop_free = distance < Through(n, paths_, destination);
  if (!alternate.loop_free) return alternate;
  if (p.pseudonode == kNoIndex) {
    alternate.link = c.link != p.link;
  } else {
    alternate.link = c.pseudonode != p.pseudonode && distance < Through(n, lan_paths(primary), destination);
  }
  alternate.node = distance < Through(n, neighbor_paths(primary), destination);
  alternate.downstream = distance < DistanceTo(paths_, destination);
  alternate.primary = IsPrimary(candidate, destination);
  return alternate;
}

std::optional<Alternate> LoopFreeAlternates::Best(size_t primary, Destination destination) const {
  std::optional<Alternate> best;
  const auto rank = [](const Alternate& a) {
    return std::make_tuple(!(a.link && a.node), !a.link, !a.primary, a.distance, !a.downstream, a.adjacency);
  };
  for (size_t c = 0; c < adjacencies_.size(); ++c) {
    if (c == primary) continue;
    const Alternate alternate = Judge(primary, c, destination);
    if (!alternate.link && !alternate.node) continue;
    if (!best || rank(alternate) < rank(*best)) best = alternate;
  }
  return best;
}

size_t LoopFreeAlternates::octets() const {
  size_t octets = adjacencies_.capacity() * sizeof(Adjacency) + first_hops_.capacity() * sizeof(uint64_t) +
                  (neighbor_root_.capacity() + lan_root_.capacity()) * sizeof(uint32_t) + paths_.octets();
  for (const ShortestPaths& paths : roots_) octets += paths.octets();
  return octets;
}

Coverage& Coverage::operator+=(const Coverage& other) {
  pairs += other.pairs;
  link += other.link;
  node += other.node;
  link_and_node += other.link_and_node;
  none += other.none;
  return *this;
}

Coverage CoverageOf(const LoopFreeAlternates& alternates, Destination destination) {
  Coverage coverage;
  for (size_t a = 0; a < alternates.adjacencies().size(); ++a) {
    if (!alternates.IsPrimary(a, destination)) continue;
    const std::optional<Alternate> best = alternates.Best(a, destination);
    ++coverage.pairs;
    coverage.link += best && best->link;
    coverage.node += best && best->node;
    coverage.link_and_node += best && best->link && best->node;
    coverage.none += !best;
  }
  return coverage;
}

Coverage CoverageOf(const Graph& graph, const LoopFreeAlternates& alternates) {
  Coverage coverage;
  for (NodeIndex n = 0; n < graph.node_count(); ++n) {
    if (graph.node(n).pseudonode || n == alternates.router()) continue;
    const Target target = {n, 0};
    coverage += CoverageOf(alternates, Destination(&target, 1));
  }
  return coverage;
}

}  // namespace flowacct::topology
