#include "flowacct/sink/sql/group_sums.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/sink/sql/group_select.h"

namespace flowacct::sink::sql {
namespace {

using aggregate::Function;

constexpr size_t kChunk = size_t{1} << 20;
constexpr uint64_t kSign = uint64_t{1} << 63;
constexpr uint64_t kLargest = INT64_MAX;

}  // namespace

GroupSums::GroupSums(size_t keys, std::vector<const Column*> values, size_t max_groups)
    : keys_(keys), values_(std::move(values)), max_groups_(std::min<size_t>(max_groups, UINT32_MAX)) {
  for (const Column* const column : values_) {
    flips_.push_back(column->function == Function::kSum || MayBeNegative(*column) ? 0 : kSign);
  }
}

absl::string_view GroupSums::Keep(absl::string_view octets) {
  if (octets.size() > left_) {
    left_ = std::max(kChunk, octets.size());
    chunks_.emplace_back(new char[left_]);
    next_ = chunks_.back().get();
  }
  char* const at = next_;
  std::memcpy(at, octets.data(), octets.size());
  next_ += octets.size();
  left_ -= octets.size();
  return absl::string_view(at, octets.size());
}

bool GroupSums::Add(absl::Span<const Cell> cells) {
  // Each cell: its kind, and 8 octets of a number, or length and octets.
  key_.clear();
  for (size_t i = 0; i < keys_; ++i) {
    const Cell& cell = cells[i];
    key_.push_back(static_cast<char>(cell.kind));
    if (cell.is_null()) continue;
    const bool number = cell.kind == Cell::Kind::kInteger;
    const uint64_t word = number ? static_cast<uint64_t>(cell.integer) : cell.octets.size();
    char octets[8];
    std::memcpy(octets, &word, 8);
    key_.append(octets, 8);
    if (!number) key_.append(cell.octets.data(), cell.octets.size());
  }
  size_t group = 0;
  if (const auto at = index_.find(key_); at != index_.end()) {
    group = at->second;
  } else {
    if (groups_.size() >= max_groups_) return false;
    group = groups_.size();
    groups_.push_back(Keep(key_));
    index_.emplace(groups_.back(), static_cast<uint32_t>(group));
    sums_.resize(sums_.size() + values_.size());
    for (const Column* const column : values_) present_.push_back(column->function == Function::kSum ? 1 : 0);
  }
  absl::uint128* const sums = sums_.data() + group * values_.size();
  char* const present = present_.data() + group * values_.size();
  for (size_t v = 0; v < values_.size(); ++v) {
    const Cell& cell = cells[keys_ + v];
    if (cell.is_null()) continue;
    const auto number = static_cast<uint64_t>(cell.integer);
    if (values_[v]->function == Function::kSum) {
      sums[v] += number;
      continue;
    }
    const uint64_t is = absl::Uint128Low64(sums[v]) ^ flips_[v], new_one = number ^ flips_[v];
    if (!present[v] || (values_[v]->function == Function::kMin ? new_one < is : new_one > is)) sums[v] = number;
    present[v] = 1;
  }
  return true;
}

void GroupSums::Key(size_t group, std::vector<Cell>* cells) const {
  cells->resize(keys_);
  absl::string_view octets = groups_[group];
  for (Cell& cell : *cells) {
    cell.kind = static_cast<Cell::Kind>(octets[0]);
    octets.remove_prefix(1);
    if (cell.is_null()) continue;
    uint64_t word = 0;
    std::memcpy(&word, octets.data(), 8);
    octets.remove_prefix(8);
    if (cell.kind == Cell::Kind::kInteger) {
      cell.integer = static_cast<int64_t>(word);
    } else {
      cell.octets = octets.substr(0, word);
      octets.remove_prefix(word);
    }
  }
}

absl::uint128 GroupSums::Rank(size_t group, size_t value) const { return this->value(group, value) ^ flips_[value]; }

GroupSumRows::GroupSumRows(const GroupSums& sums, absl::Span<const Column* const> values)
    : sums_(sums), values_(values.begin(), values.end()), rest_(values.size()) {}

bool GroupSumRows::Next() {
  const bool further = std::any_of(rest_.begin(), rest_.end(), [](absl::uint128 rest) { return rest != 0; });
  if (!further) {
    if (group_ == sums_.size()) return false;
    sums_.Key(group_, &key_);
    cells_ = key_;
    cells_.resize(key_.size() + values_.size());
  }
  for (size_t v = 0; v < values_.size(); ++v) {
    Cell& cell = cells_[key_.size() + v];
    cell.kind = Cell::Kind::kInteger;
    if (values_[v]->function == Function::kSum) {
      const absl::uint128 sum = further ? rest_[v] : sums_.value(group_, v);
      const absl::uint128 part = std::min(sum, absl::uint128(kLargest));
      cell.integer = static_cast<int64_t>(absl::Uint128Low64(part));
      rest_[v] = sum - part;
    } else if (further || !sums_.present(group_, v)) {
      cell.kind = Cell::Kind::kNull;
    } else {
      cell.integer = static_cast<int64_t>(absl::Uint128Low64(sums_.value(group_, v)));
    }
  }
  if (!further) ++group_;
  return true;
}

}  // namespace flowacct::sink::sql
