// The engine's state in octets: names, locations and peers by number, and sessions that say those.
//
//     next session number, 8 | texts: 4, each 2 and text | locations: 4, each | peers: 4, each | sessions: 4, each
//
// What is read is looked through before any of it counts, so that damaged octets leave the engine empty.

#include <array>
#include <vector>

#include "flowacct/base/octet_reader.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/base/sealed_octets.h"
#include "flowacct/session/session_impl.h"

namespace flowacct::session {
namespace {

constexpr absl::string_view kKind = "gtp sessions";
constexpr uint16_t kVersion = 2;
constexpr uint32_t kFirstText = base::Interner::kOverflowId + 1;

struct SavedTunnel {
  uint32_t peer = 0, second = 0, teid = 0;
  uint8_t interface = 0;
  int64_t from_nanos = 0;
};
struct SavedLeg {
  uint8_t path = 0;
  SavedTunnel up, down;
  std::array<uint64_t, 4> counts{};
};
struct SavedBearer {
  Facts facts;
  Reported reported;
  std::vector<SavedLeg> legs;
};
struct SavedSession {
  SessionRow row;  // its control endpoints' peers by the numbers of what was saved
  std::vector<SavedBearer> bearers;
};

void Write(const SavedTunnel& t, base::OctetWriter* w) {
  w->U32(t.peer).U32(t.second).U32(t.teid).U8(t.interface).U64(static_cast<uint64_t>(t.from_nanos));
}
void Read(base::OctetReader* r, SavedTunnel* t) {
  t->peer = r->U32();
  t->second = r->U32();
  t->teid = r->U32();
  t->interface = r->U8();
  t->from_nanos = static_cast<int64_t>(r->U64());
}

void Write(const Volume& v, base::OctetWriter* w) {
  w->U64(v.packets_up).U64(v.packets_down).U64(v.bytes_up).U64(v.bytes_down);
}
void Read(base::OctetReader* r, Volume* v) {
  v->packets_up = r->U64();
  v->packets_down = r->U64();
  v->bytes_up = r->U64();
  v->bytes_down = r->U64();
}

void Write(const Reported& reported, base::OctetWriter* w) {
  Write(reported.volume, w);
  w->U64(static_cast<uint64_t>(reported.at_nanos)).U16(reported.rat_changes).U16(reported.location_changes);
}
void Read(base::OctetReader* r, Reported* reported) {
  Read(r, &reported->volume);
  reported->at_nanos = static_cast<int64_t>(r->U64());
  reported->rat_changes = r->U16();
  reported->location_changes = r->U16();
}

void Write(const Facts& f, base::OctetWriter* w) {
  w->U64(f.session).U64(f.imsi.bits()).U64(f.msisdn.bits()).U64(f.imei.bits());
  w->U64(f.packed_home.digits().bits()).U64(f.packed_visited.digits().bits());
  w->U64(static_cast<uint64_t>(f.start_nanos)).U32(f.apn).U32(f.apn_operator).U32(f.location).U32(f.charging_id);
  w->U32(f.packed_v4).Bytes(f.packed_v6).U8(f.v6_length).U16(f.charging_characteristics);
  w->U8(f.rat).U8(f.qci).U8(f.arp).U8(f.ebi).U8(static_cast<uint8_t>(f.roaming));
  w->U8(
      static_cast<uint8_t>(f.has_charging_id | f.has_charging_characteristics << 1 | f.has_qci << 2 | f.has_arp << 3));
}
void Read(base::OctetReader* r, Facts* f) {
  f->session = r->U64();
  f->imsi = base::Digits::FromBits(r->U64());
  f->msisdn = base::Digits::FromBits(r->U64());
  f->imei = base::Digits::FromBits(r->U64());
  f->packed_home = PackedPlmn(base::Digits::FromBits(r->U64()));
  f->packed_visited = PackedPlmn(base::Digits::FromBits(r->U64()));
  f->start_nanos = static_cast<int64_t>(r->U64());
  f->apn = r->U32();
  f->apn_operator = r->U32();
  f->location = r->U32();
  f->charging_id = r->U32();
  f->packed_v4 = r->U32();
  const base::Octets v6 = r->Bytes(sizeof(f->packed_v6));
  if (v6.size() == sizeof(f->packed_v6)) std::memcpy(f->packed_v6, v6.data(), v6.size());
  f->v6_length = std::min<uint8_t>(r->U8(), 64);
  f->charging_characteristics = r->U16();
  f->rat = r->U8();
  f->qci = r->U8();
  f->arp = r->U8();
  f->ebi = r->U8();
  const uint8_t roaming = r->U8();
  f->roaming = roaming <= static_cast<uint8_t>(Roaming::kTransit) ? static_cast<Roaming>(roaming) : Roaming::kUnknown;
  const uint8_t flags = r->U8();
  f->has_charging_id = (flags & 1) != 0;
  f->has_charging_characteristics = (flags & 2) != 0;
  f->has_qci = (flags & 4) != 0;
  f->has_arp = (flags & 8) != 0;
}

void Read(base::OctetReader* r, SavedSession* s) {
  s->row.default_ebi = r->U8();
  const uint8_t flags = r->U8();
  s->row.suspended = (flags & 1) != 0;
  s->row.closing = (flags & 2) != 0;
  s->row.rat_changes = r->U16();
  s->row.location_changes = r->U16();
  s->row.active_seconds = r->U32();
  s->row.seen_packets = r->U32();
  for (const PathKind path : kPathKinds) {
    for (const Side side : kSides) {
      s->row.at(path, side).peer = r->U32();
      s->row.at(path, side).teid = r->U32();
    }
  }
  s->bearers.resize(r->U8());
  for (SavedBearer& b : s->bearers) {
    Read(r, &b.facts);
    Read(r, &b.reported);
    b.legs.resize(std::min<uint8_t>(r->U8(), kPaths));
    for (SavedLeg& leg : b.legs) {
      leg.path = r->U8();
      Read(r, &leg.up);
      Read(r, &leg.down);
      for (uint64_t& count : leg.counts) count = r->U64();
    }
  }
}

}  // namespace

std::string SessionEngine::Impl::Save() const {
  const Tables& t = store.tables;
  base::OctetWriter w;
  w.U64(store.next_session);
  const auto texts = static_cast<uint32_t>(t.texts.size());
  std::vector<base::Octets> values;
  for (uint32_t id = kFirstText; values.size() < texts; ++id) {
    const base::Octets value = t.texts.Find(id);
    if (value.empty()) break;
    values.push_back(value);
  }
  w.U32(static_cast<uint32_t>(values.size()));
  for (const base::Octets& value : values) w.U16(static_cast<uint16_t>(value.size())).Bytes(value);
  w.U32(t.locations.size());
  for (uint32_t i = 1; i <= t.locations.size(); ++i) {
    w.U16(t.locations[i].present);
    for (size_t form = 0; form < gtp::kLocationForms; ++form) {
      if ((t.locations[i].present >> form & 1) == 0) continue;
      const gtp::LocationArea& area = t.locations[i].areas[form];
      w.U64(area.plmn.bits()).U32(area.code).U32(area.cell);
    }
  }
  w.U32(t.peers.size());
  for (uint32_t i = 1; i <= t.peers.size(); ++i) {
    const PeerRow& p = t.peers[i];
    w.Bytes(p.address.octets()).U64(p.messages_from).U64(p.messages_to).U32(p.restarts);
    w.U8(p.has_restart_counter).U8(p.restart_counter).U64(static_cast<uint64_t>(p.restarted_nanos));
  }
  const size_t count_at = w.size();
  uint32_t sessions = 0;
  w.U32(0);
  for (uint32_t i = 1; i <= store.sessions.size(); ++i) {
    const SessionRow& s = store.sessions[i];
    if (s.first_leg == 0 || s.over) continue;
    ++sessions;
    w.U8(s.default_ebi).U8(static_cast<uint8_t>(s.suspended | s.closing << 1));
    w.U16(s.rat_changes).U16(s.location_changes).U32(s.active_seconds).U32(s.seen_packets);
    for (const PathKind path : kPathKinds) {
      for (const Side side : kSides) w.U32(s.at(path, side).peer).U32(s.at(path, side).teid);
    }
    // The default bearer first; then as they were made, so that they come to lie as they lie.
    std::vector<uint32_t> bearers;
    for (uint32_t row = s.first_leg; row != 0; row = t.legs[row].next) {
      if (t.legs[row].end_nanos.load() == kForEver && store.IsPrimary(row)) bearers.push_back(row);
    }
    std::sort(bearers.begin(), bearers.end(), [&](uint32_t a, uint32_t b) {
      const auto rank = [&](uint32_t row) { return t.legs[row].ebi == s.default_ebi ? -1 : int{t.legs[row].ebi}; };
      return rank(a) < rank(b);
    });
    w.U8(static_cast<uint8_t>(bearers.size()));
    for (const uint32_t row : bearers) {
      Write(store.FactsOfLeg(row), &w);
      Write(store.ReportedOf(row), &w);
      uint8_t legs = 0;
      const std::array<uint32_t, kPaths> rows = store.LegsOf(row);
      for (const uint32_t leg : rows) legs += leg != 0 ? 1 : 0;
      w.U8(legs);
      for (const uint32_t l : rows) {
        if (l == 0) continue;
        const LegRow& leg = t.legs[l];
        w.U8(static_cast<uint8_t>(leg.path));
        for (const uint32_t row_of_tunnel : {leg.up, leg.down}) {
          SavedTunnel saved;
          if (row_of_tunnel != 0) {
            const TunnelRow& tunnel = t.tunnels[row_of_tunnel];
            const uint32_t second = store.SecondOf(row_of_tunnel);
            saved = {tunnel.peer, second, tunnel.teid, static_cast<uint8_t>(tunnel.interface), tunnel.from_nanos};
          }
          Write(saved, &w);
        }
        for (const std::atomic<uint64_t>& count : leg.counts) w.U64(count.load(std::memory_order_relaxed));
      }
    }
  }
  w.PatchU32(count_at, sessions);
  return base::Seal(kKind, kVersion, w.octets());
}

absl::Status SessionEngine::Impl::Restore(base::Octets sealed) {
  const absl::StatusOr<base::SealedOctets> unsealed = base::Unseal(kKind, kVersion, sealed);
  if (!unsealed.ok()) return unsealed.status();
  if (store.sessions.size() != 0) {
    return absl::FailedPreconditionError("sessions are restored into an engine that has none yet");
  }
  // Once to look, once to do.
  for (const bool apply : {false, true}) {
    base::OctetReader r(unsealed->body);
    Tables& t = store.tables;
    const uint64_t next_session = r.U64();
    const uint32_t text_count = r.U32();
    std::vector<base::InternId> texts(kFirstText, base::Interner::kNone);
    texts[base::Interner::kOverflowId] = base::Interner::kOverflowId;
    for (uint32_t i = 0; i < text_count && r.ok(); ++i) {
      const base::Octets value = r.Bytes(r.U16());
      texts.push_back(apply ? store.TextId(base::AsText(value)) : base::Interner::kNone);
    }
    const uint32_t location_count = r.U32();
    std::vector<uint32_t> locations(1);
    for (uint32_t i = 0; i < location_count && r.ok(); ++i) {
      gtp::UserLocation location;
      const uint16_t present = r.U16();
      for (size_t form = 0; form < gtp::kLocationForms; ++form) {
        if ((present >> form & 1) == 0) continue;
        const gtp::Plmn plmn = base::Digits::FromBits(r.U64());
        const uint32_t code = r.U32();
        location.Set(static_cast<gtp::LocationForm>(form), {plmn, code, r.U32()});
      }
      locations.push_back(apply ? store.LocationId(location) : 0);
    }
    const uint32_t peer_count = r.U32();
    std::vector<uint32_t> peers(1);
    for (uint32_t i = 0; i < peer_count && r.ok(); ++i) {
      const base::Octets address = r.Bytes(base::IpAddress::kSize);
      PeerRow row;
      row.messages_from = r.U64();
      row.messages_to = r.U64();
      row.restarts = r.U32();
      row.has_restart_counter = r.U8() != 0;
      row.restart_counter = r.U8();
      row.restarted_nanos = static_cast<int64_t>(r.U64());
      if (!r.ok()) break;
      const uint32_t peer = apply ? store.PeerOf(base::IpAddress::FromV6(address.data())) : 0;
      peers.push_back(peer);
      if (peer == 0) continue;
      row.address = t.peers[peer].address;
      t.peers[peer] = row;
    }
    const auto in = [](const std::vector<uint32_t>& numbers, uint32_t n) {
      return n < numbers.size() ? numbers[n] : 0;
    };
    const uint32_t session_count = r.U32();
    for (uint32_t i = 0; i < session_count && r.ok(); ++i) {
      SavedSession s;
      Read(&r, &s);
      if (!apply || !r.ok() || s.bearers.empty()) continue;
      uint32_t session = 0;
      for (SavedBearer& b : s.bearers) {
        b.facts.apn = in(texts, b.facts.apn);
        b.facts.apn_operator = in(texts, b.facts.apn_operator);
        b.facts.location = in(locations, b.facts.location);
        for (const SavedLeg& l : b.legs) {
          if (l.path >= kPaths) continue;
          const auto path = static_cast<PathKind>(l.path);
          if (session == 0) {
            session = store.NewSession(b.facts, path, int64_t{s.row.active_seconds} * 1'000'000'000, b.facts.session);
            if (session == 0) break;
          }
          const uint32_t leg = store.LegOf(session, b.facts.ebi, path, b.facts.start_nanos);
          if (leg == 0) continue;
          store.SetFacts(session, b.facts.ebi, b.facts, b.facts.start_nanos);
          for (const Direction direction : {Direction::kUp, Direction::kDown}) {
            const SavedTunnel& tunnel = direction == Direction::kUp ? l.up : l.down;
            const uint32_t peer = in(peers, tunnel.peer);
            if (peer == 0 || tunnel.teid == 0) continue;
            store.SetTunnel(leg, direction, static_cast<Interface>(tunnel.interface % kInterfaces), peer,
                            in(peers, tunnel.second), tunnel.teid, tunnel.from_nanos);
          }
          for (size_t k = 0; k < l.counts.size(); ++k) {
            t.legs[leg].counts[k].store(l.counts[k], std::memory_order_relaxed);
          }
        }
        if (session == 0) break;
        const uint32_t primary = store.AnyLeg(session, b.facts.ebi);
        if (primary == 0) continue;
        store.SetReported(primary, b.reported);
        ++store.counters.restored;
      }
      if (session == 0) continue;
      SessionRow& row = store.sessions[session];
      row.suspended = s.row.suspended;
      row.rat_changes = s.row.rat_changes;
      row.location_changes = s.row.location_changes;
      row.seen_packets = s.row.seen_packets;
      for (const PathKind path : kPathKinds) {
        for (const Side side : kSides) {
          const ControlEnd& end = s.row.at(path, side);
          store.SetControl(session, path, side, {in(peers, end.peer), end.teid});
        }
      }
      if (s.row.closing) store.CloseSession(session);
    }
    if (!r.ok() || r.remaining() != 0) return absl::DataLossError("the sessions that were saved are cut or damaged");
    if (apply) store.next_session = next_session;
  }
  return absl::OkStatus();
}

}  // namespace flowacct::session
