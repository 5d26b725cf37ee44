#include "flowacct/flow/sflow/agent_table.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"
#include "flowacct/record/export_protocol.h"

namespace flowacct::sflow {
namespace {

using record::ExporterScope;
using Verdict = record::SequenceTracker::Verdict;

constexpr int64_t kNanosPerSecond = 1000000000;
// A table that is full of the living is not searched again at once.
constexpr int64_t kRemovalIntervalNanos = 60 * kNanosPerSecond;

void Count(const record::Datagram& datagram, record::ExporterCounters* counters) {
  ++counters->datagrams;
  counters->octets += datagram.octets.size();
  counters->last_seen_nanos = datagram.arrival_nanos;
}

}  // namespace

void SourceState::FollowFlow(const SampleView& sample, const record::SequenceLimits& limits,
                             record::SequenceCounters* counters) {
  const Verdict verdict = sequence_.Follow(sample.sequence_number(), limits, counters);
  const uint32_t pool = sample.sample_pool() - last_pool_;
  const bool began = verdict == Verdict::kFirst || verdict == Verdict::kRestart;
  // What passed while the collector was down says nothing of its samples, which nobody counted.
  if (verdict == Verdict::kResumed && sample.sampling_rate() == configured_rate_) {
    last_pool_ = sample.sample_pool();
    last_drops_ = sample.drops();
    return;
  }
  // A late sample's pool is part of the one that overtook it.
  if (verdict == Verdict::kReordered) {
    ++samples_;
    return;
  }
  // A pool that runs backwards was reset without the sequence number, although it must not be.
  if (began || sample.sampling_rate() != configured_rate_ || static_cast<int32_t>(pool) < 0) {
    pool_ = 0;
    samples_ = 0;
  } else {
    pool_ += pool;
    ++samples_;
    const uint32_t drops = sample.drops() - last_drops_;
    if (static_cast<int32_t>(drops) > 0) drops_ += drops;
  }
  last_pool_ = sample.sample_pool();
  last_drops_ = sample.drops();
  configured_rate_ = sample.sampling_rate();
}

AgentTable::AgentTable(const AgentBounds& bounds) : bounds_(bounds) {
  beyond_.tracked = false;
  beyond_.counters.scope = ExporterScope::kBeyond;
  forgotten_.scope = ExporterScope::kForgotten;
  unreadable_.scope = ExporterScope::kUnreadable;
  for (record::ExporterCounters* sum : {&beyond_.counters, &forgotten_, &unreadable_}) {
    sum->protocol = record::ExportFamilyName(record::ExportFamily::kSflow);
    sum->domains = 0;
  }
}

AgentState* AgentTable::Add(const AgentKey& key) {
  AgentState* agent = (agents_[key] = std::make_unique<AgentState>()).get();
  agent->counters.exporter = key.address;
  agent->counters.domain = key.sub_agent;
  agent->counters.protocol = record::ExportProtocolName(record::ExportFamily::kSflow, key.version);
  agent->counters.sequence.unit = "datagrams";
  agent->counters.sample_sequence.unit = "samples";
  return agent;
}

AgentState* AgentTable::Receive(const AgentKey& key, const record::Datagram& datagram) {
  AgentState* agent;
  const auto it = agents_.find(key);
  if (it != agents_.end()) {
    agent = it->second.get();
  } else if (agents_.size() >= bounds_.max_agents && !RemoveSilent(datagram.arrival_nanos)) {
    agent = &beyond_;
  } else {
    agent = Add(key);
  }
  Count(datagram, &agent->counters);
  return agent;
}

base::DecodeResult AgentTable::ReceiveBroken(const record::Datagram& datagram, base::DecodeResult result) {
  Count(datagram, &unreadable_);
  unreadable_.errors.Count(result.code);
  return result;
}

SourceState* AgentTable::FindSource(AgentState* agent, const DataSource& source, SampleKind kind) {
  if (!agent->tracked) return nullptr;
  const AgentState::SourceKey key{source, kind};
  const auto it = agent->sources.find(key);
  if (it != agent->sources.end()) return &it->second;
  if (source_count_ >= bounds_.max_sources) return nullptr;
  ++source_count_;
  return &agent->sources[key];
}

bool AgentTable::RemoveSilent(int64_t now_nanos) {
  if (bounds_.idle_seconds == 0 || now_nanos - last_removal_nanos_ < kRemovalIntervalNanos) return false;
  last_removal_nanos_ = now_nanos;
  const int64_t oldest = now_nanos - bounds_.idle_seconds * kNanosPerSecond;
  const size_t before = agents_.size();
  for (auto it = agents_.begin(); it != agents_.end();) {
    const AgentState& agent = *it->second;
    if (agent.counters.last_seen_nanos >= oldest) {
      ++it;
      continue;
    }
    source_count_ -= static_cast<uint32_t>(agent.sources.size());
    forgotten_.Add(agent.counters);
    agents_.erase(it++);
  }
  return agents_.size() < before;
}

namespace {

record::ExporterReport ReportOf(const AgentState& agent) {
  record::ExporterReport report(agent.counters);
  std::vector<const std::pair<const AgentState::SourceKey, SourceState>*> sources;
  for (const auto& source : agent.sources) {
    if (source.first.kind == SampleKind::kFlow) sources.push_back(&source);
  }
  std::sort(sources.begin(), sources.end(), [](const auto* a, const auto* b) {
    const DataSource& x = a->first.source;
    const DataSource& y = b->first.source;
    return x.type != y.type ? x.type < y.type : x.index < y.index;
  });
  for (const auto* source : sources) {
    const SourceState& state = source->second;
    const std::string what = absl::StrCat("source ", source->first.source.type, ":", source->first.source.index);
    report.sampling.push_back({what, state.configured_rate(), record::SamplingSource::kSflow});
    if (state.effective_rate() == 0) continue;
    const std::string drops =
        state.drops() == 0 ? "" : absl::StrCat(" (", state.drops(), " samples dropped by the agent)");
    report.sampling.push_back(
        {absl::StrCat(what, " effective", drops), state.effective_rate(), record::SamplingSource::kSflow});
  }
  return report;
}

}  // namespace

void AgentTable::Summarize(std::vector<record::ExporterCounters>* counters) const {
  for (const auto& [key, agent] : agents_) counters->push_back(agent->counters);
  for (const record::ExporterCounters* sum : {&forgotten_, &beyond_.counters, &unreadable_}) {
    if (sum->datagrams > 0) counters->push_back(*sum);
  }
}

std::vector<record::ExporterReport> AgentTable::Report() const {
  std::vector<record::ExporterReport> reports;
  reports.reserve(agents_.size() + 3);
  for (const auto& [key, agent] : agents_) reports.push_back(ReportOf(*agent));
  for (const record::ExporterCounters* sum : {&forgotten_, &beyond_.counters, &unreadable_}) {
    if (sum->datagrams > 0) reports.emplace_back(*sum);
  }
  std::sort(reports.begin(), reports.end());
  return reports;
}

}  // namespace flowacct::sflow
