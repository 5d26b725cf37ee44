#include "flowacct/sink/sqlite/sqlite_sink.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "flowacct/record/field.h"
#include "flowacct/sink/sql/sql_sink.h"
#include "flowacct/sink/sqlite/row_feed.h"
#include "flowacct/sink/sqlite/sqlite_connection.h"

namespace flowacct::sink::sqlite {
namespace {

using sql::Cell;
using sql::Quoted;

// Rows that one step of retention removes: some tens of milliseconds, in which nobody else writes.
constexpr uint64_t kRowsAStep = 20000;
constexpr int kSizeSteps = 64;
constexpr uint64_t kBatchesBetweenAnalyses = 64;

std::string Q(absl::string_view name) { return Quoted(sql::kSqlite, name); }

Cell IntegerCell(int64_t integer) {
  Cell cell;
  cell.kind = Cell::Kind::kInteger;
  cell.integer = integer;
  return cell;
}

// A hexadecimal digit of hex(), as a number.
std::string Digit(const std::string& hex, int at) {
  return absl::StrCat("instr('123456789ABCDEF', substr(", hex, ", ", at, ", 1))");
}

std::string OctetNumber(const std::string& hex, int octet) {
  return absl::StrCat("(", Digit(hex, 2 * octet + 1), " * 16 + ", Digit(hex, 2 * octet + 2), ")");
}

// For those who look with the sqlite3 shell, which has no functions of ours.
std::string AddressText(const std::string& name) {
  const std::string hex = absl::StrCat("hex(", name, ")");
  std::string groups;
  for (int i = 0; i < 8; ++i) {
    absl::StrAppend(&groups, i == 0 ? "" : " || ':' || ", "substr(", hex, ", ", 4 * i + 1, ", 4)");
  }
  return absl::StrCat("CASE WHEN ", name, " IS NULL THEN NULL WHEN substr(", hex,
                      ", 1, 24) = '00000000000000000000FFFF' THEN printf('%d.%d.%d.%d', ", OctetNumber(hex, 12), ", ",
                      OctetNumber(hex, 13), ", ", OctetNumber(hex, 14), ", ", OctetNumber(hex, 15), ") ELSE lower(",
                      groups, ") END");
}

class Sink : public StoreSink, private sql::SqlWriter {
 public:
  Sink(SqliteOptions options, std::unique_ptr<SqliteConnection> connection)
      : options_(std::move(options)),
        connection_(std::move(connection)),
        feed_(connection_->database()),
        sink_(&options_, connection_.get(), this) {}

  // A file that is busy now is for the first Write, unless a table is to be made at once.
  absl::Status Start() {
    absl::Status status = Open();
    if (!status.ok()) return MayPass(status) && options_.schema == nullptr ? absl::OkStatus() : status;
    return sink_.Start();
  }

  absl::Status Write(const aggregate::AggregateBatch& batch) override {
    if (closed_) return absl::FailedPreconditionError(absl::StrCat("sqlite ", options_.path, ": it has been closed"));
    absl::Status status = Open();
    if (!status.ok()) return status;
    status = sink_.Write(batch);
    if (!status.ok()) {
      insert_.reset();
      insert_sql_.clear();
      return status;
    }
    const absl::Status bounded = options_.max_octets == 0 ? absl::OkStatus() : BoundSize();
    size_trouble_ = bounded.ok() ? "" : std::string(bounded.message());
    if (++since_analysis_ >= kBatchesBetweenAnalyses) Analyze();
    return absl::OkStatus();
  }

  absl::Status Close() override {
    if (closed_) return absl::OkStatus();
    closed_ = true;
    insert_.reset();
    if (open_) Analyze();
    return absl::OkStatus();
  }

  std::string trouble() const override { return size_trouble_.empty() ? sink_.trouble() : size_trouble_; }
  const StoreCounters& counters() const override { return sink_.counters(); }
  absl::Status Retain() override {
    absl::Status status = Open();
    return status.ok() ? sink_.RetainAll() : status;
  }

 private:
  static bool MayPass(const absl::Status& status) {
    return absl::IsUnavailable(status) || absl::IsResourceExhausted(status);
  }

