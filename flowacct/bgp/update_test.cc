#include "flowacct/bgp/update.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "flowacct/bgp/attribute_set.h"
#include "flowacct/bgp/canonicalize.h"
#include "flowacct/bgp/message_view.h"
#include "flowacct/bgp/testing/update_builder.h"
#include "flowacct/testing/allocation_counter.h"
#include "gtest/gtest.h"

namespace flowacct::bgp {
namespace {

using testing::AddressOf;
using testing::BuiltRoute;
using testing::PrefixOf;
using testing::UpdateBuilder;

std::string RouteText(const Nlri& route) {
  std::string text = route.prefix().ToString();
  if (route.has_path_id) absl::StrAppend(&text, " id ", route.path_id);
  if (route.rd != 0) absl::StrAppend(&text, " rd ", RouteDistinguisherText(route.rd));
  if (route.label_count != 0) absl::StrAppend(&text, " label ", route.label);
  if (route.label_count > 1) absl::StrAppend(&text, " of ", route.label_count);
  return text;
}

std::string SectionsText(absl::Span<const NlriSection> sections) {
  std::string text;
  for (const NlriSection& section : sections) {
    absl::StrAppend(&text, text.empty() ? "" : "; ", RowOf(section.family).name, " x", section.count, ":");
    uint32_t visited = 0;
    section.Visit([&](const Nlri& route) { absl::StrAppend(&text, visited++ == 0 ? " " : ", ", RouteText(route)); });
    if (RowOf(section.family).shape <= NlriShape::kVpn) {
      EXPECT_EQ(visited, section.count);
    }
  }
  return text;
}

struct Decoded {
  Update update;
  UpdateCounters counters;
  std::vector<uint8_t> message, buffer;

