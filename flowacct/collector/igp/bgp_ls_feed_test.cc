#include "flowacct/collector/igp/bgp_ls_feed.h"

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/bgp/message_writer.h"
#include "flowacct/bgp/open.h"
#include "flowacct/bgp/session.h"
#include "flowacct/bgp/testing/update_builder.h"
#include "flowacct/bmp/testing/message_builder.h"
#include "flowacct/collector/igp/testing/bgp_ls_writer.h"
#include "flowacct/collector/routing/monitored_router.h"
#include "flowacct/collector/routing/peer_book.h"
#include "flowacct/topology/testing/random_routing.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

using bgp::ErrorAction;
using bgp::Family;
using bgp::FamilySet;
using bgp::testing::AddressOf;
using bgp::testing::UpdateBuilder;
using std::string_literals::operator""s;
using topology::Advertisement;
using topology::AdvertisementKey;
using topology::NodeStyle;

base::Octets Of(const std::string& text) { return base::AsOctets(text); }

// A book that a feed observes, and what the feed has told of each router.
class Feed {
 public:
  explicit Feed(BgpLsOptions options = {}) : feed(options, [this] { ++wakes; }), book(RoutingOptions()) {
    book.Observe({&feed});
  }
  PeerBook::Peer* Up(absl::string_view address) {
    Announcer announcer;
    announcer.key = {AddressOf(address), 1, 64500, 0};
    announcer.families = FamilySet::LinkState();
    return book.Up(announcer, now);
  }
  ErrorAction Take(PeerBook::Peer* peer, const std::string& message) {
    bgp::DecodeUpdate(Of(message), context, &update, &counters);
    if (update.action() != ErrorAction::kSessionReset) book.Take(peer, update, now);
    return update.action();
  }
  void Announce(PeerBook::Peer* peer, const BgpLsObject& object, Family family = Family::kLinkState) {
    ASSERT_EQ(Take(peer, BgpLsAnnouncement(object, family)), ErrorAction::kNone);
  }
  void Withdraw(PeerBook::Peer* peer, const BgpLsObject& object) {
    ASSERT_EQ(Take(peer, BgpLsWithdrawal({object})), ErrorAction::kNone);
  }
  // How many routers were handed over.
  size_t TakeChanges() {
    size_t n = 0;
    while (feed.TakeChanges(
        7, [&](const Advertisement& a) { routers[a.key] = a, ++n; },
        [&](const AdvertisementKey& gone) { routers.erase(gone), ++n; })) {
    }
    return n;
  }
  std::vector<std::string> Texts(NodeStyle style = NodeStyle::kIsis) {
    TakeChanges();
    std::vector<Advertisement> all;
    for (const auto& [key, a] : routers) all.push_back(a);
    return TextsOf(all, style);
  }
  static std::vector<std::string> TextsOf(const std::vector<Advertisement>& all, NodeStyle style = NodeStyle::kIsis) {
    std::vector<std::string> texts;
    for (const Advertisement& a : AsBgpLsTells(all, style)) texts.push_back(AdvertisementText(a));
    return texts;
  }

  int wakes = 0;
  BgpLsFeed feed;
  PeerBook book;
  bgp::SessionContext context;
  bgp::Update update;
  bgp::UpdateCounters counters;
  std::map<AdvertisementKey, Advertisement> routers;
  absl::Time now = absl::FromUnixSeconds(1700000000);
};

Advertisement Router(uint64_t number, uint32_t metric = 10) {
  Advertisement a;
  a.key.origin = {number << 16};
  a.name = absl::StrCat("r", number);
  topology::AdvertisedLink link;
  link.to = {(number + 1) << 16};
  link.metric = metric;
  a.links.push_back(link);
  topology::AdvertisedPrefix prefix;
  prefix.prefix = base::IpPrefix(base::IpAddress::V4(0xc6336400), 24);
  prefix.metric = 5;
  a.prefixes.push_back(prefix);
  return a;
}
// Node, link and prefix of Router(number).
std::vector<BgpLsObject> Objects(uint64_t number, uint32_t metric = 10) {
  return BgpLsObjectsOf(Router(number, metric));
}

