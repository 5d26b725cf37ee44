// The live table against the immutable one: a million prefixes of IPv4 and 200,000 of IPv6 with the lengths of the
// global tables; traffic drawn by Zipf's law, and addresses drawn evenly; with and without a writer that replaces,
// erases and inserts routes as fast as it can. Look-ups go in batches of 64. p50, p99.9: of batches, a look-up's share
// in nanoseconds.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "flowacct/base/octet_hash.h"
#include "flowacct/lpm/live_table.h"
#include "flowacct/lpm/lpm_table.h"
#include "flowacct/lpm/testing/prefix_table.h"

namespace flowacct::lpm {
namespace {

constexpr size_t kBatch = 64;

const std::vector<base::IpPrefix>& V4() {
  static const auto* prefixes = new std::vector<base::IpPrefix>(MakeV4Prefixes(1000000, 1));
  return *prefixes;
}
const std::vector<base::IpPrefix>& V6() {
  static const auto* prefixes = new std::vector<base::IpPrefix>(MakeV6Prefixes(200000, 2));
  return *prefixes;
}
const std::vector<base::IpAddress>& Traffic(bool v6) {
  static const auto* v4 = new std::vector<base::IpAddress>(MakeTraffic(V4(), 1 << 22, 3));
  static const auto* six = new std::vector<base::IpAddress>(MakeTraffic(V6(), 1 << 22, 4));
  return v6 ? *six : *v4;
}
const std::vector<base::IpAddress>& Even() {
  static const auto* addresses = [] {
    auto* drawn = new std::vector<base::IpAddress>;
    uint64_t state = 5;
    for (int i = 0; i < 1 << 22; ++i) {
      drawn->push_back(base::IpAddress::V4(static_cast<uint32_t>(base::NextSecret(&state) % 0xdf000000) + 0x1000000));
    }
    return drawn;
  }();
  return *addresses;
}

struct Full {
  ReaderEpochs epochs;
  NodeArena arena{&epochs};
  LiveTable table{&arena};
  void Load(const std::vector<base::IpPrefix>& prefixes) {
    constexpr size_t kAhead = 8;
    for (size_t i = 0; i < prefixes.size(); ++i) {
      if (i + kAhead < prefixes.size()) table.PrefetchForWrite(prefixes[i + kAhead]);
      table.Insert(prefixes[i], static_cast<uint32_t>(i + 1));
    }
  }
};
Full& Shared() {
  static auto* full = [] {
    auto* made = new Full;
    made->Load(V4());
    made->Load(V6());
    made->arena.CollectGarbage();
    return made;
  }();
  return *full;
}

void Load(benchmark::State& state, const std::vector<base::IpPrefix>& prefixes) {
  double used = 0, octets = 0;
  for (auto _ : state) {
    Full full;
    full.Load(prefixes);
    full.arena.CollectGarbage();
    used = static_cast<double>(full.arena.used_octets());
    octets = static_cast<double>(full.arena.octets());
    state.PauseTiming();
    full.table.Detach();
    state.ResumeTiming();
  }
  const double n = static_cast<double>(prefixes.size());
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(prefixes.size()));
  state.counters["used/route"] = used / n;
  state.counters["reserved/route"] = octets / n;
}
void BM_LoadV4(benchmark::State& state) { Load(state, V4()); }
void BM_LoadV6(benchmark::State& state) { Load(state, V6()); }
BENCHMARK(BM_LoadV4)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_LoadV6)->Unit(benchmark::kMillisecond);

void BM_LoadSixteenPeers(benchmark::State& state) {
  double first = 0, further = 0;
  for (auto _ : state) {
    ReaderEpochs epochs;
    NodeArena arena(&epochs);
    std::vector<std::unique_ptr<LiveTable>> tables;
    for (int peer = 0; peer < 16; ++peer) {
      tables.push_back(std::make_unique<LiveTable>(&arena));
      for (const auto* prefixes : {&V4(), &V6()}) {
        for (size_t i = 0; i < prefixes->size(); ++i) {
          if (i + 8 < prefixes->size()) tables.back()->PrefetchForWrite((*prefixes)[i + 8]);
          tables.back()->Insert((*prefixes)[i], 7);
        }
      }
      arena.CollectGarbage();
      if (peer == 0) first = static_cast<double>(arena.octets());
    }
    further = static_cast<double>(arena.octets()) - first;
  }
  state.counters["first MiB"] = first / (1 << 20);
  state.counters["further octets/route"] = further / 15 / 1.2e6;
  state.SetItemsProcessed(state.iterations() * 16 * 1200000);
}
BENCHMARK(BM_LoadSixteenPeers)->Unit(benchmark::kMillisecond)->Iterations(1);

