#include "flowacct/sink/mongodb/mongodb_sink.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "flowacct/sink/mongodb/group_pipeline.h"
#include "flowacct/sink/mongodb/mongodb_connection.h"
#include "flowacct/sink/mongodb/row_writer.h"
#include "flowacct/sink/mongodb/table_state.h"
#include "flowacct/sink/sql/dialect.h"
#include "flowacct/sink/sql/group_select.h"
#include "flowacct/sink/sql/sql_sink.h"
#include "flowacct/sink/sql/stored_rows.h"

namespace flowacct::sink::mongodb {
namespace {

using aggregate::Function;
using sql::Cell;
using sql::FloorTo;

constexpr int64_t kNanos = 1000000000;
// Of a rollup that is far behind, so many bins a batch: the batch is not to wait for all of them.
constexpr int kBinsAtOnce = 8;
// Retention looks so often, and takes so many bins of each table away then.
constexpr absl::Duration kRetainEvery = absl::Seconds(10);
constexpr int64_t kRetainBins = 16;
// Identities of batches are kept so much longer than their rows, for spools that were full.
constexpr absl::Duration kIdentityRetention = absl::Hours(24 * 7);
// Numbers of attempts that failed are remembered so long: until then nothing that they sent can still be under way.
constexpr int64_t kAbandonedSeconds = 86400;
// The server removes by itself what ours should have removed so long ago; it knows nothing of bins.
constexpr int64_t kTtlGrace = 86400;
constexpr int64_t kLongestTtl = INT32_MAX;
constexpr char kIndex[] = "bin_start";

int64_t WholeSeconds(absl::Duration duration) { return absl::ToInt64Seconds(duration); }

std::string NewToken() {
  std::random_device random;
  return absl::StrCat(absl::Hex(random(), absl::kZeroPad8), absl::Hex(random(), absl::kZeroPad8), "-", getpid());
}

class Sink : public StoreSink {
 public:
  Sink(MongodbOptions options, std::unique_ptr<MongodbConnection> connection)
      : options_(std::move(options)), connection_(std::move(connection)), token_(NewToken()) {}

  absl::Status Start();
  absl::Status Write(const aggregate::AggregateBatch& batch) override;
  absl::Status Retain() override;
  absl::Status Close() override { return absl::OkStatus(); }
  const StoreCounters& counters() const override { return counters_; }
  std::string trouble() const override {
    return sharding_trouble_.empty() ? trouble_
                                     : absl::StrCat(sharding_trouble_, trouble_.empty() ? "" : "; ", trouble_);
  }

 private:
  // A collection's length of bins, how far a rollup has come, and how long it is kept.
  struct Keeping {
    std::string collection;
    int64_t bin_seconds;
    int64_t rolled_until;  // by the rollups made of it: what is later stays
    absl::Duration retention;
    bool ours;    // whether these options say how long
    bool source;  // whether a rollup is made of it
  };

  // Has the table for itself, does the work, and makes what it changed in next_ visible if `commit` is set to true by
  // it, with the rows of number_ if `rows` is.
  struct Outcome {
    bool commit = false;
    bool rows = false;
  };
  absl::Status Exclusively(const std::string& table, absl::FunctionRef<absl::Status(Outcome*)> work);
  absl::Status Lock(const std::string& table);
  // Says that we live; Unavailable if another took over.
  absl::Status Beat();
  absl::Status Hold();
  void Release();

  absl::Status Create(const std::string& table);
  absl::Status CheckForeign(const std::string& collection);
  absl::Status CleanUp();
  absl::Status Open(const aggregate::Schema& schema, int64_t bin_seconds);
  absl::Status FitColumns(const std::vector<Column>& wanted);
  absl::Status FitRollups();
  absl::Status FitIndexes();
  absl::Status SetTtl(const Keeping& keeping, int64_t* ttl_seconds);
  void Shard(const std::string& collection);

  absl::Status WriteLocked(const aggregate::AggregateBatch& batch, int64_t start, int64_t end, Outcome* outcome,
                           StoreCounters* counted);
  absl::Status InsertBatch(const aggregate::AggregateBatch& batch, const std::string& collection, bool rollup,
                           int64_t start, int64_t end, sql::StoredRows* rows, uint64_t* written);
  absl::Status RollUp(size_t rollup, int64_t bin_start, StoreCounters* counted);
  absl::Status SumBin(const TableState::Rollup& rollup, const std::string& source, int64_t bin, StoreCounters* counted);

