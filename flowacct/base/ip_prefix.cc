#include "flowacct/base/ip_prefix.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace flowacct::base {

IpAddress Mask(const IpAddress& address, uint8_t length) {
  // IPv4's bits are the last 32 of the mapped address.
  const int bits = address.IsV4() ? 96 + std::min<int>(length, 32) : std::min<int>(length, 128);
  IpAddress masked = address;
  uint8_t* octets = masked.data();
  if (bits % 8 != 0) octets[bits / 8] &= static_cast<uint8_t>(0xff00 >> (bits % 8));
  for (int i = (bits + 7) / 8; i < 16; ++i) octets[i] = 0;
  return masked;
}

IpPrefix::IpPrefix(const IpAddress& address, uint8_t length)
    : address_(Mask(address, length)), length_(std::min<uint8_t>(length, address.IsV4() ? 32 : 128)) {}

std::optional<IpPrefix> IpPrefix::Parse(absl::string_view text) {
  const size_t slash = text.find('/');
  const std::optional<IpAddress> address = IpAddress::Parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const uint32_t max_length = address->IsV4() ? 32 : 128;
  uint32_t length = max_length;
  if (slash != absl::string_view::npos) {
    const absl::string_view digits = text.substr(slash + 1);
    if (digits.empty() || digits[0] < '0' || digits[0] > '9') return std::nullopt;
    if (!absl::SimpleAtoi(digits, &length) || length > max_length) return std::nullopt;
  }
  return IpPrefix(*address, static_cast<uint8_t>(length));
}

bool IpPrefix::Contains(const IpAddress& address) const {
  return address.IsV4() == address_.IsV4() && Mask(address, length_) == address_;
}

std::string IpPrefix::ToString() const { return absl::StrCat(address_.ToString(), "/", length_); }

}  // namespace flowacct::base
