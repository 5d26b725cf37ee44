// A sink on a thread of its own, behind a bounded queue: a slow or blocked sink holds nobody up. When the queue is full
// the oldest waiting batch is dropped, and counted with its rows.
//
// Holds at any time: batches handed over = written + failed + dropped + waiting (the one in the sink's hands included).
// Ownership: owns the sink; batches are shared. Threads: any may call; the sink is called from the queue's own.
// Errors: of the sink, counted and told to `on_error` when they begin: a sink that fails does so with every batch.

#ifndef FLOWACCT_COLLECTOR_SERVER_SINK_QUEUE_H_
#define FLOWACCT_COLLECTOR_SERVER_SINK_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/collector/server/collector_status.h"
#include "flowacct/sink/sink.h"

namespace flowacct::collector {

struct SinkQueueOptions {
  std::string name;
  size_t max_waiting = 64;
  // Told on the queue's thread. May be empty.
  std::function<void(const absl::Status&)> on_error;
  // After each batch that was written, dropped or refused, on the queue's thread. May be empty.
  std::function<void(const aggregate::AggregateBatch&)> on_done;
};

class SinkQueue {
 public:
  SinkQueue(std::unique_ptr<sink::Sink> sink, SinkQueueOptions options);
  // As Close(absl::ZeroDuration()).
  ~SinkQueue();
  SinkQueue(const SinkQueue&) = delete;
  SinkQueue& operator=(const SinkQueue&) = delete;

  void Push(std::shared_ptr<const aggregate::AggregateBatch> batch);
  // Writes what waits for at most `patience`, drops what is left then, and closes the sink. A sink that never returns
  // is left behind with its thread; true if it was not.
  bool Close(absl::Duration patience);

  SinkStatus status() const;

 private:
  // Shared with the thread, which may outlive a queue whose sink never returns.
  struct State;
  static void Run(const std::shared_ptr<State>& state);

  std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_SINK_QUEUE_H_
