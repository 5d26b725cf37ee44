// Writes batches into a MariaDB or MySQL database: many rows at once in a transaction a batch, each batch once, rows
// appended and never changed. docs/reference/stores.md has the tables.
//
// Guarantees: a Write that answered OK is committed. The same batch (its identity) written again is skipped, also when
// it was committed but the answer got lost. Tables that were being made when somebody was killed are completed.
// Ownership: nothing is borrowed. Threads: one call at a time. Blocks for `timeout` at most a statement.
// Errors: Unavailable if the server cannot be reached, hangs or goes away: the next Write connects anew;
// FailedPrecondition if a table has columns that do not fit, with the statement to run; ResourceExhausted if the
// server's disk is full; DataLoss if the server cannot open a table; PermissionDenied; InvalidArgument for options and
// names. In each case nothing of the batch was kept, or it is found when it is written again. No text has the
// password.

#ifndef FLOWACCT_SINK_MARIADB_MARIADB_SINK_H_
#define FLOWACCT_SINK_MARIADB_MARIADB_SINK_H_

#include <memory>

#include "absl/status/statusor.h"
#include "flowacct/sink/mariadb/connection_options.h"
#include "flowacct/sink/store_sink.h"

namespace flowacct::sink::mariadb {

struct MariadbOptions : StoreOptions {
  ConnectionOptions connection;
  // Days for which partitions are made ahead.
  int partitions_ahead = 2;
  // False: new tables have no partitions, and what is too old is deleted row by row.
  bool partitions = true;
  // Rows as arrays of MariaDB's protocol, where the server has them. False, and for MySQL: INSERTs of some hundred
  // rows, which proxies understand as well.
  bool arrays = true;
};

// The server need not be there yet, unless `schema` is set: then the tables are made and checked.
absl::StatusOr<std::unique_ptr<StoreSink>> NewMariadbSink(MariadbOptions options);

}  // namespace flowacct::sink::mariadb

#endif  // FLOWACCT_SINK_MARIADB_MARIADB_SINK_H_
