// The rows of a batch as cells, in the order of a table's columns.
//
// A sum above 2^63 - 1 becomes several rows, the others of which add nothing: questions sum, so that it stays exact.
// Ownership: borrows the schema; cells are valid for the call. Threads: one at a time. Cost: some nanoseconds a cell;
// texts are formatted.

#ifndef FLOWACCT_SINK_SQL_STORED_ROWS_H_
#define FLOWACCT_SINK_SQL_STORED_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/record/field.h"
#include "flowacct/sink/sql/statement.h"

namespace flowacct::sink::sql {

class StoredRows {
 public:
  // Cells of `columns`: numbers of keys, then of values, from 0 on, of the schema; all of them.
  explicit StoredRows(const aggregate::Schema& schema);

  size_t cells() const { return keys_.size() + values_.size(); }
  // Tells the cells of each row to `emit`; an error of it ends it, and is returned.
  absl::Status ForEach(const aggregate::AggregateBatch& batch,
                       absl::FunctionRef<absl::Status(absl::Span<const Cell>)> emit);

 private:
  struct Key {
    record::FieldType type;
    uint16_t offset, presence_octet;
    uint8_t presence_bit;
  };

  std::vector<Key> keys_;
  std::vector<aggregate::Function> values_;
  std::vector<Cell> cells_;
  std::vector<std::string> texts_;
};

}  // namespace flowacct::sink::sql

#endif  // FLOWACCT_SINK_SQL_STORED_ROWS_H_
