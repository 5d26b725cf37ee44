// What the servers that tests start have in common: a folder, ports that nobody has, a process that ends with the test.
//
// Threads: any; a process may be waited for by one alone.

#ifndef FLOWACCT_SINK_TESTING_SERVER_PROCESS_H_
#define FLOWACCT_SINK_TESTING_SERVER_PROCESS_H_

#include <sys/types.h>

#include <csignal>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace flowacct::sink {

// A port of 127.0.0.1 that nobody has at this moment; 0: none is to be had.
int FreePort();
// Whether somebody takes connections there.
bool Listens(int port);

struct ServerProcess {
  std::string folder;                                         // where it runs; what it says goes into `log` there
  std::vector<std::string> words;                             // program and arguments
  std::vector<std::string> environment = {"LC_ALL=C.UTF-8"};  // beside ours
  // Of the account that it runs as if we are root, whom some servers refuse; empty: as we.
  std::string user;
  int ends_by = SIGKILL;  // when this process ends
};
// Negative: it cannot be started.
pid_t Spawn(const ServerProcess& process);
// Whether it ended within the time, and how (waitpid).
bool Ended(pid_t pid, absl::Duration time, int* state);
// By SIGKILL, and waits for it; -1 in `pid` then.
void KillProcess(pid_t* pid);
// What is in `log` of the folder.
std::string LogOf(const std::string& folder);

}  // namespace flowacct::sink

#endif  // FLOWACCT_SINK_TESTING_SERVER_PROCESS_H_
