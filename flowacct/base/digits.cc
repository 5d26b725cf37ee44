#include "flowacct/base/digits.h"

namespace flowacct::base {

namespace {

constexpr unsigned kFiller = 0xf;

unsigned Nibble(uint64_t bits, size_t i) { return static_cast<unsigned>(bits >> (60 - 4 * i)) & 0xf; }

uint64_t WithNibble(uint64_t bits, size_t i, unsigned nibble) {
  const size_t shift = 60 - 4 * i;
  return (bits & ~(uint64_t{0xf} << shift)) | uint64_t{nibble} << shift;
}

}  // namespace

std::optional<Digits> Digits::Parse(absl::string_view text) {
  if (text.size() == kTextSize && text[0] == 'x') {
    uint64_t bits = 0xa;
    for (const char c : text.substr(1)) {
      const bool digit = c >= '0' && c <= '9', letter = c >= 'a' && c <= 'f';
      if (!digit && !letter) return std::nullopt;
      bits = bits << 4 | static_cast<uint64_t>(digit ? c - '0' : c - 'a' + 10);
    }
    return FromBits(bits);
  }
  if (text.empty() || text.size() > kMaxDigits) return std::nullopt;
  uint64_t bits = ~uint64_t{0};
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    bits = WithNibble(bits, i, static_cast<unsigned>(text[i] - '0'));
  }
  return FromBits(bits);
}

std::optional<Digits> Digits::FromTbcd(Octets octets) {
  uint64_t bits = ~uint64_t{0};
  size_t n = 0;
  bool ended = false;
  for (size_t i = 0; i < 2 * octets.size(); ++i) {
    const unsigned nibble = octets[i / 2] >> (i % 2 * 4) & 0xf;
    if (nibble == kFiller) {
      ended = true;
      continue;
    }
    if (ended || nibble > 9 || n == kMaxDigits) return std::nullopt;
    bits = WithNibble(bits, n++, nibble);
  }
  if (n == 0) return std::nullopt;
  return FromBits(bits);
}

size_t Digits::size() const {
  if (is_pseudonym()) return kTextSize;
  size_t n = 0;
  while (n < kMaxDigits && Nibble(bits_, n) != kFiller) ++n;
  return n;
}

Digits Digits::Prefix(size_t n) const {
  if (is_pseudonym() || n >= kMaxDigits) return *this;
  return FromBits(bits_ | ~uint64_t{0} >> (4 * n));
}

size_t Digits::Format(char* out) const {
  const size_t n = size();
  constexpr char kHex[] = "0123456789abcdef";
  for (size_t i = 0; i < n; ++i) out[i] = kHex[Nibble(bits_, i)];
  if (is_pseudonym()) out[0] = 'x';
  return n;
}

std::string Digits::ToString() const {
  char text[kTextSize];
  return std::string(text, Format(text));
}

size_t Digits::FormatTbcd(uint8_t* out) const {
  const size_t n = (size() + 1) / 2;
  for (size_t i = 0; i < n; ++i) {
    out[i] = static_cast<uint8_t>(Nibble(bits_, 2 * i) | Nibble(bits_, 2 * i + 1) << 4);
  }
  return n;
}

}  // namespace flowacct::base
