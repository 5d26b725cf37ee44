// Flows of captured packets as probes and analysers have them (CESNET's FlowTest, Zeek, Arkime, nDPI), held against
// ours: addresses, protocol, ports, and packets and octets of each direction.

#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/mac_address.h"
#include "flowacct/collector/export/capture_kind.h"
#include "flowacct/collector/replay/testing/comparison.h"
#include "flowacct/collector/replay/testing/decoded_capture.h"
#include "flowacct/collector/replay/testing/expected_files.h"
#include "flowacct/record/protocol_names.h"

namespace flowacct::collector {
namespace {

// One direction of a flow: flow (addresses, ports, protocol), packets, bytes. Those of one key are added up.
class Flows {
 public:
  explicit Flows(bool ports) : ports_(ports) {}

  void Add(const std::string& src, const std::string& src_port, const std::string& dst, const std::string& dst_port,
           int protocol, uint64_t packets, uint64_t bytes) {
    if (packets == 0) return;
    // Some show ICMP's type and code as ports.
    const bool has_ports = ports_ && protocol != 1 && protocol != 58;
    auto side = [&](const std::string& address, const std::string& port) {
      return has_ports && !port.empty() && port != "0" ? absl::StrCat(Address(address), " ", port) : Address(address);
    };
    const std::string key = absl::StrCat(side(src, src_port), " > ", side(dst, dst_port), " protocol ", protocol);
    auto& sums = flows_[key];
    sums.first += packets;
    sums.second += bytes;
  }
  void AppendTo(std::vector<testing::Values>* rows) const {
    for (const auto& [key, sums] : flows_) {
      rows->push_back({{"flow", key}});
      rows->back()["packets"] = absl::StrCat(sums.first);
      rows->back()["bytes"] = absl::StrCat(sums.second);
    }
  }

  static std::string Address(const std::string& text) {
    const auto address = base::IpAddress::Parse(text);
    return address ? address->ToString() : text;
  }

 private:
  bool ports_;
  std::map<std::string, std::pair<uint64_t, uint64_t>> flows_;
};

uint64_t Number(const std::string& text) {
  uint64_t number = 0;
  EXPECT_TRUE(absl::SimpleAtoi(text, &number)) << text;
  return number;
}

std::string Get(const testing::Values& values, const std::string& name) {
  const auto found = values.find(name);
  return found == values.end() ? "" : found->second;
}

// By its name, or by its number where it has none.
int Protocol(const std::string& text) {
  const auto named = record::ProtocolFromName(text);
  return named ? *named : static_cast<int>(Number(text));
}

// The flows at the outermost IP header, and those at the innermost: programs choose either, some both.
std::vector<testing::Values> Ours(const std::string& capture, bool ports) {
  std::vector<testing::Values> rows;
  for (const int depth : {0, -1}) {
    CaptureInputOptions options;
    options.as = CaptureKind::kPackets;
    options.packets.depth = depth;
    Flows flows(ports);
    for (const testing::Values& row : testing::DecodeCapture(capture, options)) {
      if (row.count("src_addr") == 0) continue;
      flows.Add(row.at("src_addr"), Get(row, "src_port"), row.at("dst_addr"), Get(row, "dst_port"),
                Protocol(Get(row, "protocol")), Number(row.at("packets")), Number(row.at("bytes")));
    }
    flows.AppendTo(&rows);
  }
  return rows;
}

// FlowTest: members of the items of "flows:", two blanks in; "@rev" is the other direction.
std::vector<testing::Values> FromFlowTest(const std::string& text, bool* ports) {
  std::vector<testing::Values> items;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    const bool first = absl::ConsumePrefix(&line, "  - ");
    if (first) items.emplace_back();
    if (!first && !absl::ConsumePrefix(&line, "    ")) continue;
    const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(": ", 1));
    if (parts.size() == 2 && !items.empty()) items.back()[parts[0]] = parts[1];
  }
  *ports = !items.empty() && items[0].count("src_port") != 0;
  Flows flows(*ports);
  for (const testing::Values& item : items) {
    const int protocol = static_cast<int>(Number(item.at("protocol")));
    flows.Add(item.at("src_ip"), Get(item, "src_port"), item.at("dst_ip"), Get(item, "dst_port"), protocol,
              Number(item.at("packets")), Number(item.at("bytes")));
    if (item.count("packets@rev") == 0) continue;
    flows.Add(item.at("dst_ip"), Get(item, "dst_port"), item.at("src_ip"), Get(item, "src_port"), protocol,
              Number(item.at("packets@rev")), Number(item.at("bytes@rev")));
  }
  std::vector<testing::Values> rows;
  flows.AppendTo(&rows);
  return rows;
}

