// The data road on generated workloads, from the octets of captured frames in memory: what decoding alone costs, with
// the 5-tuple or with all fields, and what accounting adds. The whole process, reading and printing too, is measured by
// benchmarks/versus.

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/collector/export/export_extractor.h"
#include "flowacct/collector/export/new_export_decoder.h"
#include "flowacct/collector/generate/workload.h"
#include "flowacct/enrich/rules/rules.h"
#include "flowacct/enrich/rules/rules_enricher.h"
#include "flowacct/packet/packet_decoder.h"
#include "flowacct/pipeline/pipeline.h"
#include "flowacct/record/flow_batch.h"

namespace flowacct {
namespace {

using F = record::FieldId;
using collector::WorkloadKind;

constexpr uint64_t kRecords = 300000;
constexpr size_t kBatchRows = 512;

struct Frames {
  std::vector<std::string> octets;
  std::vector<collector::CapturedPacket> packets;
};

const Frames& Workload(WorkloadKind kind) {
  static auto* workloads = new std::vector<Frames>(8);
  Frames& frames = (*workloads)[static_cast<size_t>(kind)];
  if (!frames.packets.empty()) return frames;
  collector::WorkloadOptions options;
  options.kind = kind;
  options.records = kRecords;
  auto generator = collector::NewWorkloadGenerator(options);
  collector::CapturedPacket packet;
  while ((*generator)->Next(&packet)) {
    frames.octets.emplace_back(base::AsText(packet.octets));
    frames.packets.push_back(packet);
  }
  for (size_t i = 0; i < frames.packets.size(); ++i) frames.packets[i].octets = base::AsOctets(frames.octets[i]);
  return frames;
}

const std::vector<F>& FiveTuple() {
  static const auto* fields = new std::vector<F>{F::kSrcAddr,  F::kDstAddr, F::kSrcPort, F::kDstPort,
                                                 F::kProtocol, F::kPackets, F::kBytes,   F::kFlows};
  return *fields;
}

// What the generated NetFlow v9 template tells.
const std::vector<F>& AllTold() {
  static const auto* fields =
      new std::vector<F>{F::kSrcAddr, F::kDstAddr, F::kSrcPort,   F::kDstPort, F::kProtocol,  F::kTos,     F::kTcpFlags,
                         F::kInIf,    F::kOutIf,   F::kNextHop,   F::kSrcAs,   F::kDstAs,     F::kSrcMask, F::kDstMask,
                         F::kBytes,   F::kPackets, F::kStartTime, F::kEndTime, F::kDirection, F::kFlows};
  return *fields;
}

// Hands every frame to its decoder; `consume` takes the rows, a batch at a time.
template <typename Consume>
void Decode(benchmark::State& state, WorkloadKind kind, const record::Layout& layout, base::Interner* interner,
            Consume consume) {
  const Frames& frames = Workload(kind);
  record::FlowBatch batch(&layout, interner);
  auto exports = collector::NewExportDecoder(&layout);
  collector::ExportExtractor extractor;
  packet::PacketDecoder packets(&layout, interner);
  uint64_t rows = 0;
  for (auto _ : state) {
    for (const collector::CapturedPacket& packet : frames.packets) {
      if (kind == WorkloadKind::kPackets) {
        (void)packets.Decode(static_cast<packet::LinkType>(packet.link_type), packet.octets, packet.wire_length,
                             packet.time_nanos, batch.Append());
      } else {
        record::Datagram datagram;
        if (extractor.Extract(packet, &datagram)) (void)exports->Decode(datagram, {&batch});
      }
      if (batch.size() < kBatchRows) continue;
      rows += batch.size();
      consume(batch);
      batch.Clear();
    }
    rows += batch.size();
    consume(batch);
    batch.Clear();
  }
  if (rows != kRecords * state.iterations()) state.SkipWithError("records were lost");
  state.SetItemsProcessed(static_cast<int64_t>(rows));
}

void BM_Decode(benchmark::State& state, WorkloadKind kind, const std::vector<F>& fields) {
  const record::Layout layout(fields);
  base::Interner interner;
  Decode(state, kind, layout, &interner, [](record::FlowBatch& batch) { benchmark::DoNotOptimize(batch.data()); });
}

void BM_DecodeEveryField(benchmark::State& state, WorkloadKind kind) {
  const record::Layout layout = record::Layout::All();
  base::Interner interner;
  Decode(state, kind, layout, &interner, [](record::FlowBatch& batch) { benchmark::DoNotOptimize(batch.data()); });
}

void BM_Account(benchmark::State& state, WorkloadKind kind, std::vector<std::vector<std::string>> aggregations) {
  base::Interner interner;
  pipeline::PipelineOptions options;
  options.scale_sampled = false;
  for (std::vector<std::string>& by : aggregations) {
    options.aggregations.emplace_back();
    options.aggregations.back().aggregator.by = by;
  }
  auto pipeline = pipeline::Pipeline::New(options, &interner);
  Decode(state, kind, (*pipeline)->layout(), &interner, [&](record::FlowBatch& batch) { (*pipeline)->Process(batch); });
}

// As BM_Account by the 5-tuple, and a tag that so many rules set by exporter, interface (there are 32) and a /16 of the
// source.
void BM_AccountWithRules(benchmark::State& state) {
  std::string text;
  for (int64_t i = 0; i < state.range(0); ++i) {
    const uint32_t network = static_cast<uint32_t>(i / 32) * 40503u << 16;
    absl::StrAppend(&text, "set tag ", i + 1, " where exporter = 192.0.2.1 and in_if = ", 1 + i % 32,
                    " and src_addr in ", base::IpAddress::V4(network).ToString(), "/16\n");
  }
  base::Interner interner;
  pipeline::PipelineOptions options;
  options.scale_sampled = false;
  options.aggregations.emplace_back();
  options.aggregations.back().aggregator.by = {"src_addr", "dst_addr", "src_port", "dst_port", "protocol", "tag"};
  auto rules = enrich::Rules::Parse({{"rules", text}});
  if (!rules.ok()) return state.SkipWithError(rules.status().ToString().c_str());
  if (state.range(0) > 0) options.enrichers = {enrich::RulesEnricher::Factory(*rules)};
  auto pipeline = pipeline::Pipeline::New(options, &interner);
  Decode(state, WorkloadKind::kNetFlow9, (*pipeline)->layout(), &interner,
         [&](record::FlowBatch& batch) { (*pipeline)->Process(batch); });
}
BENCHMARK(BM_AccountWithRules)->Arg(0)->Arg(10)->Arg(1000)->Arg(100000)->Unit(benchmark::kMillisecond);

const std::vector<std::string> kFiveTupleKey = {"src_addr", "dst_addr", "src_port", "dst_port", "protocol"};
const std::vector<std::string> kAsPair = {"src_as", "dst_as"};
const std::vector<std::string> kNetworks = {"src_addr/24", "dst_addr/24"};

BENCHMARK_CAPTURE(BM_Decode, v5_five_tuple, WorkloadKind::kNetFlow5, FiveTuple())->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Decode, v9_five_tuple, WorkloadKind::kNetFlow9, FiveTuple())->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Decode, v9_all_told, WorkloadKind::kNetFlow9, AllTold())->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_DecodeEveryField, v9, WorkloadKind::kNetFlow9)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Decode, ipfix_five_tuple, WorkloadKind::kIpfix, FiveTuple())->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Decode, sflow_five_tuple, WorkloadKind::kSflow, FiveTuple())->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Decode, packets_five_tuple, WorkloadKind::kPackets, FiveTuple())->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Account, v9_five_tuple, WorkloadKind::kNetFlow9, {kFiveTupleKey})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Account, v9_three, WorkloadKind::kNetFlow9, {kFiveTupleKey, kAsPair, kNetworks})
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Account, sflow_five_tuple, WorkloadKind::kSflow, {kFiveTupleKey})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Account, packets_five_tuple, WorkloadKind::kPackets, {kFiveTupleKey})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace flowacct

BENCHMARK_MAIN();
