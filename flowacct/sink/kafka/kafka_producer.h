// A producer of librdkafka that sends, waits for acknowledgements, and is thrown away after an error.
//
// Threads: one call at a time. Errors: as kafka_sink.h; after one, nothing but the destructor is to be called, which
// gives up what waits.

#ifndef FLOWACCT_SINK_KAFKA_KAFKA_PRODUCER_H_
#define FLOWACCT_SINK_KAFKA_KAFKA_PRODUCER_H_

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "flowacct/sink/kafka/kafka_options.h"

namespace flowacct::sink::kafka {

struct ProducerOptions {
  ConnectionOptions connection;
  size_t max_message_octets = 1000000;
  size_t max_queued_octets = size_t{64} << 20;
  std::string transactional_id;  // empty: no transactions
};

class KafkaProducer {
 public:
  struct DestroyTopic {
    void operator()(rd_kafka_topic_t* topic) const { rd_kafka_topic_destroy(topic); }
  };
  using Topic = std::unique_ptr<rd_kafka_topic_t, DestroyTopic>;

  // Reads the secrets, checks all options, and connects to nothing yet.
  static absl::StatusOr<std::unique_ptr<KafkaProducer>> New(const ProducerOptions& options);
  ~KafkaProducer();
  KafkaProducer(const KafkaProducer&) = delete;
  KafkaProducer& operator=(const KafkaProducer&) = delete;

  // Topics go before the producer.
  absl::StatusOr<Topic> NewTopic(const std::string& name);

  // A batch: Begin, Send..., Commit, which waits until all is acknowledged. Without transactions Begin does nothing.
  absl::Status Begin();
  // `header_value` empty: without a header. Copies; waits while the queue is full.
  absl::Status Send(rd_kafka_topic_t* topic, absl::string_view key, absl::string_view octets,
                    absl::string_view header_name, absl::string_view header_value);
  absl::Status Commit();

  // Messages that are not acknowledged yet.
  uint64_t outstanding() const { return sent_ - done_; }

 private:
  explicit KafkaProducer(const ProducerOptions& options)
      : timeout_(options.connection.timeout), transactional_(!options.transactional_id.empty()) {}
  static void OnDelivery(rd_kafka_t* kafka, const rd_kafka_message_t* message, void* self);
  static void OnError(rd_kafka_t* kafka, int error, const char* reason, void* self);
  void Serve(absl::Duration wait);
  // What failed, or that nothing was heard for too long.
  absl::Status Check(absl::string_view doing);
  absl::Status Failed(rd_kafka_resp_err_t error, absl::string_view doing, absl::string_view text);
  absl::Status Take(rd_kafka_error_t* error, absl::string_view doing);

  const absl::Duration timeout_;
  const bool transactional_;
  rd_kafka_t* kafka_ = nullptr;
  bool initialized_ = false;     // transactions
  bool in_transaction_ = false;  // begun, neither committed nor known to be over
  bool reachable_ = true;        // the last error was an answer
  uint64_t sent_ = 0;
  uint64_t done_ = 0;
  absl::Time last_heard_;
  rd_kafka_resp_err_t failed_ = RD_KAFKA_RESP_ERR_NO_ERROR;  // of the first message that was not taken
  rd_kafka_resp_err_t client_error_ = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::string client_error_text_;
};

}  // namespace flowacct::sink::kafka

#endif  // FLOWACCT_SINK_KAFKA_KAFKA_PRODUCER_H_
