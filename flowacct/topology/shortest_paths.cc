#include "flowacct/topology/shortest_paths.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace flowacct::topology {
namespace {

// A heap of four children a place: less deep than two, and the four lie in half a cache line.
constexpr size_t kChildren = 4;

void Push(std::vector<uint64_t>* heap, uint64_t key) {
  size_t at = heap->size();
  heap->push_back(key);
  uint64_t* h = heap->data();
  while (at > 0) {
    const size_t parent = (at - 1) / kChildren;
    if (h[parent] <= key) break;
    h[at] = h[parent];
    at = parent;
  }
  h[at] = key;
}

uint64_t Pop(std::vector<uint64_t>* heap) {
  uint64_t* h = heap->data();
  const uint64_t top = h[0];
  const uint64_t last = heap->back();
  heap->pop_back();
  const size_t size = heap->size();
  size_t at = 0;
  for (;;) {
    const size_t child = at * kChildren + 1;
    if (child >= size) break;
    const size_t end = child + kChildren < size ? child + kChildren : size;
    size_t least = child;
    for (size_t c = child + 1; c < end; ++c) least = h[c] < h[least] ? c : least;
    if (h[least] >= last) break;
    h[at] = h[least];
    at = least;
  }
  if (size > 0) h[at] = last;
  return top;
}

}  // namespace

std::optional<std::vector<NodePair>> ChangedLinks(const Graph& before, const Graph& after) {
  if (before.node_count() != after.node_count()) return std::nullopt;
  const NodeIndex nodes = static_cast<NodeIndex>(after.node_count());
  std::vector<NodePair> changed;
  std::vector<NodeIndex> turned;  // nodes that forward now and did not, or the reverse
  for (NodeIndex n = 0; n < nodes; ++n) {
    if (before.node(n).key != after.node(n).key) return std::nullopt;
    if (before.node(n).overload != after.node(n).overload) turned.push_back(n);
    const absl::Span<const GraphLink> was = before.links_of(n), is = after.links_of(n);
    size_t w = 0, i = 0;
    while (w < was.size() || i < is.size()) {
      if (w < was.size() && i < is.size() && was[w].to == is[i].to && was[w].metric == is[i].metric) {
        ++w, ++i;
        continue;
      }
      // All links to the next node of either, whatever of them differs.
      const NodeIndex to = w == was.size() ? is[i].to : i == is.size() ? was[w].to : std::min(was[w].to, is[i].to);
      changed.push_back({n, to});
      while (w < was.size() && was[w].to == to) ++w;
      while (i < is.size() && is[i].to == to) ++i;
    }
  }
  for (const NodeIndex n : turned) {
    for (const Graph* graph : {&before, &after}) {
      for (const GraphLink& link : graph->links_of(n)) changed.push_back({n, link.to});
      for (const LinkIndex l : graph->incoming(n)) changed.push_back({graph->link(l).from, n});
    }
  }
  return changed;
}

template <typename F>
void ShortestPaths::ForNext(NodeIndex n, const F& f) const {
  if (direction_ == Direction::kFrom) {
    for (const GraphLink& link : graph_->links_of(n)) f(link.to, link.metric);
  } else {
    for (const LinkIndex l : graph_->incoming(n)) f(graph_->link(l).from, graph_->link(l).metric);
  }
}

template <typename F>
void ShortestPaths::ForPrevious(NodeIndex n, const F& f) const {
  if (direction_ == Direction::kTo) {
    for (const GraphLink& link : graph_->links_of(n)) f(link.to, link.metric);
  } else {
    for (const LinkIndex l : graph_->incoming(n)) f(graph_->link(l).from, graph_->link(l).metric);
  }
}

void ShortestPaths::Reach(NodeIndex n, Cost cost) {
  if (cost >= cost_[n]) return;
  cost_[n] = cost;
  Push(&heap_, OrderOf(n));
}

void ShortestPaths::Settle(std::vector<NodeIndex>* settled) {
  while (!heap_.empty()) {
    const uint64_t top = Pop(&heap_);
    const NodeIndex n = NodeOf(top);
    const Cost cost = top >> (kNodeBits + 1);
    if (cost != cost_[n]) continue;  // a shorter way was found since
    settled->push_back(n);
    if ((cost & kMaxSteps) == kMaxSteps) many_steps_ = true;
    if (Forwards(n)) ForNext(n, [&](NodeIndex next, uint32_t metric) { Reach(next, Step(cost, metric)); });
  }
}

