#include "flowacct/collector/stores/table_check.h"

#include <algorithm>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "flowacct/query/group_batch.h"
#include "flowacct/record/field.h"

namespace flowacct::collector {
namespace {

using aggregate::Function;
using query::TableInfo;

bool IsSummable(Function function) { return function != Function::kDistinct && function != Function::kTop; }

// As the store's language writes a name; empty: it has no statements.
std::string Quoted(absl::string_view kind, absl::string_view name) {
  if (kind == "sqlite" || kind == "postgresql") return absl::StrCat("\"", name, "\"");
  if (kind == "mariadb" || kind == "clickhouse") return absl::StrCat("`", name, "`");
  return "";
}

std::string Rename(absl::string_view kind, absl::string_view table, absl::string_view column) {
  const std::string quoted = Quoted(kind, table);
  if (quoted.empty()) return "give it another name there";
  if (column.empty()) {
    return absl::StrCat("keep it under another name: ",
                        kind == "clickhouse" ? absl::StrCat("RENAME TABLE ", quoted, " TO ")
                                             : absl::StrCat("ALTER TABLE ", quoted, " RENAME TO "),
                        Quoted(kind, absl::StrCat(table, "_old")));
  }
  return absl::StrCat("keep it under another name: ALTER TABLE ", quoted, " RENAME COLUMN ", Quoted(kind, column),
                      " TO ", Quoted(kind, absl::StrCat(column, "_old")));
}

// What a column of that name stands for in the table; none: there is no such column.
struct Meaning {
  bool key = false;
  record::FieldId field{};
  std::optional<Function> function;  // none: one that cannot be summed
};
std::optional<Meaning> MeaningOf(const TableInfo& table, absl::string_view column) {
  for (size_t i = 0; i < table.keys.size(); ++i) {
    if (absl::EqualsIgnoreCase(query::KeyName(table, i), column)) return Meaning{true, table.keys[i], Function::kSum};
  }
  for (const TableInfo::Value& value : table.values) {
    if (absl::EqualsIgnoreCase(value.name, column)) return Meaning{false, value.field, value.function};
  }
  for (const std::string& name : table.left_out) {
    if (absl::EqualsIgnoreCase(name, column)) return Meaning{false, {}, std::nullopt};
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<TableContents> CheckTable(query::GroupStore& store, const TableInfo& table) {
  TableContents contents;
  const auto bins = query::BinsOf(store, table);
  if (!bins.ok()) return bins.status();
  contents.bins = bins->size();
  query::GroupRequest request = query::AllOf(table, {});
  request.from_seconds = INT64_MIN;
  request.to_seconds = INT64_MAX;
  if (table.bin_seconds != 0) request.step_seconds = 1;
  absl::Status status = store.Sum(request, [&contents](const query::GroupRow&) {
    ++contents.rows;
    return true;
  });
  if (!status.ok()) return status;
  if (contents.rows == 0) contents.bins = 0;
  return contents;
}

std::vector<std::string> Misfits(const std::vector<TableInfo>& tables, absl::string_view kind, absl::string_view table,
                                 const aggregate::Schema& schema, int64_t bin_seconds) {
  const auto there = std::find_if(tables.begin(), tables.end(), [&](const TableInfo& t) { return t.name == table; });
  if (there == tables.end()) return {absl::StrCat("table ", table, " is not there; flowacct store init makes it")};
  std::vector<std::string> misfits;
  const auto says = [&](auto... what) { misfits.push_back(absl::StrCat("table ", table, " ", what...)); };
  if (!there->rollup_of.empty()) says("is a rollup of ", there->rollup_of, "; name another one");
  if (there->bin_seconds != bin_seconds) {
    says("has bins of ", there->bin_seconds, " s, the pipeline's are of ", bin_seconds, " s; ",
         Rename(kind, table, ""));
  }
  const auto fits = [&](absl::string_view column, const Meaning& wanted) {
    const std::optional<Meaning> found = MeaningOf(*there, column);
    if (!found) {
      says("has no column ", column, "; flowacct store init adds it, of old rows it is not told");
    } else if (found->key != wanted.key || found->function != wanted.function ||
               (wanted.function && found->field != wanted.field)) {
      says("has a column ", column, " that stands for something else; ", Rename(kind, table, column));
    }
  };
  for (const record::FieldId field : schema.key.fields()) {
    fits(schema.key.NameOf(field), {true, field, Function::kSum});
  }
  for (const aggregate::ValueColumn& value : schema.values) {
    fits(value.name,
         {false, value.field, IsSummable(value.function) ? std::optional<Function>(value.function) : std::nullopt});
  }
  return misfits;
}

}  // namespace flowacct::collector
