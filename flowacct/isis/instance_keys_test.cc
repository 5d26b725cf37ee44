// Keys of an instance and its circuits: how they roll over, whom they refuse, and what they do not protect from.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flowacct/isis/authentication.h"
#include "flowacct/isis/instance.h"
#include "flowacct/isis/instance_adjacency.h"
#include "flowacct/isis/instance_database.h"
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

const AuthenticationKey kOld = {AuthenticationKind::kHmacMd5, 0, "of last year"};
const AuthenticationKey kNew = {AuthenticationKind::kHmacSha256, 2, "of this year"};

AuthenticationResult Verify(const std::vector<uint8_t>& pdu, const AuthenticationKey& key) {
  PduView view;
  EXPECT_TRUE(PduView::Parse(pdu, &view).ok());
  return VerifyAuthentication(view, key);
}

// What was sent until now that is of `kind`, and not a hello of another level.
std::vector<std::vector<uint8_t>> SentOf(InstancePair* pair, PduKind kind, std::optional<Level> level = std::nullopt) {
  std::vector<std::vector<uint8_t>> pdus;
  pair->instance->Advance(pair->now + 10 * kNanosPerSecond);
  for (const Outgoing& sent : pair->instance->TakeOutgoing()) {
    PduView view;
    EXPECT_TRUE(PduView::Parse(sent.pdu, &view).ok());
    if (view.kind() == kind && (!level || view.level() == *level)) pdus.push_back(sent.pdu);
  }
  return pdus;
}

TEST(HelloKeys, AnyOfThemIsHeardAndTheFirstIsSentWith) {
  for (const CircuitKind kind : {CircuitKind::kLan, CircuitKind::kPointToPoint}) {
    CircuitOptions circuit = PairCircuit(kind);
    circuit.hello_key = kNew;
    circuit.accepted_hello_keys = {kOld};
    InstancePair pair(circuit);
    PairHello hello;
    const std::pair<AuthenticationKey, const char*> refused[] = {
        {{}, "authentication_missing"},
        {{AuthenticationKind::kHmacSha256, 3, kNew.secret}, "authentication_key_id"},
        {{AuthenticationKind::kHmacSha256, 2, "of another year"}, "authentication_failed"},
        {{AuthenticationKind::kHmacMd5, 0, "of another year"}, "authentication_failed"},
        {{AuthenticationKind::kHmacSha1, 2, kNew.secret}, "authentication_length"},
        {{AuthenticationKind::kClear, 0, kOld.secret}, "authentication_type"},
    };
    for (const auto& [key, counter] : refused) {
      const uint64_t before = pair.Count(counter);
      hello.key = key;
      pair.Hello(hello);
      EXPECT_EQ(pair.Count(counter), before + 1);
    }
    EXPECT_EQ(pair.State(), "");
    for (const AuthenticationKey& key : {kOld, kNew, kOld}) {
      hello.key = key;
      pair.Hello(hello);
    }
    EXPECT_EQ(pair.Count("hello"), 3u);
    const auto sent = SentOf(&pair, kind == CircuitKind::kLan ? PduKind::kLanHello : PduKind::kPointToPointHello);
    ASSERT_FALSE(sent.empty());
    for (const auto& pdu : sent) EXPECT_EQ(Verify(pdu, kNew), AuthenticationResult::kOk);
  }
}

// From no key to one: we sign first, the neighbour does so later.
TEST(HelloKeys, NoneMayBeAccepted) {
  CircuitOptions circuit = PairCircuit(CircuitKind::kPointToPoint);
  circuit.hello_key = kNew;
  circuit.accepted_hello_keys = {AuthenticationKey()};
  InstancePair pair(circuit);
  pair.Hello({});
  EXPECT_EQ(pair.Count("hello"), 1u);
}

