#include "flowacct/topology/topology_file.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/topology/igp_daemon_map.h"
#include "flowacct/topology/rate_text.h"
#include "flowacct/topology/testing/random_network.h"
#include "gtest/gtest.h"

namespace flowacct::topology {
namespace {

TopologyFile Read(absl::string_view text) {
  auto file = ParseTopologyFile(text, "t");
  EXPECT_TRUE(file.ok()) << file.status();
  return file.ok() ? *std::move(file) : TopologyFile();
}

// "A > B 10; B > A 20": links of a level, with names or identifiers.
std::string Links(const std::vector<Advertisement>& advertisements, uint8_t level = 2) {
  const auto name = [&](NodeKey key) {
    for (const Advertisement& a : advertisements) {
      if (a.key.origin == key && !a.name.empty()) return a.name;
    }
    return NodeText(NodeStyle::kIsis, key);
  };
  std::vector<std::string> lines;
  for (const Advertisement& a : advertisements) {
    if (a.key.level != level) continue;
    for (const AdvertisedLink& link : a.links) {
      std::string line = absl::StrCat(name(a.key.origin), " > ", name(link.to), " ", link.metric);
      if (link.topology != 0) absl::StrAppend(&line, " in ", link.topology);
      lines.push_back(line);
    }
  }
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const std::string& line : lines) absl::StrAppend(&text, text.empty() ? "" : "; ", line);
  return text;
}

const Advertisement& Of(const TopologyFile& file, absl::string_view name, uint8_t level = 2) {
  for (const Advertisement& a : file.advertisements) {
    if (a.name == name && a.key.level == level) return a;
  }
  ADD_FAILURE() << "no " << name;
  static const Advertisement none;
  return none;
}

TEST(TopologyFile, LinksAloneMakeNodes) {
  const TopologyFile file = Read("link a b\nlink b c metric 5 back 7\n");
  EXPECT_EQ(Links(file.advertisements), "a > b 10; b > a 10; b > c 5; c > b 7");
  EXPECT_EQ(file.advertisements.size(), 3u);
}

TEST(TopologyFile, TheExampleOfTheHeader) {
  const TopologyFile file = Read(R"(
    # comment                                 (at the begin of a line, or after a blank)
    style isis                                # how routers are named
    node ams1 id 1921.6800.1001 level 1-2 area 49.0001 router-id 192.0.2.1
    node fra1 overload
    node ams2 level 1-2
    node ams3 level 1-2
    link ams1 fra1 metric 10 back 20 capacity 100G address 198.51.100.0 198.51.100.1 group duct7
    lan ams1=10@203.0.113.1 ams2=10 ams3=20 capacity 10G
    half fra1 ams1 metric 30
    prefix fra1 192.0.2.0/24 metric 5
  )");
  EXPECT_EQ(Links(file.advertisements),
            "1921.6800.1001.01 > ams1 0; 1921.6800.1001.01 > ams2 0; 1921.6800.1001.01 > ams3 0; "
            "ams1 > 1921.6800.1001.01 10; ams1 > fra1 10; ams2 > 1921.6800.1001.01 10; ams3 > 1921.6800.1001.01 20; "
            "fra1 > ams1 20; fra1 > ams1 30");
  // fra1 is of level 2 alone; the LAN is of both.
  EXPECT_EQ(Links(file.advertisements, 1),
            "1921.6800.1001.01 > ams1 0; 1921.6800.1001.01 > ams2 0; 1921.6800.1001.01 > ams3 0; "
            "ams1 > 1921.6800.1001.01 10; ams2 > 1921.6800.1001.01 10; ams3 > 1921.6800.1001.01 20");
  const Advertisement& ams1 = Of(file, "ams1");
  EXPECT_EQ(NodeText(NodeStyle::kIsis, ams1.key.origin), "1921.6800.1001");
  EXPECT_EQ(ams1.areas, std::vector<std::string>{"49.0001"});
  EXPECT_EQ(ams1.router_id, base::IpAddress::Parse("192.0.2.1"));
  ASSERT_EQ(ams1.links.size(), 2u);
  EXPECT_EQ(ams1.links[0].local_address.ToString(), "198.51.100.0");
  EXPECT_EQ(ams1.links[0].remote_address.ToString(), "198.51.100.1");
  EXPECT_EQ(ams1.links[0].bandwidth, 12.5e9f);
  EXPECT_EQ(ams1.links[1].bandwidth, 1.25e9f);
  const Advertisement& fra1 = Of(file, "fra1");
  EXPECT_TRUE(fra1.overload);
  EXPECT_EQ(fra1.links[0].local_address.ToString(), "198.51.100.1");
  ASSERT_EQ(fra1.prefixes.size(), 1u);
  EXPECT_EQ(fra1.prefixes[0].prefix.ToString(), "192.0.2.0/24");
  EXPECT_EQ(fra1.prefixes[0].metric, 5u);
  ASSERT_EQ(file.groups.size(), 1u);
  EXPECT_EQ(file.groups[0].group, "duct7");
  EXPECT_EQ(file.groups[0].from, ams1.key.origin);
  EXPECT_EQ(file.groups[0].local_address.ToString(), "198.51.100.0");
}

TEST(TopologyFile, Topologies) {
  const TopologyFile file = Read(R"(
    node a topology 2 overload-in 2 attached-in 3
    node b
    link a b topology 0 topology 2
    prefix a 2001:db8::/32 topology 2 down external external-metric segment 7
  )");
  EXPECT_EQ(Links(file.advertisements), "a > b 10; a > b 10 in 2; b > a 10; b > a 10 in 2");
  const Advertisement& a = Of(file, "a");
  ASSERT_EQ(a.topologies.size(), 2u);
  EXPECT_TRUE(a.topologies[0].overload);
  EXPECT_FALSE(a.topologies[0].attached);
  EXPECT_TRUE(a.topologies[1].attached);
  ASSERT_EQ(Of(file, "b").topologies.size(), 1u);  // by its link
  ASSERT_EQ(a.prefixes.size(), 1u);
  EXPECT_TRUE(a.prefixes[0].down && a.prefixes[0].external && a.prefixes[0].external_metric);
  EXPECT_EQ(a.prefixes[0].segment_index, 7u);
  EXPECT_EQ(a.prefixes[0].topology, 2u);
}

TEST(TopologyFile, Ospf) {
  const TopologyFile file = Read("style ospf\nnode r1 id 192.0.2.1\nnode 192.0.2.2\nlan r1=1@10.0.0.1 192.0.2.2=3\n");
  ASSERT_EQ(file.advertisements.size(), 3u);
  EXPECT_EQ(NodeText(NodeStyle::kOspf, file.advertisements[1].key.origin), "192.0.2.1:10.0.0.1");
  EXPECT_TRUE(IsPseudonode(NodeStyle::kOspf, file.advertisements[1].key.origin));
}

TEST(TopologyFile, AMadeIdentifierIsTheSameInEveryFile) {
  EXPECT_EQ(Of(Read("link a b"), "a").key.origin, Of(Read("node z\nnode a\n"), "a").key.origin);
  EXPECT_FALSE(IsPseudonode(NodeStyle::kIsis, Of(Read("node a"), "a").key.origin));
}

TEST(TopologyFile, Errors) {
  const struct {
    const char* text;
    const char* error;
  } kCases[] = {
      {"lnik a b", "t:1: 'lnik' is no statement; did you mean link"},
      {"\n\nlink a", "t:3: link needs 2 words after it"},
      {"link a b metrik 5", "t:1: 'metrik' is no option of link; did you mean metric"},
      {"link a b metric", "t:1: metric needs 1 value"},
      {"link a b metric x", "t:1: metric: 'x' is no number from 0 to 16777215"},
      {"link a b metric -1", "t:1: metric: '-1' is no number"},
      {"link a b metric 16777216", "t:1: metric: '16777216' is no number"},
      {"link a b metric 1 metric 2", "t:1: metric comes twice"},
      {"link a a", "t:1: a link from a node to itself"},
      {"link a b level 1", "t:1: not all its nodes are of that level"},
      {"node a level 3", "t:1: level: 1, 2 or 1-2, not '3'"},
      {"node a level 1\nnode b\nlink a b", "t:3: its nodes have no level in common"},
      {"node amsterdam\nlink amsterdam amsterdm", "t:2: there is no node 'amsterdm'; did you mean amsterdam?"},
      {"node a\nnode a", "t:2: there is a node "},
      {"node a id 1.2", "t:1: id: '1.2' is no identifier of IS-IS"},
      {"node a id 0000.0000.0001\nnode a id 0000.0000.0002\nnode b\nlink a b", "t:4: several nodes are called 'a'"},
      {"node a\nstyle ospf", "t:2: style must stand before all else"},
      {"style rip", "t:1: style is isis or ospf, not 'rip'"},
      {"lan a=1", "t:1: a lan has two members or more"},
      {"lan a=1 b=x", "t:1: 'x' is no metric"},
      {"lan a=1 b=1@x", "t:1: 'x' is no address"},
      {"lan a=1 a=1", "t:1: 'a' is on it twice"},
      {"lan a=1 b=1 id 0000.0000.0001", "t:1: id: '0000.0000.0001' is no pseudonode"},
      {"prefix a 10.0.0.0", ""},
      {"prefix a 10.0.0.0/x", "t:1: '10.0.0.0/x' is no prefix"},
      {"link a b capacity fast", "t:1: capacity: 'fast' is no rate"},
      {"link a b capacity 0", "t:1: capacity: '0' is no rate"},
      {"link a b address 10.0.0.1 x", "t:1: address: 'x' is no address"},
      {"node \"a", "t:1: a word in quotes does not end"},
      {"node \"\"", "t:1: a node has a name or an identifier"},
      {"node a topology 4096", "t:1: topology: '4096' is no number from 0 to 4095"},
      {"style isis metric", "t:1: style has no options; found 'metric'"},
  };
  for (const auto& c : kCases) {
    const auto file = ParseTopologyFile(c.text, "t");
    if (*c.error == '\0') {
      EXPECT_TRUE(file.ok()) << c.text;
      continue;
    }
    EXPECT_TRUE(!file.ok() && absl::StartsWith(file.status().message(), c.error)) << c.text << ": " << file.status();
  }
  TopologyFileOptions options;
  options.max_lines = 2;
  EXPECT_TRUE(ParseTopologyFile("#\n#\n", "t", options).ok());
  EXPECT_EQ(ParseTopologyFile("#\n#\n#\n", "t", options).status().message(), "t:3: more than 2 lines");
}

std::string Kept(const TopologyFile& file) {
  // All that a file keeps, in order; written by other means than WriteTopologyFile.
  std::string text;
  for (const Advertisement& a : file.advertisements) {
    absl::StrAppend(&text, a.key.level, " ", a.key.origin.value, " ", a.name, a.overload, a.attached, "\n");
    if (a.router_id) absl::StrAppend(&text, " id ", a.router_id->ToString());
    if (a.router_id_v6) absl::StrAppend(&text, " id ", a.router_id_v6->ToString());
    for (const std::string& area : a.areas) absl::StrAppend(&text, " area ", area);
    for (const auto& address : a.addresses) absl::StrAppend(&text, " address ", address.ToString());
    for (const TopologyFlags& f : a.topologies) absl::StrAppend(&text, " t ", f.topology, f.overload, f.attached);
    for (const AdvertisedLink& l : a.links) {
      absl::StrAppend(&text, "\n l ", l.to.value, " ", l.topology, " ", l.metric, " ", l.local_address.ToString(), " ",
                      l.remote_address.ToString(), " ", l.local_id, " ", l.remote_id, " ",
                      l.bandwidth ? absl::StrCat(*l.bandwidth) : "-");
    }
    for (const AdvertisedPrefix& p : a.prefixes) {
      absl::StrAppend(&text, "\n p ", p.prefix.ToString(), " ", p.topology, " ", p.metric, p.down, p.external,
                      p.external_metric, " ", p.segment_index ? absl::StrCat(*p.segment_index) : "-");
    }
    text += '\n';
  }
  for (const GroupMember& g : file.groups) {
    absl::StrAppend(&text, "g ", g.group, " ", g.from.value, " ", g.to.value, " ", g.local_address.ToString(), "\n");
  }
  return text;
}

TEST(TopologyFile, WhatIsWrittenIsReadAgain) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    RandomNetworkOptions options;
    options.seed = seed;
    options.prefixes = 2;
    TopologyFile file;
    file.advertisements = RandomNetwork(options);
    std::mt19937_64 random(seed);
    const char* const kNames[] = {
        "",      "r1",          "a name", "\"quoted\"", "back\\slash", "new\nline", "1921.6800.1001", "#no comment",
        "a=b@c", "caf\xc3\xa9", "r1"};
    for (Advertisement& a : file.advertisements) {
      a.sequence = 0;
      a.name = kNames[random() % 11];
      a.attached = random() % 4 == 0;
      if (random() % 2 == 0) a.router_id = base::IpAddress::V4(static_cast<uint32_t>(random()));
      if (random() % 2 == 0) a.router_id_v6 = base::IpAddress::Parse("2001:db8::1");
      if (random() % 2 == 0) a.areas = {"49.0001", "49.00 2"};
      if (random() % 2 == 0) a.addresses = {base::IpAddress::V4(7), *base::IpAddress::Parse("fe80::1")};
      if (random() % 2 == 0) a.topologies = {{2, random() % 2 == 0, false}, {6, false, random() % 2 == 0}};
      for (AdvertisedLink& link : a.links) {
        if (random() % 3 == 0) link.topology = 2;
        if (random() % 2 == 0) link.bandwidth = static_cast<float>(random() % 1000000007) * 3.7f + 1e-3f;
        if (random() % 4 == 0) file.groups.push_back({"duct", a.key.origin, link.to, link.local_address});
      }
      for (AdvertisedPrefix& prefix : a.prefixes) {
        if (random() % 3 == 0) prefix.segment_index = static_cast<uint32_t>(random() % 100);
        prefix.external_metric = random() % 5 == 0;
      }
    }
    std::sort(file.groups.begin(), file.groups.end());
    file.groups.erase(std::unique(file.groups.begin(), file.groups.end()), file.groups.end());
    const std::string text = WriteTopologyFile(file);
    const auto again = ParseTopologyFile(text, "t");
    ASSERT_TRUE(again.ok()) << again.status() << "\n" << text;
    ASSERT_EQ(Kept(*again), Kept(file)) << text;
    ASSERT_EQ(WriteTopologyFile(*again), text);
  }
}

