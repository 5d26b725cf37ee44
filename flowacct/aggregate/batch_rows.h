// The rows of a finished batch as records again: to sum them further (a coarser key, a longer bin), to ask them, to
// export them.
//
// A row becomes a record with the key's fields, with each sum as its counter, with min and max where no sum is of the
// same field, and with start_time and end_time of the bin (unless the key has them). distinct and top are no numbers
// that can be summed further, and are left out. The overflow group's key is absent, here too.
// Exact: sums of the records are sums of the rows; a sum beyond 64 bits becomes several records.
// Ownership: borrows the layout. Threads: immutable. Cost: a copy a field; texts are interned anew if the interner of
// the records is another.

#ifndef FLOWACCT_AGGREGATE_BATCH_ROWS_H_
#define FLOWACCT_AGGREGATE_BATCH_ROWS_H_

#include <cstddef>
#include <vector>

#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/record/field.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/layout.h"
#include "flowacct/record/projection.h"

namespace flowacct::aggregate {

class BatchRows {
 public:
  // `schema` and `layout` outlive this. Fields that only one of them has are left out, or absent.
  BatchRows(const Schema& schema, const record::Layout& layout);

  // What a layout needs so that nothing but distinct and top is left out.
  static std::vector<record::FieldId> Fields(const Schema& schema);

  // Appends the rows from `first` on, `count` of them at most. `batch` is of the schema, `records` of the layout.
  void Append(const AggregateBatch& batch, size_t first, size_t count, record::FlowBatch* records) const;

 private:
  struct Value {
    size_t column;
    record::FieldId field;
    bool sum;
  };

  record::Projection projection_;
  std::vector<uint16_t> interned_;  // offsets in a record
  std::vector<Value> values_;
  bool start_time_ = false, end_time_ = false;  // are to be set
};

}  // namespace flowacct::aggregate

#endif  // FLOWACCT_AGGREGATE_BATCH_ROWS_H_
