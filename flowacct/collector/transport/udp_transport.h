// The Transport over UDP, from a connected socket.
//
// Not waiting, but for `send_wait`. A receiver's host that says that nobody listens (ICMP) is counted, and the datagram
// that the system reported it with is tried once more.

#ifndef FLOWACCT_COLLECTOR_TRANSPORT_UDP_TRANSPORT_H_
#define FLOWACCT_COLLECTOR_TRANSPORT_UDP_TRANSPORT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/socket/descriptor.h"
#include "flowacct/collector/socket/endpoint.h"
#include "flowacct/collector/transport/transport.h"

namespace flowacct::collector {

class UdpTransport final : public Transport {
 public:
  static absl::StatusOr<std::unique_ptr<UdpTransport>> New(const TransportOptions& options);
  ~UdpTransport() override;

  absl::Status Send(base::Octets message) override;
  size_t SendBatch(absl::Span<const base::Octets> messages) override;
  void Settle() override;
  uint64_t session() const override { return 1; }
  bool connected() const override { return socket_.is_open(); }
  void Close(absl::Duration at_most) override { socket_.Reset(); }
  TransportCounters counters() const override { return counters_; }
  const Endpoint& to() const override { return to_; }
  // Ours, with the port that the system chose.
  const Endpoint& from() const { return from_; }

 private:
  struct Batch;
  UdpTransport(Descriptor socket, Endpoint to, Endpoint from, absl::Duration send_wait);
  bool WaitForRoom();
  absl::Status Failed(int error);

  Descriptor socket_;
  const Endpoint to_, from_;
  const absl::Duration send_wait_;
  const std::unique_ptr<Batch> batch_;
  TransportCounters counters_;
};

// A socket for `options.to`, bound to `options.from` and with its other options; not connected yet. For all transports.
absl::StatusOr<Descriptor> OpenSendingSocket(const TransportOptions& options, const Endpoint& to);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_TRANSPORT_UDP_TRANSPORT_H_
