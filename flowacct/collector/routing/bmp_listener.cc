#include "flowacct/collector/routing/bmp_listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "flowacct/collector/routing/peer_listener.h"
#include "flowacct/collector/socket/socket_address.h"

namespace flowacct::collector {
namespace {

constexpr EndpointScheme kSchemes[] = {EndpointScheme::kTcp};
constexpr uint64_t kListenerToken = uint64_t{1} << 63;  // and its place
constexpr int kMaxEvents = 64;
constexpr int kMaxAccepts = 32;
constexpr absl::Duration kAcceptPause = absl::Milliseconds(500);
// Of the table's left-over work, after each read.
constexpr size_t kReclaimSteps = 8192;
constexpr size_t kMaxRecentEnds = 64;

// BMP has no keepalives of its own: a router that is gone would hold its place, and its routes, for ever.
void KeepAlive(const Descriptor& socket) {
  const int on = 1, idle = 60, interval = 10, probes = 6;
  setsockopt(socket.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
  setsockopt(socket.get(), IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
  setsockopt(socket.get(), IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
  setsockopt(socket.get(), IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

void Add(const RoutingRouter& router, RoutingCounters* sum) {
  sum->bmp_octets += router.counters.octets;
  sum->bmp_messages += router.counters.unknown_messages;
  for (const uint64_t count : router.counters.messages) sum->bmp_messages += count;
  sum->bmp_errors += router.counters.errors.errors();
  sum->bmp_refused_updates += router.refused_updates;
}

}  // namespace

absl::StatusOr<std::unique_ptr<BmpListener>> BmpListener::New(const RoutingOptions& options, PeerBook* book,
                                                              const std::vector<RoutingObserver*>& observers) {
  if (options.bmp_listen.empty()) return nullptr;
  std::unique_ptr<BmpListener> listener(new BmpListener(options, book, observers));
  if (absl::Status status = listener->Open(); !status.ok()) return status;
  return listener;
}

absl::Status BmpListener::Open() {
  epoll_ = Descriptor(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_.is_open()) return absl::ErrnoToStatus(errno, "epoll");
  buffer_.reset(new uint8_t[options_.read_octets]);
  auto admission =
      ConnectionAdmission::New(options_.bmp_allow, options_.connections_per_minute, options_.connection_burst);
  if (!admission.ok()) return admission.status();
  admission_ = *std::move(admission);
  // Routers tell from afar.
  RoutingOptions socket_options;
  socket_options.md5_keys = options_.bmp_md5_keys;
  for (const std::string& listen : options_.bmp_listen) {
    absl::StatusOr<Endpoint> endpoint = ParseEndpoint(listen, kSchemes);
    if (!endpoint.ok()) return endpoint.status();
    absl::StatusOr<Descriptor> socket = ListenForPeers(socket_options, &*endpoint);
    if (!socket.ok()) return socket.status();
    epoll_event event = {};
    event.events = EPOLLIN;
    event.data.u64 = kListenerToken | listeners_.size();
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket->get(), &event) != 0) return absl::ErrnoToStatus(errno, listen);
    listeners_.push_back(*std::move(socket));
    endpoints_.push_back(*std::move(endpoint));
  }
  return absl::OkStatus();
}

void BmpListener::TakeEvents(absl::Time now, int64_t monotonic_nanos) {
  epoll_event events[kMaxEvents];
  const int n = epoll_wait(epoll_.get(), events, kMaxEvents, 0);
  for (int i = 0; i < n; ++i) {
    const uint64_t token = events[i].data.u64;
    if ((token & kListenerToken) != 0) {
      Accept(listeners_[token & ~kListenerToken], now, monotonic_nanos);
      continue;
    }
    const auto it = connections_.find(token);
    if (it == connections_.end()) continue;
    ReadFrom(*it->second, now);
    book_->rib().Reclaim(kReclaimSteps);
    if (book_->rib().congested()) return;
  }
}

void BmpListener::ListenAgain(bool listen) {
  for (size_t i = 0; i < listeners_.size(); ++i) {
    epoll_event event = {};
    event.events = listen ? uint32_t{EPOLLIN} : 0;
    event.data.u64 = kListenerToken | i;
    epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, listeners_[i].get(), &event);
  }
}

void BmpListener::Accept(const Descriptor& listener, absl::Time now, int64_t monotonic_nanos) {
  const auto refuse = [&](RoutingRefusal refusal) { ++counters_.router_refusals[static_cast<size_t>(refusal)]; };
  for (int i = 0; i < kMaxAccepts; ++i) {
    SocketAddress from;
    from.length = sizeof(from.storage);
    Descriptor socket(accept4(listener.get(), from.get(), &from.length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket.is_open()) {
      if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) return;
      refuse(RoutingRefusal::kNoDescriptor);
      ListenAgain(false);
      listen_again_ = now + kAcceptPause;
      deadline_ = std::min(deadline_, listen_again_);
      return;
    }
    base::IpAddress address;
    uint16_t port = 0;
    if (!FromSocketAddress(from.storage, &address, &port)) continue;
    if (const auto refusal = admission_->Judge(address, monotonic_nanos)) {
      refuse(*refusal);
      continue;
    }
    if (const auto old = of_address_.find(address); old != of_address_.end()) {
      ++counters_.routers_replaced;
      Close(old->second, "the router has connected anew", options_.bmp_stale_for, now);
    } else if (connections_.size() >= options_.max_routers) {
      refuse(RoutingRefusal::kTooManyPeers);
      continue;
    }
    Take(std::move(socket), address, port, now);
  }
}

void BmpListener::Take(Descriptor socket, const base::IpAddress& address, uint16_t port, absl::Time now) {
  KeepAlive(socket);
  auto connection = std::make_unique<Connection>();
  connection->number = ++last_number_;
  connection->since = now;
  connection->router = std::make_unique<MonitoredRouter>(address, port, options_, book_, observers_, now);
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.u64 = connection->number;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket.get(), &event) != 0) {
    ++counters_.router_refusals[static_cast<size_t>(RoutingRefusal::kNoDescriptor)];
    return;
  }
  connection->socket = std::move(socket);
  ++counters_.routers_accepted;
  deadline_ = std::min(deadline_, now + options_.open_timeout);
  of_address_[address] = connection->number;
  connections_.emplace(connection->number, std::move(connection));
}

void BmpListener::ReadFrom(Connection& connection, absl::Time now) {
  const ssize_t n = recv(connection.socket.get(), buffer_.get(), options_.read_octets, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    const int error = errno;
    const std::string& farewell = connection.router->farewell();
    Close(connection.number,
          !farewell.empty() ? absl::StrCat("the router ended it: ", farewell)
          : n == 0          ? "the router closed the connection"
                            : absl::StrCat("the connection was lost: ", absl::ErrnoToStatus(error, "").message()),
          options_.bmp_stale_for, now);
    return;
  }
  ++counters_.reads;
  counters_.read_octets += static_cast<uint64_t>(n);
  if (!connection.router->Receive(base::Octets(buffer_.get(), static_cast<size_t>(n)), now)) {
    Close(connection.number, "what it sends is no BMP", options_.bmp_stale_for, now);
  }
}

void BmpListener::Close(uint64_t number, absl::string_view why, absl::Duration keep_for, absl::Time now) {
  const auto it = connections_.find(number);
  if (it == connections_.end()) return;
  const std::unique_ptr<Connection> connection = std::move(it->second);
  connections_.erase(it);
  const RoutingRouter told = connection->router->Tell();
  Add(told, &counters_);
  connection->router->End(why, keep_for, now);
  if (const auto of = of_address_.find(told.address); of != of_address_.end() && of->second == number) {
    of_address_.erase(of);
  }
  recent_ends_.push_back({now, told.address, told.name, std::string(why)});
  if (recent_ends_.size() > kMaxRecentEnds) recent_ends_.pop_front();
}

void BmpListener::Tick(absl::Time now) {
  if (now < deadline_) return;
  deadline_ = absl::InfiniteFuture();
  if (now >= listen_again_) {
    listen_again_ = absl::InfiniteFuture();
    ListenAgain(true);
  }
  std::vector<uint64_t> silent;
  for (const auto& [number, connection] : connections_) {
    if (connection->router->speaks()) continue;
    const absl::Time until = connection->since + options_.open_timeout;
    if (now >= until) {
      silent.push_back(number);
    } else {
      deadline_ = std::min(deadline_, until);
    }
  }
  for (const uint64_t number : silent) {
    Close(number, absl::StrCat("it said nothing for ", absl::FormatDuration(options_.open_timeout)),
          absl::ZeroDuration(), now);
  }
  deadline_ = std::min(deadline_, listen_again_);
}

void BmpListener::Stop(absl::Time now) {
  listeners_.clear();
  while (!connections_.empty()) {
    Close(connections_.begin()->first, "the collector has stopped", options_.bmp_stale_for, now);
  }
}

void BmpListener::Describe(RoutingStatus* status) const {
  for (const Endpoint& endpoint : endpoints_) status->bmp_endpoints.push_back(endpoint.ToString());
  RoutingCounters& counters = status->counters;
  counters.routers_accepted = counters_.routers_accepted;
  counters.router_refusals = counters_.router_refusals;
  counters.routers_replaced = counters_.routers_replaced;
  counters.bmp_octets = counters_.bmp_octets;
  counters.bmp_messages = counters_.bmp_messages;
  counters.bmp_errors = counters_.bmp_errors;
  counters.bmp_refused_updates = counters_.bmp_refused_updates;
  counters.reads += counters_.reads;
  counters.read_octets += counters_.read_octets;
  for (const auto& [number, connection] : connections_) {
    RoutingRouter told = connection->router->Tell();
    Add(told, &counters);
    status->routers.push_back(std::move(told));
  }
  std::sort(status->routers.begin(), status->routers.end(),
            [](const RoutingRouter& a, const RoutingRouter& b) { return a.address < b.address; });
  status->recent_router_ends.assign(recent_ends_.begin(), recent_ends_.end());
}

}  // namespace flowacct::collector