std::vector<BgpLsObject> AllObjects(const std::vector<Advertisement>& all, const BgpLsWriting& writing) {
  std::vector<BgpLsObject> objects;
  for (const Advertisement& a : AsBgpLsTells(all, writing.style)) {
    for (BgpLsObject& object : BgpLsObjectsOf(a, writing)) objects.push_back(std::move(object));
  }
  return objects;
}

// What is learned is what was advertised, whoever of three reflectors told what, in whatever order, while some of them
// die, as one network becomes another.
TEST(BgpLsFeed, LearnsNetworksAsTheyAre) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    BgpLsWriting writing;
    writing.style = seed % 2 == 0 ? NodeStyle::kIsis : NodeStyle::kOspf;
    writing.unknown_tlvs = seed % 3 == 0;
    Feed f;
    std::vector<PeerBook::Peer*> reflectors = {f.Up("192.0.2.1"), f.Up("192.0.2.2"), f.Up("192.0.2.3")};
    std::map<std::string, std::string> before;
    for (uint64_t round = 0; round < 3; ++round) {
      std::vector<Advertisement> network = topology::RandomRouting(seed + round * 1000, seed % 5 == 0);
      if (writing.style == NodeStyle::kOspf) network = AsOspf(std::move(network));
      std::vector<BgpLsObject> objects = AllObjects(network, writing);
      std::shuffle(objects.begin(), objects.end(), random);
      std::map<std::string, std::string> now;
      for (const BgpLsObject& object : objects) now[object.nlri] = object.attribute;
      // The first reflector tells all; the others some, and die.
      for (const BgpLsObject& object : objects) {
        for (PeerBook::Peer* peer : reflectors) {
          if (peer == reflectors[0] || random() % 2 == 0) f.Announce(peer, object);
        }
        if (random() % 8 == 0) f.TakeChanges();
      }
      for (const auto& [nlri, attribute] : before) {
        if (now.count(nlri) != 0) continue;
        for (PeerBook::Peer* peer : reflectors) f.Withdraw(peer, {nlri, ""});
      }
      if (round == 1) {
        f.book.Down(reflectors[2], absl::Minutes(2), f.now);
        reflectors.pop_back();
      }
      EXPECT_EQ(f.Texts(writing.style), Feed::TextsOf(network, writing.style));
      const BgpLsFeedStatus status = f.feed.Status();
      EXPECT_EQ(status.style, writing.style);
      EXPECT_EQ(status.objects, now.size());
      EXPECT_EQ(status.waiting, 0u);
      before = std::move(now);
    }
    // What the second tells is less, and of the last network.
    f.book.Down(reflectors[0], absl::Minutes(2), f.now);
    const BgpLsFeedStatus status = f.feed.Status();
    ASSERT_EQ(status.sources.size(), 1u);
    EXPECT_EQ(status.objects, status.sources[0].objects);
    EXPECT_EQ(status.tellings, status.objects);
    f.book.Down(reflectors[1], absl::Minutes(2), f.now);
    f.TakeChanges();
    EXPECT_TRUE(f.routers.empty());
    EXPECT_EQ(f.feed.Status().tellings, 0u);
    EXPECT_EQ(f.feed.Status().routers, 0u);
  }
}

