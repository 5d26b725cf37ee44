#include "flowacct/sink/clickhouse/clickhouse_sink.h"

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "flowacct/sink/clickhouse/batch_rows.h"
#include "flowacct/sink/clickhouse/batch_selection.h"
#include "flowacct/sink/clickhouse/group_select.h"
#include "flowacct/sink/clickhouse/http_connection.h"
#include "flowacct/sink/clickhouse/stored_table.h"
#include "flowacct/sink/sql/group_select.h"
#include "flowacct/sink/sql/sql_sink.h"

namespace flowacct::sink::clickhouse {
namespace {

using aggregate::Function;
using sql::FloorTo;

constexpr int64_t kNanos = 1000000000;
// Of a rollup that is far behind, so many bins a batch: the batch is not to wait for all of them.
constexpr int kBinsAtOnce = 8;
// What came late is added to questions at once and to the rollup's bin so much later, with what else came by then: the
// bin is written anew.
constexpr absl::Duration kLateRollup = absl::Hours(1);
// What other writers did: rollups that they made, what they wrote into bins that this one has summed.
constexpr absl::Duration kLookEvery = absl::Hours(1);
constexpr absl::Duration kRetainEvery = absl::Seconds(10);
constexpr int kRetainSteps = 16;
// Identities of batches are kept so much longer than their rows, for spools that were full.
constexpr absl::Duration kIdentityRetention = absl::Hours(24 * 7);
constexpr absl::Duration kPurgeEvery = absl::Hours(24);
// Rows that count no more are removed so much later: a question that reads them has ended by then.
constexpr absl::Duration kGrace = absl::Hours(1);
// Such of which it is not known who wrote them, and if he is not at it still.
constexpr absl::Duration kUncountedGrace = absl::Hours(24);
// The server's own removal comes so much later than ours.
constexpr absl::Duration kTtlMargin = absl::Hours(48);
// Rows with a sum above this are copied to a rollup as they are; of smaller ones 2^23 sum to less than 2^64.
constexpr uint64_t kLargeSum = uint64_t{1} << 40;
constexpr size_t kMaxRowsAGroup = size_t{1} << 23;

// The bin in whole seconds.
int64_t StartOf(const aggregate::AggregateBatch& batch) { return FloorTo(batch.bin().start_nanos, kNanos) / kNanos; }
int64_t EndOf(const aggregate::AggregateBatch& batch) {
  return (FloorTo(batch.bin().end_nanos - 1, kNanos) + kNanos) / kNanos;
}

class Sink : public StoreSink {
 public:
  Sink(ClickhouseOptions options, std::unique_ptr<HttpConnection> connection)
      : options_(std::move(options)), connection_(std::move(connection)), random_(std::random_device()()) {}

  absl::Status Start() {
    if (options_.table.empty() || options_.schema == nullptr) return absl::OkStatus();
    return Open(options_.table, *options_.schema, options_.bin_seconds);
  }

  absl::Status Write(const aggregate::AggregateBatch& batch) override {
    if (closed_) return absl::FailedPreconditionError("clickhouse: it has been closed");
    const std::string& table = options_.table.empty() ? batch.identity().pipeline : options_.table;
    if (table.empty()) {
      return absl::InvalidArgumentError("clickhouse: the batch names no pipeline; set the table that it goes into");
    }
    if (options_.table.empty()) {
      StoreOptions named;
      named.table = table;
      if (absl::Status status = sql::SqlSink::Check("clickhouse", named); !status.ok()) return status;
    }
    absl::Status status = WriteOnce(table, batch);
    if (absl::IsNotFound(status)) {
      // Somebody has changed the tables since they were looked at.
      tables_.clear();
      status = WriteOnce(table, batch);
      if (absl::IsNotFound(status)) status = absl::FailedPreconditionError(status.message());
    }
    if (!status.ok()) return status;
    // The batch counts; what else did not go well is told apart.
    status = RollUpSome();
    const absl::Time now = options_.now();
    if (status.ok() && (now - retained_ >= kRetainEvery || now < retained_)) {
      retained_ = now;
      status = RetainSome();
    }
    trouble_ = status.ok() ? "" : std::string(status.message());
    return absl::OkStatus();
  }

  absl::Status Close() override {
    closed_ = true;
    return absl::OkStatus();
  }

  std::string trouble() const override { return trouble_; }
  const StoreCounters& counters() const override { return counters_; }

