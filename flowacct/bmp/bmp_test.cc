// Every message against lines of text; streams cut at every octet and split anywhere; what is malformed; bounds.

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "flowacct/bgp/message_writer.h"
#include "flowacct/bgp/testing/update_builder.h"
#include "flowacct/bmp/station.h"
#include "flowacct/bmp/testing/event_text.h"
#include "flowacct/bmp/testing/message_builder.h"
#include "flowacct/testing/allocation_counter.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace flowacct::bmp {
namespace {

using base::DecodeCode;
using bgp::testing::AddressOf;
using testing::BuiltPeer;
using ::testing::ElementsAre;
using testing::EventText;
using ::testing::HasSubstr;
using testing::Join;
using testing::Octets;

using Lines = std::vector<std::string>;

Lines ReceiveAll(base::Octets stream, StationCounters* counters = nullptr, const StationOptions& options = {}) {
  EventText text;
  Station station(options, &text);
  (void)station.Receive(stream);
  station.End();
  if (counters != nullptr) *counters = station.counters();
  return text.lines;
}

BuiltPeer SomePeer() {
  BuiltPeer peer;
  peer.address = AddressOf("192.0.2.2");
  return peer;
}

constexpr char kIn[] = "#0 type 0 192.0.2.2 AS64496 id a000001";
constexpr char kRd[] = "#1 type 1 64496:7 2001:db8::2 AS64496 id a000001";
constexpr char kLoc[] = "#2 type 3 0.0.0.0 AS64496 id a000001";

TEST(Station, TellsEveryMessage) {
  StationCounters counters;
  const Octets stream = testing::EveryMessage();
  const auto with = [](const char* before, const char* peer, const char* after) {
    return absl::StrCat(before, " ", peer, after);
  };
  EXPECT_THAT(
      ReceiveAll(stream, &counters),
      ElementsAre(
          "router 'r1' 'a router'", with("up", kIn, " local 192.0.2.1:179-40000 sent AS64500 received AS64496"),
          with("up", kRd, " local 2001:db8::1:179-40000 sent AS64500 received AS64496 table blue"),
          with("up", kLoc,
               " filtered local 192.0.2.1:179-40000 sent AS64500 received AS64500 table global label label"),
          with("update", kIn, " adj_rib_in -203.0.113.0/24 +198.51.100.0/24"),
          with("update", kIn, " adj_rib_in post -203.0.113.0/24 +198.51.100.0/24"),
          with("update", kIn, " adj_rib_out -203.0.113.0/24 +198.51.100.0/24"),
          with("update", kIn, " adj_rib_in -203.0.113.0/24 +198.51.100.0/24"),
          with("update", kRd, " adj_rib_in -203.0.113.0/24 path 9 +198.51.100.0/24 path 9"),
          with("update", kLoc, " loc_rib -203.0.113.0/24 +198.51.100.0/24"),
          with("update", kLoc, " loc_rib end of rib"),
          with("update", kIn, " adj_rib_in table red -203.0.113.0/24 path 9 +198.51.100.0/24 path 9"),
          with("statistics", kIn,
               " rejected_prefixes 5 adj_rib_in_routes 4294967296 family_adj_rib_in_routes 3 of 2/1"),
          with("mirrored", kIn, " 55 errored"), with("mirrored", kIn, " 0 lost"),
          with("down", kIn, ": the router closed the session with a NOTIFICATION, Cease: Administrative Shutdown"),
          with("down", kRd, ": the router closed the session without a NOTIFICATION, event 24"),
          HasSubstr("error unsupported at "), "termination: redundant connection 'bye'",
          with("down", kLoc, ": the stream of the router ended")));
  EXPECT_EQ(counters.octets, stream.size());
  EXPECT_EQ(counters.errors.errors(), 1u);
  EXPECT_EQ(counters.version4, 1u);
  EXPECT_EQ(counters.peers_up, 3u);
  EXPECT_EQ(counters.peers_down, 3u);
  EXPECT_EQ(counters.updates.faults, bgp::UpdateCounters().faults);
}

TEST(Station, TellsTheSameHoweverTheStreamIsSplit) {
  const Octets stream = testing::EveryMessage();
  const Lines whole = ReceiveAll(stream);
  for (size_t cut = 0; cut <= stream.size(); ++cut) {
    EventText text;
    Station station({}, &text);
    ASSERT_TRUE(station.Receive(base::Octets(stream).subspan(0, cut)));
    ASSERT_TRUE(station.Receive(base::Octets(stream).subspan(cut)));
    station.End();
    ASSERT_EQ(text.lines, whole) << cut;
  }
  for (const size_t step : {1, 2, 3, 5, 6, 7, 48, 100}) {
    EventText text;
    Station station({}, &text);
    for (size_t at = 0; at < stream.size(); at += step) {
      ASSERT_TRUE(station.Receive(base::Octets(stream).subspan(at, std::min(step, stream.size() - at))));
    }
    station.End();
    EXPECT_EQ(text.lines, whole) << step;
  }
}

// Each message cut at every octet, with a length that says so: the next one is read, if the stream can be followed.
TEST(Station, GoesOnBehindAMessageCutAtEveryOctet) {
  const Octets stream = testing::EveryMessage();
  const Octets last = testing::Message(MessageType::kInitiation, testing::Tlv16(2, "last"));
  for (size_t at = 0; at < stream.size();) {
    const size_t length = base::LoadBe32(stream.data() + at + 1);
    for (size_t cut = kCommonHeaderOctets; cut < length; ++cut) {
      Octets cut_stream(stream.begin() + at, stream.begin() + at + cut);
      base::StoreBe32(cut_stream.data() + 1, static_cast<uint32_t>(cut));
      EventText text;
      Station station({}, &text);
      const bool followed = station.Receive(Join({cut_stream, last}));
      ASSERT_EQ(followed, station.router_name() == "last");
      ASSERT_EQ(followed, !station.closed());
      // Only what cannot have a per-peer header ends the stream.
      if (!followed) {
        ASSERT_EQ(station.counters().errors[DecodeCode::kBadLength], 1u);
      }
      if (cut >= kCommonHeaderOctets + 62) {
        ASSERT_TRUE(followed) << at << " cut " << cut;
      }
    }
    at += length;
  }
}

TEST(Station, EndsAStreamThatCannotBeFollowed) {
  const Octets good = testing::Message(MessageType::kInitiation, testing::Tlv16(2, "r"));
  struct Case {
    const char* what;
    Octets octets;
    DecodeCode code;
  };
  const std::vector<Case> cases = {
      {"version 2", {2, 0, 0, 0, 6, 4}, DecodeCode::kBadVersion},
      {"HTTP", {'G', 'E', 'T', ' ', '/', ' '}, DecodeCode::kBadVersion},
      {"a length below the header's", {3, 0, 0, 0, 5, 4}, DecodeCode::kBadLength},
      {"a length beyond the bound", {3, 0, 0x10, 0, 1, 4}, DecodeCode::kLimitExceeded},
      {"a Route Monitoring without per-peer header", {3, 0, 0, 0, 47, 0}, DecodeCode::kBadLength},
  };
  for (const Case& c : cases) {
    EventText text;
    Station station({}, &text);
    EXPECT_FALSE(station.Receive(Join({good, c.octets, good}))) << c.what;
    EXPECT_FALSE(station.Receive(good));
    EXPECT_EQ(station.counters().errors[c.code], 1u) << c.what;
    EXPECT_EQ(station.counters().messages[static_cast<size_t>(MessageType::kInitiation)], 1u);
    station.End();
    EXPECT_TRUE(station.Receive(good)) << "a stream of its own";
  }
}

TEST(Station, TellsWhatIsMalformed) {
  const BuiltPeer peer = SomePeer();
  const Octets open = testing::OpenMessage(64496), keepalive = testing::BgpMessage(4, {});
  Octets bad_open = open;
  bad_open[19] = 3;  // version
  const std::string up = absl::StrCat("up ", kIn, " local 192.0.2.1:179-40000");
  const std::string untold = absl::StrCat("up ", kIn, " untold local :::0-0");
  const std::string down = absl::StrCat("down ", kIn, ": ");
  const std::string end = down + "the stream of the router ended";
  Octets behind = testing::RouteMonitoringMessage(peer, Join({testing::BgpMessage(2, Octets(4)), {1}}));
  struct Case {
    const char* what;
    Octets message;
    Lines expected;
  };
  const std::vector<Case> cases = {
      {"an OPEN of version 3",
       testing::PeerUpMessage(peer, open, bad_open),
       {absl::StrCat("error bad_value at 0+", 68 + open.size()), up + " sent AS64496", end}},
      {"a KEEPALIVE for an OPEN",
       testing::PeerUpMessage(peer, open, keepalive),
       {absl::StrCat("error bad_value at 0+", 68 + open.size() + 18)}},
      {"one OPEN", testing::PeerUpMessage(peer, open, {}), {absl::StrCat("error truncated at 0+", 68 + open.size())}},
      {"information cut",
       testing::PeerUpMessage(peer, open, open, Octets{0, 3, 0, 9}),
       {up + " sent AS64496 received AS64496", absl::StrCat("error trailing_octets at 0+", 68 + 2 * open.size()), end}},
      {"a KEEPALIVE monitored", testing::RouteMonitoringMessage(peer, keepalive), {"error bad_value at 0+66"}},
      {"an octet behind the UPDATE",
       behind,
       {untold, absl::StrCat("update ", kIn, " adj_rib_in end of rib"), "error trailing_octets at 0+71", end}},
      {"statistics, one of two",
       [&] {
         Octets m = testing::StatisticsMessage(peer, {{0, {0, 0, 0, 1}}});
         m[51] = 2;
         return m;
       }(),
       {untold, absl::StrCat("statistics ", kIn, " rejected_prefixes 1"), "error bad_count at 0+48", end}},
      {"Peer Down of nobody", testing::PeerDownMessage(peer, 4, {}), {}},
      {"version 4 without a message",
       testing::PeerMessage(MessageType::kRouteMonitoring, peer, Octets{0, 3, 0, 1, 0, 0, 'x'}, kVersion4),
       {"error bad_value at 0+48"}},
      {"version 4 with a TLV cut",
       testing::PeerMessage(MessageType::kRouteMonitoring, peer, Octets{0, 3, 0, 2, 0, 0, 'x'}, kVersion4),
       {"error bad_length at 0+48"}},
  };
  for (const Case& c : cases) {
    Lines lines = ReceiveAll(c.message), expected = c.expected;
    std::sort(lines.begin(), lines.end());
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(lines, expected) << c.what;
  }
  // A peer that is down is down, whatever the data.
  const Octets peer_up = testing::PeerUpMessage(peer, open, open);
  for (const auto& [reason, data, text] : std::vector<std::tuple<uint8_t, Octets, std::string>>{
           {1, {1, 2}, "the router closed the session with a NOTIFICATION"},
           {3, keepalive, "the peer closed the session with a NOTIFICATION"},
           {2, {0}, "the router closed the session without a NOTIFICATION"},
           {77, {}, ""}}) {
    const Lines lines = ReceiveAll(Join({peer_up, testing::PeerDownMessage(peer, reason, data)}));
    ASSERT_GE(lines.size(), 2u);
    EXPECT_EQ(lines[1], down + text);
    EXPECT_EQ(lines.size(), reason == 77 ? 2u : 3u);
  }
}

TEST(Station, ReadsAddPathInTheDirectionOfTheRib) {
  const bgp::FamilySet v4 = bgp::FamilySet().Add(bgp::Family::kIpv4Unicast);
  const auto open = [&](bgp::FamilySet send, bgp::FamilySet receive) {
    bgp::Open o;
    o.as = 64496;
    o.as4 = true;
    o.bgp_identifier = 1;
    o.families = v4;
    o.add_path_send = send;
    o.add_path_receive = receive;
    base::OctetWriter out;
    bgp::WriteOpen(o, &out);
    return Octets(out.octets().begin(), out.octets().end());
  };
  bgp::SessionContext with;
  with.add_path = v4;
  bgp::testing::UpdateBuilder plain, path(with);
  for (auto* b : {&plain, &path}) {
    b->Origin(0).AsPath({1}).NextHop("192.0.2.2").Announce({bgp::testing::PrefixOf("198.51.100.0/24"), 9, 0, {}});
  }
  const Octets plain_update(plain.Message().begin(), plain.Message().end());
  const Octets path_update(path.Message().begin(), path.Message().end());
  BuiltPeer in = SomePeer(), out = in;
  out.flags = 0x10;
  // The router sends several paths, the peer does not.
  const Lines lines = ReceiveAll(
      Join({testing::PeerUpMessage(in, open(v4, {}), open({}, v4)), testing::RouteMonitoringMessage(in, plain_update),
            testing::RouteMonitoringMessage(out, path_update), testing::PeerUpMessage(in, open({}, v4), open(v4, {})),
            testing::RouteMonitoringMessage(in, path_update), testing::RouteMonitoringMessage(out, plain_update)}));
  ASSERT_EQ(lines.size(), 7u);
  EXPECT_THAT(lines[1], HasSubstr("adj_rib_in +198.51.100.0/24"));
  EXPECT_THAT(lines[2], HasSubstr("adj_rib_out +198.51.100.0/24 path 9"));
  EXPECT_THAT(lines[3], HasSubstr("repeated"));
  EXPECT_THAT(lines[4], HasSubstr("adj_rib_in +198.51.100.0/24 path 9"));
  EXPECT_THAT(lines[5], HasSubstr("adj_rib_out +198.51.100.0/24"));
}

TEST(Station, TriesAsNumbersOfTwoOctets) {
  bgp::SessionContext two;
  two.as4 = false;
  bgp::testing::UpdateBuilder b(two);
  b.Origin(0).AsPath({64496, 64497, 64498}).NextHop("192.0.2.2").Announce("198.51.100.0/24");
  StationCounters counters;
  const Lines lines = ReceiveAll(testing::RouteMonitoringMessage(SomePeer(), b.Message()), &counters);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_THAT(lines[1], HasSubstr(" +198.51.100.0/24"));
  EXPECT_EQ(counters.as2_tried, 1u);
}

// As FRR has them after policy, and GoBGP of its own.
TEST(Station, TellsRoutesThatLackAttributes) {
  bgp::testing::UpdateBuilder no_hop, no_path;
  no_hop.Origin(0).AsPath({64496}).Announce("198.51.100.0/24");
  no_path.Origin(0).NextHop("192.0.2.2").Announce("203.0.113.0/24");
  StationCounters counters;
  const Lines lines = ReceiveAll(Join({testing::RouteMonitoringMessage(SomePeer(), no_hop.Message()),
                                       testing::RouteMonitoringMessage(SomePeer(), no_path.Message())}),
                                 &counters);
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_THAT(lines[1], HasSubstr(" +198.51.100.0/24"));
  EXPECT_THAT(lines[2], HasSubstr(" +203.0.113.0/24"));
  EXPECT_EQ(counters.updates.faults[static_cast<size_t>(bgp::UpdateFault::kMissing)], 2u);
}

TEST(Station, BoundsPeers) {
  StationOptions options;
  options.max_peers = 3;
  options.max_name_octets = 4;
  EventText text;
  Station station(options, &text);
  const Octets open = testing::OpenMessage(64496);
  for (uint32_t i = 0; i < 10; ++i) {
    BuiltPeer peer = SomePeer();
    peer.distinguisher = i;
    ASSERT_TRUE(station.Receive(testing::PeerUpMessage(peer, open, open)));
  }
  EXPECT_EQ(station.peers(), 3u);
  EXPECT_EQ(station.counters().peers_refused, 7u);
  // The place of one that is down is the next one's.
  BuiltPeer peer = SomePeer();
  peer.distinguisher = 1;
  ASSERT_TRUE(station.Receive(testing::PeerDownMessage(peer, 4, {})));
  peer.distinguisher = 100;
  ASSERT_TRUE(station.Receive(testing::PeerUpMessage(peer, open, open)));
  EXPECT_THAT(text.lines.back(), HasSubstr("up #1 "));
  ASSERT_TRUE(station.Receive(testing::Message(MessageType::kInitiation, testing::Tlv16(2, "router"))));
  EXPECT_EQ(station.router_name(), "rout");
}

TEST(Station, DoesNotAllocateAnUpdate) {
  FLOWACCT_REQUIRE_ALLOCATION_COUNT();
  Listener silent;
  Station station({}, &silent);
  bgp::testing::UpdateBuilder b;
  b.Origin(0).AsPath({64496, 64497}).NextHop("192.0.2.2").Announce("198.51.100.0/24");
  const BuiltPeer peer = SomePeer();
  const Octets message = testing::RouteMonitoringMessage(peer, b.Message());
  ASSERT_TRUE(station.Receive(message));
  const flowacct::testing::AllocationCounter counter;
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(station.Receive(message));
  EXPECT_EQ(counter.allocations(), 0);
}

}  // namespace
}  // namespace flowacct::bmp
