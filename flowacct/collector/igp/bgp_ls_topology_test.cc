#include "flowacct/collector/igp/bgp_ls_topology.h"

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

using base::IpAddress;
using base::IpPrefix;
using bgp::LinkStateAttribute;
using bgp::LinkStateNlri;
using bgp::LinkStateProtocol;
using bgp::LinkStateType;
using topology::Advertisement;
using topology::AdvertisementKey;
using topology::NodeStyle;

bgp::LinkStateNode Isis(uint8_t number, int pseudonode = -1) {
  bgp::LinkStateNode node;
  node.router_id[5] = number;
  node.router_id_size = 6;
  if (pseudonode >= 0) {
    node.router_id[6] = static_cast<uint8_t>(pseudonode);
    node.router_id_size = 7;
  }
  return node;
}
bgp::LinkStateNode Ospf(uint8_t number, uint32_t area) {
  bgp::LinkStateNode node;
  node.ospf_area = area;
  node.router_id = {192, 0, 2, number};
  node.router_id_size = 4;
  return node;
}

// An object whose octets are its name.
struct Object {
  std::string name;
  LinkStateNlri nlri;
  LinkStateAttribute attribute;
};
Object Make(std::string name, LinkStateType type, LinkStateProtocol protocol, bgp::LinkStateNode local) {
  Object object;
  object.name = std::move(name);
  object.nlri.type = type;
  object.nlri.protocol = protocol;
  object.nlri.local = local;
  return object;
}

class BgpLs {
 public:
  explicit BgpLs(BgpLsOptions options = {}) : topology(options) {}
  void Announce(Object object) { topology.Announce(WithOctets(&object), object.attribute); }
  void Withdraw(Object object) { topology.Withdraw(WithOctets(&object)); }
  // Takes what changed; returns it as text.
  std::string Changes() {
    std::string text;
    topology.TakeChanges(
        [&](const Advertisement& a) {
          now[a.key] = a;
          absl::StrAppend(&text, "L", a.key.level, " ", topology::NodeText(*topology.style(), a.key.origin), "/",
                          a.key.fragment, a.name.empty() ? "" : " ", a.name, a.overload ? " overload" : "");
          for (const auto& link : a.links) {
            absl::StrAppend(&text, " -", link.metric, "-", topology::NodeText(*topology.style(), link.to));
          }
          for (const auto& prefix : a.prefixes) {
            absl::StrAppend(&text, " ", prefix.prefix.ToString(), "+", prefix.metric, prefix.external ? "e" : "");
          }
          text += "; ";
        },
        [&](const AdvertisementKey& key) {
          now.erase(key);
          absl::StrAppend(&text, "gone L", key.level, " ", topology::NodeText(*topology.style(), key.origin), "; ");
        });
    return text;
  }

  BgpLsTopology topology;
  std::map<AdvertisementKey, Advertisement> now;

 private:
  static LinkStateNlri& WithOctets(Object* object) {
    object->nlri.octets = base::Octets(reinterpret_cast<const uint8_t*>(object->name.data()), object->name.size());
    return object->nlri;
  }
};

TEST(BgpLsTopology, IsisOfBothLevels) {
  BgpLs ls;
  Object node = Make("n1", LinkStateType::kNode, LinkStateProtocol::kIsisLevel2, Isis(1));
  node.attribute.node_name = "ams1";
  node.attribute.node_flags = bgp::kLinkStateOverload;
  node.attribute.topologies = {0, 2};
  const uint8_t area[] = {0x49, 0x00, 0x01};
  node.attribute.isis_areas = {area};
  Object link = Make("l12", LinkStateType::kLink, LinkStateProtocol::kIsisLevel2, Isis(1));
  link.nlri.remote = Isis(2, 3);
  link.nlri.interface_v6 = *IpAddress::Parse("2001:db8::1");
  link.attribute.igp_metric = 10;
  link.attribute.max_bandwidth = 125e6f;
  Object prefix = Make("p1", LinkStateType::kIpv4Prefix, LinkStateProtocol::kIsisLevel2, Isis(1));
  prefix.nlri.prefix = *IpPrefix::Parse("198.51.100.0/24");
  prefix.attribute.prefix_metric = 5;
  for (const Object& object : {node, link, prefix}) ls.Announce(object);
  Object other = Make("x", LinkStateType::kNode, LinkStateProtocol::kIsisLevel1, Isis(1));
  ls.Announce(other);
  EXPECT_EQ(ls.Changes(),
            "L1 0000.0000.0001/0; L2 0000.0000.0001/0 ams1 overload -10-0000.0000.0002.03 198.51.100.0/24+5; ");
  EXPECT_EQ(ls.Changes(), "");
  const Advertisement& a = ls.now.rbegin()->second;
  EXPECT_EQ(a.areas, std::vector<std::string>{"49.0001"});
  ASSERT_EQ(a.topologies.size(), 1u);
  EXPECT_EQ(a.topologies[0].topology, 2);
  EXPECT_TRUE(a.topologies[0].overload);
  EXPECT_EQ(a.links[0].local_address, *IpAddress::Parse("2001:db8::1"));
  EXPECT_EQ(a.links[0].bandwidth, 125e6f);

  // The same object again replaces itself; what is withdrawn goes, at last the router.
  link.attribute.igp_metric = 20;
  ls.Announce(link);
  ls.Withdraw(prefix);
  ls.Withdraw(prefix);
  EXPECT_EQ(ls.Changes(), "L2 0000.0000.0001/0 ams1 overload -20-0000.0000.0002.03; ");
  for (const Object& object : {node, link, other}) ls.Withdraw(object);
  EXPECT_EQ(ls.Changes(), "gone L1 0000.0000.0001; gone L2 0000.0000.0001; ");
  EXPECT_EQ(ls.topology.objects(), 0u);
  EXPECT_EQ(ls.topology.style(), NodeStyle::kIsis);
}