  absl::Status Retain() override {
    absl::Status status = ReadOwnTables(options_.table);
    if (!status.ok()) return status;
    if (options_.table.empty() || tables_.empty() || !tables_[0].ours) {
      tables_.clear();
      return absl::NotFoundError(absl::StrCat("clickhouse: there is no table \"", options_.table, "\""));
    }
    if (status = FindBinsThatLack(); !status.ok()) return status;
    uint64_t before = 0;
    do {
      before = counters_.bins_removed + counters_.rows_removed;
      if (status = RetainSome(); !status.ok()) return status;
    } while (counters_.bins_removed + counters_.rows_removed != before);
    status = RemoveUncounted();
    columns_text_.clear();  // the next batch looks at the columns
    return status;
  }

 private:
  // Rows that a number stands for.
  struct Attempt {
    std::string table;
    int64_t bin_start = 0;
    uint64_t id = 0;
    absl::Time since;
  };

  // Milliseconds since 1970, and 22 bits that tell apart who begins in the same one: the earlier attempt is smaller.
  uint64_t NewId() {
    const uint64_t time = static_cast<uint64_t>(absl::ToUnixMillis(absl::Now()));
    return time << 22 | (random_() & ((uint64_t{1} << 22) - 1));
  }
  static absl::Time TimeOf(uint64_t id) { return absl::FromUnixMillis(static_cast<int64_t>(id >> 22)); }

  absl::StatusOr<TableShape> Shape() {
    absl::StatusOr<const Features*> features = connection_->features();
    if (!features.ok()) return features.status();
    TableShape shape;
    shape.cluster = options_.cluster;
    shape.database = connection_->database();
    shape.features = **features;
    shape.durable = options_.durable;
    if (options_.server_ttl && options_.rollups.empty() && options_.retention != absl::InfiniteDuration()) {
      shape.ttl = options_.retention + kTtlMargin;
    }
    return shape;
  }

  absl::Status ChangeAll(const std::vector<std::string>& statements) {
    for (const std::string& statement : statements) {
      absl::Status status = connection_->Change(statement);
      // Another writer was quicker.
      if (!status.ok() && !absl::IsAlreadyExists(status)) return status;
    }
    return absl::OkStatus();
  }

  // The table first, then its rollups by length.
  absl::Status ReadOwnTables(absl::string_view table) {
    absl::StatusOr<std::vector<StoredTable>> found = ReadTables(connection_.get(), table);
    if (!found.ok()) return found.status();
    tables_ = *std::move(found);
    std::stable_partition(tables_.begin(), tables_.end(), [&](const StoredTable& t) { return t.schema.name == table; });
    if (!tables_.empty() && tables_[0].schema.name != table) tables_.clear();
    table_ = std::string(table);
    lacking_.clear();
    lacking_.resize(tables_.size());
    return absl::OkStatus();
  }

  absl::Status Open(absl::string_view table, const aggregate::Schema& schema, int64_t bin_seconds) {
    absl::StatusOr<std::vector<sql::Column>> columns = sql::ColumnsOf(kDialect, schema);
    if (!columns.ok()) return columns.status();
    const std::string text = sql::ColumnsToText(*columns);
    const absl::Time now = options_.now();
    const bool lately = now >= opened_ && now - opened_ < kLookEvery;
    if (!tables_.empty() && table_ == table && columns_text_ == text && lately) return absl::OkStatus();
    absl::StatusOr<TableShape> shape = Shape();
    if (!shape.ok()) return shape.status();
    std::vector<sql::TableSchema> wanted(1);
    wanted[0].name = std::string(table);
    wanted[0].columns = *columns;
    wanted[0].bin_seconds = bin_seconds;
    std::vector<sql::Column> summable;
    for (const sql::Column& column : *columns) {
      if (column.key || column.summable()) summable.push_back(column);
    }
    for (const Rollup& rollup : options_.rollups) {
      if (bin_seconds == 0 || rollup.bin_seconds % bin_seconds != 0 || rollup.bin_seconds == bin_seconds) {
        return absl::InvalidArgumentError(absl::StrCat("clickhouse: rollup of ", rollup.bin_seconds, " s of table \"",
                                                       table, "\": its bins of ", bin_seconds,
                                                       " s do not make up such; use a multiple"));
      }
      sql::TableSchema r;
      r.name = sql::RollupName(table, rollup.bin_seconds);
      r.columns = summable;
      r.bin_seconds = rollup.bin_seconds;
      r.rollup_of = std::string(table);
      wanted.push_back(std::move(r));
    }
    for (const sql::TableSchema& t : wanted) {
      if (absl::Status status = sql::CheckName(kDialect, t.name); !status.ok()) return status;
    }
    bool there = false;  // somebody who may not make tables has had them made
    absl::Status status = connection_->Query(
        absl::StrCat("SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = ",
                     TextLiteral(kBatches)),
        {k64Cell}, {}, [&](absl::Span<const Cell> cells) {
          there = cells[0].u64() != 0;
          return true;
        });
    if (status.ok() && !there) status = ChangeAll(CreateBatches(*shape));
    if (!status.ok()) return status;
    if (status = ReadOwnTables(table); !status.ok()) return status;
    for (const StoredTable& known : tables_) {  // rollups that another collector keeps
      const auto same = [&](const sql::TableSchema& o) { return o.name == known.schema.name; };
      if (!known.ours || known.schema.rollup_of != table || std::any_of(wanted.begin(), wanted.end(), same)) continue;
      wanted.push_back(known.schema);
      wanted.back().columns = summable;
    }
    for (const sql::TableSchema& t : wanted) {
      if (status = Ensure(*shape, t); !status.ok()) {
        tables_.clear();
        return status;
      }
    }
    if (status = ReadOwnTables(table); !status.ok()) return status;
    if (tables_.empty()) {
      return absl::UnavailableError(absl::StrCat("clickhouse: table \"", table, "\" is not there though it was made"));
    }
    if (status = FindBinsThatLack(); !status.ok()) {
      tables_.clear();
      return status;
    }
    columns_text_ = text;
    columns_ = *std::move(columns);
    columns_hash_ = 0;
    opened_ = options_.now();
    return absl::OkStatus();
  }

