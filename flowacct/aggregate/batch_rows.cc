#include "flowacct/aggregate/batch_rows.h"

#include <algorithm>

#include "absl/numeric/int128.h"
#include "flowacct/base/octets.h"

namespace flowacct::aggregate {

using record::FieldId;

BatchRows::BatchRows(const Schema& schema, const record::Layout& layout) : projection_(schema.key, layout) {
  for (const FieldId field : schema.key.fields()) {
    if (layout.Has(field) && record::IsInterned(record::Info(field).type)) interned_.push_back(layout.offset(field));
  }
  const auto is_summed = [&schema](FieldId field) {
    return std::any_of(schema.values.begin(), schema.values.end(), [field](const ValueColumn& value) {
      return value.field == field && value.function == Function::kSum;
    });
  };
  for (size_t column = 0; column < schema.values.size(); ++column) {
    const ValueColumn& value = schema.values[column];
    if (!layout.Has(value.field) || schema.key.Has(value.field)) continue;
    const bool sum = value.function == Function::kSum;
    const bool extreme = value.function == Function::kMin || value.function == Function::kMax;
    if (sum || (extreme && !is_summed(value.field))) values_.push_back({column, value.field, sum});
  }
  start_time_ = layout.Has(FieldId::kStartTime) && !schema.key.Has(FieldId::kStartTime);
  end_time_ = layout.Has(FieldId::kEndTime) && !schema.key.Has(FieldId::kEndTime);
}

std::vector<FieldId> BatchRows::Fields(const Schema& schema) {
  std::vector<FieldId> fields(schema.key.fields().begin(), schema.key.fields().end());
  for (const ValueColumn& value : schema.values) {
    if (value.function != Function::kDistinct && value.function != Function::kTop) fields.push_back(value.field);
  }
  fields.push_back(FieldId::kStartTime);
  fields.push_back(FieldId::kEndTime);
  return fields;
}

void BatchRows::Append(const AggregateBatch& batch, size_t first, size_t count, record::FlowBatch* records) const {
  const bool same_interner = &batch.interner() == &records->interner();
  const bool has_bin = batch.bin().end_nanos != 0;
  const size_t end = std::min(batch.size(), first + std::min(count, batch.size()));
  for (size_t i = first; i < end; ++i) {
    // What a sum has beyond 64 bits goes into further records.
    absl::uint128 rest[64] = {};
    bool more = false;
    for (const Value& value : values_) {
      if (!batch.has_value(i, value.column)) continue;
      rest[value.column] = value.sum ? batch.wide_value(i, value.column) : batch.value(i, value.column);
    }
    do {
      more = false;
      record::MutableRow row = records->Append();
      uint8_t* octets = records->data() + (records->size() - 1) * records->stride();
      projection_.Apply(batch.key(i).octets(), 0, 1, octets, records->stride());
      if (!same_interner) {
        for (const uint16_t offset : interned_) {
          const auto id = base::LoadHost<base::InternId>(octets + offset);
          if (id <= base::Interner::kOverflowId) continue;  // these mean the same everywhere
          base::StoreHost(octets + offset, records->interner().Intern(batch.interner().Find(id)));
        }
      }
      for (const Value& value : values_) {
        if (!batch.has_value(i, value.column)) continue;
        const uint64_t part = static_cast<uint64_t>(std::min<absl::uint128>(rest[value.column], UINT64_MAX));
        row.SetNumber(value.field, part);
        if (!value.sum) continue;
        rest[value.column] -= part;
        more |= rest[value.column] != 0;
      }
      if (has_bin && start_time_) row.Set<FieldId::kStartTime>(batch.bin().start_nanos);
      if (has_bin && end_time_) row.Set<FieldId::kEndTime>(batch.bin().end_nanos);
    } while (more);
  }
}

}  // namespace flowacct::aggregate
