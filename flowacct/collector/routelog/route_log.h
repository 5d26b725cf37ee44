// Logs what BGP neighbours, or routers by BMP, say of routes, and dumps their tables from time to time, as lines of
// JSON in pmacct's shape.
//
//     auto log = RouteLog::New(options);
//     auto engine = RoutingEngine::New(routing, {log->get()});
//     (*log)->Attach(engine);                    // before it starts; then (*engine)->Start()
//     (*log)->Reopen();                          // files were moved away
//     engine->Stop();  (*log)->Close(absl::Seconds(5));
//
// A thread of its own makes the lines and waits for the disk: the engine copies an update's octets into a queue and
// goes on. When the queue is full what comes is dropped and counted, and numbers (seq) are missing in the file, by
// which its readers see it. Dumps are files under other names until they are whole, of each table as route_walk.h sees
// it. Guaranteed: lines of a file in the order of what happened, but for the deletions of a session that ended, which
// are made from its stale routes, and end where routes come anew. Holds at any time: lines that were due = written +
// lost in files + dropped + waiting, but for those deletions. Ownership: outlives the engine as its observers do; where
// a disk never answers the thread is left behind by Close, with what it needs. Threads: observers' calls come from the
// engine's, all else from any. Errors: New tells of a pattern; later ones are counted, and told to on_error when they
// begin. Cost: for the engine 0.7 microseconds an update, and a
// look-up for each route withdrawn; for the thread 0.4 microseconds a line. README.md.

#ifndef FLOWACCT_COLLECTOR_ROUTELOG_ROUTE_LOG_H_
#define FLOWACCT_COLLECTOR_ROUTELOG_ROUTE_LOG_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "flowacct/collector/routelog/route_line.h"
#include "flowacct/collector/routing/routing_engine.h"
#include "flowacct/collector/routing/routing_observer.h"

namespace flowacct::collector {

struct RouteLogOptions {
  // Of what BMP speakers tell; else of BGP sessions.
  bool monitored = false;
  // Patterns of log_file_set.h; empty: none.
  std::string message_log;
  std::string dump;
  // Whole seconds; dumps are made at its multiples.
  absl::Duration dump_every = absl::Minutes(5);
  absl::TimeZone zone = absl::UTCTimeZone();       // of the message log
  absl::TimeZone dump_zone = absl::UTCTimeZone();  // of dumps
  // Messages that wait for the thread: all of a full table that comes at once.
  size_t max_queued_octets = size_t{64} << 20;
  size_t max_open_files = 64;
  // Of a slow disk, an error and its end; on the log's thread, and never once Close has returned. May be empty.
  std::function<void(absl::string_view)> on_error;
};

struct RouteLogCounters {
  uint64_t lines = 0;    // written to the message log
  uint64_t dropped = 0;  // the queue was full
  uint64_t lost = 0;     // for an error of a file
  uint64_t errors = 0;   // of files
  uint64_t open_files = 0;
  uint64_t queued_octets = 0;
  uint64_t dumps = 0;         // that are whole
  uint64_t failed_dumps = 0;  // begun, and given up
  uint64_t dump_lines = 0;    // of the last one
  double dump_seconds = 0;    // that it took
  absl::Time last_dump = absl::InfinitePast();
  std::string last_error;  // that lasts
};

class RouteLog final : public RoutingObserver {
 public:
  // InvalidArgument "message_log: what", "dump: what", "dump_every: what".
  static absl::StatusOr<std::unique_ptr<RouteLog>> New(RouteLogOptions options);
  ~RouteLog() override;  // Close(zero)
  RouteLog(const RouteLog&) = delete;
  RouteLog& operator=(const RouteLog&) = delete;

  void Attach(std::weak_ptr<RoutingEngine> engine);
  void Reopen();
  // Writes what waits for at most `patience`. False: the thread is left behind.
  bool Close(absl::Duration patience);
  RouteLogCounters counters() const;

  void OnUp(const PeerBook::Peer& peer, absl::Time time) override;
  void OnDown(const PeerBook::Peer& peer, absl::Time time) override;
  void OnUpdate(const PeerBook::Peer& peer, const bgp::Update& update, absl::Time time) override;
  void OnRouterUp(const base::IpAddress& router, absl::string_view name, absl::string_view description,
                  absl::Time time) override;
  void OnRouterDown(const base::IpAddress& router, absl::string_view why, absl::Time time) override;
  void OnMonitoredUp(const base::IpAddress& router, const bmp::PeerUp& up, absl::Time time) override;
  void OnMonitoredDown(const base::IpAddress& router, const bmp::PeerDown& down, absl::Time time) override;
  void OnMonitoredUpdate(const base::IpAddress& router, const bmp::RouteUpdate& update, absl::Time time) override;
  void OnStatistics(const base::IpAddress& router, const bmp::StatisticsReport& report, absl::Time time) override;
  void OnTick(absl::Time time) override { TellBegun(); }

 private:
  struct Event;
  class Writer;
  struct Source {
    std::shared_ptr<const RouteSource> told;
    bool in_table = false;
    rib::PeerId id{};  // there
    uint64_t rd = 0;   // of routes that have none of their own
  };
  // Which of a router's tables and neighbours.
  struct MonitoredKey {
    base::IpAddress router;
    base::IpAddress peer;
    uint64_t rd = 0;
    rib::RibView view = rib::RibView::kSession;
    friend bool operator==(const MonitoredKey& a, const MonitoredKey& b) {
      return a.router == b.router && a.peer == b.peer && a.rd == b.rd && a.view == b.view;
    }
    template <typename H>
    friend H AbslHashValue(H h, const MonitoredKey& k) {
      return H::combine(std::move(h), k.router, k.peer, k.rd, k.view);
    }
  };

  explicit RouteLog(RouteLogOptions options);
  bool Concerns(const PeerBook::Peer& peer) const;
  bool LogsMonitored() const { return options_.monitored && !options_.message_log.empty(); }
  static MonitoredKey KeyOf(const base::IpAddress& router, const base::IpAddress& peer, uint64_t rd, rib::RibView view);
  static MonitoredKey KeyOf(const PeerBook::Peer& peer);
  // The session's port is known only after OnUp.
  void TellBegun();
  void TellUpdate(const Source& source, const bgp::Update& update, absl::Time time, absl::Time router_time);
  void TellRouterBegins(const base::IpAddress& router, absl::Time time);
  Source MonitoredSource(const MonitoredKey& key) const;
  // Lines that begin alike, without their beginning.
  void TellLines(const base::IpAddress& router, std::string lines, absl::Time time);

  const RouteLogOptions options_;
  const std::shared_ptr<Writer> writer_;
  std::thread thread_;

  // The engine's thread's.
  const rib::Rib* rib_ = nullptr;
  std::vector<std::pair<const PeerBook::Peer*, absl::Time>> begun_;  // not told yet
  absl::flat_hash_map<uint32_t, Source> sessions_;                   // by rib::PeerId
  absl::flat_hash_map<MonitoredKey, Source> monitored_;              // that are in the table, which bounds them
  absl::flat_hash_set<MonitoredKey> filtered_;                       // Loc-RIBs, up, of which not all is told
  absl::flat_hash_map<base::IpAddress, std::shared_ptr<const RouteSource>> routers_;  // that are connected
  std::vector<uint8_t> attributes_;                                                   // scratch
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_ROUTELOG_ROUTE_LOG_H_
