#include "flowacct/collector/transport/stream_transport.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "flowacct/collector/socket/socket_address.h"
#include "flowacct/collector/transport/udp_transport.h"

namespace flowacct::collector {
namespace {

constexpr EndpointScheme kSchemes[] = {EndpointScheme::kTcp, EndpointScheme::kTls};
constexpr size_t kBlockOctets = 64 << 10;
// A session that lasted so long was one: the next attempt after it comes soon.
constexpr absl::Duration kGoodSession = absl::Seconds(5);

}  // namespace

StreamTransport::StreamTransport(const TransportOptions& options, Endpoint to, Descriptor event)
    : options_(options),
      to_(std::move(to)),
      event_(std::move(event)),
      chance_(static_cast<uint64_t>(absl::GetCurrentTimeNanos())),
      thread_([this] { Run(); }) {}

absl::StatusOr<std::unique_ptr<StreamTransport>> StreamTransport::New(const TransportOptions& options) {
  absl::StatusOr<Endpoint> to = ParseEndpoint(options.to, kSchemes);
  if (!to.ok()) return to.status();
  const bool tls = to->scheme == EndpointScheme::kTls;
  if (tls && (options.tls == nullptr || options.tls->role() != TlsRole::kClient)) {
    return absl::InvalidArgumentError(absl::StrCat(options.to, ": tls is not given; it says whom to trust"));
  }
  if (!tls && options.tls != nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(options.to, ": tls is given; write tls:// to use it"));
  }
  if (options.first_retry <= absl::ZeroDuration() || options.last_retry < options.first_retry ||
      options.connect_timeout <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(absl::StrCat(
        options.to, ": connect_timeout and first_retry must be more than 0, last_retry at least first_retry"));
  }
  // What never can be is said now; that nobody is there is no error.
  if (absl::StatusOr<Descriptor> socket = OpenSendingSocket(options, *to); !socket.ok()) return socket.status();
  Descriptor event(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!event.is_open()) return absl::ErrnoToStatus(errno, "eventfd");
  return std::unique_ptr<StreamTransport>(new StreamTransport(options, *std::move(to), std::move(event)));
}

StreamTransport::~StreamTransport() { Close(absl::ZeroDuration()); }

absl::Status StreamTransport::Send(base::Octets message) {
  if (SendBatch({message}) == 1) return absl::OkStatus();
  const std::lock_guard<std::mutex> lock(mutex_);
  if (end_ != absl::InfiniteFuture()) return absl::FailedPreconditionError("the transport is closed");
  return absl::ResourceExhaustedError(
      absl::StrCat(to_.ToString(), ": max_queued_octets (", options_.max_queued_octets, ") are queued already"));
}

size_t StreamTransport::SendBatch(absl::Span<const base::Octets> messages) {
  size_t taken = 0;
  bool wake = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const base::Octets message : messages) {
      if (end_ != absl::InfiniteFuture() || queued_octets_ + message.size() > options_.max_queued_octets) {
        ++counters_.dropped;
        continue;
      }
      queue_.emplace_back(base::AsText(message));
      queued_octets_ += message.size();
      ++queued_;
      ++taken;
    }
    wake = idle_ && taken > 0;
    if (wake) idle_ = false;
  }
  if (wake) Wake();
  return taken;
}

void StreamTransport::SetPreamble(base::Octets messages) {
  const std::lock_guard<std::mutex> lock(mutex_);
  preamble_ = std::string(base::AsText(messages));
}

void StreamTransport::Close(absl::Duration at_most) {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    end_ = absl::Now() + at_most;
  }
  Wake();
  thread_.join();
  const std::lock_guard<std::mutex> lock(mutex_);
  counters_.dropped += queued_;
  queue_.clear();
  queued_ = queued_octets_ = 0;
}

TransportCounters StreamTransport::counters() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  TransportCounters counters = counters_;
  counters.queued = queued_;
  counters.queued_octets = queued_octets_;
  return counters;
}

void StreamTransport::Wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t octets = write(event_.get(), &one, sizeof(one));
}

// Whether Close has been called, and its time is over or nothing is left to send.
bool StreamTransport::Over() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return end_ != absl::InfiniteFuture() && (queued_ == 0 || end_ <= absl::Now());
}

short StreamTransport::Wait(int descriptor, short events, absl::Time time) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    time = std::min(time, end_);
  }
  pollfd waiting[] = {{event_.get(), POLLIN, 0}, {descriptor, events, 0}};
  const absl::Duration wait = absl::Ceil(std::max(time - absl::Now(), absl::ZeroDuration()), absl::Milliseconds(1));
  const int milliseconds =
      time == absl::InfiniteFuture() ? -1 : static_cast<int>(std::min(wait, absl::Hours(1)) / absl::Milliseconds(1));
  poll(waiting, descriptor < 0 ? 1 : 2, milliseconds);
  if ((waiting[0].revents & POLLIN) != 0) {
    uint64_t wakes;
    [[maybe_unused]] const ssize_t octets = read(event_.get(), &wakes, sizeof(wakes));
  }
  return waiting[1].revents;
}

void StreamTransport::Broken(const std::string& why) {
  const std::lock_guard<std::mutex> lock(mutex_);
  counters_.last_error = why;
}

