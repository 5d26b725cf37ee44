// What a decoder has learned of one exporter, in full: for `inspect` and for people who look for losses.
//
// A copy, made on request; never on the path of a datagram. Where numbers are enough: exporter_counters.h.

#ifndef FLOWACCT_RECORD_EXPORTER_REPORT_H_
#define FLOWACCT_RECORD_EXPORTER_REPORT_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "flowacct/record/exporter_counters.h"
#include "flowacct/record/field.h"
#include "flowacct/record/flow_decoder.h"

namespace flowacct::record {

struct TemplateFieldReport {
  std::string name;
  uint16_t length = 0;  // 65535: variable
  bool scope = false;
};

struct TemplateReport {
  uint16_t id = 0;
  RecordKind kind = RecordKind::kFlow;
  std::vector<TemplateFieldReport> fields;
  uint64_t records = 0;
  uint64_t definitions = 0;    // how often it came
  uint64_t redefinitions = 0;  // of these, with other fields
};

struct SamplingReport {
  std::string what;  // "all", "selector 3", "interface 12"
  uint64_t rate = 1;
  SamplingSource source = SamplingSource::kNone;
};

struct ExporterReport : ExporterCounters {
  ExporterReport() = default;
  explicit ExporterReport(const ExporterCounters& counters) : ExporterCounters(counters) {}

  std::vector<TemplateReport> templates;
  std::vector<SamplingReport> sampling;
  std::vector<std::pair<uint32_t, std::string>> interfaces;  // index, name
};

}  // namespace flowacct::record

#endif  // FLOWACCT_RECORD_EXPORTER_REPORT_H_
