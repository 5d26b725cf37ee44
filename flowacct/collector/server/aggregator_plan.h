// What a pipeline of a configuration sums, understood: its groups, values and bins, and the fields that the
// configuration names.
//
// Threads: any. Errors: InvalidArgument "FILE:LINE:COLUMN: what".

#ifndef FLOWACCT_COLLECTOR_SERVER_AGGREGATOR_PLAN_H_
#define FLOWACCT_COLLECTOR_SERVER_AGGREGATOR_PLAN_H_

#include <memory>

#include "absl/status/statusor.h"
#include "flowacct/aggregate/aggregator.h"
#include "flowacct/collector/config/config_file.h"
#include "flowacct/record/custom_fields.h"

namespace flowacct::collector {

// Null: it names none.
absl::StatusOr<std::shared_ptr<const record::CustomFields>> PlanCustomFields(const config::ConfigFile& file);

absl::StatusOr<aggregate::AggregatorOptions> PlanAggregator(const config::ConfigFile& file,
                                                            const config::Pipeline& pipeline,
                                                            std::shared_ptr<const record::CustomFields> custom);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_AGGREGATOR_PLAN_H_
