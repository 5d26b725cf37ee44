// A peer's whole table as it announces it, drawn: for tests, benchmarks and load generators.
//
// Prefixes are those of lpm/testing/prefix_table.h. Runs of them, 6 in the mean and 60 at most, share their attributes,
// so that 1.2 million routes have some 200,000 sets, as the tables of route collectors have. A set has an AS path of 3
// to 6 ASes (the peer's, a large transit's, others, an origin by Zipf's law), one next hop of 8, up to 8 communities,
// large communities in 10 % and a MED in 30 %. Deterministic: the same arguments give the same octets anywhere.

#ifndef FLOWACCT_RIB_TESTING_ROUTE_TABLE_H_
#define FLOWACCT_RIB_TESTING_ROUTE_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "flowacct/base/ip_prefix.h"
#include "flowacct/base/octets.h"

namespace flowacct::rib {

struct RouteTable {
  std::vector<base::IpPrefix> prefixes;  // IPv4, then IPv6
  size_t v4_count = 0;
  std::vector<uint32_t> runs;     // where each run of prefixes that share a set begins, and the end of the last one
  std::vector<std::string> sets;  // of each run, as bgp/attribute_set.h has them
  // UPDATE messages, side by side, one for each run (of the session that bgp::SessionContext's default describes), and
  // where each begins; and the end.
  std::vector<uint8_t> messages;
  std::vector<size_t> message_begins;

  base::Octets message(size_t i) const {
    return base::Octets(messages.data() + message_begins[i], message_begins[i + 1] - message_begins[i]);
  }
};

// `sets_seed`: peers with the same prefixes and other attributes differ in it alone.
RouteTable MakeRouteTable(size_t v4_count, size_t v6_count, uint64_t seed, uint64_t sets_seed, uint32_t peer_as);

}  // namespace flowacct::rib

#endif  // FLOWACCT_RIB_TESTING_ROUTE_TABLE_H_
