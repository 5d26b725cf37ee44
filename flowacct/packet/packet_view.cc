#include "flowacct/packet/packet_view.h"

#include <algorithm>

#include "flowacct/packet/ip_headers.h"

namespace flowacct::packet {

base::Octets PacketView::payload(const Layer& layer) const {
  const size_t begin = layer.offset + layer.length;
  const size_t end = std::min<size_t>(octets_.size(), size_t{layer.offset} + layer.extent);
  return begin < end ? octets_.subspan(begin, end - begin) : base::Octets();
}

base::IpAddress PacketView::source(const IpLevel& level) const {
  const Layer& layer = layers_[level.ip_layer];
  return level.version == 4 ? As<Ipv4View>(layer).source() : As<Ipv6View>(layer).source();
}

base::IpAddress PacketView::destination(const IpLevel& level) const {
  const Layer& layer = layers_[level.ip_layer];
  return level.version == 4 ? As<Ipv4View>(layer).destination() : As<Ipv6View>(layer).destination();
}

bool FindUdp(const PacketView& view, UdpDatagram* datagram) {
  const IpLevel* level = view.level(0);
  return level != nullptr && FindUdp(view, *level, datagram);
}

bool FindUdp(const PacketView& view, const IpLevel& level, UdpDatagram* datagram) {
  constexpr uint8_t kUdp = 17;
  if (level.protocol != kUdp || level.fragment || level.payload_captured < 8) return false;
  const base::Octets octets = view.octets().subspan(level.payload_offset, level.payload_captured);
  const UdpView udp(octets.first(8));
  // Zero: as long as the IP packet says (RFC 2675, 4).
  const uint32_t length = udp.length() == 0 ? level.payload_length : udp.length();
  if (length < 8) return false;
  datagram->source = view.source(level);
  datagram->destination = view.destination(level);
  datagram->source_port = udp.source_port();
  datagram->destination_port = udp.destination_port();
  datagram->truncated = octets.size() < length;
  datagram->payload = octets.subspan(8, std::min<size_t>(octets.size(), length) - 8);
  return true;
}

}  // namespace flowacct::packet
