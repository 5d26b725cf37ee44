#include "flowacct/collector/mrt/route_dump.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
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
  std::vector<const WalkedPeer*> walked;
  std::vector<mrt::Peer> peers;
  for (const WalkedPeer& peer : *listed) {
    if (options.only_sessions && (peer.key.view != rib::RibView::kSession || peer.key.distinguisher != 0)) continue;
    if (options.peer && *options.peer != peer.key.address &&
        *options.peer != base::IpAddress::V4(peer.key.bgp_identifier)) {
      continue;
    }
    if (peers.size() == kMaxMrtPeers) {
      counters.left_out += peer.told.v4.paths + peer.told.v6.paths;
      continue;
    }
    walked.push_back(&peer);
    peers.push_back({peer.key.address, peer.key.as, peer.key.bgp_identifier});
  }
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
  for (size_t i = 0; i < walked.size(); ++i) {
    for (const auto& [rd, table] : walked[i]->tables) {
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
              entry.peer_index = static_cast<uint16_t>(i);
              // The moment at which it came is not kept.
              entry.originated = walked[i]->told.since;
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
