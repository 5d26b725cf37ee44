#include "flowacct/query/memory_store.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "flowacct/query/testing/conformance.h"
#include "gtest/gtest.h"

namespace flowacct::query {
namespace {

// A second MemoryStore whose batches came in another order: the suite itself holds, and what it asks is not empty.
TEST(MemoryStoreTest, Conforms) {
  const ConformanceData data;
  MemoryStore store, twin;
  for (const auto& [table, batch] : data.batches()) twin.Add(table, batch);
  for (auto it = data.batches().rbegin(); it != data.batches().rend(); ++it) store.Add(it->first, it->second);
  ExpectConforms(store, twin);
}

TEST(MemoryStoreTest, TheDataHasWhatItPromises) {
  const ConformanceData data;
  bool overflow = false, correction = false, wide = false, absent_minimum = false;
  for (const auto& [table, batch] : data.batches()) {
    overflow |= batch->has_overflow();
    correction |= batch->correction();
    for (size_t row = 0; row < batch->size(); ++row) {
      wide |= table == "flows" && batch->value(row, 1) > uint64_t{1} << 63;
      absent_minimum |= table == "flows" && !batch->has_value(row, 3);
    }
  }
  EXPECT_TRUE(overflow && correction && wide && absent_minimum);

  MemoryStore store;
  for (const auto& [table, batch] : data.batches()) store.Add(table, batch);
  size_t empty = 0;
  const auto requests = ConformanceRequests();
  EXPECT_GE(requests.size(), 60u);
  for (const ConformanceRequest& asked : requests) {
    size_t groups = 0;
    absl::uint128 largest = 0;
    ASSERT_TRUE(store
                    .Sum(asked.request,
                         [&](const GroupRow& row) {
                           ++groups;
                           if (row.values.size() > 1) largest = std::max(largest, row.values[1]);
                           return true;
                         })
                    .ok())
        << asked.name;
    if (asked.name == "total") {
      EXPECT_GT(largest, absl::uint128(UINT64_MAX));
    }
    if (groups == 0) ++empty;
  }
  EXPECT_LE(empty, 7u);  // those that ask where nothing is
}

TEST(MemoryStoreTest, ErrorsNameWhatIsThere) {
  const ConformanceData data;
  MemoryStore store;
  GroupRequest request;
  request.table = "flow";
  const auto tell = [](const GroupRow&) { return true; };
  EXPECT_EQ(store.Sum(request, tell).message(), "memory: there is no table yet; it comes with the first batch");
  for (const auto& [table, batch] : data.batches()) store.Add(table, batch);
  EXPECT_EQ(store.Sum(request, tell).message(), "memory: no table is called \"flow\"; there are flows, total");
  request.table = "total";
  request.by = {{record::FieldId::kSrcAs, -1, -1}};
  EXPECT_EQ(store.Sum(request, tell).message(),
            "memory: table total has no column src_as; its keys are dst_as, vrf_name");
}

}  // namespace
}  // namespace flowacct::query
