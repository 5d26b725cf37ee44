#include "flowacct/collector/listen/admission.h"

#include <algorithm>
#include <utility>

#include "absl/base/optimization.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace flowacct::collector {
namespace {

constexpr absl::string_view kVerdictNames[] = {
#define X(verdict, name, help) name,
    FLOWACCT_ADMISSION_VERDICTS(X)
#undef X
};
constexpr absl::string_view kVerdictHelps[] = {
#define X(verdict, name, help) help,
    FLOWACCT_ADMISSION_VERDICTS(X)
#undef X
};

constexpr int64_t kMaxWindowNanos = int64_t{1} << 60;
// More records than a datagram can hold: each has an octet at least, and a biflow counts twice.
constexpr uint64_t kMaxRecordsCharged = 1 << 17;
// Slots looked at for one to forget, a datagram of a new source: what a flood of forged addresses costs.
constexpr size_t kForgetTries = 4;

}  // namespace

absl::string_view AdmissionVerdictName(AdmissionVerdict verdict) { return kVerdictNames[static_cast<size_t>(verdict)]; }
absl::string_view AdmissionVerdictHelp(AdmissionVerdict verdict) { return kVerdictHelps[static_cast<size_t>(verdict)]; }

Admission::Rate::Rate(const AdmissionLimit& limit) : per_second(limit.per_second) {
  if (per_second == 0) return;
  const uint64_t burst = limit.burst == 0 ? per_second : limit.burst;
  const double nanos = static_cast<double>(burst) * 1e9 / static_cast<double>(per_second);
  window_nanos = nanos < static_cast<double>(kMaxWindowNanos) ? static_cast<int64_t>(nanos) : kMaxWindowNanos;
}

int64_t Admission::Rate::Cost(uint64_t n) const { return static_cast<int64_t>(n * 1000000000 / per_second); }

const Admission::Limits& Admission::Rules::Judge(const base::IpAddress& source) const {
  const Limits* limits = listed.Find(source);
  return limits == nullptr ? unlisted : *limits;
}

Admission::Admission(const AdmissionOptions& options, std::unique_ptr<const Rules> rules)
    : options_(options), rules_(std::move(rules)) {}

absl::StatusOr<std::unique_ptr<const Admission::Rules>> Admission::NewRules(const AdmissionOptions& options) {
  auto rules = std::make_unique<Rules>();
  lpm::LpmBuilder<Limits> builder;
  for (const AdmissionRule& rule : options.rules) {
    if (!builder.Add(rule.prefix, {rule.admit, true, Rate(rule.datagrams), Rate(rule.records)})) {
      return absl::InvalidArgumentError(
          absl::StrCat("rules: ", options.rules.size(), " of them; ", builder.size(), " can be"));
    }
  }
  rules->unlisted = {options.rules.empty() || options.admit_unlisted, options.rules.empty(), Rate(options.datagrams),
                     Rate(options.records)};
  rules->trivial = options.rules.empty() && !rules->unlisted.any();
  rules->listed = std::move(builder).Build();
  return rules;
}

absl::StatusOr<std::unique_ptr<Admission>> Admission::New(const AdmissionOptions& options) {
  absl::StatusOr<std::unique_ptr<const Rules>> rules = NewRules(options);
  if (!rules.ok()) return rules.status();
  return std::unique_ptr<Admission>(new Admission(options, *std::move(rules)));
}

absl::Status Admission::SetOptions(const AdmissionOptions& options) {
  absl::StatusOr<std::unique_ptr<const Rules>> rules = NewRules(options);
  if (!rules.ok()) return rules.status();
  options_ = options;
  rules_ = *std::move(rules);
  for (Source& source : sources_) source.limits = &rules_->Judge(source.told.address);
  return absl::OkStatus();
}

AdmissionVerdict Admission::Admit(const base::IpAddress& source, int64_t now_nanos) {
  AdmissionVerdict verdict = AdmissionVerdict::kAdmitted;
  if (!rules_->trivial) {
    Source* kept = Find(source);
    const Limits& limits = kept != nullptr ? *kept->limits : rules_->Judge(source);
    if (!limits.admit) {
      CountRefused(source);
      verdict = AdmissionVerdict::kUnknownExporter;
    } else {
      if (limits.any()) {
        if (kept == nullptr) kept = Make(source, limits, now_nanos);
        verdict = Decide(*kept, limits, now_nanos);
        ++kept->told.datagrams[static_cast<size_t>(verdict)];
      }
      if (!limits.listed && verdict == AdmissionVerdict::kAdmitted) ++counters_.unlisted;
    }
  }
  ++counters_.datagrams[static_cast<size_t>(verdict)];
  return verdict;
}

