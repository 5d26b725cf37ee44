#include "flowacct/sink/clickhouse/testing/server.h"

#include <curl/curl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/sink/testing/server_process.h"

namespace flowacct::sink::clickhouse {
namespace {

constexpr char kProgram[] = "/usr/sbin/clickhouse-server";
constexpr char kPassword[] = "open sesame 7";

size_t Append(char* from, size_t size, size_t count, void* to) {
  static_cast<std::string*>(to)->append(from, size * count);
  return size * count;
}

}  // namespace

std::unique_ptr<Server> Server::Start(std::string* why) {
  std::vector<std::unique_ptr<Server>> servers = StartShards(1, why);
  return servers.empty() ? nullptr : std::move(servers[0]);
}

std::vector<std::unique_ptr<Server>> Server::StartShards(int count, std::string* why) {
  if (access(kProgram, X_OK) != 0) {
    *why = absl::StrCat(kProgram, " is not installed: apt-get install clickhouse-server");
    return {};
  }
  std::vector<std::unique_ptr<Server>> servers;
  std::string shards;
  for (int i = 0; i < count; ++i) {
    auto server = std::unique_ptr<Server>(new Server());
    server->http_port_ = FreePort();
    server->https_port_ = FreePort();
    server->tcp_port_ = FreePort();
    absl::StrAppend(&shards, "<shard><replica><host>127.0.0.1</host><port>", server->tcp_port_,
                    "</port><user>flowacct</user><password>", kPassword, "</password></replica></shard>");
    servers.push_back(std::move(server));
  }
  for (const auto& server : servers) {
    char folder[] = "/tmp/flowacct_clickhouse_XXXXXX";
    if (mkdtemp(folder) == nullptr) {
      *why = "no folder in /tmp";
      return {};
    }
    server->folder_ = folder;
    std::ofstream(server->folder_ + "/password") << kPassword << "\n";
    const std::string make =
        absl::StrCat("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext ",
                     "subjectAltName=IP:127.0.0.1 -keyout ", folder, "/key.pem -out ", folder, "/certificate.pem > ",
                     folder, "/openssl.log 2>&1");
    if (system(make.c_str()) != 0) {
      *why = "openssl makes no certificate";
      return {};
    }
    std::ofstream(server->folder_ + "/config.xml")
        << "<yandex><logger><level>warning</level><console>1</console></logger><http_port>" << server->http_port_
        << "</http_port><https_port>" << server->https_port_ << "</https_port><openSSL><server><certificateFile>"
        << folder << "/certificate.pem</certificateFile><privateKeyFile>" << folder
        << "/key.pem</privateKeyFile><verificationMode>none</verificationMode></server></openSSL><tcp_port>"
        << server->tcp_port_ << "</tcp_port><listen_host>127.0.0.1</listen_host><path>" << folder
        << "/data/</path><tmp_path>" << folder
        << "/tmp/</tmp_path><mark_cache_size>67108864</mark_cache_size><users_config>users.xml</users_config>"
        << "<default_profile>default</default_profile><default_database>default</default_database>"
        << "<timezone>UTC</timezone><remote_servers><shards>" << shards << "</shards></remote_servers></yandex>\n";
    std::ofstream(server->folder_ + "/users.xml")
        << "<yandex><profiles><default></default></profiles><users><flowacct><password>" << kPassword
        << "</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>"
        << "</flowacct></users><quotas><default></default></quotas></yandex>\n";
    if (!server->Launch()) {
      *why = absl::StrCat("it does not start: ", LogOf(server->folder_));
      return {};
    }
  }
  return servers;
}

bool Server::Launch() {
  ServerProcess process;
  process.folder = folder_;
  process.words = {kProgram, "--config-file=" + folder_ + "/config.xml"};
  pid_ = Spawn(process);
  for (int i = 0; i < 1000; ++i) {
    if (Shell("SELECT 1") == "1" && Listens(https_port_) && Listens(tcp_port_)) return true;
    int state = 0;
    if (waitpid(pid_, &state, WNOHANG) == pid_) {
      pid_ = -1;
      break;
    }
    absl::SleepFor(absl::Milliseconds(20));
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
  options.url = absl::StrCat("http://127.0.0.1:", http_port_, "/default");
  options.user = "flowacct";
  options.password_file = folder_ + "/password";
  return options;
}

ConnectionOptions Server::secure_options() const {
  ConnectionOptions secure = options();
  secure.url = absl::StrCat("https://127.0.0.1:", https_port_, "/default");
  secure.ca_file = folder_ + "/certificate.pem";
  return secure;
}

std::string Server::Shell(const std::string& sql) const {
  CURL* const easy = curl_easy_init();
  std::string out;
  curl_slist* headers = curl_slist_append(nullptr, "X-ClickHouse-User: flowacct");
  headers = curl_slist_append(headers, absl::StrCat("X-ClickHouse-Key: ", kPassword).c_str());
  curl_easy_setopt(easy, CURLOPT_URL, absl::StrCat("http://127.0.0.1:", http_port_, "/?wait_end_of_query=1").c_str());
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, sql.c_str());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Append);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &out);
  const CURLcode code = curl_easy_perform(easy);
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_cleanup(easy);
  curl_slist_free_all(headers);
  if (code != CURLE_OK) return absl::StrCat("error: ", curl_easy_strerror(code));
  if (status != 200) return absl::StrCat("error: ", out);
  out = absl::StrReplaceAll(out, {{"\\N", "-"}, {"\t", "|"}});
  if (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

}  // namespace flowacct::sink::clickhouse
