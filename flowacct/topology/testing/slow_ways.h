// What lies on the shortest paths of a graph, by walking all of them: the slow twin of what inequalities tell.

#ifndef FLOWACCT_TOPOLOGY_TESTING_SLOW_WAYS_H_
#define FLOWACCT_TOPOLOGY_TESTING_SLOW_WAYS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "flowacct/topology/failure.h"
#include "flowacct/topology/graph.h"

namespace flowacct::topology {

class SlowWays {
 public:
  static constexpr uint64_t kNone = uint64_t{1} << 62;

  // What `failure` takes out, if it is not null, is not there. Floyd and Warshall: cubic.
  explicit SlowWays(const Graph& graph, const Failure* failure = nullptr);

  uint64_t distance(NodeIndex a, NodeIndex b) const { return distance_[a * graph_->node_count() + b]; }

  struct Met {
    std::set<NodeIndex> nodes;  // the ends, too
    std::set<LinkIndex> links;
    std::set<LinkIndex> first;  // links that begin a path
    std::set<std::pair<LinkIndex, LinkIndex>> first_two;
  };
  // On any of the shortest paths from `a` to `b`. Kept, as tests ask again and again.
  const Met& Walk(NodeIndex a, NodeIndex b) const;

 private:
  bool On(NodeIndex at, LinkIndex l, NodeIndex a, NodeIndex b) const;

  const Graph* graph_;
  const Failure* failure_;
  std::vector<uint64_t> distance_;
  mutable std::map<std::pair<NodeIndex, NodeIndex>, Met> met_;
};

}  // namespace flowacct::topology

#endif  // FLOWACCT_TOPOLOGY_TESTING_SLOW_WAYS_H_
