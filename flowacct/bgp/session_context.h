// What two speakers agreed on, without which the octets of an UPDATE cannot be read.
//
// Standards: RFC 6793 (AS numbers of 4 octets), RFC 7911 (ADD-PATH), RFC 8950 (IPv6 next hops of IPv4 routes), RFC
// 8654 (long messages). From two OPENs: Negotiate of open.h; BMP and MRT fill it in from what they are told. A plain
// value, any thread. The default is what a modern router speaks without ADD-PATH.

#ifndef FLOWACCT_BGP_SESSION_CONTEXT_H_
#define FLOWACCT_BGP_SESSION_CONTEXT_H_

#include <cstddef>

#include "flowacct/bgp/family.h"

namespace flowacct::bgp {

inline constexpr size_t kMaxMessageOctets = 4096;           // RFC 4271, 4.1
inline constexpr size_t kMaxExtendedMessageOctets = 65535;  // RFC 8654, 4

struct SessionContext {
  bool as4 = true;  // AS numbers in AS_PATH and AGGREGATOR have 4 octets
  // The neighbour is of another AS: LOCAL_PREF, ORIGINATOR_ID and CLUSTER_LIST are not for it to say (RFC 7606, 7).
  bool external = false;
  bool extended_message = false;
  // Routes of other families are counted and left out.
  FamilySet families = FamilySet::All();
  FamilySet add_path;           // each route has a path identifier
  FamilySet extended_next_hop;  // agreed; a next hop's length is believed without it too
  // Of RFC 7606's two answers to routes of a multiprotocol attribute that cannot be found: false, reset the session;
  // true, give up the family.
  bool family_disable = false;
  // So for link state, which is given up alone where other families are agreed (RFC 9552, 8.2.2).
  bool link_state_disable = false;
  // Routes without ORIGIN, AS_PATH or NEXT_HOP are treated as withdrawn (RFC 7606, 3.d). False: they are announced
  // without, as BMP tells what a router has in its RIBs.
  bool demand_mandatory = true;

  size_t max_message_octets() const { return extended_message ? kMaxExtendedMessageOctets : kMaxMessageOctets; }
};

}  // namespace flowacct::bgp

#endif  // FLOWACCT_BGP_SESSION_CONTEXT_H_
