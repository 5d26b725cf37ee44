#include "flowacct/topology/protection.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "flowacct/topology/testing/drawn_graph.h"
#include "flowacct/topology/testing/random_network.h"
#include "flowacct/topology/testing/slow_ways.h"
#include "gtest/gtest.h"

namespace flowacct::topology {
namespace {

// "C link node downstream" for each alternate of traffic from `router` to `to` that leaves by `via`.
std::string Alternates(const Graph& graph, char router, char via, char to) {
  LoopFreeAlternates alternates;
  alternates.Compute(graph, At(graph, router));
  const Target target = {At(graph, to), 0};
  const auto& adjacencies = alternates.adjacencies();
  std::string text;
  for (size_t p = 0; p < adjacencies.size(); ++p) {
    if (adjacencies[p].neighbor != At(graph, via)) continue;
    if (!alternates.IsPrimary(p, At(graph, to))) continue;
    for (size_t c = 0; c < adjacencies.size(); ++c) {
      const Alternate a = alternates.Judge(p, c, Destination(&target, 1));
      if (!a.loop_free) continue;
      if (!text.empty()) text += "; ";
      text += LetterOf(graph.node(adjacencies[c].neighbor).key);
      if (a.link) text += " link";
      if (a.node) text += " node";
      if (a.downstream) text += " downstream";
      if (a.primary) text += " primary";
    }
    return text;
  }
  return "not primary";
}

// "C" of the best one, or "none".
std::string Best(const Graph& graph, char router, char via, char to) {
  LoopFreeAlternates alternates;
  alternates.Compute(graph, At(graph, router));
  const Target target = {At(graph, to), 0};
  for (size_t p = 0; p < alternates.adjacencies().size(); ++p) {
    if (alternates.adjacencies()[p].neighbor != At(graph, via)) continue;
    const auto best = alternates.Best(p, Destination(&target, 1));
    return best ? std::string(1, LetterOf(graph.node(alternates.adjacencies()[best->adjacency].neighbor).key)) : "none";
  }
  return "no adjacency";
}

TEST(LoopFreeAlternates, ATriangle) {
  // N reaches D without S, and without E.
  const Graph graph = DrawnGraph(R"(
    S--1--E
    |     |
    5     1
    |     |
    N--3--D
  )");
  EXPECT_EQ(Alternates(graph, 'S', 'E', 'D'), "N link node");
  // D(N,E) = 4 is less than D(N,S) + D(S,E) = 6: to E itself nothing protects the node.
  EXPECT_EQ(Alternates(graph, 'S', 'E', 'E'), "N link");
}

TEST(LoopFreeAlternates, TheWayOfTheNeighbourComesBack) {
  const Graph graph = DrawnGraph(R"(
    S--1--E
    |     |
    1     1
    |     |
    N--9--D
  )");
  // Inequality 1: D(N,D) = 3 is not less than D(N,S) + D(S,D) = 1 + 2.
  EXPECT_EQ(Alternates(graph, 'S', 'E', 'D'), "");
  EXPECT_EQ(Best(graph, 'S', 'E', 'D'), "none");
}

TEST(LoopFreeAlternates, ATieIsNoAlternate) {
  const Graph graph = DrawnGraph(R"(
    S--1--E
    |     |
    1     1
    |     |
    N--3--D
  )");
  EXPECT_EQ(Alternates(graph, 'S', 'E', 'D'), "");  // one of N's two ways comes back
  const Graph nearer = DrawnGraph(R"(
    S--1--E
    |     |
    1     1
    |     |
    N--2--D
  )");
  EXPECT_EQ(Alternates(nearer, 'S', 'E', 'D'), "N link node");
}

TEST(LoopFreeAlternates, LinkOnly) {
  // N goes through E, but not through S.
  const Graph graph = DrawnGraph(R"(
    S--2--E--1--D
     \    |
      3   1
       \  |
        \ |
         \|
          N
  )");
  EXPECT_EQ(Alternates(graph, 'S', 'E', 'D'), "N link downstream");
}

TEST(LoopFreeAlternates, Downstream) {
  // Inequality 2: D(N,D) = 2 is less than D(S,D) = 3.
  const Graph graph = DrawnGraph(R"(
    S--1--E
    |     |
    4     2
    |     |
    N--2--D
  )");
  EXPECT_EQ(Alternates(graph, 'S', 'E', 'D'), "N link node downstream");
}

TEST(LoopFreeAlternates, ParallelLinksProtectEachOtherButNotTheNode) {
  const Graph graph = DrawnGraph("S==2==E--1--D");
  EXPECT_EQ(Alternates(graph, 'S', 'E', 'D'), "E link downstream primary");
}

TEST(LoopFreeAlternates, WaysOfEqualCost) {
  const Graph graph = DrawnGraph(R"(
    S--1--E
    |     |
    1     1
    |     |
    F--1--D
  )");
  EXPECT_EQ(Alternates(graph, 'S', 'E', 'D'), "F link node downstream primary");
  EXPECT_EQ(Alternates(graph, 'S', 'F', 'D'), "E link node downstream primary");
}

TEST(LoopFreeAlternates, AnOverloadedNeighbourForwardsNothing) {
  const char* const picture = R"(
    S--1--E
    |     |
    4     2
    |     |
    N--2--D
  )";
  EXPECT_EQ(Alternates(DrawnGraph(picture, "N"), 'S', 'E', 'D'), "");
  // Not even to E; but to N itself, E is the other way.
  EXPECT_EQ(Alternates(DrawnGraph(picture, "N"), 'S', 'N', 'N'), "E link");
}

TEST(LoopFreeAlternates, ALanFailsAsAWhole) {
  const Graph graph = DrawnGraph(R"(
    S--1--p--1--E
    |     |     |
    3     1     1
    |     |     |
    F--1--N--1--D
  )");
  // N goes on without E, but lies behind the same LAN; F does without both.
  EXPECT_EQ(Alternates(graph, 'S', 'E', 'D'), "F link node; N node downstream primary");
  EXPECT_EQ(Best(graph, 'S', 'E', 'D'), "F");
}

TEST(LoopFreeAlternates, TheWayOfTheNeighbourUsesTheLan) {
  // Inequality 4: D(F,D) = 2 is not less than D(F,p) + D(p,D) = 1 + 1. F is loop-free, and of no use.
  const Graph graph = DrawnGraph(R"(
    S--1-p--1--E
    |   /      |
    1  1       1
    | /        |
    |/         |
    F          D
  )");
  EXPECT_EQ(Alternates(graph, 'S', 'E', 'D'), "F; F");  // by its link, and by the LAN
  EXPECT_EQ(Best(graph, 'S', 'E', 'D'), "none");
}

// What RFC 5286 speaks of, by walking all shortest paths.
struct SlowJudge {
  const Graph& graph;
  const SlowWays& ways;

