// Cuts time into bins: which bin a moment falls into.
//
// A width of whole days counts calendar days of the time zone (seven days: weeks from Monday); a shorter one counts
// from the midnight before, so that bins never straddle it and 1h is also right where clocks change. Where a width
// does not divide the day, the last bin of the day is shorter.
// Threads: one at a time (it remembers the last bin). Cost: two compares while time stays in the same bin, a division
// while it stays in the same day, else a look into the calendar.

#ifndef FLOWACCT_AGGREGATE_TIME_BINS_H_
#define FLOWACCT_AGGREGATE_TIME_BINS_H_

#include <cstdint>

#include "absl/time/time.h"
#include "flowacct/aggregate/aggregate_batch.h"

namespace flowacct::aggregate {

class TimeBins {
 public:
  // Moments outside 1823 to 2116 count as those, so that the end of a bin is a number, too.
  static int64_t Clamp(int64_t nanos) {
    constexpr int64_t kLimit = (int64_t{1} << 62) - 1;  // the difference of two is a number, too
    return nanos < -kLimit ? -kLimit : nanos > kLimit ? kLimit : nanos;
  }
  // `every`: from a millisecond to 366 days.
  TimeBins(absl::Duration every, absl::TimeZone zone);
  // `nanos` has been clamped.
  TimeBin Find(int64_t nanos) {
    if (nanos < last_.start_nanos || nanos >= last_.end_nanos) last_ = Compute(nanos);
    return last_;
  }

 private:
  TimeBin Compute(int64_t nanos);
  TimeBin OfDay(int64_t nanos) const;

  int64_t every_nanos_;
  int64_t days_;  // 0: shorter than a day
  absl::TimeZone zone_;
  TimeBin last_;
  TimeBin day_;  // that last_ is in, midnight to midnight
};

}  // namespace flowacct::aggregate

#endif  // FLOWACCT_AGGREGATE_TIME_BINS_H_
