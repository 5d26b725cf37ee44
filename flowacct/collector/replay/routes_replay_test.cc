// Replayed flows joined to the routes of MRT files, each row against a twin that scans all routes.

#include <cstdint>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/base/octet_hash.h"
#include "flowacct/collector/mrt/offline_routes.h"
#include "flowacct/collector/mrt/testing/mrt_text.h"
#include "flowacct/collector/replay/replay.h"
#include "flowacct/enrich/routes/routes_enricher.h"
#include "flowacct/sink/print/print_sink.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

using Row = std::map<std::string, std::string>;

std::string Path(absl::string_view name) { return absl::StrCat(::testing::TempDir(), "/routes-replay-", name); }

// Rows of testdata/quickstart.pcap, whose exporters are 192.0.2.1 and 192.0.2.2.
std::vector<Row> Replayed(absl::string_view by, const std::shared_ptr<OfflineRoutes>& routes) {
  ReplayOptions options;
  options.files = {"testdata/quickstart.pcap"};
  if (routes != nullptr) {
    options.pipeline.enrichers.push_back(enrich::RoutesEnricher::Factory(routes, routes->tables(), {}));
  }
  sink::PrintOptions print;
  print.format = sink::PrintFormat::kCsv;
  print.path = Path("rows.csv");
  print.separator = '\t';
  auto sink = sink::NewPrintSink(print);
  EXPECT_TRUE(sink.ok()) << sink.status();
  options.pipeline.aggregations.resize(1);
  options.pipeline.aggregations[0].aggregator.by = absl::StrSplit(by, ',');
  options.pipeline.aggregations[0].aggregator.values = {"flows"};
  options.pipeline.aggregations[0].sink = sink->get();
  const auto outcome = Replay(std::move(options));
  EXPECT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_TRUE(outcome->failures.empty());
  std::ifstream file(print.path);
  std::string line;
  std::getline(file, line);
  const std::vector<std::string> names = absl::StrSplit(line, '\t');
  std::vector<Row> rows;
  while (std::getline(file, line)) {
    const std::vector<std::string> values = absl::StrSplit(line, '\t');
    EXPECT_EQ(values.size(), names.size()) << line;
    Row row;
    for (size_t i = 0; i < names.size() && i < values.size(); ++i) row[names[i]] = values[i];
    rows.push_back(std::move(row));
  }
  return rows;
}

struct TwinRoute {
  size_t peer;
  base::IpPrefix prefix;
  std::vector<uint32_t> path;
  std::string next_hop;
  uint32_t community;
};

const TwinRoute* LongestOf(const std::vector<TwinRoute>& routes, const std::string& address) {
  const base::IpAddress parsed = *base::IpAddress::Parse(address);
  const TwinRoute* longest = nullptr;
  for (const TwinRoute& route : routes) {
    if (!route.prefix.Contains(parsed)) continue;
    if (longest == nullptr || route.prefix.length() > longest->prefix.length()) longest = &route;
  }
  return longest;
}

class RoutesReplayTest : public ::testing::Test {
 protected:
  static constexpr char kBy[] =
      "exporter,src_addr,dst_addr,dst_net,dst_as,peer_dst_as,as_path,std_comm,bgp_next_hop,route_source,"
      "src_net,src_as,src_as_path,src_route_source";

