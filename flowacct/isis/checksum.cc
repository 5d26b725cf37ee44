#include "flowacct/isis/checksum.h"

#include <algorithm>

namespace flowacct::isis {
namespace {

constexpr size_t kLspIdAt = 12, kLspChecksumAt = 24;

struct Sums {
  uint32_t c0 = 0, c1 = 0;

  void Add(base::Octets octets) {
    // 255 * n * (n + 1) / 2 + 255 * (n + 1) stays below 2^32 up to n = 5,802.
    constexpr size_t kBlock = 4096;
    while (!octets.empty()) {
      const base::Octets block = octets.first(std::min(kBlock, octets.size()));
      for (const uint8_t octet : block) {
        c0 += octet;
        c1 += c0;
      }
      c0 %= 255;
      c1 %= 255;
      octets.remove_prefix(block.size());
    }
  }
};

}  // namespace

bool FletcherIsRight(base::Octets octets) {
  Sums sums;
  sums.Add(octets);
  return sums.c0 == 0 && sums.c1 == 0;
}

uint16_t FletcherOf(base::Octets octets, size_t at) {
  constexpr uint8_t kZeros[2] = {0, 0};
  Sums sums;
  sums.Add(octets.first(at));
  sums.Add(kZeros);
  sums.Add(octets.subspan(at + 2));
  // With x at `at`, y behind it and m octets from x to the end: c0 + x + y = 0 and c1 + m x + (m - 1) y = 0.
  const uint32_t m = static_cast<uint32_t>((octets.size() - at) % 255);
  const uint32_t x = ((m + 254) * sums.c0 + 255 * 255 - sums.c1) % 255;
  const uint32_t y = (2 * 255 - sums.c0 - x) % 255;
  // Modulo 255, 255 is zero: a zero octet becomes 255, so that the checksum is never "none".
  return static_cast<uint16_t>((x == 0 ? 255 : x) << 8 | (y == 0 ? 255 : y));
}

bool LspChecksumIsRight(base::Octets lsp) { return FletcherIsRight(lsp.subspan(kLspIdAt)); }

uint16_t LspChecksumOf(base::Octets lsp) { return FletcherOf(lsp.subspan(kLspIdAt), kLspChecksumAt - kLspIdAt); }

}  // namespace flowacct::isis
