// The captures of $FLOWACCT_CAPTURES/gtp against an installed tshark: the addresses of each IP header of each packet,
// tunnel endpoint identifiers and QoS flows; and the messages that the tap is shown. Skipped where either is not there.

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "flowacct/packet/packet_decoder.h"
#include "flowacct/packet/tunnel_headers.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/testing/capture_file.h"
#include "gtest/gtest.h"

namespace flowacct::packet {
namespace {

using record::FieldId;

constexpr const char* kFiles[] = {"5g-n3-pdu-session-container.pcap",
                                  "false-gtp-dns.pcap",
                                  "free5gc-ngap-pfcp-gtpu.pcap",
                                  "gtp-prime.pcapng",
                                  "gtpu-http.pcap",
                                  "gtpu-over-ipv6.pcap",
                                  "open5gs-5g-roaming-lbo-n3-n4.pcapng",
                                  "open5gs-testattach-s11-s5-pfcp.pcapng",
                                  "open5gs-volte-dedicated-bearers.pcapng",
                                  "pycrate-gtpv0.pcap",
                                  "pycrate-gtpv1c.pcap",
                                  "pycrate-gtpv1u.pcap",
                                  "pycrate-gtpv2c.pcap",
                                  "scapy-gtpv1c-frames.pcap",
                                  "scapy-gtpv2c-frames.pcap",
                                  "v0-v1-full-sessions-osmo-ggsn.pcap",
                                  "v0-v1-pdp-context-messages.pcapng",
                                  "v1-gtpu-extension-header.pcap",
                                  "v1-gtpu-inner-ipv6.pcap",
                                  "v1-gtpu-inner-teredo.pcap",
                                  "v1-gtpu-on-other-udp-port.pcap",
                                  "v1-gtpu-udp2152-inside.pcap",
                                  "v1-not-user-plane.pcap",
                                  "v2-create-and-delete-session.pcap"};

// What tshark says of the frames of a file, a line each; empty: there is no tshark.
std::vector<std::string> Tshark(const std::string& path) {
  const std::string command =
      absl::StrCat("tshark -r '", path,
                   "' -o ip.defragment:FALSE -o ipv6.defragment:FALSE -T fields -E occurrence=a -E aggregator=' '",
                   " -e frame.protocols -e ip.src -e ip.dst -e ipv6.src -e ipv6.dst -e gtp.teid -e gtp.message",
                   " -e gtp.ext_hdr.pdu_ses_con.qos_flow_id -e gtpv2.message_type 2>/dev/null");
  std::string text;
  FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return {};
  char buffer[4096];
  for (size_t n; (n = fread(buffer, 1, sizeof(buffer), pipe)) > 0;) text.append(buffer, n);
  if (pclose(pipe) != 0) return {};
  std::vector<std::string> lines = absl::StrSplit(text, '\n');
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

struct CountingTap : GtpTap {
  void OnGtp(const GtpDatagram& datagram) override { ++shown; }
  size_t shown = 0;
};

// tshark reads on in what ICMP quotes, and in what is no tunnel to us.
bool BeginsWith(const std::string& theirs, const std::string& ours) {
  return theirs == ours || (theirs.size() > ours.size() && theirs.compare(0, ours.size(), ours) == 0 &&
                            (ours.empty() || theirs[ours.size()] == ' '));
}

TEST(GtpCaptures, AreAsTsharkReadsThem) {
  const char* const folder = std::getenv("FLOWACCT_CAPTURES");
  if (folder == nullptr) GTEST_SKIP() << "FLOWACCT_CAPTURES does not name the folder of captures";
  const record::Layout layout({FieldId::kSrcAddr, FieldId::kDstAddr, FieldId::kTeid, FieldId::kQfi,
                               FieldId::kGtpSrcAddr, FieldId::kGtpDstAddr});
  base::Interner interner;
  size_t tunnelled = 0, qos_flows = 0, messages = 0;
  for (const char* const file : kFiles) {
    SCOPED_TRACE(file);
    const std::string path = absl::StrCat(folder, "/gtp/", file);
    const auto frames = flowacct::testing::ReadCaptureFile(path);
    const std::vector<std::string> lines = Tshark(path);
    if (frames.empty()) GTEST_SKIP() << "no " << path;
    if (lines.empty()) GTEST_SKIP() << "no tshark is installed";
    ASSERT_EQ(frames.size(), lines.size());
    CountingTap tap;
    PacketDecoderOptions options;
    options.depth = -1;
    options.gtp_tap = &tap;
    PacketDecoder decoder(&layout, &interner, options);
    record::FlowBatch batch(&layout, &interner);
    for (size_t i = 0; i < frames.size(); ++i) {
      SCOPED_TRACE(absl::StrCat("frame ", i + 1, ": ", lines[i]));
      std::vector<std::string> told = absl::StrSplit(lines[i], '\t');
      told.resize(9);
      PacketView view;
      (void)Parse(static_cast<LinkType>(frames[i].link_type), frames[i].octets, frames[i].wire_length, &view);
      std::vector<std::string> addresses[4];
      for (const IpLevel& level : view.levels()) {
        addresses[level.version == 4 ? 0 : 2].push_back(view.source(level).ToString());
        addresses[level.version == 4 ? 1 : 3].push_back(view.destination(level).ToString());
      }
      const bool quotes = absl::StrContains(told[0], "icmp:") || absl::StrContains(told[0], "icmpv6:");
      for (int k = 0; k < 4; ++k) {
        const std::string ours = absl::StrJoin(addresses[k], " ");
        if (quotes) {
          EXPECT_TRUE(BeginsWith(told[1 + k], ours)) << told[1 + k] << " and " << ours;
        } else {
          EXPECT_EQ(told[1 + k], ours);
        }
      }
      const size_t shown = tap.shown;
      batch.Clear();
      const auto row = batch.Append();
      if (!decoder.Decode(static_cast<LinkType>(frames[i].link_type), frames[i].octets, frames[i].wire_length, 1, row)
               .ok()) {
        continue;
      }
      const bool gtp = !told[6].empty() || !told[8].empty();
      const bool packet = told[6] == "0xff";
      EXPECT_EQ(tap.shown - shown, gtp && !packet ? 1u : 0u);
      messages += tap.shown - shown;
      if (!packet) {
        EXPECT_FALSE(row.Has(FieldId::kTeid));
        continue;
      }
      ++tunnelled;
      const std::string teid = absl::StrCat("0x", absl::Hex(row.Get<FieldId::kTeid>(), absl::kZeroPad8));
      EXPECT_EQ(row.Has(FieldId::kTeid) ? teid : "", told[5]);
      EXPECT_EQ(row.Has(FieldId::kQfi) ? absl::StrCat(row.Get<FieldId::kQfi>()) : "", told[7]);
      if (row.Has(FieldId::kQfi)) ++qos_flows;
      const IpLevel& outer = view.levels()[0];
      EXPECT_EQ(row.Get<FieldId::kGtpSrcAddr>(), view.source(outer));
      EXPECT_EQ(row.Get<FieldId::kGtpDstAddr>(), view.destination(outer));
    }
  }
  EXPECT_GT(tunnelled, 500u);
  EXPECT_GT(qos_flows, 10u);
  EXPECT_GT(messages, 100u);
}

}  // namespace
}  // namespace flowacct::packet
