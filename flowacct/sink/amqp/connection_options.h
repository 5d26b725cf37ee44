// Which AMQP broker, and how to get in.

#ifndef FLOWACCT_SINK_AMQP_CONNECTION_OPTIONS_H_
#define FLOWACCT_SINK_AMQP_CONNECTION_OPTIONS_H_

#include <string>

#include "absl/time/time.h"
#include "flowacct/sink/queue/secret.h"

namespace flowacct::sink::amqp {

struct ConnectionOptions {
  // Tried one after the other: "rabbit1.example,rabbit2.example:5673,[2001:db8::1]:5672". The port is 5672, with TLS
  // 5671.
  std::string brokers;
  std::string vhost = "/";
  std::string user = "guest";  // whom RabbitMQ lets in from its own machine alone
  queue::Secret password;      // none: as `user`, as RabbitMQ's guest has it

  bool tls = false;
  std::string ca_file;           // empty: the system's authorities
  std::string certificate_file;  // with key_file: whom we are
  std::string key_file;

  // A broker that confirms nothing for so long is given up.
  absl::Duration timeout = absl::Seconds(30);
  // What we ask for; the broker may want it shorter. Seen while a batch is written; between batches a connection that
  // was lost is replaced without a word. 0: none.
  absl::Duration heartbeat = absl::Seconds(30);
};

}  // namespace flowacct::sink::amqp

#endif  // FLOWACCT_SINK_AMQP_CONNECTION_OPTIONS_H_
