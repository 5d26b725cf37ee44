#include "flowacct/collector/admin/admin_server.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <dirent.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "flowacct/collector/admin/fake_collector.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

struct Answer {
  long status = 0;
  std::string body;
  std::string head;
  CURLcode code = CURLE_OK;
};

size_t Append(char* octets, size_t size, size_t count, void* to) {
  static_cast<std::string*>(to)->append(octets, size * count);
  return size * count;
}

// `unix_path`: the socket to ask at; empty: as the URL says.
Answer Ask(const std::string& url, const std::string& method = "GET", const std::string& unix_path = "",
           const std::string& body = "") {
  Answer answer;
  CURL* const curl = curl_easy_init();
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, 20L);
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, Append);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.body);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, Append);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &answer.head);
  if (!unix_path.empty()) curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, unix_path.c_str());
  if (method == "HEAD") {
    curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  } else if (method == "POST") {
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
    curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, body.c_str());
  } else if (method != "GET") {
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method.c_str());
  }
  answer.code = curl_easy_perform(curl);
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
  curl_easy_cleanup(curl);
  return answer;
}

class AdminServerTest : public ::testing::Test {
 protected:
  void Start(AdminServerOptions options = {}) {
    options.listen = {"127.0.0.1:0"};
    absl::StatusOr<std::unique_ptr<AdminServer>> server = AdminServer::Start(&api_, options);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    ASSERT_EQ(server_->addresses().size(), 1u);
    url_ = absl::StrCat("http://", server_->addresses()[0]);
  }
  uint16_t Port() const {
    uint32_t port = 0;
    EXPECT_TRUE(absl::SimpleAtoi(url_.substr(url_.rfind(':') + 1), &port));
    return static_cast<uint16_t>(port);
  }

  FakeCollector collector_;
  AdminApi api_{&collector_, {}};
  std::unique_ptr<AdminServer> server_;
  std::string url_;
};

// A connection that says what it likes.
class RawConnection {
 public:
  explicit RawConnection(uint16_t port) : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  ~RawConnection() { close(descriptor_); }
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  bool Say(absl::string_view text) {
    return send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }
  // What the other side says until it closes, or for `most`; `closed` tells which.
  std::string Hear(absl::Duration most, bool* closed) {
    std::string heard;
    const absl::Time end = absl::Now() + most;
    *closed = false;
    char buffer[4096];
    for (;;) {
      pollfd waiting{descriptor_, POLLIN, 0};
      const int left = static_cast<int>(absl::ToInt64Milliseconds(end - absl::Now()));
      if (left <= 0 || poll(&waiting, 1, left) <= 0) return heard;
      const ssize_t n = recv(descriptor_, buffer, sizeof(buffer), 0);
      if (n <= 0) {
        *closed = true;
        return heard;
      }
      heard.append(buffer, static_cast<size_t>(n));
    }
  }

 private:
  int descriptor_;
};

TEST_F(AdminServerTest, AnswersOverHttp) {
  Start();
  const Answer status = Ask(url_ + "/api/v1/status");
  EXPECT_EQ(status.status, 200);
  EXPECT_TRUE(absl::StrContains(status.body, "\"version\":\"0.1.0\""));
  EXPECT_TRUE(absl::StrContains(status.head, "Content-Type: application/json"));
  EXPECT_TRUE(absl::StrContains(status.head, "Cache-Control: no-store"));
  EXPECT_TRUE(absl::StrContains(status.head, "X-Content-Type-Options: nosniff"));
  EXPECT_FALSE(absl::StrContains(absl::AsciiStrToLower(status.head), "access-control"));
  const Answer head = Ask(url_ + "/api/v1/status", "HEAD");
  EXPECT_EQ(head.status, 200);
  EXPECT_TRUE(head.body.empty());
  EXPECT_TRUE(absl::StrContains(Ask(url_ + "/metrics").body, "flowacct_ready 1\n"));
  EXPECT_EQ(Ask(url_ + "/healthz").body, "ok\n");

  const Answer query = Ask(url_ + "/api/v1/query?pipeline=as&where=proto%20tcp+and%20dst_port%3D443&top=2");
  EXPECT_EQ(query.body, FakeCollector::kAnswer);
  ASSERT_EQ(collector_.questions().size(), 1u);
  EXPECT_EQ(collector_.questions()[0].where, "proto tcp and dst_port=443");

  EXPECT_EQ(Ask(url_ + "/api/v1/reload", "POST").body, "{\"reloaded\":true}\n");
  EXPECT_EQ(Ask(url_ + "/api/v1/reload", "POST", "", "a body that nobody reads").status, 200);
  EXPECT_EQ(collector_.reloads(), 2);
  const Answer wrong = Ask(url_ + "/api/v1/reload");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_TRUE(absl::StrContains(wrong.head, "Allow: POST"));
  EXPECT_EQ(Ask(url_ + "/api/v1/status", "BREW").status, 405);
  EXPECT_EQ(Ask(url_ + "/..%2f..%2fetc/passwd").status, 404);
}

