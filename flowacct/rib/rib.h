// The routing table: what each peer announced, for one writer that changes it and any number of readers that never
// wait.
//
//     Rib rib(&epochs);                                                        // writer
//     PeerId peer = *rib.AddPeer(key);
//     TableId table = *rib.AddTable(peer, /*rd=*/0);
//     AttributeSetId id = rib.Intern(attributes);                              // bgp/canonicalize.h
//     rib.Announce(table, {prefix, path_id, label}, id);  ...  rib.Release(id);
//     rib.PeerDown(peer, Rib::Stale::kDrop);  while (rib.Reclaim(1000)) ...    // a bit at a time
//
//     RibReader reader(&rib);                                                  // each reader, online in `epochs`
//     reader.FindBatch(table, addresses, stride, n, routes);
//
// A peer has a table for each route distinguisher (RFC 4364, 4.2; 0: none), each for both families (lpm/live_table.h).
// A route is 32 bits there: an attribute set, or, where there are several paths, a path identifier (RFC 7911) or a
// label, a list of paths. Two of the bits tell the life of the session in which it came, so that a peer's routes become
// stale all at once (RFC 4724, 4.2), and only the sweep that follows End-of-RIB goes through them.
//
// Guarantees: what lpm/live_table.h says of look-ups beside changes. A peer that goes down is gone for look-ups in
// constant time a table; its memory comes back by Reclaim. Not checked: whether attributes are plausible; an IPv6
// prefix within
// ::ffff:0:0/96 is an IPv4 one here.
// Ownership: `epochs` outlives it, it outlives its readers. Threads: one writer; RibReader for readers. Errors: Outcome
// and counters; nothing is refused that takes no new place. Cost: 200-300 ns a route in a full table. Memory:
// docs/adr/0008: a full table of 1.2 million routes 45 MiB, 14 octets for each route that a further peer has too.

#ifndef FLOWACCT_RIB_RIB_H_
#define FLOWACCT_RIB_RIB_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/lpm/live_table.h"
#include "flowacct/lpm/node_arena.h"
#include "flowacct/lpm/reader_epochs.h"
#include "flowacct/rib/attribute_store.h"
#include "flowacct/rib/best_path.h"

namespace flowacct::rib {

enum class PeerId : uint32_t {};
// Its place, and how often that was used before, so that the id of a table that is gone finds nothing.
enum class TableId : uint32_t {};

// Which of a router's tables a peer's routes are of, in the order in which they are preferred. view, name
#define FLOWACCT_RIB_VIEWS(X)                                                                         \
  X(kSession, "session")                /* what the router announced in a BGP session */              \
  X(kLocRib, "loc_rib")                 /* BMP: what it uses (RFC 9069) */                            \
  X(kAdjRibInPost, "adj_rib_in_post")   /* BMP: what a neighbour told it, after policy (RFC 7854) */  \
  X(kAdjRibInPre, "adj_rib_in_pre")     /* and before it */                                           \
  X(kAdjRibOutPost, "adj_rib_out_post") /* BMP: what it tells a neighbour, after policy (RFC 8671) */ \
  X(kAdjRibOutPre, "adj_rib_out_pre")   /* and before it */                                           \
  X(kDump, "dump")                      /* what an MRT file says that a peer told (RFC 6396) */
enum class RibView : uint8_t {
#define X(view, name) view,
  FLOWACCT_RIB_VIEWS(X)
#undef X
};
inline constexpr size_t kRibViewCount = static_cast<size_t>(RibView::kDump) + 1;
absl::string_view RibViewName(RibView view);

// Who announces: a session, one of those that a BMP speaker tells of (RFC 7854, 4.2), a peer of an MRT file.
struct PeerKey {
  base::IpAddress address;
  uint32_t bgp_identifier = 0;
  uint32_t as = 0;
  uint64_t distinguisher = 0;
  RibView view = RibView::kSession;
  base::IpAddress told_by = {};  // the BMP speaker; else ::

