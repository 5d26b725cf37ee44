// The wire format of Protocol Buffers (protobuf.dev, "Encoding"): keys, varints and lengths, written to memory that the
// caller has made sure of.

#ifndef FLOWACCT_MESSAGE_WIRE_FORMAT_H_
#define FLOWACCT_MESSAGE_WIRE_FORMAT_H_

#include <cstddef>
#include <cstdint>

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

}  // namespace flowacct::message

#endif  // FLOWACCT_MESSAGE_WIRE_FORMAT_H_
