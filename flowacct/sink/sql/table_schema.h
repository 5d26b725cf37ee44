// The columns of a stored table, and the tables that describe them and the batches: flowacct_tables, flowacct_batches.
// docs/reference/stores.md shows them to users.
//
// Threads: any, as values. Errors: InvalidArgument for names that a store cannot have.

#ifndef FLOWACCT_SINK_SQL_TABLE_SCHEMA_H_
#define FLOWACCT_SINK_SQL_TABLE_SCHEMA_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/record/field.h"
#include "flowacct/record/stored_value.h"
#include "flowacct/sink/sql/connection.h"
#include "flowacct/sink/sql/dialect.h"
#include "flowacct/sink/sql/statement.h"

namespace flowacct::sink::sql {

inline constexpr absl::string_view kTables = "flowacct_tables";
inline constexpr absl::string_view kBatches = "flowacct_batches";
inline constexpr absl::string_view kBinStart = "bin_start";
inline constexpr absl::string_view kBinEnd = "bin_end";
inline constexpr absl::string_view kBatch = "batch";
// What this program writes; a store with a higher one is of a newer program.
inline constexpr int64_t kSchemaVersion = 1;
// Instead of it: described, and being made by somebody, where CREATE is no part of a transaction. Nothing is in it.
inline constexpr int64_t kNotMade = 0;

struct Column {
  record::FieldId field{};
  bool key = false;
  aggregate::Function function = aggregate::Function::kSum;  // of a value
  std::string name;                                          // in the store

  record::StoredForm form() const;
  // Whether stores can sum it further.
  bool summable() const;

  friend bool operator==(const Column& a, const Column& b) {
    return a.field == b.field && a.key == b.key && (a.key || a.function == b.function) && a.name == b.name;
  }
};

struct TableSchema {
  std::string name;
  std::vector<Column> columns;  // keys, then values, in the order of the batch
  int64_t bin_seconds = 0;
  std::string rollup_of;
  bool made = true;
  int64_t rolled_until = 0;  // of a rollup: rows of its table whose bin begins before this are in it

  const Column* Find(absl::string_view column) const;
};

// The columns for batches of `schema`. Names that are equal but for case, or taken by the sink, get a "_" at the end.
absl::StatusOr<std::vector<Column>> ColumnsOf(const Dialect& dialect, const aggregate::Schema& schema);
absl::Status CheckName(const Dialect& dialect, absl::string_view name);

// As flowacct_tables keeps them: a line a column, "key src_addr src_addr", "max ttl max(ttl)".
std::string ColumnsToText(absl::Span<const Column> columns);
absl::StatusOr<std::vector<Column>> ColumnsFromText(absl::string_view text);

// "1h", "5m", "1d": how a rollup's table is called beside NAME.
std::string RollupName(absl::string_view table, int64_t bin_seconds);

// CREATE TABLE of the describing tables, if they are not there. One statement each.
std::vector<Statement> CreateCatalog(const Dialect& dialect);
// CREATE TABLE, without what a store adds at the end (partitions, indexes).
std::string CreateTable(const Dialect& dialect, const TableSchema& table);
std::string AddColumn(const Dialect& dialect, absl::string_view table, const Column& column);

// The rows of flowacct_tables: of `table` and of its rollups; of all tables if it is empty. NotFound is no error here:
// a store without flowacct_tables has none.
absl::StatusOr<std::vector<TableSchema>> ReadTables(Connection* connection, absl::string_view table, bool lock);

}  // namespace flowacct::sink::sql

#endif  // FLOWACCT_SINK_SQL_TABLE_SCHEMA_H_
