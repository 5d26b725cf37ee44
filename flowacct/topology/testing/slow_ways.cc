#include "flowacct/topology/testing/slow_ways.h"

#include <algorithm>

namespace flowacct::topology {

SlowWays::SlowWays(const Graph& graph, const Failure* failure)
    : graph_(&graph), failure_(failure), distance_(graph.node_count() * graph.node_count(), kNone) {
  const size_t nodes = graph.node_count();
  for (NodeIndex n = 0; n < nodes; ++n) distance_[n * nodes + n] = 0;
  for (LinkIndex l = 0; l < graph.link_count(); ++l) {
    if (failure_ != nullptr && failure_->link(l)) continue;
    uint64_t& d = distance_[graph.link(l).from * nodes + graph.link(l).to];
    d = std::min(d, uint64_t{graph.link(l).metric});
  }
  for (NodeIndex k = 0; k < nodes; ++k) {
    if (graph.node(k).overload) continue;
    for (NodeIndex a = 0; a < nodes; ++a) {
      for (NodeIndex b = 0; b < nodes; ++b) {
        uint64_t& d = distance_[a * nodes + b];
        d = std::min(d, distance_[a * nodes + k] + distance_[k * nodes + b]);
      }
    }
  }
}

bool SlowWays::On(NodeIndex at, LinkIndex l, NodeIndex a, NodeIndex b) const {
  if (failure_ != nullptr && failure_->link(l)) return false;
  const GraphLink& link = graph_->link(l);
  if (graph_->node(link.to).overload && link.to != b) return false;
  return distance(a, at) + link.metric + distance(link.to, b) == distance(a, b);
}

const SlowWays::Met& SlowWays::Walk(NodeIndex a, NodeIndex b) const {
  const auto [it, is_new] = met_.try_emplace({a, b});
  Met& met = it->second;
  if (!is_new) return met;
  if (distance(a, b) >= kNone) return met;
  std::vector<NodeIndex> open = {a};
  met.nodes.insert(a);
  while (!open.empty()) {
    const NodeIndex n = open.back();
    open.pop_back();
    if (n == b) continue;
    for (LinkIndex l = graph_->first_link(n); l < graph_->first_link(n) + graph_->links_of(n).size(); ++l) {
      if (!On(n, l, a, b)) continue;
      const NodeIndex to = graph_->link(l).to;
      met.links.insert(l);
      if (n == a) {
        met.first.insert(l);
        for (LinkIndex m = graph_->first_link(to); m < graph_->first_link(to) + graph_->links_of(to).size(); ++m) {
          if (to != b && On(to, m, a, b)) met.first_two.insert({l, m});
        }
      }
      if (met.nodes.insert(to).second) open.push_back(to);
    }
  }
  return met;
}

}  // namespace flowacct::topology
