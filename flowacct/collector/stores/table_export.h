// Writes the rows of a store's table as CSV or JSON lines: each group of each bin, the oldest bin first.
//
// Times are of UTC, as in answers (query/answer.h); within a bin rows come as the store tells them. Values that cannot
// be summed are not among them. Threads: one at a time. Errors: of the store, of `write`, and Cancelled. Cost: one
// request to the store for each bin; memory for a few thousand rows, and what the store itself needs.

#ifndef FLOWACCT_COLLECTOR_STORES_TABLE_EXPORT_H_
#define FLOWACCT_COLLECTOR_STORES_TABLE_EXPORT_H_

#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/filter/filter.h"
#include "flowacct/query/group_store.h"

namespace flowacct::collector {

enum class ExportFormat : uint8_t { kCsv, kJson };

// Told after each bin.
struct TableProgress {
  uint64_t bins = 0, bins_total = 0;
  uint64_t rows = 0;
};

struct TableExportOptions {
  ExportFormat format = ExportFormat::kCsv;
  // Bins that begin in [from, to).
  int64_t from_seconds = INT64_MIN;
  int64_t to_seconds = INT64_MAX;
  filter::Filter where;
  std::function<void(const TableProgress&)> progress;  // may be empty
  std::function<bool()> interrupted;                   // may be empty
};

// How much it was.
absl::StatusOr<TableProgress> ExportTable(query::GroupStore& store, const query::TableInfo& table,
                                          const TableExportOptions& options,
                                          const std::function<absl::Status(absl::string_view)>& write);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_STORES_TABLE_EXPORT_H_
