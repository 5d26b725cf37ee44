// The nodes and links of one level and topology as arrays: what shortest paths are computed on.
//
// Only links that both ends advertise are in it (ISO 10589, C.2.6; RFC 1195, C.1.4); links of the highest wide metric
// are not (RFC 5305, 3), though they prove the other direction. Parallel links stay apart. Immutable once built: shared
// between threads by a pointer to const. Errors: none; a link to a node that is not there is no link. Cost: a direction
// of a link takes 20 octets here and its attributes beside it; building is O(links log links of a node).

#ifndef FLOWACCT_TOPOLOGY_GRAPH_H_
#define FLOWACCT_TOPOLOGY_GRAPH_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/hash/hash.h"
#include "absl/types/span.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/topology/advertisement.h"

namespace flowacct::topology {

using NodeIndex = uint32_t;
using LinkIndex = uint32_t;  // of a direction
inline constexpr uint32_t kNoIndex = 0xffffffff;
// Those of greater keys are left out. A hundred times what one area of routers is known to bear.
inline constexpr size_t kMaxNodes = size_t{1} << 20;

struct GraphNode {
  NodeKey key;
  bool pseudonode = false;
  bool overload = false;  // nothing is forwarded through it
  bool attached = false;  // level 1: a way out of the area
};

struct GraphLink {
  NodeIndex from = kNoIndex, to = kNoIndex;
  uint32_t metric = 0;
  // The other direction of the same link: by addresses, else identifiers, else order. kNoIndex: it cannot be used, or
  // the other end tells of fewer parallel links.
  LinkIndex reverse = kNoIndex;
};

struct LinkDetail {
  base::IpAddress local_address, remote_address;
  uint32_t local_id = 0, remote_id = 0;
  float bandwidth = 0;  // octets per second; 0: not known
};

class Graph {
 public:
  NodeStyle style() const { return style_; }
  uint8_t level() const { return level_; }
  TopologyNumber topology() const { return topology_; }

  size_t node_count() const { return nodes_.size(); }
  size_t link_count() const { return links_.size(); }
  const GraphNode& node(NodeIndex n) const { return nodes_[n]; }
  const GraphLink& link(LinkIndex l) const { return links_[l]; }
  const LinkDetail& detail(LinkIndex l) const { return details_[l]; }
  // The links that leave a node are neighbours in the array, in the order of the keys they go to.
  LinkIndex first_link(NodeIndex n) const { return first_link_[n]; }
  absl::Span<const GraphLink> links_of(NodeIndex n) const {
    return absl::MakeConstSpan(links_).subspan(first_link_[n], first_link_[n + 1] - first_link_[n]);
  }
  // The links that enter a node.
  absl::Span<const LinkIndex> incoming(NodeIndex n) const {
    return absl::MakeConstSpan(incoming_).subspan(first_incoming_[n], first_incoming_[n + 1] - first_incoming_[n]);
  }
  NodeIndex Find(NodeKey key) const {  // kNoIndex if it is not there
    if (slots_.empty()) return kNoIndex;
    for (size_t at = SlotOf(key);; at = (at + 1) & (slots_.size() - 1)) {
      const NodeIndex n = slots_[at];
      if (n == kNoIndex || nodes_[n].key == key) return n;
    }
  }
  size_t octets() const;
  // The same nodes without some links: those for which `gone` is not 0. What `reverse` meant stays, where it is left.
  // `original`, if not null: of each link that is left its index here.
  Graph Without(absl::Span<const uint8_t> gone, std::vector<LinkIndex>* original) const;

  // For those who make graphs: the database, generators, tests. Nodes in ascending order of keys, links by `from`;
  // reverse links are paired here.
  class Builder;

 private:
  friend class Builder;

  // Where to begin in slots_, a power of two that is at least twice as many as there are nodes.
  size_t SlotOf(NodeKey key) const { return absl::Hash<NodeKey>()(key) & (slots_.size() - 1); }

  NodeStyle style_ = NodeStyle::kIsis;
  uint8_t level_ = 2;
  TopologyNumber topology_ = 0;
  std::vector<GraphNode> nodes_;
  std::vector<NodeIndex> slots_;  // by key; kNoIndex: nothing
  std::vector<LinkIndex> first_link_ = {0};
  std::vector<GraphLink> links_;
  std::vector<LinkDetail> details_;
  std::vector<uint32_t> first_incoming_ = {0};
  std::vector<LinkIndex> incoming_;
};

class Graph::Builder {
 public:
  Builder(NodeStyle style, uint8_t level, TopologyNumber topology);
  void Reserve(size_t nodes, size_t directions) {
    nodes_.reserve(nodes);
    halves_.reserve(directions);
  }
  // The same key twice is the same node; the later flags count.
  void AddNode(NodeKey key, bool overload = false, bool attached = false);
  // One direction. It becomes a link only if the other end says so too; both nodes must be there in the end.
  void AddLink(NodeKey from, NodeKey to, uint32_t metric, LinkDetail detail = {});
  Graph Build();  // the builder is empty then

 private:
  struct Half {
    NodeKey from, to;
    uint32_t metric;
    LinkDetail detail;
  };
  NodeStyle style_;
  uint8_t level_;
  TopologyNumber topology_;
  std::vector<GraphNode> nodes_;
  std::vector<Half> halves_;
};

}  // namespace flowacct::topology

#endif  // FLOWACCT_TOPOLOGY_GRAPH_H_
