// Rows of a 5-tuple and three counters, as many as benchmarks/versus has distinct ones, to /dev/null.

#include <cstdint>
#include <memory>

#include "benchmark/benchmark.h"
#include "flowacct/sink/print/batch_builder.h"
#include "flowacct/sink/print/print_sink.h"

namespace flowacct::sink {
namespace {

using aggregate::Function;
using record::FieldId;

aggregate::AggregateBatch FiveTuples(int64_t rows) {
  print::BatchBuilder builder(
      {FieldId::kSrcAddr, FieldId::kDstAddr, FieldId::kSrcPort, FieldId::kDstPort, FieldId::kProtocol},
      {{FieldId::kPackets, Function::kSum, ""},
       {FieldId::kBytes, Function::kSum, ""},
       {FieldId::kFlows, Function::kSum, ""}});
  uint32_t state = 1;
  const auto next = [&state] { return state = state * 1664525 + 1013904223; };
  for (int64_t i = 0; i < rows; ++i) {
    record::MutableRow row = builder.Add({next() >> 22, next() >> 12, 1 + (next() >> 30)});
    row.Set<FieldId::kSrcAddr>(base::IpAddress::V4(next()));
    row.Set<FieldId::kDstAddr>(base::IpAddress::V4(next()));
    row.Set<FieldId::kSrcPort>(static_cast<uint16_t>(next() >> 16));
    row.Set<FieldId::kDstPort>(static_cast<uint16_t>(next() >> 20));
    row.Set<FieldId::kProtocol>((next() >> 31) != 0 ? 6 : 17);
  }
  return builder.Build();
}

void BM_Print(benchmark::State& state, PrintFormat format, Naming naming) {
  const aggregate::AggregateBatch batch = FiveTuples(435734);
  for (auto _ : state) {
    PrintOptions options;
    options.format = format;
    options.naming = naming;
    options.path = "/dev/null";
    auto sink = *NewPrintSink(options);
    if (!sink->Write(batch).ok() || !sink->Close().ok()) state.SkipWithError("cannot write");
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(batch.size()));
}

BENCHMARK_CAPTURE(BM_Print, csv, PrintFormat::kCsv, Naming::kFlowacct)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Print, csv_pmacct, PrintFormat::kCsv, Naming::kPmacct)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Print, json, PrintFormat::kJson, Naming::kFlowacct)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Print, table, PrintFormat::kTable, Naming::kFlowacct)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace flowacct::sink

BENCHMARK_MAIN();
