// A PostgreSQL server as a sql::Connection, over libpq without ever waiting for longer than asked.
//
// Connects at the first Begin, and anew at the next one after the connection was lost. Ownership: owns the connection.
// Threads: one call at a time. Errors: by SQLSTATE, see postgresql_connection.cc; texts have the server's message,
// which tells names, and neither values nor the password.

#ifndef FLOWACCT_SINK_POSTGRESQL_POSTGRESQL_CONNECTION_H_
#define FLOWACCT_SINK_POSTGRESQL_POSTGRESQL_CONNECTION_H_

#include <postgresql/libpq-fe.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/sink/postgresql/connection_options.h"
#include "flowacct/sink/sql/connection.h"
#include "flowacct/sink/sql/dialect.h"
#include "flowacct/sink/sql/statement.h"

namespace flowacct::sink::postgresql {

class PostgresqlConnection : public sql::Connection {
 public:
  // InvalidArgument for a conninfo that libpq does not understand, or that has a password. Connects to nothing.
  static absl::StatusOr<std::unique_ptr<PostgresqlConnection>> New(ConnectionOptions options);

  const sql::Dialect& dialect() const override { return sql::kPostgresql; }
  absl::Status Query(const sql::Statement& statement,
                     absl::FunctionRef<bool(absl::Span<const sql::Cell>)> tell) override;
  absl::StatusOr<uint64_t> Execute(const sql::Statement& statement) override;
  absl::Status Begin(bool writes) override;
  absl::Status Commit() override;
  void Rollback() override;
  absl::StatusOr<std::vector<sql::ExistingColumn>> Columns(absl::string_view table) override;

  absl::Status Run(absl::string_view sql) { return Execute({std::string(sql), {}}).status(); }

  // COPY ... FROM STDIN: pieces of its octets, then its end, which says how many rows came in.
  absl::Status BeginCopy(const std::string& sql);
  absl::Status Copy(absl::string_view octets);
  absl::StatusOr<uint64_t> EndCopy();

 private:
  struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  struct Clear {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  using Result = std::unique_ptr<PGresult, Clear>;

  explicit PostgresqlConnection(ConnectionOptions options) : options_(std::move(options)) {}
  absl::Status Connect();
  absl::Status Send(const sql::Statement& statement);
  // The next result; null: there are no more. Waits no longer than the timeout.
  absl::StatusOr<Result> Next();
  absl::Status Flush();
  absl::Status Wait(short events);
  absl::Status Lost(absl::string_view doing);
  absl::Status Error(const PGresult* result);

  const ConnectionOptions options_;
  std::unique_ptr<PGconn, Finish> connection_;
  uint64_t changed_ = 0;
};

}  // namespace flowacct::sink::postgresql

#endif  // FLOWACCT_SINK_POSTGRESQL_POSTGRESQL_CONNECTION_H_
