#include "flowacct/collector/routing/monitored_router.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/bgp/testing/update_builder.h"
#include "flowacct/bmp/testing/message_builder.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

using bgp::Family;
using bgp::testing::AddressOf;
using bgp::testing::UpdateBuilder;
using bmp::MessageType;
using bmp::testing::BuiltPeer;
using bmp::testing::Octets;
using bmp::testing::OpenMessage;

constexpr uint8_t kPostPolicy = 0x40, kOut = 0x10;

BuiltPeer Neighbour(absl::string_view address, uint8_t flags = 0, uint32_t as = 64496) {
  BuiltPeer peer;
  peer.address = AddressOf(address);
  peer.flags = flags;
  peer.as = as;
  return peer;
}
BuiltPeer LocRib(uint64_t rd = 0) {
  BuiltPeer peer;
  peer.type = bmp::PeerType::kLocRibInstance;
  peer.distinguisher = rd;
  peer.as = 64500;
  peer.bgp_identifier = 0xc0000264;  // 192.0.2.100
  return peer;
}

Octets Up(const BuiltPeer& peer, absl::string_view table = "") {
  return bmp::testing::PeerUpMessage(peer, OpenMessage(64500), OpenMessage(peer.as),
                                     table.empty() ? Octets() : bmp::testing::Tlv16(3, table));
}
Octets Announce(const BuiltPeer& peer, const std::vector<std::string>& prefixes, uint32_t as = 7) {
  UpdateBuilder update;
  update.Origin(0).AsPath({as}).NextHop("203.0.113.1");
  for (const std::string& prefix : prefixes) update.Announce(prefix);
  return bmp::testing::RouteMonitoringMessage(peer, update.Message());
}
// Of all that the OPENs agreed on for IPv4.
Octets EndOfRib(const BuiltPeer& peer) {
  UpdateBuilder unicast, labelled, vpn;
  labelled.MpUnreach(Family::kLabelledIpv4);
  vpn.MpUnreach(Family::kVpnIpv4);
  return bmp::testing::Join({bmp::testing::RouteMonitoringMessage(peer, unicast.Message()),
                             bmp::testing::RouteMonitoringMessage(peer, labelled.Message()),
                             bmp::testing::RouteMonitoringMessage(peer, vpn.Message())});
}
Octets Initiation() {
  return bmp::testing::Message(MessageType::kInitiation, bmp::testing::Join({bmp::testing::Tlv16(1, "an \x1b[31mOS"),
                                                                             bmp::testing::Tlv16(2, "r1")}));
}

class MonitoredRouterTest : public testing::Test {
 protected:
  MonitoredRouterTest() { Make(RoutingOptions()); }
  void Make(const RoutingOptions& options) {
    router_.reset();
    options_ = options;
    book_ = std::make_unique<PeerBook>(options_);
    Connect();
  }
  void Connect() {
    router_ = std::make_unique<MonitoredRouter>(AddressOf("192.0.2.1"), 1234, options_, book_.get(), observers_, now_);
  }
  bool Receive(const std::vector<Octets>& messages) {
    return router_->Receive(base::Octets(bmp::testing::Join(messages)), now_);
  }
  void Settle() {
    while (book_->rib().Reclaim(1000)) {
    }
    now_ += absl::Seconds(2);
    book_->Tick(now_);
  }
  // What an exporter's look-up goes through: "loc_rib 192.0.2.1 10.0.0.0/8=7, ..." of each table its IPv4 routes, and
  // "~" behind those that are stale.
  std::string Answers(absl::string_view exporter, uint64_t rd = 0) {
    Settle();
    std::string text;
    const rib::RibReader reader(&book_->rib());
    for (const rib::TableChoice& choice : book_->directory().Get()->Find(AddressOf(exporter), rd)) {
      for (const PeerBook::Peer* peer : book_->Peers()) {
        const auto table = peer->distinguished().find(rd);
        if (table == peer->distinguished().end() || table->second != choice.table) continue;
        absl::StrAppend(&text, text.empty() ? "" : ", ", std::string(rib::RibViewName(peer->key.view)), " ",
                        peer->key.address.ToString());
      }
      reader.Walk(choice.table, false, nullptr, [&](const base::IpPrefix& prefix, const rib::RouteView& route, bool) {
        absl::StrAppend(&text, " ", prefix.ToString(), "=",
                        bgp::AttributeSetView(route.octets).as_path().origin_as().value_or(0), route.stale ? "~" : "");
        return true;
      });
    }
    return text;
  }

