#include "flowacct/sink/sql/stored_rows.h"

#include <algorithm>
#include <utility>

#include "absl/numeric/int128.h"
#include "flowacct/base/octets.h"
#include "flowacct/record/stored_value.h"
#include "flowacct/sink/sql/dialect.h"

namespace flowacct::sink::sql {
namespace {

using aggregate::Function;
using record::StoredForm;

Cell::Kind KindOf(StoredForm form) {
  return form == StoredForm::kInteger  ? Cell::Kind::kInteger
         : form == StoredForm::kOctets ? Cell::Kind::kOctets
                                       : Cell::Kind::kText;
}

}  // namespace

StoredRows::StoredRows(const aggregate::Schema& schema) {
  for (const record::FieldId field : schema.key.fields()) {
    const uint16_t index = schema.key.index(field);
    keys_.push_back({record::Info(field).type, schema.key.offset(field), static_cast<uint16_t>(index >> 3),
                     static_cast<uint8_t>(index & 7)});
  }
  for (const aggregate::ValueColumn& value : schema.values) values_.push_back(value.function);
  cells_.resize(keys_.size() + values_.size());
  texts_.resize(cells_.size());
}

void StoredRows::Begin(const aggregate::AggregateBatch& batch) {
  batch_ = &batch;
  row_ = 0;
  plain_ = batch.values_are_plain();
  rest_.clear();
}

absl::Status StoredRows::ForEach(const aggregate::AggregateBatch& batch,
                                 absl::FunctionRef<absl::Status(absl::Span<const Cell>)> emit) {
  Begin(batch);
  while (Next()) {
    if (absl::Status status = emit(cells_); !status.ok()) return status;
  }
  return absl::OkStatus();
}

bool StoredRows::Next() {
  constexpr uint64_t kLargest = INT64_MAX;
  if (!rest_.empty()) {
    for (size_t v = 0; v < values_.size(); ++v) {
      Cell& cell = cells_[keys_.size() + v];
      cell.kind = values_[v] == Function::kSum ? Cell::Kind::kInteger : Cell::Kind::kNull;
      cell.integer = 0;
    }
    for (auto& [v, sum] : rest_) {
      const absl::uint128 part = std::min(sum, absl::uint128(kLargest));
      cells_[keys_.size() + v].integer = static_cast<int64_t>(absl::Uint128Low64(part));
      sum -= part;
    }
    rest_.erase(std::remove_if(rest_.begin(), rest_.end(), [](const auto& r) { return r.second == 0; }), rest_.end());
    return true;
  }
  if (row_ == batch_->size()) return false;
  const size_t row = row_++;
  const uint8_t* const key = batch_->key(row).octets();
  const bool overflow = batch_->is_overflow(row);
  for (size_t i = 0; i < keys_.size(); ++i) {
    const Key& k = keys_[i];
    Cell& cell = cells_[i];
    if (overflow || (key[k.presence_octet] >> k.presence_bit & 1) == 0) {
      cell.kind = Cell::Kind::kNull;
      continue;
    }
    const record::StoredValue value = record::ToStored(k.type, key + k.offset, batch_->interner(), &texts_[i]);
    cell.kind = KindOf(record::StoredFormOf(k.type));
    cell.integer = value.integer;
    cell.octets = value.octets;
  }
  const uint8_t* const values = batch_->values(row);
  for (size_t v = 0; v < values_.size(); ++v) {
    Cell& cell = cells_[keys_.size() + v];
    cell.kind = Cell::Kind::kInteger;
    const uint64_t number = base::LoadHost<uint64_t>(values + 8 * v);
    cell.integer = static_cast<int64_t>(number);
    if (values_[v] == Function::kSum) {
      if (plain_ && number <= kLargest) continue;
      const absl::uint128 sum = batch_->wide_value(row, v);
      const absl::uint128 part = std::min(sum, absl::uint128(kLargest));
      cell.integer = static_cast<int64_t>(absl::Uint128Low64(part));
      if (sum > part) rest_.emplace_back(v, sum - part);
    } else if (values_[v] == Function::kTop) {
      std::string& text = texts_[keys_.size() + v];
      text = Storable(batch_->text(row, v));
      cell.kind = Cell::Kind::kText;
      cell.octets = text;
    } else if (!plain_ && !batch_->has_value(row, v)) {
      cell.kind = Cell::Kind::kNull;
    }
  }
  return true;
}

}  // namespace flowacct::sink::sql
