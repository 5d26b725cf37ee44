// What an ingress router's routes tell records, as values that are copied into rows: a cache over
// topology/router_paths.h.
//
// An entry is a prefix as one router has it. It is known by the serial of the prefix' candidates
// (topology/reach_table.h), the router and the side, and is right as long as the router's paths are the same ones;
// where nobody of the longest prefix could be reached, as long as nothing changed in the table. Ownership: borrows what
// is met. Threads: one. Errors: none. Cost: a look-up is two cache lines, which may be prefetched; making an entry some
// microseconds. Memory: 136 octets an entry, all at once.

#ifndef FLOWACCT_ENRICH_IGP_IGP_ROUTES_H_
#define FLOWACCT_ENRICH_IGP_IGP_ROUTES_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/record/field.h"
#include "flowacct/topology/equal_ways.h"
#include "flowacct/topology/live_topology.h"
#include "flowacct/topology/reach_table.h"
#include "flowacct/topology/router_directory.h"
#include "flowacct/topology/router_paths.h"

namespace flowacct::enrich {

// What an entry tells of a destination, and which field has it.
#define FLOWACCT_IGP_VALUES(X)   \
  X(kLevel, kIgpLevel)           \
  X(kRoute, kIgpRoute)           \
  X(kMetric, kIgpMetric)         \
  X(kEgress, kIgpEgress)         \
  X(kEgressId, kIgpEgressId)     \
  X(kPath, kIgpPath)             \
  X(kLinks, kIgpLinks)           \
  X(kWays, kIgpEcmpWays)         \
  X(kShares, kIgpEcmpShares)     \
  X(kProtection, kIgpProtection) \
  X(kAlternate, kIgpAlternate)

enum class IgpValue : uint8_t {
#define X(value, field) value,
  FLOWACCT_IGP_VALUES(X)
#undef X
};
inline constexpr record::FieldId kIgpValueFields[] = {
#define X(value, field) record::FieldId::field,
    FLOWACCT_IGP_VALUES(X)
#undef X
};
inline constexpr size_t kIgpValues = std::size(kIgpValueFields);
using IgpValueMask = uint16_t;
static_assert(kIgpValues < 16);
inline constexpr IgpValueMask MaskOf(IgpValue value) {
  return static_cast<IgpValueMask>(1 << static_cast<unsigned>(value));
}
// Beside the values: the address of the next hop.
inline constexpr IgpValueMask kIgpNextHop = 1 << kIgpValues;

// The router that records came in at, as it is in the snapshot that was met.
struct IgpRoot {
  topology::NodeKey key;
  uint64_t generation = 0;  // of its paths and names, and of no other root's
  const topology::RouterPaths* paths = nullptr;
  const topology::RouterAlternates* alternates = nullptr;
};

class IgpRoutes {
 public:
  enum class Side : uint8_t { kSource, kDestination };  // of a source, only kEgress and kEgressId are told
  enum class Found : uint8_t { kNothing, kLocal, kOther };
  static constexpr size_t kNowhere = ~size_t{0};
  static constexpr uint32_t kMaxRoots = 1 << 15;

  struct alignas(64) Entry {
    uint64_t generation = 0;
    uint64_t version = 0;  // of the table; 0: whatever it is
    uint32_t values[kIgpValues] = {};
    IgpValueMask told = 0;
    uint8_t length = 0;  // of the prefix
    Found found = Found::kNothing;
    uint8_t next_hop[base::IpAddress::kSize] = {};
  };
  static_assert(sizeof(Entry) == 128);

  IgpRoutes(const topology::ReachReader& reach, size_t entries, size_t max_ways);

  void Want(IgpValueMask wanted) { wanted_ = wanted; }
  // Forgets all: other interner, or too many roots.
  void Forget();
  // Before look-ups: `version` of the table that was read before what is looked up now.
  void Meet(const topology::RouterDirectory* directory, uint64_t version) {
    directory_ = directory;
    version_ = version;
  }

