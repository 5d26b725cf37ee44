// Appends numbers in network order to a growing buffer: what builders, exporters and tests encode with.

#ifndef FLOWACCT_BASE_OCTET_WRITER_H_
#define FLOWACCT_BASE_OCTET_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "flowacct/base/octets.h"

namespace flowacct::base {

class OctetWriter {
 public:
  size_t size() const { return octets_.size(); }
  // Valid until the next append.
  Octets octets() const { return octets_; }
  void Clear() { octets_.clear(); }

  OctetWriter& U8(uint8_t v) {
    octets_.push_back(v);
    return *this;
  }
  OctetWriter& U16(uint16_t v) { return Number(v, 2); }
  OctetWriter& U24(uint32_t v) { return Number(v, 3); }
  OctetWriter& U32(uint32_t v) { return Number(v, 4); }
  OctetWriter& U64(uint64_t v) { return Number(v, 8); }
  // The low `length` octets of `v`; 1 to 8.
  OctetWriter& Number(uint64_t v, size_t length) {
    for (size_t i = length; i-- > 0;) octets_.push_back(static_cast<uint8_t>(v >> (8 * i)));
    return *this;
  }
  OctetWriter& Bytes(Octets bytes) {
    octets_.insert(octets_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  OctetWriter& Text(absl::string_view text) { return Bytes(AsOctets(text)); }
  OctetWriter& Fill(size_t n, uint8_t v = 0) {
    octets_.insert(octets_.end(), n, v);
    return *this;
  }

  // Overwrites what was written earlier, typically a length; `at` + the width must lie inside.
  void PatchU16(size_t at, uint16_t v) { StoreBe16(octets_.data() + at, v); }
  void PatchU32(size_t at, uint32_t v) { StoreBe32(octets_.data() + at, v); }

 private:
  std::vector<uint8_t> octets_;
};

}  // namespace flowacct::base

#endif  // FLOWACCT_BASE_OCTET_WRITER_H_
