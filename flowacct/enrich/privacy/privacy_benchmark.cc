// What it costs a record to hide a number or an address, beside the records' own copy.

#include <benchmark/benchmark.h>

#include <memory>
#include <utility>
#include <vector>

#include "flowacct/base/interner.h"
#include "flowacct/enrich/privacy/privacy.h"
#include "flowacct/record/flow_batch.h"

namespace flowacct::enrich {
namespace {

using F = record::FieldId;
constexpr size_t kRows = 1024;

void Hide(benchmark::State& state, const std::vector<std::pair<F, const char*>>& rules) {
  PrivacyOptions options;
  for (const auto& [field, method] : rules) options.rules.push_back(*PrivacyRule::Parse(field, method));
  options.key = *MasterKey::Random();
  const std::unique_ptr<Enricher> privacy = (*Privacy::Factory(std::move(options)))();
  const record::Layout layout({F::kImsi, F::kImei, F::kSrcAddr, F::kDstAddr, F::kStartTime});
  base::Interner interner;
  record::FlowBatch records(&layout, &interner), copy(&layout, &interner);
  for (size_t i = 0; i < kRows; ++i) {
    record::MutableRow row = records.Append();
    row.Set<F::kImsi>(base::Digits::FromBits(0x26201123450000ff + (i % 10 << 8)));
    row.Set<F::kImei>(base::Digits::FromBits(0x3569380356438091));
    row.Set<F::kSrcAddr>(base::IpAddress::V4(static_cast<uint32_t>(i)));
    uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8, static_cast<uint8_t>(i)};
    row.Set<F::kDstAddr>(base::IpAddress::FromV6(v6));
    row.Set<F::kStartTime>(1);
  }
  privacy->Bind(layout, record::FieldSet(layout.fields()));
  for (auto _ : state) {
    copy.CopyFrom(records);
    privacy->Apply(copy);
    benchmark::DoNotOptimize(copy.data());
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kRows));
}

void Copy(benchmark::State& state) { Hide(state, {}); }
void Imsi(benchmark::State& state) { Hide(state, {{F::kImsi, "pseudonym"}}); }
void Tac(benchmark::State& state) { Hide(state, {{F::kImei, "first 8"}}); }
void V4(benchmark::State& state) { Hide(state, {{F::kSrcAddr, "pseudonym"}}); }
void V6(benchmark::State& state) { Hide(state, {{F::kDstAddr, "pseudonym"}}); }
void Network(benchmark::State& state) { Hide(state, {{F::kSrcAddr, "/24,48"}}); }

BENCHMARK(Copy);
BENCHMARK(Imsi);
BENCHMARK(Tac);
BENCHMARK(V4);
BENCHMARK(V6);
BENCHMARK(Network);

}  // namespace
}  // namespace flowacct::enrich

BENCHMARK_MAIN();
