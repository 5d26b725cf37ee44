// A ClickHouse server over HTTP: statements go in, octets come out.
//
// Standard: ClickHouse's HTTP interface, as documented; what changes something is sent once on a connection of its own,
// so that no lost answer makes libcurl send it again. Environment proxies are not used, redirects not followed.
// Ownership: owns the connection. Threads: one call at a time. Waits no longer than `timeout` for a server that says
// nothing. Errors: by ClickHouse's error codes, see http_connection.cc; texts have the server's message and neither the
// password nor rows.

#ifndef FLOWACCT_SINK_CLICKHOUSE_HTTP_CONNECTION_H_
#define FLOWACCT_SINK_CLICKHOUSE_HTTP_CONNECTION_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/sink/clickhouse/connection_options.h"
#include "flowacct/sink/clickhouse/row_binary.h"

namespace flowacct::sink::clickhouse {

// What a server can do, asked of itself where it tells, else by its version.
struct Features {
  std::string version;  // "18.16.1"
  int major = 0, minor = 0;
  bool low_cardinality = false;
  bool rename_column = false;
  bool limit_with_ties = false;
  bool async_insert = false;  // has to be switched off
  bool query_is_cancelled = false;
  // Settings of tables that say that what was inserted is on the disk.
  bool fsync_after_insert = false, fsync_part_directory = false;
  bool ttl = false;  // with ttl_only_drop_parts
};

// The numbers that a statement names as the table `chosen`, of a column `id`.
using Chosen = absl::Span<const uint64_t>;

class HttpConnection {
 public:
  // InvalidArgument for options. Connects to nothing.
  static absl::StatusOr<std::unique_ptr<HttpConnection>> New(ConnectionOptions options);
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  const std::string& database() const { return database_; }
  // Asked once, and again after the connection was lost.
  absl::StatusOr<const Features*> features();

  // SELECT without FORMAT; `types` of its columns. `tell` returns false to stop, which is no error.
  absl::Status Query(absl::string_view sql, absl::Span<const CellType> types, Chosen chosen,
                     absl::FunctionRef<bool(absl::Span<const Cell>)> tell);
  // A statement that changes something.
  absl::Status Change(absl::string_view sql, Chosen chosen = {});
  // INSERT INTO ... FORMAT RowBinary, and its rows in pieces; an empty piece ends them.
  absl::Status Insert(absl::string_view sql, absl::FunctionRef<absl::StatusOr<absl::string_view>()> next);

 private:
  struct Curl;
  struct Request;

  HttpConnection() = default;
  absl::Status Perform(Request* request);
  absl::StatusOr<std::string> Password() const;
  absl::Status Error(long http_status, absl::string_view text) const;

  ConnectionOptions options_;
  std::string base_;  // "http://host:port/"
  std::string database_;
  std::unique_ptr<Curl> curl_;
  std::unique_ptr<Features> features_;
};

}  // namespace flowacct::sink::clickhouse

#endif  // FLOWACCT_SINK_CLICKHOUSE_HTTP_CONNECTION_H_
