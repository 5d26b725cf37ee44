#include "flowacct/enrich/privacy/master_key.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace flowacct::enrich {
namespace {

int DigitOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = absl::ascii_tolower(static_cast<unsigned char>(c));
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const MasterKey>> MasterKey::Parse(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  if (text.size() < 2 * kMinOctets || text.size() > 2 * kMaxOctets || text.size() % 2 != 0) {
    return absl::InvalidArgumentError(absl::StrCat("the key has ", text.size(), " characters; write ", 2 * kMinOctets,
                                                   " to ", 2 * kMaxOctets,
                                                   " hexadecimal digits, as `openssl rand -hex 32` makes them"));
  }
  std::shared_ptr<MasterKey> key(new MasterKey);
  for (size_t i = 0; i < text.size(); i += 2) {
    const int high = DigitOf(text[i]), low = DigitOf(text[i + 1]);
    if (high < 0 || low < 0) {
      return absl::InvalidArgumentError(
          "the key has a character that is no hexadecimal digit; `openssl rand -hex 32` makes one");
    }
    key->octets_[key->size_++] = static_cast<uint8_t>(high << 4 | low);
  }
  return key;
}

absl::StatusOr<std::shared_ptr<const MasterKey>> MasterKey::Random() {
  std::shared_ptr<MasterKey> key(new MasterKey);
  key->size_ = 32;
  if (RAND_bytes(key->octets_.data(), static_cast<int>(key->size_)) != 1) {
    return absl::UnavailableError("the system gives no random octets for a key");
  }
  return key;
}

MasterKey::~MasterKey() { OPENSSL_cleanse(octets_.data(), octets_.size()); }

MasterKey::Derived MasterKey::Derive(absl::string_view purpose, int64_t epoch) const {
  std::string info = absl::StrCat("flowacct privacy 1, ", purpose, ", ", epoch);
  info.push_back('\1');  // of the first and only block of HKDF-Expand
  uint8_t block[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_sha256(), octets_.data(), static_cast<int>(size_), reinterpret_cast<const uint8_t*>(info.data()),
       info.size(), block, &size);
  Derived derived;
  std::copy_n(block, derived.size(), derived.begin());
  OPENSSL_cleanse(block, sizeof block);
  return derived;
}

}  // namespace flowacct::enrich
