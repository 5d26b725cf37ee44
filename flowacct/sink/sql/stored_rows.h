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
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/record/field.h"
#include "flowacct/sink/sql/statement.h"

namespace flowacct::sink::sql {

// Rows one after the other.
class RowSource {
 public:
  virtual ~RowSource() = default;
  // False: there are no more. Else cells() are those of the next one, until the next call.
  virtual bool Next() = 0;
  absl::Span<const Cell> cells() const { return cells_; }

 protected:
  std::vector<Cell> cells_;
};

class StoredRows : public RowSource {
 public:
  // Cells of `columns`: numbers of keys, then of values, from 0 on, of the schema; all of them.
  explicit StoredRows(const aggregate::Schema& schema);

  // The rows of a batch of that schema, which is borrowed until the last of them.
  void Begin(const aggregate::AggregateBatch& batch);
  bool Next() override;
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
  std::vector<std::string> texts_;
  const aggregate::AggregateBatch* batch_ = nullptr;
  size_t row_ = 0;  // the next one
  bool plain_ = false;
  std::vector<std::pair<size_t, absl::uint128>> rest_;  // of a value, what further rows are to tell
};

}  // namespace flowacct::sink::sql

#endif  // FLOWACCT_SINK_SQL_STORED_ROWS_H_
