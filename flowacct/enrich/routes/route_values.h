// What a set of path attributes says, as records tell it: numbers, an address, and ids of the batch's interner.
//
// Standards: those of bgp/attribute_set.h. Ownership: a cache is of one worker; its entries are of one interner (Meet).
// Threads: one. Cost: an entry is made once, some microseconds, and 72 octets; found again in a hash and two cache
// lines. An entry whose place another set takes is made anew when it is next needed.

#ifndef FLOWACCT_ENRICH_ROUTES_ROUTE_VALUES_H_
#define FLOWACCT_ENRICH_ROUTES_ROUTE_VALUES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "flowacct/base/interner.h"
#include "flowacct/base/octets.h"
#include "flowacct/rib/attribute_store.h"

namespace flowacct::enrich {

// The order of the numbers in RouteValues.
enum class RouteValue : uint8_t {
  kOriginAs,
  kPeerAs,
  kLocalPref,
  kMed,
  kAsPath,  // ids from here on
  kCommunities,
  kExtCommunities,
  kLargeCommunities,
  kOrigin,   // one octet
  kNextHop,  // an address
};
inline constexpr size_t kRouteNumbers = static_cast<size_t>(RouteValue::kOrigin);

struct RouteValuesOptions {
  // 0: AS paths are told whole; else their first so many AS.
  size_t as_path_radius = 0;
  // Private AS numbers (RFC 6996) are neither origin nor peer: the next one inwards is.
  bool skip_private_as = false;
};

struct RouteValues {
  uint32_t numbers[kRouteNumbers] = {};
  uint8_t origin = 0;
  uint16_t told = 0;  // a bit for each RouteValue
  uint8_t next_hop[16] = {};

  bool Has(RouteValue value) const { return (told >> static_cast<unsigned>(value) & 1) != 0; }
};

// `octets` as in bgp/attribute_set.h.
RouteValues ReadRouteValues(base::Octets octets, const RouteValuesOptions& options, base::Interner* interner);

class RouteValueCache {
 public:
  explicit RouteValueCache(const RouteValuesOptions& options) : options_(options) {}

  // Before each batch: forgets what is of another interner.
  void Meet(const base::Interner& interner);
  // Valid until the next call. `serial`: of the set (rib/attribute_store.h).
  const RouteValues& Find(rib::AttributeSetId id, uint16_t serial, base::Octets octets, base::Interner* interner);
  void Prefetch(rib::AttributeSetId id) const {
    if (!entries_.empty()) __builtin_prefetch(&entries_[PlaceOf(id)]);
  }
  uint64_t made() const { return made_; }

 private:
  // A third of a full table's sets, of which traffic uses few: 4.6 MB.
  static constexpr size_t kPlaceBits = 16;

  struct Entry {
    RouteValues values;
    rib::AttributeSetId id = rib::AttributeSetId::kNone;
    uint16_t serial = 0;
  };
  static size_t PlaceOf(rib::AttributeSetId id) {
    return static_cast<uint32_t>(id) * uint32_t{0x9e3779b1} >> (32 - kPlaceBits);
  }

  RouteValuesOptions options_;
  std::vector<Entry> entries_;  // empty until the first is made
  std::shared_ptr<const void> interner_;
  uint64_t made_ = 0;
};

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_ROUTES_ROUTE_VALUES_H_
