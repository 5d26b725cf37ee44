// NetFlow and IPFIX records as telegraf and NetGauze have them, held against ours.

#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "flowacct/collector/replay/testing/comparison.h"
#include "flowacct/collector/replay/testing/decoded_capture.h"
#include "flowacct/collector/replay/testing/expected_files.h"

namespace flowacct::collector {
namespace {

// Our records without the second rows of biflows and samples.
std::vector<testing::Values> Records(const std::string& capture) {
  std::vector<testing::Values> records;
  for (testing::Values& record : testing::DecodeCapture(capture)) {
    for (const auto& [name, value] : record) {
      if (!absl::StartsWith(name, "elements.")) continue;
      records.push_back(record);
      break;
    }
  }
  return records;
}

std::string ExportName(const std::string& name) {
  return name == "netflow9" ? "NetFlowV9" : name == "ipfix" ? "IPFIX" : name;
}
std::string IpVersion(const std::string& number) { return absl::StrCat("IPv", number); }
std::string HexOctet(const std::string& number) { return number == "0" ? "0x00" : number; }
std::string TcpFlags(const std::string& number) { return number == "0" ? "........" : number; }

const testing::Member kTelegrafMembers[] = {
    {"version", "export", nullptr, ExportName},
    {"in_bytes", "elements.octetDeltaCount"},
    {"in_packets", "elements.packetDeltaCount"},
    {"in_snmp", "elements.ingressInterface"},
    {"out_snmp", "elements.egressInterface"},
    {"interface", "elements.interfaceName"},
    {"interface_desc", "elements.interfaceDescription"},
    {"src", "elements.sourceIPv4Address"},
    {"dst", "elements.destinationIPv4Address"},
    {"next_hop", "elements.ipNextHopIPv4Address"},
    {"src_mask", "elements.sourceIPv4PrefixLength"},
    {"dst_mask", "elements.destinationIPv4PrefixLength"},
    {"src_port", "elements.sourceTransportPort"},
    {"dst_port", "elements.destinationTransportPort"},
    {"src_tos", "elements.ipClassOfService", nullptr, HexOctet},
    {"dst_tos", "elements.postIpClassOfService", nullptr, HexOctet},
    {"tcp_flags", "elements.tcpControlBits", nullptr, TcpFlags},
    {"protocol", "protocol"},
    {"ip_version", "elements.ipVersion", nullptr, IpVersion},
    {"in_src_mac", "elements.sourceMacAddress"},
    {"out_dst_mac", "elements.postDestinationMacAddress"},
    {"first_switched", "elements.flowStartSysUpTime"},
    {"last_switched", "elements.flowEndSysUpTime"},
    {"flow_start", "elements.flowStartSeconds", testing::EpochSeconds, testing::Milliseconds},
    {"flow_end", "elements.flowEndSeconds", testing::EpochSeconds, testing::Milliseconds},
    {"flow_start_ms", "elements.flowStartMilliseconds", testing::EpochMilliseconds, testing::Milliseconds},
    {"flow_end_ms", "elements.flowEndMilliseconds", testing::EpochMilliseconds, testing::Milliseconds},
    {"client_nw_latency_ms", "elements.CLIENT_NW_LATENCY_MS"},
    {"server_nw_latency_ms", "elements.SERVER_NW_LATENCY_MS"},
    {"app_latency_ms", "elements.APPL_LATENCY_MS"},
    {"retransmitted_in_bytes", "elements.RETRANSMITTED_IN_BYTES"},
    {"retransmitted_in_pkts", "elements.RETRANSMITTED_IN_PKTS"},
    {"retransmitted_out_bytes", "elements.RETRANSMITTED_OUT_BYTES"},
    {"retransmitted_out_pkts", "elements.RETRANSMITTED_OUT_PKTS"},
    {"l7_proto", "elements.L7_PROTO"},
    {"ssl_server_name", "elements.SSL_SERVER_NAME"},
    {"ja3c_hash", "elements.JA3C_HASH"},
    {"ja3s_hash", "elements.JA3S_HASH"},
    {"ssl_cipher", "elements.SSL_CIPHER"},
    {"ssl_unsafe_cipher", "elements.SSL_UNSAFE_CIPHER"},
    {"ssl_version", "elements.SSL_VERSION"},
};

const testing::NotCompared kTelegrafNotCompared[] = {
    {"source", "their test sends from 127.0.0.1"},
};

const testing::Difference kTelegrafDifferences[] = {
    {"netflow9/telegraf-v9-options.pcap", "in_bytes", 8, "absent",
     "ours: this is scope field type 1, System (RFC 3954, 6.1); they read it as field type 1, IN_BYTES"},
};

TEST(ExportsExpectedTest, TelegrafAgrees) {
  if (testing::CapturesFolder().empty()) GTEST_SKIP() << "FLOWACCT_CAPTURES is not set: no captures by others here";
  testing::Comparison comparison({"elements.", kTelegrafMembers, kTelegrafNotCompared, kTelegrafDifferences});
  int files = 0;
  for (const testing::ExpectedFile& file : testing::ExpectedFiles("pcap.expected.out")) {
    if (absl::StartsWith(file.capture, "sflow/")) continue;
    ++files;
    comparison.Compare(file.capture, testing::FromLineProtocol(testing::ReadCapturesFile(file.expected)),
                       Records(file.capture), /*whole=*/false);
  }
  EXPECT_EQ(files, 2);
  comparison.ExpectAllNeeded();
  std::cout << comparison.agreed() << " values agree\n";
  EXPECT_GT(comparison.agreed(), 100u);
}

// NetGauze shows some values by words; here as the numbers that they are.
std::string NetgauzeValue(const rapidjson::Value& value) {
  static const std::map<std::string, std::string> kNumbers = {
      {"ICMP", "1"},  {"IPv4", "4"},      {"TCP", "6"},     {"UDP", "17"},
      {"IPv6", "41"}, {"IPv6ICMP", "58"}, {"ingress", "0"}, {"RandomnoutofNSampling", "3"}};
  static const std::map<std::string, int> kFlags = {{"FIN", 1},  {"SYN", 2},  {"RST", 4},  {"PSH", 8},
                                                    {"ACK", 16}, {"URG", 32}, {"ECE", 64}, {"CWR", 128}};
  if (value.IsString()) {
    const auto found = kNumbers.find(value.GetString());
    return found == kNumbers.end() ? value.GetString() : found->second;
  }
  if (value.IsArray()) {  // a route distinguisher's octets
    std::string hex;
    for (const auto& octet : value.GetArray()) absl::StrAppendFormat(&hex, "%02x", octet.GetInt());
    return hex;
  }
  if (value.IsObject()) {
    if (value.HasMember("Forwarded")) return "64";
    if (value.HasMember("Consumed")) return "195";
    int flags = 0;
    for (const auto& flag : value.GetObject()) {
      if (flag.value.IsTrue()) flags |= kFlags.at(flag.name.GetString());
    }
    return absl::StrCat(flags);
  }
  return absl::StrCat(value.GetUint64());
}

// {"IPFIX":{...,"sets":[{"Data":{"id":340,"records":[{"scope_fields":[],"fields":[{"name":value},...]}]}}]}} a line.
std::vector<testing::Values> FromNetgauze(const std::string& text) {
  std::vector<testing::Values> records;
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(text, '\n', absl::SkipWhitespace()))) {
    rapidjson::Document document;
    document.Parse(line.c_str());
    EXPECT_FALSE(document.HasParseError());
    if (document.HasParseError()) continue;
    const rapidjson::Value& message = document["IPFIX"];
    for (const auto& set : message["sets"].GetArray()) {
      if (!set.HasMember("Data")) continue;
      for (const auto& record : set["Data"]["records"].GetArray()) {
        testing::Values& values = records.emplace_back();
        values["template"] = absl::StrCat(set["Data"]["id"].GetInt());
        for (const char* part : {"scope_fields", "fields"}) {
          for (const auto& field : record[part].GetArray()) {
            for (const auto& member : field.GetObject()) {
              std::string name = member.name.GetString();
              for (int n = 2; values.count(name) != 0; ++n) name = absl::StrCat(member.name.GetString(), "#", n);
              values[name] = NetgauzeValue(member.value);
            }
          }
        }
      }
    }
  }
  return records;
}

const testing::Member kNetgauzeMembers[] = {
    {"template", "template"},
    {"systemInitTimeMilliseconds", "elements.systemInitTimeMilliseconds", testing::Milliseconds, testing::Milliseconds},
};

TEST(ExportsExpectedTest, NetgauzeAgrees) {
  if (testing::CapturesFolder().empty()) GTEST_SKIP() << "FLOWACCT_CAPTURES is not set: no captures by others here";
  testing::Comparison comparison({"elements.", kNetgauzeMembers, {}, {}});
  const std::vector<testing::ExpectedFile> files = testing::ExpectedFiles("srv6-flow.json");
  ASSERT_EQ(files.size(), 1u);
  comparison.Compare(files[0].capture, FromNetgauze(testing::ReadCapturesFile(files[0].expected)),
                     Records(files[0].capture), /*whole=*/true);
  comparison.ExpectAllNeeded();
  std::cout << comparison.agreed() << " values agree\n";
  EXPECT_GT(comparison.agreed(), 2000u);
}

}  // namespace
}  // namespace flowacct::collector
