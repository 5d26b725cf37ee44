// Questions to a SQLite database that sqlite_sink.h wrote. Reads only; the sink may write meanwhile.
//
// Every filter can be evaluated. Threads: one call at a time. Errors: as group_store.h has them; NotFound if there is
// no such file. Cost: SQLite walks the rows of the time asked.

#ifndef FLOWACCT_SINK_SQLITE_SQLITE_STORE_H_
#define FLOWACCT_SINK_SQLITE_SQLITE_STORE_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "flowacct/query/group_store.h"

namespace flowacct::sink::sqlite {

// `max_groups_in_memory`: of an answer, as SqliteOptions has it.
absl::StatusOr<std::unique_ptr<query::GroupStore>> OpenSqliteStore(const std::string& path,
                                                                   size_t max_groups_in_memory = size_t{1} << 20);

}  // namespace flowacct::sink::sqlite

#endif  // FLOWACCT_SINK_SQLITE_SQLITE_STORE_H_
