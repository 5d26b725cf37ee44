#include "flowacct/gtp/message_view.h"

#include <utility>

#include "flowacct/gtp/testing/gtp1_builder.h"
#include "gtest/gtest.h"

namespace flowacct::gtp {
namespace {

using base::DecodeCode;
using base::DecodeResult;
using testing::Build;
using testing::Bytes;
using testing::Hex;
using testing::Join;
using testing::PrimeHeader;
using testing::V0Header;
using testing::V1Header;

const Bytes kBody = {14, 0x21, 1, 128};

// A view with the octets that it borrows.
struct Parsed : MessageView {
  explicit Parsed(Bytes octets) : kept(std::move(octets)) {
    const DecodeResult result = Parse(kept, this);
    EXPECT_TRUE(result.ok()) << base::DecodeCodeName(result.code) << " at " << result.offset;
  }
  Parsed(const Parsed&) = delete;
  Parsed& operator=(const Parsed&) = delete;
  Bytes kept;
};

DecodeResult Refused(const Bytes& octets) {
  Parsed view(Build(V1Header(1, 0x5151), {}));
  const DecodeResult result = MessageView::Parse(octets, &view);
  EXPECT_FALSE(result.ok());
  EXPECT_EQ(view.teid(), 0x5151u);  // as it was
  return result;
}

Bytes Payload(const MessageView& view) { return Bytes(view.payload().begin(), view.payload().end()); }

TEST(MessageView, ReadsVersion0) {
  const Parsed m(Build(V0Header(16).Sequence(0x1234).FlowLabel(0x5678).NpduNumber(9).Tid(0x21436587092143f5), kBody));
  EXPECT_EQ(m.version(), 0);
  EXPECT_FALSE(m.is_prime());
  EXPECT_EQ(m.type(), 16);
  EXPECT_FALSE(m.has_teid());
  EXPECT_TRUE(m.has_sequence());
  EXPECT_EQ(m.sequence(), 0x1234u);
  EXPECT_EQ(m.flow_label(), 0x5678);
  EXPECT_TRUE(m.has_npdu_number());
  EXPECT_EQ(m.npdu_number(), 9);
  EXPECT_EQ(m.tid(), 0x21436587092143f5u);
  EXPECT_EQ(m.size(), 24u);
  EXPECT_EQ(Payload(m), kBody);
  EXPECT_FALSE(Parsed(Build(V0Header(16), kBody)).has_npdu_number());
}

TEST(MessageView, ReadsVersion1WithEachSetOfFlags) {
  for (int flags = 0; flags < 8; ++flags) {
    SCOPED_TRACE(flags);
    V1Header header(255, 0xdeadbeef);
    if ((flags & 1) != 0) header.NpduNumber(7);
    if ((flags & 2) != 0) header.Sequence(0x4500);  // looks like the begin of an IPv4 header
    if ((flags & 4) != 0) header.Extend(0x85, {0x10, 0x09}).Extend(0xc0, {1, 2}).Extend(0x20, Bytes(1018, 3));
    const Parsed m(Build(header, kBody));
    EXPECT_EQ(m.version(), 1);
    EXPECT_FALSE(m.is_prime());
    EXPECT_TRUE(m.has_teid());
    EXPECT_EQ(m.teid(), 0xdeadbeefu);
    EXPECT_EQ(m.has_npdu_number(), (flags & 1) != 0);
    EXPECT_EQ(m.npdu_number(), (flags & 1) != 0 ? 7 : 0);
    EXPECT_EQ(m.has_sequence(), (flags & 2) != 0);
    EXPECT_EQ(m.sequence(), (flags & 2) != 0 ? 0x4500u : 0u);
    EXPECT_EQ(m.first_extension_type(), (flags & 4) != 0 ? 0x85 : 0);
    EXPECT_EQ(m.extensions().size(), (flags & 4) != 0 ? 4u + 4u + 1020u : 0u);
    EXPECT_EQ(Payload(m), kBody);
  }
}

// What a field holds whose flag is not set does not count, the type of an extension header either.
TEST(MessageView, DoesNotReadFieldsWhoseFlagsAreNotSet) {
  const Parsed m(Hex("31 ff 0008 00000001 4500 07 85 0e21 0180"));
  EXPECT_FALSE(m.has_sequence());
  EXPECT_EQ(m.sequence(), 0u);
  EXPECT_EQ(m.npdu_number(), 7);
  EXPECT_EQ(m.first_extension_type(), 0);
  EXPECT_EQ(Payload(m), kBody);
  const Parsed empty_chain(Hex("34 ff 0008 00000001 4500 07 00 0e21 0180"));
  EXPECT_TRUE(empty_chain.extensions().empty());
  EXPECT_EQ(Payload(empty_chain), kBody);
}

TEST(MessageView, ReadsVersion2) {
  const Parsed with(Hex("48 20 000c 01020304 050607 00 03000100"));
  EXPECT_EQ(with.version(), 2);
  EXPECT_EQ(with.type(), 32);
  EXPECT_TRUE(with.has_teid());
  EXPECT_EQ(with.teid(), 0x01020304u);
  EXPECT_EQ(with.sequence(), 0x050607u);
  EXPECT_FALSE(with.is_piggybacked());
  EXPECT_EQ(Payload(with), Hex("03000100"));
  const Parsed without(Hex("40 01 0008 050607 00 03000100"));
  EXPECT_FALSE(without.has_teid());
  EXPECT_EQ(without.sequence(), 0x050607u);
  EXPECT_EQ(Payload(without), Hex("03000100"));
  // With message priority, and with the spare bits set that a receiver does not look at.
  EXPECT_FALSE(Parsed(Hex("4c 20 000c 01020304 050607 f0 03000100")).is_prime());
  EXPECT_FALSE(Parsed(Hex("4b 20 000c 01020304 050607 00 03000100")).is_prime());
}

TEST(MessageView, FindsWhatIsPiggybacked) {
  const Bytes first = Hex("58 21 0008 01020304 050607 00"), second = Hex("48 5f 000c 0a0b0c0d 000009 00 49000100");
  const Bytes both = Join({first, second});
  const Parsed m(both);
  EXPECT_TRUE(m.is_piggybacked());
  EXPECT_EQ(m.size(), first.size());
  EXPECT_TRUE(m.payload().empty());
  const Parsed n(Bytes(both.begin() + static_cast<std::ptrdiff_t>(m.size()), both.end()));
  EXPECT_EQ(n.type(), 95);
  EXPECT_EQ(n.teid(), 0x0a0b0c0du);
  EXPECT_FALSE(n.is_piggybacked());
}

TEST(MessageView, ReadsEachHeaderOfPrime) {
  const struct {
    PrimeHeader header;
    size_t size;
  } kCases[] = {
      {{0, true, 240, 77}, 6},
      {{0, false, 240, 77}, 20},
      {{1, true, 240, 77}, 6},
      {{2, true, 240, 77}, 6},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(int{c.header.version});
    const Parsed m(Build(c.header, kBody));
    EXPECT_TRUE(m.is_prime());
    EXPECT_EQ(m.version(), c.header.version);
    EXPECT_EQ(m.type(), 240);
    EXPECT_EQ(m.sequence(), 77u);
    EXPECT_FALSE(m.has_teid());
    EXPECT_EQ(m.size(), c.size + kBody.size());
    EXPECT_EQ(Payload(m), kBody);
  }
}

TEST(MessageView, LeavesWhatFollowsTheMessage) {
  const Bytes message = Build(V1Header(1).Sequence(1), kBody);
  const Parsed m(Join({message, {0, 0, 0}}));
  EXPECT_EQ(m.size(), message.size());
  EXPECT_EQ(Payload(m), kBody);
}

TEST(MessageView, RefusesWithTheOffset) {
  const struct {
    const char* octets;
    DecodeCode code;
    uint32_t offset;
  } kCases[] = {
      {"60 01 0000 00000000", DecodeCode::kBadVersion, 0},
      {"ff 01 0000 00000000", DecodeCode::kBadVersion, 0},
      {"30 01 0001 00000000", DecodeCode::kTruncated, 8},
      {"30 01 ffff 00000000 00", DecodeCode::kTruncated, 9},
      {"32 01 0003 00000000 000000", DecodeCode::kBadLength, 2},     // less than S, PN and E need
      {"48 20 0007 01020304 050607", DecodeCode::kBadLength, 2},     // less than the TEID and sequence number
      {"40 01 0003 050607", DecodeCode::kBadLength, 2},              // less than the sequence number
      {"34 ff 0004 00000000 00000085", DecodeCode::kBadLength, 12},  // the chain goes on where the message ends
      {"34 ff 0008 00000000 00000085 00000000", DecodeCode::kBadLength, 12},           // of no octets
      {"34 ff 0008 00000000 00000085 02000000", DecodeCode::kBadLength, 12},           // reaches out
      {"34 ff 0008 00000000 00000085 01000085", DecodeCode::kBadLength, 16},           // a second one that is not there
      {"34 ff 0008 00000000 00000085 02000000 00000000", DecodeCode::kBadLength, 12},  // only there behind the message
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.octets);
    const DecodeResult result = Refused(Hex(c.octets));
    EXPECT_EQ(base::DecodeCodeName(result.code), base::DecodeCodeName(c.code));
    EXPECT_EQ(result.offset, c.offset);
  }
}

TEST(MessageView, IsTruncatedAtEveryOctet) {
  const Bytes kMessages[] = {
      Build(V0Header(16), kBody),
      Build(V1Header(16), kBody),
      Build(V1Header(255, 1).Sequence(2).NpduNumber(3).Extend(0x85, {0x10, 9}).Extend(0x20, {1, 2, 3, 4, 5, 6}), kBody),
      Hex("48 20 000c 01020304 050607 00 03000100"),
      Hex("40 01 0008 050607 00 03000100"),
      Build(PrimeHeader{0, true, 240, 77}, kBody),
      Build(PrimeHeader{0, false, 240, 77}, kBody),
      Build(PrimeHeader{1, true, 240, 77}, kBody),
      Build(PrimeHeader{2, true, 240, 77}, kBody),
  };
  for (const Bytes& message : kMessages) {
    for (size_t n = 0; n < message.size(); ++n) {
      SCOPED_TRACE(n);
      // A copy of its own, so that a read behind its end is seen by AddressSanitizer.
      const DecodeResult result = Refused(Bytes(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(n)));
      EXPECT_EQ(base::DecodeCodeName(result.code), "truncated");
      EXPECT_EQ(result.offset, n);
    }
    EXPECT_EQ(Parsed(message).size(), message.size());
  }
}

}  // namespace
}  // namespace flowacct::gtp