TEST(TopologyFile, ANodeThatOnlyOthersSpeakOf) {
  TopologyFile file;
  file.advertisements.resize(1);
  file.advertisements[0].key.origin = RouterKey(1);
  file.advertisements[0].links.resize(1);
  file.advertisements[0].links[0].to = RouterKey(2);
  const auto again = ParseTopologyFile(WriteTopologyFile(file), "t");
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(Kept(*again), Kept(file));
}

// As LSPs come: a name that only a later fragment tells; a node whose fragment 0 is not there, which is none.
TEST(TopologyFile, FragmentsOfANode) {
  TopologyFile file;
  file.advertisements.resize(3);
  file.advertisements[0].key.origin = RouterKey(1);
  file.advertisements[1].key = {2, RouterKey(1), 1};
  file.advertisements[1].name = "r1";
  file.advertisements[1].links.resize(1);
  file.advertisements[1].links[0].to = RouterKey(2);
  file.advertisements[2].key = {2, RouterKey(2), 1};
  file.advertisements[2].links.resize(1);
  file.advertisements[2].links[0].to = RouterKey(1);
  const auto again = ParseTopologyFile(WriteTopologyFile(file), "t");
  ASSERT_TRUE(again.ok()) << again.status();
  ASSERT_EQ(again->advertisements.size(), 1u);
  EXPECT_EQ(again->advertisements[0].key.origin, RouterKey(1));
  EXPECT_EQ(again->advertisements[0].links.size(), 1u);
}

