#include "flowacct/message/row_columns.h"

#include <optional>

#include "absl/strings/match.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/octets.h"
#include "flowacct/record/layout.h"
#include "flowacct/record/value_text.h"

namespace flowacct::message {
namespace {

using aggregate::AggregateBatch;
using aggregate::Function;
using record::FieldType;
using Source = RowColumn::Source;

// Numbers come as 64 bits whatever the field's size; a smaller type reads the low octets, which come first.
FieldType TypeOfValue(const aggregate::ValueColumn& value) {
  const FieldType type = record::Info(value.field).type;
  const bool typed = value.function == Function::kMin || value.function == Function::kMax;
  return typed && type > FieldType::kU64 && !record::IsInterned(type) && record::FieldTypeSize(type) <= 8
             ? type
             : FieldType::kU64;
}

// Tells `write` where the value's octets are.
template <typename Write>
void WithOctets(const RowColumn& column, const AggregateBatch& batch, size_t row, Write write) {
  if (column.source == Source::kKey) return write(batch.key(row).octets() + column.offset);
  return write(batch.values(row) + 8 * column.offset);
}

bool IsWide(const RowColumn& column, const AggregateBatch& batch, size_t row) {
  return column.source == Source::kNumber && !batch.values_are_plain() && column.type == FieldType::kU64 &&
         absl::Uint128High64(batch.wide_value(row, column.offset)) != 0;
}

}  // namespace

std::vector<RowColumn> RowColumns(const aggregate::Schema& schema) {
  std::vector<RowColumn> columns;
  for (const record::FieldId field : schema.key.fields()) {
    RowColumn column;
    column.name = std::string(schema.key.NameOf(field));
    column.field = field;
    column.type = record::Info(field).type;
    column.offset = schema.key.offset(field);
    column.presence = schema.key.index(field);
    columns.push_back(std::move(column));
  }
  for (size_t i = 0; i < schema.values.size(); ++i) {
    const aggregate::ValueColumn& value = schema.values[i];
    RowColumn column;
    column.name = value.name;
    column.source = value.function == Function::kTop ? Source::kText : Source::kNumber;
    column.field = value.field;
    column.type = TypeOfValue(value);
    column.function = value.function;
    column.offset = i;
    columns.push_back(std::move(column));
  }
  return columns;
}

const RowColumn* FindRowColumn(const std::vector<RowColumn>& columns, absl::string_view name) {
  for (const RowColumn& column : columns) {
    if (absl::EqualsIgnoreCase(column.name, name)) return &column;
  }
  const std::optional<record::FieldId> field = record::FindField(name);
  if (!field.has_value()) return nullptr;
  for (const RowColumn& column : columns) {
    if (column.field == *field && (column.source == Source::kKey || column.function == Function::kSum)) return &column;
  }
  return nullptr;
}

void AppendCellText(const RowColumn& column, const AggregateBatch& batch, size_t row, std::string* out) {
  if (!HasValue(column, batch, row)) return;
  if (column.source == Source::kText) return record::AppendUtf8(batch.text(row, column.offset), out);
  if (IsWide(column, batch, row)) return AppendWideNumber(batch.wide_value(row, column.offset), out);
  WithOctets(column, batch, row,
             [&](const uint8_t* value) { record::AppendText(column.type, value, batch.interner(), out); });
}

void AppendCellJson(const RowColumn& column, const AggregateBatch& batch, size_t row, std::string* out) {
  if (column.source == Source::kText) return record::AppendJsonString(batch.text(row, column.offset), out);
  if (IsWide(column, batch, row)) return AppendWideNumber(batch.wide_value(row, column.offset), out);
  WithOctets(column, batch, row,
             [&](const uint8_t* value) { record::AppendJson(column.type, value, batch.interner(), out); });
}

void AppendWideNumber(absl::uint128 number, std::string* out) {
  char digits[40];
  char* const end = digits + sizeof(digits);
  char* p = end;
  do {
    *--p = static_cast<char>('0' + static_cast<int>(number % 10));
    number /= 10;
  } while (number != 0);
  out->append(p, static_cast<size_t>(end - p));
}

}  // namespace flowacct::message
