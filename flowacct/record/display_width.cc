#include "flowacct/record/display_width.h"

#include <cstdint>

namespace flowacct::record {

size_t DisplayWidth(absl::string_view text) {
  size_t width = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const uint8_t octet = static_cast<uint8_t>(text[i]);
    if ((octet & 0xc0) == 0x80) continue;  // a later octet of a character
    if (octet < 0xcc) {
      ++width;
      continue;
    }
    uint32_t c = octet >= 0xf0 ? octet & 0x07 : octet >= 0xe0 ? octet & 0x0f : octet & 0x1f;
    for (size_t j = i + 1; j < text.size() && (static_cast<uint8_t>(text[j]) & 0xc0) == 0x80; ++j) {
      c = c << 6 | (static_cast<uint8_t>(text[j]) & 0x3f);
    }
    // Combining marks take no column; what Unicode's UAX #11 calls wide takes two (the blocks that occur in names).
    const bool none = (c >= 0x300 && c <= 0x36f) || (c >= 0x200b && c <= 0x200d) || (c >= 0xfe00 && c <= 0xfe0f);
    const bool wide = (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) || (c >= 0xac00 && c <= 0xd7a3) ||
                      (c >= 0xf900 && c <= 0xfaff) || (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
                      (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1faff) || (c >= 0x20000 && c <= 0x3fffd);
    width += none ? 0 : wide ? 2 : 1;
  }
  return width;
}

}  // namespace flowacct::record
