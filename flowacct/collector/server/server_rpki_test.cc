// The whole collector with a BGP neighbour, an RPKI cache and a file of ROAs: the routes of its flows are validated,
// while all three change.

#include <cstdio>
#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "flowacct/bgp/testing/update_builder.h"
#include "flowacct/collector/server/collector_status.h"
#include "flowacct/collector/server/routes_fixture.h"
#include "flowacct/collector/validation/testing/fake_cache.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

class ServerRpkiTest : public ServerRoutesTest {
 protected:
  static std::string Pipeline() {
    return "pipeline { name: \"p\" by: \"src_roa,dst_roa\" sum: \"flows\" every: \"1d\" enrich { routes {} } sink { "
           "memory {} } }\n";
  }
  void AnnounceRoutes(ScriptedPeer& peer) {
    bgp::testing::UpdateBuilder update(peer.context());
    update.Origin(0).AsPath({64501, 64502}).NextHop("203.0.113.7").Announce("10.0.0.0/8").Announce("198.51.100.0/24");
    ASSERT_TRUE(peer.Send(update.Message()));
    ASSERT_TRUE(Eventually([&] { return absl::StrContains(Lookup("198.51.100.1"), "64502"); }));
  }
  std::string Rpki(const std::string& prefix = "", const std::string& as = "") {
    const auto answer = server_->Rpki({prefix, as});
    return answer.ok() ? *answer : std::string(answer.status().message());
  }
  bool Becomes(const std::string& prefix, const std::string& as, const std::string& state) {
    const bool did =
        Eventually([&] { return absl::StrContains(Rpki(prefix, as), absl::StrCat("\"state\":\"", state, "\"")); });
    EXPECT_TRUE(did) << Rpki(prefix, as) << Rpki();
    return did;
  }
  uint64_t Counter(absl::string_view name) {
    uint64_t sum = 0;
    const CollectorStatus status = server_->Status();
    for (const EnrichmentCounter& counter : status.pipelines[0].enrichment) {
      if (counter.counter == name) sum += counter.value;
    }
    return sum;
  }
};

TEST_F(ServerRpkiTest, RoutesAreValidatedWhileVrpsChange) {
  FakeCache cache;
  const std::string file = File("roas.json");
  std::ofstream(file) << "{\"roas\":[{\"asn\":64502,\"prefix\":\"10.0.0.0/8\"}]}";
  StartServer(absl::StrCat(Text(Pipeline()), "rpki { cache: \"", cache.url(), "\" roa_file: \"", file, "\" }"));
  const auto peer = Connect();
  AnnounceRoutes(*peer);
  // The file alone is not enough while the cache has neither told nor failed.
  SendFlow("10.0.0.1", "198.51.100.1");
  EXPECT_EQ(Rows(), "[null, null, 1]");
  EXPECT_EQ(Counter("routes_not_validated"), 2u);
  EXPECT_TRUE(absl::StrContains(Rpki("10.0.0.0/8", "1"), "there are no VRPs")) << Rpki("10.0.0.0/8", "1");

  ASSERT_TRUE(cache.Accept());
  ASSERT_TRUE(cache.AnswerWhole(7, 1, {MakeVrp("198.51.0.0/16", 23, 64502), MakeVrp("198.51.0.0/16", 24, 64999)}));
  ASSERT_TRUE(Becomes("198.51.100.0/24", "AS64502", "invalid"));
  SendFlow("10.0.0.1", "198.51.100.1");
  EXPECT_TRUE(absl::StrContains(Rows(), "[\"valid\", \"invalid\", 1]")) << Rows();
  SendFlow("198.51.100.1", "10.0.0.1");
  EXPECT_TRUE(absl::StrContains(Rows(), "[\"invalid\", \"valid\", 1]")) << Rows();
  EXPECT_EQ(Rpki("198.51.100.0/24", "64502"),
            "{\"state\":\"invalid\",\"columns\":[\"state\",\"vrp\",\"max_length\",\"as\",\"matches\"],\"rows\":["
            "[\"invalid\",\"198.51.0.0/16\",23,64502,\"no: max_length\"],"
            "[\"invalid\",\"198.51.0.0/16\",24,64999,\"no: as\"]]}\n");
  EXPECT_TRUE(absl::StrContains(Rpki("192.0.2.0/24", "64502"), "[\"not_found\",null,null,null,null]"));

  // The cache takes the one back, and the file holds another.
  ASSERT_TRUE(cache.Notify(7, 2));
  ASSERT_TRUE(cache.AwaitQuery(rpki::PduType::kSerialQuery, 7, 1));
  ASSERT_TRUE(cache.AnswerChanges(
      7, 2, {{false, MakeVrp("198.51.0.0/16", 23, 64502)}, {false, MakeVrp("198.51.0.0/16", 24, 64999)}}));
  ASSERT_TRUE(Becomes("198.51.100.0/24", "64502", "not_found"));
  std::ofstream(file + ".new") << "{\"roas\":[{\"asn\":64503,\"prefix\":\"10.0.0.0/8\"}]}";
  ASSERT_EQ(std::rename((file + ".new").c_str(), file.c_str()), 0);
  ASSERT_TRUE(Becomes("10.0.0.0/8", "64502", "invalid"));
  SendFlow("10.0.0.1", "198.51.100.1");
  EXPECT_TRUE(absl::StrContains(Rows(), "[\"invalid\", \"not_found\", 1]")) << Rows();
  // Without a route there is nothing to validate.
  SendFlow("172.16.0.1", "198.51.100.1");
  EXPECT_TRUE(absl::StrContains(Rows(), "[null, \"not_found\", 1]")) << Rows();
  EXPECT_EQ(Counter("routes_rov_valid"), 2u);
  EXPECT_EQ(Counter("routes_rov_invalid"), 3u);
  EXPECT_EQ(Counter("routes_rov_not_found"), 2u);

  const CollectorStatus status = server_->Status();
  EXPECT_EQ(status.rpki.vrps, 1u);
  EXPECT_EQ(status.rpki.caches[0].serial, 2u);
  EXPECT_EQ(status.rpki.files[0].vrps, 1u);
  EXPECT_TRUE(absl::StrContains(Rpki(), absl::StrCat("[\"", cache.url(), "\",\"synchronized\",1,7,2,0,2,0,")))
      << Rpki();
  EXPECT_TRUE(absl::StrContains(Rpki(), absl::StrCat("[\"", file, "\",\"read\",null,null,null,1,2,0,0,0,"))) << Rpki();
  EXPECT_TRUE(absl::StrContains(Rpki("10/8", "1"), "is no prefix")) << Rpki("10/8", "1");
  EXPECT_TRUE(absl::StrContains(Rpki("10.0.0.0/8", "one"), "is no AS number"));
}

