// From batches to groups: rows of a decoder's layout, a datagram's worth at a time, into 5-tuples with three counters.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <vector>

#include "flowacct/aggregate/aggregator.h"

namespace flowacct::aggregate {
namespace {

using F = record::FieldId;

constexpr size_t kRecords = 1 << 20;

void Run(benchmark::State& state, AggregatorOptions options, size_t batch_size) {
  base::Interner interner;
  options.seed = 1;
  auto aggregator = *Aggregator::New(options, &interner);
  const record::Layout layout(aggregator->RequiredFields());
  aggregator->Bind(layout);

  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> uniform(0, 1);
  std::vector<std::unique_ptr<record::FlowBatch>> batches;
  for (size_t i = 0; i < kRecords; ++i) {
    if (i % batch_size == 0) batches.push_back(std::make_unique<record::FlowBatch>(&layout, &interner));
    auto row = batches.back()->Append();
    // Zipf with s = 1 over a million flows, by inversion.
    const uint32_t flow = static_cast<uint32_t>(std::pow(1e6, uniform(random)));
    row.Set<F::kSrcAddr>(base::IpAddress::V4(flow * 2654435761u));
    row.Set<F::kDstAddr>(base::IpAddress::V4(flow * 40503u));
    row.Set<F::kProtocol>(flow % 3 == 0 ? 17 : 6);
    row.Set<F::kSrcPort>(static_cast<uint16_t>(flow));
    row.Set<F::kDstPort>(443);
    row.Set<F::kPackets>(i % 10);
    row.Set<F::kBytes>(i % 1000);
    row.Set<F::kFlows>(1);
    row.Set<F::kStartTime>(static_cast<int64_t>(i) * 1000000);
  }
  for (auto _ : state) {
    for (const auto& batch : batches) aggregator->Add(*batch);
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kRecords));
  state.counters["groups"] = static_cast<double>(aggregator->counters().groups);
}

AggregatorOptions FiveTuple() {
  AggregatorOptions options;
  options.by = {"src_addr", "dst_addr", "protocol", "src_port", "dst_port"};
  return options;
}

void BM_FiveTuple(benchmark::State& state) { Run(state, FiveTuple(), static_cast<size_t>(state.range(0))); }
BENCHMARK(BM_FiveTuple)->Arg(24)->Arg(512)->Unit(benchmark::kMillisecond);

void BM_FiveTupleInMinutes(benchmark::State& state) {
  AggregatorOptions options = FiveTuple();
  options.every = absl::Minutes(1);
  Run(state, options, 24);
}
BENCHMARK(BM_FiveTupleInMinutes)->Unit(benchmark::kMillisecond);

void BM_NetworkPair(benchmark::State& state) {
  AggregatorOptions options;
  options.by = {"src_addr/24", "dst_addr/24"};
  Run(state, options, 24);
}
BENCHMARK(BM_NetworkPair)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace flowacct::aggregate

BENCHMARK_MAIN();
