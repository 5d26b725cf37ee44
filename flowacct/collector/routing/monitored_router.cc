#include "flowacct/collector/routing/monitored_router.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "flowacct/bgp/attribute.h"
#include "flowacct/bgp/open.h"
#include "flowacct/collector/routing/bmp_view.h"

namespace flowacct::collector {
namespace {

// Statistics that are kept of a neighbour: all that have a row, of some families each.
constexpr size_t kMaxStatistics = 64;

bmp::StationOptions StationOptionsOf(const RoutingOptions& options) {
  bmp::StationOptions station;
  station.max_peers = options.max_tables_of_router;
  return station;
}

}  // namespace

MonitoredRouter::MonitoredRouter(const base::IpAddress& address, uint16_t port, const RoutingOptions& options,
                                 PeerBook* book, const std::vector<RoutingObserver*>& observers, absl::Time now)
    : options_(options), book_(book), observers_(observers), station_(StationOptionsOf(options), this), now_(now) {
  told_.address = address;
  told_.port = port;
  told_.since = now;
}

bool MonitoredRouter::Receive(base::Octets octets, absl::Time now) {
  now_ = now;
  const bool follows = station_.Receive(octets);
  if (!speaks_) {
    const auto& messages = station_.counters().messages;
    speaks_ = std::any_of(messages.begin(), messages.end(), [](uint64_t count) { return count != 0; });
  }
  return follows;
}

void MonitoredRouter::End(absl::string_view why, absl::Duration keep_for, absl::Time now) {
  now_ = now;
  keep_for_ = keep_for;
  station_.End();
  for (RoutingObserver* observer : observers_) observer->OnRouterDown(told_.address, why, now);
}

RoutingRouter MonitoredRouter::Tell() const {
  RoutingRouter told = told_;
  told.counters = station_.counters();
  for (const auto& [index, monitored] : monitored_) told.neighbours.push_back(monitored.told);
  std::sort(told.neighbours.begin(), told.neighbours.end(), [](const RoutingNeighbour& a, const RoutingNeighbour& b) {
    if (a.type != b.type) return a.type < b.type;
    return a.distinguisher != b.distinguisher ? a.distinguisher < b.distinguisher : a.address < b.address;
  });
  return told;
}

void MonitoredRouter::OnRouter(absl::string_view name, absl::string_view description) {
  told_.name = PrintableText(name);
  told_.description = PrintableText(description);
  for (RoutingObserver* observer : observers_) observer->OnRouterUp(told_.address, name, description, now_);
}

void MonitoredRouter::OnPeerUp(const bmp::PeerUp& up) {
  for (RoutingObserver* observer : observers_) observer->OnMonitoredUp(told_.address, up, now_);
  Monitored& monitored = monitored_[up.peer.index];
  // It has begun anew without a word of the end: what it does not confirm goes.
  if (up.repeated) Down(&monitored, options_.bmp_stale_for);
  monitored = Monitored();
  RoutingNeighbour& told = monitored.told;
  told.type = up.peer.key.type;
  told.distinguisher = up.peer.key.distinguisher;
  told.address = up.peer.key.address;
  told.as = up.peer.as;
  told.bgp_identifier = up.peer.bgp_identifier;
  told.table_name = PrintableText(up.table_name);
  told.since = now_;
  told.told = up.told;
  told.filtered = up.filtered;
  const bool loc_rib = up.peer.key.type == bmp::PeerType::kLocRibInstance;
  if (up.sent != nullptr) monitored.router_identifier = up.sent->bgp_identifier;
  if (loc_rib && up.peer.bgp_identifier != 0) monitored.router_identifier = up.peer.bgp_identifier;
  const bool own = loc_rib && up.peer.key.distinguisher == 0;
  if (monitored.router_identifier != 0 && (own || told_.bgp_identifier == 0)) {
    told_.bgp_identifier = monitored.router_identifier;
  }
  // The OPENs of a Loc-RIB are made up; one that says nothing of families says nothing.
  if (up.sent != nullptr && (!loc_rib || up.sent->capabilities != 0)) {
    monitored.external = up.sent->as != up.peer.as;
    monitored.families = up.sent->families;
    if (!loc_rib && up.received != nullptr) monitored.families = monitored.families & up.received->families;
  }
}

void MonitoredRouter::OnPeerDown(const bmp::PeerDown& down) {
  for (RoutingObserver* observer : observers_) observer->OnMonitoredDown(told_.address, down, now_);
  const auto it = monitored_.find(down.peer.index);
  if (it == monitored_.end()) return;
  // RFC 7854, 4.9: all that it told of the peer is withdrawn. A stream that breaks off says nothing of the peers.
  Down(&it->second, down.reason == bmp::PeerDownReason::kStreamEnded ? keep_for_ : absl::ZeroDuration());
  monitored_.erase(it);
}

void MonitoredRouter::Down(Monitored* monitored, absl::Duration keep_for) {
  for (PeerBook::Peer*& peer : monitored->peers) {
    if (peer == nullptr) continue;
    --tables_;
    book_->Down(std::exchange(peer, nullptr), keep_for, now_);
  }
}

PeerBook::Peer* MonitoredRouter::PeerOf(Monitored* monitored, const bmp::MonitoredPeer& peer, rib::RibView view) {
  PeerBook::Peer*& place = monitored->peers[static_cast<size_t>(view)];
  if (place != nullptr) return place;
  if (tables_ >= options_.max_tables_of_router) {
    ++told_.refused_updates;
    return nullptr;
  }
  Announcer announcer;
  announcer.key.address = view == rib::RibView::kLocRib ? told_.address : peer.key.address;
  announcer.key.bgp_identifier = peer.bgp_identifier;
  announcer.key.as = peer.as;
  announcer.key.distinguisher = peer.key.distinguisher;
  announcer.key.view = view;
  announcer.key.told_by = told_.address;
  announcer.external = monitored->external;
  announcer.families = monitored->families;
  announcer.rd = peer.key.distinguisher;
  // What is known of the router from others of its tables is better than nothing; VRFs may have identifiers of their
  // own, whose traffic has the router's all the same.
  announcer.teller_identifier = monitored->router_identifier != 0 ? monitored->router_identifier : told_.bgp_identifier;
  place = book_->Up(announcer, now_);
  if (place == nullptr) {
    ++told_.refused_updates;
    return nullptr;
  }
  ++tables_;
  place->told.port = told_.port;
  return place;
}

void MonitoredRouter::OnUpdate(const bmp::RouteUpdate& update) {
  for (RoutingObserver* observer : observers_) observer->OnMonitoredUpdate(told_.address, update, now_);
  Monitored& monitored = monitored_[update.peer.index];
  PeerBook::Peer* const peer = PeerOf(&monitored, update.peer, RibViewOf(update.rib, update.post_policy));
  if (peer == nullptr) return;
  ++peer->told.counters.updates.messages;
  if (update.update.action() != bgp::ErrorAction::kNone) ++peer->told.counters.erroneous_updates;
  book_->Take(peer, update.update, now_);
  if (const auto family = update.update.end_of_rib()) book_->EndOfRib(peer, *family, now_);
}

void MonitoredRouter::OnStatistics(const bmp::StatisticsReport& report) {
  for (RoutingObserver* observer : observers_) observer->OnStatistics(told_.address, report, now_);
  std::vector<bmp::Statistic>& kept = monitored_[report.peer.index].told.statistics;
  for (const bmp::Statistic& statistic : report.statistics) {
    const auto same = std::find_if(kept.begin(), kept.end(), [&](const bmp::Statistic& other) {
      return other.type == statistic.type && other.afi == statistic.afi && other.safi == statistic.safi;
    });
    if (same != kept.end()) {
      *same = statistic;
    } else if (kept.size() < kMaxStatistics) {
      kept.push_back(statistic);
    }
  }
}

void MonitoredRouter::OnTermination(bmp::TerminationReason reason, absl::string_view text) {
  farewell_ = std::string(bmp::TerminationReasonText(reason));
  if (!text.empty()) absl::StrAppend(&farewell_, ": ", PrintableText(text));
}

}  // namespace flowacct::collector
