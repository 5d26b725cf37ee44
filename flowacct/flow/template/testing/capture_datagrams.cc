#include "flowacct/flow/template/testing/capture_datagrams.h"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "flowacct/base/octets.h"

namespace flowacct::flow::testing {

using base::LoadBe16;
using base::LoadHost;
using base::Octets;

std::optional<std::string> CapturePath(absl::string_view name) {
  const char* folder = std::getenv("FLOWACCT_CAPTURES");
  if (folder == nullptr || !std::ifstream(absl::StrCat(folder, "/MANIFEST.tsv")).good()) return std::nullopt;
  return absl::StrCat(folder, "/", name);
}

std::vector<uint8_t> ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return std::vector<uint8_t>(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

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
  const std::vector<uint8_t> file = ReadFile(path);
  if (file.size() < 24) return datagrams;
  const uint32_t magic = LoadHost<uint32_t>(file.data());
  const bool swapped = magic == 0xd4c3b2a1 || magic == 0x4d3cb2a1;
  auto number = [&](size_t at) {
    const uint32_t v = LoadHost<uint32_t>(file.data() + at);
    return swapped ? __builtin_bswap32(v) : v;
  };
  auto add = [&](size_t at, size_t length, uint32_t link_type, int64_t nanos) {
    CaptureDatagram item;
    const Octets payload = Payload(Octets(file.data() + at, length), link_type, &item.datagram);
    if (payload.size() < 2 || LoadBe16(payload.data()) < 1 || LoadBe16(payload.data()) > 10) return;
    item.octets.assign(payload.begin(), payload.end());
    item.datagram.octets = item.octets;
    item.datagram.arrival_nanos = nanos;
    item.datagram.number = datagrams.size() + 1;
    datagrams.push_back(std::move(item));
  };
  if (magic == 0x0a0d0d0a) {  // pcapng, of this machine's byte order: Enhanced Packet Blocks of Ethernet
    for (size_t at = 0; file.size() - at >= 28;) {
      const size_t block = number(at + 4);
      if (block < 12 || block > file.size() - at) break;
      const size_t length = number(at + 20);
      if (number(at) == 6 && length + 32 <= block) {
        const uint64_t ticks = uint64_t{number(at + 12)} << 32 | number(at + 16);
        // Microseconds, unless that would be a far future: then nanoseconds.
        add(at + 28, length, 1, static_cast<int64_t>(ticks < (uint64_t{1} << 57) ? ticks * 1000 : ticks));
      }
      at += block;
    }
    return datagrams;
  }
  const bool has_nanos = magic == 0xa1b23c4d || magic == 0x4d3cb2a1;
  const uint32_t link_type = number(20);
  for (size_t at = 24; file.size() - at >= 16;) {
    const size_t length = number(at + 8);
    if (file.size() - at - 16 < length) break;
    add(at + 16, length, link_type,
        int64_t{number(at)} * 1000000000 + int64_t{number(at + 4)} * (has_nanos ? 1 : 1000));
    at += 16 + length;
  }
  return datagrams;
}

}  // namespace flowacct::flow::testing
