#include "flowacct/collector/igp/offline_igp.h"

namespace flowacct::collector {

std::shared_ptr<OfflineIgp> OfflineIgp::Make(const topology::LinkStateDatabase& database) {
  topology::LiveTopologyOptions options;
  options.database.style = database.style();
  // The files' own bounds have bitten already.
  options.database.max_advertisements = database.size() + 1;
  options.database.max_octets = 2 * database.octets() + 1;
  options.database.max_history = 0;
  const std::shared_ptr<OfflineIgp> igp(new OfflineIgp(options));
  const topology::TopologyState state = database.State();
  for (const topology::TopologyState::Pointer& advertisement : state.advertisements()) {
    igp->topology_.Apply(*advertisement, 0);
  }
  igp->topology_.Compute(0);
  return igp;
}

}  // namespace flowacct::collector
