#include "flowacct/aggregate/totals.h"

namespace flowacct::aggregate {

void Totals::Add(const AggregateBatch& batch) {
  const std::vector<ValueColumn>& values = batch.schema().values;
  if (sums.size() < values.size()) sums.resize(values.size());
  for (size_t column = 0; column < values.size(); ++column) {
    if (values[column].function != Function::kSum) continue;
    absl::uint128 sum = 0;
    for (size_t row = 0; row < batch.size(); ++row) sum += batch.wide_value(row, column);
    sums[column] += sum;
  }
  rows += batch.size();
}

}  // namespace flowacct::aggregate
