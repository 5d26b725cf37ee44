#include "flowacct/collector/listen/testing/udp_sender.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "flowacct/collector/capture/capture_reader.h"
#include "flowacct/collector/export/export_extractor.h"
#include "flowacct/collector/socket/bound_socket.h"
#include "flowacct/collector/socket/socket_address.h"
#include "flowacct/record/datagram.h"

namespace flowacct::collector {
namespace {

constexpr size_t kBatch = 32;
constexpr EndpointScheme kUdpOnly[] = {EndpointScheme::kUdp};

}  // namespace

absl::StatusOr<std::unique_ptr<UdpSender>> UdpSender::New(const Endpoint& to, absl::string_view from) {
  Endpoint target = to;
  if (to.IsAnyAddress()) {
    target.address = to.address.IsV4() ? base::IpAddress::V4(0x7f000001) : *base::IpAddress::Parse("::1");
  }
  Endpoint source = target;
  source.port = 0;
  source.address = base::IpAddress();
  if (!from.empty()) {
    absl::StatusOr<Endpoint> parsed = ParseEndpoint(from, kUdpOnly);
    if (!parsed.ok()) return parsed.status();
    source = *std::move(parsed);
    if (to.IsAnyAddress() && source.address.IsV4()) target.address = base::IpAddress::V4(0x7f000001);
  } else if (target.address.IsV4()) {
    source.address = base::IpAddress::V4(0);
  }
  absl::StatusOr<Descriptor> socket = OpenSocket(source);
  if (!socket.ok()) return socket.status();
  if (absl::Status status = Bind(*socket, source, {}); !status.ok()) return status;
  absl::StatusOr<SocketAddress> address = ToSocketAddress(target);
  if (!address.ok()) return address.status();
  if (connect(socket->get(), address->get(), address->length) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("sending to ", target.ToString()));
  }
  LocalAddress(socket->get(), &source.address, &source.port);
  return std::unique_ptr<UdpSender>(new UdpSender(*std::move(socket), source));
}

absl::Status UdpSender::Send(absl::Span<const std::string> datagrams, const UdpSenderPace& pace) {
  const absl::Time begin = absl::Now();
  mmsghdr headers[kBatch] = {};
  iovec vectors[kBatch];
  for (size_t at = 0; at < datagrams.size();) {
    const absl::Duration passed = absl::Now() - begin;
    if (passed > pace.at_most) return absl::DeadlineExceededError(absl::StrCat("sent ", at, " of ", datagrams.size()));
    size_t n = std::min(kBatch, datagrams.size() - at);
    if (pace.datagrams_per_second != 0) {
      const double due = absl::ToDoubleSeconds(passed) * static_cast<double>(pace.datagrams_per_second);
      if (due < static_cast<double>(at) + 1) {
        absl::SleepFor(absl::Microseconds(100));
        continue;
      }
      n = std::min(n, static_cast<size_t>(due) - at);
    }
    for (size_t i = 0; i < n; ++i) {
      vectors[i] = {const_cast<char*>(datagrams[at + i].data()), datagrams[at + i].size()};
      headers[i].msg_hdr.msg_iov = &vectors[i];
      headers[i].msg_hdr.msg_iovlen = 1;
    }
    // The socket does not block: with its buffer full it is tried again.
    const int sent = sendmmsg(socket_.get(), headers, static_cast<unsigned>(n), 0);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return absl::ErrnoToStatus(errno, "sending");
    if (sent > 0) {
      at += static_cast<size_t>(sent);
      sent_ += static_cast<uint64_t>(sent);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> DatagramsOfWorkload(const WorkloadOptions& options, WorkloadTruth* truth) {
  absl::StatusOr<std::unique_ptr<WorkloadGenerator>> generator = NewWorkloadGenerator(options);
  if (!generator.ok()) return generator.status();
  std::vector<std::string> result;
  ExportExtractor extractor;
  record::Datagram datagram;
  for (CapturedPacket packet; (*generator)->Next(&packet);) {
    if (extractor.Extract(packet, &datagram)) result.emplace_back(base::AsText(datagram.octets));
  }
  if (truth != nullptr) *truth = (*generator)->Truth();
  return result;
}

absl::StatusOr<std::vector<std::string>> DatagramsOfCapture(absl::string_view path) {
  absl::StatusOr<std::unique_ptr<CaptureReader>> reader = CaptureReader::Open(path);
  if (!reader.ok()) return reader.status();
  std::vector<std::string> result;
  ExportExtractor extractor;
  record::Datagram datagram;
  for (;;) {
    const auto packets = (*reader)->NextBatch();
    if (!packets.ok()) return packets.status();
    if (packets->empty()) return result;
    for (const CapturedPacket& packet : *packets) {
      if (extractor.Extract(packet, &datagram)) result.emplace_back(base::AsText(datagram.octets));
    }
  }
}

}  // namespace flowacct::collector
