// Writes batches into a MongoDB database: a document a row, each batch once, rows added and never changed.
//
// Guarantees: a Write that answered OK is on the journals of a majority. Questions see a batch whole or not at all, on
// any deployment, without multi-document transactions (table_state.h says how). The same batch (its identity) written
// again is skipped, also when the answer to its commit was lost, and replaces what an earlier attempt left half.
// Batches of which nobody said which they are (number 0) are always written. Ownership: nothing is borrowed. Threads:
// one call at a time; several sinks, of several processes, write one table one after another. Blocks for `timeout` at
// most an operation, and waits so long for another writer. Errors: Unavailable if the deployment cannot be reached,
// hangs, changes its primary, or another writer took over: the next Write connects anew; FailedPrecondition for a table
// that is somebody else's, or a field that stands for something else; ResourceExhausted if the disk is full;
// PermissionDenied; InvalidArgument for options and names. In each case nothing of the batch counts, or it is found
// when it is written again. No text has the password.

#ifndef FLOWACCT_SINK_MONGODB_MONGODB_SINK_H_
#define FLOWACCT_SINK_MONGODB_MONGODB_SINK_H_

#include <cstddef>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "flowacct/sink/mongodb/connection_options.h"
#include "flowacct/sink/store_sink.h"

namespace flowacct::sink::mongodb {

struct MongodbOptions : StoreOptions {
  ConnectionOptions connection;
  // Another writer of the same table that has not moved for so long is taken for dead. If it is not, its batch fails
  // and is written again: nothing counts twice.
  absl::Duration writer_timeout = absl::Seconds(15);
  // The server removes, too, what is a day older than the retention says (a TTL index), for times when no collector
  // runs. Only of tables that no rollup is made of.
  bool ttl_index = true;
  // Rows that go in one message, of about 200 octets each: so many that its answer costs little, so few that we show
  // signs of life between them.
  size_t rows_a_message = 5000;
};

// The server need not be there yet, unless `schema` is set: then the table is made and checked.
absl::StatusOr<std::unique_ptr<StoreSink>> NewMongodbSink(MongodbOptions options);

}  // namespace flowacct::sink::mongodb

#endif  // FLOWACCT_SINK_MONGODB_MONGODB_SINK_H_
