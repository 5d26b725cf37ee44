// Writes batches into a ClickHouse database over HTTP: rows in the format RowBinary, appended and never changed, each
// batch once. README.md has the tables and what is promised.
//
// Guarantees: what Write answered OK to counts in every question from then on, and counts once, also if it was written
// before and the answer got lost, and whenever a request that was given up is carried out after all. What did not get
// to its end does not count, also partly. A process or server that is killed loses nothing of it; of a machine that
// fails, see README.md.
// Ownership: nothing is borrowed. Threads: one call at a time. Blocks for `timeout` at most a statement.
// Errors: Unavailable if the server cannot be reached, hangs, goes away or is too busy: the next Write connects anew;
// FailedPrecondition if a table has columns that do not fit, with the statement to run; ResourceExhausted if the
// server's disk or memory is full; PermissionDenied; InvalidArgument for options. No text has the password.

#ifndef FLOWACCT_SINK_CLICKHOUSE_CLICKHOUSE_SINK_H_
#define FLOWACCT_SINK_CLICKHOUSE_CLICKHOUSE_SINK_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "flowacct/sink/clickhouse/connection_options.h"
#include "flowacct/sink/store_sink.h"

namespace flowacct::sink::clickhouse {

struct ClickhouseOptions : StoreOptions {
  ConnectionOptions connection;
  // Of tables that are made: what Write answered is on the disk, on servers that can say so (fsync_after_insert).
  bool durable = true;
  // Not empty: tables are made on all servers of it (ON CLUSTER), NAME_local, with a Distributed table NAME over them.
  std::string cluster;
  // Of tables that are made without rollups: the server, if it knows TTL, removes by itself what is older than the
  // retention and two days more, if no collector does.
  bool server_ttl = false;
};

// The server need not be there yet, unless `schema` is set: then the tables are made and checked.
absl::StatusOr<std::unique_ptr<StoreSink>> NewClickhouseSink(ClickhouseOptions options);

}  // namespace flowacct::sink::clickhouse

#endif  // FLOWACCT_SINK_CLICKHOUSE_CLICKHOUSE_SINK_H_
