// A MariaDB or MySQL server as a sql::Connection, over libmariadb with time limits on all that it waits for.
//
// Standard: MariaDB's client/server protocol; MariaDB 10.6 and later, MySQL 8.0 and later.
// Connects at the first Begin, and anew at the next one after the connection was lost. Never lets a server read files
// here, nor ask for the password as clear text. Ownership: owns the connection.
// Threads: one call at a time. Errors: by number, see mariadb_connection.cc; AlreadyExists for a row that is there
// already; texts have the server's message unless it repeats values, and never
// the password. What it sends is the statement: values are in it as sql::Bind wrote them.

#ifndef FLOWACCT_SINK_MARIADB_MARIADB_CONNECTION_H_
#define FLOWACCT_SINK_MARIADB_MARIADB_CONNECTION_H_

#include <mariadb/mysql.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "flowacct/sink/mariadb/connection_options.h"
#include "flowacct/sink/sql/connection.h"
#include "flowacct/sink/sql/dialect.h"
#include "flowacct/sink/sql/statement.h"

namespace flowacct::sink::mariadb {

class MariadbConnection : public sql::Connection {
 public:
  // Connects to nothing.
  static absl::StatusOr<std::unique_ptr<MariadbConnection>> New(ConnectionOptions options);

  // The server's, of which is known at the first Begin whether it is MariaDB or MySQL.
  const sql::Dialect& dialect() const override { return *dialect_; }
  absl::Status Query(const sql::Statement& statement,
                     absl::FunctionRef<bool(absl::Span<const sql::Cell>)> tell) override;
  absl::StatusOr<uint64_t> Execute(const sql::Statement& statement) override;
  absl::Status Begin(bool writes) override;
  absl::Status Commit() override;
  void Rollback() override;
  absl::StatusOr<std::vector<sql::ExistingColumn>> Columns(absl::string_view table) override;

  // The number of what went wrong in the last Query, Execute or Run; 0 if nothing did.
  unsigned error() const { return error_; }
  absl::Status Run(absl::string_view sql) { return Execute({std::string(sql), {}}).status(); }
  // How long a statement waits for a lock: shorter than this waits for the statement, so that the server says why.
  int64_t lock_seconds() const;
  // False: it was lost, and the next Begin makes a new one.
  bool connected() const { return connection_ != nullptr; }

  // A statement with "?" for values, which come as libmariadb has them: `array` not 0, so many of each.
  absl::Status Prepare(const std::string& sql);
  absl::Status ExecutePrepared(std::vector<MYSQL_BIND>* values, unsigned array);
  void Unprepare() { statement_.reset(); }
  // Whether the server takes more than one row at once there.
  bool takes_arrays() const;

 private:
  struct Close {
    void operator()(MYSQL* connection) const { mysql_close(connection); }
    void operator()(MYSQL_STMT* statement) const { mysql_stmt_close(statement); }
    void operator()(MYSQL_RES* result) const { mysql_free_result(result); }
  };

  explicit MariadbConnection(ConnectionOptions options) : options_(std::move(options)) {}
  absl::Status Connect();
  void Drop();
  absl::Status Error(absl::string_view doing, unsigned number, const char* message);
  absl::Status Error();

  const ConnectionOptions options_;
  std::unique_ptr<MYSQL, Close> connection_;
  std::unique_ptr<MYSQL_STMT, Close> statement_;  // before the connection, if that ends
  const sql::Dialect* dialect_ = &sql::kMariadb;
  absl::Time asked_ = absl::InfinitePast();
  uint64_t changed_ = 0;
  unsigned error_ = 0;
};

}  // namespace flowacct::sink::mariadb

#endif  // FLOWACCT_SINK_MARIADB_MARIADB_CONNECTION_H_
