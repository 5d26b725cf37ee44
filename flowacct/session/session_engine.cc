#include "flowacct/session/session_engine.h"

#include <algorithm>
#include <array>

#include "flowacct/gtp/causes.h"
#include "flowacct/session/endpoint_kind.h"
#include "flowacct/session/session_impl.h"

namespace flowacct::session {

using base::IpAddress;
using gtp::BearerContext;
using gtp::ControlFields;
using gtp::ControlMessage;
using gtp::Fteid;
using gtp::Procedure;
using gtp::Role;

namespace {

// Less than any T3 (TS 29.274, 7.6).
constexpr int64_t kImpatienceNanos = 500'000'000;

// "Context not found" (TS 29.274, 8.4), "Non-existent" (TS 29.060, 7.7.1).
bool MeansUnknown(uint8_t version, uint8_t cause) { return cause == (version == 2 ? 64 : 192); }

// The port of GTP-U: its echoes have restart counters that mean nothing (TS 29.281, 7.2.2).
constexpr uint16_t kUserPort = 2152;

}  // namespace

void Request::Set(const ControlMessage& m) {
  fields = m;
  control.assign(m.control.begin(), m.control.begin() + m.control_count);
  bearers.assign(m.bearers.begin(), m.bearers.begin() + m.bearer_count);
  connections.assign(m.connections.begin(), m.connections.begin() + m.connection_count);
}

SessionEngine::Impl::Impl(lpm::ReaderEpochs* epochs, SessionOptions options)
    : store(epochs, std::move(options)), answered_(store.options.max_answered, store.options.transaction_nanos) {}

std::optional<SessionEngine::Impl::CreateKey> SessionEngine::Impl::CreateKeyOf(const Request& r) {
  if (r.fields.procedure != Procedure::kCreateSession || r.fields.version != 2 || !r.fields.imsi) return std::nullopt;
  if (r.bearers.empty() || !r.bearers[0].has_ebi || r.control.empty()) return std::nullopt;
  const EndpointKind& kind = KindOf(r.control[0].interface_type);
  if (kind.path != PathKind::kAccess || kind.side != kNear) return std::nullopt;
  return CreateKey{r.fields.imsi->bits(), r.fields.linked_ebi ? *r.fields.linked_ebi : r.bearers[0].ebi};
}

ControlEnd SessionEngine::Impl::NearOf(const Request& r) { return {r.sender, r.control[0].teid}; }

void SessionEngine::Impl::Drop(uint32_t request) {
  if (const std::optional<CreateKey> create = CreateKeyOf(requests_[request])) {
    const auto there = creates_.find(*create);
    if (there != creates_.end() && there->second == request) creates_.erase(there);
    const auto near = creates_by_near_.find(NearOf(requests_[request]));
    if (near != creates_by_near_.end() && near->second == request) creates_by_near_.erase(near);
  }
  free_requests_.push_back(request);
}

// --- Messages ---

const SessionEngine::Impl::Followed* SessionEngine::Impl::FollowedBy(Procedure procedure) {
  static constexpr Followed kFollowed[] = {
      {Procedure::kCreateSession, &Impl::CreateSession, Assumed::kSoon},
      {Procedure::kModifyBearer, &Impl::ModifyBearer, Assumed::kSoon},
      {Procedure::kModifyAccessBearers, &Impl::ModifyBearer, Assumed::kSoon},
      {Procedure::kUpdateBearer, &Impl::ModifyBearer, Assumed::kSoon},
      {Procedure::kDeleteSession, &Impl::DeleteSession, Assumed::kLate},
      {Procedure::kCreateBearer, &Impl::CreateBearer, Assumed::kSoon},
      {Procedure::kDeleteBearer, &Impl::DeleteBearer, Assumed::kLate},
      {Procedure::kReleaseAccessBearers, &Impl::ReleaseAccessBearers, Assumed::kLate},
      {Procedure::kChangeNotification, &Impl::ChangeNotification, Assumed::kLate},
      {Procedure::kSuspend, &Impl::Suspend, Assumed::kLate},
      {Procedure::kResume, &Impl::Resume, Assumed::kLate},
      {Procedure::kContext, &Impl::Context, Assumed::kNever},
      {Procedure::kForwardRelocation, &Impl::ForwardRelocation, Assumed::kNever},
      {Procedure::kCreateForwarding, &Impl::CreateForwarding, Assumed::kNever},
      {Procedure::kDeleteForwarding, &Impl::DeleteForwarding, Assumed::kLate},
      {Procedure::kRelocationCancel, &Impl::DeleteForwarding, Assumed::kNever},
      {Procedure::kPgwRestart, &Impl::PgwRestart, Assumed::kNever},
  };
  static constexpr std::array<uint8_t, 256> kIndex = [] {
    std::array<uint8_t, 256> index{};
    for (size_t i = 0; i < std::size(kFollowed); ++i) {
      index[static_cast<uint8_t>(kFollowed[i].procedure)] = static_cast<uint8_t>(i + 1);
    }
    return index;
  }();
  const uint8_t place = kIndex[static_cast<uint8_t>(procedure)];
  return place == 0 ? nullptr : &kFollowed[place - 1];
}

void SessionEngine::Impl::Take(const ControlMessage& message, const Transport& seen) {
  Transport transport = seen;
  transport.time_nanos = InReach(seen.time_nanos);
  store.Now(transport.time_nanos);
  const uint32_t sender = store.PeerOf(transport.source);
  const uint32_t receiver = store.PeerOf(transport.destination);
  ++store.counters.messages;
  if (sender != 0) ++store.tables.peers[sender].messages_from;
  if (receiver != 0) ++store.tables.peers[receiver].messages_to;
  switch (message.procedure) {
    case Procedure::kErrorIndication:
      ErrorIndication(message, transport.time_nanos);
      return;
    case Procedure::kEndMarker:
      ++store.counters.end_markers;
      return;
    case Procedure::kEcho:
      if (transport.source_port == kUserPort || transport.destination_port == kUserPort) return;
      break;
    default:
      break;
  }
  if (message.recovery && sender != 0) TakeRecovery(sender, *message.recovery, transport.time_nanos);
  if (message.procedure == Procedure::kEcho) return;
  // GTPv0's tunnels have no TEIDs.
  if (message.role == Role::kCommand) {
    ++store.counters.commands;
  } else if (message.version == 0 || FollowedBy(message.procedure) == nullptr) {
    ++store.counters.unsupported;
  } else if (message.role == Role::kRequest) {
    TakeRequest(message, transport.time_nanos, sender, receiver);
  } else if (message.role == Role::kResponse) {
    TakeResponse(message, transport, sender, receiver);
  }
}

uint32_t SessionEngine::Impl::NewRequest() {
  if (free_requests_.empty()) {
    requests_.emplace_back();
    return static_cast<uint32_t>(requests_.size() - 1);
  }
  const uint32_t number = free_requests_.back();
  free_requests_.pop_back();
  return number;
}

void SessionEngine::Impl::TakeRequest(const ControlMessage& message, int64_t time_nanos, uint32_t sender,
                                      uint32_t receiver) {
  ++store.counters.requests;
  if (sender == 0 || receiver == 0) return;
  const Key key = KeyOf(message, sender, receiver);
  const uint32_t asked = FingerprintOf(message);
  // What it asks for is what it asked for at first, and then it was asked for.
  if (const auto there = waiting_.find(key); there != waiting_.end()) {
    const Transaction& t = there->second;
    if (t.asked == asked) {
      ++store.counters.retransmissions;
      // Nobody is impatient at once: T3 is some seconds, and what comes sooner is the same, seen twice.
      Request& r = requests_[t.request];
      if (time_nanos - r.time_nanos >= kImpatienceNanos) r.sent_again = true;
      return;
    }
    ++store.counters.unanswered_requests;
    Drop(t.request);
    waiting_.erase(there);
  } else if (AnsweredTransactions::Row* const over = answered_.Find(key)) {
    if (over->asked == asked) {
      ++store.counters.retransmissions;
      return;
    }
    answered_.Forget(over);
  }
  if (transactions() >= store.options.max_transactions) {
    ++store.counters.transaction_bound;
    return;
  }
  const uint32_t number = NewRequest();
  Request& r = requests_[number];
  r.Set(message);
  r.sender = sender;
  r.receiver = receiver;
  r.time_nanos = time_nanos;
  r.sent_again = false;
  if (const std::optional<CreateKey> create = CreateKeyOf(r)) {
    creates_[*create] = number;
    creates_by_near_[NearOf(r)] = number;
  }
  waiting_.emplace(key, Transaction{number, ++next_serial_, asked});
  expiries_.push_back({store.now() + store.options.transaction_nanos, key, next_serial_});
  while (expiries_.size() > store.options.max_transactions + store.options.max_answered) ForgetFirst();
  const Assumed assumed = FollowedBy(message.procedure)->assumed;
  // No more of them than there may be transactions: their ends may be later than those of a flood.
  if (store.options.assume_nanos > 0 && assumed == Assumed::kLate && assumptions_.size() < expiries_.size()) {
    assumptions_.push_back({store.now() + store.options.assume_nanos, key, next_serial_});
  }
  if (store.options.assume_made_nanos > 0 && assumed == Assumed::kSoon && made_.size() < expiries_.size()) {
    made_.push_back({store.now() + store.options.assume_made_nanos, key, next_serial_});
  }
}

uint32_t SessionEngine::Impl::FingerprintOf(const ControlMessage& m) const {
  uint64_t h = base::FoldedMultiply(
      (uint64_t{m.teid} << 32 | static_cast<uint32_t>(m.procedure) << 8 | static_cast<uint32_t>(m.cause.value_or(0))) ^
          store.options.seed,
      0x9e3779b97f4a7c15);
  h ^= m.imsi ? m.imsi->bits() : 0;
  const BearerContext* b = m.bearer_count == 0 ? nullptr : &m.bearers[0];
  const uint32_t bearer = b == nullptr ? m.ebi.value_or(0) : b->ebi;
  const uint32_t teid = b == nullptr || b->fteid_count == 0 ? 0 : b->fteids[0].teid;
  h = base::FoldedMultiply(h ^ (uint64_t{bearer} << 32 | teid), 0xd1342543de82ef95);
  return static_cast<uint32_t>(h >> 32) | 1;
}

SessionEngine::Impl::Transaction* SessionEngine::Impl::Find(const Expiry& expiry) {
  const auto there = waiting_.find(expiry.key);
  return there == waiting_.end() || there->second.serial != expiry.serial ? nullptr : &there->second;
}

void SessionEngine::Impl::ForgetFirst() {
  const Expiry e = expiries_.front();
  expiries_.pop_front();
  const Transaction* const t = Find(e);
  if (t == nullptr) return;
  ++store.counters.unanswered_requests;
  Drop(t->request);
  waiting_.erase(e.key);
}

void SessionEngine::Impl::Assume(const Request& request) {
  unseen_.Clear();
  unseen_.version = request.fields.version;
  unseen_.procedure = request.fields.procedure;
  unseen_.role = Role::kResponse;
  const Exchange x = {request, unseen_, request.time_nanos, store.tables.peers[request.sender].address.IsV4()};
  if (request.fields.procedure == Procedure::kCreateSession) {
    if (!IsOfKnown(x)) {
      AssumeNew(x);
      return;
    }
  } else {
    bool known = false;
    store.VisitControl({request.receiver, request.fields.teid}, [&known](uint32_t, PathKind, Side) { known = true; });
    if (!known) return;
  }
  ++store.counters.assumed;
  if (request.fields.procedure == Procedure::kCreateBearer) {
    LearnBearersByCore(request);
  } else {
    (this->*FollowedBy(request.fields.procedure)->apply)(x);
  }
}

void SessionEngine::Impl::TakeAnswerAlone(const ControlMessage& message, int64_t time_nanos, uint32_t sender,
                                          uint32_t receiver) {
  // Only what is not known is learned: an answer that comes again must not undo what came after it.
  const auto learn = [&](uint32_t session, std::optional<Side> answerer) {
    for (const BearerContext& b : message.bearer_contexts()) {
      if (!b.has_ebi || IsRefused(message.version, b.cause) || store.AnyLeg(session, b.ebi) == 0) continue;
      SetEndpoints(session, b.ebi, b, answerer, /*only_missing=*/true, time_nanos);
    }
  };
  targets_.clear();
  if (message.procedure == Procedure::kCreateSession && message.version == 2) {
    CreatedAlone(message, time_nanos, sender, receiver);
    return;
  }
  const ControlEnd asker = {receiver, message.teid};
  if (!asker.known()) return;
  store.VisitControl(asker, [&](uint32_t s, PathKind path, Side side) {
    if (store.sessions[s].at(path, side == kNear ? kFar : kNear).peer == sender) targets_.push_back({s, path, side});
  });
  switch (message.procedure) {
    case Procedure::kModifyBearer:
    case Procedure::kModifyAccessBearers:
      for (const Target& t : targets_) learn(t.session, std::nullopt);
      break;
    case Procedure::kCreateBearer:
      if (!LearnCreatedBearers(message, message.bearer_contexts(), sender, receiver, time_nanos)) {
        KeepForLater(message, time_nanos, sender, receiver);
      }
      break;
    case Procedure::kDeleteSession:
      // Of one session of these two nodes it must be that; of GTPv1 it may be of one of its contexts.
      if (targets_.size() != 1 || (message.version == 1 && store.BearersOf(targets_[0].session) != 1)) return;
      ++store.counters.answers_alone;
      DeletePath(targets_[0].session, targets_[0].path, targets_[0].path == PathKind::kCore, time_nanos, 0);
      break;
    default:
      break;
  }
}

void SessionEngine::Impl::CreatedAlone(const ControlMessage& message, int64_t time_nanos, uint32_t sender,
                                       uint32_t receiver) {
  // On S11 or S4 it has the PGW's endpoint, by which the session of S5 is known; or, of an SGW that took it over, the
  // number of a bearer of the subscriber whose MME it goes to.
  const bool v4 = store.tables.peers[sender].address.IsV4();
  const ControlEnd near = {receiver, message.teid};
  const ControlEnd pgw = FindControl(message.control_endpoints(), PathKind::kCore, kFar, v4);
  ControlEnd sgw = FindControl(message.control_endpoints(), PathKind::kAccess, kFar, v4);
  const auto is_access = [](const Fteid& f) { return KindOf(f.interface_type).path == PathKind::kAccess; };
  bool access = sgw.known();
  for (const BearerContext& b : message.bearer_contexts()) {
    access |= std::any_of(b.endpoints().begin(), b.endpoints().end(), is_access);
  }
  if (!access || message.bearer_count == 0) return;
  const uint8_t ebi = message.bearers[0].ebi;
  if (near.known()) {
    // Connections of a subscriber have the same SGW, which only the first one's answer names.
    store.VisitControl(near, [&](uint32_t s, PathKind path, Side side) {
      if (path != PathKind::kAccess || side != kNear) return;
      const ControlEnd& far = store.sessions[s].at(path, kFar);
      if (!sgw.known() && far.peer == sender) sgw = far;
      if (!pgw.known() && store.AnyLeg(s, ebi) != 0) targets_.push_back({s, path, side});
    });
  }
  if (pgw.known()) {
    store.VisitControl(pgw, [&](uint32_t s, PathKind path, Side side) {
      if (path != PathKind::kCore || side != kFar) return;
      const ControlEnd& known = store.sessions[s].at(PathKind::kAccess, kNear);
      if (!known.known() || known == near) targets_.push_back({s, path, side});
    });
  }
  if (targets_.size() != 1) return;
  const uint32_t session = targets_[0].session;
  const ControlEnd before = store.sessions[session].at(PathKind::kAccess, kFar);
  const bool moved = before.known() && before.peer != sender;
  if (sgw.known() || moved) store.SetControl(session, PathKind::kAccess, kFar, sgw);
  if (near.known()) store.SetControl(session, PathKind::kAccess, kNear, near);
  for (const BearerContext& b : message.bearer_contexts()) {
    if (!b.has_ebi || IsRefused(message.version, b.cause) || store.AnyLeg(session, b.ebi) == 0) continue;
    SetEndpoints(session, b.ebi, b, std::nullopt, /*only_missing=*/!moved, time_nanos);
  }
  ++store.counters.answers_alone;
}

bool SessionEngine::Impl::LearnCreatedBearers(const ControlFields& fields, absl::Span<const BearerContext> bearers,
                                              uint32_t sender, uint32_t receiver, int64_t time_nanos) {
  targets_.clear();
  store.VisitControl({receiver, fields.teid}, [&](uint32_t s, PathKind path, Side side) {
    if (store.sessions[s].at(path, side == kNear ? kFar : kNear).peer == sender) targets_.push_back({s, path, side});
  });
  bool all = true;
  for (const BearerContext& b : bearers) {
    if (!b.has_ebi || b.ebi == 0 || IsRefused(fields.version, b.cause)) continue;
    bool known = false;
    for (const Target& t : targets_) {
      // On S11 the endpoint is that of all connections: whose it is must be known from S5.
      if (t.path != PathKind::kCore && store.AnyLeg(t.session, b.ebi) == 0) continue;
      SetEndpoints(t.session, b.ebi, b, std::nullopt, /*only_missing=*/true, time_nanos);
      known = true;
    }
    all &= known;
  }
  if (all) ++store.counters.answers_alone;
  return all;
}

void SessionEngine::Impl::KeepForLater(const ControlMessage& message, int64_t time_nanos, uint32_t sender,
                                       uint32_t receiver) {
  if (store.options.assume_made_nanos <= 0 || transactions() + late_.size() >= store.options.max_transactions) return;
  const uint32_t number = NewRequest();
  Request& r = requests_[number];
  r.Set(message);
  r.sender = sender;
  r.receiver = receiver;
  r.time_nanos = time_nanos;
  late_.push_back({store.now() + store.options.assume_made_nanos, number});
}

void SessionEngine::Impl::LearnBearersByCore(const Request& request) {
  // The answer on S11, which numbers the bearer, was not seen; that on S5 was, and the PGW's tunnel is in both.
  for (const BearerContext& b : request.bearers) {
    for (const Fteid& f : b.endpoints()) {
      const EndpointKind& kind = KindOf(f.interface_type);
      if (kind.path != PathKind::kCore || kind.side != kFar || kind.interface == Interface::kUnknown) continue;
      const uint32_t peer = PeerOf(f, /*v4=*/true);
      const uint32_t row = peer == 0 ? 0 : store.TunnelOf(store.tables.peers[peer].address, f.teid);
      if (row == 0) continue;
      const LegRow& leg = store.tables.legs[store.tables.tunnels[row].leg];
      const ControlEnd to = {request.receiver, request.fields.teid};
      bool his = false;
      for (const PathKind path : kPathKinds) his |= store.sessions[leg.session].at(path, kNear) == to;
      if (his) SetEndpoints(leg.session, leg.ebi, b, std::nullopt, /*only_missing=*/true, request.time_nanos);
    }
  }
}

void SessionEngine::Impl::TakeUnpaired(const ControlMessage& message, uint32_t answered, bool accepts,
                                       int64_t time_nanos, uint32_t sender, uint32_t receiver) {
  ++store.counters.unpaired_responses;
  if (sender == 0 || receiver == 0 || !accepts) return;
  TakeAnswerAlone(message, time_nanos, sender, receiver);
  answered_.Add(KeyOf(message, receiver, sender), 0, answered, store.now());
}

void SessionEngine::Impl::TakeResponse(const ControlMessage& message, const Transport& transport, uint32_t sender,
                                       uint32_t receiver) {
  ++store.counters.responses;
  const uint32_t answered = FingerprintOf(message);
  const bool accepts = message.cause && gtp::CauseAccepts(message.version, *message.cause);
  const Key key = KeyOf(message, receiver, sender);
  const auto there = waiting_.find(key);
  if (there == waiting_.end()) {
    if (AnsweredTransactions::Row* const over = answered_.Find(key)) {
      if (over->answered == answered) {
        ++store.counters.retransmissions;
        return;
      }
      if (over->answered == 0) {
        over->answered = answered;
        ++(accepts ? store.counters.accepted : store.counters.refused_by_peer);
        return;
      }
      answered_.Forget(over);  // another answer: its request was not seen
    }
    TakeUnpaired(message, answered, accepts, transport.time_nanos, sender, receiver);
    return;
  }
  const uint32_t number = there->second.request;
  answered_.Add(key, there->second.asked, answered, store.now());
  waiting_.erase(there);
  const Request& request = requests_[number];
  const Exchange x = {request, message, std::max(transport.time_nanos, request.time_nanos), transport.source.IsV4()};
  if (!message.cause) {
    ++store.counters.incomplete;
  } else if (accepts) {
    ++store.counters.accepted;
    (this->*FollowedBy(request.fields.procedure)->apply)(x);
  } else {
    ++store.counters.refused_by_peer;
    if (request.fields.procedure == Procedure::kCreateSession) EndAssumed(request, x.time_nanos);
    if (MeansUnknown(message.version, *message.cause)) Unknown(x);
  }
  Drop(number);
}

void SessionEngine::Impl::TakeRecovery(uint32_t peer, uint8_t counter, int64_t time_nanos) {
  PeerRow& p = store.tables.peers[peer];
  if (p.has_restart_counter) {
    // TS 23.007, 18 and 19A: it grew; a smaller one is of a message that was overtaken.
    const auto grown = static_cast<int8_t>(static_cast<uint8_t>(counter - p.restart_counter));
    if (grown <= 0) return;
    store.PeerRestarted(peer, time_nanos);
  }
  p.has_restart_counter = true;
  p.restart_counter = counter;
}

void SessionEngine::Impl::ErrorIndication(const ControlMessage& message, int64_t time_nanos) {
  ++store.counters.error_indications;
  if (message.control_count == 0) {
    ++store.counters.incomplete;
    return;
  }
  const Fteid& unknown = message.control[0];
  for (const std::optional<IpAddress>& address : {unknown.v4, unknown.v6}) {
    if (!address) continue;
    const uint32_t row = store.TunnelOf(*address, unknown.teid);
    if (row == 0) continue;
    const TunnelRow& tunnel = store.tables.tunnels[row];
    LegRow& leg = store.tables.legs[tunnel.leg];
    if (!tunnel.counts) {
      store.EndForwarding(leg.session, time_nanos);
    } else if (tunnel.direction == Direction::kUp && leg.path == PathKind::kCore) {
      // TS 23.007, 20.3.4: the SGSN or SGW deletes the bearer that its GGSN or PGW does not know.
      store.EndBearer(leg.session, leg.ebi, time_nanos, Cause::kErrorIndication, 0);
    } else {
      store.EndTunnel(tunnel.leg, tunnel.direction, time_nanos);
    }
  }
}

bool SessionEngine::Impl::Advance(int64_t now_nanos) {
  constexpr size_t kRequests = 1000;
  store.Now(now_nanos);
  size_t n = answered_.Expire(store.now(), kRequests);
  for (; n < kRequests && !expiries_.empty() && expiries_.front().time_nanos <= store.now(); ++n) ForgetFirst();
  for (std::deque<Expiry>* const due : {&made_, &assumptions_}) {
    for (; n < kRequests && !due->empty() && due->front().time_nanos <= store.now(); ++n) {
      const Expiry e = due->front();
      due->pop_front();
      const Transaction* const t = Find(e);
      if (t == nullptr || requests_[t->request].sent_again) continue;
      const uint32_t number = t->request;
      // Of a session that is not known yet nothing is assumed; the answer may come still.
      const bool stays = requests_[number].fields.procedure == Procedure::kCreateSession;
      if (!stays) {
        // An answer after what was made tells more than was assumed: it is taken as one.
        if (due == &assumptions_) answered_.Add(e.key, t->asked, 0, store.now());
        waiting_.erase(e.key);
      }
      Assume(requests_[number]);
      if (!stays) Drop(number);
    }
  }
  for (; n < kRequests && !unproven_.empty() && unproven_.front().time_nanos <= store.now(); ++n) {
    EndUnproven(unproven_.front());
    unproven_.pop_front();
  }
  for (; n < kRequests && !late_.empty() && late_.front().time_nanos <= store.now(); ++n) {
    const Late late = late_.front();
    late_.pop_front();
    const Request& r = requests_[late.request];
    LearnCreatedBearers(r.fields, r.bearers, r.sender, r.receiver, r.time_nanos);
    Drop(late.request);
  }
  const bool more = store.Step();
  return more || n == kRequests;
}

size_t SessionEngine::Impl::octets() const {
  return store.octets() + requests_.size() * (sizeof(Request) + sizeof(BearerContext) + 2 * sizeof(Fteid)) +
         waiting_.capacity() * (sizeof(Key) + sizeof(Transaction) + 1) + answered_.octets() +
         (expiries_.size() + assumptions_.size() + made_.size()) * sizeof(Expiry) + late_.size() * sizeof(Late) +
         unproven_.size() * sizeof(Unproven) +
         creates_by_near_.capacity() * (sizeof(ControlEnd) + sizeof(uint32_t) + 1) +
         creates_.capacity() * (sizeof(CreateKey) + sizeof(uint32_t) + 1);
}

}  // namespace flowacct::session
