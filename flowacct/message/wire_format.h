// The wire format of Protocol Buffers (protobuf.dev, "Encoding"): keys, varints and lengths, written to memory that the
// caller has made sure of, and read from octets of any kind.

#ifndef FLOWACCT_MESSAGE_WIRE_FORMAT_H_
#define FLOWACCT_MESSAGE_WIRE_FORMAT_H_

#include <cstddef>
#include <cstdint>

#include "flowacct/base/decode_result.h"
#include "flowacct/base/octets.h"

namespace flowacct::message {

enum class WireType : uint8_t { kVarint = 0, kFixed64 = 1, kLength = 2, kFixed32 = 5 };

inline constexpr size_t kMaxVarintSize = 10;
// Of the keys of fields up to 2^20.
inline constexpr size_t kMaxKeySize = 4;

inline char* WriteVarint(uint64_t number, char* out) {
  while (number >= 0x80) {
    *out++ = static_cast<char>(number | 0x80);
    number >>= 7;
  }
  *out++ = static_cast<char>(number);
  return out;
}

inline char* WriteKey(uint32_t field, WireType type, char* out) {
  return WriteVarint(uint64_t{field} << 3 | static_cast<uint64_t>(type), out);
}

constexpr size_t VarintSize(uint64_t number) {
  size_t size = 1;
  for (; number >= 0x80; number >>= 7) ++size;
  return size;
}

// A cursor over a message, that cannot run off its end. What cannot be read leaves it failed, and reads as zero.
class WireReader {
 public:
  explicit WireReader(base::Octets octets) : octets_(octets) {}

  bool done() const { return at_ == octets_.size() || !ok(); }
  bool ok() const { return code_ == base::DecodeCode::kOk; }
  base::DecodeCode code() const { return code_; }
  // Where it is, or where what failed began.
  size_t offset() const { return at_; }

  uint64_t Varint() {
    uint64_t number = 0;
    for (size_t i = 0; i < kMaxVarintSize; ++i) {
      if (at_ + i >= octets_.size()) return Fail(base::DecodeCode::kTruncated);
      const uint8_t octet = octets_[at_ + i];
      number |= uint64_t{octet & 0x7fu} << (7 * i);  // of the tenth octet, one bit counts
      if (octet < 0x80) {
        at_ += i + 1;
        return number;
      }
    }
    return Fail(base::DecodeCode::kBadValue);
  }
  uint64_t Fixed(size_t size) {  // 4 or 8 octets
    if (octets_.size() - at_ < size) return Fail(base::DecodeCode::kTruncated);
    uint64_t number = 0;
    for (size_t i = size; i-- > 0;) number = number << 8 | octets_[at_ + i];
    at_ += size;
    return number;
  }
  base::Octets Length() {
    const size_t begin = at_;
    const uint64_t size = Varint();
    if (ok() && size > octets_.size() - at_) {
      at_ = begin;
      Fail(base::DecodeCode::kTruncated);
    }
    if (!ok()) return base::Octets();
    at_ += size;
    return octets_.subspan(at_ - size, size);
  }
  // The next field's number and type. Field 0 and groups, which proto3 has not, fail.
  uint64_t Key(WireType* type) {
    const size_t begin = at_;
    const uint64_t key = Varint();
    *type = static_cast<WireType>(key & 7);
    const bool known = *type == WireType::kVarint || *type == WireType::kFixed64 || *type == WireType::kLength ||
                       *type == WireType::kFixed32;
    if (ok() && (!known || key >> 3 == 0 || key >> 32 != 0)) {
      at_ = begin;
      Fail(base::DecodeCode::kBadValue);
    }
    return key >> 3;
  }
  void Skip(WireType type) {
    switch (type) {
      case WireType::kVarint:
        Varint();
        break;
      case WireType::kFixed64:
        Fixed(8);
        break;
      case WireType::kLength:
        Length();
        break;
      case WireType::kFixed32:
        Fixed(4);
        break;
    }
  }

 private:
  uint64_t Fail(base::DecodeCode code) {
    if (ok()) code_ = code;
    return 0;
  }

  base::Octets octets_;
  size_t at_ = 0;
  base::DecodeCode code_ = base::DecodeCode::kOk;
};

}  // namespace flowacct::message

#endif  // FLOWACCT_MESSAGE_WIRE_FORMAT_H_
