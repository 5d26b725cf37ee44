// The whole collector and the inside of the network: flows joined to the ways that simulated routers tell of, over a
// reload and a restart; BGP-LS of a session.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/base/octets.h"
#include "flowacct/bgp/family.h"
#include "flowacct/collector/igp/testing/bgp_ls_writer.h"
#include "flowacct/collector/igp/testing/sim_isis.h"
#include "flowacct/collector/routing/testing/scripted_peer.h"
#include "flowacct/collector/server/collector_status.h"
#include "flowacct/collector/server/routes_fixture.h"
#include "flowacct/collector/server/server_fixture.h"
#include "flowacct/collector/socket/testing/network_namespace.h"
#include "flowacct/topology/topology_file.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

using Of = IgpQuestion::Of;

constexpr char kPipeline[] =
    "pipeline { name: \"p\" by: \"dst_addr,igp_ingress,igp_egress,igp_dst_net,igp_metric,igp_path\" sum: \"bytes\""
    " every: \"1d\" enrich { igp {} } sink { memory {} } }\n"
    "pipeline { name: \"q\" by: \"exporter,dst_addr\" sum: \"bytes\" every: \"1d\" sink { memory {} } }\n";

class ServerIgpTest : public ServerRoutesTest {
 protected:
  // `more`: of igp; flows are those of 127.0.0.2.
  static std::string Isis(absl::string_view circuits, absl::string_view more = "", absl::string_view rest = "") {
    return absl::StrCat(
        "input { name: \"in\" udp { listen: \"127.0.0.1:0\" } }\n",
        "igp { isis { system_id: \"0000.0000.f10a\" area: \"49.0001\" hostname: \"flowacct\"", circuits,
        " } spf { initial_delay: \"10ms\" short_delay: \"20ms\" long_delay: \"50ms\" } stale_for: \"500ms\"", more,
        " }\n", rest, kPipeline);
  }
  static std::string Circuit(int host) {
    return absl::Substitute(
        " circuit { gre { local: \"127.0.0.1\" remote: \"127.0.0.$0\" } hello_interval: \"1s\" mtu: 1400 }", host);
  }
  std::string Ask(Of of, const std::string& router = "", const std::string& to = "", const std::string& pipeline = "") {
    IgpQuestion question;
    question.of = of;
    question.router = router;
    question.to = to;
    question.pipeline = pipeline;
    const auto answer = server_->Igp(question);
    return answer.ok() ? *answer : answer.status().ToString();
  }
  // Sends such flows until one is joined so: the first ones may come before the ways of their router are ready.
  void ExpectJoined(const std::string& to, const std::string& row) {
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    while (absl::Now() < deadline) {
      SendFlow("10.0.0.1", to);
      if (absl::StrContains(Rows(), row)) return;
      absl::SleepFor(absl::Milliseconds(50));
    }
    ADD_FAILURE() << row << " is not in " << Rows();
  }
};

TEST_F(ServerIgpTest, FlowsAreJoinedWithTheWaysThatRoutersTell) {
  const std::string state = File("state");
  std::filesystem::remove_all(state);
  const std::string reason = InNetworkNamespace([&] {
    const std::string rest = absl::StrCat("state { directory: \"", state, "\" }\n");
    const std::string exporter = " exporter { exporters: \"127.0.0.2\" router: \"r1\" }";
    {
      SimIsis network(3, "127.0.0.2", "127.0.0.1");
      StartServer(Isis(Circuit(2), exporter, rest));
      ASSERT_TRUE(Eventually([&] { return server_->Status().igp.links_2 == 4; }));
      ExpectJoined("10.3.1.7", "[\"10.3.1.7\", \"r1\", \"r3\", \"10.3.1.0/24\", 30, \"r1 r2 r3\", ");
      EXPECT_TRUE(absl::StrContains(Ask(Of::kNeighbors), "\"r1\"")) << Ask(Of::kNeighbors);
      EXPECT_TRUE(absl::StrContains(Ask(Of::kPaths, "r1", "10.3.1.7"), "r2")) << Ask(Of::kPaths, "r1", "10.3.1.7");
      // What the bins have is laid on links.
      const std::string traffic = Ask(Of::kTraffic, "", "", "q");
      EXPECT_TRUE(absl::StrContains(traffic, "\"r2\"") && absl::StrContains(traffic, "\"report\"")) << traffic;
      EXPECT_TRUE(absl::StrContains(Ask(Of::kTraffic, "", "", "nobody"), "no pipeline"));
      // A link fails: its router is not there any more.
      network.SetLink(2, false);
      ASSERT_TRUE(Eventually([&] { return server_->Status().igp.links_2 == 2; }));
      ExpectJoined("10.3.2.7", "[\"10.3.2.7\", \"r1\", null, ");
      network.SetLink(2, true);
      ASSERT_TRUE(Eventually([&] { return server_->Status().igp.links_2 == 4; }));

      // A reload: another tunnel beside, another router for the exporter, all at once or nothing.
      EXPECT_FALSE(server_->Reload(Parse(Isis(Circuit(2), " bgp_ls: true", rest))).ok());
      EXPECT_FALSE(server_->Reload(Parse(Isis(Circuit(2), " history: \"1MiB\"", rest))).ok());
      ASSERT_TRUE(server_
                      ->Reload(Parse(
                          Isis(Circuit(2) + Circuit(3), " exporter { exporters: \"127.0.0.2\" router: \"r2\" }", rest)))
                      .ok());
      EXPECT_EQ(server_->Status().igp.circuits.size(), 2u);
      EXPECT_EQ(server_->Status().igp.circuits[0].adjacencies_2, 1u);
      ExpectJoined("10.3.1.7", "[\"10.3.1.7\", \"r2\", \"r3\", \"10.3.1.0/24\", 20, \"r2 r3\", ");
      ASSERT_TRUE(server_->Reload(Parse(Isis(Circuit(2), exporter, rest))).ok());
      EXPECT_EQ(server_->Status().igp.circuits.size(), 1u);
      ASSERT_TRUE(server_->Stop(absl::Seconds(10)).ok());
      server_.reset();
      sent_ = 0;
    }
    // Nobody tells anything: what was known still counts, and goes once somebody is back.
    StartServer(Isis(Circuit(2), exporter, rest));
    EXPECT_EQ(server_->Status().igp.links_2, 4u);
    EXPECT_GT(server_->Status().igp.kept, 0u);
    ExpectJoined("10.3.0.9", "[\"10.3.0.9\", \"r1\", \"r3\", \"10.3.0.0/24\", 30, \"r1 r2 r3\", ");
    SimIsis network(2, "127.0.0.2", "127.0.0.1");
    ASSERT_TRUE(Eventually([&] { return server_->Status().igp.kept == 0; }));
    ASSERT_TRUE(Eventually([&] { return server_->Status().igp.links_2 == 2; }));
    EXPECT_TRUE(absl::StrContains(Ask(Of::kDatabase, "r3"), "INVALID_ARGUMENT"));
    server_.reset();
  });
  if (!reason.empty()) GTEST_SKIP() << reason;
}

