#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "flowacct/collector/replicate/replica_sender.h"
#include "flowacct/collector/replicate/udp_packet.h"
#include "flowacct/collector/socket/bound_socket.h"
#include "flowacct/collector/socket/descriptor.h"
#include "flowacct/collector/socket/socket_address.h"

namespace flowacct::collector {
namespace {

constexpr size_t kBatch = 64;
// Paths whose MTU fell become wider again, too.
constexpr uint64_t kFlushesBetweenMtus = 4096;

class SourceKeepingSender final : public ReplicaSender {
 public:
  SourceKeepingSender(Descriptor socket, Endpoint to, const TransportOptions& options)
      : socket_(std::move(socket)), to_(std::move(to)), headers_(kBatch), vectors_(2 * kBatch) {
    if (options.traffic_class >= 0) style_.traffic_class = static_cast<uint8_t>(options.traffic_class);
    if (options.hop_limit > 0) style_.hop_limit = static_cast<uint8_t>(options.hop_limit);
    for (size_t i = 0; i < kBatch; ++i) {
      headers_[i] = {};
      headers_[i].msg_hdr.msg_iov = &vectors_[2 * i];
      headers_[i].msg_hdr.msg_iovlen = 2;
    }
  }

  void Add(const record::Datagram& datagram) override { datagrams_.push_back(datagram); }
  void Flush() override;
  ReplicaCounters counters() const override { return counters_; }

 private:
  // The packets of datagrams_[index], at the end of packets_.
  void Append(size_t index);
  void Send();
  // What became of packets_[at], which the system did not take; where to go on.
  size_t Refused(size_t at, int error);
  bool LearnMtu();
  void Fail(uint64_t* counter, const char* text) {
    ++*counter;
    if (counters_.last_error != text) counters_.last_error = text;
  }

  const Descriptor socket_;
  const Endpoint to_;
  IpStyle style_;
  uint64_t flushes_ = 0;
  ReplicaCounters counters_;
  std::vector<record::Datagram> datagrams_;
  std::vector<IpPacket> packets_;
  std::vector<size_t> datagram_of_;  // of each packet
  std::vector<mmsghdr> headers_;
  std::vector<iovec> vectors_;
};

void SourceKeepingSender::Flush() {
  if (flushes_++ % kFlushesBetweenMtus == 0) LearnMtu();
  packets_.clear();
  datagram_of_.clear();
  for (size_t i = 0; i < datagrams_.size(); ++i) Append(i);
  Send();
  datagrams_.clear();
}

void SourceKeepingSender::Append(size_t index) {
  const record::Datagram& datagram = datagrams_[index];
  if (datagram.source.IsV4() != to_.address.IsV4()) {
    return Fail(&counters_.errors, "the exporter's address is of another family than the receiver's");
  }
  ++style_.identification;
  const UdpEnds ends = {datagram.source, to_.address, datagram.source_port, to_.port};
  if (!AppendUdpPackets(ends, datagram.octets, style_, &packets_))
    return Fail(&counters_.errors, std::strerror(EMSGSIZE));
  datagram_of_.resize(packets_.size(), index);
}

void SourceKeepingSender::Send() {
  for (size_t at = 0; at < packets_.size();) {
    const size_t n = std::min(packets_.size() - at, kBatch);
    for (size_t i = 0; i < n; ++i) {
      IpPacket& packet = packets_[at + i];
      vectors_[2 * i] = {packet.header, packet.header_octets};
      vectors_[2 * i + 1] = {const_cast<uint8_t*>(packet.payload.data()), packet.payload.size()};
    }
    const int done = sendmmsg(socket_.get(), headers_.data(), static_cast<unsigned>(n), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (done <= 0) {
      at = Refused(at, errno);
      continue;
    }
    for (const size_t end = at + static_cast<size_t>(done); at < end; ++at) {
      // A datagram is sent with its last fragment.
      if (at + 1 < packets_.size() && datagram_of_[at + 1] == datagram_of_[at]) continue;
      ++counters_.sent;
      counters_.octets += datagrams_[datagram_of_[at]].octets.size();
    }
  }
}

size_t SourceKeepingSender::Refused(size_t at, int error) {
  if (error == EINTR) return at;
  if (error == ECONNREFUSED) {  // of an earlier one, and said once
    ++counters_.refused;
    return at;
  }
  const size_t datagram = datagram_of_[at];
  size_t next = at;
  while (next < packets_.size() && datagram_of_[next] == datagram) ++next;
  if (error == EMSGSIZE && (at == 0 || datagram_of_[at - 1] != datagram) && LearnMtu()) {
    // The path has become narrower: this one and those behind it again, in smaller pieces.
    packets_.resize(at);
    datagram_of_.resize(at);
    for (size_t i = datagram; i < datagrams_.size(); ++i) Append(i);
    return at;
  }
  // ENOBUFS: a queue below the socket is full.
  Fail(error == EAGAIN || error == ENOBUFS ? &counters_.dropped : &counters_.errors, std::strerror(error));
  return next;
}

// True if it is less than before.
bool SourceKeepingSender::LearnMtu() {
  int mtu = 0;
  socklen_t length = sizeof(mtu);
  const bool v4 = to_.address.IsV4();
  if (getsockopt(socket_.get(), v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_MTU : IPV6_MTU, &mtu, &length) != 0 ||
      mtu <= 0) {
    return false;
  }
  const bool less = static_cast<size_t>(mtu) < style_.mtu_octets;
  style_.mtu_octets = static_cast<size_t>(mtu);
  return less;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ReplicaSender>> NewSourceKeepingSender(const TransportOptions& options) {
  absl::StatusOr<Endpoint> to = ParseEndpoint(options.to, {EndpointScheme::kUdp});
  if (!to.ok()) return to.status();
  if (to->IsAnyAddress() || to->port == 0) {
    return absl::InvalidArgumentError(absl::StrCat("to: ", options.to, " is no address that can be sent to"));
  }
  if (!options.from.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("from: ", options.from, " is given, and the source is to be kept"));
  }
  const bool v4 = to->address.IsV4();
  Descriptor socket(::socket(v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_RAW));
  if (!socket.is_open()) {
    if (errno == EPERM || errno == EACCES) {
      return absl::PermissionDeniedError(
          absl::StrCat(options.to,
                       ": keeping the source's address needs root or CAP_NET_RAW; without "
                       "it, datagrams can be sent from our own"));
    }
    return absl::ErrnoToStatus(errno, absl::StrCat(options.to, ": raw socket"));
  }
  GrantBuffer(socket, SocketBuffer::kSend, options.send_buffer_octets);
  absl::StatusOr<SocketAddress> address = ToSocketAddress(*to);
  if (!address.ok()) return address.status();
  // Raw sockets have no ports: the system refuses one for IPv6.
  if (v4) {
    reinterpret_cast<sockaddr_in&>(address->storage).sin_port = 0;
  } else {
    reinterpret_cast<sockaddr_in6&>(address->storage).sin6_port = 0;
  }
  if (connect(socket.get(), address->get(), address->length) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat(options.to, ": cannot be sent to"));
  }
  return std::make_unique<SourceKeepingSender>(std::move(socket), *std::move(to), options);
}

}  // namespace flowacct::collector
