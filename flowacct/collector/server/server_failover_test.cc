// Whose routes a flow is joined to: the router's session, its BMP tables, a reflector, as one after another is lost;
// every field against a twin that looks at all routes of all tables, for NetFlow v9, IPFIX and sFlow.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/bgp/testing/update_builder.h"
#include "flowacct/bmp/testing/message_builder.h"
#include "flowacct/collector/generate/export_encoder.h"
#include "flowacct/collector/listen/testing/udp_sender.h"
#include "flowacct/collector/routing/testing/scripted_peer.h"
#include "flowacct/collector/server/server_fixture.h"
#include "flowacct/collector/socket/endpoint.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

using base::IpAddress;
using base::IpPrefix;
using bgp::testing::UpdateBuilder;

constexpr char kRouter[] = "127.0.0.2";  // exports, peers and tells by BMP
constexpr char kReflector[] = "127.0.0.3";
constexpr uint16_t kAs = 64500;

struct Route {
  IpPrefix prefix;
  std::vector<uint32_t> path;
  std::vector<uint32_t> communities, large, targets;
  std::optional<uint32_t> local_pref, med;
  uint8_t origin = 0;
  std::string next_hop;
  size_t neighbour = 0;  // of those whose tables answer together: the later one has the lower identifier
};

class ServerFailoverTest : public ServerTest {
 protected:
  uint32_t Below(uint32_t n) { return static_cast<uint32_t>(random_() % n); }

  std::vector<Route> RandomRoutes(size_t count, uint8_t shortest, size_t neighbour = 0) {
    std::vector<Route> routes;
    std::vector<IpPrefix> seen;
    while (routes.size() < count) {
      Route r;
      r.prefix = IpPrefix(IpAddress::V4(10u << 24 | Below(256) << 16 | Below(256) << 8),
                          static_cast<uint8_t>(shortest + Below(24 - shortest + 1)));
      if (std::find(seen.begin(), seen.end(), r.prefix) != seen.end()) continue;
      seen.push_back(r.prefix);
      r.path = Path();
      for (uint32_t i = Below(3); i > 0; --i) r.communities.push_back(uint32_t{kAs} << 16 | (10 * i + Below(10)));
      for (uint32_t i = Below(3); i > 0; --i) r.large.insert(r.large.end(), {kAs, i, Below(100)});
      for (uint32_t i = Below(2); i > 0; --i) r.targets.push_back(Below(1000));
      if (Below(2) == 0) r.local_pref = 100 + Below(3);
      if (Below(2) == 0) r.med = Below(50);
      r.origin = static_cast<uint8_t>(Below(3));
      r.next_hop = absl::StrCat("203.0.113.", 1 + Below(200));
      r.neighbour = neighbour;
      routes.push_back(r);
    }
    return routes;
  }
  // Its first AS is one of many, so that MULTI_EXIT_DISC is compared seldom; the twin does compare it.
  std::vector<uint32_t> Path() {
    std::vector<uint32_t> path = {65000 + Below(400)};
    for (uint32_t i = Below(4); i > 0; --i) path.push_back(4200000000u + Below(100000));
    return path;
  }

  static std::vector<uint8_t> Update(const Route& r) {
    UpdateBuilder update;
    update.Origin(r.origin).AsPath(r.path).NextHop(r.next_hop);
    if (r.med) update.Med(*r.med);
    if (r.local_pref) update.LocalPref(*r.local_pref);
    if (!r.communities.empty()) update.Communities(r.communities);
    if (!r.targets.empty()) {
      base::OctetWriter targets;
      for (uint32_t target : r.targets) targets.U16(2).U16(kAs).U32(target);
      update.Attribute(0xc0, 16, targets.octets());
    }
    if (!r.large.empty()) update.LargeCommunities(r.large);
    update.Announce(r.prefix.ToString());
    const base::Octets message = update.Message();
    return {message.begin(), message.end()};
  }