TEST(HelloKeys, OfEachLevelOnALan) {
  CircuitOptions circuit = PairCircuit(CircuitKind::kLan);
  circuit.hello_key = kOld;
  circuit.level_2_hello_key = kNew;
  InstancePair pair(circuit);
  PairHello hello;
  for (const Level level : {Level::k1, Level::k2}) {
    hello.level = level;
    hello.key = level == Level::k1 ? kNew : kOld;
    pair.Hello(hello);
    EXPECT_EQ(pair.Count("authentication_type"), static_cast<uint64_t>(level)) << "the other level's";
    hello.key = level == Level::k1 ? kOld : kNew;
    pair.Hello(hello);
    EXPECT_EQ(pair.Count("hello"), static_cast<uint64_t>(level));
  }
  std::vector<Outgoing> sent;
  pair.instance->Advance(pair.now + 10 * kNanosPerSecond);
  size_t hellos[2] = {};
  for (const Outgoing& out : pair.instance->TakeOutgoing()) {
    PduView view;
    ASSERT_TRUE(PduView::Parse(out.pdu, &view).ok());
    if (view.kind() != PduKind::kLanHello) continue;
    EXPECT_EQ(VerifyAuthentication(view, view.level() == Level::k1 ? kOld : kNew), AuthenticationResult::kOk);
    ++hellos[LevelIndex(view.level())];
  }
  EXPECT_GT(hellos[0], 0u);
  EXPECT_GT(hellos[1], 0u);
}

TEST(LspKeys, RollOverWithoutALossOfOneLsp) {
  InstanceOptions options = PairOptions();
  options.lsp_keys[0] = kNew;
  options.accepted_lsp_keys[0] = {kOld};
  InstancePair pair(PairCircuit(CircuitKind::kPointToPoint), options);
  pair.BringUp();
  PairLsp lsp;
  lsp.key = kOld;
  pair.Lsp(lsp);
  EXPECT_EQ(pair.Count("lsp_new"), 1u);
  const base::Octets stored = pair.instance->FindLsp(Level::k1, lsp.id);
  EXPECT_EQ(Verify({stored.begin(), stored.end()}, kOld), AuthenticationResult::kOk) << "as its system signed it";
  lsp.sequence = 2;
  lsp.key = kNew;
  pair.Lsp(lsp);
  EXPECT_EQ(pair.Count("lsp_newer"), 1u);
  lsp.sequence = 3;
  lsp.key = {AuthenticationKind::kHmacSha256, 9, kNew.secret};
  pair.Lsp(lsp);
  EXPECT_EQ(pair.Count("authentication_key_id"), 1u);
  // Level 2 has keys of its own: none.
  lsp.level = Level::k2;
  lsp.key = {};
  pair.Lsp(lsp);
  EXPECT_EQ(pair.Count("lsp_new") + pair.Count("no_adjacency"), 2u);
  // What we make and ask has the first.
  const auto psnps = SentOf(&pair, PduKind::kPsnp, Level::k1), lsps = SentOf(&pair, PduKind::kLsp, Level::k1);
  ASSERT_FALSE(psnps.empty());
  for (const auto& pdu : psnps) EXPECT_EQ(Verify(pdu, kNew), AuthenticationResult::kOk);
  const base::Octets own = pair.instance->FindLsp(Level::k1, LspOf(1));
  ASSERT_FALSE(own.empty());
  EXPECT_EQ(Verify({own.begin(), own.end()}, kNew), AuthenticationResult::kOk);
}

// Each kind of key, to each other.
TEST(LspKeys, FromEachKindToEach) {
  std::vector<AuthenticationKey> keys;
  for (const AuthenticationKindInfo& kind : AuthenticationKinds()) {
    if (kind.kind == AuthenticationKind::kNone) continue;
    keys.push_back(
        {kind.kind, static_cast<uint16_t>(7 + keys.size()), std::string("secret of ") + std::string(kind.name)});
  }
  for (const AuthenticationKey& from : keys) {
    for (const AuthenticationKey& to : keys) {
      InstanceOptions options = PairOptions();
      options.lsp_keys[0] = to;
      options.accepted_lsp_keys[0] = {from};
      InstancePair pair(PairCircuit(CircuitKind::kPointToPoint), options);
      pair.BringUp();
      PairLsp lsp;
      for (const AuthenticationKey& key : keys) {
        lsp.key = key;
        ++lsp.sequence;
        const uint64_t before = pair.Count("lsp_new") + pair.Count("lsp_newer");
        pair.Lsp(lsp);
        EXPECT_EQ(pair.Count("lsp_new") + pair.Count("lsp_newer") - before, &key == &from || &key == &to ? 1u : 0u);
      }
    }
  }
}

