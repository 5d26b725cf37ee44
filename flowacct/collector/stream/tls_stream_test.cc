// IPFIX over TLS: who is let in, who is not, and that one who does not speak holds up nobody.

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/connection/connection.h"
#include "flowacct/collector/connection/testing/certificates.h"
#include "flowacct/collector/connection/tls_context.h"
#include "flowacct/collector/socket/descriptor.h"
#include "flowacct/collector/stream/stream_client.h"
#include "flowacct/collector/stream/stream_listener.h"

namespace flowacct::collector {
namespace {

// A client that waits where the connection wants it to; in a thread of its own.
class TlsClient {
 public:
  TlsClient(const Endpoint& endpoint, std::shared_ptr<const TlsContext> context)
      : connection_(NewTlsConnection(ConnectTo(endpoint), std::move(context), endpoint.address)) {}

  bool ShakeHands() {
    return Repeat([this] { return connection_->Handshake(); });
  }
  bool Send(absl::string_view text) {
    base::Octets octets = base::AsOctets(text);
    while (!octets.empty()) {
      size_t wrote = 0;
      if (!Repeat([&] {
            const IoResult result = connection_->Write(octets);
            wrote = result.octets;
            return result;
          })) {
        return false;
      }
      octets.remove_prefix(wrote);
    }
    return true;
  }
  // What the other side made of it.
  ConnectionFault WaitForEnd() {
    uint8_t block[Connection::kMinReadOctets];
    while (Repeat([&] { return connection_->Read(block, sizeof(block)); })) {
    }
    return connection_->fault();
  }
  Connection& connection() { return *connection_; }

 private:
  template <typename Operation>
  bool Repeat(Operation operation) {
    for (;;) {
      const IoResult result = operation();
      if (result.code == IoCode::kOk) return true;
      if (result.code == IoCode::kClosed || result.code == IoCode::kFailed) return false;
      pollfd waiting = {connection_->descriptor(),
                        static_cast<short>(result.code == IoCode::kWantRead ? POLLIN : POLLOUT), 0};
      if (poll(&waiting, 1, 5000) != 1) return false;
    }
  }
  const std::unique_ptr<Connection> connection_;
};

class TlsStreamTest : public ::testing::Test {
 protected:
  TlsStreamTest() : authority_(folder_.NewAuthority("authority")) {
    const CertificateFiles server = folder_.NewCertificate("server", authority_, {"", "127.0.0.1"});
    server_.certificate_file = server.certificate_file;
    server_.key_file = server.key_file;
    server_.ca_file = authority_.certificate_file;
    client_.ca_file = authority_.certificate_file;
    const CertificateFiles client = folder_.NewCertificate("client", authority_, {"router1.example"});
    client_.certificate_file = client.certificate_file;
    client_.key_file = client.key_file;
  }

  void Listen(absl::Duration handshake_timeout = absl::Seconds(10)) {
    StreamListenerOptions options;
    options.address = "tls://127.0.0.1:0";
    options.tls = *TlsContext::New(TlsRole::kServer, server_);
    options.handshake_timeout = handshake_timeout;
    auto group = StreamListener::NewGroup(options, 1);
    ASSERT_TRUE(group.ok()) << group.status();
    listener_ = std::move(group->listeners[0]);
    receiver_ = std::make_unique<StreamReceiver>(listener_.get());
  }
  std::shared_ptr<const TlsContext> ClientContext() { return *TlsContext::New(TlsRole::kClient, client_); }

