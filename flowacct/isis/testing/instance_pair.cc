#include "flowacct/isis/testing/instance_pair.h"

#include <algorithm>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "flowacct/isis/instance_counters.h"
#include "flowacct/isis/testing/pdu_text.h"

namespace flowacct::isis::testing {

SystemId System(uint8_t n) { return {{{0, 0, 0, 0, 0, n}}}; }

AreaAddress Area(uint8_t n) {
  AreaAddress area;
  area.octets[0] = 0x49;
  area.octets[2] = n;
  area.size = 3;
  return area;
}

base::MacAddress MacOf(uint8_t n) { return {{{0x02, 0, 0, 0, 0, n}}}; }

LspId LspOf(uint8_t system, uint8_t fragment, uint8_t pseudonode) { return {{System(system), pseudonode}, fragment}; }

InstanceOptions PairOptions() {
  InstanceOptions options;
  options.system = System(1);
  options.areas = {Area()};
  options.hostname = "collector";
  return options;
}

CircuitOptions PairCircuit(CircuitKind kind) {
  CircuitOptions circuit;
  circuit.kind = kind;
  circuit.name = "test";
  if (kind == CircuitKind::kLan) circuit.mac = MacOf(1);
  circuit.addresses = {*base::IpAddress::Parse("fe80::1"), *base::IpAddress::Parse("192.0.2.1")};
  return circuit;
}

std::vector<uint8_t> LspOctets(const PairLsp& lsp) {
  PduWriter writer(PduWriter::Lsp{lsp.level, lsp.remaining_seconds, lsp.id, lsp.sequence, lsp.flags}, 1492);
  writer.AddAuthentication(lsp.key);
  if (!lsp.hostname.empty()) writer.AddHostname(lsp.hostname);
  return writer.Finish();
}

InstancePair::InstancePair(const CircuitOptions& circuit_options, const InstanceOptions& options)
    : circuit(circuit_options) {
  auto created = Instance::Create(options);
  if (!created.ok()) std::abort();
  instance = std::move(*created);
  auto added = instance->AddCircuit(circuit, now);
  if (!added.ok()) std::abort();
  index = *added;
  Settle();
}

std::vector<uint8_t> InstancePair::HelloOctets(const PairHello& hello) const {
  const bool lan = circuit.kind == CircuitKind::kLan;
  PduWriter writer = lan ? PduWriter(PduWriter::LanHello{hello.level,
                                                         hello.circuit_levels,
                                                         System(hello.system),
                                                         hello.holding_seconds,
                                                         hello.priority,
                                                         {System(hello.system), 1}},
                                     1492)
                         : PduWriter(PduWriter::PointToPointHello{hello.circuit_levels, System(hello.system),
                                                                  hello.holding_seconds, 1},
                                     1492);
  writer.AddAuthentication(hello.key);
  writer.AddAreas(hello.areas);
  writer.AddLanNeighbors(hello.heard);
  if (hello.three_way) writer.AddThreeWay(*hello.three_way);
  return writer.Finish();
}

void InstancePair::Receive(const std::vector<uint8_t>& pdu, uint8_t mac) {
  instance->Receive(index, MacOf(mac), pdu, now);
  Settle();
}

void InstancePair::Settle() {
  for (int i = 0; instance->NextTime() <= now; ++i) {
    if (i == 100) std::abort();  // it never comes to rest
    instance->Advance(now);
  }
  for (Outgoing& outgoing : instance->TakeOutgoing()) out_.push_back(std::move(outgoing));
}

void InstancePair::BringUp(const PairHello& hello) {
  PairHello said = hello;
  if (circuit.kind == CircuitKind::kLan) said.heard = {circuit.mac};
  Hello(said);
  Wait(0.1);
  out_.clear();
}

void InstancePair::Snp(bool complete, const std::vector<LspEntry>& entries, Level level) {
  PduWriter writer = complete ? PduWriter(PduWriter::Csnp{level, {System(2), 0}, {}, LspOf(255, 255, 255)}, 1492)
                              : PduWriter(PduWriter::Psnp{level, {System(2), 0}}, 1492);
  writer.AddLspEntries(entries);
  Receive(writer.Finish());
}

void InstancePair::Wait(double seconds, const PairHello* keep) {
  const int64_t until = now + static_cast<int64_t>(seconds * kSimSecond);
  int64_t next_hello = keep == nullptr ? INT64_MAX : now;
  while (true) {
    const int64_t next = std::min(instance->NextTime(), next_hello);
    if (next > until) break;
    now = std::max(now, next);
    if (now >= next_hello) {
      Hello(*keep);
      next_hello = now + 9 * kSimSecond;
    }
    Settle();
  }
  now = until;
}

std::string InstancePair::Sent() {
  std::string text;
  for (const Outgoing& outgoing : out_) {
    const std::string line = PduText(outgoing.pdu);
    if (line.find("IIH") == std::string::npos) absl::StrAppend(&text, line, "\n");
  }
  out_.clear();
  return text;
}

std::string InstancePair::SentHellos() {
  std::string text;
  for (const Outgoing& outgoing : out_) {
    const std::string line = PduText(outgoing.pdu);
    if (line.find("IIH") != std::string::npos) absl::StrAppend(&text, line, "\n");
  }
  out_.clear();
  return text;
}

std::string InstancePair::State() const {
  static constexpr const char* kStates[] = {"down", "initializing", "up"};
  std::vector<std::string> states;
  for (const Adjacency& adjacency : instance->Adjacencies()) {
    states.push_back(absl::StrCat(kStates[static_cast<size_t>(adjacency.state)], "/", adjacency.levels));
  }
  return absl::StrJoin(states, " ");
}

std::string InstancePair::Changes() {
  static constexpr const char* kSigns[] = {"+ ", "* ", "= ", "- "};
  std::string text;
  for (const LspChange& change : instance->TakeChanges()) {
    absl::StrAppend(&text, kSigns[static_cast<size_t>(change.kind)], change.id.ToString(), "\n");
  }
  return text;
}

std::string InstancePair::Database(Level level) const {
  std::string text;
  for (const LspSummary& lsp : instance->Database(level, now)) {
    absl::StrAppend(&text, lsp.id.ToString(), " #", lsp.sequence, lsp.remaining_seconds == 0 ? " purged" : "",
                    lsp.own ? " own" : "", "\n");
  }
  return text;
}

uint64_t InstancePair::Count(const std::string& name) const {
  for (const auto& [counter, value] : instance->Counters()) {
    if (counter == name) return value;
  }
  return 0;
}

uint64_t InstancePair::Verdicts() const {
  uint64_t sum = 0;
  for (const char* name : kVerdictNames) sum += Count(name);
  return sum;
}

InstanceNode::InstanceNode(const InstanceOptions& options) {
  auto created = Instance::Create(options);
  if (!created.ok()) std::abort();
  instance_ = std::move(*created);
}

void InstanceNode::AddPort(const CircuitOptions& circuit, int64_t time_nanos) {
  if (!instance_->AddCircuit(circuit, time_nanos).ok()) std::abort();
  macs_.push_back(circuit.mac);
}

void InstanceNode::Receive(int port, const base::MacAddress& source, base::Octets pdu, int64_t time_nanos) {
  instance_->Receive(static_cast<CircuitIndex>(port), source, pdu, time_nanos);
}

std::vector<SimFrame> InstanceNode::Take() {
  std::vector<SimFrame> frames;
  for (Outgoing& outgoing : instance_->TakeOutgoing()) {
    frames.push_back({static_cast<int>(outgoing.circuit), std::move(outgoing.pdu)});
  }
  return frames;
}

SimDatabase InstanceNode::Lsps(Level level) const {
  SimDatabase all;
  for (const LspSummary& lsp : instance_->Database(level, 0)) {
    const base::Octets octets = instance_->FindLsp(level, lsp.id);
    if (lsp.remaining_seconds == 0) continue;
    std::vector<uint8_t> copy(octets.begin(), octets.end());
    copy[10] = copy[11] = 0;
    all[lsp.id] = std::move(copy);
  }
  return all;
}

}  // namespace flowacct::isis::testing
