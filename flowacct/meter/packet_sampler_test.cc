#include "flowacct/meter/packet_sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace flowacct::meter {
namespace {

TEST(PacketSampler, ARateOfOneTakesAll) {
  for (const uint32_t rate : {0, 1}) {
    PacketSampler sampler(rate);
    for (int i = 0; i < 1000; ++i) ASSERT_TRUE(sampler.Take());
    EXPECT_EQ(sampler.taken(), 1000u);
    EXPECT_EQ(sampler.rate(), 1u);
  }
}

TEST(PacketSampler, TakesOneInSoManyOnAverageAndTheSameEachTime) {
  for (const uint32_t rate : {2, 10, 1000}) {
    PacketSampler sampler(rate, 7), same(rate, 7), other(rate, 8);
    std::vector<bool> a, b, c;
    const int packets = static_cast<int>(rate) * 20000;
    for (int i = 0; i < packets; ++i) {
      a.push_back(sampler.Take());
      b.push_back(same.Take());
      c.push_back(other.Take());
    }
    EXPECT_EQ(a, b);
    EXPECT_NE(a, c);
    EXPECT_EQ(sampler.seen(), static_cast<uint64_t>(packets));
    // Gaps are uniform: their deviation is the rate over the square root of three.
    const double off = std::abs(static_cast<double>(sampler.taken()) - 20000);
    EXPECT_LT(off, 4 * std::sqrt(20000.0 / 3)) << rate;
  }
  PacketSampler largest(0xffffffff);
  for (int i = 0; i < 1000; ++i) largest.Take();
  EXPECT_EQ(largest.taken(), 0u);
}

}  // namespace
}  // namespace flowacct::meter
