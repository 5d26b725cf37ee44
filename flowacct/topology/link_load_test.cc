#include "flowacct/topology/link_load.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "flowacct/topology/failure.h"
#include "flowacct/topology/testing/drawn_graph.h"
#include "flowacct/topology/testing/random_network.h"
#include "flowacct/topology/what_if.h"
#include "gtest/gtest.h"

namespace flowacct::topology {
namespace {

// "A-B 5, B-C 5": links that carry something, in the graph's order.
std::string Loads(const Graph& graph, const std::vector<uint64_t>& octets) {
  std::string text;
  for (LinkIndex l = 0; l < graph.link_count(); ++l) {
    if (octets[l] == 0) continue;
    if (!text.empty()) text += ", ";
    text += LetterOf(graph.node(graph.link(l).from).key);
    text += '-';
    text += LetterOf(graph.node(graph.link(l).to).key);
    text += " " + std::to_string(octets[l]);
  }
  return text;
}

std::string Laid(const Graph& graph, char from, char to, uint64_t octets) {
  LinkLoad load(graph);
  const Demand demand = {At(graph, from), At(graph, to), octets, 0};
  load.Add(absl::MakeConstSpan(&demand, 1));
  EXPECT_EQ(load.first_links(), load.laid());
  return Loads(graph, load.all());
}

TEST(LinkLoad, OneWay) { EXPECT_EQ(Laid(DrawnGraph("A--1--B--1--C"), 'A', 'C', 7), "A-B 7, B-C 7"); }

TEST(LinkLoad, WaysOfEqualCostShareEvenlyAndTheFirstTakeTheRest) {
  const Graph graph = DrawnGraph(R"(
    A--1--B
    |     |
    1     1
    |     |
    C--1--D
  )");
  EXPECT_EQ(Laid(graph, 'A', 'D', 10), "A-B 5, A-C 5, B-D 5, C-D 5");
  EXPECT_EQ(Laid(graph, 'A', 'D', 11), "A-B 6, A-C 5, B-D 6, C-D 5");
  EXPECT_EQ(Laid(graph, 'A', 'D', 1), "A-B 1, B-D 1");
}

TEST(LinkLoad, EachRouterSharesForItself) {
  // Not a third for each path: half of it for each way at A, and again at B.
  const Graph diamond = DrawnGraph(R"(
    A--1--B--1--E
    |     |     |
    1     1     1
    |     |     |
    C--1--F--1--D
  )");
  EXPECT_EQ(Laid(diamond, 'A', 'D', 8), "A-B 4, A-C 4, B-E 2, B-F 2, C-F 4, E-D 2, F-D 6");
}

TEST(LinkLoad, ParallelLinksAreWays) {
  EXPECT_EQ(Laid(DrawnGraph("A==1==B--1--C"), 'A', 'C', 5), "A-B 3, A-B 2, B-C 5");
}

TEST(LinkLoad, NeighboursOnALanAreWays) {
  // A has three ways to D: E and N on the LAN, and F.
  const Graph graph = DrawnGraph(R"(
    A--1--p--1--E
    |     |     |
    1     1     1
    |     |     |
    F--1--N--1--D
  )");
  // A to F to N is 2 and to N by the LAN 1: two ways, both over the LAN.
  EXPECT_EQ(Laid(graph, 'A', 'D', 9), "A-p 9, E-D 5, N-D 4, p-E 5, p-N 4");
  const Graph three = DrawnGraph(R"(
    A--2--p--1--E
    |     |     |
    1     1     1
    |     |     |
    F--1--N--1--D
  )");
  // E, N by the LAN and N by F: a third each.
  EXPECT_EQ(Laid(three, 'A', 'D', 9), "A-F 3, A-p 6, E-D 3, F-N 3, N-D 6, p-E 3, p-N 3");
}

TEST(LinkLoad, AnOverloadedRouterForwardsNothing) {
  const char* const picture = R"(
    A--1--B
    |     |
    1     1
    |     |
    C--1--D
  )";
  EXPECT_EQ(Laid(DrawnGraph(picture, "B"), 'A', 'D', 10), "A-C 10, C-D 10");
  EXPECT_EQ(Laid(DrawnGraph(picture, "A"), 'A', 'D', 10), "A-B 5, A-C 5, B-D 5, C-D 5");
}

TEST(LinkLoad, WhatFindsNoWayIsCounted) {
  const Graph graph = DrawnGraph("A--1--B   C--1--D");
  LinkLoad load(graph);
  const std::vector<Demand> demands = {
      {At(graph, 'A'), At(graph, 'B'), 5, 0},
      {At(graph, 'A'), At(graph, 'C'), 7, 0},
      {At(graph, 'A'), At(graph, 'A'), 11, 0},
      {kNoIndex, At(graph, 'A'), 13, 0},
      {At(graph, 'A'), kNoIndex, 17, 0},
      {At(graph, 'A'), At(graph, 'B'), std::numeric_limits<uint64_t>::max() - 10, 0},
  };
  load.Add(demands);
  EXPECT_EQ(load.lost(), 7u + 13u + 17u);
  EXPECT_EQ(load.local(), 11u);
  // Whose octets do not fit beside those before: of A to B the second, as demands are worked off by egress.
  EXPECT_EQ(load.refused(), 1u);
  EXPECT_EQ(load.laid(), 5u);
  EXPECT_EQ(load.first_links(), 5u);
}

TEST(LinkLoad, SharesOfAPath) {
  const Graph graph = DrawnGraph(R"(
    A--1--B--1--E
    |     |     |
    1     1     1
    |     |     |
    C--1--F--1--D
  )");
  const std::vector<LinkShare> shares = SharesOf(graph, At(graph, 'A'), At(graph, 'D'));
  ASSERT_EQ(shares.size(), 7u);
  for (const LinkShare& share : shares) {
    EXPECT_EQ(share.share, share.link == LinkAt(graph, 'F', 'D') ? 0.75
                           : graph.link(share.link).from == At(graph, 'B') || share.link == LinkAt(graph, 'E', 'D')
                               ? 0.25
                               : 0.5);
  }
  EXPECT_TRUE(SharesOf(graph, At(graph, 'A'), At(graph, 'A')).empty());
  EXPECT_TRUE(SharesOf(graph, kNoIndex, At(graph, 'A')).empty());
}

RandomNetworkOptions Options(uint64_t seed) {
  RandomNetworkOptions options;
  options.seed = seed * 15485863;
  options.routers = 5 + seed % 20;
  options.links = options.routers + seed % 25;
  options.lans = seed % 4;
  options.max_metric = seed % 2 == 0 ? 3 : 10;
  options.pieces = seed % 5 == 0;
  options.zero_metric_share = seed % 7 == 0 ? 20 : 0;
  return options;
}

std::vector<Demand> RandomDemands(const Graph& graph, std::mt19937_64* random, size_t count) {
  std::vector<Demand> demands;
  for (size_t i = 0; i < count; ++i) {
    const NodeIndex from = static_cast<NodeIndex>((*random)() % graph.node_count());
    const NodeIndex to = static_cast<NodeIndex>((*random)() % graph.node_count());
    if (graph.node(from).pseudonode || graph.node(to).pseudonode) continue;
    demands.push_back({from, to, (*random)() % 100000, static_cast<uint32_t>((*random)() % 5)});
  }
  return demands;
}

TEST(LinkLoad, NothingIsLostOrMadeOnRandomNetworks) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    const Graph graph = RandomGraph(Options(seed));
    std::mt19937_64 random(seed);
    std::vector<Demand> demands = RandomDemands(graph, &random, 40);
    LinkLoad load(graph);
    load.Add(demands);
    uint64_t all = 0;
    for (const Demand& demand : demands) all += demand.octets;
    ASSERT_EQ(all, load.laid() + load.local() + load.lost()) << seed;
    ASSERT_EQ(load.first_links(), load.laid()) << seed;
    // What leaves a node is what came in, and began, and did not end there.
    std::vector<uint64_t> in(graph.node_count(), 0), out(graph.node_count(), 0);
    for (LinkIndex l = 0; l < graph.link_count(); ++l) {
      out[graph.link(l).from] += load.octets(l);
      in[graph.link(l).to] += load.octets(l);
    }
    std::vector<ShortestPaths> from(graph.node_count());
    for (NodeIndex n = 0; n < graph.node_count(); ++n) from[n].Compute(graph, n);
    for (const Demand& demand : demands) {
      if (demand.from == demand.to || !from[demand.from].reached(demand.to)) continue;
      in[demand.from] += demand.octets;
      out[demand.to] += demand.octets;
    }
    ASSERT_EQ(in, out) << seed;
    // In another order, and one by one: the same.
    std::shuffle(demands.begin(), demands.end(), random);
    LinkLoad again(graph);
    for (const Demand& demand : demands) again.Add(absl::MakeConstSpan(&demand, 1));
    ASSERT_EQ(again.all(), load.all()) << seed;
  }
}

