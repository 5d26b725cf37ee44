#include "flowacct/collector/admin/exporter_series.h"

#include "absl/strings/str_cat.h"
#include "flowacct/base/decode_result.h"

namespace flowacct::collector {
namespace {

using record::ExporterReport;

void AddSequence(const record::SequenceReport& from, record::SequenceReport* to) {
  to->gaps += from.gaps;
  to->lost += from.lost;
  to->reordered += from.reordered;
  to->restarts += from.restarts;
}

// The numbers alone.
void Add(const ExporterReport& from, ExporterReport* to) {
  to->datagrams += from.datagrams;
  to->octets += from.octets;
  to->flow_records += from.flow_records;
  to->counter_records += from.counter_records;
  to->option_records += from.option_records;
  to->rejected_sets += from.rejected_sets;
  to->pending_sets += from.pending_sets;
  to->clock_repairs += from.clock_repairs;
  to->misfits += from.misfits;
  AddSequence(from.sequence, &to->sequence);
  AddSequence(from.sample_sequence, &to->sample_sequence);
  for (size_t i = 0; i < base::kDecodeCodeCount; ++i) {
    const auto code = static_cast<base::DecodeCode>(i);
    to->errors.Count(code, from.errors[code]);
  }
}

// Whether an exporter was forgotten and came again, so that its counters began anew.
bool BeganAnew(const ExporterReport& before, const ExporterReport& now) {
  return now.datagrams < before.datagrams || now.octets < before.octets;
}

}  // namespace

ExporterSamples ExporterSeries::Select(std::vector<ExporterReport> reports) {
  // One report a key, in the order in which they came.
  absl::flat_hash_map<Key, size_t> index;
  std::vector<std::pair<Key, ExporterReport>> merged;
  merged.reserve(reports.size());
  for (ExporterReport& report : reports) {
    Key key{report.exporter, report.protocol, report.domain};
    const auto [place, added] = index.emplace(key, merged.size());
    if (added) {
      merged.emplace_back(std::move(key), std::move(report));
    } else {
      Add(report, &merged[place->second].second);
    }
  }

  // What the collector forgot leaves its place to others.
  absl::erase_if(own_, [&index](const Key& key) { return !index.contains(key); });
  absl::erase_if(others_, [this, &index](const auto& other) {
    if (index.contains(other.first)) return false;
    Add(other.second, &gone_);
    // What waited for a template waits no more.
    gone_.pending_sets = 0;
    return true;
  });

  ExporterSamples out;
  ExporterReport sum;
  for (auto& [key, report] : merged) {
    const auto other = others_.find(key);
    if (other == others_.end() && (own_.contains(key) || own_.size() < max_series_)) {
      own_.insert(key);
      out.samples.push_back({key.exporter.ToString(), key.protocol, absl::StrCat(key.domain), std::move(report)});
      continue;
    }
    ++out.summed;
    if (other != others_.end() && BeganAnew(other->second, report)) {
      Add(other->second, &gone_);
      gone_.pending_sets = 0;
    }
    Add(report, &sum);
    ExporterReport& last = others_[key];
    last = ExporterReport();
    Add(report, &last);
  }
  if (out.summed > 0 || gone_.datagrams > 0) {
    Add(gone_, &sum);
    out.samples.push_back({"others", "", "", std::move(sum)});
  }
  return out;
}

}  // namespace flowacct::collector