  friend bool operator==(const PeerKey& a, const PeerKey& b) {
    return a.address == b.address && a.bgp_identifier == b.bgp_identifier && a.as == b.as &&
           a.distinguisher == b.distinguisher && a.view == b.view && a.told_by == b.told_by;
  }
  template <typename H>
  friend H AbslHashValue(H h, const PeerKey& k) {
    return H::combine(std::move(h), k.address, k.bgp_identifier, k.as, k.distinguisher, k.view, k.told_by);
  }
};

struct RibOptions {
  // More than any route reflector has; a BMP station may see so many of a network.
  size_t max_peers = 8192;
  // Of all peers: a provider edge has thousands of VRFs. At most 2^20.
  size_t max_tables = 65536;
  // Four times the global tables of 2026, both families.
  size_t max_paths_per_peer = size_t{5} << 20;
  // Of all peers: the arenas bite before it does.
  size_t max_paths = size_t{256} << 20;
  // No sender of ADD-PATH is known to announce more than 32. At most kMaxPaths.
  size_t max_paths_per_prefix = 64;
  lpm::NodeArenaOptions routes;
  lpm::NodeArenaOptions attributes;  // and lists of paths; at most 3 GiB
  AttributeStoreOptions attribute_store;
  BestPathOptions best_path;
};

struct Announcement {
  static constexpr uint32_t kNoLabel = 0xffffffff;

  base::IpPrefix prefix;
  uint32_t path_id = 0;  // RFC 7911; 0 without
  uint32_t label = kNoLabel;
};

// Of one peer and family.
struct RouteCounters {
  // As it is now.
  uint64_t routes = 0;  // prefixes
  uint64_t paths = 0;
  uint64_t stale = 0;  // of the paths
  // Since the peer was added.
  uint64_t announcements = 0;
  uint64_t replaced = 0;  // announcements of a path that was there
  uint64_t withdrawals = 0;
  uint64_t unknown_withdrawals = 0;  // of what was not there
  uint64_t refused = 0;              // announcements beyond a bound
  uint64_t swept = 0;                // stale paths removed
};

class Rib {
 public:
  enum class Outcome : uint8_t { kNew, kReplaced, kRefused, kWithdrawn, kUnknown };
  // What becomes of the routes of a peer that goes down.
  enum class Stale : uint8_t { kDrop, kKeep };

  explicit Rib(lpm::ReaderEpochs* epochs, RibOptions options = {});
  Rib(const Rib&) = delete;
  Rib& operator=(const Rib&) = delete;
  ~Rib();

  // --- Peers and tables ---

  // The peer of that key, made if it is not there. Nothing: there are max_peers; counted.
  std::optional<PeerId> AddPeer(const PeerKey& key, bool external = true);
  std::optional<PeerId> FindPeer(const PeerKey& key) const;
  const PeerKey& key(PeerId peer) const { return PeerOf(peer).key; }
  // Instead of RibOptions::max_paths_per_peer; those that are there stay.
  void SetMaxPaths(PeerId peer, size_t paths) { PeerOf(peer).max_paths = paths; }
  // With all its tables and routes; its ids come to mean others later.
  void RemovePeer(PeerId peer);
  // The peer's table of a route distinguisher, made if it is not there. Nothing: there are max_tables; counted.
  std::optional<TableId> AddTable(PeerId peer, uint64_t rd);
  std::optional<TableId> FindTable(PeerId peer, uint64_t rd) const;

  // --- Routes ---

  // kNone: a bound forbids it, counted. Else the caller has a reference, which he gives back by Release.
  AttributeSetId Intern(base::Octets attributes) { return store_.Intern(attributes); }
  void Release(AttributeSetId id) { store_.Unref(id); }
  Outcome Announce(TableId table, const Announcement& route, AttributeSetId attributes);
  // Several with the same attributes, as an UPDATE has them: quicker, for what they touch is on its way beforehand.
  void Announce(TableId table, absl::Span<const Announcement> routes, AttributeSetId attributes);
  Outcome Withdraw(TableId table, const base::IpPrefix& prefix, uint32_t path_id);

