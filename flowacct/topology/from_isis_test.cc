#include "flowacct/topology/from_isis.h"

#include "flowacct/base/mac_address.h"
#include "flowacct/isis/trill.h"
#include "gtest/gtest.h"

namespace flowacct::topology {
namespace {

isis::NodeId Node(uint8_t last, uint8_t pseudonode = 0) {
  isis::NodeId node;
  node.system.octets = {0x19, 0x21, 0x68, 0x00, 0x10, last};
  node.pseudonode = pseudonode;
  return node;
}

TEST(FromIsis, Keys) {
  const NodeKey key = KeyOf(Node(1, 2));
  EXPECT_EQ(NodeText(NodeStyle::kIsis, key), "1921.6800.1001.02");
  EXPECT_EQ(IsisNode(key), Node(1, 2));
  const AdvertisementKey lsp = KeyOf(isis::Level::k1, {Node(1), 7});
  EXPECT_EQ(lsp.level, 1);
  EXPECT_EQ(lsp.fragment, 7);
  EXPECT_EQ(lsp.origin, KeyOf(Node(1)));
}

TEST(FromIsis, Flags) {
  struct Case {
    uint8_t flags;
    bool overload, attached;
  };
  for (const Case& c : {Case{0x03, false, false}, {0x07, true, false}, {0x0b, false, true}, {0x73, false, false}}) {
    const Advertisement a = AdvertisementOf(isis::Level::k2, {Node(1), 0}, 5, c.flags, {});
    EXPECT_EQ(a.overload, c.overload) << int{c.flags};
    EXPECT_EQ(a.attached, c.attached) << int{c.flags};
    EXPECT_EQ(a.sequence, 5u);
  }
}

TEST(FromIsis, WhatTheLspTells) {
  isis::LspContent content;
  content.hostname = "r1";
  content.topologies = {{0, true, true}, {2, true, false}};
  content.areas.push_back({{0x49, 0, 1}, 3});
  content.interface_addresses = {base::IpAddress::V4(1)};
  content.router_id = base::IpAddress::V4(9);

  isis::Neighbor narrow, wide, lan, other;
  narrow.node = wide.node = Node(2);
  narrow.metric = 10;
  wide.metric = 1000;
  wide.wide = true;
  wide.local_address_v6 = *base::IpAddress::Parse("fe80::1");
  wide.remote_address = base::IpAddress::V4(2);
  wide.remote_address_v6 = *base::IpAddress::Parse("fe80::2");
  wide.local_link_id = 3;
  wide.remote_link_id = 4;
  wide.max_bandwidth = 1.25e9f;
  lan.node = Node(3, 1);  // narrow alone
  lan.metric = 20;
  other = wide;
  other.topology = 2;
  content.neighbors = {narrow, wide, lan, other};

  isis::Reachability p_narrow, p_wide, p_external;
  p_narrow.prefix = p_wide.prefix = *base::IpPrefix::Parse("192.0.2.0/24");
  p_narrow.metric = 5;
  p_wide.metric = 500;
  p_wide.wide = p_wide.down = true;
  p_wide.prefix_sids = {{0x0c, 0, 16001}, {0x40, 0, 17}};
  p_external.prefix = *base::IpPrefix::Parse("198.51.100.0/24");
  p_external.external_metric = true;
  p_external.attribute_flags = 0x80;
  content.prefixes = {p_narrow, p_wide, p_external};

  const Advertisement a = AdvertisementOf(isis::Level::k1, {Node(1), 0}, 1, 0x01, content);
  EXPECT_EQ(a.name, "r1");
  EXPECT_EQ(a.areas, std::vector<std::string>{content.areas[0].ToString()});
  EXPECT_EQ(a.addresses.size(), 1u);
  EXPECT_EQ(a.router_id, base::IpAddress::V4(9));
  ASSERT_EQ(a.topologies.size(), 1u);
  EXPECT_EQ(a.topologies[0], (TopologyFlags{2, true, false}));
  EXPECT_FALSE(a.overload);  // that of the standard topology is in the header

  ASSERT_EQ(a.links.size(), 3u);
  EXPECT_EQ(a.links[0].to, KeyOf(Node(2)));
  EXPECT_EQ(a.links[0].metric, 1000u);
  EXPECT_EQ(a.links[0].local_address.ToString(), "fe80::1");
  EXPECT_EQ(a.links[0].remote_address, base::IpAddress::V4(2));
  EXPECT_EQ(a.links[0].local_id, 3u);
  EXPECT_EQ(a.links[0].remote_id, 4u);
  EXPECT_EQ(a.links[0].bandwidth, 1.25e9f);
  EXPECT_EQ(a.links[1].to, KeyOf(Node(3, 1)));
  EXPECT_EQ(a.links[1].metric, 20u);
  EXPECT_EQ(a.links[2].topology, 2);

  ASSERT_EQ(a.prefixes.size(), 2u);
  EXPECT_EQ(a.prefixes[0].metric, 500u);
  EXPECT_TRUE(a.prefixes[0].down);
  EXPECT_FALSE(a.prefixes[0].external);
  EXPECT_EQ(a.prefixes[0].segment_index, 17u);
  EXPECT_TRUE(a.prefixes[1].external);
  EXPECT_TRUE(a.prefixes[1].external_metric);
  EXPECT_FALSE(a.prefixes[1].segment_index.has_value());
}

// For people: a line for each thing that is told, and nothing that the graph is made of.
TEST(FromIsis, Facts) {
  isis::LspContent content;
  isis::Neighbor neighbor;
  neighbor.node = Node(2);
  neighbor.wide = true;
  neighbor.mtu = isis::LinkMtu{1470, true};
  content.neighbors = {neighbor};
  isis::RouterCapability capability;
  capability.topology = 5;
  capability.segment_routing_blocks = {{16'000, 8'000}, {40'000, 10}};
  capability.segment_routing_local_blocks = {{15'000, 1'000}};
  capability.algorithms = {0, 128};
  isis::TrillSwitch& trill = capability.trill;
  trill.nicknames = {{192, 0x8000, 0x12}};
  trill.trees = isis::TreeCounts{1, 2, 3};
  trill.tree_roots = {{1, {0x12, 0xffbf}}};
  trill.trees_used = {{2, {0xffbf}}};
  isis::InterestedVlans interested;
  interested.nickname = 0x12;
  interested.flags = isis::InterestedVlans::kV4Router;
  interested.vlans = {0, 99};
  interested.roots = {{{2, 0, 0, 0, 0, 9}}};
  trill.interested_vlans = {interested};
  interested.vlans = {9, 8};
  interested.flags = isis::InterestedVlans::kV6Router;
  interested.appointed_lost = 7;
  interested.roots.clear();
  trill.interested_vlans.push_back(interested);
  trill.vlan_groups = {{10, {11, 12}}};
  trill.version = isis::TrillVersion{1, 0x80};
  content.capabilities = {capability};
  content.groups = {{0, false, 100, *base::IpAddress::Parse("232.1.2.3"), {*base::IpAddress::Parse("192.0.2.1")}},
                    {6, true, 70'000, base::MacAddress{{1, 0, 0x5e, 0, 0, 1}}, {}}};
  const Advertisement a = AdvertisementOf(isis::Level::k1, {Node(1), 0}, 1, 0x01, content);
  std::string text;
  for (const AdvertisedFact& fact : a.facts) {
    text += std::to_string(fact.topology) + " " + fact.what + ": " + fact.text + "\n";
  }
  EXPECT_EQ(text, "0 link_mtu: " + Node(2).ToString() +
                      " 1470 failed\n"
                      "5 segment_routing: 16000+8000 40000+10\n"
                      "5 segment_routing_local: 15000+1000\n"
                      "5 algorithms: 0 128\n"
                      "5 nickname: 0x0012 priority 192 root 32768\n"
                      "5 trees: computes 1 of 2, uses 3\n"
                      "5 tree_roots: 1: 0x0012 0xffbf\n"
                      "5 trees_used: 2: 0xffbf\n"
                      "5 interested_vlans: 1-99 nickname 0x0012 ipv4_multicast lost 0 root 02:00:00:00:00:09\n"
                      "5 interested_vlans: 9-8 (ignored) nickname 0x0012 ipv6_multicast lost 7\n"
                      "5 vlan_group: 10: 11 12\n"
                      "5 trill_version: 1 capabilities 0x00000080\n"
                      "0 multicast_group: 232.1.2.3 vlan 100 from 192.0.2.1\n"
                      "6 multicast_group: 01:00:5e:00:00:01 label 70000\n");
  Advertisement other = a;
  EXPECT_TRUE(SameContent(a, other));
  other.facts[3].text = "0";
  EXPECT_FALSE(SameContent(a, other));
  EXPECT_TRUE(SameGraph(a, other));
  EXPECT_GT(OctetsOf(a), OctetsOf(AdvertisementOf(isis::Level::k1, {Node(1), 0}, 1, 0x01, {})) + 500);
}

}  // namespace
}  // namespace flowacct::topology
