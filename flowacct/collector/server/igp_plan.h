// What a configuration says of the inside of the network, understood: options of the service that knows it, with the
// files read, and of the enrichers that ask it.
//
// Ownership: plain values; a factory's enrichers keep the service alive. Threads: any. Errors: InvalidArgument
// "FILE:LINE:COLUMN: what"; of topology files, what is wrong in them behind that. Cost: reads the files.

#ifndef FLOWACCT_COLLECTOR_SERVER_IGP_PLAN_H_
#define FLOWACCT_COLLECTOR_SERVER_IGP_PLAN_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "flowacct/collector/config/config_file.h"
#include "flowacct/collector/igp/igp_service.h"
#include "flowacct/enrich/enricher.h"
#include "flowacct/enrich/igp/igp_enricher.h"

namespace flowacct::collector {

// Of a configuration with `igp`. Its log and note are the caller's to set.
absl::StatusOr<IgpServiceOptions> PlanIgp(const config::ConfigFile& file);
// Whether the one may take the place of the other while the collector runs; an error says what may not.
absl::Status CheckIgpChange(const config::ConfigFile& before, const IgpServiceOptions* options_before,
                            const config::ConfigFile& file, const IgpServiceOptions* options);
absl::StatusOr<enrich::IgpOptions> PlanIgpEnricher(const config::ConfigFile& file, const config::IgpWays& ways,
                                                   const IgpServiceOptions& options);
// Asks `holder` for the service when an enricher is made.
enrich::EnricherFactory IgpFactory(std::shared_ptr<const IgpHolder> holder, enrich::IgpOptions options);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_IGP_PLAN_H_
