#include "flowacct/flow/template/sampling_table.h"

#include <gtest/gtest.h>

#include <cmath>

namespace flowacct::flow {
namespace {

SamplingParts Interval(uint64_t interval) {
  SamplingParts parts;
  parts.interval = interval;
  return parts;
}

SamplingParts Period(uint64_t taken, uint64_t left_out) {
  SamplingParts parts;
  parts.packet_interval = taken;
  parts.packet_space = left_out;
  return parts;
}

SamplingParts OutOf(uint64_t size, uint64_t population) {
  SamplingParts parts;
  parts.size = size;
  parts.population = population;
  return parts;
}

SamplingParts Probability(double probability) {
  SamplingParts parts;
  parts.probability = probability;
  return parts;
}

TEST(SamplingRateTest, FollowsFromTheParts) {
  struct Case {
    const char* what;
    SamplingParts parts;
    uint64_t rate;
  };
  const Case kCases[] = {
      {"nothing told", {}, 0},
      {"1 in 100", Interval(100), 100},
      {"1 taken, 99 left out", Period(1, 99), 100},
      {"10 taken, 25 left out", Period(10, 25), 4},
      {"Juniper's 1 in 1000", Period(1000, 0), 1000},
      {"a period beyond 64 bits", Period(~uint64_t{0}, 1), 0},
      {"1 out of 64", OutOf(1, 64), 64},
      {"2 out of 5 rounds up", OutOf(2, 5), 3},
      {"3 out of 10 rounds down", OutOf(3, 10), 3},
      {"more taken than there are", OutOf(5, 2), 0},
      {"a probability", Probability(0.001), 1000},
      {"all", Probability(1), 1},
      {"more than all", Probability(1.5), 0},
      {"less than nothing", Probability(-1), 0},
      {"no number", Probability(std::nan("")), 0},
      {"too small for a rate", Probability(1e-300), 0},
  };
  for (const Case& c : kCases) EXPECT_EQ(SamplingRateOf(c.parts), c.rate) << c.what;
}

TEST(SamplingTableTest, KnowsSelectorsInterfacesAndTheWhole) {
  SamplingTable table(10);
  EXPECT_EQ(table.AllOrOnly(), 0u);
  EXPECT_TRUE(table.SetSelector(3, 100));
  EXPECT_EQ(table.OfSelector(3), 100u);
  EXPECT_EQ(table.OfSelector(4), 0u);
  EXPECT_EQ(table.AllOrOnly(), 100u) << "the only selector";
  EXPECT_TRUE(table.SetInterface(7, 10));
  EXPECT_EQ(table.OfInterface(7), 10u);
  EXPECT_EQ(table.AllOrOnly(), 0u) << "not the only word any more";
  table.SetAll(5);
  EXPECT_EQ(table.AllOrOnly(), 5u);
  EXPECT_TRUE(table.SetSelector(3, 200));
  EXPECT_EQ(table.OfSelector(3), 200u) << "the last word counts";

  const auto report = table.Report();
  ASSERT_EQ(report.size(), 3u);
  EXPECT_EQ(report[0].what, "all");
  EXPECT_EQ(report[1].what, "selector 3");
  EXPECT_EQ(report[1].rate, 200u);
  EXPECT_EQ(report[2].what, "interface 7");

  table.Clear();
  EXPECT_EQ(table.all(), 0u);
  EXPECT_FALSE(table.has_selectors());
  EXPECT_FALSE(table.has_interfaces());
}

TEST(SamplingTableTest, HasABound) {
  SamplingTable table(2);
  EXPECT_TRUE(table.SetSelector(1, 10));
  EXPECT_TRUE(table.SetSelector(2, 20));
  EXPECT_FALSE(table.SetSelector(3, 30));
  EXPECT_TRUE(table.SetInterface(1, 20));
  EXPECT_EQ(table.OfSelector(3), 0u);
  EXPECT_TRUE(table.SetSelector(1, 40)) << "one that is known may change";
  EXPECT_EQ(table.OfSelector(1), 40u);
}

TEST(SamplingTableTest, TablesShareABudgetAndGiveBack) {
  MemoryBudget budget(3 * NumberTable::kKeyOctets);
  SamplingTable stays(10, &budget);
  {
    SamplingTable goes(10, &budget);
    EXPECT_TRUE(goes.SetSelector(1, 10));
    EXPECT_TRUE(goes.SetInterface(1, 10));
    EXPECT_TRUE(stays.SetSelector(1, 10));
    EXPECT_FALSE(stays.SetSelector(2, 10));
    EXPECT_TRUE(stays.SetSelector(1, 20)) << "costs nothing more";
  }
  EXPECT_TRUE(stays.SetSelector(2, 10));
  stays.Clear();
  EXPECT_EQ(budget.taken(), 0u);
}

}  // namespace
}  // namespace flowacct::flow
