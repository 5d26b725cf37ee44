// Rows a second of each format: ten fields, as a collector of exports writes them.

#include <benchmark/benchmark.h>

#include <random>
#include <string>

#include "flowacct/base/interner.h"
#include "flowacct/message/record_decoder.h"
#include "flowacct/message/record_encoder.h"
#include "flowacct/message/testing/message_batch.h"
#include "flowacct/record/flow_batch.h"

namespace flowacct::message {
namespace {

using record::FieldId;

aggregate::AggregateBatch Batch() {
  std::mt19937_64 random(1);
  MessageBatch builder({FieldId::kSrcAddr, FieldId::kDstAddr, FieldId::kSrcPort, FieldId::kDstPort, FieldId::kProtocol,
                        FieldId::kSrcAs, FieldId::kDstAs, FieldId::kInIf},
                       {SumOf(FieldId::kBytes), SumOf(FieldId::kPackets)});
  for (int i = 0; i < 10000; ++i) {
    record::MutableRow row = builder.Add({random() >> 40, random() >> 50});
    row.Set<FieldId::kSrcAddr>(base::IpAddress::V4(static_cast<uint32_t>(random())));
    row.Set<FieldId::kDstAddr>(base::IpAddress::V4(static_cast<uint32_t>(random())));
    row.Set<FieldId::kSrcPort>(static_cast<uint16_t>(random()));
    row.Set<FieldId::kDstPort>(443);
    row.Set<FieldId::kProtocol>(6);
    row.Set<FieldId::kSrcAs>(static_cast<uint32_t>(random() >> 46));
    row.Set<FieldId::kDstAs>(static_cast<uint32_t>(random() >> 46));
    row.Set<FieldId::kInIf>(static_cast<uint32_t>(random() >> 56));
  }
  aggregate::AggregateBatch batch = builder.Build({1700000000000000000, 1700000300000000000});
  aggregate::BatchIdentity identity;
  identity.collector = "collector-1";
  identity.pipeline = "peering";
  identity.run = 1700000000123456789;
  identity.number = 42;
  batch.set_identity(identity);
  return batch;
}

void Encode(benchmark::State& state, RecordFormat format) {
  const aggregate::AggregateBatch batch = Batch();
  const auto encoder = NewRecordEncoder(format, &batch.schema());
  std::string out;
  size_t octets = 0;
  for (auto _ : state) {
    out.clear();
    for (size_t row = 0; row < batch.size(); ++row) encoder->Append(batch, row, &out);
    octets = out.size();
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * batch.size()));
  state.counters["octets_a_row"] = static_cast<double>(octets) / static_cast<double>(batch.size());
}
BENCHMARK_CAPTURE(Encode, protobuf, RecordFormat::kProtobuf);
BENCHMARK_CAPTURE(Encode, json, RecordFormat::kJson);
BENCHMARK_CAPTURE(Encode, csv, RecordFormat::kCsv);
BENCHMARK_CAPTURE(Encode, avro, RecordFormat::kAvro);

void Decode(benchmark::State& state) {
  const aggregate::AggregateBatch batch = Batch();
  const auto encoder = NewRecordEncoder(RecordFormat::kProtobuf, &batch.schema());
  std::vector<std::string> messages(batch.size());
  for (size_t row = 0; row < batch.size(); ++row) encoder->Append(batch, row, &messages[row]);
  base::Interner interner;
  std::vector<FieldId> fields(batch.schema().key.fields().begin(), batch.schema().key.fields().end());
  fields.push_back(FieldId::kBytes);
  fields.push_back(FieldId::kPackets);
  const record::Layout layout(fields);
  record::FlowBatch records(&layout, &interner);
  RecordDecoder decoder;
  MessageFacts facts;
  for (auto _ : state) {
    records.Clear();
    for (const std::string& message : messages) {
      benchmark::DoNotOptimize(decoder.Decode(base::AsOctets(message), &records, &facts));
    }
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * batch.size()));
}
BENCHMARK(Decode);

}  // namespace
}  // namespace flowacct::message

BENCHMARK_MAIN();
