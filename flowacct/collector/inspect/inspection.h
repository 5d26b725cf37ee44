// What is in captures, without accounting them: what `flowacct inspect` tells.
//
// Threads: runs on the caller's. Errors: as Replay: what fails is told beside what was found until then.

#ifndef FLOWACCT_COLLECTOR_INSPECT_INSPECTION_H_
#define FLOWACCT_COLLECTOR_INSPECT_INSPECTION_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "flowacct/collector/replay/capture_input.h"
#include "flowacct/record/exporter_report.h"

namespace flowacct::collector {

struct InspectOptions {
  std::vector<std::string> files;
  CaptureInputOptions input;
  // Errors told one by one; the counts have all of them.
  size_t max_errors = 20;
  std::function<bool()> interrupted;  // as ReplayOptions
  std::function<void(const CaptureReader&)> progress;
};

struct InspectedFile {
  std::string name;
  std::string format;       // "pcap", "pcapng", "ipfix-file"
  std::string compression;  // "none", "gzip", "zstd"
  CaptureKindEvidence evidence;
  uint64_t packets = 0;
  int64_t first_nanos = 0;
  int64_t last_nanos = 0;
  std::vector<uint16_t> link_types;  // each once
};

struct InspectedError {
  std::string file;
  std::string unit;  // "datagram" or "packet"
  uint64_t number = 0;
  std::string protocol;
  base::IpAddress source;
  base::DecodeResult result;
};

struct TrafficSums {
  uint64_t records = 0;
  uint64_t packets = 0;  // as told, not scaled
  uint64_t bytes = 0;
};

struct Inspection {
  std::vector<InspectedFile> files;
  std::vector<absl::Status> failures;
  bool interrupted = false;
  InputCounters input;
  std::map<uint8_t, TrafficSums> by_protocol;
  TrafficSums without_protocol;
  uint64_t counter_rows = 0;
  std::vector<record::ExporterReport> exporters;
  std::vector<InspectedError> errors;
};

Inspection Inspect(const InspectOptions& options);

std::string InspectionAsText(const Inspection& inspection);
// One JSON object on one line.
std::string InspectionAsJson(const Inspection& inspection);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_INSPECT_INSPECTION_H_
