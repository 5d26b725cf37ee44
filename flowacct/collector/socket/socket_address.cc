#include "flowacct/collector/socket/socket_address.h"

#include <net/if.h>
#include <netinet/in.h>

#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace flowacct::collector {

absl::StatusOr<SocketAddress> ToSocketAddress(const Endpoint& endpoint) {
  SocketAddress result;
  if (endpoint.address.IsV4()) {
    auto* in = reinterpret_cast<sockaddr_in*>(&result.storage);
    in->sin_family = AF_INET;
    in->sin_port = htons(endpoint.port);
    in->sin_addr.s_addr = htonl(endpoint.address.v4());
    result.length = sizeof(*in);
    return result;
  }
  auto* in6 = reinterpret_cast<sockaddr_in6*>(&result.storage);
  in6->sin6_family = AF_INET6;
  in6->sin6_port = htons(endpoint.port);
  std::memcpy(&in6->sin6_addr, endpoint.address.data(), sizeof(in6->sin6_addr));
  if (!endpoint.interface.empty()) {
    in6->sin6_scope_id = if_nametoindex(endpoint.interface.c_str());
    if (in6->sin6_scope_id == 0) {
      return absl::NotFoundError(absl::StrCat(endpoint.ToString(), ": there is no interface '", endpoint.interface,
                                              "'; 'ip link' lists them"));
    }
  }
  result.length = sizeof(*in6);
  return result;
}

bool FromSocketAddress(const sockaddr_storage& storage, base::IpAddress* address, uint16_t* port) {
  if (storage.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(storage);
    *address = base::IpAddress::V4(ntohl(in.sin_addr.s_addr));
    *port = ntohs(in.sin_port);
    return true;
  }
  if (storage.ss_family == AF_INET6) {
    const auto& in6 = reinterpret_cast<const sockaddr_in6&>(storage);
    *address = base::IpAddress::FromV6(in6.sin6_addr.s6_addr);
    *port = ntohs(in6.sin6_port);
    return true;
  }
  return false;
}

bool LocalAddress(int descriptor, base::IpAddress* address, uint16_t* port) {
  SocketAddress local;
  local.length = sizeof(local.storage);
  return getsockname(descriptor, local.get(), &local.length) == 0 && FromSocketAddress(local.storage, address, port);
}

}  // namespace flowacct::collector
