#include "flowacct/base/ip_address.h"

#include <arpa/inet.h>

#include <cstring>

namespace flowacct::base {
namespace {

// The text of each octet and, in its last place, how long that is: one load and one store an octet.
struct OctetTexts {
  char text[256][4];
  constexpr OctetTexts() : text{} {
    for (int v = 0; v < 256; ++v) {
      char n = 0;
      if (v >= 100) text[v][static_cast<int>(n++)] = static_cast<char>('0' + v / 100);
      if (v >= 10) text[v][static_cast<int>(n++)] = static_cast<char>('0' + v / 10 % 10);
      text[v][static_cast<int>(n++)] = static_cast<char>('0' + v % 10);
      text[v][3] = n;
    }
  }
};
constexpr OctetTexts kOctetTexts;

size_t FormatV4(const uint8_t* p, char* out) {
  char* const start = out;
  for (int i = 0; i < 4; ++i) {
    std::memcpy(out, kOctetTexts.text[p[i]], 4);
    out += kOctetTexts.text[p[i]][3];
    *out++ = '.';
  }
  return static_cast<size_t>(out - start) - 1;
}

size_t FormatHex16(uint16_t v, char* out) {
  static constexpr char kDigits[] = "0123456789abcdef";
  size_t n = 0;
  for (int shift = 12; shift >= 0; shift -= 4) {
    if (n > 0 || shift == 0 || (v >> shift) != 0) out[n++] = kDigits[v >> shift & 15];
  }
  return n;
}

}  // namespace

std::optional<IpAddress> IpAddress::Parse(absl::string_view text) {
  char buffer[kMaxTextSize + 1];
  if (text.empty() || text.size() > kMaxTextSize) return std::nullopt;
  std::memcpy(buffer, text.data(), text.size());
  buffer[text.size()] = '\0';
  uint8_t octets[16];
  if (inet_pton(AF_INET, buffer, octets) == 1) return FromV4(octets);
  if (inet_pton(AF_INET6, buffer, octets) == 1) return FromV6(octets);
  return std::nullopt;
}

size_t IpAddress::Format(char* out) const {
  if (IsV4()) return FormatV4(octets_.data() + 12, out);
  // RFC 5952, 4.2: the longest run of at least two zero groups, the first of equals, becomes "::".
  uint16_t groups[8];
  for (int i = 0; i < 8; ++i) groups[i] = LoadBe16(octets_.data() + 2 * i);
  int best = 8, best_length = 1;
  for (int i = 0; i < 8;) {
    int j = i;
    while (j < 8 && groups[j] == 0) ++j;
    if (j - i > best_length) {
      best = i;
      best_length = j - i;
    }
    i = j + 1;
  }
  size_t n = 0;
  for (int i = 0; i < 8;) {
    if (i == best) {
      out[n++] = ':';
      if (i == 0) out[n++] = ':';
      i += best_length;
      continue;
    }
    n += FormatHex16(groups[i], out + n);
    if (++i < 8) out[n++] = ':';
  }
  return n;
}

std::string IpAddress::ToString() const {
  char buffer[kMaxTextSize];
  return std::string(buffer, Format(buffer));
}

}  // namespace flowacct::base
