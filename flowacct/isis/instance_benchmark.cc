// 10,000 LSPs as a network of some 3,000 routers has them, flooded to an instance on a link: taken, acknowledged, told
// on to a second neighbour. Items are LSPs.

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "flowacct/isis/instance.h"
#include "flowacct/isis/pdu_writer.h"
#include "flowacct/isis/testing/instance_pair.h"
#include "flowacct/isis/tlv_types.h"

namespace flowacct::isis {
namespace {

using testing::kSimSecond;
using testing::kStart;

constexpr uint32_t kLsps = 10'000;

// Some 500 octets: host name, ten neighbours, thirty prefixes.
std::vector<std::vector<uint8_t>> MakeLsps(uint32_t sequence, const AuthenticationKey& key) {
  std::vector<std::vector<uint8_t>> lsps;
  for (uint32_t i = 0; i < kLsps; ++i) {
    SystemId system = testing::System(9);
    base::StoreBe32(&system.octets[1], i / 3);
    PduWriter writer(PduWriter::Lsp{Level::k2, 1200, {{system, 0}, static_cast<uint8_t>(i % 3)}, sequence, kLspLevel2},
                     1492);
    writer.AddAuthentication(key);
    writer.AddHostname("router-" + std::to_string(i / 3));
    for (uint32_t j = 0; j < 10; ++j) {
      uint8_t item[11] = {0};
      base::StoreBe32(item + 1, (i + j) % kLsps);
      item[9] = 10;
      writer.AddItem(kTlvExtendedIsReachability, item);
    }
    for (uint32_t j = 0; j < 30; ++j) {
      const uint8_t item[] = {0, 0, 0, 10, 24, 10, static_cast<uint8_t>(i), static_cast<uint8_t>(j)};
      writer.AddItem(kTlvExtendedIpReachability, item);
    }
    lsps.push_back(writer.Finish());
  }
  return lsps;
}

struct Listener {
  explicit Listener(int circuits, const AuthenticationKey& key) {
    InstanceOptions options = testing::PairOptions();
    options.lsp_keys[1] = key;
    auto created = Instance::Create(options);
    if (!created.ok()) std::abort();
    instance = std::move(*created);
    const testing::InstancePair pair(testing::PairCircuit(CircuitKind::kPointToPoint));
    for (int i = 0; i < circuits; ++i) {
      const auto index = instance->AddCircuit(testing::PairCircuit(CircuitKind::kPointToPoint), now);
      if (!index.ok()) std::abort();
      testing::PairHello hello;
      hello.system = static_cast<uint8_t>(100 + i);
      hello.holding_seconds = 60'000;
      instance->Receive(*index, {}, pair.HelloOctets(hello), now);
    }
    Settle();
  }
  void Settle() {
    while (instance->NextTime() <= now) instance->Advance(now);
    benchmark::DoNotOptimize(instance->TakeOutgoing());
    benchmark::DoNotOptimize(instance->TakeChanges());
  }
  void Receive(const std::vector<std::vector<uint8_t>>& lsps) {
    for (const std::vector<uint8_t>& lsp : lsps) {
      instance->Receive(0, {}, lsp, now);
      now += 10'000;  // 100,000 a second
      Settle();
    }
  }
  std::unique_ptr<Instance> instance;
  int64_t now = kStart;
};

AuthenticationKey KeyOf(int64_t authenticated) {
  return authenticated != 0 ? AuthenticationKey{AuthenticationKind::kHmacMd5, 0, "secret"} : AuthenticationKey{};
}

// A fresh database. Arguments: circuits, HMAC-MD5 or not.
void BM_Flood(benchmark::State& state) {
  const AuthenticationKey key = KeyOf(state.range(1));
  const auto lsps = MakeLsps(1, key);
  for (auto _ : state) {
    state.PauseTiming();
    auto listener = std::make_unique<Listener>(static_cast<int>(state.range(0)), key);
    state.ResumeTiming();
    listener->Receive(lsps);
    if (listener->instance->Database(Level::k2, listener->now).size() != kLsps + 1) std::abort();
    state.PauseTiming();
    listener.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * kLsps);
}
BENCHMARK(BM_Flood)->Args({1, 0})->Args({2, 0})->Args({10, 0})->Args({1, 1})->Unit(benchmark::kMillisecond);

// All of them refreshed.
void BM_Refresh(benchmark::State& state) {
  Listener listener(1, {});
  uint32_t sequence = 1;
  listener.Receive(MakeLsps(sequence, {}));
  for (auto _ : state) {
    state.PauseTiming();
    const auto lsps = MakeLsps(++sequence, {});
    state.ResumeTiming();
    listener.Receive(lsps);
  }
  state.SetItemsProcessed(state.iterations() * kLsps);
}
BENCHMARK(BM_Refresh)->Unit(benchmark::kMillisecond);

// The whole database told again in CSNPs, as a designated system does every ten seconds.
void BM_Csnps(benchmark::State& state) {
  Listener listener(1, {});
  listener.Receive(MakeLsps(1, {}));
  std::vector<std::vector<uint8_t>> csnps;
  LspId first;
  std::vector<LspEntry> entries;
  const auto all = listener.instance->Database(Level::k2, listener.now);
  for (size_t i = 0; i < all.size(); ++i) {
    entries.push_back({all[i].remaining_seconds, all[i].id, all[i].sequence, all[i].checksum});
    if (entries.size() < 80 && i + 1 < all.size()) continue;
    PduWriter writer(PduWriter::Csnp{Level::k2, {testing::System(100), 0}, first, all[i].id}, 1492);
    writer.AddLspEntries(entries);
    csnps.push_back(writer.Finish());
    entries.clear();
    if (i + 1 < all.size()) first = all[i + 1].id;
  }
  for (auto _ : state) {
    for (const auto& csnp : csnps) listener.instance->Receive(0, {}, csnp, listener.now);
    listener.Settle();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(all.size()));
}
BENCHMARK(BM_Csnps)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace flowacct::isis

BENCHMARK_MAIN();
