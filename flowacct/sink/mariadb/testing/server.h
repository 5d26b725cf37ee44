// Debian's MariaDB, started in a folder of its own on a UNIX socket, for tests and benchmarks.
//
// It asks for a password, and writes each commit to the disk. Ends with the object, and with the process that made it.
// Threads: one at a time.

#ifndef FLOWACCT_SINK_MARIADB_TESTING_SERVER_H_
#define FLOWACCT_SINK_MARIADB_TESTING_SERVER_H_

#include <signal.h>
#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "flowacct/sink/mariadb/connection_options.h"

namespace flowacct::sink::mariadb {

class Server {
 public:
  // Null with the reason in `why`: it is not installed, or does not start. `settings`: more of them, "--name=value".
  static std::unique_ptr<Server> Start(std::string* why, std::vector<std::string> settings = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  ConnectionOptions options() const;
  // A statement: rows by newlines, cells by "|", "-" for NULL; "error: ..." if it failed.
  std::string Shell(const std::string& sql) const;
  // A database with nothing in it, whatever a server that was killed has left. Empty, or what went wrong.
  std::string Clear() const;
  // What it has said since Start.
  std::string Log() const;
  // Where the server keeps the files of the database.
  std::string DatabaseFolder() const { return folder_ + "/data/flows"; }
  // Ends at once, as if the machine had; and comes back.
  void Kill();
  bool Restart();
  // SIGSTOP: says nothing any more; SIGCONT: goes on.
  void Stop() const { Signal(SIGSTOP); }
  void Continue() const { Signal(SIGCONT); }
  pid_t pid() const { return pid_; }
  void Signal(int signal) const { kill(pid_, signal); }

 private:
  Server() = default;

  std::string folder_;
  std::vector<std::string> settings_;
  pid_t pid_ = -1;
};

}  // namespace flowacct::sink::mariadb

#endif  // FLOWACCT_SINK_MARIADB_TESTING_SERVER_H_
