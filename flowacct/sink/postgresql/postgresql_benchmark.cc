// Rows of a 5-tuple and three counters in batches of 100,000, into a server that is started here, on the same machine,
// without fsync and with it, with rollups and without.

#include <benchmark/benchmark.h>

#include <memory>
#include <random>
#include <string>

#include "flowacct/base/ip_address.h"
#include "flowacct/sink/postgresql/postgresql_sink.h"
#include "flowacct/sink/postgresql/testing/server.h"
#include "flowacct/sink/print/batch_builder.h"

namespace flowacct::sink::postgresql {
namespace {

using aggregate::Function;
using record::FieldId;

constexpr int64_t kDay = 1699920000;  // 2023-11-14T00:00:00Z
constexpr int64_t kNanos = 1000000000;
constexpr size_t kRows = 100000;

void BM_Write(benchmark::State& state) {
  std::string why;
  const std::unique_ptr<Server> server = Server::Start(&why, /*durable=*/state.range(0) != 0);
  if (server == nullptr) return state.SkipWithError(why.c_str());
  PostgresqlOptions options;
  options.connection = server->options();
  options.now = [] { return absl::FromUnixSeconds(kDay + 86400); };
  if (state.range(1) != 0) options.rollups = {{3600, absl::InfiniteDuration()}, {86400, absl::InfiniteDuration()}};
  auto sink = *NewPostgresqlSink(options);
  print::BatchBuilder builder(
      {FieldId::kSrcAddr, FieldId::kDstAddr, FieldId::kSrcPort, FieldId::kDstPort, FieldId::kProtocol},
      {{FieldId::kPackets, Function::kSum, ""},
       {FieldId::kBytes, Function::kSum, ""},
       {FieldId::kFlows, Function::kSum, ""}});
  std::mt19937_64 random(1);
  for (size_t i = 0; i < kRows; ++i) {
    auto row = builder.Add({random() % 1000, random() % 1000000, 1});
    row.Set<FieldId::kSrcAddr>(base::IpAddress::V4(static_cast<uint32_t>(random())));
    row.Set<FieldId::kDstAddr>(base::IpAddress::V4(static_cast<uint32_t>(i)));
    row.Set<FieldId::kSrcPort>(static_cast<uint16_t>(random()));
    row.Set<FieldId::kDstPort>(static_cast<uint16_t>(random() % 1000));
    row.Set<FieldId::kProtocol>(random() % 3 == 0 ? 17 : 6);
  }
  uint64_t number = 0;
  for (auto _ : state) {
    const int64_t start = (kDay + static_cast<int64_t>(number) * 300) * kNanos;
    aggregate::AggregateBatch batch = builder.Build({start, start + 300 * kNanos});
    batch.set_identity({"edge", "flows", 7, ++number});
    const absl::Status status = sink->Write(batch);
    if (!status.ok()) state.SkipWithError(std::string(status.message()).c_str());
  }
  state.SetItemsProcessed(static_cast<int64_t>(number * kRows));
}
BENCHMARK(BM_Write)
    ->ArgNames({"fsync", "rollups"})
    ->Args({0, 0})
    ->Args({1, 0})
    ->Args({1, 1})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime()
    ->MinTime(4);

}  // namespace
}  // namespace flowacct::sink::postgresql

BENCHMARK_MAIN();
