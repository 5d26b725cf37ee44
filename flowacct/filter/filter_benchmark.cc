// What a filter costs a record, a datagram's worth of records at a time.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <vector>

#include "flowacct/base/interner.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/filter/filter.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/layout.h"

namespace flowacct::filter {
namespace {

using F = record::FieldId;

constexpr size_t kRows = 24;

void BM_Apply(benchmark::State& state, const char* text) {
  const Filter filter = *Filter::Parse(text);
  const record::Layout layout({F::kSrcAddr, F::kDstAddr, F::kProtocol, F::kSrcPort, F::kDstPort, F::kBytes});
  base::Interner interner;
  record::FlowBatch batch(&layout, &interner);
  for (uint32_t i = 0; i < kRows; ++i) {
    auto row = batch.Append();
    row.Set<F::kSrcAddr>(base::IpAddress::V4(i * 2654435761u));
    row.Set<F::kDstAddr>(base::IpAddress::V4(i * 40503u));
    row.Set<F::kProtocol>(i % 3 == 0 ? 17 : 6);
    row.Set<F::kSrcPort>(static_cast<uint16_t>(i * 977));
    row.Set<F::kDstPort>(i % 2 == 0 ? 443 : 8443);
    row.Set<F::kBytes>(i * 100);
  }
  BoundFilter bound = filter.Bind(layout);
  Selection selection;
  for (auto _ : state) {
    bound.Apply(batch, &selection);
    benchmark::DoNotOptimize(selection.data());
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kRows));
}
BENCHMARK_CAPTURE(BM_Apply, one, "dst_port 443");
BENCHMARK_CAPTURE(BM_Apply, two, "proto tcp and dst_port in (80, 443)");
BENCHMARK_CAPTURE(BM_Apply, prefix, "src_addr in 192.0.2.0/24 or dst_addr in 192.0.2.0/24");
BENCHMARK_CAPTURE(BM_Apply, many, "port in (22, 53, 80, 123, 443, 8000-8100) and not (proto udp and bytes < 1k)");

}  // namespace
}  // namespace flowacct::filter

BENCHMARK_MAIN();
