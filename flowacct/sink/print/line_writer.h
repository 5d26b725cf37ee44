// JSON lines and CSV: one line a row, into one buffer that leaves in large writes.

#ifndef FLOWACCT_SINK_PRINT_LINE_WRITER_H_
#define FLOWACCT_SINK_PRINT_LINE_WRITER_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/sink/print/output_file.h"
#include "flowacct/sink/print/print_sink.h"

namespace flowacct::sink::print {

// `rows`: which, in order; null: all as they lie. `header`: whether a CSV file begins here.
absl::Status WriteCsv(const aggregate::AggregateBatch& batch, const std::vector<uint32_t>* rows,
                      const PrintOptions& options, bool header, OutputFile* file);
absl::Status WriteJson(const aggregate::AggregateBatch& batch, const std::vector<uint32_t>* rows,
                       const PrintOptions& options, OutputFile* file);

}  // namespace flowacct::sink::print

#endif  // FLOWACCT_SINK_PRINT_LINE_WRITER_H_
