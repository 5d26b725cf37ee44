// Of a question and a store's tables: which table is asked, for which time, in which steps, and for which columns. What
// ask.h promises of table and time is decided here; no rows are looked at.
//
// Ownership: a plain value. Threads: any. Errors: InvalidArgument for what the tables cannot answer, with what they
// can; NotFound where there are none.

#ifndef FLOWACCT_QUERY_ASK_PLAN_H_
#define FLOWACCT_QUERY_ASK_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "flowacct/query/group_store.h"
#include "flowacct/query/question.h"
#include "flowacct/record/field.h"

namespace flowacct::query {

struct AskWindow {
  int64_t label = 0;  // begin of the step
  int64_t begin = 0, end = 0;
};

struct AskPlan {
  Question question;      // as it is asked of the table
  TableInfo root, table;  // what is asked, and where it is asked: the same, or a rollup
  std::vector<AskedValue> values;
  std::vector<TableInfo::Value> infos;   // of each of values
  std::vector<TableInfo::Value> needed;  // columns that values are made of, each once
  std::vector<size_t> places;            // of each of values, in needed
  std::vector<size_t> columns;           // of each of needed, in table
  size_t order = 0;                      // of values
  bool percentiles = false, needs_total = false;
  std::vector<AskWindow> windows, earlier;
  int64_t from_seconds = 0, to_seconds = 0;  // both 0: no time
  std::vector<std::string> notes;            // for whoever reads the answer

  // Begin of the bin of `of` that `seconds` lies in.
  int64_t FloorToBin(const TableInfo& of, int64_t seconds) const;
  // Where the bins begin that hold what the root has from `begin` on: the first bin of a rollup may begin before all
  // rows of its table.
  int64_t Begin(const TableInfo& of, int64_t begin) const;
};

// What is asked of a table, whose names for fields it may use. What it gives lives as long as the function.
using QuestionOf = std::function<const absl::StatusOr<Question>&(const TableInfo& table)>;

// `store`: its name, for error texts.
absl::StatusOr<AskPlan> PlanAsk(const QuestionOf& question_of, std::vector<TableInfo> tables, absl::string_view store,
                                absl::Time now, size_t max_steps);

// The names that the table has for fields beside the registry's, in lower case and order.
std::vector<std::pair<std::string, record::FieldId>> OwnNames(const TableInfo& table);

}  // namespace flowacct::query

#endif  // FLOWACCT_QUERY_ASK_PLAN_H_
