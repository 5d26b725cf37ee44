// Where a socket listens or sends to, as a text: "udp://0.0.0.0:2055", "udp://[::]:2055", "tls://[fe80::1%eth0]:4740".
//
// Names of hosts are not looked up: what a resolver says today is not what it says tomorrow, and a collector that waits
// for one at start waits for the network that it is there to watch. `[::]` stands for every address of both families,
// `0.0.0.0` for those of IPv4. Port 0 lets the system choose one.
// Threads: plain values. Errors: InvalidArgument that names the text and what to write instead.

#ifndef FLOWACCT_COLLECTOR_SOCKET_ENDPOINT_H_
#define FLOWACCT_COLLECTOR_SOCKET_ENDPOINT_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/base/ip_address.h"

namespace flowacct::collector {

// X(scheme, name)
#define FLOWACCT_ENDPOINT_SCHEMES(X) \
  X(kUdp, "udp")                     \
  X(kTcp, "tcp")                     \
  X(kTls, "tls")

enum class EndpointScheme : uint8_t {
#define X(scheme, name) scheme,
  FLOWACCT_ENDPOINT_SCHEMES(X)
#undef X
};

absl::string_view EndpointSchemeName(EndpointScheme scheme);  // "udp"

struct Endpoint {
  EndpointScheme scheme = EndpointScheme::kUdp;
  base::IpAddress address;
  uint16_t port = 0;
  std::string interface;  // the zone of a link-local address (RFC 4007, 11); else empty

  // The text that ParseEndpoint takes.
  std::string ToString() const;
  bool IsAnyAddress() const;  // 0.0.0.0 or ::

  friend bool operator==(const Endpoint& a, const Endpoint& b) {
    return a.scheme == b.scheme && a.address == b.address && a.port == b.port && a.interface == b.interface;
  }
};

// `allowed`: the schemes that make sense where the text stands.
absl::StatusOr<Endpoint> ParseEndpoint(absl::string_view text, absl::Span<const EndpointScheme> allowed);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SOCKET_ENDPOINT_H_
