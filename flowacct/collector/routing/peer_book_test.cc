#include "flowacct/collector/routing/peer_book.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "flowacct/bgp/testing/update_builder.h"
#include "flowacct/collector/routing/routing_options.h"

namespace flowacct::collector {
namespace {

using bgp::Family;
using bgp::testing::AddressOf;
using bgp::testing::PrefixOf;
using bgp::testing::UpdateBuilder;

const absl::Time kStart = absl::FromUnixSeconds(1700000000);

bgp::SessionContext Context() {
  bgp::SessionContext context;
  context.families = bgp::FamilySet().Add(Family::kIpv4Unicast).Add(Family::kIpv6Unicast).Add(Family::kVpnIpv4);
  return context;
}

rib::PeerKey Key(absl::string_view address, uint32_t identifier) { return {AddressOf(address), identifier, 64500, 0}; }

struct Book {
  explicit Book(const RoutingOptions& options = {}) : book(options) {}

  PeerBook::Peer* Up(absl::string_view address, uint32_t identifier) {
    return Up(Key(address, identifier), Context().families);
  }
  PeerBook::Peer* Up(const rib::PeerKey& key, bgp::FamilySet families) {
    Announcer announcer;
    announcer.key = key;
    announcer.families = families;
    return book.Up(announcer, now);
  }
  void Take(PeerBook::Peer* peer, base::Octets message) {
    bgp::DecodeUpdate(message, Context(), &update, &counters);
    book.Take(peer, update, now);
  }
  void Announce(PeerBook::Peer* peer, const std::vector<std::string>& prefixes, uint32_t as = 1) {
    UpdateBuilder builder(Context());
    builder.Origin(0).AsPath({as}).NextHop("192.0.2.1");
    for (const std::string& prefix : prefixes) builder.Announce(prefix);
    Take(peer, builder.Message());
  }
  void AnnounceVpn(PeerBook::Peer* peer, uint64_t rd) {
    UpdateBuilder builder(Context());
    const std::vector<uint8_t> hop = {0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1};
    builder.Origin(0).AsPath({1}).MpReach(Family::kVpnIpv4, hop).MpAnnounce({PrefixOf("10.0.0.0/8"), 0, rd, {16}});
    Take(peer, builder.Message());
  }
  // Of the tables that answer: whose each is and how it comes in, e.g. "session 192.0.2.1, reflector 192.0.2.2".
  std::string Answering(absl::string_view exporter, uint64_t rd = 0) {
    std::string text;
    book.Tick(now);
    now += absl::Seconds(1);
    book.Tick(now);
    for (const rib::TableChoice& choice : book.directory().Get()->Find(AddressOf(exporter), rd)) {
      absl::StrAppend(&text, text.empty() ? "" : ", ",
                      choice.origin == rib::RouteOrigin::kSession  ? "session"
                      : choice.origin == rib::RouteOrigin::kMapped ? "mapped"
                                                                   : "reflector");
      for (const PeerBook::Peer* peer : book.Peers()) {
        if (book.rib().FindTable(peer->id, rd) == choice.table) {
          absl::StrAppend(&text, " ", peer->key.address.ToString(), peer->up ? "" : " stale");
        }
      }
    }
    return text;
  }
  void Reclaim() {
    while (book.rib().Reclaim(1000)) {
    }
  }

