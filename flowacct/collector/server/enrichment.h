// The enrichers that a configuration asks for, with their tables read: a file that several pipelines name is read once.
//
// Their order: sessions, routes, the IGP, networks, GeoIP databases, services, rules, so that rules may ask for all
// that is known by then. The scaling of sampled counters comes after them (pipeline.h), as rules may set a rate.
//
// Ownership: borrows the configuration; what it makes owns its tables. Threads: one at a time.
// Errors: InvalidArgument with the place in the configuration, then that in the file that is wrong.
// Cost: reads each file whole, but databases, which are mapped.

#ifndef FLOWACCT_COLLECTOR_SERVER_ENRICHMENT_H_
#define FLOWACCT_COLLECTOR_SERVER_ENRICHMENT_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "flowacct/collector/config/config_file.h"
#include "flowacct/collector/server/igp_plan.h"
#include "flowacct/collector/server/routing_plan.h"
#include "flowacct/collector/server/session_plan.h"
#include "flowacct/enrich/enricher.h"
#include "flowacct/enrich/geoip/geo_database.h"
#include "flowacct/enrich/networks.h"
#include "flowacct/enrich/rules/rules.h"
#include "flowacct/enrich/services.h"
#include "flowacct/pipeline/pipeline.h"
#include "flowacct/record/custom_fields.h"

namespace flowacct::collector {

class Enrichment {
 public:
  // `custom`: fields that rules may name beside the registry's; may be null. `igp_options`: null without `igp`. All
  // outlive it.
  Enrichment(const config::ConfigFile* file, const record::CustomFields* custom,
             std::shared_ptr<const RoutingHolder> routing, std::shared_ptr<const SessionHolder> sessions,
             std::shared_ptr<const IgpHolder> igp, const IgpServiceOptions* igp_options)
      : file_(*file),
        custom_(custom),
        routing_(std::move(routing)),
        sessions_(std::move(sessions)),
        igp_(std::move(igp)),
        igp_options_(igp_options) {}

  // In the order in which they apply, for the options of the pipeline that has them. `counts_volumes`: of all
  // enrichers that see the same records these sum the sessions' volumes.
  absl::StatusOr<std::vector<enrich::EnricherFactory>> Make(const config::Enrich& enrich,
                                                            const pipeline::PipelineOptions& options,
                                                            bool counts_volumes);
  // What whoever wrote the files should know though nothing is wrong, a line each.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  // By path; of rules by all their paths.
  template <typename Table>
  using Known = absl::flat_hash_map<std::string, std::shared_ptr<const Table>>;

  absl::StatusOr<std::shared_ptr<const enrich::Networks>> ReadNetworks(const config::Networks& networks);
  absl::StatusOr<std::shared_ptr<const enrich::GeoDatabase>> OpenGeoDatabase(const config::Enrich& enrich, int index);
  absl::StatusOr<std::shared_ptr<const enrich::Services>> ReadServices(const config::Enrich& enrich);
  absl::StatusOr<std::shared_ptr<const enrich::Rules>> ReadRules(const config::Rules& rules);

  const config::ConfigFile& file_;
  const record::CustomFields* const custom_;
  const std::shared_ptr<const RoutingHolder> routing_;
  const std::shared_ptr<const SessionHolder> sessions_;
  const std::shared_ptr<const IgpHolder> igp_;
  const IgpServiceOptions* const igp_options_;
  Known<enrich::Networks> networks_;
  Known<enrich::GeoDatabase> databases_;
  Known<enrich::Services> services_;
  Known<enrich::Rules> rules_;
  std::vector<std::string> warnings_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_ENRICHMENT_H_
