// Real captures: how many samples and records of each format independent decoders count in them, and the values that
// other projects' tests expect. Skipped where the captures are not at hand.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/flow/sflow/sflow_decoder.h"
#include "flowacct/flow/sflow/testing/capture_payloads.h"
#include "flowacct/record/field.h"
#include "flowacct/record/value_text.h"
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
    // Cut down by its author to the first of five samples: the octets of the others trail, and are told.
    {"v5-output-discarded.pcap", 1, 1, 1, "flow_sample 1; sampled_header 1; extended_switch 1"},
    {"v5-output-multiple-interfaces.pcap", 1, 1, 1, "flow_sample 1; sampled_header 1; extended_switch 1"},
    {"v5-output-local.pcap", 1, 1, 1, "flow_sample 1; sampled_header 1; extended_switch 1"},
    // Five of the thirty are NetFlow v5. tshark 4.0 loses its place after a format that it does not know (host_descr)
    // and counts one Ethernet and one 100BaseVG record too many; tcpdump counts as we do.
    {"v5-counters-30-packets.pcap", 30, 5, 0,
     "counters_sample 2; counters_sample_expanded 142; if_counters 142; ethernet_counters 142; host_descr 2; "
     "host_adapters 2; host_cpu 2; host_memory 2; host_disk_io 2; host_net_io 2"},
    {"v5-agent-ipv6-flow-and-counters.pcap", 25, 0, 13,
     "flow_sample 13; counters_sample 48; sampled_header 13; extended_switch 13; if_counters 48; "
     "ethernet_counters 48"},
    {"v5-malformed.pcap", 1, 1, 0, ""},
    {"telegraf-issue-15918.pcap", 1, 0, 6,
     "flow_sample 6; counters_sample 1; sampled_header 6; extended_switch 6; if_counters 1; ethernet_counters 1"},
    // The same here: after port_name (1005) tshark reads if_counters as 100BaseVG.
    {"telegraf-v5-example.pcap", 1, 0, 0, "counters_sample 1; if_counters 1; port_name 1"},
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

// One value of one row, in the text that sinks write.
struct ValueCase {
  const char* file;
  size_t row;
  FieldId field;
  const char* text;
};

