#include "flowacct/collector/import/packet_filter.h"

#include <string>

#include "flowacct/filter/filter.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

struct Case {
  const char* theirs;
  const char* ours;
};

class SaidTest : public testing::TestWithParam<Case> {};

TEST_P(SaidTest, IsAFilterOfOurs) {
  const auto translated = TranslatePacketFilter(GetParam().theirs);
  ASSERT_TRUE(translated.ok()) << translated.status();
  EXPECT_EQ(*translated, GetParam().ours);
  EXPECT_TRUE(filter::Filter::Parse(*translated).ok()) << *translated;
}

INSTANTIATE_TEST_SUITE_P(
    All, SaidTest,
    testing::Values(Case{"", ""}, Case{"  \t ", ""},
                    // Hosts, networks, ports; with and without direction.
                    Case{"host 192.0.2.1", "host 192.0.2.1"}, Case{"src 192.0.2.1", "src host 192.0.2.1"},
                    Case{"ip6 dst host 2001:DB8::1", "dst host 2001:db8::1"},
                    Case{"src and dst host 192.0.2.1", "src host 192.0.2.1 and dst host 192.0.2.1"},
                    Case{"src or dst net 10.0.0.0/8", "net 10.0.0.0/8"},
                    Case{"dst net 192.168", "dst net 192.168.0.0/16"}, Case{"net 10", "net 10.0.0.0/8"},
                    Case{"net 192.0.2.0", "net 192.0.2.0/32"},
                    Case{"src net 192.168.0.0 mask 255.255.0.0", "src net 192.168.0.0/16"},
                    Case{"net 0.0.0.0 mask 0.0.0.0", "net 0.0.0.0/0"}, Case{"net 2001:db8::/32", "net 2001:db8::/32"},
                    Case{"port 53", "port 53"}, Case{"dst port 80", "dst port 80"},
                    Case{"portrange 1000-2000", "port in (1000-2000)"},
                    Case{"src portrange 2000-1000", "src port in (1000-2000)"},
                    // Protocols, alone and before a port.
                    Case{"tcp", "proto tcp"}, Case{"icmp6", "proto ipv6-icmp"}, Case{"ip", "src_addr in 0.0.0.0/0"},
                    Case{"ip6", "src_addr in ::/0"}, Case{"ip proto 47", "src_addr in 0.0.0.0/0 and proto 47"},
                    Case{"proto \\tcp", "proto tcp"}, Case{"tcp port 80", "proto tcp and port 80"},
                    Case{"udp dst port 53", "proto udp and dst port 53"},
                    // Links and tags.
                    Case{"ether src 02:00:00:00:00:01", "src_mac = 02:00:00:00:00:01"},
                    Case{"ether host 02:00:00:00:00:01", "src_mac = 02:00:00:00:00:01 or dst_mac = 02:00:00:00:00:01"},
                    Case{"ether proto 0x8847", "etype = 34887"}, Case{"ether proto \\ip6", "src_addr in ::/0"},
                    Case{"vlan", "exists(vlan)"}, Case{"vlan 100 and tcp", "vlan = 100 and proto tcp"},
                    Case{"mpls 1000", "mpls_label_top = 1000"}, Case{"ip multicast", "dst_addr in 224.0.0.0/4"},
                    Case{"ether broadcast", "dst_mac = ff:ff:ff:ff:ff:ff"},
                    // and and or bind alike, from the left.
                    Case{"tcp or udp and port 53", "(proto tcp or proto udp) and port 53"},
                    Case{"port 53 and tcp or udp", "(port 53 and proto tcp) or proto udp"},
                    Case{"not port 53 && tcp", "not port 53 and proto tcp"},
                    Case{"! ( tcp or udp )", "not (proto tcp or proto udp)"},
                    // What stands bare has the qualifiers of the one before.
                    Case{"port 80 or 443", "port 80 or port 443"},
                    Case{"tcp dst port (80 or 443)", "(proto tcp and dst port 80) or (proto tcp and dst port 443)"},
                    Case{"src host 192.0.2.1 or 192.0.2.2", "src host 192.0.2.1 or src host 192.0.2.2"},
                    // Offsets that are fields.
                    Case{"tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn", "proto tcp and tcp_flags & 18 = 2"},
                    Case{"tcp[13] & 2 != 0", "proto tcp and tcp_flags & 2 != 0"}, Case{"ip[8] < 5", "ttl < 5"},
                    Case{"icmp[icmptype] = icmp-echo", "proto icmp and icmp_type = 8"},
                    Case{"ip[1] & 0xfc == 0xb8", "tos & 252 = 184"}));

class UnsaidTest : public testing::TestWithParam<Case> {};

TEST_P(UnsaidTest, SaysWhatAndWhere) {
  const auto filter = TranslatePacketFilter(GetParam().theirs);
  ASSERT_FALSE(filter.ok()) << *filter;
  EXPECT_EQ(filter.status().message(), GetParam().ours);
}

INSTANTIATE_TEST_SUITE_P(
    All, UnsaidTest,
    testing::Values(Case{"host www.example.org",
                         "column 6: \"www.example.org\" is no address; names of hosts are not looked up"},
                    Case{"port http", "column 6: \"http\" is no number of a port"},
                    Case{"tcp and ip[2:2] > 100", "column 11: this offset is no field"},
                    Case{"less 100", "column 1: \"less\" asks about the packet, not about a field"},
                    Case{"len > 100", "column 1: \"len\" asks about the packet, not about a field"},
                    Case{"arp", "column 1: only IP is accounted"},
                    Case{"foo", "column 1: \"foo\" is no condition that we know"},
                    Case{"tcp and", "column 8: a condition was expected at the end"},
                    Case{"(tcp", "column 5: a ')' was expected here"}, Case{"tcp)", "column 4: a ')' closes nothing"},
                    Case{"tcp udp", "column 5: \"udp\" is no number of a port"},
                    Case{"net 192.0.2.0/33", "column 5: \"192.0.2.0/33\" is no network"},
                    Case{"net 10.0.0.0 mask 255.0.255.0", "column 5: this network and mask are no prefix"},
                    Case{"port 70000", "column 6: \"70000\" is no number of a port"},
                    Case{"ether multicast", "column 7: \"multicast\" asks about the packet, not about a field"},
                    Case{"ip[8] & 1 = 1", "column 9: bits of this field cannot be asked for"},
                    Case{"tcp src and dst", "column 16: here something to compare with was expected"}));

TEST(PacketFilterTest, DepthAndLengthAreBounded) {
  EXPECT_FALSE(TranslatePacketFilter(std::string(1000, '(') + "tcp").ok());
  std::string nots;
  for (int i = 0; i < 1000; ++i) nots += "not ";
  EXPECT_FALSE(TranslatePacketFilter(nots + "tcp").ok());
  EXPECT_FALSE(TranslatePacketFilter(std::string(20000, ' ') + "tcp").ok());
}

TEST(PacketFilterTest, BothHoldKeepsWhatEachMeans) {
  EXPECT_EQ(BothHold("", "proto tcp"), "proto tcp");
  EXPECT_EQ(BothHold("proto tcp", ""), "proto tcp");
  EXPECT_EQ(BothHold("port 80 or port 443", "tag = 1"), "(port 80 or port 443) and tag = 1");
  EXPECT_EQ(BothHold("tag = 1", "not (tag = 1 or tag = 2)"), "tag = 1 and not (tag = 1 or tag = 2)");
}

}  // namespace
}  // namespace flowacct::collector
