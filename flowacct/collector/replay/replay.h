// Replays capture files through a pipeline: what `flowacct replay` does.
//
// Totals are exact whatever happens: if a file fails or the user interrupts, what was accounted until then is written,
// marked incomplete. Input that nothing could be read from at all writes nothing.
// Threads: runs on the caller's. Errors: options that cannot be, at once; what goes wrong later is in the outcome.

#ifndef FLOWACCT_COLLECTOR_REPLAY_REPLAY_H_
#define FLOWACCT_COLLECTOR_REPLAY_REPLAY_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "flowacct/collector/replay/capture_input.h"
#include "flowacct/pipeline/pipeline.h"

namespace flowacct::collector {

struct ReplayOptions {
  std::vector<std::string> files;
  CaptureInputOptions input;
  pipeline::PipelineOptions pipeline;
  // Write a bin as soon as the capture's time has passed its end by the aggregation's lateness, rather than at the end
  // of the input: memory stays that of the open bins, and records that come still later are counted as late.
  bool close_bins = false;
  // Asked after each batch; true ends the replay. May be empty.
  std::function<bool()> interrupted;
  // Told after each block. May be empty.
  std::function<void(const CaptureReader&)> progress;
};

struct ReplayOutcome {
  bool interrupted = false;
  // What failed: files, sinks. Empty: all is well.
  std::vector<absl::Status> failures;
  InputCounters input;
  int64_t last_time_nanos = 0;  // of the last packet, since 1970
  uint64_t records = 0;  // decoded: what every aggregation was given, to account, to filter out or to find too late
  uint64_t records_dropped = 0;  // of these, by enrichers: the aggregations were not given them
  uint64_t records_scaled = 0;
  uint64_t scaling_overflows = 0;
  uint64_t texts_refused = 0;  // names and other long values beyond the interner's bounds: shown as "(overflow)"
  std::vector<pipeline::AggregationCounters> aggregations;
  std::vector<record::ExporterReport> exporters;

  bool incomplete() const { return interrupted || !failures.empty(); }
};

absl::StatusOr<ReplayOutcome> Replay(ReplayOptions options);

// What a person wants to know of it, a line each, without a final newline: the identity (what came in, what was
// accounted, rejected, filtered), losses and repairs. The first is always there, the others if there is cause.
std::vector<std::string> Summary(const ReplayOutcome& outcome);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_REPLAY_REPLAY_H_
