// The Transport over TCP and TLS, seen through its door.

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/connection/testing/certificates.h"
#include "flowacct/collector/connection/tls_context.h"
#include "flowacct/collector/socket/endpoint.h"
#include "flowacct/collector/stream/stream_client.h"
#include "flowacct/collector/stream/stream_listener.h"
#include "flowacct/collector/transport/transport.h"

namespace flowacct::collector {
namespace {

struct Server {
  explicit Server(const std::string& address = "tcp://127.0.0.1:0", std::shared_ptr<const TlsContext> tls = nullptr) {
    StreamListenerOptions options;
    options.address = address;
    options.tls = std::move(tls);
    auto group = StreamListener::NewGroup(options, 1);
    EXPECT_TRUE(group.ok()) << group.status();
    listener = std::move(group->listeners[0]);
    receiver = std::make_unique<StreamReceiver>(listener.get());
  }
  std::string address() const { return listener->endpoint().ToString(); }
  bool UntilMessages(size_t n) {
    return receiver->Until([&] { return receiver->messages.size() >= n; });
  }
  std::unique_ptr<StreamListener> listener;
  std::unique_ptr<StreamReceiver> receiver;
};

TransportOptions To(const std::string& to) {
  TransportOptions options;
  options.to = to;
  options.first_retry = absl::Milliseconds(10);
  options.last_retry = absl::Milliseconds(50);
  return options;
}

std::unique_ptr<Transport> NewTransport(const TransportOptions& options) {
  auto transport = Transport::New(options);
  EXPECT_TRUE(transport.ok()) << transport.status();
  return transport.ok() ? *std::move(transport) : nullptr;
}

bool Eventually(const std::function<bool()>& done) {
  for (int i = 0; i < 1000; ++i) {
    if (done()) return true;
    absl::SleepFor(absl::Milliseconds(10));
  }
  return false;
}

TEST(StreamTransportTest, SendsInOrderAndDrainsWhenClosed) {
  Server server;
  const auto transport = NewTransport(To(server.address()));
  std::string sent;
  uint64_t octets = 0;
  for (uint32_t i = 0; i < 500; ++i) {
    const std::string message = IpfixMessage(i, 16 + i * 7919 % 5000);
    ASSERT_TRUE(transport->Send(base::AsOctets(message)).ok());
    sent += message;
    octets += message.size();
  }
  std::thread closer([&] { transport->Close(absl::Seconds(10)); });
  EXPECT_TRUE(server.UntilMessages(500));
  closer.join();
  std::string received;
  for (const ReceivedMessage& message : server.receiver->messages) received += message.octets;
  EXPECT_TRUE(received == sent);
  const TransportCounters counters = transport->counters();
  EXPECT_EQ(counters.sent, 500u);
  EXPECT_EQ(counters.octets, octets);
  EXPECT_EQ(counters.dropped + counters.queued + counters.queued_octets + counters.errors, 0u);
  EXPECT_EQ(counters.sessions, 1u);
  EXPECT_TRUE(
      server.receiver->Until([&] { return server.listener->counters().end(StreamEnd::kEndedByExporter) == 1; }));
  EXPECT_EQ(server.listener->counters().octets_lost, 0u);
  EXPECT_EQ(transport->Send(base::AsOctets("late")).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(transport->counters().dropped, 1u);
}

TEST(StreamTransportTest, WaitsForAReceiverAndKeepsABoundedQueue) {
  std::string address;
  {
    Server server;
    address = server.address();
  }
  TransportOptions options = To(address);
  options.max_queued_octets = 1000;
  const auto transport = NewTransport(options);
  for (uint32_t i = 0; i < 10; ++i) EXPECT_TRUE(transport->Send(base::AsOctets(IpfixMessage(i, 100))).ok());
  const absl::Status full = transport->Send(base::AsOctets(IpfixMessage(10, 100)));
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(absl::StrContains(full.message(), "max_queued_octets (1000) are queued already")) << full;
  EXPECT_TRUE(Eventually([&] { return transport->counters().refused >= 3; }));
  EXPECT_EQ(transport->counters().last_error, "Connection refused");
  EXPECT_EQ(transport->counters().queued, 10u);
  EXPECT_EQ(transport->counters().queued_octets, 1000u);
  EXPECT_FALSE(transport->connected());
  EXPECT_EQ(transport->session(), 0u);
  Server server(address);
  ASSERT_TRUE(server.UntilMessages(10));
  for (uint32_t i = 0; i < 10; ++i) EXPECT_EQ(server.receiver->messages[i].octets, IpfixMessage(i, 100));
  EXPECT_TRUE(Eventually([&] { return transport->counters().queued == 0; }));
  EXPECT_TRUE(transport->connected());
  EXPECT_EQ(transport->counters().sent, 10u);
  EXPECT_EQ(transport->counters().dropped, 1u);
  EXPECT_TRUE(transport->Send(base::AsOctets(IpfixMessage(11, 900))).ok());
  EXPECT_TRUE(server.UntilMessages(11));
}

TEST(StreamTransportTest, EachSessionBeginsWithThePreamble) {
  auto server = std::make_unique<Server>();
  const std::string address = server->address();
  const auto transport = NewTransport(To(address));
  transport->SetPreamble(base::AsOctets(IpfixMessage(100, 48) + IpfixMessage(101, 48)));
  // The first session may have begun before it was given one.
  ASSERT_TRUE(server->receiver->Until([&] { return server->listener->counters().accepted == 1; }));
  for (uint64_t session = 1; session <= 4; ++session) {
    ASSERT_TRUE(Eventually([&] { return transport->session() == session; }));
    ASSERT_TRUE(transport->Send(base::AsOctets(IpfixMessage(7, 200))).ok());
    const std::vector<ReceivedMessage>& messages = server->receiver->messages;
    ASSERT_TRUE(
        server->receiver->Until([&] { return !messages.empty() && messages.back().octets == IpfixMessage(7, 200); }));
    if (session > 1) {
      ASSERT_EQ(server->receiver->messages.size(), 3u);
      EXPECT_EQ(server->receiver->messages[0].octets, IpfixMessage(100, 48));
      EXPECT_EQ(server->receiver->messages[1].octets, IpfixMessage(101, 48));
      EXPECT_EQ(server->receiver->messages[2].octets, IpfixMessage(7, 200));
    }
    server.reset();
    server = std::make_unique<Server>(address);
    ASSERT_TRUE(server->receiver->Until([&] { return server->listener->counters().accepted == 1; }));
  }
  EXPECT_EQ(transport->counters().sent, 4u);
  EXPECT_EQ(transport->counters().breaks, 4u);
}

TEST(StreamTransportTest, AReceiverThatDoesNotReadLosesNothingThatIsQueued) {
  Server server;
  const auto transport = NewTransport(To(server.address()));
  const std::string message = IpfixMessage(1, 60000);
  uint64_t taken = 0, dropped = 0;
  // More than the sockets' buffers and the queue hold together.
  for (int i = 0; i < 600; ++i) ++(transport->Send(base::AsOctets(message)).ok() ? taken : dropped);
  EXPECT_GT(dropped, 0u);
  TransportCounters counters = transport->counters();
  EXPECT_EQ(counters.sent + counters.queued, taken);
  EXPECT_EQ(counters.dropped, dropped);
  EXPECT_LE(counters.queued_octets, size_t{16} << 20);
  EXPECT_TRUE(server.UntilMessages(taken));
  EXPECT_EQ(server.receiver->messages.size(), taken);
}

TEST(StreamTransportTest, WhatIsLeftWhenTheTimeIsOverIsCounted) {
  std::string address;
  {
    Server server;
    address = server.address();
  }
  const auto transport = NewTransport(To(address));
  for (uint32_t i = 0; i < 10; ++i) EXPECT_TRUE(transport->Send(base::AsOctets(IpfixMessage(i, 100))).ok());
  const absl::Time begin = absl::Now();
  transport->Close(absl::Milliseconds(100));
  EXPECT_GE(absl::Now() - begin, absl::Milliseconds(95));
  EXPECT_LT(absl::Now() - begin, absl::Seconds(5));
  EXPECT_EQ(transport->counters().sent, 0u);
  EXPECT_EQ(transport->counters().dropped, 10u);
  EXPECT_EQ(transport->counters().queued, 0u);
}

TEST(StreamTransportTest, SeveralThreadsSend) {
  Server server;
  const auto transport = NewTransport(To(server.address()));
  std::vector<std::thread> senders;
  for (uint32_t sender = 0; sender < 4; ++sender) {
    senders.emplace_back([&, sender] {
      for (uint32_t i = 0; i < 100; ++i) {
        EXPECT_TRUE(transport->Send(base::AsOctets(IpfixMessage(sender * 1000 + i, 300))).ok());
        transport->SetPreamble(base::AsOctets(IpfixMessage(sender, 16)));
        transport->counters();
      }
    });
  }
  EXPECT_TRUE(server.UntilMessages(400));
  for (std::thread& sender : senders) sender.join();
  EXPECT_TRUE(Eventually([&] { return transport->counters().sent == 400; }));
}

TEST(StreamTransportTest, OverTlsWithCertificatesOnBothSides) {
  CertificateFolder folder;
  const CertificateFiles authority = folder.NewAuthority("authority");
  const CertificateFiles server_files = folder.NewCertificate("server", authority, {"", "127.0.0.1"});
  const CertificateFiles client_files = folder.NewCertificate("client", authority);
  const auto context = [&](TlsRole role, const CertificateFiles& files) {
    TlsOptions options;
    options.certificate_file = files.certificate_file;
    options.key_file = files.key_file;
    options.ca_file = authority.certificate_file;
    return *TlsContext::New(role, options);
  };
  Server server("tls://127.0.0.1:0", context(TlsRole::kServer, server_files));
  TransportOptions options = To(server.address());
  options.tls = context(TlsRole::kClient, client_files);
  const auto transport = NewTransport(options);
  std::string sent;
  for (uint32_t i = 0; i < 200; ++i) {
    const std::string message = IpfixMessage(i, 16 + i * 7919 % 30000);
    ASSERT_TRUE(transport->Send(base::AsOctets(message)).ok());
    sent += message;
  }
  EXPECT_TRUE(server.UntilMessages(200));
  std::string received;
  for (const ReceivedMessage& message : server.receiver->messages) received += message.octets;
  EXPECT_TRUE(received == sent);
  transport->Close(absl::Seconds(5));
  EXPECT_EQ(transport->counters().sent, 200u);

  // One that the server does not let in tries on, and says why not.
  TlsOptions stranger;
  stranger.ca_file = authority.certificate_file;
  options.tls = *TlsContext::New(TlsRole::kClient, stranger);
  const auto refused = NewTransport(options);
  EXPECT_TRUE(refused->Send(base::AsOctets(IpfixMessage(1, 16))).ok());
  EXPECT_TRUE(
      server.receiver->Until([&] { return server.listener->counters().end(StreamEnd::kTlsNoCertificate) >= 3; }));
  EXPECT_TRUE(absl::StartsWith(refused->counters().last_error, "tls_refused: ")) << refused->counters().last_error;
}

TEST(StreamTransportTest, RefusesWhatCannotBe) {
  struct {
    TransportOptions options;
    const char* says;
  } cases[] = {
      {To("tls://192.0.2.9:4740"), "tls is not given; it says whom to trust"},
      {To("tcp://0.0.0.0:4739"), "is no address that can be sent to"},
      {To("tcp://192.0.2.9:4739"), "last_retry at least first_retry"},
  };
  cases[2].options.last_retry = absl::Milliseconds(1);
  for (const auto& c : cases) {
    const auto transport = Transport::New(c.options);
    ASSERT_FALSE(transport.ok()) << c.says;
    EXPECT_TRUE(absl::StrContains(transport.status().message(), c.says)) << transport.status();
  }
}

}  // namespace
}  // namespace flowacct::collector
