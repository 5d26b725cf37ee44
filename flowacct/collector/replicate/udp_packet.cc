#include "flowacct/collector/replicate/udp_packet.h"

#include <algorithm>
#include <cstring>

namespace flowacct::collector {
namespace {

constexpr size_t kUdpHeader = 8;
constexpr size_t kIpv4Header = 20;
constexpr size_t kIpv6Header = 40;
constexpr size_t kIpv6FragmentHeader = 8;
constexpr uint8_t kProtocolUdp = 17;
constexpr uint8_t kProtocolFragment = 44;  // RFC 8200, 4.5

// Sums of 16-bit words may be made of longer ones, in the host's order: RFC 1071, 2.
uint64_t Sum(base::Octets octets, uint64_t sum) {
  const uint8_t* p = octets.data();
  size_t n = octets.size();
  for (; n >= 8; n -= 8, p += 8) {
    const uint64_t word = base::LoadHost<uint64_t>(p);
    sum += word;
    sum += sum < word ? 1 : 0;
  }
  uint64_t rest = 0;
  std::memcpy(&rest, p, n);
  sum += rest;
  return sum + (sum < rest ? 1 : 0);
}

// In the host's order, as Sum.
uint16_t Fold(uint64_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

uint16_t ToNetwork(uint16_t host_sum) {
  uint8_t octets[2];
  std::memcpy(octets, &host_sum, 2);
  return base::LoadBe16(octets);
}

size_t WriteIpv4(const UdpEnds& ends, const IpStyle& style, size_t payload_octets, size_t offset, bool more,
                 uint8_t* out) {
  out[0] = 0x45;
  out[1] = style.traffic_class;
  base::StoreBe16(out + 2, static_cast<uint16_t>(kIpv4Header + payload_octets));
  base::StoreBe16(out + 4, static_cast<uint16_t>(style.identification));
  base::StoreBe16(out + 6, static_cast<uint16_t>((more ? 0x2000 : 0) | offset / 8));
  out[8] = style.hop_limit;
  out[9] = kProtocolUdp;
  base::StoreBe16(out + 10, 0);
  std::memcpy(out + 12, ends.source.data() + 12, 4);
  std::memcpy(out + 16, ends.destination.data() + 12, 4);
  base::StoreBe16(out + 10, ToNetwork(Fold(Sum({out, kIpv4Header}, 0))));
  return kIpv4Header;
}

size_t WriteIpv6(const UdpEnds& ends, const IpStyle& style, size_t payload_octets, bool fragment, size_t offset,
                 bool more, uint8_t* out) {
  base::StoreBe32(out, uint32_t{6} << 28 | uint32_t{style.traffic_class} << 20);
  base::StoreBe16(out + 4, static_cast<uint16_t>(payload_octets + (fragment ? kIpv6FragmentHeader : 0)));
  out[6] = fragment ? kProtocolFragment : kProtocolUdp;
  out[7] = style.hop_limit;
  std::memcpy(out + 8, ends.source.data(), 16);
  std::memcpy(out + 24, ends.destination.data(), 16);
  if (!fragment) return kIpv6Header;
  out += kIpv6Header;
  out[0] = kProtocolUdp;
  out[1] = 0;
  base::StoreBe16(out + 2, static_cast<uint16_t>(offset | (more ? 1 : 0)));
  base::StoreBe32(out + 4, style.identification);
  return kIpv6Header + kIpv6FragmentHeader;
}

void WriteUdp(const UdpEnds& ends, base::Octets payload, uint8_t* out) {
  base::StoreBe16(out, ends.source_port);
  base::StoreBe16(out + 2, ends.destination_port);
  base::StoreBe16(out + 4, static_cast<uint16_t>(kUdpHeader + payload.size()));
  base::StoreBe16(out + 6, UdpChecksum(ends, payload));
}

}  // namespace

uint16_t UdpChecksum(const UdpEnds& ends, base::Octets payload) {
  const bool v4 = ends.source.IsV4();
  const auto length = static_cast<uint16_t>(kUdpHeader + payload.size());
  // What both families' pseudo headers come to, with the UDP header behind.
  uint8_t words[12] = {};
  base::StoreBe16(words, kProtocolUdp);
  base::StoreBe16(words + 2, length);
  base::StoreBe16(words + 4, ends.source_port);
  base::StoreBe16(words + 6, ends.destination_port);
  base::StoreBe16(words + 8, length);
  uint64_t sum = Sum(words, 0);
  sum = Sum(ends.source.octets().subspan(v4 ? 12 : 0), sum);
  sum = Sum(ends.destination.octets().subspan(v4 ? 12 : 0), sum);
  const uint16_t checksum = ToNetwork(Fold(Sum(payload, sum)));
  return checksum == 0 ? 0xffff : checksum;
}

bool AppendUdpPackets(const UdpEnds& ends, base::Octets payload, const IpStyle& style, std::vector<IpPacket>* packets) {
  const bool v4 = ends.source.IsV4();
  if (v4 != ends.destination.IsV4()) return false;
  const size_t total = kUdpHeader + payload.size();
  if (total > (v4 ? 65535 - kIpv4Header : 65535)) return false;
  const size_t mtu = std::max<size_t>(style.mtu_octets, v4 ? 68 : 1280);
  const size_t ip_header = v4 ? kIpv4Header : kIpv6Header;
  const bool fragment = ip_header + total > mtu;
  // Of what fragments hold, all but the last in multiples of 8.
  const size_t piece = fragment ? (mtu - ip_header - (v4 ? 0 : kIpv6FragmentHeader)) / 8 * 8 : total;
  for (size_t offset = 0; offset < total; offset += piece) {
    const size_t octets = std::min(piece, total - offset);
    const bool more = offset + octets < total;
    IpPacket& packet = packets->emplace_back();
    packet.header_octets = v4 ? WriteIpv4(ends, style, octets, offset, more, packet.header)
                              : WriteIpv6(ends, style, octets, fragment, offset, more, packet.header);
    if (offset == 0) {
      WriteUdp(ends, payload, packet.header + packet.header_octets);
      packet.header_octets += kUdpHeader;
      packet.payload = payload.first(octets - kUdpHeader);
    } else {
      packet.payload = payload.subspan(offset - kUdpHeader, octets);
    }
  }
  return true;
}

}  // namespace flowacct::collector
