#include "flowacct/collector/admin/exporter_series.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "flowacct/base/decode_result.h"

namespace flowacct::collector {
namespace {

using record::ExporterCounter;
using record::ExporterCounters;
using record::ExporterReport;

void Subtract(const ExporterCounters& what, ExporterCounters* from) {
  for (const ExporterCounter& counter : record::ExporterCounterTable()) {
    from->*counter.value -= std::min(what.*counter.value, from->*counter.value);
  }
  base::DecodeCounters errors;
  for (size_t i = 0; i < base::kDecodeCodeCount; ++i) {
    const auto code = static_cast<base::DecodeCode>(i);
    errors.Count(code, from->errors[code] - std::min(what.errors[code], from->errors[code]));
  }
  from->errors = errors;
}

// Whether an exporter was forgotten and came again, so that its counters began anew.
bool BeganAnew(const ExporterCounters& before, const ExporterCounters& now) {
  return now.datagrams < before.datagrams || now.octets < before.octets;
}

}  // namespace

ExporterSamples ExporterSeries::Select(const std::vector<ExporterReport>& reports) {
  // One a key, in the order in which they came.
  absl::flat_hash_map<Key, size_t> index;
  std::vector<std::pair<Key, ExporterCounters>> merged;
  ExporterCounters rest;  // all, and then what is not told elsewhere
  for (const ExporterReport& report : reports) {
    rest.Add(report);
    if (report.scope != record::ExporterScope::kDomain) continue;
    const Key key{report.exporter, report.protocol, report.domain};
    const auto [place, added] = index.emplace(key, merged.size());
    if (added) {
      merged.emplace_back(key, report);
    } else {
      merged[place->second].second.Add(report);
    }
  }

  absl::erase_if(summed_, [&index](const Key& key) { return !index.contains(key); });
  // What the collector forgot leaves its place to others.
  absl::erase_if(own_, [this, &index](const auto& own) {
    if (index.contains(own.first)) return false;
    told_.Add(own.second);
    return true;
  });

  ExporterSamples out;
  uint64_t pending_sets = 0, template_count = 0;
  for (const auto& [key, counters] : merged) {
    const auto own = own_.find(key);
    if (own == own_.end() && (own_.size() >= max_series_ || summed_.contains(key))) {
      summed_.insert(key);
      pending_sets += counters.pending_sets;
      template_count += counters.template_count;
      continue;
    }
    if (own != own_.end() && BeganAnew(own->second, counters)) told_.Add(own->second);
    own_[key] = counters;
    Subtract(counters, &rest);
    out.samples.push_back({key.exporter.ToString(), std::string(key.protocol), absl::StrCat(key.domain), counters});
  }
  Subtract(told_, &rest);
  out.summed = summed_.size();
  if (out.summed > 0 || rest.datagrams > 0) {
    rest.pending_sets = pending_sets;
    rest.template_count = template_count;
    rest.sequence = rest.sample_sequence = record::SequenceCounters();
    out.samples.push_back({"others", "", "", rest});
  }
  return out;
}

}  // namespace flowacct::collector
