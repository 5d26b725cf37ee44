#include "flowacct/collector/routing/routing_options.h"

#include <algorithm>
#include <limits>
#include <random>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "flowacct/collector/socket/endpoint.h"

namespace flowacct::collector {
namespace {

constexpr EndpointScheme kSchemes[] = {EndpointScheme::kTcp};
constexpr size_t kMaxListen = 16;
constexpr uint64_t kMaxRoutesOfPeer = uint64_t{1} << 31;
constexpr size_t kMaxMd5KeyOctets = 80;  // TCP_MD5SIG_MAXKEYLEN of Linux

template <typename... Why>
absl::Status Refuse(const Why&... why) {
  return absl::InvalidArgumentError(absl::StrCat(why...));
}

absl::Status CheckHoldTime(uint16_t seconds) {
  if (seconds != 1 && seconds != 2) return absl::OkStatus();
  return Refuse("hold_time_seconds: ", seconds, "; 0 (no keepalives) or at least 3 (RFC 4271, 4.2), 90 is the default");
}

absl::Status CheckNeighbors(const std::vector<RoutingNeighbor>& neighbors) {
  if (neighbors.size() > kMaxNeighbors) {
    return Refuse("neighbors: ", neighbors.size(), " prefixes; at most ", kMaxNeighbors, " can be");
  }
  std::vector<base::IpPrefix> seen;
  for (const RoutingNeighbor& neighbor : neighbors) {
    const std::string peers = neighbor.peers.ToString();
    seen.push_back(neighbor.peers);
    if (absl::Status status = CheckHoldTime(neighbor.hold_time_seconds.value_or(0)); !status.ok()) {
      return Refuse("neighbors: ", peers, ": ", status.message());
    }
    if (neighbor.max_routes && (*neighbor.max_routes < 1 || *neighbor.max_routes > kMaxRoutesOfPeer)) {
      return Refuse("neighbors: ", peers, ": max_routes: ", *neighbor.max_routes, "; 1 to ", kMaxRoutesOfPeer,
                    " can be");
    }
    for (const auto& [name, duration] :
         {std::make_pair("stale_for", neighbor.stale_for), std::make_pair("wait_for_table", neighbor.wait_for_table)}) {
      if (!duration || (*duration >= absl::ZeroDuration() && *duration <= absl::Hours(24))) continue;
      return Refuse("neighbors: ", peers, ": ", name, ": ", absl::FormatDuration(*duration), "; 0 to 24h can be");
    }
  }
  std::sort(seen.begin(), seen.end());
  const auto twice = std::adjacent_find(seen.begin(), seen.end());
  if (twice != seen.end()) return Refuse("neighbors: ", twice->ToString(), ": is there twice");
  return absl::OkStatus();
}

}  // namespace

uint64_t RandomSeed() {
  std::random_device random;
  return uint64_t{random()} << 32 | random() | 1;
}

size_t AddressesOf(const base::IpPrefix& prefix) {
  const unsigned host_bits = (prefix.address().IsV4() ? 32u : 128u) - prefix.length();
  return host_bits < std::numeric_limits<size_t>::digits ? size_t{1} << host_bits : std::numeric_limits<size_t>::max();
}

NeighborOptions NeighborOptionsOf(const RoutingOptions& options, const base::IpAddress& peer) {
  static const RoutingNeighbor kLikeAll;
  const RoutingNeighbor* own = &kLikeAll;
  for (const RoutingNeighbor& neighbor : options.neighbors) {
    if (!neighbor.peers.Contains(peer)) continue;
    if (own == &kLikeAll || neighbor.peers.length() > own->peers.length()) own = &neighbor;
  }
  NeighborOptions made;
  made.local_as = own->local_as.value_or(options.local_as);
  made.hold_time_seconds = own->hold_time_seconds.value_or(options.hold_time_seconds);
  made.add_path = own->add_path.value_or(options.add_path);
  made.max_routes = own->max_routes.value_or(options.max_routes_per_peer);
  made.stale_for = own->stale_for.value_or(options.stale_for);
  made.wait_for_table = own->wait_for_table.value_or(options.wait_for_table);
  return made;
}

absl::Status CheckRoutingOptions(const RoutingOptions& options) {
  if (options.listen.empty() && options.bmp_listen.empty()) {
    return Refuse("listen: none given; tcp://[::]:179 takes peers of both families");
  }
  const std::pair<const char*, const std::vector<std::string>*> listens[] = {{"listen", &options.listen},
                                                                             {"bmp_listen", &options.bmp_listen}};
  for (const auto& [name, listen] : listens) {
    if (listen->size() > kMaxListen) {
      return Refuse(name, ": ", listen->size(), " endpoints; at most ", kMaxListen, ", and tcp://[::] takes all");
    }
    for (const std::string& text : *listen) {
      const absl::StatusOr<Endpoint> endpoint = ParseEndpoint(text, kSchemes);
      if (!endpoint.ok()) return Refuse(name, ": ", endpoint.status().message());
    }
  }
  const struct {
    const char* name;
    uint64_t value, least, most;
    const char* advice;
  } numbers[] = {
      {"max_peers", options.max_peers, 1, 32768, "500 is what it is measured with"},
      {"max_told_peers", options.max_told_peers, 1, 65536, "8192 is the default"},
      {"max_tables_of_router", options.max_tables_of_router, 1, 65536, "2048 is the default"},
      {"max_routers", options.max_routers, 1, 32768, "1024 is the default"},
      {"max_pending", options.max_pending, 1, 32768, "128 is the default"},
      {"max_pending_of_address", options.max_pending_of_address, 1, 1024, "2 are needed to resolve a collision"},
      {"connections_per_minute", options.connections_per_minute, 1, 60000, "routers need one every few seconds"},
      {"connection_burst", options.connection_burst, 1, 60000, "20 is the default"},
      {"max_routes_per_peer", options.max_routes_per_peer, 1, kMaxRoutesOfPeer, "a full table has 1.2 million"},
      {"max_tables_per_peer", options.max_tables_per_peer, 1, uint64_t{1} << 20, "4096 is the default"},
      {"read_octets", options.read_octets, 4096, uint64_t{16} << 20, "262144 is the default"},
  };
  for (const auto& number : numbers) {
    if (number.value >= number.least && number.value <= number.most) continue;
    return Refuse(number.name, ": ", number.value, "; ", number.least, " to ", number.most, " can be, ", number.advice);
  }
  if (absl::Status status = CheckHoldTime(options.hold_time_seconds); !status.ok()) return status;
  if (options.open_timeout < absl::Milliseconds(100)) {
    return Refuse("open_timeout: ", absl::FormatDuration(options.open_timeout), "; at least 100ms, 30s is the default");
  }
  const struct {
    const char* name;
    absl::Duration value;
    const char* usual;
  } durations[] = {{"stale_for", options.stale_for, "2m"},
                   {"bmp stale_for", options.bmp_stale_for, "2m"},
                   {"wait_for_table", options.wait_for_table, "0"}};
  for (const auto& duration : durations) {
    if (duration.value >= absl::ZeroDuration() && duration.value <= absl::Hours(24)) continue;
    return Refuse(duration.name, ": ", absl::FormatDuration(duration.value), "; 0 to 24h can be, ", duration.usual,
                  " is the default");
  }
  if (options.ttl_security_hops < 0 || options.ttl_security_hops > 254) {
    return Refuse("ttl_security_hops: ", options.ttl_security_hops,
                  "; 0 (off) to 254 can be, 1 is for direct neighbours");
  }
  if (!(options.families - bgp::FamilySet::Joined() - bgp::FamilySet::LinkState()).empty() ||
      options.families.empty()) {
    return Refuse(
        "families: they must be of those that are joined with flows or link state, and one at least: unicast, labelled "
        "and VPN of IPv4 and IPv6, link_state, link_state_vpn");
  }
  for (const std::vector<RoutingMd5Key>* keys : {&options.md5_keys, &options.bmp_md5_keys}) {
    for (const RoutingMd5Key& key : *keys) {
      if (!key.key.empty() && key.key.size() <= kMaxMd5KeyOctets) continue;
      return Refuse("md5: the key of ", key.peers.ToString(), " has ", key.key.size(), " octets; 1 to ",
                    kMaxMd5KeyOctets, " can be");
    }
  }
  if (options.selected.size() > kMaxSelections) {
    return Refuse("map: ", options.selected.size(), " entries with conditions; at most ", kMaxSelections);
  }
  if (absl::Status status = CheckNeighbors(options.neighbors); !status.ok()) return status;
  size_t mapped = 0;
  for (const RoutingMapping& mapping : options.mapped) {
    const size_t addresses = AddressesOf(mapping.exporters);
    if (addresses > kMaxMappedExporters - mapped) {
      return Refuse("mapped: ", mapping.exporters.ToString(), " makes more than ", kMaxMappedExporters,
                    " exporters in all; name smaller prefixes, or make ", mapping.peer.ToString(), " a reflector");
    }
    mapped += addresses;
  }
  return absl::OkStatus();
}

}  // namespace flowacct::collector
