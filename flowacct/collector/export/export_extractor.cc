#include "flowacct/collector/export/export_extractor.h"

namespace flowacct::collector {
namespace {

constexpr uint8_t kUdp = 17;
constexpr uint8_t kDestinationOptions = 60;
constexpr size_t kUdpHeaderOctets = 8;

// The UDP datagram at the end of a whole IP packet; false unless all of it is there.
bool ReadUdp(base::Octets udp, record::Datagram* datagram) {
  if (udp.size() < kUdpHeaderOctets) return false;
  const uint16_t length = base::LoadBe16(udp.data() + 4);
  if (length < kUdpHeaderOctets || length > udp.size()) return false;
  datagram->source_port = base::LoadBe16(udp.data());
  datagram->destination_port = base::LoadBe16(udp.data() + 2);
  datagram->octets = udp.subspan(kUdpHeaderOctets, length - kUdpHeaderOctets);
  return true;
}

// What nearly every export is. False for all that has something out of the ordinary, which the general parser reads:
// fragments, extension headers, cut packets.
bool ReadPlainEthernet(base::Octets frame, record::Datagram* datagram) {
  constexpr size_t kEthernetOctets = 14;
  constexpr size_t kVlanTagOctets = 4;
  constexpr size_t kIpv4Octets = 20;
  constexpr size_t kIpv6Octets = 40;
  if (frame.size() < kEthernetOctets + 2 * kVlanTagOctets + kIpv4Octets + kUdpHeaderOctets) return false;
  const uint8_t* const p = frame.data();
  size_t ip = kEthernetOctets;
  uint16_t ether_type = base::LoadBe16(p + 12);
  for (int tags = 0; tags < 2 && (ether_type == 0x8100 || ether_type == 0x88a8); ++tags) {  // IEEE 802.1Q, 802.1ad
    ether_type = base::LoadBe16(p + ip + 2);
    ip += kVlanTagOctets;
  }
  if (ether_type == 0x0800) {
    const size_t header = size_t{4} * (p[ip] & 0x0f);
    const uint16_t total = base::LoadBe16(p + ip + 2);
    const uint16_t fragment = base::LoadBe16(p + ip + 6) & 0x3fff;  // more fragments, or an offset
    if (p[ip] >> 4 != 4 || header < kIpv4Octets || fragment != 0 || p[ip + 9] != kUdp) return false;
    if (total < header || total > frame.size() - ip) return false;
    if (!ReadUdp(frame.subspan(ip + header, total - header), datagram)) return false;
    datagram->source = base::IpAddress::FromV4(p + ip + 12);
    datagram->destination = base::IpAddress::FromV4(p + ip + 16);
    return true;
  }
  if (ether_type == 0x86dd) {
    if (frame.size() - ip < kIpv6Octets || p[ip] >> 4 != 6 || p[ip + 6] != kUdp) return false;
    const uint16_t payload = base::LoadBe16(p + ip + 4);
    if (payload > frame.size() - ip - kIpv6Octets) return false;
    if (!ReadUdp(frame.subspan(ip + kIpv6Octets, payload), datagram)) return false;
    datagram->source = base::IpAddress::FromV6(p + ip + 8);
    datagram->destination = base::IpAddress::FromV6(p + ip + 24);
    return true;
  }
  return false;
}

void Take(const packet::UdpDatagram& udp, record::Datagram* datagram) {
  datagram->octets = udp.payload;
  datagram->source = udp.source;
  datagram->destination = udp.destination;
  datagram->source_port = udp.source_port;
  datagram->destination_port = udp.destination_port;
}

}  // namespace

ExportExtractor::ExportExtractor(packet::ReassemblerOptions reassembler) : reassembler_(reassembler) {}

bool ExportExtractor::Extract(const CapturedPacket& packet, record::Datagram* datagram) {
  ++counters_.packets;
  datagram->arrival_nanos = packet.time_nanos;
  datagram->number = packet.number;
  datagram->transport = record::Transport::kUdp;
  if (packet.link_type == static_cast<uint32_t>(packet::LinkType::kEthernet) &&
      ReadPlainEthernet(packet.octets, datagram)) {
    ++counters_.datagrams;
    return true;
  }
  if (packet.link_type == kLinkTypeIpfixMessage) {
    datagram->octets = packet.octets;
    datagram->source = datagram->destination = base::IpAddress();
    datagram->source_port = datagram->destination_port = 0;
    datagram->transport = record::Transport::kFile;
    ++counters_.datagrams;
    return true;
  }
  return ExtractGeneral(packet, datagram);
}

bool ExportExtractor::ExtractGeneral(const CapturedPacket& packet, record::Datagram* datagram) {
  const base::DecodeResult result =
      packet::Parse(static_cast<packet::LinkType>(packet.link_type), packet.octets, packet.wire_length, &view_);
  packet::UdpDatagram udp;
  if (packet::FindUdp(view_, &udp)) {
    Take(udp, datagram);
    ++counters_.datagrams;
    if (udp.truncated) ++counters_.cut;
    return true;
  }
  packet::IpFragment fragment;
  // An IPv6 fragment may begin with destination options before its UDP header (RFC 8200, 4.1).
  if (packet::FindFragment(view_, &fragment) &&
      (fragment.protocol == kUdp || (fragment.version == 6 && fragment.protocol == kDestinationOptions))) {
    packet::ReassembledPacket whole;
    if (!reassembler_.Add(fragment, packet.time_nanos, &whole)) {
      ++counters_.fragments;
      return false;
    }
    if (packet::FindUdp(whole, &udp)) {
      Take(udp, datagram);
      ++counters_.datagrams;
      ++counters_.reassembled;
      return true;
    }
    ++(whole.protocol == kUdp ? counters_.undecodable : counters_.other);
    return false;
  }
  const packet::IpLevel* const ip = view_.level(0);
  const bool undecodable = ip == nullptr ? !result.ok() : ip->protocol == kUdp;
  ++(undecodable ? counters_.undecodable : counters_.other);
  return false;
}

}  // namespace flowacct::collector
