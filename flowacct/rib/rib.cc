#include "flowacct/rib/rib.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace flowacct::rib {
namespace {

bool V6Of(const base::IpPrefix& prefix) { return !prefix.address().IsV4(); }

}  // namespace

absl::string_view RibViewName(RibView view) {
  static constexpr absl::string_view kNames[] = {
#define X(view, name) name,
      FLOWACCT_RIB_VIEWS(X)
#undef X
  };
  return kNames[static_cast<size_t>(view)];
}

RibOptions Rib::WithinReach(RibOptions options) {
  options.max_tables = std::min(options.max_tables, size_t{1} << kTableBits);
  options.max_paths_per_prefix = std::min(options.max_paths_per_prefix, kMaxPaths);
  // References to sets and lists have 29 bits; beyond the bound there is room for the lists that withdrawals need.
  options.attributes.max_octets = std::min(options.attributes.max_octets, size_t{3} << 30);
  return options;
}

Rib::Rib(lpm::ReaderEpochs* epochs, RibOptions options)
    : options_(WithinReach(options)),
      epochs_(epochs),
      routes_(epochs, options_.routes),
      attributes_(epochs, options_.attributes),
      store_(&attributes_, options.attribute_store) {
  tables_ = std::make_unique<std::atomic<Table*>[]>(options_.max_tables);
}

Rib::~Rib() = default;

// --- Peers and tables ---

std::optional<PeerId> Rib::AddPeer(const PeerKey& key, bool external) {
  if (const std::optional<PeerId> known = FindPeer(key)) return known;
  uint32_t place;
  if (!free_peers_.empty()) {
    place = free_peers_.back();
    free_peers_.pop_back();
  } else if (peers_.size() < options_.max_peers) {
    place = static_cast<uint32_t>(peers_.size());
    peers_.emplace_back();
  } else {
    ++refused_peers_;
    return std::nullopt;
  }
  peers_[place] = Peer();
  peers_[place].key = key;
  peers_[place].used = true;
  peers_[place].external = external;
  peers_[place].max_paths = options_.max_paths_per_peer;
  peer_ids_[key] = PeerId{place};
  return PeerId{place};
}

std::optional<PeerId> Rib::FindPeer(const PeerKey& key) const {
  const auto it = peer_ids_.find(key);
  if (it == peer_ids_.end()) return std::nullopt;
  return it->second;
}

std::optional<TableId> Rib::FindTable(PeerId peer, uint64_t rd) const {
  for (const auto& [table_rd, place] : PeerOf(peer).tables) {
    if (table_rd == rd) return TableId{table_memory_[place]->id.load(std::memory_order_relaxed)};
  }
  return std::nullopt;
}

std::optional<TableId> Rib::AddTable(PeerId peer, uint64_t rd) {
  if (const std::optional<TableId> known = FindTable(peer, rd)) return known;
  uint32_t place;
  // A place is used again when no reader can have the table that it was.
  if (!free_tables_.empty() && epochs_->Advance() > free_tables_.front().epoch) {
    place = free_tables_.front().place;
    free_tables_.pop_front();
  } else if (table_memory_.size() < options_.max_tables) {
    place = static_cast<uint32_t>(table_memory_.size());
    table_memory_.push_back(std::make_unique<Table>(&routes_));
    tables_[place].store(table_memory_.back().get(), std::memory_order_release);
  } else {
    ++refused_tables_;
    return std::nullopt;
  }
  Table& table = *table_memory_[place];
  table.serial = table.serial % 4095 + 1;  // never 0, nor is the id
  table.peer = static_cast<uint32_t>(peer);
  table.rd = rd;
  for (const bool v6 : {false, true}) {
    table.life[v6].store(0, std::memory_order_relaxed);
    table.unswept[v6] = 0;
    table.lists[v6] = false;
  }
  const TableId id{table.serial << kTableBits | place};
  table.id.store(static_cast<uint32_t>(id), std::memory_order_release);
  PeerOf(peer).tables.emplace_back(rd, place);
  return id;
}

