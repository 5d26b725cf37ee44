#include "flowacct/collector/probe/probe.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "flowacct/collector/count_text.h"
#include "flowacct/collector/probe/export_sender.h"
#include "flowacct/collector/probe/pcap_transport.h"
#include "flowacct/meter/packet_sampler.h"
#include "flowacct/sink/export/new_export_encoder.h"
#include "flowacct/sink/export/sflow_encoder.h"

namespace flowacct::collector {
namespace {

using record::FieldId;
using sink::ExportFormat;

constexpr int64_t kFlushNanos = 1000000000;
// A datagram of UDP over IPv4.
constexpr size_t kMaxUdpOctets = 65535 - 28;
// TCP: as long as it takes, while the collector takes anything.
constexpr absl::Duration kPatience = absl::Seconds(10);

// IANA's port of IPFIX, and those that everybody uses for the others.
uint16_t PortOf(ExportFormat format) {
  switch (format) {
    case ExportFormat::kIpfix:
      return 4739;
    case ExportFormat::kSflow5:
      return 6343;
    default:
      return 2055;
  }
}

// What a sample tells beside the packet's own octets.
constexpr FieldId kSampleFields[] = {FieldId::kSrcAddr,   FieldId::kDstAddr,     FieldId::kSrcPort,  FieldId::kDstPort,
                                     FieldId::kProtocol,  FieldId::kTos,         FieldId::kTcpFlags, FieldId::kPackets,
                                     FieldId::kBytes,     FieldId::kInIf,        FieldId::kOutIf,    FieldId::kInVlan,
                                     FieldId::kOutVlan,   FieldId::kCos,         FieldId::kNextHop,  FieldId::kSrcMask,
                                     FieldId::kDstMask,   FieldId::kBgpNextHop,  FieldId::kSrcAs,    FieldId::kDstAs,
                                     FieldId::kPeerSrcAs, FieldId::kPeerDstAs,   FieldId::kAsPath,   FieldId::kStdComm,
                                     FieldId::kLocalPref, FieldId::kSamplingRate};

// header_protocol of sflow_version_5.txt.
std::optional<uint32_t> HeaderProtocol(uint32_t link_type) {
  switch (static_cast<packet::LinkType>(link_type)) {
    case packet::LinkType::kEthernet:
      return 1;
    case packet::LinkType::kIpv4:
      return 11;
    case packet::LinkType::kIpv6:
      return 12;
    default:
      return std::nullopt;
  }
}

// Leaves out the packets that are not sampled, and hands the others to an exporter of sFlow, if it is one.
class SamplingObserver final : public InputObserver {
 public:
  SamplingObserver(uint32_t rate, sink::SflowEncoder* sflow, record::FlowBatch* rows)
      : sampler_(rate), sflow_(sflow), rows_(rows) {}

  void OnCapture(absl::string_view, const CaptureKindEvidence&) override {}
  void OnDatagram(const record::Datagram&) override {}
  void OnDatagramEnd(const record::Datagram&, base::DecodeResult, absl::string_view) override {}
  void OnPacket(const CapturedPacket&) override { take_ = sampler_.Take(); }
  void OnPacketEnd(const CapturedPacket& packet, base::DecodeResult result) override {
    ++pool_;
    if (!result.ok()) return;
    if (!take_) {
      ++passed_over_;
      rows_->Truncate(rows_->size() - 1);
      return;
    }
    const std::optional<uint32_t> protocol = HeaderProtocol(packet.link_type);
    if (sflow_ == nullptr || !protocol.has_value()) return;
    sink::SampledPacket sampled;
    sampled.header_protocol = *protocol;
    sampled.octets = packet.octets;
    sampled.length = packet.wire_length;
    sampled.pool = std::exchange(pool_, 0);
    sflow_->AddPacket(sampled, rows_->row(rows_->size() - 1), rows_->interner(),
                      absl::FromUnixNanos(packet.time_nanos));
    ++records_;
    rows_->Truncate(rows_->size() - 1);
  }

  uint64_t passed_over() const { return passed_over_; }
  // That went to the exporter at once.
  uint64_t records() const { return records_; }

