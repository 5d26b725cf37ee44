#include "flowacct/collector/stream/stream_listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/listen/source_steering.h"
#include "flowacct/collector/socket/bound_socket.h"
#include "flowacct/collector/socket/socket_address.h"
#include "flowacct/collector/stream/message_cutter.h"

namespace flowacct::collector {
namespace {

constexpr EndpointScheme kSchemes[] = {EndpointScheme::kTcp, EndpointScheme::kTls};
constexpr absl::string_view kEndNames[] = {
#define X(reason, name, help) name,
    FLOWACCT_STREAM_ENDS(X)
#undef X
};
constexpr absl::string_view kEndHelps[] = {
#define X(reason, name, help) help,
    FLOWACCT_STREAM_ENDS(X)
#undef X
};

// The begun message of a connection (RFC 7011, 3.1: its length has 16 bits), and what one read adds to it.
constexpr size_t kBufferOctets = size_t{256} << 10;
static_assert(kBufferOctets >= 65535 + Connection::kMinReadOctets);
constexpr int kMaxEvents = 64;
constexpr int kMaxAccepts = 64;  // in one go, so that those who send are not kept waiting by those who knock
constexpr int kBacklog = 1024;
// The system's numbers of sessions begin at 1; these stand for what else is waited for.
constexpr uint64_t kSocketToken = std::numeric_limits<uint64_t>::max();
constexpr uint64_t kTimerToken = kSocketToken - 1;

int64_t ClockNanos(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return int64_t{time.tv_sec} * 1000000000 + time.tv_nsec;
}

uint64_t NextSession() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

StreamEnd EndOfFault(ConnectionFault fault) {
  switch (fault) {
    case ConnectionFault::kTlsProtocol:
      return StreamEnd::kTlsProtocol;
    case ConnectionFault::kTlsNoCertificate:
      return StreamEnd::kTlsNoCertificate;
    case ConnectionFault::kTlsUntrusted:
      return StreamEnd::kTlsUntrusted;
    case ConnectionFault::kTlsExpired:
      return StreamEnd::kTlsExpired;
    case ConnectionFault::kTlsWrongName:
      return StreamEnd::kTlsWrongName;
    case ConnectionFault::kTlsRefused:
      return StreamEnd::kTlsRefused;
    case ConnectionFault::kNone:
    case ConnectionFault::kReset:
      break;
  }
  return StreamEnd::kReset;
}

absl::Status CheckOptions(const StreamListenerOptions& options, const Endpoint& endpoint, size_t workers) {
  const auto refuse = [&](auto&&... why) {
    return absl::InvalidArgumentError(absl::StrCat(options.address, ": ", why...));
  };
  if (workers < 1 || workers > 1024) return refuse("workers: ", workers, "; 1 to 1024 can be");
  const bool tls = endpoint.scheme == EndpointScheme::kTls;
  if (tls && (options.tls == nullptr || options.tls->role() != TlsRole::kServer)) {
    return refuse("tls is not given; a certificate is needed");
  }
  if (!tls && options.tls != nullptr) return refuse("tls is given; write tls:// to use it");
  if (options.max_connections < 1) return refuse("max_connections: 0 would let nobody in");
  if (options.max_connections_of_source < 1) return refuse("max_connections_of_source: 0 would let nobody in");
  struct {
    const char* name;
    absl::Duration value;
  } const times[] = {{"idle_timeout", options.idle_timeout},
                     {"message_timeout", options.message_timeout},
                     {"handshake_timeout", options.handshake_timeout},
                     {"keep_alive", options.keep_alive}};
  for (const auto& time : times) {
    if (time.value <= absl::ZeroDuration()) {
      return refuse(time.name, ": ", absl::FormatDuration(time.value), "; it must be more than 0");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::string_view StreamEndName(StreamEnd end) { return kEndNames[static_cast<size_t>(end)]; }
absl::string_view StreamEndHelp(StreamEnd end) { return kEndHelps[static_cast<size_t>(end)]; }

struct StreamListener::Session {
  std::unique_ptr<Connection> connection;
  base::IpAddress source, destination;
  uint16_t source_port = 0, destination_port = 0;
  bool greeted = false;  // the handshake is done
  bool had_message = false;
  uint32_t events = EPOLLIN;
  int64_t deadline_nanos = 0;  // of the handshake, the begun message, or silence
  StreamEnd at_deadline = StreamEnd::kSlowHandshake;
  MessageCutter cutter;
};

struct StreamListener::Buffers {
  uint8_t octets[kBufferOctets];
};

StreamListener::StreamListener(const StreamListenerOptions& options, Descriptor socket, Endpoint endpoint)
    : options_(options),
      socket_(std::move(socket)),
      endpoint_(std::move(endpoint)),
      buffers_(new Buffers) {}  // not cleared: its pages are touched when they are needed

StreamListener::~StreamListener() = default;

absl::StatusOr<StreamListener::Group> StreamListener::NewGroup(const StreamListenerOptions& options, size_t workers) {
  absl::StatusOr<Endpoint> parsed = ParseEndpoint(options.address, kSchemes);
  if (!parsed.ok()) return parsed.status();
  Endpoint endpoint = *std::move(parsed);
  if (absl::Status status = CheckOptions(options, endpoint, workers); !status.ok()) return status;
  BoundSocketOptions bind_options;
  bind_options.bind_to_device = options.bind_to_device;
  if (workers > 1 && endpoint.port != 0) {
    // Alone first: with SO_REUSEPORT a second collector of the same user would join the first one's group.
    absl::StatusOr<Descriptor> alone = OpenSocket(endpoint);
    if (!alone.ok()) return alone.status();
    if (absl::Status status = Bind(*alone, endpoint, bind_options); !status.ok()) return status;
  }

  Group group;
  for (size_t worker = 0; worker < workers; ++worker) {
    absl::StatusOr<Descriptor> socket = OpenSocket(endpoint);
    if (!socket.ok()) return socket.status();
    if (worker == 0 && workers > 1) {
      if (absl::Status status = SteerBySource(*socket, workers); !status.ok()) {
        group.warnings.push_back(absl::StrCat(options.address, ": one worker instead of ", workers,
                                              " takes this port: the system cannot keep an exporter at one worker (",
                                              status.message(), ")"));
        workers = 1;
        socket = OpenSocket(endpoint);
        if (!socket.ok()) return socket.status();
      }
    }
    bind_options.reuse_port = workers > 1;
    if (workers > 1) {
      if (absl::Status status = TakeNothing(*socket); !status.ok()) return status;
    }
    if (absl::Status status = Bind(*socket, endpoint, bind_options); !status.ok()) return status;
    if (endpoint.port == 0) {
      base::IpAddress address;
      LocalAddress(socket->get(), &address, &endpoint.port);
    }
    if (absl::Status status = Listen(*socket, endpoint, kBacklog); !status.ok()) return status;
    group.listeners.emplace_back(new StreamListener(options, *std::move(socket), endpoint));
  }
  for (const auto& listener : group.listeners) {
    if (absl::Status status = listener->Start(); !status.ok()) return status;
  }
  return group;
}

absl::Status StreamListener::Start() {
  epoll_ = Descriptor(epoll_create1(EPOLL_CLOEXEC));
  timer_ = Descriptor(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!epoll_.is_open() || !timer_.is_open())
    return absl::ErrnoToStatus(errno, absl::StrCat(options_.address, ": epoll"));
  // A quarter of the shortest time: each is kept with that exactness.
  const absl::Duration tick =
      std::clamp(std::min({options_.idle_timeout, options_.message_timeout, options_.handshake_timeout}) / 4,
                 absl::Milliseconds(10), absl::Seconds(1));
  const timespec interval = absl::ToTimespec(tick);
  const itimerspec times = {interval, interval};
  timerfd_settime(timer_.get(), 0, &times, nullptr);
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.u64 = kTimerToken;
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, timer_.get(), &event);
  event.events = 0;
  event.data.u64 = kSocketToken;
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket_.get(), &event);
  WaitForConnections(true);
  TakeAll(socket_);
  return absl::OkStatus();
}

void StreamListener::WaitForConnections(bool wait) {
  if (wait == accepting_) return;
  accepting_ = wait;
  epoll_event event = {};
  event.events = wait ? uint32_t{EPOLLIN} : 0;
  event.data.u64 = kSocketToken;
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, socket_.get(), &event);
}

void StreamListener::WaitFor(uint64_t number, Session& session, uint32_t events) {
  if (session.events == events) return;
  session.events = events;
  epoll_event event = {};
  event.events = events;
  event.data.u64 = number;
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, session.connection->descriptor(), &event);
}

StreamBatch StreamListener::Receive() {
  messages_.clear();
  ended_sessions_.clear();
  messages_session_ = 0;
  now_nanos_ = ClockNanos(CLOCK_MONOTONIC);
  epoll_event events[kMaxEvents];
  // What is not looked at this time stays ready; the system puts those that were told last at the end.
  const int n = epoll_wait(epoll_.get(), events, kMaxEvents, 0);
  for (int i = 0; i < n && messages_.empty(); ++i) {
    const uint64_t token = events[i].data.u64;
    if (token == kSocketToken) {
      Accept();
    } else if (token == kTimerToken) {
      uint64_t ticks;
      [[maybe_unused]] const ssize_t octets = read(timer_.get(), &ticks, sizeof(ticks));
      LookAtTimes();
    } else {
      Step(token);
    }
  }
  return {messages_session_, messages_, ended_sessions_};
}

void StreamListener::Accept() {
  for (int i = 0; i < kMaxAccepts; ++i) {
    SocketAddress peer;
    peer.length = sizeof(peer.storage);
    Descriptor socket(accept4(socket_.get(), peer.get(), &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket.is_open()) {
      // Those that were gone before we came are no errors of ours (accept(2)).
      if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) return;
      ++counters_.accept_errors;
      counters_.last_accept_error = errno;
      // Most likely no descriptors are left: to try at once would be to turn in circles. The timer tries again.
      WaitForConnections(false);
      return;
    }
    base::IpAddress source;
    uint16_t source_port = 0;
    FromSocketAddress(peer.storage, &source, &source_port);
    Greet(std::move(socket), source, source_port);
  }
}

void StreamListener::Greet(Descriptor socket, const base::IpAddress& source, uint16_t source_port) {
  ++counters_.accepted;
  const auto refuse = [this](StreamEnd reason) { ++counters_.ends[static_cast<size_t>(reason)]; };
  if (options_.admit && !options_.admit(source)) return refuse(StreamEnd::kUnknownExporter);
  if (sessions_.size() >= options_.max_connections) return refuse(StreamEnd::kTooManyConnections);
  size_t& of_source = of_source_[source];
  if (of_source >= options_.max_connections_of_source) return refuse(StreamEnd::kTooManyOfSource);
  ++of_source;

  const int on = 1;
  const int idle_seconds =
      static_cast<int>(std::clamp<int64_t>(absl::ToInt64Seconds(options_.keep_alive), 1, 32767));  // the system's bound
  const int interval_seconds = std::max(1, idle_seconds / 5), probes = 5;
  setsockopt(socket.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
  setsockopt(socket.get(), IPPROTO_TCP, TCP_KEEPIDLE, &idle_seconds, sizeof(idle_seconds));
  setsockopt(socket.get(), IPPROTO_TCP, TCP_KEEPINTVL, &interval_seconds, sizeof(interval_seconds));
  setsockopt(socket.get(), IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));

  auto session = std::make_unique<Session>();
  session->source = source;
  session->source_port = source_port;
  LocalAddress(socket.get(), &session->destination, &session->destination_port);
  session->deadline_nanos = now_nanos_ + absl::ToInt64Nanoseconds(options_.handshake_timeout);
  session->connection = options_.tls == nullptr ? NewTcpConnection(std::move(socket))
                                                : NewTlsConnection(std::move(socket), options_.tls, source);
  const uint64_t number = NextSession();
  epoll_event event = {};
  event.events = session->events;
  event.data.u64 = number;
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, session->connection->descriptor(), &event);
  Session& kept = *session;
  sessions_.emplace(number, std::move(session));
  counters_.open = sessions_.size();
  if (options_.tls == nullptr) {
    kept.greeted = true;
    kept.at_deadline = StreamEnd::kIdle;
    kept.deadline_nanos = now_nanos_ + absl::ToInt64Nanoseconds(options_.idle_timeout);
  }
}

