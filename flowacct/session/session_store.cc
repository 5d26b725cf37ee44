#include "flowacct/session/session_store.h"

#include <limits>

namespace flowacct::session {
namespace {

// Of the sweep, when there are no records of intervals: how often idle sessions are looked for.
constexpr int64_t kSweepNanos = 3'600'000'000'000;
// Of a session, which messages walk along: 11 bearers (TS 24.301), and each call makes one anew. Those that are over
// stay for `linger_nanos`, in a capture as long as that is.
constexpr size_t kMaxLegs = 1024;
// Of a session at a time: 11 bearers, two directions, two families.
constexpr size_t kMaxForwarding = 44;
// Sessions of a subscriber, which share control endpoints, and some of before whose end was not seen.
constexpr size_t kMaxOfControl = 64;
constexpr uint64_t kRound = uint64_t{1} << 32;  // of the walk for restarts
// A call of Step: some 100 us.
constexpr size_t kSteps = 2000;

bool Same(const Facts& a, const Facts& b) {
  return a.session == b.session && a.imsi == b.imsi && a.msisdn == b.msisdn && a.imei == b.imei &&
         a.start_nanos == b.start_nanos && a.apn == b.apn && a.apn_operator == b.apn_operator &&
         a.location == b.location && a.charging_id == b.charging_id && a.packed_home == b.packed_home &&
         a.packed_visited == b.packed_visited && a.packed_v4 == b.packed_v4 &&
         std::memcmp(a.packed_v6, b.packed_v6, sizeof(a.packed_v6)) == 0 && a.v6_length == b.v6_length &&
         a.charging_characteristics == b.charging_characteristics && a.rat == b.rat && a.qci == b.qci &&
         a.arp == b.arp && a.ebi == b.ebi && a.roaming == b.roaming && a.has_charging_id == b.has_charging_id &&
         a.has_charging_characteristics == b.has_charging_characteristics && a.has_qci == b.has_qci &&
         a.has_arp == b.has_arp;
}

void Grow(uint16_t* count) {
  if (*count < std::numeric_limits<uint16_t>::max()) ++*count;
}

uint64_t V6BitsOf(const Facts& f) { return base::LoadBe64(f.packed_v6); }

SessionOptions WithinReach(SessionOptions options) {
  options.max_contexts = std::min(options.max_contexts, SessionOptions::kMaxContexts);
  options.max_tunnels = std::min(options.max_tunnels, size_t{1} << 28);
  options.max_history = std::max<size_t>(options.max_history, 1);
  return options;
}

}  // namespace

Facts& Facts::operator=(const Facts& o) {
  session = o.session;
  imsi = o.imsi;
  msisdn = o.msisdn;
  imei = o.imei;
  start_nanos = o.start_nanos;
  from_nanos = o.from_nanos;
  id = o.id;
  serial = o.serial;
  apn = o.apn;
  apn_operator = o.apn_operator;
  location = o.location;
  charging_id = o.charging_id;
  packed_home = o.packed_home;
  packed_visited = o.packed_visited;
  packed_v4 = o.packed_v4;
  std::memcpy(packed_v6, o.packed_v6, sizeof(packed_v6));
  charging_characteristics = o.charging_characteristics;
  rat = o.rat;
  qci = o.qci;
  arp = o.arp;
  ebi = o.ebi;
  v6_length = o.v6_length;
  roaming = o.roaming;
  has_charging_id = o.has_charging_id;
  has_charging_characteristics = o.has_charging_characteristics;
  has_qci = o.has_qci;
  has_arp = o.has_arp;
  return *this;
}

base::IpPrefix Facts::ue_v6() const {
  if (v6_length == 0) return base::IpPrefix();
  base::IpAddress address;
  std::memcpy(address.data(), packed_v6, sizeof(packed_v6));
  return base::IpPrefix(address, v6_length);
}

SessionStore::SessionStore(lpm::ReaderEpochs* epochs, SessionOptions o)
    : tables(WithinReach(o)),
      sessions(2 * WithinReach(o).max_contexts),
      options(WithinReach(std::move(o))),
      epochs_(epochs),
      reported_(0) {
  sessions.Reach(0);
}

SessionStore::~SessionStore() {
  PeerCounts* counts = tables.counts.load(std::memory_order_acquire);
  while (counts != nullptr) {
    PeerCounts* next = counts->next;
    delete counts;
    counts = next;
  }
}

PeerCounts* SessionStore::NewCounts() {
  for (PeerCounts* c = tables.counts.load(std::memory_order_acquire); c != nullptr; c = c->next) {
    bool taken = false;
    if (c->taken.compare_exchange_strong(taken, true, std::memory_order_acq_rel)) return c;
  }
  auto* counts = new PeerCounts(options.max_peers);
  counts->next = tables.counts.load(std::memory_order_relaxed);
  while (!tables.counts.compare_exchange_weak(counts->next, counts, std::memory_order_acq_rel)) {
  }
  return counts;
}

uint64_t SessionStore::PacketsOf(uint32_t peer, Match match) const {
  uint64_t packets = 0;
  for (const PeerCounts* c = tables.counts.load(std::memory_order_acquire); c != nullptr; c = c->next) {
    packets += c->At(peer, match);
  }
  return packets;
}

// --- Peers ---

uint32_t SessionStore::PeerOf(const base::IpAddress& address) {
  if (const uint32_t peer = tables.FindPeer(address)) return peer;
  const uint32_t peer = tables.peers.New();
  if (peer == 0) {
    ++counters.peer_bound;
    return 0;
  }
  tables.peers[peer].address = address;
  tables.peer_index.Insert(tables.HashOfPeer(address), peer, epochs_->now());
  return peer;
}

void SessionStore::PeerRestarted(uint32_t peer, int64_t time_nanos) {
  ++counters.peer_restarts;
  ++tables.peers[peer].restarts;
  tables.peers[peer].restarted_nanos = time_nanos;
  if (tables.peers[peer].control_endpoints == 0) return;  // nobody's
  // One walk is for all that restarted: there may be as many of them as somebody makes up.
  tables.peers[peer].restart_walk_end = restart_walk_end_ = restart_walk_ + kRound;
}

// --- Sessions ---

uint32_t SessionStore::HashOfControl(ControlEnd end) const {
  return static_cast<uint32_t>(
      base::FoldedMultiply((uint64_t{end.peer} << 32 | end.teid) ^ options.seed ^ 0x2545f4914f6cdd1d,
                           0x9e3779b97f4a7c15 ^ options.seed << 1) >>
      32);
}

uint32_t SessionStore::HashOfImsi(base::Digits imsi) const {
  return static_cast<uint32_t>(
      base::FoldedMultiply(imsi.bits() ^ options.seed ^ 0xd1342543de82ef95, 0x9e3779b97f4a7c15 ^ options.seed << 1) >>
      32);
}

uint32_t SessionStore::NewSession(const Facts& facts, PathKind path, int64_t time_nanos) {
  return NewSession(facts, path, time_nanos, next_session++);
}

uint32_t SessionStore::NewSession(const Facts& proto, PathKind path, int64_t time_nanos, uint64_t number) {
  if (contexts_ >= options.max_contexts) {
    ++counters.context_bound;
    return 0;
  }
  Facts facts = proto;
  facts.session = number;
  const uint32_t session = sessions.New();
  const uint32_t f = session == 0 ? 0 : NewFacts(facts, facts.start_nanos);
  const uint32_t leg = f == 0 ? 0 : NewLeg(session, facts.ebi, path, f);
  if (leg == 0) {
    if (f != 0) tables.facts.Free(f);
    if (session != 0) sessions.Free(session);
    ++counters.context_bound;
    return 0;
  }
  SessionRow& s = sessions[session];
  s.default_ebi = facts.ebi;
  Touch(session, time_nanos);
  ++contexts_;
  ++counters.contexts_created;
  if (!facts.imsi.empty()) {
    const uint32_t hash = HashOfImsi(facts.imsi);
    s.next = FirstOf(facts.imsi);
    if (s.next != 0) {
      imsi_index_.Replace(hash, s.next, session);
    } else {
      imsi_index_.Insert(hash, session, epochs_->now());
    }
  }
  Lease(leg, facts);
  return session;
}

uint32_t SessionStore::FirstOf(base::Digits imsi) const {
  return imsi_index_.Find(HashOfImsi(imsi), [&](uint32_t s) { return FactsOf(s).imsi == imsi; });
}

void SessionStore::SetControl(uint32_t session, PathKind path, Side side, ControlEnd end) {
  ControlEnd& at = sessions[session].at(path, side);
  if (at == end) return;
  if (at.known()) {
    control_index_.Erase(HashOfControl(at), session);
    --tables.peers[at.peer].control_endpoints;
  }
  at = end;
  if (!end.known()) return;
  size_t same = 0;
  if (control_index_.Find(HashOfControl(end), [&same](uint32_t) { return ++same == kMaxOfControl; }) != 0) {
    at = {};
    ++counters.control_bound;
    return;
  }
  ++tables.peers[end.peer].control_endpoints;
  control_index_.Insert(HashOfControl(end), session, epochs_->now());
}

void SessionStore::VisitControl(ControlEnd end, absl::FunctionRef<void(uint32_t, PathKind, Side)> visit) const {
  // Twice while the index grows; more than that is one UE's sessions.
  uint32_t seen[32];
  size_t n = 0;
  control_index_.VisitAll(HashOfControl(end), [&](uint32_t session) {
    if (n == std::size(seen) || std::find(seen, seen + n, session) != seen + n) return;
    const SessionRow& s = sessions[session];
    for (const PathKind path : kPathKinds) {
      for (const Side side : kSides) {
        if (!(s.at(path, side) == end)) continue;
        seen[n++] = session;
        visit(session, path, side);
        return;
      }
    }
  });
}

const Facts& SessionStore::FactsOf(uint32_t session) const { return FactsOfLeg(sessions[session].first_leg); }

void SessionStore::EndPath(uint32_t session, PathKind path, int64_t time_nanos) {
  for (const Side side : kSides) SetControl(session, path, side, {});
  for (uint32_t leg = sessions[session].first_leg; leg != 0; leg = tables.legs[leg].next) {
    if (tables.legs[leg].path != path || tables.legs[leg].end_nanos.load() != kForEver) continue;
    EndTunnels(leg, time_nanos);
  }
}

void SessionStore::CloseSession(uint32_t session) {
  SessionRow& s = sessions[session];
  if (s.closing || s.over) return;
  s.closing = true;
  closing_.push_back({now_ + options.closing_nanos, session, FactsOf(session).session});
}

void SessionStore::EndSession(uint32_t session, int64_t time_nanos, Cause cause, uint8_t gtp_cause) {
  SessionRow& s = sessions[session];
  if (s.over) return;
  EndForwarding(session, time_nanos);
  const base::Digits imsi = FactsOf(session).imsi;
  if (!imsi.empty()) {
    const uint32_t first = FirstOf(imsi);
    if (first == session) {
      if (s.next != 0) {
        imsi_index_.Replace(HashOfImsi(imsi), session, s.next);
      } else {
        imsi_index_.Erase(HashOfImsi(imsi), session);
      }
    } else {
      for (uint32_t i = first; i != 0; i = sessions[i].next) {
        if (sessions[i].next == session) sessions[i].next = s.next;
      }
    }
  }
  s.next = 0;
  // From here on the default bearer is as any other.
  s.over = true;
  for (uint32_t leg = s.first_leg; leg != 0; leg = tables.legs[leg].next) {
    if (tables.legs[leg].end_nanos.load() == kForEver) {
      EndBearer(session, tables.legs[leg].ebi, time_nanos, cause, gtp_cause);
    }
  }
  for (const PathKind path : kPathKinds) {
    for (const Side side : kSides) SetControl(session, path, side, {});
  }
}

// --- Bearers ---

uint32_t SessionStore::NewFacts(const Facts& facts, int64_t time_nanos) {
  const uint32_t row = tables.facts.New();
  if (row == 0) return 0;
  Facts& f = tables.facts[row];
  f = facts;
  f.id = row;
  f.serial = next_serial_++;
  f.from_nanos = time_nanos;
  return row;
}

uint32_t SessionStore::NewLeg(uint32_t session, uint8_t ebi, PathKind path, uint32_t facts) {
  size_t legs = 0;
  for (uint32_t i = sessions[session].first_leg; i != 0; i = tables.legs[i].next) ++legs;
  if (legs >= kMaxLegs) return 0;
  const uint32_t row = tables.legs.New();
  if (row == 0) return 0;
  LegRow& leg = tables.legs[row];
  leg.session = session;
  leg.ebi = ebi;
  leg.path = path;
  leg.facts.store(facts, std::memory_order_release);
  SessionRow& s = sessions[session];
  // The default bearer's first leg stays the first.
  if (s.first_leg == 0) {
    s.first_leg = row;
  } else {
    leg.next = tables.legs[s.first_leg].next;
    tables.legs[s.first_leg].next = row;
  }
  if (options.record_interval_nanos > 0) new (&reported_.Reach(row)) Reported();
  return row;
}

uint32_t SessionStore::FindLeg(uint32_t session, uint8_t ebi, PathKind path) const {
  for (uint32_t row = sessions[session].first_leg; row != 0;) {
    const LegRow& leg = tables.legs[row];
    if (leg.ebi == ebi && leg.path == path && leg.end_nanos.load() == kForEver) return row;
    row = leg.next;
  }
  return 0;
}

uint32_t SessionStore::AnyLeg(uint32_t session, uint8_t ebi) const {
  for (const PathKind path : kPathKinds) {
    if (const uint32_t leg = FindLeg(session, ebi, path)) return leg;
  }
  return 0;
}

size_t SessionStore::BearersOf(uint32_t session) const {
  size_t n = 0;
  for (uint32_t row = sessions[session].first_leg; row != 0; row = tables.legs[row].next) {
    if (tables.legs[row].end_nanos.load() == kForEver && IsPrimary(row)) ++n;
  }
  return n;
}

uint32_t SessionStore::LegOf(uint32_t session, uint8_t ebi, PathKind path, int64_t time_nanos) {
  if (const uint32_t leg = FindLeg(session, ebi, path)) return leg;
  const uint32_t other = AnyLeg(session, ebi);
  if (other != 0) {
    const uint32_t leg = NewLeg(session, ebi, path, tables.legs[other].facts.load());
    if (leg == 0) {
      ++counters.context_bound;
      return 0;
    }
    // The one in the core stands for the bearer from now on.
    if (path == PathKind::kCore && options.record_interval_nanos > 0) reported_[leg] = reported_[other];
    return leg;
  }
  if (contexts_ >= options.max_contexts) {
    ++counters.context_bound;
    return 0;
  }
  Facts facts = FactsOf(session);
  facts.ebi = ebi;
  facts.qci = facts.arp = 0;
  facts.charging_id = 0;
  facts.has_charging_id = facts.has_qci = facts.has_arp = false;
  const uint32_t f = NewFacts(facts, time_nanos);
  const uint32_t leg = f == 0 ? 0 : NewLeg(session, ebi, path, f);
  if (leg == 0) {
    if (f != 0) tables.facts.Free(f);
    ++counters.context_bound;
    return 0;
  }
  ++contexts_;
  ++counters.contexts_created;
  return leg;
}

void SessionStore::MakeDefault(uint32_t session, uint8_t ebi) {
  SessionRow& s = sessions[session];
  const uint32_t first = s.first_leg, leg = AnyLeg(session, ebi);
  if (leg == 0 || leg == first) return;
  Unlease(first, FactsOfLeg(first));
  for (uint32_t i = first; i != 0; i = tables.legs[i].next) {
    if (tables.legs[i].next != leg) continue;
    tables.legs[i].next = tables.legs[leg].next;
    tables.legs[leg].next = first;
    s.first_leg = leg;
    break;
  }
  s.default_ebi = ebi;
  Lease(leg, FactsOfLeg(leg));
}

void SessionStore::EndBearer(uint32_t session, uint8_t ebi, int64_t time_nanos, Cause cause, uint8_t gtp_cause) {
  SessionRow& s = sessions[session];
  if (!s.over && ebi == s.default_ebi) {
    EndSession(session, time_nanos, cause, gtp_cause);
    return;
  }
  const uint32_t first = AnyLeg(session, ebi);
  if (first == 0) return;
  uint32_t other = FindLeg(session, ebi, PathKind::kAccess);
  if (other == first) other = 0;
  for (const uint32_t row : {first, other}) {
    if (row == 0) continue;
    LegRow& leg = tables.legs[row];
    // The last tunnels stay with it, for its record.
    const std::array<uint32_t, 2> last = {leg.up, leg.down};
    EndTunnels(row, time_nanos);
    for (const uint32_t tunnel : last) tables.tunnels[tunnel].last = true;
    leg.up = last[0];
    leg.down = last[1];
    leg.cause = cause;
    leg.gtp_cause = gtp_cause;
    leg.end_nanos.store(std::max(time_nanos, FactsOfLeg(row).start_nanos), std::memory_order_release);
  }
  ++counters.contexts_ended;
  over_.push_back({now_ + options.linger_nanos, first, other, Over::kBearer});
}

void SessionStore::SetFacts(uint32_t session, uint8_t ebi, const Facts& facts, int64_t time_nanos) {
  const uint32_t leg = AnyLeg(session, ebi);
  if (leg == 0) return;
  const uint32_t old = tables.legs[leg].facts.load();
  Facts& before = tables.facts[old];
  if (Same(before, facts)) return;
  const uint32_t row = NewFacts(facts, std::max(time_nanos, before.from_nanos));
  if (row == 0) {
    ++counters.history_bound;
    return;
  }
  ++counters.facts_changes;
  tables.facts[row].previous.store(old, std::memory_order_relaxed);
  const bool moved =
      before.packed_v4 != facts.packed_v4 || before.v6_length != facts.v6_length || V6BitsOf(before) != V6BitsOf(facts);
  const bool leased = moved && ebi == sessions[session].default_ebi;
  if (leased) Unlease(leg, before);
  for (const PathKind path : kPathKinds) {
    if (const uint32_t l = FindLeg(session, ebi, path)) tables.legs[l].facts.store(row, std::memory_order_release);
  }
  if (leased) Lease(leg, facts);
  over_.push_back({now_ + options.linger_nanos, old, leg, Over::kFacts});
  BoundFacts(row);
}

void SessionStore::BoundFacts(uint32_t newest) {
  uint32_t row = newest;
  for (size_t n = 0; n < options.max_history && row != 0; ++n) row = tables.facts[row].previous.load();
  if (row == 0 || tables.facts[row].previous.load() == 0) return;
  // Those behind are forgotten when their time has come; until then nobody finds them.
  tables.facts[row].previous.store(0, std::memory_order_release);
  ++counters.history_bound;
}

void SessionStore::ChangeFacts(uint32_t session, int64_t time_nanos, absl::FunctionRef<void(Facts*)> change) {
  SessionRow& s = sessions[session];
  const Facts before = FactsOf(session);
  for (uint32_t row = s.first_leg; row != 0; row = tables.legs[row].next) {
    const LegRow& leg = tables.legs[row];
    if (leg.end_nanos.load() != kForEver || !IsPrimary(row)) continue;
    Facts facts = FactsOfLeg(row);
    change(&facts);
    SetFacts(session, leg.ebi, facts, time_nanos);
  }
  const Facts& after = FactsOf(session);
  if (before.rat != 0 && after.rat != before.rat) Grow(&s.rat_changes);
  if (before.location != 0 && after.location != before.location) Grow(&s.location_changes);
}

// --- Leases ---

void SessionStore::Lease(uint32_t leg, const Facts& facts) {
  const auto insert = [&](uint32_t hash) {
    size_t n = 0;
    tables.lease_index.VisitAll(hash, [&n](uint32_t) { ++n; });
    if (n >= options.max_leases) {
      ++counters.lease_bound;
      return;
    }
    tables.lease_index.Insert(hash, leg, epochs_->now());
  };
  if (facts.packed_v4 != 0) insert(tables.HashOfV4(facts.packed_v4));
  if (facts.v6_length != 0) {
    tables.v6_lengths.store(tables.v6_lengths.load() | uint64_t{1} << (facts.v6_length - 1), std::memory_order_release);
    insert(tables.HashOfV6(V6BitsOf(facts), facts.v6_length));
  }
}

void SessionStore::Unlease(uint32_t leg, const Facts& facts) {
  // Which of its legs has it is the one that was there first.
  for (const uint32_t row : LegsOf(leg)) {
    if (row == 0) continue;
    if (facts.packed_v4 != 0) tables.lease_index.Erase(tables.HashOfV4(facts.packed_v4), row);
    if (facts.v6_length != 0) tables.lease_index.Erase(tables.HashOfV6(V6BitsOf(facts), facts.v6_length), row);
  }
}

// --- Tunnels ---

uint32_t SessionStore::HashOfTunnel(uint32_t row) const {
  const TunnelRow& t = tables.tunnels[row];
  return tables.HashOf(tables.peers[t.peer].address, t.teid);
}

uint32_t SessionStore::TunnelOf(const base::IpAddress& address, uint32_t teid) const {
  const uint32_t row = tables.FindTunnel(tables.HashOf(address, teid), address, teid);
  return row != 0 && tables.tunnels[row].leg != 0 ? row : 0;
}

uint32_t SessionStore::NewTunnel(uint32_t leg, Direction direction, Interface interface, bool counts, uint32_t peer,
                                 uint32_t teid, int64_t time_nanos) {
  const base::IpAddress& address = tables.peers[peer].address;
  const uint32_t hash = tables.HashOf(address, teid);
  const uint32_t head = tables.FindTunnel(hash, address, teid);
  const uint32_t row = tables.tunnels.New();
  if (row == 0) {
    ++counters.tunnel_bound;
    return 0;
  }
  TunnelRow& t = tables.tunnels[row];
  t.peer = peer;
  t.teid = teid;
  t.leg = leg;
  t.direction = direction;
  t.interface = interface;
  t.counts = counts;
  t.from_nanos = time_nanos;
  ++counters.tunnels_created;
  if (head == 0) {
    tables.tunnel_index.Insert(hash, row, epochs_->now());
    return row;
  }
  TunnelRow& h = tables.tunnels[head];
  t.from_nanos = std::max(time_nanos, h.from_nanos);
  t.older.store(head, std::memory_order_relaxed);
  if (h.leg != 0) {
    LegRow& other = tables.legs[h.leg];
    if (h.leg != leg) ++counters.tunnels_reused;
    if (const uint32_t pair = h.pair.load(); pair != 0 && tables.tunnels[pair].pair.load() == head) {
      tables.tunnels[pair].pair.store(0, std::memory_order_release);
    }
    if (other.up == head) other.up = 0;
    if (other.down == head) other.down = 0;
    if (const auto second = second_tunnels_.find(head); second != second_tunnels_.end()) {
      const uint32_t second_row = second->second;
      second_tunnels_.erase(second);
      EndTunnelRow(second_row, time_nanos);
    }
    over_.push_back({now_ + options.linger_nanos, head, 0, Over::kTunnel});
  }
  tables.tunnel_index.Replace(hash, head, row);
  BoundTunnels(row);
  return row;
}

void SessionStore::BoundTunnels(uint32_t newest) {
  uint32_t row = newest;
  for (size_t n = 0; n < options.max_history && row != 0; ++n) row = tables.tunnels[row].older.load();
  if (row == 0 || tables.tunnels[row].older.load() == 0) return;
  tables.tunnels[row].older.store(0, std::memory_order_release);
  ++counters.history_bound;
}

void SessionStore::SetTunnel(uint32_t leg, Direction direction, Interface interface, uint32_t peer, uint32_t second,
                             uint32_t teid, int64_t time_nanos) {
  LegRow& l = tables.legs[leg];
  uint32_t LegRow::*const end = direction == Direction::kUp ? &LegRow::up : &LegRow::down;
  const uint32_t old = l.*end;
  if (old != 0) {
    const TunnelRow& t = tables.tunnels[old];
    if (t.peer == peer && t.teid == teid && t.interface == interface) return;
  }
  const uint32_t row = NewTunnel(leg, direction, interface, /*counts=*/true, peer, teid, time_nanos);
  if (old != 0) {
    ++counters.path_changes;
    EndTunnel(leg, direction, time_nanos);  // nothing, if it was the same endpoint
  }
  if (row == 0) return;
  l.*end = row;
  const uint32_t pair = direction == Direction::kUp ? l.down : l.up;
  tables.tunnels[row].pair.store(pair, std::memory_order_release);
  if (pair != 0) tables.tunnels[pair].pair.store(row, std::memory_order_release);
  if (second == 0) return;
  const uint32_t second_row = NewTunnel(leg, direction, interface, /*counts=*/true, second, teid, time_nanos);
  if (second_row == 0) return;
  tables.tunnels[second_row].pair.store(pair, std::memory_order_release);
  second_tunnels_[row] = second_row;
}

void SessionStore::EndTunnelRow(uint32_t row, int64_t time_nanos) {
  TunnelRow& t = tables.tunnels[row];
  const uint32_t hash = HashOfTunnel(row);
  const uint32_t head = tables.FindTunnel(hash, tables.peers[t.peer].address, t.teid);
  if (head != row) return;  // another has it already
  over_.push_back({now_ + options.linger_nanos, row, 0, Over::kTunnel});
  const uint32_t end = tables.tunnels.New();
  if (end == 0) {
    ++counters.tunnel_bound;
    tables.tunnel_index.Erase(hash, row);
    return;
  }
  TunnelRow& e = tables.tunnels[end];
  e.peer = t.peer;
  e.teid = t.teid;
  e.from_nanos = std::max(time_nanos, t.from_nanos);
  e.older.store(row, std::memory_order_relaxed);
  tables.tunnel_index.Replace(hash, row, end);
  over_.push_back({now_ + options.linger_nanos, end, 0, Over::kTunnel});
  BoundTunnels(end);
}

void SessionStore::EndTunnel(uint32_t leg, Direction direction, int64_t time_nanos) {
  LegRow& l = tables.legs[leg];
  uint32_t LegRow::*const end = direction == Direction::kUp ? &LegRow::up : &LegRow::down;
  const uint32_t row = l.*end;
  if (row == 0) return;
  l.*end = 0;
  // What it was paired with at its end it stays paired with; the other one goes on without.
  if (const uint32_t pair = tables.tunnels[row].pair.load(); pair != 0 && tables.tunnels[pair].pair.load() == row) {
    tables.tunnels[pair].pair.store(0, std::memory_order_release);
  }
  if (const auto second = second_tunnels_.find(row); second != second_tunnels_.end()) {
    const uint32_t second_row = second->second;
    second_tunnels_.erase(second);
    EndTunnelRow(second_row, time_nanos);
  }
  EndTunnelRow(row, time_nanos);
}

void SessionStore::EndTunnels(uint32_t leg, int64_t time_nanos) {
  const uint32_t up = tables.legs[leg].up, down = tables.legs[leg].down;
  EndTunnel(leg, Direction::kUp, time_nanos);
  EndTunnel(leg, Direction::kDown, time_nanos);
  // Those that end together were a pair to the end.
  if (up != 0 && down != 0) tables.tunnels[down].pair.store(up, std::memory_order_release);
}

void SessionStore::AddForwarding(uint32_t leg, Direction direction, Interface interface, uint32_t peer, uint32_t teid,
                                 int64_t time_nanos) {
  const base::IpAddress& address = tables.peers[peer].address;
  if (const uint32_t there = TunnelOf(address, teid)) {
    if (tables.tunnels[there].leg == leg) return;  // told again, or a tunnel that is both
  }
  const uint32_t row = NewTunnel(leg, direction, interface, /*counts=*/false, peer, teid, time_nanos);
  if (row == 0) return;
  ++counters.forwarding_tunnels;
  const uint32_t session = tables.legs[leg].session;
  std::vector<uint32_t>& tunnels = forwarding_[session];
  if (tunnels.size() == kMaxForwarding) {
    ++counters.history_bound;
    EndTunnelRow(tunnels.front(), time_nanos);
    tunnels.erase(tunnels.begin());
  }
  tunnels.push_back(row);
  forwarding_ends_.push_back({now_ + options.linger_nanos, session, row, tables.tunnels[row].from_nanos});
}

void SessionStore::EndForwarding(uint32_t session, int64_t time_nanos) {
  const auto tunnels = forwarding_.find(session);
  if (tunnels == forwarding_.end()) return;
  for (const uint32_t row : tunnels->second) EndTunnelRow(row, time_nanos);
  forwarding_.erase(tunnels);
}

// --- Time ---

void SessionStore::ForgetTunnel(uint32_t row) {
  const uint32_t hash = HashOfTunnel(row);
  const TunnelRow& t = tables.tunnels[row];
  const uint32_t head = tables.FindTunnel(hash, tables.peers[t.peer].address, t.teid);
  if (head == row) {
    tables.tunnel_index.Erase(hash, row);
  } else {
    for (uint32_t i = head; i != 0;) {
      const uint32_t older = tables.tunnels[i].older.load();
      if (older == row) tables.tunnels[i].older.store(t.older.load(), std::memory_order_release);
      i = older;
    }
  }
  // Nobody is to come by this row's number when it is another's.
  if (const uint32_t pair = t.pair.load(); pair != 0 && tables.tunnels[pair].pair.load() == row) {
    tables.tunnels[pair].pair.store(0, std::memory_order_release);
  }
  if (!t.last) tables.tunnels.Retire(row, epochs_->now());
}

void SessionStore::ForgetFacts(uint32_t row, uint32_t leg) {
  for (uint32_t i = tables.legs[leg].facts.load(); i != 0;) {
    const uint32_t previous = tables.facts[i].previous.load();
    if (previous == row) tables.facts[i].previous.store(tables.facts[row].previous.load(), std::memory_order_release);
    i = previous;
  }
  tables.facts.Retire(row, epochs_->now());
}

void SessionStore::ForgetBearer(uint32_t leg, uint32_t other) {
  const Facts& facts = FactsOfLeg(leg);
  for (const uint32_t row : {leg, other}) {
    if (row == 0) continue;
    if (facts.packed_v4 != 0) tables.lease_index.Erase(tables.HashOfV4(facts.packed_v4), row);
    if (facts.v6_length != 0) tables.lease_index.Erase(tables.HashOfV6(V6BitsOf(facts), facts.v6_length), row);
  }
  gone_.push_back({epochs_->now(), leg, other});
}

void SessionStore::Forget(const Over& over) {
  switch (over.kind) {
    case Over::kTunnel:
      ForgetTunnel(over.row);
      return;
    case Over::kFacts:
      ForgetFacts(over.row, over.leg);
      return;
    case Over::kBearer:
      ForgetBearer(over.row, over.leg);
      return;
  }
}

bool SessionStore::ForgetOne() {
  if (over_.empty() || over_.front().time_nanos > now_) return false;
  const Over over = over_.front();
  over_.pop_front();
  Forget(over);
  return true;
}

void SessionStore::Bury(const Gone& gone, size_t max_records) {
  LegRow& leg = tables.legs[gone.leg];
  if (records_.size() < max_records) {
    records_.push_back(RecordOf(gone.leg, gone.other, leg.end_nanos.load()));
  } else {
    ++counters.record_bound;
  }
  const uint32_t session = leg.session;
  tables.facts.Free(leg.facts.load());
  SessionRow& s = sessions[session];
  for (const uint32_t row : {gone.leg, gone.other}) {
    if (row == 0) continue;
    if (s.first_leg == row) {
      s.first_leg = tables.legs[row].next;
    } else {
      for (uint32_t i = s.first_leg; i != 0; i = tables.legs[i].next) {
        if (tables.legs[i].next == row) tables.legs[i].next = tables.legs[row].next;
      }
    }
    for (const uint32_t tunnel : {tables.legs[row].up, tables.legs[row].down}) {
      if (tunnel != 0) tables.tunnels.Free(tunnel);
    }
    tables.legs[row].session = 0;
    tables.legs.Free(row);
  }
  --contexts_;
  if (s.first_leg == 0) sessions.Free(session);
}

bool SessionStore::CloseOne() {
  if (!closing_.empty() && closing_.front().time_nanos <= now_) {
    const Closing c = closing_.front();
    closing_.pop_front();
    const SessionRow& s = sessions[c.session];
    if (s.first_leg != 0 && !s.over && s.closing && FactsOf(c.session).session == c.number) {
      EndSession(c.session, c.time_nanos - options.closing_nanos, Cause::kDeleted, 0);
    }
    return true;
  }
  if (!forwarding_ends_.empty() && forwarding_ends_.front().time_nanos <= now_) {
    const Forwarding f = forwarding_ends_.front();
    forwarding_ends_.pop_front();
    const auto tunnels = forwarding_.find(f.session);
    if (tunnels == forwarding_.end()) return true;
    const auto row = std::find(tunnels->second.begin(), tunnels->second.end(), f.tunnel);
    if (row == tunnels->second.end() || tables.tunnels[f.tunnel].from_nanos != f.from_nanos) return true;
    tunnels->second.erase(row);
    if (tunnels->second.empty()) forwarding_.erase(tunnels);
    EndTunnelRow(f.tunnel, f.time_nanos);
    return true;
  }
  return false;
}

bool SessionStore::RestartSome(size_t* steps) {
  while (restart_walk_ < restart_walk_end_) {
    if (*steps == 0) return true;
    --*steps;
    const auto session = static_cast<uint32_t>(restart_walk_);
    if (session > sessions.size()) {
      restart_walk_ = (restart_walk_ / kRound + 1) * kRound + 1;
      continue;
    }
    const uint64_t at = restart_walk_++;
    const SessionRow& s = sessions[session];
    if (s.first_leg == 0 || s.over) continue;
    for (const PathKind path : kPathKinds) {
      int64_t restarted = std::numeric_limits<int64_t>::min();
      for (const Side side : kSides) {
        const PeerRow& p = tables.peers[s.at(path, side).peer];
        if (s.at(path, side).known() && p.restart_walk_end > at) {
          restarted = std::max(restarted, p.restarted_nanos);
        }
      }
      // What was made or moved there since then is not lost.
      bool newer = FactsOf(session).start_nanos >= restarted;
      for (uint32_t row = s.first_leg; row != 0 && !newer; row = tables.legs[row].next) {
        const LegRow& leg = tables.legs[row];
        if (leg.path != path) continue;
        newer = (leg.up != 0 && tables.tunnels[leg.up].from_nanos >= restarted) ||
                (leg.down != 0 && tables.tunnels[leg.down].from_nanos >= restarted);
      }
      if (newer) continue;
      const uint64_t before = counters.contexts_ended;
      EndSession(session, restarted, Cause::kPeerRestart, 0);
      counters.restarted += counters.contexts_ended - before;
      break;
    }
  }
  return false;
}

void SessionStore::VisitInTurn(uint32_t row) {
  const LegRow& leg = tables.legs[row];
  if (leg.session == 0 || leg.end_nanos.load() != kForEver || !IsPrimary(row)) return;
  if (options.record_interval_nanos > 0) {
    if (now_ - std::max(ReportedOf(row).at_nanos, FactsOfLeg(row).start_nanos) >= options.record_interval_nanos / 2 &&
        records_.size() < options.max_records) {
      uint32_t other = FindLeg(leg.session, leg.ebi, PathKind::kAccess);
      if (other == row) other = 0;
      records_.push_back(RecordOf(row, other, now_));
      ++counters.intervals;
    }
  }
  SessionRow& s = sessions[leg.session];
  if (leg.ebi != s.default_ebi) return;
  uint32_t packets = 0;
  for (uint32_t i = s.first_leg; i != 0; i = tables.legs[i].next) {
    const LegRow& l = tables.legs[i];
    packets += static_cast<uint32_t>(l.counts[0].load(std::memory_order_relaxed) +
                                     l.counts[1].load(std::memory_order_relaxed));
  }
  if (packets != s.seen_packets) {
    s.seen_packets = packets;
    Touch(leg.session, now_);
  } else if (now_ / 1'000'000'000 - s.active_seconds > options.idle_nanos / 1'000'000'000) {
    const uint64_t before = counters.contexts_ended;
    EndSession(leg.session, now_, Cause::kIdle, 0);
    counters.idle += counters.contexts_ended - before;
  }
}

bool SessionStore::SweepSome(size_t* steps) {
  const uint32_t size = tables.legs.size();
  if (swept_to_ == 0 || size == 0) {
    swept_to_ = now_;
    return false;
  }
  const int64_t period = options.record_interval_nanos > 0 ? options.record_interval_nanos : kSweepNanos;
  if (now_ - swept_to_ > period) swept_to_ = now_ - period;
  const auto due = static_cast<size_t>(static_cast<unsigned __int128>(now_ - swept_to_) * size / period);
  const size_t n = std::min(due, *steps);
  for (size_t i = 0; i < n; ++i) {
    if (sweep_at_ > size) sweep_at_ = 1;
    VisitInTurn(sweep_at_++);
  }
  *steps -= n;
  swept_to_ += static_cast<int64_t>(static_cast<unsigned __int128>(n) * period / size);
  return n < due;
}

bool SessionStore::Step() {
  const uint64_t safe = epochs_->Advance();
  for (KeyIndex* index : {&tables.peer_index, &tables.tunnel_index, &tables.lease_index, &control_index_, &imsi_index_,
                          &location_index_}) {
    index->Reclaim(safe);
  }
  size_t steps = kSteps;
  steps -= tables.tunnels.Reclaim(safe, steps);
  steps -= tables.facts.Reclaim(safe, steps);
  while (steps > 0 && !gone_.empty() && gone_.front().epoch < safe) {
    Bury(gone_.front(), options.max_records);
    gone_.pop_front();
    --steps;
  }
  while (steps > 0 && CloseOne()) --steps;
  while (steps > 0 && ForgetOne()) --steps;
  const bool restarts = RestartSome(&steps);
  const bool sweep = SweepSome(&steps);
  return restarts || sweep || steps == 0;
}

void SessionStore::EndAll() {
  for (uint32_t s = 1; s <= sessions.size(); ++s) {
    if (sessions[s].first_leg != 0 && !sessions[s].over) EndSession(s, now_, Cause::kStopped, 0);
  }
  while (!over_.empty()) {
    Forget(over_.front());
    over_.pop_front();
  }
  closing_.clear();
  restart_walk_end_ = restart_walk_;
  const uint64_t safe = std::numeric_limits<uint64_t>::max();
  tables.tunnels.Reclaim(safe, std::numeric_limits<size_t>::max());
  tables.facts.Reclaim(safe, std::numeric_limits<size_t>::max());
  for (const Gone& gone : gone_) Bury(gone, std::numeric_limits<size_t>::max());
  gone_.clear();
}

// --- What there is ---

std::array<uint32_t, kPaths> SessionStore::LegsOf(uint32_t row) const {
  const LegRow& leg = tables.legs[row];
  std::array<uint32_t, kPaths> legs = {};
  legs[static_cast<size_t>(leg.path)] = row;
  for (uint32_t i = sessions[leg.session].first_leg; i != 0; i = tables.legs[i].next) {
    const LegRow& l = tables.legs[i];
    if (l.ebi == leg.ebi && l.path != leg.path && l.end_nanos.load() == leg.end_nanos.load()) {
      legs[static_cast<size_t>(l.path)] = i;
    }
  }
  return legs;
}

bool SessionStore::IsPrimary(uint32_t row) const {
  const std::array<uint32_t, kPaths> legs = LegsOf(row);
  return row == (legs[0] != 0 ? legs[0] : legs[1]);
}

Reported SessionStore::ReportedOf(uint32_t leg) const {
  return options.record_interval_nanos > 0 ? reported_[leg] : Reported();
}

uint32_t SessionStore::SecondOf(uint32_t tunnel) const {
  const auto second = second_tunnels_.find(tunnel);
  return second == second_tunnels_.end() ? 0 : tables.tunnels[second->second].peer;
}

void SessionStore::SetReported(uint32_t leg, const Reported& reported) {
  if (options.record_interval_nanos > 0) reported_[leg] = reported;
}

Path SessionStore::PathOf(uint32_t row) const {
  Path path;
  const LegRow& leg = tables.legs[row];
  for (const uint32_t t : {leg.up, leg.down}) {
    if (t == 0) continue;
    const TunnelRow& tunnel = tables.tunnels[t];
    path.interface = tunnel.interface;
    (t == leg.up ? path.up : path.down) = {tables.peers[tunnel.peer].address, tunnel.teid};
  }
  path.volume = {leg.counts[0].load(std::memory_order_relaxed), leg.counts[1].load(std::memory_order_relaxed),
                 leg.counts[2].load(std::memory_order_relaxed), leg.counts[3].load(std::memory_order_relaxed)};
  return path;
}

SessionRecord SessionStore::RecordOf(uint32_t row, uint32_t other, int64_t until) {
  const LegRow& leg = tables.legs[row];
  const SessionRow& s = sessions[leg.session];
  SessionRecord record;
  record.facts = FactsOfLeg(row);
  record.cause = leg.cause;
  record.gtp_cause = leg.gtp_cause;
  record.path = PathOf(row);
  Volume all = record.path.volume;
  if (other != 0) {
    const Path access = PathOf(other);
    const Volume& v = access.volume;
    if (record.path.interface == Interface::kUnknown) record.path = access;
    if (v.bytes_up > all.bytes_up) {
      all.bytes_up = v.bytes_up;
      all.packets_up = v.packets_up;
    }
    if (v.bytes_down > all.bytes_down) {
      all.bytes_down = v.bytes_down;
      all.packets_down = v.packets_down;
    }
  }
  const Reported reported = ReportedOf(row);
  const Volume& before = reported.volume;
  record.from_nanos = reported.at_nanos != 0 ? reported.at_nanos : record.facts.start_nanos;
  record.rat_changes = static_cast<uint16_t>(s.rat_changes - reported.rat_changes);
  record.location_changes = static_cast<uint16_t>(s.location_changes - reported.location_changes);
  record.until_nanos = std::max(std::min(until, leg.end_nanos.load()), record.from_nanos);
  // Packets may become fewer when the other path overtakes in octets.
  all.packets_up = std::max(all.packets_up, before.packets_up);
  all.packets_down = std::max(all.packets_down, before.packets_down);
  record.volume = {all.packets_up - before.packets_up, all.packets_down - before.packets_down,
                   all.bytes_up - before.bytes_up, all.bytes_down - before.bytes_down};
  SetReported(row, {all, record.until_nanos, s.rat_changes, s.location_changes});
  return record;
}

uint32_t SessionStore::LocationId(const gtp::UserLocation& location) {
  if (location.present == 0) return 0;
  uint64_t h = options.seed ^ location.present;
  for (size_t i = 0; i < gtp::kLocationForms; ++i) {
    if ((location.present >> i & 1) == 0) continue;
    const gtp::LocationArea& area = location.areas[i];
    h = base::FoldedMultiply(h ^ area.plmn.bits(), 0x9e3779b97f4a7c15);
    h = base::FoldedMultiply(h ^ (uint64_t{area.code} << 32 | area.cell), 0xd1342543de82ef95);
  }
  const auto hash = static_cast<uint32_t>(h >> 32);
  if (const uint32_t there = location_index_.Find(hash, [&](uint32_t i) { return tables.locations[i] == location; })) {
    return there;
  }
  const uint32_t id = tables.locations.New();
  if (id == 0) {
    ++counters.location_bound;
    return 0;
  }
  tables.locations[id] = location;
  location_index_.Insert(hash, id, epochs_->now());
  return id;
}

base::InternId SessionStore::TextId(absl::string_view text) {
  if (text.empty()) return 0;
  const base::InternId id = tables.texts.Intern(text);
  if (id == base::Interner::kOverflowId) ++counters.text_bound;
  return id;
}

size_t SessionStore::octets() const {
  size_t octets = tables.peers.octets() + tables.tunnels.octets() + tables.legs.octets() + tables.facts.octets() +
                  tables.locations.octets() + sessions.octets() + tables.texts.octets();
  for (const KeyIndex* index : {&tables.peer_index, &tables.tunnel_index, &tables.lease_index, &control_index_,
                                &imsi_index_, &location_index_}) {
    octets += index->octets();
  }
  if (options.record_interval_nanos > 0) octets += tables.legs.size() * sizeof(Reported);
  octets += over_.size() * sizeof(Over) + gone_.size() * sizeof(Gone) + closing_.size() * sizeof(Closing) +
            records_.capacity() * sizeof(SessionRecord);
  for (const PeerCounts* c = tables.counts.load(std::memory_order_acquire); c != nullptr; c = c->next) {
    octets += c->octets();
  }
  return octets;
}

}  // namespace flowacct::session
