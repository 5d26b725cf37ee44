#include "flowacct/flow/template/domain.h"

#include <algorithm>
#include <utility>

#include "absl/strings/string_view.h"

namespace flowacct::flow {
namespace {

constexpr int64_t kNanosPerSecond = 1000000000;
// A table that is full of the living is not searched again at once.
constexpr int64_t kRemovalIntervalNanos = 60 * kNanosPerSecond;

// What the sequence numbers of a version count.
absl::string_view SequenceUnit(uint16_t version) {
  switch (version) {
    case 9:  // RFC 3954, 5.1
      return "datagrams";
    case 5:
    case 7:
    case 8:
    case 10:  // RFC 7011, 3.1
      return "records";
    default:
      return "";
  }
}

// Of a domain's table of templates: a slot and an octet of control each.
size_t TableOctets(const Domain& domain) {
  return domain.templates.capacity() * (sizeof(std::pair<const uint16_t, TemplateEntry>) + 1);
}

}  // namespace

record::TemplateReport TemplateEntry::Report(uint16_t id) const {
  record::TemplateReport report;
  report.id = id;
  report.kind = compiled->format().kind;
  for (const TemplateField& field : compiled->format().fields) {
    report.fields.push_back({TemplateFieldName(field), field.length, field.scope});
  }
  report.records = records;
  report.definitions = definitions;
  report.redefinitions = redefinitions;
  return report;
}

Domain::Domain(const DomainKey& domain_key, const TemplateOptions& options, MemoryBudget* learned_budget,
               Domain* exporter_domain)
    : key(domain_key),
      budget(learned_budget),
      exporter(exporter_domain),
      counters(exporter == nullptr ? own_counters : exporter->own_counters),
      sampling(options.max_rates_per_domain, budget),
      names(options.max_names_per_domain, budget),
      route_distinguishers(options.max_names_per_domain, budget),
      max_learned(options.max_names_per_domain) {
  if (exporter != nullptr) ++exporter->sessions;
}

Domain::~Domain() {
  if (exporter != nullptr) --exporter->sessions;
  for (const auto& [element_key, element] : learned) budget->Give(NameTable::kNameOctets + element.name.size());
}

const Template* Domain::FindTemplate(uint16_t id) {
  auto found = templates.find(id);
  return found == templates.end() ? nullptr : &found->second.compiled->format();
}

const TemplateSource::LearnedElement* Domain::FindLearned(uint32_t pen, uint16_t id) {
  auto found = learned.find({pen, id});
  return found == learned.end() ? nullptr : &found->second;
}

bool Domain::Learn(uint32_t pen, uint16_t id, LearnedElement element) {
  const auto found = learned.find({pen, id});
  const size_t cost = NameTable::kNameOctets + element.name.size();
  if ((found == learned.end() && learned.size() >= max_learned) || !budget->Take(cost)) return false;
  if (found != learned.end()) budget->Give(NameTable::kNameOctets + found->second.name.size());
  learned[{pen, id}] = std::move(element);
  return true;
}

void Domain::AppendTo(record::ExporterReport* report) const {
  const size_t first = report->templates.size();
  for (const auto& [id, entry] : templates) report->templates.push_back(entry.Report(id));
  std::sort(report->templates.begin() + static_cast<ptrdiff_t>(first), report->templates.end(),
            [](const record::TemplateReport& a, const record::TemplateReport& b) { return a.id < b.id; });
  const std::vector<record::SamplingReport> rates = sampling.Report();
  report->sampling.insert(report->sampling.end(), rates.begin(), rates.end());
  if (header_sampling_rate > 0) {
    report->sampling.push_back({"all", header_sampling_rate, record::SamplingSource::kHeader});
  }
  const auto interfaces = names.Interfaces();
  report->interfaces.insert(report->interfaces.end(), interfaces.begin(), interfaces.end());
}

DomainTable::DomainTable(const record::Layout* layout, const TemplateOptions& options, record::ExportFamily family,
                         uint16_t version)
    : options_(options), family_(family), compiled_(layout, version), learned_(options.max_learned_octets) {
  forgotten_.scope = record::ExporterScope::kForgotten;
  beyond_.scope = record::ExporterScope::kBeyond;
  for (record::ExporterCounters* sum : {&forgotten_, &beyond_}) {
    sum->protocol = record::ExportFamilyName(family);
    sum->domains = 0;
  }
}

// Domains of sessions go before those where they count.
DomainTable::~DomainTable() { Clear(); }

Domain* DomainTable::FindOrAdd(const DomainKey& key, int64_t now_nanos) {
  const auto found = domains_.find(key);
  if (found != domains_.end()) return found->second.get();
  Domain* exporter = nullptr;
  if (key.session != 0) {
    DomainKey of_exporter = key;
    of_exporter.session = 0;
    exporter = FindOrAdd(of_exporter, now_nanos);
    if (exporter == nullptr) return nullptr;
    exporter->last_seen_nanos = now_nanos;
  }
  if (domains_.size() >= options_.max_domains && !RemoveSilent(now_nanos)) return nullptr;
  auto made = std::make_unique<Domain>(key, options_, &learned_, exporter);
  if (exporter == nullptr) {
    made->counters.exporter = key.exporter;
    made->counters.domain = key.domain;
    made->counters.protocol = record::ExportProtocolName(family_, key.version);
    made->counters.sequence.unit = SequenceUnit(key.version);
  } else {
    sessions_[key.session].insert(key);
  }
  return (domains_[key] = std::move(made)).get();
}

Domain* DomainTable::Receive(uint32_t domain, uint16_t version, const record::Datagram& datagram) {
  const DomainKey key{datagram.source, domain, version, datagram.session};
  if (last_ == nullptr || !(last_->key == key)) last_ = FindOrAdd(key, datagram.arrival_nanos);
  record::ExporterCounters& counters = last_ == nullptr ? beyond_ : last_->counters;
  counters.last_seen_nanos = datagram.arrival_nanos;
  ++counters.datagrams;
  counters.octets += datagram.octets.size();
  if (last_ == nullptr) {
    counters.errors.Count(base::DecodeCode::kLimitExceeded);
    return nullptr;
  }
  last_->last_seen_nanos = datagram.arrival_nanos;
  if (last_->exporter != nullptr) last_->exporter->last_seen_nanos = datagram.arrival_nanos;
  return last_;
}

base::DecodeResult DomainTable::ReceiveBroken(const record::Datagram& datagram, base::DecodeResult result) {
  Domain* domain = Receive(0, 0, datagram);
  if (domain == nullptr) return base::DecodeResult::Error(base::DecodeCode::kLimitExceeded, 0);
  domain->counters.errors.Count(result.code);
  return result;
}

TemplateEntry* DomainTable::AddTemplate(Domain* domain, uint16_t id, Template format) {
  entry_octets_ -= TableOctets(*domain);
  TemplateEntry& entry = domain->templates[id];
  entry_octets_ += TableOctets(*domain);
  ++domain->counters.template_count;
  entry.compiled = compiled_.Intern(std::move(format));
  if (template_octets() <= options_.max_template_octets) return &entry;
  RemoveTemplate(domain, id);
  return nullptr;
}

void DomainTable::RemoveTemplate(Domain* domain, uint16_t id) {
  domain->counters.template_count -= domain->templates.erase(id);
}

void DomainTable::RemoveTemplates(Domain* domain) {
  domain->counters.template_count -= domain->templates.size();
  entry_octets_ -= TableOctets(*domain);
  domain->templates.clear();
  entry_octets_ += TableOctets(*domain);
}

bool DomainTable::Hold(Domain* domain, PendingSet set) {
  const size_t octets = set.memory_octets();
  if (octets > options_.max_pending_octets_per_domain) return false;
  while (domain->pending_octets + octets > options_.max_pending_octets_per_domain) RejectOldest(domain);
  if (pending_octets_ + octets > options_.max_pending_octets) return false;
  domain->pending_octets += octets;
  pending_octets_ += octets;
  ++domain->counters.pending_sets;
  domain->pending.push_back(std::move(set));
  return true;
}

std::list<PendingSet>::iterator DomainTable::Release(Domain* domain, std::list<PendingSet>::iterator set) {
  const size_t octets = set->memory_octets();
  domain->pending_octets -= octets;
  pending_octets_ -= octets;
  --domain->counters.pending_sets;
  return domain->pending.erase(set);
}

void DomainTable::RejectOldest(Domain* domain) {
  Release(domain, domain->pending.begin());
  ++domain->counters.rejected_sets;
  domain->counters.errors.Count(base::DecodeCode::kTemplateUnknown);
}

void DomainTable::Empty(Domain* domain) {
  while (!domain->pending.empty()) RejectOldest(domain);
  domain->counters.template_count -= domain->templates.size();
  entry_octets_ -= TableOctets(*domain);
  domain->templates = {};
  if (last_ == domain) last_ = nullptr;
}

void DomainTable::Clear() {
  while (!sessions_.empty()) EndSession(sessions_.begin()->first);
  for (const auto& [key, domain] : domains_) Empty(domain.get());
  domains_.clear();
}

void DomainTable::EndSession(uint64_t session) {
  const auto found = sessions_.find(session);
  if (found == sessions_.end()) return;
  for (const DomainKey& key : found->second) {
    const auto domain = domains_.find(key);
    Empty(domain->second.get());
    domains_.erase(domain);
  }
  sessions_.erase(found);
}

bool DomainTable::RemoveSilent(int64_t now_nanos) {
  if (options_.domain_idle_seconds == 0 || now_nanos - last_removal_nanos_ < kRemovalIntervalNanos) return false;
  last_removal_nanos_ = now_nanos;
  const int64_t oldest = now_nanos - options_.domain_idle_seconds * kNanosPerSecond;
  const size_t before = domains_.size();
  // First those of sessions, so that the exporters' domains may follow.
  for (const bool of_sessions : {true, false}) {
    for (auto it = domains_.begin(); it != domains_.end();) {
      Domain* domain = it->second.get();
      const bool of_session = domain->exporter != nullptr;
      if (domain->last_seen_nanos >= oldest || of_session != of_sessions || domain->sessions > 0) {
        ++it;
        continue;
      }
      Empty(domain);
      if (of_session) {
        const auto session = sessions_.find(domain->key.session);
        session->second.erase(domain->key);
        if (session->second.empty()) sessions_.erase(session);
      } else {
        forgotten_.Add(domain->counters);
      }
      domains_.erase(it++);
    }
  }
  return domains_.size() < before;
}

void DomainTable::Summarize(std::vector<record::ExporterCounters>* counters) const {
  for (const auto& [key, domain] : domains_) {
    if (domain->exporter == nullptr) counters->push_back(domain->counters);
  }
  if (forgotten_.domains > 0) counters->push_back(forgotten_);
  if (beyond_.datagrams > 0) counters->push_back(beyond_);
}

std::vector<const Domain*> DomainTable::Sorted() const {
  std::vector<const Domain*> sorted;
  sorted.reserve(domains_.size());
  for (const auto& [key, domain] : domains_) sorted.push_back(domain.get());
  std::sort(sorted.begin(), sorted.end(), [](const Domain* a, const Domain* b) { return a->key < b->key; });
  return sorted;
}

std::vector<record::ExporterReport> DomainTable::Report() const {
  std::vector<record::ExporterReport> reports;
  reports.reserve(domains_.size() + 2);
  for (const Domain* domain : Sorted()) {  // an exporter's domain comes before those of its sessions
    if (domain->exporter == nullptr) reports.emplace_back(domain->counters);
    domain->AppendTo(&reports.back());
  }
  if (forgotten_.domains > 0) reports.emplace_back(forgotten_);
  if (beyond_.datagrams > 0) reports.emplace_back(beyond_);
  std::sort(reports.begin(), reports.end());
  return reports;
}

}  // namespace flowacct::flow
