// Rates from two samples of a collector's counters: so much a second between them.
//
// What is in both samples is matched by its name; what is new counts from zero, and so does all if the collector was
// started anew in between. A counter that went back has a rate of zero. Threads: plain values. Cost: linear.

#ifndef FLOWACCT_COLLECTOR_TOP_RATES_H_
#define FLOWACCT_COLLECTOR_TOP_RATES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "flowacct/collector/client/query_answer.h"
#include "flowacct/collector/server/collector_status.h"
#include "flowacct/record/exporter_report.h"

namespace flowacct::collector {

// All of these a second, in the order of the later sample.
struct InputRates {
  double received = 0;
  double octets = 0;
  double records = 0;
  double kernel_dropped = 0;
  double rejected = 0;
};

struct SinkRates {
  double rows = 0;
  double rows_lost = 0;
};

struct PipelineRates {
  double records = 0;
  double aggregated = 0;
  double filtered = 0;
  double dropped = 0;
  double late = 0;
  double overflowed = 0;
  double packets = 0;
  double bytes = 0;
  std::vector<SinkRates> sinks;
};

struct ReceiverRates {
  double sent = 0;
  double dropped = 0;
  double errors = 0;
};

struct StatusRates {
  absl::Duration elapsed;
  std::vector<InputRates> inputs;
  std::vector<PipelineRates> pipelines;
  std::vector<std::vector<ReceiverRates>> replicas;
  InputRates total;      // over the inputs
  double cpu_share = 0;  // of one CPU; set by RatesOf's caller where the process is known
};

// Between two samples of one collector; null `before`: since it was started.
StatusRates RatesOf(const CollectorStatus* before, const CollectorStatus& now);

struct ExporterRates {
  std::string exporter;
  std::string protocol;
  uint32_t domain = 0;
  double datagrams = 0;
  double octets = 0;
  double records = 0;
  double errors = 0;
  double lost = 0;  // in `unit`
  uint64_t lost_total = 0;
  std::string unit;  // of sequence numbers; empty: there are none
  double coverage = 1;
};

// The busiest first; of equals the one that came first. With no `elapsed` all rates are zero.
std::vector<ExporterRates> RatesOf(const std::vector<record::ExporterReport>& before,
                                   const std::vector<record::ExporterReport>& now, absl::Duration elapsed);

// Of each row how fast its `column` grew, by the row's other values that are no counters; negative: not known, since
// the group is new or a new bin began.
std::vector<double> RatesOf(const QueryAnswer& before, const QueryAnswer& now, size_t column, absl::Duration elapsed);

// Three digits and a prefix: "0", "0.25", "7", "123", "1.23k", "45.6M".
std::string RateText(double rate);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_TOP_RATES_H_
