#include "flowacct/topology/ti_lfa.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "flowacct/topology/protection.h"
#include "flowacct/topology/testing/drawn_graph.h"
#include "flowacct/topology/testing/random_network.h"
#include "flowacct/topology/testing/slow_ways.h"
#include "gtest/gtest.h"

namespace flowacct::topology {
namespace {

// "S A B C E = 12: node B, B-C": the routers of the way, its cost and its segments.
std::string Text(const Graph& graph, const std::optional<RepairPath>& repair) {
  if (!repair) return "none";
  const auto letter = [&](NodeIndex n) { return std::string(1, LetterOf(graph.node(n).key)); };
  std::string text;
  for (const LinkIndex l : repair->links) text += letter(graph.link(l).from) + " ";
  if (!repair->links.empty()) text += letter(graph.link(repair->links.back()).to);
  text += " = " + std::to_string(repair->distance) + ":";
  for (const Segment& segment : repair->segments) {
    text += segment.kind == Segment::Kind::kNode
                ? " node " + letter(segment.node)
                : " " + letter(graph.link(segment.link).from) + "-" + letter(segment.node);
  }
  return text;
}

std::string AfterLink(const Graph& graph, char router, char neighbor, char to) {
  Failure failure(graph);
  failure.AddLink(LinkAt(graph, router, neighbor));
  PostConvergence repair;
  repair.Compute(graph, At(graph, router), failure);
  return Text(graph, repair.To(At(graph, to)));
}

std::string AfterNode(const Graph& graph, char router, char node, char to) {
  Failure failure(graph);
  failure.AddNode(At(graph, node));
  PostConvergence repair;
  repair.Compute(graph, At(graph, router), failure);
  return Text(graph, repair.To(At(graph, to)));
}

TEST(PostConvergence, NoSegmentWhereALoopFreeAlternateDoes) {
  const Graph graph = DrawnGraph(R"(
    S--1--E
    |     |
    5     1
    |     |
    N--3--D
  )");
  EXPECT_EQ(AfterLink(graph, 'S', 'E', 'D'), "S N D = 8:");
  EXPECT_EQ(AfterNode(graph, 'S', 'E', 'D'), "S N D = 8:");
  EXPECT_EQ(AfterNode(graph, 'S', 'E', 'E'), "none");
}

TEST(PostConvergence, OneNodeSegmentWhereARemoteAlternateDoes) {
  const char* const ring = R"(
    S--1--E
    |     |
    1     1
    |     |
    A     D
    |     |
    1     1
    |     |
    B--1--C
  )";
  EXPECT_EQ(AfterLink(DrawnGraph(ring), 'S', 'E', 'E'), "S A B C D E = 5: node C");
  EXPECT_EQ(AfterLink(DrawnGraph(ring), 'S', 'E', 'D'), "S A B C D = 4: node C");
}

TEST(PostConvergence, AnAdjacencySegmentOverALongLink) {
  const char* const ring = R"(
    S--1--E
    |     |
    1     1
    |     |
    A     D
    |     |
    1     1
    |     |
    B--9--C
  )";
  EXPECT_EQ(AfterLink(DrawnGraph(ring), 'S', 'E', 'E'), "S A B C D E = 13: node B B-C");
  EXPECT_EQ(AfterLink(DrawnGraph(ring), 'S', 'E', 'C'), "S A B C = 11: node B B-C");
}

TEST(PostConvergence, ALanFailsAsAWhole) {
  const Graph graph = DrawnGraph(R"(
    S--1--p--1--E
    |     |     |
    3     1     1
    |     |     |
    F--1--N--1--D
  )");
  EXPECT_EQ(AfterNode(graph, 'S', 'p', 'D'), "S F N D = 5:");
  EXPECT_EQ(AfterNode(graph, 'S', 'p', 'E'), "S F N D E = 6: node D");  // N would go to E over the LAN
}

TEST(PostConvergence, AGroupFailsTogether) {
  const Graph graph = DrawnGraph(R"(
    S--1--E--1--D
    |     |     |
    2     2     2
    |     |     |
    A--2--B--2--C
  )");
  Failure failure(graph);
  failure.AddLink(LinkAt(graph, 'S', 'E'));
  failure.AddLink(LinkAt(graph, 'B', 'E'));
  PostConvergence repair;
  repair.Compute(graph, At(graph, 'S'), failure);
  EXPECT_EQ(Text(graph, repair.To(At(graph, 'D'))), "S A B C D = 8: node C");
  failure.AddLink(LinkAt(graph, 'S', 'A'));
  repair.Compute(graph, At(graph, 'S'), failure);
  EXPECT_EQ(Text(graph, repair.To(At(graph, 'D'))), "none");
}

