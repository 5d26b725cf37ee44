// Holds BGP sessions to one receiver and announces a generated table over each, as fast as that takes it.
//
//     announce_routes TO PEERS ROUTES [--own-attributes]
//
// PEERS sessions of AS 65001 to TO (tcp://ADDRESS:PORT), from 127.0.1.1 on, which are their BGP identifiers too. Each
// announces ROUTES routes, a sixth of them IPv6 (rib/testing/route_table.h), and End-of-RIB. All announce the same, or
// with --own-attributes the same prefixes, each with attributes of its own. Lines of JSON: when all sessions are up;
// when the receiver's kernel has taken and acknowledged the last octet. Then it keeps the sessions alive until its
// input ends. Exit code 1: a session ended. For benchmarks/routes.

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/base/octets.h"
#include "flowacct/bgp/family.h"
#include "flowacct/bgp/open.h"
#include "flowacct/collector/routing/testing/scripted_peer.h"
#include "flowacct/collector/socket/endpoint.h"
#include "flowacct/rib/testing/route_table.h"

namespace flowacct::collector {
namespace {

constexpr uint32_t kAs = 65001;
constexpr int kPeersOfBlock = 250;

std::string AddressOfPeer(int i) { return absl::StrCat("127.0.", 1 + i / kPeersOfBlock, ".", 1 + i % kPeersOfBlock); }

bgp::Open OpenOfPeer(int i) {
  bgp::Open open;
  open.as = kAs;
  open.as4 = true;
  open.route_refresh = true;
  open.hold_time_seconds = 240;
  open.bgp_identifier = 0x7f000101u + (static_cast<uint32_t>(i / kPeersOfBlock) << 8) + i % kPeersOfBlock;
  open.families = bgp::FamilySet().Add(bgp::Family::kIpv4Unicast).Add(bgp::Family::kIpv6Unicast);
  return open;
}

std::unique_ptr<ScriptedPeer> Connect(const Endpoint& to, int i) {
  const absl::Time end = absl::Now() + absl::Minutes(1);
  while (absl::Now() < end) {
    // Who is slow makes the sender wait for as long as it takes.
    auto peer = std::make_unique<ScriptedPeer>(to, AddressOfPeer(i), [](int descriptor) {
      const timeval forever = {};
      setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &forever, sizeof(forever));
    });
    if (peer->connected() && peer->Establish(OpenOfPeer(i))) return peer;
    absl::SleepFor(absl::Milliseconds(100));
  }
  return nullptr;
}

int Fail(const std::string& what) {
  std::fprintf(stderr, "announce_routes: %s\n", what.c_str());
  return 1;
}

int Main(int argc, char** argv) {
  const bool own = argc == 5 && std::strcmp(argv[4], "--own-attributes") == 0;
  if (argc != 4 && !own) {
    std::fprintf(stderr, "usage: announce_routes TO PEERS ROUTES [--own-attributes]\n");
    return 2;
  }
  const auto to = ParseEndpoint(argv[1], {EndpointScheme::kTcp});
  if (!to.ok()) return Fail(to.status().ToString());
  const int peers = std::atoi(argv[2]);
  const size_t routes = std::strtoull(argv[3], nullptr, 10), v6 = routes / 6;

  std::vector<std::unique_ptr<const rib::RouteTable>> tables;
  for (int i = 0; i < (own ? peers : 1); ++i) {
    tables.push_back(std::make_unique<const rib::RouteTable>(
        rib::MakeRouteTable(routes - v6, v6, 1, 1 + static_cast<uint64_t>(i), kAs)));
  }

  std::vector<std::unique_ptr<ScriptedPeer>> sessions;
  for (int i = 0; i < peers; ++i) {
    sessions.push_back(Connect(*to, i));
    if (sessions.back() == nullptr) return Fail(absl::StrCat("no session from ", AddressOfPeer(i)));
  }
  // Some receivers take no routes of 127.0.0.0/8.
  const base::IpPrefix loopback(base::IpAddress::V4(0x7f000000), 8);
  const auto in_loopback =
      std::count_if(tables[0]->prefixes.begin(), tables[0]->prefixes.end(),
                    [&](const base::IpPrefix& prefix) { return loopback.Contains(prefix.address()); });
  std::printf(
      "{\"established\": %d, \"routes\": %zu, \"loopback_routes\": %td, \"attribute_sets\": %zu, \"octets\": %zu}\n",
      peers, tables[0]->prefixes.size(), in_loopback, tables[0]->sets.size(), tables[0]->messages.size());
  std::fflush(stdout);

  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < peers; ++i) {
    threads.emplace_back([&, i] {
      ScriptedPeer& session = *sessions[static_cast<size_t>(i)];
      if (!session.Send(base::Octets(tables[own ? static_cast<size_t>(i) : 0]->messages))) {
        ++failed;
        return;
      }
      session.SendEndOfRib(bgp::Family::kIpv4Unicast);
      session.SendEndOfRib(bgp::Family::kIpv6Unicast);
      for (int waiting = 1; waiting != 0; absl::SleepFor(absl::Milliseconds(1))) {
        if (ioctl(session.descriptor(), SIOCOUTQ, &waiting) != 0) waiting = 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (failed != 0) return Fail(absl::StrCat(failed.load(), " sessions ended while they announced"));
  std::printf("{\"acknowledged\": %d}\n", peers);
  std::fflush(stdout);

  // What is heard is read away: keepalives alone.
  for (absl::Time next = absl::Now();;) {
    std::vector<pollfd> waiting = {{STDIN_FILENO, POLLIN, 0}};
    for (const auto& session : sessions) waiting.push_back({session->descriptor(), POLLIN, 0});
    if (absl::Now() >= next) {
      for (const auto& session : sessions) session->SendKeepalive();
      next = absl::Now() + absl::Seconds(30);
    }
    poll(waiting.data(), waiting.size(), 1000);
    if (waiting[0].revents != 0) return 0;
    for (size_t i = 1; i < waiting.size(); ++i) {
      if (waiting[i].revents == 0) continue;
      uint8_t block[4096];
      const ssize_t n = recv(waiting[i].fd, block, sizeof(block), MSG_DONTWAIT);
      if (n == 0 || (waiting[i].revents & (POLLERR | POLLHUP)) != 0) {
        return Fail(absl::StrCat("the session from ", AddressOfPeer(static_cast<int>(i) - 1), " ended"));
      }
    }
  }
}

}  // namespace
}  // namespace flowacct::collector

int main(int argc, char** argv) { return flowacct::collector::Main(argc, argv); }