// From the tests of the projects that the captures come from (akvorado, telegraf), read from the packets where they
// say otherwise. `bytes` is the length of the IP packet: nfdump and pmacct count the frame.
const ValueCase kValues[] = {
    {"v5-flow-extended-gateway-router-switch.pcap", 0, FieldId::kSrcAddr, "2a0c:8880:2:0:185:21:130:38"},
    {"v5-flow-extended-gateway-router-switch.pcap", 0, FieldId::kDstAddr, "2a0c:8880:2:0:185:21:130:39"},
    {"v5-flow-extended-gateway-router-switch.pcap", 0, FieldId::kExporter, "172.16.0.3"},
    {"v5-flow-extended-gateway-router-switch.pcap", 0, FieldId::kSamplingRate, "1024"},
    {"v5-flow-extended-gateway-router-switch.pcap", 0, FieldId::kInIf, "27"},
    {"v5-flow-extended-gateway-router-switch.pcap", 0, FieldId::kOutIf, "28"},
    {"v5-flow-extended-gateway-router-switch.pcap", 0, FieldId::kInVlan, "100"},
    {"v5-flow-extended-gateway-router-switch.pcap", 0, FieldId::kOutVlan, "100"},
    {"v5-flow-extended-gateway-router-switch.pcap", 0, FieldId::kBytes, "1500"},
    {"v5-flow-extended-gateway-router-switch.pcap", 0, FieldId::kSrcPort, "46026"},
    {"v5-flow-extended-gateway-router-switch.pcap", 0, FieldId::kDstPort, "22"},
    {"v5-flow-extended-gateway-router-switch.pcap", 0, FieldId::kTtl, "64"},
    {"v5-flow-extended-gateway-router-switch.pcap", 0, FieldId::kTos, "8"},
    {"v5-flow-extended-gateway-router-switch.pcap", 0, FieldId::kFlowLabel, "426132"},
    {"v5-flow-extended-gateway-router-switch.pcap", 1, FieldId::kSrcAddr, "104.26.8.24"},
    {"v5-flow-extended-gateway-router-switch.pcap", 1, FieldId::kNextHop, "45.90.161.46"},
    {"v5-flow-extended-gateway-router-switch.pcap", 1, FieldId::kInIf, "49001"},
    {"v5-flow-extended-gateway-router-switch.pcap", 1, FieldId::kInVlan, nullptr},  // 4294967295
    {"v5-flow-extended-gateway-router-switch.pcap", 1, FieldId::kOutVlan, "100"},
    {"v5-flow-extended-gateway-router-switch.pcap", 1, FieldId::kSrcAs, "13335"},
    {"v5-flow-extended-gateway-router-switch.pcap", 1, FieldId::kDstAs, "39421"},
    {"v5-flow-extended-gateway-router-switch.pcap", 1, FieldId::kSrcMask, "20"},
    {"v5-flow-extended-gateway-router-switch.pcap", 1, FieldId::kDstMask, "27"},
    {"v5-flow-extended-gateway-router-switch.pcap", 1, FieldId::kBytes, "421"},
    {"v5-flow-extended-gateway-router-switch.pcap", 3, FieldId::kSrcAs, "39421"},
    {"v5-flow-extended-gateway-router-switch.pcap", 3, FieldId::kDstAs, "26615"},
    {"v5-flow-extended-gateway-router-switch.pcap", 3, FieldId::kNextHop, "31.14.69.110"},
    {"v5-flow-extended-gateway-router-switch.pcap", 3, FieldId::kAsPath, "203698 6762 26615"},
    {"v5-flow-extended-gateway-router-switch.pcap", 3, FieldId::kPeerDstAs, "203698"},
    {"v5-flow-extended-gateway-router-switch.pcap", 3, FieldId::kBytes, "40"},
    {"v5-flow-extended-gateway-router-switch.pcap", 3, FieldId::kProtocol, "tcp"},
    {"v5-expanded-flow-sample.pcap", 0, FieldId::kExporter, "49.49.49.49"},
    {"v5-expanded-flow-sample.pcap", 0, FieldId::kInIf, "29001"},
    {"v5-expanded-flow-sample.pcap", 0, FieldId::kOutIf, "1285816721"},
    {"v5-expanded-flow-sample.pcap", 0, FieldId::kVlan, "809"},
    {"v5-expanded-flow-sample.pcap", 0, FieldId::kNextHop, "54.54.54.54"},
    {"v5-expanded-flow-sample.pcap", 0, FieldId::kSrcAs, "203476"},
    {"v5-expanded-flow-sample.pcap", 0, FieldId::kDstAs, "203361"},
    {"v5-expanded-flow-sample.pcap", 0, FieldId::kAsPath, "8218 29605 203361"},
    {"v5-expanded-flow-sample.pcap", 0, FieldId::kSrcMask, "32"},
    {"v5-expanded-flow-sample.pcap", 0, FieldId::kDstMask, "22"},
    {"v5-expanded-flow-sample.pcap", 0, FieldId::kBytes, "104"},
    {"v5-expanded-flow-sample.pcap", 0, FieldId::kSamplingRate, "1000"},
    {"v5-expanded-ipv4-data-and-ethernet-data.pcap", 0, FieldId::kInIf, nullptr},  // discarded format on input
    {"v5-expanded-ipv4-data-and-ethernet-data.pcap", 0, FieldId::kOutIf, "182"},
    {"v5-expanded-ipv4-data-and-ethernet-data.pcap", 0, FieldId::kSamplingRate, "256"},
    {"v5-expanded-ipv4-data-and-ethernet-data.pcap", 0, FieldId::kSrcAddr, "50.50.50.50"},
    {"v5-expanded-ipv4-data-and-ethernet-data.pcap", 0, FieldId::kBytes, "1344"},
    {"v5-expanded-ipv4-data-and-ethernet-data.pcap", 0, FieldId::kOutVlan, "3001"},
    {"v5-output-discarded.pcap", 0, FieldId::kOutIf, nullptr},
    {"v5-output-discarded.pcap", 0, FieldId::kPackets, "1"},
    {"v5-output-multiple-interfaces.pcap", 0, FieldId::kOutIf, nullptr},
    {"v5-output-multiple-interfaces.pcap", 0, FieldId::kFwdStatus, nullptr},
    {"v5-output-local.pcap", 0, FieldId::kOutIf, nullptr},
    {"v5-output-local.pcap", 0, FieldId::kFwdStatus, "195"},
    {"v5-agent-ipv6-flow-and-counters.pcap", 0, FieldId::kExporter, "30::1:1:1"},
    {"telegraf-issue-15918.pcap", 0, FieldId::kSrcAddr, "192.168.227.2"},
    {"telegraf-issue-15918.pcap", 0, FieldId::kDstPort, "2055"},
    {"telegraf-issue-15918.pcap", 0, FieldId::kInIf, "96"},
    {"telegraf-issue-15918.pcap", 0, FieldId::kOutIf, "95"},
    {"telegraf-issue-15918.pcap", 0, FieldId::kDirection, "0"},
    {"telegraf-issue-15918.pcap", 0, FieldId::kSamplingRate, "200"},
    {"telegraf-issue-15918.pcap", 0, FieldId::kBytes, "1268"},
    {"telegraf-issue-15918.pcap", 1, FieldId::kSrcAddr, "142.250.200.99"},
    {"telegraf-issue-15918.pcap", 1, FieldId::kBytes, "545"},
    {"telegraf-issue-15918.pcap", 2, FieldId::kSrcAddr, "fe80::f3a8:9738:cab4:2286"},
    {"telegraf-issue-15918.pcap", 2, FieldId::kBytes, "96"},  // telegraf: 56, the payload length
    {"telegraf-issue-15918.pcap", 2, FieldId::kOutIf, nullptr},
    {"telegraf-issue-15918.pcap", 4, FieldId::kSrcPort, "443"},
    {"telegraf-issue-15918.pcap", 4, FieldId::kOutIf, "97"},
};