  absl::Status Ensure(const TableShape& shape, const sql::TableSchema& wanted) {
    absl::StatusOr<std::vector<StoredTable>> found = ReadTables(connection_.get(), wanted.name);
    if (!found.ok()) return found.status();
    const auto at =
        std::find_if(found->begin(), found->end(), [&](const StoredTable& t) { return t.schema.name == wanted.name; });
    if (at == found->end()) {
      absl::Status status = ChangeAll(CreateTable(shape, wanted));
      return status.ok() ? MakeTextView(shape, wanted) : status;
    }
    const StoredTable& table = *at;
    const std::string quoted = Quoted(wanted.name);
    const std::string rename =
        absl::StrCat("RENAME TABLE ", quoted, " TO ", Quoted(absl::StrCat(wanted.name, "_old")), OnCluster(shape));
    const auto unfit = [&](const auto&... parts) {
      return absl::FailedPreconditionError(absl::StrCat("clickhouse: ", parts...));
    };
    if (!table.ours) {
      return unfit("there is a table ", quoted,
                   " that is none of flowacct's; choose another name, or rename it: ", rename);
    }
    if (table.schema.rollup_of != wanted.rollup_of) {
      return unfit(
          "table ", quoted,
          table.schema.rollup_of.empty() ? " is no rollup" : absl::StrCat(" is a rollup of ", table.schema.rollup_of),
          "; choose another name");
    }
    for (const absl::string_view own : {sql::kBinEnd, sql::kBatch}) {
      if (table.Find(own) == nullptr) return unfit("table ", quoted, " has no column ", own, "; rename it: ", rename);
    }
    sql::TableSchema now = table.schema;
    bool changed = false;
    for (const sql::Column& column : wanted.columns) {
      const StoredColumn* const there = table.Find(column.name);
      if (there == nullptr) {
        // Old rows have NULL there, sums 0: not told.
        if (absl::Status status = ChangeAll(AddColumn(shape, wanted.name, column)); !status.ok()) return status;
        now.columns.push_back(column);
        changed = true;
        continue;
      }
      const std::string base = BaseType(column), type = ColumnType(column, shape.features);
      const bool fits = there->type == type || there->type == absl::StrCat("Nullable(", base, ")") ||
                        there->type == absl::StrCat("LowCardinality(Nullable(", base, "))");
      if (!there->described || !(there->column == column) || (there->type != type && (!column.key || !fits))) {
        const std::string keep =
            shape.features.rename_column
                ? absl::StrCat("ALTER TABLE ", quoted, OnCluster(shape), " RENAME COLUMN ", Quoted(there->name), " TO ",
                               Quoted(absl::StrCat(there->name, "_old")))
                : rename;
        return unfit("column ", Quoted(there->name), " of table ", quoted, " is ", there->type,
                     " and stands for something else than what is written now; keep it under another name: ", keep);
      }
    }
    if (!changed) return absl::OkStatus();
    std::stable_partition(now.columns.begin(), now.columns.end(), [](const sql::Column& c) { return c.key; });
    return MakeTextView(shape, now);
  }

