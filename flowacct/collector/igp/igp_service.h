// The inside of the network as a collector knows it while it runs: IS-IS, files and BGP-LS go in, what enrichers and
// people ask comes out.
//
//     auto service = IgpService::New(options);                   // circuits are open then
//     (*service)->Restore(octets);  (*service)->Start();
//     IgpEnricher::Factory({service->epochs(), &service->reach(), service->published(), service->wanted()}, ...)
//     (*service)->Ask(question);    ... (*service)->Save();       // also after Stop
//
// All sources make one topology (topology/live_topology.h). Where two tell of one router and level, IS-IS counts before
// BGP-LS, BGP-LS before files. What was restored counts until its source tells it again, its lifetime ends, or
// stale_for after its source came back.
// Ownership: owns all; readers of its tables keep it alive. Threads: one of its own, and that of IS-IS; calls from any.
// Errors: of New and Prepare by Status; later ones are counted. Cost: questions make graphs of their own: some 100 ms
// at 10,000 routers, one question at a time; the way of records is not concerned.

#ifndef FLOWACCT_COLLECTOR_IGP_IGP_SERVICE_H_
#define FLOWACCT_COLLECTOR_IGP_IGP_SERVICE_H_

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/base/mutex.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/igp/bgp_ls_feed.h"
#include "flowacct/collector/igp/bgp_ls_topology.h"
#include "flowacct/collector/igp/igp_demands.h"
#include "flowacct/collector/igp/isis_listener.h"
#include "flowacct/collector/routing/routing_observer.h"
#include "flowacct/collector/server/collector_status.h"
#include "flowacct/enrich/igp/igp_exporters.h"
#include "flowacct/isis/instance.h"
#include "flowacct/lpm/reader_epochs.h"
#include "flowacct/topology/live_topology.h"
#include "flowacct/topology/topology_file.h"
#include "flowacct/topology/wanted_routers.h"

namespace flowacct::collector {

// What files tell, read already.
struct IgpFileContents {
  std::vector<topology::Advertisement> advertisements;
  std::vector<topology::GroupMember> groups;
};

struct IgpExporterMap {
  std::shared_ptr<const enrich::IgpExporters> lines = std::make_shared<const enrich::IgpExporters>();
  std::vector<std::string> routers;  // that they name
};

struct IgpCircuit {
  IsisCircuit circuit;
  // All that was said of it: while that is the same the circuit stays over a change.
  std::string said;
};

struct IgpServiceOptions {
  topology::LiveTopologyOptions topology;
  std::optional<isis::InstanceOptions> isis;
  std::vector<IgpCircuit> circuits;
  bool bgp_ls = false;
  BgpLsOptions bgp_ls_options;
  IgpFileContents files;
  IgpExporterMap exporters;
  int64_t stale_for_nanos = 120'000'000'000;
  // Lines for the log: what is wrong, and what is worth to know. From any thread; may be empty.
  std::function<void(absl::string_view)> log, note;
};

class IgpService {
 public:
  // What of a running one is to be otherwise, open and checked: Commit cannot fail any more.
  struct Change {
    std::vector<std::string> gone;  // names of circuits
    std::vector<IsisListener::OpenCircuit> fresh;
    std::vector<std::pair<std::string, std::string>> said;  // of the fresh, by name
    IgpFileContents files;
    IgpExporterMap exporters;
  };

  static absl::StatusOr<std::shared_ptr<IgpService>> New(IgpServiceOptions options);
  ~IgpService();  // stops
  IgpService(const IgpService&) = delete;
  IgpService& operator=(const IgpService&) = delete;

  // Before Start. What was saved then, `octets` of Save; an error leaves it empty.
  absl::Status Restore(base::Octets octets);
  void Start();
  void Stop();

  // For the next start: the topology with its history, and how long each part of it lasts.
  std::string Save() const;
  // Grows with each change of what Save gives.
  uint64_t changes() const;

  absl::StatusOr<Change> Prepare(const IgpServiceOptions& options) const;
  absl::Status Commit(Change change);

  // Of the routing engine, which it outlives; null: BGP-LS is not asked for.
  RoutingObserver* link_state() { return feed_.get(); }

  // For readers.
  lpm::ReaderEpochs* epochs() { return &epochs_; }
  const topology::ReachTable& reach() const;
  std::shared_ptr<const topology::PublishedTopology> published() const { return published_; }
  std::shared_ptr<topology::WantedRouters> wanted() const { return wanted_; }

  IgpStatus Status() const;
  // JSON rows, or for kTopology and kDraw a text.
  absl::StatusOr<std::string> Ask(const IgpQuestion& question) const;

