// The connections of BMP speakers: routers connect, and what they tell goes into the routing table.
//
//     auto listener = BmpListener::New(options, &book, observers);      // its ports are open then; null: none is asked
//     for poller.Add((*listener)->descriptor(), token);                     // readable when there is something to do
//     (*listener)->TakeEvents(now, clock);  (*listener)->Tick(now);     // not later than deadline()
//     (*listener)->Stop(now);
//
// Standards: RFC 7854 (3.2: the router connects, nothing is ever sent to it), RFC 2385 (keys as for BGP peers).
// Guarantees: a router has a bounded turn (read_octets); one that connects again while its connection stands has given
// that up, one whose machine is gone is noticed by TCP keepalives within two minutes; one that says nothing, or nothing
// of BMP, is closed. Threads: the engine's. Errors: of New a Status; later ones are counted, and told as ends.
// Cost: for a connection a socket, and at most a megabyte of a message that has not come whole.

#ifndef FLOWACCT_COLLECTOR_ROUTING_BMP_LISTENER_H_
#define FLOWACCT_COLLECTOR_ROUTING_BMP_LISTENER_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "flowacct/collector/routing/connection_admission.h"
#include "flowacct/collector/routing/monitored_router.h"
#include "flowacct/collector/routing/peer_book.h"
#include "flowacct/collector/routing/routing_options.h"
#include "flowacct/collector/routing/routing_status.h"
#include "flowacct/collector/socket/descriptor.h"
#include "flowacct/collector/socket/endpoint.h"

namespace flowacct::collector {

class BmpListener {
 public:
  // `options`, the book and the observers outlive it.
  static absl::StatusOr<std::unique_ptr<BmpListener>> New(const RoutingOptions& options, PeerBook* book,
                                                          const std::vector<RoutingObserver*>& observers);
  BmpListener(const BmpListener&) = delete;
  BmpListener& operator=(const BmpListener&) = delete;

  int descriptor() const { return epoll_.get(); }
  // With the ports that the system chose, if it was asked to.
  const std::vector<Endpoint>& endpoints() const { return endpoints_; }

  // Reads from whoever has something, each once. `monotonic_nanos`: for the limits of connections.
  void TakeEvents(absl::Time now, int64_t monotonic_nanos);
  void Tick(absl::Time now);
  absl::Time deadline() const { return deadline_; }
  // Closes all; what they told stays.
  void Stop(absl::Time now);

  // Adds what it knows.
  void Describe(RoutingStatus* status) const;

 private:
  struct Connection {
    uint64_t number = 0;
    Descriptor socket;
    absl::Time since;
    std::unique_ptr<MonitoredRouter> router;
  };

  BmpListener(const RoutingOptions& options, PeerBook* book, const std::vector<RoutingObserver*>& observers)
      : options_(options), book_(book), observers_(observers) {}
  absl::Status Open();
  void Accept(const Descriptor& listener, absl::Time now, int64_t monotonic_nanos);
  void Take(Descriptor socket, const base::IpAddress& address, uint16_t port, absl::Time now);
  void ReadFrom(Connection& connection, absl::Time now);
  void Close(uint64_t number, absl::string_view why, absl::Duration keep_for, absl::Time now);
  void ListenAgain(bool listen);

  const RoutingOptions& options_;
  PeerBook* const book_;
  const std::vector<RoutingObserver*>& observers_;
  Descriptor epoll_;
  std::vector<Descriptor> listeners_;
  std::vector<Endpoint> endpoints_;
  std::unique_ptr<ConnectionAdmission> admission_;
  absl::flat_hash_map<uint64_t, std::unique_ptr<Connection>> connections_;
  absl::flat_hash_map<base::IpAddress, uint64_t> of_address_;
  uint64_t last_number_ = 0;
  std::unique_ptr<uint8_t[]> buffer_;
  absl::Time deadline_ = absl::InfiniteFuture();
  absl::Time listen_again_ = absl::InfiniteFuture();
  std::deque<RoutingRouterEnd> recent_ends_;
  RoutingCounters counters_;  // the ones of routers
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_ROUTING_BMP_LISTENER_H_