TEST(CapturesTest, ValuesOfRows) {
  if (CapturePath(kCaptures[0].file).empty()) GTEST_SKIP() << "no captures: set FLOWACCT_CAPTURES to their folder";
  std::map<std::string, std::unique_ptr<Decoded>> all;
  for (const ValueCase& c : kValues) {
    SCOPED_TRACE(absl::StrCat(c.file, " row ", c.row, " ", record::Info(c.field).name));
    std::unique_ptr<Decoded>& decoded = all[c.file];
    if (decoded == nullptr) decoded = std::make_unique<Decoded>(CapturePath(c.file));
    ASSERT_LT(c.row, decoded->flows.size());
    const record::RowView row = decoded->flows.row(c.row);
    EXPECT_EQ(row.Has(c.field), c.text != nullptr);
    if (c.text == nullptr) continue;
    std::string text;
    record::AppendText(row, c.field, decoded->interner, &text);
    EXPECT_EQ(text, c.text);
  }
}

TEST(CapturesTest, ValuesOfCounters) {
  if (CapturePath(kCaptures[0].file).empty()) GTEST_SKIP() << "no captures: set FLOWACCT_CAPTURES to their folder";
  const Decoded decoded(CapturePath("telegraf-issue-15918.pcap"));
  std::map<std::string, uint64_t> values;
  for (size_t i = 0; i < decoded.counters.size(); ++i) {
    const record::RowView row = decoded.counters.row(i);
    EXPECT_EQ(row.Get<FieldId::kSourceId>(), 101);
    values[std::string(base::AsText(decoded.interner.Find(row.Get<FieldId::kCounter>())))] = row.Get<FieldId::kValue>();
  }
  EXPECT_EQ(values.size(), 17 + 13);
  EXPECT_EQ(values["if_in_octets"], 21286022420858);
  EXPECT_EQ(values["if_out_octets"], 8929238553590);
  EXPECT_EQ(values["if_in_ucast_pkts"], 1153749508);
  EXPECT_EQ(values["if_in_multicast_pkts"], 81495048);
  EXPECT_EQ(values["if_in_broadcast_pkts"], 2502106);
  EXPECT_EQ(values["if_out_ucast_pkts"], 3892490465);
  EXPECT_EQ(values["if_speed"], 1000000000);
  // Multicast, broadcast and unknown protocols are not available there.
  const Decoded small(CapturePath("telegraf-v5-example.pcap"));
  EXPECT_EQ(small.counters.size(), 17 - 5);
}

}  // namespace
}  // namespace flowacct::sflow
