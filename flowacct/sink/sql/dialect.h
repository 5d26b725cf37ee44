// How SQL stores differ: a row of this table a store, and one place that writes their SQL.
//
// In patterns, $0, $1, ... stand for expressions that are SQL already. Threads: any.

#ifndef FLOWACCT_SINK_SQL_DIALECT_H_
#define FLOWACCT_SINK_SQL_DIALECT_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "flowacct/record/stored_value.h"
#include "flowacct/sink/sql/statement.h"

namespace flowacct::sink::sql {

struct Dialect {
  absl::string_view name;  // of the store, as error texts begin
  char identifier_quote;
  size_t max_identifier;  // octets; what is longer would be cut silently. 0: no bound
  bool numbered_placeholders;
  absl::string_view integer_type, octets_type, text_type;
  absl::string_view id_column;  // type of a column that numbers its rows
  absl::string_view octets_literal;
  // Sums of 128 bits: expressions that together are the sum, and what orders by it.
  absl::string_view sum;           // one cell of decimal digits, or
  absl::string_view sum_high;      // two: these times 2^32 ...
  absl::string_view sum_low;       // ... and these
  absl::string_view sum_order;     // largest first, nulls last
  absl::string_view whole_sum;     // of which is known that it is no more than 2^63 - 1
  absl::string_view row_identity;  // tells the rows apart for which $0 is true, for GROUP BY
  absl::string_view masked_octet;  // octet $1 (from 0) of $0 and-ed with $2, as octets
  // Says that a transaction that reads it is to have a row of flowacct_tables for itself.
  absl::string_view lock_rows;
  bool fetch_with_ties;  // FETCH FIRST n ROWS WITH TIES
  // Has the functions flowacct_route(condition, text) and flowacct_network(octets, v4 length, v6 length).
  bool has_functions;
  // Of a store whose GROUP BY sorts all rows before it adds any: up to so many groups are summed by GroupSums. Each
  // takes some 150 octets.
  size_t groups_in_memory = 0;
};

inline constexpr Dialect kSqlite = {
    "sqlite",
    '"',
    0,
    false,
    "INTEGER",
    "BLOB",
    "TEXT",
    "INTEGER PRIMARY KEY",
    "X'$0'",
    "",
    "SUM($0 >> 32)",
    "SUM($0 & 4294967295)",
    "SUM($0 >> 32) + (SUM($0 & 4294967295) >> 32) DESC, SUM($0 & 4294967295) & 4294967295 DESC",
    "SUM($0)",
    "CASE WHEN $0 THEN rowid END",
    "",
    "",
    false,
    true,
    size_t{1} << 20,
};

inline constexpr Dialect kPostgresql = {
    "postgresql",
    '"',
    63,
    true,
    "BIGINT",
    "BYTEA",
    "TEXT COLLATE \"C\"",
    "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    "'\\x$0'::bytea",
    "COALESCE(SUM($0), 0)::text",
    "",
    "",
    "COALESCE(SUM($0), 0) DESC",
    "SUM($0)::bigint",
    "CASE WHEN $0 THEN tableoid END, CASE WHEN $0 THEN ctid END",
    "set_byte('\\x00'::bytea, 0, get_byte($0, $1) & $2)",
    " FOR UPDATE",
    true,
    false,
};

absl::string_view ColumnType(const Dialect& dialect, record::StoredForm form);

// A name as SQL has it; whatever is in it stays a name.
std::string Quoted(const Dialect& dialect, absl::string_view name);

std::string OctetsLiteral(const Dialect& dialect, absl::string_view octets);

// Appends a placeholder to `statement` and `parameter` to its values.
void Bind(const Dialect& dialect, Parameter parameter, Statement* statement);

// A statement of a pattern in which each "?" is a placeholder for the next of the parameters. For patterns written in
// the program alone: "?" within quotes is not looked for.
Statement Prepared(const Dialect& dialect, absl::string_view pattern, std::vector<Parameter> parameters);

// Text that every store takes: UTF-8 without NUL.
std::string Storable(absl::string_view text);

}  // namespace flowacct::sink::sql

#endif  // FLOWACCT_SINK_SQL_DIALECT_H_