  absl::Status MakeTextView(const TableShape& shape, const sql::TableSchema& table) {
    const std::string name = absl::StrCat(table.name, "_text");
    std::string engine;
    absl::Status status = connection_->Query(
        absl::StrCat("SELECT engine FROM system.tables WHERE database = currentDatabase() AND name = ",
                     TextLiteral(name)),
        {kTextCell}, {}, [&](absl::Span<const Cell> cells) {
          engine = std::string(cells[0].octets);
          return true;
        });
    if (!status.ok()) return status;
    if (!engine.empty() && engine != "View") return absl::OkStatus();  // somebody's table: it stays
    if (!engine.empty()) {
      status = connection_->Change(absl::StrCat("DROP TABLE IF EXISTS ", Quoted(name), OnCluster(shape)));
      if (!status.ok()) return status;
    }
    return ChangeAll({CreateTextView(shape, table)});
  }

  absl::Status WriteOnce(const std::string& table, const aggregate::AggregateBatch& batch) {
    const int64_t start = StartOf(batch), end = EndOf(batch);
    absl::Status status = Open(table, batch.schema(), options_.bin_seconds > 0 ? options_.bin_seconds : end - start);
    if (!status.ok()) return status;
    absl::StatusOr<bool> there = IsThere(table, start, batch.identity());
    if (!there.ok()) return there.status();
    if (*there) {
      ++counters_.batches_skipped;
      return absl::OkStatus();
    }
    const uint64_t id = NewId();
    BatchRows rows(batch, start, end, id);
    if (batch.size() != 0) {
      std::vector<std::string> names = {std::string(sql::kBinStart), std::string(sql::kBinEnd),
                                        std::string(sql::kBatch)};
      for (const sql::Column& column : columns_) names.push_back(Quoted(column.name));
      status = connection_->Insert(
          absl::StrCat("INSERT INTO ", Quoted(table), " (", absl::StrJoin(names, ", "), ") FORMAT RowBinary"),
          [&]() -> absl::StatusOr<absl::string_view> { return rows.Next(); });
      if (!status.ok()) {
        Abandon({table, start, id, options_.now()});
        columns_text_.clear();  // look whether it is they
        return status;
      }
    }
    // From here on it counts.
    status = Count(table, start, end, id, batch.identity(), rows.rows(), batch.incomplete(), batch.correction(), {});
    // Whether it came through is not known: if it did, these rows are the batch.
    if (!status.ok()) return status;
    ++counters_.batches;
    counters_.rows += rows.rows();
    if (end != start) {
      const int64_t now = absl::ToUnixSeconds(options_.now());
      for (size_t i = 1; i < tables_.size(); ++i) {
        const int64_t length = tables_[i].schema.bin_seconds;
        const int64_t bin = FloorTo(start, length);
        reached_ = std::max(reached_, std::min(start, now));
        const bool late = bin < FloorTo(reached_, length);
        lacking_[i].emplace(bin,
                            late && rolled_.count({i, bin}) != 0 ? options_.now() + kLateRollup : absl::InfinitePast());
      }
    }
    return absl::OkStatus();
  }

  // NotFound: the table's columns have changed since they were looked at. Rows would be read as others than they are.
  absl::StatusOr<bool> IsThere(absl::string_view table, int64_t start, const aggregate::BatchIdentity& identity) {
    enum : uint64_t { kCount, kColumns };
    bool there = false, changed = false;
    std::string sql = absl::StrCat(
        "SELECT toUInt64(", uint64_t{kColumns}, ") AS what, toUInt64(sum(cityHash64(name, type, comment))) AS answer ",
        "FROM system.columns WHERE database = currentDatabase() AND table = ", TextLiteral(table));
    if (identity.number != 0) {  // else of nobody, and like no other
      absl::StrAppend(&sql, " UNION ALL SELECT toUInt64(", uint64_t{kCount}, ") AS what, toUInt64(count()) AS answer ",
                      "FROM ", kBatches, " WHERE table_name = ", TextLiteral(table), " AND bin_start = ", start,
                      " AND collector = ", TextLiteral(sql::Storable(identity.collector)), " AND run = ", identity.run,
                      " AND pipeline = ", TextLiteral(sql::Storable(identity.pipeline)),
                      " AND number = ", identity.number);
    }
    absl::Status status = connection_->Query(sql, {k64Cell, k64Cell}, {}, [&](absl::Span<const Cell> cells) {
      if (cells[0].u64() == kCount) {
        there = cells[1].u64() != 0;
      } else if (columns_hash_ == 0) {
        columns_hash_ = cells[1].u64();
      } else {
        changed = columns_hash_ != cells[1].u64();
      }
      return true;
    });
    if (!status.ok()) return status;
    if (changed) return absl::NotFoundError(absl::StrCat("clickhouse: the columns of ", Quoted(table), " change"));
    return there;
  }