 private:
  meter::PacketSampler sampler_;
  sink::SflowEncoder* sflow_;
  record::FlowBatch* rows_;
  bool take_ = true;
  uint32_t pool_ = 0;  // packets since the last sample
  uint64_t passed_over_ = 0, records_ = 0;
};

}  // namespace

absl::StatusOr<ProbeOutcome> RunProbe(ProbeOptions options) {
  const bool sflow = options.exports.format == ExportFormat::kSflow5;
  if (options.exports.max_datagram_octets > kMaxUdpOctets) {
    return absl::InvalidArgumentError(absl::StrCat("max_datagram_octets = ", options.exports.max_datagram_octets,
                                                   ": UDP has room for ", kMaxUdpOctets));
  }
  if (options.sample == 0) return absl::InvalidArgumentError("sample = 0: one packet in so many, at least 1");
  const uint64_t told_rate = std::max<uint64_t>(options.exports.sampling_rate, 1);
  if (options.sample > 1) {
    if (__builtin_mul_overflow(told_rate, options.sample, &options.exports.sampling_rate)) {
      return absl::InvalidArgumentError("sampling_rate times sample is beyond 64 bits");
    }
  }
  options.meter.fields.insert(options.meter.fields.end(), options.exports.fields.begin(), options.exports.fields.end());

  base::Interner interner;
  auto meter = meter::FlowMeter::New(options.meter, &interner);
  if (!meter.ok()) return meter.status();
  std::unique_ptr<PcapTransport> pcap;
  std::unique_ptr<ExportSender> sender;
  sink::ExportTransport* transport;
  // Options are looked at before anything is opened or written.
  class Nowhere : public sink::ExportTransport {
    absl::Status Send(base::Octets, uint64_t) override { return absl::OkStatus(); }
  } nowhere;
  if (auto checked = sink::NewExportEncoder(options.exports, &nowhere); !checked.ok()) return checked.status();
  if (absl::StrContains(options.output, "://")) {
    ExportSenderOptions to;
    to.transport.to = options.output;
    to.transport.send_wait = kPatience;
    to.datagrams_per_second = options.datagrams_per_second;
    to.close_patience = kPatience;
    auto made = ExportSender::New(std::move(to));
    if (!made.ok()) return made.status();
    if ((*made)->HasSessions() && options.exports.format != ExportFormat::kIpfix) {
      return absl::InvalidArgumentError(absl::StrCat(options.output, ": ",
                                                     sink::ExportFormatName(options.exports.format),
                                                     " goes over udp:// alone; ipfix goes over connections"));
    }
    sender = *std::move(made);
    transport = sender.get();
  } else {
    auto made = PcapTransport::New(options.output, PortOf(options.exports.format));
    if (!made.ok()) return made.status();
    pcap = *std::move(made);
    transport = pcap.get();
  }
  auto made_encoder = sink::NewExportEncoder(options.exports, transport);
  if (!made_encoder.ok()) return made_encoder.status();
  sink::ExportEncoder& encoder = **made_encoder;

  const record::Layout samples_layout(kSampleFields);
  const record::Layout& layout = sflow ? samples_layout : (*meter)->layout();
  encoder.Bind(&layout);
  record::FlowBatch batch(&layout, &interner);
  SamplingObserver observer(options.sample, sflow ? static_cast<sink::SflowEncoder*>(&encoder) : nullptr, &batch);
  InputObserver* const observed = sflow || options.sample > 1 ? &observer : nullptr;

  ProbeOutcome outcome;
  const record::DecodeOutput output{&batch, /*counters=*/nullptr, /*listener=*/nullptr};
  int64_t flushed_nanos = 0;
  const auto set_time = [&](int64_t nanos) {
    if (pcap != nullptr) pcap->set_time_nanos(nanos);
  };
  const auto receive = [&](const record::FlowBatch& flows) {
    encoder.Add(flows, absl::FromUnixNanos((*meter)->now_nanos()));
  };
  const auto interrupted = [&] { return options.interrupted && options.interrupted(); };
  options.input.reader.interrupted = options.interrupted;
  CaptureInput input(&layout, &interner, options.input);
  for (const std::string& file : options.files) {
    if (const absl::Status status = input.Open(file); !status.ok()) {
      outcome.interrupted = interrupted();
      if (outcome.interrupted) break;
      outcome.failures.push_back(status);
      continue;
    }
    while (!outcome.interrupted) {
      const absl::StatusOr<bool> more = input.Decode(output, observed);
      if (!more.ok()) {
        outcome.interrupted = absl::IsCancelled(more.status());
        if (!outcome.interrupted) outcome.failures.push_back(more.status());
      }
      if (!more.ok() || !*more) break;
      outcome.records += batch.size();
      const int64_t now = input.last_time_nanos();
      set_time(now);
      if (sflow) {
        encoder.Add(batch, absl::FromUnixNanos(now));
      } else {
        (*meter)->Add(batch, receive);
      }
      batch.Clear();
      if (now - flushed_nanos >= kFlushNanos || now < flushed_nanos) {
        encoder.Flush(absl::FromUnixNanos(now));
        flushed_nanos = now;
      }
      if (options.progress) options.progress(*input.reader());
      outcome.interrupted = interrupted();
    }
    if (outcome.interrupted) break;
  }
  const int64_t now = sflow ? input.last_time_nanos() : (*meter)->now_nanos();
  set_time(now);
  (*meter)->Close(receive);
  encoder.Flush(absl::FromUnixNanos(now));
  if (encoder.counters().datagrams_lost > 0) outcome.failures.push_back(encoder.last_failure());
  outcome.exports = encoder.counters();
  if (sender != nullptr) {
    sender->Settle();
    std::string trouble = sender->trouble();
    sender->Close().IgnoreError();  // it has none
    outcome.exports.rows_lost += sender->rows_lost();
    outcome.exports.rows_exported -= sender->rows_lost();
    if (trouble.empty()) trouble = sender->trouble();
    if (sender->rows_lost() > 0) outcome.failures.push_back(absl::UnavailableError(trouble));
  }
  if (pcap != nullptr) {
    const absl::Status status = pcap->Close();
    if (!status.ok() && (outcome.failures.empty() || outcome.failures.back() != status)) {
      outcome.failures.push_back(status);
    }
  }
  outcome.input = input.counters();
  outcome.records += observer.passed_over() + observer.records();
  outcome.passed_over = observer.passed_over();
  outcome.meter = (*meter)->counters();
  return outcome;
}

std::vector<std::string> Summary(const ProbeOutcome& outcome) {
  std::vector<std::string> lines;
  const sink::ExportCounters& exports = outcome.exports;
  std::string first =
      absl::StrCat(Count(outcome.input.packets, "packet"), " from ", Count(outcome.input.files, "file"), ": ");
  if (outcome.meter.rows_in > 0) absl::StrAppend(&first, Count(outcome.meter.flows_started, "flow"), ", ");
  absl::StrAppend(&first, Count(exports.records, "record"), " in ", Count(exports.datagrams, "datagram"));
  lines.push_back(std::move(first));
  if (outcome.passed_over > 0)
    lines.push_back(absl::StrCat(Count(outcome.passed_over, "packet"), " passed over by sampling"));
  const uint64_t refused_packets = outcome.input.accounted.not_ip + outcome.input.accounted.errors.errors();
  if (refused_packets > 0) {
    lines.push_back(absl::StrCat(Count(refused_packets, "packet"), " aside that held no IP or could not be read"));
  }
  const uint64_t crowded = outcome.meter.flows_ended[static_cast<size_t>(meter::FlowEndReason::kLackOfResources)];
  if (crowded > 0) {
    lines.push_back(absl::StrCat(Count(crowded, "flow"), " ended before their time: more at once than --max-flows"));
  }
  if (outcome.meter.clock_steps > 0) {
    lines.push_back(
        absl::StrCat("time went back ", Count(outcome.meter.clock_steps, "time"), ": all flows ended there"));
  }
  for (size_t i = 0; i < sink::kExportRefusals; ++i) {
    if (exports.rows_refused[i] == 0) continue;
    lines.push_back(absl::StrCat(Count(exports.rows_refused[i], "record"),
                                 " not exported: ", sink::ExportRefusalHelp(static_cast<sink::ExportRefusal>(i))));
  }
  if (exports.rows_lost > 0) {
    lines.push_back(absl::StrCat(Count(exports.rows_lost, "record"), " lost in datagrams that did not get through"));
  }
  if (exports.values_unfit > 0) {
    lines.push_back(absl::StrCat(Count(exports.values_unfit, "value"), " that the format has no room for: told as 0"));
  }
  if (exports.rows_filled > 0) {
    lines.push_back(
        absl::StrCat(Count(exports.rows_filled, "record"), " told 0 for what they lack: too many templates"));
  }
  if (outcome.interrupted) lines.push_back("incomplete: interrupted");
  return lines;
}

}  // namespace flowacct::collector
