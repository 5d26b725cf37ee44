// A mutex whose holder can wait for a condition, and something that happens once.
//
//     MutexLock lock(&mutex_);
//     mutex_.Await([this] { return !queue_.empty(); });
//
// Over the standard library's, since ThreadSanitizer sees those, and sees nothing of what a system's Abseil does.
// Guaranteed: a condition is looked at again whenever the lock was given up, so nobody has to signal. Conditions run
// with the lock held and do not wait. Threads: any. Cost: as std::mutex; an Unlock wakes all that wait, so few should.

#ifndef FLOWACCT_BASE_MUTEX_H_
#define FLOWACCT_BASE_MUTEX_H_

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"

namespace flowacct::base {

class ABSL_LOCKABLE Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }
  void Unlock() ABSL_UNLOCK_FUNCTION() {
    // Before the lock is given up: whoever is woken may destroy this then.
    if (waiting_ > 0) changed_.notify_all();
    mutex_.unlock();
  }

  // Tells the analysis that the caller holds it.
  void AssertHeld() const ABSL_ASSERT_EXCLUSIVE_LOCK() {}

  // Waits, without the lock meanwhile, until `condition` is true.
  template <typename Condition>
  void Await(Condition condition) ABSL_EXCLUSIVE_LOCKS_REQUIRED(this) {
    (void)AwaitFor(condition, absl::InfiniteDuration());
  }
  // The same for so long at most. Returns whether it is true.
  template <typename Condition>
  bool AwaitFor(Condition condition, absl::Duration patience) ABSL_EXCLUSIVE_LOCKS_REQUIRED(this) {
    if (condition()) return true;
    std::unique_lock<std::mutex> lock(mutex_, std::adopt_lock);
    // Waiting gives up the lock as Unlock does.
    if (waiting_ > 0) changed_.notify_all();
    ++waiting_;
    bool met = true;
    if (patience >= kForEver) {
      changed_.wait(lock, condition);
    } else {
      met = changed_.wait_for(lock, absl::ToChronoNanoseconds(patience), condition);
    }
    --waiting_;
    lock.release();
    return met;
  }

 private:
  // Beyond what a clock of nanoseconds can be added to.
  static constexpr absl::Duration kForEver = absl::Hours(24 * 365);

  std::mutex mutex_;
  std::condition_variable changed_;
  size_t waiting_ = 0;  // under mutex_
};

class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex* mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : mutex_(mutex) { mutex_->Lock(); }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mutex_->Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex* const mutex_;
};

// Happens once; all that wait for it go on then.
class Notification {
 public:
  void Notify() {
    // Under the lock, so that who waited may destroy this at once.
    MutexLock lock(&mutex_);
    done_ = true;
  }
  void Wait() { (void)WaitFor(absl::InfiniteDuration()); }
  // Whether it happened within that.
  bool WaitFor(absl::Duration patience) {
    MutexLock lock(&mutex_);
    return mutex_.AwaitFor([this]() { return done_; }, patience);
  }

 private:
  Mutex mutex_;
  bool done_ = false;
};

}  // namespace flowacct::base

#endif  // FLOWACCT_BASE_MUTEX_H_