  Decoded(base::Octets octets, const SessionContext& context) : message(octets.begin(), octets.end()) {
    DecodeUpdate(message, context, &update, &counters);
  }
  AttributeSetView Set(size_t section = 0) {
    return AttributeSetView(CanonicalizeAttributes(update, update.announced()[section], &buffer));
  }
};

std::unique_ptr<Decoded> Decode(base::Octets message, const SessionContext& context = {}) {
  return std::make_unique<Decoded>(message, context);
}

UpdateBuilder Typical(const SessionContext& context = {}) {
  UpdateBuilder builder(context);
  builder.Origin(0).AsPath({64496, 64497, 4200000000}).NextHop("192.0.2.1");
  return builder;
}

std::vector<uint8_t> Hop(std::initializer_list<absl::string_view> addresses, bool rd = false) {
  std::vector<uint8_t> octets;
  for (absl::string_view text : addresses) {
    const base::IpAddress address = AddressOf(text);
    if (rd) octets.insert(octets.end(), 8, 0);
    octets.insert(octets.end(), address.data() + (address.IsV4() ? 12 : 0), address.data() + 16);
  }
  return octets;
}

TEST(Update, TellsRoutesAndAttributes) {
  UpdateBuilder builder = Typical();
  builder.Med(7).LocalPref(200).Communities({0xfbf00001, 0xffffff01}).Aggregator(4200000001, "192.0.2.9");
  builder.LargeCommunities({64496, 1, 2, 64497, 3, 4});
  builder.Withdraw("203.0.113.128/25").Announce("198.51.100.0/24").Announce("0.0.0.0/0").Announce("192.0.2.255/32");
  auto d = Decode(builder.Message());
  EXPECT_EQ(d->update.action(), ErrorAction::kNone);
  EXPECT_EQ(SectionsText(d->update.withdrawn()), "ipv4_unicast x1: 203.0.113.128/25");
  EXPECT_EQ(SectionsText(d->update.announced()), "ipv4_unicast x3: 198.51.100.0/24, 0.0.0.0/0, 192.0.2.255/32");
  EXPECT_FALSE(d->update.end_of_rib());
  const AttributeSetView set = d->Set();
  EXPECT_EQ(set.origin(), Origin::kIgp);
  EXPECT_EQ(set.as_path().ToString(), "64496 64497 4200000000");
  EXPECT_EQ(set.next_hop()->ToString(), "192.0.2.1");
  EXPECT_EQ(set.med(), 7u);
  EXPECT_EQ(set.local_pref(), 200u);
  EXPECT_EQ(set.communities().size(), 2u);
  EXPECT_EQ(set.communities()[1], 0xffffff01u);
  EXPECT_EQ(set.large_communities()[1], (LargeCommunity{64497, 3, 4}));
  EXPECT_EQ(set.aggregator()->as, 4200000001u);
  EXPECT_EQ(set.aggregator()->speaker.ToString(), "192.0.2.9");
  EXPECT_FALSE(set.originator_id());
  EXPECT_FALSE(set.otc());
  EXPECT_EQ(d->counters.announced[0], 3u);
  EXPECT_EQ(d->counters.withdrawn[0], 1u);
}

// Each family with path identifiers and without, announced and withdrawn.
TEST(Update, TellsRoutesOfAllFamilies) {
  const struct {
    Family family;
    std::vector<uint8_t> hop;
    const char* hop_text;
    std::vector<BuiltRoute> routes;
    const char *announced, *withdrawn;
  } kCases[] = {
      {Family::kIpv4Unicast,
       Hop({"2001:db8::1"}),
       "2001:db8::1",
       {{PrefixOf("198.51.100.0/23"), 0, 0, {}}},
       "198.51.100.0/23",
       "198.51.100.0/23"},
      {Family::kIpv6Unicast,
       Hop({"2001:db8::1", "fe80::1"}),
       "2001:db8::1",
       {{PrefixOf("2001:db8:8000::/33"), 0, 0, {}},
        {PrefixOf("::/0"), 0, 0, {}},
        {PrefixOf("2001:db8::7/128"), 0, 0, {}},
        {PrefixOf("2001:db8:0:0:8000::/65"), 0, 0, {}}},
       "2001:db8:8000::/33, ::/0, 2001:db8::7/128, 2001:db8:0:0:8000::/65",
       "2001:db8:8000::/33, ::/0, 2001:db8::7/128, 2001:db8:0:0:8000::/65"},
      {Family::kIpv4Multicast,
       Hop({"192.0.2.1"}),
       "192.0.2.1",
       {{PrefixOf("198.51.100.0/24"), 0, 0, {}}},
       "198.51.100.0/24",
       "198.51.100.0/24"},
      {Family::kLabelledIpv4,
       Hop({"192.0.2.1"}),
       "192.0.2.1",
       {{PrefixOf("198.51.100.0/24"), 0, 0, {16}},
        {PrefixOf("0.0.0.0/0"), 0, 0, {3}},
        {PrefixOf("192.0.2.4/30"), 0, 0, {100, 200, 300}}},
       "198.51.100.0/24 label 16, 0.0.0.0/0 label 3, 192.0.2.4/30 label 100 of 3",
       "198.51.100.0/24 label 524288, 0.0.0.0/0 label 524288, 192.0.2.4/30 label 524288"},
      {Family::kLabelledIpv6,
       Hop({"2001:db8::1"}),
       "2001:db8::1",
       {{PrefixOf("2001:db8::/32"), 0, 0, {17}}},
       "2001:db8::/32 label 17",
       "2001:db8::/32 label 524288"},
      {Family::kVpnIpv4,
       Hop({"192.0.2.1"}, true),
       "192.0.2.1",
       {{PrefixOf("10.0.0.0/8"), 0, 0x0000fde800000007, {99}},
        {PrefixOf("0.0.0.0/0"), 0, 0x0001c00002010008, {98, 97}}},
       "10.0.0.0/8 rd 65000:7 label 99, 0.0.0.0/0 rd 192.0.2.1:8 label 98 of 2",
       "10.0.0.0/8 rd 65000:7 label 524288, 0.0.0.0/0 rd 192.0.2.1:8 label 524288"},
      {Family::kVpnIpv4,
       Hop({"2001:db8::1"}, true),
       "2001:db8::1",
       {{PrefixOf("10.0.0.0/8"), 0, 0x0002fa56ea000009, {99}}},
       "10.0.0.0/8 rd 4200000000:9 label 99",
       "10.0.0.0/8 rd 4200000000:9 label 524288"},
      {Family::kVpnIpv6,
       Hop({"2001:db8::1", "fe80::1"}, true),
       "2001:db8::1",
       {{PrefixOf("2001:db8::/48"), 0, 0x0000fde800000007, {1048575}}},
       "2001:db8::/48 rd 65000:7 label 1048575",
       "2001:db8::/48 rd 65000:7 label 524288"},
  };
  for (const bool add_path : {false, true}) {
    for (const auto& c : kCases) {
      SCOPED_TRACE(RowOf(c.family).name);
      SessionContext context;
      if (add_path) context.add_path.Add(c.family);
      UpdateBuilder builder(context);
      builder.MpReach(c.family, c.hop).MpUnreach(c.family);
      std::string announced = c.announced, withdrawn = c.withdrawn;
      for (BuiltRoute route : c.routes) {
        route.path_id = 77;
        builder.MpAnnounce(route);
        route.labels.clear();
        builder.MpWithdraw(route);
      }
      builder.Origin(2).AsPath({});
      auto d = Decode(builder.Message(), context);
      EXPECT_EQ(d->update.action(), ErrorAction::kNone);
      const auto with_ids = [&](std::string text) {
        if (!add_path) return text;
        for (size_t at = 0; (at = text.find('/', at)) != std::string::npos;) {
          at = std::min(text.find_first_of(" ,", at), text.size());
          text.insert(at, " id 77");
        }
        return text;
      };
      const std::string head = absl::StrCat(RowOf(c.family).name, " x", c.routes.size(), ": ");
      EXPECT_EQ(SectionsText(d->update.announced()), head + with_ids(announced));
      EXPECT_EQ(SectionsText(d->update.withdrawn()), head + with_ids(withdrawn));
      EXPECT_EQ(d->Set().next_hop()->ToString(), c.hop_text);
      EXPECT_EQ(d->Set().link_local_next_hop().has_value(), c.hop.size() == 32 || c.hop.size() == 48);
      EXPECT_EQ(d->counters.announced[static_cast<size_t>(c.family)], c.routes.size());
      EXPECT_EQ(d->counters.withdrawn[static_cast<size_t>(c.family)], c.routes.size());
    }
  }
}

TEST(Update, ClearsHostBits) {
  UpdateBuilder builder = Typical();
  builder.RawAnnounce(std::vector<uint8_t>{9, 0xc0, 0xff, 24, 1, 2, 3});
  EXPECT_EQ(SectionsText(Decode(builder.Message())->update.announced()), "ipv4_unicast x2: 192.128.0.0/9, 1.2.3.0/24");
  UpdateBuilder v6;
  v6.Origin(0).AsPath({1}).MpReach(Family::kIpv6Unicast, Hop({"2001:db8::1"}));
  v6.RawMpAnnounce(std::vector<uint8_t>{17, 0x20, 0x01, 0xff, 1, 0xff});
  EXPECT_EQ(SectionsText(Decode(v6.Message())->update.announced()), "ipv6_unicast x2: 2001:8000::/17, 8000::/1");
}

// Reads routes bit by bit, without labels: what the walk does with loads and masks.
std::string SlowRoutes(base::Octets octets, bool v6, bool add_path) {
  std::string text;
  size_t at = 0;
  const auto octet = [&] { return at < octets.size() ? octets[at++] : (at = octets.size() + 1, uint8_t{0}); };
  while (at < octets.size()) {
    uint32_t id = 0;
    for (int i = 0; i < 4 && add_path; ++i) id = id << 8 | octet();
    const size_t bits = octet();
    uint8_t address[16] = {};
    for (size_t bit = 0; bit < bits; bit += 8) {
      const uint8_t value = octet();
      for (size_t i = bit; i < bit + 8 && i < bits; ++i) {
        if (i / 8 < 16) address[i / 8] |= value & (0x80 >> (i % 8));
      }
    }
    if (at > octets.size() || bits > (v6 ? 128u : 32u)) return text + "wrong";
    absl::StrAppend(&text, absl::BytesToHexString(base::AsText(base::Octets(address, v6 ? 16 : 4))), "/", bits, " ", id,
                    "\n");
  }
  return text;
}

TEST(Update, WalksRoutesAsASlowTwinDoes) {
  std::mt19937 random(1);
  size_t right = 0;
  for (int round = 0; round < 20000; ++round) {
    const bool v6 = round % 2 != 0, add_path = round % 4 > 1;
    const Family family = v6 ? Family::kIpv6Unicast : Family::kIpv4Unicast;
    std::vector<uint8_t> octets;
    for (size_t n = random() % 6; n > 0; --n) {
      for (size_t i = 0; i < (add_path ? 4 : 0); ++i) octets.push_back(static_cast<uint8_t>(random()));
      const size_t bits = random() % (v6 ? 129 : 33);
      octets.push_back(static_cast<uint8_t>(bits));
      for (size_t i = 0; i < (bits + 7) / 8; ++i) octets.push_back(static_cast<uint8_t>(random()));
    }
    if (!octets.empty() && random() % 4 == 0) octets.resize(random() % octets.size());
    if (!octets.empty() && random() % 8 == 0) octets[random() % octets.size()] = static_cast<uint8_t>(random());
    octets.shrink_to_fit();
    std::string text;
    const size_t end = VisitNlri(family, add_path, octets, [&](const Nlri& route) {
      const base::Octets address(route.address.data() + (v6 ? 0 : 12), v6 ? 16 : 4);
      absl::StrAppend(&text, absl::BytesToHexString(base::AsText(address)), "/", route.length, " ", route.path_id,
                      "\n");
    });
    const NlriCheck check = CheckNlri(family, add_path, octets);
    EXPECT_EQ(check.ok, end == octets.size());
    right += check.ok;
    ASSERT_EQ(text + (check.ok ? "" : "wrong"), SlowRoutes(octets, v6, add_path));
  }
  EXPECT_GT(right, 10000u);
  EXPECT_LT(right, 19000u);
}

TEST(Update, ReadsLabelsAsTheyAreSent) {
  const struct {
    const char* what;
    std::vector<uint8_t> octets;
    const char* text;
  } kCases[] = {
      {"compatibility field", {48, 0x80, 0, 0, 10, 1, 2}, "10.1.2.0/24 label 524288"},
      {"zero", {48, 0, 0, 0, 10, 1, 3}, "10.1.3.0/24 label 0"},
      {"no bottom within the route: one label", {48, 0, 1, 0, 10, 1, 2}, "10.1.2.0/24 label 16"},
      {"two labels", {72, 0, 1, 0, 0, 2, 1, 10, 1, 2}, "10.1.2.0/24 label 16 of 2"},
      {"default route", {24, 0, 1, 1}, "0.0.0.0/0 label 16"},
  };
  for (const auto& c : kCases) {
    UpdateBuilder builder;
    builder.MpUnreach(Family::kLabelledIpv4).RawMpWithdraw(c.octets);
    EXPECT_EQ(SectionsText(Decode(builder.Message())->update.withdrawn()), std::string("labelled_ipv4 x1: ") + c.text)
        << c.what;
  }
}

TEST(Update, CountsFamiliesThatAreNotJoined) {
  const struct {
    Family family;
    std::vector<uint8_t> octets;
    uint32_t count;
    bool right;
  } kCases[] = {
      {Family::kEvpn, {2, 3, 1, 2, 3, 5, 0}, 2, true},
      {Family::kEvpn, {2, 3, 1, 2, 3, 5, 9}, 1, false},
      {Family::kMcastVpnIpv4, {1, 1, 0}, 1, true},
      {Family::kLinkState, {0, 1, 0, 2, 8, 9, 0, 2, 0, 0}, 2, true},
      {Family::kLinkStateSpf, {0, 1, 0}, 0, false},
      {Family::kFlowSpecIpv4, {3, 1, 8, 10, 0xf0, 1, 9}, 2, true},
      {Family::kFlowSpecVpnIpv4, {0xf0}, 0, false},
      {Family::kRouteTarget, {0, 96, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 2, true},
      {Family::kSrPolicyIpv4, {96, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 1, true},
      {Family::kVpls, {0, 1, 9, 0, 0}, 2, true},
      {Family::kVpls, {0, 3, 9}, 0, false},
  };
  for (const auto& c : kCases) {
    for (const bool add_path : {false, true}) {
      if (add_path && c.count != 1) continue;  // one identifier before one route
      SCOPED_TRACE(RowOf(c.family).name);
      SessionContext context;
      std::vector<uint8_t> octets = c.octets;
      if (add_path) {
        context.add_path.Add(c.family);
        octets.insert(octets.begin(), 4, 0);
      }
      UpdateBuilder builder(context);
      builder.Origin(0).AsPath({1}).MpReach(c.family, Hop({"192.0.2.1"})).RawMpAnnounce(octets);
      auto d = Decode(builder.Message(), context);
      EXPECT_EQ(d->update.action(), ErrorAction::kNone);
      ASSERT_EQ(d->update.announced().size(), 1u);
      EXPECT_EQ(d->update.announced()[0].count, c.count);
      EXPECT_EQ(d->counters.announced[static_cast<size_t>(c.family)], c.count);
      EXPECT_EQ(d->counters.faults[static_cast<size_t>(UpdateFault::kUncountedNlri)], c.right ? 0u : 1u);
      EXPECT_EQ(d->Set().next_hop()->ToString(), "192.0.2.1");
    }
  }
}

// RFC 9552, 8.2.2: objects that cannot be found end the session, or the family where others are agreed.
TEST(Update, LinkStateThatCannotBeFound) {
  for (const Family family : {Family::kLinkState, Family::kLinkStateVpn}) {
    for (const std::vector<uint8_t>& octets : {std::vector<uint8_t>{0, 1, 0}, {0, 1, 0, 3, 1, 2}, {0, 1, 0, 0, 9}}) {
      for (const bool withdrawn : {false, true}) {
        for (const bool others : {false, true}) {
          SessionContext context;
          context.link_state_disable = others;
          UpdateBuilder builder(context);
          builder.Origin(0).AsPath({1});
          if (withdrawn) {
            builder.MpUnreach(family).RawMpWithdraw(octets);
          } else {
            builder.MpReach(family, Hop({"192.0.2.1"})).RawMpAnnounce(octets);
          }
          auto d = Decode(builder.Message(), context);
          EXPECT_EQ(d->update.action(), others ? ErrorAction::kFamilyDisable : ErrorAction::kSessionReset);
          EXPECT_EQ(d->update.disabled_families(), others ? FamilySet().Add(family) : FamilySet());
          EXPECT_TRUE(d->update.announced().empty());
          EXPECT_TRUE(d->update.withdrawn().empty());
          EXPECT_EQ(d->counters.faults[static_cast<size_t>(UpdateFault::kNlri)], 1u);
        }
      }
    }
  }
}

TEST(Update, TellsEndOfRib) {
  UpdateBuilder builder;
  EXPECT_EQ(Decode(builder.Message())->update.end_of_rib(), Family::kIpv4Unicast);
  for (size_t i = 0; i + 1 < kFamilyCount; ++i) {
    builder.Clear();
    builder.MpUnreach(static_cast<Family>(i));
    auto d = Decode(builder.Message());
    EXPECT_EQ(d->update.end_of_rib(), static_cast<Family>(i));
    EXPECT_EQ(d->counters.end_of_rib[i], 1u);
    EXPECT_TRUE(d->update.withdrawn().empty());
  }
  builder.Clear();
  builder.Withdraw("192.0.2.0/24");
  EXPECT_FALSE(Decode(builder.Message())->update.end_of_rib());
  builder.MpUnreach(Family::kIpv6Unicast);
  EXPECT_FALSE(Decode(builder.Message())->update.end_of_rib());
  builder.Clear();
  builder.MpUnreach(Family::kIpv6Unicast).Origin(0);
  EXPECT_FALSE(Decode(builder.Message())->update.end_of_rib());
}

// RFC 7606 as a table: what is wrong, and what has to follow.
struct Case {
  const char* what;
  std::function<void(UpdateBuilder&)>
      build;  // behind ORIGIN, AS_PATH and NEXT_HOP and before the route 198.51.100.0/24
  UpdateFault fault;
  ErrorAction action;
  uint8_t attribute;
  bool external = false;
  bool as4 = true;
};

const Case kCases[] = {
    {"3.c: flags of a well-known attribute",
     [](UpdateBuilder& b) {
       b.Attribute(0xc0, 5, {0, 0, 0, 1});
     },
     UpdateFault::kAttributeFlags, ErrorAction::kTreatAsWithdraw, 5},
    {"3.c: flags of MED",
     [](UpdateBuilder& b) {
       b.Attribute(0xc0, 4, {0, 0, 0, 1});
     },
     UpdateFault::kAttributeFlags, ErrorAction::kTreatAsWithdraw, 4},
    {"3.c: flags of communities",
     [](UpdateBuilder& b) {
       b.Attribute(0x80, 8, {0, 0, 0, 1});
     },
     UpdateFault::kAttributeFlags, ErrorAction::kTreatAsWithdraw, 8},
    {"3.f: flags of ATOMIC_AGGREGATE", [](UpdateBuilder& b) { b.Attribute(0xc0, 6, {}); }, UpdateFault::kAttributeFlags,
     ErrorAction::kAttributeDiscard, 6},
    {"3.f: flags of AGGREGATOR",
     [](UpdateBuilder& b) {
       b.Attribute(0x40, 7, {0, 0, 0, 1, 1, 1, 1, 1});
     },
     UpdateFault::kAttributeFlags, ErrorAction::kAttributeDiscard, 7},
    {"3.g: an attribute twice", [](UpdateBuilder& b) { b.Med(1).Med(2); }, UpdateFault::kDuplicate,
     ErrorAction::kAttributeDiscard, 4},
    {"3.g: an unknown attribute twice", [](UpdateBuilder& b) { b.Attribute(0xc0, 99, {1}).Attribute(0xc0, 99, {2}); },
     UpdateFault::kDuplicate, ErrorAction::kAttributeDiscard, 99},
    {"3.g: MP_UNREACH_NLRI twice",
     [](UpdateBuilder& b) {
       b.Attribute(0x80, 15, {0, 2, 1}).Attribute(0x80, 15, {0, 2, 1});
     },
     UpdateFault::kDuplicate, ErrorAction::kSessionReset, 15},
    {"RFC 4271, 6.3: a well-known attribute that nobody knows", [](UpdateBuilder& b) { b.Attribute(0x40, 99, {1}); },
     UpdateFault::kUnrecognizedWellKnown, ErrorAction::kSessionReset, 99},
    {"5.3: flags of MP_UNREACH_NLRI",
     [](UpdateBuilder& b) {
       b.Attribute(0xc0, 15, {0, 2, 1});
     },
     UpdateFault::kAttributeFlags, ErrorAction::kSessionReset, 15},
    {"5.3: MP_UNREACH_NLRI of two octets",
     [](UpdateBuilder& b) {
       b.Attribute(0x80, 15, {0, 2});
     },
     UpdateFault::kAttributeLength, ErrorAction::kSessionReset, 15},
    {"5.3: MP_REACH_NLRI of four octets",
     [](UpdateBuilder& b) {
       b.Attribute(0x80, 14, {0, 2, 1, 0});
     },
     UpdateFault::kAttributeLength, ErrorAction::kSessionReset, 14},
    {"5.3: a prefix of 33 bits",
     [](UpdateBuilder& b) {
       b.RawAnnounce(std::vector<uint8_t>{33, 1, 2, 3, 4, 5});
     },
     UpdateFault::kNlri, ErrorAction::kSessionReset, 0},
    {"5.3: an IPv6 prefix of 129 bits",
     [](UpdateBuilder& b) { b.Attribute(0x80, 15, {0, 2, 1, 129, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}); },
     UpdateFault::kNlri, ErrorAction::kSessionReset, 15},
    {"5.3: a prefix that runs off the end",
     [](UpdateBuilder& b) {
       b.Attribute(0x80, 15, {0, 2, 1, 64, 1});
     },
     UpdateFault::kNlri, ErrorAction::kSessionReset, 15},
    {"5.3: a VPN route without room for its distinguisher",
     [](UpdateBuilder& b) {
       b.Attribute(0x80, 15, {0, 1, 128, 32, 0, 0, 1, 9});
     },
     UpdateFault::kNlri, ErrorAction::kSessionReset, 15},
    {"7.5: LOCAL_PREF of an external neighbour", [](UpdateBuilder& b) { b.LocalPref(100); }, UpdateFault::kFromExternal,
     ErrorAction::kAttributeDiscard, 5, true},
    {"7.5: LOCAL_PREF of five octets",
     [](UpdateBuilder& b) {
       b.Attribute(0x40, 5, {0, 0, 0, 0, 1});
     },
     UpdateFault::kAttributeLength, ErrorAction::kTreatAsWithdraw, 5},
    {"7.4: MED of three octets",
     [](UpdateBuilder& b) {
       b.Attribute(0x80, 4, {0, 0, 1});
     },
     UpdateFault::kAttributeLength, ErrorAction::kTreatAsWithdraw, 4},
    {"7.6: ATOMIC_AGGREGATE with an octet", [](UpdateBuilder& b) { b.Attribute(0x40, 6, {1}); },
     UpdateFault::kAttributeLength, ErrorAction::kAttributeDiscard, 6},
    {"7.7: AGGREGATOR of six octets with 4-octet AS",
     [](UpdateBuilder& b) {
       b.Attribute(0xc0, 7, {0, 1, 1, 1, 1, 1});
     },
     UpdateFault::kAttributeLength, ErrorAction::kAttributeDiscard, 7},
    {"7.7: AGGREGATOR of eight octets with 2-octet AS",
     [](UpdateBuilder& b) {
       b.Attribute(0xc0, 7, {0, 0, 0, 1, 1, 1, 1, 1});
     },
     UpdateFault::kAttributeLength, ErrorAction::kAttributeDiscard, 7, false, false},
    {"RFC 7607: AGGREGATOR of AS 0",
     [](UpdateBuilder& b) {
       b.Attribute(0xc0, 7, {0, 0, 0, 0, 1, 1, 1, 1});
     },
     UpdateFault::kAttributeValue, ErrorAction::kAttributeDiscard, 7},
    {"7.8: COMMUNITIES of five octets",
     [](UpdateBuilder& b) {
       b.Attribute(0xc0, 8, {0, 0, 0, 0, 1});
     },
     UpdateFault::kAttributeLength, ErrorAction::kTreatAsWithdraw, 8},
    {"7.8: COMMUNITIES of none", [](UpdateBuilder& b) { b.Attribute(0xc0, 8, {}); }, UpdateFault::kAttributeLength,
     ErrorAction::kTreatAsWithdraw, 8},
    {"7.9: ORIGINATOR_ID of an external neighbour", [](UpdateBuilder& b) { b.Attribute(0x80, 9, {1}); },
     UpdateFault::kFromExternal, ErrorAction::kAttributeDiscard, 9, true},
    {"7.9: ORIGINATOR_ID of one octet", [](UpdateBuilder& b) { b.Attribute(0x80, 9, {1}); },
     UpdateFault::kAttributeLength, ErrorAction::kTreatAsWithdraw, 9},
    {"7.10: CLUSTER_LIST of an external neighbour",
     [](UpdateBuilder& b) {
       b.Attribute(0x80, 10, {1, 1, 1, 1});
     },
     UpdateFault::kFromExternal, ErrorAction::kAttributeDiscard, 10, true},
    {"7.10: CLUSTER_LIST of three octets",
     [](UpdateBuilder& b) {
       b.Attribute(0x80, 10, {1, 1, 1});
     },
     UpdateFault::kAttributeLength, ErrorAction::kTreatAsWithdraw, 10},
    {"7.10: CLUSTER_LIST of none", [](UpdateBuilder& b) { b.Attribute(0x80, 10, {}); }, UpdateFault::kAttributeLength,
     ErrorAction::kTreatAsWithdraw, 10},
    {"7.11: an IPv6 next hop of five octets",
     [](UpdateBuilder& b) {
       b.Attribute(0x80, 14, {0, 2, 1, 5, 1, 2, 3, 4, 5, 0, 0});
     },
     UpdateFault::kNextHopLength, ErrorAction::kSessionReset, 14},
    {"7.11: a next hop longer than its attribute",
     [](UpdateBuilder& b) {
       b.Attribute(0x80, 14, {0, 2, 1, 16, 1, 2});
     },
     UpdateFault::kNextHopLength, ErrorAction::kSessionReset, 14},
    {"7.13: Traffic Engineering with wrong flags", [](UpdateBuilder& b) { b.Attribute(0xc0, 24, {1}); },
     UpdateFault::kAttributeFlags, ErrorAction::kTreatAsWithdraw, 24},
    {"7.14: EXTENDED COMMUNITIES of nine octets",
     [](UpdateBuilder& b) {
       b.Attribute(0xc0, 16, {1, 2, 3, 4, 5, 6, 7, 8, 9});
     },
     UpdateFault::kAttributeLength, ErrorAction::kTreatAsWithdraw, 16},
    {"7.15: IPv6 extended communities of eight octets",
     [](UpdateBuilder& b) {
       b.Attribute(0xc0, 25, {1, 2, 3, 4, 5, 6, 7, 8});
     },
     UpdateFault::kAttributeLength, ErrorAction::kTreatAsWithdraw, 25},
    {"7.16: ATTR_SET of three octets",
     [](UpdateBuilder& b) {
       b.Attribute(0xc0, 128, {1, 2, 3});
     },
     UpdateFault::kAttributeLength, ErrorAction::kTreatAsWithdraw, 128},
    {"RFC 8092, 6: large communities of eight octets",
     [](UpdateBuilder& b) {
       b.LargeCommunities({1, 2});
     },
     UpdateFault::kAttributeLength, ErrorAction::kTreatAsWithdraw, 32},
    {"RFC 9234, 5: OTC of two octets",
     [](UpdateBuilder& b) {
       b.Attribute(0xc0, 35, {1, 2});
     },
     UpdateFault::kAttributeLength, ErrorAction::kTreatAsWithdraw, 35},
    {"RFC 7311, 3: AIGP TLV of ten octets",
     [](UpdateBuilder& b) {
       b.Attribute(0x80, 26, {1, 0, 10, 0, 0, 0, 0, 0, 0, 1});
     },
     UpdateFault::kAttributeValue, ErrorAction::kAttributeDiscard, 26},
    {"RFC 7311, 3: AIGP that is cut",
     [](UpdateBuilder& b) {
       b.Attribute(0x80, 26, {2, 0, 9, 0});
     },
     UpdateFault::kAttributeValue, ErrorAction::kAttributeDiscard, 26},
    {"RFC 9552, 8.2.2: link state whose last TLV is cut",
     [](UpdateBuilder& b) {
       b.Attribute(0x80, 29, {4, 0, 0, 1, 0, 4, 2, 0, 2, 'r'});
     },
     UpdateFault::kAttributeValue, ErrorAction::kAttributeDiscard, 29},
    {"RFC 8669, 6: prefix-SID of two octets",
     [](UpdateBuilder& b) {
       b.Attribute(0xc0, 40, {1, 0});
     },
     UpdateFault::kAttributeLength, ErrorAction::kAttributeDiscard, 40},
    {"RFC 6793, 3: AS4_PATH where all have 4 octets",
     [](UpdateBuilder& b) {
       b.As4Path({{2, {1}}});
     },
     UpdateFault::kFromAs4, ErrorAction::kAttributeDiscard, 17},
    {"RFC 6793, 6: AS4_PATH that is malformed",
     [](UpdateBuilder& b) {
       b.Attribute(0xc0, 17, {2, 2, 0, 0, 0, 1});
     },
     UpdateFault::kAttributeValue, ErrorAction::kAttributeDiscard, 17, false, false},
    {"RFC 6793, 6: AS4_AGGREGATOR of six octets",
     [](UpdateBuilder& b) {
       b.Attribute(0xc0, 18, {0, 1, 1, 1, 1, 1});
     },
     UpdateFault::kAttributeLength, ErrorAction::kAttributeDiscard, 18, false, false},
};

TEST(Update, AnswersErrorsAsRfc7606Asks) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.what);
    SessionContext context;
    context.external = c.external;
    context.as4 = c.as4;
    UpdateBuilder builder = Typical(context);
    c.build(builder);
    builder.Withdraw("203.0.113.0/24").Announce("198.51.100.0/24");
    auto d = Decode(builder.Message(), context);
    EXPECT_EQ(ErrorActionName(d->update.action()), ErrorActionName(c.action));
    ASSERT_EQ(d->update.errors().size(), 1u);
    const UpdateError& error = d->update.errors()[0];
    EXPECT_EQ(UpdateFaultName(error.fault), UpdateFaultName(c.fault));
    EXPECT_EQ(error.attribute, c.attribute);
    EXPECT_EQ(d->counters.faults[static_cast<size_t>(c.fault)], 1u);
    EXPECT_EQ(d->counters.actions[static_cast<size_t>(c.action)], 1u);
    if (c.attribute != 0) {
      EXPECT_EQ(d->counters.attribute_errors[AttributeIndex(c.attribute)][static_cast<size_t>(c.action)], 1u);
      // The offset is where the attribute begins, or of routes and next hops where they are wrong.
      if (c.fault != UpdateFault::kNlri && c.fault != UpdateFault::kNextHopLength) {
        EXPECT_EQ(d->message[error.offset + 1], c.attribute);
      }
    }
    switch (c.action) {
      case ErrorAction::kSessionReset:
        EXPECT_TRUE(d->update.announced().empty());
        EXPECT_TRUE(d->update.withdrawn().empty());
        EXPECT_EQ(d->update.notification_subcode(), c.fault == UpdateFault::kDuplicate               ? 1
                                                    : c.fault == UpdateFault::kUnrecognizedWellKnown ? 2
                                                    : c.attribute == 0                               ? 10
                                                                                                     : 9);
        EXPECT_EQ(d->counters.announced[0] + d->counters.withdrawn[0], 0u);
        break;
      case ErrorAction::kTreatAsWithdraw:
        EXPECT_TRUE(d->update.announced().empty());
        EXPECT_EQ(SectionsText(d->update.withdrawn()),
                  "ipv4_unicast x1: 203.0.113.0/24; ipv4_unicast x1: 198.51.100.0/24");
        EXPECT_EQ(d->counters.treated_as_withdrawn[0], 1u);
        EXPECT_EQ(d->counters.withdrawn[0], 1u);
        break;
      default:
        EXPECT_EQ(SectionsText(d->update.announced()), "ipv4_unicast x1: 198.51.100.0/24");
        EXPECT_EQ(SectionsText(d->update.withdrawn()), "ipv4_unicast x1: 203.0.113.0/24");
        // Of two the first counts; one that is wrong is gone.
        EXPECT_EQ(d->Set().Has(static_cast<AttributeCode>(c.attribute)), c.fault == UpdateFault::kDuplicate);
        if (c.attribute == 4) {
          EXPECT_EQ(d->Set().med(), 1u);
        }
    }
  }
}

// The same of attributes that every UPDATE has.
TEST(Update, AnswersErrorsOfMandatoryAttributes) {
  const struct {
    const char* what;
    std::function<void(UpdateBuilder&)> build;
    UpdateFault fault;
    uint8_t attribute;
  } kMandatory[] = {
      {"7.1: ORIGIN 3", [](UpdateBuilder& b) { b.Origin(3).AsPath({1}).NextHop("192.0.2.1"); },
       UpdateFault::kAttributeValue, 1},
      {"7.1: ORIGIN of two octets",
       [](UpdateBuilder& b) {
         b.Attribute(0x40, 1, {0, 0}).AsPath({1}).NextHop("192.0.2.1");
       },
       UpdateFault::kAttributeLength, 1},
      {"7.2: a segment of type 5",
       [](UpdateBuilder& b) {
         b.Origin(0).AsPathSegments({{5, {1}}}).NextHop("192.0.2.1");
       },
       UpdateFault::kAttributeValue, 2},
      {"7.2: a segment of none",
       [](UpdateBuilder& b) {
         b.Origin(0).AsPathSegments({{2, {1}}, {2, {}}}).NextHop("192.0.2.1");
       },
       UpdateFault::kAttributeValue, 2},
      {"7.2: a segment that runs off the end",
       [](UpdateBuilder& b) {
         b.Origin(0).Attribute(0x40, 2, {2, 2, 0, 0, 0, 1}).NextHop("192.0.2.1");
       },
       UpdateFault::kAttributeValue, 2},
      {"7.2: one octet left over",
       [](UpdateBuilder& b) {
         b.Origin(0).Attribute(0x40, 2, {2, 1, 0, 0, 0, 1, 2}).NextHop("192.0.2.1");
       },
       UpdateFault::kAttributeValue, 2},
      {"RFC 7607: AS 0",
       [](UpdateBuilder& b) {
         b.Origin(0).AsPath({1, 0}).NextHop("192.0.2.1");
       },
       UpdateFault::kAttributeValue, 2},
      {"7.3: NEXT_HOP of 16 octets",
       [](UpdateBuilder& b) { b.Origin(0).AsPath({1}).Attribute(0x40, 3, std::vector<uint8_t>(16, 1)); },
       UpdateFault::kAttributeLength, 3},
      {"3.d: no ORIGIN", [](UpdateBuilder& b) { b.AsPath({1}).NextHop("192.0.2.1"); }, UpdateFault::kMissing, 1},
      {"3.d: no AS_PATH", [](UpdateBuilder& b) { b.Origin(0).NextHop("192.0.2.1"); }, UpdateFault::kMissing, 2},
      {"3.d: no NEXT_HOP", [](UpdateBuilder& b) { b.Origin(0).AsPath({1}); }, UpdateFault::kMissing, 3},
  };
  for (const auto& c : kMandatory) {
    SCOPED_TRACE(c.what);
    UpdateBuilder builder;
    c.build(builder);
    builder.Announce("198.51.100.0/24");
    auto d = Decode(builder.Message());
    EXPECT_EQ(ErrorActionName(d->update.action()), "treat_as_withdraw");
    ASSERT_EQ(d->update.errors().size(), 1u);
    EXPECT_EQ(UpdateFaultName(d->update.errors()[0].fault), UpdateFaultName(c.fault));
    EXPECT_EQ(d->update.errors()[0].attribute, c.attribute);
    EXPECT_EQ(SectionsText(d->update.withdrawn()), "ipv4_unicast x1: 198.51.100.0/24");
  }
}

// RFC 7606, 4 and 5.2: lengths of attributes, and errors where there are no routes.
TEST(Update, AnswersLengthsThatContradict) {
  const auto with_attributes = [](std::vector<uint8_t> attributes, std::vector<uint8_t> routes) {
    base::OctetWriter body, message;
    body.U16(0).U16(static_cast<uint16_t>(attributes.size())).Bytes(attributes).Bytes(routes);
    testing::WriteMessage(2, body.octets(), &message);
    return std::vector<uint8_t>(message.octets().begin(), message.octets().end());
  };
  const std::vector<uint8_t> kGood = {0x40, 1, 1, 0, 0x40, 2, 0, 0x40, 3, 4, 192, 0, 2, 1};
  const std::vector<uint8_t> kRoute = {24, 198, 51, 100};
  const auto plus = [&](std::vector<uint8_t> more) {
    more.insert(more.begin(), kGood.begin(), kGood.end());
    return more;
  };
  EXPECT_EQ(Decode(with_attributes(kGood, kRoute))->update.action(), ErrorAction::kNone);
  const struct {
    const char* what;
    std::vector<uint8_t> message;
    UpdateFault last;
    ErrorAction action;
    uint8_t subcode;
  } kLengths[] = {
      {"the last attribute runs off", with_attributes(plus({0xc0, 8, 8, 0, 0, 0, 1}), kRoute),
       UpdateFault::kAttributeOverrun, ErrorAction::kTreatAsWithdraw, 0},
      {"two octets are left", with_attributes(plus({0xc0, 8}), kRoute), UpdateFault::kAttributeOverrun,
       ErrorAction::kTreatAsWithdraw, 0},
      {"three octets are left of an extended length", with_attributes(plus({0xd0, 8, 0}), kRoute),
       UpdateFault::kAttributeOverrun, ErrorAction::kTreatAsWithdraw, 0},
      {"a multiprotocol attribute runs off", with_attributes(plus({0x80, 15, 9, 0, 2, 1}), kRoute),
       UpdateFault::kAttributeOverrun, ErrorAction::kSessionReset, 1},
      {"5.2: an error without routes", with_attributes(plus({0xc0, 8, 1, 0}), {}), UpdateFault::kNoReachable,
       ErrorAction::kSessionReset, 1},
      {"5.2: a discarded attribute without routes", with_attributes(plus({0x40, 6, 1, 0}), {}),
       UpdateFault::kAttributeLength, ErrorAction::kAttributeDiscard, 0},
      {"5.2: an error beside withdrawals", with_attributes({0x80, 15, 4, 0, 2, 1, 0, 0x40, 1, 1, 9}, {}),
       UpdateFault::kNoReachable, ErrorAction::kSessionReset, 1},
  };
  for (const auto& c : kLengths) {
    SCOPED_TRACE(c.what);
    auto d = Decode(c.message);
    EXPECT_EQ(ErrorActionName(d->update.action()), ErrorActionName(c.action));
    ASSERT_FALSE(d->update.errors().empty());
    EXPECT_EQ(UpdateFaultName(d->update.errors().back().fault), UpdateFaultName(c.last));
    EXPECT_EQ(d->update.notification_subcode(), c.subcode);
  }
  for (const std::pair<uint16_t, uint16_t>& lengths : {std::pair<uint16_t, uint16_t>{1, 0}, {0, 1}, {65535, 0}}) {
    base::OctetWriter body, message;
    body.U16(lengths.first).U16(lengths.second);
    testing::WriteMessage(2, body.octets(), &message);
    auto d = Decode(message.octets());
    EXPECT_EQ(d->update.action(), ErrorAction::kSessionReset);
    EXPECT_EQ(UpdateFaultName(d->update.errors()[0].fault), "message_length");
    EXPECT_EQ(d->update.notification_subcode(), 1);
  }
}

TEST(Update, TakesTheStrongestOfSeveralErrors) {
  UpdateBuilder builder = Typical();
  builder.Attribute(0x40, 6, {1}).Attribute(0xc0, 8, {1}).Announce("198.51.100.0/24");
  auto d = Decode(builder.Message());
  EXPECT_EQ(d->update.action(), ErrorAction::kTreatAsWithdraw);
  EXPECT_EQ(d->update.errors().size(), 2u);
  builder.Attribute(0x80, 15, {0, 2, 1, 255});
  d = Decode(builder.Message());
  EXPECT_EQ(d->update.action(), ErrorAction::kSessionReset);
  EXPECT_EQ(d->update.notification_subcode(), 9);  // RFC 4760, 7
  // The attribute in error is the NOTIFICATION's data.
  EXPECT_EQ(d->update.notification_data(), base::Octets(std::vector<uint8_t>{0x80, 15, 4, 0, 2, 1, 255}));
  EXPECT_EQ(d->counters.faults[static_cast<size_t>(UpdateFault::kAttributeLength)], 2u);
}

TEST(Update, GivesUpAFamilyIfAskedTo) {
  SessionContext context;
  context.family_disable = true;
  UpdateBuilder builder = Typical(context);
  builder.Attribute(0x80, 14, {0, 2, 1, 5, 1, 2, 3, 4, 5, 0, 0}).Announce("198.51.100.0/24");
  auto d = Decode(builder.Message(), context);
  EXPECT_EQ(d->update.action(), ErrorAction::kFamilyDisable);
  EXPECT_EQ(d->update.disabled_families(), FamilySet().Add(Family::kIpv6Unicast));
  EXPECT_EQ(SectionsText(d->update.announced()), "ipv4_unicast x1: 198.51.100.0/24");
  // With another error what is left is treated as withdrawn.
  builder.Attribute(0xc0, 8, {1});
  d = Decode(builder.Message(), context);
  EXPECT_EQ(d->update.action(), ErrorAction::kFamilyDisable);
  EXPECT_TRUE(d->update.announced().empty());
  EXPECT_EQ(SectionsText(d->update.withdrawn()), "ipv4_unicast x1: 198.51.100.0/24");
}

TEST(Update, LeavesOutFamiliesThatWereNotAgreed) {
  SessionContext context;
  context.families = FamilySet().Add(Family::kIpv4Unicast);
  UpdateBuilder builder = Typical(context);
  builder.MpReach(Family::kIpv6Unicast, Hop({"2001:db8::1"})).MpAnnounce({PrefixOf("2001:db8::/32"), 0, 0, {}});
  builder.Announce("198.51.100.0/24");
  auto d = Decode(builder.Message(), context);
  EXPECT_EQ(d->update.action(), ErrorAction::kNone);
  EXPECT_EQ(SectionsText(d->update.announced()), "ipv4_unicast x1: 198.51.100.0/24");
  EXPECT_EQ(d->counters.faults[static_cast<size_t>(UpdateFault::kFamilyNotAgreed)], 1u);
}

TEST(Update, KeepsUnknownAttributes) {
  UpdateBuilder builder = Typical();
  builder.Attribute(0xe0, 200, {7, 8}).Attribute(0x80, 201, {9}).Attribute(0xc0, 100, {}).Announce("198.51.100.0/24");
  auto d = Decode(builder.Message());
  EXPECT_EQ(d->counters.unknown_attributes, 3u);
  EXPECT_EQ(d->update.attributes().size(), 6u);
  std::string seen;
  d->Set().ForEach([&](uint8_t code, base::Octets value) {
    if (code >= 100) absl::StrAppend(&seen, code, ":", absl::BytesToHexString(base::AsText(value)), " ");
  });
  EXPECT_EQ(seen, "100:c0 200:e00708 ");
}

// Whatever the order and the encoding, equal attributes have equal octets.
TEST(Update, HasOneCanonicalForm) {
  UpdateBuilder in_order = Typical();
  in_order.Med(7).LocalPref(1).Communities({1, 2}).Announce("198.51.100.0/24");
  UpdateBuilder reversed;
  reversed.Attribute(0xd0, 8, {0, 0, 0, 1, 0, 0, 0, 2}).Attribute(0x60, 5, {0, 0, 0, 1}).Med(7);
  reversed.AsPath({64496, 64497, 4200000000}).Origin(0).MpReach(Family::kIpv4Unicast, Hop({"192.0.2.1"}));
  reversed.MpAnnounce({PrefixOf("198.51.100.0/24"), 0, 0, {}});
  SessionContext as2;
  as2.as4 = false;
  UpdateBuilder old(as2);
  old.Origin(0).AsPath({64496, 64497, 4200000000}).NextHop("192.0.2.1").Med(7).LocalPref(1).Communities({1, 2});
  old.As4Path({{2, {64497, 4200000000}}}).Announce("198.51.100.0/24");
  std::vector<uint8_t> vpn_hop = Hop({"192.0.2.1"}, true);
  UpdateBuilder vpn;
  vpn.Origin(0).AsPath({64496, 64497, 4200000000}).Med(7).LocalPref(1).Communities({1, 2});
  vpn.MpReach(Family::kVpnIpv4, vpn_hop).MpAnnounce({PrefixOf("10.0.0.0/8"), 0, 5, {6}});
  auto a = Decode(in_order.Message()), b = Decode(reversed.Message()), c = Decode(old.Message(), as2),
       e = Decode(vpn.Message());
  EXPECT_EQ(a->Set().octets(), b->Set().octets());
  EXPECT_EQ(a->Set().octets(), c->Set().octets());
  EXPECT_EQ(a->Set().octets(), e->Set().octets());
  // As attribute_set.h tells it.
  const std::vector<uint8_t> kExpected = {1,    0,    1, 0, 2, 0, 14,  2, 3, 0, 0, 0xfb, 0xf0, 0, 0, 0xfb, 0xf1, 0xfa,
                                          0x56, 0xea, 0, 3, 0, 4, 192, 0, 2, 1, 4, 0,    4,    0, 0, 0,    7,    5,
                                          0,    4,    0, 0, 0, 1, 8,   0, 8, 0, 0, 0,    1,    0, 0, 0,    2};
  EXPECT_EQ(a->Set().octets(), base::Octets(kExpected));
}

// RFC 6793, 4.2.3, with RFC 5065's confederations.
TEST(Update, MergesAs4Path) {
  using S = std::vector<UpdateBuilder::Segment>;
  const struct {
    const char* what;
    S path, as4_path;
    uint32_t aggregator;
    const char* merged;
  } kMerges[] = {
      {"no AS4_PATH", {{2, {1, 23456}}}, {}, 0, "1 23456"},
      {"equally long", {{2, {23456, 23456}}}, {{2, {70000, 70001}}}, 0, "70000 70001"},
      {"shorter", {{2, {1, 2, 23456}}}, {{2, {70000}}}, 0, "1 2 70000"},
      {"longer: ignored", {{2, {23456}}}, {{2, {70000, 70001}}}, 0, "23456"},
      {"a set counts one", {{2, {1}}, {1, {2, 3}}, {2, {23456}}}, {{2, {70000}}}, 0, "1 {2,3} 70000"},
      {"a set in both", {{2, {1, 23456}}, {1, {23456, 3}}}, {{2, {70000}}, {1, {70001, 3}}}, 0, "1 70000 {70001,3}"},
      {"leading confederation", {{3, {65001}}, {2, {23456}}}, {{2, {70000}}}, 0, "(65001) 70000"},
      {"confederation behind what is prepended",
       {{2, {1}}, {3, {65001}}, {2, {23456}}},
       {{2, {70000}}},
       0,
       "1 (65001) 70000"},
      {"confederation behind what is not", {{2, {1, 23456}}, {3, {65001}}}, {{2, {70000}}}, 0, "1 70000"},
      {"confederations of AS4_PATH are discarded", {{2, {1, 23456}}}, {{3, {65001}}, {2, {70000}}}, 0, "1 70000"},
      {"aggregated by an old speaker: ignored", {{2, {1, 23456}}}, {{2, {70000}}}, 64499, "1 23456"},
      {"aggregated by a new one", {{2, {1, 23456}}}, {{2, {70000}}}, 70007, "1 70000"},
      {"empty path", {}, {{2, {70000}}}, 0, ""},
  };
  SessionContext context;
  context.as4 = false;
  for (const auto& c : kMerges) {
    SCOPED_TRACE(c.what);
    UpdateBuilder builder(context);
    builder.Origin(0).AsPathSegments(c.path).NextHop("192.0.2.1");
    if (c.aggregator != 0) builder.Aggregator(c.aggregator, "192.0.2.7");
    if (!c.as4_path.empty()) builder.As4Path(c.as4_path);
    if (c.aggregator != 0) builder.Attribute(0xc0, 18, {0, 1, 0x11, 0x77, 192, 0, 2, 7});  // 70007
    builder.Announce("198.51.100.0/24");
    auto d = Decode(builder.Message(), context);
    EXPECT_EQ(d->update.action(), ErrorAction::kNone);
    EXPECT_EQ(d->Set().as_path().ToString(), c.merged);
    EXPECT_TRUE(AsPathView::IsValid(d->Set().as_path().octets(), 4));
    if (c.aggregator != 0) {
      EXPECT_EQ(d->Set().aggregator()->as, c.aggregator);
    }
    EXPECT_FALSE(d->Set().Has(AttributeCode::kAs4Path));
    EXPECT_FALSE(d->Set().Has(AttributeCode::kAs4Aggregator));
  }
}

TEST(Update, ReadsMrtRibEntries) {
  UpdateBuilder builder;
  builder.Origin(0).AsPath({1}).Attribute(0x80, 14, [] {
    std::vector<uint8_t> v = Hop({"2001:db8::1"});
    v.insert(v.begin(), 16);
    return v;
  }());
  Update update;
  UpdateCounters counters;
  std::vector<uint8_t> buffer;
  DecodeRibEntry(builder.Attributes(), Family::kIpv6Unicast, SessionContext(), &update, &counters);
  ASSERT_EQ(update.announced().size(), 1u);
  EXPECT_EQ(AttributeSetView(CanonicalizeAttributes(update, update.announced()[0], &buffer)).next_hop()->ToString(),
            "2001:db8::1");
  // The whole attribute, as some write it.
  builder.Clear();
  builder.Origin(0).AsPath({1}).MpReach(Family::kIpv6Unicast, Hop({"2001:db8::2"}));
  DecodeRibEntry(builder.Attributes(), Family::kIpv6Unicast, SessionContext(), &update, &counters);
  EXPECT_EQ(AttributeSetView(CanonicalizeAttributes(update, update.announced()[0], &buffer)).next_hop()->ToString(),
            "2001:db8::2");
  builder.Clear();
  builder.Origin(0).AsPath({1}).NextHop("192.0.2.1");
  DecodeRibEntry(builder.Attributes(), Family::kIpv4Unicast, SessionContext(), &update, &counters);
  EXPECT_EQ(update.action(), ErrorAction::kNone);
  EXPECT_EQ(AttributeSetView(CanonicalizeAttributes(update, update.announced()[0], &buffer)).next_hop()->ToString(),
            "192.0.2.1");
  builder.Clear();
  builder.Origin(0).AsPath({1}).Attribute(0x80, 14, {16, 1, 2});
  DecodeRibEntry(builder.Attributes(), Family::kIpv6Unicast, SessionContext(), &update, &counters);
  EXPECT_EQ(update.action(), ErrorAction::kSessionReset);
}

TEST(Update, ReadsPathsOf4000Hops) {
  for (const bool as4 : {true, false}) {
    SessionContext context;
    context.as4 = as4;
    context.extended_message = true;
    UpdateBuilder builder(context);
    std::vector<uint32_t> path;
    for (uint32_t i = 0; i < 4000; ++i) path.push_back(i + 1);
    builder.Origin(0).AsPath(path).NextHop("192.0.2.1").Announce("198.51.100.0/24");
    auto d = Decode(builder.Message(), context);
    EXPECT_EQ(d->update.action(), ErrorAction::kNone);
    const AsPathView view = d->Set().as_path();
    EXPECT_EQ(view.hop_count(), 4000u);
    EXPECT_EQ(view.first_as(), 1u);
    EXPECT_EQ(view.origin_as(), 4000u);
    uint32_t next = 0;
    view.ForEachAs([&](uint32_t as) { EXPECT_EQ(as, ++next); });
    EXPECT_EQ(next, 4000u);
  }
}

// Paths that grow beyond 16 bits when they are widened are no paths.
TEST(Update, BoundsPathsThatGrow) {
  SessionContext context;
  context.as4 = false;
  context.extended_message = true;
  for (const size_t hops : {16127u, 16330u}) {  // 32,382 and 32,790 octets
    UpdateBuilder builder(context);
    builder.Origin(0).AsPath(std::vector<uint32_t>(hops, 7)).NextHop("192.0.2.1").Announce("198.51.100.0/24");
    auto d = Decode(builder.Message(), context);
    EXPECT_EQ(d->update.action(), hops < 16200 ? ErrorAction::kNone : ErrorAction::kTreatAsWithdraw);
    if (hops < 16200) {
      EXPECT_EQ(d->Set().as_path().hop_count(), hops);
    }
  }
}

TEST(Update, ReadsMessagesOf65535Octets) {
  UpdateBuilder builder = Typical();
  const size_t before = builder.Message().size();
  std::vector<uint8_t> routes;
  uint32_t count = 0;
  while (before + routes.size() + 4 <= 65535) {
    routes.insert(routes.end(), {24, 10, static_cast<uint8_t>(count >> 8), static_cast<uint8_t>(count)});
    ++count;
  }
  while (before + routes.size() < 65535) {
    routes.push_back(0);
    ++count;
  }
  builder.RawAnnounce(routes);
  const base::Octets message = builder.Message();
  ASSERT_EQ(message.size(), 65535u);
  EXPECT_EQ(NextMessage(message, kMaxExtendedMessageOctets).code, base::DecodeCode::kOk);
  EXPECT_EQ(NextMessage(message, kMaxMessageOctets).code, base::DecodeCode::kBadLength);
  EXPECT_EQ(Decode(message)->counters.announced[0], count);
}

// As the length of the message says, and as the enclosed ones do not.
TEST(Update, SurvivesEveryCutAndEveryOctet) {
  SessionContext context;
  context.add_path.Add(Family::kVpnIpv6);
  UpdateBuilder builder = Typical(context);
  builder.MpReach(Family::kVpnIpv6, Hop({"2001:db8::1"}, true)).MpUnreach(Family::kLabelledIpv4);
  builder.MpAnnounce({PrefixOf("2001:db8::/48"), 9, 8, {7, 6}}).MpWithdraw({PrefixOf("10.0.0.0/8"), 0, 0, {}});
  builder.Med(1).Communities({1, 2}).LargeCommunities({1, 2, 3}).Attribute(0x80, 26,
                                                                           {1, 0, 11, 0, 0, 0, 0, 0, 0, 0, 9});
  builder.Withdraw("203.0.113.0/24").Announce("198.51.100.0/24");
  const base::Octets whole = builder.Message();
  ASSERT_EQ(Decode(whole, context)->update.action(), ErrorAction::kNone);
  std::vector<uint8_t> buffer;
  const auto use = [&](base::Octets message) {
    const std::vector<uint8_t> copy(message.begin(), message.end());
    auto d = Decode(copy, context);
    for (const NlriSection& section : d->update.announced()) {
      uint32_t visited = 0;
      section.Visit([&](const Nlri&) { ++visited; });
      EXPECT_TRUE(visited == section.count || RowOf(section.family).shape > NlriShape::kVpn);
      const base::Octets set = CanonicalizeAttributes(d->update, section, &buffer);
      EXPECT_LE(set.size(), buffer.size());
    }
    return d->update.action();
  };
  for (size_t cut = 23; cut < whole.size(); ++cut) {
    // Only cuts between routes at the end leave a right message.
    EXPECT_TRUE(use(whole.subspan(0, cut)) != ErrorAction::kNone || cut == whole.size() - 4) << cut;
  }
  std::vector<uint8_t> changed(whole.begin(), whole.end());
  for (size_t at = 19; at < changed.size(); ++at) {
    const uint8_t kept = changed[at];
    for (const uint8_t value : {0, 1, 127, 128, 255}) {
      changed[at] = value;
      use(changed);
    }
    changed[at] = kept;
  }
}

TEST(Update, AllocatesNothingInSteadyState) {
  FLOWACCT_REQUIRE_ALLOCATION_COUNT();
  SessionContext context;
  context.as4 = false;
  UpdateBuilder builder = Typical(context);
  builder.Communities({1, 2, 3}).Announce("198.51.100.0/24").Announce("203.0.113.0/24");
  const base::Octets message = builder.Message();
  Update update;
  UpdateCounters counters;
  std::vector<uint8_t> buffer;
  uint64_t routes = 0;
  const auto run = [&] {
    DecodeUpdate(message, context, &update, &counters);
    for (const NlriSection& section : update.announced()) {
      (void)CanonicalizeAttributes(update, section, &buffer);
      section.Visit([&](const Nlri&) { ++routes; });
    }
  };
  run();
  flowacct::testing::AllocationCounter allocations;
  for (int i = 0; i < 100; ++i) run();
  EXPECT_EQ(allocations.allocations(), 0);
  EXPECT_EQ(routes, 202u);
}

TEST(AsPath, IsComparedAndAccountedByItsEnds) {
  using S = std::vector<UpdateBuilder::Segment>;
  const struct {
    S segments;
    const char* text;
    size_t hops;
    int64_t first, origin;  // -1: none
    int64_t route_origin;   // own AS is 64511
  } kPaths[] = {
      {{}, "", 0, -1, -1, 64511},
      {{{2, {1, 2, 3}}}, "1 2 3", 3, 1, 3, 3},
      {{{2, {1}}, {1, {2, 3}}}, "1 {2,3}", 2, 1, -1, -1},
      {{{1, {2, 3}}, {2, {4}}}, "{2,3} 4", 2, -1, 4, 4},
      {{{3, {65001, 65002}}, {2, {1, 2}}}, "(65001 65002) 1 2", 2, 1, 2, 2},
      {{{3, {65001}}, {4, {65002, 65003}}}, "(65001) [65002,65003]", 0, -1, -1, 64511},
      {{{2, {1}}, {3, {65001}}}, "1 (65001)", 1, 1, 1, 64511},
  };
  for (const auto& c : kPaths) {
    SCOPED_TRACE(c.text);
    UpdateBuilder builder;
    builder.Origin(0).AsPathSegments(c.segments).NextHop("192.0.2.1").Announce("198.51.100.0/24");
    auto d = Decode(builder.Message());
    const AsPathView path = d->Set().as_path();
    EXPECT_EQ(path.ToString(), c.text);
    EXPECT_EQ(path.hop_count(), c.hops);
    EXPECT_EQ(path.first_as() ? int64_t{*path.first_as()} : -1, c.first);
    EXPECT_EQ(path.origin_as() ? int64_t{*path.origin_as()} : -1, c.origin);
    uint32_t origin;
    EXPECT_EQ(path.RouteOrigin(64511, &origin) ? int64_t{origin} : -1, c.route_origin);
  }
}

TEST(AttributeSet, DoesNotRunOffTheEnd) {
  UpdateBuilder builder = Typical();
  builder.Med(1).Attribute(0x80, 26, {1, 0, 11, 0, 0, 0, 0, 0, 0, 0, 9}).Attribute(0xc0, 35, {0, 0, 0, 5});
  builder.Attribute(0x80, 9, {1, 2, 3, 4}).Attribute(0x80, 10, {1, 1, 1, 1, 2, 2, 2, 2}).Announce("198.51.100.0/24");
  auto d = Decode(builder.Message());
  EXPECT_EQ(d->Set().aigp(), 9u);
  EXPECT_EQ(d->Set().otc(), 5u);
  EXPECT_EQ(d->Set().originator_id(), 0x01020304u);
  EXPECT_EQ(d->Set().cluster_list_length(), 2u);
  const base::Octets whole = d->Set().octets();
  for (size_t cut = 0; cut < whole.size(); ++cut) {
    const std::vector<uint8_t> octets(whole.begin(), whole.begin() + cut);
    const AttributeSetView set(octets);
    EXPECT_FALSE(set.otc());
    (void)set.aigp();
    (void)set.next_hop();
    (void)set.as_path().hop_count();
    EXPECT_LE(set.communities().size(), 0u);
  }
}

}  // namespace
}  // namespace flowacct::bgp
