// Publishes export datagrams into a topic, as kafka_datagram.h has them, for other collectors to account.
//
// Guarantees: each datagram that was taken is there once, in its exporter's order, or is counted as lost (idempotent
// producer, acks=all). It never waits: what comes while `max_queued_octets` wait is dropped and counted, as a network
// would. Ownership: copies. Threads: one call at a time; librdkafka has its own. Errors: of options, InvalidArgument;
// later ones are counted and in trouble(). Cost: a copy and some 600 ns a datagram.

#ifndef FLOWACCT_COLLECTOR_KAFKA_DATAGRAM_PUBLISHER_H_
#define FLOWACCT_COLLECTOR_KAFKA_DATAGRAM_PUBLISHER_H_

#include <librdkafka/rdkafka.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "flowacct/record/datagram.h"
#include "flowacct/sink/kafka/kafka_options.h"

namespace flowacct::collector {

struct DatagramPublisherOptions {
  sink::kafka::ConnectionOptions connection;  // `timeout`: how long a datagram may wait for its acknowledgement
  std::string topic;
  size_t max_queued_octets = size_t{64} << 20;
};

struct DatagramPublisherCounters {
  uint64_t datagrams = 0;  // = acknowledged + dropped + lost + what waits
  uint64_t octets = 0;
  uint64_t acknowledged = 0;
  uint64_t dropped = 0;  // there was no room
  uint64_t lost = 0;     // refused, or not acknowledged in time
};

class DatagramPublisher {
 public:
  static absl::StatusOr<std::unique_ptr<DatagramPublisher>> New(DatagramPublisherOptions options);
  // What waits is lost: Close comes before.
  ~DatagramPublisher();
  DatagramPublisher(const DatagramPublisher&) = delete;
  DatagramPublisher& operator=(const DatagramPublisher&) = delete;

  void Publish(absl::Span<const record::Datagram> datagrams);
  // Takes in what became of them. Publish does so too; to be called once a second where nothing comes.
  void Tick();
  // Until all is acknowledged, no longer than `patience`. Returns whether it is.
  bool Close(absl::Duration patience);

  const DatagramPublisherCounters& counters() const { return counters_; }
  uint64_t waiting() const { return counters_.datagrams - counters_.acknowledged - counters_.dropped - counters_.lost; }
  // Empty: all is well.
  const std::string& trouble() const { return trouble_; }

 private:
  DatagramPublisher() = default;
  static void OnDelivery(rd_kafka_t* kafka, const rd_kafka_message_t* message, void* self);
  static void OnError(rd_kafka_t* kafka, int error, const char* reason, void* self);

  rd_kafka_t* kafka_ = nullptr;
  rd_kafka_topic_t* topic_ = nullptr;
  DatagramPublisherCounters counters_;
  std::string trouble_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_KAFKA_DATAGRAM_PUBLISHER_H_
