#include "flowacct/collector/routing/routing_engine.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "flowacct/bgp/notification.h"
#include "flowacct/bgp/session.h"
#include "flowacct/collector/routing/peer_listener.h"
#include "flowacct/collector/routing/routing_observer.h"
#include "flowacct/collector/socket/socket_address.h"

namespace flowacct::collector {
namespace {

constexpr EndpointScheme kSchemes[] = {EndpointScheme::kTcp};
constexpr uint64_t kListenerToken = uint64_t{1} << 63;  // and its place
constexpr int kMaxEvents = 64;
constexpr int kMaxAccepts = 32;  // at once: peers that are there have their turn
// Of the table's left-over work, for each read and for each round without any: some 1 ms.
constexpr size_t kReclaimSteps = 8192;
constexpr absl::Duration kIdleReclaim = absl::Milliseconds(1);
// Timers are looked at no more often.
constexpr absl::Duration kTickInterval = absl::Milliseconds(20);
// Observers hear of the time as often at least.
constexpr absl::Duration kObserverInterval = absl::Milliseconds(200);
constexpr absl::Duration kMaxTickPause = absl::Seconds(10);
// For a NOTIFICATION to arrive: what the neighbour still sends is thrown away meanwhile, since closing a socket with
// unread octets would reset the connection and lose it.
constexpr absl::Duration kLinger = absl::Seconds(2);
constexpr absl::Duration kStopPatience = absl::Seconds(1);
// Without descriptors, those who knock are looked after again.
constexpr absl::Duration kAcceptPause = absl::Milliseconds(500);
constexpr size_t kMaxRecentEnds = 64;

int64_t ClockNanos(clockid_t clock) {
  timespec t;
  clock_gettime(clock, &t);
  return int64_t{t.tv_sec} * 1000000000 + t.tv_nsec;
}

// An address of this machine that neighbours may know it by.
uint32_t AnyIdentifier() {
  uint32_t found = 0x7f000001;
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return found;
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET) continue;
    if ((one->ifa_flags & IFF_UP) == 0 || (one->ifa_flags & IFF_LOOPBACK) != 0) continue;
    // The highest, as routers choose theirs: it does not depend on an order.
    const uint32_t address = ntohl(reinterpret_cast<const sockaddr_in*>(one->ifa_addr)->sin_addr.s_addr);
    if (found == 0x7f000001 || address > found) found = address;
  }
  freeifaddrs(all);
  return found;
}

RoutingOptions WithSecret(RoutingOptions options) {
  if (options.rib.attribute_store.seed == 0) options.rib.attribute_store.seed = RandomSeed();
  return options;
}

bgp::SessionOptions SessionOptionsOf(const RoutingOptions& options, const NeighborOptions& own,
                                     uint32_t bgp_identifier) {
  bgp::SessionOptions session;
  session.local_as = own.local_as;
  session.bgp_identifier = bgp_identifier;
  session.hold_time_seconds = own.hold_time_seconds;
  session.families = options.families;
  session.add_path = own.add_path ? options.families & bgp::FamilySet::Joined() : bgp::FamilySet();
  session.extended_message = options.extended_message;
  session.graceful_restart = options.graceful_restart;
  session.host_name = options.host_name;
  session.open_hold_time = options.open_timeout;
  return session;
}

}  // namespace

struct RoutingEngine::Connection final : public bgp::SessionListener {
  Connection(RoutingEngine* owner, const bgp::SessionOptions& options) : engine(owner), session(options, this) {}

