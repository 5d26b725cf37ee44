// Questions to a PostgreSQL database that postgresql_sink.h wrote. Reads only.
//
// Threads: one call at a time. Errors: as group_store.h has them.

#ifndef FLOWACCT_SINK_POSTGRESQL_POSTGRESQL_STORE_H_
#define FLOWACCT_SINK_POSTGRESQL_POSTGRESQL_STORE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "flowacct/query/group_store.h"
#include "flowacct/sink/postgresql/connection_options.h"

namespace flowacct::sink::postgresql {

absl::StatusOr<std::unique_ptr<query::GroupStore>> OpenPostgresqlStore(ConnectionOptions options);

}  // namespace flowacct::sink::postgresql

#endif  // FLOWACCT_SINK_POSTGRESQL_POSTGRESQL_STORE_H_
