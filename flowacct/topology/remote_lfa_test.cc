#include "flowacct/topology/remote_lfa.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "flowacct/topology/protection.h"
#include "flowacct/topology/testing/drawn_graph.h"
#include "flowacct/topology/testing/random_network.h"
#include "flowacct/topology/testing/slow_ways.h"
#include "gtest/gtest.h"

namespace flowacct::topology {
namespace {

size_t AdjacencyTo(const Graph& graph, const LoopFreeAlternates& alternates, char neighbor) {
  const auto& adjacencies = alternates.adjacencies();
  for (size_t a = 0; a < adjacencies.size(); ++a) {
    if (adjacencies[a].neighbor == At(graph, neighbor)) return a;
  }
  ADD_FAILURE() << "no neighbour " << neighbor;
  return 0;
}

// "P=AB X=ABCS Q=CD best=C by A, 7" for the link from `router` to `neighbor`.
std::string Spaces(const Graph& graph, char router, char neighbor) {
  LoopFreeAlternates alternates;
  alternates.Compute(graph, At(graph, router));
  RemoteAlternates remote;
  remote.Compute(graph, alternates);
  const size_t primary = AdjacencyTo(graph, alternates, neighbor);
  std::string p, x, q;
  for (NodeIndex n = 0; n < graph.node_count(); ++n) {
    if (graph.node(n).pseudonode) continue;
    const char letter = LetterOf(graph.node(n).key);
    if (remote.InP(primary, n)) p += letter;
    if (remote.InExtendedP(primary, n)) x += letter;
    if (remote.InQ(primary, n)) q += letter;
  }
  std::string text = "P=" + p + " X=" + x + " Q=" + q;
  const auto best = remote.Best(primary);
  if (!best) return text + " none";
  text += std::string(" best=") + LetterOf(graph.node(best->node).key) + " by ";
  text += LetterOf(graph.node(alternates.adjacencies()[best->adjacency].neighbor).key);
  return text + ", " + std::to_string(best->distance);
}

TEST(RemoteAlternates, TheRingOfTheRfc) {
  // RFC 7490, figure 1: from S, C is the one node that is both in the extended P-space and in the Q-space.
  const Graph graph = DrawnGraph(R"(
    S--1--E
    |     |
    1     1
    |     |
    A     D
    |     |
    1     1
    |     |
    B--1--C
  )");
  // P by S itself is A and B; by A's eyes C, too. From C, E is two hops one way and four the other.
  EXPECT_EQ(Spaces(graph, 'S', 'E'), "P=ABS X=ABCS Q=CDE best=C by A, 5");
}

TEST(RemoteAlternates, AnOddRingHasNoNodeInP) {
  // Five routers: without the extended P-space, B, which A reaches and S does as well, is the one.
  const Graph graph = DrawnGraph(R"(
    S--1--E
    |     |
    1     1
    |     |
    A     D
     \    |
      1   1
       \  |
        \ |
         \|
          B
  )");
  EXPECT_EQ(Spaces(graph, 'S', 'E'), "P=ABS X=ABDS Q=BDE best=B by A, 4");
}

TEST(RemoteAlternates, ALongLinkOnTheOtherSide) {
  // Nobody is in both: A and B are this side of the long link, C and D beyond it. Only a list of segments helps.
  const Graph graph = DrawnGraph(R"(
    S--1--E
    |     |
    1     1
    |     |
    A     D
    |     |
    1     1
    |     |
    B--9--C
  )");
  EXPECT_EQ(Spaces(graph, 'S', 'E'), "P=ABS X=ABS Q=CDE none");
}

TEST(RemoteAlternates, AnOverloadedRouterIsNoEndOfATunnel) {
  const char* const picture = R"(
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
  const std::string spaces = Spaces(DrawnGraph(picture, "C"), 'S', 'E');
  EXPECT_EQ(spaces.find("best=C"), std::string::npos) << spaces;
  EXPECT_NE(spaces.find("none"), std::string::npos) << spaces;
}

TEST(RemoteAlternates, ABridgeHasNone) {
  EXPECT_EQ(Spaces(DrawnGraph("A--1--S--1--E--1--D"), 'S', 'E'), "P=AS X=AS Q=DE none");
}

RandomNetworkOptions Options(uint64_t seed) {
  RandomNetworkOptions options;
  options.seed = seed * 7919;
  options.routers = 5 + seed % 12;
  options.links = options.routers + seed % 5;  // sparse: rings
  options.lans = seed % 3;
  options.max_metric = seed % 3 == 0 ? 2 : 9;
  options.asymmetric_share = seed % 2 == 0 ? 0 : 30;
  options.pieces = seed % 9 == 0;
  return options;
}

// Spaces by walking all shortest paths.
struct SlowSpaces {
  const Graph& graph;
  const SlowWays& ways;
  const std::vector<Adjacency>& adjacencies;

