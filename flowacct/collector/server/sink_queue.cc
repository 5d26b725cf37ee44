#include "flowacct/collector/server/sink_queue.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "flowacct/base/mutex.h"

namespace flowacct::collector {
namespace {

using Batch = std::shared_ptr<const aggregate::AggregateBatch>;

// How often somebody looks whether the spool has what another queue gave back, or the disk works again.
constexpr absl::Duration kSpoolPause = absl::Seconds(1);

// Errors that are of the batch, and stay so.
bool IsOfTheBatch(const absl::Status& status) {
  return absl::IsInvalidArgument(status) || absl::IsUnimplemented(status) || absl::IsOutOfRange(status);
}

}  // namespace

struct SinkQueue::State {
  std::unique_ptr<sink::Sink> sink;
  SinkQueueOptions options;

  base::Mutex mutex;
  std::deque<Batch> waiting ABSL_GUARDED_BY(mutex);  // in memory
  SinkStatus status ABSL_GUARDED_BY(mutex);
  size_t in_hand ABSL_GUARDED_BY(mutex) = 0;    // neither in `waiting` nor in the spool, not done
  uint64_t spooled ABSL_GUARDED_BY(mutex) = 0;  // changes when the spool may have something new
  bool closing ABSL_GUARDED_BY(mutex) = false;
  bool keeping ABSL_GUARDED_BY(mutex) = false;    // the keeper has not ended
  bool abandoned ABSL_GUARDED_BY(mutex) = false;  // patience is at its end
  bool closed ABSL_GUARDED_BY(mutex) = false;

  uint64_t rows_lost = 0;  // that the sink told of; the thread's own

  // Once the sink was called: what it lost of what it had taken.
  void TakeLoss() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    const uint64_t lost = sink->rows_lost() - rows_lost;
    rows_lost += lost;
    status.rows_lost += lost;
    status.rows_written -= std::min(lost, status.rows_written);
  }

  void Drop() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    ++status.dropped;
    status.rows_lost += waiting.front()->size();
    waiting.pop_front();
  }

  void Count(const Spool::Losses& losses) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    status.dropped += losses.dropped;
    status.rows_lost += losses.rows;
  }

  // Takes the oldest in memory in hand, once there is one; null: none comes any more.
  Batch Next() {
    base::MutexLock lock(&mutex);
    mutex.Await([this] {
      mutex.AssertHeld();
      return closing || !waiting.empty();
    });
    if (waiting.empty()) return nullptr;
    Batch batch = std::move(waiting.front());
    waiting.pop_front();
    ++in_hand;
    return batch;
  }

  // Tells an error if it is the first after none. Empty: all is well again.
  void Tell(const absl::Status& error) {
    bool tell = false;
    {
      base::MutexLock lock(&mutex);
      tell = !error.ok() && status.last_error.empty();
      status.last_error = std::string(error.message());
    }
    if (tell && options.on_error) options.on_error(error);
  }

  bool MayRetry(const absl::Status& error) const {
    return options.retry_after > absl::ZeroDuration() && !IsOfTheBatch(error);
  }
  absl::Status Write(const aggregate::AggregateBatch& batch);
  absl::Status WriteWithRetry(const aggregate::AggregateBatch& batch);
  bool WriteFromSpool();
};

SinkQueue::SinkQueue(std::unique_ptr<sink::Sink> sink, SinkQueueOptions options) : state_(std::make_shared<State>()) {
  state_->sink = std::move(sink);
  const bool spools = options.spool != nullptr;
  {
    base::MutexLock lock(&state_->mutex);
    state_->status.name = options.name;
    state_->keeping = spools;
    if (spools) state_->status.batches = options.spool->contents().batches;
  }
  state_->options = std::move(options);
  if (spools) keeper_ = std::thread(&SinkQueue::Keep, state_);
  thread_ = std::thread(&SinkQueue::Run, state_);
}

