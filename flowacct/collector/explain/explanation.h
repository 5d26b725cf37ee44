// Where each field of a record comes from: what `flowacct explain` tells.
//
//     ExplainOptions options;  options.files = {"exports.pcap"};  options.record = 17;
//     Explanation explanation = *Explain(options);
//     std::cout << ExplanationAsText(explanation);
//
// The captures are decoded up to the record, so that templates, options and fragments are known as they were; then the
// enrichers of the pipeline apply to a batch of that record alone, one at a time, and what each changed is told of it.
// Guaranteed: the last value of each field is the pipeline's: all enrichers apply to a copy too, and what their steps
// do not account for is a step of its own; src_net and dst_net are told as an aggregation by them has them. A step that
// gave a field the value that it had is not told. Threads: runs on the caller's. Errors: options that cannot be, at
// once; what fails later is in the explanation. Cost: decodes every field of the captures; with `where` enriches each
// record alone, some microseconds each.

#ifndef FLOWACCT_COLLECTOR_EXPLAIN_EXPLANATION_H_
#define FLOWACCT_COLLECTOR_EXPLAIN_EXPLANATION_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "flowacct/collector/replay/capture_input.h"
#include "flowacct/enrich/geoip/geo_database.h"
#include "flowacct/enrich/networks.h"
#include "flowacct/enrich/networks_enricher.h"
#include "flowacct/enrich/routes/asked_table.h"
#include "flowacct/enrich/routes/routes_enricher.h"
#include "flowacct/enrich/rules/rules.h"
#include "flowacct/enrich/sampling_scaler.h"
#include "flowacct/enrich/services.h"
#include "flowacct/record/exporter_report.h"
#include "flowacct/record/field.h"

namespace flowacct::collector {

struct ExplainOptions {
  std::vector<std::string> files;
  CaptureInputOptions input;
  // The record of that number, from 1, over all files in the order of decoding; 0: the first `limit` that `where`
  // (filter/filter.h) selects after all steps, none of those that rules drop.
  uint64_t record = 0;
  std::string where;
  size_t limit = 1;
  // What is told; those that a record has not with the reason. Empty: all that it has.
  std::vector<record::FieldId> fields;
  // What enriches, in the order in which it applies. Empty: it does not.
  std::optional<enrich::RouteTables> routes;
  std::shared_ptr<const void> routes_owner;
  enrich::RoutesOptions routes_options;
  std::shared_ptr<const enrich::Networks> networks;
  std::string networks_name;
  enrich::NetworksPolicy networks_policy = enrich::NetworksPolicy::kFill;
  std::vector<std::pair<std::string, std::shared_ptr<const enrich::GeoDatabase>>> geoip;  // name, database
  std::shared_ptr<const enrich::Services> services;
  std::string services_name;
  std::vector<enrich::RulesFile> rules;
  bool scale_sampled = true;
  enrich::SamplingScalerOptions sampling;
  std::function<bool()> interrupted;  // as ReplayOptions
  std::function<void(const CaptureReader&)> progress;
};

// A value as text and as JSON; both empty: absent.
struct ExplainedValue {
  std::string text, json;
};

// What of the datagram, sample or packet a value was made of.
struct ExplainedElement {
  std::string name;             // "sourceIPv4Address", "sampled_header.headers.ipv4.source"
  std::optional<uint32_t> pen;  // of the registry's: 0 IANA
  uint16_t id = 0;              // with pen
  size_t position = 0;          // which field of the template; 0: it is within a list or header
  std::optional<size_t> offset;
  std::string octets;
  bool converted = false;  // reads otherwise: a time of another unit, say
};

struct ExplainedStep {
  std::string by;        // "decoder", "routes", "networks", "geoip", "services", "rules", "sampling", "key", "pipeline"
  std::string detail;    // for people
  ExplainedValue value;  // after it
  std::optional<ExplainedElement> element;
};

struct ExplainedField {
  record::FieldId field{};
  std::vector<ExplainedStep> steps;  // the last has the value; none: it was asked for, and is absent
  std::string absent;                // then, why
};

// Where a record of NetFlow v9 or IPFIX is in its message.
struct ExplainedSet {
  size_t number = 0;  // from 1
  size_t offset = 0;  // of its header
  size_t octets = 0;  // with it
};

struct ExplainedRecord {
  uint64_t number = 0;
  std::string file;
  std::string unit;          // "datagram" or "packet"
  uint64_t unit_number = 0;  // in its capture
  size_t octets = 0;         // of it
  int64_t time_nanos = 0;
  std::string protocol;    // "netflow9"; empty for packets
  base::IpAddress source;  // and port, of the datagram
  uint16_t source_port = 0;
  bool reverse = false;                                    // the second row of a biflow
  uint16_t template_id = 0;                                // 0: there is none
  std::optional<record::TemplateReport> format;            // what is known of the template
  std::vector<record::SamplingReport> sampling;            // what the exporter told until then
  std::vector<ExplainedField> fields;                      // in the order of the registry
  std::vector<std::pair<std::string, std::string>> rules;  // that were met, in order: place, text
  std::optional<ExplainedSet> set;
  std::optional<size_t> offset;  // of the record's first field in the datagram or packet
  bool held = false;             // came in an earlier datagram and waited for its template
  base::IpAddress exporter;
  uint64_t domain = 0;
  std::vector<enrich::AskedTable> destination_routes, source_routes;
  std::string dropped_by;  // the rule; empty: it was not dropped
};

struct Explanation {
  std::vector<ExplainedRecord> records;
  uint64_t records_seen = 0;  // of all files, unless it was found before their end
  bool complete = false;      // all that was asked for was found
  bool interrupted = false;
  std::vector<absl::Status> failures;
};

absl::StatusOr<Explanation> Explain(ExplainOptions options);

std::string ExplanationAsText(const Explanation& explanation);
// One JSON object a record, a line each.
std::string ExplanationAsJson(const Explanation& explanation);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_EXPLAIN_EXPLANATION_H_
