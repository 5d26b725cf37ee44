#include "flowacct/flow/sflow/counter_row.h"

#include <cstring>
#include <optional>

#include "flowacct/record/row.h"

namespace flowacct::sflow {

namespace {

using base::DecodeResult;
using base::Octets;
using record::FieldId;

// Nothing if the counter is not available, or is a number that a counter cannot be.
std::optional<uint64_t> CounterValue(XdrType type, Octets octets) {
  switch (type) {
    case XdrType::kU32: {
      const uint32_t v = base::LoadBe32(octets.data());
      if (v == UINT32_MAX) return std::nullopt;
      return v;
    }
    case XdrType::kU64: {
      const uint64_t v = base::LoadBe64(octets.data());
      if (v == UINT64_MAX) return std::nullopt;
      return v;
    }
    case XdrType::kFloat: {
      const uint32_t bits = base::LoadBe32(octets.data());
      float v;
      std::memcpy(&v, &bits, sizeof(v));
      if (!(v >= 0 && v < 1e15f)) return std::nullopt;  // hsflowd says -1 for unknown; and not a number
      return static_cast<uint64_t>(static_cast<double>(v) * 1000 + 0.5);
    }
    default:
      return std::nullopt;
  }
}

}  // namespace

DecodeResult CounterRows::Append(const SampleView& sample, const RecordView& record, const RecordFormat& format) {
  source_id_ = sample.source().index;
  size_t walked = 0;
  DecodeResult result = WalkFields(format.fields, record.octets(), this, &walked);
  result.offset += static_cast<uint32_t>(record.offset());
  return result;
}

void CounterRows::OnField(const XdrField& field, Octets value) {
  if (batch_ == nullptr || field.counter.empty()) return;
  const std::optional<uint64_t> number = CounterValue(field.type, value);
  if (!number.has_value()) return;
  record::MutableRow row = batch_->Append();
  row.Set<FieldId::kExporter>(datagram_.agent_address());
  row.Set<FieldId::kObservationDomain>(datagram_.sub_agent_id());
  row.Set<FieldId::kExportVersion>(static_cast<uint16_t>(datagram_.version()));
  row.Set<FieldId::kExportSequence>(datagram_.sequence_number());
  row.Set<FieldId::kSourceId>(source_id_);
  if (batch_->layout().Has(FieldId::kCounter)) row.Set<FieldId::kCounter>(batch_->interner().Intern(field.counter));
  row.Set<FieldId::kValue>(*number);
  row.Set<FieldId::kArrivalTime>(arrival_nanos_);
}

}  // namespace flowacct::sflow
