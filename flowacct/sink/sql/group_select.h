// A query::GroupRequest as a SELECT, and its cells as groups and sums of 128 bits.
//
// Threads: any. Errors: as filter_sql.h; NotFound for columns; InvalidArgument for numbers that do not fit;
// ResourceExhausted for more groups than are summed here.

#ifndef FLOWACCT_SINK_SQL_GROUP_SELECT_H_
#define FLOWACCT_SINK_SQL_GROUP_SELECT_H_

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
#include "flowacct/record/stored_value.h"
#include "flowacct/sink/sql/dialect.h"
#include "flowacct/sink/sql/group_sums.h"
#include "flowacct/sink/sql/split_filter.h"
#include "flowacct/sink/sql/statement.h"
#include "flowacct/sink/sql/table_schema.h"

namespace flowacct::sink::sql {

// The largest multiple of `step` that is no more than `number`; `step` > 0.
int64_t FloorTo(int64_t number, int64_t step);

// min or max of a column, in the order of the field's numbers: those above 2^63 - 1 are stored as negative ones.
std::string ExtremeOf(const Column& column, const std::string& name);

// Whether numbers above 2^63 - 1, which are stored as negative ones, may be among the values.
bool MayBeNegative(const Column& column);

class GroupSelect {
 public:
  // Who sums: the store, or GroupSums here, of the rows that the store tells.
  enum class Summed { kThere, kHere };
  // `base`: of a rollup, the table that it is of, whose bins that it has not summed yet are added; else null. All are
  // borrowed.
  static absl::StatusOr<GroupSelect> New(const Dialect& dialect, const query::GroupRequest& request,
                                         const TableSchema& table, const TableSchema* base,
                                         Summed summed = Summed::kThere);

  const Statement& statement() const { return statement_; }
  // Of a sum there, for each row of the answer: false to stop. If SQL does not say all of the filter, rows are kept and
  // summed here.
  bool Tell(absl::Span<const Cell> cells, absl::FunctionRef<bool(const query::GroupRow&)> tell);
  // After the last row: tells what was kept.
  void Finish(absl::FunctionRef<bool(const query::GroupRow&)> tell);
  // Of a sum here, for stores whose SQL says all of every filter: where the rows go.
  GroupSums NewSums(size_t max_groups) const;
  // Of all rows of the answer: that they are more groups than are kept.
  const absl::Status& status() const { return status_; }

 private:
  explicit GroupSelect(SplitFilter filter) : filter_(std::move(filter)) {}
  size_t keys() const { return group_.size() + (request_->step_seconds != 0 ? 1 : 0); }

  SplitFilter filter_;
  const query::GroupRequest* request_ = nullptr;
  const Dialect* dialect_ = nullptr;
  Statement statement_;
  bool one_group_ = false;
  size_t told_ = 0;
  std::vector<const Column*> values_;
  std::vector<record::StoredValue> group_;
  std::vector<absl::uint128> sums_;
  absl::InlinedVector<bool, 8> present_;
  absl::uint128 last_ = 0;
  std::optional<GroupSums> kept_;  // if the filter is asked of some of it here
  absl::Status status_;
};

}  // namespace flowacct::sink::sql

#endif  // FLOWACCT_SINK_SQL_GROUP_SELECT_H_
