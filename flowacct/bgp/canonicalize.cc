#include "flowacct/bgp/canonicalize.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "flowacct/bgp/as_path.h"
#include "flowacct/bgp/attribute.h"

namespace flowacct::bgp {
namespace {

constexpr size_t kItemHeaderOctets = 3;
constexpr size_t kMaxNextHopOctets = 32;

uint8_t* PutHeader(uint8_t* out, uint8_t code, size_t length) {
  out[0] = code;
  base::StoreBe16(out + 1, static_cast<uint16_t>(length));
  return out + kItemHeaderOctets;
}

uint8_t* PutOctets(uint8_t* out, base::Octets octets) {
  if (!octets.empty()) std::memcpy(out, octets.data(), octets.size());
  return out + octets.size();
}

uint8_t* PutItem(uint8_t* out, uint8_t code, base::Octets value) {
  return PutOctets(PutHeader(out, code, value.size()), value);
}

uint8_t* PutNextHop(uint8_t* out, base::Octets hop) {
  constexpr uint8_t kCode = static_cast<uint8_t>(AttributeCode::kNextHop);
  switch (hop.size()) {
    case 4:
    case 16:
    case 32:
      return PutItem(out, kCode, hop);
    case 12:  // behind a route distinguisher, which is zero
    case 24:
      return PutItem(out, kCode, hop.subspan(8));
    case 48:
      out = PutHeader(out, kCode, 32);
      return PutOctets(PutOctets(out, hop.subspan(8, 16)), hop.subspan(32, 16));
    default:
      return out;
  }
}

// The first `count` AS numbers of a segment with 4 octets each.
uint8_t* PutSegment(uint8_t* out, const AsSegment& segment, size_t count) {
  out[0] = static_cast<uint8_t>(segment.type);
  out[1] = static_cast<uint8_t>(count);
  out += 2;
  for (size_t i = 0; i < count; ++i, out += 4) base::StoreBe32(out, segment[i]);
  return out;
}

uint8_t* PutWidened(uint8_t* out, AsPathView path) {
  path.ForEachSegment([&](const AsSegment& segment) { out = PutSegment(out, segment, segment.count); });
  return out;
}

// RFC 6793, 4.2.3: as many hops from the head of AS_PATH as AS4_PATH lacks, with confederations at or before them, then
// AS4_PATH, whose own confederations are discarded (6).
uint8_t* PutMerged(uint8_t* out, AsPathView path, AsPathView as4_path, size_t lacking) {
  bool done = false;
  uint8_t* last = nullptr;  // the segment before `out`
  path.ForEachSegment([&](const AsSegment& segment) {
    if (done) return;
    if (!segment.confed() && lacking == 0) {
      done = true;
      return;
    }
    size_t count = segment.count;
    if (segment.type == AsSegmentType::kSequence && count > lacking) {
      count = lacking;
      done = true;
    }
    if (!segment.confed()) lacking -= segment.type == AsSegmentType::kSet ? 1 : count;
    last = out;
    out = PutSegment(out, segment, count);
  });
  as4_path.ForEachSegment([&](const AsSegment& segment) {
    if (segment.confed()) return;
    // A sequence that was cut in two is one again.
    if (last != nullptr && segment.type == AsSegmentType::kSequence && last[0] == static_cast<uint8_t>(segment.type) &&
        last[1] + segment.count <= 255) {
      last[1] = static_cast<uint8_t>(last[1] + segment.count);
      out = PutOctets(out, segment.octets().subspan(2));
    } else {
      out = PutOctets(out, segment.octets());
    }
    last = nullptr;
  });
  return out;
}

uint8_t* PutAs2Path(uint8_t* out, base::Octets value, const AttributeView* as4_path) {
  constexpr uint8_t kCode = static_cast<uint8_t>(AttributeCode::kAsPath);
  const AsPathView path(value, 2);
  uint8_t* const start = out + kItemHeaderOctets;
  uint8_t* end = nullptr;
  if (as4_path != nullptr) {
    const AsPathView longer(as4_path->value);
    const size_t hops = path.hop_count(), as4_hops = longer.hop_count();
    if (as4_hops <= hops) end = PutMerged(start, path, longer, hops - as4_hops);
    if (end != nullptr && end - start > 65535) end = nullptr;
  }
  if (end == nullptr) end = PutWidened(start, path);
  PutHeader(out, kCode, static_cast<size_t>(end - start));
  return end;
}

}  // namespace

base::Octets CanonicalizeAttributes(const Update& update, const NlriSection& section, std::vector<uint8_t>* buffer) {
  size_t bound = kItemHeaderOctets + kMaxNextHopOctets;
  for (const AttributeView& attribute : update.attributes()) bound += kItemHeaderOctets + 1 + attribute.value.size();
  const AttributeView *as4_path = nullptr, *as4_aggregator = nullptr;
  if (!update.as4()) {
    const AttributeView* path = update.Find(AttributeCode::kAsPath);
    if (path != nullptr) bound += path->value.size();  // each segment at most doubles
    bound += 2;
    as4_path = update.Find(AttributeCode::kAs4Path);
    as4_aggregator = update.Find(AttributeCode::kAs4Aggregator);
    // Somebody who knows no AS4_* has aggregated since (RFC 6793, 4.2.3).
    const AttributeView* aggregator = update.Find(AttributeCode::kAggregator);
    if (aggregator != nullptr && base::LoadBe16(aggregator->value.data()) != kAsTrans) {
      as4_path = as4_aggregator = nullptr;
    }
  }
  if (buffer->size() < bound) buffer->resize(bound);

  uint8_t* const start = buffer->data();
  uint8_t* out = start;
  bool next_hop_due = true;
  for (const AttributeView& attribute : update.attributes()) {
    if (next_hop_due && attribute.code >= static_cast<uint8_t>(AttributeCode::kNextHop)) {
      out = PutNextHop(out, section.next_hop);
      next_hop_due = false;
    }
    switch (static_cast<AttributeCode>(attribute.code)) {
      case AttributeCode::kNextHop:
      case AttributeCode::kMpReachNlri:
      case AttributeCode::kMpUnreachNlri:
      case AttributeCode::kAs4Path:
      case AttributeCode::kAs4Aggregator:
        break;
      case AttributeCode::kAsPath:
        out = update.as4() ? PutItem(out, attribute.code, attribute.value) : PutAs2Path(out, attribute.value, as4_path);
        break;
      case AttributeCode::kAggregator:
        if (update.as4()) {
          out = PutItem(out, attribute.code, attribute.value);
        } else if (as4_aggregator != nullptr) {
          out = PutItem(out, attribute.code, as4_aggregator->value);
        } else {
          out = PutHeader(out, attribute.code, 8);
          base::StoreBe32(out, base::LoadBe16(attribute.value.data()));
          out = PutOctets(out + 4, attribute.value.subspan(2));
        }
        break;
      default:
        if (FindAttribute(attribute.code) != nullptr) {
          out = PutItem(out, attribute.code, attribute.value);
        } else if ((attribute.flags & kFlagTransitive) != 0 && attribute.value.size() < 65535) {
          out = PutHeader(out, attribute.code, attribute.value.size() + 1);
          *out++ = attribute.flags & (kFlagOptional | kFlagTransitive | kFlagPartial);
          out = PutOctets(out, attribute.value);
        }
    }
  }
  if (next_hop_due) out = PutNextHop(out, section.next_hop);
  return base::Octets(start, static_cast<size_t>(out - start));
}

}  // namespace flowacct::bgp
