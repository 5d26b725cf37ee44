#include "flowacct/collector/routing/route_walk.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "flowacct/lpm/reader_epochs.h"

namespace flowacct::collector {
namespace {

// Paths between two moments at which the writer may take memory back: well below a millisecond.
constexpr size_t kPathsOfAStep = 1024;

}  // namespace

absl::StatusOr<std::vector<WalkedPeer>> ListTables(RoutingEngine& engine) {
  std::vector<WalkedPeer> peers;
  const absl::Status status = engine.Call([&peers](PeerBook& book) {
    for (const PeerBook::Peer* peer : book.Peers()) {
      WalkedPeer walked;
      walked.key = peer->key;
      walked.told = book.Tell(*peer);
      walked.tables.assign(peer->distinguished().begin(), peer->distinguished().end());
      std::sort(walked.tables.begin(), walked.tables.end());
      peers.push_back(std::move(walked));
    }
  });
  if (!status.ok()) return status;
  return peers;
}

absl::Status WalkTable(
    const RoutingEngine& engine, rib::TableId table, bool v6,
    absl::FunctionRef<bool(const base::IpPrefix& prefix, const rib::RouteView& path, bool best)> visit,
    const std::function<absl::Status()>& between, const base::IpPrefix* from) {
  const enrich::RouteTables tables = engine.tables();
  std::optional<lpm::ReaderEpochs::Reader> epoch = tables.epochs->NewReader();
  if (!epoch) return absl::ResourceExhaustedError("too many walks of the routing table at once");
  const rib::RibReader reader(tables.rib);
  base::IpPrefix last = from != nullptr ? *from : base::IpPrefix();
  bool begun = from != nullptr, wanted = true;
  size_t paths = kPathsOfAStep;
  while (wanted && paths >= kPathsOfAStep) {
    paths = 0;
    epoch->Online();
    // A walk stops behind the last path of a prefix: all of one prefix are of one step.
    reader.Walk(table, v6, begun ? &last : nullptr,
                [&](const base::IpPrefix& prefix, const rib::RouteView& path, bool best) {
                  last = prefix;
                  ++paths;
                  if (wanted && !visit(prefix, path, best)) wanted = false;
                  return wanted && paths < kPathsOfAStep;
                });
    begun = true;
    epoch->Offline();
    if (between == nullptr) continue;
    if (absl::Status status = between(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace flowacct::collector
