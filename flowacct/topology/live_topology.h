// The topology as it lives: advertisements go in, and what readers need of it comes out, as seldom as a storm allows.
//
//     LiveTopology topology(&epochs);
//     topology.Apply(advertisement, now);  ...  topology.Advance(now);    // one thread; NextTime() tells when
//     TopologyReader reader(topology.published());                        // each reader; reader.Meet() once a batch
//
// Prefixes change at once (topology/reach_table.h); nodes, links, names and addresses when RFC 8405's back-off says so,
// all together, as a new snapshot. Guarantees: a snapshot is all of one moment, but for the paths of routers that were
// wanted later, which are of its graphs too. Ownership: `epochs` outlives it; snapshots are shared. Threads: one at a
// time; published() and snapshots for any. Errors: bounds are counted where they are; Restore by absl::Status. Cost: a
// change of prefixes some microseconds; of links, at 10,000 nodes and 40,000 links, some 10 ms for the graphs, and for
// each router that is wanted what its changed paths cost. Memory: see docs of each part; some 0.4 MiB a wanted router
// at that size.

#ifndef FLOWACCT_TOPOLOGY_LIVE_TOPOLOGY_H_
#define FLOWACCT_TOPOLOGY_LIVE_TOPOLOGY_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "flowacct/base/mutex.h"
#include "flowacct/base/octets.h"
#include "flowacct/lpm/reader_epochs.h"
#include "flowacct/topology/advertisement.h"
#include "flowacct/topology/link_state_database.h"
#include "flowacct/topology/protection.h"
#include "flowacct/topology/reach_table.h"
#include "flowacct/topology/router_directory.h"
#include "flowacct/topology/router_paths.h"
#include "flowacct/topology/spf_backoff.h"
#include "flowacct/topology/topology_state.h"

namespace flowacct::topology {

struct LiveTopologyOptions {
  LinkStateDatabaseOptions database;
  ReachTableOptions reach;
  SpfBackoffOptions backoff;
  // Routers whose paths are kept ready: those that export flows. Each costs as much memory as 10,000 nodes take in a
  // graph, and a share of every computation.
  size_t max_roots = 512;
  // Those whose loop-free alternates are kept, too: each costs a shortest path calculation a neighbour at every change
  // (some 5 ms and 0.2 MiB at 10,000 nodes), which are made one router an Advance.
  size_t max_alternate_roots = 64;
};

// A router's loop-free alternates in each graph that it is in.
struct RouterAlternates {
  TopologyGraphs graphs;
  std::array<std::unique_ptr<const LoopFreeAlternates>, TopologyGraphs::kCount> of_graph;  // null: it is not in it

  RouterAlternates(TopologyGraphs its_graphs, NodeKey router);
};

struct TopologySnapshot {
  uint64_t serial = 0;
  int64_t time_nanos = 0;
  TopologyState state;
  TopologyGraphs graphs;
  std::shared_ptr<const RouterDirectory> directory;  // never null
  absl::flat_hash_map<NodeKey, std::shared_ptr<const RouterPaths>> roots;
  // Those that were wanted and are ready.
  absl::flat_hash_map<NodeKey, std::shared_ptr<const RouterAlternates>> alternates;

  // Null: it was not wanted.
  const RouterPaths* PathsOf(NodeKey root) const {
    const auto it = roots.find(root);
    return it == roots.end() ? nullptr : it->second.get();
  }
};

class PublishedTopology {
 public:
  std::shared_ptr<const TopologySnapshot> Get() const {
    base::MutexLock lock(&mutex_);
    return snapshot_;
  }
  // Of what Get returns, or of what it just returned before; 0: nothing is there.
  uint64_t serial() const { return serial_.load(std::memory_order_acquire); }

 private:
  friend class LiveTopology;
  void Publish(std::shared_ptr<const TopologySnapshot> snapshot) {
    base::MutexLock lock(&mutex_);
    serial_.store(snapshot->serial, std::memory_order_release);
    // The one before goes after the lock, with the argument.
    snapshot_.swap(snapshot);
  }

