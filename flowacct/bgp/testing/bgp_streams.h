// The BGP octets of each direction of each TCP connection in captured frames, for tests of captures.
//
// Finds IPv4 and IPv6 by trying each offset up to 64 octets into a frame for a whole header in front of TCP with port
// 179, so that no link type has to be known. Segments are put in order by sequence number; repeated octets are
// dropped, and a gap ends a run: a new one begins at the next segment that starts with a marker. Not for products:
// nothing is bounded.

#ifndef FLOWACCT_BGP_TESTING_BGP_STREAMS_H_
#define FLOWACCT_BGP_TESTING_BGP_STREAMS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "flowacct/testing/capture_file.h"

namespace flowacct::bgp::testing {

struct BgpStream {
  std::string from, to;  // "address:port"
  // Octets without a gap, each from a marker on if there is one.
  std::vector<std::vector<uint8_t>> runs;
};

// In the order of their first frames.
std::vector<BgpStream> ReadBgpStreams(const std::vector<flowacct::testing::CapturedFrame>& frames);

}  // namespace flowacct::bgp::testing

#endif  // FLOWACCT_BGP_TESTING_BGP_STREAMS_H_
