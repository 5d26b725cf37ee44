// Rows of a 5-tuple and three counters in batches of 20,000, as Protocol Buffers, to a RabbitMQ that is started here,
// on the same machine. Argument: records a message.

#include <benchmark/benchmark.h>

#include <memory>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/sink/amqp/amqp_sink.h"
#include "flowacct/sink/amqp/testing/rabbitmq.h"
#include "flowacct/sink/print/batch_builder.h"

namespace flowacct::sink::amqp {
namespace {

using aggregate::Function;
using record::FieldId;

constexpr int64_t kDay = 1699920000;  // 2023-11-14T00:00:00Z
constexpr int64_t kNanos = 1000000000;
constexpr size_t kRows = 20000;

void BM_Write(benchmark::State& state) {
  std::string why;
  const std::unique_ptr<Rabbitmq> server = Rabbitmq::Start(&why);
  if (server == nullptr) return state.SkipWithError(why.c_str());
  QueueReader reader(server->port());
  if (!reader.Declare("", "flows", "")) return state.SkipWithError(reader.error().c_str());
  AmqpOptions options;
  options.connection.brokers = absl::StrCat("127.0.0.1:", server->port());
  options.message.records_per_message = static_cast<size_t>(state.range(0));
  auto sink = *NewAmqpSink(options);
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
    if (!status.ok()) return state.SkipWithError(std::string(status.message()).c_str());
  }
  state.SetItemsProcessed(static_cast<int64_t>(sink->counters().rows));
}
BENCHMARK(BM_Write)->Arg(1)->Arg(100)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(10);

}  // namespace
}  // namespace flowacct::sink::amqp

BENCHMARK_MAIN();
