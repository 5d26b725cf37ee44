#include "flowacct/collector/generate/gtp_frame.h"

#include <algorithm>

#include "absl/strings/string_view.h"
#include "flowacct/base/octets.h"

namespace flowacct::collector {

namespace {

using base::IpAddress;
using base::Octets;
using base::OctetWriter;

constexpr uint8_t kIcmp = 1, kTcp = 6, kUdp = 17, kIcmp6 = 58;
// RFC 1035, 4.1: identity, flags, counts; the name; type and class. The answer adds one address by a pointer.
constexpr absl::string_view kName("\3www\7example\0", 13);
constexpr size_t kQueryOctets = 12 + 13 + 4, kAnswerOctets = 16;

struct TrafficInfo {
  uint8_t protocol;
  uint16_t remote_port;
  uint8_t header_octets;  // of the transport
};

const TrafficInfo& Info(GtpTraffic traffic) {
  // In the order of GtpTraffic.
  constexpr static TrafficInfo kInfo[] = {
      {kUdp, 53, 8}, {kTcp, 443, 20}, {kUdp, 443, 8}, {kUdp, 49170, 8}, {kIcmp, 0, 8}};
  return kInfo[static_cast<size_t>(traffic)];
}

Octets AddressOctets(const IpAddress& address) {
  return address.IsV4() ? address.octets().subspan(12) : address.octets();
}

// Of octets in network order, not yet folded; an odd one at the end counts as the high half.
uint64_t Sum(Octets octets) {
  uint64_t sum = 0;
  size_t i = 0;
  for (; i + 4 <= octets.size(); i += 4) sum += base::LoadBe32(octets.data() + i);
  if (i + 2 <= octets.size()) {
    sum += base::LoadBe16(octets.data() + i);
    i += 2;
  }
  if (i < octets.size()) sum += uint64_t{octets[i]} << 8;
  return sum;
}

uint16_t Fold(uint64_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

void WriteIp(const IpAddress& source, const IpAddress& destination, uint8_t protocol, size_t payload,
             uint16_t identification, uint8_t tos, OctetWriter* out) {
  if (!source.IsV4()) {
    out->U32(6u << 28 | uint32_t{tos} << 20).U16(static_cast<uint16_t>(payload)).U8(protocol).U8(64);
    out->Bytes(source.octets()).Bytes(destination.octets());
    return;
  }
  const size_t at = out->size();
  out->U8(0x45).U8(tos).U16(static_cast<uint16_t>(20 + payload)).U16(identification).U16(0x4000).U8(64).U8(protocol);
  out->U16(0).U32(source.v4()).U32(destination.v4());
  out->PatchU16(at + 10, Fold(Sum(out->octets().subspan(at))));
}

// The sum of what stands before the transport's header for its checksum (RFC 9293, 3.1; RFC 8200, 8.1).
uint64_t PseudoSum(const IpAddress& source, const IpAddress& destination, uint8_t protocol, size_t octets) {
  return Sum(AddressOctets(source)) + Sum(AddressOctets(destination)) + protocol + octets;
}

void WritePayload(const InnerPacket& packet, size_t octets, OctetWriter* out) {
  const size_t end = out->size() + octets;
  switch (packet.traffic) {
    case GtpTraffic::kDns:
      out->U16(static_cast<uint16_t>(packet.number)).U16(packet.up ? 0x0100 : 0x8180).U16(1).U16(packet.up ? 0 : 1);
      out->U32(0).Text(kName).U16(1).U16(1);
      if (!packet.up) out->U16(0xc00c).U16(1).U16(1).U32(300).U16(4).U32(192u << 24 | 2u << 8 | 1);
      break;
    case GtpTraffic::kWeb:
      if (octets >= 5) out->U8(23).U16(0x0303).U16(static_cast<uint16_t>(octets - 5));  // RFC 8446, 5.2
      break;
    case GtpTraffic::kQuic:
      out->U8(0x40).U64(0x0123456789abcdef ^ packet.ue_port);  // RFC 9000, 17.3: a short header
      break;
    case GtpTraffic::kVoice:
      out->U8(0x80).U8(96).U16(static_cast<uint16_t>(packet.number)).U32(packet.number * 160).U32(packet.ue_port);
      break;
    case GtpTraffic::kPing:
      break;
  }
  out->Fill(end - out->size());
}

}  // namespace

uint16_t MinInnerOctets(GtpTraffic traffic, bool v6, bool up) {
  const size_t header = (v6 ? 40u : 20u) + Info(traffic).header_octets;
  switch (traffic) {
    case GtpTraffic::kDns:
      return static_cast<uint16_t>(header + kQueryOctets + (up ? 0 : kAnswerOctets));
    case GtpTraffic::kQuic:
      return static_cast<uint16_t>(header + 25);
    case GtpTraffic::kVoice:
      return static_cast<uint16_t>(header + 12);
    default:
      return static_cast<uint16_t>(header);
  }
}

void EncodeInnerPacket(const InnerPacket& packet, OctetWriter* out) {
  const TrafficInfo& info = Info(packet.traffic);
  const bool v6 = !packet.ue.IsV4();
  const uint8_t protocol = v6 && info.protocol == kIcmp ? kIcmp6 : info.protocol;
  const IpAddress& source = packet.up ? packet.ue : packet.remote;
  const IpAddress& destination = packet.up ? packet.remote : packet.ue;
  const size_t octets = packet.octets - (v6 ? 40u : 20u);
  WriteIp(source, destination, protocol, octets, static_cast<uint16_t>(packet.number),
          packet.traffic == GtpTraffic::kVoice ? 0xb8 : 0, out);
  const size_t at = out->size();
  const uint16_t source_port = packet.up ? packet.ue_port : info.remote_port;
  const uint16_t destination_port = packet.up ? info.remote_port : packet.ue_port;
  size_t checksum_at = at;
  if (info.protocol == kTcp) {
    out->U16(source_port).U16(destination_port).U32(packet.number).U32(1).U8(0x50).U8(0x10).U16(1000).U32(0);
    checksum_at += 16;
  } else if (info.protocol == kUdp) {
    out->U16(source_port).U16(destination_port).U16(static_cast<uint16_t>(octets)).U16(0);
    checksum_at += 6;
  } else {
    // RFC 792, RFC 4443, 4: echo request up, reply down.
    out->U8(v6 ? (packet.up ? 128 : 129) : (packet.up ? 8 : 0)).U8(0).U16(0).U16(packet.ue_port);
    out->U16(static_cast<uint16_t>(packet.number));
    checksum_at += 2;
  }
  WritePayload(packet, octets - info.header_octets, out);
  // All behind the first octets is zero and adds nothing.
  const Octets head = out->octets().subspan(at, std::min<size_t>(octets, 80));
  const uint64_t pseudo = protocol == kIcmp ? 0 : PseudoSum(source, destination, protocol, octets);
  const uint16_t checksum = Fold(Sum(head) + pseudo);
  out->PatchU16(checksum_at, checksum == 0 ? 0xffff : checksum);
}

void EncodeGtpFrame(const IpAddress& source, const IpAddress& destination, uint16_t source_port,
                    uint16_t destination_port, uint16_t identification, Octets payload, OctetWriter* out) {
  constexpr uint8_t kEthernet[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};  // locally administered
  const bool v6 = !source.IsV4();
  const size_t octets = 8 + payload.size();
  out->Bytes(kEthernet).U16(v6 ? 0x86dd : 0x0800);
  WriteIp(source, destination, kUdp, octets, identification, 0, out);
  const size_t at = out->size();
  out->U16(source_port).U16(destination_port).U16(static_cast<uint16_t>(octets)).U16(0).Bytes(payload);
  if (v6) {
    const uint16_t checksum = Fold(Sum(out->octets().subspan(at)) + PseudoSum(source, destination, kUdp, octets));
    out->PatchU16(at + 6, checksum == 0 ? 0xffff : checksum);
  }
}

}  // namespace flowacct::collector
