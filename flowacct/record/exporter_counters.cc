#include "flowacct/record/exporter_counters.h"

#include <algorithm>
#include <cstddef>
#include <tuple>

#include "absl/strings/str_cat.h"

namespace flowacct::record {
namespace {

constexpr ExporterCounter kTable[] = {
#define X(counter, kind, one, rest) {#counter, ExporterCounterKind::kind, &ExporterCounters::counter, one, rest},
    FLOWACCT_EXPORTER_COUNTERS(X)
#undef X
};

constexpr absl::string_view kScopeNames[] = {"domain", "forgotten", "beyond", "unreadable"};

}  // namespace

absl::string_view ExporterScopeName(ExporterScope scope) { return kScopeNames[static_cast<size_t>(scope)]; }

absl::Span<const ExporterCounter> ExporterCounterTable() { return kTable; }

std::string ExporterCounterText(const ExporterCounter& counter, uint64_t n) {
  return absl::StrCat(n, " ", counter.one, n == 1 ? "" : "s", counter.rest);
}

void SequenceCounters::Add(const SequenceCounters& other) {
  if (unit.empty()) {
    unit = other.unit;
  } else if (!other.unit.empty() && unit != other.unit) {
    unit = "records or datagrams";
  }
  gaps += other.gaps;
  lost += other.lost;
  reordered += other.reordered;
  restarts += other.restarts;
  lost_over_restart += other.lost_over_restart;
}

void ExporterCounters::Add(const ExporterCounters& other) {
  domains += other.domains;
  last_seen_nanos = std::max(last_seen_nanos, other.last_seen_nanos);
  pending_sets += other.pending_sets;
  template_count += other.template_count;
  for (const ExporterCounter& counter : kTable) this->*counter.value += other.*counter.value;
  sequence.Add(other.sequence);
  sample_sequence.Add(other.sample_sequence);
  for (size_t i = 0; i < base::kDecodeCodeCount; ++i) {
    const auto code = static_cast<base::DecodeCode>(i);
    errors.Count(code, other.errors[code]);
  }
}

bool operator<(const ExporterCounters& a, const ExporterCounters& b) {
  return std::tie(a.exporter, a.protocol, a.domain, a.scope) < std::tie(b.exporter, b.protocol, b.domain, b.scope);
}

}  // namespace flowacct::record
