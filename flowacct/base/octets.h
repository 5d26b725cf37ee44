// Octets as they come from a wire or a file, and big-endian loads from them.
//
// Ownership: `Octets` borrows; whoever hands it out says for how long it stays valid.
// Cost: a load is one unaligned move and one byte swap.

#ifndef FLOWACCT_BASE_OCTETS_H_
#define FLOWACCT_BASE_OCTETS_H_

#include <cstdint>
#include <cstring>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace flowacct::base {

using Octets = absl::Span<const uint8_t>;

inline Octets AsOctets(absl::string_view text) {
  return Octets(reinterpret_cast<const uint8_t*>(text.data()), text.size());
}

inline absl::string_view AsText(Octets octets) {
  return absl::string_view(reinterpret_cast<const char*>(octets.data()), octets.size());
}

// Loads in network order (RFC 791, appendix B). The caller has checked the length.
inline uint16_t LoadBe16(const uint8_t* p) {
  uint16_t v;
  std::memcpy(&v, p, sizeof(v));
  return __builtin_bswap16(v);
}

inline uint32_t LoadBe24(const uint8_t* p) { return uint32_t{p[0]} << 16 | uint32_t{p[1]} << 8 | uint32_t{p[2]}; }

inline uint32_t LoadBe32(const uint8_t* p) {
  uint32_t v;
  std::memcpy(&v, p, sizeof(v));
  return __builtin_bswap32(v);
}

inline uint64_t LoadBe64(const uint8_t* p) {
  uint64_t v;
  std::memcpy(&v, p, sizeof(v));
  return __builtin_bswap64(v);
}

// An unsigned number of 1 to 8 octets, as IPFIX's reduced-size encoding has them (RFC 7011, 6.2).
inline uint64_t LoadBe(const uint8_t* p, size_t length) {
  uint64_t v = 0;
  for (size_t i = 0; i < length; ++i) v = v << 8 | p[i];
  return v;
}

inline void StoreBe16(uint8_t* p, uint16_t v) {
  v = __builtin_bswap16(v);
  std::memcpy(p, &v, sizeof(v));
}

inline void StoreBe32(uint8_t* p, uint32_t v) {
  v = __builtin_bswap32(v);
  std::memcpy(p, &v, sizeof(v));
}

inline void StoreBe64(uint8_t* p, uint64_t v) {
  v = __builtin_bswap64(v);
  std::memcpy(p, &v, sizeof(v));
}

// Host-order values at any alignment: how a record keeps its fields.
template <typename T>
inline T LoadHost(const uint8_t* p) {
  T v;
  std::memcpy(&v, p, sizeof(T));
  return v;
}

template <typename T>
inline void StoreHost(uint8_t* p, T v) {
  std::memcpy(p, &v, sizeof(T));
}

}  // namespace flowacct::base

#endif  // FLOWACCT_BASE_OCTETS_H_
