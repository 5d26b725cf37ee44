#include "flowacct/topology/failure.h"

namespace flowacct::topology {

Failure::Failure(const Graph& graph) : graph_(&graph), links_(graph.link_count(), 0), nodes_(graph.node_count(), 0) {}

void Failure::AddLink(LinkIndex l) {
  if (l >= links_.size()) return;
  links_[l] = 1;
  const LinkIndex reverse = graph_->link(l).reverse;
  if (reverse != kNoIndex) links_[reverse] = 1;
}

void Failure::AddNode(NodeIndex n) {
  if (n >= nodes_.size()) return;
  nodes_[n] = 1;
  for (LinkIndex l = graph_->first_link(n); l < graph_->first_link(n) + graph_->links_of(n).size(); ++l) links_[l] = 1;
  for (const LinkIndex l : graph_->incoming(n)) links_[l] = 1;
}

Graph Failure::Apply(std::vector<LinkIndex>* original) const { return graph_->Without(links_, original); }

std::vector<uint8_t> Failure::Met(const ShortestPaths& paths) const {
  std::vector<uint8_t> met(nodes_.size(), 1);
  for (const NodeIndex n : paths.order()) {
    uint8_t meets = nodes_[n];
    for (const LinkIndex l : graph_->incoming(n)) {
      if (meets != 0) break;
      if (paths.OnShortestPath(l)) meets = static_cast<uint8_t>(links_[l] | met[graph_->link(l).from]);
    }
    met[n] = meets;
  }
  return met;
}

}  // namespace flowacct::topology
