#include "flowacct/base/mac_address.h"

#include "absl/strings/ascii.h"

namespace flowacct::base {
namespace {

constexpr char kDigits[] = "0123456789abcdef";

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = absl::ascii_tolower(static_cast<unsigned char>(c));
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

}  // namespace

std::optional<MacAddress> MacAddress::Parse(absl::string_view text) {
  if (text.size() != kTextSize) return std::nullopt;
  MacAddress mac;
  for (size_t i = 0; i < 6; ++i) {
    const int high = HexValue(text[3 * i]), low = HexValue(text[3 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    if (i < 5 && text[3 * i + 2] != ':' && text[3 * i + 2] != '-') return std::nullopt;
    mac.octets[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return mac;
}

size_t MacAddress::Format(char* out) const {
  for (size_t i = 0; i < 6; ++i) {
    if (i > 0) *out++ = ':';
    *out++ = kDigits[octets[i] >> 4];
    *out++ = kDigits[octets[i] & 15];
  }
  return kTextSize;
}

std::string MacAddress::ToString() const {
  char buffer[kTextSize];
  return std::string(buffer, Format(buffer));
}

}  // namespace flowacct::base
