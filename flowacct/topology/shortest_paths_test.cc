#include "flowacct/topology/shortest_paths.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "flowacct/topology/testing/drawn_graph.h"
#include "flowacct/topology/testing/random_network.h"
#include "gtest/gtest.h"

namespace flowacct::topology {
namespace {

using Direction = ShortestPaths::Direction;

// "A0 B10 C2" in the order of letters; "-" for what is not reached.
std::string Distances(const Graph& graph, const ShortestPaths& paths) {
  std::string text;
  for (NodeIndex n = 0; n < graph.node_count(); ++n) {
    if (n > 0) text += " ";
    text += LetterOf(graph.node(n).key);
    text += paths.reached(n) ? std::to_string(paths.distance(n)) : "-";
  }
  return text;
}

// "AB AC BD": the links on shortest paths.
std::string Ways(const Graph& graph, const ShortestPaths& paths) {
  std::string text;
  for (LinkIndex l = 0; l < graph.link_count(); ++l) {
    if (!paths.OnShortestPath(l)) continue;
    if (!text.empty()) text += " ";
    text += LetterOf(graph.node(graph.link(l).from).key);
    text += LetterOf(graph.node(graph.link(l).to).key);
  }
  return text;
}

struct Drawing {
  const char* what;
  const char* picture;
  const char* overloaded;
  char root;
  const char* distances;
  const char* ways;
  Direction direction = Direction::kFrom;
};

const Drawing kDrawings[] = {
    {"equal ways both count", R"(
       A--1--B
       |     |
       1     1
       |     |
       C--1--D )",
     "", 'A', "A0 B1 C1 D2", "AB AC BD CD"},
    {"a longer way round", R"(
       A--10--B
       |      |
       2      3
       |      |
       C--4---D )",
     "", 'A', "A0 B9 C2 D6", "AC CD DB"},
    {"nothing through an overloaded router", R"(
       A--1--B--1--C
       |           |
       |           5
       |           |
       D-----5-----E )",
     "B", 'A', "A0 B1 C11 D1 E6", "AB AD DE EC"},
    {"a LAN costs its entrance alone", R"(
       A--3--p--4--B
             |
             5
             |
             C--1--D )",
     "", 'A', "A0 B3 C3 D4 p3", "Ap CD pB pC"},
    {"a LAN and a line beside it: both ways, though the LAN has the greater key", R"(
       A-10-z
        \   |
         10 3
          \ |
           \|
            B )",
     "", 'A', "A0 B10 z10", "AB Az zB"},
    {"metrics of two directions", R"(
       A-1>9-B-1>9-C )",
     "", 'A', "A0 B1 C2", "AB BC"},
    {"the same backwards", R"(
       A-1>9-B-1>9-C )",
     "", 'A', "A0 B9 C18", "BA CB", Direction::kTo},
    {"two pieces", R"(
       A--1--B   C--1--D )",
     "", 'A', "A0 B1 C- D-", "AB"},
    {"parallel links of one metric", R"(
       A==2==B--1--C )",
     "", 'A', "A0 B2 C3", "AB AB BC"},
    {"links that cost nothing go one way", R"(
       A--0--B
       |     |
       0     0
       |     |
       C--0--D )",
     "", 'D', "A0 B0 C0 D0", "BA CA DB DC"},
};

TEST(ShortestPaths, OfPictures) {
  for (const Drawing& d : kDrawings) {
    SCOPED_TRACE(d.what);
    const Graph graph = DrawnGraph(d.picture, d.overloaded);
    ShortestPaths paths;
    paths.Compute(graph, At(graph, d.root), d.direction);
    EXPECT_EQ(Distances(graph, paths), d.distances);
    EXPECT_EQ(Ways(graph, paths), d.ways);
  }
}

// The slow twin: Bellman-Ford over what the nodes say, without a graph.
std::map<NodeKey, uint64_t> SlowDistances(const std::vector<Advertisement>& network, NodeKey root,
                                          Direction direction) {
  std::map<NodeKey, const Advertisement*> nodes;
  std::set<std::pair<NodeKey, NodeKey>> told;
  for (const Advertisement& a : network) {
    nodes[a.key.origin] = &a;
    for (const AdvertisedLink& link : a.links) told.insert({a.key.origin, link.to});
  }
  std::map<NodeKey, uint64_t> distance = {{root, 0}};
  for (bool changed = true; changed;) {
    changed = false;
    for (const Advertisement& a : network) {
      for (const AdvertisedLink& link : a.links) {
        if (told.count({link.to, a.key.origin}) == 0) continue;
        const NodeKey near = direction == Direction::kFrom ? a.key.origin : link.to;
        const NodeKey far = direction == Direction::kFrom ? link.to : a.key.origin;
        if (distance.count(near) == 0 || (near != root && nodes[near]->overload)) continue;
        const uint64_t sum = std::min<uint64_t>(distance[near] + link.metric, kMaxDistance);
        const auto [it, first] = distance.insert({far, sum});
        if (first || sum < it->second) {
          it->second = sum;
          changed = true;
        }
      }
    }
  }
  return distance;
}

