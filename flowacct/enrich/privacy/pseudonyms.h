// Pseudonyms of one purpose and epoch: a keyed function of numbers and addresses, the same everywhere for one key.
//
// Digits: the first 60 bits of AES-128 of the digits, which base::Digits shows as "x" and 15 hexadecimal digits; two of
// a hundred million subscribers share one with a chance of some 1 in 200. IPv4 addresses: a permutation of all 2^32, by
// a Feistel network of ten rounds whose round function is AES-128 (the construction of FF1, NIST SP 800-38G), so that
// no two share one. IPv6 addresses: 120 bits of AES-128 of the address behind fd, as unique local ones (RFC 4193)
// begin. Addresses near each other have pseudonyms far from each other: networks of pseudonyms mean nothing.
//
// Why AES and not a hash: processors do it, many at once; a block takes some two nanoseconds.
// Ownership: its own. Threads: one. Errors: none. Cost: of a batch of 64 digits or IPv6 addresses one call of OpenSSL,
// of IPv4 addresses ten; no allocation after it was made.

#ifndef FLOWACCT_ENRICH_PRIVACY_PSEUDONYMS_H_
#define FLOWACCT_ENRICH_PRIVACY_PSEUDONYMS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/types/span.h"
#include "flowacct/base/digits.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/enrich/privacy/master_key.h"

namespace flowacct::enrich {

class Pseudonyms {
 public:
  static constexpr size_t kBatch = 64;

  explicit Pseudonyms(const MasterKey::Derived& key);
  Pseudonyms(Pseudonyms&&) noexcept;
  Pseudonyms& operator=(Pseudonyms&&) noexcept;
  ~Pseudonyms();

  // Of at most kBatch at once, in their places. Empty digits stay empty, pseudonyms are taken for digits.
  void Replace(absl::Span<base::Digits> digits);
  void Replace(absl::Span<base::IpAddress> addresses);

 private:
  struct Cipher;
  using Block = std::array<uint8_t, 16>;

  // AES-128 of `n` blocks, in their places.
  void Encrypt(Block* blocks, size_t n);

  std::unique_ptr<Cipher> cipher_;
};

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_PRIVACY_PSEUDONYMS_H_
