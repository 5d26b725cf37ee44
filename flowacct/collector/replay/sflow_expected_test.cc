// sFlow samples as telegraf and tcpdump have them, held against ours.

#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <regex>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "flowacct/collector/replay/testing/comparison.h"
#include "flowacct/collector/replay/testing/decoded_capture.h"
#include "flowacct/collector/replay/testing/expected_files.h"

namespace flowacct::collector {
namespace {

// Our records of one sample (each counter block is one) as one; a sample's other rows left out.
std::vector<testing::Values> Samples(const std::vector<testing::Values>& records) {
  std::vector<testing::Values> samples;
  std::map<std::string, size_t> index;
  for (const testing::Values& record : records) {
    if (record.count("elements.sample.type") == 0) continue;
    const std::string key =
        absl::StrCat(record.at("datagram"), " ", record.at("elements.sample.type"), " ",
                     record.at("elements.sample.source_id_index"), " ", record.at("elements.sample.sequence_number"));
    const auto [found, added] = index.emplace(key, samples.size());
    if (added) samples.emplace_back();
    samples[found->second].insert(record.begin(), record.end());
  }
  return samples;
}

std::string Direction(const std::string& number) {
  return number == "0" ? "ingress" : number == "1" ? "egress" : number;
}
std::string Version(const std::string& name) { return name == "sflow5" ? "sFlowV5" : name; }
// Of an IPv6 packet's octets those behind its fixed header (RFC 8200, 3: Payload Length).
std::string Ipv6Payload(const std::string& octets) {
  int number;
  return absl::SimpleAtoi(octets, &number) ? absl::StrCat(number - 40) : octets;
}
std::string IpVersion(const std::string& number) { return absl::StrCat("IPv", number); }
std::string EtherType(const std::string& text) { return text == "0x0800" ? "IPv4" : text == "0x86dd" ? "IPv6" : text; }
std::string LinkType(const std::string& number) { return number == "1" ? "ETHERNET-ISO8023" : number; }
// ifStatus: bit 0 ifAdminStatus, bit 1 ifOperStatus.
std::string Status(const std::string& number) { return number == "3" ? "up" : number; }

const testing::Member kTelegrafMembers[] = {
    {"version", "export", nullptr, Version},
    {"agent_ip", "elements.datagram.agent_address"},
    {"agent_subid", "elements.datagram.sub_agent_id"},
    {"sys_uptime", "elements.datagram.uptime"},
    {"seq_number", "elements.sample.sequence_number"},
    // Counters (RFC 2863, RFC 3635).
    {"interface", "elements.if_counters.ifIndex"},
    {"interface_type", "elements.if_counters.ifType"},
    {"speed", "elements.if_counters.ifSpeed"},
    {"status", "elements.if_counters.ifStatus", nullptr, Status},
    {"promiscuous", "elements.if_counters.ifPromiscuousMode"},
    {"in_bytes", "elements.if_counters.ifInOctets"},
    {"in_unicast_packets_total", "elements.if_counters.ifInUcastPkts"},
    {"in_mcast_packets_total", "elements.if_counters.ifInMulticastPkts"},
    {"in_broadcast_packets_total", "elements.if_counters.ifInBroadcastPkts"},
    {"in_dropped_packets", "elements.if_counters.ifInDiscards"},
    {"in_errors", "elements.if_counters.ifInErrors"},
    {"in_unknown_protocol", "elements.if_counters.ifInUnknownProtos"},
    {"out_bytes", "elements.if_counters.ifOutOctets"},
    {"out_unicast_packets_total", "elements.if_counters.ifOutUcastPkts"},
    {"out_mcast_packets_total", "elements.if_counters.ifOutMulticastPkts"},
    {"out_broadcast_packets_total", "elements.if_counters.ifOutBroadcastPkts"},
    {"out_dropped_packets", "elements.if_counters.ifOutDiscards"},
    {"out_errors", "elements.if_counters.ifOutErrors"},
    {"errors_alignment", "elements.ethernet_counters.dot3StatsAlignmentErrors"},
    {"errors_fcs", "elements.ethernet_counters.dot3StatsFCSErrors"},
    {"collision_frames_single", "elements.ethernet_counters.dot3StatsSingleCollisionFrames"},
    {"collision_frames_multi", "elements.ethernet_counters.dot3StatsMultipleCollisionFrames"},
    {"errors_sqetest", "elements.ethernet_counters.dot3StatsSQETestErrors"},
    {"deferred", "elements.ethernet_counters.dot3StatsDeferredTransmissions"},
    {"collisions_late", "elements.ethernet_counters.dot3StatsLateCollisions"},
    {"collisions_excessive", "elements.ethernet_counters.dot3StatsExcessiveCollisions"},
    {"errors_internal_mac_tx", "elements.ethernet_counters.dot3StatsInternalMacTransmitErrors"},
    {"errors_carrier_sense", "elements.ethernet_counters.dot3StatsCarrierSenseErrors"},
    {"errors_frame_too_long", "elements.ethernet_counters.dot3StatsFrameTooLongs"},
    {"errors_internal_mac_rx", "elements.ethernet_counters.dot3StatsInternalMacReceiveErrors"},
    {"errors_symbols", "elements.ethernet_counters.dot3StatsSymbolErrors"},
    {"port_name", "elements.port_name.name"},
    // Flow samples.
    {"sampling_interval", "elements.sample.sampling_rate"},
    {"in_total_packets", "elements.sample.sample_pool"},
    {"sampling_drops", "elements.sample.drops"},
    {"in_snmp", "elements.sample.input_value"},
    {"in_snmp", "elements.if_counters.ifIndex"},
    {"out_snmp", "elements.sample.output_value"},
    {"l2_protocol", "elements.sampled_header.protocol", nullptr, LinkType},
    {"l2_bytes", "elements.sampled_header.frame_length"},
    {"vlan_src", "elements.extended_switch.src_vlan"},
    {"vlan_src_priority", "elements.extended_switch.src_priority"},
    {"vlan_dst", "elements.extended_switch.dst_vlan"},
    {"vlan_dst_priority", "elements.extended_switch.dst_priority"},
    // The sampled packet: our fields.
    {"datalink_frame_type", "etype", nullptr, EtherType},
    {"direction", "direction", nullptr, Direction},
    {"in_src_mac", "src_mac"},
    {"out_dst_mac", "dst_mac"},
    {"ip_version", "ip_version", nullptr, IpVersion},
    {"ipv4_total_len", "bytes"},
    {"ipv6_total_len", "bytes", nullptr, Ipv6Payload},
    {"src", "src_addr"},
    {"dst", "dst_addr"},
    {"protocol", "protocol"},
    {"src_port", "src_port"},
    {"dst_port", "dst_port"},
    {"src_tos", "tos"},
    {"ttl", "ttl"},
};

const testing::NotCompared kTelegrafNotCompared[] = {
    {"source", "their test sends from 127.0.0.1"},
    {"type", "a word for interface_type"},
    {"fragment_flags", "the octet's flags; a field here only for fragments"},
    {"ipv4_id", "a field here only for fragments"},
    {"fragment_offset", "a field here only for fragments"},
    {"ip_total_len", "ipv4_total_len less the header"},
    {"ipv4_inet_header_len", "in words; not a field here"},
};

const testing::Difference kTelegrafDifferences[] = {
    {"sflow/telegraf-issue-15918.pcap", "in_snmp", 4, "101",
     "ours: the sample's input interface; of egress samples they tell the data source, which is the output"},
    {"sflow/telegraf-issue-15918.pcap", "direction", 2, "absent",
     "both: the data source is neither the input nor the one output; they call all but ingress egress"},
    {"sflow/telegraf-issue-15918.pcap", "ip_version", 1, "absent",
     "both: a counter sample has no packet; theirs is of the agent's address"},
    {"sflow/telegraf-v5-example.pcap", "ip_version", 1, "absent",
     "both: a counter sample has no packet; theirs is of the agent's address"},
    {"sflow/telegraf-issue-15918.pcap", "protocol", 1, "ipv6-icmp",
     "ours: the upper-layer protocol behind the hop-by-hop options (RFC 8200, 4); they stop at the first header"},
};

void ExpectSome(size_t agreed, size_t least) {
  std::cout << agreed << " values agree\n";
  EXPECT_GT(agreed, least);
}

TEST(SflowExpectedTest, TelegrafAgrees) {
  if (testing::CapturesFolder().empty()) GTEST_SKIP() << "FLOWACCT_CAPTURES is not set: no captures by others here";
  testing::Comparison comparison({"elements.", kTelegrafMembers, kTelegrafNotCompared, kTelegrafDifferences});
  int files = 0;
  for (const testing::ExpectedFile& file : testing::ExpectedFiles("pcap.expected.out")) {
    if (!absl::StartsWith(file.capture, "sflow/")) continue;
    ++files;
    comparison.Compare(file.capture, testing::FromLineProtocol(testing::ReadCapturesFile(file.expected)),
                       Samples(testing::DecodeCapture(file.capture)), /*whole=*/true);
  }
  EXPECT_EQ(files, 2);
  comparison.ExpectAllNeeded();
  ExpectSome(comparison.agreed(), 150);
}

// tcpdump -v: lines of "name number" with the sample's and the block's title before them.
std::vector<testing::Values> FromTcpdump(const std::string& text) {
  static const std::regex kAgent("agent ([0-9a-f.:]+), agent-id");
  static const std::regex kBlock("enterprise ([0-9]+),? ([A-Za-z ]+) \\(([0-9]+)\\) length");
  static const std::regex kNumber("([A-Za-z_][A-Za-z_ -]*?) ([0-9]+)(?![0-9]*\\))");
  std::vector<testing::Values> samples;
  testing::Values datagram;
  std::string block;
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(text, '\n'))) {
    std::smatch match;
    if (line.find("0x0") != std::string::npos && !absl::StrContains(line, "tos 0x")) continue;
    std::string rest = line;
    std::string prefix;
    testing::Values* values = nullptr;
    if (std::regex_search(line, match, kAgent)) {
      datagram = {{"agent", match[1].str()}};
      values = &datagram;
      prefix = "datagram.";
      rest = match.suffix().str();
      rest.insert(0, "agent-id");
    } else if (absl::StrContains(line, " sample (")) {
      values = &samples.emplace_back(datagram);
      prefix = "sample.";
      rest = line.substr(line.find(')') + 2);
    } else if (std::regex_search(line, match, kBlock)) {
      block = absl::StrCat(match[2].str(), ".");
      continue;
    } else if (absl::StartsWith(line, "\t      ") && !samples.empty()) {
      values = &samples.back();
      prefix = block;
      for (const char* direction : {"In ", "Out "}) {
        if (absl::StrContains(line, direction)) absl::StrAppend(&prefix, direction);
      }
    }
    if (values == nullptr) continue;
    for (std::sregex_iterator i(rest.begin(), rest.end(), kNumber), end; i != end; ++i) {
      std::string name = (*i)[1].str();
      for (const char* direction : {"In ", "Out "}) {
        if (absl::StartsWith(name, direction)) name.erase(0, std::string(direction).size());
      }
      (*values)[prefix + name] = (*i)[2].str();
    }
  }
  return samples;
}

