#include "flowacct/collector/export/export_builder.h"

#include <algorithm>

#include "flowacct/collector/capture/capture_file_builder.h"

namespace flowacct::collector {
namespace {

std::string Zeros(size_t n) { return std::string(n, '\0'); }

std::string Sets(const BuiltSets& sets) {
  OrderedWriter w(true);
  for (const auto& [id, octets] : sets) w.U16(id).U16(static_cast<uint16_t>(4 + octets)).Text(Zeros(octets));
  return w.octets();
}

std::string Udp(absl::string_view payload, UdpPorts ports) {
  OrderedWriter w(true);
  w.U16(ports.source).U16(ports.destination).U16(static_cast<uint16_t>(8 + payload.size())).U16(0);
  return w.Text(payload).octets();
}

std::string Ipv4(absl::string_view payload, uint16_t id, uint16_t fragment, size_t option_octets) {
  OrderedWriter w(true);
  w.U8(static_cast<uint8_t>(0x45 + option_octets / 4)).U8(0);
  w.U16(static_cast<uint16_t>(20 + option_octets + payload.size())).U16(id).U16(fragment);
  w.U8(64).U8(17).U16(0).U32(0xc0000201).U32(0xc0000202);
  return w.Text(std::string(option_octets, '\1')).Text(payload).octets();  // option 1: no operation
}

}  // namespace

std::string BuildFixedNetflow(uint16_t version, uint16_t count) {
  OrderedWriter w(true);
  const size_t header = version == 1 ? 16 : 24;
  const size_t record = version == 1 || version == 5 ? 48 : 52;
  return w.U16(version).U16(count).Text(Zeros(header - 4 + count * record)).octets();
}

std::string BuildNetflow8(uint8_t scheme, uint16_t count, size_t record_octets) {
  OrderedWriter w(true);
  w.U16(8).U16(count).Text(Zeros(18)).U8(scheme).U8(2).U32(0);
  return w.Text(Zeros(count * record_octets)).octets();
}

std::string BuildNetflow9(const BuiltSets& sets) {
  OrderedWriter w(true);
  return w.U16(9)
      .U16(static_cast<uint16_t>(sets.size()))
      .U32(1000)
      .U32(1500000000)
      .U32(1)
      .U32(7)
      .Text(Sets(sets))
      .octets();
}

std::string BuildIpfix(const BuiltSets& sets) {
  const std::string body = Sets(sets);
  OrderedWriter w(true);
  return w.U16(10).U16(static_cast<uint16_t>(16 + body.size())).U32(1500000000).U32(1).U32(7).Text(body).octets();
}

std::string BuildSflow(uint32_t version, bool ipv6_agent, const std::vector<size_t>& samples) {
  OrderedWriter w(true);
  w.U32(version).U32(ipv6_agent ? 2 : 1).Text(std::string(ipv6_agent ? 16 : 4, '\1'));
  if (version == 5) w.U32(0);
  w.U32(1).U32(1000).U32(static_cast<uint32_t>(samples.size()));
  for (const size_t octets : samples) {
    w.U32(1);
    if (version == 5) w.U32(static_cast<uint32_t>(octets));
    w.Text(Zeros(octets));
  }
  return w.octets();
}

std::string BuildUdpIpv4(absl::string_view payload, UdpPorts ports, size_t option_octets) {
  return Ipv4(Udp(payload, ports), 1, 0, option_octets);
}

std::string BuildUdpIpv6(absl::string_view payload, UdpPorts ports) {
  const std::string udp = Udp(payload, ports);
  OrderedWriter w(true);
  w.U32(0x60000000).U16(static_cast<uint16_t>(udp.size())).U8(17).U8(64);
  for (const uint8_t last : {1, 2}) w.U32(0x20010db8).U64(0).U32(last);
  return w.Text(udp).octets();
}

std::vector<std::string> FragmentIpv4(absl::string_view packet, size_t octets) {
  const absl::string_view payload = packet.substr(20);
  std::vector<std::string> fragments;
  for (size_t at = 0; at < payload.size(); at += octets) {
    const uint16_t more = at + octets < payload.size() ? 0x2000 : 0;
    fragments.push_back(Ipv4(payload.substr(at, octets), 77, static_cast<uint16_t>(at / 8 | more), 0));
  }
  return fragments;
}

std::string BuildEthernet(uint16_t ether_type, absl::string_view payload,
                          const std::vector<std::pair<uint16_t, uint16_t>>& tags) {
  OrderedWriter w(true);
  w.Text(absl::string_view("\x02\0\0\0\0\1\x02\0\0\0\0\2", 12));
  for (const auto& [tpid, vlan] : tags) w.U16(tpid).U16(vlan);
  w.U16(ether_type).Text(payload);
  return w.Text(Zeros(w.octets().size() < 60 ? 60 - w.octets().size() : 0)).octets();  // IEEE 802.3's least frame
}

}  // namespace flowacct::collector
