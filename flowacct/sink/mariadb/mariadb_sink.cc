#include "flowacct/sink/mariadb/mariadb_sink.h"

#include <mariadb/mysqld_error.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "flowacct/record/field.h"
#include "flowacct/sink/mariadb/mariadb_connection.h"
#include "flowacct/sink/mariadb/row_inserter.h"
#include "flowacct/sink/sql/group_select.h"
#include "flowacct/sink/sql/sql_sink.h"

namespace flowacct::sink::mariadb {
namespace {

using sql::Cell;

constexpr int64_t kDay = 86400;
constexpr absl::string_view kRowNumber = "row_number", kStoredDay = "stored_day";
// The partition of rows that have no day of their own, and their stored day.
constexpr absl::string_view kRestName = "rest";
constexpr int64_t kRest = -1;
// Of a table, in characters: both servers' limit.
constexpr size_t kLongestName = 64;
// Of what lies in no day of its own, so many rows a step of retention.
constexpr int64_t kRowsAStep = 20000;
// Bins that are further off get no day of their own: an exporter whose clock is wrong makes no thousands.
constexpr int64_t kDaysBack = 3660;
// Partitions with more rows are not counted before they are dropped, but estimated.
constexpr int64_t kRowsToCount = 2000000;
// Whoever asks a long question is not interrupted, and nobody waits long behind this.
constexpr int kLockSeconds = 2;
// What could not be made is tried again after this.
constexpr absl::Duration kTryAgain = absl::Minutes(1);

// Of table names, which may have anything in them (sql_mode NO_BACKSLASH_ESCAPES).
std::string TextLiteral(absl::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "''"}}), "'");
}

// A day of a table; of rollups, and of bins of days, so many more that partitions stay few.
int64_t PartitionSeconds(const sql::TableSchema& table) {
  return table.rollup_of.empty() && table.bin_seconds < kDay ? kDay : 32 * kDay;
}

// Partitions are by LIST: one is added without that any other is touched, in any order, and a MariaDB that is killed at
// it has the table as it was. (By RANGE those in between are divided, and a killed server lost tables at that.)
struct Partitions {
  bool has_rest = false;
  int64_t length = 0;
  std::map<int64_t, int64_t> days;  // begins; rows, as the server estimates
};

std::string DayName(int64_t start) {
  return absl::FormatTime("p%Y%m%d", absl::FromUnixSeconds(start), absl::UTCTimeZone());
}

class Sink : public StoreSink, private sql::SqlWriter {
 public:
  Sink(MariadbOptions options, std::unique_ptr<MariadbConnection> connection)
      : options_(std::move(options)), connection_(std::move(connection)), sink_(&options_, connection_.get(), this) {}

  absl::Status Start() { return sink_.Start(); }

  absl::Status Write(const aggregate::AggregateBatch& batch) override {
    if (closed_) return absl::FailedPreconditionError("mariadb: it has been closed");
    absl::Status status = sink_.Write(batch);
    if (!status.ok()) partitions_.clear();
    return status;
  }

  absl::Status Close() override {
    closed_ = true;
    return absl::OkStatus();
  }

  std::string trouble() const override { return sink_.trouble().empty() ? trouble_ : sink_.trouble(); }
  const StoreCounters& counters() const override { return sink_.counters(); }
  absl::Status Retain() override { return sink_.RetainAll(); }

 private:
  std::string Q(absl::string_view name) const { return sql::Quoted(connection_->dialect(), name); }

