#include "flowacct/sink/testing/server_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "absl/time/clock.h"

namespace flowacct::sink {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

}  // namespace

int FreePort() {
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool found = bind(probe, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(probe);
  return found ? ntohs(address.sin_port) : 0;
}

bool Listens(int port) {
  const sockaddr_in address = Loopback(port);
  const int caller = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool taken = connect(caller, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  close(caller);
  return taken;
}

pid_t Spawn(const ServerProcess& process) {
  const passwd* const user = process.user.empty() || geteuid() != 0 ? nullptr : getpwnam(process.user.c_str());
  std::vector<std::string> words = process.words;
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::vector<std::string> environment = process.environment;
  const std::string log = process.folder + "/log";
  const pid_t parent = getpid(), pid = fork();
  if (pid != 0) return pid;
  if (user != nullptr && (setgroups(0, nullptr) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)) {
    _exit(126);
  }
  prctl(PR_SET_PDEATHSIG, process.ends_by);  // after setuid, which clears it
  if (getppid() != parent) _exit(126);
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (out < 0 || null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0 ||
      chdir(process.folder.c_str()) != 0) {
    _exit(126);
  }
  for (std::string& setting : environment) putenv(setting.data());
  execv(arguments[0], arguments.data());
  _exit(127);
}

bool Ended(pid_t pid, absl::Duration time, int* state) {
  for (const absl::Time end = absl::Now() + time; absl::Now() < end; absl::SleepFor(absl::Milliseconds(10))) {
    if (waitpid(pid, state, WNOHANG) == pid) return true;
  }
  return false;
}

void KillProcess(pid_t* pid) {
  if (*pid <= 0) return;
  kill(*pid, SIGKILL);
  waitpid(*pid, nullptr, 0);
  *pid = -1;
}

std::string LogOf(const std::string& folder) {
  std::ifstream log(folder + "/log");
  return std::string(std::istreambuf_iterator<char>(log), std::istreambuf_iterator<char>());
}

}  // namespace flowacct::sink
