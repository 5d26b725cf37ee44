#include "flowacct/collector/stream/stream_listener.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/collector/listen/source_steering.h"
#include "flowacct/collector/socket/descriptor.h"
#include "flowacct/collector/stream/stream_client.h"

namespace flowacct::collector {
namespace {

StreamListenerOptions At(const std::string& address) {
  StreamListenerOptions options;
  options.address = address;
  return options;
}

struct Server {
  explicit Server(const StreamListenerOptions& options = At("tcp://127.0.0.1:0")) {
    auto group = StreamListener::NewGroup(options, 1);
    EXPECT_TRUE(group.ok()) << group.status();
    listener = std::move(group->listeners[0]);
    receiver = std::make_unique<StreamReceiver>(listener.get());
  }
  ~Server() {
    const StreamListenerCounters& counters = listener->counters();
    EXPECT_EQ(counters.accepted,
              counters.open + std::accumulate(counters.ends.begin(), counters.ends.end(), uint64_t{0}));
  }
  bool UntilEnd(StreamEnd reason, uint64_t times = 1) {
    return receiver->Until([&] { return listener->counters().end(reason) >= times; });
  }
  std::unique_ptr<StreamListener> listener;
  std::unique_ptr<StreamReceiver> receiver;
};

TEST(StreamListenerTest, MessagesOfAConnection) {
  for (const char* address : {"tcp://127.0.0.1:0", "tcp://[::]:0"}) {
    Server server(At(address));
    const Descriptor client = ConnectTo(server.listener->endpoint(), "127.0.0.5");
    SendAll(client, IpfixMessage(1, 100) + IpfixMessage(2, 16) + IpfixMessage(3, 65535));
    ASSERT_TRUE(server.receiver->Until([&] { return server.receiver->messages.size() == 3; }));
    EXPECT_EQ(server.receiver->messages[0].octets, IpfixMessage(1, 100));
    EXPECT_EQ(server.receiver->messages[1].octets, IpfixMessage(2, 16));
    EXPECT_EQ(server.receiver->messages[2].octets, IpfixMessage(3, 65535));
    for (const ReceivedMessage& message : server.receiver->messages) {
      EXPECT_EQ(message.source, "127.0.0.5");
      EXPECT_EQ(message.session, server.receiver->messages[0].session);
      EXPECT_NE(message.session, 0u);
    }
    EXPECT_EQ(server.listener->counters().messages, 3u);
    EXPECT_EQ(server.listener->counters().octets, 100u + 16 + 65535);
    EXPECT_EQ(server.listener->counters().open, 1u);
    shutdown(client.get(), SHUT_WR);
    ASSERT_TRUE(server.UntilEnd(StreamEnd::kEndedByExporter));
    EXPECT_EQ(server.receiver->ended, std::vector<uint64_t>{server.receiver->messages[0].session});
    EXPECT_EQ(server.listener->counters().octets_lost, 0u);
    EXPECT_TRUE(IsClosedByPeer(client));
  }
}

// A message begins and ends wherever TCP cuts.
TEST(StreamListenerTest, CutAtEveryBoundary) {
  Server server;
  const std::string stream = IpfixMessage(1, 20) + IpfixMessage(2, 16) + IpfixMessage(3, 31);
  for (size_t cut = 1; cut < stream.size(); ++cut) {
    const Descriptor client = ConnectTo(server.listener->endpoint());
    const size_t before = server.receiver->messages.size();
    SendAll(client, stream.substr(0, cut));
    const size_t whole = cut >= 36 ? 2 : cut >= 20 ? 1 : 0;
    ASSERT_TRUE(server.receiver->Until([&] {
      return server.receiver->messages.size() == before + whole && server.listener->counters().accepted == cut;
    })) << cut;
    server.receiver->Some();
    SendAll(client, stream.substr(cut));
    ASSERT_TRUE(server.receiver->Until([&] { return server.receiver->messages.size() == before + 3; })) << cut;
    EXPECT_EQ(server.receiver->messages[before].octets, IpfixMessage(1, 20)) << cut;
    EXPECT_EQ(server.receiver->messages[before + 1].octets, IpfixMessage(2, 16)) << cut;
    EXPECT_EQ(server.receiver->messages[before + 2].octets, IpfixMessage(3, 31)) << cut;
  }
  EXPECT_EQ(server.listener->counters().octets, stream.size() * (stream.size() - 1));
}

TEST(StreamListenerTest, OctetByOctet) {
  Server server;
  const Descriptor client = ConnectTo(server.listener->endpoint());
  const std::string stream = IpfixMessage(1, 20) + IpfixMessage(2, 40);
  for (const char octet : stream) {
    SendAll(client, absl::string_view(&octet, 1));
    server.receiver->Some();
  }
  ASSERT_TRUE(server.receiver->Until([&] { return server.receiver->messages.size() == 2; }));
  EXPECT_EQ(server.receiver->messages[0].octets + server.receiver->messages[1].octets, stream);
}

TEST(StreamListenerTest, ManyMessagesInPiecesOfAnySize) {
  Server server;
  const Descriptor client = ConnectTo(server.listener->endpoint());
  std::string stream;
  for (uint32_t i = 0; i < 2000; ++i) stream += IpfixMessage(i, 16 + i * 7919 % 3000);
  size_t at = 0, piece = 1;
  while (at < stream.size()) {
    piece = piece * 75 % 65537;
    SendAll(client, absl::string_view(stream).substr(at, piece));
    at += std::min(piece, stream.size() - at);
    const StreamListenerCounters& counters = server.listener->counters();
    ASSERT_TRUE(server.receiver->Until([&] { return counters.octets + 65535 >= at; }));
  }
  ASSERT_TRUE(server.receiver->Until([&] { return server.receiver->messages.size() == 2000; }));
  std::string received;
  for (const ReceivedMessage& message : server.receiver->messages) received += message.octets;
  EXPECT_TRUE(received == stream);
}

TEST(StreamListenerTest, WhatIsNoMessageEndsTheSession) {
  struct {
    std::string octets;
    StreamEnd end;
    size_t messages;
    uint64_t lost;
  } const cases[] = {
      {"GET / HTTP/1.1\r\n\r\n", StreamEnd::kBadVersion, 0, 18},
      {IpfixMessage(1, 50) + "garbage", StreamEnd::kBadVersion, 1, 7},
      {std::string("\0\12\0\17", 4), StreamEnd::kBadLength, 0, 4},  // a length of 15
      {IpfixMessage(1, 16) + std::string("\0\12\0\0rest", 8), StreamEnd::kBadLength, 1, 8},
      {IpfixMessage(1, 50).substr(0, 49), StreamEnd::kCutMessage, 0, 49},
      {IpfixMessage(1, 50) + "\n", StreamEnd::kCutMessage, 1, 1},
  };
  for (const auto& c : cases) {
    Server server;
    const Descriptor client = ConnectTo(server.listener->endpoint());
    SendAll(client, c.octets);
    if (c.end == StreamEnd::kCutMessage) shutdown(client.get(), SHUT_WR);
    ASSERT_TRUE(server.UntilEnd(c.end)) << StreamEndName(c.end);
    EXPECT_TRUE(IsClosedByPeer(client));
    EXPECT_EQ(server.receiver->messages.size(), c.messages);
    EXPECT_EQ(server.receiver->ended.size(), c.messages);  // who had no message has no templates
    EXPECT_EQ(server.listener->counters().octets_lost, c.lost);
    EXPECT_EQ(server.listener->counters().open, 0u);
    // Others are served as before.
    const Descriptor next = ConnectTo(server.listener->endpoint());
    SendAll(next, IpfixMessage(9, 16));
    EXPECT_TRUE(server.receiver->Until([&] { return server.receiver->messages.size() == c.messages + 1; }));
  }
}

TEST(StreamListenerTest, AResetIsCounted) {
  Server server;
  Descriptor client = ConnectTo(server.listener->endpoint());
  SendAll(client, IpfixMessage(1, 16));
  ASSERT_TRUE(server.receiver->Until([&] { return server.receiver->messages.size() == 1; }));
  const linger hard = {1, 0};
  setsockopt(client.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
  client.Reset();
  EXPECT_TRUE(server.UntilEnd(StreamEnd::kReset));
  EXPECT_EQ(server.receiver->ended.size(), 1u);
}

TEST(StreamListenerTest, SilenceAndTricklesEnd) {
  StreamListenerOptions options = At("tcp://127.0.0.1:0");
  options.idle_timeout = absl::Seconds(2);
  options.message_timeout = absl::Milliseconds(200);
  Server server(options);
  const Descriptor silent = ConnectTo(server.listener->endpoint());
  const Descriptor begun = ConnectTo(server.listener->endpoint());
  const Descriptor trickling = ConnectTo(server.listener->endpoint());
  SendAll(silent, IpfixMessage(1, 16));
  SendAll(begun, IpfixMessage(1, 100).substr(0, 99));
  // An octet now and then does not help.
  const std::string message = IpfixMessage(2, 60000);
  size_t at = 0;
  ASSERT_TRUE(server.receiver->Until([&] {
    if (server.listener->counters().end(StreamEnd::kSlowMessage) == 2) return true;
    if (at < message.size()) send(trickling.get(), &message[at++], 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    absl::SleepFor(absl::Milliseconds(1));
    return false;
  }));
  EXPECT_LT(at, message.size());
  EXPECT_EQ(server.listener->counters().end(StreamEnd::kIdle), 0u);
  ASSERT_TRUE(server.UntilEnd(StreamEnd::kIdle));
  EXPECT_TRUE(IsClosedByPeer(silent));
  EXPECT_TRUE(IsClosedByPeer(begun));
  EXPECT_TRUE(IsClosedByPeer(trickling));
  EXPECT_EQ(server.receiver->ended.size(), 1u);
  EXPECT_EQ(server.listener->counters().open, 0u);
}

TEST(StreamListenerTest, MessagesKeepASessionAlive) {
  StreamListenerOptions options = At("tcp://127.0.0.1:0");
  options.idle_timeout = absl::Seconds(1);
  Server server(options);
  const Descriptor client = ConnectTo(server.listener->endpoint());
  for (uint32_t i = 1; i <= 8; ++i) {
    SendAll(client, IpfixMessage(i, 16));
    ASSERT_TRUE(server.receiver->Until([&] { return server.receiver->messages.size() == i; }));
    absl::SleepFor(absl::Milliseconds(200));
  }
  EXPECT_EQ(server.listener->counters().open, 1u);
}

TEST(StreamListenerTest, BoundsOnConnections) {
  StreamListenerOptions options = At("tcp://0.0.0.0:0");
  options.max_connections = 5;
  options.max_connections_of_source = 2;
  options.admit = [](const base::IpAddress& source) { return source.ToString() != "127.0.0.66"; };
  Server server(options);
  std::vector<Descriptor> clients;
  const auto connect = [&](const char* from) { clients.push_back(ConnectTo(server.listener->endpoint(), from)); };
  for (int i = 0; i < 3; ++i) connect("127.0.0.1");
  ASSERT_TRUE(server.UntilEnd(StreamEnd::kTooManyOfSource));
  EXPECT_TRUE(IsClosedByPeer(clients[2]));
  connect("127.0.0.66");
  ASSERT_TRUE(server.UntilEnd(StreamEnd::kUnknownExporter));
  for (const char* from : {"127.0.0.2", "127.0.0.2", "127.0.0.3"}) connect(from);
  ASSERT_TRUE(server.receiver->Until([&] { return server.listener->counters().open == 5; }));
  connect("127.0.0.4");
  ASSERT_TRUE(server.UntilEnd(StreamEnd::kTooManyConnections));
  // Who leaves makes room.
  clients[0].Reset();
  ASSERT_TRUE(server.UntilEnd(StreamEnd::kEndedByExporter));
  connect("127.0.0.1");
  SendAll(clients.back(), IpfixMessage(1, 16));
  ASSERT_TRUE(server.receiver->Until([&] { return server.receiver->messages.size() == 1; }));
  EXPECT_EQ(server.listener->counters().accepted, 9u);
}

TEST(StreamListenerTest, AThousandConnections) {
  rlimit files = {};
  getrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < 2200) {
    files.rlim_cur = std::min<rlim_t>(files.rlim_max, 4096);
    setrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur < 2200) GTEST_SKIP() << "needs 2,200 file descriptors";
  }
  StreamListenerOptions options = At("tcp://127.0.0.1:0");
  options.max_connections_of_source = 1000;
  Server server(options);
  std::vector<Descriptor> clients;
  for (uint32_t i = 0; i < 1000; ++i) {
    clients.push_back(ConnectTo(server.listener->endpoint()));
    SendAll(clients.back(), IpfixMessage(i, 100));
    server.receiver->Some();  // the queue of those who knock is bounded, too
  }
  for (uint32_t i = 0; i < 1000; ++i) SendAll(clients[i], IpfixMessage(1000 + i, 200));
  ASSERT_TRUE(server.receiver->Until([&] { return server.receiver->messages.size() == 2000; }));
  EXPECT_EQ(server.listener->counters().open, 1000u);
  std::set<uint64_t> sessions;
  for (const ReceivedMessage& message : server.receiver->messages) sessions.insert(message.session);
  EXPECT_EQ(sessions.size(), 1000u);
  clients.clear();
  ASSERT_TRUE(server.UntilEnd(StreamEnd::kEndedByExporter, 1000));
  EXPECT_EQ(server.receiver->ended.size(), 1000u);
  EXPECT_EQ(server.listener->counters().open, 0u);
}

TEST(StreamListenerTest, WithoutDescriptorsThoseWhoKnockWait) {
  StreamListenerOptions options = At("tcp://127.0.0.1:0");
  options.handshake_timeout = absl::Milliseconds(100);  // its quarter is the listener's tick
  Server server(options);
  const Descriptor client = ConnectTo(server.listener->endpoint());
  SendAll(client, IpfixMessage(1, 16));
  rlimit before = {};
  getrlimit(RLIMIT_NOFILE, &before);
  const int used = dup(0);
  close(used);
  const rlimit none_left = {static_cast<rlim_t>(used), before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none_left), 0);
  ASSERT_TRUE(server.receiver->Until([&] { return server.listener->counters().accept_errors == 2; }));
  EXPECT_EQ(server.listener->counters().last_accept_error, EMFILE);
  EXPECT_EQ(server.listener->counters().accepted, 0u);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_TRUE(server.receiver->Until([&] { return server.receiver->messages.size() == 1; }));
  EXPECT_LT(server.listener->counters().accept_errors, 50u);  // tried at ticks, not in circles
}

TEST(StreamListenerTest, ASourceStaysAtItsWorker) {
  auto group = StreamListener::NewGroup(At("tcp://0.0.0.0:0"), 3);
  ASSERT_TRUE(group.ok()) << group.status();
  ASSERT_EQ(group->listeners.size(), 3u);
  std::vector<Descriptor> clients;
  for (uint32_t source = 1; source <= 30; ++source) {
    for (uint32_t i = 0; i < 2; ++i) {
      clients.push_back(ConnectTo(group->listeners[0]->endpoint(), absl::StrCat("127.0.0.", source)));
      SendAll(clients.back(), IpfixMessage(source, 16));
    }
  }
  size_t sum = 0;
  for (size_t worker = 0; worker < 3; ++worker) {
    StreamReceiver receiver(group->listeners[worker].get());
    size_t expected = 0;
    for (uint32_t source = 1; source <= 30; ++source) {
      if (WorkerOfSource(base::IpAddress::V4(0x7f000000 + source), 3) == worker) expected += 2;
    }
    EXPECT_GT(expected, 0u);
    EXPECT_TRUE(receiver.Until([&] { return receiver.messages.size() == expected; })) << worker;
    for (const ReceivedMessage& message : receiver.messages) {
      EXPECT_EQ(WorkerOfSource(*base::IpAddress::Parse(message.source), 3), worker);
    }
    sum += receiver.messages.size();
  }
  EXPECT_EQ(sum, 60u);
}

TEST(StreamListenerTest, RefusesWhatCannotBe) {
  struct {
    StreamListenerOptions options;
    const char* says;
  } cases[] = {
      {At("udp://[::]:4739"), "has the transport 'udp', which is not among tcp://, tls://"},
      {At("tls://[::]:4740"), "tls is not given; a certificate is needed"},
      {At("tcp://203.0.113.77:0"), "no interface of this machine has the address"},
      {At("tcp://127.0.0.1:0"), "max_connections: 0 would let nobody in"},
      {At("tcp://127.0.0.1:0"), "idle_timeout: 0; it must be more than 0"},
  };
  cases[3].options.max_connections = 0;
  cases[4].options.idle_timeout = absl::ZeroDuration();
  for (const auto& c : cases) {
    const auto group = StreamListener::NewGroup(c.options, 1);
    ASSERT_FALSE(group.ok());
    EXPECT_TRUE(absl::StrContains(group.status().message(), c.says)) << group.status();
  }
  Server server;
  for (const size_t workers : {1, 2}) {
    const auto second = StreamListener::NewGroup(At(server.listener->endpoint().ToString()), workers);
    EXPECT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists) << second.status();
    EXPECT_TRUE(absl::StrContains(second.status().message(), "'ss -tlnp sport = :")) << second.status();
  }
}

TEST(StreamListenerTest, EndsHaveNames) {
  EXPECT_EQ(StreamEndName(StreamEnd::kSlowMessage), "slow_message");
  EXPECT_EQ(StreamEndHelp(StreamEnd::kIdle), "no message for the idle timeout");
}

}  // namespace
}  // namespace flowacct::collector