const testing::Member kTcpdumpMembers[] = {
    {"agent", "elements.datagram.agent_address"},
    {"datagram.agent-id", "elements.datagram.sub_agent_id"},
    {"datagram.seqnum", "elements.datagram.sequence_number"},
    {"datagram.uptime", "elements.datagram.uptime"},
    {"sample.seqnum", "elements.sample.sequence_number"},
    {"sample.type", "elements.sample.source_id_type"},
    {"sample.idx", "elements.sample.source_id_index"},
    {"sample.rate", "elements.sample.sampling_rate"},
    {"sample.pool", "elements.sample.sample_pool"},
    {"sample.drops", "elements.sample.drops"},
    {"sample.input", "elements.sample.input_value"},
    {"sample.output", "elements.sample.output_value"},
    {"Raw packet.length", "elements.sampled_header.frame_length"},
    {"Raw packet.stripped bytes", "elements.sampled_header.stripped"},
    {"Extended Switch data.src vlan", "elements.extended_switch.src_vlan"},
    {"Extended Switch data.src pri", "elements.extended_switch.src_priority"},
    {"Extended Switch data.dst vlan", "elements.extended_switch.dst_vlan"},
    {"Extended Switch data.dst pri", "elements.extended_switch.dst_priority"},
    {"Ethernet counter.align errors", "elements.ethernet_counters.dot3StatsAlignmentErrors"},
    {"Ethernet counter.fcs errors", "elements.ethernet_counters.dot3StatsFCSErrors"},
    {"Ethernet counter.single collision", "elements.ethernet_counters.dot3StatsSingleCollisionFrames"},
    {"Ethernet counter.multiple collision", "elements.ethernet_counters.dot3StatsMultipleCollisionFrames"},
    {"Ethernet counter.test error", "elements.ethernet_counters.dot3StatsSQETestErrors"},
    {"Ethernet counter.deferred", "elements.ethernet_counters.dot3StatsDeferredTransmissions"},
    {"Ethernet counter.late collision", "elements.ethernet_counters.dot3StatsLateCollisions"},
    {"Ethernet counter.excessive collision", "elements.ethernet_counters.dot3StatsExcessiveCollisions"},
    {"Ethernet counter.mac trans error", "elements.ethernet_counters.dot3StatsInternalMacTransmitErrors"},
    {"Ethernet counter.carrier error", "elements.ethernet_counters.dot3StatsCarrierSenseErrors"},
    {"Ethernet counter.frames too long", "elements.ethernet_counters.dot3StatsFrameTooLongs"},
    {"Ethernet counter.mac receive errors", "elements.ethernet_counters.dot3StatsInternalMacReceiveErrors"},
    {"Ethernet counter.symbol errors", "elements.ethernet_counters.dot3StatsSymbolErrors"},
    {"Generic counter.ifindex", "elements.if_counters.ifIndex"},
    {"Generic counter.iftype", "elements.if_counters.ifType"},
    {"Generic counter.ifspeed", "elements.if_counters.ifSpeed"},
    {"Generic counter.ifdirection", "elements.if_counters.ifDirection"},
    {"Generic counter.ifstatus", "elements.if_counters.ifStatus"},
    {"Generic counter.In octets", "elements.if_counters.ifInOctets"},
    {"Generic counter.In unicast pkts", "elements.if_counters.ifInUcastPkts"},
    {"Generic counter.In multicast pkts", "elements.if_counters.ifInMulticastPkts"},
    {"Generic counter.In broadcast pkts", "elements.if_counters.ifInBroadcastPkts"},
    {"Generic counter.In discards", "elements.if_counters.ifInDiscards"},
    {"Generic counter.In errors", "elements.if_counters.ifInErrors"},
    {"Generic counter.In unknown protos", "elements.if_counters.ifInUnknownProtos"},
    {"Generic counter.Out octets", "elements.if_counters.ifOutOctets"},
    {"Generic counter.Out unicast pkts", "elements.if_counters.ifOutUcastPkts"},
    {"Generic counter.Out multicast pkts", "elements.if_counters.ifOutMulticastPkts"},
    {"Generic counter.Out broadcast pkts", "elements.if_counters.ifOutBroadcastPkts"},
    {"Generic counter.Out discards", "elements.if_counters.ifOutDiscards"},
    {"Generic counter.Out errors", "elements.if_counters.ifOutErrors"},
    {"Generic counter.Out promisc mode", "elements.if_counters.ifPromiscuousMode"},
};

