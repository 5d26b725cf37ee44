#include "flowacct/isis/authentication.h"

#include <openssl/evp.h>

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/types/span.h"
#include "flowacct/isis/checksum.h"
#include "flowacct/isis/pdu_writer.h"
#include "flowacct/isis/testing/pdus.h"
#include "flowacct/isis/tlv_types.h"
#include "gtest/gtest.h"

namespace flowacct::isis {
namespace {

using Result = AuthenticationResult;
using testing::NamedPdu;
using testing::Pdus;

AuthenticationKey Key(AuthenticationKind kind, std::string secret = "not the right one", uint16_t id = 0x1234) {
  return {kind, id, std::move(secret)};
}

Result Verify(const std::vector<uint8_t>& octets, const AuthenticationKey& key) {
  PduView view;
  EXPECT_TRUE(PduView::Parse(octets, &view).ok());
  return VerifyAuthentication(view, key);
}

// RFC 2104 as it is written, on a plain digest.
std::vector<uint8_t> Hmac(const EVP_MD* md, std::vector<uint8_t> key, const std::vector<uint8_t>& text) {
  const auto digest = [md](std::vector<uint8_t> octets) {
    std::vector<uint8_t> out(static_cast<size_t>(EVP_MD_size(md)));
    EXPECT_EQ(EVP_Digest(octets.data(), octets.size(), out.data(), nullptr, md, nullptr), 1);
    return out;
  };
  const auto size = static_cast<size_t>(EVP_MD_block_size(md));
  if (key.size() > size) key = digest(key);
  key.resize(size);
  std::vector<uint8_t> inner, outer;
  for (const uint8_t octet : key) {
    inner.push_back(octet ^ 0x36);
    outer.push_back(octet ^ 0x5c);
  }
  inner.insert(inner.end(), text.begin(), text.end());
  const std::vector<uint8_t> first = digest(inner);
  outer.insert(outer.end(), first.begin(), first.end());
  return digest(outer);
}

TEST(Authentication, ProvesEveryPduToWhoHasTheKey) {
  for (const AuthenticationKindInfo& info : AuthenticationKinds()) {
    const AuthenticationKey key = Key(info.kind);
    for (const NamedPdu& pdu : Pdus(key)) {
      SCOPED_TRACE(std::string(info.name) + " " + pdu.name);
      EXPECT_EQ(Verify(pdu.octets, key), Result::kOk);
      EXPECT_EQ(Verify(pdu.octets, AuthenticationKey()), Result::kOk) << "no key, no question";
      if (info.kind == AuthenticationKind::kNone) continue;
      EXPECT_EQ(Verify(pdu.octets, Key(info.kind, "another one")), Result::kFailed);
      EXPECT_EQ(Verify(pdu.octets, Key(info.kind, "")), Result::kFailed);
      if (info.type != 3) continue;
      EXPECT_EQ(Verify(pdu.octets, Key(info.kind, key.secret, 1)), Result::kUnknownKey);
    }
  }
}

TEST(Authentication, OfAnotherKindIsRefused) {
  for (const AuthenticationKindInfo& sent : AuthenticationKinds()) {
    const std::vector<uint8_t> octets = Pdus(Key(sent.kind)).back().octets;
    for (const AuthenticationKindInfo& wanted : AuthenticationKinds()) {
      Result expected = Result::kOk;
      if (wanted.kind != AuthenticationKind::kNone && wanted.kind != sent.kind) {
        expected = sent.kind == AuthenticationKind::kNone ? Result::kMissing
                   : wanted.type != sent.type             ? Result::kWrongType
                                                          : Result::kBadLength;
      }
      EXPECT_EQ(Verify(octets, Key(wanted.kind)), expected) << sent.name << " " << wanted.name;
    }
  }
}

TEST(Authentication, CoversEveryOctetButLifetimeAndChecksumOfAnLsp) {
  const AuthenticationKey key = Key(AuthenticationKind::kHmacSha256);
  for (const NamedPdu& pdu : Pdus(key)) {
    std::vector<uint8_t> octets = pdu.octets;
    const bool lsp =
        octets[4] == static_cast<uint8_t>(PduType::kL1Lsp) || octets[4] == static_cast<uint8_t>(PduType::kL2Lsp);
    for (size_t i = 8; i < octets.size(); ++i) {
      octets[i] ^= 0x01;
      PduView view;
      const bool free = lsp && (i == 10 || i == 11 || i == 24 || i == 25);
      // Where a length was changed, nothing may be read at all.
      if (PduView::Parse(octets, &view).ok()) {
        EXPECT_EQ(VerifyAuthentication(view, key) == Result::kOk, free) << pdu.name << " " << i;
      }
      octets[i] ^= 0x01;
    }
  }
}

// From the standards alone: what is hashed, with which key.
TEST(Authentication, IsWhatTheStandardsSay) {
  struct Case {
    AuthenticationKind kind;
    const EVP_MD* md;
  };
  const Case cases[] = {
      {AuthenticationKind::kHmacMd5, EVP_md5()},       {AuthenticationKind::kHmacSha1, EVP_sha1()},
      {AuthenticationKind::kHmacSha224, EVP_sha224()}, {AuthenticationKind::kHmacSha256, EVP_sha256()},
      {AuthenticationKind::kHmacSha384, EVP_sha384()}, {AuthenticationKind::kHmacSha512, EVP_sha512()},
  };
  for (const Case& c : cases) {
    const bool md5 = c.kind == AuthenticationKind::kHmacMd5;
    const auto size = static_cast<size_t>(EVP_MD_size(c.md));
    // As long as the digest, longer, and longer than the block.
    for (const size_t length : {size_t{3}, size, size + 1, size_t{200}}) {
      const AuthenticationKey key = Key(c.kind, std::string(length, 'k'));
      for (const NamedPdu& pdu : Pdus(key)) {
        PduView view;
        ASSERT_TRUE(PduView::Parse(pdu.octets, &view).ok());
        TlvReader tlvs(view.tlvs());
        Tlv tlv;
        ASSERT_TRUE(tlvs.Next(&tlv));
        ASSERT_EQ(tlv.type, kTlvAuthentication);
        ASSERT_EQ(tlv.value.size(), size + (md5 ? 1 : 3));
        const std::vector<uint8_t> sent(tlv.value.end() - static_cast<ptrdiff_t>(size), tlv.value.end());
        std::vector<uint8_t> text = pdu.octets;
        const size_t at = view.info().header_size + 2u + (md5 ? 1 : 3);
        const uint8_t apad[] = {0x87, 0x8f, 0xe1, 0xf3};
        for (size_t i = 0; i < size; ++i) text[at + i] = md5 ? 0 : apad[i % 4];
        if (view.kind() == PduKind::kLsp) text[10] = text[11] = text[24] = text[25] = 0;
        std::vector<uint8_t> secret(key.secret.begin(), key.secret.end());
        if (!md5 && length > size) {
          std::vector<uint8_t> shortened(size);
          ASSERT_EQ(EVP_Digest(secret.data(), secret.size(), shortened.data(), nullptr, c.md, nullptr), 1);
          secret = shortened;
        }
        EXPECT_EQ(sent, Hmac(c.md, secret, text)) << pdu.name << " " << length;
      }
    }
  }
}

// A PSNP of system 0000.0000.0001, whose digests `openssl dgst -mac HMAC` made.
TEST(Authentication, IsWhatAnotherProgramMakes) {
  struct Case {
    AuthenticationKind kind;
    const char* hex;
  };
  const Case cases[] = {
      {AuthenticationKind::kHmacMd5,
       "831101001a0100000036000000000001000a113617bda1235238d9055e25af9613f476ae091004af00000000000200000000"
       "0007beef"},
      {AuthenticationKind::kHmacSha1,
       "831101001a010000003c000000000001000a170301020fcdc838e83eee391bf2778ac3609c9555f25eba091004af00000000"
       "0002000000000007beef"},
      {AuthenticationKind::kHmacSha224,
       "831101001a0100000044000000000001000a1f030102f281807a55445919b8ae498bfa5b1369512ee1d5544d444263dbd8ff"
       "091004af000000000002000000000007beef"},
      {AuthenticationKind::kHmacSha256,
       "831101001a0100000048000000000001000a2303010209e1fd2887e8bd14feab9316d2fc713e0c3597e1f02e3f91d95a5024"
       "3d5ea8d9091004af000000000002000000000007beef"},
      {AuthenticationKind::kHmacSha384,
       "831101001a0100000058000000000001000a330301024cfb03d9a2807bf4ec9862cf5308ff0e2747df8002428e6b9e130e90"
       "fa142c9c04cfbf453bb40e4ff88b0f47b6c53df1091004af000000000002000000000007beef"},
      {AuthenticationKind::kHmacSha512,
       "831101001a0100000068000000000001000a43030102ac65d99c18ac02e34a547dda630857508f6cea46d6895cafa46bd600"
       "1052a1afd5c05def1a731c9508a3fbe74894bc99949ffcdb7fa4305128c5ae09107712d6091004af00000000000200000000"
       "0007beef"},
  };
  for (const Case& c : cases) {
    const std::string octets = absl::HexStringToBytes(c.hex);
    const std::vector<uint8_t> pdu(octets.begin(), octets.end());
    EXPECT_EQ(Verify(pdu, {c.kind, 0x0102, "flowacct"}), Result::kOk) << c.hex;
    EXPECT_EQ(Verify(pdu, {c.kind, 0x0102, "flowaccu"}), Result::kFailed);
    if (c.kind != AuthenticationKind::kHmacMd5) {
      EXPECT_EQ(Verify(pdu, {c.kind, 0x0103, "flowacct"}), Result::kUnknownKey);
    }
    PduWriter writer(PduWriter::Psnp{Level::k1, testing::Node("0000.0000.0001.00")}, 500);
    ASSERT_TRUE(writer.AddAuthentication({c.kind, 0x0102, "flowacct"}));
    ASSERT_EQ(writer.AddLspEntries({{1199, testing::Lsp("0000.0000.0002.00-00"), 7, 0xbeef}}), 1u);
    EXPECT_EQ(writer.Finish(), pdu);
  }
}

// While keys roll over: any proves; if none does, the reason of the key that came furthest is told.
TEST(Authentication, OfSeveralKeys) {
  using Kind = AuthenticationKind;
  const AuthenticationKey md5 = Key(Kind::kHmacMd5), clear = Key(Kind::kClear), none;
  const AuthenticationKey first = Key(Kind::kHmacSha1, "one", 1), second = Key(Kind::kHmacSha256, "two", 2);
  const AuthenticationKey other_secret = Key(Kind::kHmacSha256, "three", 2),
                          other_id = Key(Kind::kHmacSha256, "two", 3);
  struct Case {
    AuthenticationKey sent;
    std::vector<AuthenticationKey> keys;
    Result result;
  };
  const Case cases[] = {
      {second, {first, second}, Result::kOk},
      {second, {second, first}, Result::kOk},
      {second, {md5, clear, first, other_secret, second}, Result::kOk},
      {second, {other_secret, second}, Result::kOk},
      {second, {first}, Result::kBadLength},
      {second, {md5, clear}, Result::kWrongType},
      {second, {first, other_id, md5}, Result::kUnknownKey},
      {second, {other_secret, other_id, first}, Result::kFailed},
      {none, {first, second}, Result::kMissing},
      {none, {first, none}, Result::kOk},
      {other_secret, {first, none}, Result::kOk},
  };
  for (const Case& c : cases) {
    PduWriter writer(PduWriter::Psnp{Level::k1, testing::Node("0000.0000.0001.00")}, 500);
    ASSERT_TRUE(writer.AddAuthentication(c.sent));
    const std::vector<uint8_t> pdu = writer.Finish();
    PduView view;
    ASSERT_TRUE(PduView::Parse(pdu, &view).ok());
    const absl::Span<const AuthenticationKey> keys = c.keys;
    EXPECT_EQ(VerifyAuthentication(view, keys[0], keys.subspan(1)), c.result) << &c - cases;
  }
}

TEST(Authentication, MissingTwiceAndCut) {
  const AuthenticationKey key = Key(AuthenticationKind::kHmacMd5);
  const PduWriter::Psnp header{Level::k2, testing::Node("0000.0000.0001.00")};
  PduWriter none(header, 500);
  EXPECT_EQ(Verify(none.Finish(), key), Result::kMissing);
  PduWriter twice(header, 500);
  ASSERT_TRUE(twice.AddAuthentication(key));
  ASSERT_TRUE(twice.Add(kTlvAuthentication, AuthenticationPlaceholder(key)));
  EXPECT_EQ(Verify(twice.Finish(), key), Result::kTwice);
  PduWriter empty(header, 500);
  ASSERT_TRUE(empty.Add(kTlvAuthentication, {}));
  EXPECT_EQ(Verify(empty.Finish(), key), Result::kBadLength);
  for (size_t size = 1; size < 40; ++size) {
    std::vector<uint8_t> value(size);
    value[0] = 54;
    PduWriter cut(header, 500);
    ASSERT_TRUE(cut.Add(kTlvAuthentication, value));
    EXPECT_EQ(Verify(cut.Finish(), key), size == 17 ? Result::kFailed : Result::kBadLength) << size;
  }
  // A TLV that lies before the authentication: it is not found.
  PduWriter lies(header, 500);
  ASSERT_TRUE(lies.Add(kTlvLspEntries, std::vector<uint8_t>(16)) && lies.AddAuthentication(key));
  std::vector<uint8_t> octets = lies.Finish();
  ASSERT_EQ(Verify(octets, key), Result::kOk);
  octets[18] = 200;
  EXPECT_EQ(Verify(octets, key), Result::kMissing);
}

TEST(Authentication, CutsPasswordsThatNoTlvHolds) {
  const AuthenticationKey key = Key(AuthenticationKind::kClear, std::string(300, 'p'));
  EXPECT_EQ(AuthenticationPlaceholder(key).size(), 255u);
  PduWriter writer(PduWriter::Psnp{}, 500);
  ASSERT_TRUE(writer.AddAuthentication(key));
  EXPECT_EQ(Verify(writer.Finish(), key), Result::kOk);
}

TEST(Authentication, IsSignedBeforeTheChecksum) {
  for (const NamedPdu& pdu : Pdus(Key(AuthenticationKind::kHmacSha512))) {
    EXPECT_TRUE(pdu.name.substr(0, 4) != "lsp_" || LspChecksumIsRight(pdu.octets)) << pdu.name;
  }
}

TEST(Authentication, NamesItsResults) {
  EXPECT_EQ(AuthenticationResultName(Result::kOk), "ok");
  EXPECT_EQ(AuthenticationResultName(Result::kTwice), "authentication_twice");
}

}  // namespace
}  // namespace flowacct::isis
