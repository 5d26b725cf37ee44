// The sinks that are stores, and the spool before a sink, made of the configuration.
//
// Errors: InvalidArgument with the place in the configuration. Threads: none.

#ifndef FLOWACCT_COLLECTOR_SERVER_STORE_SINKS_H_
#define FLOWACCT_COLLECTOR_SERVER_STORE_SINKS_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/aggregate/aggregator.h"
#include "flowacct/collector/config/config_file.h"
#include "flowacct/collector/spool/spool.h"
#include "flowacct/query/group_store.h"
#include "flowacct/sink/store_sink.h"

namespace flowacct::collector {

bool IsStore(const config::Sink& sink);
// Without opening anything.
absl::Status CheckStore(const config::ConfigFile& file, const config::Sink& sink, const config::Pipeline& pipeline,
                        const aggregate::AggregatorOptions& aggregator);

struct StoreSink {
  std::string kind;  // "sqlite"
  std::string to;    // of a file its path: "/var/lib/flowacct/flows.db"; of servers nothing
  std::unique_ptr<sink::StoreSink> sink;
};
// With a `schema` the table is made and checked at once.
absl::StatusOr<StoreSink> NewStoreSink(const config::ConfigFile& file, const config::Sink& sink,
                                       const config::Pipeline& pipeline, const aggregate::AggregatorOptions& aggregator,
                                       std::shared_ptr<const aggregate::Schema> schema = nullptr);

// What answers questions to such a sink.
absl::StatusOr<std::unique_ptr<query::GroupStore>> OpenStore(const config::Sink& sink);

// Null: the sink has none.
absl::StatusOr<std::shared_ptr<Spool>> OpenSpool(const config::ConfigFile& file, const config::Sink& sink,
                                                 Spools* spools);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_STORE_SINKS_H_
