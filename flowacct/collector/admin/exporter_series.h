// Which exporters have series of their own in /metrics, and what the others sum to.
//
// A stranger can send from any number of addresses, and each series costs every Prometheus that reads it. So the first
// `max_series` exporters (by exporter, protocol and domain) have series of their own, in the order in which they were
// first seen, and keep them until the collector forgets them; all others are summed in one. Guaranteed: counters of the
// sum never go back, also when the collector forgets an exporter that is in it; its last counters stay in the sum.
// Threads: one at a time. Cost: a hash look-up an exporter; 200 octets for each that has no series.

#ifndef FLOWACCT_COLLECTOR_ADMIN_EXPORTER_SERIES_H_
#define FLOWACCT_COLLECTOR_ADMIN_EXPORTER_SERIES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/record/exporter_report.h"

namespace flowacct::collector {

struct ExporterSample {
  // Of the sum: "others", "" and "".
  std::string exporter, protocol, domain;
  // Of the sum: without a unit, and without sequence numbers, whose loss can go back.
  record::ExporterReport report;
};

struct ExporterSamples {
  std::vector<ExporterSample> samples;  // the sum last, if something was summed
  uint64_t summed = 0;                  // exporters that have no series of their own
};

class ExporterSeries {
 public:
  explicit ExporterSeries(size_t max_series) : max_series_(max_series) {}

  // Of all exporters that there are now; reports of the same exporter, protocol and domain are one.
  ExporterSamples Select(std::vector<record::ExporterReport> reports);

 private:
  struct Key {
    base::IpAddress exporter;
    std::string protocol;
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
  absl::flat_hash_set<Key> own_;
  // What each of the others had when it was last seen, and the sum of those that are no more.
  absl::flat_hash_map<Key, record::ExporterReport> others_;
  record::ExporterReport gone_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_ADMIN_EXPORTER_SERIES_H_
