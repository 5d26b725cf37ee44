// An instance among routers, on links and LANs that fail: in the end everyone's databases are the same.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/isis/instance.h"
#include "flowacct/isis/testing/instance_pair.h"
#include "flowacct/isis/testing/sim_network.h"
#include "flowacct/isis/testing/sim_router.h"
#include "gtest/gtest.h"

namespace flowacct::isis {
namespace {

using testing::Area;
using testing::InstanceNode;
using testing::MacOf;
using testing::SimDatabase;
using testing::SimNetwork;
using testing::SimNode;
using testing::SimRouter;
using testing::SimRouterOptions;
using testing::System;

constexpr uint8_t kCollector = 1;

// What a node is made of, so that it can be made again: a restart.
struct Plan {
  bool collector = false;
  uint8_t number = 0;
  SimRouterOptions router;
  InstanceOptions instance;
  std::vector<std::pair<bool, base::MacAddress>> ports;  // LAN or not
};

class World {
 public:
  explicit World(uint64_t seed) : network(seed) {}

  int AddRouter(uint8_t number, const std::function<void(SimRouterOptions*)>& change = {}) {
    Plan plan;
    plan.number = number;
    plan.router.system = System(number);
    plan.router.areas = {Area()};
    plan.router.hostname = absl::StrCat("router", number);
    plan.router.hello_key = hello_key;
    plan.router.lsp_keys = lsp_keys;
    if (change) change(&plan.router);
    return Add(plan);
  }
  int AddCollector(const std::function<void(InstanceOptions*)>& change = {}) {
    Plan plan;
    plan.collector = true;
    plan.number = kCollector;
    plan.instance = testing::PairOptions();
    plan.instance.lsp_keys = lsp_keys;
    if (change) change(&plan.instance);
    return Add(plan);
  }
  int Link(int a, int b) { return Segment(false, {a, b}); }
  int Lan(const std::vector<int>& nodes) { return Segment(true, nodes); }

  void Start() {
    for (size_t i = 0; i < plans.size(); ++i) Restart(static_cast<int>(i));
  }
  void Restart(int node) { network.Replace(node, Make(plans[static_cast<size_t>(node)])); }
  Instance* instance(int node) const { return static_cast<InstanceNode*>(network.node(node))->instance(); }
  SimRouter* router(int node) const { return static_cast<SimRouter*>(network.node(node)); }

  // Whether all of them have the same LSPs, and more than one.
  void ExpectSame(Level level, const std::string& what) const {
    const SimDatabase first = network.node(0)->Lsps(level);
    EXPECT_GT(first.size(), 1u) << what;
    for (size_t i = 1; i < plans.size(); ++i) {
      const SimDatabase other = network.node(static_cast<int>(i))->Lsps(level);
      EXPECT_EQ(Names(other), Names(first)) << what << ", node " << i;
      EXPECT_TRUE(other == first) << what << ", node " << i;
    }
  }

  SimNetwork network;
  std::vector<Plan> plans;
  std::vector<int> segments;
  AuthenticationKey hello_key;
  std::array<AuthenticationKey, 2> lsp_keys;