void StreamListener::Step(uint64_t number) {
  const auto it = sessions_.find(number);
  if (it == sessions_.end()) return;  // ended meanwhile
  Session& session = *it->second;
  IoResult result;
  if (!session.greeted) {
    result = session.connection->Handshake();
    if (result.code == IoCode::kOk) {
      session.greeted = true;
      session.at_deadline = StreamEnd::kIdle;
      session.deadline_nanos = now_nanos_ + absl::ToInt64Nanoseconds(options_.idle_timeout);
    }
  }
  if (session.greeted) {
    // Behind what came of the begun message, so that it lies in one piece when it is whole.
    const size_t begun = session.cutter.begun().size();
    if (begun > 0) std::memcpy(buffers_->octets, session.cutter.begun().data(), begun);
    result = session.connection->Read(buffers_->octets + begun, kBufferOctets - begun);
    if (result.octets > 0) {
      TakeMessages(number, session, begun + result.octets);
      if (sessions_.find(number) == sessions_.end()) return;
    }
  }
  switch (result.code) {
    case IoCode::kOk:
    case IoCode::kWantRead:
      return WaitFor(number, session, EPOLLIN);
    case IoCode::kWantWrite:
      return WaitFor(number, session, EPOLLOUT);
    case IoCode::kClosed:
      return End(number, session.cutter.begun().empty() ? StreamEnd::kEndedByExporter : StreamEnd::kCutMessage);
    case IoCode::kFailed:
      return End(number, EndOfFault(session.connection->fault()));
  }
}

