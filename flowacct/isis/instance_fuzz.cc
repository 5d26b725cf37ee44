// PDUs of neighbours on a link and a LAN, one after the other: an octet of what to do, an octet of time, two of length,
// the PDU.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "flowacct/base/octet_reader.h"
#include "flowacct/isis/checksum.h"
#include "flowacct/isis/instance.h"
#include "flowacct/isis/instance_counters.h"
#include "flowacct/isis/instance_database.h"
#include "flowacct/isis/pdu_view.h"
#include "flowacct/isis/testing/instance_pair.h"

namespace flowacct::isis {
namespace {

constexpr size_t kMaxLsps = 20, kMaxOctets = 4000;

void Require(bool holds) {
  if (!holds) std::abort();
}

// Comes to rest, and what it sends is whole.
void Settle(Instance* instance, int64_t time_nanos) {
  for (int i = 0; instance->NextTime() <= time_nanos; ++i) {
    Require(i < 1000);
    instance->Advance(time_nanos);
  }
  for (const Outgoing& outgoing : instance->TakeOutgoing()) {
    PduView view;
    Require(PduView::Parse(outgoing.pdu, &view).ok() && view.size() == outgoing.pdu.size());
  }
  size_t lsps = 0, octets = 0;
  for (const Level level : {Level::k1, Level::k2}) {
    for (const LspSummary& lsp : instance->Database(level, time_nanos)) {
      ++lsps;
      octets += lsp.size;
      Require(instance->FindLsp(level, lsp.id).size() == lsp.size);
    }
  }
  // Headers of purges, and our own, are beyond the bound of octets, never beyond that of LSPs by more than our two.
  Require(lsps <= kMaxLsps + 2 && octets <= kMaxOctets + lsps * 120);
  instance->TakeChanges();
}

void Run(base::Octets input) {
  InstanceOptions options = testing::PairOptions();
  options.max_lsps = kMaxLsps;
  options.max_octets = kMaxOctets;
  auto instance = Instance::Create(options);
  Require(instance.ok());
  int64_t now = testing::kStart;
  for (const CircuitKind kind : {CircuitKind::kPointToPoint, CircuitKind::kLan}) {
    CircuitOptions circuit = testing::PairCircuit(kind);
    circuit.max_neighbors = 4;
    Require((*instance)->AddCircuit(circuit, now).ok());
  }
  uint64_t received = 0;
  base::OctetReader reader(input);
  while (reader.remaining() >= 4) {
    const uint8_t what = reader.U8(), time = reader.U8();
    const size_t length = reader.U16();
    const base::Octets octets = reader.Bytes(std::min(length, reader.remaining()));
    std::vector<uint8_t> pdu(octets.begin(), octets.end());
    PduView view;
    // Else no LSP would be more than a wrong checksum.
    if ((what & 2) != 0 && PduView::Parse(pdu, &view).ok() && view.kind() == PduKind::kLsp) {
      base::StoreBe16(&pdu[kLspChecksumAt], LspChecksumOf(view.octets()));
    }
    now += (int64_t{1} << (time % 44));  // up to two and a half hours
    (*instance)->Receive(what & 1, testing::MacOf(static_cast<uint8_t>(2 + (what >> 2 & 3))), pdu, now);
    ++received;
    Settle(instance->get(), now);
    Require((*instance)->Adjacencies().size() <= 1 + 2 * 4);
  }
  uint64_t judged = 0;
  for (const auto& [name, value] : (*instance)->Counters()) {
    for (const char* verdict : kVerdictNames) {
      if (name == verdict) judged += value;
    }
  }
  Require(judged == received);
}

}  // namespace
}  // namespace flowacct::isis

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  flowacct::isis::Run(flowacct::base::Octets(data, size));
  return 0;
}