  absl::StatusOr<uint64_t> InsertRows(const sql::RowTarget& target, const aggregate::AggregateBatch& batch,
                                      sql::StoredRows* rows) override {
    std::string insert = absl::StrCat("INSERT INTO ", Q(target.table), " (", Q(sql::kBinStart), ", ", Q(sql::kBinEnd),
                                      ", ", Q(sql::kBatch), ", ", Q(kRowNumber), ", ", Q(kStoredDay));
    for (const std::string& column : target.columns) absl::StrAppend(&insert, ", ", Q(column));
    insert += ") VALUES ";
    if (target.batch >= int64_t{1} << 31) {
      return absl::ResourceExhaustedError("mariadb: flowacct_batches has counted to its end");
    }
    constexpr size_t kOwn = 5;
    std::vector<Cell> row(kOwn + target.cells.size());
    for (size_t i = 0; i < kOwn; ++i) row[i].kind = Cell::Kind::kInteger;
    row[0].integer = target.bin_start;
    row[1].integer = target.bin_end;
    row[2].integer = target.batch;
    row[3].integer = target.batch << 32;  // what a rollup summed has numbers below these
    row[4].integer = StoredDay(target.table, target.bin_start);
    RowInserter inserter(connection_.get(), insert, row.size(), options_.arrays);
    absl::Status status = rows->ForEach(batch, [&](absl::Span<const Cell> cells) {
      ++row[3].integer;
      for (size_t i = 0; i < target.cells.size(); ++i) row[kOwn + i] = cells[target.cells[i]];
      return inserter.Add(row);
    });
    if (status.ok()) status = inserter.Finish();
    if (absl::IsAlreadyExists(status)) {
      return absl::FailedPreconditionError(absl::StrCat("mariadb: table ", Q(target.table), " has rows of a batch ",
                                                        target.batch, " that flowacct_batches does not know"));
    }
    if (!status.ok()) return status;
    return inserter.rows();
  }

  absl::Status BeginChange() override {
    if (absl::Status status = connection_->Commit(); !status.ok()) return status;
    bool ours = false;
    absl::Status status = connection_->Query(
        {absl::StrCat("SELECT GET_LOCK(CONCAT('flowacct.', MD5(DATABASE())), ", connection_->lock_seconds(), ")"), {}},
        [&](absl::Span<const Cell> cells) {
          ours = cells[0].integer == 1;
          return true;
        });
    if (!status.ok() || ours) return status;
    return absl::UnavailableError("mariadb: another makes tables at this moment");
  }

  // What was made is said to be, before another looks. After an error what follows fails, too.
  void EndChange() override {
    (void)connection_->Commit();
    (void)connection_->Execute({"SELECT RELEASE_LOCK(CONCAT('flowacct.', MD5(DATABASE())))", {}});
  }

  absl::Status Create(const sql::TableSchema& table) override {
    partitions_.erase(table.name);
    absl::Status status;
    if (!table.made) status = connection_->Run(absl::StrCat("DROP TABLE IF EXISTS ", Q(table.name)));
    if (status.ok()) status = connection_->Run(sql::CreateTable(connection_->dialect(), table));
    if (!status.ok() || table.bin_seconds == 0 || !options_.partitions) return status;
    // Not with CREATE, so that what stands in the way of this is known to be nobody's.
    const std::string divided = absl::StrCat(Q(table.name), " PARTITION BY LIST (", Q(kStoredDay), ") (PARTITION ",
                                             kRestName, " VALUES IN (", kRest, "))");
    unsigned error = 0;
    status = Alter(divided, &error);
    if (error != ER_TABLE_EXISTS_ERROR) return status;
    status = RemoveOrphan(table.name, status);
    return status.ok() ? Alter(divided) : status;
  }

  // A MariaDB that is killed while it divides a table may come back with a table that has lost the list of its
  // partitions (10.11: no atomic DDL). When that is dropped InnoDB keeps the partition, and `refused` the same name to
  // the next table. That was made a moment ago and has no partitions, and between BeginChange and EndChange nobody
  // else gives it any: the partition is nobody's. Its rows, if any, went with a table that was dropped.
  absl::Status RemoveOrphan(const std::string& table, const absl::Status& refused) {
    std::string name;  // as the server names files
    absl::Status status = connection_->Query(
        {absl::StrCat("SELECT CAST(CONVERT(", TextLiteral(table), " USING filename) AS BINARY)"), {}},
        [&](absl::Span<const Cell> cells) {
          name = absl::StrCat(cells[0].octets, "#P#", kRestName);
          return true;
        });
    if (!status.ok()) return status;
    if (name.size() <= kLongestName && absl::StrContains(refused.message(), absl::StrCat("/", name))) {
      status = connection_->Run(absl::StrCat("DROP TABLE ", Q(absl::StrCat("#mysql50#", name))));
      if (connection_->error() != ER_BAD_TABLE_ERROR) return status;
    }
    return absl::FailedPreconditionError(
        absl::StrCat("mariadb: table ", Q(table), " cannot be made: the server was killed when it was made before, ",
                     "keeps ", name, " of it, and drops none of that name; choose another name for the table"));
  }

