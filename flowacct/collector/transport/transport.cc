#include "flowacct/collector/transport/transport.h"

#include <utility>

#include "flowacct/collector/transport/stream_transport.h"
#include "flowacct/collector/transport/udp_transport.h"

namespace flowacct::collector {

absl::StatusOr<std::unique_ptr<Transport>> Transport::New(const TransportOptions& options) {
  absl::StatusOr<Endpoint> to =
      ParseEndpoint(options.to, {EndpointScheme::kUdp, EndpointScheme::kTcp, EndpointScheme::kTls});
  if (!to.ok()) return to.status();
  if (to->scheme == EndpointScheme::kUdp) {
    absl::StatusOr<std::unique_ptr<UdpTransport>> transport = UdpTransport::New(options);
    if (!transport.ok()) return transport.status();
    return std::unique_ptr<Transport>(*std::move(transport));
  }
  absl::StatusOr<std::unique_ptr<StreamTransport>> transport = StreamTransport::New(options);
  if (!transport.ok()) return transport.status();
  return std::unique_ptr<Transport>(*std::move(transport));
}

}  // namespace flowacct::collector