std::vector<testing::Values> FromZeek(const std::string& text) {
  Flows flows(true);
  for (const testing::Values& c : testing::FromZeekLog(text)) {
    const int protocol = static_cast<int>(Number(c.at("ip_proto")));
    flows.Add(c.at("id.orig_h"), c.at("id.orig_p"), c.at("id.resp_h"), c.at("id.resp_p"), protocol,
              Number(c.at("orig_pkts")), Number(c.at("orig_ip_bytes")));
    flows.Add(c.at("id.resp_h"), c.at("id.resp_p"), c.at("id.orig_h"), c.at("id.orig_p"), protocol,
              Number(c.at("resp_pkts")), Number(c.at("resp_ip_bytes")));
  }
  std::vector<testing::Values> rows;
  flows.AppendTo(&rows);
  return rows;
}

std::vector<testing::Values> FromArkime(const std::string& text) {
  rapidjson::Document document;
  document.Parse(text.c_str());
  std::vector<testing::Values> rows;
  EXPECT_FALSE(document.HasParseError());
  if (document.HasParseError()) return rows;
  Flows flows(true);
  for (const auto& session : document["sessions3"].GetArray()) {
    const rapidjson::Value& body = session["body"];
    const rapidjson::Value &source = body["source"], &destination = body["destination"];
    if (!body.HasMember("ipProtocol") || !source.HasMember("ip")) continue;  // ARP and the like
    auto port = [](const rapidjson::Value& side) {
      return absl::StrCat(side.HasMember("port") ? side["port"].GetInt() : 0);
    };
    const int protocol = body["ipProtocol"].GetInt();
    flows.Add(source["ip"].GetString(), port(source), destination["ip"].GetString(), port(destination), protocol,
              source["packets"].GetUint64(), source["bytes"].GetUint64());
    flows.Add(destination["ip"].GetString(), port(destination), source["ip"].GetString(), port(source), protocol,
              destination["packets"].GetUint64(), destination["bytes"].GetUint64());
  }
  flows.AppendTo(&rows);
  return rows;
}

// "	1	UDP 192.0.2.1:53 <-> [2001:db8::1]:5353 ...[3 pkts/630 bytes <-> 1 pkts/150 bytes]..."
std::vector<testing::Values> FromNdpi(const std::string& text) {
  static const std::regex kFlow("^\t[0-9]+\t([A-Za-z0-9]+) (\\S+):([0-9]+) <?-> (\\S+):([0-9]+) ");
  static const std::regex kCounts("\\[([0-9]+) pkts/([0-9]+) bytes <?-> ([0-9]+) pkts/([0-9]+) bytes\\]");
  static const std::map<std::string, int> kProtocols = {
      {"TCP", 6}, {"UDP", 17}, {"ICMP", 1}, {"ICMPV6", 58}, {"IGMP", 2}};
  Flows flows(true);
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(text, '\n'))) {
    std::smatch flow, counts;
    if (!std::regex_search(line, flow, kFlow) || !std::regex_search(line, counts, kCounts)) continue;
    EXPECT_EQ(kProtocols.count(flow[1]), 1u) << line;
    const int protocol = kProtocols.at(flow[1]);
    auto address = [](std::string side) {
      if (side.front() == '[') side = side.substr(1, side.size() - 2);
      return side;
    };
    flows.Add(address(flow[2]), flow[3], address(flow[4]), flow[5], protocol, Number(counts[1]), Number(counts[2]));
    flows.Add(address(flow[4]), flow[5], address(flow[2]), flow[3], protocol, Number(counts[3]), Number(counts[4]));
  }
  std::vector<testing::Values> rows;
  flows.AppendTo(&rows);
  return rows;
}

