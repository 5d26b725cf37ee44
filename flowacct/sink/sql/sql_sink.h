// What the sinks of all SQL stores do: a transaction a batch, each batch once, tables made, checked and widened,
// rollups, retention. A store adds how rows get in and how old ones get out.
//
// Ownership: owns the connection. Threads: one call at a time. Errors: as the stores' sinks document.

#ifndef FLOWACCT_SINK_SQL_SQL_SINK_H_
#define FLOWACCT_SINK_SQL_SQL_SINK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/sink/sql/connection.h"
#include "flowacct/sink/sql/stored_rows.h"
#include "flowacct/sink/sql/table_schema.h"
#include "flowacct/sink/store_sink.h"

namespace flowacct::sink::sql {

// Where rows go: a table and those of its columns that the batch has.
struct RowTarget {
  std::string table;
  int64_t bin_start = 0, bin_end = 0;
  int64_t batch = 0;                 // id of flowacct_batches
  std::vector<std::string> columns;  // names, after bin_start, bin_end and batch
  std::vector<size_t> cells;         // of each column, which of StoredRows::ForEach
};

// What differs between stores beside their SQL.
class SqlWriter {
 public:
  virtual ~SqlWriter() = default;
  // Within a transaction. How many rows it wrote.
  virtual absl::StatusOr<uint64_t> InsertRows(const RowTarget& target, const aggregate::AggregateBatch& batch,
                                              StoredRows* rows) = 0;
  // The same of rows that are of no batch. Only for dialects whose groups are summed here.
  virtual absl::StatusOr<uint64_t> InsertSums(const RowTarget& target, RowSource* rows);
  // Makes a table that is not there, with what it needs (index, partitions), or what goes with one that has got other
  // columns (views). Within a transaction; of a table that is not `made`, half may be there, and nothing in it.
  virtual absl::Status Create(const TableSchema& table) = 0;
  virtual absl::Status Changed(const TableSchema& table) = 0;
  // Columns that the store has for itself, and what they are for rows that are selected into a bin: ", a, b" each.
  struct OwnColumns {
    std::string names, values;
  };
  virtual OwnColumns Own(const TableSchema& /*table*/, int64_t /*bin_start*/) { return {}; }
  // Before rows of a bin are written, within the transaction.
  virtual absl::Status Prepare(const TableSchema& table, int64_t bin_start) = 0;
  // The same of stores whose DDL ends transactions, when the tables of a batch are known: it ends the one that is
  // running if it makes anything, and says if it did.
  virtual absl::StatusOr<bool> MakeAhead(absl::Span<const TableSchema>, int64_t /*bin_start*/) { return false; }
  // Of such stores: from one to the other nobody else makes or widens tables. The first ends a transaction.
  virtual absl::Status BeginChange() { return absl::OkStatus(); }
  virtual void EndChange() {}
  // Removes bins that ended at `until` or before, a bounded number of rows or partitions, within a transaction, and
  // adds them to `rows` and `bins`. Says if there may be more.
  virtual absl::StatusOr<bool> Remove(const TableSchema& table, int64_t until, uint64_t* rows, uint64_t* bins) = 0;
};

class SqlSink {
 public:
  // `connection` and `writer` outlive it.
  SqlSink(const StoreOptions* options, Connection* connection, SqlWriter* writer)
      : options_(*options), connection_(*connection), writer_(*writer) {}

  // Of options that are wrong by themselves.
  static absl::Status Check(absl::string_view store, const StoreOptions& options);

  // Makes and checks the table of the options, if they name it and its schema.
  absl::Status Start();
  absl::Status Write(const aggregate::AggregateBatch& batch);
  // Removes what is too old, a bounded part of it. Called by Write now and then.
  absl::Status Retain(absl::Time now);
  // All of it, of the table of the options. NotFound if there is none.
  absl::Status RetainAll();
  // The same of one table, up to `until`, in a transaction of its own. Says if there may be more.
  absl::StatusOr<bool> Remove(const TableSchema& table, int64_t until);
  // The connection is another, or nothing is known of what the store has.
  void Forget() { tables_.clear(); }

  const StoreCounters& counters() const { return counters_; }
  std::string trouble() const { return trouble_; }
  // The table and its rollups, as they were at the last batch; empty before.
  absl::Span<const TableSchema> tables() const { return tables_; }

 private:
  absl::Status InTransaction(absl::FunctionRef<absl::Status()> work);
  absl::Status Open(absl::string_view table, const aggregate::Schema& schema, int64_t bin_seconds, int64_t bin_start);
  absl::Status EnsureAll(absl::string_view table, std::vector<TableSchema> all);
  absl::Status Ensure(TableSchema wanted, absl::Span<const TableSchema> known);
  absl::StatusOr<bool> Enter(const aggregate::AggregateBatch& batch, absl::string_view table, int64_t start,
                             int64_t end, int64_t* id);
  absl::Status WriteRows(const aggregate::AggregateBatch& batch, int64_t start, int64_t end, int64_t id,
                         StoreCounters* counted);
  absl::Status RollUp(size_t rollup, size_t source, int64_t bin_start, StoreCounters* counted);
  absl::Status SumBin(const TableSchema& rollup, const TableSchema& source, int64_t bin, StoreCounters* counted);
  absl::StatusOr<bool> SumBinHere(const TableSchema& rollup, const TableSchema& source, int64_t bin,
                                  StoreCounters* counted);
  RowTarget TargetOf(const TableSchema& table, int64_t start, int64_t end, int64_t id) const;

  const StoreOptions& options_;
  Connection& connection_;
  SqlWriter& writer_;
  StoreCounters counters_;
  std::string trouble_;

  bool catalog_ = false;
  std::string table_;                // whose tables_ these are
  std::vector<TableSchema> tables_;  // the table, then its rollups by length; empty: to be read
  std::string columns_text_;         // of the schema that tables_ were made fit for
  std::vector<Column> columns_;
  absl::Time retained_ = absl::InfinitePast();
};

}  // namespace flowacct::sink::sql

#endif  // FLOWACCT_SINK_SQL_SQL_SINK_H_