  CertificateFolder folder_;
  const CertificateFiles authority_;
  TlsOptions server_, client_;
  std::unique_ptr<StreamListener> listener_;
  std::unique_ptr<StreamReceiver> receiver_;
};

TEST_F(TlsStreamTest, MessagesOfAnExporterWithACertificate) {
  Listen();
  std::string stream;
  for (uint32_t i = 0; i < 300; ++i) stream += IpfixMessage(i, 16 + i * 7919 % 20000);
  std::thread exporter([&] {
    TlsClient client(listener_->endpoint(), ClientContext());
    EXPECT_TRUE(client.ShakeHands()) << client.connection().fault_text();
    for (size_t at = 0, piece = 1; at < stream.size(); at += piece) {
      piece = 1 + at * 31 % 40000;
      EXPECT_TRUE(client.Send(absl::string_view(stream).substr(at, piece)));
    }
    client.connection().Close();
  });
  EXPECT_TRUE(receiver_->Until([&] { return listener_->counters().end(StreamEnd::kEndedByExporter) == 1; }));
  exporter.join();
  std::string received;
  for (const ReceivedMessage& message : receiver_->messages) received += message.octets;
  EXPECT_TRUE(received == stream);
  EXPECT_EQ(listener_->counters().octets, stream.size());
  EXPECT_EQ(receiver_->ended.size(), 1u);
}

TEST_F(TlsStreamTest, WhoIsRefusedIsCountedByReason) {
  const CertificateFiles stranger_authority = folder_.NewAuthority("stranger authority");
  struct {
    CertificateFiles shown;
    StreamEnd end;
  } const cases[] = {
      {{}, StreamEnd::kTlsNoCertificate},
      {folder_.NewCertificate("stranger", stranger_authority), StreamEnd::kTlsUntrusted},
      {folder_.NewCertificate("late", authority_, {"router1.example", "", -7200, -3600}), StreamEnd::kTlsExpired},
      {folder_.NewCertificate("other", authority_, {"router2.example"}), StreamEnd::kTlsWrongName},
  };
  server_.allowed_names = {"router1.example"};
  Listen();
  for (const auto& c : cases) {
    client_.certificate_file = c.shown.certificate_file;
    client_.key_file = c.shown.key_file;
    std::thread exporter([&] {
      TlsClient client(listener_->endpoint(), ClientContext());
      client.ShakeHands();
      client.Send(IpfixMessage(1, 100));
      client.WaitForEnd();
    });
    EXPECT_TRUE(receiver_->Until([&] { return listener_->counters().end(c.end) == 1; })) << StreamEndName(c.end);
    exporter.join();
  }
  // And the other way round.
  client_.ca_file = stranger_authority.certificate_file;
  std::thread exporter([&] {
    TlsClient client(listener_->endpoint(), ClientContext());
    EXPECT_FALSE(client.ShakeHands());
    EXPECT_EQ(client.connection().fault(), ConnectionFault::kTlsUntrusted);
  });
  EXPECT_TRUE(receiver_->Until([&] { return listener_->counters().end(StreamEnd::kTlsRefused) == 1; }));
  exporter.join();
  EXPECT_TRUE(receiver_->messages.empty());
  EXPECT_TRUE(receiver_->ended.empty());
  EXPECT_EQ(listener_->counters().accepted, 5u);
  EXPECT_EQ(listener_->counters().open, 0u);
}

TEST_F(TlsStreamTest, OneThatDoesNotSpeakHoldsUpNobody) {
  Listen(absl::Milliseconds(1500));
  const Descriptor silent = ConnectTo(listener_->endpoint());
  const Descriptor plain = ConnectTo(listener_->endpoint());
  SendAll(plain, IpfixMessage(1, 400));  // IPFIX, but no TLS
  const Descriptor half = ConnectTo(listener_->endpoint());
  SendAll(half, std::string("\x16\x03\x01\x02\x00\x01", 6));  // the head of a ClientHello
  std::thread exporter([&] {
    TlsClient client(listener_->endpoint(), ClientContext());
    EXPECT_TRUE(client.ShakeHands());
    EXPECT_TRUE(client.Send(IpfixMessage(7, 16)));
    EXPECT_EQ(client.WaitForEnd(), ConnectionFault::kNone);
  });
  EXPECT_TRUE(receiver_->Until([&] { return receiver_->messages.size() == 1; }));
  EXPECT_TRUE(receiver_->Until([&] { return listener_->counters().end(StreamEnd::kSlowHandshake) == 2; }));
  EXPECT_EQ(listener_->counters().end(StreamEnd::kTlsProtocol), 1u);
  EXPECT_EQ(listener_->counters().open, 1u);
  EXPECT_TRUE(IsClosedByPeer(silent));
  EXPECT_TRUE(IsClosedByPeer(plain));
  EXPECT_TRUE(IsClosedByPeer(half));
  receiver_.reset();
  listener_.reset();  // ends the one that is left
  exporter.join();
}

TEST_F(TlsStreamTest, ARenewedCertificateIsForNewConnections) {
  Listen();
  const auto old_context = ClientContext();
  const CertificateFiles other_authority = folder_.NewAuthority("other authority");
  const CertificateFiles renewed = folder_.NewCertificate("renewed", other_authority, {"", "127.0.0.1"});
  std::atomic<bool> go{false};
  std::thread first([&] {
    TlsClient client(listener_->endpoint(), old_context);
    EXPECT_TRUE(client.ShakeHands());
    EXPECT_TRUE(client.Send(IpfixMessage(1, 16)));
    while (!go) absl::SleepFor(absl::Milliseconds(1));
    EXPECT_TRUE(client.Send(IpfixMessage(2, 16)));
  });
  EXPECT_TRUE(receiver_->Until([&] { return receiver_->messages.size() == 1; }));
  server_.certificate_file = renewed.certificate_file;
  server_.key_file = renewed.key_file;
  listener_->SetTls(*TlsContext::New(TlsRole::kServer, server_));
  client_.ca_file = other_authority.certificate_file;
  const auto new_context = ClientContext();
  std::thread second([&] {
    TlsClient client(listener_->endpoint(), new_context);
    EXPECT_TRUE(client.ShakeHands()) << client.connection().fault_text();
    EXPECT_TRUE(client.Send(IpfixMessage(3, 16)));
  });
  EXPECT_TRUE(receiver_->Until([&] { return receiver_->messages.size() == 2; }));
  go = true;
  EXPECT_TRUE(receiver_->Until([&] { return receiver_->messages.size() == 3; }));
  first.join();
  second.join();
}

}  // namespace
}  // namespace flowacct::collector