  // The view with texts.
  absl::Status Changed(const sql::TableSchema& table) override {
    const std::string name = absl::StrCat(table.name, "_text");
    if (!sql::CheckName(connection_->dialect(), name).ok()) return absl::OkStatus();
    bool taken = false, there = false;
    absl::Status status =
        connection_->Query({absl::StrCat("SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE "
                                         "TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ",
                                         TextLiteral(name)),
                            {}},
                           [&](absl::Span<const Cell> cells) {
                             if (cells[0].octets == name) (cells[1].octets == "VIEW" ? there : taken) = true;
                             return true;
                           });
    if (!status.ok() || taken) return status;  // somebody's table: it stays
    std::vector<std::string> names = {std::string(sql::kBinStart), std::string(sql::kBinEnd), std::string(sql::kBatch)};
    std::string select;
    for (const absl::string_view time : {sql::kBinStart, sql::kBinEnd}) {
      absl::StrAppend(&select, select.empty() ? "" : ", ", "FROM_UNIXTIME(", Q(time), ") AS ", Q(time));
    }
    absl::StrAppend(&select, ", ", Q(sql::kBatch));
    for (const sql::Column& column : table.columns) {
      names.push_back(column.name);
      const std::string quoted = Q(column.name);
      const record::FieldType type = record::Info(column.field).type;
      if (column.key && (type == record::FieldType::kAddress || type == record::FieldType::kPrefix)) {
        const std::string length =
            type == record::FieldType::kPrefix ? absl::StrCat(" || '/' || ORD(SUBSTR(", quoted, ", 17, 1))") : "";
        absl::StrAppend(&select, ", INET6_NTOA(CASE WHEN SUBSTR(", quoted, ", 1, 12) = x'", std::string(20, '0'),
                        "ffff' THEN SUBSTR(", quoted, ", 13, 4) ELSE SUBSTR(", quoted, ", 1, 16) END)", length, " AS ",
                        quoted);
      } else {
        absl::StrAppend(&select, ", ", quoted);
      }
    }
    if (there) {
      const absl::StatusOr<std::vector<sql::ExistingColumn>> columns = connection_->Columns(name);
      if (!columns.ok() && !connection_->connected()) return columns.status();
      // Of a view that is broken nothing comes, and it is replaced.
      if (columns.ok() && columns->size() == names.size() &&
          std::equal(names.begin(), names.end(), columns->begin(),
                     [](const std::string& a, const sql::ExistingColumn& b) { return a == b.name; })) {
        return absl::OkStatus();
      }
    }
    return connection_->Run(absl::StrCat("CREATE OR REPLACE SQL SECURITY INVOKER VIEW ", Q(name), " AS SELECT ", select,
                                         " FROM ", Q(table.name)));
  }

  absl::Status Prepare(const sql::TableSchema&, int64_t) override { return absl::OkStatus(); }

  // The day of the bin, and those to come. Without them rows lie in another partition: that is no error.
  absl::StatusOr<bool> MakeAhead(absl::Span<const sql::TableSchema> tables, int64_t bin_start) override {
    const absl::Time now = options_.now();
    bool changed = false, ours = false;
    for (const sql::TableSchema& table : tables) {
      if (table.bin_seconds == 0) continue;
      const auto known = partitions_.find(table.name);
      if (known != partitions_.end() && Missing(table, known->second, bin_start).empty()) continue;
      const auto last_try = tried_.find(table.name);
      if (last_try != tried_.end() && now >= last_try->second && now - last_try->second < kTryAgain) continue;
      absl::Status status;
      if (!ours) status = BeginChange();
      changed = true;
      ours = ours || status.ok();
      if (status.ok()) status = MakeDays(table, bin_start);
      if (!status.ok() && !connection_->connected()) return status;
      tried_.erase(table.name);
      trouble_ = status.ok() ? "" : absl::StrCat(status.message(), "; table ", Q(table.name), " gets no partition");
      if (!status.ok()) tried_[table.name] = now;
    }
    if (ours) EndChange();
    return changed;
  }

