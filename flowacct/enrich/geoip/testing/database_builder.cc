#include "flowacct/enrich/geoip/testing/database_builder.h"

#include <array>
#include <cstring>

#include "flowacct/base/ip_prefix.h"

namespace flowacct::enrich::testing {
namespace {

// "Data Field Format": the type in the upper three bits, the size in the lower five; types above 7 in an octet of their
// own.
std::string Control(unsigned type, size_t size) {
  std::string control;
  unsigned low = static_cast<unsigned>(size);
  std::string more;
  if (size >= 29 && size < 285) {
    low = 29;
    more = std::string(1, static_cast<char>(size - 29));
  } else if (size >= 285) {
    low = 30;
    more = {static_cast<char>((size - 285) >> 8), static_cast<char>(size - 285)};
  }
  control += static_cast<char>((type > 7 ? 0 : type) << 5 | low);
  if (type > 7) control += static_cast<char>(type - 7);
  return control + more;
}

std::string BigEndian(uint64_t number, size_t octets) {
  std::string text;
  for (size_t i = octets; i-- > 0;) text += static_cast<char>(number >> (8 * i));
  return text;
}

}  // namespace

std::string Text(absl::string_view text) { return Control(2, text.size()) + std::string(text); }
std::string Uint16(uint16_t number) { return Control(5, 2) + BigEndian(number, 2); }
std::string Uint32(uint32_t number) { return Control(6, 4) + BigEndian(number, 4); }
std::string Uint64(uint64_t number) { return Control(9, 8) + BigEndian(number, 8); }
std::string Double(double number) {
  uint64_t bits;
  std::memcpy(&bits, &number, sizeof(bits));
  return Control(3, 8) + BigEndian(bits, 8);
}
std::string Map(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string map = Control(7, members.size());
  for (const auto& [key, value] : members) map += Text(key) + value;
  return map;
}

void DatabaseBuilder::Add(absl::string_view text, const std::string& value) {
  uint32_t offset = UINT32_MAX;
  for (const auto& [known, at] : written_) {
    if (known == value) offset = at;
  }
  if (offset == UINT32_MAX) {
    offset = static_cast<uint32_t>(data_.size());
    data_ += value;
    written_.emplace_back(value, offset);
  }
  const base::IpPrefix prefix = *base::IpPrefix::Parse(text);
  std::array<uint8_t, 16> bits{};
  const bool v4 = prefix.address().IsV4();
  std::memcpy(bits.data() + (v4 ? 12 : 0), prefix.address().data() + (v4 ? 12 : 0), v4 ? 4 : 16);
  const unsigned length = prefix.length() + (v4 ? 96u : 0u);
  size_t node = 0;
  for (unsigned i = 0; i < length; ++i) {
    const unsigned bit = bits[i / 8] >> (7 - i % 8) & 1;
    if (i + 1 == length) {
      nodes_[node].records[bit] = {Record::Kind::kData, offset};
      return;
    }
    const Record old = nodes_[node].records[bit];
    if (old.kind != Record::Kind::kNode) {
      const uint32_t made = static_cast<uint32_t>(nodes_.size());
      nodes_[node].records[bit] = {Record::Kind::kNode, made};
      nodes_.emplace_back();
      nodes_.back().records[0] = nodes_.back().records[1] = old;  // what a shorter prefix told
    }
    node = nodes_[node].records[bit].number;
  }
}

std::string DatabaseBuilder::Build(absl::string_view type) const {
  std::string octets;
  for (const Node& node : nodes_) {
    uint64_t values[2];
    for (int i = 0; i < 2; ++i) {
      const Record& record = node.records[i];
      values[i] = record.kind == Record::Kind::kEmpty  ? nodes_.size()
                  : record.kind == Record::Kind::kNode ? record.number
                                                       : nodes_.size() + 16 + record.number;
    }
    if (record_bits_ == 28) {  // the upper four bits of both share the middle octet
      octets += BigEndian(values[0] & 0xffffff, 3);
      octets += static_cast<char>(values[0] >> 24 << 4 | values[1] >> 24);
      octets += BigEndian(values[1] & 0xffffff, 3);
    } else {
      for (const uint64_t value : values) octets += BigEndian(value, record_bits_ / 8);
    }
  }
  octets += std::string(16, '\0');
  octets += data_;
  octets += "\xab\xcd\xefMaxMind.com";
  octets += Map({{"node_count", Uint32(static_cast<uint32_t>(nodes_.size()))},
                 {"record_size", Uint16(static_cast<uint16_t>(record_bits_))},
                 {"ip_version", Uint16(6)},
                 {"database_type", Text(type)},
                 {"languages", std::string("\x01\x04", 2) + Text("en")},
                 {"binary_format_major_version", Uint16(2)},
                 {"binary_format_minor_version", Uint16(0)},
                 {"build_epoch", Uint64(1769860800)},
                 {"description", Map({{"en", Text("made by a test")}})}});
  return octets;
}

}  // namespace flowacct::enrich::testing
