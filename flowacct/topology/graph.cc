#include "flowacct/topology/graph.h"

#include <algorithm>
#include <utility>

namespace flowacct::topology {
namespace {

constexpr uint32_t kMaxIsisLinkMetric = 0xffffff;  // RFC 5305, 3: no link for shortest paths

bool SameByAddresses(const LinkDetail& a, const LinkDetail& b) {
  static const base::IpAddress kUnspecified;
  return a.local_address != kUnspecified && a.remote_address != kUnspecified && a.local_address == b.remote_address &&
         a.remote_address == b.local_address;
}

bool SameByIdentifiers(const LinkDetail& a, const LinkDetail& b) {
  return a.local_id != 0 && a.remote_id != 0 && a.local_id == b.remote_id && a.remote_id == b.local_id;
}

}  // namespace

size_t Graph::octets() const {
  return nodes_.capacity() * sizeof(GraphNode) + slots_.capacity() * sizeof(NodeIndex) +
         first_link_.capacity() * sizeof(LinkIndex) + links_.capacity() * sizeof(GraphLink) +
         details_.capacity() * sizeof(LinkDetail) +
         (first_incoming_.capacity() + incoming_.capacity()) * sizeof(uint32_t);
}

Graph Graph::Without(absl::Span<const uint8_t> gone, std::vector<LinkIndex>* original) const {
  Graph left;
  left.style_ = style_;
  left.level_ = level_;
  left.topology_ = topology_;
  left.nodes_ = nodes_;
  const size_t nodes = nodes_.size();
  left.first_link_.assign(nodes + 1, 0);
  left.first_incoming_.assign(nodes + 1, 0);
  std::vector<LinkIndex> now(links_.size(), kNoIndex);
  if (original != nullptr) original->clear();
  for (NodeIndex n = 0; n < nodes; ++n) {
    for (LinkIndex l = first_link_[n]; l < first_link_[n + 1]; ++l) {
      if (gone[l] != 0) continue;
      now[l] = static_cast<LinkIndex>(left.links_.size());
      left.links_.push_back(links_[l]);
      left.details_.push_back(details_[l]);
      if (original != nullptr) original->push_back(l);
    }
    left.first_link_[n + 1] = static_cast<LinkIndex>(left.links_.size());
  }
  for (GraphLink& link : left.links_) {
    if (link.reverse != kNoIndex) link.reverse = now[link.reverse];
  }
  left.incoming_.reserve(left.links_.size());
  for (NodeIndex n = 0; n < nodes; ++n) {
    for (const LinkIndex l : incoming(n)) {
      if (now[l] != kNoIndex) left.incoming_.push_back(now[l]);
    }
    left.first_incoming_[n + 1] = static_cast<uint32_t>(left.incoming_.size());
  }
  return left;
}

Graph::Builder::Builder(NodeStyle style, uint8_t level, TopologyNumber topology)
    : style_(style), level_(level), topology_(topology) {}

void Graph::Builder::AddNode(NodeKey key, bool overload, bool attached) {
  const bool pseudonode = IsPseudonode(style_, key);
  // RFC 3787, 4: the overload bit of a pseudonode says nothing.
  nodes_.push_back({key, pseudonode, overload && !pseudonode, attached && !pseudonode});
}

void Graph::Builder::AddLink(NodeKey from, NodeKey to, uint32_t metric, LinkDetail detail) {
  if (from != to) halves_.push_back({from, to, metric, std::move(detail)});
}

Graph Graph::Builder::Build() {
  Graph graph;
  graph.style_ = style_;
  graph.level_ = level_;
  graph.topology_ = topology_;

  // Of each key the last one.
  const auto before = [](const GraphNode& a, const GraphNode& b) { return a.key < b.key; };
  if (!std::is_sorted(nodes_.begin(), nodes_.end(), before)) std::stable_sort(nodes_.begin(), nodes_.end(), before);
  for (const GraphNode& node : nodes_) {
    if (!graph.nodes_.empty() && graph.nodes_.back().key == node.key) {
      graph.nodes_.back() = node;
    } else if (graph.nodes_.size() < kMaxNodes) {
      graph.nodes_.push_back(node);
    }
  }
  graph.nodes_.shrink_to_fit();
  const size_t nodes = graph.nodes_.size();
  size_t slots = nodes == 0 ? 0 : 2;
  while (slots < 2 * nodes) slots *= 2;
  graph.slots_.assign(slots, kNoIndex);
  for (size_t n = 0; n < nodes; ++n) {
    size_t at = graph.SlotOf(graph.nodes_[n].key);
    while (graph.slots_[at] != kNoIndex) at = (at + 1) & (slots - 1);
    graph.slots_[at] = static_cast<NodeIndex>(n);
  }

  // Halves in the order of `from`, then `to`, then as they came. Those who add node by node spare the first sort.
  const auto from_before = [](const Half& a, const Half& b) { return a.from < b.from; };
  if (!std::is_sorted(halves_.begin(), halves_.end(), from_before)) {
    std::stable_sort(halves_.begin(), halves_.end(), from_before);
  }
  struct Place {
    NodeIndex to;
    uint32_t half;
    LinkIndex link;
    uint32_t other;  // the place of the other direction
    bool paired, proved;
  };
  std::vector<Place> places;
  places.reserve(halves_.size());
  std::vector<uint32_t> first(nodes + 1, 0);
  size_t at = 0;
  for (size_t n = 0; n < nodes; ++n) {
    const NodeKey key = graph.nodes_[n].key;
    while (at < halves_.size() && halves_[at].from < key) ++at;  // of nodes that are not there
    first[n] = static_cast<uint32_t>(places.size());
    for (; at < halves_.size() && halves_[at].from == key; ++at) {
      const NodeIndex to = graph.Find(halves_[at].to);
      if (to != kNoIndex) places.push_back({to, static_cast<uint32_t>(at), kNoIndex, kNoIndex, false, false});
    }
    std::sort(places.begin() + first[n], places.end(),
              [](const Place& a, const Place& b) { return a.to != b.to ? a.to < b.to : a.half < b.half; });
  }
  first[nodes] = static_cast<uint32_t>(places.size());

  // Each group of parallel links with the group of the other end, once for both.
  const auto group_of = [&](NodeIndex from, NodeIndex to) {
    const auto range =
        std::equal_range(places.begin() + first[from], places.begin() + first[from + 1],
                         Place{to, 0, 0, 0, false, false}, [](const Place& a, const Place& b) { return a.to < b.to; });
    return absl::MakeSpan(places).subspan(static_cast<size_t>(range.first - places.begin()),
                                          static_cast<size_t>(range.second - range.first));
  };
  const auto pair = [&](Place* a, Place* b) {
    a->other = static_cast<uint32_t>(b - places.data());
    b->other = static_cast<uint32_t>(a - places.data());
    a->paired = b->paired = true;
  };
  for (NodeIndex n = 0; n < nodes; ++n) {
    for (uint32_t p = first[n]; p < first[n + 1];) {
      const NodeIndex to = places[p].to;
      uint32_t end = p;
      while (end < first[n + 1] && places[end].to == to) ++end;
      const absl::Span<Place> ours = absl::MakeSpan(places).subspan(p, end - p);
      p = end;
      if (to < n) continue;
      const absl::Span<Place> theirs = group_of(to, n);
      if (theirs.empty()) continue;
      for (Place& a : ours) a.proved = true;
      for (Place& b : theirs) b.proved = true;
      for (const auto same : {SameByAddresses, SameByIdentifiers}) {
        if (ours.size() == 1 && theirs.size() == 1) break;
        for (Place& a : ours) {
          for (Place& b : theirs) {
            if (!a.paired && !b.paired && same(halves_[a.half].detail, halves_[b.half].detail)) pair(&a, &b);
          }
        }
      }
      size_t next = 0;
      for (Place& a : ours) {
        if (a.paired) continue;
        while (next < theirs.size() && theirs[next].paired) ++next;
        if (next == theirs.size()) break;
        pair(&a, &theirs[next]);
      }
    }
  }

  graph.first_link_.assign(nodes + 1, 0);
  graph.first_incoming_.assign(nodes + 1, 0);
  size_t count = 0;
  for (Place& place : places) {
    const bool usable = style_ == NodeStyle::kOspf || halves_[place.half].metric < kMaxIsisLinkMetric;
    if (place.proved && usable) place.link = static_cast<LinkIndex>(count++);
  }
  graph.links_.reserve(count);
  graph.details_.reserve(count);
  for (NodeIndex n = 0; n < nodes; ++n) {
    graph.first_link_[n] = static_cast<LinkIndex>(graph.links_.size());
    for (uint32_t p = first[n]; p < first[n + 1]; ++p) {
      const Place& place = places[p];
      if (place.link == kNoIndex) continue;
      Half& half = halves_[place.half];
      graph.links_.push_back({n, place.to, half.metric, place.other == kNoIndex ? kNoIndex : places[place.other].link});
      graph.details_.push_back(std::move(half.detail));
      ++graph.first_incoming_[place.to];
    }
  }
  graph.first_link_[nodes] = static_cast<LinkIndex>(count);

  // Counts become ends, which go down to beginnings as links are put in, the last ones first.
  uint32_t sum = 0;
  for (uint32_t& ends : graph.first_incoming_) ends = sum += ends;
  graph.incoming_.resize(count);
  for (size_t l = count; l-- > 0;) {
    graph.incoming_[--graph.first_incoming_[graph.links_[l].to]] = static_cast<LinkIndex>(l);
  }
  nodes_.clear();
  halves_.clear();
  return graph;
}

}  // namespace flowacct::topology
