#include "flowacct/collector/listen/udp_listener.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/collector/generate/workload.h"
#include "flowacct/collector/listen/source_steering.h"
#include "flowacct/collector/listen/testing/udp_sender.h"
#include "flowacct/collector/socket/bound_socket.h"
#include "flowacct/collector/socket/socket_address.h"
#include "flowacct/collector/socket/testing/network_namespace.h"
#include "flowacct/record/datagram.h"
#include "flowacct/testing/allocation_counter.h"

namespace flowacct::collector {
namespace {

UdpListenerOptions At(const std::string& address, void (*change)(UdpListenerOptions*) = nullptr) {
  UdpListenerOptions options;
  options.address = address;
  if (change != nullptr) change(&options);
  return options;
}

std::unique_ptr<UdpListener> NewListener(const UdpListenerOptions& options) {
  absl::StatusOr<UdpListener::Group> group = UdpListener::NewGroup(options, 1);
  EXPECT_TRUE(group.ok()) << group.status();
  return group.ok() ? std::move(group->listeners[0]) : nullptr;
}

std::unique_ptr<UdpSender> NewSender(const Endpoint& to, absl::string_view from = "") {
  absl::StatusOr<std::unique_ptr<UdpSender>> sender = UdpSender::New(to, from);
  EXPECT_TRUE(sender.ok()) << sender.status();
  return sender.ok() ? *std::move(sender) : nullptr;
}

// Over loopback a datagram is in the socket's buffer, or dropped, when the call that sends it returns.
std::vector<record::Datagram> ReceiveOnce(UdpListener* listener) {
  const auto datagrams = listener->Receive();
  return {datagrams.begin(), datagrams.end()};
}

TEST(UdpListenerTest, TellsFromWhomToWhomAndWhen) {
  struct {
    const char* listen;
    const char* from;
    const char* source;
    const char* destination;
  } const cases[] = {
      {"udp://127.0.0.1:0", "udp://127.0.0.7:0", "127.0.0.7", "127.0.0.1"},
      {"udp://0.0.0.0:0", "udp://127.0.0.7:0", "127.0.0.7", "127.0.0.1"},
      {"udp://[::]:0", "udp://[::1]:0", "::1", "::1"},
      {"udp://[::]:0", "udp://127.0.0.7:0", "127.0.0.7", "127.0.0.1"},  // both families
      {"udp://[::1]:0", "udp://[::1]:0", "::1", "::1"},
  };
  for (const auto& c : cases) {
    for (const bool kernel_times : {false, true}) {
      UdpListenerOptions options;
      options.address = c.listen;
      options.kernel_times = kernel_times;
      const auto listener = NewListener(options);
      ASSERT_NE(listener, nullptr);
      const auto sender = NewSender(listener->endpoint(), c.from);
      ASSERT_NE(sender, nullptr);
      const int64_t before = absl::GetCurrentTimeNanos();
      ASSERT_TRUE(sender->Send({"one", "two"}).ok());
      const std::vector<record::Datagram> received = ReceiveOnce(listener.get());
      const int64_t after = absl::GetCurrentTimeNanos();
      ASSERT_EQ(received.size(), 2u) << c.listen;
      for (const record::Datagram& datagram : received) {
        EXPECT_EQ(datagram.source.ToString(), c.source);
        EXPECT_EQ(datagram.source_port, sender->from().port);
        EXPECT_EQ(datagram.destination.ToString(), c.destination);
        EXPECT_EQ(datagram.destination_port, listener->endpoint().port);
        EXPECT_EQ(datagram.transport, record::Transport::kUdp);
        // The system's clock of packets may tick a little apart from the process'.
        EXPECT_GE(datagram.arrival_nanos, before - 10000000);
        EXPECT_LE(datagram.arrival_nanos, after + 10000000);
      }
      EXPECT_EQ(base::AsText(received[0].octets), "one");
      EXPECT_EQ(base::AsText(received[1].octets), "two");
      EXPECT_EQ(listener->counters().datagrams, 2u);
      EXPECT_EQ(listener->counters().octets, 6u);
      EXPECT_TRUE(listener->Receive().empty());
      EXPECT_EQ(listener->counters().calls, 1u);
      EXPECT_EQ(listener->counters().errors, 0u);
      EXPECT_EQ(listener->counters().kernel_drops, 0u);
    }
  }
}

TEST(UdpListenerTest, EverySizeIsWhole) {
  const auto listener = NewListener(At("udp://127.0.0.1:0"));
  ASSERT_NE(listener, nullptr);
  std::vector<std::string> sent;
  for (const size_t size : {0, 1, 511, 1472, 8192, 9000, 65507}) sent.push_back(std::string(size, 'a' + size % 26));
  const auto sender = NewSender(listener->endpoint());
  ASSERT_TRUE(sender->Send(sent).ok());
  const std::vector<record::Datagram> received = ReceiveOnce(listener.get());
  ASSERT_EQ(received.size(), sent.size());
  for (size_t i = 0; i < sent.size(); ++i) EXPECT_EQ(base::AsText(received[i].octets), sent[i]) << i;
  EXPECT_EQ(listener->counters().truncated, 0u);
}

TEST(UdpListenerTest, ALongerOneIsCutAndCounted) {
  const auto listener =
      NewListener(At("udp://127.0.0.1:0", [](UdpListenerOptions* o) { o->max_datagram_octets = 512; }));
  ASSERT_NE(listener, nullptr);
  const auto sender = NewSender(listener->endpoint());
  ASSERT_TRUE(sender->Send({std::string(512, 'a'), std::string(513, 'b'), std::string(3, 'c')}).ok());
  const std::vector<record::Datagram> received = ReceiveOnce(listener.get());
  ASSERT_EQ(received.size(), 3u);
  EXPECT_EQ(base::AsText(received[0].octets), std::string(512, 'a'));
  EXPECT_EQ(base::AsText(received[1].octets), std::string(512, 'b'));
  EXPECT_EQ(base::AsText(received[2].octets), "ccc");
  EXPECT_EQ(listener->counters().truncated, 1u);
  EXPECT_EQ(listener->counters().octets, 1027u);
}

TEST(UdpListenerTest, WhatTheSystemDropsIsCountedExactly) {
  const auto listener =
      NewListener(At("udp://127.0.0.1:0", [](UdpListenerOptions* o) { o->receive_buffer_octets = 65536; }));
  ASSERT_NE(listener, nullptr);
  EXPECT_EQ(listener->granted_buffer_octets(), 65536u);
  const auto sender = NewSender(listener->endpoint());
  uint64_t received = 0;
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(sender->Send(std::vector<std::string>(1000, std::string(1400, 'x'))).ok());
    // Known before anything is received, and though nothing comes after the drops.
    EXPECT_GT(listener->counters().kernel_drops, 500u * (round + 1));
    for (;;) {
      const size_t n = listener->Receive().size();
      if (n == 0) break;
      EXPECT_EQ(listener->more(), n == 64);
      received += n;
    }
    EXPECT_EQ(received + listener->counters().kernel_drops, sender->sent());
  }
  EXPECT_EQ(listener->counters().datagrams, received);
  EXPECT_GT(received, 0u);
}

TEST(UdpListenerTest, AWorkloadArrivesWhole) {
  WorkloadOptions workload;
  workload.kind = WorkloadKind::kIpfix;
  workload.records = 5000;
  workload.distinct_keys = 1000;
  const auto datagrams = DatagramsOfWorkload(workload);
  ASSERT_TRUE(datagrams.ok());
  const auto listener = NewListener(At("udp://[::]:0"));
  ASSERT_NE(listener, nullptr);
  const auto sender = NewSender(listener->endpoint());
  ASSERT_TRUE(sender->Send(*datagrams).ok());
  size_t at = 0;
  for (;;) {
    const auto received = listener->Receive();
    if (received.empty()) break;
    for (const record::Datagram& datagram : received) {
      ASSERT_LT(at, datagrams->size());
      EXPECT_EQ(base::AsText(datagram.octets), (*datagrams)[at++]);
    }
  }
  EXPECT_EQ(at, datagrams->size());
}

TEST(UdpListenerTest, ABlockOfTheSystemIsTakenApart) {
  const auto listener = NewListener(At("udp://127.0.0.1:0", [](UdpListenerOptions* o) { o->coalesce = true; }));
  ASSERT_NE(listener, nullptr);
  const auto sender = OpenSocket(listener->endpoint());
  ASSERT_TRUE(sender.ok());
  const auto to = ToSocketAddress(listener->endpoint());
  ASSERT_EQ(connect(sender->get(), to->get(), to->length), 0);
  // Over loopback what is sent as one block (UDP_SEGMENT) arrives as one.
  constexpr int kUdpSegment = 103;
  const int segment = 1000;
  if (setsockopt(sender->get(), IPPROTO_UDP, kUdpSegment, &segment, sizeof(segment)) != 0) {
    GTEST_SKIP() << "this system does not send in blocks";
  }
  std::string block;
  for (int i = 0; i < 30; ++i) block += std::string(1000, static_cast<char>('A' + i));
  block += "tail";
  ASSERT_EQ(send(sender->get(), block.data(), block.size(), 0), static_cast<ssize_t>(block.size()));
  ASSERT_EQ(send(sender->get(), "single", 6, 0), 6);
  const std::vector<record::Datagram> received = ReceiveOnce(listener.get());
  ASSERT_EQ(received.size(), 32u);
  for (int i = 0; i < 30; ++i) {
    EXPECT_EQ(base::AsText(received[i].octets), std::string(1000, static_cast<char>('A' + i)));
    EXPECT_EQ(received[i].source_port, received[31].source_port);
  }
  EXPECT_EQ(base::AsText(received[30].octets), "tail");
  EXPECT_EQ(base::AsText(received[31].octets), "single");
  EXPECT_EQ(listener->counters().datagrams, 32u);
  EXPECT_EQ(listener->counters().octets, block.size() + 6);
}

TEST(UdpListenerTest, AllocatesNothingInSteadyState) {
  FLOWACCT_REQUIRE_ALLOCATION_COUNT();
  const auto listener = NewListener(At("udp://[::]:0"));
  ASSERT_NE(listener, nullptr);
  const auto sender = NewSender(listener->endpoint());
  const std::vector<std::string> datagrams(200, std::string(1400, 'x'));
  ASSERT_TRUE(sender->Send(datagrams).ok());
  testing::AllocationCounter counter;
  size_t received = 0;
  for (size_t n; (n = listener->Receive().size()) != 0;) received += n;
  EXPECT_EQ(counter.allocations(), 0);
  EXPECT_EQ(received, 200u);
}

TEST(UdpListenerTest, RefusesWhatCannotBe) {
  struct {
    UdpListenerOptions options;
    size_t workers;
    const char* says;
  } const cases[] = {
      {At("tcp://[::]:2055"), 1, "has the transport 'tcp', which is not among udp://"},
      {At("udp://[::]:0", [](UdpListenerOptions* o) { o->batch_datagrams = 0; }), 1,
       "batch_datagrams: 0; 1 to 1024 can be"},
      {At("udp://[::]:0", [](UdpListenerOptions* o) { o->batch_datagrams = 1025; }), 1, "batch_datagrams: 1025"},
      {At("udp://[::]:0", [](UdpListenerOptions* o) { o->max_datagram_octets = 100; }), 1,
       "max_datagram_octets: 100; 512 to 65535 can be"},
      {At("udp://[::]:0"), 0, "workers: 0; 1 to 1024 can be"},
      {At("udp://[::]:0", [](UdpListenerOptions* o) { o->bind_to_device = "nowhere9"; }), 1,
       "there is no such interface"},
      {At("udp://203.0.113.77:0"), 1, "no interface of this machine has the address"},
      {At("udp://203.0.113.77:2055"), 2, "no interface of this machine has the address"},
      {At("udp://[fe80::1%nowhere9]:2055"), 1, "there is no interface 'nowhere9'"},
  };
  for (const auto& c : cases) {
    const auto group = UdpListener::NewGroup(c.options, c.workers);
    ASSERT_FALSE(group.ok());
    EXPECT_TRUE(absl::StrContains(group.status().message(), c.says)) << group.status();
  }
}

TEST(UdpListenerTest, ATakenPortIsNotShared) {
  UdpListenerOptions options;
  options.address = "udp://127.0.0.1:0";
  const auto first = UdpListener::NewGroup(options, 2);
  ASSERT_TRUE(first.ok());
  options.address = first->listeners[0]->endpoint().ToString();
  for (const size_t workers : {1, 2}) {
    const auto second = UdpListener::NewGroup(options, workers);
    EXPECT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists);
    EXPECT_TRUE(absl::StrContains(second.status().message(), "is another collector running?")) << second.status();
  }
}

