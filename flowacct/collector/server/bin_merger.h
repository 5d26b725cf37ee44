// Brings together what the workers accounted for one pipeline: takes their partial bins, closes a bin when every worker
// has passed its end, and hands it to the sinks. A thread of its own, so that merging costs the flow path nothing.
//
// A partial is what a worker had of some bins, an Aggregator without a thread; handing one over is a few pointers. A
// worker may hand over a bin in several parts (at a reload, a query, a checkpoint); they are merged here. A bin that
// was closed and comes again is a correction: sinks add it to what they wrote. Each batch has an identity: the same one
// if the bin is closed again after a crash; a correction has one that no other has. Exact: each group of each partial
// ends in exactly one batch, and each batch is handed to every sink. Ownership: owns partials, closed bins and sinks.
// Threads: any may call. Errors: sinks' (sink_queue.h). Cost: of a bin with one part nothing; else one merge a part
// (aggregator.h), on this thread.

#ifndef FLOWACCT_COLLECTOR_SERVER_BIN_MERGER_H_
#define FLOWACCT_COLLECTOR_SERVER_BIN_MERGER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/aggregate/aggregator.h"
#include "flowacct/base/mutex.h"
#include "flowacct/collector/server/sink_queue.h"

namespace flowacct::collector {

struct BinMergerOptions {
  std::string name;
  // Of whom batches say that they are (aggregate::BatchIdentity).
  std::string collector;
  // As the workers', so that partials merge, and such that an aggregator can be made of them.
  aggregate::AggregatorOptions aggregator;
  size_t workers = 1;
  // Closed bins that are kept for questions.
  size_t kept_bins = 0;
  // Another merger, of another process, has the same records: batches of both have the same identity. One that this
  // merger may have only a part of, because its bin was open when it began, waits for the width of a bin, so that the
  // other's counts if there is one.
  bool redundant = false;
  // Bins that are over stay until a checkpoint has them (StartCheckpoint), and are handed to the sinks by Release: what
  // is read again after a crash is in no bin that was written.
  bool closes_at_checkpoints = false;
  // All sinks are done with the bins that end by this (nanoseconds since 1970); never goes back. Told on a thread of
  // the sinks or of the merger. May be empty.
  std::function<void(int64_t end_nanos)> on_written;
};

struct BinMergerCounters {
  uint64_t bins_closed = 0;  // corrections beside
  uint64_t corrections = 0;
  uint64_t partials = 0;
  uint64_t groups_waiting = 0;  // of bins that are not closed, at this moment
};

class BinMerger {
 public:
  BinMerger(BinMergerOptions options, std::vector<std::unique_ptr<SinkQueue>> sinks);
  // As Close(absl::ZeroDuration()).
  ~BinMerger();
  BinMerger(const BinMerger&) = delete;
  BinMerger& operator=(const BinMerger&) = delete;

  const std::string& name() const { return options_.name; }
  const aggregate::Schema& schema() const { return prototype_->schema(); }

  // `partial` may be null. The worker hands over nothing more, but late records, of bins that end by the lateness
  // before `passed`.
  void Deliver(size_t worker, std::unique_ptr<aggregate::Aggregator> partial, absl::Time passed);

  // Runs `ask` on the merger's thread, after all that was delivered before, with the kept bins, oldest first, and what
  // is open, null if nothing is; waits for it.
  using Bins = std::deque<std::shared_ptr<const aggregate::AggregateBatch>>;
  void Ask(const std::function<void(Bins& kept, aggregate::Aggregator* open)>& ask);

  // Sinks of another configuration, in place of these; what waits in the old ones is written first, with `patience`.
  void ReplaceSinks(std::vector<std::unique_ptr<SinkQueue>> sinks, size_t kept_bins, absl::Duration patience);

  // Of the identity of batches. Begins with this merger, or, set before anything is delivered, with whoever kept the
  // bins that it restores.
  uint64_t run() const { return run_; }
  void set_run(uint64_t run) {
    if (!options_.redundant) run_ = run;
  }

  // What is open as octets, for Restore: after all that was delivered before. FailedPrecondition: sinks are not done
  // with bins that were closed, which are not among what is open; then what was saved before is the better state.
  absl::StatusOr<std::string> Save();
  // Goes on with what another merger of the same options saved, but for bins that end by `written_through`. Before
  // anything is delivered. Errors: as Aggregator::RestoreState; then nothing is restored.
  absl::StatusOr<aggregate::Aggregator::Restored> Restore(absl::string_view state, int64_t written_through);