  void OnEstablished(const bgp::SessionContext& context, const bgp::Open& open) override {
    // All that it had to say may have come at once.
    if (!engine->Meet(*this)) return;
    Announcer announcer;
    announcer.key = {address, open.bgp_identifier, open.as, scope};
    announcer.external = context.external;
    announcer.families = context.families;
    peer = engine->book_->Up(announcer, engine->now_);
    if (peer == nullptr) {
      stop_with = bgp::NotificationCode::kOutOfResources;
      ++engine->counters_.refusals[static_cast<size_t>(RoutingRefusal::kTooManyPeers)];
      return;
    }
    ++engine->counters_.established;
    engine->NoLongerPending(*this);
    peer->told.agreed = context;
    peer->told.offered = open;
    peer->told.interface = interface;
    peer->told.port = port;
    peer->told.local_address = local_address;
    peer->told.hold_time = session.hold_time();
  }
  void OnUpdate(const bgp::Update& update, base::Octets) override {
    if (peer != nullptr) engine->book_->Take(peer, update, engine->now_);
  }
  void OnEndOfRib(bgp::Family family) override {
    if (peer != nullptr) engine->book_->EndOfRib(peer, family, engine->now_);
  }
  void OnRouteRefresh(bgp::Family, bgp::RouteRefreshSubtype) override { ++engine->counters_.ignored_refreshes; }
  void OnClosed(const bgp::SessionClosed& closed) override { engine->OnClosed(*this, closed); }

  RoutingEngine* const engine;
  uint64_t number = 0;
  Descriptor socket;
  base::IpAddress address, local_address;
  uint16_t port = 0;
  uint32_t scope = 0;  // of a link-local address
  std::string interface;
  bgp::Session session;
  PeerBook::Peer* peer = nullptr;  // while it is up
  bool pending = true;             // no session yet
  bool known = false;              // its OPEN was compared with others'
  std::optional<bgp::NotificationCode> stop_with;
  absl::Time since;  // connected; of the last state
  bgp::SessionState state = bgp::SessionState::kIdle;
  uint32_t events = EPOLLIN;
  bool lingers = false;  // closed, until linger_until
  absl::Time linger_until = absl::InfiniteFuture();
};

absl::StatusOr<std::unique_ptr<RoutingEngine>> RoutingEngine::New(const RoutingOptions& options,
                                                                  std::vector<RoutingObserver*> observers) {
  if (absl::Status status = CheckRoutingOptions(options); !status.ok()) return status;
  std::unique_ptr<RoutingEngine> engine(new RoutingEngine(options, std::move(observers)));
  if (absl::Status status = engine->Open(); !status.ok()) return status;
  return engine;
}

RoutingEngine::RoutingEngine(const RoutingOptions& options, std::vector<RoutingObserver*> observers)
    : options_(options),
      observers_(std::move(observers)),
      book_(std::make_unique<PeerBook>(WithSecret(options))),
      buffer_(new uint8_t[options.read_octets]) {
  book_->Observe(observers_);
  start_ = absl::Now();
  start_nanos_ = ClockNanos(CLOCK_MONOTONIC);
  now_ = start_;
}

RoutingEngine::~RoutingEngine() { Stop(); }

absl::Status RoutingEngine::Open() {
  absl::StatusOr<std::unique_ptr<Poller>> poller = Poller::New();
  if (!poller.ok()) return poller.status();
  poller_ = *std::move(poller);
  epoll_ = Descriptor(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_.is_open()) return absl::ErrnoToStatus(errno, "epoll");
  if (absl::Status status = poller_->Add(epoll_.get(), 0); !status.ok()) return status;

  auto admission = ConnectionAdmission::New(options_.allow, options_.connections_per_minute, options_.connection_burst);
  if (!admission.ok()) return admission.status();
  admission_ = *std::move(admission);
  auto bmp = BmpListener::New(options_, book_.get(), observers_);
  if (!bmp.ok()) return bmp.status();
  bmp_ = *std::move(bmp);
  if (bmp_ != nullptr) {
    if (absl::Status status = poller_->Add(bmp_->descriptor(), 0); !status.ok()) return status;
  }

  for (const std::string& listen : options_.listen) {
    absl::StatusOr<Endpoint> endpoint = ParseEndpoint(listen, kSchemes);
    if (!endpoint.ok()) return endpoint.status();
    absl::StatusOr<Descriptor> socket = ListenForPeers(options_, &*endpoint);
    if (!socket.ok()) return socket.status();
    epoll_event event = {};
    event.events = EPOLLIN;
    event.data.u64 = kListenerToken | listeners_.size();
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket->get(), &event) != 0) return absl::ErrnoToStatus(errno, listen);
    listeners_.push_back({*std::move(socket), true});
    if (bgp_identifier_ == 0 && endpoint->address.IsV4() && !endpoint->IsAnyAddress()) {
      bgp_identifier_ = endpoint->address.v4();
    }
    endpoints_.push_back(*std::move(endpoint));
  }
  if (options_.bgp_identifier != 0) bgp_identifier_ = options_.bgp_identifier;
  if (bgp_identifier_ == 0) bgp_identifier_ = AnyIdentifier();
  PublishStatus(false);
  return absl::OkStatus();
}

