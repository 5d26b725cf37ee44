// What is remembered of agents: their sequence numbers, and per data source how many packets were really looked at.
//
// sflow_version_5.txt: sample_datagram_v5.sequence_number, flow_sample.sequence_number, sample_pool and drops.
// All numbers wrap at 2^32 and begin anew when the agent does; both are told apart here.
// Ownership: owns its entries; pointers stay valid as long as the table. Threads: one at a time.
// Cost: a hash look-up an agent and datagram, and one a source and sample; about 300 octets an agent, 120 a source.

#ifndef FLOWACCT_FLOW_SFLOW_AGENT_TABLE_H_
#define FLOWACCT_FLOW_SFLOW_AGENT_TABLE_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/flow/sflow/sflow_view.h"
#include "flowacct/record/exporter_report.h"

namespace flowacct::sflow {

enum class SequenceEvent : uint8_t { kFirst, kInOrder, kGap, kReordered, kRestart };

// Follows one sequence of numbers that grow by one.
class SequenceTracker {
 public:
  // A jump ahead beyond this is a restart, not a loss: at 1,000 datagrams a second it is a quarter of an hour.
  static constexpr int32_t kMaxGap = 1 << 20;
  // So much late is reordering; later is a restart. A network reorders by a few.
  static constexpr int32_t kMaxLate = 64;

  SequenceEvent Follow(uint32_t number);
  void AddTo(record::SequenceReport* report) const;

 private:
  uint64_t gaps_ = 0;
  uint64_t lost_ = 0;
  uint64_t reordered_ = 0;
  uint64_t restarts_ = 0;
  uint32_t next_ = 0;
  bool started_ = false;
};

// One data source of an agent.
class SourceState {
 public:
  // Follows a flow sample.
  void FollowFlow(const SampleView& sample);
  void FollowOther(const SampleView& sample) { sequence_.Follow(sample.sequence_number()); }

  const SequenceTracker& sequence() const { return sequence_; }
  uint32_t configured_rate() const { return configured_rate_; }
  // Packets that could have been sampled for each sample that came, since the rate last changed; 0 if not known.
  uint64_t effective_rate() const { return samples_ == 0 ? 0 : (pool_ + samples_ / 2) / samples_; }
  uint64_t samples() const { return samples_; }
  // Samples that the agent lost, seen to grow.
  uint64_t drops() const { return drops_; }

 private:
  SequenceTracker sequence_;
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
    template <typename H>
    friend H AbslHashValue(H h, const SourceKey& k) {
      return H::combine(std::move(h), k.source.type, k.source.index, k.kind);
    }
  };

  SequenceTracker sequence;
  uint64_t datagrams = 0;
  uint64_t octets = 0;
  uint64_t flow_records = 0;
  uint64_t counter_records = 0;
  uint64_t rejected_samples = 0;
  base::DecodeCounters errors;
  absl::flat_hash_map<SourceKey, SourceState> sources;
};

class AgentTable {
 public:
  AgentTable(uint32_t max_agents, uint32_t max_sources) : max_agents_(max_agents), max_sources_(max_sources) {}

  // Null if the agent is new and the table is full.
  AgentState* Find(const AgentKey& key);
  // Null if the source is new and so many are known already, over all agents. Valid until the next call.
  SourceState* FindSource(AgentState* agent, const DataSource& source, SampleKind kind);
  // Ordered by address, version and sub-agent.
  std::vector<record::ExporterReport> Report() const;

 private:
  uint32_t max_agents_;
  uint32_t max_sources_;
  uint32_t source_count_ = 0;
  absl::flat_hash_map<AgentKey, std::unique_ptr<AgentState>> agents_;
};

}  // namespace flowacct::sflow

#endif  // FLOWACCT_FLOW_SFLOW_AGENT_TABLE_H_
