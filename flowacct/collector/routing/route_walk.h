// Goes through the routes of a running collector, from any thread, a bit at a time, while they change.
//
//     for (const WalkedPeer& peer : ListTables(engine)) {
//       for (const auto& [rd, table] : peer.tables) {
//         absl::Status status = WalkTable(engine, table, v6, [&](const base::IpPrefix& prefix, const rib::RouteView&
//         path,
//                                                             bool best) { ... return true; });
//       }
//     }
//
// Guarantees: each prefix that is there all the time is seen once, with its paths as they were at one moment; of what
// changes meanwhile the state before or after. A table that goes while it is walked ends early.
// Ownership: what `visit` sees is valid during its call. Threads: any; the table's writer never waits for a walk, but
// for one step's `visit` calls nothing that was removed is given back: they are quick. Errors: a Status: the engine
// does not run, or there are more readers than lpm::ReaderEpochs knows of. Cost: some 20 ns a route and what visit
// does.

#ifndef FLOWACCT_COLLECTOR_ROUTING_ROUTE_WALK_H_
#define FLOWACCT_COLLECTOR_ROUTING_ROUTE_WALK_H_

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/collector/routing/routing_engine.h"
#include "flowacct/collector/routing/routing_status.h"
#include "flowacct/rib/rib.h"

namespace flowacct::collector {

struct WalkedPeer {
  rib::PeerKey key;
  RoutingPeer told;
  std::vector<std::pair<uint64_t, rib::TableId>> tables;  // by route distinguisher
};

// In the order of the status; those that are stale too.
absl::StatusOr<std::vector<WalkedPeer>> ListTables(RoutingEngine& engine);

// Calls `visit` with each path of a family in the order of prefixes, from the first one or, if there is a `from`, from
// the one after it, until it returns false. `between`, if there is
// one, is called between steps, when nothing is held: it may take its time, and ends the walk by an error.
absl::Status WalkTable(
    const RoutingEngine& engine, rib::TableId table, bool v6,
    absl::FunctionRef<bool(const base::IpPrefix& prefix, const rib::RouteView& path, bool best)> visit,
    const std::function<absl::Status()>& between = nullptr, const base::IpPrefix* from = nullptr);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_ROUTING_ROUTE_WALK_H_