TEST(TopologyFile, WhatOnlyAProtocolWouldSay) {
  TopologyFile file;
  file.advertisements.resize(1);
  file.advertisements[0].key.origin = RouterKey(1);
  file.advertisements[0].links.resize(2);
  file.advertisements[0].links[0].to = RouterKey(1);  // itself
  file.advertisements[0].links[1].to = RouterKey(2);
  file.advertisements[0].links[1].metric = 0xffffffff;
  const auto again = ParseTopologyFile(WriteTopologyFile(file), "t");
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(Kept(*again), Kept(file));
}

TEST(Rates, TextAndBack) {
  EXPECT_EQ(ParseRate("100G"), 12.5e9);
  EXPECT_EQ(ParseRate("2.5M"), 312500);
  EXPECT_EQ(ParseRate("64k"), 8000);
  EXPECT_EQ(ParseRate("8"), 1);
  for (const char* text :
       {"", "G", "-1", "1e9", "inf", "nan", "0", "1.2.3", "1 G", "99999999999999999999999999999999999999999T"}) {
    EXPECT_FALSE(ParseRate(text).has_value()) << text;
  }
  EXPECT_EQ(RateText(12.5e9), "100G");
  EXPECT_EQ(RateText(312500), "2.5M");
  EXPECT_EQ(RateText(0), "0");
}

