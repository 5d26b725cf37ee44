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
  absl::string_view integer_type, address_type, prefix_type, octets_type, text_type;
  absl::string_view key_text_type;  // of texts that a unique index has
  absl::string_view id_column;      // type of a column that numbers its rows
  absl::string_view table_options;  // behind the columns
  // Columns that the store needs for itself, as CREATE TABLE has them, and the two names.
  absl::string_view own_columns;
  absl::string_view own_names[2];
  absl::string_view octets_literal;  // $0: hexadecimal digits
  // The same of text; not empty: values are written into the statement, and there are no placeholders.
  absl::string_view text_literal;
  absl::string_view bit_and;
  absl::string_view descending;  // nulls last
  // Of an INSERT of a row that may be there already, $0 being the column that numbers it; empty: it fails with
  // AlreadyExists, and then `inserted_id` asks for the number.
  absl::string_view unless_there;
  absl::string_view inserted_id;
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
  bool locks_what_it_passes;  // and those that a SELECT looked at, but did not tell
  // DDL is no part of a transaction, but commits what was before it.
  bool ddl_commits;
  bool fetch_with_ties;  // FETCH FIRST n ROWS WITH TIES
  // Has the functions flowacct_route(condition, text) and flowacct_network(octets, v4 length, v6 length).
  bool has_functions;
  absl::string_view true_word = "TRUE", false_word = "FALSE";
  bool or_of_nulls_is_false = false;  // and not NULL
  // In quoted names a backslash escapes, itself and the quote.
  bool backslash_escapes = false;
  // Of a store whose GROUP BY sorts all rows before it adds any: up to so many groups are summed by GroupSums. Each
  // takes some 150 octets.
  size_t groups_in_memory = 0;
};

inline constexpr Dialect kSqlite = {
    "sqlite",
    /*identifier_quote=*/'"',
    /*max_identifier=*/0,
    /*numbered_placeholders=*/false,
    /*integer_type=*/"INTEGER",
    /*address_type=*/"BLOB",
    /*prefix_type=*/"BLOB",
    /*octets_type=*/"BLOB",
    /*text_type=*/"TEXT",
    /*key_text_type=*/"TEXT",
    /*id_column=*/"INTEGER PRIMARY KEY",
    /*table_options=*/"",
    /*own_columns=*/"",
    /*own_names=*/{"rowid", ""},
    /*octets_literal=*/"X'$0'",
    /*text_literal=*/"",
    /*bit_and=*/"($0 & $1)",
    /*descending=*/" DESC NULLS LAST",
    /*unless_there=*/" ON CONFLICT DO NOTHING RETURNING $0",
    /*inserted_id=*/"",
    /*sum=*/"",
    /*sum_high=*/"SUM($0 >> 32)",
    /*sum_low=*/"SUM($0 & 4294967295)",
    /*sum_order=*/
    "SUM($0 >> 32) + (SUM($0 & 4294967295) >> 32) DESC, SUM($0 & 4294967295) & 4294967295 DESC",
    /*whole_sum=*/"SUM($0)",
    /*row_identity=*/"CASE WHEN $0 THEN rowid END",
    /*masked_octet=*/"",
    /*lock_rows=*/"",
    /*locks_what_it_passes=*/false,
    /*ddl_commits=*/false,
    /*fetch_with_ties=*/false,
    /*has_functions=*/true,
    /*true_word=*/"TRUE",
    /*false_word=*/"FALSE",
    /*or_of_nulls_is_false=*/false,
    /*backslash_escapes=*/false,
    /*groups_in_memory=*/size_t{1} << 20,
};

