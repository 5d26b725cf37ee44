#include "flowacct/collector/server/sink_queue.h"

#include <algorithm>
#include <string>
#include <utility>

#include "flowacct/base/mutex.h"

namespace flowacct::collector {

using Batch = std::shared_ptr<const aggregate::AggregateBatch>;

struct SinkQueue::State {
  std::unique_ptr<sink::Sink> sink;
  SinkQueueOptions options;

  base::Mutex mutex;
  std::deque<Batch> waiting ABSL_GUARDED_BY(mutex);
  SinkStatus status ABSL_GUARDED_BY(mutex);
  bool writing ABSL_GUARDED_BY(mutex) = false;
  bool closing ABSL_GUARDED_BY(mutex) = false;
  bool closed ABSL_GUARDED_BY(mutex) = false;

  uint64_t rows_lost = 0;  // that the sink told of; the thread's own

  // Once the sink was called: what it lost of what it had taken.
  void TakeLoss() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    const uint64_t lost = sink->rows_lost() - rows_lost;
    rows_lost += lost;
    status.rows_lost += lost;
    status.rows_written -= std::min(lost, status.rows_written);
  }

  bool HasWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) { return closing || !waiting.empty(); }

  void Drop() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    ++status.dropped;
    status.rows_lost += waiting.front()->size();
    waiting.pop_front();
  }
};

SinkQueue::SinkQueue(std::unique_ptr<sink::Sink> sink, SinkQueueOptions options) : state_(std::make_shared<State>()) {
  state_->sink = std::move(sink);
  {
    base::MutexLock lock(&state_->mutex);
    state_->status.name = options.name;
  }
  state_->options = std::move(options);
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

void SinkQueue::Run(const std::shared_ptr<State>& state) {
  for (;;) {
    Batch batch;
    {
      base::MutexLock lock(&state->mutex);
      state->mutex.Await([&state] {
        state->mutex.AssertHeld();
        return state->HasWork();
      });
      if (state->waiting.empty()) break;
      batch = std::move(state->waiting.front());
      state->waiting.pop_front();
      state->writing = true;
    }
    absl::Status status = state->sink->Write(*batch);
    bool tell = false;
    {
      base::MutexLock lock(&state->mutex);
      state->writing = false;
      if (status.ok()) {
        ++state->status.written;
        state->status.rows_written += batch->size();
        if (std::string trouble = state->sink->trouble(); !trouble.empty()) status = absl::DataLossError(trouble);
      } else {
        ++state->status.failed;
        state->status.rows_lost += batch->size();
      }
      state->TakeLoss();
      tell = !status.ok() && state->status.last_error.empty();
      state->status.last_error = std::string(status.message());
    }
    if (tell && state->options.on_error) state->options.on_error(status);
    if (state->options.on_done) state->options.on_done(*batch);
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
      return state_->closed;
    };
    closed = state_->mutex.AwaitFor(is_closed, patience);
    while (!closed && !state_->waiting.empty()) state_->Drop();
    // Nothing waits now, so that the thread ends as soon as the sink lets go of it.
    if (!closed) closed = state_->mutex.AwaitFor(is_closed, absl::Seconds(1));
  }
  if (closed) {
    thread_.join();
  } else {
    thread_.detach();
  }
  return closed;
}

SinkStatus SinkQueue::status() const {
  base::MutexLock lock(&state_->mutex);
  SinkStatus status = state_->status;
  status.waiting = state_->waiting.size() + (state_->writing ? 1 : 0);
  return status;
}

}  // namespace flowacct::collector
