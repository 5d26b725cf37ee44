#include "flowacct/collector/probe/pcap_transport.h"

#include "absl/memory/memory.h"
#include "flowacct/collector/capture/captured_packet.h"
#include "flowacct/collector/generate/export_encoder.h"

namespace flowacct::collector {
namespace {

constexpr uint32_t kSource = 0xc0000201, kDestination = 0xc0000202;  // RFC 5737
constexpr uint16_t kSourcePort = 50000;

}  // namespace

absl::StatusOr<std::unique_ptr<PcapTransport>> PcapTransport::New(absl::string_view path, uint16_t port) {
  auto writer = PcapWriter::New(path);
  if (!writer.ok()) return writer.status();
  return absl::WrapUnique(new PcapTransport(*std::move(writer), port));
}

absl::Status PcapTransport::Send(base::Octets datagram, uint64_t) {
  frame_.Clear();
  EncodeUdpEnvelope({kSource, kDestination, kSourcePort, port_, identification_++}, datagram.size(), &frame_);
  frame_.Bytes(datagram);
  CapturedPacket packet;
  packet.octets = frame_.octets();
  packet.wire_length = static_cast<uint32_t>(frame_.size());
  packet.time_nanos = time_nanos_;
  packet.link_type = 1;  // Ethernet
  return writer_->Write(packet);
}

}  // namespace flowacct::collector
