// Rows of routes as JSON; one writer for what a running collector and what files tell.
//
// Threads: one at a time. Errors: none. Cost: some 500 ns a row of a route.

#ifndef FLOWACCT_COLLECTOR_LOOKING_GLASS_ROUTE_ROWS_H_
#define FLOWACCT_COLLECTOR_LOOKING_GLASS_ROUTE_ROWS_H_

#include "flowacct/base/ip_prefix.h"
#include "flowacct/bgp/attribute_set.h"
#include "flowacct/collector/looking_glass/json_rows.h"
#include "flowacct/rib/rib.h"

namespace flowacct::collector {

// What attributes say, as 8 columns.
#define FLOWACCT_ATTRIBUTE_COLUMNS \
  "next_hop", "as_path", "origin", "local_pref", "med", "communities", "ext_communities", "large_communities"
void AppendAttributes(bgp::AttributeSetView set, JsonRows* rows);
void AppendNoAttributes(JsonRows* rows);

// A route, as 15 columns. `table`: rib::RibViewName; `told_by`: the BMP speaker.
#define FLOWACCT_ROUTE_COLUMNS \
  "prefix", "peer", FLOWACCT_ATTRIBUTE_COLUMNS, "path_id", "label", "stale", "table", "told_by"
void AppendRoute(const rib::PeerKey& peer, const base::IpPrefix& prefix, const rib::RouteView& route, JsonRows* rows);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_LOOKING_GLASS_ROUTE_ROWS_H_
