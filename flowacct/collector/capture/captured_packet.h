// One packet of a capture, or one message of an IPFIX file, as it lies in the file.
//
// Borrows its octets; whoever hands it out says for how long they stay valid.

#ifndef FLOWACCT_COLLECTOR_CAPTURE_CAPTURED_PACKET_H_
#define FLOWACCT_COLLECTOR_CAPTURE_CAPTURED_PACKET_H_

#include <cstdint>

#include "flowacct/base/octets.h"

namespace flowacct::collector {

// Link types are the LINKTYPE_ numbers of files (packet::LinkType). This one, which the registry has not given away, is
// that of an IPFIX file's messages, which have no link, network or transport header.
inline constexpr uint32_t kLinkTypeIpfixMessage = 0xffff;

// The difference of two times of packets is a number of 64 bits, too, however a file was made: times further from 1970
// (before 1823, after 2116) come out as this.
inline constexpr int64_t kMaxTimeNanos = (int64_t{1} << 62) - 1;

struct CapturedPacket {
  base::Octets octets;  // what was captured of it
  int64_t time_nanos =
      0;  // since 1970, UTC, at most kMaxTimeNanos from it; 0 where the file tells none (pcapng's Simple Packet Block)
  uint64_t number = 0;       // counts from 1 through the file
  uint32_t wire_length = 0;  // octets on the wire; at least octets.size()
  uint32_t interface = 0;    // index into CaptureReader::interfaces()
  uint32_t link_type = 0;
  // What a live capture knows beside the packet; 0: not told.
  uint32_t in_if = 0, out_if = 0;  // the system's indexes of the interfaces by which it came and left
  uint32_t mark = 0;               // of the firewall
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_CAPTURE_CAPTURED_PACKET_H_
