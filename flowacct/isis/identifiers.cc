#include "flowacct/isis/identifiers.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "flowacct/base/octets.h"

namespace flowacct::isis {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

void AppendHex(base::Octets octets, std::string* text) {
  for (const uint8_t octet : octets) {
    text->push_back(kHexDigits[octet >> 4]);
    text->push_back(kHexDigits[octet & 0xf]);
  }
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = absl::ascii_tolower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Two digits for each octet of `octets`, which must be all of `text`.
bool ReadHex(absl::string_view text, uint8_t* octets, size_t size) {
  if (text.size() != size * 2) return false;
  for (size_t i = 0; i < size; ++i) {
    const int high = HexValue(text[2 * i]), low = HexValue(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    octets[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return true;
}

}  // namespace

std::string SystemId::ToString() const {
  std::string text;
  for (size_t i = 0; i < octets.size(); i += 2) {
    if (i > 0) text.push_back('.');
    AppendHex(base::Octets(octets).subspan(i, 2), &text);
  }
  return text;
}

std::optional<SystemId> SystemId::Parse(absl::string_view text) {
  SystemId system;
  if (text.size() != 14 || text[4] != '.' || text[9] != '.') return std::nullopt;
  for (size_t i = 0; i < 3; ++i) {
    if (!ReadHex(text.substr(5 * i, 4), &system.octets[2 * i], 2)) return std::nullopt;
  }
  return system;
}

std::string NodeId::ToString() const {
  std::string text = absl::StrCat(system.ToString(), ".");
  AppendHex(base::Octets(&pseudonode, 1), &text);
  return text;
}

std::optional<NodeId> NodeId::Parse(absl::string_view text) {
  if (text.size() != 17 || text[14] != '.') return std::nullopt;
  const std::optional<SystemId> system = SystemId::Parse(text.substr(0, 14));
  NodeId node;
  if (!system || !ReadHex(text.substr(15), &node.pseudonode, 1)) return std::nullopt;
  node.system = *system;
  return node;
}

std::string LspId::ToString() const {
  std::string text = absl::StrCat(node.ToString(), "-");
  AppendHex(base::Octets(&fragment, 1), &text);
  return text;
}

std::optional<LspId> LspId::Parse(absl::string_view text) {
  if (text.size() != 20 || text[17] != '-') return std::nullopt;
  const std::optional<NodeId> node = NodeId::Parse(text.substr(0, 17));
  LspId id;
  if (!node || !ReadHex(text.substr(18), &id.fragment, 1)) return std::nullopt;
  id.node = *node;
  return id;
}

std::string AreaAddress::ToString() const {
  std::string text;
  for (size_t i = 0; i < size; ++i) {
    if (i % 2 == 1) text.push_back('.');
    AppendHex(base::Octets(&octets[i], 1), &text);
  }
  return text;
}

std::optional<AreaAddress> AreaAddress::Parse(absl::string_view text) {
  AreaAddress area;
  for (size_t at = 0; at < text.size();) {
    if (at > 0) {
      // One dot before each pair of octets; without any dot the text is as clear.
      if (text[at] == '.') ++at;
    }
    if (area.size == area.octets.size() || at + 2 > text.size()) return std::nullopt;
    if (!ReadHex(text.substr(at, 2), &area.octets[area.size], 1)) return std::nullopt;
    ++area.size;
    at += 2;
  }
  if (area.size == 0) return std::nullopt;
  return area;
}

}  // namespace flowacct::isis
