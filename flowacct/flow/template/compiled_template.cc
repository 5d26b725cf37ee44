#include "flowacct/flow/template/compiled_template.h"

#include <utility>

#include "flowacct/flow/template/record_teller.h"

namespace flowacct::flow {
namespace {

// What the heap adds to a block: a header, and rounding up.
constexpr size_t kBlockOctets = 16;

}  // namespace

CompiledTemplate::CompiledTemplate(CompiledTemplates* table, Template format)
    : table_(table), format_(std::move(format)) {
  if (!format_.variable) return;
  shape_.offsets.resize(format_.fields.size());
  shape_.lengths.resize(format_.fields.size());
}

void CompiledTemplate::Compile() {
  table_->octets_ -= memory_octets();
  generation_ = table_->generation_;
  if (format_.kind == record::RecordKind::kFlow) {
    forward_ = std::make_unique<DecodePlan>(&format_, table_->layout_, table_->version_, PlanDirection::kForward);
    if (DecodePlan::HasReverse(format_)) {
      reverse_ = std::make_unique<DecodePlan>(&format_, table_->layout_, table_->version_, PlanDirection::kReverse);
    }
  }
  table_->octets_ += memory_octets();
}

bool CompiledTemplate::DecodeOne(base::Octets record, const RecordShape* shape, MessageContext* context,
                                 record::FlowBatch* batch) {
  forward_->Run(record.data(), 1, shape, context, batch);
  if (reverse_ == nullptr || !reverse_->IsBiflow(record.data(), shape)) return false;
  reverse_->Run(record.data(), 1, shape, context, batch);
  return true;
}

CompiledTemplate::Decoded CompiledTemplate::DecodeFlows(uint16_t id, base::Octets octets, MessageContext* context,
                                                        const record::DecodeOutput& output, RecordTeller* teller) {
  if (generation_ != table_->generation_) Compile();
  forward_->ApplyMessage(*context, id);
  if (reverse_ != nullptr) reverse_->ApplyMessage(*context, id);
  if (!format_.variable && output.listener == nullptr) {
    Decoded decoded;
    decoded.records = octets.size() / format_.record_octets;
    decoded.octets = decoded.records * format_.record_octets;
    forward_->Run(octets.data(), decoded.records, nullptr, context, output.flows);
    if (reverse_ == nullptr) return decoded;
    for (size_t i = 0; i < decoded.records; ++i) {
      const uint8_t* record = octets.data() + i * format_.record_octets;
      if (!reverse_->IsBiflow(record, nullptr)) continue;
      reverse_->Run(record, 1, nullptr, context, output.flows);
      ++decoded.reverse_records;
    }
    return decoded;
  }
  size_t reverse_records = 0;
  Decoded decoded = Visit(octets, [&](base::Octets record, const RecordShape* shape) {
    if (output.listener != nullptr) {
      teller->TellRecord(format_, id, record, shape, record::RecordKind::kFlow, output.listener);
    }
    const bool biflow = DecodeOne(record, shape, context, output.flows);
    reverse_records += biflow;
    if (output.listener != nullptr) output.listener->OnRecordEnd(biflow ? 2 : 1);
  });
  decoded.reverse_records = reverse_records;
  return decoded;
}

size_t CompiledTemplate::memory_octets() const {
  size_t octets = sizeof(CompiledTemplate) + kBlockOctets + format_.heap_octets();
  if (format_.variable) octets += 2 * (shape_.offsets.capacity() * sizeof(uint32_t) + kBlockOctets);
  for (const DecodePlan* plan : {forward_.get(), reverse_.get()}) {
    if (plan != nullptr) octets += plan->memory_octets();
  }
  return octets;
}

CompiledTemplateRef::~CompiledTemplateRef() {
  if (compiled_ != nullptr && --compiled_->uses_ == 0) compiled_->table_->Release(compiled_);
}

CompiledTemplateRef CompiledTemplates::Intern(Template format) {
  auto found = templates_.find(format);
  if (found == templates_.end()) {
    std::unique_ptr<CompiledTemplate> made(new CompiledTemplate(this, std::move(format)));
    octets_ += made->memory_octets();
    made->Compile();
    found = templates_.insert(std::move(made)).first;
  }
  return CompiledTemplateRef(found->get());
}

void CompiledTemplates::Release(CompiledTemplate* compiled) {
  octets_ -= compiled->memory_octets();
  templates_.erase(templates_.find(compiled->format()));
}

size_t CompiledTemplates::memory_octets() const {
  return octets_ + templates_.capacity() * (sizeof(std::unique_ptr<CompiledTemplate>) + 1);
}

}  // namespace flowacct::flow
