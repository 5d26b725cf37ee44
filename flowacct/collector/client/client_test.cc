// The client and the server, together over loopback.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "flowacct/collector/admin/admin_server.h"
#include "flowacct/collector/admin/fake_collector.h"
#include "flowacct/collector/client/collector_client.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

TEST(CollectorAddressTest, AllForms) {
  const struct {
    const char* text;
    const char* url;
    const char* unix_path;
  } kCases[] = {
      {"127.0.0.1:2112", "http://127.0.0.1:2112", ""},
      {"[::1]:2112", "http://[::1]:2112", ""},
      {"collector.example:80", "http://collector.example:80", ""},
      {"http://collector.example", "http://collector.example", ""},
      {"https://proxy.example/flowacct/", "https://proxy.example/flowacct", ""},
      {"unix:/run/flowacct/admin.sock", "http://localhost", "/run/flowacct/admin.sock"},
  };
  for (const auto& c : kCases) {
    const absl::StatusOr<CollectorAddress> address = ParseCollectorAddress(c.text);
    ASSERT_TRUE(address.ok()) << c.text << address.status();
    EXPECT_EQ(address->url, c.url);
    EXPECT_EQ(address->unix_path, c.unix_path);
    EXPECT_EQ(address->text, c.text);
  }
}

TEST(CollectorAddressTest, NoAddresses) {
  for (const char* text : {"", "2112", ":2112", "host", "host:", "host:0", "host:65536", "host:1/path", "http://",
                           "ftp://host:21", "unix:", "host :1", "host\n:1", "user@host:1", "host:1?x"}) {
    const absl::Status status = ParseCollectorAddress(text).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << text << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "such as 127.0.0.1:2112")) << status;
  }
}

class ClientTest : public ::testing::Test {
 protected:
  ClientTest() {
    AdminServerOptions options;
    options.listen = {"127.0.0.1:0"};
    server_ = *AdminServer::Start(&api_, options);
    address_ = server_->addresses()[0];
  }
  CollectorClient Client(HttpClientOptions options = {}) {
    return CollectorClient(*ParseCollectorAddress(address_), std::move(options));
  }

  FakeCollector collector_;
  AdminApi api_{&collector_, {}};
  std::unique_ptr<AdminServer> server_;
  std::string address_;
};

TEST_F(ClientTest, Status) {
  CollectorClient client = Client();
  for (int i = 0; i < 3; ++i) {
    const absl::StatusOr<StatusAnswer> answer = client.Status();
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(answer->status.inputs[0].received, 1000000u);
    EXPECT_GT(answer->process.resident_octets, 0u);
    EXPECT_TRUE(absl::StartsWith(answer->json, "{\"version\":"));
  }
}

TEST_F(ClientTest, Exporters) {
  CollectorClient client = Client();
  absl::StatusOr<ExportersAnswer> answer = client.Exporters("", /*templates=*/true);
  ASSERT_TRUE(answer.ok()) << answer.status();
  ASSERT_EQ(answer->exporters.size(), 3u);
  EXPECT_EQ(answer->exporters[0].templates.size(), 2u);
  answer = client.Exporters("2001:db8::7", /*templates=*/false);
  ASSERT_TRUE(answer.ok()) << answer.status();
  ASSERT_EQ(answer->exporters.size(), 1u);
  EXPECT_EQ(answer->exporters[0].protocol, "ipfix");
  EXPECT_TRUE(absl::IsInvalidArgument(client.Exporters("router", false).status()));
}

TEST_F(ClientTest, Query) {
  CollectorClient client = Client();
  MemoryQuestion question;
  question.pipeline = "as & more";
  question.by = "src_as,dst_as";
  question.where = "dst_port in (80,443) and not src_addr = 2001:db8::/32 or \"ü+%\"";
  question.order = "bytes";
  question.top = 7;
  question.since = absl::Minutes(90);
  const absl::StatusOr<QueryAnswer> answer = client.Query(question);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->rows.size(), 3u);
  question.reset = true;
  ASSERT_TRUE(client.Query(question).ok());
  // What was asked is what came there.
  ASSERT_EQ(collector_.questions().size(), 2u);
  for (const MemoryQuestion& asked : collector_.questions()) {
    EXPECT_EQ(asked.pipeline, question.pipeline);
    EXPECT_EQ(asked.by, question.by);
    EXPECT_EQ(asked.where, question.where);
    EXPECT_EQ(asked.order, question.order);
    EXPECT_EQ(asked.top, question.top);
    EXPECT_EQ(asked.since, question.since);
  }
  EXPECT_TRUE(collector_.questions()[1].reset);

  collector_.SetAnswer(absl::NotFoundError("no pipeline is called \"ass\"; did you mean as?"));
  EXPECT_EQ(client.Query(question).status(), absl::NotFoundError("no pipeline is called \"ass\"; did you mean as?"));
  collector_.SetAnswer(absl::InvalidArgumentError("by: no field"));
  EXPECT_EQ(client.Query(question).status(), absl::InvalidArgumentError("by: no field"));
  collector_.SetAnswer(std::string("{}"));
  EXPECT_TRUE(absl::IsUnavailable(client.Query(question).status()));
}