std::vector<Advertisement> Map(absl::string_view text) {
  auto map = ParseIgpDaemonMap(text, "m");
  EXPECT_TRUE(map.ok()) << map.status();
  return map.ok() ? *std::move(map) : std::vector<Advertisement>();
}

TEST(IgpDaemonMap, LinesBecomeFragments) {
  const std::vector<Advertisement> map = Map(R"(! comment
node=10.0.0.2 area_id=1 adj_metric=10.0.0.1,10
node=10.0.0.1 area_id=258 adj_metric=10.0.0.2,10;10.0.0.3/32,20 reach_metric=192.0.2.0/24,10
# comment
 node=10.0.0.1	reach6_metric=2001:db8::/32,7;2001:db8:1::/48,100000 area_id=258
)");
  ASSERT_EQ(map.size(), 3u);
  EXPECT_EQ(NodeText(NodeStyle::kIsis, map[0].key.origin), "0a00.0001.0000");
  EXPECT_EQ(map[0].key.level, 2);
  EXPECT_EQ(map[0].key.fragment, 0);
  EXPECT_EQ(map[0].router_id, base::IpAddress::V4(0x0a000001));
  EXPECT_EQ(map[0].areas, std::vector<std::string>{"49.0102"});
  EXPECT_EQ(Links(map),
            "0a00.0001.0000 > 0a00.0002.0000 10; 0a00.0001.0000 > 0a00.0003.0000 20; "
            "0a00.0002.0000 > 0a00.0001.0000 10");
  ASSERT_EQ(map[0].prefixes.size(), 1u);
  EXPECT_EQ(map[0].prefixes[0].prefix.ToString(), "192.0.2.0/24");
  EXPECT_EQ(map[1].key.origin, map[0].key.origin);
  EXPECT_EQ(map[1].key.fragment, 1);
  ASSERT_EQ(map[1].prefixes.size(), 2u);
  EXPECT_EQ(map[1].prefixes[1].prefix.ToString(), "2001:db8:1::/48");
  EXPECT_EQ(map[1].prefixes[1].metric, 100000u);
}

