// The secret that pseudonyms depend on: whoever has it and a pseudonym can find whose it is by trying all numbers.
//
// At least 128 bits, in hexadecimal digits. It is shown by nothing here: no text has it, errors tell its length at
// most, and its memory is cleared at its end. Keys of use are derived from it by HMAC-SHA-256 (as HKDF-Expand, RFC
// 5869, does) for a purpose and an epoch, so that a pseudonym's key tells nothing of other purposes and epochs.
//
// Ownership: shared by std::shared_ptr<const MasterKey>. Threads: any. Errors: InvalidArgument for a text that is no
// key. Cost: a derivation takes some microseconds.

#ifndef FLOWACCT_ENRICH_PRIVACY_MASTER_KEY_H_
#define FLOWACCT_ENRICH_PRIVACY_MASTER_KEY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace flowacct::enrich {

class MasterKey {
 public:
  static constexpr size_t kMinOctets = 16, kMaxOctets = 64;
  static constexpr size_t kDerivedOctets = 16;
  using Derived = std::array<uint8_t, kDerivedOctets>;

  // 32 to 128 hexadecimal digits, with white space around them: what a file or the environment has.
  static absl::StatusOr<std::shared_ptr<const MasterKey>> Parse(absl::string_view text);
  // Of this run alone: pseudonyms of another one are others. Unavailable if the system has no randomness.
  static absl::StatusOr<std::shared_ptr<const MasterKey>> Random();
  ~MasterKey();
  MasterKey(const MasterKey&) = delete;
  MasterKey& operator=(const MasterKey&) = delete;

  Derived Derive(absl::string_view purpose, int64_t epoch) const;

 private:
  MasterKey() = default;

  std::array<uint8_t, kMaxOctets> octets_{};
  size_t size_ = 0;
};

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_PRIVACY_MASTER_KEY_H_