TEST(BgpLsFeed, WhatWasSaidLastCountsUntilItIsWithdrawn) {
  Feed f;
  PeerBook::Peer* const one = f.Up("192.0.2.1");
  PeerBook::Peer* const two = f.Up("192.0.2.2");
  const auto metric = [&] {
    f.TakeChanges();
    const Advertisement& a = f.routers.begin()->second;
    return a.links.empty() ? -1 : static_cast<int>(a.links[0].metric);
  };
  const BgpLsObject node = Objects(1)[0], at10 = Objects(1, 10)[1], at20 = Objects(1, 20)[1], at30 = Objects(1, 30)[1];
  f.Announce(one, node);
  f.Announce(one, at10);
  f.Announce(two, at10);
  EXPECT_EQ(metric(), 10);
  f.Announce(one, at20);
  EXPECT_EQ(metric(), 20);
  f.Announce(two, at10);  // again, as a refresh does: it says nothing new
  EXPECT_EQ(metric(), 20);
  EXPECT_EQ(f.TakeChanges(), 0u);
  f.Announce(two, at20);  // it has heard of it, too
  EXPECT_EQ(f.TakeChanges(), 0u);
  f.Announce(two, at30);
  EXPECT_EQ(metric(), 30);
  f.Withdraw(two, at30);
  EXPECT_EQ(metric(), 20);
  f.Withdraw(two, at30);
  f.Announce(two, at30);
  f.Withdraw(one, at10);  // not the one that counts
  EXPECT_EQ(metric(), 30);
  f.Withdraw(two, at30);
  EXPECT_EQ(metric(), -1);
  f.Announce(one, at10);
  f.Announce(two, at20);
  f.book.Down(two, absl::ZeroDuration(), f.now);
  EXPECT_EQ(metric(), 10);
  f.book.Down(one, absl::ZeroDuration(), f.now);
  f.TakeChanges();
  EXPECT_TRUE(f.routers.empty());
}

TEST(BgpLsFeed, WakesOnceUntilAllIsTaken) {
  Feed f;
  PeerBook::Peer* const peer = f.Up("192.0.2.1");
  for (uint64_t r = 1; r <= 20; ++r) {
    for (const BgpLsObject& object : Objects(r)) f.Announce(peer, object);
  }
  EXPECT_EQ(f.wakes, 1);
  size_t n = 0;
  const auto changed = [&](const Advertisement&) { ++n; };
  const auto gone = [&](const AdvertisementKey&) { FAIL(); };
  EXPECT_TRUE(f.feed.TakeChanges(19, changed, gone));
  EXPECT_EQ(n, 19u);
  f.Announce(peer, Objects(21)[0]);
  EXPECT_EQ(f.wakes, 1);
  EXPECT_EQ(f.TakeChanges(), 2u);
  f.Announce(peer, Objects(21)[0]);  // nothing new
  f.Withdraw(peer, Objects(22)[0]);  // nothing of it is there
  EXPECT_EQ(f.wakes, 1);
  f.Withdraw(peer, Objects(21)[0]);
  EXPECT_EQ(f.wakes, 2);
  EXPECT_EQ(f.TakeChanges(), 1u);
  // Came and went.
  f.Announce(peer, Objects(23)[0]);
  f.Withdraw(peer, Objects(23)[0]);
  EXPECT_EQ(f.TakeChanges(), 1u);
  EXPECT_EQ(f.routers.count(AdvertisementKey{2, {23 << 16}, 0}), 0u);
}

TEST(BgpLsFeed, StatusTellsOfSessions) {
  Feed f;
  PeerBook::Peer* const one = f.Up("192.0.2.1");
  PeerBook::Peer* const two = f.Up("192.0.2.2");
  f.Up("192.0.2.3");  // tells nothing of link state
  for (const BgpLsObject& object : Objects(1)) {
    f.Announce(one, object);
    f.Announce(two, object);
  }
  f.Withdraw(two, Objects(1)[0]);
  f.book.EndOfRib(one, Family::kLinkState, f.now);
  f.book.EndOfRib(two, Family::kIpv4Unicast, f.now);
  const BgpLsFeedStatus status = f.feed.Status();
  EXPECT_EQ(status.objects, 3u);
  EXPECT_EQ(status.tellings, 5u);
  EXPECT_EQ(status.routers, 1u);
  EXPECT_EQ(status.waiting, 1u);
  ASSERT_EQ(status.sources.size(), 2u);
  EXPECT_EQ(status.sources[0].address, AddressOf("192.0.2.1"));
  EXPECT_TRUE(status.sources[0].complete);
  EXPECT_EQ(status.sources[0].objects, 3u);
  EXPECT_FALSE(status.sources[1].complete);
  EXPECT_EQ(status.sources[1].objects, 2u);
  EXPECT_EQ(status.sources[1].announced, 3u);
  EXPECT_EQ(status.sources[1].withdrawn, 1u);
}

