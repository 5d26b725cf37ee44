#include "flowacct/sink/postgresql/postgresql_sink.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "flowacct/base/octets.h"
#include "flowacct/record/field.h"
#include "flowacct/sink/postgresql/postgresql_connection.h"
#include "flowacct/sink/sql/group_select.h"
#include "flowacct/sink/sql/sql_sink.h"

namespace flowacct::sink::postgresql {
namespace {

using sql::Cell;
using sql::Quoted;

constexpr int64_t kDay = 86400;
// Octets of COPY that are handed to libpq at once.
constexpr size_t kPiece = size_t{256} << 10;
// Of what lies in no partition of its own, so many rows a step of retention.
constexpr int64_t kRowsAStep = 20000;
// Bins that are further off get no partition of their own: an exporter whose clock is wrong makes no thousands.
constexpr int64_t kDaysBack = 3660;

std::string Q(absl::string_view name) { return Quoted(sql::kPostgresql, name); }

// A day of a table; of rollups, and of bins of days, so many more that partitions stay few.
int64_t PartitionSeconds(const sql::TableSchema& table) {
  return table.rollup_of.empty() && table.bin_seconds < kDay ? kDay : 32 * kDay;
}

std::string PartitionName(const sql::TableSchema& table, int64_t start) {
  return absl::StrCat(table.name, "_p", absl::FormatTime("%Y%m%d", absl::FromUnixSeconds(start), absl::UTCTimeZone()));
}
std::string RestName(const sql::TableSchema& table) { return absl::StrCat(table.name, "_rest"); }

// COPY's binary format (PostgreSQL's manual, COPY, File Formats).
class CopyWriter {
 public:
  CopyWriter() { octets_.append("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", 19); }
  void Row(size_t fields) { Append16(static_cast<uint16_t>(fields)); }
  void Null() { Append32(0xffffffff); }
  void Integer(int64_t number) {
    char field[12] = {0, 0, 0, 8};
    base::StoreBe64(reinterpret_cast<uint8_t*>(field + 4), static_cast<uint64_t>(number));
    octets_.append(field, sizeof(field));
  }
  void Octets(absl::string_view octets) {
    Append32(static_cast<uint32_t>(octets.size()));
    octets_.append(octets.data(), octets.size());
  }
  void End() { Append16(0xffff); }
  std::string& octets() { return octets_; }

 private:
  void Append16(uint16_t number) {
    char octets[2];
    base::StoreBe16(reinterpret_cast<uint8_t*>(octets), number);
    octets_.append(octets, sizeof(octets));
  }
  void Append32(uint32_t number) {
    char octets[4];
    base::StoreBe32(reinterpret_cast<uint8_t*>(octets), number);
    octets_.append(octets, sizeof(octets));
  }

  std::string octets_;
};

// For those who look with psql.
std::string AddressText(const std::string& name) {
  std::string groups;
  for (int i = 0; i < 8; ++i) {
    absl::StrAppend(&groups, i == 0 ? "" : " || ':' || ", "encode(substr(", name, ", ", 2 * i + 1, ", 2), 'hex')");
  }
  return absl::StrCat("CASE WHEN substr(", name, ", 1, 12) = '\\x00000000000000000000ffff'::bytea THEN get_byte(", name,
                      ", 12) || '.' || get_byte(", name, ", 13) || '.' || get_byte(", name, ", 14) || '.' || get_byte(",
                      name, ", 15) ELSE ", groups, " END");
}

class Sink : public StoreSink, private sql::SqlWriter {
 public:
  Sink(PostgresqlOptions options, std::unique_ptr<PostgresqlConnection> connection)
      : options_(std::move(options)), connection_(std::move(connection)), sink_(&options_, connection_.get(), this) {}

  absl::Status Start() { return sink_.Start(); }

  absl::Status Write(const aggregate::AggregateBatch& batch) override {
    if (closed_) return absl::FailedPreconditionError("postgresql: it has been closed");
    absl::Status status = sink_.Write(batch);
    // What a transaction made that did not come to its end is not there.
    if (!status.ok()) partitions_.clear();
    return status;
  }

  absl::Status Close() override {
    closed_ = true;
    return absl::OkStatus();
  }

  std::string trouble() const override { return sink_.trouble(); }
  const StoreCounters& counters() const override { return sink_.counters(); }
  absl::Status Retain() override { return sink_.RetainAll(); }