RandomNetworkOptions OptionsOf(uint64_t seed) {
  RandomNetworkOptions options;
  options.seed = seed;
  options.routers = 1 + seed % 40;
  options.links = options.routers + seed % 60;
  options.lans = seed % 5;
  options.pieces = seed % 7 == 0;
  options.max_metric = seed % 11 == 0 ? 0xfffffe : 1 + seed % 20;
  options.zero_metric_share = seed % 3 == 0 ? 20 : 0;
  options.one_way_share = seed % 4 == 0 ? 10 : 0;
  return options;
}

TEST(ShortestPaths, EqualTheSlowTwin) {
  ShortestPaths paths;
  size_t ties = 0;
  for (uint64_t seed = 1; seed <= 1000; ++seed) {
    SCOPED_TRACE(seed);
    const std::vector<Advertisement> network = RandomNetwork(OptionsOf(seed));
    const Graph graph = GraphOf(network);
    for (const Direction direction : {Direction::kFrom, Direction::kTo}) {
      const NodeIndex root = static_cast<NodeIndex>(seed * 7 % graph.node_count());
      paths.Compute(graph, root, direction);
      const std::map<NodeKey, uint64_t> slow = SlowDistances(network, graph.node(root).key, direction);
      ASSERT_EQ(paths.order().size(), slow.size());
      ASSERT_EQ(paths.order()[0], root);
      for (NodeIndex n = 0; n < graph.node_count(); ++n) {
        const auto it = slow.find(graph.node(n).key);
        ASSERT_EQ(paths.reached(n), it != slow.end());
        if (it != slow.end()) {
          ASSERT_EQ(paths.distance(n), it->second);
        }
      }
      std::vector<size_t> position(graph.node_count());
      for (size_t i = 0; i < paths.order().size(); ++i) {
        position[paths.order()[i]] = i;
        if (i > 0) {
          ASSERT_LE(paths.distance(paths.order()[i - 1]), paths.distance(paths.order()[i]));
        }
      }
      // Links count where they are tight, and go forward; each node but the root has one.
      std::vector<size_t> ways(graph.node_count());
      for (LinkIndex l = 0; l < graph.link_count(); ++l) {
        const GraphLink& link = graph.link(l);
        const NodeIndex near = direction == Direction::kFrom ? link.from : link.to;
        const NodeIndex far = direction == Direction::kFrom ? link.to : link.from;
        const bool tight =
            paths.reached(near) && (near == root || !graph.node(near).overload) &&
            std::min<uint64_t>(uint64_t{paths.distance(near)} + link.metric, kMaxDistance) == paths.distance(far);
        if (paths.OnShortestPath(l)) {
          ASSERT_TRUE(tight);
          ASSERT_LT(position[near], position[far]);
          ties += ways[far]++ > 0;
        } else if (tight) {
          ASSERT_EQ(paths.distance(near), paths.distance(far));
          ASSERT_GE(position[near], position[far]);
        }
      }
      for (const NodeIndex n : paths.order()) ASSERT_EQ(ways[n] == 0, n == root);
    }
  }
  EXPECT_GT(ties, 1000u);  // or the networks show nothing
}

// Changes by chance to a network of the same nodes.
void Disturb(std::vector<Advertisement>* network, std::mt19937_64* random) {
  for (size_t times = 1 + (*random)() % 3; times > 0; --times) {
    Advertisement& node = (*network)[(*random)() % network->size()];
    switch ((*random)() % 4) {
      case 0:
        if (!IsPseudonode(NodeStyle::kIsis, node.key.origin)) node.overload = !node.overload;
        break;
      case 1:
        if (!node.links.empty())
          node.links.erase(node.links.begin() + static_cast<int>((*random)() % node.links.size()));
        break;
      case 2: {
        Advertisement& other = (*network)[(*random)() % network->size()];
        AdvertisedLink link;
        link.metric = static_cast<uint32_t>((*random)() % 10);
        link.to = other.key.origin;
        node.links.push_back(link);
        link.to = node.key.origin;
        other.links.push_back(link);
        break;
      }
      default:
        if (!node.links.empty() && !IsPseudonode(NodeStyle::kIsis, node.key.origin)) {
          node.links[(*random)() % node.links.size()].metric = static_cast<uint32_t>((*random)() % 12);
        }
    }
  }
}