// Shares in real numbers, from router to router: half of it here is half of it there.
void Share(const Graph& graph, const std::vector<ShortestPaths>& to, NodeIndex at, NodeIndex egress, double part,
           std::vector<double>* shares) {
  if (at == egress) return;
  struct Way {
    LinkIndex link, onward;
    NodeIndex next;
  };
  std::vector<Way> ways;
  for (LinkIndex l = graph.first_link(at); l < graph.first_link(at) + graph.links_of(at).size(); ++l) {
    if (!to[egress].OnShortestPath(l)) continue;
    const NodeIndex next = graph.link(l).to;
    if (!graph.node(next).pseudonode) {
      ways.push_back({l, kNoIndex, next});
      continue;
    }
    for (LinkIndex m = graph.first_link(next); m < graph.first_link(next) + graph.links_of(next).size(); ++m) {
      if (to[egress].OnShortestPath(m)) ways.push_back({l, m, graph.link(m).to});
    }
  }
  for (const Way& way : ways) {
    const double each = part / static_cast<double>(ways.size());
    (*shares)[way.link] += each;
    if (way.onward != kNoIndex) (*shares)[way.onward] += each;
    Share(graph, to, way.next, egress, each, shares);
  }
}

TEST(LinkLoad, SharesAreThoseOfEveryPathOnRandomNetworks) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    RandomNetworkOptions options = Options(seed);
    options.routers = 5 + seed % 8;
    options.links = options.routers + seed % 6;
    const Graph graph = RandomGraph(options);
    std::vector<ShortestPaths> to(graph.node_count());
    for (NodeIndex n = 0; n < graph.node_count(); ++n) to[n].Compute(graph, n, ShortestPaths::Direction::kTo);
    for (NodeIndex a = 0; a < graph.node_count(); ++a) {
      for (NodeIndex b = 0; b < graph.node_count(); ++b) {
        if (graph.node(a).pseudonode || graph.node(b).pseudonode || !to[b].reached(a)) continue;
        std::vector<double> exact(graph.link_count(), 0), quick(graph.link_count(), 0);
        Share(graph, to, a, b, 1, &exact);
        for (const LinkShare& share : SharesOf(graph, a, b)) quick[share.link] = share.share;
        for (LinkIndex l = 0; l < graph.link_count(); ++l) ASSERT_NEAR(exact[l], quick[l], 1e-9) << seed;
      }
    }
  }
}

