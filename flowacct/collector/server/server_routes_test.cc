// The whole collector with a BGP neighbour: flows of the router that told the routes, joined to them, while they
// change.

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "flowacct/bgp/testing/update_builder.h"
#include "flowacct/collector/routing/testing/scripted_peer.h"
#include "flowacct/collector/server/collector_status.h"
#include "flowacct/collector/server/routes_fixture.h"
#include "flowacct/collector/server/server_fixture.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

TEST_F(ServerRoutesTest, FlowsAreJoinedToTheirRoutersRoutesWhileTheyChange) {
  StartServer(
      Text("pipeline { name: \"p\" by: \"dst_as,as_path,std_comm,med,bgp_next_hop,dst_net,route_source,src_as\" sum: "
           "\"bytes\" "
           "every: \"1d\" enrich { routes {} } sink { memory {} } }"));
  EXPECT_TRUE(absl::StrContains(*server_->Routes({}), "\"established\":0")) << *server_->Routes({});
  SendFlow("10.0.0.1", "198.51.100.1");  // before there is anybody
  // NetFlow v5 tells AS numbers and masks of its own, here zeros.
  EXPECT_EQ(Rows(), "[0, null, null, null, null, \"0.0.0.0/0\", null, 0, 1000]");

  const auto peer = Connect();
  bgp::testing::UpdateBuilder update(peer->context());
  update.Origin(0).AsPath({64501, 64502}).NextHop("203.0.113.7").Med(30).Communities({0xfbf40007});
  update.Announce("198.51.100.0/24").Announce("10.0.0.0/8");
  ASSERT_TRUE(peer->Send(update.Message()));
  ASSERT_TRUE(Eventually([&] { return absl::StrContains(Lookup("198.51.100.1"), "64501 64502"); }));
  SendFlow("10.0.0.1", "198.51.100.1");
  EXPECT_TRUE(absl::StrContains(
      Rows(),
      "[64502, \"64501 64502\", [\"64500:7\"], 30, \"203.0.113.7\", \"198.51.100.0/24\", \"bgp\", 64502, 1000]"))
      << Rows();

  bgp::testing::UpdateBuilder withdrawal(peer->context());
  withdrawal.Withdraw("198.51.100.0/24");
  ASSERT_TRUE(peer->Send(withdrawal.Message()));
  ASSERT_TRUE(Eventually([&] { return !absl::StrContains(Lookup("198.51.100.1"), "64502"); }));
  SendFlow("10.0.0.1", "198.51.100.1");
  EXPECT_TRUE(absl::StrContains(Rows(), "[0, null, null, null, null, \"0.0.0.0/0\", null, 64502, 1000]")) << Rows();
  EXPECT_TRUE(absl::StrContains(*server_->Routes({}), "\"established\":1")) << *server_->Routes({});

  // The session is lost: what it told stays for a while, and says that it is stale.
  peer->Reset();
  ASSERT_TRUE(Eventually([&] { return absl::StrContains(*server_->Routes({}), "\"established\":0"); }));
  EXPECT_TRUE(absl::StrContains(Lookup("10.0.0.1"), "64502\"")) << Lookup("10.0.0.1");
  SendFlow("10.0.0.1", "10.0.0.2");
  uint64_t stale = 0;
  const CollectorStatus status = server_->Status();
  for (const EnrichmentCounter& counter : status.pipelines[0].enrichment) {
    if (counter.counter == "routes_stale") stale += counter.value;
  }
  EXPECT_EQ(stale, 2u);
}

TEST_F(ServerRoutesTest, AReloadKeepsSessionsAndRoutes) {
  const std::string pipeline =
      "pipeline { name: \"p\" by: \"dst_as\" sum: \"bytes\" every: \"1d\" enrich { routes {} } sink { memory {} } }";
  StartServer(Text(pipeline));
  const auto peer = Connect();
  bgp::testing::UpdateBuilder update(peer->context());
  update.Origin(0).AsPath({64501}).NextHop("203.0.113.7").Announce("198.51.100.0/24");
  ASSERT_TRUE(peer->Send(update.Message()));
  ASSERT_TRUE(Eventually([&] { return absl::StrContains(Lookup("198.51.100.1"), "64501"); }));
  const std::string changed = Text(pipeline +
                                   "pipeline { name: \"q\" by: \"as_path\" every: \"1d\" enrich { routes { "
                                   "as_path_radius: 1 } } sink { memory {} } }");
  ASSERT_TRUE(server_->Reload(Parse(changed)).ok());
  SendFlow("10.0.0.1", "198.51.100.1");
  EXPECT_EQ(Rows(), "[64501, 1000]");
  EXPECT_TRUE(absl::StrContains(*server_->Routes({}), "\"established\":1"));
  EXPECT_EQ(std::string(server_
                            ->Reload(Parse(absl::StrCat("input { name: \"in\" udp { listen: \"127.0.0.1:0\" } }\n",
                                                        "bgp { listen: \"127.0.0.1:0\" local_as: 7 }\n", pipeline)))
                            .message()),
            "test.conf:2:1: bgp: cannot change while the collector runs; restart it");
}

TEST_F(ServerRoutesTest, WhatCannotBeIsToldWhereItIs) {
  const auto error = [](const std::string& text) {
    auto file = config::ConfigFile::Parse(text, "c");
    EXPECT_TRUE(file.ok()) << file.status();
    return std::string(Server::New(*std::move(file), {}).status().message());
  };
  const std::string input = "input { name: \"in\" udp { listen: \"127.0.0.1:0\" } }\n";
  const std::string pipeline =
      "pipeline { name: \"p\" by: \"dst_as\" every: \"1d\" enrich { routes {} } sink { memory {} } }\n";
  EXPECT_EQ(error(input + pipeline),
            "c:2:56: routes: there is nobody who tells routes; give bgp { listen: \"[::]:179\" } or bmp");
  EXPECT_EQ(error(input + pipeline + "bgp { listen: \"127.0.0.1:0\" allow: \"10.0.0.0/33\" }"),
            "c:3:29: allow: \"10.0.0.0/33\" is no prefix; such as 192.0.2.0/24 or 192.0.2.1");
  EXPECT_EQ(error(input + pipeline + "bgp { listen: \"127.0.0.1:0\" router_id: \"::1\" }"),
            "c:3:29: router_id: is an IPv4 address, such as 192.0.2.1");
}

}  // namespace
}  // namespace flowacct::collector