void Rib::RemovePeer(PeerId id) {
  Peer& peer = PeerOf(id);
  PeerDown(id, Stale::kDrop);
  for (const auto& [rd, place] : peer.tables) {
    table_memory_[place]->id.store(0, std::memory_order_release);
    free_tables_.push_back({place, epochs_->now()});
  }
  peer_ids_.erase(peer.key);
  peer = Peer();
  free_peers_.push_back(static_cast<uint32_t>(id));
}

// --- Routes ---

size_t Rib::PathsOf(uint32_t value, ListedPath* paths) const {
  if (value == lpm::LiveTable::kNone) return 0;
  if ((value & kList) == 0) {
    paths[0] = {0, value, Announcement::kNoLabel};
    return 1;
  }
  const PathList* const list = ListOf(value);
  std::copy_n(list->paths(), list->count, paths);
  return list->count;
}

uint32_t Rib::ValueOf(const Peer& peer, const ListedPath* paths, size_t count) {
  if (count == 1 && paths[0].path_id == 0 && paths[0].label == Announcement::kNoLabel) return paths[0].value;
  const lpm::NodeArena::Ref ref = attributes_.Allocate(PathList::OctetsOf(count));
  PathList* const list = reinterpret_cast<PathList*>(attributes_.At(ref));
  list->count = static_cast<uint32_t>(count);
  list->best = 0;
  std::copy_n(paths, count, list->paths());
  if (count > 1) {
    const PathSource source{peer.external, peer.key.bgp_identifier, peer.key.address};
    candidates_.clear();
    for (size_t i = 0; i < count; ++i) {
      candidates_.push_back(PathOf(bgp::AttributeSetView(store_.Find(IdOf(paths[i].value))), source, paths[i].path_id,
                                   options_.best_path));
    }
    list->best = static_cast<uint32_t>(BestPath(candidates_, options_.best_path));
  }
  return kList | ref;
}

void Rib::RetireList(uint32_t value) {
  if ((value & kList) != 0) attributes_.Retire(value & kRefMask, PathList::OctetsOf(ListOf(value)->count));
}

void Rib::CountNew(Table* table, Peer* peer, bool v6, bool new_prefix) {
  peer->counters[v6].routes += new_prefix;
  ++peer->counters[v6].paths;
  ++table->paths[v6];
  ++peer->paths;
  ++paths_;
}

Rib::Outcome Rib::Announce(TableId id, const Announcement& route, AttributeSetId attributes) {
  Table* const table = TableOf(id);
  Peer& peer = peers_[table->peer];
  const bool v6 = V6Of(route.prefix);
  const uint32_t life = table->life[v6].load(std::memory_order_relaxed);
  const uint32_t value = static_cast<uint32_t>(attributes) | life << kLifeShift;
  RouteCounters& counters = peer.counters[v6];
  ++counters.announcements;
  if (route.path_id != 0 || route.label != Announcement::kNoLabel || table->lists[v6]) {
    return AnnounceListed(table, &peer, route, value);
  }
  if (!MayGrow(peer) && table->live.Get(route.prefix) == lpm::LiveTable::kNone) {
    ++counters.refused;
    return Outcome::kRefused;
  }
  store_.Ref(attributes);
  const uint32_t old = table->live.Insert(route.prefix, value);
  if (old == lpm::LiveTable::kNone) {
    CountNew(table, &peer, v6, true);
    return Outcome::kNew;
  }
  if (LifeOf(old) != life) {
    --table->stale[v6];
    --counters.stale;
  }
  store_.Unref(IdOf(old));
  ++counters.replaced;
  return Outcome::kReplaced;
}

void Rib::Announce(TableId id, absl::Span<const Announcement> routes, AttributeSetId attributes) {
  const Table* const table = TableOf(id);
  constexpr size_t kAhead = 6;
  for (size_t i = 0; i < std::min(routes.size(), kAhead); ++i) table->live.PrefetchForWrite(routes[i].prefix);
  for (size_t i = 0; i < routes.size(); ++i) {
    if (i + kAhead < routes.size()) table->live.PrefetchForWrite(routes[i + kAhead].prefix);
    Announce(id, routes[i], attributes);
  }
}

