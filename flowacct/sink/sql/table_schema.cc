#include "flowacct/sink/sql/table_schema.h"

#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace flowacct::sink::sql {
namespace {

using aggregate::Function;
using record::StoredForm;

struct Word {
  absl::string_view word;
  bool key;
  Function function;
};
constexpr Word kWords[] = {
    {"key", true, Function::kSum},  {"sum", false, Function::kSum},           {"min", false, Function::kMin},
    {"max", false, Function::kMax}, {"distinct", false, Function::kDistinct}, {"top", false, Function::kTop},
};

absl::string_view TypeOf(const Dialect& dialect, const Column& column) {
  const record::FieldType type = record::Info(column.field).type;
  if (column.key && type == record::FieldType::kAddress) return dialect.address_type;
  if (column.key && type == record::FieldType::kPrefix) return dialect.prefix_type;
  return ColumnType(dialect, column.form());
}

}  // namespace

StoredForm Column::form() const {
  if (key) return record::StoredFormOf(record::Info(field).type);
  return function == Function::kTop ? StoredForm::kText : StoredForm::kInteger;
}

bool Column::summable() const {
  return !key && (function == Function::kSum || function == Function::kMin || function == Function::kMax);
}

const Column* TableSchema::Find(absl::string_view column) const {
  for (const Column& c : columns) {
    if (absl::EqualsIgnoreCase(c.name, column)) return &c;
  }
  return nullptr;
}

absl::Status CheckName(const Dialect& dialect, absl::string_view name) {
  if (!name.empty() && !absl::StrContains(name, absl::string_view("\0", 1)) && Storable(name) == name &&
      (dialect.max_identifier == 0 || name.size() <= dialect.max_identifier)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      dialect.name, ": \"", absl::CHexEscape(name), "\" cannot be the name of a table or column; use UTF-8 text",
      dialect.max_identifier == 0 ? "" : absl::StrCat(" of at most ", dialect.max_identifier, " octets")));
}

absl::StatusOr<std::vector<Column>> ColumnsOf(const Dialect& dialect, const aggregate::Schema& schema) {
  std::vector<Column> columns;
  for (const record::FieldId field : schema.key.fields()) {
    columns.push_back({field, true, Function::kSum, std::string(schema.key.NameOf(field))});
  }
  for (const aggregate::ValueColumn& value : schema.values) {
    columns.push_back({value.field, false, value.function, value.name});
  }
  std::set<std::string> taken = {std::string(kBinStart), std::string(kBinEnd), std::string(kBatch), "rowid"};
  for (const absl::string_view own : dialect.own_names) taken.insert(std::string(own));
  for (Column& column : columns) {
    while (!taken.insert(absl::AsciiStrToLower(column.name)).second) column.name.push_back('_');
    if (absl::Status status = CheckName(dialect, column.name); !status.ok()) return status;
  }
  return columns;
}

std::string ColumnsToText(absl::Span<const Column> columns) {
  std::string text;
  for (const Column& column : columns) {
    for (const Word& word : kWords) {
      if (word.key != column.key || (!word.key && word.function != column.function)) continue;
      absl::StrAppend(&text, word.word, " ", record::Info(column.field).name, " ", absl::Utf8SafeCEscape(column.name),
                      "\n");
    }
  }
  return text;
}

absl::StatusOr<std::vector<Column>> ColumnsFromText(absl::string_view text) {
  std::vector<Column> columns;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::vector<absl::string_view> parts = absl::StrSplit(line, absl::MaxSplits(' ', 2));
    Column column;
    bool understood = false;
    for (const Word& word : kWords) {
      if (parts.size() != 3 || word.word != parts[0]) continue;
      column.key = word.key;
      column.function = word.function;
      const auto field = record::FindField(parts[1]);
      understood = field.has_value() && absl::CUnescape(parts[2], &column.name);
      if (understood) column.field = *field;
    }
    // What a newer program knows is left alone.
    if (!understood) return absl::FailedPreconditionError(absl::StrCat("\"", line, "\" is no column that is known"));
    columns.push_back(std::move(column));
  }
  return columns;
}

std::string RollupName(absl::string_view table, int64_t bin_seconds) {
  struct Unit {
    int64_t seconds;
    absl::string_view letter;
  };
  for (const Unit& unit : {Unit{86400, "d"}, Unit{3600, "h"}, Unit{60, "m"}}) {
    if (bin_seconds % unit.seconds == 0) return absl::StrCat(table, "_", bin_seconds / unit.seconds, unit.letter);
  }
  return absl::StrCat(table, "_", bin_seconds, "s");
}