absl::Time RoutingEngine::Now() const {
  // What is set on the wall is not felt by timers.
  return start_ + absl::Nanoseconds(ClockNanos(CLOCK_MONOTONIC) - start_nanos_);
}

enrich::RouteTables RoutingEngine::tables() const { return {&book_->epochs(), &book_->rib(), &book_->directory()}; }

void RoutingEngine::Start() {
  if (thread_.joinable()) return;
  {
    base::MutexLock lock(&mutex_);
    running_ = true;
  }
  thread_ = std::thread([this] { Run(); });
}

void RoutingEngine::Stop(absl::string_view text) {
  if (!thread_.joinable()) return;
  stop_text_ = std::string(text);
  stopping_.store(true, std::memory_order_release);
  poller_->Wake();
  thread_.join();
}

std::shared_ptr<const RoutingStatus> RoutingEngine::Status(absl::Duration patience) {
  if (thread_id_.load(std::memory_order_relaxed) == std::this_thread::get_id()) return MakeStatus(true);
  base::MutexLock lock(&mutex_);
  if (!running_) return status_;
  const uint64_t wanted = ++statuses_wanted_;
  poller_->Wake();
  (void)mutex_.AwaitFor(
      [this, wanted] {
        mutex_.AssertHeld();
        return statuses_made_ >= wanted || !running_;
      },
      patience);
  return status_;
}

absl::Status RoutingEngine::Call(absl::FunctionRef<void(PeerBook& book)> function) {
  if (thread_id_.load(std::memory_order_relaxed) == std::this_thread::get_id()) {
    function(*book_);
    return absl::OkStatus();
  }
  base::Notification done;
  {
    base::MutexLock lock(&mutex_);
    if (!running_) return absl::FailedPreconditionError("the routing engine does not run");
    calls_.push_back({function, &done});
  }
  poller_->Wake();
  done.Wait();
  return absl::OkStatus();
}

bool RoutingEngine::TakeCalls() {
  std::vector<QueuedCall> calls;
  bool status_wanted;
  {
    base::MutexLock lock(&mutex_);
    calls.swap(calls_);
    status_wanted = statuses_wanted_ > statuses_made_;
  }
  for (const QueuedCall& call : calls) {
    call.function(*book_);
    call.done->Notify();
  }
  if (status_wanted) PublishStatus(true);
  return !calls.empty();
}

void RoutingEngine::Run() {
  thread_id_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  absl::Time congested_since = absl::InfiniteFuture();
  while (!stopping_.load(std::memory_order_acquire)) {
    const absl::Time round = Now();
    now_ = round;
    const bool called = TakeCalls();
    const bool more = book_->rib().Reclaim(kReclaimSteps);
    now_ = Now();
    if (book_->rib().congested()) {
      if (congested_since == absl::InfiniteFuture()) {
        ++counters_.congestions;
        congested_since = now_;
      }
      no_tick_before_ = now_ + absl::Seconds(1);
      book_->Tick(now_);
      absl::SleepFor(kIdleReclaim);
      counters_.congested += Now() - now_;
      continue;
    }
    congested_since = absl::InfiniteFuture();
    TakeEvents(now_);
    if (bmp_ != nullptr && !book_->rib().congested()) bmp_->TakeEvents(now_, ClockNanos(CLOCK_MONOTONIC));
    now_ = Now();
    // After such a time all that neighbours sent meanwhile is read before one is said to be silent. But keepalives are
    // to go out where every round takes so long.
    if (now_ - round > absl::Seconds(1) && now_ - last_tick_ < kMaxTickPause) no_tick_before_ = now_ + absl::Seconds(1);
    Tick(now_);
    absl::Duration wait = std::min(next_tick_, book_->deadline()) - now_;
    if (bmp_ != nullptr) wait = std::min(wait, bmp_->deadline() - now_);
    if (more) wait = std::min(wait, kIdleReclaim);
    if (!observers_.empty()) wait = std::min(wait, kObserverInterval);
    if (called) wait = absl::ZeroDuration();
    poller_->Wait(std::max(wait, absl::ZeroDuration()));
  }
  StopSessions();
  PublishStatus(false);
  std::vector<QueuedCall> calls;
  {
    base::MutexLock lock(&mutex_);
    running_ = false;
    calls.swap(calls_);
  }
  for (const QueuedCall& call : calls) {
    call.function(*book_);
    call.done->Notify();
  }
  thread_id_.store(std::thread::id(), std::memory_order_relaxed);
}