SinkQueue::~SinkQueue() {
  if (thread_.joinable()) Close(absl::ZeroDuration());
}

void SinkQueue::Push(Batch batch) {
  base::MutexLock lock(&state_->mutex);
  ++state_->status.batches;
  if (state_->waiting.size() >= state_->options.max_waiting) state_->Drop();
  state_->waiting.push_back(std::move(batch));
}

// From memory into the spool.
void SinkQueue::Keep(const std::shared_ptr<State>& state) {
  for (;;) {
    const Batch batch = state->Next();
    if (batch == nullptr) break;
    Spool& spool = *state->options.spool;
    const std::string octets = Spool::Encode(*batch);
    uint64_t number = 0;
    {
      base::MutexLock lock(&state->mutex);
      Spool::Losses losses;
      number = spool.Reserve(octets.size(), batch->size(), absl::Now(), &losses);
      state->Count(losses);
      if (number == 0) --state->in_hand;
    }
    bool done = number == 0;
    if (done) {
      state->Tell(
          absl::ResourceExhaustedError(absl::StrCat(spool.folder(), ": there is no room for a batch of ", octets.size(),
                                                    " octets; give the spool a larger max_size")));
    } else {
      const absl::Status status = spool.Write(number, octets);
      if (!status.ok()) state->Tell(status);
      // Noted before the sink can have it, so that a crash in between leaves it in the spool alone.
      if (status.ok() && state->options.on_done) state->options.on_done(*batch);
      base::MutexLock lock(&state->mutex);
      --state->in_hand;
      if (status.ok()) {
        spool.Publish(number);
        ++state->spooled;
      } else if (state->waiting.size() < state->options.max_waiting && !state->abandoned) {
        // Not on disk: it waits in memory, where it is the first to be dropped.
        state->waiting.push_front(batch);
        state->mutex.AwaitFor(
            [&state] {
              state->mutex.AssertHeld();
              return state->abandoned;
            },
            kSpoolPause);
      } else {
        done = true;
        ++state->status.dropped;
        state->status.rows_lost += batch->size();
      }
    }
    if (done && state->options.on_done) state->options.on_done(*batch);
  }
  base::MutexLock lock(&state->mutex);
  state->keeping = false;
}

absl::Status SinkQueue::State::Write(const aggregate::AggregateBatch& batch) {
  absl::Status status = sink->Write(batch);
  absl::Status trouble = status;
  if (status.ok()) {
    if (std::string text = sink->trouble(); !text.empty()) trouble = absl::DataLossError(text);
  }
  Tell(trouble);
  return status;
}

// Until the sink has it, says that it never will, or patience ends.
absl::Status SinkQueue::State::WriteWithRetry(const aggregate::AggregateBatch& batch) {
  for (absl::Duration pause = options.retry_after;; pause = std::min(2 * pause, options.longest_retry)) {
    absl::Status status = Write(batch);
    if (status.ok() || !MayRetry(status)) return status;
    base::MutexLock lock(&mutex);
    // Nobody waits for a store that is away while the program ends, if the spool has it all.
    const auto is_over = [this] {
      mutex.AssertHeld();
      return abandoned || (closing && options.spool != nullptr);
    };
    if (mutex.AwaitFor(is_over, pause)) return status;
  }
}

// The oldest of the spool; false: there is nothing to do now.
bool SinkQueue::State::WriteFromSpool() {
  Spool& spool = *options.spool;
  uint64_t number = 0;
  {
    base::MutexLock lock(&mutex);
    Spool::Losses losses;
    number = spool.Take(absl::Now(), &losses);
    Count(losses);
  }
  if (number == 0) return false;
  const uint64_t rows = spool.rows(number);
  const absl::StatusOr<aggregate::AggregateBatch> batch = spool.Read(number);
  const absl::Status outcome = batch.ok() ? WriteWithRetry(*batch) : batch.status();
  if (!batch.ok()) Tell(outcome);
  const bool again =
      !outcome.ok() && (batch.ok() ? MayRetry(outcome) : !absl::IsDataLoss(outcome) && !IsOfTheBatch(outcome));
  base::MutexLock lock(&mutex);
  if (outcome.ok()) {
    // Not removed, it comes again at the next start, and the store knows its identity.
    (void)spool.Remove(number);
    ++status.written;
    status.rows_written += rows;
  } else if (again) {
    spool.GiveBack(number);
  } else {
    spool.SetAside(number);
    ++status.failed;
    status.rows_lost += rows;
  }
  TakeLoss();
  return !again;
}

