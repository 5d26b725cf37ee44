// Packets of a network interface, as they come: libpcap, which on Linux reads a ring that the kernel shares.
//
//     auto capture = InterfaceCapture::New({.device = "eth0", .filter = "udp"});
//     poller->Add((*capture)->descriptor(), token);
//     for (const CapturedPacket& packet : (*capture)->Read()) ...
//
// A device "nflog:5" is group 5 of the Linux firewall (NFLOG): its packets come as raw IP.
// An interface that goes away is waited for: Retry(), called every second or so, opens it again when it is back.
// Exact: what the kernel saw = packets + kernel_drops, over interruptions too; of NFLOG the kernel tells that it had to
// drop, not how many.
// Ownership: packets borrow a buffer of this until the next Read. Threads: one at a time.
// Errors: of making one, a Status with the device, the reason and what to do; later ones are in trouble().
// Cost: one call a batch, one copy of a packet's first snap_length octets; no allocation in steady state.

#ifndef FLOWACCT_COLLECTOR_LIVE_INTERFACE_CAPTURE_H_
#define FLOWACCT_COLLECTOR_LIVE_INTERFACE_CAPTURE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "flowacct/collector/capture/captured_packet.h"
#include "flowacct/collector/socket/descriptor.h"

struct pcap;
struct pcap_pkthdr;

namespace flowacct::collector {

enum class CaptureDirection : uint8_t { kBoth, kIn, kOut };

struct InterfaceCaptureOptions {
  std::string device;
  std::string filter;  // libpcap's language; empty: all
  uint32_t snap_length = 256;
  CaptureDirection direction = CaptureDirection::kBoth;
  bool promiscuous = true;
  // What the kernel holds while nobody reads.
  size_t buffer_octets = size_t{64} << 20;
  // Of one Read.
  size_t batch_packets = 1024;
};

struct InterfaceCaptureCounters {
  uint64_t packets = 0;
  uint64_t octets = 0;  // on the wire
  uint64_t kernel_drops = 0;
  uint64_t interruptions = 0;  // how often the interface went away
};

class InterfaceCapture {
 public:
  static absl::StatusOr<std::unique_ptr<InterfaceCapture>> New(InterfaceCaptureOptions options);
  ~InterfaceCapture();
  InterfaceCapture(const InterfaceCapture&) = delete;
  InterfaceCapture& operator=(const InterfaceCapture&) = delete;

  // Readable when there are packets; stays the same over interruptions.
  int descriptor() const { return epoll_.get(); }
  // What is there, without waiting.
  absl::Span<const CapturedPacket> Read();
  // For an interface that is gone.
  void Retry();

  const std::string& device() const { return options_.device; }
  const InterfaceCaptureCounters& counters();
  // Why nothing comes; empty: all is well.
  const std::string& trouble() const { return trouble_; }

 private:
  explicit InterfaceCapture(InterfaceCaptureOptions options);
  absl::Status Open();
  void CloseHandle(const std::string& why);
  void CountDrops();
  void Take(const struct pcap_pkthdr& header, const uint8_t* octets);

  const InterfaceCaptureOptions options_;
  Descriptor epoll_;
  struct pcap* handle_ = nullptr;  // null: the interface is gone
  uint32_t link_type_ = 0;
  int64_t nanos_per_tick_ = 1;
  uint32_t interface_index_ = 0;
  std::vector<uint8_t> buffer_;
  std::vector<CapturedPacket> packets_;
  size_t used_ = 0;
  uint32_t last_drops_ = 0;
  uint64_t number_ = 0;
  InterfaceCaptureCounters counters_;
  std::string trouble_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_LIVE_INTERFACE_CAPTURE_H_
