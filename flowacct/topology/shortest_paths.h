// Shortest paths from one node of a graph to all others, with all ways of equal cost.
//
// Standard: ISO 10589, annex C (Dijkstra), RFC 1195, annex C. An overloaded node is reached but nothing goes through
// it, the root excepted. Ways of equal cost all count (ECMP). Distances stop growing at kMaxDistance (RFC 5305, 3).
//
// Guarantees: links on shortest paths make no circle, even where links cost nothing: each step that leaves the distance
// as it is counts as the least there is; of nodes that are still equal pseudonodes come first, so that all ways over a
// LAN count (ISO 10589, C.2.6), then those of lower keys. What Update leaves is what Compute would have made.
// Ownership: a value over a Graph that must live as long. Threads: const from any. Errors: none; what is not reached
// has kUnreached. Cost: O(links log nodes); Update that of the nodes whose distance changes, and one pass over the
// order. Arrays that are used again: 20 octets a node, and a heap.

#ifndef FLOWACCT_TOPOLOGY_SHORTEST_PATHS_H_
#define FLOWACCT_TOPOLOGY_SHORTEST_PATHS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "flowacct/topology/graph.h"

namespace flowacct::topology {

using Distance = uint32_t;
inline constexpr Distance kUnreached = 0xffffffff;
inline constexpr Distance kMaxDistance = 0xfe000000;  // RFC 5305, 3: MAX_PATH_METRIC

inline Distance AddMetric(Distance distance, uint32_t metric) {
  const uint64_t sum = uint64_t{distance} + metric;
  return sum < kMaxDistance ? static_cast<Distance>(sum) : kMaxDistance;
}

struct NodePair {
  NodeIndex from, to;
};
// The pairs of nodes whose links differ between two graphs, or whose node that forwards does; once each. Nothing: they
// have other nodes, and only Compute helps. Cost: one pass over both.
std::optional<std::vector<NodePair>> ChangedLinks(const Graph& before, const Graph& after);

class ShortestPaths {
 public:
  // From `root` over the links' direction; or, backwards, from everywhere to `root`.
  enum class Direction : uint8_t { kFrom, kTo };

  void Compute(const Graph& graph, NodeIndex root, Direction direction = Direction::kFrom);
  // From the graph of before to one that ChangedLinks compared with it. Returns how many nodes have another distance.
  size_t Update(const Graph& graph, absl::Span<const NodePair> changed);

  NodeIndex root() const { return root_; }
  Distance distance(NodeIndex n) const { return static_cast<Distance>(cost_[n] >> kStepBits); }
  bool reached(NodeIndex n) const { return cost_[n] != kUnreachedCost; }
  // Nodes in ascending distance, the root first; every node stands behind all that its shortest paths come through.
  const std::vector<NodeIndex>& order() const { return order_; }
  size_t octets() const {
    return (cost_.capacity() + before_.capacity() + heap_.capacity()) * sizeof(uint64_t) +
           order_.capacity() * sizeof(NodeIndex);
  }
  // True if link `l` lies on a shortest path from the root to its end (or, backwards, from its begin to the root).
  bool OnShortestPath(LinkIndex l) const;

 private:
  // What is made least: the distance, then how many steps lie behind that did not change it.
  using Cost = uint64_t;
  static constexpr unsigned kStepBits = 11;
  static constexpr Cost kMaxSteps = (Cost{1} << kStepBits) - 1;  // more are not told apart
  static constexpr Cost kUnreachedCost = Cost{kUnreached} << kStepBits;
  static constexpr unsigned kNodeBits = 20;
  static_assert(kMaxNodes <= size_t{1} << kNodeBits && 32 + kStepBits + 1 + kNodeBits <= 64);

  static Cost Step(Cost cost, uint32_t metric) {
    const Distance before = static_cast<Distance>(cost >> kStepBits);
    const Distance after = AddMetric(before, metric);
    if (after != before) return Cost{after} << kStepBits;
    return (cost & kMaxSteps) == kMaxSteps ? cost : cost + 1;
  }
  // By which nodes are in order: cost, pseudonodes first, node.
  uint64_t OrderOf(NodeIndex n) const {
    return (cost_[n] << 1 | (graph_->node(n).pseudonode ? 0 : 1)) << kNodeBits | n;
  }
  static NodeIndex NodeOf(uint64_t order) { return static_cast<NodeIndex>(order & ((uint64_t{1} << kNodeBits) - 1)); }
  bool Forwards(NodeIndex n) const { return n == root_ || !graph_->node(n).overload; }
  // The links that lead on from a node, and those that lead to it, as seen from the root.
  template <typename F>
  void ForNext(NodeIndex n, const F& f) const;
  template <typename F>
  void ForPrevious(NodeIndex n, const F& f) const;
  void Reach(NodeIndex n, Cost cost);
  // Takes nodes from the heap until it is empty; appends those that were settled.
  void Settle(std::vector<NodeIndex>* settled);

  const Graph* graph_ = nullptr;
  NodeIndex root_ = kNoIndex;
  Direction direction_ = Direction::kFrom;
  bool many_steps_ = false;  // steps were not told apart: no Update
  std::vector<Cost> cost_, before_;
  std::vector<NodeIndex> order_;
  std::vector<uint64_t> heap_;  // of OrderOf
};

}  // namespace flowacct::topology

#endif  // FLOWACCT_TOPOLOGY_SHORTEST_PATHS_H_
