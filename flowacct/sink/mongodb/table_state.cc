#include "flowacct/sink/mongodb/table_state.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "flowacct/base/octets.h"
#include "flowacct/sink/sql/dialect.h"

namespace flowacct::sink::mongodb {
namespace {

// What this program writes; a higher one is of a newer program.
constexpr int64_t kFormat = 1;
// A name space has 255 octets with the database's name, of which older servers allow 120.
constexpr size_t kMaxTableName = 100;

}  // namespace

int64_t TableState::NextNumber() const {
  int64_t last = committed;
  for (const Abandoned& a : abandoned) last = std::max(last, a.number);
  if (writer) last = std::max(last, writer->number);
  return last + 1;
}

bool TableState::IsCommitted(int64_t number) const {
  return number <= committed &&
         std::none_of(abandoned.begin(), abandoned.end(), [number](const Abandoned& a) { return a.number == number; });
}

bool TableState::IsWide(const Column& column) const {
  return std::find(wide.begin(), wide.end(), column.name) != wide.end();
}

const TableState::Rollup* TableState::FindRollup(absl::string_view collection) const {
  const auto at =
      std::find_if(rollups.begin(), rollups.end(), [&](const Rollup& rollup) { return rollup.name == collection; });
  return at == rollups.end() ? nullptr : &*at;
}

std::vector<Column> TableState::RollupColumns() const {
  std::vector<Column> summable;
  for (const Column& column : columns) {
    if (column.key || column.summable()) summable.push_back(column);
  }
  return summable;
}

Document TableState::Visible(int64_t own) const {
  Document condition = Document().Integer("$lte", std::max(committed, own));
  std::vector<Document> out;
  for (const Abandoned& a : abandoned) out.push_back(Document().Integer("", a.number));
  if (!out.empty()) bson_append_array(condition.get(), "$nin", 4, ListOf(out).get());
  return condition;
}

Document ToDocument(const TableState& state) {
  Document document = Document()
                          .Text(kId, state.name)
                          .Integer("format", kFormat)
                          .Integer("revision", state.revision)
                          .Text("columns", sql::ColumnsToText(state.columns))
                          .Integer("bin_seconds", state.bin_seconds)
                          .Integer("committed", state.committed)
                          .Integer("ttl_seconds", state.ttl_seconds)
                          .Integer("removals", state.removals);
  std::vector<Document> wide, abandoned, rollups;
  for (const std::string& name : state.wide) wide.push_back(Document().Text("", name));
  bson_append_array(document.get(), "wide", 4, ListOf(wide).get());
  for (const TableState::Abandoned& a : state.abandoned) {
    abandoned.push_back(Document().Integer("number", a.number).Seconds("at", a.at_seconds).Bool("removed", a.removed));
  }
  document.List("abandoned", abandoned);
  for (const TableState::Rollup& rollup : state.rollups) {
    rollups.push_back(Document()
                          .Text("name", rollup.name)
                          .Integer("bin_seconds", rollup.bin_seconds)
                          .Integer("rolled_until", rollup.rolled_until)
                          .Integer("ttl_seconds", rollup.ttl_seconds));
  }
  document.List("rollups", rollups);
  if (state.writer) {
    document.Add("writer", Document().Text("token", state.writer->token).Integer("number", state.writer->number));
  }
  if (state.removal) {
    document.Add("removal",
                 Document().Text("collection", state.removal->collection).Integer("until", state.removal->until));
  }
  return document;
}

absl::StatusOr<TableState> FromDocument(const bson_t& document) {
  TableState state;
  state.name = TextOf(document, kId);
  const int64_t format = IntegerOf(document, "format").value_or(0);
  if (format != kFormat) {
    return absl::FailedPreconditionError(absl::StrCat("mongodb: table \"", state.name, "\" is of format ", format,
                                                      ", and this program knows ", kFormat,
                                                      "; use the program that wrote it, or a newer one"));
  }
  absl::StatusOr<std::vector<Column>> columns = sql::ColumnsFromText(TextOf(document, "columns"));
  if (!columns.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("mongodb: table \"", state.name, "\": ", columns.status().message()));
  }
  state.columns = *std::move(columns);
  const auto number = [&document](const char* key) { return IntegerOf(document, key).value_or(0); };
  state.revision = number("revision");
  state.bin_seconds = number("bin_seconds");
  state.committed = number("committed");
  state.ttl_seconds = number("ttl_seconds");
  state.removals = number("removals");
  state.wide = TextsOf(document, "wide");
  for (const Document& a : DocumentsOf(document, "abandoned")) {
    bson_iter_t removed;
    state.abandoned.push_back({IntegerOf(*a.get(), "number").value_or(0), SecondsOf(*a.get(), "at").value_or(0),
                               bson_iter_init_find(&removed, a.get(), "removed") && bson_iter_as_bool(&removed)});
  }
  for (const Document& r : DocumentsOf(document, "rollups")) {
    state.rollups.push_back({TextOf(*r.get(), "name"), IntegerOf(*r.get(), "bin_seconds").value_or(0),
                             IntegerOf(*r.get(), "rolled_until").value_or(0),
                             IntegerOf(*r.get(), "ttl_seconds").value_or(0)});
  }
  if (const auto writer = DocumentOf(document, "writer")) {
    state.writer = {TextOf(*writer->get(), "token"), IntegerOf(*writer->get(), "number").value_or(0)};
  }
  if (const auto removal = DocumentOf(document, "removal")) {
    state.removal = {TextOf(*removal->get(), "collection"), IntegerOf(*removal->get(), "until").value_or(0)};
  }
  return state;
}