  // Makes the file what it is to be, once.
  absl::Status Open() {
    if (open_) return absl::OkStatus();
    // Not the default, so that some more of the many octets of a batch's rows lie side by side.
    absl::Status status = connection_->Run("PRAGMA page_size = 8192");
    if (status.ok()) status = connection_->UseWal();
    for (const std::string& pragma :
         {absl::StrCat("PRAGMA synchronous = ", options_.durable ? "FULL" : "NORMAL"),
          absl::StrCat("PRAGMA cache_size = -", std::min<uint64_t>(options_.cache_octets >> 10, INT32_MAX)),
          std::string("PRAGMA analysis_limit = 1000")}) {
      if (status.ok()) status = connection_->Run(pragma);
    }
    open_ = status.ok();
    return status;
  }

  absl::StatusOr<uint64_t> InsertRows(const sql::RowTarget& target, const aggregate::AggregateBatch& batch,
                                      sql::StoredRows* rows) override {
    rows->Begin(batch);
    return Insert(target, IntegerCell(target.batch), rows);
  }

  absl::StatusOr<uint64_t> InsertSums(const sql::RowTarget& target, sql::RowSource* rows) override {
    return Insert(target, Cell(), rows);
  }

  absl::StatusOr<uint64_t> Insert(const sql::RowTarget& target, const Cell& batch, sql::RowSource* rows) {
    std::string columns = absl::StrCat(Q(sql::kBinStart), ", ", Q(sql::kBinEnd), ", ", Q(sql::kBatch));
    for (const std::string& column : target.columns) absl::StrAppend(&columns, ", ", Q(column));
    std::string feed;
    int code = feed_.Table(3 + target.columns.size(), &feed);
    if (code != SQLITE_OK) return connection_->Error(code, "rows");
    const std::string sql = absl::StrCat("INSERT INTO ", Q(target.table), " (", columns, ") SELECT * FROM ", feed);
    if (insert_ == nullptr || insert_sql_ != sql) {
      insert_.reset();
      absl::StatusOr<PreparedStatement> prepared = connection_->Prepare(sql);
      if (!prepared.ok()) return prepared.status();
      insert_ = *std::move(prepared);
      insert_sql_ = sql;
    }
    feed_.Feed({IntegerCell(target.bin_start), IntegerCell(target.bin_end), batch}, target.cells, rows);
    code = sqlite3_step(insert_.get());
    sqlite3_reset(insert_.get());
    if (code != SQLITE_DONE) return connection_->Error(code, absl::StrCat("rows of ", target.table));
    return connection_->changed();
  }

  absl::Status Create(const sql::TableSchema& table) override {
    absl::Status status = connection_->Run(sql::CreateTable(sql::kSqlite, table));
    if (!status.ok()) return status;
    return connection_->Run(absl::StrCat("CREATE INDEX ", Q(absl::StrCat(table.name, "_by_time")), " ON ",
                                         Q(table.name), " (", Q(sql::kBinStart), ")"));
  }

  // The view with texts.
  absl::Status Changed(const sql::TableSchema& table) override {
    const std::string name = absl::StrCat(table.name, "_text");
    bool taken = false;
    absl::Status status = connection_->Query(
        {"SELECT 1 FROM sqlite_schema WHERE name = ? COLLATE NOCASE AND type <> 'view'", {sql::Text(name)}},
        [&](absl::Span<const Cell>) { return taken = true; });
    if (!status.ok() || taken) return status;  // somebody's table: it stays
    if (status = connection_->Run(absl::StrCat("DROP VIEW IF EXISTS ", Q(name))); !status.ok()) return status;
    std::string select;
    for (const absl::string_view time : {sql::kBinStart, sql::kBinEnd}) {
      absl::StrAppend(&select, select.empty() ? "" : ", ", "strftime('%Y-%m-%dT%H:%M:%SZ', ", Q(time),
                      ", 'unixepoch') AS ", Q(time));
    }
    absl::StrAppend(&select, ", ", Q(sql::kBatch));
    for (const sql::Column& column : table.columns) {
      const std::string quoted = Q(column.name);
      const record::FieldType type = record::Info(column.field).type;
      if (column.key && type == record::FieldType::kAddress) {
        absl::StrAppend(&select, ", ", AddressText(quoted), " AS ", quoted);
      } else if (column.key && type == record::FieldType::kPrefix) {
        absl::StrAppend(&select, ", ", AddressText(quoted), " || '/' || ",
                        OctetNumber(absl::StrCat("hex(", quoted, ")"), 16), " AS ", quoted);
      } else {
        absl::StrAppend(&select, ", ", quoted);
      }
    }
    return connection_->Run(absl::StrCat("CREATE VIEW ", Q(name), " AS SELECT ", select, " FROM ", Q(table.name)));
  }

