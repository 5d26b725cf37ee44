// The captures of $FLOWACCT_CAPTURES/rtr: PDUs by type against what the manifest says that tshark counts, in both
// directions, and what a client ends up with that hears what the cache said. Skipped where FLOWACCT_CAPTURES does not
// point at them.

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "flowacct/rpki/client.h"
#include "flowacct/testing/capture_file.h"
#include "flowacct/testing/manifest_counts.h"
#include "flowacct/testing/tcp_streams.h"
#include "gtest/gtest.h"

namespace flowacct::rpki {
namespace {

using flowacct::testing::Counts;
using flowacct::testing::CountsAsText;
using flowacct::testing::CountsOf;

// "tshark (decode as rpkirtr): ipv4-prefix 56, ipv6-prefix 32; versions 1 112, 0 1".
constexpr absl::string_view kTshark = "tshark (decode as rpkirtr): ";

// By tshark's names; a type that is none is skipped by its length.
void Count(base::Octets rest, Counts* counts) {
  while (rest.size() >= kPduHeaderOctets) {
    const PduHeader header = LoadPduHeader(rest.data());
    if (header.length < kPduHeaderOctets || header.length > rest.size()) return;
    const absl::string_view name = PduTypeName(static_cast<PduType>(header.type));
    ++(*counts)[name.empty() ? absl::StrCat("type", header.type) : absl::StrReplaceAll(name, {{"_", "-"}})];
    rest.remove_prefix(header.length);
  }
}

class Events : public ClientListener {
 public:
  void OnClosed(ErrorCode code, bool from_cache, absl::string_view text) override {
    absl::StrAppend(&closed, static_cast<int>(code), " ", std::string(text));
  }
  std::string closed;
};

struct Outcome {
  const char* file;
  const char* counts;  // nullptr: as tshark's
  size_t vrps;
  uint8_t version;
  const char* why;
};
const Outcome kOutcomes[] = {
    {"v1-stayrtr-rtrclient.pcap",
     "cache-response 5, end-of-data 5, error-report 1, ipv4-prefix 56, ipv6-prefix 32, reset-query 1, router-key 2, "
     "serial-notify 4, serial-query 5, type99 1",
     84, 1,
     "tshark takes the empty PDU within the error report for a fifth serial notify, of version 0; 80 VRPs, 6 announced "
     "and "
     "2 withdrawn later"},
    {"v0-stayrtr-rtrclient-downgrade.pcap", nullptr, 80, 0, ""},
    {"malformed-oob-read.pcap", nullptr, 0, 1, ""},
};

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
    if (columns.size() < 10 || !absl::ConsumePrefix(&file, "rtr/")) continue;
    SCOPED_TRACE(columns[0]);
    ++captures;
    Counts counts;
    Events events;
    Client client({}, &events);
    client.Connected(absl::UnixEpoch());
    for (const flowacct::testing::TcpStream& stream :
         flowacct::testing::ReadTcpStreams(flowacct::testing::ReadCaptureFile(absl::StrCat(folder, "/", columns[0])),
                                           [](const uint8_t*p, size_t size) { return size >= 8 && p[0] <= 1; })) {
      for (const std::vector<uint8_t>& run : stream.runs) {
        Count(run, &counts);
        const PduType first = static_cast<PduType>(run[1]);
        if (first == PduType::kCacheResponse) (void)client.Receive(run, absl::UnixEpoch());
      }
    }
    const auto outcome =
        std::find_if(std::begin(kOutcomes), std::end(kOutcomes), [&](const Outcome& o) { return file == o.file; });
    ASSERT_NE(outcome, std::end(kOutcomes));
    EXPECT_EQ(CountsAsText(counts),
              outcome->counts != nullptr ? outcome->counts : CountsAsText(CountsOf(columns[9], kTshark)));
    EXPECT_EQ(client.vrps().size(), outcome->vrps);
    EXPECT_EQ(client.version(), outcome->version);
    EXPECT_EQ(events.closed, "");
  }
  EXPECT_EQ(captures, 3u);
}

}  // namespace
}  // namespace flowacct::rpki
