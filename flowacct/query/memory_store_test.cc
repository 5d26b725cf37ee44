#include "flowacct/query/memory_store.h"

#include <map>
#include <string>

#include "flowacct/query/testing/conformance.h"
#include "gtest/gtest.h"

namespace flowacct::query {
namespace {

using F = record::FieldId;

MemoryStore NewStore() {
  MemoryStore store;
  for (auto& batch : testing::ConformanceBatches()) store.Add("flows", std::move(batch));
  return store;
}

TEST(MemoryStoreTest, TheSuiteHoldsOfItself) {
  MemoryStore a = NewStore(), b = NewStore();
  testing::ExpectConforms(a, b, "flows");
}

// Against sums that were taken of the batches otherwise.
TEST(MemoryStoreTest, SumsAreThoseOfTheBatches) {
  MemoryStore store = NewStore();
  absl::uint128 bytes = 0;
  std::map<uint32_t, absl::uint128> by_as;
  bool overflow = false;
  for (const auto& batch : testing::ConformanceBatches()) {
    overflow |= batch->has_overflow();
    for (size_t row = 0; row < batch->size(); ++row) {
      bytes += batch->wide_value(row, 1);
      if (batch->key(row).Has(F::kSrcAs)) by_as[batch->key(row).Get<F::kSrcAs>()] += batch->wide_value(row, 1);
    }
  }
  EXPECT_TRUE(overflow);
  EXPECT_GT(bytes, absl::uint128(UINT64_MAX));
  GroupRequest request;
  request.table = "flows";
  request.values = {1};
  ASSERT_TRUE(store
                  .Sum(request,
                       [&](const GroupRow& row) {
                         EXPECT_EQ(row.values[0], bytes);
                         return true;
                       })
                  .ok());
  request.by = {{F::kSrcAs, -1, -1}};
  size_t groups = 0;
  ASSERT_TRUE(store
                  .Sum(request,
                       [&](const GroupRow& row) {
                         if (row.group[0].present) {
                           ++groups;
                           EXPECT_EQ(row.values[0], by_as[static_cast<uint32_t>(row.group[0].integer)]);
                         }
                         return true;
                       })
                  .ok());
  EXPECT_EQ(groups, by_as.size());
}

}  // namespace
}  // namespace flowacct::query
