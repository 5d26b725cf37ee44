// How flowacct reaches a Kafka cluster: brokers, TLS, SASL and what else librdkafka can be told, checked.
//
// Errors: InvalidArgument with the option, the value and what to do; secrets are in no text.

#ifndef FLOWACCT_SINK_KAFKA_KAFKA_CLIENT_H_
#define FLOWACCT_SINK_KAFKA_KAFKA_CLIENT_H_

#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "flowacct/sink/kafka/kafka_options.h"

namespace flowacct::sink::kafka {

struct DestroyConf {
  void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
};
using Conf = std::unique_ptr<rd_kafka_conf_t, DestroyConf>;

// Checks all but what only a cluster can tell. `with_secrets`: reads these, too; FailedPrecondition if that fails.
// Logs nothing by itself.
absl::StatusOr<Conf> NewConf(const ConnectionOptions& options, bool with_secrets);
// Sets what a user must not.
absl::Status Set(rd_kafka_conf_t* conf, absl::string_view property, absl::string_view value);

// What an error of librdkafka means for who wrote or read; `doing` says what failed.
absl::Status ErrorStatus(rd_kafka_resp_err_t error, absl::string_view doing, absl::string_view text);

}  // namespace flowacct::sink::kafka

#endif  // FLOWACCT_SINK_KAFKA_KAFKA_CLIENT_H_
