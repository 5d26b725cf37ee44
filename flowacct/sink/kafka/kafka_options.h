// Which Kafka cluster, and how to get in.

#ifndef FLOWACCT_SINK_KAFKA_KAFKA_OPTIONS_H_
#define FLOWACCT_SINK_KAFKA_KAFKA_OPTIONS_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "flowacct/sink/queue/secret.h"

namespace flowacct::sink::kafka {

struct ConnectionOptions {
  // Some of the cluster's brokers; it tells the others: "kafka1.example:9092,kafka2.example:9092".
  std::string brokers;

  bool tls = false;
  std::string ca_file;           // empty: the system's authorities
  std::string certificate_file;  // with key_file: whom we are
  std::string key_file;
  queue::Secret key_password;

  // PLAIN, SCRAM-SHA-256, SCRAM-SHA-512; empty: none. PLAIN needs TLS, since it sends the password as it is.
  std::string sasl_mechanism;
  std::string user;
  queue::Secret password;

  // A cluster that acknowledges nothing for so long is given up.
  absl::Duration timeout = absl::Seconds(30);

  // What librdkafka knows besides: {"compression.type", "zstd"}. Those that would break what is promised here, that
  // have an option of their own, or that would hold a secret, are refused.
  std::vector<std::pair<std::string, std::string>> properties;
};

}  // namespace flowacct::sink::kafka

#endif  // FLOWACCT_SINK_KAFKA_KAFKA_OPTIONS_H_
