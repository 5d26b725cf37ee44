// Alternates, link load and pictures of large networks.

#include <cstdint>
#include <random>
#include <vector>

#include "benchmark/benchmark.h"
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
