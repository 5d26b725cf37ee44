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
    ::testing::Values(Case{"ipfix/citrix-netscaler-variable-length.pcap", {0, 0, 0, 0, 0, 0, 0, 0}},
                      Case{"ipfix/vmware-vds.pcap", {0, 0, 0, 0, 0, 0, 0, 0}},
                      Case{"ipfix/yaf-applabel-reverse.pcap", {0, 0, 0, 0, 0, 0, 0, 0}},
                      Case{"ipfix/openbsd-pflow.pcap", {0, 0, 0, 0, 0, 0, 0, 0}},
                      Case{"ipfix/barracuda-firewall.pcap", {0, 0, 0, 0, 0, 0, 0, 0}},
                      Case{"ipfix/juniper-mx240-options.pcap", {0, 0, 0, 0, 0, 0, 0, 0}},
                      Case{"ipfix/cisco-basic.pcap", {0, 0, 0, 0, 0, 0, 0, 0}},
                      Case{"ipfix/cisco-ipv6-transport-sampling-option.pcap", {0, 0, 0, 0, 0, 0, 0, 0}},
                      Case{"ipfix/cisco-options-maps-reassigned.pcap", {0, 0, 0, 0, 0, 0, 0, 0}},
                      Case{"ipfix/ntop-pen35632.pcap", {0, 0, 0, 0, 0, 0, 0, 0}},
                      Case{"ipfix/mpls-labels-and-sampling-options.pcap", {0, 0, 0, 0, 0, 0, 0, 0}},
                      Case{"ipfix/inline-monitoring-datalink-frame-section.pcap", {0, 0, 0, 0, 0, 0, 0, 0}},
                      Case{"ipfix/inline-monitoring-juniper-cpid.pcap", {0, 0, 0, 0, 0, 0, 0, 0}},
                      Case{"ipfix/inline-monitoring-srv6-frame-section.pcap", {0, 0, 0, 0, 0, 0, 0, 0}},
                      Case{"ipfix/ethernet-over-mpls-control-word-frame-section.pcap", {0, 0, 0, 0, 0, 0, 0, 0}},
                      Case{"ipfix/physical-interfaces.pcap", {0, 0, 0, 0, 0, 0, 0, 0}},
                      Case{"ipfix/ipfixprobe-biflow.pcap", {0, 0, 0, 0, 0, 0, 0, 0}},
                      Case{"ipfix/netgauze-srv6.pcap", {0, 0, 0, 0, 0, 0, 0, 0}},
                      Case{"ipfix/avm-fritzbox-options.pcap", {0, 0, 0, 0, 0, 0, 0, 0}},
                      Case{"ipfix/bgp-and-ipfix-cisco-srv6.pcap", {0, 0, 0, 0, 0, 0, 0, 0}},
                      Case{"ipfix/ipfix-file-cesnet-example.ipfix", {0, 0, 0, 0, 0, 0, 0, 0}},
                      Case{"ipfix/ipfix-file-multiple-odid.ipfix", {0, 0, 0, 0, 0, 0, 0, 0}},
                      Case{"ipfix/ipfix-file-bad-set-length.ipfix", {0, 0, 0, 0, 0, 0, 0, 0}},
                      Case{"ipfix/ipfix-file-template-withdrawal.ipfix", {0, 0, 0, 0, 0, 0, 0, 0}},
                      Case{"ipfix/bmp-and-ipfix-cisco-srv6.pcap", {0, 0, 0, 0, 0, 0, 0, 0}},
                      Case{"ipfix/softflowd-ipfix.pcap", {0, 0, 0, 0, 0, 0, 0, 0}},
                      Case{"ipfix/softflowd-psamp-packet-sections.pcap", {0, 0, 0, 0, 0, 0, 0, 0}}));

}  // namespace
}  // namespace flowacct::ipfix
