// The routing table at full size: 1,000,000 IPv4 and 200,000 IPv6 routes a peer, some 200,000 sets of attributes.
//
// Rates are in CPU time of the one thread that writes, or of the one that reads. `MiB`: what the table took from the
// system. Look-ups go in batches of 64 addresses drawn as traffic is; p50, p99.9: of batches, a look-up's share in
// nanoseconds of real time, so that on a machine with too few cores the scheduler's share is among them; p99.9_cpu: by
// thread CPU time.

#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "flowacct/base/octet_hash.h"
#include "flowacct/bgp/canonicalize.h"
#include "flowacct/bgp/update.h"
#include "flowacct/lpm/testing/prefix_table.h"
#include "flowacct/rib/rib.h"
#include "flowacct/rib/testing/route_table.h"

namespace flowacct::rib {
namespace {

constexpr size_t kBatch = 64;
constexpr size_t kV4 = 1000000, kV6 = 200000;

const RouteTable& FullTable() {
  static const auto* table = new RouteTable(MakeRouteTable(kV4, kV6, 1, 1, 65001));
  return *table;
}
const std::vector<base::IpAddress>& Traffic() {
  static const auto* addresses = [] {
    // One in eight is IPv6.
    const RouteTable& table = FullTable();
    const auto v4_end = table.prefixes.begin() + static_cast<ptrdiff_t>(table.v4_count);
    auto* mixed = new std::vector<base::IpAddress>(lpm::MakeTraffic({table.prefixes.begin(), v4_end}, 1 << 22, 3));
    const auto v6 = lpm::MakeTraffic({v4_end, table.prefixes.end()}, 1 << 19, 4);
    for (size_t i = 0; i < v6.size(); ++i) (*mixed)[8 * i + i % 8] = v6[i];
    return mixed;
  }();
  return *addresses;
}

PeerKey Key(uint32_t n) { return {base::IpAddress::V4(0x0a000000 + n), n, 65001, 0}; }
double MiB(size_t octets) { return static_cast<double>(octets) / (1 << 20); }
int64_t ThreadNanoseconds() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return t.tv_sec * int64_t{1000000000} + t.tv_nsec;
}
int64_t RealNanoseconds() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * int64_t{1000000000} + t.tv_nsec;
}

// Announces the first `v4` and `v6` routes of a table as its messages would: run by run.
void Load(const RouteTable& table, size_t v4, size_t v6, TableId id, Rib* rib) {
  std::vector<Announcement> routes;
  for (size_t run = 0; run + 1 < table.runs.size(); ++run) {
    routes.clear();
    for (size_t i = table.runs[run]; i < table.runs[run + 1]; ++i) {
      if (i < table.v4_count ? i < v4 : i - table.v4_count < v6) routes.push_back({table.prefixes[i]});
    }
    if (routes.empty()) continue;
    const AttributeSetId set = rib->Intern(base::AsOctets(table.sets[run]));
    rib->Announce(id, routes, set);
    rib->Release(set);
  }
}

// From the octets of UPDATEs.
void BM_LoadFromUpdates(benchmark::State& state) {
  const RouteTable& table = FullTable();
  const auto update = std::make_unique<bgp::Update>();
  for (auto _ : state) {
    lpm::ReaderEpochs epochs;
    auto memory = std::make_unique<Rib>(&epochs);
    Rib& rib = *memory;
    const TableId id = *rib.AddTable(*rib.AddPeer(Key(1)), 0);
    bgp::UpdateCounters counters;
    std::vector<uint8_t> buffer;
    std::vector<Announcement> routes;
    for (size_t i = 0; i + 1 < table.message_begins.size(); ++i) {
      bgp::DecodeUpdate(table.message(i), bgp::SessionContext(), update.get(), &counters);
      for (const bgp::NlriSection& section : update->announced()) {
        const AttributeSetId set = rib.Intern(bgp::CanonicalizeAttributes(*update, section, &buffer));
        routes.clear();
        section.Visit([&](const bgp::Nlri& nlri) { routes.push_back({nlri.prefix(), nlri.path_id}); });
        rib.Announce(id, routes, set);
        rib.Release(set);
      }
    }
    state.PauseTiming();
    state.counters["paths"] = static_cast<double>(rib.paths());
    memory.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(table.prefixes.size()));
}
BENCHMARK(BM_LoadFromUpdates)->Unit(benchmark::kMillisecond)->Iterations(5);