void StreamTransport::Run() {
  absl::Duration retry = options_.first_retry;
  while (!Over()) {
    const std::unique_ptr<Connection> connection = Connect();
    const absl::Time begin = absl::Now();
    if (connection != nullptr) {
      Converse(*connection);
      connected_ = false;
      if (absl::Now() - begin > kGoodSession) retry = options_.first_retry;
    } else {
      const std::lock_guard<std::mutex> lock(mutex_);
      ++counters_.refused;
    }
    if (Over()) return;
    chance_ = chance_ * 6364136223846793005 + 1442695040888963407;
    const absl::Time next = absl::Now() + retry * (1.0 - static_cast<double>(chance_ >> 40) * 0x1p-24 / 5);
    while (absl::Now() < next && !Over()) Wait(-1, 0, next);
    retry = std::min(retry * 2, options_.last_retry);
  }
}

std::unique_ptr<Connection> StreamTransport::Connect() {
  const absl::Time until = absl::Now() + options_.connect_timeout;
  absl::StatusOr<Descriptor> socket = OpenSendingSocket(options_, to_);
  const absl::StatusOr<SocketAddress> address = ToSocketAddress(to_);
  if (!socket.ok() || !address.ok()) {
    Broken(std::string((socket.ok() ? address.status() : socket.status()).message()));
    return nullptr;
  }
  const int on = 1;
  // Messages are put together here; what is written is to leave.
  setsockopt(socket->get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  setsockopt(socket->get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
  int error = connect(socket->get(), address->get(), address->length) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    while (Wait(socket->get(), POLLOUT, until) == 0) {
      if (absl::Now() >= until) {
        Broken("no answer within connect_timeout");
        return nullptr;
      }
      if (Over()) return nullptr;
    }
    socklen_t length = sizeof(error);
    getsockopt(socket->get(), SOL_SOCKET, SO_ERROR, &error, &length);
  }
  if (error != 0) {
    Broken(std::strerror(error));
    return nullptr;
  }
  std::unique_ptr<Connection> connection = options_.tls == nullptr
                                               ? NewTcpConnection(*std::move(socket))
                                               : NewTlsConnection(*std::move(socket), options_.tls, to_.address);
  for (;;) {
    const IoResult result = connection->Handshake();
    if (result.code == IoCode::kOk) return connection;
    if (result.code == IoCode::kFailed || result.code == IoCode::kClosed) {
      Broken(absl::StrCat(ConnectionFaultName(connection->fault()), ": ", connection->fault_text()));
      return nullptr;
    }
    if (absl::Now() >= until || Over()) {
      Broken("no TLS handshake within connect_timeout");
      return nullptr;
    }
    Wait(connection->descriptor(), result.code == IoCode::kWantRead ? POLLIN : POLLOUT, until);
  }
}

void StreamTransport::Converse(Connection& connection) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++counters_.sessions;
    greeting_ = preamble_;
  }
  ++session_;
  connected_ = true;
  std::vector<uint8_t> unused(Connection::kMinReadOctets);
  for (;;) {
    // Nobody answers over IPFIX; but an end, and what TLS has to say, is only seen by who reads.
    IoResult result = connection.Read(unused.data(), unused.size());
    short events = POLLIN;
    if (result.code != IoCode::kClosed && result.code != IoCode::kFailed && (!greeting_.empty() || Fill())) {
      const base::Octets rest =
          greeting_.empty() ? base::AsOctets(block_.octets).subspan(block_.written) : base::AsOctets(greeting_);
      result = connection.Write(rest);
      if (result.code == IoCode::kOk) {
        Wrote(result.octets);
        if (Over()) break;
        continue;
      }
      events = static_cast<short>(result.code == IoCode::kWantWrite ? POLLIN | POLLOUT : POLLIN);
    }
    if (result.code == IoCode::kClosed || result.code == IoCode::kFailed) {
      int unacknowledged = 0;
      ioctl(connection.descriptor(), SIOCOUTQ, &unacknowledged);
      // The one on its way is begun again.
      block_.octets.erase(0, block_.done);
      for (size_t& end : block_.ends) end -= block_.done;
      block_.written = block_.done = 0;
      const std::lock_guard<std::mutex> lock(mutex_);
      ++counters_.breaks;
      counters_.octets_unacknowledged += static_cast<uint64_t>(std::max(unacknowledged, 0));
      counters_.last_error = result.code == IoCode::kClosed
                                 ? "closed by the other side"
                                 : absl::StrCat(ConnectionFaultName(connection.fault()), ": ", connection.fault_text());
      return;
    }
    if (Over()) break;
    Wait(connection.descriptor(), events, absl::InfiniteFuture());
  }
  connection.Close();
}

// Takes the next messages of the queue. False: there is nothing to send.
bool StreamTransport::Fill() {
  if (!block_.empty()) return true;
  block_.octets.clear();
  block_.written = block_.done = 0;
  const std::lock_guard<std::mutex> lock(mutex_);
  while (!queue_.empty() && (block_.empty() || block_.octets.size() + queue_.front().size() <= kBlockOctets)) {
    block_.octets += queue_.front();
    block_.ends.push_back(block_.octets.size());
    queue_.pop_front();
  }
  idle_ = block_.empty();
  return !block_.empty();
}

void StreamTransport::Wrote(size_t octets) {
  if (!greeting_.empty()) {
    greeting_.erase(0, octets);
    return;
  }
  block_.written += octets;
  const std::lock_guard<std::mutex> lock(mutex_);
  while (!block_.ends.empty() && block_.ends.front() <= block_.written) {
    const size_t message = block_.ends.front() - block_.done;
    block_.done = block_.ends.front();
    block_.ends.pop_front();
    ++counters_.sent;
    counters_.octets += message;
    --queued_;
    queued_octets_ -= message;
  }
}

}  // namespace flowacct::collector
