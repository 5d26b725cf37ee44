// What is asked of routes of MRT files: lists by every filter, look-ups, differences, histories.

#include "flowacct/collector/looking_glass/looking_glass.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/collector/looking_glass/mrt_history.h"
#include "flowacct/collector/looking_glass/route_filter.h"
#include "flowacct/collector/mrt/offline_routes.h"
#include "flowacct/collector/mrt/testing/mrt_text.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

MrtText Table() {
  MrtText file;
  file.Peers({{"192.0.2.1", 64501, "10.0.0.1"}, {"192.0.2.2", 64502, "10.0.0.2"}});
  file.Entry(0, "198.51.100.0/24", {64501, 64510}, "192.0.2.1", {0xfbf40001});
  file.Entry(0, "198.51.100.128/25", {64501, 64511}, "192.0.2.1");
  file.Entry(0, "198.51.0.0/16", {64501, 64512}, "192.0.2.1");
  file.Entry(1, "198.51.100.0/24", {64502, 64510, 64511}, "192.0.2.2");
  file.Entry(1, "2001:db8:1::/48", {64502}, "2001:db8::2");
  file.Entry(1, "198.51.100.0/24", {64502, 64599}, "192.0.2.2", {}, 0x0000fbf400000007);
  return file;
}

std::shared_ptr<OfflineRoutes> Load(const MrtText& file) {
  auto routes = OfflineRoutes::LoadOctets(file.text(), "file");
  EXPECT_TRUE(routes.ok()) << routes.status();
  return *std::move(routes);
}

TEST(LookingGlassTest, ListsByEveryFilter) {
  const auto routes = Load(Table());
  struct Case {
    const char* name;
    RouteListQuestion question;
    size_t rows;
  };
  std::vector<Case> cases;
  const auto add = [&cases](const char* name, size_t rows) -> RouteListQuestion& {
    cases.push_back({name, {}, rows});
    return cases.back().question;
  };
  add("all", 6);
  add("peer", 3).peer = "192.0.2.2";
  add("its identifier", 3).peer = "10.0.0.1";
  add("another peer", 0).peer = "10.0.0.9";
  add("prefix", 3).prefix = "198.51.100.0/24";
  {
    RouteListQuestion& question = add("longer", 4);
    question.prefix = "198.51.100.0/24";
    question.longer = true;
  }
  {
    RouteListQuestion& question = add("all of IPv6", 1);
    question.prefix = "::/0";
    question.longer = true;
  }
  add("origin", 1).origin_as = "64510";
  add("in the path", 2).as = "64510";
  add("community", 1).community = "64500:1";
  add("communities", 1).community = "64500:*";
  add("no such community", 0).community = "64500:2";
  add("large", 0).community = "1:2:3";
  add("extended", 0).community = "rt:64500:1";
  add("VRF", 1).rd = "64500:7";
  for (const Case& c : cases) {
    const auto json = ListRoutes(routes->book(), c.question);
    ASSERT_TRUE(json.ok()) << json.status();
    size_t rows = 0;
    for (size_t at = json->find("[\"1"); at != std::string::npos; at = json->find("[\"1", at + 1)) ++rows;
    for (size_t at = json->find("[\"2"); at != std::string::npos; at = json->find("[\"2", at + 1)) ++rows;
    EXPECT_EQ(rows, c.rows) << c.name << ": " << *json;
  }
  RouteListQuestion few;
  few.limit = 1;
  few.origin_as = "64510";
  EXPECT_EQ(*ListRoutes(routes->book(), few),
            R"({"columns":["prefix","peer","next_hop","as_path","origin","local_pref","med","communities",)"
            R"("ext_communities","large_communities","path_id","label","stale","table","told_by","rd"],"rows":[)"
            R"(["198.51.100.0/24","192.0.2.1","192.0.2.1","64501 64510","igp",null,null,"64500:1",null,null,null,null,)"
            R"(0,"dump",null,null]]})"
            "\n");
  few.origin_as.clear();
  EXPECT_TRUE(absl::StrContains(*ListRoutes(routes->book(), few), "]],\"groups\":6}"));
}