RandomNetworkOptions Options(uint64_t seed) {
  RandomNetworkOptions options;
  options.seed = seed * 104729;
  options.routers = 5 + seed % 12;
  options.links = options.routers + seed % 9;
  options.lans = seed % 3;
  options.max_metric = seed % 3 == 0 ? 3 : 15;
  options.pieces = seed % 11 == 0;
  return options;
}

TEST(PostConvergence, SegmentsSteerPastTheFailureOnRandomNetworks) {
  size_t repairs = 0, lists[4] = {};
  for (uint64_t seed = 1; seed <= 1000; ++seed) {
    const Graph graph = RandomGraph(Options(seed));
    if (graph.link_count() == 0) continue;
    const SlowWays before(graph);
    std::mt19937_64 random(seed);
    const LinkIndex failed = static_cast<LinkIndex>(random() % graph.link_count());
    const NodeIndex s = graph.link(failed).from;
    if (graph.node(s).pseudonode) continue;
    Failure failure(graph);
    if (graph.node(graph.link(failed).to).pseudonode || seed % 3 == 0) {
      failure.AddNode(graph.link(failed).to);
    } else {
      failure.AddLink(failed);
      if (seed % 5 == 0) failure.AddLink(static_cast<LinkIndex>(random() % graph.link_count()));  // a group
    }
    const SlowWays after(graph, &failure);
    PostConvergence post;
    post.Compute(graph, s, failure);
    const auto avoids = [&](NodeIndex a, NodeIndex b) {
      const SlowWays::Met& met = before.Walk(a, b);
      return !met.nodes.empty() &&
             std::none_of(met.nodes.begin(), met.nodes.end(), [&](NodeIndex n) { return failure.node(n); }) &&
             std::none_of(met.links.begin(), met.links.end(), [&](LinkIndex l) { return failure.link(l); });
    };
    for (NodeIndex d = 0; d < graph.node_count(); ++d) {
      if (d == s || graph.node(d).pseudonode) continue;
      const auto repair = post.To(d);
      ASSERT_EQ(repair.has_value(), !failure.node(d) && after.distance(s, d) < SlowWays::kNone) << seed;
      if (!repair) continue;
      ++repairs;
      ++lists[std::min<size_t>(repair->segments.size(), 3)];
      // The path is one of those after the failure.
      ASSERT_EQ(repair->distance, after.distance(s, d)) << seed;
      uint64_t cost = 0;
      NodeIndex at = s;
      std::vector<NodeIndex> routers;
      for (const LinkIndex l : repair->links) {
        ASSERT_EQ(graph.link(l).from, at) << seed;
        ASSERT_FALSE(failure.link(l)) << seed;
        cost += graph.link(l).metric;
        at = graph.link(l).to;
        if (!graph.node(at).pseudonode) routers.push_back(at);
      }
      ASSERT_EQ(at, d);
      ASSERT_EQ(cost, repair->distance) << seed;
      // A packet with the segments, on every way that routers may choose before they know: it costs what the path does.
      at = routers[0];
      uint64_t steered = after.distance(s, d) - after.distance(routers[0], d);
      for (const Segment& segment : repair->segments) {
        if (segment.kind == Segment::Kind::kNode) {
          ASSERT_TRUE(avoids(at, segment.node)) << seed;
          steered += before.distance(at, segment.node);
        } else {
          ASSERT_EQ(graph.link(segment.link).from, at) << seed;
          ASSERT_FALSE(failure.link(segment.link)) << seed;
          steered += after.distance(at, segment.node);
        }
        at = segment.node;
      }
      ASSERT_TRUE(at == d || avoids(at, d)) << seed << " " << s << " " << d;
      steered += before.distance(at, d);
      ASSERT_EQ(steered, repair->distance) << seed;
      // No shorter list steers along these routers.
      std::vector<size_t> least(routers.size(), routers.size());
      least[0] = 0;
      size_t best = routers.size();
      for (size_t i = 0; i < routers.size(); ++i) {
        if (routers[i] == d || avoids(routers[i], d)) best = std::min(best, least[i]);
        for (size_t j = i + 1; j < routers.size(); ++j) {
          if (j == i + 1 || avoids(routers[i], routers[j])) least[j] = std::min(least[j], least[i] + 1);
        }
      }
      ASSERT_EQ(repair->segments.size(), best) << seed;
    }
  }
  EXPECT_GT(repairs, 5000u);
  EXPECT_GT(lists[0], 500u);
  EXPECT_GT(lists[1], 100u);
  EXPECT_GT(lists[2], 20u);
}

}  // namespace
}  // namespace flowacct::topology
