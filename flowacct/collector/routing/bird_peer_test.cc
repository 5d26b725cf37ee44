// Debian's bird2 holds sessions with an engine over IPv4 and IPv6: what it announces is in the table, after changes
// too.

#include <gtest/gtest.h>

#include <string>

#include "flowacct/collector/routing/testing/router_lab.h"

namespace flowacct::collector {
namespace {

constexpr char kBird[] = "/usr/sbin/bird";
constexpr char kBirdc[] = "/usr/sbin/birdc";

// $0: the folder.
constexpr char kConfiguration[] = R"(
log stderr all;
router id 10.99.0.9;
protocol device {}
ipv4 table spare4;
vpn4 table vrfs;
protocol static s4 {
  ipv4;
  route 198.51.100.0/24 blackhole {
    bgp_path.prepend(4200000002); bgp_path.prepend(64501);
    bgp_origin = ORIGIN_EGP; bgp_med = 77; bgp_local_pref = 250;
    bgp_community.add((64500,7)); bgp_community.add((65535,65281));
    bgp_ext_community.add((rt,64500,99));
    bgp_large_community.add((4200000001,1,2)); bgp_large_community.add((4200000001,3,4));
  };
  route 203.0.113.0/25 blackhole { bgp_origin = ORIGIN_INCOMPLETE; };
  route 0.0.0.0/0 blackhole;
}
protocol static s4more { ipv4; route 192.0.2.0/24 blackhole; }
# A second path of a prefix, for ADD-PATH.
protocol static s4other { ipv4 { preference 90; }; route 203.0.113.0/25 blackhole { bgp_path.prepend(64999); }; }
protocol static s6 {
  ipv6;
  route 2001:db8:1::/48 blackhole { bgp_path.prepend(64502); bgp_large_community.add((4200000001,6,6)); };
}
protocol static sv { vpn4; route 64500:7 10.1.0.0/16 via "lo" mpls 100 { bgp_ext_community.add((rt,64500,99)); }; }
template bgp collector {
  local as 4200000001;
  multihop;
  graceful restart on;
  connect delay time 1;
  error wait time 1, 2;
  ipv4 { import none; export where source = RTS_STATIC; add paths tx; };
  ipv6 { import none; export where source = RTS_STATIC; };
  vpn4 mpls { import none; export where source = RTS_STATIC; };
  debug { states };
}
protocol bgp over4 from collector { local 10.99.0.2 port 1790; neighbor 10.99.0.1 as 4200000001; }
protocol bgp over6 from collector { local 2001:db8:99::2 port 1790; neighbor 2001:db8:99::1 as 4200000001;
  ipv4 { next hop address 10.99.0.2; }; vpn4 mpls { next hop address 10.99.0.2; };
}
)";

constexpr uint64_t kRd = 0x0000fbf400000007;  // 64500:7

RouteTexts Expected() {
  return {
      {"0.0.0.0/0", "igp as_path  next_hop 10.99.0.2 local_pref 100"},
      {"192.0.2.0/24", "igp as_path  next_hop 10.99.0.2 local_pref 100"},
      {"198.51.100.0/24",
       "egp as_path 64501 4200000002 next_hop 10.99.0.2 med 77 local_pref 250 communities 64500:7 65535:65281 extended "
       "0002fbf400000063 large 4200000001:1:2 4200000001:3:4"},
      {"203.0.113.0/25 1", "incomplete as_path  next_hop 10.99.0.2 local_pref 100"},
      {"203.0.113.0/25 2", "igp as_path 64999 next_hop 10.99.0.2 local_pref 100"},
      {"2001:db8:1::/48", "igp as_path 64502 next_hop 2001:db8:99::2 local_pref 100 large 4200000001:6:6"},
  };
}

TEST(BirdPeer, WhatItAnnouncesIsThere) {
  const std::string reason = WithRouter({kBird, kBirdc}, [](RouterLab& lab) {
    const std::string control = lab.folder() + "/bird.ctl";
    const std::string config = lab.WriteFile("bird.conf", kConfiguration);
    lab.Start({kBird, "-f", "-c", config, "-s", control});
    const auto birdc = [&](const std::string& command) { lab.RunUntilDone({kBirdc, "-s", control, command}); };
    for (const char* router : {kRouterV4, kRouterV6}) {
      if (!lab.AwaitRoutes(router, 0, Expected())) return;
    }
    // Of a next hop that it is itself it tells Implicit NULL (RFC 3032, 2.1).
    const RouteTexts vpn = {
        {"10.1.0.0/16", "igp as_path  next_hop 10.99.0.2 local_pref 100 extended 0002fbf400000063 label 3"}};
    for (const char* router : {kRouterV4, kRouterV6}) {
      if (!lab.AwaitRoutes(router, kRd, vpn)) return;
    }
    const RoutingPeer told = PeerOf(lab.engine(), kRouterV4);
    EXPECT_EQ(told.as, 4200000001u);
    EXPECT_TRUE(told.agreed.as4);
    EXPECT_TRUE(told.agreed.add_path.Has(bgp::Family::kIpv4Unicast));
    EXPECT_TRUE(told.complete.Has(bgp::Family::kIpv4Unicast)) << lab.log();
    EXPECT_EQ(told.counters.erroneous_updates, 0u);

    // Changes.
    birdc("disable s4more");
    birdc("disable s4other");
    for (const char* router : {kRouterV4, kRouterV6}) {
      RouteTexts fewer = Expected();
      fewer.erase("192.0.2.0/24");
      fewer.erase("203.0.113.0/25 2");
      if (!lab.AwaitRoutes(router, 0, fewer)) return;
    }
    birdc("enable s4more");
    birdc("enable s4other");
    for (const char* router : {kRouterV4, kRouterV6}) {
      if (!lab.AwaitRoutes(router, 0, Expected())) return;
    }

    // The session begins anew.
    birdc("restart over4");
    EXPECT_TRUE(Eventually([&] { return PeerOf(lab.engine(), kRouterV4).sessions == 2; })) << lab.log();
    if (!lab.AwaitRoutes(kRouterV4, 0, Expected())) return;
    EXPECT_EQ(PeerOf(lab.engine(), kRouterV6).sessions, 1u);
  });
  if (!reason.empty()) GTEST_SKIP() << reason;
}

}  // namespace
}  // namespace flowacct::collector
