// What a failure does to traffic: the load of links before and after it, what is lost, what becomes too full, and
// whose.
//
// Guarantees: before and after are laid as link_load.h says, after on the shortest paths of what is left; of each tag
// octets = unmoved + moved + lost, to the octet. Not checked: what is lost while routers converge (protection.h tells
// what is not).
// Ownership: values. Threads: any, each with its own. Errors: none; a demand of routers that are not there is lost.
// Cost: twice link_load.h's, and a copy of the graph.

#ifndef FLOWACCT_TOPOLOGY_WHAT_IF_H_
#define FLOWACCT_TOPOLOGY_WHAT_IF_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "flowacct/topology/failure.h"
#include "flowacct/topology/graph.h"
#include "flowacct/topology/link_load.h"

namespace flowacct::topology {

struct WhatIfOptions {
  // The time in which the octets were counted, for rates; more than 0.
  double seconds = 300;
  // Of each link, in octets per second; 0: not known. Empty: what the links advertise.
  absl::Span<const double> capacities;
  // A link is too full above this part of its capacity.
  double threshold = 1;
};

struct LinkChange {
  LinkIndex link = kNoIndex;
  bool failed = false;
  uint64_t before = 0, after = 0;                // octets
  double rate_before = 0, rate_after = 0;        // octets per second
  double capacity = 0;                           // octets per second; 0: not known
  bool full_before = false, full_after = false;  // above the threshold
};

struct TagChange {
  uint32_t tag = 0;
  uint64_t octets = 0;  // that had a way before
  uint64_t lost = 0;    // that have none any more
  uint64_t moved = 0;   // of demands that used what failed, and have another way
};

struct WhatIfReport {
  std::vector<LinkChange> links;  // all, by index
  std::vector<TagChange> tags;    // of demands that used what failed: most lost first, then most moved
  uint64_t octets = 0;            // of all demands that had a way before
  uint64_t lost = 0;              // of these, without one after
  uint64_t moved = 0;
  uint64_t lost_before = 0;  // had no way before
  uint64_t refused = 0;      // demands whose octets do not fit
};

WhatIfReport WhatIf(const Graph& graph, absl::Span<const Demand> demands, const Failure& failure,
                    const WhatIfOptions& options = {});

// For each link of which the capacity is known and each that carries anything: the failure, of several, that fills it
// most. Answers "what must I fear?".
struct WorstCase {
  LinkIndex link = kNoIndex;
  uint32_t failure = 0;  // its place among `failures`
  uint64_t octets = 0;   // on the link then
};
// Of links that no failure fills more than they are filled, none is told.
std::vector<WorstCase> WorstCases(const Graph& graph, absl::Span<const Demand> demands,
                                  absl::Span<const Failure> failures);

}  // namespace flowacct::topology

#endif  // FLOWACCT_TOPOLOGY_WHAT_IF_H_
