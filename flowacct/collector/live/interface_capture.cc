#include "flowacct/collector/live/interface_capture.h"

#include <net/if.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/live/nflog_frame.h"

namespace flowacct::collector {
namespace {

constexpr uint32_t kLinkTypeRaw = 101;
constexpr int kNflogSnapLength = 1 << 18;

absl::Status DeviceError(const std::string& device, int code, absl::string_view text) {
  switch (code) {
    case PCAP_ERROR_NO_SUCH_DEVICE:
      return absl::NotFoundError(absl::StrCat(device, ": there is no such interface; `ip link` lists them"));
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED:
      return absl::PermissionDeniedError(
          absl::StrCat(device, ": not allowed to capture; start as root, or with CAP_NET_RAW"));
    case PCAP_ERROR_IFACE_NOT_UP:
      return absl::UnavailableError(absl::StrCat(device, ": the interface is down; `ip link set ", device, " up`"));
    default:
      return absl::UnavailableError(absl::StrCat(device, ": ", text));
  }
}

}  // namespace

InterfaceCapture::InterfaceCapture(InterfaceCaptureOptions options)
    : options_(std::move(options)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      buffer_(options_.batch_packets * options_.snap_length) {
  packets_.reserve(options_.batch_packets);
}

InterfaceCapture::~InterfaceCapture() {
  if (handle_ != nullptr) pcap_close(handle_);
}

absl::StatusOr<std::unique_ptr<InterfaceCapture>> InterfaceCapture::New(InterfaceCaptureOptions options) {
  std::unique_ptr<InterfaceCapture> capture(new InterfaceCapture(std::move(options)));
  if (absl::Status status = capture->Open(); !status.ok()) return status;
  return capture;
}

absl::Status InterfaceCapture::Open() {
  char text[PCAP_ERRBUF_SIZE] = "";
  std::unique_ptr<pcap_t, void (*)(pcap_t*)> made(pcap_create(options_.device.c_str(), text), pcap_close);
  pcap_t* const handle = made.get();
  if (handle == nullptr) return DeviceError(options_.device, PCAP_ERROR, text);
  // libpcap reads several packets of NFLOG at once, into a buffer that is little larger than the snap length.
  const bool nflog = absl::StartsWith(options_.device, "nflog:");
  pcap_set_snaplen(handle, nflog ? kNflogSnapLength : static_cast<int>(options_.snap_length));
  pcap_set_promisc(handle, options_.promiscuous ? 1 : 0);
  pcap_set_buffer_size(handle, static_cast<int>(std::min<size_t>(options_.buffer_octets, size_t{1} << 30)));
  pcap_set_timeout(handle, 100);  // milliseconds that a block of the ring may wait to be full
  pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO);
  const int activated = pcap_activate(handle);
  if (activated < 0) return DeviceError(options_.device, activated, pcap_geterr(handle));
  if (!options_.filter.empty()) {
    bpf_program program;
    if (pcap_compile(handle, &program, options_.filter.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0) {
      return absl::InvalidArgumentError(absl::StrCat("filter \"", options_.filter, "\": ", pcap_geterr(handle)));
    }
    const int set = pcap_setfilter(handle, &program);
    pcap_freecode(&program);
    if (set != 0) return DeviceError(options_.device, PCAP_ERROR, pcap_geterr(handle));
  }
  if (options_.direction != CaptureDirection::kBoth &&
      pcap_setdirection(handle, options_.direction == CaptureDirection::kIn ? PCAP_D_IN : PCAP_D_OUT) != 0) {
    return DeviceError(options_.device, PCAP_ERROR, pcap_geterr(handle));
  }
  if (pcap_setnonblock(handle, 1, text) != 0) return DeviceError(options_.device, PCAP_ERROR, text);
  epoll_event event{};
  event.events = EPOLLIN;
  const int fd = pcap_get_selectable_fd(handle);
  if (fd < 0 || epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return DeviceError(options_.device, PCAP_ERROR, "cannot be waited for");
  }
  // Frames of NFLOG come with microseconds.
  nanos_per_tick_ = pcap_get_tstamp_precision(handle) == PCAP_TSTAMP_PRECISION_NANO ? 1 : 1000;
  link_type_ = static_cast<uint32_t>(pcap_datalink(handle));
  interface_index_ = if_nametoindex(options_.device.c_str());
  last_drops_ = 0;
  trouble_.clear();
  handle_ = made.release();
  return absl::OkStatus();
}

void InterfaceCapture::CloseHandle(const std::string& why) {
  CountDrops();
  pcap_close(handle_);
  handle_ = nullptr;
  ++counters_.interruptions;
  trouble_ = absl::StrCat(options_.device, ": ", why, "; waiting for it to come back");
}

void InterfaceCapture::Retry() {
  if (handle_ == nullptr) (void)Open();
}

void InterfaceCapture::Take(const pcap_pkthdr& header, const uint8_t* octets) {
  uint32_t captured = header.caplen, length = header.len, link_type = link_type_;
  CapturedPacket packet;
  (options_.direction == CaptureDirection::kOut ? packet.out_if : packet.in_if) = interface_index_;
  if (link_type == kLinkTypeNflog) {
    if (const auto inside = PacketOfNflog(base::Octets(octets, captured))) {
      octets = inside->octets.data();
      captured = static_cast<uint32_t>(inside->octets.size());
      length = inside->wire_length;
      link_type = kLinkTypeRaw;
      packet.in_if = inside->in_if;
      packet.out_if = inside->out_if;
      packet.mark = inside->mark;
    }
  }
  captured = std::min(captured, options_.snap_length);
  uint8_t* const at = buffer_.data() + used_;
  std::memcpy(at, octets, captured);
  used_ += captured;
  packet.octets = base::Octets(at, captured);
  packet.time_nanos = int64_t{header.ts.tv_sec} * 1000000000 + int64_t{header.ts.tv_usec} * nanos_per_tick_;
  packet.number = ++number_;
  packet.wire_length = length;
  packet.link_type = link_type;
  packets_.push_back(packet);
  counters_.octets += length;
}

absl::Span<const CapturedPacket> InterfaceCapture::Read() {
  packets_.clear();
  used_ = 0;
  if (handle_ == nullptr) return packets_;
  // libpcap takes it for an error if a group has nothing.
  if (link_type_ == kLinkTypeNflog) {
    pollfd ready{pcap_get_selectable_fd(handle_), POLLIN, 0};
    if (poll(&ready, 1, 0) <= 0) return packets_;
  }
  const pcap_handler take = [](u_char* self, const pcap_pkthdr* header, const u_char* octets) {
    reinterpret_cast<InterfaceCapture*>(self)->Take(*header, octets);
  };
  const int count =
      pcap_dispatch(handle_, static_cast<int>(options_.batch_packets), take, reinterpret_cast<u_char*>(this));
  counters_.packets += packets_.size();
  if (count < 0) CloseHandle(pcap_geterr(handle_));
  return packets_;
}

void InterfaceCapture::CountDrops() {
  pcap_stat stats{};
  if (handle_ == nullptr || pcap_stats(handle_, &stats) != 0) return;
  counters_.kernel_drops += stats.ps_drop - last_drops_;  // 32 bits that wrap
  last_drops_ = stats.ps_drop;
}

const InterfaceCaptureCounters& InterfaceCapture::counters() {
  CountDrops();
  return counters_;
}

}  // namespace flowacct::collector
