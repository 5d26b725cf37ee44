#include "flowacct/collector/live/nflog_frame.h"

#include <algorithm>
#include <cstring>

namespace flowacct::collector {
namespace {

constexpr size_t kHeader = 4, kAttributeHeader = 4;
constexpr uint16_t kPayload = 9;
// The high bits of a type are flags.
constexpr uint16_t kTypeMask = 0x3fff;
constexpr size_t kIpv4Header = 20, kIpv6Header = 40;

uint32_t Number(base::Octets octets, size_t at) { return uint32_t{octets[at]} << 8 | octets[at + 1]; }

}  // namespace

absl::optional<NflogPacket> PacketOfNflog(base::Octets frame) {
  for (size_t at = kHeader; at + kAttributeHeader <= frame.size();) {
    uint16_t length = 0, type = 0;
    std::memcpy(&length, frame.data() + at, sizeof(length));
    std::memcpy(&type, frame.data() + at + 2, sizeof(type));
    if (length < kAttributeHeader) return absl::nullopt;
    if ((type & kTypeMask) != kPayload) {
      at += (size_t{length} + 3) & ~size_t{3};
      continue;
    }
    // What the snap length cut is missing at the end.
    NflogPacket packet;
    packet.octets = frame.subspan(at + kAttributeHeader, length - kAttributeHeader);
    size_t told = 0;
    const int version = packet.octets.empty() ? 0 : packet.octets[0] >> 4;
    if (version == 4 && packet.octets.size() >= kIpv4Header) {
      told = Number(packet.octets, 2);
    } else if (version == 6 && packet.octets.size() >= kIpv6Header) {
      told = kIpv6Header + Number(packet.octets, 4);
    } else {
      return absl::nullopt;
    }
    packet.wire_length = static_cast<uint32_t>(std::max(told, packet.octets.size()));
    return packet;
  }
  return absl::nullopt;
}

}  // namespace flowacct::collector
