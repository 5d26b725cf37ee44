// Debian's PostgreSQL, started in a folder of its own on a UNIX socket, for tests and benchmarks.
//
// It asks for a password. Ends with the object, and with the process that made it. Threads: one at a time.

#ifndef FLOWACCT_SINK_POSTGRESQL_TESTING_SERVER_H_
#define FLOWACCT_SINK_POSTGRESQL_TESTING_SERVER_H_

#include <sys/types.h>

#include <memory>
#include <string>

#include "flowacct/sink/postgresql/connection_options.h"

namespace flowacct::sink::postgresql {

class Server {
 public:
  // Null with the reason in `why`: it is not installed, or does not start.
  static std::unique_ptr<Server> Start(std::string* why);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  ConnectionOptions options() const;
  // As psql: rows by newlines, cells by "|", "-" for NULL; "error: ..." if it failed.
  std::string Shell(const std::string& sql) const;
  // Ends at once, as if the machine had; and comes back.
  void Kill();
  bool Restart();

 private:
  Server() = default;
  bool Launch();

  std::string folder_;
  pid_t pid_ = -1;
};

}  // namespace flowacct::sink::postgresql

#endif  // FLOWACCT_SINK_POSTGRESQL_TESTING_SERVER_H_