void RoutingEngine::TakeEvents(absl::Time now) {
  epoll_event events[kMaxEvents];
  // What is not looked at this time stays ready; the system puts those that were told last at the end.
  const int n = epoll_wait(epoll_.get(), events, kMaxEvents, 0);
  for (int i = 0; i < n; ++i) {
    const uint64_t token = events[i].data.u64;
    const uint32_t what = events[i].events;
    if ((token & kListenerToken) != 0) {
      Accept(listeners_[token & ~kListenerToken], now);
      continue;
    }
    const auto it = connections_.find(token);
    if (it == connections_.end()) continue;
    Connection& connection = *it->second;
    if ((what & EPOLLOUT) != 0 && !Flush(connection, now)) continue;
    if ((what & ~uint32_t{EPOLLOUT}) == 0) continue;
    ReadFrom(connection, now);
    book_->rib().Reclaim(kReclaimSteps);
    if (book_->rib().congested()) return;
  }
}

void RoutingEngine::WaitForConnections(bool wait) {
  for (size_t i = 0; i < listeners_.size(); ++i) {
    if (listeners_[i].waits == wait) continue;
    listeners_[i].waits = wait;
    epoll_event event = {};
    event.events = wait ? uint32_t{EPOLLIN} : 0;
    event.data.u64 = kListenerToken | i;
    epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, listeners_[i].socket.get(), &event);
  }
}

void RoutingEngine::Accept(Listener& listener, absl::Time now) {
  const auto refuse = [&](RoutingRefusal refusal) { ++counters_.refusals[static_cast<size_t>(refusal)]; };
  for (int i = 0; i < kMaxAccepts; ++i) {
    SocketAddress from;
    from.length = sizeof(from.storage);
    Descriptor socket(accept4(listener.socket.get(), from.get(), &from.length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket.is_open()) {
      // Those that were gone before we came are no errors of ours (accept(2)).
      if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) return;
      refuse(RoutingRefusal::kNoDescriptor);
      WaitForConnections(false);
      listen_again_ = now + kAcceptPause;
      next_tick_ = std::min(next_tick_, listen_again_);
      return;
    }
    base::IpAddress address;
    uint16_t port = 0;
    if (!FromSocketAddress(from.storage, &address, &port)) continue;
    if (const auto refusal = admission_->Judge(address, ClockNanos(CLOCK_MONOTONIC))) {
      refuse(*refusal);
      continue;
    }
    const auto of_address = pending_of_.find(address);
    if (of_address != pending_of_.end() && of_address->second >= options_.max_pending_of_address) {
      refuse(RoutingRefusal::kTooManyOfAddress);
      continue;
    }
    if (pending_ >= options_.max_pending) {
      refuse(RoutingRefusal::kTooManyPending);
      LoseOldestPending(now);
    }
    uint32_t scope = 0;
    if (from.family() == AF_INET6) scope = reinterpret_cast<const sockaddr_in6*>(from.get())->sin6_scope_id;
    Greet(std::move(socket), address, port, scope, now);
  }
}