  // The session ended. kDrop: no look-up finds its routes any more. kKeep: they are stale, until they are announced
  // anew or EndOfRib or another PeerDown removes them; those that were stale before are removed (RFC 4724, 4.2).
  void PeerDown(PeerId peer, Stale stale);
  // All is announced: what is still stale of a family goes (RFC 4724, 4.2; also when its time is over).
  void EndOfRib(PeerId peer, bool v6);

  // Does up to `steps` nodes or routes of the work that the calls before have left. False: there is none.
  bool Reclaim(size_t steps);
  // Readers are too slow for what was changed: take no more from any session before Reclaim has made this false.
  bool congested() const { return routes_.congested() || attributes_.congested(); }

  // --- What there is ---

  RouteCounters counters(PeerId peer, bool v6) const;
  uint64_t paths() const { return paths_; }
  uint64_t refused_peers() const { return refused_peers_; }
  uint64_t refused_tables() const { return refused_tables_; }
  const AttributeStore& store() const { return store_; }
  const lpm::NodeArena& route_arena() const { return routes_; }
  const lpm::NodeArena& attribute_arena() const { return attributes_; }
  // Taken from the system for routes, attributes and their index; with garbage and what is free.
  size_t octets() const { return routes_.octets() + attributes_.octets() + store_.index_octets(); }

 private:
  friend class RibReader;

  static constexpr uint32_t kList = uint32_t{1} << 31;
  static constexpr unsigned kLifeShift = 29;
  static constexpr uint32_t kLifeMask = uint32_t{3} << kLifeShift;
  static constexpr uint32_t kRefMask = AttributeStore::kIdLimit - 1;
  static constexpr size_t kTableBits = 20;

  static uint32_t LifeOf(uint32_t value) { return (value & kLifeMask) >> kLifeShift; }
  static AttributeSetId IdOf(uint32_t value) { return AttributeSetId{value & kRefMask}; }

  // A path in a list. `value` is as a route's that has no list.
  struct ListedPath {
    uint32_t path_id;
    uint32_t value;
    uint32_t label;
  };
  struct PathList {
    uint32_t count;
    uint32_t best;
    ListedPath* paths() { return reinterpret_cast<ListedPath*>(this + 1); }
    const ListedPath* paths() const { return reinterpret_cast<const ListedPath*>(this + 1); }
    static size_t OctetsOf(size_t count) { return sizeof(PathList) + count * sizeof(ListedPath); }
  };

  struct Table {
    explicit Table(lpm::NodeArena* arena) : live(arena) {}
    lpm::LiveTable live;
    std::atomic<uint32_t> id{0};         // 0: not in use
    std::atomic<uint32_t> life[2] = {};  // of each family; a path of another one is stale
    uint32_t serial = 0;
    uint32_t peer = 0;
    uint64_t rd = 0;
    bool lists[2] = {};  // there may be lists
    uint64_t paths[2] = {};
    uint64_t stale[2] = {};
    unsigned unswept[2] = {};  // lives before this one of which there may be paths
  };
  struct Peer {
    PeerKey key;
    bool used = false;
    bool external = true;
    std::vector<std::pair<uint64_t, uint32_t>> tables;  // rd, place
    uint64_t paths = 0;
    uint64_t max_paths = 0;
    RouteCounters counters[2];
  };
  struct FreeTable {
    uint32_t place;
    uint64_t epoch;
  };
  // Stale paths of a table and family that are to go.
  struct Sweep {
    uint32_t table;
    bool v6;
    bool keep_previous;  // those of the last life stay
    bool begun = false;
    base::IpPrefix at;
  };

  const Peer& PeerOf(PeerId peer) const { return peers_[static_cast<uint32_t>(peer)]; }
  Peer& PeerOf(PeerId peer) { return peers_[static_cast<uint32_t>(peer)]; }
  static uint32_t PlaceOf(TableId table) { return static_cast<uint32_t>(table) & ((uint32_t{1} << kTableBits) - 1); }
  Table* TableOf(TableId table) { return tables_[PlaceOf(table)].load(std::memory_order_relaxed); }
  PathList* ListOf(uint32_t value) { return reinterpret_cast<PathList*>(attributes_.At(value & kRefMask)); }
  const PathList* ListOf(uint32_t value) const {
    return reinterpret_cast<const PathList*>(attributes_.At(value & kRefMask));
  }

