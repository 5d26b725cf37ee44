#include "flowacct/topology/all_alternates.h"

#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/topology/testing/drawn_graph.h"
#include "flowacct/topology/testing/random_network.h"
#include "gtest/gtest.h"

namespace flowacct::topology {
namespace {

std::string Text(const std::optional<Alternate>& a) {
  if (!a) return "none";
  return absl::StrCat(a->adjacency, " at ", a->distance, a->loop_free ? " free" : "", a->link ? " link" : "",
                      a->node ? " node" : "", a->downstream ? " downstream" : "", a->primary ? " primary" : "");
}

// Router and destination to a line for each way.
using Ways = std::map<std::pair<NodeIndex, size_t>, std::string>;

// Router by router: the slow twin.
Ways SlowWays(const Graph& graph, const std::vector<Destination>& destinations, std::vector<Coverage>* coverage) {
  Ways ways;
  coverage->assign(graph.node_count(), {});
  for (NodeIndex n = 0; n < graph.node_count(); ++n) {
    if (graph.node(n).pseudonode) continue;
    LoopFreeAlternates alternates;
    alternates.Compute(graph, n);
    for (size_t d = 0; d < destinations.size(); ++d) {
      for (size_t p = 0; p < alternates.adjacencies().size(); ++p) {
        if (!alternates.IsPrimary(p, destinations[d])) continue;
        absl::StrAppend(&ways[{n, d}], p, ": ", Text(alternates.Best(p, destinations[d])), "\n");
      }
      (*coverage)[n] += CoverageOf(alternates, destinations[d]);
    }
  }
  return ways;
}

Ways QuickWays(const Graph& graph, const std::vector<Destination>& destinations, std::vector<Coverage>* coverage,
               size_t* exact_parts) {
  Ways ways;
  coverage->assign(graph.node_count(), {});
  AllAlternates all(graph, destinations);
  for (size_t i = all.preparations(); i-- > 0;) all.Prepare(i);  // in any order
  for (size_t i = all.parts(); i-- > 0;) {
    all.Compute(i, [&](size_t destination, absl::Span<const ProtectedWay> found) {
      for (const ProtectedWay& way : found) {
        absl::StrAppend(&ways[{way.router, destination}], way.primary, ": ", Text(way.alternate), "\n");
      }
    });
    all.Cover(i, absl::MakeSpan(*coverage));
  }
  *exact_parts = all.exact_parts();
  return ways;
}

std::string TunnelText(const RemoteAlternate& t) {
  return t.node == kNoIndex ? "none" : absl::StrCat(t.node, " by ", t.adjacency, ", ", t.to_node, " of ", t.distance);
}

// A line for each adjacency of each router. Returns how many have none.
size_t ExpectTunnelsOfEachRouter(const Graph& graph) {
  const Target target = {0, 0};
  const Destination destination(&target, 1);
  AllAlternates all(graph, absl::MakeConstSpan(&destination, 1));
  for (size_t i = 0; i < all.preparations(); ++i) all.Prepare(i);
  AllAlternates::Tunnels tunnels(all.adjacency_count()), others(all.adjacency_count());
  for (size_t i = 0; i < all.tunnel_parts(); ++i) all.FindTunnels(i, i % 2 == 0 ? &tunnels : &others);
  AllAlternates::Merge(others, &tunnels);
  size_t none = 0;
  for (NodeIndex n = 0; n < graph.node_count(); ++n) {
    if (graph.node(n).pseudonode) continue;
    LoopFreeAlternates alternates;
    alternates.Compute(graph, n);
    RemoteAlternates remote;
    remote.Compute(graph, alternates);
    for (uint32_t a = 0; a < alternates.adjacencies().size(); ++a) {
      const RemoteAlternate best = remote.Best(a).value_or(RemoteAlternate{});
      EXPECT_EQ(TunnelText(tunnels[all.first_adjacency(n) + a]), TunnelText(best)) << n << " " << a;
      none += best.node == kNoIndex;
    }
  }
  return none;
}

std::string CoverageText(const std::vector<Coverage>& coverage) {
  std::string text;
  for (const Coverage& c : coverage) {
    absl::StrAppend(&text, c.pairs, " ", c.link, " ", c.node, " ", c.link_and_node, " ", c.none, "\n");
  }
  return text;
}

RandomNetworkOptions Options(uint64_t seed) {
  RandomNetworkOptions options;
  options.seed = seed;
  options.routers = 5 + seed % 17;
  options.links = options.routers + seed % 23;
  options.lans = seed % 4;
  options.max_metric = seed % 11 == 0 ? 0xffffff : seed % 3 == 0 ? 3 : 12;  // 0xffffff is no link at all
  options.pieces = seed % 7 == 0;
  options.overload_share = seed % 2 == 0 ? 5 : 25;
  options.parallel_share = seed % 2 == 0 ? 10 : 40;
  options.asymmetric_share = seed % 4 == 0 ? 0 : 40;
  options.zero_metric_share = seed % 13 == 0 ? 20 : 0;
  options.one_way_share = seed % 9 == 0 ? 10 : 0;
  return options;
}

TEST(AllAlternates, EqualThoseOfEachRouterOnRandomNetworks) {
  size_t pairs = 0, unprotected = 0, quick = 0, exact = 0, mixed = 0;
  for (uint64_t seed = 1; seed <= 1000; ++seed) {
    SCOPED_TRACE(seed);
    const Graph graph = RandomGraph(Options(seed));
    std::mt19937_64 random(seed);
    std::vector<std::vector<Target>> targets;
    for (NodeIndex n = 0; n < graph.node_count(); ++n) {
      // A router; a prefix of it; a prefix of several, of one metric or another.
      if (!graph.node(n).pseudonode) targets.push_back({{n, 0}});
      if (random() % 8 == 0) targets.push_back({{n, static_cast<uint32_t>(random() % 100)}});
      if (random() % 2 == 0) continue;
      std::vector<Target> several;
      for (uint64_t i = 1 + random() % 4; i > 0; --i) {
        several.push_back({static_cast<NodeIndex>(random() % graph.node_count()), static_cast<uint32_t>(random() % 6)});
      }
      if (random() % 50 == 0) several.back().metric = 0xfe000000;
      targets.push_back(std::move(several));
    }
    const std::vector<Destination> destinations(targets.begin(), targets.end());
    std::vector<Coverage> slow_coverage, quick_coverage;
    size_t exact_parts = 0;
    const Ways slow_ways = SlowWays(graph, destinations, &slow_coverage);
    const Ways quick_ways = QuickWays(graph, destinations, &quick_coverage, &exact_parts);
    for (const auto& [key, text] : slow_ways) {
      const auto found = quick_ways.find(key);
      ASSERT_TRUE(found != quick_ways.end()) << key.first << " to " << key.second << ": " << text;
      ASSERT_EQ(found->second, text) << key.first << " to " << key.second;
    }
    ASSERT_EQ(quick_ways.size(), slow_ways.size());
    ASSERT_EQ(CoverageText(quick_coverage), CoverageText(slow_coverage));
    for (const Coverage& c : slow_coverage) {
      pairs += c.pairs;
      unprotected += c.none;
    }
    const size_t all_exact = AllAlternates(graph, destinations).preparations() == 0;
    exact += all_exact;
    mixed += exact_parts != 0 && !all_exact;
    quick += exact_parts == 0;
  }
  // The networks are such that it matters.
  EXPECT_GT(pairs, 100000u);
  EXPECT_GT(unprotected, pairs / 10);
  EXPECT_LT(unprotected, pairs / 2);
  EXPECT_GT(quick, 200u);
  EXPECT_GT(exact, 50u);
  EXPECT_GT(mixed, 50u);
}

TEST(AllAlternates, TunnelsEqualThoseOfEachRouterOnRandomNetworks) {
  size_t none = 0;
  for (uint64_t seed = 1; seed <= 1000; ++seed) {
    SCOPED_TRACE(seed);
    none += ExpectTunnelsOfEachRouter(RandomGraph(Options(seed)));
    if (HasFailure()) return;
  }
  EXPECT_GT(none, 1000u);
  RandomNetworkOptions options;  // several parts
  options.routers = 200;
  options.links = 500;
  options.lans = 10;
  ExpectTunnelsOfEachRouter(RandomGraph(options));
}

TEST(AllAlternates, MoreNeighboursThanAWordHasBits) {
  RandomNetworkOptions options;
  options.routers = 90;
  options.links = 2600;
  options.lans = 40;
  options.max_metric = 20;
  for (options.seed = 1; options.seed <= 2; ++options.seed) {
    const Graph graph = RandomGraph(options);
    std::vector<Target> targets;
    for (NodeIndex n = 0; n < graph.node_count() && n < 5; ++n) targets.push_back({n, 0});
    std::vector<Destination> destinations;
    for (const Target& target : targets) destinations.push_back(Destination(&target, 1));
    destinations.push_back(targets);
    std::vector<Coverage> slow_coverage, quick_coverage;
    size_t exact_parts = 0;
    EXPECT_EQ(QuickWays(graph, destinations, &quick_coverage, &exact_parts),
              SlowWays(graph, destinations, &slow_coverage));
    EXPECT_EQ(CoverageText(quick_coverage), CoverageText(slow_coverage));
    EXPECT_GT(AdjacenciesOf(graph, 0).size(), 64u);
  }
}

// Metrics that are great, of which no path is too long to add: told from those that saturate.
TEST(AllAlternates, GreatMetricsAreQuickWhileDistancesAreSmall) {
  Graph::Builder line(NodeStyle::kIsis, 2, 0);
  const auto add = [&](uint64_t a, uint64_t b, uint32_t metric) {
    line.AddLink(RouterKey(a), RouterKey(b), metric);
    line.AddLink(RouterKey(b), RouterKey(a), metric);
  };
  // Each has a way of great metric, and a short one.
  for (uint64_t n = 1; n <= 100; ++n) line.AddNode(RouterKey(n));
  for (uint64_t n = 1; n < 100; ++n) {
    add(n, n + 1, 10);
    add(n, n + 1, 0xfffffe);
  }
  const Graph graph = line.Build();
  const Target target = {0, 0};
  const Destination destination(&target, 1);
  EXPECT_EQ(AllAlternates(graph, absl::MakeConstSpan(&destination, 1)).exact_parts(), 0u);

  Graph::Builder longer(NodeStyle::kIsis, 2, 0);
  for (uint64_t n = 1; n <= 100; ++n) longer.AddNode(RouterKey(n));
  for (uint64_t n = 1; n < 100; ++n) {
    longer.AddLink(RouterKey(n), RouterKey(n + 1), 0xfffffe);
    longer.AddLink(RouterKey(n + 1), RouterKey(n), 0xfffffe);
  }
  const Graph long_graph = longer.Build();
  EXPECT_GT(AllAlternates(long_graph, absl::MakeConstSpan(&destination, 1)).exact_parts(), 0u);
}

TEST(AllAlternates, NothingToDo) {
  const Graph graph = Graph::Builder(NodeStyle::kIsis, 2, 0).Build();
  AllAlternates all(graph, {});
  EXPECT_EQ(all.preparations() + all.parts(), 0u);
}

}  // namespace
}  // namespace flowacct::topology