TEST(BgpLsFeed, OnlyTheNetworkThatIsAskedFor) {
  BgpLsOptions options;
  options.rd = 0xfbf400000007;
  options.instance = 3;
  Feed f(options);
  PeerBook::Peer* const peer = f.Up("192.0.2.1");
  BgpLsWriting writing;
  f.Announce(peer, BgpLsObjectsOf(Router(1), writing)[0]);
  writing.rd = options.rd;
  f.Announce(peer, BgpLsObjectsOf(Router(2), writing)[0], Family::kLinkStateVpn);
  writing.instance = 3;
  f.Announce(peer, BgpLsObjectsOf(Router(3), writing)[0], Family::kLinkStateVpn);
  writing.rd = 7;
  f.Announce(peer, BgpLsObjectsOf(Router(4), writing)[0], Family::kLinkStateVpn);
  f.TakeChanges();
  ASSERT_EQ(f.routers.size(), 1u);
  EXPECT_EQ(f.routers.begin()->second.name, "r3");
  EXPECT_EQ(f.feed.Status().counters.other_vpn, 2u);
  EXPECT_EQ(f.feed.Status().counters.other_instance, 1u);
  // Without options the VPN's are left.
  Feed g;
  PeerBook::Peer* const other = g.Up("192.0.2.1");
  g.Announce(other, BgpLsObjectsOf(Router(4), writing)[0], Family::kLinkStateVpn);
  EXPECT_EQ(g.TakeChanges(), 0u);
}

TEST(BgpLsFeed, BoundsHold) {
  BgpLsOptions options;
  options.max_objects = 3;
  Feed f(options);
  PeerBook::Peer* const one = f.Up("192.0.2.1");
  PeerBook::Peer* const two = f.Up("192.0.2.2");
  f.Announce(one, Objects(1)[0]);
  f.Announce(one, Objects(2)[0]);
  f.Announce(two, Objects(1)[0]);
  f.Announce(two, Objects(2)[0]);  // a word more of an object that is there
  f.Announce(one, Objects(3)[0]);
  BgpLsFeedStatus status = f.feed.Status();
  EXPECT_EQ(status.tellings, 3u);
  EXPECT_EQ(status.objects, 2u);
  EXPECT_EQ(status.counters.beyond_bound, 2u);
  BgpLsObject renamed = Objects(1)[0];
  renamed.attribute = BgpLsTlv(1026, "another");
  f.Announce(one, renamed);  // instead of what it said
  f.TakeChanges();
  EXPECT_EQ(f.routers.begin()->second.name, "another");
  f.Withdraw(one, Objects(2)[0]);
  f.Announce(one, Objects(3)[0]);
  EXPECT_EQ(f.feed.Status().objects, 2u);
}

