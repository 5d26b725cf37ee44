#include "flowacct/isis/instance.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "flowacct/isis/checksum.h"
#include "flowacct/isis/instance_database.h"
#include "flowacct/isis/pdu_writer.h"
#include "flowacct/isis/testing/instance_pair.h"
#include "gtest/gtest.h"

namespace flowacct::isis {
namespace {

using testing::InstancePair;
using testing::LspOctets;
using testing::LspOf;
using testing::PairCircuit;
using testing::PairHello;
using testing::PairOptions;
using testing::System;

TEST(Create, RefusesWhatCannotBe) {
  const std::pair<std::function<void(InstanceOptions*)>, const char*> cases[] = {
      {[](InstanceOptions* o) { o->system = {}; }, "system"},
      {[](InstanceOptions* o) { o->level_1 = o->level_2 = false; }, "level_1"},
      {[](InstanceOptions* o) { o->areas.clear(); }, "areas"},
      {[](InstanceOptions* o) { o->areas.resize(4, o->areas[0]); }, "areas"},
      {[](InstanceOptions* o) { o->areas[0].size = 14; }, "area"},
      {[](InstanceOptions* o) { o->areas[0].size = 0; }, "area"},
      {[](InstanceOptions* o) { o->hostname = std::string(256, 'x'); }, "hostname"},
      {[](InstanceOptions* o) { o->lsp_keys[1].kind = AuthenticationKind::kHmacMd5; }, "lsp_keys"},
      {[](InstanceOptions* o) { o->max_lsps = 0; }, "max_lsps"},
  };
  for (const auto& [spoil, word] : cases) {
    InstanceOptions options = PairOptions();
    ASSERT_TRUE(Instance::Create(options).ok());
    spoil(&options);
    const auto refused = Instance::Create(options);
    ASSERT_FALSE(refused.ok()) << word;
    EXPECT_NE(refused.status().message().find(word), std::string::npos) << refused.status();
  }
}

TEST(AddCircuit, RefusesWhatCannotBe) {
  InstanceOptions options = PairOptions();
  options.level_2 = false;
  auto instance = Instance::Create(options);
  ASSERT_TRUE(instance.ok());
  const std::pair<std::function<void(CircuitOptions*)>, const char*> cases[] = {
      {[](CircuitOptions* o) { o->level_1 = false; }, "level"},
      {[](CircuitOptions* o) { o->mtu = 500; }, "mtu"},
      {[](CircuitOptions* o) { o->hello_seconds = 0; }, "hello_seconds"},
      {[](CircuitOptions* o) { o->hold_multiplier = 1; }, "hold_multiplier"},
      {[](CircuitOptions* o) { o->hello_seconds = 65535; }, "hello_seconds"},
      {[](CircuitOptions* o) { o->mac = {}; }, "mac"},
      {[](CircuitOptions* o) { o->mac.octets[0] = 1; }, "mac"},
      {[](CircuitOptions* o) { o->hello_key.kind = AuthenticationKind::kClear; }, "hello_key"},
  };
  for (const auto& [spoil, word] : cases) {
    CircuitOptions circuit = PairCircuit(CircuitKind::kLan);
    ASSERT_TRUE((*instance)->AddCircuit(circuit, 0).ok());
    spoil(&circuit);
    const auto refused = (*instance)->AddCircuit(circuit, 0);
    ASSERT_FALSE(refused.ok()) << word;
    EXPECT_NE(refused.status().message().find(word), std::string::npos) << refused.status();
  }
}

// One of each type that a neighbour sends.
std::vector<std::vector<uint8_t>> OneOfEach(const InstancePair& pair) {
  std::vector<std::vector<uint8_t>> pdus;
  PairHello hello;
  hello.heard = {testing::MacOf(1)};
  hello.three_way = ThreeWayState();
  for (const Level level : {Level::k1, Level::k2}) {
    hello.level = level;
    pdus.push_back(pair.HelloOctets(hello));
    pdus.push_back(LspOctets({level, LspOf(3), 1}));
    PduWriter csnp(PduWriter::Csnp{level, {System(2), 0}, {}, LspOf(255, 255, 255)}, 1492);
    csnp.AddLspEntries(std::vector<LspEntry>{{1000, LspOf(4), 1, 1}});
    pdus.push_back(csnp.Finish());
    PduWriter psnp(PduWriter::Psnp{level, {System(2), 0}}, 1492);
    psnp.AddLspEntries(std::vector<LspEntry>{{1000, LspOf(5), 1, 1}});
    pdus.push_back(psnp.Finish());
  }
  return pdus;
}

TEST(Receive, EveryPduIsInExactlyOneCounter) {
  for (const CircuitKind kind : {CircuitKind::kLan, CircuitKind::kPointToPoint}) {
    InstancePair pair(PairCircuit(kind));
    pair.BringUp();
    uint64_t received = pair.Verdicts();
    EXPECT_EQ(received, 1u);
    for (const std::vector<uint8_t>& pdu : OneOfEach(pair)) {
      // Cut at each octet, as it came; and with a length that says that this is all.
      for (size_t size = 0; size <= pdu.size(); ++size) {
        std::vector<uint8_t> cut(pdu.begin(), pdu.begin() + static_cast<ptrdiff_t>(size));
        pair.Receive(cut);
        ++received;
        const size_t length_at = pdu[4] <= 17 ? 17 : 8;
        if (size < length_at + 2) continue;
        base::StoreBe16(&cut[length_at], static_cast<uint16_t>(size));
        pair.Receive(cut);
        ++received;
      }
      // Each octet another one.
      for (size_t i = 0; i < pdu.size(); ++i) {
        for (const uint8_t flip : {0x01, 0x80, 0xff}) {
          std::vector<uint8_t> other = pdu;
          other[i] ^= flip;
          pair.Receive(other);
          ++received;
        }
      }
      ASSERT_EQ(pair.Verdicts(), received);
    }
    EXPECT_GT(pair.Count("truncated"), 0u);
    EXPECT_GT(pair.Count("bad_checksum"), 0u);
    EXPECT_GT(pair.Count("malformed_snp"), 0u);
    EXPECT_GT(pair.Count("malformed_hello"), 0u);
  }
}

TEST(Receive, OfWhoIsNoNeighbour) {
  InstancePair pair(PairCircuit(CircuitKind::kLan));
  pair.Lsp({});
  pair.Snp(true, {});
  EXPECT_EQ(pair.Count("no_adjacency"), 2u);
  pair.BringUp();
  pair.Receive(LspOctets({}), 9);  // another's address
  EXPECT_EQ(pair.Count("no_adjacency"), 3u);
  pair.Receive(LspOctets({}), 1);
  EXPECT_EQ(pair.Count("own_frame"), 1u);
  pair.Lsp({Level::k2});
  EXPECT_EQ(pair.Count("no_adjacency"), 4u);  // the adjacency is of level 1
  EXPECT_EQ(pair.Database(), "0000.0000.0001.00-00 #1 own\n");
  pair.instance->Receive(17, {}, LspOctets({}), pair.now);
  EXPECT_EQ(pair.Count("unknown_circuit"), 1u);
  pair.instance->RemoveCircuit(17, pair.now);
}

TEST(Receive, LspsThatAreWrong) {
  InstancePair pair(PairCircuit(CircuitKind::kPointToPoint));
  pair.BringUp();
  std::vector<uint8_t> lsp = LspOctets({});
  lsp[24] ^= 1;
  pair.Receive(lsp);
  lsp[24] = lsp[25] = 0;
  pair.Receive(lsp);
  EXPECT_EQ(pair.Count("bad_checksum"), 2u);
  pair.Lsp({Level::k1, LspOf(2), 0});
  EXPECT_EQ(pair.Count("bad_sequence"), 1u);
  // The octets are what its system said, though they make no sense: they are kept for the others.
  PduWriter writer(PduWriter::Lsp{Level::k1, 1200, LspOf(2), 1, 3}, 1492);
  writer.Add(250, std::vector<uint8_t>{1, 2, 3});
  std::vector<uint8_t> lies = writer.Finish();
  lies[28] = 200;
  PduView view;
  ASSERT_TRUE(PduView::Parse(lies, &view).ok());
  base::StoreBe16(&lies[24], LspChecksumOf(lies));
  pair.Receive(lies);
  EXPECT_EQ(pair.Count("lsp_new"), 1u);
  EXPECT_EQ(pair.Count("malformed_lsps"), 1u);
  EXPECT_NE(pair.instance->FindLsp(Level::k1, LspOf(2)), base::Octets());
  EXPECT_EQ(pair.instance->FindLsp(Level::k2, LspOf(2)), base::Octets());
}

TEST(Receive, FloodOfAgeZero) {
  InstancePair pair(PairCircuit(CircuitKind::kPointToPoint));
  pair.BringUp();
  for (int i = 0; i < 10'000; ++i) {
    testing::PairLsp lsp;
    lsp.id = LspOf(static_cast<uint8_t>(2 + i % 250), static_cast<uint8_t>(i / 250));
    lsp.remaining_seconds = 0;
    pair.Lsp(lsp);
  }
  EXPECT_EQ(pair.Count("lsp_purge_unknown"), 10'000u);
  EXPECT_EQ(pair.Database(), "0000.0000.0001.00-00 #1 own\n");
}

TEST(Take, WhatNobodyTakesIsBounded) {
  InstancePair pair(PairCircuit(CircuitKind::kPointToPoint));
  for (int i = 0; i < 12'000; ++i) pair.instance->Advance(pair.now + i * 10 * kNanosPerSecond);
  EXPECT_LE(pair.instance->TakeOutgoing().size(), 10'000u);
  EXPECT_GT(pair.Count("outgoing_refused"), 1000u);
}

TEST(Time, GoingBackIsStandingStill) {
  InstancePair pair(PairCircuit(CircuitKind::kPointToPoint));
  pair.BringUp();
  pair.instance->Advance(pair.now);
  pair.instance->Receive(pair.index, {}, LspOctets({}), pair.now - 100 * kNanosPerSecond);
  pair.instance->Advance(0);
  EXPECT_EQ(pair.instance->Database(Level::k1, pair.now)[1].remaining_seconds, 1200);
  EXPECT_GE(pair.instance->NextTime(), pair.now);
}

TEST(Counters, OfACircuit) {
  InstancePair pair(PairCircuit(CircuitKind::kPointToPoint));
  pair.BringUp();
  ASSERT_EQ(pair.instance->Counters(pair.index).size(), 1u);
  EXPECT_EQ(pair.instance->Counters(pair.index)[0], (std::pair<std::string, uint64_t>("hello", 1)));
  EXPECT_TRUE(pair.instance->Counters(5).empty());
  pair.instance->RemoveCircuit(pair.index, pair.now);
  EXPECT_EQ(pair.Count("hello"), 1u);  // the sum keeps it
}

}  // namespace
}  // namespace flowacct::isis