Rib::Outcome Rib::AnnounceListed(Table* table, Peer* peer, const Announcement& route, uint32_t value) {
  const bool v6 = V6Of(route.prefix);
  RouteCounters& counters = peer->counters[v6];
  const uint32_t old = table->live.Get(route.prefix);
  std::array<ListedPath, kMaxPaths + 1> paths;
  size_t count = PathsOf(old, paths.data());
  size_t at = 0;
  while (at < count && paths[at].path_id != route.path_id) ++at;
  const bool is_new = at == count;
  uint32_t replaced = 0;
  if (is_new) {
    if (count >= options_.max_paths_per_prefix || !MayGrow(*peer)) {
      ++counters.refused;
      return Outcome::kRefused;
    }
    ++count;
  } else {
    replaced = paths[at].value;
  }
  paths[at] = {route.path_id, value, route.label};
  store_.Ref(IdOf(value));
  table->lists[v6] = true;
  table->live.Insert(route.prefix, ValueOf(*peer, paths.data(), count));
  RetireList(old);
  if (is_new) {
    CountNew(table, peer, v6, count == 1);
    return Outcome::kNew;
  }
  if (LifeOf(replaced) != LifeOf(value)) {
    --table->stale[v6];
    --counters.stale;
  }
  store_.Unref(IdOf(replaced));
  ++counters.replaced;
  return Outcome::kReplaced;
}

// Counts a path that was unlinked, and gives back its set.
void Rib::RemovePath(Table* table, Peer* peer, bool v6, uint32_t path_value) {
  if (LifeOf(path_value) != table->life[v6].load(std::memory_order_relaxed)) {
    --table->stale[v6];
    --peer->counters[v6].stale;
  }
  --peer->counters[v6].paths;
  --table->paths[v6];
  --peer->paths;
  --paths_;
  store_.Unref(IdOf(path_value));
}

Rib::Outcome Rib::Withdraw(TableId id, const base::IpPrefix& prefix, uint32_t path_id) {
  Table* const table = TableOf(id);
  Peer& peer = peers_[table->peer];
  const bool v6 = V6Of(prefix);
  RouteCounters& counters = peer.counters[v6];
  ++counters.withdrawals;
  if (!table->lists[v6]) {
    const uint32_t old = path_id == 0 ? table->live.Erase(prefix) : lpm::LiveTable::kNone;
    if (old == lpm::LiveTable::kNone) {
      ++counters.unknown_withdrawals;
      return Outcome::kUnknown;
    }
    --counters.routes;
    RemovePath(table, &peer, v6, old);
    return Outcome::kWithdrawn;
  }
  const uint32_t old = table->live.Get(prefix);
  std::array<ListedPath, kMaxPaths> paths;
  const size_t count = PathsOf(old, paths.data());
  size_t at = 0;
  while (at < count && paths[at].path_id != path_id) ++at;
  if (at == count) {
    ++counters.unknown_withdrawals;
    return Outcome::kUnknown;
  }
  const uint32_t removed = paths[at].value;
  std::copy(paths.begin() + at + 1, paths.begin() + count, paths.begin() + at);
  if (count == 1) {
    table->live.Erase(prefix);
    --counters.routes;
  } else {
    table->live.Insert(prefix, ValueOf(peer, paths.data(), count - 1));
  }
  RetireList(old);
  RemovePath(table, &peer, v6, removed);
  return Outcome::kWithdrawn;
}

// --- Sessions that end, and what they leave ---

