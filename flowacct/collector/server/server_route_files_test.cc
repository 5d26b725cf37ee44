// The whole collector and MRT files: routes kept over a restart, files of routes, dumps, and what is asked of them.

#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "flowacct/bgp/testing/update_builder.h"
#include "flowacct/collector/mrt/offline_routes.h"
#include "flowacct/collector/mrt/testing/mrt_text.h"
#include "flowacct/collector/routing/testing/scripted_peer.h"
#include "flowacct/collector/server/server_fixture.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

class ServerRouteFilesTest : public ServerTest {
 protected:
  static std::string Text(absl::string_view bgp, absl::string_view more = "") {
    return absl::StrCat(
        "input { name: \"in\" udp { listen: \"127.0.0.1:0\" } }\n",
        "pipeline { name: \"p\" by: \"dst_as\" every: \"1d\" enrich { routes {} } sink { memory {} } }\n",
        "bgp { listen: \"127.0.0.1:0\" stale_for: \"1m\" ", bgp, " }\n", more);
  }
  static std::string List(Server& server) {
    const auto json = server.ListRoutes({});
    EXPECT_TRUE(json.ok()) << json.status();
    return json.ok() ? *json : "";
  }
};

TEST_F(ServerRouteFilesTest, RoutesAreThereBeforeTheSessionIs) {
  const std::string folder = File("state");
  ASSERT_EQ(std::system(absl::StrCat("rm -rf '", folder, "'").c_str()), 0);
  const std::string text = Text("", absl::StrCat("state { directory: \"", folder, "\" }"));
  const auto announce = [](ScriptedPeer& peer, const std::vector<std::string>& prefixes) {
    bgp::testing::UpdateBuilder update(peer.context());
    update.Origin(0).AsPath({64501, 64502}).NextHop("203.0.113.7");
    for (const std::string& prefix : prefixes) update.Announce(prefix);
    EXPECT_TRUE(peer.Send(update.Message()));
    peer.context().families.ForEach([&](bgp::Family family) { peer.SendEndOfRib(family); });
  };
  {
    auto server = StartServer(text);
    ScriptedPeer peer(server->bgp_endpoints()[0], "127.0.0.2");
    ASSERT_TRUE(peer.Establish(ScriptedOpen(0x7f000002)));
    announce(peer, {"198.51.100.0/24", "203.0.113.0/24"});
    ASSERT_TRUE(Eventually([&] { return absl::StrContains(List(*server), "203.0.113.0/24"); }));
    ASSERT_TRUE(server->Stop(absl::Seconds(5)).ok());
  }
  auto server = StartServer(text);
  EXPECT_TRUE(absl::StrContains(absl::StrJoin(server->Status().notes, "\n"),
                                "routes: 2 routes of 1 peer restored, stale until their sessions confirm them"))
      << absl::StrJoin(server->Status().notes, "\n");
  const std::string restored = List(*server);
  EXPECT_TRUE(absl::StrContains(restored, "[\"198.51.100.0/24\",\"127.0.0.2\",\"203.0.113.7\",\"64501 64502\","));
  EXPECT_TRUE(absl::StrContains(restored, ",null,null,1,\"session\",null,null]"));  // stale
  EXPECT_EQ(server->Status().bgp.peers.size(), 1u);
  EXPECT_EQ(server->Status().bgp.peers[0].stale_paths, 2u);
  ScriptedPeer peer(server->bgp_endpoints()[0], "127.0.0.2");
  ASSERT_TRUE(peer.Establish(ScriptedOpen(0x7f000002)));
  EXPECT_TRUE(absl::StrContains(List(*server), "203.0.113.0/24"));
  announce(peer, {"198.51.100.0/24"});
  ASSERT_TRUE(Eventually([&] { return !absl::StrContains(List(*server), "203.0.113.0/24"); }));
  EXPECT_TRUE(absl::StrContains(List(*server), ",null,null,0,\"session\",null,null]")) << List(*server);
  EXPECT_EQ(server->Status().bgp.peers[0].stale_paths, 0u);
}

TEST_F(ServerRouteFilesTest, FilesAreLoadedListedAndDumped) {
  MrtText file;
  file.Peers({{"192.0.2.1", 64501, "10.0.0.1"}});
  file.Entry(0, "198.51.100.0/24", {64501, 64510}, "192.0.2.1");
  file.Entry(0, "2001:db8::/32", {64501, 64511}, "2001:db8::1");
  ASSERT_TRUE(file.WriteTo(File("routes.mrt")));
  auto server =
      StartServer(Text(absl::StrCat("dump_file: \"", File("routes.mrt"), "\" dumps_for_all: true mrt { path: \"",
                                    File("dump-%s.mrt"), "\" every: \"1s\" }")));
  RouteListQuestion question;
  question.origin_as = "64511";
  EXPECT_TRUE(absl::StrContains(*server->ListRoutes(question), "[[\"2001:db8::/32\",\"192.0.2.1\""));
  question.origin_as = "x";
  EXPECT_TRUE(absl::IsInvalidArgument(server->ListRoutes(question).status()));
  const auto dump = server->DumpRoutes("");
  ASSERT_TRUE(dump.ok()) << dump.status();
  auto read = OfflineRoutes::LoadOctets(*dump, "dump");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ((*read)->book().rib().paths(), 2u);
  EXPECT_TRUE(absl::IsInvalidArgument(server->DumpRoutes("nobody").status()));
  EXPECT_EQ(server->Status().bgp.dump_files_loaded, 1u);
  EXPECT_TRUE(Eventually([&] { return server->Status().bgp.dumps_written >= 1; }));
  EXPECT_EQ(server->Status().bgp.dumps_failed, 0u);
}

TEST_F(ServerRouteFilesTest, WithoutBgpThereAreNoRoutes) {
  auto server = StartServer(
      "input { name: \"in\" udp { listen: \"127.0.0.1:0\" } }\n"
      "pipeline { name: \"p\" by: \"dst_as\" every: \"1d\" sink { memory {} } }\n");
  EXPECT_TRUE(absl::IsFailedPrecondition(server->ListRoutes({}).status()));
  EXPECT_TRUE(absl::StrContains(server->DumpRoutes("").status().message(), "neither bgp nor bmp"));
  EXPECT_TRUE(absl::IsFailedPrecondition(server->DumpRoutes("").status()));
}

}  // namespace
}  // namespace flowacct::collector
