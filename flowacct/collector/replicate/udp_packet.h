// IP packets around a UDP datagram, from whomever it is said to come: what a raw socket with its own headers takes.
//
// Standards: RFC 791 (IPv4, with its fragments), RFC 8200 (IPv6; 4.5 fragments), RFC 768 (UDP; checksum computed).
// Guaranteed: the packets put together are the datagram, octet for octet; none is longer than the MTU, unless that is
// less than 68 (IPv4's least, RFC 791, 3.2) or 1280 (IPv6's, RFC 8200, 5).
// Ownership: packets borrow the payload. Threads: plain functions. Cost: a pass over the payload for its checksum.

#ifndef FLOWACCT_COLLECTOR_REPLICATE_UDP_PACKET_H_
#define FLOWACCT_COLLECTOR_REPLICATE_UDP_PACKET_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"

namespace flowacct::collector {

struct UdpEnds {
  base::IpAddress source, destination;  // of one family
  uint16_t source_port = 0, destination_port = 0;
};

struct IpStyle {
  uint8_t traffic_class = 0;
  uint8_t hop_limit = 64;
  // Of fragments: different for each datagram between the same two (RFC 6864; RFC 8200, 4.5). IPv4 takes the lower
  // half.
  uint32_t identification = 0;
  size_t mtu_octets = 1500;
};

struct IpPacket {
  static constexpr size_t kMaxHeaderOctets = 40 + 8 + 8;  // IPv6, its fragment header, UDP
  uint8_t header[kMaxHeaderOctets];
  size_t header_octets = 0;
  base::Octets payload;
};

// Appends one packet, or its fragments. False, and nothing appended: longer than UDP can be (65,507 octets over IPv4,
// 65,527 over IPv6), or of different families.
bool AppendUdpPackets(const UdpEnds& ends, base::Octets payload, const IpStyle& style, std::vector<IpPacket>* packets);

// RFC 768's, over the pseudo header of RFC 791 or RFC 8200, 8.1; never 0, which means none.
uint16_t UdpChecksum(const UdpEnds& ends, base::Octets payload);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_REPLICATE_UDP_PACKET_H_
