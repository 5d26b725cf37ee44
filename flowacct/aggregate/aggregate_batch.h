// What was accounted: the groups of one time bin, finished, for sinks to write.
//
// Ownership: the batch owns its rows; it borrows or shares the interner of the pipeline that made it.
// Threads: immutable once made. Cost: rows lie as the aggregate table left them; nothing is copied.

#ifndef FLOWACCT_AGGREGATE_AGGREGATE_BATCH_H_
#define FLOWACCT_AGGREGATE_AGGREGATE_BATCH_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/numeric/int128.h"
#include "absl/types/span.h"
#include "flowacct/base/chunk.h"
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

// Which batch it is, for stores that are to count it once though it is written twice. Number 0: nobody said.
struct BatchIdentity {
  std::string collector;  // as it is called
  std::string pipeline;
  // When the accounting began that it is of: nanoseconds since 1970. Who goes on with kept bins goes on with their run.
  uint64_t run = 0;
  // Of the batches of the pipeline in that run. A bin that is closed has the same number if a crash makes it close
  // again.
  uint64_t number = 0;

  friend bool operator==(const BatchIdentity& a, const BatchIdentity& b) {
    return a.number == b.number && a.run == b.run && a.pipeline == b.pipeline && a.collector == b.collector;
  }
};

using base::Chunk;
using base::NewChunk;

class AggregateBatch {
 public:
  // Where a row lies: key row, then one u64 a value column, then, if min or max is asked, a u64 of bits that say
  // which of these have met a value.
  struct Rows {
    std::vector<Chunk> chunks;
    size_t rows_per_chunk = 0;
    size_t size = 0;
    size_t stride = 0;
    size_t values_offset = 0;
    size_t seen_offset = 0;  // 0: there are no such bits
  };
  // What a sum has beyond 64 bits, times 2^64. By row * 64 + column.
  using Carries = absl::flat_hash_map<uint64_t, uint64_t>;

  // Whoever shares the interner may keep the batch as long as he likes, also on another thread.
  AggregateBatch(std::shared_ptr<const Schema> schema, std::shared_ptr<const base::Interner> interner, TimeBin bin,
                 Rows rows)
      : schema_(std::move(schema)), interner_(std::move(interner)), bin_(bin), rows_(std::move(rows)) {}
  // The interner outlives the batch.
  AggregateBatch(std::shared_ptr<const Schema> schema, const base::Interner* interner, TimeBin bin, Rows rows)
      : AggregateBatch(std::move(schema), std::shared_ptr<const base::Interner>(std::shared_ptr<void>(), interner), bin,
                       std::move(rows)) {}

  const Schema& schema() const { return *schema_; }
  const base::Interner& interner() const { return *interner_; }
  TimeBin bin() const { return bin_; }
  size_t size() const { return rows_.size; }

  record::RowView key(size_t row) const { return record::RowView(&schema_->key, Entry(row)); }
  // For every function but kTop. Times in nanoseconds. A sum above 2^64 - 1 reads as 2^64 - 1; wide_value has it all.
  uint64_t value(size_t row, size_t column) const {
    if (!carries_.empty() && carries_.contains(row * 64 + column)) return UINT64_MAX;
    return base::LoadHost<uint64_t>(Entry(row) + rows_.values_offset + 8 * column);
  }
  absl::uint128 wide_value(size_t row, size_t column) const;
  // False for the min or max of a field that no record of the group had: absent is not zero.
  bool has_value(size_t row, size_t column) const {
    const Function function = schema_->values[column].function;
    return rows_.seen_offset == 0 || (function != Function::kMin && function != Function::kMax) ||
           (base::LoadHost<uint64_t>(Entry(row) + rows_.seen_offset) >> column & 1) != 0;
  }
  // The value columns of a row as they lie, for loops over many rows: 8 octets each, host order; all that there is to
  // say if values_are_plain(), that is, none is absent or wider than 64 bits.
  const uint8_t* values(size_t row) const { return Entry(row) + rows_.values_offset; }
  bool values_are_plain() const { return carries_.empty() && rows_.seen_offset == 0; }
  // How many rows from this one on lie side by side, row_stride() apart, so that a walk need not ask for each.
  size_t rows_side_by_side(size_t row) const {
    return std::min(rows_.size - row, rows_.rows_per_chunk - row % rows_.rows_per_chunk);
  }
  size_t row_stride() const { return rows_.stride; }
  // For kTop: "443:1200 80:300", the most frequent first. Elsewhere empty.
  std::string text(size_t row, size_t column) const;

  // The group of all that found no place in the bounded table, if it came to that; its key fields are absent.
  bool is_overflow(size_t row) const { return has_overflow_ && row == overflow_row_; }
  bool has_overflow() const { return has_overflow_; }
  // True if input ended before its time (a cut file, an interrupt): the rows are right, but not all.
  bool incomplete() const { return incomplete_; }
  void set_incomplete(bool incomplete) { incomplete_ = incomplete; }
  // True if the bin was closed and written before: these rows came late, and are to be added to what was written.
  bool correction() const { return correction_; }
  void set_correction(bool correction) { correction_ = correction; }
  const BatchIdentity& identity() const { return identity_; }
  void set_identity(BatchIdentity identity) { identity_ = std::move(identity); }
  void set_overflow_row(size_t row) {
    has_overflow_ = true;
    overflow_row_ = row;
  }
  // texts[column][row], only for columns of kTop.
  void set_texts(std::vector<std::vector<std::string>> texts) { texts_ = std::move(texts); }
  void set_carries(Carries carries) { carries_ = std::move(carries); }

 private:
  const uint8_t* Entry(size_t row) const {
    return rows_.chunks[row / rows_.rows_per_chunk].get() + row % rows_.rows_per_chunk * rows_.stride;
  }

  std::shared_ptr<const Schema> schema_;
  std::shared_ptr<const base::Interner> interner_;
  TimeBin bin_;
  Rows rows_;
  std::vector<std::vector<std::string>> texts_;
  Carries carries_;
  size_t overflow_row_ = 0;
  bool has_overflow_ = false;
  bool incomplete_ = false;
  bool correction_ = false;
  BatchIdentity identity_;
};

// Row numbers of `batch` in the order asked: by the value column `by` (an index into schema().values), largest first,
// ties by key octets; at most `limit` of them. The overflow group comes last whatever its value, and is never cut.
std::vector<uint32_t> TopRows(const AggregateBatch& batch, size_t by, size_t limit);

}  // namespace flowacct::aggregate

#endif  // FLOWACCT_AGGREGATE_AGGREGATE_BATCH_H_
