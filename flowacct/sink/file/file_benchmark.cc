// Rows a second into files: batches of 50,000 rows of ten fields, each synced.

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "flowacct/message/testing/message_batch.h"
#include "flowacct/sink/file/file_sink.h"

namespace flowacct::sink::file {
namespace {

using message::SumOf;
using record::FieldId;

void Write(benchmark::State& state, message::RecordFormat format) {
  std::mt19937_64 random(1);
  message::MessageBatch builder({FieldId::kSrcAddr, FieldId::kDstAddr, FieldId::kSrcPort, FieldId::kDstPort,
                                 FieldId::kProtocol, FieldId::kSrcAs, FieldId::kDstAs, FieldId::kInIf},
                                {SumOf(FieldId::kBytes), SumOf(FieldId::kPackets)});
  for (int i = 0; i < 50000; ++i) {
    record::MutableRow row = builder.Add({random() >> 44, random() >> 54});
    row.Set<FieldId::kSrcAddr>(base::IpAddress::V4(0x0a000000 | static_cast<uint32_t>(random() >> 46)));
    row.Set<FieldId::kDstAddr>(base::IpAddress::V4(0x0b000000 | static_cast<uint32_t>(random() >> 46)));
    row.Set<FieldId::kSrcPort>(static_cast<uint16_t>(random()));
    row.Set<FieldId::kDstPort>(443);
    row.Set<FieldId::kProtocol>(6);
    row.Set<FieldId::kSrcAs>(static_cast<uint32_t>(random() >> 54));
    row.Set<FieldId::kDstAs>(static_cast<uint32_t>(random() >> 54));
    row.Set<FieldId::kInIf>(static_cast<uint32_t>(random() >> 58));
  }
  aggregate::AggregateBatch batch = builder.Build({1700000000000000000, 1700000300000000000});
  FileOptions options;
  const char* const folder = std::getenv("TMPDIR");
  options.folder = absl::StrCat(folder != nullptr ? folder : "/tmp", "/file_benchmark_", getpid());
  options.format = format;
  auto sink = NewFileSink(options);
  uint64_t number = 0;
  for (auto _ : state) {
    batch.set_identity({"collector-1", "peering", 1700000000123456789, ++number});
    if (!sink.ok() || !(*sink)->Write(batch).ok()) state.SkipWithError("cannot write");
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * batch.size()));
  if (sink.ok()) {
    state.counters["octets_a_row"] =
        static_cast<double>((*sink)->counters().octets) / static_cast<double>((*sink)->counters().rows);
  }
  std::filesystem::remove_all(options.folder);
}
BENCHMARK_CAPTURE(Write, json, message::RecordFormat::kJson)->UseRealTime();
BENCHMARK_CAPTURE(Write, csv, message::RecordFormat::kCsv)->UseRealTime();
BENCHMARK_CAPTURE(Write, protobuf, message::RecordFormat::kProtobuf)->UseRealTime();

}  // namespace
}  // namespace flowacct::sink::file

BENCHMARK_MAIN();
