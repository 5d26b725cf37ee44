// The ways of equal cost that traffic takes from a router to those that advertise a prefix: how many there are, the
// first of them link by link, and what each carries if every router divides evenly.
//
// A way ends at the first router that advertises the prefix. Division is that of topology/link_load.h: a parallel link
// is a way of its own, and so is each neighbour behind a LAN. Ways stand in the order of the graph's links.
// Ownership: what Find returns is valid until the next one. Threads: one at a time. Errors: none. Cost: that of the
// nodes and links on the ways, some 50 ns each. Memory: 8 octets a node of the largest graph.

#ifndef FLOWACCT_TOPOLOGY_EQUAL_WAYS_H_
#define FLOWACCT_TOPOLOGY_EQUAL_WAYS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "flowacct/topology/graph.h"
#include "flowacct/topology/shortest_paths.h"

namespace flowacct::topology {

// "33.3333": percent of one part of so many, without zeros at the end.
std::string PercentOfOne(uint64_t parts);

class EqualWays {
 public:
  struct Way {
    std::vector<LinkIndex> links;
    // Of how many equal parts of the traffic this carries one; UINT64_MAX: of more.
    uint64_t parts = 1;
  };

  // `egress`: nodes of the graph that the root of `paths` reaches, all of one cost; ascending. Tells the first `max`
  // ways.
  void Find(const Graph& graph, const ShortestPaths& paths, absl::Span<const NodeIndex> egress, size_t max);

  // The root itself advertises it: there is one way, of no link.
  bool local() const { return local_; }
  uint64_t count() const { return count_; }  // UINT64_MAX: or more
  absl::Span<const Way> ways() const { return absl::MakeConstSpan(ways_).subspan(0, told_); }
  // Where traffic ends, ascending: not those that it passes another one before.
  const std::vector<NodeIndex>& egress() const { return reached_; }

 private:
  // A link on a way. Those of one node stand together.
  struct Step {
    NodeIndex from, to;
    LinkIndex link;
  };
  struct Node {
    uint32_t first = 0, end = 0;  // of its steps
    bool egress = false;
    uint64_t count = 0;  // of ways from here; 0: not counted yet
  };

  Node& NodeOf(NodeIndex n) { return nodes_[place_[n]]; }
  bool Meet(NodeIndex n);  // true: for the first time
  void FindSteps(const Graph& graph, const ShortestPaths& paths);
  void Count(NodeIndex root);
  uint64_t PartsAt(const Graph& graph, NodeIndex n);
  void Tell(const Graph& graph, NodeIndex root, size_t max);

  bool local_ = false;
  uint64_t count_ = 0;
  size_t told_ = 0;
  std::vector<Way> ways_;
  std::vector<NodeIndex> reached_;
  // Of each node of the graph its place in nodes_, if it was met in this round.
  std::vector<uint32_t> place_, round_of_;
  uint32_t round_ = 0;
  std::vector<Node> nodes_;
  std::vector<Step> steps_;
  std::vector<NodeIndex> stack_;
  std::vector<uint32_t> next_;
};

}  // namespace flowacct::topology

#endif  // FLOWACCT_TOPOLOGY_EQUAL_WAYS_H_
