// The sinks of a pipeline, made of its configuration.

#ifndef FLOWACCT_COLLECTOR_SERVER_PIPELINE_SINKS_H_
#define FLOWACCT_COLLECTOR_SERVER_PIPELINE_SINKS_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/aggregate/aggregator.h"
#include "flowacct/collector/config/config_file.h"
#include "flowacct/collector/server/sink_queue.h"
#include "flowacct/collector/spool/spool.h"

namespace flowacct::collector {

struct PipelineSinks {
  std::vector<std::unique_ptr<SinkQueue>> queues;
  size_t kept_bins = 0;  // for questions
};

// What the configuration asks of sinks, without opening anything: InvalidArgument with the place.
absl::Status CheckPipelineSinks(const config::ConfigFile& file, const config::Pipeline& pipeline,
                                const aggregate::AggregatorOptions& options);
// `log` is told of errors of the sinks while they live. Spools are of `spools`, which outlives the call alone.
absl::StatusOr<PipelineSinks> NewPipelineSinks(const config::ConfigFile& file, const config::Pipeline& pipeline,
                                               const aggregate::AggregatorOptions& options, Spools* spools,
                                               const std::function<void(absl::string_view)>& log);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_PIPELINE_SINKS_H_