AdmissionVerdict Admission::Decide(Source& source, const Limits& limits, int64_t now_nanos) {
  source.last_nanos = now_nanos;
  if (limits.records.per_second != 0) {
    int64_t& full = source.records_full_nanos;
    // So far ahead no bucket gets: the clock was set back.
    if (full - now_nanos > limits.records.window_nanos + limits.records.Cost(kMaxRecordsCharged)) full = now_nanos;
    if (full - now_nanos >= limits.records.window_nanos) return AdmissionVerdict::kRecordBudget;
  }
  if (limits.datagrams.per_second != 0) {
    int64_t& full = source.datagrams_full_nanos;
    if (full - now_nanos > limits.datagrams.window_nanos) full = now_nanos;
    const int64_t then = std::max(full, now_nanos) + limits.datagrams.Cost(1);
    if (then - now_nanos > limits.datagrams.window_nanos) return AdmissionVerdict::kDatagramLimit;
    full = then;
  }
  return AdmissionVerdict::kAdmitted;
}

void Admission::ChargeRecords(const base::IpAddress& source, uint64_t records, int64_t now_nanos) {
  if (rules_->trivial) return;
  Source* kept = Find(source);
  const Limits& limits = kept != nullptr ? *kept->limits : rules_->Judge(source);
  if (!limits.any()) return;
  if (kept == nullptr) kept = &beyond_;
  kept->told.records += records;
  if (limits.records.per_second == 0) return;
  kept->records_full_nanos =
      std::max(kept->records_full_nanos, now_nanos) + limits.records.Cost(std::min(records, kMaxRecordsCharged));
}

Admission::Source* Admission::Find(const base::IpAddress& source) {
  if (ABSL_PREDICT_TRUE(last_ < sources_.size() && sources_[last_].told.address == source)) return &sources_[last_];
  const auto it = index_.find(source);
  if (it == index_.end()) return nullptr;
  last_ = it->second;
  return &sources_[last_];
}

Admission::Source* Admission::Make(const base::IpAddress& source, const Limits& limits, int64_t now_nanos) {
  size_t slot = sources_.size();
  if (slot < options_.max_sources) {
    sources_.emplace_back();
  } else {
    slot = sources_.size();
    for (size_t i = 0; i < kForgetTries && slot == sources_.size() && !sources_.empty(); ++i) {
      hand_ = hand_ + 1 < sources_.size() ? hand_ + 1 : 0;
      if (now_nanos - sources_[hand_].last_nanos > options_.forget_nanos) slot = hand_;
    }
    if (slot == sources_.size()) {
      ++counters_.beyond_sources;
      return &beyond_;
    }
    ++counters_.forgotten;
    index_.erase(sources_[slot].told.address);
    sources_[slot] = Source();
  }
  index_[source] = static_cast<uint32_t>(slot);
  last_ = slot;
  sources_[slot].told.address = source;
  sources_[slot].limits = &limits;
  return &sources_[slot];
}

void Admission::CountRefused(const base::IpAddress& source) {
  const auto it = refused_.find(source);
  if (it != refused_.end()) {
    ++it->second;
  } else if (refused_.size() < options_.max_refused_sources) {
    refused_.emplace(source, 1);
  } else {
    ++beyond_.told.datagrams[static_cast<size_t>(AdmissionVerdict::kUnknownExporter)];
  }
}

std::vector<AdmissionSource> Admission::Sources() const {
  std::vector<AdmissionSource> result;
  result.reserve(sources_.size() + refused_.size() + 1);
  for (const Source& source : sources_) result.push_back(source.told);
  for (const auto& [address, datagrams] : refused_) {
    const auto it = index_.find(address);
    if (it == index_.end()) {
      result.emplace_back();
      result.back().address = address;
    }
    AdmissionSource& told = it == index_.end() ? result.back() : result[it->second];
    told.datagrams[static_cast<size_t>(AdmissionVerdict::kUnknownExporter)] += datagrams;
  }
  result.push_back(beyond_.told);
  const auto is_empty = [](const AdmissionSource& source) {
    return source.records == 0 &&
           std::all_of(source.datagrams.begin(), source.datagrams.end(), [](uint64_t n) { return n == 0; });
  };
  result.erase(std::remove_if(result.begin(), result.end(), is_empty), result.end());
  std::sort(result.begin(), result.end(),
            [](const AdmissionSource& a, const AdmissionSource& b) { return a.address < b.address; });
  return result;
}

}  // namespace flowacct::collector
