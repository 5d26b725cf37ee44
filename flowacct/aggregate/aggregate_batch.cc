#include "flowacct/aggregate/aggregate_batch.h"

#include <algorithm>
#include <cstring>

namespace flowacct::aggregate {

std::string AggregateBatch::text(size_t row, size_t column) const {
  return column < texts_.size() && row < texts_[column].size() ? texts_[column][row] : std::string();
}

absl::uint128 AggregateBatch::wide_value(size_t row, size_t column) const {
  const uint64_t low = base::LoadHost<uint64_t>(Entry(row) + rows_.values_offset + 8 * column);
  const auto carry = carries_.find(row * 64 + column);
  return absl::MakeUint128(carry == carries_.end() ? 0 : carry->second, low);
}

std::vector<uint32_t> TopRows(const AggregateBatch& batch, size_t by, size_t limit) {
  // The numbers side by side, so that a compare touches no row unless they are equal.
  struct Ranked {
    uint64_t value;
    uint32_t row;
  };
  std::vector<Ranked> ranked;
  ranked.reserve(batch.size());
  const ValueColumn& column = batch.schema().values[by];
  const bool extreme = column.function == Function::kMin || column.function == Function::kMax;
  const uint64_t sign_bit = extreme ? record::SignBit(record::Info(column.field).type) : 0;
  uint32_t overflow_row = 0;
  for (size_t i = 0; i < batch.size(); ++i) {
    const uint32_t row = static_cast<uint32_t>(i);
    if (batch.is_overflow(i)) {
      overflow_row = row;
    } else {
      ranked.push_back({batch.has_value(i, by) ? batch.value(i, by) ^ sign_bit : 0, row});
    }
  }
  const size_t key_size = batch.schema().key.row_size();
  const auto before = [&](const Ranked& a, const Ranked& b) {
    if (a.value != b.value) return a.value > b.value;
    if (a.value == UINT64_MAX) {  // where sums beyond 64 bits read alike
      const absl::uint128 wide_a = batch.wide_value(a.row, by), wide_b = batch.wide_value(b.row, by);
      if (wide_a != wide_b) return wide_a > wide_b;
    }
    return std::memcmp(batch.key(a.row).octets(), batch.key(b.row).octets(), key_size) < 0;
  };
  const size_t kept = std::min(limit, ranked.size());
  if (kept == ranked.size()) {
    std::sort(ranked.begin(), ranked.end(), before);
  } else {
    std::partial_sort(ranked.begin(), ranked.begin() + static_cast<ptrdiff_t>(kept), ranked.end(), before);
  }
  std::vector<uint32_t> rows;
  rows.reserve(kept + 1);
  for (size_t i = 0; i < kept; ++i) rows.push_back(ranked[i].row);
  if (batch.has_overflow()) rows.push_back(overflow_row);
  return rows;
}

}  // namespace flowacct::aggregate
