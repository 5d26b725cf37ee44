// Which MongoDB deployment, and how long to wait for it.

#ifndef FLOWACCT_SINK_MONGODB_CONNECTION_OPTIONS_H_
#define FLOWACCT_SINK_MONGODB_CONNECTION_OPTIONS_H_

#include <string>

#include "absl/time/time.h"

namespace flowacct::sink::mongodb {

struct ConnectionOptions {
  // As MongoDB has it, without a password: "mongodb://flowacct@a.example,b.example/?replicaSet=rs0&tls=true". A server
  // alone, a replica set, or routers of a sharded cluster.
  std::string uri;
  std::string database = "flowacct";
  // A file whose first line is the password. Empty: the environment's MONGODB_PASSWORD, if the uri names a user.
  std::string password_file;
  // A server that says nothing for so long is given up.
  absl::Duration timeout = absl::Seconds(30);
};

}  // namespace flowacct::sink::mongodb

#endif  // FLOWACCT_SINK_MONGODB_CONNECTION_OPTIONS_H_
