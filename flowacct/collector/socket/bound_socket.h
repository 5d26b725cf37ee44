// Opens sockets of endpoints, and says in words why one cannot be had.
//
// All sockets are non-blocking and close on exec. Threads: any. Errors: a Status that begins with the endpoint's text,
// says what the system said and what to do about it; its code is kAlreadyExists for a taken port, kPermissionDenied,
// kNotFound for an address or interface that this machine has not, kUnimplemented for a family that it lacks.

#ifndef FLOWACCT_COLLECTOR_SOCKET_BOUND_SOCKET_H_
#define FLOWACCT_COLLECTOR_SOCKET_BOUND_SOCKET_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/collector/socket/descriptor.h"
#include "flowacct/collector/socket/endpoint.h"

namespace flowacct::collector {

struct BoundSocketOptions {
  // Take from this interface alone (SO_BINDTODEVICE). Empty: from all.
  std::string bind_to_device;
  // Others with the same user and this option may bind the same port (SO_REUSEPORT).
  bool reuse_port = false;
};

// An unbound one, of the endpoint's family and transport.
absl::StatusOr<Descriptor> OpenSocket(const Endpoint& endpoint);
// A socket that is open, but not bound yet. For TCP with SO_REUSEADDR, so that connections of an earlier process that
// linger do not keep its successor out.
absl::Status Bind(const Descriptor& socket, const Endpoint& endpoint, const BoundSocketOptions& options);
absl::Status Listen(const Descriptor& socket, const Endpoint& endpoint, int backlog);
absl::Status BindToDevice(const Descriptor& socket, absl::string_view endpoint, const std::string& device);

// Asks for a buffer of `octets` (SO_RCVBUF or SO_SNDBUF; first with privilege, which goes beyond the system's bound),
// and returns what the system granted of them.
enum class SocketBuffer { kReceive, kSend };
size_t GrantBuffer(const Descriptor& socket, SocketBuffer which, size_t octets);
// One line that says what to do about a grant that is less than what was asked; empty if it is not.
std::string BufferWarning(absl::string_view endpoint, SocketBuffer which, size_t asked, size_t granted);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SOCKET_BOUND_SOCKET_H_