  bool MayGrow(const Peer& peer) const {
    return paths_ < options_.max_paths && peer.paths < peer.max_paths && !routes_.full() && !attributes_.full();
  }
  Outcome AnnounceListed(Table* table, Peer* peer, const Announcement& route, uint32_t value);
  void CountNew(Table* table, Peer* peer, bool v6, bool new_prefix);
  // Copies the paths of a route to `paths`.
  size_t PathsOf(uint32_t value, ListedPath* paths) const;
  // A value for `count` paths, at least one; it may be a new list.
  uint32_t ValueOf(const Peer& peer, const ListedPath* paths, size_t count);
  // A list that is unlinked; not its sets.
  void RetireList(uint32_t value);
  // Drops the sets of a route that nobody sees any more, and its list.
  void ForgetUnseen(uint32_t value);
  void Drop(Table* table);
  bool SweepSome(Sweep* sweep, size_t* steps);
  void StartSweep(uint32_t place, bool v6, bool keep_previous);
  void RemovePath(Table* table, Peer* peer, bool v6, uint32_t path_value);

  static RibOptions WithinReach(RibOptions options);

  RibOptions options_;
  lpm::ReaderEpochs* epochs_;
  lpm::NodeArena routes_;
  lpm::NodeArena attributes_;
  AttributeStore store_;

  std::deque<Peer> peers_;
  std::vector<uint32_t> free_peers_;
  absl::flat_hash_map<PeerKey, PeerId> peer_ids_;
  std::vector<std::unique_ptr<Table>> table_memory_;
  std::unique_ptr<std::atomic<Table*>[]> tables_;
  std::deque<FreeTable> free_tables_;
  std::vector<Path> candidates_;  // scratch

  std::deque<Sweep> sweeps_;
  std::deque<lpm::LiveTable::Dismantler> removals_;
  uint64_t paths_ = 0;
  uint64_t refused_peers_ = 0;
  uint64_t refused_tables_ = 0;
};

// What a look-up found. Valid until the reader is quiescent.
struct RouteView {
  AttributeSetId attributes = AttributeSetId::kNone;  // kNone: no route
  uint8_t length = 0;                                 // of the prefix, in the address' family
  bool stale = false;
  bool next_hop_matched = false;  // chosen by the next hop that was asked for, not as the best path
  uint32_t path_id = 0;
  uint32_t label = Announcement::kNoLabel;
  base::Octets octets;  // of bgp/attribute_set.h

  bool found() const { return attributes != AttributeSetId::kNone; }
};

// Looks routes up. The caller tells `epochs` when it is online and quiescent: at the end of each batch of flows.
class RibReader {
 public:
  explicit RibReader(const Rib* rib) : rib_(rib) {}

  RouteView Find(TableId table, const base::IpAddress& address, const base::IpAddress* next_hop = nullptr) const;
  // For each of `n` addresses (16 octets each, `stride` apart), to `routes`. `next_hops`: null, or for each address the
  // flow's BGP next hop, as far apart: of several paths the one with that next hop is taken, else the best; an
  // address of zeros is none.
  void FindBatch(TableId table, const uint8_t* addresses, size_t stride, size_t n, RouteView* routes,
                 const uint8_t* next_hops = nullptr, size_t next_hop_stride = 0) const;
  // The path of just this prefix and path identifier. On the writer's thread alone.
  RouteView FindPath(TableId table, const base::IpPrefix& prefix, uint32_t path_id) const;
  // Calls `visit` with each path of a family after the prefix `*from` (null: from the first one) in the order of
  // prefixes, until it returns false after the last path of a prefix.
  void Walk(TableId table, bool v6, const base::IpPrefix* from,
            absl::FunctionRef<bool(const base::IpPrefix& prefix, const RouteView& path, bool best)> visit) const;

 private:
  const Rib::Table* TableOf(TableId table) const;
  RouteView ViewOf(const Rib::Table& table, uint32_t value, bool v6, const uint8_t* next_hop) const;

  const Rib* rib_;
};

}  // namespace flowacct::rib

#endif  // FLOWACCT_RIB_RIB_H_
