// The short way of PacketDecoder: Ethernet with up to two tags, or no link at all; IPv4 without options or fragments,
// or IPv6 without extension headers; and nothing asked that lies deeper. Everything else takes the general path, which
// gives the same rows for these packets too (packet_decoder_test holds the two against each other).

#include <algorithm>
#include <cstring>

#include "flowacct/packet/ip_protocol.h"
#include "flowacct/packet/packet_decoder.h"

namespace flowacct::packet {

using record::FieldId;

namespace {

// What tells one shape from another; together an index of PacketDecoder::presence_.
constexpr size_t kShapeIpv6 = 1;
constexpr size_t kShapePorts = 1 << 1;  // 2: ports; 4: type and code; 6: ports and control bits
constexpr size_t kShapeIcmp = 2 << 1;
constexpr size_t kShapeTcp = 3 << 1;
constexpr size_t kShapeTransportMask = 3 << 1;
constexpr size_t kShapeMac = 1 << 3;  // 0: no link; then with a tag, with two
constexpr size_t kShapeVlan = 2 << 3;
constexpr size_t kShapeQinq = 3 << 3;
constexpr size_t kShapeLinkMask = 3 << 3;
constexpr size_t kShapeCounters = 1 << 5;

bool IsVlan(uint16_t ether_type) { return FromEtherType(ether_type) == LayerKind::kVlan; }

template <typename T>
inline void Store(uint8_t* row, uint16_t slot, T value) {
  if (slot != 0) base::StoreHost<T>(row + slot, value);
}

inline void StoreV4(uint8_t* row, uint16_t slot, const uint8_t* address) {
  if (slot == 0) return;
  static constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  std::memcpy(row + slot, kMapped, sizeof(kMapped));
  std::memcpy(row + slot + 12, address, 4);
}

inline void StoreOctets(uint8_t* row, uint16_t slot, const uint8_t* from, size_t n) {
  if (slot != 0) std::memcpy(row + slot, from, n);
}

}  // namespace

void PacketDecoder::PrepareFastPath() {
  const auto slot = [this](FieldId field) {
    const uint16_t offset = layout_->offset(field);
    return offset == record::Layout::kAbsent ? uint16_t{0} : offset;
  };
  slots_ =
      Slots{slot(FieldId::kSrcMac),   slot(FieldId::kDstMac),    slot(FieldId::kEtype),    slot(FieldId::kVlan),
            slot(FieldId::kInVlan),   slot(FieldId::kInCvlan),   slot(FieldId::kCos),      slot(FieldId::kIpVersion),
            slot(FieldId::kSrcAddr),  slot(FieldId::kDstAddr),   slot(FieldId::kProtocol), slot(FieldId::kTos),
            slot(FieldId::kTtl),      slot(FieldId::kFlowLabel), slot(FieldId::kSrcPort),  slot(FieldId::kDstPort),
            slot(FieldId::kTcpFlags), slot(FieldId::kIcmpType),  slot(FieldId::kIcmpCode), slot(FieldId::kPackets),
            slot(FieldId::kBytes),    slot(FieldId::kStartTime), slot(FieldId::kEndTime)};
  for (size_t shape = 0; shape < kShapes; ++shape) {
    auto& bits = presence_[shape];
    bits = {};
    const auto mark = [&](bool present, FieldId field) {
      if (!present || !layout_->Has(field)) return;
      const uint16_t index = layout_->index(field);
      bits[index >> 3] |= static_cast<uint8_t>(1 << (index & 7));
    };
    const size_t transport = shape & kShapeTransportMask;
    const size_t link = shape & kShapeLinkMask;
    for (FieldId field : {FieldId::kEtype, FieldId::kIpVersion, FieldId::kSrcAddr, FieldId::kDstAddr,
                          FieldId::kProtocol, FieldId::kTos, FieldId::kTtl}) {
      mark(true, field);
    }
    mark((shape & kShapeIpv6) != 0, FieldId::kFlowLabel);
    for (FieldId field : {FieldId::kSrcPort, FieldId::kDstPort}) {
      mark(transport == kShapePorts || transport == kShapeTcp, field);
    }
    mark(transport == kShapeTcp, FieldId::kTcpFlags);
    for (FieldId field : {FieldId::kIcmpType, FieldId::kIcmpCode}) mark(transport == kShapeIcmp, field);
    for (FieldId field : {FieldId::kSrcMac, FieldId::kDstMac}) mark(link != 0, field);
    for (FieldId field : {FieldId::kVlan, FieldId::kInVlan, FieldId::kCos}) mark(link >= kShapeVlan, field);
    mark(link == kShapeQinq, FieldId::kInCvlan);
    for (FieldId field : {FieldId::kPackets, FieldId::kBytes, FieldId::kStartTime, FieldId::kEndTime}) {
      mark((shape & kShapeCounters) != 0, field);
    }
  }
}

bool PacketDecoder::DecodeFast(const Request& request, record::MutableRow row, PacketSummary* summary) {
  const uint8_t* const octets = request.captured.data();
  const size_t size = request.captured.size();
  size_t ip_at = 0;
  size_t shape = request.counters ? kShapeCounters : 0;
  uint16_t ether_type;
  if (request.link_type == LinkType::kEthernet) {
    if (size < 34) return false;
    ether_type = base::LoadBe16(octets + 12);
    ip_at = 14;
    shape |= kShapeMac;
    if (IsVlan(ether_type)) {
      ether_type = base::LoadBe16(octets + 16);
      ip_at = 18;
      shape += kShapeVlan - kShapeMac;
      if (IsVlan(ether_type)) {
        ether_type = base::LoadBe16(octets + 20);
        ip_at = 22;
        shape += kShapeQinq - kShapeVlan;
      }
    }
  } else if (request.link_type == LinkType::kIpv4) {
    ether_type = 0x0800;
  } else if (request.link_type == LinkType::kIpv6) {
    ether_type = 0x86dd;
  } else {
    return false;
  }

  const uint8_t* const ip = octets + ip_at;
  const uint8_t* transport;
  uint32_t ip_length;
  size_t available;  // of the transport header
  uint8_t protocol;
  bool ipv6 = false;
  if (ether_type == 0x0800) {
    if (size < ip_at + 20) return false;
    ip_length = base::LoadBe16(ip + 2);
    if (ip[0] != 0x45 || ip_length < 20 || (base::LoadBe16(ip + 6) & 0x3fff) != 0) return false;
    protocol = ip[9];
    transport = ip + 20;
    available = std::min<size_t>(size - ip_at, ip_length) - 20;
  } else if (ether_type == 0x86dd) {
    if (size < ip_at + 40) return false;
    const uint16_t payload_length = base::LoadBe16(ip + 4);
    if (ip[0] >> 4 != 6 || payload_length == 0) return false;
    ip_length = 40u + payload_length;
    protocol = ip[6];
    transport = ip + 40;
    available = std::min<size_t>(size - ip_at, ip_length) - 40;
    ipv6 = true;
    shape |= kShapeIpv6;
  } else {
    return false;
  }
  const TransportClass transport_class = TransportClassOf(protocol);
  if (available < TransportOctets(transport_class) || (ipv6 && transport_class.extension)) return false;
  uint16_t source_port = 0, destination_port = 0;
  if (transport_class.ports) {
    source_port = base::LoadBe16(transport);
    destination_port = base::LoadBe16(transport + 2);
    shape |= transport_class.tcp ? kShapeTcp : kShapePorts;
  } else if (transport_class.icmp) {
    shape |= kShapeIcmp;
  }
  if (needs_inner_) {
    if (transport_class.may_tunnel) return false;
    if (transport_class.ports && !transport_class.tcp &&
        (FromUdpPorts(source_port, destination_port, options_.gtp_u_ports) != LayerKind::kNone ||
         (options_.gtp_tap != nullptr && (IsGtpControlPort(source_port) || IsGtpControlPort(destination_port))))) {
      return false;
    }
  }

  // From here on the row is written.
  uint8_t* const to = const_cast<uint8_t*>(row.octets());
  const Slots& s = slots_;
  const auto& bits = presence_[shape];
  for (size_t i = 0, n = layout_->presence_size(); i < n; ++i) to[i] |= bits[i];
  if (ipv6) {
    StoreOctets(to, s.src_addr, ip + 8, 16);
    StoreOctets(to, s.dst_addr, ip + 24, 16);
    Store<uint8_t>(to, s.tos, static_cast<uint8_t>(base::LoadBe16(ip) >> 4));
    Store<uint8_t>(to, s.ttl, ip[7]);
    Store<uint32_t>(to, s.flow_label, base::LoadBe32(ip) & 0xfffff);
    Store<uint8_t>(to, s.ip_version, 6);
  } else {
    StoreV4(to, s.src_addr, ip + 12);
    StoreV4(to, s.dst_addr, ip + 16);
    Store<uint8_t>(to, s.tos, ip[1]);
    Store<uint8_t>(to, s.ttl, ip[8]);
    Store<uint8_t>(to, s.ip_version, 4);
  }
  Store<uint8_t>(to, s.protocol, protocol);
  Store<uint16_t>(to, s.etype, ether_type);
  if (transport_class.ports) {
    Store<uint16_t>(to, s.src_port, source_port);
    Store<uint16_t>(to, s.dst_port, destination_port);
    if (transport_class.tcp) Store<uint16_t>(to, s.tcp_flags, base::LoadBe16(transport + 12) & 0x0fff);
  } else if (transport_class.icmp) {
    Store<uint8_t>(to, s.icmp_type, transport[0]);
    Store<uint8_t>(to, s.icmp_code, transport[1]);
  }
  if ((shape & kShapeLinkMask) != 0) {
    StoreOctets(to, s.dst_mac, octets, 6);
    StoreOctets(to, s.src_mac, octets + 6, 6);
    if ((shape & kShapeLinkMask) >= kShapeVlan) {
      const uint16_t tag = base::LoadBe16(octets + 14);
      Store<uint16_t>(to, s.vlan, tag & 0x0fff);
      Store<uint16_t>(to, s.in_vlan, tag & 0x0fff);
      Store<uint8_t>(to, s.cos, static_cast<uint8_t>(tag >> 13));
      if ((shape & kShapeLinkMask) == kShapeQinq) {
        Store<uint16_t>(to, s.in_cvlan, base::LoadBe16(octets + 18) & 0x0fff);
      }
    }
  }
  if (request.counters) {
    Store<uint64_t>(to, s.packets, 1);
    Store<uint64_t>(to, s.bytes, ip_length);
    Store<int64_t>(to, s.start_time, request.time_nanos);
    Store<int64_t>(to, s.end_time, request.time_nanos);
  }
  if (summary != nullptr)
    *summary = PacketSummary{ip_length, static_cast<uint32_t>(ip_at), static_cast<uint8_t>(ipv6 ? 6 : 4), protocol, 0};
  return true;
}

}  // namespace flowacct::packet
