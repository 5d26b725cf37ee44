// One thread that receives, decodes, enriches and aggregates what its sources bring: an exporter always reaches the
// same worker, so that its templates, names and partial aggregates are the worker's own and nothing is locked.
//
// What leaves a worker: partial bins, to the pipelines' mergers, when a bin's time is over, and whenever somebody asks
// (Flush): before a reload, for a question, for a checkpoint. So a change of pipelines, of the layout or of the
// interner is one and the same step: hand over what is open, begin anew; decoders keep what they know of exporters.
//
// Exact: each record that a source brings is in exactly one counter of each pipeline that its input reaches, over
// reloads too. Threads: Call runs a function on the worker's thread, between two batches. Errors: sources'.
// Cost: nothing is allocated a datagram or record in steady state.

#ifndef FLOWACCT_COLLECTOR_SERVER_WORKER_H_
#define FLOWACCT_COLLECTOR_SERVER_WORKER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/mutex.h"
#include "flowacct/collector/listen/admission.h"
#include "flowacct/collector/listen/poller.h"
#include "flowacct/collector/replicate/replicator.h"
#include "flowacct/collector/server/bin_merger.h"
#include "flowacct/collector/server/collector_status.h"
#include "flowacct/collector/server/input_decoder.h"
#include "flowacct/collector/server/plan.h"
#include "flowacct/collector/server/source.h"
#include "flowacct/pipeline/pipeline.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/layout.h"

namespace flowacct::collector {

// What all workers account by: a plan, and who merges each of its pipelines.
struct Assignment {
  std::shared_ptr<const Plan> plan;
  std::vector<std::shared_ptr<BinMerger>> mergers;  // by pipeline
};

struct WorkerOptions {
  size_t index = 0;
  base::InternerOptions interner;
  // Told on the worker's thread when all its sources have ended. May be empty.
  std::function<void()> on_end;
  // The clock, nanoseconds since 1970; for tests. Empty: the system's.
  std::function<int64_t()> clock;
};

// What a worker counted of a pipeline, over all reloads.
struct PipelineTally {
  uint64_t records_in = 0;
  uint64_t records_dropped = 0;
  uint64_t records_held = 0;  // now, by enrichers
  uint64_t records_filtered = 0;
  uint64_t records_aggregated = 0;
  uint64_t records_overflowed = 0;
  uint64_t records_late = 0;
  uint64_t packets = 0;
  uint64_t bytes = 0;
  uint64_t open_groups = 0;
  uint64_t open_octets = 0;
  std::vector<pipeline::EnricherCounters> enrichment;

  PipelineTally& operator+=(const PipelineTally& other);
};

class Worker {
 public:
  static absl::StatusOr<std::unique_ptr<Worker>> New(WorkerOptions options);
  // Stops.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Before Start, or within Call. `input` is the index in the plan's configuration; a worker may have several sources
  // of one input.
  absl::Status AddSource(size_t input, std::unique_ptr<Source> source);
  // From now on by this assignment; `kept[i]` is the old index of the input that has index i now, or SIZE_MAX. Sources
  // of inputs that are gone are closed.
  absl::Status Adopt(std::shared_ptr<const Assignment> assignment, const std::vector<size_t>& kept_inputs);

  void Start();
  // Reads what the kernel still holds, hands over all bins, and ends the thread.
  void Stop();
  // Runs `call` on the worker's thread between two batches (or here, if it does not run) and waits for it.
  void Call(const std::function<void()>& call);
  // When the thread last looked at its sources, by the system's clock. Any thread.
  int64_t last_round_nanos() const { return last_round_nanos_; }

  // The rest within Call.
  // Of the input's source that can be read again, if it is this worker's: how far it was read. All of that is with the
  // mergers after Flush. See Source.
  std::string position(size_t input) const;
  bool wants_checkpoint() const;
  void NoteKept(size_t input, const std::string& position, bool is_end);
  // Of the captures that are read, by whose time things go; nothing where the clock counts.
  std::optional<int64_t> capture_nanos() const;
  // Hands all open bins to the mergers.
  void Flush();
  // The same, with what meters and enrichers hold, and records of sessions: nothing is left inside.
  void DrainAndFlush();
  void AddTo(std::vector<InputStatus>* inputs) const;
  void AddTo(std::vector<ReplicaStatus>* replicas) const;
  PipelineTally tally(size_t pipeline) const;
  // What is known of exporters; without `details`, their counters alone. With the sums of inputs that are no more.
  // What is known of the exporters of an input, and back: of a worker that has heard of none yet.
  std::string SaveDecoder(size_t input) const { return inputs_[input].decoder->exports().SaveState(); }
  absl::StatusOr<record::RestoredState> RestoreDecoder(size_t input, base::Octets state) {
    return inputs_[input].decoder->exports().RestoreState(state);
  }
  void AppendReports(bool details, std::vector<record::ExporterReport>* reports) const;

 private:
  struct InputState {
    std::unique_ptr<InputDecoder> decoder;
    std::unique_ptr<Admission> admission;    // null: all are heard
    std::unique_ptr<Replicator> replicator;  // null: nothing is replicated
    std::vector<std::unique_ptr<Source>> sources;
    uint64_t records = 0;
  };
  struct Group {
    const PipelineGroup* plan;
    std::unique_ptr<pipeline::Pipeline> pipeline;
  };

  Worker(WorkerOptions options, std::unique_ptr<Poller> poller);
  void Run();
  void RunCalls();
  // False if there was nothing.
  bool ReadSource(size_t input, Source* source);
  bool ReadAll();
  void ProcessBatch(size_t input);
  void CloseBins(int64_t now_nanos);
  absl::Status MakePipelines();
  void RetirePipelines();
  void RetireDecoder(const InputDecoder& decoder);
  void DrainMeters();
  void RotateInterner();
  int64_t Now() const;
  void Tick();
  // Admission and replication as the assignment has them.
  absl::Status SetInputs();

  const WorkerOptions options_;
  std::shared_ptr<const Assignment> assignment_;
  std::shared_ptr<base::Interner> interner_;
  std::unique_ptr<record::Layout> layout_;
  std::unique_ptr<record::FlowBatch> batch_;
  std::unique_ptr<record::FlowBatch> copy_;  // for all groups but the last
  std::vector<InputState> inputs_;
  std::vector<Group> groups_;
  std::vector<int64_t> next_close_nanos_;                    // by pipeline
  absl::flat_hash_map<std::string, PipelineTally> tallies_;  // of pipelines that were replaced, by name
  std::vector<record::ExporterCounters> retired_;            // of inputs that are no more, by protocol
  int64_t now_nanos_ = 0;
  int64_t input_nanos_ = 0;  // of what is read: the clock's, or a capture's
  int64_t next_tick_nanos_ = 0;
  bool told_end_ = false;

  std::unique_ptr<Poller> poller_;
  base::Mutex mutex_;
  std::vector<std::function<void()>> calls_ ABSL_GUARDED_BY(mutex_);
  std::atomic<bool> stopping_{false};
  std::atomic<int64_t> last_round_nanos_{0};
  bool running_ = false;
  std::thread thread_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_WORKER_H_
