// Writes inputs for instance_fuzz.cc into a folder: each a short life of two neighbours.

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/isis/pdu_writer.h"
#include "flowacct/isis/testing/instance_pair.h"

namespace flowacct::isis {
namespace {

using testing::InstancePair;
using testing::LspOctets;
using testing::LspOf;
using testing::System;

constexpr uint8_t kLink = 0, kLan = 1, kChecksum = 2;
constexpr uint8_t kSoon = 20, kSeconds = 31, kMinutes = 37;  // powers of two, of nanoseconds

class Input {
 public:
  Input& Pdu(uint8_t what, uint8_t time, const std::vector<uint8_t>& pdu) {
    out_.U8(what).U8(time).U16(static_cast<uint16_t>(pdu.size())).Bytes(pdu);
    return *this;
  }
  // Adjacencies on both circuits, of both levels.
  Input& Up() {
    const InstancePair link(testing::PairCircuit(CircuitKind::kPointToPoint)),
        lan(testing::PairCircuit(CircuitKind::kLan));
    testing::PairHello hello;
    hello.holding_seconds = 60000;
    hello.three_way = ThreeWayState();
    hello.three_way->state = ThreeWayState::State::kInitializing;
    hello.three_way->local_circuit = 5;
    Pdu(kLink, kSoon, link.HelloOctets(hello));
    hello.heard = {testing::MacOf(1)};
    Pdu(kLan, kSoon, lan.HelloOctets(hello));
    hello.level = Level::k2;
    return Pdu(kLan, kSoon, lan.HelloOctets(hello));
  }
  Input& Lsp(uint8_t what, const testing::PairLsp& lsp, uint8_t time = kSoon) {
    return Pdu(what, time, LspOctets(lsp));
  }
  Input& Snp(uint8_t what, bool complete, const std::vector<LspEntry>& entries) {
    PduWriter writer = complete ? PduWriter(PduWriter::Csnp{Level::k1, {System(2), 0}, {}, LspOf(255, 255, 255)}, 1492)
                                : PduWriter(PduWriter::Psnp{Level::k1, {System(2), 0}}, 1492);
    writer.AddLspEntries(entries);
    return Pdu(what, kSoon, writer.Finish());
  }
  void Write(const std::string& folder, const std::string& name) const {
    std::ofstream(absl::StrCat(folder, "/", name), std::ios::binary) << std::string(base::AsText(out_.octets()));
  }

 private:
  base::OctetWriter out_;
};

testing::PairLsp Lsp(uint8_t system, uint32_t sequence, uint16_t remaining = 1200) {
  testing::PairLsp lsp;
  lsp.id = LspOf(system);
  lsp.sequence = sequence;
  lsp.remaining_seconds = remaining;
  return lsp;
}

void WriteAll(const std::string& folder) {
  Input().Up().Write(folder, "hellos");
  Input()
      .Up()
      .Lsp(kLink, Lsp(2, 1))
      .Lsp(kLan, Lsp(3, 1))
      .Lsp(kLink, Lsp(2, 2))
      .Lsp(kLink, Lsp(2, 1))
      .Write(folder, "lsps");
  Input()
      .Up()
      .Lsp(kLink, Lsp(2, 1))
      .Lsp(kLan | kChecksum, Lsp(2, 1, 0))
      .Lsp(kLink, Lsp(2, 1), kSeconds)
      .Write(folder, "purge");
  Input()
      .Up()
      .Lsp(kLink, Lsp(2, 1, 3))
      .Lsp(kLink, Lsp(3, 1), kMinutes)
      .Lsp(kLink, Lsp(4, 1), kMinutes)
      .Write(folder, "ages");
  testing::PairLsp other = Lsp(2, 1);
  other.hostname = "other";
  Input().Up().Lsp(kLink, Lsp(2, 1)).Lsp(kLan, other).Write(folder, "confusion");
  Input()
      .Up()
      .Lsp(kLink, Lsp(1, 9))
      .Lsp(kLink, Lsp(1, 0xffffffff), kSeconds + 2)
      .Lsp(kLan, Lsp(3, 1), kMinutes + 4)
      .Write(folder, "own");
  testing::PairLsp fragment = Lsp(1, 9);
  fragment.id.fragment = 7;
  Input().Up().Lsp(kLink, fragment).Write(folder, "own_fragment");
  Input()
      .Up()
      .Lsp(kLink, Lsp(2, 5))
      .Snp(kLink, true, {{9, LspOf(2), 4, 1}, {9, LspOf(3), 1, 1}})
      .Snp(kLink, false, {{9, LspOf(2), 0, 0}})
      .Snp(kLan, true, {})
      .Write(folder, "snps");
  Input full;
  full.Up();
  for (uint8_t i = 2; i < 30; ++i) full.Lsp(kLink, Lsp(i, 1));
  full.Write(folder, "full");
}

}  // namespace
}  // namespace flowacct::isis

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  flowacct::isis::WriteAll(argv[1]);
  return 0;
}
