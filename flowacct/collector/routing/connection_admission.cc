#include "flowacct/collector/routing/connection_admission.h"

namespace flowacct::collector {

absl::StatusOr<std::unique_ptr<ConnectionAdmission>> ConnectionAdmission::New(absl::Span<const base::IpPrefix> allow,
                                                                              uint64_t per_minute, uint64_t burst) {
  AdmissionOptions options;
  // Its clock goes in minutes: a second of it is one of ours.
  const AdmissionLimit limit = {per_minute, burst};
  options.datagrams = limit;
  for (const base::IpPrefix& prefix : allow) {
    AdmissionRule rule;
    rule.prefix = prefix;
    rule.datagrams = limit;
    options.rules.push_back(rule);
  }
  options.forget_nanos = int64_t{10} * 1000000000;
  absl::StatusOr<std::unique_ptr<Admission>> admission = Admission::New(options);
  if (!admission.ok()) return admission.status();
  return std::unique_ptr<ConnectionAdmission>(new ConnectionAdmission(*std::move(admission)));
}

std::optional<RoutingRefusal> ConnectionAdmission::Judge(const base::IpAddress& address, int64_t monotonic_nanos) {
  switch (admission_->Admit(address, monotonic_nanos / 60)) {
    case AdmissionVerdict::kAdmitted:
      return std::nullopt;
    case AdmissionVerdict::kUnknownExporter:
      return RoutingRefusal::kNotAllowed;
    default:
      return RoutingRefusal::kTooOften;
  }
}

}  // namespace flowacct::collector
