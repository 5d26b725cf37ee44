#include "flowacct/bgp/link_state.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace flowacct::bgp {
namespace {

using base::DecodeCode;
using base::IpAddress;
using base::IpPrefix;
using base::Octets;
using std::string_literals::operator""s;

std::string Be16(size_t n) { return {static_cast<char>(n >> 8), static_cast<char>(n)}; }
std::string Tlv(size_t code, const std::string& value) { return Be16(code) + Be16(value.size()) + value; }
Octets Of(const std::string& text) { return Octets(reinterpret_cast<const uint8_t*>(text.data()), text.size()); }

// As IS-IS of level 2 in instance 7.
std::string Nlri(size_t type, const std::string& tlvs, char protocol = 2) {
  return Tlv(type, std::string(1, protocol) + "\0\0\0\0\0\0\0\7"s + tlvs);
}

const std::string kA = "\0\0\0\0\0\1"s, kB = "\0\0\0\0\0\2\3"s;  // the second a pseudonode
std::string Node(size_t code, const std::string& router) {
  return Tlv(code, Tlv(512, "\0\0\xfc\0"s) + Tlv(513, "\0\0\0\5"s) + Tlv(514, "\0\0\0\1"s) + Tlv(515, router));
}

struct Case {
  const char* what;
  std::string octets;
  DecodeCode code;
  size_t size;
};

TEST(LinkState, Nlri) {
  LinkStateNlri nlri;
  size_t size;
  const std::string node = Nlri(1, Node(256, kA));
  const std::string more = node + "behind";
  ASSERT_TRUE(ReadLinkStateNlri(Of(more), false, &nlri, &size).ok());
  EXPECT_EQ(size, node.size());
  EXPECT_EQ(nlri.octets, Of(node));
  EXPECT_EQ(nlri.type, LinkStateType::kNode);
  EXPECT_EQ(LinkStateProtocolName(nlri.protocol), "isis_level_2");
  EXPECT_EQ(nlri.identifier, 7u);
  EXPECT_EQ(nlri.local.as, 64512u);
  EXPECT_EQ(nlri.local.bgp_ls_identifier, 5u);
  EXPECT_EQ(nlri.local.ospf_area, 1u);
  EXPECT_EQ(std::string(nlri.local.router_id.begin(), nlri.local.router_id.begin() + nlri.local.router_id_size), kA);

  const std::string link =
      Nlri(2, Node(256, kA) + Node(257, kB) + Tlv(258, "\0\0\0\1\0\0\0\2"s) + Tlv(259, "\xc0\0\2\1"s) +
                  Tlv(260, "\xc0\0\2\2"s) + Tlv(261, std::string(15, '\0') + "\1") +
                  Tlv(262, std::string(15, '\0') + "\2") + Tlv(263, "\x40\2"s) + Tlv(60000, "later"));
  ASSERT_TRUE(ReadLinkStateNlri(Of(link), false, &nlri, &size).ok());
  EXPECT_EQ(nlri.type, LinkStateType::kLink);
  EXPECT_EQ(nlri.remote.router_id_size, 7);
  EXPECT_EQ(nlri.local_id, 1u);
  EXPECT_EQ(nlri.remote_id, 2u);
  EXPECT_EQ(nlri.interface_v4, *IpAddress::Parse("192.0.2.1"));
  EXPECT_EQ(nlri.neighbor_v4, *IpAddress::Parse("192.0.2.2"));
  EXPECT_EQ(nlri.interface_v6, *IpAddress::Parse("::1"));
  EXPECT_EQ(nlri.neighbor_v6, *IpAddress::Parse("::2"));
  EXPECT_EQ(nlri.topology, 2);  // the four bits above are reserved

  const std::string v4 = Nlri(3, Node(256, kA) + Tlv(264, "\1") + Tlv(265, "\x14\xc6\x33\x6f"s));
  ASSERT_TRUE(ReadLinkStateNlri(Of(v4), false, &nlri, &size).ok());
  EXPECT_EQ(nlri.prefix, *IpPrefix::Parse("198.51.96.0/20"));  // bits behind the prefix do not count
  EXPECT_EQ(nlri.ospf_route_type, 1);
  ASSERT_TRUE(ReadLinkStateNlri(Of(Nlri(3, Node(256, kA) + Tlv(265, "\0"s))), false, &nlri, &size).ok());
  EXPECT_EQ(nlri.prefix, *IpPrefix::Parse("0.0.0.0/0"));
  ASSERT_TRUE(ReadLinkStateNlri(Of(Nlri(4, Node(256, kA) + Tlv(265, "\x20\x20\1\xd\xb8"s))), false, &nlri, &size).ok());
  EXPECT_EQ(nlri.prefix, *IpPrefix::Parse("2001:db8::/32"));

  // Of a VPN.
  const std::string vpn = Tlv(1, "\0\0\xfb\xf4\0\0\0\7"s + node.substr(4));
  ASSERT_TRUE(ReadLinkStateNlri(Of(vpn), true, &nlri, &size).ok());
  EXPECT_EQ(nlri.rd, 0xfbf400000007u);
  EXPECT_EQ(nlri.identifier, 7u);
}

TEST(LinkState, WrongNlri) {
  const std::string node = Nlri(1, Node(256, kA));
  const Case cases[] = {
      {"nothing", "", DecodeCode::kTruncated, 0},
      {"longer than what is there", Be16(1) + Be16(100), DecodeCode::kBadLength, 0},
      {"a type of later", Nlri(6, Node(256, kA)), DecodeCode::kUnsupported, Nlri(6, Node(256, kA)).size()},
      {"no room for protocol and identifier", Tlv(1, "\2\0\0"s), DecodeCode::kTruncated, 7},
      {"no node", Nlri(1, Tlv(263, "\0\0"s)), DecodeCode::kBadValue, 19},
      {"a node without router", Nlri(1, Tlv(256, Tlv(512, "\0\0\0\1"s))), DecodeCode::kBadValue, 25},
      {"a router of nine octets", Nlri(1, Node(256, "123456789")), DecodeCode::kBadLength, node.size() + 3},
      {"a router of none", Nlri(1, Node(256, "")), DecodeCode::kBadLength, node.size() - 6},
      {"a link with one end", Nlri(2, Node(256, kA)), DecodeCode::kBadValue, node.size()},
      {"an address of three octets", Nlri(2, Node(256, kA) + Node(257, kB) + Tlv(259, "123")), DecodeCode::kBadLength,
       Nlri(2, Node(256, kA) + Node(257, kB)).size() + 7},
      {"a prefix that is not said", Nlri(3, Node(256, kA)), DecodeCode::kBadValue, node.size()},
      {"a prefix of 33 bits",
       Nlri(3, Node(256, kA) + Tlv(265,
                                   "\x21"
                                   "12345")),
       DecodeCode::kBadLength, node.size() + 10},
      {"a prefix that is cut",
       Nlri(4, Node(256, kA) + Tlv(265,
                                   "\x40"
                                   "1234")),
       DecodeCode::kBadLength, node.size() + 9},
      {"a TLV that lies", Tlv(1, "\2\0\0\0\0\0\0\0\7"s + Be16(256) + Be16(9)), DecodeCode::kBadLength, 17},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.what);
    LinkStateNlri nlri;
    size_t size = 77;
    EXPECT_EQ(ReadLinkStateNlri(Of(test.octets), false, &nlri, &size).code, test.code);
    EXPECT_EQ(size, test.size);
  }
}