absl::StatusOr<std::optional<TableState>> ReadState(MongodbConnection* connection, const std::string& table) {
  const auto found = connection->FindOne(kTables, Document().Add(kId, Document().Text("$eq", table)));
  if (!found.ok()) return found.status();
  if (!*found) return std::optional<TableState>();
  absl::StatusOr<TableState> state = FromDocument(*(*found)->get());
  if (!state.ok()) return state.status();
  return std::optional<TableState>(*std::move(state));
}

absl::StatusOr<std::vector<TableState>> ReadStates(MongodbConnection* connection) {
  std::vector<TableState> states;
  absl::Status wrong;
  const absl::Status status = connection->Find(kTables, Document(), Document(), [&](const bson_t& document) {
    absl::StatusOr<TableState> state = FromDocument(document);
    if (!state.ok()) {
      wrong = state.status();
      return false;
    }
    states.push_back(*std::move(state));
    return true;
  });
  if (!status.ok()) return status;
  if (!wrong.ok()) return wrong;
  std::sort(states.begin(), states.end(), [](const TableState& a, const TableState& b) { return a.name < b.name; });
  return states;
}

absl::StatusOr<bool> ReplaceState(MongodbConnection* connection, TableState* state) {
  const Document filter = Document().Add(kId, Document().Text("$eq", state->name)).Integer("revision", state->revision);
  ++state->revision;
  return connection->Replace(kTables, filter, ToDocument(*state));
}

bson_oid_t RowId(int64_t number, uint32_t row) {
  bson_oid_t id;
  base::StoreBe64(id.bytes, static_cast<uint64_t>(number));
  base::StoreBe32(id.bytes + 8, row);
  return id;
}

Document RowsOf(int64_t number) {
  return Document().Add(kId, Document().Id("$gte", RowId(number, 0)).Id("$lt", RowId(number + 1, 0)));
}

absl::Status CheckTableName(absl::string_view name) {
  const auto wrong = [&](absl::string_view why) {
    return absl::InvalidArgumentError(
        absl::StrCat("mongodb: \"", absl::CHexEscape(name), "\" cannot be the name of a table: ", why));
  };
  if (name.empty() || name.size() > kMaxTableName) {
    return wrong(absl::StrCat("it has 1 to ", kMaxTableName, " octets"));
  }
  if (sql::Storable(name) != name || absl::StrContains(name, '$')) return wrong("it is UTF-8 without NUL and $");
  if (absl::StartsWith(name, "system.") || absl::StrContains(name, ".system.")) return wrong("system. is the server's");
  if (absl::StartsWithIgnoreCase(name, "flowacct_")) return wrong("names that begin with flowacct_ are taken");
  if (name.front() == '.' || name.back() == '.') return wrong("it neither begins nor ends with a dot");
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Column>> ColumnsOf(const aggregate::Schema& schema) {
  std::vector<Column> columns;
  for (const record::FieldId field : schema.key.fields()) {
    columns.push_back({field, true, aggregate::Function::kSum, std::string(schema.key.NameOf(field))});
  }
  for (const aggregate::ValueColumn& value : schema.values) {
    columns.push_back({value.field, false, value.function, value.name});
  }
  std::set<std::string> taken = {kId, kBinStart, kBinEnd, kBatch};
  for (Column& column : columns) {
    std::replace_if(
        column.name.begin(), column.name.end(), [](char c) { return c == '$' || c == '.'; }, '_');
    while (!taken.insert(absl::AsciiStrToLower(column.name)).second) column.name.push_back('_');
    taken.insert(absl::StrCat(absl::AsciiStrToLower(column.name), kHighSuffix));
    if (!IsFieldName(column.name)) {
      return absl::InvalidArgumentError(absl::StrCat("mongodb: \"", absl::CHexEscape(column.name),
                                                     "\" cannot be the name of a field; use UTF-8 text"));
    }
  }
  return columns;
}

}  // namespace flowacct::sink::mongodb
