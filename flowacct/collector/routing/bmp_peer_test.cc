// Debian's gobgpd and FRR tell the collector of their routes by BMP.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "flowacct/collector/routing/routing_status.h"
#include "flowacct/collector/routing/testing/router_lab.h"
#include "flowacct/collector/routing/testing/scripted_peer.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

constexpr char kGobgpd[] = "/usr/bin/gobgpd";
constexpr char kGobgp[] = "/usr/bin/gobgp";
constexpr char kBgpd[] = "/usr/lib/frr/bgpd";
constexpr char kVtysh[] = "/usr/bin/vtysh";
// Both connect over lo from the address that they connect to; so they are asked for by their BGP identifiers.
constexpr char kRouterId[] = "10.99.0.9";

constexpr char kRich[] =
    "add 198.51.100.0/24 origin egp aspath 64501,4200000002 med 77 community 64500:7,65535:65282 large-community "
    "4200000001:1:2,4200000001:3:4 nexthop 192.0.2.9";

void Rib(RouterLab& lab, const std::string& what) {
  std::vector<std::string> command = {kGobgp, "global", "rib"};
  for (absl::string_view word : absl::StrSplit(what, ' ')) command.emplace_back(word);
  lab.RunUntilDone(command);
}

RoutingRouter OnlyRouter(RouterLab& lab) {
  const auto status = lab.engine().Status();
  EXPECT_EQ(status->routers.size(), 1u);
  return status->routers.empty() ? RoutingRouter() : status->routers[0];
}

TEST(BmpPeer, GobgpTellsItsLocRib) {
  const std::string reason = WithRouter({kGobgpd, kGobgp}, [](RouterLab& lab) {
    const std::string config = lab.WriteFile("gobgp.toml", absl::StrCat(R"([global.config]
  as = 4200000001
  router-id = ")",
                                                                        kRouterId, R"("
  port = -1
[[bmp-servers]]
  [bmp-servers.config]
    address = "10.99.0.1"
    port = )",
                                                                        kLabBmpPort, R"(
    route-monitoring-policy = "local-rib"
    statistics-timeout = 15
)"));
    lab.Start({kGobgpd, "-f", config, "--api-hosts", "127.0.0.1:50051"});
    Rib(lab, kRich);
    Rib(lab, "add 203.0.113.0/25 nexthop 192.0.2.9");
    Rib(lab, "add -a ipv6 2001:db8:1::/48 nexthop 2001:db8::9 aspath 64502 large-community 4200000001:6:6");
    RouteTexts expected = {
        {"198.51.100.0/24",
         "egp as_path 64501 4200000002 next_hop 192.0.2.9 med 77 communities 64500:7 65535:65282 large 4200000001:1:2 "
         "4200000001:3:4"},
        {"203.0.113.0/25", "incomplete as_path  next_hop 192.0.2.9"},
        {"2001:db8:1::/48", "incomplete as_path 64502 next_hop 2001:db8::9 large 4200000001:6:6"},
    };
    if (!lab.AwaitRoutes(kRouterId, 0, expected)) return;
    const RoutingRouter told = OnlyRouter(lab);
    EXPECT_EQ(told.counters.errors.errors(), 0u);
    ASSERT_EQ(told.neighbours.size(), 1u);
    EXPECT_EQ(told.neighbours[0].type, bmp::PeerType::kLocRibInstance);

    Rib(lab, "del 203.0.113.0/25");
    Rib(lab, "add 198.51.100.0/24 nexthop 192.0.2.11");
    expected.erase("203.0.113.0/25");
    expected["198.51.100.0/24"] = "incomplete as_path  next_hop 192.0.2.11";
    if (!lab.AwaitRoutes(kRouterId, 0, expected)) return;
  });
  if (!reason.empty()) GTEST_SKIP() << reason;
}

