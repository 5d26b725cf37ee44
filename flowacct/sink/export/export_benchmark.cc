// Rows a second into datagrams that nobody takes, on one core: flows as a meter gives them, IPv4 and IPv6, TCP, UDP and
// ICMP, in batches of 256.

#include <benchmark/benchmark.h>

#include <cstdint>

#include "absl/time/time.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octet_hash.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/sink/export/new_export_encoder.h"

namespace flowacct::sink {
namespace {

using record::FieldId;

constexpr size_t kRows = 256;
constexpr int64_t kNow = 1700000000000000000;
constexpr FieldId kFields[] = {FieldId::kSrcAddr,  FieldId::kDstAddr,      FieldId::kSrcPort,  FieldId::kDstPort,
                               FieldId::kProtocol, FieldId::kTos,          FieldId::kVlan,     FieldId::kInIf,
                               FieldId::kOutIf,    FieldId::kIcmpType,     FieldId::kIcmpCode, FieldId::kSamplingRate,
                               FieldId::kTcpFlags, FieldId::kPackets,      FieldId::kBytes,    FieldId::kStartTime,
                               FieldId::kEndTime,  FieldId::kFlowEndReason};

class Nowhere final : public ExportTransport {
 public:
  absl::Status Send(base::Octets datagram, uint64_t rows) override {
    octets += datagram.size();
    return absl::OkStatus();
  }
  uint64_t octets = 0;
};

void Fill(record::FlowBatch& batch, bool packets) {
  uint64_t random = 1;
  for (size_t i = 0; i < kRows; ++i) {
    const uint64_t bits = base::NextSecret(&random);
    record::MutableRow row = batch.Append();
    base::IpAddress src = base::IpAddress::V4(static_cast<uint32_t>(bits)), dst = src;
    if (i % 4 == 0) {
      src = *base::IpAddress::Parse("2001:db8::1");
      dst = *base::IpAddress::Parse("2001:db8::2");
    }
    row.Set<FieldId::kSrcAddr>(src);
    row.Set<FieldId::kDstAddr>(dst);
    const uint8_t protocol = i % 16 == 0 ? (i % 4 == 0 ? 58 : 1) : i % 3 == 0 ? 17 : 6;
    row.Set<FieldId::kProtocol>(protocol);
    if (i % 16 == 0) {
      row.Set<FieldId::kIcmpType>(8);
      row.Set<FieldId::kIcmpCode>(0);
    } else {
      row.Set<FieldId::kSrcPort>(static_cast<uint16_t>(bits >> 32));
      row.Set<FieldId::kDstPort>(443);
    }
    if (protocol == 6) row.Set<FieldId::kTcpFlags>(0x1b);
    row.Set<FieldId::kTos>(0);
    row.Set<FieldId::kPackets>(packets ? 1 : 3);
    row.Set<FieldId::kBytes>(1500);
    row.Set<FieldId::kStartTime>(kNow - 2000000000);
    row.Set<FieldId::kEndTime>(kNow - 1000000000);
    row.Set<FieldId::kFlowEndReason>(1);
  }
}

void Run(benchmark::State& state, ExportFormat format) {
  const record::Layout layout(kFields);
  base::Interner interner;
  record::FlowBatch batch(&layout, &interner);
  Fill(batch, format == ExportFormat::kSflow5);
  Nowhere transport;
  ExportOptions options;
  options.format = format;
  auto encoder = *NewExportEncoder(options, &transport);
  encoder->Bind(&layout);
  for (auto _ : state) encoder->Add(batch, absl::FromUnixNanos(kNow));
  const auto rows = static_cast<int64_t>(state.iterations() * kRows);
  state.SetItemsProcessed(rows);
  state.counters["octets"] = static_cast<double>(transport.octets) / static_cast<double>(rows);
}

void BM_Ipfix(benchmark::State& state) { Run(state, ExportFormat::kIpfix); }
void BM_Netflow9(benchmark::State& state) { Run(state, ExportFormat::kNetflow9); }
void BM_Netflow5(benchmark::State& state) { Run(state, ExportFormat::kNetflow5); }
void BM_Sflow(benchmark::State& state) { Run(state, ExportFormat::kSflow5); }
BENCHMARK(BM_Ipfix);
BENCHMARK(BM_Netflow9);
BENCHMARK(BM_Netflow5);
BENCHMARK(BM_Sflow);

}  // namespace
}  // namespace flowacct::sink

BENCHMARK_MAIN();
