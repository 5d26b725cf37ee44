// Remote loop-free alternates: a router farther off to which traffic is tunnelled when a link has failed.
//
// Standard: RFC 7490: P-space (2, 5.3.1), extended P-space (5.3.2), Q-space (5.3.3), PQ nodes (5.3.4); of the end of
// the protected link, as there, and of a single destination. A PQ node is not overloaded, and no LAN. A LAN is
// protected as a whole, as in protection.h. Guarantees: a node is in a space exactly if none of the shortest paths that
// the space speaks of goes over what fails, in neither direction of it (the RFC's inequalities see only one, which
// differs if metrics do). Ownership: values over a Graph and its LoopFreeAlternates, which must live as long. Threads:
// const from any. Errors: none. Cost: beside those of protection.h, a shortest path calculation backwards for the
// router, and for each neighbour and LAN; Best is linear in the nodes times the neighbours.

#ifndef FLOWACCT_TOPOLOGY_REMOTE_LFA_H_
#define FLOWACCT_TOPOLOGY_REMOTE_LFA_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "flowacct/topology/graph.h"
#include "flowacct/topology/protection.h"
#include "flowacct/topology/shortest_paths.h"

namespace flowacct::topology {

struct RemoteAlternate {
  NodeIndex node = kNoIndex;  // the PQ node: the end of the tunnel
  uint32_t adjacency = 0;     // its begin; it may end there
  Distance to_node = 0;       // from the router by this adjacency
  Distance distance = 0;      // to the end of the link, or to the destination
};

class RemoteAlternates {
 public:
  void Compute(const Graph& graph, const LoopFreeAlternates& alternates);

  // Of the router, when the link or LAN of adjacency `primary` fails.
  bool InP(size_t primary, NodeIndex n) const;
  // Of the neighbour of adjacency `by`.
  bool InPOf(size_t by, size_t primary, NodeIndex n) const;
  // Of any neighbour that is reached without what fails.
  bool InExtendedP(size_t primary, NodeIndex n) const;
  // Of the neighbour of `primary`.
  bool InQ(size_t primary, NodeIndex n) const { return InQOf(to_neighbor(primary), primary, n); }
  // Of the root of `to`, which are backward paths.
  bool InQOf(const ShortestPaths& to, size_t primary, NodeIndex n) const;

  // The PQ node that makes the shortest way to the neighbour of `primary`, for all that is forwarded by it; of several
  // the nearest, then the first. None: the link is a bridge, or nothing but a longer list of segments (ti_lfa.h) helps.
  std::optional<RemoteAlternate> Best(size_t primary) const { return BestOf(to_neighbor(primary), primary); }
  // The same for the root of `to` alone: may find one where the first does not.
  std::optional<RemoteAlternate> BestOf(const ShortestPaths& to, size_t primary) const;

 private:
  const ShortestPaths& to_neighbor(size_t adjacency) const { return to_[neighbor_to_[adjacency]]; }
  bool SameLink(size_t a, size_t b) const;
  // True if a shortest path of `from` to `n` meets what fails with `primary`.
  bool Meets(const ShortestPaths& from, size_t primary, NodeIndex n) const;
  bool OverLink(const ShortestPaths& from, NodeIndex n, LinkIndex link, const ShortestPaths& beyond) const;

  const Graph* graph_ = nullptr;
  const LoopFreeAlternates* alternates_ = nullptr;
  ShortestPaths to_router_;
  std::vector<ShortestPaths> to_;
  std::vector<uint32_t> neighbor_to_, lan_to_;  // of each adjacency
};

}  // namespace flowacct::topology

#endif  // FLOWACCT_TOPOLOGY_REMOTE_LFA_H_