// Shares of a look-up in the time of its batch.
class BatchTimes {
 public:
  void Add(std::chrono::steady_clock::duration d) {
    const size_t ns = static_cast<size_t>(d.count()) / kBatch;
    ++counts_[std::min(ns, counts_.size() - 1)];
    ++n_;
  }
  double Quantile(double q) const {
    uint64_t left = static_cast<uint64_t>(static_cast<double>(n_) * q);
    for (size_t i = 0; i < counts_.size(); ++i) {
      if (counts_[i] > left) return static_cast<double>(i);
      left -= counts_[i];
    }
    return static_cast<double>(counts_.size());
  }

 private:
  std::vector<uint64_t> counts_ = std::vector<uint64_t>(100000);
  uint64_t n_ = 0;
};

void FindLive(benchmark::State& state, const std::vector<base::IpAddress>& addresses, bool with_writer) {
  Full& full = Shared();
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> changes{0};
  std::thread writer;
  if (with_writer) {
    writer = std::thread([&] {
      uint64_t seed = 9;
      uint64_t done = 0;
      while (!stop.load(std::memory_order_relaxed)) {
        if (full.arena.congested()) {
          full.arena.CollectGarbage();
          continue;
        }
        for (int i = 0; i < 64; ++i) {
          const std::vector<base::IpPrefix>& prefixes = base::NextSecret(&seed) % 6 == 0 ? V6() : V4();
          const base::IpPrefix& prefix = prefixes[base::NextSecret(&seed) % prefixes.size()];
          if (i % 4 == 0) {
            full.table.Erase(prefix);
            full.table.Insert(prefix, static_cast<uint32_t>(i + 1));
            done += 2;
          } else {
            full.table.Insert(prefix, static_cast<uint32_t>(i + 1));
            ++done;
          }
        }
        changes.store(done, std::memory_order_relaxed);
      }
    });
  }
  auto reader = full.epochs.NewReader();
  reader->Online();
  std::vector<LiveTable::Match> found(kBatch);
  BatchTimes times;
  size_t at = 0;
  const auto begin = std::chrono::steady_clock::now();
  auto before = begin;
  for (auto _ : state) {
    full.table.FindBatch(addresses[at].data(), sizeof(base::IpAddress), kBatch, found.data());
    benchmark::DoNotOptimize(found.data());
    reader->Quiescent();
    at = (at + kBatch) & (addresses.size() - 1);
    const auto now = std::chrono::steady_clock::now();
    times.Add(now - before);
    before = now;
  }
  const double seconds = std::chrono::duration<double>(before - begin).count();
  reader->Offline();
  stop.store(true);
  if (with_writer) {
    writer.join();
    state.counters["changes/s"] = static_cast<double>(changes.load()) / seconds;
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kBatch));
  state.counters["p50"] = times.Quantile(0.5);
  state.counters["p99.9"] = times.Quantile(0.999);
}
void BM_LiveTrafficV4(benchmark::State& state) { FindLive(state, Traffic(false), state.range(0) != 0); }
void BM_LiveTrafficV6(benchmark::State& state) { FindLive(state, Traffic(true), state.range(0) != 0); }
void BM_LiveEvenV4(benchmark::State& state) { FindLive(state, Even(), state.range(0) != 0); }
BENCHMARK(BM_LiveTrafficV4)->Arg(0)->Arg(1)->ArgName("writer")->UseRealTime()->MinTime(1);
BENCHMARK(BM_LiveTrafficV6)->Arg(0)->Arg(1)->ArgName("writer")->UseRealTime()->MinTime(1);
BENCHMARK(BM_LiveEvenV4)->Arg(0)->Arg(1)->ArgName("writer")->UseRealTime()->MinTime(1);

void FindImmutable(benchmark::State& state, const std::vector<base::IpAddress>& addresses) {
  static const auto* table = [] {
    LpmBuilder<uint32_t> builder;
    for (const auto* prefixes : {&V4(), &V6()}) {
      for (const base::IpPrefix& prefix : *prefixes) builder.Add(prefix, 1);
    }
    return new LpmTable<uint32_t>(std::move(builder).Build());
  }();
  std::vector<const uint32_t*> found(kBatch);
  size_t at = 0;
  for (auto _ : state) {
    table->FindBatch(addresses[at].data(), sizeof(base::IpAddress), kBatch, found.data());
    benchmark::DoNotOptimize(found.data());
    at = (at + kBatch) & (addresses.size() - 1);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kBatch));
  state.counters["octets/route"] = static_cast<double>(table->octets()) / 1.2e6;
}
void BM_ImmutableTrafficV4(benchmark::State& state) { FindImmutable(state, Traffic(false)); }
void BM_ImmutableTrafficV6(benchmark::State& state) { FindImmutable(state, Traffic(true)); }
void BM_ImmutableEvenV4(benchmark::State& state) { FindImmutable(state, Even()); }
BENCHMARK(BM_ImmutableTrafficV4);
BENCHMARK(BM_ImmutableTrafficV6);
BENCHMARK(BM_ImmutableEvenV4);

}  // namespace
}  // namespace flowacct::lpm

BENCHMARK_MAIN();
