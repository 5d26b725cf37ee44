// What is taken out of a graph: links, nodes, groups of them that fail together.
//
// Values; any thread. Errors: none; an index that the graph does not have is no failure. Cost: an octet a link and a
// node.

#ifndef FLOWACCT_TOPOLOGY_FAILURE_H_
#define FLOWACCT_TOPOLOGY_FAILURE_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "flowacct/topology/graph.h"
#include "flowacct/topology/shortest_paths.h"

namespace flowacct::topology {

class Failure {
 public:
  explicit Failure(const Graph& graph);

  // Both directions of it.
  void AddLink(LinkIndex l);
  // A router or a LAN, with all its links.
  void AddNode(NodeIndex n);

  bool link(LinkIndex l) const { return links_[l] != 0; }
  bool node(NodeIndex n) const { return nodes_[n] != 0; }
  const std::vector<uint8_t>& links() const { return links_; }

  // The graph that is left, with the same nodes (a failed one has no links). `original`, if not null: of each link its
  // index in the whole graph.
  Graph Apply(std::vector<LinkIndex>* original = nullptr) const;

  // For each node 1 if any of the shortest paths to it meets what fails, or if it is not reached. `paths` are over the
  // whole graph, from their root on.
  std::vector<uint8_t> Met(const ShortestPaths& paths) const;

 private:
  const Graph* graph_;
  std::vector<uint8_t> links_, nodes_;
};

}  // namespace flowacct::topology

#endif  // FLOWACCT_TOPOLOGY_FAILURE_H_
