// Rows of a 5-tuple and three counters in batches of 100,000, into a server that is started here, on the same machine;
// and questions over a day of them.

#include <benchmark/benchmark.h>

#include <cstdio>
#include <memory>
#include <random>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/sink/clickhouse/clickhouse_sink.h"
#include "flowacct/sink/clickhouse/clickhouse_store.h"
#include "flowacct/sink/clickhouse/testing/server.h"
#include "flowacct/sink/print/batch_builder.h"

namespace flowacct::sink::clickhouse {
namespace {

using aggregate::Function;
using record::FieldId;

constexpr int64_t kDay = 1699920000;  // 2023-11-14T00:00:00Z
constexpr int64_t kNanos = 1000000000;
constexpr size_t kRows = 100000;

print::BatchBuilder Rows() {
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
  return builder;
}

aggregate::AggregateBatch Batch(const print::BatchBuilder& builder, uint64_t number) {
  const int64_t start = (kDay + static_cast<int64_t>(number - 1) * 300) * kNanos;
  aggregate::AggregateBatch batch = builder.Build({start, start + 300 * kNanos});
  batch.set_identity({"edge", "flows", 7, number});
  return batch;
}

// The argument: with rollups to hours and days.
void BM_Write(benchmark::State& state) {
  std::string why;
  const std::unique_ptr<Server> server = Server::Start(&why);
  if (server == nullptr) return state.SkipWithError(why.c_str());
  ClickhouseOptions options;
  options.connection = server->options();
  options.now = [] { return absl::FromUnixSeconds(kDay + 86400 * 30); };
  if (state.range(0) != 0) options.rollups = {{3600, absl::InfiniteDuration()}, {86400, absl::InfiniteDuration()}};
  auto sink = *NewClickhouseSink(options);
  const print::BatchBuilder builder = Rows();
  uint64_t number = 0;
  for (auto _ : state) {
    const absl::Status status = sink->Write(Batch(builder, ++number));
    if (!status.ok()) state.SkipWithError(std::string(status.message()).c_str());
    if (!sink->trouble().empty()) state.SkipWithError(sink->trouble().c_str());
  }
  state.SetItemsProcessed(static_cast<int64_t>(number * kRows));
  double octets = 0;
  if (absl::SimpleAtod(server->Shell("SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table = 'flows'"),
                       &octets)) {
    state.counters["octets/row"] = octets / static_cast<double>(number * kRows);
  }
  std::fprintf(stderr, "%s\n",
               server
                   ->Shell("SELECT name, type, data_compressed_bytes, data_uncompressed_bytes FROM system.columns "
                           "WHERE table = 'flows'")
                   .c_str());
}
BENCHMARK(BM_Write)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond)->UseRealTime()->MinTime(4);

// A day of 5-minute bins of 100,000 groups each. The argument: 0 from the table, 1 from hours, 2 from the day.
void BM_Ask(benchmark::State& state) {
  static std::unique_ptr<Server> server;
  if (server == nullptr) {
    std::string why;
    server = Server::Start(&why);
    if (server == nullptr) return state.SkipWithError(why.c_str());
    ClickhouseOptions options;
    options.connection = server->options();
    options.now = [] { return absl::FromUnixSeconds(kDay + 86400 * 30); };
    options.rollups = {{3600, absl::InfiniteDuration()}, {86400, absl::InfiniteDuration()}};
    auto sink = *NewClickhouseSink(options);
    const print::BatchBuilder builder = Rows();
    for (uint64_t number = 1; number <= 289; ++number) {
      const absl::Status status = sink->Write(Batch(builder, number));
      if (!status.ok()) return state.SkipWithError(std::string(status.message()).c_str());
    }
  }
  ConnectionOptions options = server->options();
  options.timeout = absl::Seconds(60);
  auto store = *OpenClickhouseStore(options);
  const char* const tables[] = {"flows", "flows_1h", "flows_1d"};
  query::GroupRequest request;
  request.table = tables[state.range(0)];
  request.by = {{state.range(1) == 0 ? FieldId::kDstAddr : FieldId::kDstPort, -1, -1}};
  request.values = {1};
  request.from_seconds = kDay;
  request.to_seconds = kDay + 86400;
  request.limit = 20;
  for (auto _ : state) {
    int told = 0;
    const absl::Status status = store->Sum(request, [&](const query::GroupRow&) { return ++told > 0; });
    if (!status.ok() || told < 20) state.SkipWithError(std::string(status.message()).c_str());
  }
}
BENCHMARK(BM_Ask)->ArgsProduct({{0, 1, 2}, {0, 1}})->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(3);

}  // namespace
}  // namespace flowacct::sink::clickhouse

BENCHMARK_MAIN();
