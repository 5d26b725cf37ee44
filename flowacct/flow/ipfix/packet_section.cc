#include "flowacct/flow/ipfix/packet_section.h"

#include <algorithm>
#include <cstring>

#include "flowacct/record/field.h"

namespace flowacct::ipfix {
namespace {

using record::FieldId;

// Of a frame whose record does not say how long it was: more than any is, so that no header's length contradicts it.
constexpr uint32_t kUnknownFrameOctets = 1 << 17;

constexpr size_t kMaxLabels = 10;  // as elements 70 to 79 have them

// Entries of four octets (RFC 3032, 2.1), of which a record keeps three.
bool FillLabels(base::Octets section, base::Interner* interner, record::MutableRow row) {
  uint8_t stack[3 * kMaxLabels];
  size_t entries = 0;
  while (section.size() >= 4 && entries < kMaxLabels) {
    std::memcpy(stack + 3 * entries++, section.data(), 3);
    if ((section[2] & 1) != 0) break;
    section.remove_prefix(4);
  }
  if (entries == 0) return false;
  row.Set<FieldId::kMplsLabelTop>(base::LoadBe24(stack) >> 4);
  row.Set<FieldId::kMplsLabelBottom>(base::LoadBe24(stack + 3 * (entries - 1)) >> 4);
  if (row.layout().Has(FieldId::kMplsLabelStack)) {
    row.Set<FieldId::kMplsLabelStack>(interner->Intern(base::Octets(stack, 3 * entries)));
  }
  return true;
}

packet::PacketDecoderOptions SectionOptions() {
  packet::PacketDecoderOptions options;
  options.keep_not_ip = true;
  return options;
}

}  // namespace

void PacketSections::BeginMessage(base::Interner* interner, int64_t now_nanos) {
  interner_ = interner;
  now_nanos_ = now_nanos;
}

bool PacketSections::DecodeSection(uint16_t element, base::Octets section, uint64_t frame_octets,
                                   record::MutableRow row) {
  if (element == 316) return FillLabels(section, interner_, row);
  if (decoder_ == nullptr) {
    decoder_ = std::make_unique<packet::PacketDecoder>(layout_, interner_, SectionOptions());
  } else if (decoder_interner_ != interner_) {
    decoder_->Rebind(layout_, interner_);
  }
  decoder_interner_ = interner_;
  uint32_t length = static_cast<uint32_t>(section.size());
  if (frame_octets == 0) {
    length = kUnknownFrameOctets;
  } else if (frame_octets > length && frame_octets <= UINT32_MAX) {
    length = static_cast<uint32_t>(frame_octets);
  }
  const packet::LinkType link_type = element == 315 ? packet::LinkType::kEthernet : packet::LinkType::kRaw;
  packet::PacketSummary summary;
  const base::DecodeResult result =
      decoder_->DecodeHeaderSection(link_type, section, length, now_nanos_, row, &summary);
  if (!result.ok()) return false;
  // What begins at ip_offset is as long as its own header says, else as the frame.
  const uint32_t rest = length - std::min(length, summary.ip_offset);
  const uint32_t octets = summary.ip_version != 0 ? summary.ip_length : rest;
  if (octets != rest || length != kUnknownFrameOctets) row.Set<FieldId::kBytes>(octets);
  return true;
}

}  // namespace flowacct::ipfix
