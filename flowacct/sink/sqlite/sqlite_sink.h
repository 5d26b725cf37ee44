// Writes batches into a SQLite database: a transaction a batch, each batch once, rows appended and never changed.
// docs/reference/stores.md has the tables.
//
// Guarantees: a Write that answered OK is on disk (`durable`) and stays whole whatever kills the process; the same
// batch (its identity) written again is skipped. Other processes may read, and write, meanwhile.
//
// Ownership: nothing is borrowed. Threads: one call at a time.
//
// Errors: Unavailable if another writer holds the database for longer than `busy_timeout`: try again;
// ResourceExhausted if the disk is full; FailedPrecondition if a table has columns that do not fit, with the statement
// to run; DataLoss for a damaged file; InvalidArgument for options. In each case nothing of the batch was kept. What
// retention could not remove, also for `max_octets`, is told by trouble().
//
// Cost: about a microsecond and the octets of a row; rollups read what they sum once more when their bin is over.

#ifndef FLOWACCT_SINK_SQLITE_SQLITE_SINK_H_
#define FLOWACCT_SINK_SQLITE_SQLITE_SINK_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "flowacct/sink/store_sink.h"

namespace flowacct::sink::sqlite {

struct SqliteOptions : StoreOptions {
  std::string path;
  // Beside `retention`: above this the oldest bins are deleted. Free pages inside of the file do not count. 0: no
  // bound.
  uint64_t max_octets = 0;
  // How long to wait for another writer.
  absl::Duration busy_timeout = absl::Seconds(5);
  // Each batch is on the disk before Write returns, whatever happens to the machine. Else only the process may die:
  // after a power cut the last batches may be missing, whole.
  bool durable = true;
  // Octets of the file that are kept in memory.
  uint64_t cache_octets = uint64_t{64} << 20;
  // Of a rollup's bin, some 150 octets each while it is summed; of more groups SQLite sorts the rows, which is slower.
  size_t max_groups_in_memory = size_t{1} << 20;
};

// The file may be busy, or its disk full, unless `schema` is set: the first Write then asks for it again. Else errors
// as above, and NotFound or PermissionDenied for a path that will not do.
absl::StatusOr<std::unique_ptr<StoreSink>> NewSqliteSink(SqliteOptions options);

}  // namespace flowacct::sink::sqlite

#endif  // FLOWACCT_SINK_SQLITE_SQLITE_SINK_H_
