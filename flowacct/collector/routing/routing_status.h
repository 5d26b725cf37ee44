// What a BGP speaker tells of itself: its peers, their sessions and routes, and whom it turned away.
//
// Plain values, of one moment. Threads: any.

#ifndef FLOWACCT_COLLECTOR_ROUTING_ROUTING_STATUS_H_
#define FLOWACCT_COLLECTOR_ROUTING_ROUTING_STATUS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/bgp/family.h"
#include "flowacct/bgp/open.h"
#include "flowacct/bgp/session.h"
#include "flowacct/bgp/session_context.h"
#include "flowacct/bmp/station.h"
#include "flowacct/rib/rib.h"

namespace flowacct::collector {

// Why a connection did not become a session, besides its own errors. X(reason, name, help)
#define FLOWACCT_ROUTING_REFUSALS(X)                                                                         \
  X(kNotAllowed, "not_allowed", "the address is in no prefix of allow")                                      \
  X(kTooOften, "too_often", "the address connects more often than connections_per_minute")                   \
  X(kTooManyOfAddress, "too_many_of_address", "beyond max_pending_of_address")                               \
  X(kTooManyPending, "too_many_pending", "the oldest that was no session yet made room, beyond max_pending") \
  X(kTooManyPeers, "too_many_peers", "beyond max_peers (told Cease, Out of Resources) or max_routers")       \
  X(kCollision, "collision", "lost against another connection of the same neighbour (RFC 4271, 6.8)")        \
  X(kNoDescriptor, "no_descriptor", "the system has no file descriptor or memory for it; those who knock wait")

enum class RoutingRefusal : uint8_t {
#define X(reason, name, help) reason,
  FLOWACCT_ROUTING_REFUSALS(X)
#undef X
};

inline constexpr size_t kRoutingRefusalCount = 0
#define X(reason, name, help) +1
    FLOWACCT_ROUTING_REFUSALS(X)
#undef X
    ;

absl::string_view RoutingRefusalName(RoutingRefusal refusal);
absl::string_view RoutingRefusalHelp(RoutingRefusal refusal);

// How a connection ended that had got as far as a session or its OPEN.
struct RoutingEnd {
  absl::Time time;
  base::IpAddress address;
  uint32_t as = 0;              // 0: its OPEN has not come
  uint32_t bgp_identifier = 0;  // so
  bgp::CloseCause cause = bgp::CloseCause::kConnectionLost;
  uint8_t code = 0, subcode = 0;  // of the NOTIFICATION that was sent or received
  bool was_established = false;
  std::string text;  // for a person: the NOTIFICATION in words, and what the neighbour said with it
};

struct RoutingPeer {
  base::IpAddress address;
  rib::RibView view = rib::RibView::kSession;
  base::IpAddress told_by;  // the BMP speaker; else ::
  std::string interface;    // of a link-local address
  uint16_t port = 0;
  base::IpAddress local_address;
  uint32_t as = 0;              // 0: its OPEN has not come
  uint32_t bgp_identifier = 0;  // so
  // kIdle: no session; its routes are stale.
  bgp::SessionState state = bgp::SessionState::kIdle;
  absl::Time since;                                 // it is in that state
  absl::Time stale_until = absl::InfiniteFuture();  // what is stale then goes
  uint64_t sessions = 0;                            // that were up since the peer is known
  absl::Duration hold_time;
  bgp::SessionContext agreed;
  bgp::Open offered;
  bgp::SessionCounters counters;  // of all its sessions
  std::optional<RoutingEnd> last_end;

  bool waits = false;  // not asked before it is complete
  size_t tables = 0;   // route distinguishers, with the one of none
  uint64_t refused_tables = 0;
  uint64_t refused_routes = 0;  // without a table, or with attributes beyond a bound; the rest is in `v4` and `v6`
  bgp::FamilySet complete;      // whose End-of-RIB has come in this session
  rib::RouteCounters v4, v6;

