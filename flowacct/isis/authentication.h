// Authentication of PDUs: a password as it is, HMAC-MD5, and HMAC of the SHA family with key identifiers.
//
// Standards: ISO/IEC 10589, 9.5 to 9.13 (TLV 10, type 1), RFC 5304 (type 54), RFC 5310 (type 3); purges RFC 6233. Of an
// LSP the remaining lifetime and the checksum count as zero. Ownership: borrows the octets; keys are the caller's.
// Threads: any. Errors: an AuthenticationResult, which names counters. Cost: one HMAC over the PDU (libcrypto), some
// microseconds; octets are compared in constant time; one copy of the PDU.

#ifndef FLOWACCT_ISIS_AUTHENTICATION_H_
#define FLOWACCT_ISIS_AUTHENTICATION_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/isis/pdu_view.h"

namespace flowacct::isis {

// name, configured as, type in TLV 10, octets of the digest, libcrypto's function
#define FLOWACCT_ISIS_AUTHENTICATIONS(X)            \
  X(kNone, "none", 0, 0, EVP_md_null)               \
  X(kClear, "clear", 1, 0, EVP_md_null)             \
  X(kHmacMd5, "hmac-md5", 54, 16, EVP_md5)          \
  X(kHmacSha1, "hmac-sha-1", 3, 20, EVP_sha1)       \
  X(kHmacSha224, "hmac-sha-224", 3, 28, EVP_sha224) \
  X(kHmacSha256, "hmac-sha-256", 3, 32, EVP_sha256) \
  X(kHmacSha384, "hmac-sha-384", 3, 48, EVP_sha384) \
  X(kHmacSha512, "hmac-sha-512", 3, 64, EVP_sha512)

enum class AuthenticationKind : uint8_t {
#define X(name, text, type, size, digest) name,
  FLOWACCT_ISIS_AUTHENTICATIONS(X)
#undef X
};

struct AuthenticationKindInfo {
  AuthenticationKind kind;
  absl::string_view name;
  uint8_t type;  // the first octet of TLV 10
  uint8_t digest_size;
};

absl::Span<const AuthenticationKindInfo> AuthenticationKinds();  // in the order of the enumerators

struct AuthenticationKey {
  AuthenticationKind kind = AuthenticationKind::kNone;
  uint16_t key_id = 0;  // RFC 5310
  std::string secret;   // never shown
};

inline bool HasSecret(const AuthenticationKey& key) {  // if it needs one
  return key.kind == AuthenticationKind::kNone || !key.secret.empty();
}

// name, text of the counter; behind kMissing in the order in which they are found out
#define FLOWACCT_ISIS_AUTHENTICATION_RESULTS(X) \
  X(kOk, "ok")                                  \
  X(kMissing, "authentication_missing")         \
  X(kWrongType, "authentication_type")          \
  X(kBadLength, "authentication_length")        \
  X(kUnknownKey, "authentication_key_id")       \
  X(kFailed, "authentication_failed")           \
  X(kTwice, "authentication_twice")

enum class AuthenticationResult : uint8_t {
#define X(name, text) name,
  FLOWACCT_ISIS_AUTHENTICATION_RESULTS(X)
#undef X
};
absl::string_view AuthenticationResultName(AuthenticationResult result);

// Whether the PDU proves that its sender has `key`. A key of kNone is content with everything, as RFC 5304, 2 has it. A
// PDU whose TLVs lie before the authentication was found is kMissing.
AuthenticationResult VerifyAuthentication(const PduView& pdu, const AuthenticationKey& key);
// The same of any of several keys, as there are while keys roll over: of what none of them
// proves, the reason of the key that came furthest is told. At most one HMAC a key.
AuthenticationResult VerifyAuthentication(const PduView& pdu, const AuthenticationKey& key,
                                          absl::Span<const AuthenticationKey> others);

// The value of a TLV 10 that Sign fills in later; nothing for kNone. At most 255 octets: a password is cut.
std::vector<uint8_t> AuthenticationPlaceholder(const AuthenticationKey& key);
// Fills in the digest of the first TLV 10 of a PDU that is otherwise whole (length, TLVs), for kinds that have one; the
// caller sets the checksum of an LSP afterwards. False if there is no such TLV, or libcrypto refuses the digest.
bool SignPdu(const AuthenticationKey& key, std::vector<uint8_t>* pdu);

}  // namespace flowacct::isis

#endif  // FLOWACCT_ISIS_AUTHENTICATION_H_
