#include "flowacct/collector/routing/peer_listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "flowacct/collector/socket/bound_socket.h"
#include "flowacct/collector/socket/socket_address.h"

namespace flowacct::collector {
namespace {

// As many as may come at once after a restart, with those of max_pending; the system cuts it to net.core.somaxconn.
constexpr int kBacklog = 1024;

}  // namespace

absl::Status SetMd5Key(const Descriptor& socket, const Endpoint& endpoint, const RoutingMd5Key& key) {
  const bool v6_socket = !endpoint.address.IsV4();
  const base::IpAddress& address = key.peers.address();
  // Each in the form that the socket's own addresses have: on one of both families IPv4 is mapped, and its length
  // counts in IPv4 bits.
  if (!v6_socket && !address.IsV4()) return absl::OkStatus();
  tcp_md5sig signature = {};
  if (v6_socket) {
    sockaddr_in6 in6 = {};
    in6.sin6_family = AF_INET6;
    std::memcpy(&in6.sin6_addr, address.data(), base::IpAddress::kSize);
    std::memcpy(&signature.tcpm_addr, &in6, sizeof(in6));
  } else {
    sockaddr_in in = {};
    in.sin_family = AF_INET;
    std::memcpy(&in.sin_addr, address.data() + 12, 4);
    std::memcpy(&signature.tcpm_addr, &in, sizeof(in));
  }
  signature.tcpm_flags = TCP_MD5SIG_FLAG_PREFIX;
  signature.tcpm_prefixlen = key.peers.length();
  signature.tcpm_keylen = static_cast<uint16_t>(key.key.size());
  std::memcpy(signature.tcpm_key, key.key.data(), key.key.size());
  if (setsockopt(socket.get(), IPPROTO_TCP, TCP_MD5SIG_EXT, &signature, sizeof(signature)) == 0) {
    return absl::OkStatus();
  }
  const int error = errno;
  const std::string what = absl::StrCat("md5_keys: ", key.peers.ToString(), " on ", endpoint.ToString());
  if (error == ENOPROTOOPT) {
    return absl::UnimplementedError(
        absl::StrCat(what, ": this system has no TCP MD5 (CONFIG_TCP_MD5SIG of the kernel)"));
  }
  return absl::ErrnoToStatus(error, what);
}

absl::Status SetTtlSecurity(const Descriptor& socket, const Endpoint& endpoint, int hops) {
  if (hops == 0) return absl::OkStatus();
  const int sent = 255, least = 256 - hops;
  const auto set = [&](int level, int name, int value) {
    return setsockopt(socket.get(), level, name, &value, sizeof(value)) == 0;
  };
  // A socket of both families has both settings.
  bool ok = set(IPPROTO_IP, IP_TTL, sent) && set(IPPROTO_IP, IP_MINTTL, least);
  if (!endpoint.address.IsV4()) {
    ok = set(IPPROTO_IPV6, IPV6_UNICAST_HOPS, sent) && set(IPPROTO_IPV6, IPV6_MINHOPCOUNT, least) && ok;
  }
  if (ok) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat("ttl_security_hops: ", hops, " on ", endpoint.ToString()));
}

absl::StatusOr<Descriptor> ListenForPeers(const RoutingOptions& options, Endpoint* endpoint) {
  absl::StatusOr<Descriptor> socket = OpenSocket(*endpoint);
  if (!socket.ok()) return socket.status();
  for (const RoutingMd5Key& key : options.md5_keys) {
    if (absl::Status status = SetMd5Key(*socket, *endpoint, key); !status.ok()) return status;
  }
  if (absl::Status status = SetTtlSecurity(*socket, *endpoint, options.ttl_security_hops); !status.ok()) return status;
  if (absl::Status status = Bind(*socket, *endpoint, {}); !status.ok()) return status;
  if (endpoint->port == 0) {
    base::IpAddress address;
    LocalAddress(socket->get(), &address, &endpoint->port);
  }
  if (absl::Status status = Listen(*socket, *endpoint, kBacklog); !status.ok()) return status;
  return socket;
}

}  // namespace flowacct::collector
