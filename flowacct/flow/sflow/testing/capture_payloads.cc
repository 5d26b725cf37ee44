#include "flowacct/flow/sflow/testing/capture_payloads.h"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "flowacct/base/octets.h"
#include "flowacct/packet/packet_view.h"

namespace flowacct::sflow {

std::string CapturePath(const std::string& name) {
  const char* folder = std::getenv("FLOWACCT_CAPTURES");
  if (folder == nullptr) return "";
  const std::string path = std::string(folder) + "/sflow/" + name;
  return std::ifstream(path).good() ? path : "";
}

std::vector<std::vector<uint8_t>> CapturePayloads(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<uint8_t> octets((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::vector<std::vector<uint8_t>> payloads;
  constexpr size_t kFileHeader = 24;
  constexpr size_t kRecordHeader = 16;
  if (octets.size() < kFileHeader) return payloads;
  // 0xa1b2c3d4 (microseconds) or 0xa1b23c4d (nanoseconds), in the byte order of the writer.
  const bool big = octets[0] == 0xa1;
  const auto word = [&](size_t at) {
    return big ? base::LoadBe32(octets.data() + at) : base::LoadHost<uint32_t>(octets.data() + at);
  };
  const auto link_type = static_cast<packet::LinkType>(word(20) & 0xffff);
  for (size_t at = kFileHeader; at + kRecordHeader <= octets.size();) {
    const uint32_t captured = word(at + 8);
    const uint32_t wire = word(at + 12);
    at += kRecordHeader;
    if (captured > octets.size() - at) break;
    packet::PacketView view;
    (void)packet::Parse(link_type, base::Octets(octets).subspan(at, captured), wire, &view);
    packet::UdpDatagram udp;
    if (packet::FindUdp(view, &udp)) payloads.emplace_back(udp.payload.begin(), udp.payload.end());
    at += captured;
  }
  return payloads;
}

}  // namespace flowacct::sflow
