// Which rows count. ClickHouse has no transactions: a batch is written as rows that carry a number of this attempt, and
// counts from the moment on at which one row of flowacct_batches, which a server takes whole or not at all, names that
// number. Of several attempts at the same batch the one with the smallest number counts, whenever the others came.
//
// A rollup's bin is such an attempt too, and says which batches are in it. Of several at the same bin the one with most
// batches counts; batches that are not in it are added from the table itself. So an answer is exact at every moment:
// first the numbers are read that count, then the rows, which do not change any more.
//
// Threads: any. Errors: as http_connection.h has them. Cost: a read of flowacct_batches within the time that is asked.

#ifndef FLOWACCT_SINK_CLICKHOUSE_BATCH_SELECTION_H_
#define FLOWACCT_SINK_CLICKHOUSE_BATCH_SELECTION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/sink/clickhouse/http_connection.h"
#include "flowacct/sink/sql/table_schema.h"

namespace flowacct::sink::clickhouse {

// Numbers of attempts, all of them apart.
struct BatchSelection {
  std::vector<uint64_t> ids;  // of the table's rows
  // Of a rollup: of rows of the table that it sums, whose bins begin in [base_from, base_to).
  std::vector<uint64_t> base_ids;
  int64_t base_from = 0, base_to = 0;
  bool distributed = false;  // over several servers

  bool empty() const { return ids.empty() && base_ids.empty(); }
  std::vector<uint64_t> all() const;
};

// Of bins that begin in [from, to); of a rollup, its own bins.
absl::StatusOr<BatchSelection> SelectBatches(HttpConnection* connection, const sql::TableSchema& table,
                                             bool distributed, int64_t from, int64_t to);

// Bins of a rollup that lack batches of their table.
absl::StatusOr<std::vector<int64_t>> BinsThatLack(HttpConnection* connection, const sql::TableSchema& rollup,
                                                  bool distributed);

// SELECT of the numbers that count in a table, of all its time, for views.
std::string CountedBatches(const sql::TableSchema& table);

// " IN ", of a set that goes to all servers if there are several.
inline absl::string_view In(bool distributed) { return distributed ? " GLOBAL IN " : " IN "; }

// `from` <= column and column < `to`, each with AND before it; nothing for what is unbounded.
std::string Within(absl::string_view column, int64_t from, int64_t to);

// (column, rounded down to a multiple of `step` seconds after `origin`).
std::string FloorSql(absl::string_view column, int64_t step, int64_t origin);

}  // namespace flowacct::sink::clickhouse

#endif  // FLOWACCT_SINK_CLICKHOUSE_BATCH_SELECTION_H_
