#include "flowacct/isis/testing/pdus.h"

#include <cstdlib>
#include <optional>
#include <utility>

#include "flowacct/base/octet_writer.h"
#include "flowacct/isis/lsp_content_writer.h"
#include "flowacct/isis/pdu_writer.h"
#include "flowacct/isis/tlv_types.h"

namespace flowacct::isis::testing {
namespace {

template <typename T>
T Require(const std::optional<T>& value) {
  if (!value) std::abort();
  return *value;
}

void Require(bool holds) {
  if (!holds) std::abort();
}

Neighbor Narrow(const char* node, uint32_t metric) {
  Neighbor neighbor;
  neighbor.node = Node(node);
  neighbor.metric = metric;
  return neighbor;
}

Neighbor Wide(const char* node, uint32_t metric, TopologyNumber topology) {
  Neighbor neighbor = Narrow(node, metric);
  neighbor.wide = true;
  neighbor.topology = topology;
  return neighbor;
}

Reachability Reach(const char* prefix, uint32_t metric, bool wide, TopologyNumber topology = kStandardTopology) {
  Reachability reachability;
  reachability.prefix = Prefix(prefix);
  reachability.metric = metric;
  reachability.wide = wide;
  reachability.topology = topology;
  return reachability;
}

}  // namespace

SystemId System(const char* text) { return Require(SystemId::Parse(text)); }
NodeId Node(const char* text) { return Require(NodeId::Parse(text)); }
LspId Lsp(const char* text) { return Require(LspId::Parse(text)); }
AreaAddress Area(const char* text) { return Require(AreaAddress::Parse(text)); }
base::IpAddress Address(const char* text) { return Require(base::IpAddress::Parse(text)); }
base::IpPrefix Prefix(const char* text) { return Require(base::IpPrefix::Parse(text)); }

TrillSwitch FullTrillSwitch() {
  TrillSwitch trill;
  trill.nicknames = {{192, 0x8001, 0x1234}, {64, 1, 0xffbf}};
  trill.trees = TreeCounts{3, 5, 2};
  trill.tree_roots = {{1, {0x1234, 0xffbf, 0x0202}}};
  trill.trees_used = {{1, {0x1234}}, {3, {0x0202, 0x0303}}};
  InterestedVlans interested;
  interested.nickname = 0x1234;
  interested.flags = InterestedVlans::kV4Router;
  interested.vlans = {1, 1};
  interested.appointed_lost = 77'777;
  trill.interested_vlans = {interested};
  interested.flags = InterestedVlans::kV6Router;
  interested.vlans = {100, 4094};
  interested.appointed_lost = 1;
  interested.roots = {{{2, 0, 0, 0, 0, 9}}, {{2, 0, 0, 0, 0, 10}}};
  trill.interested_vlans.push_back(interested);
  trill.vlan_groups = {{10, {11, 12}}, {20, {}}};
  trill.version = TrillVersion{1, 0xc0001234};
  return trill;
}

std::vector<GroupMembership> FullGroups() {
  const base::MacAddress group = {{0x01, 0, 0x5e, 1, 2, 3}}, source = {{2, 0, 0, 0, 0, 5}};
  return {{5, false, 100, group, {}},
          {0, false, 0, group, {source, group}},
          {0, false, 101, Address("232.1.2.3"), {Address("192.0.2.1"), Address("192.0.2.2")}},
          {0, false, 4094, Address("ff3e::1"), {Address("2001:db8::1")}},
          {0, true, 0xabcdef, group, {source}},
          {6, true, 70'000, Address("239.0.0.1"), {}},
          {0, true, 1, Address("ff05::2"), {}}};
}

TrillPort FullTrillPort() {
  TrillPort port;
  port.topology = 5;
  port.special =
      SpecialVlans{7, 0x1234, SpecialVlans::kAppointed | SpecialVlans::kBypass | SpecialVlans::kTrunk, 1, 100};
  port.enabled = {{1, {0xff, 0x01}}, {4090, {0xff}}};
  port.appointed = {{100, {0x80}}};
  port.forwarders = {{0x1234, {1, 99}}, {0xffbf, {100, 4094}}};
  port.version = TrillVersion{1, 0x00340000};
  port.others = {{4, {1, 2, 3}}};
  return port;
}

TrillNeighbors FullTrillNeighbors() {
  TrillNeighbors neighbors;
  neighbors.holds_smallest = true;
  neighbors.neighbors = {{false, true, 1470, {{2, 0, 0, 0, 0, 2}}}, {true, false, 9000, {{2, 0, 0, 0, 0, 3}}}};
  return neighbors;
}

LspContent FullContent() {
  LspContent content;
  content.areas = {Area("49.0001"), Area("39.0102.0304.0506.0708.0910.11")};
  content.protocols = {0xcc, 0x8e};
  content.hostname = "border-1.example";
  content.topologies = {{kStandardTopology, false, false}, {kIpv6Topology, true, false}, {4095, false, true}};
  content.interface_addresses = {Address("192.0.2.1"), Address("198.51.100.1"), Address("2001:db8::1")};
  content.router_id = Address("192.0.2.1");
  content.router_id_v6 = Address("2001:db8::1");

  content.neighbors = {Narrow("0000.0000.0002.00", 63), Narrow("0000.0000.0003.07", 0)};
  Neighbor full = Wide("0000.0000.0002.00", 16'777'215, kStandardTopology);
  full.administrative_group = 0x80000001;
  full.local_link_id = 17;
  full.remote_link_id = 4'000'000'000;
  full.local_address = Address("10.0.0.1");
  full.remote_address = Address("10.0.0.2");
  full.local_address_v6 = Address("2001:db8:1::1");
  full.remote_address_v6 = Address("2001:db8:1::2");
  full.max_bandwidth = 1.25e9f;
  full.max_reservable_bandwidth = 1.0e9f;
  full.te_metric = 77;
  full.mtu = LinkMtu{1470, true};
  full.adjacency_sids = {{kAdjacencySidIsValue | 0x10, 1, 24001}, {0x80, 2, 100'000}};
  content.neighbors.push_back(full);
  content.neighbors.push_back(Wide("0000.0000.0003.07", 10, kStandardTopology));
  content.neighbors.push_back(Wide("0000.0000.0002.00", 20, kIpv6Topology));
  content.neighbors.push_back(Wide("0000.0000.0004.00", 21, kIpv6Topology));
  content.neighbors.push_back(Wide("0000.0000.0004.00", 22, 3));

  content.prefixes = {Reach("10.0.0.0/8", 63, false), Reach("0.0.0.0/0", 1, false), Reach("192.0.2.1/32", 2, false)};
  content.prefixes[1].down = true;
  Reachability external = Reach("198.51.100.0/24", 5, false);
  external.external = true;
  content.prefixes.push_back(external);
  external.external_metric = true;
  content.prefixes.push_back(external);
  Reachability prefix = Reach("203.0.113.0/25", kMaxPathMetric, true);
  prefix.down = true;
  prefix.tag = 0xfeedbeef;
  prefix.attribute_flags = kPrefixReadvertised | kPrefixNode;
  prefix.source_router_id = Address("192.0.2.9");
  prefix.prefix_sids = {{0x40, 0, 16}, {kPrefixSidIsValue | 0x04, 128, 17000}};
  content.prefixes.push_back(prefix);
  content.prefixes.push_back(Reach("0.0.0.0/0", 0, true));
  prefix = Reach("198.18.0.0/15", 7, true);
  prefix.external = true;
  prefix.attribute_flags = kPrefixExternal;
  content.prefixes.push_back(prefix);
  content.prefixes.push_back(Reach("10.1.0.0/16", 11, true, 3));
  content.prefixes.push_back(Reach("2001:db8::/32", 12, true));
  prefix = Reach("2001:db8:ff::1/128", 13, true);
  prefix.down = true;
  prefix.external = true;
  prefix.source_router_id = Address("2001:db8::9");
  content.prefixes.push_back(prefix);
  content.prefixes.push_back(Reach("::/0", 14, true, kIpv6Topology));
  content.prefixes.push_back(Reach("2001:db8:30::/61", 15, true, kIpv6Topology));

  RouterCapability capability;
  capability.router_id = Address("192.0.2.1");
  capability.flags = kCapabilityDown | kCapabilityFloodDomain;
  capability.segment_routing_blocks = {{16'000, 8'000}, {1'048'576, 16'777'215}};
  capability.segment_routing_local_blocks = {{15'000, 1'000}};
  capability.algorithms = {0, 1, 128};
  capability.segment_routing_v4 = true;
  content.capabilities.push_back(capability);
  capability = RouterCapability();
  capability.router_id = Address("192.0.2.1");
  capability.trill = FullTrillSwitch();
  content.capabilities.push_back(capability);

  content.groups = FullGroups();

  content.purge_originator = System("0000.0000.0001");
  content.purge_source = System("0000.0000.0002");
  content.others = {{kTlvGmplsSrlg, {1, 2, 3}}, {250, {}}};
  return content;
}

std::vector<NamedPdu> Pdus(const AuthenticationKey& key) {
  std::vector<NamedPdu> pdus;
  const std::vector<AreaAddress> areas = {Area("49.0001"), Area("49")};
  const std::vector<uint8_t> protocols = {0xcc, 0x8e};
  const std::vector<base::IpAddress> addresses = {Address("fe80::1"), Address("10.0.0.1"), Address("10.0.1.1")};
  const std::vector<TopologyMembership> topologies = {{kStandardTopology, false, false}, {kIpv6Topology, false, false}};
  for (const Level level : {Level::k1, Level::k2}) {
    const std::string suffix = level == Level::k1 ? "1" : "2";
    PduWriter hello(PduWriter::LanHello{level, 3, System("0000.0000.0001"), 30, 64, Node("0000.0000.0002.01")}, 300);
    Require(hello.AddAuthentication(key));
    Require(hello.AddAreas(areas) && hello.AddProtocols(protocols) && hello.AddInterfaceAddresses(addresses) &&
            hello.AddTopologies(topologies) && hello.AddLanNeighbors({{{2, 0, 0, 0, 0, 2}}, {{2, 0, 0, 0, 0, 3}}}));
    hello.Pad();
    pdus.push_back({"lan_hello_" + suffix, hello.Finish()});

    PduWriter csnp(PduWriter::Csnp{level, Node("0000.0000.0001.00"), LspId(), Lsp("ffff.ffff.ffff.ff-ff")}, 600);
    Require(csnp.AddAuthentication(key));
    std::vector<LspEntry> entries;
    for (uint8_t i = 0; i < 20; ++i) entries.push_back({uint16_t(1000 + i), {Node("0000.0000.0001.00"), i}, i + 1u, i});
    Require(csnp.AddLspEntries(entries) == entries.size());
    pdus.push_back({"csnp_" + suffix, csnp.Finish()});

    PduWriter psnp(PduWriter::Psnp{level, Node("0000.0000.0001.00")}, 200);
    Require(psnp.AddAuthentication(key));
    Require(psnp.AddLspEntries({{0, Lsp("0000.0000.0003.00-00"), 9, 0}}) == 1);
    pdus.push_back({"psnp_" + suffix, psnp.Finish()});

    PduWriter lsp(PduWriter::Lsp{level, 1199, Lsp("0000.0000.0001.00-00"), 0x1234, kLspOverload | kLspLevel2}, 1492);
    Require(lsp.AddAuthentication(key) && AddLspContent(FullContent(), &lsp));
    pdus.push_back({"lsp_" + suffix, lsp.Finish()});
  }
  PduWriter hello(PduWriter::PointToPointHello{3, System("0000.0000.0001"), 30, 7}, 400);
  ThreeWayState state;
  state.state = ThreeWayState::State::kInitializing;
  state.local_circuit = 7;
  state.neighbor = System("0000.0000.0002");
  state.neighbor_circuit = 9;
  Require(hello.AddAuthentication(key));
  Require(hello.AddAreas(areas) && hello.AddProtocols(protocols) && hello.AddInterfaceAddresses(addresses) &&
          hello.AddTopologies(topologies) && hello.AddThreeWay(state));
  const uint8_t restart[] = {1, 0, 30, 0, 0, 0, 0, 0, 2};
  const uint8_t bfd[] = {0, 0, 0xcc, 0, 2, 0x8e};
  const uint8_t instance[] = {0, 0, 0, 1};
  Require(hello.Add(kTlvRestart, restart) && hello.Add(kTlvBfdEnabled, bfd) &&
          hello.Add(kTlvInstanceIdentifier, instance) && hello.Add(kTlvReverseMetric, instance));
  hello.Pad();
  pdus.push_back({"p2p_hello", hello.Finish()});

  PduWriter trill(PduWriter::Lsp{Level::k1, 1, Lsp("0000.0000.0005.00-01"), 1, kLspLevel1}, 1492);
  RouterCapability capability;
  capability.topology = 5;
  capability.trill.nicknames = {{64, 1, 7}};
  Require(trill.AddAuthentication(key) && AddCapability(capability, &trill));
  pdus.push_back({"trill", trill.Finish()});

  // RFC 7177: of level 1, in area 0, padded little.
  PduWriter trill_hello(PduWriter::LanHello{Level::k1, 1, System("0000.0000.0005"), 30, 64, Node("0000.0000.0005.01")},
                        400);
  const uint8_t trill_nlpid[] = {0xc0};
  base::OctetWriter port, neighbors;
  WriteTrillPort(FullTrillPort(), &port);
  WriteTrillNeighbors(FullTrillNeighbors(), &neighbors);
  Require(trill_hello.AddAuthentication(key) && trill_hello.AddAreas({Area("00")}) &&
          trill_hello.AddProtocols(trill_nlpid) && trill_hello.Add(kTlvMtPortCapability, port.octets()) &&
          trill_hello.Add(kTlvTrillNeighbor, neighbors.octets()));
  pdus.push_back({"trill_hello", trill_hello.Finish()});
  return pdus;
}

}  // namespace flowacct::isis::testing
