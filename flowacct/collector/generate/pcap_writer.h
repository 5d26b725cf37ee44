// Writes a capture file in the classic pcap format (draft-ietf-opsawg-pcap, version 2.4), in the host's byte order.
//
// Ownership: nothing of a packet is kept. Threads: one at a time. Errors: a Status with the path and the system's
// reason; after one, every later call repeats it. Cost: a copy into a block of 1 MiB.

#ifndef FLOWACCT_COLLECTOR_GENERATE_PCAP_WRITER_H_
#define FLOWACCT_COLLECTOR_GENERATE_PCAP_WRITER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/collector/capture/captured_packet.h"

namespace flowacct::collector {

struct PcapWriterOptions {
  // Times in nanoseconds instead of microseconds. Off: every program reads microseconds.
  bool nanoseconds = false;
  // Packets are cut at this. tcpdump's default.
  uint32_t snap_length = 262144;
  uint16_t link_type = 1;  // Ethernet
};

class PcapWriter {
 public:
  // "-" is standard output. An existing file is replaced.
  static absl::StatusOr<std::unique_ptr<PcapWriter>> New(absl::string_view path, PcapWriterOptions options = {});
  // Closes; what could not be written then is lost silently, so call Close.
  ~PcapWriter();
  PcapWriter(const PcapWriter&) = delete;
  PcapWriter& operator=(const PcapWriter&) = delete;

  absl::Status Write(const CapturedPacket& packet);
  absl::Status Close();

 private:
  PcapWriter(std::string path, int fd, PcapWriterOptions options);
  void Append(const void* octets, size_t n) { block_.append(static_cast<const char*>(octets), n); }
  absl::Status Flush();

  const std::string path_;
  const PcapWriterOptions options_;
  int fd_;
  std::string block_;
  absl::Status status_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_GENERATE_PCAP_WRITER_H_
