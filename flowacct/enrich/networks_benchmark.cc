// Networks files of up to three million prefixes: to read, to keep, to apply. Two thirds IPv4, of lengths as in the
// global table (half of them /24), one third IPv6 (/48 in a few thousand /32), with AS, name and country of 80,000
// holders.

#include <benchmark/benchmark.h>

#include <memory>
#include <random>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/enrich/networks.h"
#include "flowacct/enrich/networks_enricher.h"
#include "flowacct/record/field_set.h"
#include "flowacct/record/flow_batch.h"

namespace flowacct::enrich {
namespace {

using F = record::FieldId;

std::string File(size_t n) {
  std::mt19937 random(1);
  std::string text = "prefix,as,name,country\n";
  for (size_t i = 0; i < n; ++i) {
    const uint32_t as = 1 + random() % 80000;
    if (i % 3 == 2) {
      const uint32_t high = 0x20010000 + random() % 5000;
      absl::StrAppend(&text, absl::Hex(high >> 16), ":", absl::Hex(high & 0xffff), ":", absl::Hex(random() & 0xffff),
                      "::/48,");
    } else {
      const int length = random() % 2 == 0 ? 24 : 16 + static_cast<int>(random() % 8);
      const base::IpPrefix prefix(base::IpAddress::V4(0x01000000 + random() % 0xdf000000),
                                  static_cast<uint8_t>(length));
      absl::StrAppend(&text, prefix.ToString(), ",");
    }
    absl::StrAppend(&text, as, ",holder ", as, ",", as % 2 == 0 ? "NL" : "DE", "\n");
  }
  return text;
}

void BM_Parse(benchmark::State& state) {
  const std::string text = File(static_cast<size_t>(state.range(0)));
  for (auto _ : state) {
    auto networks = Networks::Parse(text, "n");
    if (!networks.ok()) return state.SkipWithError(networks.status().ToString().c_str());
    state.counters["MB"] = static_cast<double>(networks->octets()) / 1e6;
  }
  state.counters["file_MB"] = static_cast<double>(text.size()) / 1e6;
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Parse)->Arg(100000)->Arg(3000000)->Unit(benchmark::kMillisecond);

void BM_Apply(benchmark::State& state) {
  auto networks = Networks::Parse(File(static_cast<size_t>(state.range(0))), "n");
  NetworksEnricher enricher(std::make_shared<const Networks>(*std::move(networks)), NetworksPolicy::kReplace);
  const record::Layout layout({F::kSrcAddr, F::kDstAddr, F::kSrcAs, F::kDstAs, F::kSrcNetName, F::kDstNetName});
  enricher.Bind(layout, record::FieldSet(layout.fields()));
  base::Interner interner;
  record::FlowBatch batch(&layout, &interner);
  std::mt19937 random(2);
  for (int i = 0; i < 4096; ++i) {
    auto row = batch.Append();
    row.Set<F::kSrcAddr>(base::IpAddress::V4(static_cast<uint32_t>(random())));
    row.Set<F::kDstAddr>(base::IpAddress::V4(static_cast<uint32_t>(random())));
  }
  for (auto _ : state) enricher.Apply(batch);
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * batch.size()));
}
BENCHMARK(BM_Apply)->Arg(1000)->Arg(3000000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace flowacct::enrich

BENCHMARK_MAIN();
