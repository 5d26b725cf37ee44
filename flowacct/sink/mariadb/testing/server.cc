#include "flowacct/sink/mariadb/testing/server.h"

#include <mariadb/mysql.h>
#include <pwd.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/sink/testing/server_process.h"

namespace flowacct::sink::mariadb {
namespace {

constexpr char kServer[] = "/usr/sbin/mariadbd";
constexpr char kInstall[] = "/usr/bin/mariadb-install-db";
constexpr char kPassword[] = "open sesame 7";

// As the user mysql if we are root.
ServerProcess Process(const std::string& folder, std::vector<std::string> words) {
  ServerProcess process;
  process.folder = folder;
  // Of its own: whichever server starts removes all temporary tables that it finds there.
  words.push_back("--tmpdir=" + folder);
  process.words = std::move(words);
  process.user = "mysql";
  return process;
}

std::string Ask(const char* user, const char* password, const std::string& socket, const char* database,
                const std::string& sql) {
  MYSQL* const connection = mysql_init(nullptr);
  std::string out;
  if (mysql_real_connect(connection, nullptr, user, password, database, 0, socket.c_str(), 0) != nullptr &&
      mysql_set_character_set(connection, "utf8mb4") == 0 && mysql_query(connection, sql.c_str()) == 0) {
    MYSQL_RES* const result = mysql_store_result(connection);
    bool first = true;
    while (const MYSQL_ROW row = result == nullptr ? nullptr : mysql_fetch_row(result)) {
      const unsigned long* const lengths = mysql_fetch_lengths(result);
      if (!first) out += "\n";
      first = false;
      for (unsigned i = 0; i < mysql_num_fields(result); ++i) {
        absl::StrAppend(&out, i == 0 ? "" : "|", row[i] == nullptr ? "-" : std::string(row[i], lengths[i]));
      }
    }
    mysql_free_result(result);
  } else {
    out = absl::StrCat("error: ", mysql_error(connection));
  }
  mysql_close(connection);
  return out;
}

}  // namespace

std::unique_ptr<Server> Server::Start(std::string* why, std::vector<std::string> settings) {
  for (const char* const program : {kServer, kInstall}) {
    if (access(program, X_OK) == 0) continue;
    *why = absl::StrCat(program, " is not installed: apt-get install mariadb-server");
    return nullptr;
  }
  auto server = std::unique_ptr<Server>(new Server());
  server->settings_ = std::move(settings);
  char folder[] = "/tmp/flowacct_mariadb_XXXXXX";  // a name that is short enough for a socket
  if (mkdtemp(folder) == nullptr) {
    *why = "no folder in /tmp";
    return nullptr;
  }
  server->folder_ = folder;
  std::ofstream(server->folder_ + "/password") << kPassword << "\n";
  if (geteuid() == 0) {
    const passwd* const user = getpwnam("mysql");
    if (user == nullptr || chown(folder, user->pw_uid, user->pw_gid) != 0) {
      *why = "there is no user mysql";
      return nullptr;
    }
  }
  const pid_t made = Spawn(
      Process(server->folder_, {kInstall, "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db",
                                "--datadir=" + server->folder_ + "/data", "--innodb-flush-log-at-trx-commit=0"}));
  int state = 0;
  if (!Ended(made, absl::Seconds(60), &state) || state != 0 || !server->Restart()) {
    *why = absl::StrCat("it does not start: ", LogOf(server->folder_));
    return nullptr;
  }
  const std::string root = server->folder_ + "/s";
  for (const std::string& sql : {absl::StrCat("CREATE USER flowacct@localhost IDENTIFIED BY '", kPassword, "'"),
                                 std::string("GRANT ALL ON flows.* TO flowacct@localhost")}) {
    *why = Ask("root", "", root, nullptr, sql);
    if (!why->empty()) return nullptr;
  }
  *why = server->Clear();
  if (!why->empty()) return nullptr;
  return server;
}

bool Server::Restart() {
  std::vector<std::string> words = {kServer,
                                    "--no-defaults",
                                    "--datadir=" + folder_ + "/data",
                                    "--socket=" + folder_ + "/s",
                                    "--pid-file=" + folder_ + "/pid",
                                    "--skip-networking",
                                    "--skip-name-resolve",
                                    "--performance-schema=OFF",
                                    "--lc-messages-dir=/usr/share/mysql",
                                    "--innodb-buffer-pool-size=128M",
                                    "--innodb-log-file-size=256M"};
  words.insert(words.end(), settings_.begin(), settings_.end());
  pid_ = Spawn(Process(folder_, std::move(words)));
  for (int i = 0; i < 6000; ++i) {
    if (Ask("root", "", folder_ + "/s", nullptr, "SELECT 1") == "1") return true;
    int state = 0;
    if (waitpid(pid_, &state, WNOHANG) == pid_) break;
    absl::SleepFor(absl::Milliseconds(10));
  }
  return false;
}

std::string Server::Clear() const {
  const auto run = [&](const char* sql) { return Ask("root", "", folder_ + "/s", nullptr, sql); };
  constexpr char kDrop[] = "DROP DATABASE IF EXISTS flows";
  std::string error = run(kDrop);
  if (absl::StrContains(error, "rmdir")) {
    // Its tables are gone. A server that was killed leaves files that it does not know itself any more.
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator(DatabaseFolder(), failed)) {
      std::filesystem::remove(entry.path(), failed);
    }
    error = run(kDrop);
  }
  return error.empty() ? run("CREATE DATABASE flows") : error;
}

Server::~Server() {
  Kill();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string Server::Log() const { return LogOf(folder_); }

void Server::Kill() { KillProcess(&pid_); }

ConnectionOptions Server::options() const {
  ConnectionOptions options;
  options.socket = folder_ + "/s";
  options.user = "flowacct";
  options.database = "flows";
  options.password_file = folder_ + "/password";
  return options;
}

std::string Server::Shell(const std::string& sql) const {
  return Ask("flowacct", kPassword, folder_ + "/s", "flows", sql);
}

}  // namespace flowacct::sink::mariadb
