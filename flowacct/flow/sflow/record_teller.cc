#include "flowacct/flow/sflow/record_teller.h"

#include "absl/strings/str_cat.h"
#include "flowacct/flow/sflow/header_protocol.h"
#include "flowacct/flow/sflow/record_format.h"

namespace flowacct::sflow {

namespace {

using base::Octets;
using record::ElementType;

ElementType TypeOf(XdrType type, size_t size) {
  switch (type) {
    case XdrType::kU32:
    case XdrType::kU64:
      return ElementType::kUnsigned;
    case XdrType::kI32:
      return ElementType::kSigned;
    case XdrType::kFloat:
      return ElementType::kFloat;
    case XdrType::kIpv4:
      return ElementType::kIpv4;
    case XdrType::kIpv6:
      return ElementType::kIpv6;
    case XdrType::kAddress:
      return size == 4 ? ElementType::kIpv4 : size == 16 ? ElementType::kIpv6 : ElementType::kOctets;
    case XdrType::kMac:
      return ElementType::kMac;
    case XdrType::kString:
      return ElementType::kString;
    default:
      return ElementType::kOctets;
  }
}

std::string FormatName(uint32_t data_format) {
  return absl::StrCat(FormatEnterprise(data_format), ":", FormatNumber(data_format));
}

}  // namespace

void RecordTeller::OnField(const XdrField& field, Octets value) {
  listener_->OnElement({field.name, TypeOf(field.type, value.size()), value});
}

void RecordTeller::OnListBegin(const XdrField& field) { listener_->OnListBegin(field.name); }

void RecordTeller::OnListEnd() { listener_->OnListEnd(); }

void RecordTeller::TellNumber(absl::string_view name, uint32_t value) {
  uint8_t octets[4];
  base::StoreBe32(octets, value);
  listener_->OnElement({name, ElementType::kUnsigned, octets});
}

void RecordTeller::TellText(absl::string_view name, absl::string_view value) {
  listener_->OnElement({name, ElementType::kString, base::AsOctets(value)});
}

void RecordTeller::TellEnvelope(const SampleView& sample) {
  TellNumber("datagram.version", datagram_.version());
  const base::IpAddress& agent = datagram_.agent_address();
  if (agent.IsV4()) {
    listener_->OnElement({"datagram.agent_address", ElementType::kIpv4, agent.octets().subspan(12)});
  } else {
    listener_->OnElement({"datagram.agent_address", ElementType::kIpv6, agent.octets()});
  }
  if (datagram_.version() == 5) TellNumber("datagram.sub_agent_id", datagram_.sub_agent_id());
  TellNumber("datagram.sequence_number", datagram_.sequence_number());
  TellNumber("datagram.uptime", datagram_.uptime_milliseconds());
  const absl::string_view name = SampleFormatName(sample.data_format());
  TellText("sample.type", name.empty() ? FormatName(sample.data_format()) : std::string(name));
  if (sample.kind() == SampleKind::kUnknown) return;
  TellNumber("sample.sequence_number", sample.sequence_number());
  TellNumber("sample.source_id_type", sample.source().type);
  TellNumber("sample.source_id_index", sample.source().index);
  switch (sample.kind()) {
    case SampleKind::kFlow:
      TellNumber("sample.sampling_rate", sample.sampling_rate());
      TellNumber("sample.sample_pool", sample.sample_pool());
      TellNumber("sample.drops", sample.drops());
      TellNumber("sample.input_format", sample.input().format);
      TellNumber("sample.input_value", sample.input().value);
      TellNumber("sample.output_format", sample.output().format);
      TellNumber("sample.output_value", sample.output().value);
      break;
    case SampleKind::kDiscardedPacket: {
      TellNumber("sample.drops", sample.drops());
      TellNumber("sample.inputifindex", sample.input().value);
      TellNumber("sample.outputifindex", sample.output().value);
      TellNumber("sample.reason", sample.drop_reason());
      const DropReason* reason = FindDropReason(sample.drop_reason());
      if (reason != nullptr) TellText("sample.reason_name", reason->name);
      break;
    }
    case SampleKind::kCounters:
      if (sample.version() < 5) TellNumber("sample.sampling_interval", sample.sampling_interval_seconds());
      break;
    case SampleKind::kUnknown:
      break;
  }
}

void RecordTeller::TellRecord(const RecordView& record) {
  const RecordFormat* format = record.counters() ? FindCounterFormat(record.data_format())
                                                 : FindFlowFormat(record.version(), record.data_format());
  if (format == nullptr) {
    const std::string name = FormatName(record.data_format());
    listener_->OnElement({name, ElementType::kOctets, record.octets()});
    return;
  }
  size_t walked = 0;
  const base::DecodeResult result = WalkFields(format->fields, record.octets(), this, &walked);
  if (result.ok() && walked == record.octets().size()) return;
  const size_t begin = result.ok() ? walked : result.offset;
  const std::string name = absl::StrCat(format->name, result.ok() ? ".rest" : ".undecoded");
  listener_->OnElement({name, ElementType::kOctets, record.octets().subspan(begin)});
}

void RecordTeller::TellFlow(const SampleView& sample, absl::Span<const RecordView> records, size_t rows) {
  listener_->OnRecord(record::RecordKind::kFlow, 0);
  TellEnvelope(sample);
  for (const RecordView& record : records) TellRecord(record);
  listener_->OnRecordEnd(rows);
}

void RecordTeller::TellCounters(const SampleView& sample, const RecordView& record, size_t rows) {
  listener_->OnRecord(record::RecordKind::kCounter, 0);
  TellEnvelope(sample);
  TellRecord(record);
  listener_->OnRecordEnd(rows);
}

void RecordTeller::TellUnknown(const SampleView& sample) {
  listener_->OnRecord(record::RecordKind::kOption, 0);
  TellEnvelope(sample);
  const std::string name = FormatName(sample.data_format());
  listener_->OnElement({name, ElementType::kOctets, sample.octets()});
  listener_->OnRecordEnd(0);
}

}  // namespace flowacct::sflow
