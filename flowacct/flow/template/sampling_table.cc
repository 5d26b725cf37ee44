#include "flowacct/flow/template/sampling_table.h"

#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"

namespace flowacct::flow {

uint64_t SamplingRateOf(const SamplingParts& parts) {
  if (parts.packet_interval > 0 && parts.packet_space > 0) {
    const uint64_t period = parts.packet_interval + parts.packet_space;
    if (period < parts.packet_interval) return 0;  // no such period
    return (period + parts.packet_interval / 2) / parts.packet_interval;
  }
  if (parts.size > 0 && parts.population >= parts.size) {
    return parts.population / parts.size + (parts.population % parts.size >= (parts.size + 1) / 2 ? 1 : 0);
  }
  if (parts.probability > 0 && parts.probability <= 1) {
    const double rate = std::round(1 / parts.probability);
    return rate < 1e18 ? static_cast<uint64_t>(rate) : 0;
  }
  if (parts.interval > 0) return parts.interval;
  // Juniper tells 1 in N as an interval of N and a space of 0; taken literally (RFC 5477, 8.2.2) that is no sampling.
  return parts.packet_interval;
}

void SamplingTable::Clear() {
  all_ = 0;
  selectors_.Clear();
  interfaces_.Clear();
}

std::vector<record::SamplingReport> SamplingTable::Report() const {
  std::vector<record::SamplingReport> report;
  if (all_ > 0) report.push_back({"all", all_, record::SamplingSource::kOptions});
  for (const auto* rates : {&selectors_, &interfaces_}) {
    for (const auto& [key, rate] : rates->Sorted()) {
      report.push_back({absl::StrCat(rates == &selectors_ ? "selector " : "interface ", key), rate,
                        record::SamplingSource::kOptions});
    }
  }
  return report;
}

}  // namespace flowacct::flow
