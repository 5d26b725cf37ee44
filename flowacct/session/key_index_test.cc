#include "flowacct/session/key_index.h"

#include <map>
#include <random>
#include <set>
#include <vector>

#include "flowacct/base/octet_hash.h"
#include "flowacct/session/row_store.h"
#include "gtest/gtest.h"

namespace flowacct::session {
namespace {

std::set<uint32_t> RowsOf(const KeyIndex& index, uint32_t hash) {
  std::set<uint32_t> rows;
  index.VisitAll(hash, [&rows](uint32_t row) { rows.insert(row); });
  return rows;
}

TEST(KeyIndexTest, FindsWhatIsThereWhileItGrowsAndShrinks) {
  std::mt19937 random(1);
  KeyIndex index;
  std::map<uint32_t, std::set<uint32_t>> all;
  size_t size = 0;
  uint32_t next = 1;
  // Hashes of few values and of values side by side: long runs of slots.
  for (int round = 0; round < 6; ++round) {
    const bool grow = round % 2 == 0;
    for (int i = 0; i < 20'000; ++i) {
      const uint32_t hash = (random() % 3000) * (round < 3 ? 1 : 0x155555);
      std::set<uint32_t>& rows = all[hash];
      const uint32_t kind = random() % 10;
      if (kind == 9 && !rows.empty()) {
        index.Replace(hash, *rows.begin(), next);
        rows.erase(rows.begin());
        rows.insert(next++);
      } else if ((kind < 7) == grow) {
        index.Insert(hash, next, /*epoch=*/1);
        rows.insert(next++);
        ++size;
      } else if (!rows.empty()) {
        index.Erase(hash, *rows.begin());
        rows.erase(rows.begin());
        --size;
      } else {
        index.Erase(hash, next + 1000);  // is not there
      }
      if (i % 16 == 0) {
        ASSERT_EQ(RowsOf(index, hash), rows);
      }
      if (i % 256 == 0) index.Reclaim(2);
    }
    for (const auto& [hash, rows] : all) ASSERT_EQ(RowsOf(index, hash), rows);
    EXPECT_EQ(index.size(), size);
  }
}

TEST(KeyIndexTest, OctetsFollowTheNumberOfRows) {
  KeyIndex index;
  uint64_t state = 5;
  std::vector<uint32_t> hashes;
  for (uint32_t i = 1; i <= 200'000; ++i) {
    hashes.push_back(static_cast<uint32_t>(base::NextSecret(&state)));
    index.Insert(hashes.back(), i, 1);
  }
  index.Reclaim(2);
  EXPECT_LE(index.octets(), 200'000 * 28u);
  // Few are left: it becomes small by and by.
  for (uint32_t i = 1; i <= 200'000; ++i) {
    if (i > 100) index.Erase(hashes[i - 1], i);
  }
  for (uint32_t i = 0; i < 400'000; ++i) {
    index.Insert(i * 7919, 1'000'000 + i, 1);
    index.Erase(i * 7919, 1'000'000 + i);
  }
  index.Reclaim(2);
  EXPECT_EQ(index.size(), 100u);
}

TEST(RowStoreTest, RowsAreUsedAgainWhenNobodySeesThem) {
  struct Row {
    uint64_t value = 7;
  };
  RowStore<Row> rows(3000);
  for (uint32_t i = 1; i <= 3000; ++i) {
    ASSERT_EQ(rows.New(), i);
    EXPECT_EQ(rows[i].value, 7u);
    rows[i].value = i;
  }
  EXPECT_EQ(rows.New(), 0u);
  for (uint32_t i = 1; i <= 3000; ++i) EXPECT_EQ(rows[i].value, i);
  rows.Retire(5, /*epoch=*/1);
  EXPECT_EQ(rows.Reclaim(1, 10), 0u);
  EXPECT_EQ(rows.New(), 0u);
  EXPECT_EQ(rows.Reclaim(2, 10), 1u);
  EXPECT_EQ(rows.New(), 5u);
  EXPECT_EQ(rows[5].value, 7u);
  EXPECT_EQ(rows.in_use(), 3000u);
}

}  // namespace
}  // namespace flowacct::session
