#include "flowacct/session/answered_transactions.h"

#include <algorithm>
#include <list>
#include <random>

#include "gtest/gtest.h"

namespace flowacct::session {
namespace {

struct Kept {
  TransactionKey key;
  uint32_t asked, answered;
  int64_t end;
};

// Next to a list that is gone through, with few keys, so that all comes again and again.
TEST(AnsweredTransactionsTest, AsAListHasThem) {
  constexpr size_t kMost = 40;
  constexpr int64_t kKeep = 100;
  AnsweredTransactions transactions(kMost, kKeep);
  std::list<Kept> twin;
  std::mt19937 generator(3);
  const auto random = [&generator] { return static_cast<uint32_t>(generator()); };
  int64_t now = 0;
  size_t found = 0, full = 0, expired = 0;
  for (uint32_t i = 1; i < 200'000; ++i) {
    const TransactionKey key = {1 + random() % 3, 1 + random() % 3, random() % 20};
    const auto there = std::find_if(twin.begin(), twin.end(), [&](const Kept& k) { return k.key == key; });
    AnsweredTransactions::Row* const row = transactions.Find(key);
    ASSERT_EQ(row != nullptr, there != twin.end()) << i;
    if (row != nullptr) {
      ++found;
      ASSERT_EQ(row->asked, there->asked);
      ASSERT_EQ(row->answered, there->answered);
      if (random() % 3 == 0) {
        row->answered = there->answered = i;
        continue;
      }
      transactions.Forget(row);
      // It keeps its place until its time is over, as one that nobody finds.
      there->key.sequence = ~uint32_t{0};
    }
    if (twin.size() == kMost) {
      ++full;
      twin.pop_front();
    }
    transactions.Add(key, i, i + 1, now);
    twin.push_back({key, i, i + 1, now});
    now += random() % 8;
    if (random() % 4 != 0) continue;
    const size_t most = random() % 5;
    size_t n = 0;
    for (; n < most && !twin.empty() && twin.front().end + kKeep <= now; ++n) twin.pop_front();
    ASSERT_EQ(transactions.Expire(now, most), n);
    expired += n;
  }
  EXPECT_GT(found, 10'000u);
  EXPECT_GT(full, 1'000u);
  EXPECT_GT(expired, 10'000u);
}

TEST(AnsweredTransactionsTest, NoneIsKeptWhereNoneMayBe) {
  AnsweredTransactions transactions(0, 100);
  transactions.Add({1, 2, 3}, 4, 5, 6);
  EXPECT_EQ(transactions.Find({1, 2, 3}), nullptr);
}

}  // namespace
}  // namespace flowacct::session
