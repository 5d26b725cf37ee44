// Networks by chance, the same for the same seed: what shortest paths and alternates are compared with slow twins on.

#ifndef FLOWACCT_TOPOLOGY_TESTING_RANDOM_NETWORK_H_
#define FLOWACCT_TOPOLOGY_TESTING_RANDOM_NETWORK_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "flowacct/topology/advertisement.h"
#include "flowacct/topology/graph.h"

namespace flowacct::topology {

// Shares are of a hundred.
struct RandomNetworkOptions {
  uint64_t seed = 1;
  size_t routers = 20;
  // Links between routers: first those that join all of them in one piece (unless `pieces`), then by chance.
  size_t links = 40;
  size_t lans = 3;  // pseudonodes, of two to six routers
  bool pieces = false;
  uint32_t max_metric = 10;  // few values: many ways of equal cost
  unsigned zero_metric_share = 0;
  unsigned asymmetric_share = 20;  // metrics that differ by direction
  unsigned parallel_share = 10;    // links that come twice, with addresses
  unsigned overload_share = 5;     // of routers
  unsigned one_way_share = 0;      // told by one end alone
  unsigned near_share = 0;         // links to a router of near number: a wide, sparse network
  size_t prefixes = 0;             // a router, IPv4 and IPv6 by turns; some of them told by a second router
};

// As level-2 advertisements of IS-IS, one a node, in the order of keys.
std::vector<Advertisement> RandomNetwork(const RandomNetworkOptions& options);

// The graph of such advertisements' level and topology 0.
Graph GraphOf(const std::vector<Advertisement>& advertisements, uint8_t level = 2);
inline Graph RandomGraph(const RandomNetworkOptions& options) { return GraphOf(RandomNetwork(options)); }

// A router's key by number, from 1 on.
inline NodeKey RouterKey(uint64_t number) { return {number << 16}; }
inline NodeKey LanKey(uint64_t router, uint8_t pseudonode) { return {router << 16 | uint64_t{pseudonode} << 8}; }

}  // namespace flowacct::topology

#endif  // FLOWACCT_TOPOLOGY_TESTING_RANDOM_NETWORK_H_
