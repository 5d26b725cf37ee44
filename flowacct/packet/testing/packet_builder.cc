#include "flowacct/packet/testing/packet_builder.h"

#include "flowacct/base/ip_address.h"
#include "flowacct/base/mac_address.h"

namespace flowacct::packet {

PacketBuilder& PacketBuilder::Begin(const Numbers& self, Names names, size_t names_offset, Length length,
                                    size_t length_offset) {
  const size_t at = octets_.size();
  if (!headers_.empty()) {
    const Header& before = headers_.back();
    uint8_t* const octets = const_cast<uint8_t*>(octets_.octets().data());
    switch (before.names) {
      case Names::kNothing:
        break;
      case Names::kEtherType:
        octets_.PatchU16(before.names_at, self.ether_type);
        break;
      case Names::kIpProtocol:
        octets[before.names_at] = self.ip_protocol;
        break;
      case Names::kUdpPort:
        if (base::LoadBe16(octets + before.names_at) == 0) octets_.PatchU16(before.names_at, self.udp_port);
        break;
      case Names::kPppProtocol:
        octets_.PatchU16(before.names_at, self.ppp);
        break;
      case Names::kNshProtocol:
        octets[before.names_at] = self.nsh;
        break;
    }
  }
  headers_.push_back({at, names, at + names_offset, length, at + length_offset});
  return *this;
}

void PacketBuilder::Address(absl::string_view text, bool ipv6) {
  const base::IpAddress address = base::IpAddress::Parse(text).value();
  octets_.Bytes(ipv6 ? address.octets() : address.octets().subspan(12));
}

PacketBuilder& PacketBuilder::Ethernet(absl::string_view source, absl::string_view destination) {
  Begin({0x6558, 143, 0, 0, 3}, Names::kEtherType, 12);
  octets_.Bytes(base::MacAddress::Parse(destination)->octets).Bytes(base::MacAddress::Parse(source)->octets).U16(0);
  return *this;
}

PacketBuilder& PacketBuilder::Ieee8023() {
  Begin({0x6558, 143, 0, 0, 3}, Names::kNothing, 0, Length::kIeee8023, 12);
  octets_.Fill(6, 2).Fill(6, 4).U16(0);
  return *this;
}

PacketBuilder& PacketBuilder::Snap() {
  Begin({}, Names::kEtherType, 6);
  octets_.U24(0xaaaa03).U24(0).U16(0);
  return *this;
}

PacketBuilder& PacketBuilder::Vlan(uint16_t vlan, uint8_t priority, uint16_t tpid) {
  Begin({tpid}, Names::kEtherType, 2);
  octets_.U16(static_cast<uint16_t>(priority << 13 | vlan)).U16(0);
  return *this;
}

PacketBuilder& PacketBuilder::Mpls(std::initializer_list<uint32_t> labels) {
  Begin({0x8847, 137, 6635, 0x0281, 5}, Names::kNothing, 0);
  size_t i = 0;
  for (uint32_t label : labels) octets_.U32(label << 12 | (++i == labels.size() ? 0x100u : 0u) | 64u);
  return *this;
}

PacketBuilder& PacketBuilder::PwControlWord() {
  Begin({}, Names::kNothing, 0);
  octets_.U32(0);
  return *this;
}

PacketBuilder& PacketBuilder::Pppoe(uint16_t session) {
  Begin({0x8864}, Names::kNothing, 0, Length::kPppoe, 4);
  octets_.U8(0x11).U8(0).U16(session).U16(0);
  return *this;
}

PacketBuilder& PacketBuilder::Ppp() {
  Begin({0x880b}, Names::kPppProtocol, 0);
  octets_.U16(0);
  return *this;
}

PacketBuilder& PacketBuilder::Pbb(uint32_t service) {
  Begin({0x88e7}, Names::kNothing, 0);
  octets_.U32(service);
  return *this;
}

PacketBuilder& PacketBuilder::Arp() {
  Begin({0x0806}, Names::kNothing, 0);
  octets_.U16(1).U16(0x0800).U8(6).U8(4).U16(1).Fill(20);
  return *this;
}

PacketBuilder& PacketBuilder::Nsh() {
  Begin({0x894f, 145, 0, 0, 4}, Names::kNshProtocol, 3);
  octets_.U16(0x0002).U8(2).U8(0).U24(100).U8(255);
  return *this;
}

PacketBuilder& PacketBuilder::Ipv4(absl::string_view source, absl::string_view destination, const Ip& fields) {
  Begin({0x0800, 4, 0, 0x0021, 1}, Names::kIpProtocol, 9, Length::kIpv4, 2);
  octets_.U8(static_cast<uint8_t>(0x45 + fields.options.size() / 4)).U8(fields.tos).U16(0).U16(fields.id);
  octets_.U16(static_cast<uint16_t>((fields.more_fragments ? 0x2000 : 0) | fields.fragment_offset / 8));
  octets_.U8(fields.ttl).U8(0).U16(0);
  Address(source, false);
  Address(destination, false);
  octets_.Bytes(fields.options);
  return *this;
}

PacketBuilder& PacketBuilder::Ipv6(absl::string_view source, absl::string_view destination, const Ip& fields) {
  Begin({0x86dd, 41, 0, 0x0057, 2}, Names::kIpProtocol, 6, Length::kIpv6, 4);
  octets_.U32(0x60000000u | uint32_t{fields.tos} << 20 | fields.flow_label).U16(0).U8(59).U8(fields.ttl);
  Address(source, true);
  Address(destination, true);
  return *this;
}

PacketBuilder& PacketBuilder::Extension(uint8_t protocol, base::Octets body) {
  Begin({0, protocol}, Names::kIpProtocol, 0);
  octets_.U8(59).U8(static_cast<uint8_t>((body.size() + 2) / 8 - 1)).Bytes(body);
  return *this;
}

PacketBuilder& PacketBuilder::HopByHop() { return Extension(0, {5, 2, 0, 0, 1, 0}); }
PacketBuilder& PacketBuilder::DestinationOptions() { return Extension(60, {1, 4, 0, 0, 0, 0}); }

PacketBuilder& PacketBuilder::HopByHopJumbo() {
  headers_.back().length = Length::kNone;
  Begin({0, 0}, Names::kIpProtocol, 0, Length::kJumbo, 4);
  octets_.U8(59).U8(0).U8(0xc2).U8(4).U32(0);
  return *this;
}

PacketBuilder& PacketBuilder::SegmentRouting(std::initializer_list<absl::string_view> segments) {
  Begin({0, 43}, Names::kIpProtocol, 0);
  const uint8_t last = static_cast<uint8_t>(segments.size() - 1);
  octets_.U8(59).U8(static_cast<uint8_t>(2 * segments.size())).U8(4).U8(last).U8(last).U8(0).U16(0);
  for (absl::string_view segment : segments) Address(segment, true);
  return *this;
}

PacketBuilder& PacketBuilder::Fragment(uint32_t id, uint16_t offset, bool more) {
  Begin({0, 44}, Names::kIpProtocol, 0);
  octets_.U8(59).U8(0).U16(static_cast<uint16_t>(offset | (more ? 1 : 0))).U32(id);
  return *this;
}

PacketBuilder& PacketBuilder::Ah() {
  Begin({0, 51}, Names::kIpProtocol, 0);
  octets_.U8(59).U8(4).U16(0).U32(0x1001).U32(1).Fill(12);
  return *this;
}

PacketBuilder& PacketBuilder::Esp() {
  Begin({0, 50}, Names::kNothing, 0);
  octets_.U32(0x1002).U32(1);
  return *this;
}

PacketBuilder& PacketBuilder::Tcp(uint16_t source_port, uint16_t destination_port, uint16_t flags,
                                  size_t option_octets) {
  Begin({0, 6}, Names::kNothing, 0);
  octets_.U16(source_port).U16(destination_port).U32(1).U32(2);
  octets_.U16(static_cast<uint16_t>((5 + option_octets / 4) << 12 | flags)).U16(1000).U32(0).Fill(option_octets, 1);
  return *this;
}

PacketBuilder& PacketBuilder::Udp(uint16_t source_port, uint16_t destination_port) {
  Begin({0, 17}, Names::kUdpPort, 2, Length::kUdp, 4);
  octets_.U16(source_port).U16(destination_port).U16(0).U16(0);
  return *this;
}

PacketBuilder& PacketBuilder::Sctp(uint16_t source_port, uint16_t destination_port) {
  Begin({0, 132}, Names::kNothing, 0);
  octets_.U16(source_port).U16(destination_port).U32(7).U32(0);
  return *this;
}

PacketBuilder& PacketBuilder::Icmp(uint8_t type, uint8_t code) {
  Begin({0, 1}, Names::kNothing, 0);
  octets_.U8(type).U8(code).U16(0).U32(0);
  return *this;
}

PacketBuilder& PacketBuilder::Icmpv6(uint8_t type, uint8_t code) {
  Begin({0, 58}, Names::kNothing, 0);
  octets_.U8(type).U8(code).U16(0).U32(0);
  return *this;
}

PacketBuilder& PacketBuilder::Gre(const GreFields& fields) {
  Begin({0, 47}, Names::kEtherType, 2);
  octets_.U16(static_cast<uint16_t>((fields.checksum ? 0x8000 : 0) | (fields.has_key ? 0x2000 : 0) |
                                    (fields.sequence ? 0x1000 : 0)));
  octets_.U16(0);
  if (fields.checksum) octets_.U32(0);
  if (fields.has_key) octets_.U32(fields.key);
  if (fields.sequence) octets_.U32(1);
  return *this;
}

PacketBuilder& PacketBuilder::Erspan(int type) {
  Begin({static_cast<uint16_t>(type == 3 ? 0x22eb : 0x88be)}, Names::kNothing, 0);
  if (type == 2) octets_.U16(0x1064).U16(0x0005).U32(0);
  if (type == 3) octets_.U16(0x2064).U16(0x0005).U32(0).U16(0).U16(0);
  return *this;
}

PacketBuilder& PacketBuilder::Vxlan(uint32_t vni) {
  Begin({0, 0, 4789}, Names::kNothing, 0);
  octets_.U32(0x08000000).U24(vni).U8(0);
  return *this;
}

PacketBuilder& PacketBuilder::VxlanGpe(uint32_t vni) {
  Begin({0, 0, 4790}, Names::kNshProtocol, 3);
  octets_.U32(0x0c000000).U24(vni).U8(0);
  return *this;
}

PacketBuilder& PacketBuilder::Geneve(uint32_t vni, size_t option_words) {
  Begin({0, 0, 6081}, Names::kEtherType, 2);
  octets_.U8(static_cast<uint8_t>(option_words)).U8(0).U16(0).U24(vni).U8(0);
  // Options of two words each, the last of one if the number is odd.
  for (size_t left = option_words; left > 0; left -= left >= 2 ? 2 : 1) {
    octets_.U16(0x0102).U8(1).U8(left >= 2 ? 1 : 0);
    if (left >= 2) octets_.U32(0);
  }
  return *this;
}

PacketBuilder& PacketBuilder::GtpU(uint32_t teid, size_t extensions) {
  Begin({0, 0, 2152}, Names::kNothing, 0, Length::kGtpU, 2);
  octets_.U8(extensions > 0 ? 0x34 : 0x30).U8(255).U16(0).U32(teid);
  if (extensions == 0) return *this;
  octets_.U24(0).U8(0x85);
  for (size_t i = 1; i <= extensions; ++i) octets_.U8(1).U16(0).U8(i < extensions ? 0x85 : 0);
  return *this;
}

PacketBuilder& PacketBuilder::GtpU(uint32_t teid, const GtpFields& fields) {
  Begin({0, 0, 2152}, Names::kNothing, 0, Length::kGtpU, 2);
  const int flags = (fields.extensions.empty() ? 0 : 4) | (fields.sequence ? 2 : 0) | (fields.npdu ? 1 : 0);
  octets_.U8(static_cast<uint8_t>(0x30 | flags)).U8(fields.type).U16(0).U32(teid);
  if (flags == 0) return *this;
  octets_.U16(fields.sequence.value_or(0)).U8(fields.npdu.value_or(0));
  for (const auto& [type, content] : fields.extensions) {
    octets_.U8(type).U8(static_cast<uint8_t>((content.size() + 2) / 4)).Bytes(content);
  }
  octets_.U8(0);
  return *this;
}

PacketBuilder& PacketBuilder::L2tp(uint16_t tunnel, uint16_t session) {
  Begin({0, 0, 1701}, Names::kNothing, 0);
  octets_.U16(0x0002).U16(tunnel).U16(session);
  return *this;
}

PacketBuilder& PacketBuilder::Teredo() {
  Begin({0, 0, 3544}, Names::kNothing, 0);
  octets_.U16(0).U16(0).U32(0);  // origin indication
  return *this;
}

PacketBuilder& PacketBuilder::Octets(base::Octets octets) {
  octets_.Bytes(octets);
  return *this;
}

PacketBuilder& PacketBuilder::Payload(size_t n, uint8_t fill) {
  octets_.Fill(n, fill);
  return *this;
}

PacketBuilder& PacketBuilder::Padding(size_t n) {
  padding_ += n;
  return *this;
}

std::vector<uint8_t> PacketBuilder::Build() const {
  std::vector<uint8_t> packet(octets_.octets().begin(), octets_.octets().end());
  for (const Header& header : headers_) {
    const size_t length = packet.size() - header.at;
    uint8_t* const field = packet.data() + header.length_at;
    switch (header.length) {
      case Length::kNone:
        break;
      case Length::kIpv4:
      case Length::kUdp:
        base::StoreBe16(field, static_cast<uint16_t>(length));
        break;
      case Length::kIpv6:
        base::StoreBe16(field, static_cast<uint16_t>(length - 40));
        break;
      case Length::kJumbo:
        base::StoreBe32(field, static_cast<uint32_t>(length));
        break;
      case Length::kPppoe:
        base::StoreBe16(field, static_cast<uint16_t>(length - 6));
        break;
      case Length::kGtpU:
        base::StoreBe16(field, static_cast<uint16_t>(length - 8));
        break;
      case Length::kIeee8023:
        base::StoreBe16(field, static_cast<uint16_t>(length - 14));
        break;
    }
  }
  packet.insert(packet.end(), padding_, 0);
  return packet;
}

}  // namespace flowacct::packet