TEST(BgpLsTopology, OspfByAreas) {
  BgpLs ls;
  ls.Announce(Make("n0", LinkStateType::kNode, LinkStateProtocol::kOspfV2, Ospf(1, 0)));
  ls.Announce(Make("n5", LinkStateType::kNode, LinkStateProtocol::kOspfV2, Ospf(1, 5)));
  ls.Announce(Make("n7", LinkStateType::kNode, LinkStateProtocol::kOspfV2, Ospf(1, 7)));
  Object external = Make("p", LinkStateType::kIpv4Prefix, LinkStateProtocol::kOspfV2, Ospf(1, 0));
  external.nlri.prefix = *IpPrefix::Parse("0.0.0.0/0");
  external.nlri.ospf_route_type = 4;
  ls.Announce(external);
  EXPECT_EQ(ls.Changes(), "L1 192.0.2.1/0; L2 192.0.2.1/0 0.0.0.0/0+0e; ");
  EXPECT_EQ(ls.now.begin()->second.router_id, *IpAddress::Parse("192.0.2.1"));
  EXPECT_EQ(ls.now.begin()->second.areas, (std::vector<std::string>{"0.0.0.5", "0.0.0.7"}));
  EXPECT_TRUE(ls.now.rbegin()->second.prefixes[0].external_metric);
}

// A router of one area that is not the first; and OSPFv3 beside OSPFv2.
TEST(BgpLsTopology, OspfV3IsTheTopologyOfIpv6) {
  BgpLs ls;
  for (const LinkStateProtocol protocol : {LinkStateProtocol::kOspfV2, LinkStateProtocol::kOspfV3}) {
    const std::string name = protocol == LinkStateProtocol::kOspfV2 ? "2" : "3";
    Object node = Make(name, LinkStateType::kNode, protocol, Ospf(1, 7));
    node.attribute.node_name = "r1";
    ls.Announce(node);
    Object link = Make(name + "l", LinkStateType::kLink, protocol, Ospf(1, 7));
    link.nlri.remote = Ospf(2, 7);
    link.attribute.igp_metric = protocol == LinkStateProtocol::kOspfV2 ? 10 : 20;
    ls.Announce(link);
    Object prefix = Make(name + "p", LinkStateType::kIpv6Prefix, protocol, Ospf(1, 7));
    prefix.nlri.prefix = *IpPrefix::Parse("2001:db8::/32");
    if (protocol == LinkStateProtocol::kOspfV3) ls.Announce(prefix);
  }
  EXPECT_EQ(ls.Changes(), "L1 192.0.2.1/0 r1 -10-192.0.2.2 -20-192.0.2.2 2001:db8::/32+0; ");
  const Advertisement& a = ls.now.begin()->second;
  ASSERT_EQ(a.topologies.size(), 1u);
  EXPECT_EQ(a.topologies[0].topology, 2);
  EXPECT_EQ(a.links[0].topology, 0);
  EXPECT_EQ(a.links[1].topology, 2);
  EXPECT_EQ(a.prefixes[0].topology, 2);
}

