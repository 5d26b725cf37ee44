// Writes export datagrams into a capture, each in a frame of Ethernet, IPv4 and UDP from 192.0.2.1 to 192.0.2.2.
//
// Ownership: owns its writer. Threads: one at a time. Errors: those of PcapWriter. Cost: a copy.

#ifndef FLOWACCT_COLLECTOR_PROBE_PCAP_TRANSPORT_H_
#define FLOWACCT_COLLECTOR_PROBE_PCAP_TRANSPORT_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/collector/generate/pcap_writer.h"
#include "flowacct/sink/export/export_encoder.h"

namespace flowacct::collector {

class PcapTransport final : public sink::ExportTransport {
 public:
  // "-" is standard output. `port`: the destination's, by which other programs tell the protocol.
  static absl::StatusOr<std::unique_ptr<PcapTransport>> New(absl::string_view path, uint16_t port);

  // Of the datagrams that follow.
  void set_time_nanos(int64_t time_nanos) { time_nanos_ = time_nanos; }
  absl::Status Send(base::Octets datagram, uint64_t rows) override;
  absl::Status Close() override { return writer_->Close(); }

 private:
  PcapTransport(std::unique_ptr<PcapWriter> writer, uint16_t port) : writer_(std::move(writer)), port_(port) {}

  const std::unique_ptr<PcapWriter> writer_;
  const uint16_t port_;
  int64_t time_nanos_ = 0;
  uint16_t identification_ = 0;
  base::OctetWriter frame_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_PROBE_PCAP_TRANSPORT_H_
