// Sinks that are stores: what is written there stays, each batch once, and can be asked later (query/group_store.h).
//
// Threads: one call at a time. Errors: as sink.h; each store's header says which guarantee it gives.

#ifndef FLOWACCT_SINK_STORE_SINK_H_
#define FLOWACCT_SINK_STORE_SINK_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/sink/sink.h"

namespace flowacct::sink {

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

class StoreSink : public Sink {
 public:
  virtual const StoreCounters& counters() const = 0;
  // Applies the options' retention to the table now and to the end, not a bounded part of it as Write does now and
  // then. NotFound: there is no such table.
  virtual absl::Status Retain() = 0;
};

}  // namespace flowacct::sink

#endif  // FLOWACCT_SINK_STORE_SINK_H_
