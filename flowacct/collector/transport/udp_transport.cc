#include "flowacct/collector/transport/udp_transport.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "flowacct/collector/socket/bound_socket.h"
#include "flowacct/collector/socket/socket_address.h"

namespace flowacct::collector {
namespace {

constexpr size_t kBatch = 64;

}  // namespace

struct UdpTransport::Batch {
  mmsghdr headers[kBatch];
  iovec vectors[kBatch];
};

absl::StatusOr<Descriptor> OpenSendingSocket(const TransportOptions& options, const Endpoint& to) {
  if (to.IsAnyAddress() || to.port == 0) {
    return absl::InvalidArgumentError(absl::StrCat("to: ", options.to, " is no address that can be sent to"));
  }
  if (options.traffic_class > 255) {
    return absl::InvalidArgumentError(absl::StrCat("traffic_class: ", options.traffic_class, "; 0 to 255 can be"));
  }
  if (options.hop_limit < 0 || options.hop_limit > 255) {
    return absl::InvalidArgumentError(absl::StrCat("hop_limit: ", options.hop_limit, "; 0 to 255 can be"));
  }
  absl::StatusOr<Descriptor> socket = OpenSocket(to);
  if (!socket.ok()) return socket.status();
  const bool v4 = to.address.IsV4();
  const int level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
  if (options.traffic_class >= 0) {
    setsockopt(socket->get(), level, v4 ? IP_TOS : IPV6_TCLASS, &options.traffic_class, sizeof(int));
  }
  if (options.hop_limit > 0) {
    setsockopt(socket->get(), level, v4 ? IP_TTL : IPV6_UNICAST_HOPS, &options.hop_limit, sizeof(int));
  }
  GrantBuffer(*socket, SocketBuffer::kSend, options.send_buffer_octets);
  if (!options.from.empty()) {
    absl::StatusOr<Endpoint> from = ParseEndpoint(options.from, {to.scheme});
    if (!from.ok()) return absl::InvalidArgumentError(absl::StrCat("from: ", from.status().message()));
    if (from->address.IsV4() != v4) {
      return absl::InvalidArgumentError(
          absl::StrCat("from: ", options.from, " and ", options.to, " are of different families"));
    }
    BoundSocketOptions bind_options;
    // Several workers may send from one port.
    bind_options.reuse_port = to.scheme == EndpointScheme::kUdp && from->port != 0;
    if (absl::Status status = Bind(*socket, *from, bind_options); !status.ok()) return status;
  }
  return socket;
}

UdpTransport::UdpTransport(Descriptor socket, Endpoint to, Endpoint from, absl::Duration send_wait)
    : socket_(std::move(socket)),
      to_(std::move(to)),
      from_(std::move(from)),
      send_wait_(send_wait),
      batch_(std::make_unique<Batch>()) {
  for (size_t i = 0; i < kBatch; ++i) {
    batch_->headers[i] = {};
    batch_->headers[i].msg_hdr.msg_iov = &batch_->vectors[i];
    batch_->headers[i].msg_hdr.msg_iovlen = 1;
  }
  counters_.sessions = 1;
}

UdpTransport::~UdpTransport() = default;

absl::StatusOr<std::unique_ptr<UdpTransport>> UdpTransport::New(const TransportOptions& options) {
  absl::StatusOr<Endpoint> to = ParseEndpoint(options.to, {EndpointScheme::kUdp});
  if (!to.ok()) return to.status();
  absl::StatusOr<Descriptor> socket = OpenSendingSocket(options, *to);
  if (!socket.ok()) return socket.status();
  const absl::StatusOr<SocketAddress> address = ToSocketAddress(*to);
  if (!address.ok()) return address.status();
  // Of UDP this only says where to; what fails is that there is no way.
  if (connect(socket->get(), address->get(), address->length) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat(options.to, ": cannot be sent to"));
  }
  Endpoint from = *to;
  LocalAddress(socket->get(), &from.address, &from.port);
  return std::unique_ptr<UdpTransport>(new UdpTransport(*std::move(socket), *to, from, options.send_wait));
}

absl::Status UdpTransport::Send(base::Octets message) {
  for (bool again = true;; again = false) {
    if (send(socket_.get(), message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
      ++counters_.sent;
      counters_.octets += message.size();
      return absl::OkStatus();
    }
    const int error = errno;
    if (error == ECONNREFUSED) ++counters_.refused;
    if (again && (error == ECONNREFUSED || error == EINTR || (error == EAGAIN && WaitForRoom()))) continue;
    return Failed(error);
  }
}

size_t UdpTransport::SendBatch(absl::Span<const base::Octets> messages) {
  size_t sent = 0;
  while (!messages.empty()) {
    const size_t n = std::min(messages.size(), kBatch);
    for (size_t i = 0; i < n; ++i) {
      batch_->vectors[i] = {const_cast<uint8_t*>(messages[i].data()), messages[i].size()};
    }
    const int done = sendmmsg(socket_.get(), batch_->headers, static_cast<unsigned>(n), MSG_DONTWAIT | MSG_NOSIGNAL);
    // The system tells of an error with the first one alone; of later ones, by sending fewer.
    if (done <= 0) {
      if (errno == ECONNREFUSED) ++counters_.refused;
      if (Send(messages[0]).ok()) ++sent;
      messages.remove_prefix(1);
      continue;
    }
    for (int i = 0; i < done; ++i) counters_.octets += messages[static_cast<size_t>(i)].size();
    counters_.sent += static_cast<uint64_t>(done);
    sent += static_cast<size_t>(done);
    messages.remove_prefix(static_cast<size_t>(done));
  }
  return sent;
}

void UdpTransport::Settle() {
  int error = 0;
  socklen_t length = sizeof(error);
  if (socket_.is_open() && getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &length) == 0 &&
      error == ECONNREFUSED) {
    ++counters_.refused;
  }
}

bool UdpTransport::WaitForRoom() {
  const int64_t milliseconds = absl::ToInt64Milliseconds(absl::Ceil(send_wait_, absl::Milliseconds(1)));
  if (milliseconds <= 0) return false;
  pollfd waiting = {socket_.get(), POLLOUT, 0};
  return poll(&waiting, 1, static_cast<int>(std::min<int64_t>(milliseconds, 60000))) == 1;
}

absl::Status UdpTransport::Failed(int error) {
  // ENOBUFS: a queue below the socket is full.
  if (error == EAGAIN || error == ENOBUFS) {
    ++counters_.dropped;
    return absl::ResourceExhaustedError("no room in the send buffer");
  }
  ++counters_.errors;
  const char* text = std::strerror(error);
  if (counters_.last_error != text) counters_.last_error = text;
  return absl::ErrnoToStatus(error, to_.ToString());
}

}  // namespace flowacct::collector
