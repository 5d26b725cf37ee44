// A query::GroupRequest as a SELECT of ClickHouse, and its rows as groups and sums of 128 bits.
//
// What SQL cannot say of a filter (sql/split_filter.h) is asked of finer groups, which are then summed here.
//
// Threads: any. Errors: as sql/filter_sql.h; NotFound for columns; InvalidArgument for numbers that do not fit;
// ResourceExhausted for more groups than are summed here.

#ifndef FLOWACCT_SINK_CLICKHOUSE_GROUP_SELECT_H_
#define FLOWACCT_SINK_CLICKHOUSE_GROUP_SELECT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/functional/function_ref.h"
#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "flowacct/query/group_store.h"
#include "flowacct/sink/clickhouse/batch_selection.h"
#include "flowacct/sink/clickhouse/row_binary.h"
#include "flowacct/sink/sql/group_sums.h"
#include "flowacct/sink/sql/split_filter.h"
#include "flowacct/sink/sql/statement.h"
#include "flowacct/sink/sql/table_schema.h"

namespace flowacct::sink::clickhouse {

// FROM and WHERE: the rows of a selection, with these columns and its bin_start; `condition` (may be empty) of the
// table and of the one that it sums. The numbers of the selection are the table `chosen`.
std::string RowsOf(const sql::TableSchema& table, const BatchSelection& selection,
                   const std::vector<std::string>& names, const std::string& condition, int64_t from, int64_t to);

class GroupSelect {
 public:
  // What is asked of the table; nothing of the server is needed. All are borrowed.
  static absl::StatusOr<GroupSelect> New(const query::GroupRequest& request, const sql::TableSchema& table);

  // The statement over a selection. Of a server that knows LIMIT ... WITH TIES it asks no more than is wanted.
  std::string Statement(const BatchSelection& selection, const Features& features) const;
  absl::Span<const CellType> types() const { return types_; }
  // For each row of the answer: false to stop. If SQL does not say all of the filter, rows are kept and summed here.
  bool Tell(absl::Span<const Cell> cells, absl::FunctionRef<bool(const query::GroupRow&)> tell);
  // After the last row: tells what was kept.
  void Finish(absl::FunctionRef<bool(const query::GroupRow&)> tell);
  // Of all rows of the answer: that they are more groups than are kept.
  const absl::Status& status() const { return status_; }

 private:
  explicit GroupSelect(sql::SplitFilter filter) : filter_(std::move(filter)) {}

  sql::SplitFilter filter_;
  const query::GroupRequest* request_ = nullptr;
  const sql::TableSchema* table_ = nullptr;
  std::string select_, groups_, order_, condition_;
  std::vector<std::string> names_;  // of columns that are read
  std::vector<CellType> types_;
  std::vector<const sql::Column*> values_;

  uint64_t told_ = 0;
  absl::uint128 last_ = 0;
  std::vector<sql::Cell> cells_;  // of the group, then what the filter is asked of
  std::vector<record::StoredValue> group_;
  std::vector<absl::uint128> sums_;
  absl::InlinedVector<bool, 8> present_;
  std::optional<sql::GroupSums> kept_;  // if the filter is asked of some of it here
  absl::Status status_;
};

}  // namespace flowacct::sink::clickhouse

#endif  // FLOWACCT_SINK_CLICKHOUSE_GROUP_SELECT_H_
