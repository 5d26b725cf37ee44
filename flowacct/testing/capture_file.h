// The frames of a capture file, for tests that may not use collector/ (products use collector/capture).
//
// pcap and pcapng, gzip or not; both byte orders; microseconds and nanoseconds (of pcapng: microseconds, unless that
// would be a far future); enhanced, simple and obsolete packet blocks.

#ifndef FLOWACCT_TESTING_CAPTURE_FILE_H_
#define FLOWACCT_TESTING_CAPTURE_FILE_H_

#include <cstdint>
#include <string>
#include <vector>

namespace flowacct::testing {

struct CapturedFrame {
  uint32_t link_type = 0;
  uint32_t wire_length = 0;
  int64_t time_nanos = 0;  // 0: a block without time
  std::vector<uint8_t> octets;
};

// All octets, also of a gzip file; empty if it cannot be read.
std::vector<uint8_t> ReadFile(const std::string& path);
// What could be read before the end or the first trouble; empty if the file cannot be read.
std::vector<CapturedFrame> ReadCaptureFile(const std::string& path);

}  // namespace flowacct::testing

#endif  // FLOWACCT_TESTING_CAPTURE_FILE_H_
