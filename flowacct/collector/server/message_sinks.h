// The sinks that hand rows on as messages, to brokers and into files, made of the configuration.
//
// Errors: InvalidArgument with the place in the configuration. Threads: none.

#ifndef FLOWACCT_COLLECTOR_SERVER_MESSAGE_SINKS_H_
#define FLOWACCT_COLLECTOR_SERVER_MESSAGE_SINKS_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "flowacct/aggregate/aggregator.h"
#include "flowacct/collector/config/config_file.h"
#include "flowacct/collector/server/named_sink.h"

namespace flowacct::collector {

bool IsMessageSink(const config::Sink& sink);
// Also of the texts with fields in them; without asking a broker.
absl::StatusOr<NamedSink> NewMessageSink(const config::ConfigFile& file, const config::Sink& sink,
                                         const aggregate::AggregatorOptions& aggregator);
absl::Status CheckMessageSink(const config::ConfigFile& file, const config::Sink& sink,
                              const aggregate::AggregatorOptions& aggregator);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_MESSAGE_SINKS_H_
