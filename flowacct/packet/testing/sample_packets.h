// One packet of each kind that the room knows how to build, with the layers that it has: the table that the tests of
// the parser, of the decoder and of the fuzz corpus share.

#ifndef FLOWACCT_PACKET_TESTING_SAMPLE_PACKETS_H_
#define FLOWACCT_PACKET_TESTING_SAMPLE_PACKETS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "flowacct/packet/link_type.h"

namespace flowacct::packet {

struct SamplePacket {
  std::string name;
  LinkType link_type;
  std::vector<uint8_t> octets;
  std::string chain;   // LayerChain
  uint32_t ip_length;  // of level 0; 0: not IP
};

std::vector<SamplePacket> SamplePackets();

}  // namespace flowacct::packet

#endif  // FLOWACCT_PACKET_TESTING_SAMPLE_PACKETS_H_
