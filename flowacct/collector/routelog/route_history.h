// What peers said lately of routes, the newest of it in so much memory.
//
//     RouteHistory history(16 << 20);                       // an observer of a RoutingEngine
//     history.Visit({prefix}, [](const RouteHistoryRow& row) { ... });      // from any thread, the newest first
//
// Messages are kept as octets, their routes and attributes side by side, and are read when somebody asks: a route of a
// full table takes some 25 octets, an UPDATE of one route some 150. The oldest make room.
// Guarantees: octets() is never beyond the bound. Withdrawals of what was not there are kept too: a history tells what
// was said. Ownership: what `visit` sees is valid during its call. Threads: observers' calls come from the
// engine's; Visit from any: it copies a bounded step with the lock held, some ten microseconds, and reads it without.
// Errors: none. Cost: 0.4 microseconds a message; a question reads all that is kept.

#ifndef FLOWACCT_COLLECTOR_ROUTELOG_ROUTE_HISTORY_H_
#define FLOWACCT_COLLECTOR_ROUTELOG_ROUTE_HISTORY_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/base/mutex.h"
#include "flowacct/base/octets.h"
#include "flowacct/bgp/attribute_set.h"
#include "flowacct/collector/routing/routing_observer.h"
#include "flowacct/rib/rib.h"

namespace flowacct::collector {

// name, text
#define FLOWACCT_ROUTE_EVENTS(X) \
  X(kAnnounced, "announced")     \
  X(kWithdrawn, "withdrawn")     \
  X(kUp, "peer up")              \
  X(kDown, "peer down")          \
  X(kEndOfRib, "all announced") /* RFC 4724, 2 */
enum class RouteEvent : uint8_t {
#define X(name, text) name,
  FLOWACCT_ROUTE_EVENTS(X)
#undef X
};
absl::string_view RouteEventName(RouteEvent event);

struct RouteHistoryRow {
  absl::Time time;
  const rib::PeerKey* peer = nullptr;
  RouteEvent event = RouteEvent::kAnnounced;
  std::optional<base::IpPrefix> prefix;  // nothing: of the peer
  std::optional<uint32_t> path_id;
  uint64_t rd = 0;
  bgp::AttributeSetView attributes;  // of what was announced
};

struct RouteHistoryQuestion {
  // This one and those within it, or, `around`, those that hold it; and what became of the peers.
  std::optional<base::IpPrefix> prefix;
  bool around = false;
  std::optional<base::IpAddress> peer;  // by address or BGP identifier
  size_t limit = 1000;                  // rows
};

struct RouteHistoryCounters {
  uint64_t entries = 0;  // messages
  size_t octets = 0;
  uint64_t forgotten = 0;  // that made room
  absl::Time oldest;
};

class RouteHistory final : public RoutingObserver {
 public:
  explicit RouteHistory(size_t max_octets) : max_octets_(max_octets) {}

  void Visit(const RouteHistoryQuestion& question, absl::FunctionRef<void(const RouteHistoryRow& row)> visit) const;
  RouteHistoryCounters counters() const;

  void OnUp(const PeerBook::Peer& peer, absl::Time time) override { Peer(peer, RouteEvent::kUp, time); }
  void OnDown(const PeerBook::Peer& peer, absl::Time time) override;
  void OnUpdate(const PeerBook::Peer& peer, const bgp::Update& update, absl::Time time) override;
  void OnEndOfRib(const PeerBook::Peer& peer, bgp::Family family, absl::Time time) override {
    if (bgp::RowOf(family).joined) Peer(peer, RouteEvent::kEndOfRib, time);
  }

 private:
  struct Message {
    absl::Time time;
    std::shared_ptr<const rib::PeerKey> peer;
    uint64_t rd = 0;  // of routes that have none of their own
    RouteEvent event = RouteEvent::kAnnounced;
    bool add_path = false;
    bgp::Family family = bgp::Family::kOther;
    uint32_t nlri_octets = 0;
    uint32_t octet_count = 0;
  };
  struct Entry {
    Message message;
    std::unique_ptr<uint8_t[]> octets;  // routes, then attributes

    // With what the allocator and a deque add.
    size_t size() const { return sizeof(Entry) + message.octet_count + 32; }
  };

  std::shared_ptr<const rib::PeerKey> KeyOf(const PeerBook::Peer& peer);
  void Peer(const PeerBook::Peer& peer, RouteEvent event, absl::Time time);
  void Keep(Entry entry);
  // Rows of one, its routes in the order in which they were told, until there are `limit`.
  static void Read(const Message& message, base::Octets octets, const RouteHistoryQuestion& question, size_t* rows,
                   absl::FunctionRef<void(const RouteHistoryRow& row)> visit);

  const size_t max_octets_;
  // The engine's thread's.
  absl::flat_hash_map<uint32_t, std::shared_ptr<const rib::PeerKey>> keys_;  // by rib::PeerId
  std::vector<uint8_t> attributes_;                                          // scratch

  mutable base::Mutex mutex_;
  std::deque<Entry> entries_ ABSL_GUARDED_BY(mutex_);
  uint64_t first_ ABSL_GUARDED_BY(mutex_) = 0;  // how many came before the first
  size_t octets_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_ROUTELOG_ROUTE_HISTORY_H_
