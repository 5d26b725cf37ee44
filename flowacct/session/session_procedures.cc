// What of the engine does what an accepted exchange says: a function for each procedure that is followed.

#include <algorithm>
#include <optional>

#include "flowacct/session/session_impl.h"

namespace flowacct::session {

using base::Digits;
using base::IpAddress;
using gtp::BearerContext;
using gtp::ControlFields;
using gtp::ControlMessage;
using gtp::Fteid;

namespace {

// "Operation Indication" of TS 29.274, 8.12: octet 5, bit 4. In a Delete Session Request on S11 the SGW is to delete
// the session at the PGW, too; without it, the session goes on by another SGW or SGSN.
constexpr uint64_t kOperationIndication = uint64_t{1} << (56 + 3);

// The answer about a bearer: by its number, or, of an answer that has none (GTPv1), by its place.
const BearerContext* AnswerTo(const BearerContext& bearer, size_t place, const ControlMessage& response) {
  for (const BearerContext& b : response.bearer_contexts()) {
    if (b.has_ebi && bearer.has_ebi && b.ebi == bearer.ebi) return &b;
  }
  if (place < response.bearer_count && !(response.bearers[place].has_ebi && bearer.has_ebi)) {
    return &response.bearers[place];
  }
  return nullptr;
}

bool HasTeidOf(const BearerContext& a, const BearerContext& b) {
  for (const Fteid& x : a.endpoints()) {
    for (const Fteid& y : b.endpoints()) {
      if (x.teid != 0 && x.teid == y.teid && x.interface_type == y.interface_type) return true;
    }
  }
  return false;
}

}  // namespace

uint32_t SessionEngine::Impl::FindSame(const Exchange& x, PathKind path, uint8_t ebi, ControlEnd near, ControlEnd far,
                                       const Facts& facts, bool replace) {
  if (facts.imsi.empty()) return 0;
  uint32_t session = store.FirstOf(facts.imsi);
  while (session != 0 && store.sessions[session].default_ebi != ebi) session = store.sessions[session].next;
  if (session == 0) return 0;
  const SessionRow& s = store.sessions[session];
  const ControlEnd& known_near = s.at(path, kNear);
  const ControlEnd& known_far = s.at(path, kFar);
  // Both ends as they are: told again.
  if (near == known_near && (far == known_far || !far.known() || !known_far.known())) return session;
  // The PGW of the session, as the request or the answer of the access path tells it.
  const ControlEnd asked = FindControl(x.request.control, PathKind::kCore, kFar, x.v4);
  const ControlEnd pgw = path == PathKind::kCore ? far
                         : asked.known()         ? asked
                                         : FindControl(x.response.control_endpoints(), PathKind::kCore, kFar, x.v4);
  const ControlEnd& known_pgw = s.at(PathKind::kCore, kFar);
  const bool other_pgw = pgw.known() && known_pgw.known() && !(pgw == known_pgw);
  if (!other_pgw) {
    // An SGW that is told the PGW's endpoint takes a session over (TS 23.401, 5.3.3.1 and 5.5.1).
    if (path == PathKind::kAccess && asked.known()) return session;
    // The other side of what was just made.
    const Facts& known = store.FactsOf(session);
    const bool other_apn = known.apn != 0 && facts.apn != 0 && known.apn != facts.apn;
    const int64_t apart = std::max(known.start_nanos - x.time_nanos, x.request.time_nanos - known.start_nanos);
    if (!known_near.known() && !other_apn && !s.closing && apart <= store.options.closing_nanos) {
      ++store.counters.linked;
      return session;
    }
  }
  if (!replace) return 0;
  const uint64_t before = store.counters.contexts_ended;
  store.EndSession(session, x.request.time_nanos, Cause::kReplaced, 0);
  store.counters.replaced += store.counters.contexts_ended - before;
  return 0;
}

void SessionEngine::Impl::CreateSession(const Exchange& x) {
  const Request& request = x.request;
  const ControlFields& fields = request.fields;
  const BearerContext* first = nullptr;
  for (const BearerContext& b : request.bearers) {
    if (!b.to_be_removed && b.has_ebi && first == nullptr) first = &b;
  }
  if (first == nullptr) {
    ++store.counters.incomplete;
    return;
  }
  if (fields.version == 1 && (first->linked_ebi || fields.linked_ebi)) {
    // A secondary context (TS 29.060, 7.3.1) of one that is there.
    FindTargets(x);
    const uint8_t linked = first->linked_ebi ? *first->linked_ebi : *fields.linked_ebi;
    for (const Target& t : targets_) {
      if (store.AnyLeg(t.session, linked) == 0) continue;
      ApplyBearers(x, t.session, /*sender_is_far=*/false, /*make=*/true);
      return;
    }
    return;
  }
  PathKind path = PathKind::kNone;
  ControlEnd near;
  for (const PathKind p : kPathKinds) {
    near = FindControl(request.control, p, kNear, x.v4);
    if (near.known()) {
      path = p;
      break;
    }
  }
  if (path == PathKind::kNone) {
    ++store.counters.incomplete;
    return;
  }
  ControlEnd far = FindControl(x.response.control_endpoints(), path, kFar, x.v4);
  // Of another connection of a subscriber it may go without saying: it is what the request was sent to.
  const ControlEnd to = {request.receiver, fields.teid};
  if (!far.known() && path == PathKind::kAccess && to.known()) far = to;
  Facts facts;
  facts.ebi = fields.linked_ebi ? *fields.linked_ebi : first->ebi;
  facts.start_nanos = request.time_nanos;
  Learn(fields, &facts);
  Learn(x.response, &facts);
  uint32_t session = FindSame(x, path, facts.ebi, near, far, facts, /*replace=*/true);
  if (session == 0) {
    SetNetworks(near.peer, &facts);
    if (facts.ebi == first->ebi) {
      LearnBearer(*first, &facts);
      const BearerContext* answer = AnswerTo(*first, static_cast<size_t>(first - request.bearers.data()), x.response);
      if (answer != nullptr) LearnBearer(*answer, &facts);
    }
    session = store.NewSession(facts, path, x.time_nanos);
    if (session == 0) return;
  } else {
    store.ChangeFacts(session, x.time_nanos, [&](Facts* f) {
      Learn(fields, f);
      Learn(x.response, f);
      SetNetworks(near.peer, f);
    });
    store.Touch(session, x.time_nanos);
    const SessionRow& s = store.sessions[session];
    const ControlEnd& known_near = s.at(path, kNear);
    if ((known_near.known() && !(known_near == near)) || (!far.known() && s.at(path, kFar).peer != request.receiver)) {
      store.SetControl(session, path, kFar, {});
    }
  }
  SetControls(session, request.control, x.v4);
  SetControls(session, x.response.control_endpoints(), x.v4);
  if (far.known()) store.SetControl(session, path, kFar, far);
  ApplyBearers(x, session, /*sender_is_far=*/false, /*make=*/true);
  if (path == PathKind::kCore && fields.version == 2 && !store.sessions[session].has_control(PathKind::kAccess)) {
    LinkWaiting(session, facts.imsi, facts.ebi);
  }
}

void SessionEngine::Impl::LinkWaiting(uint32_t session, Digits imsi, uint8_t ebi) {
  const auto there = creates_.find(CreateKey{imsi.bits(), ebi});
  if (there == creates_.end()) return;
  const Request& r = requests_[there->second];
  const ControlEnd near = FindControl(r.control, PathKind::kAccess, kNear, store.tables.peers[r.sender].address.IsV4());
  if (!near.known()) return;
  ++store.counters.linked;
  store.SetControl(session, PathKind::kAccess, kNear, near);
  if (r.fields.teid != 0) store.SetControl(session, PathKind::kAccess, kFar, {r.receiver, r.fields.teid});
}

void SessionEngine::Impl::AssumeNew(const Exchange& x) {
  const ControlFields& fields = x.request.fields;
  if (!fields.imsi || fields.linked_ebi || x.request.bearers.empty() || x.request.bearers[0].linked_ebi) return;
  // What others have is theirs until somebody accepts that it is not.
  if (SessionWith(*fields.imsi, x.request.bearers[0].ebi) != 0) return;
  for (const BearerContext& b : x.request.bearers) {
    for (const Fteid& f : b.endpoints()) {
      for (const std::optional<IpAddress>& address : {f.v4, f.v6}) {
        if (address && store.TunnelOf(*address, f.teid) != 0) return;
      }
    }
  }
  if (unproven_.size() >= store.options.max_assumed) {
    ++store.counters.assumed_bound;
    return;
  }
  const uint64_t number = store.next_session;
  CreateSession(x);
  const uint32_t session = store.FirstOf(*fields.imsi);
  if (store.next_session == number || session == 0) return;
  ++store.counters.assumed;
  unproven_.push_back({store.now() + store.options.transaction_nanos, session, number});
}

void SessionEngine::Impl::EndAssumed(const Request& request, int64_t time_nanos) {
  if (!request.fields.imsi) return;
  for (uint32_t s = store.FirstOf(*request.fields.imsi); s != 0; s = store.sessions[s].next) {
    // Made of this request, which nobody else has accepted.
    if (store.FactsOf(s).start_nanos != request.time_nanos) continue;
    store.EndSession(s, time_nanos, Cause::kDeleted, 0);
    return;
  }
}

void SessionEngine::Impl::EndUnproven(const Unproven& u) {
  if (store.sessions[u.session].over || store.FactsOf(u.session).session != u.number) return;
  for (uint32_t row = store.sessions[u.session].first_leg; row != 0; row = store.tables.legs[row].next) {
    const LegRow& leg = store.tables.legs[row];
    if (leg.counts[0].load(std::memory_order_relaxed) + leg.counts[1].load(std::memory_order_relaxed) != 0) return;
  }
  const SessionRow& s = store.sessions[u.session];
  const bool answered = (s.at(PathKind::kCore, kNear).known() && s.at(PathKind::kCore, kFar).known()) ||
                        (s.at(PathKind::kAccess, kNear).known() && s.at(PathKind::kAccess, kFar).known());
  if (!answered) store.EndSession(u.session, store.now(), Cause::kIdle, 0);
}

bool SessionEngine::Impl::AssumeWaiting(ControlEnd near) {
  const auto there = creates_by_near_.find(near);
  if (there == creates_by_near_.end()) return false;
  const Request& r = requests_[there->second];
  // An answer to another message is to come, for which unseen_ is free.
  const size_t before = store.counters.assumed;
  Assume(r);
  return store.counters.assumed != before;
}

bool SessionEngine::Impl::IsOfKnown(const Exchange& x) {
  const ControlFields& fields = x.request.fields;
  if (fields.version != 2 || !fields.imsi) return false;
  for (const PathKind path : kPathKinds) {
    const ControlEnd near = FindControl(x.request.control, path, kNear, x.v4);
    if (!near.known()) continue;
    Facts facts;
    for (const BearerContext& b : x.request.bearers) {
      if (!b.to_be_removed && b.has_ebi && facts.ebi == 0) facts.ebi = b.ebi;
    }
    if (fields.linked_ebi) facts.ebi = *fields.linked_ebi;
    Learn(fields, &facts);
    return FindSame(x, path, facts.ebi, near, {}, facts, /*replace=*/false) != 0;
  }
  return false;
}

void SessionEngine::Impl::ApplyBearers(const Exchange& x, uint32_t session, bool sender_is_far, bool make) {
  const Request& request = x.request;
  const uint8_t version = request.fields.version;
  std::optional<Side> sender, answerer;
  if (version == 1) {
    sender = sender_is_far ? kFar : kNear;
    answerer = sender_is_far ? kNear : kFar;
  }
  for (size_t i = 0; i < request.bearers.size(); ++i) {
    const BearerContext& asked = request.bearers[i];
    const BearerContext* answer = AnswerTo(asked, i, x.response);
    uint8_t ebi = asked.ebi;
    if (!asked.has_ebi) {
      // Of a message of GTPv1 about the only context of its endpoints.
      ebi = answer != nullptr && answer->has_ebi ? answer->ebi : store.sessions[session].default_ebi;
    }
    if (asked.to_be_removed) {
      store.EndBearer(session, ebi, x.time_nanos, Cause::kDeleted, 0);
      if (store.sessions[session].over) return;
      continue;
    }
    if (answer != nullptr && IsRefused(version, answer->cause)) continue;
    if (!make && store.AnyLeg(session, ebi) == 0) continue;
    SetEndpoints(session, ebi, asked, sender, /*only_missing=*/false, request.time_nanos);
    if (answer != nullptr) {
      SetEndpoints(session, ebi, *answer, answerer, /*only_missing=*/false, x.time_nanos);
    }
    const uint32_t leg = store.AnyLeg(session, ebi);
    if (leg == 0) continue;
    Facts facts = store.FactsOfLeg(leg);
    LearnBearer(asked, &facts);
    if (answer != nullptr) LearnBearer(*answer, &facts);
    store.SetFacts(session, ebi, facts, x.time_nanos);
  }
}

void SessionEngine::Impl::ModifyBearer(const Exchange& x) {
  FindTargets(x);
  const Request& request = x.request;
  const ControlFields& fields = request.fields;
  const bool only = targets_.size() == 1;
  for (const Target& t : targets_) {
    const SessionRow& s = store.sessions[t.session];
    if (s.over) continue;
    // Whether it is about this one of the subscriber's sessions.
    bool has_ebi = false, concerned = false;
    for (const BearerContext& b : request.bearers) {
      if (!b.has_ebi) continue;
      has_ebi = true;
      concerned |= store.AnyLeg(t.session, b.ebi) != 0;
    }
    const std::optional<uint8_t> ebi = fields.linked_ebi ? fields.linked_ebi : fields.ebi;
    if (!has_ebi) concerned = !ebi || s.default_ebi == *ebi;
    if (!concerned && !only) continue;
    const bool sender_is_far = t.side == kNear;
    std::optional<Side> sender, answerer;
    if (fields.version == 1) {
      sender = sender_is_far ? kFar : kNear;
      answerer = sender_is_far ? kNear : kFar;
    }
    SetControls(t.session, request.control, x.v4, sender);
    SetControls(t.session, x.response.control_endpoints(), x.v4, answerer);
    // Connections share endpoints on S11 and S4: what is of another one, which is not known, must not become this
    // one's.
    ApplyBearers(x, t.session, sender_is_far, /*make=*/only && (concerned || t.path == PathKind::kCore));
    if (s.over) continue;
    store.ChangeFacts(t.session, x.time_nanos, [&](Facts* f) {
      Learn(fields, f);
      Learn(x.response, f);
      SetNetworks(s.at(PathKind::kCore, kNear).peer, f);
    });
    store.sessions[t.session].suspended = false;
  }
}

void SessionEngine::Impl::DeletePath(uint32_t session, PathKind path, bool whole, int64_t time_nanos, uint8_t cause) {
  if (path != PathKind::kNone) {
    const PathKind other = path == PathKind::kCore ? PathKind::kAccess : PathKind::kCore;
    if (store.sessions[session].at(other, kNear).known()) {
      // What happens on the other path is seen, too.
      store.EndPath(session, path, time_nanos);
      if (whole) store.CloseSession(session);
      return;
    }
  }
  store.EndSession(session, time_nanos, Cause::kDeleted, cause);
}

void SessionEngine::Impl::DeleteSession(const Exchange& x) {
  FindTargets(x);
  const ControlFields& fields = x.request.fields;
  const uint8_t cause = fields.cause.value_or(0);
  if (fields.version == 1) {
    for (const Target& t : targets_) {
      if (fields.ebi && store.AnyLeg(t.session, *fields.ebi) == 0) continue;
      if (fields.teardown || !fields.ebi) {
        DeletePath(t.session, t.path, /*whole=*/true, x.time_nanos, cause);
      } else {
        // The contexts that share its address stay (TS 23.060, 9.2.4).
        for (uint32_t row = store.sessions[t.session].first_leg; row != 0; row = store.tables.legs[row].next) {
          const LegRow& leg = store.tables.legs[row];
          if (store.sessions[t.session].default_ebi != *fields.ebi) break;
          if (leg.ebi == *fields.ebi || leg.end_nanos.load() != kForEver) continue;
          store.MakeDefault(t.session, leg.ebi);
        }
        store.EndBearer(t.session, *fields.ebi, x.time_nanos, Cause::kDeleted, cause);
      }
    }
    return;
  }
  for (const Target& t : targets_) {
    if (fields.linked_ebi && store.sessions[t.session].default_ebi != *fields.linked_ebi) continue;
    const bool whole = t.path == PathKind::kCore || (fields.indication & kOperationIndication) != 0;
    DeletePath(t.session, t.path, whole, x.time_nanos, cause);
  }
}

void SessionEngine::Impl::CreateBearer(const Exchange& x) {
  FindTargets(x);
  const Request& request = x.request;
  std::optional<uint8_t> linked = request.fields.linked_ebi;
  if (!linked && !request.bearers.empty()) linked = request.bearers[0].linked_ebi;
  const Target* target = TargetWith(linked);
  if (target == nullptr) return;
  const uint32_t session = target->session;
  size_t place = 0;
  for (const BearerContext& answer : x.response.bearer_contexts()) {
    const size_t i = place++;
    if (!answer.has_ebi || answer.ebi == 0 || IsRefused(2, answer.cause)) continue;
    // The answer has the SGW's or PGW's endpoint, too: that is what tells which one it is about (7.2.4).
    const BearerContext* asked = nullptr;
    for (const BearerContext& b : request.bearers) {
      if (asked == nullptr && HasTeidOf(b, answer)) asked = &b;
    }
    if (asked == nullptr && i < request.bearers.size()) asked = &request.bearers[i];
    if (asked != nullptr) SetEndpoints(session, answer.ebi, *asked, std::nullopt, false, request.time_nanos);
    SetEndpoints(session, answer.ebi, answer, std::nullopt, false, x.time_nanos);
    const uint32_t leg = store.AnyLeg(session, answer.ebi);
    if (leg == 0) continue;
    Facts facts = store.FactsOfLeg(leg);
    if (asked != nullptr) LearnBearer(*asked, &facts);
    LearnBearer(answer, &facts);
    store.SetFacts(session, answer.ebi, facts, x.time_nanos);
  }
}

void SessionEngine::Impl::DeleteBearer(const Exchange& x) {
  FindTargets(x);
  const ControlFields& fields = x.request.fields;
  const uint8_t cause = fields.cause.value_or(0);
  if (fields.linked_ebi) {
    // The default bearer, and all with it.
    if (const Target* t = TargetWith(fields.linked_ebi)) {
      DeletePath(t->session, t->path, /*whole=*/true, x.time_nanos, cause);
    }
    return;
  }
  for (const BearerContext& b : x.request.bearers) {
    const BearerContext* answer = nullptr;
    for (const BearerContext& a : x.response.bearer_contexts()) {
      if (a.has_ebi && a.ebi == b.ebi) answer = &a;
    }
    if (!b.has_ebi || (answer != nullptr && IsRefused(2, answer->cause))) continue;
    for (const Target& t : targets_) {
      if (!store.sessions[t.session].over) store.EndBearer(t.session, b.ebi, x.time_nanos, Cause::kDeleted, cause);
    }
  }
}

void SessionEngine::Impl::ReleaseAccessBearers(const Exchange& x) {
  FindTargets(x);
  ++store.counters.access_releases;
  const std::vector<BearerContext>& named = x.request.bearers;
  for (const Target& t : targets_) {
    for (uint32_t row = store.sessions[t.session].first_leg; row != 0; row = store.tables.legs[row].next) {
      const LegRow& leg = store.tables.legs[row];
      if (leg.path != PathKind::kAccess || leg.end_nanos.load() != kForEver) continue;
      if (!named.empty() && std::none_of(named.begin(), named.end(),
                                         [&](const BearerContext& b) { return b.has_ebi && b.ebi == leg.ebi; })) {
        continue;
      }
      store.EndTunnel(row, Direction::kDown, x.time_nanos);
    }
  }
}

void SessionEngine::Impl::ChangeNotification(const Exchange& x) {
  FindTargets(x);
  const ControlFields& fields = x.request.fields;
  const std::optional<uint8_t> ebi = fields.linked_ebi ? fields.linked_ebi : fields.ebi;
  for (const Target& t : targets_) {
    if (ebi && store.AnyLeg(t.session, *ebi) == 0) continue;
    store.ChangeFacts(t.session, x.time_nanos, [&](Facts* f) {
      Learn(fields, f);
      SetNetworks(0, f);
    });
  }
}

void SessionEngine::Impl::Suspend(const Exchange& x) {
  FindTargets(x);
  ++store.counters.suspends;
  for (const Target& t : targets_) store.sessions[t.session].suspended = true;
}

void SessionEngine::Impl::Resume(const Exchange& x) {
  FindTargets(x);
  ++store.counters.resumes;
  for (const Target& t : targets_) store.sessions[t.session].suspended = false;
}

void SessionEngine::Impl::LearnConnections(const Exchange& x, const ControlFields& fields,
                                           absl::Span<const Fteid> control, absl::Span<const BearerContext> bearers,
                                           absl::Span<const gtp::ConnectionContext> connections) {
  if (!fields.imsi && !x.request.fields.imsi) {
    if (!connections.empty()) ++store.counters.incomplete;
    return;
  }
  const Digits imsi = fields.imsi ? *fields.imsi : *x.request.fields.imsi;
  for (const gtp::ConnectionContext& c : connections) {
    const absl::Span<const BearerContext> own =
        bearers.subspan(std::min<size_t>(c.first_bearer, bearers.size()), c.bearer_count);
    if (own.empty()) {
      ++store.counters.incomplete;
      continue;
    }
    const uint8_t ebi = c.linked_ebi ? *c.linked_ebi : own[0].ebi;
    uint32_t session = SessionWith(imsi, ebi);
    if (session == 0) {
      Facts facts;
      facts.ebi = ebi;
      facts.start_nanos = x.time_nanos;
      Learn(fields, &facts);
      facts.imsi = imsi;
      LearnApn(c.apn, &facts);
      LearnUe(c.ue, &facts);
      SetNetworks(0, &facts);
      session = store.NewSession(facts, PathKind::kCore, x.time_nanos);
      if (session == 0) continue;
      ++store.counters.learned;
    }
    if (c.pgw_control && !store.sessions[session].at(PathKind::kCore, kFar).known()) {
      SetControls(session, absl::MakeConstSpan(&*c.pgw_control, 1), x.v4);
    }
    if (!store.sessions[session].at(PathKind::kAccess, kFar).known()) {
      const ControlEnd sgw = FindControl(control, PathKind::kAccess, kFar, x.v4);
      if (sgw.known()) store.SetControl(session, PathKind::kAccess, kFar, sgw);
    }
    for (const BearerContext& b : own) {
      if (!b.has_ebi) continue;
      SetEndpoints(session, b.ebi, b, std::nullopt, /*only_missing=*/true, x.time_nanos);
      const uint32_t leg = store.AnyLeg(session, b.ebi);
      if (leg == 0) continue;
      Facts facts = store.FactsOfLeg(leg);
      LearnBearer(b, &facts);
      store.SetFacts(session, b.ebi, facts, x.time_nanos);
    }
  }
}

void SessionEngine::Impl::Context(const Exchange& x) {
  const ControlMessage& r = x.response;
  LearnConnections(x, r, r.control_endpoints(), r.bearer_contexts(),
                   absl::MakeConstSpan(r.connections.data(), r.connection_count));
}

void SessionEngine::Impl::ForwardRelocation(const Exchange& x) {
  const Request& request = x.request;
  LearnConnections(x, request.fields, request.control, request.bearers, request.connections);
  if (!request.fields.imsi) return;
  for (const BearerContext& b : x.response.bearer_contexts()) {
    if (!b.has_ebi) continue;
    const uint32_t session = SessionWith(*request.fields.imsi, b.ebi);
    if (session != 0) SetEndpoints(session, b.ebi, b, std::nullopt, /*only_missing=*/true, x.time_nanos);
  }
}

void SessionEngine::Impl::CreateForwarding(const Exchange& x) {
  FindTargets(x);
  for (const Target& t : targets_) {
    for (const BearerContext& b : x.request.bearers) {
      if (b.has_ebi && store.AnyLeg(t.session, b.ebi) != 0) {
        SetEndpoints(t.session, b.ebi, b, std::nullopt, true, x.request.time_nanos);
      }
    }
    for (const BearerContext& b : x.response.bearer_contexts()) {
      if (b.has_ebi && store.AnyLeg(t.session, b.ebi) != 0 && !IsRefused(2, b.cause)) {
        SetEndpoints(t.session, b.ebi, b, std::nullopt, true, x.time_nanos);
      }
    }
  }
}

void SessionEngine::Impl::DeleteForwarding(const Exchange& x) {
  FindTargets(x);
  for (const Target& t : targets_) store.EndForwarding(t.session, x.time_nanos);
}

void SessionEngine::Impl::PgwRestart(const Exchange& x) {
  for (const Fteid& node : x.request.control) {
    if (node.interface_type != gtp::kS5PgwGtpC) continue;
    const uint32_t peer = PeerOf(node, x.v4);
    if (peer != 0) store.PeerRestarted(peer, x.request.time_nanos);
  }
}

void SessionEngine::Impl::Unknown(const Exchange& x) {
  const ControlEnd to = {x.request.receiver, x.request.fields.teid};
  if (!to.known()) return;
  targets_.clear();
  store.VisitControl(to, [this](uint32_t s, PathKind path, Side side) { targets_.push_back({s, path, side}); });
  const ControlFields& fields = x.request.fields;
  const std::optional<uint8_t> ebi = fields.linked_ebi ? fields.linked_ebi : fields.ebi;
  for (const Target& t : targets_) {
    if (ebi && store.AnyLeg(t.session, *ebi) == 0) continue;
    store.EndSession(t.session, x.time_nanos, Cause::kUnknownToPeer, x.response.cause.value_or(0));
  }
}

}  // namespace flowacct::session
