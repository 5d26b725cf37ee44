// What a configuration says of BGP and BMP, understood: options of the speaker, and of the enrichers that ask its
// table.
//
// Ownership: plain values; a factory's enrichers keep the speaker alive. Threads: any. Errors: InvalidArgument
// "FILE:LINE:COLUMN: what".

#ifndef FLOWACCT_COLLECTOR_SERVER_ROUTING_PLAN_H_
#define FLOWACCT_COLLECTOR_SERVER_ROUTING_PLAN_H_

#include <memory>

#include "absl/status/statusor.h"
#include "flowacct/collector/config/config_file.h"
#include "flowacct/collector/mrt/route_keeper.h"
#include "flowacct/collector/routelog/route_log.h"
#include "flowacct/collector/routing/routing_options.h"
#include "flowacct/enrich/enricher.h"
#include "flowacct/enrich/routes/routes_enricher.h"
#include "flowacct/record/custom_fields.h"
#include "flowacct/rpki/published_vrps.h"

namespace flowacct::collector {

class RoutingEngine;

// Where the speaker is, once it was made: plans are older than it is.
struct RoutingHolder {
  std::shared_ptr<RoutingEngine> engine;
  // What routes are validated against, if the configuration has `rpki`.
  const std::shared_ptr<rpki::PublishedVrps> vrps = std::make_shared<rpki::PublishedVrps>();
};

// Of a configuration without `bgp` and `bmp`: the defaults.
// `names`: of fields of the configuration's own, null: none.
absl::StatusOr<RoutingOptions> PlanRouting(const config::ConfigFile& file, const record::FieldNames* names);
// Its log and note are the caller's to set.
absl::StatusOr<RouteKeeperOptions> PlanRouteKeeper(const config::ConfigFile& file);
absl::StatusOr<enrich::RoutesOptions> PlanRoutes(const config::ConfigFile& file, const config::Routes& routes,
                                                 const record::FieldNames* names);
// Asks `holder` for the speaker when an enricher is made. `validates`: routes are held against its VRPs.
enrich::EnricherFactory RoutesFactory(std::shared_ptr<const RoutingHolder> holder, enrich::RoutesOptions options,
                                      bool validates);
// Of sessions, or of what BMP tells (`monitored`); `log` and `dump` may be null, parts of the file's message.
absl::StatusOr<RouteLogOptions> PlanRouteLog(const config::ConfigFile& file, const config::MessageLog* log,
                                             const config::JsonDump* dump, bool monitored);
// Of a configuration's `bgp`, and of its `bmp`.
absl::StatusOr<RouteLogOptions> PlanBgpLog(const config::ConfigFile& file);
absl::StatusOr<RouteLogOptions> PlanBmpLog(const config::ConfigFile& file);
// 0: none is kept.
absl::StatusOr<size_t> PlanHistory(const config::ConfigFile& file);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_ROUTING_PLAN_H_
