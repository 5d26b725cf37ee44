#include "flowacct/record/sequence_tracker.h"

#include <algorithm>
#include <utility>

namespace flowacct::record {

SequenceTracker::Verdict SequenceTracker::Observe(uint32_t sequence, const SequenceLimits& limits,
                                                  SequenceCounters* counters) {
  late_ = false;
  if (!known_) {
    known_ = true;
    resumed_ = false;
    expected_ = sequence;
    missing_ = 0;
    return Verdict::kFirst;
  }
  const uint32_t ahead = sequence - expected_;
  const bool resumed = std::exchange(resumed_, false);
  if (ahead == 0) return Verdict::kInOrder;
  if (resumed && ahead < uint32_t{1} << 31) {
    counters->lost_over_restart += ahead;
    expected_ = sequence;
    return Verdict::kResumed;
  }
  if (ahead <= limits.max_gap) {
    ++counters->gaps;
    counters->lost += ahead;
    missing_ += std::min(ahead, UINT32_MAX - missing_);
    expected_ = sequence;
    return Verdict::kGap;
  }
  if (expected_ - sequence <= limits.max_reorder) {
    ++counters->reordered;
    late_ = true;
    return Verdict::kReordered;
  }
  ++counters->restarts;
  expected_ = sequence;
  missing_ = 0;
  return Verdict::kRestart;
}

void SequenceTracker::Advance(uint32_t units, SequenceCounters* counters) {
  if (!late_) {
    expected_ += units;
    return;
  }
  // It was counted as lost; a duplicate was not.
  const uint32_t found = std::min(missing_, units);
  missing_ -= found;
  counters->lost -= found;
}

}  // namespace flowacct::record