 private:
  enum class Source : uint8_t { kFile, kBgpLs, kIsis };  // who comes later counts more
  struct Owner {
    Source source = Source::kFile;
    bool kept = false;                  // restored, and not told again yet
    int64_t expires_nanos = INT64_MAX;  // of what is kept
  };
  // What was told and is not in the topology yet: the last of each key; null: it is gone.
  using Pending = absl::flat_hash_map<topology::AdvertisementKey, std::optional<topology::Advertisement>>;
  // An adjacency as the log knows it.
  using AdjacencyName = std::pair<isis::CircuitIndex, std::string>;
  struct KnownAdjacency {
    isis::AdjacencyState state = isis::AdjacencyState::kDown;
    std::string text;
  };

  explicit IgpService(IgpServiceOptions options);
  void Run();
  int64_t Now() const;
  void Hear(const isis::Instance& instance, const std::vector<isis::LspChange>& changes);
  void Absorb(Source source, Pending pending, int64_t now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TakeFiles(IgpFileContents files, int64_t now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropStale(int64_t now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Put(Source source, topology::Advertisement advertisement, int64_t now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Drop(Source source, const topology::AdvertisementKey& key, int64_t now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Adjacencies that came and went, for the log; whose level is up, for what is stale.
  void WatchAdjacencies(int64_t now);
  void WatchExporters(int64_t now);
  void Log(absl::string_view line) const;
  void Note(absl::string_view line) const;
  absl::StatusOr<std::string> Neighbors() const;
  absl::StatusOr<topology::TopologyState> StateAt(absl::string_view name, const std::string& at) const;
  // In `demands`, texts that the exporters' map knows become the names of their routers.
  void NameExporters(IgpDemands* demands) const;

  const IgpServiceOptions options_;
  const int64_t start_wall_nanos_, start_steady_nanos_;
  lpm::ReaderEpochs epochs_;
  const std::shared_ptr<topology::WantedRouters> wanted_ = std::make_shared<topology::WantedRouters>();

  mutable base::Mutex question_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);  // one at a time
  mutable base::Mutex mutex_;
  topology::LiveTopology topology_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const topology::PublishedTopology> published_;
  absl::flat_hash_map<topology::AdvertisementKey, Owner> owners_ ABSL_GUARDED_BY(mutex_);
  size_t kept_ ABSL_GUARDED_BY(mutex_) = 0;
  // When what is kept goes: of IS-IS by level, of BGP-LS in the place of level 0.
  std::array<int64_t, 3> stale_at_ ABSL_GUARDED_BY(mutex_) = {INT64_MAX, INT64_MAX, INT64_MAX};
  int64_t next_expiry_ ABSL_GUARDED_BY(mutex_) = INT64_MAX;
  std::map<topology::AdvertisementKey, topology::Advertisement> files_ ABSL_GUARDED_BY(mutex_);
  // What BGP-LS tells, and IS-IS too.
  std::map<topology::AdvertisementKey, topology::Advertisement> behind_ ABSL_GUARDED_BY(mutex_);
  std::vector<topology::GroupMember> groups_ ABSL_GUARDED_BY(mutex_);
  IgpExporterMap exporters_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::string> said_ ABSL_GUARDED_BY(mutex_);  // of circuits, by name
  uint64_t changes_ ABSL_GUARDED_BY(mutex_) = 0, shadowed_ ABSL_GUARDED_BY(mutex_) = 0;
  double spf_seconds_ ABSL_GUARDED_BY(mutex_) = 0, last_spf_seconds_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t wanted_refused_ ABSL_GUARDED_BY(mutex_) = 0;

  // Never with mutex_ held: the listener's thread holds its lock when it comes here.
  mutable base::Mutex queue_mutex_;
  Pending heard_ ABSL_GUARDED_BY(queue_mutex_);  // of IS-IS
  bool bgp_ls_changed_ ABSL_GUARDED_BY(queue_mutex_) = false;
  bool ending_ ABSL_GUARDED_BY(queue_mutex_) = false;

  // Of the thread alone.
  absl::flat_hash_set<topology::NodeKey> roots_;  // whose ways are wanted
  std::map<AdjacencyName, KnownAdjacency> adjacencies_;
  uint64_t checked_serial_ = 0;
  std::vector<std::string> checked_routers_;
  int64_t check_exporters_at_ = INT64_MIN;
  absl::flat_hash_set<std::string> warned_;

  std::unique_ptr<BgpLsFeed> feed_;         // null: no BGP-LS
  std::unique_ptr<IsisListener> listener_;  // null: no IS-IS. Set by New
  std::thread thread_;
};

// Where it is, once there is one: plans are older than it is.
struct IgpHolder {
  std::shared_ptr<IgpService> service;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_IGP_IGP_SERVICE_H_
