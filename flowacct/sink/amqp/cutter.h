// Shuts a socket down when its time is over, so that whoever waits in it goes on with an error: librabbitmq has no
// limit for how long it writes.
//
// Threads: the methods of one thread; has one of its own. Cost: Extend is a store.

#ifndef FLOWACCT_SINK_AMQP_CUTTER_H_
#define FLOWACCT_SINK_AMQP_CUTTER_H_

#include <atomic>
#include <cstdint>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "flowacct/base/mutex.h"

namespace flowacct::sink::amqp {

class Cutter {
 public:
  Cutter();
  ~Cutter();
  Cutter(const Cutter&) = delete;
  Cutter& operator=(const Cutter&) = delete;

  // The time runs from now on, and anew from Extend on. The socket stays open until Disarm has returned.
  void Arm(int socket, absl::Duration time);
  void Extend();
  void Disarm();
  // Whether that happened since it was armed.
  bool has_cut() const { return cut_.load(std::memory_order_relaxed); }

 private:
  void Run();

  base::Mutex mutex_;
  int socket_ ABSL_GUARDED_BY(mutex_) = -1;  // -1: disarmed
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Duration time_;
  std::atomic<int64_t> end_nanos_{0};
  std::atomic<bool> cut_{false};
  std::thread thread_;
};

}  // namespace flowacct::sink::amqp

#endif  // FLOWACCT_SINK_AMQP_CUTTER_H_
