// What rules cost a record, by how many there are and what they look at, a batch of 24 records (a datagram's worth) at
// a time. What that is of the whole road: //benchmarks:data_road_benchmark.

#include <benchmark/benchmark.h>

#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/enrich/rules/rules.h"
#include "flowacct/enrich/rules/rules_enricher.h"
#include "flowacct/record/field_set.h"
#include "flowacct/record/flow_batch.h"

namespace flowacct::enrich {
namespace {

using F = record::FieldId;

constexpr size_t kRecords = 1 << 18;
constexpr size_t kBatch = 24;
constexpr uint32_t kExporters = 1000;

uint32_t ExporterOf(uint32_t i) { return 0x0a000000 + i % kExporters; }

// Rules by exporter and interface: what most maps are.
std::string InterfaceRules(size_t n) {
  std::string text;
  for (uint32_t i = 0; i < n; ++i) {
    absl::StrAppend(&text, "set tag ", i + 1, " where exporter = ", base::IpAddress::V4(ExporterOf(i)).ToString(),
                    " and in_if = ", 1 + i / kExporters, "\n");
  }
  return text;
}

// Customers by prefix, of all lengths from /12 to /29.
std::string PrefixRules(size_t n) {
  std::mt19937 random(1);
  std::string text;
  for (size_t i = 0; i < n; ++i) {
    absl::StrAppend(&text, "set tag ", i + 1, " where src_addr in ", base::IpAddress::V4(random()).ToString(), "/",
                    29 - random() % 18, "\n");
  }
  return text;
}

// Both: the customer's prefix counts only at its interface.
std::string InterfaceAndPrefixRules(size_t n) {
  std::mt19937 random(1);
  std::string text;
  for (uint32_t i = 0; i < n; ++i) {
    absl::StrAppend(&text, "set tag ", i + 1, " where exporter = ", base::IpAddress::V4(ExporterOf(i)).ToString(),
                    " and in_if = ", 1 + i / kExporters, " and src_addr in ", base::IpAddress::V4(random()).ToString(),
                    "/", 8 + random() % 8, "\n");
  }
  return text;
}

struct Records {
  // Some 80 octets a row, as of a 5-tuple with its counters.
  record::Layout layout{{F::kSrcAddr, F::kDstAddr, F::kPackets, F::kBytes, F::kExporter, F::kInIf, F::kTag}};
  base::Interner interner;
  std::vector<std::unique_ptr<record::FlowBatch>> batches;

  Records() {
    std::mt19937_64 random(1);
    std::uniform_real_distribution<double> uniform(0, 1);
    uint32_t exporter = 0;
    for (size_t i = 0; i < kRecords; ++i) {
      if (i % kBatch == 0) {
        batches.push_back(std::make_unique<record::FlowBatch>(&layout, &interner));
        exporter = ExporterOf(static_cast<uint32_t>(random()));
      }
      auto row = batches.back()->Append();
      // Zipf with s = 1 over a million flows, by inversion.
      const uint32_t flow = static_cast<uint32_t>(std::pow(1e6, uniform(random)));
      row.Set<F::kSrcAddr>(base::IpAddress::V4(flow * 2654435761u));
      row.Set<F::kBytes>(i % 1000);
      row.Set<F::kExporter>(base::IpAddress::V4(exporter));
      row.Set<F::kInIf>(static_cast<uint32_t>(1 + random() % 100));
    }
  }
};

Records& TheRecords() {
  static auto* records = new Records;
  return *records;
}

void BM_Rules(benchmark::State& state, std::string (*make)(size_t)) {
  Records& records = TheRecords();
  const auto rules = Rules::Parse({{"r", make(static_cast<size_t>(state.range(0)))}});
  if (!rules.ok()) return state.SkipWithError(rules.status().ToString().c_str());
  RulesEnricher enricher(*rules);
  enricher.Bind(records.layout, record::FieldSet(records.layout.fields()));
  for (auto _ : state) {
    for (const auto& batch : records.batches) enricher.Apply(*batch);
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kRecords));
  const RulesReport report = (*rules)->Report();
  state.counters["signatures"] = static_cast<double>(report.signatures);
  state.counters["MB"] = static_cast<double>(report.octets) / 1e6;
  state.counters["met"] =
      static_cast<double>(enricher.counters()[1].value) / static_cast<double>(enricher.counters()[0].value);
}
BENCHMARK_CAPTURE(BM_Rules, interfaces, InterfaceRules)->Arg(10)->Arg(1000)->Arg(100000)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Rules, prefixes, PrefixRules)->Arg(10)->Arg(1000)->Arg(100000)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Rules, interfaces_and_prefixes, InterfaceAndPrefixRules)
    ->Arg(10)
    ->Arg(1000)
    ->Arg(100000)
    ->Unit(benchmark::kMillisecond);

void BM_Parse(benchmark::State& state) {
  const std::string text = InterfaceRules(static_cast<size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(Rules::Parse({{"r", text}}));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Parse)->Arg(100000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace flowacct::enrich

BENCHMARK_MAIN();
