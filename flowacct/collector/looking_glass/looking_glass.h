// Answers what people ask of routes, over a routing table at rest (one that MRT files filled, or on its writer's
// thread) and over a running collector's.
//
//     auto json = ListRoutes(routes->book(), question);     // {"columns": [...], "rows": [...], "groups": 12345}
//     auto diff = CompareRoutes(before->book(), after->book(), question);
//
// Threads: the table's own, or for a running collector any but its speaker's. Errors: InvalidArgument that names the
// option and what can be. Cost: a list goes through all routes of the peers that are asked for, some 30 ns each; of a
// prefix through that and what is within it.

#ifndef FLOWACCT_COLLECTOR_LOOKING_GLASS_LOOKING_GLASS_H_
#define FLOWACCT_COLLECTOR_LOOKING_GLASS_LOOKING_GLASS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "flowacct/collector/looking_glass/route_rows.h"
#include "flowacct/collector/routing/peer_book.h"
#include "flowacct/collector/routing/routing_engine.h"
#include "flowacct/collector/server/collector_status.h"

namespace flowacct::collector {

// Peers with their numbers of routes.
std::string ListPeers(PeerBook& book);

// Each peer's longest prefix that holds the address; `question.address` is not empty.
absl::StatusOr<std::string> LookUpRoutes(PeerBook& book, const RoutesQuestion& question);

// Routes in the order of peers and prefixes. `groups` tells how many there are, also beyond the limit.
absl::StatusOr<std::string> ListRoutes(PeerBook& book, const RouteListQuestion& question);
absl::StatusOr<std::string> ListRoutes(RoutingEngine& engine, const RouteListQuestion& question);

struct RouteDifferences {
  std::string json;                  // a row for each route that is not the same in both
  std::vector<std::string> summary;  // a line for each peer with differences, and one for all
  uint64_t added = 0, withdrawn = 0, changed = 0, same = 0;
};
// From one table to another. Peers are the same by address and AS, and BGP identifier where both tell one.
absl::StatusOr<RouteDifferences> CompareRoutes(PeerBook& before, PeerBook& after, const RouteListQuestion& question);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_LOOKING_GLASS_LOOKING_GLASS_H_
