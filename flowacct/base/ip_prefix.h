// An address block: an address whose host bits are zero, and a length.

#ifndef FLOWACCT_BASE_IP_PREFIX_H_
#define FLOWACCT_BASE_IP_PREFIX_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "flowacct/base/ip_address.h"

namespace flowacct::base {

class IpPrefix {
 public:
  IpPrefix() = default;  // ::/0
  // Host bits are cleared. `length` counts in the address' own family and is cut to 32 or 128.
  IpPrefix(const IpAddress& address, uint8_t length);
  // "192.0.2.0/24", "2001:db8::/32", or an address (then /32 or /128). Host bits that are set are cleared.
  static std::optional<IpPrefix> Parse(absl::string_view text);

  const IpAddress& address() const { return address_; }
  uint8_t length() const { return length_; }
  // True only within the same family.
  bool Contains(const IpAddress& address) const;
  std::string ToString() const;

  friend bool operator==(const IpPrefix& a, const IpPrefix& b) {
    return a.length_ == b.length_ && a.address_ == b.address_;
  }
  friend bool operator<(const IpPrefix& a, const IpPrefix& b) {
    return a.address_ < b.address_ || (a.address_ == b.address_ && a.length_ < b.length_);
  }
  template <typename H>
  friend H AbslHashValue(H h, const IpPrefix& p) {
    return H::combine(std::move(h), p.address_, p.length_);
  }

 private:
  IpAddress address_;
  uint8_t length_ = 0;
};

// The address with all but its first `length` bits (in its own family) cleared.
IpAddress Mask(const IpAddress& address, uint8_t length);

}  // namespace flowacct::base

#endif  // FLOWACCT_BASE_IP_PREFIX_H_
