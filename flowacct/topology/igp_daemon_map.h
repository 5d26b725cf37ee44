// pmacct's igp_daemon_map: a topology in text, a line for each part of what a router tells.
//
//     ! comment                                           (also #)
//     node=10.0.0.1 area_id=1 adj_metric=10.0.0.2,10;10.0.0.3,20 reach_metric=192.0.2.0/24,10
//     node=10.0.0.1 area_id=1 reach6_metric=2001:db8::/32,10
//
// `node` (an IPv4 address), `area_id` (1 to 65535) and one of `adj_metric` (neighbours), `reach_metric` (IPv4 prefixes)
// and `reach6_metric` (IPv6 prefixes) must be there. Metrics are from 1 on. What the map says is of level 2; a node's
// system identifier is its address and two octets of zero, its area 49 and area_id. Lines of a node are its fragments.
//
// Standard: pmacct 1.7 (CONFIG-KEYS, igp_daemon_map). What differs: pmacct packs metrics into the six bits of old TLVs
// (ISO 10589, 9.8), here they count as they are written, up to those of RFC 5305. A node's address becomes its router
// identifier. A neighbour that is written with a length must have /32. Where pmacct leaves out a wrong part, there is
// an error. Ownership: values. Threads: any. Errors: InvalidArgument "FILE:LINE: ...", the first one. Cost: some
// microseconds a line.

#ifndef FLOWACCT_TOPOLOGY_IGP_DAEMON_MAP_H_
#define FLOWACCT_TOPOLOGY_IGP_DAEMON_MAP_H_

#include <cstddef>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/topology/advertisement.h"

namespace flowacct::topology {

struct IgpDaemonMapOptions {
  // A line is a fragment, of which a node has 256 at most: some thousand routers with all of theirs.
  size_t max_lines = 1000000;
};

// In the order of their keys. `name` stands for the file in errors.
absl::StatusOr<std::vector<Advertisement>> ParseIgpDaemonMap(absl::string_view text, absl::string_view name,
                                                             const IgpDaemonMapOptions& options = {});

}  // namespace flowacct::topology

#endif  // FLOWACCT_TOPOLOGY_IGP_DAEMON_MAP_H_