// Cut anywhere it is no NLRI; with its length made to fit it may be one, and is read within its octets.
TEST(LinkState, CutEverywhere) {
  const std::string link = Nlri(2, Node(256, kA) + Node(257, kB) + Tlv(258, "\0\0\0\1\0\0\0\2"s) + Tlv(263, "\0\2"s));
  const std::string attribute =
      Tlv(1024, "\x80") + Tlv(1026, "r1") + Tlv(1095, "\0\0\xa"s) + Tlv(1155, "\0\0\0\1"s) + Tlv(1089, "1234");
  for (size_t n = 0; n < link.size(); ++n) {
    const std::vector<uint8_t> own(link.begin(), link.begin() + static_cast<std::ptrdiff_t>(n));  // ends where it ends
    LinkStateNlri nlri;
    size_t size;
    EXPECT_FALSE(ReadLinkStateNlri(own, false, &nlri, &size).ok()) << n;
    EXPECT_EQ(size, 0u);
    if (n < 4) continue;
    std::vector<uint8_t> shorter = own;
    shorter[2] = static_cast<uint8_t>((n - 4) >> 8);
    shorter[3] = static_cast<uint8_t>(n - 4);
    for (const bool vpn : {false, true}) {
      (void)ReadLinkStateNlri(shorter, vpn, &nlri, &size);
      EXPECT_EQ(size, n);
    }
  }
  for (size_t n = 0; n < attribute.size(); ++n) {
    const std::vector<uint8_t> own(attribute.begin(), attribute.begin() + static_cast<std::ptrdiff_t>(n));
    LinkStateAttribute read;
    const bool whole = n == 0 || n == 5 || n == 11 || n == 18 || n == 26;
    EXPECT_EQ(ReadLinkStateAttribute(own, &read).ok(), whole) << n;
  }
}

