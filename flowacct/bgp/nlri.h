// One route as NLRI tell it (a value), and the walk over a run of them.
//
// Standards: RFC 4271 (4.3), RFC 7911 (3, path identifiers), RFC 8277 (2, labels), RFC 4364 and 4659 (VPN), RFC 7606
// (5.3, what is syntactically incorrect).
// Labels: a stack ends at its bottom bit, as RFC 3107 has it and all senders do. If no label within the route has
// that bit there is one label (RFC 8277, 2.2 lets the bit be ignored). In withdrawals 0x800000 and 0 are one label
// (RFC 8277, 2.4).
// Ownership: borrows nothing. Threads: plain values.
// Errors: CheckNlri tells them; VisitNlri is for octets that it found right.
// Cost: 2 to 5 ns a route, no allocation.

#ifndef FLOWACCT_BGP_NLRI_H_
#define FLOWACCT_BGP_NLRI_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/base/octets.h"
#include "flowacct/bgp/family.h"

namespace flowacct::bgp {

struct Nlri {
  base::IpAddress address;  // host bits are zero; IPv4 as base::IpAddress keeps it
  uint8_t length = 0;       // in bits, of the address' own family
  uint8_t label_count = 0;
  bool has_path_id = false;
  uint32_t path_id = 0;  // RFC 7911, 3
  uint32_t label = 0;    // the first, 20 bits; meaningful if label_count != 0
  uint64_t rd = 0;       // route distinguisher, type first (RFC 4364, 4.2); 0 if the family has none

  base::IpPrefix prefix() const { return base::IpPrefix(address, length); }
};

// "65000:7", "192.0.2.1:7", "4200000000:7" for the types 0 to 2 (RFC 4364, 4.2), hexadecimal for others.
std::string RouteDistinguisherText(uint64_t rd);

namespace nlri_internal {

// Reads one route and moves *at behind it; false, with *at where it was, if it is none.
template <NlriShape kShape, bool kV6>
inline bool ReadNlri(const uint8_t** at, const uint8_t* end, bool add_path, Nlri* nlri) {
  constexpr size_t kMaxBits = kV6 ? 128 : 32;
  constexpr size_t kRdBits = kShape == NlriShape::kVpn ? 64 : 0;
  const uint8_t* p = *at;
  if (add_path) {
    if (end - p < 5) return false;
    nlri->path_id = base::LoadBe32(p);
    p += 4;
  } else if (p == end) {
    return false;
  }
  size_t bits = *p++;
  size_t octets = (bits + 7) / 8;
  if (octets > static_cast<size_t>(end - p)) return false;
  if constexpr (kShape != NlriShape::kPrefix) {
    if (bits < 24 + kRdBits) return false;
    const uint32_t first = base::LoadBe24(p);
    size_t labels = 1;
    if ((first & 1) == 0 && first != 0 && first != 0x800000) {
      for (size_t n = 2; 24 * n + kRdBits <= bits; ++n) {
        if ((p[3 * n - 1] & 1) != 0) {
          labels = n;
          break;
        }
      }
    }
    nlri->label = first >> 4;
    nlri->label_count = static_cast<uint8_t>(labels);
    p += 3 * labels;
    bits -= 24 * labels;
    if constexpr (kShape == NlriShape::kVpn) {
      nlri->rd = base::LoadBe64(p);
      p += 8;
      bits -= 64;
    }
    octets = (bits + 7) / 8;
  }
  if (bits > kMaxBits) return false;
  if constexpr (kV6) {
    uint64_t high = 0, low = 0;
    if (end - p >= 16) {
      high = base::LoadBe64(p);
      low = base::LoadBe64(p + 8);
    } else {
      uint8_t copy[16] = {};
      std::memcpy(copy, p, octets);
      high = base::LoadBe64(copy);
      low = base::LoadBe64(copy + 8);
    }
    if (bits <= 64) {
      low = 0;
      high &= bits == 0 ? 0 : ~uint64_t{0} << (64 - bits);
    } else {
      low &= ~uint64_t{0} << (128 - bits);
    }
    base::StoreBe64(nlri->address.data(), high);
    base::StoreBe64(nlri->address.data() + 8, low);
  } else {
    uint32_t v4 = 0;
    if (end - p >= 4) {
      v4 = base::LoadBe32(p);
    } else {
      for (size_t i = 0; i < octets; ++i) v4 |= uint32_t{p[i]} << (24 - 8 * i);
    }
    nlri->address = base::IpAddress::V4(v4 & static_cast<uint32_t>(~(uint64_t{0xffffffff} >> bits)));
  }
  nlri->length = static_cast<uint8_t>(bits);
  *at = p + octets;
  return true;
}

template <NlriShape kShape, bool kV6, typename Visitor>
inline size_t Walk(base::Octets octets, bool add_path, Visitor&& visit) {
  const uint8_t* at = octets.data();
  const uint8_t* const end = at + octets.size();
  Nlri nlri;
  nlri.has_path_id = add_path;
  while (at != end && ReadNlri<kShape, kV6>(&at, end, add_path, &nlri)) visit(static_cast<const Nlri&>(nlri));
  return static_cast<size_t>(at - octets.data());
}

}  // namespace nlri_internal

// Calls visit(const Nlri&) for each route up to the end or the first that is none; returns where that is. Nothing is
// visited, and the end returned, if the family's shape is of those that are only counted.
template <typename Visitor>
inline size_t VisitNlri(Family family, bool add_path, base::Octets octets, Visitor&& visit) {
  namespace n = nlri_internal;
  const FamilyRow& row = RowOf(family);
  switch (row.shape) {
    case NlriShape::kPrefix:
      return row.v6 ? n::Walk<NlriShape::kPrefix, true>(octets, add_path, visit)
                    : n::Walk<NlriShape::kPrefix, false>(octets, add_path, visit);
    case NlriShape::kLabelled:
      return row.v6 ? n::Walk<NlriShape::kLabelled, true>(octets, add_path, visit)
                    : n::Walk<NlriShape::kLabelled, false>(octets, add_path, visit);
    case NlriShape::kVpn:
      return row.v6 ? n::Walk<NlriShape::kVpn, true>(octets, add_path, visit)
                    : n::Walk<NlriShape::kVpn, false>(octets, add_path, visit);
    default:
      return octets.size();
  }
}

struct NlriCheck {
  uint32_t count = 0;  // routes that are right
  bool ok = true;
  uint32_t offset = 0;  // of the first that is not
};

// Of all shapes; what has kUnknown counts as no route and is always right.
NlriCheck CheckNlri(Family family, bool add_path, base::Octets octets);

}  // namespace flowacct::bgp

#endif  // FLOWACCT_BGP_NLRI_H_
