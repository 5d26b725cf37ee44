#include "flowacct/bgp/session.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "flowacct/bgp/message_writer.h"
#include "flowacct/bgp/testing/update_builder.h"
#include "flowacct/testing/allocation_counter.h"
#include "gtest/gtest.h"

namespace flowacct::bgp {
namespace {

using testing::PrefixOf;
using testing::UpdateBuilder;

// Events as a text.
class Teller : public SessionListener {
 public:
  void OnEstablished(const SessionContext& context, const Open& peer) override {
    absl::StrAppend(&text, "established ", peer.as, context.as4 ? " as4" : "", context.external ? " external" : "",
                    context.extended_message ? " extended" : "", "\n");
    context_ = context;
  }
  void OnUpdate(const Update& update, base::Octets) override {
    for (const NlriSection& section : update.withdrawn()) Tell("-", section);
    for (const NlriSection& section : update.announced()) Tell("+", section);
  }
  void OnEndOfRib(Family family) override { absl::StrAppend(&text, "end of rib ", RowOf(family).name, "\n"); }
  void OnRouteRefresh(Family family, RouteRefreshSubtype subtype) override {
    absl::StrAppend(&text, "refresh ", RowOf(family).name, " ", static_cast<int>(subtype), "\n");
  }
  void OnClosed(const SessionClosed& c) override {
    ++closings;
    closed = c;
    absl::StrAppend(&text, "closed ", static_cast<int>(c.cause), " ", c.notification.code, "/", c.notification.subcode,
                    c.was_established ? " established" : "", c.graceful ? " graceful" : "", "\n");
    closed_text = std::string(c.notification.shutdown_communication());
  }

  std::string text, closed_text;
  int closings = 0;
  SessionClosed closed;
  SessionContext context_;

 private:
  void Tell(const char* sign, const NlriSection& section) {
    section.Visit([&](const Nlri& route) {
      absl::StrAppend(&text, sign, route.prefix().ToString(), route.has_path_id ? absl::StrCat(" ", route.path_id) : "",
                      "\n");
    });
  }
};

const absl::Time kStart = absl::FromUnixSeconds(1700000000);

Open PeerOpen() {
  Open open;
  open.as = 4200000000;
  open.as4 = true;
  open.bgp_identifier = 0xc0000201;
  open.families = FamilySet::Joined();
  open.route_refresh = open.enhanced_route_refresh = open.extended_message = true;
  return open;
}

std::vector<uint8_t> Octets(const std::function<void(base::OctetWriter*)>& write) {
  base::OctetWriter out;
  write(&out);
  return {out.octets().begin(), out.octets().end()};
}
std::vector<uint8_t> OpenOctets(const Open& open) {
  return Octets([&](base::OctetWriter* out) { WriteOpen(open, out); });
}
std::vector<uint8_t> Keepalive() { return Octets(WriteKeepalive); }
std::vector<uint8_t> RawMessage(uint8_t type, const std::vector<uint8_t>& body) {
  return Octets([&](base::OctetWriter* out) { testing::WriteMessage(type, body, out); });
}

struct Fixture {
  Teller teller;
  Session session;
  absl::Time now = kStart;

