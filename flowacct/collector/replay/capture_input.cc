#include "flowacct/collector/replay/capture_input.h"

#include <utility>

#include "flowacct/collector/export/new_export_decoder.h"
#include "flowacct/packet/describe.h"

namespace flowacct::collector {

CaptureInput::CaptureInput(const record::Layout* layout, base::Interner* interner, CaptureInputOptions options)
    : options_(std::move(options)),
      exports_(NewExportDecoder(layout)),
      packet_decoder_(layout, interner, options_.packets) {}

absl::Status CaptureInput::Open(absl::string_view path) {
  reader_.reset();
  auto reader = CaptureReader::Open(path, options_.reader);
  if (!reader.ok()) return reader.status();
  reader_ = *std::move(reader);
  packets_ = {};
  decided_ = false;
  ++counters_.files;
  return absl::OkStatus();
}

absl::StatusOr<bool> CaptureInput::Decode(const record::DecodeOutput& output, InputObserver* observer) {
  if (packets_.empty()) {
    auto packets = reader_->NextBatch();
    if (!packets.ok()) return packets.status();
    if (packets->empty()) return false;
    packets_ = *packets;
    if (!decided_) {
      first_time_nanos_ = packets_.front().time_nanos;
      evidence_ = DecideCaptureKind(packets_);
      if (options_.as) evidence_.kind = *options_.as;
      decided_ = true;
      if (observer != nullptr) observer->OnCapture(reader_->name(), evidence_);
    }
  }
  const bool exports = evidence_.kind == CaptureKind::kExports;
  size_t done = 0;
  do {
    const CapturedPacket& packet = packets_[done++];
    ++counters_.packets;
    counters_.octets += packet.octets.size();
    if (exports) {
      DecodeExport(packet, output, observer);
    } else {
      DecodePacket(packet, output, observer);
    }
  } while (done < packets_.size() && output.flows->size() < kBatchRows);
  // Of what was decoded and not of the block: bins are closed by this time.
  last_time_nanos_ = packets_[done - 1].time_nanos;
  packets_.remove_prefix(done);
  return true;
}

void CaptureInput::DecodeExport(const CapturedPacket& packet, const record::DecodeOutput& output,
                                InputObserver* observer) {
  record::Datagram datagram;
  if (!extractor_.Extract(packet, &datagram)) return;
  if (observer != nullptr) observer->OnDatagram(datagram);
  const base::DecodeResult result = exports_->Decode(datagram, output);
  counters_.datagram_errors.Count(result.code);
  if (observer != nullptr) observer->OnDatagramEnd(datagram, result, ExportProtocolName(exports_->last_protocol()));
}

void CaptureInput::DecodePacket(const CapturedPacket& packet, const record::DecodeOutput& output,
                                InputObserver* observer) {
  if (observer != nullptr) observer->OnPacket(packet);
  const auto link_type = static_cast<packet::LinkType>(packet.link_type);
  const size_t row_number = output.flows->size();
  const record::MutableRow row = output.flows->Append();
  const base::DecodeResult result =
      packet_decoder_.Decode(link_type, packet.octets, packet.wire_length, packet.time_nanos, row);
  if (!result.ok()) output.flows->Truncate(row_number);
  if (output.listener != nullptr) {
    output.listener->OnRecord(record::RecordKind::kFlow, /*template_id=*/0);
    (void)packet::Parse(link_type, packet.octets, packet.wire_length, &view_);
    packet::Describe(view_, output.listener);
    output.listener->OnRecordEnd(result.ok() ? 1 : 0);
  }
  if (observer != nullptr) observer->OnPacketEnd(packet, result);
}

InputCounters CaptureInput::counters() const {
  InputCounters counters = counters_;
  counters.extracted = extractor_.counters();
  counters.reassembly = extractor_.reassembler_counters();
  counters.waiting_fragmented = extractor_.waiting_fragmented();
  counters.accounted = packet_decoder_.counters();
  return counters;
}

}  // namespace flowacct::collector
