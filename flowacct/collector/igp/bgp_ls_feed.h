// BGP-LS of a collector's own sessions and BMP streams, handed to whoever keeps a link-state database.
//
//     BgpLsFeed feed(options, [&] { poller.Wake(); });
//     routing.families = routing.families | bgp::FamilySet::LinkState();      // so that sessions offer it
//     auto engine = RoutingEngine::New(routing, {&feed});                     // an observer: it outlives the engine
//     ...
//     // The keeper's thread, woken:
//     while (feed.TakeChanges(256, [&](const topology::Advertisement& a) { live.Apply(a, now); },
//                             [&](const topology::AdvertisementKey& gone) { live.Remove(gone, now); })) {
//     }
//
// Standards: RFC 9552 (8.2.2 of malformed objects), RFC 4760, RFC 7606, RFC 7854.
// Guarantees: after TakeChanges has returned false, and until it wakes again, the keeper has of each router what the
// sessions tell together. A router that changes ten times between two calls is handed over once; one that came and went
// is handed over as gone. An object that several sessions tell (reflectors, tables of BMP speakers) is there as long as
// one of them tells it; what the newest of them said counts (bgp_ls_topology.h). A session that ends, a neighbour that
// BMP says is down, and a family that is given up take all that they told with them, at once.
// `wake`: called on the engine's thread, once after changes have come and before TakeChanges has taken them all; it
// must not block, nor call the feed.
// Keys: IS-IS, the level and the system, fragment 0: they are the keys of LSPs too, so that a database has either
// LSPs or BGP-LS of a level, not both. OSPF: see bgp_ls_topology.h. style() tells which, once something has come; with
// BgpLsOptions::style only that one is taken.
// Ownership: values. Threads: what is RoutingObserver's on the engine's; all else on any, TakeChanges on one at a time.
// The callbacks run without a lock. Errors: counted, Status. Bounds: BgpLsOptions::max_objects, objects that each
// session tells counted; what waits is a key for each router. Cost: an UPDATE without BGP-LS is
// looked at and left; a session that ends looks at every object once; the engine waits while up to 64 routers are
// copied. bgp_ls_benchmark measures.

#ifndef FLOWACCT_COLLECTOR_IGP_BGP_LS_FEED_H_
#define FLOWACCT_COLLECTOR_IGP_BGP_LS_FEED_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/mutex.h"
#include "flowacct/bgp/link_state.h"
#include "flowacct/bgp/update.h"
#include "flowacct/collector/igp/bgp_ls_topology.h"
#include "flowacct/collector/routing/routing_observer.h"
#include "flowacct/rib/rib.h"
#include "flowacct/topology/advertisement.h"

namespace flowacct::collector {

// A session, or a table of a BMP speaker, that told or tells of link state.
struct BgpLsSourceStatus {
  base::IpAddress address;
  base::IpAddress told_by;  // the BMP speaker; else ::
  rib::RibView view = rib::RibView::kSession;
  bool complete = false;  // its End-of-RIB has come
  size_t objects = 0;     // that it tells now
  uint64_t announced = 0, withdrawn = 0;
  uint64_t malformed_objects = 0;     // left out (RFC 9552, 8.2.2: NLRI discard)
  uint64_t unknown_objects = 0;       // of types without a row
  uint64_t malformed_attributes = 0;  // discarded
};

struct BgpLsFeedStatus {
  std::optional<topology::NodeStyle> style;
  size_t objects = 0, tellings = 0;  // the latter with each session's counted
  size_t routers = 0, waiting = 0;   // routers; of those, what TakeChanges has not taken yet
  BgpLsCounters counters;
  std::vector<BgpLsSourceStatus> sources;  // that are up, by address
};

class BgpLsFeed final : public RoutingObserver {
 public:
  // `wake` may be null.
  explicit BgpLsFeed(BgpLsOptions options = {}, std::function<void()> wake = nullptr);

  // Hands over at most `max` routers; true: more wait.
  bool TakeChanges(size_t max, absl::FunctionRef<void(const topology::Advertisement& changed)> changed,
                   absl::FunctionRef<void(const topology::AdvertisementKey& gone)> gone);
  // None: nothing has come yet.
  std::optional<topology::NodeStyle> style() const;
  BgpLsFeedStatus Status() const;

  void OnUp(const PeerBook::Peer& peer, absl::Time time) override;
  void OnDown(const PeerBook::Peer& peer, absl::Time time) override;
  void OnUpdate(const PeerBook::Peer& peer, const bgp::Update& update, absl::Time time) override;
  void OnEndOfRib(const PeerBook::Peer& peer, bgp::Family family, absl::Time time) override;

 private:
  struct Source {
    BgpLsSource number = 0;
    BgpLsSourceStatus told;
  };

  Source& SourceOf(const PeerBook::Peer& peer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // `attribute` is null: withdrawn.
  void Take(absl::Span<const bgp::NlriSection> sections, const bgp::LinkStateAttribute* attribute, Source* source)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether to wake, which is done without the lock.
  bool MustWake() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::function<void()> wake_;
  mutable base::Mutex mutex_;
  BgpLsTopology topology_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<rib::PeerKey, Source> sources_ ABSL_GUARDED_BY(mutex_);  // that said anything of link state
  BgpLsSource last_source_ ABSL_GUARDED_BY(mutex_) = 0;
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_IGP_BGP_LS_FEED_H_
