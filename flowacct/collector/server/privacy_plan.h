// What a configuration says of privacy, understood.
//
// Threads: any. Errors: InvalidArgument "FILE:LINE:COLUMN: what"; the secret is in none.

#ifndef FLOWACCT_COLLECTOR_SERVER_PRIVACY_PLAN_H_
#define FLOWACCT_COLLECTOR_SERVER_PRIVACY_PLAN_H_

#include "absl/status/statusor.h"
#include "flowacct/collector/config/config_file.h"
#include "flowacct/enrich/enricher.h"

namespace flowacct::collector {

// Null if there is nothing to hide.
absl::StatusOr<enrich::EnricherFactory> PlanPrivacy(const config::ConfigFile& file, const config::Pipeline& pipeline);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_PRIVACY_PLAN_H_
