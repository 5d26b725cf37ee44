#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "flowacct/bgp/as_path.h"
#include "flowacct/bgp/attribute.h"
#include "flowacct/bgp/message_view.h"
#include "flowacct/bgp/message_writer.h"
#include "flowacct/bgp/notification.h"
#include "flowacct/bgp/open.h"
#include "flowacct/bgp/testing/update_builder.h"
#include "gtest/gtest.h"

namespace flowacct::bgp {
namespace {

std::vector<uint8_t> OpenOctets(const Open& open) {
  base::OctetWriter out;
  WriteOpen(open, &out);
  return {out.octets().begin(), out.octets().end()};
}

Open Everything() {
  Open open;
  open.as = 4200000000;
  open.as4 = open.route_refresh = open.enhanced_route_refresh = open.extended_message = true;
  open.bgp_identifier = 0x01020304;
  open.hold_time_seconds = 180;
  for (size_t i = 0; i + 1 < kFamilyCount; ++i) open.families.Add(static_cast<Family>(i));
  open.add_path_send = FamilySet().Add(Family::kIpv4Unicast).Add(Family::kIpv6Unicast);
  open.add_path_receive = FamilySet().Add(Family::kIpv6Unicast).Add(Family::kVpnIpv4);
  open.extended_next_hop = FamilySet().Add(Family::kIpv4Unicast);
  open.graceful_restart = GracefulRestart();
  open.graceful_restart->restarting = open.graceful_restart->notification = true;
  open.graceful_restart->restart_seconds = 4095;
  open.graceful_restart->families = FamilySet().Add(Family::kIpv4Unicast).Add(Family::kVpnIpv6);
  open.graceful_restart->forwarding_kept = FamilySet().Add(Family::kVpnIpv6);
  open.long_lived_graceful_restart = LongLivedGracefulRestart();
  open.long_lived_graceful_restart->families = FamilySet().Add(Family::kIpv4Unicast);
  open.long_lived_graceful_restart->stale_seconds[0] = 0xabcdef;
  open.role = Role::kCustomer;
  open.host_name = "r1";
  open.domain_name = "example.net";
  open.software_version = std::string(100, 'v');
  return open;
}

void ExpectEqual(const Open& a, const Open& b) {
  EXPECT_EQ(a.as, b.as);
  EXPECT_EQ(a.as4, b.as4);
  EXPECT_EQ(a.bgp_identifier, b.bgp_identifier);
  EXPECT_EQ(a.hold_time_seconds, b.hold_time_seconds);
  EXPECT_EQ(a.families, b.families);
  EXPECT_EQ(a.add_path_send, b.add_path_send);
  EXPECT_EQ(a.add_path_receive, b.add_path_receive);
  EXPECT_EQ(a.extended_next_hop, b.extended_next_hop);
  EXPECT_EQ(a.route_refresh, b.route_refresh);
  EXPECT_EQ(a.enhanced_route_refresh, b.enhanced_route_refresh);
  EXPECT_EQ(a.extended_message, b.extended_message);
  ASSERT_EQ(a.graceful_restart.has_value(), b.graceful_restart.has_value());
  if (a.graceful_restart) {
    EXPECT_EQ(a.graceful_restart->restarting, b.graceful_restart->restarting);
    EXPECT_EQ(a.graceful_restart->notification, b.graceful_restart->notification);
    EXPECT_EQ(a.graceful_restart->restart_seconds, b.graceful_restart->restart_seconds);
    EXPECT_EQ(a.graceful_restart->families, b.graceful_restart->families);
    EXPECT_EQ(a.graceful_restart->forwarding_kept, b.graceful_restart->forwarding_kept);
  }
  ASSERT_EQ(a.long_lived_graceful_restart.has_value(), b.long_lived_graceful_restart.has_value());
  if (a.long_lived_graceful_restart) {
    EXPECT_EQ(a.long_lived_graceful_restart->families, b.long_lived_graceful_restart->families);
    EXPECT_EQ(a.long_lived_graceful_restart->stale_seconds, b.long_lived_graceful_restart->stale_seconds);
  }
  EXPECT_EQ(a.role, b.role);
  EXPECT_EQ(a.host_name, b.host_name);
  EXPECT_EQ(a.domain_name, b.domain_name);
  EXPECT_EQ(a.software_version, b.software_version);
}

TEST(Open, IsReadAsItWasWritten) {
  Open small;
  small.as = 64496;
  small.bgp_identifier = 9;
  small.families.Add(Family::kIpv6Unicast);
  for (const Open& written : {small, Everything()}) {
    const std::vector<uint8_t> octets = OpenOctets(written);
    const MessageBoundary boundary = NextMessage(octets, kMaxMessageOctets);
    EXPECT_EQ(boundary.code, base::DecodeCode::kOk);
    EXPECT_EQ(boundary.length, octets.size());
    Open read;
    EXPECT_FALSE(ParseOpen(octets, {}, &read));
    ExpectEqual(written, read);
    EXPECT_EQ(read.malformed_capabilities, 0u);
    EXPECT_EQ(read.unknown_capabilities, 0u);
  }
  // RFC 9072 for the large one, AS_TRANS for its AS.
  const std::vector<uint8_t> large = OpenOctets(Everything());
  EXPECT_EQ(large[28], 255);
  EXPECT_EQ(large[29], 255);
  EXPECT_EQ(OpenView(large).as2(), kAsTrans);
}

TEST(Open, SurvivesEveryCutAndEveryOctet) {
  const std::vector<uint8_t> whole = OpenOctets(Everything());
  Open read;
  for (size_t cut = 0; cut < whole.size(); ++cut) {
    std::vector<uint8_t> octets(whole.begin(), whole.begin() + cut);
    EXPECT_EQ(NextMessage(octets, kMaxMessageOctets).code, base::DecodeCode::kTruncated);
    if (cut < 29) continue;
    base::StoreBe16(octets.data() + 16, static_cast<uint16_t>(cut));
    EXPECT_TRUE(ParseOpen(octets, {}, &read)) << cut;  // the parameters' length contradicts
  }
  for (size_t at = 19; at < whole.size(); ++at) {
    for (const uint8_t value : {0, 1, 2, 127, 254, 255}) {
      std::vector<uint8_t> octets = whole;
      octets[at] = value;
      (void)ParseOpen(octets, {}, &read);
    }
  }
}

TEST(Open, IgnoresCapabilitiesThatAreMalformed) {
  const struct {
    const char* what;
    std::vector<uint8_t> capability;
    bool malformed;
  } kCases[] = {
      {"unknown", {99, 2, 1, 2}, false},
      {"multiprotocol of 3 octets", {1, 3, 0, 1, 1}, true},
      {"route refresh with an octet", {2, 1, 0}, true},
      {"ADD-PATH of 5 octets", {69, 5, 0, 1, 1, 3, 0}, true},
      {"extended next hop of 5 octets", {5, 5, 0, 1, 0, 1, 0}, true},
      {"graceful restart of 1 octet", {64, 1, 0}, true},
      {"graceful restart with half a family", {64, 4, 0, 0, 0, 1}, true},
      {"LLGR of 6 octets", {71, 6, 0, 1, 1, 0, 0, 0}, true},
      {"role 5", {9, 1, 5}, true},
      {"host name that runs off", {73, 3, 9, 65, 0}, true},
      {"version that runs off", {75, 2, 9, 65}, true},
      {"ADD-PATH of an unknown family", {69, 4, 9, 9, 9, 3}, false},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.what);
    base::OctetWriter body, message;
    body.U8(4).U16(64496).U16(90).U32(7).U8(static_cast<uint8_t>(c.capability.size() + 2));
    body.U8(2).U8(static_cast<uint8_t>(c.capability.size())).Bytes(c.capability);
    testing::WriteMessage(1, body.octets(), &message);
    Open open;
    EXPECT_FALSE(ParseOpen(message.octets(), {}, &open));
    EXPECT_EQ(open.capabilities, 1u);
    EXPECT_EQ(open.malformed_capabilities, c.malformed ? 1u : 0u);
    EXPECT_EQ(open.unknown_capabilities, c.capability[0] == 99 ? 1u : 0u);
    EXPECT_EQ(open.families, FamilySet().Add(Family::kIpv4Unicast));
    EXPECT_TRUE(open.add_path_send == FamilySet() || !c.malformed);
  }
}

TEST(Negotiate, TakesWhatBothSay) {
  Open all = Everything();
  Open other = all;
  EXPECT_TRUE(Negotiate(all, other).as4);
  EXPECT_FALSE(Negotiate(all, other).external);
  // It receives what the other sends.
  all.add_path_receive = FamilySet().Add(Family::kIpv4Unicast).Add(Family::kVpnIpv4);
  EXPECT_EQ(Negotiate(all, other).add_path, FamilySet().Add(Family::kIpv4Unicast));
  other.as4 = other.extended_message = false;
  other.as = 7;
  other.families = FamilySet().Add(Family::kVpnIpv4).Add(Family::kOther);
  const SessionContext context = Negotiate(all, other);
  EXPECT_FALSE(context.as4);
  EXPECT_TRUE(context.external);
  EXPECT_EQ(context.max_message_octets(), 4096u);
  EXPECT_EQ(context.families, FamilySet().Add(Family::kVpnIpv4));
  EXPECT_TRUE(context.add_path.empty());
}

TEST(Notification, HasATextForEachCode) {
  EXPECT_EQ(NotificationText(6, 2), "Cease: Administrative Shutdown");
  EXPECT_EQ(NotificationText(4, 0), "Hold Timer Expired");
  EXPECT_EQ(NotificationText(6, 77), "Cease: subcode 77");
  EXPECT_EQ(NotificationText(99, 3), "code 99: subcode 3");
}

TEST(Notification, TellsWhyItWasShutDown) {
  const struct {
    NotificationView view;
    const char* text;
  } kCases[] = {
      {{6, 2, base::AsOctets("\003why?")}, "why"},
      {{6, 4, base::AsOctets("\004why?")}, "why?"},
      {{6, 2, base::AsOctets("\005why?")}, ""},  // runs off
      {{6, 2, {}}, ""},
      {{6, 5, base::AsOctets("\004why?")}, ""},
      {{6, 9, base::AsOctets("\006\002\004why?")}, "why?"},  // RFC 8538, 3
      {{6, 9, base::AsOctets("\006")}, ""},
  };
  for (const auto& c : kCases) EXPECT_EQ(c.view.shutdown_communication(), c.text);
}

TEST(RouteRefresh, IsReadAsItWasWritten) {
  base::OctetWriter out;
  WriteRouteRefresh(Family::kVpnIpv6, RouteRefreshSubtype::kEnd, &out);
  EXPECT_EQ(NextMessage(out.octets(), kMaxMessageOctets).type, MessageType::kRouteRefresh);
  const RouteRefreshView view = ReadRouteRefresh(out.octets());
  EXPECT_EQ(view.family, Family::kVpnIpv6);
  EXPECT_EQ(view.subtype, 2);
  EXPECT_TRUE(view.filters.empty());
}

// What the code relies on of the tables.
TEST(Tables, AreAsTheCodeNeedsThem) {
  for (size_t i = 0; i < kAttributeCount; ++i) {
    if (i > 0) {
      EXPECT_LT(kAttributes[i - 1].code, kAttributes[i].code);
    }
    EXPECT_EQ(AttributeIndex(kAttributes[i].code), i);
    EXPECT_NE(kAttributes[i].multiple_octets, 0);
    EXPECT_NE(kAttributes[i].malformed, ErrorAction::kNone);
  }
  EXPECT_EQ(FindAttribute(99), nullptr);
  std::set<std::string> names;
  for (size_t i = 0; i < kFamilyCount; ++i) {
    EXPECT_EQ(FamilyOf(kFamilies[i].afi, kFamilies[i].safi), static_cast<Family>(i));
    EXPECT_TRUE(names.insert(std::string(kFamilies[i].name)).second);
    // Only what is told route by route can be joined.
    EXPECT_TRUE(!kFamilies[i].joined || kFamilies[i].shape <= NlriShape::kVpn);
  }
  EXPECT_EQ(FamilyOf(9, 9), Family::kOther);
}

}  // namespace
}  // namespace flowacct::bgp
