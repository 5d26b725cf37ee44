// What a country look-up costs an address: with the cache of addresses and without, over few and over many addresses.

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/enrich/geoip/geo_database.h"
#include "flowacct/enrich/geoip/geo_enricher.h"
#include "flowacct/enrich/geoip/testing/database_builder.h"
#include "flowacct/record/field_set.h"
#include "flowacct/record/flow_batch.h"

namespace flowacct::enrich {
namespace {

using F = record::FieldId;

// 200,000 networks of 200 countries, of random lengths.
std::shared_ptr<const GeoDatabase> Database() {
  static const auto* database = [] {
    testing::DatabaseBuilder builder(28);
    std::mt19937 random(1);
    for (int i = 0; i < 200000; ++i) {
      const int country = static_cast<int>(random() % 200);
      const std::string code = {static_cast<char>('A' + country / 26), static_cast<char>('A' + country % 26)};
      builder.Add(
          absl::StrCat(base::IpAddress::V4(static_cast<uint32_t>(random())).ToString(), "/", 12 + random() % 13),
          testing::Map({{"country", testing::Map({{"iso_code", testing::Text(code)}})}}));
    }
    const char* const folder = std::getenv("TEST_TMPDIR");
    const std::string path = absl::StrCat(folder != nullptr ? folder : "/tmp", "/geoip_benchmark.mmdb");
    const std::string octets = builder.Build("Benchmark-Country");
    std::FILE* const file = std::fopen(path.c_str(), "wb");
    std::fwrite(octets.data(), 1, octets.size(), file);
    std::fclose(file);
    auto* opened = new std::shared_ptr<const GeoDatabase>(*GeoDatabase::Open(path));
    std::remove(path.c_str());
    return opened;
  }();
  return *database;
}

void BM_Apply(benchmark::State& state) {
  const record::Layout layout({F::kSrcAddr, F::kSrcCountry});
  base::Interner interner;
  record::FlowBatch batch(&layout, &interner);
  std::mt19937_64 random(2);
  std::uniform_real_distribution<double> uniform(0, 1);
  for (int i = 0; i < 65536; ++i) {
    // Zipf with s = 1 over so many addresses, by inversion.
    const double address = std::pow(static_cast<double>(state.range(0)), uniform(random));
    batch.Append().Set<F::kSrcAddr>(base::IpAddress::V4(static_cast<uint32_t>(address) * 2654435761u));
  }
  GeoEnricherOptions options;
  options.replace = true;
  options.address_slots = static_cast<size_t>(state.range(1));
  GeoEnricher enricher(Database(), options);
  enricher.Bind(layout, record::FieldSet(layout.fields()));
  for (auto _ : state) enricher.Apply(batch);
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * batch.size()));
  const auto counters = enricher.counters();
  state.counters["walks"] = static_cast<double>(counters[2].value) / static_cast<double>(counters[0].value);
}
BENCHMARK(BM_Apply)
    ->ArgNames({"addresses", "slots"})
    ->Args({1000, 1})
    ->Args({1000, 1 << 14})
    ->Args({1000000, 1})
    ->Args({1000000, 1 << 12})
    ->Args({1000000, 1 << 14})
    ->Args({1000000, 1 << 16})
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace flowacct::enrich

BENCHMARK_MAIN();
