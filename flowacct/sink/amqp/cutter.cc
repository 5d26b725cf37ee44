#include "flowacct/sink/amqp/cutter.h"

#include <sys/socket.h>

#include <algorithm>

#include "absl/time/clock.h"

namespace flowacct::sink::amqp {

Cutter::Cutter() : thread_([this] { Run(); }) {}

Cutter::~Cutter() {
  {
    base::MutexLock lock(&mutex_);
    closing_ = true;
  }
  thread_.join();
}

void Cutter::Arm(int socket, absl::Duration time) {
  time_ = time;
  cut_ = false;
  Extend();
  base::MutexLock lock(&mutex_);
  socket_ = socket;
}

void Cutter::Extend() { end_nanos_.store(absl::ToUnixNanos(absl::Now() + time_), std::memory_order_relaxed); }

void Cutter::Disarm() {
  base::MutexLock lock(&mutex_);
  socket_ = -1;
}

void Cutter::Run() {
  base::MutexLock lock(&mutex_);
  for (;;) {
    mutex_.Await([this] {
      mutex_.AssertHeld();
      return closing_ || socket_ >= 0;
    });
    if (closing_) return;
    const absl::Duration left = absl::FromUnixNanos(end_nanos_.load(std::memory_order_relaxed)) - absl::Now();
    if (left <= absl::ZeroDuration()) {
      cut_ = true;
      shutdown(socket_, SHUT_RDWR);
      socket_ = -1;
      continue;
    }
    const int socket = socket_;
    mutex_.AwaitFor(
        [this, socket] {
          mutex_.AssertHeld();
          return closing_ || socket_ != socket;
        },
        left);
  }
}

}  // namespace flowacct::sink::amqp
