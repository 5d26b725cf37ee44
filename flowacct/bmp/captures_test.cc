// The captures of $FLOWACCT_CAPTURES/bmp against what their manifest says that tshark counts: messages by type. Each
// difference is a row of kDifferences with who is right; faults of the UPDATEs within are told too. Skipped where
// FLOWACCT_CAPTURES does not point at them.

#include <algorithm>
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
#include "flowacct/bmp/station.h"
#include "flowacct/testing/capture_file.h"
#include "flowacct/testing/manifest_counts.h"
#include "flowacct/testing/tcp_streams.h"
#include "gtest/gtest.h"

namespace flowacct::bmp {
namespace {

using flowacct::testing::Counts;
using flowacct::testing::CountsAsText;
using flowacct::testing::CountsOf;

// "tshark: BMP: route-monitoring 84, peer-up 18, initiation 1; 5 frames malformed per tshark".
constexpr absl::string_view kTshark = "tshark: BMP: ";

constexpr const char* kTsharkNames[kMessageTypeCount] = {"route-monitoring", "stats",       "peer-down",      "peer-up",
                                                         "initiation",       "termination", "route-mirroring"};

class Counter : public Listener {
 public:
  void OnUpdate(const RouteUpdate& update) override {
    const std::string rib = absl::StrCat(std::string(RibKindName(update.rib)), update.post_policy ? " post" : "");
    const auto count = [&](const char* what, const bgp::NlriSection& section) {
      if (bgp::RowOf(section.family).joined) events[absl::StrCat(rib, " ", what)] += section.count;
    };
    for (const bgp::NlriSection& section : update.update.announced()) count("update", section);
    for (const bgp::NlriSection& section : update.update.withdrawn()) count("withdraw", section);
    if (update.update.end_of_rib()) ++events[rib + " end-of-rib"];
    for (const bgp::UpdateError& error : update.update.errors()) {
      ++faults[absl::StrCat(std::string(bgp::UpdateFaultName(error.fault)), "/", error.attribute)];
    }
  }
  void OnPeerUp(const PeerUp&) override { ++events["peer_up"]; }
  void OnPeerDown(const PeerDown& down) override {
    if (down.reason != PeerDownReason::kStreamEnded) ++events["peer_down"];
  }
  void OnStatistics(const StatisticsReport& report) override { events["stats"] += report.statistics.size(); }
  void OnError(const StreamError& error) override { ++faults[std::string(base::DecodeCodeName(error.result.code))]; }
  Counts faults, events;
};

struct Difference {
  const char* file;
  const char* ours;  // nullptr: as tshark's
  const char* faults;
  const char* why;
};
const Difference kDifferences[] = {
    {"6wind-frr-peer-down.pcap", nullptr, "bad_value 1, missing_attribute/3 140",
     "FRR leaves NEXT_HOP out after policy and of its Loc-RIB: malformed, and told without; the OPENs that it makes up "
     "for its Loc-RIB are of AS 0"},
    {"v4-draft-vpnv4-withdraw.pcap", "route-monitoring 15", "", "tshark 4.0 does not know version 4"},
    {"many-exporters-route-monitoring.pcap", nullptr,
     "missing_attribute/3 187, next_hop_length/14 38, nlri/14 196, trailing_octets 200",
     "routes with path identifiers without the Peer Up that tells so; VPN next hops without route distinguisher (RFC "
     "8950, 3); "
     "TLVs behind the UPDATE in version 3; FRR as above. tshark calls 238 malformed"},
    {"gobgp-stats-peer-down.pcap", nullptr, "missing_attribute/2 7, nlri/0 2, nlri/14 1, nlri/15 1",
     "GoBGP leaves AS_PATH out of its own routes, and path identifiers after policy though ADD-PATH is agreed"},
    {"gobgp-peer-flaps.pcap", nullptr, "missing_attribute/2 10, nlri/0 2, nlri/14 1, nlri/15 1", "the same"},
};

// What pmacct logs of the same capture, by RIB, as its expected output beside the capture has it.
struct Events {
  const char* file;
  const char* pmacct;
  const char* ours;  // nullptr: the same
  const char* why;
};
const Events kEvents[] = {
    {"huawei-locrib.pcap", "adj_rib_in update 68, loc_rib end-of-rib 2, loc_rib update 16, peer_up 18", nullptr, ""},
    {"cisco-rd-instance.pcap", "adj_rib_in end-of-rib 36, adj_rib_in update 235, peer_up 42, stats 120", nullptr, ""},
    {"6wind-frr-peer-down.pcap",
     "adj_rib_in end-of-rib 4, adj_rib_in post end-of-rib 4, adj_rib_in post update 145, adj_rib_in update 102, "
     "loc_rib end-of-rib 4, loc_rib update 78, loc_rib withdraw 8, peer_down 2, peer_up 7, stats 336",
     "adj_rib_in end-of-rib 4, adj_rib_in post end-of-rib 4, adj_rib_in post update 145, adj_rib_in post withdraw 66, "
     "adj_rib_in update 102, adj_rib_in withdraw 40, loc_rib end-of-rib 4, loc_rib update 78, loc_rib withdraw 8, "
     "peer_down 2, peer_up 8, stats 336",
     "pmacct logs no withdrawal of a route that it does not have, and no peer that was not told of (one of AS 0)"},
};

bool StartsMessage(const uint8_t* p, size_t size) {
  return size >= kCommonHeaderOctets && (p[0] == kVersion3 || p[0] == kVersion4) && p[1] == 0 &&
         p[5] < kMessageTypeCount;
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
    if (columns.size() < 10 || !absl::ConsumePrefix(&file, "bmp/")) continue;
    SCOPED_TRACE(columns[0]);
    ++captures;
    const auto row = std::find_if(std::begin(kDifferences), std::end(kDifferences),
                                  [&](const Difference& d) { return file == d.file; });
    const Difference* difference = row == std::end(kDifferences) ? nullptr : row;
    Counts counts;
    Counter counter;
    for (const flowacct::testing::TcpStream& stream : flowacct::testing::ReadTcpStreams(
             flowacct::testing::ReadCaptureFile(absl::StrCat(folder, "/", columns[0])), StartsMessage)) {
      for (const std::vector<uint8_t>& run : stream.runs) {
        Station station({}, &counter);
        (void)station.Receive(run);
        station.End();
        for (size_t i = 0; i < kMessageTypeCount; ++i) {
          if (station.counters().messages[i] > 0) counts[kTsharkNames[i]] += station.counters().messages[i];
        }
      }
    }
    EXPECT_EQ(CountsAsText(counts), difference != nullptr && difference->ours != nullptr
                                        ? difference->ours
                                        : CountsAsText(CountsOf(columns[9], kTshark)));
    const auto events =
        std::find_if(std::begin(kEvents), std::end(kEvents), [&](const Events& e) { return file == e.file; });
    if (events != std::end(kEvents)) {
      EXPECT_EQ(CountsAsText(counter.events), events->ours != nullptr ? events->ours : events->pmacct) << events->why;
    }
    EXPECT_EQ(CountsAsText(counter.faults), difference != nullptr ? difference->faults : "");
  }
  EXPECT_GT(captures, 8u);
}

}  // namespace
}  // namespace flowacct::bmp
