// The looking glass: what peers there are, and what their tables say of an address, as JSON: {"columns": [...], "rows":
// [[...], ...]} as a query is answered; peers with what the speaker counts of itself besides.
//
// Errors: InvalidArgument that names the value and what to do. Threads: any; the speaker answers between two reads.
// Cost: peers: a copy of their counters; a look-up: one in the table of each peer that is asked.

#ifndef FLOWACCT_COLLECTOR_SERVER_ROUTING_QUERY_H_
#define FLOWACCT_COLLECTOR_SERVER_ROUTING_QUERY_H_

#include <string>

#include "absl/status/statusor.h"
#include "flowacct/collector/routelog/route_history.h"
#include "flowacct/collector/routing/routing_engine.h"
#include "flowacct/collector/server/collector_status.h"

namespace flowacct::collector {

BgpStatus DescribeRouting(const RoutingStatus& status);
BmpStatus DescribeMonitoring(const RoutingStatus& status);
absl::StatusOr<std::string> AnswerFromRoutes(const RoutesQuestion& question, RoutingEngine& engine);
// The newest first.
absl::StatusOr<std::string> AnswerFromHistory(const HistoryQuestion& question, const RouteHistory& history);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_ROUTING_QUERY_H_