TEST_F(ServerRpkiTest, AReloadKeepsWhatIsKnown) {
  FakeCache cache;
  const std::string rpki = absl::StrCat("rpki { cache: \"", cache.url(), "\" }\n");
  StartServer(Text(rpki + Pipeline()));
  ASSERT_TRUE(cache.Accept());
  ASSERT_TRUE(cache.AnswerWhole(7, 1, {MakeVrp("10.0.0.0/8", 8, 64502)}));
  ASSERT_TRUE(Becomes("10.0.0.0/8", "64502", "valid"));
  ASSERT_TRUE(server_
                  ->Reload(Parse(Text(rpki + Pipeline() +
                                      "pipeline { name: \"q\" by: \"dst_roa\" every: \"1d\" enrich { routes { "
                                      "policy: FILL } } sink { memory {} } }")))
                  .ok());
  EXPECT_TRUE(Becomes("10.0.0.0/8", "64502", "valid"));
  const auto peer = Connect();
  AnnounceRoutes(*peer);
  SendFlow("10.0.0.1", "198.51.100.1");
  EXPECT_TRUE(absl::StrContains(Rows(), "[\"valid\", \"not_found\", 1]")) << Rows();
  EXPECT_EQ(std::string(server_->Reload(Parse(Text("rpki { roa_file: \"x\" }\n" + Pipeline()))).message()),
            "test.conf:3:1: rpki: cannot change while the collector runs; restart it");
  EXPECT_EQ(server_->Status().rpki.caches[0].connections, 1u);
}

TEST_F(ServerRpkiTest, WhatCannotBeIsToldWhereItIs) {
  const auto error = [](const std::string& rpki) {
    auto file = config::ConfigFile::Parse(absl::StrCat(Text(Pipeline()), rpki), "c");
    EXPECT_TRUE(file.ok()) << file.status();
    return std::string(Server::New(*std::move(file), {}).status().message());
  };
  EXPECT_TRUE(absl::StartsWith(error("rpki { cache: \"localhost:323\" }"), "c:4:8: cache: "))
      << error("rpki { cache: \"localhost:323\" }");
  EXPECT_TRUE(absl::StartsWith(error("rpki { cache: \"192.0.2.1:323\" cache: \"tls://192.0.2.1:324\" }"), "c:4:31: "))
      << error("rpki { cache: \"192.0.2.1:323\" cache: \"tls://192.0.2.1:324\" }");
  EXPECT_TRUE(absl::StartsWith(error("rpki {}"), "c:4:1: give cache: ")) << error("rpki {}");
  EXPECT_EQ(error("rpki { roa_file: \"/x\" version: 300 }"),
            "c:4:1: version: 255; 0 (RFC 6810) and 1 (RFC 8210) can be");
}

TEST_F(ServerRpkiTest, FieldsThatNobodyWillFillAreSaid) {
  const auto warnings = [](const std::string& text) {
    auto file = config::ConfigFile::Parse(text, "c");
    EXPECT_TRUE(file.ok()) << file.status();
    std::string lines;
    ServerOptions options;
    options.log = [&lines](absl::string_view line) { absl::StrAppend(&lines, line, "\n"); };
    const auto server = Server::New(*std::move(file), std::move(options));
    EXPECT_TRUE(server.ok()) << server.status();
    return lines;
  };
  const std::string rpki = "rpki { roa_file: \"/x\" }\n";
  EXPECT_EQ(warnings(Text(Pipeline() + rpki)), "");
  EXPECT_EQ(warnings(Text(Pipeline())),
            "c:3:22: by: src_roa will be in no record: nobody tells who may originate what; give rpki { cache: "
            "\"tcp://...\" }\n");
  EXPECT_EQ(warnings(Text(rpki + "pipeline { name: \"p\" by: \"dst_roa\" sink { memory {} } }")),
            "c:4:22: by: dst_roa will be in no record: it is told of routes; give enrich { routes {} }\n");
  StartServer(Text(Pipeline()));
  EXPECT_TRUE(absl::StrContains(Rpki(), "has no rpki")) << Rpki();
}

}  // namespace
}  // namespace flowacct::collector
