#include "flowacct/testing/allocation_counter.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace flowacct::testing {
namespace {

TEST(AllocationCounter, CountsWhatItsScopeAllocates) {
  FLOWACCT_REQUIRE_ALLOCATION_COUNT();
  std::vector<int> reserved;
  reserved.reserve(100);
  AllocationCounter counter;
  for (int i = 0; i < 100; ++i) reserved.push_back(i);
  EXPECT_EQ(counter.allocations(), 0);
  reserved.push_back(100);
  EXPECT_EQ(counter.allocations(), 1);
  EXPECT_GE(counter.octets(), static_cast<int64_t>(101 * sizeof(int)));
}

TEST(AllocationCounter, CountsAlignedBlocks) {
  FLOWACCT_REQUIRE_ALLOCATION_COUNT();
  struct alignas(64) Line {
    char octets[64];
  };
  AllocationCounter counter;
  auto line = std::make_unique<Line>();
  EXPECT_EQ(reinterpret_cast<uintptr_t>(line.get()) % 64, 0u);
  EXPECT_EQ(counter.allocations(), 1);
}

TEST(AllocationCounter, TellsWhatTheHeapHolds) {
  FLOWACCT_REQUIRE_ALLOCATION_COUNT();
  const AllocationCounter counter;
  auto block = std::make_unique<char[]>(1000);
  EXPECT_GE(counter.heap_octets(), 1008);
  EXPECT_LE(counter.heap_octets(), 1032);
  block.reset();
  EXPECT_EQ(counter.heap_octets(), 0);
}

}  // namespace
}  // namespace flowacct::testing
