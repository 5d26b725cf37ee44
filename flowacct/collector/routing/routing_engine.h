// The BGP speaker and BMP station of a collector: takes sessions from routers, keeps their routes in a table of its
// own, and publishes which table answers for which exporter.
//
//     auto engine = RoutingEngine::New(options);               // its ports are open then
//     (*engine)->Start();
//     RoutesEnricher enricher((*engine)->tables(), ...);       // any number, in other threads
//     std::shared_ptr<const RoutingStatus> status = (*engine)->Status();
//     (*engine)->Call([](PeerBook& book) { ... });             // look-ups and dumps, on the engine's thread
//     (*engine)->Stop("maintenance");
//
// Standards: those of bgp/session.h; RFC 4271, 6.8 (collisions), RFC 2385 (MD5), RFC 5082 (GTSM), RFC 4486 and 9003
// (Cease). It is passive, and never sends an UPDATE. Peers need no definition: an allow list and limits bound them.
// Guarantees: all changes of the table are one thread's; readers never wait. A peer gets a bounded turn (read_octets),
// so that one who floods takes no more than its share; one who stalls holds what it has until its hold timer; one who
// connects too often, or sends what is none of BGP, costs a counter. Where readers are too slow for the changes nothing
// is read from peers until they catch up: TCP makes those wait.
// Not done: connections of its own; a separate AS or key exchange for each neighbour.
// Ownership: owns table, directory and epochs: it outlives the readers of tables(). Threads: one of its own; New,
// Start, Stop of one at a time, all else of any but the engine's own, which may Call too. Errors: of New, a Status that
// names the option; later ones are counted, and told as recent_ends. Cost: README.md. A peer: 90 KiB and its routes
// (rib/rib.h).

#ifndef FLOWACCT_COLLECTOR_ROUTING_ROUTING_ENGINE_H_
#define FLOWACCT_COLLECTOR_ROUTING_ROUTING_ENGINE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "flowacct/base/mutex.h"
#include "flowacct/collector/listen/poller.h"
#include "flowacct/collector/routing/bmp_listener.h"
#include "flowacct/collector/routing/connection_admission.h"
#include "flowacct/collector/routing/peer_book.h"
#include "flowacct/collector/routing/routing_options.h"
#include "flowacct/collector/routing/routing_status.h"
#include "flowacct/collector/socket/descriptor.h"
#include "flowacct/collector/socket/endpoint.h"
#include "flowacct/enrich/routes/routes_enricher.h"

namespace flowacct::collector {

class RoutingEngine {
 public:
  // `observers` outlive it.
  static absl::StatusOr<std::unique_ptr<RoutingEngine>> New(const RoutingOptions& options,
                                                            std::vector<RoutingObserver*> observers = {});
  ~RoutingEngine();  // stops
  RoutingEngine(const RoutingEngine&) = delete;
  RoutingEngine& operator=(const RoutingEngine&) = delete;

  // To fill it before Start, and only then.
  PeerBook& book_before_start() { return *book_; }
  // Once.
  void Start();
  // Peers are told Cease, Administrative Shutdown with `text`; waits for that at most a second. What is in the table
  // stays there.
  void Stop(absl::string_view text = "");

  // For enrichers, as long as the engine lives.
  enrich::RouteTables tables() const;
  // With the ports that the system chose, if it was asked to.
  const std::vector<Endpoint>& endpoints() const { return endpoints_; }
  std::vector<Endpoint> bmp_endpoints() const { return bmp_ == nullptr ? std::vector<Endpoint>() : bmp_->endpoints(); }
  uint32_t bgp_identifier() const { return bgp_identifier_; }

  // As of now, or where the thread is busy for longer than `patience`, the last that was made.
  std::shared_ptr<const RoutingStatus> Status(absl::Duration patience = absl::Milliseconds(250));
  // Runs `function` on the engine's thread, between two reads, and waits for it: sessions wait meanwhile, so a long
  // dump goes in pieces. FailedPrecondition: the engine does not run.
  absl::Status Call(absl::FunctionRef<void(PeerBook& book)> function);

 private:
  struct Connection;
  struct Listener {
    Descriptor socket;
    bool waits = true;  // for connections
  };
  struct QueuedCall {
    absl::FunctionRef<void(PeerBook&)> function;
    base::Notification* done;
  };

  RoutingEngine(const RoutingOptions& options, std::vector<RoutingObserver*> observers);
  absl::Status Open();
  void Run();
  absl::Time Now() const;
  bool TakeCalls();
  void TakeEvents(absl::Time now);
  void Accept(Listener& listener, absl::Time now);
  void Greet(Descriptor socket, const base::IpAddress& address, uint16_t port, uint32_t scope, absl::Time now);
  void ReadFrom(Connection& connection, absl::Time now);
  void AfterReceive(Connection& connection, absl::Time now);
  // Once its OPEN is there. False: another connection of the neighbour is the one.
  bool Meet(Connection& connection);
  void NoLongerPending(Connection& connection);
  // Sends what waits. False: the connection is gone.
  bool Flush(Connection& connection, absl::Time now);
  void Close(uint64_t number);
  void LoseOldestPending(absl::Time now);
  void WaitFor(Connection& connection, uint32_t events);
  void WaitForConnections(bool wait);
  void Tick(absl::Time now);
  void OnClosed(Connection& connection, const bgp::SessionClosed& closed);
  void StopSessions();
  std::shared_ptr<const RoutingStatus> MakeStatus(bool running);
  void PublishStatus(bool running);

  const RoutingOptions options_;
  const std::vector<RoutingObserver*> observers_;
  std::unique_ptr<PeerBook> book_;
  std::vector<Endpoint> endpoints_;
  uint32_t bgp_identifier_ = 0;
  absl::Time start_;  // by the wall, when the monotonic clock showed start_nanos_
  int64_t start_nanos_ = 0;

  // The thread's.
  std::vector<Listener> listeners_;
  Descriptor epoll_;
  std::unique_ptr<Poller> poller_;
  std::unique_ptr<ConnectionAdmission> admission_;
  std::unique_ptr<BmpListener> bmp_;  // null: without BMP
  absl::flat_hash_map<uint64_t, std::unique_ptr<Connection>> connections_;
  absl::flat_hash_map<base::IpAddress, size_t> pending_of_;
  size_t pending_ = 0;
  uint64_t last_number_ = 0;
  std::unique_ptr<uint8_t[]> buffer_;
  absl::Time now_;
  absl::Time next_tick_ = absl::InfinitePast();
  absl::Time last_tick_ = absl::InfinitePast();
  absl::Time no_tick_before_ = absl::InfinitePast();
  absl::Time listen_again_ = absl::InfiniteFuture();
  std::deque<RoutingEnd> recent_ends_;
  RoutingCounters counters_;

  std::thread thread_;
  std::atomic<bool> stopping_{false};
  std::string stop_text_;  // before stopping_
  std::atomic<std::thread::id> thread_id_{};

  base::Mutex mutex_;
  bool running_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<QueuedCall> calls_ ABSL_GUARDED_BY(mutex_);
  uint64_t statuses_wanted_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t statuses_made_ ABSL_GUARDED_BY(mutex_) = 0;
  std::shared_ptr<const RoutingStatus> status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_ROUTING_ROUTING_ENGINE_H_
