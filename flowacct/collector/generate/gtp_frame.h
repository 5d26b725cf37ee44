// Frames of user traffic: a subscriber's packet, the tunnel around it, and the carrier's IP around that.
//
// Standards: RFC 791, 8200, 768, 9293 (checksums computed), RFC 1035 for the names that are asked, TS 29.281 for the
// tunnel. Threads: the functions keep no state. Cost: some 100 ns, and a copy of the octets.

#ifndef FLOWACCT_COLLECTOR_GENERATE_GTP_FRAME_H_
#define FLOWACCT_COLLECTOR_GENERATE_GTP_FRAME_H_

#include <cstddef>
#include <cstdint>

#include "flowacct/base/ip_address.h"
#include "flowacct/base/octet_writer.h"

namespace flowacct::collector {

enum class GtpTraffic : uint8_t { kDns, kWeb, kQuic, kVoice, kPing };

// A packet inside of a tunnel.
struct InnerPacket {
  GtpTraffic traffic = GtpTraffic::kWeb;
  bool up = true;
  uint16_t octets = 0;  // of IP; at least MinInnerOctets
  uint16_t ue_port = 0;
  uint32_t number = 0;
  base::IpAddress ue, remote;  // of one family
};

// The shortest that a packet of this kind can be.
uint16_t MinInnerOctets(GtpTraffic traffic, bool v6, bool up);

void EncodeInnerPacket(const InnerPacket& packet, base::OctetWriter* out);

// Ethernet, IP and UDP around `payload`.
void EncodeGtpFrame(const base::IpAddress& source, const base::IpAddress& destination, uint16_t source_port,
                    uint16_t destination_port, uint16_t identification, base::Octets payload, base::OctetWriter* out);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_GENERATE_GTP_FRAME_H_