  bool stale() const { return v4.stale + v6.stale != 0; }
  // Routes that came of families that are only counted.
  uint64_t not_joined() const;
  // Objects of link state that its sessions announced; collector/igp/bgp_ls_feed.h tells which are there.
  uint64_t link_state() const;
};

// A neighbour of a BMP speaker, or its Loc-RIB, as it last told.
struct RoutingNeighbour {
  bmp::PeerType type = bmp::PeerType::kGlobalInstance;
  uint64_t distinguisher = 0;  // of its VRF; 0: the global tables
  base::IpAddress address;     // 0.0.0.0: the Loc-RIB
  uint32_t as = 0;
  uint32_t bgp_identifier = 0;
  std::string table_name;
  absl::Time since;       // up
  bool told = true;       // by a Peer Up; else it is only known from other messages
  bool filtered = false;  // a Loc-RIB of which not all is told
  std::vector<bmp::Statistic> statistics;
};

// A BMP speaker that is connected.
struct RoutingRouter {
  base::IpAddress address;
  uint16_t port = 0;
  std::string name, description;
  uint32_t bgp_identifier = 0;  // 0: not told yet
  absl::Time since;
  uint64_t refused_updates = 0;  // of tables beyond max_told_peers
  bmp::StationCounters counters;
  std::vector<RoutingNeighbour> neighbours;
};

// How a BMP speaker's connection ended.
struct RoutingRouterEnd {
  absl::Time time;
  base::IpAddress address;
  std::string name;
  std::string why;
};

struct RoutingCounters {
  uint64_t accepted = 0;  // connections that got a session
  std::array<uint64_t, kRoutingRefusalCount> refusals{};
  uint64_t established = 0;
  uint64_t lost = 0;                    // of those that were established
  std::array<uint64_t, 3> ends{};       // by bgp::CloseCause
  uint64_t ignored_refreshes = 0;       // BoRR and EoRR, for which nobody asked
  uint64_t reads = 0, read_octets = 0;  // of sockets
  uint64_t congestions = 0;             // readers were too slow: nothing was read from peers meanwhile
  absl::Duration congested;             // for so long in all
  uint64_t directories = 0;             // published
  uint64_t directory_overflows = 0;     // entries of `mapped` that were left out, of the last one
  uint64_t evicted_peers = 0;           // stale ones that made room
  uint64_t incomplete_tables = 0;       // asked after wait_for_table without an End-of-RIB
  // Of BMP speakers: connections that were taken, and what came of those that have ended.
  uint64_t routers_accepted = 0;
  std::array<uint64_t, kRoutingRefusalCount> router_refusals{};
  uint64_t routers_replaced = 0;  // by another connection of the same address
  uint64_t bmp_octets = 0, bmp_messages = 0, bmp_errors = 0, bmp_refused_updates = 0;

  uint64_t refused(RoutingRefusal refusal) const { return refusals[static_cast<size_t>(refusal)]; }
};

struct RoutingStatus {
  absl::Time time;
  std::vector<std::string> endpoints;
  uint32_t bgp_identifier = 0;
  bool running = false;
  // Established ones first, then those that are stale, then connections on their way.
  std::vector<RoutingPeer> peers;
  size_t established = 0;
  size_t pending = 0;
  std::vector<RoutingEnd> recent_ends;  // the last of all, the oldest first
  std::vector<std::string> bmp_endpoints;
  std::vector<RoutingRouter> routers;  // by address
  std::vector<RoutingRouterEnd> recent_router_ends;
  RoutingCounters counters;
  absl::Duration cpu;  // of the speaker's thread

  uint64_t paths = 0;
  uint64_t attribute_sets = 0;
  size_t octets = 0;  // of routes and attributes
  bool congested = false;
};

void Add(const bgp::SessionCounters& more, bgp::SessionCounters* sum);

// What others say is for people's eyes: nothing that a terminal obeys.
std::string PrintableText(absl::string_view text);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_ROUTING_ROUTING_STATUS_H_
