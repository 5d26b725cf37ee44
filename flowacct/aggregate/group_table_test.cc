#include "flowacct/aggregate/group_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

namespace flowacct::aggregate {
namespace {

TEST(GroupTable, EqualsAMapThroughGrowthAndRefusal) {
  for (size_t words : {0, 1, 3, 5, 6}) {
    std::mt19937_64 random(words);
    GroupTable table(words * 8, 16, 42);
    std::map<std::string, uint32_t> twin;
    size_t budget = 25000;
    std::vector<uint8_t> keys(GroupTable::kBatch * words * 8 + 8);
    for (int round = 0; round < 1500; ++round) {
      const size_t n = 1 + random() % GroupTable::kBatch;
      // Keys that differ in one word only, anywhere; many come twice in a batch.
      std::fill(keys.begin(), keys.end(), uint8_t{0});
      for (size_t i = 0; i < n && words > 0; ++i) {
        base::StoreHost<uint64_t>(keys.data() + (i * words + random() % words) * 8,
                                  random() % (uint64_t{1} << (1 + random() % 40)));
      }
      uint32_t rows[GroupTable::kBatch];
      uint8_t* octets[GroupTable::kBatch];
      size_t expected_made = 0, expected_refused = 0;
      const GroupTable::Outcome outcome = table.FindOrInsert(keys.data(), n, budget, rows, octets);
      const size_t made = outcome.made;
      for (size_t i = 0; i < n; ++i) {
        const std::string key(reinterpret_cast<const char*>(keys.data()) + i * words * 8, words * 8);
        const auto it = twin.find(key);
        if (it != twin.end()) {
          ASSERT_EQ(rows[i], it->second);
        } else if (expected_made < budget) {
          ++expected_made;
          twin.emplace(key, static_cast<uint32_t>(twin.size()));
          ASSERT_EQ(rows[i], twin.size() - 1);
          ASSERT_EQ(std::memcmp(table.row(rows[i]), key.data(), key.size()), 0);
          ASSERT_EQ(base::LoadHost<uint64_t>(table.row(rows[i]) + words * 8), 0u);
        } else {
          ASSERT_EQ(rows[i], GroupTable::kNone);
          ++expected_refused;
        }
        ASSERT_EQ(octets[i], rows[i] == GroupTable::kNone ? nullptr : table.row(rows[i]));
      }
      ASSERT_EQ(outcome.refused, expected_refused);
      ASSERT_EQ(made, expected_made);
      budget -= made;
      ASSERT_EQ(table.size(), twin.size());
    }
    for (const auto& [key, row] : twin) {
      uint32_t found;
      uint8_t* octets;
      table.FindOrInsert(reinterpret_cast<const uint8_t*>(key.data()), 1, 0, &found, &octets);
      ASSERT_EQ(found, row);
    }
    if (words > 0) {
      EXPECT_GT(twin.size(), 20000u);
    }
  }
}

TEST(GroupTable, ARowOfTheFiveTupleIsACacheLine) {
  GroupTable table(40, 24, 1);
  const uint8_t key[40] = {};
  uint32_t row;
  uint8_t* octets;
  table.FindOrInsert(key, 1, 1, &row, &octets);
  EXPECT_EQ(table.stride(), 64u);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(table.row(row)) % 64, 0u);
}

TEST(GroupTable, ReleaseLeavesItEmpty) {
  GroupTable table(8, 8, 1);
  const uint8_t key[8] = {1};
  uint32_t row;
  uint8_t* octets;
  table.FindOrInsert(key, 1, 1, &row, &octets);
  const AggregateBatch::Rows rows = table.Release();
  EXPECT_EQ(rows.size, 1u);
  EXPECT_EQ(rows.chunks[0][0], 1);
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(table.FindOrInsert(key, 1, 0, &row, &octets).refused, 1u);
  EXPECT_EQ(row, GroupTable::kNone);
}

}  // namespace
}  // namespace flowacct::aggregate
