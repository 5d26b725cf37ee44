#include "flowacct/sink/clickhouse/batch_rows.h"

#include <algorithm>

#include "flowacct/base/octets.h"
#include "flowacct/record/stored_value.h"
#include "flowacct/sink/clickhouse/stored_table.h"

namespace flowacct::sink::clickhouse {
namespace {

using aggregate::Function;

constexpr size_t kPiece = size_t{1} << 20;

}  // namespace

BatchRows::BatchRows(const aggregate::AggregateBatch& batch, int64_t bin_start, int64_t bin_end, uint64_t id)
    : batch_(batch) {
  RowWriter head(&head_);
  head.Number(static_cast<uint64_t>(bin_start), 8);
  head.Number(static_cast<uint64_t>(bin_end), 8);
  head.Number(id, 8);
  const aggregate::Schema& schema = batch.schema();
  for (const record::FieldId field : schema.key.fields()) {
    const uint16_t index = schema.key.index(field);
    sql::Column column;
    column.field = field;
    column.key = true;
    keys_.push_back({record::Info(field).type, CellTypeOf(column), schema.key.offset(field),
                     static_cast<uint16_t>(index >> 3), static_cast<uint8_t>(index & 7)});
  }
  for (const aggregate::ValueColumn& value : schema.values) {
    sql::Column column;
    column.field = value.field;
    column.function = value.function;
    values_.push_back({value.function, CellTypeOf(column).width});
  }
}

absl::string_view BatchRows::Next() {
  piece_.clear();
  if (piece_.capacity() == 0) piece_.reserve(kPiece + 65536);
  while (next_ < batch_.size() && piece_.size() < kPiece) AppendRow(next_++);
  return piece_;
}

void BatchRows::AppendKeys(size_t row) {
  keys_octets_ = head_;
  RowWriter out(&keys_octets_);
  const uint8_t* const key = batch_.key(row).octets();
  const bool overflow = batch_.is_overflow(row);
  for (const Key& k : keys_) {
    const bool absent = overflow || (key[k.presence_octet] >> k.presence_bit & 1) == 0;
    out.IsNull(absent);
    if (absent) continue;
    const record::StoredValue value = record::ToStored(k.type, key + k.offset, batch_.interner(), &scratch_);
    switch (k.cell.kind) {
      case CellType::Kind::kNumber:
        out.Number(static_cast<uint64_t>(value.integer), k.cell.width);
        break;
      case CellType::Kind::kFixed:
        out.Octets(value.octets);
        break;
      case CellType::Kind::kText:
        out.Text(value.octets);
        break;
    }
  }
}

void BatchRows::AppendRow(size_t row) {
  AppendKeys(row);
  piece_ += keys_octets_;
  ++rows_;
  RowWriter out(&piece_);
  const bool plain = batch_.values_are_plain();
  const uint8_t* const values = batch_.values(row);
  for (size_t v = 0; v < values_.size(); ++v) {
    const uint64_t number = base::LoadHost<uint64_t>(values + 8 * v);
    switch (values_[v].function) {
      case Function::kSum: {
        absl::uint128 part = number;
        if (!plain) {
          const absl::uint128 sum = batch_.wide_value(row, v);
          part = std::min(sum, absl::uint128(UINT64_MAX));
          if (sum > part) rest_.emplace_back(v, sum - part);
        }
        out.Number(absl::Uint128Low64(part), 8);
        break;
      }
      case Function::kTop:
        out.IsNull(false);
        out.Text(sql::Storable(batch_.text(row, v)));
        break;
      default: {
        const bool absent = !plain && !batch_.has_value(row, v);
        out.IsNull(absent);
        if (!absent) out.Number(number, values_[v].width);
      }
    }
  }
  while (!rest_.empty()) {
    piece_ += keys_octets_;
    ++rows_;
    for (size_t v = 0; v < values_.size(); ++v) {
      if (values_[v].function != Function::kSum) {
        out.IsNull(true);
        continue;
      }
      uint64_t number = 0;
      for (auto& [of, sum] : rest_) {
        if (of != v) continue;
        const absl::uint128 part = std::min(sum, absl::uint128(UINT64_MAX));
        number = absl::Uint128Low64(part);
        sum -= part;
      }
      out.Number(number, 8);
    }
    rest_.erase(std::remove_if(rest_.begin(), rest_.end(), [](const auto& r) { return r.second == 0; }), rest_.end());
  }
}

}  // namespace flowacct::sink::clickhouse
