#include "flowacct/collector/live/nflog_frame.h"

#include <algorithm>
#include <cstring>

#include "flowacct/base/octets.h"

namespace flowacct::collector {
namespace {

constexpr size_t kHeader = 4, kAttributeHeader = 4;
// NFULA_MARK and so on.
constexpr uint16_t kMark = 2, kInDevice = 4, kOutDevice = 5, kPayload = 9;
// The high bits of a type are flags.
constexpr uint16_t kTypeMask = 0x3fff;
constexpr size_t kIpv4Header = 20, kIpv6Header = 40;

// The length that the IP header tells; 0: there is none.
uint32_t IpLength(base::Octets packet) {
  const int version = packet.empty() ? 0 : packet[0] >> 4;
  if (version == 4 && packet.size() >= kIpv4Header) return base::LoadBe16(packet.data() + 2);
  if (version == 6 && packet.size() >= kIpv6Header) return kIpv6Header + base::LoadBe16(packet.data() + 4);
  return 0;
}

}  // namespace

absl::optional<NflogPacket> PacketOfNflog(base::Octets frame) {
  NflogPacket packet;
  uint32_t told = 0;
  for (size_t at = kHeader; at + kAttributeHeader <= frame.size();) {
    uint16_t length = 0, type = 0;
    std::memcpy(&length, frame.data() + at, sizeof(length));
    std::memcpy(&type, frame.data() + at + 2, sizeof(type));
    if (length < kAttributeHeader) break;
    // What the snap length cut is missing at the end.
    const base::Octets value = frame.subspan(at + kAttributeHeader, length - kAttributeHeader);
    at += (size_t{length} + 3) & ~size_t{3};
    if ((type & kTypeMask) == kPayload) {
      packet.octets = value;
      told = IpLength(value);
      continue;
    }
    if (value.size() != 4) continue;
    switch (type & kTypeMask) {
      case kMark:
        packet.mark = base::LoadBe32(value.data());
        break;
      case kInDevice:
        packet.in_if = base::LoadBe32(value.data());
        break;
      case kOutDevice:
        packet.out_if = base::LoadBe32(value.data());
        break;
      default:
        break;
    }
  }
  if (told == 0) return absl::nullopt;
  packet.wire_length = std::max(told, static_cast<uint32_t>(packet.octets.size()));
  return packet;
}

}  // namespace flowacct::collector
