// Real captures: how many samples and records of each format independent decoders count in them, and the values that
// other projects' tests expect. Skipped where the captures are not at hand.

#include <map>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/flow/sflow/sflow_decoder.h"
#include "flowacct/flow/sflow/testing/capture_payloads.h"
#include "flowacct/record/field.h"
#include "gtest/gtest.h"

namespace flowacct::sflow {
namespace {

using record::FieldId;

class Decoded {
 public:
  explicit Decoded(const std::string& path)
      : layout_(record::Layout::All()), flows(&layout_, &interner), counters(&layout_, &interner), decoder(&layout_) {
    for (const std::vector<uint8_t>& payload : CapturePayloads(path)) {
      record::Datagram datagram;
      datagram.octets = payload;
      ++datagrams;
      if (!decoder.Decode(datagram, {&flows, &counters, nullptr}).ok()) ++bad;
    }
  }
  // "flow_sample 5; sampled_header 5"
  std::string Formats() const {
    std::string text;
    for (const FormatCount& count : decoder.Formats()) {
      const std::string name = count.name == "unknown" ? absl::StrCat(count.enterprise, ":", count.format) : count.name;
      absl::StrAppend(&text, text.empty() ? "" : "; ", name, " ", count.count);
    }
    return text;
  }

 private:
  record::Layout layout_;

 public:
  base::Interner interner;
  record::FlowBatch flows;
  record::FlowBatch counters;
  SflowDecoder decoder;
  int datagrams = 0;
  int bad = 0;
};

struct CaptureCase {
  const char* file;
  int datagrams;
  int bad;
  size_t rows;
  const char* formats;
};

// What tshark counts (MANIFEST.tsv); where a comment says so, it and we differ.
const CaptureCase kCaptures[] = {
    {"v5-flow-extended-gateway-router-switch.pcap", 1, 0, 5,
     "flow_sample 5; sampled_header 5; extended_switch 5; extended_router 2; extended_gateway 2"},
    {"v5-expanded-flow-sample.pcap", 1, 0, 1,
     "flow_sample_expanded 1; sampled_header 1; extended_router 1; extended_gateway 1"},
    {"v5-expanded-ipv4-data-and-ethernet-data.pcap", 1, 0, 1,
     "flow_sample_expanded 1; sampled_header 1; sampled_ethernet 1; sampled_ipv4 1; extended_switch 1"},
    {"v5-raw-header-protocol-ipv4.pcap", 1, 0, 2, "flow_sample 2; sampled_header 2"},
    {"v5-qinq.pcap", 1, 0, 1, "flow_sample_expanded 1; sampled_header 1"},
    {"v5-vxlan-inside.pcap", 1, 0, 1, "flow_sample 1; sampled_header 1; extended_switch 1"},
    {"v5-output-discarded.pcap", 1, 0, 1, "flow_sample 1; sampled_header 1; extended_switch 1"},
    {"v5-output-multiple-interfaces.pcap", 1, 0, 1, "flow_sample 1; sampled_header 1; extended_switch 1"},
    {"v5-output-local.pcap", 1, 0, 1, "flow_sample 1; sampled_header 1; extended_switch 1"},
    {"v5-counters-30-packets.pcap", 30, 0, 0, ""},
    {"v5-agent-ipv6-flow-and-counters.pcap", 25, 0, 13,
     "flow_sample 13; counters_sample 48; sampled_header 13; extended_switch 13; if_counters 48; "
     "ethernet_counters 48"},
    {"v5-malformed.pcap", 1, 1, 0, ""},
    {"telegraf-issue-15918.pcap", 1, 0, 6,
     "flow_sample 6; counters_sample 1; sampled_header 6; extended_switch 6; if_counters 1; ethernet_counters 1"},
    {"telegraf-v5-example.pcap", 1, 0, 0, ""},
};

TEST(CapturesTest, SamplesAndRecordsOfEachFormat) {
  if (CapturePath(kCaptures[0].file).empty()) GTEST_SKIP() << "no captures: set FLOWACCT_CAPTURES to their folder";
  for (const CaptureCase& c : kCaptures) {
    SCOPED_TRACE(c.file);
    const std::string path = CapturePath(c.file);
    ASSERT_FALSE(path.empty());
    const Decoded decoded(path);
    EXPECT_EQ(decoded.datagrams, c.datagrams);
    EXPECT_EQ(decoded.bad, c.bad);
    EXPECT_EQ(decoded.flows.size(), c.rows);
    EXPECT_EQ(decoded.Formats(), c.formats);
  }
}

}  // namespace
}  // namespace flowacct::sflow