  bool Avoids(NodeIndex from, NodeIndex to, size_t primary) const {
    const SlowWays::Met& met = ways.Walk(from, to);
    if (met.nodes.empty()) return false;
    const Adjacency& p = adjacencies[primary];
    if (p.pseudonode != kNoIndex) return met.nodes.count(p.pseudonode) == 0;
    return met.links.count(p.link) == 0 && met.links.count(graph.link(p.link).reverse) == 0;
  }
  bool Usable(size_t a, size_t primary) const {
    const Adjacency& x = adjacencies[a];
    const Adjacency& p = adjacencies[primary];
    return x.link != p.link && (p.pseudonode == kNoIndex || x.pseudonode != p.pseudonode) &&
           !graph.node(x.neighbor).overload;
  }
};

TEST(RemoteAlternates, EqualTheirDefinitionOnRandomNetworks) {
  size_t found = 0, missing = 0, only_of_destination = 0;
  for (uint64_t seed = 1; seed <= 1000; ++seed) {
    const Graph graph = RandomGraph(Options(seed));
    const SlowWays ways(graph);
    const NodeIndex s = static_cast<NodeIndex>(seed % graph.node_count());
    if (graph.node(s).pseudonode) continue;
    LoopFreeAlternates alternates;
    alternates.Compute(graph, s);
    RemoteAlternates remote;
    remote.Compute(graph, alternates);
    const SlowSpaces slow{graph, ways, alternates.adjacencies()};
    ShortestPaths to_destination;
    const NodeIndex d = static_cast<NodeIndex>((seed * 31) % graph.node_count());
    to_destination.Compute(graph, d, ShortestPaths::Direction::kTo);
    for (size_t p = 0; p < alternates.adjacencies().size(); ++p) {
      const NodeIndex e = alternates.adjacencies()[p].neighbor;
      std::optional<uint64_t> shortest, shortest_to_d;
      for (NodeIndex n = 0; n < graph.node_count(); ++n) {
        ASSERT_EQ(remote.InP(p, n), slow.Avoids(s, n, p)) << seed << " " << s << " " << e << " " << n;
        ASSERT_EQ(remote.InQ(p, n), slow.Avoids(n, e, p)) << seed << " " << s << " " << e << " " << n;
        ASSERT_EQ(remote.InQOf(to_destination, p, n), slow.Avoids(n, d, p)) << seed << " " << s << " " << e << " " << n;
        bool extended = false;
        for (size_t a = 0; a < alternates.adjacencies().size(); ++a) {
          const NodeIndex by = alternates.adjacencies()[a].neighbor;
          ASSERT_EQ(remote.InPOf(a, p, n), slow.Avoids(by, n, p)) << seed;
          if (!slow.Usable(a, p) || !slow.Avoids(by, n, p)) continue;
          extended = true;
          if (graph.node(n).pseudonode || graph.node(n).overload || n == s) continue;
          const uint64_t there = alternates.adjacencies()[a].metric + ways.distance(by, n);
          if (slow.Avoids(n, e, p)) {
            shortest = std::min(shortest.value_or(SlowWays::kNone), there + ways.distance(n, e));
          }
          if (slow.Avoids(n, d, p)) {
            shortest_to_d = std::min(shortest_to_d.value_or(SlowWays::kNone), there + ways.distance(n, d));
          }
        }
        ASSERT_EQ(remote.InExtendedP(p, n), extended) << seed;
      }
      const auto best = remote.Best(p);
      ASSERT_EQ(best.has_value(), shortest.has_value()) << seed << " " << s << " " << e;
      if (best) {
        ASSERT_EQ(best->distance, *shortest) << seed;
        ASSERT_TRUE(slow.Avoids(best->node, e, p)) << seed;
        ASSERT_TRUE(slow.Avoids(alternates.adjacencies()[best->adjacency].neighbor, best->node, p)) << seed;
      }
      const auto best_of = remote.BestOf(to_destination, p);
      ASSERT_EQ(best_of.has_value(), shortest_to_d.has_value()) << seed;
      if (best_of) {
        ASSERT_EQ(best_of->distance, *shortest_to_d) << seed;
      }
      ++(best ? found : missing);
      only_of_destination += best_of && !best;
    }
  }
  EXPECT_GT(found, 500u);
  EXPECT_GT(missing, 50u);
  EXPECT_GT(only_of_destination, 5u);
}

}  // namespace
}  // namespace flowacct::topology
