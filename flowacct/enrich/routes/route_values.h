// What a set of path attributes says, as records tell it: numbers, an address, and ids of the batch's interner.
//
// Standards: those of bgp/attribute_set.h. Ownership: a cache is of one worker; its entries are of one interner (Meet).
// Threads: one. Cost: an entry is a cache line; to make it takes an interning for each path or list that is wanted,
// some 100 ns each. The cache, of one enricher, grows as sets are met, to 32 MiB; an entry whose place another set
// takes is made anew when it is next needed.

#ifndef FLOWACCT_ENRICH_ROUTES_ROUTE_VALUES_H_
#define FLOWACCT_ENRICH_ROUTES_ROUTE_VALUES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "flowacct/base/chunk.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/octets.h"
#include "flowacct/filter/route.h"
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
  // Nothing but that it is told: the path is empty or ends in a confederation, so that the origin to validate is the
  // speaker's own AS (RFC 6811, 2).
  kOwnOrigin,
};
inline constexpr size_t kRouteNumbers = static_cast<size_t>(RouteValue::kOrigin);

struct RouteValuesOptions {
  // 0: AS paths are told whole; else their first so many AS.
  size_t as_path_radius = 0;
  // Private AS numbers (RFC 6996) are neither origin nor peer: the next one inwards is.
  bool skip_private_as = false;
  // Of standard, extended and large communities only those that one of its patterns describes are told; without
  // patterns all of the kind.
  std::vector<filter::CommunityPattern> std_comm, ext_comm, lrg_comm;
  // Routes without an AS path, as those of customers that are connected by static routes: the first community that one
  // of these describes tells peer (its first part) and origin (its second). Standard ones are asked first.
  std::vector<filter::CommunityPattern> as_of_std_comm, as_of_lrg_comm;
};

// A set of RouteValue.
using RouteValueMask = uint16_t;
constexpr RouteValueMask MaskOf(RouteValue value) {
  return static_cast<RouteValueMask>(1 << static_cast<unsigned>(value));
}

struct RouteValues {
  uint32_t numbers[kRouteNumbers] = {};
  uint8_t next_hop[16] = {};
  RouteValueMask told = 0;
  uint8_t origin = 0;

  bool Has(RouteValue value) const { return (told & MaskOf(value)) != 0; }
};

// `octets` as in bgp/attribute_set.h. Only what is in `wanted` is told.
RouteValues ReadRouteValues(base::Octets octets, RouteValueMask wanted, const RouteValuesOptions& options,
                            base::Interner* interner);

class RouteValueCache {
 public:
  explicit RouteValueCache(const RouteValuesOptions& options) : options_(options) {}

  // Forgets what it knows; from now on these are told.
  void Want(RouteValueMask wanted);
  // Before each batch: forgets what is of another interner.
  void Meet(const base::Interner& interner);
  // What tells a set from one that had its id before (rib/attribute_store.h).
  struct Key {
    rib::AttributeSetId id = rib::AttributeSetId::kNone;
    uint32_t hash = 0;
    uint16_t serial = 0;
    friend bool operator==(const Key& a, const Key& b) {
      return a.id == b.id && a.hash == b.hash && a.serial == b.serial;
    }
  };
  // Valid until the next call.
  const RouteValues& Find(const Key& key, base::Octets octets, base::Interner* interner);
  void Prefetch(rib::AttributeSetId id) const {
    if (entries_.places() != nullptr) __builtin_prefetch(entries_.PairOf(id));
  }
  uint64_t made() const { return made_; }

 private:
  // 256 KiB, and 32 MiB: twice as many as a full table has sets, so that few are in each other's way.
  static constexpr unsigned kMinPlaceBits = 12, kMaxPlaceBits = 19;

  struct alignas(64) Entry {
    RouteValues values;
    Key key;
  };
  static_assert(sizeof(Entry) == 64);

  class Table {
   public:
    Table() = default;
    explicit Table(unsigned place_bits) : memory_(sizeof(Entry) << place_bits), place_bits_(place_bits) {}
    unsigned place_bits() const { return place_bits_; }
    Entry* places() const { return reinterpret_cast<Entry*>(memory_.data()); }
    // A set lies here or in the place behind; the one that was made later comes first.
    Entry* PairOf(rib::AttributeSetId id) const {
      return &places()[(static_cast<uint32_t>(id) * uint32_t{0x9e3779b1} >> (32 - place_bits_)) & ~size_t{1}];
    }
    const Entry* Find(const Key& key) const;
    // For `id`, over whichever of its two has been there for longer.
    Entry* NewEntry(rib::AttributeSetId id);

   private:
    base::ZeroedMemory memory_;  // zeros are an entry of no set
    unsigned place_bits_ = 0;
  };
  static_assert(rib::AttributeSetId::kNone == rib::AttributeSetId{0});
  void Clear();

  RouteValuesOptions options_;
  RouteValueMask wanted_ = 0;
  Table entries_;  // without places until the first is made
  // The one that was too small: entries are fetched from it as they are asked for, so that no batch pays for all.
  Table old_;
  size_t made_in_this_size_ = 0;
  std::shared_ptr<const void> interner_;
  uint64_t made_ = 0;
};

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_ROUTES_ROUTE_VALUES_H_
