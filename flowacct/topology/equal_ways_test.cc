#include "flowacct/topology/equal_ways.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "flowacct/topology/link_load.h"
#include "flowacct/topology/testing/drawn_graph.h"
#include "flowacct/topology/testing/random_network.h"

namespace flowacct::topology {
namespace {

TEST(EqualWays, PercentIsOfWholeParts) {
  const std::pair<uint64_t, const char*> cases[] = {
      {1, "100"},   {2, "50"},     {3, "33.3333"},      {4, "25"},       {6, "16.6667"},   {8, "12.5"},
      {16, "6.25"}, {1000, "0.1"}, {1000000, "0.0001"}, {1u << 31, "0"}, {UINT64_MAX, "0"}};
  for (const auto& [parts, text] : cases) EXPECT_EQ(PercentOfOne(parts), text);
}

std::string WaysText(const Graph& graph, const EqualWays& ways) {
  std::string text;
  for (const EqualWays::Way& way : ways.ways()) {
    text += text.empty() ? "" : ", ";
    for (const LinkIndex l : way.links) {
      text += LetterOf(graph.node(graph.link(l).from).key);
    }
    text += LetterOf(graph.node(graph.link(way.links.back()).to).key);
    text += "/" + std::to_string(way.parts);
  }
  return text;
}

TEST(EqualWays, AWayEndsAtTheFirstRouterThatAdvertises) {
  const Graph graph = DrawnGraph(R"(
      A--1--B--1--C
      |           |
      1           1
      |           |
      D-----1-----E )");
  ShortestPaths paths;
  paths.Compute(graph, At(graph, 'A'));
  EqualWays ways;
  ways.Find(graph, paths, std::vector<NodeIndex>{At(graph, 'B'), At(graph, 'C'), At(graph, 'E')}, 8);
  // Who comes to C came through B; E has a way of its own.
  EXPECT_EQ(WaysText(graph, ways), "AB/2, ADE/2");
  EXPECT_EQ(ways.egress(), (std::vector<NodeIndex>{At(graph, 'B'), At(graph, 'E')}));
  EXPECT_EQ(ways.count(), 2u);
  ways.Find(graph, paths, std::vector<NodeIndex>{At(graph, 'A'), At(graph, 'B')}, 8);
  EXPECT_TRUE(ways.local());
  EXPECT_EQ(ways.count(), 1u);
  EXPECT_TRUE(ways.ways().empty());
}

TEST(EqualWays, ThereMayBeMoreThanFitIntoANumber) {
  // Seventy times two links in a row.
  Graph::Builder builder(NodeStyle::kIsis, 2, 0);
  constexpr uint64_t kRouters = 71;
  for (uint64_t n = 1; n <= kRouters; ++n) builder.AddNode(RouterKey(n));
  for (uint64_t n = 1; n < kRouters; ++n) {
    for (int twice = 0; twice < 2; ++twice) {
      builder.AddLink(RouterKey(n), RouterKey(n + 1), 1);
      builder.AddLink(RouterKey(n + 1), RouterKey(n), 1);
    }
  }
  const Graph graph = builder.Build();
  ShortestPaths paths;
  paths.Compute(graph, graph.Find(RouterKey(1)));
  EqualWays ways;
  ways.Find(graph, paths, std::vector<NodeIndex>{graph.Find(RouterKey(kRouters))}, 3);
  EXPECT_EQ(ways.count(), UINT64_MAX);
  ASSERT_EQ(ways.ways().size(), 3u);
  EXPECT_EQ(ways.ways()[2].links.size(), kRouters - 1);
  EXPECT_EQ(ways.ways()[2].parts, UINT64_MAX);
}

TEST(EqualWays, SharesOfLinksAreThoseOfTheLoad) {
  uint64_t several = 0;
  EqualWays ways;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    RandomNetworkOptions options;
    options.seed = seed;
    options.routers = 6 + seed % 10;
    options.links = 2 * options.routers;
    options.max_metric = 3;
    options.zero_metric_share = seed % 4 == 0 ? 10 : 0;
    options.pieces = seed % 5 == 0;
    const Graph graph = RandomGraph(options);
    ShortestPaths paths;
    for (NodeIndex from = 0; from < graph.node_count(); ++from) {
      if (graph.node(from).pseudonode) continue;
      paths.Compute(graph, from);
      for (NodeIndex to = 0; to < graph.node_count(); ++to) {
        if (graph.node(to).pseudonode || to == from) continue;
        ways.Find(graph, paths, std::vector<NodeIndex>{to}, 100'000);
        if (!paths.reached(to)) {
          ASSERT_EQ(ways.count(), 0u);
          continue;
        }
        ASSERT_EQ(ways.count(), ways.ways().size());
        // Backwards, an equal way over links that cost nothing may not be counted (README).
        if (options.zero_metric_share != 0) continue;
        several += ways.count() > 1;
        std::map<LinkIndex, double> shares;
        for (const EqualWays::Way& way : ways.ways()) {
          NodeIndex at = from;
          for (const LinkIndex l : way.links) {
            ASSERT_EQ(graph.link(l).from, at);
            at = graph.link(l).to;
            shares[l] += 1.0 / static_cast<double>(way.parts);
          }
          ASSERT_EQ(at, to);
        }
        const std::vector<LinkShare> expected = SharesOf(graph, from, to);
        ASSERT_EQ(shares.size(), expected.size()) << seed;
        for (const LinkShare& share : expected) ASSERT_NEAR(shares[share.link], share.share, 1e-9) << seed;
      }
    }
  }
  EXPECT_GT(several, 1000u);
}

}  // namespace
}  // namespace flowacct::topology
