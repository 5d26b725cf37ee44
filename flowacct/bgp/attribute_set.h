// The path attributes of a route in one canonical run of octets, and what they say.
//
// Equal attributes have equal octets, whatever the session's encoding, so that a run may be interned, compared and
// hashed as it lies. It is a sequence, ascending by type code, of
//
//     [type code, 1 octet] [length, 2 octets, big endian] [value]
//
// * AS_PATH and AGGREGATOR have AS numbers of 4 octets; AS4_PATH and AS4_AGGREGATOR are merged into them and left out.
// * The next hop is type 3 with 4 octets (IPv4), 16 (IPv6) or 32 (IPv6 and its link-local address), also if it came in
//   MP_REACH_NLRI; a VPN's route distinguisher is dropped. MP_REACH_NLRI and MP_UNREACH_NLRI are left out.
// * An attribute that has no row in attributes.def, if it is transitive (others are not to be passed on, RFC 4271, 5):
//   its value is preceded by one octet with its Optional, Transitive and Partial flags.
// * All others: the value as it came. Their flags are left out: the type code tells them, and Partial is lost.
//
// Standards: RFC 4271 (5), RFC 6793 (4.2.3), and those of attributes.def. CanonicalizeAttributes of canonicalize.h
// writes it.
// A view is of octets that it wrote; others are read without running off the end, and what does not fit is absent.
// Ownership: borrows. Threads: plain values.
// Cost: an accessor steps over the attributes before its own.

#ifndef FLOWACCT_BGP_ATTRIBUTE_SET_H_
#define FLOWACCT_BGP_ATTRIBUTE_SET_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/bgp/as_path.h"
#include "flowacct/bgp/attribute.h"

namespace flowacct::bgp {

enum class Origin : uint8_t { kIgp = 0, kEgp = 1, kIncomplete = 2 };  // RFC 4271, 4.3

struct LargeCommunity {  // RFC 8092, 3
  uint32_t global = 0, local1 = 0, local2 = 0;
  friend bool operator==(const LargeCommunity& a, const LargeCommunity& b) {
    return a.global == b.global && a.local1 == b.local1 && a.local2 == b.local2;
  }
};

inline void LoadCommunity(const uint8_t* p, uint32_t* value) { *value = base::LoadBe32(p); }
inline void LoadCommunity(const uint8_t* p, uint64_t* value) { *value = base::LoadBe64(p); }
inline void LoadCommunity(const uint8_t* p, LargeCommunity* value) {
  *value = {base::LoadBe32(p), base::LoadBe32(p + 4), base::LoadBe32(p + 8)};
}
inline void LoadCommunity(const uint8_t* p, base::Octets* value) { *value = base::Octets(p, 20); }

// Values of equal size in a row.
template <typename T, size_t kOctets>
class CommunityList {
 public:
  explicit CommunityList(base::Octets octets) : octets_(octets) {}
  size_t size() const { return octets_.size() / kOctets; }
  bool empty() const { return size() == 0; }
  T operator[](size_t i) const {
    T value;
    LoadCommunity(octets_.data() + i * kOctets, &value);
    return value;
  }
  base::Octets octets() const { return octets_; }

 private:
  base::Octets octets_;
};

using Communities = CommunityList<uint32_t, 4>;          // RFC 1997
using ExtendedCommunities = CommunityList<uint64_t, 8>;  // RFC 4360
using LargeCommunities = CommunityList<LargeCommunity, 12>;
using Ipv6ExtendedCommunities = CommunityList<base::Octets, 20>;  // RFC 5701

struct Aggregator {
  uint32_t as = 0;
  base::IpAddress speaker;
};

class AttributeSetView {
 public:
  AttributeSetView() = default;
  explicit AttributeSetView(base::Octets octets) : octets_(octets) {}

  base::Octets octets() const { return octets_; }

