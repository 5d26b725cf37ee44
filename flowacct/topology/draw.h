// A picture (SVG) of a graph: routers, LANs, links, and what they carry.
//
// Nodes are put where straight distances are like the number of hops between them (stress majorization by stochastic
// gradient descent: Zheng, Pawar, Goodman, "Graph Drawing by Stochastic Gradient Descent", 2018); parts that are not
// connected stand beside each other. Each link is drawn as two halves, one for each direction, with the colour of its
// utilization: of its capacity if that is known, else of the fullest link of all. Parallel links are bent.
// Guarantees: the same graph gives the same picture, octet for octet (no number comes from a library of functions but
// sqrt, which IEEE 754 makes exact); any text is escaped. Readable from a few nodes to some hundreds; labels are left
// out where there would be too many, and are found by pointing at what is drawn then.
// Ownership: values. Threads: any. Errors: InvalidArgument if there are more nodes than options.max_nodes. Cost:
// quadratic in the nodes: 200 of them take some 10 ms, 2,000 some seconds.

#ifndef FLOWACCT_TOPOLOGY_DRAW_H_
#define FLOWACCT_TOPOLOGY_DRAW_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "flowacct/topology/failure.h"
#include "flowacct/topology/graph.h"

namespace flowacct::topology {

struct Point {
  double x = 0, y = 0;
};

// In pixels, from 0 on. What is linked is about a hop apart, nothing is nearer than `nearest`.
std::vector<Point> LayOut(const Graph& graph, double nearest = 48);

struct DrawOptions {
  // More is not a picture any more, and its layout takes seconds.
  size_t max_nodes = 2000;
  std::string title;
  absl::Span<const std::string> names;  // of each node; empty, or "" of a node: its identifier
  absl::Span<const uint64_t> octets;    // on each link; empty: links show their metrics
  double seconds = 300;                 // in which they were counted; more than 0
  absl::Span<const double> capacities;  // octets per second of each link; empty: what the links advertise
  const Failure* failure = nullptr;     // drawn as broken
  absl::Span<const LinkIndex> path;     // drawn broad: a path, a repair
  size_t max_link_labels = 80;          // more links have no text beside them
  size_t max_node_labels = 400;
};

absl::StatusOr<std::string> DrawSvg(const Graph& graph, const DrawOptions& options = {});

}  // namespace flowacct::topology

#endif  // FLOWACCT_TOPOLOGY_DRAW_H_