  Alternate Judge(NodeIndex s, const std::vector<Adjacency>& adjacencies, size_t p, size_t c,
                  const std::vector<Target>& targets) const {
    Alternate alternate;
    const NodeIndex n = adjacencies[c].neighbor;
    const SlowWays::Met met = Walk(n, targets);
    if (met.nodes.empty() || c == p) return alternate;
    const bool own = std::any_of(targets.begin(), targets.end(), [&](const Target& target) {
      return target.node == n && target.metric == Distance(n, targets);
    });
    if (graph.node(n).overload && !own) return alternate;
    alternate.loop_free = met.nodes.count(s) == 0;
    if (!alternate.loop_free) return alternate;
    const Adjacency& primary = adjacencies[p];
    if (primary.pseudonode == kNoIndex) {
      alternate.link = adjacencies[c].link != primary.link && met.links.count(primary.link) == 0 &&
                       met.links.count(graph.link(primary.link).reverse) == 0;
    } else {
      alternate.link =
          graph.link(adjacencies[c].link).to != primary.pseudonode && met.nodes.count(primary.pseudonode) == 0;
    }
    alternate.node = met.nodes.count(primary.neighbor) == 0;
    alternate.downstream = Distance(n, targets) < Distance(s, targets);
    alternate.primary = IsPrimary(s, adjacencies[c], targets);
    return alternate;
  }

