// What a stranger, or a broken neighbour, may send: each kind of it is counted, bounded, and does no more than it must.
// Of frames (malformed GRE, GRE in GRE) encapsulation_test.cc tells; of keys instance_keys_test.cc.

#include <cstdint>
#include <string>
#include <vector>

#include "flowacct/base/octets.h"
#include "flowacct/isis/checksum.h"
#include "flowacct/isis/instance.h"
#include "flowacct/isis/instance_database.h"
#include "flowacct/isis/pdu_view.h"
#include "flowacct/isis/testing/instance_pair.h"
#include "flowacct/isis/testing/pdus.h"
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

// On which no LSP of its own disturbs.
struct Listener : InstancePair {
  explicit Listener(CircuitKind kind, InstanceOptions options = Passive()) : InstancePair(PairCircuit(kind), options) {
    PairHello hello;
    BringUp(hello);
    hello.level = Level::k2;
    if (kind == CircuitKind::kLan) BringUp(hello);
  }
  static InstanceOptions Passive() {
    InstanceOptions options = PairOptions();
    options.passive = true;
    return options;
  }
};

// With the checksum that its octets need, if it is an LSP: else all that is tried would be a wrong checksum.
std::vector<uint8_t> Mended(std::vector<uint8_t> pdu) {
  PduView view;
  if (PduView::Parse(pdu, &view).ok() && view.kind() == PduKind::kLsp) {
    base::StoreBe16(&pdu[kLspChecksumAt], LspChecksumOf(view.octets()));
  }
  return pdu;
}

// All nine types, with everything that they can carry.
TEST(BadInput, EveryPduCutAtEveryOctet) {
  for (const CircuitKind kind : {CircuitKind::kLan, CircuitKind::kPointToPoint}) {
    for (const testing::NamedPdu& pdu : testing::Pdus()) {
      Listener pair(kind);
      const uint64_t before = pair.Verdicts();
      for (size_t size = 0; size < pdu.octets.size(); ++size) {
        const std::vector<uint8_t> cut(pdu.octets.begin(), pdu.octets.begin() + static_cast<ptrdiff_t>(size));
        pair.Receive(cut);
        ASSERT_EQ(pair.Verdicts(), before + size + 1);
      }
      EXPECT_EQ(pair.Count("truncated") + pair.Count("bad_version"), pdu.octets.size()) << pdu.name;
      EXPECT_EQ(pair.Database(Level::k1) + pair.Database(Level::k2), "");
    }
  }
}

// Each TLV says each length that it has not. A hello or sequence numbers that do not add up are refused; an LSP is kept
// as its system said it, and counted.
TEST(BadInput, TlvLengthsThatLie) {
  for (const testing::NamedPdu& pdu : testing::Pdus()) {
    PduView view;
    ASSERT_TRUE(PduView::Parse(pdu.octets, &view).ok());
    const bool lsp = view.kind() == PduKind::kLsp;
    // On a LAN partial sequence numbers are not even read.
    const bool lan = view.kind() != PduKind::kPointToPointHello && view.kind() != PduKind::kPsnp;
    Listener pair(lan ? CircuitKind::kLan : CircuitKind::kPointToPoint);
    uint64_t received = pair.Verdicts(), beyond = 0;
    TlvReader reader(view.tlvs());
    for (Tlv tlv; reader.Next(&tlv);) {
      const size_t at = view.info().header_size + reader.value_offset() - 1;
      for (int length = 0; length < 256; length += length < 20 ? 1 : 7) {
        if (static_cast<size_t>(length) == tlv.value.size()) continue;
        std::vector<uint8_t> lies = pdu.octets;
        lies[at] = static_cast<uint8_t>(length);
        const std::vector<uint8_t> mended = Mended(lies);
        TlvReader again(base::Octets(mended).subspan(view.info().header_size));
        for (Tlv other; again.Next(&other);) {
        }
        beyond += again.result().ok() ? 0 : 1;
        pair.Receive(mended);
        ASSERT_EQ(pair.Verdicts(), ++received);
      }
    }
    SCOPED_TRACE(pdu.name);
    EXPECT_GT(beyond, 0u);
    if (lsp) {
      EXPECT_EQ(pair.Count("malformed_lsps"), beyond);
      EXPECT_EQ(pair.Count("bad_checksum"), 0u);
      EXPECT_LE(pair.instance->Database(view.level(), pair.now).size(), 1u);
    } else {
      // What stands where a TLV should may look like one of another instance.
      EXPECT_GE(pair.Count("malformed_hello") + pair.Count("malformed_snp") + pair.Count("other_instance"), beyond);
      EXPECT_GT(pair.Count("malformed_hello") + pair.Count("malformed_snp"), beyond / 2);
    }
  }
}

