#include "flowacct/collector/listen/udp_listener.h"

#include <linux/sock_diag.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include "absl/strings/str_cat.h"
#include "flowacct/collector/listen/source_steering.h"
#include "flowacct/collector/socket/bound_socket.h"
#include "flowacct/collector/socket/socket_address.h"

namespace flowacct::collector {
namespace {

#ifndef UDP_GRO
#define UDP_GRO 104  // linux/udp.h, which cannot be included beside netinet/udp.h
#endif

constexpr EndpointScheme kUdpOnly[] = {EndpointScheme::kUdp};
constexpr size_t kMaxBatchDatagrams = 1024;  // the system's own bound (UIO_MAXIOV)
constexpr size_t kMaxDatagramOctets = 65535;
// The system's counter of drops has 32 bits; this often is far more often than it wraps.
constexpr uint64_t kCallsBetweenDropCounts = 4096;

int64_t NanosOf(const timespec& time) { return int64_t{time.tv_sec} * 1000000000 + time.tv_nsec; }

int64_t NowNanos() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return NanosOf(now);
}

absl::Status CheckOptions(const UdpListenerOptions& options, size_t workers) {
  if (workers < 1 || workers > 1024) {
    return absl::InvalidArgumentError(absl::StrCat("workers: ", workers, "; 1 to 1024 can be"));
  }
  if (options.batch_datagrams < 1 || options.batch_datagrams > kMaxBatchDatagrams) {
    return absl::InvalidArgumentError(
        absl::StrCat("batch_datagrams: ", options.batch_datagrams, "; 1 to ", kMaxBatchDatagrams, " can be"));
  }
  if (options.max_datagram_octets < 512 || options.max_datagram_octets > kMaxDatagramOctets) {
    return absl::InvalidArgumentError(
        absl::StrCat("max_datagram_octets: ", options.max_datagram_octets, "; 512 to ", kMaxDatagramOctets, " can be"));
  }
  return absl::OkStatus();
}

}  // namespace

// What recvmmsg fills in, all allocated once.
struct UdpListener::Batch {
  // Room for what is asked for of: destination (24 octets of header and in6_pktinfo), time, size of segments.
  static constexpr size_t kControlOctets =
      CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(timespec)) + CMSG_SPACE(sizeof(int));
  struct alignas(cmsghdr) Control {
    uint8_t octets[kControlOctets];
  };

  explicit Batch(const UdpListenerOptions& options)
      // Slots that are a power of two apart would share the sets of the cache.
      : slot_octets((options.coalesce ? kMaxDatagramOctets : options.max_datagram_octets) / 64 * 64 + 2 * 64),
        max_octets(options.coalesce ? kMaxDatagramOctets : options.max_datagram_octets),
        with_control(options.tell_destination || options.kernel_times || options.coalesce),
        octets(new uint8_t[slot_octets * options.batch_datagrams]),  // not cleared, so that no page is touched yet
        headers(options.batch_datagrams),
        vectors(options.batch_datagrams),
        names(options.batch_datagrams),
        controls(with_control ? options.batch_datagrams : 0) {
    datagrams.reserve(options.batch_datagrams);
    for (size_t i = 0; i < headers.size(); ++i) {
      vectors[i] = {octets.get() + i * slot_octets, max_octets};
      msghdr& header = headers[i].msg_hdr;
      header = {};
      header.msg_iov = &vectors[i];
      header.msg_iovlen = 1;
      header.msg_name = &names[i];
      Rearm(i);
    }
  }

  // What the system overwrote.
  void Rearm(size_t i) {
    msghdr& header = headers[i].msg_hdr;
    header.msg_namelen = sizeof(names[i]);
    if (with_control) {
      header.msg_control = controls[i].octets;
      header.msg_controllen = kControlOctets;
    }
  }

  const size_t slot_octets;
  const size_t max_octets;
  const bool with_control;
  const std::unique_ptr<uint8_t[]> octets;
  std::vector<mmsghdr> headers;
  std::vector<iovec> vectors;
  std::vector<sockaddr_in6> names;  // the larger of the two families
  std::vector<Control> controls;
  std::vector<record::Datagram> datagrams;
};