  absl::Status Prepare(const sql::TableSchema&, int64_t) override { return absl::OkStatus(); }

  absl::StatusOr<bool> Remove(const sql::TableSchema& table, int64_t until, uint64_t* rows, uint64_t* bins) override {
    while (*rows < kRowsAStep) {
      int64_t start = 0;
      const bool found = OldestBin(table.name, &start) && start < until;
      if (!found) return false;
      absl::StatusOr<uint64_t> removed = connection_->Execute(
          {absl::StrCat("DELETE FROM ", Q(table.name), " WHERE rowid IN (SELECT rowid FROM ", Q(table.name), " WHERE ",
                        Q(sql::kBinStart), " = ? AND ", Q(sql::kBinEnd), " <= ? LIMIT ?)"),
           {sql::Integer(start), sql::Integer(until), sql::Integer(static_cast<int64_t>(kRowsAStep - *rows))}});
      if (!removed.ok()) return removed.status();
      if (*removed == 0) return false;  // it ends later
      *rows += *removed;
      int64_t next = 0;
      if (!OldestBin(table.name, &next) || next != start) ++*bins;
    }
    return true;
  }

  bool OldestBin(const std::string& table, int64_t* start) {
    bool found = false;
    connection_
        ->Query({absl::StrCat("SELECT MIN(", Q(sql::kBinStart), ") FROM ", Q(table)), {}},
                [&](absl::Span<const Cell> cells) {
                  found = !cells[0].is_null();
                  *start = cells[0].integer;
                  return true;
                })
        .IgnoreError();
    return found;
  }

  // The oldest bins of the table and its rollups go until the rest fits.
  absl::Status BoundSize() {
    for (int step = 0; step < kSizeSteps; ++step) {
      absl::StatusOr<int64_t> octets = connection_->Number(
          "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, "
          "pragma_page_size");
      if (!octets.ok()) return octets.status();
      if (static_cast<uint64_t>(*octets) <= options_.max_octets) return absl::OkStatus();
      const sql::TableSchema* oldest = nullptr;
      int64_t oldest_end = INT64_MAX;
      for (const sql::TableSchema& table : sink_.tables()) {
        int64_t start = 0;
        if (table.bin_seconds == 0 || !OldestBin(table.name, &start)) continue;
        int64_t rolled = INT64_MAX;
        for (const sql::TableSchema& other : sink_.tables()) {
          if (!other.rollup_of.empty() && other.bin_seconds > table.bin_seconds) {
            rolled = std::min(rolled, other.rolled_until);
          }
        }
        const int64_t end = start + table.bin_seconds;
        if (end <= rolled && end < oldest_end) {
          oldest = &table;
          oldest_end = end;
        }
      }
      uint64_t rows = sink_.counters().rows_removed;
      if (oldest != nullptr) {
        absl::StatusOr<bool> more = sink_.Remove(*oldest, oldest_end);
        if (!more.ok()) return more.status();
      }
      if (sink_.counters().rows_removed == rows) {
        return absl::ResourceExhaustedError(
            absl::StrCat("sqlite ", options_.path, ": more than max_octets = ", options_.max_octets,
                         ", and nothing is left that may be removed; give it more, or other tables less"));
      }
    }
    return absl::OkStatus();
  }

  // What the planner knows of the tables; a moment, as analysis_limit bounds it.
  void Analyze() {
    since_analysis_ = 0;
    connection_->Run("PRAGMA optimize").IgnoreError();
  }

  const SqliteOptions options_;
  std::unique_ptr<SqliteConnection> connection_;
  RowFeed feed_;
  PreparedStatement insert_;  // goes before the connection
  std::string insert_sql_;
  sql::SqlSink sink_;
  std::string size_trouble_;
  uint64_t since_analysis_ = 0;
  bool open_ = false;
  bool closed_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<StoreSink>> NewSqliteSink(SqliteOptions options) {
  if (absl::Status status = sql::SqlSink::Check("sqlite", options); !status.ok()) return status;
  absl::StatusOr<std::unique_ptr<SqliteConnection>> connection =
      SqliteConnection::Open(options.path, /*writes=*/true, options.busy_timeout);
  if (!connection.ok()) return connection.status();
  (*connection)->set_groups_in_memory(options.max_groups_in_memory);
  auto sink = std::make_unique<Sink>(std::move(options), *std::move(connection));
  if (absl::Status status = sink->Start(); !status.ok()) return status;
  return sink;
}

}  // namespace flowacct::sink::sqlite
