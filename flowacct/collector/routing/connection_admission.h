// Who may connect, and how often: the same for BGP peers and BMP speakers.
//
// Threads: one at a time. Errors: of New, a Status that names the option. Cost: a look-up in a table and one in a hash.

#ifndef FLOWACCT_COLLECTOR_ROUTING_CONNECTION_ADMISSION_H_
#define FLOWACCT_COLLECTOR_ROUTING_CONNECTION_ADMISSION_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/collector/listen/admission.h"
#include "flowacct/collector/routing/routing_status.h"

namespace flowacct::collector {

class ConnectionAdmission {
 public:
  // `allow`: none: everybody may. At most `burst` connections of an address at once, `per_minute` in the long run.
  static absl::StatusOr<std::unique_ptr<ConnectionAdmission>> New(absl::Span<const base::IpPrefix> allow,
                                                                  uint64_t per_minute, uint64_t burst);
  // Nothing: it may.
  std::optional<RoutingRefusal> Judge(const base::IpAddress& address, int64_t monotonic_nanos);

 private:
  explicit ConnectionAdmission(std::unique_ptr<Admission> admission) : admission_(std::move(admission)) {}

  const std::unique_ptr<Admission> admission_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_ROUTING_CONNECTION_ADMISSION_H_
