#include "flowacct/base/mutex.h"

#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "gtest/gtest.h"

namespace flowacct::base {
namespace {

TEST(MutexTest, WhoWaitsSeesEveryChange) {
  constexpr int kItems = 2000;
  Mutex mutex;
  std::deque<int> queue;
  int sum = 0;
  std::vector<std::thread> takers;
  for (int i = 0; i < 3; ++i) {
    takers.emplace_back([&] {
      for (;;) {
        MutexLock lock(&mutex);
        mutex.Await([&] { return !queue.empty(); });
        const int item = queue.front();
        if (item < 0) return;  // stays, for the others
        queue.pop_front();
        sum += item;
      }
    });
  }
  for (int i = 1; i <= kItems; ++i) {
    MutexLock lock(&mutex);
    queue.push_back(i);
  }
  {
    MutexLock lock(&mutex);
    queue.push_back(-1);
  }
  for (std::thread& taker : takers) taker.join();
  EXPECT_EQ(sum, kItems * (kItems + 1) / 2);
}

// Two that wait for what the other does: giving up the lock by waiting wakes, too.
TEST(MutexTest, WaitingWakesOthers) {
  Mutex mutex;
  int turn = 0;
  std::thread other([&] {
    MutexLock lock(&mutex);
    for (int i = 0; i < 100; ++i) {
      mutex.Await([&] { return turn % 2 == 1; });
      ++turn;
    }
  });
  {
    MutexLock lock(&mutex);
    for (int i = 0; i < 100; ++i) {
      mutex.Await([&] { return turn % 2 == 0; });
      ++turn;
    }
  }
  other.join();
  EXPECT_EQ(turn, 200);
}

TEST(MutexTest, AWaitEnds) {
  Mutex mutex;
  MutexLock lock(&mutex);
  const absl::Time begin = absl::Now();
  EXPECT_FALSE(mutex.AwaitFor([] { return false; }, absl::Milliseconds(20)));
  EXPECT_GE(absl::Now() - begin, absl::Milliseconds(20));
  EXPECT_TRUE(mutex.AwaitFor([] { return true; }, absl::ZeroDuration()));
  EXPECT_FALSE(mutex.AwaitFor([] { return false; }, absl::ZeroDuration()));
}

TEST(NotificationTest, WhoWaitedMayDestroyIt) {
  for (int i = 0; i < 200; ++i) {
    auto done = std::make_unique<Notification>();
    std::thread teller([&done = *done] { done.Notify(); });
    done->Wait();
    done.reset();
    teller.join();
  }
}

TEST(NotificationTest, ItMayNeverHappen) {
  Notification never;
  EXPECT_FALSE(never.WaitFor(absl::Milliseconds(5)));
  never.Notify();
  EXPECT_TRUE(never.WaitFor(absl::ZeroDuration()));
}

}  // namespace
}  // namespace flowacct::base
