// The join with sessions: records of packets that are spread over all contexts, so that each look-up misses caches.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "flowacct/base/interner.h"
#include "flowacct/base/octets.h"
#include "flowacct/enrich/sessions/sessions_enricher.h"
#include "flowacct/enrich/sessions/testing/made_sessions.h"
#include "flowacct/record/flow_batch.h"

namespace flowacct::enrich {
namespace {

using F = record::FieldId;
constexpr int64_t kNow = 1700000000000000000;
constexpr size_t kRows = 1024;

struct Engine {
  explicit Engine(uint32_t contexts) : engine(&epochs) {
    testing::MadeSessions sessions(&engine);
    for (uint32_t n = 1; n <= contexts; ++n) {
      sessions.Create(n, kNow + n, 0x0a000000 + n, n % 8 == 0 ? "ims.mnc001.mcc262.gprs" : "internet");
      if (n % 1024 == 0) {
        while (engine.Advance(kNow + n)) {
        }
      }
    }
  }
  lpm::ReaderEpochs epochs;
  session::SessionEngine engine;
};

// `unknown`: of a thousand records so many are of no tunnel that is known, and wait first.
void Join(benchmark::State& state, const std::vector<F>& wanted) {
  const auto contexts = static_cast<uint32_t>(state.range(0)), unknown = static_cast<uint32_t>(state.range(1));
  static std::map<uint32_t, std::unique_ptr<Engine>> engines;
  std::unique_ptr<Engine>& engine = engines[contexts];
  if (engine == nullptr) engine = std::make_unique<Engine>(contexts);
  SessionsEnricher enricher({&engine->epochs, &engine->engine}, SessionsOptions());
  std::vector<F> fields = wanted;
  for (F field : enricher.RequiredFields(record::FieldSet(wanted))) fields.push_back(field);
  const record::Layout layout(fields);
  base::Interner interner;
  record::FlowBatch rows(&layout, &interner), work(&layout, &interner), released(&layout, &interner);
  for (size_t i = 0; i < kRows; ++i) {
    record::MutableRow row = rows.Append();
    row.Set<F::kGtpDstAddr>(i % 2 == 0 ? testing::Ggsn() : testing::Sgsn());
    row.Set<F::kTeid>(0);
    row.Set<F::kStartTime>(kNow + 10 * int64_t{1000000000});
    row.Set<F::kPackets>(1);
    row.Set<F::kBytes>(500);
  }
  enricher.Bind(layout, record::FieldSet(wanted));
  const uint16_t teid = layout.offset(F::kTeid);
  uint64_t random = 1;
  int64_t now = kNow + 10 * int64_t{1000000000};
  for (auto _ : state) {
    now += 100000;
    released.Clear();
    enricher.Release(now, false, released);
    work.CopyFrom(rows);
    for (size_t i = 0; i < kRows; ++i) {
      random = random * 6364136223846793005 + 1442695040888963407;
      const auto high = static_cast<uint32_t>(random >> 32);
      const bool is_known = high % 1000 >= unknown;
      const auto n = static_cast<uint32_t>(uint64_t{high} * contexts >> 32);
      base::StoreHost<uint32_t>(work.data() + i * work.stride() + teid, is_known ? n + 1 : 0xf0000000 + n);
    }
    enricher.Apply(work);
    benchmark::DoNotOptimize(work.data());
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kRows));
  state.counters["octets_a_context"] =
      static_cast<double>(engine->engine.octets()) / static_cast<double>(engine->engine.contexts());
}

void ImsiApnDirection(benchmark::State& state) { Join(state, {F::kImsi, F::kApn, F::kGtpDirection}); }
void Everything(benchmark::State& state) {
  Join(state,
       {F::kImsi,         F::kMsisdn,       F::kImei,        F::kApn,         F::kApnOperator,    F::kRat,
        F::kLocation,     F::kHomePlmn,     F::kVisitedPlmn, F::kHomeCountry, F::kVisitedCountry, F::kRoaming,
        F::kQci,          F::kChargingId,   F::kTeidUp,      F::kTeidDown,    F::kGtpUpAddr,      F::kGtpDownAddr,
        F::kGtpInterface, F::kGtpDirection, F::kGtpMatch,    F::kSessionId,   F::kUeAddr});
}

BENCHMARK(ImsiApnDirection)
    ->ArgNames({"contexts", "unknown"})
    ->Args({10000, 0})
    ->Args({1000000, 0})
    ->Args({1000000, 50});
BENCHMARK(Everything)->ArgNames({"contexts", "unknown"})->Args({1000000, 0});

}  // namespace
}  // namespace flowacct::enrich

BENCHMARK_MAIN();
