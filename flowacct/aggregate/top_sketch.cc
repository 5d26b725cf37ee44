#include "flowacct/aggregate/top_sketch.h"

#include <algorithm>

namespace flowacct::aggregate {
namespace {

bool Before(const TopSketch::Count& a, const TopSketch::Count& b) {
  return a.count != b.count ? a.count > b.count : a.value < b.value;
}

}  // namespace

void TopSketch::Add(const Value& value, size_t capacity) {
  size_t least = 0;
  for (size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i].value == value) {
      ++counts_[i].count;
      return;
    }
    if (counts_[i].count < counts_[least].count) least = i;
  }
  if (counts_.size() < capacity) {
    counts_.push_back(Count{value, 1, 0});
    return;
  }
  Count& replaced = counts_[least];
  replaced = Count{value, replaced.count + 1, replaced.count};
}

void TopSketch::Merge(const TopSketch& other, size_t capacity) {
  // What a full sketch does not hold, it may have met as often as its least frequent value.
  const auto unseen = [capacity](const std::vector<Count>& counts) {
    if (counts.size() < capacity) return uint64_t{0};
    return std::min_element(counts.begin(), counts.end(),
                            [](const Count& a, const Count& b) { return a.count < b.count; })
        ->count;
  };
  const uint64_t unseen_here = unseen(counts_), unseen_there = unseen(other.counts_);
  std::vector<Count> merged = counts_;
  for (Count& count : merged) {
    const auto it = std::find_if(other.counts_.begin(), other.counts_.end(),
                                 [&](const Count& c) { return c.value == count.value; });
    count.count += it == other.counts_.end() ? unseen_there : it->count;
    count.error += it == other.counts_.end() ? unseen_there : it->error;
  }
  for (const Count& count : other.counts_) {
    const auto same = [&](const Count& c) { return c.value == count.value; };
    if (std::any_of(counts_.begin(), counts_.end(), same)) continue;
    merged.push_back(Count{count.value, count.count + unseen_here, count.error + unseen_here});
  }
  std::sort(merged.begin(), merged.end(), Before);
  if (merged.size() > capacity) merged.resize(capacity);
  counts_ = std::move(merged);
}

std::vector<TopSketch::Count> TopSketch::Top(uint32_t top) const {
  std::vector<Count> sorted = counts_;
  std::sort(sorted.begin(), sorted.end(), Before);
  if (sorted.size() > top) sorted.resize(top);
  return sorted;
}

}  // namespace flowacct::aggregate
