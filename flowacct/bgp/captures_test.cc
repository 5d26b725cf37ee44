// The captures of $FLOWACCT_CAPTURES/bgp against what their manifest says that tshark says: messages by type, routes
// announced and withdrawn in the message's own fields, and those of MP_REACH_NLRI. Each difference is a row of
// kDifferences with who is right; what is malformed in them is told too. Skipped where FLOWACCT_CAPTURES does not
// point at them.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "flowacct/bgp/attribute_set.h"
#include "flowacct/bgp/canonicalize.h"
#include "flowacct/bgp/message_view.h"
#include "flowacct/bgp/open.h"
#include "flowacct/bgp/session.h"
#include "flowacct/bgp/testing/bgp_streams.h"
#include "flowacct/bgp/update.h"
#include "flowacct/testing/capture_file.h"
#include "flowacct/testing/manifest_counts.h"
#include "gtest/gtest.h"

namespace flowacct::bgp {
namespace {

using testing::BgpStream;

// By the manifest's words; zeros are left out.
using flowacct::testing::Counts;
using flowacct::testing::CountsAsText;

constexpr const char* kRouteWords[] = {"NLRI v4 prefixes", "MP v4", "MP v6", "withdrawn"};

// "tshark: BGP: KEEPALIVE 16, UPDATE 10; NLRI v4 prefixes 35; withdrawn 15; attrs 1,2": types and routes.
Counts FromManifest(absl::string_view said) {
  Counts counts;
  for (absl::string_view part : absl::StrSplit(said, "; ")) {
    if (absl::ConsumePrefix(&part, "tshark: BGP: ")) {
      for (absl::string_view type : absl::StrSplit(part, ", ")) {
        const std::vector<std::string> words = absl::StrSplit(type, ' ');
        if (words.size() == 2) (void)absl::SimpleAtoi(words[1], &counts[words[0]]);
      }
      continue;
    }
    for (const char* word : kRouteWords) {
      absl::string_view number = part;
      if (absl::ConsumePrefix(&number, absl::StrCat(word, " "))) (void)absl::SimpleAtoi(number, &counts[word]);
    }
  }
  return counts;
}

// What a capture without OPENs does not tell, but its origin or a look at its octets does.
struct Hint {
  const char* file;
  bool as4;
  FamilySet add_path;
};
const Hint kHints[] = {
    {"addpath-v4-v6-update.pcap", false, FamilySet().Add(Family::kIpv4Unicast).Add(Family::kIpv6Unicast)},
    {"exabgp-decoding-tests.pcap", true, FamilySet().Add(Family::kIpv4Unicast)},
    {"ipv6-linklocal-nexthop.pcap", false, FamilySet()},
    {"rt-constrain.pcap", false, FamilySet()},
};

// Where the counts differ, and who is right.
struct Difference {
  const char* file;
  const char* ours;
  const char* why;
};
const Difference kDifferences[] = {
    {"addpath-v4-v6-update.pcap", "UPDATE 1",
     "ours is right: MP_REACH_NLRI twice and with wrong flags ends the session (RFC 7606, 3.g, 5.3); tshark shows all"},
    {"malformed-infinite-loop.pcap", "",
     "ours is right: an UPDATE of 19 octets is shorter than any, and ends the session (RFC 4271, 6.1)"},
    {"malformed-as-path.pcap", "MP v4 5, UPDATE 6",
     "ours is right: nothing can be read behind what is no marker; tshark looks for the next one"},
    {"malformed-update-ub.pcap", "",
     "the only segment begins in the middle of a message; tshark looks for a marker in it"},
    {"malformed-open-capabilities.pcap", "", "the same"},
    {"malformed-mvpn.pcap", "", "the same"},
};

// What is malformed, as "fault/action/attribute" and how often.
struct Malformed {
  const char* file;
  const char* faults;
  const char* why;
};
constexpr char kOnlyMpReach[] = "missing_attribute/treat_as_withdraw/1 1, missing_attribute/treat_as_withdraw/2 1";
const Malformed kMalformed[] = {
    {"addpath-v4-v6-update.pcap",
     "attribute_flags/session_reset/14 1, attribute_flags/session_reset/15 1, "
     "attribute_length/treat_as_withdraw/3 1, duplicate_attribute/session_reset/14 1, "
     "duplicate_attribute/session_reset/15 1",
     "made by hand; tshark and tcpdump call the next hop malformed too"},
    {"malformed-infinite-loop.pcap", "Message Header Error: Bad Message Length 4", "four connections"},
    {"malformed-as-path.pcap",
     "Message Header Error: Connection Not Synchronized 1, attribute_flags/treat_as_withdraw/128 1, "
     "attribute_length/treat_as_withdraw/10 1, attribute_overrun/treat_as_withdraw/17 1, "
     "attribute_overrun/treat_as_withdraw/73 1, message_length/session_reset/0 1, nlri/session_reset/14 1, "
     "no_reachable_nlri/session_reset/0 1, unrecognized_well_known/session_reset/0 1",
     "found by a fuzzer"},
    {"evpn-nlri-eth-a-d.pcap", kOnlyMpReach, "made by hand, with MP_REACH_NLRI alone"},
    {"evpn-nlri-mac-ip-ad.pcap", kOnlyMpReach, "the same"},
    {"evpn-nlri-inc-multi-eth-tag.pcap", kOnlyMpReach, "the same"},
    {"evpn-nlri-eth-seg.pcap", kOnlyMpReach, "the same"},
};

struct Ours {
  Counts counts, faults;
};

void CountUpdate(base::Octets message, const SessionContext& context, Ours* ours) {
  static Update update;
  UpdateCounters counters;
  std::vector<uint8_t> buffer;
  DecodeUpdate(message, context, &update, &counters);
  for (const UpdateError& error : update.errors()) {
    ++ours->faults[absl::StrCat(UpdateFaultName(error.fault), "/", ErrorActionName(error.action), "/",
                                error.attribute)];
  }
  const auto count = [&](const NlriSection& section, bool announced) {
    if (RowOf(section.family).shape > NlriShape::kVpn || section.count == 0) return;
    const bool own = announced ? section.octets.end() == message.end() && section.afi == 1 && section.safi == 1
                               : section.octets.begin() == message.begin() + 21;
    if (own) {
      ours->counts[announced ? "NLRI v4 prefixes" : "withdrawn"] += section.count;
    } else if (announced && (section.afi == 1 || section.safi != 128)) {  // tshark has no such word for VPNv6
      ours->counts[section.afi == 1 ? "MP v4" : "MP v6"] += section.count;
    }
  };
  for (const NlriSection& section : update.withdrawn()) count(section, false);
  for (const NlriSection& section : update.announced()) {
    count(section, true);
    const AttributeSetView set(CanonicalizeAttributes(update, section, &buffer));
    EXPECT_TRUE(set.origin().has_value());
    EXPECT_TRUE(AsPathView::IsValid(set.as_path().octets(), 4));
    if (RowOf(section.family).shape <= NlriShape::kVpn) {
      EXPECT_TRUE(set.next_hop().has_value());
    }
  }
}

SessionContext ContextOf(const BgpStream& stream, const std::map<std::string, Open>& opens, const Hint* hint) {
  SessionContext context;
  const auto received = opens.find(stream.from + stream.to);
  const auto sent = opens.find(stream.to + stream.from);
  if (received != opens.end() && sent != opens.end()) context = Negotiate(sent->second, received->second);
  context.families = FamilySet::All();
  if (hint != nullptr) {
    context.as4 = hint->as4;
    context.add_path = hint->add_path;
  }
  return context;
}

Ours CountCapture(const std::string& path, const Hint* hint) {
  Ours ours;
  const std::vector<BgpStream> streams = testing::ReadBgpStreams(flowacct::testing::ReadCaptureFile(path));
  std::map<std::string, Open> opens;
  for (const bool reading_opens : {true, false}) {
    for (const BgpStream& stream : streams) {
      const SessionContext context = ContextOf(stream, opens, hint);
      for (const std::vector<uint8_t>& run : stream.runs) {
        base::Octets rest = run;
        while (!rest.empty()) {
          const MessageBoundary next = NextMessage(rest, kMaxExtendedMessageOctets);
          if (next.code != base::DecodeCode::kOk) {
            if (!reading_opens && next.code != base::DecodeCode::kTruncated) {
              ++ours.faults[NotificationText(static_cast<uint16_t>(next.error) >> 8, static_cast<uint8_t>(next.error))];
            }
            break;
          }
          const base::Octets message = rest.subspan(0, next.length);
          rest.remove_prefix(next.length);
          if (reading_opens) {
            Open open;
            if (next.type == MessageType::kOpen && !ParseOpen(message, {}, &open))
              opens[stream.from + stream.to] = open;
            continue;
          }
          std::string type = absl::AsciiStrToUpper(MessageTypeName(next.type));
          std::replace(type.begin(), type.end(), '_', '-');
          ++ours.counts[type];
          if (next.type == MessageType::kUpdate) CountUpdate(message, context, &ours);
        }
      }
    }
  }
  return ours;
}

TEST(Captures, HaveTsharksCounts) {
  const char* folder = std::getenv("FLOWACCT_CAPTURES");
  std::ifstream manifest(folder == nullptr ? std::string() : absl::StrCat(folder, "/MANIFEST.tsv"));
  if (!manifest) {
    GTEST_SKIP()
        << "FLOWACCT_CAPTURES does not name a folder with MANIFEST.tsv; the captures are not in the repository";
  }
  size_t captures = 0;
  for (std::string line; std::getline(manifest, line);) {
    const std::vector<std::string> columns = absl::StrSplit(line, '\t');
    absl::string_view file = columns[0];
    if (columns.size() < 10 || !absl::ConsumePrefix(&file, "bgp/")) continue;
    SCOPED_TRACE(columns[0]);
    ++captures;
    const auto row_of = [&](const auto& rows) {
      const auto row = std::find_if(std::begin(rows), std::end(rows), [&](const auto& r) { return file == r.file; });
      return row == std::end(rows) ? nullptr : &*row;
    };
    const Ours ours = CountCapture(absl::StrCat(folder, "/", columns[0]), row_of(kHints));
    const std::string tsharks = CountsAsText(FromManifest(columns[9]));
    const Difference* difference = row_of(kDifferences);
    EXPECT_EQ(CountsAsText(ours.counts), difference != nullptr ? difference->ours : tsharks);
    if (difference != nullptr) {
      EXPECT_NE(CountsAsText(ours.counts), tsharks) << "a difference that is none any more: " << difference->why;
    }
    const Malformed* malformed = row_of(kMalformed);
    EXPECT_EQ(CountsAsText(ours.faults), malformed != nullptr ? malformed->faults : "");
  }
  EXPECT_GT(captures, 30u);
}

// What was told to a session.
class Told : public SessionListener {
 public:
  void OnEstablished(const SessionContext&, const Open&) override { ++established; }
  void OnUpdate(const Update&, base::Octets) override { ++updates; }
  void OnEndOfRib(Family) override { ++updates; }
  void OnRouteRefresh(Family, RouteRefreshSubtype) override {}
  void OnClosed(const SessionClosed& closed) override {
    ++closings[absl::StrCat(closed.cause == CloseCause::kNotificationReceived ? "received " : "sent ",
                            NotificationText(closed.notification.code, closed.notification.subcode))];
  }
  uint64_t established = 0, updates = 0;
  Counts closings;
};

// Each captured side that begins with its OPEN is let into a session, which has to hold as the real one did: UPDATEs
// and NOTIFICATIONs are those that tshark counts; established are the sides that sent a KEEPALIVE behind their OPEN.
TEST(Captures, HoldSessions) {
  const char* folder = std::getenv("FLOWACCT_CAPTURES");
  if (folder == nullptr) GTEST_SKIP() << "FLOWACCT_CAPTURES is not set; the captures are not in the repository";
  const struct {
    const char* file;
    uint64_t established, updates;
    const char* closings;
  } kSessions[] = {
      {"as4-full-and-mixed-tcpdump.pcap", 8, 10, "received Cease: Other Configuration Change 1"},
      {"labeled-unicast-multiple-labels.pcap", 4, 7, "received Cease: Administrative Reset 1"},
      {"cisco-extended-nexthop.pcap", 1, 45, ""},
      {"cisco-vpnv4-301.pcap", 1, 20, ""},
      {"open-update-refresh-ppp.pcap", 2, 3, ""},
      {"route-mix-netgauze.pcap", 2, 3, ""},
      {"gobgp-frr-addpath-vpn-evpn-session.pcap", 4, 46,
       "received Cease: Administrative Shutdown 1, received Cease: Peer De-configured 1"},
      {"gobgp-frr-flowspec-rejected-notifications.pcap", 12, 82,
       "received UPDATE Message Error: Optional Attribute Error 6"},
  };
  for (const auto& expected : kSessions) {
    SCOPED_TRACE(expected.file);
    Told told;
    for (const BgpStream& stream :
         testing::ReadBgpStreams(flowacct::testing::ReadCaptureFile(absl::StrCat(folder, "/bgp/", expected.file)))) {
      for (const std::vector<uint8_t>& run : stream.runs) {
        if (MessageTypeOf(run) != MessageType::kOpen) continue;
        SessionOptions options;
        options.families = FamilySet::All();
        // As the other side of GoBGP had it, which offers more.
        options.add_path = FamilySet().Add(Family::kIpv4Unicast).Add(Family::kIpv6Unicast);
        Session session(options, &told);
        session.Start(absl::UnixEpoch());
        session.Receive(run, absl::UnixEpoch());
      }
    }
    EXPECT_EQ(told.established, expected.established);
    EXPECT_EQ(told.updates, expected.updates);
    EXPECT_EQ(CountsAsText(told.closings), expected.closings);
  }
}

}  // namespace
}  // namespace flowacct::bgp
