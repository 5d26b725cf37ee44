#include "flowacct/flow/template/testing/capture_datagrams.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "flowacct/base/octets.h"
#include "flowacct/testing/capture_file.h"

namespace flowacct::flow::testing {

using base::LoadBe16;
using base::Octets;

std::optional<std::string> CapturePath(absl::string_view name) {
  const char* folder = std::getenv("FLOWACCT_CAPTURES");
  if (folder == nullptr || !std::ifstream(absl::StrCat(folder, "/MANIFEST.tsv")).good()) return std::nullopt;
  return absl::StrCat(folder, "/", name);
}

std::vector<uint8_t> ReadFile(const std::string& path) { return flowacct::testing::ReadFile(path); }

namespace {

// The UDP payload of a packet; empty if it has none.
Octets Payload(Octets packet, uint32_t link_type, record::Datagram* datagram) {
  size_t at = link_type == 1 ? 12 : 14;
  if (packet.size() < at + 2) return Octets();
  uint16_t ether_type = LoadBe16(packet.data() + at);
  at += 2;
  while (ether_type == 0x8100 && packet.size() >= at + 4) {
    ether_type = LoadBe16(packet.data() + at + 2);
    at += 4;
  }
  const uint8_t* ip = packet.data() + at;
  if (ether_type == 0x0800 && packet.size() >= at + 20 && ip[9] == 17) {
    datagram->source = base::IpAddress::FromV4(ip + 12);
    datagram->destination = base::IpAddress::FromV4(ip + 16);
    at += 4 * (ip[0] & 15);
  } else if (ether_type == 0x86dd && packet.size() >= at + 40 && ip[6] == 17) {
    datagram->source = base::IpAddress::FromV6(ip + 8);
    datagram->destination = base::IpAddress::FromV6(ip + 24);
    at += 40;
  } else {
    return Octets();
  }
  if (packet.size() < at + 8) return Octets();
  datagram->source_port = LoadBe16(packet.data() + at);
  datagram->destination_port = LoadBe16(packet.data() + at + 2);
  const size_t length = LoadBe16(packet.data() + at + 4);
  if (length < 8) return Octets();
  return packet.subspan(at + 8, std::min(length - 8, packet.size() - at - 8));
}

}  // namespace

std::vector<CaptureDatagram> ReadCapture(const std::string& path) {
  std::vector<CaptureDatagram> datagrams;
  for (const flowacct::testing::CapturedFrame& frame : flowacct::testing::ReadCaptureFile(path)) {
    CaptureDatagram item;
    const Octets payload = Payload(frame.octets, frame.link_type, &item.datagram);
    if (payload.size() < 2 || LoadBe16(payload.data()) < 1 || LoadBe16(payload.data()) > 10) continue;
    item.octets.assign(payload.begin(), payload.end());
    item.datagram.octets = item.octets;
    item.datagram.arrival_nanos = frame.time_nanos;
    item.datagram.number = datagrams.size() + 1;
    datagrams.push_back(std::move(item));
  }
  return datagrams;
}

}  // namespace flowacct::flow::testing