  explicit Fixture(const SessionOptions& options = {}) : session(options, &teller) { session.Start(now); }
  void Receive(const std::vector<uint8_t>& octets) { session.Receive(octets, now); }
  // Types of what was sent, e.g. "open keepalive"; of a NOTIFICATION with codes and data.
  std::string Sent() {
    std::string text;
    base::Octets rest = session.output();
    const size_t all = rest.size();
    while (!rest.empty()) {
      const MessageBoundary next = NextMessage(rest, kMaxMessageOctets);
      if (next.code != base::DecodeCode::kOk) return text + "?";
      absl::StrAppend(&text, text.empty() ? "" : " ", MessageTypeName(next.type));
      if (next.type == MessageType::kNotification) {
        const NotificationView n = ReadNotification(rest.subspan(0, next.length));
        absl::StrAppend(&text, " ", n.code, "/", n.subcode);
        if (!n.data.empty()) absl::StrAppend(&text, " ", absl::BytesToHexString(base::AsText(n.data)));
      }
      rest.remove_prefix(next.length);
    }
    session.ConsumeOutput(all, now);
    return text;
  }
  void Establish(const Open& open = PeerOpen()) {
    Receive(OpenOctets(open));
    EXPECT_EQ(session.state(), SessionState::kOpenConfirm);
    Receive(Keepalive());
    EXPECT_EQ(session.state(), SessionState::kEstablished);
    Sent();
    teller.text.clear();
  }
};

TEST(Session, MirrorsTheNeighboursAs) {
  Fixture f;
  EXPECT_EQ(f.session.state(), SessionState::kActive);
  EXPECT_EQ(f.Sent(), "");
  f.Receive(OpenOctets(PeerOpen()));
  ASSERT_GE(f.session.output().size(), 29u);
  Open sent;
  const MessageBoundary first = NextMessage(f.session.output(), kMaxMessageOctets);
  EXPECT_FALSE(ParseOpen(f.session.output().subspan(0, first.length), {}, &sent));
  EXPECT_EQ(sent.as, 4200000000u);
  EXPECT_EQ(sent.families, FamilySet::Joined());
  EXPECT_TRUE(sent.as4 && sent.route_refresh && sent.enhanced_route_refresh && sent.extended_message);
  EXPECT_TRUE(sent.graceful_restart);
  EXPECT_EQ(f.Sent(), "open keepalive");
  EXPECT_EQ(f.teller.text, "");
  f.Receive(Keepalive());
  EXPECT_EQ(f.teller.text, "established 4200000000 as4 extended\n");
  EXPECT_EQ(f.session.state(), SessionState::kEstablished);
}

TEST(Session, SaysItsOwnAsFirst) {
  SessionOptions options;
  options.local_as = 64500;
  Fixture f(options);
  EXPECT_EQ(f.session.state(), SessionState::kOpenSent);
  EXPECT_EQ(f.Sent(), "open");
  f.Receive(OpenOctets(PeerOpen()));
  EXPECT_EQ(f.Sent(), "keepalive");
  f.Receive(Keepalive());
  EXPECT_EQ(f.teller.text, "established 4200000000 as4 external extended\n");
}

TEST(Session, OffersWhatTheNeighbourOffers) {
  Open old;
  old.as = 64496;
  old.bgp_identifier = 7;
  Fixture f;
  f.Receive(OpenOctets(old));
  // No capabilities: 29 octets of OPEN.
  EXPECT_EQ(NextMessage(f.session.output(), kMaxMessageOctets).length, 29u);
  f.Receive(Keepalive());
  EXPECT_EQ(f.teller.text, "established 64496\n");
  EXPECT_EQ(f.session.context().families, FamilySet().Add(Family::kIpv4Unicast));

  Open rich = PeerOpen();
  rich.families = FamilySet().Add(Family::kIpv4Unicast).Add(Family::kEvpn).Add(Family::kVpnIpv4);
  rich.add_path_send = FamilySet().Add(Family::kIpv4Unicast).Add(Family::kEvpn);
  rich.add_path_receive = FamilySet().Add(Family::kVpnIpv4);
  rich.extended_next_hop = FamilySet().Add(Family::kVpnIpv4);
  Fixture g;
  g.Establish(rich);
  EXPECT_EQ(g.session.context().families, FamilySet().Add(Family::kIpv4Unicast).Add(Family::kVpnIpv4));
  EXPECT_EQ(g.session.context().add_path, FamilySet().Add(Family::kIpv4Unicast));
  EXPECT_EQ(g.session.context().extended_next_hop, FamilySet().Add(Family::kVpnIpv4));
}

TEST(Session, AnswersBadMessages) {
  enum class At { kActive, kOpenConfirm, kEstablished };
  const auto open = [](const std::function<void(Open*)>& change) {
    Open o = PeerOpen();
    change(&o);
    return OpenOctets(o);
  };
  const auto patched = [](std::vector<uint8_t> octets, size_t at, std::vector<uint8_t> with) {
    std::copy(with.begin(), with.end(), octets.begin() + at);
    return octets;
  };
  const std::vector<uint8_t> good = OpenOctets(PeerOpen());
  const struct {
    const char* what;
    At at;
    std::vector<uint8_t> octets;
    const char* sent;
  } kCases[] = {
      {"marker", At::kActive, patched(good, 3, {0}), "notification 1/1"},
      {"marker that is cut", At::kActive, {0xff, 0xfe}, "notification 1/1"},
      {"length below the header", At::kActive, patched(good, 16, {0, 18}), "notification 1/2 0012"},
      {"length above 4096", At::kActive, patched(good, 16, {16, 1}), "notification 1/2 1001"},
      {"short OPEN", At::kActive, RawMessage(1, std::vector<uint8_t>(9)), "notification 1/2 001c"},
      {"long KEEPALIVE", At::kEstablished, RawMessage(4, {0}), "notification 1/2 0014"},
      {"KEEPALIVE of 65535, even if agreed", At::kEstablished, patched(Keepalive(), 16, {255, 255}),
       "notification 1/2 ffff"},
      {"short UPDATE", At::kEstablished, RawMessage(2, {0, 0, 0}), "notification 1/2 0016"},
      {"short NOTIFICATION", At::kEstablished, RawMessage(3, {6}), "notification 1/2 0014"},
      {"short ROUTE-REFRESH", At::kEstablished, RawMessage(5, {0, 1, 0}), "notification 1/2 0016"},
      {"type 0", At::kActive, RawMessage(0, {}), "notification 1/3 00"},
      {"type 6", At::kEstablished, RawMessage(6, {}), "notification 1/3 06"},
      {"version 3", At::kActive, patched(good, 19, {3}), "notification 2/1 0004"},
      {"AS 0", At::kActive, open([](Open* o) { o->as = 0; }), "notification 2/2"},
      {"AS 0 of 2 octets", At::kActive, patched(good, 20, {0, 0}), "notification 2/2"},
      {"identifier 0", At::kActive, open([](Open* o) { o->bgp_identifier = 0; }), "notification 2/3"},
      {"our identifier", At::kActive, open([](Open* o) { o->bgp_identifier = 0x7f000001; }), "notification 2/3"},
      {"hold time 2", At::kActive, open([](Open* o) { o->hold_time_seconds = 2; }), "notification 2/6"},
      {"an unknown parameter", At::kActive, RawMessage(1, {4, 0, 9, 0, 90, 1, 2, 3, 4, 3, 7, 1, 0}),
       "notification 2/4"},
      {"parameters that run off", At::kActive, RawMessage(1, {4, 0, 9, 0, 90, 1, 2, 3, 4, 3, 2, 2, 1}),
       "notification 2/0"},
      {"parameters' length that contradicts", At::kActive, RawMessage(1, {4, 0, 9, 0, 90, 1, 2, 3, 4, 4, 2, 1, 1}),
       "notification 2/0"},
      {"a capability that runs off", At::kActive, RawMessage(1, {4, 0, 9, 0, 90, 1, 2, 3, 4, 4, 2, 2, 1, 4}),
       "notification 2/0"},
      {"4-octet AS of 2 octets", At::kActive, RawMessage(1, {4, 0, 9, 0, 90, 1, 2, 3, 4, 6, 2, 4, 65, 2, 0, 9}),
       "notification 2/0"},
      {"no family in common", At::kActive, open([](Open* o) { o->families = FamilySet().Add(Family::kEvpn); }),
       "notification 2/7 "
       "0104000100010104000200010104000100800104000200800104000100040104000200"
       "04"},
      {"KEEPALIVE before OPEN", At::kActive, Keepalive(), "notification 5/1"},
      {"UPDATE before KEEPALIVE", At::kOpenConfirm, RawMessage(2, {0, 0, 0, 0}), "notification 5/2"},
      {"a second OPEN", At::kOpenConfirm, good, "notification 5/2"},
      {"OPEN in a session", At::kEstablished, good, "notification 5/3"},
      {"UPDATE whose lengths contradict", At::kEstablished, RawMessage(2, {0, 9, 0, 0}), "notification 3/1"},
      {"UPDATE with a prefix of 33 bits", At::kEstablished, RawMessage(2, {0, 6, 33, 1, 2, 3, 4, 5, 0, 0}),
       "notification 3/10"},
      {"UPDATE with a wrong next hop", At::kEstablished, RawMessage(2, {0, 0, 0, 10, 0x80, 14, 7, 0, 2, 1, 2, 1, 2, 0}),
       "notification 3/9 800e0700020102010200"},
      {"BoRR of the wrong length", At::kEstablished, RawMessage(5, {0, 1, 1, 1, 9}),
       "notification 7/1 ffffffffffffffffffffffffffffffff0018050001010109"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.what);
    Fixture f;
    if (c.at == At::kEstablished) f.Establish();
    if (c.at == At::kOpenConfirm) f.Receive(good);
    f.Sent();
    f.Receive(c.octets);
    EXPECT_EQ(f.Sent(), c.sent);
    EXPECT_TRUE(f.session.closed());
    EXPECT_EQ(f.session.state(), SessionState::kIdle);
    EXPECT_EQ(f.session.deadline(), absl::InfiniteFuture());
    EXPECT_EQ(f.teller.closings, 1);
    EXPECT_EQ(f.teller.closed.cause, CloseCause::kNotificationSent);
    // Closed is closed.
    f.Receive(good);
    f.session.Tick(f.now + absl::Hours(1));
    f.session.ConnectionLost(f.now);
    EXPECT_EQ(f.teller.closings, 1);
    EXPECT_EQ(f.Sent(), "");
  }
}

TEST(Session, DemandsAnAs) {
  SessionOptions options;
  options.peer_as = 64499;
  Fixture f(options);
  f.Receive(OpenOctets(PeerOpen()));
  EXPECT_EQ(f.Sent(), "notification 2/2");
}

// Everything that a neighbour says in a session, in one stream.
std::vector<uint8_t> SessionStream(const SessionContext& context) {
  std::vector<uint8_t> stream = OpenOctets([] {
    Open open = PeerOpen();
    open.add_path_send.Add(Family::kIpv6Unicast);
    return open;
  }());
  const auto add = [&](base::Octets octets) { stream.insert(stream.end(), octets.begin(), octets.end()); };
  add(Keepalive());
  UpdateBuilder builder(context);
  builder.Origin(0).AsPath({1, 2}).NextHop("192.0.2.1").Withdraw("203.0.113.0/24").Announce("198.51.100.0/24");
  add(builder.Message());
  builder.Clear();
  builder.Origin(0).AsPath({1}).MpReach(Family::kIpv6Unicast, base::Octets(testing::AddressOf("2001:db8::1").octets()));
  builder.MpAnnounce({PrefixOf("2001:db8::/32"), 5, 0, {}});
  add(builder.Message());
  builder.Clear();
  builder.Origin(0)
      .AsPath({1})
      .NextHop("192.0.2.1")
      .Communities(std::vector<uint32_t>(1200, 7))
      .Announce("192.0.2.0/24");
  add(builder.Message());
  builder.Clear();
  add(builder.Message());
  builder.MpUnreach(Family::kIpv6Unicast);
  add(builder.Message());
  add(Octets(
      [](base::OctetWriter* out) { WriteRouteRefresh(Family::kIpv4Unicast, RouteRefreshSubtype::kBeginning, out); }));
  add(Octets([](base::OctetWriter* out) { WriteRouteRefresh(Family::kIpv4Unicast, RouteRefreshSubtype::kEnd, out); }));
  add(RawMessage(5, {0, 1, 77, 1}));
  add(Octets([](base::OctetWriter* out) {
    base::OctetWriter data;
    WriteShutdownCommunication(
        "b\xc3\xbc"
        "e",
        &data);
    WriteNotification(NotificationOf(NotificationCode::kAdministrativeShutdown, data.octets()), out);
  }));
  return stream;
}

constexpr char kStreamText[] =
    "established 4200000000 as4 extended\n"
    "-203.0.113.0/24\n+198.51.100.0/24\n+2001:db8::/32 5\n+192.0.2.0/24\n"
    "end of rib ipv4_unicast\nend of rib ipv6_unicast\n"
    "refresh ipv4_unicast 1\nrefresh ipv4_unicast 2\n"
    "closed 1 6/2 established\n";

TEST(Session, ReadsAStreamCutAtEveryBoundary) {
  SessionContext context;
  context.add_path.Add(Family::kIpv6Unicast);
  const std::vector<uint8_t> stream = SessionStream(context);
  for (size_t cut = 0; cut <= stream.size(); ++cut) {
    Fixture f;
    f.session.Receive(base::Octets(stream).subspan(0, cut), f.now);
    f.session.Receive(base::Octets(stream).subspan(cut), f.now);
    ASSERT_EQ(f.teller.text, kStreamText) << cut;
    EXPECT_EQ(f.teller.closed_text,
              "b\xc3\xbc"
              "e");
  }
  for (const size_t piece : {1u, 2u, 7u, 18u, 19u, 20u, 4096u}) {
    Fixture f;
    for (size_t at = 0; at < stream.size(); at += piece) {
      f.session.Receive(base::Octets(stream).subspan(at, piece), f.now);
    }
    EXPECT_EQ(f.teller.text, kStreamText) << piece;
    EXPECT_EQ(f.session.counters().received_octets, stream.size());
    EXPECT_EQ(f.session.counters().received[2], 5u);
    EXPECT_EQ(f.session.counters().ignored_refreshes, 1u);
  }
}

TEST(Session, KeepsTime) {
  Fixture f;
  Open open = PeerOpen();
  open.hold_time_seconds = 30;
  f.Establish(open);
  EXPECT_EQ(f.session.hold_time(), absl::Seconds(30));
  EXPECT_EQ(f.session.deadline(), kStart + absl::Seconds(10));
  f.session.Tick(kStart + absl::Seconds(9));
  EXPECT_EQ(f.Sent(), "");
  f.now = kStart + absl::Seconds(10);
  f.session.Tick(f.now);
  EXPECT_EQ(f.Sent(), "keepalive");
  f.now = kStart + absl::Seconds(20);
  f.Receive(Keepalive());
  f.session.Tick(f.now);
  EXPECT_EQ(f.Sent(), "keepalive");
  // An UPDATE counts as a sign of life too (RFC 4271, 8.2.2, event 27).
  f.now = kStart + absl::Seconds(45);
  f.Receive(RawMessage(2, {0, 0, 0, 0}));
  f.session.Tick(kStart + absl::Seconds(74));
  f.Sent();
  EXPECT_FALSE(f.session.closed());
  f.now = kStart + absl::Seconds(75);
  f.session.Tick(f.now);
  EXPECT_EQ(f.Sent(), "notification 4/0");
  EXPECT_TRUE(f.session.closed());
}

TEST(Session, WaitsForOpenAndKeepaliveOnlySoLong) {
  Fixture f;
  EXPECT_EQ(f.session.deadline(), kStart + absl::Minutes(4));
  f.session.Tick(kStart + absl::Minutes(4));
  EXPECT_EQ(f.Sent(), "notification 4/0");
  Fixture g;
  Open open = PeerOpen();
  open.hold_time_seconds = 0;  // no keepalives
  g.Receive(OpenOctets(open));
  g.Sent();
  EXPECT_EQ(g.session.deadline(), kStart + absl::Minutes(4));
  g.Receive(Keepalive());
  EXPECT_EQ(g.session.deadline(), absl::InfiniteFuture());
}

TEST(Session, DoesNotQueueForANeighbourThatTakesNothing) {
  Fixture f;
  Open open = PeerOpen();
  open.hold_time_seconds = 3;
  f.Establish(open);
  for (int second = 1; second < 8 * 60; ++second) {
    f.now = kStart + absl::Seconds(second);
    f.Receive(Keepalive());
    f.session.Tick(f.now);
    ASSERT_FALSE(f.session.closed());
    EXPECT_EQ(f.session.output().size(), 19u);
  }
  f.now = kStart + absl::Minutes(9);
  f.Receive(Keepalive());
  f.session.Tick(f.now);
  EXPECT_EQ(f.teller.text, "closed 0 8/0 established\n");
}

TEST(Session, RequestsRoutesAgain) {
  Fixture f;
  EXPECT_FALSE(f.session.RequestRefresh(Family::kIpv4Unicast, f.now));
  f.Establish();
  EXPECT_TRUE(f.session.RequestRefresh(Family::kIpv4Unicast, f.now));
  EXPECT_EQ(f.Sent(), "route_refresh");
  EXPECT_FALSE(f.session.RequestRefresh(Family::kEvpn, f.now));
  while (f.session.RequestRefresh(Family::kIpv4Unicast, f.now)) {
  }
  EXPECT_LE(f.session.output().size(), 4096u + 23u);
}

TEST(Session, SaysWhetherRoutesMayBeKept) {
  Open plain = PeerOpen();
  Open graceful = plain;
  graceful.graceful_restart = GracefulRestart();
  graceful.graceful_restart->restart_seconds = 120;
  Open notified = graceful;
  notified.graceful_restart->notification = true;
  const auto notify = [](NotificationCode code) {
    return Octets([&](base::OctetWriter* out) { WriteNotification(NotificationOf(code), out); });
  };
  const struct {
    const char* what;
    Open open;
    std::vector<uint8_t> last;  // empty: the connection is lost
    bool kept;
  } kCases[] = {
      {"no graceful restart", plain, {}, false},
      {"lost", graceful, {}, true},
      {"NOTIFICATION", graceful, notify(NotificationCode::kAdministrativeReset), false},
      {"NOTIFICATION with RFC 8538", notified, notify(NotificationCode::kAdministrativeReset), true},
      {"Hard Reset", notified, notify(NotificationCode::kHardReset), false},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.what);
    Fixture f;
    f.Establish(c.open);
    if (c.last.empty()) {
      f.session.ConnectionLost(f.now);
    } else {
      f.Receive(c.last);
    }
    EXPECT_EQ(f.teller.closings, 1);
    EXPECT_EQ(f.teller.closed.graceful, c.kept);
    if (c.kept) {
      EXPECT_EQ(f.teller.closed.restart_time, absl::Seconds(120));
    }
    EXPECT_EQ(f.Sent(), "");
  }
}

TEST(Session, StopsWithAText) {
  Fixture f;
  f.Establish();
  f.session.Stop(NotificationCode::kAdministrativeShutdown, "maintenance", f.now);
  EXPECT_EQ(f.Sent(), "notification 6/2 0b6d61696e74656e616e6365");
  EXPECT_EQ(f.teller.closed_text, "maintenance");
  base::OctetWriter data;
  WriteShutdownCommunication(std::string(254, 'x') + "\xc3\xbc", &data);
  EXPECT_EQ(data.size(), 255u);  // not half a character
}

TEST(Session, EndsAfterSoManyErrors) {
  SessionOptions options;
  options.max_erroneous_updates = 3;
  Fixture f(options);
  f.Establish();
  UpdateBuilder builder;
  builder.Origin(9).AsPath({1}).NextHop("192.0.2.1").Announce("192.0.2.0/24");
  const base::Octets message = builder.Message();
  for (int i = 0; i < 3; ++i) f.session.Receive(message, f.now);
  EXPECT_EQ(f.teller.text, "-192.0.2.0/24\n-192.0.2.0/24\n-192.0.2.0/24\nclosed 0 3/0 established\n");
  Fixture g;
  g.Establish();
  for (int i = 0; i < 1000; ++i) g.session.Receive(message, g.now);
  EXPECT_FALSE(g.session.closed());
  EXPECT_EQ(g.session.counters().erroneous_updates, 1000u);
}

TEST(Session, GivesUpAFamily) {
  SessionOptions options;
  options.family_disable = true;
  Fixture f(options);
  f.Establish();
  f.Receive(RawMessage(2, {0, 0, 0, 10, 0x80, 14, 7, 0, 2, 1, 2, 1, 2, 0}));
  EXPECT_FALSE(f.session.closed());
  EXPECT_FALSE(f.session.context().families.Has(Family::kIpv6Unicast));
  EXPECT_TRUE(f.session.context().families.Has(Family::kIpv4Unicast));
}

TEST(Session, ResolvesCollisions) {
  using S = SessionState;
  using V = CollisionVerdict;
  const struct {
    const char* what;
    CollisionParty existing, incoming;
    bool replace;
    V verdict;
  } kCases[] = {
      {"another neighbour",
       {S::kOpenConfirm, 1, 1, 9, 5, true, false},
       {S::kOpenConfirm, 1, 1, 9, 6, true, false},
       false,
       V::kNone},
      {"not known yet",
       {S::kOpenSent, 1, 0, 9, 0, true, false},
       {S::kOpenConfirm, 1, 1, 9, 6, true, false},
       false,
       V::kNone},
      {"established",
       {S::kEstablished, 1, 1, 9, 5, true, false},
       {S::kOpenConfirm, 1, 1, 9, 5, true, false},
       false,
       V::kCloseNew},
      {"established, to be replaced",
       {S::kEstablished, 1, 1, 9, 5, true, false},
       {S::kOpenConfirm, 1, 1, 9, 5, true, false},
       true,
       V::kCloseExisting},
      {"established with graceful restart",
       {S::kEstablished, 1, 1, 9, 5, true, true},
       {S::kOpenConfirm, 1, 1, 9, 5, true, false},
       false,
       V::kCloseExisting},
      {"the neighbour opened both",
       {S::kOpenConfirm, 1, 1, 9, 5, true, false},
       {S::kOpenConfirm, 1, 1, 9, 5, true, false},
       false,
       V::kCloseExisting},
      {"ours is larger, ours stays",
       {S::kOpenConfirm, 1, 1, 9, 5, false, false},
       {S::kOpenConfirm, 1, 1, 9, 5, true, false},
       false,
       V::kCloseNew},
      {"ours is smaller, theirs stays",
       {S::kOpenConfirm, 1, 1, 5, 9, false, false},
       {S::kOpenConfirm, 1, 1, 5, 9, true, false},
       false,
       V::kCloseExisting},
      {"theirs came first and is larger",
       {S::kOpenConfirm, 1, 1, 5, 9, true, false},
       {S::kOpenConfirm, 1, 1, 5, 9, false, false},
       false,
       V::kCloseNew},
      {"unsigned",
       {S::kOpenConfirm, 1, 1, 0x80000000, 9, false, false},
       {S::kOpenConfirm, 1, 1, 0x80000000, 9, true, false},
       false,
       V::kCloseNew},
      {"equal identifiers: the larger AS",
       {S::kOpenConfirm, 1, 2, 9, 9, false, false},
       {S::kOpenConfirm, 1, 2, 9, 9, true, false},
       false,
       V::kCloseExisting},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(ResolveCollision(c.existing, c.incoming, c.replace), c.verdict) << c.what;
  }
  // What a session says of itself.
  Fixture f;
  EXPECT_EQ(f.session.collision_party().peer_identifier, 0u);
  f.Establish();
  EXPECT_EQ(f.session.collision_party().peer_identifier, 0xc0000201u);
  EXPECT_EQ(f.session.collision_party().local_as, 4200000000u);
}

TEST(Session, AllocatesNothingForUpdates) {
  FLOWACCT_REQUIRE_ALLOCATION_COUNT();
  class Silent : public Teller {
    void OnUpdate(const Update&, base::Octets) override {}
  } silent;
  Session session({}, &silent);
  session.Start(kStart);
  session.Receive(OpenOctets(PeerOpen()), kStart);
  session.Receive(Keepalive(), kStart);
  UpdateBuilder builder;
  builder.Origin(0).AsPath({1}).NextHop("192.0.2.1").Announce("192.0.2.0/24");
  const base::Octets message = builder.Message();
  session.Receive(message.subspan(0, 30), kStart);
  session.Receive(message.subspan(30), kStart);
  flowacct::testing::AllocationCounter allocations;
  for (int i = 0; i < 100; ++i) {
    session.Receive(message, kStart);
    session.Receive(message.subspan(0, 30), kStart);
    session.Receive(message.subspan(30), kStart);
  }
  EXPECT_EQ(allocations.allocations(), 0);
  EXPECT_EQ(session.counters().updates.announced[0], 201u);
}

}  // namespace
}  // namespace flowacct::bgp
