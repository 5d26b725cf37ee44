// Questions to a MongoDB database that mongodb_sink.h wrote, by the aggregation pipeline. Reads only.
//
// Each question sees one state, between batches: of a batch that is being written, and of bins that are being removed,
// nothing. The server sums; networks and what filters ask of routes are made here, of finer groups that it sent.
// Threads: one call at a time. Errors: as group_store.h has them; nothing is Unimplemented. ResourceExhausted for a sum
// beyond what the server adds exactly (2^77), or more than ten million groups.

#ifndef FLOWACCT_SINK_MONGODB_MONGODB_STORE_H_
#define FLOWACCT_SINK_MONGODB_MONGODB_STORE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "flowacct/query/group_store.h"
#include "flowacct/sink/mongodb/connection_options.h"

namespace flowacct::sink::mongodb {

absl::StatusOr<std::unique_ptr<query::GroupStore>> OpenMongodbStore(ConnectionOptions options);

}  // namespace flowacct::sink::mongodb

#endif  // FLOWACCT_SINK_MONGODB_MONGODB_STORE_H_
