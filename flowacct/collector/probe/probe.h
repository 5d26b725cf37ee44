// Runs a probe over capture files: packets to flows (meter/), flows to export datagrams (sink/export), datagrams to a
// capture or to a collector. What `flowacct meter` does.
//
// Captures of exports are metered, too: their records are taken for packets. With sFlow nothing is metered: each packet
// is a sample. Time is the captures'. Exact: packets decoded = packets in flows + passed over by sampling; rows of
// flows = exported + refused + lost, each counted. If a file fails or the user interrupts, what was metered until then
// is exported. Threads: runs on the caller's. Errors: options that cannot be, at once; what goes wrong later is in the
// outcome.

#ifndef FLOWACCT_COLLECTOR_PROBE_PROBE_H_
#define FLOWACCT_COLLECTOR_PROBE_PROBE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "flowacct/collector/replay/capture_input.h"
#include "flowacct/meter/flow_meter.h"
#include "flowacct/sink/export/export_encoder.h"
#include "flowacct/sink/export/export_options.h"

namespace flowacct::collector {

struct ProbeOptions {
  std::vector<std::string> files;
  CaptureInputOptions input;
  // The fields that the export tells and that are no key are added.
  meter::MeterOptions meter;
  // sampling_rate: that of the captures; what `sample` says multiplies it.
  sink::ExportOptions exports;
  // Of the packets of the captures one in so many is looked at, at random.
  uint32_t sample = 1;
  // A capture file ("-" is standard output), or a collector: "udp://192.0.2.1:4739", for IPFIX also "tcp://...".
  std::string output;
  // Over UDP; 0: as fast as it goes.
  uint32_t datagrams_per_second = 20000;
  // Asked after each block; true ends the run. May be empty.
  std::function<bool()> interrupted;
  // Told after each block. May be empty.
  std::function<void(const CaptureReader&)> progress;
};

struct ProbeOutcome {
  bool interrupted = false;
  // What failed: files, the output. Empty: all is well.
  std::vector<absl::Status> failures;
  InputCounters input;
  uint64_t records = 0;      // decoded
  uint64_t passed_over = 0;  // of these, by sampling
  meter::MeterCounters meter;
  sink::ExportCounters exports;
};

absl::StatusOr<ProbeOutcome> RunProbe(ProbeOptions options);

// What a person wants to know of it, a line each, without a final newline. The first is always there, the others if
// there is cause.
std::vector<std::string> Summary(const ProbeOutcome& outcome);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_PROBE_PROBE_H_
