#include "flowacct/collector/connection/connection.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/connection/testing/certificates.h"
#include "flowacct/collector/connection/tls_context.h"
#include "flowacct/collector/socket/descriptor.h"

namespace flowacct::collector {
namespace {

struct Pair {
  std::unique_ptr<Connection> client, server;
};

std::pair<Descriptor, Descriptor> SocketPair() {
  int ends[2] = {-1, -1};
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

// Both sides' handshakes until neither gets further.
std::pair<IoResult, IoResult> ShakeHands(const Pair& pair) {
  IoResult client, server;
  for (int i = 0; i < 20; ++i) {
    client = pair.client->Handshake();
    server = pair.server->Handshake();
  }
  return {client, server};
}

class TlsTest : public ::testing::Test {
 protected:
  TlsTest()
      : authority_(folder_.NewAuthority("authority")),
        other_authority_(folder_.NewAuthority("other authority")),
        server_(folder_.NewCertificate("server", authority_, {"collector.example", "192.0.2.1"})) {
    server_options_.certificate_file = server_.certificate_file;
    server_options_.key_file = server_.key_file;
    server_options_.ca_file = authority_.certificate_file;
    client_options_.ca_file = authority_.certificate_file;
    ShowToServer(folder_.NewCertificate("client", authority_, {"router1.example"}));
  }

  void ShowToServer(const CertificateFiles& files) {
    client_options_.certificate_file = files.certificate_file;
    client_options_.key_file = files.key_file;
  }

  Pair Connect() {
    auto server = TlsContext::New(TlsRole::kServer, server_options_);
    auto client = TlsContext::New(TlsRole::kClient, client_options_);
    EXPECT_TRUE(server.ok()) << server.status();
    EXPECT_TRUE(client.ok()) << client.status();
    auto [one, two] = SocketPair();
    const base::IpAddress peer = *base::IpAddress::Parse("192.0.2.1");
    return {NewTlsConnection(std::move(one), *client, peer), NewTlsConnection(std::move(two), *server, {})};
  }

  CertificateFolder folder_;
  const CertificateFiles authority_, other_authority_, server_;
  TlsOptions server_options_, client_options_;
};

void ExpectTalk(const Pair& pair) {
  uint8_t block[40000];
  EXPECT_EQ(pair.server->Read(block, sizeof(block)).code, IoCode::kWantRead);
  ASSERT_EQ(pair.client->Write(base::AsOctets("hello")).octets, 5u);
  const IoResult read = pair.server->Read(block, sizeof(block));
  ASSERT_EQ(read.code, IoCode::kOk);
  EXPECT_EQ(base::AsText({block, read.octets}), "hello");
  // As much as the socket takes, in several records, comes out whole with as few reads as there is room for.
  const std::string large(100000, 'x');
  size_t sent = 0, received = 0;
  while (received < large.size()) {
    if (sent < large.size()) {
      const IoResult wrote = pair.client->Write(base::AsOctets(large).subspan(sent));
      ASSERT_NE(wrote.code, IoCode::kFailed);
      if (wrote.code == IoCode::kOk) sent += wrote.octets;
    }
    const IoResult part = pair.server->Read(block, sizeof(block));
    ASSERT_NE(part.code, IoCode::kFailed);
    if (part.code == IoCode::kOk) received += part.octets;
  }
  EXPECT_EQ(received, large.size());
  // The last words and the end may come with one read.
  ASSERT_EQ(pair.client->Write(base::AsOctets("bye")).octets, 3u);
  pair.client->Close();
  const IoResult last = pair.server->Read(block, sizeof(block));
  EXPECT_EQ(last.octets, 3u);
  if (last.code != IoCode::kClosed) {
    EXPECT_EQ(pair.server->Read(block, sizeof(block)).code, IoCode::kClosed);
  }
  EXPECT_EQ(pair.server->fault(), ConnectionFault::kNone);
}

TEST(TcpConnectionTest, Talks) {
  auto [one, two] = SocketPair();
  const Pair pair = {NewTcpConnection(std::move(one)), NewTcpConnection(std::move(two))};
  EXPECT_EQ(pair.client->Handshake().code, IoCode::kOk);
  ExpectTalk(pair);
}

TEST(TcpConnectionTest, APeerThatIsGoneRaisesNoSignal) {
  auto [one, two] = SocketPair();
  const auto client = NewTcpConnection(std::move(one));
  two.Reset();
  EXPECT_EQ(client->Write(base::AsOctets("x")).code, IoCode::kFailed);
  EXPECT_EQ(client->fault(), ConnectionFault::kReset);
  EXPECT_EQ(client->fault_text(), "Broken pipe");
}

TEST_F(TlsTest, Talks) {
  const Pair pair = Connect();
  const auto [client, server] = ShakeHands(pair);
  ASSERT_EQ(client.code, IoCode::kOk) << pair.client->fault_text();
  ASSERT_EQ(server.code, IoCode::kOk) << pair.server->fault_text();
  ExpectTalk(pair);
}

TEST_F(TlsTest, AServerWithoutAuthoritiesAsksForNoCertificate) {
  server_options_.ca_file.clear();
  client_options_.certificate_file.clear();
  client_options_.key_file.clear();
  const Pair pair = Connect();
  const auto [client, server] = ShakeHands(pair);
  EXPECT_EQ(client.code, IoCode::kOk);
  EXPECT_EQ(server.code, IoCode::kOk);
}

TEST_F(TlsTest, AServerRefuses) {
  struct {
    const char* what;
    CertificateFiles shown;
    ConnectionFault fault;
  } const cases[] = {
      {"none", {}, ConnectionFault::kTlsNoCertificate},
      {"of another authority", folder_.NewCertificate("stranger", other_authority_), ConnectionFault::kTlsUntrusted},
      {"expired", folder_.NewCertificate("late", authority_, {"router1.example", "", -7200, -3600}),
       ConnectionFault::kTlsExpired},
      {"not yet valid", folder_.NewCertificate("early", authority_, {"router1.example", "", 3600, 7200}),
       ConnectionFault::kTlsExpired},
      {"of another name", folder_.NewCertificate("other", authority_, {"router2.example"}),
       ConnectionFault::kTlsWrongName},
      {"with a wildcard", folder_.NewCertificate("wild", authority_, {"*.example"}), ConnectionFault::kTlsWrongName},
  };
  server_options_.allowed_names = {"router9.example", "router1.example"};
  for (const auto& c : cases) {
    ShowToServer(c.shown);
    const Pair pair = Connect();
    const auto [client, server] = ShakeHands(pair);
    EXPECT_EQ(server.code, IoCode::kFailed) << c.what;
    EXPECT_EQ(pair.server->fault(), c.fault) << c.what << ": " << pair.server->fault_text();
    EXPECT_FALSE(pair.server->fault_text().empty());
    uint8_t block[Connection::kMinReadOctets];
    EXPECT_EQ(pair.server->Read(block, sizeof(block)).code, IoCode::kFailed);
    EXPECT_EQ(pair.server->Write(base::AsOctets("x")).code, IoCode::kFailed);
    if (c.fault == ConnectionFault::kTlsWrongName) continue;  // told by the end of the connection alone
    // TLS 1.3's client is done before the server has judged it: it hears of it when it reads.
    EXPECT_EQ(pair.client->Read(block, sizeof(block)).code, IoCode::kFailed) << c.what;
    EXPECT_EQ(pair.client->fault(), ConnectionFault::kTlsRefused) << pair.client->fault_text();
  }
}

TEST_F(TlsTest, AServerLetsInWhoseNameIsAllowed) {
  server_options_.allowed_names = {"router9.example", "router1.example"};
  const Pair pair = Connect();
  EXPECT_EQ(ShakeHands(pair).second.code, IoCode::kOk) << pair.server->fault_text();
  // A certificate without DNS names stands for its common name.
  ShowToServer(folder_.NewCertificate("router9.example", authority_));
  const Pair named = Connect();
  EXPECT_EQ(ShakeHands(named).second.code, IoCode::kOk) << named.server->fault_text();
}

TEST_F(TlsTest, AClientRefuses) {
  client_options_.allowed_names = {"collector.example"};
  EXPECT_EQ(ShakeHands(Connect()).first.code, IoCode::kOk);
  client_options_.allowed_names = {"elsewhere.example"};
  const Pair named = Connect();
  EXPECT_EQ(ShakeHands(named).first.code, IoCode::kFailed);
  EXPECT_EQ(named.client->fault(), ConnectionFault::kTlsWrongName) << named.client->fault_text();
  EXPECT_EQ(named.server->fault(), ConnectionFault::kTlsRefused) << named.server->fault_text();

  client_options_.allowed_names.clear();
  const CertificateFiles elsewhere = folder_.NewCertificate("elsewhere", authority_, {"", "192.0.2.9"});
  server_options_.certificate_file = elsewhere.certificate_file;
  server_options_.key_file = elsewhere.key_file;
  const Pair addressed = Connect();
  EXPECT_EQ(ShakeHands(addressed).first.code, IoCode::kFailed);
  EXPECT_EQ(addressed.client->fault(), ConnectionFault::kTlsWrongName) << addressed.client->fault_text();

  client_options_.ca_file = other_authority_.certificate_file;
  const Pair untrusted = Connect();
  EXPECT_EQ(ShakeHands(untrusted).first.code, IoCode::kFailed);
  EXPECT_EQ(untrusted.client->fault(), ConnectionFault::kTlsUntrusted) << untrusted.client->fault_text();
}

TEST_F(TlsTest, WhatIsNoTls) {
  struct {
    const char* octets;
    ConnectionFault fault;
  } const cases[] = {
      {"GET / HTTP/1.1\r\nHost: collector\r\n\r\n", ConnectionFault::kTlsProtocol},
      {"garbage that is no protocol at all, long enough to be read", ConnectionFault::kTlsProtocol},
      {"", ConnectionFault::kReset},                          // closed at once
      {"\x16\x03\x01\x02\x00\x01", ConnectionFault::kReset},  // closed within a record
  };
  for (const auto& c : cases) {
    auto [one, two] = SocketPair();
    const auto context = TlsContext::New(TlsRole::kServer, server_options_);
    ASSERT_TRUE(context.ok());
    const auto server = NewTlsConnection(std::move(two), *context, {});
    const size_t size = c.octets[0] == '\x16' ? 6 : std::string(c.octets).size();
    ASSERT_EQ(send(one.get(), c.octets, size, 0), static_cast<ssize_t>(size));
    if (c.fault == ConnectionFault::kReset) one.Reset();
    IoResult result;
    for (int i = 0; i < 3; ++i) result = server->Handshake();
    EXPECT_EQ(result.code, IoCode::kFailed) << c.octets;
    EXPECT_EQ(server->fault(), c.fault) << c.octets << ": " << server->fault_text();
  }
}

TEST_F(TlsTest, ContextsTellWhatIsWrongWithTheirFiles) {
  const std::string garbage = folder_.Write("garbage.pem", "no certificate\n");
  TlsOptions options = server_options_;
  const auto message = [&](TlsRole role) { return std::string(TlsContext::New(role, options).status().message()); };
  options.certificate_file = "";
  EXPECT_TRUE(absl::StrContains(message(TlsRole::kServer), "certificate_file is empty"));
  EXPECT_TRUE(absl::StrContains(message(TlsRole::kClient), "is given without a certificate_file"));
  options = server_options_;
  options.certificate_file = "/nowhere/server.pem";
  EXPECT_TRUE(absl::StrContains(message(TlsRole::kServer), "certificate_file '/nowhere/server.pem': "));
  EXPECT_TRUE(absl::StrContains(message(TlsRole::kServer), "No such file or directory")) << message(TlsRole::kServer);
  options.certificate_file = garbage;
  EXPECT_TRUE(absl::StrContains(message(TlsRole::kServer), "no start line")) << message(TlsRole::kServer);
  options = server_options_;
  options.key_file = garbage;
  EXPECT_TRUE(absl::StrContains(message(TlsRole::kServer), "key_file '")) << message(TlsRole::kServer);
  options.key_file = authority_.key_file;
  EXPECT_TRUE(absl::StrContains(message(TlsRole::kServer), "key values mismatch")) << message(TlsRole::kServer);
  options = server_options_;
  options.ca_file = garbage;
  EXPECT_TRUE(absl::StrContains(message(TlsRole::kServer), "ca_file '")) << message(TlsRole::kServer);
  options = server_options_;
  options.ca_file = "";
  options.allowed_names = {"router1.example"};
  EXPECT_TRUE(absl::StrContains(message(TlsRole::kServer), "allowed_names are given without a ca_file"));
}

}  // namespace
}  // namespace flowacct::collector
