// A MongoDB server in a folder of its own on a free port of this machine, for tests and benchmarks: a real mongod if
// one is on the path, else CongoServer, which speaks its protocol (server.mjs; fetch_server brings it).
//
// Ends with the object, and with the process that made it. Threads: one at a time.

#ifndef FLOWACCT_SINK_MONGODB_TESTING_SERVER_H_
#define FLOWACCT_SINK_MONGODB_TESTING_SERVER_H_

#include <sys/types.h>

#include <memory>
#include <string>

#include "flowacct/sink/mongodb/connection_options.h"

namespace flowacct::sink::mongodb {

class Server {
 public:
  // Null with the reason in `why`, which says "not here" if none is installed. `role`: what server.mjs takes; a mongod
  // is not asked to play any.
  static std::unique_ptr<Server> Start(std::string* why, const std::string& role = "");
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  ConnectionOptions options() const;
  // Ends at once, by SIGKILL; and comes back with what it had answered.
  void Kill();
  bool Restart();
  pid_t pid() const { return pid_; }
  // Whether it is CongoServer: what is said of it holds for the protocol, not for what MongoDB itself does.
  bool is_stand_in() const { return mongod_.empty(); }

 private:
  Server() = default;
  bool Launch();

  std::string folder_, role_;
  std::string mongod_;    // its path, or
  std::string packages_;  // what fetch_server brought
  int port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace flowacct::sink::mongodb

#endif  // FLOWACCT_SINK_MONGODB_TESTING_SERVER_H_
