// Debian's bgpdump reads what is dumped: each route with its peer, path, next hop and communities.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/bgp/attribute_set.h"
#include "flowacct/collector/mrt/route_dump.h"
#include "flowacct/rib/testing/route_table.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

constexpr char kBgpdump[] = "/usr/bin/bgpdump";

std::string TextOf(absl::string_view peer, absl::string_view as, absl::string_view prefix, absl::string_view path_id,
                   absl::string_view path, absl::string_view next_hop, absl::string_view communities) {
  return absl::StrCat(peer, "|", as, "|", prefix, "|", path_id, "|", path, "|", next_hop, "|", communities);
}

// bgpdump's addresses are not RFC 5952's.
std::string Canonical(const std::string& text) {
  if (const auto address = base::IpAddress::Parse(text)) return address->ToString();
  const auto prefix = base::IpPrefix::Parse(text);
  return prefix ? prefix->ToString() : text;
}

TEST(BgpdumpPeerTest, ReadsEachRouteOfADump) {
  if (!std::ifstream(kBgpdump)) GTEST_SKIP() << "there is no " << kBgpdump << "; tools/install_packages peers";
  RoutingOptions options;
  options.listen = {"tcp://127.0.0.1:0"};
  auto made = RoutingEngine::New(options);
  ASSERT_TRUE(made.ok()) << made.status();
  RoutingEngine& engine = **made;
  PeerBook& book = engine.book_before_start();
  const absl::Time now = absl::FromUnixSeconds(1700000000);
  std::vector<std::string> expected;
  for (uint32_t i = 0; i < 2; ++i) {
    Announcer announcer;
    // One is reached over IPv6, and has an AS number of 4 octets.
    announcer.key = {i == 0 ? base::IpAddress::V4(0xc0000201) : *base::IpAddress::Parse("2001:db8::7"), 0x0a000002 + i,
                     i == 0 ? uint32_t{64500} : uint32_t{4200000001}};
    PeerBook::Peer* peer = book.Up(announcer, now);
    const rib::RouteTable table = rib::MakeRouteTable(3000, 1000, 1, i + 1, announcer.key.as);
    for (size_t run = 0; run < table.sets.size(); ++run) {
      const bgp::AttributeSetView set(base::AsOctets(table.sets[run]));
      std::vector<std::string> communities;
      for (size_t c = 0; c < set.communities().size(); ++c) {
        communities.push_back(absl::StrCat(set.communities()[c] >> 16, ":", set.communities()[c] & 0xffff));
      }
      for (uint32_t at = table.runs[run]; at < table.runs[run + 1]; ++at) {
        bgp::Nlri route;
        route.address = table.prefixes[at].address();
        route.length = table.prefixes[at].length();
        route.path_id = at % 5 == 0 ? at + 1 : 0;
        book.TakeRoute(peer, route, set.octets());
        expected.push_back(TextOf(announcer.key.address.ToString(), absl::StrCat(announcer.key.as),
                                  table.prefixes[at].ToString(), route.path_id != 0 ? absl::StrCat(route.path_id) : "",
                                  set.as_path().ToString(), set.next_hop()->ToString(),
                                  absl::StrJoin(communities, " ")));
      }
    }
  }
  engine.Start();
  const std::string path = absl::StrCat(::testing::TempDir(), "/bgpdump.mrt");
  const auto written = WriteRouteDump(engine, {}, now, path);
  ASSERT_TRUE(written.ok()) << written.status();

  const std::string text = path + ".txt";
  ASSERT_EQ(std::system(absl::StrCat(kBgpdump, " -m '", path, "' >'", text, "' 2>/dev/null").c_str()), 0);
  std::ifstream file(text);
  std::vector<std::string> read;
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> f = absl::StrSplit(line, '|');
    ASSERT_GE(f.size(), 12u) << line;
    const size_t p = absl::EndsWith(f[0], "_AP") ? 7 : 6;
    // Large communities stand behind the others there.
    std::vector<std::string> communities;
    for (const absl::string_view one : absl::StrSplit(f[p + 5], ' ', absl::SkipEmpty())) {
      std::string name(one);
      if (absl::StrContains(name, ":") && std::count(name.begin(), name.end(), ':') == 1) communities.push_back(name);
    }
    read.push_back(TextOf(Canonical(f[3]), f[4], Canonical(f[5]), p == 7 ? f[6] : "", f[p], Canonical(f[p + 2]),
                          absl::StrJoin(communities, " ")));
  }
  std::sort(expected.begin(), expected.end());
  std::sort(read.begin(), read.end());
  ASSERT_EQ(read.size(), expected.size());
  size_t unlike = 0;
  for (size_t i = 0; i < read.size() && unlike < 5; ++i) {
    if (read[i] == expected[i]) continue;
    ++unlike;
    EXPECT_EQ(read[i], expected[i]);
  }
}

}  // namespace
}  // namespace flowacct::collector
