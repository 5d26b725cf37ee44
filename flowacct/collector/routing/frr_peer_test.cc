// Debian's frr (bgpd alone, without zebra) holds sessions with an engine over IPv4 and IPv6: what it announces is in
// the table, after changes too, VPN routes among it.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "flowacct/collector/routing/testing/router_lab.h"

namespace flowacct::collector {
namespace {

constexpr char kBgpd[] = "/usr/lib/frr/bgpd";
constexpr char kVtysh[] = "/usr/bin/vtysh";
constexpr uint64_t kRd = 0x0000fbf400000007;  // 64500:7

constexpr char kConfiguration[] = R"(log stdout
route-map PLAIN permit 10
 set ip next-hop 192.0.2.9
route-map RICH permit 10
 set ip next-hop 192.0.2.9
 set as-path prepend 64501 4200000002
 set origin egp
 set metric 77
 set local-preference 250
 set community 64500:7 65535:65281
 set extcommunity rt 64500:99
 set large-community 4200000001:1:2 4200000001:3:4
route-map SIX permit 10
 set large-community 4200000001:6:6
 set ipv6 next-hop global 2001:db8::9
route-map VPN permit 10
 set ip next-hop 192.0.2.9
 set extcommunity rt 64500:99
router bgp 4200000001
 bgp router-id 10.99.0.9
 no bgp default ipv4-unicast
 no bgp network import-check
 bgp graceful-restart
 neighbor C peer-group
 neighbor C remote-as 4200000001
 neighbor C timers connect 1
 neighbor C disable-connected-check
 neighbor 10.99.0.1 peer-group C
 neighbor 10.99.0.1 update-source 10.99.0.2
 neighbor 2001:db8:99::1 peer-group C
 neighbor 2001:db8:99::1 update-source 2001:db8:99::2
 address-family ipv4 unicast
  neighbor C activate
  neighbor C addpath-tx-all-paths
  network 198.51.100.0/24 route-map RICH
  network 203.0.113.0/25 route-map PLAIN
 exit-address-family
 address-family ipv6 unicast
  neighbor C activate
  network 2001:db8:1::/48 route-map SIX
 exit-address-family
 address-family ipv4 vpn
  neighbor C activate
  network 10.1.0.0/16 rd 64500:7 label 100 route-map VPN
 exit-address-family
)";

TEST(FrrPeer, WhatItAnnouncesIsThere) {
  const std::string reason = WithRouter({kBgpd, kVtysh}, [](RouterLab& lab) {
    const std::string config = lab.WriteFile("bgpd.conf", kConfiguration);
    lab.Start({kBgpd,       "-n",           "-Z",         "-S",   "-u",
               "root",      "-g",           "root",       "-p",   "1790",
               "-l",        kRouterV4,      "-f",         config, "-A",
               "127.0.0.1", "--vty_socket", lab.folder(), "-i",   lab.folder() + "/bgpd.pid"});
    const auto vtysh = [&](const std::vector<std::string>& lines) {
      std::vector<std::string> command = {kVtysh, "--vty_socket", lab.folder(), "-c", "configure terminal"};
      for (const std::string& line : lines) {
        command.push_back("-c");
        command.push_back(line);
      }
      lab.RunUntilDone(command);
    };
    const RouteTexts expected = {
        {"198.51.100.0/24",
         "egp as_path 64501 4200000002 next_hop 192.0.2.9 med 77 local_pref 250 communities 64500:7 65535:65281 "
         "extended 0002fbf400000063 large 4200000001:1:2 4200000001:3:4"},
        {"203.0.113.0/25", "igp as_path  next_hop 192.0.2.9 med 0 local_pref 100"},
        {"2001:db8:1::/48", "igp as_path  next_hop 2001:db8::9 med 0 local_pref 100 large 4200000001:6:6"},
    };
    const RouteTexts vpn = {
        {"10.1.0.0/16", "igp as_path  next_hop 192.0.2.9 med 0 local_pref 100 extended 0002fbf400000063 label 100"}};
    for (const char* router : {kRouterV4, kRouterV6}) {
      if (!lab.AwaitRoutes(router, 0, expected) || !lab.AwaitRoutes(router, kRd, vpn)) return;
      const RoutingPeer told = PeerOf(lab.engine(), router);
      EXPECT_EQ(told.as, 4200000001u);
      EXPECT_TRUE(told.agreed.add_path.Has(bgp::Family::kIpv4Unicast));
      EXPECT_EQ(told.counters.erroneous_updates, 0u);
    }

    // Changes.
    const std::string router_bgp = "router bgp 4200000001", unicast = "address-family ipv4 unicast";
    vtysh({router_bgp, unicast, "no network 203.0.113.0/25", "network 192.0.2.0/24 route-map PLAIN",
           "no network 198.51.100.0/24", "network 198.51.100.0/24 route-map PLAIN"});
    vtysh({router_bgp, "address-family ipv4 vpn", "no network 10.1.0.0/16 rd 64500:7 label 100"});
    RouteTexts changed = expected;
    changed["192.0.2.0/24"] = changed["198.51.100.0/24"] = changed["203.0.113.0/25"];
    changed.erase("203.0.113.0/25");
    for (const char* router : {kRouterV4, kRouterV6}) {
      if (!lab.AwaitRoutes(router, 0, changed) || !lab.AwaitRoutes(router, kRd, {})) return;
    }
    // It tells Hard Reset (RFC 8538, 3) with it: nothing is to stay.
    vtysh({router_bgp, "neighbor 10.99.0.1 shutdown"});
    if (!lab.AwaitRoutes(kRouterV4, 0, {})) return;
    vtysh({router_bgp, unicast, "no network 192.0.2.0/24"});
    vtysh({router_bgp, "no neighbor 10.99.0.1 shutdown"});
    changed.erase("192.0.2.0/24");
    for (const char* router : {kRouterV4, kRouterV6}) {
      if (!lab.AwaitRoutes(router, 0, changed)) return;
    }
    EXPECT_EQ(PeerOf(lab.engine(), kRouterV6).sessions, 1u);
  });
  if (!reason.empty()) GTEST_SKIP() << reason;
}

}  // namespace
}  // namespace flowacct::collector
