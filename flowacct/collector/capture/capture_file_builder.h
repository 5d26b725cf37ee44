// Builds capture files octet by octet, in every variation that CaptureReader reads: for tests and corpora.

#ifndef FLOWACCT_COLLECTOR_CAPTURE_CAPTURE_FILE_BUILDER_H_
#define FLOWACCT_COLLECTOR_CAPTURE_CAPTURE_FILE_BUILDER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace flowacct::collector {

// Appends numbers in a byte order that is chosen at run time.
class OrderedWriter {
 public:
  explicit OrderedWriter(bool big_endian) : big_endian_(big_endian) {}
  OrderedWriter& U8(uint8_t v) { return Number(v, 1); }
  OrderedWriter& U16(uint16_t v) { return Number(v, 2); }
  OrderedWriter& U32(uint32_t v) { return Number(v, 4); }
  OrderedWriter& U64(uint64_t v) { return Number(v, 8); }
  OrderedWriter& Text(absl::string_view text) {
    octets_.append(text.data(), text.size());
    return *this;
  }
  // Zeros up to a multiple of 4.
  OrderedWriter& Pad();
  const std::string& octets() const { return octets_; }
  bool big_endian() const { return big_endian_; }

 private:
  OrderedWriter& Number(uint64_t v, int octets);

  const bool big_endian_;
  std::string octets_;
};

struct BuiltPacket {
  int64_t time_nanos = 0;
  std::string octets;
  uint32_t wire_length = 0;  // 0: as captured
};

struct PcapStyle {
  bool big_endian = false;
  bool nanoseconds = false;
  bool kuznetzov = false;
  uint32_t link_type = 1;
  uint16_t version_minor = 4;
};

std::string BuildPcap(const PcapStyle& style, const std::vector<BuiltPacket>& packets);

class PcapngBuilder {
 public:
  // Begins a section; interfaces count from 0 again.
  PcapngBuilder& Section(bool big_endian);
  PcapngBuilder& Interface(uint16_t link_type, uint32_t snap_length = 0,
                           std::optional<uint8_t> timestamp_resolution = std::nullopt,
                           std::optional<int64_t> timestamp_offset = std::nullopt, absl::string_view name = "");
  PcapngBuilder& Enhanced(uint32_t interface, uint64_t ticks, absl::string_view octets, uint32_t wire_length = 0);
  PcapngBuilder& Obsolete(uint16_t interface, uint64_t ticks, absl::string_view octets, uint32_t wire_length = 0);
  PcapngBuilder& Simple(absl::string_view captured, uint32_t wire_length = 0);
  PcapngBuilder& Block(uint32_t type, absl::string_view body);
  const std::string& octets() const { return octets_; }

 private:
  bool big_endian_ = false;
  std::string octets_;
};

// Version 10, no more than the header's fields and one set of `body`.
std::string BuildIpfixMessage(uint32_t export_time, absl::string_view body);

std::string Gzip(absl::string_view octets);
std::string Zstd(absl::string_view octets);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_CAPTURE_CAPTURE_FILE_BUILDER_H_
