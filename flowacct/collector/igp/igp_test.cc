// What files tell of a network, and what is asked of it: files of text made here, captures of others.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "flowacct/collector/client/query_answer.h"
#include "flowacct/collector/igp/igp_demands.h"
#include "flowacct/collector/igp/igp_files.h"
#include "flowacct/collector/igp/igp_glass.h"
#include "flowacct/collector/igp/igp_neighbors.h"
#include "flowacct/isis/encapsulation.h"
#include "flowacct/isis/testing/pdus.h"

namespace flowacct::collector {
namespace {

// ams has two ways of 20 to par; lon is behind fra and lux.
//
//     ams--10--fra--10--par
//      |        |        |
//     10       10        |
//      |        |        |
//     lux--20--lon       |
//      |                 |
//      +-------10--------+
constexpr char kNetwork[] = R"(
node ams id 0000.0000.0001 router-id 192.0.2.1
node fra id 0000.0000.0002 router-id 192.0.2.2
node par id 0000.0000.0003 router-id 192.0.2.3
node lon id 0000.0000.0004 router-id 192.0.2.4
node lux id 0000.0000.0005 router-id 192.0.2.5
link ams fra metric 10 capacity 10G group duct
link fra par metric 10 capacity 10G
link ams lux metric 10 capacity 10G group duct
link lux par metric 10 capacity 1G
link fra lon metric 10 capacity 10G
link lux lon metric 20 capacity 10G
prefix par 198.51.100.0/24
prefix lon 203.0.113.0/24 metric 5
prefix lon 192.0.2.4/32
prefix fra 0.0.0.0/0 external
prefix par 2001:db8:3::/48
)";

std::string Write(const std::string& name, const std::string& text) {
  const std::string path = testing::TempDir() + "/" + name;
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

std::unique_ptr<IgpFiles> Load(const std::string& path) {
  IgpFilesOptions options;
  options.files = {path};
  auto files = IgpFiles::Load(std::move(options));
  EXPECT_TRUE(files.ok()) << files.status();
  return files.ok() ? *std::move(files) : nullptr;
}

// A row a line, cells apart by blanks, absent ones '-'.
std::vector<std::string> Lines(const absl::StatusOr<std::string>& json) {
  EXPECT_TRUE(json.ok()) << json.status();
  std::vector<std::string> lines;
  if (!json.ok()) return lines;
  const auto answer = QueryAnswer::FromJson(*json);
  EXPECT_TRUE(answer.ok()) << *json;
  if (!answer.ok()) return lines;
  for (const auto& row : answer->rows) {
    lines.push_back(absl::StrJoin(row, " ", [](std::string* out, const QueryAnswer::Cell& cell) {
      absl::StrAppend(out, cell.kind == QueryAnswer::Kind::kAbsent ? "-" : cell.text);
    }));
  }
  return lines;
}

class Igp : public testing::Test {
 protected:
  Igp() : files_(Load(Write("network.topology", kNetwork))), glass_(files_->database().State(), files_->groups()) {}
  IgpDemands Demands(const std::string& csv, const std::string& label = "") {
    IgpDemandsOptions options;
    options.label = label;
    auto demands = ParseIgpDemands("t.csv", csv, options);
    EXPECT_TRUE(demands.ok()) << demands.status();
    return demands.ok() ? *std::move(demands) : IgpDemands();
  }
  std::unique_ptr<IgpFiles> files_;
  IgpGlass glass_;
};

TEST_F(Igp, DatabaseRoutesAndWays) {
  EXPECT_EQ(Lines(glass_.Database("", {})).size(), 5u);
  EXPECT_EQ(
      Lines(glass_.Database("192.0.2.3", {})),
      (std::vector<std::string>{"2 0 link fra 0 10 - - 10G -", "2 0 link lux 0 10 - - 1G -",
                                "2 0 prefix 198.51.100.0/24 0 0 - - - -", "2 0 prefix 2001:db8:3::/48 0 0 - - - -"}));
  EXPECT_EQ(Lines(glass_.Routes("ams", "")),
            (std::vector<std::string>{"0.0.0.0/0 L2 10 - 0 fra fra", "192.0.2.4/32 L2 20 - 0 lon fra",
                                      "198.51.100.0/24 L2 20 - 0 par fra lux", "203.0.113.0/24 L2 25 - 0 lon fra",
                                      "2001:db8:3::/48 L2 20 - 0 par fra lux"}));
  EXPECT_EQ(Lines(glass_.Routes("AMS", "203.0.113.7")), std::vector<std::string>{"203.0.113.0/24 L2 25 - 0 lon fra"});
  EXPECT_EQ(Lines(glass_.Routes("ams", "8.8.8.8")), std::vector<std::string>{"0.0.0.0/0 L2 10 - 0 fra fra"});
  EXPECT_EQ(Lines(glass_.Routes("ams", "203.0.113.0/25")), std::vector<std::string>());
  EXPECT_EQ(Lines(glass_.Paths("ams", "198.51.100.9", {})),
            (std::vector<std::string>{"2 1 1 ams fra - - 10 10", "2 1 2 fra par - - 10 20", "2 2 1 ams lux - - 10 10",
                                      "2 2 2 lux par - - 10 20"}));
  EXPECT_EQ(Lines(glass_.Paths("lon", "ams", {})),
            (std::vector<std::string>{"2 1 1 lon fra - - 10 10", "2 1 2 fra ams - - 10 20"}));
  EXPECT_EQ(Lines(glass_.Spf("ams", {})),
            (std::vector<std::string>{"ams 0000.0000.0001 0 - -", "fra 0000.0000.0002 10 fra -",
                                      "lux 0000.0000.0005 10 lux -", "par 0000.0000.0003 20 fra lux -",
                                      "lon 0000.0000.0004 20 fra -"}));
}

TEST_F(Igp, Alternates) {
  std::vector<std::string> lines = Lines(glass_.Alternates("ams", {}));
  ASSERT_EQ(lines.size(), 5u);
  // To fra by fra: lux reaches fra in 20 (by par or ams), which is no loop only if it is less than 10 + 10: it is not,
  // by ams. So it takes a tunnel or segments.
  for (const std::string& line : lines) {
    if (absl::StartsWith(line, "par 20 fra ")) {
      EXPECT_EQ(line, "par 20 fra lux link node equal_cost 20 -");
    } else if (absl::StartsWith(line, "lon 20 fra ")) {
      EXPECT_EQ(line, "lon 20 fra lux link node lfa 30 -");
    }
  }
  EXPECT_EQ(Lines(glass_.Alternates("", {})).size(), 5u);
  uint64_t last = 0, all = 0;
  EXPECT_TRUE(glass_
                  .Alternates("", {},
                              [&](uint64_t done, uint64_t of) {
                                EXPECT_LT(last, done);
                                last = done;
                                all = of;
                                return true;
                              })
                  .ok());
  EXPECT_EQ(last, all);
  EXPECT_GT(all, 0u);
  EXPECT_TRUE(absl::IsCancelled(glass_.Alternates("", {}, [](uint64_t, uint64_t) { return false; }).status()));
}

TEST_F(Igp, TrafficOnLinksIsAllOfIt) {
  const IgpDemands demands = Demands(
      "exporter,dst_addr,protocol,bytes\n"
      "192.0.2.1,198.51.100.1,tcp,1001\n"   // two ways: 501 and 500
      "192.0.2.1,203.0.113.9,udp,500\n"     // by fra
      "192.0.2.1,8.8.8.8,tcp,70\n"          // fra's default
      "192.0.2.3,198.51.100.2,tcp,11\n"     // out where it came in
      "10.9.9.9,198.51.100.2,tcp,5\n"       // from nobody
      "192.0.2.1,2001:db8:ffff::1,tcp,3\n"  // no route
      "lon,ams,tcp,40\n",                   // by name
      "protocol");
  EXPECT_EQ(demands.octets, 1630u);
  std::vector<std::string> report;
  IgpLoadOptions options;
  options.seconds = 1;
  EXPECT_EQ(Lines(glass_.Traffic(demands, options, &report)),
            (std::vector<std::string>{"2 ams fra - 10 tcp 571 4.568k 10G 0", "2 fra par - 10 tcp 501 4.008k 10G 0",
                                      "2 ams fra - 10 udp 500 4k 10G 0", "2 ams lux - 10 tcp 500 4k 10G 0",
                                      "2 fra lon - 10 udp 500 4k 10G 0", "2 lux par - 10 tcp 500 4k 1G 0",
                                      "2 fra ams - 10 tcp 40 320 10G 0", "2 lon fra - 10 tcp 40 320 10G 0"}));
  EXPECT_EQ(report,
            (std::vector<std::string>{"1630 octets: 1611 on links, 11 out where they came in, 5 from no router that "
                                      "is known, 3 to where no route leads",
                                      "1611 octets on the first links of all ways"}));
}

TEST_F(Igp, WhatIf) {
  const IgpDemands demands =
      Demands("from,to,customer,bytes\nams,198.51.100.1,a,1000\nams,lon,b,500\nlon,par,a,100\n", "customer");
  std::vector<std::string> report;
  IgpLoadOptions options;
  options.seconds = 1e-6;  // so that octets are megabytes a second
  EXPECT_EQ(Lines(glass_.WhatIf(demands, {"ams-fra"}, options, &report)),
            (std::vector<std::string>{"2 lux par - 10 500 1000 1G 400 800 too_full",
                                      "2 ams lux - 10 500 1500 10G 40 120 too_full", "2 lux lon - 20 0 500 10G 0 40 -",
                                      "2 fra par - 10 600 100 10G 48 8 -", "2 ams fra - 10 1000 0 10G 80 0 failed",
                                      "2 fra ams - 10 0 0 10G 0 0 failed", "2 fra lon - 10 500 0 10G 40 0 -"}));
  report.clear();
  EXPECT_EQ(Lines(glass_.WhatIf(demands, {"duct"}, options, &report)).size(), 7u);
  EXPECT_EQ(glass_.WhatIf(demands, {"amx-fra"}, options, &report).status().message(),
            "--fail amx-fra: no router \"amx\"; did you mean ams?");
  EXPECT_EQ(report.back(), "customer b: 500 of 500 octets lost, 0 moved") << absl::StrJoin(report, "\n");
  // A router, and capacities of a file.
  report.clear();
  options.capacities = "# all\nams-lux 100G\n";
  options.capacities_name = "c";
  EXPECT_FALSE(Lines(glass_.WhatIf(demands, {"fra"}, options, &report)).empty());
  options.capacities = "ams-lux\n";
  EXPECT_EQ(glass_.WhatIf(demands, {"fra"}, options, &report).status().message(),
            "c:1: a line is a link and its capacity: ams1-fra1 100G");
  options.capacities.clear();
  for (const char* nothing : {"ams-par", "ams", "x-y", "ducts"}) {
    const auto answer = glass_.WhatIf(demands, {nothing}, options, &report);
    EXPECT_EQ(answer.ok(), nothing == std::string("ams")) << nothing;
    if (answer.ok()) continue;
    EXPECT_TRUE(absl::StartsWith(answer.status().message(), "--fail ")) << answer.status();
  }
  const auto svg = glass_.Draw(&demands, {"ams-fra"}, options, "a network");
  ASSERT_TRUE(svg.ok()) << svg.status();
  EXPECT_TRUE(absl::StartsWith(*svg, "<svg") || absl::StartsWith(*svg, "<?xml")) << svg->substr(0, 100);
  EXPECT_TRUE(absl::StrContains(*svg, "lux"));
}

TEST_F(Igp, WhatIsNotThere) {
  EXPECT_EQ(glass_.Routes("amsx", "").status().message(), "no router \"amsx\"; did you mean ams?");
  EXPECT_EQ(glass_.Paths("ams", "ams", {}).status().message(), "a way from ams to itself has no links");
  EXPECT_EQ(glass_.Routes("ams", "net").status().message(), "\"net\" is neither a prefix nor an address");
  EXPECT_EQ(glass_.Spf("ams", {1, 0}).status().message(), "\"ams\" is no router of level 1");
  for (const auto& [csv, error] : std::vector<std::pair<const char*, const char*>>{
           {"", "t.csv:1: is empty; the first line is to name the columns, such as from,to,bytes"},
           {"a,to,bytes\n", "t.csv:1: no column from or exporter; the first line is to name the columns: a,to,bytes"},
           {"from,to\n", "t.csv:1: no column bytes or octets; the first line is to name the columns: from,to"},
           {"from,to,bytes\nams,par\n", "t.csv:2: 2 cells, where the first line has 3"},
           {"from,to,bytes\nams,par,-1\n", "t.csv:2: bytes: \"-1\" is no number of octets"},
           {"from,to,bytes\nams,par,18446744073709551615\nams,par,1\n", "t.csv:3: bytes: more than 2^64 octets in all"},
       }) {
    EXPECT_EQ(ParseIgpDemands("t.csv", csv).status().message(), error);
  }
}

TEST_F(Igp, Differences) {
  std::string changed = kNetwork;
  changed = absl::StrReplaceAll(changed, {{"link fra lon metric 10", "link fra lon metric 15"},
                                          {"prefix par 198.51.100.0/24\n", ""},
                                          {"node lux id 0000.0000.0005", "node lux id 0000.0000.0005 overload"}});
  const auto after = Load(Write("changed.topology", changed));
  const IgpGlass glass(after->database().State(), {});
  EXPECT_EQ(Lines(glass.Differences(files_->database().State())),
            (std::vector<std::string>{"2 link_metric fra 0 lon 10 15", "2 prefix_gone par 0 198.51.100.0/24 0 -",
                                      "2 link_metric lon 0 fra 10 15", "2 node_flags lux 0 - none overload"}));
}

TEST(IgpFilesTest, WhatIsNone) {
  for (const auto& [octets, error] : std::vector<std::pair<std::string, std::string>>{
           {std::string("\0\1\2\3\4\5\6\7", 8), "is neither a capture, MRT, nor a topology in text"},
           {"nodes ams\n", ":1: "},
           {"node=10.0.0.1 area_id=1\n", ":1: "}}) {
    IgpFilesOptions options;
    options.files = {Write("none", octets)};
    const auto files = IgpFiles::Load(std::move(options));
    ASSERT_FALSE(files.ok());
    EXPECT_TRUE(absl::StrContains(files.status().message(), error)) << files.status();
  }
  IgpFilesOptions options;
  options.files = {"/nowhere/at.all"};
  EXPECT_EQ(IgpFiles::Load(std::move(options)).status().code(), absl::StatusCode::kNotFound);
}

TEST(IgpFilesTest, MapOfPmacct) {
  const auto files = Load(Write("map",
                                "node=10.0.0.1 area_id=1 adj_metric=10.0.0.2,10\n"
                                "node=10.0.0.2 area_id=1 adj_metric=10.0.0.1,10 reach_metric=192.0.2.0/24,5\n"));
  ASSERT_NE(files, nullptr);
  IgpGlass glass(files->database().State(), {});
  std::vector<std::string> lines = Lines(glass.Routes("10.0.0.1", "192.0.2.1"));
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_TRUE(absl::StrContains(lines[0], "192.0.2.0/24 L2 15 ")) << lines[0];
}

// What TRILL says in a capture, to the rows that people see: no capture of others has it.
TEST(IgpFilesTest, FactsOfTrill) {
  std::string file;
  const auto little = [&](uint32_t value, int octets) {
    for (int i = 0; i < octets; ++i) file.push_back(static_cast<char>(value >> (8 * i)));
  };
  little(0xa1b2c3d4, 4);
  for (const auto& [value, octets] : {std::pair(2u, 2), {4u, 2}, {0u, 4}, {0u, 4}, {65'535u, 4}, {1u, 4}}) {
    little(value, octets);
  }
  for (const isis::testing::NamedPdu& pdu : isis::testing::Pdus()) {
    if (pdu.name != "lsp_1" && pdu.name != "trill_hello") continue;
    const std::vector<uint8_t> frame = isis::WrapEthernet(isis::AllIss(), {{2, 0, 0, 0, 0, 1}}, pdu.octets);
    const auto size = static_cast<uint32_t>(frame.size());
    for (const uint32_t value : {1u, 0u, size, size}) little(value, 4);
    file.append(frame.begin(), frame.end());
  }
  const auto files = Load(Write("trill.pcap", file));
  ASSERT_NE(files, nullptr);
  EXPECT_EQ(files->counters().malformed_lsps, 0u);
  std::vector<std::string> facts;
  for (const std::string& line : Lines(IgpGlass(files->database().State(), {}).Database("border-1.example", {1, 0}))) {
    if (!absl::StrContains(line, " link ") && !absl::StrContains(line, " prefix ")) facts.push_back(line);
  }
  EXPECT_EQ(absl::StrJoin(facts, "\n"),
            "1 0 link_mtu 0000.0000.0002.00 1470 failed 0 - - - - -\n"
            "1 0 segment_routing 16000+8000 1048576+16777215 0 - - - - -\n"
            "1 0 segment_routing_local 15000+1000 0 - - - - -\n"
            "1 0 algorithms 0 1 128 0 - - - - -\n"
            "1 0 nickname 0x1234 priority 192 root 32769 0 - - - - -\n"
            "1 0 nickname 0xffbf priority 64 root 1 0 - - - - -\n"
            "1 0 trees computes 3 of 5, uses 2 0 - - - - -\n"
            "1 0 tree_roots 1: 0x1234 0xffbf 0x0202 0 - - - - -\n"
            "1 0 trees_used 1: 0x1234 0 - - - - -\n"
            "1 0 trees_used 3: 0x0202 0x0303 0 - - - - -\n"
            "1 0 interested_vlans 1 nickname 0x1234 ipv4_multicast lost 77777 0 - - - - -\n"
            "1 0 interested_vlans 100-4094 nickname 0x1234 ipv6_multicast lost 1 root 02:00:00:00:00:09 root "
            "02:00:00:00:00:0a 0 - - - - -\n"
            "1 0 vlan_group 10: 11 12 0 - - - - -\n"
            "1 0 vlan_group 20 0 - - - - -\n"
            "1 0 trill_version 1 capabilities 0xc0001234 0 - - - - -\n"
            "1 0 multicast_group 01:00:5e:01:02:03 vlan 100 5 - - - - -\n"
            "1 0 multicast_group 01:00:5e:01:02:03 vlan 0 from 02:00:00:00:00:05 from 01:00:5e:01:02:03 0 - - - - -\n"
            "1 0 multicast_group 232.1.2.3 vlan 101 from 192.0.2.1 from 192.0.2.2 0 - - - - -\n"
            "1 0 multicast_group ff3e::1 vlan 4094 from 2001:db8::1 0 - - - - -\n"
            "1 0 multicast_group 01:00:5e:01:02:03 label 11259375 from 02:00:00:00:00:05 0 - - - - -\n"
            "1 0 multicast_group 239.0.0.1 label 70000 6 - - - - -\n"
            "1 0 multicast_group ff05::2 label 1 0 - - - - -");
}

// Captures of others: PDUs by type as the manifest has them of tshark; and what was in FRR's network.
TEST(IgpFilesTest, CapturesOfOthers) {
  const char* const captures = std::getenv("FLOWACCT_CAPTURES");
  if (captures == nullptr) GTEST_SKIP() << "FLOWACCT_CAPTURES names no captures of others";
  const auto files = Load(absl::StrCat(captures, "/isis/frr-lan-l1l2-mt-ipv6-wide.pcap"));
  ASSERT_NE(files, nullptr);
  EXPECT_EQ(files->counters().wrong_checksums, 0u);
  EXPECT_EQ(files->counters().malformed_lsps, 0u);
  EXPECT_FALSE(Lines(NeighborRows(*files)).empty());
  IgpGlass glass(files->database().State(), {});
  EXPECT_GE(Lines(glass.Database("", {})).size(), 6u);
  const auto over_gre = Load(absl::StrCat(captures, "/isis/p2p-over-gre-derived.pcap"));
  const auto direct = Load(absl::StrCat(captures, "/isis/frr-p2p-md5-flap.pcap"));
  ASSERT_TRUE(over_gre != nullptr && direct != nullptr);
  EXPECT_EQ(over_gre->counters().by_type, direct->counters().by_type);
  EXPECT_EQ(Lines(IgpGlass(over_gre->database().State(), {}).Differences(direct->database().State())),
            std::vector<std::string>());
}

}  // namespace
}  // namespace flowacct::collector