void StreamListener::TakeMessages(uint64_t number, Session& session, size_t octets) {
  const bool had_begun = !session.cutter.begun().empty();
  cut_.clear();
  const base::DecodeCode code = session.cutter.Cut({buffers_->octets, octets}, &cut_);
  record::Datagram datagram;
  datagram.source = session.source;
  datagram.source_port = session.source_port;
  datagram.destination = session.destination;
  datagram.destination_port = session.destination_port;
  datagram.arrival_nanos = ClockNanos(CLOCK_REALTIME);
  datagram.transport = record::Transport::kTcp;
  datagram.session = number;
  for (const base::Octets message : cut_) {
    datagram.octets = message;
    messages_.push_back(datagram);
    counters_.octets += message.size();
  }
  if (!cut_.empty()) {
    counters_.messages += cut_.size();
    messages_session_ = number;
    session.had_message = true;
  }
  if (code != base::DecodeCode::kOk) {
    return End(number, code == base::DecodeCode::kBadVersion ? StreamEnd::kBadVersion : StreamEnd::kBadLength);
  }
  if (session.cutter.begun().empty()) {
    session.at_deadline = StreamEnd::kIdle;
    session.deadline_nanos = now_nanos_ + absl::ToInt64Nanoseconds(options_.idle_timeout);
  } else if (!cut_.empty() || !had_begun) {
    // Octets that trickle in do not prolong it.
    session.at_deadline = StreamEnd::kSlowMessage;
    session.deadline_nanos = now_nanos_ + absl::ToInt64Nanoseconds(options_.message_timeout);
  }
}

void StreamListener::Refuse(uint64_t session) {
  if (sessions_.contains(session)) End(session, StreamEnd::kBadMessage);
}

void StreamListener::LookAtTimes() {
  WaitForConnections(true);
  std::vector<uint64_t> over;
  for (const auto& [number, session] : sessions_) {
    if (session->deadline_nanos <= now_nanos_) over.push_back(number);
  }
  std::sort(over.begin(), over.end());
  for (const uint64_t number : over) End(number, sessions_.find(number)->second->at_deadline);
}

void StreamListener::End(uint64_t number, StreamEnd reason) {
  const auto it = sessions_.find(number);
  Session& session = *it->second;
  ++counters_.ends[static_cast<size_t>(reason)];
  session.cutter.End();
  counters_.octets_lost += session.cutter.lost();
  if (session.had_message) ended_sessions_.push_back(number);
  const auto source = of_source_.find(session.source);
  if (--source->second == 0) of_source_.erase(source);
  session.connection->Close();
  sessions_.erase(it);
  counters_.open = sessions_.size();
}

}  // namespace flowacct::collector
