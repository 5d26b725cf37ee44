// How accounted traffic lies in ClickHouse: the tables' columns, their types, and the statements that make them.
//
// What a column stands for is in its comment, so that it goes with the table wherever that goes: of bin_start that it
// is a table of this program, of which bins and version, of each other the line of sql::ColumnsToText. Threads: any.
// Errors: as http_connection.h has them; FailedPrecondition for tables of a newer program.

#ifndef FLOWACCT_SINK_CLICKHOUSE_STORED_TABLE_H_
#define FLOWACCT_SINK_CLICKHOUSE_STORED_TABLE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "flowacct/sink/clickhouse/http_connection.h"
#include "flowacct/sink/sql/dialect.h"
#include "flowacct/sink/sql/table_schema.h"

namespace flowacct::sink::clickhouse {

inline constexpr sql::Dialect kDialect = {
    /*name=*/"clickhouse",
    /*identifier_quote=*/'`',
    /*max_identifier=*/200,  // they become names of files, escaped
    /*numbered_placeholders=*/false,
    /*integer_type=*/"Int64",
    /*address_type=*/"FixedString(16)",
    /*prefix_type=*/"FixedString(17)",
    /*octets_type=*/"String",
    /*text_type=*/"String",
    /*key_text_type=*/"String",
    /*id_column=*/"UInt64",
    /*table_options=*/"",
    /*own_columns=*/"",
    /*own_names=*/{"", ""},
    /*octets_literal=*/"unhex('$0')",
    /*text_literal=*/"unhex('$0')",
    /*bit_and=*/"bitAnd($0, $1)",
    /*descending=*/" DESC NULLS LAST",
    /*unless_there=*/"",
    /*inserted_id=*/"",
    /*sum=*/"sum(toDecimal128($0, 0))",
    /*sum_high=*/"",
    /*sum_low=*/"",
    /*sum_order=*/"sum(toDecimal128($0, 0)) DESC",
    /*whole_sum=*/"sum($0)",
    /*row_identity=*/"",
    /*masked_octet=*/"toFixedString(reinterpretAsString(bitAnd(reinterpretAsUInt8(substring($0, $1 + 1, 1)), $2)), 1)",
    /*lock_rows=*/"",
    /*locks_what_it_passes=*/false,
    /*ddl_commits=*/true,
    /*fetch_with_ties=*/false,
    /*has_functions=*/false,
    /*true_word=*/"1",
    /*false_word=*/"0",
    /*or_of_nulls_is_false=*/true,  // in 18.16
    /*backslash_escapes=*/true,
};

inline std::string Quoted(absl::string_view name) { return sql::Quoted(kDialect, name); }
std::string TextLiteral(absl::string_view text);

// Not of a column of ours: batches, and what each has become.
inline constexpr absl::string_view kBatches = "flowacct_batches";

// "UInt16", "FixedString(16)", "String": the type of a column without what is around it.
std::string BaseType(const sql::Column& column);
std::string ColumnType(const sql::Column& column, const Features& features);
// How RowBinary has it.
CellType CellTypeOf(const sql::Column& column);

struct StoredColumn {
  std::string name;
  std::string type;  // as the server has it
  bool described = false;
  sql::Column column;  // if it is
};

struct StoredTable {
  sql::TableSchema schema;  // the columns that are described
  std::vector<StoredColumn> all;
  bool ours = false;         // else only `all` and the name are set
  bool distributed = false;  // over NAME_local of several servers

  const StoredColumn* Find(absl::string_view name) const;
};

// The table and its rollups, by length; of all tables of ours if `name` is empty. A table of that name which is not
// ours is among them.
absl::StatusOr<std::vector<StoredTable>> ReadTables(HttpConnection* connection, absl::string_view name);

// How tables are made.
struct TableShape {
  std::string cluster;  // empty: on the one server
  std::string database;
  Features features;
  bool durable = true;
  absl::Duration ttl = absl::InfiniteDuration();
};

// Of a day a partition; of rollups and of bins of a day and more, of 32 days.
int64_t PartitionSeconds(const sql::TableSchema& table);
// The table that has the rows on each server.
std::string LocalName(const TableShape& shape, absl::string_view table);
std::string OnCluster(const TableShape& shape);

std::vector<std::string> CreateBatches(const TableShape& shape);
std::vector<std::string> CreateTable(const TableShape& shape, const sql::TableSchema& table);
std::vector<std::string> AddColumn(const TableShape& shape, absl::string_view table, const sql::Column& column);
// The view NAME_text, for people: what counts, with times and addresses as such.
std::string CreateTextView(const TableShape& shape, const sql::TableSchema& table);

}  // namespace flowacct::sink::clickhouse

#endif  // FLOWACCT_SINK_CLICKHOUSE_STORED_TABLE_H_
