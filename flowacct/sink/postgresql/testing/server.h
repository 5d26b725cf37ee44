// Debian's PostgreSQL, started in a folder of its own on a UNIX socket and a port of 127.0.0.1, for tests and
// benchmarks.
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
  // `durable`: its fsync stays on.
  static std::unique_ptr<Server> Start(std::string* why, bool durable = false);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  ConnectionOptions options() const;  // by the socket
  ConnectionOptions options(int port) const;
  int port() const { return port_; }
  pid_t pid() const { return pid_; }
  // As psql: rows by newlines, cells by "|", "-" for NULL; "error: ..." if it failed.
  std::string Shell(const std::string& sql) const;
  // All its processes by SIGKILL; and it comes back.
  void Kill();
  bool Restart();
  // All its processes stand still; and go on.
  void Stop();
  void GoOn();

 private:
  Server() = default;
  bool Launch();

  void Signal(int signal) const;

  std::string folder_;
  bool durable_ = false;
  int port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace flowacct::sink::postgresql

#endif  // FLOWACCT_SINK_POSTGRESQL_TESTING_SERVER_H_