TEST(WhatIf, TrafficMovesAndALinkFills) {
  const Graph graph = DrawnGraph(R"(
    A--1--B--1--D
    |           |
    2           2
    |           |
    C-----------E
  )");
  const std::vector<Demand> demands = {{At(graph, 'A'), At(graph, 'D'), 3000, 7},
                                       {At(graph, 'A'), At(graph, 'B'), 500, 8},
                                       {At(graph, 'C'), At(graph, 'E'), 1000, 9}};
  Failure failure(graph);
  failure.AddLink(LinkAt(graph, 'A', 'B'));
  const std::vector<double> capacities(graph.link_count(), 350);  // octets a second
  WhatIfOptions options;
  options.seconds = 10;
  options.capacities = capacities;
  const WhatIfReport report = WhatIf(graph, demands, failure, options);
  EXPECT_EQ(report.octets, 4500u);
  EXPECT_EQ(report.moved, 3500u);
  EXPECT_EQ(report.lost, 0u);
  ASSERT_EQ(report.tags.size(), 2u);
  EXPECT_EQ(report.tags[0].tag, 7u);
  EXPECT_EQ(report.tags[0].moved, 3000u);
  EXPECT_EQ(report.tags[1].tag, 8u);
  const LinkChange& filled = report.links[LinkAt(graph, 'C', 'E')];
  EXPECT_EQ(filled.before, 1000u);
  EXPECT_EQ(filled.after, 4500u);
  EXPECT_FALSE(filled.full_before);
  EXPECT_TRUE(filled.full_after);
  EXPECT_EQ(filled.rate_after, 450);
  EXPECT_TRUE(report.links[LinkAt(graph, 'B', 'A')].failed);
  EXPECT_EQ(report.links[LinkAt(graph, 'A', 'B')].after, 0u);
  // To B it now goes back from D.
  EXPECT_EQ(report.links[LinkAt(graph, 'D', 'B')].after, 500u);
}

