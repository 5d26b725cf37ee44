// Questions to any SQL store: query::GroupStore over a connection.
//
// Ownership: borrows the connection. Threads: one call at a time. Each question sees one state of the store.

#ifndef FLOWACCT_SINK_SQL_SQL_STORE_H_
#define FLOWACCT_SINK_SQL_SQL_STORE_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "flowacct/query/group_store.h"
#include "flowacct/sink/sql/connection.h"
#include "flowacct/sink/sql/table_schema.h"

namespace flowacct::sink::sql {

// What a question may name of a table with such columns.
void Describe(absl::Span<const Column> columns, query::TableInfo* info);

absl::StatusOr<std::vector<query::TableInfo>> StoredTables(Connection* connection);
absl::Status SumStored(Connection* connection, const query::GroupRequest& request,
                       const std::function<bool(const query::GroupRow&)>& tell);

}  // namespace flowacct::sink::sql

#endif  // FLOWACCT_SINK_SQL_SQL_STORE_H_
