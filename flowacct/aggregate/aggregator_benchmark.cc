// From batches to groups: rows of a decoder's layout, a datagram's worth at a time, into 5-tuples with three counters.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <utility>
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

// Two workers' bins of 400,000 5-tuples each, half of them in both.
std::unique_ptr<Aggregator> Partial(base::Interner* interner, uint32_t first) {
  auto aggregator = *Aggregator::New(FiveTuple(), interner);
  const record::Layout layout(aggregator->RequiredFields());
  aggregator->Bind(layout);
  record::FlowBatch batch(&layout, interner);
  for (uint32_t i = first; i < first + 400000; ++i) {
    auto row = batch.Append();
    row.Set<F::kSrcAddr>(base::IpAddress::V4(i * 2654435761u));
    row.Set<F::kDstAddr>(base::IpAddress::V4(i * 40503u));
    row.Set<F::kProtocol>(6);
    row.Set<F::kSrcPort>(static_cast<uint16_t>(i));
    row.Set<F::kDstPort>(443);
    row.Set<F::kPackets>(i % 10);
    row.Set<F::kBytes>(i % 10000);
    row.Set<F::kFlows>(1);
    if (batch.size() < 1024 && i + 1 < first + 400000) continue;
    aggregator->Add(batch);
    batch.Clear();
  }
  return aggregator;
}

void BM_MergeTwoPartials(benchmark::State& state) {
  base::Interner interner;
  for (auto _ : state) {
    state.PauseTiming();
    auto ours = Partial(&interner, 0);
    auto theirs = Partial(&interner, 200000);
    state.ResumeTiming();
    if (!ours->Merge(std::move(*theirs)).ok()) state.SkipWithError("cannot merge");
    state.PauseTiming();
    ours.reset();
    theirs.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * 400000);
}
BENCHMARK(BM_MergeTwoPartials)->Unit(benchmark::kMillisecond);

void BM_SaveState(benchmark::State& state) {
  base::Interner interner;
  const auto aggregator = Partial(&interner, 0);
  size_t octets = 0;
  for (auto _ : state) {
    octets = 0;
    const absl::Status status = aggregator->SaveState([&octets](base::Octets piece) {
      octets += piece.size();
      return absl::OkStatus();
    });
    if (!status.ok()) state.SkipWithError("cannot save");
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * 400000);
  state.counters["octets_a_group"] = static_cast<double>(octets) / 400000;
}
BENCHMARK(BM_SaveState)->Unit(benchmark::kMillisecond);

void BM_RestoreState(benchmark::State& state) {
  base::Interner interner;
  std::string octets;
  const absl::Status status = Partial(&interner, 0)->SaveState([&octets](base::Octets piece) {
    octets += std::string(base::AsText(piece));
    return absl::OkStatus();
  });
  if (!status.ok()) state.SkipWithError("cannot save");
  for (auto _ : state) {
    auto aggregator = *Aggregator::New(FiveTuple(), &interner);
    if (!aggregator->RestoreState(base::AsOctets(octets)).ok()) state.SkipWithError("cannot restore");
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * 400000);
}
BENCHMARK(BM_RestoreState)->Unit(benchmark::kMillisecond);

void BM_ProratedOverSeconds(benchmark::State& state) {
  base::Interner interner;
  AggregatorOptions options;
  options.by = {"src_addr"};
  options.every = absl::Seconds(1);
  options.prorate = true;
  options.seed = 1;
  auto aggregator = *Aggregator::New(options, &interner);
  const record::Layout layout(aggregator->RequiredFields());
  aggregator->Bind(layout);
  record::FlowBatch batch(&layout, &interner);
  std::mt19937 random(1);
  for (uint32_t i = 0; i < 1024; ++i) {
    auto row = batch.Append();
    row.Set<F::kSrcAddr>(base::IpAddress::V4(random() % 10000));
    row.Set<F::kPackets>(random() % 1000);
    row.Set<F::kBytes>(random() % 1000000);
    row.Set<F::kFlows>(1);
    const int64_t start = static_cast<int64_t>(random() % 60000) * 1000000;
    row.Set<F::kStartTime>(start);
    row.Set<F::kEndTime>(start + static_cast<int64_t>(random() % 60000) * 1000000);
  }
  for (auto _ : state) aggregator->Add(batch);
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * 1024);
}
BENCHMARK(BM_ProratedOverSeconds)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace flowacct::aggregate

BENCHMARK_MAIN();
