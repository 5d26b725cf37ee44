#include "flowacct/sink/kafka/kafka_sink.h"

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "flowacct/sink/kafka/kafka_producer.h"
#include "flowacct/sink/queue/batch_part.h"

namespace flowacct::sink::kafka {
namespace {

// Kafka's rule for names of topics; what its own begin with is not for values of rows either.
std::string TopicName(absl::string_view text) {
  constexpr size_t kLongest = 249;
  std::string name(text.substr(0, kLongest));
  for (char& c : name) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '_' && c != '-') c = '_';
  }
  if (name.empty() || name == "." || name == ".." || absl::StartsWith(name, "__")) name.insert(0, "flowacct.");
  return name.substr(0, kLongest);
}

class TheSink : public KafkaSink {
 public:
  explicit TheSink(KafkaOptions options) : options_(std::move(options)) {
    producer_options_.connection = options_.connection;
    producer_options_.max_message_octets = options_.message.max_message_octets;
    producer_options_.max_queued_octets = options_.max_queued_octets;
    // Records of one batch are much alike. Who wants another says so.
    auto& properties = producer_options_.connection.properties;
    properties.insert(properties.begin(), {"compression.type", "lz4"});
  }

  // Makes a producer so that what is wrong with the options is told at once.
  absl::Status Start() { return Connect(options_.transactions ? "flowacct" : ""); }

  absl::Status Write(const aggregate::AggregateBatch& batch) override {
    if (closed_) return absl::FailedPreconditionError("kafka: it has been closed");
    sending_ = {};
    absl::Status status = WriteAll(batch);
    if (!status.ok()) {
      // Nothing stays behind; what an unacknowledged message became is not known.
      Disconnect();
      ++counters_.failed_batches;
      return status;
    }
    ++counters_.batches;
    counters_.rows += sending_.rows;
    counters_.messages += sending_.messages;
    counters_.octets += sending_.octets;
    counters_.other_rows += sending_.other_rows;
    return status;
  }

  absl::Status Close() override {
    closed_ = true;
    Disconnect();
    return absl::OkStatus();
  }

  std::string trouble() const override {
    if (sending_.other_rows == 0) return "";
    return absl::StrCat("kafka: rows asked for more than max_topics = ", options_.max_topics, " topics; ",
                        sending_.other_rows, " of the last batch went to ", options_.other_topic);
  }

  const KafkaCounters& counters() const override { return counters_; }

 private:
  absl::Status Connect(const std::string& transactional_id) {
    producer_options_.transactional_id = transactional_id;
    absl::StatusOr<std::unique_ptr<KafkaProducer>> producer = KafkaProducer::New(producer_options_);
    if (!producer.ok()) return producer.status();
    producer_ = *std::move(producer);
    return absl::OkStatus();
  }

  // Which topics there were stays known: it is they that are bounded.
  void Disconnect() {
    for (auto& [address, topic] : topics_) topic.reset();
    other_topic_.reset();
    producer_.reset();
  }

  absl::Status WriteAll(const aggregate::AggregateBatch& batch) {
    if (batch.size() == 0) return absl::OkStatus();
    std::string transactional_id;
    if (options_.transactions) {
      const aggregate::BatchIdentity& identity = batch.identity();
      if (identity.number == 0) {
        return absl::InvalidArgumentError("kafka: transactions need batches that say whose they are");
      }
      const std::string text = queue::BatchText({identity.collector, identity.pipeline, 0, 0});
      transactional_id = absl::StrCat("flowacct/", absl::string_view(text).substr(0, text.size() - 4));
    }
    if (producer_ != nullptr && transactional_id != producer_options_.transactional_id) Disconnect();
    if (producer_ == nullptr) {
      if (absl::Status status = Connect(transactional_id); !status.ok()) return status;
    }
    if (absl::Status status = producer_->Begin(); !status.ok()) return status;
    absl::Status status = queue::ForEachMessage("kafka", options_.message, batch,
                                                [this](const queue::Message& message) { return Send(message); });
    if (!status.ok()) return status;
    return producer_->Commit();
  }

  absl::Status Send(const queue::Message& message) {
    absl::StatusOr<rd_kafka_topic_t*> topic = TopicOf(message);
    if (!topic.ok()) return topic.status();
    ++sending_.messages;
    sending_.rows += message.rows;
    sending_.octets += message.key.size() + message.octets.size();
    return producer_->Send(*topic, message.key, message.octets, queue::kBatchHeader, message.part);
  }

  absl::StatusOr<rd_kafka_topic_t*> TopicOf(const queue::Message& message) {
    KafkaProducer::Topic* topic = &other_topic_;
    if (const auto found = topics_.find(message.address); found != topics_.end()) {
      topic = &found->second;
    } else if (topics_.size() < options_.max_topics) {
      topic = &topics_[message.address];
    } else {
      sending_.other_rows += message.rows;
    }
    if (*topic == nullptr) {
      absl::StatusOr<KafkaProducer::Topic> made =
          producer_->NewTopic(topic == &other_topic_ ? options_.other_topic : TopicName(message.address));
      if (!made.ok()) return made.status();
      *topic = *std::move(made);
    }
    return topic->get();
  }

  const KafkaOptions options_;
  ProducerOptions producer_options_;
  std::unique_ptr<KafkaProducer> producer_;
  absl::flat_hash_map<std::string, KafkaProducer::Topic> topics_;  // by address; null until it is needed
  KafkaProducer::Topic other_topic_;
  KafkaCounters counters_;
  KafkaCounters sending_;  // of the last batch
  bool closed_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<KafkaSink>> NewKafkaSink(KafkaOptions options) {
  if (absl::Status status = queue::CheckMessageOptions("kafka", options.message, options.schema.get()); !status.ok()) {
    return status;
  }
  if (options.message.address.empty()) return absl::InvalidArgumentError("kafka: topic: it needs a name");
  if (options.max_topics == 0) return absl::InvalidArgumentError("kafka: max_topics: at least 1");
  if (options.other_topic.empty() || options.other_topic != TopicName(options.other_topic)) {
    return absl::InvalidArgumentError(absl::StrCat("kafka: other_topic = ", options.other_topic,
                                                   ": letters, digits, \".\", \"_\" and \"-\", 249 at most"));
  }
  if (options.max_queued_octets < options.message.max_message_octets || options.max_queued_octets >> 41 != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("kafka: max_queued = ", options.max_queued_octets, ": at least max_message_size, below 2 TiB"));
  }
  auto sink = std::make_unique<TheSink>(std::move(options));
  if (absl::Status status = sink->Start(); !status.ok()) return status;
  return sink;
}

}  // namespace flowacct::sink::kafka
