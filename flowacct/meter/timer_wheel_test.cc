#include "flowacct/meter/timer_wheel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

namespace flowacct::meter {
namespace {

constexpr auto kNoPrefetch = [](uint32_t) {};

std::vector<uint32_t> Expired(TimerWheel& wheel, int64_t now) {
  std::vector<uint32_t> ids;
  wheel.Expire(now, kNoPrefetch, [&](uint32_t id) { ids.push_back(id); });
  return ids;
}

TEST(TimerWheel, ATickIsSmallAgainstTheLongestTimeout) {
  EXPECT_EQ(TimerWheel(1, 0).tick_nanos(), 1);
  EXPECT_EQ(TimerWheel(1, 1022).tick_nanos(), 1);
  EXPECT_EQ(TimerWheel(1, 1024).tick_nanos(), 2);
  for (int64_t longest = 1000; longest < int64_t{1} << 55; longest = longest * 13 / 8) {
    EXPECT_LE(TimerWheel(1, longest).tick_nanos() * 510, longest);
  }
}

TEST(TimerWheel, IdsComeInTheOrderOfTheirTicksAndNeverEarly) {
  TimerWheel wheel(10, 2000);  // two nanoseconds a tick
  wheel.Restart(100);
  wheel.Schedule(3, 110);
  wheel.Schedule(1, 105);
  wheel.Schedule(2, 110);
  wheel.Schedule(7, 50);  // past: the next tick
  EXPECT_EQ(Expired(wheel, 101), std::vector<uint32_t>());
  EXPECT_EQ(Expired(wheel, 102), std::vector<uint32_t>({7}));
  EXPECT_EQ(Expired(wheel, 105), std::vector<uint32_t>());
  EXPECT_EQ(Expired(wheel, 111), std::vector<uint32_t>({1, 3, 2}));
  wheel.Schedule(1, 130);
  wheel.Schedule(2, 131);
  wheel.Cancel(1);
  EXPECT_EQ(Expired(wheel, 1000000), std::vector<uint32_t>({2}));
  EXPECT_EQ(Expired(wheel, 2000000), std::vector<uint32_t>());
}

TEST(TimerWheel, WhatIsScheduledTooFarAheadComesEarlyAndIsScheduledAgain) {
  TimerWheel wheel(1, 1000);
  wheel.Schedule(0, 1000000);
  int visits = 0;
  for (int64_t now = 0; now <= 1000000; now += 100) {
    wheel.Expire(now, kNoPrefetch, [&](uint32_t id) {
      ++visits;
      if (now < 1000000) wheel.Schedule(id, 1000000);
    });
  }
  EXPECT_GT(visits, 900);
  EXPECT_LT(visits, 1100);
}

TEST(TimerWheel, EqualsAMap) {
  std::mt19937_64 random(1);
  for (const int64_t longest : {int64_t{900}, int64_t{5000}, int64_t{15000000000}}) {
    constexpr uint32_t kIds = 500;
    TimerWheel wheel(kIds, longest);
    const auto below = [&](int64_t n) { return static_cast<int64_t>(random() % static_cast<uint64_t>(n)); };
    int64_t now = -longest / 3;
    wheel.Restart(now);
    std::map<uint32_t, int64_t> ticks;  // of those that are scheduled
    size_t expired = 0;
    for (int round = 0; round < 20000; ++round) {
      const auto id = static_cast<uint32_t>(random() % kIds);
      if (ticks.count(id) != 0) {
        wheel.Cancel(id);
        ticks.erase(id);
      }
      if (random() % 4 != 0) {
        const int64_t deadline = now - longest / 10 + below(longest);
        wheel.Schedule(id, deadline);
        ticks[id] = std::max(wheel.TickAfter(deadline), wheel.now_tick() + 1);
      }
      int64_t first_tick = 0;
      const uint32_t first = wheel.First(&first_tick);
      if (ticks.empty()) {
        ASSERT_EQ(first, TimerWheel::kNone);
      } else {
        ASSERT_EQ(ticks.at(first), first_tick);
        for (const auto& [other, tick] : ticks) ASSERT_GE(tick, first_tick) << other;
      }
      if (random() % 8 == 0) {
        now += random() % 50 == 0 ? 3 * longest : below(longest / 20 + 2);
        std::vector<uint32_t> expected;
        for (const auto& [other, tick] : ticks) {
          if (tick <= wheel.Tick(now)) expected.push_back(other);
        }
        for (const uint32_t other : expected) ticks.erase(other);
        std::vector<uint32_t> got = Expired(wheel, now);
        std::sort(got.begin(), got.end());
        ASSERT_EQ(got, expected);
        expired += got.size();
      }
    }
    EXPECT_GT(expired, 1000u);
    size_t rest = 0;
    wheel.ExpireAll(kNoPrefetch, [&](uint32_t id) { rest += ticks.count(id); });
    EXPECT_EQ(rest, ticks.size());
  }
}

}  // namespace
}  // namespace flowacct::meter
