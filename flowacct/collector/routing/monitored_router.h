// What one router's BMP stream tells, put into the routing table: a peer for each of its tables (Loc-RIB, and of each
// neighbour Adj-RIB-In and -Out, before and after policy) that it tells of. Without sockets.
//
//     MonitoredRouter router(address, port, options, &book, observers, now);
//     router.Receive(octets, now);        // false: the stream cannot be followed
//     router.End("why", options.bmp_stale_for, now);
//
// Standards: those of bmp/station.h. A VRF's tables (peer types 1 to 3 with a distinguisher) are found by that as
// route distinguisher; the router's own address and BGP identifier (of the OPEN that it sent, or of its Loc-RIB) are
// whom the tables answer for.
// Guarantees: a neighbour that is down has no routes any more, at once; what a stream that ends has told stays, stale,
// for `keep_for`, and what the next stream tells again stays on (End-of-RIB sweeps the rest).
// Ownership: borrows the book. Threads: the book's. Errors: counted, in Tell. Bounds: RoutingOptions::
// max_tables_of_router tables and neighbours, max_told_peers of all routers. Cost: bmp/README.md's and the book's.

#ifndef FLOWACCT_COLLECTOR_ROUTING_MONITORED_ROUTER_H_
#define FLOWACCT_COLLECTOR_ROUTING_MONITORED_ROUTER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/bmp/station.h"
#include "flowacct/collector/routing/peer_book.h"
#include "flowacct/collector/routing/routing_observer.h"
#include "flowacct/collector/routing/routing_options.h"
#include "flowacct/collector/routing/routing_status.h"

namespace flowacct::collector {

class MonitoredRouter final : private bmp::Listener {
 public:
  // The book and the observers outlive it.
  MonitoredRouter(const base::IpAddress& address, uint16_t port, const RoutingOptions& options, PeerBook* book,
                  const std::vector<RoutingObserver*>& observers, absl::Time now);
  MonitoredRouter(const MonitoredRouter&) = delete;
  MonitoredRouter& operator=(const MonitoredRouter&) = delete;

  bool Receive(base::Octets octets, absl::Time now);
  // Once; it tells nothing afterwards.
  void End(absl::string_view why, absl::Duration keep_for, absl::Time now);

  // It has said something that is BMP.
  bool speaks() const { return speaks_; }
  // It has said that it ends, and why; empty: it has not.
  const std::string& farewell() const { return farewell_; }
  const base::IpAddress& address() const { return told_.address; }
  RoutingRouter Tell() const;

 private:
  // What is told of one of its neighbours, or of itself (Loc-RIB).
  struct Monitored {
    RoutingNeighbour told;
    bgp::FamilySet families = bgp::FamilySet::Joined();
    bool external = true;
    uint32_t router_identifier = 0;
    std::array<PeerBook::Peer*, rib::kRibViewCount> peers{};  // those that are up
  };

  void OnRouter(absl::string_view name, absl::string_view description) override;
  void OnPeerUp(const bmp::PeerUp& up) override;
  void OnPeerDown(const bmp::PeerDown& down) override;
  void OnUpdate(const bmp::RouteUpdate& update) override;
  void OnStatistics(const bmp::StatisticsReport& report) override;
  void OnTermination(bmp::TerminationReason reason, absl::string_view text) override;

  // The book's peer of a table, up; null: there are too many, or another neighbour has it, counted.
  PeerBook::Peer* PeerOf(Monitored* monitored, const bmp::MonitoredPeer& peer, rib::RibView view);
  void Down(Monitored* monitored, absl::Duration keep_for);

  const RoutingOptions& options_;
  PeerBook* const book_;
  const std::vector<RoutingObserver*>& observers_;
  bmp::Station station_;
  RoutingRouter told_;
  absl::flat_hash_map<uint32_t, Monitored> monitored_;  // by MonitoredPeer::index
  size_t tables_ = 0;                                   // that are up
  bool speaks_ = false;
  std::string farewell_;
  absl::Time now_;
  absl::Duration keep_for_;  // of what ends with the stream
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_ROUTING_MONITORED_ROUTER_H_
