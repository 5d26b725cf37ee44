// What an AgentTable knows, as octets (base/sealed_octets.h), for one that goes on after the collector was started
// again: where the sequences of agents and sources are, and what the sources' pools told of their rates.
//
//     agents   count 4; each: address 16, sub-agent 4, version 4, last seen 8, sequence known 1 and next 4, sources
//     sources  count 4; each: type 4, index 4, kind 1, SourceState::kStateOctets

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "flowacct/base/octet_reader.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/base/sealed_octets.h"
#include "flowacct/flow/sflow/agent_table.h"
#include "flowacct/record/export_protocol.h"

namespace flowacct::sflow {
namespace {

constexpr absl::string_view kStateKind = "sflow decoder";
constexpr uint16_t kStateVersion = 1;
constexpr int64_t kMaxNanos = int64_t{1} << 62;  // as Datagram has it
constexpr size_t kLeastAgentOctets = 16 + 4 + 4 + 8 + 5 + 4;
constexpr size_t kSourceOctets = 4 + 4 + 1 + SourceState::kStateOctets;

void WriteSequence(const record::SequenceTracker& sequence, base::OctetWriter* out) {
  out->U8(sequence.known() ? 1 : 0).U32(sequence.known() ? sequence.expected() : 0);
}

void ReadSequence(base::OctetReader* in, record::SequenceTracker* sequence) {
  const uint8_t known = in->U8();
  const uint32_t expected = in->U32();
  if (known > 1) in->Skip(SIZE_MAX);  // fails
  if (known == 1) sequence->Resume(expected);
}

}  // namespace

void SourceState::Write(base::OctetWriter* out) const {
  WriteSequence(sequence_, out);
  out->U64(pool_).U64(samples_).U64(drops_).U32(last_pool_).U32(last_drops_).U32(configured_rate_);
}

void SourceState::Read(base::OctetReader* in) {
  ReadSequence(in, &sequence_);
  pool_ = in->U64();
  samples_ = in->U64();
  drops_ = in->U64();
  last_pool_ = in->U32();
  last_drops_ = in->U32();
  configured_rate_ = in->U32();
}

std::string AgentTable::SaveState() const {
  std::vector<std::pair<AgentKey, const AgentState*>> agents;
  for (const auto& [key, agent] : agents_) agents.emplace_back(key, agent.get());
  std::sort(agents.begin(), agents.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  base::OctetWriter out;
  out.U32(static_cast<uint32_t>(agents.size()));
  for (const auto& [key, agent] : agents) {
    out.Bytes(key.address.octets()).U32(key.sub_agent).U32(key.version);
    out.U64(static_cast<uint64_t>(agent->counters.last_seen_nanos));
    WriteSequence(agent->sequence, &out);
    std::vector<std::pair<AgentState::SourceKey, const SourceState*>> sources;
    for (const auto& [source_key, source] : agent->sources) sources.emplace_back(source_key, &source);
    std::sort(sources.begin(), sources.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    out.U32(static_cast<uint32_t>(sources.size()));
    for (const auto& [source_key, source] : sources) {
      out.U32(source_key.source.type).U32(source_key.source.index).U8(static_cast<uint8_t>(source_key.kind));
      source->Write(&out);
    }
  }
  return base::Seal(kStateKind, kStateVersion, out.octets());
}

class AgentTable::StateReader {
 public:
  StateReader(base::Octets octets, AgentTable* table) : in_(octets), table_(*table) {}

  // False: octets that were never written.
  bool Read() {
    for (uint32_t n = Count(kLeastAgentOctets); n > 0 && in_.ok(); --n) ReadAgent();
    Check(in_.remaining() == 0);
    return in_.ok();
  }
  size_t offset() const { return in_.offset(); }
  const record::RestoredState& restored() const { return restored_; }

 private:
  void Check(bool truth) {
    if (!truth) in_.Skip(SIZE_MAX);
  }
  uint32_t Count(size_t octets) {
    const uint32_t count = in_.U32();
    Check(count <= in_.remaining() / octets);
    return in_.ok() ? count : 0;
  }

  void ReadAgent() {
    const base::Octets address = in_.Bytes(base::IpAddress::kSize);
    if (!in_.ok()) return;
    AgentKey key;
    key.address = base::IpAddress::FromV6(address.data());
    key.sub_agent = in_.U32();
    key.version = in_.U32();
    const auto last_seen_nanos = static_cast<int64_t>(in_.U64());
    Check(last_seen_nanos > -kMaxNanos && last_seen_nanos < kMaxNanos);
    Check(record::FindExportProtocol(record::ExportFamily::kSflow, key.version) != record::ExportProtocol::kNone);
    Check(!table_.agents_.contains(key));
    if (!in_.ok()) return;
    // One that there is no room for is read all the same, as the others follow it.
    AgentState nobody;
    nobody.tracked = false;
    const bool room = table_.agents_.size() < table_.bounds_.max_agents;
    AgentState* agent = room ? table_.Add(key) : &nobody;
    restored_.exporters += room ? 1 : 0;
    restored_.left_out += room ? 0 : 1;
    agent->counters.last_seen_nanos = last_seen_nanos;
    ReadSequence(&in_, &agent->sequence);
    for (uint32_t n = Count(kSourceOctets); n > 0 && in_.ok(); --n) {
      DataSource source;
      source.type = in_.U32();
      source.index = in_.U32();
      const uint8_t kind = in_.U8();
      Check(kind <= static_cast<uint8_t>(SampleKind::kUnknown));
      SourceState state;
      state.Read(&in_);
      if (!in_.ok()) return;
      SourceState* place = table_.FindSource(agent, source, static_cast<SampleKind>(kind));
      if (place != nullptr) *place = state;
      restored_.left_out += place == nullptr ? 1 : 0;
    }
  }

  base::OctetReader in_;
  AgentTable& table_;
  record::RestoredState restored_;
};

absl::StatusOr<record::RestoredState> AgentTable::RestoreState(base::Octets state) {
  if (!agents_.empty()) {
    return absl::FailedPreconditionError("the sflow decoder has decoded already; restore its state before");
  }
  const auto sealed = base::Unseal(kStateKind, kStateVersion, state);
  if (!sealed.ok()) return sealed.status();
  StateReader reader(sealed->body, this);
  if (!reader.Read()) {
    agents_.clear();
    source_count_ = 0;
    return absl::DataLossError(
        absl::StrCat("the state of the sflow decoder cannot be read from octet ", reader.offset(), " of its body on"));
  }
  return reader.restored();
}

}  // namespace flowacct::sflow
