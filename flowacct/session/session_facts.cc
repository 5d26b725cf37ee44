// What of the engine reads messages: whose endpoints they name, what they tell of a session, and whom they are about.

#include <algorithm>
#include <array>
#include <optional>

#include "absl/strings/ascii.h"
#include "flowacct/gtp/mobile_networks.h"
#include "flowacct/session/endpoint_kind.h"
#include "flowacct/session/session_impl.h"

namespace flowacct::session {

using base::Digits;
using base::IpAddress;
using gtp::BearerContext;
using gtp::ControlFields;
using gtp::Fteid;

// --- Endpoints ---

uint32_t SessionEngine::Impl::PeerOf(const Fteid& fteid, bool v4) {
  const std::optional<IpAddress>& address = (v4 && fteid.v4) || !fteid.v6 ? fteid.v4 : fteid.v6;
  return address && *address != IpAddress() && !(address->IsV4() && address->v4() == 0) ? store.PeerOf(*address) : 0;
}

ControlEnd SessionEngine::Impl::FindControl(absl::Span<const Fteid> fteids, PathKind path, Side side, bool v4,
                                            std::optional<Side> sender) {
  for (const Fteid& f : fteids) {
    const EndpointKind& kind = KindOf(TypeBy(f.interface_type, sender));
    if (kind.interface != Interface::kUnknown || kind.path != path || kind.side != side || f.teid == 0) continue;
    const ControlEnd end = {PeerOf(f, v4), f.teid};
    if (end.known()) return end;
  }
  return {};
}

void SessionEngine::Impl::SetControls(uint32_t session, absl::Span<const Fteid> fteids, bool v4,
                                      std::optional<Side> sender) {
  for (const PathKind path : kPathKinds) {
    for (const Side side : kSides) {
      const ControlEnd end = FindControl(fteids, path, side, v4, sender);
      if (end.known()) store.SetControl(session, path, side, end);
    }
  }
}

void SessionEngine::Impl::SetEndpoints(uint32_t session, uint8_t ebi, const BearerContext& bearer,
                                       std::optional<Side> sender, bool only_missing, int64_t time_nanos) {
  for (const Fteid& f : bearer.endpoints()) {
    const EndpointKind& kind = KindOf(TypeBy(f.interface_type, sender));
    if (kind.path == PathKind::kNone || kind.interface == Interface::kUnknown || f.teid == 0) continue;
    const Direction direction = kind.side == kFar ? Direction::kUp : Direction::kDown;
    uint32_t peer = PeerOf(f, /*v4=*/true);
    if (kind.path == PathKind::kForwarding) {
      const uint32_t leg = store.AnyLeg(session, ebi);
      if (leg == 0) continue;
      if (peer != 0) store.AddForwarding(leg, direction, kind.interface, peer, f.teid, time_nanos);
      const uint32_t other = f.v4 && f.v6 ? PeerOf(f, /*v4=*/false) : 0;
      if (other != 0 && other != peer) {
        store.AddForwarding(leg, direction, kind.interface, other, f.teid, time_nanos);
      }
      continue;
    }
    const uint32_t leg = store.LegOf(session, ebi, kind.path, time_nanos);
    if (leg == 0) return;
    const LegRow& l = store.tables.legs[leg];
    const uint32_t now = direction == Direction::kUp ? l.up : l.down;
    if (only_missing && now != 0) continue;
    if (peer == 0 && now != 0) peer = store.tables.tunnels[now].peer;  // TS 29.060, 7.7.32: as it was told before
    if (peer == 0) {
      ++store.counters.incomplete;
      continue;
    }
    const uint32_t second = f.v4 && f.v6 ? PeerOf(f, /*v4=*/false) : 0;
    store.SetTunnel(leg, direction, kind.interface, peer, second == peer ? 0 : second, f.teid, time_nanos);
  }
}

// --- Facts ---

gtp::Plmn SessionEngine::Impl::HomeOf(Digits imsi) const {
  if (imsi.empty() || imsi.is_pseudonym()) return Digits();
  gtp::Plmn own;
  for (const gtp::Plmn& plmn : store.options.own_networks) {
    if (imsi.Prefix(plmn.size()) == plmn && (own.empty() || plmn.size() > own.size())) own = plmn;
  }
  return own.empty() ? gtp::HomeNetworkOf(imsi) : own;
}

void SessionEngine::Impl::LearnApn(const gtp::Apn& apn, Facts* facts) {
  if (apn.size == 0) return;
  // TS 23.003, 9.1: upper and lower case are the same.
  std::array<char, gtp::Apn::kMaxSize> text;
  const auto id = [&](absl::string_view part) {
    for (size_t i = 0; i < part.size(); ++i) text[i] = absl::ascii_tolower(static_cast<unsigned char>(part[i]));
    return store.TextId(absl::string_view(text.data(), part.size()));
  };
  facts->apn = id(apn.network());
  facts->apn_operator = id(apn.operator_id());
}

void SessionEngine::Impl::LearnUe(const gtp::UeAddresses& ue, Facts* facts) {
  if (ue.v4 && ue.v4->IsV4() && ue.v4->v4() != 0) facts->packed_v4 = ue.v4->v4();
  if (ue.v6 && *ue.v6 != IpAddress() && ue.v6_length != 0) {
    facts->v6_length = std::min<uint8_t>(ue.v6_length, 64);
    const IpAddress prefix = base::Mask(*ue.v6, facts->v6_length);
    std::copy(prefix.data(), prefix.data() + sizeof(facts->packed_v6), facts->packed_v6);
  }
}

void SessionEngine::Impl::Learn(const ControlFields& fields, Facts* facts) {
  if (fields.imsi && facts->imsi.empty()) facts->imsi = *fields.imsi;
  if (fields.msisdn) facts->msisdn = *fields.msisdn;
  if (fields.imei) facts->imei = *fields.imei;
  if (fields.apn) LearnApn(*fields.apn, facts);
  if (fields.ue) LearnUe(*fields.ue, facts);
  if (fields.rat) facts->rat = *fields.rat;
  if (fields.charging_characteristics) {
    facts->charging_characteristics = *fields.charging_characteristics;
    facts->has_charging_characteristics = true;
  }
  if (fields.location && fields.location->present != 0) {
    if (const uint32_t location = store.LocationId(*fields.location)) facts->location = location;
  }
  if (fields.serving_network) facts->packed_visited = PackedPlmn(*fields.serving_network);
}

void SessionEngine::Impl::LearnBearer(const BearerContext& bearer, Facts* facts) {
  if (bearer.qci) {
    facts->qci = *bearer.qci;
    facts->has_qci = true;
  }
  if (bearer.arp) {
    facts->arp = *bearer.arp;
    facts->has_arp = true;
  }
  if (bearer.charging_id) {
    facts->charging_id = *bearer.charging_id;
    facts->has_charging_id = true;
  }
}

void SessionEngine::Impl::SetNetworks(uint32_t near_peer, Facts* facts) const {
  if (facts->packed_home.empty()) facts->packed_home = PackedPlmn(HomeOf(facts->imsi));
  if (facts->packed_visited.empty() && facts->location != 0) {
    const gtp::UserLocation& location = store.tables.locations[facts->location];
    for (size_t i = 0; i < gtp::kLocationForms && facts->packed_visited.empty(); ++i) {
      if ((location.present >> i & 1) != 0) facts->packed_visited = PackedPlmn(location.areas[i].plmn);
    }
  }
  if (facts->packed_visited.empty() && near_peer != 0) {
    const IpAddress& address = store.tables.peers[near_peer].address;
    int best = -1;
    for (const auto& [prefix, plmn] : store.options.visited_networks) {
      if (prefix.length() <= best || !prefix.Contains(address)) continue;
      best = prefix.length();
      facts->packed_visited = PackedPlmn(plmn);
    }
  }
  facts->roaming = Roaming::kUnknown;
  if (facts->packed_home.empty() || facts->packed_visited.empty()) return;
  const auto own = [this](PackedPlmn plmn) {
    const auto& networks = store.options.own_networks;
    return std::any_of(networks.begin(), networks.end(), [&](const gtp::Plmn& o) { return PackedPlmn(o) == plmn; });
  };
  const bool home = own(facts->packed_home), visited = own(facts->packed_visited);
  if (store.options.own_networks.empty()) {
    // Who is at home is at home, whosever network this is; of others it is not known on which side we are.
    if (facts->packed_home == facts->packed_visited) facts->roaming = Roaming::kHome;
  } else if (home) {
    facts->roaming = visited ? Roaming::kHome : Roaming::kOutbound;
  } else {
    facts->roaming = visited ? Roaming::kInbound : Roaming::kTransit;
  }
}

// --- Whom it is about ---

void SessionEngine::Impl::FindTargets(const Exchange& x) {
  targets_.clear();
  const ControlEnd to = {x.request.receiver, x.request.fields.teid};
  if (to.known()) {
    store.VisitControl(to, [this](uint32_t s, PathKind path, Side side) { targets_.push_back({s, path, side}); });
  }
  if (targets_.empty() && x.response.teid != 0 && AssumeWaiting({x.request.sender, x.response.teid})) {
    // Who accepts a change has accepted what is changed.
    targets_.clear();
  }
  if (targets_.empty()) {
    // The receiver's endpoint was not seen, so it must not be known to be another one.
    const ControlEnd from = {x.request.sender, x.response.teid};
    if (from.known()) {
      store.VisitControl(from, [&](uint32_t s, PathKind path, Side side) {
        const Side other = side == kNear ? kFar : kNear;
        const ControlEnd& end = store.sessions[s].at(path, other);
        if (!end.known()) targets_.push_back({s, path, other});
      });
      for (const Target& t : targets_) {
        if (to.known()) store.SetControl(t.session, t.path, t.side, to);
      }
    }
  } else if (x.response.teid != 0 && x.request.fields.version == 2) {
    // The answer goes to the sender's endpoint: another one than was known, where a move was not seen.
    for (const Target& t : targets_) {
      const Side other = t.side == kNear ? kFar : kNear;
      const ControlEnd& end = store.sessions[t.session].at(t.path, other);
      if (end.teid != x.response.teid) {
        store.SetControl(t.session, t.path, other, {x.request.sender, x.response.teid});
      }
    }
  }
  if (targets_.empty() && x.request.fields.imsi) {
    for (uint32_t s = store.FirstOf(*x.request.fields.imsi); s != 0; s = store.sessions[s].next) {
      targets_.push_back({s, PathKind::kNone, kFar});
    }
  }
  if (targets_.empty()) ++store.counters.unknown_session;
  for (const Target& t : targets_) store.Touch(t.session, x.time_nanos);
}

const SessionEngine::Impl::Target* SessionEngine::Impl::TargetWith(std::optional<uint8_t> default_ebi) const {
  for (const Target& t : targets_) {
    if (default_ebi ? store.sessions[t.session].default_ebi == *default_ebi : targets_.size() == 1) return &t;
  }
  return nullptr;
}

uint32_t SessionEngine::Impl::SessionWith(Digits imsi, uint8_t ebi) const {
  for (uint32_t s = store.FirstOf(imsi); s != 0; s = store.sessions[s].next) {
    if (store.AnyLeg(s, ebi) != 0) return s;
  }
  return 0;
}

}  // namespace flowacct::session