 private:
  absl::StatusOr<uint64_t> InsertRows(const sql::RowTarget& target, const aggregate::AggregateBatch& batch,
                                      sql::StoredRows* rows) override {
    std::string sql =
        absl::StrCat("COPY ", Q(target.table), " (", Q(sql::kBinStart), ", ", Q(sql::kBinEnd), ", ", Q(sql::kBatch));
    for (const std::string& column : target.columns) absl::StrAppend(&sql, ", ", Q(column));
    sql += ") FROM STDIN (FORMAT binary)";
    if (absl::Status status = connection_->BeginCopy(sql); !status.ok()) return status;
    CopyWriter writer;
    writer.octets().reserve(kPiece + 4096);
    absl::Status status = rows->ForEach(batch, [&](absl::Span<const Cell> cells) {
      writer.Row(3 + target.cells.size());
      writer.Integer(target.bin_start);
      writer.Integer(target.bin_end);
      writer.Integer(target.batch);
      for (const size_t i : target.cells) {
        const Cell& cell = cells[i];
        if (cell.is_null()) {
          writer.Null();
        } else if (cell.kind == Cell::Kind::kInteger) {
          writer.Integer(cell.integer);
        } else {
          writer.Octets(cell.octets);
        }
      }
      if (writer.octets().size() < kPiece) return absl::OkStatus();
      absl::Status copied = connection_->Copy(writer.octets());
      writer.octets().clear();
      return copied;
    });
    if (!status.ok()) return status;  // the connection is gone
    writer.End();
    if (status = connection_->Copy(writer.octets()); !status.ok()) return status;
    return connection_->EndCopy();
  }