  // The longest prefix of all tables of a group, of several the one that BGP's decision process takes.
  static const Route* Find(const std::vector<std::vector<Route>>& group, const IpAddress& address) {
    std::vector<const Route*> longest;
    for (const auto& routes : group) {
      for (const Route& r : routes) {
        if (!r.prefix.Contains(address)) continue;
        if (!longest.empty() && r.prefix.length() < longest[0]->prefix.length()) continue;
        if (!longest.empty() && r.prefix.length() > longest[0]->prefix.length()) longest.clear();
        longest.push_back(&r);
      }
    }
    if (longest.empty()) return nullptr;
    // At most two, of neighbours that are both external.
    return *std::min_element(longest.begin(), longest.end(), [](const Route* a, const Route* b) {
      const auto rank = [&](const Route* r) {
        const uint32_t med = a->path[0] == b->path[0] ? r->med.value_or(0) : 0;
        return std::make_tuple(-static_cast<int64_t>(r->local_pref.value_or(100)), r->path.size(), r->origin, med,
                               -static_cast<int>(r->neighbour));
      };
      return rank(a) < rank(b);
    });
  }

  static std::string Number(const std::optional<uint32_t>& number) { return number ? absl::StrCat(*number) : "null"; }
  static std::string List(const std::vector<std::string>& texts) {
    return texts.empty() ? "null" : absl::StrCat("[\"", absl::StrJoin(texts, "\",\""), "\"]");
  }
  // As the query tells one side of a row.
  static std::string Side(const Route& r, absl::string_view source, bool destination) {
    static constexpr const char* kOrigins[] = {"igp", "egp", "incomplete"};
    std::vector<std::string> communities, large, targets;
    for (uint32_t c : r.communities) communities.push_back(absl::StrCat(c >> 16, ":", c & 0xffff));
    for (size_t i = 0; i < r.large.size(); i += 3) {
      large.push_back(absl::StrCat(r.large[i], ":", r.large[i + 1], ":", r.large[i + 2]));
    }
    for (uint32_t target : r.targets) targets.push_back(absl::StrCat("rt:", kAs, ":", target));
    return absl::StrCat(r.path.back(), ", \"", absl::StrJoin(r.path, " "), "\", ", r.path[0], ", ", List(communities),
                        ", ", List(targets), ", ", List(large), ", ", Number(r.local_pref), ", ", Number(r.med), ", \"",
                        kOrigins[r.origin], "\", ", destination ? absl::StrCat("\"", r.next_hop, "\", ") : "", "\"",
                        r.prefix.ToString(), "\", ", r.prefix.length(), ", \"", std::string(source), "\"");
  }

  void Send(const std::vector<std::pair<IpAddress, IpAddress>>& flows, int protocol) {
    std::vector<std::string> datagrams;
    constexpr size_t kAtOnce = 10;
    for (size_t at = 0; at < flows.size(); at += kAtOnce) {
      std::vector<GeneratedFlow> some;
      for (size_t i = at; i < std::min(flows.size(), at + kAtOnce); ++i) {
        GeneratedFlow flow;
        std::copy_n(flows[i].first.data() + 12, 4, flow.key.src.begin());
        std::copy_n(flows[i].second.data() + 12, 4, flow.key.dst.begin());
        flow.packets = 1;
        flow.bytes = 100;
        some.push_back(flow);
      }
      ExportHeader header;
      header.boot_seconds = static_cast<uint32_t>(absl::ToUnixSeconds(absl::Now())) - 2;
      header.uptime_ms = 2000;
      header.sequence = sequence_[protocol];
      base::OctetWriter out;
      if (protocol == 0) {
        EncodeNetFlow9(header, some, true, true, &out);
        sequence_[0] += 1;
      } else if (protocol == 1) {
        EncodeIpfix(header, some, true, &out);
        sequence_[1] += static_cast<uint32_t>(some.size());
      } else {
        const uint8_t agent[] = {127, 0, 0, 2};
        EncodeSflowHeader(base::Octets(agent, 4), sequence_[2]++, 2000, static_cast<uint32_t>(some.size()), &out);
        for (const GeneratedFlow& flow : some) {
          base::OctetWriter frame;
          EncodeFrame(flow.key, 100, 0, 128, &frame);
          SflowSample sample;
          sample.sequence = ++samples_;
          sample.sample_pool = samples_;
          sample.frame_length = 114;
          sample.header = frame.octets();
          EncodeSflowSample(sample, &out);
        }
      }
      datagrams.emplace_back(base::AsText(out.octets()));
    }
    auto endpoint = ParseEndpoint(server_->Status().inputs[0].listen, {EndpointScheme::kUdp});
    ASSERT_TRUE(endpoint.ok()) << endpoint.status();
    auto sender = UdpSender::New(*endpoint, absl::StrCat("udp://", kRouter, ":0"));
    ASSERT_TRUE(sender.ok()) << sender.status();
    ASSERT_TRUE((*sender)->Send(datagrams).ok());
    sent_ += flows.size();
    ASSERT_TRUE(Eventually([&] { return server_->Status().inputs[0].records >= sent_; }));
    ASSERT_EQ(server_->Status().inputs[0].records, sent_);
  }

