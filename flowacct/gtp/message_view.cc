#include "flowacct/gtp/message_view.h"

namespace flowacct::gtp {

using base::DecodeCode;
using base::DecodeResult;
using base::LoadBe16;
using base::LoadBe24;
using base::LoadBe32;
using base::LoadBe64;
using base::Octets;

namespace {

constexpr uint8_t kProtocolType = 0x10;      // GTPv0 and v1: GTP, not GTP'
constexpr uint8_t kNpduPresent = 0x01;       // GTPv0: SNN, GTPv1: PN
constexpr uint8_t kSequencePresent = 0x02;   // GTPv1: S
constexpr uint8_t kExtensionPresent = 0x04;  // GTPv1: E
constexpr uint8_t kPiggybacked = 0x10;       // GTPv2: P
constexpr uint8_t kTeidPresent = 0x08;       // GTPv2: T
constexpr uint8_t kShortPrimeHeader = 0x01;  // GTP' version 0
constexpr size_t kV0Header = 20, kV1Header = 8, kV1Optional = 4, kV2Header = 8, kV2TeidHeader = 12, kPrimeHeader = 6;
constexpr size_t kLengthCountsFromV2 = 4;  // TS 29.274, 5.5.1

// GTP' of version 2 and GTPv2 share their first three bits, and the fourth is 0 in both when nothing is piggy-backed.
// The next three are "111" in GTP', where GTPv2-C has T, MP and a spare bit that its sender sets to 0.
bool IsPrime(uint8_t flags) { return flags >> 5 == 2 ? (flags & 0x1e) == 0x0e : (flags & kProtocolType) == 0; }

// Where the chain of extension headers ends that begins at `at` with a header of type `type` (TS 29.281, 5.2.1): each
// has its length in units of four octets first and the type of the next one last.
DecodeResult WalkExtensions(Octets message, uint8_t type, size_t* at) {
  while (type != 0) {
    if (*at == message.size()) return DecodeResult::Error(DecodeCode::kBadLength, *at);
    const size_t size = size_t{message[*at]} * 4;
    if (size == 0 || size > message.size() - *at) return DecodeResult::Error(DecodeCode::kBadLength, *at);
    *at += size;
    type = message[*at - 1];
  }
  return DecodeResult::Ok();
}

}  // namespace

DecodeResult MessageView::Parse(Octets octets, MessageView* view) {
  // The shortest header of all is of six octets; what is read first of all versions lies in four.
  if (octets.size() < 4) return DecodeResult::Error(DecodeCode::kTruncated, octets.size());
  const uint8_t* p = octets.data();
  const uint8_t flags = p[0];
  const size_t length = LoadBe16(p + 2);
  MessageView v;
  v.version_ = flags >> 5;
  v.type_ = p[1];
  if (v.version_ > 2) return DecodeResult::Error(DecodeCode::kBadVersion, 0);
  v.prime_ = IsPrime(flags);

  size_t header;  // the fixed one
  size_t total;   // of the message
  if (v.prime_) {
    header = v.version_ == 0 && (flags & kShortPrimeHeader) == 0 ? kV0Header : kPrimeHeader;
    total = header + length;
  } else if (v.version_ == 0) {
    header = kV0Header;
    total = header + length;
  } else if (v.version_ == 1) {
    header = kV1Header;
    total = header + length;
    if ((flags & (kExtensionPresent | kSequencePresent | kNpduPresent)) != 0) header += kV1Optional;
  } else {
    header = (flags & kTeidPresent) != 0 ? kV2TeidHeader : kV2Header;
    total = kLengthCountsFromV2 + length;
  }
  if (total < header) return DecodeResult::Error(DecodeCode::kBadLength, 2);
  if (total > octets.size()) return DecodeResult::Error(DecodeCode::kTruncated, octets.size());
  v.octets_ = octets.first(total);

  size_t at = header;
  if (v.prime_ || v.version_ == 0) {
    v.has_sequence_ = true;
    v.sequence_ = LoadBe16(p + 4);
    if (!v.prime_) {
      v.flow_label_ = LoadBe16(p + 6);
      v.has_npdu_ = (flags & kNpduPresent) != 0;
      v.npdu_ = p[8];
      v.tid_ = LoadBe64(p + 12);
    }
  } else if (v.version_ == 1) {
    v.has_teid_ = true;
    v.teid_ = LoadBe32(p + 4);
    if (header != kV1Header) {
      // A field whose flag is not set is there, but means nothing.
      v.has_sequence_ = (flags & kSequencePresent) != 0;
      if (v.has_sequence_) v.sequence_ = LoadBe16(p + 8);
      v.has_npdu_ = (flags & kNpduPresent) != 0;
      if (v.has_npdu_) v.npdu_ = p[10];
      if ((flags & kExtensionPresent) != 0) {
        v.first_extension_ = p[11];
        if (const DecodeResult walked = WalkExtensions(v.octets_, v.first_extension_, &at); !walked.ok()) return walked;
        v.extensions_ = v.octets_.subspan(header, at - header);
      }
    }
  } else {
    v.piggybacked_ = (flags & kPiggybacked) != 0;
    v.has_teid_ = header == kV2TeidHeader;
    if (v.has_teid_) v.teid_ = LoadBe32(p + 4);
    v.has_sequence_ = true;
    v.sequence_ = LoadBe24(p + header - 4);
  }
  v.payload_ = v.octets_.subspan(at);
  *view = v;
  return DecodeResult::Ok();
}

}  // namespace flowacct::gtp
