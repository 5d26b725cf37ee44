// Hears of everything that comes to a collector's routing table, when it comes: for logs of messages and histories.
//
// Threads: all calls come on the routing engine's thread, which waits for them: what takes long is for another one.
// Ownership: what is handed over is valid during the call; observers outlive the engine. Errors: none.

#ifndef FLOWACCT_COLLECTOR_ROUTING_ROUTING_OBSERVER_H_
#define FLOWACCT_COLLECTOR_ROUTING_ROUTING_OBSERVER_H_

#include "absl/time/time.h"
#include "flowacct/bgp/family.h"
#include "flowacct/bgp/update.h"
#include "flowacct/bmp/station.h"
#include "flowacct/collector/routing/peer_book.h"

namespace flowacct::collector {

class RoutingObserver {
 public:
  virtual ~RoutingObserver() = default;

  // Of sessions and of what BMP speakers tell (peer.key.view). `time` is the collector's.
  virtual void OnUp(const PeerBook::Peer& peer, absl::Time time) {}
  virtual void OnDown(const PeerBook::Peer& peer, absl::Time time) {}
  // Before the table changes. What was withdrawn may not have been there.
  virtual void OnUpdate(const PeerBook::Peer& peer, const bgp::Update& update, absl::Time time) {}
  // Of families that the table has no routes of, too.
  virtual void OnEndOfRib(const PeerBook::Peer& peer, bgp::Family family, absl::Time time) {}

  // Of BMP speakers; `router` is the address from which it is connected.
  virtual void OnRouterUp(const base::IpAddress& router, absl::string_view name, absl::string_view description,
                          absl::Time time) {}
  virtual void OnRouterDown(const base::IpAddress& router, absl::string_view why, absl::Time time) {}
  virtual void OnMonitoredUp(const base::IpAddress& router, const bmp::PeerUp& up, absl::Time time) {}
  virtual void OnMonitoredDown(const base::IpAddress& router, const bmp::PeerDown& down, absl::Time time) {}
  // Besides OnUpdate, which does not know it: what BMP says of the update.
  virtual void OnMonitoredUpdate(const base::IpAddress& router, const bmp::RouteUpdate& update, absl::Time time) {}
  virtual void OnStatistics(const base::IpAddress& router, const bmp::StatisticsReport& report, absl::Time time) {}

  // Some times a second at least while the engine runs.
  virtual void OnTick(absl::Time time) {}
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_ROUTING_ROUTING_OBSERVER_H_
