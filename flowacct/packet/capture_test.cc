// The captures of $FLOWACCT_CAPTURES/packets against what their manifest says of them: tshark's protocol chains, and
// nfpcapd's packets and bytes. Each difference is a row of kDifferences or kBytes with the reason and who is right.
// Skipped where FLOWACCT_CAPTURES does not point at them.

#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "flowacct/packet/packet_decoder.h"
#include "flowacct/packet/testing/layer_chain.h"
#include "flowacct/testing/capture_file.h"
#include "gtest/gtest.h"

namespace flowacct::packet {
namespace {

using flowacct::testing::CapturedFrame;
using flowacct::testing::ReadCaptureFile;

using record::FieldId;

// tshark's name of a layer and ours; those of the second table are no headers to us.
const std::map<std::string, std::string> kNames = {{"eth", "ethernet"},
                                                   {"vlan", "vlan"},
                                                   {"ieee8021ad", "vlan"},
                                                   {"mpls", "mpls"},
                                                   {"pwethcw", "pw_control_word"},
                                                   {"ip", "ipv4"},
                                                   {"ipv6", "ipv6"},
                                                   {"ipv6.hopopts", "hop_by_hop"},
                                                   {"ipv6.dstopts", "destination_options"},
                                                   {"ipv6.routing", "routing"},
                                                   {"ipv6.fraghdr", "fragment"},
                                                   {"ah", "ah"},
                                                   {"esp", "esp"},
                                                   {"tcp", "tcp"},
                                                   {"udp", "udp"},
                                                   {"sctp", "sctp"},
                                                   {"icmp", "icmp"},
                                                   {"icmpv6", "icmpv6"},
                                                   {"igmp", "igmp"},
                                                   {"gre", "gre"},
                                                   {"erspan", "erspan"},
                                                   {"vxlan", "vxlan"},
                                                   {"geneve", "geneve"},
                                                   {"nsh", "nsh"},
                                                   {"teredo", "teredo"},
                                                   {"ayiya", "ayiya"},
                                                   {"capwap.data", "capwap"},
                                                   {"wlan", "ieee80211"},
                                                   {"radiotap", "radiotap"},
                                                   {"llc", "llc"},
                                                   {"sll", "linux_sll"},
                                                   {"null", "bsd_loopback"},
                                                   {"ppp", "ppp"},
                                                   {"pppoes", "pppoe"},
                                                   {"chdlc", "cisco_hdlc"},
                                                   {"fr", "frame_relay"},
                                                   {"nflog", "nflog"},
                                                   {"fddi", "fddi"},
                                                   {"ieee8021ah", "pbb:ethernet"},
                                                   {"vntag", "vntag"},
                                                   {"etag", "etag"},
                                                   {"cfp", "fabricpath"},
                                                   {"cmd", "cisco_metadata"},
                                                   {"l2tp", "l2tp"},
                                                   {"arp", "arp"}};
const std::map<std::string, bool> kNoHeaders = {
    {"ethertype", true}, {"wlan_radio", true}, {"raw", true}, {"pwethheuristic", true}, {"pwethnocw", true}};

// tshark's chain in our words, up to what is no header to us. ICMP ends it: the packet that it quotes is no tunnel.
std::string FromTshark(const std::string& chain) {
  std::string ours;
  for (const std::string& word : std::vector<std::string>(absl::StrSplit(chain, ':'))) {
    if (kNoHeaders.count(word) != 0) continue;
    const auto name = kNames.find(word);
    if (name == kNames.end()) break;
    ours += (ours.empty() ? "" : ":") + name->second;
    if (word == "icmp" || word == "icmpv6" || word == "tcp") break;
  }
  return ours;
}

// Ours in the words that tshark shares.
std::string ToShared(std::string chain) {
  for (const auto& [from, to] : {std::pair<std::string, std::string>{"linux_sll2", "linux_sll"},
                                 {"vxlan_gpe:nsh", "nsh"},  // tshark's list leaves VXLAN-GPE out before NSH
                                 {"vxlan_gpe", "vxlan"}}) {
    const size_t at = chain.find(from);
    if (at != std::string::npos) chain.replace(at, from.size(), to);
  }
  return chain;
}

// Where the chains differ: the packets of ours that make the difference, and why.
struct Difference {
  const char* file;
  const char* why;
};
constexpr Difference kDifferences[] = {
    {"mpls-pseudowire-control-word.pcap",
     "ours is right: 00 00 00 00 is a control word and the frame behind it carries IPv4 and TCP; tshark's guess takes "
     "it for a MAC address"},
    {"vxlan-port-8472.pcap", "ours is right: Linux's old VXLAN port, which tshark does not decode without being told"},
    {"ipv4-bigtcp-zero-length.pcap",
     "ours is right: total length 0, VXLAN inside; tshark 4.0 calls the UDP header malformed and ends there"},
    {"vlan-ipv4-fragments-tcp-syn.pcap",
     "both: tshark reassembles and shows TCP in the last fragment; the first has only 8 octets of its header"},
    {"ipv6-frag-negative-length-malformed.pcap",
     "the payload length is 0, so that no fragment header belongs to the packet; tshark dissects it all the same and "
     "calls it malformed"},
    {"ip-version-mismatch.pcap", "tshark lists the inner header whose version is wrong; here it is kBadVersion"},
    {"too-many-layers.pcap", "kTooDeep after 32 headers; tshark goes on, and finds no IP either"},
    {"pcapng-mixed-linktypes.pcapng", "tshark counts three blocks that are no packets"},
};

// nfpcapd's bytes: at which IP header, or why neither.
enum class At { kOutermost, kInnermost, kNeither };
struct Bytes {
  const char* file;
  At at;
  const char* why;
};
constexpr Bytes kBytes[] = {
    {"6in4-icmpv6.pcap", At::kInnermost, "looks inside"},
    {"4in6.pcap", At::kInnermost, "looks inside"},
    {"6in6in6.pcap", At::kInnermost, "looks inside"},
    {"gre-ipv4.pcap", At::kInnermost, "looks inside"},
    {"gre-inside-gre.pcap", At::kInnermost, "looks inside"},
    {"ipv6-srh-ext-header.pcap", At::kOutermost, "not behind a routing header"},
    {"ipv4-fragments-udp.pcap", At::kNeither, "reassembles: 3 later fragments, 20 octets of header each, are missing"},
    {"ipv4-fragments-tcp-handshake.pcap", At::kNeither, "reassembles: 58 headers of 20 octets are missing"},
    {"vlan-ipv4-fragments-tcp-syn.pcap", At::kNeither, "reassembles: 2 headers of 20 octets are missing"},
    {"ipv6-over-ipv4-gre-ppp.pcap", At::kNeither, "349 = the IPv4 packets between: two of three levels deep"},
    {"erspan-type1.pcap", At::kNeither, "leaves the 88 ERSPAN packets out"},
    {"linktype-nflog.pcap", At::kNeither,
     "takes an attribute for the IP header: 1 packet of 25488 octets; ours is right"},
    {"linktype-null.pcap", At::kNeither, "misses the packet whose family lies in the upper half; ours has it"},
    {"ipv6-bigtcp-hopbyhop-jumbo.pcap", At::kNeither, "takes payload length 0 for 40 octets; ours reads the option"},
    {"ipv6-jumbogram.pcap", At::kNeither, "the same"},
    {"cisco-fabricpath.pcap", At::kNeither, "leaves the 64 packets inside FabricPath out; ours is right"},
    {"mixed-protocols-synthetic.pcap", At::kNeither, "leaves NSH, metadata and PPPoE out; ours agrees with tshark"},
};

struct Manifest {
  std::string file;
  size_t packets = 0;
  std::map<std::string, size_t> chains;  // in our words
  size_t nfpcapd_packets = 0, nfpcapd_bytes = 0;
};

std::vector<Manifest> ReadManifest(const std::string& folder) {
  std::vector<Manifest> rows;
  std::ifstream in(folder + "/MANIFEST.tsv");
  for (std::string line; std::getline(in, line);) {
    const std::vector<std::string> columns = absl::StrSplit(line, '\t');
    if (columns.size() < 10 || columns[0].rfind("packets/", 0) != 0) continue;
    Manifest row;
    row.file = columns[0];
    (void)absl::SimpleAtoi(columns[7], &row.packets);
    for (absl::string_view said : absl::StrSplit(columns[9], "; ")) {
      if (absl::ConsumePrefix(&said, "tshark: ")) {
        for (const std::string& counted : std::vector<std::string>(absl::StrSplit(said, ", "))) {
          const std::vector<std::string> parts = absl::StrSplit(counted, absl::MaxSplits("x ", 1));
          size_t n;
          if (parts.size() == 2 && absl::SimpleAtoi(parts[0], &n)) row.chains[FromTshark(parts[1])] += n;
        }
      }
      if (absl::ConsumePrefix(&said, "nfpcapd: ")) {
        const std::vector<std::string> words = absl::StrSplit(said, ' ');  // n flows, n packets, n bytes
        if (words.size() >= 6) {
          (void)absl::SimpleAtoi(words[2], &row.nfpcapd_packets);
          (void)absl::SimpleAtoi(words[4], &row.nfpcapd_bytes);
        }
      }
    }
    rows.push_back(row);
  }
  return rows;
}

struct Totals {
  uint64_t packets = 0, bytes = 0;
};

Totals Account(const std::vector<CapturedFrame>& packets, int depth) {
  const record::Layout layout({FieldId::kSrcAddr, FieldId::kSrcPort, FieldId::kPackets, FieldId::kBytes});
  PacketDecoderOptions options;
  options.depth = depth;
  PacketDecoder decoder(&layout, nullptr, options);
  Totals totals;
  std::vector<uint8_t> octets(layout.row_size());
  for (const CapturedFrame& packet : packets) {
    std::fill(octets.begin(), octets.end(), 0);
    record::MutableRow row(&layout, octets.data());
    if (!decoder.Decode(static_cast<LinkType>(packet.link_type), packet.octets, packet.wire_length, 0, row).ok())
      continue;
    totals.packets += row.Get<FieldId::kPackets>();
    totals.bytes += row.Get<FieldId::kBytes>();
  }
  const PacketCounters& counters = decoder.counters();
  EXPECT_EQ(counters.frames, packets.size());
  EXPECT_EQ(counters.frames, counters.accounted + counters.not_ip + counters.errors.errors());
  EXPECT_EQ(counters.accounted, totals.packets);
  return totals;
}

class Captures : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("FLOWACCT_CAPTURES");
    if (folder == nullptr || ReadManifest(folder).empty()) {
      GTEST_SKIP()
          << "FLOWACCT_CAPTURES does not name a folder with MANIFEST.tsv; the captures are not in the repository";
    }
    folder_ = folder;
    manifest_ = ReadManifest(folder_);
  }
  std::string folder_;
  std::vector<Manifest> manifest_;
};

