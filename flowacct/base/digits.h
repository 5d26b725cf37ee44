// Up to 16 decimal digits with their leading zeros, as telephone networks number things: IMSI (3GPP TS 23.003, 2.2),
// MSISDN (E.164), IMEI and IMEISV (TS 23.003, 6.2), PLMN identities (2.4).
//
// A plain value of 64 bits: a nibble for each digit from the most significant one on, 0xf behind the last. Values of
// as many digits are ordered as their texts are. A pseudonym stands for digits that are not to be known: 60 bits of
// a keyed hash, told apart by a first nibble of 0xa, and shown as "x" with 15 hexadecimal digits.
// Threads: any. Errors: what is no digit gives nothing. Cost: a register.

#ifndef FLOWACCT_BASE_DIGITS_H_
#define FLOWACCT_BASE_DIGITS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "flowacct/base/octets.h"

namespace flowacct::base {

class Digits {
 public:
  static constexpr size_t kMaxDigits = 16;
  // Of the longest text: that of a pseudonym is of 16 characters, too.
  static constexpr size_t kTextSize = 16;

  constexpr Digits() = default;
  static constexpr Digits FromBits(uint64_t bits) {
    Digits d;
    d.bits_ = bits;
    return d;
  }
  // "001011234567890", or a pseudonym; at most 16 digits, at least one.
  static std::optional<Digits> Parse(absl::string_view text);
  // TBCD-STRING (3GPP TS 29.002, 17.7.8): two digits an octet, the low nibble first, filled up with 0xf. Nothing if a
  // nibble before the filler is no digit, if digits follow it, or if there are none or too many.
  static std::optional<Digits> FromTbcd(Octets octets);
  static constexpr Digits Pseudonym(uint64_t hash) { return FromBits(uint64_t{0xa} << 60 | hash >> 4); }

  constexpr uint64_t bits() const { return bits_; }
  constexpr bool empty() const { return bits_ == ~uint64_t{0}; }
  constexpr bool is_pseudonym() const { return bits_ >> 60 == 0xa; }
  // Number of digits; of a pseudonym 16.
  size_t size() const;
  // The first `n` digits (all, if it has no more).
  Digits Prefix(size_t n) const;
  // Writes size() characters, at most kTextSize; returns how many.
  size_t Format(char* out) const;
  std::string ToString() const;
  // Writes (size() + 1) / 2 octets, at most 8; returns how many. A pseudonym's nibbles go out as they are.
  size_t FormatTbcd(uint8_t* out) const;

  friend constexpr bool operator==(Digits a, Digits b) { return a.bits_ == b.bits_; }
  friend constexpr bool operator!=(Digits a, Digits b) { return a.bits_ != b.bits_; }
  friend constexpr bool operator<(Digits a, Digits b) { return a.bits_ < b.bits_; }
  template <typename H>
  friend H AbslHashValue(H h, Digits d) {
    return H::combine(std::move(h), d.bits_);
  }

 private:
  uint64_t bits_ = ~uint64_t{0};
};

}  // namespace flowacct::base

#endif  // FLOWACCT_BASE_DIGITS_H_
