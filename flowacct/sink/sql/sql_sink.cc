#include "flowacct/sink/sql/sql_sink.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "flowacct/sink/sql/group_select.h"
#include "flowacct/sink/sql/group_sums.h"

namespace flowacct::sink::sql {
namespace {

using aggregate::Function;

constexpr int64_t kNanos = 1000000000;
// Of a rollup that is far behind, so many bins a batch: the batch is not to wait for all of them.
constexpr int kBinsAtOnce = 8;
// Retention looks so often, and does so many bounded steps then.
constexpr absl::Duration kRetainEvery = absl::Seconds(10);
constexpr int kRetainSteps = 16;
// Identities of batches are kept so much longer than their rows, for spools that were full.
constexpr absl::Duration kIdentityRetention = absl::Hours(24 * 7);
// A row with a sum above this is copied to a rollup as it is; of smaller ones 65,536 sum to less than 2^63.
constexpr int64_t kLargeSum = int64_t{1} << 47;

// Of a new rollup: before all.
constexpr int64_t kNothingRolled = INT64_MIN / 2;

int64_t SecondsOf(absl::Time time) { return absl::ToUnixSeconds(time); }

}  // namespace

absl::StatusOr<uint64_t> SqlWriter::InsertSums(const RowTarget& target, RowSource*) {
  return absl::InternalError(absl::StrCat("sums of ", target.table, " are for the store to make"));
}

absl::Status SqlSink::Check(absl::string_view store, const StoreOptions& options) {
  const auto wrong = [&](const auto&... parts) {
    return absl::InvalidArgumentError(absl::StrCat(store, ": ", parts...));
  };
  if (options.retention <= absl::ZeroDuration()) {
    return wrong("retention = ", absl::FormatDuration(options.retention), ": a time above zero, or none");
  }
  int64_t last = 0;
  for (const Rollup& rollup : options.rollups) {
    if (rollup.bin_seconds <= last || rollup.bin_seconds > 366 * 86400) {
      return wrong("rollup of ", rollup.bin_seconds, " s: bins are of one second to 366 days, by rising length");
    }
    if (rollup.retention <= absl::ZeroDuration()) {
      return wrong("rollup of ", rollup.bin_seconds, " s: its retention is a time above zero, or none");
    }
    last = rollup.bin_seconds;
  }
  if (absl::StartsWithIgnoreCase(options.table, "flowacct_") || absl::StartsWithIgnoreCase(options.table, "sqlite_")) {
    return wrong("table \"", options.table, "\": names that begin with flowacct_ or sqlite_ are taken");
  }
  return absl::OkStatus();
}

absl::Status SqlSink::InTransaction(absl::FunctionRef<absl::Status()> work) {
  if (absl::Status status = connection_.Begin(/*writes=*/true); !status.ok()) return status;
  absl::Status status = work();
  if (status.ok()) status = connection_.Commit();
  if (!status.ok()) {
    connection_.Rollback();
    catalog_ = false;
    tables_.clear();
  }
  return status;
}

absl::Status SqlSink::Start() {
  if (options_.table.empty() || options_.schema == nullptr) return absl::OkStatus();
  return InTransaction(
      [&] { return Open(options_.table, *options_.schema, options_.bin_seconds, SecondsOf(options_.now())); });
}

absl::Status SqlSink::Open(absl::string_view table, const aggregate::Schema& schema, int64_t bin_seconds,
                           int64_t bin_start) {
  const Dialect& dialect = connection_.dialect();
  if (!catalog_) {
    for (const Statement& statement : CreateCatalog(dialect)) {
      if (auto status = connection_.Execute(statement); !status.ok()) return status.status();
    }
    catalog_ = true;
  }
  absl::StatusOr<std::vector<Column>> columns = ColumnsOf(dialect, schema);
  if (!columns.ok()) return columns.status();
  const std::string text = ColumnsToText(*columns);
  // Read each time, and locked: another writer may have summed a bin, or made a rollup.
  absl::StatusOr<std::vector<TableSchema>> found = ReadTables(&connection_, table, /*lock=*/true);
  if (!found.ok()) return found.status();
  const auto settled = [&] {
    // Of a transaction that failed, what it made is not there.
    if (tables_.empty() || table_ != table || columns_text_ != text || tables_.size() != found->size()) return false;
    for (const TableSchema& t : *found) {
      const auto same = [&](const TableSchema& o) { return t.made && o.name == t.name && o.columns == t.columns; };
      if (!std::any_of(tables_.begin(), tables_.end(), same)) return false;
    }
    return true;
  };
  if (!settled()) {
    TableSchema wanted;
    wanted.name = std::string(table);
    wanted.columns = *columns;
    wanted.bin_seconds = bin_seconds;
    std::vector<TableSchema> all = {wanted};
    std::vector<Column> summable;
    for (const Column& column : *columns) {
      if (column.key || column.summable()) summable.push_back(column);
    }
    for (const Rollup& rollup : options_.rollups) {
      if (bin_seconds == 0 || rollup.bin_seconds % bin_seconds != 0 || rollup.bin_seconds == bin_seconds) {
        return absl::InvalidArgumentError(absl::StrCat(dialect.name, ": rollup of ", rollup.bin_seconds,
                                                       " s of table \"", table, "\": its bins of ", bin_seconds,
                                                       " s do not make up such; use a multiple"));
      }
      TableSchema r;
      r.name = RollupName(table, rollup.bin_seconds);
      r.columns = summable;
      r.bin_seconds = rollup.bin_seconds;
      r.rollup_of = std::string(table);
      all.push_back(std::move(r));
    }
    for (const TableSchema& known : *found) {  // rollups that another collector keeps
      if (known.rollup_of != table) continue;
      const auto same = [&](const TableSchema& o) { return o.name == known.name; };
      if (std::any_of(all.begin(), all.end(), same)) continue;
      all.push_back(known);
      all.back().columns = summable;
    }
    if (absl::Status status = EnsureAll(table, std::move(all)); !status.ok()) return status;
    found = ReadTables(&connection_, table, /*lock=*/true);
    if (!found.ok()) return found.status();
  }
  const absl::StatusOr<bool> made = writer_.MakeAhead(*found, bin_start);
  if (!made.ok()) return made.status();
  if (*made) {
    found = ReadTables(&connection_, table, /*lock=*/true);
    if (!found.ok()) return found.status();
  }
  tables_ = *std::move(found);
  // The table first; by rising length, as they were read, its rollups.
  std::stable_partition(tables_.begin(), tables_.end(), [](const TableSchema& t) { return t.rollup_of.empty(); });
  if (tables_.empty() || tables_[0].name != table) {
    return absl::InternalError(absl::StrCat(dialect.name, ": table \"", table, "\" is not in flowacct_tables"));
  }
  table_ = std::string(table);
  columns_text_ = text;
  columns_ = *std::move(columns);
  return absl::OkStatus();
}

absl::Status SqlSink::EnsureAll(absl::string_view table, std::vector<TableSchema> all) {
  if (absl::Status status = writer_.BeginChange(); !status.ok()) return status;
  // Once more: another may have made them until it was our turn.
  const absl::StatusOr<std::vector<TableSchema>> found = ReadTables(&connection_, table, /*lock=*/true);
  absl::Status status = found.status();
  for (TableSchema& t : all) {
    if (status.ok()) status = CheckName(connection_.dialect(), t.name);
    if (status.ok()) status = Ensure(std::move(t), *found);
  }
  writer_.EndChange();
  return status;
}

absl::Status SqlSink::Ensure(TableSchema wanted, absl::Span<const TableSchema> known) {
  const Dialect& dialect = connection_.dialect();
  const auto at = std::find_if(known.begin(), known.end(), [&](const TableSchema& t) { return t.name == wanted.name; });
  const std::string quoted = Quoted(dialect, wanted.name);
  const std::string rename =
      absl::StrCat("ALTER TABLE ", quoted, " RENAME TO ", Quoted(dialect, absl::StrCat(wanted.name, "_old")));
  const auto update = [&](absl::string_view column, Parameter value) {
    return connection_
        .Execute(Prepared(dialect,
                          absl::StrCat("UPDATE ", Quoted(dialect, kTables), " SET ", Quoted(dialect, column),
                                       " = ? WHERE ", Quoted(dialect, "name"), " = ?"),
                          {std::move(value), Text(wanted.name)}))
        .status();
  };
  const auto create = [&](const TableSchema& t) {
    absl::Status status = writer_.Create(t);
    if (status.ok()) status = writer_.Changed(t);
    return status;
  };
  if (at != known.end() && !at->made) {  // whoever was at it came to no end
    absl::Status status = create(*at);
    if (status.ok()) status = update("version", Integer(kSchemaVersion));
    if (!status.ok()) return status;
  }
  absl::StatusOr<std::vector<ExistingColumn>> columns = connection_.Columns(wanted.name);
  if (!columns.ok()) return columns.status();
  if (at == known.end()) {
    if (!columns->empty()) {
      const absl::StatusOr<std::vector<TableSchema>> again = ReadTables(&connection_, wanted.name, /*lock=*/false);
      if (!again.ok()) return again.status();
      if (std::any_of(again->begin(), again->end(), [&](const TableSchema& t) { return t.name == wanted.name; })) {
        return absl::UnavailableError(
            absl::StrCat(dialect.name, ": table ", quoted, ": another made the same at this moment"));
      }
      return absl::FailedPreconditionError(
          absl::StrCat(dialect.name, ": there is a table ", quoted,
                       " that is not in flowacct_tables; choose another name, or rename it: ", rename));
    }
    if (!wanted.rollup_of.empty()) wanted.rolled_until = kNothingRolled;
    const Statement insert =
        Prepared(dialect,
                 absl::StrCat("INSERT INTO ", Quoted(dialect, kTables), " (", Quoted(dialect, "name"), ", ",
                              Quoted(dialect, "columns"), ", ", Quoted(dialect, "bin_seconds"), ", ",
                              Quoted(dialect, "version"), ", ", Quoted(dialect, "rollup_of"), ", ",
                              Quoted(dialect, "rolled_until"), ") VALUES (?, ?, ?, ?, ?, ?)"),
                 {Text(wanted.name), Text(ColumnsToText(wanted.columns)), Integer(wanted.bin_seconds),
                  Integer(dialect.ddl_commits ? kNotMade : kSchemaVersion), Text(wanted.rollup_of),
                  Integer(wanted.rolled_until)});
    // Described first, so that what was half made is known to be ours.
    absl::Status status = connection_.Execute(insert).status();
    if (status.ok()) status = create(wanted);
    return status.ok() && dialect.ddl_commits ? update("version", Integer(kSchemaVersion)) : status;
  }
  TableSchema table = *at;
  if (table.rollup_of != wanted.rollup_of) {
    return absl::FailedPreconditionError(
        absl::StrCat(dialect.name, ": table ", quoted,
                     table.rollup_of.empty() ? " is no rollup" : absl::StrCat(" is a rollup of ", table.rollup_of),
                     "; choose another name"));
  }
  if (columns->empty()) {
    return absl::FailedPreconditionError(absl::StrCat(dialect.name, ": table ", quoted,
                                                      " of flowacct_tables is not there; bring it back, or forget it: ",
                                                      "DELETE FROM flowacct_tables WHERE name = '", wanted.name, "'"));
  }
  // What a person removed or changed is as it is.
  const auto exists = [&](absl::string_view name) {
    return std::find_if(columns->begin(), columns->end(),
                        [&](const ExistingColumn& c) { return absl::EqualsIgnoreCase(c.name, name); });
  };
  for (const absl::string_view own : {kBinStart, kBinEnd, kBatch}) {
    if (exists(own) == columns->end()) {
      return absl::FailedPreconditionError(
          absl::StrCat(dialect.name, ": table ", quoted, " has no column ", own, "; rename it: ", rename));
    }
  }
  table.columns.erase(std::remove_if(table.columns.begin(), table.columns.end(),
                                     [&](const Column& c) { return exists(c.name) == columns->end(); }),
                      table.columns.end());
  std::vector<Column> missing;
  for (const Column& column : wanted.columns) {
    const auto there = exists(column.name);
    const Column* const described = table.Find(column.name);
    const bool same_meaning =
        described == nullptr || (described->field == column.field && described->key == column.key &&
                                 (column.key || described->function == column.function));
    if (there != columns->end() &&
        (!same_meaning || described == nullptr || !there->known_form || there->form != column.form())) {
      return absl::FailedPreconditionError(absl::StrCat(
          dialect.name, ": column ", Quoted(dialect, there->name), " of table ", quoted, " is ", there->type,
          " and stands for something else than what is written now; keep it under another name: ALTER TABLE ", quoted,
          " RENAME COLUMN ", Quoted(dialect, there->name), " TO ", Quoted(dialect, absl::StrCat(there->name, "_old"))));
    }
    if (there == columns->end()) missing.push_back(column);
  }
  if (missing.empty() && table.columns == at->columns) {
    return dialect.ddl_commits ? writer_.Changed(table) : absl::OkStatus();
  }
  table.columns.insert(table.columns.end(), missing.begin(), missing.end());
  std::stable_partition(table.columns.begin(), table.columns.end(), [](const Column& c) { return c.key; });
  const auto describe = [&] { return update("columns", Text(ColumnsToText(table.columns))); };
  if (dialect.ddl_commits) {  // described first: what is described and not there is made, not the other way round
    if (absl::Status status = describe(); !status.ok()) return status;
  }
  for (const Column& column : missing) {  // old rows have NULL there: not told
    if (auto status = connection_.Execute({AddColumn(dialect, table.name, column), {}}); !status.ok()) {
      return status.status();
    }
  }
  if (absl::Status status = writer_.Changed(table); !status.ok()) return status;
  return dialect.ddl_commits ? absl::OkStatus() : describe();
}

absl::StatusOr<bool> SqlSink::Enter(const aggregate::AggregateBatch& batch, absl::string_view table, int64_t start,
                                    int64_t end, int64_t* id) {
  const Dialect& dialect = connection_.dialect();
  const aggregate::BatchIdentity& identity = batch.identity();
  const auto name = [&](absl::string_view n) { return Quoted(dialect, n); };
  // Number 0 is of nobody, and NULL is like no other.
  const Statement insert = Prepared(
      dialect,
      absl::StrCat("INSERT INTO ", name(kBatches), " (", name("collector"), ", ", name("run"), ", ", name("pipeline"),
                   ", ", name("number"), ", ", name("table_name"), ", ", name(kBinStart), ", ", name(kBinEnd), ", ",
                   name("row_count"), ", ", name("incomplete"), ", ", name("correction"), ", ", name("written_at"),
                   ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", absl::Substitute(dialect.unless_there, name("id"))),
      {Text(Storable(identity.collector)), Integer(static_cast<int64_t>(identity.run)),
       Text(Storable(identity.pipeline)),
       identity.number == 0 ? Null() : Integer(static_cast<int64_t>(identity.number)), Text(table), Integer(start),
       Integer(end), Integer(static_cast<int64_t>(batch.size())), Integer(batch.incomplete() ? 1 : 0),
       Integer(batch.correction() ? 1 : 0), Integer(SecondsOf(options_.now()))});
  bool entered = false;
  const auto number = [&](absl::Span<const Cell> cells) {
    entered = true;
    *id = cells[0].integer;
    return true;
  };
  absl::Status status;
  if (dialect.inserted_id.empty()) {
    status = connection_.Query(insert, number);
  } else {
    status = connection_.Execute(insert).status();
    if (absl::IsAlreadyExists(status)) return false;
    if (status.ok()) status = connection_.Query({std::string(dialect.inserted_id), {}}, number);
  }
  if (!status.ok()) return status;
  return entered;
}

RowTarget SqlSink::TargetOf(const TableSchema& table, int64_t start, int64_t end, int64_t id) const {
  RowTarget target{table.name, start, end, id, {}, {}};
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (!table.rollup_of.empty() && !columns_[i].key && !columns_[i].summable()) continue;
    target.columns.push_back(columns_[i].name);
    target.cells.push_back(i);
  }
  return target;
}

absl::Status SqlSink::Write(const aggregate::AggregateBatch& batch) {
  const Dialect& dialect = connection_.dialect();
  const std::string& table = options_.table.empty() ? batch.identity().pipeline : options_.table;
  if (table.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(dialect.name, ": the batch names no pipeline; set the table that it goes into"));
  }
  if (options_.table.empty()) {
    StoreOptions named;
    named.table = table;
    if (absl::Status status = Check(dialect.name, named); !status.ok()) return status;
  }
  // The bin in whole seconds.
  const int64_t start = FloorTo(batch.bin().start_nanos, kNanos) / kNanos;
  const int64_t end = (FloorTo(batch.bin().end_nanos - 1, kNanos) + kNanos) / kNanos;
  StoreCounters counted;
  absl::Status status = InTransaction([&]() -> absl::Status {
    if (absl::Status opened =
            Open(table, batch.schema(), options_.bin_seconds > 0 ? options_.bin_seconds : end - start, start);
        !opened.ok()) {
      return opened;
    }
    int64_t id = 0;
    absl::StatusOr<bool> entered = Enter(batch, table, start, end, &id);
    if (!entered.ok()) return entered.status();
    if (!*entered) {
      ++counted.batches_skipped;
      return absl::OkStatus();
    }
    ++counted.batches;
    return WriteRows(batch, start, end, id, &counted);
  });
  if (!status.ok()) return status;
  counters_.batches += counted.batches;
  counters_.batches_skipped += counted.batches_skipped;
  counters_.rows += counted.rows;
  counters_.rollup_rows += counted.rollup_rows;
  const absl::Time now = options_.now();
  if (now - retained_ >= kRetainEvery || now < retained_) {
    retained_ = now;
    // The batch is in; that something old could not be removed is told apart.
    const absl::Status retained = Retain(now);
    trouble_ = retained.ok() ? "" : std::string(retained.message());
  }
  return absl::OkStatus();
}

