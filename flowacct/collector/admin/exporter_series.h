// Which exporters have series of their own in /metrics, and what the others sum to.
//
// A stranger can send from any number of addresses, and each series costs every Prometheus that reads it. So the first
// `max_series` exporters (by exporter, protocol and domain) have series of their own, in the order in which they were
// first seen, and keep them until the collector forgets them; all else is summed in one, and stays so. Guaranteed: what
// is told over all series is all that was counted, each of it once; counters of the sum never go back, as those of a
// collector never do (exporter_counters.h). Threads: one at a time. Cost: a hash look-up an exporter; 500 octets for
// each that has series of its own, 40 for the others.

#ifndef FLOWACCT_COLLECTOR_ADMIN_EXPORTER_SERIES_H_
#define FLOWACCT_COLLECTOR_ADMIN_EXPORTER_SERIES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/record/exporter_counters.h"
#include "flowacct/record/exporter_report.h"

namespace flowacct::collector {

struct ExporterSample {
  // Of the sum: "others", "" and "".
  std::string exporter, protocol, domain;
  // Of the sum: without sequence numbers, whose loss can go back.
  record::ExporterCounters report;
};

struct ExporterSamples {
  std::vector<ExporterSample> samples;  // the sum last, if something was summed
  uint64_t summed = 0;                  // exporters that have no series of their own
};

class ExporterSeries {
 public:
  explicit ExporterSeries(size_t max_series) : max_series_(max_series) {}

  // Of all reports that there are now; those of the same exporter, protocol and domain are one.
  ExporterSamples Select(const std::vector<record::ExporterReport>& reports);

 private:
  struct Key {
    base::IpAddress exporter;
    absl::string_view protocol;
    uint32_t domain = 0;
    friend bool operator==(const Key& a, const Key& b) {
      return a.exporter == b.exporter && a.protocol == b.protocol && a.domain == b.domain;
    }
    template <typename H>
    friend H AbslHashValue(H h, const Key& key) {
      return H::combine(std::move(h), key.exporter, key.protocol, key.domain);
    }
  };

  const size_t max_series_;
  absl::flat_hash_set<Key> summed_;                         // these stay so, or the sum would go back
  absl::flat_hash_map<Key, record::ExporterCounters> own_;  // as told last
  // What own series of exporters that were forgotten had told: not to be told again in the sum.
  record::ExporterCounters told_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_ADMIN_EXPORTER_SERIES_H_
