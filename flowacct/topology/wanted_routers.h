// Routers whose paths somebody misses: those who join records say so, the topology's owner makes the paths.
//
//     wanted->Note(router, /*alternates=*/false);                       // any thread that misses something
//     for (const WantedRouter& w : wanted->Take()) topology.Want(w.router, w.alternates);    // the owner, now and then
//
// Guarantees: what was noted and not refused comes out of Take, a router once a call. Threads: any. Errors: beyond the
// bound notes are refused and counted, and may be made again. Cost: Note a lock, so once a router and snapshot; pending
// a load.

#ifndef FLOWACCT_TOPOLOGY_WANTED_ROUTERS_H_
#define FLOWACCT_TOPOLOGY_WANTED_ROUTERS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "flowacct/base/mutex.h"
#include "flowacct/topology/advertisement.h"

namespace flowacct::topology {

struct WantedRouter {
  NodeKey router;
  bool alternates = false;  // its loop-free alternates, too
};

class WantedRouters {
 public:
  // More than any owner makes paths for (LiveTopologyOptions::max_roots).
  static constexpr size_t kMaxWaiting = 4096;

  explicit WantedRouters(size_t max_waiting = kMaxWaiting) : max_waiting_(max_waiting) {}

  // False: too many wait.
  bool Note(NodeKey router, bool alternates);
  // Whether Take would give something.
  bool pending() const { return pending_.load(std::memory_order_acquire); }
  // All that was noted since the last Take, in ascending order.
  std::vector<WantedRouter> Take();
  uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }

 private:
  const size_t max_waiting_;
  base::Mutex mutex_;
  absl::flat_hash_map<NodeKey, bool> waiting_ ABSL_GUARDED_BY(mutex_);
  std::atomic<bool> pending_{false};
  std::atomic<uint64_t> refused_{0};
};

}  // namespace flowacct::topology

#endif  // FLOWACCT_TOPOLOGY_WANTED_ROUTERS_H_
