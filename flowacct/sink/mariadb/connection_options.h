// Which MariaDB or MySQL server, and how long to wait for it.

#ifndef FLOWACCT_SINK_MARIADB_CONNECTION_OPTIONS_H_
#define FLOWACCT_SINK_MARIADB_CONNECTION_OPTIONS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace flowacct::sink::mariadb {

enum class Tls : uint8_t {
  kOff,
  kRequire,  // encrypted, to whoever answers
  kVerify,   // its certificate is of the host, and signed by `tls_ca_file` or one that the system trusts
};

struct ConnectionOptions {
  std::string host;  // empty: the socket
  int port = 3306;
  std::string socket;  // path of a UNIX socket, instead of a host; both empty: the client library's
  std::string user;    // empty: the account that runs this
  std::string database;
  // A file whose first line is the password. Empty: the environment's MYSQL_PWD, or none.
  std::string password_file;
  Tls tls = Tls::kOff;
  std::string tls_ca_file;
  // A server that says nothing for so long is given up. In whole seconds, at least one.
  absl::Duration timeout = absl::Seconds(30);
};

// Of one text: "host=db.example port=3306 user=flowacct database=flows password_file=/etc/flowacct/password". Names are
// those above; tls is off, require or verify, timeout "30s". A value with spaces stands in single quotes, '' within
// them is one. InvalidArgument with one line that names the word; a password in it is refused and not repeated.
absl::StatusOr<ConnectionOptions> ParseConnectionOptions(absl::string_view text);

// InvalidArgument for options that are wrong by themselves.
absl::Status CheckConnectionOptions(const ConnectionOptions& options);

}  // namespace flowacct::sink::mariadb

#endif  // FLOWACCT_SINK_MARIADB_CONNECTION_OPTIONS_H_