void BM_LoadTable(benchmark::State& state) {
  const RouteTable& table = FullTable();
  for (auto _ : state) {
    lpm::ReaderEpochs epochs;
    auto memory = std::make_unique<Rib>(&epochs);
    Rib& rib = *memory;
    Load(table, kV4, kV6, *rib.AddTable(*rib.AddPeer(Key(1)), 0), &rib);
    state.PauseTiming();
    rib.Reclaim(0);
    state.counters["MiB"] = MiB(rib.octets());
    state.counters["routes MiB"] = MiB(rib.route_arena().octets());
    state.counters["sets MiB"] = MiB(rib.attribute_arena().octets());
    state.counters["index MiB"] = MiB(rib.store().index_octets());
    state.counters["sets"] = static_cast<double>(rib.store().size());
    memory.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(table.prefixes.size()));
}
BENCHMARK(BM_LoadTable)->Unit(benchmark::kMillisecond)->Iterations(5);

// Sixteen peers with equal routes and equal sets; then one goes down, and another is announced again unchanged.
void BM_SixteenPeers(benchmark::State& state) {
  const RouteTable& table = FullTable();
  for (auto _ : state) {
    lpm::ReaderEpochs epochs;
    auto memory = std::make_unique<Rib>(&epochs);
    Rib& rib = *memory;
    std::vector<PeerId> peers;
    std::vector<TableId> tables;
    size_t first = 0;
    for (uint32_t p = 0; p < 16; ++p) {
      peers.push_back(*rib.AddPeer(Key(p)));
      tables.push_back(*rib.AddTable(peers.back(), 0));
      Load(table, kV4, kV6, tables.back(), &rib);
      if (p == 0) first = rib.octets();
    }
    state.PauseTiming();
    state.counters["MiB"] = MiB(rib.octets());
    state.counters["octets/further route"] = static_cast<double>(rib.octets() - first) / 15 / 1.2e6;
    int64_t begin = ThreadNanoseconds();
    rib.PeerDown(peers[3], Rib::Stale::kDrop);
    state.counters["down us"] = static_cast<double>(ThreadNanoseconds() - begin) / 1e3;
    begin = ThreadNanoseconds();
    while (rib.Reclaim(1000)) {
    }
    state.counters["reclaim ms"] = static_cast<double>(ThreadNanoseconds() - begin) / 1e6;
    rib.PeerDown(peers[4], Rib::Stale::kKeep);
    begin = ThreadNanoseconds();
    Load(table, kV4, kV6, tables[4], &rib);
    state.counters["refresh ns/route"] = static_cast<double>(ThreadNanoseconds() - begin) / 1.2e6;
    rib.PeerDown(peers[5], Rib::Stale::kKeep);
    rib.EndOfRib(peers[5], false);
    rib.EndOfRib(peers[5], true);
    begin = ThreadNanoseconds();
    while (rib.Reclaim(1000)) {
    }
    state.counters["sweep ns/route"] = static_cast<double>(ThreadNanoseconds() - begin) / 1.2e6;
    memory.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * 16 * static_cast<int64_t>(table.prefixes.size()));
}
BENCHMARK(BM_SixteenPeers)->Unit(benchmark::kMillisecond)->Iterations(1);

class BatchTimes {
 public:
  void Add(int64_t ns) {
    ++counts_[std::min(static_cast<size_t>(ns) / kBatch, counts_.size() - 1)];
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

// Reads from `tables` in turn while `write`, if there is one, runs again and again in another thread. Each batch is
// timed by the real clock, and by the thread's, if `timed`: the clocks cost more than ten look-ups.
void Read(benchmark::State& state, lpm::ReaderEpochs* epochs, const Rib& rib, const std::vector<TableId>& tables,
          bool timed, const std::function<void(const std::atomic<bool>& stop)>& write) {
  const std::vector<base::IpAddress>& addresses = Traffic();
  std::atomic<bool> stop{false};
  std::thread writer;
  if (write) {
    writer = std::thread([&] {
      while (!stop.load(std::memory_order_relaxed)) write(stop);
    });
  }
  std::optional<lpm::ReaderEpochs::Reader> online = epochs->NewReader();
  RibReader reader(&rib);
  std::vector<RouteView> routes(kBatch);
  BatchTimes real, cpu;
  size_t at = 0, turn = 0;
  uint64_t found = 0;
  online->Online();
  int64_t before = RealNanoseconds(), before_cpu = ThreadNanoseconds();
  for (auto _ : state) {
    reader.FindBatch(tables[turn], addresses[at].data(), sizeof(base::IpAddress), kBatch, routes.data());
    for (const RouteView& route : routes) found += route.found() ? route.octets[0] : 0;
    online->Quiescent();
    at = (at + kBatch) & (addresses.size() - 1);
    if (++turn == tables.size()) turn = 0;
    if (!timed) continue;
    const int64_t now = RealNanoseconds(), now_cpu = ThreadNanoseconds();
    real.Add(now - before);
    cpu.Add(now_cpu - before_cpu);
    before = RealNanoseconds();
    before_cpu = ThreadNanoseconds();
  }
  benchmark::DoNotOptimize(found);
  online->Offline();
  stop.store(true);
  if (write) writer.join();
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kBatch));
  if (!timed) return;
  state.counters["p50"] = real.Quantile(0.5);
  state.counters["p99.9"] = real.Quantile(0.999);
  state.counters["p50_cpu"] = cpu.Quantile(0.5);
  state.counters["p99.9_cpu"] = cpu.Quantile(0.999);
}

