#include "flowacct/collector/probe/udp_transport.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace flowacct::collector {
namespace {

// Between two looks at the clock.
constexpr uint64_t kBurst = 16;

absl::Status BadTarget(absl::string_view target, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("\"", target, "\" is no target for datagrams: ", why, "; such as 127.0.0.1:4739 or [::1]:4739"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<UdpTransport>> UdpTransport::New(UdpTransportOptions options) {
  const absl::string_view target = options.target;
  const size_t colon = target.rfind(':');
  if (colon == absl::string_view::npos || colon == 0 || colon + 1 == target.size()) {
    return BadTarget(target, "it has no host or no port");
  }
  absl::string_view host = target.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != absl::string_view::npos) {
    return BadTarget(target, "an IPv6 address goes into brackets");
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  const int error =
      getaddrinfo(std::string(host).c_str(), std::string(target.substr(colon + 1)).c_str(), &hints, &found);
  if (error != 0) return BadTarget(target, gai_strerror(error));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, freeaddrinfo);
  std::string why = "no address";
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    const int fd = socket(address->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, address->ai_addr, address->ai_addrlen) == 0) {
      return absl::WrapUnique(new UdpTransport(std::move(options), fd));
    }
    why = std::strerror(errno);
    if (fd >= 0) close(fd);
  }
  return absl::UnavailableError(absl::StrCat("cannot send to ", target, ": ", why));
}

UdpTransport::~UdpTransport() { close(socket_); }

void UdpTransport::Wait() {
  if (options_.datagrams_per_second == 0 || sent_ % kBurst != 0) return;
  const absl::Time now = absl::Now();
  if (sent_ == 0) start_ = now;
  const absl::Time due = start_ + absl::Seconds(1) * static_cast<double>(sent_) / options_.datagrams_per_second;
  if (due > now) absl::SleepFor(due - now);
}

absl::Status UdpTransport::Send(base::Octets datagram) {
  Wait();
  ++sent_;
  for (;;) {
    if (send(socket_, datagram.data(), datagram.size(), MSG_NOSIGNAL) >= 0) return absl::OkStatus();
    if (errno == EINTR) continue;
    return absl::UnavailableError(absl::StrCat("cannot send to ", options_.target, ": ", std::strerror(errno)));
  }
}

}  // namespace flowacct::collector
