#include "flowacct/collector/admin/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "flowacct/record/value_text.h"

namespace flowacct::collector {
namespace {

absl::string_view TypeName(MetricType type) { return type == MetricType::kCounter ? "counter" : "gauge"; }

prometheus::MetricType TypeOf(MetricType type) {
  return type == MetricType::kCounter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
}

}  // namespace

void Series::Add(std::initializer_list<absl::string_view> label_values, double value) {
  prometheus::ClientMetric& metric = family_->metric.emplace_back();
  metric.label.reserve(label_values.size());
  auto text = label_values.begin();
  for (absl::string_view name : absl::StrSplit(labels_, ',', absl::SkipEmpty())) {
    if (text == label_values.end()) break;
    prometheus::ClientMetric::Label& label = metric.label.emplace_back();
    label.name.assign(name.data(), name.size());
    // Label values are UTF-8 by the format.
    record::AppendUtf8(*text++, &label.value);
  }
  if (family_->type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
}

std::string MetricsText(const Scrape& scrape) {
  std::vector<prometheus::MetricFamily> families;
  for (const Metric& row : Metrics()) {
    prometheus::MetricFamily family;
    family.name.assign(row.name.data(), row.name.size());
    family.help.assign(row.help.data(), row.help.size());
    family.type = TypeOf(row.type);
    Series series(row.labels, &family);
    row.collect(scrape, &series);
    if (!family.metric.empty()) families.push_back(std::move(family));
  }
  return prometheus::TextSerializer().prometheus::Serializer::Serialize(families);
}

std::string MetricsReference() {
  std::string out =
      "# Metrics of flowacct-collector\n\n"
      "Written by `tools/metrics_reference` from the table in `flowacct/collector/admin/metrics.def`; do not edit.\n\n"
      "`GET /metrics` tells them in Prometheus' text format. A counter counts from the collector's start and never "
      "goes back, also over a reload. Values are exact up to 2^53; [the API](api.md) tells whole numbers of 64 bits. "
      "Only the first 1000 exporters (an option) have series of their own: what the others sum to is told with "
      "`exporter=\"others\"`, and how many they are by `flowacct_exporters_summed`.\n\n"
      "Worth an alarm: `flowacct_ready == 0`, `flowacct_identity_broken > 0`, and a `rate()` above zero of "
      "`flowacct_input_kernel_dropped_total`, `flowacct_input_rejected_total`, `flowacct_sink_rows_lost_total` or "
      "`flowacct_reloads_failed_total`.\n\n"
      "| metric | type | unit | labels | |\n| --- | --- | --- | --- | --- |\n";
  for (const Metric& row : Metrics()) {
    const std::vector<absl::string_view> labels = absl::StrSplit(row.labels, ',', absl::SkipEmpty());
    absl::StrAppend(&out, "| `", row.name, "` | ", TypeName(row.type), " | ", row.unit, " | ",
                    absl::StrJoin(labels, ", ",
                                  [](std::string* o, absl::string_view label) { absl::StrAppend(o, "`", label, "`"); }),
                    " | ", row.help, " |\n");
  }
  return out;
}

}  // namespace flowacct::collector