TEST(WhatIf, ARouterTakesItsOwnTrafficWithIt) {
  const Graph graph = DrawnGraph("A--1--B--1--C");
  const std::vector<Demand> demands = {{At(graph, 'A'), At(graph, 'C'), 100, 1},
                                       {At(graph, 'A'), At(graph, 'B'), 10, 2},
                                       {At(graph, 'C'), At(graph, 'C'), 5, 3},
                                       {At(graph, 'B'), At(graph, 'B'), 1, 4}};
  Failure failure(graph);
  failure.AddNode(At(graph, 'B'));
  const WhatIfReport report = WhatIf(graph, demands, failure);
  EXPECT_EQ(report.lost, 111u);
  EXPECT_EQ(report.moved, 0u);
  ASSERT_EQ(report.tags.size(), 3u);
  EXPECT_EQ(report.tags[0].tag, 1u);
  EXPECT_EQ(report.tags[0].lost, 100u);
}

TEST(WhatIf, BeforeAndAfterAreTheLoadsOfBothGraphs) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    const Graph graph = RandomGraph(Options(seed));
    if (graph.link_count() == 0) continue;
    std::mt19937_64 random(seed);
    const std::vector<Demand> demands = RandomDemands(graph, &random, 40);
    Failure failure(graph);
    failure.AddLink(static_cast<LinkIndex>(random() % graph.link_count()));
    if (seed % 2 == 0) failure.AddNode(static_cast<NodeIndex>(random() % graph.node_count()));
    const WhatIfReport report = WhatIf(graph, demands, failure);
    LinkLoad before(graph);
    before.Add(demands);
    // The other graph is made anew, link by link.
    Graph::Builder builder(graph.style(), graph.level(), graph.topology());
    for (NodeIndex n = 0; n < graph.node_count(); ++n) builder.AddNode(graph.node(n).key, graph.node(n).overload);
    std::vector<LinkIndex> kept;
    for (LinkIndex l = 0; l < graph.link_count(); ++l) {
      if (failure.link(l)) continue;
      const GraphLink& link = graph.link(l);
      builder.AddLink(graph.node(link.from).key, graph.node(link.to).key, link.metric, graph.detail(l));
      kept.push_back(l);
    }
    const Graph left = builder.Build();
    ASSERT_EQ(left.link_count(), kept.size()) << seed;
    LinkLoad after(left);
    std::vector<Demand> alive;
    for (const Demand& demand : demands) {
      if (!failure.node(demand.from) && !failure.node(demand.to)) alive.push_back(demand);
    }
    after.Add(alive);
    std::vector<uint64_t> expected(graph.link_count(), 0);
    for (LinkIndex l = 0; l < left.link_count(); ++l) expected[kept[l]] = after.octets(l);
    uint64_t lost = 0, moved = 0, tag_octets = 0;
    for (LinkIndex l = 0; l < graph.link_count(); ++l) {
      ASSERT_EQ(report.links[l].before, before.octets(l)) << seed;
      ASSERT_EQ(report.links[l].after, expected[l]) << seed;
    }
    for (const TagChange& tag : report.tags) {
      lost += tag.lost;
      moved += tag.moved;
      tag_octets += tag.octets;
      ASSERT_GE(tag.octets, tag.lost + tag.moved);
    }
    ASSERT_EQ(report.lost, lost) << seed;
    ASSERT_EQ(report.moved, moved) << seed;
    ASSERT_EQ(report.octets, before.laid() + before.local()) << seed;
    ASSERT_EQ(report.octets - report.lost, after.laid() + after.local()) << seed;
    ASSERT_LE(tag_octets, report.octets);
  }
}

TEST(WorstCases, TheFailureThatFillsALinkMost) {
  const Graph graph = DrawnGraph(R"(
    A--1--B--1--D
    |           |
    2           2
    |           |
    C-----------E
  )");
  const std::vector<Demand> demands = {{At(graph, 'A'), At(graph, 'D'), 3000, 7},
                                       {At(graph, 'A'), At(graph, 'B'), 500, 8}};
  std::vector<Failure> failures(2, Failure(graph));
  failures[0].AddNode(At(graph, 'B'));
  failures[1].AddLink(LinkAt(graph, 'A', 'B'));
  std::string text;
  for (const WorstCase& worst : WorstCases(graph, demands, failures)) {
    text += LetterOf(graph.node(graph.link(worst.link).from).key);
    text += LetterOf(graph.node(graph.link(worst.link).to).key);
    text += " " + std::to_string(worst.failure) + " " + std::to_string(worst.octets) + "; ";
  }
  EXPECT_EQ(text, "AC 1 3500; CE 1 3500; DB 1 500; ED 1 3500; ");
}

}  // namespace
}  // namespace flowacct::topology