  // Begins of days that are to be made.
  std::vector<int64_t> Missing(const sql::TableSchema& table, const Partitions& partitions, int64_t bin_start) const {
    std::vector<int64_t> missing;
    if (!partitions.has_rest) return missing;  // somebody's own way
    const int64_t now = absl::ToUnixSeconds(options_.now()), length = PartitionSeconds(table);
    const auto want = [&](int64_t start) {
      if (partitions.days.count(start) == 0) missing.push_back(start);
    };
    const int64_t today = sql::FloorTo(now, length);
    for (int64_t start = today; start <= now + options_.partitions_ahead * kDay; start += length) want(start);
    const int64_t day = sql::FloorTo(bin_start, length);
    if ((day < today || day > now + options_.partitions_ahead * kDay) && bin_start >= now - kDaysBack * kDay &&
        bin_start <= now + kDay) {
      want(day);
    }
    return missing;
  }

  absl::Status MakeDays(const sql::TableSchema& table, int64_t bin_start) {
    partitions_.erase(table.name);
    absl::StatusOr<Partitions> partitions = ReadPartitions(table);
    if (!partitions.ok()) return partitions.status();
    const std::vector<int64_t> missing = Missing(table, *partitions, bin_start);
    if (!missing.empty()) {
      std::string sql = absl::StrCat(Q(table.name), " ADD PARTITION (");
      for (const int64_t start : missing) {
        absl::StrAppend(&sql, start == missing[0] ? "" : ", ", "PARTITION ", Q(DayName(start)), " VALUES IN (", start,
                        ")");
        partitions->days[start] = 0;
      }
      if (absl::Status status = Alter(sql + ")"); !status.ok()) return status;
    }
    if (partitions_.size() >= 64) partitions_.clear();
    partitions_[table.name] = *std::move(partitions);
    return absl::OkStatus();
  }

  // What rows of a bin have as stored_day: one for which there is a partition.
  int64_t StoredDay(const std::string& table, int64_t bin_start) const {
    const auto known = partitions_.find(table);
    if (known == partitions_.end()) return kRest;
    const int64_t day = sql::FloorTo(bin_start, known->second.length);
    return known->second.days.count(day) == 0 ? kRest : day;
  }

  OwnColumns Own(const sql::TableSchema& table, int64_t bin_start) override {
    return {absl::StrCat(", ", Q(kRowNumber), ", ", Q(kStoredDay)),
            absl::StrCat(", ROW_NUMBER() OVER (), ", StoredDay(table.name, bin_start))};
  }

  // ALTER TABLE that waits but shortly for those who ask. `error`: the server's number of what went wrong with it.
  absl::Status Alter(const std::string& what, unsigned* error = nullptr) {
    absl::Status status = connection_->Run(absl::StrCat("SET SESSION lock_wait_timeout = ", kLockSeconds));
    if (!status.ok()) return status;
    status = connection_->Run(absl::StrCat("ALTER TABLE ", what));
    if (error != nullptr) *error = connection_->error();
    if (!connection_->connected()) return status;
    const absl::Status back =
        connection_->Run(absl::StrCat("SET SESSION lock_wait_timeout = ", connection_->lock_seconds()));
    return status.ok() ? back : status;
  }

