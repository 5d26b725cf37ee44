// The join with the IGP: a network of 10,000 routers and 40,000 links, some 15,000 prefixes; records to all of them.
//
//     bazel run --config=opt //flowacct/enrich/igp:igp_benchmark
//
// Storm: one thread changes links and prefixes as fast as it can, makes snapshots when RFC 8405's back-off says so and
// paths of those who export, while the other joins batches at its ease, and is timed.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/base/interner.h"
#include "flowacct/enrich/igp/igp_enricher.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/topology/testing/random_network.h"

namespace flowacct::enrich {
namespace {

using F = record::FieldId;
using topology::Advertisement;

constexpr uint32_t kRouters = 10'000;
constexpr uint32_t kExporters = 4;
constexpr size_t kPool = 1 << 16;  // records, so that they come from memory and not the same ones again

const std::vector<F>& Usual() {
  static const auto* fields =
      new std::vector<F>{F::kIgpDstNet, F::kIgpDstMask, F::kIgpEgress, F::kIgpMetric, F::kIgpPath, F::kIgpLevel};
  return *fields;
}

base::IpAddress IdOf(uint32_t router) { return base::IpAddress::V4(0xac100000 + router); }

std::vector<Advertisement> Network() {
  topology::RandomNetworkOptions options;
  options.routers = kRouters;
  options.links = 40'000;
  options.lans = 0;
  options.max_metric = 1000;
  options.parallel_share = 0;
  options.near_share = 80;
  options.prefixes = 2;
  std::vector<Advertisement> all = topology::RandomNetwork(options);
  for (Advertisement& a : all) {
    const auto number = static_cast<uint32_t>(a.key.origin.value >> 16);
    a.name = absl::StrCat("router-", number, ".example.net");
    a.router_id = IdOf(number);
    topology::AdvertisedPrefix loopback;
    loopback.prefix = {*a.router_id, 32};
    a.prefixes.push_back(loopback);
  }
  return all;
}

struct Inside {
  Inside() : all(Network()), topology(&epochs) {
    for (const Advertisement& a : all) {
      topology.Apply(a, 0);
      for (const topology::AdvertisedPrefix& p : a.prefixes) {
        if (p.prefix.length() != 32) prefixes.push_back(p.prefix);
      }
    }
    for (uint32_t e = 0; e < kExporters; ++e) topology.Want({uint64_t{1 + e * 2000} << 16});
    topology.Compute(0);
  }
  Igp TheIgp() {
    return {&epochs, &topology.reach(), topology.published(), std::make_shared<topology::WantedRouters>()};
  }
  std::vector<Advertisement> all;
  lpm::ReaderEpochs epochs;
  topology::LiveTopology topology;
  std::vector<base::IpPrefix> prefixes;
};

Inside& TheInside() {
  static auto* inside = new Inside;
  return *inside;
}

// Records in runs of one exporter; of a hundred so many have a BGP next hop.
std::unique_ptr<record::FlowBatch> Records(const Inside& inside, const record::Layout* layout, base::Interner* interner,
                                           unsigned next_hops) {
  auto records = std::make_unique<record::FlowBatch>(layout, interner);
  std::mt19937_64 random(7);
  for (size_t i = 0; i < kPool; ++i) {
    record::MutableRow row = records->Append();
    row.Set<F::kExporter>(IdOf(1 + static_cast<uint32_t>(i / 512 % kExporters) * 2000));
    const auto address = [&] {
      base::IpAddress some = inside.prefixes[random() % inside.prefixes.size()].address();
      some.data()[15] = static_cast<uint8_t>(random());
      return some;
    };
    row.Set<F::kSrcAddr>(address());
    if (random() % 100 < next_hops) {
      row.Set<F::kDstAddr>(base::IpAddress::V4(0xc6330000 + static_cast<uint32_t>(random() % 0xffff)));
      row.Set<F::kDstMask>(24);
      row.Set<F::kBgpNextHop>(IdOf(1 + static_cast<uint32_t>(random() % kRouters)));
    } else {
      row.Set<F::kDstAddr>(address());
    }
  }
  return records;
}

struct Bench {
  Bench(Inside& its_inside, const std::vector<F>& wanted, unsigned next_hops, size_t rows)
      : inside(its_inside), enricher(inside.TheIgp(), IgpOptions()) {
    std::vector<F> fields = wanted;
    for (const F field : enricher.RequiredFields(record::FieldSet(wanted))) fields.push_back(field);
    for (const F field : {F::kSrcAddr, F::kPackets, F::kBytes}) fields.push_back(field);
    layout = std::make_unique<record::Layout>(fields);
    pool = Records(inside, layout.get(), &interner, next_hops);
    work = std::make_unique<record::FlowBatch>(layout.get(), &interner);
    work->AppendCopies(rows, pool->data());
    enricher.Bind(*layout, record::FieldSet(wanted));
  }
  // The next rows, as a decoder would have left them.
  void Take() {
    const size_t rows = work->size();
    std::memcpy(work->data(), pool->data() + at * work->stride(), rows * work->stride());
    at = (at + rows) % (kPool - rows);
  }
  Inside& inside;
  base::Interner interner;
  IgpEnricher enricher;
  std::unique_ptr<record::Layout> layout;
  std::unique_ptr<record::FlowBatch> pool, work;
  size_t at = 0;
};

void Join(benchmark::State& state, const std::vector<F>& wanted, unsigned next_hops, bool enrich = true) {
  Bench bench(TheInside(), wanted, next_hops, 512);
  for (size_t i = 0; i < 2 * kPool / 512; ++i) {
    bench.Take();
    bench.enricher.Apply(*bench.work);
  }
  for (auto _ : state) {
    bench.Take();
    if (enrich) bench.enricher.Apply(*bench.work);
    benchmark::DoNotOptimize(bench.work->data());
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * 512);
  for (const EnricherCounter& c : bench.enricher.counters()) {
    if (c.name == "routes_made") state.counters["made"] = static_cast<double>(c.value);
  }
}

void BM_CopyAlone(benchmark::State& state) { Join(state, Usual(), 0, false); }
void BM_Usual(benchmark::State& state) { Join(state, Usual(), 0); }
void BM_UsualHalfByNextHop(benchmark::State& state) { Join(state, Usual(), 50); }
void BM_All(benchmark::State& state) {
  std::vector<F> all(std::begin(kIgpTold), std::end(kIgpTold));
  for (const F field : {F::kSrcNet, F::kSrcMask, F::kDstNet, F::kDstMask, F::kNextHop}) all.push_back(field);
  Join(state, all, 20);
}
BENCHMARK(BM_CopyAlone);
BENCHMARK(BM_Usual);
BENCHMARK(BM_UsualHalfByNextHop);
BENCHMARK(BM_All);

// Batches of a datagram's 24 records.
void Storm(benchmark::State& state, bool flaps) {
  using Clock = std::chrono::steady_clock;
  auto inside = std::make_unique<Inside>();
  Bench bench(*inside, Usual(), 20, 24);
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> changes{0}, snapshots{0};
  std::thread writer([&] {
    std::mt19937_64 random(3);
    const auto begin = Clock::now();
    while (flaps && !stop.load(std::memory_order_relaxed)) {
      const auto now = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begin).count() + 1;
      Advertisement& a = inside->all[random() % inside->all.size()];
      if (random() % 2 == 0 && !a.links.empty()) {
        a.links[random() % a.links.size()].metric = 1 + static_cast<uint32_t>(random() % 1000);
      } else {
        a.prefixes[0].metric = static_cast<uint32_t>(random() % 64);
      }
      changes += inside->topology.Apply(a, now);
      snapshots += inside->topology.Advance(now);
    }
  });
  for (size_t i = 0; i < 2 * kPool / 24; ++i) {
    bench.Take();
    bench.enricher.Apply(*bench.work);
  }
  std::vector<int64_t> nanos;
  nanos.reserve(20'000'000);
  const auto begin = Clock::now();
  for (auto _ : state) {
    bench.Take();
    const auto from = Clock::now();
    bench.enricher.Apply(*bench.work);
    nanos.push_back(std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - from).count());
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  stop = true;
  writer.join();
  std::sort(nanos.begin(), nanos.end());
  const auto micros = [&](double part) {
    return static_cast<double>(
               nanos[std::min(nanos.size() - 1, static_cast<size_t>(part * static_cast<double>(nanos.size())))]) /
           1000;
  };
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * 24);
  state.counters["p50_us"] = micros(0.5);
  state.counters["p99_us"] = micros(0.99);
  state.counters["p999_us"] = micros(0.999);
  state.counters["max_us"] = micros(1);
  state.counters["changes/s"] = static_cast<double>(changes) / seconds;
  state.counters["snapshots/s"] = static_cast<double>(snapshots) / seconds;
}
void BM_StillNetwork(benchmark::State& state) { Storm(state, false); }
void BM_FlapStorm(benchmark::State& state) { Storm(state, true); }
BENCHMARK(BM_StillNetwork)->UseRealTime()->MinTime(5);
BENCHMARK(BM_FlapStorm)->UseRealTime()->MinTime(10);

}  // namespace
}  // namespace flowacct::enrich

BENCHMARK_MAIN();
