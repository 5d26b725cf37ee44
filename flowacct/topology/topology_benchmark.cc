// A network of 10,000 routers and 40,000 links, each router with four prefixes.
//
//     bazel run --config=opt //flowacct/topology:topology_benchmark

#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "flowacct/lpm/reader_epochs.h"
#include "flowacct/topology/graph.h"
#include "flowacct/topology/live_topology.h"
#include "flowacct/topology/router_paths.h"
#include "flowacct/topology/shortest_paths.h"
#include "flowacct/topology/testing/random_network.h"

namespace flowacct::topology {
namespace {

constexpr size_t kRouters = 10'000;

const std::vector<Advertisement>& Network() {
  static const auto* network = [] {
    RandomNetworkOptions options;
    options.routers = kRouters;
    options.links = 40'000;
    options.lans = 0;
    options.max_metric = 1000;
    options.parallel_share = 0;
    options.near_share = 80;
    options.prefixes = 4;
    return new std::vector<Advertisement>(RandomNetwork(options));
  }();
  return *network;
}

const Graph& TheGraph() {
  static const auto* graph = new Graph(GraphOf(Network()));
  return *graph;
}

void BM_ShortestPaths(benchmark::State& state) {
  const Graph& graph = TheGraph();
  ShortestPaths paths;
  NodeIndex root = 0;
  for (auto _ : state) {
    paths.Compute(graph, root);
    root = (root + 37) % kRouters;
  }
  state.counters["links"] = static_cast<double>(graph.link_count()) / 2;
  state.counters["reached"] = static_cast<double>(paths.order().size());
  state.counters["graph MiB"] = static_cast<double>(graph.octets()) / (1 << 20);
  state.counters["paths KiB"] = static_cast<double>(paths.octets()) / (1 << 10);
}
BENCHMARK(BM_ShortestPaths)->Unit(benchmark::kMillisecond);

// The metric of one link goes up and down: paths are updated. What compares the graphs is not counted.
void BM_ShortestPathsOfAChangedLink(benchmark::State& state) {
  std::vector<Advertisement> network = Network();
  const Graph& graph = TheGraph();
  ShortestPaths paths;
  paths.Compute(graph, 5);
  std::mt19937_64 random(1);
  std::vector<std::unique_ptr<Graph>> others;
  std::vector<std::vector<NodePair>> changes;
  while (others.size() < 64) {
    // One that paths run over.
    const LinkIndex l = static_cast<LinkIndex>(random() % graph.link_count());
    if (!paths.OnShortestPath(l)) continue;
    AdvertisedLink* link = nullptr;
    for (AdvertisedLink& candidate : network[graph.link(l).from].links) {
      if (candidate.to == graph.node(graph.link(l).to).key && candidate.metric == graph.link(l).metric)
        link = &candidate;
    }
    const uint32_t metric = std::exchange(link->metric, link->metric * 2);
    others.push_back(std::make_unique<Graph>(GraphOf(network)));
    changes.push_back(*ChangedLinks(graph, *others.back()));
    link->metric = metric;
  }
  size_t i = 0, moved = 0;
  for (auto _ : state) {
    moved += paths.Update(*others[i], changes[i]);
    moved += paths.Update(graph, changes[i]);
    i = (i + 1) % others.size();
  }
  state.SetItemsProcessed(2 * state.iterations());
  state.counters["nodes moved"] = static_cast<double>(moved) / static_cast<double>(2 * state.iterations());
}
BENCHMARK(BM_ShortestPathsOfAChangedLink)->Unit(benchmark::kMicrosecond);

void BM_ChangedLinks(benchmark::State& state) {
  const Graph other = GraphOf(Network());
  for (auto _ : state) benchmark::DoNotOptimize(ChangedLinks(TheGraph(), other));
}
BENCHMARK(BM_ChangedLinks)->Unit(benchmark::kMicrosecond);

struct Lives {
  lpm::ReaderEpochs epochs;
  LiveTopology topology{&epochs};
  explicit Lives(size_t roots) {
    for (const Advertisement& a : Network()) topology.Apply(a, 0);
    for (size_t r = 1; r <= roots; ++r) topology.Want(RouterKey(r * 97));
    topology.Compute(0);
  }
};

void BM_FirstComputation(benchmark::State& state) {
  Lives lives(0);
  const TopologyState all = lives.topology.database().State();
  for (auto _ : state) benchmark::DoNotOptimize(all.GraphOf(2, 0));
  state.counters["database MiB"] = static_cast<double>(lives.topology.database().octets()) / (1 << 20);
  state.counters["reach MiB"] = static_cast<double>(lives.topology.reach().octets()) / (1 << 20);
  state.counters["prefixes"] = static_cast<double>(lives.topology.reach().prefixes());
}
BENCHMARK(BM_FirstComputation)->Unit(benchmark::kMillisecond);

// One router's prefix comes and goes: all that is done for it.
void BM_LeafChange(benchmark::State& state) {
  Lives lives(16);
  std::mt19937_64 random(1);
  int64_t time = 1;
  for (auto _ : state) {
    Advertisement a = Network()[random() % kRouters];
    if (++time % 2 == 0) a.prefixes.pop_back();
    lives.topology.Apply(std::move(a), time);
    benchmark::DoNotOptimize(lives.topology.Advance(time));
  }
}
BENCHMARK(BM_LeafChange)->Unit(benchmark::kMicrosecond);

// The metric of one link changes: graphs, and the paths and first hops of so many routers, to a published snapshot.
void BM_LinkChange(benchmark::State& state) {
  Lives lives(static_cast<size_t>(state.range(0)));
  std::mt19937_64 random(1);
  int64_t time = 1;
  for (auto _ : state) {
    Advertisement a = Network()[random() % kRouters];
    if (!a.links.empty()) a.links[0].metric = static_cast<uint32_t>(1 + random() % 1000);
    lives.topology.Apply(std::move(a), ++time);
    lives.topology.Compute(time);
  }
  const auto snapshot = lives.topology.published()->Get();
  const RouterPaths* paths = snapshot->PathsOf(RouterKey(97));
  if (paths != nullptr) state.counters["a router's KiB"] = static_cast<double>(paths->octets()) / (1 << 10);
}
BENCHMARK(BM_LinkChange)->Arg(0)->Arg(1)->Arg(16)->Unit(benchmark::kMillisecond);

void BM_RouterPathsAnew(benchmark::State& state) {
  Lives lives(0);
  const auto snapshot = lives.topology.published()->Get();
  uint64_t router = 1;
  for (auto _ : state) {
    const RouterPaths paths(snapshot->graphs, RouterKey(router));
    benchmark::DoNotOptimize(paths.root());
    router = router % kRouters + 1;
  }
}
BENCHMARK(BM_RouterPathsAnew)->Unit(benchmark::kMillisecond);

// Addresses to candidates, and to a route; n at once.
void BM_Find(benchmark::State& state) {
  Lives lives(1);
  const bool choose = state.range(0) != 0;
  const auto snapshot = lives.topology.published()->Get();
  const RouterPaths& paths = *snapshot->PathsOf(RouterKey(97));
  const ReachReader reader(&lives.topology.reach());
  std::mt19937_64 random(1);
  std::vector<base::IpAddress> addresses;
  while (addresses.size() < 1 << 14) {
    for (const AdvertisedPrefix& p : Network()[random() % kRouters].prefixes) addresses.push_back(p.prefix.address());
  }
  constexpr size_t kBatch = 64;
  std::vector<ReachView> views(kBatch);
  size_t at = 0;
  for (auto _ : state) {
    reader.FindBatch(addresses[at].data(), sizeof(base::IpAddress), kBatch, views.data());
    for (size_t i = 0; i < kBatch && choose; ++i) {
      benchmark::DoNotOptimize(paths.Choose(views[i].candidates, !addresses[at + i].IsV4()));
    }
    benchmark::DoNotOptimize(views.data());
    at = (at + kBatch) & ((1 << 14) - 1);
  }
  state.SetItemsProcessed(static_cast<int64_t>(kBatch * state.iterations()));
}
BENCHMARK(BM_Find)->ArgName("choose")->Arg(0)->Arg(1);

}  // namespace
}  // namespace flowacct::topology

BENCHMARK_MAIN();
