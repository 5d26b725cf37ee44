#include "flowacct/collector/server/input_decoder.h"

#include <string>
#include <utility>

#include "flowacct/meter/flow_end_reason.h"
#include "flowacct/packet/link_type.h"
#include "flowacct/record/field.h"

namespace flowacct::collector {

using record::FieldId;

// A meter with what is around it: packets wait in a batch of its layout, flows are cut to the pipelines' one.
struct InputDecoder::Metering {
  Metering(const meter::MeterOptions& options, const record::Layout& layout, base::Interner* interner)
      : meter(*meter::FlowMeter::New(options, interner)),
        packets(&meter->layout(), interner),
        projection(meter->layout(), layout) {
    meter->Bind(&meter->layout());
  }

  auto Receiver(record::FlowBatch* rows) {
    return [this, rows](const record::FlowBatch& flows) {
      const std::string blank(rows->stride(), '\0');
      uint8_t* const first = rows->AppendCopies(flows.size(), reinterpret_cast<const uint8_t*>(blank.data()));
      projection.Apply(flows.data(), flows.stride(), flows.size(), first, rows->stride());
    };
  }

  std::unique_ptr<meter::FlowMeter> meter;
  record::FlowBatch packets;
  record::Projection projection;
};

InputDecoder::InputDecoder(const record::Layout* layout, base::Interner* interner, InputDecoderOptions options)
    : options_(std::move(options)),
      layout_(layout),
      interner_(interner),
      exports_(NewExportDecoder(layout, options_.exports)),
      sampler_(options_.sampling_rate),
      messages_(options_.messages) {
  if (options_.sessions == nullptr) return;
  tap_ = std::make_unique<SessionTap>(options_.sessions->service.get());
  if (options_.session_records) {
    records_ = std::make_unique<RecordRows>(options_.sessions->service.get(), *layout_);
  }
}

InputDecoder::~InputDecoder() = default;

void InputDecoder::MakePacketDecoder() {
  const record::Layout* layout = layout_;
  if (options_.meter) {
    meter::MeterOptions options = *options_.meter;
    for (const FieldId field : layout_->fields()) options.fields.emplace_back(record::Info(field).name);
    options.custom_fields = layout_->custom_fields();
    metering_ = std::make_unique<Metering>(options, *layout_, interner_);
    layout = &metering_->meter->layout();
  }
  packet::PacketDecoderOptions packets = options_.packets;
  packets.gtp_tap = tap_.get();
  packets_ = std::make_unique<packet::PacketDecoder>(layout, interner_, std::move(packets));
}

void InputDecoder::Rebind(const record::Layout* layout, base::Interner* interner) {
  exports_->Rebind(layout);
  layout_ = layout;
  interner_ = interner;
  if (records_ != nullptr) {
    records_ = std::make_unique<RecordRows>(options_.sessions->service.get(), *layout_);
  }
  if (metering_ != nullptr) {
    evicted_before_ +=
        metering_->meter->counters().flows_ended[static_cast<size_t>(meter::FlowEndReason::kLackOfResources)];
    metering_.reset();
  }
  packets_.reset();
}

base::DecodeResult InputDecoder::DecodeDatagram(const record::Datagram& datagram, record::FlowBatch* rows) {
  const base::DecodeResult result = exports_->Decode(datagram, {rows, nullptr, nullptr});
  decoded_.Count(result.code);
  return result;
}

base::DecodeResult InputDecoder::DecodeMessage(base::Octets message, record::FlowBatch* rows) {
  const base::DecodeResult result = messages_.Decode(message, rows);
  decoded_.Count(result.code);
  return result;
}

void InputDecoder::DecodePacket(const CapturedPacket& packet, CaptureKind kind, bool tell_interfaces,
                                record::FlowBatch* rows) {
  if (kind == CaptureKind::kExports) {
    record::Datagram datagram;
    if (extractor_.Extract(packet, &datagram)) (void)DecodeDatagram(datagram, rows);
    return;
  }
  if (!sampler_.Take()) return;
  if (packets_ == nullptr) MakePacketDecoder();
  record::FlowBatch* const target = metering_ == nullptr ? rows : &metering_->packets;
  const size_t row_number = target->size();
  record::MutableRow row = target->Append();
  const base::DecodeResult result = packets_->Decode(static_cast<packet::LinkType>(packet.link_type), packet.octets,
                                                     packet.wire_length, packet.time_nanos, row);
  decoded_.Count(result.code);
  if (!result.ok()) return target->Truncate(row_number);
  if (tell_interfaces && packet.in_if != 0) row.Set<FieldId::kInIf>(packet.in_if);
  if (tell_interfaces && packet.out_if != 0) row.Set<FieldId::kOutIf>(packet.out_if);
  if (packet.mark != 0) row.Set<FieldId::kTag>(packet.mark);
  if (sampler_.rate() == 1) return;
  row.Set<FieldId::kSamplingRate>(sampler_.rate());
  row.Set<FieldId::kSamplingSource>(static_cast<uint8_t>(record::SamplingSource::kConfigured));
}

void InputDecoder::EndPackets(record::FlowBatch* rows) {
  if (metering_ == nullptr || metering_->packets.empty()) return;
  metering_->meter->Add(metering_->packets, metering_->Receiver(rows));
  metering_->packets.Clear();
}

void InputDecoder::Advance(absl::Time now, record::FlowBatch* rows) {
  if (options_.sessions != nullptr) options_.sessions->service->Advance(absl::ToUnixNanos(now));
  if (records_ != nullptr) records_->AppendNew(rows);
  if (metering_ != nullptr) metering_->meter->Advance(now, metering_->Receiver(rows));
}

void InputDecoder::Drain(record::FlowBatch* rows) {
  EndPackets(rows);
  if (records_ != nullptr) records_->AppendNew(rows);
  if (metering_ != nullptr) metering_->meter->Close(metering_->Receiver(rows));
}

void InputDecoder::AddTo(InputStatus* status) const {
  for (size_t i = 0; i < base::kDecodeCodeCount; ++i) {
    const auto code = static_cast<base::DecodeCode>(i);
    status->decoded.Count(code, decoded_[code]);
  }
  const ExtractCounters& extracted = extractor_.counters();
  status->aside += extracted.packets - extracted.datagrams;
  status->not_sampled += sampler_.seen() - sampler_.taken();
  status->meter_evicted += evicted_before_;
  if (metering_ == nullptr) return;
  status->meter_flows += metering_->meter->flows();
  status->meter_evicted +=
      metering_->meter->counters().flows_ended[static_cast<size_t>(meter::FlowEndReason::kLackOfResources)];
}

}  // namespace flowacct::collector