TEST_F(AdminServerTest, ManyAtOnce) {
  Start();
  collector_.SetExporters(ManyExporters(500));
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([this, i, &good] {
      for (int j = 0; j < 10; ++j) {
        const Answer answer = Ask(url_ + (i % 2 == 0 ? "/metrics" : "/api/v1/exporters?templates=1"));
        if (answer.status == 200 && answer.body.back() == '\n') ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 80);
  EXPECT_EQ(api_.counters().requests, 80u);
}

TEST_F(AdminServerTest, LongRequestsAreRefused) {
  Start();
  bool closed = false;
  for (const size_t size : {size_t{9000}, size_t{20000}, size_t{1000000}}) {
    RawConnection connection(Port());
    connection.Say(absl::StrCat("GET /", std::string(size, 'a'), " HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    const std::string heard = connection.Hear(absl::Seconds(5), &closed);
    EXPECT_TRUE(closed) << size;
    EXPECT_TRUE(heard.empty() || absl::StartsWith(heard, "HTTP/1.1 4")) << size << heard;
  }
  RawConnection headers(Port());
  headers.Say("GET /healthz HTTP/1.1\r\nHost: localhost\r\n");
  for (int i = 0; i < 1000 && headers.Say(absl::StrCat("X-", i, ": ", std::string(100, 'x'), "\r\n")); ++i) {
  }
  const std::string heard = headers.Hear(absl::Seconds(5), &closed);
  EXPECT_TRUE(closed);
  EXPECT_TRUE(heard.empty() || absl::StartsWith(heard, "HTTP/1.1 4")) << heard;

  EXPECT_EQ(Ask(url_ + "/api/v1/reload", "POST", "", std::string(70000, 'b')).status, 413);
  EXPECT_EQ(collector_.reloads(), 0);
  RawConnection chunks(Port());
  chunks.Say("POST /api/v1/reload HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 100 && chunks.Say(absl::StrCat("400\r\n", std::string(1024, 'c'), "\r\n")); ++i) {
  }
  chunks.Hear(absl::Seconds(5), &closed);
  EXPECT_TRUE(closed);
  EXPECT_EQ(collector_.reloads(), 0);
  EXPECT_EQ(Ask(url_ + "/healthz").status, 200);
}

TEST_F(AdminServerTest, GarbageIsRefused) {
  AdminServerOptions options;
  options.idle_timeout = absl::Seconds(1);  // some of it is no line that ever ends
  Start(options);
  const std::string kGarbage[] = {
      std::string("\0\0\0\0\r\n\r\n", 8),
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",  // a TLS ClientHello
      "GET\r\n\r\n",
      "GET / HTTP/9.9\r\n\r\n",
      " / HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET /healthz HTTP/1.1\r\n\r\n",  // no Host: RFC 9112, 3.2
      "POST /api/v1/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
      "POST /api/v1/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999999\r\n\r\n",
      "GET /%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "GET http://localhost/api/v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n",
      std::string("GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n"),
      std::string("GET /heal\0thz HTTP/1.1\r\nHost: localhost\r\n\r\n", 43),
  };
  for (const std::string& garbage : kGarbage) {
    RawConnection connection(Port());
    connection.Say(garbage);
    bool closed = false;
    const std::string heard = connection.Hear(absl::Seconds(3), &closed);
    EXPECT_FALSE(absl::StrContains(heard, " 200 ")) << garbage << "\n" << heard;
    EXPECT_TRUE(closed || !heard.empty()) << garbage;
  }
  EXPECT_EQ(collector_.reloads(), 0);
  EXPECT_EQ(Ask(url_ + "/healthz").status, 200);
}

TEST_F(AdminServerTest, SilentConnectionsAreClosed) {
  AdminServerOptions options;
  options.idle_timeout = absl::Seconds(1);
  Start(options);
  RawConnection connection(Port());
  connection.Say("GET /healthz HT");
  bool closed = false;
  connection.Hear(absl::Seconds(10), &closed);
  EXPECT_TRUE(closed);
}

// Whoever says an octet now and then is never silent, but is cut all the same; others are answered meanwhile.
TEST_F(AdminServerTest, SlowConnectionsAreCut) {
  AdminServerOptions options;
  options.connection_timeout = absl::Milliseconds(1500);
  options.max_connections = 3;
  Start(options);
  RawConnection slow(Port()), slower(Port());
  bool closed = false;
  const absl::Time begin = absl::Now();
  slow.Say("GET /healthz HTTP/1.1\r\n");
  while (!closed && absl::Now() - begin < absl::Seconds(15)) {
    slow.Say("X");
    slower.Say("G");
    slow.Hear(absl::Milliseconds(200), &closed);
    EXPECT_EQ(Ask(url_ + "/healthz").status, 200);
  }
  EXPECT_TRUE(closed);
  slower.Hear(absl::Seconds(5), &closed);
  EXPECT_TRUE(closed);
  EXPECT_EQ(api_.counters().connections_cut, 2u);
}

// An answer that nobody reads is not kept for long.
TEST_F(AdminServerTest, WhoDoesNotReadIsCut) {
  AdminServerOptions options;
  // Longer than it takes to write the answer, with sanitizers on a busy machine too.
  options.connection_timeout = absl::Seconds(4);
  options.max_pending_octets = 1;
  collector_.SetExporters(ManyExporters(10000));
  Start(options);
  RawConnection deaf(Port());
  deaf.Say("GET /api/v1/exporters HTTP/1.1\r\nHost: localhost\r\n\r\n");
  // While it waits to be read, others are told to come again.
  const absl::Time begin = absl::Now();
  bool postponed = false, again = false;
  while (!(postponed && again) && absl::Now() - begin < absl::Seconds(40)) {
    const Answer answer = Ask(url_ + "/healthz");
    if (answer.status == 503) {
      EXPECT_TRUE(absl::StrContains(answer.head, "Retry-After: 1"));
      postponed = true;
    }
    if (postponed && answer.status == 200) again = true;
    absl::SleepFor(absl::Milliseconds(20));
  }
  EXPECT_TRUE(postponed && again);
  EXPECT_GE(api_.counters().requests_postponed, 1u);
  EXPECT_EQ(api_.counters().connections_cut, 1u);
}

TEST_F(AdminServerTest, MoreConnectionsThanAllowedAreTurnedAway) {
  AdminServerOptions options;
  options.max_connections = 2;
  options.idle_timeout = absl::Seconds(1);
  Start(options);
  std::vector<std::unique_ptr<RawConnection>> silent;
  for (int i = 0; i < 6; ++i) silent.push_back(std::make_unique<RawConnection>(Port()));
  int turned_away = 0;
  for (const auto& connection : silent) {
    bool closed = false;
    connection->Hear(absl::Milliseconds(100), &closed);
    if (closed) ++turned_away;
  }
  EXPECT_EQ(turned_away, 4);
  EXPECT_EQ(api_.counters().connections_turned_away, 4u);
  // The others are closed for their silence, and then it is our turn.
  const absl::Time begin = absl::Now();
  auto status = Ask(url_ + "/healthz").status;
  while (status != 200 && absl::Now() - begin < absl::Seconds(10)) {
    absl::SleepFor(absl::Milliseconds(100));
    status = Ask(url_ + "/healthz").status;
  }
  EXPECT_EQ(status, 200);
}

size_t OpenFiles() {
  size_t count = 0;
  DIR* const folder = opendir("/proc/self/fd");
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

TEST_F(AdminServerTest, NothingIsLeftBehind) {
  Start();
  Ask(url_ + "/healthz");  // curl's own files are open from here on
  server_.reset();
  const size_t before = OpenFiles();
  for (int i = 0; i < 3; ++i) {
    Start();
    EXPECT_EQ(Ask(url_ + "/healthz").status, 200);
    RawConnection open(Port());  // stopped in the middle of a request
    open.Say("GET /api/v1/status HTTP/1.1\r\n");
    absl::SleepFor(absl::Milliseconds(50));
    server_.reset();
    bool closed = false;
    open.Hear(absl::Seconds(5), &closed);
    EXPECT_TRUE(closed);
  }
  EXPECT_EQ(OpenFiles(), before);
}

TEST_F(AdminServerTest, PortThatIsTaken) {
  Start();
  AdminServerOptions options;
  options.listen = {url_.substr(7)};
  const absl::Status status = AdminServer::Start(&api_, options).status();
  EXPECT_TRUE(absl::IsAlreadyExists(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), url_.substr(7))) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "choose another port")) << status;
}

TEST_F(AdminServerTest, AddressesThatAreNone) {
  for (const char* address : {"", "2112", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "example.org:1",
                              "::1:2112", "[127.0.0.1:1", "[127.0.0.1]:1", "[::1:1", "unix:", "http://127.0.0.1:1"}) {
    AdminServerOptions options;
    options.listen = {address};
    const absl::Status status = AdminServer::Start(&api_, options).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << address << status;
  }
  AdminServerOptions options;
  options.listen = {"192.0.2.1:2112"};
  EXPECT_TRUE(absl::IsNotFound(AdminServer::Start(&api_, options).status()));
  options.listen = {absl::StrCat("unix:", std::string(200, 'x'))};
  EXPECT_TRUE(absl::IsInvalidArgument(AdminServer::Start(&api_, options).status()));
}

class UnixSocketTest : public AdminServerTest {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/flowacct-admin-XXXXXX";
    ASSERT_NE(mkdtemp(folder), nullptr);
    folder_ = folder;
    path_ = folder_ + "/admin.sock";
    options_.listen = {"unix:" + path_};
  }
  void TearDown() override {
    unlink(path_.c_str());
    rmdir(folder_.c_str());
  }

  std::string folder_, path_;
  AdminServerOptions options_;
};

TEST_F(UnixSocketTest, AnswersAndGoes) {
  options_.listen.push_back("127.0.0.1:0");
  absl::StatusOr<std::unique_ptr<AdminServer>> server = AdminServer::Start(&api_, options_);
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_EQ(Ask("http://any.name/api/v1/reload", "POST", path_).status, 200);
  EXPECT_EQ(Ask(absl::StrCat("http://", (*server)->addresses()[1], "/healthz")).status, 200);
  struct stat found {};
  ASSERT_EQ(stat(path_.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0660u);
  // Nobody takes it from us.
  EXPECT_TRUE(absl::IsAlreadyExists(AdminServer::Start(&api_, options_).status()));
  EXPECT_EQ(Ask("http://x/healthz", "GET", path_).status, 200);
  server->reset();
  EXPECT_NE(stat(path_.c_str(), &found), 0);
}

TEST_F(UnixSocketTest, OneLeftBehindIsReplaced) {
  const int old = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path_.data(), path_.size());
  ASSERT_EQ(bind(old, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  close(old);
  absl::StatusOr<std::unique_ptr<AdminServer>> server = AdminServer::Start(&api_, options_);
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_EQ(Ask("http://x/healthz", "GET", path_).status, 200);
}

TEST_F(UnixSocketTest, AFileIsNotReplaced) {
  FILE* const file = std::fopen(path_.c_str(), "w");
  ASSERT_NE(file, nullptr);
  std::fclose(file);
  EXPECT_TRUE(absl::IsAlreadyExists(AdminServer::Start(&api_, options_).status()));
  EXPECT_EQ(access(path_.c_str(), F_OK), 0);
  options_.listen = {absl::StrCat("unix:", folder_, "/missing/admin.sock")};
  EXPECT_TRUE(absl::IsNotFound(AdminServer::Start(&api_, options_).status()));
}

}  // namespace
}  // namespace flowacct::collector
