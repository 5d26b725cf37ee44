// What a table of routes said when the join asked it for an address: a step of what RoutesEnricher::Explain tells.
//
// Ownership: plain values, borrowed of nothing.

#ifndef FLOWACCT_ENRICH_ROUTES_ASKED_TABLE_H_
#define FLOWACCT_ENRICH_ROUTES_ASKED_TABLE_H_

#include <cstdint>
#include <string>

#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/rib/table_directory.h"

namespace flowacct::enrich {

struct AskedTable {
  base::IpAddress router;  // whose routes were asked for: the exporter, or the next hop that was followed
  bool followed = false;   // the latter
  rib::RouteOrigin origin = rib::RouteOrigin::kSession;
  base::IpAddress peer;  // whose routes the table has; ::, if that is not known
  bool for_all = false;  // no table of the router's own
  bool found = false;    // what follows is of the route
  base::IpPrefix prefix;
  uint32_t path_id = 0;
  std::string as_path;
  base::IpAddress next_hop;       // ::, if the route tells none
  bool next_hop_matched = false;  // it is the flow's own, by which the path was chosen
  bool stale = false;
  bool answered = false;  // the record has this route, unless a later one answered, too: then its next hop was followed
};

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_ROUTES_ASKED_TABLE_H_