TEST(BmpPeer, FrrTellsWhatItsNeighbourSaidAfterPolicy) {
  const std::string reason = WithRouter({kGobgpd, kGobgp, kBgpd, kVtysh}, [](RouterLab& lab) {
    const std::string frr = lab.WriteFile("bgpd.conf", absl::StrCat(R"(
bgp community-list standard REFUSED permit 64500:66
route-map IN deny 10
 match community REFUSED
route-map IN permit 20
 set local-preference 250
router bgp 4200000001
 bgp router-id 10.99.0.9
 no bgp default ipv4-unicast
 neighbor 10.99.0.1 remote-as 4200000077
 neighbor 10.99.0.1 passive
 neighbor 10.99.0.1 disable-connected-check
 address-family ipv4 unicast
  neighbor 10.99.0.1 activate
  neighbor 10.99.0.1 route-map IN in
  neighbor 10.99.0.1 soft-reconfiguration inbound
 exit-address-family
 bmp targets COLLECTOR
  bmp stats interval 500
  bmp monitor ipv4 unicast pre-policy
  bmp monitor ipv4 unicast post-policy
  bmp connect 10.99.0.1 port )",
                                                                    kLabBmpPort, R"( min-retry 100 max-retry 500
)"));
    lab.Start({kBgpd,       "-n",           "-Z",         "-S", "-u",
               "root",      "-g",           "root",       "-p", "1790",
               "-l",        kRouterV4,      "-f",         frr,  "-A",
               "127.0.0.1", "--vty_socket", lab.folder(), "-i", lab.folder() + "/bgpd.pid",
               "-M",        "bmp"});
    const std::string gobgp = lab.WriteFile("gobgp.toml", R"([global.config]
  as = 4200000077
  router-id = "10.99.0.77"
  port = -1
[[neighbors]]
  [neighbors.config]
    neighbor-address = "10.99.0.2"
    peer-as = 4200000001
  [neighbors.transport.config]
    local-address = "10.99.0.1"
    remote-port = 1790
  [neighbors.timers.config]
    connect-retry = 1
    idle-hold-time-after-reset = 1
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv4-unicast"
)");
    lab.Start({kGobgpd, "-f", gobgp, "--api-hosts", "127.0.0.1:50051"});
    Rib(lab, kRich);
    Rib(lab, "add 203.0.113.0/25 nexthop 192.0.2.9");
    Rib(lab, "add 192.0.2.0/24 nexthop 192.0.2.9 community 64500:66");
    // What the policy refused is not among them. FRR writes what it took as it would tell it to an external peer: with
    // its own AS in front, without LOCAL_PREF.
    RouteTexts expected = {
        {"198.51.100.0/24",
         "egp as_path 4200000001 4200000077 64501 4200000002 next_hop 192.0.2.9 med 77 communities 64500:7 65535:65282 "
         "large 4200000001:1:2 4200000001:3:4"},
        {"203.0.113.0/25", "incomplete as_path 4200000001 4200000077 next_hop 192.0.2.9"},
    };
    if (!lab.AwaitRoutes(kRouterId, 0, expected)) return;
    ASSERT_TRUE(Eventually([&] {
      const RoutingRouter told = OnlyRouter(lab);
      return !told.neighbours.empty() && !told.neighbours[0].statistics.empty();
    })) << lab.log();
    // Before policy too, in tables of their own; but FRR 8.4 tells no change there of what its policy refuses.
    uint64_t before = 0;
    EXPECT_TRUE(Eventually([&] {
      before = 0;
      for (const RoutingPeer& peer : lab.engine().Status()->peers) {
        if (peer.view == rib::RibView::kAdjRibInPre) before += peer.v4.routes;
      }
      return before == 2;
    })) << before;

    Rib(lab, "del 203.0.113.0/25");
    expected.erase("203.0.113.0/25");
    if (!lab.AwaitRoutes(kRouterId, 0, expected)) return;
    // The neighbour goes: its routes too.
    lab.RunUntilDone({kGobgp, "neighbor", "10.99.0.2", "disable"});
    if (!lab.AwaitRoutes(kRouterId, 0, {})) return;
    lab.RunUntilDone({kGobgp, "neighbor", "10.99.0.2", "enable"});
    if (!lab.AwaitRoutes(kRouterId, 0, expected)) return;
  });
  if (!reason.empty()) GTEST_SKIP() << reason;
}

}  // namespace
}  // namespace flowacct::collector