const testing::NotCompared kFrames[] = {
    {"bytes", "theirs are octets of frames, ours of IP packets"},
};

const testing::Difference kZeekDifferences[] = {
    {"packets/teredo.pcap", "flow", 3, "absent",
     "theirs: finds Teredo by its payload on any port; here by UDP port 3544 alone (RFC 4380, 2.7), and peers use "
     "others"},
};
const testing::Difference kArkimeDifferences[] = {
    {"packets/ipv4-fragments-tcp-handshake.pcap", "packets", 2, "26",
     "both: each fragment is a packet here, as it was on the wire; they count what they put together"},
    {"packets/mixed-protocols-synthetic.pcap", "flow", 3, "absent",
     "ours: 10.9.8.1 has the ports of its other packet though its UDP length is 0 (they have none); a DHCP server's "
     "answer is of its own addresses (they turn the request's); ERSPAN's type in an Ethernet frame is no GRE (they "
     "look inside)"},
    {"packets/mixed-protocols-synthetic.pcap", "packets", 1, "2",
     "ours: 10.9.8.1 > 10.9.8.2 as above: the packet whose UDP length is 0 has ports"},
};
const testing::Difference kTcpdumpDifferences[] = {
    {"packets/ipv6-bigtcp-hopbyhop-jumbo.pcap", "flow", 1, "absent",
     "both: they write the ports 41851 > 43913 behind the hop-by-hop options, ours are with the addresses"},
};
// Expected outputs of exports and packets that no test holds against ours.
const testing::NotCompared kNotHeld[] = {
    {"*.tunnel.log", "Zeek's tunnels, whose inner and outer flows are in the conn.log beside"},
    {"*.output-bgp-*", "routing sessions beside the flows; the BGP rooms' matter"},
    {"*.output-bmp-*", "routing sessions beside the flows; the BMP room's matter"},
    {"*capwap_data.pcapng.out", "flows inside CAPWAP, which is not looked into here"},
};

class PacketsExpectedTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (testing::CapturesFolder().empty()) GTEST_SKIP() << "FLOWACCT_CAPTURES is not set: no captures by others here";
  }

  using Reader = std::vector<testing::Values> (*)(const std::string& text, bool* ports);
  static void Compare(const std::string& suffix, size_t files, size_t least, Reader reader,
                      absl::Span<const testing::NotCompared> not_compared,
                      absl::Span<const testing::Difference> differences) {
    testing::Comparison comparison({"", {}, not_compared, differences, "flow"});
    const std::vector<testing::ExpectedFile> expected = testing::ExpectedFiles(suffix);
    EXPECT_EQ(expected.size(), files);
    for (const testing::ExpectedFile& file : expected) {
      bool ports = true;
      const std::vector<testing::Values> theirs = reader(testing::ReadCapturesFile(file.expected), &ports);
      comparison.Compare(file.capture, theirs, Ours(file.capture, ports), /*whole=*/false);
    }
    comparison.ExpectAllNeeded();
    std::cout << comparison.agreed() << " values agree\n";
    EXPECT_GT(comparison.agreed(), least);
  }
};

TEST_F(PacketsExpectedTest, FlowTestAgrees) { Compare(".yml", 7, 35, FromFlowTest, {}, {}); }

TEST_F(PacketsExpectedTest, ZeekAgrees) {
  Compare(
      ".conn.log", 3, 60, [](const std::string& text, bool*) { return FromZeek(text); }, {}, kZeekDifferences);
}

TEST_F(PacketsExpectedTest, ArkimeAgrees) {
  Compare(
      ".test", 13, 600, [](const std::string& text, bool*) { return FromArkime(text); }, kFrames, kArkimeDifferences);
}

TEST_F(PacketsExpectedTest, NdpiAgrees) {
  Compare("pcap.out", 4, 500, [](const std::string& text, bool*) { return FromNdpi(text); }, kFrames, {});
}

