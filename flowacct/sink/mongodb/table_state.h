// What is known of a table and its rollups: one document of flowacct_tables, which is replaced as a whole, so that
// every change of what questions see is one change of one document, on any deployment.
//
// A batch is written under a number that was never used before. Its rows have that number, and questions leave out
// numbers above `committed`, and those in `abandoned`; the replacement that raises `committed` makes the batch's rows,
// what it added to rollups, how far these have come, and new columns visible at once. `writer` says who writes now, so
// that there is one at a time. Who finds a writer that has not moved for some time takes its place: the number is
// abandoned, and whatever that writer still does, it cannot commit, because the document's revision is another.
//
// Threads: any, as values. Errors: FailedPrecondition for a document that a newer program wrote.

#ifndef FLOWACCT_SINK_MONGODB_TABLE_STATE_H_
#define FLOWACCT_SINK_MONGODB_TABLE_STATE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/sink/mongodb/document.h"
#include "flowacct/sink/mongodb/mongodb_connection.h"
#include "flowacct/sink/sql/table_schema.h"

namespace flowacct::sink::mongodb {

using sql::Column;

inline constexpr char kTables[] = "flowacct_tables";
inline constexpr char kBatches[] = "flowacct_batches";
inline constexpr char kId[] = "_id";
inline constexpr char kBinStart[] = "bin_start";
inline constexpr char kBinEnd[] = "bin_end";
inline constexpr char kBatch[] = "batch";
// A number of a sum is kept below 2^53, which every MongoDB operator and shell takes for what it is; what is above, in
// units of 2^53, is in a field of this ending.
inline constexpr char kHighSuffix[] = "_2e53";
inline constexpr int kLowBits = 53;

struct TableState {
  struct Rollup {
    std::string name;
    int64_t bin_seconds = 0;
    int64_t rolled_until = 0;  // rows of the table whose bin begins before this are in it
    int64_t ttl_seconds = 0;   // 0: the server removes nothing by itself
  };
  struct Abandoned {
    int64_t number = 0;
    int64_t at_seconds = 0;  // when, by the clock of who took over
    bool removed = false;    // its rows, once
  };
  struct Writer {
    std::string token;  // of one sink
    int64_t number = 0;
  };
  // Bins of a collection that began before `until` are being removed: who asks leaves them out.
  struct Removal {
    std::string collection;
    int64_t until = 0;
  };

  std::string name;
  int64_t revision = 0;
  std::vector<Column> columns;    // keys, then values
  std::vector<std::string> wide;  // of sums: names of those that have passed 2^53
  int64_t bin_seconds = 0;
  int64_t committed = 0;
  int64_t ttl_seconds = 0;
  std::vector<Abandoned> abandoned;
  std::optional<Writer> writer;
  std::vector<Rollup> rollups;  // by rising length
  std::optional<Removal> removal;
  int64_t removals = 0;  // begun so far

  // The next number for a writer.
  int64_t NextNumber() const;
  bool IsCommitted(int64_t number) const;
  bool IsWide(const Column& column) const;
  const Rollup* FindRollup(absl::string_view collection) const;
  // Those of a rollup: what can be summed.
  std::vector<Column> RollupColumns() const;
  // Rows that count, by their number; `own` counts as well, though it is not committed.
  Document Visible(int64_t own = 0) const;
};

Document ToDocument(const TableState& state);
absl::StatusOr<TableState> FromDocument(const bson_t& document);

// Nothing: there is no such table.
absl::StatusOr<std::optional<TableState>> ReadState(MongodbConnection* connection, const std::string& table);
absl::StatusOr<std::vector<TableState>> ReadStates(MongodbConnection* connection);
// Replaces the document if it still has the state's revision, and raises that. False: another one was quicker.
absl::StatusOr<bool> ReplaceState(MongodbConnection* connection, TableState* state);

// _id of a row: 8 octets of the batch's number and 4 of the row's, so that a batch's rows are a range.
bson_oid_t RowId(int64_t number, uint32_t row);
// Rows of one number.
Document RowsOf(int64_t number);

// The columns for batches of `schema`. "$" and "." in names become "_"; names that are taken get a "_" at the end.
absl::StatusOr<std::vector<Column>> ColumnsOf(const aggregate::Schema& schema);
// InvalidArgument for what cannot be the name of a collection.
absl::Status CheckTableName(absl::string_view name);

}  // namespace flowacct::sink::mongodb

#endif  // FLOWACCT_SINK_MONGODB_TABLE_STATE_H_
