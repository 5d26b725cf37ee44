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
  std::vector<uint32_t> rows;
  rows.reserve(batch.size());
  for (size_t i = 0; i < batch.size(); ++i) {
    if (!batch.is_overflow(i)) rows.push_back(static_cast<uint32_t>(i));
  }
  const size_t key_size = batch.schema().key.row_size();
  const auto before = [&](uint32_t a, uint32_t b) {
    const absl::uint128 va = batch.wide_value(a, by), vb = batch.wide_value(b, by);
    if (va != vb) return va > vb;
    return std::memcmp(batch.key(a).octets(), batch.key(b).octets(), key_size) < 0;
  };
  const size_t kept = std::min(limit, rows.size());
  std::partial_sort(rows.begin(), rows.begin() + static_cast<ptrdiff_t>(kept), rows.end(), before);
  rows.resize(kept);
  for (size_t i = 0; batch.has_overflow() && i < batch.size(); ++i) {
    if (batch.is_overflow(i)) rows.push_back(static_cast<uint32_t>(i));
  }
  return rows;
}

}  // namespace flowacct::aggregate