TEST(LinkState, Attribute) {
  LinkStateAttribute a;
  const std::string all = Tlv(1024, "\xc0"s) + Tlv(1026, "router-1") + Tlv(1027, "\x49\0\1"s) + Tlv(263, "\0\0\0\2"s) +
                          Tlv(1028, "\xc0\0\2\1"s) + Tlv(1029, std::string(15, '\0') + "\1") +
                          Tlv(1030, "\xc0\0\2\2"s) + Tlv(1088, "\0\0\0\3"s) + Tlv(1089, "\x4c\xee\x6b\x28"s) +
                          Tlv(1092, "\0\0\0\4"s) + Tlv(1095, "\0\1\0"s) + Tlv(1096, "\0\0\0\5\0\0\0\6"s) +
                          Tlv(1098, "a-b") + Tlv(1152, "\x80") + Tlv(1153, "\0\0\0\7"s) + Tlv(1155, "\0\0\0\x8"s) +
                          Tlv(1158, "\0\0\0\0\0\0\0\x9"s) + Tlv(9999, "x");
  ASSERT_TRUE(ReadLinkStateAttribute(Of(all), &a).ok());
  EXPECT_EQ(a.node_flags, kLinkStateOverload | kLinkStateAttached);
  EXPECT_EQ(a.node_name, "router-1");
  ASSERT_EQ(a.isis_areas.size(), 1u);
  EXPECT_EQ(a.isis_areas[0], Of("\x49\0\1"s));
  EXPECT_EQ(a.topologies, (std::vector<uint16_t>{0, 2}));
  EXPECT_EQ(a.local_router_id, *IpAddress::Parse("192.0.2.1"));
  EXPECT_EQ(a.local_router_id_v6, *IpAddress::Parse("::1"));
  EXPECT_EQ(a.remote_router_id, *IpAddress::Parse("192.0.2.2"));
  EXPECT_EQ(a.administrative_group, 3u);
  EXPECT_EQ(a.max_bandwidth, 125e6f);
  EXPECT_EQ(a.te_metric, 4u);
  EXPECT_EQ(a.igp_metric, 256u);
  EXPECT_EQ(a.shared_risk_groups, (std::vector<uint32_t>{5, 6}));
  EXPECT_EQ(a.link_name, "a-b");
  EXPECT_EQ(a.prefix_flags, kLinkStatePrefixDown);
  EXPECT_EQ(a.route_tag, 7u);
  EXPECT_EQ(a.prefix_metric, 8u);
  EXPECT_EQ(a.prefix_segment_index, 9u);

  // Metrics of each length (5.3.2.4).
  for (const auto& [octets, metric] : std::vector<std::pair<std::string, uint32_t>>{
           {"\xff", 63}, {"\1\0"s, 256}, {"\1\0\0"s, 65536}, {"\0\0\0\xa"s, 10}}) {
    ASSERT_TRUE(ReadLinkStateAttribute(Of(Tlv(1095, octets)), &a).ok());
    EXPECT_EQ(a.igp_metric, metric);
  }
  for (const std::string& wrong : {Tlv(1095, ""), Tlv(1095, "12345"), Tlv(1028, "123"), Tlv(1029, "1234"),
                                   Tlv(1024, ""), Tlv(1155, "123"), Tlv(263, "1"), Tlv(1096, "123"), Tlv(1153, "")}) {
    EXPECT_EQ(ReadLinkStateAttribute(Of(wrong), &a).code, DecodeCode::kBadLength) << Of(wrong)[1];
  }
}

}  // namespace
}  // namespace flowacct::bgp
