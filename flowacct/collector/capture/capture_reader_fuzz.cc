// The reader over octets from memory, in small and in usual blocks: must end, stay within its octets and its bounds.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "flowacct/collector/capture/capture_reader.h"

namespace {

uint64_t Run(const uint8_t* data, size_t size, size_t block_octets) {
  flowacct::collector::CaptureReaderOptions options;
  options.block_octets = block_octets;
  options.max_packet_octets = 4096;
  options.max_description_octets = 4096;
  options.max_interfaces = 16;
  options.max_zstd_window_octets = 1 << 20;
  auto reader = flowacct::collector::CaptureReader::OpenBuffer(std::string(reinterpret_cast<const char*>(data), size),
                                                               "fuzz", options);
  if (!reader.ok()) return 0;
  uint64_t sum = 1;
  uint64_t octets = 0;
  for (;;) {
    const auto packets = (*reader)->NextBatch();
    if (!packets.ok() || packets->empty()) return sum;
    for (const auto& packet : *packets) {
      sum = sum * 31 + packet.octets.size() + static_cast<uint64_t>(packet.time_nanos) + packet.link_type;
      for (const uint8_t octet : packet.octets) sum += octet;  // under ASan: all of it is there
      if (packet.octets.size() > options.max_packet_octets || packet.interface >= options.max_interfaces) std::abort();
      octets += packet.octets.size();
    }
    if (octets > (uint64_t{4} << 20)) return sum;  // a decompression bomb costs only time; not here
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // However the blocks fall, the packets are the same.
  if (Run(data, size, 5) != Run(data, size, 256 << 10)) std::abort();
  return 0;
}
