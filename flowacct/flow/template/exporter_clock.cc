#include "flowacct/flow/template/exporter_clock.h"

namespace flowacct::flow {
namespace {

constexpr int64_t kNanosPerSecond = 1000000000;
constexpr int64_t kNanosPerMilli = 1000000;
// Datagrams that overtake each other, and clocks that are set, differ by less.
constexpr int32_t kRestartMillis = 60000;
// What just began tells so soon.
constexpr uint32_t kFreshMillis = 3600 * 1000;

}  // namespace

void ExporterClock::Apply(int64_t export_nanos, const record::Datagram& datagram, const TemplateOptions& options,
                          MessageContext* context) {
  context->arrival_nanos = datagram.arrival_nanos;
  context->shift_nanos = 0;
  if (options.max_clock_skew_seconds > 0 && datagram.transport != record::Transport::kFile &&
      datagram.arrival_nanos > 0) {
    const int64_t skew = datagram.arrival_nanos - export_nanos;
    const int64_t bound = options.max_clock_skew_seconds * kNanosPerSecond;
    if (skew > bound || skew < -bound) {
      context->shift_nanos = skew;
      ++context->clock_repairs;
    }
  }
  context->export_nanos = export_nanos + context->shift_nanos;
  context->latest_nanos = context->export_nanos + options.max_future_seconds * kNanosPerSecond;
}

bool ExporterClock::Restarted(int64_t export_nanos, uint32_t uptime_millis) {
  bool restarted = false;
  if (last_.has_value() && uptime_millis < last_->uptime_millis && uptime_millis < kFreshMillis) {
    // A counter that wraps goes on with the wall clock (modulo its 32 bits); one that began anew falls behind it.
    const uint32_t elapsed = static_cast<uint32_t>((export_nanos - last_->export_nanos) / kNanosPerMilli);
    restarted = static_cast<int32_t>(uptime_millis - last_->uptime_millis - elapsed) < -kRestartMillis ||
                static_cast<int32_t>(uptime_millis - last_->uptime_millis - elapsed) > kRestartMillis;
  }
  last_ = {uptime_millis, export_nanos};
  return restarted;
}

}  // namespace flowacct::flow
