// What every SQL store lets a user choose: the table, how long its rows stay, and the longer bins that are kept of it.
//
// Threads: any.

#ifndef FLOWACCT_SINK_SQL_STORE_OPTIONS_H_
#define FLOWACCT_SINK_SQL_STORE_OPTIONS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/aggregate/aggregate_batch.h"

namespace flowacct::sink::sql {

// A second table, NAME_1h, with the sums of whole longer bins. Bins begin at multiples of their length since 1970.
struct Rollup {
  int64_t bin_seconds = 0;  // a multiple of the table's bins
  absl::Duration retention = absl::InfiniteDuration();
};

struct StoreOptions {
  // Empty: the pipeline's name, as the batch's identity tells it.
  std::string table;
  // Bins that ended longer ago are deleted; never those that a rollup has not summed yet.
  absl::Duration retention = absl::InfiniteDuration();
  // By rising length.
  std::vector<Rollup> rollups;
  // If it and `table` are set, the table is made and checked at once, not at the first batch. `bin_seconds` goes with
  // it.
  std::shared_ptr<const aggregate::Schema> schema;
  int64_t bin_seconds = 0;
  // For age and the time of writing.
  std::function<absl::Time()> now = absl::Now;
};

// What a store's sink counted since it was made.
struct StoreCounters {
  uint64_t batches = 0;
  uint64_t rows = 0;             // as stored, those of rollups not among them
  uint64_t batches_skipped = 0;  // were there already
  uint64_t rollup_rows = 0;
  uint64_t rows_removed = 0;  // by retention, of all tables
  uint64_t bins_removed = 0;
};

}  // namespace flowacct::sink::sql

#endif  // FLOWACCT_SINK_SQL_STORE_OPTIONS_H_
