#include "flowacct/flow/ipfix/packet_section.h"

#include <algorithm>
#include <cstring>

#include "flowacct/record/field.h"

namespace flowacct::ipfix {
namespace {

using record::FieldId;

constexpr size_t kMaxLabels = 10;  // as elements 70 to 79 have them

// Entries of four octets (RFC 3032, 2.1), of which a record keeps three.
void FillLabels(base::Octets section, base::Interner* interner, record::MutableRow row) {
  uint8_t stack[3 * kMaxLabels];
  size_t entries = 0;
  while (section.size() >= 4 && entries < kMaxLabels) {
    std::memcpy(stack + 3 * entries++, section.data(), 3);
    if ((section[2] & 1) != 0) break;
    section.remove_prefix(4);
  }
  if (entries == 0) return;
  row.Set<FieldId::kMplsLabelTop>(base::LoadBe24(stack) >> 4);
  row.Set<FieldId::kMplsLabelBottom>(base::LoadBe24(stack + 3 * (entries - 1)) >> 4);
  if (row.layout().Has(FieldId::kMplsLabelStack)) {
    row.Set<FieldId::kMplsLabelStack>(interner->Intern(base::Octets(stack, 3 * entries)));
  }
}

}  // namespace

void PacketSections::BeginMessage(base::Interner* interner, int64_t now_nanos) {
  interner_ = interner;
  now_nanos_ = now_nanos;
}

void PacketSections::DecodeSection(uint16_t element, base::Octets section, uint64_t frame_octets,
                                   record::MutableRow row) {
  if (element == 316) return FillLabels(section, interner_, row);
  if (decoder_ == nullptr || decoder_interner_ != interner_) {
    decoder_ = std::make_unique<packet::PacketDecoder>(layout_, interner_);
    decoder_interner_ = interner_;
  }
  const uint32_t length = frame_octets >= section.size() && frame_octets <= UINT32_MAX
                              ? static_cast<uint32_t>(frame_octets)
                              : static_cast<uint32_t>(section.size());
  const packet::LinkType link_type = element == 315 ? packet::LinkType::kEthernet : packet::LinkType::kRaw;
  packet::PacketSummary summary;
  const base::DecodeResult result =
      decoder_->DecodeHeaderSection(link_type, section, length, now_nanos_, row, &summary);
  if (result.ok()) row.Set<FieldId::kBytes>(summary.ip_length);
}

}  // namespace flowacct::ipfix
