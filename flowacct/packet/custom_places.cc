#include "flowacct/packet/custom_places.h"

#include <cstddef>
#include <cstdint>
#include <optional>

#include "flowacct/base/octets.h"
#include "flowacct/record/custom_fields.h"

namespace flowacct::packet {
namespace {

using record::CustomField;
using record::PacketPlace;

struct Extent {
  size_t begin, end;
};

std::optional<Extent> FirstOf(const PacketView& view, LayerKind kind, size_t first, size_t last) {
  for (size_t i = first; i < last; ++i) {
    const Layer& layer = view.layers()[i];
    if (layer.kind == kind) return Extent{layer.offset, view.octets().size()};
  }
  return std::nullopt;
}

// What follows the last header before the network layer.
std::optional<Extent> NetworkOf(const PacketView& view, const IpLevel* level, std::optional<uint16_t> protocol) {
  if (level != nullptr) {
    if (protocol && *protocol != (level->version == 4 ? 0x0800 : 0x86dd)) return std::nullopt;
    return Extent{view.layers()[level->ip_layer].offset, size_t{level->payload_offset} + level->payload_captured};
  }
  if (protocol && *protocol != view.ether_type()) return std::nullopt;
  const Layer& last = view.layers().back();
  if (last.kind == LayerKind::kArp) return Extent{last.offset, view.octets().size()};
  return Extent{size_t{last.offset} + last.length, view.octets().size()};
}

std::optional<Extent> ExtentOf(const PacketView& view, const IpLevel* level, const PacketPlace& place) {
  const size_t first = level == nullptr ? 0 : level->first_layer;
  const size_t last = level == nullptr ? view.layers().size() : level->ip_layer;
  switch (place.layer) {
    case PacketPlace::Layer::kPacket:
      return Extent{0, view.octets().size()};
    case PacketPlace::Layer::kMac:
      return FirstOf(view, LayerKind::kEthernet, first, last);
    case PacketPlace::Layer::kVlan:
      return FirstOf(view, LayerKind::kVlan, first, last);
    case PacketPlace::Layer::kMpls:
      return FirstOf(view, LayerKind::kMpls, first, last);
    case PacketPlace::Layer::kNetwork:
      return NetworkOf(view, level, place.protocol);
    case PacketPlace::Layer::kTransport:
      if (level == nullptr || (level->fragment && level->fragment_offset != 0)) return std::nullopt;
      if (place.protocol && *place.protocol != level->protocol) return std::nullopt;
      return Extent{level->payload_offset, size_t{level->payload_offset} + level->payload_captured};
    case PacketPlace::Layer::kPayload: {
      if (level == nullptr || level->transport_layer == IpLevel::kNoLayer) return std::nullopt;
      const Layer& transport = view.layers()[level->transport_layer];
      return Extent{size_t{transport.offset} + transport.length,
                    size_t{level->payload_offset} + level->payload_captured};
    }
  }
  return std::nullopt;
}

bool NeedsInterner(const CustomField& field) {
  return field.type == record::CustomFieldOptions::Type::kText || field.type == record::CustomFieldOptions::Type::kHex;
}

}  // namespace

bool HasCustomPlaces(const record::Layout& layout) {
  if (layout.custom_fields() == nullptr) return false;
  for (const CustomField& field : layout.custom_fields()->fields()) {
    if (!field.packet.empty() && layout.Has(field.field)) return true;
  }
  return false;
}

void FillCustomPlaces(const PacketView& view, const IpLevel* level, base::Interner* interner, record::MutableRow row) {
  for (const CustomField& field : row.layout().custom_fields()->fields()) {
    if (!row.layout().Has(field.field) || (interner == nullptr && NeedsInterner(field))) continue;
    for (const PacketPlace& place : field.packet) {
      const std::optional<Extent> extent = ExtentOf(view, level, place);
      if (!extent) continue;
      const size_t begin = extent->begin + place.offset;
      if (begin + field.length > extent->end) continue;
      // A length that a type cannot have was refused with the configuration.
      (void)record::SetCustomField(field, view.octets().subspan(begin, field.length), interner, row);
      break;
    }
  }
}

}  // namespace flowacct::packet
