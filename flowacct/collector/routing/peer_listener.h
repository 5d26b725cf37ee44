// Opens the sockets that BGP peers connect to, with their MD5 keys and TTL security.
//
// Standards: RFC 2385 (TCP MD5 signatures; Linux' TCP_MD5SIG_EXT, keys by prefix), RFC 5082 (GTSM: what comes from more
// hops away than allowed is dropped by the system, and what is sent has a TTL of 255). Threads: any. Errors: a Status
// that names the option and what to do.

#ifndef FLOWACCT_COLLECTOR_ROUTING_PEER_LISTENER_H_
#define FLOWACCT_COLLECTOR_ROUTING_PEER_LISTENER_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "flowacct/collector/routing/routing_options.h"
#include "flowacct/collector/socket/descriptor.h"
#include "flowacct/collector/socket/endpoint.h"

namespace flowacct::collector {

// *endpoint: with the port that the system chose, if it was asked to.
absl::StatusOr<Descriptor> ListenForPeers(const RoutingOptions& options, Endpoint* endpoint);

// For a socket that listens or connects; the endpoint is its own.
absl::Status SetMd5Key(const Descriptor& socket, const Endpoint& endpoint, const RoutingMd5Key& key);
absl::Status SetTtlSecurity(const Descriptor& socket, const Endpoint& endpoint, int hops);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_ROUTING_PEER_LISTENER_H_
