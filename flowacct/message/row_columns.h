// Where the values of a batch's rows are, and what they are called: compiled once from its schema.
//
// Ownership: columns borrow nothing; a cell borrows the batch. Threads: any. Cost: of a cell, a few loads.

#ifndef FLOWACCT_MESSAGE_ROW_COLUMNS_H_
#define FLOWACCT_MESSAGE_ROW_COLUMNS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/strings/string_view.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/record/field.h"

namespace flowacct::message {

struct RowColumn {
  enum class Source : uint8_t {
    kKey,     // a field of the key
    kNumber,  // AggregateBatch::value
    kText,    // AggregateBatch::text
  };
  std::string name;  // as printed: the configuration's for a field, else the registry's; "max(ttl)"
  Source source = Source::kKey;
  record::FieldId field;
  // How the value's octets read.
  record::FieldType type;
  aggregate::Function function = aggregate::Function::kSum;
  size_t offset = 0;      // kKey: in the key row; else the index of the value
  uint16_t presence = 0;  // kKey: of the bit
};

// The key's fields in the order asked, then the values.
std::vector<RowColumn> RowColumns(const aggregate::Schema& schema);

// The column that is called `name` in any naming; null: none is.
const RowColumn* FindRowColumn(const std::vector<RowColumn>& columns, absl::string_view name);

inline bool HasKey(const RowColumn& column, const uint8_t* key) {
  return (key[column.presence >> 3] >> (column.presence & 7) & 1) != 0;
}

// Whether the row has a value in the column.
inline bool HasValue(const RowColumn& column, const aggregate::AggregateBatch& batch, size_t row) {
  return column.source == RowColumn::Source::kKey ? HasKey(column, batch.key(row).octets())
                                                  : batch.has_value(row, column.offset);
}

// Appends what CSV shows; nothing if it is absent.
void AppendCellText(const RowColumn& column, const aggregate::AggregateBatch& batch, size_t row, std::string* out);
// Appends a JSON value; the value is present.
void AppendCellJson(const RowColumn& column, const aggregate::AggregateBatch& batch, size_t row, std::string* out);

// Appends decimal digits.
void AppendWideNumber(absl::uint128 number, std::string* out);

inline bool HasBin(const aggregate::TimeBin& bin) { return bin.start_nanos != 0 || bin.end_nanos != 0; }

}  // namespace flowacct::message

#endif  // FLOWACCT_MESSAGE_ROW_COLUMNS_H_
