#include "flowacct/isis/pdu_view.h"

#include "flowacct/isis/tlv_types.h"

namespace flowacct::isis {

using base::DecodeCode;
using base::DecodeResult;
using base::LoadBe16;
using base::LoadBe32;
using base::Octets;

namespace {

constexpr PduTypeInfo kPduTypes[] = {
#define X(number, name, text, kind, levels, header) {PduType::name, text, PduKind::kind, levels, header},
    FLOWACCT_ISIS_PDU_TYPES(X)
#undef X
};

constexpr uint8_t kTypeMask = 0x1f;  // ISO 10589, 9.5: the three high bits are reserved and ignored

// Where the length of the PDU stands.
size_t LengthAt(PduKind kind) { return kind == PduKind::kLanHello || kind == PduKind::kPointToPointHello ? 17 : 8; }

}  // namespace

absl::Span<const PduTypeInfo> PduTypes() { return kPduTypes; }

const PduTypeInfo* FindPduType(uint8_t number) {
  for (const PduTypeInfo& info : kPduTypes) {
    if (static_cast<uint8_t>(info.type) == number) return &info;
  }
  return nullptr;
}

PduType PduTypeOf(PduKind kind, Level level) {
  const PduTypeInfo* found = kPduTypes;
  for (const PduTypeInfo& info : kPduTypes) {
    if (info.kind == kind && (info.levels & static_cast<uint8_t>(level)) != 0) found = &info;
  }
  return found->type;
}

DecodeResult PduView::Parse(Octets octets, PduView* view) {
  if (octets.size() < kCommonHeaderSize) return DecodeResult::Error(DecodeCode::kTruncated, octets.size());
  if (octets[0] != kDiscriminator) return DecodeResult::Error(DecodeCode::kUnsupported, 0);
  if (octets[2] != 1) return DecodeResult::Error(DecodeCode::kBadVersion, 2);
  if (octets[3] != 0 && octets[3] != 6) return DecodeResult::Error(DecodeCode::kUnsupported, 3);
  if (octets[5] != 1) return DecodeResult::Error(DecodeCode::kBadVersion, 5);
  const PduTypeInfo* info = FindPduType(octets[4] & kTypeMask);
  if (info == nullptr) return DecodeResult::Error(DecodeCode::kUnsupported, 4);
  if (octets[1] != info->header_size) return DecodeResult::Error(DecodeCode::kBadLength, 1);
  if (octets.size() < info->header_size) return DecodeResult::Error(DecodeCode::kTruncated, octets.size());
  const size_t length = LoadBe16(octets.data() + LengthAt(info->kind));
  if (length < info->header_size) return DecodeResult::Error(DecodeCode::kBadLength, LengthAt(info->kind));
  if (length > octets.size()) return DecodeResult::Error(DecodeCode::kTruncated, octets.size());
  view->octets_ = octets.first(length);
  view->info_ = info;
  return DecodeResult::Ok();
}

bool TlvReader::Next(Tlv* tlv) {
  size_ = 0;
  if (at_ == octets_.size() || !result_.ok()) return false;
  if (octets_.size() - at_ < 2 || octets_.size() - at_ - 2 < octets_[at_ + 1]) {
    result_ = DecodeResult::Error(DecodeCode::kBadLength, at_);
    return false;
  }
  tlv->type = octets_[at_];
  size_ = octets_[at_ + 1];
  tlv->value = octets_.subspan(at_ + 2, size_);
  at_ += 2 + size_;
  return true;
}

bool LspEntryReader::Next(LspEntry* entry) {
  while (entries_.empty()) {
    Tlv tlv;
    if (!result_.ok()) return false;
    if (!tlvs_.Next(&tlv)) {
      result_ = tlvs_.result();
      return false;
    }
    if (tlv.type != kTlvLspEntries) continue;
    if (tlv.value.size() % kLspEntrySize != 0) {
      result_ = DecodeResult::Error(DecodeCode::kBadLength, tlvs_.value_offset());
      return false;
    }
    entries_ = tlv.value;
  }
  const uint8_t* p = entries_.data();
  entry->remaining_seconds = LoadBe16(p);
  std::memcpy(entry->id.node.system.octets.data(), p + 2, 6);
  entry->id.node.pseudonode = p[8];
  entry->id.fragment = p[9];
  entry->sequence = LoadBe32(p + 10);
  entry->checksum = LoadBe16(p + 14);
  entries_.remove_prefix(kLspEntrySize);
  return true;
}

}  // namespace flowacct::isis