// RFC 9552, 8.2.2: what is wrong within an object costs that object, what is wrong with the attribute the attribute,
// and lengths by which objects cannot be found the family or the session.
TEST(BgpLsFeed, MalformedObjects) {
  const BgpLsObject node = Objects(1)[0], link = Objects(1)[1], next = Objects(9)[0];
  const std::string head = "\2\0\0\0\0\0\0\0\0"s;
  const auto of = [](const std::string& system) { return BgpLsTlv(512, "\0\0\xfb\xf4"s) + BgpLsTlv(515, system); };
  const std::string a = "\0\0\0\0\0\1"s, b = "\0\0\0\0\0\2"s;
  const struct {
    const char* what;
    std::string nlri, attribute;
    uint64_t malformed, unknown, attributes;
    size_t objects;
  } cases[] = {
      {"right", node.nlri, node.attribute, 0, 0, 0, 1},
      {"a TLV longer than its object", BgpLsTlv(1, head + "\1\0\0\x20"s + of(a)), "", 1, 0, 0, 0},
      {"TLVs shorter than their object", BgpLsTlv(1, head + BgpLsTlv(256, of(a)) + "\0"s), "", 1, 0, 0, 0},
      {"a descriptor longer than its node", BgpLsTlv(1, head + BgpLsTlv(256, "\2\3\0\x10\0\0\0\0"s)), "", 1, 0, 0, 0},
      {"descriptors that descend", BgpLsTlv(1, head + BgpLsTlv(256, BgpLsTlv(515, a) + BgpLsTlv(512, "1234"))), "", 1,
       0, 0, 0},
      {"a descriptor twice", BgpLsTlv(1, head + BgpLsTlv(256, BgpLsTlv(515, a) + BgpLsTlv(515, b))), "", 1, 0, 0, 0},
      {"TLVs that descend", BgpLsTlv(2, head + BgpLsTlv(257, of(b)) + BgpLsTlv(256, of(a))), "", 1, 0, 0, 0},
      {"two local nodes", BgpLsTlv(1, head + BgpLsTlv(256, of(a)) + BgpLsTlv(256, of(b))), "", 1, 0, 0, 0},
      {"an address of five octets",
       BgpLsTlv(2, head + BgpLsTlv(256, of(a)) + BgpLsTlv(257, of(b)) + BgpLsTlv(259, "12345")), "", 1, 0, 0, 0},
      {"no node", BgpLsTlv(1, head), "", 1, 0, 0, 0},
      {"nothing", BgpLsTlv(1, ""), "", 1, 0, 0, 0},
      {"a type of later", BgpLsTlv(6, node.nlri.substr(4)), "", 0, 1, 0, 0},
      {"TLVs of later, one of them twice",
       BgpLsTlv(1, head + BgpLsTlv(256, of(a)) + BgpLsTlv(60000, "2") + BgpLsTlv(60000, "12")), "", 0, 0, 0, 1},
      {"an attribute that is cut", node.nlri, "\4\0\0"s, 0, 0, 1, 1},
      {"an attribute's TLV that lies", node.nlri, node.attribute + "\4\2\0\7x"s, 0, 0, 1, 1},
      {"an attribute's TLV of a length that is none of its", link.nlri, link.attribute + BgpLsTlv(1092, "1"), 0, 0, 1,
       0},
      {"a link without a metric", link.nlri, BgpLsTlv(1098, "duct"), 0, 0, 0, 0},
      {"a link without an attribute", link.nlri, "", 0, 0, 0, 0},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    Feed f;
    PeerBook::Peer* const peer = f.Up("192.0.2.1");
    // Objects in front of it and behind stay.
    for (const BgpLsObject& object : {BgpLsObject{c.nlri, c.attribute}, BgpLsObject{c.nlri + next.nlri, c.attribute},
                                      BgpLsObject{next.nlri + c.nlri, c.attribute}}) {
      const ErrorAction action = f.Take(peer, BgpLsAnnouncement(object));
      EXPECT_LE(action, ErrorAction::kAttributeDiscard);
    }
    const BgpLsFeedStatus status = f.feed.Status();
    ASSERT_EQ(status.sources.size(), 1u);
    EXPECT_EQ(status.sources[0].malformed_objects, 3 * c.malformed);
    EXPECT_EQ(status.sources[0].unknown_objects, 3 * c.unknown);
    EXPECT_EQ(status.sources[0].malformed_attributes, 3 * c.attributes);
    EXPECT_EQ(status.objects, c.objects + 1);
    // Withdrawn in the same way.
    EXPECT_EQ(f.Take(peer, BgpLsWithdrawal({{c.nlri, ""}, next})), ErrorAction::kNone);
    EXPECT_EQ(f.feed.Status().objects, 0u);
  }

  // A discarded attribute takes the link away that an earlier one made.
  Feed f;
  PeerBook::Peer* const peer = f.Up("192.0.2.1");
  f.Announce(peer, node);
  f.Announce(peer, link);
  EXPECT_EQ(f.Take(peer, BgpLsAnnouncement({link.nlri, "\4"s})), ErrorAction::kAttributeDiscard);
  f.TakeChanges();
  EXPECT_TRUE(f.routers.begin()->second.links.empty());
  EXPECT_EQ(f.feed.Status().counters.no_metric, 1u);
  // Without ORIGIN it is treated as withdrawn (RFC 7606, 3.d).
  UpdateBuilder builder;
  builder.AsPath({}).MpReach(Family::kLinkState, Of("\xc0\0\2\1"s)).RawMpAnnounce(Of(node.nlri));
  EXPECT_EQ(f.Take(peer, std::string(base::AsText(builder.Message()))), ErrorAction::kTreatAsWithdraw);
  EXPECT_EQ(f.feed.Status().objects, 0u);
}

