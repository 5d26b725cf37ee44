#include "flowacct/bgp/nlri.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"

namespace flowacct::bgp {
namespace {

// Octets of one route of a shape that is only counted, behind its path identifier; 0 if it is none.
size_t OpaqueOctets(NlriShape shape, const uint8_t* p, size_t remaining) {
  size_t octets = 0;
  switch (shape) {
    case NlriShape::kTypeLength8:
      if (remaining >= 2) octets = 2 + size_t{p[1]};
      break;
    case NlriShape::kTypeLength16:
      if (remaining >= 4) octets = 4 + size_t{base::LoadBe16(p + 2)};
      break;
    case NlriShape::kFlowSpec:  // RFC 8955, 4.1: 240 and more in two octets, whose first four bits are ones
      if (p[0] < 0xf0) {
        octets = 1 + size_t{p[0]};
      } else if (remaining >= 2) {
        octets = 2 + size_t{base::LoadBe16(p) & 0x0fffu};
      }
      break;
    case NlriShape::kBitLength:
      octets = 1 + (size_t{p[0]} + 7) / 8;
      break;
    case NlriShape::kLength16:
      if (remaining >= 2) octets = 2 + size_t{base::LoadBe16(p)};
      break;
    default:
      break;
  }
  return octets <= remaining ? octets : 0;
}

NlriCheck CheckOpaque(NlriShape shape, bool add_path, base::Octets octets) {
  NlriCheck check;
  if (shape == NlriShape::kUnknown) return check;
  const size_t before = add_path ? 4 : 0;
  for (size_t at = 0; at < octets.size();) {
    const size_t remaining = octets.size() - at;
    const size_t length = remaining > before ? OpaqueOctets(shape, octets.data() + at + before, remaining - before) : 0;
    if (length == 0) {
      check.ok = false;
      check.offset = static_cast<uint32_t>(at);
      return check;
    }
    at += before + length;
    ++check.count;
  }
  return check;
}

}  // namespace

NlriCheck CheckNlri(Family family, bool add_path, base::Octets octets) {
  const NlriShape shape = RowOf(family).shape;
  if (shape > NlriShape::kVpn) return CheckOpaque(shape, add_path, octets);
  NlriCheck check;
  check.offset = static_cast<uint32_t>(VisitNlri(family, add_path, octets, [&](const Nlri&) { ++check.count; }));
  check.ok = check.offset == octets.size();
  return check;
}

std::string RouteDistinguisherText(uint64_t rd) {
  switch (rd >> 48) {
    case 0:
      return absl::StrCat(rd >> 32 & 0xffff, ":", rd & 0xffffffff);
    case 1:
      return absl::StrCat(base::IpAddress::V4(static_cast<uint32_t>(rd >> 16)).ToString(), ":", rd & 0xffff);
    case 2:
      return absl::StrCat(rd >> 16 & 0xffffffff, ":", rd & 0xffff);
    default:
      return absl::StrCat("0x", absl::Hex(rd, absl::kZeroPad16));
  }
}

}  // namespace flowacct::bgp
