#include "flowacct/sink/postgresql/testing/server.h"

#include <postgresql/libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/sink/testing/server_process.h"

namespace flowacct::sink::postgresql {
namespace {

constexpr char kPrograms[] = "/usr/lib/postgresql/15/bin";
constexpr char kPassword[] = "open sesame 7";

// As the user postgres if we are root, whom the server refuses; in order at the end, so that no memory stays behind.
ServerProcess Process(const std::string& folder, std::vector<std::string> words) {
  ServerProcess process;
  process.folder = folder;
  process.words = std::move(words);
  process.user = "postgres";
  process.ends_by = SIGQUIT;
  return process;
}

std::vector<pid_t> ChildrenOf(pid_t parent) {
  std::vector<pid_t> children;
  std::ifstream file(absl::StrCat("/proc/", parent, "/task/", parent, "/children"));
  for (pid_t child = 0; file >> child;) children.push_back(child);
  return children;
}

}  // namespace

std::unique_ptr<Server> Server::Start(std::string* why, bool durable) {
  const std::string initdb = absl::StrCat(kPrograms, "/initdb");
  if (access(initdb.c_str(), X_OK) != 0) {
    *why = absl::StrCat(initdb, " is not installed: apt-get install postgresql");
    return nullptr;
  }
  auto server = std::unique_ptr<Server>(new Server());
  char folder[] = "/tmp/flowacct_postgresql_XXXXXX";  // a name that is short enough for a socket
  if (mkdtemp(folder) == nullptr) {
    *why = "no folder in /tmp";
    return nullptr;
  }
  server->folder_ = folder;
  server->durable_ = durable;
  server->port_ = FreePort();
  std::ofstream(server->folder_ + "/password") << kPassword << "\n";
  if (geteuid() == 0) {
    const passwd* const user = getpwnam("postgres");
    if (user == nullptr || chown(folder, user->pw_uid, user->pw_gid) != 0) {
      *why = "there is no user postgres";
      return nullptr;
    }
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (chown(entry.path().c_str(), user->pw_uid, user->pw_gid) != 0) return nullptr;
    }
  }
  const pid_t made = Spawn(Process(
      server->folder_, {initdb, "-D", server->folder_ + "/data", "-U", "flowacct", "-E", "UTF8", "--locale=C.UTF-8",
                        "--no-sync", "--auth=scram-sha-256", "--pwfile=" + server->folder_ + "/password"}));
  int state = 0;
  if (!Ended(made, absl::Seconds(60), &state) || state != 0 || !server->Launch()) {
    *why = absl::StrCat("it does not start: ", LogOf(server->folder_));
    return nullptr;
  }
  return server;
}

bool Server::Launch() {
  pid_ = Spawn(Process(
      folder_, {absl::StrCat(kPrograms, "/postgres"), "-D", folder_ + "/data", "-k", folder_, "-h", "127.0.0.1", "-p",
                absl::StrCat(port_), "-c", absl::StrCat("fsync=", durable_ ? "on" : "off"), "-c", "max_wal_size=4GB"}));
  for (int i = 0; i < 3000; ++i) {
    if (Shell("SELECT 1") == "1") return true;
    int state = 0;
    if (waitpid(pid_, &state, WNOHANG) == pid_) break;
    absl::SleepFor(absl::Milliseconds(20));
  }
  return false;
}

Server::~Server() {
  if (pid_ > 0) {  // in order, so that it leaves no shared memory behind
    int state = 0;
    kill(pid_, SIGQUIT);
    if (!Ended(pid_, absl::Seconds(20), &state)) Kill();
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void Server::Signal(int signal) const {
  // The first stands still before it is asked for the others, which have no children.
  kill(pid_, SIGSTOP);
  for (const pid_t child : ChildrenOf(pid_)) kill(child, signal);
  kill(pid_, signal);
}

void Server::Stop() { Signal(SIGSTOP); }
void Server::GoOn() { Signal(SIGCONT); }

void Server::Kill() {
  if (pid_ <= 0) return;
  kill(pid_, SIGSTOP);
  const std::vector<pid_t> children = ChildrenOf(pid_);
  Signal(SIGKILL);
  waitpid(pid_, nullptr, 0);
  for (const pid_t child : children) {
    while (kill(child, 0) == 0) absl::SleepFor(absl::Milliseconds(1));  // it is init's to bury
  }
  pid_ = -1;
}

bool Server::Restart() { return Launch(); }

ConnectionOptions Server::options(int port) const {
  ConnectionOptions options = this->options();
  options.conninfo = absl::StrCat("host=127.0.0.1 port=", port, " user=flowacct dbname=postgres");
  return options;
}

ConnectionOptions Server::options() const {
  ConnectionOptions options;
  options.conninfo = absl::StrCat("host=", folder_, " port=", port_, " user=flowacct dbname=postgres");
  options.password_file = folder_ + "/password";
  return options;
}

std::string Server::Shell(const std::string& sql) const {
  PGconn* const connection =
      PQconnectdb(absl::StrCat(options().conninfo, " application_name=shell password='", kPassword, "'").c_str());
  std::string out;
  if (PQstatus(connection) == CONNECTION_OK) {
    PQsetNoticeProcessor(
        connection, [](void*, const char*) {}, nullptr);
    PGresult* const result = PQexec(connection, sql.c_str());
    const ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
      out = absl::StrCat("error: ", PQerrorMessage(connection));
    for (int row = 0; row < PQntuples(result); ++row) {
      if (row > 0) out += "\n";
      for (int i = 0; i < PQnfields(result); ++i) {
        absl::StrAppend(&out, i == 0 ? "" : "|", PQgetisnull(result, row, i) != 0 ? "-" : PQgetvalue(result, row, i));
      }
    }
    PQclear(result);
  } else {
    out = absl::StrCat("error: ", PQerrorMessage(connection));
  }
  PQfinish(connection);
  return out;
}

}  // namespace flowacct::sink::postgresql
