// Writes the routes of a running collector as MRT, while they change.
//
//     auto written = WriteRouteDump(*engine, {}, absl::Now(), "/var/lib/flowacct/rib-20260101-0000.mrt");
//
// Standards: RFC 6396, 4.3 (TABLE_DUMP_V2), RFC 8050 (paths with a path identifier). One PEER_INDEX_TABLE, then peer by
// peer a record for each path: readers sort by prefix what needs it. Routes of a route distinguisher are RIB_GENERIC of
// the VPN families, labelled ones of the labelled families. MRT cannot say: which of a BMP speaker's tables a peer's
// routes are of, and who told it; the interface of a link-local peer; that a route is stale. So of each neighbour
// (address, AS, BGP identifier) one view is written: its session, else its Loc-RIB, what was told of it after policy,
// before policy, a file's; of equal ones the first with routes. What a router tells its neighbours (Adj-RIB-Out) is
// not. Guarantees: the file is there whole or not at all: it is written by another name, synced, then renamed. What
// changes meanwhile is as route_walk.h says; its writer is never waited for. Threads: any but the engine's. Errors: a
// Status with the path; nothing is left then. Cost: some 400 ns a route and some 90 octets of the file.

#ifndef FLOWACCT_COLLECTOR_MRT_ROUTE_DUMP_H_
#define FLOWACCT_COLLECTOR_MRT_ROUTE_DUMP_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/routing/routing_engine.h"

namespace flowacct::collector {

struct RouteDumpOptions {
  // Only what BGP sessions told (and no link-local peer): what can be restored.
  bool only_sessions = false;
  // Only what this peer told: its address or BGP identifier.
  std::optional<base::IpAddress> peer;
  // Asked between steps; true gives up (kCancelled). May be empty.
  std::function<bool()> interrupted;
};

struct RouteDumpCounters {
  uint64_t peers = 0;
  uint64_t routes = 0;    // paths
  uint64_t left_out = 0;  // that MRT cannot hold, and other views of what was written
  uint64_t octets = 0;
};

absl::StatusOr<RouteDumpCounters> WriteRouteDump(RoutingEngine& engine, const RouteDumpOptions& options, absl::Time now,
                                                 const std::string& path);
// The same to `out`, in pieces of some 256 KiB.
absl::StatusOr<RouteDumpCounters> WriteRouteDump(RoutingEngine& engine, const RouteDumpOptions& options, absl::Time now,
                                                 const std::function<absl::Status(base::Octets)>& out);

// The same as a value; ResourceExhausted: it has more than kMaxRouteDumpOctets.
absl::StatusOr<std::string> RouteDumpOf(RoutingEngine& engine, const RouteDumpOptions& options, absl::Time now);
// Three full tables, below what clients take as an answer (client/http_client.h).
inline constexpr size_t kMaxRouteDumpOctets = size_t{240} << 20;

// Files that are left by a crash while they were written end in this.
inline constexpr char kUnfinishedSuffix[] = ".partial";

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_MRT_ROUTE_DUMP_H_
