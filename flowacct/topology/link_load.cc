#include "flowacct/topology/link_load.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>

namespace flowacct::topology {

void EgressPaths::Compute(const Graph& graph, NodeIndex egress) {
  graph_ = &graph;
  egress_ = egress;
  paths_.Compute(graph, egress, ShortestPaths::Direction::kTo);
  const size_t nodes = graph.node_count();
  position_.assign(nodes, 0);
  for (size_t i = 0; i < paths_.order().size(); ++i) position_[paths_.order()[i]] = static_cast<uint32_t>(i);
  octets_.assign(nodes, 0);
  pending_.clear();
  next_.assign(nodes + 1, 0);
  links_.clear();
  for (NodeIndex n = 0; n < nodes; ++n) {
    for (LinkIndex l = graph.first_link(n); l < graph.first_link(n) + graph.links_of(n).size(); ++l) {
      if (paths_.OnShortestPath(l)) links_.push_back({l, 1});
    }
    next_[n + 1] = static_cast<uint32_t>(links_.size());
  }
  for (NextLink& next : links_) {
    const NodeIndex to = graph.link(next.link).to;
    if (graph.node(to).pseudonode && to != egress) next.ways = next_[to + 1] - next_[to];
  }
}

void EgressPaths::Pend(NodeIndex n, uint64_t octets) {
  if (octets_[n] == 0) {
    pending_.push_back(uint64_t{position_[n]} << 32 | n);
    std::push_heap(pending_.begin(), pending_.end());
  }
  octets_[n] += octets;
}

NodeIndex EgressPaths::Nearer() {
  std::pop_heap(pending_.begin(), pending_.end());
  const NodeIndex n = static_cast<NodeIndex>(pending_.back());
  pending_.pop_back();
  return n;
}

LinkLoad::LinkLoad(const Graph& graph) : graph_(&graph), octets_(graph.link_count(), 0) {}

void LinkLoad::Add(absl::Span<const Demand> demands) {
  std::vector<uint32_t> order(demands.size());
  std::iota(order.begin(), order.end(), 0u);
  const auto by_egress = [&](uint32_t a, uint32_t b) { return demands[a].to < demands[b].to; };
  if (!std::is_sorted(order.begin(), order.end(), by_egress)) std::stable_sort(order.begin(), order.end(), by_egress);
  for (const uint32_t i : order) {
    const Demand& demand = demands[i];
    // No link carries more than all of it, so that no sum below can overflow.
    if (demand.octets > std::numeric_limits<uint64_t>::max() - laid_ - local_ - lost_) {
      ++refused_;
      continue;
    }
    const size_t nodes = graph_->node_count();
    if (demand.from >= nodes || demand.to >= nodes) {
      lost_ += demand.octets;
      continue;
    }
    if (demand.from == demand.to) {
      local_ += demand.octets;
      continue;
    }
    if (egress_.egress() != demand.to) egress_.Compute(*graph_, demand.to);
    const bool way = egress_.Lay(demand.from, demand.octets, [this](LinkIndex l, uint64_t octets, bool first) {
      octets_[l] += octets;
      if (first) first_ += octets;
    });
    (way ? laid_ : lost_) += demand.octets;
  }
}

std::vector<LinkShare> SharesOf(const Graph& graph, NodeIndex from, NodeIndex to) {
  std::vector<LinkShare> shares;
  if (from >= graph.node_count() || to >= graph.node_count()) return shares;
  EgressPaths paths;
  paths.Compute(graph, to);
  constexpr uint64_t kWhole = uint64_t{1} << 48;
  paths.Lay(from, kWhole, [&](LinkIndex l, uint64_t octets, bool) {
    shares.push_back({l, static_cast<double>(octets) / static_cast<double>(kWhole)});
  });
  return shares;
}

}  // namespace flowacct::topology
