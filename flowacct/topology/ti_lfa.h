// Topology-independent loop-free alternates: the way that traffic takes once all have converged, as a list of segments
// that steer it there before.
//
// Standard: RFC 9855 (post-convergence path, repair list), for the failure of a link, a node or a group (SRLG);
// segments as RFC 8402 names them. Guarantees: there is a list whenever the destination is still reached; no segment of
// it meets the failure, whichever of several shortest paths is taken; its length is the least for the path chosen. Of
// several post-convergence paths of equal cost one is taken, always the same. Segments that LANs need are of the
// adjacency to a router on it.
// Ownership: a value over a Graph and a Failure that must live as long. Threads: one at a time. Errors: none. Cost: a
// copy of the graph's links and a shortest path calculation for the failure, one for each router at which a segment
// begins; of those at most kKept are remembered.

#ifndef FLOWACCT_TOPOLOGY_TI_LFA_H_
#define FLOWACCT_TOPOLOGY_TI_LFA_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "flowacct/topology/failure.h"
#include "flowacct/topology/graph.h"
#include "flowacct/topology/shortest_paths.h"

namespace flowacct::topology {

struct Segment {
  enum class Kind : uint8_t {
    kNode,       // to `node` by its shortest paths
    kAdjacency,  // over `link`, from the router where the last segment ends, to `node`
  };
  Kind kind = Kind::kNode;
  NodeIndex node = kNoIndex;
  LinkIndex link = kNoIndex;
};

struct RepairPath {
  Distance distance = 0;
  std::vector<LinkIndex> links;  // from the router to the destination; a LAN takes two
  // What is put on a packet that leaves by the first link to the first router: empty if it needs nothing (then that
  // router is a loop-free alternate, or the destination).
  std::vector<Segment> segments;
};

class PostConvergence {
 public:
  static constexpr size_t kKept = 256;

  void Compute(const Graph& graph, NodeIndex router, const Failure& failure);

  // Paths of what is left; its links' indices are not those of the whole graph.
  const ShortestPaths& paths() const { return paths_; }
  // None: not reached any more.
  std::optional<RepairPath> To(NodeIndex destination);

 private:
  const std::vector<uint8_t>& MetFrom(NodeIndex n);

  const Graph* graph_ = nullptr;
  const Failure* failure_ = nullptr;
  Graph left_;
  std::vector<LinkIndex> original_;
  ShortestPaths paths_, scratch_;
  absl::flat_hash_map<NodeIndex, std::vector<uint8_t>> met_;
};

}  // namespace flowacct::topology

#endif  // FLOWACCT_TOPOLOGY_TI_LFA_H_
