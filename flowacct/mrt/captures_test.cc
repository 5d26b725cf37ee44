// The files of $FLOWACCT_CAPTURES/mrt against what their manifest says that bgpdump and mrtparse count: routes by kind
// of record and direction, states, and records by subtype; and the routes themselves, with peer, path and next hop,
// against bgpdump's where it wrote them. Each difference is a row of kDifferences with who is right.
// Skipped where FLOWACCT_CAPTURES does not point at them; .bz2 is not read, for the tree has no bzip2.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/bgp/attribute_set.h"
#include "flowacct/bgp/canonicalize.h"
#include "flowacct/bgp/update.h"
#include "flowacct/mrt/reader.h"
#include "flowacct/testing/capture_file.h"
#include "flowacct/testing/manifest_counts.h"
#include "gtest/gtest.h"

namespace flowacct::mrt {
namespace {

using flowacct::testing::Counts;
using flowacct::testing::CountsAsText;

// "bgpdump -m: 24 lines (BGP4MP STATE 12, BGP4MP_AP A 12); mrtparse: BGP4MP/BGP4MP_MESSAGE 1, ...; announced 12".
struct Said {
  Counts bgpdump, mrtparse;
};

void ReadCounts(absl::string_view text, Counts* counts) {
  for (absl::string_view item : absl::StrSplit(text, ", ")) {
    const size_t space = item.rfind(' ');
    if (space == absl::string_view::npos) continue;
    uint64_t n = 0;
    if (absl::SimpleAtoi(item.substr(space + 1), &n)) (*counts)[std::string(item.substr(0, space))] = n;
  }
}

Said FromManifest(absl::string_view said) {
  Said counts;
  for (absl::string_view part : absl::StrSplit(said, "; ")) {
    if (absl::StartsWith(part, "bgpdump")) {
      const size_t open = part.find('('), close = part.rfind(')');
      if (open != absl::string_view::npos) ReadCounts(part.substr(open + 1, close - open - 1), &counts.bgpdump);
    } else if (absl::ConsumePrefix(&part, "mrtparse: ")) {
      ReadCounts(part, &counts.mrtparse);
    }
  }
  return counts;
}

std::string RouteText(const Peer& peer, const bgp::Nlri& route) {
  return absl::StrCat(peer.address.ToString(), "|", peer.as, "|", route.address.ToString(), "/", route.length,
                      route.has_path_id ? absl::StrCat("|", route.path_id) : "");
}

std::string SetText(const bgp::AttributeSetView& set) {
  return absl::StrCat("|", set.as_path().ToString(), "|", set.next_hop() ? set.next_hop()->ToString() : "");
}

// An address or prefix as this library writes it: bgpdump's are not RFC 5952's.
std::string Canonical(const std::string& text) {
  if (const auto address = base::IpAddress::Parse(text)) return address->ToString();
  const auto prefix = base::IpPrefix::Parse(text);
  return prefix ? prefix->ToString() : text;
}

// The same of what `bgpdump -m` writes: kind|time|B, A or W|peer|AS|prefix[|path identifier]|path|origin|next hop|...
std::vector<std::string> BgpdumpRoutes(absl::string_view text) {
  std::vector<std::string> routes;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<std::string> f = absl::StrSplit(line, '|');
    if (f.size() < 6 || f[2] == "STATE") continue;
    const size_t path = absl::EndsWith(f[0], "_AP") ? 7 : 6;
    std::string route =
        absl::StrCat(Canonical(f[3]), "|", f[4], "|", Canonical(f[5]), path == 7 ? absl::StrCat("|", f[6]) : "");
    if (f[2] != "W") absl::StrAppend(&route, "|", f[path], "|", Canonical(f[path + 2]));
    routes.push_back(route);
  }
  std::sort(routes.begin(), routes.end());
  return routes;
}

// Counts as bgpdump -m writes lines.
class Counter : public Listener {
 public:
  void OnRibEntry(const RibEntry& entry) override {
    ++counts[absl::StrCat(entry.peer_index == RibEntry::kNoIndex ? "TABLE_DUMP"
                          : entry.route.has_path_id              ? "TABLE_DUMP2_AP"
                                                                 : "TABLE_DUMP2",
                          " B")];
    const bgp::AttributeSetView set(entry.attributes);
    routes.push_back(RouteText(entry.peer, entry.route) + SetText(set));
    EXPECT_TRUE(set.origin().has_value());
    EXPECT_TRUE(set.next_hop().has_value());
  }
  void OnMessage(const BgpMessage& message) override {
    if (message.type != bgp::MessageType::kUpdate) return;
    bgp::DecodeUpdate(message.message, message.context, &update_, &updates);
    const std::string kind = message.context.add_path.empty() ? "BGP4MP" : "BGP4MP_AP";
    for (const bgp::NlriSection& section : update_.announced()) {
      counts[kind + " A"] += section.count;
      const std::string set = SetText(bgp::AttributeSetView(bgp::CanonicalizeAttributes(update_, section, &buffer_)));
      section.Visit([&](const bgp::Nlri& route) { routes.push_back(RouteText(message.ends.peer, route) + set); });
    }
    for (const bgp::NlriSection& section : update_.withdrawn()) {
      counts[kind + " W"] += section.count;
      section.Visit([&](const bgp::Nlri& route) { routes.push_back(RouteText(message.ends.peer, route)); });
    }
  }
  void OnStateChange(const StateChange&) override { ++counts["BGP4MP STATE"]; }
  void OnError(const RecordError& error) override { ++errors[std::string(base::DecodeCodeName(error.result.code))]; }

  Counts counts, errors;
  std::vector<std::string> routes;
  bgp::UpdateCounters updates;

