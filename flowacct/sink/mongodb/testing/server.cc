#include "flowacct/sink/mongodb/testing/server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace flowacct::sink::mongodb {
namespace {

constexpr char kScript[] = "flowacct/sink/mongodb/testing/server.mjs";

std::string OnPath(const std::string& program) {
  const char* const path = std::getenv("PATH");
  for (const std::string& folder :
       std::vector<std::string>(absl::StrSplit(path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path, ':'))) {
    const std::string file = absl::StrCat(folder, "/", program);
    if (access(file.c_str(), X_OK) == 0) return file;
  }
  return "";
}

// Where fetch_server puts it, or $FLOWACCT_CONGOSERVER, which tools/test sets.
std::string Packages() {
  std::vector<std::string> folders;
  const auto add = [&folders](const char* folder, const char* rest) {
    if (folder != nullptr && *folder != '\0') folders.push_back(absl::StrCat(folder, rest));
  };
  add(std::getenv("FLOWACCT_CONGOSERVER"), "");
  add(std::getenv("XDG_CACHE_HOME"), "/flowacct-peers/congoserver");
  add(std::getenv("HOME"), "/.cache/flowacct-peers/congoserver");
  if (const passwd* const user = getpwuid(geteuid()); user != nullptr) {
    add(user->pw_dir, "/.cache/flowacct-peers/congoserver");
  }
  for (const std::string& folder : folders) {
    if (access(absl::StrCat(folder, "/edition").c_str(), R_OK) == 0) return folder;
  }
  return "";
}

std::string FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool ok = fd >= 0 && bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  if (fd >= 0) close(fd);
  return ok ? absl::StrCat(ntohs(address.sin_port)) : "";
}

pid_t Spawn(const std::string& folder, std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(&word[0]);
  arguments.push_back(nullptr);
  const std::string log = folder + "/log";
  const pid_t parent = getpid(), pid = fork();
  if (pid != 0) return pid;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (getppid() != parent || out < 0 || null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0) {
    _exit(126);
  }
  execv(arguments[0], arguments.data());
  _exit(127);
}

bool Listens(const std::string& port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(std::atoi(port.c_str())));
  const bool ok = fd >= 0 && connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  if (fd >= 0) close(fd);
  return ok;
}

}  // namespace

std::unique_ptr<Server> Server::Start(std::string* why, const std::string& role) {
  auto server = std::unique_ptr<Server>(new Server());
  server->role_ = role;
  if (role.empty()) server->mongod_ = OnPath("mongod");
  if (server->mongod_.empty()) {
    server->packages_ = Packages();
    if (OnPath("node").empty() || server->packages_.empty()) {
      *why =
          "no MongoDB server is here: neither mongod, nor node with what flowacct/sink/mongodb/testing/fetch_server "
          "brings (not here: install one of them, or run that script)";
      return nullptr;
    }
  }
  char folder[] = "/tmp/flowacct_mongodb_XXXXXX";
  if (mkdtemp(folder) == nullptr) {
    *why = "no folder in /tmp";
    return nullptr;
  }
  server->folder_ = folder;
  if (!server->Launch()) {
    std::ifstream log(server->folder_ + "/log");
    *why = absl::StrCat("it does not start: ",
                        std::string(std::istreambuf_iterator<char>(log), std::istreambuf_iterator<char>()));
    return nullptr;
  }
  return server;
}

bool Server::Launch() {
  if (mongod_.empty()) {
    std::vector<std::string> words = {OnPath("node"), kScript, packages_, folder_};
    if (!role_.empty()) words.push_back(role_);
    pid_ = Spawn(folder_, std::move(words));
  } else {
    if (port_.empty()) port_ = FreePort();
    pid_ = Spawn(folder_, {mongod_, "--dbpath", folder_, "--port", port_, "--bind_ip", "127.0.0.1", "--nounixsocket"});
  }
  for (int i = 0; i < 3000; ++i) {
    if (port_.empty()) std::ifstream(folder_ + "/port") >> port_;
    if (!port_.empty() && Listens(port_)) return true;
    int state = 0;
    if (waitpid(pid_, &state, WNOHANG) == pid_) {
      pid_ = -1;
      return false;
    }
    absl::SleepFor(absl::Milliseconds(10));
  }
  return false;
}

Server::~Server() {
  Kill();
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

void Server::Kill() {
  if (pid_ <= 0) return;
  int state = 0;
  kill(pid_, SIGKILL);
  waitpid(pid_, &state, 0);
  pid_ = -1;
}

bool Server::Restart() { return Launch(); }

ConnectionOptions Server::options() const {
  ConnectionOptions options;
  options.uri = absl::StrCat("mongodb://127.0.0.1:", port_, "/");
  options.timeout = absl::Seconds(20);
  return options;
}

}  // namespace flowacct::sink::mongodb
