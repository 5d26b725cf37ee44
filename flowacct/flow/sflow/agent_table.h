// What is remembered of agents: their sequence numbers, and per data source how many packets were really looked at.
//
// sflow_version_5.txt: sample_datagram_v5.sequence_number, flow_sample.sequence_number, sample_pool and drops.
// All numbers wrap at 2^32 and begin anew when the agent does; both are told apart here.
// When the table is full, agents that were silent for long are forgotten; what they counted lives on in one sum.
// Ownership: owns its entries; pointers stay valid until the next Receive. Threads: one at a time.
// Cost: a hash look-up an agent and datagram, and one a source and sample; about 600 octets an agent, 80 a source.

#ifndef FLOWACCT_FLOW_SFLOW_AGENT_TABLE_H_
#define FLOWACCT_FLOW_SFLOW_AGENT_TABLE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octet_reader.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/base/octets.h"
#include "flowacct/flow/sflow/sflow_view.h"
#include "flowacct/record/datagram.h"
#include "flowacct/record/exporter_counters.h"
#include "flowacct/record/exporter_report.h"
#include "flowacct/record/flow_decoder.h"
#include "flowacct/record/sequence_tracker.h"

namespace flowacct::sflow {

// One data source of an agent.
class SourceState {
 public:
  // Follows a flow sample. What its number tells is counted in `counters`.
  void FollowFlow(const SampleView& sample, const record::SequenceLimits& limits, record::SequenceCounters* counters);
  void FollowOther(const SampleView& sample, const record::SequenceLimits& limits, record::SequenceCounters* counters) {
    sequence_.Follow(sample.sequence_number(), limits, counters);
  }

  uint32_t configured_rate() const { return configured_rate_; }
  // Packets that could have been sampled for each sample that came, since the rate last changed; 0 if not known.
  uint64_t effective_rate() const { return samples_ == 0 ? 0 : (pool_ + samples_ / 2) / samples_; }
  uint64_t samples() const { return samples_; }
  // Samples that the agent lost, seen to grow.
  uint64_t drops() const { return drops_; }

  // For a source that is followed on later.
  void Write(base::OctetWriter* out) const;
  void Read(base::OctetReader* in);
  static constexpr size_t kStateOctets = 5 + 3 * 8 + 3 * 4;

 private:
  record::SequenceTracker sequence_;
  uint64_t pool_ = 0;
  uint64_t samples_ = 0;
  uint64_t drops_ = 0;
  uint32_t last_pool_ = 0;
  uint32_t last_drops_ = 0;
  uint32_t configured_rate_ = 0;
};

struct AgentKey {
  base::IpAddress address;
  uint32_t sub_agent = 0;
  uint32_t version = 0;

  friend bool operator==(const AgentKey& a, const AgentKey& b) {
    return a.address == b.address && a.sub_agent == b.sub_agent && a.version == b.version;
  }
  friend bool operator<(const AgentKey& a, const AgentKey& b) {
    if (a.address != b.address) return a.address < b.address;
    return a.version != b.version ? a.version < b.version : a.sub_agent < b.sub_agent;
  }
  template <typename H>
  friend H AbslHashValue(H h, const AgentKey& k) {
    return H::combine(std::move(h), k.address, k.sub_agent, k.version);
  }
};

struct AgentState {
  struct SourceKey {
    DataSource source;
    SampleKind kind;  // each has a sequence of its own
    friend bool operator==(const SourceKey& a, const SourceKey& b) { return a.source == b.source && a.kind == b.kind; }
    friend bool operator<(const SourceKey& a, const SourceKey& b) {
      if (a.source.type != b.source.type) return a.source.type < b.source.type;
      return a.source.index != b.source.index ? a.source.index < b.source.index : a.kind < b.kind;
    }
    template <typename H>
    friend H AbslHashValue(H h, const SourceKey& k) {
      return H::combine(std::move(h), k.source.type, k.source.index, k.kind);
    }
  };

  bool tracked = true;  // false: stands for all agents beyond the bound
  record::ExporterCounters counters;
  record::SequenceTracker sequence;
  absl::flat_hash_map<SourceKey, SourceState> sources;
};

struct AgentBounds {
  uint32_t max_agents = 0;
  uint32_t max_sources = 0;
  int64_t idle_seconds = 0;
};

class AgentTable {
 public:
  explicit AgentTable(const AgentBounds& bounds);

  // The agent of a datagram, which is counted in it. If there are max_agents already and all of them alive: one that
  // stands for all further ones, and is not tracked.
  AgentState* Receive(const AgentKey& key, const record::Datagram& datagram);
  // A datagram that ends before it tells its agent. Returns `result`.
  base::DecodeResult ReceiveBroken(const record::Datagram& datagram, base::DecodeResult result);
  // Null if the agent is not tracked, or the source is new and so many are known already, over all agents. Valid until
  // the next call.
  SourceState* FindSource(AgentState* agent, const DataSource& source, SampleKind kind);
  // As FlowDecoder has them (agent_state.cc: the first two).
  std::string SaveState() const;
  absl::StatusOr<record::RestoredState> RestoreState(base::Octets state);
  std::vector<record::ExporterReport> Report() const;
  void Summarize(std::vector<record::ExporterCounters>* counters) const;

 private:
  class StateReader;

  AgentState* Add(const AgentKey& key);
  bool RemoveSilent(int64_t now_nanos);

  const AgentBounds bounds_;
  uint32_t source_count_ = 0;
  absl::flat_hash_map<AgentKey, std::unique_ptr<AgentState>> agents_;
  AgentState beyond_;
  record::ExporterCounters forgotten_;
  record::ExporterCounters unreadable_;
  int64_t last_removal_nanos_ = 0;
};

}  // namespace flowacct::sflow

#endif  // FLOWACCT_FLOW_SFLOW_AGENT_TABLE_H_
