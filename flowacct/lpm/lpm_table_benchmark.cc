// Look-ups in a table the size of the global IPv4 table: a million prefixes, most of them /24.

#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "flowacct/lpm/lpm_table.h"

namespace flowacct::lpm {
namespace {

const LpmTable<uint32_t>& Table() {
  static const auto* table = [] {
    std::mt19937 random(1);
    LpmBuilder<uint32_t> builder;
    for (uint32_t i = 0; i < 1000000; ++i) {
      const uint32_t kind = random() % 10;
      const uint8_t length = static_cast<uint8_t>(kind < 6 ? 24 : kind < 9 ? 20 + random() % 4 : 12 + random() % 8);
      builder.Add(base::IpPrefix(base::IpAddress::V4(0x01000000 + random() % 0xdf000000), length), i);
    }
    return new LpmTable<uint32_t>(std::move(builder).Build());
  }();
  return *table;
}

void BM_FindV4(benchmark::State& state) {
  const LpmTable<uint32_t>& table = Table();
  std::mt19937 random(2);
  std::vector<base::IpAddress> addresses;
  for (int i = 0; i < 1 << 20; ++i) addresses.push_back(base::IpAddress::V4(random()));
  std::vector<const uint32_t*> found(64);
  size_t at = 0;
  for (auto _ : state) {
    table.FindBatch(addresses[at].data(), sizeof(base::IpAddress), 64, found.data());
    benchmark::DoNotOptimize(found.data());
    at = (at + 64) & (addresses.size() - 1);
  }
  state.SetItemsProcessed(state.iterations() * 64);
  state.counters["MiB"] = static_cast<double>(table.octets()) / (1 << 20);
}
BENCHMARK(BM_FindV4);

}  // namespace
}  // namespace flowacct::lpm

BENCHMARK_MAIN();
