// Questions to a ClickHouse database that clickhouse_sink.h wrote. Reads only.
//
// The server sums; what filters ask of AS paths, communities and labels is asked here, of finer groups that it sends.
// Threads: one call at a time. Errors: as group_store.h has them, nothing is Unimplemented; a question that lasts
// longer than `timeout` is Unavailable; ResourceExhausted for more groups than are summed here.

#ifndef FLOWACCT_SINK_CLICKHOUSE_CLICKHOUSE_STORE_H_
#define FLOWACCT_SINK_CLICKHOUSE_CLICKHOUSE_STORE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "flowacct/query/group_store.h"
#include "flowacct/sink/clickhouse/connection_options.h"

namespace flowacct::sink::clickhouse {

absl::StatusOr<std::unique_ptr<query::GroupStore>> OpenClickhouseStore(ConnectionOptions options);

}  // namespace flowacct::sink::clickhouse

#endif  // FLOWACCT_SINK_CLICKHOUSE_CLICKHOUSE_STORE_H_