TEST(ShortestPaths, UpdatedAreThoseComputed) {
  size_t moved = 0, kept = 0;
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    std::mt19937_64 random(seed);
    std::vector<Advertisement> network = RandomNetwork(OptionsOf(seed));
    auto graph = std::make_unique<Graph>(GraphOf(network));
    for (const Direction direction : {Direction::kFrom, Direction::kTo}) {
      ShortestPaths updated, computed;
      updated.Compute(*graph, static_cast<NodeIndex>(seed % graph->node_count()), direction);
      for (int step = 0; step < 10; ++step) {
        SCOPED_TRACE(std::to_string(seed) + ", step " + std::to_string(step));
        Disturb(&network, &random);
        auto after = std::make_unique<Graph>(GraphOf(network));
        const std::optional<std::vector<NodePair>> changed = ChangedLinks(*graph, *after);
        ASSERT_TRUE(changed.has_value());
        std::vector<Distance> before;
        for (NodeIndex n = 0; n < graph->node_count(); ++n) before.push_back(updated.distance(n));
        const size_t others = updated.Update(*after, *changed);
        graph = std::move(after);
        computed.Compute(*graph, updated.root(), direction);
        size_t different = 0;
        for (NodeIndex n = 0; n < graph->node_count(); ++n) {
          ASSERT_EQ(updated.distance(n), computed.distance(n)) << n;
          different += before[n] != computed.distance(n);
        }
        ASSERT_EQ(others, different);
        ASSERT_EQ(updated.order(), computed.order());
        for (LinkIndex l = 0; l < graph->link_count(); ++l) {
          ASSERT_EQ(updated.OnShortestPath(l), computed.OnShortestPath(l));
        }
        (different > 0 ? moved : kept) += 1;
      }
    }
  }
  EXPECT_GT(moved, 1000u);
  EXPECT_GT(kept, 1000u);
}

TEST(ShortestPaths, UpdatedOverMoreFreeStepsThanAreToldApart) {
  Graph::Builder builder(NodeStyle::kIsis, 2, 0);
  constexpr uint64_t kNodes = 5000;
  const auto chain = [&](uint32_t metric_to_10) {
    for (uint64_t r = 1; r <= kNodes; ++r) builder.AddNode(RouterKey(r));
    for (uint64_t r = 2; r <= kNodes; ++r) {
      builder.AddLink(RouterKey(r - 1), RouterKey(r), r == 10 ? metric_to_10 : 0);
      builder.AddLink(RouterKey(r), RouterKey(r - 1), 0);
    }
    return builder.Build();
  };
  const Graph graph = chain(0), slower = chain(7);
  ShortestPaths paths;
  paths.Compute(graph, 0);
  EXPECT_EQ(paths.order().size(), kNodes);
  EXPECT_EQ(paths.Update(slower, *ChangedLinks(graph, slower)), kNodes - 9);
  EXPECT_EQ(paths.distance(8), 0u);
  EXPECT_EQ(paths.distance(kNodes - 1), 7u);
  EXPECT_EQ(paths.order().size(), kNodes);
}

TEST(ShortestPaths, ComputedAnewWhereNodesAreOthers) {
  EXPECT_FALSE(ChangedLinks(DrawnGraph("A--B"), DrawnGraph("A--C")).has_value());
  EXPECT_FALSE(ChangedLinks(DrawnGraph("A--B"), DrawnGraph("A--B--C")).has_value());
  const Graph graph = DrawnGraph("A--B--C");
  EXPECT_TRUE(ChangedLinks(graph, graph)->empty());
}

TEST(ShortestPaths, StopAtTheGreatestDistance) {
  Graph::Builder builder(NodeStyle::kIsis, 2, 0);
  constexpr uint64_t kNodes = 1000;
  for (uint64_t r = 1; r <= kNodes; ++r) {
    builder.AddNode(RouterKey(r));
    if (r == 1) continue;
    builder.AddLink(RouterKey(r - 1), RouterKey(r), 0xfffffe);
    builder.AddLink(RouterKey(r), RouterKey(r - 1), 0xfffffe);
  }
  const Graph graph = builder.Build();
  ShortestPaths paths;
  paths.Compute(graph, 0);
  EXPECT_EQ(paths.order().size(), kNodes);
  EXPECT_EQ(paths.distance(100), 100u * 0xfffffe);
  EXPECT_EQ(paths.distance(kNodes - 1), kMaxDistance);
}

TEST(ShortestPaths, FromNowhere) {
  const Graph graph = DrawnGraph("A--B");
  ShortestPaths paths;
  paths.Compute(graph, kNoIndex);
  EXPECT_TRUE(paths.order().empty());
  EXPECT_FALSE(paths.reached(0));
  EXPECT_FALSE(paths.OnShortestPath(0));
}

}  // namespace
}  // namespace flowacct::topology