UdpListener::UdpListener(const UdpListenerOptions& options, Descriptor socket, Endpoint endpoint,
                         size_t granted_buffer_octets)
    : options_(options),
      socket_(std::move(socket)),
      endpoint_(std::move(endpoint)),
      granted_buffer_octets_(granted_buffer_octets),
      interface_(options.bind_to_device.empty() ? endpoint_.interface : options.bind_to_device),
      interface_index_(interface_.empty() ? 0 : if_nametoindex(interface_.c_str())) {}

UdpListener::~UdpListener() = default;

absl::StatusOr<UdpListener::Group> UdpListener::NewGroup(const UdpListenerOptions& options, size_t workers) {
  if (absl::Status status = CheckOptions(options, workers); !status.ok()) return status;
  absl::StatusOr<Endpoint> parsed = ParseEndpoint(options.address, kUdpOnly);
  if (!parsed.ok()) return parsed.status();
  Endpoint endpoint = *std::move(parsed);
  BoundSocketOptions bind_options;
  bind_options.bind_to_device = options.bind_to_device;

  if (workers > 1 && endpoint.port != 0) {
    // Alone first: with SO_REUSEPORT a second collector of the same user would join the first one's group, and both
    // would have half of the exporters.
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
    const size_t granted = GrantBuffer(*socket, SocketBuffer::kReceive, options.receive_buffer_octets);
    if (worker == 0) {
      std::string warning =
          BufferWarning(endpoint.ToString(), SocketBuffer::kReceive, options.receive_buffer_octets, granted);
      if (!warning.empty()) group.warnings.push_back(std::move(warning));
    }
    group.listeners.emplace_back(new UdpListener(options, *std::move(socket), endpoint, granted));
    if (absl::Status status = group.listeners.back()->Prepare(); !status.ok()) return status;
  }
  for (const auto& listener : group.listeners) listener->Start();
  return group;
}

absl::Status UdpListener::Prepare() {
  UdpListenerOptions effective = options_;
  effective.tell_destination = options_.tell_destination && endpoint_.IsAnyAddress();
  const auto ask = [this](int level, int option, const char* name) {
    const int on = 1;
    if (setsockopt(socket_.get(), level, option, &on, sizeof(on)) == 0) return absl::OkStatus();
    return absl::ErrnoToStatus(errno, absl::StrCat(endpoint_.ToString(), ": ", name));
  };
  if (effective.tell_destination) {
    absl::Status status = endpoint_.address.IsV4() ? ask(IPPROTO_IP, IP_PKTINFO, "tell_destination")
                                                   : ask(IPPROTO_IPV6, IPV6_RECVPKTINFO, "tell_destination");
    if (!status.ok()) return status;
  }
  if (options_.kernel_times) {
    if (absl::Status status = ask(SOL_SOCKET, SO_TIMESTAMPNS, "kernel_times"); !status.ok()) return status;
  }
  if (options_.coalesce) {
    if (absl::Status status = ask(IPPROTO_UDP, UDP_GRO, "coalesce"); !status.ok()) return status;
  }
  batch_ = std::make_unique<Batch>(effective);
  return absl::OkStatus();
}

void UdpListener::Start() {
  TakeAll(socket_);
  // What came before all sockets stood came before anybody listened.
  CountDrops();
  counters_.kernel_drops = 0;
}