TEST_F(ServerIgpTest, ACircuitThatCannotBeIsTold) {
  const std::string reason = InNetworkNamespace([&] {
    auto server = Server::New(Parse(Isis(" circuit { device: \"nowhere0\" }")), {});
    ASSERT_TRUE(server.ok()) << server.status();
    const absl::Status started = (*server)->Start();
    EXPECT_TRUE(absl::StrContains(started.message(), "test.conf:2:") &&
                absl::StrContains(started.message(), "nowhere0"))
        << started;
  });
  if (!reason.empty()) GTEST_SKIP() << reason;
}

TEST_F(ServerIgpTest, WithoutIgpNothingIsAnswered) {
  StartServer(Text("pipeline { name: \"p\" by: \"dst_addr\" every: \"1d\" sink { memory {} } }"));
  EXPECT_TRUE(absl::StrContains(Ask(Of::kDatabase), "the configuration has no igp")) << Ask(Of::kDatabase);
}

TEST_F(ServerIgpTest, BgpLsOfASessionIsATopology) {
  StartServer(absl::StrCat("input { name: \"in\" udp { listen: \"127.0.0.1:0\" } }\n",
                           "bgp { listen: \"127.0.0.1:0\" stale_for: \"1m\" }\n",
                           "igp { bgp_ls: true spf { initial_delay: \"10ms\" long_delay: \"50ms\" }",
                           " exporter { exporters: \"127.0.0.2\" router: \"ams\" } }\n", kPipeline));
  const auto file = topology::ParseTopologyFile(
      "node ams id 0000.0000.0001 router-id 192.0.2.1\nnode fra id 0000.0000.0002 router-id 192.0.2.2\n"
      "link ams fra metric 7\nprefix fra 198.51.100.0/24 metric 1\n",
      "network");
  ASSERT_TRUE(file.ok()) << file.status();
  ScriptedPeer peer(server_->bgp_endpoints()[0], "127.0.0.2");
  bgp::Open open = ScriptedOpen(kRouter);
  open.families = bgp::FamilySet().Add(bgp::Family::kIpv4Unicast).Add(bgp::Family::kLinkState);
  ASSERT_TRUE(peer.Establish(open));
  for (const topology::Advertisement& advertisement : file->advertisements) {
    for (const BgpLsObject& object : BgpLsObjectsOf(advertisement)) {
      ASSERT_TRUE(peer.Send(base::AsOctets(BgpLsAnnouncement(object))));
    }
  }
  ASSERT_TRUE(Eventually([&] { return server_->Status().igp.links_2 == 2; }));
  EXPECT_GT(server_->Status().igp.bgp_ls_objects, 4u);
  ExpectJoined("198.51.100.7", "[\"198.51.100.7\", \"ams\", \"fra\", \"198.51.100.0/24\", 8, \"ams fra\", ");
  EXPECT_TRUE(absl::StrContains(Ask(Of::kNeighbors), "no isis"));
  // The session ends, and what it told with it.
  peer.Reset();
  ASSERT_TRUE(Eventually([&] { return server_->Status().igp.advertisements == 0; }));
  ExpectJoined("198.51.100.8", "[\"198.51.100.8\", null, null, ");
}

}  // namespace
}  // namespace flowacct::collector
