#include "flowacct/collector/socket/bound_socket.h"

#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"
#include "flowacct/collector/socket/socket_address.h"

namespace flowacct::collector {
namespace {

// What the system says of a bind, with what a person can do.
absl::Status BindError(int error, const Endpoint& endpoint) {
  const std::string text = endpoint.ToString();
  switch (error) {
    case EADDRINUSE:
      return absl::AlreadyExistsError(absl::StrCat(text, ": address in use; is another collector running? 'ss -",
                                                   endpoint.scheme == EndpointScheme::kUdp ? "u" : "t",
                                                   "lnp sport = :", endpoint.port, "' names the process"));
    case EACCES:
    case EPERM:
      return absl::PermissionDeniedError(absl::StrCat(
          text, ": permission denied",
          endpoint.port < 1024 ? "; ports below 1024 need root or CAP_NET_BIND_SERVICE, or choose a higher port" : ""));
    case EADDRNOTAVAIL:
      return absl::NotFoundError(absl::StrCat(text,
                                              ": no interface of this machine has the address; 'ip address' lists "
                                              "them, [::] takes all"));
    default:
      return absl::ErrnoToStatus(error, absl::StrCat(text, ": cannot be bound"));
  }
}

}  // namespace

absl::StatusOr<Descriptor> OpenSocket(const Endpoint& endpoint) {
  const int family = endpoint.address.IsV4() ? AF_INET : AF_INET6;
  const int type = endpoint.scheme == EndpointScheme::kUdp ? SOCK_DGRAM : SOCK_STREAM;
  Descriptor socket(::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.is_open()) return socket;
  if (errno == EAFNOSUPPORT) {
    return absl::UnimplementedError(absl::StrCat(endpoint.ToString(), ": this machine has no ",
                                                 family == AF_INET ? "IPv4" : "IPv6; take 0.0.0.0 instead of [::]"));
  }
  return absl::ErrnoToStatus(errno, absl::StrCat(endpoint.ToString(), ": no socket can be opened"));
}

absl::Status BindToDevice(const Descriptor& socket, absl::string_view endpoint, const std::string& device) {
  if (setsockopt(socket.get(), SOL_SOCKET, SO_BINDTODEVICE, device.c_str(), static_cast<socklen_t>(device.size())) ==
      0) {
    return absl::OkStatus();
  }
  if (errno == EPERM) {
    return absl::PermissionDeniedError(
        absl::StrCat(endpoint, ": bind_to_device '", device, "': permission denied; it needs root or CAP_NET_RAW"));
  }
  if (errno == ENODEV || device.size() >= IFNAMSIZ) {
    return absl::NotFoundError(
        absl::StrCat(endpoint, ": bind_to_device '", device, "': there is no such interface; 'ip link' lists them"));
  }
  return absl::ErrnoToStatus(errno, absl::StrCat(endpoint, ": bind_to_device '", device, "'"));
}

absl::Status Bind(const Descriptor& socket, const Endpoint& endpoint, const BoundSocketOptions& options) {
  const int on = 1, off = 0;
  if (endpoint.scheme != EndpointScheme::kUdp) {
    setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  }
  if (options.reuse_port && setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat(endpoint.ToString(), ": SO_REUSEPORT"));
  }
  if (!endpoint.address.IsV4()) {
    // Both families, whatever net.ipv6.bindv6only says.
    setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  }
  if (!options.bind_to_device.empty()) {
    if (absl::Status status = BindToDevice(socket, endpoint.ToString(), options.bind_to_device); !status.ok()) {
      return status;
    }
  }
  const absl::StatusOr<SocketAddress> address = ToSocketAddress(endpoint);
  if (!address.ok()) return address.status();
  if (bind(socket.get(), address->get(), address->length) != 0) return BindError(errno, endpoint);
  return absl::OkStatus();
}

absl::Status Listen(const Descriptor& socket, const Endpoint& endpoint, int backlog) {
  if (listen(socket.get(), backlog) != 0) return BindError(errno, endpoint);
  return absl::OkStatus();
}

size_t GrantBuffer(const Descriptor& socket, SocketBuffer which, size_t octets) {
  const bool receive = which == SocketBuffer::kReceive;
  // The system doubles what is asked, for its own bookkeeping, in an int.
  const int asked = static_cast<int>(std::min<size_t>(octets, std::numeric_limits<int>::max() / 2));
  if (setsockopt(socket.get(), SOL_SOCKET, receive ? SO_RCVBUFFORCE : SO_SNDBUFFORCE, &asked, sizeof(asked)) != 0) {
    setsockopt(socket.get(), SOL_SOCKET, receive ? SO_RCVBUF : SO_SNDBUF, &asked, sizeof(asked));
  }
  int granted = 0;
  socklen_t length = sizeof(granted);
  getsockopt(socket.get(), SOL_SOCKET, receive ? SO_RCVBUF : SO_SNDBUF, &granted, &length);
  return static_cast<size_t>(granted) / 2;
}

std::string BufferWarning(absl::string_view endpoint, SocketBuffer which, size_t asked, size_t granted) {
  if (granted >= asked) return "";
  const bool receive = which == SocketBuffer::kReceive;
  return absl::StrCat(endpoint, ": ", receive ? "receive" : "send", " buffer of ", asked, " octets asked, ", granted,
                      " granted; 'sysctl -w net.core.", receive ? "rmem" : "wmem", "_max=", asked,
                      "' allows it, and so does CAP_NET_ADMIN");
}

}  // namespace flowacct::collector
