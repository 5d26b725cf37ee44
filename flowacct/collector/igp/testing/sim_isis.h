// Routers of IS-IS that a test makes: r1 to rN in a line, the first with its end of a GRE tunnel to the test's own.
//
//     SimIsis network(3, "127.0.0.2", "127.0.0.1");    // in a network namespace of the test's own
//     network.SetPrefixes(3, 5);                        // r3 then has 10.3.0.0/24 to 10.3.4.0/24
//     network.SetLink(2, false);                        // r2 and r3 do not hear one another any more
//
// Router n is 0000.0000.00nn in area 49.0001, of both levels; links cost 10, prefixes 10 more (isis/testing). Threads:
// one of its own; calls from any. Not for products.

#ifndef FLOWACCT_COLLECTOR_IGP_TESTING_SIM_ISIS_H_
#define FLOWACCT_COLLECTOR_IGP_TESTING_SIM_ISIS_H_

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "flowacct/base/mutex.h"
#include "flowacct/collector/igp/circuit_socket.h"
#include "flowacct/collector/listen/poller.h"
#include "flowacct/isis/testing/sim_router.h"

namespace flowacct::collector {

class SimIsis {
 public:
  SimIsis(int routers, const std::string& local, const std::string& remote);
  ~SimIsis();
  SimIsis(const SimIsis&) = delete;
  SimIsis& operator=(const SimIsis&) = delete;

  void SetPrefixes(int router, int prefixes);
  // Of `router` to the next one; 0: the tunnel.
  void SetLink(int router, bool up);

 private:
  void Run();

  base::Mutex mutex_;
  std::vector<isis::testing::SimRouter> routers_ ABSL_GUARDED_BY(mutex_);
  std::set<int> down_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<CircuitSocket> tunnel_;
  std::unique_ptr<Poller> poller_;
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_IGP_TESTING_SIM_ISIS_H_
