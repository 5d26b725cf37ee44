// Which of several paths to a prefix is the best one: BGP's decision process.
//
//     1  highest LOCAL_PREF                                RFC 4271, 9.1.1
//     2  lowest AIGP plus interior cost, if any has AIGP   RFC 7311, 4.1 (an option)
//     3  shortest AS_PATH: a set is 1, a confederation 0   RFC 4271, 9.1.2.2.a; RFC 5065, 5.3
//     4  lowest ORIGIN                                     9.1.2.2.b
//     5  lowest MULTI_EXIT_DISC among those of the same    9.1.2.2.c
//        neighbouring AS; absent is 0 unless an option says worst
//     6  external before internal                          9.1.2.2.d
//     7  lowest interior cost, if it is known of all left  9.1.2.2.e
//     8  lowest BGP identifier, ORIGINATOR_ID before it    9.1.2.2.f; RFC 4456, 9
//     9  shortest CLUSTER_LIST                             RFC 4456, 9
//     10 lowest address of the peer                        9.1.2.2.g
//     11 lowest path identifier, then the first            for paths of one peer (RFC 7911), of which the standard says
//                                                          nothing
//
// Step 5 is no order between paths: which one wins depends on which others are there. So the choice is from the whole
// set, never one after another, and does not depend on the order of arrival. Not done: whether a next hop can be
// reached.
//
// Ownership: plain values. Threads: any. Cost: linear in the paths for most sets, quadratic at worst.

#ifndef FLOWACCT_RIB_BEST_PATH_H_
#define FLOWACCT_RIB_BEST_PATH_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/bgp/attribute_set.h"

namespace flowacct::rib {

// Of the session on which a path came.
struct PathSource {
  bool external = true;  // eBGP; a confederation's other member AS is internal (RFC 5065, 5.3)
  uint32_t bgp_identifier = 0;
  base::IpAddress address;  // of the peer
};

struct Path {
  static constexpr uint32_t kUnknownCost = 0xffffffff;
  static constexpr uint64_t kNoAigp = ~uint64_t{0};

  uint32_t local_pref = 100;
  uint64_t aigp = kNoAigp;
  uint32_t hops = 0;  // of the AS path
  uint8_t origin = 2;
  bool has_med = false;
  uint32_t med = 0;
  uint32_t neighbour_as = 0;  // 0: none, a path of the own AS
  bool external = true;
  uint32_t interior_cost = kUnknownCost;
  uint32_t identifier = 0;  // ORIGINATOR_ID, or the peer's
  uint32_t clusters = 0;
  base::IpAddress peer;
  uint32_t path_id = 0;
};

struct BestPathOptions {
  bool always_compare_med = false;  // between neighbouring ASes, too
  bool missing_med_worst = false;
  bool use_aigp = true;
  // Of a path without the attribute, as all that come from external peers are.
  uint32_t default_local_pref = 100;
};

// The interior cost is left unknown.
Path PathOf(bgp::AttributeSetView attributes, const PathSource& source, uint32_t path_id,
            const BestPathOptions& options = {});

// The place of the best of `paths`, of which there is at least one and at most kMaxPaths.
inline constexpr size_t kMaxPaths = 256;
size_t BestPath(absl::Span<const Path> paths, const BestPathOptions& options = {});

}  // namespace flowacct::rib

#endif  // FLOWACCT_RIB_BEST_PATH_H_
