#include "flowacct/collector/server/message_sinks.h"

#include <cstdlib>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "flowacct/base/interner.h"
#include "flowacct/message/record_encoder.h"
#include "flowacct/sink/amqp/amqp_sink.h"
#include "flowacct/sink/file/file_sink.h"
#include "flowacct/sink/kafka/kafka_sink.h"
#include "flowacct/sink/queue/batch_messages.h"
#include "flowacct/sink/queue/secret.h"

namespace flowacct::collector {
namespace {

using config::ConfigFile;

message::RecordFormat FormatOf(config::RecordFormat format) {
  switch (format) {
    case config::PROTOBUF:
      break;
    case config::JSON_RECORD:
      return message::RecordFormat::kJson;
    case config::CSV_RECORD:
      return message::RecordFormat::kCsv;
    case config::AVRO:
      return message::RecordFormat::kAvro;
  }
  return message::RecordFormat::kProtobuf;
}

sink::queue::Secret SecretOf(const std::string& file, const char* variable, bool needed) {
  if (!file.empty()) return {file, ""};
  if (needed || std::getenv(variable) != nullptr) return {"", variable};
  return {};
}

// What Kafka and AMQP are told alike.
template <typename Message, typename Connection>
void SetQueue(const Message& message, const std::string& address, Connection* connection,
              sink::queue::MessageOptions* options) {
  connection->brokers = message.brokers();
  connection->user = message.user();
  connection->tls = message.tls();
  connection->ca_file = message.ca_file();
  connection->certificate_file = message.certificate_file();
  connection->key_file = message.key_file();
  connection->timeout = ConfigFile::DurationOf(message.timeout());
  options->address = address;
  options->format = FormatOf(message.format());
  options->records_per_message = message.records_per_message();
  options->length_delimited = message.length_delimited();
}

absl::StatusOr<NamedSink> NewKafka(const ConfigFile& file, const config::Kafka& kafka,
                                   std::shared_ptr<const aggregate::Schema> schema) {
  sink::kafka::KafkaOptions options;
  SetQueue(kafka, kafka.topic(), &options.connection, &options.message);
  options.message.key = kafka.key();
  options.connection.sasl_mechanism = kafka.sasl_mechanism();
  if (!kafka.sasl_mechanism().empty()) {
    options.connection.password = SecretOf(kafka.password_file(), "KAFKA_PASSWORD", /*needed=*/true);
  }
  for (const config::KafkaProperty& property : kafka.property()) {
    options.connection.properties.emplace_back(property.name(), property.value());
  }
  options.transactions = kafka.transactions();
  options.max_topics = kafka.max_topics();
  options.schema = std::move(schema);
  auto made = sink::kafka::NewKafkaSink(std::move(options));
  if (!made.ok()) return file.ErrorAt(kafka, "brokers", made.status().message());
  return NamedSink{"kafka", kafka.brokers(), *std::move(made)};
}

absl::StatusOr<NamedSink> NewAmqp(const ConfigFile& file, const config::Amqp& amqp,
                                  std::shared_ptr<const aggregate::Schema> schema) {
  sink::amqp::AmqpOptions options;
  SetQueue(amqp, amqp.routing_key(), &options.connection, &options.message);
  options.connection.vhost = amqp.vhost();
  options.connection.password = SecretOf(amqp.password_file(), "AMQP_PASSWORD", /*needed=*/false);
  options.exchange = amqp.exchange();
  options.schema = std::move(schema);
  auto made = sink::amqp::NewAmqpSink(std::move(options));
  if (!made.ok()) return file.ErrorAt(amqp, "brokers", made.status().message());
  return NamedSink{"amqp", amqp.brokers(), *std::move(made)};
}

absl::StatusOr<NamedSink> NewFile(const ConfigFile& file, const config::File& config) {
  sink::file::FileOptions options;
  options.folder = config.folder();
  options.name = config.file_name();
  options.format = FormatOf(config.format());
  options.compression_level = static_cast<int>(config.compression_level());
  options.finish_after = ConfigFile::DurationOf(config.finish_after());
  if (const absl::Duration keep = ConfigFile::DurationOf(config.keep()); keep > absl::ZeroDuration()) {
    options.retention = keep;
  }
  if (!config.max_size().empty()) {
    const absl::StatusOr<uint64_t> octets = config::ParseOctets(config.max_size());
    if (!octets.ok()) return file.ErrorAt(config, "max_size", octets.status().message());
    options.max_total_octets = *octets;
  }
  auto made = sink::file::NewFileSink(std::move(options));
  if (!made.ok()) return file.ErrorAt(config, "folder", made.status().message());
  return NamedSink{"file", config.folder(), *std::move(made)};
}

}  // namespace

bool IsMessageSink(const config::Sink& sink) { return sink.has_kafka() || sink.has_amqp() || sink.has_file(); }

absl::StatusOr<NamedSink> NewMessageSink(const ConfigFile& file, const config::Sink& sink,
                                         const aggregate::AggregatorOptions& aggregator) {
  absl::StatusOr<std::unique_ptr<aggregate::Aggregator>> prototype =
      aggregate::Aggregator::New(aggregator, std::make_shared<base::Interner>());
  if (!prototype.ok()) return prototype.status();
  const std::shared_ptr<const aggregate::Aggregator> owner = *std::move(prototype);
  const std::shared_ptr<const aggregate::Schema> schema(owner, &owner->schema());
  if (sink.has_file()) return NewFile(file, sink.file());
  if (sink.has_kafka()) return NewKafka(file, sink.kafka(), schema);
  return NewAmqp(file, sink.amqp(), schema);
}

absl::Status CheckMessageSink(const ConfigFile& file, const config::Sink& sink,
                              const aggregate::AggregatorOptions& aggregator) {
  // A file sink makes its folder: that waits for the start.
  if (sink.has_file()) return absl::OkStatus();
  return NewMessageSink(file, sink, aggregator).status();
}

}  // namespace flowacct::collector
