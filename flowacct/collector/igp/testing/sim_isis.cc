#include "flowacct/collector/igp/testing/sim_isis.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/base/ip_address.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

using isis::testing::SimFrame;
using isis::testing::SimRouter;
using isis::testing::SimRouterOptions;

// What a router looks at its timers for.
constexpr absl::Duration kRound = absl::Milliseconds(10);

base::MacAddress MacOf(int router, int port) {
  base::MacAddress mac;
  mac.octets = {2, 0, 0, 0, static_cast<uint8_t>(router), static_cast<uint8_t>(port + 1)};
  return mac;
}

}  // namespace

SimIsis::SimIsis(int routers, const std::string& local, const std::string& remote) {
  for (int i = 1; i <= routers; ++i) {
    SimRouterOptions options;
    options.system.octets[5] = static_cast<uint8_t>(i);
    options.areas = {*isis::AreaAddress::Parse("49.0001")};
    options.hostname = absl::StrCat("r", i);
    options.hello_seconds = 1;
    options.hold_seconds = 2;
    SimRouter& router = routers_.emplace_back(options);
    // Port 0 leads to the one before, port 1 to the next one.
    for (int port : {0, 1}) router.AddPort(/*lan=*/false, MacOf(i, port));
  }
  auto tunnel = OpenGreCircuit(*base::IpAddress::Parse(local), *base::IpAddress::Parse(remote), {});
  EXPECT_TRUE(tunnel.ok()) << tunnel.status();
  auto poller = Poller::New();
  EXPECT_TRUE(poller.ok()) << poller.status();
  if (!tunnel.ok() || !poller.ok()) return;
  tunnel_ = *std::move(tunnel);
  poller_ = *std::move(poller);
  EXPECT_TRUE(poller_->Add(tunnel_->descriptor(), 0).ok());
  thread_ = std::thread([this] { Run(); });
}

SimIsis::~SimIsis() {
  ending_ = true;
  if (thread_.joinable()) thread_.join();
}

void SimIsis::SetPrefixes(int router, int prefixes) {
  base::MutexLock lock(&mutex_);
  routers_[static_cast<size_t>(router - 1)].set_prefixes(prefixes);
}

void SimIsis::SetLink(int router, bool up) {
  base::MutexLock lock(&mutex_);
  if (up) {
    down_.erase(router);
  } else {
    down_.insert(router);
  }
}

void SimIsis::Run() {
  while (!ending_) {
    {
      base::MutexLock lock(&mutex_);
      const int64_t now = absl::GetCurrentTimeNanos();
      CircuitFrame frame;
      while (tunnel_->Receive(&frame)) {
        if (down_.count(0) == 0) routers_[0].Receive(0, frame.source, frame.pdu, now);
      }
      const int count = static_cast<int>(routers_.size());
      for (int i = 0; i < count; ++i) {
        SimRouter& router = routers_[static_cast<size_t>(i)];
        if (router.NextTime() <= now) router.Advance(now);
        for (const SimFrame& sent : router.Take()) {
          // The number of a link is that of the router before it.
          const int link = sent.port == 0 ? i : i + 1;
          if (down_.count(link) != 0 || link == count) continue;
          if (link == 0) {
            tunnel_->Send(isis::Level::k2, sent.pdu);
          } else {
            const int to = sent.port == 0 ? i - 1 : i + 1;
            routers_[static_cast<size_t>(to)].Receive(1 - sent.port, router.Mac(sent.port), sent.pdu, now);
          }
        }
      }
    }
    poller_->Wait(kRound);
  }
}

}  // namespace flowacct::collector