// RFC 5304, 1: signatures do not protect from what was recorded; sequence numbers do, of LSPs.
TEST(LspKeys, ReplaysOfLspsAreOld) {
  InstanceOptions options = PairOptions();
  options.lsp_keys[0] = kNew;
  InstancePair pair(PairCircuit(CircuitKind::kPointToPoint), options);
  pair.BringUp();
  PairLsp lsp;
  lsp.key = kNew;
  const std::vector<uint8_t> first = LspOctets(lsp);
  lsp.sequence = 2;
  lsp.remaining_seconds = 0;
  lsp.hostname.clear();
  const std::vector<uint8_t> purge = LspOctets(lsp);
  lsp.sequence = 3;
  lsp.remaining_seconds = 1200;
  const std::vector<uint8_t> third = LspOctets(lsp);
  for (const auto& pdu : {first, purge, third, first, purge}) pair.Receive(pdu);
  EXPECT_EQ(pair.Count("lsp_purge"), 1u);
  EXPECT_EQ(pair.Count("lsp_older"), 2u);
  EXPECT_NE(pair.Database().find("0000.0000.0002.00-00 #3\n"), std::string::npos) << pair.Database();
}

// A hello has no number (RFC 7602's is not spoken): who recorded one holds an adjacency up, no longer than its time.
TEST(HelloKeys, ReplaysOfHellosAreHeard) {
  CircuitOptions circuit = PairCircuit(CircuitKind::kPointToPoint);
  circuit.hello_key = kNew;
  InstancePair pair(circuit);
  PairHello hello;
  hello.key = kNew;
  const std::vector<uint8_t> recorded = pair.HelloOctets(hello);
  pair.Receive(recorded);
  pair.Wait(20);
  pair.Receive(recorded);
  EXPECT_EQ(pair.Count("hello"), 2u);
  pair.Wait(31);
  EXPECT_EQ(pair.State(), "");
  EXPECT_EQ(pair.Count("hold_expired"), 1u);
}

TEST(Keys, RefusesWhatCannotBe) {
  const AuthenticationKey no_secret = {AuthenticationKind::kHmacMd5, 0, ""};
  InstanceOptions options = PairOptions();
  options.accepted_lsp_keys[1] = {kOld, no_secret};
  EXPECT_NE(Instance::Create(options).status().message().find("accepted_lsp_keys"), std::string::npos);
  options.accepted_lsp_keys[1].assign(kMaxAcceptedKeys + 1, kOld);
  EXPECT_NE(Instance::Create(options).status().message().find("9 keys"), std::string::npos);
  options.accepted_lsp_keys[1].resize(kMaxAcceptedKeys, kOld);
  auto instance = Instance::Create(options);
  ASSERT_TRUE(instance.ok()) << instance.status();
  CircuitOptions circuit = PairCircuit(CircuitKind::kLan);
  circuit.accepted_hello_keys = {no_secret};
  EXPECT_NE((*instance)->AddCircuit(circuit, 0).status().message().find("accepted_hello_keys"), std::string::npos);
  circuit.accepted_hello_keys.assign(kMaxAcceptedKeys + 1, kOld);
  EXPECT_NE((*instance)->AddCircuit(circuit, 0).status().message().find("9 keys"), std::string::npos);
  circuit.accepted_hello_keys.clear();
  circuit.level_2_hello_key = no_secret;
  EXPECT_NE((*instance)->AddCircuit(circuit, 0).status().message().find("level_2_hello_key"), std::string::npos);
  circuit.level_2_hello_key = kNew;
  EXPECT_TRUE((*instance)->AddCircuit(circuit, 0).ok());
  circuit.kind = CircuitKind::kPointToPoint;
  EXPECT_NE((*instance)->AddCircuit(circuit, 0).status().message().find("both levels"), std::string::npos);
}

}  // namespace
}  // namespace flowacct::isis
