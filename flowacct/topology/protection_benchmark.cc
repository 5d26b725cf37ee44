// Alternates, link load and pictures of large networks.
//
//     bazel run --config=opt //flowacct/topology:protection_benchmark

#include <cstdint>
#include <random>
#include <vector>

#include "benchmark/benchmark.h"
#include "flowacct/topology/all_alternates.h"
#include "flowacct/topology/draw.h"
#include "flowacct/topology/failure.h"
#include "flowacct/topology/graph.h"
#include "flowacct/topology/link_load.h"
#include "flowacct/topology/protection.h"
#include "flowacct/topology/remote_lfa.h"
#include "flowacct/topology/testing/random_network.h"
#include "flowacct/topology/ti_lfa.h"
#include "flowacct/topology/what_if.h"

namespace flowacct::topology {
namespace {

// 10,000 routers and 40,000 links: 80,000 directions.
const Graph& Large() {
  static const auto* const graph = [] {
    RandomNetworkOptions options;
    options.routers = 10000;
    options.links = 40000;
    options.lans = 100;
    options.max_metric = 100;
    options.near_share = 80;
    return new Graph(RandomGraph(options));
  }();
  return *graph;
}

NodeIndex Router(const Graph& graph, uint64_t i) {
  NodeIndex n = static_cast<NodeIndex>(i * 7919 % graph.node_count());
  while (graph.node(n).pseudonode || graph.node(n).overload) n = static_cast<NodeIndex>((n + 1) % graph.node_count());
  return n;
}

// All links and all destinations of a router.
void BM_LoopFreeAlternates(benchmark::State& state) {
  const Graph& graph = Large();
  LoopFreeAlternates alternates;
  Coverage coverage;
  uint64_t i = 0;
  for (auto _ : state) {
    alternates.Compute(graph, Router(graph, i++));
    coverage = CoverageOf(graph, alternates);
    benchmark::DoNotOptimize(coverage.pairs);
  }
  state.counters["links"] = static_cast<double>(graph.link_count());
  state.counters["neighbours"] = static_cast<double>(alternates.adjacencies().size());
  state.counters["pairs"] = static_cast<double>(coverage.pairs);
  state.counters["unprotected"] = static_cast<double>(coverage.none);
  state.counters["octets"] = static_cast<double>(alternates.octets());
}
BENCHMARK(BM_LoopFreeAlternates)->Unit(benchmark::kMillisecond);

// All links of all routers; `best`: to 10,000 prefixes the best alternate, of which a tenth is of two routers, else to
// all routers how much is protected. One thread.
void BM_AllAlternates(benchmark::State& state) {
  const bool best = state.range(0) != 0;
  const Graph& graph = Large();
  std::mt19937_64 random(1);
  std::vector<std::vector<Target>> targets;
  for (NodeIndex n = 0; n < graph.node_count(); ++n) {
    if (graph.node(n).pseudonode) continue;
    targets.push_back({{n, best ? 10u : 0u}});
    if (best && n % 10 == 0) targets.back().push_back({Router(graph, random() % 1000000), 10});
  }
  const std::vector<Destination> destinations(targets.begin(), targets.end());
  uint64_t ways = 0, unprotected = 0, octets = 0;
  for (auto _ : state) {
    AllAlternates all(graph, destinations);
    for (size_t i = 0; i < all.preparations(); ++i) all.Prepare(i);
    ways = unprotected = 0;
    octets = all.octets();
    std::vector<Coverage> coverage(graph.node_count());
    for (size_t i = 0; i < all.parts(); ++i) {
      if (!best) {
        all.Cover(i, absl::MakeSpan(coverage));
        continue;
      }
      all.Compute(i, [&](size_t, absl::Span<const ProtectedWay> found) {
        ways += found.size();
        for (const ProtectedWay& way : found) unprotected += !way.alternate;
      });
    }
    for (const Coverage& c : coverage) {
      ways += c.pairs;
      unprotected += c.none;
    }
  }
  state.counters["destinations"] = static_cast<double>(destinations.size());
  state.counters["pairs"] = static_cast<double>(ways);
  state.counters["unprotected"] = static_cast<double>(unprotected);
  state.counters["kept MiB"] = static_cast<double>(octets) / (1 << 20);
}
BENCHMARK(BM_AllAlternates)->ArgName("best")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond)->Iterations(1);

// A tunnel for each link of all routers. One thread.
void BM_AllRemoteAlternates(benchmark::State& state) {
  const Graph& graph = Large();
  uint64_t none = 0;
  for (auto _ : state) {
    AllAlternates all(graph, {});
    for (size_t i = 0; i < all.preparations(); ++i) all.Prepare(i);
    AllAlternates::Tunnels tunnels(all.adjacency_count());
    for (size_t i = 0; i < all.tunnel_parts(); ++i) all.FindTunnels(i, &tunnels);
    none = 0;
    for (const RemoteAlternate& tunnel : tunnels) none += tunnel.node == kNoIndex;
    state.counters["links"] = static_cast<double>(tunnels.size());
  }
  state.counters["none"] = static_cast<double>(none);
}
BENCHMARK(BM_AllRemoteAlternates)->Unit(benchmark::kMillisecond)->Iterations(1);

// What all of them need first: distances between neighbours.
void BM_PrepareAllAlternates(benchmark::State& state) {
  const Graph& graph = Large();
  const Target target = {0, 0};
  const Destination destination(&target, 1);
  for (auto _ : state) {
    AllAlternates all(graph, absl::MakeConstSpan(&destination, 1));
    for (size_t i = 0; i < all.preparations(); ++i) all.Prepare(i);
  }
}
BENCHMARK(BM_PrepareAllAlternates)->Unit(benchmark::kMillisecond)->Iterations(1);

// A tunnel for each link of a router.
void BM_RemoteAlternates(benchmark::State& state) {
  const Graph& graph = Large();
  uint64_t i = 0;
  for (auto _ : state) {
    LoopFreeAlternates alternates;
    alternates.Compute(graph, Router(graph, i++));
    RemoteAlternates remote;
    remote.Compute(graph, alternates);
    for (size_t a = 0; a < alternates.adjacencies().size(); ++a) benchmark::DoNotOptimize(remote.Best(a));
  }
}
BENCHMARK(BM_RemoteAlternates)->Unit(benchmark::kMillisecond);

// Segments to every destination after the failure of one link.
void BM_PostConvergence(benchmark::State& state) {
  const Graph& graph = Large();
  uint64_t i = 0;
  for (auto _ : state) {
    const NodeIndex router = Router(graph, i++);
    Failure failure(graph);
    failure.AddLink(graph.first_link(router));
    PostConvergence repair;
    repair.Compute(graph, router, failure);
    for (NodeIndex n = 0; n < graph.node_count(); ++n) {
      // Those that went by the link; all, if it was the shortest way to all.
      if (n % 16 == 0) benchmark::DoNotOptimize(repair.To(n));
    }
  }
}
BENCHMARK(BM_PostConvergence)->Unit(benchmark::kMillisecond);

const Graph& Medium() {
  static const auto* const graph = [] {
    RandomNetworkOptions options;
    options.routers = 500;
    options.links = 1500;
    return new Graph(RandomGraph(options));
  }();
  return *graph;
}

std::vector<Demand> Demands(const Graph& graph, size_t count) {
  std::mt19937_64 random(1);
  std::vector<Demand> demands(count);
  for (Demand& demand : demands) {
    demand = {Router(graph, random() % 1000000), Router(graph, random() % 1000000), random() % 1000000, 0};
  }
  return demands;
}

// Demands between 500 routers.
void BM_LinkLoad(benchmark::State& state) {
  const Graph& graph = Medium();
  const std::vector<Demand> demands = Demands(graph, 100000);
  for (auto _ : state) {
    LinkLoad load(graph);
    load.Add(demands);
    benchmark::DoNotOptimize(load.laid());
  }
  state.SetItemsProcessed(state.iterations() * 100000);
}
BENCHMARK(BM_LinkLoad)->Unit(benchmark::kMillisecond);

void BM_WhatIf(benchmark::State& state) {
  const Graph& graph = Medium();
  const std::vector<Demand> demands = Demands(graph, 100000);
  Failure failure(graph);
  failure.AddNode(Router(graph, 1));
  for (auto _ : state) benchmark::DoNotOptimize(WhatIf(graph, demands, failure).lost);
  state.SetItemsProcessed(state.iterations() * 100000);
}
BENCHMARK(BM_WhatIf)->Unit(benchmark::kMillisecond);

void BM_Draw(benchmark::State& state) {
  RandomNetworkOptions options;
  options.routers = static_cast<size_t>(state.range(0));
  options.lans = 0;
  options.links = options.routers * 3 / 2;
  options.near_share = 80;
  const Graph graph = RandomGraph(options);
  for (auto _ : state) benchmark::DoNotOptimize(DrawSvg(graph)->size());
}
BENCHMARK(BM_Draw)->Arg(20)->Arg(200)->Arg(2000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace flowacct::topology

BENCHMARK_MAIN();
