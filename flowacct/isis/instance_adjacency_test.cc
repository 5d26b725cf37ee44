#include "flowacct/isis/instance_adjacency.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "flowacct/isis/hello_content.h"
#include "flowacct/isis/instance.h"
#include "flowacct/isis/instance_database.h"
#include "flowacct/isis/pdu_view.h"
#include "flowacct/isis/testing/instance_pair.h"
#include "gtest/gtest.h"

namespace flowacct::isis {
namespace {

using testing::Area;
using testing::InstancePair;
using testing::MacOf;
using testing::PairCircuit;
using testing::PairHello;
using testing::PairOptions;
using testing::System;
using State = ThreeWayState::State;

PairHello ThreeWayHello(State state, uint8_t neighbor = 1, uint32_t neighbor_circuit = 1) {
  PairHello hello;
  hello.three_way = ThreeWayState();
  hello.three_way->state = state;
  hello.three_way->local_circuit = 77;
  if (state != State::kDown) {
    hello.three_way->neighbor = System(neighbor);
    hello.three_way->neighbor_circuit = neighbor_circuit;
  }
  return hello;
}

// RFC 5303, 3.2.
TEST(PointToPoint, ThreeWayHandshake) {
  InstancePair pair(PairCircuit(CircuitKind::kPointToPoint));
  EXPECT_EQ(pair.SentHellos(), "P2P-IIH down\n");
  pair.Wait(1);
  pair.Hello(ThreeWayHello(State::kDown));
  EXPECT_EQ(pair.State(), "initializing/3");
  EXPECT_EQ(pair.SentHellos(), "P2P-IIH initializing\n");
  pair.Wait(1);
  pair.Hello(ThreeWayHello(State::kInitializing));
  EXPECT_EQ(pair.State(), "up/3");
  EXPECT_EQ(pair.SentHellos(), "P2P-IIH up\n");
  pair.Hello(ThreeWayHello(State::kUp));
  EXPECT_EQ(pair.State(), "up/3");
  EXPECT_EQ(pair.Count("adjacencies_up"), 1u);
  // It has restarted.
  pair.Wait(1);
  pair.SentHellos();
  pair.Hello(ThreeWayHello(State::kDown));
  EXPECT_EQ(pair.State(), "initializing/3");
  EXPECT_EQ(pair.SentHellos(), "P2P-IIH initializing\n");
  EXPECT_EQ(pair.Count("adjacencies_down"), 1u);
  pair.Hello(ThreeWayHello(State::kUp));
  EXPECT_EQ(pair.State(), "up/3");
}

TEST(PointToPoint, WhoBelievesInAnAdjacencyThatIsNoneLearnsOfIt) {
  InstancePair pair(PairCircuit(CircuitKind::kPointToPoint));
  pair.SentHellos();
  pair.Wait(1);
  pair.Hello(ThreeWayHello(State::kUp));
  EXPECT_EQ(pair.State(), "down/3");
  EXPECT_EQ(pair.SentHellos(), "P2P-IIH down\n");
  pair.Hello(ThreeWayHello(State::kInitializing));
  EXPECT_EQ(pair.State(), "up/3");
}

TEST(PointToPoint, HellosToOthersAreNotHeard) {
  InstancePair pair(PairCircuit(CircuitKind::kPointToPoint));
  pair.Hello(ThreeWayHello(State::kInitializing, 9));
  pair.Hello(ThreeWayHello(State::kInitializing, 1, 9));
  EXPECT_EQ(pair.State(), "");
  EXPECT_EQ(pair.Count("three_way_mismatch"), 2u);
}

TEST(PointToPoint, WithoutHandshakeItIsUpWhenHeard) {
  InstancePair pair(PairCircuit(CircuitKind::kPointToPoint));
  pair.Hello(PairHello());
  EXPECT_EQ(pair.State(), "up/3");
  PairHello other;
  other.system = 3;
  pair.Hello(other);
  EXPECT_EQ(pair.State(), "up/3");
  EXPECT_EQ(pair.instance->Adjacencies()[0].system, System(3));
  EXPECT_EQ(pair.Count("adjacencies_down"), 1u);
}

// ISO 10589, 8.2.5.2, tables 5 to 8: our levels, the neighbour's, an area in common or not.
TEST(PointToPoint, Levels) {
  struct Case {
    int ours, theirs;
    bool area;
    const char *state, *verdict;
  };
  const Case cases[] = {
      {1, 1, true, "up/1", "hello"},      {1, 3, true, "up/1", "hello"},      {1, 2, true, "", "wrong_level"},
      {1, 1, false, "", "area_mismatch"}, {1, 3, false, "", "area_mismatch"}, {2, 2, true, "up/2", "hello"},
      {2, 3, true, "up/2", "hello"},      {2, 1, true, "", "wrong_level"},    {2, 2, false, "up/2", "hello"},
      {2, 3, false, "up/2", "hello"},     {2, 1, false, "", "wrong_level"},   {3, 1, true, "up/1", "hello"},
      {3, 2, true, "up/2", "hello"},      {3, 3, true, "up/3", "hello"},      {3, 1, false, "", "area_mismatch"},
      {3, 2, false, "up/2", "hello"},     {3, 3, false, "up/2", "hello"},     {3, 0, true, "", "wrong_level"},
  };
  for (const Case& c : cases) {
    CircuitOptions circuit = PairCircuit(CircuitKind::kPointToPoint);
    circuit.level_1 = (c.ours & 1) != 0;
    circuit.level_2 = (c.ours & 2) != 0;
    InstancePair pair(circuit);
    PairHello hello;
    hello.circuit_levels = static_cast<uint8_t>(c.theirs);
    if (!c.area) hello.areas = {Area(2)};
    pair.Hello(hello);
    EXPECT_EQ(pair.State(), c.state) << c.ours << c.theirs << c.area;
    EXPECT_EQ(pair.Count(c.verdict), 1u) << c.ours << c.theirs << c.area;
  }
}

TEST(PointToPoint, LosesLevelsWithTheArea) {
  InstancePair pair(PairCircuit(CircuitKind::kPointToPoint));
  PairHello hello;
  pair.Hello(hello);
  EXPECT_EQ(pair.State(), "up/3");
  hello.areas = {Area(2), Area(3)};
  pair.Hello(hello);
  EXPECT_EQ(pair.State(), "up/2");
  EXPECT_EQ(pair.Count("adjacencies_down"), 1u);
  hello.circuit_levels = 1;
  pair.Hello(hello);
  EXPECT_EQ(pair.State(), "");
  EXPECT_EQ(pair.Count("area_mismatch"), 1u);
  EXPECT_EQ(pair.Count("adjacencies_down"), 2u);
}

TEST(PointToPoint, HoldTimeEndsIt) {
  InstancePair pair(PairCircuit(CircuitKind::kPointToPoint));
  PairHello hello;
  hello.holding_seconds = 7;
  pair.Hello(hello);
  pair.Wait(6.99);
  EXPECT_EQ(pair.State(), "up/3");
  pair.Hello(hello);
  pair.Wait(6.99);
  EXPECT_EQ(pair.State(), "up/3");
  pair.Wait(0.02);
  EXPECT_EQ(pair.State(), "");
  EXPECT_EQ(pair.Count("hold_expired"), 1u);
  // Who says that it is not to be waited for is gone at once.
  pair.Hello(hello);
  hello.holding_seconds = 0;
  pair.Hello(hello);
  EXPECT_EQ(pair.State(), "");
  EXPECT_EQ(pair.Count("adjacencies_down"), 2u);
}

TEST(Lan, UpOnceTheNeighbourListsUs) {
  InstancePair pair(PairCircuit(CircuitKind::kLan));
  EXPECT_EQ(pair.SentHellos(), "L1-IIH 0 heard\nL2-IIH 0 heard\n");
  pair.Wait(1);
  PairHello hello;
  pair.Hello(hello);
  EXPECT_EQ(pair.State(), "initializing/1");
  EXPECT_EQ(pair.SentHellos(), "L1-IIH 1 heard\nL2-IIH 0 heard\n");
  hello.heard = {MacOf(9), MacOf(1)};
  pair.Hello(hello);
  EXPECT_EQ(pair.State(), "up/1");
  hello.level = Level::k2;
  hello.areas = {Area(7)};  // level 2 joins areas
  pair.Hello(hello);
  EXPECT_EQ(pair.State(), "up/1 up/2");
  hello.heard = {MacOf(9)};
  pair.Hello(hello);
  EXPECT_EQ(pair.State(), "up/1 initializing/2");
  pair.Wait(30.1);
  EXPECT_EQ(pair.State(), "");
  EXPECT_EQ(pair.Count("adjacencies_up"), 2u);
  EXPECT_EQ(pair.Count("adjacencies_down"), 2u);
  EXPECT_EQ(pair.Count("hold_expired"), 2u);
}

// ISO 10589, 8.4.5: with the priority 0 all around the highest address is elected, which must not be ours.
TEST(Lan, WhoWouldElectUsIsNotAnswered) {
  InstancePair pair(PairCircuit(CircuitKind::kLan));
  pair.SentHellos();
  PairHello hello;
  hello.mac = 0;
  hello.priority = 0;
  pair.Wait(1);
  pair.Hello(hello);
  EXPECT_EQ(pair.State(), "initializing/1");
  pair.Wait(10);
  EXPECT_FALSE(absl::StrContains(pair.SentHellos(), "L1-IIH 1 heard"));
  // A third one that is above us.
  hello.system = 3;
  hello.mac = 5;
  pair.Hello(hello);
  pair.Wait(10);
  EXPECT_TRUE(absl::StrContains(pair.SentHellos(), "L1-IIH 2 heard"));
}

TEST(Lan, WhoIsRefused) {
  CircuitOptions circuit = PairCircuit(CircuitKind::kLan);
  circuit.level_2 = false;
  circuit.max_neighbors = 3;
  InstancePair pair(circuit);
  PairHello hello;
  hello.areas = {Area(2)};
  pair.Hello(hello);
  EXPECT_EQ(pair.Count("area_mismatch"), 1u);
  hello.areas.clear();
  pair.Hello(hello);
  EXPECT_EQ(pair.Count("area_mismatch"), 2u);
  hello.areas = {Area()};
  hello.level = Level::k2;
  pair.Hello(hello);
  EXPECT_EQ(pair.Count("wrong_level"), 1u);
  hello.level = Level::k1;
  hello.circuit_levels = 2;  // it contradicts itself
  pair.Hello(hello);
  EXPECT_EQ(pair.Count("wrong_level"), 2u);
  hello.circuit_levels = 3;
  hello.system = 1;
  pair.Hello(hello);
  EXPECT_EQ(pair.Count("duplicate_system"), 1u);
  hello.mac = 1;
  pair.Hello(hello);
  EXPECT_EQ(pair.Count("own_frame"), 1u);
  EXPECT_EQ(pair.State(), "");
  for (uint8_t i = 2; i < 5; ++i) {
    hello.system = hello.mac = i;
    pair.Hello(hello);
  }
  hello.system = hello.mac = 5;
  pair.Hello(hello);
  EXPECT_EQ(pair.Count("neighbor_limit"), 1u);
  EXPECT_EQ(pair.instance->Adjacencies().size(), 3u);
  hello.system = 4;
  pair.Hello(hello);  // of address 5: two with one identifier
  EXPECT_EQ(pair.Count("duplicate_system"), 2u);
  // Another system at an address that is known takes its place.
  hello.system = 6;
  hello.mac = 4;
  pair.Hello(hello);
  EXPECT_EQ(pair.instance->Adjacencies().size(), 3u);
  EXPECT_EQ(pair.instance->Adjacencies()[2].system, System(6));
}

TEST(Lan, KindsDoNotMix) {
  InstancePair lan(PairCircuit(CircuitKind::kLan)), link(PairCircuit(CircuitKind::kPointToPoint));
  const std::vector<uint8_t> to_lan = lan.HelloOctets({}), to_link = link.HelloOctets({});
  lan.Receive(to_link);
  link.Receive(to_lan);
  EXPECT_EQ(lan.Count("wrong_kind"), 1u);
  EXPECT_EQ(link.Count("wrong_kind"), 1u);
  std::vector<uint8_t> areas = to_lan;
  areas[7] = 4;
  lan.Receive(areas);
  EXPECT_EQ(lan.Count("max_area_mismatch"), 1u);
  areas[7] = 3;  // said in another way
  lan.Receive(areas);
  EXPECT_EQ(lan.Count("hello"), 1u);
}

TEST(Hello, Authentication) {
  for (const CircuitKind kind : {CircuitKind::kLan, CircuitKind::kPointToPoint}) {
    CircuitOptions circuit = PairCircuit(kind);
    circuit.hello_key = {AuthenticationKind::kHmacMd5, 0, "secret"};
    InstancePair pair(circuit);
    PairHello hello;
    pair.Hello(hello);
    EXPECT_EQ(pair.Count("authentication_missing"), 1u);
    hello.key = {AuthenticationKind::kHmacMd5, 0, "other"};
    pair.Hello(hello);
    EXPECT_EQ(pair.Count("authentication_failed"), 1u);
    hello.key = {AuthenticationKind::kClear, 0, "secret"};
    pair.Hello(hello);
    EXPECT_EQ(pair.Count("authentication_type"), 1u);
    EXPECT_EQ(pair.State(), "");
    hello.key = circuit.hello_key;
    pair.Hello(hello);
    EXPECT_NE(pair.State(), "");
    // Ours are signed, too.
    for (const Outgoing& sent : pair.instance->TakeOutgoing()) ADD_FAILURE() << sent.pdu.size();
    InstancePair fresh(circuit);
    fresh.instance->Advance(fresh.now + 20 * kNanosPerSecond);
    const std::vector<Outgoing> sent = fresh.instance->TakeOutgoing();
    ASSERT_FALSE(sent.empty());
    PduView view;
    ASSERT_TRUE(PduView::Parse(sent[0].pdu, &view).ok());
    EXPECT_EQ(VerifyAuthentication(view, circuit.hello_key), AuthenticationResult::kOk);
  }
}

// What routers want to find in our hellos before they take us for a neighbour.
TEST(Hello, Contents) {
  for (const CircuitKind kind : {CircuitKind::kLan, CircuitKind::kPointToPoint}) {
    CircuitOptions circuit = PairCircuit(kind);
    circuit.topologies = {kIpv6Topology};
    circuit.addresses.push_back(*base::IpAddress::Parse("2001:db8::1"));  // not link-local: not told
    InstancePair pair(circuit);
    PairHello hello;
    hello.three_way = ThreeWayHello(State::kDown).three_way;
    pair.BringUp(hello);
    pair.instance->Advance(pair.now + 10 * kNanosPerSecond);
    const std::vector<Outgoing> sent = pair.instance->TakeOutgoing();
    ASSERT_FALSE(sent.empty());
    PduView view;
    HelloContent content;
    ASSERT_TRUE(PduView::Parse(sent.front().pdu, &view).ok());
    ASSERT_TRUE(ReadHelloContent(view.tlvs(), &content).ok());
    EXPECT_EQ(view.size(), circuit.mtu);
    EXPECT_EQ(view.holding_seconds(), 30);
    EXPECT_EQ(view.circuit_levels(), 3);
    EXPECT_EQ(view.hello_source(), System(1));
    EXPECT_EQ(content.areas, std::vector<AreaAddress>{Area()});
    EXPECT_EQ(content.protocols, (std::vector<uint8_t>{0xcc, 0x8e}));
    ASSERT_EQ(content.interface_addresses.size(), 2u);
    ASSERT_EQ(content.topologies.size(), 2u);
    EXPECT_EQ(content.topologies[0].topology, kStandardTopology);
    EXPECT_EQ(content.topologies[1].topology, kIpv6Topology);
    if (kind == CircuitKind::kLan) {
      EXPECT_EQ(view.priority(), 0);
      EXPECT_EQ(content.lan_neighbors, std::vector<base::MacAddress>{MacOf(2)});
      EXPECT_EQ(view.lan_id(), (NodeId{System(2), 1}));  // the neighbour is the designated system
    } else {
      ASSERT_TRUE(content.three_way);
      EXPECT_EQ(content.three_way->local_circuit, 1u);
      EXPECT_EQ(content.three_way->neighbor, System(2));
      EXPECT_EQ(content.three_way->neighbor_circuit, 77u);
    }
  }
}

TEST(Hello, TellsOfTheNeighbour) {
  InstancePair pair(PairCircuit(CircuitKind::kLan));
  pair.BringUp();
  pair.Lsp({});
  ASSERT_EQ(pair.instance->Adjacencies().size(), 1u);
  const Adjacency adjacency = pair.instance->Adjacencies()[0];
  EXPECT_EQ(adjacency.system, System(2));
  EXPECT_EQ(adjacency.mac, MacOf(2));
  EXPECT_EQ(adjacency.hostname, "two");
  EXPECT_EQ(adjacency.priority, 64);
  EXPECT_EQ(adjacency.areas, std::vector<AreaAddress>{Area()});
  EXPECT_EQ(adjacency.topologies, std::vector<TopologyNumber>{kStandardTopology});
  EXPECT_EQ(adjacency.since_nanos, testing::kStart);
  EXPECT_EQ(adjacency.expires_nanos, testing::kStart + 30 * kNanosPerSecond);
}

TEST(Hello, ComeAtTheirPaceWithJitter) {
  CircuitOptions circuit = PairCircuit(CircuitKind::kPointToPoint);
  circuit.pad = false;
  InstancePair pair(circuit);
  pair.Wait(1000);
  EXPECT_GE(pair.Count("hellos_sent"), 100u);
  EXPECT_LE(pair.Count("hellos_sent"), 135u);
}

}  // namespace
}  // namespace flowacct::isis
