// Loop-free alternates of all routers at once: for each way out of each router to each destination the best one, and
// for each link the best remote one.
//
// Standard and guarantees: those of protection.h and remote_lfa.h, whose classes, router by router, are the slow twins:
// the answers are equal. An inequality of RFC 5286 needs two kinds of distances: to the destination, which one
// calculation backwards from it gives for all routers; and between neighbours of a router, which are made once
// (Prepare) and kept. No more than that is in memory, whatever the number of destinations. Remote ones need the same of
// each node that may be the end of a tunnel, and the distances from it. Where a router's link costs nothing, metrics
// are so great that distances end at kMaxDistance, or neighbours so many that what is kept would pass kMaxKeptOctets,
// parts are done by the slow twin; likewise single destinations whose metrics are great, or which a LAN advertises.
// exact_parts() tells how many are.
//
// Ownership: a value over a Graph and destinations that must live as long. Threads: none here; parts are independent,
// so that a caller may do them side by side: all of Prepare, then all of Compute. Errors: none. Cost: at 10,000 nodes
// and 40,000 links some 2 ms a destination or node, and 0.5 ms to prepare a router; memory 4 octets times the square of
// a router's adjacencies, 11 MiB there, and 12 octets a node for each part that is being done.

#ifndef FLOWACCT_TOPOLOGY_ALL_ALTERNATES_H_
#define FLOWACCT_TOPOLOGY_ALL_ALTERNATES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "flowacct/topology/distance_queue.h"
#include "flowacct/topology/graph.h"
#include "flowacct/topology/protection.h"
#include "flowacct/topology/remote_lfa.h"

namespace flowacct::topology {

// A way of a router to a destination, and what stands by for it.
struct ProtectedWay {
  NodeIndex router = kNoIndex;
  uint32_t primary = 0;  // of AdjacenciesOf(router)
  std::optional<Alternate> alternate;
};

class AllAlternates {
 public:
  // A LAN of 300 routers takes a tenth of it.
  static constexpr size_t kMaxKeptOctets = size_t{1} << 30;

  AllAlternates(const Graph& graph, absl::Span<const Destination> destinations);

  size_t preparations() const { return (roots_.size() + kRootsOfPart - 1) / kRootsOfPart; }
  void Prepare(size_t preparation);

  size_t parts() const { return quick_parts() + exact_parts(); }
  size_t exact_parts() const {
    return exact_.empty() ? 0 : (graph_->node_count() + kRoutersOfPart - 1) / kRoutersOfPart;
  }
  // `coverage`: of each node of the graph, which is added to.
  void Cover(size_t part, absl::Span<Coverage> coverage) const;
  // Calls for destinations and routers of that part, in whatever order; the ways of one router are in the order of its
  // adjacencies. `ways` is not empty, and the callee's until it returns.
  using Sink = absl::FunctionRef<void(size_t destination, absl::Span<const ProtectedWay> ways)>;
  void Compute(size_t part, Sink sink) const;

  // Remote ones, for what is forwarded by a link. Of adjacency a of a router: the place
  // first_adjacency(router) + a; node is kNoIndex where there is none.
  using Tunnels = std::vector<RemoteAlternate>;
  uint32_t first_adjacency(NodeIndex router) const { return first_adjacency_[router]; }
  size_t adjacency_count() const { return first_adjacency_.back(); }
  size_t tunnel_parts() const {
    const size_t size = tunnels_are_quick_ ? kDestinationsOfPart : kRoutersOfPart;
    return (graph_->node_count() + size - 1) / size;
  }
  // `tunnels`: of adjacency_count(), which is improved; one for each of those who work side by side.
  void FindTunnels(size_t part, Tunnels* tunnels) const;
  // Of both the better ones.
  static void Merge(const Tunnels& from, Tunnels* into);

  size_t octets() const;

 private:
  static constexpr size_t kRootsOfPart = 64, kDestinationsOfPart = 64, kRoutersOfPart = 8;
  // Candidates are judged eight at a time.
  static constexpr size_t kLanes = 8;

  // Distances that are known to stay below this are added and compared as they are.
  using Cell = int32_t;
  static constexpr Cell kFar = 0x3fffffff;

  struct Edge {
    NodeIndex other;
    Cell metric;
  };
  // Links to each node n, or from it: from first[n] to first[n + 1].
  struct Edges {
    std::vector<uint32_t> first;
    std::vector<Edge> edges;
  };
  // What a router has in cells_: rows of `stride` cells, one a candidate and some more that reach nothing. Row 0: the
  // neighbours; 1: the metrics to them; 2: their distances to the router; then to what may fail.
  struct Router {
    size_t cells = 0;
    uint32_t adjacencies = 0, stride = 0;
  };
  struct Primary {
    NodeIndex neighbor = kNoIndex, pseudonode = kNoIndex;
    Cell back = kFar;                        // the metric of the other direction of its link
    uint32_t neighbor_row = 0, lan_row = 0;  // of the router's
    uint32_t same_first = 0, same_last = 0;  // those that fail with it: on the same link or LAN
  };
  struct Use {  // a node is a candidate of a router
    NodeIndex router;
    uint32_t candidate;
  };
  struct Distances {
    std::vector<Cell> of;       // one more than nodes: what is there is never reached
    std::vector<Cell> through;  // to the destination through the node: kFar if it forwards nothing
    std::vector<Cell> offered;  // to it as an alternate
    bool offered_differs = false;
    DistanceQueue queue;
  };
  // Of one primary: bits of candidates, a word for each 64.
  struct Judged {
    uint32_t primary = 0;
    std::vector<uint64_t> primaries, loop_free, link, node;
  };

  size_t quick_parts() const { return (quick_.size() + kDestinationsOfPart - 1) / kDestinationsOfPart; }
  bool DistancesAreSmall() const;
  bool LayOut(const std::vector<std::vector<Adjacency>>& adjacencies);
  Edges Incoming() const;
  Edges Outgoing() const;
  const Primary& primary(NodeIndex router, uint32_t p) const { return primaries_[first_adjacency_[router] + p]; }
  // Backwards from the destination.
  void Reach(const Edges& incoming, Destination destination, Distances* distances) const;
  template <typename F>
  void JudgeAll(const Distances& distances, const F& f) const;
  void ImproveTunnels(NodeIndex end, const std::vector<Cell>& to_end, const std::vector<Cell>& from_end,
                      Tunnels* tunnels) const;
  template <typename F>
  void Exact(size_t part, const F& f) const;
  Alternate Choose(const Router& router, NodeIndex n, const Distances& distances, const Judged& judged) const;

  const Graph* graph_;
  absl::Span<const Destination> destinations_;
  std::vector<uint32_t> quick_, exact_;  // of destinations_
  bool tunnels_are_quick_ = false;
  std::vector<Router> routers_;            // of each node
  std::vector<uint32_t> first_adjacency_;  // of each node, and all
  std::vector<Primary> primaries_;         // of each adjacency
  std::vector<Cell> cells_;
  std::vector<NodeIndex> roots_;  // nodes that are candidates
  std::vector<uint32_t> first_use_;
  std::vector<Use> uses_;
  std::vector<NodeIndex> overloaded_;
  std::vector<uint8_t> useful_;  // of each link: it is a shortest way between its ends, as far as is known
};

}  // namespace flowacct::topology

#endif  // FLOWACCT_TOPOLOGY_ALL_ALTERNATES_H_