  PeerBook book;
  bgp::Update update;
  bgp::UpdateCounters counters;
  absl::Time now = kStart;
};

TEST(PeerBook, SaysWhoseTableAnswers) {
  RoutingOptions options;
  options.mapped = {{PrefixOf("198.51.100.4/30"), AddressOf("192.0.2.1")},
                    {PrefixOf("2001:db8::/127"), AddressOf("192.0.2.1")}};
  options.reflectors = {AddressOf("192.0.2.2")};
  Book b(options);
  EXPECT_EQ(b.Answering("192.0.2.1"), "");
  PeerBook::Peer* const one = b.Up("192.0.2.1", 0x01010101);
  PeerBook::Peer* const two = b.Up("192.0.2.2", 0x02020202);
  b.Announce(one, {"10.0.0.0/8"});
  b.AnnounceVpn(one, 7);
  EXPECT_EQ(b.Answering("192.0.2.1"), "session 192.0.2.1, reflector 192.0.2.2");
  EXPECT_EQ(b.Answering("1.1.1.1"), "session 192.0.2.1, reflector 192.0.2.2");
  EXPECT_EQ(b.Answering("192.0.2.2"), "session 192.0.2.2, reflector 192.0.2.2");
  EXPECT_EQ(b.Answering("192.0.2.1", 7), "session 192.0.2.1");
  EXPECT_EQ(b.Answering("192.0.2.2", 7), "");
  EXPECT_EQ(b.Answering("198.51.100.3"), "reflector 192.0.2.2");
  for (const char* mapped : {"198.51.100.4", "198.51.100.7", "2001:db8::", "2001:db8::1"}) {
    EXPECT_EQ(b.Answering(mapped), "mapped 192.0.2.1, reflector 192.0.2.2") << mapped;
    EXPECT_EQ(b.Answering(mapped, 7), "mapped 192.0.2.1") << mapped;
  }
  EXPECT_EQ(b.Answering("198.51.100.8"), "reflector 192.0.2.2");

  // What is stale comes last, and goes when its time is over.
  b.book.Down(one, absl::Seconds(100), b.now);
  PeerBook::Peer* const claims = b.Up("192.0.2.3", 0x01010101);
  EXPECT_EQ(b.Answering("1.1.1.1"), "session 192.0.2.3, session 192.0.2.1 stale, reflector 192.0.2.2");
  EXPECT_EQ(b.Answering("192.0.2.1"), "session 192.0.2.1 stale, reflector 192.0.2.2");
  b.now += absl::Seconds(100);
  EXPECT_EQ(b.Answering("192.0.2.1"), "reflector 192.0.2.2");
  EXPECT_EQ(b.Answering("1.1.1.1"), "session 192.0.2.3, reflector 192.0.2.2");
  b.book.Down(claims, absl::ZeroDuration(), b.now);
  b.book.Down(two, absl::Seconds(100), b.now);  // it had no routes
  EXPECT_EQ(b.Answering("1.1.1.1"), "");
  EXPECT_EQ(b.book.Peers().size(), 0u);
}

TEST(PeerBook, SelectionsAreOfPeersByAddressOrRouterId) {
  RoutingOptions options;
  options.selected = {{AddressOf("192.0.2.1"), std::nullopt}, {AddressOf("2.2.2.2"), 7}, {base::IpAddress(), 7}};
  Book b(options);
  PeerBook::Peer* const one = b.Up("192.0.2.1", 0x01010101);
  PeerBook::Peer* const two = b.Up("192.0.2.2", 0x02020202);
  b.AnnounceVpn(one, 7);
  b.AnnounceVpn(two, 7);
  b.AnnounceVpn(two, 8);
  (void)b.Answering("192.0.2.1");
  const auto selected = [&](uint32_t selector, uint64_t rd) {
    std::string text;
    const rib::TableDirectory* const directory = b.book.directory().Get();
    for (const rib::TableChoice& choice : directory->FindSelected(selector, AddressOf("192.0.2.1"), rd)) {
      for (const PeerBook::Peer* peer : b.book.Peers()) {
        if (b.book.rib().FindTable(peer->id, rd) != choice.table) continue;
        absl::StrAppend(&text, choice.origin == rib::RouteOrigin::kMapped ? "mapped " : "own ",
                        peer->key.address.ToString(), " ");
      }
    }
    return text;
  };
  EXPECT_EQ(selected(0, 0), "mapped 192.0.2.1 own 192.0.2.1 ");
  EXPECT_EQ(selected(0, 7), "mapped 192.0.2.1 own 192.0.2.1 ");
  EXPECT_EQ(selected(1, 7), "mapped 192.0.2.2 own 192.0.2.1 ");
  EXPECT_EQ(selected(1, 8), "");  // it is of 7 alone
  EXPECT_EQ(selected(2, 7), "own 192.0.2.1 ");
  EXPECT_EQ(selected(3, 0), "own 192.0.2.1 ");  // there is none
}

TEST(PeerBook, AnAddressIsWorthMoreThanAnIdentifier) {
  Book b;
  b.Up("192.0.2.9", 0xc0000201);  // says to be 192.0.2.1
  b.Up("192.0.2.1", 0xc0000201);
  EXPECT_EQ(b.Answering("192.0.2.1"), "session 192.0.2.1, session 192.0.2.9");
}

TEST(PeerBook, KeepsOneStalePeerOfAnAddress) {
  Book b;
  for (uint32_t identifier = 1; identifier <= 5; ++identifier) {
    PeerBook::Peer* const peer = b.Up("192.0.2.1", identifier);
    b.Announce(peer, {"10.0.0.0/8"}, identifier);
    b.book.Down(peer, absl::Minutes(2), b.now);
    ASSERT_EQ(b.book.Peers().size(), 1u);
    EXPECT_EQ(b.book.Peers()[0]->key.bgp_identifier, identifier);
  }
  EXPECT_EQ(b.book.evicted_peers(), 4u);
  EXPECT_EQ(b.book.rib().paths(), 1u);
}

TEST(PeerBook, KeepsAsManyStalePeersAsSessions) {
  RoutingOptions options;
  options.max_peers = 2;
  Book b(options);
  for (int i = 1; i <= 9; ++i) {
    PeerBook::Peer* const peer = b.Up(absl::StrCat("192.0.2.", i), static_cast<uint32_t>(i));
    ASSERT_NE(peer, nullptr);
    b.Announce(peer, {"10.0.0.0/8"});
    b.book.Down(peer, absl::Minutes(2), b.now);
    b.now += absl::Seconds(1);
  }
  // The last ones.
  ASSERT_EQ(b.book.Peers().size(), 4u);
  EXPECT_EQ(b.book.Peers()[0]->key.address, AddressOf("192.0.2.6"));
  EXPECT_EQ(b.book.evicted_peers(), 5u);
  EXPECT_NE(b.Up("192.0.2.1", 1), nullptr);
  EXPECT_NE(b.Up("192.0.2.9", 9), nullptr);
  EXPECT_EQ(b.Up("192.0.2.8", 8), nullptr);
}

TEST(PeerBook, ATableCanBeWaitedFor) {
  RoutingOptions options;
  options.wait_for_table = absl::Minutes(1);
  options.reflectors = {AddressOf("192.0.2.9")};
  Book b(options);
  PeerBook::Peer* const reflector = b.Up("192.0.2.9", 9);
  for (const Family family : {Family::kIpv4Unicast, Family::kIpv6Unicast, Family::kVpnIpv4}) {
    b.book.EndOfRib(reflector, family, b.now);
  }
  PeerBook::Peer* peer = b.Up("192.0.2.1", 1);
  b.Announce(peer, {"10.0.0.0/8"});
  EXPECT_EQ(b.Answering("192.0.2.1"), "reflector 192.0.2.9");
  EXPECT_TRUE(b.book.Tell(*peer).waits);
  for (const Family family : {Family::kIpv4Unicast, Family::kIpv6Unicast}) b.book.EndOfRib(peer, family, b.now);
  EXPECT_EQ(b.Answering("192.0.2.1"), "reflector 192.0.2.9");
  b.book.EndOfRib(peer, Family::kVpnIpv4, b.now);
  EXPECT_EQ(b.Answering("192.0.2.1"), "session 192.0.2.1, reflector 192.0.2.9");
  // What it told before answers while it tells it again.
  b.book.Down(peer, absl::Minutes(5), b.now);
  peer = b.Up("192.0.2.1", 1);
  EXPECT_EQ(b.Answering("192.0.2.1"), "session 192.0.2.1, reflector 192.0.2.9");
  // One that never says that it is complete.
  b.Up("192.0.2.2", 2);
  EXPECT_EQ(b.Answering("192.0.2.2"), "reflector 192.0.2.9");
  EXPECT_LE(b.book.deadline(), b.now + absl::Minutes(1));
  b.now += absl::Minutes(1);
  EXPECT_EQ(b.Answering("192.0.2.2"), "session 192.0.2.2, reflector 192.0.2.9");
  EXPECT_EQ(b.book.incomplete_tables(), 1u);
}

TEST(PeerBook, SweepsAFamilyThatIsNotAgreedAnyMore) {
  Book b;
  PeerBook::Peer* peer = b.Up("192.0.2.1", 1);
  b.Announce(peer, {"10.0.0.0/8"});
  b.book.Down(peer, absl::Minutes(2), b.now);
  peer = b.Up(Key("192.0.2.1", 1), bgp::FamilySet().Add(Family::kIpv6Unicast));
  b.Reclaim();
  EXPECT_EQ(b.book.Tell(*peer).v4.paths, 0u);
  EXPECT_EQ(b.book.Tell(*peer).v4.swept, 1u);
}

TEST(PeerBook, StaleRoutesOfANewSessionHaveTheirTime) {
  Book b;
  PeerBook::Peer* peer = b.Up("192.0.2.1", 1);
  b.Announce(peer, {"10.0.0.0/8", "11.0.0.0/8"});
  b.book.Down(peer, absl::Minutes(10), b.now);
  peer = b.Up("192.0.2.1", 1);
  b.Announce(peer, {"10.0.0.0/8"});
  EXPECT_EQ(b.book.Tell(*peer).stale_until, b.now + absl::Minutes(2));
  EXPECT_LE(b.book.deadline(), b.now + absl::Minutes(2));
  b.now += absl::Minutes(2) - absl::Seconds(1);
  b.book.Tick(b.now);
  b.Reclaim();
  EXPECT_EQ(b.book.Tell(*peer).v4.paths, 2u);
  b.now += absl::Seconds(1);
  b.book.Tick(b.now);
  b.Reclaim();
  EXPECT_EQ(b.book.Tell(*peer).v4.paths, 1u);
  EXPECT_EQ(b.book.deadline(), absl::InfiniteFuture());
}

TEST(PeerBook, BoundsWhatAPeerMakesItKeep) {
  RoutingOptions options;
  options.max_tables_per_peer = 3;
  options.rib.attribute_store.max_sets = 2;
  Book b(options);
  PeerBook::Peer* const peer = b.Up("192.0.2.1", 1);
  for (uint64_t rd = 1; rd <= 5; ++rd) b.AnnounceVpn(peer, rd);
  RoutingPeer told = b.book.Tell(*peer);
  EXPECT_EQ(told.tables, 3u);
  EXPECT_EQ(told.refused_tables, 3u);
  EXPECT_EQ(told.refused_routes, 3u);
  EXPECT_EQ(told.v4.paths, 2u);
  // Attributes that there is no place for: what the route was before is not true any more.
  b.Announce(peer, {"10.0.0.0/8"}, 2);
  b.Announce(peer, {"10.0.0.0/8", "11.0.0.0/8"}, 3);
  told = b.book.Tell(*peer);
  EXPECT_EQ(told.refused_routes, 5u);
  EXPECT_EQ(told.v4.paths, 2u);
  // Nor is it kept for who has none.
  EXPECT_EQ(b.book.rib().store().size(), 1u);
}

TEST(PeerBook, DirectoriesTakeATenthOfTheTime) {
  RoutingOptions options;
  options.mapped = {{PrefixOf("10.0.0.0/16"), AddressOf("192.0.2.1")}};
  Book b(options);
  PeerBook::Peer* const peer = b.Up("192.0.2.1", 1);
  b.book.Tick(b.now);
  EXPECT_EQ(b.book.directories(), 1u);
  b.AnnounceVpn(peer, 7);
  b.book.Tick(b.now);
  EXPECT_EQ(b.book.directories(), 1u);
  EXPECT_GT(b.book.deadline(), b.now);
  b.now = b.book.deadline();
  b.book.Tick(b.now);
  EXPECT_EQ(b.book.directories(), 2u);
  EXPECT_EQ(b.book.deadline(), absl::InfiniteFuture());
}

TEST(PeerBook, CountsFamiliesThatAreNotJoined) {
  Book b;
  PeerBook::Peer* const peer = b.Up("192.0.2.1", 1);
  UpdateBuilder builder;
  builder.Origin(0).AsPath({1}).MpReach(Family::kIpv4Multicast, base::Octets(AddressOf("192.0.2.1").data() + 12, 4));
  builder.MpAnnounce({PrefixOf("10.0.0.0/8"), 0, 0, {}});
  bgp::UpdateCounters counters;
  bgp::DecodeUpdate(builder.Message(), bgp::SessionContext(), &b.update, &counters);
  b.book.Take(peer, b.update, b.now);
  EXPECT_EQ(b.book.rib().paths(), 0u);
  RoutingPeer told = b.book.Tell(*peer);
  told.counters.updates = counters;
  EXPECT_EQ(told.not_joined(), 1u);
}

TEST(PeerBook, OfANeighborsPrefixesTheLongestCounts) {
  RoutingOptions options;
  options.wait_for_table = absl::Minutes(1);
  options.neighbors.resize(3);
  options.neighbors[0].peers = PrefixOf("192.0.2.0/24");
  options.neighbors[0].wait_for_table = absl::ZeroDuration();
  options.neighbors[1].peers = PrefixOf("192.0.2.8/32");
  options.neighbors[1].max_routes = 2;
  options.neighbors[2].peers = PrefixOf("::/0");  // no address of IPv4 is of it
  options.neighbors[2].max_routes = 1;
  ASSERT_TRUE(CheckRoutingOptions(options).ok());
  Book b(options);
  PeerBook::Peer* const by_prefix = b.Up("192.0.2.1", 1);
  PeerBook::Peer* const alone = b.Up("192.0.2.8", 8);
  PeerBook::Peer* const like_all = b.Up("198.51.100.1", 9);
  for (PeerBook::Peer* peer : {by_prefix, alone, like_all})
    b.Announce(peer, {"10.0.0.0/8", "11.0.0.0/8", "12.0.0.0/8"});
  const auto told = [&](const PeerBook::Peer* peer) {
    const RoutingPeer one = b.book.Tell(*peer);
    return absl::StrCat(one.waits ? "waits " : "answers ", one.v4.paths);
  };
  EXPECT_EQ(told(by_prefix), "answers 3");
  EXPECT_EQ(told(alone), "waits 2");
  EXPECT_EQ(told(like_all), "waits 3");
  b.now += absl::Minutes(1);
  b.book.Tick(b.now);
  EXPECT_EQ(told(alone), "answers 2");
  EXPECT_EQ(b.book.incomplete_tables(), 2u);
}

TEST(RoutingOptions, SaysWhatIsWrong) {
  EXPECT_TRUE(CheckRoutingOptions(RoutingOptions()).ok());
  const struct {
    const char* option;
    void (*spoil)(RoutingOptions*);
  } kCases[] = {
      {"listen: none", [](RoutingOptions* o) { o->listen.clear(); }},
      {"listen: 17", [](RoutingOptions* o) { o->listen.assign(17, "tcp://[::]:0"); }},
      {"listen: ", [](RoutingOptions* o) { o->listen = {"127.0.0.1:179"}; }},
      {"max_peers: 0", [](RoutingOptions* o) { o->max_peers = 0; }},
      {"max_pending: 0", [](RoutingOptions* o) { o->max_pending = 0; }},
      {"max_pending_of_address: 0", [](RoutingOptions* o) { o->max_pending_of_address = 0; }},
      {"connections_per_minute: 0", [](RoutingOptions* o) { o->connections_per_minute = 0; }},
      {"connection_burst: 0", [](RoutingOptions* o) { o->connection_burst = 0; }},
      {"max_routes_per_peer: 0", [](RoutingOptions* o) { o->max_routes_per_peer = 0; }},
      {"max_tables_per_peer: 0", [](RoutingOptions* o) { o->max_tables_per_peer = 0; }},
      {"read_octets: 1", [](RoutingOptions* o) { o->read_octets = 1; }},
      {"hold_time_seconds: 2", [](RoutingOptions* o) { o->hold_time_seconds = 2; }},
      {"open_timeout: 0", [](RoutingOptions* o) { o->open_timeout = absl::ZeroDuration(); }},
      {"stale_for: -1s", [](RoutingOptions* o) { o->stale_for = absl::Seconds(-1); }},
      {"ttl_security_hops: 255", [](RoutingOptions* o) { o->ttl_security_hops = 255; }},
      {"families: ", [](RoutingOptions* o) { o->families = bgp::FamilySet(); }},
      {"families: ", [](RoutingOptions* o) { o->families.Add(Family::kEvpn); }},
      {"md5: the key of 10.0.0.0/8 has 0",
       [](RoutingOptions* o) {
         o->md5_keys = {{PrefixOf("10.0.0.0/8"), ""}};
       }},
      {"md5: the key of ::/0 has 81",
       [](RoutingOptions* o) {
         o->md5_keys = {{base::IpPrefix(), std::string(81, 'x')}};
       }},
      {"neighbors: 4097 prefixes", [](RoutingOptions* o) { o->neighbors.resize(4097); }},
      {"neighbors: ::/0: is there twice", [](RoutingOptions* o) { o->neighbors.resize(2); }},
      {"neighbors: ::/0: hold_time_seconds: 2",
       [](RoutingOptions* o) { o->neighbors.emplace_back().hold_time_seconds = uint16_t{2}; }},
      {"neighbors: ::/0: max_routes: 0", [](RoutingOptions* o) { o->neighbors.emplace_back().max_routes = size_t{0}; }},
      {"neighbors: ::/0: stale_for: -1s",
       [](RoutingOptions* o) { o->neighbors.emplace_back().stale_for = absl::Seconds(-1); }},
      {"neighbors: ::/0: wait_for_table: 25h",
       [](RoutingOptions* o) { o->neighbors.emplace_back().wait_for_table = absl::Hours(25); }},
      {"mapped: 10.0.0.0/15",
       [](RoutingOptions* o) {
         o->mapped = {{PrefixOf("10.0.0.0/15"), {}}};
       }},
      {"mapped: ::/0",
       [](RoutingOptions* o) {
         o->mapped = {{base::IpPrefix(), {}}};
       }},
      {"mapped: 11.0.0.0/32",
       [](RoutingOptions* o) {
         o->mapped = {{PrefixOf("10.0.0.0/16"), {}}, {PrefixOf("11.0.0.0/32"), {}}};
       }},
  };
  for (const auto& c : kCases) {
    RoutingOptions options;
    c.spoil(&options);
    const absl::Status status = CheckRoutingOptions(options);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << c.option;
    EXPECT_TRUE(absl::StartsWith(status.message(), c.option)) << c.option << " / " << status;
  }
}

}  // namespace
}  // namespace flowacct::collector
