// Upserts of Zipf-distributed keys, as a router's 5-tuples are: 3 million records, some 435,000 distinct keys.
// The slow twin is absl::flat_hash_map with the same key.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "flowacct/aggregate/group_table.h"
#include "flowacct/base/octet_hash.h"

namespace flowacct::aggregate {
namespace {

constexpr size_t kRecords = 3000000;

// `words` words each; the first is the rank's own, so that keys differ.
const std::vector<uint64_t>& Keys(size_t words) {
  static std::vector<uint64_t> keys[8];
  std::vector<uint64_t>& k = keys[words];
  if (!k.empty()) return k;
  constexpr size_t kFlows = 1000000;
  std::vector<double> cumulative(kFlows);
  double sum = 0;
  for (size_t i = 0; i < kFlows; ++i) cumulative[i] = sum += 1.0 / static_cast<double>(i + 1);
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> uniform(0, sum);
  k.reserve(kRecords * words);
  for (size_t i = 0; i < kRecords; ++i) {
    uint64_t state = static_cast<uint64_t>(std::lower_bound(cumulative.begin(), cumulative.end(), uniform(random)) -
                                           cumulative.begin());
    for (size_t w = 0; w < words; ++w) k.push_back(base::NextSecret(&state));
  }
  return k;
}

void Run(benchmark::State& state, size_t words, bool warm) {
  const std::vector<uint64_t>& keys = Keys(words);
  GroupTable table(8 * words, 24, 7);
  size_t rows = 0;
  const auto pass = [&] {
    uint32_t numbers[GroupTable::kBatch];
    uint8_t* octets[GroupTable::kBatch];
    for (size_t i = 0; i < kRecords; i += GroupTable::kBatch) {
      const size_t n = std::min(GroupTable::kBatch, kRecords - i);
      table.FindOrInsert(reinterpret_cast<const uint8_t*>(&keys[i * words]), n, GroupTable::kMaxRows, numbers, octets);
      for (size_t j = 0; j < n; ++j) {
        uint8_t* payload = octets[j] + 8 * words;
        for (size_t v = 0; v < 3; ++v) {
          base::StoreHost<uint64_t>(payload + 8 * v, base::LoadHost<uint64_t>(payload + 8 * v) + j);
        }
      }
    }
    rows = table.size();
  };
  if (warm) pass();
  for (auto _ : state) {
    pass();
    if (!warm) table.Release();
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kRecords));
  state.counters["groups"] = static_cast<double>(rows);
}

void BM_Warm(benchmark::State& state) { Run(state, static_cast<size_t>(state.range(0)), true); }
BENCHMARK(BM_Warm)->Arg(1)->Arg(2)->Arg(5)->Unit(benchmark::kMillisecond);

void BM_Growing(benchmark::State& state) { Run(state, static_cast<size_t>(state.range(0)), false); }
BENCHMARK(BM_Growing)->Arg(5)->Unit(benchmark::kMillisecond);

struct Key40 {
  uint64_t words[5];
  friend bool operator==(const Key40& a, const Key40& b) { return std::memcmp(a.words, b.words, 40) == 0; }
  template <typename H>
  friend H AbslHashValue(H h, const Key40& k) {
    return H::combine_contiguous(std::move(h), k.words, 5);
  }
};

void BM_FlatHashMapWarm(benchmark::State& state) {
  const std::vector<uint64_t>& keys = Keys(5);
  struct Sums {
    uint64_t v[3] = {0, 0, 0};
  };
  absl::flat_hash_map<Key40, Sums> map;
  const auto pass = [&] {
    for (size_t i = 0; i < kRecords; ++i) {
      Key40 key;
      std::memcpy(key.words, &keys[i * 5], 40);
      Sums& sums = map[key];
      for (uint64_t& v : sums.v) v += i;
    }
  };
  pass();
  for (auto _ : state) pass();
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kRecords));
}
BENCHMARK(BM_FlatHashMapWarm)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace flowacct::aggregate

BENCHMARK_MAIN();
