// That an exporter stays at its worker, whatever it sends from, from the first datagram on.

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/collector/listen/source_steering.h"
#include "flowacct/collector/listen/testing/udp_sender.h"
#include "flowacct/collector/listen/udp_listener.h"
#include "flowacct/collector/socket/endpoint.h"
#include "flowacct/collector/socket/testing/network_namespace.h"
#include "flowacct/record/datagram.h"

namespace flowacct::collector {
namespace {

UdpListenerOptions At(const std::string& address) {
  UdpListenerOptions options;
  options.address = address;
  return options;
}

// What each listener has; fails if one has a source that is not its own.
std::vector<size_t> TakeAllOf(const UdpListener::Group& group, int at_most_batches = 1000) {
  std::vector<size_t> counts;
  for (size_t worker = 0; worker < group.listeners.size(); ++worker) {
    counts.push_back(0);
    for (int batch = 0; batch < at_most_batches; ++batch) {
      const auto datagrams = group.listeners[worker]->Receive();
      if (datagrams.empty()) break;
      counts.back() += datagrams.size();
      size_t strangers = 0;
      for (const record::Datagram& datagram : datagrams) {
        if (WorkerOfSource(datagram.source, group.listeners.size()) != worker) ++strangers;
      }
      EXPECT_EQ(strangers, 0u) << "at worker " << worker;
    }
  }
  return counts;
}

void SendFrom(const Endpoint& to, const std::string& from, size_t n) {
  const auto sender = UdpSender::New(to, from);
  ASSERT_TRUE(sender.ok()) << sender.status();
  ASSERT_TRUE((*sender)->Send(std::vector<std::string>(n, "datagram")).ok());
}

TEST(SourceSteeringTest, SpreadsNeighbouringAddresses) {
  for (const size_t workers : {2, 3, 4, 7, 16}) {
    for (const char* first : {"192.0.2.0", "10.0.0.0", "2001:db8::", "fd00::1:0:0"}) {
      std::vector<int> counts(workers, 0);
      base::IpAddress address = *base::IpAddress::Parse(first);
      constexpr int kSources = 250;
      for (int i = 0; i < kSources; ++i) {
        address.data()[15] = static_cast<uint8_t>(i);
        ++counts[WorkerOfSource(address, workers)];
      }
      for (const int count : counts) {
        EXPECT_GT(count, kSources / static_cast<int>(workers) / 3) << first << " over " << workers;
        EXPECT_LT(count, kSources / static_cast<int>(workers) * 2 + 5) << first << " over " << workers;
      }
    }
  }
  EXPECT_EQ(WorkerOfSource(*base::IpAddress::Parse("192.0.2.1"), 1), 0u);
}

TEST(UdpGroupTest, AnIpv4ExporterStaysAtItsWorkerWhateverItsPort) {
  for (const char* address : {"udp://0.0.0.0:0", "udp://[::]:0", "udp://127.0.0.1:0"}) {
    const auto group = UdpListener::NewGroup(At(address), 4);
    ASSERT_TRUE(group.ok()) << group.status();
    ASSERT_EQ(group->listeners.size(), 4u);
    std::set<uint16_t> ports;
    for (const auto& listener : group->listeners) ports.insert(listener->endpoint().port);
    EXPECT_EQ(ports.size(), 1u);
    for (int source = 1; source <= 40; ++source) {
      for (int port = 0; port < 3; ++port) {
        SendFrom(group->listeners[0]->endpoint(), absl::StrCat("udp://127.0.0.", source, ":0"), 2);
      }
    }
    size_t sum = 0;
    for (const size_t count : TakeAllOf(*group)) {
      EXPECT_GT(count, 0u) << address;
      sum += count;
    }
    EXPECT_EQ(sum, 40u * 3 * 2);
    for (const auto& listener : group->listeners) EXPECT_EQ(listener->counters().kernel_drops, 0u);
  }
}

TEST(UdpGroupTest, AnIpv6ExporterToo) {
  const std::string reason = InNetworkNamespace([] {
    std::string commands = "true";
    for (int source = 1; source <= 24; ++source) {
      commands += absl::StrCat(" && ip -6 address add 2001:db8::", source, "/128 dev lo nodad");
    }
    ASSERT_TRUE(RunCommand(commands));
    const auto group = UdpListener::NewGroup(At("udp://[::]:0"), 3);
    ASSERT_TRUE(group.ok()) << group.status();
    for (int source = 1; source <= 24; ++source) {
      for (int port = 0; port < 2; ++port) {
        SendFrom(group->listeners[0]->endpoint(), absl::StrCat("udp://[2001:db8::", source, "]:0"), 1);
      }
    }
    size_t sum = 0;
    for (const size_t count : TakeAllOf(*group)) {
      EXPECT_GT(count, 0u);
      sum += count;
    }
    EXPECT_EQ(sum, 48u);
  });
  if (!reason.empty()) GTEST_SKIP() << reason;
}

TEST(UdpGroupTest, NothingReachesAnotherWorkerWhileTheGroupIsMade) {
  // A port that is free for a moment, and exporters that send to it all the time.
  Endpoint endpoint;
  {
    const auto group = UdpListener::NewGroup(At("udp://127.0.0.1:0"), 1);
    ASSERT_TRUE(group.ok());
    endpoint = group->listeners[0]->endpoint();
  }
  std::atomic<bool> done{false};
  std::thread exporters([&] {
    std::vector<std::unique_ptr<UdpSender>> senders;
    for (int source = 1; source <= 16; ++source) {
      auto sender = UdpSender::New(endpoint, absl::StrCat("udp://127.0.0.", source, ":0"));
      if (sender.ok()) senders.push_back(*std::move(sender));
    }
    const std::vector<std::string> datagrams = {"datagram"};
    while (!done) {
      // Refused where nobody listens.
      for (const auto& sender : senders) sender->Send(datagrams).IgnoreError();
    }
  });
  for (int round = 0; round < 20; ++round) {
    const auto group = UdpListener::NewGroup(At(endpoint.ToString()), 8);
    if (!group.ok()) {
      ADD_FAILURE() << group.status();
      break;
    }
    size_t received = 0;
    for (int i = 0; i < 1000 && received < 1000; ++i) {
      for (const size_t count : TakeAllOf(*group, 2)) received += count;
      if (received == 0) absl::SleepFor(absl::Milliseconds(1));
    }
    EXPECT_GT(received, 0u);
  }
  done = true;
  exporters.join();
}

// Makes setsockopt fail for one option, in this thread alone.
bool ForbidSocketOption(uint32_t option) {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setsockopt, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[2])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, option, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOPROTOOPT),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter = {sizeof(program) / sizeof(program[0]), program};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

TEST(UdpGroupTest, OneListenerWhereTheSystemCannotSteer) {
  bool forbidden = false;
  std::thread([&] {
    forbidden = ForbidSocketOption(SO_ATTACH_REUSEPORT_CBPF);
    if (!forbidden) return;
    const auto group = UdpListener::NewGroup(At("udp://127.0.0.1:0"), 4);
    ASSERT_TRUE(group.ok()) << group.status();
    ASSERT_EQ(group->listeners.size(), 1u);
    ASSERT_EQ(group->warnings.size(), 1u);
    EXPECT_TRUE(
        absl::StartsWith(group->warnings[0],
                         "udp://127.0.0.1:0: one worker instead of 4 takes this port: the system cannot keep an "
                         "exporter at one worker (the system takes no BPF program"))
        << group->warnings[0];
    SendFrom(group->listeners[0]->endpoint(), "udp://127.0.0.3:0", 5);
    SendFrom(group->listeners[0]->endpoint(), "udp://127.0.0.4:0", 5);
    EXPECT_EQ(group->listeners[0]->Receive().size(), 10u);
    // And nobody else can join it.
    EXPECT_FALSE(UdpListener::NewGroup(At(group->listeners[0]->endpoint().ToString()), 1).ok());
  }).join();
  if (!forbidden) GTEST_SKIP() << "seccomp filters cannot be had here";
}

TEST(UdpGroupTest, WorkersReceiveInTheirOwnThreads) {
  const auto group = UdpListener::NewGroup(At("udp://[::]:0"), 3);
  ASSERT_TRUE(group.ok());
  std::atomic<bool> done{false};
  std::atomic<uint64_t> received{0};
  std::vector<std::thread> workers;
  for (const auto& listener : group->listeners) {
    workers.emplace_back([&, listener = listener.get()] {
      for (;;) {
        const bool last = done;  // read before, so that what was sent by then is taken after
        size_t n = 0;
        while ((n = listener->Receive().size()) != 0) received += n;
        if (last) break;
      }
    });
  }
  uint64_t sent = 0;
  for (int source = 1; source <= 8; ++source) {
    const auto sender = UdpSender::New(group->listeners[0]->endpoint(), absl::StrCat("udp://127.0.0.", source, ":0"));
    ASSERT_TRUE(sender.ok());
    ASSERT_TRUE((*sender)->Send(std::vector<std::string>(500, std::string(1000, 'x'))).ok());
    sent += (*sender)->sent();
  }
  done = true;
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(received, sent);
}

}  // namespace
}  // namespace flowacct::collector
