// The whole collector with a BGP neighbour: flows of the router that told the routes, joined to them, while they
// change.

#include <stdlib.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
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

TEST_F(ServerRoutesTest, AMapChoosesByWhatTheRecordSays) {
  StartServer(
      "input { name: \"in\" udp { listen: \"127.0.0.1:0\" } }\n"
      "bgp { listen: \"127.0.0.1:0\""
      " map { exporters: \"127.0.0.0/8\" where: \"src_addr in 10.1.0.0/16 or src_addr = 10.2.0.9\" out_if: \"0-7\""
      " peer: \"127.0.0.3\" } }\n"
      "pipeline { name: \"p\" by: \"src_addr,dst_as,route_source\" sum: \"flows\" every: \"1d\" enrich { routes {} } "
      "sink "
      "{ memory {} } }");
  const auto own = Connect();
  auto other = std::make_unique<ScriptedPeer>(server_->bgp_endpoints()[0], "127.0.0.3");
  ASSERT_TRUE(other->Establish(ScriptedOpen(0x7f000003)));
  bgp::testing::UpdateBuilder update(own->context()), others(other->context());
  update.Origin(0).AsPath({64501}).NextHop("203.0.113.7").Announce("198.51.100.0/24");
  others.Origin(0).AsPath({64503}).NextHop("203.0.113.7").Announce("198.51.100.0/24");
  ASSERT_TRUE(own->Send(update.Message()));
  ASSERT_TRUE(other->Send(others.Message()));
  ASSERT_TRUE(Eventually([&] { return absl::StrContains(Lookup("198.51.100.1"), "64501"); }));
  ASSERT_TRUE(Eventually([&] { return absl::StrContains(Lookup("198.51.100.1"), "64503"); }));
  SendFlow("10.1.0.1", "198.51.100.1");
  SendFlow("10.2.0.1", "198.51.100.1");
  SendFlow("10.2.0.9", "198.51.100.1");
  EXPECT_TRUE(absl::StrContains(Rows(), "[\"10.1.0.1\", 64503, \"bgp_mapped\", 1]")) << Rows();
  EXPECT_TRUE(absl::StrContains(Rows(), "[\"10.2.0.1\", 64501, \"bgp\", 1]")) << Rows();
  EXPECT_TRUE(absl::StrContains(Rows(), "[\"10.2.0.9\", 64503, \"bgp_mapped\", 1]")) << Rows();
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

TEST_F(ServerRoutesTest, WhatIsSaidOfRoutesIsLoggedDumpedAndRemembered) {
  std::string folder = absl::StrCat(testing::TempDir(), "/routes.XXXXXX");
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const auto read = [](const std::string& name) {
    std::ifstream in(name);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  const std::string log = folder + "/log/127_0_0_2.json", dump = folder + "/dump.json";
  StartServer(absl::StrCat("input { name: \"in\" udp { listen: \"127.0.0.1:0\" } }\n",
                           "bgp { listen: \"127.0.0.1:0\" history: \"1MiB\" message_log { file: \"", folder,
                           "/log/$peer_src_ip.json\" } json_dump { file: \"", dump, "\" every: \"1s\" } }\n",
                           "pipeline { name: \"p\" by: \"dst_as\" every: \"1d\" sink { memory {} } }\n"));
  const auto peer = Connect();
  bgp::testing::UpdateBuilder update(peer->context());
  update.Origin(0).AsPath({64501, 64502}).NextHop("203.0.113.7").Communities({0xfbf40007}).Announce("198.51.100.0/24");
  ASSERT_TRUE(peer->Send(update.Message()));
  ASSERT_TRUE(Eventually([&] { return absl::StrContains(read(log), "198.51.100.0/24"); })) << read(log);
  ASSERT_TRUE(Eventually([&] { return absl::StrContains(read(dump), "198.51.100.0/24"); })) << read(dump);
  // logrotate: a reload, also of a wrong file, begins a new one.
  ASSERT_EQ(rename(log.c_str(), (log + ".1").c_str()), 0);
  (void)server_->Reload();
  bgp::testing::UpdateBuilder withdrawal(peer->context());
  withdrawal.Withdraw("198.51.100.0/24");
  ASSERT_TRUE(Eventually([&] { return server_->Status().route_logs[0].open_files == 0; }));
  ASSERT_TRUE(peer->Send(withdrawal.Message()));
  ASSERT_TRUE(Eventually([&] { return absl::StrContains(read(log), "withdraw"); })) << read(log);

  const CollectorStatus status = server_->Status();
  ASSERT_EQ(status.route_logs.size(), 1u);
  EXPECT_EQ(status.route_logs[0].name, "bgp");
  EXPECT_EQ(status.route_logs[0].lines, 3u);
  EXPECT_GE(status.route_logs[0].dumps, 1u);
  EXPECT_EQ(status.route_logs[0].last_error, "");
  HistoryQuestion question;
  question.prefix = "198.51.100.7";
  auto history = server_->History(question);
  ASSERT_TRUE(history.ok()) << history.status();
  EXPECT_TRUE(absl::StrContains(*history, R"("127.0.0.2",64500,"withdrawn","198.51.100.0/24",null,null,null,)"))
      << *history;
  EXPECT_TRUE(absl::StrContains(
      *history, R"("announced","198.51.100.0/24",null,null,"203.0.113.7","64501 64502","igp",null,null,"64500:7")"))
      << *history;
  question.prefix = "198.51.100.0/33";
  EXPECT_EQ(server_->History(question).status().message(),
            "prefix: \"198.51.100.0/33\" is no prefix and no address; such as 198.51.100.0/24");
  EXPECT_TRUE(server_->Stop(absl::Seconds(5)).ok());
  EXPECT_TRUE(absl::StrContains(read(log), "log_close")) << read(log);
  (void)!system(absl::StrCat("rm -rf ", folder).c_str());
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
  EXPECT_EQ(error(input + pipeline + "bgp { listen: \"127.0.0.1:0\" dump_file: \"a.mrt\" dump_file: \"-\" }"),
            "c:3:48: dump_file: is the path of a file");
  EXPECT_EQ(error(input + pipeline + "bgp { listen: \"127.0.0.1:0\" router_id: \"::1\" }"),
            "c:3:29: router_id: is an IPv4 address, such as 192.0.2.1");
  EXPECT_EQ(error(input + pipeline + "bgp { listen: \"127.0.0.1:0\" message_log { file: \"/tmp/\" } }"),
            "c:3:43: file: names a folder, not a file");
  EXPECT_EQ(error(input + pipeline + "bgp { listen: \"127.0.0.1:0\" json_dump { file: \"x\" every: \"1500ms\" } }"),
            "c:3:51: every: is whole seconds, such as 5m");
  EXPECT_EQ(error(input + pipeline + "bgp { listen: \"127.0.0.1:0\" json_dump { file: \"x\" time_zone: \"Mars\" } }"),
            "c:3:51: time_zone: \"Mars\" is no time zone; such as Europe/Rome");
  const std::string no_port = "the port of a BMP router is not known: leave ";
  EXPECT_EQ(error(input + pipeline + "bmp { listen: \"127.0.0.1:0\" message_log { file: \"a-$bmp_router_port\" } }"),
            absl::StrCat("c:3:43: file: ", no_port, "$bmp_router_port out; $bmp_router is its address"));
  EXPECT_EQ(error(input + pipeline + "bmp { listen: \"127.0.0.1:0\" json_dump { file: \"a-$peer_tcp_port\" } }"),
            absl::StrCat("c:3:41: file: ", no_port, "$peer_tcp_port out; $bmp_router is its address"));
  EXPECT_EQ(error(input + pipeline + "bgp { listen: \"127.0.0.1:0\" history: \"much\" }"),
            "c:3:29: history: \"much\" is no size; such as 64KiB, 8MiB, 1GiB");
  const auto neighbor_error = [&](const std::string& said) {
    return error(input + pipeline + "bgp { listen: \"127.0.0.1:0\" neighbor { peers: \"10.0.0.0/8\" " + said + " } }");
  };
  EXPECT_EQ(neighbor_error("hold_time: \"1500ms\""), "c:3:60: hold_time: is whole seconds, at most 65535s");
  EXPECT_EQ(neighbor_error("hold_time: \"0\""), "c:3:60: hold_time: \"0\" is no duration; such as 30s, 5m, 1h, 1d");
  EXPECT_EQ(neighbor_error("stale_for: \"soon\""),
            "c:3:60: stale_for: \"soon\" is no duration; such as 30s, 5m, 1h, 1d");
  EXPECT_TRUE(absl::StrContains(neighbor_error("stale_for: \"0\" wait_for_table: \"2d\""),
                                "neighbors: 10.0.0.0/8: wait_for_table: 48h; 0 to 24h can be"));
  EXPECT_TRUE(absl::StrContains(neighbor_error("max_routes: 0"), "neighbors: 10.0.0.0/8: max_routes: 0; 1 to"));
}

}  // namespace
}  // namespace flowacct::collector
