// The rows of a batch in RowBinary, in the order of a table's columns.
//
// A sum above 2^64 - 1 becomes several rows, the others of which add nothing: questions sum, so that it stays exact.
// Ownership: borrows the schema and the batch. Threads: one at a time. Cost: some nanoseconds a cell; texts are
// formatted.

#ifndef FLOWACCT_SINK_CLICKHOUSE_BATCH_ROWS_H_
#define FLOWACCT_SINK_CLICKHOUSE_BATCH_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/strings/string_view.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/record/field.h"
#include "flowacct/sink/clickhouse/row_binary.h"

namespace flowacct::sink::clickhouse {

class BatchRows {
 public:
  // Before each row's own columns come bin_start, bin_end and the batch's number.
  BatchRows(const aggregate::AggregateBatch& batch, int64_t bin_start, int64_t bin_end, uint64_t id);

  // The next piece, valid until the next call; empty: that was all.
  absl::string_view Next();
  uint64_t rows() const { return rows_; }

 private:
  struct Key {
    record::FieldType type;
    CellType cell;
    uint16_t offset, presence_octet;
    uint8_t presence_bit;
  };
  struct Value {
    aggregate::Function function;
    uint8_t width;
  };

  void AppendRow(size_t row);
  void AppendKeys(size_t row);

  const aggregate::AggregateBatch& batch_;
  std::string head_;
  std::vector<Key> keys_;
  std::vector<Value> values_;
  size_t next_ = 0;
  uint64_t rows_ = 0;
  std::string piece_, keys_octets_, scratch_;
  std::vector<std::pair<size_t, absl::uint128>> rest_;  // of a value, what further rows are to tell
};

}  // namespace flowacct::sink::clickhouse

#endif  // FLOWACCT_SINK_CLICKHOUSE_BATCH_ROWS_H_