  // The row of flowacct_batches that makes a number count.
  absl::Status Count(absl::string_view table, int64_t start, int64_t end, uint64_t id,
                     const aggregate::BatchIdentity& identity, uint64_t rows, bool incomplete, bool correction,
                     absl::Span<const uint64_t> includes) {
    std::string row;
    RowWriter out(&row);
    out.Text(table);
    out.Number(static_cast<uint64_t>(start), 8);
    out.Number(static_cast<uint64_t>(end), 8);
    out.Number(id, 8);
    out.Text(sql::Storable(identity.collector));
    out.Number(identity.run, 8);
    out.Text(sql::Storable(identity.pipeline));
    out.Number(identity.number, 8);
    out.Number(rows, 8);
    out.Number(incomplete ? 1 : 0, 1);
    out.Number(correction ? 1 : 0, 1);
    out.Number(static_cast<uint64_t>(absl::ToUnixSeconds(options_.now())), 8);
    out.Length(includes.size());
    for (const uint64_t included : includes) out.Number(included, 8);
    bool told = false;
    return connection_->Insert(
        absl::StrCat("INSERT INTO ", kBatches,
                     " (table_name, bin_start, bin_end, id, collector, run, pipeline, number, row_count, incomplete, "
                     "correction, written_at, includes) FORMAT RowBinary"),
        [&]() -> absl::StatusOr<absl::string_view> {
          if (told) return absl::string_view();
          told = true;
          return row;
        });
  }

  absl::Status FindBinsThatLack() {
    rolled_.clear();
    for (size_t i = 1; i < tables_.size(); ++i) {
      absl::StatusOr<std::vector<int64_t>> bins =
          BinsThatLack(connection_.get(), tables_[i].schema, tables_[i].distributed);
      if (!bins.ok()) return bins.status();
      for (const int64_t bin : *bins) lacking_[i].emplace(bin, absl::InfinitePast());
    }
    return absl::OkStatus();
  }

  // Sums bins that are over, some of each rollup.
  absl::Status RollUpSome() {
    const absl::Time now = options_.now();
    for (size_t i = 1; i < tables_.size(); ++i) {
      // An exporter whose clock is ahead does not end bins that others still fill.
      const int64_t target = FloorTo(std::min(reached_, absl::ToUnixSeconds(now)), tables_[i].schema.bin_seconds);
      int done = 0;
      for (auto at = lacking_[i].begin(); at != lacking_[i].end() && at->first < target && done < kBinsAtOnce;) {
        if (at->second > now) {
          ++at;
          continue;
        }
        if (absl::Status status = RollUp(i, at->first); !status.ok()) return status;
        if (rolled_.size() >= 100000) rolled_.clear();
        rolled_.insert({{i, at->first}, true});
        at = lacking_[i].erase(at);
        ++done;
      }
    }
    return absl::OkStatus();
  }

