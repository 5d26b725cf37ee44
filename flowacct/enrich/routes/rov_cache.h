// What was said of routes that were validated lately: most flows are of few prefixes.
//
// Standard: RFC 6811. Guaranteed: what Find tells is what the table said that was met last. Ownership: owns all.
// Threads: one. Errors: none; a route whose place another takes is validated anew. Cost: a load or two, against a
// search in the table; README.md has what that is worth. Memory: 288 KiB from the first Meet on.

#ifndef FLOWACCT_ENRICH_ROUTES_ROV_CACHE_H_
#define FLOWACCT_ENRICH_ROUTES_ROV_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "flowacct/base/octets.h"
#include "flowacct/rpki/vrp_table.h"

namespace flowacct::enrich {

class RovCache {
 public:
  // Before each batch: forgets all if the table is another (rpki/published_vrps.h).
  void Meet(uint64_t serial) {
    if (serial == serial_ && !v4_.empty()) return;
    serial_ = serial;
    v4_.assign(size_t{1} << kV4Bits, V4Entry());
    v6_.assign(size_t{1} << kV6Bits, V6Entry());
  }
  // False: it is not known.
  bool Find(const rpki::RouteOrigin& route, rpki::RovState* state) const {
    const base::IpAddress& address = route.prefix.address();
    if (address.IsV4()) {
      const V4Entry& entry = v4_[PlaceOf(address.v4(), route, kV4Bits)];
      if (entry.address != address.v4() || !entry.tail.Is(route)) return false;
      *state = entry.tail.state;
      return true;
    }
    const uint64_t high = base::LoadBe64(address.data()), low = base::LoadBe64(address.data() + 8);
    const V6Entry& entry = v6_[PlaceOf(high ^ low, route, kV6Bits)];
    if (entry.high != high || entry.low != low || !entry.tail.Is(route)) return false;
    *state = entry.tail.state;
    return true;
  }
  void Put(const rpki::RouteOrigin& route, rpki::RovState state) {
    const Tail tail = {route.as, static_cast<uint8_t>(route.prefix.length() + 1), state};
    const base::IpAddress& address = route.prefix.address();
    if (address.IsV4()) {
      v4_[PlaceOf(address.v4(), route, kV4Bits)] = {address.v4(), tail};
      return;
    }
    const uint64_t high = base::LoadBe64(address.data()), low = base::LoadBe64(address.data() + 8);
    v6_[PlaceOf(high ^ low, route, kV6Bits)] = {high, low, tail};
  }

 private:
  // 192 and 96 KiB: within a core's own cache.
  static constexpr unsigned kV4Bits = 14, kV6Bits = 12;

  struct Tail {
    uint32_t as = 0;
    uint8_t length_and_one = 0;  // 0: nothing is here
    rpki::RovState state = rpki::RovState::kNotFound;

    bool Is(const rpki::RouteOrigin& route) const {
      return as == route.as && length_and_one == route.prefix.length() + 1;
    }
  };
  struct V4Entry {
    uint32_t address = 0;
    Tail tail;
  };
  struct V6Entry {
    uint64_t high = 0, low = 0;
    Tail tail;
  };
  static_assert(sizeof(V4Entry) == 12 && sizeof(V6Entry) == 24);

  static size_t PlaceOf(uint64_t address, const rpki::RouteOrigin& route, unsigned bits) {
    const uint64_t key = address * 0x9e3779b97f4a7c15 ^ (uint64_t{route.as} << 8 | route.prefix.length());
    return static_cast<size_t>(key * 0xd6e8feb86659fd93 >> (64 - bits));
  }

  uint64_t serial_ = 0;
  std::vector<V4Entry> v4_;
  std::vector<V6Entry> v6_;
};

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_ROUTES_ROV_CACHE_H_