inline constexpr Dialect kPostgresql = {
    "postgresql",
    /*identifier_quote=*/'"',
    /*max_identifier=*/63,
    /*numbered_placeholders=*/true,
    /*integer_type=*/"BIGINT",
    /*address_type=*/"BYTEA",
    /*prefix_type=*/"BYTEA",
    /*octets_type=*/"BYTEA",
    /*text_type=*/"TEXT COLLATE \"C\"",
    /*key_text_type=*/"TEXT COLLATE \"C\"",
    /*id_column=*/"BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    /*table_options=*/"",
    /*own_columns=*/"",
    /*own_names=*/{"", ""},
    /*octets_literal=*/"'\\x$0'::bytea",
    /*text_literal=*/"",
    /*bit_and=*/"($0 & $1)",
    /*descending=*/" DESC NULLS LAST",
    /*unless_there=*/" ON CONFLICT DO NOTHING RETURNING $0",
    /*inserted_id=*/"",
    /*sum=*/"COALESCE(SUM($0), 0)::text",
    /*sum_high=*/"",
    /*sum_low=*/"",
    /*sum_order=*/"COALESCE(SUM($0), 0) DESC",
    /*whole_sum=*/"SUM($0)::bigint",
    /*row_identity=*/"CASE WHEN $0 THEN tableoid END, CASE WHEN $0 THEN ctid END",
    /*masked_octet=*/"set_byte('\\x00'::bytea, 0, get_byte($0, $1) & $2)",
    /*lock_rows=*/" FOR UPDATE",
    /*locks_what_it_passes=*/false,
    /*ddl_commits=*/false,
    /*fetch_with_ties=*/true,
    /*has_functions=*/false,
};

// With sql_mode PIPES_AS_CONCAT and a STRICT one.
inline constexpr Dialect kMariadb = {
    "mariadb",
    /*identifier_quote=*/'`',
    /*max_identifier=*/64,
    /*numbered_placeholders=*/false,
    /*integer_type=*/"BIGINT",
    /*address_type=*/"VARBINARY(16)",
    /*prefix_type=*/"VARBINARY(17)",
    /*octets_type=*/"LONGBLOB",
    /*text_type=*/"LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin",
    /*key_text_type=*/"VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin",
    /*id_column=*/"BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY",
    /*table_options=*/" ENGINE=InnoDB ROW_FORMAT=DYNAMIC",
    /*own_columns=*/
    "`row_number` BIGINT NOT NULL, `stored_day` BIGINT NOT NULL, PRIMARY KEY (`bin_start`, `row_number`, `stored_day`)",
    /*own_names=*/{"row_number", "stored_day"},
    /*octets_literal=*/"x'$0'",
    /*text_literal=*/"_utf8mb4 x'$0'",
    /*bit_and=*/"CAST($0 & $1 AS SIGNED)",
    /*descending=*/" DESC",
    /*unless_there=*/"",
    /*inserted_id=*/"SELECT LAST_INSERT_ID()",
    /*sum=*/"COALESCE(SUM($0), 0)",
    /*sum_high=*/"",
    /*sum_low=*/"",
    /*sum_order=*/"COALESCE(SUM($0), 0) DESC",
    /*whole_sum=*/"SUM($0)",
    /*row_identity=*/"CASE WHEN $0 THEN UUID_SHORT() END",
    /*masked_octet=*/"CHAR(ORD(SUBSTR($0, $1 + 1, 1)) & $2)",
    /*lock_rows=*/" FOR UPDATE",
    /*locks_what_it_passes=*/true,
    /*ddl_commits=*/true,
    /*fetch_with_ties=*/true,
    /*has_functions=*/false,
};

inline constexpr Dialect kMysql = [] {
  Dialect dialect = kMariadb;
  dialect.name = "mysql";
  dialect.text_type = "LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin";
  dialect.key_text_type = "VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin";
  dialect.fetch_with_ties = false;
  return dialect;
}();

absl::string_view ColumnType(const Dialect& dialect, record::StoredForm form);

// A name as SQL has it; whatever is in it stays a name.
std::string Quoted(const Dialect& dialect, absl::string_view name);

std::string OctetsLiteral(const Dialect& dialect, absl::string_view octets);

// Appends a placeholder to `statement` and `parameter` to its values, or the value itself.
void Bind(const Dialect& dialect, Parameter parameter, Statement* statement);

// A statement of a pattern in which each "?" is a placeholder for the next of the parameters. For patterns written in
// the program alone: "?" within quotes is not looked for.
Statement Prepared(const Dialect& dialect, absl::string_view pattern, std::vector<Parameter> parameters);

// Text that every store takes: UTF-8 without NUL.
std::string Storable(absl::string_view text);

}  // namespace flowacct::sink::sql

#endif  // FLOWACCT_SINK_SQL_DIALECT_H_
