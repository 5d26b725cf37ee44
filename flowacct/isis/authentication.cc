#include "flowacct/isis/authentication.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>

#include "flowacct/base/octets.h"
#include "flowacct/isis/tlv_types.h"

namespace flowacct::isis {

using base::Octets;

namespace {

constexpr AuthenticationKindInfo kKinds[] = {
#define X(name, text, type, size, digest) {AuthenticationKind::name, text, type, size},
    FLOWACCT_ISIS_AUTHENTICATIONS(X)
#undef X
};

using DigestFunction = const EVP_MD* (*)();
constexpr DigestFunction kDigests[] = {
#define X(name, text, type, size, digest) digest,
    FLOWACCT_ISIS_AUTHENTICATIONS(X)
#undef X
};

constexpr absl::string_view kResultNames[] = {
#define X(name, text) text,
    FLOWACCT_ISIS_AUTHENTICATION_RESULTS(X)
#undef X
};

constexpr size_t kMaxDigest = 64;
constexpr size_t kMaxPassword = 254;  // what a TLV has room for
using Digest = std::array<uint8_t, kMaxDigest>;

constexpr uint8_t kGeneric = 3;                                // RFC 5310: a key identifier stands before the digest
constexpr uint8_t kApad[4] = {0x87, 0x8f, 0xe1, 0xf3};         // RFC 5310, 3.3
constexpr size_t kRemainingLifetimeAt = 10, kChecksumAt = 24;  // of an LSP

const AuthenticationKindInfo& InfoOf(AuthenticationKind kind) { return kKinds[static_cast<size_t>(kind)]; }

// What stands before the digest in the value of TLV 10.
size_t DigestAt(const AuthenticationKindInfo& kind) { return kind.type == kGeneric ? 3 : 1; }

bool Hmac(AuthenticationKind kind, absl::string_view secret, Octets octets, Digest* digest) {
  const EVP_MD* md = kDigests[static_cast<size_t>(kind)]();
  const size_t size = InfoOf(kind).digest_size;
  Digest shortened;
  // RFC 5310, 3.3: a key that is longer than the digest is hashed; plain HMAC does so only beyond the block.
  if (InfoOf(kind).type == kGeneric && secret.size() > size) {
    if (EVP_Digest(secret.data(), secret.size(), shortened.data(), nullptr, md, nullptr) != 1) return false;
    secret = base::AsText(Octets(shortened).first(size));
  }
  unsigned int written = 0;
  return HMAC(md, secret.data(), static_cast<int>(secret.size()), octets.data(), octets.size(), digest->data(),
              &written) != nullptr &&
         written == size;
}

// The digest of `pdu`, whose digest stands (or will stand) at `at`.
bool DigestOf(const AuthenticationKey& key, Octets pdu, bool is_lsp, size_t at, Digest* digest) {
  std::vector<uint8_t> copy(pdu.begin(), pdu.end());
  const AuthenticationKindInfo& info = InfoOf(key.kind);
  for (size_t i = 0; i < info.digest_size; ++i) copy[at + i] = info.type == kGeneric ? kApad[i % 4] : 0;
  if (is_lsp) {
    base::StoreBe16(&copy[kRemainingLifetimeAt], 0);
    base::StoreBe16(&copy[kChecksumAt], 0);
  }
  return Hmac(key.kind, key.secret, copy, digest);
}

bool IsEqual(Octets a, Octets b) { return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0; }

}  // namespace

absl::Span<const AuthenticationKindInfo> AuthenticationKinds() { return kKinds; }

absl::string_view AuthenticationResultName(AuthenticationResult result) {
  return kResultNames[static_cast<size_t>(result)];
}

AuthenticationResult VerifyAuthentication(const PduView& pdu, const AuthenticationKey& key) {
  if (key.kind == AuthenticationKind::kNone) return AuthenticationResult::kOk;
  TlvReader reader(pdu.tlvs());
  Octets value;
  bool found = false;
  for (Tlv tlv; reader.Next(&tlv);) {
    if (tlv.type != kTlvAuthentication) continue;
    if (found) return AuthenticationResult::kTwice;
    found = true;
    value = tlv.value;
  }
  if (!found) return AuthenticationResult::kMissing;
  const AuthenticationKindInfo& info = InfoOf(key.kind);
  if (value.empty()) return AuthenticationResult::kBadLength;
  if (value[0] != info.type) return AuthenticationResult::kWrongType;
  if (key.kind == AuthenticationKind::kClear) {
    const Octets secret = base::AsOctets(key.secret);
    return IsEqual(value.subspan(1), secret.first(std::min(secret.size(), kMaxPassword)))
               ? AuthenticationResult::kOk
               : AuthenticationResult::kFailed;
  }
  const size_t at = DigestAt(info);
  if (value.size() != at + info.digest_size) return AuthenticationResult::kBadLength;
  if (info.type == kGeneric && base::LoadBe16(value.data() + 1) != key.key_id) return AuthenticationResult::kUnknownKey;
  Digest digest;
  const size_t offset = static_cast<size_t>(value.data() - pdu.octets().data()) + at;
  if (!DigestOf(key, pdu.octets(), pdu.kind() == PduKind::kLsp, offset, &digest)) return AuthenticationResult::kFailed;
  return IsEqual(value.subspan(at), Octets(digest).first(info.digest_size)) ? AuthenticationResult::kOk
                                                                            : AuthenticationResult::kFailed;
}

AuthenticationResult VerifyAuthentication(const PduView& pdu, const AuthenticationKey& key,
                                          absl::Span<const AuthenticationKey> others) {
  AuthenticationResult furthest = VerifyAuthentication(pdu, key);
  for (const AuthenticationKey& other : others) {
    if (furthest == AuthenticationResult::kOk) break;
    const AuthenticationResult result = VerifyAuthentication(pdu, other);
    furthest = result == AuthenticationResult::kOk ? result : std::max(furthest, result);
  }
  return furthest;
}

std::vector<uint8_t> AuthenticationPlaceholder(const AuthenticationKey& key) {
  if (key.kind == AuthenticationKind::kNone) return {};
  const AuthenticationKindInfo& info = InfoOf(key.kind);
  const size_t password = info.digest_size == 0 ? std::min(key.secret.size(), kMaxPassword) : 0;
  std::vector<uint8_t> value(DigestAt(info) + info.digest_size + password);
  value[0] = info.type;
  if (info.type == kGeneric) base::StoreBe16(&value[1], key.key_id);
  std::copy_n(key.secret.begin(), password, value.begin() + 1);
  return value;
}

bool SignPdu(const AuthenticationKey& key, std::vector<uint8_t>* pdu) {
  const AuthenticationKindInfo& info = InfoOf(key.kind);
  if (info.digest_size == 0) return true;
  PduView view;
  if (!PduView::Parse(*pdu, &view).ok()) return false;
  TlvReader reader(view.tlvs());
  for (Tlv tlv; reader.Next(&tlv);) {
    if (tlv.type != kTlvAuthentication) continue;
    if (tlv.value.size() != DigestAt(info) + info.digest_size) return false;
    const size_t at = static_cast<size_t>(tlv.value.data() - pdu->data()) + DigestAt(info);
    Digest digest;
    if (!DigestOf(key, view.octets(), view.kind() == PduKind::kLsp, at, &digest)) return false;
    std::copy_n(digest.begin(), info.digest_size, pdu->begin() + static_cast<ptrdiff_t>(at));
    return true;
  }
  return false;
}

}  // namespace flowacct::isis
