#include "flowacct/sink/mongodb/testing/server.h"

#include <pwd.h>
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
#include "flowacct/sink/testing/server_process.h"

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
    *why = absl::StrCat("it does not start: ", LogOf(server->folder_));
    return nullptr;
  }
  return server;
}

bool Server::Launch() {
  ServerProcess process;
  process.folder = folder_;
  if (mongod_.empty()) {
    std::vector<std::string> words = {OnPath("node"), std::filesystem::absolute(kScript), packages_, folder_};
    if (!role_.empty()) words.push_back(role_);
    process.words = std::move(words);
  } else {
    if (port_ == 0) port_ = FreePort();
    process.words = {mongod_,     "--dbpath",  folder_,         "--port", absl::StrCat(port_),
                     "--bind_ip", "127.0.0.1", "--nounixsocket"};
  }
  pid_ = Spawn(process);
  for (int i = 0; i < 3000; ++i) {
    if (port_ == 0) std::ifstream(folder_ + "/port") >> port_;
    if (port_ != 0 && Listens(port_)) return true;
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

void Server::Kill() { KillProcess(&pid_); }

bool Server::Restart() { return Launch(); }

ConnectionOptions Server::options() const {
  ConnectionOptions options;
  options.uri = absl::StrCat("mongodb://127.0.0.1:", port_, "/");
  options.timeout = absl::Seconds(20);
  return options;
}

}  // namespace flowacct::sink::mongodb
