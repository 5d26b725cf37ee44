#include "flowacct/collector/routelog/route_line.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "flowacct/bgp/canonicalize.h"
#include "flowacct/bgp/testing/update_builder.h"
#include "flowacct/bmp/testing/message_builder.h"

namespace flowacct::collector {
namespace {

using bgp::testing::AddressOf;
using Octets = std::vector<uint8_t>;

const absl::Time kTime = absl::FromUnixMicros(1795917370518427);  // 2026-11-29 01:56:10.518427

// As somebody else's reader of JSON sees it.
bool IsJsonObject(absl::string_view line) {
  google::protobuf::Struct object;
  return google::protobuf::util::JsonStringToMessage(std::string(line), &object).ok();
}

template <typename List>
std::string Text(void (*append)(List, std::string*), const Octets& octets) {
  std::string text;
  append(List(octets), &text);
  return text;
}

Octets Words(std::initializer_list<uint32_t> words) {
  Octets octets;
  for (const uint32_t word : words) {
    for (int shift = 24; shift >= 0; shift -= 8) octets.push_back(static_cast<uint8_t>(word >> shift));
  }
  return octets;
}

TEST(CommunityText, IsPmaccts) {
  EXPECT_EQ(Text(AppendCommunities, Words({0xfbf40007, 0xffffff03, 0, 0xffffff02, 0xffffff01, 0xfbf40007, 0xffff029a})),
            "internet 64500:7 65535:666 no-export no-advertise local-AS");
  EXPECT_EQ(Text(AppendCommunities, {}), "");
  EXPECT_EQ(Text(AppendExtendedCommunities,
                 Words({0x0202fa56, 0xea000007, 0x0002fbf4, 0x63, 0x0102c000, 0x02010007, 0x0003fbf4, 0x63, 0x40040000,
                        0x0a, 0x0002fbf4, 0x63, 0xffffffff, 0xffffffff})),
            "RT:64500:99 SoO:64500:99 RT:192.0.2.1:7 RT:4200000000:7 EC:0x400400000000000a EC:0xffffffffffffffff");
  EXPECT_EQ(Text(AppendLargeCommunities, Words({4200000001, 3, 4, 4200000001, 1, 2, 4200000001, 3, 4})),
            "4200000001:1:2 4200000001:3:4");
}

TEST(DistinguisherText, ByType) {
  const auto text = [](uint64_t rd) {
    std::string out;
    AppendRouteDistinguisher(rd, &out);
    return out;
  };
  EXPECT_EQ(text(0x0000fbf400000007), "0:64500:7");
  EXPECT_EQ(text(0x0001c00002010007), "1:192.0.2.1:7");
  EXPECT_EQ(text(0x0002fa56ea000007), "2:4200000000:7");
  EXPECT_EQ(text(0xffff00000000abcd), "65535:0x00000000abcd");
}

struct Case {
  const char* name;
  RouteSource source;
  RouteLineKind kind;
  uint8_t safi;
  LoggedRoute route;
  std::string expected;
};

RouteSource Session() {
  RouteSource source;
  source.peer = AddressOf("127.0.0.2");
  source.port = 35309;
  return source;
}
RouteSource Monitored(rib::RibView view, uint64_t rd = 0) {
  RouteSource source;
  source.peer = AddressOf("2001:db8::7");
  source.router = AddressOf("127.0.0.3");
  source.view = view;
  source.rd = rd;
  source.filtered = true;
  return source;
}
LoggedRoute Route(absl::string_view address, uint8_t length) {
  LoggedRoute route;
  route.address = AddressOf(address);
  route.length = length;
  return route;
}

constexpr char kAttributes[] =
    R"("bgp_nexthop": "192.0.2.1", "as_path": "64501 {64503,64504}", "origin": "u", "med": 7)";

std::vector<Case> Cases() {
  LoggedRoute with_path = Route("198.51.100.0", 24), vpn = Route("10.2.0.0", 16), mapped = Route("1.2.3.4", 128);
  with_path.has_path_id = true;
  with_path.path_id = 4294967295;
  vpn.rd = 0x0000fbf400000007;
  vpn.has_label = true;
  vpn.label = 1048575;
  mapped.v6 = true;
  const std::string session =
      R"("timestamp": "2026-11-29 01:56:10.518427", "peer_ip_src": "127.0.0.2", "peer_tcp_port": 35309, )";
  const std::string arrival =
      R"(, "timestamp_arrival": "2026-11-29 01:56:10.518427", "bmp_router": "127.0.0.3", "peer_ip": "2001:db8::7", )"
      R"("peer_tcp_port": 0, "bmp_msg_type": ")";
  const std::string routers_time = R"("timestamp": "2023-11-14 22:13:20.123456", )";
  return {
      {"Update", Session(), RouteLineKind::kUpdate, 1, Route("198.51.100.0", 24),
       absl::StrCat(R"({"seq": 7, "log_type": "update", )", session,
                    R"("event_type": "log", "afi": 1, "safi": 1, "ip_prefix": "198.51.100.0/24", )", kAttributes, "}")},
      {"AddPath", Session(), RouteLineKind::kWithdraw, 1, with_path,
       absl::StrCat(R"({"seq": 7, "log_type": "withdraw", )", session,
                    R"("event_type": "log", "afi": 1, "safi": 1, "ip_prefix": "198.51.100.0/24", "as_path_id": )",
                    "4294967295, ", kAttributes, "}")},
      {"Vpn", Session(), RouteLineKind::kDelete, 128, vpn,
       absl::StrCat(R"({"seq": 7, "log_type": "delete", )", session,
                    R"("event_type": "log", "afi": 1, "safi": 128, "ip_prefix": "10.2.0.0/16", )", kAttributes,
                    R"(, "rd": "0:64500:7", "rd_origin": "bgp", "label": "1048575"})")},
      {"MappedPrefix", Session(), RouteLineKind::kUpdate, 1, mapped,
       absl::StrCat(R"({"seq": 7, "log_type": "update", )", session,
                    R"("event_type": "log", "afi": 1, "safi": 1, "ip_prefix": "::ffff:1.2.3.4/128", )", kAttributes,
                    "}")},
      {"Dump", Session(), RouteLineKind::kDump, 1, Route("0.0.0.0", 0),
       absl::StrCat(
           R"({"seq": 7, "timestamp": "2026-11-29 01:56:10", "peer_ip_src": "127.0.0.2", "peer_tcp_port": 35309, )",
           R"("event_type": "dump", "afi": 1, "safi": 1, "ip_prefix": "0.0.0.0/0", )", kAttributes, "}")},
      {"AdjRibInPost", Monitored(rib::RibView::kAdjRibInPost), RouteLineKind::kUpdate, 1, Route("198.51.100.0", 24),
       absl::StrCat(R"({"seq": 7, "log_type": "update", )", routers_time,
                    R"("is_post": 1, "is_in": 1, "event_type": "log", "afi": 1, "safi": 1, )",
                    R"("ip_prefix": "198.51.100.0/24", )", kAttributes, arrival, R"(route_monitor"})")},
      {"AdjRibOutPreOfVrf", Monitored(rib::RibView::kAdjRibOutPre, 0x0000fbf400000008), RouteLineKind::kWithdraw, 1,
       Route("198.51.100.0", 24),
       absl::StrCat(R"({"seq": 7, "log_type": "withdraw", )", routers_time,
                    R"("is_post": 0, "is_out": 1, "rd": "0:64500:8", "rd_origin": "bmp", "event_type": "log", )",
                    R"("afi": 1, "safi": 1, "ip_prefix": "198.51.100.0/24", )", kAttributes, arrival,
                    R"(route_monitor"})")},
      // A key comes once: the route's own.
      {"VpnOfVrf", Monitored(rib::RibView::kAdjRibInPre, 0x0000fbf400000008), RouteLineKind::kUpdate, 128, vpn,
       absl::StrCat(R"({"seq": 7, "log_type": "update", )", routers_time,
                    R"("is_post": 0, "is_in": 1, "event_type": "log", "afi": 1, "safi": 128, )",
                    R"("ip_prefix": "10.2.0.0/16", )", kAttributes,
                    R"(, "rd": "0:64500:7", "rd_origin": "bgp", "label": "1048575")", arrival, R"(route_monitor"})")},
      {"DeleteOfLocRib", Monitored(rib::RibView::kLocRib), RouteLineKind::kDelete, 1, Route("198.51.100.0", 24),
       absl::StrCat(R"({"seq": 7, "log_type": "delete", "timestamp": "2026-11-29 01:56:10.518427", "is_filtered": 1, )",
                    R"("is_loc": 1, "event_type": "log", "afi": 1, "safi": 1, "ip_prefix": "198.51.100.0/24", )",
                    kAttributes, R"(, "timestamp_arrival": "2026-11-29 01:56:10.518427", "bmp_router": "127.0.0.3", )",
                    R"("peer_ip": "0.0.0.0", "peer_tcp_port": 0, "bmp_msg_type": "internal"})")},
  };
}

TEST(RouteLine, EachKind) {
  bgp::testing::UpdateBuilder builder;
  builder.Origin(2)
      .AsPathSegments({{2, {64501}}, {1, {64503, 64504}}})
      .NextHop("192.0.2.1")
      .Med(7)
      .Announce("10.0.0.0/8");
  const Octets message(builder.Message().begin(), builder.Message().end());
  bgp::Update update;
  bgp::UpdateCounters counters;
  bgp::DecodeUpdate(message, {}, &update, &counters);
  std::vector<uint8_t> buffer;
  const bgp::AttributeSetView attributes(bgp::CanonicalizeAttributes(update, update.announced()[0], &buffer));
  for (const Case& c : Cases()) {
    RouteLineWriter writer(absl::UTCTimeZone());
    writer.Begin(c.source, c.kind, kTime, absl::FromUnixMicros(1700000000123456));
    writer.SetFamily(1, c.safi);
    writer.SetAttributes(attributes);
    std::string line;
    writer.Append(7, c.route, &line);
    EXPECT_EQ(line, c.expected + "\n") << c.name;
    EXPECT_TRUE(IsJsonObject(line)) << c.name;
    writer.ClearAttributes();
    std::string bare;
    writer.Append(7, c.route, &bare);
    EXPECT_TRUE(IsJsonObject(bare)) << c.name << ": " << bare;
  }
}

TEST(RouteLine, BoundariesAndDumps) {
  std::string out;
  AppendLogBoundary(Session(), "log_init", 0, kTime, absl::UTCTimeZone(), &out);
  AppendLogBoundary(Monitored(rib::RibView::kLocRib), "log_close", 9, kTime, absl::FixedTimeZone(3600), &out);
  AppendDumpInit(Session(), 17, kTime, 60, absl::UTCTimeZone(), &out);
  AppendDumpClose(Session(), 17, kTime, 8, absl::UTCTimeZone(), &out);
  AppendDumpClose(Monitored(rib::RibView::kLocRib), 17, kTime, 8, absl::UTCTimeZone(), &out);
  EXPECT_EQ(
      out,
      R"({"seq": 0, "timestamp": "2026-11-29 01:56:10.518427", "peer_ip_src": "127.0.0.2", "peer_tcp_port": 35309, "event_type": "log_init"}
{"seq": 9, "timestamp": "2026-11-29 02:56:10.518427", "bmp_router": "127.0.0.3", "event_type": "log_close"}
{"timestamp": "2026-11-29 01:56:10", "peer_ip_src": "127.0.0.2", "peer_tcp_port": 35309, "event_type": "dump_init", "dump_period": 60, "seq": 17}
{"timestamp": "2026-11-29 01:56:10", "peer_ip_src": "127.0.0.2", "peer_tcp_port": 35309, "event_type": "dump_close", "entries": 8, "tables": 1, "seq": 17}
{"timestamp": "2026-11-29 01:56:10", "bmp_router": "127.0.0.3", "event_type": "dump_close", "seq": 17}
)");
}

// Attributes as nobody writes them: octets in every place, lengths that lie.
TEST(RouteLine, HostileAttributesAreValidJson) {
  uint32_t state = 1;
  const auto random = [&state] { return state = state * 1664525 + 1013904223, static_cast<uint8_t>(state >> 24); };
  for (int round = 0; round < 3000; ++round) {
    Octets octets;
    for (const int code : {1, 2, 3, 4, 5, 8, 16, 26, 32, 40}) {
      if (random() < 64) continue;
      const size_t length = random() % 40;
      octets.insert(octets.end(), {static_cast<uint8_t>(code), 0, static_cast<uint8_t>(length)});
      for (size_t i = 0; i < length; ++i) octets.push_back(random() < 32 ? '"' : random());
    }
    if (round % 7 == 0) octets.resize(octets.size() / 2);
    RouteLineWriter writer(absl::UTCTimeZone());
    const RouteSource source = round % 2 == 0 ? Session() : Monitored(rib::RibView::kAdjRibInPre, ~uint64_t{0});
    writer.Begin(source, RouteLineKind::kUpdate, kTime, absl::InfinitePast());
    writer.SetFamily(2, 128);
    writer.SetAttributes(bgp::AttributeSetView(octets));
    LoggedRoute route = Route("2001:db8::", 32);
    route.rd = round % 3 == 0 ? 0 : uint64_t{0xffff} << 48;
    std::string line;
    writer.Append(round, route, &line);
    ASSERT_TRUE(IsJsonObject(line)) << line;
  }
}

struct Lines final : bmp::Listener {
  void OnRouter(absl::string_view name, absl::string_view description) override {
    AppendInitiation(AddressOf("127.0.0.3"), name, description, kTime, absl::UTCTimeZone(), &text);
  }
  void OnPeerUp(const bmp::PeerUp& up) override {
    AppendPeerUp(AddressOf("127.0.0.3"), up, kTime, absl::UTCTimeZone(), &text);
  }
  void OnPeerDown(const bmp::PeerDown& down) override {
    AppendPeerDown(AddressOf("127.0.0.3"), down, kTime, absl::UTCTimeZone(), &text);
  }
  void OnStatistics(const bmp::StatisticsReport& report) override {
    AppendStatistics(AddressOf("127.0.0.3"), report, false, kTime, absl::UTCTimeZone(), &text);
  }
  std::string text;
};

TEST(MonitoredLine, HostileNamesAreValidJson) {
  namespace b = bmp::testing;
  constexpr char kHostile[] = "\"}\n{\"a\": \\ \0 \x01 \x7f \xff \xc3\"";
  const std::string hostile(kHostile, sizeof(kHostile) - 1);
  b::BuiltPeer peer;
  peer.address = AddressOf("10.0.0.7");
  Lines lines;
  bmp::Station station({}, &lines);
  ASSERT_TRUE(station.Receive(
      b::Message(bmp::MessageType::kInitiation, b::Join({b::Tlv16(1, hostile), b::Tlv16(2, hostile)}))));
  // Two TLVs of a type: a key comes once.
  ASSERT_TRUE(station.Receive(
      b::PeerUpMessage(peer, b::OpenMessage(64500), b::OpenMessage(64496),
                       b::Join({b::Tlv16(0, "one"), b::Tlv16(0, hostile), b::Tlv16(9, hostile), b::Tlv16(9, "")}))));
  ASSERT_TRUE(station.Receive(
      b::StatisticsMessage(peer, {{65535, {0, 0, 0, 1}}, {7, {255, 255, 255, 255, 255, 255, 255, 255}}})));
  ASSERT_TRUE(station.Receive(b::PeerDownMessage(peer, 77, Octets{1, 2, 3})));
  size_t count = 0;
  for (absl::string_view line : absl::StrSplit(lines.text, '\n', absl::SkipEmpty())) {
    ++count;
    const std::string whole = absl::StrCat("{\"event_type\": \"log\", \"seq\": 1", line);
    EXPECT_TRUE(IsJsonObject(whole)) << whole;
  }
  EXPECT_EQ(count, 4u + (lines.text.find("peer_down") != std::string::npos ? 1 : 0)) << lines.text;
  EXPECT_EQ(lines.text.find("\"one\""), std::string::npos);
  station.End();
}

// As many TLVs as a message has room for, each of a type of its own, and long ones: a line of bounded length.
TEST(MonitoredLine, FloodsOfInformationAreToldInPart) {
  namespace b = bmp::testing;
  b::BuiltPeer peer;
  peer.address = AddressOf("10.0.0.7");
  Octets many;
  for (int i = 0; i < 260000; ++i) {
    const Octets tlv = b::Tlv16(static_cast<uint16_t>(i % 60000 + 1), "");
    many.insert(many.end(), tlv.begin(), tlv.end());
  }
  const std::string text(60000, 'x');
  for (const Octets& information : {many, b::Join({b::Tlv16(0, text), b::Tlv16(9, text), b::Tlv16(9, "y")})}) {
    Lines lines;
    bmp::StationOptions options;
    options.max_message_octets = size_t{2} << 20;
    bmp::Station station(options, &lines);
    ASSERT_TRUE(station.Receive(b::PeerUpMessage(peer, b::OpenMessage(64500), b::OpenMessage(64496), information)));
    EXPECT_TRUE(IsJsonObject(absl::StrCat("{\"seq\": 1", lines.text))) << lines.text.substr(0, 1000);
    const bool first = information.size() == many.size();
    EXPECT_LT(lines.text.size(), first ? 4000u : 1000u);
    const std::string last = first ? R"("bmp_peer_up_info_64": ""})" : R"("bmp_peer_up_info_9": "79"})";
    EXPECT_NE(lines.text.find(last), std::string::npos) << lines.text;
    const std::string told = absl::StrCat("\"", text.substr(0, kMaxToldTlvOctets), "\"");
    EXPECT_EQ(lines.text.find(told) == std::string::npos, first);
  }
}

}  // namespace
}  // namespace flowacct::collector