 private:
  static std::string Names(const SimDatabase& lsps) {
    std::string names;
    for (const auto& [id, octets] : lsps) absl::StrAppend(&names, id.ToString(), "#", base::LoadBe32(&octets[20]), " ");
    return names;
  }
  int Add(const Plan& plan) {
    plans.push_back(plan);
    return network.AddNode(nullptr);
  }
  int Segment(bool lan, const std::vector<int>& nodes) {
    const int segment = network.AddSegment();
    segments.push_back(segment);
    for (const int node : nodes) {
      Plan& plan = plans[static_cast<size_t>(node)];
      base::MacAddress mac = MacOf(plan.number);
      mac.octets[4] = static_cast<uint8_t>(plan.ports.size());
      mac.octets[3] = static_cast<uint8_t>(node);
      network.Attach(segment, node, static_cast<int>(plan.ports.size()));
      plan.ports.emplace_back(lan, mac);
    }
    return segment;
  }
  std::unique_ptr<SimNode> Make(const Plan& plan) {
    if (!plan.collector) {
      auto router = std::make_unique<SimRouter>(plan.router);
      for (const auto& [lan, mac] : plan.ports) router->AddPort(lan, mac);
      return router;
    }
    auto node = std::make_unique<InstanceNode>(plan.instance);
    for (const auto& [lan, mac] : plan.ports) {
      CircuitOptions circuit = testing::PairCircuit(lan ? CircuitKind::kLan : CircuitKind::kPointToPoint);
      circuit.mac = mac;
      circuit.hello_seconds = 3;
      circuit.pad = false;
      circuit.hello_key = hello_key;
      circuit.topologies = plan.instance.topologies;
      node->AddPort(circuit, network.now());
    }
    return node;
  }
};

void ExpectNoErrors(const Instance& instance) {
  for (const auto& [name, value] : instance.Counters()) {
    for (const char* bad : {"truncated", "bad_checksum", "malformed", "authentication", "confused", "wrong", "full"}) {
      EXPECT_EQ(name.find(bad), std::string::npos) << name << " " << value;
    }
  }
}

TEST(Network, AtTheEndOfALine) {
  World world(1);
  const int a = world.AddRouter(2), b = world.AddRouter(3), c = world.AddRouter(4), collector = world.AddCollector();
  world.Link(a, b);
  world.Link(b, c);
  world.Link(c, collector);
  world.Start();
  world.network.Run(40);
  for (const Level level : {Level::k1, Level::k2}) world.ExpectSame(level, "line");
  // Three routers of two fragments each, and us.
  EXPECT_EQ(world.network.node(collector)->Lsps(Level::k1).size(), 7u);
  EXPECT_TRUE(world.router(c)->HasNeighbor(1, Level::k1, System(kCollector)));
  EXPECT_TRUE(world.router(c)->HasNeighbor(1, Level::k2, System(kCollector)));
  EXPECT_EQ(world.instance(collector)->Adjacencies()[0].hostname, "router4");
  ExpectNoErrors(*world.instance(collector));
}

TEST(Network, OnALanWhereItIsNeverDesignated) {
  World world(2);
  const int a = world.AddRouter(2), b = world.AddRouter(3), c = world.AddRouter(4), collector = world.AddCollector();
  const int lan = world.Lan({a, b, c, collector});
  world.Start();
  world.network.Run(60);
  for (const Level level : {Level::k1, Level::k2}) {
    world.ExpectSame(level, "lan");
    for (const int router : {a, b, c}) {
      EXPECT_EQ(world.router(router)->Designated(0, level).system, System(4));
      EXPECT_TRUE(world.router(router)->HasNeighbor(0, level, System(kCollector)));
    }
  }
  EXPECT_EQ(world.instance(collector)->Adjacencies().size(), 6u);
  ExpectNoErrors(*world.instance(collector));
  // The designated system dies: its pseudonode goes when another speaks for the LAN.
  world.network.SetUp(lan, false);
  world.network.Run(20);
  EXPECT_TRUE(world.instance(collector)->Adjacencies().empty());
  world.network.SetUp(lan, true);
  world.network.Run(60);
  for (const Level level : {Level::k1, Level::k2}) world.ExpectSame(level, "lan again");
}

TEST(Network, TwoHalvesMeetThroughIt) {
  World world(3);
  const int a = world.AddRouter(2), b = world.AddRouter(3), collector = world.AddCollector();
  world.Link(a, collector);
  world.Link(b, collector);
  world.Start();
  world.network.Run(40);
  world.ExpectSame(Level::k2, "halves");
  // What one half no longer says is gone in the other.
  world.router(a)->set_prefixes(1);
  world.network.Run(20);
  world.ExpectSame(Level::k2, "halves, less");
  EXPECT_EQ(world.network.node(b)->Lsps(Level::k2).size(), 1u + 1 + 2);
}

TEST(Network, WithAuthentication) {
  for (const AuthenticationKind kind :
       {AuthenticationKind::kClear, AuthenticationKind::kHmacMd5, AuthenticationKind::kHmacSha1,
        AuthenticationKind::kHmacSha224, AuthenticationKind::kHmacSha256, AuthenticationKind::kHmacSha384,
        AuthenticationKind::kHmacSha512}) {
    World world(4);
    world.hello_key = {kind, 1, "hello"};
    world.lsp_keys = {AuthenticationKey{kind, 2, "area"}, AuthenticationKey{kind, 3, "domain"}};
    const int a = world.AddRouter(2), b = world.AddRouter(3), collector = world.AddCollector();
    world.Link(a, b);
    world.Lan({b, collector});
    world.Start();
    world.network.Run(40);
    for (const Level level : {Level::k1, Level::k2}) world.ExpectSame(level, "authenticated");
    ExpectNoErrors(*world.instance(collector));
  }
}

TEST(Network, OfTwoAreas) {
  World world(5);
  const int a = world.AddRouter(2);
  const int b = world.AddRouter(3, [](SimRouterOptions* o) { o->areas = {Area(2)}; });
  const int collector = world.AddCollector();
  world.Lan({a, b, collector});
  world.Start();
  world.network.Run(40);
  world.ExpectSame(Level::k2, "areas");
  EXPECT_TRUE(world.network.node(a)->Lsps(Level::k1) == world.network.node(collector)->Lsps(Level::k1));
  EXPECT_FALSE(world.router(b)->HasNeighbor(0, Level::k1, System(kCollector)));
}

TEST(Network, OldRoutersWithoutHandshake) {
  World world(6);
  const int a = world.AddRouter(2, [](SimRouterOptions* o) { o->three_way = false; });
  const int collector = world.AddCollector();
  world.Link(a, collector);
  world.Start();
  world.network.Run(30);
  world.ExpectSame(Level::k1, "two-way");
  EXPECT_TRUE(world.router(a)->HasNeighbor(0, Level::k1, System(kCollector)));
}

TEST(Network, TellsItsTopologies) {
  World world(7);
  const int a = world.AddRouter(2), b = world.AddRouter(3);
  const int collector = world.AddCollector([](InstanceOptions* o) { o->topologies = {kIpv6Topology}; });
  world.Link(a, collector);
  world.Lan({b, collector});
  world.Start();
  world.network.Run(30);
  for (const int router : {a, b}) {
    const auto topologies = world.router(router)->TopologiesOf(0, Level::k2, System(kCollector));
    ASSERT_EQ(topologies.size(), 2u);
    EXPECT_EQ(topologies[1].topology, kIpv6Topology);
  }
}

TEST(Network, RestartsAreOutbid) {
  World world(8);
  const int a = world.AddRouter(2), b = world.AddRouter(3), collector = world.AddCollector();
  world.Lan({a, b});
  world.Link(b, collector);
  world.Start();
  world.network.Run(30);
  const auto own_sequence = [&] {
    return base::LoadBe32(&world.network.node(a)->Lsps(Level::k1).at(testing::LspOf(kCollector))[20]);
  };
  EXPECT_EQ(own_sequence(), 1u);
  for (int i = 0; i < 3; ++i) {
    // In other words than before: it would be the same LSP otherwise, and nothing to outbid.
    world.plans[static_cast<size_t>(collector)].instance.hostname = absl::StrCat("life", i);
    world.Restart(collector);
    world.network.Run(40);
    world.ExpectSame(Level::k1, "restarted");
  }
  EXPECT_GE(own_sequence(), 4u);
  // A router that comes back without its LAN: its pseudonode must not live on.
  world.Restart(b);
  world.network.Run(60);
  world.ExpectSame(Level::k1, "router restarted");
}

TEST(Network, LivesThroughItsLifetimes) {
  World world(9);
  const auto brief = [](SimRouterOptions* o) {
    o->lifetime_seconds = 100;
    o->refresh_nanos = 70 * testing::kSimSecond;
  };
  const int a = world.AddRouter(2, brief), b = world.AddRouter(3, brief), collector = world.AddCollector();
  world.Link(a, b);
  const int link = world.Link(b, collector);
  world.Start();
  world.network.Run(3000);
  world.ExpectSame(Level::k1, "long");
  EXPECT_EQ(world.network.node(a)->Lsps(Level::k1).size(), 5u);
  // Cut off, it lets what nobody refreshes die, but its own.
  world.network.SetUp(link, false);
  world.network.Run(200);
  EXPECT_EQ(world.network.node(collector)->Lsps(Level::k1).size(), 1u);
  world.network.SetUp(link, true);
  world.network.Run(60);
  world.ExpectSame(Level::k1, "long, again");
}

TEST(Network, TwoOfOneNameDoNotDrownIt) {
  World world(10);
  const int a = world.AddRouter(2), b = world.AddRouter(3), collector = world.AddCollector();
  const int twin = world.AddRouter(kCollector);
  world.Link(a, collector);
  world.Link(a, b);
  world.Link(b, twin);
  world.Start();
  world.network.Run(300);
  // One LSP in five seconds and level at the most: the other one is louder.
  uint64_t made = 0;
  for (const auto& [name, value] : world.instance(collector)->Counters()) {
    if (name == "own_lsps_made") made = value;
  }
  EXPECT_LE(made, 2 * (300 / 5 + 2));
}

// Loss, delays that reorder, restarts, links that flap, content that changes, octets that flip: then calm.
class Chaos : public ::testing::TestWithParam<uint64_t> {};

TEST_P(Chaos, EndsWithTheSameDatabases) {
  const uint64_t seed = GetParam();
  World world(seed * 1000 + 17);
  SimNetwork& network = world.network;
  if (seed % 3 == 0) {
    world.hello_key = {AuthenticationKind::kHmacMd5, 0, "hello"};
    world.lsp_keys = {AuthenticationKey{AuthenticationKind::kHmacMd5, 0, "area"},
                      AuthenticationKey{AuthenticationKind::kHmacSha256, 1, "domain"}};
  }
  std::vector<int> nodes;
  const int routers = 3 + static_cast<int>(network.Random(4));
  for (int i = 0; i < routers; ++i) nodes.push_back(world.AddRouter(static_cast<uint8_t>(i + 2)));
  const int collector = world.AddCollector([&](InstanceOptions* o) { o->passive = seed % 5 == 0; });
  for (int i = 1; i < routers; ++i) world.Link(i, static_cast<int>(network.Random(static_cast<uint64_t>(i))));
  world.Lan({0, 1, routers - 1, collector});
  world.Link(static_cast<int>(network.Random(static_cast<uint64_t>(routers))), collector);
  world.Link(static_cast<int>(network.Random(static_cast<uint64_t>(routers))), collector);
  world.Start();
  network.set_loss(static_cast<uint32_t>(network.Random(300)));
  network.set_max_delay(static_cast<int64_t>(1 + network.Random(1500)) * 1'000'000);
  // Without authentication a changed lifetime or line of sequence numbers is believed.
  if (seed % 3 == 0) {
    network.set_tamper([&](std::vector<uint8_t>* pdu) {
      if (network.Random(20) == 0) (*pdu)[network.Random(pdu->size())] ^= static_cast<uint8_t>(1 + network.Random(255));
    });
  }
  for (int event = 0; event < 15; ++event) {
    network.Run(static_cast<int64_t>(1 + network.Random(20)));
    const int segment = world.segments[network.Random(world.segments.size())];
    const int router = nodes[network.Random(nodes.size())];
    switch (network.Random(6)) {
      case 0:
        network.SetUp(segment, false);
        break;
      case 1:
        network.SetUp(segment, true);
        break;
      case 2:
        world.Restart(router);
        break;
      case 3:
        world.Restart(collector);
        break;
      default:
        world.router(router)->set_prefixes(static_cast<int>(network.Random(9)));
        break;
    }
  }
  for (const int segment : world.segments) network.SetUp(segment, true);
  network.set_loss(0);
  network.set_max_delay(2'000'000);
  network.set_tamper({});
  network.Run(150);
  for (const Level level : {Level::k1, Level::k2}) world.ExpectSame(level, absl::StrCat("seed ", seed));
}

INSTANTIATE_TEST_SUITE_P(Seeds, Chaos, ::testing::Range<uint64_t>(1, 41));

}  // namespace
}  // namespace flowacct::isis
