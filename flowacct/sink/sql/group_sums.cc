#include "flowacct/sink/sql/group_sums.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/sink/sql/group_select.h"

namespace flowacct::sink::sql {
namespace {

using aggregate::Function;

constexpr size_t kChunk = size_t{1} << 16;  // of 16 octets
constexpr uint64_t kSign = uint64_t{1} << 63;
constexpr uint64_t kLargest = INT64_MAX;

}  // namespace

record::StoredValue StoredValueOf(const Cell& cell) {
  record::StoredValue value;
  value.present = !cell.is_null();
  value.integer = cell.integer;
  value.octets = cell.octets;
  return value;
}

absl::Status TooManyGroups(absl::string_view store) {
  return absl::ResourceExhaustedError(
      absl::StrCat(store, ": more than ", kMaxGroupsHere, " groups; ask for fewer, or a shorter time"));
}

GroupSums::GroupSums(size_t keys, std::vector<const Column*> values, size_t max_groups)
    : keys_(keys),
      values_(std::move(values)),
      max_groups_(values_.size() > kMaxValues ? 0 : std::min<size_t>(max_groups, UINT32_MAX - 1)),
      slots_(1024) {
  for (const Column* const column : values_) {
    const bool sum = column->function == Function::kSum;
    if (sum) present_ |= uint64_t{1} << (flips_.size() & 63);
    flips_.push_back(sum || MayBeNegative(*column) ? 0 : kSign);
  }
}

void GroupSums::Encode(absl::Span<const Cell> cells) {
  size_t size = 9 * keys_;
  for (size_t i = 0; i < keys_; ++i) size += cells[i].octets.size();
  if (key_.size() < size) key_.resize(2 * size);
  char* at = key_.data();
  for (size_t i = 0; i < keys_; ++i) {
    const Cell& cell = cells[i];
    *at++ = static_cast<char>(cell.kind);
    if (cell.is_null()) continue;
    const bool number = cell.kind == Cell::Kind::kInteger;
    const uint64_t word = number ? static_cast<uint64_t>(cell.integer) : cell.octets.size();
    std::memcpy(at, &word, 8);
    at += 8;
    if (number || cell.octets.empty()) continue;
    std::memcpy(at, cell.octets.data(), cell.octets.size());
    at += cell.octets.size();
  }
  key_size_ = static_cast<size_t>(at - key_.data());
}

GroupSums::Group GroupSums::NewGroup() {
  const size_t size = values_.size() + 1 + (key_size_ + 15) / 16;
  if (size > left_) {
    left_ = std::max(kChunk, size);
    chunks_.emplace_back(new absl::uint128[left_]);
    next_ = chunks_.back().get();
  }
  const Group group = next_;
  next_ += size;
  left_ -= size;
  std::fill_n(group, values_.size(), 0);
  Head(group)[0] = present_;
  Head(group)[1] = key_size_;
  std::copy_n(key_.data(), key_size_, Octets(group));  // of no keys there is nothing, at null
  groups_.push_back(group);
  return group;
}

void GroupSums::Grow() {
  std::vector<uint64_t> slots(2 * slots_.size());
  for (const uint64_t slot : slots_) {
    if (slot == 0) continue;
    size_t at = (slot >> 32) & (slots.size() - 1);
    while (slots[at] != 0) at = (at + 1) & (slots.size() - 1);
    slots[at] = slot;
  }
  slots_ = std::move(slots);
}

GroupSums::Group GroupSums::FindOrAdd(absl::Span<const Cell> key) {
  Encode(key);
  const uint64_t hash = absl::HashOf(absl::string_view(key_.data(), key_size_)) & 0xffffffff;
  const size_t mask = slots_.size() - 1;
  size_t at = hash & mask;
  for (; slots_[at] != 0; at = (at + 1) & mask) {
    if (slots_[at] >> 32 != hash) continue;
    const Group other = groups_[(slots_[at] & 0xffffffff) - 1];
    if (Head(other)[1] == key_size_ && std::equal(Octets(other), Octets(other) + key_size_, key_.data())) return other;
  }
  if (groups_.size() >= max_groups_) return nullptr;
  const Group group = NewGroup();
  slots_[at] = hash << 32 | groups_.size();
  if (groups_.size() > slots_.size() / 2) Grow();
  return group;
}

void GroupSums::AddExtreme(Group group, size_t value, uint64_t number) {
  uint64_t& present = Head(group)[0];
  const uint64_t is = absl::Uint128Low64(group[value]) ^ flips_[value], new_one = number ^ flips_[value];
  const bool first = (present >> value & 1) == 0;
  if (first || (values_[value]->function == Function::kMin ? new_one < is : new_one > is)) group[value] = number;
  present |= uint64_t{1} << value;
}

bool GroupSums::Add(absl::Span<const Cell> cells) {
  const Group group = FindOrAdd(cells);
  if (group == nullptr) return false;
  for (size_t v = 0; v < values_.size(); ++v) {
    const Cell& cell = cells[keys_ + v];
    if (cell.is_null()) continue;
    const auto number = static_cast<uint64_t>(cell.integer);
    if (values_[v]->function == Function::kSum) {
      group[v] += number;
    } else {
      AddExtreme(group, v, number);
    }
  }
  return true;
}

bool GroupSums::Add(absl::Span<const Cell> key, absl::Span<const absl::uint128> values,
                    absl::Span<const bool> present) {
  const Group group = FindOrAdd(key);
  if (group == nullptr) return false;
  for (size_t v = 0; v < values_.size(); ++v) {
    if (!present[v]) continue;
    if (values_[v]->function == Function::kSum) {
      group[v] += values[v];
    } else {
      AddExtreme(group, v, absl::Uint128Low64(values[v]));
    }
  }
  return true;
}

void GroupSums::Tell(const query::GroupRequest& request, absl::FunctionRef<bool(const query::GroupRow&)> tell) const {
  // What the last of the largest has, those of which there may be more.
  const bool some = request.limit != 0 && request.limit < size();
  using Place = std::pair<bool, absl::uint128>;
  const auto rank = [&](size_t group) {
    return present(group, request.order) ? Place(true, Rank(group, request.order)) : Place(false, 0);
  };
  Place least;
  if (some) {
    std::vector<Place> ranks;
    ranks.reserve(size());
    for (size_t group = 0; group < size(); ++group) ranks.push_back(rank(group));
    const auto last = ranks.begin() + static_cast<std::ptrdiff_t>(request.limit - 1);
    std::nth_element(ranks.begin(), last, ranks.end(), std::greater<Place>());
    least = *last;
  }
  std::vector<Cell> cells;
  std::vector<record::StoredValue> key(request.by.size());
  std::vector<absl::uint128> numbers(values_.size());
  absl::InlinedVector<bool, 8> there(values_.size());
  for (size_t group = 0; group < size(); ++group) {
    if (some && rank(group) < least) continue;
    Key(group, &cells);
    query::GroupRow row;
    const size_t first = request.step_seconds != 0 ? 1 : 0;
    if (first != 0) row.step_seconds = cells[0].integer;
    for (size_t i = 0; i < key.size(); ++i) key[i] = StoredValueOf(cells[first + i]);
    for (size_t v = 0; v < values_.size(); ++v) {
      there[v] = present(group, v);
      numbers[v] = there[v] ? value(group, v) : 0;
    }
    row.group = key;
    row.values = numbers;
    row.present = there;
    if (!tell(row)) return;
  }
}

void GroupSums::Key(size_t group, std::vector<Cell>* cells) const {
  cells->resize(keys_);
  const char* at = Octets(groups_[group]);
  for (Cell& cell : *cells) {
    cell.kind = static_cast<Cell::Kind>(*at++);
    cell.octets = absl::string_view();
    if (cell.is_null()) continue;
    uint64_t word = 0;
    std::memcpy(&word, at, 8);
    at += 8;
    if (cell.kind == Cell::Kind::kInteger) {
      cell.integer = static_cast<int64_t>(word);
    } else {
      cell.octets = absl::string_view(at, word);
      at += word;
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