  // Prefixes around the addresses of the flows; the peer is one for all prefixes of a /16 (IPv6: a /40).
  void Draw(size_t peers) {
    uint64_t state = 7;
    std::map<base::IpPrefix, size_t> seen;
    for (const Row& row : Replayed("src_addr,dst_addr", nullptr)) {
      for (const char* column : {"src_addr", "dst_addr"}) {
        const base::IpAddress address = *base::IpAddress::Parse(row.at(column));
        if (base::NextSecret(&state) % 4 == 0) continue;
        const bool v4 = address.IsV4();
        const auto span = static_cast<uint8_t>(v4 ? 16 : 40);
        const auto length = static_cast<uint8_t>(span + base::NextSecret(&state) % ((v4 ? 32 : 128) - span + 1));
        const base::IpPrefix prefix(base::Mask(address, length), length);
        const base::IpPrefix group(base::Mask(address, span), span);
        const size_t peer = seen.emplace(group, seen.size() % peers).first->second;
        bool there = false;
        for (const TwinRoute& route : routes_) there = there || route.prefix == prefix;
        if (there) continue;
        const auto number = static_cast<uint32_t>(routes_.size());
        routes_.push_back(
            {peer,
             prefix,
             {64500 + static_cast<uint32_t>(peer), 65000, 100000 + number},
             v4 ? absl::StrCat("203.0.113.", number % 200) : absl::StrCat("2001:db8:ffff::", number % 200),
             0xfbf40000 + number});
      }
    }
    file_.Peers({{"192.0.2.1", 64500, "10.9.9.1"}, {"203.0.113.2", 64501, "192.0.2.2"}});
    for (const TwinRoute& route : routes_) {
      file_.Entry(static_cast<uint16_t>(route.peer), route.prefix.ToString(), route.path, route.next_hop,
                  {route.community});
    }
    ASSERT_TRUE(file_.WriteTo(Path("routes.mrt")));
  }
  std::shared_ptr<OfflineRoutes> Load(const char* peer = nullptr) {
    OfflineRoutesOptions options;
    options.files = {Path("routes.mrt")};
    if (peer != nullptr) options.peer = base::IpAddress::Parse(peer);
    auto routes = OfflineRoutes::Load(options);
    EXPECT_TRUE(routes.ok()) << routes.status();
    return *std::move(routes);
  }
  // The rows without a route.
  size_t Compare(const std::vector<Row>& rows, const std::vector<TwinRoute>& routes) {
    size_t joined = 0, bare = 0;
    for (const Row& row : rows) {
      SCOPED_TRACE(absl::StrCat(row.at("exporter"), " ", row.at("src_addr"), " ", row.at("dst_addr")));
      const TwinRoute* to = LongestOf(routes, row.at("dst_addr"));
      if (to != nullptr) {
        ++joined;
        EXPECT_EQ(row.at("route_source"), "mrt");
        EXPECT_EQ(row.at("dst_net"), to->prefix.ToString());
        EXPECT_EQ(row.at("as_path"), absl::StrJoin(to->path, " "));
        EXPECT_EQ(row.at("dst_as"), absl::StrCat(to->path.back()));
        EXPECT_EQ(row.at("peer_dst_as"), absl::StrCat(to->path.front()));
        EXPECT_EQ(row.at("bgp_next_hop"), to->next_hop);
        EXPECT_EQ(row.at("std_comm"), absl::StrCat("64500:", to->community & 0xffff));
      } else {
        ++bare;
        EXPECT_EQ(row.at("route_source"), "");
        EXPECT_EQ(row.at("as_path"), "");
      }
      if (const TwinRoute* from = LongestOf(routes, row.at("src_addr"))) {
        EXPECT_EQ(row.at("src_net"), from->prefix.ToString());
        EXPECT_EQ(row.at("src_as"), absl::StrCat(from->path.back()));
        EXPECT_EQ(row.at("src_as_path"), absl::StrJoin(from->path, " "));
        EXPECT_EQ(row.at("src_route_source"), "mrt");
      } else {
        EXPECT_EQ(row.at("src_as_path"), "");
      }
    }
    EXPECT_GT(joined, 300u);
    return bare;
  }

  std::vector<TwinRoute> routes_;
  MrtText file_;
};

TEST_F(RoutesReplayTest, EachPrefixOfOnePeer) {
  Draw(2);
  Compare(Replayed(kBy, Load()), routes_);
}

TEST_F(RoutesReplayTest, OnePeerForAll) {
  Draw(2);
  std::vector<TwinRoute> of_second;
  for (const TwinRoute& route : routes_) {
    if (route.peer == 1) of_second.push_back(route);
  }
  EXPECT_GT(Compare(Replayed(kBy, Load("203.0.113.2")), of_second), 0u);
}

TEST_F(RoutesReplayTest, AnExporterHasItsOwnPeersRoutes) {
  file_.Peers({{"192.0.2.1", 64500, "10.9.9.1"}, {"203.0.113.2", 64501, "192.0.2.2"}});
  for (const char* prefix : {"0.0.0.0/0", "::/0"}) {
    for (uint16_t peer : {0, 1}) {
      file_.Entry(peer, prefix, {64500u + peer, 65000}, prefix[0] == ':' ? "2001:db8::1" : "203.0.113.9");
    }
  }
  ASSERT_TRUE(file_.WriteTo(Path("routes.mrt")));
  size_t rows = 0;
  for (const Row& row : Replayed("exporter,as_path,route_source", Load())) {
    ++rows;
    EXPECT_EQ(row.at("route_source"), "mrt");
    EXPECT_EQ(row.at("as_path"), row.at("exporter") == "192.0.2.1" ? "64500 65000" : "64501 65000");
  }
  EXPECT_EQ(rows, 2u);
}

}  // namespace
}  // namespace flowacct::collector
