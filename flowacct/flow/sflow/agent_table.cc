#include "flowacct/flow/sflow/agent_table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace flowacct::sflow {

SequenceEvent SequenceTracker::Follow(uint32_t number) {
  if (!started_) {
    started_ = true;
    next_ = number + 1;
    return SequenceEvent::kFirst;
  }
  const int32_t ahead = static_cast<int32_t>(number - next_);
  if (ahead == 0) {
    ++next_;
    return SequenceEvent::kInOrder;
  }
  if (ahead > 0 && ahead <= kMaxGap) {
    ++gaps_;
    lost_ += static_cast<uint32_t>(ahead);
    next_ = number + 1;
    return SequenceEvent::kGap;
  }
  if (ahead < 0 && ahead >= -kMaxLate) {
    ++reordered_;
    if (lost_ > 0) --lost_;  // it was counted as lost when the later one came
    return SequenceEvent::kReordered;
  }
  ++restarts_;
  next_ = number + 1;
  return SequenceEvent::kRestart;
}

void SequenceTracker::AddTo(record::SequenceReport* report) const {
  report->gaps += gaps_;
  report->lost += lost_;
  report->reordered += reordered_;
  report->restarts += restarts_;
}

void SourceState::FollowFlow(const SampleView& sample) {
  const SequenceEvent event = sequence_.Follow(sample.sequence_number());
  const uint32_t pool = sample.sample_pool() - last_pool_;
  const bool began = event == SequenceEvent::kFirst || event == SequenceEvent::kRestart;
  // A late sample's pool is part of the one that overtook it.
  if (event == SequenceEvent::kReordered) {
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

SourceState* AgentTable::FindSource(AgentState* agent, const DataSource& source, SampleKind kind) {
  const AgentState::SourceKey key{source, kind};
  const auto it = agent->sources.find(key);
  if (it != agent->sources.end()) return &it->second;
  if (source_count_ >= max_sources_) return nullptr;
  ++source_count_;
  return &agent->sources[key];
}

AgentState* AgentTable::Find(const AgentKey& key) {
  const auto it = agents_.find(key);
  if (it != agents_.end()) return it->second.get();
  if (agents_.size() >= max_agents_) return nullptr;
  return (agents_[key] = std::make_unique<AgentState>()).get();
}

std::vector<record::ExporterReport> AgentTable::Report() const {
  std::vector<const std::pair<const AgentKey, std::unique_ptr<AgentState>>*> entries;
  entries.reserve(agents_.size());
  for (const auto& entry : agents_) entries.push_back(&entry);
  std::sort(entries.begin(), entries.end(), [](const auto* a, const auto* b) {
    if (a->first.address != b->first.address) return a->first.address < b->first.address;
    if (a->first.version != b->first.version) return a->first.version < b->first.version;
    return a->first.sub_agent < b->first.sub_agent;
  });
  std::vector<record::ExporterReport> reports;
  reports.reserve(entries.size());
  for (const auto* entry : entries) {
    const AgentState& agent = *entry->second;
    record::ExporterReport report;
    report.exporter = entry->first.address;
    report.domain = entry->first.sub_agent;
    report.protocol = absl::StrCat("sflow", entry->first.version);
    report.datagrams = agent.datagrams;
    report.octets = agent.octets;
    report.flow_records = agent.flow_records;
    report.counter_records = agent.counter_records;
    report.rejected_sets = agent.rejected_samples;
    report.errors = agent.errors;
    report.sequence.unit = "datagrams";
    agent.sequence.AddTo(&report.sequence);
    report.sample_sequence.unit = "samples";
    std::vector<const std::pair<const AgentState::SourceKey, SourceState>*> sources;
    for (const auto& source : agent.sources) {
      source.second.sequence().AddTo(&report.sample_sequence);
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
    reports.push_back(std::move(report));
  }
  return reports;
}

}  // namespace flowacct::sflow