  // Groups of tables in the order in which they answer; how each is told.
  using Tables = std::vector<std::pair<std::string, std::vector<std::vector<Route>>>>;
  void ExpectJoined(const Tables& tables) {
    for (int protocol = 0; protocol < 3; ++protocol) {
      ++phase_;
      std::vector<std::pair<IpAddress, IpAddress>> flows;
      for (uint32_t i = 0; i < 60; ++i) {
        flows.emplace_back(IpAddress::V4(10u << 24 | Below(256) << 16 | Below(256) << 8 | phase_),
                           IpAddress::V4(10u << 24 | Below(256) << 16 | Below(256) << 8 | i));
      }
      Send(flows, protocol);
      MemoryQuestion question;
      question.pipeline = "p";
      question.since = absl::Hours(1);
      question.top = 100000;
      const auto answer = server_->Query(question);
      ASSERT_TRUE(answer.ok()) << answer.status();
      std::vector<size_t> answered(tables.size());
      for (const auto& [source, destination] : flows) {
        std::string row = absl::StrCat("[\"", source.ToString(), "\", \"", destination.ToString(), "\"");
        const std::string start = row;
        for (const bool is_destination : {true, false}) {
          for (size_t t = 0; t < tables.size(); ++t) {
            const Route* const route = Find(tables[t].second, is_destination ? destination : source);
            if (route == nullptr) continue;
            ++answered[t];
            absl::StrAppend(&row, ", ", Side(*route, tables[t].first, is_destination));
            break;
          }
        }
        absl::StrAppend(&row, ", 100]");
        const size_t at = answer->find(start);
        ASSERT_NE(at, std::string::npos) << start;
        ASSERT_EQ(answer->substr(at, row.size()), row) << "protocol " << protocol;
      }
      // All that stand in their turn had something to say.
      for (size_t t = 0; t < tables.size(); ++t) EXPECT_GT(answered[t], 0u) << tables[t].first << " " << phase_;
    }
  }

  std::mt19937 random_{5};
  std::unique_ptr<Server> server_;
  uint32_t sequence_[3] = {};
  uint32_t samples_ = 0;
  uint64_t sent_ = 0;
  uint32_t phase_ = 0;
};