  absl::StatusOr<Partitions> ReadPartitions(const sql::TableSchema& table) {
    Partitions partitions;
    partitions.length = PartitionSeconds(table);
    absl::Status status = connection_->Query(
        {absl::StrCat("SELECT PARTITION_NAME, PARTITION_DESCRIPTION, TABLE_ROWS, TABLE_NAME FROM "
                      "information_schema.PARTITIONS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ",
                      TextLiteral(table.name)),
         {}},
        [&](absl::Span<const Cell> cells) {
          if (cells[3].octets != table.name || cells[0].is_null()) return true;
          if (cells[0].octets == kRestName) partitions.has_rest = true;
          int64_t start = 0;
          if (absl::SimpleAtoi(cells[1].octets, &start) && cells[0].octets == DayName(start)) {
            partitions.days[start] = cells[2].integer;
          }
          return true;
        });
    if (!status.ok()) return status;
    return partitions;
  }

  // A day whose last bin has ended, whole; of what lies in no day, some rows.
  absl::StatusOr<bool> Remove(const sql::TableSchema& table, int64_t until, uint64_t* rows, uint64_t* bins) override {
    const absl::StatusOr<Partitions> partitions = ReadPartitions(table);
    if (!partitions.ok()) return partitions.status();
    if (!partitions->days.empty() && partitions->days.begin()->first + partitions->length <= until) {
      const auto& [start, estimate] = *partitions->days.begin();
      const std::string name = Q(DayName(start));
      partitions_.erase(table.name);
      *rows = static_cast<uint64_t>(estimate);
      *bins = static_cast<uint64_t>(partitions->length / table.bin_seconds);
      if (estimate <= kRowsToCount) {
        absl::Status status = connection_->Query(
            {absl::StrCat("SELECT COUNT(*), CAST(COALESCE(SUM(n), 0) AS SIGNED) FROM (SELECT COUNT(*) AS n FROM ",
                          Q(table.name), " PARTITION (", name, ") GROUP BY ", Q(sql::kBinStart), ") AS bins"),
             {}},
            [&](absl::Span<const Cell> cells) {
              *bins = static_cast<uint64_t>(cells[0].integer);
              *rows = static_cast<uint64_t>(cells[1].integer);
              return true;
            });
        // Else it would be waited for by itself.
        if (status.ok()) status = connection_->Commit();
        if (!status.ok()) return status;
      }
      if (absl::Status status = Alter(absl::StrCat(Q(table.name), " DROP PARTITION ", name)); !status.ok()) {
        return status;
      }
      return true;
    }
    absl::StatusOr<uint64_t> removed = connection_->Execute(
        {absl::StrCat("DELETE FROM ", Q(table.name),
                      partitions->has_rest ? absl::StrCat(" PARTITION (", kRestName, ")") : "", " WHERE ",
                      Q(sql::kBinStart), " < ", until, " AND ", Q(sql::kBinEnd), " <= ", until, " LIMIT ", kRowsAStep),
         {}});
    if (!removed.ok()) return removed.status();
    *rows = *removed;
    return *removed == static_cast<uint64_t>(kRowsAStep);
  }

  const MariadbOptions options_;
  std::unique_ptr<MariadbConnection> connection_;
  sql::SqlSink sink_;
  std::map<std::string, Partitions> partitions_;  // of tables, as they are known to be
  std::map<std::string, absl::Time> tried_;       // when some could not be made
  std::string trouble_;
  bool closed_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<StoreSink>> NewMariadbSink(MariadbOptions options) {
  if (absl::Status status = sql::SqlSink::Check("mariadb", options); !status.ok()) return status;
  if (options.partitions_ahead < 0 || options.partitions_ahead > 366) {
    return absl::InvalidArgumentError(
        absl::StrCat("mariadb: partitions_ahead = ", options.partitions_ahead, ": between 0 and 366 days"));
  }
  absl::StatusOr<std::unique_ptr<MariadbConnection>> connection = MariadbConnection::New(options.connection);
  if (!connection.ok()) return connection.status();
  auto sink = std::make_unique<Sink>(std::move(options), *std::move(connection));
  if (absl::Status status = sink->Start(); !status.ok()) return status;
  return sink;
}

}  // namespace flowacct::sink::mariadb