  // void(uint8_t code, base::Octets value), ascending by code.
  template <typename Visitor>
  void ForEach(Visitor&& visit) const {
    for (size_t at = 0; octets_.size() - at >= 3;) {
      const size_t length = base::LoadBe16(octets_.data() + at + 1);
      if (length > octets_.size() - at - 3) return;
      visit(octets_[at], octets_.subspan(at + 3, length));
      at += 3 + length;
    }
  }
  // False if it is absent.
  bool Find(AttributeCode code, base::Octets* value) const {
    const uint8_t wanted = static_cast<uint8_t>(code);
    const uint8_t* at = octets_.data();
    const uint8_t* const end = at + octets_.size();
    while (end - at >= 3 && *at <= wanted) {
      const size_t length = base::LoadBe16(at + 1);
      if (length > static_cast<size_t>(end - at) - 3) return false;
      if (*at == wanted) {
        *value = base::Octets(at + 3, length);
        return true;
      }
      at += 3 + length;
    }
    return false;
  }
  bool Has(AttributeCode code) const {
    base::Octets value;
    return Find(code, &value);
  }

  std::optional<Origin> origin() const {
    base::Octets v;
    if (!Find(AttributeCode::kOrigin, &v) || v.size() != 1) return std::nullopt;
    return static_cast<Origin>(v[0]);
  }
  AsPathView as_path() const { return AsPathView(Value(AttributeCode::kAsPath)); }
  // The global address if there are two. Of 16 octets an IPv4-mapped address is IPv4 (RFC 4798, 2).
  std::optional<base::IpAddress> next_hop() const {
    const base::Octets v = Value(AttributeCode::kNextHop);
    if (v.size() == 4) return base::IpAddress::FromV4(v.data());
    if (v.size() >= 16) return base::IpAddress::FromV6(v.data());
    return std::nullopt;
  }
  std::optional<base::IpAddress> link_local_next_hop() const {
    const base::Octets v = Value(AttributeCode::kNextHop);
    if (v.size() != 32) return std::nullopt;
    return base::IpAddress::FromV6(v.data() + 16);
  }
  std::optional<uint32_t> med() const { return Number(AttributeCode::kMultiExitDisc); }
  std::optional<uint32_t> local_pref() const { return Number(AttributeCode::kLocalPref); }
  bool atomic_aggregate() const { return Has(AttributeCode::kAtomicAggregate); }
  std::optional<Aggregator> aggregator() const {
    const base::Octets v = Value(AttributeCode::kAggregator);
    if (v.size() != 8) return std::nullopt;
    return Aggregator{base::LoadBe32(v.data()), base::IpAddress::FromV4(v.data() + 4)};
  }
  Communities communities() const { return Communities(Value(AttributeCode::kCommunities)); }
  ExtendedCommunities extended_communities() const {
    return ExtendedCommunities(Value(AttributeCode::kExtendedCommunities));
  }
  LargeCommunities large_communities() const { return LargeCommunities(Value(AttributeCode::kLargeCommunities)); }
  Ipv6ExtendedCommunities ipv6_extended_communities() const {
    return Ipv6ExtendedCommunities(Value(AttributeCode::kIpv6ExtendedCommunities));
  }
  std::optional<uint32_t> originator_id() const { return Number(AttributeCode::kOriginatorId); }
  size_t cluster_list_length() const { return Value(AttributeCode::kClusterList).size() / 4; }
  // Of the first AIGP TLV (RFC 7311, 3).
  std::optional<uint64_t> aigp() const;
  std::optional<uint32_t> otc() const { return Number(AttributeCode::kOnlyToCustomer); }

 private:
  base::Octets Value(AttributeCode code) const {
    base::Octets value;
    return Find(code, &value) ? value : base::Octets();
  }
  std::optional<uint32_t> Number(AttributeCode code) const {
    const base::Octets v = Value(code);
    if (v.size() != 4) return std::nullopt;
    return base::LoadBe32(v.data());
  }

  base::Octets octets_;
};

}  // namespace flowacct::bgp

#endif  // FLOWACCT_BGP_ATTRIBUTE_SET_H_