void Rib::Drop(Table* table) {
  Peer& peer = peers_[table->peer];
  // The counters say at once what look-ups find.
  for (const bool v6 : {false, true}) {
    RouteCounters& counters = peer.counters[v6];
    counters.routes -= v6 ? table->live.size_v6() : table->live.size_v4();
    counters.paths -= table->paths[v6];
    counters.stale -= table->stale[v6];
    peer.paths -= table->paths[v6];
    paths_ -= table->paths[v6];
    table->paths[v6] = table->stale[v6] = 0;
    table->unswept[v6] = 0;
    table->lists[v6] = false;
  }
  if (table->live.size() != 0) removals_.push_back(table->live.Detach());
  const uint32_t place = PlaceOf(TableId{table->id.load(std::memory_order_relaxed)});
  sweeps_.erase(std::remove_if(sweeps_.begin(), sweeps_.end(), [&](const Sweep& s) { return s.table == place; }),
                sweeps_.end());
}

void Rib::PeerDown(PeerId id, Stale stale) {
  Peer& peer = PeerOf(id);
  for (const auto& [rd, place] : peer.tables) {
    Table* const table = table_memory_[place].get();
    // Lives are told apart by two bits.
    if (stale == Stale::kDrop || table->unswept[0] >= 3 || table->unswept[1] >= 3) {
      Drop(table);
      continue;
    }
    for (const bool v6 : {false, true}) {
      if (table->paths[v6] == 0) continue;
      const bool old = table->stale[v6] != 0;
      if (!old) table->unswept[v6] = 0;
      ++table->unswept[v6];
      table->life[v6].store((table->life[v6].load(std::memory_order_relaxed) + 1) & 3, std::memory_order_release);
      peer.counters[v6].stale += table->paths[v6] - table->stale[v6];
      table->stale[v6] = table->paths[v6];
      // A sweep that goes on now spares what was fresh until now. One that spared the life before has left some behind.
      for (Sweep& sweep : sweeps_) {
        if (sweep.table != place || sweep.v6 != v6) continue;
        if (sweep.keep_previous) sweep.begun = false;
        sweep.keep_previous = true;
      }
      if (old) StartSweep(place, v6, true);
    }
  }
}

void Rib::StartSweep(uint32_t place, bool v6, bool keep_previous) {
  for (Sweep& sweep : sweeps_) {
    if (sweep.table != place || sweep.v6 != v6) continue;
    // What it has passed is of this life, or of the one before: if that is to go too it begins anew.
    if (sweep.keep_previous && !keep_previous) sweep.begun = false;
    sweep.keep_previous = keep_previous;
    return;
  }
  sweeps_.push_back({place, v6, keep_previous, false, {}});
}

void Rib::EndOfRib(PeerId id, bool v6) {
  for (const auto& [rd, place] : PeerOf(id).tables) {
    Table* const table = table_memory_[place].get();
    if (table->stale[v6] != 0) {
      StartSweep(place, v6, false);
    } else {
      table->unswept[v6] = 0;
    }
  }
}

bool Rib::SweepSome(Sweep* sweep, size_t* steps) {
  Table* const table = table_memory_[sweep->table].get();
  Peer& peer = peers_[table->peer];
  const bool v6 = sweep->v6;
  const uint32_t life = table->life[v6].load(std::memory_order_relaxed);
  const auto goes = [&](uint32_t path_value) {
    const uint32_t before = (life - LifeOf(path_value)) & 3;
    return before != 0 && (before != 1 || !sweep->keep_previous);
  };
  // First looks, then changes: a walk is of a table that stays.
  constexpr size_t kAtOnce = 64;
  std::array<base::IpPrefix, kAtOnce> prefixes;
  std::array<uint32_t, kAtOnce> values;
  size_t n = 0;
  size_t looked = 0;
  const size_t limit = std::min<size_t>(*steps, 512);
  bool more = false;
  const base::IpPrefix from = sweep->at;
  table->live.Walk(v6, sweep->begun ? &from : nullptr, [&](const base::IpPrefix& prefix, uint32_t value) {
    sweep->at = prefix;
    bool any = false;
    if ((value & kList) == 0) {
      any = goes(value);
    } else {
      const PathList* const list = ListOf(value);
      for (uint32_t i = 0; i < list->count; ++i) any |= goes(list->paths()[i].value);
    }
    if (any) {
      prefixes[n] = prefix;
      values[n++] = value;
    }
    more = ++looked >= limit || n == kAtOnce;
    return !more;
  });
  sweep->begun = true;
  for (size_t i = 0; i < n; ++i) {
    std::array<ListedPath, kMaxPaths> paths;
    const size_t count = PathsOf(values[i], paths.data());
    size_t kept = 0;
    std::array<uint32_t, kMaxPaths> gone;
    size_t gone_count = 0;
    for (size_t k = 0; k < count; ++k) {
      if (goes(paths[k].value)) {
        gone[gone_count++] = paths[k].value;
      } else {
        paths[kept++] = paths[k];
      }
    }
    if (kept == 0) {
      table->live.Erase(prefixes[i]);
      --peer.counters[v6].routes;
    } else {
      table->live.Insert(prefixes[i], ValueOf(peer, paths.data(), kept));
    }
    RetireList(values[i]);
    for (size_t k = 0; k < gone_count; ++k) RemovePath(table, &peer, v6, gone[k]);
    peer.counters[v6].swept += gone_count;
  }
  *steps -= std::min(*steps, std::max<size_t>(looked, 1));
  if (!more) table->unswept[v6] = sweep->keep_previous ? 1 : 0;
  return more;
}

