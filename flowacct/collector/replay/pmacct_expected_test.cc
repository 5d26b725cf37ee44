// Flows as pmacct's own tests have them (nfacctd, JSON), held against `replay --naming pmacct`.

#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "flowacct/collector/replay/testing/comparison.h"
#include "flowacct/collector/replay/testing/decoded_capture.h"
#include "flowacct/collector/replay/testing/expected_files.h"
#include "flowacct/record/field.h"

namespace flowacct::collector {
namespace {

// forwardingStatus (RFC 7270, 4.12).
std::string ForwardingStatus(const std::string& text) {
  static const std::map<std::string, std::string> kStatuses = {
      {"UNKNOWN Unclassified", "0"}, {"FORWARDED Unknown", "64"}, {"CONSUMED For us", "195"}};
  const auto found = kStatuses.find(text);
  return found == kStatuses.end() ? text : found->second;
}

const testing::Member kMembers[] = {
    {"fwd_status", "fwd_status", ForwardingStatus},
    {"custom_primitives.vrf_id_ingress", "in_vrf"},
    {"custom_primitives.vrf_id_egress", "out_vrf"},
};

const testing::NotCompared kNotCompared[] = {
    {"writer_id", "the name of their process"},
    {"label*", "set by rules of their test"},
    {"flows", "null: their test does not account flows"},
    {"peer_ip_src", "their test replays the captures from other addresses"},
    {"mpls_vpn_rd_origin", "how they found it; no fact of a record"},
    {"custom_primitives.mpls_tl_*", "elements 46, 47 and 91, which are no fields here; `decode` shows them"},
    {"srv6_seg_ipv6_list", "empty in all rows: no record has the elements of RFC 9487"},
    {"as_path*", "from the BGP session beside"},
    {"comms*", "from the BGP session beside"},
    {"ecomms*", "from the BGP session beside"},
};

constexpr char kVrfId[] = "ours: no route distinguisher was told; theirs shows the VRF's id (in_vrf here) in its place";
constexpr char kNetworks[] = "ours: the masks that the record tells; theirs come from the BGP session beside";
// The template has the outer IPv6 header and the inner IPv4 or IPv6 header, both by the same elements (RFC 7011, 8: in
// the order in which they were met).
constexpr char kInner[] =
    "both: the outer header is accounted here and the inner one is tunnel_*, there it is the other way round";

const testing::Difference kDifferences[] = {
    {"netflow9/cisco-custom-primitives.pcap", "mpls_vpn_rd", 50, "0:0:0", kVrfId},
    {"ipfix/cisco-ipv6-transport-sampling-option.pcap", "mpls_vpn_rd", 3, "0:0:0", kVrfId},
    {"ipfix/bgp-and-ipfix-cisco-srv6.pcap", "etype", 28, "0",
     "both: the records tell no EtherType; pmacct makes one of the IP version"},
    {"ipfix/bgp-and-ipfix-cisco-srv6.pcap", "ip_dst", 2, "fcba:be00:3002:e002::", kInner},
    {"ipfix/bgp-and-ipfix-cisco-srv6.pcap", "ip_proto", 2, "ipencap", kInner},
    {"ipfix/bgp-and-ipfix-cisco-srv6.pcap", "ip_src", 2, "fcba:be00:3001::1", kInner},
    {"ipfix/bgp-and-ipfix-cisco-srv6.pcap", "mask_dst", 2, "24", kNetworks},
    {"ipfix/bgp-and-ipfix-cisco-srv6.pcap", "mask_src", 2, "32", kNetworks},
    {"ipfix/bgp-and-ipfix-cisco-srv6.pcap", "net_dst", 3, "::", kNetworks},
    {"ipfix/bgp-and-ipfix-cisco-srv6.pcap", "net_src", 3, "::", kNetworks},
    {"ipfix/bgp-and-ipfix-cisco-srv6.pcap", "port_dst", 1, "0", kInner},
    {"ipfix/bgp-and-ipfix-cisco-srv6.pcap", "port_src", 1, "0", kInner},
    {"ipfix/bgp-and-ipfix-cisco-srv6.pcap", "tos", 1, "0", kInner},
    {"ipfix/bgp-and-ipfix-cisco-srv6.pcap", "tunnel_ip_dst", 2, "192.0.42.154", kInner},
    {"ipfix/bgp-and-ipfix-cisco-srv6.pcap", "tunnel_ip_proto", 2, "udp", kInner},
    {"ipfix/bgp-and-ipfix-cisco-srv6.pcap", "tunnel_ip_src", 2, "192.0.41.144", kInner},
    {"ipfix/bgp-and-ipfix-cisco-srv6.pcap", "vrf_name", 28, "",
     "both: ours is the name that the record itself tells; theirs is ingress_vrf_name (in_vrf_name here) or egress"},
    {"ipfix/bmp-and-ipfix-cisco-srv6.pcap", "mask_dst", 2, "32", kNetworks},
    {"ipfix/bmp-and-ipfix-cisco-srv6.pcap", "mask_src", 1, "32", kNetworks},
    {"ipfix/bmp-and-ipfix-cisco-srv6.pcap", "net_dst", 2, "192.0.2.11", kNetworks},
    {"ipfix/bmp-and-ipfix-cisco-srv6.pcap", "net_src", 1, "169.254.0.1", kNetworks},
    {"ipfix/bmp-and-ipfix-cisco-srv6.pcap", "vrf_name", 10, "",
     "both: ours is the name that the record itself tells; theirs is ingress_vrf_name (in_vrf_name here) or egress"},
};

// Their list of the names of TCP flags as the number that it is.
void JoinTcpFlags(testing::Values& row) {
  static const std::map<std::string, int> kFlags = {{"FIN", 1},  {"SYN", 2},  {"RST", 4},  {"PSH", 8},
                                                    {"ACK", 16}, {"URG", 32}, {"ECE", 64}, {"CWR", 128}};
  int flags = 0;
  row.erase("tcp_flags");
  for (int i = 0; row.count(absl::StrCat("tcp_flags.", i)) != 0; ++i) {
    const std::string name = absl::StrCat("tcp_flags.", i);
    EXPECT_EQ(kFlags.count(row[name]), 1u) << row[name];
    flags |= kFlags.at(row[name]);
    row.erase(name);
  }
  row["tcp_flags"] = absl::StrCat(flags);
}

// Their captures were given times months before those of the exporters, whose clocks are therefore repaired here (and
// counted) and not there: rows are held together without the times.
std::vector<testing::Values> WithoutTimes(const std::vector<testing::Values>& rows) {
  std::map<testing::Values, std::pair<uint64_t, uint64_t>> merged;
  for (testing::Values row : rows) {
    uint64_t packets = 0, bytes = 0;
    EXPECT_TRUE(absl::SimpleAtoi(row["packets"], &packets) && absl::SimpleAtoi(row["bytes"], &bytes));
    for (const char* name : {"timestamp_start", "timestamp_end", "packets", "bytes"}) row.erase(name);
    auto& sums = merged[row];
    sums.first += packets;
    sums.second += bytes;
  }
  std::vector<testing::Values> result;
  for (const auto& [row, sums] : merged) {
    result.push_back(row);
    result.back()["packets"] = absl::StrCat(sums.first);
    result.back()["bytes"] = absl::StrCat(sums.second);
  }
  return result;
}

// The fields by which their rows were accounted: those of their members that are fields here.
std::vector<std::string> Keys(const std::vector<testing::Values>& rows) {
  std::set<record::FieldId> fields;
  for (const testing::Values& row : rows) {
    for (const auto& [name, value] : row) {
      const std::string member = name.substr(0, name.find('.'));
      if (name == "custom_primitives.vrf_id_ingress") fields.insert(record::FieldId::kInVrf);
      if (name == "custom_primitives.vrf_id_egress") fields.insert(record::FieldId::kOutVrf);
      const std::optional<record::FieldId> field = record::FindField(member);
      if (field && record::Info(*field).kind != record::FieldKind::kCounter) fields.insert(*field);
    }
  }
  std::vector<std::string> keys;
  for (record::FieldId field : fields) keys.emplace_back(record::Info(field).name);
  return keys;
}

TEST(PmacctExpectedTest, RowsAgree) {
  if (testing::CapturesFolder().empty()) GTEST_SKIP() << "FLOWACCT_CAPTURES is not set: no captures by others here";
  testing::Comparison comparison({"", kMembers, kNotCompared, kDifferences});
  const std::vector<testing::ExpectedFile> files = testing::ExpectedFiles(".output-flow-00.json");
  EXPECT_EQ(files.size(), 6u);
  for (const testing::ExpectedFile& file : files) {
    std::vector<testing::Values> theirs;
    for (testing::Values& row : testing::FromJsonLines(testing::ReadCapturesFile(file.expected))) {
      // Their test replays two captures; this is the second.
      if (file.capture == "ipfix/bmp-and-ipfix-cisco-srv6.pcap" && row["peer_ip_src"] != "172.21.1.102") continue;
      JoinTcpFlags(row);
      theirs.push_back(row);
    }
    theirs = WithoutTimes(theirs);
    comparison.Compare(file.capture, theirs, testing::ReplayAsPmacct(file.capture, Keys(theirs)), /*whole=*/true);
  }
  comparison.ExpectAllNeeded();
  std::cout << comparison.agreed() << " values agree\n";
  EXPECT_GT(comparison.agreed(), 400u);
}

}  // namespace
}  // namespace flowacct::collector
