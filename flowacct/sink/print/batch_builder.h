// Makes aggregate batches row by row, for tests and benchmarks. Interned values of its batches live in the builder.

#ifndef FLOWACCT_SINK_PRINT_BATCH_BUILDER_H_
#define FLOWACCT_SINK_PRINT_BATCH_BUILDER_H_

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/octets.h"
#include "flowacct/record/field.h"
#include "flowacct/record/layout.h"
#include "flowacct/record/row.h"

namespace flowacct::sink::print {

class BatchBuilder {
 public:
  BatchBuilder(std::vector<record::FieldId> key, std::vector<aggregate::ValueColumn> values)
      : schema_(std::make_shared<aggregate::Schema>(
            aggregate::Schema{record::Layout(absl::MakeConstSpan(key)), std::move(values)})) {
    for (aggregate::ValueColumn& value : schema_->values) {
      if (value.name.empty()) value.name = std::string(record::Info(value.field).name);
    }
    stride_ = schema_->key.row_size() + 8 * schema_->values.size();
  }

  base::Interner& interner() { return *interner_; }

  // The row is valid until the next one.
  record::MutableRow Add(const std::vector<uint64_t>& values) {
    octets_.resize(octets_.size() + stride_);
    uint8_t* const row = octets_.data() + octets_.size() - stride_;
    for (size_t i = 0; i < values.size(); ++i) {
      base::StoreHost<uint64_t>(row + schema_->key.row_size() + 8 * i, values[i]);
    }
    return record::MutableRow(&schema_->key, row);
  }

  aggregate::AggregateBatch Build(aggregate::TimeBin bin = {}) const {
    aggregate::AggregateBatch::Rows rows;
    rows.size = octets_.size() / stride_;
    rows.rows_per_chunk = 1000;  // so that a large batch has several
    rows.stride = stride_;
    rows.values_offset = schema_->key.row_size();
    for (size_t from = 0; from < octets_.size(); from += 1000 * stride_) {
      rows.chunks.push_back(aggregate::NewChunk(1000 * stride_));
      std::memcpy(rows.chunks.back().get(), octets_.data() + from, std::min(1000 * stride_, octets_.size() - from));
    }
    return aggregate::AggregateBatch(schema_, interner_.get(), bin, std::move(rows));
  }

 private:
  std::shared_ptr<aggregate::Schema> schema_;
  std::unique_ptr<base::Interner> interner_ = std::make_unique<base::Interner>();
  size_t stride_ = 0;
  std::vector<uint8_t> octets_;
};

}  // namespace flowacct::sink::print

#endif  // FLOWACCT_SINK_PRINT_BATCH_BUILDER_H_
