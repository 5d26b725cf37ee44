// Real captures: how many records, rows, packets and bytes come out of each, and what is left. Where another decoder
// counts otherwise, the comment says who is right.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "flowacct/flow/ipfix/ipfix_decoder.h"
#include "flowacct/flow/template/testing/capture_datagrams.h"
#include "flowacct/flow/template/testing/decode_run.h"

namespace flowacct::ipfix {
namespace {

using flow::testing::CapturePath;
using flow::testing::ReadCapture;
using flow::testing::Totals;
using flow::testing::TotalsOf;
using flow::testing::Transcript;

struct Case {
  const char* file;
  Totals totals;  // flow records, option records, rows, packets, bytes, pending sets, rejected sets, errors
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.file; }

// A capture's datagrams, or a file's messages.
std::vector<flow::testing::CaptureDatagram> ReadMessages(const std::string& path, std::vector<uint8_t>* file) {
  if (!absl::EndsWith(path, ".ipfix")) return ReadCapture(path);
  std::vector<flow::testing::CaptureDatagram> messages;
  *file = flow::testing::ReadFile(path);
  base::Octets rest(*file);
  while (!rest.empty()) {
    const MessageBoundary boundary = NextMessage(rest);
    const size_t length = boundary.code == base::DecodeCode::kOk ? boundary.length : rest.size();
    flow::testing::CaptureDatagram message;
    message.datagram.octets = rest.first(length);
    message.datagram.transport = record::Transport::kFile;
    messages.push_back(std::move(message));
    rest.remove_prefix(length);
  }
  return messages;
}

class IpfixCaptureTest : public ::testing::TestWithParam<Case> {};

TEST_P(IpfixCaptureTest, HasItsTotals) {
  const auto path = CapturePath(GetParam().file);
  if (!path.has_value()) GTEST_SKIP() << "FLOWACCT_CAPTURES names no folder of captures";
  std::vector<uint8_t> file;
  const auto datagrams = ReadMessages(*path, &file);
  ASSERT_FALSE(datagrams.empty());
  const record::Layout layout = record::Layout::All();
  for (bool listening : {false, true}) {
    base::Interner interner;
    record::FlowBatch rows(&layout, &interner);
    IpfixDecoder decoder(&layout);
    Transcript transcript;
    record::DecodeOutput output;
    output.flows = &rows;
    if (listening) output.listener = &transcript;
    for (const auto& item : datagrams) {
      const base::DecodeResult result = decoder.Decode(item.datagram, output);
      if (!listening && !result.ok()) {
        std::cout << "datagram " << item.datagram.number << " offset " << result.offset << ": "
                  << base::DecodeCodeName(result.code) << "\n";
      }
    }
    EXPECT_EQ(TotalsOf(rows, decoder.Report()), GetParam().totals);
    if (listening) {
      EXPECT_EQ(transcript.rows(), rows.size());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Captures, IpfixCaptureTest,
    ::testing::Values(
        Case{"ipfix/citrix-netscaler-variable-length.pcap", {3, 0, 3, 5, 3106, 1, 0, 0}},
        Case{"ipfix/vmware-vds.pcap", {5, 0, 5, 8, 806, 0, 0, 0}},
        // Two biflows are four rows; the sums agree with nfdump, which writes both directions into one record.
        Case{"ipfix/yaf-applabel-reverse.pcap", {2, 1, 4, 10, 596, 0, 0, 0}},
        Case{"ipfix/openbsd-pflow.pcap", {26, 0, 26, 209, 99323, 0, 0, 0}},
        Case{"ipfix/barracuda-firewall.pcap", {8, 0, 8, 4, 388, 0, 0, 0}},
        Case{"ipfix/juniper-mx240-options.pcap", {0, 1, 0, 0, 0, 0, 0, 0}},
        Case{"ipfix/cisco-basic.pcap", {12, 0, 12, 34, 34172, 0, 0, 0}},
        Case{"ipfix/cisco-ipv6-transport-sampling-option.pcap", {3, 1, 3, 121, 10632, 0, 0, 0}},
        // Four sets of data never get their template.
        Case{"ipfix/cisco-options-maps-reassigned.pcap", {9, 76, 9, 19, 1197, 4, 0, 0}},
        Case{"ipfix/ntop-pen35632.pcap", {2, 0, 2, 2, 208, 0, 0, 0}},
        Case{"ipfix/mpls-labels-and-sampling-options.pcap", {2, 1, 2, 11, 979, 0, 0, 0}},
        Case{"ipfix/inline-monitoring-datalink-frame-section.pcap", {1, 0, 1, 1, 96, 0, 0, 0}},
        Case{"ipfix/inline-monitoring-juniper-cpid.pcap", {1, 0, 1, 1, 104, 0, 0, 0}},
        Case{"ipfix/inline-monitoring-srv6-frame-section.pcap", {1, 0, 1, 1, 104, 0, 0, 0}},
        // Packet sections: one row a sampled packet, its IP length as bytes; nfdump reads none.
        Case{"ipfix/ethernet-over-mpls-control-word-frame-section.pcap", {10, 0, 10, 10, 14337, 0, 0, 0}},
        Case{"ipfix/physical-interfaces.pcap", {8, 1, 8, 29, 31111, 0, 0, 0}},
        // Two of the four records have reverse counters.
        Case{"ipfix/ipfixprobe-biflow.pcap", {4, 0, 6, 60, 25942, 0, 0, 0}},
        Case{"ipfix/netgauze-srv6.pcap", {86, 86, 86, 1070, 133659, 0, 0, 0}},
        Case{"ipfix/avm-fritzbox-options.pcap", {0, 0, 0, 0, 0, 0, 0, 0}},
        Case{"ipfix/bgp-and-ipfix-cisco-srv6.pcap", {43, 10, 43, 558, 53644, 0, 0, 0}},
        Case{"ipfix/ipfix-file-cesnet-example.ipfix", {3979, 0, 3979, 56695, 49001404, 0, 0, 0}},
        Case{"ipfix/ipfix-file-multiple-odid.ipfix", {22, 0, 22, 181, 57404, 0, 0, 0}},
        // The file ends within its one message.
        Case{"ipfix/ipfix-file-bad-set-length.ipfix", {0, 0, 0, 0, 0, 0, 2, 4}},
        // It withdraws a template that was never defined.
        Case{"ipfix/ipfix-file-template-withdrawal.ipfix", {0, 0, 0, 0, 0, 0, 0, 1}},
        Case{"ipfix/bmp-and-ipfix-cisco-srv6.pcap", {109, 338, 109, 58241, 10947666, 0, 0, 0}},
        Case{"ipfix/softflowd-ipfix.pcap", {112, 1, 112, 331, 119229, 0, 0, 0}},
        Case{"ipfix/softflowd-psamp-packet-sections.pcap", {344, 0, 344, 344, 119794, 0, 0, 0}}));

}  // namespace
}  // namespace flowacct::ipfix
