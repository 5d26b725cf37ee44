// Packets a second into flows, on one core: rows as a PacketDecoder leaves them, of flows whose sizes are
// Zipf-distributed as the Internet's. The time of the packets passes at a million packets a second, so that timeouts
// are at work.
//
// flows: keys to draw from. "ended" counts what was given out a thousand packets.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "flowacct/base/ip_address.h"
#include "flowacct/base/octet_hash.h"
#include "flowacct/meter/flow_meter.h"
#include "flowacct/record/flow_batch.h"

namespace flowacct::meter {
namespace {

using record::FieldId;

constexpr size_t kPackets = 4000000;
constexpr size_t kBatch = 256;

// The flow of each packet.
std::vector<uint32_t> Ranks(size_t flows) {
  std::vector<double> cumulative(flows);
  double sum = 0;
  for (size_t i = 0; i < flows; ++i) cumulative[i] = sum += 1.0 / static_cast<double>(i + 1);
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> uniform(0, sum);
  std::vector<uint32_t> ranks(kPackets);
  for (uint32_t& rank : ranks) {
    rank = static_cast<uint32_t>(std::lower_bound(cumulative.begin(), cumulative.end(), uniform(random)) -
                                 cumulative.begin());
  }
  return ranks;
}

void BM_Meter(benchmark::State& state) {
  const std::vector<uint32_t> ranks = Ranks(static_cast<size_t>(state.range(0)));
  MeterOptions options;
  options.seed = 1;
  options.max_flows = static_cast<size_t>(state.range(1));
  base::Interner interner;
  auto meter = *FlowMeter::New(options, &interner);
  record::FlowBatch batch(&meter->layout(), &interner);
  for (size_t i = 0; i < kBatch; ++i) batch.Append();
  int64_t now = 1700000000000000000;
  uint64_t ended = 0;
  const auto receiver = [&](const record::FlowBatch& flows) { ended += flows.size(); };
  for (auto _ : state) {
    for (size_t i = 0; i < kPackets; i += kBatch) {
      for (size_t j = 0; j < kBatch; ++j) {
        uint64_t seed = ranks[i + j];
        const uint64_t bits = base::NextSecret(&seed);
        record::MutableRow row = batch.row(j);
        row.Set<FieldId::kSrcAddr>(base::IpAddress::V4(static_cast<uint32_t>(bits)));
        row.Set<FieldId::kDstAddr>(base::IpAddress::V4(static_cast<uint32_t>(bits >> 32)));
        row.Set<FieldId::kSrcPort>(static_cast<uint16_t>(bits >> 20));
        row.Set<FieldId::kDstPort>(443);
        row.Set<FieldId::kProtocol>((bits & 3) != 0 ? 6 : 17);
        row.Set<FieldId::kTos>(0);
        row.Set<FieldId::kTcpFlags>(16);
        row.Set<FieldId::kPackets>(1);
        row.Set<FieldId::kBytes>(500);
        now += 1000;
        row.Set<FieldId::kStartTime>(now);
        row.Set<FieldId::kEndTime>(now);
      }
      meter->Add(batch, receiver);
    }
  }
  const auto packets = static_cast<int64_t>(state.iterations() * kPackets);
  state.SetItemsProcessed(packets);
  state.counters["ended"] = static_cast<double>(ended) * 1000 / static_cast<double>(packets);
  state.counters["flows"] = static_cast<double>(meter->flows());
}
BENCHMARK(BM_Meter)
    ->ArgNames({"keys", "max_flows"})
    ->Args({1000, 1 << 20})
    ->Args({50000, 1 << 20})
    ->Args({500000, 1 << 20})
    ->Args({500000, 100000})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace flowacct::meter

BENCHMARK_MAIN();
