// The sums over aggregate batches, for the identity that everything here keeps: what went in equals what came out
// plus what is counted as rejected.

#ifndef FLOWACCT_AGGREGATE_TOTALS_H_
#define FLOWACCT_AGGREGATE_TOTALS_H_

#include <cstdint>
#include <vector>

#include "absl/numeric/int128.h"
#include "flowacct/aggregate/aggregate_batch.h"

namespace flowacct::aggregate {

struct Totals {
  // By value column; of sums only, zero for the other functions.
  std::vector<absl::uint128> sums;
  uint64_t rows = 0;

  void Add(const AggregateBatch& batch);
};

}  // namespace flowacct::aggregate

#endif  // FLOWACCT_AGGREGATE_TOTALS_H_
