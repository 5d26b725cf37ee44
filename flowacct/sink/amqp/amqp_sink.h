// Writes batches to an exchange of an AMQP 0-9-1 broker (RabbitMQ): each row a record of a persistent message, each
// message confirmed by the broker. README.md has the guarantees.
//
// Standards: AMQP 0-9-1 by librabbitmq; RabbitMQ's extensions confirm.select and connection.blocked.
// Guarantees: a Write that answered OK is confirmed, whole: each message was routed to a queue at least (mandatory),
// and durable queues have it on disk. After an error the broker may have a part of the batch, or all; written again,
// its messages say the same in message-id and in the header flowacct-batch (queue/batch_part.h), by which a reader
// counts each once. Ownership: nothing is borrowed. Threads: one call at a time; one more thread ends a connection that
// hangs. Errors: Unavailable if the broker says nothing for `timeout`; PermissionDenied; ResourceExhausted if it takes
// nothing since its memory or disk is short; FailedPrecondition for an exchange that is not there or has no queue for a
// message, and for texts that ask for what the batch lacks; InvalidArgument for options, and for a record that is
// larger than a message may be. No text has a secret. Cost: see queue/batch_messages.h; a message of a record has some
// 150 octets besides on the wire.

#ifndef FLOWACCT_SINK_AMQP_AMQP_SINK_H_
#define FLOWACCT_SINK_AMQP_AMQP_SINK_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/sink/amqp/connection_options.h"
#include "flowacct/sink/queue/batch_messages.h"
#include "flowacct/sink/sink.h"

namespace flowacct::sink::amqp {

struct AmqpOptions {
  ConnectionOptions connection;
  // It is there already, with queues bound to it. Empty: the default exchange, whose routing keys are names of queues.
  std::string exchange;
  // `address` is the routing key, of which AMQP takes 255 octets; `key` is not used.
  queue::MessageOptions message;
  // Messages that are on their way; a Write waits when there are more.
  uint64_t max_unconfirmed = 10000;
  // If set, the routing key is checked at once, not at the first batch.
  std::shared_ptr<const aggregate::Schema> schema;
};

struct AmqpCounters {
  uint64_t batches = 0;  // that were confirmed
  uint64_t rows = 0;
  uint64_t messages = 0;
  uint64_t octets = 0;
  uint64_t failed_batches = 0;  // Writes that answered an error
  uint64_t connections = 0;
};

class AmqpSink : public Sink {
 public:
  virtual const AmqpCounters& counters() const = 0;
};

// The broker need not be there yet.
absl::StatusOr<std::unique_ptr<AmqpSink>> NewAmqpSink(AmqpOptions options);

}  // namespace flowacct::sink::amqp

#endif  // FLOWACCT_SINK_AMQP_AMQP_SINK_H_