  absl::Status RollUp(size_t index, int64_t bin) {
    const sql::TableSchema& rollup = tables_[index].schema;
    const int64_t end = bin + rollup.bin_seconds;
    absl::StatusOr<BatchSelection> selection =
        SelectBatches(connection_.get(), rollup, tables_[index].distributed, bin, end);
    if (!selection.ok()) return selection.status();
    if (selection->base_ids.empty()) return absl::OkStatus();  // another has done it
    const std::vector<uint64_t> before = selection->ids;
    const sql::TableSchema* source = &rollup;
    if (before.empty()) {
      // Nothing of the bin yet: of the longest of the shorter rollups that it is a multiple of.
      for (size_t j = 1; j < index; ++j) {
        const int64_t length = tables_[j].schema.bin_seconds;
        if (rollup.bin_seconds % length != 0 || length >= rollup.bin_seconds) continue;
        source = &tables_[j].schema;
      }
      if (source != &rollup) {
        selection = SelectBatches(connection_.get(), *source, tables_[index].distributed, bin, end);
        if (!selection.ok()) return selection.status();
      }
    }
    absl::StatusOr<std::vector<uint64_t>> includes = IncludedIn(*selection);
    if (!includes.ok()) return includes.status();
    if (selection->empty()) return absl::OkStatus();
    // At most two rows a group come of a batch that are not large: one, and what a split sum left.
    if (includes->size() >= kMaxRowsAGroup / 4) {
      return absl::OutOfRangeError(absl::StrCat("clickhouse: ", includes->size(), " batches in the bin ", bin, " of ",
                                                rollup.name, " are too many to sum; use shorter bins"));
    }
    const uint64_t id = NewId();
    std::vector<std::string> names, small, groups, copied, large;
    for (const sql::Column& column : rollup.columns) {
      const std::string name = Quoted(column.name);
      names.push_back(name);
      copied.push_back(name);
      if (column.key) {
        small.push_back(name);
        groups.push_back(name);
      } else if (column.function == Function::kSum) {
        small.push_back(absl::StrCat("sum(", name, ")"));
        large.push_back(absl::StrCat(name, " > ", kLargeSum));
      } else {
        small.push_back(absl::StrCat(column.function == Function::kMin ? "min(" : "max(", name, ")"));
      }
    }
    const std::string is_large = large.empty() ? "0" : absl::StrJoin(large, " OR ");
    const std::string head = absl::StrCat("SELECT toInt64(", bin, "), toInt64(", end, "), toUInt64(", id, ")");
    const auto select = [&](const std::vector<std::string>& columns, const std::string& condition) {
      return absl::StrCat(head, columns.empty() ? "" : ", ", absl::StrJoin(columns, ", "),
                          RowsOf(*source, *selection, names, condition, bin, end));
    };
    const std::vector<uint64_t> chosen = selection->all();
    std::vector<std::string> parts = {absl::StrCat(select(small, absl::StrCat("NOT (", is_large, ")")),
                                                   groups.empty() ? " HAVING count() > 0" : " GROUP BY ",
                                                   absl::StrJoin(groups, ", "))};
    if (!large.empty()) parts.push_back(select(copied, absl::StrCat("(", is_large, ")")));
    for (const std::string& part : parts) {
      absl::Status status = connection_->Change(
          absl::StrCat("INSERT INTO ", Quoted(rollup.name), " (", sql::kBinStart, ", ", sql::kBinEnd, ", ", sql::kBatch,
                       names.empty() ? "" : ", ", absl::StrJoin(names, ", "), ") ", part),
          chosen);
      if (!status.ok()) {
        Abandon({rollup.name, bin, id, options_.now()});
        return status;
      }
    }
    uint64_t rows = 0;
    absl::Status status = connection_->Query(absl::StrCat("SELECT count() FROM ", Quoted(rollup.name), " WHERE ",
                                                          sql::kBinStart, " = ", bin, " AND ", sql::kBatch, " = ", id),
                                             {k64Cell}, {}, [&](absl::Span<const Cell> cells) {
                                               rows = cells[0].u64();
                                               return true;
                                             });
    if (!status.ok()) {
      Abandon({rollup.name, bin, id, options_.now()});
      return status;
    }
    status = Count(rollup.name, bin, end, id, {"", rollup.name, 0, 0}, rows, false, false, *includes);
    if (!status.ok()) return status;
    counters_.rollup_rows += rows;
    for (const uint64_t old : before) Abandon({rollup.name, bin, old, options_.now()});
    return absl::OkStatus();
  }

  // All batches of the table that are in a selection.
  absl::StatusOr<std::vector<uint64_t>> IncludedIn(const BatchSelection& selection) {
    std::vector<uint64_t> included = selection.base_ids;
    if (!selection.ids.empty()) {
      absl::Status status =
          connection_->Query(absl::StrCat("SELECT DISTINCT arrayJoin(includes) FROM ", kBatches, " WHERE id",
                                          In(selection.distributed), "(SELECT id FROM chosen)"),
                             {k64Cell}, selection.ids, [&](absl::Span<const Cell> cells) {
                               included.push_back(cells[0].u64());
                               return true;
                             });
      if (!status.ok()) return status;
    }
    std::sort(included.begin(), included.end());
    included.erase(std::unique(included.begin(), included.end()), included.end());
    return included;
  }

  void Abandon(Attempt attempt) {
    // What is forgotten here goes with its partition, or by Retain.
    if (abandoned_.size() < 10000) abandoned_.push_back(std::move(attempt));
  }

  absl::Status RemoveRows(const std::string& table, absl::Span<const uint64_t> ids) {
    absl::StatusOr<TableShape> shape = Shape();
    if (!shape.ok()) return shape.status();
    return connection_->Change(absl::StrCat("ALTER TABLE ", Quoted(LocalName(*shape, table)), OnCluster(*shape),
                                            " DELETE WHERE ", sql::kBatch, " IN (", absl::StrJoin(ids, ", "), ")"));
  }