absl::Status SqlSink::WriteRows(const aggregate::AggregateBatch& batch, int64_t start, int64_t end, int64_t id,
                                StoreCounters* counted) {
  StoredRows rows(batch.schema());
  if (absl::Status status = writer_.Prepare(tables_[0], start); !status.ok()) return status;
  absl::StatusOr<uint64_t> written = writer_.InsertRows(TargetOf(tables_[0], start, end, id), batch, &rows);
  if (!written.ok()) return written.status();
  counted->rows += *written;
  if (end == start) return absl::OkStatus();  // no bins
  for (size_t i = 1; i < tables_.size(); ++i) {
    TableSchema& rollup = tables_[i];
    if (start < rollup.rolled_until) {  // that bin has been summed: this is added to it
      const int64_t bin = FloorTo(start, rollup.bin_seconds);
      if (absl::Status status = writer_.Prepare(rollup, bin); !status.ok()) return status;
      written = writer_.InsertRows(TargetOf(rollup, bin, bin + rollup.bin_seconds, id), batch, &rows);
      if (!written.ok()) return written.status();
      counted->rollup_rows += *written;
    }
    // Of the longest of the shorter rollups that it is a multiple of, else of the table itself.
    size_t source = 0;
    for (size_t j = 1; j < i; ++j) {
      if (rollup.bin_seconds % tables_[j].bin_seconds == 0 && rollup.bin_seconds > tables_[j].bin_seconds) source = j;
    }
    if (absl::Status status = RollUp(i, source, start, counted); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// Sums the bins of a rollup that are over: before the one that `bin_start` is in.
absl::Status SqlSink::RollUp(size_t rollup_index, size_t source_index, int64_t bin_start, StoreCounters* counted) {
  const Dialect& dialect = connection_.dialect();
  TableSchema& rollup = tables_[rollup_index];
  const TableSchema& source = tables_[source_index];
  const int64_t length = rollup.bin_seconds;
  // An exporter whose clock is ahead does not end bins that others still fill.
  int64_t target = FloorTo(std::min(bin_start, SecondsOf(options_.now())), length);
  if (!source.rollup_of.empty()) target = std::min(target, FloorTo(source.rolled_until, length));
  const int64_t before = rollup.rolled_until;
  for (int i = 0; rollup.rolled_until < target; ++i) {
    if (i == kBinsAtOnce) break;
    const std::string column = Quoted(dialect, kBinStart);
    int64_t next = target;
    absl::Status status =
        connection_.Query({absl::StrCat("SELECT MIN(", column, ") FROM ", Quoted(dialect, source.name), " WHERE ",
                                        column, " >= ", rollup.rolled_until, " AND ", column, " < ", target),
                           {}},
                          [&](absl::Span<const Cell> cells) {
                            if (!cells[0].is_null()) next = FloorTo(cells[0].integer, length);
                            return true;
                          });
    if (!status.ok()) return status;
    if (next < target) {
      if (status = writer_.Prepare(rollup, next); !status.ok()) return status;
      if (status = SumBin(rollup, source, next, counted); !status.ok()) return status;
      next += length;
    }
    rollup.rolled_until = next;
  }
  if (rollup.rolled_until == before) return absl::OkStatus();
  return connection_
      .Execute(Prepared(dialect,
                        absl::StrCat("UPDATE ", Quoted(dialect, kTables), " SET ", Quoted(dialect, "rolled_until"),
                                     " = ? WHERE ", Quoted(dialect, "name"), " = ?"),
                        {Integer(rollup.rolled_until), Text(rollup.name)}))
      .status();
}

absl::Status SqlSink::SumBin(const TableSchema& rollup, const TableSchema& source, int64_t bin,
                             StoreCounters* counted) {
  const Dialect& dialect = connection_.dialect();
  if (dialect.groups_in_memory != 0) {
    absl::StatusOr<bool> summed = SumBinHere(rollup, source, bin, counted);
    if (!summed.ok() || *summed) return summed.status();
  }
  std::string names, select, groups, large;
  for (const Column& column : rollup.columns) {
    const std::string name = Quoted(dialect, column.name);
    absl::StrAppend(&names, ", ", name);
    if (column.key) {
      absl::StrAppend(&select, ", ", name);
      absl::StrAppend(&groups, groups.empty() ? "" : ", ", name);
    } else if (column.function == Function::kSum) {
      absl::StrAppend(&select, ", ", absl::Substitute(dialect.whole_sum, name));
      absl::StrAppend(&large, large.empty() ? "" : " OR ", name, " > ", kLargeSum);
    } else {
      absl::StrAppend(&select, ", ", ExtremeOf(column, name));
    }
  }
  if (!large.empty()) {
    absl::StrAppend(&groups, groups.empty() ? "" : ", ", absl::Substitute(dialect.row_identity, large));
  }
  const std::string start = Quoted(dialect, kBinStart);
  const SqlWriter::OwnColumns own = writer_.Own(rollup, bin);
  names += own.names;
  select += own.values;
  absl::StatusOr<uint64_t> written = connection_.Execute(
      {absl::StrCat("INSERT INTO ", Quoted(dialect, rollup.name), " (", start, ", ", Quoted(dialect, kBinEnd), names,
                    ") SELECT ", bin, ", ", bin + rollup.bin_seconds, select, " FROM ", Quoted(dialect, source.name),
                    " WHERE ", start, " >= ", bin, " AND ", start, " < ", bin + rollup.bin_seconds,
                    groups.empty() ? "" : " GROUP BY ", groups),
       {}});
  if (!written.ok()) return written.status();
  counted->rollup_rows += *written;
  return absl::OkStatus();
}

// False: there are too many groups for it, and nothing was written.
absl::StatusOr<bool> SqlSink::SumBinHere(const TableSchema& rollup, const TableSchema& source, int64_t bin,
                                         StoreCounters* counted) {
  const Dialect& dialect = connection_.dialect();
  RowTarget target{rollup.name, bin, bin + rollup.bin_seconds, 0, {}, {}};
  std::vector<const Column*> values;
  std::string names;
  for (const bool keys : {true, false}) {
    for (const Column& column : rollup.columns) {
      if (column.key != keys) continue;
      if (!keys) values.push_back(&column);
      absl::StrAppend(&names, names.empty() ? "" : ", ", Quoted(dialect, column.name));
      target.cells.push_back(target.columns.size());
      target.columns.push_back(column.name);
    }
  }
  if (names.empty()) return false;
  const std::string start = Quoted(dialect, kBinStart);
  GroupSums sums(target.columns.size() - values.size(), values, dialect.groups_in_memory);
  bool fits = true;
  absl::Status status =
      connection_.Query({absl::StrCat("SELECT ", names, " FROM ", Quoted(dialect, source.name), " WHERE ", start,
                                      " >= ", bin, " AND ", start, " < ", bin + rollup.bin_seconds),
                         {}},
                        [&](absl::Span<const Cell> cells) { return fits = sums.Add(cells); });
  if (!status.ok()) return status;
  if (!fits) return false;
  GroupSumRows rows(sums, values);
  absl::StatusOr<uint64_t> written = writer_.InsertSums(target, &rows);
  if (!written.ok()) return written.status();
  counted->rollup_rows += *written;
  return true;
}

absl::StatusOr<bool> SqlSink::Remove(const TableSchema& table, int64_t until) {
  if (absl::Status status = connection_.Begin(/*writes=*/true); !status.ok()) return status;
  uint64_t rows = 0, bins = 0;
  absl::StatusOr<bool> more = writer_.Remove(table, until, &rows, &bins);
  absl::Status status = more.ok() ? connection_.Commit() : more.status();
  if (!status.ok()) {
    connection_.Rollback();
    return status;
  }
  counters_.rows_removed += rows;
  counters_.bins_removed += bins;
  return more;
}

absl::Status SqlSink::RetainAll() {
  absl::StatusOr<std::vector<TableSchema>> found = std::vector<TableSchema>();
  absl::Status status = InTransaction([&] {
    found = ReadTables(&connection_, options_.table, /*lock=*/false);
    return found.status();
  });
  if (!status.ok()) return status;
  if (options_.table.empty() || found->empty()) {
    return absl::NotFoundError(
        absl::StrCat(connection_.dialect().name, ": there is no table \"", options_.table, "\""));
  }
  tables_ = *std::move(found);
  table_ = options_.table;
  columns_text_.clear();  // the next batch looks at the columns
  uint64_t before = 0;
  do {
    before = counters_.bins_removed + counters_.rows_removed;
    if (absl::Status status = Retain(options_.now()); !status.ok()) return status;
  } while (counters_.bins_removed + counters_.rows_removed != before);
  return absl::OkStatus();
}

absl::Status SqlSink::Retain(absl::Time now) {
  if (tables_.empty()) return absl::OkStatus();
  const std::vector<TableSchema> tables = tables_;
  absl::Duration longest = options_.retention;
  int steps = 0;
  for (const TableSchema& table : tables) {
    absl::Duration retention = options_.retention;
    if (!table.rollup_of.empty()) {
      retention = absl::InfiniteDuration();  // another's
      for (const Rollup& rollup : options_.rollups) {
        if (RollupName(table_, rollup.bin_seconds) == table.name) retention = rollup.retention;
      }
    }
    longest = std::max(longest, retention);
    if (retention == absl::InfiniteDuration() || table.bin_seconds == 0) continue;
    int64_t until = SecondsOf(now - retention);
    // Each rollup is made of the table or of another rollup, and what is not summed yet stays.
    for (const TableSchema& other : tables) {
      if (!other.rollup_of.empty() && other.bin_seconds > table.bin_seconds)
        until = std::min(until, other.rolled_until);
    }
    bool more = true;
    while (more && steps++ < kRetainSteps) {
      absl::StatusOr<bool> removed = Remove(table, until);
      if (!removed.ok()) return removed.status();
      more = *removed;
    }
  }
  if (longest == absl::InfiniteDuration()) return absl::OkStatus();
  const Dialect& dialect = connection_.dialect();
  const int64_t until = SecondsOf(now - longest - kIdentityRetention);
  return InTransaction([&] {
    return connection_
        .Execute(
            Prepared(dialect,
                     absl::StrCat("DELETE FROM ", Quoted(dialect, kBatches), " WHERE ", Quoted(dialect, "table_name"),
                                  " = ? AND ", Quoted(dialect, "written_at"), " < ?"),
                     {Text(table_), Integer(until)}))
        .status();
  });
}

}  // namespace flowacct::sink::sql