// One full peer: no writer; one that announces and withdraws as fast as it can; one whose session flaps.
void BM_LookUp(benchmark::State& state) {
  const RouteTable& table = FullTable();
  lpm::ReaderEpochs epochs;
  Rib rib(&epochs);
  const PeerId peer = *rib.AddPeer(Key(1)), flapping = *rib.AddPeer(Key(2));
  const TableId id = *rib.AddTable(peer, 0), other = *rib.AddTable(flapping, 0);
  Load(table, kV4, kV6, id, &rib);
  uint64_t seed = 1;
  std::atomic<uint64_t> changes{0};
  const auto churn = [&](const std::atomic<bool>& stop) {
    const size_t run = base::NextSecret(&seed) % table.sets.size();
    const size_t set_run = base::NextSecret(&seed) % table.sets.size();
    const AttributeSetId set = rib.Intern(base::AsOctets(table.sets[set_run]));
    for (size_t i = table.runs[run]; i < table.runs[run + 1]; ++i) {
      if (i % 2 == 0) rib.Withdraw(id, table.prefixes[i], 0);
      rib.Announce(id, {table.prefixes[i]}, set);
      changes.fetch_add(1 + (i % 2 == 0), std::memory_order_relaxed);
    }
    rib.Release(set);
    while (rib.congested() && !stop.load(std::memory_order_relaxed)) rib.Reclaim(1000);
  };
  const auto flap = [&](const std::atomic<bool>& stop) {
    Load(table, kV4, kV6, other, &rib);
    changes.fetch_add(2 * table.prefixes.size(), std::memory_order_relaxed);
    rib.PeerDown(flapping, Rib::Stale::kDrop);
    while (rib.Reclaim(1000) && !stop.load(std::memory_order_relaxed)) {
    }
  };
  const int64_t begin = RealNanoseconds();
  switch (state.range(0)) {
    case 0:
      Read(state, &epochs, rib, {id}, state.range(1) != 0, nullptr);
      break;
    case 1:
      Read(state, &epochs, rib, {id}, state.range(1) != 0, churn);
      break;
    default:
      Read(state, &epochs, rib, {id}, state.range(1) != 0, flap);
  }
  state.counters["changes/s"] =
      static_cast<double>(changes.load()) / (static_cast<double>(RealNanoseconds() - begin) / 1e9);
}
BENCHMARK(BM_LookUp)
    ->ArgsProduct({{0, 1, 2}, {0, 1}})
    ->ArgNames({"none_churn_flap", "timed"})
    ->MinTime(1)
    ->Unit(benchmark::kMicrosecond);

// 500 peers with 100,000 routes each (85,000 and 15,000), and 50 of them that flap at once.
void BM_FiveHundredPeers(benchmark::State& state) {
  static const auto* table = new RouteTable(MakeRouteTable(85000, 15000, 5, 5, 65001));
  lpm::ReaderEpochs epochs;
  Rib rib(&epochs);
  std::vector<PeerId> peers;
  std::vector<TableId> tables;
  const int64_t begin = ThreadNanoseconds();
  for (uint32_t p = 0; p < 500; ++p) {
    peers.push_back(*rib.AddPeer(Key(p)));
    tables.push_back(*rib.AddTable(peers.back(), 0));
    Load(*table, 85000, 15000, tables.back(), &rib);
  }
  const double set_up = static_cast<double>(ThreadNanoseconds() - begin) / 1e9;
  const auto flap = [&](const std::atomic<bool>& stop) {
    for (uint32_t p = 0; p < 50; ++p) rib.PeerDown(peers[p], Rib::Stale::kDrop);
    while (rib.Reclaim(1000) && !stop.load(std::memory_order_relaxed)) {
    }
    for (uint32_t p = 0; p < 50 && !stop.load(std::memory_order_relaxed); ++p) {
      Load(*table, 85000, 15000, tables[p], &rib);
    }
  };
  if (state.range(0) == 0) {
    Read(state, &epochs, rib, {tables.begin() + 100, tables.begin() + 200}, state.range(1) != 0, nullptr);
  } else {
    Read(state, &epochs, rib, {tables.begin() + 100, tables.begin() + 200}, state.range(1) != 0, flap);
  }
  state.counters["set up s"] = set_up;
  state.counters["MiB"] = MiB(rib.octets());
}
BENCHMARK(BM_FiveHundredPeers)
    ->ArgsProduct({{0, 1}, {0, 1}})
    ->ArgNames({"flap", "timed"})
    ->Iterations(300000)
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace flowacct::rib

BENCHMARK_MAIN();
