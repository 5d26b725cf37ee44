#include "flowacct/collector/mrt/route_dump.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <iterator>
#include <map>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/bgp/family.h"
#include "flowacct/bgp/nlri.h"
#include "flowacct/collector/routing/route_walk.h"
#include "flowacct/collector/socket/descriptor.h"
#include "flowacct/mrt/writer.h"

namespace flowacct::collector {
namespace {

constexpr size_t kPieceOctets = size_t{256} << 10;
constexpr size_t kMaxMrtPeers = 65535;  // RFC 6396, 4.3.1: 16 bits

bgp::Family FamilyOf(uint64_t rd, bool labelled, bool v6) {
  if (rd != 0) return v6 ? bgp::Family::kVpnIpv6 : bgp::Family::kVpnIpv4;
  if (labelled) return v6 ? bgp::Family::kLabelledIpv6 : bgp::Family::kLabelledIpv4;
  return v6 ? bgp::Family::kIpv6Unicast : bgp::Family::kIpv4Unicast;
}

uint64_t PathsOf(const WalkedPeer& peer) { return peer.told.v4.paths + peer.told.v6.paths; }

// Which of a neighbour's views is written: that of the lowest rank. What has no route stands behind what has one.
constexpr size_t kNever = 2 * rib::kRibViewCount;
size_t RankOf(const WalkedPeer& peer) {
  constexpr rib::RibView kViews[] = {rib::RibView::kSession, rib::RibView::kLocRib, rib::RibView::kAdjRibInPost,
                                     rib::RibView::kAdjRibInPre, rib::RibView::kDump};
  const auto* const view = std::find(std::begin(kViews), std::end(kViews), peer.key.view);
  if (view == std::end(kViews)) return kNever;
  return static_cast<size_t>(view - kViews) + (PathsOf(peer) == 0 ? rib::kRibViewCount : 0);
}

// A peer whose tables are written, and its place in the index.
struct Written {
  const WalkedPeer* walked;
  uint16_t index;
};

// One view of each neighbour: MRT knows a peer by address, AS and BGP identifier, and nothing of its views and tellers.
// Instances of a router (distinguishers) are one peer of the index with several VRFs, as far as these are different.
std::vector<Written> Choose(const std::vector<WalkedPeer>& listed, const RouteDumpOptions& options,
                            std::vector<mrt::Peer>* peers, RouteDumpCounters* counters) {
  using Key = std::tuple<base::IpAddress, uint32_t, uint32_t>;
  std::vector<size_t> order;
  for (size_t i = 0; i < listed.size(); ++i) {
    const rib::PeerKey& key = listed[i].key;
    if (options.only_sessions && (key.view != rib::RibView::kSession || key.distinguisher != 0)) continue;
    if (options.peer && *options.peer != key.address && *options.peer != base::IpAddress::V4(key.bgp_identifier)) {
      continue;
    }
    order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return RankOf(listed[a]) < RankOf(listed[b]); });
  std::set<std::pair<Key, uint64_t>> instances, tables;
  std::vector<size_t> chosen;
  for (const size_t i : order) {
    const WalkedPeer& peer = listed[i];
    const Key key(peer.key.address, peer.key.as, peer.key.bgp_identifier);
    const bool wanted = RankOf(peer) < kNever && instances.insert({key, peer.key.distinguisher}).second &&
                        std::none_of(peer.tables.begin(), peer.tables.end(), [&](const auto& table) {
                          return tables.count({key, table.first}) != 0;
                        });
    if (!wanted) {
      counters->left_out += PathsOf(peer);
      continue;
    }
    for (const auto& table : peer.tables) tables.insert({key, table.first});
    chosen.push_back(i);
  }
  std::sort(chosen.begin(), chosen.end());
  std::map<Key, uint16_t> places;
  std::vector<Written> written;
  for (const size_t i : chosen) {
    const rib::PeerKey& key = listed[i].key;
    const auto place = places.find({key.address, key.as, key.bgp_identifier});
    if (place != places.end()) {
      written.push_back({&listed[i], place->second});
    } else if (peers->size() == kMaxMrtPeers) {
      counters->left_out += PathsOf(listed[i]);
    } else {
      const auto index = static_cast<uint16_t>(peers->size());
      places.emplace(Key(key.address, key.as, key.bgp_identifier), index);
      written.push_back({&listed[i], index});
      peers->push_back({key.address, key.as, key.bgp_identifier});
    }
  }
  return written;
}

absl::Status WriteAll(int descriptor, base::Octets octets) {
  while (!octets.empty()) {
    const ssize_t written = write(descriptor, octets.data(), octets.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return absl::ErrnoToStatus(errno, "cannot be written");
    octets.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RouteDumpCounters> WriteRouteDump(RoutingEngine& engine, const RouteDumpOptions& options, absl::Time now,
                                                 const std::function<absl::Status(base::Octets)>& out) {
  auto listed = ListTables(engine);
  if (!listed.ok()) return listed.status();
  RouteDumpCounters counters;
  std::vector<mrt::Peer> peers;
  const std::vector<Written> walked = Choose(*listed, options, &peers, &counters);
  counters.peers = peers.size();

  base::OctetWriter octets;
  mrt::Writer writer(&octets);
  mrt::PeerIndexTable index;
  index.time = now;
  index.collector_bgp_identifier = engine.bgp_identifier();
  index.peers = peers;
  writer.WritePeerIndexTable(index);
  const auto flush = [&](size_t at_least) -> absl::Status {
    if (options.interrupted && options.interrupted()) return absl::CancelledError("interrupted");
    if (octets.size() < at_least) return absl::OkStatus();
    counters.octets += octets.size();
    absl::Status status = out(octets.octets());
    octets.Clear();
    return status;
  };
  for (const Written& peer : walked) {
    for (const auto& [rd, table] : peer.walked->tables) {
      for (const bool v6 : {false, true}) {
        const uint64_t distinguisher = rd;
        absl::Status status = WalkTable(
            engine, table, v6,
            [&](const base::IpPrefix& prefix, const rib::RouteView& path, bool) {
              const bool labelled = path.label != rib::Announcement::kNoLabel;
              bgp::Nlri route;
              route.address = prefix.address();
              route.length = prefix.length();
              route.rd = distinguisher;
              route.label = labelled ? path.label : 0;
              mrt::RibRoute entry;
              entry.peer_index = peer.index;
              // The moment at which it came is not kept.
              entry.originated = peer.walked->told.since;
              entry.path_id = path.path_id;
              entry.attributes = path.octets;
              const size_t written = writer.WriteRib(now, FamilyOf(distinguisher, labelled, v6), route,
                                                     /*add_path=*/path.path_id != 0, {&entry, 1});
              counters.routes += written;
              counters.left_out += 1 - written;
              return true;
            },
            [&] { return flush(kPieceOctets); });
        if (!status.ok()) return status;
      }
    }
  }
  if (absl::Status status = flush(1); !status.ok()) return status;
  return counters;
}

absl::StatusOr<RouteDumpCounters> WriteRouteDump(RoutingEngine& engine, const RouteDumpOptions& options, absl::Time now,
                                                 const std::string& path) {
  const std::string part = absl::StrCat(path, kUnfinishedSuffix);
  const Descriptor file(open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file.is_open()) return absl::ErrnoToStatus(errno, absl::StrCat(part, ": cannot be made"));
  auto written =
      WriteRouteDump(engine, options, now, [&](base::Octets octets) { return WriteAll(file.get(), octets); });
  absl::Status status = written.status();
  if (status.ok() && fsync(file.get()) != 0) status = absl::ErrnoToStatus(errno, "cannot be synced");
  if (status.ok() && std::rename(part.c_str(), path.c_str()) != 0) {
    status = absl::ErrnoToStatus(errno, "cannot be renamed");
  }
  if (status.ok()) return written;
  unlink(part.c_str());
  return absl::Status(status.code(), absl::StrCat(path, ": ", status.message()));
}

absl::StatusOr<std::string> RouteDumpOf(RoutingEngine& engine, const RouteDumpOptions& options, absl::Time now) {
  std::string dump;
  const auto written = WriteRouteDump(engine, options, now, [&dump](base::Octets octets) -> absl::Status {
    if (dump.size() + octets.size() > kMaxRouteDumpOctets) {
      return absl::ResourceExhaustedError(
          "the routes are more than one answer can hold (240 MiB); ask for one peer's, or let the collector write "
          "them: "
          "bgp { mrt { path: ... } }");
    }
    absl::StrAppend(&dump, base::AsText(octets));
    return absl::OkStatus();
  });
  if (!written.ok()) return written.status();
  return dump;
}

}  // namespace flowacct::collector
