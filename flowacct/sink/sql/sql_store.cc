#include "flowacct/sink/sql/sql_store.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "flowacct/sink/sql/group_select.h"

namespace flowacct::sink::sql {
namespace {

// A transaction that reads; it ends with the scope.
class Reading {
 public:
  explicit Reading(Connection* connection) : connection_(connection), status_(connection->Begin(/*writes=*/false)) {}
  ~Reading() {
    if (status_.ok()) connection_->Rollback();
  }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;
  const absl::Status& status() const { return status_; }

 private:
  Connection* const connection_;
  absl::Status status_;
};

std::string RollupOf(const std::vector<TableSchema>& tables, const std::string& name) {
  for (const TableSchema& table : tables) {
    if (table.name == name) return table.rollup_of;
  }
  return "";
}

// `asked`: the one that is looked at closely, with what it is a rollup of; null: all.
absl::StatusOr<std::vector<TableSchema>> AllTables(Connection* connection, const std::string* asked) {
  absl::StatusOr<std::vector<ExistingColumn>> catalog = connection->Columns(kTables);
  if (!catalog.ok()) return catalog.status();
  if (catalog->empty()) return std::vector<TableSchema>();
  absl::StatusOr<std::vector<TableSchema>> tables = ReadTables(connection, "", /*lock=*/false);
  if (!tables.ok() || !connection->dialect().ddl_commits) return tables;
  // What is described comes to be there, but a moment later.
  for (TableSchema& table : *tables) {
    if (!table.made) continue;
    if (asked != nullptr && *asked != table.name && RollupOf(*tables, *asked) != table.name) continue;
    absl::StatusOr<std::vector<ExistingColumn>> there = connection->Columns(table.name);
    if (!there.ok()) return there.status();
    if (there->empty()) table.made = false;
    const auto missing = [&](const Column& c) {
      return std::none_of(there->begin(), there->end(),
                          [&](const ExistingColumn& e) { return absl::EqualsIgnoreCase(e.name, c.name); });
    };
    table.columns.erase(std::remove_if(table.columns.begin(), table.columns.end(), missing), table.columns.end());
  }
  tables->erase(std::remove_if(tables->begin(), tables->end(), [](const TableSchema& table) { return !table.made; }),
                tables->end());
  return tables;
}

const TableSchema* FindTable(const std::vector<TableSchema>& tables, absl::string_view name) {
  const auto at = std::find_if(tables.begin(), tables.end(), [&](const TableSchema& t) { return t.name == name; });
  return at == tables.end() ? nullptr : &*at;
}

absl::Status FindSpan(Connection* connection, const std::string& table, int64_t* first, int64_t* last) {
  const Dialect& dialect = connection->dialect();
  const std::string from = absl::StrCat(" FROM ", Quoted(dialect, table));
  const std::string start = Quoted(dialect, kBinStart), end = Quoted(dialect, kBinEnd);
  // Two walks down the index.
  return connection->Query({absl::StrCat("SELECT (SELECT MIN(", start, ")", from, "), (SELECT MAX(", end, ")", from,
                                         " WHERE ", start, " = (SELECT MAX(", start, ")", from, "))"),
                            {}},
                           [&](absl::Span<const Cell> cells) {
                             *first = cells[0].is_null() ? 0 : cells[0].integer;
                             *last = cells[1].is_null() ? 0 : cells[1].integer;
                             return true;
                           });
}

}  // namespace

void Describe(absl::Span<const Column> columns, query::TableInfo* info) {
  for (const Column& column : columns) {
    if (column.key) {
      info->keys.push_back(column.field);
      info->key_names.push_back(column.name);
    } else if (column.summable()) {
      info->values.push_back({column.field, column.function, column.name});
    } else {
      info->left_out.push_back(column.name);
    }
  }
}

absl::StatusOr<std::vector<query::TableInfo>> StoredTables(Connection* connection) {
  const Reading reading(connection);
  if (!reading.status().ok()) return reading.status();
  absl::StatusOr<std::vector<TableSchema>> tables = AllTables(connection, nullptr);
  if (!tables.ok()) return tables.status();
  std::vector<query::TableInfo> infos;
  for (const TableSchema& table : *tables) {
    query::TableInfo info;
    info.name = table.name;
    info.bin_seconds = table.bin_seconds;
    info.rollup_of = table.rollup_of;
    Describe(table.columns, &info);
    absl::Status status = FindSpan(connection, table.name, &info.first_seconds, &info.last_seconds);
    if (status.ok() && FindTable(*tables, table.rollup_of) != nullptr) {
      // With what its table has and it has not yet.
      int64_t first = 0, last = 0;
      status = FindSpan(connection, table.rollup_of, &first, &last);
      if ((first != 0 || last != 0) && last > table.rolled_until) {
        const bool empty = info.last_seconds == 0 && info.first_seconds == 0;
        const int64_t begin = FloorTo(std::max(first, table.rolled_until), table.bin_seconds);
        info.first_seconds = empty ? begin : std::min(info.first_seconds, begin);
        info.last_seconds = std::max(info.last_seconds, FloorTo(last - 1, table.bin_seconds) + table.bin_seconds);
      }
    }
    if (!status.ok()) return status;
    infos.push_back(std::move(info));
  }
  return infos;
}

absl::Status SumStored(Connection* connection, const query::GroupRequest& request,
                       const std::function<bool(const query::GroupRow&)>& tell) {
  const Reading reading(connection);
  if (!reading.status().ok()) return reading.status();
  absl::StatusOr<std::vector<TableSchema>> tables = AllTables(connection, &request.table);
  if (!tables.ok()) return tables.status();
  const TableSchema* const table = FindTable(*tables, request.table);
  if (table == nullptr) {
    std::string names;
    for (const TableSchema& t : *tables) absl::StrAppend(&names, names.empty() ? "" : ", ", t.name);
    return absl::NotFoundError(absl::StrCat(connection->dialect().name, ": there is no table \"", request.table,
                                            "\"; there are: ", names.empty() ? "none yet" : names));
  }
  const TableSchema* const base = FindTable(*tables, table->rollup_of);
  const size_t in_memory = connection->dialect().groups_in_memory;
  if (in_memory != 0 && (!request.by.empty() || request.step_seconds != 0)) {
    absl::StatusOr<GroupSelect> rows =
        GroupSelect::New(connection->dialect(), request, *table, base, GroupSelect::Summed::kHere);
    if (!rows.ok()) return rows.status();
    GroupSums sums = rows->NewSums(in_memory);
    bool fits = true;
    absl::Status status =
        connection->Query(rows->statement(), [&](absl::Span<const Cell> cells) { return fits = sums.Add(cells); });
    if (!status.ok()) return status;
    if (fits) {
      sums.Tell(request, tell);
      return absl::OkStatus();
    }
  }
  absl::StatusOr<GroupSelect> select = GroupSelect::New(connection->dialect(), request, *table, base);
  if (!select.ok()) return select.status();
  absl::Status status =
      connection->Query(select->statement(), [&](absl::Span<const Cell> cells) { return select->Tell(cells, tell); });
  if (status.ok()) status = select->status();
  if (status.ok()) select->Finish(tell);
  return status;
}

}  // namespace flowacct::sink::sql