// From memory, or from the spool, into the sink.
void SinkQueue::Run(const std::shared_ptr<State>& state) {
  if (state->options.spool != nullptr) {
    uint64_t seen = 0;
    for (;;) {
      bool ending = false;
      {
        base::MutexLock lock(&state->mutex);
        seen = state->spooled;
        ending = state->closing && !state->keeping;
        if (state->abandoned) break;
      }
      if (state->WriteFromSpool()) continue;
      if (ending) break;
      base::MutexLock lock(&state->mutex);
      state->mutex.AwaitFor(
          [&state, seen] {
            state->mutex.AssertHeld();
            return state->spooled != seen || (state->closing && !state->keeping) || state->abandoned;
          },
          kSpoolPause);
    }
  } else {
    for (;;) {
      const Batch batch = state->Next();
      if (batch == nullptr) break;
      const absl::Status status = state->WriteWithRetry(*batch);
      {
        base::MutexLock lock(&state->mutex);
        --state->in_hand;
        if (status.ok()) {
          ++state->status.written;
          state->status.rows_written += batch->size();
        } else {
          ++state->status.failed;
          state->status.rows_lost += batch->size();
        }
        state->TakeLoss();
      }
      if (state->options.on_done) state->options.on_done(*batch);
    }
  }
  const absl::Status status = state->sink->Close();
  base::MutexLock lock(&state->mutex);
  state->TakeLoss();
  if (!status.ok()) state->status.last_error = std::string(status.message());
  if (std::string trouble = state->sink->trouble(); !trouble.empty()) state->status.last_error = std::move(trouble);
  state->closed = true;
}

bool SinkQueue::Close(absl::Duration patience) {
  if (!thread_.joinable()) return true;
  bool closed = false;
  {
    base::MutexLock lock(&state_->mutex);
    state_->closing = true;
    const auto is_closed = [this] {
      state_->mutex.AssertHeld();
      return state_->closed && !state_->keeping;
    };
    closed = state_->mutex.AwaitFor(is_closed, patience);
    // What the disk takes within a second is kept even if there is no patience.
    if (!closed && state_->keeping) {
      state_->mutex.AwaitFor(
          [this] {
            state_->mutex.AssertHeld();
            return !state_->keeping;
          },
          absl::Seconds(1));
    }
    state_->abandoned = true;
    while (!closed && !state_->waiting.empty()) state_->Drop();
    // Nothing waits now, so that the threads end as soon as the sink and the disk let go of them.
    if (!closed) closed = state_->mutex.AwaitFor(is_closed, absl::Seconds(1));
  }
  for (std::thread* thread : {&keeper_, &thread_}) {
    if (!thread->joinable()) continue;
    if (closed) {
      thread->join();
    } else {
      thread->detach();
    }
  }
  return closed;
}

SinkStatus SinkQueue::status() const {
  base::MutexLock lock(&state_->mutex);
  SinkStatus status = state_->status;
  status.waiting = state_->waiting.size() + state_->in_hand;
  if (state_->options.spool != nullptr) {
    const Spool::Contents contents = state_->options.spool->contents();
    status.spooled = contents.batches;
    status.spool_octets = contents.octets;
    status.waiting += contents.batches;
  }
  return status;
}

}  // namespace flowacct::collector