  // 0: there is no such prefix.
  static uint64_t KeyOf(const topology::ReachView& view, uint32_t root, Side side) {
    return view.found() ? view.serial << 16 | uint64_t{root} << 1 | static_cast<uint64_t>(side) : 0;
  }
  void PrefetchSet(uint64_t key) const { __builtin_prefetch(&keys_[SetOf(key)]); }
  // Where the entry of that key is; kNowhere.
  size_t SlotOf(uint64_t key) const {
    const size_t set = SetOf(key);
    for (size_t i = 0; i < kWays; ++i) {
      if (keys_[set + i] == key) return set + i;
    }
    return kNowhere;
  }
  void PrefetchEntry(size_t slot) const { __builtin_prefetch(&entries_[slot]); }
  // The entry of that key, which is not 0; it stays where it is until two others were asked for. `slot`: where it was a
  // while ago. `address` lies in the view's prefix.
  const Entry& Get(uint64_t key, size_t slot, const IgpRoot& root, uint32_t root_number,
                   const topology::ReachView& view, const uint8_t* address, base::Interner& interner) {
    if (slot == kNowhere || keys_[slot] != key) slot = SlotOf(key);
    if (slot != kNowhere) {
      const Entry& entry = entries_[slot];
      if (entry.generation == root.generation && (entry.version == 0 || entry.version == version_)) {
        last_[turn_ = (turn_ + 1) % kKept] = slot;
        return entry;
      }
    }
    return Make(slot, key, root, root_number, view, address, interner);
  }

  base::InternId NameOf(topology::NodeKey router, base::Interner& interner);
  uint64_t made() const { return made_; }

 private:
  static constexpr size_t kWays = 8;  // of a set: a cache line of keys
  static constexpr size_t kKept = 3;
  // Ways to one router, whatever the prefix.
  struct WaysTexts {
    uint64_t generation = 0;
    uint32_t count = 0;
    base::InternId egress = 0, egress_id = 0, path = 0, links = 0, shares = 0;
    bool local = false;
  };
  static constexpr size_t kMaxWaysTexts = 65536;

  size_t SetOf(uint64_t key) const { return (key * 0x9e3779b97f4a7c15 >> shift_) * kWays; }
  const Entry& Make(size_t slot, uint64_t key, const IgpRoot& root, uint32_t root_number,
                    const topology::ReachView& view, const uint8_t* address, base::Interner& interner);
  void Fill(const IgpRoot& root, uint32_t root_number, topology::ReachView view, const base::IpAddress& address,
            Side side, Entry* entry, base::Interner& interner);
  WaysTexts TextsOf(const IgpRoot& root, uint32_t root_number, const topology::RouterRoute& route,
                    base::Interner& interner);
  WaysTexts MakeTexts(const IgpRoot& root, const topology::RouterRoute& route, base::Interner& interner);
  void TellNextHop(const IgpRoot& root, const topology::RouterRoute& route, bool v4, Entry* entry);
  void TellProtection(const IgpRoot& root, const topology::RouterRoute& route, const topology::ReachView& view,
                      Entry* entry, base::Interner& interner);
  base::InternId NamesOf(const topology::Graph& graph, absl::Span<const topology::NodeIndex> nodes, bool identifiers,
                         base::Interner& interner);

  const topology::ReachReader reach_;
  const size_t max_ways_;
  IgpValueMask wanted_ = 0;
  const topology::RouterDirectory* directory_ = nullptr;
  uint64_t version_ = 0;
  unsigned shift_;
  std::vector<uint64_t> keys_;  // 0: nothing
  std::vector<Entry> entries_;
  size_t last_[kKept] = {kNowhere, kNowhere, kNowhere};
  size_t turn_ = 0, victim_ = 0;
  topology::EqualWays ways_;
  // By root, place of the graph and egress.
  absl::flat_hash_map<std::tuple<uint32_t, uint8_t, topology::NodeIndex>, WaysTexts> texts_;
  std::string text_;  // scratch
  uint64_t made_ = 0;
};

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_IGP_IGP_ROUTES_H_
