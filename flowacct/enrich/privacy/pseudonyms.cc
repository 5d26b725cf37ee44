#include "flowacct/enrich/privacy/pseudonyms.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "flowacct/base/octets.h"

namespace flowacct::enrich {
namespace {

constexpr int kRounds = 10;
// Tell blocks of one key apart: digits, rounds of IPv4, IPv6.
constexpr uint8_t kOfDigits = 1, kOfV4 = 2;
constexpr uint8_t kUniqueLocal = 0xfd;

}  // namespace

struct Pseudonyms::Cipher {
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  ~Cipher() { EVP_CIPHER_CTX_free(context); }
};

Pseudonyms::Pseudonyms(const MasterKey::Derived& key) : cipher_(std::make_unique<Cipher>()) {
  // Only for want of memory, or of AES in the library: better nothing at all than what a record says.
  if (cipher_->context == nullptr ||
      EVP_EncryptInit_ex(cipher_->context, EVP_aes_128_ecb(), nullptr, key.data(), nullptr) != 1 ||
      EVP_CIPHER_CTX_set_padding(cipher_->context, 0) != 1) {
    std::abort();
  }
}

Pseudonyms::Pseudonyms(Pseudonyms&&) noexcept = default;
Pseudonyms& Pseudonyms::operator=(Pseudonyms&&) noexcept = default;
Pseudonyms::~Pseudonyms() = default;

void Pseudonyms::Encrypt(Block* blocks, size_t n) {
  int written = 0;
  uint8_t* const octets = blocks[0].data();
  const int size = static_cast<int>(n * sizeof(Block));
  if (EVP_EncryptUpdate(cipher_->context, octets, &written, octets, size) != 1 || written != size) std::abort();
}

void Pseudonyms::Replace(absl::Span<base::Digits> digits) {
  Block blocks[kBatch] = {};
  const size_t n = digits.size();
  if (n == 0) return;
  for (size_t i = 0; i < n; ++i) {
    blocks[i][0] = kOfDigits;
    base::StoreBe64(blocks[i].data() + 8, digits[i].bits());
  }
  Encrypt(blocks, n);
  for (size_t i = 0; i < n; ++i) {
    if (!digits[i].empty()) digits[i] = base::Digits::Pseudonym(base::LoadBe64(blocks[i].data()));
  }
}

void Pseudonyms::Replace(absl::Span<base::IpAddress> addresses) {
  Block blocks[kBatch] = {};
  const size_t n = addresses.size();
  // IPv6 by themselves, then IPv4.
  size_t places[kBatch];
  size_t count = 0;
  for (size_t i = 0; i < n; ++i) {
    if (addresses[i].IsV4()) continue;
    std::memcpy(blocks[count].data(), addresses[i].data(), sizeof(Block));
    places[count++] = i;
  }
  if (count > 0) Encrypt(blocks, count);
  for (size_t i = 0; i < count; ++i) {
    blocks[i][0] = kUniqueLocal;
    addresses[places[i]] = base::IpAddress::FromV6(blocks[i].data());
  }
  if (count == n) return;

  uint16_t left[kBatch], right[kBatch];
  count = 0;
  for (size_t i = 0; i < n; ++i) {
    if (!addresses[i].IsV4()) continue;
    left[count] = static_cast<uint16_t>(addresses[i].v4() >> 16);
    right[count] = static_cast<uint16_t>(addresses[i].v4());
    places[count++] = i;
  }
  for (int round = 0; round < kRounds; ++round) {
    for (size_t i = 0; i < count; ++i) {
      blocks[i] = {kOfV4, static_cast<uint8_t>(round)};
      base::StoreBe16(blocks[i].data() + 2, right[i]);
    }
    Encrypt(blocks, count);
    for (size_t i = 0; i < count; ++i) {
      const uint16_t mixed = static_cast<uint16_t>(left[i] ^ base::LoadBe16(blocks[i].data()));
      left[i] = right[i];
      right[i] = mixed;
    }
  }
  for (size_t i = 0; i < count; ++i) {
    addresses[places[i]] = base::IpAddress::V4(uint32_t{left[i]} << 16 | right[i]);
  }
}

}  // namespace flowacct::enrich
