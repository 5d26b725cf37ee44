// The octets of each direction of each TCP connection in captured frames, for tests of captures.
//
// Finds IPv4 and IPv6 by trying each offset up to 64 octets into a frame for a whole header in front of TCP, so that no
// link type has to be known; IPv4's checksum tells a header from what looks like one. Segments are put in order by
// sequence number; repeated octets are dropped, and a gap ends a run: a new one begins at the next segment that
// `starts` says begins a message. Not for products: nothing is bounded.

#ifndef FLOWACCT_TESTING_TCP_STREAMS_H_
#define FLOWACCT_TESTING_TCP_STREAMS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "flowacct/testing/capture_file.h"

namespace flowacct::testing {

struct TcpStream {
  std::string from, to;  // addresses and ports as hexadecimal octets
  std::vector<std::vector<uint8_t>> runs;
};

// In the order of their first frames.
std::vector<TcpStream> ReadTcpStreams(const std::vector<CapturedFrame>& frames,
                                      const std::function<bool(const uint8_t* payload, size_t size)>& starts);

}  // namespace flowacct::testing

#endif  // FLOWACCT_TESTING_TCP_STREAMS_H_
