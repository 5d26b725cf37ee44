// A probe's road, on one core: captured frames to rows, rows to flows, flows to export datagrams that nobody takes.
// Five million generated packets of half a million flows, in memory; the stages one by one, and all of them.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "flowacct/base/interner.h"
#include "flowacct/collector/capture/captured_packet.h"
#include "flowacct/collector/generate/workload.h"
#include "flowacct/meter/flow_meter.h"
#include "flowacct/packet/packet_decoder.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/sink/export/new_export_encoder.h"

namespace flowacct::collector {
namespace {

struct Frames {
  struct Frame {
    uint64_t offset;
    uint32_t captured, wire;
    int64_t time_nanos;
  };
  std::vector<uint8_t> octets;
  std::vector<Frame> frames;
};

// As the header of workload.h has them: 550,000 keys to draw from, of which some 500,000 are met.
const Frames& Packets() {
  static const Frames* made = [] {
    auto* frames = new Frames;
    WorkloadOptions options;
    options.kind = WorkloadKind::kPackets;
    options.records = 5000000;
    options.distinct_keys = 650000;
    auto generator = *NewWorkloadGenerator(options);
    CapturedPacket packet;
    while (generator->Next(&packet)) {
      frames->frames.push_back(
          {frames->octets.size(), static_cast<uint32_t>(packet.octets.size()), packet.wire_length, packet.time_nanos});
      frames->octets.insert(frames->octets.end(), packet.octets.begin(), packet.octets.end());
    }
    return frames;
  }();
  return *made;
}

class Nowhere final : public sink::ExportTransport {
 public:
  absl::Status Send(base::Octets datagram, uint64_t rows) override {
    octets += datagram.size();
    return absl::OkStatus();
  }
  uint64_t octets = 0;
};

enum Stages { kDecode, kMeter, kExport };

void Run(benchmark::State& state, Stages stages, sink::ExportFormat format) {
  const Frames& packets = Packets();
  uint64_t flows = 0, records = 0, octets = 0;
  for (auto _ : state) {
    base::Interner interner;
    meter::MeterOptions meter_options;
    meter_options.seed = 1;
    auto meter = *meter::FlowMeter::New(meter_options, &interner);
    Nowhere transport;
    sink::ExportOptions export_options;
    export_options.format = format;
    auto encoder = *sink::NewExportEncoder(export_options, &transport);
    encoder->Bind(&meter->layout());
    packet::PacketDecoder decoder(&meter->layout(), &interner);
    record::FlowBatch batch(&meter->layout(), &interner);
    const auto receive = [&](const record::FlowBatch& ended) {
      if (stages == kExport) encoder->Add(ended, absl::FromUnixNanos(meter->now_nanos()));
    };
    for (size_t i = 0; i < packets.frames.size(); ++i) {
      const Frames::Frame& frame = packets.frames[i];
      const base::Octets captured(packets.octets.data() + frame.offset, frame.captured);
      benchmark::DoNotOptimize(
          decoder.Decode(packet::LinkType::kEthernet, captured, frame.wire, frame.time_nanos, batch.Append()));
      if (batch.size() < 256) continue;
      if (stages != kDecode) meter->Add(batch, receive);
      batch.Clear();
    }
    meter->Add(batch, receive);
    meter->Close(receive);
    encoder->Flush(absl::FromUnixNanos(meter->now_nanos()));
    flows += meter->counters().flows_started;
    records += encoder->counters().records;
    octets += transport.octets;
  }
  const auto runs = static_cast<double>(state.iterations());
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * packets.frames.size()));
  state.counters["flows"] = static_cast<double>(flows) / runs;
  state.counters["records"] = static_cast<double>(records) / runs;
  state.counters["octets"] = static_cast<double>(octets) / runs;
}

void BM_Decode(benchmark::State& state) { Run(state, kDecode, sink::ExportFormat::kIpfix); }
void BM_DecodeAndMeter(benchmark::State& state) { Run(state, kMeter, sink::ExportFormat::kIpfix); }
void BM_ProbeIpfix(benchmark::State& state) { Run(state, kExport, sink::ExportFormat::kIpfix); }
void BM_ProbeNetflow9(benchmark::State& state) { Run(state, kExport, sink::ExportFormat::kNetflow9); }
void BM_ProbeNetflow5(benchmark::State& state) { Run(state, kExport, sink::ExportFormat::kNetflow5); }
BENCHMARK(BM_Decode)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_DecodeAndMeter)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_ProbeIpfix)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_ProbeNetflow9)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_ProbeNetflow5)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace flowacct::collector

BENCHMARK_MAIN();
