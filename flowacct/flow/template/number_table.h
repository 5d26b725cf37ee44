// Numbers that an exporter told by a number: rates of selectors and interfaces, route distinguishers of VRFs.
//
// Ownership: gives back to the budget, which outlives it, what it took. Threads: one at a time. Errors: a key too many
// is refused. Cost: a hash look-up; kKeyOctets a key at most.

#ifndef FLOWACCT_FLOW_TEMPLATE_NUMBER_TABLE_H_
#define FLOWACCT_FLOW_TEMPLATE_NUMBER_TABLE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "flowacct/flow/template/memory_budget.h"

namespace flowacct::flow {

class NumberTable {
 public:
  // A slot and its octet of control, in a table that has just doubled.
  static constexpr size_t kKeyOctets = 40;

  // `budget` may be null.
  explicit NumberTable(size_t max_keys, MemoryBudget* budget = nullptr) : max_keys_(max_keys), budget_(budget) {}
  NumberTable(const NumberTable&) = delete;
  NumberTable& operator=(const NumberTable&) = delete;
  ~NumberTable() { Clear(); }

  // False: no room for another key.
  bool Set(uint64_t key, uint64_t value) {
    const auto found = values_.find(key);
    if (found != values_.end()) {
      found->second = value;
      return true;
    }
    if (values_.size() >= max_keys_ || (budget_ != nullptr && !budget_->Take(kKeyOctets))) return false;
    values_.emplace(key, value);
    return true;
  }
  // 0: it was not told.
  uint64_t Find(uint64_t key) const {
    const auto found = values_.find(key);
    return found == values_.end() ? 0 : found->second;
  }
  // If there is one key alone, its value; else 0.
  uint64_t Only() const { return values_.size() == 1 ? values_.begin()->second : 0; }

  bool empty() const { return values_.empty(); }
  size_t size() const { return values_.size(); }
  void Clear() {
    if (budget_ != nullptr) budget_->Give(values_.size() * kKeyOctets);
    values_.clear();
  }
  // By key.
  std::vector<std::pair<uint64_t, uint64_t>> Sorted() const {
    std::vector<std::pair<uint64_t, uint64_t>> sorted(values_.begin(), values_.end());
    std::sort(sorted.begin(), sorted.end());
    return sorted;
  }

 private:
  const size_t max_keys_;
  MemoryBudget* const budget_;
  absl::flat_hash_map<uint64_t, uint64_t> values_;
};

}  // namespace flowacct::flow

#endif  // FLOWACCT_FLOW_TEMPLATE_NUMBER_TABLE_H_