  // Rows that this sink knows to count no more.
  absl::Status RemoveAbandoned(absl::Time now) {
    std::map<std::string, std::vector<uint64_t>> old;
    for (const Attempt& attempt : abandoned_) {
      if (attempt.since + kGrace <= now) old[attempt.table].push_back(attempt.id);
    }
    for (const auto& [table, ids] : old) {
      if (absl::Status status = RemoveRows(table, ids); !status.ok()) return status;
    }
    abandoned_.erase(std::remove_if(abandoned_.begin(), abandoned_.end(),
                                    [&](const Attempt& attempt) { return attempt.since + kGrace <= now; }),
                     abandoned_.end());
    return absl::OkStatus();
  }

  // Rows whose number does not count and is old: of writers that were killed, and of bins that were summed anew.
  absl::Status RemoveUncounted() {
    for (const StoredTable& table : tables_) {
      std::vector<uint64_t> ids;
      absl::Status status = connection_->Query(
          absl::StrCat("SELECT DISTINCT ", sql::kBatch, " FROM ", Quoted(table.schema.name), " WHERE ", sql::kBatch,
                       table.distributed ? " GLOBAL NOT IN (" : " NOT IN (", CountedBatches(table.schema), ")"),
          {k64Cell}, {}, [&](absl::Span<const Cell> cells) {
            if (TimeOf(cells[0].u64()) + kUncountedGrace <= absl::Now()) ids.push_back(cells[0].u64());
            return true;
          });
      if (!status.ok()) return status;
      if (ids.empty()) continue;
      if (status = RemoveRows(table.schema.name, ids); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // Partitions that are too old, a bounded number of them. `looked`: what rollups lack has been looked up just now.
  absl::Status RetainSome(bool looked = false) {
    if (tables_.empty()) return absl::OkStatus();
    const absl::Time now = options_.now();
    absl::StatusOr<TableShape> shape = Shape();
    if (!shape.ok()) return shape.status();
    absl::Duration longest = options_.retention;
    int steps = 0;
    for (size_t i = 0; i < tables_.size(); ++i) {
      const sql::TableSchema& table = tables_[i].schema;
      absl::Duration retention = options_.retention;
      if (!table.rollup_of.empty()) {
        retention = absl::InfiniteDuration();  // another's
        for (const Rollup& rollup : options_.rollups) {
          if (sql::RollupName(table_, rollup.bin_seconds) == table.name) retention = rollup.retention;
        }
      }
      longest = std::max(longest, retention);
      if (retention == absl::InfiniteDuration() || table.bin_seconds == 0) continue;
      int64_t until = absl::ToUnixSeconds(now - retention);
      // A rollup is made of the table or of another rollup, and what is not summed yet stays.
      for (size_t j = 1; j < tables_.size(); ++j) {
        if (tables_[j].schema.bin_seconds > table.bin_seconds && !lacking_[j].empty()) {
          until = std::min(until, lacking_[j].begin()->first);
        }
      }
      while (steps++ < kRetainSteps) {
        absl::StatusOr<Partition> oldest = OldestPartition(*shape, table, until);
        if (!oldest.ok()) return oldest.status();
        if (oldest->text.empty()) break;
        if (!looked && tables_.size() > 1) {
          // Others may have added to bins that this one has summed, or made a rollup.
          absl::Status status = ReadOwnTables(std::string(table_));
          if (status.ok()) status = FindBinsThatLack();
          return status.ok() ? RetainSome(/*looked=*/true) : status;
        }
        absl::Status status = RemovePartition(*shape, table, *oldest);
        if (!status.ok()) return status;
      }
    }
    if (absl::Status status = RemoveAbandoned(now); !status.ok()) return status;
    if (longest == absl::InfiniteDuration() || now - purged_ < kPurgeEvery) return absl::OkStatus();
    purged_ = now;
    const int64_t until = absl::ToUnixSeconds(now - longest - kIdentityRetention);
    std::vector<std::string> names;
    for (const StoredTable& table : tables_) names.push_back(TextLiteral(table.schema.name));
    const std::string old = absl::StrCat(" WHERE table_name IN (", absl::StrJoin(names, ", "), ") AND written_at < ",
                                         until, " AND bin_end <= ", until);
    uint64_t count = 0;
    absl::Status status = connection_->Query(absl::StrCat("SELECT count() FROM ", kBatches, old), {k64Cell}, {},
                                             [&](absl::Span<const Cell> cells) {
                                               count = cells[0].u64();
                                               return true;
                                             });
    if (!status.ok() || count == 0) return status;
    return connection_->Change(
        absl::StrCat("ALTER TABLE ", Quoted(LocalName(*shape, kBatches)), OnCluster(*shape), " DELETE", old));
  }

  struct Partition {
    std::string text;  // empty: there is none
    int64_t number = 0;
    uint64_t rows = 0;
  };

  // Of a table, the oldest partition all of whose bins ended at `until` or before.
  absl::StatusOr<Partition> OldestPartition(const TableShape& shape, const sql::TableSchema& table, int64_t until) {
    const int64_t length = PartitionSeconds(table);
    // The last of its bins may begin at its last second.
    const int64_t over = length % table.bin_seconds == 0 ? 0 : table.bin_seconds;
    const std::string parts =
        shape.cluster.empty() ? "system.parts" : absl::StrCat("cluster(", Quoted(shape.cluster), ", system, parts)");
    Partition oldest;
    absl::Status status =
        connection_->Query(absl::StrCat("SELECT partition, toInt64(partition) AS number, sum(rows) FROM ", parts,
                                        " WHERE active AND ", "database = ", TextLiteral(shape.database),
                                        " AND table = ", TextLiteral(LocalName(shape, table.name)),
                                        " GROUP BY partition HAVING (number + 1) * ", length, " + ", over,
                                        " <= ", until, " ORDER BY number LIMIT 1"),
                           {kTextCell, k64Cell, k64Cell}, {}, [&](absl::Span<const Cell> cells) {
                             oldest = {std::string(cells[0].octets), cells[1].i64(), cells[2].u64()};
                             return true;
                           });
    if (!status.ok()) return status;
    return oldest;
  }

  absl::Status RemovePartition(const TableShape& shape, const sql::TableSchema& table, const Partition& partition) {
    uint64_t bins = 0;
    absl::Status status = connection_->Query(
        absl::StrCat("SELECT uniqExact(bin_start) FROM ", kBatches, " WHERE table_name = ", TextLiteral(table.name),
                     " AND row_count > 0 AND intDiv(bin_start, ", PartitionSeconds(table), ") = ", partition.number),
        {k64Cell}, {}, [&](absl::Span<const Cell> cells) {
          bins = cells[0].u64();
          return true;
        });
    if (!status.ok()) return status;
    status = connection_->Change(absl::StrCat("ALTER TABLE ", Quoted(LocalName(shape, table.name)), OnCluster(shape),
                                              " DROP PARTITION ", partition.text));
    if (!status.ok()) return status;
    counters_.rows_removed += partition.rows;
    counters_.bins_removed += bins;
    return absl::OkStatus();
  }

  const ClickhouseOptions options_;
  std::unique_ptr<HttpConnection> connection_;
  std::mt19937_64 random_;
  StoreCounters counters_;
  std::string trouble_;
  bool closed_ = false;

  std::string table_;                // whose tables_ these are
  std::vector<StoredTable> tables_;  // the table, then its rollups by length; empty: to be read
  std::string columns_text_;         // of the schema that tables_ were made fit for
  std::vector<sql::Column> columns_;
  uint64_t columns_hash_ = 0;  // of the table's columns as the server tells them; 0: not known
  absl::Time opened_ = absl::InfinitePast();
  // Of each of tables_ that is a rollup: bins that lack something, and when they are to be summed.
  std::vector<std::map<int64_t, absl::Time>> lacking_;
  std::map<std::pair<size_t, int64_t>, bool> rolled_;  // bins that this sink has summed
  int64_t reached_ = INT64_MIN / 2;                    // the last bin that came, if its clock was right
  std::vector<Attempt> abandoned_;
  absl::Time retained_ = absl::InfinitePast();
  absl::Time purged_ = absl::InfinitePast();
};

}  // namespace

absl::StatusOr<std::unique_ptr<StoreSink>> NewClickhouseSink(ClickhouseOptions options) {
  if (absl::Status status = sql::SqlSink::Check("clickhouse", options); !status.ok()) return status;
  absl::StatusOr<std::unique_ptr<HttpConnection>> connection = HttpConnection::New(options.connection);
  if (!connection.ok()) return connection.status();
  auto sink = std::make_unique<Sink>(std::move(options), *std::move(connection));
  if (absl::Status status = sink->Start(); !status.ok()) return status;
  return sink;
}

}  // namespace flowacct::sink::clickhouse