absl::Span<const record::Datagram> UdpListener::Receive() {
  Batch& batch = *batch_;
  batch.datagrams.clear();
  const int n =
      recvmmsg(socket_.get(), batch.headers.data(), static_cast<unsigned>(batch.headers.size()), MSG_DONTWAIT, nullptr);
  more_ = n == static_cast<int>(batch.headers.size());
  if (n <= 0) {
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
      ++counters_.errors;
      counters_.last_error = errno;
    }
    return {};
  }
  if (++counters_.calls % kCallsBetweenDropCounts == 0) CountDrops();
  const int64_t now_nanos = NowNanos();
  for (size_t i = 0; i < static_cast<size_t>(n); ++i) {
    Append(i, std::min<size_t>(batch.headers[i].msg_len, batch.max_octets), now_nanos);
    batch.Rearm(i);
  }
  counters_.datagrams += batch.datagrams.size();
  return batch.datagrams;
}

void UdpListener::Append(size_t slot, size_t octets, int64_t arrival_nanos) {
  Batch& batch = *batch_;
  msghdr& header = batch.headers[slot].msg_hdr;
  record::Datagram datagram;
  if (batch.names[slot].sin6_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(batch.names[slot]);
    datagram.source = base::IpAddress::V4(ntohl(in.sin_addr.s_addr));
    datagram.source_port = ntohs(in.sin_port);
  } else {
    datagram.source = base::IpAddress::FromV6(batch.names[slot].sin6_addr.s6_addr);
    datagram.source_port = ntohs(batch.names[slot].sin6_port);
  }
  datagram.destination = endpoint_.address;
  datagram.destination_port = endpoint_.port;
  datagram.arrival_nanos = arrival_nanos;
  size_t segment = octets;
  if (batch.with_control) {
    for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr; control = CMSG_NXTHDR(&header, control)) {
      const uint8_t* data = CMSG_DATA(control);
      if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
        datagram.destination = base::IpAddress::FromV4(data + offsetof(in_pktinfo, ipi_addr));
      } else if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
        datagram.destination = base::IpAddress::FromV6(data + offsetof(in6_pktinfo, ipi6_addr));
      } else if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_TIMESTAMPNS) {
        timespec time;
        std::memcpy(&time, data, sizeof(time));
        datagram.arrival_nanos = NanosOf(time);
      } else if (control->cmsg_level == IPPROTO_UDP && control->cmsg_type == UDP_GRO) {
        int size;
        std::memcpy(&size, data, sizeof(size));
        if (size > 0) segment = static_cast<size_t>(size);
      }
    }
  }
  counters_.octets += octets;
  if ((header.msg_flags & MSG_TRUNC) != 0) ++counters_.truncated;
  const uint8_t* at = static_cast<const uint8_t*>(batch.vectors[slot].iov_base);
  do {
    datagram.octets = base::Octets(at, std::min(segment, octets));
    batch.datagrams.push_back(datagram);
    at += datagram.octets.size();
    octets -= datagram.octets.size();
  } while (octets > 0);
}

absl::Status UdpListener::FollowInterface() {
  if (interface_.empty()) return absl::OkStatus();
  const unsigned index = if_nametoindex(interface_.c_str());
  if (index == interface_index_) return absl::OkStatus();
  if (index == 0) {
    return absl::NotFoundError(absl::StrCat(endpoint_.ToString(), ": interface '", interface_, "' is gone"));
  }
  if (absl::Status status = BindToDevice(socket_, endpoint_.ToString(), interface_); !status.ok()) return status;
  interface_index_ = index;
  ++counters_.interface_changes;
  return absl::OkStatus();
}

// SO_RXQ_OVFL would tell the same number with each datagram: for a price each, and never those after the last one.
void UdpListener::CountDrops() {
  uint32_t memory[SK_MEMINFO_VARS] = {};
  socklen_t length = sizeof(memory);
  if (getsockopt(socket_.get(), SOL_SOCKET, SO_MEMINFO, memory, &length) != 0) return;
  counters_.kernel_drops += static_cast<uint32_t>(memory[SK_MEMINFO_DROPS] - last_drops_);
  last_drops_ = memory[SK_MEMINFO_DROPS];
}

const UdpListenerCounters& UdpListener::counters() {
  CountDrops();
  return counters_;
}

}  // namespace flowacct::collector
