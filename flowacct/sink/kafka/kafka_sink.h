// Writes batches into topics of Kafka: each row a record of a message, each message acknowledged by all brokers that
// keep it. README.md has the guarantees.
//
// Standards: Kafka's protocol by librdkafka, idempotent producer (KIP-98), brokers 0.11 and later.
// Guarantees: a Write that answered OK is acknowledged (acks=all), whole. After an error nothing of the batch is left
// in the producer, but the brokers may have a part of it, or all; written again, its messages say the same in their
// header flowacct-batch (queue/batch_part.h), by which a reader counts each once. With `transactions` a reader of
// committed messages sees each write of a batch whole or not at all. Ownership: nothing is borrowed. Threads: one call
// at a time; librdkafka has its own. Errors: Unavailable if the cluster acknowledges nothing for `timeout`;
// PermissionDenied; FailedPrecondition for a topic that is not there, texts that ask for what the batch lacks, or
// another writer with our transactional id; InvalidArgument for options, and for a record that is larger than a message
// may be. No text has a secret. Cost: see queue/batch_messages.h; a message takes its octets and some 250 more while it
// waits for its acknowledgement.

#ifndef FLOWACCT_SINK_KAFKA_KAFKA_SINK_H_
#define FLOWACCT_SINK_KAFKA_KAFKA_SINK_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/sink/kafka/kafka_options.h"
#include "flowacct/sink/queue/batch_messages.h"
#include "flowacct/sink/sink.h"

namespace flowacct::sink::kafka {

struct KafkaOptions {
  ConnectionOptions connection;
  // `address` is the topic. What no topic's name may have (all but letters, digits, ".", "_", "-") becomes "_".
  queue::MessageOptions message;
  // A batch is a transaction, whose id is flowacct/COLLECTOR/PIPELINE. Readers with isolation.level=read_committed see
  // it whole; it costs three round trips a batch.
  bool transactions = false;
  // Of messages that wait for their acknowledgement; a Write waits when there are more.
  size_t max_queued_octets = size_t{64} << 20;
  // Topics that are made of values of rows: a stranger can make them many, and each costs the cluster something. Rows
  // beyond go to `other_topic`, and `trouble` tells.
  size_t max_topics = 1000;
  std::string other_topic = "flowacct.other";
  // If set, topic and key are checked at once, not at the first batch.
  std::shared_ptr<const aggregate::Schema> schema;
};

struct KafkaCounters {
  uint64_t batches = 0;  // that were acknowledged
  uint64_t rows = 0;
  uint64_t messages = 0;
  uint64_t octets = 0;          // of keys and messages
  uint64_t failed_batches = 0;  // Writes that answered an error
  uint64_t other_rows = 0;      // that went to other_topic
};

class KafkaSink : public Sink {
 public:
  virtual const KafkaCounters& counters() const = 0;
};

// The cluster need not be there yet.
absl::StatusOr<std::unique_ptr<KafkaSink>> NewKafkaSink(KafkaOptions options);

}  // namespace flowacct::sink::kafka

#endif  // FLOWACCT_SINK_KAFKA_KAFKA_SINK_H_
