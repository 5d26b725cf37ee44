// Questions to a MariaDB or MySQL database that mariadb_sink.h wrote. Reads only.
//
// Threads: one call at a time. Errors: as group_store.h has them.

#ifndef FLOWACCT_SINK_MARIADB_MARIADB_STORE_H_
#define FLOWACCT_SINK_MARIADB_MARIADB_STORE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "flowacct/query/group_store.h"
#include "flowacct/sink/mariadb/connection_options.h"

namespace flowacct::sink::mariadb {

absl::StatusOr<std::unique_ptr<query::GroupStore>> OpenMariadbStore(ConnectionOptions options);

}  // namespace flowacct::sink::mariadb

#endif  // FLOWACCT_SINK_MARIADB_MARIADB_STORE_H_
