// Why a flow ended: the values of the field flow_end_reason, the element flowEndReason (136) of RFC 5102, 5.11.3.

#ifndef FLOWACCT_METER_FLOW_END_REASON_H_
#define FLOWACCT_METER_FLOW_END_REASON_H_

#include <cstddef>
#include <cstdint>

namespace flowacct::meter {

enum class FlowEndReason : uint8_t {
  kIdleTimeout = 1,
  kActiveTimeout = 2,
  kEndOfFlow = 3,  // a FIN or RST, and then the silence that MeterOptions asks for, or a SYN that begins anew
  kForcedEnd = 4,  // Close, or a clock that was set back
  kLackOfResources = 5,
};
inline constexpr size_t kFlowEndReasons = 6;  // room for an array by reason

}  // namespace flowacct::meter

#endif  // FLOWACCT_METER_FLOW_END_REASON_H_
