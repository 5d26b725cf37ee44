// A network of 10,000 routers, 40,000 links and 40,000 prefixes by BGP-LS, without sockets: UPDATEs of one object each.
//
//     bazel run --config=opt //flowacct/collector/igp:bgp_ls_benchmark

#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "flowacct/bgp/update.h"
#include "flowacct/collector/igp/bgp_ls_feed.h"
#include "flowacct/collector/igp/testing/bgp_ls_writer.h"
#include "flowacct/collector/routing/peer_book.h"
#include "flowacct/testing/allocation_counter.h"
#include "flowacct/topology/testing/random_network.h"

namespace flowacct::collector {
namespace {

const std::vector<std::string>& Messages() {
  static const auto* messages = [] {
    topology::RandomNetworkOptions options;
    options.routers = 10'000;
    options.links = 40'000;
    options.lans = 0;
    options.max_metric = 1000;
    options.parallel_share = 0;
    options.near_share = 80;
    options.prefixes = 4;
    auto* all = new std::vector<std::string>();
    for (const topology::Advertisement& a : topology::RandomNetwork(options)) {
      for (const BgpLsObject& object : BgpLsObjectsOf(a)) all->push_back(BgpLsAnnouncement(object));
    }
    return all;
  }();
  return *messages;
}

class Run {
 public:
  Run() : book(RoutingOptions()) {}
  PeerBook::Peer* Up(uint32_t number) {
    Announcer announcer;
    announcer.key = {base::IpAddress::V4(number), number, 64500, 0};
    return book.Up(announcer, now);
  }
  void Tell(PeerBook::Peer* peer) {
    for (const std::string& message : Messages()) {
      bgp::DecodeUpdate(base::AsOctets(message), context, &update, &counters);
      feed.OnUpdate(*peer, update, now);
    }
  }
  size_t TakeAll() {
    size_t n = 0;
    while (feed.TakeChanges(
        256, [&](const topology::Advertisement&) { ++n; }, [&](const topology::AdvertisementKey&) { ++n; })) {
    }
    return n;
  }

  PeerBook book;
  BgpLsFeed feed;
  bgp::SessionContext context;
  bgp::Update update;
  bgp::UpdateCounters counters;
  absl::Time now = absl::FromUnixSeconds(1700000000);
};

// One or two reflectors tell all of it.
void BM_Learn(benchmark::State& state) {
  Messages();
  double octets = 0;
  for (auto _ : state) {
    testing::AllocationCounter counter;
    Run run;
    const int64_t before = counter.heap_octets();
    for (uint32_t r = 1; r <= static_cast<uint32_t>(state.range(0)); ++r) run.Tell(run.Up(r));
    octets = static_cast<double>(counter.heap_octets() - before);
    benchmark::DoNotOptimize(run.feed.Status().objects);
  }
  const double objects = static_cast<double>(Messages().size());
  state.counters["objects"] = objects;
  state.counters["heap octets an object"] = octets / objects;
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * static_cast<int64_t>(Messages().size()) *
                          state.range(0));
}
BENCHMARK(BM_Learn)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond);

void BM_TakeAll(benchmark::State& state) {
  int64_t routers = 0;
  for (auto _ : state) {
    state.PauseTiming();
    auto run = std::make_unique<Run>();
    run->Tell(run->Up(1));
    state.ResumeTiming();
    routers += static_cast<int64_t>(run->TakeAll());
    state.PauseTiming();
    run.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(routers);
}
BENCHMARK(BM_TakeAll)->Unit(benchmark::kMillisecond);

// Of two reflectors one dies.
void BM_SessionEnds(benchmark::State& state) {
  for (auto _ : state) {
    state.PauseTiming();
    auto run = std::make_unique<Run>();
    PeerBook::Peer* const one = run->Up(1);
    run->Tell(one);
    run->Tell(run->Up(2));
    state.ResumeTiming();
    run->feed.OnDown(*one, run->now);
    state.PauseTiming();
    run.reset();
    state.ResumeTiming();
  }
}
BENCHMARK(BM_SessionEnds)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace flowacct::collector

BENCHMARK_MAIN();