TEST(BgpLsTopology, WhatIsLeftIsCounted) {
  BgpLsOptions options;
  options.max_objects = 2;
  BgpLs ls(options);
  ls.Announce(Make("a", LinkStateType::kNode, LinkStateProtocol::kIsisLevel2, Isis(1)));
  ls.Announce(Make("b", LinkStateType::kNode, LinkStateProtocol::kIsisLevel2, Isis(2)));
  ls.Announce(Make("c", LinkStateType::kNode, LinkStateProtocol::kIsisLevel2, Isis(3)));
  ls.Announce(Make("a", LinkStateType::kNode, LinkStateProtocol::kIsisLevel2, Isis(1)));  // there already
  EXPECT_EQ(ls.topology.objects(), 2u);
  ls.Announce(Make("d", LinkStateType::kNode, LinkStateProtocol::kBgp, Isis(3)));
  ls.Announce(Make("e", LinkStateType::kNode, LinkStateProtocol::kOspfV2, Ospf(1, 0)));
  ls.Announce(Make("f", LinkStateType::kNode, LinkStateProtocol::kIsisLevel2, Ospf(1, 0)));
  Object link = Make("g", LinkStateType::kLink, LinkStateProtocol::kIsisLevel2, Isis(1));
  link.nlri.remote = Ospf(2, 0);
  ls.Announce(link);
  const BgpLsCounters& c = ls.topology.counters();
  EXPECT_EQ(c.announced, 8u);
  EXPECT_EQ(c.beyond_bound, 1u);
  EXPECT_EQ(c.other_protocol, 1u);
  EXPECT_EQ(c.other_style, 1u);
  EXPECT_EQ(c.no_router, 2u);
  EXPECT_EQ(ls.Changes(), "L2 0000.0000.0001/0; L2 0000.0000.0002/0; ");
}

// What four sources say of few objects, next to a list of words for each, the rule written down once more.
TEST(BgpLsTopology, WhatCountsOfSeveralSources) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    BgpLsTopology topology;
    std::map<std::string, std::vector<std::pair<BgpLsSource, uint32_t>>> twin;
    std::map<AdvertisementKey, std::map<std::string, uint32_t>> told;  // by link
    for (int step = 0; step < 100; ++step) {
      const BgpLsSource source = static_cast<BgpLsSource>(random() % 4);
      const uint8_t from = static_cast<uint8_t>(random() % 3), to = static_cast<uint8_t>(10 + random() % 2);
      Object object =
          Make(absl::StrCat(from, "-", to), LinkStateType::kLink, LinkStateProtocol::kIsisLevel2, Isis(from));
      object.nlri.remote = Isis(to);
      object.nlri.octets = base::Octets(reinterpret_cast<const uint8_t*>(object.name.data()), object.name.size());
      const uint32_t metric = random() % 3;
      object.attribute.igp_metric = metric;
      auto& words = twin[object.name];
      const auto word = std::find_if(words.begin(), words.end(), [&](const auto& w) { return w.first == source; });
      switch (random() % 8) {
        case 0:
          topology.WithdrawAll(source);
          for (auto& [name, all] : twin) {
            all.erase(std::remove_if(all.begin(), all.end(), [&](const auto& w) { return w.first == source; }),
                      all.end());
          }
          break;
        case 1:
        case 2:
          topology.Withdraw(object.nlri, source);
          if (word != words.end()) words.erase(word);
          break;
        default:
          topology.Announce(object.nlri, object.attribute, source);
          if (word != words.end() && word->second == metric) break;
          if (word != words.end()) words.erase(word);
          words.emplace_back(source, metric);
          break;
      }
      if (random() % 3 == 0) continue;
      bool more = true;
      while (more) {
        more = topology.TakeChanges(
            [&](const Advertisement& a) {
              auto& links = told[a.key];
              links.clear();
              for (const auto& link : a.links) {
                links[absl::StrCat(a.key.origin.value >> 16, "-", link.to.value >> 16)] = link.metric;
              }
            },
            [&](const AdvertisementKey& gone) { told.erase(gone); }, 1);
      }
      std::map<std::string, uint32_t> is, should;
      for (const auto& [key, links] : told) is.insert(links.begin(), links.end());
      size_t tellings = 0, of_source = 0;
      for (const auto& [name, all] : twin) {
        if (!all.empty()) should[name] = all.back().second;
        tellings += all.size();
        for (const auto& [who, value] : all) of_source += who == source;
      }
      ASSERT_EQ(is, should);
      ASSERT_EQ(topology.objects(), should.size());
      ASSERT_EQ(topology.tellings(), tellings);
      ASSERT_EQ(topology.objects_of(source), of_source);
    }
  }
}

}  // namespace
}  // namespace flowacct::collector
