#include "flowacct/topology/spf_backoff.h"

#include <algorithm>
#include <vector>

#include "gtest/gtest.h"

namespace flowacct::topology {
namespace {

constexpr int64_t kMs = 1'000'000;
using State = SpfBackoff::State;

// When paths are computed if changes come at those times; all in milliseconds.
std::vector<int64_t> Computed(const std::vector<int64_t>& changes, int64_t until) {
  SpfBackoff backoff;
  std::vector<int64_t> computed;
  size_t next = 0;
  while (true) {
    const int64_t change = next < changes.size() ? changes[next] * kMs : SpfBackoff::kNever;
    const int64_t time = backoff.NextTime();
    if (std::min(change, time) > until * kMs) return computed;
    if (change <= time) {
      backoff.Change(change);
      ++next;
    } else if (backoff.Advance(time)) {
      computed.push_back(time / kMs);
    }
  }
}

TEST(SpfBackoff, AsTheRfcTells) {
  using Times = std::vector<int64_t>;
  EXPECT_EQ(Computed({}, 100'000), Times{});
  EXPECT_EQ(Computed({0}, 100'000), Times{50});
  // Those of one event come together.
  EXPECT_EQ(Computed({0, 10, 40}, 100'000), Times{50});
  EXPECT_EQ(Computed({0, 60, 100}, 100'000), (Times{50, 260}));
  // After the time to learn the long delay, until it is quiet for the hold-down.
  EXPECT_EQ(Computed({0, 60, 600, 700, 6000}, 100'000), (Times{50, 260, 5600, 11000}));
  EXPECT_EQ(Computed({0, 600, 15'000}, 100'000), (Times{50, 5600, 15'050}));
  EXPECT_EQ(Computed({0, 10'000}, 100'000), (Times{50, 10'050}));
  EXPECT_EQ(Computed({0, 9'999}, 100'000), (Times{50, 14'999}));
}

TEST(SpfBackoff, AStormIsComputedEveryLongDelay) {
  std::vector<int64_t> changes;
  for (int64_t t = 0; t < 60'000; t += 7) changes.push_back(t);
  const std::vector<int64_t> computed = Computed(changes, 60'000);
  EXPECT_LE(computed.size(), 15u);
  EXPECT_GE(computed.size(), 13u);
}

TEST(SpfBackoff, States) {
  SpfBackoff backoff;
  EXPECT_EQ(backoff.NextTime(), SpfBackoff::kNever);
  backoff.Change(0);
  EXPECT_EQ(backoff.state(), State::kShortWait);
  EXPECT_FALSE(backoff.Advance(49 * kMs));
  EXPECT_TRUE(backoff.Advance(50 * kMs));
  EXPECT_FALSE(backoff.Advance(51 * kMs));
  EXPECT_FALSE(backoff.Advance(500 * kMs));
  EXPECT_EQ(backoff.state(), State::kLongWait);
  EXPECT_FALSE(backoff.Advance(10'000 * kMs));
  EXPECT_EQ(backoff.state(), State::kQuiet);
  EXPECT_EQ(backoff.NextTime(), SpfBackoff::kNever);
}

}  // namespace
}  // namespace flowacct::topology