TEST_F(ClientTest, Ask) {
  CollectorClient client = Client();
  collector_.SetAnswer(std::string("dst_as,bytes\r\n"));
  WrittenQuestion question;
  question.question = "dst_as by bytes where vrf_name = \"ü \\ \n\"";
  question.store = "as/sqlite";
  question.format = "csv";
  const absl::StatusOr<std::string> answer = client.Ask(question);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(*answer, "dst_as,bytes\r\n");
  ASSERT_EQ(collector_.written_questions().size(), 1u);
  const WrittenQuestion asked = collector_.written_questions()[0];
  EXPECT_EQ(asked.question, question.question);
  EXPECT_EQ(asked.saved, "");
  EXPECT_EQ(asked.store, question.store);
  EXPECT_EQ(asked.format, question.format);
  collector_.SetAnswer(absl::InvalidArgumentError("question, column 1: no"));
  EXPECT_EQ(client.Ask(question).status(), absl::InvalidArgumentError("question, column 1: no"));
  question.question = std::string(60000, 'x');
  EXPECT_TRUE(absl::IsInvalidArgument(client.Ask(question).status()));
  question.question = std::string(70000, 'x');
  EXPECT_TRUE(absl::IsUnavailable(client.Ask(question).status()));
  EXPECT_EQ(collector_.written_questions().size(), 3u);
}

TEST_F(ClientTest, Rpki) {
  CollectorClient client = Client();
  ASSERT_TRUE(client.Rpki({}).ok());
  const absl::StatusOr<QueryAnswer> answer = client.Rpki({"2001:db8::/32", "AS64500"});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->rows.size(), 3u);
  ASSERT_EQ(collector_.rpki_questions().size(), 2u);
  EXPECT_EQ(collector_.rpki_questions()[0].prefix, "");
  EXPECT_EQ(collector_.rpki_questions()[1].prefix, "2001:db8::/32");
  EXPECT_EQ(collector_.rpki_questions()[1].as, "AS64500");
}

TEST_F(ClientTest, Reload) {
  CollectorClient client = Client();
  EXPECT_TRUE(client.Reload().ok());
  EXPECT_EQ(collector_.reloads(), 1);
  collector_.SetReload(absl::InvalidArgumentError("collector.conf:1:2: wrong"));
  EXPECT_EQ(client.Reload(), absl::FailedPreconditionError("collector.conf:1:2: wrong"));
}

TEST_F(ClientTest, NobodyAnswers) {
  CollectorClient client = Client();
  server_.reset();
  const absl::Status status = client.Status().status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_TRUE(absl::StartsWith(status.message(), absl::StrCat("no collector answers at ", address_, " ("))) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "start flowacct-collector")) << status;
  EXPECT_EQ(status.message().find('\n'), absl::string_view::npos);
  CollectorClient socket(*ParseCollectorAddress("unix:/nonexistent/admin.sock"), {});
  EXPECT_TRUE(absl::IsUnavailable(socket.Status().status()));
}

TEST_F(ClientTest, AnswersAreBounded) {
  HttpClientOptions options;
  options.max_answer_octets = 100;
  CollectorClient client = Client(options);
  EXPECT_TRUE(absl::IsResourceExhausted(client.Status().status()));
}

// Somebody who answers what he likes, once.
class Stranger {
 public:
  explicit Stranger(std::string answer) : listening_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(listening_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listening_, 1), 0);
    getsockname(listening_, reinterpret_cast<sockaddr*>(&address), &size);
    address_ = absl::StrCat("127.0.0.1:", ntohs(address.sin_port));
    thread_ = std::thread([this, answer = std::move(answer)] {
      const int connection = accept(listening_, nullptr, nullptr);
      char request[4096];
      if (recv(connection, request, sizeof(request), 0) > 0) {
        send(connection, answer.data(), answer.size(), MSG_NOSIGNAL);
      }
      if (answer.empty()) recv(connection, request, sizeof(request), 0);  // until the other side has had enough
      close(connection);
    });
  }
  ~Stranger() {
    thread_.join();
    close(listening_);
  }
  const std::string& address() const { return address_; }

 private:
  int listening_;
  std::string address_;
  std::thread thread_;
};

absl::Status AskStranger(const std::string& answer, HttpClientOptions options = {}) {
  Stranger stranger(answer);
  CollectorClient client(*ParseCollectorAddress(stranger.address()), options);
  return client.Status().status();
}

TEST(StrangerTest, WhatIsNoCollector) {
  for (const char* answer :
       {"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{\"inputs\":[1]}"}) {
    const absl::Status status = AskStranger(answer);
    EXPECT_TRUE(absl::IsUnavailable(status)) << answer << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "is no flowacct-collector")) << status;
  }
  EXPECT_TRUE(absl::IsUnavailable(AskStranger("220 mail.example ESMTP\r\n")));
  EXPECT_TRUE(absl::IsUnavailable(AskStranger("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")));
  // An error text of somebody else moves no cursor: the caller prints it, and it comes as it was sent.
  EXPECT_EQ(AskStranger("HTTP/1.1 503 No\r\nContent-Length: 13\r\n\r\n{\"error\":\"x\"}").message(), "x");
}

TEST(StrangerTest, WhoSaysNothing) {
  HttpClientOptions options;
  options.timeout = absl::Milliseconds(300);
  EXPECT_TRUE(absl::IsDeadlineExceeded(AskStranger("", options)));
  int asked = 0;
  options.timeout = absl::Seconds(20);
  options.interrupted = [&asked] { return ++asked > 2; };
  EXPECT_TRUE(absl::IsCancelled(AskStranger("", options)));
}

}  // namespace
}  // namespace flowacct::collector
