// Whether the tables of a store can be read, what is in them, and whether they fit what a pipeline writes.
//
// Threads: one at a time. Errors: of the store. Cost: CheckTable walks over all rows of the table.

#ifndef FLOWACCT_COLLECTOR_STORES_TABLE_CHECK_H_
#define FLOWACCT_COLLECTOR_STORES_TABLE_CHECK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/query/group_store.h"

namespace flowacct::collector {

struct TableContents {
  uint64_t bins = 0;  // that have rows
  uint64_t rows = 0;  // groups of bins
};

// Reads every column of every row.
absl::StatusOr<TableContents> CheckTable(query::GroupStore& store, const query::TableInfo& table);

// What of the table does not fit a pipeline of this schema and bins, a line each, with what to do; empty: all fits.
// `kind` is the store's, as in "sqlite": for the statement to run.
std::vector<std::string> Misfits(const std::vector<query::TableInfo>& tables, absl::string_view kind,
                                 absl::string_view table, const aggregate::Schema& schema, int64_t bin_seconds);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_STORES_TABLE_CHECK_H_
