#include "flowacct/flow/template/decode_plan.h"

#include <cstring>

#include "flowacct/flow/template/plan_compiler.h"
#include "flowacct/record/row.h"

namespace flowacct::flow {

using record::FieldId;
using record::SamplingSource;

DecodePlan::DecodePlan(const Template* format, const record::Layout* layout, uint16_t version, PlanDirection direction)
    : format_(format), layout_(layout), prototype_(layout->row_size(), 0) {
  PlanCompiler(this, version, direction).Compile();
  steps_.shrink_to_fit();
}

void DecodePlan::ApplyMessage(const MessageContext& context, uint16_t template_id) {
  record::MutableRow row(layout_, prototype_.data());
  row.Set<FieldId::kExporter>(context.exporter);
  row.Set<FieldId::kObservationDomain>(context.domain);
  row.Set<FieldId::kExportVersion>(context.version);
  if (context.has_sequence) {
    row.Set<FieldId::kExportSequence>(context.sequence);
  } else {
    row.Unset(FieldId::kExportSequence);
  }
  if (template_id != 0) {
    row.Set<FieldId::kTemplateId>(template_id);
  } else {
    row.Unset(FieldId::kTemplateId);
  }
  row.Set<FieldId::kArrivalTime>(context.arrival_nanos);
  row.Set<FieldId::kExportTime>(context.export_nanos);
  if (!layout_->Has(FieldId::kSamplingRate) && !layout_->Has(FieldId::kSamplingSource)) return;
  uint64_t all = 0;
  if (context.sampling != nullptr) {
    // Records that name their selector are not of another one.
    all = sampling_fields_.selector != kNoField ? context.sampling->all() : context.sampling->AllOrOnly();
  }
  const uint64_t rate = all > 0 ? all : context.header_sampling_rate;
  if (rate > 0) {
    row.Set<FieldId::kSamplingRate>(rate);
    row.Set<FieldId::kSamplingSource>(
        static_cast<uint8_t>(all > 0 ? SamplingSource::kOptions : SamplingSource::kHeader));
  } else {
    row.Unset(FieldId::kSamplingRate);
    row.Unset(FieldId::kSamplingSource);
  }
}

void DecodePlan::Run(const uint8_t* records, size_t count, const RecordShape* shape, MessageContext* context,
                     record::FlowBatch* batch) const {
  RecordRun run;
  run.records = records;
  run.stride = format_->record_octets;
  run.count = count;
  run.offsets = shape == nullptr ? format_->offsets.data() : shape->offsets.data();
  run.lengths = shape == nullptr ? format_->lengths.data() : shape->lengths.data();
  run.rows = batch->AppendCopies(count, prototype_.data());
  run.row_stride = batch->stride();
  run.plan = this;
  run.context = context;
  run.interner = &batch->interner();
  for (const PlanStep& step : steps_) step.kernel(step, run);
}

bool DecodePlan::IsBiflow(const uint8_t* record, const RecordShape* shape) const {
  const uint32_t* offsets = shape == nullptr ? format_->offsets.data() : shape->offsets.data();
  const uint32_t* lengths = shape == nullptr ? format_->lengths.data() : shape->lengths.data();
  for (uint16_t field : reverse_counters_) {
    for (uint32_t i = 0; i < lengths[field]; ++i) {
      if (record[offsets[field] + i] != 0) return true;
    }
  }
  return false;
}

}  // namespace flowacct::flow
