// Reads pcap and pcapng files for the tests of this room (products use collector/). Gzip or not; both byte orders;
// microseconds and nanoseconds; pcapng's enhanced, simple and obsolete packet blocks.

#ifndef FLOWACCT_PACKET_TESTING_CAPTURE_READER_H_
#define FLOWACCT_PACKET_TESTING_CAPTURE_READER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "flowacct/packet/link_type.h"

namespace flowacct::packet {

struct CapturedPacket {
  LinkType link_type = LinkType::kEthernet;
  uint32_t wire_length = 0;
  std::vector<uint8_t> octets;
};

// What could be read before the end or the first trouble; empty if the file cannot be read.
std::vector<CapturedPacket> ReadCapture(const std::string& path);

}  // namespace flowacct::packet

#endif  // FLOWACCT_PACKET_TESTING_CAPTURE_READER_H_
