// Networks of two levels by chance, with leaking, external metrics, attached routers and a second topology: what the
// routes of routers are compared with a slow twin on.

#ifndef FLOWACCT_TOPOLOGY_TESTING_RANDOM_ROUTING_H_
#define FLOWACCT_TOPOLOGY_TESTING_RANDOM_ROUTING_H_

#include <cstdint>
#include <vector>

#include "flowacct/topology/advertisement.h"

namespace flowacct::topology {

// Some dozen routers; prefixes of few values, so that many are told by several routers, levels and topologies.
// `zero_metrics`: links may cost nothing.
std::vector<Advertisement> RandomRouting(uint64_t seed, bool zero_metrics = false);

}  // namespace flowacct::topology

#endif  // FLOWACCT_TOPOLOGY_TESTING_RANDOM_ROUTING_H_
