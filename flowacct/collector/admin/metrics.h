// The metrics of a collector in Prometheus' text format (version 0.0.4), from one table.
//
// Each metric is a row of metrics.def: name, type, unit, labels, what it tells, and where its values come from.
// /metrics is written from it, and so is docs/reference/metrics.md (tools/metrics_reference). Names follow Prometheus'
// conventions: flowacct_ in front, base units, _total for counters; process_ for what every process has. Values are
// Prometheus' 64-bit floats: exact up to 2^53, beyond rounded; /api/v1/ tells whole numbers. Threads: any. Cost: a few
// microseconds a series; the text is built in memory.

#ifndef FLOWACCT_COLLECTOR_ADMIN_METRICS_H_
#define FLOWACCT_COLLECTOR_ADMIN_METRICS_H_

#include <cstdint>
#include <initializer_list>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/collector/admin/exporter_series.h"
#include "flowacct/collector/admin/identity.h"
#include "flowacct/collector/admin/process_status.h"
#include "flowacct/collector/server/collector_status.h"

namespace prometheus {
struct MetricFamily;
}

namespace flowacct::collector {

// What the administration's own server did.
struct AdminCounters {
  uint64_t requests = 0;
  uint64_t requests_failed = 0;          // answered with a status of 400 or more
  uint64_t requests_refused = 0;         // of these: for a Host or an Origin that is not allowed
  uint64_t connections_cut = 0;          // not done within their time
  uint64_t connections_turned_away = 0;  // beyond those allowed at once
  uint64_t requests_postponed = 0;       // answered 503: too many answers were still being sent
};

// All that is known at one moment.
struct Scrape {
  CollectorStatus status;
  ExporterSamples exporters;
  ProcessStatus process;
  AdminCounters admin;
};

// The series of one metric, as its row fills them.
class Series {
 public:
  Series(absl::string_view labels, prometheus::MetricFamily* family) : labels_(labels), family_(family) {}
  // The values of the row's labels, in their order.
  void Add(std::initializer_list<absl::string_view> label_values, double value);

 private:
  absl::string_view labels_;  // by commas
  prometheus::MetricFamily* family_;
};

enum class MetricType : uint8_t { kCounter, kGauge };

struct Metric {
  absl::string_view name;
  MetricType type;
  absl::string_view unit;    // "records", "bytes"; "": a number that counts nothing, such as 0 or 1
  absl::string_view labels;  // by commas
  absl::string_view help;
  void (*collect)(const Scrape& scrape, Series* series);
};

absl::Span<const Metric> Metrics();

std::string MetricsText(const Scrape& scrape);
// The table as a document in Markdown.
std::string MetricsReference();

inline constexpr char kMetricsContentType[] = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_ADMIN_METRICS_H_
