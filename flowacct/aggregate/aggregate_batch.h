// What was accounted: the groups of one time bin, finished, for sinks to write.
//
// Ownership: the batch owns its rows; it borrows the interner of the pipeline that made it.
// Threads: immutable once made. Cost: rows lie as the aggregate table left them; nothing is copied.

#ifndef FLOWACCT_AGGREGATE_AGGREGATE_BATCH_H_
#define FLOWACCT_AGGREGATE_AGGREGATE_BATCH_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "flowacct/base/interner.h"
#include "flowacct/record/field.h"
#include "flowacct/record/layout.h"
#include "flowacct/record/row.h"

namespace flowacct::aggregate {

// What is computed of a field over the records of a group.
enum class Function : uint8_t {
  kSum,
  kMin,
  kMax,
  kDistinct,  // HyperLogLog estimate
  kTop,       // most frequent values, as text
};

// A column after the key's fields. Its name is the field's for a sum, else "min(ttl)", "distinct(src_addr)",
// "top(dst_port)".
struct ValueColumn {
  record::FieldId field;
  Function function = Function::kSum;
  std::string name;
};

// Shared by all batches of one aggregation.
struct Schema {
  record::Layout key;  // its fields, in the order asked, are the first columns
  std::vector<ValueColumn> values;
};

struct TimeBin {  // [start, end), nanoseconds since 1970; both 0: no bins were asked for
  int64_t start_nanos = 0;
  int64_t end_nanos = 0;
};

class AggregateBatch {
 public:
  // Where a number row lies: key row, then one u64 a value column.
  struct Rows {
    std::vector<std::unique_ptr<uint8_t[]>> chunks;
    size_t rows_per_chunk = 0;
    size_t size = 0;
    size_t stride = 0;
    size_t values_offset = 0;
  };

  AggregateBatch(std::shared_ptr<const Schema> schema, const base::Interner* interner, TimeBin bin, Rows rows)
      : schema_(std::move(schema)), interner_(interner), bin_(bin), rows_(std::move(rows)) {}

  const Schema& schema() const { return *schema_; }
  const base::Interner& interner() const { return *interner_; }
  TimeBin bin() const { return bin_; }
  size_t size() const { return rows_.size; }

  record::RowView key(size_t row) const { return record::RowView(&schema_->key, Entry(row)); }
  // For every function but kTop, and for min and max of fields that are numbers. Times in nanoseconds.
  uint64_t value(size_t row, size_t column) const {
    return base::LoadHost<uint64_t>(Entry(row) + rows_.values_offset + 8 * column);
  }
  // For kTop: "443:1200 80:300", the most frequent first. Elsewhere empty.
  std::string text(size_t row, size_t column) const;

  // The group of all that found no place in the bounded table, if it came to that; its key fields are absent.
  bool is_overflow(size_t row) const { return has_overflow_ && row == overflow_row_; }
  bool has_overflow() const { return has_overflow_; }
  // True if input ended before its time (a cut file, an interrupt): the rows are right, but not all.
  bool incomplete() const { return incomplete_; }
  void set_incomplete(bool incomplete) { incomplete_ = incomplete; }
  void set_overflow_row(size_t row) {
    has_overflow_ = true;
    overflow_row_ = row;
  }
  // texts[column][row], only for columns of kTop.
  void set_texts(std::vector<std::vector<std::string>> texts) { texts_ = std::move(texts); }

 private:
  const uint8_t* Entry(size_t row) const {
    return rows_.chunks[row / rows_.rows_per_chunk].get() + row % rows_.rows_per_chunk * rows_.stride;
  }

  std::shared_ptr<const Schema> schema_;
  const base::Interner* interner_;
  TimeBin bin_;
  Rows rows_;
  std::vector<std::vector<std::string>> texts_;
  size_t overflow_row_ = 0;
  bool has_overflow_ = false;
  bool incomplete_ = false;
};

// Row numbers of `batch` in the order asked: by the value column `by` (an index into schema().values), largest first,
// ties by key octets; at most `limit` of them. The overflow group comes last whatever its value, and is never cut.
std::vector<uint32_t> TopRows(const AggregateBatch& batch, size_t by, size_t limit);

}  // namespace flowacct::aggregate

#endif  // FLOWACCT_AGGREGATE_AGGREGATE_BATCH_H_
