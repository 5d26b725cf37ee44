#include "flowacct/collector/listen/poller.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/collector/socket/descriptor.h"

namespace flowacct::collector {
namespace {

struct Pipe {
  Pipe() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(pipe(ends), 0);
    out.Reset(ends[0]);
    in.Reset(ends[1]);
  }
  void Put() { EXPECT_EQ(write(in.get(), "x", 1), 1); }
  void Take() {
    char octet;
    EXPECT_EQ(read(out.get(), &octet, 1), 1);
  }
  Descriptor in, out;
};

TEST(PollerTest, TellsWhoHasSomethingUntilItIsTaken) {
  const auto poller = Poller::New();
  ASSERT_TRUE(poller.ok());
  Pipe first, second;
  ASSERT_TRUE((*poller)->Add(first.out.get(), 7).ok());
  ASSERT_TRUE((*poller)->Add(second.out.get(), 0).ok());
  EXPECT_TRUE((*poller)->Wait(absl::ZeroDuration()).empty());
  second.Put();
  for (int i = 0; i < 2; ++i) {
    const auto ready = (*poller)->Wait(absl::InfiniteDuration());
    ASSERT_EQ(ready.size(), 1u);
    EXPECT_EQ(ready[0], 0u);
  }
  first.Put();
  EXPECT_EQ((*poller)->Wait(absl::InfiniteDuration()).size(), 2u);
  first.Take();
  second.Take();
  EXPECT_TRUE((*poller)->Wait(absl::ZeroDuration()).empty());
}

TEST(PollerTest, WaitsForItsTime) {
  const auto poller = Poller::New();
  ASSERT_TRUE(poller.ok());
  const absl::Time begin = absl::Now();
  EXPECT_TRUE((*poller)->Wait(absl::Microseconds(20100)).empty());
  EXPECT_GE(absl::Now() - begin, absl::Milliseconds(20));
  EXPECT_TRUE((*poller)->Wait(-absl::Seconds(1)).empty());
}

TEST(PollerTest, AWakeIsNotLost) {
  const auto poller = Poller::New();
  ASSERT_TRUE(poller.ok());
  (*poller)->Wake();
  (*poller)->Wake();
  EXPECT_TRUE((*poller)->Wait(absl::InfiniteDuration()).empty());  // returns
  const absl::Time begin = absl::Now();
  EXPECT_TRUE((*poller)->Wait(absl::Milliseconds(10)).empty());  // two were one
  EXPECT_GE(absl::Now() - begin, absl::Milliseconds(9));
}

TEST(PollerTest, AnotherThreadWakes) {
  const auto poller = Poller::New();
  ASSERT_TRUE(poller.ok());
  std::atomic<bool> told{false};
  std::thread waker([&] {
    absl::SleepFor(absl::Milliseconds(5));
    told = true;
    (*poller)->Wake();
  });
  EXPECT_TRUE((*poller)->Wait(absl::InfiniteDuration()).empty());
  EXPECT_TRUE(told);
  waker.join();
}

TEST(PollerTest, RefusesWhatCannotBeWaitedFor) {
  const auto poller = Poller::New();
  ASSERT_TRUE(poller.ok());
  EXPECT_FALSE((*poller)->Add(-1, 0).ok());
}

}  // namespace
}  // namespace flowacct::collector
