#include "flowacct/packet/describe.h"

#include "flowacct/packet/header_fields.h"
#include "flowacct/packet/link_headers.h"
#include "flowacct/packet/tunnel_headers.h"

namespace flowacct::packet {

namespace {

using record::ElementType;

struct HeaderField {
  LayerKind layer;
  absl::string_view name;
  ElementType type;
  uint16_t bit;
  uint16_t bits;
};

constexpr HeaderField kFields[] = {
#define X(layer, name, type, bit, bits) {LayerKind::layer, name, ElementType::type, bit, bits},
    FLOWACCT_HEADER_FIELDS(X)
#undef X
};

class Teller {
 public:
  explicit Teller(record::ElementListener* listener) : listener_(listener) {}

  void Octets(absl::string_view name, ElementType type, base::Octets octets) {
    listener_->OnElement({name, type, octets});
  }
  // The number in as few octets as hold `bits`.
  void Number(absl::string_view name, uint64_t value, size_t bits) {
    const size_t length = (bits + 7) / 8;
    uint8_t scratch[8];
    base::StoreBe64(scratch, value);
    listener_->OnElement({name, ElementType::kUnsigned, base::Octets(scratch).subspan(8 - length)});
  }
  void Field(const HeaderField& field, base::Octets header) {
    const size_t first = field.bit / 8;
    if (field.bits == 0) {
      if (first < header.size()) Octets(field.name, field.type, header.subspan(first));
      return;
    }
    const size_t end = (field.bit + field.bits + 7u) / 8;
    if (end > header.size()) return;
    if (field.bit % 8 == 0 && field.bits % 8 == 0) {
      Octets(field.name, field.type, header.subspan(first, end - first));
      return;
    }
    const uint64_t around = base::LoadBe(header.data() + first, end - first);
    const size_t behind = end * 8 - field.bit - field.bits;
    Number(field.name, around >> behind & ((uint64_t{1} << field.bits) - 1), field.bits);
  }

 private:
  record::ElementListener* listener_;
};

}  // namespace

void Describe(const PacketView& view, record::ElementListener* listener) {
  Teller teller(listener);
  for (const Layer& layer : view.layers()) {
    const base::Octets header = view.header(layer);
    listener->OnListBegin(LayerName(layer.kind));
    for (const HeaderField& field : kFields) {
      if (field.layer == layer.kind) teller.Field(field, header);
    }
    if (layer.kind == LayerKind::kMpls) {
      const auto mpls = view.As<MplsView>(layer);
      for (size_t i = 0; i < mpls.size(); ++i) {
        teller.Number("label", mpls.label(i), 20);
        teller.Number("traffic_class", mpls.traffic_class(i), 3);
        teller.Number("ttl", mpls.ttl(i), 8);
      }
    } else if (layer.kind == LayerKind::kGre) {
      const auto gre = view.As<GreView>(layer);
      if (gre.has_key()) teller.Number("key", gre.key(), 32);
      if (gre.has_sequence()) teller.Number("sequence", gre.sequence(), 32);
    }
    listener->OnListEnd();
  }
}

}  // namespace flowacct::packet