void ShortestPaths::Compute(const Graph& graph, NodeIndex root, Direction direction) {
  graph_ = &graph;
  root_ = root;
  direction_ = direction;
  many_steps_ = false;
  cost_.assign(graph.node_count(), kUnreachedCost);
  order_.clear();
  order_.reserve(graph.node_count());
  heap_.clear();
  if (root >= graph.node_count()) return;
  Reach(root, 0);
  Settle(&order_);
}

size_t ShortestPaths::Update(const Graph& graph, absl::Span<const NodePair> changed) {
  if (root_ >= graph.node_count()) {
    Compute(graph, root_, direction_);
    return 0;
  }
  before_ = cost_;
  const auto others_among = [&](const std::vector<NodeIndex>& nodes) {
    size_t others = 0;
    for (const NodeIndex n : nodes) others += before_[n] >> kStepBits != cost_[n] >> kStepBits;
    return others;
  };
  const auto compute = [&] {
    std::vector<NodeIndex> all(graph.node_count());
    std::iota(all.begin(), all.end(), NodeIndex{0});
    Compute(graph, root_, direction_);
    return others_among(all);
  };
  if (many_steps_) return compute();
  graph_ = &graph;

  // First those that lose what held them up. In ascending cost: whether a node stands is known once all those before it
  // are looked at, for every step adds to the cost.
  std::vector<NodeIndex> moved;
  heap_.clear();
  const auto suspect = [&](NodeIndex n) {
    if (n != root_ && cost_[n] != kUnreachedCost) Push(&heap_, OrderOf(n));
  };
  const bool from_root = direction_ == Direction::kFrom;
  for (const NodePair& pair : changed) suspect(from_root ? pair.to : pair.from);
  uint64_t last = ~uint64_t{0};
  while (!heap_.empty()) {
    const uint64_t top = Pop(&heap_);
    if (top == last) continue;
    last = top;
    const NodeIndex n = NodeOf(top);
    const Cost cost = cost_[n];
    bool stands = false;
    ForPrevious(n, [&](NodeIndex previous, uint32_t metric) {
      stands =
          stands || (cost_[previous] != kUnreachedCost && Forwards(previous) && Step(cost_[previous], metric) == cost);
    });
    if (stands) continue;
    moved.push_back(n);
    cost_[n] = kUnreachedCost;
    ForNext(n, [&](NodeIndex next, uint32_t metric) {
      if (cost_[next] != kUnreachedCost && Step(cost, metric) == cost_[next]) suspect(next);
    });
  }

  // Then what is the best from those that stand, by the changed links too, and on from there.
  const auto reach_anew = [&](NodeIndex n) {
    ForPrevious(n, [&](NodeIndex previous, uint32_t metric) {
      if (cost_[previous] != kUnreachedCost && Forwards(previous)) Reach(n, Step(cost_[previous], metric));
    });
  };
  const size_t fallen = moved.size();
  for (size_t i = 0; i < fallen; ++i) reach_anew(moved[i]);
  for (const NodePair& pair : changed) reach_anew(from_root ? pair.to : pair.from);
  std::vector<NodeIndex> settled;
  Settle(&settled);
  if (many_steps_) return compute();
  if (fallen == 0 && settled.empty()) return 0;

  // The order of those that stayed, and of those that were settled, are both in ascending cost.
  std::vector<bool> is_moved(graph.node_count(), false);
  for (size_t i = 0; i < fallen; ++i) is_moved[moved[i]] = true;
  for (const NodeIndex n : settled) {
    if (!is_moved[n]) moved.push_back(n);
    is_moved[n] = true;
  }
  std::vector<NodeIndex> order;
  order.reserve(graph.node_count());
  size_t next = 0;
  for (const NodeIndex n : order_) {
    if (is_moved[n]) continue;
    while (next < settled.size() && OrderOf(settled[next]) < OrderOf(n)) order.push_back(settled[next++]);
    order.push_back(n);
  }
  order.insert(order.end(), settled.begin() + static_cast<std::ptrdiff_t>(next), settled.end());
  order_.swap(order);
  return others_among(moved);
}

bool ShortestPaths::OnShortestPath(LinkIndex l) const {
  const GraphLink& link = graph_->link(l);
  const bool from_root = direction_ == Direction::kFrom;
  const NodeIndex near = from_root ? link.from : link.to;
  const NodeIndex far = from_root ? link.to : link.from;
  if (!reached(near) || !Forwards(near) || AddMetric(distance(near), link.metric) != distance(far)) return false;
  return OrderOf(near) < OrderOf(far);
}

}  // namespace flowacct::topology
