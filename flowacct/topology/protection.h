// Loop-free alternates: to which neighbour a router may hand traffic at once when the way it takes has failed.
//
// Standard: RFC 5286: inequalities 1 (loop-free), 2 (downstream), 3 (node-protecting), 4 (link-protecting, broadcast
// links); 3.6 (selection), 6.1 (multi-homed prefixes, as a node that all their routers reach). Overload (3.5): an
// overloaded neighbour is an alternate to what it advertises itself, and to nothing else.
// Guarantees: an inequality holds exactly if no shortest path of the neighbour, of all of equal cost, goes through what
// it speaks of. A LAN is protected as a whole: neither the alternate's first link nor its way goes through it. Not
// checked: links that fail together (SRLG); ti_lfa.h takes them.
// Ownership: a value over a Graph that must live as long. Threads: const from any. Errors: none. Cost: a shortest path
// calculation for the router and each of its neighbours and LANs, 20 octets a node for each of them; then a few
// nanoseconds for each neighbour of each pair of link and destination.

#ifndef FLOWACCT_TOPOLOGY_PROTECTION_H_
#define FLOWACCT_TOPOLOGY_PROTECTION_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "flowacct/topology/graph.h"
#include "flowacct/topology/shortest_paths.h"

namespace flowacct::topology {

// A way to a neighbour: a link to it, or a link to a LAN that it is on.
struct Adjacency {
  LinkIndex link = kNoIndex;
  NodeIndex neighbor = kNoIndex;
  NodeIndex pseudonode = kNoIndex;  // the LAN
  LinkIndex onward = kNoIndex;      // from the LAN to the neighbour
  uint32_t metric = 0;              // to the neighbour
};

// In the order of links, then of neighbours.
std::vector<Adjacency> AdjacenciesOf(const Graph& graph, NodeIndex router);

// A router that a destination is reached by, and what it adds. A prefix has one for each that advertises it.
struct Target {
  NodeIndex node = kNoIndex;
  uint32_t metric = 0;
};
using Destination = absl::Span<const Target>;

struct Alternate {
  uint32_t adjacency = 0;
  Distance distance = 0;    // to the destination this way
  bool loop_free = false;   // inequality 1
  bool link = false;        // the primary's link or LAN may fail
  bool node = false;        // the primary's neighbour may fail: inequality 3
  bool downstream = false;  // nearer to the destination than the router is: inequality 2
  bool primary = false;     // a way of equal cost
};

class LoopFreeAlternates {
 public:
  void Compute(const Graph& graph, NodeIndex router);

  NodeIndex router() const { return paths_.root(); }
  const std::vector<Adjacency>& adjacencies() const { return adjacencies_; }
  const ShortestPaths& paths() const { return paths_; }
  // From an adjacency's neighbour.
  const ShortestPaths& neighbor_paths(size_t adjacency) const { return roots_[neighbor_root_[adjacency]]; }
  // From an adjacency's LAN, if it has one.
  const ShortestPaths& lan_paths(size_t adjacency) const { return roots_[lan_root_[adjacency]]; }

  // True if the adjacency is the begin of a shortest path.
  bool IsPrimary(size_t adjacency, Destination destination) const;
  bool IsPrimary(size_t adjacency, NodeIndex n) const {
    return (first_hops_[n * words_ + adjacency / 64] >> (adjacency % 64) & 1) != 0;
  }
  // What `candidate` can do for traffic to `destination` that went by `primary`.
  Alternate Judge(size_t primary, size_t candidate, Destination destination) const;
  // The one to take: protects link and node, else link, else node; of several another primary, then the shortest, then
  // a downstream one, then the first. None if nothing protects anything.
  std::optional<Alternate> Best(size_t primary, Destination destination) const;

  size_t octets() const;

 private:
  Distance DistanceTo(const ShortestPaths& from, Destination destination) const;
  // Of the shortest way of `from` that goes through the root of `through`.
  Distance Through(const ShortestPaths& from, const ShortestPaths& through, Destination destination) const;
  void FindFirstHops();

  const Graph* graph_ = nullptr;
  std::vector<Adjacency> adjacencies_;
  ShortestPaths paths_;
  std::vector<ShortestPaths> roots_;
  std::vector<uint32_t> neighbor_root_, lan_root_;  // of each adjacency
  size_t words_ = 0;
  std::vector<uint64_t> first_hops_;  // of each node a bit for each adjacency
};

// How much of what a router forwards is protected: pairs of a primary adjacency and a destination.
struct Coverage {
  uint64_t pairs = 0, link = 0, node = 0, link_and_node = 0, none = 0;

  Coverage& operator+=(const Coverage& other);
};

Coverage CoverageOf(const LoopFreeAlternates& alternates, Destination destination);
// Over all routers of the graph as destinations; all_alternates.h does it for all routers at once.
Coverage CoverageOf(const Graph& graph, const LoopFreeAlternates& alternates);

}  // namespace flowacct::topology

#endif  // FLOWACCT_TOPOLOGY_PROTECTION_H_