void Rib::ForgetUnseen(uint32_t value) {
  if ((value & kList) == 0) {
    store_.Unref(IdOf(value));
    return;
  }
  const PathList* const list = ListOf(value);
  for (uint32_t i = 0; i < list->count; ++i) store_.Unref(IdOf(list->paths()[i].value));
  attributes_.Free(value & kRefMask, PathList::OctetsOf(list->count));
}

bool Rib::Reclaim(size_t steps) {
  while (steps != 0 && !sweeps_.empty()) {
    if (!SweepSome(&sweeps_.front(), &steps)) sweeps_.pop_front();
  }
  while (steps != 0 && !removals_.empty()) {
    // A node has a handful of routes.
    const size_t some = std::min<size_t>(steps, 64);
    const bool more = removals_.front().Step(some, [&](uint32_t value) { ForgetUnseen(value); });
    if (!more) removals_.pop_front();
    steps -= some;
  }
  if (routes_.garbage_octets() != 0) routes_.CollectGarbage();
  if (attributes_.garbage_octets() != 0) attributes_.CollectGarbage();
  return !sweeps_.empty() || !removals_.empty() || routes_.garbage_octets() != 0 || attributes_.garbage_octets() != 0;
}

RouteCounters Rib::counters(PeerId peer, bool v6) const { return PeerOf(peer).counters[v6]; }

// --- Readers ---

const Rib::Table* RibReader::TableOf(TableId id) const {
  const uint32_t place = Rib::PlaceOf(id);
  if (place >= rib_->options_.max_tables) return nullptr;
  const Rib::Table* const table = rib_->tables_[place].load(std::memory_order_acquire);
  if (table == nullptr || table->id.load(std::memory_order_acquire) != static_cast<uint32_t>(id)) return nullptr;
  return table;
}

RouteView RibReader::ViewOf(const Rib::Table& table, uint32_t value, bool v6, const uint8_t* next_hop) const {
  RouteView view;
  if ((value & Rib::kList) != 0) {
    const Rib::PathList* const list = rib_->ListOf(value);
    uint32_t choice = list->best;
    if (next_hop != nullptr) {
      const base::IpAddress wanted = base::IpAddress::FromV6(next_hop);
      const auto matches = [&](uint32_t i) {
        return bgp::AttributeSetView(rib_->store_.Find(Rib::IdOf(list->paths()[i].value))).next_hop() == wanted;
      };
      if (wanted != base::IpAddress() && !(view.next_hop_matched = matches(choice))) {
        for (uint32_t i = 0; i < list->count && !view.next_hop_matched; ++i) {
          if (i == list->best || !matches(i)) continue;
          choice = i;
          view.next_hop_matched = true;
        }
      }
    }
    const Rib::ListedPath& path = list->paths()[choice];
    view.path_id = path.path_id;
    view.label = path.label;
    value = path.value;
  }
  view.stale = Rib::LifeOf(value) != table.life[v6].load(std::memory_order_relaxed);
  view.attributes = Rib::IdOf(value);
  view.octets = rib_->store_.Find(view.attributes);
  return view;
}

