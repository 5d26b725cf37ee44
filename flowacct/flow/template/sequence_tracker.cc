#include "flowacct/flow/template/sequence_tracker.h"

#include <algorithm>

namespace flowacct::flow {

SequenceTracker::Verdict SequenceTracker::Observe(uint32_t sequence) {
  late_ = false;
  if (!known_) {
    known_ = true;
    expected_ = sequence;
    return Verdict::kFirst;
  }
  const uint32_t ahead = sequence - expected_;
  if (ahead == 0) return Verdict::kInOrder;
  if (ahead <= limits_.max_gap) {
    ++gaps_;
    lost_ += ahead;
    expected_ = sequence;
    return Verdict::kGap;
  }
  if (expected_ - sequence <= limits_.max_reorder) {
    ++reordered_;
    late_ = true;
    return Verdict::kReordered;
  }
  ++restarts_;
  expected_ = sequence;
  return Verdict::kRestart;
}

void SequenceTracker::Advance(uint32_t units) {
  if (late_) {
    lost_ -= std::min<uint64_t>(lost_, units);  // it was counted as lost; a duplicate was not
    return;
  }
  expected_ += units;
}

record::SequenceReport SequenceTracker::Report(const char* unit) const {
  record::SequenceReport report;
  report.unit = unit;
  report.gaps = gaps_;
  report.lost = lost_;
  report.reordered = reordered_;
  report.restarts = restarts_;
  return report;
}

}  // namespace flowacct::flow
