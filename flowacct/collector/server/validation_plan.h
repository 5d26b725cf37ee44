// What a configuration says of RPKI, understood.
//
// Ownership: plain values. Threads: any. Errors: InvalidArgument "FILE:LINE:COLUMN: what".

#ifndef FLOWACCT_COLLECTOR_SERVER_VALIDATION_PLAN_H_
#define FLOWACCT_COLLECTOR_SERVER_VALIDATION_PLAN_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "flowacct/collector/config/config_file.h"
#include "flowacct/collector/validation/validation_options.h"

namespace flowacct::collector {

// Of a configuration without `rpki`: the defaults.
absl::StatusOr<ValidationOptions> PlanValidation(const config::ConfigFile& file);

// "FILE:LINE:COLUMN: what" of a pipeline whose key has src_roa or dst_roa, though nothing will fill them; else empty.
std::string ValidationWarning(const config::ConfigFile& file, const config::Pipeline& pipeline,
                              const std::vector<std::string>& keys);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_VALIDATION_PLAN_H_
