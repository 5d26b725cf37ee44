#include "flowacct/flow/sflow/testing/capture_payloads.h"

#include <cstdlib>
#include <fstream>

#include "flowacct/packet/packet_view.h"
#include "flowacct/testing/capture_file.h"

namespace flowacct::sflow {

std::string CapturePath(const std::string& name) {
  const char* folder = std::getenv("FLOWACCT_CAPTURES");
  if (folder == nullptr) return "";
  const std::string path = std::string(folder) + "/sflow/" + name;
  return std::ifstream(path).good() ? path : "";
}

std::vector<std::vector<uint8_t>> CapturePayloads(const std::string& path) {
  std::vector<std::vector<uint8_t>> payloads;
  for (const testing::CapturedFrame& frame : testing::ReadCaptureFile(path)) {
    packet::PacketView view;
    (void)packet::Parse(static_cast<packet::LinkType>(frame.link_type), frame.octets, frame.wire_length, &view);
    packet::UdpDatagram udp;
    if (packet::FindUdp(view, &udp)) payloads.emplace_back(udp.payload.begin(), udp.payload.end());
  }
  return payloads;
}

}  // namespace flowacct::sflow
