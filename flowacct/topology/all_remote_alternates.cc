// The remote alternates of all_alternates.h.

#include <algorithm>
#include <tuple>

#include "flowacct/topology/all_alternates.h"
#include "flowacct/topology/eight_cells.h"

namespace flowacct::topology {
namespace {

bool Better(const RemoteAlternate& a, const RemoteAlternate& b) {
  return b.node == kNoIndex ||
         std::tie(a.distance, a.to_node, a.node, a.adjacency) < std::tie(b.distance, b.to_node, b.node, b.adjacency);
}

}  // namespace

void AllAlternates::Merge(const Tunnels& from, Tunnels* into) {
  for (size_t a = 0; a < from.size(); ++a) {
    if (from[a].node != kNoIndex && Better(from[a], (*into)[a])) (*into)[a] = from[a];
  }
}

AllAlternates::Edges AllAlternates::Outgoing() const {
  Edges outgoing;
  outgoing.first.reserve(graph_->node_count() + 1);
  outgoing.first.push_back(0);
  for (NodeIndex n = 0; n < graph_->node_count(); ++n) {
    LinkIndex l = graph_->first_link(n);
    for (const GraphLink& link : graph_->links_of(n)) {
      if (useful_[l++] != 0) outgoing.edges.push_back({link.to, static_cast<Cell>(link.metric)});
    }
    outgoing.first.push_back(static_cast<uint32_t>(outgoing.edges.size()));
  }
  return outgoing;
}

void AllAlternates::FindTunnels(size_t part, Tunnels* tunnels) const {
  if (!tunnels_are_quick_) {
    const NodeIndex end = static_cast<NodeIndex>(std::min(graph_->node_count(), (part + 1) * kRoutersOfPart));
    for (NodeIndex n = static_cast<NodeIndex>(part * kRoutersOfPart); n < end; ++n) {
      if (graph_->node(n).pseudonode) continue;
      LoopFreeAlternates alternates;
      alternates.Compute(*graph_, n);
      RemoteAlternates remote;
      remote.Compute(*graph_, alternates);
      for (uint32_t a = 0; a < alternates.adjacencies().size(); ++a) {
        const auto best = remote.Best(a);
        if (best) (*tunnels)[first_adjacency_[n] + a] = *best;
      }
    }
    return;
  }
  const Edges incoming = Incoming(), outgoing = Outgoing();
  Distances to, from;
  const NodeIndex last = static_cast<NodeIndex>(std::min(graph_->node_count(), (part + 1) * kDestinationsOfPart));
  for (NodeIndex n = static_cast<NodeIndex>(part * kDestinationsOfPart); n < last; ++n) {
    if (graph_->node(n).pseudonode || graph_->node(n).overload) continue;
    const Target target = {n, 0};
    Reach(incoming, Destination(&target, 1), &to);
    // Nodes that forward are the same either way: the other direction is the same calculation.
    Reach(outgoing, Destination(&target, 1), &from);
    ImproveTunnels(n, to.of, from.of, tunnels);
  }
}

// With the tunnel that ends at `end`.
void AllAlternates::ImproveTunnels(NodeIndex end, const std::vector<Cell>& to_end, const std::vector<Cell>& from_end,
                                   Tunnels* tunnels) const {
  std::vector<Cell> there;  // the neighbours' distances to `end`
  for (NodeIndex n = 0; n < routers_.size(); ++n) {
    const Router& router = routers_[n];
    if (router.adjacencies == 0 || n == end || to_end[n] >= kFar) continue;
    const uint32_t stride = router.stride;
    const Cell* const rows = cells_.data() + router.cells;
    bool collected = false;
    for (uint32_t p = 0; p < router.adjacencies; ++p) {
      const Primary& fails = primary(n, p);
      RemoteAlternate& best = (*tunnels)[first_adjacency_[n] + p];
      const Cell onward = from_end[fails.neighbor];
      if (onward >= kFar) continue;
      // No neighbour makes the way shorter than the router's own.
      if (best.node != kNoIndex && static_cast<Distance>(to_end[n] + onward) > best.distance) continue;
      // Q-space: no shortest way from `end` to the neighbour goes over what fails.
      const bool forwards = !graph_->node(n).overload && !graph_->node(fails.neighbor).overload;
      if (fails.pseudonode != kNoIndex) {
        if (from_end[fails.pseudonode] == onward) continue;
      } else if (!graph_->node(n).overload && from_end[n] + rows[stride + p] == onward) {
        continue;
      }
      // From either end of the link over it to `end`.
      const Cell over = std::min(kFar, rows[stride + p] + to_end[fails.neighbor]);
      const Cell back_over = std::min(kFar, fails.back + to_end[n]);
      if (!collected) {
        if (there.size() < stride) there.resize(stride);
        for (uint32_t c = 0; c < stride; c += kLanes) Collect(to_end.data(), rows + c, there.data() + c);
        collected = true;
      }
      for (uint32_t c = 0; c < stride; c += kLanes) {
        // Extended P-space: none of the neighbour's shortest ways to `end` does, in either direction.
        uint32_t meets = 0;
        if (fails.pseudonode != kNoIndex) {
          meets = SumsThatAre(rows + fails.lan_row + c, to_end[fails.pseudonode], there.data() + c);
        } else if (forwards) {
          meets = SumsThatAre(rows + 2 * size_t{stride} + c, over, there.data() + c) |
                  SumsThatAre(rows + fails.neighbor_row + c, back_over, there.data() + c);
        }
        for (uint32_t bits = LessThan(there.data() + c, kFar) & ~meets; bits != 0; bits &= bits - 1) {
          const uint32_t a = c + static_cast<uint32_t>(__builtin_ctz(bits));
          if ((a >= fails.same_first && a < fails.same_last) ||
              graph_->node(static_cast<NodeIndex>(rows[a])).overload) {
            continue;
          }
          RemoteAlternate alternate;
          alternate.node = end;
          alternate.adjacency = a;
          alternate.to_node = static_cast<Distance>(rows[stride + a] + there[a]);
          alternate.distance = alternate.to_node + static_cast<Distance>(onward);
          if (Better(alternate, best)) best = alternate;
        }
      }
    }
  }
}

}  // namespace flowacct::topology