// From the identifier on: the lifetime before it is no part of what is summed up.
TEST(BadInput, EveryBitOfAnLspIsUnderItsChecksum) {
  Listener pair(CircuitKind::kPointToPoint);
  const std::vector<uint8_t> lsp = LspOctets({});
  uint64_t refused = 0;
  for (size_t i = 12; i < lsp.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::vector<uint8_t> other = lsp;
      other[i] ^= static_cast<uint8_t>(1 << bit);
      pair.Receive(other);
      EXPECT_EQ(pair.Count("bad_checksum"), ++refused) << i << " " << bit;
    }
  }
  EXPECT_EQ(pair.Database(), "");
}

// ISO 10589, 7.3.16.1: a system at the end of its numbers is silent until all have forgotten it. One that is not is not
// believed: 1 is older than 0xffffffff.
TEST(BadInput, SequenceNumbersThatWrap) {
  Listener pair(CircuitKind::kPointToPoint);
  PairHello keep;
  PairLsp lsp;
  lsp.sequence = 0xffffffff;
  pair.Lsp(lsp);
  EXPECT_EQ(pair.Count("lsp_new"), 1u);
  for (const uint32_t sequence : {1u, 2u, 0x7fffffffu, 0x80000000u, 0xfffffffeu}) {
    lsp.sequence = sequence;
    pair.Lsp(lsp);
  }
  EXPECT_EQ(pair.Count("lsp_older"), 5u);
  lsp.sequence = 0;
  pair.Lsp(lsp);
  EXPECT_EQ(pair.Count("bad_sequence"), 1u);
  EXPECT_EQ(pair.Database(), "0000.0000.0002.00-00 #4294967295\n");
  // Its lifetime, and the minute for which its end is told.
  pair.Wait(1200 + 61, &keep);
  EXPECT_EQ(pair.Database(), "");
  lsp.sequence = 1;
  pair.Lsp(lsp);
  EXPECT_EQ(pair.Database(), "0000.0000.0002.00-00 #1\n");
}

// Ends of what is known: each takes the octets of a header, and is forgotten after its minute.
TEST(BadInput, FloodOfAgeZeroForWhatIsKnown) {
  Listener pair(CircuitKind::kPointToPoint);
  PairHello keep;
  constexpr int kLsps = 2000;
  PairLsp lsp;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < kLsps; ++i) {
      lsp.id = LspOf(static_cast<uint8_t>(2 + i % 250), static_cast<uint8_t>(i / 250));
      lsp.remaining_seconds = 1200;
      if (round == 0) pair.Lsp(lsp);
      lsp.remaining_seconds = 0;
      pair.Lsp(lsp);
    }
  }
  EXPECT_EQ(pair.Count("lsp_purge"), uint64_t{kLsps});
  EXPECT_EQ(pair.Count("lsp_same"), uint64_t{2 * kLsps});
  EXPECT_EQ(pair.instance->Database(Level::k1, pair.now).size(), size_t{kLsps});
  pair.Wait(61, &keep);
  EXPECT_EQ(pair.Database(), "");
  EXPECT_EQ(pair.Count("lsps_forgotten"), uint64_t{kLsps});
}

// An LSP that dies and lives with each number: one row, and as many changes as there were.
TEST(BadInput, LifeAndDeathWithEachNumber) {
  Listener pair(CircuitKind::kPointToPoint);
  pair.Changes();
  PairLsp lsp;
  for (lsp.sequence = 1; lsp.sequence <= 2000; ++lsp.sequence) {
    lsp.remaining_seconds = lsp.sequence % 2 == 1 ? 1200 : 0;
    pair.Lsp(lsp);
  }
  EXPECT_EQ(pair.Count("lsp_new"), 1000u);
  EXPECT_EQ(pair.Count("lsp_purge"), 1000u);
  EXPECT_EQ(pair.Database(), "0000.0000.0002.00-00 #2000 purged\n");
  EXPECT_EQ(pair.instance->TakeChanges().size(), 2000u);
}

