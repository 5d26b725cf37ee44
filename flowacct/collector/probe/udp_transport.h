// Sends export datagrams to one collector over UDP.
//
// Standards: RFC 768; RFC 7011 (10.3), RFC 3954 (3.2) and sFlow send over UDP and expect no answer.
// Guaranteed: datagrams go in order and at most at the rate asked; whether they arrive nobody tells, but a host that
// answers "port unreachable" makes a later Send fail. Ownership: owns its socket. Threads: one at a time. Errors: New,
// for a target that is none or is not reached; Send, with the target and the system's reason. Cost: a system call a
// datagram.

#ifndef FLOWACCT_COLLECTOR_PROBE_UDP_TRANSPORT_H_
#define FLOWACCT_COLLECTOR_PROBE_UDP_TRANSPORT_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "flowacct/sink/export/export_encoder.h"

namespace flowacct::collector {

struct UdpTransportOptions {
  // "192.0.2.1:4739", "[2001:db8::1]:4739", "collector.example:2055".
  std::string target;
  // Of datagrams; what a collector with the system's usual receive buffer takes. 0: as fast as it goes.
  uint32_t datagrams_per_second = 20000;
};

class UdpTransport final : public sink::ExportTransport {
 public:
  static absl::StatusOr<std::unique_ptr<UdpTransport>> New(UdpTransportOptions options);
  ~UdpTransport() override;
  UdpTransport(const UdpTransport&) = delete;
  UdpTransport& operator=(const UdpTransport&) = delete;

  absl::Status Send(base::Octets datagram) override;

 private:
  UdpTransport(UdpTransportOptions options, int socket) : options_(std::move(options)), socket_(socket) {}
  void Wait();

  const UdpTransportOptions options_;
  const int socket_;
  uint64_t sent_ = 0;
  absl::Time start_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_PROBE_UDP_TRANSPORT_H_