TEST(BgpLsFeed, LengthsByWhichNothingCanBeFound) {
  const BgpLsObject node = Objects(1)[0];
  for (const bool alone : {true, false}) {
    for (const bool withdrawn : {true, false}) {
      SCOPED_TRACE(absl::StrCat(alone, withdrawn));
      Feed f;
      f.context.link_state_disable = !alone;
      PeerBook::Peer* const peer = f.Up("192.0.2.1");
      f.Announce(peer, Objects(5)[0]);
      BgpLsObject cut = node;
      cut.nlri.pop_back();
      const ErrorAction action = f.Take(peer, withdrawn ? BgpLsWithdrawal({cut}) : BgpLsAnnouncement(cut));
      EXPECT_EQ(action, alone ? ErrorAction::kSessionReset : ErrorAction::kFamilyDisable);
      EXPECT_EQ(f.feed.Status().objects, alone ? 1u : 0u);  // then the session ends, and with it all
    }
  }
}

// A peer alone, of which no book knows: light.
struct LonePeer {
  LonePeer() { peer.key.address = AddressOf("192.0.2.1"); }
  ErrorAction Take(const std::string& message) {
    bgp::DecodeUpdate(Of(message), bgp::SessionContext(), &update, &counters);
    if (update.action() != ErrorAction::kSessionReset) feed.OnUpdate(peer, update, absl::UnixEpoch());
    return update.action();
  }

  BgpLsFeed feed;
  PeerBook::Peer peer;
  bgp::Update update;
  bgp::UpdateCounters counters;
};

// No cut makes an object that was not told; what is left of a message is nothing or an end of the session.
TEST(BgpLsFeed, MessagesCutAtEveryOctet) {
  for (const NodeStyle style : {NodeStyle::kIsis, NodeStyle::kOspf}) {
    BgpLsWriting writing;
    writing.style = style;
    std::vector<Advertisement> network = topology::RandomRouting(7);
    if (style == NodeStyle::kOspf) network = AsOspf(std::move(network));
    std::vector<BgpLsObject> objects = AllObjects(network, writing);
    objects.resize(std::min<size_t>(objects.size(), 40));
    for (const BgpLsObject& object : objects) {
      const std::string message = BgpLsAnnouncement(object);
      for (size_t size = 0; size < message.size(); ++size) {
        LonePeer p;
        p.Take(message.substr(0, size));
        EXPECT_EQ(p.feed.Status().objects, 0u) << size;
      }
      LonePeer whole;
      EXPECT_EQ(whole.Take(message), ErrorAction::kNone);
      EXPECT_EQ(whole.feed.Status().objects, 1u);
      // The object cut, and all lengths around it right.
      for (size_t size = 4; size < object.nlri.size(); ++size) {
        LonePeer p;
        const std::string nlri = BgpLsTlv(static_cast<uint16_t>(object.nlri[1]), object.nlri.substr(4, size - 4));
        EXPECT_EQ(p.Take(BgpLsAnnouncement({nlri, object.attribute})), ErrorAction::kNone);
        const BgpLsFeedStatus status = p.feed.Status();
        ASSERT_EQ(status.sources.size(), 1u);
        EXPECT_EQ(status.sources[0].malformed_objects + status.sources[0].announced, 1u);
        // Between TLVs it is another object, that has no need of those behind.
        EXPECT_EQ(status.objects, status.sources[0].announced) << size;
      }
      for (size_t size = 0; size < object.attribute.size(); ++size) {
        LonePeer p;
        EXPECT_LE(p.Take(BgpLsAnnouncement({object.nlri, object.attribute.substr(0, size)})),
                  ErrorAction::kAttributeDiscard);
        const BgpLsFeedStatus status = p.feed.Status();
        EXPECT_EQ(status.objects + status.counters.no_metric, 1u);
      }
    }
  }
}

