// Moves a table from one store into another, bin by bin, whatever the two are.
//
// Each bin becomes a batch whose identity is ("copy", the source's table, `run`, the bin), so that a copy that was
// broken off and is repeated with the same run counts each bin once. At the end the totals of both are compared. Not
// copied: values that cannot be summed (told by TableInfo::left_out); rollups, which the target makes by itself.
// Threads: one at a time. Errors: of the stores, Cancelled; what was copied until then stays.
// Cost: a request to the source for each bin, with all its rows in memory.

#ifndef FLOWACCT_COLLECTOR_STORES_TABLE_COPY_H_
#define FLOWACCT_COLLECTOR_STORES_TABLE_COPY_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/collector/stores/table_export.h"
#include "flowacct/query/group_store.h"
#include "flowacct/sink/store_sink.h"

namespace flowacct::collector {

struct TableCopyOptions {
  // Of the identity of batches; RunOf a text that names the source.
  uint64_t run = 1;
  int64_t from_seconds = INT64_MIN;
  int64_t to_seconds = INT64_MAX;
  std::function<void(const TableProgress&)> progress;  // may be empty
  std::function<bool()> interrupted;                   // may be empty
};

// The same number for the same text, always; never zero.
uint64_t RunOf(absl::string_view text);

// The sum, minimum or maximum of a value over all that was to be copied.
struct CopiedTotal {
  std::string name;
  bool in_source = false, in_target = false;  // whether there is any
  absl::uint128 source = 0, target = 0;

  bool same() const { return in_source == in_target && (!in_source || source == target); }
};

struct CopyOutcome {
  TableProgress done;
  uint64_t bins_skipped = 0;  // the target had them
  std::vector<CopiedTotal> totals;

  bool same() const;
};

// `sink` writes into the table `target_table` of what `open_target` opens once all is written.
absl::StatusOr<CopyOutcome> CopyTable(
    query::GroupStore& source, const query::TableInfo& table, sink::StoreSink& sink, const std::string& target_table,
    const std::function<absl::StatusOr<std::unique_ptr<query::GroupStore>>()>& open_target,
    const TableCopyOptions& options);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_STORES_TABLE_COPY_H_
