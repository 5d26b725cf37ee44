#include "flowacct/flow/template/template_entry.h"

#include <utility>

#include "flowacct/flow/template/record_teller.h"

namespace flowacct::flow {

TemplateEntry::TemplateEntry(Template format, const record::Layout* layout, uint16_t version)
    : format_(std::move(format)) {
  shape_.offsets.resize(format_.fields.size());
  shape_.lengths.resize(format_.fields.size());
  if (format_.kind != record::RecordKind::kFlow) return;
  forward_ = std::make_unique<DecodePlan>(&format_, layout, version, PlanDirection::kForward);
  if (DecodePlan::HasReverse(format_)) {
    reverse_ = std::make_unique<DecodePlan>(&format_, layout, version, PlanDirection::kReverse);
  }
}

size_t TemplateEntry::DecodeOne(base::Octets record, const RecordShape* shape, MessageContext* context,
                                record::FlowBatch* batch) {
  forward_->Run(record.data(), 1, shape, context, batch);
  if (reverse_ == nullptr || !reverse_->IsBiflow(record.data(), shape)) return 1;
  reverse_->Run(record.data(), 1, shape, context, batch);
  return 2;
}

TemplateEntry::Decoded TemplateEntry::DecodeFlows(base::Octets octets, MessageContext* context,
                                                  const record::DecodeOutput& output, RecordTeller* teller) {
  forward_->ApplyMessage(*context);
  if (reverse_ != nullptr) reverse_->ApplyMessage(*context);
  Decoded decoded;
  if (!format_.variable && output.listener == nullptr) {
    decoded.records = octets.size() / format_.record_octets;
    decoded.octets = decoded.records * format_.record_octets;
    forward_->Run(octets.data(), decoded.records, nullptr, context, output.flows);
    if (reverse_ != nullptr) {
      for (size_t i = 0; i < decoded.records; ++i) {
        const uint8_t* record = octets.data() + i * format_.record_octets;
        if (reverse_->IsBiflow(record, nullptr)) reverse_->Run(record, 1, nullptr, context, output.flows);
      }
    }
  } else {
    decoded = Visit(octets, [&](base::Octets record, const RecordShape* shape) {
      if (output.listener == nullptr) {
        DecodeOne(record, shape, context, output.flows);
        return;
      }
      teller->TellRecord(format_, record, shape, record::RecordKind::kFlow, output.listener);
      output.listener->OnRecordEnd(DecodeOne(record, shape, context, output.flows));
    });
  }
  records += decoded.records;
  return decoded;
}

size_t TemplateEntry::memory_octets() const {
  size_t octets = sizeof(TemplateEntry) + format_.memory_octets() + format_.fields.size() * 2 * sizeof(uint32_t);
  if (forward_ != nullptr) octets += forward_->memory_octets();
  if (reverse_ != nullptr) octets += reverse_->memory_octets();
  return octets;
}

record::TemplateReport TemplateEntry::Report() const {
  record::TemplateReport report;
  report.id = format_.id;
  report.kind = format_.kind;
  for (const TemplateField& field : format_.fields) {
    report.fields.push_back({TemplateFieldName(field), field.length, field.scope});
  }
  report.records = records;
  report.definitions = definitions;
  report.redefinitions = redefinitions;
  return report;
}

}  // namespace flowacct::flow
