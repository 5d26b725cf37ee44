#include "flowacct/sink/clickhouse/stored_table.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "flowacct/record/field.h"
#include "flowacct/record/stored_value.h"
#include "flowacct/sink/clickhouse/batch_selection.h"

namespace flowacct::sink::clickhouse {
namespace {

using aggregate::Function;
using record::FieldType;
using record::StoredForm;

constexpr int64_t kDay = 86400;
constexpr absl::string_view kMark = "flowacct";

FieldType TypeOf(const sql::Column& column) { return record::Info(column.field).type; }

// Sums are always told; anything else can be absent.
bool IsNullable(const sql::Column& column) { return column.key || column.function != Function::kSum; }

std::string TableComment(const sql::TableSchema& table) {
  return absl::StrCat(kMark, " ", sql::kSchemaVersion, " ", table.bin_seconds, " ", table.rollup_of);
}

// Of our own: version, seconds of a bin, and the table that it sums.
bool ParseTableComment(absl::string_view comment, int64_t* version, sql::TableSchema* table) {
  const std::vector<absl::string_view> words = absl::StrSplit(comment, absl::MaxSplits(' ', 3));
  if (words.size() < 3 || words[0] != kMark || !absl::SimpleAtoi(words[1], version) ||
      !absl::SimpleAtoi(words[2], &table->bin_seconds)) {
    return false;
  }
  if (words.size() == 4) table->rollup_of = std::string(words[3]);
  return true;
}

std::string ColumnComment(const sql::Column& column) {
  return std::string(absl::StripSuffix(sql::ColumnsToText({column}), "\n"));
}

std::string ColumnSql(const sql::Column& column, const Features& features) {
  return absl::StrCat(Quoted(column.name), " ", ColumnType(column, features), " COMMENT ",
                      TextLiteral(ColumnComment(column)));
}

std::string Durable(const TableShape& shape) {
  std::string settings;
  if (shape.durable && shape.features.fsync_after_insert) settings += ", fsync_after_insert = 1";
  if (shape.durable && shape.features.fsync_part_directory) settings += ", fsync_part_directory = 1";
  return settings;
}

std::string Distributed(const TableShape& shape, absl::string_view table, absl::string_view sharding) {
  return absl::StrCat("CREATE TABLE IF NOT EXISTS ", Quoted(table), OnCluster(shape), " AS ",
                      Quoted(LocalName(shape, table)), " ENGINE = Distributed(", Quoted(shape.cluster), ", ",
                      Quoted(shape.database), ", ", Quoted(LocalName(shape, table)), ", ", sharding, ")");
}

// Of 16 octets.
std::string AddressText(const std::string& octets) {
  return absl::StrCat("if(substring(", octets, ", 1, 12) = unhex('00000000000000000000ffff'), ",
                      "IPv4NumToString(reinterpretAsUInt32(reverse(substring(", octets, ", 13, 4)))), ",
                      "IPv6NumToString(toFixedString(substring(", octets, ", 1, 16), 16)))");
}

}  // namespace

std::string TextLiteral(absl::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('\'');
  return out;
}

std::string Literal(const sql::Parameter& parameter) {
  switch (parameter.kind) {
    case sql::Cell::Kind::kNull:
      return "NULL";
    case sql::Cell::Kind::kInteger:
      return absl::StrCat(parameter.integer);
    case sql::Cell::Kind::kOctets:
      return sql::OctetsLiteral(kDialect, parameter.octets);
    case sql::Cell::Kind::kText:
      break;
  }
  return TextLiteral(parameter.octets);
}

std::string BaseType(const sql::Column& column) {
  const FieldType type = TypeOf(column);
  if (!column.key && (column.function == Function::kSum || column.function == Function::kDistinct)) return "UInt64";
  if (column.form() == StoredForm::kInteger) {
    const size_t octets = record::FieldTypeSize(type);
    if (octets < 8) return absl::StrCat("UInt", 8 * octets);
    // Keys of all stores are in the order of signed numbers; a minimum is one of the field's own.
    return column.key || record::SignBit(type) != 0 ? "Int64" : "UInt64";
  }
  if (column.key && type == FieldType::kAddress) return "FixedString(16)";
  if (column.key && type == FieldType::kPrefix) return "FixedString(17)";
  return "String";
}

std::string ColumnType(const sql::Column& column, const Features& features) {
  std::string type = BaseType(column);
  if (IsNullable(column)) type = absl::StrCat("Nullable(", type, ")");
  if (features.low_cardinality && column.key && column.form() == StoredForm::kText) {
    type = absl::StrCat("LowCardinality(", type, ")");
  }
  return type;
}

CellType CellTypeOf(const sql::Column& column) {
  CellType cell;
  cell.nullable = IsNullable(column);
  const std::string type = BaseType(column);
  if (type == "String") {
    cell.kind = CellType::Kind::kText;
  } else if (absl::StartsWith(type, "Fixed")) {
    cell.kind = CellType::Kind::kFixed;
    cell.width = TypeOf(column) == FieldType::kPrefix ? 17 : 16;
  } else {
    cell.width = !column.key && (column.function == Function::kSum || column.function == Function::kDistinct)
                     ? 8
                     : static_cast<uint8_t>(record::FieldTypeSize(TypeOf(column)));
  }
  return cell;
}

const StoredColumn* StoredTable::Find(absl::string_view name) const {
  // Names of columns differ by case here; two that differ by nothing else are not made.
  for (const StoredColumn& column : all) {
    if (absl::EqualsIgnoreCase(column.name, name)) return &column;
  }
  return nullptr;
}

absl::StatusOr<std::vector<StoredTable>> ReadTables(HttpConnection* connection, absl::string_view name) {
  std::string mine = absl::StrCat("SELECT table FROM system.columns WHERE database = currentDatabase() AND name = ",
                                  TextLiteral(sql::kBinStart), " AND comment LIKE '", kMark, " %'");
  if (!name.empty()) {
    absl::StrAppend(&mine, " AND (table = ", TextLiteral(name), " OR endsWith(comment, ",
                    TextLiteral(absl::StrCat(" ", name)), "))");
  }
  std::vector<StoredTable> tables;
  std::map<std::string, size_t> index;
  absl::Status wrong;
  absl::Status status = connection->Query(
      absl::StrCat("SELECT table, name, type, comment, '' AS engine FROM system.columns WHERE database = "
                   "currentDatabase() AND (table IN (",
                   mine, ")", name.empty() ? "" : absl::StrCat(" OR table = ", TextLiteral(name)),
                   ") UNION ALL SELECT name, '', '', '', engine FROM system.tables WHERE database = currentDatabase()"),
      {kTextCell, kTextCell, kTextCell, kTextCell, kTextCell}, {}, [&](absl::Span<const Cell> cells) {
        const std::string table_name(cells[0].octets);
        const auto [at, is_new] = index.emplace(table_name, tables.size());
        if (is_new) tables.emplace_back();
        StoredTable& table = tables[at->second];
        table.schema.name = table_name;
        if (!cells[4].octets.empty()) {
          table.distributed = cells[4].octets == "Distributed";
          return true;
        }
        StoredColumn column;
        column.name = std::string(cells[1].octets);
        column.type = std::string(cells[2].octets);
        const absl::string_view comment = cells[3].octets;
        int64_t version = 0;
        if (column.name == sql::kBinStart && ParseTableComment(comment, &version, &table.schema)) {
          table.ours = true;
          if (version > sql::kSchemaVersion) {
            wrong = absl::FailedPreconditionError(absl::StrCat("clickhouse: table ", Quoted(table_name),
                                                               " is of a newer program (version ", version, ", here ",
                                                               sql::kSchemaVersion, "); use that one"));
            return false;
          }
        } else if (!comment.empty()) {
          absl::StatusOr<std::vector<sql::Column>> described = sql::ColumnsFromText(comment);
          // Of one that was renamed the comment stays: it stands for nothing here.
          if (described.ok() && described->size() == 1 && (*described)[0].name == column.name) {
            column.described = true;
            column.column = (*described)[0];
            table.schema.columns.push_back(column.column);
          }
        }
        table.all.push_back(std::move(column));
        return true;
      });
  if (!status.ok()) return status;
  if (!wrong.ok()) return wrong;
  tables.erase(std::remove_if(tables.begin(), tables.end(),
                              [&](const StoredTable& t) {
                                if (t.all.empty()) return true;
                                // NAME_local is told as NAME.
                                const bool local =
                                    absl::EndsWith(t.schema.name, "_local") &&
                                    std::any_of(tables.begin(), tables.end(), [&](const StoredTable& o) {
                                      return o.distributed && absl::StrCat(o.schema.name, "_local") == t.schema.name;
                                    });
                                if (local) return true;
                                return name.empty() ? !t.ours : t.schema.name != name && t.schema.rollup_of != name;
                              }),
               tables.end());
  for (StoredTable& table : tables) {
    std::stable_partition(table.schema.columns.begin(), table.schema.columns.end(),
                          [](const sql::Column& c) { return c.key; });
  }
  std::sort(tables.begin(), tables.end(), [](const StoredTable& a, const StoredTable& b) {
    return std::make_pair(a.schema.bin_seconds, a.schema.name) < std::make_pair(b.schema.bin_seconds, b.schema.name);
  });
  return tables;
}

int64_t PartitionSeconds(const sql::TableSchema& table) {
  return table.rollup_of.empty() && table.bin_seconds < kDay ? kDay : 32 * kDay;
}

std::string LocalName(const TableShape& shape, absl::string_view table) {
  return absl::StrCat(table, shape.cluster.empty() ? "" : "_local");
}

std::string OnCluster(const TableShape& shape) {
  return shape.cluster.empty() ? "" : absl::StrCat(" ON CLUSTER ", Quoted(shape.cluster));
}

std::vector<std::string> CreateBatches(const TableShape& shape) {
  std::vector<std::string> statements = {absl::StrCat(
      "CREATE TABLE IF NOT EXISTS ", Quoted(LocalName(shape, kBatches)), OnCluster(shape),
      " (table_name String, bin_start Int64, bin_end Int64, id UInt64, collector String, run UInt64, pipeline String, "
      "number UInt64, row_count UInt64, incomplete UInt8, correction UInt8, written_at Int64, includes Array(UInt64)) "
      "ENGINE = MergeTree ORDER BY (table_name, bin_start, id) SETTINGS index_granularity = 8192",
      Durable(shape))};
  // A batch that is written again goes to the same shard.
  if (!shape.cluster.empty()) {
    statements.push_back(Distributed(shape, kBatches, "cityHash64(collector, run, pipeline, number)"));
  }
  return statements;
}

std::vector<std::string> CreateTable(const TableShape& shape, const sql::TableSchema& table) {
  std::string sql = absl::StrCat("CREATE TABLE IF NOT EXISTS ", Quoted(LocalName(shape, table.name)), OnCluster(shape),
                                 " (", sql::kBinStart, " Int64 COMMENT ", TextLiteral(TableComment(table)), ", ",
                                 sql::kBinEnd, " Int64, ", sql::kBatch, " UInt64");
  for (const sql::Column& column : table.columns) absl::StrAppend(&sql, ", ", ColumnSql(column, shape.features));
  absl::StrAppend(&sql, ") ENGINE = MergeTree PARTITION BY intDiv(", sql::kBinStart, ", ", PartitionSeconds(table),
                  ") ORDER BY (", sql::kBinStart, ", ", sql::kBatch, ")");
  const bool ttl = shape.features.ttl && shape.ttl != absl::InfiniteDuration() && table.bin_seconds != 0;
  if (ttl) {
    absl::StrAppend(&sql, " TTL toDateTime(", sql::kBinEnd, ") + toIntervalSecond(", absl::ToInt64Seconds(shape.ttl),
                    ")");
  }
  absl::StrAppend(&sql, " SETTINGS index_granularity = 8192", ttl ? ", ttl_only_drop_parts = 1" : "", Durable(shape));
  std::vector<std::string> statements = {sql};
  if (!shape.cluster.empty()) {
    statements.push_back(Distributed(shape, table.name, absl::StrCat("intHash64(", sql::kBatch, ")")));
  }
  return statements;
}

std::vector<std::string> AddColumn(const TableShape& shape, absl::string_view table, const sql::Column& column) {
  std::vector<std::string> statements = {absl::StrCat("ALTER TABLE ", Quoted(LocalName(shape, table)), OnCluster(shape),
                                                      " ADD COLUMN ", ColumnSql(column, shape.features))};
  if (!shape.cluster.empty()) {
    statements.push_back(absl::StrCat("ALTER TABLE ", Quoted(table), OnCluster(shape), " ADD COLUMN ",
                                      ColumnSql(column, shape.features)));
  }
  return statements;
}

std::string CreateTextView(const TableShape& shape, const sql::TableSchema& table) {
  std::string sql =
      absl::StrCat("CREATE VIEW IF NOT EXISTS ", Quoted(absl::StrCat(table.name, "_text")), OnCluster(shape),
                   " AS SELECT toDateTime(", sql::kBinStart, ", 'UTC') AS ", sql::kBinStart, ", toDateTime(",
                   sql::kBinEnd, ", 'UTC') AS ", sql::kBinEnd, ", ", sql::kBatch);
  for (const sql::Column& column : table.columns) {
    const std::string name = Quoted(column.name);
    const FieldType type = TypeOf(column);
    if (column.key && type == FieldType::kAddress) {
      absl::StrAppend(&sql, ", ", AddressText(name), " AS ", name);
    } else if (column.key && type == FieldType::kPrefix) {
      absl::StrAppend(&sql, ", concat(", AddressText(name), ", '/', toString(reinterpretAsUInt8(substring(", name,
                      ", 17, 1)))) AS ", name);
    } else {
      absl::StrAppend(&sql, ", ", name);
    }
  }
  absl::StrAppend(&sql, " FROM ", Quoted(table.name), " WHERE ", sql::kBatch, shape.cluster.empty() ? "" : " GLOBAL",
                  " IN (", CountedBatches(table), ")");
  return sql;
}

}  // namespace flowacct::sink::clickhouse