// Another system with our identifier: no neighbour, on either kind of circuit; its LSPs are outbid, at the pace at
// which we may make our own.
TEST(BadInput, OurSystemIdentifierOfAnother) {
  for (const CircuitKind kind : {CircuitKind::kLan, CircuitKind::kPointToPoint}) {
    InstancePair pair(PairCircuit(kind));
    PairHello hello;
    hello.system = 1;
    pair.Hello(hello);
    EXPECT_EQ(pair.Count("duplicate_system"), 1u);
    EXPECT_EQ(pair.State(), "");
  }
  InstancePair pair(PairCircuit(CircuitKind::kPointToPoint));
  PairHello keep;
  pair.BringUp(keep);
  pair.Wait(1, &keep);
  PairLsp lsp;
  lsp.id = LspOf(1);
  const uint64_t made = pair.Count("own_lsps_made");
  for (uint32_t i = 0; i < 1000; ++i) {
    lsp.sequence = 10 + i;
    pair.Lsp(lsp);
  }
  pair.Wait(1, &keep);
  EXPECT_EQ(pair.Count("lsp_own"), 1000u);
  EXPECT_LE(pair.Count("own_lsps_made") - made, 2u * 1u) << "of both levels";
  pair.Wait(10, &keep);
  EXPECT_EQ(pair.Database(), "0000.0000.0001.00-00 #1010 own\n");
}

// Two systems with one identifier, neither of them ours: the last word is kept; the same number with other words ends
// both, and everybody hears so.
TEST(BadInput, AnothersSystemIdentifierTwice) {
  Listener pair(CircuitKind::kPointToPoint);
  pair.Changes();
  PairLsp lsp;
  for (lsp.sequence = 1; lsp.sequence <= 1000; ++lsp.sequence) {
    lsp.hostname = lsp.sequence % 2 == 0 ? "one" : "another";
    pair.Lsp(lsp);
  }
  EXPECT_EQ(pair.Database(), "0000.0000.0002.00-00 #1000\n");
  EXPECT_EQ(pair.Count("lsp_newer"), 999u);
  lsp.sequence = 1000;
  lsp.hostname = "a third";
  pair.Lsp(lsp);
  EXPECT_EQ(pair.Count("lsp_confused"), 1u);
  EXPECT_EQ(pair.Database(), "0000.0000.0002.00-00 #1000 purged\n");
  Listener lan(CircuitKind::kLan);
  PairHello hello;
  hello.mac = 9;
  lan.Hello(hello);
  EXPECT_EQ(lan.Count("duplicate_system"), 1u) << "of another station";
}

// Many at once: LSPs and octets beyond their bounds, in both levels together.
TEST(BadInput, ADatabaseBeyondItsBounds) {
  InstanceOptions options = Listener::Passive();
  options.max_lsps = 100;
  options.max_octets = 5000;
  Listener pair(CircuitKind::kLan, options);
  PairLsp lsp;
  lsp.hostname = std::string(60, 'x');
  for (int i = 0; i < 2000; ++i) {
    lsp.level = i % 2 == 0 ? Level::k1 : Level::k2;
    lsp.id = LspOf(static_cast<uint8_t>(2 + i % 250), static_cast<uint8_t>(i / 250));
    pair.Lsp(lsp);
  }
  size_t lsps = 0, octets = 0;
  for (const Level level : {Level::k1, Level::k2}) {
    for (const LspSummary& row : pair.instance->Database(level, pair.now)) {
      ++lsps;
      octets += row.size;
    }
  }
  EXPECT_LE(lsps, options.max_lsps);
  EXPECT_LE(octets, options.max_octets);
  EXPECT_GT(octets, options.max_octets - 200);
  EXPECT_EQ(pair.Count("database_full"), 2000 - lsps);
}

}  // namespace
}  // namespace flowacct::isis