std::vector<Statement> CreateCatalog(const Dialect& dialect) {
  const auto name = [&](absl::string_view n) { return Quoted(dialect, n); };
  const auto& integer = dialect.integer_type;
  const auto& text = dialect.text_type;
  const auto& key = dialect.key_text_type;
  return {
      {absl::StrCat("CREATE TABLE IF NOT EXISTS ", name(kTables), " (", name("name"), " ", key, " PRIMARY KEY, ",
                    name("columns"), " ", text, " NOT NULL, ", name("bin_seconds"), " ", integer, " NOT NULL, ",
                    name("version"), " ", integer, " NOT NULL, ", name("rollup_of"), " ", key, " NOT NULL, ",
                    name("rolled_until"), " ", integer, " NOT NULL)", dialect.table_options),
       {}},
      {absl::StrCat("CREATE TABLE IF NOT EXISTS ", name(kBatches), " (", name("id"), " ", dialect.id_column, ", ",
                    name("collector"), " ", key, " NOT NULL, ", name("run"), " ", integer, " NOT NULL, ",
                    name("pipeline"), " ", key, " NOT NULL, ", name("number"), " ", integer, ", ", name("table_name"),
                    " ", key, " NOT NULL, ", name(kBinStart), " ", integer, " NOT NULL, ", name(kBinEnd), " ", integer,
                    " NOT NULL, ", name("row_count"), " ", integer, " NOT NULL, ", name("incomplete"), " ", integer,
                    " NOT NULL, ", name("correction"), " ", integer, " NOT NULL, ", name("written_at"), " ", integer,
                    " NOT NULL, UNIQUE (", name("collector"), ", ", name("run"), ", ", name("pipeline"), ", ",
                    name("number"), "))", dialect.table_options),
       {}},
  };
}

std::string CreateTable(const Dialect& dialect, const TableSchema& table) {
  const auto name = [&](absl::string_view n) { return Quoted(dialect, n); };
  std::string sql =
      absl::StrCat("CREATE TABLE ", name(table.name), " (", name(kBinStart), " ", dialect.integer_type, " NOT NULL, ",
                   name(kBinEnd), " ", dialect.integer_type, " NOT NULL, ", name(kBatch), " ", dialect.integer_type);
  for (const Column& column : table.columns) {
    absl::StrAppend(&sql, ", ", name(column.name), " ", TypeOf(dialect, column));
  }
  if (!dialect.own_columns.empty()) absl::StrAppend(&sql, ", ", dialect.own_columns);
  return absl::StrCat(sql, ")", dialect.table_options);
}

std::string AddColumn(const Dialect& dialect, absl::string_view table, const Column& column) {
  return absl::StrCat("ALTER TABLE ", Quoted(dialect, table), " ADD COLUMN ", Quoted(dialect, column.name), " ",
                      TypeOf(dialect, column));
}

absl::StatusOr<std::vector<TableSchema>> ReadTables(Connection* connection, absl::string_view table, bool lock) {
  const Dialect& dialect = connection->dialect();
  const auto in_its_quotes = [&](std::string pattern) {
    for (char& c : pattern) c = c == '"' ? dialect.identifier_quote : c;
    return pattern;
  };
  std::string pattern =
      "SELECT \"name\", \"columns\", \"bin_seconds\", \"version\", \"rollup_of\", \"rolled_until\" FROM "
      "\"flowacct_tables\"";
  std::vector<Parameter> parameters;
  if (!table.empty()) {
    pattern += " WHERE \"name\" = ? OR \"rollup_of\" = ?";
    parameters = {Text(table), Text(table)};
  }
  // In one order for all, so that two writers do not wait for one another.
  pattern += " ORDER BY \"bin_seconds\", \"name\"";
  if (lock && dialect.locks_what_it_passes) {  // the table's row stands for those of its rollups
    const std::string row = "SELECT 1 FROM \"flowacct_tables\" WHERE \"name\" = ?";
    absl::Status status =
        connection->Query(Prepared(dialect, absl::StrCat(in_its_quotes(row), dialect.lock_rows), {Text(table)}),
                          [](absl::Span<const Cell>) { return true; });
    if (!status.ok()) return status;
  } else if (lock) {
    absl::StrAppend(&pattern, dialect.lock_rows);
  }
  pattern = in_its_quotes(std::move(pattern));
  std::vector<TableSchema> tables;
  absl::Status wrong;
  absl::Status status =
      connection->Query(Prepared(dialect, pattern, std::move(parameters)), [&](absl::Span<const Cell> cells) {
        TableSchema found;
        found.name = std::string(cells[0].octets);
        found.bin_seconds = cells[2].integer;
        found.rollup_of = std::string(cells[4].octets);
        found.rolled_until = cells[5].integer;
        found.made = cells[3].integer != kNotMade;
        auto columns = ColumnsFromText(cells[1].octets);
        if (cells[3].integer > kSchemaVersion || !columns.ok()) {
          wrong = absl::FailedPreconditionError(
              absl::StrCat(dialect.name, ": table ", Quoted(dialect, found.name), " is of a newer program (version ",
                           cells[3].integer, ", here ", kSchemaVersion, "); use that one",
                           columns.ok() ? "" : absl::StrCat(": ", columns.status().message())));
          return false;
        }
        found.columns = *std::move(columns);
        tables.push_back(std::move(found));
        return true;
      });
  if (!status.ok()) return status;
  if (!wrong.ok()) return wrong;
  return tables;
}

}  // namespace flowacct::sink::sql
