// A sink on a thread of its own, behind a bounded queue: a slow or blocked sink holds nobody up. When the queue is full
// the oldest waiting batch is dropped, and counted with its rows.
//
// With a spool what comes is written to disk first, on a second thread, and given to the sink from there: a sink that
// is away loses nothing, nor does a program that is killed. With a retry a sink that cannot be reached is asked again,
// and the others wait behind that batch; without, it has failed. Holds at any time: batches handed over, or found in
// the spool = written + failed + dropped + waiting (what is in the sink's hands, and in the spool, included).
// Ownership: owns the sink; batches are shared, the spool too: while a configuration is replaced, two queues may give
// the batches of one. Threads: any may call; the sink is called from the queue's own. Errors: of the sink, counted and
// told to `on_error` when they begin: a sink that fails does so with every batch.

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
#include "flowacct/collector/spool/spool.h"
#include "flowacct/sink/sink.h"

namespace flowacct::collector {

struct SinkQueueOptions {
  std::string name;
  // In memory; a spool has its own bounds.
  size_t max_waiting = 64;
  std::shared_ptr<Spool> spool;
  // How long after a first failure the sink is asked again, twice as long after each further one, up to the longest.
  // Zero: a batch that the sink cannot take has failed. What the sink says of the batch itself (InvalidArgument) is not
  // asked again.
  absl::Duration retry_after = absl::ZeroDuration();
  absl::Duration longest_retry = absl::Seconds(30);
  // Told on the queue's threads. May be empty.
  std::function<void(const absl::Status&)> on_error;
  // Of each batch, once it was written, dropped or refused, or is kept in the spool; on the queue's threads. May be
  // empty.
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
  // Writes what waits for at most `patience`, drops what is left in memory then, leaves what is in the spool for the
  // next start, and closes the sink. A sink that never returns is left behind with its thread; true if it was not.
  bool Close(absl::Duration patience);

  SinkStatus status() const;

 private:
  // Shared with the threads, which may outlive a queue whose sink never returns.
  struct State;
  static void Keep(const std::shared_ptr<State>& state);
  static void Run(const std::shared_ptr<State>& state);

  std::shared_ptr<State> state_;
  std::thread keeper_;  // with a spool
  std::thread thread_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_SINK_QUEUE_H_
