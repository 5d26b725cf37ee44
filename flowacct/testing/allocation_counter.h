// Counts the calls of operator new that the current thread makes, to test "no allocation a record in steady state", and
// what the heap holds, to test that bounds on memory are true.
//
//   FLOWACCT_REQUIRE_ALLOCATION_COUNT();   // at the top of the test: skips it under a sanitizer
//   testing::AllocationCounter counter;
//   ... decode a thousand records ...
//   EXPECT_EQ(counter.allocations(), 0);
//
// Linking //flowacct/testing:allocation_counter replaces the global operator new, except in a build with a sanitizer,
// which has its own. Calls of malloc that do not come from operator new are not counted.
// Threads: each sees its own count.

#ifndef FLOWACCT_TESTING_ALLOCATION_COUNTER_H_
#define FLOWACCT_TESTING_ALLOCATION_COUNTER_H_

#include <cstdint>

namespace flowacct::testing {

class AllocationCounter {
 public:
  AllocationCounter()
      : allocations_at_start_(ThreadAllocations()),
        octets_at_start_(ThreadOctets()),
        heap_at_start_(ThreadHeapOctets()) {}

  int64_t allocations() const { return ThreadAllocations() - allocations_at_start_; }
  int64_t octets() const { return ThreadOctets() - octets_at_start_; }
  // What was allocated and not freed since, with the heap's header and rounding of each block.
  int64_t heap_octets() const { return ThreadHeapOctets() - heap_at_start_; }

  // False in a build with a sanitizer, where every count is zero.
  static bool Works();

 private:
  static int64_t ThreadAllocations();
  static int64_t ThreadOctets();
  static int64_t ThreadHeapOctets();

  int64_t allocations_at_start_;
  int64_t octets_at_start_;
  int64_t heap_at_start_;
};

}  // namespace flowacct::testing

// Needs <gtest/gtest.h>.
#define FLOWACCT_REQUIRE_ALLOCATION_COUNT()                                      \
  do {                                                                           \
    if (!::flowacct::testing::AllocationCounter::Works()) {                      \
      GTEST_SKIP() << "allocations are not counted in a build with a sanitizer"; \
    }                                                                            \
  } while (false)

#endif  // FLOWACCT_TESTING_ALLOCATION_COUNTER_H_