TEST_F(ServerFailoverTest, EachFieldIsOfWhoeverAnswers) {
  std::string fields;
  for (const char* field : {"dst_as",      "as_path",        "peer_dst_as",  "std_comm",     "ext_comm",
                            "lrg_comm",    "local_pref",     "med",          "bgp_origin",   "bgp_next_hop",
                            "dst_net",     "dst_mask",       "route_source", "src_as",       "src_as_path",
                            "peer_src_as", "src_std_comm",   "src_ext_comm", "src_lrg_comm", "src_local_pref",
                            "src_med",     "src_bgp_origin", "src_net",      "src_mask",     "src_route_source"}) {
    absl::StrAppend(&fields, ",", field);
  }
  server_ =
      StartServer(absl::StrCat("input { name: \"in\" udp { listen: \"127.0.0.1:0\" } }\n"
                               "bgp { listen: \"127.0.0.1:0\" stale_for: \"1m\" reflector: \"127.0.0.3\" }\n"
                               "bmp { listen: \"127.0.0.1:0\" allow: \"127.0.0.2\" stale_for: \"1m\" }\n"
                               "pipeline { name: \"p\" by: \"src_addr,dst_addr",
                               fields, "\" sum: \"bytes\" every: \"1d\" enrich { routes {} } sink { memory {} } }"));

  const std::vector<Route> of_session = RandomRoutes(60, 12), of_loc_rib = RandomRoutes(60, 12);
  const std::vector<Route> of_first = RandomRoutes(50, 12, 1), of_second = RandomRoutes(50, 12, 2);
  std::vector<Route> of_reflector = RandomRoutes(40, 8);
  Route fallback = of_reflector[0];
  fallback.prefix = IpPrefix(IpAddress::V4(0), 0);
  of_reflector.push_back(fallback);

  bgp::Open open = ScriptedOpen(0x7f000002);
  ScriptedPeer session(server_->bgp_endpoints()[0], kRouter), reflector(server_->bgp_endpoints()[0], kReflector);
  ASSERT_TRUE(session.Establish(open));
  ASSERT_TRUE(reflector.Establish(ScriptedOpen(0x7f000003)));
  for (const Route& route : of_session) ASSERT_TRUE(session.Send(Update(route)));
  for (const Route& route : of_reflector) ASSERT_TRUE(reflector.Send(Update(route)));

  bmp::testing::BuiltPeer loc_rib, first, second;
  loc_rib.type = bmp::PeerType::kLocRibInstance;
  loc_rib.as = kAs;
  first.address = *IpAddress::Parse("198.51.100.1");
  first.bgp_identifier = 9;
  first.as = 64501;
  second.address = *IpAddress::Parse("198.51.100.2");
  second.bgp_identifier = 8;
  second.as = 64502;
  auto router = std::make_unique<ScriptedPeer>(server_->bmp_endpoints()[0], kRouter);
  const auto open_message = [](uint32_t as) { return bmp::testing::OpenMessage(as); };
  for (const auto& [peer, routes] :
       {std::make_pair(loc_rib, of_loc_rib), std::make_pair(first, of_first), std::make_pair(second, of_second)}) {
    ASSERT_TRUE(
        router->Send(base::Octets(bmp::testing::PeerUpMessage(peer, open_message(kAs), open_message(peer.as)))));
    for (const Route& route : routes) {
      ASSERT_TRUE(router->Send(base::Octets(bmp::testing::RouteMonitoringMessage(peer, Update(route)))));
    }
  }
  const uint64_t all = of_session.size() + of_loc_rib.size() + of_first.size() + of_second.size() + of_reflector.size();
  ASSERT_TRUE(Eventually([&] { return server_->Status().bgp.paths == all; })) << server_->Status().bgp.paths;

  Tables tables = {{"bgp", {of_session}},
                   {"bmp_loc_rib", {of_loc_rib}},
                   {"bmp_adj_rib_in", {of_first, of_second}},
                   {"bgp_reflector", {of_reflector}}};
  const auto settled = [&](uint64_t paths) {
    const bool there = Eventually([&] { return server_->Status().bgp.paths == paths; });
    // The directory follows within a second.
    absl::SleepFor(absl::Milliseconds(200));
    return there;
  };
  settled(all);
  ExpectJoined(tables);

  // The session is not to come back (Cease, Peer De-configured): the Loc-RIB is next.
  base::OctetWriter notification;
  for (int i = 0; i < 16; ++i) notification.U8(0xff);
  notification.U16(21).U8(3).U8(6).U8(3);
  ASSERT_TRUE(session.Send(notification.octets()));
  ASSERT_TRUE(settled(all - of_session.size()));
  tables.erase(tables.begin());
  ExpectJoined(tables);

  ASSERT_TRUE(router->Send(base::Octets(bmp::testing::PeerDownMessage(loc_rib, 6, {}))));
  ASSERT_TRUE(settled(all - of_session.size() - of_loc_rib.size()));
  tables.erase(tables.begin());
  ExpectJoined(tables);

  // The router is gone without a word: what it told answers on, as stale routes.
  router->Reset();
  ASSERT_TRUE(Eventually([&] { return server_->Status().bmp.connected == 0; }));
  ExpectJoined(tables);

  // It is back, and one of its neighbours is not.
  router = std::make_unique<ScriptedPeer>(server_->bmp_endpoints()[0], kRouter);
  ASSERT_TRUE(router->Send(base::Octets(bmp::testing::PeerUpMessage(second, open_message(kAs), open_message(64502)))));
  ASSERT_TRUE(router->Send(base::Octets(bmp::testing::PeerUpMessage(first, open_message(kAs), open_message(64501)))));
  for (const Route& route : of_second) {
    ASSERT_TRUE(router->Send(base::Octets(bmp::testing::RouteMonitoringMessage(second, Update(route)))));
  }
  ASSERT_TRUE(router->Send(base::Octets(bmp::testing::RouteMonitoringMessage(first, Update(of_first[0])))));
  ASSERT_TRUE(router->Send(base::Octets(bmp::testing::PeerDownMessage(first, 2, {}))));
  ASSERT_TRUE(settled(of_second.size() + of_reflector.size()));
  tables[0].second = {of_second};
  ExpectJoined(tables);

  // Nobody but the router itself may tell.
  ScriptedPeer stranger(server_->bmp_endpoints()[0], kReflector);
  EXPECT_TRUE(Eventually([&] { return server_->Status().bmp.connections_refused == 1; }));
}

}  // namespace
}  // namespace flowacct::collector