void RoutingEngine::Greet(Descriptor socket, const base::IpAddress& address, uint16_t port, uint32_t scope,
                          absl::Time now) {
  const int on = 1;
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  const NeighborOptions own = NeighborOptionsOf(options_, address);
  auto made = std::make_unique<Connection>(this, SessionOptionsOf(options_, own, bgp_identifier_));
  Connection& connection = *made;
  connection.number = ++last_number_;
  connection.socket = std::move(socket);
  connection.address = address;
  connection.port = port;
  connection.scope = scope;
  char name[IF_NAMESIZE];
  if (scope != 0 && if_indextoname(scope, name) != nullptr) connection.interface = name;
  uint16_t local_port;
  LocalAddress(connection.socket.get(), &connection.local_address, &local_port);
  connection.since = now;
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.u64 = connection.number;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connection.socket.get(), &event) != 0) {
    ++counters_.refusals[static_cast<size_t>(RoutingRefusal::kNoDescriptor)];
    return;
  }
  ++counters_.accepted;
  ++pending_;
  ++pending_of_[address];
  connections_.emplace(connection.number, std::move(made));
  connection.session.Start(now);
  connection.state = connection.session.state();
  next_tick_ = std::min(next_tick_, connection.session.deadline());
  Flush(connection, now);
}

void RoutingEngine::LoseOldestPending(absl::Time now) {
  Connection* oldest = nullptr;
  for (const auto& [number, connection] : connections_) {
    if (connection->pending && (oldest == nullptr || number < oldest->number)) oldest = connection.get();
  }
  if (oldest == nullptr) return;
  const uint64_t number = oldest->number;
  oldest->session.Stop(bgp::NotificationCode::kOutOfResources, "", now);
  Flush(*oldest, now);
  Close(number);
}

void RoutingEngine::ReadFrom(Connection& connection, absl::Time now) {
  const ssize_t n = recv(connection.socket.get(), buffer_.get(), options_.read_octets, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    connection.session.ConnectionLost(now);
    Close(connection.number);
    return;
  }
  ++counters_.reads;
  counters_.read_octets += static_cast<uint64_t>(n);
  if (connection.lingers) return;
  connection.session.Receive(base::Octets(buffer_.get(), static_cast<size_t>(n)), now);
  AfterReceive(connection, now);
  Flush(connection, now);
}

void RoutingEngine::AfterReceive(Connection& connection, absl::Time now) {
  if (connection.session.state() >= bgp::SessionState::kOpenConfirm) Meet(connection);
  if (connection.stop_with) {
    connection.session.Stop(*std::exchange(connection.stop_with, std::nullopt), "", now);
  }
  const bgp::SessionState state = connection.session.state();
  if (state == connection.state) return;
  connection.state = state;
  connection.since = now;
  next_tick_ = std::min(next_tick_, connection.session.deadline());
}

// RFC 4271, 6.8. A neighbour may well have sessions over IPv4 and IPv6 with one identifier; and who is elsewhere shall
// not end a session by saying its identifier: only connections of one address are compared.
bool RoutingEngine::Meet(Connection& connection) {
  if (std::exchange(connection.known, true)) return !connection.stop_with;
  for (const auto& [number, other] : connections_) {
    if (other.get() == &connection || !(other->address == connection.address) || other->scope != connection.scope ||
        other->session.closed()) {
      continue;
    }
    const bgp::CollisionVerdict verdict = bgp::ResolveCollision(
        other->session.collision_party(), connection.session.collision_party(), options_.replace_established);
    if (verdict == bgp::CollisionVerdict::kNone) continue;
    ++counters_.refusals[static_cast<size_t>(RoutingRefusal::kCollision)];
    if (verdict == bgp::CollisionVerdict::kCloseNew) {
      connection.stop_with = bgp::NotificationCode::kConnectionCollisionResolution;
      return false;
    }
    other->session.Stop(bgp::NotificationCode::kConnectionCollisionResolution, "", now_);
    next_tick_ = now_;  // there it is flushed: not while the map is walked
  }
  return true;
}

void RoutingEngine::NoLongerPending(Connection& connection) {
  if (!std::exchange(connection.pending, false)) return;
  --pending_;
  const auto of_address = pending_of_.find(connection.address);
  if (of_address != pending_of_.end() && --of_address->second == 0) pending_of_.erase(of_address);
}