TEST(UdpListenerTest, FollowsAnInterfaceThatWentAndCameBack) {
  const std::string reason = InNetworkNamespace([] {
    const auto up = [] {
      return RunCommand(
          "ip link add fa0 type veth peer name fa1 && ip address add 198.51.100.1/24 dev fa0 && ip link set fa0 up && "
          "ip link set fa1 up");
    };
    ASSERT_TRUE(up());
    const auto listener = NewListener(At("udp://0.0.0.0:0", [](UdpListenerOptions* o) { o->bind_to_device = "fa0"; }));
    ASSERT_NE(listener, nullptr);
    EXPECT_TRUE(listener->FollowInterface().ok());
    // To an address of one's own the system delivers as if it had come over the interface that has it.
    Endpoint to = listener->endpoint();
    to.address = *base::IpAddress::Parse("198.51.100.1");
    const auto received_of_one = [&] {
      const auto sender = NewSender(to);
      return sender != nullptr && sender->Send({"datagram"}).ok() ? listener->Receive().size() : 99;
    };
    EXPECT_EQ(received_of_one(), 1u);

    ASSERT_TRUE(RunCommand("ip link delete fa0"));
    const absl::Status gone = listener->FollowInterface();
    EXPECT_EQ(gone.code(), absl::StatusCode::kNotFound);
    EXPECT_TRUE(absl::StrContains(gone.message(), "interface 'fa0' is gone")) << gone;
    EXPECT_EQ(listener->counters().interface_changes, 0u);
    ASSERT_TRUE(up());
    EXPECT_EQ(received_of_one(), 0u);  // the new one is another one
    EXPECT_TRUE(listener->FollowInterface().ok());
    EXPECT_TRUE(listener->FollowInterface().ok());
    EXPECT_EQ(listener->counters().interface_changes, 1u);
    EXPECT_EQ(received_of_one(), 1u);
  });
  if (!reason.empty()) GTEST_SKIP() << reason;
}

}  // namespace
}  // namespace flowacct::collector
