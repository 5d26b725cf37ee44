#include "flowacct/topology/spf_backoff.h"

#include <algorithm>

namespace flowacct::topology {

void SpfBackoff::Expire(int64_t now_nanos) {
  // LEARN_TIMER: the changes are no single event's (transition 3). It ends before HOLDDOWN_TIMER.
  if (learned_at_ <= now_nanos) {
    learned_at_ = kNever;
    if (state_ == State::kShortWait) state_ = State::kLongWait;
  }
  if (quiet_at_ <= now_nanos) {  // transitions 5 and 6
    quiet_at_ = learned_at_ = kNever;
    state_ = State::kQuiet;
  }
}

void SpfBackoff::Change(int64_t now_nanos) {
  Expire(now_nanos);
  int64_t delay = options_.long_delay_nanos;  // transition 4
  if (state_ == State::kQuiet) {              // transition 1
    state_ = State::kShortWait;
    learned_at_ = now_nanos + options_.time_to_learn_nanos;
    delay = options_.initial_delay_nanos;
  } else if (state_ == State::kShortWait) {  // transition 2
    delay = options_.short_delay_nanos;
  }
  quiet_at_ = now_nanos + options_.holddown_nanos;
  if (spf_at_ == kNever) spf_at_ = now_nanos + delay;
}

bool SpfBackoff::Advance(int64_t now_nanos) {
  Expire(now_nanos);
  if (spf_at_ > now_nanos) return false;
  spf_at_ = kNever;
  return true;
}

int64_t SpfBackoff::NextTime() const { return std::min({spf_at_, learned_at_, quiet_at_}); }

}  // namespace flowacct::topology
