// The export sinks of a pipeline, one a receiver, made of its configuration.
//
// Errors: InvalidArgument with the place in the configuration. Threads: none of its own, but a transport's of TCP and
// TLS for each receiver.

#ifndef FLOWACCT_COLLECTOR_SERVER_EXPORT_SINKS_H_
#define FLOWACCT_COLLECTOR_SERVER_EXPORT_SINKS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "flowacct/aggregate/aggregator.h"
#include "flowacct/collector/config/config_file.h"
#include "flowacct/sink/sink.h"

namespace flowacct::collector {

// Without opening anything.
absl::Status CheckExport(const config::ConfigFile& file, const config::Export& exports,
                         const aggregate::AggregatorOptions& aggregator);

struct ExportSinkTo {
  std::string to;  // "udp://192.0.2.1:4739"
  std::unique_ptr<sink::Sink> sink;
};
// Each receiver gets everything, whatever becomes of the others.
absl::StatusOr<std::vector<ExportSinkTo>> NewExportSinks(const config::ConfigFile& file, const config::Export& exports,
                                                         const aggregate::AggregatorOptions& aggregator);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_EXPORT_SINKS_H_