  absl::Status Create(const sql::TableSchema& table) override {
    // Of partitions, whose names are longer.
    if (absl::Status status = sql::CheckName(sql::kPostgresql, PartitionName(table, 0)); !status.ok()) return status;
    std::string sql = sql::CreateTable(sql::kPostgresql, table);
    if (table.bin_seconds != 0) absl::StrAppend(&sql, " PARTITION BY RANGE (", Q(sql::kBinStart), ")");
    std::vector<std::string> statements = {
        sql, absl::StrCat("CREATE INDEX ON ", Q(table.name), " (", Q(sql::kBinStart), ")")};
    if (table.bin_seconds != 0) {
      statements.push_back(
          absl::StrCat("CREATE TABLE ", Q(RestName(table)), " PARTITION OF ", Q(table.name), " DEFAULT"));
    }
    for (const std::string& statement : statements) {
      if (absl::Status status = connection_->Run(statement); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // The view with texts.
  absl::Status Changed(const sql::TableSchema& table) override {
    const std::string name = absl::StrCat(table.name, "_text");
    bool taken = false, there = false;
    absl::Status status = connection_->Query(
        {"SELECT c.relkind = 'v' FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = "
         "current_schema() AND c.relname = $1",
         {sql::Text(name)}},
        [&](absl::Span<const Cell> cells) {
          there = cells[0].integer != 0;
          taken = !there;
          return true;
        });
    if (!status.ok() || taken) return status;  // somebody's table: it stays
    if (!sql::CheckName(sql::kPostgresql, name).ok()) return absl::OkStatus();
    if (there) {
      if (status = connection_->Run(absl::StrCat("DROP VIEW ", Q(name))); !status.ok()) return status;
    }
    std::string select;
    for (const absl::string_view time : {sql::kBinStart, sql::kBinEnd}) {
      absl::StrAppend(&select, select.empty() ? "" : ", ", "to_timestamp(", Q(time), ") AS ", Q(time));
    }
    absl::StrAppend(&select, ", ", Q(sql::kBatch));
    for (const sql::Column& column : table.columns) {
      const std::string quoted = Q(column.name);
      const record::FieldType type = record::Info(column.field).type;
      if (column.key && type == record::FieldType::kAddress) {
        absl::StrAppend(&select, ", (", AddressText(quoted), ")::inet AS ", quoted);
      } else if (column.key && type == record::FieldType::kPrefix) {
        absl::StrAppend(&select, ", ((", AddressText(quoted), ") || '/' || get_byte(", quoted, ", 16))::inet AS ",
                        quoted);
      } else {
        absl::StrAppend(&select, ", ", quoted);
      }
    }
    return connection_->Run(absl::StrCat("CREATE VIEW ", Q(name), " AS SELECT ", select, " FROM ", Q(table.name)));
  }

  // The partition of the bin, and those of the days to come.
  absl::Status Prepare(const sql::TableSchema& table, int64_t bin_start) override {
    if (table.bin_seconds == 0) return absl::OkStatus();
    const int64_t now = absl::ToUnixSeconds(options_.now()), length = PartitionSeconds(table);
    const int64_t last = now + options_.partitions_ahead * kDay;
    std::vector<int64_t> starts = {sql::FloorTo(bin_start, length)};
    for (int64_t start = sql::FloorTo(now, length); start <= last; start += length) starts.push_back(start);
    for (const int64_t start : starts) {
      if (start < now - kDaysBack * kDay || start > std::max(last, now + kDay)) continue;
      const std::string name = PartitionName(table, start);
      if (std::find(partitions_.begin(), partitions_.end(), name) != partitions_.end()) continue;
      if (absl::Status status = MakePartition(table, name, start, start + length); !status.ok()) return status;
      if (partitions_.size() >= 1024) partitions_.clear();
      partitions_.push_back(name);
    }
    return absl::OkStatus();
  }

  absl::Status MakePartition(const sql::TableSchema& table, const std::string& name, int64_t start, int64_t end) {
    bool there = false;
    // Rows that came before the partition did, of clocks that were ahead, stay where they are, and later ones go there.
    const std::string column = Q(sql::kBinStart);
    absl::Status status = connection_->Query(
        {absl::StrCat("SELECT EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE "
                      "n.nspname = current_schema() AND c.relname = $1) OR EXISTS (SELECT 1 FROM ",
                      Q(RestName(table)), " WHERE ", column, " >= ", start, " AND ", column, " < ", end, ")"),
         {sql::Text(name)}},
        [&](absl::Span<const Cell> cells) {
          there = cells[0].integer != 0;
          return true;
        });
    if (!status.ok() || there) return status;
    return connection_->Run(absl::StrCat("CREATE TABLE ", Q(name), " PARTITION OF ", Q(table.name),
                                         " FOR VALUES FROM (", start, ") TO (", end, ")"));
  }

  // A partition whose last bin has ended, whole; of the rest, some rows.
  absl::StatusOr<bool> Remove(const sql::TableSchema& table, int64_t until, uint64_t* rows, uint64_t* bins) override {
    // Who asks a long question is not interrupted, and nobody waits behind this.
    if (absl::Status status = connection_->Run("SET LOCAL lock_timeout = '2s'"); !status.ok()) return status;
    std::string oldest;
    absl::Status status = connection_->Query(
        {"SELECT c.relname::text, (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \\(''(-?\\d+)''\\)'))[1]"
         "::bigint AS until FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON "
         "p.oid = i.inhparent JOIN pg_namespace n ON n.oid = p.relnamespace WHERE n.nspname = "
         "current_schema() AND p.relname = $1 ORDER BY 2",
         {sql::Text(table.name)}},
        [&](absl::Span<const Cell> cells) {
          if (oldest.empty() && !cells[1].is_null() && cells[1].integer <= until) oldest = std::string(cells[0].octets);
          return true;
        });
    if (!status.ok()) return status;
    const std::string bin_start = Q(sql::kBinStart);
    if (!oldest.empty()) {
      status = connection_->Query(
          {absl::StrCat("SELECT COUNT(*), COALESCE(SUM(n), 0)::bigint FROM (SELECT COUNT(*) AS n FROM ", Q(oldest),
                        " GROUP BY ", bin_start, ") AS bins"),
           {}},
          [&](absl::Span<const Cell> cells) {
            *bins = static_cast<uint64_t>(cells[0].integer);
            *rows = static_cast<uint64_t>(cells[1].integer);
            return true;
          });
      if (!status.ok()) return status;
      if (status = connection_->Run(absl::StrCat("DROP TABLE ", Q(oldest))); !status.ok()) return status;
      partitions_.clear();
      return true;
    }
    absl::StatusOr<uint64_t> removed = connection_->Execute(
        {absl::StrCat("DELETE FROM ", Q(RestName(table)), " WHERE ctid = ANY (ARRAY(SELECT ctid FROM ",
                      Q(RestName(table)), " WHERE ", Q(sql::kBinEnd), " <= ", until, " LIMIT ", kRowsAStep, "))"),
         {}});
    if (!removed.ok()) return removed.status();
    *rows = *removed;
    return *removed == static_cast<uint64_t>(kRowsAStep);
  }

  const PostgresqlOptions options_;
  std::unique_ptr<PostgresqlConnection> connection_;
  sql::SqlSink sink_;
  std::vector<std::string> partitions_;  // that are known to be there
  bool closed_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<StoreSink>> NewPostgresqlSink(PostgresqlOptions options) {
  if (absl::Status status = sql::SqlSink::Check("postgresql", options); !status.ok()) return status;
  if (options.partitions_ahead < 0 || options.partitions_ahead > 366) {
    return absl::InvalidArgumentError(
        absl::StrCat("postgresql: partitions_ahead = ", options.partitions_ahead, ": between 0 and 366 days"));
  }
  absl::StatusOr<std::unique_ptr<PostgresqlConnection>> connection = PostgresqlConnection::New(options.connection);
  if (!connection.ok()) return connection.status();
  auto sink = std::make_unique<Sink>(std::move(options), *std::move(connection));
  if (absl::Status status = sink->Start(); !status.ok()) return status;
  return sink;
}

}  // namespace flowacct::sink::postgresql
