// What a decoder has learned of one exporter: for `inspect`, for metrics and for people who look for losses.
//
// A copy, made on request; never on the path of a datagram.

#ifndef FLOWACCT_RECORD_EXPORTER_REPORT_H_
#define FLOWACCT_RECORD_EXPORTER_REPORT_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "flowacct/base/decode_result.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/record/field.h"
#include "flowacct/record/flow_decoder.h"

namespace flowacct::record {

// Sequence numbers followed over one exporter's domain. What is lost is an estimate: a gap that later fills counts as
// reordered, and a jump that is too large to be a loss counts as a restart.
struct SequenceReport {
  std::string unit;  // what the numbers count: "records", "datagrams", "samples"; empty: there are none
  uint64_t gaps = 0;
  uint64_t lost = 0;  // in `unit`
  uint64_t reordered = 0;
  uint64_t restarts = 0;
};

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

struct ExporterReport {
  base::IpAddress exporter;
  uint32_t domain = 0;   // observation domain, source id, engine, sub-agent
  std::string protocol;  // "netflow5", "netflow9", "ipfix", "sflow5"
  uint64_t datagrams = 0;
  uint64_t octets = 0;
  uint64_t flow_records = 0;
  uint64_t counter_records = 0;
  uint64_t option_records = 0;
  // Data records that were dropped because no template came in time or a bound was met, where their number is known;
  // else sets.
  uint64_t rejected_sets = 0;
  uint64_t pending_sets = 0;   // held, waiting for their template
  uint64_t clock_repairs = 0;  // times that could not be and were replaced
  uint64_t misfits = 0;        // values that did not fit their field, which is absent then
  SequenceReport sequence;
  SequenceReport sample_sequence;  // sFlow: the samples of all sources, each of which has numbers of its own
  std::vector<TemplateReport> templates;
  std::vector<SamplingReport> sampling;
  std::vector<std::pair<uint32_t, std::string>> interfaces;  // index, name
  base::DecodeCounters errors;                               // by reason; kOk counts datagrams that were whole
};

}  // namespace flowacct::record

#endif  // FLOWACCT_RECORD_EXPORTER_REPORT_H_
