// Decoding alone: 7 samples a datagram, headers of 128 octets, a 5-tuple with packets, bytes and sampling rate.

#include <vector>

#include "benchmark/benchmark.h"
#include "flowacct/flow/sflow/sflow_decoder.h"
#include "flowacct/flow/sflow/testing/sflow_builder.h"

namespace flowacct::sflow {
namespace {

constexpr int kSamples = 7;

std::vector<std::vector<uint8_t>> Datagrams(bool extended) {
  std::vector<std::vector<uint8_t>> datagrams;
  uint32_t number = 0;
  for (uint32_t sequence = 1; sequence <= 1024; ++sequence) {
    SflowBuilder builder(5, base::IpAddress::V4(0x0a0a0a0a), sequence);
    for (int i = 0; i < kSamples; ++i) {
      ++number;
      PacketFields packet;
      packet.source = base::IpAddress::V4(0x0a000000 + number * 7919 % 65536);
      packet.source_port = static_cast<uint16_t>(number);
      packet.protocol = number % 4 == 0 ? 17 : 6;
      packet.payload = 1000;
      FlowSampleFields fields;
      fields.sequence = number;
      fields.source.index = number % 48;
      fields.pool = number * 1000;
      std::vector<BuiltRecord> records{HeaderRecord(EthernetPacket(packet))};
      if (extended) {
        records.push_back(SwitchRecord(1, 0, 2, 0));
        records.push_back(RouterRecord(packet.destination, 24, 24));
        records.push_back(GatewayRecord(GatewayFields()));
      }
      builder.AddFlowSample(fields, records);
    }
    datagrams.emplace_back(builder.octets().begin(), builder.octets().end());
  }
  return datagrams;
}

void Decode(benchmark::State& state, const record::Layout& layout, bool extended) {
  const std::vector<std::vector<uint8_t>> datagrams = Datagrams(extended);
  base::Interner interner;
  record::FlowBatch flows(&layout, &interner);
  SflowDecoder decoder(&layout);
  size_t i = 0;
  for (auto _ : state) {
    flows.Clear();
    record::Datagram datagram;
    datagram.octets = datagrams[i++ % datagrams.size()];
    benchmark::DoNotOptimize(decoder.Decode(datagram, {&flows, nullptr, nullptr}).code);
    benchmark::DoNotOptimize(flows.data());
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * kSamples);
}

const record::Layout& FiveTuple() {
  static const auto* const kLayout = new record::Layout(
      {record::FieldId::kSrcAddr, record::FieldId::kDstAddr, record::FieldId::kSrcPort, record::FieldId::kDstPort,
       record::FieldId::kProtocol, record::FieldId::kPackets, record::FieldId::kBytes, record::FieldId::kSamplingRate});
  return *kLayout;
}

const record::Layout& All() {
  static const auto* const kLayout = new record::Layout(record::Layout::All());
  return *kLayout;
}

void BM_FiveTuple(benchmark::State& state) { Decode(state, FiveTuple(), false); }
BENCHMARK(BM_FiveTuple);
void BM_AllFields(benchmark::State& state) { Decode(state, All(), false); }
BENCHMARK(BM_AllFields);
void BM_AllFieldsExtended(benchmark::State& state) { Decode(state, All(), true); }
BENCHMARK(BM_AllFieldsExtended);

}  // namespace
}  // namespace flowacct::sflow

BENCHMARK_MAIN();
