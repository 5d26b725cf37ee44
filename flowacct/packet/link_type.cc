#include "flowacct/packet/link_type.h"

namespace flowacct::packet {

namespace {

constexpr LinkTypeInfo kLinkTypes[] = {
#define X(id, number, name, layer) {LinkType::id, name, LayerKind::layer},
    FLOWACCT_LINK_TYPES(X)
#undef X
};

}  // namespace

absl::Span<const LinkTypeInfo> LinkTypes() { return kLinkTypes; }

absl::string_view LinkTypeName(LinkType type) {
  for (const LinkTypeInfo& info : kLinkTypes) {
    if (info.type == type) return info.name;
  }
  return {};
}

LayerKind FirstLayer(LinkType type) {
  switch (type) {
#define X(id, number, name, layer) \
  case LinkType::id:               \
    return LayerKind::layer;
    FLOWACCT_LINK_TYPES(X)
#undef X
  }
  return LayerKind::kNone;
}

}  // namespace flowacct::packet
