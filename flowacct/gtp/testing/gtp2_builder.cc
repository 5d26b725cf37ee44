#include "flowacct/gtp/testing/gtp2_builder.h"

#include <algorithm>

#include "absl/strings/str_split.h"

namespace flowacct::gtp::testing {

namespace {

constexpr uint8_t kVersion2 = 2 << 5, kPiggybacked = 0x10, kHasTeid = 0x08;
constexpr size_t kElementHeader = 4;

uint8_t Nibbles(char low, char high) { return static_cast<uint8_t>((high - '0') << 4 | (low - '0')); }

}  // namespace

std::vector<uint8_t> Tbcd(absl::string_view digits) {
  std::vector<uint8_t> octets;
  for (size_t i = 0; i < digits.size(); i += 2) {
    octets.push_back(i + 1 < digits.size() ? Nibbles(digits[i], digits[i + 1])
                                           : static_cast<uint8_t>(0xf0 | (digits[i] - '0')));
  }
  return octets;
}

std::vector<uint8_t> PlmnOctets(absl::string_view digits) {
  const uint8_t third = digits.size() == 6 ? static_cast<uint8_t>(digits[5] - '0') : 0xf;
  return {Nibbles(digits[0], digits[1]), static_cast<uint8_t>(third << 4 | (digits[2] - '0')),
          Nibbles(digits[3], digits[4])};
}

std::vector<uint8_t> Labels(absl::string_view name) {
  base::OctetWriter writer;
  for (const absl::string_view label : absl::StrSplit(name, '.')) {
    writer.U8(static_cast<uint8_t>(label.size())).Text(label);
  }
  return {writer.octets().begin(), writer.octets().end()};
}

std::vector<uint8_t> AddressOctets(absl::string_view text) {
  const base::IpAddress address = *base::IpAddress::Parse(text);
  const uint8_t* begin = address.data() + (address.IsV4() ? 12 : 0);
  return {begin, address.data() + base::IpAddress::kSize};
}

std::vector<uint8_t> FteidOctets(uint8_t interface_type, uint32_t teid, absl::string_view v4, absl::string_view v6) {
  base::OctetWriter writer;
  writer.U8(static_cast<uint8_t>((v4.empty() ? 0 : 0x80) | (v6.empty() ? 0 : 0x40) | interface_type)).U32(teid);
  if (!v4.empty()) writer.Bytes(AddressOctets(v4));
  if (!v6.empty()) writer.Bytes(AddressOctets(v6));
  return {writer.octets().begin(), writer.octets().end()};
}

std::vector<uint8_t> QosOctets(uint8_t arp, uint8_t qci, uint64_t max_up, uint64_t max_down, uint64_t up,
                               uint64_t down) {
  base::OctetWriter writer;
  writer.U8(arp).U8(qci).Number(max_up, 5).Number(max_down, 5).Number(up, 5).Number(down, 5);
  return {writer.octets().begin(), writer.octets().end()};
}

Gtp2Builder::Gtp2Builder(uint8_t type, std::optional<uint32_t> teid, uint32_t sequence) {
  octets_.U8(static_cast<uint8_t>(kVersion2 | (teid ? kHasTeid : 0))).U8(type).U16(0);
  if (teid) octets_.U32(*teid);
  octets_.U24(sequence).U8(0);
}

Gtp2Builder& Gtp2Builder::Element(uint8_t type, uint8_t instance, base::Octets value) {
  octets_.U8(type).U16(static_cast<uint16_t>(value.size())).U8(instance).Bytes(value);
  return *this;
}

Gtp2Builder& Gtp2Builder::Text(uint8_t type, uint8_t instance, absl::string_view octets) {
  return Element(type, instance, base::AsOctets(octets));
}

Gtp2Builder& Gtp2Builder::U8(uint8_t type, uint8_t instance, uint8_t value) {
  return Element(type, instance, base::Octets(&value, 1));
}

Gtp2Builder& Gtp2Builder::Begin(uint8_t type, uint8_t instance) {
  open_.push_back(octets_.size());
  octets_.U8(type).U16(0).U8(instance);
  return *this;
}

Gtp2Builder& Gtp2Builder::End() {
  const size_t begin = open_.back();
  open_.pop_back();
  octets_.PatchU16(begin + 1, static_cast<uint16_t>(octets_.size() - begin - kElementHeader));
  return *this;
}

Gtp2Builder& Gtp2Builder::Raw(base::Octets octets) {
  octets_.Bytes(octets);
  return *this;
}

Gtp2Builder& Gtp2Builder::Piggyback() {
  octets_.PatchU16(0, static_cast<uint16_t>((octets_.octets()[0] | kPiggybacked) << 8 | octets_.octets()[1]));
  return *this;
}

std::vector<uint8_t> Gtp2Builder::Finish() const {
  std::vector<uint8_t> message(octets_.octets().begin(), octets_.octets().end());
  base::StoreBe16(message.data() + 2, static_cast<uint16_t>(message.size() - 4));
  return message;
}

}  // namespace flowacct::gtp::testing