bool RoutingEngine::Flush(Connection& connection, absl::Time now) {
  if (connection.lingers) return true;
  for (;;) {
    const base::Octets output = connection.session.output();
    if (output.empty()) break;
    const ssize_t n = send(connection.socket.get(), output.data(), output.size(), MSG_NOSIGNAL);
    if (n > 0) {
      connection.session.ConsumeOutput(static_cast<size_t>(n), now);
      continue;
    }
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN && !connection.session.closed()) {
      WaitFor(connection, EPOLLIN | EPOLLOUT);
      return true;
    }
    // Broken off; or it takes not even the NOTIFICATION.
    connection.session.ConnectionLost(now);
    Close(connection.number);
    return false;
  }
  WaitFor(connection, EPOLLIN);
  if (!connection.session.closed()) return true;
  shutdown(connection.socket.get(), SHUT_WR);
  connection.lingers = true;
  connection.linger_until = now + kLinger;
  next_tick_ = std::min(next_tick_, connection.linger_until);
  return true;
}

void RoutingEngine::WaitFor(Connection& connection, uint32_t events) {
  if (connection.events == events) return;
  connection.events = events;
  epoll_event event = {};
  event.events = events;
  event.data.u64 = connection.number;
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection.socket.get(), &event);
}

void RoutingEngine::OnClosed(Connection& connection, const bgp::SessionClosed& closed) {
  ++counters_.ends[static_cast<size_t>(closed.cause)];
  RoutingEnd end;
  end.time = now_;
  end.address = connection.address;
  if (connection.known || connection.peer != nullptr) {
    end.as = connection.session.peer().as;
    end.bgp_identifier = connection.session.peer().bgp_identifier;
  }
  end.cause = closed.cause;
  end.was_established = closed.was_established;
  if (closed.cause == bgp::CloseCause::kConnectionLost) {
    end.text = "the connection was lost";
  } else {
    end.code = closed.notification.code;
    end.subcode = closed.notification.subcode;
    end.text = absl::StrCat(closed.cause == bgp::CloseCause::kNotificationSent ? "sent " : "received ",
                            bgp::NotificationText(end.code, end.subcode));
    const absl::string_view said = closed.notification.shutdown_communication();
    if (!said.empty()) absl::StrAppend(&end.text, ": ", PrintableText(said));
  }
  if (PeerBook::Peer* const peer = std::exchange(connection.peer, nullptr)) {
    ++counters_.lost;
    Add(connection.session.counters(), &peer->told.counters);
    peer->told.last_end = end;
    absl::Duration keep_for = NeighborOptionsOf(options_, connection.address).stale_for;
    if (closed.graceful && keep_for > absl::ZeroDuration()) keep_for = std::max(keep_for, closed.restart_time);
    // It is not to come back, or it wants to begin anew (RFC 8538, 4).
    const bgp::NotificationView& said = closed.notification;
    if (closed.cause != bgp::CloseCause::kConnectionLost &&
        (said.Is(bgp::NotificationCode::kHardReset) || said.Is(bgp::NotificationCode::kPeerDeconfigured))) {
      keep_for = absl::ZeroDuration();
    }
    book_->Down(peer, keep_for, now_);
  }
  recent_ends_.push_back(std::move(end));
  if (recent_ends_.size() > kMaxRecentEnds) recent_ends_.pop_front();
}

void RoutingEngine::Close(uint64_t number) {
  const auto it = connections_.find(number);
  if (it == connections_.end()) return;
  NoLongerPending(*it->second);
  connections_.erase(it);
}

void RoutingEngine::Tick(absl::Time now) {
  book_->Tick(now);
  if (bmp_ != nullptr) bmp_->Tick(now);
  for (RoutingObserver* observer : observers_) observer->OnTick(now);
  if (now >= listen_again_) {
    listen_again_ = absl::InfiniteFuture();
    WaitForConnections(true);
  }
  if (now < next_tick_ || now < no_tick_before_) {
    next_tick_ = std::max(next_tick_, no_tick_before_);
    return;
  }
  last_tick_ = now;
  absl::Time next = listen_again_;
  std::vector<uint64_t> over;
  for (const auto& [number, connection] : connections_) {
    if (connection->lingers) {
      if (now >= connection->linger_until) {
        over.push_back(number);
      } else {
        next = std::min(next, connection->linger_until);
      }
      continue;
    }
    bgp::Session& session = connection->session;
    if (session.closed() || now >= session.deadline()) {
      session.Tick(now);
      over.push_back(number);  // to be flushed
      continue;
    }
    next = std::min(next, session.deadline());
  }
  for (const uint64_t number : over) {
    const auto it = connections_.find(number);
    if (it == connections_.end()) continue;
    if (it->second->lingers) {
      Close(number);
    } else if (Flush(*it->second, now)) {
      next = std::min(next, it->second->lingers ? it->second->linger_until : it->second->session.deadline());
    }
  }
  next_tick_ = std::max(next, now + kTickInterval);
}