  std::vector<Keeping> KeepingOf(const TableState& state) const;
  // Takes old bins away; `all`: to the end.
  absl::Status RetainTable(const std::string& table, bool all);
  absl::Status Remove(const Keeping& keeping, int64_t until, bool all);
  absl::Status RemoveBins(const TableState::Removal& removal, uint64_t* bins);
  // Of those that begin before a time.
  absl::StatusOr<std::optional<int64_t>> FirstBin(const std::string& collection, int64_t before);

  int64_t Now() const { return absl::ToUnixSeconds(options_.now()); }

  const MongodbOptions options_;
  const std::unique_ptr<MongodbConnection> connection_;
  const std::string token_;
  StoreCounters counters_;
  std::string trouble_, sharding_trouble_;
  absl::Time retained_ = absl::InfinitePast();

  // While the table is ours: as it is in the store, and as it is to be.
  TableState held_, next_;
  int64_t number_ = 0;
  absl::Time beaten_;
  std::map<std::string, uint32_t> rows_of_;  // of number_, rows that are in a collection
  std::string fitted_;                       // the table, columns and rollups that indexes were made for
};

absl::Status Lost() {
  return absl::UnavailableError(
      "mongodb: another writer took this table over, because we had not moved for writer_timeout; write the batch "
      "again");
}

absl::Status Sink::Lock(const std::string& table) {
  const absl::Time give_up = absl::Now() + options_.connection.timeout + options_.writer_timeout;
  int64_t seen = -1;
  absl::Time since = absl::Now();
  absl::Duration pause = absl::Milliseconds(2);
  for (;;) {
    absl::StatusOr<std::optional<TableState>> found = ReadState(connection_.get(), table);
    if (!found.ok()) return found.status();
    if (!*found) {
      if (absl::Status status = Create(table); !status.ok()) return status;
      continue;
    }
    held_ = **std::move(found);
    const absl::Time now = absl::Now();
    if (held_.revision != seen) {
      seen = held_.revision;
      since = now;
    }
    if (!held_.writer || held_.writer->token == token_ || now - since >= options_.writer_timeout) {
      number_ = held_.NextNumber();
      if (held_.writer) held_.abandoned.push_back({held_.writer->number, Now(), false});
      held_.writer = {token_, number_};
      const absl::StatusOr<bool> ours = ReplaceState(connection_.get(), &held_);
      if (!ours.ok()) return ours.status();
      if (*ours) {
        next_ = held_;
        beaten_ = absl::Now();
        rows_of_.clear();
        return absl::OkStatus();
      }
      continue;
    }
    if (now > give_up) {
      return absl::UnavailableError(
          absl::StrCat("mongodb: table \"", table, "\" is being written by others all the time; try again later"));
    }
    absl::SleepFor(pause);
    pause = std::min(pause * 2, absl::Milliseconds(50));
  }
}

absl::Status Sink::Hold() {
  const absl::StatusOr<bool> ours = ReplaceState(connection_.get(), &held_);
  if (!ours.ok()) return ours.status();
  if (!*ours) return Lost();
  next_.revision = held_.revision;
  beaten_ = absl::Now();
  return absl::OkStatus();
}

absl::Status Sink::Beat() { return absl::Now() - beaten_ < options_.writer_timeout / 4 ? absl::OkStatus() : Hold(); }

// After a failure that is not the connection's: so that others need not wait. Whatever was written stays unseen.
void Sink::Release() {
  held_.writer.reset();
  held_.abandoned.push_back({number_, Now(), false});
  (void)ReplaceState(connection_.get(), &held_);
}

absl::Status Sink::Exclusively(const std::string& table, absl::FunctionRef<absl::Status(Outcome*)> work) {
  if (absl::Status status = Lock(table); !status.ok()) return status;
  Outcome outcome;
  absl::Status status = CleanUp();
  if (status.ok()) status = work(&outcome);
  if (!status.ok()) {
    if (!absl::IsUnavailable(status)) Release();
    return status;
  }
  TableState& state = outcome.commit ? next_ : held_;
  state.writer.reset();
  if (outcome.rows) state.committed = number_;
  const absl::StatusOr<bool> ours = ReplaceState(connection_.get(), &state);
  if (!ours.ok()) return ours.status();
  return *ours ? absl::OkStatus() : Lost();
}

absl::Status Sink::CheckForeign(const std::string& collection) {
  const auto found = connection_->FindOne(collection, Document());
  if (!found.ok()) return found.status();
  if (!*found) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("mongodb: there is a collection \"", collection,
                   "\" that is not in flowacct_tables; choose another name, or rename it: db.getCollection(\"",
                   collection, "\").renameCollection(\"", collection, "_old\")"));
}

absl::Status Sink::Create(const std::string& table) {
  if (absl::Status status = CheckForeign(table); !status.ok()) return status;
  TableState state;
  state.name = table;
  return connection_->Insert(kTables, ToDocument(state)).status();  // or another one was quicker
}

// What attempts left that failed, and a removal that was cut off.
absl::Status Sink::CleanUp() {
  std::vector<std::string> collections = {next_.name};
  for (const TableState::Rollup& rollup : next_.rollups) collections.push_back(rollup.name);
  const int64_t old = Now() - kAbandonedSeconds;
  for (TableState::Abandoned& a : next_.abandoned) {
    if (a.removed && a.at_seconds >= old) continue;
    for (const std::string& collection : collections) {
      if (auto removed = connection_->DeleteMany(collection, RowsOf(a.number)); !removed.ok()) return removed.status();
    }
    const Document half = Document().Add("table", Document().Text("$eq", next_.name)).Integer(kBatch, a.number);
    if (auto removed = connection_->DeleteMany(kBatches, half); !removed.ok()) return removed.status();
    a.removed = true;
    if (absl::Status status = Beat(); !status.ok()) return status;
  }
  // Those above `committed` would be given out again.
  const auto forgotten = [&](const TableState::Abandoned& a) {
    return a.at_seconds < old && a.number < next_.committed;
  };
  next_.abandoned.erase(std::remove_if(next_.abandoned.begin(), next_.abandoned.end(), forgotten),
                        next_.abandoned.end());
  if (!next_.removal) return absl::OkStatus();
  if (absl::Status status = RemoveBins(*next_.removal, &counters_.bins_removed); !status.ok()) return status;
  next_.removal.reset();
  held_.removal.reset();
  return Hold();
}

absl::Status Sink::FitColumns(const std::vector<Column>& wanted) {
  for (const Column& column : wanted) {
    const auto there = std::find_if(next_.columns.begin(), next_.columns.end(),
                                    [&](const Column& c) { return absl::EqualsIgnoreCase(c.name, column.name); });
    if (there == next_.columns.end()) {
      next_.columns.push_back(column);  // old rows have nothing there: not told
    } else if (!(*there == column)) {
      return absl::FailedPreconditionError(absl::StrCat(
          "mongodb: field \"", there->name, "\" of table \"", next_.name, "\" stands for ",
          record::Info(there->field).name, there->key ? " as a key" : " as a value",
          ", and for something else in what is written now; write into another table, or call the field otherwise"));
    }
  }
  std::stable_partition(next_.columns.begin(), next_.columns.end(), [](const Column& c) { return c.key; });
  return absl::OkStatus();
}

absl::Status Sink::FitRollups() {
  for (const Rollup& rollup : options_.rollups) {
    if (next_.bin_seconds == 0 || rollup.bin_seconds % next_.bin_seconds != 0 ||
        rollup.bin_seconds == next_.bin_seconds) {
      return absl::InvalidArgumentError(absl::StrCat("mongodb: rollup of ", rollup.bin_seconds, " s of table \"",
                                                     next_.name, "\": its bins of ", next_.bin_seconds,
                                                     " s do not make up such; use a multiple"));
    }
    const std::string name = sql::RollupName(next_.name, rollup.bin_seconds);
    if (next_.FindRollup(name) != nullptr) continue;
    if (absl::Status status = CheckTableName(name); !status.ok()) return status;
    if (absl::Status status = CheckForeign(name); !status.ok()) return status;
    next_.rollups.push_back({name, rollup.bin_seconds, INT64_MIN / 2, 0});  // before all
  }
  std::sort(next_.rollups.begin(), next_.rollups.end(),
            [](const auto& a, const auto& b) { return a.bin_seconds < b.bin_seconds; });
  return absl::OkStatus();
}

std::vector<Sink::Keeping> Sink::KeepingOf(const TableState& state) const {
  std::vector<Keeping> all = {
      {state.name, state.bin_seconds, INT64_MAX, options_.retention, true, !state.rollups.empty()}};
  for (const TableState::Rollup& rollup : state.rollups) {
    Keeping keeping{rollup.name, rollup.bin_seconds, INT64_MAX, absl::InfiniteDuration(), false, false};
    for (const Rollup& configured : options_.rollups) {
      if (configured.bin_seconds != rollup.bin_seconds) continue;
      keeping.retention = configured.retention;
      keeping.ours = true;
    }
    all.push_back(std::move(keeping));
  }
  // Each rollup is made of the table or of another rollup, and what is not summed yet stays.
  for (Keeping& keeping : all) {
    for (const TableState::Rollup& other : state.rollups) {
      if (other.bin_seconds <= keeping.bin_seconds) continue;
      keeping.rolled_until = std::min(keeping.rolled_until, other.rolled_until);
      keeping.source = true;
    }
  }
  return all;
}

// The server may only remove by itself what no rollup is made of.
absl::Status Sink::SetTtl(const Keeping& keeping, int64_t* ttl_seconds) {
  int64_t wanted = 0;
  if (options_.ttl_index && keeping.retention < absl::Seconds(kLongestTtl) && !keeping.source &&
      keeping.bin_seconds != 0) {
    wanted = WholeSeconds(keeping.retention) + keeping.bin_seconds + kTtlGrace;
    if (wanted > kLongestTtl) wanted = 0;
  }
  if (!keeping.ours) wanted = *ttl_seconds;
  Document index = Document().Add("key", Document().Integer(kBinStart, 1)).Text("name", kIndex);
  const bool changes = wanted != *ttl_seconds;
  if (wanted != 0) {
    // Questions are to know before the server begins.
    *ttl_seconds = wanted;
    if (absl::Status status = Hold(); !status.ok()) return status;
    index.Integer("expireAfterSeconds", wanted);
  }
  const absl::Status made =
      connection_->Command(Document().Text("createIndexes", keeping.collection).List("indexes", {index}));
  if (absl::IsUnavailable(made) || absl::IsPermissionDenied(made)) return made;
  if (made.ok() && !changes) return absl::OkStatus();
  // It may be there with another time, which old servers do not give to an index that had none.
  const absl::Status changed = connection_->Command(
      Document()
          .Text("collMod", keeping.collection)
          .Add("index",
               Document().Text("name", kIndex).Integer("expireAfterSeconds", wanted == 0 ? kLongestTtl : wanted)));
  if (!changed.ok() && !made.ok()) return absl::IsUnavailable(changed) ? changed : made;
  if (!changed.ok() && (wanted == 0 || absl::IsUnavailable(changed))) return changed;
  if (wanted == 0) *ttl_seconds = 0;
  return absl::OkStatus();
}

void Sink::Shard(const std::string& collection) {
  const std::string& database = connection_->options().database;
  (void)connection_->Command(Document().Text("enableSharding", database), "admin");  // needless since 6.0
  const absl::Status status = connection_->Command(Document()
                                                       .Text("shardCollection", absl::StrCat(database, ".", collection))
                                                       .Add("key", Document().Text(kId, "hashed")),
                                                   "admin");
  if (status.ok()) return;
  sharding_trouble_ = absl::StrCat("collection \"", collection, "\" is on one shard (", status.message(),
                                   "); as an administrator: sh.shardCollection(\"", database, ".", collection,
                                   "\", {_id: \"hashed\"})");
}

absl::Status Sink::FitIndexes() {
  const std::string fitted = absl::StrCat(next_.name, "\n", next_.rollups.size());
  if (fitted == fitted_) return absl::OkStatus();
  absl::StatusOr<MongodbConnection::Deployment> deployment = connection_->Ask();
  if (!deployment.ok()) return deployment.status();
  const Document batches =
      Document().Add("key", Document().Integer("table", 1).Integer("written_at", 1)).Text("name", "table_written_at");
  if (absl::Status status = connection_->Command(Document().Text("createIndexes", kBatches).List("indexes", {batches}));
      !status.ok()) {
    return status;
  }
  // Rollups that are new here are known to the store before anything is done to their collections.
  held_.rollups = next_.rollups;
  held_.bin_seconds = next_.bin_seconds;
  held_.columns = next_.columns;
  sharding_trouble_.clear();
  for (const Keeping& keeping : KeepingOf(next_)) {
    if (*deployment == MongodbConnection::Deployment::kSharded) Shard(keeping.collection);
    int64_t* ttl = &held_.ttl_seconds;
    for (TableState::Rollup& rollup : held_.rollups) {
      if (rollup.name == keeping.collection) ttl = &rollup.ttl_seconds;
    }
    if (absl::Status status = SetTtl(keeping, ttl); !status.ok()) return status;
  }
  if (absl::Status status = Hold(); !status.ok()) return status;
  next_.rollups = held_.rollups;
  next_.ttl_seconds = held_.ttl_seconds;
  fitted_ = fitted;
  return absl::OkStatus();
}

absl::Status Sink::Open(const aggregate::Schema& schema, int64_t bin_seconds) {
  absl::StatusOr<std::vector<Column>> columns = ColumnsOf(schema);
  if (!columns.ok()) return columns.status();
  if (next_.bin_seconds == 0) next_.bin_seconds = bin_seconds;
  if (absl::Status status = FitColumns(*columns); !status.ok()) return status;
  if (absl::Status status = FitRollups(); !status.ok()) return status;
  return FitIndexes();
}

absl::Status Sink::Start() {
  if (options_.table.empty() || options_.schema == nullptr) return absl::OkStatus();
  return Exclusively(options_.table, [&](Outcome* outcome) {
    outcome->commit = true;
    return Open(*options_.schema, options_.bin_seconds);
  });
}

Document IdentityOf(const std::string& table, const aggregate::BatchIdentity& identity) {
  return Document()
      .Text("table", table)
      .Text("collector", sql::Storable(identity.collector))
      .Integer("run", static_cast<int64_t>(identity.run))
      .Text("pipeline", sql::Storable(identity.pipeline))
      .Integer("number", static_cast<int64_t>(identity.number));
}

absl::Status Sink::Write(const aggregate::AggregateBatch& batch) {
  const std::string& table = options_.table.empty() ? batch.identity().pipeline : options_.table;
  if (table.empty()) {
    return absl::InvalidArgumentError("mongodb: the batch names no pipeline; set the table that it goes into");
  }
  if (absl::Status status = CheckTableName(table); !status.ok()) return status;
  // The bin in whole seconds.
  const int64_t start = FloorTo(batch.bin().start_nanos, kNanos) / kNanos;
  const int64_t end = (FloorTo(batch.bin().end_nanos - 1, kNanos) + kNanos) / kNanos;
  StoreCounters counted;
  absl::Status status =
      Exclusively(table, [&](Outcome* outcome) { return WriteLocked(batch, start, end, outcome, &counted); });
  if (!status.ok()) return status;
  counters_.batches += counted.batches;
  counters_.batches_skipped += counted.batches_skipped;
  counters_.rows += counted.rows;
  counters_.rollup_rows += counted.rollup_rows;
  const absl::Time now = options_.now();
  if (now - retained_ >= kRetainEvery || now < retained_) {
    retained_ = now;
    // The batch is in; that something old could not be removed is told apart.
    const absl::Status retained = RetainTable(table, /*all=*/false);
    trouble_ = retained.ok() ? "" : std::string(retained.message());
  }
  return absl::OkStatus();
}

absl::Status Sink::WriteLocked(const aggregate::AggregateBatch& batch, int64_t start, int64_t end, Outcome* outcome,
                               StoreCounters* counted) {
  const aggregate::BatchIdentity& identity = batch.identity();
  Document known;  // _id of the batch
  std::optional<int64_t> attempt;
  if (identity.number != 0) {
    known = Document().Add(kId, IdentityOf(next_.name, identity));
    const auto found =
        connection_->FindOne(kBatches, Document().Add(kId, Document().Add("$eq", IdentityOf(next_.name, identity))));
    if (!found.ok()) return found.status();
    if (*found) attempt = IntegerOf(*(*found)->get(), kBatch).value_or(0);
    if (attempt && held_.IsCommitted(*attempt)) {
      ++counted->batches_skipped;
      return absl::OkStatus();
    }
  } else {
    bson_oid_t id;
    bson_oid_init(&id, nullptr);
    known = Document().Id(kId, id);
  }
  if (absl::Status status = Open(batch.schema(), options_.bin_seconds > 0 ? options_.bin_seconds : end - start);
      !status.ok()) {
    return status;
  }

  sql::StoredRows rows(batch.schema());
  uint64_t written = 0;
  if (absl::Status status = InsertBatch(batch, next_.name, false, start, end, &rows, &written); !status.ok()) {
    return status;
  }
  counted->rows += written;
  for (size_t i = 0; end != start && i < next_.rollups.size(); ++i) {
    const TableState::Rollup& rollup = next_.rollups[i];
    if (start < rollup.rolled_until) {  // that bin has been summed: this is added to it
      const int64_t bin = FloorTo(start, rollup.bin_seconds);
      written = 0;
      absl::Status status = InsertBatch(batch, rollup.name, true, bin, bin + rollup.bin_seconds, &rows, &written);
      if (!status.ok()) return status;
      counted->rollup_rows += written;
    }
    if (absl::Status status = RollUp(i, start, counted); !status.ok()) return status;
  }

  Document document = known;
  document.Text("table", next_.name)
      .Integer(kBatch, number_)
      .Seconds(kBinStart, start)
      .Seconds(kBinEnd, end)
      .Integer("row_count", static_cast<int64_t>(batch.size()))
      .Bool("incomplete", batch.incomplete())
      .Bool("correction", batch.correction())
      .Seconds("written_at", Now());
  if (attempt) {  // of an attempt that failed
    const Document earlier =
        Document().Add(kId, Document().Add("$eq", IdentityOf(next_.name, identity))).Integer(kBatch, *attempt);
    const absl::StatusOr<bool> replaced = connection_->Replace(kBatches, earlier, document);
    if (!replaced.ok()) return replaced.status();
    attempt.reset();
    if (*replaced) {
      attempt = number_;
    }
  }
  if (!attempt) {
    const absl::StatusOr<bool> inserted = connection_->Insert(kBatches, document);
    if (!inserted.ok()) return inserted.status();
    if (!*inserted) return Lost();
  }
  outcome->commit = outcome->rows = true;
  ++counted->batches;
  return absl::OkStatus();
}

absl::Status Sink::InsertBatch(const aggregate::AggregateBatch& batch, const std::string& collection, bool rollup,
                               int64_t start, int64_t end, sql::StoredRows* rows, uint64_t* written) {
  absl::StatusOr<std::vector<Column>> columns = ColumnsOf(batch.schema());
  if (!columns.ok()) return columns.status();
  RowWriter writer(connection_.get(), options_.rows_a_message, [this] { return Beat(); });
  uint32_t& there = rows_of_[collection];
  writer.Begin(collection, number_, there);
  absl::Status status = rows->ForEach(batch, [&](absl::Span<const Cell> cells) -> absl::Status {
    if (absl::Status added = writer.Add(start, end); !added.ok()) return added;
    for (size_t i = 0; i < cells.size(); ++i) {
      const Column& column = (*columns)[i];
      const Cell& cell = cells[i];
      if (rollup && !column.key && !column.summable()) continue;
      if (!column.key && column.function == Function::kSum) {
        writer.Sum(column.name, static_cast<uint64_t>(cell.integer));
      } else if (cell.kind == Cell::Kind::kInteger) {
        writer.Integer(column.name, cell.integer);
      } else if (cell.kind == Cell::Kind::kOctets) {
        writer.Octets(column.name, cell.octets);
      } else if (cell.kind == Cell::Kind::kText) {
        writer.Text(column.name, cell.octets);
      }
    }
    return absl::OkStatus();
  });
  if (status.ok()) status = writer.Finish();
  if (!status.ok()) return status;
  for (const std::string& name : writer.wide()) {
    if (std::find(next_.wide.begin(), next_.wide.end(), name) == next_.wide.end()) next_.wide.push_back(name);
  }
  *written = writer.rows() - there;
  there = writer.rows();
  return absl::OkStatus();
}

// Sums the bins of a rollup that are over: before the one that `bin_start` is in.
absl::Status Sink::RollUp(size_t index, int64_t bin_start, StoreCounters* counted) {
  TableState::Rollup& rollup = next_.rollups[index];
  const int64_t length = rollup.bin_seconds;
  // Of the longest of the shorter rollups that it is a multiple of, else of the table itself.
  const TableState::Rollup* source = nullptr;
  for (size_t j = 0; j < index; ++j) {
    if (length % next_.rollups[j].bin_seconds == 0) source = &next_.rollups[j];
  }
  const std::string& from = source == nullptr ? next_.name : source->name;
  // An exporter whose clock is ahead does not end bins that others still fill.
  int64_t target = FloorTo(std::min(bin_start, Now()), length);
  if (source != nullptr) target = std::min(target, FloorTo(source->rolled_until, length));
  for (int i = 0; rollup.rolled_until < target && i < kBinsAtOnce; ++i) {
    Document bins = Document().Seconds("$lt", target);
    if (rollup.rolled_until > INT64_MIN / 1000) bins.Seconds("$gte", rollup.rolled_until);
    const Document filter = Document().Add(kBatch, next_.Visible(number_)).Add(kBinStart, bins);
    const Document options = Document()
                                 .Add("sort", Document().Integer(kBinStart, 1))
                                 .Integer("limit", 1)
                                 .Add("projection", Document().Integer(kBinStart, 1));
    int64_t next = target;
    absl::Status status = connection_->Find(from, filter, options, [&](const bson_t& document) {
      next = FloorTo(SecondsOf(document, kBinStart).value_or(target), length);
      return false;
    });
    if (!status.ok()) return status;
    if (next < target) {
      if (status = SumBin(rollup, from, next, counted); !status.ok()) return status;
      next += length;
    }
    rollup.rolled_until = next;
  }
  return absl::OkStatus();
}

absl::Status Sink::SumBin(const TableState::Rollup& rollup, const std::string& source, int64_t bin,
                          StoreCounters* counted) {
  PipelineRequest request;
  request.batches = next_.Visible(number_);
  request.from_seconds = bin;
  request.to_seconds = bin + rollup.bin_seconds;
  for (const Column& column : next_.columns) {
    if (column.key) request.by.push_back(&column);
    if (!column.summable()) continue;
    request.values.push_back(&column);
    request.wide.push_back(next_.IsWide(column));
  }
  RowWriter writer(connection_.get(), options_.rows_a_message, [this] { return Beat(); });
  uint32_t& there = rows_of_[rollup.name];
  writer.Begin(rollup.name, number_, there);
  PipelineRow row(request);
  absl::Status wrong;
  absl::Status status = connection_->Aggregate(source, StagesOf(request), [&](const bson_t& document) {
    wrong = ReadRow(request, document, &row);
    if (wrong.ok()) wrong = writer.Add(bin, bin + rollup.bin_seconds);
    if (!wrong.ok()) return false;
    for (size_t i = 0; i < request.by.size(); ++i) {
      const record::StoredValue& value = row.group[i];
      const std::string& name = request.by[i]->name;
      if (!value.present) continue;
      switch (request.by[i]->form()) {
        case record::StoredForm::kInteger:
          writer.Integer(name, value.integer);
          break;
        case record::StoredForm::kOctets:
          writer.Octets(name, value.octets);
          break;
        case record::StoredForm::kText:
          writer.Text(name, value.octets);
      }
    }
    for (size_t i = 0; i < request.values.size(); ++i) {
      if (request.values[i]->function == Function::kSum) {
        writer.Sum(request.values[i]->name, row.values[i]);
      } else if (row.present[i]) {
        writer.Integer(request.values[i]->name, static_cast<int64_t>(absl::Uint128Low64(row.values[i])));
      }
    }
    return true;
  });
  if (status.ok()) status = wrong;
  if (status.ok()) status = writer.Finish();
  if (!status.ok()) return status;
  for (const std::string& name : writer.wide()) {
    if (std::find(next_.wide.begin(), next_.wide.end(), name) == next_.wide.end()) next_.wide.push_back(name);
  }
  counted->rollup_rows += writer.rows() - there;
  there = writer.rows();
  return absl::OkStatus();
}

absl::Status Sink::Retain() {
  const absl::StatusOr<std::optional<TableState>> found = ReadState(connection_.get(), options_.table);
  if (!found.ok()) return found.status();
  if (options_.table.empty() || !*found) {
    return absl::NotFoundError(absl::StrCat("mongodb: there is no table \"", options_.table, "\""));
  }
  return RetainTable(options_.table, /*all=*/true);
}

absl::Status Sink::RetainTable(const std::string& table, bool all) {
  absl::Duration longest = options_.retention, shortest = options_.retention;
  for (const Rollup& rollup : options_.rollups) {
    longest = std::max(longest, rollup.retention);
    shortest = std::min(shortest, rollup.retention);
  }
  if (shortest == absl::InfiniteDuration()) return absl::OkStatus();
  return Exclusively(table, [&](Outcome* outcome) -> absl::Status {
    outcome->commit = true;
    for (const Keeping& keeping : KeepingOf(next_)) {
      if (keeping.retention == absl::InfiniteDuration() || keeping.bin_seconds == 0) continue;
      const int64_t until = std::min(absl::ToUnixSeconds(options_.now() - keeping.retention), keeping.rolled_until);
      if (absl::Status status = Remove(keeping, until, all); !status.ok()) return status;
    }
    for (const TableState::Rollup& rollup : next_.rollups) {  // another's, which is kept for ever
      if (std::none_of(options_.rollups.begin(), options_.rollups.end(),
                       [&](const Rollup& r) { return r.bin_seconds == rollup.bin_seconds; })) {
        longest = absl::InfiniteDuration();
      }
    }
    if (longest == absl::InfiniteDuration()) return absl::OkStatus();
    const int64_t until = absl::ToUnixSeconds(options_.now() - longest - kIdentityRetention);
    return connection_
        ->DeleteMany(
            kBatches,
            Document().Add("table", Document().Text("$eq", table)).Add("written_at", Document().Seconds("$lt", until)))
        .status();
  });
}

absl::StatusOr<std::optional<int64_t>> Sink::FirstBin(const std::string& collection, int64_t before) {
  const Document filter = Document().Add(kBinStart, Document().Seconds("$lt", before));
  const Document options = Document()
                               .Add("sort", Document().Integer(kBinStart, 1))
                               .Integer("limit", 1)
                               .Add("projection", Document().Integer(kBinStart, 1));
  std::optional<int64_t> first;
  absl::Status status = connection_->Find(collection, filter, options, [&](const bson_t& document) {
    first = SecondsOf(document, kBinStart);
    return false;
  });
  if (!status.ok()) return status;
  return first;
}

// One bin after another, so that no removal takes longer than the server may.
absl::Status Sink::RemoveBins(const TableState::Removal& removal, uint64_t* bins) {
  for (;;) {
    const absl::StatusOr<std::optional<int64_t>> first = FirstBin(removal.collection, removal.until);
    if (!first.ok()) return first.status();
    if (!*first) return absl::OkStatus();
    const absl::StatusOr<uint64_t> rows =
        connection_->DeleteMany(removal.collection, Document().Add(kBinStart, Document().Seconds("$lt", **first + 1)));
    if (!rows.ok()) return rows.status();
    counters_.rows_removed += *rows;
    ++*bins;
    if (absl::Status status = Beat(); !status.ok()) return status;
  }
}

// Bins that ended at `until` or before.
absl::Status Sink::Remove(const Keeping& keeping, int64_t until, bool all) {
  const int64_t last = until - keeping.bin_seconds + 1;  // bins that begin before this
  const absl::StatusOr<std::optional<int64_t>> first = FirstBin(keeping.collection, last);
  if (!first.ok()) return first.status();
  if (!*first) return absl::OkStatus();
  const int64_t cut = all ? last : std::min(last, **first + kRetainBins * keeping.bin_seconds);
  // Questions leave these bins out from here on, and those that are being answered begin anew.
  held_.removal = TableState::Removal{keeping.collection, cut};
  ++held_.removals;
  next_.removals = held_.removals;
  if (absl::Status status = Hold(); !status.ok()) return status;
  if (absl::Status status = RemoveBins(*held_.removal, &counters_.bins_removed); !status.ok()) return status;
  held_.removal.reset();
  return Hold();
}

}  // namespace

absl::StatusOr<std::unique_ptr<StoreSink>> NewMongodbSink(MongodbOptions options) {
  if (absl::Status status = sql::SqlSink::Check("mongodb", options); !status.ok()) return status;
  if (!options.table.empty()) {
    if (absl::Status status = CheckTableName(options.table); !status.ok()) return status;
  }
  if (options.writer_timeout <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError("mongodb: writer_timeout: a time above zero");
  }
  if (options.rows_a_message == 0 || options.rows_a_message > 100000) {
    return absl::InvalidArgumentError("mongodb: rows_a_message: 1 to 100,000");
  }
  absl::StatusOr<std::unique_ptr<MongodbConnection>> connection = MongodbConnection::New(options.connection);
  if (!connection.ok()) return connection.status();
  auto sink = std::make_unique<Sink>(std::move(options), *std::move(connection));
  if (absl::Status status = sink->Start(); !status.ok()) return status;
  return sink;
}

}  // namespace flowacct::sink::mongodb