// A list of a prefix begins at it and ends behind it: what it finds is what a filter of the whole list would.
TEST(LookingGlassTest, PrefixesAreFoundWhereverTheyStand) {
  MrtText file;
  file.Peers({{"192.0.2.1", 64501, "10.0.0.1"}});
  std::vector<base::IpPrefix> all;
  for (const char* text : {"0.0.0.0/0",
                           "0.0.0.0/1",
                           "10.0.0.0/8",
                           "10.0.0.0/9",
                           "10.0.0.0/32",
                           "10.127.255.255/32",
                           "10.128.0.0/9",
                           "10.128.0.0/32",
                           "10.255.255.255/32",
                           "11.0.0.0/8",
                           "128.0.0.0/1",
                           "255.255.255.255/32",
                           "::/0",
                           "::/128",
                           "8000::/1",
                           "2001:db8::/32",
                           "2001:db8::/33",
                           "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff/128",
                           "2001:db8:8000::/33",
                           "2001:db8:8000::/128",
                           "2001:db9::/32",
                           "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"}) {
    all.push_back(*base::IpPrefix::Parse(text));
    const bool v4 = all.back().address().IsV4();
    file.Entry(0, text, {64501}, v4 ? "192.0.2.1" : "2001:db8::1");
  }
  const auto routes = Load(file);
  std::vector<base::IpPrefix> asked = all;
  for (const char* text : {"10.64.0.0/10", "10.192.0.0/10", "12.0.0.0/6", "127.0.0.0/8", "4000::/2", "2001:db8::/31"}) {
    asked.push_back(*base::IpPrefix::Parse(text));
  }
  for (const base::IpPrefix& prefix : asked) {
    for (const bool longer : {false, true}) {
      RouteListQuestion question;
      question.prefix = prefix.ToString();
      question.longer = longer;
      const std::string json = *ListRoutes(routes->book(), question);
      for (const base::IpPrefix& other : all) {
        const bool same_family = other.address().IsV4() == prefix.address().IsV4();
        const bool within = same_family && other.length() >= prefix.length() && prefix.Contains(other.address());
        EXPECT_EQ(absl::StrContains(json, absl::StrCat("[\"", other.ToString(), "\"")),
                  longer ? within : prefix == other)
            << prefix.ToString() << (longer ? " and longer: " : ": ") << other.ToString();
      }
    }
  }
}

TEST(LookingGlassTest, WrongQuestionsNameTheOption) {
  const auto routes = Load(Table());
  const auto why = [&](void (*change)(RouteListQuestion*)) {
    RouteListQuestion question;
    change(&question);
    return std::string(ListRoutes(routes->book(), question).status().message());
  };
  EXPECT_TRUE(absl::StrContains(why([](RouteListQuestion* q) { q->peer = "x"; }), "peer: \"x\""));
  EXPECT_TRUE(absl::StrContains(why([](RouteListQuestion* q) { q->prefix = "10/8/3"; }), "prefix: \"10/8/3\""));
  EXPECT_TRUE(absl::StrContains(why([](RouteListQuestion* q) { q->longer = true; }), "give the prefix"));
  EXPECT_TRUE(absl::StrContains(why([](RouteListQuestion* q) { q->as = "AS1"; }), "as: \"AS1\""));
  EXPECT_TRUE(absl::StrContains(why([](RouteListQuestion* q) { q->origin_as = "-1"; }), "origin_as: \"-1\""));
  EXPECT_TRUE(absl::StrContains(why([](RouteListQuestion* q) { q->community = "1"; }), "community: \"1\""));
  EXPECT_TRUE(absl::StrContains(why([](RouteListQuestion* q) { q->rd = "seven"; }), "rd: "));
}

TEST(LookingGlassTest, PeersAndLookUps) {
  const auto routes = Load(Table());
  EXPECT_EQ(ListPeers(routes->book()),
            R"({"columns":["peer","as","router_id","ipv4","ipv6","tables","refused"],"rows":[)"
            R"(["192.0.2.1",64501,"10.0.0.1",3,0,1,0],["192.0.2.2",64502,"10.0.0.2",2,1,2,0]]})"
            "\n");
  RoutesQuestion question;
  question.address = "198.51.100.200";
  const std::string found = *LookUpRoutes(routes->book(), question);
  EXPECT_TRUE(absl::StrContains(found, "[\"198.51.100.128/25\",\"192.0.2.1\"")) << found;
  EXPECT_TRUE(absl::StrContains(found, "[\"198.51.100.0/24\",\"192.0.2.2\"")) << found;
  question.exporter = "10.0.0.2";
  EXPECT_FALSE(absl::StrContains(*LookUpRoutes(routes->book(), question), "192.0.2.1\""));
  question.rd = "64500:7";
  EXPECT_TRUE(absl::StrContains(*LookUpRoutes(routes->book(), question), "64502 64599"));
  question.address = "nowhere";
  EXPECT_TRUE(absl::StrContains(LookUpRoutes(routes->book(), question).status().message(), "address: \"nowhere\""));
}