  mutable base::Mutex mutex_;
  std::shared_ptr<const TopologySnapshot> snapshot_ ABSL_GUARDED_BY(mutex_);
  std::atomic<uint64_t> serial_{0};
};

// One thread's look at what is published: a load a batch while nothing is new.
class TopologyReader {
 public:
  explicit TopologyReader(std::shared_ptr<const PublishedTopology> published) : published_(std::move(published)) {}

  // The snapshot of the moment, until the next Meet; null: there is none yet.
  const TopologySnapshot* Meet() {
    const uint64_t serial = snapshot_ == nullptr ? 0 : snapshot_->serial;
    if (published_->serial() != serial) snapshot_ = published_->Get();
    return snapshot_.get();
  }

 private:
  std::shared_ptr<const PublishedTopology> published_;
  std::shared_ptr<const TopologySnapshot> snapshot_;
};

class LiveTopology {
 public:
  explicit LiveTopology(lpm::ReaderEpochs* epochs, LiveTopologyOptions options = {});

  // False: nothing changed, or a bound forbade it.
  bool Apply(Advertisement advertisement, int64_t time_nanos);
  bool Remove(const AdvertisementKey& key, int64_t time_nanos);
  // The paths of that router are ready from the next snapshot on, which comes with the next Advance. False: there are
  // max_roots. `alternates`: its loop-free alternates, too, some snapshots later; beyond max_alternate_roots there are
  // none.
  bool Want(NodeKey root, bool alternates = false);
  void Unwant(NodeKey root);

  // True: there is a new snapshot.
  bool Advance(int64_t time_nanos);
  // Makes a snapshot now, whatever the back-off says: for files, tests, and before questions are answered.
  void Compute(int64_t time_nanos);
  int64_t NextTime() const { return wanted_changed_ || alternates_due_ ? INT64_MIN : backoff_.NextTime(); }

  std::string Save() const { return database_.Save(); }
  // Of an empty topology; a snapshot comes with it.
  absl::Status Restore(base::Octets octets, int64_t time_nanos);

  const LinkStateDatabase& database() const { return database_; }
  const ReachTable& reach() const { return reach_; }
  const SpfBackoff& backoff() const { return backoff_; }
  std::shared_ptr<const PublishedTopology> published() const { return published_; }
  // Snapshots made since the beginning.
  uint64_t computations() const { return serial_; }
  // Want of alternates that max_alternate_roots forbade.
  uint64_t alternates_refused() const { return alternates_refused_; }

 private:
  void Publish(int64_t time_nanos);
  bool Took(const std::optional<TopologyChange>& change, int64_t time_nanos);
  // The alternates of one more router that has none of these graphs. False: all have.
  bool MakeAlternates();

  LiveTopologyOptions options_;
  LinkStateDatabase database_;
  ReachTable reach_;
  SpfBackoff backoff_;
  std::array<bool, 3> graph_changed_{true, true, true};  // of each level, since the last snapshot
  bool directory_changed_ = true;
  bool wanted_changed_ = false;
  bool alternates_due_ = false;
  uint64_t serial_ = 0;
  TopologyState state_;  // that the graphs are of
  TopologyGraphs graphs_;
  std::shared_ptr<const RouterDirectory> directory_ = std::make_shared<const RouterDirectory>();
  absl::flat_hash_map<NodeKey, std::shared_ptr<const RouterPaths>> roots_;            // null: not computed yet
  absl::flat_hash_map<NodeKey, std::shared_ptr<const RouterAlternates>> alternates_;  // null, or of older graphs
  uint64_t alternates_refused_ = 0;
  std::shared_ptr<PublishedTopology> published_ = std::make_shared<PublishedTopology>();
};

}  // namespace flowacct::topology

#endif  // FLOWACCT_TOPOLOGY_LIVE_TOPOLOGY_H_