// A session that agrees on the family, or does not; with routes beside it, or alone.
class SessionFeed : private bgp::SessionListener {
 public:
  SessionFeed(FamilySet own, FamilySet theirs) : session_(OptionsOf(own), this) {
    session_.Start(now_);
    bgp::Open open;
    open.as = 64500;
    open.as4 = true;
    open.bgp_identifier = 0x0a000002;
    open.families = theirs;
    base::OctetWriter out;
    bgp::WriteOpen(open, &out);
    bgp::WriteKeepalive(&out);
    session_.Receive(out.octets(), now_);
  }
  void Receive(const std::string& message) { session_.Receive(Of(message), now_); }
  FamilySet agreed() const { return session_.context().families; }
  bool closed() const { return session_.closed(); }
  void Lose() { session_.ConnectionLost(now_); }
  Feed f;

 private:
  static bgp::SessionOptions OptionsOf(FamilySet families) {
    bgp::SessionOptions options;
    options.families = families;
    return options;
  }
  void OnEstablished(const bgp::SessionContext&, const bgp::Open&) override { peer_ = f.Up("192.0.2.2"); }
  void OnUpdate(const bgp::Update& update, base::Octets) override { f.book.Take(peer_, update, now_); }
  void OnEndOfRib(Family family) override { f.book.EndOfRib(peer_, family, now_); }
  void OnRouteRefresh(Family, bgp::RouteRefreshSubtype) override {}
  void OnClosed(const bgp::SessionClosed&) override {
    if (peer_ != nullptr) f.book.Down(peer_, absl::Minutes(2), now_);
  }

  absl::Time now_ = absl::FromUnixSeconds(1700000000);
  PeerBook::Peer* peer_ = nullptr;
  bgp::Session session_;
};

TEST(BgpLsFeed, Sessions) {
  const FamilySet unicast = FamilySet().Add(Family::kIpv4Unicast), link_state = FamilySet().Add(Family::kLinkState);
  const std::string one = BgpLsAnnouncement(Objects(1)[0]), two = BgpLsAnnouncement(Objects(2)[0]);
  BgpLsObject broken = Objects(3)[0];
  broken.nlri.pop_back();
  const std::string wrong = BgpLsAnnouncement(broken);
  {
    SessionFeed s(unicast, unicast | link_state);  // not switched on
    s.Receive(one);
    EXPECT_EQ(s.agreed(), unicast);
    EXPECT_EQ(s.f.feed.Status().objects, 0u);
    EXPECT_FALSE(s.closed());
  }
  {
    SessionFeed s(FamilySet::Joined() | FamilySet::LinkState(), unicast | link_state);
    s.Receive(one + two);
    EXPECT_EQ(s.agreed(), unicast | link_state);
    EXPECT_EQ(s.f.feed.Status().objects, 2u);
    EXPECT_FALSE(s.f.feed.Status().sources[0].complete);
    s.Receive(BgpLsWithdrawal({}));
    EXPECT_TRUE(s.f.feed.Status().sources[0].complete);
    // Routes are agreed, too: link state is given up, what was told of it is gone, and no more is taken.
    s.Receive(wrong);
    EXPECT_FALSE(s.closed());
    EXPECT_EQ(s.agreed(), unicast);
    EXPECT_EQ(s.f.feed.Status().objects, 0u);
    s.Receive(one);
    EXPECT_EQ(s.f.feed.Status().objects, 0u);
    EXPECT_FALSE(s.closed());
  }
  {
    SessionFeed s(FamilySet::Joined() | FamilySet::LinkState(), link_state);
    s.Receive(one + two);
    EXPECT_EQ(s.f.feed.Status().objects, 2u);
    s.Receive(wrong);  // alone
    EXPECT_TRUE(s.closed());
    EXPECT_EQ(s.f.feed.Status().objects, 0u);
    EXPECT_TRUE(s.f.feed.Status().sources.empty());
  }
  {
    SessionFeed s(FamilySet::Joined() | FamilySet::LinkState(), link_state);
    s.Receive(one.substr(0, 30));
    s.Receive(one.substr(30));
    EXPECT_EQ(s.f.feed.Status().objects, 1u);
    s.Lose();
    EXPECT_EQ(s.f.feed.Status().objects, 0u);
  }
}

