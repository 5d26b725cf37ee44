#include "flowacct/collector/routing/peer_book.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/time/clock.h"
#include "flowacct/bgp/canonicalize.h"
#include "flowacct/bgp/nlri.h"
#include "flowacct/collector/routing/routing_observer.h"

namespace flowacct::collector {
namespace {

// Entries that `mapped` and `selected` may make: exporters, or selections, times route distinguishers, some 100 octets
// each.
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

// By its router's address or BGP identifier, as a configuration names it.
bool IsCalled(const PeerBook::Peer& peer, const base::IpAddress& name) {
  return peer.router() == name || base::IpAddress::V4(peer.router_identifier()) == name;
}

rib::RouteOrigin OriginOf(rib::RibView view) {
  // In the order of rib::RibView.
  constexpr rib::RouteOrigin kOrigins[] = {rib::RouteOrigin::kSession,   rib::RouteOrigin::kLocRib,
                                           rib::RouteOrigin::kAdjRibIn,  rib::RouteOrigin::kAdjRibIn,
                                           rib::RouteOrigin::kAdjRibOut, rib::RouteOrigin::kAdjRibOut,
                                           rib::RouteOrigin::kDump};
  return kOrigins[static_cast<size_t>(view)];
}

// The AS of whose own routes the path is empty (RFC 6811, 2). What a router tells a neighbour has that one's AS as the
// peer's.
uint32_t OwnAsOf(const rib::PeerKey& key) { return OriginOf(key.view) == rib::RouteOrigin::kAdjRibOut ? 0 : key.as; }

// What a router's neighbours told it, or it tells them, is a part of what it knows each: all answer together, of
// whomever they are asked for (`asked`; 0: of the router itself).
uint32_t GroupOf(rib::RibView view, size_t asked) {
  const rib::RouteOrigin origin = OriginOf(view);
  const bool together = origin == rib::RouteOrigin::kAdjRibIn || origin == rib::RouteOrigin::kAdjRibOut ||
                        origin == rib::RouteOrigin::kDump;
  return together ? static_cast<uint32_t>(asked * 16 + static_cast<size_t>(origin) + 1) : 0;
}

bool IsBeforePolicy(rib::RibView view) {
  return view == rib::RibView::kAdjRibInPre || view == rib::RibView::kAdjRibOutPre;
}

// The same table of a router, after policy.
struct PolicyTable {
  base::IpAddress router;
  rib::RouteOrigin origin;
  uint64_t rd;
  friend bool operator==(const PolicyTable& a, const PolicyTable& b) {
    return a.router == b.router && a.origin == b.origin && a.rd == b.rd;
  }
  template <typename H>
  friend H AbslHashValue(H h, const PolicyTable& t) {
    return H::combine(std::move(h), t.router, t.origin, t.rd);
  }
};

}  // namespace

rib::RibOptions PeerBook::RibOptionsOf(const RoutingOptions& options) {
  rib::RibOptions rib = options.rib;
  // Those of the peers themselves, and VRFs of some hundred.
  rib.max_tables = size_t{1} << 18;
  rib.max_peers = 2 * (options.max_peers + options.max_told_peers);  // as many again may be stale
  rib.max_paths_per_peer = options.max_routes_per_peer;
  return rib;
}

PeerBook::PeerBook(const RoutingOptions& options)
    : options_(options), rib_(&epochs_, RibOptionsOf(options)), directory_(&epochs_) {}

PeerBook::Peer* PeerBook::Up(const Announcer& announcer, absl::Time now) {
  const rib::PeerKey& key = announcer.key;
  const bool session = key.view == rib::RibView::kSession;
  const size_t limit = session ? options_.max_peers : options_.max_told_peers;
  if ((session ? established_ : told_peers_) >= limit) return nullptr;
  std::unique_ptr<Peer>& place = peers_[key];
  // Who tells twice of what is one here has it once.
  if (place != nullptr && place->up) return nullptr;
  if (place == nullptr) {
    // With the place that was just made.
    const size_t known = session ? known_sessions_ : peers_.size() - 1 - known_sessions_;
    if (known >= 2 * limit) {
      // Fewer than half are up: the one whose time is over first makes room.
      Peer* oldest = nullptr;
      for (const auto& [k, other] : peers_) {
        if (other == nullptr || other->up || IsSession(*other) != session) continue;
        if (oldest == nullptr || other->told.stale_until < oldest->told.stale_until) oldest = other.get();
      }
      ++evicted_peers_;
      Remove(oldest);
    }
    const std::optional<rib::PeerId> id = rib_.AddPeer(key, announcer.external);
    if (!id) {
      peers_.erase(key);
      return nullptr;
    }
    // Remove may have moved the place.
    std::unique_ptr<Peer>& made = peers_[key];
    made = std::make_unique<Peer>();
    if (session) ++known_sessions_;
    made->key = key;
    made->wait_for_table = options_.wait_for_table;
    if (session) {
      const NeighborOptions own = NeighborOptionsOf(options_, key.address);
      made->stale_for = own.stale_for;
      made->wait_for_table = own.wait_for_table;
      rib_.SetMaxPaths(*id, own.max_routes);
    }
    made->id = *id;
    made->told.address = key.address;
    made->told.view = key.view;
    made->told.told_by = key.told_by;
    made->told.as = key.as;
    made->told.bgp_identifier = key.bgp_identifier;
  }
  Peer* const peer = peers_[key].get();
  if (const auto named = stale_of_.find(NameOf(*peer)); named != stale_of_.end() && named->second == peer) {
    stale_of_.erase(named);
  }
  peer->up = true;
  peer->rd = announcer.rd;
  peer->external = announcer.external;
  peer->teller_identifier = announcer.teller_identifier;
  peer->restored = announcer.restored;
  ++(session ? established_ : told_peers_);
  RoutingPeer& told = peer->told;
  told.state = bgp::SessionState::kEstablished;
  told.since = now;
  told.complete = bgp::FamilySet();
  ++told.sessions;
  peer->awaited = announcer.families & bgp::FamilySet::Joined();
  TableOf(peer, peer->rd, true);
  for (const bool v6 : {false, true}) {
    // RFC 4724, 4.2: what is not agreed any more is not going to be confirmed.
    if (FamiliesOf(announcer.families, v6).empty()) rib_.EndOfRib(peer->id, v6);
  }
  const bool stale = rib_.counters(peer->id, false).stale + rib_.counters(peer->id, true).stale != 0;
  told.stale_until = stale ? now + ConfirmTime(*peer) : absl::InfiniteFuture();
  stale_deadline_ = std::min(stale_deadline_, told.stale_until);
  // Nothing of it answered before: a table is complete, or it is waited for.
  peer->waits = peer->wait_for_table > absl::ZeroDuration() && !stale && !peer->awaited.empty() &&
                key.view != rib::RibView::kDump;
  if (peer->waits) wait_deadline_ = std::min(wait_deadline_, now + peer->wait_for_table);
  directory_is_old_ = true;
  if (peer->restored) return peer;
  for (RoutingObserver* observer : observers_) observer->OnUp(*peer, now);
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

void PeerBook::TakeRoute(Peer* peer, const bgp::Nlri& route, base::Octets attributes) {
  const rib::Announcement one = {route.prefix(), route.path_id,
                                 route.label_count != 0 ? route.label : rib::Announcement::kNoLabel};
  TakeRoutes(peer, route.rd, {&one, 1}, attributes);
}

void PeerBook::TakeRoutes(Peer* peer, uint64_t rd, absl::Span<const rib::Announcement> routes,
                          base::Octets attributes) {
  const rib::AttributeSetId id = rib_.Intern(attributes);
  announced_.assign(routes.begin(), routes.end());
  Announce(peer, rd != 0 ? rd : peer->rd, id);
  if (id != rib::AttributeSetId::kNone) rib_.Release(id);
}

void PeerBook::Take(Peer* peer, const bgp::Update& update, absl::Time now) {
  for (RoutingObserver* observer : observers_) observer->OnUpdate(*peer, update, now);
  for (const bgp::NlriSection& section : update.withdrawn()) {
    if (!bgp::RowOf(section.family).joined) continue;
    section.Visit([&](const bgp::Nlri& route) {
      const uint64_t rd = route.rd != 0 ? route.rd : peer->rd;
      if (const auto table = TableOf(peer, rd, false)) rib_.Withdraw(*table, route.prefix(), route.path_id);
    });
  }
  for (const bgp::NlriSection& section : update.announced()) {
    if (!bgp::RowOf(section.family).joined || section.count == 0) continue;
    const rib::AttributeSetId attributes = rib_.Intern(bgp::CanonicalizeAttributes(update, section, &attributes_));
    uint64_t rd = peer->rd;
    announced_.clear();
    section.Visit([&](const bgp::Nlri& route) {
      const uint64_t own = route.rd != 0 ? route.rd : peer->rd;
      if (own != rd) {
        Announce(peer, rd, attributes);
        rd = own;
      }
      announced_.push_back(
          {route.prefix(), route.path_id, route.label_count != 0 ? route.label : rib::Announcement::kNoLabel});
    });
    Announce(peer, rd, attributes);
    if (attributes != rib::AttributeSetId::kNone) rib_.Release(attributes);
  }
}

void PeerBook::EndOfRib(Peer* peer, bgp::Family family, absl::Time now) {
  for (RoutingObserver* observer : observers_) observer->OnEndOfRib(*peer, family, now);
  if (!bgp::RowOf(family).joined) return;
  peer->told.complete.Add(family);
  peer->awaited = peer->awaited - bgp::FamilySet().Add(family);
  if (peer->waits && peer->awaited.empty()) {
    peer->waits = false;
    directory_is_old_ = true;
  }
  const bool v6 = bgp::RowOf(family).v6;
  if (!FamiliesOf(peer->awaited, v6).empty()) return;
  rib_.EndOfRib(peer->id, v6);
  if (peer->awaited.empty()) peer->told.stale_until = absl::InfiniteFuture();
}

void PeerBook::Down(Peer* peer, absl::Duration keep_for, absl::Time now) {
  if (!peer->restored) {
    for (RoutingObserver* observer : observers_) observer->OnDown(*peer, now);
  }
  peer->up = false;
  peer->waits = false;
  --(IsSession(*peer) ? established_ : told_peers_);
  directory_is_old_ = true;
  const uint64_t paths = rib_.counters(peer->id, false).paths + rib_.counters(peer->id, true).paths;
  if (keep_for <= absl::ZeroDuration() || paths == 0) return Remove(peer);
  // One that comes with another identifier each time keeps no more than one that does not. What an earlier run or a
  // file knew may well have been several side by side.
  if (!peer->restored && peer->key.view != rib::RibView::kDump) {
    Peer*& other = stale_of_[NameOf(*peer)];
    if (Peer* const older = std::exchange(other, peer); older != nullptr && older != peer) {
      ++evicted_peers_;
      Remove(older);
    }
  }
  rib_.PeerDown(peer->id, rib::Rib::Stale::kKeep);
  peer->told.state = bgp::SessionState::kIdle;
  peer->told.since = now;
  peer->told.stale_until = now + keep_for;
  stale_deadline_ = std::min(stale_deadline_, peer->told.stale_until);
}

absl::Duration PeerBook::ConfirmTime(const Peer& peer) const {
  switch (peer.key.view) {
    case rib::RibView::kSession:
      return peer.stale_for;
    case rib::RibView::kDump:
      return absl::InfiniteDuration();  // whoever reads it says when it is over
    default:
      return options_.bmp_stale_for;
  }
}

void PeerBook::Remove(Peer* peer) {
  directory_is_old_ = true;
  if (const auto named = stale_of_.find(NameOf(*peer)); named != stale_of_.end() && named->second == peer) {
    stale_of_.erase(named);
  }
  rib_.RemovePeer(peer->id);
  if (IsSession(*peer)) --known_sessions_;
  peers_.erase(rib::PeerKey(peer->key));
}

absl::Time PeerBook::deadline() const {
  const absl::Time deadline = std::min(stale_deadline_, wait_deadline_);
  return directory_is_old_ ? std::min(deadline, next_directory_) : deadline;
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
  if (now >= wait_deadline_) {
    wait_deadline_ = absl::InfiniteFuture();
    for (const auto& [key, peer] : peers_) {
      if (!peer->waits) continue;
      const absl::Time until = peer->told.since + peer->wait_for_table;
      if (now < until) {
        wait_deadline_ = std::min(wait_deadline_, until);
        continue;
      }
      peer->waits = false;
      ++incomplete_tables_;
      directory_is_old_ = true;
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
    if (a->key.view != b->key.view) return a->key.view < b->key.view;
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
  std::vector<Peer*> peers = Peers();
  peers.erase(std::remove_if(peers.begin(), peers.end(), [](const Peer* peer) { return peer->waits; }), peers.end());
  // An address is the system's word, an identifier only the neighbour's.
  absl::flat_hash_set<PolicyTable> after_policy;
  for (const Peer* peer : peers) {
    if (peer->key.told_by == base::IpAddress() || IsBeforePolicy(peer->key.view)) continue;
    for (const auto& [rd, table] : peer->tables) after_policy.insert({peer->router(), OriginOf(peer->key.view), rd});
  }
  const auto counts = [&](const Peer& peer, uint64_t rd) {
    return !IsBeforePolicy(peer.key.view) || !after_policy.contains({peer.router(), OriginOf(peer.key.view), rd});
  };
  for (Peer* peer : peers) {
    rib::TableSource source;
    source.path.external = peer->external;
    source.path.bgp_identifier = peer->key.bgp_identifier;
    source.path.address = peer->key.address;
    source.own_as = OwnAsOf(peer->key);
    peer->source = builder.AddSource(source);
    for (const auto& [rd, table] : peer->tables) {
      if (!counts(*peer, rd)) continue;
      builder.Add(peer->router(), rd, table, OriginOf(peer->key.view), peer->source, GroupOf(peer->key.view, 0));
    }
  }
  for (const Peer* peer : peers) {
    const base::IpAddress identifier = base::IpAddress::V4(peer->router_identifier());
    if (peer->router_identifier() == 0 || identifier == peer->router()) continue;
    for (const auto& [rd, table] : peer->tables) {
      if (!counts(*peer, rd)) continue;
      builder.Add(identifier, rd, table, OriginOf(peer->key.view), peer->source, GroupOf(peer->key.view, 0));
    }
  }
  size_t mapped = 0;
  size_t asked = 0;  // tells groups apart
  directory_overflows_ = 0;
  for (const RoutingMapping& mapping : options_.mapped) {
    const size_t exporters = AddressesOf(mapping.exporters);
    ++asked;
    for (const Peer* peer : peers) {
      if (!IsCalled(*peer, mapping.peer)) continue;
      for (const auto& [rd, table] : peer->tables) {
        if (!counts(*peer, rd)) continue;
        if (mapped + exporters > kMaxMappedEntries) {
          directory_overflows_ += exporters;
          continue;
        }
        mapped += exporters;
        base::IpAddress exporter = mapping.exporters.address();
        for (size_t i = 0; i < exporters; ++i, exporter = Next(exporter)) {
          builder.Add(exporter, rd, table, rib::RouteOrigin::kMapped, peer->source, GroupOf(peer->key.view, asked));
        }
      }
    }
  }
  for (size_t s = 0; s < options_.selected.size(); ++s) {
    const RoutingSelection& selection = options_.selected[s];
    ++asked;
    if (selection.peer == base::IpAddress()) continue;
    for (const Peer* peer : peers) {
      if (!IsCalled(*peer, selection.peer)) continue;
      for (const auto& [rd, table] : peer->tables) {
        if (!counts(*peer, rd) || (selection.rd && *selection.rd != rd)) continue;
        if (mapped >= kMaxMappedEntries) {
          ++directory_overflows_;
          continue;
        }
        ++mapped;
        builder.AddSelected(static_cast<uint32_t>(s), rd, table, rib::RouteOrigin::kMapped, peer->source,
                            GroupOf(peer->key.view, asked));
      }
    }
  }
  for (const base::IpAddress& reflector : options_.reflectors) {
    ++asked;
    for (const Peer* peer : peers) {
      if (!IsCalled(*peer, reflector)) continue;
      for (const auto& [rd, table] : peer->tables) {
        if (!counts(*peer, rd)) continue;
        builder.AddForAll(rd, table, rib::RouteOrigin::kReflector, peer->source, GroupOf(peer->key.view, asked));
      }
    }
  }
  if (options_.dumps_for_all) {
    ++asked;
    for (const Peer* peer : peers) {
      if (peer->key.view != rib::RibView::kDump) continue;
      for (const auto& [rd, table] : peer->tables) {
        builder.AddForAll(rd, table, rib::RouteOrigin::kDump, peer->source, GroupOf(peer->key.view, asked));
      }
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
  told.waits = peer.waits;
  told.v4 = rib_.counters(peer.id, false);
  told.v6 = rib_.counters(peer.id, true);
  return told;
}

}  // namespace flowacct::collector
