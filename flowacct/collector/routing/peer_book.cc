#include "flowacct/collector/routing/peer_book.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "flowacct/bgp/canonicalize.h"
#include "flowacct/bgp/nlri.h"

namespace flowacct::collector {
namespace {

// Entries that `mapped` may make: exporters times route distinguishers, some 100 octets each.
constexpr size_t kMaxMappedEntries = size_t{1} << 19;

bgp::FamilySet FamiliesOf(bgp::FamilySet all, bool v6) {
  bgp::FamilySet families;
  all.ForEach([&](bgp::Family family) {
    if (bgp::RowOf(family).joined && bgp::RowOf(family).v6 == v6) families.Add(family);
  });
  return families;
}

base::IpAddress Next(base::IpAddress address) {
  for (size_t i = base::IpAddress::kSize; i-- > 0;) {
    if (++address.data()[i] != 0) break;
  }
  return address;
}

// By its address or its router id, as a configuration names it.
bool IsCalled(const PeerBook::Peer& peer, const base::IpAddress& name) {
  return peer.key.address == name || base::IpAddress::V4(peer.key.bgp_identifier) == name;
}

}  // namespace

rib::RibOptions PeerBook::RibOptionsOf(const RoutingOptions& options) {
  rib::RibOptions rib = options.rib;
  rib.max_peers = 2 * options.max_peers;  // as many again may be stale
  rib.max_paths_per_peer = options.max_routes_per_peer;
  return rib;
}

PeerBook::PeerBook(const RoutingOptions& options)
    : options_(options), rib_(&epochs_, RibOptionsOf(options)), directory_(&epochs_) {}

PeerBook::Peer* PeerBook::Up(const rib::PeerKey& key, const bgp::SessionContext& context, const bgp::Open& open,
                             absl::Time now) {
  if (established_ >= options_.max_peers) return nullptr;
  std::unique_ptr<Peer>& place = peers_[key];
  if (place == nullptr) {
    if (peers_.size() > 2 * options_.max_peers) {
      // Fewer than half are up: the one whose time is over first makes room.
      Peer* oldest = nullptr;
      for (const auto& [k, other] : peers_) {
        if (other == nullptr || other->up) continue;
        if (oldest == nullptr || other->told.stale_until < oldest->told.stale_until) oldest = other.get();
      }
      ++evicted_peers_;
      Remove(oldest);
    }
    const std::optional<rib::PeerId> id = rib_.AddPeer(key, context.external);
    if (!id) {
      peers_.erase(key);
      return nullptr;
    }
    // Remove may have moved the place.
    std::unique_ptr<Peer>& made = peers_[key];
    made = std::make_unique<Peer>();
    made->key = key;
    made->id = *id;
    made->told.address = key.address;
    made->told.as = key.as;
    made->told.bgp_identifier = key.bgp_identifier;
  }
  Peer* const peer = peers_[key].get();
  peer->up = true;
  ++established_;
  RoutingPeer& told = peer->told;
  told.state = bgp::SessionState::kEstablished;
  told.since = now;
  told.agreed = context;
  told.offered = open;
  told.complete = bgp::FamilySet();
  ++told.sessions;
  peer->awaited = context.families & bgp::FamilySet::Joined();
  TableOf(peer, 0, true);
  for (const bool v6 : {false, true}) {
    // RFC 4724, 4.2: what is not agreed any more is not going to be confirmed.
    if (FamiliesOf(context.families, v6).empty()) rib_.EndOfRib(peer->id, v6);
  }
  const bool stale = rib_.counters(peer->id, false).stale + rib_.counters(peer->id, true).stale != 0;
  told.stale_until = stale ? now + options_.stale_for : absl::InfiniteFuture();
  stale_deadline_ = std::min(stale_deadline_, told.stale_until);
  directory_is_old_ = true;
  return peer;
}

std::optional<rib::TableId> PeerBook::TableOf(Peer* peer, uint64_t rd, bool make) {
  if (!peer->tables.empty() && peer->last_rd == rd) return peer->last_table;
  auto it = peer->tables.find(rd);
  if (it == peer->tables.end()) {
    if (!make) return std::nullopt;
    const std::optional<rib::TableId> table = peer->tables.size() < options_.max_tables_per_peer
                                                  ? rib_.AddTable(peer->id, rd)
                                                  : std::optional<rib::TableId>();
    if (!table) {
      ++peer->told.refused_tables;
      return std::nullopt;
    }
    it = peer->tables.emplace(rd, *table).first;
    directory_is_old_ = true;
  }
  peer->last_rd = rd;
  peer->last_table = it->second;
  return it->second;
}

void PeerBook::Announce(Peer* peer, uint64_t rd, rib::AttributeSetId attributes) {
  if (announced_.empty()) return;
  const std::optional<rib::TableId> table = TableOf(peer, rd, attributes != rib::AttributeSetId::kNone);
  if (!table) {
    peer->told.refused_routes += announced_.size();
  } else if (attributes == rib::AttributeSetId::kNone) {
    // What was announced before is not true any more.
    peer->told.refused_routes += announced_.size();
    for (const rib::Announcement& route : announced_) rib_.Withdraw(*table, route.prefix, route.path_id);
  } else {
    rib_.Announce(*table, announced_, attributes);
  }
  announced_.clear();
}

void PeerBook::Take(Peer* peer, const bgp::Update& update) {
  for (const bgp::NlriSection& section : update.withdrawn()) {
    if (!bgp::RowOf(section.family).joined) continue;
    section.Visit([&](const bgp::Nlri& route) {
      if (const auto table = TableOf(peer, route.rd, false)) rib_.Withdraw(*table, route.prefix(), route.path_id);
    });
  }
  for (const bgp::NlriSection& section : update.announced()) {
    if (!bgp::RowOf(section.family).joined || section.count == 0) continue;
    const rib::AttributeSetId attributes = rib_.Intern(bgp::CanonicalizeAttributes(update, section, &attributes_));
    uint64_t rd = 0;
    announced_.clear();
    section.Visit([&](const bgp::Nlri& route) {
      if (route.rd != rd) {
        Announce(peer, rd, attributes);
        rd = route.rd;
      }
      announced_.push_back(
          {route.prefix(), route.path_id, route.label_count != 0 ? route.label : rib::Announcement::kNoLabel});
    });
    Announce(peer, rd, attributes);
    if (attributes != rib::AttributeSetId::kNone) rib_.Release(attributes);
  }
}

void PeerBook::EndOfRib(Peer* peer, bgp::Family family) {
  if (!bgp::RowOf(family).joined) return;
  peer->told.complete.Add(family);
  peer->awaited = peer->awaited - bgp::FamilySet().Add(family);
  const bool v6 = bgp::RowOf(family).v6;
  if (!FamiliesOf(peer->awaited, v6).empty()) return;
  rib_.EndOfRib(peer->id, v6);
  if (peer->awaited.empty()) peer->told.stale_until = absl::InfiniteFuture();
}

void PeerBook::Down(Peer* peer, absl::Duration keep_for, absl::Time now) {
  peer->up = false;
  --established_;
  directory_is_old_ = true;
  const uint64_t paths = rib_.counters(peer->id, false).paths + rib_.counters(peer->id, true).paths;
  if (keep_for <= absl::ZeroDuration() || paths == 0) return Remove(peer);
  // One that comes with another identifier each time keeps no more than one that does not.
  for (Peer* other : Peers()) {
    if (other != peer && !other->up && other->key.address == peer->key.address &&
        other->key.distinguisher == peer->key.distinguisher) {
      ++evicted_peers_;
      Remove(other);
    }
  }
  rib_.PeerDown(peer->id, rib::Rib::Stale::kKeep);
  peer->told.state = bgp::SessionState::kIdle;
  peer->told.since = now;
  peer->told.stale_until = now + keep_for;
  stale_deadline_ = std::min(stale_deadline_, peer->told.stale_until);
}

void PeerBook::Remove(Peer* peer) {
  directory_is_old_ = true;
  rib_.RemovePeer(peer->id);
  peers_.erase(rib::PeerKey(peer->key));
}

absl::Time PeerBook::deadline() const {
  return directory_is_old_ ? std::min(stale_deadline_, next_directory_) : stale_deadline_;
}

void PeerBook::Tick(absl::Time now) {
  if (now >= stale_deadline_) {
    stale_deadline_ = absl::InfiniteFuture();
    for (Peer* peer : Peers()) {
      if (now >= peer->told.stale_until) {
        if (!peer->up) {
          Remove(peer);
          continue;
        }
        for (const bool v6 : {false, true}) rib_.EndOfRib(peer->id, v6);
        peer->told.stale_until = absl::InfiniteFuture();
      }
      stale_deadline_ = std::min(stale_deadline_, peer->told.stale_until);
    }
  }
  if (directory_is_old_ && now >= next_directory_) PublishDirectory(now);
  directory_.Reclaim();
}

std::vector<PeerBook::Peer*> PeerBook::Peers() const {
  std::vector<Peer*> peers;
  peers.reserve(peers_.size());
  for (const auto& [key, peer] : peers_) {
    if (peer != nullptr) peers.push_back(peer.get());
  }
  std::sort(peers.begin(), peers.end(), [](const Peer* a, const Peer* b) {
    if (a->up != b->up) return a->up;
    if (!(a->key.address == b->key.address)) return a->key.address < b->key.address;
    // What is newer is truer.
    if (a->told.since != b->told.since) return a->told.since > b->told.since;
    return static_cast<uint32_t>(a->id) < static_cast<uint32_t>(b->id);
  });
  return peers;
}

void PeerBook::PublishDirectory(absl::Time now) {
  const absl::Time begun = absl::Now();
  rib::TableDirectoryBuilder builder;
  const std::vector<Peer*> peers = Peers();
  // An address is the system's word, an identifier only the neighbour's.
  for (const Peer* peer : peers) {
    for (const auto& [rd, table] : peer->tables) builder.Add(peer->key.address, rd, table, rib::RouteOrigin::kSession);
  }
  for (const Peer* peer : peers) {
    const base::IpAddress identifier = base::IpAddress::V4(peer->key.bgp_identifier);
    if (identifier == peer->key.address) continue;
    for (const auto& [rd, table] : peer->tables) builder.Add(identifier, rd, table, rib::RouteOrigin::kSession);
  }
  size_t mapped = 0;
  directory_overflows_ = 0;
  for (const RoutingMapping& mapping : options_.mapped) {
    const size_t exporters = AddressesOf(mapping.exporters);
    for (const Peer* peer : peers) {
      if (!IsCalled(*peer, mapping.peer)) continue;
      for (const auto& [rd, table] : peer->tables) {
        if (mapped + exporters > kMaxMappedEntries) {
          directory_overflows_ += exporters;
          continue;
        }
        mapped += exporters;
        base::IpAddress exporter = mapping.exporters.address();
        for (size_t i = 0; i < exporters; ++i, exporter = Next(exporter)) {
          builder.Add(exporter, rd, table, rib::RouteOrigin::kMapped);
        }
      }
    }
  }
  for (const base::IpAddress& reflector : options_.reflectors) {
    for (const Peer* peer : peers) {
      if (!IsCalled(*peer, reflector)) continue;
      for (const auto& [rd, table] : peer->tables) builder.AddForAll(rd, table, rib::RouteOrigin::kReflector);
    }
  }
  directory_.Publish(std::move(builder).Build());
  ++directories_;
  directory_is_old_ = false;
  // The wall's clock may be set meanwhile.
  next_directory_ = now + std::clamp(10 * (absl::Now() - begun), absl::ZeroDuration(), absl::Seconds(1));
}

RoutingPeer PeerBook::Tell(const Peer& peer) const {
  RoutingPeer told = peer.told;
  told.tables = peer.tables.size();
  told.v4 = rib_.counters(peer.id, false);
  told.v6 = rib_.counters(peer.id, true);
  return told;
}

}  // namespace flowacct::collector
