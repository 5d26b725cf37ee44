// Debian's gobgpd holds sessions with an engine over IPv4 and IPv6: what it announces is in the table, after changes
// too, VPN routes and several paths of a prefix among it.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "flowacct/collector/routing/testing/router_lab.h"

namespace flowacct::collector {
namespace {

constexpr char kGobgpd[] = "/usr/bin/gobgpd";
constexpr char kGobgp[] = "/usr/bin/gobgp";

std::string Neighbor(absl::string_view own, absl::string_view collector) {
  std::string text = absl::StrCat(R"([[neighbors]]
  [neighbors.config]
    neighbor-address = ")",
                                  collector, R"("
    peer-as = 4200000001
  [neighbors.transport.config]
    local-address = ")",
                                  own, R"("
  [neighbors.timers.config]
    connect-retry = 1
    idle-hold-time-after-reset = 1
  [neighbors.graceful-restart.config]
    enabled = true
    restart-time = 20
  [neighbors.add-paths.config]
    send-max = 8
)");
  for (const char* family : {"ipv4-unicast", "ipv6-unicast", "l3vpn-ipv4-unicast"}) {
    absl::StrAppend(&text, "  [[neighbors.afi-safis]]\n    [neighbors.afi-safis.config]\n      afi-safi-name = \"",
                    family, "\"\n    [neighbors.afi-safis.mp-graceful-restart.config]\n      enabled = true\n");
  }
  return text;
}

constexpr uint64_t kRd = 0x0000fbf400000007;  // 64500:7

TEST(GobgpPeer, WhatItAnnouncesIsThere) {
  const std::string reason = WithRouter({kGobgpd, kGobgp}, [](RouterLab& lab) {
    const std::string config = lab.WriteFile(
        "gobgp.toml", absl::StrCat("[global.config]\n  as = 4200000001\n  router-id = \"10.99.0.9\"\n  port = -1\n",
                                   Neighbor(kRouterV4, kCollectorV4), Neighbor(kRouterV6, kCollectorV6)));
    lab.Start({kGobgpd, "-f", config, "--api-hosts", "127.0.0.1:50051"});
    const auto rib = [&](const std::string& what) {
      std::vector<std::string> command = {kGobgp, "global", "rib"};
      for (absl::string_view word : absl::StrSplit(what, ' ')) command.emplace_back(word);
      lab.RunUntilDone(command);
    };
    const std::string rich =
        "198.51.100.0/24 origin egp aspath 64501,4200000002 med 77 local-pref 250 community 64500:7,65535:65281 "
        "large-community 4200000001:1:2,4200000001:3:4 nexthop 192.0.2.9";
    rib("add " + rich);
    rib("add 203.0.113.0/25 nexthop 192.0.2.9 identifier 1");
    rib("add 203.0.113.0/25 nexthop 192.0.2.10 aspath 64999 identifier 2");
    rib("add -a ipv6 2001:db8:1::/48 nexthop 2001:db8::9 aspath 64502 large-community 4200000001:6:6");
    rib("add -a vpnv4 10.1.0.0/16 label 100 rd 64500:7 rt 64500:99 nexthop 192.0.2.9");
    const RouteTexts expected = {
        {"198.51.100.0/24",
         "egp as_path 64501 4200000002 next_hop 192.0.2.9 med 77 local_pref 250 communities 64500:7 65535:65281 large "
         "4200000001:1:2 4200000001:3:4"},
        {"203.0.113.0/25 1", "incomplete as_path  next_hop 192.0.2.9 local_pref 100"},
        {"203.0.113.0/25 2", "incomplete as_path 64999 next_hop 192.0.2.10 local_pref 100"},
        {"2001:db8:1::/48", "incomplete as_path 64502 next_hop 2001:db8::9 local_pref 100 large 4200000001:6:6"},
    };
    const RouteTexts vpn = {
        {"10.1.0.0/16", "incomplete as_path  next_hop 192.0.2.9 local_pref 100 extended 0002fbf400000063 label 100"}};
    for (const char* router : {kRouterV4, kRouterV6}) {
      if (!lab.AwaitRoutes(router, 0, expected)) return;
      if (!lab.AwaitRoutes(router, kRd, vpn)) return;
      const RoutingPeer told = PeerOf(lab.engine(), router);
      EXPECT_EQ(told.as, 4200000001u);
      EXPECT_TRUE(told.agreed.add_path.Has(bgp::Family::kIpv4Unicast));
      EXPECT_EQ(told.counters.erroneous_updates, 0u);
    }

    // Changes.
    rib("del 203.0.113.0/25 identifier 2");
    rib("del -a vpnv4 10.1.0.0/16 label 100 rd 64500:7 rt 64500:99 nexthop 192.0.2.9");
    rib("add 198.51.100.0/24 nexthop 192.0.2.11");
    RouteTexts changed = expected;
    changed.erase("203.0.113.0/25 2");
    changed["198.51.100.0/24"] = "incomplete as_path  next_hop 192.0.2.11 local_pref 100";
    for (const char* router : {kRouterV4, kRouterV6}) {
      if (!lab.AwaitRoutes(router, 0, changed)) return;
      if (!lab.AwaitRoutes(router, kRd, {})) return;
    }

    // The session begins anew.
    lab.RunUntilDone({kGobgp, "neighbor", kCollectorV4, "disable"});
    EXPECT_TRUE(Eventually([&] { return PeerOf(lab.engine(), kRouterV4).stale(); })) << lab.log();
    lab.RunUntilDone({kGobgp, "neighbor", kCollectorV4, "enable"});
    EXPECT_TRUE(Eventually([&] { return PeerOf(lab.engine(), kRouterV4).sessions == 2; })) << lab.log();
    if (!lab.AwaitRoutes(kRouterV4, 0, changed)) return;
    EXPECT_EQ(PeerOf(lab.engine(), kRouterV6).sessions, 1u);
  });
  if (!reason.empty()) GTEST_SKIP() << reason;
}

}  // namespace
}  // namespace flowacct::collector
