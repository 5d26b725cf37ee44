// HTTP/1.1 (RFC 9112) around AdminApi: on loopback unless told otherwise, and on a UNIX socket if asked.
//
// No TLS and no authentication: on any other address it belongs behind a proxy that has both. Every connection is one
// request. Bounded: connections at once, octets of a request's head and body, seconds between two octets, seconds of a
// connection as a whole, octets of answers that are being sent. What is beyond is refused or cut and counted.
// Threads: its own, a connection each, with all signals blocked; AdminApi is called from these. Ownership: borrows the
// API, which outlives it; the destructor waits for requests that are being answered. Errors: of Start(), see
// listen_socket.h.

#ifndef FLOWACCT_COLLECTOR_ADMIN_ADMIN_SERVER_H_
#define FLOWACCT_COLLECTOR_ADMIN_ADMIN_SERVER_H_

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "flowacct/collector/admin/admin_api.h"

namespace flowacct::collector {

struct AdminServerOptions {
  std::vector<std::string> listen = {"127.0.0.1:2112"};
  // Of a UNIX socket.
  mode_t socket_mode = 0660;
  // A few people and two Prometheus. Those beyond are closed at once, and counted.
  unsigned max_connections = 16;
  // Line and headers of a request. A filter of a few hundred addresses fits.
  size_t max_head_octets = size_t{16} << 10;
  // A question with a filter of some thousand addresses.
  size_t max_body_octets = size_t{64} << 10;
  // A connection from which so long nothing comes is closed.
  absl::Duration idle_timeout = absl::Seconds(10);
  // A connection that takes longer, whatever it sends, is cut. 50 MB reach a slow reader in it.
  absl::Duration connection_timeout = absl::Seconds(60);
  // Answers that wait to be read; a request beyond is told to come again, unless it is the only one.
  size_t max_pending_octets = size_t{64} << 20;
};

class AdminServer {
 public:
  virtual ~AdminServer() = default;
  static absl::StatusOr<std::unique_ptr<AdminServer>> Start(AdminApi* api, AdminServerOptions options);

  // Where it listens, with the ports that the system chose.
  virtual const std::vector<std::string>& addresses() const = 0;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_ADMIN_ADMIN_SERVER_H_