 private:
  bgp::Update update_;
  std::vector<uint8_t> buffer_;
};

// Where our counts differ, and who is right.
struct Difference {
  const char* file;
  const char* lines;    // ours; nullptr: as bgpdump's
  const char* records;  // ours; nullptr: as mrtparse's
  const char* errors;   // "": none
  const char* why;
};
const Difference kDifferences[] = {
    {"ripe-bview-addpath-ipv4.gz", "TABLE_DUMP2_AP B 60", nullptr, "bad_value 2",
     "ours is right: two entries have no attributes at all, and are no routes; bgpdump prints them empty"},
    {"ripe-updates-nlri-mask-trailing-bits.gz", "", "BGP4MP/BGP4MP_MESSAGE 1", "",
     "an UPDATE whose second route lacks its octets: RFC 7606, 5.3 ends the session; bgpdump shows the first one"},
    {"ripe-updates-20020722.gz", nullptr, "BGP4MP/BGP4MP_MESSAGE 1028, BGP4MP/BGP4MP_STATE_CHANGE 93", "",
     "bgpdump agrees; mrtparse cannot parse 1,076 records, whose messages are right"},
    {"ripe-rrc01-updates-2000-old-types.gz", nullptr, "BGP4MP/BGP4MP_MESSAGE 922, BGP4MP/BGP4MP_STATE_CHANGE 364", "",
     "bgpdump agrees; mrtparse cannot parse 1,252 records, some of them without addresses"},
    {"mrtparse-quagga-bgp.mrt", "BGP4MP A 34, BGP4MP STATE 20", nullptr, "",
     "mrtparse says 34 announced too; bgpdump leaves out 16"},
    {"mrtparse-openbgpd-rib-table-v2.mrt", "TABLE_DUMP2 B 33", nullptr, "",
     "mrtparse says 33 entries too; bgpdump has no RIB_GENERIC"},
    {"gobgp-table-addpath.mrt", "TABLE_DUMP2_AP B 2",
     "TABLE_DUMP_V2/PEER_INDEX_TABLE 1, TABLE_DUMP_V2/RIB_GENERIC_ADDPATH 5, TABLE_DUMP_V2/RIB_IPV4_UNICAST_ADDPATH 3, "
     "TABLE_DUMP_V2/RIB_IPV6_UNICAST_ADDPATH 2",
     "bad_value 6, unsupported 3",
     "ours is right: GoBGP gives six routes of its own a peer that its index has not, and three are EVPN; bgpdump "
     "aborts"},
};

TEST(Captures, HaveBgpdumpsAndMrtparsesCounts) {
  const char* folder = std::getenv("FLOWACCT_CAPTURES");
  std::ifstream manifest(folder == nullptr ? std::string() : absl::StrCat(folder, "/MANIFEST.tsv"));
  if (!manifest) {
    GTEST_SKIP()
        << "FLOWACCT_CAPTURES does not name a folder with MANIFEST.tsv; the captures are not in the repository";
  }
  size_t files = 0, compared = 0;
  for (std::string line; std::getline(manifest, line);) {
    const std::vector<std::string> columns = absl::StrSplit(line, '\t');
    absl::string_view file = columns[0];
    if (columns.size() < 10 || !absl::ConsumePrefix(&file, "mrt/") || absl::EndsWith(file, ".bz2")) continue;
    SCOPED_TRACE(columns[0]);
    ++files;
    const auto row = std::find_if(std::begin(kDifferences), std::end(kDifferences),
                                  [&](const Difference& d) { return file == d.file; });
    const Difference* difference = row == std::end(kDifferences) ? nullptr : row;

    const std::vector<uint8_t> octets = flowacct::testing::ReadFile(absl::StrCat(folder, "/", columns[0]));
    ASSERT_FALSE(octets.empty());
    Counter counter;
    Reader reader(&counter);
    for (size_t at = 0; at < octets.size(); at += 65536) {
      reader.Read(base::Octets(octets).subspan(at, 65536));
    }
    reader.End();
    Counts records;
    for (size_t i = 0; i < kSubtypeCount; ++i) {
      if (reader.counters().subtypes[i] > 0) records[std::string(kSubtypes[i].name)] = reader.counters().subtypes[i];
    }
    const Said said = FromManifest(columns[9]);
    EXPECT_EQ(CountsAsText(counter.counts),
              difference != nullptr && difference->lines != nullptr ? difference->lines : CountsAsText(said.bgpdump));
    EXPECT_EQ(CountsAsText(records), difference != nullptr && difference->records != nullptr
                                         ? difference->records
                                         : CountsAsText(said.mrtparse));
    if (columns.size() > 10 && columns[10] != "-" && (difference == nullptr || difference->lines == nullptr)) {
      const std::vector<uint8_t> said_text = flowacct::testing::ReadFile(absl::StrCat(folder, "/", columns[10]));
      const std::vector<std::string> theirs = BgpdumpRoutes(base::AsText(said_text));
      std::sort(counter.routes.begin(), counter.routes.end());
      EXPECT_EQ(theirs.size(), counter.routes.size());
      const auto unlike = std::mismatch(theirs.begin(), theirs.end(), counter.routes.begin(), counter.routes.end());
      if (unlike.first != theirs.end() && unlike.second != counter.routes.end()) {
        EXPECT_EQ(*unlike.second, *unlike.first) << "the first that is not as bgpdump has it";
      }
      compared += theirs.size();
    }
    EXPECT_EQ(CountsAsText(counter.errors), difference != nullptr ? difference->errors : "");
  }
  EXPECT_GT(files, 15u);
  EXPECT_GT(compared, 130000u);
}

}  // namespace
}  // namespace flowacct::mrt