const testing::NotCompared kTcpdumpNotCompared[] = {
    {"datagram.samples", "a count of what follows"},
    {"datagram.length", "a length of what follows"},
    {"sample.length", "a length of what follows"},
    {"sample.records", "a count of what follows"},
    {"Raw packet.header_size", "the length of sampled_header.header"},
};

const testing::Difference kTcpdumpDifferences[] = {
    {"sflow/v5-agent-ipv6-flow-and-counters.pcap", "sample.output", 13, "0",
     "ours: the upper two bits are the format (2: several outputs), the rest the value; theirs is the whole word"},
};

TEST(SflowExpectedTest, TcpdumpAgrees) {
  if (testing::CapturesFolder().empty()) GTEST_SKIP() << "FLOWACCT_CAPTURES is not set: no captures by others here";
  testing::Comparison comparison({"elements.", kTcpdumpMembers, kTcpdumpNotCompared, kTcpdumpDifferences});
  int files = 0;
  for (const testing::ExpectedFile& file : testing::ExpectedFiles(".out")) {
    if (!absl::StartsWith(file.capture, "sflow/") || absl::EndsWith(file.expected, "expected.out")) continue;
    ++files;
    comparison.Compare(file.capture, FromTcpdump(testing::ReadCapturesFile(file.expected)),
                       Samples(testing::DecodeCapture(file.capture)), /*whole=*/false);
  }
  EXPECT_EQ(files, 3);
  comparison.ExpectAllNeeded();
  ExpectSome(comparison.agreed(), 6000);
}

}  // namespace
}  // namespace flowacct::collector
