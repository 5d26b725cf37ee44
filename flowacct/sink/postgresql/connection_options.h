// Which PostgreSQL server, and how long to wait for it.

#ifndef FLOWACCT_SINK_POSTGRESQL_CONNECTION_OPTIONS_H_
#define FLOWACCT_SINK_POSTGRESQL_CONNECTION_OPTIONS_H_

#include <string>

#include "absl/time/time.h"

namespace flowacct::sink::postgresql {

struct ConnectionOptions {
  // As libpq has it, without a password: "host=db.example dbname=flows user=flowacct sslmode=verify-full".
  std::string conninfo;
  // A file whose first line is the password. Empty: what libpq finds (PGPASSWORD, ~/.pgpass).
  std::string password_file;
  // A server that says nothing for so long is given up.
  absl::Duration timeout = absl::Seconds(30);
};

}  // namespace flowacct::sink::postgresql

#endif  // FLOWACCT_SINK_POSTGRESQL_CONNECTION_OPTIONS_H_
