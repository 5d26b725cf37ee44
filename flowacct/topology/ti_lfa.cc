#include "flowacct/topology/ti_lfa.h"

#include <algorithm>

namespace flowacct::topology {

void PostConvergence::Compute(const Graph& graph, NodeIndex router, const Failure& failure) {
  graph_ = &graph;
  failure_ = &failure;
  left_ = failure.Apply(&original_);
  paths_.Compute(left_, router);
  met_.clear();
}

const std::vector<uint8_t>& PostConvergence::MetFrom(NodeIndex n) {
  const auto it = met_.find(n);
  if (it != met_.end()) return it->second;
  if (met_.size() >= kKept) met_.clear();
  scratch_.Compute(*graph_, n);
  return met_.emplace(n, failure_->Met(scratch_)).first->second;
}

std::optional<RepairPath> PostConvergence::To(NodeIndex destination) {
  if (!paths_.reached(destination) || failure_->node(destination)) return std::nullopt;
  RepairPath repair;
  repair.distance = paths_.distance(destination);
  for (NodeIndex n = destination; n != paths_.root();) {
    const auto incoming = left_.incoming(n);
    const auto l =
        std::find_if(incoming.begin(), incoming.end(), [&](LinkIndex link) { return paths_.OnShortestPath(link); });
    if (l == incoming.end()) return std::nullopt;
    repair.links.push_back(original_[*l]);
    n = left_.link(*l).from;
  }
  std::reverse(repair.links.begin(), repair.links.end());

  // Routers on the path, and the link by which each is left.
  std::vector<NodeIndex> routers;
  std::vector<LinkIndex> leave;
  for (const LinkIndex l : repair.links) {
    const GraphLink& link = graph_->link(l);
    if (!graph_->node(link.from).pseudonode) {
      routers.push_back(link.from);
      leave.push_back(l);
    }
  }
  routers.push_back(destination);
  // The first hop is made by the interface that the router chooses. From there as far as old shortest paths go; what
  // they reach without the failure is all that lies on the way to the farthest such router.
  for (size_t at = 1; at + 1 < routers.size();) {
    const std::vector<uint8_t>& met = MetFrom(routers[at]);
    size_t farthest = at;
    while (farthest + 1 < routers.size() && met[routers[farthest + 1]] == 0) ++farthest;
    if (farthest + 1 == routers.size()) break;
    if (farthest > at) {
      repair.segments.push_back({Segment::Kind::kNode, routers[farthest], kNoIndex});
      at = farthest;
    } else {
      repair.segments.push_back({Segment::Kind::kAdjacency, routers[at + 1], leave[at]});
      ++at;
    }
  }
  return repair;
}

}  // namespace flowacct::topology
