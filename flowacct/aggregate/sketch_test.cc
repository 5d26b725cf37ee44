#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>

#include "flowacct/aggregate/distinct_sketch.h"
#include "flowacct/aggregate/top_sketch.h"
#include "flowacct/base/octet_hash.h"

namespace flowacct::aggregate {
namespace {

uint64_t HashOf(uint64_t value) { return base::HashOctets(reinterpret_cast<const uint8_t*>(&value), 8); }

TEST(DistinctSketch, FewAreExactAndManyWithinFourStandardErrors) {
  for (uint64_t n : {0, 1, 2, 5, 100, 700, 769, 800, 2000, 5000, 20000, 100000, 1000000}) {
    DistinctSketch sketch;
    for (uint64_t i = 0; i < n; ++i) {
      sketch.Add(HashOf(i));
      if (i % 3 == 0) sketch.Add(HashOf(i / 2));  // seen already
    }
    if (n <= 700) {
      EXPECT_EQ(sketch.Estimate(), n);
    } else {
      EXPECT_NEAR(static_cast<double>(sketch.Estimate()), static_cast<double>(n), 4 * 0.01625 * static_cast<double>(n));
    }
    EXPECT_LE(sketch.octets(), sizeof(DistinctSketch) + DistinctSketch::kMaxOctets);
  }
}

TEST(DistinctSketch, TheStandardErrorIsAsStated) {
  double squares = 0;
  constexpr int kTrials = 100;
  constexpr double kN = 20000;
  for (int trial = 0; trial < kTrials; ++trial) {
    DistinctSketch sketch;
    for (uint64_t i = 0; i < kN; ++i) sketch.Add(HashOf(uint64_t{1000000007} * static_cast<uint64_t>(trial) + i));
    const double error = static_cast<double>(sketch.Estimate()) / kN - 1;
    squares += error * error;
  }
  EXPECT_LT(std::sqrt(squares / kTrials), 0.01625 * 1.2);
  EXPECT_GT(std::sqrt(squares / kTrials), 0.01625 * 0.8);
}

TEST(DistinctSketch, AUnionIsTheSketchOfTheUnion) {
  for (uint64_t n : {0, 10, 1000, 30000}) {
    for (uint64_t m : {0, 10, 1000, 30000}) {
      DistinctSketch a, b, both;
      for (uint64_t i = 0; i < n; ++i) a.Add(HashOf(i)), both.Add(HashOf(i));
      for (uint64_t i = 0; i < m; ++i) b.Add(HashOf(i + 7)), both.Add(HashOf(i + 7));
      DistinctSketch reverse = DistinctSketch();
      reverse.Merge(b);
      reverse.Merge(a);
      a.Merge(b);
      EXPECT_EQ(a.Estimate(), both.Estimate()) << n << " " << m;
      EXPECT_EQ(reverse.Estimate(), both.Estimate()) << n << " " << m;
    }
  }
}

TEST(TopSketch, FewValuesAreExact) {
  TopSketch sketch;
  for (uint64_t i = 0; i < 1000; ++i) sketch.Add({i % 10 < 5 ? 1 : i % 10, 0, 0}, 32);
  const auto top = sketch.Top(2);
  ASSERT_EQ(top.size(), 2u);
  EXPECT_EQ(top[0].value[0], 1u);
  EXPECT_EQ(top[0].count, 500u);
  EXPECT_EQ(top[0].error, 0u);
  EXPECT_EQ(top[1].value[0], 5u);
}

TEST(TopSketch, BoundsHoldAlsoAfterAMerge) {
  std::mt19937_64 random(3);
  constexpr size_t kCapacity = 40;
  TopSketch parts[3];
  std::map<uint64_t, uint64_t> truth;
  constexpr uint64_t kTotal = 60000;
  for (uint64_t i = 0; i < kTotal; ++i) {
    const uint64_t value = random() % (1 + random() % 500);
    ++truth[value];
    parts[random() % 3].Add({value, 0, 0}, kCapacity);
  }
  parts[0].Merge(parts[1], kCapacity);
  parts[0].Merge(parts[2], kCapacity);
  std::map<uint64_t, TopSketch::Count> kept;
  for (const auto& count : parts[0].Top(kCapacity)) kept[count.value[0]] = count;
  for (const auto& [value, count] : kept) {
    EXPECT_GE(count.count, truth[value]);
    EXPECT_LE(count.count - count.error, truth[value]);
    EXPECT_LE(count.error, kTotal / kCapacity * 3);
  }
  for (const auto& [value, count] : truth) {
    if (count > kTotal / kCapacity * 2) {
      EXPECT_TRUE(kept.count(value) > 0) << value << " " << count;
    }
  }
}

}  // namespace
}  // namespace flowacct::aggregate
