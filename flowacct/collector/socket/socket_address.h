// Between an Endpoint and what the system's calls take.
//
// An IPv4 address that came over a socket of both families is IPv4 here: base::IpAddress keeps both as one.

#ifndef FLOWACCT_COLLECTOR_SOCKET_SOCKET_ADDRESS_H_
#define FLOWACCT_COLLECTOR_SOCKET_SOCKET_ADDRESS_H_

#include <sys/socket.h>

#include <cstdint>

#include "absl/status/statusor.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/collector/socket/endpoint.h"

namespace flowacct::collector {

struct SocketAddress {
  sockaddr_storage storage = {};
  socklen_t length = 0;

  int family() const { return storage.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

// NotFound: the interface of a link-local address does not exist.
absl::StatusOr<SocketAddress> ToSocketAddress(const Endpoint& endpoint);

// Of an AF_INET or AF_INET6 address; false for any other, such as that of an unnamed socket.
bool FromSocketAddress(const sockaddr_storage& storage, base::IpAddress* address, uint16_t* port);

// What the system chose where port 0 was asked for, and the address that a connection came to.
bool LocalAddress(int descriptor, base::IpAddress* address, uint16_t* port);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SOCKET_SOCKET_ADDRESS_H_
