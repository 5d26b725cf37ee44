// A filter in two parts: what a store can say in SQL, and what is asked of the rows that it tells.
//
// SQL has no word for what is within AS paths, communities and labels. Rows are then grouped by such texts too, and by
// the outcome of conditions that stand beside them in an `or` or a `not`; whoever gets the groups asks Passes, and sums
// those that pass. Ownership: borrows the program and the table. Threads: one at a time.
// Errors: as filter_sql.h. Cost: of Passes a walk over the filter, and over a text the first time that it comes.

#ifndef FLOWACCT_SINK_SQL_SPLIT_FILTER_H_
#define FLOWACCT_SINK_SQL_SPLIT_FILTER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "flowacct/filter/program.h"
#include "flowacct/filter/route_pattern.h"
#include "flowacct/sink/sql/dialect.h"
#include "flowacct/sink/sql/statement.h"
#include "flowacct/sink/sql/table_schema.h"

namespace flowacct::sink::sql {

class SplitFilter {
 public:
  static absl::StatusOr<SplitFilter> New(const Dialect& dialect, const TableSchema& table,
                                         const filter::Program& program);

  // Whether SQL says all of it. Else there are columns to select, and to group by.
  bool whole() const { return rest_.empty(); }
  size_t columns() const { return columns_.size(); }
  absl::Status AppendColumn(size_t column, Statement* out) const;
  // The table's column that it is; null: a condition.
  const sql::Column* TextColumn(size_t column) const;
  // The condition for `table`, or for one with the same columns.
  absl::Status AppendWhere(const TableSchema& table, Statement* out) const;
  // Whether a row with these cells, one a column, passes.
  bool Passes(absl::Span<const Cell> cells);

 private:
  // A part of the program's steps, which in postfix order are one piece.
  struct Part {
    size_t begin = 0, end = 0;
    bool in_sql = true;
    std::vector<size_t> arguments;  // of nodes
  };
  struct Column {
    bool is_text = false;
    record::FieldId field{};  // of a text
    Part part;                // else of a condition
  };
  struct RestStep {
    filter::Operator op = filter::Operator::kCondition;
    size_t column = 0;
    bool is_text = false;
    uint32_t condition = 0;  // of a text
  };

  SplitFilter() = default;
  void Divide(const std::vector<Part>& nodes, size_t node);
  void AppendRest(const std::vector<Part>& nodes, size_t node);
  bool Ask(uint32_t condition, const Cell& cell);

  const Dialect* dialect_ = nullptr;
  const TableSchema* table_ = nullptr;
  const filter::Program* program_ = nullptr;
  std::vector<Part> where_;                // all of which hold
  std::vector<record::FieldId> existing_;  // which are there if it passes
  std::vector<Column> columns_;
  std::vector<RestStep> rest_;
  std::vector<char> stack_;
  std::vector<absl::flat_hash_map<std::string, bool>> answers_;  // of each condition
  filter::RoutePattern::Scratch scratch_;
};

}  // namespace flowacct::sink::sql

#endif  // FLOWACCT_SINK_SQL_SPLIT_FILTER_H_