  RoutingOptions options_;
  std::vector<RoutingObserver*> observers_;
  std::unique_ptr<PeerBook> book_;
  std::unique_ptr<MonitoredRouter> router_;
  absl::Time now_ = absl::FromUnixSeconds(1700000000);
};

TEST(PrintableText, HasNothingThatATerminalObeys) {
  EXPECT_EQ(PrintableText("r1\x1b[2J\n\x7f."), "r1 [2J  .");
  EXPECT_EQ(PrintableText("r1\u009b2J\u0080\u009f"), "r1 2J  ");
  EXPECT_EQ(PrintableText("\u00a0\u00db\xc2"), "\u00a0\u00db\xc2");  // alike in octets
}

TEST_F(MonitoredRouterTest, EachTableIsAPeerOfItsOwn) {
  const uint64_t red = uint64_t{64496} << 32 | 7;
  BuiltPeer vrf = Neighbour("198.51.100.3");
  vrf.type = bmp::PeerType::kRdInstance;
  vrf.distinguisher = red;
  ASSERT_TRUE(Receive({Initiation(), Up(LocRib(), "global"), Up(Neighbour("198.51.100.2")), Up(vrf),
                       Announce(LocRib(), {"10.0.0.0/8"}, 1), Announce(Neighbour("198.51.100.2"), {"10.0.0.0/8"}, 2),
                       Announce(Neighbour("198.51.100.2", kOut | kPostPolicy), {"10.0.0.0/8"}, 3),
                       Announce(vrf, {"10.0.0.0/8"}, 4)}));
  const std::string global =
      "loc_rib 192.0.2.1 10.0.0.0/8=1, adj_rib_in_pre 198.51.100.2 10.0.0.0/8=2, "
      "adj_rib_out_post 198.51.100.2 10.0.0.0/8=3";
  EXPECT_EQ(Answers("192.0.2.1"), global);
  EXPECT_EQ(Answers("192.0.2.1", red), "adj_rib_in_pre 198.51.100.3 10.0.0.0/8=4");
  // Flows may tell the router's BGP identifier; its neighbours' traffic is not its own.
  EXPECT_EQ(Answers("192.0.2.100"), "loc_rib 192.0.2.1 10.0.0.0/8=1");
  EXPECT_EQ(Answers("198.51.100.2"), "");

  const RoutingRouter told = router_->Tell();
  EXPECT_EQ(told.name, "r1");
  EXPECT_EQ(told.description, "an  [31mOS");
  EXPECT_EQ(told.bgp_identifier, 0xc0000264u);
  ASSERT_EQ(told.neighbours.size(), 3u);
  EXPECT_EQ(told.neighbours[2].table_name, "global");
  EXPECT_EQ(book_->told_peers(), 4u);
  EXPECT_EQ(book_->established(), 0u);
}

TEST_F(MonitoredRouterTest, AfterPolicyIsTruerThanBeforeIt) {
  ASSERT_TRUE(
      Receive({Up(Neighbour("198.51.100.2")), Announce(Neighbour("198.51.100.2"), {"10.0.0.0/8", "11.0.0.0/8"})}));
  EXPECT_EQ(Answers("192.0.2.1"), "adj_rib_in_pre 198.51.100.2 10.0.0.0/8=7 11.0.0.0/8=7");
  ASSERT_TRUE(Receive({Announce(Neighbour("198.51.100.2", kPostPolicy), {"10.0.0.0/8"}, 8)}));
  EXPECT_EQ(Answers("192.0.2.1"), "adj_rib_in_post 198.51.100.2 10.0.0.0/8=8");
}

TEST_F(MonitoredRouterTest, ANeighbourThatIsDownHasNoRoutes) {
  ASSERT_TRUE(
      Receive({Up(Neighbour("198.51.100.2")), Up(Neighbour("198.51.100.3")),
               Announce(Neighbour("198.51.100.2"), {"10.0.0.0/8"}), Announce(Neighbour("198.51.100.3"), {"11.0.0.0/8"}),
               bmp::testing::PeerDownMessage(Neighbour("198.51.100.2"), 4, Octets())}));
  EXPECT_EQ(Answers("192.0.2.1"), "adj_rib_in_pre 198.51.100.3 11.0.0.0/8=7");
  EXPECT_EQ(router_->Tell().neighbours.size(), 1u);
}

