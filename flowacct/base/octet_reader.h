// A cursor over borrowed octets that cannot run off the end.
//
// A read past the end fails, yields zero, and leaves the reader failed: a caller may read a whole header and ask
// `ok()` once. `offset()` is where the first failed read began, which is what a DecodeResult reports.
// Where speed matters: ask `Has(n)` once, then use the plain loads of octets.h on `data()`.

#ifndef FLOWACCT_BASE_OCTET_READER_H_
#define FLOWACCT_BASE_OCTET_READER_H_

#include <cstddef>
#include <cstdint>

#include "flowacct/base/octets.h"

namespace flowacct::base {

class OctetReader {
 public:
  explicit OctetReader(Octets octets) : octets_(octets) {}

  bool ok() const { return ok_; }
  // Octets read so far, from the start of what the reader was given.
  size_t offset() const { return offset_; }
  size_t remaining() const { return octets_.size() - offset_; }
  bool Has(size_t n) const { return ok_ && n <= remaining(); }
  const uint8_t* data() const { return octets_.data() + offset_; }
  Octets rest() const { return octets_.subspan(offset_); }

  uint8_t U8() { return Take(1) ? octets_[offset_ - 1] : 0; }
  uint16_t U16() { return Take(2) ? LoadBe16(data() - 2) : 0; }
  uint32_t U24() { return Take(3) ? LoadBe24(data() - 3) : 0; }
  uint32_t U32() { return Take(4) ? LoadBe32(data() - 4) : 0; }
  uint64_t U64() { return Take(8) ? LoadBe64(data() - 8) : 0; }
  Octets Bytes(size_t n) { return Take(n) ? octets_.subspan(offset_ - n, n) : Octets(); }
  void Skip(size_t n) { Take(n); }

 private:
  bool Take(size_t n) {
    if (!Has(n)) {
      ok_ = false;
      return false;
    }
    offset_ += n;
    return true;
  }

  Octets octets_;
  size_t offset_ = 0;
  bool ok_ = true;
};

}  // namespace flowacct::base

#endif  // FLOWACCT_BASE_OCTET_READER_H_
