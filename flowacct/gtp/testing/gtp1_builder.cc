#include "flowacct/gtp/testing/gtp1_builder.h"

#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "flowacct/base/octet_writer.h"

namespace flowacct::gtp::testing {
namespace {

using base::OctetWriter;

Bytes Take(const OctetWriter& w) { return Bytes(w.octets().begin(), w.octets().end()); }

}  // namespace

Bytes Hex(absl::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (absl::ascii_isxdigit(static_cast<unsigned char>(c))) digits.push_back(c);
  }
  const std::string octets = absl::HexStringToBytes(digits);
  return Bytes(octets.begin(), octets.end());
}

Bytes Join(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

Bytes Build(const V0Header& header, const Bytes& body) {
  OctetWriter w;
  w.U8(header.npdu_number ? 0x1f : 0x1e)
      .U8(header.type)
      .U16(header.length.value_or(static_cast<uint16_t>(body.size())));
  w.U16(header.sequence)
      .U16(header.flow_label)
      .U8(header.npdu_number.value_or(0xff))
      .Fill(3, 0xff)
      .U64(header.tid)
      .Bytes(body);
  return Take(w);
}

Bytes Build(const V1Header& header, const Bytes& body) {
  OctetWriter w;
  const uint8_t flags = static_cast<uint8_t>(0x30 | (header.extensions.empty() ? 0 : 4) | (header.sequence ? 2 : 0) |
                                             (header.npdu_number ? 1 : 0));
  w.U8(flags).U8(header.type).U16(0).U32(header.teid);
  if (flags != 0x30) {
    w.U16(header.sequence.value_or(0)).U8(header.npdu_number.value_or(0));
    for (const Extension& extension : header.extensions) {
      if (extension.content.size() % 4 != 2) std::abort();
      w.U8(extension.type).U8(static_cast<uint8_t>((extension.content.size() + 2) / 4)).Bytes(extension.content);
    }
    w.U8(0);
  }
  w.Bytes(body);
  w.PatchU16(2, header.length.value_or(static_cast<uint16_t>(w.size() - 8)));
  return Take(w);
}

Bytes Build(const PrimeHeader& header, const Bytes& body) {
  OctetWriter w;
  w.U8(static_cast<uint8_t>(header.version << 5 | 0x0e | (header.version == 0 && header.short_header ? 1 : 0)));
  w.U8(header.type).U16(static_cast<uint16_t>(body.size())).U16(header.sequence);
  if (header.version == 0 && !header.short_header) w.Fill(14, 0xff);
  w.Bytes(body);
  return Take(w);
}

Bytes Tv(uint8_t type, const Bytes& value) { return Join({{type}, value}); }

Bytes Tlv(uint8_t type, const Bytes& value) {
  return Join({{type, static_cast<uint8_t>(value.size() >> 8), static_cast<uint8_t>(value.size())}, value});
}

}  // namespace flowacct::gtp::testing
