#include "flowacct/flow/template/domain.h"

#include <algorithm>
#include <utility>

namespace flowacct::flow {
namespace {

constexpr int64_t kNanosPerSecond = 1000000000;
// A table that is full of the living is not searched again at once.
constexpr int64_t kRemovalIntervalNanos = 60 * kNanosPerSecond;

}  // namespace

const Template* Domain::FindTemplate(uint16_t id) {
  auto found = templates.find(id);
  return found == templates.end() ? nullptr : &found->second->format();
}

const TemplateSource::LearnedElement* Domain::FindLearned(uint32_t pen, uint16_t id) {
  auto found = learned.find({pen, id});
  return found == learned.end() ? nullptr : &found->second;
}

record::ExporterReport Domain::Report(const char* protocol, const char* unit) const {
  record::ExporterReport report;
  report.exporter = key.exporter;
  report.domain = key.domain;
  report.protocol = protocol;
  report.datagrams = datagrams;
  report.octets = octets;
  report.flow_records = flow_records;
  report.option_records = option_records;
  report.rejected_sets = rejected_sets;
  report.pending_sets = pending.size();
  report.clock_repairs = clock_repairs;
  report.misfits = misfits;
  report.sequence = sequence.Report(unit);
  for (const auto& [id, entry] : templates) report.templates.push_back(entry->Report());
  std::sort(report.templates.begin(), report.templates.end(),
            [](const record::TemplateReport& a, const record::TemplateReport& b) { return a.id < b.id; });
  report.sampling = sampling.Report();
  if (header_sampling_rate > 0) {
    report.sampling.push_back({"all", header_sampling_rate, record::SamplingSource::kHeader});
  }
  report.interfaces = names.Interfaces();
  report.errors = errors;
  return report;
}

Domain* DomainTable::FindOrAdd(const DomainKey& key, int64_t now_nanos) {
  if (last_ != nullptr && last_->key == key) {
    last_->last_seen_nanos = now_nanos;
    return last_;
  }
  auto found = domains_.find(key);
  if (found == domains_.end()) {
    if (domains_.size() >= options_.max_domains && !RemoveSilent(now_nanos)) {
      ++refused;
      return nullptr;
    }
    found = domains_.emplace(key, std::make_unique<Domain>(key, options_)).first;
  }
  last_ = found->second.get();
  last_->last_seen_nanos = now_nanos;
  return last_;
}

bool DomainTable::RemoveSilent(int64_t now_nanos) {
  if (options_.domain_idle_seconds == 0 || now_nanos - last_removal_nanos_ < kRemovalIntervalNanos) return false;
  last_removal_nanos_ = now_nanos;
  const int64_t oldest = now_nanos - options_.domain_idle_seconds * kNanosPerSecond;
  bool removed = false;
  for (auto it = domains_.begin(); it != domains_.end();) {
    if (it->second->last_seen_nanos >= oldest) {
      ++it;
      continue;
    }
    for (const auto& [id, entry] : it->second->templates) template_octets -= entry->memory_octets();
    pending_octets -= it->second->pending_octets;
    if (last_ == it->second.get()) last_ = nullptr;
    domains_.erase(it++);
    removed = true;
  }
  return removed;
}

void DomainTable::ReportRefused(const char* protocol, std::vector<record::ExporterReport>* reports) const {
  if (refused == 0) return;
  record::ExporterReport report;
  report.protocol = protocol;
  report.datagrams = refused;
  report.errors.Count(base::DecodeCode::kLimitExceeded, refused);
  reports->insert(reports->begin(), std::move(report));
}

std::vector<const Domain*> DomainTable::Sorted() const {
  std::vector<const Domain*> sorted;
  sorted.reserve(domains_.size());
  for (const auto& [key, domain] : domains_) sorted.push_back(domain.get());
  std::sort(sorted.begin(), sorted.end(), [](const Domain* a, const Domain* b) { return a->key < b->key; });
  return sorted;
}

}  // namespace flowacct::flow
