#include "flowacct/sink/amqp/amqp_sink.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/sink/amqp/amqp_connection.h"

namespace flowacct::sink::amqp {
namespace {

class TheSink : public AmqpSink {
 public:
  TheSink(AmqpOptions options, std::vector<Endpoint> endpoints)
      : options_(std::move(options)), endpoints_(std::move(endpoints)) {}

  absl::Status Write(const aggregate::AggregateBatch& batch) override {
    if (closed_) return absl::FailedPreconditionError("amqp: it has been closed");
    AmqpCounters sent;
    absl::Status status = WriteAll(batch, &sent);
    if (!status.ok()) {
      connection_.reset();
      ++counters_.failed_batches;
      return status;
    }
    ++counters_.batches;
    counters_.rows += sent.rows;
    counters_.messages += sent.messages;
    counters_.octets += sent.octets;
    return status;
  }

  absl::Status Close() override {
    closed_ = true;
    if (connection_ != nullptr) connection_->Close();
    connection_.reset();
    return absl::OkStatus();
  }

  const AmqpCounters& counters() const override { return counters_; }

 private:
  absl::Status WriteAll(const aggregate::AggregateBatch& batch, AmqpCounters* sent) {
    if (batch.size() == 0) return absl::OkStatus();
    if (connection_ != nullptr && !connection_->IsAlive()) connection_.reset();
    if (connection_ == nullptr) {
      absl::StatusOr<std::unique_ptr<AmqpConnection>> connection =
          AmqpConnection::Connect(options_.connection, endpoints_, options_.max_unconfirmed);
      if (!connection.ok()) return connection.status();
      connection_ = *std::move(connection);
      ++counters_.connections;
    }
    absl::Status status = queue::ForEachMessage("amqp", options_.message, batch, [&](const queue::Message& message) {
      ++sent->messages;
      sent->rows += message.rows;
      sent->octets += message.octets.size();
      return connection_->Publish(options_.exchange, message.address, message.content_type, message.part,
                                  message.octets);
    });
    if (!status.ok()) return status;
    return connection_->Confirm();
  }

  const AmqpOptions options_;
  const std::vector<Endpoint> endpoints_;
  std::unique_ptr<AmqpConnection> connection_;
  AmqpCounters counters_;
  bool closed_ = false;
};

absl::Status Invalid(absl::string_view text) { return absl::InvalidArgumentError(absl::StrCat("amqp: ", text)); }

}  // namespace

absl::StatusOr<std::unique_ptr<AmqpSink>> NewAmqpSink(AmqpOptions options) {
  const ConnectionOptions& connection = options.connection;
  absl::StatusOr<std::vector<Endpoint>> endpoints = ParseBrokers(connection.brokers, connection.tls);
  if (!endpoints.ok()) return endpoints.status();
  if (connection.timeout < absl::Milliseconds(100) || connection.timeout > absl::Hours(1)) {
    return Invalid(absl::StrCat("timeout = ", absl::FormatDuration(connection.timeout), ": between 100ms and 1h"));
  }
  if (connection.heartbeat < absl::ZeroDuration() || connection.heartbeat > absl::Hours(1) ||
      (connection.heartbeat > absl::ZeroDuration() && connection.heartbeat < absl::Seconds(1))) {
    return Invalid(
        absl::StrCat("heartbeat = ", absl::FormatDuration(connection.heartbeat), ": 0, or between 1s and 1h"));
  }
  if (connection.user.empty()) return Invalid("user: it needs a name");
  if (connection.vhost.empty()) return Invalid("vhost: it needs a name; the one that RabbitMQ begins with is /");
  if (!connection.tls &&
      (!connection.ca_file.empty() || !connection.certificate_file.empty() || !connection.key_file.empty())) {
    return Invalid("ca_file, certificate_file and key_file need tls");
  }
  if (connection.certificate_file.empty() != connection.key_file.empty()) {
    return Invalid("certificate_file and key_file go together");
  }
  if (!connection.password.file.empty() && !connection.password.environment.empty()) {
    return Invalid("password: a file or a variable of the environment, not both");
  }
  // A secret that is not there is told now, not when the broker asks for it.
  if (absl::StatusOr<std::string> read = queue::ReadSecret(connection.password, "amqp: password"); !read.ok()) {
    return read.status();
  }
  if (options.exchange.size() > 255) return Invalid("exchange: its name may have 255 octets");
  if (options.max_unconfirmed == 0) return Invalid("max_unconfirmed: at least 1");
  if (!options.message.key.empty()) return Invalid("key: messages of AMQP have none; see routing_key");
  options.message.address_name = "routing_key";
  if (absl::Status status = queue::CheckMessageOptions("amqp", options.message, options.schema.get()); !status.ok()) {
    return status;
  }
  return std::make_unique<TheSink>(std::move(options), *std::move(endpoints));
}

}  // namespace flowacct::sink::amqp