  uint64_t Distance(NodeIndex from, const std::vector<Target>& targets) const {
    uint64_t least = SlowWays::kNone;
    for (const Target& target : targets) least = std::min(least, ways.distance(from, target.node) + target.metric);
    return least;
  }
  SlowWays::Met Walk(NodeIndex from, const std::vector<Target>& targets) const {
    SlowWays::Met all;
    for (const Target& target : targets) {
      if (ways.distance(from, target.node) + target.metric != Distance(from, targets)) continue;
      const SlowWays::Met& met = ways.Walk(from, target.node);
      all.nodes.insert(met.nodes.begin(), met.nodes.end());
      all.links.insert(met.links.begin(), met.links.end());
      all.first.insert(met.first.begin(), met.first.end());
      all.first_two.insert(met.first_two.begin(), met.first_two.end());
    }
    return all;
  }
  bool IsPrimary(NodeIndex s, const Adjacency& adjacency, const std::vector<Target>& targets) const {
    const SlowWays::Met met = Walk(s, targets);
    return adjacency.onward == kNoIndex ? met.first.count(adjacency.link) != 0
                                        : met.first_two.count({adjacency.link, adjacency.onward}) != 0;
  }
};

RandomNetworkOptions Options(uint64_t seed) {
  RandomNetworkOptions options;
  options.seed = seed;
  options.routers = 5 + seed % 11;
  options.links = options.routers + seed % 13;
  options.lans = seed % 4;
  options.max_metric = seed % 3 == 0 ? 3 : 12;
  options.pieces = seed % 7 == 0;
  return options;
}

TEST(LoopFreeAlternates, EqualTheirDefinitionOnRandomNetworks) {
  size_t protected_pairs = 0, pairs = 0;
  for (uint64_t seed = 1; seed <= 1000; ++seed) {
    const Graph graph = RandomGraph(Options(seed));
    const SlowWays ways(graph);
    const SlowJudge slow{graph, ways};
    std::mt19937_64 random(seed);
    for (NodeIndex s = 0; s < graph.node_count(); ++s) {
      if (graph.node(s).pseudonode || random() % 4 != 0) continue;
      LoopFreeAlternates alternates;
      alternates.Compute(graph, s);
      const auto& adjacencies = alternates.adjacencies();
      for (NodeIndex d = 0; d < graph.node_count(); ++d) {
        if (d == s || graph.node(d).pseudonode) continue;
        // A router, or a prefix of two.
        std::vector<Target> targets = {{d, 0}};
        if (random() % 4 == 0) {
          const NodeIndex other = static_cast<NodeIndex>(random() % graph.node_count());
          if (other != s && other != d && !graph.node(other).pseudonode) {
            targets = {{d, static_cast<uint32_t>(random() % 4)}, {other, static_cast<uint32_t>(random() % 4)}};
          }
        }
        for (size_t p = 0; p < adjacencies.size(); ++p) {
          ASSERT_EQ(alternates.IsPrimary(p, targets), slow.IsPrimary(s, adjacencies[p], targets)) << seed;
          if (!alternates.IsPrimary(p, targets)) continue;
          bool any = false, any_both = false, any_link = false;
          for (size_t c = 0; c < adjacencies.size(); ++c) {
            const Alternate quick = alternates.Judge(p, c, targets);
            const Alternate exact = slow.Judge(s, adjacencies, p, c, targets);
            ASSERT_EQ(quick.loop_free, exact.loop_free) << seed << " " << s << " " << d << " " << p << " " << c;
            ASSERT_EQ(quick.link, exact.link) << seed << " " << s << " " << d << " " << p << " " << c;
            ASSERT_EQ(quick.node, exact.node) << seed << " " << s << " " << d << " " << p << " " << c;
            ASSERT_EQ(quick.downstream, exact.downstream) << seed;
            ASSERT_EQ(quick.primary, exact.primary) << seed;
            any = any || exact.link || exact.node;
            any_link = any_link || exact.link;
            any_both = any_both || (exact.link && exact.node);
          }
          const auto best = alternates.Best(p, targets);
          ++pairs;
          ASSERT_EQ(best.has_value(), any) << seed;
          if (!best) continue;
          ++protected_pairs;
          ASSERT_EQ(best->link && best->node, any_both) << seed;
          ASSERT_EQ(best->link, any_link) << seed;
        }
      }
    }
  }
  // The networks are such that it matters.
  EXPECT_GT(protected_pairs, pairs / 3);
  EXPECT_LT(protected_pairs, pairs);
}

TEST(LoopFreeAlternates, CoverageCountsPairs) {
  const Graph graph = DrawnGraph(R"(
    S--1--E
    |     |
    5     1
    |     |
    N--3--D
  )");
  LoopFreeAlternates alternates;
  alternates.Compute(graph, At(graph, 'S'));
  const Coverage coverage = CoverageOf(graph, alternates);
  // To E: link. To D: link and node. To N by N, and by E and D (both cost 5): each protects the other.
  EXPECT_EQ(coverage.pairs, 4u);
  EXPECT_EQ(coverage.link, 4u);
  EXPECT_EQ(coverage.node, coverage.link_and_node);
  EXPECT_EQ(coverage.none, 0u);
}

TEST(LoopFreeAlternates, AnIsolatedRouter) {
  Graph::Builder builder(NodeStyle::kIsis, 2, 0);
  builder.AddNode(LetterKey('A'));
  const Graph graph = builder.Build();
  LoopFreeAlternates alternates;
  alternates.Compute(graph, 0);
  EXPECT_TRUE(alternates.adjacencies().empty());
  EXPECT_EQ(CoverageOf(graph, alternates).pairs, 0u);
}

}  // namespace
}  // namespace flowacct::topology
