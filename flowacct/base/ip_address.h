// An IPv4 or IPv6 address in sixteen octets.
//
// IPv4 is kept as its IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2), so that one key holds both families and a
// compare is a compare of octets. An IPv6 packet that carries a mapped address is therefore shown as IPv4; such
// packets do not occur on the wire legitimately (RFC 4942, 2.2).
// A plain value: no pointer, any thread.

#ifndef FLOWACCT_BASE_IP_ADDRESS_H_
#define FLOWACCT_BASE_IP_ADDRESS_H_

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "flowacct/base/octets.h"

namespace flowacct::base {

class IpAddress {
 public:
  static constexpr size_t kSize = 16;
  // "::ffff:255.255.255.255" fits, and so does the longest IPv6 text.
  static constexpr size_t kMaxTextSize = 46;

  constexpr IpAddress() : octets_{} {}  // ::

  static IpAddress V4(uint32_t host_order) {
    IpAddress a;
    a.octets_[10] = a.octets_[11] = 0xff;
    StoreBe32(a.octets_.data() + 12, host_order);
    return a;
  }
  // `p` points at 4 and 16 octets in network order.
  static IpAddress FromV4(const uint8_t* p) { return V4(LoadBe32(p)); }
  static IpAddress FromV6(const uint8_t* p) {
    IpAddress a;
    std::memcpy(a.octets_.data(), p, kSize);
    return a;
  }
  // Text of either family; nothing on anything else (also on surrounding blanks and on zone identifiers).
  static std::optional<IpAddress> Parse(absl::string_view text);

  bool IsV4() const { return LoadHost<uint64_t>(octets_.data()) == 0 && LoadBe32(octets_.data() + 8) == 0xffff; }
  // Host order; meaningful if IsV4().
  uint32_t v4() const { return LoadBe32(octets_.data() + 12); }
  const uint8_t* data() const { return octets_.data(); }
  uint8_t* data() { return octets_.data(); }
  Octets octets() const { return octets_; }

  // Writes the text (RFC 5952) to `out`, which has room for kMaxTextSize; returns its length. No terminator.
  size_t Format(char* out) const;
  std::string ToString() const;

  friend bool operator==(const IpAddress& a, const IpAddress& b) { return a.octets_ == b.octets_; }
  friend bool operator!=(const IpAddress& a, const IpAddress& b) { return !(a == b); }
  friend bool operator<(const IpAddress& a, const IpAddress& b) { return a.octets_ < b.octets_; }
  template <typename H>
  friend H AbslHashValue(H h, const IpAddress& a) {
    return H::combine(std::move(h), a.octets_);
  }

 private:
  std::array<uint8_t, kSize> octets_;
};

}  // namespace flowacct::base

#endif  // FLOWACCT_BASE_IP_ADDRESS_H_
