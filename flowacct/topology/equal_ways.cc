#include "flowacct/topology/equal_ways.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"

namespace flowacct::topology {
namespace {

constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();

uint64_t Add(uint64_t a, uint64_t b) { return a > kMost - b ? kMost : a + b; }
uint64_t Multiply(uint64_t a, uint64_t b) {
  uint64_t product;
  return __builtin_mul_overflow(a, b, &product) ? kMost : product;
}

}  // namespace

std::string PercentOfOne(uint64_t parts) {
  constexpr uint64_t kDecimals = 10'000;
  constexpr uint64_t kWhole = 100 * kDecimals;
  const uint64_t value = parts <= kMost - kWhole ? (kWhole + parts / 2) / parts : 0;
  std::string text = absl::StrCat(value / kDecimals);
  if (value % kDecimals == 0) return text;
  absl::StrAppend(&text, ".", absl::Dec(value % kDecimals, absl::kZeroPad4));
  text.erase(text.find_last_not_of('0') + 1);
  return text;
}

bool EqualWays::Meet(NodeIndex n) {
  if (round_of_[n] == round_) return false;
  round_of_[n] = round_;
  place_[n] = static_cast<uint32_t>(nodes_.size());
  nodes_.emplace_back();
  return true;
}

void EqualWays::FindSteps(const Graph& graph, const ShortestPaths& paths) {
  // Backwards from the ends; nothing leaves an end.
  while (!stack_.empty()) {
    const NodeIndex n = stack_.back();
    stack_.pop_back();
    for (const LinkIndex l : graph.incoming(n)) {
      const NodeIndex from = graph.link(l).from;
      if (!paths.OnShortestPath(l)) continue;
      if (round_of_[from] == round_ && NodeOf(from).egress) continue;
      steps_.push_back({from, n, l});
      if (Meet(from)) stack_.push_back(from);
    }
  }
  std::sort(steps_.begin(), steps_.end(), [](const Step& a, const Step& b) { return a.link < b.link; });
  // The links that leave a node are neighbours in the graph, and so they are here.
  for (uint32_t i = 0; i < steps_.size(); ++i) {
    Node& node = NodeOf(steps_[i].from);
    if (i == 0 || steps_[i - 1].from != steps_[i].from) node.first = i;
    node.end = i + 1;
  }
}

void EqualWays::Count(NodeIndex root) {
  // Depth first: a node is counted when all behind it are.
  stack_.assign(1, root);
  while (!stack_.empty()) {
    const NodeIndex n = stack_.back();
    Node& node = NodeOf(n);
    if (node.count != 0) {
      stack_.pop_back();
      continue;
    }
    if (node.egress) {
      node.count = 1;
      reached_.push_back(n);
      stack_.pop_back();
      continue;
    }
    uint64_t count = 0;
    const size_t before = stack_.size();
    for (uint32_t i = node.first; i < node.end; ++i) {
      const Node& next = NodeOf(steps_[i].to);
      if (next.count == 0) stack_.push_back(steps_[i].to);
      count = Add(count, next.count);
    }
    if (stack_.size() > before) continue;
    node.count = count;
    stack_.pop_back();
  }
  std::sort(reached_.begin(), reached_.end());
  count_ = NodeOf(root).count;
}

uint64_t EqualWays::PartsAt(const Graph& graph, NodeIndex n) {
  if (graph.node(n).pseudonode) return 1;  // its speaker's neighbours are counted by whoever sends to it
  const Node& node = NodeOf(n);
  uint64_t parts = 0;
  for (uint32_t i = node.first; i < node.end; ++i) {
    const Node& next = NodeOf(steps_[i].to);
    parts += graph.node(steps_[i].to).pseudonode && !next.egress ? next.end - next.first : 1;
  }
  return parts;
}

void EqualWays::Tell(const Graph& graph, NodeIndex root, size_t max) {
  // `next_` is the step that is tried next at each node of the way.
  stack_.assign(1, root);
  next_.assign(1, NodeOf(root).first);
  while (!stack_.empty() && told_ < max) {
    const Node& node = NodeOf(stack_.back());
    if (node.egress) {
      if (told_ == ways_.size()) ways_.emplace_back();
      Way& way = ways_[told_++];
      way.links.clear();
      way.parts = 1;
      for (size_t i = 0; i + 1 < stack_.size(); ++i) {
        way.links.push_back(steps_[next_[i] - 1].link);
        way.parts = Multiply(way.parts, PartsAt(graph, stack_[i]));
      }
    } else if (next_.back() < node.end) {
      const NodeIndex to = steps_[next_.back()++].to;
      stack_.push_back(to);
      next_.push_back(NodeOf(to).first);
      continue;
    }
    stack_.pop_back();
    next_.pop_back();
  }
}

void EqualWays::Find(const Graph& graph, const ShortestPaths& paths, absl::Span<const NodeIndex> egress, size_t max) {
  local_ = false;
  count_ = 0;
  told_ = 0;
  reached_.clear();
  nodes_.clear();
  steps_.clear();
  stack_.clear();
  const NodeIndex root = paths.root();
  if (root >= graph.node_count()) return;
  if (std::find(egress.begin(), egress.end(), root) != egress.end()) {
    local_ = true;
    count_ = 1;
    reached_.assign(1, root);
    return;
  }
  if (round_of_.size() < graph.node_count()) {
    round_of_.resize(graph.node_count(), 0);
    place_.resize(graph.node_count(), 0);
  }
  if (++round_ == 0) {
    std::fill(round_of_.begin(), round_of_.end(), 0);
    round_ = 1;
  }
  for (const NodeIndex n : egress) {
    if (n >= graph.node_count() || !paths.reached(n) || !Meet(n)) continue;
    NodeOf(n).egress = true;
    stack_.push_back(n);
  }
  FindSteps(graph, paths);
  if (round_of_[root] != round_) return;
  Count(root);
  Tell(graph, root, max);
}

}  // namespace flowacct::topology
