// Which ClickHouse server, and how long to wait for it.

#ifndef FLOWACCT_SINK_CLICKHOUSE_CONNECTION_OPTIONS_H_
#define FLOWACCT_SINK_CLICKHOUSE_CONNECTION_OPTIONS_H_

#include <string>

#include "absl/time/time.h"

namespace flowacct::sink::clickhouse {

struct ConnectionOptions {
  // "http://db.example:8123/flows", https likewise: host, port (8123; of https 8443) and database ("default"). No user
  // and no password.
  std::string url;
  std::string user = "default";
  // A file whose first line is the password. Empty: the environment's CLICKHOUSE_PASSWORD, or none.
  std::string password_file;
  // Of https: a PEM file of the authorities that are trusted. Empty: the system's.
  std::string ca_file;
  // A server that says nothing for so long is given up, and questions that last longer.
  absl::Duration timeout = absl::Seconds(30);
};

}  // namespace flowacct::sink::clickhouse

#endif  // FLOWACCT_SINK_CLICKHOUSE_CONNECTION_OPTIONS_H_
