// When to compute shortest paths after changes: at once in quiet times, seldom in a storm.
//
// Standard: RFC 8405, 5 (states and timers) and 6 (defaults). Time enters as an argument and never goes back. A value;
// one thread. Errors: none. Cost: none.
//
//     if (changed) backoff.Change(now);      backoff.NextTime();  // when to look again
//     if (backoff.Advance(now)) compute();

#ifndef FLOWACCT_TOPOLOGY_SPF_BACKOFF_H_
#define FLOWACCT_TOPOLOGY_SPF_BACKOFF_H_

#include <cstdint>

namespace flowacct::topology {

struct SpfBackoffOptions {  // RFC 8405, 6
  int64_t initial_delay_nanos = 50'000'000;
  int64_t short_delay_nanos = 200'000'000;
  int64_t long_delay_nanos = 5'000'000'000;
  int64_t time_to_learn_nanos = 500'000'000;
  int64_t holddown_nanos = 10'000'000'000;
};

class SpfBackoff {
 public:
  enum class State : uint8_t { kQuiet, kShortWait, kLongWait };
  static constexpr int64_t kNever = INT64_MAX;

  explicit SpfBackoff(SpfBackoffOptions options = {}) : options_(options) {}

  void Change(int64_t now_nanos);
  // True: compute now.
  bool Advance(int64_t now_nanos);
  int64_t NextTime() const;
  State state() const { return state_; }

 private:
  void Expire(int64_t now_nanos);  // timers of the states

  SpfBackoffOptions options_;
  State state_ = State::kQuiet;
  int64_t spf_at_ = kNever, learned_at_ = kNever, quiet_at_ = kNever;
};

}  // namespace flowacct::topology

#endif  // FLOWACCT_TOPOLOGY_SPF_BACKOFF_H_