TEST_F(Captures, HaveTsharksLayers) {
  PacketView view;
  for (const Manifest& row : manifest_) {
    SCOPED_TRACE(row.file);
    const std::vector<CapturedFrame> packets = ReadCaptureFile(folder_ + "/" + row.file);
    EXPECT_EQ(packets.size(), row.packets);
    std::map<std::string, size_t> chains;
    for (const CapturedFrame& packet : packets) {
      (void)Parse(static_cast<LinkType>(packet.link_type), packet.octets, packet.wire_length, &view);
      ++chains[ToShared(LayerChain(view))];
    }
    bool agrees = true;
    size_t listed = 0;
    for (const auto& [chain, n] : row.chains) listed += n;
    for (const auto& [chain, n] : row.chains) {
      // The manifest lists the six most frequent chains; if that is all of them the numbers are equal.
      const size_t ours = chains.count(chain) != 0 ? chains[chain] : 0;
      agrees &= listed == row.packets ? ours == n : ours >= n;
    }
    const Difference* difference = nullptr;
    for (const Difference& d : kDifferences) {
      if (row.file == std::string("packets/") + d.file) difference = &d;
    }
    if (difference != nullptr) {
      EXPECT_FALSE(agrees) << "a difference that is none any more: " << difference->why;
      continue;  // their totals are below
    }
    EXPECT_TRUE(agrees) << [&] {
      std::string text;
      for (const auto& [chain, n] : row.chains) text += "tshark " + std::to_string(n) + " " + chain + "\n";
      for (const auto& [chain, n] : chains) text += "ours " + std::to_string(n) + " " + chain + "\n";
      return text;
    }();
  }
}

