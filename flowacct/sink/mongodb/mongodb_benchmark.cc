// Rows of a 5-tuple and three counters in batches of 100,000 into a server that is started here, and sums of them. What
// is measured is mostly that server: a mongod if one is on the path, else one in JavaScript, which says little of
// MongoDB.

#include <benchmark/benchmark.h>

#include <memory>
#include <random>
#include <string>

#include "flowacct/base/ip_address.h"
#include "flowacct/sink/mongodb/mongodb_sink.h"
#include "flowacct/sink/mongodb/mongodb_store.h"
#include "flowacct/sink/mongodb/testing/server.h"
#include "flowacct/sink/print/batch_builder.h"

namespace flowacct::sink::mongodb {
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

struct Stored {
  std::string why;
  std::unique_ptr<Server> server;
  std::unique_ptr<StoreSink> sink;
  uint64_t number = 0;

  Stored() : server(Server::Start(&why)) {
    if (server == nullptr) return;
    MongodbOptions options;
    options.connection = server->options();
    options.connection.timeout = absl::Seconds(300);
    sink = *NewMongodbSink(options);
  }
  absl::Status Write(const print::BatchBuilder& builder) {
    const int64_t start = (kDay + static_cast<int64_t>(number) * 300) * kNanos;
    aggregate::AggregateBatch batch = builder.Build({start, start + 300 * kNanos});
    batch.set_identity({"edge", "flows", 7, ++number});
    return sink->Write(batch);
  }
};

void BM_Write(benchmark::State& state) {
  Stored stored;
  if (stored.server == nullptr) return state.SkipWithError(stored.why.c_str());
  state.SetLabel(stored.server->is_stand_in() ? "into CongoServer" : "into mongod");
  const print::BatchBuilder builder = Rows();
  for (auto _ : state) {
    const absl::Status status = stored.Write(builder);
    if (!status.ok()) state.SkipWithError(std::string(status.message()).c_str());
  }
  state.SetItemsProcessed(static_cast<int64_t>(stored.number * kRows));
}
BENCHMARK(BM_Write)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(5);

void BM_Sum(benchmark::State& state) {
  Stored stored;
  if (stored.server == nullptr) return state.SkipWithError(stored.why.c_str());
  state.SetLabel(stored.server->is_stand_in() ? "by CongoServer" : "by mongod");
  const print::BatchBuilder builder = Rows();
  for (int i = 0; i < 2; ++i) {
    const absl::Status status = stored.Write(builder);
    if (!status.ok()) return state.SkipWithError(std::string(status.message()).c_str());
  }
  ConnectionOptions options = stored.server->options();
  options.timeout = absl::Seconds(300);
  auto store = *OpenMongodbStore(options);
  query::GroupRequest request;
  request.table = "flows";
  request.by = {{FieldId::kDstPort, -1, -1}};
  request.values = {1};
  request.limit = 20;
  for (auto _ : state) {
    const absl::Status status = store->Sum(request, [](const query::GroupRow&) { return true; });
    if (!status.ok()) state.SkipWithError(std::string(status.message()).c_str());
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * stored.number * kRows));
}
BENCHMARK(BM_Sum)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(5);

}  // namespace
}  // namespace flowacct::sink::mongodb

BENCHMARK_MAIN();
