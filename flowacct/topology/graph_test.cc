#include "flowacct/topology/graph.h"

#include <algorithm>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "flowacct/base/ip_address.h"
#include "flowacct/topology/advertisement.h"
#include "flowacct/topology/testing/drawn_graph.h"
#include "flowacct/topology/testing/random_network.h"
#include "gtest/gtest.h"

namespace flowacct::topology {
namespace {

LinkDetail Between(uint32_t local, uint32_t remote) {
  return {base::IpAddress::V4(local), base::IpAddress::V4(remote), 0, 0, 0};
}

std::string Links(const Graph& graph) {
  std::string text;
  for (LinkIndex l = 0; l < graph.link_count(); ++l) {
    text += LetterOf(graph.node(graph.link(l).from).key);
    text += LetterOf(graph.node(graph.link(l).to).key);
    text += std::to_string(graph.link(l).metric) + " ";
  }
  return text;
}

TEST(DrawnGraph, IsWhatThePictureShows) {
  const Graph graph = DrawnGraph(R"(
      A-9-B-3>5-E
      |  /|
      7 2 10
      |/  |
      C-1-p--D )");
  std::multiset<std::string> links;
  for (LinkIndex l = 0; l < graph.link_count(); ++l) {
    const GraphLink& link = graph.link(l);
    links.insert(std::string{LetterOf(graph.node(link.from).key), LetterOf(graph.node(link.to).key)} +
                 std::to_string(link.metric));
  }
  EXPECT_EQ(links, (std::multiset<std::string>{"AB9", "BA9", "AC7", "CA7", "BC2", "CB2", "BE3", "EB5", "Bp10", "pB0",
                                               "Cp1", "pC0", "pD0", "Dp1"}));
  EXPECT_TRUE(graph.node(At(graph, 'p')).pseudonode);
  EXPECT_EQ(At(graph, 'X'), kNoIndex);
}

TEST(Graph, OnlyWhatBothEndsSay) {
  Graph::Builder builder(NodeStyle::kIsis, 1, 2);
  for (const char c : {'C', 'A', 'B'}) builder.AddNode(LetterKey(c));
  builder.AddNode(LetterKey('A'), /*overload=*/true, /*attached=*/true);
  builder.AddLink(LetterKey('A'), LetterKey('B'), 1);
  builder.AddLink(LetterKey('B'), LetterKey('A'), 2);
  builder.AddLink(LetterKey('B'), LetterKey('C'), 3);  // one end alone
  builder.AddLink(LetterKey('C'), LetterKey('X'), 4);  // nobody
  builder.AddLink(LetterKey('X'), LetterKey('C'), 4);
  builder.AddLink(LetterKey('C'), LetterKey('C'), 1);  // itself
  builder.AddLink(LetterKey('C'), LetterKey('A'), 0xffffff);
  builder.AddLink(LetterKey('A'), LetterKey('C'), 7);
  const Graph graph = builder.Build();
  EXPECT_EQ(graph.level(), 1);
  EXPECT_EQ(graph.topology(), 2);
  EXPECT_EQ(graph.node_count(), 3u);
  EXPECT_TRUE(graph.node(At(graph, 'A')).overload);
  EXPECT_TRUE(graph.node(At(graph, 'A')).attached);
  // A link whose way back is of the highest metric is there, its way back is not.
  EXPECT_EQ(Links(graph), "AB1 AC7 BA2 ");
  EXPECT_EQ(graph.link(0).reverse, 2u);
  EXPECT_EQ(graph.link(1).reverse, kNoIndex);
  EXPECT_EQ(graph.link(2).reverse, 0u);
  EXPECT_EQ(builder.Build().node_count(), 0u);
}

TEST(Graph, AHighMetricIsOneInOspf) {
  Graph::Builder builder(NodeStyle::kOspf, 1, 0);
  builder.AddNode({uint64_t{1} << 32});
  builder.AddNode({uint64_t{2} << 32});
  builder.AddLink({uint64_t{1} << 32}, {uint64_t{2} << 32}, 0xffffff);
  builder.AddLink({uint64_t{2} << 32}, {uint64_t{1} << 32}, 1);
  EXPECT_EQ(builder.Build().link_count(), 2u);
}

TEST(Graph, PairsParallelLinks) {
  struct Half {
    char from, to;
    uint32_t metric;
    LinkDetail detail;
  };
  // The links of A and of B, each with its own metric; `pairs`: metrics of A's links with those of their way back.
  struct Case {
    const char* what;
    std::vector<Half> halves;
    std::set<std::pair<uint32_t, uint32_t>> pairs;
  };
  const Case cases[] = {
      {"by addresses",
       {{'A', 'B', 1, Between(1, 2)},
        {'A', 'B', 2, Between(3, 4)},
        {'B', 'A', 3, Between(4, 3)},
        {'B', 'A', 4, Between(2, 1)}},
       {{1, 4}, {2, 3}}},
      {"by identifiers",
       {{'A', 'B', 1, {{}, {}, 7, 8, 0}},
        {'A', 'B', 2, {{}, {}, 9, 10, 0}},
        {'B', 'A', 3, {{}, {}, 10, 9, 0}},
        {'B', 'A', 4, {{}, {}, 8, 7, 0}}},
       {{1, 4}, {2, 3}}},
      {"by order", {{'A', 'B', 1, {}}, {'A', 'B', 2, {}}, {'B', 'A', 3, {}}, {'B', 'A', 4, {}}}, {{1, 3}, {2, 4}}},
      {"by addresses, then order",
       {{'A', 'B', 1, {}}, {'A', 'B', 2, Between(3, 4)}, {'B', 'A', 3, Between(4, 3)}, {'B', 'A', 4, {}}},
       {{1, 4}, {2, 3}}},
      {"one end tells of one alone",
       {{'A', 'B', 1, Between(1, 2)}, {'A', 'B', 2, Between(3, 4)}, {'B', 'A', 3, Between(4, 3)}},
       {{1, kNoIndex}, {2, 3}}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    for (const bool swapped : {false, true}) {  // whichever end has the lower key
      Graph::Builder builder(NodeStyle::kIsis, 2, 0);
      const auto key = [&](char letter) { return LetterKey(swapped ? static_cast<char>('A' + 'B' - letter) : letter); };
      builder.AddNode(key('A'));
      builder.AddNode(key('B'));
      for (const Half& half : c.halves) builder.AddLink(key(half.from), key(half.to), half.metric, half.detail);
      const Graph graph = builder.Build();
      std::set<std::pair<uint32_t, uint32_t>> pairs;
      for (const GraphLink& link : graph.links_of(graph.Find(key('A')))) {
        pairs.insert({link.metric, link.reverse == kNoIndex ? kNoIndex : graph.link(link.reverse).metric});
      }
      EXPECT_EQ(pairs, c.pairs);
    }
  }
}

TEST(Graph, HoldsTogether) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    RandomNetworkOptions options;
    options.seed = seed;
    options.routers = 1 + seed % 30;
    options.links = 2 * options.routers;
    options.pieces = seed % 3 == 0;
    options.one_way_share = 10;
    const std::vector<Advertisement> network = RandomNetwork(options);
    const Graph graph = GraphOf(network);
    // Told by an end: from, to, metric. A link stands for one such half whose other end tells of this one.
    std::multiset<std::tuple<NodeKey, NodeKey, uint32_t>> told, linked;
    std::set<std::pair<NodeKey, NodeKey>> pairs;
    for (const Advertisement& a : network) {
      for (const AdvertisedLink& link : a.links) pairs.insert({a.key.origin, link.to});
    }
    for (const Advertisement& a : network) {
      for (const AdvertisedLink& link : a.links) {
        if (pairs.count({link.to, a.key.origin}) != 0) told.insert({a.key.origin, link.to, link.metric});
      }
    }
    for (LinkIndex l = 0; l < graph.link_count(); ++l) {
      const GraphLink& link = graph.link(l);
      linked.insert({graph.node(link.from).key, graph.node(link.to).key, link.metric});
      EXPECT_GE(l, graph.first_link(link.from));
      EXPECT_LT(l, graph.first_link(link.from + 1));
      if (l > 0 && graph.link(l - 1).from == link.from) {
        EXPECT_LE(graph.link(l - 1).to, link.to);
      }
      const absl::Span<const LinkIndex> incoming = graph.incoming(link.to);
      EXPECT_EQ(std::count(incoming.begin(), incoming.end(), l), 1);
      if (link.reverse == kNoIndex) continue;
      EXPECT_EQ(graph.link(link.reverse).reverse, l);
      EXPECT_EQ(graph.link(link.reverse).from, link.to);
      EXPECT_EQ(graph.link(link.reverse).to, link.from);
    }
    EXPECT_EQ(linked, told);
    for (NodeIndex n = 0; n < graph.node_count(); ++n) {
      EXPECT_EQ(graph.Find(graph.node(n).key), n);
      for (const LinkIndex l : graph.incoming(n)) EXPECT_EQ(graph.link(l).to, n);
    }
  }
}

}  // namespace
}  // namespace flowacct::topology
