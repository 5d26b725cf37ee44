// What the join asked of routing tables (enrich/routes/asked_table.h), as words for people.

#ifndef FLOWACCT_COLLECTOR_EXPLAIN_ROUTE_TEXT_H_
#define FLOWACCT_COLLECTOR_EXPLAIN_ROUTE_TEXT_H_

#include <string>

#include "flowacct/enrich/routes/asked_table.h"

namespace flowacct::collector {

// "session", "dump": as the field route_source has it.
std::string RouteOriginText(rib::RouteOrigin origin);

// "dump of peer 192.0.2.1, the exporter's own: 198.51.100.0/24 by 203.0.113.1, path 64500 64501, best path, stale".
std::string RouteText(const enrich::AskedTable& asked);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_EXPLAIN_ROUTE_TEXT_H_
