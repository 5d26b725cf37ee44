// Hands the messages of GTP that packets carry to the sessions, and tells these the time by them.
//
// Ownership: borrows the service. Threads: one, as the packet decoder that has it.

#ifndef FLOWACCT_COLLECTOR_SESSIONS_SESSION_TAP_H_
#define FLOWACCT_COLLECTOR_SESSIONS_SESSION_TAP_H_

#include <cstdint>

#include "flowacct/collector/sessions/session_service.h"
#include "flowacct/packet/gtp_tap.h"

namespace flowacct::collector {

class SessionTap final : public packet::GtpTap {
 public:
  explicit SessionTap(SessionService* service) : service_(service) {}

  void OnGtp(const packet::GtpDatagram& message) override {
    session::Transport transport;
    transport.source = message.source;
    transport.destination = message.destination;
    transport.source_port = message.source_port;
    transport.destination_port = message.destination_port;
    transport.time_nanos = message.time_nanos;
    service_->Take(message.octets, transport);
    if (message.time_nanos < next_nanos_) return;
    next_nanos_ = message.time_nanos + kAdvanceNanos;
    service_->Advance(message.time_nanos);
  }

 private:
  static constexpr int64_t kAdvanceNanos = 1'000'000'000;

  SessionService* const service_;
  int64_t next_nanos_ = 0;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SESSIONS_SESSION_TAP_H_