void RoutingEngine::StopSessions() {
  now_ = Now();
  if (bmp_ != nullptr) bmp_->Stop(now_);
  for (Listener& listener : listeners_) listener.socket.Reset();
  std::vector<uint64_t> numbers;
  for (const auto& [number, connection] : connections_) {
    if (!connection->lingers) {
      connection->session.Stop(bgp::NotificationCode::kAdministrativeShutdown, stop_text_, now_);
    }
    numbers.push_back(number);
  }
  for (const uint64_t number : numbers) {
    const auto it = connections_.find(number);
    if (it != connections_.end()) Flush(*it->second, now_);
  }
  const absl::Time patience = now_ + kStopPatience;
  while (!connections_.empty() && now_ < patience) {
    poller_->Wait(patience - now_);
    now_ = Now();
    TakeEvents(now_);
  }
  while (!connections_.empty()) Close(connections_.begin()->first);
}

std::shared_ptr<const RoutingStatus> RoutingEngine::MakeStatus(bool running) {
  auto status = std::make_shared<RoutingStatus>();
  status->time = Now();
  for (const Endpoint& endpoint : endpoints_) status->endpoints.push_back(endpoint.ToString());
  status->bgp_identifier = bgp_identifier_;
  status->running = running;
  absl::flat_hash_map<const PeerBook::Peer*, const Connection*> sessions;
  for (const auto& [number, connection] : connections_) {
    if (connection->peer != nullptr) sessions[connection->peer] = connection.get();
  }
  for (const PeerBook::Peer* peer : book_->Peers()) {
    status->peers.push_back(book_->Tell(*peer));
    const auto session = sessions.find(peer);
    if (session != sessions.end()) Add(session->second->session.counters(), &status->peers.back().counters);
  }
  status->established = book_->established();
  for (const auto& [number, connection] : connections_) {
    if (!connection->pending || connection->session.closed()) continue;
    ++status->pending;
    RoutingPeer peer;
    peer.address = connection->address;
    peer.interface = connection->interface;
    peer.port = connection->port;
    peer.local_address = connection->local_address;
    peer.state = connection->session.state();
    peer.since = connection->since;
    if (connection->known) {
      peer.as = connection->session.peer().as;
      peer.bgp_identifier = connection->session.peer().bgp_identifier;
      peer.agreed = connection->session.context();
      peer.offered = connection->session.peer();
      peer.hold_time = connection->session.hold_time();
    }
    peer.counters = connection->session.counters();
    status->peers.push_back(std::move(peer));
  }
  status->recent_ends.assign(recent_ends_.begin(), recent_ends_.end());
  status->counters = counters_;
  status->counters.directories = book_->directories();
  status->counters.directory_overflows = book_->directory_overflows();
  status->counters.evicted_peers = book_->evicted_peers();
  status->counters.incomplete_tables = book_->incomplete_tables();
  if (bmp_ != nullptr) bmp_->Describe(status.get());
  status->cpu = thread_id_.load(std::memory_order_relaxed) == std::this_thread::get_id()
                    ? absl::Nanoseconds(ClockNanos(CLOCK_THREAD_CPUTIME_ID))
                    : absl::ZeroDuration();
  const rib::Rib& rib = book_->rib();
  status->paths = rib.paths();
  status->attribute_sets = rib.store().size();
  status->octets = rib.octets();
  status->congested = rib.congested();
  return status;
}

void RoutingEngine::PublishStatus(bool running) {
  uint64_t wanted;
  {
    base::MutexLock lock(&mutex_);
    wanted = statuses_wanted_;
  }
  std::shared_ptr<const RoutingStatus> status = MakeStatus(running);
  base::MutexLock lock(&mutex_);
  status_ = std::move(status);
  statuses_made_ = wanted;
}

}  // namespace flowacct::collector