TEST_F(Captures, HaveNfpcapdsBytes) {
  for (const Manifest& row : manifest_) {
    if (row.nfpcapd_packets == 0) continue;
    SCOPED_TRACE(row.file);
    const std::vector<CapturedFrame> packets = ReadCaptureFile(folder_ + "/" + row.file);
    At at = At::kOutermost;
    for (const Bytes& bytes : kBytes) {
      if (row.file == std::string("packets/") + bytes.file) at = bytes.at;
    }
    const Totals outermost = Account(packets, 0);
    const Totals innermost = Account(packets, -1);
    const Totals& totals = at == At::kInnermost ? innermost : outermost;
    if (at == At::kNeither) {
      EXPECT_NE(outermost.bytes, row.nfpcapd_bytes) << "a difference that is none any more";
      continue;
    }
    EXPECT_EQ(totals.packets, row.nfpcapd_packets);
    EXPECT_EQ(totals.bytes, row.nfpcapd_bytes);
  }
}

// Packets and octets at the outermost and the innermost IP header, as tshark's ip.len and ipv6.plen + 40 sum up to
// (without reassembly; zero lengths resolved by hand), for the captures where nfpcapd cannot be asked or is wrong.
TEST_F(Captures, HaveTsharksBytes) {
  const struct {
    const char* file;
    uint64_t packets, outermost, innermost;
  } kExpected[] = {
      {"ayiya.pcap", 35, 12366, 10062},
      {"capwap-data.pcapng", 14, 2316, 1292},
      {"cisco-fabricpath.pcap", 128, 5120, 5120},
      {"erspan-type1.pcap", 112, 10480, 6912},
      {"erspan-type3.pcap", 58, 6512, 6512},
      {"geneve-tcp-ssh-icmp.pcap", 39, 8734, 6632},
      {"gre-erspan2-vxlan.pcap", 7, 1037, 337},
      {"gre-v0-and-v1-pptp.pcap", 7, 623, 401},
      {"gre-various-keys-checksums.pcap", 30, 3046, 2326},
      {"ipv4-bigtcp-zero-length.pcap", 1, 80102, 80052},
      {"ipv4-fragments-tcp-handshake.pcap", 72, 3097, 3097},
      {"ipv6-bigtcp-hopbyhop-jumbo.pcap", 1, 80080, 80080},
      {"ipv6-jumbogram.pcap", 1, 65576, 65576},
      {"ipv6-over-ipv4-gre-ppp.pcap", 2, 429, 273},
      {"l2tpv2-ppp-http.pcap", 56, 6281, 5853},
      {"linktype-fddi.pcap", 1333, 53320, 53320},
      {"linktype-frame-relay.pcap", 10, 1000, 1000},
      {"linktype-nflog.pcap", 10, 1875, 1875},
      {"linktype-null.pcap", 3, 912, 912},
      {"linktype-radiotap-80211.pcap", 26, 9960, 9960},
      {"linktype-sll2.pcap", 3, 151, 151},
      // tshark also looks inside the two whose *source* port is that of VXLAN-GPE or GENEVE: 86 octets less. Both
      // standards want the destination port.
      {"mixed-protocols-synthetic.pcap", 913, 74631, 69955 + 86},
      {"nsh-over-vxlan-gpe.pcap", 1, 92, 32},
      {"pbb-8021ah.pcap", 10, 669, 669},
      {"pcapng-many-interfaces.pcapng", 64, 15078, 15078},
      {"teredo.pcap", 78, 23933, 23779},
      {"vxlan-flowtest.pcap", 8, 1072, 672},
  };
  for (const auto& expected : kExpected) {
    SCOPED_TRACE(expected.file);
    const std::vector<CapturedFrame> packets = ReadCaptureFile(folder_ + "/packets/" + expected.file);
    const Totals outermost = Account(packets, 0);
    EXPECT_EQ(outermost.packets, expected.packets);
    EXPECT_EQ(outermost.bytes, expected.outermost);
    EXPECT_EQ(Account(packets, -1).bytes, expected.innermost);
  }
}

}  // namespace
}  // namespace flowacct::packet
