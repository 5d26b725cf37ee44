#include "flowacct/aggregate/time_bins.h"

#include <algorithm>

#include "absl/time/civil_time.h"

namespace flowacct::aggregate {

TimeBins::TimeBins(absl::Duration every, absl::TimeZone zone)
    : every_nanos_(absl::ToInt64Nanoseconds(every)), zone_(zone) {
  constexpr int64_t kDayNanos = int64_t{86400} * 1000000000;
  days_ = every_nanos_ % kDayNanos == 0 ? every_nanos_ / kDayNanos : 0;
}

TimeBin TimeBins::Compute(int64_t nanos) {
  if (days_ == 0 && nanos >= day_.start_nanos && nanos < day_.end_nanos) return OfDay(nanos);
  const absl::CivilDay day = absl::ToCivilDay(absl::FromUnixNanos(nanos), zone_);
  if (days_ > 0) {
    const absl::CivilDay monday(1970, 1, 5);
    const int64_t since = day - monday;
    const int64_t into = ((since % days_) + days_) % days_;
    return TimeBin{absl::ToUnixNanos(absl::FromCivil(day - into, zone_)),
                   absl::ToUnixNanos(absl::FromCivil(day - into + days_, zone_))};
  }
  day_ = TimeBin{absl::ToUnixNanos(absl::FromCivil(day, zone_)), absl::ToUnixNanos(absl::FromCivil(day + 1, zone_))};
  return OfDay(nanos);
}

TimeBin TimeBins::OfDay(int64_t nanos) const {
  // A zone whose clocks change at midnight may have no 00:00: its day begins with the change.
  const int64_t into = std::max<int64_t>(nanos - day_.start_nanos, 0);
  const int64_t start = day_.start_nanos + into / every_nanos_ * every_nanos_;
  return TimeBin{start, std::min(start + every_nanos_, day_.end_nanos)};
}

}  // namespace flowacct::aggregate
