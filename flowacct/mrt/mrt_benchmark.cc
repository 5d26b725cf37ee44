// Reads a TABLE_DUMP_V2 as route collectors write it: 30 peers, each prefix with as many entries as peers have it.
// Items are RIB entries. BM_Blocks reads the same in blocks of 64 KiB; BM_Write writes it.

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "benchmark/benchmark.h"
#include "flowacct/bgp/canonicalize.h"
#include "flowacct/bgp/testing/update_builder.h"
#include "flowacct/mrt/reader.h"
#include "flowacct/mrt/writer.h"

namespace flowacct::mrt {
namespace {

constexpr size_t kPeers = 30, kPrefixes = 4000;

class Sum : public Listener {
 public:
  void OnRibEntry(const RibEntry& entry) override {
    sum += entry.route.address.v4() + entry.attributes.size();
    attributes.assign(entry.attributes.begin(), entry.attributes.end());
  }
  uint64_t sum = 0;
  std::vector<uint8_t> attributes;
};

struct Table {
  std::vector<Peer> peers;
  std::vector<std::vector<uint8_t>> sets;
  base::OctetWriter file;
  size_t entries = 0;
};

void Write(Table* table) {
  std::mt19937 random(5);
  const absl::Time time = absl::FromUnixSeconds(1700000000);
  Writer writer(&table->file);
  (void)writer.WritePeerIndexTable({time, 1, "", table->peers});
  std::vector<RibRoute> routes;
  for (size_t i = 0; i < kPrefixes; ++i) {
    bgp::Nlri route;
    route.length = static_cast<uint8_t>(24 - random() % 9 / 2);
    route.address = base::Mask(base::IpAddress::V4(random()), route.length);
    routes.clear();
    for (size_t p = 0; p < kPeers; ++p) {
      routes.push_back({static_cast<uint16_t>(p), time, 0, table->sets[random() % table->sets.size()]});
    }
    table->entries += writer.WriteRib(time, bgp::Family::kIpv4Unicast, route, false, routes);
  }
}

Table MakeTable() {
  std::mt19937 random(7);
  Table table;
  for (uint32_t i = 0; i < kPeers; ++i) table.peers.push_back({base::IpAddress::V4(random()), 64500 + i, i});
  std::vector<uint8_t> buffer;
  for (size_t i = 0; i < 5000; ++i) {
    bgp::testing::UpdateBuilder b;
    std::vector<uint32_t> path, communities;
    for (size_t n = 2 + random() % 5; n > 0; --n) path.push_back(1 + random() % 400000);
    for (size_t n = random() % 8; n > 0; --n) communities.push_back(random());
    b.Origin(0).AsPath(path).NextHop("192.0.2.1");
    if (random() % 3 == 0) b.Med(random() % 1000);
    if (!communities.empty()) b.Communities(communities);
    bgp::Update update;
    bgp::UpdateCounters counters;
    bgp::DecodeRibEntry(b.Attributes(), bgp::Family::kIpv4Unicast, {}, &update, &counters);
    const base::Octets set = bgp::CanonicalizeAttributes(update, update.announced()[0], &buffer);
    table.sets.emplace_back(set.begin(), set.end());
  }
  Write(&table);
  return table;
}

void Run(benchmark::State& state, size_t block) {
  const Table table = MakeTable();
  const base::Octets file = table.file.octets();
  Sum sum;
  for (auto _ : state) {
    Reader reader(&sum);
    for (size_t at = 0; at < file.size(); at += block) reader.Read(file.subspan(at, std::min(block, file.size() - at)));
    reader.End();
  }
  benchmark::DoNotOptimize(sum.sum);
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * table.entries));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * file.size()));
}

void BM_Whole(benchmark::State& state) { Run(state, SIZE_MAX / 2); }
BENCHMARK(BM_Whole);
void BM_Blocks(benchmark::State& state) { Run(state, 65536); }
BENCHMARK(BM_Blocks);

void BM_Write(benchmark::State& state) {
  Table table = MakeTable();
  table.entries = 0;
  for (auto _ : state) {
    table.file.Clear();
    Write(&table);
  }
  state.SetItemsProcessed(static_cast<int64_t>(table.entries));
}
BENCHMARK(BM_Write);

}  // namespace
}  // namespace flowacct::mrt

BENCHMARK_MAIN();