TEST(LookingGlassTest, Differences) {
  const auto before = Load(Table());
  MrtText file;
  file.Peers({{"192.0.2.3", 64503, "10.0.0.3"}, {"192.0.2.1", 64501, "10.0.0.1"}});
  file.Entry(1, "198.51.100.0/24", {64501, 64599}, "192.0.2.1", {0xfbf40001});  // another path
  file.Entry(1, "198.51.0.0/16", {64501, 64512}, "192.0.2.1");                  // the same
  file.Entry(1, "198.52.0.0/16", {64501, 64512}, "192.0.2.1");                  // new
  file.Entry(0, "198.52.0.0/16", {64503}, "192.0.2.3");                         // of a new peer
  const auto after = Load(file);
  const auto differences = CompareRoutes(before->book(), after->book(), {});
  ASSERT_TRUE(differences.ok()) << differences.status();
  EXPECT_EQ(absl::StrJoin(differences->summary, "\n"),
            "192.0.2.1 AS 64501: 1 added, 1 withdrawn, 1 changed, 1 the same\n"
            "192.0.2.2 AS 64502: 0 added, 3 withdrawn, 0 changed, 0 the same; the peer is gone\n"
            "192.0.2.3 AS 64503: 1 added, 0 withdrawn, 0 changed, 0 the same; the peer is new\n"
            "all: 2 added, 4 withdrawn, 1 changed, 1 the same");
  EXPECT_TRUE(absl::StrContains(differences->json,
                                R"(["changed","198.51.100.0/24","192.0.2.1",null,null,"192.0.2.1","64501 64599","igp",)"
                                R"(null,null,"64500:1",null,null,"AS_PATH","192.0.2.1","64501 64510"])"))
      << differences->json;
  EXPECT_TRUE(absl::StrContains(differences->json, R"(["withdrawn","198.51.100.128/25","192.0.2.1",)"));
  EXPECT_TRUE(absl::StrContains(differences->json, R"(["added","198.52.0.0/16","192.0.2.3",)"));
  const auto none = CompareRoutes(before->book(), before->book(), {});
  EXPECT_EQ(none->same, 6u);
  EXPECT_EQ(none->added + none->withdrawn + none->changed, 0u);
  RouteListQuestion one;
  one.peer = "192.0.2.3";
  EXPECT_EQ(CompareRoutes(before->book(), after->book(), one)->summary.back(),
            "all: 1 added, 0 withdrawn, 0 changed, 0 the same");
}

TEST(LookingGlassTest, History) {
  MrtText file = Table();
  file.time += absl::Seconds(10);
  bgp::testing::UpdateBuilder withdrawal;
  withdrawal.Withdraw("198.51.100.0/24").Withdraw("198.51.0.0/16");
  file.Update("192.0.2.1", 64501, withdrawal.Message());
  file.time += absl::Milliseconds(1500);
  bgp::testing::UpdateBuilder anew;
  anew.Origin(0).AsPath({64501, 64598}).NextHop("192.0.2.1").Announce("198.51.100.0/24").Announce("10.0.0.0/8");
  file.Update("192.0.2.1", 64501, anew.Message());
  file.Update("192.0.2.9", 64509, anew.Message(), /*from_local=*/true);
  file.State("192.0.2.1", 64501, 6, 1);
  file.State("192.0.2.7", 64507, 6, 1);  // said nothing of it
  const auto history = [&file](const RouteListQuestion& question) {
    MrtHistory told(*RouteFilter::Of(question), question.limit);
    told.Read(file.octets());
    told.EndFile();
    return std::move(told).Finish();
  };
  RouteListQuestion question;
  question.prefix = "198.51.100.0/24";
  question.peer = "192.0.2.1";
  EXPECT_EQ(history(question),
            R"({"columns":["time","peer","as","event","prefix","path_id","rd","next_hop","as_path","origin",)"
            R"("local_pref","med","communities","ext_communities","large_communities"],"rows":[)"
            R"(["2023-11-14T22:13:20Z","192.0.2.1",64501,"table","198.51.100.0/24",null,null,"192.0.2.1",)"
            R"("64501 64510","igp",null,null,"64500:1",null,null],)"
            R"(["2023-11-14T22:13:30Z","192.0.2.1",64501,"withdraw","198.51.100.0/24",null,null,null,null,null,null,)"
            R"(null,null,null,null],)"
            R"(["2023-11-14T22:13:31.500000Z","192.0.2.1",64501,"announce","198.51.100.0/24",null,null,"192.0.2.1",)"
            R"("64501 64598","igp",null,null,null,null,null],)"
            R"(["2023-11-14T22:13:31Z","192.0.2.1",64501,"session ended",null,null,null,null,null,null,null,null,)"
            R"(null,null,null]]})"
            "\n");
  question.limit = 2;
  EXPECT_TRUE(absl::StrContains(history(question), "]],\"groups\":4}"));
  question.peer.clear();
  question.limit = 0;
  question.longer = true;
  const std::string all = history(question);
  EXPECT_TRUE(absl::StrContains(all, "198.51.100.128/25")) << all;
  EXPECT_TRUE(absl::StrContains(all, "\"64500:7\"")) << all;
  EXPECT_FALSE(absl::StrContains(all, "192.0.2.9")) << all;
  EXPECT_FALSE(absl::StrContains(all, "192.0.2.7")) << all;
}

}  // namespace
}  // namespace flowacct::collector
