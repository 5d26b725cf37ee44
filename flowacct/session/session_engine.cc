#include "flowacct/session/session_engine.h"

#include <algorithm>
#include <array>
#include <string>

#include "absl/strings/ascii.h"
#include "flowacct/gtp/causes.h"
#include "flowacct/gtp/mobile_networks.h"
#include "flowacct/session/session_impl.h"

namespace flowacct::session {

using base::Digits;
using base::IpAddress;
using gtp::BearerContext;
using gtp::ControlFields;
using gtp::ControlMessage;
using gtp::Fteid;
using gtp::Procedure;
using gtp::Role;

namespace {

// What the endpoints of an F-TEID's interface type (TS 29.274, table 8.22-1) are to correlation: the path, whether it
// is the node towards the network, and of the user plane the interface; kUnknown: it is of the control plane.
struct EndpointKind {
  gtp::InterfaceType type;
  PathKind path;
  Side side;
  Interface interface;
};
constexpr EndpointKind kEndpointKinds[] = {
    {gtp::kS1UEnodebGtpU, PathKind::kAccess, kNear, Interface::kS1U},
    {gtp::kS1USgwGtpU, PathKind::kAccess, kFar, Interface::kS1U},
    {gtp::kS12RncGtpU, PathKind::kAccess, kNear, Interface::kS12},
    {gtp::kS12SgwGtpU, PathKind::kAccess, kFar, Interface::kS12},
    {gtp::kS5SgwGtpU, PathKind::kCore, kNear, Interface::kS5},
    {gtp::kS5PgwGtpU, PathKind::kCore, kFar, Interface::kS5},
    {gtp::kS5SgwGtpC, PathKind::kCore, kNear, Interface::kUnknown},
    {gtp::kS5PgwGtpC, PathKind::kCore, kFar, Interface::kUnknown},
    {gtp::kS11MmeGtpC, PathKind::kAccess, kNear, Interface::kUnknown},
    {gtp::kS11SgwGtpC, PathKind::kAccess, kFar, Interface::kUnknown},
    {gtp::kS4SgsnGtpU, PathKind::kAccess, kNear, Interface::kS4},
    {gtp::kS4SgwGtpU, PathKind::kAccess, kFar, Interface::kS4},
    {gtp::kS4SgsnGtpC, PathKind::kAccess, kNear, Interface::kUnknown},
    {gtp::kEnodebDlForwarding, PathKind::kForwarding, kNear, Interface::kX2},
    {gtp::kEnodebUlForwarding, PathKind::kForwarding, kFar, Interface::kX2},
    {gtp::kRncForwarding, PathKind::kForwarding, kNear, Interface::kForwarding},
    {gtp::kSgsnForwarding, PathKind::kForwarding, kNear, Interface::kForwarding},
    {gtp::kSgwDlForwarding, PathKind::kForwarding, kNear, Interface::kForwarding},
    {gtp::kSgwUlForwarding, PathKind::kForwarding, kFar, Interface::kForwarding},
    {gtp::kS2bEpdgGtpC, PathKind::kCore, kNear, Interface::kUnknown},
    {gtp::kS2bEpdgGtpU, PathKind::kCore, kNear, Interface::kS2b},
    {gtp::kS2bPgwGtpC, PathKind::kCore, kFar, Interface::kUnknown},
    {gtp::kS2bPgwGtpU, PathKind::kCore, kFar, Interface::kS2b},
    {gtp::kS2aTwanGtpU, PathKind::kCore, kNear, Interface::kS2a},
    {gtp::kS2aTwanGtpC, PathKind::kCore, kNear, Interface::kUnknown},
    {gtp::kS2aPgwGtpC, PathKind::kCore, kFar, Interface::kUnknown},
    {gtp::kS2aPgwGtpU, PathKind::kCore, kFar, Interface::kS2a},
    {gtp::kS11MmeGtpU, PathKind::kAccess, kNear, Interface::kS11U},
    {gtp::kS11SgwGtpU, PathKind::kAccess, kFar, Interface::kS11U},
    {gtp::kGnSgsnGtpU, PathKind::kCore, kNear, Interface::kGn},
    {gtp::kGnGgsnGtpU, PathKind::kCore, kFar, Interface::kGn},
    {gtp::kGnSgsnGtpC, PathKind::kCore, kNear, Interface::kUnknown},
    {gtp::kGnGgsnGtpC, PathKind::kCore, kFar, Interface::kUnknown},
    {gtp::kIuRncGtpU, PathKind::kCore, kNear, Interface::kIuPs},
};
constexpr size_t kEndpointTypes = 0x200;

constexpr std::array<uint8_t, kEndpointTypes> IndexOfKinds() {
  std::array<uint8_t, kEndpointTypes> index{};
  for (size_t i = 0; i < std::size(kEndpointKinds); ++i) index[kEndpointKinds[i].type] = static_cast<uint8_t>(i + 1);
  return index;
}
constexpr std::array<uint8_t, kEndpointTypes> kKindIndex = IndexOfKinds();
constexpr EndpointKind kNoEndpoint = {0, PathKind::kNone, kNear, Interface::kUnknown};

const EndpointKind& KindOf(gtp::InterfaceType type) {
  return type >= kEndpointTypes || kKindIndex[type] == 0 ? kNoEndpoint : kEndpointKinds[kKindIndex[type] - 1];
}

// GTPv1's messages do not tell which node an endpoint is of: who sent it does. `sender`: none for other messages.
gtp::InterfaceType TypeBy(gtp::InterfaceType type, std::optional<Side> sender) {
  if (!sender) return type;
  switch (type) {
    case gtp::kGnSgsnGtpC:
    case gtp::kGnGgsnGtpC:
      return *sender == kFar ? gtp::kGnGgsnGtpC : gtp::kGnSgsnGtpC;
    case gtp::kGnSgsnGtpU:
    case gtp::kGnGgsnGtpU:
      return *sender == kFar ? gtp::kGnGgsnGtpU : gtp::kGnSgsnGtpU;
    default:
      return type;
  }
}

// "Operation Indication" of TS 29.274, 8.12: octet 5, bit 4. In a Delete Session Request on S11 the SGW is to delete
// the session at the PGW, too; without it, the session goes on by another SGW or SGSN.
constexpr uint64_t kOperationIndication = uint64_t{1} << (56 + 3);

// Less than any T3 (TS 29.274, 7.6).
constexpr int64_t kImpatienceNanos = 500'000'000;

// "Context not found" (TS 29.274, 8.4), "Non-existent" (TS 29.060, 7.7.1).
bool MeansUnknown(uint8_t version, uint8_t cause) { return cause == (version == 2 ? 64 : 192); }

bool IsRefused(uint8_t version, std::optional<uint8_t> cause) { return cause && !gtp::CauseAccepts(version, *cause); }

// The port of GTP-U: its echoes have restart counters that mean nothing (TS 29.281, 7.2.2).
constexpr uint16_t kUserPort = 2152;

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

// --- Procedures ---

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

size_t SessionEngine::Impl::octets() const {
  return store.octets() + requests_.size() * (sizeof(Request) + sizeof(BearerContext) + 2 * sizeof(Fteid)) +
         waiting_.capacity() * (sizeof(Key) + sizeof(Transaction) + 1) + answered_.octets() +
         (expiries_.size() + assumptions_.size() + made_.size()) * sizeof(Expiry) + late_.size() * sizeof(Late) +
         unproven_.size() * sizeof(Unproven) +
         creates_by_near_.capacity() * (sizeof(ControlEnd) + sizeof(uint32_t) + 1) +
         creates_.capacity() * (sizeof(CreateKey) + sizeof(uint32_t) + 1);
}

}  // namespace flowacct::session
