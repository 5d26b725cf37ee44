// Whatever a kept link state holds: it is refused, or it is restored, is within its bounds, has routes, and is kept
// again as it is. The input is the body; it is sealed here.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "flowacct/base/sealed_octets.h"
#include "flowacct/lpm/reader_epochs.h"
#include "flowacct/topology/link_state_database.h"
#include "flowacct/topology/live_topology.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace base = flowacct::base;
  namespace topology = flowacct::topology;
  flowacct::lpm::ReaderEpochs epochs;
  topology::LiveTopologyOptions options;
  options.database.max_advertisements = 100;
  options.database.max_history = 100;
  options.reach.max_candidates = 10;
  topology::LiveTopology live(&epochs, options);
  static_cast<void>(live.Restore(base::Octets(data, size), 0));  // not sealed
  const std::string state = base::Seal("link state", 1, base::Octets(data, size));
  if (!live.Restore(base::AsOctets(state), 0).ok()) {
    if (live.database().size() != 0) std::abort();
    return 0;
  }
  if (live.database().size() > 100 || live.database().history().size() > 100) std::abort();
  const topology::TopologyState now = live.database().State();
  for (size_t i = 0; i < std::min<size_t>(now.advertisements().size(), 4); ++i) {
    live.Want(now.advertisements()[i]->key.origin);
  }
  live.Compute(1);
  const std::shared_ptr<const topology::TopologySnapshot> snapshot = live.published()->Get();
  const topology::ReachReader reader(&live.reach());
  for (const auto& [root, paths] : snapshot->roots) {
    for (const topology::TopologyState::Pointer& a : now.advertisements()) {
      for (const topology::AdvertisedPrefix& p : a->prefixes) {
        uint8_t length = 0;
        const topology::RouterRoute route = paths->Find(reader, p.prefix.address(), &length);
        if (route.found() && paths->FirstHopsOf(route).size() > 10'000) std::abort();
      }
    }
  }
  const auto& history = live.database().history();
  if (!history.empty()) {
    const auto before = live.database().StateAt(live.database().history_begin_nanos());
    if (!before) std::abort();
    static_cast<void>(topology::Differences(*before, now));
  }
  const std::string saved = live.Save();
  topology::LinkStateDatabase again(options.database);
  if (!again.Restore(base::AsOctets(saved)).ok() || again.Save() != saved) std::abort();
  return 0;
}
