// Debian's exabgp holds sessions with an engine over IPv4 and IPv6: what it is told to announce is in the table, after
// changes too, VPN routes and several paths of a prefix among it.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "flowacct/collector/routing/testing/router_lab.h"

namespace flowacct::collector {
namespace {

constexpr char kExabgp[] = "/usr/sbin/exabgp";
constexpr uint64_t kRd = 0x0000fbf400000007;  // 64500:7

std::string Neighbor(absl::string_view own, absl::string_view collector) {
  return absl::StrCat("neighbor ", collector, " {\n  router-id 10.99.0.9;\n  local-address ", own,
                      R"(;
  local-as 4200000001;
  peer-as 4200000001;
  hold-time 30;
  family { ipv4 unicast; ipv6 unicast; ipv4 mpls-vpn; }
  capability { asn4 enable; add-path send; graceful-restart 20; route-refresh enable; }
  api { processes [ tell ]; }
  static { route 10.1.0.0/16 next-hop 192.0.2.9 rd 64500:7 label 100 extended-community [ target:64500:99 ]; }
  announce {
    ipv4 {
      unicast 198.51.100.0/24 next-hop 192.0.2.9 origin egp as-path [ 64501 4200000002 ] med 77 local-preference 250 community [ 64500:7 65535:65281 ] extended-community [ target:64500:99 ] large-community [ 4200000001:1:2 4200000001:3:4 ];
      unicast 203.0.113.0/25 path-information 1 next-hop 192.0.2.9;
      unicast 203.0.113.0/25 path-information 2 next-hop 192.0.2.10 as-path [ 64999 ];
    }
    ipv6 { unicast 2001:db8:1::/48 next-hop 2001:db8::9 as-path [ 64502 ] large-community [ 4200000001:6:6 ]; }
  }
}
)");
}

TEST(ExabgpPeer, WhatItAnnouncesIsThere) {
  const std::string reason = WithRouter({kExabgp}, [](RouterLab& lab) {
    const std::string pipe = lab.folder() + "/tell";
    ASSERT_EQ(mkfifo(pipe.c_str(), 0666), 0);
    const std::string script = lab.WriteFile("tell.sh", "#!/bin/sh\nexec cat <>$0/tell\n");
    chmod(script.c_str(), 0755);
    const std::string config = lab.WriteFile(
        "exabgp.conf", absl::StrCat("process tell { run ", script, "; encoder text; }\n",
                                    Neighbor(kRouterV4, kCollectorV4), Neighbor(kRouterV6, kCollectorV6)));
    lab.Start({"/usr/bin/env", "exabgp.api.cli=false", "exabgp.api.ack=false", "exabgp.daemon.user=root",
               "exabgp.log.destination=stdout", "exabgp.tcp.delay=0", kExabgp, config});
    const auto tell = [&](const std::string& line) { std::ofstream(pipe) << line << "\n" << std::flush; };
    const RouteTexts expected = {
        {"198.51.100.0/24",
         "egp as_path 64501 4200000002 next_hop 192.0.2.9 med 77 local_pref 250 communities 64500:7 65535:65281 "
         "extended 0002fbf400000063 large 4200000001:1:2 4200000001:3:4"},
        {"203.0.113.0/25 1", "igp as_path  next_hop 192.0.2.9 local_pref 100"},
        {"203.0.113.0/25 2", "igp as_path 64999 next_hop 192.0.2.10 local_pref 100"},
        {"2001:db8:1::/48", "igp as_path 64502 next_hop 2001:db8::9 local_pref 100 large 4200000001:6:6"},
    };
    const RouteTexts vpn = {
        {"10.1.0.0/16", "igp as_path  next_hop 192.0.2.9 local_pref 100 extended 0002fbf400000063 label 100"}};
    for (const char* router : {kRouterV4, kRouterV6}) {
      if (!lab.AwaitRoutes(router, 0, expected)) return;
      if (!lab.AwaitRoutes(router, kRd, vpn)) return;
      const RoutingPeer told = PeerOf(lab.engine(), router);
      EXPECT_EQ(told.as, 4200000001u);
      EXPECT_TRUE(told.agreed.add_path.Has(bgp::Family::kIpv4Unicast));
      EXPECT_EQ(told.counters.erroneous_updates, 0u);
    }

    // Changes.
    tell("withdraw route 203.0.113.0/25 path-information 2 next-hop 192.0.2.10");
    tell("announce route 192.0.2.0/24 next-hop 192.0.2.11 as-path [ 64503 ]");
    tell("withdraw route 10.1.0.0/16 rd 64500:7 label 100 next-hop 192.0.2.9");
    RouteTexts changed = expected;
    changed.erase("203.0.113.0/25 2");
    changed["192.0.2.0/24"] = "igp as_path 64503 next_hop 192.0.2.11 local_pref 100";
    for (const char* router : {kRouterV4, kRouterV6}) {
      if (!lab.AwaitRoutes(router, 0, changed)) return;
      if (!lab.AwaitRoutes(router, kRd, {})) return;
    }
    tell("withdraw route 192.0.2.0/24 next-hop 192.0.2.11");
    changed.erase("192.0.2.0/24");
    for (const char* router : {kRouterV4, kRouterV6}) {
      if (!lab.AwaitRoutes(router, 0, changed)) return;
    }
  });
  if (!reason.empty()) GTEST_SKIP() << reason;
}

}  // namespace
}  // namespace flowacct::collector
