#include "flowacct/isis/instance_update.h"

#include <cstdint>
#include <string>
#include <vector>

#include "flowacct/isis/instance.h"
#include "flowacct/isis/pdu_view.h"
#include "flowacct/isis/testing/instance_pair.h"
#include "gtest/gtest.h"

namespace flowacct::isis {
namespace {

using testing::InstancePair;
using testing::LspOctets;
using testing::LspOf;
using testing::PairCircuit;
using testing::PairHello;
using testing::PairLsp;
using testing::PairOptions;
using testing::System;

// A neighbour of level 1 that is up, on a circuit of level 1 alone.
CircuitOptions LevelOne(CircuitKind kind) {
  CircuitOptions circuit = PairCircuit(kind);
  circuit.level_2 = false;
  circuit.pad = false;
  return circuit;
}

// Up, without an LSP of its own, the first CSNPs sent.
struct Pair : InstancePair {
  explicit Pair(CircuitKind kind, InstanceOptions options = Passive()) : InstancePair(LevelOne(kind), options) {
    BringUp(keep);
    Wait(0.1);
    Sent();
  }
  static InstanceOptions Passive() {
    InstanceOptions options = PairOptions();
    options.passive = true;
    return options;
  }
  PairHello keep;
};

PairLsp Purge(uint32_t sequence, LspId id = LspOf(2)) {
  PairLsp lsp;
  lsp.id = id;
  lsp.sequence = sequence;
  lsp.remaining_seconds = 0;
  lsp.hostname = "";
  return lsp;
}

TEST(PointToPointFlooding, AcknowledgesWhatIsNewAndWhatIsKnown) {
  Pair pair(CircuitKind::kPointToPoint);
  pair.Lsp({});
  pair.Lsp({Level::k1, LspOf(3), 7});
  pair.Lsp({Level::k1, LspOf(3), 7});
  EXPECT_EQ(pair.Database(), "0000.0000.0002.00-00 #1\n0000.0000.0003.00-00 #7\n");
  EXPECT_EQ(pair.Changes(), "+ 0000.0000.0002.00-00\n+ 0000.0000.0003.00-00\n");
  EXPECT_EQ(pair.Sent(), "");
  pair.Wait(2.1);
  EXPECT_EQ(pair.Sent(), "L1-PSNP 0000.0000.0002.00-00 #1 0000.0000.0003.00-00 #7\n");
  EXPECT_EQ(pair.Count("lsp_new"), 2u);
  EXPECT_EQ(pair.Count("lsp_same"), 1u);
  pair.Lsp({Level::k1, LspOf(3), 8});
  PairLsp changed;
  changed.sequence = 2;
  changed.hostname = "zwei";
  pair.Lsp(changed);
  EXPECT_EQ(pair.Changes(), "= 0000.0000.0003.00-00\n* 0000.0000.0002.00-00\n");
  EXPECT_EQ(pair.Count("lsp_newer"), 2u);
}

TEST(PointToPointFlooding, ManyAcknowledgementsDoNotWait) {
  Pair pair(CircuitKind::kPointToPoint);
  for (int i = 0; i < 200; ++i) pair.Lsp({Level::k1, LspOf(2, static_cast<uint8_t>(i)), 1});
  EXPECT_EQ(pair.Count("psnps_sent"), 2u);  // full ones
  pair.Wait(2.1);
  EXPECT_EQ(pair.Count("psnps_sent"), 3u);
}

TEST(PointToPointFlooding, OlderOnesAreAnsweredWithWhatIsKnown) {
  Pair pair(CircuitKind::kPointToPoint);
  pair.Lsp({Level::k1, LspOf(2), 5});
  pair.Wait(10);
  pair.Sent();
  pair.Lsp({Level::k1, LspOf(2), 4});
  EXPECT_EQ(pair.Sent(), "L1-LSP 0000.0000.0002.00-00 #5 1190s\n");
  // Until it acknowledges, every five seconds.
  pair.Wait(4.9);
  EXPECT_EQ(pair.Sent(), "");
  pair.Wait(0.2);
  EXPECT_EQ(pair.Sent(), "L1-LSP 0000.0000.0002.00-00 #5 1185s\n");
  EXPECT_EQ(pair.Count("lsps_sent_again"), 1u);
  const uint16_t checksum = pair.instance->Database(Level::k1, pair.now)[0].checksum;
  pair.Snp(false, {{1000, LspOf(2), 5, checksum}});
  pair.Wait(10, &pair.keep);
  EXPECT_EQ(pair.Sent(), "");
  EXPECT_EQ(pair.Count("lsp_older"), 1u);
}

// ISO 10589, 7.3.15.2: each line, and what is missing.
TEST(PointToPointFlooding, CompleteSequenceNumbers) {
  Pair pair(CircuitKind::kPointToPoint);
  for (uint8_t i = 2; i < 8; ++i) pair.Lsp({Level::k1, LspOf(i), 5});
  pair.Wait(2.1);
  pair.Sent();
  std::vector<LspEntry> entries;
  for (const LspSummary& lsp : pair.instance->Database(Level::k1, pair.now)) {
    entries.push_back({1000, lsp.id, lsp.sequence, lsp.checksum});
  }
  entries[0].sequence = 4;           // 2: we have a newer one
  entries[1].sequence = 6;           // 3: it has a newer one
  entries[2].checksum ^= 1;          // 4: not the same
  entries[3].remaining_seconds = 0;  // 5: purged there
  entries.pop_back();                // 7: it has none; 6 is the same
  entries.push_back({1000, LspOf(9), 1, 7});
  entries.push_back({0, LspOf(10), 1, 7});     // dead
  entries.push_back({1000, LspOf(11), 0, 7});  // its own request
  pair.Snp(true, entries);
  EXPECT_EQ(pair.Sent(), "L1-LSP 0000.0000.0002.00-00 #5 1197s\nL1-LSP 0000.0000.0007.00-00 #5 1197s\n");
  pair.Wait(2.1);
  EXPECT_EQ(
      pair.Sent(),
      "L1-PSNP 0000.0000.0003.00-00 #5 0000.0000.0004.00-00 #0 0000.0000.0005.00-00 #5 0000.0000.0009.00-00 #0\n");
  EXPECT_EQ(pair.Count("csnp"), 1u);
}

TEST(PointToPointFlooding, RangesOfSequenceNumbersAreKept) {
  Pair pair(CircuitKind::kPointToPoint);
  for (uint8_t i = 2; i < 8; ++i) pair.Lsp({Level::k1, LspOf(i), 5});
  pair.Wait(2.1);
  pair.Sent();
  PduWriter writer(PduWriter::Csnp{Level::k1, {System(2), 0}, LspOf(3), LspOf(5)}, 1492);
  pair.Receive(writer.Finish());
  EXPECT_EQ(pair.Sent(),
            "L1-LSP 0000.0000.0003.00-00 #5 1197s\nL1-LSP 0000.0000.0004.00-00 #5 1197s\n"
            "L1-LSP 0000.0000.0005.00-00 #5 1197s\n");
}

TEST(PointToPointFlooding, TellsAllWhenTheAdjacencyComesUp) {
  Pair pair(CircuitKind::kPointToPoint);
  for (uint8_t i = 2; i < 4; ++i) pair.Lsp({Level::k1, LspOf(i), 5});
  pair.Wait(31);
  EXPECT_EQ(pair.State(), "");
  pair.Sent();
  pair.Hello(pair.keep);
  EXPECT_EQ(pair.Sent(), "L1-CSNP 0000.0000.0002.00-00 #5 0000.0000.0003.00-00 #5\n");
  // What it says that it has is not sent; what it is silent of is, in the end.
  const uint16_t checksum = pair.instance->Database(Level::k1, pair.now)[0].checksum;
  pair.Snp(false, {{1000, LspOf(2), 5, checksum}});
  pair.Wait(5.1);
  EXPECT_EQ(pair.Sent(), "L1-LSP 0000.0000.0003.00-00 #5 1164s\n");
  EXPECT_EQ(pair.Count("lsps_sent_again"), 0u);
}

TEST(PointToPointFlooding, ManyLspsGoOutInBursts) {
  Pair pair(CircuitKind::kPointToPoint);
  for (int i = 0; i < 200; ++i) pair.Lsp({Level::k1, LspOf(2, static_cast<uint8_t>(i)), 1});
  pair.Wait(31);
  pair.Hello(pair.keep);
  EXPECT_EQ(pair.Count("csnps_sent"), 1u + 3u);
  pair.Snp(true, {});
  EXPECT_EQ(pair.Count("lsps_sent"), 0u);  // the CSNPs were of this burst
  pair.Wait(0.04);
  EXPECT_EQ(pair.Count("lsps_sent"), UpdateProcess::kBurst);
  pair.Wait(1);
  EXPECT_EQ(pair.Count("lsps_sent"), 200u);
}

TEST(LanFlooding, AsksForWhatIsMissingAndAcknowledgesNothing) {
  Pair pair(CircuitKind::kLan);
  pair.Lsp({});
  pair.Lsp({});
  pair.Lsp({Level::k1, LspOf(4), 2});
  pair.Wait(5);
  EXPECT_EQ(pair.Sent(), "");
  const uint16_t checksum = pair.instance->Database(Level::k1, pair.now)[0].checksum;
  pair.Snp(true, {{1000, LspOf(2), 1, checksum}, {1000, LspOf(3), 9, 5}});
  EXPECT_EQ(pair.Sent(), "L1-LSP 0000.0000.0004.00-00 #2 1195s\n");
  pair.Wait(2.1);
  EXPECT_EQ(pair.Sent(), "L1-PSNP 0000.0000.0003.00-00 #0\n");
  pair.Lsp({Level::k1, LspOf(2), 0xffffffff});
  EXPECT_EQ(pair.Sent(), "");
  // PSNPs are the designated system's.
  pair.Snp(false, {{1000, LspOf(2), 0, 0}});
  EXPECT_EQ(pair.Sent(), "");
  EXPECT_EQ(pair.Count("psnp_of_lan"), 1u);
  // A request that is answered is not made.
  pair.Snp(true, {{1000, LspOf(3), 9, 5}});
  pair.Lsp({Level::k1, LspOf(3), 9});
  pair.Sent();
  pair.Wait(3);
  EXPECT_EQ(pair.Sent(), "");
}

TEST(Purging, WhatIsKnownIsKeptDeadForAMinute) {
  Pair pair(CircuitKind::kPointToPoint);
  pair.Lsp({Level::k1, LspOf(2), 5});
  pair.Lsp(Purge(5));
  EXPECT_EQ(pair.Database(), "0000.0000.0002.00-00 #5 purged\n");
  EXPECT_EQ(pair.Changes(), "+ 0000.0000.0002.00-00\n- 0000.0000.0002.00-00\n");
  EXPECT_EQ(pair.Count("lsp_purge"), 1u);
  pair.Wait(2.1, &pair.keep);
  EXPECT_EQ(pair.Sent(), "L1-PSNP 0000.0000.0002.00-00 #5 purged\n");
  // Who still has it alive hears of the purge.
  pair.Lsp({Level::k1, LspOf(2), 5});
  EXPECT_EQ(pair.Sent(), "L1-LSP 0000.0000.0002.00-00 #5 0s\n");
  pair.Lsp(Purge(5));
  EXPECT_EQ(pair.Count("lsp_same"), 1u);
  pair.Wait(57, &pair.keep);
  EXPECT_EQ(pair.Database(), "0000.0000.0002.00-00 #5 purged\n");
  pair.Wait(2, &pair.keep);
  EXPECT_EQ(pair.Database(), "");
  EXPECT_EQ(pair.Count("lsps_forgotten"), 1u);
  pair.Sent();
  // Of what is not known an acknowledgement is enough (7.3.16.4).
  pair.Lsp(Purge(5));
  EXPECT_EQ(pair.Database(), "");
  EXPECT_EQ(pair.Count("lsp_purge_unknown"), 1u);
  pair.Wait(2.1, &pair.keep);
  EXPECT_EQ(pair.Sent(), "L1-PSNP 0000.0000.0002.00-00 #5 purged\n");
  EXPECT_EQ(pair.Changes(), "");
}

TEST(Purging, OneThatIsRefreshedLives) {
  Pair pair(CircuitKind::kPointToPoint);
  pair.Lsp({Level::k1, LspOf(2), 5});
  pair.Lsp(Purge(6));
  pair.Lsp(Purge(7));
  pair.Lsp({Level::k1, LspOf(2), 8});
  EXPECT_EQ(pair.Database(), "0000.0000.0002.00-00 #8\n");
  EXPECT_EQ(pair.Changes(), "+ 0000.0000.0002.00-00\n- 0000.0000.0002.00-00\n+ 0000.0000.0002.00-00\n");
}

TEST(Purging, AgeEndsWhatNobodyRefreshes) {
  Pair pair(CircuitKind::kPointToPoint);
  PairLsp lsp;
  lsp.remaining_seconds = 20;
  pair.Lsp(lsp);
  pair.Wait(19.9, &pair.keep);
  EXPECT_EQ(pair.Database(), "0000.0000.0002.00-00 #1\n");
  pair.Sent();
  pair.Changes();
  pair.Wait(0.2, &pair.keep);
  EXPECT_EQ(pair.Database(), "0000.0000.0002.00-00 #1 purged\n");
  EXPECT_EQ(pair.Sent(), "L1-LSP 0000.0000.0002.00-00 #1 0s\n");
  EXPECT_EQ(pair.Changes(), "- 0000.0000.0002.00-00\n");
  // Who began it says so (RFC 6232).
  LspContent content;
  const base::Octets octets = pair.instance->FindLsp(Level::k1, LspOf(2));
  ASSERT_EQ(octets.size(), 27u + 2 + 7);
  EXPECT_EQ(octets[27], 13);
  EXPECT_EQ(octets[29], 1);
  EXPECT_EQ(octets.back(), 1);
  pair.Wait(60.1, &pair.keep);
  EXPECT_EQ(pair.Database(), "");
}

TEST(Purging, ConfusionEndsBoth) {
  Pair pair(CircuitKind::kPointToPoint);
  pair.Lsp({});
  PairLsp other;
  other.hostname = "dos";
  pair.Sent();
  pair.Lsp(other);
  EXPECT_EQ(pair.Database(), "0000.0000.0002.00-00 #1 purged\n");
  EXPECT_EQ(pair.Sent(), "L1-LSP 0000.0000.0002.00-00 #1 0s\n");
  EXPECT_EQ(pair.Count("lsp_confused"), 1u);
}

TEST(Purging, AuthenticatedOnesAreBare) {
  InstanceOptions options = Pair::Passive();
  options.lsp_keys[0] = {AuthenticationKind::kHmacSha256, 7, "secret"};
  Pair pair(CircuitKind::kPointToPoint, options);
  PairLsp lsp;
  lsp.key = options.lsp_keys[0];
  lsp.remaining_seconds = 30;
  pair.Lsp(lsp);
  EXPECT_EQ(pair.Count("lsp_new"), 1u);
  lsp.sequence = 2;
  lsp.key.kind = AuthenticationKind::kNone;
  pair.Lsp(lsp);
  EXPECT_EQ(pair.Count("authentication_missing"), 1u);
  lsp.key = {AuthenticationKind::kHmacSha256, 7, "wrong"};
  pair.Lsp(lsp);
  EXPECT_EQ(pair.Count("authentication_failed"), 1u);
  lsp.key = {AuthenticationKind::kHmacSha256, 8, "secret"};
  pair.Lsp(lsp);
  EXPECT_EQ(pair.Count("authentication_key_id"), 1u);
  pair.Snp(true, {});
  EXPECT_EQ(pair.Count("authentication_missing"), 2u);
  // Lifetime and checksum are not under the signature: nobody makes a purge of another's words (RFC 6233).
  std::vector<uint8_t> turned = LspOctets({Level::k1, LspOf(2), 2, 100, "two", options.lsp_keys[0]});
  turned[kLspRemainingAt] = turned[kLspRemainingAt + 1] = 0;
  PduView view;
  ASSERT_TRUE(PduView::Parse(turned, &view).ok());
  EXPECT_EQ(VerifyAuthentication(view, options.lsp_keys[0]), AuthenticationResult::kOk);
  // A host name may stand in a purge (RFC 6233, 4): protocols may not.
  PduWriter content(PduWriter::Lsp{Level::k1, 100, LspOf(2), 2, kLspLevel2}, 1492);
  content.AddAuthentication(options.lsp_keys[0]);
  content.AddProtocols(std::vector<uint8_t>{0xcc});
  turned = content.Finish();
  turned[kLspRemainingAt] = turned[kLspRemainingAt + 1] = 0;
  pair.Receive(turned);
  EXPECT_EQ(pair.Count("purge_with_content"), 1u);
  EXPECT_EQ(pair.Database(), "0000.0000.0002.00-00 #1\n");
  // Our own are signed.
  pair.Wait(31, &pair.keep);
  ASSERT_TRUE(PduView::Parse(pair.instance->FindLsp(Level::k1, LspOf(2)), &view).ok());
  EXPECT_EQ(view.remaining_seconds(), 0);
  EXPECT_EQ(VerifyAuthentication(view, options.lsp_keys[0]), AuthenticationResult::kOk);
  pair.Sent();
}

TEST(OwnLsp, SaysOverloadAndNoWay) {
  InstanceOptions options = PairOptions();
  options.topologies = {kIpv6Topology};
  InstancePair pair(LevelOne(CircuitKind::kPointToPoint), options);
  EXPECT_EQ(pair.Database(), "");
  pair.BringUp();
  EXPECT_EQ(pair.Database(), "0000.0000.0001.00-00 #1 own\n");
  EXPECT_EQ(pair.Database(Level::k2), "");
  PduView view;
  LspContent content;
  ASSERT_TRUE(PduView::Parse(pair.instance->FindLsp(Level::k1, LspOf(1)), &view).ok());
  ASSERT_TRUE(ReadLspContent(view.tlvs(), &content).ok());
  EXPECT_EQ(view.lsp_flags(), kLspOverload | kLspLevel2);
  EXPECT_EQ(view.remaining_seconds(), 1200);
  EXPECT_EQ(content.areas, std::vector<AreaAddress>{testing::Area()});
  EXPECT_EQ(content.hostname, "collector");
  ASSERT_EQ(content.topologies.size(), 2u);
  EXPECT_TRUE(content.topologies[1].overload);
  EXPECT_EQ(content.topologies[1].topology, kIpv6Topology);
  EXPECT_TRUE(content.neighbors.empty());
  EXPECT_TRUE(content.prefixes.empty());
  // It is refreshed long before it would die.
  PairHello keep;
  pair.Wait(901, &keep);
  EXPECT_EQ(pair.Database(), "0000.0000.0001.00-00 #2 own\n");
  EXPECT_EQ(pair.Changes(), "+ 0000.0000.0001.00-00\n= 0000.0000.0001.00-00\n");
}

TEST(OwnLsp, ReachesALan) {
  InstancePair pair(LevelOne(CircuitKind::kLan));
  PairHello hello;
  hello.heard = {testing::MacOf(1)};
  pair.Hello(hello);
  EXPECT_EQ(pair.Sent(), "L1-LSP 0000.0000.0001.00-00 #1 1200s\n");
}

TEST(OwnLsp, AnEarlierLifeIsOutbid) {
  InstancePair pair(LevelOne(CircuitKind::kPointToPoint));
  PairHello keep;
  pair.BringUp(keep);
  pair.Lsp({Level::k1, LspOf(1), 500});
  EXPECT_EQ(pair.Count("lsp_own"), 1u);
  pair.Wait(5.1, &keep);
  EXPECT_EQ(pair.Database(), "0000.0000.0001.00-00 #501 own\n");
  pair.Sent();
  // The same number with other words: another system, or a life before.
  pair.Lsp({Level::k1, LspOf(1), 501});
  pair.Wait(5.1, &keep);
  EXPECT_EQ(pair.Database(), "0000.0000.0001.00-00 #502 own\n");
  // A purge of it, and a line that tells of a newer one.
  pair.Lsp(Purge(600, LspOf(1)));
  pair.Wait(5.1, &keep);
  EXPECT_EQ(pair.Database(), "0000.0000.0001.00-00 #601 own\n");
  pair.Snp(true, {{1000, LspOf(1), 700, 9}});
  pair.Wait(5.1, &keep);
  EXPECT_EQ(pair.Database(), "0000.0000.0001.00-00 #701 own\n");
  // Who shares our name does not make us shout: one in five seconds.
  const uint64_t made = pair.Count("own_lsps_made");
  for (uint32_t i = 0; i < 1000; ++i) {
    pair.Lsp({Level::k1, LspOf(1), 1000 + 2 * i});
    pair.Wait(0.01, &keep);
  }
  EXPECT_LE(pair.Count("own_lsps_made"), made + 3);
}

TEST(OwnLsp, FragmentsThatItDidNotMakeArePurged) {
  InstancePair pair(LevelOne(CircuitKind::kPointToPoint));
  PairHello keep;
  pair.BringUp(keep);
  pair.Lsp({Level::k1, LspOf(1, 3), 9});
  pair.Lsp({Level::k1, LspOf(1, 0, 7), 9});
  EXPECT_EQ(pair.Count("own_lsps_purged"), 2u);
  EXPECT_EQ(pair.Database(),
            "0000.0000.0001.00-00 #1 own\n0000.0000.0001.00-03 #9 purged own\n0000.0000.0001.07-00 #9 purged own\n");
  pair.Lsp(Purge(9, LspOf(1, 4)));
  EXPECT_EQ(pair.Count("lsp_purge_unknown"), 1u);
  pair.Lsp(Purge(10, LspOf(1, 3)));
  pair.Lsp({Level::k1, LspOf(1, 3), 11});
  EXPECT_EQ(pair.Count("own_lsps_purged"), 3u);
  pair.Wait(61, &keep);
  EXPECT_EQ(pair.Database(), "0000.0000.0001.00-00 #1 own\n");
}

// 7.3.16.1: at the end of the numbers, silence until everyone has forgotten.
TEST(OwnLsp, SequenceNumbersWrap) {
  InstancePair pair(LevelOne(CircuitKind::kPointToPoint));
  PairHello keep;
  pair.BringUp(keep);
  pair.Lsp({Level::k1, LspOf(1), 0xfffffffe});
  pair.Wait(5.1, &keep);
  EXPECT_EQ(pair.Database(), "0000.0000.0001.00-00 #4294967295 own\n");
  pair.Lsp({Level::k1, LspOf(1), 0xffffffff});
  pair.Wait(5.1, &keep);
  EXPECT_EQ(pair.Database(), "0000.0000.0001.00-00 #4294967295 purged own\n");
  EXPECT_EQ(pair.Count("sequence_exhausted"), 1u);
  pair.Lsp({Level::k1, LspOf(1), 0xffffffff});  // alive again somewhere
  pair.Wait(1255, &keep);
  EXPECT_EQ(pair.Database(), "");
  pair.Wait(6, &keep);
  EXPECT_EQ(pair.Database(), "0000.0000.0001.00-00 #1 own\n");
}

TEST(OwnLsp, PassiveHasNoneAndTreatsItsNameAsAnyOther) {
  Pair pair(CircuitKind::kPointToPoint);
  pair.Wait(10, &pair.keep);
  EXPECT_EQ(pair.Database(), "");
  pair.Lsp({Level::k1, LspOf(1), 9});
  EXPECT_EQ(pair.Database(), "0000.0000.0001.00-00 #9\n");
  EXPECT_EQ(pair.Count("own_lsps_made"), 0u);
}

TEST(Bounds, OfTheDatabase) {
  InstanceOptions options = Pair::Passive();
  options.max_lsps = 3;
  Pair pair(CircuitKind::kPointToPoint, options);
  for (uint8_t i = 2; i < 9; ++i) pair.Lsp({Level::k1, LspOf(i), 1});
  EXPECT_EQ(pair.instance->Database(Level::k1, pair.now).size(), 3u);
  EXPECT_EQ(pair.Count("database_full"), 4u);
  pair.Lsp({Level::k1, LspOf(3), 2});  // what is known can change
  EXPECT_EQ(pair.Count("lsp_newer"), 1u);
  pair.Snp(true, {{1000, LspOf(20), 1, 1}});
  EXPECT_EQ(pair.Count("requests_refused"), 1u);
  // Purges make room after their minute.
  pair.Lsp(Purge(1));
  pair.Wait(61, &pair.keep);
  pair.Lsp({Level::k1, LspOf(8), 1});
  EXPECT_EQ(pair.instance->Database(Level::k1, pair.now).size(), 3u);
}

TEST(Bounds, OfOctets) {
  InstanceOptions options = Pair::Passive();
  options.max_octets = 100;
  Pair pair(CircuitKind::kPointToPoint, options);
  pair.Lsp({});
  pair.Lsp({Level::k1, LspOf(3), 1});
  pair.Lsp({Level::k1, LspOf(4), 1});
  EXPECT_EQ(pair.Database(), "0000.0000.0002.00-00 #1\n0000.0000.0003.00-00 #1\n0000.0000.0004.00-00 #1\n");
  PairLsp large;
  large.sequence = 2;
  large.hostname = std::string(60, 'x');
  pair.Changes();
  pair.Lsp(large);
  EXPECT_EQ(pair.Database(), "0000.0000.0003.00-00 #1\n0000.0000.0004.00-00 #1\n");
  EXPECT_EQ(pair.Changes(), "- 0000.0000.0002.00-00\n");
  EXPECT_EQ(pair.Count("database_full"), 1u);
}

TEST(Bounds, RequestsAreNoMoreThanTheDatabaseMayHold) {
  InstanceOptions options = Pair::Passive();
  options.max_lsps = 10;
  Pair pair(CircuitKind::kLan, options);
  std::vector<LspEntry> entries;
  for (int i = 0; i < 50; ++i) entries.push_back({1000, LspOf(3, static_cast<uint8_t>(i)), 1, 1});
  pair.Snp(true, entries);
  EXPECT_EQ(pair.Count("requests_refused"), 40u);
}

TEST(Bounds, WhatIsTooLargeForACircuitIsNotSent) {
  CircuitOptions circuit = LevelOne(CircuitKind::kPointToPoint);
  circuit.mtu = 512;
  InstancePair pair(circuit, Pair::Passive());
  PairHello keep;
  pair.BringUp(keep);
  PduWriter writer(PduWriter::Lsp{Level::k1, 1200, LspOf(2), 1, 3}, 1492);
  for (int i = 0; i < 5; ++i) writer.Add(250, std::vector<uint8_t>(200));
  pair.Receive(writer.Finish());
  pair.Sent();
  pair.Snp(false, {{1, LspOf(2), 0, 0}});
  pair.Wait(1);
  EXPECT_EQ(pair.Sent(), "");
  EXPECT_EQ(pair.Count("too_large_to_send"), 1u);
}

TEST(Flooding, FromOneCircuitToTheOthers) {
  InstancePair pair(LevelOne(CircuitKind::kPointToPoint), Pair::Passive());
  const auto second = pair.instance->AddCircuit(LevelOne(CircuitKind::kPointToPoint), pair.now);
  ASSERT_TRUE(second.ok());
  PairHello keep;
  pair.BringUp(keep);
  pair.instance->Receive(*second, {}, pair.HelloOctets({3}), pair.now);
  pair.Wait(0.1);
  pair.Sent();
  pair.Lsp({});
  pair.instance->Advance(pair.now);
  EXPECT_EQ(pair.Sent(), "L1-LSP 0000.0000.0002.00-00 #1 1200s\n");
  // It comes back as an acknowledgement does: by the LSP itself.
  pair.instance->Receive(*second, {}, LspOctets({}), pair.now);
  pair.Wait(9, &keep);
  EXPECT_EQ(pair.Sent(), "L1-PSNP 0000.0000.0002.00-00 #1\nL1-PSNP 0000.0000.0002.00-00 #1\n");
  pair.instance->RemoveCircuit(*second, pair.now);
  pair.Lsp({Level::k1, LspOf(5), 1});
  pair.Wait(9, &keep);
  EXPECT_EQ(pair.Sent(), "L1-PSNP 0000.0000.0005.00-00 #1\n");
  EXPECT_EQ(pair.Count("adjacencies_down"), 1u);
}

}  // namespace
}  // namespace flowacct::isis