TEST_F(MonitoredRouterTest, RoutesOutliveTheStreamUntilTheNextConfirmsThem) {
  const BuiltPeer peer = Neighbour("198.51.100.2");
  ASSERT_TRUE(Receive({Up(peer), Announce(peer, {"10.0.0.0/8", "11.0.0.0/8"})}));
  router_->End("lost", absl::Minutes(2), now_);
  EXPECT_EQ(Answers("192.0.2.1"), "adj_rib_in_pre 198.51.100.2 10.0.0.0/8=7~ 11.0.0.0/8=7~");
  Connect();
  ASSERT_TRUE(Receive({Up(peer), Announce(peer, {"10.0.0.0/8"}, 9)}));
  EXPECT_EQ(Answers("192.0.2.1"), "adj_rib_in_pre 198.51.100.2 10.0.0.0/8=9 11.0.0.0/8=7~");
  ASSERT_TRUE(Receive({EndOfRib(peer)}));
  EXPECT_EQ(Answers("192.0.2.1"), "adj_rib_in_pre 198.51.100.2 10.0.0.0/8=9");
  router_->End("lost", absl::Minutes(2), now_);
  now_ += absl::Minutes(3);
  EXPECT_EQ(Answers("192.0.2.1"), "");
  EXPECT_EQ(book_->Peers().size(), 0u);
}

TEST_F(MonitoredRouterTest, APeerUpThatIsRepeatedBeginsAnew) {
  const BuiltPeer peer = Neighbour("198.51.100.2");
  ASSERT_TRUE(Receive({Up(peer), Announce(peer, {"10.0.0.0/8"}), Up(peer), Announce(peer, {"11.0.0.0/8"})}));
  EXPECT_EQ(Answers("192.0.2.1"), "adj_rib_in_pre 198.51.100.2 10.0.0.0/8=7~ 11.0.0.0/8=7");
  ASSERT_TRUE(Receive({EndOfRib(peer)}));
  EXPECT_EQ(Answers("192.0.2.1"), "adj_rib_in_pre 198.51.100.2 11.0.0.0/8=7");
}

TEST_F(MonitoredRouterTest, TablesBeyondTheBoundAreRefusedAndCounted) {
  RoutingOptions options;
  options.max_told_peers = 2;
  Make(options);
  const BuiltPeer peer = Neighbour("198.51.100.2"), post = Neighbour("198.51.100.2", kPostPolicy),
                  out = Neighbour("198.51.100.2", kOut);
  ASSERT_TRUE(Receive({Up(peer), Announce(peer, {"10.0.0.0/8"}), Announce(post, {"10.0.0.0/8"}),
                       Announce(out, {"10.0.0.0/8"}), Announce(out, {"11.0.0.0/8"})}));
  EXPECT_EQ(router_->Tell().refused_updates, 2u);
  EXPECT_EQ(book_->told_peers(), 2u);
  router_->End("", absl::ZeroDuration(), now_);
  EXPECT_EQ(book_->told_peers(), 0u);
}

// Two that are told apart on the wire, and are one here: the second is refused, and leaves nothing behind.
TEST_F(MonitoredRouterTest, NeighboursThatAreOneHereAreNotMixed) {
  BuiltPeer global = Neighbour("198.51.100.2"), local = global;
  local.type = bmp::PeerType::kLocalInstance;
  ASSERT_TRUE(Receive({Up(global), Announce(global, {"10.0.0.0/8"}), Up(local), Announce(local, {"11.0.0.0/8"}),
                       bmp::testing::PeerDownMessage(global, 4, Octets()), Announce(local, {"12.0.0.0/8"})}));
  EXPECT_EQ(router_->Tell().refused_updates, 1u);
  EXPECT_EQ(Answers("192.0.2.1"), "adj_rib_in_pre 198.51.100.2 12.0.0.0/8=7");
  EXPECT_EQ(book_->told_peers(), 1u);
  BuiltPeer one = LocRib(), two = LocRib();
  two.address = AddressOf("0.0.0.9");
  ASSERT_TRUE(Receive({Up(one), Announce(one, {"10.0.0.0/8"}), Up(two), Announce(two, {"10.0.0.0/8"}),
                       bmp::testing::PeerDownMessage(one, 6, Octets()), Announce(two, {"10.0.0.0/8"}, 9)}));
  router_->End("", absl::ZeroDuration(), now_);
  EXPECT_EQ(book_->told_peers(), 0u);
}

TEST_F(MonitoredRouterTest, ARouterDoesNotTakeAllTables) {
  RoutingOptions options;
  options.max_tables_of_router = 2;
  Make(options);
  const BuiltPeer peer = Neighbour("198.51.100.2"), post = Neighbour("198.51.100.2", kPostPolicy),
                  out = Neighbour("198.51.100.2", kOut);
  ASSERT_TRUE(Receive(
      {Up(peer), Announce(peer, {"10.0.0.0/8"}), Announce(post, {"10.0.0.0/8"}), Announce(out, {"10.0.0.0/8"})}));
  EXPECT_EQ(router_->Tell().refused_updates, 1u);
  ASSERT_TRUE(Receive({Up(Neighbour("198.51.100.3")), Up(Neighbour("198.51.100.4"))}));
  EXPECT_EQ(router_->Tell().neighbours.size(), 2u);
}

