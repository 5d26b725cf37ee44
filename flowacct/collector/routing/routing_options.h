// What the BGP speaker and BMP station of a collector do and whom they let in.
//
// Standards: RFC 4271, RFC 2385 (TCP MD5), RFC 5082 (GTSM), RFC 4724 (stale routes), RFC 7911.
// A plain value. Errors: CheckRoutingOptions, InvalidArgument that names the option, its value and what to do.

#ifndef FLOWACCT_COLLECTOR_ROUTING_ROUTING_OPTIONS_H_
#define FLOWACCT_COLLECTOR_ROUTING_ROUTING_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/bgp/family.h"
#include "flowacct/rib/rib.h"

namespace flowacct::collector {

struct RoutingMd5Key {
  base::IpPrefix peers;
  std::string key;  // 1 to 80 octets
};

// Exporters without a session of their own whose routes a peer's stand for.
struct RoutingMapping {
  base::IpPrefix exporters;
  base::IpAddress peer;
};

// What RouteSelector (enrich/routes) selects by its number: the tables of a peer.
struct RoutingSelection {
  base::IpAddress peer;        // by address or router id; `::`: none, only the route distinguisher is another
  std::optional<uint64_t> rd;  // only that table of it; nothing: each, by the record's
};

// What is otherwise for peers of a prefix; what is not given is as for all.
struct RoutingNeighbor {
  base::IpPrefix peers;
  std::optional<uint32_t> local_as;
  std::optional<uint16_t> hold_time_seconds;
  std::optional<bool> add_path;
  std::optional<size_t> max_routes;
  std::optional<absl::Duration> stale_for, wait_for_table;
};

struct RoutingOptions {
  // Endpoints, tcp:// (collector/socket/endpoint.h). Port 179 needs root or CAP_NET_BIND_SERVICE. None: BMP alone.
  std::vector<std::string> listen = {"tcp://[::]:179"};
  // Who may connect. None: everybody may, as far as the limits below go.
  std::vector<base::IpPrefix> allow;

  // Where BMP speakers connect to (RFC 7854), and who may; none: nowhere. Port 11019 is common, none is assigned.
  std::vector<std::string> bmp_listen;
  std::vector<base::IpPrefix> bmp_allow;
  std::vector<RoutingMd5Key> bmp_md5_keys;
  absl::Duration bmp_stale_for = absl::Minutes(2);
  // BMP speakers at once: the routers of a large network. Each may hold back a megabyte of a message.
  size_t max_routers = 1024;

  // Sessions at once. What the collector is measured with; each costs some 90 KiB without its routes.
  size_t max_peers = 500;
  // Peers of which BMP speakers and MRT files tell, all told: the tables of a network's routers and their neighbours.
  size_t max_told_peers = 8192;
  // Tables, and neighbours, of one BMP speaker: that none takes all.
  size_t max_tables_of_router = 2048;
  // Connections whose session is not up yet, and those of one address: as many as may come at once after a restart of
  // the collector. The oldest makes room.
  size_t max_pending = 128;
  size_t max_pending_of_address = 4;
  // Connections of one address. Routers wait 5 seconds and more between two attempts; one that comes every second is
  // turned away after `connection_burst`, before it costs a session.
  uint64_t connections_per_minute = 20;
  uint64_t connection_burst = 20;
  // From the connection to the session. RFC 4271, 8.2.2 suggests 4 minutes, which is long for a stranger to hold a
  // place.
  absl::Duration open_timeout = absl::Seconds(30);

  // 0: each neighbour's own, so that all sessions are internal and nobody has to configure anything.
  uint32_t local_as = 0;
  // 0: an IPv4 address of this machine, of `listen` if that names one.
  uint32_t bgp_identifier = 0;
  // RFC 4271, 10 suggests 90. 0: neither side sends keepalives, and a dead neighbour is never noticed.
  uint16_t hold_time_seconds = 90;
  // A neighbour that connects again while its session is up has given that up (CollisionDetectEstablishedState,
  // RFC 4271, 8.1.1): it waits for no hold timer. Only connections of one address are compared.
  bool replace_established = true;

  // Of several prefixes the longest counts. Peers without a key connect without MD5.
  std::vector<RoutingMd5Key> md5_keys;
  // 0: off. Else only peers that are at most so many hops away are heard (RFC 5082): 1 is a direct neighbour.
  int ttl_security_hops = 0;

  // Link state (FamilySet::LinkState()) may be added where an observer takes it (collector/igp/bgp_ls_feed.h).
  bgp::FamilySet families = bgp::FamilySet::Joined();
  bool add_path = true;
  bool extended_message = true;
  bool graceful_restart = true;
  // How long routes stay, as stale ones, when a session is lost, and how long a new session has to confirm them if it
  // sends no End-of-RIB: traffic goes on while a router's control plane restarts. A longer restart time that the
  // neighbour has announced counts (RFC 4724, 4.2). 0: they go at once.
  absl::Duration stale_for = absl::Minutes(2);

  // A table that is new is asked only once it is complete (End-of-RIB of all that was agreed on), at the latest after
  // so long: a part of a table answers with shorter prefixes than the whole. What a session before it has told answers
  // meanwhile. 0: at once.
  absl::Duration wait_for_table;

  // Peers that stand in for exporters without a session; for whoever has no other, `reflectors`.
  std::vector<RoutingMapping> mapped;
  std::vector<base::IpAddress> reflectors;
  // In the order of the selectors of who joins; their tables are asked before the exporter's own.
  std::vector<RoutingSelection> selected;
  // The peers of MRT files answer for whoever has no other, too: all of them, the best of their routes.
  bool dumps_for_all = false;

  // Paths beyond it are refused and counted, the session stays. Four times the global tables of 2026.
  size_t max_routes_per_peer = size_t{5} << 20;
  // Route distinguishers of a peer: a large provider edge has some thousand VRFs.
  size_t max_tables_per_peer = 4096;

  // Of several prefixes the longest counts, alone.
  std::vector<RoutingNeighbor> neighbors;

  // Octets that are read of one peer before others have their turn: some 2 ms of work.
  size_t read_octets = size_t{256} << 10;
  std::string host_name;  // told to neighbours (FQDN capability) if not empty
  // max_peers and max_paths_per_peer follow from the options above, the hash's seed from the system's randomness.
  rib::RibOptions rib;
};

// Most exporters that `mapped` may name, one by one: the directory has an entry for each.
inline constexpr size_t kMaxMappedExporters = 65536;
// Most selections: each may be asked for a record.
inline constexpr size_t kMaxSelections = 4096;

// A session looks for its own once, among all.
inline constexpr size_t kMaxNeighbors = 4096;

absl::Status CheckRoutingOptions(const RoutingOptions& options);

// As they are for the sessions of one address: with those of `neighbors` instead of those for all.
struct NeighborOptions {
  uint32_t local_as = 0;
  uint16_t hold_time_seconds = 0;
  bool add_path = false;
  size_t max_routes = 0;
  absl::Duration stale_for, wait_for_table;
};
NeighborOptions NeighborOptionsOf(const RoutingOptions& options, const base::IpAddress& peer);

// A seed for the hash of attributes, so that no stranger can choose attributes that collide in the table. Never 0.
uint64_t RandomSeed();

// The addresses of a prefix; SIZE_MAX if there are more than a size_t holds.
size_t AddressesOf(const base::IpPrefix& prefix);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_ROUTING_ROUTING_OPTIONS_H_
