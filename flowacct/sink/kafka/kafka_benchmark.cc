// Rows of a 5-tuple and three counters in batches of 100,000, as Protocol Buffers, to librdkafka's mock of a cluster in
// another process on the same machine. Arguments: records a message, partitions, and whether batches are transactions.

#include <benchmark/benchmark.h>
#include <signal.h>
#include <unistd.h>

#include <memory>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/sink/kafka/kafka_sink.h"
#include "flowacct/sink/kafka/testing/child.h"
#include "flowacct/sink/print/batch_builder.h"

namespace flowacct::sink::kafka {
namespace {

using aggregate::Function;
using record::FieldId;

constexpr int64_t kDay = 1699920000;  // 2023-11-14T00:00:00Z
constexpr int64_t kNanos = 1000000000;
constexpr size_t kRows = 100000;

std::string Program() {
  char path[4096] = "";
  const ssize_t size = readlink("/proc/self/exe", path, sizeof(path) - 1);
  const std::string self(path, size > 0 ? static_cast<size_t>(size) : 0);
  return self.substr(0, self.rfind('/')) + "/kafka_process";
}

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

void BM_Write(benchmark::State& state) {
  signal(SIGPIPE, SIG_IGN);
  const std::unique_ptr<Child> cluster = Child::Start({Program(), "cluster", "1"});
  KafkaOptions options;
  options.connection.brokers = cluster->Line();
  if (options.connection.brokers.empty()) return state.SkipWithError("kafka_process does not start");
  cluster->Tell(absl::StrCat("topic flows ", state.range(1)));
  (void)cluster->Line();
  options.message.address = "flows";
  options.message.records_per_message = static_cast<size_t>(state.range(0));
  options.transactions = state.range(2) != 0;
  auto sink = *NewKafkaSink(options);
  const print::BatchBuilder builder = Rows();
  uint64_t number = 0;
  for (auto _ : state) {
    const int64_t start = (kDay + static_cast<int64_t>(number) * 300) * kNanos;
    aggregate::AggregateBatch batch = builder.Build({start, start + 300 * kNanos});
    batch.set_identity({"edge", "flows", 7, ++number});
    const absl::Status status = sink->Write(batch);
    if (!status.ok()) return state.SkipWithError(std::string(status.message()).c_str());
  }
  state.SetItemsProcessed(static_cast<int64_t>(sink->counters().rows));
  state.SetBytesProcessed(static_cast<int64_t>(sink->counters().octets));
}
BENCHMARK(BM_Write)
    ->Args({1, 4, 0})
    ->Args({100, 4, 0})
    ->Args({1000, 4, 0})
    ->Args({1000, 4, 1})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

// What of it is the encoding.
void BM_Encode(benchmark::State& state) {
  const print::BatchBuilder builder = Rows();
  aggregate::AggregateBatch batch = builder.Build({kDay * kNanos, (kDay + 300) * kNanos});
  batch.set_identity({"edge", "flows", 7, 1});
  queue::MessageOptions options;
  options.records_per_message = static_cast<size_t>(state.range(0));
  uint64_t octets = 0;
  for (auto _ : state) {
    (void)queue::ForEachMessage("kafka", options, batch, [&](const queue::Message& message) {
      octets += message.octets.size();
      return absl::OkStatus();
    });
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kRows));
  state.SetBytesProcessed(static_cast<int64_t>(octets));
}
BENCHMARK(BM_Encode)->Arg(1)->Arg(100)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace flowacct::sink::kafka

BENCHMARK_MAIN();
