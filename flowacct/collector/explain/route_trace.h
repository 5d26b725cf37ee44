// Which routing table answered for an address, and which others were asked: what the join (enrich/routes) does in
// batches, told step by step.
//
// Standard: RFC 4271, 9.1. Guaranteed: the answer is the join's, without followed defaults and next hops.
// Ownership: plain values, borrowed of nothing. Threads: a reader of the tables; it is online during the call.
// Errors: none; nobody answers. Cost: a look-up a table.

#ifndef FLOWACCT_COLLECTOR_EXPLAIN_ROUTE_TRACE_H_
#define FLOWACCT_COLLECTOR_EXPLAIN_ROUTE_TRACE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/enrich/routes/routes_enricher.h"
#include "flowacct/rib/table_directory.h"

namespace flowacct::collector {

// What a table said that was asked.
struct TracedRoute {
  rib::RouteOrigin origin = rib::RouteOrigin::kSession;
  base::IpAddress peer;
  bool for_all = false;  // no table of the exporter's own
  bool found = false;
  base::IpPrefix prefix;
  uint32_t path_id = 0;
  base::IpAddress next_hop;  // ::, if the route tells none
  bool next_hop_matched = false;
  bool stale = false;
  bool answered = false;
};

// `next_hop` of the flow, to choose a path by; :: is none. In the order in which tables are preferred; those behind
// the answer's are not asked.
std::vector<TracedRoute> TraceRoute(const enrich::RouteTables& tables, const base::IpAddress& exporter, uint64_t rd,
                                    const base::IpAddress& address, const base::IpAddress& next_hop);

// "session", "mrt": as the field route_source has it.
std::string RouteOriginText(rib::RouteOrigin origin);

// "mrt: peer 192.0.2.1, the exporter's own: 198.51.100.0/24, best path, path id 3, stale".
std::string RouteText(const TracedRoute& route);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_EXPLAIN_ROUTE_TRACE_H_