// tcpdump: who sent to whom, at every level of encapsulation: "192.0.2.1.53 > 192.0.2.2.1024: ".
std::string TcpdumpSide(const std::string& text) {
  const size_t dot = text.rfind('.');
  const bool v6 = absl::StrContains(text, ":");
  const bool port = dot != std::string::npos && (v6 || std::count(text.begin(), text.end(), '.') == 4);
  return port ? absl::StrCat(Flows::Address(text.substr(0, dot)), " ", text.substr(dot + 1)) : Flows::Address(text);
}

std::vector<testing::Values> FromTcpdump(const std::string& text) {
  static const std::regex kPair("([0-9a-f:.]+) > ([0-9a-f:.]+):? ");
  std::set<std::string> flows;
  for (std::sregex_iterator i(text.begin(), text.end(), kPair), end; i != end; ++i) {
    std::string src = (*i)[1], dst = (*i)[2];
    if (dst.back() == ':') dst.pop_back();
    if (base::MacAddress::Parse(src) || base::MacAddress::Parse(dst)) continue;
    if (!absl::StrContains(src, ".") && !absl::StrContains(src, ":")) continue;  // ports behind an address told before
    flows.insert(absl::StrCat(TcpdumpSide(src), " > ", TcpdumpSide(dst)));
  }
  std::vector<testing::Values> rows;
  for (const std::string& flow : flows) rows.push_back({{"flow", flow}});
  return rows;
}

TEST_F(PacketsExpectedTest, TcpdumpAgrees) {
  testing::Comparison comparison({"", {}, {}, kTcpdumpDifferences, "flow"});
  size_t files = 0;
  for (const testing::ExpectedFile& file : testing::ExpectedFiles(".out")) {
    if (!absl::StartsWith(file.capture, "packets/") || absl::EndsWith(file.expected, "pcap.out") ||
        absl::EndsWith(file.expected, "pcapng.out")) {
      continue;
    }
    ++files;
    std::set<std::string> flows;
    for (int depth : {0, 1, 2, -1}) {
      CaptureInputOptions options;
      options.as = CaptureKind::kPackets;
      options.packets.depth = depth;
      for (const testing::Values& row : testing::DecodeCapture(file.capture, options)) {
        if (row.count("src_addr") == 0) continue;
        auto side = [&](const char* address, const char* port) {
          const std::string number = Get(row, port);
          return number.empty() ? row.at(address) : absl::StrCat(row.at(address), " ", number);
        };
        flows.insert(absl::StrCat(side("src_addr", "src_port"), " > ", side("dst_addr", "dst_port")));
      }
    }
    std::vector<testing::Values> ours;
    for (const std::string& flow : flows) ours.push_back({{"flow", flow}});
    comparison.Compare(file.capture, FromTcpdump(testing::ReadCapturesFile(file.expected)), ours, /*whole=*/false);
  }
  EXPECT_EQ(files, 13u);
  comparison.ExpectAllNeeded();
  std::cout << comparison.agreed() << " flows agree\n";
  EXPECT_GT(comparison.agreed(), 40u);
}

// Those that the tests of this folder read, by their suffixes, and those that none does are all that there are.
TEST_F(PacketsExpectedTest, EveryExpectedOutputIsHeldOrNamed) {
  std::set<std::string> not_held;
  for (const testing::ExpectedFile& file : testing::ExpectedFiles("")) {
    bool held = false;
    for (const char* suffix : {".logstash-spec.json", ".output-flow-00.json", ".expected.out", "srv6-flow.json", ".yml",
                               ".conn.log", ".test", ".out"}) {
      held |= absl::EndsWith(file.expected, suffix);
    }
    for (const testing::NotCompared& row : kNotHeld) {
      const std::vector<std::string> parts = absl::StrSplit(row.theirs, '*', absl::SkipEmpty());
      if (!absl::StrContains(file.expected, parts[0])) continue;
      not_held.insert(row.theirs);
      held = true;
    }
    EXPECT_TRUE(held) << file.expected << " is held against nothing";
  }
  EXPECT_EQ(not_held.size(), std::size(kNotHeld));
}

}  // namespace
}  // namespace flowacct::collector