TEST(BgpLsFeed, BmpStreams) {
  Feed f;
  const RoutingOptions options;
  const std::vector<RoutingObserver*> observers = {&f.feed};
  auto router = std::make_unique<MonitoredRouter>(AddressOf("192.0.2.1"), 1234, options, &f.book, observers, f.now);
  bmp::testing::BuiltPeer first, second, after_policy, loc_rib;
  first.address = AddressOf("198.51.100.1");
  second.address = AddressOf("2001:db8::2");
  after_policy = first;
  after_policy.flags = 0x40;
  loc_rib.type = bmp::PeerType::kLocRibInstance;
  const auto up = [&](const bmp::testing::BuiltPeer& peer) {
    const auto open = bmp::testing::OpenMessage(64496);
    const auto message = bmp::testing::PeerUpMessage(peer, base::Octets(open), base::Octets(open));
    EXPECT_TRUE(router->Receive(base::Octets(message), f.now));
  };
  const auto update = [&](const bmp::testing::BuiltPeer& peer, const std::string& text) {
    const auto message = bmp::testing::RouteMonitoringMessage(peer, Of(text));
    EXPECT_TRUE(router->Receive(base::Octets(message), f.now));
  };
  const auto down = [&](const bmp::testing::BuiltPeer& peer) {
    const auto message = bmp::testing::PeerDownMessage(peer, 4, {});
    EXPECT_TRUE(router->Receive(base::Octets(message), f.now));
  };
  for (const auto& peer : {first, second, loc_rib}) up(peer);
  const std::vector<BgpLsObject> objects = Objects(1);
  update(first, BgpLsAnnouncement(objects[0]));
  update(first, BgpLsAnnouncement(objects[1]));
  update(after_policy, BgpLsAnnouncement(objects[0]));
  update(second, BgpLsAnnouncement(objects[0]));
  update(loc_rib, BgpLsAnnouncement(Objects(2)[0]));
  update(first, BgpLsWithdrawal({}));
  BgpLsFeedStatus status = f.feed.Status();
  EXPECT_EQ(status.objects, 3u);
  EXPECT_EQ(status.tellings, 5u);
  ASSERT_EQ(status.sources.size(), 4u);
  for (const BgpLsSourceStatus& source : status.sources) EXPECT_EQ(source.told_by, AddressOf("192.0.2.1"));
  EXPECT_EQ(std::count_if(status.sources.begin(), status.sources.end(), [](const auto& s) { return s.complete; }), 1);
  // A message whose objects cannot be found says nothing; the rest goes on.
  BgpLsObject broken = Objects(3)[0];
  broken.nlri.pop_back();
  update(first, BgpLsAnnouncement(broken));
  EXPECT_EQ(f.feed.Status().objects, 3u);

  down(first);  // both of its tables
  EXPECT_EQ(f.feed.Status().tellings, 2u);
  EXPECT_EQ(f.feed.Status().objects, 2u);
  update(second, BgpLsWithdrawal({objects[0]}));
  f.TakeChanges();
  ASSERT_EQ(f.routers.size(), 1u);
  EXPECT_EQ(f.routers.begin()->second.name, "r2");
  router->End("lost", options.bmp_stale_for, f.now);
  f.TakeChanges();
  EXPECT_TRUE(f.routers.empty());
}

}  // namespace
}  // namespace flowacct::collector
