// Debian's ClickHouse server, started in a folder of its own on free ports of the loopback, for tests and benchmarks.
//
// It asks for a password. Ends with the object, and with the process that made it. Threads: one at a time.

#ifndef FLOWACCT_SINK_CLICKHOUSE_TESTING_SERVER_H_
#define FLOWACCT_SINK_CLICKHOUSE_TESTING_SERVER_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "flowacct/sink/clickhouse/connection_options.h"

namespace flowacct::sink::clickhouse {

class Server {
 public:
  // Null with the reason in `why`: it is not installed, or does not start.
  static std::unique_ptr<Server> Start(std::string* why);
  // Several that know one another as shards of the cluster "shards"; empty with the reason.
  static std::vector<std::unique_ptr<Server>> StartShards(int count, std::string* why);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  ConnectionOptions options() const;
  // By https, with the certificate that goes with it as `ca_file`.
  ConnectionOptions secure_options() const;
  // As clickhouse-client: rows by newlines, cells by "|", "-" for NULL; "error: ..." if it failed.
  std::string Shell(const std::string& sql) const;
  // Ends at once, as if it had crashed; and comes back.
  void Kill();
  bool Restart();
  pid_t pid() const { return pid_; }

 private:
  Server() = default;
  bool Launch();

  std::string folder_;
  int http_port_ = 0, https_port_ = 0, tcp_port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace flowacct::sink::clickhouse

#endif  // FLOWACCT_SINK_CLICKHOUSE_TESTING_SERVER_H_
