// What many exporters cost: 10,000 of them, each with ten templates of twenty fields, as one collector has them. Their
// memory ("octets_an_exporter", by what the heap holds), a datagram of each in turn, a summary for metrics, a report of
// all, and state saved and restored. own:0: all have the same templates; own:1: each has its own.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "flowacct/base/interner.h"
#include "flowacct/flow/netflow/netflow_decoder.h"
#include "flowacct/flow/template/testing/message_builder.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/testing/allocation_counter.h"

namespace flowacct::netflow {
namespace {

using flow::testing::MessageBuilder;
using record::FieldId;

constexpr uint32_t kExporters = 10000;
constexpr uint16_t kTemplates = 10;

std::vector<flow::testing::BuilderField> Fields(uint16_t n, uint32_t own) {
  std::vector<flow::testing::BuilderField> fields = {{8, 4},  {12, 4}, {15, 4}, {10, 4}, {14, 4}, {2, 4}, {1, 4},
                                                     {22, 4}, {21, 4}, {7, 2},  {11, 2}, {6, 1},  {4, 1}, {5, 1},
                                                     {16, 4}, {17, 4}, {9, 1},  {13, 1}, {61, 1}};
  // The twentieth is of no field of the record, and of another length or number each time.
  fields.push_back({static_cast<uint16_t>(20000 + own), static_cast<uint16_t>(1 + n)});
  return fields;
}

record::Datagram From(uint32_t exporter, MessageBuilder* message) {
  record::Datagram datagram = message->Datagram();
  datagram.source = base::IpAddress::V4(0x0a000000 + exporter);
  return datagram;
}

struct Collector {
  explicit Collector(bool own)
      : layout({FieldId::kSrcAddr, FieldId::kDstAddr, FieldId::kSrcPort, FieldId::kDstPort, FieldId::kProtocol,
                FieldId::kPackets, FieldId::kBytes, FieldId::kExporter, FieldId::kInIf, FieldId::kSamplingRate}),
        rows(&layout, &interner) {
    NetflowOptions options;
    options.templates.max_template_octets = size_t{4} << 30;
    const flowacct::testing::AllocationCounter counter;
    decoder = std::make_unique<NetflowDecoder>(&layout, options);
    for (uint32_t exporter = 0; exporter < kExporters; ++exporter) {
      MessageBuilder message(9);
      for (uint16_t n = 0; n < kTemplates; ++n) {
        message.Template(static_cast<uint16_t>(256 + n), Fields(n, own ? exporter : 0));
      }
      static_cast<void>(decoder->Decode(From(exporter, &message), {&rows, nullptr, nullptr}));
    }
    octets_an_exporter = static_cast<double>(counter.heap_octets()) / kExporters;
  }

  record::Layout layout;
  base::Interner interner;
  record::FlowBatch rows;
  std::unique_ptr<NetflowDecoder> decoder;
  double octets_an_exporter = 0;
};

// Made once for each kind.
Collector& Get(bool own) {
  static Collector* collectors[2] = {};
  Collector*& collector = collectors[own ? 1 : 0];
  if (collector == nullptr) collector = new Collector(own);
  return *collector;
}

void BM_Memory(benchmark::State& state) {
  Collector& collector = Get(state.range(0) != 0);
  for (auto _ : state) benchmark::DoNotOptimize(collector.decoder);
  state.counters["octets_an_exporter"] = collector.octets_an_exporter;
}
BENCHMARK(BM_Memory)->ArgName("own")->Arg(0)->Arg(1);

// 24 records in a datagram, of another exporter each time.
void BM_DatagramOfEachInTurn(benchmark::State& state) {
  Collector& collector = Get(state.range(0) != 0);
  MessageBuilder message(9);
  message.BeginSet(256);
  for (int i = 0; i < 24; ++i) message.body().Fill(54, static_cast<uint8_t>(i));
  message.EndSet();
  uint32_t exporter = 0;
  for (auto _ : state) {
    collector.rows.Clear();
    exporter = (exporter + 7919) % kExporters;
    static_cast<void>(collector.decoder->Decode(From(exporter, &message), {&collector.rows, nullptr, nullptr}));
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * 24));
}
BENCHMARK(BM_DatagramOfEachInTurn)->ArgName("own")->Arg(0)->Arg(1);

void BM_Summarize(benchmark::State& state) {
  Collector& collector = Get(false);
  std::vector<record::ExporterCounters> counters;
  for (auto _ : state) {
    counters.clear();
    collector.decoder->Summarize(&counters);
    benchmark::DoNotOptimize(counters.data());
  }
  state.counters["exporters"] = static_cast<double>(counters.size());
}
BENCHMARK(BM_Summarize)->Unit(benchmark::kMicrosecond);

void BM_Report(benchmark::State& state) {
  Collector& collector = Get(false);
  for (auto _ : state) benchmark::DoNotOptimize(collector.decoder->Report());
}
BENCHMARK(BM_Report)->Unit(benchmark::kMillisecond);

void BM_SaveState(benchmark::State& state) {
  Collector& collector = Get(state.range(0) != 0);
  size_t octets = 0;
  for (auto _ : state) octets = collector.decoder->SaveState().size();
  state.counters["octets"] = static_cast<double>(octets);
}
BENCHMARK(BM_SaveState)->ArgName("own")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

void BM_RestoreState(benchmark::State& state) {
  Collector& collector = Get(state.range(0) != 0);
  const std::string saved = collector.decoder->SaveState();
  NetflowOptions options;
  options.templates.max_template_octets = size_t{4} << 30;
  for (auto _ : state) {
    NetflowDecoder decoder(&collector.layout, options);
    if (!decoder.RestoreState(base::AsOctets(saved)).ok()) state.SkipWithError("not restored");
  }
}
BENCHMARK(BM_RestoreState)->ArgName("own")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

// With the first datagram after it, whose plan is made anew.
void BM_Rebind(benchmark::State& state) {
  Collector& collector = Get(false);
  MessageBuilder message(9);
  message.BeginSet(256).body().Fill(54, 1);
  message.EndSet();
  for (auto _ : state) {
    collector.rows.Clear();
    collector.decoder->Rebind(&collector.layout);
    static_cast<void>(collector.decoder->Decode(From(3, &message), {&collector.rows, nullptr, nullptr}));
  }
}
BENCHMARK(BM_Rebind)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace flowacct::netflow

BENCHMARK_MAIN();
