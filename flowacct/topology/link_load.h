// Traffic laid on the links of its paths, with the shares that ways of equal cost have.
//
// Each router divides what it forwards evenly among the ways of equal cost that it has (a neighbour on a LAN is one, a
// parallel link is one). Octets stay whole: of what does not divide, the first ways take one octet each, in the order
// of the graph's links. Guarantees: what a router gives to its links is what came in and what begins there, less what
// ends there, to the octet; so the first links of all demands carry exactly what was laid. The loads do not depend on
// the order of demands. Ownership: over a Graph that must live as long. Threads: one at a time. Errors: a demand
// without a way is counted as lost, one whose octets no longer fit into 64 bits in all as refused. Cost: for each
// egress a shortest path calculation backwards, for each demand some 20 ns a link of its paths. Memory: 8 octets a
// link, and while an egress is at work 24 octets a node and 8 a link.

#ifndef FLOWACCT_TOPOLOGY_LINK_LOAD_H_
#define FLOWACCT_TOPOLOGY_LINK_LOAD_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "flowacct/topology/graph.h"
#include "flowacct/topology/shortest_paths.h"

namespace flowacct::topology {

// All ways of equal cost from everywhere to one node.
class EgressPaths {
 public:
  // `egress` may be kNoIndex: nothing reaches it.
  void Compute(const Graph& graph, NodeIndex egress);

  NodeIndex egress() const { return egress_; }
  bool reached(NodeIndex n) const { return n < next_.size() - 1 && paths_.reached(n); }
  const ShortestPaths& paths() const { return paths_; }

  // Calls `put(link, octets, first)` for each link that takes some of `octets` on the way from `from`, in the order of
  // the way; `first` says that the link leaves `from`. Each link once. False if there is no way. Nothing is put if
  // `from` is the egress.
  template <typename Put>
  bool Lay(NodeIndex from, uint64_t octets, Put&& put);

 private:
  struct NextLink {
    LinkIndex link;
    uint32_t ways;  // neighbours behind it: more than one on a LAN
  };
  NodeIndex Nearer();  // takes the pending node that is farthest from the egress
  void Pend(NodeIndex n, uint64_t octets);

  const Graph* graph_ = nullptr;
  NodeIndex egress_ = kNoIndex;
  ShortestPaths paths_;
  std::vector<uint32_t> next_ = {0};  // of each node the begin of its links in links_
  std::vector<NextLink> links_;
  std::vector<uint32_t> position_;  // in the order of distance
  std::vector<uint64_t> octets_;    // that wait at each node; 0: the node is not pending
  std::vector<uint64_t> pending_;   // a heap of position and node
};

struct Demand {
  NodeIndex from = kNoIndex, to = kNoIndex;
  uint64_t octets = 0;
  uint32_t tag = 0;  // whose it is; a number of the caller's
};

class LinkLoad {
 public:
  explicit LinkLoad(const Graph& graph);

  // Demands to the same egress in a row, or in one call, share its paths.
  void Add(absl::Span<const Demand> demands);

  uint64_t octets(LinkIndex l) const { return octets_[l]; }
  const std::vector<uint64_t>& all() const { return octets_; }

  // Of all demands: laid + local + lost + refused.
  uint64_t laid() const { return laid_; }          // found a way over a link or more
  uint64_t local() const { return local_; }        // came in and went out at the same router
  uint64_t lost() const { return lost_; }          // no way, or a router that is not there
  uint64_t refused() const { return refused_; }    // demands, not octets
  uint64_t first_links() const { return first_; }  // put on first links; equal to laid()

 private:
  const Graph* graph_;
  EgressPaths egress_;
  std::vector<uint64_t> octets_;
  uint64_t laid_ = 0, local_ = 0, lost_ = 0, refused_ = 0, first_ = 0;
};

// What part of the traffic from one router to another a link carries: 1 is all of it.
struct LinkShare {
  LinkIndex link = kNoIndex;
  double share = 0;
};
// In the order of the way. Empty: no way, or the same router.
std::vector<LinkShare> SharesOf(const Graph& graph, NodeIndex from, NodeIndex to);

template <typename Put>
bool EgressPaths::Lay(NodeIndex from, uint64_t octets, Put&& put) {
  if (!reached(from)) return false;
  if (from == egress_ || octets == 0) return true;
  Pend(from, octets);
  while (!pending_.empty()) {
    const NodeIndex n = Nearer();
    const uint64_t here = octets_[n];
    octets_[n] = 0;
    if (n == egress_) continue;
    uint64_t ways = 0;
    for (uint32_t i = next_[n]; i < next_[n + 1]; ++i) ways += links_[i].ways;
    const uint64_t each = here / ways, more = here % ways;
    uint64_t way = 0;
    for (uint32_t i = next_[n]; i < next_[n + 1]; ++i) {
      const NextLink& next = links_[i];
      const uint64_t extra = more <= way ? 0 : more - way < next.ways ? more - way : next.ways;
      way += next.ways;
      const uint64_t share = each * next.ways + extra;
      if (share == 0) continue;
      put(next.link, share, n == from);
      Pend(graph_->link(next.link).to, share);
    }
  }
  return true;
}

}  // namespace flowacct::topology

#endif  // FLOWACCT_TOPOLOGY_LINK_LOAD_H_