// A mapped router's neighbours answer as they do for itself.
TEST_F(MonitoredRouterTest, NeighboursAnswerTogetherForOthersToo) {
  RoutingOptions options;
  options.mapped = {{*base::IpPrefix::Parse("192.0.2.77/32"), AddressOf("192.0.2.1")}};
  options.reflectors = {AddressOf("192.0.2.1")};
  Make(options);
  const BuiltPeer one = Neighbour("198.51.100.2"), two = Neighbour("198.51.100.3");
  ASSERT_TRUE(Receive({Up(one), Up(two), Announce(one, {"10.0.0.0/8"}), Announce(two, {"10.0.0.0/8"})}));
  Settle();
  for (const char* exporter : {"192.0.2.1", "192.0.2.77", "192.0.2.99"}) {
    const rib::TableChoices choices = book_->directory().Get()->Find(AddressOf(exporter), 0);
    ASSERT_GE(choices.size(), 2u) << exporter;
    EXPECT_NE(choices[0].group, 0u) << exporter;
    EXPECT_EQ(choices[0].group, choices[1].group) << exporter;
  }
  // Whose own they are, and those for all, are apart.
  const rib::TableChoices choices = book_->directory().Get()->Find(AddressOf("192.0.2.1"), 0);
  ASSERT_EQ(choices.size(), 4u);
  EXPECT_NE(choices[1].group, choices[2].group);
}

// What is kept until a router has told it again is kept for as long as BMP is asked for, not BGP.
TEST_F(MonitoredRouterTest, KeepsStaleRoutesForItsOwnTime) {
  RoutingOptions options;
  options.stale_for = absl::ZeroDuration();
  options.bmp_stale_for = absl::Minutes(10);
  Make(options);
  const BuiltPeer peer = Neighbour("198.51.100.2");
  ASSERT_TRUE(Receive({Up(peer), Announce(peer, {"10.0.0.0/8", "11.0.0.0/8"})}));
  router_->End("lost", options.bmp_stale_for, now_);
  Connect();
  ASSERT_TRUE(Receive({Up(peer), Announce(peer, {"10.0.0.0/8"})}));
  now_ += absl::Minutes(5);
  EXPECT_EQ(Answers("192.0.2.1"), "adj_rib_in_pre 198.51.100.2 10.0.0.0/8=7 11.0.0.0/8=7~");
  now_ += absl::Minutes(6);
  Settle();  // the sweep begins
  EXPECT_EQ(Answers("192.0.2.1"), "adj_rib_in_pre 198.51.100.2 10.0.0.0/8=7");
}

TEST_F(MonitoredRouterTest, KeepsTheLastStatistics) {
  const BuiltPeer peer = Neighbour("198.51.100.2");
  const auto report = [&](uint8_t value) {
    return bmp::testing::StatisticsMessage(peer, {{0, {0, 0, 0, value}}, {7, {0, 0, 0, 0, 0, 0, 0, value}}});
  };
  ASSERT_TRUE(Receive({Up(peer), report(1), report(9)}));
  const std::vector<RoutingNeighbour> neighbours = router_->Tell().neighbours;
  ASSERT_EQ(neighbours.size(), 1u);
  ASSERT_EQ(neighbours[0].statistics.size(), 2u);
  EXPECT_EQ(neighbours[0].statistics[1].value, 9u);
}

// Whatever a stream holds, and wherever it ends, nobody is left behind.
TEST_F(MonitoredRouterTest, DamagedStreamsLeaveNothingBehind) {
  const Octets all = bmp::testing::EveryMessage();
  std::mt19937 random(3);
  for (size_t cut = 0; cut <= all.size(); ++cut) {
    Octets octets(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(cut));
    if (!octets.empty()) octets[random() % octets.size()] ^= static_cast<uint8_t>(1 << random() % 8);
    Connect();
    router_->Receive(base::Octets(octets), now_);
    router_->End("cut", absl::ZeroDuration(), now_);
    ASSERT_EQ(book_->told_peers(), 0u) << cut;
    ASSERT_EQ(book_->Peers().size(), 0u) << cut;
    ASSERT_EQ(router_->Tell().neighbours.size(), 0u) << cut;
  }
}

}  // namespace
}  // namespace flowacct::collector
