#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "flowacct/topology/draw.h"

namespace flowacct::topology {
namespace {

constexpr uint32_t kFar = 0xffffffff;
constexpr int kRounds = 33;         // so that the step's factor from round to round is a root of 2^5
constexpr double kLastStep = 0.05;  // of the nearest pairs
constexpr double kHop = 110;        // pixels

// xorshift64: the same everywhere.
class Random {
 public:
  uint64_t Next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

 private:
  uint64_t state_ = 0x9e3779b97f4a7c15;
};

struct Pair {
  uint32_t a, b;
  float distance;
};

// Half hops: a LAN lies halfway between its routers.
class Hops {
 public:
  explicit Hops(const Graph& graph) : graph_(graph), hops_(graph.node_count()) {}

  // Also the nodes that are reached, in that order.
  const std::vector<NodeIndex>& From(NodeIndex root) {
    std::fill(hops_.begin(), hops_.end(), kFar);
    reached_.clear();
    std::vector<std::vector<NodeIndex>> ring(3);
    hops_[root] = 0;
    ring[0].push_back(root);
    size_t empty = 0;
    for (uint32_t at = 0; empty < 3; ++at) {
      std::vector<NodeIndex> now = std::move(ring[at % 3]);
      ring[at % 3].clear();
      empty = now.empty() ? empty + 1 : 0;
      for (const NodeIndex n : now) {
        if (hops_[n] != at) continue;
        reached_.push_back(n);
        const auto reach = [&](NodeIndex to) {
          const uint32_t hops = at + (graph_.node(n).pseudonode || graph_.node(to).pseudonode ? 1 : 2);
          if (hops >= hops_[to]) return;
          hops_[to] = hops;
          ring[hops % 3].push_back(to);
        };
        for (const GraphLink& link : graph_.links_of(n)) reach(link.to);
        for (const LinkIndex l : graph_.incoming(n)) reach(graph_.link(l).from);
      }
    }
    return reached_;
  }
  uint32_t operator[](NodeIndex n) const { return hops_[n]; }

 private:
  const Graph& graph_;
  std::vector<uint32_t> hops_;
  std::vector<NodeIndex> reached_;
};

// Puts the nodes of a part; `pairs` are their distances in hops.
void Relax(std::vector<Pair>* pairs, Random* random, std::vector<Point>* points) {
  double farthest = 0, nearest = 1e9;
  for (const Pair& pair : *pairs) {
    farthest = std::max(farthest, static_cast<double>(pair.distance));
    nearest = std::min(nearest, static_cast<double>(pair.distance));
  }
  if (pairs->empty()) return;
  double step = farthest * farthest;
  double factor = kLastStep * nearest * nearest / step;
  for (int i = 0; i < 5; ++i) factor = std::sqrt(factor);
  for (int round = 0; round < kRounds; ++round) {
    for (size_t i = pairs->size(); i > 1; --i) std::swap((*pairs)[i - 1], (*pairs)[random->Next() % i]);
    for (const Pair& pair : *pairs) {
      Point& a = (*points)[pair.a];
      Point& b = (*points)[pair.b];
      const double distance = static_cast<double>(pair.distance);
      double dx = a.x - b.x, dy = a.y - b.y;
      double length = std::sqrt(dx * dx + dy * dy);
      if (length < 1e-9) {
        dx = length = 1e-9;
        dy = 0;
      }
      const double weight = std::min(1.0, step / (distance * distance));
      const double move = weight * (length - distance) / (2 * length);
      a.x -= move * dx;
      a.y -= move * dy;
      b.x += move * dx;
      b.y += move * dy;
    }
    step *= factor;
  }
}

// Pushes apart what is too near.
void Spread(const std::vector<NodeIndex>& nodes, double nearest, std::vector<Point>* points) {
  for (int round = 0; round < 50; ++round) {
    bool moved = false;
    for (size_t i = 0; i < nodes.size(); ++i) {
      for (size_t j = i + 1; j < nodes.size(); ++j) {
        Point& a = (*points)[nodes[i]];
        Point& b = (*points)[nodes[j]];
        double dx = a.x - b.x, dy = a.y - b.y;
        if (dx > nearest || dx < -nearest || dy > nearest || dy < -nearest) continue;
        double length = std::sqrt(dx * dx + dy * dy);
        if (length >= nearest) continue;
        if (length < 1e-6) {
          dx = length = 1;
          dy = 0;
        }
        const double move = (nearest - length) / (2 * length) + 1e-3;
        a.x += dx * move;
        a.y += dy * move;
        b.x -= dx * move;
        b.y -= dy * move;
        moved = true;
      }
    }
    if (!moved) return;
  }
}

struct Part {
  std::vector<NodeIndex> nodes;
  double width = 0, height = 0;
};

}  // namespace

std::vector<Point> LayOut(const Graph& graph, double nearest) {
  const size_t nodes = graph.node_count();
  std::vector<Point> points(nodes);
  Random random;
  std::vector<uint8_t> placed(nodes, 0);
  std::vector<Part> parts;
  Hops hops(graph);
  for (NodeIndex root = 0; root < nodes; ++root) {
    if (placed[root] != 0) continue;
    Part part;
    part.nodes = hops.From(root);
    std::sort(part.nodes.begin(), part.nodes.end());
    std::vector<Pair> pairs;
    pairs.reserve(part.nodes.size() * (part.nodes.size() - 1) / 2);
    for (const NodeIndex n : part.nodes) {
      placed[n] = 1;
      points[n] = {random.Unit(), random.Unit()};
      hops.From(n);
      for (const NodeIndex m : part.nodes) {
        if (m > n) pairs.push_back({n, m, static_cast<float>(hops[m]) * 0.5f});
      }
    }
    Relax(&pairs, &random, &points);
    double left = 1e300, right = -1e300, top = 1e300, bottom = -1e300;
    const auto measure = [&] {
      left = top = 1e300;
      right = bottom = -1e300;
      for (const NodeIndex n : part.nodes) {
        left = std::min(left, points[n].x);
        right = std::max(right, points[n].x);
        top = std::min(top, points[n].y);
        bottom = std::max(bottom, points[n].y);
      }
    };
    measure();
    const bool turn = bottom - top > right - left;  // screens are wider than high
    for (const NodeIndex n : part.nodes) {
      if (turn) std::swap(points[n].x, points[n].y);
      points[n].x *= kHop;
      points[n].y *= kHop;
    }
    Spread(part.nodes, nearest, &points);
    measure();
    for (const NodeIndex n : part.nodes) {
      points[n].x -= left;
      points[n].y -= top;
    }
    part.width = right - left;
    part.height = bottom - top;
    parts.push_back(std::move(part));
  }

  // The largest first, in rows as wide as it is, or as all together would be in a square.
  std::stable_sort(parts.begin(), parts.end(),
                   [](const Part& a, const Part& b) { return a.nodes.size() > b.nodes.size(); });
  double area = 0, width = 0;
  for (const Part& part : parts) {
    area += (part.width + kHop) * (part.height + kHop);
    width = std::max(width, part.width + kHop);
  }
  width = std::max(width, std::sqrt(area) * 1.25);
  double x = 0, y = 0, row = 0;
  for (const Part& part : parts) {
    if (x > 0 && x + part.width + kHop > width) {
      x = 0;
      y += row;
      row = 0;
    }
    for (const NodeIndex n : part.nodes) {
      points[n].x += x;
      points[n].y += y;
    }
    x += part.width + kHop;
    row = std::max(row, part.height + kHop);
  }
  return points;
}

}  // namespace flowacct::topology
