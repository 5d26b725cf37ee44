// The inside of a network as files tell of it, for flows to be joined to.
//
//     auto igp = OfflineIgp::Make(*files);
//     IgpEnricher::Factory(igp, igp->igp(), {});
//
// All that the files say counts, whatever the time of a flow. Ownership: owns the topology; enrichers may keep it.
// Threads: igp() for any number of readers. Errors: none. Cost: that of reading the database once more.

#ifndef FLOWACCT_COLLECTOR_IGP_OFFLINE_IGP_H_
#define FLOWACCT_COLLECTOR_IGP_OFFLINE_IGP_H_

#include <memory>

#include "flowacct/enrich/igp/igp_enricher.h"
#include "flowacct/lpm/reader_epochs.h"
#include "flowacct/topology/link_state_database.h"
#include "flowacct/topology/live_topology.h"

namespace flowacct::collector {

class OfflineIgp {
 public:
  static std::shared_ptr<OfflineIgp> Make(const topology::LinkStateDatabase& database);

  // Paths are made by the enrichers.
  enrich::Igp igp() { return {&epochs_, &topology_.reach(), topology_.published(), nullptr}; }

 private:
  explicit OfflineIgp(const topology::LiveTopologyOptions& options) : topology_(&epochs_, options) {}

  lpm::ReaderEpochs epochs_;
  topology::LiveTopology topology_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_IGP_OFFLINE_IGP_H_
