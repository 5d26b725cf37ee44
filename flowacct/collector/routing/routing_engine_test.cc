#include "flowacct/collector/routing/routing_engine.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/bgp/message_writer.h"
#include "flowacct/bgp/testing/update_builder.h"
#include "flowacct/collector/routing/peer_listener.h"
#include "flowacct/collector/routing/testing/scripted_peer.h"
#include "flowacct/collector/socket/testing/network_namespace.h"

namespace flowacct::collector {
namespace {

using bgp::Family;
using bgp::testing::AddressOf;
using bgp::testing::PrefixOf;
using bgp::testing::UpdateBuilder;

RoutingOptions LoopbackOptions() {
  RoutingOptions options;
  options.listen = {"tcp://127.0.0.1:0", "tcp://[::1]:0"};
  options.bgp_identifier = 0x0a0a0a0a;
  // Tests connect often, and all from one address.
  options.connections_per_minute = options.connection_burst = 60000;
  return options;
}

std::unique_ptr<RoutingEngine> StartEngine(const RoutingOptions& options) {
  absl::StatusOr<std::unique_ptr<RoutingEngine>> engine = RoutingEngine::New(options);
  EXPECT_TRUE(engine.ok()) << engine.status();
  if (!engine.ok()) return nullptr;
  (*engine)->Start();
  return *std::move(engine);
}

void Announce(ScriptedPeer& peer, const std::vector<std::string>& prefixes, uint32_t med = 0) {
  UpdateBuilder builder(peer.context());
  builder.Origin(0).AsPath({64501, 64502}).NextHop("192.0.2.1");
  if (med != 0) builder.Med(med);
  for (const std::string& prefix : prefixes) builder.Announce(prefix);
  EXPECT_TRUE(peer.Send(builder.Message()));
}

void Withdraw(ScriptedPeer& peer, const std::vector<std::string>& prefixes) {
  UpdateBuilder builder(peer.context());
  for (const std::string& prefix : prefixes) builder.Withdraw(prefix);
  EXPECT_TRUE(peer.Send(builder.Message()));
}

constexpr char kPlain[] = "igp as_path 64501 64502 next_hop 192.0.2.1";

class EachFamily : public testing::TestWithParam<bool> {
 protected:
  const char* own() const { return GetParam() ? "::1" : "127.0.0.1"; }
  const Endpoint& endpoint(const RoutingEngine& engine) const { return engine.endpoints()[GetParam()]; }
};
INSTANTIATE_TEST_SUITE_P(, EachFamily, testing::Bool(),
                         [](const auto& info) { return info.param ? std::string("Ipv6") : std::string("Ipv4"); });

TEST_P(EachFamily, WhatAPeerAnnouncesIsSeen) {
  auto engine = StartEngine(LoopbackOptions());
  ScriptedPeer peer(endpoint(*engine));
  ASSERT_TRUE(peer.Establish(ScriptedOpen(0xc0000201)));
  EXPECT_EQ(peer.engines_open().as, 64500u);
  EXPECT_EQ(peer.engines_open().bgp_identifier, 0x0a0a0a0au);
  Announce(peer, {"198.51.100.0/24", "203.0.113.0/24"});
  UpdateBuilder v6(peer.context());
  v6.Origin(1).AsPath({7}).MpReach(Family::kIpv6Unicast, base::Octets(AddressOf("2001:db8::1").octets()));
  v6.MpAnnounce({PrefixOf("2001:db8:1::/48"), 0, 0, {}});
  peer.Send(v6.Message());
  RouteTexts expected = {{"198.51.100.0/24", kPlain},
                         {"203.0.113.0/24", kPlain},
                         {"2001:db8:1::/48", "egp as_path 7 next_hop 2001:db8::1"}};
  ASSERT_TRUE(Eventually([&] { return RoutesOf(*engine, own()).size() == 3; }));
  EXPECT_EQ(RoutesOf(*engine, own()), expected);
  // Its BGP identifier is as good as its address.
  EXPECT_EQ(RoutesOf(*engine, "192.0.2.1"), expected);
  EXPECT_EQ(RoutesOf(*engine, "192.0.2.2").size(), 0u);

  Withdraw(peer, {"198.51.100.0/24"});
  Announce(peer, {"203.0.113.0/24"}, 5);
  expected.erase("198.51.100.0/24");
  expected["203.0.113.0/24"] = absl::StrCat(kPlain, " med 5");
  EXPECT_TRUE(Eventually([&] { return RoutesOf(*engine, own()) == expected; }));

  peer.SendEndOfRib(Family::kIpv4Unicast);
  ASSERT_TRUE(Eventually([&] { return PeerOf(*engine, own()).complete.Has(Family::kIpv4Unicast); }));
  const RoutingPeer told = PeerOf(*engine, own());
  EXPECT_EQ(told.state, bgp::SessionState::kEstablished);
  EXPECT_EQ(told.as, 64500u);
  EXPECT_EQ(told.bgp_identifier, 0xc0000201u);
  EXPECT_EQ(told.hold_time, absl::Seconds(90));
  EXPECT_TRUE(told.agreed.as4 && told.agreed.extended_message && !told.agreed.external);
  EXPECT_EQ(told.agreed.families, ScriptedOpen(1).families);
  EXPECT_EQ(told.sessions, 1u);
  EXPECT_EQ(told.tables, 1u);
  EXPECT_EQ(told.v4.routes, 1u);
  EXPECT_EQ(told.v4.announcements, 3u);
  EXPECT_EQ(told.v4.withdrawals, 1u);
  EXPECT_EQ(told.v4.replaced, 1u);
  EXPECT_EQ(told.v6.routes, 1u);
  EXPECT_EQ(told.counters.received[static_cast<size_t>(bgp::MessageType::kUpdate)], 5u);
  EXPECT_EQ(told.counters.updates.announced[0], 3u);
  EXPECT_EQ(told.counters.updates.end_of_rib[0], 1u);
  EXPECT_FALSE(told.stale());
  EXPECT_EQ(told.interface, "");
}

TEST_P(EachFamily, RoutesOutliveTheirSessionUntilEndOfRib) {
  auto engine = StartEngine(LoopbackOptions());
  bgp::Open open = ScriptedOpen(0xc0000201);
  open.families = bgp::FamilySet().Add(Family::kIpv4Unicast).Add(Family::kVpnIpv4);
  {
    ScriptedPeer peer(endpoint(*engine));
    ASSERT_TRUE(peer.Establish(open));
    Announce(peer, {"198.51.100.0/24", "203.0.113.0/24"});
    ASSERT_TRUE(Eventually([&] { return RoutesOf(*engine, own()).size() == 2; }));
    peer.Reset();
  }
  const RouteTexts stale = {{"198.51.100.0/24", absl::StrCat(kPlain, " stale")},
                            {"203.0.113.0/24", absl::StrCat(kPlain, " stale")}};
  ASSERT_TRUE(Eventually([&] { return RoutesOf(*engine, own()) == stale; }));
  RoutingPeer told = PeerOf(*engine, own());
  EXPECT_EQ(told.state, bgp::SessionState::kIdle);
  EXPECT_TRUE(told.stale());
  EXPECT_EQ(told.v4.stale, 2u);
  ASSERT_TRUE(told.last_end.has_value());
  EXPECT_EQ(told.last_end->cause, bgp::CloseCause::kConnectionLost);
  EXPECT_TRUE(told.last_end->was_established);

  ScriptedPeer peer(endpoint(*engine));
  ASSERT_TRUE(peer.Establish(open));
  Announce(peer, {"203.0.113.0/24"});
  RouteTexts half = stale;
  half["203.0.113.0/24"] = kPlain;
  ASSERT_TRUE(Eventually([&] { return RoutesOf(*engine, own()) == half; }));
  // The VPN's routes are of the same address family: they may still come.
  peer.SendEndOfRib(Family::kIpv4Unicast);
  ASSERT_TRUE(Eventually([&] { return PeerOf(*engine, own()).complete.Has(Family::kIpv4Unicast); }));
  EXPECT_EQ(RoutesOf(*engine, own()), half);
  peer.SendEndOfRib(Family::kVpnIpv4);
  const RouteTexts fresh = {{"203.0.113.0/24", kPlain}};
  EXPECT_TRUE(Eventually([&] { return RoutesOf(*engine, own()) == fresh; }));
  told = PeerOf(*engine, own());
  EXPECT_EQ(told.sessions, 2u);
  EXPECT_EQ(told.v4.swept, 1u);
  EXPECT_FALSE(told.stale());
  EXPECT_EQ(told.stale_until, absl::InfiniteFuture());
  // Counters go on where the last session left them.
  EXPECT_EQ(told.counters.updates.announced[0], 3u);
}

TEST_P(EachFamily, StaleRoutesHaveTheirTime) {
  RoutingOptions options = LoopbackOptions();
  options.stale_for = absl::Milliseconds(300);
  auto engine = StartEngine(options);
  {
    ScriptedPeer peer(endpoint(*engine));
    ASSERT_TRUE(peer.Establish(ScriptedOpen(1)));
    Announce(peer, {"198.51.100.0/24"});
    ASSERT_TRUE(Eventually([&] { return !RoutesOf(*engine, own()).empty(); }));
  }
  ASSERT_TRUE(Eventually([&] { return PeerOf(*engine, own()).stale(); }));
  EXPECT_TRUE(Eventually([&] { return RoutesOf(*engine, own()).empty(); }));
  EXPECT_TRUE(Eventually([&] { return engine->Status()->peers.empty(); }));
  EXPECT_TRUE(Eventually([&] { return engine->Status()->attribute_sets == 0; }));

  // A new session without End-of-RIB has as long to confirm them.
  for (const bool again : {false, true}) {
    ScriptedPeer peer(endpoint(*engine));
    ASSERT_TRUE(peer.Establish(ScriptedOpen(1)));
    if (!again) {
      Announce(peer, {"198.51.100.0/24"});
      ASSERT_TRUE(Eventually([&] { return !RoutesOf(*engine, own()).empty(); }));
      continue;
    }
    EXPECT_TRUE(Eventually([&] { return PeerOf(*engine, own()).v4.swept == 1; }));
    EXPECT_EQ(PeerOf(*engine, own()).state, bgp::SessionState::kEstablished);
  }
}

TEST_P(EachFamily, AHardResetLeavesNothing) {
  auto engine = StartEngine(LoopbackOptions());
  bgp::Open open = ScriptedOpen(1);
  open.graceful_restart->notification = true;
  ScriptedPeer peer(endpoint(*engine));
  ASSERT_TRUE(peer.Establish(open));
  Announce(peer, {"198.51.100.0/24"});
  ASSERT_TRUE(Eventually([&] { return !RoutesOf(*engine, own()).empty(); }));
  base::OctetWriter out;
  bgp::WriteNotification(bgp::NotificationOf(bgp::NotificationCode::kHardReset), &out);
  peer.Send(out.octets());
  EXPECT_TRUE(Eventually([&] { return engine->Status()->peers.empty(); }));
  EXPECT_TRUE(RoutesOf(*engine, own()).empty());
}

TEST_P(EachFamily, StopTellsPeersWhy) {
  auto engine = StartEngine(LoopbackOptions());
  ScriptedPeer established(endpoint(*engine)), pending(endpoint(*engine));
  ASSERT_TRUE(established.Establish(ScriptedOpen(1)));
  Announce(established, {"198.51.100.0/24"});
  ASSERT_TRUE(Eventually([&] { return !RoutesOf(*engine, own()).empty(); }));
  const absl::Time begun = absl::Now();
  std::thread reader([&] {
    EXPECT_EQ(established.ReceiveNotification(), "6/2 new software");
    established.Close();
    EXPECT_EQ(pending.ReceiveNotification(), "6/2 new software");
    pending.Close();
  });
  engine->Stop("new software");
  reader.join();
  EXPECT_LT(absl::Now() - begun, absl::Seconds(3));
  const auto status = engine->Status();
  EXPECT_FALSE(status->running);
  EXPECT_EQ(status->established, 0u);
  EXPECT_EQ(status->recent_ends.back().text, "sent Cease: Administrative Shutdown: new software");
  EXPECT_EQ(engine->Call([](PeerBook&) { FAIL(); }).code(), absl::StatusCode::kFailedPrecondition);
  // Flows on their way are joined to the end.
  EXPECT_EQ(RoutesOf(*engine, own()).size(), 1u);
  engine->Stop();
}

TEST_P(EachFamily, VpnRoutesHaveTheirOwnTables) {
  auto engine = StartEngine(LoopbackOptions());
  ScriptedPeer peer(endpoint(*engine));
  ASSERT_TRUE(peer.Establish(ScriptedOpen(1)));
  const uint64_t red = 0x0000fc0000000001, blue = 0x0000fc0000000002;
  UpdateBuilder builder(peer.context());
  std::vector<uint8_t> hop(8, 0);
  for (const uint8_t octet : {192, 0, 2, 9}) hop.push_back(octet);
  builder.Origin(0).AsPath({9}).MpReach(Family::kVpnIpv4, hop);
  builder.MpAnnounce({PrefixOf("10.0.0.0/8"), 0, red, {100}})
      .MpAnnounce({PrefixOf("10.0.0.0/8"), 0, blue, {200}})
      .MpAnnounce({PrefixOf("10.1.0.0/16"), 0, blue, {201}});
  peer.Send(builder.Message());
  ASSERT_TRUE(Eventually([&] { return RoutesOf(*engine, own(), blue).size() == 2; }));
  EXPECT_EQ(RoutesOf(*engine, own(), red), (RouteTexts{{"10.0.0.0/8", "igp as_path 9 next_hop 192.0.2.9 label 100"}}));
  EXPECT_EQ(RoutesOf(*engine, own(), blue)["10.1.0.0/16"], "igp as_path 9 next_hop 192.0.2.9 label 201");
  EXPECT_TRUE(RoutesOf(*engine, own()).empty());
  builder.Clear();
  builder.MpUnreach(Family::kVpnIpv4);
  builder.MpWithdraw({PrefixOf("10.0.0.0/8"), 0, blue, {}}).MpWithdraw({PrefixOf("10.0.0.0/8"), 0, 77, {}});
  peer.Send(builder.Message());
  EXPECT_TRUE(Eventually([&] { return RoutesOf(*engine, own(), blue).size() == 1; }));
  EXPECT_EQ(RoutesOf(*engine, own(), red).size(), 1u);
  EXPECT_EQ(PeerOf(*engine, own()).tables, 3u);
}

TEST_P(EachFamily, AddPathKeepsEachPath) {
  auto engine = StartEngine(LoopbackOptions());
  bgp::Open open = ScriptedOpen(1);
  open.add_path_send.Add(Family::kIpv4Unicast);
  ScriptedPeer peer(endpoint(*engine));
  ASSERT_TRUE(peer.Establish(open));
  ASSERT_TRUE(peer.context().add_path.Has(Family::kIpv4Unicast));
  for (const uint32_t id : {1, 2}) {
    UpdateBuilder builder(peer.context());
    builder.Origin(0).AsPath({id}).NextHop("192.0.2.1").Announce({PrefixOf("10.0.0.0/8"), id, 0, {}});
    peer.Send(builder.Message());
  }
  ASSERT_TRUE(Eventually([&] { return RoutesOf(*engine, own()).size() == 2; }));
  EXPECT_EQ(RoutesOf(*engine, own())["10.0.0.0/8 2"], "igp as_path 2 next_hop 192.0.2.1");
  EXPECT_TRUE(PeerOf(*engine, own()).agreed.add_path.Has(Family::kIpv4Unicast));
}

TEST(RoutingEngine, TakesPeersOfTheAllowListAlone) {
  RoutingOptions options = LoopbackOptions();
  options.allow = {PrefixOf("127.0.0.8/29")};
  auto engine = StartEngine(options);
  ScriptedPeer stranger(engine->endpoints()[0], "127.0.0.1");
  ASSERT_TRUE(stranger.connected());
  EXPECT_EQ(stranger.ReceiveNotification(), "closed");
  ScriptedPeer over_v6(engine->endpoints()[1]);
  EXPECT_EQ(over_v6.ReceiveNotification(), "closed");
  ScriptedPeer peer(engine->endpoints()[0], "127.0.0.9");
  EXPECT_TRUE(peer.Establish(ScriptedOpen(1)));
  EXPECT_TRUE(Eventually([&] { return engine->Status()->established == 1; }));
  EXPECT_EQ(engine->Status()->counters.refused(RoutingRefusal::kNotAllowed), 2u);
}

TEST(RoutingEngine, TakesSoManyPeersAndNoMore) {
  RoutingOptions options = LoopbackOptions();
  options.max_peers = 2;
  auto engine = StartEngine(options);
  std::vector<std::unique_ptr<ScriptedPeer>> peers;
  for (uint32_t i = 1; i <= 3; ++i) {
    peers.push_back(std::make_unique<ScriptedPeer>(engine->endpoints()[0], absl::StrCat("127.0.0.", i)));
    ASSERT_TRUE(peers.back()->Establish(ScriptedOpen(i)));
    if (i == 3) break;
    ASSERT_TRUE(Eventually([&] { return engine->Status()->established == i; }));
  }
  EXPECT_EQ(peers[2]->ReceiveNotification(), "6/8");
  EXPECT_EQ(engine->Status()->counters.refused(RoutingRefusal::kTooManyPeers), 1u);
  EXPECT_EQ(engine->Status()->established, 2u);
  // One that goes makes room.
  peers[0]->Close();
  ASSERT_TRUE(Eventually([&] { return engine->Status()->established == 1; }));
  ScriptedPeer late(engine->endpoints()[0], "127.0.0.4");
  ASSERT_TRUE(late.Establish(ScriptedOpen(4)));
  EXPECT_TRUE(Eventually([&] { return engine->Status()->established == 2; }));
  Announce(late, {"10.0.0.0/8"});
  EXPECT_TRUE(Eventually([&] { return RoutesOf(*engine, "127.0.0.4").size() == 1; }));
}

TEST(RoutingEngine, StrangersThatSayNothingMakeRoom) {
  RoutingOptions options = LoopbackOptions();
  options.max_pending = 3;
  options.max_pending_of_address = 2;
  auto engine = StartEngine(options);
  std::vector<std::unique_ptr<ScriptedPeer>> silent;
  const auto connect = [&](absl::string_view from) {
    silent.push_back(std::make_unique<ScriptedPeer>(engine->endpoints()[0], from));
    return engine->Status();
  };
  connect("127.0.0.1");
  connect("127.0.0.1");
  ASSERT_TRUE(Eventually([&] { return engine->Status()->pending == 2; }));
  connect("127.0.0.1");
  EXPECT_EQ(silent[2]->ReceiveNotification(), "closed");
  EXPECT_EQ(engine->Status()->counters.refused(RoutingRefusal::kTooManyOfAddress), 1u);
  connect("127.0.0.2");
  ASSERT_TRUE(Eventually([&] { return engine->Status()->pending == 3; }));
  connect("127.0.0.3");
  EXPECT_EQ(silent[0]->ReceiveNotification(), "6/8");
  EXPECT_EQ(engine->Status()->counters.refused(RoutingRefusal::kTooManyPending), 1u);
  EXPECT_EQ(engine->Status()->pending, 3u);
  // A session is not pending any more.
  ASSERT_TRUE(silent[1]->Establish(ScriptedOpen(1)));
  EXPECT_TRUE(Eventually([&] { return engine->Status()->pending == 2; }));
}

TEST(RoutingEngine, ConnectionsThatSayNothingEnd) {
  RoutingOptions options = LoopbackOptions();
  options.open_timeout = absl::Milliseconds(200);
  auto engine = StartEngine(options);
  ScriptedPeer silent(engine->endpoints()[0]);
  EXPECT_EQ(silent.ReceiveNotification(), "4/0");
}

TEST(RoutingEngine, OneThatReconnectsAllTheTimeIsTurnedAway) {
  RoutingOptions options = LoopbackOptions();
  options.connections_per_minute = 1;
  options.connection_burst = 5;
  auto engine = StartEngine(options);
  ScriptedPeer other(engine->endpoints()[0], "127.0.0.2");
  ASSERT_TRUE(other.Establish(ScriptedOpen(2)));
  int sessions = 0;
  for (int i = 0; i < 20; ++i) {
    ScriptedPeer peer(engine->endpoints()[0], "127.0.0.1");
    if (!peer.Establish(ScriptedOpen(1))) continue;
    ++sessions;
    Announce(peer, {"10.0.0.0/8"});
  }
  EXPECT_EQ(sessions, 5);
  EXPECT_TRUE(Eventually([&] { return engine->Status()->counters.refused(RoutingRefusal::kTooOften) == 15; }));
  Announce(other, {"10.0.0.0/8"});
  EXPECT_TRUE(Eventually([&] { return RoutesOf(*engine, "127.0.0.2").size() == 1; }));
}

TEST(RoutingEngine, AStormOfSessionsLeavesNothingBehind) {
  RoutingOptions options = LoopbackOptions();
  options.stale_for = absl::Milliseconds(50);
  auto engine = StartEngine(options);
  for (uint32_t i = 0; i < 60; ++i) {
    // Each time another router behind the same address, or the same.
    ScriptedPeer peer(engine->endpoints()[0], "127.0.0.1");
    ASSERT_TRUE(peer.Establish(ScriptedOpen(1 + i % 7)));
    Announce(peer, {"10.0.0.0/8", absl::StrCat("10.", i, ".0.0/16")});
  }
  EXPECT_TRUE(Eventually([&] {
    const auto status = engine->Status();
    return status->peers.empty() && status->paths == 0 && status->attribute_sets == 0;
  }));
  EXPECT_EQ(engine->Status()->pending, 0u);
  EXPECT_LE(engine->Status()->recent_ends.size(), 64u);
}

TEST(RoutingEngine, GarbageCostsACounter) {
  auto engine = StartEngine(LoopbackOptions());
  ScriptedPeer other(engine->endpoints()[0], "127.0.0.2");
  ASSERT_TRUE(other.Establish(ScriptedOpen(2)));
  {
    ScriptedPeer peer(engine->endpoints()[0]);
    peer.Send(base::AsOctets("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    EXPECT_EQ(peer.ReceiveNotification(), "1/1");
  }
  {
    // Before its session, and much of it: the NOTIFICATION arrives all the same.
    ScriptedPeer peer(engine->endpoints()[0]);
    peer.Send(std::vector<uint8_t>(100000, 0xff));
    EXPECT_EQ(peer.ReceiveNotification(), "1/2");
  }
  {
    ScriptedPeer peer(engine->endpoints()[0]);
    ASSERT_TRUE(peer.Establish(ScriptedOpen(3)));
    Announce(peer, {"10.0.0.0/8"});
    UpdateBuilder bad;
    bad.RawAnnounce(std::vector<uint8_t>{33, 1, 2, 3, 4, 5}).Origin(0).AsPath({1}).NextHop("192.0.2.1");
    peer.Send(bad.Message());
    EXPECT_EQ(peer.ReceiveNotification(), "3/10");
  }
  {
    // An error that the session survives (RFC 7606): the route is withdrawn.
    ScriptedPeer peer(engine->endpoints()[0]);
    ASSERT_TRUE(peer.Establish(ScriptedOpen(3)));
    Announce(peer, {"10.0.0.0/8", "11.0.0.0/8"});
    UpdateBuilder bad(peer.context());
    bad.Origin(9).AsPath({1}).NextHop("192.0.2.1").Announce("10.0.0.0/8");
    peer.Send(bad.Message());
    const RouteTexts rest = {{"11.0.0.0/8", kPlain}};
    EXPECT_TRUE(Eventually([&] { return RoutesOf(*engine, "127.0.0.1") == rest; }));
    const RoutingPeer told = PeerOf(*engine, "127.0.0.1");
    EXPECT_EQ(told.counters.updates.actions[static_cast<size_t>(bgp::ErrorAction::kTreatAsWithdraw)], 1u);
    EXPECT_EQ(told.counters.updates.actions[static_cast<size_t>(bgp::ErrorAction::kSessionReset)], 1u);
    EXPECT_EQ(told.counters.updates.treated_as_withdrawn[0], 1u);
    EXPECT_EQ(told.counters.erroneous_updates, 2u);
  }
  EXPECT_EQ(PeerOf(*engine, "127.0.0.2").state, bgp::SessionState::kEstablished);
  EXPECT_EQ(PeerOf(*engine, "127.0.0.2").sessions, 1u);
}

TEST(RoutingEngine, ANeighbourThatConnectsAnewHasGivenUpItsSession) {
  auto engine = StartEngine(LoopbackOptions());
  ScriptedPeer first(engine->endpoints()[0], "127.0.0.1");
  ASSERT_TRUE(first.Establish(ScriptedOpen(1)));
  Announce(first, {"10.0.0.0/8"});
  ASSERT_TRUE(Eventually([&] { return RoutesOf(*engine, "127.0.0.1").size() == 1; }));
  // Who says the same of himself elsewhere is another one.
  ScriptedPeer elsewhere(engine->endpoints()[0], "127.0.0.2");
  ASSERT_TRUE(elsewhere.Establish(ScriptedOpen(1)));
  ASSERT_TRUE(Eventually([&] { return engine->Status()->established == 2; }));
  EXPECT_EQ(RoutesOf(*engine, "127.0.0.1").size(), 1u);

  ScriptedPeer second(engine->endpoints()[0], "127.0.0.1");
  ASSERT_TRUE(second.Establish(ScriptedOpen(1)));
  EXPECT_EQ(first.ReceiveNotification(), "6/7");
  ASSERT_TRUE(Eventually([&] { return PeerOf(*engine, "127.0.0.1").sessions == 2; }));
  EXPECT_TRUE(PeerOf(*engine, "127.0.0.1").stale());
  Announce(second, {"10.0.0.0/8"});
  EXPECT_TRUE(Eventually([&] { return !PeerOf(*engine, "127.0.0.1").stale(); }));
  EXPECT_EQ(engine->Status()->counters.refused(RoutingRefusal::kCollision), 1u);
  EXPECT_EQ(engine->Status()->established, 2u);
}

TEST(RoutingEngine, AnEstablishedSessionMayBeKept) {
  RoutingOptions options = LoopbackOptions();
  options.replace_established = false;
  options.graceful_restart = false;  // RFC 4724, 5 would end the old one
  auto engine = StartEngine(options);
  ScriptedPeer first(engine->endpoints()[0]);
  ASSERT_TRUE(first.Establish(ScriptedOpen(1)));
  ASSERT_TRUE(Eventually([&] { return engine->Status()->established == 1; }));
  ScriptedPeer second(engine->endpoints()[0]);
  second.SendOpen(ScriptedOpen(1));
  EXPECT_EQ(second.ReceiveNotification(), "6/7");
  Announce(first, {"10.0.0.0/8"});
  EXPECT_TRUE(Eventually([&] { return RoutesOf(*engine, "127.0.0.1").size() == 1; }));
}

TEST(RoutingEngine, AllMayComeAtOnce) {
  auto engine = StartEngine(LoopbackOptions());
  base::OctetWriter all;
  bgp::Open open = ScriptedOpen(1);
  bgp::WriteOpen(open, &all);
  bgp::WriteKeepalive(&all);
  UpdateBuilder builder;
  builder.Origin(0).AsPath({64501, 64502}).NextHop("192.0.2.1").Announce("10.0.0.0/8");
  all.Bytes(builder.Message());
  // Several of the same neighbour: the last one stays.
  std::vector<std::unique_ptr<ScriptedPeer>> peers;
  for (int i = 0; i < 3; ++i) {
    peers.push_back(std::make_unique<ScriptedPeer>(engine->endpoints()[0]));
    peers.back()->Send(all.octets());
    EXPECT_TRUE(Eventually([&] { return PeerOf(*engine, "127.0.0.1").sessions == static_cast<uint64_t>(i) + 1; }));
  }
  EXPECT_EQ(peers[0]->ReceiveNotification(), "6/7");
  EXPECT_EQ(peers[1]->ReceiveNotification(), "6/7");
  EXPECT_EQ(engine->Status()->established, 1u);
  EXPECT_EQ(RoutesOf(*engine, "127.0.0.1"), (RouteTexts{{"10.0.0.0/8", kPlain}}));
}

TEST(RoutingEngine, RoutesBeyondTheLimitAreRefused) {
  RoutingOptions options = LoopbackOptions();
  options.max_routes_per_peer = 3;
  auto engine = StartEngine(options);
  ScriptedPeer peer(engine->endpoints()[0]);
  ASSERT_TRUE(peer.Establish(ScriptedOpen(1)));
  Announce(peer, {"1.0.0.0/8", "2.0.0.0/8", "3.0.0.0/8", "4.0.0.0/8", "5.0.0.0/8"});
  ASSERT_TRUE(Eventually([&] { return PeerOf(*engine, "127.0.0.1").v4.refused == 2; }));
  Withdraw(peer, {"1.0.0.0/8"});
  Announce(peer, {"6.0.0.0/8"});
  EXPECT_TRUE(Eventually([&] { return RoutesOf(*engine, "127.0.0.1").count("6.0.0.0/8") == 1; }));
  EXPECT_EQ(RoutesOf(*engine, "127.0.0.1").size(), 3u);
}

// Two neighbours, one of them with settings of its own; what these do not say is as for all.
TEST(RoutingEngine, NeighborsMayHaveTheirOwnSettings) {
  RoutingOptions options = LoopbackOptions();
  options.local_as = 65010;
  options.hold_time_seconds = 30;
  options.stale_for = absl::Minutes(2);
  options.neighbors.resize(2);
  options.neighbors[0].peers = *base::IpPrefix::Parse("127.0.0.2/32");
  options.neighbors[0].local_as = 65001;
  options.neighbors[0].add_path = false;
  options.neighbors[0].max_routes = 1;
  options.neighbors[0].stale_for = absl::ZeroDuration();
  // Shorter, so that it says nothing of 127.0.0.2.
  options.neighbors[1].peers = *base::IpPrefix::Parse("127.0.0.0/8");
  options.neighbors[1].hold_time_seconds = 60;
  auto engine = StartEngine(options);
  ScriptedPeer own(engine->endpoints()[0], "127.0.0.2"), other(engine->endpoints()[0], "127.0.0.3");
  ASSERT_TRUE(own.Establish(ScriptedOpen(2)));
  ASSERT_TRUE(other.Establish(ScriptedOpen(3)));
  EXPECT_EQ(own.engines_open().as, 65001u);
  EXPECT_EQ(own.engines_open().hold_time_seconds, 30);
  EXPECT_TRUE(own.engines_open().add_path_receive.empty());
  EXPECT_EQ(other.engines_open().as, 65010u);
  EXPECT_EQ(other.engines_open().hold_time_seconds, 60);
  EXPECT_FALSE(other.engines_open().add_path_receive.empty());
  Announce(own, {"1.0.0.0/8", "2.0.0.0/8"});
  Announce(other, {"1.0.0.0/8", "2.0.0.0/8"});
  ASSERT_TRUE(Eventually([&] { return PeerOf(*engine, "127.0.0.2").v4.refused == 1; }));
  ASSERT_TRUE(Eventually([&] { return RoutesOf(*engine, "127.0.0.3").size() == 2; }));
  EXPECT_EQ(RoutesOf(*engine, "127.0.0.2").size(), 1u);
  own.Reset();
  other.Reset();
  ASSERT_TRUE(Eventually([&] { return PeerOf(*engine, "127.0.0.3").stale(); }));
  ASSERT_TRUE(Eventually([&] { return RoutesOf(*engine, "127.0.0.2").empty(); }));
  EXPECT_EQ(RoutesOf(*engine, "127.0.0.3").size(), 2u);
}

TEST(RoutingEngine, ADeadNeighbourIsNoticed) {
  RoutingOptions options = LoopbackOptions();
  options.hold_time_seconds = 3;
  auto engine = StartEngine(options);
  ScriptedPeer silent(engine->endpoints()[0], "127.0.0.1"), living(engine->endpoints()[0], "127.0.0.2");
  ASSERT_TRUE(silent.Establish(ScriptedOpen(1)));
  ASSERT_TRUE(living.Establish(ScriptedOpen(2)));
  std::atomic<bool> done{false};
  std::thread heart([&] {
    while (!done) {
      living.SendKeepalive();
      absl::SleepFor(absl::Milliseconds(300));
    }
  });
  EXPECT_EQ(silent.ReceiveNotification(), "4/0");
  done = true;
  heart.join();
  EXPECT_EQ(PeerOf(*engine, "127.0.0.2").state, bgp::SessionState::kEstablished);
  // The engine's own keepalives came, each second.
  int keepalives = 0;
  while (const auto message = living.Receive(absl::ZeroDuration())) {
    keepalives += bgp::MessageTypeOf(*message) == bgp::MessageType::kKeepalive;
  }
  EXPECT_GE(keepalives, 2);
}

TEST(RoutingEngine, FloodsAndStallsAreFeltByNobodyElse) {
  auto engine = StartEngine(LoopbackOptions());
  ScriptedPeer flooder(engine->endpoints()[0], "127.0.0.1"), staller(engine->endpoints()[0], "127.0.0.2");
  ASSERT_TRUE(flooder.Establish(ScriptedOpen(1)));
  ASSERT_TRUE(staller.Establish(ScriptedOpen(2)));
  std::atomic<bool> done{false};
  std::thread flood([&] {
    // Routes that come and go.
    base::OctetWriter octets;
    for (uint32_t i = 0; i < 2000; ++i) {
      UpdateBuilder builder(flooder.context());
      builder.Withdraw(absl::StrCat("10.", i / 200, ".", i % 200, ".0/24"));
      octets.Bytes(builder.Message());
      builder.Clear();
      builder.Origin(0)
          .AsPath({i + 1})
          .NextHop("192.0.2.1")
          .Announce(absl::StrCat("10.", i / 200, ".", (i + 7) % 200, ".0/24"));
      octets.Bytes(builder.Message());
    }
    while (!done && flooder.Send(octets.octets())) {
    }
  });
  UpdateBuilder half(staller.context());
  half.Origin(0).AsPath({1}).NextHop("192.0.2.1").Announce("10.0.0.0/8");
  staller.Send(half.Message().subspan(0, 30));
  absl::Duration slowest;
  for (uint32_t i = 3; i < 23; ++i) {
    const absl::Time begun = absl::Now();
    ScriptedPeer peer(engine->endpoints()[0], absl::StrCat("127.0.0.", i));
    ASSERT_TRUE(peer.Establish(ScriptedOpen(i)));
    Announce(peer, {"11.0.0.0/8"});
    ASSERT_TRUE(Eventually([&] { return RoutesOf(*engine, absl::StrCat("127.0.0.", i)).size() == 1; }));
    slowest = std::max(slowest, absl::Now() - begun);
  }
  done = true;
  flood.join();
  // Some milliseconds, were it not for machines that do other things too.
  EXPECT_LT(slowest, absl::Seconds(5));
  EXPECT_EQ(PeerOf(*engine, "127.0.0.2").state, bgp::SessionState::kEstablished);
}

TEST(RoutingEngine, ReadersThatStallMakePeersWait) {
  RoutingOptions options = LoopbackOptions();
  options.rib.attributes.max_garbage_octets = 64 << 10;
  options.rib.routes.max_garbage_octets = 64 << 10;
  auto engine = StartEngine(options);
  auto reader = engine->tables().epochs->NewReader();
  ASSERT_TRUE(reader.has_value());
  reader->Online();
  ScriptedPeer peer(engine->endpoints()[0]);
  ASSERT_TRUE(peer.Establish(ScriptedOpen(1)));
  std::thread sender([&] {
    for (uint32_t i = 0; i < 20000; ++i) {
      UpdateBuilder builder(peer.context());
      builder.Origin(0).AsPath({i + 1}).NextHop("192.0.2.1").Announce("10.0.0.0/8");
      if (!peer.Send(builder.Message())) break;
    }
    UpdateBuilder last(peer.context());
    last.Origin(0).AsPath({7}).NextHop("192.0.2.1").Announce("11.0.0.0/8");
    peer.Send(last.Message());
  });
  EXPECT_TRUE(Eventually([&] { return engine->Status()->counters.congestions != 0; }));
  EXPECT_TRUE(engine->Status()->congested);
  reader->Offline();
  EXPECT_TRUE(Eventually([&] { return RoutesOf(*engine, "127.0.0.1").count("11.0.0.0/8") == 1; }));
  sender.join();
  EXPECT_EQ(PeerOf(*engine, "127.0.0.1").v4.announcements, 20001u);
  EXPECT_GT(engine->Status()->counters.congested, absl::ZeroDuration());
}

TEST(RoutingEngine, AnswersFromAnyThread) {
  auto engine = StartEngine(LoopbackOptions());
  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  std::atomic<uint64_t> answers{0};
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&, i] {
      while (!done) {
        if (i == 0) {
          EXPECT_NE(engine->Status(), nullptr);
        } else if (i == 1) {
          uint64_t paths = ~uint64_t{0};
          EXPECT_TRUE(engine->Call([&](PeerBook& book) { paths = book.rib().paths(); }).ok());
          EXPECT_LT(paths, 100u);
        } else {
          RoutesOf(*engine, "127.0.0.1");
        }
        ++answers;
      }
    });
  }
  for (uint32_t i = 0; i < 10; ++i) {
    ScriptedPeer peer(engine->endpoints()[0]);
    ASSERT_TRUE(peer.Establish(ScriptedOpen(1)));
    Announce(peer, {"10.0.0.0/8", absl::StrCat("10.", i, ".0.0/16")});
    Withdraw(peer, {"10.0.0.0/8"});
  }
  EXPECT_TRUE(Eventually([&] { return answers > 100; }));
  done = true;
  for (std::thread& thread : threads) thread.join();
  // A function that takes long: the status is the last one, and soon there.
  base::Notification begun, go;
  std::thread slow([&] {
    EXPECT_TRUE(engine
                    ->Call([&](PeerBook&) {
                      begun.Notify();
                      go.Wait();
                      EXPECT_TRUE(engine->Call([](PeerBook&) {}).ok());  // from the engine's own thread
                      EXPECT_NE(engine->Status(), nullptr);
                    })
                    .ok());
  });
  begun.Wait();
  const absl::Time asked = absl::Now();
  EXPECT_NE(engine->Status(absl::Milliseconds(20)), nullptr);
  EXPECT_LT(absl::Now() - asked, absl::Seconds(5));
  go.Notify();
  slow.join();
}

TEST(RoutingEngine, HearsDirectNeighboursAloneIfTold) {
  RoutingOptions options = LoopbackOptions();
  options.ttl_security_hops = 1;
  auto engine = StartEngine(options);
  for (const bool v6 : {false, true}) {
    SCOPED_TRACE(v6);
    const auto with_ttl = [&](int ttl) {
      return [=](int socket) {
        setsockopt(socket, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_UNICAST_HOPS : IP_TTL, &ttl, sizeof(ttl));
        const timeval patience = {0, 300000};
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
      };
    };
    ScriptedPeer direct(engine->endpoints()[v6], "", with_ttl(255));
    ASSERT_TRUE(direct.Establish(ScriptedOpen(1)));
    EXPECT_TRUE(Eventually([&] { return engine->Status()->established == 1; }));
    direct.Close();
    EXPECT_TRUE(Eventually([&] { return engine->Status()->established == 0; }));
    EXPECT_EQ(engine->Status()->counters.accepted, v6 ? 2u : 1u);
  }
  // What comes from farther away is as if it had never come: nobody answers. (A blocking connect would wait for long.)
  Descriptor far(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int ttl = 64;
  setsockopt(far.get(), IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_port = htons(engine->endpoints()[0].port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_NE(connect(far.get(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)), 0);
  absl::SleepFor(absl::Milliseconds(200));
  EXPECT_EQ(engine->Status()->counters.accepted, 2u);
}

TEST(RoutingEngine, KeysAreByPrefix) {
  RoutingOptions options = LoopbackOptions();
  options.listen.push_back("tcp://[::]:0");
  options.md5_keys = {{PrefixOf("127.0.0.8/29"), "secret"}, {PrefixOf("::1/128"), "six"}};
  absl::StatusOr<std::unique_ptr<RoutingEngine>> made = RoutingEngine::New(options);
  if (made.status().code() == absl::StatusCode::kUnimplemented) GTEST_SKIP() << made.status();
  ASSERT_TRUE(made.ok()) << made.status();
  RoutingEngine& engine = **made;
  engine.Start();
  const auto with_key = [](const Endpoint& to, const char* key) {
    return [&to, key](int socket) {
      // For the engine's address.
      const Descriptor borrowed(dup(socket));
      const RoutingMd5Key md5 = {base::IpPrefix(to.address, to.address.IsV4() ? 32 : 128), key};
      EXPECT_TRUE(SetMd5Key(borrowed, to, md5).ok());
    };
  };
  Endpoint any_v4 = engine.endpoints()[2];  // the socket of both families, over IPv4
  any_v4.address = AddressOf("127.0.0.1");
  std::vector<std::unique_ptr<ScriptedPeer>> peers;
  const auto connect = [&](const Endpoint& to, absl::string_view from, const ScriptedPeer::Prepare& prepare) {
    peers.push_back(std::make_unique<ScriptedPeer>(to, from, prepare));
    EXPECT_TRUE(peers.back()->Establish(ScriptedOpen(static_cast<uint32_t>(peers.size())))) << from;
  };
  for (const Endpoint& to : {engine.endpoints()[0], any_v4}) {
    connect(to, "127.0.0.9", with_key(to, "secret"));
    connect(to, "127.0.0.1", nullptr);
  }
  connect(engine.endpoints()[1], "::1", with_key(engine.endpoints()[1], "six"));
  EXPECT_TRUE(Eventually([&] { return engine.Status()->established == 5; }));
  // Without its key nobody is heard: what it sends to open the connection is dropped.
  const timeval patience = {0, 300000};
  ScriptedPeer keyless(engine.endpoints()[0], "127.0.0.10",
                       [&](int socket) { setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)); });
  EXPECT_FALSE(keyless.connected());
  EXPECT_EQ(engine.Status()->counters.accepted, 5u);
}

TEST(RoutingEngine, LinkLocalNeighboursAreOfAnInterface) {
  const std::string reason = InNetworkNamespace([] {
    for (const char* address : {"fe80::1", "fe80::2"}) {
      ASSERT_TRUE(RunCommand(absl::StrCat("ip address add ", address, "/64 dev lo nodad")));
      // The system makes its route a little later.
      ASSERT_TRUE(Eventually(
          [&] { return RunCommand(absl::StrCat("ip -6 route show table local | grep -q 'local ", address, " '")); }));
    }
    RoutingOptions options = LoopbackOptions();
    options.listen = {"tcp://[::]:0"};
    auto engine = StartEngine(options);
    Endpoint to = engine->endpoints()[0];
    to.address = AddressOf("fe80::1");
    to.interface = "lo";
    ScriptedPeer peer(to, "fe80::2");
    ASSERT_TRUE(peer.Establish(ScriptedOpen(1)));
    Announce(peer, {"10.0.0.0/8"});
    EXPECT_TRUE(Eventually([&] { return RoutesOf(*engine, "fe80::2").size() == 1; }));
    EXPECT_EQ(PeerOf(*engine, "fe80::2").interface, "lo");
  });
  if (!reason.empty()) GTEST_SKIP() << reason;
}

TEST(RoutingEngine, SaysWhatIsWrongWithAPort) {
  RoutingOptions options = LoopbackOptions();
  auto engine = StartEngine(options);
  options.listen = {engine->endpoints()[0].ToString()};
  EXPECT_EQ(RoutingEngine::New(options).status().code(), absl::StatusCode::kAlreadyExists);
  options.listen = {"udp://127.0.0.1:179"};
  EXPECT_TRUE(absl::StartsWith(RoutingEngine::New(options).status().message(), "listen: "));
}

}  // namespace
}  // namespace flowacct::collector
