// The time of an export as it is told, believed or repaired; and whether the device began anew.
//
// An export whose time differs from its arrival by more than max_clock_skew_seconds has a wrong clock (a router
// without NTP begins at 1970 or 1993): its times are moved by the difference, so that durations stay, and the export
// is counted. Files (Transport::kFile) are of any time and believed.
// A value; one thread; no allocation.

#ifndef FLOWACCT_FLOW_TEMPLATE_EXPORTER_CLOCK_H_
#define FLOWACCT_FLOW_TEMPLATE_EXPORTER_CLOCK_H_

#include <cstdint>
#include <optional>

#include "flowacct/flow/template/decode_plan.h"
#include "flowacct/flow/template/template_options.h"
#include "flowacct/record/datagram.h"

namespace flowacct::flow {

class ExporterClock {
 public:
  // Fills the times of `context`; counts in its clock_repairs. context->has_uptime and uptime_millis are set before.
  void Apply(int64_t export_nanos, const record::Datagram& datagram, const TemplateOptions& options,
             MessageContext* context);
  // Whether the uptime of this export says that the device began anew since the one before. Tells once.
  bool Restarted(int64_t export_nanos, uint32_t uptime_millis);

  // What it knows of the last export, for a clock that goes on later.
  struct Last {
    uint32_t uptime_millis = 0;
    int64_t export_nanos = 0;
  };
  const std::optional<Last>& last() const { return last_; }
  void Resume(const std::optional<Last>& last) { last_ = last; }

 private:
  std::optional<Last> last_;
};

}  // namespace flowacct::flow

#endif  // FLOWACCT_FLOW_TEMPLATE_EXPORTER_CLOCK_H_
