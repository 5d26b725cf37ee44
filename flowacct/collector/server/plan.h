// What a configuration asks for, understood: options for pipelines, with their tables read, and which input reaches
// which. Made aside, so that a configuration that cannot be changes nothing; shared by all workers.
//
// Pipelines of the same inputs, enrichment and sampling are one group: their records are enriched once.
// Ownership: owns tables and options; immutable. Threads: any. Errors: InvalidArgument "FILE:LINE:COLUMN: what".
// Cost: reads all files that the configuration names.

#ifndef FLOWACCT_COLLECTOR_SERVER_PLAN_H_
#define FLOWACCT_COLLECTOR_SERVER_PLAN_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "flowacct/collector/config/config_file.h"
#include "flowacct/collector/listen/admission.h"
#include "flowacct/collector/replicate/replicator.h"
#include "flowacct/collector/server/igp_plan.h"
#include "flowacct/collector/server/input_decoder.h"
#include "flowacct/collector/server/routing_plan.h"
#include "flowacct/collector/server/session_plan.h"
#include "flowacct/pipeline/pipeline.h"
#include "flowacct/record/custom_fields.h"

namespace flowacct::collector {

struct PipelinePlan {
  std::string name;
  const config::Pipeline* config = nullptr;  // in Plan::file
  pipeline::AggregationOptions aggregation;
};

struct InputPlan {
  const config::Input* config = nullptr;  // in Plan::file
  AdmissionOptions admission;
  bool has_admission = false;
  InputDecoderOptions decoder;
  ReplicatorOptions replication;  // no pools: nothing is replicated
};

struct PipelineGroup {
  // Indices into Plan::pipelines, as options.aggregations; none: what counts the volumes of sessions.
  std::vector<size_t> pipelines;
  std::vector<bool> inputs;  // by index of the configuration's inputs
  pipeline::PipelineOptions options;
};

struct Plan {
  std::shared_ptr<const config::ConfigFile> file;
  std::shared_ptr<const record::CustomFields> custom_fields;  // null: there are none
  std::shared_ptr<const IgpServiceOptions> igp;               // null: there is none
  std::vector<InputPlan> inputs;
  std::vector<PipelinePlan> pipelines;
  std::vector<PipelineGroup> groups;
  std::vector<std::string> warnings;  // of files that are not wrong, but cost; lines for the log

  const config::Config& config() const { return file->message(); }
};

// `routing`, `sessions` and `igp` hold the speaker, the sessions and the service by the time that pipelines are made of
// the plan; null or empty if there is none.
absl::StatusOr<std::shared_ptr<const Plan>> MakePlan(std::shared_ptr<const config::ConfigFile> file,
                                                     std::shared_ptr<const RoutingHolder> routing = nullptr,
                                                     std::shared_ptr<const SessionHolder> sessions = nullptr,
                                                     std::shared_ptr<const IgpHolder> igp = nullptr);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_PLAN_H_
