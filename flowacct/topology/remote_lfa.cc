#include "flowacct/topology/remote_lfa.h"

#include <tuple>

#include "absl/container/flat_hash_map.h"

namespace flowacct::topology {

void RemoteAlternates::Compute(const Graph& graph, const LoopFreeAlternates& alternates) {
  graph_ = &graph;
  alternates_ = &alternates;
  to_router_.Compute(graph, alternates.router(), ShortestPaths::Direction::kTo);
  to_.clear();
  const auto& adjacencies = alternates.adjacencies();
  neighbor_to_.assign(adjacencies.size(), kNoIndex);
  lan_to_.assign(adjacencies.size(), kNoIndex);
  absl::flat_hash_map<NodeIndex, uint32_t> number_of;
  const auto number = [&](NodeIndex n) {
    const auto [it, is_new] = number_of.try_emplace(n, static_cast<uint32_t>(to_.size()));
    if (is_new) {
      to_.emplace_back();
      to_.back().Compute(graph, n, ShortestPaths::Direction::kTo);
    }
    return it->second;
  };
  for (size_t a = 0; a < adjacencies.size(); ++a) {
    neighbor_to_[a] = number(adjacencies[a].neighbor);
    if (adjacencies[a].pseudonode != kNoIndex) lan_to_[a] = number(adjacencies[a].pseudonode);
  }
}

bool RemoteAlternates::SameLink(size_t a, size_t b) const {
  const Adjacency& x = alternates_->adjacencies()[a];
  const Adjacency& y = alternates_->adjacencies()[b];
  return x.link == y.link || (x.pseudonode != kNoIndex && x.pseudonode == y.pseudonode);
}

// `beyond` are the paths from the end of `link` on.
bool RemoteAlternates::OverLink(const ShortestPaths& from, NodeIndex n, LinkIndex link,
                                const ShortestPaths& beyond) const {
  const GraphLink& l = graph_->link(link);
  if (!from.reached(l.from) || (graph_->node(l.from).overload && from.root() != l.from)) return false;
  if (!beyond.reached(n) || (graph_->node(l.to).overload && n != l.to)) return false;
  return AddMetric(AddMetric(from.distance(l.from), l.metric), beyond.distance(n)) == from.distance(n);
}

bool RemoteAlternates::Meets(const ShortestPaths& from, size_t primary, NodeIndex n) const {
  const Adjacency& p = alternates_->adjacencies()[primary];
  if (p.pseudonode != kNoIndex) {
    const ShortestPaths& lan = alternates_->lan_paths(primary);
    return from.reached(p.pseudonode) && lan.reached(n) &&
           AddMetric(from.distance(p.pseudonode), lan.distance(n)) == from.distance(n);
  }
  if (OverLink(from, n, p.link, alternates_->neighbor_paths(primary))) return true;
  const LinkIndex reverse = graph_->link(p.link).reverse;
  return reverse != kNoIndex && OverLink(from, n, reverse, alternates_->paths());
}

bool RemoteAlternates::InP(size_t primary, NodeIndex n) const {
  return alternates_->paths().reached(n) && !Meets(alternates_->paths(), primary, n);
}

bool RemoteAlternates::InPOf(size_t by, size_t primary, NodeIndex n) const {
  const ShortestPaths& paths = alternates_->neighbor_paths(by);
  return paths.reached(n) && !Meets(paths, primary, n);
}

bool RemoteAlternates::InExtendedP(size_t primary, NodeIndex n) const {
  for (size_t a = 0; a < alternates_->adjacencies().size(); ++a) {
    if (!SameLink(a, primary) && !graph_->node(alternates_->adjacencies()[a].neighbor).overload &&
        InPOf(a, primary, n)) {
      return true;
    }
  }
  return false;
}

bool RemoteAlternates::InQOf(const ShortestPaths& to, size_t primary, NodeIndex n) const {
  if (!to.reached(n)) return false;
  const Adjacency& p = alternates_->adjacencies()[primary];
  // From n to one end of a link, over it, and from its other end to the root of `to`.
  const auto over = [&](const ShortestPaths& to_begin, LinkIndex link) {
    const GraphLink& l = graph_->link(link);
    if (!to_begin.reached(n) || (graph_->node(l.from).overload && n != l.from)) return false;
    if (!to.reached(l.to) || (graph_->node(l.to).overload && to.root() != l.to)) return false;
    return AddMetric(AddMetric(to_begin.distance(n), l.metric), to.distance(l.to)) == to.distance(n);
  };
  if (p.pseudonode != kNoIndex) {
    const ShortestPaths& to_lan = to_[lan_to_[primary]];
    return !(to_lan.reached(n) && to.reached(p.pseudonode) &&
             AddMetric(to_lan.distance(n), to.distance(p.pseudonode)) == to.distance(n));
  }
  if (over(to_router_, p.link)) return false;
  const LinkIndex reverse = graph_->link(p.link).reverse;
  return reverse == kNoIndex || !over(to_neighbor(primary), reverse);
}

std::optional<RemoteAlternate> RemoteAlternates::BestOf(const ShortestPaths& to, size_t primary) const {
  std::optional<RemoteAlternate> best;
  const auto rank = [](const RemoteAlternate& a) {
    return std::make_tuple(a.distance, a.to_node, a.node, a.adjacency);
  };
  const auto& adjacencies = alternates_->adjacencies();
  for (NodeIndex n = 0; n < graph_->node_count(); ++n) {
    const GraphNode& node = graph_->node(n);
    if (node.pseudonode || node.overload || n == alternates_->router() || !InQOf(to, primary, n)) continue;
    for (size_t a = 0; a < adjacencies.size(); ++a) {
      if (SameLink(a, primary) || graph_->node(adjacencies[a].neighbor).overload || !InPOf(a, primary, n)) continue;
      RemoteAlternate alternate;
      alternate.node = n;
      alternate.adjacency = static_cast<uint32_t>(a);
      alternate.to_node = AddMetric(adjacencies[a].metric, alternates_->neighbor_paths(a).distance(n));
      alternate.distance = AddMetric(alternate.to_node, to.distance(n));
      if (!best || rank(alternate) < rank(*best)) best = alternate;
    }
  }
  return best;
}

}  // namespace flowacct::topology