TEST(IgpDaemonMap, Errors) {
  const struct {
    const char* text;
    const char* error;
  } kCases[] = {
      {"node=10.0.0.1", "m:1: needs node, area_id, and one of adj_metric, reach_metric, reach6_metric"},
      {"!\nnode", "m:2: 'node' is no KEY=VALUE"},
      {"nod=10.0.0.1", "m:1: 'nod' is no key; did you mean node"},
      {"node=2001:db8::1", "m:1: node: '2001:db8::1' is no IPv4 address"},
      {"area_id=0", "m:1: area_id: '0' is no number from 1 to 65535"},
      {"area_id=65536", "m:1: area_id: '65536' is no number"},
      {"adj_metric=10.0.0.1", "m:1: adj_metric: '10.0.0.1' has no metric after a comma"},
      {"adj_metric=10.0.0.1,0", "m:1: adj_metric: '0' is no metric from 1 to 16777215"},
      {"adj_metric=10.0.0.0/24,1", "m:1: adj_metric: 10.0.0.0/24 is no node"},
      {"adj_metric=;", "m:1: adj_metric: nothing in it"},
      {"reach_metric=2001:db8::/32,1", "m:1: reach_metric: '2001:db8::/32' is no IPv4 prefix"},
      {"reach6_metric=10.0.0.0/8,1", "m:1: reach6_metric: '10.0.0.0/8' is no IPv6 prefix"},
  };
  for (const auto& c : kCases) {
    const auto map = ParseIgpDaemonMap(c.text, "m");
    EXPECT_TRUE(!map.ok() && absl::StartsWith(map.status().message(), c.error)) << c.text << ": " << map.status();
  }
  std::string many;
  for (int i = 0; i < 256; ++i) absl::StrAppend(&many, "node=10.0.0.1 area_id=1 reach_metric=10.0.0.0/8,1\n");
  EXPECT_EQ(Map(many).size(), 256u);
  many += "node=10.0.0.1 area_id=1 reach_metric=10.0.0.0/8,1";
  EXPECT_EQ(ParseIgpDaemonMap(many, "m").status().message(), "m:257: a node has 256 lines at most");
  IgpDaemonMapOptions options;
  options.max_lines = 1;
  EXPECT_EQ(ParseIgpDaemonMap("!\n!", "m", options).status().message(), "m:2: more than 1 lines");
}

}  // namespace
}  // namespace flowacct::topology
