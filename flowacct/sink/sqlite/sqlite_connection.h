// A SQLite database as a sql::Connection: opened safely, with the functions that questions need, errors as Status.
//
// Ownership: owns the database handle and its statements. Threads: one call at a time.
// Errors: as connection.h has them.

#ifndef FLOWACCT_SINK_SQLITE_SQLITE_CONNECTION_H_
#define FLOWACCT_SINK_SQLITE_SQLITE_CONNECTION_H_

#include <sqlite3.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "flowacct/filter/program.h"
#include "flowacct/filter/route_pattern.h"
#include "flowacct/sink/sql/connection.h"
#include "flowacct/sink/sql/dialect.h"
#include "flowacct/sink/sql/statement.h"

namespace flowacct::sink::sqlite {

struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using PreparedStatement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

class SqliteConnection : public sql::Connection {
 public:
  static absl::StatusOr<std::unique_ptr<SqliteConnection>> Open(const std::string& path, bool writes,
                                                                absl::Duration busy_timeout);

  const sql::Dialect& dialect() const override { return dialect_; }
  void set_groups_in_memory(size_t groups) { dialect_.groups_in_memory = groups; }
  absl::Status Query(const sql::Statement& statement,
                     absl::FunctionRef<bool(absl::Span<const sql::Cell>)> tell) override;
  absl::StatusOr<uint64_t> Execute(const sql::Statement& statement) override;
  absl::Status Begin(bool writes) override;
  absl::Status Commit() override;
  void Rollback() override;
  absl::StatusOr<std::vector<sql::ExistingColumn>> Columns(absl::string_view table) override;

  absl::Status Run(absl::string_view sql);
  // Turns the file's journal into a WAL, if it is none. SQLite needs the file for itself then and waits for nobody:
  // another that opens the same new file makes it busy at once. Here it is asked again, until `busy_timeout` is over.
  absl::Status UseWal();
  absl::StatusOr<int64_t> Number(absl::string_view sql);
  absl::StatusOr<PreparedStatement> Prepare(absl::string_view sql);
  // Rows that the last statement wrote, changed or removed.
  uint64_t changed() const { return static_cast<uint64_t>(sqlite3_changes64(database_.get())); }
  sqlite3* database() const { return database_.get(); }
  // What the last call's error is, as a Status.
  absl::Status Error(int code, absl::string_view doing) const;

  // What flowacct_route asks; null: none. Borrowed.
  void set_program(const filter::Program* program);
  // A statement ends soon, with Cancelled, once it is set; null: never. Borrowed.
  void set_stop(const std::atomic<bool>* stop);

 private:
  struct CloseDatabase {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  };
  struct Routes {
    const filter::Program* program = nullptr;
    // What texts were found to be, by condition: -1 nothing to ask, 0, 1.
    std::vector<absl::flat_hash_map<std::string, int8_t>> answers;
    filter::RoutePattern::Scratch scratch;
  };

  SqliteConnection() = default;
  absl::Status AddFunctions();
  static void RouteFunction(sqlite3_context* context, int count, sqlite3_value** values);
  static void NetworkFunction(sqlite3_context* context, int count, sqlite3_value** values);

  std::string path_;
  int busy_milliseconds_ = 0;
  sql::Dialect dialect_ = sql::kSqlite;
  std::unique_ptr<sqlite3, CloseDatabase> database_;
  Routes routes_;
};

}  // namespace flowacct::sink::sqlite

#endif  // FLOWACCT_SINK_SQLITE_SQLITE_CONNECTION_H_
