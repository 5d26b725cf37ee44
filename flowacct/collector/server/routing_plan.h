// What a configuration says of BGP, understood: options of the speaker, and of the enrichers that ask its table.
//
// Ownership: plain values; a factory's enrichers keep the speaker alive. Threads: any. Errors: InvalidArgument
// "FILE:LINE:COLUMN: what".

#ifndef FLOWACCT_COLLECTOR_SERVER_ROUTING_PLAN_H_
#define FLOWACCT_COLLECTOR_SERVER_ROUTING_PLAN_H_

#include <memory>

#include "absl/status/statusor.h"
#include "flowacct/collector/config/config_file.h"
#include "flowacct/collector/routelog/route_log.h"
#include "flowacct/collector/routing/routing_options.h"
#include "flowacct/enrich/enricher.h"
#include "flowacct/enrich/routes/routes_enricher.h"

namespace flowacct::collector {

class RoutingEngine;

// Where the speaker is, once it was made: plans are older than it is.
struct RoutingHolder {
  std::shared_ptr<RoutingEngine> engine;
};

// Of a configuration without `bgp`: the defaults.
absl::StatusOr<RoutingOptions> PlanRouting(const config::ConfigFile& file);
absl::StatusOr<enrich::RoutesOptions> PlanRoutes(const config::ConfigFile& file, const config::Routes& routes);
// Of sessions, or of what BMP tells (`monitored`); `log` and `dump` may be null, parts of the file's message.
absl::StatusOr<RouteLogOptions> PlanRouteLog(const config::ConfigFile& file, const config::MessageLog* log,
                                             const config::JsonDump* dump, bool monitored);
// Of a configuration's `bgp`.
absl::StatusOr<RouteLogOptions> PlanBgpLog(const config::ConfigFile& file);
// 0: none is kept.
absl::StatusOr<size_t> PlanHistory(const config::ConfigFile& file);
// Asks `holder` for the speaker when an enricher is made.
enrich::EnricherFactory RoutesFactory(std::shared_ptr<const RoutingHolder> holder, enrich::RoutesOptions options);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_ROUTING_PLAN_H_