RouteView RibReader::Find(TableId table, const base::IpAddress& address, const base::IpAddress* next_hop) const {
  RouteView view;
  FindBatch(table, address.data(), 0, 1, &view, next_hop == nullptr ? nullptr : next_hop->data());
  return view;
}

void RibReader::FindBatch(TableId id, const uint8_t* addresses, size_t stride, size_t n, RouteView* routes,
                          const uint8_t* next_hops, size_t next_hop_stride) const {
  const Rib::Table* const table = TableOf(id);
  if (table == nullptr) {
    std::fill_n(routes, n, RouteView());
    return;
  }
  constexpr size_t kAtOnce = 64;
  std::array<lpm::LiveTable::Match, kAtOnce> matches;
  for (size_t done = 0; done < n;) {
    const size_t group = std::min(n - done, kAtOnce);
    table->live.FindBatch(addresses + done * stride, stride, group, matches.data());
    for (size_t i = 0; i < group; ++i) {
      if (matches[i].value == lpm::LiveTable::kNone) continue;
      __builtin_prefetch(rib_->attributes_.At(matches[i].value & Rib::kRefMask));
    }
    for (size_t i = 0; i < group; ++i, ++done) {
      if (matches[i].value == lpm::LiveTable::kNone) {
        routes[done] = RouteView();
        continue;
      }
      const bool v6 = !base::IpAddress::FromV6(addresses + done * stride).IsV4();
      routes[done] =
          ViewOf(*table, matches[i].value, v6, next_hops == nullptr ? nullptr : next_hops + done * next_hop_stride);
      routes[done].length = matches[i].length;
    }
  }
}

RouteView RibReader::FindPath(TableId id, const base::IpPrefix& prefix, uint32_t path_id) const {
  const Rib::Table* const table = TableOf(id);
  const uint32_t value = table == nullptr ? lpm::LiveTable::kNone : table->live.Get(prefix);
  if (value == lpm::LiveTable::kNone) return RouteView();
  const bool v6 = V6Of(prefix);
  RouteView view;
  if ((value & Rib::kList) == 0) {
    if (path_id != 0) return RouteView();
    view = ViewOf(*table, value, v6, nullptr);
  } else {
    const Rib::PathList* const list = rib_->ListOf(value);
    uint32_t i = 0;
    while (i < list->count && list->paths()[i].path_id != path_id) ++i;
    if (i == list->count) return RouteView();
    view = ViewOf(*table, list->paths()[i].value, v6, nullptr);
    view.path_id = path_id;
    view.label = list->paths()[i].label;
  }
  view.length = prefix.length();
  return view;
}

void RibReader::Walk(TableId id, bool v6, const base::IpPrefix* from,
                     absl::FunctionRef<bool(const base::IpPrefix&, const RouteView&, bool)> visit) const {
  const Rib::Table* const table = TableOf(id);
  if (table == nullptr) return;
  table->live.Walk(v6, from, [&](const base::IpPrefix& prefix, uint32_t value) {
    if ((value & Rib::kList) == 0) {
      RouteView view = ViewOf(*table, value, v6, nullptr);
      view.length = prefix.length();
      return visit(prefix, view, true);
    }
    const Rib::PathList* const list = rib_->ListOf(value);
    bool more = true;
    for (uint32_t i = 0; i < list->count; ++i) {
      const Rib::ListedPath& path = list->paths()[i];
      RouteView view = ViewOf(*table, path.value, v6, nullptr);
      view.path_id = path.path_id;
      view.label = path.label;
      view.length = prefix.length();
      more = visit(prefix, view, i == list->best);
    }
    return more;
  });
}

}  // namespace flowacct::rib
