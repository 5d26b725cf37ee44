#include "flowacct/topology/advertisement.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace flowacct::topology {
namespace {

constexpr uint64_t kOspfNetworkMask = 0xffffffff;

// `digits` hexadecimal digits at `*text`, in groups of four with dots between; false if they are not there.
bool TakeHex(absl::string_view* text, int digits, uint64_t* value) {
  for (int i = 0; i < digits; ++i) {
    if (i > 0 && i % 4 == 0) {
      if (text->empty() || text->front() != '.') return false;
      text->remove_prefix(1);
    }
    if (text->empty()) return false;
    const char c = text->front();
    uint64_t digit;
    if (c >= '0' && c <= '9') {
      digit = static_cast<uint64_t>(c - '0');
    } else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
      digit = static_cast<uint64_t>((c | 0x20) - 'a') + 10;
    } else {
      return false;
    }
    *value = *value << 4 | digit;
    text->remove_prefix(1);
  }
  return true;
}

std::optional<NodeKey> ParseIsisNode(absl::string_view text) {
  uint64_t system = 0, pseudonode = 0;
  if (!TakeHex(&text, 12, &system)) return std::nullopt;
  if (!text.empty()) {
    if (text.front() != '.') return std::nullopt;
    text.remove_prefix(1);
    if (!TakeHex(&text, 2, &pseudonode) || !text.empty()) return std::nullopt;
  }
  return NodeKey{system << 16 | pseudonode << 8};
}

std::optional<NodeKey> ParseOspfNode(absl::string_view text) {
  const size_t colon = text.find(':');
  const std::optional<base::IpAddress> router = base::IpAddress::Parse(text.substr(0, colon));
  if (!router || !router->IsV4()) return std::nullopt;
  NodeKey key{uint64_t{router->v4()} << 32};
  if (colon != absl::string_view::npos) {
    const std::optional<base::IpAddress> network = base::IpAddress::Parse(text.substr(colon + 1));
    if (!network || !network->IsV4() || network->v4() == 0) return std::nullopt;
    key.value |= network->v4();
  }
  return key;
}

}  // namespace

bool IsPseudonode(NodeStyle style, NodeKey key) {
  return style == NodeStyle::kIsis ? (key.value >> 8 & 0xff) != 0 : (key.value & kOspfNetworkMask) != 0;
}

NodeKey RouterOf(NodeStyle style, NodeKey key) {
  return {style == NodeStyle::kIsis ? key.value & ~uint64_t{0xffff} : key.value & ~kOspfNetworkMask};
}

std::string NodeText(NodeStyle style, NodeKey key) {
  const uint64_t v = key.value;
  if (style == NodeStyle::kIsis) {
    std::string text = absl::StrFormat("%04x.%04x.%04x", v >> 48, v >> 32 & 0xffff, v >> 16 & 0xffff);
    if (IsPseudonode(style, key)) absl::StrAppendFormat(&text, ".%02x", v >> 8 & 0xff);
    return text;
  }
  std::string text = base::IpAddress::V4(static_cast<uint32_t>(v >> 32)).ToString();
  if (IsPseudonode(style, key)) {
    absl::StrAppend(&text, ":", base::IpAddress::V4(static_cast<uint32_t>(v & kOspfNetworkMask)).ToString());
  }
  return text;
}

std::optional<NodeKey> ParseNode(NodeStyle style, absl::string_view text) {
  return style == NodeStyle::kIsis ? ParseIsisNode(text) : ParseOspfNode(text);
}

bool SameGraph(const Advertisement& a, const Advertisement& b) {
  return a.key == b.key && a.overload == b.overload && a.attached == b.attached && a.topologies == b.topologies &&
         a.links == b.links;
}

bool SameContent(const Advertisement& a, const Advertisement& b) {
  return SameGraph(a, b) && a.name == b.name && a.router_id == b.router_id && a.router_id_v6 == b.router_id_v6 &&
         a.areas == b.areas && a.addresses == b.addresses && a.prefixes == b.prefixes && a.facts == b.facts;
}

size_t OctetsOf(const Advertisement& a) {
  size_t octets = sizeof(a) + a.name.capacity() + a.areas.capacity() * sizeof(std::string) +
                  a.topologies.capacity() * sizeof(TopologyFlags) + a.addresses.capacity() * sizeof(base::IpAddress) +
                  a.links.capacity() * sizeof(AdvertisedLink) + a.prefixes.capacity() * sizeof(AdvertisedPrefix);
  for (const std::string& area : a.areas) octets += area.capacity();
  octets += a.facts.capacity() * sizeof(AdvertisedFact);
  for (const AdvertisedFact& fact : a.facts) octets += fact.what.capacity() + fact.text.capacity();
  return octets;
}

}  // namespace flowacct::topology
