// Where a router sends traffic: its shortest paths in each level and topology, and which of those who advertise a
// prefix it takes.
//
// Standards: RFC 5302, 3.2, and RFC 7775 (which kind of route goes before which); ISO 10589, 7.2.9.2, and RFC 1195, 3.2
// (a router of level 1 alone sends what it does not know to the nearest attached one); RFC 1195, 3.10.2 (external
// metrics); RFC 5120 (IPv6 in topology 2 where the router takes part in it). All ways of equal cost count.
// Guarantees: what a router of that level-1 area would choose who knew all that the database knows. Not modelled:
// filters and preferences that a router was configured with. Ownership: shares the graphs. Immutable once made; any
// thread. Errors: none; a prefix that cannot be reached has no route. Cost: making one costs an SPF for each level and
// topology; a choice some 20 ns a candidate. Memory: 32 octets a node, level and topology.

#ifndef FLOWACCT_TOPOLOGY_ROUTER_PATHS_H_
#define FLOWACCT_TOPOLOGY_ROUTER_PATHS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/topology/graph.h"
#include "flowacct/topology/reach_table.h"
#include "flowacct/topology/shortest_paths.h"
#include "flowacct/topology/topology_state.h"

namespace flowacct::topology {

// The graphs that unicast routes need: both levels, topologies 0 and 2.
struct TopologyGraphs {
  static constexpr size_t kCount = 4;
  static size_t PlaceOf(uint8_t level, TopologyNumber topology) { return size_t{level == 2} * 2 + (topology == 2); }

  std::array<std::shared_ptr<const Graph>, kCount> graphs;  // none is null

  const Graph& of(uint8_t level, TopologyNumber topology) const { return *graphs[PlaceOf(level, topology)]; }
};
TopologyGraphs GraphsOf(const TopologyState& state);

// In the order in which they are preferred. kind, text
#define FLOWACCT_TOPOLOGY_ROUTE_KINDS(X)                                      \
  X(kLevel1, "L1")                                                            \
  X(kLevel2, "L2")                  /* and what level 1 told to level 2 */    \
  X(kInterArea, "L1-inter-area")    /* what level 2 told to level 1 (down) */ \
  X(kLevel1External, "L1-external") /* of external metrics */                 \
  X(kLevel2External, "L2-external")                                           \
  X(kInterAreaExternal, "L1-inter-area-external")
enum class RouteKind : uint8_t {
#define X(kind, text) kind,
  FLOWACCT_TOPOLOGY_ROUTE_KINDS(X)
#undef X
};
absl::string_view RouteKindName(RouteKind kind);
RouteKind KindOf(const ReachCandidate& candidate);

// The way out of the root: over that link to that router, which lies at its end or behind the LAN there.
struct FirstHop {
  LinkIndex link = kNoIndex;
  NodeIndex router = kNoIndex;

  friend bool operator==(FirstHop a, FirstHop b) { return a.link == b.link && a.router == b.router; }
  friend bool operator<(FirstHop a, FirstHop b) { return a.link != b.link ? a.link < b.link : a.router < b.router; }
};

struct RouterRoute {
  RouteKind kind = RouteKind::kLevel1;
  uint8_t level = 1;
  TopologyNumber topology = 0;
  bool attached = false;         // the default route of an attached router
  uint32_t metric = 0;           // of the way and the prefix; with external metrics of the way alone
  uint32_t external_metric = 0;  // with external metrics
  absl::InlinedVector<NodeIndex, 2>
      egress;  // of the graph of that level and topology, ascending; may be the root itself

  bool found() const { return !egress.empty(); }
};

class RouterPaths {
 public:
  // `before`: null, or what the router had with other graphs, which saves work where they differ little.
  RouterPaths(TopologyGraphs graphs, NodeKey root, const RouterPaths* before = nullptr);

  NodeKey root() const { return root_; }
  const TopologyGraphs& graphs() const { return graphs_; }
  // Whether it is in the graph of that level.
  bool has(uint8_t level, TopologyNumber topology = 0) const { return at(level, topology).root != kNoIndex; }
  const ShortestPaths& paths(uint8_t level, TopologyNumber topology) const { return at(level, topology).paths; }
  // In ascending order; none for the root, and for what is not reached.
  absl::Span<const FirstHop> first_hops(uint8_t level, TopologyNumber topology, NodeIndex node) const;

  // Among the candidates of one prefix.
  RouterRoute Choose(absl::Span<const ReachCandidate> candidates, bool v6) const;
  // The longest prefix whose candidates have a route. `length`: of that prefix.
  RouterRoute Find(const ReachReader& reader, const base::IpAddress& address, uint8_t* length) const;
  // Of all egress nodes of a route, ascending.
  std::vector<FirstHop> FirstHopsOf(const RouterRoute& route) const;

  size_t octets() const;

 private:
  struct Tree {
    NodeIndex root = kNoIndex;
    ShortestPaths paths;
    // Sets of first hops, each once: nodes have the number of theirs.
    std::vector<uint32_t> set_of;
    std::vector<uint32_t> first_of_set;  // in hops; one more than there are sets
    std::vector<FirstHop> hops;
  };

  const Tree& at(uint8_t level, TopologyNumber topology) const {
    return *trees_[TopologyGraphs::PlaceOf(level, topology)];
  }
  static void FindFirstHops(const Graph& graph, Tree* tree);

  TopologyGraphs graphs_;
  NodeKey root_;
  bool level_2_ = false;                         // it has a link there, so that it does not look for attached routers
  std::array<TopologyNumber, 3> v6_topology_{};  // of each level
  // None is null; shared with what the router had before, where the graph is the same.
  std::array<std::shared_ptr<const Tree>, TopologyGraphs::kCount> trees_;
};

// Ways of least cost from the root of `paths` to a node, as links in the order of travel: `max` of them at most.
std::vector<std::vector<LinkIndex>> PathsTo(const Graph& graph, const ShortestPaths& paths, NodeIndex to, size_t max);

}  // namespace flowacct::topology

#endif  // FLOWACCT_TOPOLOGY_ROUTER_PATHS_H_
