#include "flowacct/collector/mrt/route_loader.h"

#include <algorithm>

#include "flowacct/bgp/family.h"

namespace flowacct::collector {
namespace {

// While another file is read that may tell the same again.
constexpr absl::Duration kWhileReplaced = absl::Hours(24);
// As many as an UPDATE has.
constexpr size_t kMaxRun = 256;

}  // namespace

void RouteLoader::Replace(RouteLoader* before, absl::Time now) {
  for (Known& known : before->known_) {
    if (known.peer == nullptr) continue;
    replaced_.push_back(known.announcer.key);
    book_->Down(known.peer, kWhileReplaced, now);
    known.peer = nullptr;
  }
}

void RouteLoader::Finish(absl::Time now) {
  for (Known& known : known_) {
    if (known.peer == nullptr) continue;
    bgp::FamilySet::Joined().ForEach([&](bgp::Family family) { book_->EndOfRib(known.peer, family, now); });
    const RoutingPeer told = book_->Tell(*known.peer);
    counters_.refused += told.refused_routes + told.v4.refused + told.v6.refused;
  }
  for (const rib::PeerKey& key : replaced_) {
    const auto known = by_key_.find(key);
    if (known != by_key_.end() && known->second->peer != nullptr) continue;
    Announcer gone;
    gone.key = key;
    gone.restored = true;
    if (PeerBook::Peer* peer = book_->Up(gone, now)) book_->Down(peer, absl::ZeroDuration(), now);
  }
  replaced_.clear();
}

void RouteLoader::EndSessions(absl::Duration keep_for, absl::Time now) {
  for (Known& known : known_) {
    if (known.peer == nullptr) continue;
    book_->Down(known.peer, keep_for, now);
    known.peer = nullptr;
  }
}

size_t RouteLoader::peers() const {
  size_t peers = 0;
  for (const Known& known : known_) peers += known.peer != nullptr ? 1 : 0;
  return peers;
}

RouteLoader::Known* RouteLoader::KnownOf(const mrt::Peer& peer, uint32_t local_as) {
  const auto address = std::make_pair(peer.address, peer.as);
  if (peer.bgp_identifier == 0) {
    if (const auto it = by_address_.find(address); it != by_address_.end()) return it->second;
  }
  Announcer announcer;
  announcer.key = {peer.address, peer.bgp_identifier, peer.as, 0, options_.view};
  announcer.restored = options_.view == rib::RibView::kSession;
  const uint32_t own = local_as != 0 ? local_as : options_.local_as;
  announcer.external = own != 0 ? peer.as != own : options_.view == rib::RibView::kDump;
  const auto place = by_key_.find(announcer.key);
  Known* known = place == by_key_.end() ? nullptr : place->second;
  if (known == nullptr) {
    if (known_.size() >= options_.max_peers) return nullptr;
    known = &known_.emplace_back();
    known->announcer = announcer;
    by_key_.emplace(announcer.key, known);
    known->wanted = !options_.peer || *options_.peer == peer.address ||
                    (peer.bgp_identifier != 0 && *options_.peer == base::IpAddress::V4(peer.bgp_identifier));
  }
  by_address_.try_emplace(address, known);
  return known;
}

PeerBook::Peer* RouteLoader::PeerOf(Known* known) {
  if (known->peer == nullptr) known->peer = book_->Up(known->announcer, now_);
  return known->peer;
}

bool RouteLoader::Takes(absl::Time time, const Known* known) {
  if (first_time_ == absl::InfinitePast()) first_time_ = time;
  if (known == nullptr) {
    ++counters_.refused;
  } else if (!known->wanted) {
    ++counters_.other_peers;
  } else if (time < options_.not_before) {
    ++counters_.too_old;
  } else {
    return true;
  }
  return false;
}

void RouteLoader::OnPeerIndexTable(const mrt::PeerIndexTable& table) {
  by_index_.clear();
  for (const mrt::Peer& peer : table.peers) by_index_.push_back(KnownOf(peer, 0));
}

void RouteLoader::OnRibEntry(const mrt::RibEntry& entry) {
  Known* const known = entry.peer_index < by_index_.size() ? by_index_[entry.peer_index] : KnownOf(entry.peer, 0);
  if (!Takes(entry.time, known)) return;
  if (!bgp::RowOf(entry.family).joined) {
    ++counters_.not_joined;
    return;
  }
  PeerBook::Peer* const peer = PeerOf(known);
  if (peer == nullptr) {
    ++counters_.refused;
    return;
  }
  ++counters_.entries;
  const bgp::Nlri& route = entry.route;
  if (known->run.size() >= kMaxRun || known->run_rd != route.rd ||
      entry.attributes != base::Octets(known->run_attributes)) {
    Flush(known);
    known->run_rd = route.rd;
    known->run_attributes.assign(entry.attributes.begin(), entry.attributes.end());
  }
  if (known->run.empty()) running_.push_back(known);
  known->run.push_back(
      {route.prefix(), route.path_id, route.label_count != 0 ? route.label : rib::Announcement::kNoLabel});
}

void RouteLoader::Flush(Known* known) {
  if (known->run.empty()) return;
  book_->TakeRoutes(known->peer, known->run_rd, known->run, known->run_attributes);
  known->run.clear();
  running_.erase(std::find(running_.begin(), running_.end(), known));
}

void RouteLoader::FlushAll() {
  while (!running_.empty()) Flush(running_.back());
}

void RouteLoader::OnMessage(const mrt::BgpMessage& message) {
  if (message.from_local) {
    ++counters_.from_local;
    return;
  }
  Known* const known = KnownOf(message.ends.peer, message.ends.local.as);
  if (message.type == bgp::MessageType::kOpen) return EndSession(known);
  if (message.type != bgp::MessageType::kUpdate || !Takes(message.ends.time, known)) return;
  PeerBook::Peer* const peer = PeerOf(known);
  if (peer == nullptr) {
    ++counters_.refused;
    return;
  }
  Flush(known);
  bgp::DecodeUpdate(message.message, message.context, &update_, &updates_);
  if (update_.action() == bgp::ErrorAction::kSessionReset) {
    ++counters_.reset_updates;
    return;
  }
  ++counters_.updates;
  book_->Take(peer, update_, now_);
}

void RouteLoader::OnStateChange(const mrt::StateChange& change) {
  if (change.old_state != mrt::FsmState::kEstablished || change.new_state == mrt::FsmState::kEstablished) return;
  EndSession(KnownOf(change.ends.peer, change.ends.local.as));
}

void RouteLoader::EndSession(Known* known) {
  if (known == nullptr || known->peer == nullptr) return;
  Flush(known);
  ++counters_.sessions_ended;
  book_->Down(known->peer, absl::ZeroDuration(), now_);
  known->peer = nullptr;
}

}  // namespace flowacct::collector