  // A checkpoint of a merger that closes at them: all that was delivered before, and nothing that is delivered after.
  // Bins that are over are in it and closed with it, and wait for Release, which comes when it is kept.
  struct Checkpoint {
    base::Notification done;
    // The rest is there when it is done.
    absl::StatusOr<std::string> state = absl::FailedPreconditionError("the collector is stopping");
    int64_t due_nanos = INT64_MIN;  // bins that end by this are over
    uint64_t last_correction = 0;
  };
  std::shared_ptr<Checkpoint> StartCheckpoint();
  void Release();
  // Sinks are done with all that was closed: only then is a checkpoint to be made.
  bool is_written() const { return *unwritten_ == 0; }
  // A bin is over and waits for a checkpoint.
  bool is_due() const { return due_; }
  // Goes on with it: what was over is closed as it was then, with the same identity, and handed to the sinks, but for
  // bins that end by `written_through`. As Restore.
  absl::StatusOr<aggregate::Aggregator::Restored> RestoreCheckpoint(absl::string_view state, int64_t due_nanos,
                                                                    uint64_t last_correction, int64_t written_through);

  // Closes all bins and writes them, with `patience` for each sink; false if one was left behind. If there is a `keep`,
  // open bins are given to it as of Save first, and are not closed if it says that it has kept them.
  using Keep = std::function<bool(absl::string_view state)>;
  bool Close(absl::Duration patience, const Keep& keep = nullptr);

  BinMergerCounters counters() const;
  std::vector<SinkStatus> sink_status() const;

 private:
  struct Delivery {
    size_t worker = 0;
    std::unique_ptr<aggregate::Aggregator> partial;
    absl::Time passed;
    std::function<void()> ask;
  };

  void Run();
  void Take(Delivery delivery);
  // Makes one of all partials; null if there are none.
  aggregate::Aggregator* MergeAll();
  void CloseBefore(absl::Time passed);
  bool IsDue(absl::Time passed) const;
  // Without those that end by `written_through`.
  void HandOn(std::vector<aggregate::AggregateBatch> batches, int64_t written_through = INT64_MIN);
  void ReleaseClosed();
  void GiveToSinks(std::shared_ptr<const aggregate::AggregateBatch> batch);
  // Of those that may be parts: those that have waited when the workers are at `passed`.
  void ReleaseParts(absl::Time passed);
  uint64_t NumberOf(const aggregate::AggregateBatch& batch);
  // Runs on the merger's thread, after what was delivered before; false: it is closing.
  bool OnThread(std::function<void()> call);
  absl::StatusOr<std::string> StateOctets();
  bool HasWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return closing_ || !deliveries_.empty(); }

  const BinMergerOptions options_;
  const std::unique_ptr<aggregate::Aggregator> prototype_;  // for its schema

  mutable base::Mutex mutex_;
  std::deque<Delivery> deliveries_ ABSL_GUARDED_BY(mutex_);
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  BinMergerCounters counters_ ABSL_GUARDED_BY(mutex_);
  // Closed bins that sinks are not done with. Shared with these, which may outlive the merger.
  std::shared_ptr<std::atomic<size_t>> unwritten_ = std::make_shared<std::atomic<size_t>>(0);

  mutable base::Mutex sinks_mutex_;
  std::vector<std::unique_ptr<SinkQueue>> sinks_ ABSL_GUARDED_BY(sinks_mutex_);

  // Of the thread alone.
  std::vector<std::unique_ptr<aggregate::Aggregator>> partials_;
  std::vector<absl::Time> passed_;  // by worker
  Keep keep_;                       // set before closing_
  int64_t closed_through_nanos_ = INT64_MIN;
  Bins kept_;
  size_t kept_bins_;
  uint64_t last_correction_ = 0;
  std::deque<std::shared_ptr<const aggregate::AggregateBatch>> parts_;
  std::deque<std::shared_ptr<const aggregate::AggregateBatch>> closed_;  // that wait for Release

  const absl::Time began_;
  std::atomic<uint64_t> run_;
  std::atomic<bool> due_{false};

  std::thread thread_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_BIN_MERGER_H_
