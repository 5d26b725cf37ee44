// Rows of a 5-tuple and three counters in batches of 100,000, into a file in TEST_TMPDIR or /tmp; and questions to
// a day of five-minute bins with 100,000 groups each.

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "flowacct/query/group_store.h"
#include "flowacct/sink/print/batch_builder.h"
#include "flowacct/sink/sqlite/sqlite_sink.h"
#include "flowacct/sink/sqlite/sqlite_store.h"

namespace flowacct::sink::sqlite {
namespace {

using aggregate::Function;
using record::FieldId;

constexpr int64_t kDay = 1699920000;  // 2023-11-14T00:00:00Z
constexpr int64_t kNanos = 1000000000;

print::BatchBuilder Rows(size_t rows, uint64_t seed) {
  print::BatchBuilder builder(
      {FieldId::kSrcAddr, FieldId::kDstAddr, FieldId::kSrcPort, FieldId::kDstPort, FieldId::kProtocol},
      {{FieldId::kPackets, Function::kSum, ""},
       {FieldId::kBytes, Function::kSum, ""},
       {FieldId::kFlows, Function::kSum, ""}});
  std::mt19937_64 random(seed);
  for (size_t i = 0; i < rows; ++i) {
    auto row = builder.Add({random() % 1000, random() % 1000000, 1});
    row.Set<FieldId::kSrcAddr>(base::IpAddress::V4(static_cast<uint32_t>(random())));
    row.Set<FieldId::kDstAddr>(base::IpAddress::V4(static_cast<uint32_t>(i)));
    row.Set<FieldId::kSrcPort>(static_cast<uint16_t>(random()));
    row.Set<FieldId::kDstPort>(static_cast<uint16_t>(random() % 1000));
    row.Set<FieldId::kProtocol>(random() % 3 == 0 ? 17 : 6);
  }
  return builder;
}

std::string Path() {
  const char* const folder = std::getenv("TEST_TMPDIR");
  return absl::StrCat(folder != nullptr ? folder : "/tmp", "/flowacct_benchmark_", getpid(), ".db");
}

void Remove(const std::string& path) {
  for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(path + end);
}

void BM_Write(benchmark::State& state) {
  const std::string path = Path();
  Remove(path);
  SqliteOptions options;
  options.path = path;
  options.durable = state.range(0) != 0;
  options.now = [] { return absl::FromUnixSeconds(kDay + 7 * 86400); };
  if (state.range(1) != 0) options.rollups = {{3600, absl::InfiniteDuration()}, {86400, absl::InfiniteDuration()}};
  auto sink = *NewSqliteSink(options);
  constexpr size_t kRows = 100000;
  const print::BatchBuilder builder = Rows(kRows, 1);
  uint64_t number = 0;
  for (auto _ : state) {
    const int64_t start = (kDay + static_cast<int64_t>(number) * 300) * kNanos;
    aggregate::AggregateBatch batch = builder.Build({start, start + 300 * kNanos});
    batch.set_identity({"edge", "flows", 7, ++number});
    const absl::Status status = sink->Write(batch);
    if (!status.ok()) state.SkipWithError(std::string(status.message()).c_str());
  }
  state.SetItemsProcessed(static_cast<int64_t>(number * kRows));
  state.counters["octets/row"] =
      static_cast<double>(std::filesystem::file_size(path)) / static_cast<double>(number * kRows);
  sink.reset();
  Remove(path);
}
BENCHMARK(BM_Write)
    ->ArgNames({"durable", "rollups"})
    ->Args({0, 0})
    ->Args({1, 0})
    ->Args({1, 1})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime()
    ->MinTime(4);

// By destination port, by network; of the table, and of the hour's sums of it, which the same 100,000 groups are.
void BM_Ask(benchmark::State& state) {
  static std::string* path = nullptr;
  if (path == nullptr) {
    path = new std::string(Path());
    Remove(*path);
    SqliteOptions options;
    options.path = *path;
    options.durable = false;
    options.now = [] { return absl::FromUnixSeconds(kDay + 7 * 86400); };
    options.rollups = {{3600, absl::InfiniteDuration()}, {86400, absl::InfiniteDuration()}};
    auto sink = *NewSqliteSink(options);
    const print::BatchBuilder builder = Rows(100000, 1);
    for (uint64_t bin = 0; bin <= 288; ++bin) {
      const int64_t start = (kDay + static_cast<int64_t>(bin) * 300) * kNanos;
      aggregate::AggregateBatch batch = builder.Build({start, start + 300 * kNanos});
      batch.set_identity({"edge", "flows", 7, bin + 1});
      if (!sink->Write(batch).ok()) state.SkipWithError("cannot write");
    }
    std::atexit([] { Remove(*path); });
  }
  auto store = *OpenSqliteStore(*path);
  query::GroupRequest request;
  request.table = state.range(0) == 0 ? "flows" : state.range(0) == 1 ? "flows_1h" : "flows_1d";
  request.by = {{state.range(1) == 0 ? FieldId::kDstPort : FieldId::kDstAddr, -1, -1}};
  request.values = {1, 0};
  request.from_seconds = kDay;
  request.to_seconds = kDay + 86400;
  request.limit = 20;
  size_t groups = 0;
  for (auto _ : state) {
    const absl::Status status = store->Sum(request, [&](const query::GroupRow&) { return ++groups != 0; });
    if (!status.ok()) state.SkipWithError(std::string(status.message()).c_str());
  }
}
BENCHMARK(BM_Ask)
    ->ArgNames({"rollup", "addresses"})
    ->Args({2, 0})
    ->Args({2, 1})
    ->Args({1, 0})
    ->Args({1, 1})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace flowacct::sink::sqlite

BENCHMARK_MAIN();
