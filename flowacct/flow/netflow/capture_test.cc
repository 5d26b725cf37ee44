// Real captures: how many records, rows, packets and bytes come out of each, and what is left. Where another decoder
// counts otherwise, the comment says who is right.

#include <gtest/gtest.h>

#include <string>

#include "flowacct/flow/netflow/netflow_decoder.h"
#include "flowacct/flow/template/testing/capture_datagrams.h"
#include "flowacct/flow/template/testing/decode_run.h"

namespace flowacct::netflow {
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

class NetflowCaptureTest : public ::testing::TestWithParam<Case> {};

TEST_P(NetflowCaptureTest, HasItsTotals) {
  const auto path = CapturePath(GetParam().file);
  if (!path.has_value()) GTEST_SKIP() << "FLOWACCT_CAPTURES names no folder of captures";
  const auto datagrams = ReadCapture(*path);
  ASSERT_FALSE(datagrams.empty());
  const record::Layout layout = record::Layout::All();
  for (bool listening : {false, true}) {
    base::Interner interner;
    record::FlowBatch rows(&layout, &interner);
    NetflowDecoder decoder(&layout);
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
    Captures, NetflowCaptureTest,
    ::testing::Values(
        Case{"netflow5/softflowd-v5.pcap", {30, 0, 30, 230, 18684, 0, 0, 0}},
        // nfdump counts 31000 packets: it has multiplied by the sampling rate of 1000.
        Case{"netflow5/juniper-mx80-v5.pcap", {29, 0, 29, 31, 3989, 0, 0, 0}},
        Case{"netflow5/freebsd-ng_netflow-v5-30records.pcap", {120, 0, 120, 19355, 6765997, 0, 0, 0}},
        Case{"netflow5/pmacctd-v5.pcap", {42, 0, 42, 133, 18391, 0, 0, 0}},
        Case{"netflow5/akvorado-v5-29records.pcap", {29, 0, 29, 78, 88345, 0, 0, 0}},
        Case{"netflow9/cisco-asa-nsel.pcap", {14, 0, 14, 0, 888, 0, 0, 0}},
        Case{"netflow9/cisco-asr9k-tpl260.pcap", {21, 0, 21, 531, 208031, 0, 0, 0}},
        Case{"netflow9/cisco-nbar-options-and-data.pcap", {5, 15, 5, 40, 3064, 0, 0, 0}},
        Case{"netflow9/paloalto-panos-appid.pcap", {8, 0, 8, 8, 617, 0, 0, 0}},
        // nfdump counts 210 packets: it adds IN_ and OUT_ counters of the same packets.
        Case{"netflow9/fortigate-fortios542-appid.pcap", {17, 0, 17, 105, 29492, 0, 0, 0}},
        Case{"netflow9/h3c-netstream-varstring.pcap", {1, 0, 1, 9, 702, 0, 0, 0}},
        Case{"netflow9/ubiquiti-edgerouter-mpls-labels.pcap", {16, 0, 16, 114, 20418, 0, 0, 0}},
        // Seventeen octets after the record are neither a record nor padding.
        Case{"netflow9/nprobe-dpi-l7.pcap", {1, 0, 1, 1, 82, 0, 0, 1}},
        // Egress records have their counters in OUT_PKTS and OUT_BYTES alone.
        Case{"netflow9/template-with-zero-length-fields.pcap", {10, 0, 10, 5, 160, 0, 0, 0}},
        Case{"netflow9/juniper-srx-options-scope-length-zero.pcap", {0, 1, 0, 0, 0, 0, 0, 0}},
        Case{"netflow9/cisco-custom-primitives.pcap", {51, 0, 51, 56, 4500, 0, 0, 0}},
        Case{"netflow9/nprobe-mixed-v5-and-v9.pcap", {152, 2, 152, 11285, 15063040, 0, 0, 0}},
        Case{"netflow9/nprobe-72packets.pcap", {892, 6, 892, 2949, 224593, 0, 0, 0}},
        Case{"netflow9/cgnat-events-and-port-blocks.pcap", {9, 0, 9, 0, 0, 0, 0, 0}},
        // nfdump counts 40018 packets: scaled by the rates.
        Case{"netflow9/sampler-options-multiple-rates.pcap", {12, 2, 12, 38, 14818, 0, 0, 0}},
        Case{"netflow9/sampling-rate-in-flow-record.pcap", {6, 0, 6, 6, 3740, 0, 0, 0}},
        Case{"netflow9/icmp-type-code.pcap", {4, 0, 4, 4, 376, 0, 0, 0}},
        // Both times the same four flows: nfdump loses those that came before their template, and scales the others.
        Case{"netflow9/data-before-template-then-both.pcap", {8, 4, 8, 8, 11696, 0, 0, 0}},
        Case{"netflow9/exatel-options-and-templates.pcap", {2, 2, 2, 4, 220, 0, 0, 0}},
        Case{"netflow9/malformed-1.pcap", {0, 0, 0, 0, 0, 3, 0, 3}},
        // Held data turns out not to fit the template that comes.
        Case{"netflow9/malformed-2.pcap", {0, 12, 0, 0, 0, 1, 3, 19}},
        Case{"netflow9/malformed-4.pcap", {0, 1, 0, 0, 0, 0, 0, 0}},
        Case{"netflow9/malformed-options-template.pcap", {0, 0, 0, 0, 0, 1, 0, 1}},
        Case{"netflow9/telegraf-v9-options.pcap", {0, 8, 0, 0, 0, 0, 0, 0}},
        Case{"netflow9/scapy-options-25records.pcap", {24, 1, 24, 183920, 142139882, 0, 0, 0}},
        Case{"netflow5/fprobe-v5.pcap", {37, 0, 37, 62, 12755, 0, 0, 0}},
        // nfdump takes 20 of the 108 records: it reads records of 52 octets, softflowd and fprobe send 48.
        Case{"netflow5/netflow-v1-softflowd.pcap", {108, 0, 108, 304, 116443, 0, 0, 0}},
        Case{"netflow5/netflow-v1-fprobe.pcap", {39, 0, 39, 69, 25351, 0, 0, 0}},
        Case{"netflow5/netflow-v7-fprobe.pcap", {34, 0, 34, 53, 14701, 0, 0, 0}},
        // NetFlow v6 was never released; it is refused by its number.
        Case{"netflow5/netflow-v7-v6-v1-flowtools-synthetic.pcap", {51, 0, 51, 678, 678, 0, 0, 1}},
        // nfdump has no v8.
        Case{"netflow5/netflow-v8-all-14-aggregations-flowtools-synthetic.pcap", {532, 0, 532, 10428, 10428, 0, 0, 0}},
        Case{"netflow9/softflowd-v9.pcap", {112, 1, 112, 331, 119229, 0, 0, 0}}));

}  // namespace
}  // namespace flowacct::netflow
