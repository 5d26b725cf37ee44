// A filter as a condition of SQL, with the filter's meaning exactly: what is absent (NULL) fails each condition,
// negated or not, and `not` of it is true.
//
// Numbers and addresses are written as digits, texts are bound. Threads: any.
// Conditions on what is within AS paths, communities and labels are for stores with functions (split_filter.h helps
// the others). Errors: NotFound for a field that the table has not as a key, with those that it has.
// Cost: lists of any length are nested no deeper than their logarithm, since stores bound the depth.

#ifndef FLOWACCT_SINK_SQL_FILTER_SQL_H_
#define FLOWACCT_SINK_SQL_FILTER_SQL_H_

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "flowacct/filter/program.h"
#include "flowacct/sink/sql/dialect.h"
#include "flowacct/sink/sql/statement.h"
#include "flowacct/sink/sql/table_schema.h"

namespace flowacct::sink::sql {

// Whether the store can be asked it.
bool IsInSql(const Dialect& dialect, const filter::Condition& condition);

// Appends it to `out`: steps in postfix order (none: TRUE). In a store with functions, flowacct_route(i, text) asks
// conditions[i].
absl::Status AppendCondition(const Dialect& dialect, const TableSchema& table,
                             absl::Span<const filter::Condition> conditions, absl::Span<const filter::Step> steps,
                             Statement* out);

absl::Status NoSuchKey(const Dialect& dialect, const TableSchema& table, record::FieldId field);

// The column of a key; null: there is none.
const Column* KeyColumn(const TableSchema& table, record::FieldId field);

}  // namespace flowacct::sink::sql

#endif  // FLOWACCT_SINK_SQL_FILTER_SQL_H_
