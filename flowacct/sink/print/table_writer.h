// The table for people: aligned columns, a share of the total with a bar, a line for what was not shown, and totals.
//
// Text from the wire is made harmless for a terminal. Cost: the cells of a batch are held in memory at once, so that
// widths are known; some 2 microseconds a row.

#ifndef FLOWACCT_SINK_PRINT_TABLE_WRITER_H_
#define FLOWACCT_SINK_PRINT_TABLE_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/sink/print/output_file.h"
#include "flowacct/sink/print/print_sink.h"

namespace flowacct::sink::print {

// `order`: the value column whose share is shown, or kNoColumn. `first`: no table was written to `file` before.
absl::Status WriteTable(const aggregate::AggregateBatch& batch, const std::vector<uint32_t>& rows, size_t order,
                        const PrintOptions& options, bool first, OutputFile* file);

}  // namespace flowacct::sink::print

#endif  // FLOWACCT_SINK_PRINT_TABLE_WRITER_H_
