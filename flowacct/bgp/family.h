// Address families (AFI and SAFI) as rows of a table, and sets of them.
//
// Standards: RFC 4760 (7, 8), IANA "Address Family Numbers", "SAFI Namespace". The rows: families.def. Plain values,
// any thread.
// Cost: FamilyOf compares along the table, which begins with the frequent ones.

#ifndef FLOWACCT_BGP_FAMILY_H_
#define FLOWACCT_BGP_FAMILY_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace flowacct::bgp {

enum class Family : uint8_t {
#define FLOWACCT_BGP_FAMILY(name, text, afi, safi, shape, v6, hops, joined) name,
#include "flowacct/bgp/families.def"
#undef FLOWACCT_BGP_FAMILY
};

inline constexpr size_t kFamilyCount = static_cast<size_t>(Family::kOther) + 1;

// How one route of NLRI is laid out. The first three are told route by route, the rest are only counted; of link state
// link_state.h reads the run.
enum class NlriShape : uint8_t {
  kPrefix,        // bits, prefix (RFC 4271, 4.3)
  kLabelled,      // bits, labels, prefix (RFC 8277, 2)
  kVpn,           // bits, labels, route distinguisher, prefix (RFC 4364, 4.3.4)
  kTypeLength8,   // type, octets (RFC 7432, 7; RFC 6514, 4)
  kTypeLength16,  // type and octets in 16 bits each (RFC 9552, 5.2)
  kFlowSpec,      // octets in one or two octets (RFC 8955, 4.1)
  kBitLength,     // bits (RFC 4684, 4; RFC 9830, 2.1)
  kLength16,      // octets in 16 bits (RFC 4761, 3.2.2)
  kUnknown,
};

// Lengths of a next hop in octets, as a set.
enum NextHopLengths : uint8_t {
  kHop4 = 1,
  kHop12 = 2,
  kHop16 = 4,
  kHop24 = 8,
  kHop32 = 16,
  kHop48 = 32,
  kHopAny = 64,
};

struct FamilyRow {
  absl::string_view name;
  uint16_t afi;
  uint8_t safi;
  NlriShape shape;
  bool v6;
  uint8_t next_hops;
  bool joined;
};

inline constexpr FamilyRow kFamilies[kFamilyCount] = {
#define FLOWACCT_BGP_FAMILY(name, text, afi, safi, shape, v6, hops, joined) \
  {text, afi, safi, NlriShape::shape, v6, hops, joined},
#include "flowacct/bgp/families.def"
#undef FLOWACCT_BGP_FAMILY
};

inline const FamilyRow& RowOf(Family family) { return kFamilies[static_cast<size_t>(family)]; }

// kOther if there is no row.
inline Family FamilyOf(uint16_t afi, uint8_t safi) {
  size_t i = 0;
  while (i + 1 < kFamilyCount && (kFamilies[i].afi != afi || kFamilies[i].safi != safi)) ++i;
  return static_cast<Family>(i);
}

// Whether a next hop of so many octets is right for a family.
inline bool IsNextHopLength(Family family, size_t octets) {
  const uint8_t allowed = RowOf(family).next_hops;
  switch (octets) {
    case 4:
      return (allowed & (kHop4 | kHopAny)) != 0;
    case 12:
      return (allowed & (kHop12 | kHopAny)) != 0;
    case 16:
      return (allowed & (kHop16 | kHopAny)) != 0;
    case 24:
      return (allowed & (kHop24 | kHopAny)) != 0;
    case 32:
      return (allowed & (kHop32 | kHopAny)) != 0;
    case 48:
      return (allowed & (kHop48 | kHopAny)) != 0;
    default:
      return (allowed & kHopAny) != 0;
  }
}

class FamilySet {
 public:
  constexpr FamilySet() = default;
  static constexpr FamilySet All() { return FamilySet((uint32_t{1} << kFamilyCount) - 1); }
  // Those whose routes are joined with flows.
  static constexpr FamilySet Joined() {
    FamilySet set;
    for (size_t i = 0; i < kFamilyCount; ++i) {
      if (kFamilies[i].joined) set.bits_ |= uint32_t{1} << i;
    }
    return set;
  }

  // Those whose objects make a topology (link_state.h), if they are asked for.
  static constexpr FamilySet LinkState() { return FamilySet().Add(Family::kLinkState).Add(Family::kLinkStateVpn); }

  constexpr bool Has(Family family) const { return (bits_ >> static_cast<size_t>(family) & 1) != 0; }
  constexpr FamilySet& Add(Family family) {
    bits_ |= uint32_t{1} << static_cast<size_t>(family);
    return *this;
  }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr uint32_t bits() const { return bits_; }
  template <typename Visitor>  // void(Family)
  void ForEach(Visitor&& visit) const {
    for (size_t i = 0; i < kFamilyCount; ++i) {
      if (Has(static_cast<Family>(i))) visit(static_cast<Family>(i));
    }
  }

  friend constexpr FamilySet operator&(FamilySet a, FamilySet b) { return FamilySet(a.bits_ & b.bits_); }
  friend constexpr FamilySet operator|(FamilySet a, FamilySet b) { return FamilySet(a.bits_ | b.bits_); }
  friend constexpr FamilySet operator-(FamilySet a, FamilySet b) { return FamilySet(a.bits_ & ~b.bits_); }
  friend constexpr bool operator==(FamilySet a, FamilySet b) { return a.bits_ == b.bits_; }
  friend constexpr bool operator!=(FamilySet a, FamilySet b) { return a.bits_ != b.bits_; }

 private:
  explicit constexpr FamilySet(uint32_t bits) : bits_(bits) {}
  static_assert(kFamilyCount < 32, "a FamilySet has 32 bits");
  uint32_t bits_ = 0;
};

}  // namespace flowacct::bgp

#endif  // FLOWACCT_BGP_FAMILY_H_
